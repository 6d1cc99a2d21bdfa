"""Name each kind of misuse: what is wrong (and where), what was given, what is allowed."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from numbers import Integral


@dataclass(frozen=True)
class NotTestable:
    """Stands where the data carry no conclusion, and says why."""

    reason: str


class SemfitError(Exception):
    """Base of all errors that mean "the input is wrong", not "the program is".

    A program that says the text and nothing else may know them, and those of others, by ``input_is_wrong``.
    """

    input_is_wrong = True


class DataError(SemfitError):
    """The data cannot carry the model: a column without variation, too few rows, moments that are none."""


class ParameterError(SemfitError, ValueError):
    """An option or a model's text is malformed or out of range."""


class FitWarning(UserWarning):
    """A fit came to no solution, to one of many, or to one that cannot be tested; its ``problems`` say which."""


class UnknownNameError(SemfitError, LookupError):
    """A name is not among those known; the nearest known one is offered.

    Parameters
    ----------
    kind : str
        What was looked up, in the singular: ``"variable"``, ``"method"``.
    given : str
        The name as given.
    allowed : iterable of str
        Every name that would have been found.
    advice : str
        A sentence to end with.

    Examples
    --------
    >>> print(UnknownNameError("method", "onestep", ["one-step", "refit"]))
    unknown method 'onestep'; did you mean 'one-step'? Allowed: one-step, refit.
    """

    def __init__(self, kind: str, given: str, allowed: Iterable[str], advice: str = "") -> None:
        names = sorted(map(str, allowed))
        close = get_close_matches(str(given).lower(), names, n=1, cutoff=0.4)
        hint = f" did you mean {quoted(close[0])}?" if close else ""
        listed = ", ".join(map(named, names[:40])) + (f" and {len(names) - 40} more" if len(names) > 40 else "")
        super().__init__(f"unknown {kind} {quoted(given)};{hint} Allowed: {listed or 'none'}.{advice}")


def one_of(kind: str, given: str, allowed: Collection[str]) -> None:
    """Raise where a name is not among those known."""
    if given not in allowed:
        raise UnknownNameError(kind, given, allowed)


def named(name: str) -> str:
    """Return a name as a message says it without quotes; one that is long or not printable is quoted and cut."""
    return name if len(name) <= 60 and name.isprintable() else quoted(name)


def quoted(given: object, longest: int = 60) -> str:
    """Return foreign text as a message quotes it: on one line, cut where it is long.

    Examples
    --------
    >>> quoted("two\\nlines"), quoted("x" * 10_000, 9)
    ("'two\\\\nlines'", "'xxxxx...")
    """
    head = given[: longest + 1] if isinstance(given, str | bytes) else given  # no repr of a million characters
    try:
        text = repr(head)
    except (ValueError, RecursionError):  # a whole number of many digits, lists in lists
        text = f"a value of type {type(given).__name__}"
    return text if len(text) <= longest else text[: longest - 3] + "..."


def whole(name: str, value: object, least: int, most: int | None = None) -> int:
    """Return a whole number that is large enough, and small enough, or say what was given.

    Raises
    ------
    ParameterError
        Naming the argument.
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least or (most and int(value) > most):
        allowed = f", {least} or more" if most is None else f" from {least} to {most}"
        raise ParameterError(f"{name} is a whole number{allowed}; got {value!r}.")
    return int(value)


def probability(name: str, value: object) -> None:
    """Raise where a level or an alpha is no number between 0 and 1."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1:
        raise ParameterError(f"{name} is a probability between 0 and 1; got {value!r}.")
