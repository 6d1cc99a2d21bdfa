"""Build the reports: plan, run what changed in parallel, publish each when it is whole, and tell how it goes."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from nbproof.children import KEPT, end_below
from nbproof.errors import NotebookError, OutputError, ParameterError
from nbproof.machine import cache_folder, processors
from nbproof.owned import TAKEN, check_buildable, check_free, read_manifest
from nbproof.plan import (
    BuildPlan,
    ReportPlan,
    file_hash,
    file_label,
    find_notebooks,
    plan_build,
    rendering_files,
    text_hash,
)
from nbproof.project import project
from nbproof.publish import as_json, locked, publish, recover, staging, write_whole

__all__ = ["Built", "build", "index_of"]


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
) -> Built:
    """Build the reports that are not up to date.

    Parameters
    ----------
    names : sequence of str
        Notebooks by name or path; all when empty.
    out : Path, optional
        Output folder; the project's for the full profile, one of the profile's name in it for another.
    profile, languages, given, force
        As in :func:`nbproof.plan.plan_build`; without a language the notebooks are run and nothing is
        rendered.
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

    Returns
    -------
    Built
        ``failed`` maps the name of each failed report to one sentence; the others are published all the same.
    """
    options: dict[str, Any] = {"out": out, "profile": profile, "languages": languages, "given": given, "force": force}
    out = planned(names, **options).out  # refuses bad input before anything is written
    with locked(out, lambda text: print(text, file=sys.stderr, flush=True)):
        for name in recover(out):
            print(f"{name}: finished what an interrupted build had left", flush=True)
        plan = planned(names, **options)
        if not (out / "manifest.json").exists():
            write_whole(out / "manifest.json", as_json(TAKEN))  # from here on the folder is known to be a build's
        built = Built(out, kept=[report.name for report in plan.reports if not report.reasons])
        if plan.stale:
            _make_all(plan, built, jobs or processors(), (engine, limit, pdf, folder))
        _finish(plan, built)
    return built


def planned(names: Sequence[str] = (), *, out: Path | None = None, profile: str = "full", **options: Any) -> BuildPlan:
    """Plan a build, by default into the folder of its profile."""
    home = project().path(project().notebooks)
    if out is None and (foreign := [p.name for p in find_notebooks(names) if p.parent != home]):
        raise ParameterError(f"{', '.join(foreign)} is not one of the project's notebooks; give a folder of its own "
                             "with --out DIR, so that the project's reports stay as they are.")
    out = out or project().out / ("" if profile == "full" else profile)
    check_buildable(out)
    plan = plan_build(names, out=out, profile=profile, **options)
    check_free(out, _expected(plan))
    return plan


def _expected(plan: BuildPlan) -> list[str]:
    """The files a build is sure to write."""
    pages = [f"{language}/{report.name}.{kind}" for report in plan.stale for language in report.languages
             for kind in ("html", "pdf")]
    data = [f"{folder}/{report.name}.{kind}" for report in plan.stale
            for folder, kind in (("notebooks", "ipynb"), ("results", "json"), ("search", "json"))]
    return ["index.html", "ro-crate-metadata.json", *pages, *data]


def _make_all(plan: BuildPlan, built: Built, jobs: int, how: tuple[str, float, bool, Path | None]) -> None:
    from nbproof.progress import Progress

    with Progress(sys.stdout) as progress:
        crew = _Crew(plan, built, progress, *how)
        try:
            crew.work(jobs)
        finally:
            crew.end()


def _finish(plan: BuildPlan, built: Built) -> None:
    """Write front page, manifest and crate when a report changed or one of the three is not what it was."""
    manifest = _without_orphans(read_manifest(plan.out), plan.out)
    if not any(report["languages"] for report in manifest.get("reports", {}).values()):
        return  # nothing to list
    if not built.made and manifest.get("index") == index_of(manifest, plan.out):
        return
    from nbproof.index import front_page
    from nbproof.manifest import origin, ro_crate

    manifest = {"schema": 1, "profile": plan.profile, **origin(), "environment": dict(plan.environment),
                "reports": manifest["reports"]}
    write_whole(plan.out / "index.html", front_page(plan.out, manifest).encode())
    write_whole(plan.out / "ro-crate-metadata.json", ro_crate(manifest))
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
    """Hash what front page and crate are made from, the two themselves, and all else that the manifest says."""
    listed = {name: report["outputs"].get(f"search/{name}.json") for name, report in manifest["reports"].items()}
    files = [*rendering_files("nbproof.index", "nbproof.manifest"), project().path("CITATION.cff")]
    sources = {file_label(path): file_hash(path) for path in files}
    rest = {key: value for key, value in manifest.items() if key != "index"}
    return {"key": text_hash(json.dumps([listed, sources], sort_keys=True)),
            **{name: file_hash(out / name) for name in ("index.html", "ro-crate-metadata.json")},
            "seal": text_hash(as_json(rest).decode())}


class _Crew:
    """The processes that make reports, one a report, at most ``jobs`` at a time."""

    def __init__(self, plan: BuildPlan, built: Built, progress: Any, engine: str, limit: float, pdf: bool,
                 folder: Path | None) -> None:
        from nbproof.run import FIXED_ENVIRONMENT

        # macOS has a fork server too, but what its system libraries start does not survive a fork
        forks = "forkserver" in multiprocessing.get_all_start_methods() and sys.platform != "darwin"
        self.plan, self.built, self.progress = plan, built, progress
        self.engine, self.limit, self.pdf, self.folder = engine if forks else "kernel", limit, pdf, folder
        cache_folder(project().name)  # may say where it is instead, and to the processes started too
        self.before = dict(os.environ)
        os.environ.update(FIXED_ENVIRONMENT, MPLCONFIGDIR=str(_cache("matplotlib")),
                          JUPYTER_CONFIG_DIR=str(_cache("jupyter")))
        os.environ.pop("PYTHONPATH", None) if not self._package_needs_path() else None
        self.context: Any = multiprocessing.get_context("forkserver" if forks else "spawn")
        if forks:
            self.context.set_forkserver_preload(["nbproof.warm", *project().preload])
            _start_fork_server()
        self.alive, self.kept_open = self.context.Pipe(duplex=False)
        self.running: dict[Connection, tuple[ReportPlan, Any, float, Path]] = {}

    @staticmethod
    def _package_needs_path() -> bool:
        """Whether a package is found through PYTHONPATH rather than by being installed."""
        folders = {Path(p or ".").resolve() for p in os.environ.get("PYTHONPATH", "").split(os.pathsep)}
        return any(folder.parent in folders for folder in project().folders.values())

    def work(self, jobs: int) -> None:
        """Make every stale report."""
        waiting = list(self.plan.stale)
        while waiting or self.running:
            while waiting and len(self.running) < jobs:
                self._start(waiting.pop(0))
            heard = wait(list(self.running), timeout=0.2)
            for channel in [each for each in self.running if each in heard]:
                self._hear(channel)
            self._end_late()

    def _start(self, report: ReportPlan) -> None:
        from nbproof.run import Job, make

        self.progress.start(report.name, report.reasons)
        staged = staging(self.plan.out, report.name)
        used = replace(project(), languages=project().languages or report.languages)
        job = Job(report, staged, self.plan.out, self.engine, used, self.plan.environment, self.pdf, self.folder)
        ours, theirs = self.context.Pipe(duplex=False)
        process = self.context.Process(target=make, args=(job, theirs, self.alive), daemon=False)
        self.running[ours] = (report, process, time.monotonic(), staged)  # first: an interrupt ends what is here
        try:
            process.start()
        except EOFError:
            raise NotebookError("the process that loads the libraries for the notebooks died; "
                                f"`python -m {' '.join(['nbproof.warm', *project().preload])}` shows why.") from None
        theirs.close()

    def _hear(self, channel: Connection) -> None:
        report, process, _, staged = self.running[channel]
        try:
            kind, *rest = channel.recv()
        except EOFError:
            from nbproof.run import NO_END

            process.join()
            self._fail(channel, f"{report.name}: its process died (exit code {process.exitcode}) before the report was "
                                f"whole; {NO_END}")
            return
        if kind == "done":
            self._publish(channel, rest[0])
        elif kind == "failed":
            self._fail(channel, rest[0])
        else:
            getattr(self.progress, kind)(report.name, *rest)

    def _publish(self, channel: Connection, entry: Mapping[str, Any]) -> None:
        report, process, _, staged = self.running[channel]
        try:
            check_free(self.plan.out, entry["outputs"])
        except OutputError as wrong:
            return self._fail(channel, f"{report.name}: {wrong}")
        del self.running[channel]  # from here on its journal says what is to be done
        old = read_manifest(self.plan.out).get("reports", {}).get(report.name, {}).get("outputs", {})
        gone = [name for name in sorted({*old} - {*entry["outputs"]}) if file_hash(self.plan.out / name) == old[name]]
        publish(staged, self.plan.out, report.name, entry, gone)  # what somebody edited stays
        (self.plan.out / "failed" / f"{report.name}.ipynb").unlink(missing_ok=True)
        process.join(timeout=2)
        if process.is_alive():  # a thread the notebook left behind keeps it
            _end(process)
        self.built.made.append(report.name)
        return _log(self.plan.out, report.name, self.progress.done(report.name))

    def _fail(self, channel: Connection, message: str) -> None:
        report, process, _, staged = self.running.pop(channel)
        _end(process)
        shutil.rmtree(staged, ignore_errors=True)
        self.built.failed[report.name] = message
        self.progress.failed(report.name, message)

    def _end_late(self) -> None:
        for channel, (report, _, started, _) in list(self.running.items()):
            if time.monotonic() - started > self.limit:
                self._fail(channel, f"{report.name}: took longer than its limit of {self.limit:g} s and was ended; "
                                    "allow more with --limit SECONDS.")

    def end(self) -> None:
        """End whatever still runs, and give the reader's environment back."""
        for _, process, _, staged in self.running.values():
            _end(process)
            shutil.rmtree(staged, ignore_errors=True)
        self.kept_open.close()
        self.alive.close()
        os.environ.clear()
        os.environ.update(self.before)


def _start_fork_server() -> None:
    """Start it deaf to Ctrl-C, which the builder alone answers: it would show a traceback while it loads libraries."""
    from multiprocessing import forkserver, resource_tracker

    resource_tracker.ensure_running()  # it unblocks the signal
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


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


def _cache(name: str) -> Path:
    """A folder of our own for what libraries keep between runs, so that the reader's settings stay out."""
    folder = cache_folder(project().name) / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _log(out: Path, name: str, seconds: float) -> None:
    """Keep durations apart from everything that is hashed."""
    with open(out / "build.log", "a", encoding="utf-8") as file:
        file.write(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {name} {seconds:.2f} s\n")


def explain(plan: BuildPlan, say: Callable[[str], None] = print) -> None:
    """Say what would be made and why, without making it."""
    for report in plan.reports:
        say(f"{report.name}: {'; '.join(report.reasons) or 'up to date'}")


def failure(built: Built) -> NotebookError | None:
    """Return one error that sums up what failed, or None."""
    total = len(built.failed) + len(built.made) + len(built.kept)
    names = ", ".join(built.failed)
    return NotebookError(f"{len(built.failed)} of {total} reports failed: {names}.") if built.failed else None
