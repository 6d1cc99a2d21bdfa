"""What of an executed notebook is kept, so that the same run leaves the same bytes anywhere."""

from __future__ import annotations

import re
import sysconfig
from functools import cache
from typing import Any

from nbformat import NotebookNode

from nbproof.project import project

__all__ = ["normalised"]

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
    notebook.metadata = NotebookNode(kernelspec={k: kernel.get(k, "") for k in ("display_name", "language", "name")},
                                     language_info={"name": kernel.get("language", "python") or "python"})
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
    streams: dict[str, NotebookNode] = {}
    for output in [*outputs, None]:
        if output is not None and output.output_type == "stream":
            if output.name in streams:
                streams[output.name].text += output.text
            else:
                streams[output.name] = output
            continue
        kept += [streams[name] for name in ("stdout", "stderr") if name in streams]
        streams = {}
        kept += [output] if output is not None else []
    return kept


def _clean(value: Any, seen: dict[str, str]) -> Any:
    if isinstance(value, dict):  # pictures are long, and hold nothing to clean
        return NotebookNode({key: item if key.startswith("image/") else _clean(item, seen)
                             for key, item in value.items()})
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
    python = {sysconfig.get_path("purelib"): "<packages>", sysconfig.get_path("platlib"): "<packages>",
              sysconfig.get_path("stdlib"): "<python>"}
    inside = ((re.compile(rf"{re.escape(folder)}(?![\w-])"), name) for folder, name in python.items())
    here = re.escape(str(project().root))
    return (*inside, (re.compile(rf"{here}[/\\]"), ""), (re.compile(rf"{here}(?![\w-])"), "."))
