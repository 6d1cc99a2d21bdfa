"""Folders that appear whole or not at all, and leave nothing behind: filled beside their place, put there by a rename.

Each lists its files in ``manifest.json``. It replaces one made in the same way, and only where nobody has added to it
or changed a file. What a killed process left is known by its lock, which died with it, and goes with the next run.
"""

from __future__ import annotations

import glob
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from nbproof.errors import OutputError
from nbproof.owned import TAKEN, check_none, check_place, read_manifest
from nbproof.plan import file_hash
from nbproof.project import project

__all__ = ["check_replaceable", "held_folder", "listed", "whole_folder"]


def listed(folder: Path) -> list[str]:
    """Return the files below a folder, relative to it, sorted."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())


def check_replaceable(out: Path, maker: str) -> None:
    """Refuse a place where something else stands.

    Parameters
    ----------
    out : Path
        Where the folder is to be.
    maker : str
        What the ``made_by`` of its manifest says.

    Raises
    ------
    OutputError
        In the source tree, for a file, and for a folder that holds anything that this maker's manifest does not list,
        or a file that was changed since.
    """
    check_place(out)
    if not out.exists():
        return
    if not out.is_dir():
        raise OutputError(f"{out} is a file; allowed: a new or an empty folder, or one made by {maker}.")
    manifest = read_manifest(out)
    files = manifest.get("files", {}) if manifest.get("made_by") == maker else {}
    own = {*files, "manifest.json"} if files else set()
    check_none(out, {*(listed(out) if own else os.listdir(out))} - own, maker)
    hashes = files.items() if isinstance(files, dict) else ()  # earlier versions listed names only
    if changed := [name for name, digest in hashes if file_hash(out / name) not in (digest, "missing")]:
        raise OutputError(f"{out / changed[0]} was changed since {maker} wrote it, and would be lost; "
                          "move it elsewhere, or give another folder.")


@contextmanager
def held_folder(parent: Path, prefix: str) -> Iterator[Path]:
    """Give a fresh folder for as long as it is needed, having removed those of the same prefix whose owner is gone."""
    for _ in _dead(parent, prefix):
        pass
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
    lock = FileLock(folder / ".lock")
    try:
        lock.acquire()
        yield folder
    finally:
        _remove(folder, lock)


def _dead(parent: Path, prefix: str) -> Iterator[Path]:
    """Go through the held folders that nobody holds any more, and remove each afterwards."""
    for folder in map(Path, sorted(glob.glob(glob.escape(os.path.join(parent, prefix)) + "*"))):
        # in a shared temporary folder anybody may plant such a name
        own = not hasattr(os, "getuid") or folder.lstat().st_uid == os.getuid()
        lock = FileLock(folder / ".lock")
        if own and not folder.is_symlink() and (folder / ".lock").is_file():
            try:
                lock.acquire(timeout=0)
            except (Timeout, OSError):  # its owner lives
                continue
            yield folder
            _remove(folder, lock)


def _remove(folder: Path, lock: FileLock) -> None:
    """Remove a held folder, its lock last: what an interruption leaves of it is still known for ours."""
    for path in folder.glob("[!.]*"):
        shutil.rmtree(path, ignore_errors=True)
    lock.release()  # Windows removes no open file
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def whole_folder(out: Path, maker: str) -> Iterator[Path]:
    """Give a draft folder beside ``out`` to fill; put it in that place when all went well, else leave no trace.

    Raises
    ------
    OutputError
        As `check_replaceable`, or when the file system refuses.
    """
    check_place(out)
    out = out.resolve()
    above = [folder for folder in out.parents if not folder.exists()]
    prefix = f".{out.name}.{project().name}-"
    try:
        for dead in _dead(out.parent, prefix):
            if (dead / "old").is_dir() and not out.exists():  # killed between the two renames
                os.rename(dead / "old", out)
        check_replaceable(out, maker)
        out.parent.mkdir(parents=True, exist_ok=True)
        with held_folder(out.parent, prefix) as held:
            draft = held / "draft"
            draft.mkdir()
            (draft / "manifest.json").write_text(json.dumps(TAKEN), encoding="utf-8")
            yield draft
            files = {name: file_hash(draft / name) for name in listed(draft) if name != "manifest.json"}
            manifest = {key: value for key, value in read_manifest(draft).items() if value != TAKEN.get(key)}
            text = json.dumps({"made_by": maker, **manifest, "files": files}, ensure_ascii=False, indent=1) + "\n"
            (draft / "manifest.json").write_text(text, encoding="utf-8")
            check_replaceable(out, maker)  # again: the work may have taken hours
            _exchange(draft, out, held / "old")
    except OSError as wrong:
        raise OutputError(f"cannot write the folder {out}: {wrong.strerror or wrong}; "
                          "what was there before is unchanged.") from wrong
    finally:
        for folder in above:
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()


def _exchange(draft: Path, out: Path, old: Path) -> None:
    """Put the draft in its place; what stood there goes once the new folder stands."""
    try:
        if out.exists():
            os.rename(out, old)
        os.rename(draft, out)
    except BaseException:
        if old.exists() and not out.exists():
            os.rename(old, out)
        raise
