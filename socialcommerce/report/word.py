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
from docx.shared import Pt

from socialcommerce.report.tables import NOTE, ArticleTable, archive

__all__ = ["word"]

LATIN, CHINESE = "Times New Roman", "SimSun"
WIDE = 88  # characters that a page stands upright for
HEAVY, FINE = "12", "6"  # eighths of a point


def word(tables: Sequence[ArticleTable], title: str) -> bytes:
    """Return a .docx with one table a page, wide ones across."""
    made = Document()
    made.core_properties.title, made.core_properties.author = title, "socialcommerce"
    style = made.styles["Normal"]
    style.font.name, style.font.size = LATIN, Pt(11)
    style.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), CHINESE)
    for k, table in enumerate(tables):
        section = made.add_section() if k else made.sections[0]
        _turn(section, table.width > WIDE)
        _add(made, table)
    file = io.BytesIO()
    made.save(file)
    return archive(file.getvalue())


def _turn(section: Any, wide: bool) -> None:
    short, long = sorted((section.page_width, section.page_height))
    section.orientation = WD_ORIENT.LANDSCAPE if wide else WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = (long, short) if wide else (short, long)


def _add(made: Any, table: ArticleTable) -> None:
    heading = made.add_paragraph()
    heading.add_run(table.label).bold = True
    title = made.add_paragraph()
    title.add_run(table.title).italic = table.language == "en"
    for paragraph in (heading, title):
        paragraph.paragraph_format.space_after, paragraph.paragraph_format.keep_with_next = Pt(4), True
    size = Pt(10 if table.width <= WIDE else 9 if table.width <= 1.5 * WIDE else 7.5)
    grid = made.add_table(rows=1 + len(table.rows), cols=len(table.heads))
    lines = [table.heads, *([cell.text for cell in row] for row in table.rows)]
    for position, (row, texts) in enumerate(zip(grid.rows, lines, strict=True)):
        row._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))
        rules = {"top": HEAVY if position == 0 else "", "bottom": FINE if position == 0 else
                 HEAVY if position == len(table.rows) else ""}
        for cell, text, right in zip(row.cells, texts, table.right, strict=True):
            _write(cell, text, right, size, rules)
    grid.rows[0]._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))  # repeated on every page
    note = made.add_paragraph()
    note.paragraph_format.space_before = Pt(4)
    note.add_run(NOTE[table.language]).italic = table.language == "en"
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
