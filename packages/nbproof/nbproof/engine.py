"""Papermill engines: ``warm`` runs cells in this process, a fresh fork of a warm one; ``kernel`` on real kernels.

Both leave the same outputs, a test sees to it. Where a platform cannot fork, the builder takes ``kernel``.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import TextIOBase
from typing import Any

import zmq
from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from nbformat import NotebookNode, v4
from traitlets.config import Config

__all__ = ["WarmEngine", "register"]  # noqa: F822

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
    def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, *, on_cell: Progress | None = None,
                                 **options: Any) -> None:
        """Run every code cell in order until one fails (papermill's interface)."""
        cells = nb_man.nb.cells
        with _shell() as shell:
            for index, cell in enumerate(cells):
                nb_man.cell_start(cell, index)
                if on_cell:
                    on_cell(index, len(cells))
                failed = cell.cell_type == "code" and not _run(shell, cell)
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
    def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, *, on_cell: Progress | None = None,
                                 sockets: str | None = None, **options: Any) -> None:
        """Hand papermill's own engine a progress hook and a folder for the kernel's sockets."""
        total = len(nb_man.nb.cells)
        if on_cell:
            options["on_cell_execute"] = lambda cell, cell_index: on_cell(cell_index, total)
        if sockets and hasattr(socket, "AF_UNIX") and len(os.fsencode(sockets)) <= SOCKET:
            options["config"] = Config({"KernelManager": {"transport": "ipc", "ip": sockets}})
        elif sockets and zmq.has("curve"):
            options["config"] = Config({"KernelManager": {"transport_encryption": "auto"}})
        if nb_man.nb.metadata.get("kernelspec", {}).get("language") == "python":
            # a kernel may log that it was interrupted when it is ended after an error, which is said better already
            options["extra_arguments"] = ["--IPKernelApp.log_level=50"]
        super().execute_managed_notebook(nb_man, kernel_name, **options)  # type: ignore[misc]  # of NBClientEngine


def register() -> None:
    """Make both engines known to papermill, also where the package's entry points are not installed."""
    from papermill.engines import papermill_engines

    papermill_engines.register("warm", __getattr__("WarmEngine"))
    papermill_engines.register("kernel", __getattr__("KernelEngine"))


class _Outputs(list):
    """The outputs of one cell, in nbformat's form; text of one stream is joined, updates replace what they update."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: dict[str, NotebookNode] = {}

    def stream(self, name: str, text: str) -> None:
        if self and self[-1].output_type == "stream" and self[-1].name == name:
            self[-1].text += text
        else:
            self.append(v4.new_output("stream", name=name, text=text))

    def shown(self, data: dict, metadata: dict | None, transient: dict | None, update: bool) -> None:
        key = (transient or {}).get("display_id")
        if update and key in self.ids:
            self.ids[key].update(data=data, metadata=metadata or {})
            return
        self.append(v4.new_output("display_data", data=data, metadata=metadata or {}))
        if key:
            self.ids[key] = self[-1]


class _Stream(TextIOBase):
    """Standard output or error of the running cell."""

    def __init__(self, shell: _Shell, name: str) -> None:
        self.shell, self.label = shell, name

    def write(self, text: str) -> int:
        if text:
            self.shell.outputs.stream(self.label, text)
        return len(text)

    def writable(self) -> bool:
        return True


class _Publisher(DisplayPublisher):
    def publish(self, data: dict, metadata: dict | None = None, source: Any = None, *, transient: dict | None = None,
                update: bool = False, **kwargs: Any) -> None:
        self.shell.outputs.shown(data, metadata, transient, update)

    def clear_output(self, wait: bool = False) -> None:
        self.shell.outputs.clear()


class _Hook(DisplayHook):
    shell: Any

    def write_output_prompt(self) -> None:
        """Print no ``Out[1]:``."""

    def write_format_data(self, format_dict: dict, md_dict: dict | None = None) -> None:
        self.shell.outputs.append(v4.new_output("execute_result", data=format_dict, metadata=md_dict or {},
                                                execution_count=self.prompt_count))


class _Shell(InteractiveShell):
    """IPython's shell, its outputs kept in a list instead of written to a terminal."""

    outputs: _Outputs

    def _showtraceback(self, etype: type, evalue: BaseException, stb: list[str]) -> None:
        traceback = [] if getattr(evalue, "input_is_wrong", False) else stb
        self.outputs.append(v4.new_output("error", ename=etype.__name__, evalue=str(evalue), traceback=traceback))


@contextmanager
def _shell():
    """Give a fresh shell that answers to ``get_ipython()``, and take it away again."""
    config = Config({"HistoryManager": {"enabled": False, "hist_file": ":memory:"},
                     "InteractiveShell": {"colors": "nocolor"}})
    InteractiveShell.clear_instance()
    main = sys.modules["__main__"]
    shell = _Shell.instance(config=config, display_pub_class=_Publisher, displayhook_class=_Hook, user_ns={})
    shell.outputs = _Outputs()
    try:
        with redirect_stdout(_Stream(shell, "stdout")), redirect_stderr(_Stream(shell, "stderr")):
            yield shell
    finally:
        _Shell.clear_instance()
        sys.modules["__main__"] = main


def _run(shell: _Shell, cell: NotebookNode) -> bool:
    """Run one code cell, write its outputs and count into it, and say whether it went well."""
    shell.outputs = outputs = _Outputs()
    result = shell.run_cell(cell.source, store_history=True, cell_id=cell.get("id"))
    cell.outputs = list(outputs)
    cell.execution_count = shell.execution_count - 1
    return result.success
