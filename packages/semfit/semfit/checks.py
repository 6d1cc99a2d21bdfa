"""Refuse models that say nothing a data set could answer, before any data are read."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Integral

from semfit.errors import ParameterError
from semfit.syntax import Term
from semfit.table import find_roles


def whole(name: str, value: object, least: int) -> int:
    """Return a whole number that is large enough, or say what was given.

    Raises
    ------
    ParameterError
        Naming the argument.
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        raise ParameterError(f"{name} is a whole number, {least} or more; got {value!r}.")
    return int(value)


def probability(name: str, value: object) -> None:
    """Raise where a level or an alpha is no number between 0 and 1."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1:
        raise ParameterError(f"{name} is a probability between 0 and 1; got {value!r}.")


def check_terms(terms: Iterable[Term], ordered: bool) -> None:
    """Ask for observed variables, and for variables that do not explain themselves.

    Raises
    ------
    ParameterError
        With line and column of the term.
    """
    terms = list(terms)
    count = len(find_roles(terms).observed)
    if ordered and count == 1:
        raise ParameterError("the model names one observed variable; ordered items need two or more.")
    if not count:
        raise ParameterError("the model names no observed variable; a latent variable needs items on the right of =~.")
    for term in terms:
        where = f"line {term.line}, column {term.column}"
        if term.op in ("=~", "~") and term.lhs == term.rhs:
            raise ParameterError(f"{where}: {term.lhs} {term.op} {term.rhs}; a variable cannot explain itself.")
