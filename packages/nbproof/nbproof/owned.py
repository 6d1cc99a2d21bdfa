"""Whose a file is: what may be written or replaced in an output folder, and which names a manifest may give."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path, PureWindowsPath
from typing import Any

from nbproof.errors import OutputError
from nbproof.project import project

__all__ = ["TAKEN", "check_buildable", "check_free", "check_manifest", "check_none", "check_place", "inside",
           "read_manifest"]

LOCKS = {".lock", ".lock.pid"}
CONTROL = (*LOCKS, ".staging", "build.log", "failed", "manifest.json")  # what a build writes beside its outputs
ENTRY = {"notebook": str, "languages": list, "outputs": dict, "read": list, "run_inputs": dict, "render_inputs": dict}
TAKEN = {"reports": {}, "index": {"index.html": "", "ro-crate-metadata.json": ""}}
"""The manifest of a folder that a build has taken and not filled yet."""


def inside(folder: Path, name: str) -> Path:
    """Return a file of a folder by the name that a manifest or a journal gives it; both may come from anybody.

    Raises
    ------
    OutputError
        When the name leads elsewhere: by ``..``, from the top, by a drive letter, or over a symbolic link.
    """
    try:
        path = PureWindowsPath(name)  # sees what either system would
        plain = path.parts and not path.anchor and ".." not in path.parts
        if plain and (folder / name).resolve().is_relative_to(folder.resolve()):
            return folder / name
    except (OSError, RuntimeError, TypeError, ValueError):  # links in a circle, no text, a null character
        pass
    raise OutputError(f"{folder} has a manifest, a journal or a link that leads to {str(name)[:80]!r}, outside the "
                      "folder; nothing there was touched. Use a folder that a build on this machine made.")


def read_manifest(out: Path) -> dict[str, Any]:
    """Return the manifest of the last build into this folder, or an empty one where there is none.

    A damaged one is refused rather than taken for none: only it tells the pages of a build from files of the reader's,
    which building from nothing would overwrite.

    Raises
    ------
    OutputError
        When the manifest cannot be read, or names a file outside the folder.
    """
    path = out / "manifest.json"
    try:
        if path.exists() and not path.is_file():
            raise ValueError("it is no file")
        found = json.loads(path.read_text(encoding="utf-8"))
        check_manifest(found, out)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError, RecursionError) as wrong:
        raise OutputError(f"{path} is damaged ({wrong}), so that nothing tells the files of a build from yours; "
                          "restore it, or take away what you want to keep and remove the folder.") from None
    return found


def check_manifest(manifest: Any, out: Path) -> None:
    """Check the shape of a folder's manifest, then every name in it.

    Raises
    ------
    ValueError
        When it has another shape.
    OutputError
        When a name leads outside the folder.
    """
    try:
        entries = manifest.get("reports", {}).values()
        whole = all(isinstance(manifest.get(part, {}), dict) for part in ("index", "environment"))
        whole &= all(isinstance(entry[key], kind) for entry in entries for key, kind in ENTRY.items())
        names = [*manifest.get("files", ()), *manifest.get("reports", ()), *(entry["notebook"] for entry in entries)]
        names += [name for entry in entries for key in ("languages", "outputs", "read") for name in entry[key]]
    except (AttributeError, LookupError, TypeError):
        whole = False
    if not whole:
        raise ValueError("it is not what a build writes")
    for name in names:
        inside(out, name)


def check_place(out: Path) -> None:
    """Refuse the project's source tree, however its path is spelt.

    Raises
    ------
    OutputError
        For the project's folder itself, for anything in a folder of its sources, and for what is no path.
    """
    try:
        top = project().root
    except Exception as wrong:
        if getattr(wrong, "input_is_wrong", False):  # no project, no sources
            return
        raise
    sources = [top / name for name in project().sources if (top / name).exists()]
    try:
        place = out.resolve()
        above = [folder for folder in (place, *place.parents) if folder.exists()]
    except (OSError, RuntimeError) as wrong:
        raise OutputError(f"cannot write to the output folder {str(out)[:80]}: "
                          f"{getattr(wrong, 'strerror', 'its links form a circle')}. Choose another.") from None
    # not by their names: macOS and Windows take NOTEBOOKS for notebooks
    if place in above and place.samefile(top) or any(a.samefile(source) for a in above for source in sources):
        raise OutputError(f"{out} lies in the project's source tree, which is not written to; allowed: its folder "
                          f"{project().reports}, or a folder outside the sources.")


def check_buildable(out: Path) -> None:
    """Refuse a folder in which a build could overwrite what it did not make.

    Allowed are a new or an empty folder, one that a build made, and the project's own ``reports``. What a build made
    there it may make again, edited or not (the plan says so); any other file stays what it is.

    Raises
    ------
    OutputError
        For any other place.
    """
    check_place(out)
    if out.exists() and not out.is_dir():
        raise OutputError(f"cannot write to the output folder {out}: it is a file. Choose another with --out.")
    manifest = read_manifest(out)
    if not _is_own(out) and ("reports" not in manifest or "made_by" in manifest) and out.exists():
        check_none(out, {*os.listdir(out)} - LOCKS, maker())
    for name in CONTROL:
        inside(out, name)


def maker() -> str:
    """Return what makes the files of a build, as a message says it."""
    return f"{project().name} build"


def _is_own(out: Path) -> bool:
    """Whether this is the project's folder for reports: its results are committed, so a clone has no manifest of it."""
    return out.resolve() == project().path(project().reports)


def check_free(out: Path, names: Iterable[str]) -> None:
    """Refuse to write where a file stands that the folder's manifest does not list.

    Raises
    ------
    OutputError
        When one does, or when a name leads outside the folder.
    """
    manifest = read_manifest(out)
    made = {*manifest.get("index", ())}.union(*(report["outputs"] for report in manifest.get("reports", {}).values()))
    check_none(out, [name for name in names if os.path.lexists(inside(out, name)) and name not in made
                     and not (_is_own(out) and name.startswith("results/"))], maker())


def check_none(out: Path, foreign: Iterable[str], maker: str) -> None:
    """Refuse to go on where a folder holds files of somebody else's.

    Raises
    ------
    OutputError
        When there are any; the first is named.
    """
    if names := sorted(foreign):
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        raise OutputError(f"{out} holds {names[0]}{more}, which {maker} did not put there and would lose; "
                          "allowed: a new or an empty folder, or one it made and nobody added to.")
