"""Read a reader's own series of a market from csv, and say in one sentence what is wrong with it."""

from __future__ import annotations

import csv
import io
import os
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbproof import named, nearest, quoted, read_bytes, read_toml, words
from socialcommerce.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["load_series"]

SERIES_COLUMNS = ("year", "value", "unit", "source", "basis")
SERIES_BASES = ("observed", "stated", "published", "derived", "forecast", "synthetic")
SCALES = ("thousand", "1e4", "million", "1e8", "billion", "trillion")
UNIT = re.compile(f"({'|'.join(SCALES)}) (persons|[A-Z]{{3}})")
YEARS = range(1900, 2101)
VALUES = (1e-9, 1e18)  # a person or a unit of money in trillions, to more of any currency than there is
LARGEST = 2**24  # bytes
FAULTS = read_toml(Path(__file__).with_name("faults.toml"))
ALLOWED: dict[str, object] = {
    "columns": ", ".join(SERIES_COLUMNS),
    "bases": ", ".join(SERIES_BASES),
    "scales": ", ".join(SCALES),
}
ALLOWED |= {"first": YEARS[0], "last": YEARS[-1], "years": len(YEARS), "least": VALUES[0], "most": VALUES[1]}

Rows = Mapping[int, Mapping[str, str]]
"""Cells by column, by the row's number as a spreadsheet counts: the header is row 1."""


def load_series(path: str | Path) -> pd.DataFrame:
    """Return a series of a market from a csv file: one row a year, without gaps.

    Parameters
    ----------
    path : str or Path
        A UTF-8 csv file, comma separated, with the columns year, value, unit, source, basis in any order.

    Returns
    -------
    pandas.DataFrame
        Columns year (int64), value (float64, > 0, in ``unit``), unit, source, basis (str), sorted by year.

    Raises
    ------
    DataError
        Naming file, row and column, what was given and what is allowed.
    """
    import pandas as pd

    path = Path(path)
    raw = _bytes(path)
    try:
        rows = _rows(_table(raw))
        records = [_typed(number, cells) for number, cells in rows.items()]
        _check_together(rows, records)
    except _Fault as fault:
        raise DataError(f"{named(path.name)}{fault}") from None
    frame = pd.DataFrame(records, columns=list(SERIES_COLUMNS)).sort_values("year", ignore_index=True)
    frame = frame.astype({"year": "int64", "value": "float64"})
    frame.attrs = {"basis": "published figure", "source": words("the reader's file {file}", file=path.name)}
    return frame


class _Fault(Exception):
    """What is wrong with a file, where, what was given and what is allowed: an entry of ``faults.toml``, filled."""

    def __init__(self, name: str, where: str = "", guess: str | None = None, **given: object) -> None:
        hint = f" (did you mean {guess!r}?)" if guess else ""
        said = (text.format_map(ALLOWED | {"hint": hint} | given) for text in FAULTS[name])
        super().__init__("{}: {}; got {}; allowed: {}.".format(f", {where}" * bool(where), *said))


def _bytes(path: Path) -> bytes:
    if not os.path.exists(path):  # Path.exists raises where a name is too long
        folder = path.parent
        near = nearest(path.name, [p.name for p in folder.glob("*.csv")]) if os.path.isdir(folder) else None
        hint = f"; did you mean {quoted(near)}" if near else ""
        given = quoted(str(path), 200)
        raise DataError(f"there is no file {given}{hint}; allowed: the path of a csv file you can read.")
    return read_bytes(path, DataError, LARGEST)


def _table(raw: bytes) -> list[list[str]]:
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise _Fault("bytes", f"row {line}", byte=raw[error.start]) from None
    if "\x00" in text:
        raise _Fault("text")
    try:
        return [[cell.strip() for cell in line] for line in csv.reader(io.StringIO(text, newline=""))]
    except csv.Error as error:  # such as a cell of more than 131,072 characters
        raise _Fault("csv", error=error) from None


