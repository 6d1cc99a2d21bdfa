"""How tables leave for a spreadsheet: whole or not at all, with nothing in them that a spreadsheet would run."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from socialcommerce.errors import OutputError

__all__ = ["neutral", "write_csv", "write_whole"]

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
    return write_whole(path, lambda target: target.write_text(text, encoding="utf-8-sig", newline=""))


def write_whole(path: str | Path, write: Callable[[Path], object]) -> Path:
    """Let ``write`` fill a file beside the target, then put it in the target's place.

    Raises
    ------
    OutputError
        When the folder cannot be written; no half-written file is left.
    """
    target = Path(path)
    draft = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".draft-", suffix=target.suffix, dir=target.parent)
        os.close(handle)
        draft = Path(name)
        write(draft)
        draft.chmod(0o644)
        draft.replace(target)
    except (OSError, ValueError) as wrong:
        if isinstance(wrong, ValueError) and not str(wrong).startswith("embedded null"):
            raise
        reason = getattr(wrong, "strerror", None) or wrong
        raise OutputError(f"{target.name} cannot be written: {reason}; a writable folder is needed.") from wrong
    finally:
        if draft is not None:
            draft.unlink(missing_ok=True)
    return target
