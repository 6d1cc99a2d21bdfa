"""Results: written readably, compared within their tolerance and no further."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_project import ZH

from nbproof.results import as_text, compare


def results(value=34165.8, digits=1, **more):
    number = {
        "value": value,
        "digits": digits,
        "tolerance": 10.0**-digits / 10,
        "unit": "1e8 CNY",
        "basis": "published figure",
        **more,
    }
    table = {
        "columns": ["year", "growth", "who"],
        "digits": {"growth": 1},
        "tolerance": {"growth": 0.01},
        "rows": [[2017, None, "a"], [2018, 63.2, {"en": "b", "zh": ZH["other_cell"]}]],
    }
    return {
        "notebook": "n",
        "numbers": {"size": number},
        "texts": {"verdict": {"en": "agrees", "zh": ZH["agrees"]}},
        "tables": {"t": table},
    }


def test_the_text_is_json_and_comes_back_whole():
    assert json.loads(as_text(results())) == results()
    empty = {"notebook": "n", "numbers": {}, "texts": {}, "tables": {}}
    assert json.loads(as_text(empty)) == empty


def test_one_line_a_number_and_a_row():
    lines = as_text(results()).splitlines()
    assert sum('"size"' in line for line in lines) == 1
    assert sum("2018" in line for line in lines) == 1


def test_nothing_drifts_against_itself():
    assert compare(results(), results()) == []


@given(st.floats(-1e6, 1e6), st.integers(0, 6))
def test_a_change_in_the_last_printed_digit_is_always_found(value, digits):
    value = round(value, digits + 1)
    assert compare(results(value, digits), results(value + 10.0**-digits, digits))
    assert compare(results(value + 0.5 * 10.0**-digits, digits), results(value, digits))


@given(st.floats(-1e6, 1e6), st.integers(0, 6), st.floats(-0.09, 0.09))
def test_less_than_a_tenth_of_it_is_no_drift(value, digits, share):
    assert compare(results(value, digits), results(value + share * 10.0**-digits, digits)) == []


def test_a_tolerance_written_too_wide_is_cut_below_half_the_last_digit():
    wide = results(tolerance=100.0)
    assert compare(wide, results(34165.9, tolerance=100.0))


@pytest.mark.parametrize(
    "change",
    [
        lambda r: r["numbers"]["size"].update(unit="1e9 CNY"),
        lambda r: r["numbers"]["size"].update(basis="model"),
        lambda r: r["numbers"]["size"].update(value=float("nan")),
        lambda r: r["numbers"].pop("size"),
        lambda r: r["numbers"].update(extra=r["numbers"]["size"]),
        lambda r: r["texts"]["verdict"].update(zh=ZH["differs"]),
        lambda r: r["tables"]["t"]["rows"][1].__setitem__(1, 63.3),
        lambda r: r["tables"]["t"]["rows"][0].__setitem__(1, 0.0),
        lambda r: r["tables"]["t"]["rows"][0].__setitem__(0, 2016),
        lambda r: r["tables"]["t"]["rows"].pop(),
        lambda r: r["tables"]["t"]["columns"].reverse(),
    ],
)
def test_every_kind_of_drift_is_found(change):
    changed = json.loads(json.dumps(results()))
    change(changed)
    assert len(compare(results(), changed)) == 1


def sentences(en, zh):
    """Results that hold one sentence."""
    return {**results(), "texts": {"verdict": {"en": en, "zh": zh}}}


def test_numbers_in_a_sentence_are_compared_as_numbers_and_its_words_as_words():
    chinese = ZH["sentence"].format(size="1,031.5")
    old = sentences("R0 is 1,031.5 in H15", chinese)
    assert compare(old, sentences("R0 is 1031.50 in H15", chinese))  # other decimals
    assert compare(old, sentences("R0 is 1031.5 in H15", ZH["sentence"].format(size="1031.5"))) == []
    for changed in (
        "R0 is 1,031.6 in H15",
        "R0 is −1,031.5 in H15",
        "R1 is 1,031.5 in H15",
        "R0 was 1,031.5 in H15",
        "R0 is 1,031.5 in H16",
        "R0 is 1,031.5 in H15 5",
    ):
        (drift,) = compare(old, sentences(changed, chinese))
        assert drift.where == "text verdict (en)"
    (drift,) = compare(old, sentences("R0 is 1,031.5 in H15", ZH["sentence"].format(size="1,031.4")))
    assert drift.where == "text verdict (zh)"


@pytest.mark.parametrize(
    "change",
    [
        lambda r: r["numbers"]["size"].update(value=float("inf")),
        lambda r: r["numbers"]["size"].update(value="34165.8"),
        lambda r: r["numbers"]["size"].pop("value"),
        lambda r: r["numbers"]["size"].update(tolerance=None),
        lambda r: r["numbers"]["size"].update(digits=-400),
        lambda r: r["numbers"]["size"].update(note=1),
        lambda r: r["tables"]["t"]["rows"][1].pop(),
        lambda r: r["tables"]["t"].pop("digits"),
        lambda r: r["tables"]["t"].update(rows=None),
        lambda r: r["tables"]["t"]["rows"][0].__setitem__(0, "2017"),
        lambda r: r["tables"].update(t=[]),
        lambda r: r.update(numbers=[]),
        lambda r: r.update(extra=1),
        lambda r: r.update(notebook="m"),
    ],
)
def test_committed_results_somebody_edited_drift_and_never_crash(change):
    edited = json.loads(json.dumps(results()))
    change(edited)
    assert compare(edited, results())


def test_whole_numbers_are_exact_however_large():
    assert compare(results(10**15 + 1, 0, tolerance=0.0), results(10**15, 0, tolerance=0.0))
    assert compare(results(4e15, 0, tolerance=0.1), results(4e15 + 1, 0, tolerance=0.1))
