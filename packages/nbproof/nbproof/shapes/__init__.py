"""Whether a table of a toml file has the shape declared for it, or one sentence that says what is wrong, and where."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from math import isfinite
from types import MappingProxyType
from typing import Any

from nbproof.errors import named, nearest, quoted

__all__ = ["COUNT", "FLAG", "LIST", "NUMBER", "TABLE", "TEXT", "Field", "check", "fault", "one_of"]


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


def check(error: type[Exception], where: str, table: Any, needed: Mapping[str, Field],
          optional: Mapping[str, Field] = MappingProxyType({})) -> dict[str, Any]:
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
            raise error(f"{where}, field {named(name)}: an unknown field; allowed: "
                        f"{f'{guess} (nearest) of ' if guess else ''}{', '.join(known)}.")
    for name, field in known.items():
        if name not in table and name in needed:
            raise error(f"{where}, field {name}: got nothing; allowed: {field.allowed}.")
        if name in table and not field.holds(table[name]):
            raise fault(error, f"{where}, field {name}", table[name], field.allowed)
    return table


def fault(error: type[Exception], where: str, given: object, allowed: str) -> Exception:
    """Return the error that says what was given at a place, and what is allowed there."""
    return error(f"{where}: got {quoted(given, 200)}; allowed: {allowed}.")
