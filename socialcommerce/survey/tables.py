"""How files of answers are opened: csv, Excel and SPSS become one plain table of cells, nothing executed."""

from __future__ import annotations

import codecs
import csv
import io
import zipfile
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from socialcommerce.errors import DataError, ParameterError, UnknownNameError

__all__ = ["RawTable", "read_table"]

WIDEST = 2000  # columns
LONGEST = 1000  # characters of a heading
LARGEST = 2**31  # bytes of an Excel file once unpacked
ENCODINGS = ("utf-8", "gb18030")
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}


@dataclass(frozen=True)
class RawTable:
    """One table as it stands in its file.

    Parameters
    ----------
    file : str
        The file's name.
    headings, wordings : tuple of str
        Of each column; the wording is an SPSS variable label, else empty.
    rows : tuple of int
        The number of each row in the file, 1 for the heading.
    columns : tuple of sequence
        The cells of each column.
    format, encoding : str
        "csv", "xlsx" or "sav"; the encoding found.
    labels : dict
        SPSS value labels by column: code -> text.
    missing : dict
        SPSS user-missing ranges by column: (lowest, highest) each.
    """

    file: str
    headings: tuple[str, ...]
    rows: tuple[int, ...]
    columns: tuple[Sequence[object], ...]
    format: str
    encoding: str
    wordings: tuple[str, ...] = ()
    labels: dict[str, dict[float, str]] = field(default_factory=dict)
    missing: dict[str, tuple[tuple[object, object], ...]] = field(default_factory=dict)


def read_table(
    path: str | Path, *, sheet: str | None = None, encoding: str | None = None, delimiter: str = ","
) -> RawTable:
    """Return the table in a file; the ending of its name says which reader opens it.

    Parameters
    ----------
    sheet : str, optional
        Of an Excel file with several.
    encoding : {"utf-8", "gb18030"}, optional
        Of a csv file; by default UTF-8 (a byte-order mark is dropped), else GB18030 where that decodes every byte.
    delimiter : {",", ";", "\\t", "|"}
        Of a csv file.

    Raises
    ------
    DataError
        When the file cannot be opened, is empty, has only a heading, repeats or lacks headings, has rows of unequal
        length or more than 2000 columns.
    """
    file = Path(path)
    if delimiter not in DELIMITERS:
        raise ParameterError(f"delimiter is {delimiter!r}; allowed: {', '.join(map(repr, DELIMITERS))}.")
    readers = {
        ".csv": lambda: _csv(file, encoding, delimiter),
        ".txt": lambda: _csv(file, encoding, delimiter),
        ".xlsx": lambda: _excel(file, sheet),
        ".sav": lambda: _spss(file),
    }
    ending = file.suffix.lower()
    if ending not in readers:
        raise DataError(f"{file.name}: the ending is {file.suffix!r}; allowed: {', '.join(readers)}.")
    try:
        empty = file.stat().st_size == 0
        with file.open("rb"):
            pass
    except (OSError, ValueError) as wrong:
        reason = getattr(wrong, "strerror", wrong)
        raise DataError(f"{file.name} cannot be opened: {reason}; a file is needed.") from wrong
    if empty:
        raise DataError(f"{file.name} is empty: 0 bytes; a heading and one row a respondent are needed.")
    return readers[ending]()


def _checked(file: Path, lines: Sequence[tuple[int, Sequence[object]]], format: str, encoding: str) -> RawTable:
    """Return a table from numbered rows, the heading first; blank rows and unnamed empty columns are left out."""
    lines = [(number, row) for number, row in lines if any(not _blank(cell) for cell in row)]
    if not lines:
        raise DataError(f"{file.name} is empty: no cell holds anything; a heading and one row a respondent are needed.")
    headings = [_text(cell) for cell in lines[0][1]]
    while headings and not headings[-1] and all(len(row) < len(headings) or _blank(row[-1]) for _, row in lines):
        headings.pop()
        lines = [(number, row[: len(headings)]) for number, row in lines]
    _check_headings(file, headings)
    for number, row in lines:
        if len(row) != len(headings):
            raise DataError(f"{file.name}, row {number} has {len(row)} cells; the heading has {len(headings)}.")
    if len(lines) == 1:
        raise DataError(f"{file.name} has a heading and no rows; one row a respondent is needed.")
    numbers, rows = zip(*lines[1:], strict=True)
    return RawTable(file.name, tuple(headings), numbers, tuple(zip(*rows, strict=True)), format, encoding)


def _check_headings(file: Path, headings: list[str]) -> None:
    if len(headings) > WIDEST:
        raise DataError(f"{file.name} has {len(headings)} columns; at most {WIDEST} are read.")
    seen: dict[str, int] = {}
    for k, heading in enumerate(headings, 1):
        if not heading:
            raise DataError(f"{file.name}, row 1, column {k}: the heading is empty; every column needs a name.")
        if len(heading) > LONGEST:
            raise DataError(f"{file.name}, row 1, column {k} has {len(heading)} characters; at most {LONGEST} may be.")
        if heading in seen:
            raise DataError(
                f"{file.name}, row 1: columns {seen[heading]} and {k} are both named {heading[:60]!r}; "
                "every column needs a name of its own."
            )
        seen[heading] = k


