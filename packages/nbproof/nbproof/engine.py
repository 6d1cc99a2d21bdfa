"""Papermill engines: ``warm`` runs cells in this process, a fresh fork of a warm one; ``kernel`` on real kernels.

Both leave the same outputs, a test sees to it. Where a platform cannot fork, the builder takes ``kernel``. Beside them
stand the account of the project's files that a notebook opens, so that a report is made again when one of them changes,
and what of an executed notebook is kept, so that the same run leaves the same bytes anywhere.
"""

from __future__ import annotations

import os
import pickle
import re
import socket
import sys
import sysconfig
from collections.abc import Callable
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from functools import cache
from io import TextIOBase
from itertools import groupby
from pathlib import Path
from typing import Any

import zmq
from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from nbformat import NotebookNode, v4
from traitlets.config import Config

from nbproof.project import project

Progress = Callable[[int, int], None]
SOCKET = 100  # bytes of a socket's path before its number; macOS takes 103 in all, Linux 107


def __getattr__(name: str) -> type:
    """Make an engine when it is first asked for: papermill asks, by its entry point, while it is imported itself."""
    if name not in ("KernelEngine", "WarmEngine"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from papermill import engines

    bases = (_Warm, engines.Engine) if name == "WarmEngine" else (_Kernel, engines.NBClientEngine)
    return globals().setdefault(name, type(name, bases, {"__doc__": bases[0].__doc__}))


class _Warm:
    """Run a notebook's cells in this process with IPython's own shell.

    Nothing is shared with another notebook as long as the process is fresh: the builder forks one for each report, the
    papermill command line starts one.
    """

    @classmethod
    def execute_managed_notebook(
        cls, nb_man: Any, kernel_name: str, *, on_cell: Progress | None = None, **options: Any
    ) -> None:
        """Run every code cell in order until one fails (papermill's interface)."""
        cells = nb_man.nb.cells
        with _shell() as shell:
            for index, cell in enumerate(cells):
                nb_man.cell_start(cell, index)
                if on_cell:
                    on_cell(index, len(cells))
                failed = False
                if cell.cell_type == "code":
                    shell.outputs = cell.outputs = []
                    failed = not shell.run_cell(cell.source, store_history=True, cell_id=cell.get("id")).success
                    cell.execution_count = shell.execution_count - 1
                if failed:
                    nb_man.cell_exception(cell, cell_index=index)
                nb_man.cell_complete(cell, cell_index=index)
                if failed:
                    break


class _Kernel:
    """Run a notebook on a Jupyter kernel of its own.

    They talk over files, not ports, so that runs cannot collide; where a file's path would be too long, and on Windows,
    over ports with encryption.
    """

    @classmethod
    def execute_managed_notebook(
        cls, nb_man: Any, kernel_name: str, *, on_cell: Progress | None = None, sockets: str | None = None, **more: Any
    ) -> None:
        """Hand papermill's own engine a progress hook and a folder for the kernel's sockets."""
        total = len(nb_man.nb.cells)
        if on_cell:
            more["on_cell_execute"] = lambda cell, cell_index: on_cell(cell_index, total)
        if sockets and hasattr(socket, "AF_UNIX") and len(os.fsencode(sockets)) <= SOCKET:
            more["config"] = Config({"KernelManager": {"transport": "ipc", "ip": sockets}})
        elif sockets and zmq.has("curve"):
            more["config"] = Config({"KernelManager": {"transport_encryption": "auto"}})
        if nb_man.nb.metadata.get("kernelspec", {}).get("language") == "python":
            # a kernel may log that it was interrupted when it is ended after an error, which is said better already
            more["extra_arguments"] = ["--IPKernelApp.log_level=50"]
        super().execute_managed_notebook(nb_man, kernel_name, **more)  # type: ignore[misc]  # of NBClientEngine


def register() -> None:
    """Make both engines known to papermill, also where the package's entry points are not installed."""
    from papermill.engines import papermill_engines

    papermill_engines.register("warm", __getattr__("WarmEngine"))
    papermill_engines.register("kernel", __getattr__("KernelEngine"))


class _Stream(TextIOBase):
    """Standard output or error of the running cell; what is written in a row is one output."""

    def __init__(self, shell: _Shell, name: str) -> None:
        self.shell, self.label = shell, name

    def write(self, text: str) -> int:
        outputs = self.shell.outputs
        if text and outputs and outputs[-1].get("name") == self.label:
            outputs[-1].text += text
        elif text:
            outputs.append(v4.new_output("stream", name=self.label, text=text))
        return len(text)

    def writable(self) -> bool:
        return True


class _Publisher(DisplayPublisher):
    def publish(self, data: dict, metadata: dict | None = None, *_: Any, **more: Any) -> None:
        made = v4.new_output("display_data", data=data, metadata=metadata or {})
        key = (more.get("transient") or {}).get("display_id")
        if more.get("update") and key in self.shell.displayed:
            self.shell.displayed[key].update(data=made.data, metadata=made.metadata)
        else:
            self.shell.outputs.append(made)
            self.shell.displayed[key] = made

    def clear_output(self, wait: bool = False) -> None:
        self.shell.outputs.clear()


class _Hook(DisplayHook):
    shell: Any

    def write_output_prompt(self) -> None:
        """Print no ``Out[1]:``."""

    def write_format_data(self, format_dict: dict, md_dict: dict | None = None) -> None:
        made = {"data": format_dict, "metadata": md_dict or {}, "execution_count": self.prompt_count}
        self.shell.outputs.append(v4.new_output("execute_result", **made))


class _Shell(InteractiveShell):
    """IPython's shell, its outputs kept in a list instead of written to a terminal."""

    outputs: list[NotebookNode]
    displayed: dict[str | None, NotebookNode]  # by the id that an update names

    def _showtraceback(self, etype: type, evalue: BaseException, stb: list[str]) -> None:
        self.outputs.append(v4.new_output("error", ename=etype.__name__, evalue=str(evalue), traceback=stb))


@contextmanager
def _shell():
    """Give a fresh shell that answers to ``get_ipython()``, and take it away again."""
    history = {"enabled": False, "hist_file": ":memory:"}
    config = Config({"HistoryManager": history, "InteractiveShell": {"colors": "nocolor"}})
    InteractiveShell.clear_instance()
    main = sys.modules["__main__"]
    shell = _Shell.instance(config=config, display_pub_class=_Publisher, displayhook_class=_Hook, user_ns={})
    shell.outputs, shell.displayed = [], {}
    spare_tracebacks(shell)
    try:
        with redirect_stdout(_Stream(shell, "stdout")), redirect_stderr(_Stream(shell, "stderr")):
            yield shell
    finally:
        _Shell.clear_instance()
        shell.user_ns.clear()  # what the notebook found may be large, and its pages are made in this process
        sys.modules["__main__"] = main


STARTUP = """import pickle, sys
sys.modules.setdefault("rfc3987_syntax", None)  # as in nbproof/warm.py
from nbproof.engine import record_reads, spare_tracebacks
from nbproof.project import use
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
    """Let a shell show no traceback of an error that says what is wrong with the input."""
    show = shell._showtraceback
    shell._showtraceback = lambda kind, wrong, lines: show(
        kind, wrong, [] if getattr(wrong, "input_is_wrong", False) else lines
    )


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


ADDRESS = re.compile(r"\b0x[0-9a-f]{6,16}\b")
CELL_FILE = re.compile(r"(?:(?:[A-Z]:)?[/\\]\S*?ipykernel_\d+[/\\]\d+\.py|<ipython-input-\d+-[0-9a-f]+>)")
ANSI = re.compile(r"\x1b\[[0-9;]*m")
STYLER = re.compile(r"\bT_[0-9a-f]{5}\b")


def normalised(notebook: NotebookNode) -> NotebookNode:
    """Strip clocks, addresses and process numbers from an executed notebook, in place, and return it.

    Kept are sources, tags, outputs in order, kernel name and language. Memory addresses and the ids pandas gives styled
    tables are renumbered in order of appearance; neighbouring standard output and error are joined, output first;
    colours of tracebacks go, and so do the folders of the project and of Python, which warnings name.
    """
    kernel = notebook.metadata.get("kernelspec", {})
    notebook.metadata = NotebookNode(
        kernelspec={k: kernel.get(k, "") for k in ("display_name", "language", "name")},
        language_info={"name": kernel.get("language", "python") or "python"},
    )
    seen: dict[str, str] = {}
    for position, cell in enumerate(notebook.cells, 1):
        tags = cell.metadata.get("tags")
        cell.metadata = NotebookNode({"tags": tags} if tags else {})
        cell.id = f"cell-{position:03d}"
        if cell.cell_type == "code":
            cell.outputs = [_clean(output, seen) for output in _joined(cell.outputs)]
    return notebook


def _joined(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Join each run of neighbouring streams into one standard output and one standard error."""
    kept: list[NotebookNode] = []
    for streams, run in groupby(outputs, lambda output: output.output_type == "stream"):
        if streams:
            printed = list(run)
            texts = {name: "".join(each.text for each in printed if each.name == name) for name in ("stdout", "stderr")}
            run = (v4.new_output("stream", name=name, text=text) for name, text in texts.items() if text)
        kept += run
    return kept


def _clean(value: Any, seen: dict[str, str]) -> Any:
    if isinstance(value, dict):  # pictures are long, and hold nothing to clean
        return NotebookNode(
            {key: item if key.startswith("image/") else _clean(item, seen) for key, item in value.items()}
        )
    if isinstance(value, list):
        return [_clean(item, seen) for item in value]
    if not isinstance(value, str):
        return value
    value = ANSI.sub("", value)
    if "ipykernel_" in value or "<ipython-input-" in value:
        value = CELL_FILE.sub("<cell>", value)
    for folder, name in _places():
        value = folder.sub(name, value)
    value = ADDRESS.sub(lambda m: seen.setdefault(m[0], f"0x{len(seen) + 1:012x}"), value)
    return STYLER.sub(lambda m: seen.setdefault(m[0], f"T_{len(seen) + 1:05x}"), value)


@cache
def _places() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Folders of this machine and what is written for them, the deeper ones first."""
    python = {sysconfig.get_path(name): "<packages>" for name in ("purelib", "platlib")}
    python[sysconfig.get_path("stdlib")] = "<python>"
    inside = ((re.compile(rf"{re.escape(folder)}(?![\w-])"), name) for folder, name in python.items())
    here = re.escape(str(project().root))
    return (*inside, (re.compile(rf"{here}[/\\]"), ""), (re.compile(rf"{here}(?![\w-])"), "."))
