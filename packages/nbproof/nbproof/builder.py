"""Build the reports: plan, run what changed in parallel, publish each when it is whole, and tell how it goes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbproof.errors import NotebookError, OutputError
from nbproof.folder import (
    CRATE,
    TAKEN,
    as_json,
    check_free,
    file_hash,
    front_files,
    locked,
    publish,
    read_manifest,
    staging,
    write_whole,
)
from nbproof.machine import ENVIRONMENT, KEPT, cache_folder, end_below, processors
from nbproof.plan import BuildPlan, ReportPlan, file_label, json_hash, labelled, planned, rendering_files, text_hash
from nbproof.project import project

if TYPE_CHECKING:  # a build with nothing to do starts no process
    from multiprocessing.connection import Connection


@dataclass
class Built:
    """What a build did: the reports made, those left as they were, and what failed, by name."""

    out: Path
    made: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)


def build(
    names: Sequence[str] = (),
    *,
    out: Path | None = None,
    profile: str = "full",
    languages: Sequence[str] | None = None,
    given: Mapping[str, str] | None = None,
    jobs: int | None = None,
    force: bool = False,
    engine: str = "warm",
    limit: float = 900.0,  # seconds a notebook may take
    pdf: bool = True,
    folder: Path | None = None,
    cache: str = "",
) -> Built:
    """Build the reports that are not up to date.

    Parameters
    ----------
    names, out, profile, languages, given, force
        As in :func:`nbproof.planned`; without a language the notebooks are run and nothing is rendered.
    jobs : int, optional
        Reports made at a time; the number of processors by default.
    engine : {"warm", "kernel"}
        A fork of a warm process, or a real Jupyter kernel; the latter also where the platform has no fork server.
    limit : float
        Seconds after which a notebook is ended.
    pdf : bool
        Make PDFs too.
    folder : Path, optional
        Where the notebooks run, so that a parameter can name a file without saying where on this machine it stands.
    cache : str
        A folder or an address at which runs are shared with other checkouts and machines.

    Returns
    -------
    Built
        ``failed`` maps the name of each failed report to one sentence; the others are published all the same.
    """
    options: dict[str, Any] = {"out": out, "profile": profile, "languages": languages, "given": given, "force": force}
    plan, waited = planned(names, **options), []  # refuses bad input before anything is written
    if cache:
        from nbproof.cache import open_cache

        cache = open_cache(cache).place
    out, seen = plan.out, file_hash(plan.out / "manifest.json")

    def wait_for_another(text: str) -> None:
        waited.append(text)
        print(text, file=sys.stderr, flush=True)

    with locked(out, wait_for_another):
        shutil.rmtree(out / ".staging", ignore_errors=True)  # what a killed build left, here and below
        for name in ("manifest.json", *front_files(read_manifest(out))):
            for left in out.glob(f".{name}.*"):
                left.unlink()
        if waited or file_hash(out / "manifest.json") != seen:  # another build was at work in between
            plan = planned(names, **options)
        if not (out / "manifest.json").exists():
            write_whole(out / "manifest.json", as_json(TAKEN))  # from here on the folder is known to be a build's
        built = Built(out, kept=[report.name for report in plan.reports if not report.reasons])
        if plan.stale:
            progress, more = Progress(), {"engine": engine, "pdf": pdf, "folder": folder, "cache": cache}
            with progress.bars, surroundings() as way, closing(_Crew(plan, built, progress, way, limit, more)) as crew:
                crew.work(jobs or processors())
        _finish(plan, built)
    return built


def _finish(plan: BuildPlan, built: Built) -> None:
    """Write front pages, manifest and crate when a report changed or one of these is not what it was."""
    manifest = _without_orphans(read_manifest(plan.out), plan.out)
    if not any(report["languages"] for report in manifest.get("reports", {}).values()):
        return  # nothing to list
    if not built.made and manifest.get("index") == index_of(manifest, plan.out):
        return
    from nbproof.manifest import origin, ro_crate
    from nbproof.render import front_pages

    pages, old = front_pages(plan.out, manifest), front_files(manifest)
    check_free(plan.out, pages)
    manifest = {
        "schema": 1,
        "profile": plan.profile,
        **origin(),
        "environment": dict(plan.environment),
        "reports": manifest["reports"],
        "index": dict.fromkeys([*pages, CRATE], ""),
    }
    for name in {*old} - {*manifest["index"]}:
        (plan.out / name).unlink(missing_ok=True)
    write_whole(plan.out / "manifest.json", as_json(manifest))  # first: what stands there is known for a build's
    for name, page in pages.items():
        write_whole(plan.out / name, page.encode())
    write_whole(plan.out / CRATE, ro_crate(manifest))
    manifest["index"] = index_of(manifest, plan.out)
    write_whole(plan.out / "manifest.json", as_json(manifest))


def _without_orphans(manifest: dict[str, Any], out: Path) -> dict[str, Any]:
    """Leave out the reports whose notebook is gone from the project, and remove their pages; committed results stay."""
    home = file_label(project().path(project().notebooks))
    for name, entry in list(manifest.get("reports", {}).items()):
        if entry["notebook"].startswith(f"{home}/") and not project().path(entry["notebook"]).is_file():
            for output, digest in entry["outputs"].items():
                if not output.startswith("results/") and file_hash(out / output) == digest:
                    (out / output).unlink(missing_ok=True)
            del manifest["reports"][name]
    return manifest


def index_of(manifest: Mapping[str, Any], out: Path) -> dict[str, str]:
    """Hash what front pages and crate are made from, these themselves, and all else that the manifest says."""
    listed = {name: report["outputs"].get(f"search/{name}.json") for name, report in manifest["reports"].items()}
    files = [*rendering_files("nbproof.render", "nbproof.manifest"), project().path("CITATION.cff")]
    sources = labelled(files)
    rest = {key: value for key, value in manifest.items() if key != "index"}
    return {
        "key": json_hash([listed, sources]),
        **{name: file_hash(out / name) for name in front_files(manifest)},
        "seal": text_hash(as_json(rest).decode()),
    }


class Progress:
    """A bar for each notebook, saying what is run or rendered; where nobody watches, a line as it begins and ends."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        self.live = sys.stdout.isatty()
        said = TextColumn("{task.description}"), BarColumn(bar_width=28), TextColumn("{task.fields[at]}")
        self.bars = Progress(*said, TimeElapsedColumn(), console=Console(highlight=False), disable=not self.live)
        self.tasks: dict[str, Any] = {}  # what is printed while the bars live stands above them

    def start(self, name: str, reasons: tuple[str, ...]) -> None:
        """Say which report is made, and why."""
        more = f" (and {len(reasons) - 3} more)" if len(reasons) > 3 else ""
        print(f"{name}: {'; '.join(reasons[:3])}{more}", flush=True)
        self.tasks[name] = self.bars.add_task(name, total=None, at="starting")

    def cell(self, name: str, index: int, total: int) -> None:
        """A cell begins."""
        self.bars.update(self.tasks[name], completed=index, total=total + 2, at=f"cell {index + 1} of {total}")

    def taken(self, name: str, place: str) -> None:
        """Say that the notebook need not be run."""
        print(f"{name}: its run is taken from {place}", flush=True)

    def render(self, name: str, language: str) -> None:
        """A language is being rendered."""
        self.bars.update(self.tasks[name], advance=1, at=f"rendering {language}")

    def done(self, name: str, seconds: float) -> None:
        """Say that a report is whole."""
        self.bars.update(self.tasks[name], completed=1, total=1, at="built")
        self.bars.stop_task(self.tasks[name])
        if not self.live:
            print(f"{name}: built in {seconds:.1f} s", flush=True)

    def failed(self, name: str, message: str) -> None:
        """Say why a report is not made."""
        self.bars.update(self.tasks[name], at="failed")
        self.bars.stop_task(self.tasks[name])
        red, plain = ("\x1b[1;31m", "\x1b[0m") if self.live else ("", "")
        print(f"{red}error: {message}{plain}", file=sys.stderr, flush=True)


