"""Numbers as they are reported: the same on every processor, and written alike everywhere."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

__all__ = ["format_number", "numerals", "reported", "snap", "text_table"]

SIGNIFICANT = 12  # digits on which linear algebra of different processors agrees, some three short of a double's
NUMERAL = re.compile(  # not the 15 of H15, which is a name
    r"(?<![A-Za-z\u0370-\u03ff\d_])[+−-]?\d+(?:,\d{3})*(?:\.\d+)?")


def snap(value: float) -> float:
    """Round to 12 significant digits, so that what processors compute differently in the last bits is one number.

    Ties then fall the same way everywhere: 0.55449999999999999 and 0.55450000000000002 are both 0.5545.

    Examples
    --------
    >>> snap(0.1 + 0.2), snap(2), snap(float("inf"))
    (0.3, 2.0, inf)
    """
    return float(f"{value:.{SIGNIFICANT}g}")


def format_number(value: float, digits: int) -> str:
    """Write a number as the reports print it: thousands separated, a true minus sign, a fixed number of decimals.

    Examples
    --------
    >>> format_number(34165.8, 1), format_number(-0.25, 2), format_number(-0.001, 1)
    ('34,165.8', '−0.25', '0.0')
    """
    text = f"{snap(value):,.{digits}f}"
    if not text.strip("-0.,"):
        text = text.lstrip("-")
    return text.replace("-", "−")


def reported(value: float, digits: int) -> float:
    """Round to one digit beyond those printed, or to as many more as it takes to print the same.

    Examples
    --------
    >>> reported(0.55449, 2), reported(0.7849, 2), reported(34165.8, 1)
    (0.554, 0.7849, 34165.8)
    """
    value = snap(value)
    rounded = (round(value, digits + more) for more in range(1, SIGNIFICANT))
    return next((near for near in rounded if format_number(near, digits) == format_number(value, digits)), value) + 0.0


def numerals(text: str) -> tuple[str, tuple[tuple[float, int], ...]]:
    """Take a text apart: its words, with ``#`` for each numeral, and the numerals as (value, decimals).

    Examples
    --------
    >>> numerals("H15 rose by −1,250.5 in 2023")
    ('H15 rose by # in #', ((-1250.5, 1), (2023.0, 0)))
    """
    found = NUMERAL.findall(text)
    values = (float(each.replace(",", "").replace("−", "-")) for each in found)
    decimals = (len(each.partition(".")[2]) for each in found)
    return NUMERAL.sub("#", text), tuple(zip(values, decimals, strict=True))


def text_table(rows: Sequence[Sequence[str]], fill: Callable[[str, int], str] = str.ljust) -> str:
    """Lay rows of cells out in columns, filled up by spaces to their widest cell.

    Examples
    --------
    >>> print(text_table([["name", "n"], ["H1", "12"]]))
    name  n
    H1    12
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(fill, row, widths)).rstrip() for row in rows)
