"""Let every signal that asks a command to end be an interrupt, so that the command takes its drafts with it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["interruptible", "said"]

SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


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


def said(wrong: KeyboardInterrupt) -> tuple[str, int]:
    """Return how an interrupt is said, and the exit code a shell knows it by.

    Examples
    --------
    >>> said(KeyboardInterrupt(15))
    ('ended by SIGTERM; what was published before is unchanged', 143)
    """
    number = signal.Signals(wrong.args[0] if wrong.args else signal.SIGINT)
    how = "interrupted" if number == signal.SIGINT else f"ended by {number.name}"
    return f"{how}; what was published before is unchanged", 128 + number
