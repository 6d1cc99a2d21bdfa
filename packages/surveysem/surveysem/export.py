"""How tables leave for a spreadsheet: whole or not at all, with nothing in them that a spreadsheet would run."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from nbproof import write_whole

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)


def neutral(value: object) -> object:
    """Return a value that a spreadsheet shows and does not run: a text that opens like a formula gets an apostrophe.

    >>> [neutral(value) for value in ("=1+1", "@sum", "-3", -3, "plain")]
    ["'=1+1", "'@sum", '-3', -3, 'plain']
    """
    if isinstance(value, str) and value.lstrip()[:1] in tuple("=+-@|") and not NUMBER.fullmatch(value.strip()):
        return "'" + value
    return value


def write_csv(frame: pd.DataFrame, path: str | Path) -> Path:
    """Write a table as csv in UTF-8 with a byte-order mark (Excel needs it for Chinese), formulas neutralised."""
    safe = frame.rename(columns=neutral)
    for k, name in enumerate(frame.columns):
        if not pd.api.types.is_numeric_dtype(frame.iloc[:, k]):
            safe[safe.columns[k]] = frame[name].map(neutral)
    text = safe.to_csv(index=False, lineterminator="\n")
    return write_whole(Path(path), text.encode("utf-8-sig"))
