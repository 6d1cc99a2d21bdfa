"""The tables of executed notebooks as an article prints them: number, title, lines, note, by APA's rules of writing.

They are made from the same payloads as the pages, so that a number is the same everywhere. A Word document has three
horizontal rules a table, number and title above, note below; an Excel workbook one sheet a table, real numbers in the
cells and nothing that runs.
"""

import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from numbers import Real
from typing import Any

from docx import Document
from docx.enum.section import WD_ORIENT
from docx.oxml import parse_xml
from docx.oxml.ns import qn
from docx.shared import Inches, Pt
from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, Side
from openpyxl.utils import get_column_letter, quote_sheetname
from openpyxl.worksheet.hyperlink import Hyperlink

from nbproof import Look, payloads, provenance
from surveysem.said import filled

MAKER = "surveysem"  # whom an Office file names as its author
MISSING = "–"
BOUNDED = re.compile(  # columns of statistics that cannot exceed 1: APA, for English, writes no zero before the point
    r"\d+|(\w+_)?p|q2?|p_?value(\.\w+)?|r2?|r2_adjusted|loading|alpha|cr|rho_[AC]|(omega|ave)(_low|_high)?|htmt2?|kmo|"
    r"correlation|communality|bound|(plain_)?(cfi|tli|rmsea)(\.[\w.]+)?|srmr"
)
LIKEWISE = ("estimate", "low", "high")  # in a table of loadings, reliabilities or HTMT
LEADING_ZERO = re.compile(r"(?<![\d.,])0\.(?=\d)")
PROBABILITY = re.compile(r"(\w+_)?p|q|p_?value(\.\w+)?")
BROAD = "mw%+=<>→\N{MINUS SIGN}"  # wider than half their height, as capitals are
HOUR, DAY = b"1980-01-01T00:00:00Z", (1980, 1, 1, 0, 0, 0)  # the earliest an archive can state
# Excel
FACES = {"en": "Times New Roman", "zh": "SimSun"}
WIDEST, LINE = 60, 13.5  # characters of a column, points of a line
HEAVY, FINE = Side(style="medium"), Side(style="thin")
FIRST = 4  # row of the heads: number, title and an empty line stand above
FORMULA = tuple("=+-@")
font, aligned = cache(Font), cache(Alignment)  # a thousand cells share few
RIGHT = (False, False, True)  # columns of the list of sheets
# Word
MARGIN, SHORT, LONG = Inches(1), Inches(8.5), Inches(11)  # APA's page
SIZES = ((10, SHORT), (9, SHORT), (8, SHORT), (9, LONG), (7.5, LONG))  # points of a table's text, on which side
WRAP = 26  # characters after which a text may go on in the next line
WHOLE = 30  # rows of a table that stays on one page
BESIDE = Pt(11)  # margins of a cell, both


@dataclass(frozen=True)
class Cell:
    """What a cell shows, and the number behind it, if it is one, with its decimals."""

    text: str
    value: float | int | None = None
    digits: int = 0
    bounded: bool = False
    probability: bool = False


@dataclass(frozen=True)
class ArticleTable:
    """One table: ``heads`` and ``rows`` of cells, which columns stand to the ``right``, the ``opening`` of its note."""

    number: int
    name: str
    language: str
    label: str
    title: str
    note: str
    heads: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    right: tuple[bool, ...]
    opening: str

    @cached_property
    def lines(self) -> list[Sequence[str]]:
        """Heads and rows as texts."""
        return [self.heads, *([cell.text for cell in row] for row in self.rows)]

    @cached_property
    def columns(self) -> list[tuple[str, ...]]:
        """Head and texts of each column, without what stands across all."""
        lines = [self.heads, *([cell.text for cell in row] for row in self.rows if not is_sentence(row))]
        return list(zip(*lines, strict=True))

    @cached_property
    def widths(self) -> list[int]:
        """Characters of each column's longest text, a Chinese one counted twice, and the space beside it."""
        return [max(map(width_of, column)) + 2 for column in self.columns]

    @cached_property
    def heights(self) -> list[float]:
        """Heights of a letter that each column's longest word is wide."""
        return [max(map(longest_word, column)) for column in self.columns]