def _csv(file: Path, encoding: str | None, delimiter: str) -> RawTable:
    raw = file.read_bytes()
    codec, found = _decode(file, raw, encoding)
    if b"\0" in raw:
        raise DataError(f"{file.name} holds zero bytes, so it is no text; save it as csv in UTF-8 or GB18030.")
    try:
        text, same = io.TextIOWrapper(io.BytesIO(raw), codec, newline=""), {}
        rows = enumerate(csv.reader(text, delimiter=delimiter, strict=True), 1)
        lines = [(number, [same.setdefault(cell, cell) for cell in row]) for number, row in rows]  # equal cells once
    except csv.Error as wrong:
        raise DataError(f"{file.name} is not a csv file: {wrong}; text between plain quotes is needed.") from wrong
    heading = lines[0][1][0] if lines and len(lines[0][1]) == 1 else ""
    others = [other for other in DELIMITERS if other != delimiter and other in heading]
    if others:
        likely = max(others, key=heading.count)
        raise DataError(
            f"{file.name}, row 1 is one column between {DELIMITERS[delimiter]}s; it seems to be separated by "
            f"{DELIMITERS[likely]}s: give delimiter={likely!r}."
        )
    return _checked(file, lines, "csv", found)


def _decode(file: Path, raw: bytes, encoding: str | None) -> tuple[str, str]:
    """Return the codec that decodes every byte, and what to call it."""
    if encoding is not None and encoding.lower() not in ENCODINGS:
        raise UnknownNameError("encoding", encoding, ENCODINGS)
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise DataError(f"{file.name} is in UTF-16; allowed: UTF-8, GB18030.")
    tries = ENCODINGS if encoding is None else (encoding.lower(),)
    for name in tries:
        try:
            if raw.startswith(codecs.BOM_UTF8) and name == "utf-8":
                raw.decode("utf-8-sig")
                return "utf-8-sig", "utf-8 with byte-order mark"
            raw.decode(name)
            return name, name
        except UnicodeDecodeError as wrong:
            failed = wrong
    raise DataError(
        f"{file.name} is not in {' or '.join(tries)}: byte {failed.start + 1} is 0x{raw[failed.start]:02x}; "
        "save it as csv in UTF-8 or GB18030."
    )


def _excel(file: Path, sheet: str | None) -> RawTable:
    import openpyxl

    try:
        with zipfile.ZipFile(file) as packed:
            size = sum(part.file_size for part in packed.infolist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as wrong:
        raise DataError(f"{file.name} cannot be read as Excel (no zip archive); a whole .xlsx is needed.") from wrong
    if size > LARGEST:
        raise DataError(f"{file.name} unpacks to {size} bytes; at most {LARGEST} are read.")
    try:
        book = openpyxl.load_workbook(file, read_only=True, data_only=False)  # a formula stays text
    except Exception as wrong:  # the reader raises whatever its parts do
        kind = type(wrong).__name__
        raise DataError(f"{file.name} cannot be read as Excel ({kind}); a whole .xlsx is needed.") from wrong
    with closing(book):
        names = [each.title for each in book.worksheets]
        if sheet is None and len(names) != 1:
            raise DataError(f"{file.name} has {len(names)} sheets; say which: {', '.join(names)}.")
        if sheet is not None and sheet not in names:
            raise UnknownNameError("sheet", sheet, names)
        page = book[sheet or names[0]]
        try:
            page.reset_dimensions()  # writers may state them wrongly
            lines = [(number, _trimmed(row)) for number, row in enumerate(page.iter_rows(values_only=True), 1)]
        except Exception as wrong:
            raise DataError(f"{file.name}, sheet {page.title} cannot be read ({type(wrong).__name__}).") from wrong
    width = max((len(row) for _, row in lines), default=0)
    if width > WIDEST:
        raise DataError(f"{file.name} has {width} columns; at most {WIDEST} are read.")
    padded = [(number, [*map(_plain_cell, row), *[None] * (width - len(row))]) for number, row in lines]
    return _checked(file, padded, "xlsx", "xlsx")


def _trimmed(row: tuple) -> tuple:
    """Return a row without its empty end: formats may run to the last column of a sheet."""
    end = len(row)
    while end and row[end - 1] is None:
        end -= 1
    return row[:end]


def _plain_cell(cell: object) -> object:
    return str(cell).upper() if isinstance(cell, bool) else cell  # True would pass for 1


def _spss(file: Path) -> RawTable:
    import pyreadstat

    if file.read_bytes()[:4] not in (b"$FL2", b"$FL3"):
        raise DataError(f"{file.name} is no SPSS file: it does not begin with $FL2 or $FL3.")
    try:
        frame, meta = pyreadstat.read_sav(str(file), user_missing=True)
    except Exception as wrong:  # its own errors, and those of the decoder
        raise DataError(f"{file.name} cannot be read as SPSS ({wrong}); a whole .sav is needed.") from wrong
    stated = meta.number_rows
    if stated is not None and stated >= 0 and stated != len(frame):
        raise DataError(f"{file.name} is cut short: {len(frame)} of {stated} rows; a whole .sav is needed.")
    headings = [str(name) for name in frame.columns]
    _check_headings(file, headings)
    if not len(frame):
        raise DataError(f"{file.name} has a heading and no rows; one row a respondent is needed.")
    return RawTable(
        file.name, tuple(headings), tuple(range(2, len(frame) + 2)),
        tuple(frame.iloc[:, k].to_numpy(object) for k in range(frame.shape[1])), "sav", meta.file_encoding or "",
        tuple(meta.column_names_to_labels.get(name) or "" for name in headings),
        {name: dict(labels) for name, labels in meta.variable_value_labels.items()},
        {name: tuple((r["lo"], r["hi"]) for r in ranges) for name, ranges in meta.missing_ranges.items()},
    )  # fmt: skip


def _blank(cell: object) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip()) or (isinstance(cell, float) and np.isnan(cell))


def _text(cell: object) -> str:
    return "" if cell is None else str(cell).strip()
