"""The report on a survey: what it says and leaves out, and that its numbers are those of other programs."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from itertools import chain
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from books import FOREIGN, GYM, TRUTH, WORDS, ZH, studied
from filelock import FileLock
from scipy import stats

import nbproof
import semfit
import surveysem
from nbproof.translation import Catalogue, localised, messages
from reports import run, told, written
from surveysem import NotTestable, exploration, groups, hypotheses, measurement, methods, paths, report, waves
from surveysem.__main__ import main

HOME = report.HERE / "notebooks"
BOOKS = [HOME / f"{name}.ipynb" for name in report.NOTEBOOKS]
EVERY = [*BOOKS, *(HOME / f"{name}.ipynb" for name in report.COMPOSED)]
TEXTS = (".html", ".ipynb", ".json", ".svg", ".csv", ".txt", ".R")


@pytest.fixture(scope="module")
def gym() -> surveysem.Study:
    book = surveysem.load_codebook(GYM)
    effects = {"crowding": {"coaching": -0.4}, "renewal": {"coaching": 0.4, "crowding": -0.3}}
    drawn = surveysem.draw_respondents(surveysem.Truth(book, effects), 400, seed=3).responses
    return surveysem.Study(drawn, surveysem.screen(drawn, mode="report-only"), draws=500)


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """The report on 200 answers, made by the first of the test processes; twenty seconds, most for four PDFs."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "surveysem-report"
    with FileLock(folder.with_suffix(".lock")):
        if not folder.exists():
            folder.mkdir()
            answers, *codebook = written(folder)
            assert main(["preregister", *codebook, "--respondents", "190", "--out", str(folder / "plan")]) == 0
            planned = ["--registration", str(folder / "plan" / "registration.json")]
            assert main(["report", answers, *codebook, "--out", str(folder / "out"), "--draws", "100", *planned]) == 0
    assert sorted(path.name for path in folder.iterdir()) == ["answers.csv", "codebook.toml", "out", "plan"]
    return folder / "out"


@pytest.mark.slow
def test_the_folder_holds_pages_documents_tables_script_and_data(made):
    expected = {"index.html", "index.zh.html", "manifest.json", "model.R", "data.csv", "screening.csv", "mapping.csv"}
    for language in ("en", "zh"):
        expected |= {f"tables-{language}.docx", f"tables-{language}.xlsx"}
        expected |= {f"methods-{language}.txt", f"summary-{language}.txt"}
        expected |= {f"{language}/{name}.{kind}" for name in report.NOTEBOOKS for kind in ("html", "pdf")}
    assert expected <= {path.relative_to(made).as_posix() for path in made.rglob("*")}
    assert pd.read_csv(made / "data.csv").shape == (200, 11)  # nine items, what tells groups apart, a covariate


