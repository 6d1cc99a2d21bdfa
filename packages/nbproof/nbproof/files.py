"""How files that somebody hands over are read: regular ones of bounded size, or one sentence says what is wrong."""

from __future__ import annotations

import stat
import tomllib
from pathlib import Path
from typing import Any

from nbproof.errors import NotebookError, named

__all__ = ["check_file", "read_bytes", "read_toml"]

LARGEST = 2**30  # bytes
SETTINGS = 2**20  # bytes of a toml file
DOTS = 200  # in one line of it: tomllib takes hours for a key of 100,000 parts
KINDS = {stat.S_IFDIR: "a directory", stat.S_IFIFO: "a pipe", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device",
         stat.S_IFSOCK: "a socket"}


def check_file(path: str | Path, error: type[Exception] = NotebookError, largest: int = LARGEST) -> int:
    """Return the size of a regular file in bytes, without opening what is none: a pipe would wait, a device never end.

    Parameters
    ----------
    error : type of exception
        What is raised when there is no such file, it may not be read, is not regular or larger than ``largest`` bytes.
    """
    path = Path(path)
    name = named(path.name or str(path))
    try:
        found = path.stat()
        if stat.S_ISREG(found.st_mode):
            path.open("rb").close()
    except (OSError, ValueError) as wrong:  # a null character in the name is a ValueError
        reason = getattr(wrong, "strerror", None) or wrong
        raise error(f"{name} cannot be read: {reason}; a file is needed.") from wrong
    if not stat.S_ISREG(found.st_mode):
        raise error(f"{name} is {KINDS.get(stat.S_IFMT(found.st_mode), 'no file')}; a regular file is needed.")
    if found.st_size > largest:
        raise error(f"{name} holds {found.st_size:,} bytes; at most {largest:,} are read.")
    return found.st_size


def read_bytes(path: str | Path, error: type[Exception] = NotebookError, largest: int = LARGEST) -> bytes:
    """Return what a regular file holds; see `check_file`."""
    check_file(path, error, largest)
    try:
        return Path(path).read_bytes()
    except OSError as wrong:
        raise error(f"{named(Path(path).name)} cannot be read: {wrong.strerror}; a whole file is needed.") from wrong


def read_toml(path: str | Path, error: type[Exception] = NotebookError) -> dict[str, Any]:
    """Return the tables of a toml file in UTF-8; see `check_file`."""
    raw, name = read_bytes(path, error, SETTINGS), named(Path(path).name)
    for row, line in enumerate(raw.split(b"\n"), 1):
        if (dots := line.count(b".")) > DOTS:
            raise error(f"{name}, row {row} has {dots:,} dots; at most {DOTS} are read.")
    try:
        return tomllib.loads(raw.decode("utf-8-sig"))
    except (ValueError, RecursionError) as wrong:
        said = " ".join(str(wrong).split())[:200]
        raise error(f"{name} cannot be read: {said}; it must be a toml file in UTF-8.") from wrong
