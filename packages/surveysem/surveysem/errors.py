"""Name each kind of misuse, so that a command can say it in one sentence and exit with 2.

A message has three parts: what is wrong (and where), what was given, what is allowed.
"""

from collections.abc import Collection

import nbproof
from nbproof import named as named
from nbproof import nearest as nearest
from nbproof import quoted as quoted


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


def require_known(kind: str, known: Collection[str], *names: str) -> None:
    """Refuse a name that is not among those known."""
    for name in names:
        if name not in known:
            raise UnknownNameError(kind, name, known)


def require(holds: object, name: str, given: object, allowed: str) -> None:
    """Refuse a parameter of which something does not hold."""
    if not holds:
        raise ParameterError(f"{name} is {quoted(given)}; allowed: {allowed}.")
