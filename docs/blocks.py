"""Run the Python blocks of pages in order and write what they show below them.

    python docs/blocks.py docs/sem.md docs/pls.md

A block marked ``python`` is run in the namespace of the blocks above it; what it prints, and its last expression, is
kept in the block marked ``text`` that follows. In the prose, ``<!--expression-->shown<!--/-->`` keeps a number. The
tests compare.
"""

from __future__ import annotations

import ast
import contextlib
import io
import re
import sys
from pathlib import Path

PART = re.compile(
    r"```python\n(?P<code>.*?)```\n(?:\n```text\n.*?```\n)?|<!--(?P<number>[^/].*?)-->.*?<!--/-->", re.DOTALL
)
DISPLAY = ("display.float_format", "{:.3f}".format, "display.width", 110, "display.max_columns", 20)


def shown(code: str, names: dict) -> str:
    """Run a block and return what it shows, the value of a last expression as ``print`` would."""
    tree = ast.parse(code)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(tree, "<page>", "exec"), names)
        value = eval(compile(ast.Expression(last.value), "<page>", "eval"), names) if last else None
        if value is not None:
            print(value)
    return "".join(line.rstrip() + "\n" for line in out.getvalue().rstrip().splitlines())


def filled(text: str) -> str:
    """Return the page with every output and number renewed."""
    import pandas as pd

    names: dict = {}

    def renewed(part: re.Match) -> str:
        if part["number"]:
            return f"<!--{part['number']}-->{eval(part['number'], names)}<!--/-->"
        output = shown(part["code"], names)
        return f"```python\n{part['code']}```\n" + (f"\n```text\n{output}```\n" if output else "")

    with pd.option_context(*DISPLAY):
        return PART.sub(renewed, text)


if __name__ == "__main__":
    for page in map(Path, sys.argv[1:]):
        page.write_text(filled(page.read_text(encoding="utf-8")), encoding="utf-8")
