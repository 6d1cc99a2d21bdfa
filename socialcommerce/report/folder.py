"""A folder that appears whole or not at all: filled beside its place, then put there by a rename.

The folder lists its files in ``manifest.json``. It replaces one made in the same way, and only where nobody has put
anything else into it.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from socialcommerce.errors import OutputError
from socialcommerce.report.plan import read_manifest

__all__ = ["check_replaceable", "listed", "whole_folder"]


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
        For a file, or a folder that holds anything that this maker's manifest does not list.
    """
    if not out.exists():
        return
    if not out.is_dir():
        raise OutputError(f"{out} is a file; allowed: a new or an empty folder, or one made by {maker}.")
    manifest = read_manifest(out)
    own = {*manifest.get("files", ()), "manifest.json"} if manifest.get("made_by") == maker else set()
    foreign = [name for name in listed(out) if name not in own]
    if foreign:
        more = f" and {len(foreign) - 1} more" if len(foreign) > 1 else ""
        raise OutputError(f"{out} holds {foreign[0]}{more}, which {maker} did not put there and would lose; "
                          "allowed: a new or an empty folder, or one it made and nobody added to.")


@contextmanager
def whole_folder(out: Path, maker: str) -> Iterator[Path]:
    """Give a draft folder beside ``out`` to fill; put it in that place when all went well, else leave no trace.

    Raises
    ------
    OutputError
        As `check_replaceable`, or when the file system refuses.
    """
    out = out.resolve()
    draft = None
    try:
        check_replaceable(out, maker)
        out.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
        yield draft
        manifest = {"made_by": maker, **read_manifest(draft)}
        manifest["files"] = [name for name in listed(draft) if name != "manifest.json"]
        text = json.dumps(manifest, ensure_ascii=False, indent=1) + "\n"
        (draft / "manifest.json").write_text(text, encoding="utf-8")
        draft.chmod(0o755)
        _exchange(draft, out)
    except OSError as wrong:
        raise OutputError(f"cannot write the folder {out}: {wrong.strerror or wrong}; "
                          "what was there before is unchanged.") from wrong
    finally:
        if draft is not None:
            shutil.rmtree(draft, ignore_errors=True)


def _exchange(draft: Path, out: Path) -> None:
    """Put the draft in its place; what stood there goes once the new folder stands."""
    if not out.exists():
        os.rename(draft, out)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    old.rmdir()  # Windows renames over nothing, not even an empty folder
    os.rename(out, old)
    try:
        os.rename(draft, out)
    except OSError:
        os.rename(old, out)
        raise
    shutil.rmtree(old, ignore_errors=True)
