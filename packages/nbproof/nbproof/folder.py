"""Folders of files: whose a file is, and how what is made appears whole or not at all, whatever interrupts it.

A build makes each report in a folder of its own below ``.staging``. When it is whole, its files are entered in the
manifest and then renamed into place: every published file is always a whole one, the old or the new, and where an
interruption leaves some of each, their hashes tell the next build to make the report again.

A folder to be taken away (`whole_folder`) is filled beside its place and put there by a rename. It lists its files in
``manifest.json``, and replaces one made in the same way, only where nobody has added to it or changed a file. What a
killed process left is known by its lock, which died with it, and goes with the next run.
"""

from __future__ import annotations

import glob
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path, PureWindowsPath
from typing import Any

from filelock import FileLock, Timeout

from nbproof.errors import OutputError
from nbproof.project import project

LOCKS = {".lock", ".lock.pid"}
CONTROL = (*LOCKS, ".staging", "build.log", "failed", "manifest.json")  # what a build writes beside its outputs
ENTRY = {"notebook": str, "languages": list, "outputs": dict, "read": list, "run_inputs": dict, "render_inputs": dict}
CRATE = "ro-crate-metadata.json"
TAKEN = {"reports": {}, "index": {"index.html": "", CRATE: ""}}
"""The manifest of a folder that a build has taken and not filled yet."""


def inside(folder: Path, name: str) -> Path:
    """Return a file of a folder by the name that a manifest gives it, which may come from anybody.

    Refused is a name that leads elsewhere: by ``..``, from the top, by a drive letter, or over a symbolic link.
    """
    try:
        path = PureWindowsPath(name)  # sees what either system would
        plain = path.parts and not path.anchor and ".." not in path.parts
        if plain and (folder / name).resolve().is_relative_to(folder.resolve()):
            return folder / name
    except (OSError, RuntimeError, TypeError, ValueError):  # links in a circle, no text, a null character
        pass
    raise OutputError(
        f"{folder} has a manifest or a link that leads to {str(name)[:80]!r}, outside the "
        "folder; nothing there was touched. Use a folder that a build on this machine made."
    )


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
        entries = found.get("reports", {}).values()
        whole = all(isinstance(found.get(part, {}), dict) for part in ("index", "environment"))
        whole &= all(isinstance(entry[key], kind) for entry in entries for key, kind in ENTRY.items())
        names = [name for part in ("files", "index", "reports") for name in found.get(part, ())]
        names += [entry["notebook"] for entry in entries]
        names += [name for entry in entries for key in ("languages", "outputs", "read") for name in entry[key]]
        if not whole:
            raise TypeError
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (AttributeError, LookupError, TypeError, OSError, ValueError, RecursionError) as wrong:
        known = isinstance(wrong, OSError | ValueError | RecursionError)
        said = wrong if known else "it is not what a build writes"
        raise OutputError(
            f"{path} is damaged ({said}), so that nothing tells the files of a build from yours; "
            "restore it, or take away what you want to keep and remove the folder."
        ) from None
    for name in names:
        inside(out, name)
    return found


def check_place(out: Path) -> None:
    """Refuse the project's folder, anything in a folder of its sources, however spelt, and what is no path."""
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
        raise OutputError(
            f"cannot write to the output folder {str(out)[:80]}: "
            f"{getattr(wrong, 'strerror', 'its links form a circle')}. Choose another."
        ) from None
    # not by their names: macOS and Windows take NOTEBOOKS for notebooks
    if place in above and place.samefile(top) or any(a.samefile(source) for a in above for source in sources):
        raise OutputError(
            f"{out} lies in the project's source tree, which is not written to; allowed: its folder "
            f"{project().reports}, or a folder outside the sources."
        )


def check_buildable(out: Path) -> None:
    """Refuse a folder in which a build could overwrite what it did not make.

    Allowed are a new or an empty folder, one that a build made, and the project's own ``reports``. What a build made
    there it may make again, edited or not (the plan says so); any other file stays what it is.
    """
    check_place(out)
    if out.exists() and not out.is_dir():
        raise OutputError(f"cannot write to the output folder {out}: it is a file. Choose another with --out.")
    manifest = read_manifest(out)
    if not _is_own(out) and ("reports" not in manifest or "made_by" in manifest) and out.exists():
        check_none(out, {*os.listdir(out)} - LOCKS, f"{project().name} build")
    for name in CONTROL:
        inside(out, name)


