"""What the package says in Chinese: errors that a reader of the page meets, found again by their templates."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from books import GYM, SECOND

import nbproof
import semfit
import surveysem
from nbproof import Catalogue
from surveysem import DataError, Study, Truth, check_study, load_codebook, screen
from surveysem.draft import draft_codebook
from surveysem.said import FIELD, translated

CATALOGUE = Catalogue("zh", surveysem.LOCALE / "messages.zh.po")
CHINESE = re.compile("[\u4e00-\u9fff]")


def sources() -> str:
    """The code that speaks, texts that go on in the next line put together."""
    homes = [Path(package.__file__).parent for package in (surveysem, semfit, nbproof)]
    text = "\n".join(path.read_text(encoding="utf-8") for home in homes for path in sorted(home.rglob("*.py")))
    text += "".join((homes[0] / f"{name}.toml").read_text(encoding="utf-8") for name in ("draft", "reasons"))
    return re.sub(r'"\s*\n\s*f?"', "", text).replace("{where}", "")  # of a group


def test_every_template_is_of_a_message_that_the_code_still_has():
    said = sources()
    lost = []
    for template, told in CATALOGUE.items():
        assert {*FIELD.findall(told)} <= {*FIELD.findall(template)}, template
        for piece in re.split(r"[;,:.()]|\{\w+\}|some", template):
            lost += [(template, piece)] if len(piece) > 8 and piece.strip() not in said else []
    assert lost == []


def test_a_message_that_no_catalogue_knows_stays_and_a_name_is_never_translated():
    assert translated("a sentence of nobody", "zh") == "a sentence of nobody"
    assert translated([["cell", "measurement", 1, 9]], "zh") == [["cell", "measurement", 1, 9]]
    assert translated("a.csv has a heading and no rows; one row a respondent is needed.", "en").startswith(
        "a.csv has a"
    )
    assert translated("item is empty: 0 bytes; a heading and one row a respondent are needed.", "zh").startswith("item")


FILES = {
    "empty.csv": b"",
    "blank.csv": b",\n,\n",
    "heads.csv": b"a,b\n",
    "none.pdf": b"%PDF",
    "none.xlsx": b"PK none",
    "none.sav": b"none",
    "zero.csv": b"a,b\n1,\0\n",
    "wide.csv": b"a,b\n1,2,3\n",
    "twice.csv": b"a,a\n1,2\n",
    "bare.csv": b"a,,b\n1,2,3\n",
    "quotes.csv": b'a,b\n"x"y,1\n',
    "utf16.csv": "a,b".encode("utf-16"),
    "latin.csv": b"a,b\n\xff\xff\xff,1\n",
    "platform.csv": b"ip,status\n" + b"10.0.0.1,web\n" * 40,
    "texts.csv": b"a,b\n" + b"x,y\n" * 40,
    "fractions.csv": b"a,b\n" + b"1.5,2.5\n0.5,3.5\n" * 40,
}


@pytest.mark.parametrize("name", FILES)
def test_a_bad_file_is_refused_in_chinese(tmp_path, name):
    (tmp_path / name).write_bytes(FILES[name])
    with pytest.raises(DataError) as wrong:
        draft_codebook(tmp_path / name)
    chinese(str(wrong.value), name)


def chinese(message: str, name: str = "") -> str:
    """Hold a message to its translation: Chinese, the file named, no three English words left beside each other."""
    said = translated(message, "zh")
    assert CHINESE.search(said), message
    assert name in said
    assert not re.search(r"[a-z]{2,} [a-z]{2,} [a-z]{2,}", re.sub(r"（[^（）]*）", "", said)), said
    return said


def test_sheets_are_to_be_chosen_in_the_file_on_the_page():
    message = "a.xlsx has 2 sheets; say which: one, two."
    assert (
        translated(message, "en")
        == "a.xlsx has 2 sheets (one, two); keep one of them, or save the one you need as csv."
    )
    chinese(message, "a.xlsx")


def gym(nobs: int, **changed: object) -> Study:
    sample = surveysem.draw_respondents(Truth(load_codebook(GYM)), nobs, seed=2)
    for code, value in changed.items():
        sample.cells[code] = value
    return Study(sample.responses, screen(sample.responses, surveysem.Rules(None, None, None, False, None, None)))


def test_too_few_answers_constant_items_and_models_without_a_solution_are_said_in_chinese():
    for made in (lambda: gym(9), lambda: check_study(gym(60, CO1=3)), lambda: check_study(gym(60, SEX=1))):
        with pytest.raises(DataError) as wrong:
            made()
        chinese(str(wrong.value), "synthetic.csv")
    frame = pd.DataFrame(np.random.default_rng(1).normal(size=(50, 3)), columns=["x1", "x2", "x3"])
    with pytest.warns(semfit.FitWarning):
        fits = [semfit.fit("f =~ x1 + x2\ng =~ x3", frame), semfit.fit("f =~ x1 + x2", frame)]
    for fit in fits:
        why = " ".join(fit.problems)
        said = f"a.csv: the measurement model has no solution on these 50 answers ({why}); more answers, or fewer"
        chinese(f"{said} constructs and paths, are needed.", "a.csv")
    with pytest.raises(semfit.SemfitError) as wrong:
        semfit.fit("f =~ x1 + x2 + x3", frame.assign(x2=frame["x1"] + frame["x3"]))
    assert "x2" in chinese(f"a.csv, measurement model: {wrong.value}", "a.csv")


def test_what_pls_cannot_do_is_said_in_chinese():
    why = "The weights did NOT converge in 300 iterations."
    said = (
        f"a.csv: the PLS model has no solution on these 50 answers ({why}); more answers, or fewer constructs and paths"
    )
    assert "300" in chinese(f"{said}, are needed.", "a.csv")
    drawn = surveysem.draw_respondents(Truth(load_codebook(SECOND)), 200, seed=1).responses
    with pytest.raises(DataError) as wrong:
        Study(drawn, screen(drawn), "PLS")
    chinese(str(wrong.value))


def test_a_codebook_of_two_equal_wordings_is_said_in_chinese(tmp_path):
    text = GYM.read_text(encoding="utf-8").replace("It is full.", "I have to wait.")
    (tmp_path / "c.toml").write_text(text, encoding="utf-8")
    with pytest.raises(DataError) as wrong:
        load_codebook(tmp_path / "c.toml")
    assert "I have to wait." in translated(str(wrong.value), "zh")
    chinese(str(wrong.value).replace("I have to wait.", "x"), "c.toml")
