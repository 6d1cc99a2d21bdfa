"""Prose: every number is a reference, every reference has a result."""

from __future__ import annotations

import pytest

from socialcommerce.errors import NotebookError
from socialcommerce.report.prose import References, typed_numbers

RESULTS = {"notebook": "n", "numbers": {"size": {"value": 34165.8, "digits": 1, "interval": [30000.0, 40000.0]},
                                        "share": {"value": -0.25, "digits": 2}},
           "texts": {"verdict": {"en": "agrees", "zh": "相符"}}, "tables": {}}


def references(language="en"):
    return References(RESULTS, {"bars": ("figure", 2), "growth": ("table", 1)}, language, "n")


def test_filling():
    text = "{{size}} [{{size.low}}, {{ size.high }}], {{share}}, {{verdict}}, {{bars}}, {{growth}}"
    assert references().fill(text) == "34,165.8 [30,000.0, 40,000.0], −0.25, agrees, Figure 2, Table 1"
    assert references("zh").fill("{{verdict}}，见{{bars}}与{{growth}}") == "相符，见图 2与表 1"


@pytest.mark.parametrize("name", ["sise", "share.low", "verdict.low", "size.mid"])
def test_an_unknown_reference_is_an_error(name):
    with pytest.raises(NotebookError, match=r"n: the prose refers to \{\{"):
        references().look_up(name)


def test_the_nearest_name_is_offered():
    with pytest.raises(NotebookError, match=r"did you mean size\?"):
        references().look_up("sise")


@pytest.mark.parametrize(("text", "found"), [
    ("It grew by 63.2 % to 20605.8.", ["63.2", "20605.8"]),
    ("在2019年增长63.2%。", ["63.2"]),
    ("From 2017 to 2023 (§2.2, §§3.1–3.2, C07, H12), see [@bass1969] and `n = 7`.", []),
    ("2017-2023年、2017–23，论断C21、C22", []),
    ("a market of 2,023 units", ["2,023"]),
    ("2023.5", ["2023.5"]),
    ("R0 is a threshold; {{size}} [12](x.html)", ["12"]),
    ("1. first\n2. second", []),
    ("$x^2 + 1$", []),
    ("seven points", []),
])
def test_typed_numbers_are_found_and_names_are_not(text, found):
    assert typed_numbers(text) == found
