"""Read what somebody hands over, files of bounded size and tables of toml, or say in one sentence what is wrong."""

from __future__ import annotations

import stat
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from types import MappingProxyType
from typing import Any

from nbproof.errors import NotebookError, named, nearest, quoted

__all__ = [
    "COUNT",
    "FLAG",
    "LIST",
    "NUMBER",
    "TABLE",
    "TEXT",
    "Field",
    "check",
    "check_file",
    "fault",
    "one_of",
    "read_bytes",
    "read_toml",
]

LARGEST = 2**30  # bytes
SETTINGS = 2**20  # bytes of a toml file
DOTS = 200  # in one line of it: tomllib takes hours for a key of 100,000 parts
KINDS = {
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}


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


@dataclass(frozen=True)
class Field:
    """What a field may hold: a test of its value, and words for all that passes."""

    holds: Callable[[Any], object]
    allowed: str


def one_of(names: Iterable[str]) -> Field:
    """Return a field for one of these names.

    >>> one_of(["holm", "none"]).allowed
    'holm, none'
    """
    return Field(lambda value: isinstance(value, str) and value in names, ", ".join(sorted(names)) or "none is defined")


def _text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


TEXT = Field(_text, "a text")
FLAG = Field(lambda value: isinstance(value, bool), "true or false")
COUNT = Field(lambda value: type(value) is int and value >= 1, "a whole number from 1")
NUMBER = Field(lambda value: type(value) in (int, float) and isfinite(value), "a number")
LIST = Field(lambda value: isinstance(value, list), "a list")
TABLE = Field(lambda value: isinstance(value, dict), "a table")


def check(
    error: type[Exception],
    where: str,
    table: Any,
    needed: Mapping[str, Field],
    optional: Mapping[str, Field] = MappingProxyType({}),
) -> dict[str, Any]:
    """Return a table that has the fields it needs and no unknown one, each of the form declared.

    An unknown field is named before one that is missing: as a rule it is the missing one, misspelt.

    Parameters
    ----------
    error : type of exception
        What a fault is raised as.
    where : str
        File and entry, as a reader finds them.

    Examples
    --------
    >>> from nbproof import ParameterError
    >>> check(ParameterError, "a.toml, edge 1", {"sgn": "+"}, {"sign": one_of("+-")})
    Traceback (most recent call last):
    nbproof.errors.ParameterError: a.toml, edge 1, field sgn: an unknown field; allowed: sign (nearest) of sign.
    >>> check(ParameterError, "a.toml, edge 1", {"sign": "*"}, {"sign": one_of("+-")})
    Traceback (most recent call last):
    nbproof.errors.ParameterError: a.toml, edge 1, field sign: got '*'; allowed: +, -.
    """
    if not isinstance(table, dict):
        raise fault(error, where, table, TABLE.allowed)
    known = {**needed, **optional}
    for name in table:
        if name not in known:
            guess = nearest(name, known)
            raise error(
                f"{where}, field {named(name)}: an unknown field; allowed: "
                f"{f'{guess} (nearest) of ' if guess else ''}{', '.join(known)}."
            )
    for name, field in known.items():
        if name not in table and name in needed:
            raise error(f"{where}, field {name}: got nothing; allowed: {field.allowed}.")
        if name in table and not field.holds(table[name]):
            raise fault(error, f"{where}, field {name}", table[name], field.allowed)
    return table


def fault(error: type[Exception], where: str, given: object, allowed: str) -> Exception:
    """Return the error that says what was given at a place, and what is allowed there."""
    return error(f"{where}: got {quoted(given, 200)}; allowed: {allowed}.")
