"""Which column of a file answers which question of a codebook, and by what sign it was known."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

from surveysem.codebook import Codebook, plain, tidy
from surveysem.errors import DataError, nearest

PLATFORMS = tomllib.loads(Path(__file__).with_name("platforms.toml").read_text(encoding="utf-8"))
KNOWN = {plain(name): use for use, names in PLATFORMS["columns"].items() for name in names}
NUMBER = re.compile(PLATFORMS["patterns"]["number"], re.IGNORECASE | re.DOTALL)
TAIL = re.compile(PLATFORMS["patterns"]["kind"], re.IGNORECASE)
ALIKE = 0.8  # of the letters in common, for a wording that was edited after the codebook was written


@dataclass(frozen=True)
class Match:
    """What became of one column: its place and heading, the question's code or a use, and how it was known."""

    column: int
    heading: str
    question: str
    how: str


def match(
    codebook: Codebook, headings: Sequence[str], wordings: Sequence[str] = (), *, unknown: str = "error", file: str = ""
) -> tuple[Match, ...]:
    """Return one decision a column.

    A heading is tried as the column that the codebook names for a question or leaves out, as an item's code, as its
    full wording in either language (numbers before it, marks of the question's type behind it and a matrix question's
    stem dropped), as a code before a text, and by its number in the questionnaire; a number counts only where nothing
    follows it, where the codebook states no wording, or where the wording is much the same. Fields that survey
    platforms add are known by name.

    Parameters
    ----------
    unknown : {"error", "leave"}
        What to do with a column that is none of these.

    Raises
    ------
    DataError
        For an unknown column, two columns of one question, or questions without a column.
    """
    wordings = wordings or [""] * len(headings)
    find, others = _Finder(codebook), "left out" if "*" in codebook.leave_out else "unknown"
    found = []
    for k, (heading, wording) in enumerate(zip(headings, wordings, strict=True), 1):
        question, how = find(heading)
        if not question and wording:
            question, how = find(wording)
            how = f"label: {how}" if question else how
        how = others if how == "unknown" else how
        found.append(Match(k, heading, question, how))
    _check(codebook, found, unknown, file)
    return tuple(found)


class _Finder:
    """A codebook's codes, wordings and numbers, ready to be looked up."""

    def __init__(self, codebook: Codebook) -> None:
        self.questions = codebook.questions
        self.named = dict.fromkeys(map(tidy, codebook.leave_out), ("", "left out"))
        self.named |= {tidy(codebook.duration): ("", "duration")} if codebook.duration else {}
        self.named |= {tidy(item.column): (item.code, "column") for item in self.questions if item.column}
        self.codes = {plain(item.code): item.code for item in self.questions}
        self.texts = {plain(text): item.code for item in self.questions for text in (item.en, item.zh) if text}

    def __call__(self, heading: str) -> tuple[str, str]:
        if (name := tidy(heading)) in self.named:
            return self.named[name]
        text = unicodedata.normalize("NFKC", heading).strip()
        if (key := plain(text)) in self.codes:
            return self.codes[key], "code"
        if key in KNOWN:
            return "", KNOWN[key]
        while (shorter := TAIL.sub("", text).strip()) != text:
            text = shorter
        numbered = NUMBER.match(text)
        rest = numbered[2] if numbered else text
        stems = (mark for mark in ("\N{EM DASH}", "--", "-", ":", "_") if mark in rest)
        for part in (text, rest, *(rest.split(mark, 1)[1] for mark in stems)):  # the row of a matrix is behind its stem
            if plain(part) in self.texts:
                return self.texts[plain(part)], "full text"
        lead = re.match(r"[A-Za-z][A-Za-z0-9_.]*?(?=[\s、:.)_—-]|$)", rest)
        if lead and plain(lead[0]) in self.codes:
            return self.codes[plain(lead[0])], "code before text"
        part_of_matrix = numbered and numbered.end(1) < len(text) and text[numbered.end(1)] in "(_"
        return self.by_number(int(numbered[1]), rest) if numbered and not part_of_matrix else ("", "unknown")

    def by_number(self, number: int, rest: str) -> tuple[str, str]:
        if not 1 <= number <= len(self.questions):
            return "", "unknown"
        item = self.questions[number - 1]
        wordings = [text for text in (item.en, item.zh) if text]
        if not rest or not wordings:
            return item.code, f"number {number}"
        alike = max(SequenceMatcher(None, plain(rest)[:500], plain(text)).ratio() for text in wordings)
        return (item.code, f"number {number}, wording {alike:.0%} alike") if alike >= ALIKE else ("", "unknown")


def _check(codebook: Codebook, found: list[Match], unknown: str, file: str) -> None:
    strangers = [m for m in found if m.how == "unknown"]
    missing = [code for code in codebook.by_code if code not in {m.question for m in found}]
    if strangers and unknown == "error":
        first = strangers[0]
        small = {code.lower(): code for code in missing}
        guess = small.get(nearest(first.heading, small) or "")
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        without = f"; no column is known as {', '.join(missing[:3])}{more}" if missing else ""
        raise DataError(
            f"{file}, row 1, column {first.column}: unknown column {first.heading[:60]!r}"
            f"{f' (and {len(strangers) - 1} more)' if len(strangers) > 1 else ''}"
            f"{f'; did you mean {guess!r}' if guess else ''}{without}; allowed: the codes or wordings of the "
            "codebook; leave_out = ['*'] in it, or unknown='leave' (--unknown leave), leaves such columns out."
        )
    places: dict[str, int] = {}
    for m in found:
        key = m.question or m.how
        if key in places and key not in ("left out", "unknown"):
            raise DataError(f"{file}, row 1: columns {places[key]} and {m.column} both answer {key}; one may.")
        places.setdefault(key, m.column)
    if missing:
        raise DataError(
            f"{file}, row 1: no column for {', '.join(missing[:8])}{' ...' if len(missing) > 8 else ''} "
            f"({len(missing)} of {len(codebook.questions)} questions); allowed: every question of the codebook."
        )
