"""Write the tables of docs/replication.md: the data, and which notebook makes which figure and table.

python docs/exhibits.py
"""

from __future__ import annotations

import ast
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "replication.md"
PROVIDED = {"raw": "yes, as collected", "processed": "yes, computed", "public": "no, `data fetch`"}


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
    lines = [
        f"| {kind} | `{name}` | `notebooks/{notebook}.ipynb` | {cell} | {line} |"
        for kind, name, notebook, cell, line in exhibits()
    ]
    return "\n".join(["| kind | name | notebook | cell | line |", "|---|---|---|---|---|", *lines, ""])


def data_table() -> str:
    """Return every registered file as Markdown: what it is, its licence, whether it is here, and its citation."""
    sources = tomllib.loads((ROOT / "data" / "sources.toml").read_text(encoding="utf-8"))["source"]
    lines = [
        f"| `{one['path']}` | {one['title']} | {one['publisher']} | {one['licence']} | {PROVIDED[one['kind']]} | "
        f"{cited(one)} |"
        for one in sources
    ]
    head = ["| file | title | publisher | licence | provided | citation |", "|---|---|---|---|---|---|"]
    return "\n".join([*head, *lines, ""])


def cited(source: dict) -> str:
    """Return the key in paper/references.bib of the data set that a file is or, for an aggregate, was computed from."""
    name = source.get("dataset") or next(iter(re.findall(r", from (\w+?) with", source["locator"])), "")
    return f"`data_{name}`" if name else "each row names its publisher"


def filled(text: str) -> str:
    """Return the page with its tables renewed."""
    for name, made in (("data", data_table()), ("exhibits", table())):
        begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->\n"
        head, rest = text.split(begin)
        text = head + begin + made + end + rest.split(end)[1]
    return text


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
