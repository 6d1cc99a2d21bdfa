"""The short form of a codebook, single items, open scales and marks of no answer; a model in lavaan's language."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from books import SECOND

import semfit
import surveysem
from surveysem import Codebook, ExpectedPath, Truth, draw_respondents
from surveysem.errors import DataError
from surveysem.responses import sentinels, usual_range

SHORT = """
paths = ["buying ~ trust + hedonic - risk", "trust ~ hedonic"]
missing = [99, "no idea"]
scale = [1, 5]

[constructs]
trust = ["TR1", "TR2", "-TR3"]
hedonic = ["HE1", "HE2", "HE3"]
risk = { items = ["RISK"], reliability = 0.8 }
buying = ["BU1", "BU2", "BU3"]
"""
LONG = """
name = "book"
[scales.s]
low = 1
high = 5
[[constructs]]
name = "trust"
scale = "s"
items = [{ code = "TR1" }, { code = "TR2" }, { code = "TR3", reverse = true }]
[[constructs]]
name = "hedonic"
scale = "s"
items = [{ code = "HE1" }, { code = "HE2" }, { code = "HE3" }]
[[constructs]]
name = "risk"
scale = "s"
items = [{ code = "RISK" }]
reliability = 0.8
[[constructs]]
name = "buying"
scale = "s"
items = [{ code = "BU1" }, { code = "BU2" }, { code = "BU3" }]
[paths]
buying = ["trust", "hedonic", "-risk"]
trust = ["hedonic"]
"""
MODEL = """
# as for lavaan
trust =~ TR1 + TR2 + TR3
hedonic =~ NA*HE1 + HE2 + HE3
hedonic ~~ 1*hedonic
buying =~ BU1 + BU2 + BU3
buying ~ b*trust + c*hedonic + start(-0.1)*RISK
trust ~ a*hedonic
BU1 ~~ BU2
hedonic ~~ RISK
ind := b*a
total := c + ind
"""


@pytest.fixture
def load(tmp_path):
    def read(text: str, name: str = "book.toml") -> Codebook:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return surveysem.load_codebook(path)

    return read


def test_the_short_form_says_what_the_long_one_says(load):
    short, long = load(SHORT), load(LONG)
    same = {item.code: replace(item, scale=long.by_code[item.code].scale) for item in short.questions}
    assert replace(short.with_items(same), missing=()) == long
    assert short.missing == ("99", "noidea")
    assert short.paths[2] == ExpectedPath("buying", "risk", -1)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"buying ~ trust + hedonic - risk"', '"buying = trust"', "paths: got 'buying = trust'; allowed: 'outcome ~ "),
        ('"trust ~ hedonic"', '"trust ~ hedonic +"', r"paths: got 'trust ~ hedonic \+'; allowed"),
        ('"trust ~ hedonic"', '"trust ~ hednoic"', r"unknown construct 'hednoic'; allowed: hedonic \(nearest\) of"),
        ('"trust ~ hedonic"', '"buying ~ risk"', "predictor of buying 'risk': it is there twice"),
        ('items = ["RISK"]', 'items = ["RISK", "R2"]', "construct risk: a reliability is stated for 2 items"),
        ("reliability = 0.8", "reliability = 0", "field reliability: got 0; allowed: a number above 0"),
        ("risk = {", "RISK = {", "item RISK: a construct has the same name"),
        (
            "[constructs]",
            '[constructs]\ncontrols = ["AGE"]',
            "'controls': it stands below .constructs.*above the first",
        ),
        ("scale = [1, 5]", "scale = [5, 1]", "scale: low 5, high 1"),
        (
            "scale = [1, 5]",
            'covariances = ["TR1 ~~ trust"]',
            "covariances: got 'TR1 ~~ trust'; allowed: 'item ~~ item'",
        ),
    ],
)
def test_a_broken_short_form_is_told_where(load, old, new, message):
    assert old in SHORT
    with pytest.raises(DataError, match=message):
        load(SHORT.replace(old, new))


def drawn(book: Codebook, nobs: int = 400, **more) -> pd.DataFrame:
    frame = draw_respondents(Truth(book), nobs, seed=5, **more).cells
    return frame.drop(columns=["basis", "duration"])


def test_marks_of_no_answer_are_missing_and_ends_come_from_the_answers(load, tmp_path):
    cells = drawn(load(SHORT)).astype(object)
    for k, mark in enumerate((99, "99.0", "no idea", "NA", "n/a", "#NULL!", "", ".")):
        cells.iloc[k, k] = mark
    cells.to_csv(tmp_path / "a.csv", index=False, sep=";")
    read = surveysem.read_responses(tmp_path / "a.csv", load(SHORT.replace("scale = [1, 5]", "")))
    assert int(read.answers.isna().sum().sum()) == 8
    assert {(item.scale.low, item.scale.high) for item in read.codebook.questions} == {(1, 5)}
    assert read.codebook.score(read.answers)["TR3"].equals(6 - read.answers["TR3"])
    cells.iloc[9, 9] = 55
    cells.to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(DataError, match=r"row 11, column 10 \(BU3\): got '55'; allowed: whole numbers from 1 to 5"):
        surveysem.read_responses(tmp_path / "a.csv", load(SHORT.replace("scale = [1, 5]", "")))
    with pytest.raises(DataError, match=r"no scale for TR1, .*; without answers one is needed"):
        draw_respondents(Truth(load(SHORT.replace("scale = [1, 5]", ""))), 50)


def test_columns_are_named_left_out_and_known_as_a_duration(load, tmp_path):
    cells = drawn(load(SHORT)).rename(columns={"TR1": "Q5: how far?"}).assign(ID=range(400), took=90, more="x")
    cells.to_csv(tmp_path / "a.csv", index=False)
    text = SHORT.replace('["TR1"', '[{ code = "TR1", column = "Q5: how far?" }').replace(
        "scale =", 'leave_out = ["ID", "more"]\nduration = "took"\nscale ='
    )
    read = surveysem.read_responses(tmp_path / "a.csv", load(text))
    assert read.mapping.set_index("heading")["how"].loc[["Q5: how far?", "ID", "took"]].tolist() == [
        "column", "left out", "duration"
    ]  # fmt: skip
    assert read.duration.eq(90).all()
    with pytest.raises(DataError, match="unknown column 'more'"):
        surveysem.read_responses(tmp_path / "a.csv", load(text.replace(', "more"', "")))
    surveysem.read_responses(tmp_path / "a.csv", load(text.replace('"ID", "more"', '"*"')))


def test_a_reliability_takes_the_error_out_of_a_single_item(load, tmp_path):
    """The path of a single item's construct is its attenuated regression divided by the root of the reliability."""
    book = load(
        'scale = [1, 9]\npaths = ["y ~ x"]\n[constructs]\nx = { items = ["X"], reliability = 0.64 }\ny = ["Y"]\n'
    )
    drawn(book, 3000).to_csv(tmp_path / "a.csv", index=False)
    (tmp_path / "b.toml").write_text(
        'paths = ["y ~ x"]\n[constructs]\nx = { items = ["X"], reliability = 0.64 }\ny = ["Y"]\n'
    )
    study = surveysem.read_study(tmp_path / "a.csv", tmp_path / "b.toml", estimator="ML")
    fit = study.structural
    found = fit.standardized.set_index(["lhs", "op"]).loc[("y", "~"), "std_all"]
    r = np.corrcoef(study.answers.to_numpy().T)[0, 1]
    assert float(found) == pytest.approx(r / 0.8, rel=1e-3)
    assert float(found) == pytest.approx(0.25, abs=0.06)  # the truth it was drawn from


