"""Prose: every number is a name until it is printed in a language."""

from __future__ import annotations

from nbformat import v4
from small_project import ZH

from nbproof.results import MIME, fill, labels, printed

RESULTS = {
    "notebook": "n",
    "numbers": {"size": {"value": 34165.8, "digits": 1}, "share": {"value": -0.25, "digits": 2}},
    "texts": {"verdict": {"en": "agrees", "zh": ZH["agrees"]}},
    "tables": {},
}


def test_filling():
    assert fill("{{size}}, {{share}}, {{verdict}}", printed(RESULTS, "en")) == "34,165.8, −0.25, agrees"
    assert fill("{{size}}{{verdict}}", printed(RESULTS, "zh")) == f"34,165.8{ZH['agrees']}"


def test_figures_and_tables_are_numbered_each_for_itself_in_every_language():
    shown = [("figure", "bars"), ("table", "growth"), ("figure", "lines"), ("figure", "bars")]
    found = [{"kind": kind, "name": name, "language": each} for kind, name in shown for each in ("en", "zh")]
    outputs = [v4.new_output("display_data", data={MIME: payload}) for payload in found]
    notebook = v4.new_notebook(cells=[v4.new_code_cell("", outputs=outputs)])
    assert labels(notebook, "en") == {"bars": "Figure 1", "growth": "Table 1", "lines": "Figure 2"}
    assert [*labels(notebook, "zh")] == ["bars", "growth", "lines"]
