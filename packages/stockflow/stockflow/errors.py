"""Name each kind of misuse: what is wrong (and where), what was given, what is allowed."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import IO

LARGEST = 2**30  # bytes
KINDS = {stat.S_IFDIR: "a directory", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}  # the rest are devices


class StockflowError(Exception):
    """Base of all errors that mean "the input is wrong", not "the program is".

    A program that says the text and nothing else may know them, and those of others, by ``input_is_wrong``.
    """

    input_is_wrong = True


class DataError(StockflowError):
    """A file is not the table or checkpoint that is needed: the message names file, row and value."""


class ParameterError(StockflowError, ValueError):
    """A parameter, an option or a declaration is malformed or out of range."""


class OutputError(StockflowError):
    """A result cannot be written where it was asked for."""


class ExperimentError(StockflowError):
    """An experiment cannot be run where it was asked to: no scheduler answers, or a call keeps killing its worker."""


class MissingExtraError(StockflowError, ImportError):
    """What was asked for needs a package that only an extra brings."""


class UnknownNameError(StockflowError, LookupError):
    """A name is not among those known; the nearest known one is offered.

    Parameters
    ----------
    kind : str
        What was looked up, in the singular: ``"state"``, ``"method"``.
    given : str
        The name as given.
    allowed : iterable of str
        Every name that would have been found.

    Examples
    --------
    >>> print(UnknownNameError("method", "rk", ["euler", "map", "ode", "rk4"]))
    unknown method 'rk'; did you mean 'rk4'? Allowed: euler, map, ode, rk4.
    """

    def __init__(self, kind: str, given: str, allowed: Iterable[str]) -> None:
        names = sorted(map(str, allowed))
        close = get_close_matches(str(given).lower(), names, n=1, cutoff=0.4)
        hint = f" did you mean {quoted(close[0])}?" if close else ""
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
    >>> with extra("fast"):
    ...     import nowhere
    Traceback (most recent call last):
    stockflow.errors.MissingExtraError: this needs nowhere, which is not installed; stockflow[fast] brings it.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        what = f"this needs {error.name}, which is not installed; stockflow[{name}] brings it."
        raise MissingExtraError(what, name=error.name) from error


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


def check_file(path: str | Path, error: type[StockflowError] = DataError) -> None:
    """Refuse what is no readable regular file before it is opened: a pipe would wait, a device never end.

    Raises
    ------
    StockflowError
        Of the class given.
    """
    name = named(Path(path).name or str(path))
    try:
        found = os.stat(path)
        if stat.S_ISREG(found.st_mode):
            with open(path, "rb"):
                pass
    except (OSError, ValueError) as wrong:  # a null character in the name is a ValueError
        raise error(f"{name} cannot be read: {getattr(wrong, 'strerror', None) or wrong}; a file is needed.") from wrong
    if not stat.S_ISREG(found.st_mode):
        raise error(f"{name} is {KINDS.get(stat.S_IFMT(found.st_mode), 'a device')}; a regular file is needed.")
    if found.st_size > LARGEST:
        raise error(f"{name} holds {found.st_size:,} bytes; at most {LARGEST:,} are read.")


@contextmanager
def replacing(path: Path, what: str) -> Iterator[IO[bytes]]:
    """Yield a file beside the path that takes its place once it is whole and on the disk; or OutputError."""
    beside = path.with_name(path.name + ".partial")
    try:
        with beside.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        raise OutputError(f"{what} cannot be written to {path}: {error.strerror}.") from error
