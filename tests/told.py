"""What a notebook says when it is run as a reader runs it: papermill on the notebook, in one language or both."""

from __future__ import annotations

import multiprocessing
import os
import re
import sys
import traceback
from pathlib import Path
from typing import Any

import nbformat

from nbproof.results import LANGUAGES, collect, format_number, payloads
from socialcommerce import report

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
THINGS = (
    "answers|arrows|checks|classes|coefficients|constructs|draws|figures|groups|hypotheses|loops|pairs|"
    "parameters|paths|persons|profiles|publishers|questionnaires|respondents|sets|specifications|statements|steps|"
    "values|years"
)
MEANINGLESS = re.compile(rf"\b(?:nan|inf|None|0 of 0)\b|\{{\{{|(?<![\d.,])1 (?:{THINGS})\b")


def run(path: Path, out: Path, languages: str = "en,zh", **given: Any) -> nbformat.NotebookNode:
    """Run a notebook in a process of its own, from another folder than its own, and return it executed.

    The process is a fork of one that has loaded the libraries, where the system can fork.
    """
    forks = "forkserver" in multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver" if forks else "spawn")
    if forks:
        context.set_forkserver_preload(["nbproof.warm", *report.settings().preload])
    process = context.Process(target=_run, args=(path, out, languages, given))
    process.start()
    process.join()
    assert process.exitcode == 0, out.with_suffix(".log").read_text(encoding="utf-8")[-2000:]
    return nbformat.read(out, 4)


def _run(path: Path, out: Path, languages: str, given: dict[str, Any]) -> None:
    import papermill

    os.environ[LANGUAGES] = languages
    os.chdir(out.parent)
    try:
        papermill.execute_notebook(
            str(path),
            str(out),
            parameters=given,
            engine_name="warm",
            progress_bar=False,
            request_save_on_cell_execute=False,
        )
    except Exception:
        out.with_suffix(".log").write_text(traceback.format_exc(), encoding="utf-8")
        sys.exit(1)


def sentences(notebook: nbformat.NotebookNode) -> dict[str, str]:
    """All that a notebook says, by language."""
    kept = collect(notebook, "notebook")

    def value(name: str, language: str) -> str:
        number = kept["numbers"].get(name)
        return format_number(number["value"], number["digits"]) if number else kept["texts"][name][language]

    said: dict[str, list[str]] = {}
    for payload in payloads(notebook):
        for language, prose in payload.get("prose", {}).items():
            told = re.sub(r"\{\{(\w+)\}\}", lambda m, language=language: value(m[1], language), prose)
            said.setdefault(language, []).append(told)
    return {language: "\n".join(lines) for language, lines in said.items()}


def untranslated(notebook: nbformat.NotebookNode) -> set[str]:
    """Texts that were shown in a language without a translation."""
    return {
        text
        for payload in payloads(notebook)
        for key, texts in payload.items()
        if key.startswith("untranslated")
        for text in texts
    }