@pytest.mark.slow
def test_it_speaks_of_the_users_study_and_of_no_other(made):
    for path in (path for path in made.rglob("*") if path.suffix in TEXTS and path.name != "manifest.json"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(WORDS, text, re.IGNORECASE), path
        assert not re.search(ZH["foreign"], text), path
    book = surveysem.load_codebook(GYM)
    for language, title in zip(report.LANGUAGES, book.title, strict=True):
        name = getattr(book.constructs[0], language)
        for notebook in report.NOTEBOOKS:
            page = told(made / language / f"{notebook}.html")
            assert title in page
            assert not FOREIGN.search(page)
            assert name in page
        assert "H2a" in told(made / language / "structure.html")
        sex, brackets = getattr(book.by_code["SEX"], language), "()" if language == "en" else "\uff08\uff09"
        assert sex.join(brackets) in told(made / language / "structure.html")  # what is held constant
        assert "SEX_2" not in told(made / language / "structure.html")
        assert title in (made / ("index.html" if language == "en" else "index.zh.html")).read_text(encoding="utf-8")


@pytest.mark.slow
def test_hypotheses_have_their_labels_expected_signs_and_verdicts(made):
    found = json.loads((made / "results" / "structure.json").read_text(encoding="utf-8"))["tables"]["hypotheses_table"]
    table = pd.DataFrame(found["rows"], columns=found["columns"])
    assert table["label"].tolist() == ["H1", "H2a", "H2b", "H3"]
    assert table["expected"].tolist() == ["+", "−", "0", "+"]
    assert table["level"].tolist()[:3] == pytest.approx([97.5, 95, 95])  # Holm: two hypotheses on one outcome
    assert [verdict["en"] for verdict in table["verdict"]][:2] == ["supported", "supported"]  # drawn with .25


@pytest.mark.slow
def test_the_registration_is_held_against_what_was_done_in_both_languages(made):
    held = json.loads((made.parent / "plan" / "registration.json").read_text(encoding="utf-8"))
    for language in report.LANGUAGES:
        page = told(made / language / "structure.html")
        assert held["sha256"] in page
        assert ZH["resamples"] in page if language == "zh" else "bootstrap resamples 5000 100" in " ".join(page.split())
    found = json.loads((made / "results" / "structure.json").read_text(encoding="utf-8"))["tables"]
    (row,) = found["deviations_table"]["rows"]
    assert [text["en"] if isinstance(text, dict) else text for text in row] == [
        "Analysis", "bootstrap resamples", "5000", "100",
    ]  # fmt: skip
    parts = [row[-1]["en"] for row in found["registration_table"]["rows"]]
    assert parts == ["yes"] * 5 + ["no", "yes"]  # the analysis is the sixth


@pytest.mark.slow
def test_the_summary_says_what_the_results_say_and_opens_the_front_page(made):
    results = [json.loads(path.read_text(encoding="utf-8")) for path in sorted((made / "results").glob("*.json"))]
    hypotheses_found = results[1]["tables"]["hypotheses_table"]
    rows = [dict(zip(hypotheses_found["columns"], row, strict=True)) for row in hypotheses_found["rows"]]
    numbers = {name: one["value"] for found in results for name, one in found["numbers"].items()}
    book = surveysem.load_codebook(GYM)
    for language in report.LANGUAGES:
        text = (made / f"summary-{language}.txt").read_text(encoding="utf-8").strip()
        zh = language == "zh"
        front, bracket = (
            told(made / ("index.zh.html" if zh else "index.html")),
            "\N{FULLWIDTH LEFT PARENTHESIS}" if zh else " (",
        )
        assert all(part in front for part in text.split("\n\n"))
        assert len(text.split("\n\n")) == 4
        for row in rows:
            estimate, low, high = (nbproof.format_number(row[key], 2) for key in ("estimate", "low", "high"))
            assert f"{row['label']}{bracket}" in text
            assert f"{estimate} [{low}, {high}]" in text
        for name, digits in (("cfi", 3), ("rmsea", 3), ("srmr", 3), ("cr_low", 2), ("htmt_high", 2), ("kept", 0)):
            assert nbproof.format_number(numbers[name], digits) in text
        names = [getattr(one, language) for one in book.constructs]
        assert f"H3{bracket}{names[0]} → {names[1]} → {names[2]}" in text
        assert bool(re.search("[\u4e00-\u9fff]", text)) == (language == "zh")
        told_numbers = re.findall(r"\d+\.\d+", text)
        held = json.dumps(results)
        for number in told_numbers:  # every one is a result: rounded as printed
            digits = len(number.partition(".")[2])
            assert any(
                nbproof.format_number(float(n), digits).lstrip("−") == number for n in re.findall(r"\d+\.\d+", held)
            )


def test_what_the_summary_prints_as_a_number_the_notebooks_keep_as_one_and_as_one_thing():
    """A count written with ``:d`` is kept as a text, and of two notebooks that keep one name the last would be told."""
    told: dict[str, dict[str, set[str]]] = {}
    for name in ("measurement", "structure", "pls"):
        texts = "\n".join(messages(json.loads((HOME / f"{name}.ipynb").read_text(encoding="utf-8"))))
        for field, how in re.findall(r"\{(\w+)(?::([^}]*))?\}", texts):
            told.setdefault(field, {}).setdefault(name, set()).add(how)
    summaries = [(report.HERE / f"summary.{language}.txt").read_text(encoding="utf-8") for language in ("en", "zh")]
    printed = {*re.findall(r"\b(\w+) \| number", "".join(summaries))} - {"estimate", "low", "high", "excluded"}
    assert {"moved_n", "hidden_n", "parameters_n", "cfi"} <= printed
    for field in printed:
        assert {*chain(*told[field].values())} & {"d", "p", ""} == set(), field
    both = {field for field in printed if {"measurement", "structure"} <= {*told[field]}}
    assert both == {"received", "kept", "cfi_bound", "rmsea_bound", "srmr_bound"}  # which are the same in both


@pytest.mark.parametrize(
    ("numbers", "texts", "said"),
    [
        (
            {"cfi": 0.85, "cfi_bound": 0.9, "cfi_poor": 0.9},
            {},
            (
                "misses the usual cut-off of CFI (CFI = 0.850",
                "A CFI below 0.90 is poor",
                "measurement model misses a cut-off",
            ),
        ),
        ({}, {"unreliable": "Crowding"}, ("Composite reliability is below 0.7 for Crowding", "low reliability")),
        ({}, {"alike": "Coaching and Crowding"}, ("Not clearly distinct from each other", "cannot be told apart")),
        ({"kept": 197}, {}, ("; 3 were left out by screening rules fixed beforehand",)),
        ({"kept": 199}, {}, ("; 1 was left out",)),
        (
            {"cfi_paths": 0.85, "rmsea_paths": 0.02, "srmr_paths": 0.03},
            {},
            ("The structural model misses at least one of them (CFI = 0.850", "relations between constructs may be"),
        ),
        ({"hidden_n": 2}, {}, ("at least 0.15 to 0.20, depending on the path, 2 paths are found at no size below 1",)),
        (
            {"hidden_n": 1, "detect_low": None, "detect_high": None},
            {},
            (
                "no effect: one path is found at no size below 1, as predictors are highly correlated or "
                "answers are few;",
            ),
        ),
        ({"detect_high": 0.151}, {}, ("only paths of at least 0.15;",)),
        ({"cfi": 0.92, "cfi_bound": 0.95, "rmsea": 0.09}, {}, ("misses the usual cut-offs of CFI and RMSEA (CFI",)),
        ({"shared": 0.5}, {"diffuse": "Crowding"}, ("Convergent validity is not met by Crowding (AVE below 0.5).",)),
        ({"improper_n": 1}, {}, ("Please note: the solution is improper (a variance is negative,",)),
        ({"improper_n": 2, "r2_high": 1.12}, {}, ("interest is 0.10.\n\nPlease note: the solution is improper",)),
        ({"used": 190}, {}, ("200 analysed; the estimates rest on the 190 who answered every item.",)),
        ({"cfi": None}, {}, ("There are too few answers to test the measurement model.",)),
        ({}, {"digest": "ab" * 32, "differing_n": "0", "entries_n": "9"}, ("Every entry was followed.",)),
        ({}, {"digest": "ab" * 32, "differing_n": "2", "entries_n": "9"}, ("Entries done otherwise: 2 of 9;",)),
    ],
)
def test_the_summary_warns_where_a_result_does(gym, numbers, texts, said):
    every = {
        "received": 200, "kept": 200, "cfi": 0.98, "cfi_bound": 0.9, "rmsea": 0.02, "rmsea_bound": 0.08,
        "srmr": 0.03, "srmr_bound": 0.08, "cr_low": 0.8, "htmt_high": 0.4, "enough": 0.7, "smallest": 0.1,
        "r2_low": 0.1, "r2_high": 0.3, "detect_low": 0.15, "detect_high": 0.2,
    }  # fmt: skip
    columns = ["label", "estimate", "low", "high", "verdict"]
    rows = [
        ["H1", 0.3, 0.1, 0.5, "supported"],
        ["H2a", -0.05, -0.08, 0.02, "negligible"],
        ["H2b", 0.1, -0.1, 0.3, "inconclusive"],
        ["H3", None, None, None, "not tested"],
    ]

    def told_by(**changed: Any) -> str:
        kept = {name: {"value": value} for name, value in (every | changed).items() if value is not None}
        results = {
            "numbers": kept,
            "texts": {name: {"en": text} for name, text in ({"expected_n": "3"} | texts).items()},
            "tables": {"hypotheses_table": {"columns": columns, "rows": rows}},
        }
        return methods.summary_text(gym, results, "en")

    text, plain = told_by(**numbers), told_by()
    for sentence in said:
        assert sentence in text
        assert texts or sentence not in plain
    assert "1 is supported: H1 (Coaching → Renewal, 0.30 [0.10, 0.50])." in text
    assert "Not tested could be H3 (Coaching → Crowding → Renewal)." in text
    assert methods.summary_text(gym, {"numbers": {}, "texts": {}, "tables": {}}, "en") == ""
    rows[0][-1] = "inconclusive"
    assert "hypotheses, none is supported. The effect is negligible for" in told_by()
    rows[1:] = []
    assert "The one hypothesis is not supported. The result is inconclusive for H1" in told_by()


@pytest.mark.slow
def test_nothing_lacks_a_translation(made):
    for name in report.NOTEBOOKS:
        assert "untranslated" not in (made / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_smaller_survey_gets_only_the_parts_that_apply(tmp_path, monkeypatch):
    """Two constructs, no background, no group, no mediator, few whole rows: run as in a notebook, without pages."""
    text = GYM.read_text(encoding="utf-8")
    parts = re.split(r"(?=^\[)", re.sub(r"(?m)^(group|covariates) = .*\n", "", text), flags=re.M)
    kept = [part for part in parts if "crowding" not in part and not part.startswith("[[controls")]
    book = tmp_path / "two.toml"
    book.write_text("".join(kept) + '[paths]\nrenewal = ["coaching"]\n', encoding="utf-8")
    written(tmp_path, book=book)
    answers = pd.read_csv(tmp_path / "answers.csv", dtype=str)
    first = surveysem.load_codebook(book).items[0]
    answers.assign(**{first: answers[first].mask(answers.index >= 80)}).to_csv(tmp_path / "answers.csv", index=False)
    said, whole = {}, {}
    for path in BOOKS:
        payloads = run(
            path,
            monkeypatch,
            answers=str(tmp_path / "answers.csv"),
            codebook=str(book),
            draws=50,
            htmt_draws=20,
            parallel_draws=50,
        )
        said[path.stem] = {payload["name"] for payload in payloads if payload["kind"] in ("table", "figure")}
        whole[path.stem] = json.dumps(payloads, ensure_ascii=False)
    every = {
        name for path in BOOKS for name in re.findall(r'page\.(?:table|figure)\(\\"(\w+)', path.read_text("utf-8"))
    }
    absent = every - said["measurement"] - said["structure"]
    assert absent == {
        "profile_table", "counts_table", "covariates_table", "invariance_table", "method_failed", "effects_table",
        "moderation_table", "slopes_figure", "slopes_table", "groups_table", "differences_table", "untested_table",
        "second_table", "registration_table", "deviations_table", "mediation_table", "partial_table",
        "composites_table", "composites_diagram", "specific_table", "waves_table", "waves_partial_table",
        "waves_eased_table", "changes_table",
    }  # fmt: skip
    for heading in (
        "## Respondents",
        "invariance",
        "indirect",
        "Moderation",
        "Control variables",
        "in the groups",
        "waves",
        "inverted U",
    ):
        assert heading not in whole["measurement"] + whole["structure"], heading
    assert "respondents who answered every item: they are imprecise" in whole["measurement"]
    assert '"H1"' in whole["structure"]  # the only path, which has no label of its own
    assert not re.search(WORDS, whole["measurement"] + whole["structure"], re.IGNORECASE)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--draws", "0"], "--draws must be above 0; got 0"),
        (["--language", "fr"], "unknown language 'fr'.*Allowed: en, zh"),
        (["--estimator", "MLX"], "unknown estimator 'MLX'.*Allowed: ML, MLR, PLS, WLSMV"),
        (["--sheet", "a", "--codebook", "none.toml"], "codebook none.toml cannot be read"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence_and_nothing_is_left(tmp_path, capsys, options, message):
    arguments = written(tmp_path, 60)
    (tmp_path / "made").mkdir()
    assert main(["report", *arguments, "--out", str(tmp_path / "made" / "out"), *options]) == 2
    said = capsys.readouterr()
    assert re.fullmatch(f"error: .*{message}.*\n", said.err), said.err
    assert not list((tmp_path / "made").iterdir())


@pytest.mark.slow
def test_a_notebook_that_fails_leaves_nothing(tmp_path, monkeypatch, capsys):
    """Stopped inside the build; three seconds, for the process that loads the libraries."""
    broken = tmp_path / "broken"
    broken.mkdir()
    text = BOOKS[0].read_text(encoding="utf-8").replace("study = study_of(", "study = none_of(")
    (broken / "measurement.ipynb").write_text(text, encoding="utf-8")
    monkeypatch.setattr(report, "NOTEBOOKS", (str(broken / "measurement.ipynb"),))
    (tmp_path / "made").mkdir()
    assert main(["report", *written(tmp_path, 60), "--draws", "20", "--out", str(tmp_path / "made" / "out")]) == 2
    assert "measurement" in capsys.readouterr().err
    assert not list((tmp_path / "made").iterdir())


# --- the notebooks ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", EVERY, ids=lambda path: path.stem)
def test_every_text_has_a_translation_and_the_chinese_notebook_is_made_of_them(path):
    notebook = json.loads(path.read_text(encoding="utf-8"))
    own = Catalogue("zh", HOME / "locale" / f"{path.stem}.zh.po")
    shared = Catalogue("zh", *sorted(surveysem.LOCALE.glob("*.zh.po")), HOME / "locale" / "common.zh.po")
    wanted = messages(notebook)
    assert [text for text in wanted if text not in own and text not in shared] == []
    assert [text for text in own if text not in wanted] == []
    field = r"\{\w+(?::[^}]*)?\}"
    for text, said in (own | Catalogue("zh", HOME / "locale" / "common.zh.po")).items():
        assert sorted(re.findall(field, text)) == sorted(re.findall(field, said)), text
    shared.update(own)
    chinese = json.loads((HOME / "zh" / path.name).read_text(encoding="utf-8"))
    assert ["".join(c["source"]) for c in chinese["cells"]] == [
        "".join(c["source"]) for c in localised(notebook, shared)["cells"]
    ]
    cited = {*re.findall(r"#ref-(\w+)", path.read_text(encoding="utf-8"))}
    assert cited <= {*re.findall(r"@\w+\{(\w+),", (HOME / "references.bib").read_text(encoding="utf-8"))}


@pytest.mark.parametrize("path", EVERY, ids=lambda path: path.stem)
def test_cells_are_short_and_hold_no_function_and_no_output(path):
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code":
            assert cell["outputs"] == []
            assert "def " not in source
            assert source.count("\n") < 10 or source.startswith("import "), source
        assert all(len(line) <= 100 for line in source.splitlines() if cell["cell_type"] == "code")


# --- the numbers ------------------------------------------------------------------------------------------------------


def test_respondents_are_counted_as_pandas_counts_them(gym):
    table = exploration.respondents(gym).set_index("answer")
    counts = gym.screened.answers["SEX"].value_counts()
    assert table["n"].to_dict() == {"Women": counts[1], "Men": counts[2]}
    assert table["share"].sum() == pytest.approx(100)
    (line,) = exploration.counted(gym).to_dict("records")
    assert (line["question"], line["n"]) == ("Your age", 400)
    assert line["mean"] == pytest.approx(np.mean(gym.screened.answers["AGE"].astype(float)))


def test_codes_without_labels_are_counted_where_they_are_few(gym):
    """A mean of 1.4 for the group one belongs to says nothing; an age has a mean."""
    sex = next(item for item in gym.codebook.questions if item.code == "SEX")
    bare = replace(sex, scale=replace(sex.scale, en=(), zh=()))
    book = replace(gym.codebook, questions=tuple(bare if one is sex else one for one in gym.codebook.questions))
    one = replace(gym, responses=replace(gym.responses, codebook=book))
    assert exploration.respondents(one)["answer"].tolist() == ["1", "2"]
    assert len(exploration.counted(one)) == 1


def cells(notebook: str, first: str, number: int, **names: Any) -> tuple[dict[str, Any], dict[str, pd.DataFrame], list]:
    """Run some cells of a notebook, from the one that begins so; return what they named, their tables and sentences."""
    tables, said = {}, []
    page = SimpleNamespace(
        table=lambda name, frame, *_, **__: tables.update({name: frame}),
        say=lambda text, **_: said.append(text),
        words=lambda text, **values: text.format(**values),
        listed=", ".join,
    )
    code = json.loads((HOME / f"{notebook}.ipynb").read_text(encoding="utf-8"))["cells"]
    sources = ["".join(cell["source"]) for cell in code]
    at = next(k for k, source in enumerate(sources) if source.startswith(first))
    names |= {"page": page, "evidence": None}
    for source in sources[at : at + number]:
        exec(source, names)  # noqa: S102 - our own notebook
    return names, tables, said


@pytest.mark.parametrize("left", [2, 1])
def test_a_single_item_is_not_called_indistinct(gym, left):
    """It has no HTMT: that is neither above nor below a cut-off."""
    book, answers = gym.codebook, gym.answers
    scales = {name: codes if k < left else codes[:1] for k, (name, codes) in enumerate(gym.scales.items())}
    given = {"study": gym, "scales": scales, "called": book.called, "htmt_draws": 50, "seed": 1, "kept": len(answers)}
    given |= {"book": book, "psychometrics": semfit.psychometrics, "measurement": measurement, "waves": waves}
    names, tables, said = cells("measurement", "several =", 5, **given)
    assert "A construct of a single item has no ratio." in said
    assert len(tables.get("htmt_table", ())) == left - 1
    assert not names["alike"]


def test_a_negative_variance_is_said_to_be_improper(gym):
    """Of three items that correlate .5, .5 and .2, the first would share 1.25 of its variance with a factor."""
    S = pd.DataFrame([[1, 0.5, 0.5], [0.5, 1, 0.2], [0.5, 0.2, 1]], [*"abc"], [*"abc"])
    improper = semfit.fit("f =~ a + b + c", moments=semfit.Moments(S, None, 300))
    names, _, said = cells("measurement", "models = fit", 2, fit=improper, study=gym, called={"a": "First"}, pd=pd)
    assert names["improper_n"] == 1
    assert said[0].startswith("**Improper solutions**")
    assert said[1] == "Negative variances: {below}."
    assert names["below"].tolist() == ["First"]
    assert cells("measurement", "models = fit", 2, fit=gym.measurement, study=gym, called={}, pd=pd)[2] == []


@pytest.mark.parametrize(("change", "told"), [([None, None], 0), ([0.1, -0.3], 1)])
def test_the_path_that_a_method_factor_changes_most_is_named_where_there_is_one(change, told):
    """A model with the factor may have no standardised solution."""
    frame = pd.DataFrame({"outcome": ["y", "z"], "predictor": "x", "without": 0.5, "with": 0.2, "change": change})
    given = {"checked": SimpleNamespace(paths=frame.astype({"change": float})), "called": {n: n.upper() for n in "xyz"}}
    names, _, said = cells("measurement", "if checked.paths", 1, **given)
    assert len(said) == told
    assert names.get("y", "z") == "z"


@pytest.mark.parametrize("problems", [(), ("The variance of a is negative (a Heywood case).",)])
def test_so_are_models_of_groups_waves_and_moderations(problems):
    fit = SimpleNamespace(problems=problems)
    ladder = SimpleNamespace(fits={"configural": fit})
    given = {"tested": True, "ladder": ladder, "over": True, "again": SimpleNamespace(whole=ladder)}
    given |= {"stated": True, "moderated": SimpleNamespace(tested=[SimpleNamespace(fit=fit)])}
    given |= {"compared": True, "apart": SimpleNamespace(fit=fit)}
    places = {"measurement": ("if tested and any", "if over and any"),
              "structure": ("if stated and any", "if compared and apart")}  # fmt: skip
    said = [text for name, starts in places.items() for start in starts for text in cells(name, start, 1, **given)[2]]
    assert len(said) == 4 * len(problems)
    assert all("improper solution" in text for text in said)


def test_ways_to_screen_are_compared_on_the_same_rows():
    """The declared analysis uses incomplete rows as well: no mean of it and of complete rows."""
    rows = [("declared", "drop", 0.1), ("complete rows", "drop", 0.3), ("complete rows", "report-only", 0.4)]
    frame = pd.DataFrame(rows, columns=["analysis", "screening", "estimate"])
    frame = frame.assign(outcome="y", predictor="x", outliers=False, controls=False)
    spans = pd.DataFrame({"specifications": [3], "beyond_zero": [1.0]})
    given = {"universe": SimpleNamespace(frame=frame), "spans": spans, "paths_n": 1}
    names, _, _ = cells("structure", "flags = universe", 1, **given)
    assert names["rules"][["drop", "report-only"]].to_numpy() == pytest.approx(np.array([[0.3, 0.4]]))


def test_items_have_the_moments_that_scipy_finds(gym):
    table = exploration.items_as_answered(gym).set_index("item")
    for code in ("CO1", "CO3"):
        x = gym.answers[code].astype(float)
        found = table.loc[code, ["mean", "sd", "skew", "kurtosis"]].astype(float)
        wanted = [x.mean(), stats.tstd(x), stats.skew(x, bias=False), stats.kurtosis(x, bias=False)]
        assert found.tolist() == pytest.approx(wanted)
    turned = gym.screened.answers["CO3"]  # reverse-keyed: its floor is what was answered with the highest
    assert table.loc["CO3", "floor"] == pytest.approx(100 * (turned == 5).mean())


def test_joint_normality_is_as_mardia_defines_it(gym):
    x = gym.answers[gym.items].astype(float).to_numpy()
    distances = (x - x.mean(0)) @ np.linalg.inv(np.cov(x.T, bias=True)) @ (x - x.mean(0)).T  # of all pairs
    found = exploration.normality(gym)
    assert (found.skew, found.kurtosis) == pytest.approx(((distances**3).mean(), (np.diag(distances) ** 2).mean()))
    drawn = surveysem.Study(gym.responses, gym.screened)
    rng = np.random.default_rng(5)
    p_values = []
    for _ in range(100):
        vars(drawn)["answers"] = pd.DataFrame(rng.normal(size=(400, 9)), columns=gym.items)
        found = exploration.normality(drawn)
        p_values.append((found.p_skew, found.p_kurtosis))
    assert np.mean(np.array(p_values) < 0.05, axis=0) == pytest.approx([0.05, 0.05], abs=0.07)


def test_parallel_analysis_and_communalities_agree_with_others(gym):
    from sklearn.decomposition import FactorAnalysis

    found = exploration.explore(gym)
    assert found.factors == 3
    rng = np.random.default_rng(2)
    drawn = [np.linalg.eigvalsh(np.corrcoef(rng.normal(size=(400, 9)).T))[::-1] for _ in range(500)]
    assert found.eigenvalues["random"].to_numpy() == pytest.approx(np.quantile(drawn, 0.95, axis=0), abs=0.02)
    x = gym.answers[gym.items].astype(float)
    other = FactorAnalysis(3, tol=1e-8, max_iter=5000).fit((x - x.mean()) / x.std(ddof=0))  # by maximum likelihood too
    assert found.loadings["communality"].to_numpy() == pytest.approx((other.components_**2).sum(0), abs=2e-3)
    main_loadings = found.loadings.drop(columns="communality")
    assert (main_loadings.abs().idxmax(axis=1).groupby(lambda code: code[:2]).nunique() == 1).all()


def test_too_few_whole_rows_are_no_basis_for_factors(gym):
    holes = gym.answers.copy()
    holes.loc[holes.index[9:], "RE3"] = np.nan  # as many whole rows as items
    study = surveysem.Study(gym.responses, gym.screened)
    vars(study)["answers"] = holes
    for found in (exploration.explore(study), exploration.normality(study)):
        assert found.reason.startswith("9 respondents answered all of the 9 items")


def test_items_that_share_nothing_have_no_factors(gym):
    shuffled = gym.answers.copy()
    rng = np.random.default_rng(1)
    for code in gym.items:
        shuffled[code] = rng.permutation(shuffled[code].to_numpy())
    study = surveysem.Study(gym.responses, gym.screened)
    vars(study)["answers"] = shuffled
    found = exploration.explore(study, draws=100)
    assert found.factors == 0
    assert isinstance(found.loadings, NotTestable)


def test_direct_indirect_and_total_effects_are_those_of_the_path_algebra(gym):
    effects = paths.decomposition(gym)
    assert effects["effect"].tolist() == ["direct", "indirect", "total"]
    direct, indirect, total = effects.to_dict("records")
    b = gym.structural.standardized.query("op == '~'").set_index(["lhs", "rhs"])["std_all"]
    through = b["crowding", "coaching"] * b["renewal", "crowding"]
    estimates = [direct["estimate"], indirect["estimate"], total["estimate"]]
    assert estimates == pytest.approx([b["renewal", "coaching"], through, through + b["renewal", "coaching"]])
    assert indirect["low"] < indirect["estimate"] < indirect["high"]
    again = paths.indirect(gym).summary().query("via == 'all'").iloc[0]
    assert [indirect["low"], indirect["high"]] == pytest.approx([again["low"], again["high"]])
    assert paths.along(gym, [("coaching", "crowding", "renewal")]).estimates[0] == pytest.approx(through)


def test_what_predictors_explain_is_what_regression_finds_on_data_with_the_latent_correlations(gym):
    import statsmodels.api as sm
    from statsmodels.stats.outliers_influence import variance_inflation_factor

    free = replace(gym.responses, codebook=replace(gym.codebook, covariates=()))
    gym = replace(gym, responses=free)  # R2 of the predictors alone is that of the model
    found = paths.explained(gym).set_index(["outcome", "predictor"])
    assert found.loc[("renewal", "coaching"), "r2"] == pytest.approx(gym.structural.r2["renewal"])
    b = gym.structural.standardized.query("op == '~'").set_index(["lhs", "rhs"])["std_all"]
    r = b["crowding", "coaching"]
    R = np.array(
        [
            [1, r, b["renewal", "coaching"] + r * b["renewal", "crowding"]],
            [r, 1, b["renewal", "crowding"] + r * b["renewal", "coaching"]],
            [0, 0, 1],
        ]
    )
    R[2, :2] = R[:2, 2]
    z = np.random.default_rng(1).normal(size=(50, 3))
    q = np.linalg.qr(z - z.mean(0))[0] @ np.linalg.cholesky(R).T  # exactly these correlations
    X = sm.add_constant(q[:, :2])
    full, without = sm.OLS(q[:, 2], X).fit().rsquared, sm.OLS(q[:, 2], X[:, [0, 2]]).fit().rsquared
    assert found.loc[("renewal", "coaching"), "f2"] == pytest.approx((full - without) / (1 - full))
    assert found.loc[("renewal", "coaching"), "vif"] == pytest.approx(variance_inflation_factor(X, 1))


def test_means_are_compared_as_welch_did_and_only_where_intercepts_are_equal(gym):
    alike = groups.partially_alike(gym)
    table = groups.compare_means(gym, alike).set_index("construct")
    scores = surveysem.mean_scores(gym.codebook, gym.answers, gym.constructs)["renewal"]
    women, men = (scores[gym.answers["SEX"] == code] for code in (1, 2))
    t = stats.ttest_ind(women, men, equal_var=False)
    line = table.loc["Renewal"]
    assert (line["F"], line["df_within"], line["p"]) == pytest.approx((t.statistic**2, t.df, t.pvalue))
    d = (women.mean() - men.mean()) / np.sqrt((women.var() * (len(women) - 1) + men.var() * (len(men) - 1)) / 398)
    assert line["size"] == pytest.approx(d, rel=0.01)  # Hedges' correction is a fifth of a per cent here
    fits = {level: alike.ladder.fits[level] for level in ("configural", "metric")}
    metric = replace(alike, ladder=semfit.Invariance(fits))
    assert "intercepts" in groups.compare_means(gym, metric).reason
    assert groups.compare_means(gym, NotTestable("no")).reason == "no"


@pytest.mark.slow
def test_hypotheses_without_labels_are_numbered_and_moderations_follow(gym):
    assert [one.label for one in hypotheses.hypotheses_of(TRUTH.codebook)] == ["H1", "H2", "H3", "H4"]
    assert hypotheses.decide_all(studied(600))[0].verdict == "supported"


def test_a_hypothesis_of_no_effect_is_contradicted_by_one(gym):
    verdicts = {one.hypothesis.label: one for one in hypotheses.decide_all(gym)}
    assert {label: one.verdict for label, one in verdicts.items()} | {"H3": ""} == {
        "H1": "supported",
        "H2a": "supported",
        "H2b": "contradicted",
        "H3": "",
    }
    table = hypotheses.hypothesis_table(list(verdicts.values())).set_index("label")
    assert table.loc["H3", "path"] == "Coaching → Crowding → Renewal"
    low, high = paths.along(gym, [("coaching", "crowding", "renewal")]).interval(0.95)[:, 0]
    assert (table.loc["H3", "low"], table.loc["H3", "high"]) == pytest.approx((low, high))