def is_sentence(row: Sequence[Cell]) -> bool:
    """Whether a row holds one sentence, such as why a question cannot be tested, and nothing in its other columns."""
    first, *others = (cell.text for cell in row)
    return first.endswith((".", "。")) and bool(others) and all(text == MISSING for text in others)


def tables_of(notebooks: Mapping[str, Mapping[str, Any]], language: str) -> list[ArticleTable]:
    """Return the tables of executed notebooks in order, numbered through.

    Parameters
    ----------
    notebooks : mapping of name to notebook
        Executed, in nbformat's form.
    language : {"en", "zh"}
        Of the tables.
    """
    made: list[ArticleTable] = []
    for payload in (each for notebook in notebooks.values() for each in payloads(notebook)):
        if payload["kind"] == "table" and payload["language"] == language:
            made.append(_table(payload, len(made) + 1))
    return made


def _table(payload: Mapping[str, Any], number: int) -> ArticleTable:
    keys, language = payload["columns"], payload["language"]
    alike = LIKEWISE if {"loading", "measure", "htmt"} & set(keys) else ()
    english = language == "en"  # Chinese journals write the zero (GB/T 15835)
    bounded = [english and (key in alike or bool(BOUNDED.fullmatch(key))) for key in keys]
    digits = [payload["digits"].get(key, 0) for key in keys]
    rows = tuple(
        tuple(_cell(*each) for each in zip(texts, values, digits, bounded, keys, strict=True))
        for texts, values in zip(payload["rows"], payload["values"], strict=True)
    )
    said, note = Look().words(language), [provenance(payload), payload["note"]]
    return ArticleTable(
        number,
        payload["name"],
        language,
        said["table"].format(number),
        _clean(payload["caption"].rstrip("。. ")),
        _clean(" ".join(filter(None, note))),
        tuple(map(_clean, payload["heads"])),
        rows,
        tuple(payload["numeric"]),
        said["note"],
    )


def _cell(text: str, value: Any, digits: int, bounded: bool, key: str = "") -> Cell:
    """One cell, a p value that prints as zero said to be below the last digit.

    >>> _cell("0.000", 0.0002, 3, True, "p").text, _cell("−0.05", -0.05, 2, True).text, _cell("0.5", 0.5, 1, False).text
    ('< .001', '−.05', '0.5')
    """
    number = isinstance(value, Real) and not isinstance(value, bool)
    probability = bool(number and digits and PROBABILITY.fullmatch(key))
    if probability and not text.strip("0."):
        text = f"< 0.{'1'.rjust(digits, '0')}"
    text = LEADING_ZERO.sub(".", _clean(text)) if bounded else _clean(text)
    return Cell(text, value, digits, bounded, probability) if number else Cell(text)


def _clean(text: str) -> str:
    """Leave out control characters: no document can hold them."""
    return "".join(c for c in text if c.isprintable() or c == "\n")


def width_of(text: str) -> int:
    """Return how many characters wide a text stands, a Chinese one counted twice."""
    return sum(2 if ord(c) > 0x2E7F else 1 for c in text)


def longest_word(text: str) -> float:
    """Return how wide the longest word, or three signs of Chinese, is in heights of letters: no line ends within.

    >>> longest_word("a moderator (SD)"), longest_word("−0.05")
    (4.75, 2.75)
    """
    words = re.findall(r"[^\s\u2e80-\uffff]+(?:[\uff01-\uff1f][^\s\u2e80-\uffff]*)*|[\u2e80-\uffff]{1,3}", text)
    broad = [0.25 * sum((sign.isupper() or sign in BROAD) + (sign in "MW%") for sign in word) for word in words]
    return max((0.5 * width_of(word) + more for word, more in zip(words, broad, strict=True)), default=0.0)


