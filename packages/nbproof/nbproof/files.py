"""How files that somebody hands over are read: regular ones of bounded size, or one sentence says what is wrong."""

from __future__ import annotations

import stat
import tomllib
from pathlib import Path
from typing import Any

from nbproof.errors import NotebookError, named

__all__ = ["read_bytes", "read_toml"]

LARGEST = 2**30  # bytes
SETTINGS = 2**20  # bytes of a toml file
DOTS = 200  # in one line of it: tomllib takes hours for a key of 100,000 parts
KINDS = {stat.S_IFDIR: "a directory", stat.S_IFIFO: "a pipe", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device",
         stat.S_IFSOCK: "a socket"}


def read_bytes(path: Path, largest: int = LARGEST) -> bytes:
    """Return what a regular file holds; what is none is not opened: a pipe would wait, a device never end.

    Raises
    ------
    NotebookError
        When there is no such file, it may not be read, is not regular or too large.
    """
    name = named(path.name or str(path))
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            kind = KINDS.get(stat.S_IFMT(found.st_mode), "no file")
            raise NotebookError(f"{name} is {kind}; a regular file is needed.")
        if found.st_size > largest:
            raise NotebookError(f"{name} holds {found.st_size:,} bytes; at most {largest:,} are read.")
        return path.read_bytes()
    except (OSError, ValueError) as wrong:  # a null character in the name is a ValueError
        raise NotebookError(f"{name} cannot be read: {getattr(wrong, 'strerror', None) or wrong}; "
                            "a file is needed.") from wrong


def read_toml(path: Path) -> dict[str, Any]:
    """Return the tables of a toml file in UTF-8; see `read_bytes`."""
    raw, name = read_bytes(path, SETTINGS), named(path.name)
    for row, line in enumerate(raw.split(b"\n"), 1):
        if (dots := line.count(b".")) > DOTS:
            raise NotebookError(f"{name}, row {row} has {dots:,} dots; at most {DOTS} are read.")
    try:
        return tomllib.loads(raw.decode("utf-8-sig"))
    except (ValueError, RecursionError) as wrong:
        said = " ".join(str(wrong).split())[:200]
        raise NotebookError(f"{name} cannot be read: {said}; it must be a toml file in UTF-8.") from wrong
