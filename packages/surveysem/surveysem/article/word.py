"""Tables of an article as a Word document: three horizontal rules, number and title above, note below."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from docx import Document
from docx.enum.section import WD_ORIENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Inches, Pt

from surveysem.article.tables import MAKER, ArticleTable, archive, is_sentence, longest_word, width_of

LATIN, CHINESE = "Times New Roman", "SimSun"
MARGIN, SHORT, LONG = Inches(1), Inches(8.5), Inches(11)  # APA's page
SIZES = ((10, SHORT), (9, SHORT), (8, SHORT), (9, LONG), (7.5, LONG))  # points of a table's text, on which side
WRAP = 26  # characters after which a text may go on in the next line
WHOLE = 30  # rows of a table that stays on one page
HEAVY, FINE = "12", "6"  # eighths of a point
BESIDE = Pt(11)  # margins of a cell, both


def word(tables: Sequence[ArticleTable], title: str) -> bytes:
    """Return a .docx with one table below the other, wide ones on pages turned across."""
    made = Document()
    made.core_properties.title, made.core_properties.author = title, MAKER
    style = made.styles["Normal"]
    style.font.name, style.font.size = LATIN, Pt(10)
    style.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), CHINESE)
    before = None
    for table in tables:
        needed = {each: _needed(table, each[0]) for each in SIZES}
        size, side = next((each for each in SIZES if sum(needed[each]) <= each[1] - 2 * MARGIN), SIZES[-1])
        if side != before:
            _turn(made.add_section() if before else made.sections[0], side)
        _add(made, table, _shared(needed[size, side], _least(table, size), side - 2 * MARGIN), Pt(size), side == before)
        before = side
    file = io.BytesIO()
    made.save(file)
    return archive(file.getvalue())


def _needed(table: ArticleTable, size: float) -> list[int]:
    """What every column's longest text needs, or so much of it as stands in a line; heads of numbers go on in more."""
    widths = [
        max(map(width_of, column[right:]), default=0) for column, right in zip(table.columns, table.right, strict=True)
    ]
    lines = [int(BESIDE + 0.5 * Pt(size) * min(width, WRAP)) for width in widths]
    return list(map(max, lines, _least(table, size)))


def _least(table: ArticleTable, size: float) -> list[int]:
    """What every column's longest word needs."""
    return [int(BESIDE + Pt(size) * max(map(longest_word, column))) for column in table.columns]


def _shared(needed: list[int], least: list[int], room: int) -> list[int]:
    """Widths of columns: what they need; where that is too much, their longest words, and a share of what is left."""
    spare, wanted = room - sum(least), sum(needed) - sum(least)
    if spare <= 0:  # nothing fits: all give way alike
        return [int(each * room / sum(least)) for each in least]
    share = min(1.0, spare / wanted) if wanted else 0.0
    return [int(low + share * (each - low)) for each, low in zip(needed, least, strict=True)]


def _turn(section: Any, side: int) -> None:
    section.orientation = WD_ORIENT.LANDSCAPE if side == LONG else WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = side, SHORT if side == LONG else LONG
    section.left_margin = section.right_margin = section.top_margin = section.bottom_margin = MARGIN


def _add(made: Any, table: ArticleTable, widths: list[int], size: Pt, below: bool) -> None:
    heading, whole = made.add_paragraph(), len(table.rows) <= WHOLE
    heading.add_run(table.label).bold = True
    if below:
        heading.paragraph_format.space_before = Pt(18)
    title = made.add_paragraph()
    title.add_run(table.title).italic = table.language == "en"
    for paragraph in (heading, title):
        paragraph.paragraph_format.space_after, paragraph.paragraph_format.keep_with_next = Pt(4), True
    grid = made.add_table(rows=1 + len(table.rows), cols=len(table.heads))
    grid.autofit = False
    for column, width in zip(grid.columns, widths, strict=True):
        column.width = width
    for position, (row, texts) in enumerate(zip(grid.rows, table.lines, strict=True)):
        row._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))
        rules = {
            "top": HEAVY if position == 0 else "",
            "bottom": FINE if position == 0 else HEAVY if position == len(table.rows) else "",
        }
        for cell, text, right in zip(row.cells, texts, table.right, strict=True):
            _write(cell, text, right, size, rules)
    for row, line in zip(grid.rows[1:], table.rows, strict=True):
        if is_sentence(line):
            for cell in row.cells[1:]:
                cell.text = ""
            row.cells[0].merge(row.cells[-1]).text = ""
            _write(row.cells[0], line[0].text, False, size, {"bottom": HEAVY if line is table.rows[-1] else ""})
    grid.rows[0]._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))  # repeated on every page
    for row in grid.rows if whole else (*grid.rows[:3], grid.rows[-1]):  # a long one parts, but not at its ends
        for cell in row.cells:
            cell.paragraphs[0].paragraph_format.keep_with_next = True
    note = made.add_paragraph()
    note.paragraph_format.space_before = Pt(4)
    note.add_run(table.opening).italic = table.language == "en"
    note.add_run(f" {table.note}" if table.language == "en" else table.note)
    for run in note.runs:
        run.font.size = Pt(9.5)


def _write(cell: Any, text: str, right: bool, size: Pt, rules: dict[str, str]) -> None:
    paragraph = cell.paragraphs[0]
    paragraph.add_run(text).font.size = size
    paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT if right else WD_ALIGN_PARAGRAPH.LEFT
    paragraph.paragraph_format.space_after = paragraph.paragraph_format.space_before = Pt(1)
    borders = OxmlElement("w:tcBorders")
    for edge, width in rules.items():
        if width:
            border = OxmlElement(f"w:{edge}")
            for key, value in (("val", "single"), ("sz", width), ("space", "0"), ("color", "000000")):
                border.set(qn(f"w:{key}"), value)
            borders.append(border)
    cell._tc.get_or_add_tcPr().append(borders)
