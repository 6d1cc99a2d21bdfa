"""The tables of executed notebooks as an article prints them: number, title, lines, note, by APA's rules of writing.

They are made from the same payloads as the pages, so that a number is the same everywhere.
"""

import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from numbers import Real
from typing import Any

from nbproof import Look, payloads, provenance

MAKER = "surveysem"  # whom an Office file names as its author
MISSING = "–"
BOUNDED = re.compile(  # columns of statistics that cannot exceed 1: APA, for English, writes no zero before the point
    r"\d+|(\w+_)?p|q2?|p_?value(\.\w+)?|r2?|r2_adjusted|loading|alpha|cr|rho_[AC]|(omega|ave)(_low|_high)?|htmt2?|kmo|"
    r"correlation|bound|(plain_)?(cfi|tli|rmsea)(\.[\w.]+)?|srmr"
)
LIKEWISE = ("estimate", "low", "high")  # in a table of loadings or reliabilities
LEADING_ZERO = re.compile(r"(?<![\d.,])0\.(?=\d)")
PROBABILITY = re.compile(r"(\w+_)?p|q|p_?value(\.\w+)?")
BROAD = "mw%+=<>→\N{MINUS SIGN}"  # wider than half their height, as capitals are
HOUR, DAY = b"1980-01-01T00:00:00Z", (1980, 1, 1, 0, 0, 0)  # the earliest an archive can state


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
    alike = LIKEWISE if {"loading", "measure"} & set(keys) else ()
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
    """Return how wide the longest word of a text is, in heights of its letters: at none of its signs a line may end.

    >>> longest_word("a moderator (SD)"), longest_word("−0.05")
    (4.75, 2.75)
    """
    words = re.findall(r"[^\s\u2e80-\uffff]+|[\u2e80-\uffff]", text)
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
