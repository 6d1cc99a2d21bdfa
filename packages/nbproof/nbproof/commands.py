"""The commands ``build``, ``verify`` and ``translate``, for `nbproof` and for any command that takes them in.

What options, streams and the system do to a command is said in one line.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from nbproof.errors import OutputError, ParameterError, UnknownNameError, ended, reason, say
from nbproof.project import Project, here, use

if TYPE_CHECKING:
    from nbproof.plan import ReportPlan

__all__ = ["CommandParser", "add_command", "add_commands", "check_positive", "folder_option", "run_command", "shown"]

EARLIEST = 315532800  # 1980-01-01 in seconds: docx, xlsx and npz are zip archives, which state no earlier time
LIMIT = 1_000_000_000  # seconds, processes or draws: above what any machine has
PAIRS = {"nargs": 2, "action": "append", "default": [], "metavar": ("NAME", "VALUE")}
SWITCH = {"action": "store_true"}
ENGINE = {"choices": ("warm", "kernel"), "default": "warm"}
DEFAULT = "reports, reports/quick for the quick profile"
TAKEN = "taken from there when made from the same, kept there when made here"
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
    named, folder = ",".join(languages), "" if languages else ", or their folder"
    use, add = partial(_use, source, not languages), partial(add_command, commands)
    build = add("build", partial(_build, use), "make the reports that are not up to date, and say why")
    compared = "recompute every report and compare it with the committed results and the built files"
    verify = add("verify", partial(_verify, use), compared)
    renewed = "bring catalogues and notebooks of the other languages up to date"
    translate = add("translate", partial(_translate, partial(_use, source, False)), renewed)
    for command, how in ((build, f"by name or path{folder}"), (verify, f"by name{folder}"), (translate, "by name")):
        command.add_argument("notebooks", nargs="*", metavar="NOTEBOOK", help=f"{how}; all when none is given")
    for command in (build, verify):
        command.add_argument("--jobs", type=int, metavar="N", help="reports made at a time (default: one a processor)")
    for name, given, told in (
        ("profile", {"default": "full"}, "parameters from notebooks/profiles.toml: full (default) or quick"),
        ("language", {"default": named or None, "metavar": named or "LANGUAGE,..."}, "languages of the reports"),
        ("parameter", PAIRS, "set a parameter of the notebooks named; needs --out"),
        ("force", SWITCH, "make everything again"),
        ("out", {"type": folder_option, "metavar": "DIR"}, f"output folder (default: {DEFAULT})"),
        ("engine", ENGINE, "forks of a warm process (default), or real Jupyter kernels"),
        ("limit", {"type": float, "default": 900, "metavar": "SECONDS"}, "time limit a notebook (default: 900)"),
        ("no-render", SWITCH, "run the notebooks and write their results, but no pages; needs --out"),
        ("cache", {"default": "", "metavar": "DIR|URL"}, f"share runs with other checkouts: {TAKEN}"),
        ("plan", SWITCH, "only say what would be made and why"),
        ("picture", {"type": Path, "metavar": "FILE.svg"}, "with --plan: draw what is built from what"),
    ):
        build.add_argument(*["-p"] * (name == "parameter"), f"--{name}", help=told, **given)


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

    names, given = use(chosen.notebooks), dict(chosen.parameter)
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
        if (times := sum(name == other for other, _ in chosen.parameter)) > 1:
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
            _draw(reports, chosen.picture)
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


def _draw(reports: Sequence[ReportPlan], to: Path) -> None:
    """Write the picture of a plan."""
    from nbproof.folder import write_whole
    from nbproof.look import words
    from nbproof.picture import made_from

    inputs, reasons = ({each.name: getattr(each, key) for each in reports} for key in ("run_inputs", "reasons"))
    write_whole(to, made_from(inputs, reasons, words("en")).encode())


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
