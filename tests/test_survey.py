"""The project's own survey: what its codebook asks, its synthetic sample, and the hypotheses that both decide."""

from __future__ import annotations

import re
import runpy
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

import surveysem
from socialcommerce import cli, data, paper, survey
from socialcommerce.evidence import survey as verdict
from socialcommerce.project import root
from surveysem import true_values


def test_the_projects_codebook_asks_what_the_paper_would_need():
    book = survey.load_codebook()
    assert sum(construct.role == "construct" for construct in book.constructs) == 17
    for construct in book.constructs:
        assert 3 <= len(construct.items) <= 4
        for item in construct.items:
            assert item.scale.high - item.scale.low + 1 in (5, 7)
    assert all(item.en and item.zh and re.search(r"[\u4e00-\u9fff]", item.zh) for item in book.questions)
    assert sum(item.role == "check" for item in book.questions) == 2
    assert sum(item.reverse for item in book.questions) == 3
    assert {"PLATFORM", "AGE", "INCOME", "PROMOTIONS", "ORDERS"} == {
        item.code for item in book.questions if item.role == "control"
    }


@pytest.mark.slow
def test_the_own_sample_has_a_truth_for_every_hypothesis_of_the_survey():
    truth = survey.own_truth()
    kinds = true_values(truth)["kind"].value_counts().to_dict()
    assert kinds == {"path": 19, "indirect": 20, "moderation": 2, "difference": 19, "contact": 1}
    values = true_values(truth).query("kind == 'path'").set_index(["outcome", "predictor"])["value"]
    assert {(path.outcome, path.predictor) for path in truth.codebook.paths} == set(values.index)
    signs = {(path.outcome, path.predictor): path.direction for path in truth.codebook.paths}
    assert all(value * signs[pair] >= 0 for pair, value in values.items())
    first, again = survey.own_sample(), survey.own_sample()
    pd.testing.assert_frame_equal(first.cells, again.cells)
    assert first.planted["defect"].nunique() == 6
    screened = surveysem.screen(first.responses)
    planted = set(first.planted.query("defect != 'missing cell'")["row"])
    assert planted <= set(screened.record["row"])
    assert len(survey.own_sample(nobs=300, seed=2).cells) == 300


@pytest.mark.slow
def test_the_own_sample_is_read_like_a_file():
    own = survey.read_study(draws=50)
    assert (own.basis, own.screened.nobs, own.nobs) == ("synthetic sample", 1200, len(own.screened.answers))
    assert own.codebook.name == "social-commerce"


@pytest.mark.slow
def test_an_own_survey_with_the_project_s_codebook_decides_the_paper_s_hypotheses():
    drawn = surveysem.draw_respondents(survey.own_truth(), 400, seed=5).responses
    own = surveysem.Study(replace(drawn, basis="survey"), surveysem.screen(drawn, mode="report-only"), draws=100)
    assert all(h.data[0].kind == "own survey" and h.known is None for h in verdict.hypotheses_of(own))
    found = verdict.verdicts_of(own)
    assert {v.id for v in found} == set(verdict.TESTS)
    assert all(v.evidence == ("own survey",) for v in found)
    table = verdict.verdict_table(found)
    assert table["truth"].isna().all()
    assert (
        {"supported", "inconclusive"}
        <= {*table["outcome"]}
        <= {"supported", "contradicted", "negligible", "inconclusive"}
    )


def test_each_hypothesis_of_the_survey_has_a_kept_estimate_with_its_truth():
    table = data.load(verdict.TABLE).set_index("id")
    stated = {h.id: h for h in paper.load_hypotheses() if any(d.name == "survey" for d in h.data)}
    assert set(table.index) == set(verdict.TESTS) == set(stated)
    truth = survey.own_truth().paths
    for name, (outcome, predictor) in verdict.PATHS.items():
        assert table.at[name, "truth"] == pytest.approx(truth[outcome][predictor], abs=1e-6)
    assert (table["low"] <= table["estimate"]).all()
    assert (table["estimate"] <= table["high"]).all()


@pytest.mark.slow
def test_the_kept_estimates_are_those_of_the_sample():
    again = runpy.run_path(str(root() / "data" / "prepare" / "survey_estimates.py"))["build"]()
    pd.testing.assert_frame_equal(again, data.load(verdict.TABLE), rtol=0, atol=2e-5, check_dtype=False)


@pytest.mark.slow
def test_the_template_is_a_codebook_that_loads(tmp_path, capsys):
    out = tmp_path / "survey"
    assert cli.main(["survey", "template", "--out", str(out)]) == 0
    said = capsys.readouterr().out.split()
    assert len(said) == 6
    assert {Path(name).name for name in said} == {path.name for path in out.iterdir()} - {"manifest.json"}
    assert surveysem.load_codebook(out / "codebook.toml") == survey.load_codebook()
    assert cli.main(["survey", "template", "--out", str(out)]) == 0  # nobody changed it
    (out / "codebook.toml").write_text("mine")
    capsys.readouterr()
    assert cli.main(["survey", "template", "--out", str(out)]) == 2
    assert "codebook.toml was changed since socialcommerce survey template wrote it" in capsys.readouterr().err
    assert (out / "codebook.toml").read_text() == "mine"


@pytest.mark.slow
def test_the_command_draws_the_own_sample_and_checks_it_by_the_own_codebook(tmp_path, capsys):
    assert cli.main(["survey", "sample", "--out", str(tmp_path / "out")]) == 0
    survey.own_sample().write(tmp_path)
    assert (tmp_path / "out" / "sample.csv").read_bytes() == (tmp_path / "sample.csv").read_bytes()
    capsys.readouterr()
    assert cli.main(["survey", "check", str(tmp_path / "out" / "sample.csv"), "--invalid", "record"]) == 0
    assert "1200 respondents" in capsys.readouterr().out
