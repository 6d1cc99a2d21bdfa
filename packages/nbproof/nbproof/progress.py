"""Show how a build goes: live bars in a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from typing import Any

__all__ = ["Lines", "Live", "progress_for"]


class Lines:
    """One line for each thing that happens."""

    def __init__(self) -> None:
        self.started: dict[str, float] = {}

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def say(self, text: str) -> None:
        print(text, flush=True)

    def start(self, name: str, reasons: tuple[str, ...]) -> None:
        self.started[name] = time.monotonic()
        more = f" (and {len(reasons) - 3} more)" if len(reasons) > 3 else ""
        self.say(f"{name}: {'; '.join(reasons[:3])}{more}")

    def cell(self, name: str, index: int, total: int) -> None:
        """A cell began: too many lines to print one each."""

    def render(self, name: str, language: str) -> None:
        """A language is being rendered: likewise."""

    def done(self, name: str) -> float:
        seconds = time.monotonic() - self.started[name]
        self.say(f"{name}: built in {seconds:.1f} s")
        return seconds

    def failed(self, name: str, message: str) -> None:
        print(f"error: {message}", file=sys.stderr, flush=True)


class Live(Lines):
    """A bar for each notebook: which cell runs, which language is rendered."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        super().__init__()
        columns: list[Any] = [TextColumn("{task.description}"), BarColumn(bar_width=28),
                              TextColumn("{task.fields[at]}"), TimeElapsedColumn()]
        self.bars = Progress(*columns, console=Console(highlight=False))
        self.tasks: dict[str, Any] = {}

    def __enter__(self) -> Live:
        self.bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bars.stop()

    def say(self, text: str) -> None:
        self.bars.console.print(text, markup=False)

    def start(self, name: str, reasons: tuple[str, ...]) -> None:
        super().start(name, reasons)
        self.tasks[name] = self.bars.add_task(name, total=None, at="starting")

    def cell(self, name: str, index: int, total: int) -> None:
        self.bars.update(self.tasks[name], completed=index, total=total + 2, at=f"cell {index + 1} of {total}")

    def render(self, name: str, language: str) -> None:
        self.bars.update(self.tasks[name], advance=1, at=f"rendering {language}")

    def done(self, name: str) -> float:
        self.bars.update(self.tasks[name], completed=1, total=1, at="built")
        self.bars.stop_task(self.tasks[name])
        return time.monotonic() - self.started[name]

    def failed(self, name: str, message: str) -> None:
        if name in self.tasks:
            self.bars.update(self.tasks[name], at="failed")
            self.bars.stop_task(self.tasks[name])
        self.bars.console.print(f"error: {message}", markup=False, style="bold red")


def progress_for(stream: Any) -> Lines:
    """Return live bars for a terminal, lines for anything else."""
    return Live() if stream.isatty() else Lines()
