"""Make one report, from notebook to finished files, in a process of its own."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from nbproof.errors import NotebookError
from nbproof.folder import file_hash, listed
from nbproof.machine import end_below, keep, wait_for_end
from nbproof.plan import FORCED, ReportPlan, json_hash, run_inputs
from nbproof.project import Project, project, use
from nbproof.results import LANGUAGES

NO_END = "before the report was whole; a report may not end its own process or use up the memory."


@dataclass(frozen=True)
class Job:
    """All a process needs to make one report."""

    report: ReportPlan
    staged: Path
    out: Path
    project: Project
    environment: Mapping[str, str]
    engine: str
    pdf: bool = True
    folder: Path | None = None
    cache: str = ""


def make(job: Job, channel: Connection, alive: Connection | None = None) -> None:
    """Make a report and tell the builder how it goes.

    It hears ``("cell", i, n)`` and ``("render", language)``, then ``("done", entry)`` or ``("failed", message)``.
    The process leads a session of its own, and all that it started ends with it, or when the builder is gone.
    """
    if hasattr(os, "setsid"):  # not on Windows
        os.setsid()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})  # which the fork server blocks
    if alive is not None and alive.poll():  # nothing is ever sent: the builder was gone before this began
        return
    use(lambda: job.project)
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]  # where no fork server has: see warm.py
    kept = keep(channel, alive)

    def end() -> None:
        end_below()
        os._exit(9)

    if alive is not None and not kept:
        threading.Thread(target=wait_for_end, args=(alive, end), daemon=True).start()
    try:
        if job.folder is not None:
            os.chdir(job.folder)
        channel.send(("done", _make(job, channel)))
    except OSError as wrong:
        said = f"cannot write its files: {wrong.strerror}; the last good report is unchanged."
        channel.send(("failed", f"{job.report.name}: {said}"))
    except Exception as wrong:
        if getattr(wrong, "input_is_wrong", False):
            channel.send(("failed", str(wrong)))
            return
        # a fault of ours: say which report, keep the others going
        channel.send(("failed", f"{job.report.name}: {type(wrong).__name__}: {wrong}"))
        raise
    finally:
        if not kept:
            end_below()


def _make(job: Job, channel: Connection) -> dict[str, Any]:
    report, files = job.report, job.staged / "files"
    executed = files / "notebooks" / f"{report.name}.ipynb"
    executed.parent.mkdir(parents=True)
    if report.run:
        read = _taken_or_run(job, channel, executed)
    else:
        shutil.copy(job.out / "notebooks" / executed.name, executed)
        read = json.loads((job.out / "manifest.json").read_text(encoding="utf-8"))["reports"][report.name]["read"]
    tempfile.tempdir = str(job.staged)  # what an interruption leaves is found there
    _render(job, channel, json.loads(executed.read_text(encoding="utf-8")))
    # what changed while the notebook ran keeps the hash it had before, so that the next build makes it again
    inputs = {
        label: report.run_inputs.get(label, digest)
        for label, digest in run_inputs(report.notebook, report.parameters, job.environment, read).items()
    }
    outputs = {name: file_hash(files / name) for name in listed(files)}
    return {
        "notebook": next(iter(inputs)),
        "parameters": dict(report.parameters),
        "seeds": {k: v for k, v in report.parameters.items() if "seed" in k},
        "languages": list(report.languages),
        "key": json_hash(inputs),
        "read": read,
        "run_inputs": inputs,
        "render_inputs": dict(report.render_inputs),
        "outputs": outputs,
    }


def _taken_or_run(job: Job, channel: Connection, executed: Path) -> list[str]:
    """Take the run from the cache, where there is one and nothing is forced; else run, and keep it there."""
    if not job.cache:
        return _run(job, channel, executed)
    from nbproof.cache import open_cache

    cache, forced = open_cache(job.cache), job.report.reasons == (FORCED,)
    read = None if forced else cache.take(job.report, job.environment, executed)
    if read is None:
        read = _run(job, channel, executed)
        cache.keep(job.report, job.environment, executed, read)
    else:
        channel.send(("taken", cache.place))
    return read


def _run(job: Job, channel: Connection, executed: Path) -> list[str]:
    """Run the notebook, keep its normalised copy, and return the project files it read."""
    import nbformat
    import papermill
    from nbclient.exceptions import DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    from nbproof import engine

    engine.register()
    log, raw = job.staged / "reads", job.staged / "raw.ipynb"
    ipython = job.staged / "ipython"
    os.environ["IPYTHONDIR"] = str(ipython)
    os.environ[LANGUAGES] = ",".join(job.report.languages or project().languages[:1])
    if job.engine == "kernel":
        engine.startup_for_kernels(ipython, log)
    else:
        engine.record_reads(str(log))
    folder = os.getcwd()
    options = {"sockets": str(job.staged / "k")} if job.engine == "kernel" else {}
    if not json.loads(job.report.notebook.read_text(encoding="utf-8"))["metadata"].get("kernelspec", {}).get("name"):
        options |= {"kernel_name": "python3", "language": "python"}
    try:
        notebook = papermill.execute_notebook(
            str(job.report.notebook),
            str(raw),
            parameters=dict(job.report.parameters),
            engine_name=job.engine,
            progress_bar=False,
            request_save_on_cell_execute=False,
            on_cell=lambda i, n: channel.send(("cell", i, n)),
            **options,
        )
    except DeadKernelError:
        raise NotebookError(f"{job.report.name}: its process died {NO_END}") from None
    except PapermillExecutionError as failure:
        os.chdir(folder)
        raise NotebookError(_explained(job, raw, failure)) from None
    finally:
        os.chdir(folder)  # a cell may have left it
    _write(executed, f"{nbformat.writes(engine.normalised(notebook))}\n".encode())
    return engine.reads(log)


def _explained(job: Job, raw: Path, failure: Any) -> str:
    """Say which line of which cell failed and how; keep the executed copy where the reader can open it.

    An error that says what was wrong with the input is enough; the engines leave it no traceback.
    """
    if not failure.traceback:
        return f"{job.report.name}: {failure.evalue}"
    line = re.search(r"-+> \d+ (.*)", "\n".join(failure.traceback))
    shown = f" at `{line[1].strip()}`" if line else ""
    said = f"{job.report.name}, cell In [{failure.exec_count}]{shown}: {failure.ename}: {failure.evalue}"
    if job.folder is not None:  # the folder of a report that is whole or not at all
        return said
    kept = job.out / "failed" / f"{job.report.name}.ipynb"
    kept.parent.mkdir(parents=True, exist_ok=True)
    os.replace(raw, kept)
    return f"{said} (the executed copy is {kept})"


def _render(job: Job, channel: Connection, notebook: Mapping[str, Any]) -> None:
    """Write results, pages, PDFs, figures and search data of one executed notebook."""
    from nbproof import render, results
    from nbproof.document import document_of, notebook_in
    from nbproof.look import look

    report, files = job.report, job.staged / "files"
    found = results.collect(notebook, report.name)
    _write(files / "results" / f"{report.name}.json", _settled(found, job.out / "results" / f"{report.name}.json"))
    search, pdfs = {}, {}
    with ThreadPoolExecutor(1) as beside:  # typst needs no Python: while it works the next page is made
        for language in report.languages:
            channel.send(("render", language))
            document = document_of(notebook, found, language)
            if job.pdf:
                pdfs[language] = beside.submit(render.pdf, document)
            if language != job.project.languages[0]:
                told = json.dumps(notebook_in(notebook, found, language), ensure_ascii=False, indent=1)
                _write(files / "notebooks" / language / f"{report.name}.ipynb", f"{told}\n".encode())
            _write(files / language / f"{report.name}.html", render.html(document, report.languages).encode())
            for name, image in document.images.items():
                for file, content in look().pictures(name, image).items():
                    _write(files / "figures" / report.name / file, content)
            search[language] = {"title": document.title, "sections": document.sections}
    for language, made in pdfs.items():
        _write(files / language / f"{report.name}.pdf", made.result())
    _write(files / "search" / f"{report.name}.json", json.dumps(search, ensure_ascii=False, indent=1).encode())


def _settled(found: Mapping[str, Any], committed: Path) -> bytes:
    """Keep the committed results when nothing drifted: last bits differ between processors, results do not."""
    from nbproof import results

    if committed.is_file():
        old = committed.read_bytes()
        try:
            if not results.compare(json.loads(old), found):
                return old
        except (ValueError, KeyError, TypeError):
            print(f"{committed.name} is damaged and is written anew", file=sys.stderr)
    return results.as_text(found).encode()


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
