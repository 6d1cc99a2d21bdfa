"""What a notebook tells: shown to a reader of JupyterLab, kept for the builder."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbproof import Page as Plain
from nbproof import page as module
from nbproof.errors import ParameterError, UnknownNameError
from nbproof.numbers import format_number, snap
from nbproof.results import MIME


class Page(Plain):
    """A page that knows three kinds of evidence."""

    bases = ("model", "published figure", "own survey")


@pytest.fixture
def shown(monkeypatch):
    """Collect what is displayed."""
    kept = []
    monkeypatch.setattr(module, "display", lambda data, raw, metadata: kept.append((data, metadata)))
    return kept


LABELS = {"year": {"en": "Year", "zh": "年份"}, "value": {"en": "Value", "zh": "数值"}}
SAID = {"caption": {"en": "Values.", "zh": "数值。"}, "n": 2, "basis": "model", "source": "us"}


def test_a_number_is_kept_with_its_unit_basis_and_tolerance(shown):
    Page("n").number("size", 34165.84, 1, unit="1e8 CNY", basis="published figure", interval=(1.0, 2.26))
    data, metadata = shown[0]
    assert data[MIME] == {"kind": "number", "name": "size", "value": 34165.84, "digits": 1, "tolerance": 0.01,
                          "unit": "1e8 CNY", "basis": "published figure", "interval": [1.0, 2.26]}
    assert data["text/plain"] == "size = 34,165.8 1e8 CNY [1.0, 2.3]"
    assert metadata == {}


def test_a_count_is_exact(shown):
    Page("n").number("claims", np.int64(47), 0, basis="published figure")
    assert shown[0][0][MIME]["tolerance"] == 0
    assert shown[0][0][MIME]["value"] == 47


@given(st.floats(-1e9, 1e9), st.integers(0, 6))
def test_a_written_number_reads_back_within_half_its_last_digit(value, digits):
    text = format_number(value, digits)
    snapped = Decimal(snap(value))  # what of the value is reported: 12 significant digits
    assert abs(Decimal(text.replace(",", "").replace("−", "-")) - snapped) <= Decimal(5).scaleb(-digits - 1)
    assert text != "−0"


def test_outputs_carry_their_language(shown):
    frame = pd.DataFrame({"year": [2017, 2018], "value": [1.25, np.nan]})
    Page("n").table("t", frame, labels=LABELS, digits={"value": 1}, **SAID)
    assert [metadata for _, metadata in shown] == [{"language": "en"}, {"language": "zh"}]
    english = shown[0][0][MIME]
    assert english["rows"] == [["2017", "1.2"], ["2018", "–"]]
    assert english["values"] == [[2017, 1.25], [2018, None]]
    assert english["numeric"] == [True, True]
    assert "年份" in shown[1][0]["text/html"]


def test_a_table_needs_no_frame(shown):
    rows = [{"year": 2017, "value": 1.25}, {"year": 2018, "value": None}]
    Page("n").table("t", rows, labels=LABELS, digits={"value": 1}, **SAID)
    Page("m").table("t", pd.DataFrame(rows), labels=LABELS, digits={"value": 1}, **SAID)
    assert shown[0] == shown[2]


def test_one_language_makes_one_output(shown):
    frame = pd.DataFrame({"year": [2017], "value": [1]})
    Page("n", language="zh").table("t", frame, labels=LABELS, **SAID)
    assert [data[MIME]["language"] for data, _ in shown] == ["zh"]


def test_html_for_jupyterlab_is_escaped(shown):
    frame = pd.DataFrame({"year": ["<script>"], "value": [1]})
    Page("n", language="en").table("t", frame, labels=LABELS, **SAID)
    assert "<script>" not in shown[0][0]["text/html"]


@pytest.mark.parametrize(("call", "message"), [
    (lambda p: p.number("not a name", 1, 0, basis="model"),
     "must be an identifier such as size_2023; got 'not a name'"),
    (lambda p: p.number("x", float("inf"), 0, basis="model"), "number x must be finite; got inf"),
    (lambda p: p.number("x", 1.0, 0, basis="model", interval=(0.0, float("nan"))), "must be finite"),
    (lambda p: p.number("x", 1.0, 1, basis="model", tolerance=0.05),
     r"tolerance of x must be in \[0, 0\.05\); got 0\.05"),
    (lambda p: (p.text("x", "a"), p.text("x", "b")), "the name 'x' is taken in notebook n"),
    (lambda p: p.table("t", pd.DataFrame({"year": [1], "value": [1.5]}), labels=LABELS, **SAID),
     "column value holds fractions; say in `digits`"),
])
def test_misuse_is_explained(shown, call, message):
    with pytest.raises(ParameterError, match=message):
        call(Page("n"))


def test_unknown_kinds_of_evidence_and_languages(shown):
    with pytest.raises(UnknownNameError, match="unknown basis 'modle'; did you mean 'model'"):
        Page("n").number("x", 1, 0, basis="modle")
    with pytest.raises(UnknownNameError, match="unknown language 'fr'"):
        Page("n", language="fr")


@given(st.floats(-1e6, 1e6), st.integers(0, 6))
def test_a_kept_number_prints_as_the_value_itself_does(value, digits):
    """2.348 with one decimal is 2.3; kept as 2.35 and rounded again it would be 2.4."""
    for number in (value, 2.348, 2.2501, -0.0549):
        kept = module._kept(number, digits)
        assert format_number(kept, digits) == format_number(number, digits)
        assert abs(kept - snap(number)) <= 1.0001 * 10.0 ** -(digits + 1)


@given(st.floats(1e-3, 1e3), st.integers(0, 6))
def test_the_last_bits_of_a_processor_reach_no_number(value, digits):
    """Ties at the digit kept and at the digit printed: both neighbours in the last bits are reported alike."""
    for tie in (round(value, digits) + 0.5 * 10.0**-digits, round(value, digits + 1) + 0.05 * 10.0**-digits):
        below, above = np.nextafter(tie, 0), np.nextafter(tie, np.inf)
        assert module._kept(below, digits) == module._kept(above, digits)
        assert format_number(below, digits) == format_number(above, digits)


def test_a_kept_number_is_rounded_correctly():
    """Cut to .784 and .534, a reader of the JSON was off by a unit: .7849 and .5346 print as .78 and .53."""
    assert [module._kept(number, 2) for number in (0.7849, 0.5346, 0.12649)] == [0.7849, 0.5346, 0.126]


def test_a_p_value_below_the_last_digit_is_said_to_be_so(shown):
    frame = pd.DataFrame({"p": [0.0004, 0.0006, 0.2], "d_pvalue": [0.0, 0.5, 1.0], "price": [0.0001, 1.0, 2.0]})
    Page("x", "en").table("t", frame, labels={name: name for name in frame}, **SAID,
                          digits={"p": 3, "d_pvalue": 2, "price": 2})
    rows = shown[-1][0][MIME]["rows"]
    assert rows == [["<0.001", "<0.01", "0.00"], ["0.001", "0.50", "1.00"], ["0.200", "1.00", "2.00"]]


def test_a_cell_can_lead_to_another_report(shown):
    there = {"en": "there", "zh": "彼处", "page": "01_x", "anchor": "a-b"}
    frame = pd.DataFrame({"year": [2017, 2018], "value": [there, {"en": "here", "zh": "此处"}]})
    Page("n", "zh").table("t", frame, labels=LABELS, **SAID)
    payload = shown[0][0][MIME]
    assert payload["rows"] == [["2017", "彼处"], ["2018", "此处"]]
    assert payload["links"] == [[None, "01_x.html#a-b"], [None, None]]
    Page("m", "zh").table("t", frame[["year"]], labels={"year": "Year"}, **SAID)
    assert "links" not in shown[1][0][MIME]
