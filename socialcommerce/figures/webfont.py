"""Know how a web font of just some characters is packed, and keep the packed ones: the same bytes, packed or kept."""

from __future__ import annotations

import hashlib
import io
import os
from contextlib import suppress
from pathlib import Path

from nbproof import OutputError, write_whole

__all__ = ["KEPT", "kept", "pack"]

KEPT = 200  # files, of 100 KB as a rule: 20 MB
DIGEST = 32  # bytes of sha256 before the font, against a file damaged on disk


def kept(font: Path, characters: str, folder: Path) -> bytes:
    """Return a web font from a cache folder, packing and keeping it where the folder has none.

    Parameters
    ----------
    font : Path
        A TrueType file whose folder's name follows from all that made it.
    characters : str
        Those the web font holds; sorted, each once.
    folder : Path
        Where up to :data:`KEPT` of them are kept, those used last; a folder that cannot be written keeps none.
    """
    from importlib.metadata import version

    key = hashlib.sha256(f"{font.parent.name} {font.name} {version('brotli')} {characters}".encode()).hexdigest()
    file = folder / key
    with suppress(OSError):
        digest, found = (content := file.read_bytes())[:DIGEST], content[DIGEST:]
        if hashlib.sha256(found).digest() == digest:
            os.utime(file)  # used just now
            return found
    packed = pack(font, characters)
    with suppress(OSError, OutputError):
        _keep(file, hashlib.sha256(packed).digest() + packed)
    return packed


def pack(font: Path, characters: str) -> bytes:
    """Return a WOFF2 font with just these characters."""
    from fontTools import subset
    from fontTools.ttLib import TTFont

    whole = TTFont(font, recalcTimestamp=False, recalcBBoxes=False)  # boxes are right already: a quarter less time
    options = subset.Options(hinting=False, notdef_outline=True, recalc_timestamp=False, name_IDs=[0, 1, 2, 13, 14])
    cutter = subset.Subsetter(options)
    cutter.populate(text=characters)
    cutter.subset(whole)
    whole.flavor = "woff2"
    out = io.BytesIO()
    whole.save(out)
    return out.getvalue()


def _keep(file: Path, content: bytes) -> None:
    """Write a file whole or not at all, and let go of those not used for longest."""
    write_whole(file, content)
    for old in sorted(file.parent.iterdir(), key=_used)[:-KEPT]:
        old.unlink(missing_ok=True)


def _used(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except FileNotFoundError:  # another process let go of it
        return 0.0