class _Crew:
    """The processes that make reports, one a report, at most ``jobs`` at a time."""

    def __init__(
        self, plan: BuildPlan, built: Built, progress: Progress, context: Any, limit: float, more: Mapping[str, Any]
    ) -> None:
        self.plan, self.built, self.progress, self.context, self.limit = plan, built, progress, context, limit
        self.more = {**more} if context.get_start_method() == "forkserver" else {**more, "engine": "kernel"}
        self.alive, self.kept_open = self.context.Pipe(duplex=False)
        self.running: dict[Connection, tuple[ReportPlan, Any, float, Path]] = {}

    def work(self, jobs: int) -> None:
        """Make every stale report."""
        from multiprocessing.connection import wait

        waiting = list(self.plan.stale)
        while waiting or self.running:
            while waiting and len(self.running) < jobs:
                self._start(waiting.pop(0))
            heard = wait(list(self.running), timeout=0.2)
            for channel in [each for each in self.running if each in heard]:
                self._hear(channel)
            for channel, (report, _, started, _) in list(self.running.items()):
                if time.monotonic() - started > self.limit:
                    late = f"took longer than its limit of {self.limit:g} s and was ended; allow more with"
                    self._fail(channel, f"{report.name}: {late} --limit SECONDS.")

    def _start(self, report: ReportPlan) -> None:
        from nbproof.run import Job, make

        self.progress.start(report.name, report.reasons)
        staged = staging(self.plan.out, report.name)
        used = replace(project(), languages=project().languages or report.languages)
        job = Job(report, staged, self.plan.out, used, self.plan.environment, **self.more)
        ours, theirs = self.context.Pipe(duplex=False)
        process = self.context.Process(target=make, args=(job, theirs, self.alive), daemon=False)
        self.running[ours] = (report, process, time.monotonic(), staged)  # first: an interrupt ends what is here
        try:
            process.start()
        except EOFError:
            raise NotebookError(
                "the process that loads the libraries for the notebooks died; "
                f"`python -m {' '.join(['nbproof.warm', *project().preload])}` shows why."
            ) from None
        theirs.close()

    def _hear(self, channel: Connection) -> None:
        report, process, _, staged = self.running[channel]
        try:
            kind, *rest = channel.recv()
        except EOFError:
            from nbproof.run import NO_END

            process.join()
            kind, rest = "failed", [f"{report.name}: its process died (exit code {process.exitcode}) {NO_END}"]
        if kind == "done":
            self._publish(channel, rest[0])
        elif kind == "failed":
            self._fail(channel, rest[0])
        else:
            getattr(self.progress, kind)(report.name, *rest)
            if os.environ.get("NBPROOF_PROGRESS") == "json":  # for a program that watches
                print(json.dumps([kind, report.name, *rest]), flush=True)

    def _publish(self, channel: Connection, entry: Mapping[str, Any]) -> None:
        report, process, started, staged = self.running[channel]
        out, name = self.plan.out, report.name
        try:
            check_free(out, entry["outputs"])
        except OutputError as wrong:
            return self._fail(channel, f"{name}: {wrong}")
        old = read_manifest(out).get("reports", {}).get(name, {}).get("outputs", {})
        gone = [each for each in sorted({*old} - {*entry["outputs"]}) if file_hash(out / each) == old[each]]
        publish(staged, out, name, entry, gone)  # what somebody edited stays
        (out / "failed" / f"{name}.ipynb").unlink(missing_ok=True)
        process.join(timeout=2)
        if process.is_alive():  # a thread the notebook left behind keeps it
            _end(process)
        del self.running[channel]
        self.built.made.append(name)
        self.progress.done(name, seconds := time.monotonic() - started)
        with open(out / "build.log", "a", encoding="utf-8") as log:  # durations stay apart from all that is hashed
            log.write(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {name} {seconds:.2f} s\n")
        return None

    def _fail(self, channel: Connection, message: str) -> None:
        report, process, _, staged = self.running.pop(channel)
        _end(process)
        shutil.rmtree(staged, ignore_errors=True)
        self.built.failed[report.name] = message
        self.progress.failed(report.name, message)

    def close(self) -> None:
        """End whatever still runs."""
        for _, process, _, staged in self.running.values():
            _end(process)
            shutil.rmtree(staged, ignore_errors=True)
        self.kept_open.close()
        self.alive.close()


@contextmanager
def surroundings() -> Iterator[Any]:
    """Give what starts notebooks, in their environment; from then on a warm server loads what all of them need.

    A context manager: on leaving, the environment of this process is what it was, and the server goes on.
    """
    import multiprocessing

    # for what libraries keep between runs, so that the reader's settings stay out; may say where it is instead
    home, before = cache_folder(project().name), dict(os.environ)
    try:
        os.environ.update(ENVIRONMENT, MPLCONFIGDIR=str(home / "matplotlib"), JUPYTER_CONFIG_DIR=str(home / "jupyter"))
        path = {Path(each or ".").resolve() for each in os.environ.get("PYTHONPATH", "").split(os.pathsep)}
        if not any(package.parent in path for package in project().folders.values()):  # else it is found by that
            os.environ.pop("PYTHONPATH", None)
        # macOS has a fork server too, but what its system libraries start does not survive a fork
        forks = "forkserver" in multiprocessing.get_all_start_methods() and sys.platform != "darwin"
        context: Any = multiprocessing.get_context("forkserver" if forks else "spawn")
        if forks:
            from multiprocessing import forkserver, resource_tracker

            context.set_forkserver_preload(["nbproof.warm", *project().preload])
            resource_tracker.ensure_running()  # it unblocks the signal
            # deaf to Ctrl-C, which the builder alone answers: it would show a traceback while it loads libraries
            mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
            try:
                forkserver.ensure_running()
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        yield context
    finally:
        os.environ.clear()
        os.environ.update(before)


def _end(process: Any) -> None:
    """End a process and everything it started."""
    if process.pid is None:  # interrupted before it began
        return
    if KEPT:  # it is a keeper, which ends the others
        process.terminate()
        process.join(timeout=5)
    else:
        end_below(process.pid)
    with suppress(AttributeError, ProcessLookupError, PermissionError):  # the first on Windows
        os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.join()


def failure(built: Built) -> NotebookError | None:
    """Return one error that sums up what failed, or None."""
    total = len(built.failed) + len(built.made) + len(built.kept)
    names = ", ".join(built.failed)
    return NotebookError(f"{len(built.failed)} of {total} reports failed: {names}.") if built.failed else None
