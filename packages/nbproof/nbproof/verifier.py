"""Everything again: recompute the reports elsewhere, and compare with the committed results and all that is built.

Every file is compared byte by byte, the manifest entry by entry.

Pages, PDFs, drawings and data are made from executed notebooks without arithmetic, so they are the same bytes wherever
they are made. Executed notebooks are not: processors differ in the last bits (`same_run`).
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import gettempdir
from typing import Any

from nbproof.builder import build, index_of
from nbproof.errors import NotebookError
from nbproof.folder import (
    CRATE,
    ENTRY,
    as_json,
    file_hash,
    front_files,
    held_folder,
    listed,
    read_manifest,
    write_whole,
)
from nbproof.manifest import ro_crate
from nbproof.plan import file_label, find_notebooks, json_hash
from nbproof.project import project
from nbproof.results import MIME, Drift, collect, compare, format_number, payloads, text_table
from nbproof.shapes import read_toml

MANIFEST = "manifest.json"
FACTS = ("commit", "dirty", "date", "environment")  # of the build that was, which no later one can repeat
KEPT = ("values", "numbers")  # of a payload: numbers that have a tolerance
COORDINATE = re.compile(r"-?\d+(?:\.\d{1,2})?(?![\d.])")
POINTS = 0.0201  # by which a coordinate written with two decimals may differ
EMBEDDED = re.compile(r"base64,[A-Za-z0-9+/=]{200,}")  # fonts and pictures inside a page
SHOWN = 48  # characters of a difference
MARKED = re.compile(r"<!--(\w+)\.(\w+)-->(.*?)<!--/-->")  # a result in a README: notebook, number, what is printed
WIDTH = 72  # characters of a cell in the table of drifts


def differences(standing: Path, fresh: Path, names: Sequence[str], *, whole: bool = True) -> list[Drift]:
    """Compare a folder of reports with a fresh build.

    Parameters
    ----------
    standing, fresh : Path
        The folders. Where the first holds no pages, results alone are compared. The RO-Crate of the second is written
        anew, because it repeats what the first's manifest says about its own build.
    names : sequence of str
        Reports to compare.
    whole : bool
        Whether these are all: then front page, RO-Crate, the manifest's head and stray files are compared too.

    Returns
    -------
    list of Drift
        Empty when all is well; else what stands there and what was recomputed, one a file, result or entry.

    Raises
    ------
    NotebookError
        When a file of results cannot be read.
    """
    drifts = []
    for name in names:
        old, new = (read_results(folder / "results" / f"{name}.json") for folder in (standing, fresh))
        drifts += compare(old, new) if old else [Drift(name, "results file", "absent", "present", "committed")]
    if whole:
        drifts += [
            Drift(path.stem, "results file", "present", "no notebook of that name", "one each")
            for path in sorted((standing / "results").glob("*.json"))
            if path.stem not in names
        ]
    if not pages_in(standing):
        return drifts
    manifest, expected = read_manifest(standing), read_manifest(fresh)
    if "reports" not in manifest:
        return [*drifts, Drift("all", MANIFEST, "absent", "present", "what a build writes")]
    reports = {name: expected["reports"][name] for name in names if expected["reports"][name]["languages"]}
    files = {output: name for name, entry in reports.items() for output in entry["outputs"]}
    if whole:
        (fresh / CRATE).write_bytes(ro_crate(manifest))
        files |= dict.fromkeys(front_files(expected), "all")
    changed = {name: drift for name, report in files.items() if (drift := _file_drift(report, name, standing, fresh))}
    drifts += [drift for name, drift in changed.items() if not name.startswith("results/")]  # told above, by number
    if whole:
        drifts += [
            Drift("all", name, "present", "absent", "what a build makes")
            for name in pages_in(standing)
            if name not in {*files, MANIFEST, "build.log"}
        ]
    wanted = _wanted(manifest, expected, reports, fresh)
    if not whole:
        manifest, wanted = (
            {"reports": {name: each["reports"].get(name) for name in reports}} for each in (manifest, wanted)
        )
    stands, ought = dict(_leaves(manifest)), dict(_leaves(wanted))
    for where in dict.fromkeys([*ought, *stands]):
        was, now_is = (each.get(where, "absent") for each in (stands, ought))
        told = where[-1] in changed and where[-2:-1] in (("outputs",), ("index",))  # its hash differs as it does
        if was != now_is and not told:
            name = where[1] if len(where) > 2 else "all"
            drifts.append(Drift(name, ", ".join((MANIFEST, *where)), was, now_is, "the same"))
    return drifts


def pages_in(folder: Path) -> list[str]:
    """Return what stands in a folder of reports beside results: pages and all that belongs to them, nothing hidden."""
    profiles = project().path(project().notebooks) / "profiles.toml"  # each has a folder of its own inside the reports
    aside = ("results", *(read_toml(profiles) if profiles.is_file() else ()))
    return [name for name in listed(folder) if name.split("/")[0] not in aside and "/." not in f"/{name}"]


def same_run(one: bytes, other: bytes) -> bool:
    """Whether two executed notebooks are one run, on two processors.

    Code, tags and texts are the same, word for word and digit for digit; results lie within their tolerances, and
    coordinates of drawings within two of their last decimals.
    """
    try:
        first, second = json.loads(one), json.loads(other)
        drawn: tuple[list[float], list[float]] = ([], [])
        alike = _blanked(first, drawn[0]) == _blanked(second, drawn[1])
        return (
            alike
            and all(abs(a - b) <= POINTS for a, b in zip(*drawn, strict=True))
            and not any(compare(_alone(a), _alone(b)) for a, b in zip(payloads(first), payloads(second), strict=True))
        )
    except (ValueError, LookupError, TypeError, AttributeError):  # no notebook
        return False


def _alone(payload: Mapping[str, Any]) -> dict[str, Any]:
    """The results of one payload, so that a table's two languages are compared each for itself."""
    return collect({"cells": [{"outputs": [{"data": {MIME: payload}}]}]}, "")


