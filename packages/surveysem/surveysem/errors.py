"""Name each kind of misuse, so that a command can say it in one sentence and exit with 2.

A message has three parts: what is wrong (and where), what was given, what is allowed.
"""

from __future__ import annotations

import nbproof
from nbproof import named, nearest, quoted

__all__ = ["DataError", "ParameterError", "SurveysemError", "UnknownNameError", "named", "nearest", "quoted", "require"]


class SurveysemError(Exception):
    """Base of all errors that mean "the input is wrong", not "the program is"; commands know it by its mark."""

    input_is_wrong = True


class DataError(SurveysemError):
    """A codebook or a file of answers breaks its form: the message names file, row and column."""


class ParameterError(SurveysemError, ValueError):
    """A parameter is unknown, of the wrong type or out of range."""


class UnknownNameError(nbproof.UnknownNameError, SurveysemError):
    """A name is not among those known; the nearest known one is offered.

    Examples
    --------
    >>> print(UnknownNameError("construct", "welcom", ["choice", "welcome"]))
    unknown construct 'welcom'; did you mean 'welcome'? Allowed: choice, welcome.
    """


def require(holds: bool, name: str, given: object, allowed: str) -> None:
    """Refuse a parameter of which something does not hold."""
    if not holds:
        raise ParameterError(f"{name} is {given!r}; allowed: {allowed}.")
