"""Prose: every number is a reference, every reference has a result."""

from __future__ import annotations

import pytest
from small_project import ZH

from nbproof.errors import NotebookError
from nbproof.results import References

RESULTS = {
    "notebook": "n",
    "numbers": {"size": {"value": 34165.8, "digits": 1}, "share": {"value": -0.25, "digits": 2}},
    "texts": {"verdict": {"en": "agrees", "zh": ZH["agrees"]}},
    "tables": {},
}


def references(language="en"):
    return References(RESULTS, {"bars": ("figure", 2), "growth": ("table", 1)}, language, "n")


def test_filling():
    text = "{{size}}, {{share}}, {{verdict}}, {{bars}}, {{growth}}"
    assert references().fill(text) == "34,165.8, −0.25, agrees, Figure 2, Table 1"
    assert references("zh").fill(ZH["template"]) == ZH["filled"]


@pytest.mark.parametrize("name", ["sise", "growt", "verdicts"])
def test_an_unknown_reference_is_an_error(name):
    with pytest.raises(NotebookError, match=r"n: the prose refers to \{\{"):
        references().look_up(name)


def test_the_nearest_name_is_offered():
    with pytest.raises(NotebookError, match=r"did you mean size\?"):
        references().look_up("sise")