def archive(content: bytes) -> bytes:
    """Return an Office file without the hour of its making: the same tables give the same bytes."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            part = old.read(name)
            if name == "docProps/core.xml":
                part = re.sub(rb"(<dcterms:(created|modified)\b[^>]*>)[^<]*", rb"\g<1>" + HOUR, part)
            new.writestr(zipfile.ZipInfo(name, DAY), part, zipfile.ZIP_DEFLATED)
    return made.getvalue()


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
        _add_sheet(book.create_sheet(f"{table.number} {table.name}"[:31]), table)
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
    _add_sheet(sheet, contents)
    for row, (name, *_) in enumerate(contents.rows, FIRST + 1):
        sheet.cell(row, 1).hyperlink = Hyperlink("", location=f"{quote_sheetname(name.text)}!A1")
        sheet.cell(row, 1).font = font(FACES[contents.language], color="0563C1", underline="single")


def _add_sheet(sheet: Any, table: ArticleTable) -> None:
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


def word(tables: Sequence[ArticleTable], title: str) -> bytes:
    """Return a .docx with one table below the other, wide ones on pages turned across."""
    made, before = opened(title), None
    for table in tables:
        needed = {each: _needed(table, each[0]) for each in SIZES}
        size, side = next((each for each in SIZES if sum(needed[each]) <= each[1] - 2 * MARGIN), SIZES[-1])
        if side != before:
            turn(made.add_section() if before else made.sections[0], side)
        _add(made, table, _shared(needed[size, side], _least(table, size), side - 2 * MARGIN), Pt(size), side == before)
        before = side
    file = io.BytesIO()
    made.save(file)
    return archive(file.getvalue())


def opened(title: str) -> Any:
    """Return an empty document of Word with our fonts, Chinese ones for Chinese texts."""
    made = Document()
    made.core_properties.title, made.core_properties.author = title, MAKER
    made.styles["Normal"].font.name, made.styles["Normal"].font.size = FACES["en"], Pt(10)
    for name in ("Normal", "Title"):
        made.styles[name].element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), FACES["zh"])
    return made


def _needed(table: ArticleTable, size: float) -> list[int]:
    """What every column's longest text needs, or so much of it as stands in a line; heads of numbers go on in two."""
    widths = [
        max([width_of(head) // (1 + right) + 2 * right, *map(width_of, texts)])
        for (head, *texts), right in zip(table.columns, table.right, strict=True)
    ]
    lines = [int(BESIDE + 0.5 * Pt(size) * min(width, WRAP)) for width in widths]
    return list(map(max, lines, _least(table, size)))


def _least(table: ArticleTable, size: float) -> list[int]:
    """What every column's longest word needs."""
    return [int(BESIDE + Pt(size) * height) for height in table.heights]


def _shared(needed: list[int], least: list[int], room: int) -> list[int]:
    """Widths of columns: what they need; where that is too much, their longest words, and a share of what is left."""
    spare, wanted = room - sum(least), sum(needed) - sum(least)
    if spare <= 0:  # nothing fits: all give way alike
        return [int(each * room / sum(least)) for each in least]
    share = min(1.0, spare / wanted) if wanted else 0.0
    return [int(low + share * (each - low)) for each, low in zip(needed, least, strict=True)]


def turn(section: Any, side: int) -> None:
    """Let pages of a section lie across where their longer side is that of their width."""
    section.orientation = WD_ORIENT.LANDSCAPE if side == LONG else WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = side, SHORT if side == LONG else LONG
    section.left_margin = section.right_margin = section.top_margin = section.bottom_margin = MARGIN


def _add(made: Any, table: ArticleTable, widths: list[int], size: Pt, below: bool) -> None:
    last, sides, rows = len(table.rows), ["right" if right else "left" for right in table.right], []
    for position, texts in enumerate(table.lines):
        cells = list(zip(texts, widths, sides, strict=True))
        if position and is_sentence(table.rows[position - 1]):
            cells = [(texts[0], sum(widths), "left")]
        # a long one parts, but not at its ends
        kept = last <= WHOLE or position < 3 or position == last
        rows.append({"cells": cells, "span": len(widths) // len(cells), "kept": kept})
    drawn = filled("article.xml", table=table, widths=widths, rows=rows, size=int(2 * size.pt), below=below)
    for part in list(parse_xml(drawn)):
        made.element.body[-1].addprevious(part)