def read_results(path: Path) -> dict[str, Any]:
    """Return a file of results, or nothing where there is none; a damaged one is refused."""
    try:
        found = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except ValueError as wrong:
        raise NotebookError(f"{path.name} is not JSON: {wrong}; restore it from git or rebuild the reports.") from None
    if not isinstance(found, dict):
        raise NotebookError(f"{path.name} holds no results; restore it from git or rebuild the reports.")
    return found


def _file_drift(report: str, name: str, standing: Path, fresh: Path) -> Drift | None:
    """Say where a file first differs from the recomputed one, if it does: in which line, where a text does."""
    if not (standing / name).is_file():
        return Drift(report, name, "absent", "present", "the same")
    contents = [(folder / name).read_bytes() for folder in (standing, fresh)]
    if contents[0] == contents[1]:
        return None
    try:  # a changed word changes the page's font too: the word is what to show
        texts = [EMBEDDED.sub("base64,", content.decode()) for content in contents]
    except UnicodeDecodeError:
        texts = ["", ""]
    if texts[0] == texts[1]:
        was, now_is = (f"{len(each)} bytes, sha256 {hashlib.sha256(each).hexdigest()[:12]}" for each in contents)
        return Drift(report, name, was, now_is, "the same")
    at = next((i for i, (a, b) in enumerate(zip(*texts, strict=False)) if a != b), min(map(len, texts)))
    line, start = texts[1].count("\n", 0, at) + 1, max(0, at - SHOWN // 3)
    was, now_is = (" ".join(text[start : start + SHOWN].split()) for text in texts)
    return Drift(report, f"{name}, line {line}", was, now_is, "the same")


def _wanted(
    manifest: Mapping[str, Any], expected: Mapping[str, Any], reports: Mapping[str, Any], fresh: Path
) -> dict[str, Any]:
    """What the manifest has to say: what a fresh build says, beside the facts of its own."""
    wanted = {**expected, **{key: manifest.get(key) for key in FACTS}, "reports": {}}
    for name, entry in reports.items():
        inputs = {**entry["run_inputs"], "environment": json_hash(manifest.get("environment"))}
        wanted["reports"][name] = {**entry, "run_inputs": inputs, "key": json_hash(inputs)}
    return {**wanted, "index": index_of(manifest, fresh)}


def _leaves(value: Any, *above: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, Mapping) and value:
        for key, each in value.items():
            yield from _leaves(each, *above, key)
    else:
        yield above, value


def _blanked(value: Any, drawn: list[float], key: str = "") -> Any:
    """Leave out of a notebook what has a tolerance; coordinates of drawings are appended to ``drawn``."""
    if key == "image/svg+xml":
        drawing = "".join(value)
        drawn += map(float, COORDINATE.findall(drawing))
        return COORDINATE.sub("#", drawing).replace(" ", "")  # a minus sign takes the place of a space
    if isinstance(value, dict):
        kept = KEPT if key == MIME else ()
        return {k: None if k in kept else _blanked(each, drawn, k) for k, each in value.items()}
    return [_blanked(each, drawn) for each in value] if isinstance(value, list) else value


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


def verify(names: Sequence[str] = (), *, jobs: int | None = None) -> Verified:
    """Recompute reports into a temporary folder and compare; without pages in the project's, only results are.

    Parameters
    ----------
    names : sequence of str
        Notebooks by name; all when empty.
    jobs : int, optional
        Reports made at a time.

    Raises
    ------
    NotebookError
        When a notebook cannot be rerun, or a file of results is damaged.
    """
    reports, notebooks = project().out, find_notebooks(names)
    stems = [path.stem for path in notebooks]
    old = {name: read_results(reports / "results" / f"{name}.json") for name in stems}
    with held_folder(Path(gettempdir()), f"{project().name}-verify-") as folder:
        fresh = folder / "reports"
        _prepare(fresh, reports, notebooks)
        _build(names, fresh, jobs)  # in the languages that stand there
        if again := _adopted(fresh, reports, stems):
            _build(again, fresh, jobs)
        drifts = differences(reports, fresh, stems, whole=not names) + readme_drifts(old)
        entries = read_manifest(fresh)["reports"].values()
        files = sum(len(entry["outputs"]) for entry in entries if entry["languages"])
        found = [read_results(fresh / "results" / f"{name}.json") for name in stems]
        checked = sum(len(each["numbers"]) + len(each["texts"]) for each in found)
        checked += sum(len(row) for each in found for table in each["tables"].values() for row in table["rows"])
        return Verified(drifts, checked, files, notes(reports, fresh, stems))


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
        result, outputs = f"results/{path.stem}.json", {}
        if (reports / result).is_file():
            shutil.copy(reports / result, fresh / result)
            outputs[result] = file_hash(fresh / result)
        manifest["reports"][path.stem] = {
            **{key: kind() for key, kind in ENTRY.items()},
            "notebook": file_label(path),
            "languages": list(standing.get(path.stem, {}).get("languages", ())),
            "outputs": outputs,
        }
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
    found = {
        name: MARKED.findall(project().path(name).read_text(encoding="utf-8"))
        for name in project().readmes
        if project().path(name).is_file()
    }
    drifts = []
    for name, marks in found.items():
        for notebook, number, shown in marks:
            if notebook in results:
                entry = results[notebook].get("numbers", {}).get(number)
                expected = format_number(entry["value"], entry["digits"]) if entry else "no such result"
                if shown != expected:
                    drifts.append(Drift(name, f"{notebook}.{number}", shown, expected, "the same"))
    if len({tuple(sorted(mark[:2] for mark in marks)) for marks in found.values()}) > 1:
        first, *others = (str(len(marks)) for marks in found.values())
        drifts.append(Drift(" and ".join(found), "results marked", first, ", ".join(others), "the same ones in each"))
    return drifts


def notes(reports: Path, fresh: Path, names: Sequence[str]) -> list[str]:
    """Say what was not compared, and what the manifest says of its build that no recomputation can check."""
    if not pages_in(reports):
        made = f"`{project().name} build` makes pages"
        return [f"{reports.name} holds no built pages: only results were compared; {made}"]
    old, new = read_manifest(reports), read_manifest(fresh)
    said = [
        f"{name}: no pages of it are built, only its results were compared"
        for name in names
        if not new["reports"][name]["languages"]
    ]
    ours, theirs = (each.get("environment") or {} for each in (old, new))
    moved = [
        f"{name} {ours.get(name, 'none')} (here {theirs.get(name, 'none')})"
        for name in sorted({*ours, *theirs})
        if ours.get(name) != theirs.get(name)
    ]
    if moved:
        said.append(f"the reports say they were built with {', '.join(moved)}")
    if old.get("commit") != new.get("commit"):
        said.append(f"the reports say they were built at commit {old.get('commit')}; here is {new.get('commit')}")
    return said


def as_table(drifts: Sequence[Drift]) -> str:
    """Lay drifts out as a plain table; long texts are cut."""
    rows = [
        ["report", "where", "stands there", "recomputed", "allowed"],
        *([d.notebook, d.where, str(d.committed), str(d.found), str(d.allowed)] for d in drifts),
    ]
    rows = [[cell if len(cell) <= WIDTH else f"{cell[: WIDTH - 1]}…" for cell in row] for row in rows]
    return text_table(rows)