def _rows(table: list[list[str]]) -> Rows:
    if not any(map(any, table)):
        raise _Fault("empty")
    header, *lines = table
    for mark, name in ((";", "a semicolon"), ("\t", "a tab"), ("|", "a bar")):
        if len(header) == 1 and mark in header[0]:
            raise _Fault("separator", "row 1", mark=name)
    for column in header:
        if column not in SERIES_COLUMNS:
            raise _Fault("unknown", "row 1", nearest(column, SERIES_COLUMNS), column=quoted(column))
    if twice := [name for name, count in Counter(header).items() if count > 1]:
        raise _Fault("column_twice", "row 1", column=twice[0])
    if absent := [name for name in SERIES_COLUMNS if name not in header]:
        raise _Fault("absent", "row 1", absent=", ".join(absent), header=", ".join(header))
    filled = {number: line for number, line in enumerate(lines, start=2) if any(line)}
    for number, line in filled.items():
        if len(line) != len(header):
            raise _Fault("cells", f"row {number}", wanted=len(header), found=len(line))
    if not filled:
        raise _Fault("only_header")
    if len(filled) > 2 * len(YEARS):  # up to there the year that stands there twice is named
        raise _Fault("many", rows=len(filled))
    return {number: dict(zip(header, line, strict=True)) for number, line in filled.items()}


def _typed(number: int, cells: Mapping[str, str]) -> dict[str, Any]:
    """Return a row with year and value as numbers, or raise the first thing that is wrong with it."""
    year, unit, basis, value = cells["year"], cells["unit"], cells["basis"], _number(cells["value"])
    for column, wrong, name, guess in (
        ("year", year not in map(str, YEARS), "year", None),
        ("value", value is None, "number", None),
        ("value", value is None or value <= 0, "sign", None),
        ("value", value is None or not VALUES[0] <= value <= VALUES[1], "size", None),
        ("unit", not UNIT.fullmatch(unit), "unit", _nearest_unit(unit)),
        ("source", not cells["source"], "source", None),
        ("basis", basis not in SERIES_BASES, "basis", nearest(basis, SERIES_BASES)),
    ):
        if wrong:
            given = named(cells[column]) if column == "value" and value is not None else quoted(cells[column])
            raise _Fault(name, f"row {number}, column {column}", guess, given=given)
    return {**cells, "year": int(year), "value": value}


def _number(text: str) -> float | None:
    # float() would take "1_000" and full-width digits too: a slip of the pen must not become a market
    return float(text) if re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", text, re.ASCII) else None


def _nearest_unit(text: str) -> str | None:
    short = {"bn": "billion", "mn": "million", "mio": "million", "trn": "trillion", "tn": "trillion", "yi": "1e8"}
    money = {"yuan": "CNY", "rmb": "CNY", "dollar": "USD", "dollars": "USD", "euro": "EUR"}
    words = re.findall(r"[a-z]+|1e[48]", text.lower())
    scale = next((short.get(w, w) for w in words if short.get(w, w) in SCALES), None)
    rest = [money.get(w, w.upper()) for w in words if short.get(w, w) not in SCALES]
    what = next((w for w in rest if re.fullmatch(r"[A-Z]{3}", w)), None)
    return f"{scale} {what}" if scale and what else None


def _check_together(rows: Rows, records: list[dict[str, Any]]) -> None:
    """Raise what is wrong with rows that are sound each for itself: years, units, values that never change."""
    seen: dict[int, int] = {}
    for number, year in zip(rows, (record["year"] for record in records), strict=True):
        if year in seen:
            raise _Fault("year_twice", f"row {number}, column year", year=year, before=seen[year], row=number)
        seen[year] = number
    if absent := [year for year in range(min(seen), max(seen)) if year not in seen]:
        which = ", ".join(map(str, absent[:5])) + (" ..." if len(absent) > 5 else "")
        raise _Fault("gap", "column year", first=min(seen), last=max(seen), which=which)
    (first, unit), *others = ((number, cells["unit"]) for number, cells in rows.items())
    for number, other in others:
        if other != unit:
            raise _Fault("units", f"row {number}, column unit", other=other, unit=unit, row=first)
    values = {record["value"] for record in records}
    if len(records) > 2 and len(values) == 1:  # from three years on a curve is fitted: it would be sure of all to come
        raise _Fault("still", "column value", value=values.pop(), years=len(records))