def test_a_model_in_lavaan_s_language_is_a_codebook(load):
    book = load(MODEL, "model.txt")
    terms = {(term.lhs, term.op, term.rhs) for term in semfit.parse(book.model()).terms}
    assert {("buying", "~", "RISK_"), ("RISK_", "=~", "RISK"), ("BU1", "~~", "BU2"), ("trust", "~", "hedonic")} < terms
    assert (book.strategies, book.outcomes) == (("hedonic",), ("buying",))
    assert [path.direction for path in book.paths] == [1, 1, -1, 1]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "good =~ trust + buying",
            r"construct good: it is of second order with 2 constructs \(trust, buying\); allowed",
        ),
        ("a == b", "constraints on parameters are not carried over"),
        ("TR1 ~ 1", "line 13: means"),
        ("TR1 | t1", "line 13: means, thresholds"),
        ("trust =~ 0.5*TR4", "line 13: trust =~ TR4 is fixed"),
        ("trust ~ 0*RISK", "line 13: trust ~ RISK is fixed"),
        ("RISK ~~ 0.3*RISK", "line 13: RISK ~~ RISK is fixed; allowed: .* the reliability of a single item"),
        ("buying ~~ 0*trust", "line 13: .* is fixed"),
        ("d := a - b", "d := a-b is no sum of products"),
        ("trust =~", "model model.txt, line 13"),
    ],
)
def test_what_a_codebook_cannot_hold_is_refused_by_line(load, line, message):
    with pytest.raises(DataError, match=message):
        load(MODEL + line, "model.txt")


def test_numbers_that_stand_apart_are_no_answers():
    five = np.repeat([1.0, 2, 3, 4, 5], 80)
    for codes in ([-9], [-99, -1], [99], [999], [98, 99]):
        assert sentinels(np.append(five, codes)) == codes
        assert usual_range(np.append(five, codes)) == (1, 5)
    assert sentinels(np.append(five, [9, 9])) == [9]
    assert sentinels(np.append(five, [9])) == []
    assert sentinels(np.array([18.0, 34, 66, 70, 77])) == []
    assert usual_range(np.append(five, 55)) == (1, 5)  # a slip
    assert usual_range(np.array([1.0, 2, 6])) == (1, 7)
    assert usual_range(np.array([0.0, 1, 1])) == (0, 1)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            ', "food"]',
            "]",
            r"quality: it is of second order with 2 constructs \(service, place\); allowed: 3 or more: add ",
        ),
        ('"food"]', '"fod"]', "quality: service, place are constructs and 'fod' is none; allowed: items or constructs"),
        ("price ~ quality", "price ~ food", "paths: food is a dimension of quality; allowed: paths of quality"),
        (
            'price = ["PR1", "PR2", "-PR3"]',
            'price = ["quality", "service", "stay"]',
            "quality is of second order itself",
        ),
        ('stay = ["ST1", "ST2", "ST3"]', 'stay = ["price", "place", "food"]', "dimension 'place': it is there twice"),
        (
            "[scales.city]",
            '[moderation]\nstay = ["quality * price"]\n[scales.city]',
            "quality is of second order, and a",
        ),
    ],
)
def test_what_a_construct_of_second_order_needs(load, old, new, message):
    text = SECOND.read_text(encoding="utf-8")
    assert old in text
    with pytest.raises(DataError, match=message):
        load(text.replace(old, new, 1))


def test_a_model_may_hold_a_construct_of_second_order(load):
    text = load(SECOND.read_text(encoding="utf-8")).model()
    again = load(text.replace("~~ SE2", "~~ SE2\nservice ~~ place"), "model.txt")
    assert again.second_order == {"quality": ("service", "place", "food")}
    assert again.covariances == (("SE1", "SE2"), ("place", "service"))
    assert again.scales["quality"] == [code for part in ("service", "place", "food") for code in again.scales[part]]
