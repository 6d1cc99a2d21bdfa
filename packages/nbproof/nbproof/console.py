"""What the command's options, its streams and the system do to it, and how that is said in one line."""

from __future__ import annotations

import errno
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from nbproof.errors import OutputError, ParameterError

if TYPE_CHECKING:  # loading it may be what was interrupted
    from argparse import ArgumentParser

__all__ = ["check_positive", "ended", "run_command"]

EARLIEST = 315532800  # 1980-01-01 in seconds: docx, xlsx and npz are zip archives, which state no earlier time
LIMIT = 1_000_000_000  # seconds, processes or draws: above what any machine has
OURS = (None, errno.EBADF, errno.EINVAL)  # what a system says to a faulty program
SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


def run_command(parser: Callable[[], ArgumentParser], arguments: Sequence[str] | None = None) -> int:
    """Parse a command line, do its work, and say in one line what is wrong with the input or who ended it.

    Returns
    -------
    int
        What the work returned; 2 when the input is wrong, 130 when interrupted, 143 when terminated.
    """
    try:
        prepare()
        try:
            chosen = parser().parse_args(arguments)
            with interruptible():
                return chosen.work(chosen)
        finally:
            sys.stdout.flush()  # here, where what it raises can be said
    except Exception as wrong:
        if said := reason(wrong):
            return say(f"error: {said}", 2)
        raise  # a fault of ours shows its traceback
    except KeyboardInterrupt as wrong:
        return ended(wrong)


def prepare() -> None:
    """Make the standard streams fit to be written to.

    A closed descriptor is opened on the null device: the next file opened would take its number, and get what a
    child process prints. Characters that a stream's encoding lacks are escaped.

    Raises
    ------
    OutputError
        When standard output is closed, or the clock stands before 1980.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    closed = sys.stdout is None
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # print would take the other one
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - for the whole run
        getattr(sys, name).reconfigure(errors="backslashreplace")
    if closed:
        raise OutputError("standard output is closed; allowed: a terminal, a file, a pipe or /dev/null.")
    if time.time() < EARLIEST:
        raise OutputError(f"this machine's clock says {time.strftime('%Y-%m-%d', time.gmtime())}; a docx or xlsx file "
                          "can state no time before 1980-01-01: set the clock.")


def check_positive(**options: float | None) -> None:
    """Refuse an option that is no number above 0, or one no machine can use.

    Examples
    --------
    >>> check_positive(jobs=2, limit=float("inf"))
    Traceback (most recent call last):
    nbproof.errors.ParameterError: --limit must be below 1,000,000,000; got inf.
    """
    for name, value in options.items():
        if value is None or 0 < value < LIMIT:
            continue
        shown = f"{value:g}" if isinstance(value, float) else str(value)[:12]
        bound = f"below {LIMIT:,}" if value >= LIMIT else "above 0"  # what is no number is not above 0 either
        raise ParameterError(f"--{name} must be {bound}; got {shown}.")


def say(line: str, code: int) -> int:
    """Print a line on standard error where that takes it, and return the exit code."""
    with suppress(OSError):
        print(line, file=sys.stderr, flush=True)
    _refusals()
    return code


def reason(wrong: Exception) -> str:
    """Return a sentence on what the input lacks or the system refused, empty where the fault is rather the program's.

    Examples
    --------
    >>> reason(PermissionError(13, "Permission denied", "/srv/x")).partition(";")[0]
    '/srv/x cannot be read or written: Permission denied'
    """
    if isinstance(wrong, UnicodeEncodeError):
        return (f"{wrong.object[wrong.start:wrong.end]!r} cannot be written as {wrong.encoding} text; allowed: a "
                "locale in UTF-8, such as LC_ALL=C.UTF-8, or PYTHONUTF8=1.")
    if not isinstance(wrong, OSError):
        return str(wrong) if getattr(wrong, "input_is_wrong", False) else ""
    if wrong.filename is None and (refused := _refusals(probe="\n")):
        return f"{refused} cannot be written to: {wrong.strerror}; allowed: a file or pipe that takes all that is said."
    if wrong.errno in OURS or isinstance(wrong, ConnectionError | ChildProcessError | ProcessLookupError):
        return ""
    return (f"{wrong.filename or 'a file'} cannot be read or written: {wrong.strerror}; needed are space and "
            "permission there, or another folder (TMPDIR, XDG_CACHE_HOME, --out).")


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


@contextmanager
def interruptible() -> Iterator[None]:
    """Raise KeyboardInterrupt at the first signal that asks to end; later ones do not disturb the clearing up."""
    # what is ignored stays so: nohup does it to SIGHUP, a shell to SIGINT of what runs in its background
    before = {number: old for number in SIGNALS if (old := signal.getsignal(number)) not in (None, signal.SIG_IGN)}

    def interrupt(number: int, frame: Any) -> None:
        for each in before:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt(number)

    try:
        for number in before:
            signal.signal(number, interrupt)
    except ValueError:  # only the main thread hears of signals
        before = {}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


def ended(wrong: KeyboardInterrupt) -> int:
    """Say who ended the command, and return the exit code a shell knows it by."""
    number = signal.Signals(wrong.args[0] if wrong.args else signal.SIGINT)
    how = "interrupted" if number == signal.SIGINT else f"ended by {number.name}"
    return say(f"{how}; what was published before is unchanged", 128 + number)
