"""Name each kind of misuse, so that a command can say it in one sentence and exit with 2.

A message has three parts: what is wrong (and where), what was given, what is allowed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches

__all__ = ["MissingExtraError", "NbproofError", "NotebookError", "OutputError", "ParameterError", "UnknownNameError",
           "extra", "named", "nearest", "quoted"]


class NbproofError(Exception):
    """Base of all errors that mean "the input is wrong", not "the program is".

    The commands and the builder know such an error, also one of another package, by ``input_is_wrong``.
    """

    input_is_wrong = True


class ParameterError(NbproofError, ValueError):
    """A parameter is unknown, of the wrong type or out of range."""


class NotebookError(NbproofError):
    """A notebook is unknown, misses its parameters cell, fails, dies or runs out of time."""


class OutputError(NbproofError):
    """A result cannot be written where it was asked for."""


class MissingExtraError(NbproofError, ImportError):
    """What was asked for needs a package that only an extra brings."""


class UnknownNameError(NbproofError, LookupError):
    """A name is not among those known; the nearest known one is offered.

    Parameters
    ----------
    kind : str
        What was looked up, in the singular: ``"notebook"``, ``"language"``.
    given : str
        The name as given.
    allowed : iterable of str
        Every name that would have been found.

    Examples
    --------
    >>> print(UnknownNameError("language", "zn", ["en", "zh"]))
    unknown language 'zn'; did you mean 'zh'? Allowed: en, zh.
    """

    def __init__(self, kind: str, given: str, allowed: Iterable[str]) -> None:
        names = sorted(map(str, allowed))
        guess = nearest(given, names)
        hint = f" did you mean {quoted(guess)}?" if guess else ""
        listed = ", ".join(map(named, names[:40])) + (f" and {len(names) - 40} more" if len(names) > 40 else "")
        super().__init__(f"unknown {kind} {quoted(given)};{hint} Allowed: {listed or 'none'}.")


@contextmanager
def extra(name: str) -> Iterator[None]:
    """Say which extra of this package brings what is imported inside and is not installed.

    Raises
    ------
    MissingExtraError
        In place of the `ModuleNotFoundError`.

    Examples
    --------
    >>> with extra("figures"):
    ...     import nowhere
    Traceback (most recent call last):
    nbproof.errors.MissingExtraError: this needs nowhere, which is not installed; nbproof[figures] brings it.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise MissingExtraError(f"this needs {error.name}, which is not installed; nbproof[{name}] brings it.",
                                name=error.name) from error


def nearest(given: str, allowed: Iterable[str]) -> str | None:
    """Return the allowed name closest to the one given, or None where none is close.

    Examples
    --------
    >>> nearest("cofee", ["coffee", "tea"])
    'coffee'
    """
    matches = get_close_matches(str(given).lower(), list(allowed), n=1, cutoff=0.4)
    return matches[0] if matches else None


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
