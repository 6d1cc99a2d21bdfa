"""Keep account of the project's files a notebook opens, so that a report is made again when one of them changes."""

from __future__ import annotations

import os
import pickle
import sys
from pathlib import Path
from typing import Any

from nbproof.project import project

__all__ = ["record_reads", "reads"]

STARTUP = """import pickle
from nbproof.project import use
from nbproof.reads import record_reads, spare_tracebacks
use(lambda found=pickle.loads({project!r}): found)
record_reads({log!r})
spare_tracebacks(get_ipython())
"""


def record_reads(log: str) -> None:
    """From now on, append to ``log`` the name of every file of the project that this process opens for reading.

    Works through an audit hook, so that it sees what any library opens. Modules, caches, the environment and built
    reports are left out: the plan knows the first, the rest is no input.
    """
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    found = project()
    prefix, python = os.path.join(str(found.root), ""), os.path.join(os.path.realpath(sys.prefix), "")
    seen: set[str] = set()

    def hook(event: str, arguments: tuple) -> None:
        if event != "open" or not isinstance(arguments[0], str | bytes):
            return
        path = os.fsdecode(arguments[0])
        mode, flags = arguments[1], arguments[2]
        writes = mode and any(c in mode for c in "wax+") or (not mode and flags & (os.O_WRONLY | os.O_RDWR))
        if writes or not (path := os.path.abspath(path)).startswith(prefix) or path in seen:
            return
        seen.add(path)
        name = path.removeprefix(prefix)
        hidden = any(part.startswith(".") or part == "__pycache__" for part in name.split(os.sep))
        known = name.split(os.sep)[0] == found.reports or name.endswith((".py", ".pyc", ".ipynb"))
        if not (hidden or known or path.startswith(python)):
            os.write(descriptor, f"{name}\n".encode())

    sys.addaudithook(hook)


def spare_tracebacks(shell: Any) -> None:
    """Let a kernel's shell show no traceback of an error that says what is wrong with the input, as ours does not."""
    show = shell._showtraceback
    shell._showtraceback = lambda kind, wrong, lines: show(
        kind, wrong, [] if getattr(wrong, "input_is_wrong", False) else lines)


def reads(log: Path) -> list[str]:
    """Return the recorded names, sorted, of files that exist."""
    names = log.read_text(encoding="utf-8").splitlines() if log.is_file() else []
    return sorted({Path(name).as_posix() for name in names if project().path(name).is_file()})


def startup_for_kernels(folder: Path, log: Path) -> None:
    """Write an IPython start-up file into a profile, so that a real kernel keeps the same account and outputs."""
    startup = folder / "profile_default" / "startup"
    startup.mkdir(parents=True, exist_ok=True)
    text = STARTUP.format(log=str(log), project=pickle.dumps(project()))
    (startup / "00-reads.py").write_text(text, encoding="utf-8")
