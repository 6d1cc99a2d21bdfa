"""The commands ``build``, ``verify`` and ``translate``, for `nbproof` and for any command that takes them in.

What options, streams and the system do to a command is said in one line.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
import tomllib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from nbproof.errors import OutputError, ParameterError, UnknownNameError, ended, reason, say
from nbproof.project import Project, here, use

EARLIEST = 315532800  # 1980-01-01 in seconds: docx, xlsx and npz are zip archives, which state no earlier time
LIMIT = 1_000_000_000  # seconds, processes or draws: above what any machine has
SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


def run_command(parser: Callable[[], argparse.ArgumentParser], arguments: Sequence[str] | None = None) -> int:
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
    child process prints. Characters that a stream's encoding lacks are escaped. Refused are a closed standard output
    and a clock that stands before 1980.
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
        raise OutputError(
            f"this machine's clock says {time.strftime('%Y-%m-%d', time.gmtime())}; a docx or xlsx file "
            "can state no time before 1980-01-01: set the clock."
        )


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


class CommandParser(argparse.ArgumentParser):
    """An argument parser that says what is wrong in one sentence."""

    def error(self, message: str) -> NoReturn:
        raise ParameterError(f"{message}; see {self.prog} --help.")

    def _print_message(self, message: str, file: Any = None) -> None:
        print(message, end="", file=file)  # argparse would pass over what the stream refuses

    def _check_value(self, action: argparse.Action, value: object) -> None:
        if action.choices is not None and value not in action.choices:
            kind = action.dest if action.option_strings else "command"
            raise UnknownNameError(kind, str(value), action.choices)


def add_command(
    commands: argparse._SubParsersAction, name: str, work: Callable[[argparse.Namespace], int], help: str
) -> argparse.ArgumentParser:
    """Add a command that does ``work`` and returns its exit code."""
    command = commands.add_parser(name, help=help, description=help[0].upper() + help[1:] + ".")
    command.set_defaults(work=work)
    return command


def add_commands(
    commands: argparse._SubParsersAction, source: Callable[[], Project] = here, languages: Sequence[str] = ()
) -> None:
    """Add ``build``, ``verify`` and ``translate`` to the commands of a parser.

    Parameters
    ----------
    source : callable
        Returns the project.
    languages : sequence of str
        The project's, where a command is for one alone: then the help text names them, and the notebooks are where
        the project says; else a folder can be given.
    """
    folder, named = "" if languages else ", or their folder", ",".join(languages)
    for name, told in tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8")).items():
        work = partial(WORK[name], partial(_use, source, not languages and "{folder}" in told["notebooks"]))
        command, how = add_command(commands, name, work, told["help"]), told["notebooks"].format(folder=folder)
        command.add_argument("notebooks", nargs="*", metavar="NOTEBOOK", help=f"{how}; all when none is given")
        for option, about in told.get("options", {}).items():
            if option == "--language":
                about |= {"default": named or None, "metavar": named or "LANGUAGE,..."}
            if "type" in about:
                about["type"] = TYPES[about["type"]]
            if "nargs" in about:
                about["metavar"] = tuple(about["metavar"])
            command.add_argument(*option.split(), **about)


def folder_option(given: str) -> Path:
    """Read an option that names a folder."""
    if not given.strip():  # Path takes it for the current folder
        raise argparse.ArgumentTypeError("no folder is named; allowed: a new or an empty one")
    return Path(given)


def shown(path: Path) -> str:
    """A path as short as it can be said from here."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _build(use: Callable[[Sequence[str]], list[str]], chosen: argparse.Namespace) -> int:
    from nbproof import builder

    names, pairs = use(chosen.notebooks), chosen.parameter or []
    given = dict(pairs)
    if given and not (chosen.out and names):
        raise ParameterError(
            "-p changes what a report says; name the notebook and give a folder of its own with "
            "--out DIR, so that the project's reports stay as they are."
        )
    if chosen.no_render and not chosen.out:
        raise ParameterError(
            "--no-render makes no pages; give a folder of its own with --out DIR, so that the reports stay as they are."
        )
    for name in given:
        if (times := sum(name == other for other, _ in pairs)) > 1:
            raise ParameterError(f"parameter {name} is given {times} times; give it once.")
    check_positive(jobs=chosen.jobs, limit=chosen.limit)
    languages = [] if chosen.no_render else None if chosen.language is None else chosen.language.split(",")
    options = {key: getattr(chosen, key) for key in ("out", "profile", "force")}
    options |= {"languages": languages, "given": given}
    if chosen.picture and not (chosen.plan and chosen.picture.suffix == ".svg"):
        raise ParameterError(f"--picture draws the plan as SVG; got {chosen.picture}; give --plan too, and FILE.svg.")
    if chosen.plan:
        reports = builder.planned(names, **options).reports
        for report in reports:
            print(f"{report.name}: {'; '.join(report.reasons) or 'up to date'}")
        if chosen.picture:
            from nbproof import folder, look, picture

            inputs, reasons = ({each.name: getattr(each, key) for each in reports} for key in ("run_inputs", "reasons"))
            folder.write_whole(chosen.picture, picture.made_from(inputs, reasons, look.words("en")).encode())
        return 0
    options |= {key: getattr(chosen, key) for key in ("jobs", "engine", "limit", "cache")}
    built = builder.build(names, **options)
    if wrong := builder.failure(built):  # each was said when it failed
        if len(built.failed) + len(built.made) + len(built.kept) > 1:
            raise wrong
        return 2
    opened = built.out / ("notebooks" if chosen.no_render else "index.html")
    print(f"{len(built.made)} made, {len(built.kept)} up to date; open {shown(opened)}")
    return 0


def _verify(use: Callable[[Sequence[str]], list[str]], chosen: argparse.Namespace) -> int:
    from nbproof import verifier

    check_positive(jobs=chosen.jobs)
    found = verifier.verify(use(chosen.notebooks), jobs=chosen.jobs)
    if found.drifts:
        print(verifier.as_table(found.drifts))
    print("\n".join(found.notes), end="\n" if found.notes else "")
    what = f"{found.checked} results" + (f" and {found.files} built files" if found.files else "")
    print(f"{what} recomputed, {len(found.drifts) or 'none'} drifted")
    return 1 if found.drifts else 0


def _use(source: Callable[[], Project], folders: bool, names: Sequence[str]) -> list[str]:
    """Let the project be in use, a folder among the names as its notebooks; return the others."""
    found = [name for name in names if folders and Path(name).is_dir()]
    use((lambda: replace(source(), notebooks=str(Path(found[0]).resolve()))) if found else source)
    if len(found) > 1:
        raise ParameterError(f"one folder of notebooks at a time; got {' and '.join(found)}.")
    return [name for name in names if name not in found]


def _translate(use: Callable[[Sequence[str]], list[str]], chosen: argparse.Namespace) -> int:
    from nbproof.translation import translate

    missing = list(translate(use(chosen.notebooks)))
    print("\n".join(f"{file}: no translation of {text!r}" for file, text in missing) or "all translated")
    return 1 if missing else 0


WORK = {"build": _build, "verify": _verify, "translate": _translate}
TYPES: dict[str, Callable[[str], Any]] = {"int": int, "float": float, "path": Path, "folder": folder_option}
