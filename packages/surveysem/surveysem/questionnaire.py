"""The codebook as respondents see it, in Word and printable HTML, and a csv of items for the researcher."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from nbproof import write_whole
from surveysem.codebook import LANGUAGES, Codebook, Item
from surveysem.errors import DataError, require_known
from surveysem.responses import PLATFORMS
from surveysem.said import filled

if TYPE_CHECKING:
    from docx.document import Document as Word

Block = tuple[bool, list[tuple[int, Item]]]


def item_table(codebook: Codebook) -> pd.DataFrame:
    """Return one row a question: number, code, role, construct, en, zh, reverse, expected, scale, low, high, labels."""
    rows = [
        {"number": k, "code": item.code, "role": item.role, "construct": item.construct, "en": item.en, "zh": item.zh,
         "reverse": item.reverse, "expected": item.expected, "scale": item.scale.name, "low": item.scale.low,
         "high": item.scale.high, "labels_en": " | ".join(item.scale.en), "labels_zh": " | ".join(item.scale.zh)}
        for k, item in enumerate(codebook.questions, 1)
    ]  # fmt: skip
    return pd.DataFrame(rows).astype({"expected": "Int64"})


def write_html(codebook: Codebook, path: str | Path, language: str = "en") -> Path:
    """Write the questionnaire as one page that needs nothing beside it and prints well.

    Constructs, reverse keys and checks are not shown; every text is escaped.

    Parameters
    ----------
    codebook : Codebook
        With a wording of every question in the language.
    path : str or Path
        The file, written over where there is one.
    language : str
        One of the codebook's.

    Raises
    ------
    DataError
        When a question has no wording in the language.
    """
    at = _language(codebook, language)
    text = filled(
        "questionnaire.html",
        language=language,
        title=codebook.title[at] or codebook.name,
        introduction=codebook.introduction[at],
        heads=tuple(PLATFORMS["heads"][language]),
        blocks=_blocks(codebook),
    )
    return write_whole(Path(path), text.encode())


def write_docx(codebook: Codebook, path: str | Path, language: str = "en") -> Path:
    """Write the questionnaire as a Word document.

    Parameters
    ----------
    codebook, path, language
        As in :func:`write_html`.
    """
    from docx import Document
    from docx.enum.section import WD_ORIENT
    from docx.oxml.ns import qn

    at = _language(codebook, language)
    made = Document()
    page = made.sections[0]
    page.orientation, page.page_width, page.page_height = WD_ORIENT.LANDSCAPE, page.page_height, page.page_width
    for name in ("Normal", "Title"):
        made.styles[name].element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), "SimSun")
    made.core_properties.title = codebook.title[at] or codebook.name
    made.add_heading(codebook.title[at] or codebook.name, 0)
    made.add_paragraph(codebook.introduction[at])
    for matrix, block in _blocks(codebook):
        if matrix:
            _docx_matrix(made, block, language)
        else:
            for k, item in block:
                made.add_paragraph(f"{k}. {getattr(item, language)}").paragraph_format.keep_with_next = True
                made.add_paragraph("\n".join(f"○ {text}" for text in getattr(item.scale, language)) or "_" * 16)
    made.save(file := BytesIO())
    return write_whole(Path(path), file.getvalue())


def _docx_matrix(made: Word, block: list[tuple[int, Item]], language: str) -> None:
    from docx.oxml import OxmlElement
    from docx.shared import Cm

    labels = getattr(block[0][1].scale, language)
    table = made.add_table(rows=0, cols=2 + len(labels), style="Table Grid")
    table.autofit = False
    lines = [[str(k), getattr(item, language), *"○" * len(labels)] for k, item in block]
    for texts in ([*PLATFORMS["heads"][language], *labels], *lines):
        row = table.add_row()
        row._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))
        widths = [Cm(1.3), Cm(8.0), *[Cm(13.5 / len(labels))] * len(labels)]
        for cell, text, width in zip(row.cells, texts, widths, strict=True):
            cell.text, cell.width = text, width
    table.rows[0]._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))  # repeated on every page
    made.add_paragraph()


def _language(codebook: Codebook, language: str) -> int:
    require_known("language", LANGUAGES, language)
    bare = [item.code for item in codebook.questions if not getattr(item, language)]
    if bare:
        named = ", ".join(bare[:8])
        raise DataError(f"codebook {codebook.name}: no wording ({language}) for {named}; every question needs one.")
    return LANGUAGES.index(language)


def _blocks(codebook: Codebook) -> Iterator[Block]:
    """Yield runs of questions with one labelled scale as a matrix each, the others one by one."""
    numbered = enumerate(codebook.questions, 1)
    for scale, run in groupby(numbered, key=lambda each: each[1].scale):
        block = list(run)
        yield bool(scale.en) and len(block) > 1, block
