"""Read a reader's own series of a market from csv, and say in one sentence what is wrong with it."""

from __future__ import annotations

import csv
import io
import os
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from nbproof import read_bytes, words
from socialcommerce.errors import DataError, named, nearest, quoted

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SERIES_BASES", "SERIES_COLUMNS", "load_series"]

SERIES_COLUMNS = ("year", "value", "unit", "source", "basis")
SERIES_BASES = ("observed", "stated", "published", "derived", "forecast", "synthetic")
SCALES = ("thousand", "1e4", "million", "1e8", "billion", "trillion")
YEARS = range(1900, 2101)
VALUES = (1e-9, 1e18)  # a person or a unit of money in trillions, to more of any currency than there is
LARGEST = 2**24  # bytes
UNIT_RULE = f"a scale ({', '.join(SCALES)}) and a three-letter currency code or 'persons', such as 'billion USD'"


class Row(NamedTuple):
    """One data row: its number as a spreadsheet counts (the header is row 1) and its cells by column."""

    number: int
    cells: dict[str, str]


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
    rows = _rows(_header_checked(_table(path), path), path)
    table = sorted((_typed(row, path) for row in rows), key=lambda record: record["year"])
    _check_years([(row.number, int(row.cells["year"])) for row in rows], path)
    _check_one_unit(rows, path)
    _check_values(table, path)
    frame = pd.DataFrame(table, columns=list(SERIES_COLUMNS))
    frame = frame.astype({"year": "int64", "value": "float64"})
    frame.attrs = {"basis": "published figure", "source": words("the reader's file {file}", file=path.name)}
    return frame


def _fail(path: Path, where: str, wrong: str, given: str, allowed: str) -> DataError:
    place = f"{named(path.name)}, {where}: " if where else f"{named(path.name)}: "
    return DataError(f"{place}{wrong}; got {given}; allowed: {allowed}.")


def _table(path: Path) -> list[list[str]]:
    if not os.path.exists(path):  # Path.exists raises where a name is too long
        folder = path.parent
        near = nearest(path.name, [p.name for p in folder.glob("*.csv")]) if os.path.isdir(folder) else None
        hint = f"; did you mean {quoted(near)}" if near else ""
        given = quoted(str(path), 200)
        raise DataError(f"there is no file {given}{hint}; allowed: the path of a csv file you can read.")
    raw = read_bytes(path, DataError, LARGEST)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise _fail(path, f"row {line}", "the file is not UTF-8", f"the byte 0x{raw[error.start]:02x}",
                    "UTF-8 (in a spreadsheet: save as 'CSV UTF-8')") from None
    if "\x00" in text:
        raise _fail(path, "", "the file is not text", "zero bytes", "a csv file in UTF-8, not a workbook or UTF-16")
    try:
        return list(csv.reader(io.StringIO(text, newline="")))
    except csv.Error as error:  # such as a cell of more than 131,072 characters
        raise _fail(path, "", "the file is not a csv file", str(error), "text between plain quotes") from None


def _header_checked(table: list[list[str]], path: Path) -> list[list[str]]:
    wanted = ", ".join(SERIES_COLUMNS)
    if not any(any(cell.strip() for cell in line) for line in table):
        raise _fail(path, "", "the file is empty", "no rows", f"a header ({wanted}) and a row for each year")
    header = table[0] = [cell.strip() for cell in table[0]]
    for mark, name in ((";", "a semicolon"), ("\t", "a tab"), ("|", "a bar")):
        if len(header) == 1 and mark in header[0]:
            raise _fail(path, "row 1", "the columns are separated by something else than a comma", name, "a comma")
    for column in header:
        if column not in SERIES_COLUMNS:
            guess = nearest(column, SERIES_COLUMNS)
            hint = f" (did you mean {guess!r}?)" if guess else ""
            raise _fail(path, "row 1", f"unknown column{hint}", quoted(column), wanted)
    if twice := [name for name, count in Counter(header).items() if count > 1]:
        raise _fail(path, "row 1", "a column stands there twice", twice[0], f"each once of {wanted}")
    if absent := [name for name in SERIES_COLUMNS if name not in header]:
        raise _fail(path, "row 1", f"missing column {', '.join(absent)}", ", ".join(header), wanted)
    return table


def _rows(table: list[list[str]], path: Path) -> list[Row]:
    header, rows = table[0], []
    for number, line in enumerate(table[1:], start=2):
        if not any(cell.strip() for cell in line):
            continue
        if len(line) != len(header):
            raise _fail(path, f"row {number}", f"the header has {len(header)} columns", f"{len(line)} cells",
                        f"{len(header)}, and numbers without thousands separators")
        rows.append(Row(number, dict(zip(header, (cell.strip() for cell in line), strict=True))))
    if not rows:
        raise _fail(path, "", "there is only a header", "no rows", "a row for each year")
    if len(rows) > 2 * len(YEARS):  # up to there the year that stands there twice is named
        raise _fail(path, "", "there are more rows than years", f"{len(rows):,} rows",
                    f"one a year, at most {len(YEARS)}")
    return rows


