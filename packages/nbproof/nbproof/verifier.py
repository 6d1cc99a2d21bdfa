"""Everything again: recompute the reports elsewhere, and compare with the committed results and all that is built."""

from __future__ import annotations

import re
import shutil
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import gettempdir
from typing import Any

from nbproof.builder import build
from nbproof.differences import differences, pages_in, read_results, same_run
from nbproof.errors import NotebookError
from nbproof.folder import held_folder
from nbproof.numbers import format_number, text_table
from nbproof.plan import file_hash, file_label, find_notebooks, read_manifest
from nbproof.project import project
from nbproof.publish import as_json, write_whole
from nbproof.results import Drift

__all__ = ["MARKED", "Verified", "as_table", "notes", "readme_drifts", "verify"]

MARKED = re.compile(r"<!--(\w+)\.(\w+)-->(.*?)<!--/-->")  # a result in a README: notebook, number, what is printed
WIDTH = 72  # characters of a cell in the table of drifts


@dataclass
class Verified:
    """What a verification found.

    ``drifts`` lists every number, word, file or entry of the manifest that is not what was recomputed; ``checked``
    counts the results compared, ``files`` the built files; ``notes`` say what was left out, or cannot be recomputed.
    """

    drifts: list[Drift]
    checked: int
    files: int
    notes: list[str] = field(default_factory=list)


def verify(names: Sequence[str] = (), *, jobs: int | None = None, reports: Path | None = None) -> Verified:
    """Recompute reports into a temporary folder and compare.

    Parameters
    ----------
    names : sequence of str
        Notebooks by name; all when empty.
    jobs : int, optional
        Reports made at a time.
    reports : Path, optional
        The folder to hold the new reports against; the project's by default. Without pages in it, only results are.

    Raises
    ------
    NotebookError
        When a notebook cannot be rerun, or a file of results is damaged.
    """
    reports = reports or project().out
    notebooks = find_notebooks(names)
    stems = [path.stem for path in notebooks]
    old = {name: read_results(reports / "results" / f"{name}.json") for name in stems}
    aside = _profiles()
    with held_folder(Path(gettempdir()), f"{project().name}-verify-") as folder:
        fresh = folder / "reports"
        _prepare(fresh, reports, notebooks)
        _build(names, fresh, jobs)  # in the languages that stand there
        if again := _adopted(fresh, reports, stems):
            _build(again, fresh, jobs)
        drifts = differences(reports, fresh, stems, whole=not names, aside=aside) + readme_drifts(old)
        entries = read_manifest(fresh)["reports"].values()
        files = sum(len(entry["outputs"]) for entry in entries if entry["languages"])
        checked = sum(_count(read_results(fresh / "results" / f"{name}.json")) for name in stems)
        return Verified(drifts, checked, files, notes(reports, fresh, stems, aside))


def _build(names: Sequence[str], fresh: Path, jobs: int | None) -> None:
    built = build(names, out=fresh, languages=(), jobs=jobs)
    if built.failed:
        raise NotebookError(next(iter(built.failed.values())))


def _prepare(fresh: Path, reports: Path, notebooks: Sequence[Path]) -> None:
    """Tell the fresh folder in which languages each report stands, and the results to keep where nothing drifts."""
    standing = read_manifest(reports).get("reports", {}) if pages_in(reports) else {}
    (fresh / "results").mkdir(parents=True)
    manifest: dict[str, Any] = {"reports": {}}
    for path in notebooks:
        result = f"results/{path.stem}.json"
        outputs = {}
        if (reports / result).is_file():
            shutil.copy(reports / result, fresh / result)
            outputs[result] = file_hash(fresh / result)
        manifest["reports"][path.stem] = {
            "notebook": file_label(path), "languages": list(standing.get(path.stem, {}).get("languages", ())),
            "outputs": outputs, "read": [], "run_inputs": {}, "render_inputs": {}}
    write_whole(fresh / "manifest.json", as_json(manifest))


def _adopted(fresh: Path, reports: Path, names: Sequence[str]) -> list[str]:
    """Take over executed notebooks that another processor made in its last bits; their pages have to be made again."""
    manifest, adopted = read_manifest(fresh), []
    for name, entry in manifest["reports"].items():
        label = f"notebooks/{name}.ipynb"
        old = (reports / label).read_bytes() if (reports / label).is_file() else b""
        new = (fresh / label).read_bytes()
        if name in names and entry["languages"] and old != new and same_run(old, new):
            (fresh / label).write_bytes(old)
            entry["outputs"][label] = file_hash(fresh / label)
            (fresh / entry["languages"][0] / f"{name}.html").unlink()
            adopted.append(name)
    write_whole(fresh / "manifest.json", as_json(manifest))
    return adopted


def readme_drifts(results: Mapping[str, Mapping[str, Any]]) -> list[Drift]:
    """Compare the numbers marked in the READMEs with results, by notebook; both have to carry the same ones."""
    found = {name: MARKED.findall(project().path(name).read_text(encoding="utf-8"))
             for name in project().readmes if project().path(name).is_file()}
    drifts = []
    for name, marks in found.items():
        for notebook, number, shown in marks:
            if notebook in results:
                entry = results[notebook].get("numbers", {}).get(number)
                expected = format_number(entry["value"], entry["digits"]) if entry else "no such result"
                if shown != expected:
                    drifts.append(Drift(name, f"{notebook}.{number}", shown, expected, "the same"))
    if len({tuple(sorted(mark[:2] for mark in marks)) for marks in found.values()}) > 1:
        first, *others = (len(marks) for marks in found.values())
        drifts.append(Drift(" and ".join(found), "results marked", first, ", ".join(map(str, others)),
                            "the same ones in each"))
    return drifts


def notes(reports: Path, fresh: Path, names: Sequence[str], aside: Sequence[str] = ()) -> list[str]:
    """Say what was not compared, and what the manifest says of its build that no recomputation can check."""
    if not pages_in(reports, aside):
        return [f"{reports.name} holds no built pages: only results were compared; "
                f"`{project().name} build` makes pages"]
    old, new = read_manifest(reports), read_manifest(fresh)
    said = [f"{name}: no pages of it are built, only its results were compared"
            for name in names if not new["reports"][name]["languages"]]
    ours, theirs = (each.get("environment") or {} for each in (old, new))
    moved = [f"{name} {ours.get(name, 'none')} (here {theirs.get(name, 'none')})"
             for name in sorted({*ours, *theirs}) if ours.get(name) != theirs.get(name)]
    if moved:
        said.append(f"the reports say they were built with {', '.join(moved)}")
    if old.get("commit") != new.get("commit"):
        said.append(f"the reports say they were built at commit {old.get('commit')}; here is {new.get('commit')}")
    return said


def _profiles() -> tuple[str, ...]:
    """Names of profiles: each has a folder of its own inside the reports."""
    path = project().path(project().notebooks) / "profiles.toml"
    return tuple(tomllib.loads(path.read_text(encoding="utf-8"))) if path.is_file() else ()


def _count(results: Mapping[str, Any]) -> int:
    cells = sum(len(row) for table in results["tables"].values() for row in table["rows"])
    return len(results["numbers"]) + len(results["texts"]) + cells


def as_table(drifts: Sequence[Drift]) -> str:
    """Lay drifts out as a plain table; long texts are cut."""
    rows = [["report", "where", "stands there", "recomputed", "allowed"],
            *([d.notebook, d.where, str(d.committed), str(d.found), str(d.allowed)] for d in drifts)]
    rows = [[cell if len(cell) <= WIDTH else f"{cell[:WIDTH - 1]}…" for cell in row] for row in rows]
    return text_table(rows)
