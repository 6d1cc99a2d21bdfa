"""Write the table of docs/replication.md that says which notebook makes which figure and table.

    python docs/exhibits.py
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "replication.md"
BEGIN, END = "<!-- exhibits -->\n", "<!-- /exhibits -->\n"


def exhibits() -> Iterator[tuple[str, str, str, int, int]]:
    """Yield (kind, name, notebook, cell, line in the cell) of every figure and table, in order of appearance."""
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        for position, cell in enumerate(json.loads(path.read_text(encoding="utf-8"))["cells"], 1):
            if cell["cell_type"] == "code":
                for node in ast.walk(ast.parse("".join(cell["source"]))):
                    if isinstance(node, ast.Call) and ast.unparse(node.func) in ("page.figure", "page.table"):
                        yield node.func.attr, node.args[0].value, path.stem, position, node.lineno


def table() -> str:
    """Return the table as Markdown."""
    lines = [f"| {kind} | `{name}` | `notebooks/{notebook}.ipynb` | {cell} | {line} |"
             for kind, name, notebook, cell, line in exhibits()]
    return "\n".join(["| kind | name | notebook | cell | line |", "|---|---|---|---|---|", *lines, ""])


def filled(text: str) -> str:
    """Return the page with its table renewed."""
    head, rest = text.split(BEGIN)
    return head + BEGIN + table() + END + rest.split(END)[1]


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
