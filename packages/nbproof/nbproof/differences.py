"""A folder of reports against a fresh build of the same: every file byte by byte, the manifest entry by entry.

Pages, PDFs, drawings and data are made from executed notebooks without arithmetic, so they are the same bytes wherever
they are made. Executed notebooks are not: processors differ in the last bits (`same_run`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from nbproof.builder import index_of
from nbproof.errors import NotebookError
from nbproof.manifest import ro_crate
from nbproof.plan import file_hash, read_manifest, text_hash
from nbproof.results import MIME, Drift, collect, compare, payloads

__all__ = ["differences", "pages_in", "read_results", "same_run"]

INDEX, CRATE, MANIFEST = "index.html", "ro-crate-metadata.json", "manifest.json"
FACTS = ("commit", "dirty", "date", "environment")  # of the build that was, which no later one can repeat
KEPT = ("values", "numbers")  # of a payload: numbers that have a tolerance
COORDINATE = re.compile(r"-?\d+(?:\.\d{1,2})?(?![\d.])")
POINTS = 0.0201  # by which a coordinate written with two decimals may differ
EMBEDDED = re.compile(r"base64,[A-Za-z0-9+/=]{200,}")  # fonts and pictures inside a page
SHOWN = 48  # characters of a difference


def differences(standing: Path, fresh: Path, names: Sequence[str], *, whole: bool = True,
                aside: Sequence[str] = ()) -> list[Drift]:
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
    aside : sequence of str
        Subfolders that hold builds of their own.

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
        drifts += [Drift(path.stem, "results file", "present", "no notebook of that name", "one each")
                   for path in sorted((standing / "results").glob("*.json")) if path.stem not in names]
    if not pages_in(standing, aside):
        return drifts
    manifest, expected = read_manifest(standing), read_manifest(fresh)
    if "reports" not in manifest:
        return [*drifts, Drift("all", MANIFEST, "absent", "present", "what a build writes")]
    reports = {name: expected["reports"][name] for name in names if expected["reports"][name]["languages"]}
    files = {output: name for name, entry in reports.items() for output in entry["outputs"]}
    if whole:
        (fresh / CRATE).write_bytes(ro_crate(manifest))
        files |= {INDEX: "all", CRATE: "all"}
    changed = {name: drift for name, report in files.items() if (drift := _file_drift(report, name, standing, fresh))}
    drifts += [drift for name, drift in changed.items() if not name.startswith("results/")]  # told above, by number
    if whole:
        drifts += [Drift("all", name, "present", "absent", "what a build makes")
                   for name in pages_in(standing, aside) if name not in {*files, MANIFEST, "build.log"}]
    return drifts + _manifest_drifts(manifest, _wanted(manifest, expected, reports, changed, fresh), reports, whole)


def pages_in(folder: Path, aside: Sequence[str] = ()) -> list[str]:
    """Return what stands in a folder of reports beside results: pages and all that belongs to them, nothing hidden."""
    found = (path.relative_to(folder) for path in sorted(folder.rglob("*")) if not path.is_dir())
    return [path.as_posix() for path in found if path.parts[0] not in aside and path.parts[0] != "results"
            and not any(part.startswith(".") for part in path.parts)]


def same_run(one: bytes, other: bytes) -> bool:
    """Whether two executed notebooks are one run, on two processors.

    Code, tags and texts are the same, word for word and digit for digit; results lie within their tolerances, and
    coordinates of drawings within two of their last decimals.
    """
    try:
        first, second = json.loads(one), json.loads(other)
        drawn: tuple[list[float], list[float]] = ([], [])
        alike = _blanked(first, drawn[0]) == _blanked(second, drawn[1])
        return (alike and all(abs(a - b) <= POINTS for a, b in zip(*drawn, strict=True))
                and not any(compare(_alone(a), _alone(b))
                            for a, b in zip(payloads(first), payloads(second), strict=True)))
    except (ValueError, LookupError, TypeError, AttributeError):  # no notebook
        return False


def read_results(path: Path) -> dict[str, Any]:
    """Return a file of results, or nothing where there is none.

    Raises
    ------
    NotebookError
        When it is damaged.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except ValueError as wrong:
        raise NotebookError(f"{path.name} is not JSON: {wrong}; restore it from git or rebuild the reports.") from None
    if not isinstance(found, dict):
        raise NotebookError(f"{path.name} holds no results; restore it from git or rebuild the reports.")
    return found


