"""What is registered before the answers: documents, hash, sample size, and what an analysis did otherwise."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path

import docx
import numpy as np
import pandas as pd
import pytest
from books import GYM, LARGE, ZH

import semfit
import surveysem
from surveysem import Effect, Study, Truth, decide, load_codebook, screen
from surveysem.__main__ import main
from surveysem.preregistration import compare, load_registration, plan_of, register, spoken
from surveysem.study import ESTIMATORS

BOOK = load_codebook(GYM)


def differing(followed: pd.DataFrame) -> pd.DataFrame:
    return followed[~followed["same"]]


def registered(folder: Path, *options: str, book: Path = GYM) -> Path:
    assert main(["preregister", "--codebook", str(book), "--out", str(folder), *options]) == 0
    return folder / "registration.json"


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return registered(tmp_path_factory.mktemp("plan") / "out", "--respondents", "150")


@pytest.fixture(scope="module")
def study() -> Study:
    drawn = surveysem.draw_respondents(Truth(BOOK), 200, seed=1).responses
    return Study(drawn, screen(drawn))


# ---- what is written ----


def test_documents_in_both_languages_say_what_is_planned(planned):
    folder = planned.parent
    assert {path.name for path in folder.iterdir()} == {
        "codebook.toml", "manifest.json", "registration.json", "registration-en.docx", "registration-en.html",
        "registration-zh.docx", "registration-zh.html",
    }  # fmt: skip
    digest = load_registration(planned).digest
    for language, title in zip(("en", "zh"), BOOK.title, strict=True):
        page = (folder / f"registration-{language}.html").read_text(encoding="utf-8")
        made = docx.Document(str(folder / f"registration-{language}.docx"))
        cells = [cell.text for table in made.tables for row in table.rows for cell in row.cells]
        for text in (digest, title, "0.20", "0.025"):
            assert text in page
            assert any(text in each.text for each in made.paragraphs), text
        for text in ("H2b", "renewal ~ coaching", "CO3", getattr(BOOK.by_code["CO3"], language)):
            assert text in page
            assert text in cells, text
        assert page.count("<table>") == len(made.tables) == 4
        assert bool(re.search("[\u4e00-\u9fff]", re.sub("<style.*?</style>", "", page, flags=re.S))) == (
            language == "zh"
        )


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_each_estimator_is_told_in_both_languages(tmp_path, estimator):
    made = register(BOOK, estimator=estimator)
    for language, missing in (("en", "(FIML)"), ("zh", "FIML")):
        page = made.page(BOOK, language)
        assert f"({estimator}" in page or f"\N{FULLWIDTH LEFT PARENTHESIS}{estimator}" in page
        assert (missing in page) == (estimator in ("MLR", "ML"))
        assert page.count("5000") == 1


def test_a_codebook_like_html_is_a_text(tmp_path):
    text = GYM.read_text(encoding="utf-8").replace("Coaches help me.", "<b onclick=x>&amp;")
    (tmp_path / "c.toml").write_text(text, encoding="utf-8")
    registered(tmp_path / "out", book=tmp_path / "c.toml")
    page = (tmp_path / "out" / "registration-en.html").read_text(encoding="utf-8")
    assert "<b onclick" not in page
    assert "&lt;b onclick=x&gt;&amp;amp;" in page


@pytest.mark.slow
def test_what_a_codebook_can_hold_beside_is_registered(tmp_path):
    """66 questions, moderations, groups; single items with a reliability and no scale."""
    registered(tmp_path / "large", book=LARGE)
    assert "×" in (tmp_path / "large" / "registration-en.html").read_text(encoding="utf-8")
    (tmp_path / "short.toml").write_text(
        'paths = ["c ~ a - b"]\nmissing = [-9]\n[constructs]\na = ["A1", "-A2"]\n'
        'b = { items = ["B1"], reliability = 0.8 }\nc = ["C1", "C2", "C3"]\n[screening]\nsd = false\n',
        encoding="utf-8",
    )
    plan = load_registration(registered(tmp_path / "short", book=tmp_path / "short.toml")).plan
    assert plan["constructs"] == {"a": "A1, -A2", "b": "B1 (reliability 0.8)", "c": "C1, C2, C3"}
    assert plan["hypotheses"] == {"H1": "c ~ a (+)", "H2": "c ~ b (−)"}
    assert (plan["screening"]["sd"], plan["screening"]["no answer"]) == ("off", "-9")
    page = (tmp_path / "short" / "registration-en.html").read_text(encoding="utf-8")
    assert "0.8" in page
    assert "standard deviation" not in page


def test_the_hash_is_that_of_the_file_and_of_every_letter_in_it(planned):
    held = json.loads(planned.read_text(encoding="utf-8"))
    text = json.dumps(held["registered"], sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    assert held["sha256"] == hashlib.sha256(text.encode()).hexdigest() == register(BOOK, 150).digest
    other = load_codebook(GYM)
    asked = [replace(item, zh=item.zh + "!") if item.code == "CO1" else item for item in other.questions]
    assert register(replace(other, questions=tuple(asked)), 150).digest != held["sha256"]
    assert register(BOOK, 151).digest != held["sha256"]


# ---- sample size ----


@pytest.mark.slow
def test_the_planned_number_finds_the_paths_supported_as_often_as_it_says():
    """By drawn samples, without its formula: 300 fits; four seconds."""
    drawn = register(BOOK, effect=0.25, wanted=0.8, loading=0.8)
    alpha, nobs = drawn.sample["alpha"], int(drawn.sample["needed"])
    assert alpha == 0.05 / 2  # two paths lead to renewal
    effects = {"crowding": {"coaching": -0.25}, "renewal": {"coaching": 0.25, "crowding": -0.25}}
    population = Truth(BOOK, effects, 0.8, 0.3).population()
    found = {"crowding": 0, "coaching": 0}
    for seed in range(300):
        fit = semfit.fit(BOOK.model(), semfit.simulate(population, nobs, seed=seed))
        table = fit.standardized.query("op == '~' and lhs == 'renewal'").set_index("rhs")
        for name, sign in (("coaching", "positive"), ("crowding", "negative")):
            test = Effect(*table.loc[name, ["std_all", "se"]], nobs).test(alpha)
            found[name] += decide(test, smallest=0.1, direction=sign, alpha=alpha) == "supported"
    assert min(found.values()) / 300 == pytest.approx(0.8, abs=0.07)


def test_more_is_needed_where_the_effect_or_the_loading_is_smaller():
    needed = [
        register(BOOK, **told).sample["needed"] for told in ({}, {"effect": 0.15}, {"loading": 0.5}, {"wanted": 0.9})
    ]
    assert needed == sorted(needed, key=lambda n: (n != needed[0], 0))
    assert min(needed[1:]) > needed[0]


# ---- refusals ----


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--effect", "0.1"], "effect is 0.1; allowed: a path above 0.1"),
        (["--power", "1"], ", 1.0); allowed: 0 < alpha < wanted < 1"),
        (["--loading", "1"], "loading is 1.0; allowed"),
        (["--estimator", "MLX"], "unknown estimator 'MLX'"),
        (["--respondents", "0"], "--respondents must be above 0; got 0"),
        (["--draws", "-1"], "--draws must be above 0; got -1"),
    ],
)
def test_a_plan_that_cannot_be_is_refused_and_leaves_nothing(tmp_path, capsys, options, message):
    assert main(["preregister", "--codebook", str(GYM), "--out", str(tmp_path / "out"), *options]) == 2
    said = capsys.readouterr().err
    assert re.fullmatch(f"error: .*{re.escape(message)}.*\n", said), said
    assert not list(tmp_path.iterdir())


def test_a_folder_of_others_and_a_changed_registration_stay(tmp_path, capsys):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine", encoding="utf-8")
    assert main(["preregister", "--codebook", str(GYM), "--out", str(tmp_path / "mine")]) == 2
    assert "notes.txt" in capsys.readouterr().err
    registered(tmp_path / "out")
    registered(tmp_path / "out")  # nobody changed it
    (tmp_path / "out" / "registration-en.html").write_text("mine", encoding="utf-8")
    capsys.readouterr()
    assert main(["preregister", "--codebook", str(GYM), "--out", str(tmp_path / "out")]) == 2
    assert "was changed since surveysem preregister wrote it" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text.replace("Coaches help me", "Coaches help us"), "was changed: its hash is "),
        (lambda text: text.replace('"sha256": "', '"sha256": "0'), "was changed: its hash is '0".replace("'", "")),
        (lambda text: "{", "is none; the registration.json that"),
        (lambda text: "[]", "is none; the registration.json that"),
        (lambda text: json.dumps({"registered": {"name": "x"}, "sha256": ""}), "is none; the registration.json that"),
    ],
    ids=["content", "hash", "cut", "list", "other"],
)
def test_a_changed_registration_is_refused(planned, tmp_path, change, message):
    (tmp_path / "r.json").write_text(change(planned.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(surveysem.DataError, match=re.escape(f"registration r.json {message}")):
        load_registration(tmp_path / "r.json")


def test_that_of_another_codebook_is_refused(planned, study):
    with pytest.raises(
        surveysem.DataError, match="is of codebook gym, most of whose questions codebook library does not"
    ):
        compare(planned, surveysem.TEMPLATE, study)


# ---- what was done otherwise ----


def test_an_analysis_as_registered_differs_in_nothing(planned, study):
    followed = compare(planned, GYM, study)
    assert followed["same"].all()
    assert {*followed["part"]} == {
        "Hypotheses", "Model", "Constructs", "Questions and their wording", "Screening and exclusion", "Analysis",
        "Sample size",
    }  # fmt: skip
    assert len(followed) == sum(map(len, plan_of(BOOK).values())) + 1


@pytest.mark.parametrize(
    ("old", "new", "rows"),
    [
        ("", "", []),
        ("H2a = \"renewal ~ crowding\"\n", "", [("H2a", "renewal ~ crowding (−)", "none")]),
        ('H1 = "renewal ~', 'H1 = "renewal ~ 0*', [("H1", "renewal ~ coaching (+)", "renewal ~ coaching (0)")]),
        ('["-coaching"]', '["coaching"]', [("crowding ~ coaching", "−", "+"), ("H3", None, None)]),
        ('covariates = ["SEX"]\n', "", [("control variables", "SEX", "none")]),
        ('group = "SEX"\n', "", [("groups compared by", "SEX", "none")]),
        (", reverse = true", "", [("coaching", "CO1, CO2, -CO3", "CO1, CO2, CO3")]),
        ("It is full.", "It is crowded.", [("CR1", None, None)]),
        ("[hypotheses]", "[screening]\nseconds = 1.0\n[hypotheses]", [("seconds per question", "2.0", "1.0")]),
        ("[hypotheses]", "[screening]\nsd = false\n[hypotheses]", [("standard deviation of answers", "0.0", "off")]),
        ('name = "gym"', 'name = "gym"\nmissing = [-9]', [("marks of no answer", "none", "-9")]),
    ],
    ids=str,
)  # fmt: skip
def test_what_a_codebook_says_otherwise_is_listed_and_nothing_else(planned, study, tmp_path, old, new, rows):
    text = GYM.read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "c.toml").write_text(text.replace(old, new, 1), encoding="utf-8")
    found = differing(compare(planned, tmp_path / "c.toml", study))
    assert found["item"].tolist() == [item for item, _, _ in sorted(rows, key=lambda row: row[0] != "H3")]
    for item, before, after in rows:
        told = found.set_index("item").loc[item, ["registered", "done"]].tolist()
        assert before is None or told == [before, after]


def test_what_a_run_chose_otherwise_is_listed(planned, study):
    screened = screen(study.responses, mode="report-only")
    other = Study(study.responses, screened, "ML", 100, 7)
    found = differing(compare(planned, GYM, other))[["item", "registered", "done"]].to_numpy().tolist()
    assert found == [
        ["respondents flagged", "excluded", "reported and kept"],
        ["estimator", "MLR", "ML"],
        ["bootstrap resamples", "5000", "100"],
        ["random seed", "20240531", "7"],
    ]


def test_too_few_respondents_are_a_deviation_and_more_are_none(study, tmp_path):
    few, many = (registered(tmp_path / str(n), "--respondents", str(n)) for n in (200, 201))
    assert compare(few, GYM, study)["same"].all()
    (row,) = differing(compare(many, GYM, study)).to_numpy().tolist()
    assert row == ["Sample size", "respondents analysed (at least)", "201", "200", False]


def test_words_are_there_for_all_that_is_said(planned, study):
    followed = compare(planned, GYM, study)
    for column in ("part", "item", "registered", "done"):
        assert {*followed[column]} <= spoken(followed).keys()
    said = spoken(followed)
    assert np.mean([bool(re.search("[\u4e00-\u9fff]", said[part]["zh"])) for part in followed["part"]]) == 1
    assert said["none"]["zh"] == ZH["none"]