def _typed(row: Row, path: Path) -> dict[str, object]:
    cells, where = row.cells, f"row {row.number}, column "
    if not re.fullmatch(r"\d{4}", cells["year"]) or int(cells["year"]) not in YEARS:
        raise _fail(path, f"{where}year", "not a year", quoted(cells["year"]), f"{YEARS[0]} to {YEARS[-1]}")
    value = _number(cells["value"])
    if value is None:
        raise _fail(path, f"{where}value", "not a number", quoted(cells["value"]),
                    "a number above zero, without thousands separators or unit, such as 12626 or 1.5e3")
    if not value > 0:
        raise _fail(path, f"{where}value", "a market is above zero", named(cells["value"]), "a number above zero")
    if not VALUES[0] <= value <= VALUES[1]:
        raise _fail(path, f"{where}value", "no market is so small or so large", named(cells["value"]),
                    f"{VALUES[0]:g} to {VALUES[1]:g} in the unit of its row")
    if not _is_unit(cells["unit"]):
        guess = _nearest_unit(cells["unit"])
        hint = f" (did you mean {guess!r}?)" if guess else ""
        raise _fail(path, f"{where}unit", f"unknown unit{hint}", quoted(cells["unit"]), UNIT_RULE)
    if not cells["source"]:
        raise _fail(path, f"{where}source", "no source is named", "an empty cell", "who published the value")
    if cells["basis"] not in SERIES_BASES:
        guess = nearest(cells["basis"], SERIES_BASES)
        hint = f" (did you mean {guess!r}?)" if guess else ""
        raise _fail(path, f"{where}basis", f"unknown basis{hint}", quoted(cells["basis"]), ", ".join(SERIES_BASES))
    return {**cells, "year": int(cells["year"]), "value": value}


def _number(text: str) -> float | None:
    # float() would take "1_000" and full-width digits too: a slip of the pen must not become a market
    return float(text) if re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", text, re.ASCII) else None


def _is_unit(text: str) -> bool:
    scale, _, what = text.partition(" ")
    return scale in SCALES and (what == "persons" or bool(re.fullmatch(r"[A-Z]{3}", what)))


def _nearest_unit(text: str) -> str | None:
    short = {"bn": "billion", "mn": "million", "mio": "million", "trn": "trillion", "tn": "trillion", "yi": "1e8"}
    money = {"yuan": "CNY", "rmb": "CNY", "dollar": "USD", "dollars": "USD", "euro": "EUR"}
    words = re.findall(r"[a-z]+|1e[48]", text.lower())
    scale = next((short.get(w, w) for w in words if short.get(w, w) in SCALES), None)
    rest = [money.get(w, w.upper()) for w in words if short.get(w, w) not in SCALES]
    what = next((w for w in rest if re.fullmatch(r"[A-Z]{3}", w)), None)
    return f"{scale} {what}" if scale and what else None


def _check_years(years: Iterable[tuple[int, int]], path: Path) -> None:
    seen: dict[int, int] = {}
    for number, year in years:
        if year in seen:
            raise _fail(path, f"row {number}, column year", "two rows for one year",
                        f"{year} in rows {seen[year]} and {number}", "one row a year")
        seen[year] = number
    absent = [year for year in range(min(seen), max(seen)) if year not in seen]
    if absent:
        which = ", ".join(map(str, absent[:5])) + (" ..." if len(absent) > 5 else "")
        raise _fail(path, "column year", "years are missing", f"{min(seen)} to {max(seen)} without {which}",
                    "every year between the first and the last")


def _check_one_unit(rows: list[Row], path: Path) -> None:
    first = rows[0]
    for row in rows[1:]:
        if row.cells["unit"] != first.cells["unit"]:
            raise _fail(path, f"row {row.number}, column unit", "the unit changes within the series",
                        f"{row.cells['unit']!r} after {first.cells['unit']!r} in row {first.number}",
                        "one unit for all rows")


def _check_values(table: list[dict], path: Path) -> None:
    values = {record["value"] for record in table}
    if len(table) > 2 and len(values) == 1:  # from three years on a curve is fitted: it would be sure of all to come
        raise _fail(path, "column value", "the market never changes, so nothing can be learnt of its growth",
                    f"{values.pop():g} in each of {len(table)} years", "values that differ, or one or two years")
