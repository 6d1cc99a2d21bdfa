"""The report by PLS: its tables against plain computations, what it leaves out, and what it refuses in a sentence."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from books import BOOK, GYM, SECOND, studied

import surveysem
from reports import run, told, written
from surveysem import NotTestable, decide, hypotheses, paths, pls, report
from surveysem.__main__ import main
from surveysem.codebook import Labelled

NOTEBOOK = report.HERE / "notebooks" / "pls.ipynb"
ONE = """
name = "cafe"
scale = [1, 7]
[constructs]
W = ["W1", "W2", "W3"]
S = ["S1"]
R = ["R1", "R2"]
paths = ["S ~ W", "R ~ S + W"]
"""


@pytest.fixture(scope="module")
def study() -> surveysem.Study:
    return studied(250, estimator="PLS", draws=400)


def regressed(study: surveysem.Study, outcome: str, *predictors: str) -> np.ndarray:
    """Coefficients of a plain regression of one composite on others, with that of determination last."""
    scores = study.composites.scores(study.answers)
    X, y = scores[list(predictors)].to_numpy(), scores[outcome].to_numpy()
    b = np.linalg.lstsq(X, y, rcond=None)[0]
    return np.append(b, 1 - np.var(y - X @ b) / np.var(y))


def test_inner_and_outer_model_are_regressions_and_correlations_of_the_composites(study):
    fit, corrected = study.composites, study.compose(consistent=True)
    inner = pls.inner(study, fit, corrected).set_index(["outcome", "predictor"])
    care, noise, r2 = regressed(study, "trust", "care", "noise")
    assert inner.loc["trust", "std"].tolist() == pytest.approx([care, noise])
    assert inner.loc["trust", "r2"].tolist() == pytest.approx([r2, r2])
    alone = regressed(study, "trust", "noise")[-1]
    assert inner.loc[("trust", "care"), "f2"] == pytest.approx((r2 - alone) / (1 - r2))
    assert (inner["consistent"].abs() > inner["std"].abs()).sum() >= 3  # less noise, larger paths
    draws = fit.draws[:, fit.at_paths]
    assert inner["t"].to_numpy() == pytest.approx(inner["std"] / draws.std(0, ddof=1))
    assert inner["low"].tolist() == pytest.approx(list(np.quantile(draws, 0.025, axis=0)))
    outer = pls.outer(study, fit, corrected).set_index("item")
    scores, answers = fit.scores(study.answers), study.answers[study.items]
    assert outer.loc["CARE1", "loading"] == pytest.approx(np.corrcoef(answers["CARE1"], scores["care"])[0, 1])
    others = answers[["CARE2", "CARE3"]].assign(one=1).to_numpy(float)
    left = answers["CARE1"] - others @ np.linalg.lstsq(others, answers["CARE1"].to_numpy(float), rcond=None)[0]
    assert outer.loc["CARE1", "vif"] == pytest.approx(answers["CARE1"].var() / left.var())
    square = pls.larcker(study, fit)
    assert square.loc["noise", "care"] == pytest.approx(np.corrcoef(scores["care"], scores["noise"])[0, 1])
    assert square.loc["care", "care"] ** 2 == pytest.approx((outer.query("construct == 'care'")["loading"] ** 2).mean())
    assert np.isnan(square.loc["care", "noise"])


@pytest.mark.slow
def test_hypotheses_are_decided_by_the_rule_of_all_reports(study):
    tested = hypotheses.decide_all(study)
    fit = study.composites
    draws = dict(zip(fit.model.paths, fit.draws[:, fit.at_paths].T, strict=True))
    by_path = {(one.hypothesis.predictor, one.hypothesis.outcome): one for one in tested}
    assert [one.direction for one in tested] == [1, -1, 1, 1]
    for path, one in by_path.items():
        assert one.test.interval == pytest.approx(
            np.quantile(draws[path], [(1 - one.test.level) / 2, (1 + one.test.level) / 2])
        )
        expected = "negative" if one.direction < 0 else "positive"
        assert one.verdict == decide(one.test, smallest=0.1, direction=expected, alpha=1 - one.test.level)
    assert {one.test.level for one in tested} <= {0.95, 0.975}  # two on each outcome
    over = replace(BOOK, hypotheses=(Labelled("H9", "stay", "care", "", "trust"),))
    (one,) = hypotheses.decide_all(replace(study, responses=replace(study.responses, codebook=over)))
    product = draws["care", "trust"] * draws["trust", "stay"]
    assert one.test.interval == pytest.approx(np.quantile(product, [0.025, 0.975]))


def test_effects_hold_those_that_act_through_others(study):
    found = paths.decomposition(study)
    assert found["predictor"].unique().tolist() == ["care", "noise"]
    care = found[found["predictor"] == "care"].set_index("effect")["estimate"]
    assert care["total"] == pytest.approx(care["direct"] + care["indirect"])
    assert found[found["predictor"] == "noise"]["effect"].tolist() == ["indirect", "total"]  # no path of its own
    assert (found["low"] < found["high"]).all()


def test_importance_takes_the_ends_of_the_scale(study):
    found = pls.importance(study, study.composites).set_index("construct")
    answers = 100 * (study.answers[["CARE1", "CARE2", "CARE3"]] - 1) / 6
    assert answers.mean().min() < found.loc["care", "performance"] < answers.mean().max()
    assert found["outcome"].unique().tolist() == ["stay"]


def test_pls_and_mlr_disagree_where_one_interval_holds_zero(study):
    inner = pls.inner(study, study.composites, study.compose(consistent=True))
    both = pls.beside(study, inner)
    signs = [[int(low > 0) - int(high < 0) for low, high in each[["low", "high"]].to_numpy()] for each in (inner, both)]
    assert both["differs"].tolist() == [one != other for one, other in zip(*signs, strict=True)]
    assert both["latent"].tolist() == pytest.approx(surveysem.paths.path_table(study)["std"].tolist())
    assert (
        pls.beside(study, inner.assign(low=-0.01, high=0.4))["differs"].tolist()
        == (both["low"] * both["high"] > 0).tolist()
    )
    assert pls.beside(study, inner.assign(low=-inner["high"], high=-inner["low"]))["differs"].all()


def test_without_a_solution_of_mlr_there_is_a_reason(study, monkeypatch):
    def fails(_: object) -> None:
        raise surveysem.DataError("the structural model has no solution on these answers: none")

    monkeypatch.setattr(surveysem.paths, "path_table", fails)
    reason = pls.beside(study, pd.DataFrame())
    assert isinstance(reason, NotTestable)
    assert "has no solution" in reason.reason


def test_groups_are_those_of_the_codebook_and_must_be_two():
    book = surveysem.load_codebook(GYM)
    drawn = surveysem.draw_respondents(surveysem.Truth(book), 300, seed=2).responses
    study = surveysem.Study(drawn, surveysem.screen(drawn, mode="report-only"), "PLS", 50)
    found = pls.grouped(study, 20)
    assert study.kinds(found.labels) == ("Women", "Men")
    assert sum(found.sizes) == 300
    alone = replace(study, responses=replace(drawn, codebook=replace(book, group="")))
    assert "names no question" in pls.grouped(alone).reason
    answers = study.screened.answers
    women = replace(study, screened=replace(study.screened, answers=answers.assign(SEX=1)))
    assert "are not compared by PLS" in pls.grouped(women).reason
    one_man = replace(study.screened, answers=answers.assign(SEX=[2, *[1] * (len(answers) - 1)]))
    rare = replace(study, screened=one_man)  # who is a control variable, and constant without him
    assert "without a tenth of the respondents" in pls.predicted(rare, rare.compose()).reason
    assert pls.predicted(study, study.composites).items["item"].tolist()[:1] == ["CR1"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            "second",
            "measures dimensions, and constructs of second order are not offered by PLS; allowed with them: MLR",
        ),
        ("few", "9 respondents are left after screening for 9 items; more respondents than items are needed"),
        ("constant", r"column \d+ \(RE2\): every answer kept is 3; answers that differ are needed"),
        ("moving", r"the PLS model has no solution on these 60 answers \(The weights did NOT converge in 2 iterations"),
    ],
)
def test_what_pls_cannot_do_is_said_in_a_sentence_and_nothing_is_left(tmp_path, capsys, monkeypatch, change, message):
    arguments = written(tmp_path, 9 if change == "few" else 60, SECOND if change == "second" else GYM)
    if change == "constant":
        pd.read_csv(tmp_path / "answers.csv").assign(RE2=3).to_csv(tmp_path / "answers.csv", index=False)
    if change == "moving":
        monkeypatch.setattr("semfit.plsfit.LIMIT", 2)
    (tmp_path / "made").mkdir()
    command = ["report", *arguments, "--estimator", "PLS", "--screening", "report-only"]
    assert main([*command, "--out", str(tmp_path / "made" / "out")]) == 2
    said = capsys.readouterr()
    assert re.fullmatch(f"error: .*{message}.*\n", said.err), said.err
    assert not list((tmp_path / "made").iterdir())


@pytest.mark.slow
def test_a_construct_of_one_item_is_its_item_and_parts_that_do_not_apply_are_left_out(tmp_path, monkeypatch):
    book = tmp_path / "one.toml"
    head, paths = ONE.strip().rsplit("\n", 1)
    book.write_text(head.replace("[constructs]", f"{paths}\n[constructs]"), encoding="utf-8")
    written(tmp_path, book=book)
    found = run(NOTEBOOK, monkeypatch, answers=str(tmp_path / "answers.csv"), codebook=str(book), draws=60,
                screening="report-only", interval="bca")  # fmt: skip
    tables = {each["name"]: each for each in found if each["kind"] == "table" and each["language"] == "en"}
    outer = pd.DataFrame(tables["outer_table"]["rows"], columns=tables["outer_table"]["columns"])
    single = outer[outer.iloc[:, 1] == "S1"].iloc[0].tolist()
    assert single[2] == "1.00"
    assert "S" not in [row[0] for row in tables["reliability_table"]["rows"]]
    assert {"micom_table", "mga_table", "untested_table"} & {*tables} == set()
    assert {"paths_table", "predict_table", "cvpat_table", "ipma_table", "htmt_table"} <= {*tables}
    whole = json.dumps(found, ensure_ascii=False)
    assert "control variables" not in whole
    assert "covariances" not in whole


@pytest.mark.slow
def test_the_report_by_pls_is_whole_in_both_languages(tmp_path):
    """Pages, documents, tables, methods; some ten seconds, most for two PDFs."""
    out, plan, answers, *codebook = tmp_path / "out", tmp_path / "plan", *written(tmp_path)
    analysis = [*codebook, "--estimator", "PLS", "--draws", "100"]
    assert main(["preregister", *analysis, "--respondents", "200", "--out", str(plan)]) == 0
    assert "partial least squares" in told(plan / "registration-en.html")
    registered = ["--registration", str(plan / "registration.json")]
    assert main(["report", answers, *analysis, *registered, "--out", str(out)]) == 0
    summary = (out / "summary-en.txt").read_text(encoding="utf-8")
    assert "estimated by partial least squares" in summary
    assert "Every entry was followed" in summary
    made = {path.relative_to(out).as_posix() for path in out.rglob("*")}
    for language in report.LANGUAGES:
        assert {f"tables-{language}.docx", f"tables-{language}.xlsx", f"methods-{language}.txt"} <= made
        assert {f"{language}/pls.{kind}" for kind in ("html", "pdf")} <= made
        assert "PLSc" in (out / f"methods-{language}.txt").read_text(encoding="utf-8")
        page = told(out / language / "pls.html")
        assert all(label in page for label in ("H1", "H2a", "CVPAT", "MICOM", "PLSpredict", "HTMT"))
    assert not {"model.R", "en/structure.html", "en/measurement.html"} & made
    assert "untranslated" not in (out / "notebooks" / "pls.ipynb").read_text(encoding="utf-8")
    shutil.rmtree(out)