def _is_own(out: Path) -> bool:
    """Whether this is the project's folder for reports: its results are committed, so a clone has no manifest of it."""
    return out.resolve() == project().path(project().reports)


def front_files(manifest: Mapping[str, Any]) -> list[str]:
    """Return the pages beside the reports and the crate, by file name."""
    return sorted(name for name in manifest.get("index", TAKEN["index"]) if "." in name)


def check_free(out: Path, names: Iterable[str]) -> None:
    """Refuse to write where a file stands that the folder's manifest does not list, or outside the folder."""
    manifest = read_manifest(out)
    made = {*manifest.get("index", ())}.union(*(report["outputs"] for report in manifest.get("reports", {}).values()))
    foreign = [name for name in names if os.path.lexists(inside(out, name)) and name not in made]
    foreign = [name for name in foreign if not (_is_own(out) and name.startswith("results/"))]
    check_none(out, foreign, f"{project().name} build")


def check_none(out: Path, foreign: Iterable[str], maker: str) -> None:
    """Refuse to go on where a folder holds files of somebody else's; the first is named."""
    if names := sorted(foreign):
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        raise OutputError(
            f"{out} holds {names[0]}{more}, which {maker} did not put there and would lose; "
            "allowed: a new or an empty folder, or one it made and nobody added to."
        )


@contextmanager
def _writing(out: Path) -> Iterator[None]:
    """Turn what the file system refuses in here into a sentence about the output folder."""
    try:
        yield
    except OSError as wrong:
        raise OutputError(
            f"cannot write to the output folder {out}: {wrong.strerror}. Choose another with --out."
        ) from None


@contextmanager
def locked(out: Path, waiting: Callable[[str], None]) -> Iterator[None]:
    """Hold the output folder, which is made, for one build; a second build waits for it, and is told so."""
    with _writing(out):
        out.mkdir(parents=True, exist_ok=True)
        lock, holder, pid = FileLock(out / ".lock"), out / ".lock.pid", ""  # apart: Windows lets nobody read a lock
        try:
            lock.acquire(timeout=0)
        except Timeout:
            with suppress(OSError):  # not written yet
                pid = holder.read_text(encoding="utf-8")
            waiting(f"another build (process {pid or 'unknown'}) holds {out}; waiting for it to end")
            lock.acquire()
        holder.write_text(str(os.getpid()), encoding="utf-8")
    try:
        yield
    finally:
        with suppress(OSError):  # Windows keeps a file that a waiting build is reading
            holder.unlink()
        lock.release()


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
    """Put a finished report in place: remove what is gone, enter the new files in the manifest, then rename them.

    In this order whatever an interruption leaves is known for a build's, and not for what it should be.

    Parameters
    ----------
    folder : Path
        The report's staging folder; its files lie below ``files`` as they will below ``out``.
    entry : mapping
        The report's part of the manifest.
    gone : list of str
        Files of the last build that this one no longer makes.
    """
    manifest, made = read_manifest(out), folder / "files"
    manifest.setdefault("reports", {})[name] = entry
    with _writing(out):
        for each in gone:
            (out / each).unlink(missing_ok=True)
        write_whole(out / "manifest.json", as_json(manifest))
        for each in listed(made):
            (out / each).parent.mkdir(parents=True, exist_ok=True)
            os.replace(made / each, out / each)
    shutil.rmtree(folder)


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


def file_hash(path: Path) -> str:
    """Return a file's sha256, or ``"missing"``."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return "missing"


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
        raise OutputError(
            f"{out / changed[0]} was changed since {maker} wrote it, and would be lost; "
            "move it elsewhere, or give another folder."
        )


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
            try:  # what stood there goes once the new folder stands
                if out.exists():
                    os.rename(out, held / "old")
                os.rename(draft, out)
            except BaseException:
                if (held / "old").exists() and not out.exists():
                    os.rename(held / "old", out)
                raise
    except OSError as wrong:
        raise OutputError(
            f"cannot write the folder {out}: {wrong.strerror or wrong}; what was there before is unchanged."
        ) from wrong
    finally:
        for folder in above:
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()
