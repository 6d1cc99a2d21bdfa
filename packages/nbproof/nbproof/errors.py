"""Name each kind of misuse, so that a command can say it in one sentence and exit with 2, and say who ended it.

A message has three parts: what is wrong (and where), what was given, what is allowed.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Iterable
from contextlib import suppress
from difflib import get_close_matches

OURS = (None, errno.EBADF, errno.EINVAL)  # what a system says to a faulty program


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


def reason(wrong: Exception) -> str:
    """Return a sentence on what the input lacks or the system refused, empty where the fault is rather the program's.

    Examples
    --------
    >>> reason(PermissionError(13, "Permission denied", "/srv/x")).partition(";")[0]
    '/srv/x cannot be read or written: Permission denied'
    """
    if isinstance(wrong, UnicodeEncodeError):
        return (
            f"{wrong.object[wrong.start : wrong.end]!r} cannot be written as {wrong.encoding} text; allowed: a "
            "locale in UTF-8, such as LC_ALL=C.UTF-8, or PYTHONUTF8=1."
        )
    if not isinstance(wrong, OSError):
        return str(wrong) if getattr(wrong, "input_is_wrong", False) else ""
    if wrong.filename is None and (refused := _refusals(probe="\n")):
        return f"{refused} cannot be written to: {wrong.strerror}; allowed: a file or pipe that takes all that is said."
    if wrong.errno in OURS or isinstance(wrong, ConnectionError | ChildProcessError | ProcessLookupError):
        return ""
    return (
        f"{wrong.filename or 'a file'} cannot be read or written: {wrong.strerror}; needed are space and "
        "permission there, or another folder (TMPDIR, XDG_CACHE_HOME, --out)."
    )


def _refusals(probe: str = "") -> str:
    """Name the stream that refuses what is printed; what is left in it goes nowhere, lest Python try again at exit.

    Flushing alone tells nothing after a failed print: what was refused is gone from the buffer.
    """
    refused = ""
    for stream, name, text in ((sys.stdout, "standard output", probe), (sys.stderr, "standard error", "")):
        try:
            stream.write(text)
            stream.flush()
        except OSError:
            refused = refused or name
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, stream.fileno())
            os.close(null)
    return refused


def say(line: str, code: int) -> int:
    """Print a line on standard error where that takes it, and return the exit code."""
    with suppress(OSError):
        print(line, file=sys.stderr, flush=True)
    _refusals()
    return code


def ended(wrong: KeyboardInterrupt) -> int:
    """Say who ended the command, and return the exit code a shell knows it by."""
    number = signal.Signals(wrong.args[0] if wrong.args else signal.SIGINT)
    how = "interrupted" if number == signal.SIGINT else f"ended by {number.name}"
    return say(f"{how}; what was published before is unchanged", 128 + number)
