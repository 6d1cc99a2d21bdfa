"""How wide the columns of a table are, so that no word is cut and long texts share what is left of the line."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["column_widths"]

FITS = 90  # letters that need no division of the line
LINE = 115  # letters on a line of the PDF
BETWEEN = 3  # the space between columns, in letters
WORD = re.compile(r"[\u2e80-\uffff]{1,4}|[^\s\u2e80-\uffff]+")  # kept whole: four Chinese characters, a Latin word


def column_widths(rows: Sequence[Sequence[str]]) -> list[float]:
    """Return shares of the line for the columns of a table, zeros where every row fits on a line as it is.

    Parameters
    ----------
    rows : sequence of rows of texts
        The heads first.

    Examples
    --------
    >>> column_widths([["id", "n"], ["H01", "12"]])
    [0.0, 0.0]
    >>> [round(width, 2) for width in column_widths([["id", "text"], ["H01", "a word " * 20]])]
    [0.1, 0.9]
    """
    columns = list(zip(*rows, strict=True))
    natural = [max(map(_length, column)) for column in columns]
    if sum(natural) <= FITS:
        return [0.0] * len(natural)
    least = [max(_length(word) for cell in column for word in WORD.findall(cell) or [""]) for column in columns]
    wanted = [max(min(n, 10 + 3.5 * max(n - 10, 0) ** 0.5), low) for n, low in zip(natural, least, strict=True)]
    room = max(LINE - sum(least) - BETWEEN * len(columns), 0)
    share = min(room / ((sum(wanted) - sum(least)) or 1), 1)
    widths = [low + share * (want - low) + BETWEEN for want, low in zip(wanted, least, strict=True)]
    return [round(width / sum(widths), 4) for width in widths]


def _length(text: str) -> int:
    return sum(2 if ord(character) > 0x2E7F else 1 for character in text)
