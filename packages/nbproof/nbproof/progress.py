"""Show how a build goes: live bars in a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from typing import Any, TextIO

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

__all__ = ["Progress"]


class Progress:
    """A bar for each notebook, which says what is run or rendered; where nobody watches, a line as it begins and ends.

    Parameters
    ----------
    stream : text stream
        Standard output.
    """

    def __init__(self, stream: TextIO) -> None:
        self.live = stream.isatty()
        self.bars = Bars(TextColumn("{task.description}"), BarColumn(bar_width=28), TextColumn("{task.fields[at]}"),
                         TimeElapsedColumn(), console=Console(highlight=False), disable=not self.live)
        self.tasks: dict[str, Any] = {}
        self.started: dict[str, float] = {}

    def __enter__(self) -> Progress:
        self.bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bars.stop()

    def say(self, text: str) -> None:
        """Print a line, above the bars."""
        self.bars.console.print(text, markup=False) if self.live else print(text, flush=True)

    def start(self, name: str, reasons: tuple[str, ...]) -> None:
        """Say which report is made, and why."""
        self.started[name] = time.monotonic()
        more = f" (and {len(reasons) - 3} more)" if len(reasons) > 3 else ""
        self.say(f"{name}: {'; '.join(reasons[:3])}{more}")
        self.tasks[name] = self.bars.add_task(name, total=None, at="starting")

    def cell(self, name: str, index: int, total: int) -> None:
        """A cell begins."""
        self.bars.update(self.tasks[name], completed=index, total=total + 2, at=f"cell {index + 1} of {total}")

    def render(self, name: str, language: str) -> None:
        """A language is being rendered."""
        self.bars.update(self.tasks[name], advance=1, at=f"rendering {language}")

    def done(self, name: str) -> float:
        """Say that a report is whole; return the seconds it took."""
        self.bars.update(self.tasks[name], completed=1, total=1, at="built")
        self.bars.stop_task(self.tasks[name])
        seconds = time.monotonic() - self.started[name]
        if not self.live:
            self.say(f"{name}: built in {seconds:.1f} s")
        return seconds

    def failed(self, name: str, message: str) -> None:
        """Say why a report is not made."""
        self.bars.update(self.tasks[name], at="failed")
        self.bars.stop_task(self.tasks[name])
        if self.live:
            self.bars.console.print(f"error: {message}", markup=False, style="bold red")
        else:
            print(f"error: {message}", file=sys.stderr, flush=True)
