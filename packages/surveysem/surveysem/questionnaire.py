"""The codebook as respondents see it, in Word and printable HTML, and a csv of items for the researcher."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from itertools import groupby
from pathlib import Path

import pandas as pd

from nbproof import write_whole
from surveysem.codebook import LANGUAGES, Codebook, Item
from surveysem.errors import DataError, require_known
from surveysem.responses import PLATFORMS
from surveysem.said import filled

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
    from docx.oxml import parse_xml

    from surveysem.article import LONG, MARGIN, opened, turn

    at = _language(codebook, language)
    made = opened(title := codebook.title[at] or codebook.name)
    turn(made.sections[0], LONG)
    made.add_heading(title, 0)
    made.add_paragraph(codebook.introduction[at])
    for matrix, block in _blocks(codebook):
        if matrix:
            made.add_paragraph()._p.addprevious(parse_xml(_matrix(block, language, LONG - 2 * MARGIN)))
            continue
        for k, item in block:
            made.add_paragraph(f"{k}. {getattr(item, language)}").paragraph_format.keep_with_next = True
            made.add_paragraph("\n".join(f"○ {text}" for text in getattr(item.scale, language)) or "_" * 16)
    made.save(file := BytesIO())
    return write_whole(Path(path), file.getvalue())


def _matrix(block: list[tuple[int, Item]], language: str, width: int) -> str:
    """Return questions of one scale as a table of Word, a line below each."""
    labels = getattr(block[0][1].scale, language)
    lines = [[*PLATFORMS["heads"][language], *labels]]
    lines += [[str(k), getattr(item, language), *"○" * len(labels)] for k, item in block]
    widths = [int(width * share) for share in (0.06, 0.34, *[0.6 / len(labels)] * len(labels))]
    sides = ["left", "left", *["center"] * len(labels)]
    rows = [{"cells": [*zip(texts, widths, sides, strict=True)], "span": 1, "kept": False} for texts in lines]
    return filled("table.xml", widths=widths, rows=rows, size=20, ruled=True)


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