def _file_drift(report: str, name: str, standing: Path, fresh: Path) -> Drift | None:
    """Say where a file first differs from the recomputed one, if it does."""
    new = (fresh / name).read_bytes()
    try:
        old = (standing / name).read_bytes()
    except OSError:
        return Drift(report, name, "absent", "present", "the same")
    if old == new:
        return None
    where, was, now_is = _first_difference(old, new)
    if not where:
        was, now_is = (f"{(folder / name).stat().st_size} bytes, sha256 {file_hash(folder / name)[:12]}"
                       for folder in (standing, fresh))
    return Drift(report, f"{name}{where}", was, now_is, "the same")


def _first_difference(old: bytes, new: bytes) -> tuple[str, str, str]:
    """The line and what stands there on either side; nothing where no text differs."""
    try:  # a changed word changes the page's font too: the word is what to show
        texts = [EMBEDDED.sub("base64,", content.decode()) for content in (old, new)]
    except UnicodeDecodeError:
        return "", "", ""
    if texts[0] == texts[1]:
        return "", "", ""
    at = next((i for i, (a, b) in enumerate(zip(*texts, strict=False)) if a != b), min(map(len, texts)))
    line, start = texts[1].count("\n", 0, at) + 1, max(0, at - SHOWN // 3)
    was, now_is = (" ".join(text[start:start + SHOWN].split()) for text in texts)
    return f", line {line}", was, now_is


def _wanted(manifest: Mapping[str, Any], expected: Mapping[str, Any], reports: Mapping[str, Any],
            changed: Mapping[str, Drift], fresh: Path) -> dict[str, Any]:
    """What the manifest has to say: what a fresh build says, beside the facts of its own.

    A file that was reported is not reported again for its hash.
    """
    environment = text_hash(json.dumps(manifest.get("environment"), sort_keys=True))
    wanted = {**expected, **{key: manifest.get(key) for key in FACTS}, "reports": {}}
    for name, entry in reports.items():
        old = manifest.get("reports", {}).get(name, {}).get("outputs", {})
        inputs = {**entry["run_inputs"], "environment": environment}
        outputs = {output: old.get(output, digest) if output in changed else digest
                   for output, digest in entry["outputs"].items()}
        wanted["reports"][name] = {**entry, "run_inputs": inputs, "outputs": outputs,
                                   "key": text_hash(json.dumps(inputs, sort_keys=True))}
    old = manifest.get("index", {})
    wanted["index"] = {key: old.get(key, digest) if key in changed else digest
                       for key, digest in index_of(manifest, fresh).items()}
    return wanted


def _manifest_drifts(manifest: Mapping[str, Any], wanted: Mapping[str, Any], reports: Mapping[str, Any],
                     whole: bool) -> list[Drift]:
    if not whole:
        manifest, wanted = ({"reports": {name: each["reports"].get(name) for name in reports}}
                            for each in (manifest, wanted))
    old, new = dict(_leaves(manifest)), dict(_leaves(wanted))
    return [Drift(where[1] if len(where) > 2 else "all", ", ".join((MANIFEST, *where)), old.get(where, "absent"),
                  new.get(where, "absent"), "the same")
            for where in dict.fromkeys([*new, *old]) if old.get(where, "absent") != new.get(where, "absent")]


def _leaves(value: Any, *above: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, Mapping) and value:
        for key, each in value.items():
            yield from _leaves(each, *above, key)
    else:
        yield above, value


def _alone(payload: Mapping[str, Any]) -> dict[str, Any]:
    """The results of one payload, so that a table's two languages are compared each for itself."""
    return collect({"cells": [{"outputs": [{"data": {MIME: payload}}]}]}, "")


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
