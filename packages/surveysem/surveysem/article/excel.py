"""Tables of an article as an Excel workbook: one sheet a table, real numbers in the cells and nothing that runs."""

import io
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, Side
from openpyxl.utils import get_column_letter, quote_sheetname
from openpyxl.worksheet.hyperlink import Hyperlink

from surveysem.article.tables import MAKER, ArticleTable, Cell, archive, is_sentence, width_of

FACES = {"en": "Times New Roman", "zh": "SimSun"}
WIDEST, LINE = 60, 13.5  # characters of a column, points of a line
HEAVY, FINE = Side(style="medium"), Side(style="thin")
FIRST = 4  # row of the heads: number, title and an empty line stand above
FORMULA = tuple("=+-@")
font, aligned = cache(Font), cache(Alignment)  # a thousand cells share few
RIGHT = (False, False, True)  # columns of the list of sheets


def excel(tables: Sequence[ArticleTable], title: str, words: Mapping[str, str]) -> bytes:
    """Return an .xlsx; every text is stored as text, one that opens like a formula too.

    Parameters
    ----------
    tables : sequence of ArticleTable
        One a sheet.
    title : str
        Of the book.
    words : mapping
        Those of the first sheet, a list of the others: contents, sheet, title, rows.
    """
    book = Workbook()
    book.properties.title, book.properties.creator = title, MAKER
    for table in tables:
        _add(book.create_sheet(f"{table.number} {table.name}"[:31]), table)
    rows = [
        (Cell(name), Cell(table.title), Cell(str(len(table.rows)), len(table.rows)))
        for name, table in zip(book.sheetnames[1:], tables, strict=True)
    ]
    heads = words["sheet"], words["title"], words["rows"]
    language, label = next((table.language for table in tables), "en"), words["contents"]
    _list(book.worksheets[0], ArticleTable(0, label, language, label, title, "", heads, tuple(rows), RIGHT, ""))
    file = io.BytesIO()
    book.save(file)
    return archive(file.getvalue())


def _list(sheet: Any, contents: ArticleTable) -> None:
    """Write what the other sheets hold, each with a link to it."""
    sheet.title = contents.name
    _add(sheet, contents)
    for row, (name, *_) in enumerate(contents.rows, FIRST + 1):
        sheet.cell(row, 1).hyperlink = Hyperlink("", location=f"{quote_sheetname(name.text)}!A1")
        sheet.cell(row, 1).font = font(FACES[contents.language], color="0563C1", underline="single")


def _add(sheet: Any, table: ArticleTable) -> None:
    face, last = FACES[table.language], FIRST + len(table.rows)
    _text(sheet.cell(1, 1), table.label, font(face, bold=True))
    _text(sheet.cell(2, 1), table.title, font(face, italic=table.language == "en"))
    for k, (head, right) in enumerate(zip(table.heads, table.right, strict=True), 1):
        side = {"horizontal": "right" if right else "left", "indent": 0 if right or k == 1 else 1}
        cell = sheet.cell(FIRST, k)
        _text(cell, head, font(face))
        cell.alignment = aligned(vertical="bottom", wrap_text=True, **side)
        cell.border = Border(top=HEAVY, bottom=FINE)
        for row, line in enumerate(table.rows, FIRST + 1):
            shown, target = line[k - 1], sheet.cell(row, k)
            if shown.value is None:
                _text(target, shown.text, font(face))
            else:
                target.value, target.font, target.number_format = shown.value, font(face), _format(shown)
            target.alignment = aligned(vertical="top", wrap_text=not right, **side)
            if row == last:
                target.border = Border(bottom=HEAVY)
        sheet.column_dimensions[get_column_letter(k)].width = min(max(table.widths[k - 1], 8), WIDEST)
    for row, texts in enumerate(table.lines, FIRST):
        sheet.row_dimensions[row].height = LINE * max(-(-width_of(text) // (WIDEST - 4)) or 1 for text in texts)
    for row, line in enumerate(table.rows, FIRST + 1):
        if is_sentence(line):
            sheet.merge_cells(start_row=row, start_column=1, end_row=row, end_column=len(line))
    separator = " " if table.language == "en" else ""
    _text(sheet.cell(last + 1, 1), f"{table.opening}{separator}{table.note}", font(face, size=9))
    sheet.merge_cells(start_row=last + 1, start_column=1, end_row=last + 1, end_column=len(table.heads))
    sheet.cell(last + 1, 1).alignment = aligned(wrap_text=True, vertical="top")
    across = sum(sheet.column_dimensions[get_column_letter(k + 1)].width for k in range(len(table.heads)))
    sheet.row_dimensions[last + 1].height = LINE * (1 + 1.2 * width_of(table.note) // across)
    sheet.freeze_panes = sheet.cell(FIRST + 1, 1)
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True


def _format(cell: Cell) -> str:
    """How Excel is to print a number: as the page does.

    >>> _format(Cell("< .001", 0.0002, 3, True, True)), _format(Cell("1,234.50", 1234.5, 2)), _format(Cell("12", 12))
    ('[<0.0005]"< .001";.000', '#,##0.00', '0')
    """
    if not cell.digits:
        return "0"
    point = ("." if cell.bounded else "#,##0.") + "0" * cell.digits
    last = 10.0**-cell.digits
    least = f"{last:.{cell.digits}f}".lstrip("0" if cell.bounded else "")
    small = f'[<{last / 2:.{cell.digits + 1}f}]"< {least}";'
    return small + point if cell.probability else point


def _text(target: Any, text: str, font: Font) -> None:
    target.value, target.font = text, font
    target.data_type = "s"  # a text that opens with = is no formula
    target.quotePrefix = text.startswith(FORMULA)  # nor does editing the cell make it one
