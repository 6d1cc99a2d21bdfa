"""Every number again: recompute the reports elsewhere, and compare with the committed results and the built prose."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from html import unescape
from pathlib import Path
from tempfile import gettempdir
from typing import Any

from socialcommerce.errors import NotebookError
from socialcommerce.project import root
from socialcommerce.report.build import build
from socialcommerce.report.folder import held_folder
from socialcommerce.report.plan import find_notebooks
from socialcommerce.report.prose import References
from socialcommerce.report.results import Drift, compare

__all__ = ["as_table", "verify"]

SPAN = re.compile(r'<span\s+class="result"\s+data-result="([^"]+)">(.*?)</span>', re.DOTALL)


def verify(
    names: Sequence[str] = (), *, jobs: int | None = None, committed: Path | None = None
) -> tuple[list[Drift], int]:
    """Recompute every report into a temporary folder and compare.

    Parameters
    ----------
    names : sequence of str
        Notebooks by name; all when empty.
    jobs : int, optional
        Reports made at a time.
    committed : Path, optional
        Folder of the results to hold the new ones against; ``reports/results`` by default.

    Returns
    -------
    drifts : list of Drift
        Every number, word or table cell outside its tolerance, in results or in prose; empty when all is well.
    checked : int
        How many were compared.

    Raises
    ------
    NotebookError
        When a notebook cannot be rerun.
    """
    committed = committed or root() / "reports" / "results"
    notebooks = [path.stem for path in find_notebooks(names)]
    with held_folder(Path(gettempdir()), "socialcommerce-verify-") as folder:
        out = folder / "reports"
        built = build(names, out=out, jobs=jobs, pdf=False)
        if built.failed:
            raise NotebookError(next(iter(built.failed.values())))
        drifts = [] if names else _strays(committed, notebooks)
        checked = 0
        for name in notebooks:
            old, new = _read(committed / f"{name}.json"), _read(out / "results" / f"{name}.json")
            drifts += compare(old, new) if old else [Drift(name, "results file", "absent", "present", "committed")]
            pages = [*out.glob(f"*/{name}.html"), *(root() / "reports").glob(f"[a-z][a-z]/{name}.html")]
            drifts += [drift for page in pages for drift in prose_drifts(page, old)] if old else []
            checked += _count(new)
    return drifts, checked


def prose_drifts(page: Path, results: Mapping[str, Any]) -> list[Drift]:
    """Compare every number and word that a built page prints with the result it names."""
    filled = {"numbers": {}, "texts": {}, **results}
    references = References(filled, {}, page.parent.name, page.stem)
    drifts = []
    for name, shown in SPAN.findall(page.read_text(encoding="utf-8")):
        text = unescape(re.sub(r"<[^>]+>", "", shown))
        try:
            expected = references.look_up(name).text
        except (NotebookError, KeyError, TypeError, ValueError):  # the entry is gone or broken
            expected = "no such result"
        if text != expected:
            drifts.append(Drift(page.stem, f"prose ({page.parent.name}) {name}", expected, text, "the same"))
    return drifts


def _strays(committed: Path, notebooks: Sequence[str]) -> list[Drift]:
    """Committed results that no notebook makes."""
    return [Drift(path.stem, "results file", "present", "no notebook of that name", "one each")
            for path in sorted(committed.glob("*.json")) if path.stem not in notebooks]


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except ValueError as wrong:
        raise NotebookError(f"{path.name} is not JSON: {wrong}; restore it from git or rebuild the reports.") from None
    if not isinstance(found, dict):
        raise NotebookError(f"{path.name} holds no results; restore it from git or rebuild the reports.")
    return found


def _count(results: Mapping[str, Any]) -> int:
    cells = sum(len(row) for table in results["tables"].values() for row in table["rows"])
    return len(results["numbers"]) + len(results["texts"]) + cells


def as_table(drifts: Sequence[Drift]) -> str:
    """Lay drifts out as a plain table."""
    rows = [("notebook", "where", "committed", "recomputed", "allowed"),
            *((d.notebook, d.where, str(d.committed), str(d.found), str(d.allowed)) for d in drifts)]
    widths = [max(len(row[i]) for row in rows) for i in range(5)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)
