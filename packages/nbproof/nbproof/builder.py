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
            more = {"engine": engine, "pdf": pdf, "folder": folder, "cache": cache}
            with surroundings() as way, closing(_Crew(plan, built, way, limit, more)) as crew:
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


class _Crew:
    """The processes that make reports, one a report, at most ``jobs`` at a time."""

    def __init__(self, plan: BuildPlan, built: Built, context: Any, limit: float, more: Mapping[str, Any]) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        self.plan, self.built, self.context, self.limit = plan, built, context, limit
        self.more = {**more} if context.get_start_method() == "forkserver" else {**more, "engine": "kernel"}
        self.alive, self.kept_open = context.Pipe(duplex=False)
        self.running: dict[Connection, _Making] = {}
        self.live = sys.stdout.isatty()
        said = TextColumn("{task.description}"), BarColumn(bar_width=28), TextColumn("{task.fields[at]}")
        # what is printed while the bars live stands above them
        self.bars = Progress(*said, TimeElapsedColumn(), console=Console(highlight=False), disable=not self.live)

    def work(self, jobs: int) -> None:
        """Make every stale report."""
        from multiprocessing.connection import wait

        waiting = list(self.plan.stale)
        with self.bars:
            while waiting or self.running:
                while waiting and len(self.running) < jobs:
                    _Making(waiting.pop(0), self).start()
                heard = wait(list(self.running), timeout=0.2)
                for each in [making for channel, making in self.running.items() if channel in heard]:
                    each.hear()
                for each in list(self.running.values()):
                    if time.monotonic() - each.started > self.limit:
                        late = f"took longer than its limit of {self.limit:g} s and was ended; allow more with"
                        each.failed(f"{each.name}: {late} --limit SECONDS.")

    def close(self) -> None:
        """End whatever still runs."""
        for each in self.running.values():
            each.end()
        self.kept_open.close()
        self.alive.close()


class _Making:
    """One report in the making, with its bar; where nobody watches, a line as it begins and ends.

    What its process tells calls the method of that name: `cell`, `taken`, `render`, at last `done` or `failed`.
    """

    def __init__(self, report: ReportPlan, crew: _Crew) -> None:
        from nbproof.run import Job, make

        self.name, self.crew, self.started = report.name, crew, time.monotonic()
        more = f" (and {len(report.reasons) - 3} more)" if len(report.reasons) > 3 else ""
        print(f"{self.name}: {'; '.join(report.reasons[:3])}{more}", flush=True)
        self.bar = crew.bars.add_task(self.name, total=None, at="starting")
        self.staged = staging(crew.plan.out, self.name)
        used = replace(project(), languages=project().languages or report.languages)
        job = Job(report, self.staged, crew.plan.out, used, crew.plan.environment, **crew.more)
        self.channel, self.theirs = crew.context.Pipe(duplex=False)
        self.process = crew.context.Process(target=make, args=(job, self.theirs, crew.alive), daemon=False)

    def start(self) -> None:
        """Start the process."""
        self.crew.running[self.channel] = self  # first: an interrupt ends what is here
        try:
            self.process.start()
        except EOFError:
            raise NotebookError(
                "the process that loads the libraries for the notebooks died; "
                f"`python -m {' '.join(['nbproof.warm', *project().preload])}` shows why."
            ) from None
        self.theirs.close()

    def hear(self) -> None:
        """Take in what the process tells next, or that it is gone."""
        try:
            kind, *rest = self.channel.recv()
        except EOFError:
            from nbproof.run import NO_END

            self.process.join()
            kind, rest = "failed", [f"{self.name}: its process died (exit code {self.process.exitcode}) {NO_END}"]
        getattr(self, kind)(*rest)
        if kind not in ("done", "failed") and os.environ.get("NBPROOF_PROGRESS") == "json":  # for one that watches
            print(json.dumps([kind, self.name, *rest]), flush=True)

    def cell(self, index: int, total: int) -> None:
        """A cell begins."""
        self.crew.bars.update(self.bar, completed=index, total=total + 2, at=f"cell {index + 1} of {total}")

    def taken(self, place: str) -> None:
        """The notebook need not be run."""
        print(f"{self.name}: its run is taken from {place}", flush=True)

    def render(self, language: str) -> None:
        """A language is being rendered."""
        self.crew.bars.update(self.bar, advance=1, at=f"rendering {language}")

    def done(self, entry: Mapping[str, Any]) -> None:
        """Publish the report, which is whole."""
        out, name = self.crew.plan.out, self.name
        try:
            check_free(out, entry["outputs"])
        except OutputError as wrong:
            return self.failed(f"{name}: {wrong}")
        old = read_manifest(out).get("reports", {}).get(name, {}).get("outputs", {})
        gone = [each for each in sorted({*old} - {*entry["outputs"]}) if file_hash(out / each) == old[each]]
        publish(self.staged, out, name, entry, gone)  # what somebody edited stays
        (out / "failed" / f"{name}.ipynb").unlink(missing_ok=True)
        self.process.join(timeout=2)
        if self.process.is_alive():  # a thread the notebook left behind keeps it
            _end(self.process)
        del self.crew.running[self.channel]
        self.crew.built.made.append(name)
        seconds = time.monotonic() - self.started
        self.crew.bars.update(self.bar, completed=1, total=1, at="built")
        self.crew.bars.stop_task(self.bar)
        if not self.crew.live:
            print(f"{name}: built in {seconds:.1f} s", flush=True)
        with open(out / "build.log", "a", encoding="utf-8") as log:  # durations stay apart from all that is hashed
            log.write(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {name} {seconds:.2f} s\n")
        return None

    def failed(self, message: str) -> None:
        """Say why the report is not made, and go on without it."""
        self.crew.running.pop(self.channel).end()
        self.crew.built.failed[self.name] = message
        self.crew.bars.update(self.bar, at="failed")
        self.crew.bars.stop_task(self.bar)
        red, plain = ("\x1b[1;31m", "\x1b[0m") if self.crew.live else ("", "")
        print(f"{red}error: {message}{plain}", file=sys.stderr, flush=True)

    def end(self) -> None:
        """End the process, and leave nothing of the report."""
        _end(self.process)
        shutil.rmtree(self.staged, ignore_errors=True)


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
