"""Staging, journal and lock: a report is published whole or not at all, whatever interrupts the build.

A report is made in a folder of its own below ``.staging``. When it is whole, a journal naming its files is written
beside them, and each is renamed into place. A build that finds a journal finishes what it says; one that finds none
throws the folder away. Every published file is therefore always a whole one, the old or the new.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from nbproof.errors import OutputError
from nbproof.owned import check_manifest, inside, read_manifest

__all__ = ["locked", "publish", "recover", "staging", "write_whole"]


@contextmanager
def _writing(out: Path) -> Iterator[None]:
    """Turn what the file system refuses in here into a sentence about the output folder."""
    try:
        yield
    except OSError as wrong:
        raise OutputError(f"cannot write to the output folder {out}: {wrong.strerror}. "
                          "Choose another with --out.") from None


@contextmanager
def locked(out: Path, waiting: Callable[[str], None]) -> Iterator[None]:
    """Hold the output folder for one build; a second build waits for it, and is told so.

    Raises
    ------
    OutputError
        When the folder cannot be made or written.
    """
    with _writing(out):
        out.mkdir(parents=True, exist_ok=True)
        lock, holder = FileLock(out / ".lock"), out / ".lock.pid"  # apart: Windows lets nobody read a locked file
        try:
            lock.acquire(timeout=0)
        except Timeout:
            waiting(f"another build (process {_pid(holder)}) holds {out}; waiting for it to end")
            lock.acquire()
        holder.write_text(str(os.getpid()), encoding="utf-8")
    try:
        yield
    finally:
        with suppress(OSError):  # Windows keeps a file that a waiting build is reading
            holder.unlink()
        lock.release()


def _pid(holder: Path) -> str:
    try:
        return holder.read_text(encoding="utf-8") or "unknown"
    except OSError:  # not written yet
        return "unknown"


def staging(out: Path, name: str) -> Path:
    """Make and return a fresh folder in which to build one report.

    It is this process's own: what a killed build had started may write for a moment after its lock is free.
    """
    folder = out / ".staging" / f"{name}.{os.getpid()}"
    shutil.rmtree(folder, ignore_errors=True)
    with _writing(out):
        (folder / "files").mkdir(parents=True)
    return folder


def publish(folder: Path, out: Path, name: str, entry: Mapping[str, Any], gone: list[str]) -> None:
    """Put a finished report in place: write its journal, then do what the journal says.

    Parameters
    ----------
    folder : Path
        The report's staging folder; its files lie below ``files`` as they will below ``out``.
    entry : mapping
        The report's part of the manifest.
    gone : list of str
        Files of the last build that this one no longer makes.
    """
    made = folder / "files"
    files = sorted(path.relative_to(made).as_posix() for path in made.rglob("*") if path.is_file())
    journal = {"name": name, "files": files, "gone": gone, "entry": entry}
    write_whole(folder / "journal.json", json.dumps(journal).encode())
    _finish(folder, out, journal)


def recover(out: Path) -> list[str]:
    """Finish or throw away what an interrupted build left; return the names of the reports finished.

    Raises
    ------
    OutputError
        When a journal names a file outside the folder; nothing has been touched then.
    """
    folders = [inside(out, f".staging/{path.name}") for path in sorted((out / ".staging").glob("*"))]
    journals = [(folder, journal) for folder in folders if (journal := _journal(folder, out))]
    finished = [_finish(folder, out, journal) for folder, journal in journals]
    shutil.rmtree(out / ".staging", ignore_errors=True)
    return finished


def _journal(folder: Path, out: Path) -> dict[str, Any] | None:
    """Read what is to be done; None where there is no journal, or a cut one, whose report the next build makes again.

    Raises
    ------
    OutputError
        When it names a file outside the folder.
    """
    try:
        journal = json.loads((folder / "journal.json").read_text(encoding="utf-8"))
        names = [*journal["files"], *journal["gone"]]
        check_manifest({"reports": {journal["name"]: journal["entry"]}}, out)
    except (OSError, ValueError, TypeError, LookupError, RecursionError):
        return None
    for name in names:
        inside(folder / "files", name)
        inside(out, name)
    return journal


def _finish(folder: Path, out: Path, journal: Mapping[str, Any]) -> str:
    """Do what a journal says and return the name of its report."""
    with _writing(out):
        for name in journal["files"]:
            if (folder / "files" / name).is_file():  # else renamed before the interruption
                (out / name).parent.mkdir(parents=True, exist_ok=True)
                os.replace(folder / "files" / name, out / name)
        for name in journal["gone"]:
            (out / name).unlink(missing_ok=True)
    manifest = read_manifest(out)
    manifest.setdefault("reports", {})[journal["name"]] = journal["entry"]
    write_whole(out / "manifest.json", as_json(manifest))
    shutil.rmtree(folder)
    return journal["name"]


def write_whole(path: Path, content: bytes) -> Path:
    """Write a file under a temporary name, flush it to disk, then rename it; return it.

    Raises
    ------
    OutputError
        When it cannot be written; no half-written file is left.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(temporary, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except (OSError, ValueError) as wrong:  # a null character in the name is a ValueError
        with suppress(OSError, ValueError):
            temporary.unlink(missing_ok=True)
        reason = getattr(wrong, "strerror", None) or wrong
        raise OutputError(f"cannot write {path.name}: {reason}; what was there before is unchanged.") from None
    return path


def as_json(value: Any) -> bytes:
    """Write a manifest as JSON, reports in order of name."""
    value = {**value, "reports": dict(sorted(value.get("reports", {}).items()))}
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode()
