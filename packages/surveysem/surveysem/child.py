"""How one Excel or SPSS file is read in a process of its own, which a damaged file may kill or swell without harm.

Run by path, so that it starts in a blink: it imports nothing of this package. It writes a line of JSON that says what
the table is, or what is wrong with it, then a line a row (Excel) or a column (SPSS), then null.
"""

import json
import os
import sys
import zipfile
from collections.abc import Iterator
from contextlib import closing
from typing import TextIO

ROWS, COLUMNS = 1_048_576, 16_384  # of a sheet, by Excel's own specification, as is:
LONGEST = 32_767  # characters of a cell
CELLS = 10_000_000
CHARACTERS = 2**28  # of all cells: one shared text of some kilobytes may stand in each of them
MARKS = 8 * CELLS  # opening brackets of the xml: a cell has four, with a text of its own or a formula six
UNPACKED = 2**30  # bytes of an Excel file
AS_CSV = "save it as csv, which has no such limit"


class Refused(Exception):
    """The file breaks a bound; the message says which, what was found and what is allowed."""


def excel(path: str, sheet: str | None) -> Iterator[object]:
    """Yield a sheet's names or its rows: numbered, without blank ones and without empty cells at their ends."""
    _check_archive(path)
    import openpyxl
    from openpyxl.worksheet._reader import WorkSheetParser

    # not through sheet.iter_rows: it fills up to whatever number a row states, and that may be a thousand million
    book = openpyxl.load_workbook(path, read_only=True, data_only=False)  # a formula stays text
    with closing(book):
        names = [each.title for each in book.worksheets]
        if (sheet is None and len(names) != 1) or (sheet is not None and sheet not in names):
            yield {"sheets": names}
            return
        yield {}
        page = book[names[0] if sheet is None else sheet]
        with page._get_source() as source:
            formats = {"date_formats": book._date_formats, "timedelta_formats": book._timedelta_formats}
            parser = WorkSheetParser(source, page._shared_strings, epoch=book.epoch, **formats)
            yield from _rows(parser.parse())


def _check_archive(path: str) -> None:
    marks = 0
    with zipfile.ZipFile(path) as packed:
        size = sum(part.file_size for part in packed.infolist())
        if size > UNPACKED:
            raise Refused(f"unpacks to {size:,} bytes; at most {UNPACKED:,} are read: {AS_CSV}")
        for part in packed.infolist():
            if part.filename.endswith((".xml", ".rels")):
                last = b""
                with packed.open(part) as file:
                    while piece := file.read(2**20):
                        marks += piece.count(b"<")
                        if b"<!" in last + piece:
                            raise Refused(f"declares entities in {part.filename}; a sheet of Excel has none")
                        last = piece[-1:]
    if marks > MARKS:
        raise Refused(f"holds {marks:,} xml marks; at most {MARKS:,} are read: {AS_CSV}")


def _rows(parsed: Iterator[tuple[int, list[dict]]]) -> Iterator[tuple[int, list[object]]]:
    last = cells = characters = 0
    for number, row in parsed:
        if not last < number <= ROWS:
            raise Refused(f"has a row numbered {_digits(number)} after row {last}; rows run upwards to {ROWS:,}")
        last = number
        values = {cell["column"]: cell["value"] for cell in row if cell["value"] is not None}
        width = max(values, default=0)
        if width > COLUMNS:
            raise Refused(f"has a cell in column {_digits(width)}, row {number}; a sheet has {COLUMNS:,} columns")
        cells += width
        if cells > CELLS:
            raise Refused(f"holds more than {CELLS:,} cells up to row {number:,}, and no more are read: {AS_CSV}")
        texts = {column: len(value) for column, value in values.items() if isinstance(value, str)}
        for column, length in texts.items():
            if length > LONGEST:
                raise Refused(f"holds {length:,} characters in row {number}, column {column}; a cell has {LONGEST:,}")
        characters += sum(texts.values())
        if characters > CHARACTERS:
            raise Refused(f"holds {characters:,} characters up to row {number}; at most {CHARACTERS:,} are read")
        if values:
            yield number, [_plain(values.get(column)) for column in range(1, width + 1)]


def _digits(number: int) -> str:
    return f"{number:,}" if abs(number) < 10**18 else "of 19 digits or more"


def _plain(cell: object) -> object:
    if isinstance(cell, bool):
        return str(cell).upper()  # True would pass for 1
    return cell if cell is None or isinstance(cell, int | float) else str(cell)


def spss(path: str, _: str | None) -> Iterator[object]:
    """Yield what an SPSS file says of its columns, then the cells of each."""
    import pyreadstat

    columns, meta = pyreadstat.read_sav(path, user_missing=True, output_format="dict")  # no data frame: no pandas
    yield {
        "names": list(columns), "stated": meta.number_rows, "encoding": meta.file_encoding or "",
        "wordings": [meta.column_names_to_labels.get(name) or "" for name in columns],
        # texts as keys would lose what kind of value a label is for
        "labels": {name: list(labels.items()) for name, labels in meta.variable_value_labels.items()},
        "missing": {name: [(r["lo"], r["hi"]) for r in ranges if isinstance(r, dict)]
                    for name, ranges in meta.missing_ranges.items()},
    }  # fmt: skip
    for cells in columns.values():
        yield [_plain(cell) for cell in cells]


def answer(kind: str, path: str, sheet: str | None, out: TextIO) -> None:
    """Write what a file holds, or what is wrong with it."""
    try:
        for line in {"xlsx": excel, "sav": spss}[kind](path, sheet):
            out.write(json.dumps(line) + "\n")
    except Refused as wrong:
        out.write(json.dumps({"wrong": str(wrong)}) + "\n")
    except MemoryError:
        out.write(json.dumps({"wrong": "needs more memory than there is"}) + "\n")
    except Exception as wrong:  # a reader raises whatever its parts do
        said = " ".join(str(wrong).split())[:100]
        out.write(json.dumps({"damaged": said or type(wrong).__name__}) + "\n")
    out.write("null\n")


if __name__ == "__main__":
    # openpyxl's guard against entities is a parser in Python, ten times slower; `_check_archive` lets none through
    os.environ |= {"OPENPYXL_DEFUSEDXML": "False", "OPENPYXL_LXML": "False"}
    if sys.argv[1] == "xlsx":
        from openpyxl.worksheet._read_only import ReadOnlyWorksheet

        ReadOnlyWorksheet._get_size = lambda _: None  # it reads the sheet through for a size that may be wrong
    answer(sys.argv[1], sys.argv[2], json.loads(sys.argv[3]), sys.stdout)
