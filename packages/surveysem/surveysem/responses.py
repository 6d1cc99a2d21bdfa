"""What respondents answered: which column of a file answers which question, by what sign, and its cells as codes."""

import re
import tomllib
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from pathlib import Path
from typing import TypedDict

import numpy as np
import pandas as pd

from surveysem.codebook import Codebook, Item, Scale, plain, tidy
from surveysem.errors import DataError, nearest, require
from surveysem.tables import RawTable, Value, read_table

PLATFORMS = tomllib.loads(Path(__file__).with_name("platforms.toml").read_text(encoding="utf-8"))
KNOWN = {plain(name): use for use, names in PLATFORMS["columns"].items() for name in names}
NUMBER = re.compile(PLATFORMS["patterns"]["number"], re.IGNORECASE | re.DOTALL)
TAIL = re.compile(PLATFORMS["patterns"]["kind"], re.IGNORECASE)
ALIKE = 0.8  # of the letters in common, for a wording that was edited after the codebook was written
SKIPPED = {plain(mark) for mark in PLATFORMS["marks"]["skipped"]}
WHOLE = re.compile(r"[+-]?\d{1,9}(\.0*)?")
OPTION, TIME = (re.compile(PLATFORMS["patterns"][name]) for name in ("option", "time"))
TIMES = "seconds, 125s, 2min5s or 0:02:05, units in Chinese too"
MAPPING = ["column", "heading", "question", "how", "answered", "by_text", "blank", "skipped", "user_missing"]
INVALID = ["row", "column", "item", "given", "allowed"]
POINTS = 11  # of the longest usual scale
USUAL = ((1, 5), (1, 7), (1, 10), (0, 10), (1, 4), (1, 6), (1, 9), (1, 11), (0, 4), (0, 6), (1, 3), (0, 1), (1, 2),
         (-2, 2), (-3, 3))  # fmt: skip
RARE, MANY = 0.002, 300  # share of the answers, and how many answers there are, for a number to pass as a slip
BELOW = {*range(-9, 0), -66, -77, -88, -98, -99, -666, -777, -888, -998, -999, -9999}
ABOVE = {66, 77, 88, 98, 99, 666, 777, 888, 997, 998, 999, 8888, 9998, 9999, 99999}
SMALL = {8, 9, 97}  # codes of no answer beside a scale that ends two points or more below


@dataclass(frozen=True)
class Match:
    """What became of one column: its place and heading, the question's code or a use, and how it was known."""

    column: int
    heading: str
    question: str
    how: str


def match(table: RawTable, codebook: Codebook, *, unknown: str = "error") -> tuple[Match, ...]:
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
    wordings = table.wordings or [""] * len(table.headings)
    find, others = _Finder(codebook), "left out" if "*" in codebook.leave_out else "unknown"
    found, exact = [], {question for question, how in map(find, table.headings) if how in ("code", "column")}
    for k, (heading, wording) in enumerate(zip(table.headings, wordings, strict=True), 1):
        question, how = find(heading)
        if how.startswith("number") and question in exact:  # another column has its very code
            question, how = "", "unknown"
        if how == "unknown" and wording:
            question, how = find(wording)
            how = f"label: {how}" if question else how
        how = others if how == "unknown" else how
        found.append(Match(k, heading, question, how))
    _check_matches(codebook, found, unknown, table.file)
    return tuple(found)


class _Finder:
    """A codebook's codes, wordings and numbers, ready to be looked up."""

    def __init__(self, codebook: Codebook) -> None:
        self.questions = codebook.questions
        self.named = dict.fromkeys(map(tidy, codebook.leave_out), ("", "left out"))
        self.named |= {tidy(codebook.duration): ("", "duration")} if codebook.duration else {}
        self.named |= {tidy(item.column): (item.code, "column") for item in self.questions if item.column}
        self.codes = {plain(item.code): item.code for item in self.questions}
        texts = [(text, item.code) for item in self.questions for text in {plain(item.en), plain(item.zh)} - {""}]
        times = Counter(text for text, _ in texts)  # the same words at two waves tell neither
        self.texts = {text: code for text, code in texts if times[text] == 1}

    def __call__(self, heading: str) -> tuple[str, str]:
        if (name := tidy(heading)) in self.named:
            return self.named[name]
        text = unicodedata.normalize("NFKC", heading).strip()
        if (key := plain(text)) in self.codes:
            return self.codes[key], "code"
        if key in KNOWN:
            return "", KNOWN[key]
        text = TAIL.sub("", text)
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


def _check_matches(codebook: Codebook, found: list[Match], unknown: str, file: str) -> None:
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


class Reading(TypedDict, total=False):
    """How a file is read: the options of `read_responses`."""

    sheet: str | None
    encoding: str | None
    delimiter: str | None
    unknown: str
    invalid: str


@dataclass(frozen=True)
class Responses:
    """Answers by the codes of a codebook.

    Parameters
    ----------
    answers : DataFrame
        One row a respondent, indexed by its row in the file (the heading is row 1); one column a question, floats, nan
        where there is no valid answer. Reverse-keyed items are as answered: ``Codebook.score`` turns them.
    mapping : DataFrame
        One row a column of the file: column, heading, question, how (the sign it was known by), answered, by_text
        (answers given as texts), blank, skipped, user_missing.
    invalid : DataFrame
        Answers that are no code of the scale, missing in ``answers``: row, column, item, given, allowed.
    duration : Series or None
        Seconds each respondent took, where the file says.
    file, encoding, basis : str
        Where they are from; the basis is "survey", or "synthetic sample" for drawn respondents.
    notes : tuple of str
        What a reader should know, such as that there is one group only.
    """

    codebook: Codebook
    answers: pd.DataFrame
    mapping: pd.DataFrame
    invalid: pd.DataFrame
    duration: pd.Series | None = None
    file: str = ""
    encoding: str = ""
    basis: str = "survey"
    notes: tuple[str, ...] = field(default=())


def read_responses(
    path: str | Path,
    codebook: Codebook,
    *,
    unknown: str = "error",
    invalid: str = "error",
    sheet: str | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
) -> Responses:
    """Return the answers in a csv, Excel or SPSS file, an export of a Chinese survey platform included.

    A cell is a code, or the text of an answer in either language, with or without its letter; skipped marks (of
    `PLATFORMS`, such as -3 and NA, and of the codebook's ``missing``) and values that SPSS declares missing become nan
    and are counted. Scales that the codebook leaves open are closed by the answers (`settled`).

    Parameters
    ----------
    unknown : {"error", "leave"}
        Columns that are neither in the codebook nor a survey platform's own field.
    invalid : {"error", "record"}
        Answers out of range and texts that map to no code: an error, or a line of ``invalid`` that screening shows.
    sheet, encoding, delimiter : str, optional
        As in `read_table`.

    Raises
    ------
    DataError
        Naming file, row, column, what was given and what is allowed.
    """
    for name, given, allowed in (("unknown", unknown, ("error", "leave")), ("invalid", invalid, ("error", "record"))):
        require(given in allowed, name, given, ", ".join(allowed))
    table = read_table(path, sheet=sheet, encoding=encoding, delimiter=delimiter)
    return responses_of(table, codebook, unknown=unknown, invalid=invalid)


def responses_of(table: RawTable, codebook: Codebook, *, unknown: str = "error", invalid: str = "error") -> Responses:
    """Return the answers in a table; see `read_responses`."""
    matches = match(table, codebook, unknown=unknown)
    waiting = [m for m in matches if m.question and codebook.by_code[m.question].scale.is_open]
    codebook = settled(codebook, {m.question: _codes(table, m, codebook)[0] for m in waiting})
    columns, wrong, duration, basis = {}, [], None, "survey"
    lines = [{**vars(m)} for m in matches]
    for m, line in zip(matches, lines, strict=True):
        if m.question:
            columns[m.question], counts, bad = _codes(table, m, codebook)
            line |= counts
            wrong += bad
        elif m.how == "duration":
            duration, bad = _seconds(table, m)
            wrong += bad
        elif m.how == "basis" and "synthetic sample" in table.columns[m.column - 1]:
            basis = "synthetic sample"
    if wrong and invalid == "error":
        row, column, item, given, allowed = wrong[0]
        more = f" ({len(wrong) - 1} more such cell{'s' * (len(wrong) > 2)})" if len(wrong) > 1 else ""
        raise DataError(
            f"{table.file}, row {row}, column {column} ({item}): got {given!r}; allowed: {allowed}{more}; "
            "invalid='record' (--invalid record) leaves such answers out and lists them."
        )
    index = pd.Index(table.rows, name="row")
    answers = pd.DataFrame({code: columns[code] for code in codebook.by_code}, index=index)
    answers.attrs["basis"] = basis
    _check_answers(table.file, answers[codebook.items])
    seconds = None if duration is None else pd.Series(duration, index=index, name="duration")
    frame = pd.DataFrame(wrong, columns=INVALID).sort_values(["row", "column"], ignore_index=True)
    mapping = pd.DataFrame(lines, columns=MAPPING).astype(dict.fromkeys(MAPPING[4:], "Int64"))
    notes: tuple[str, ...] = ()
    if codebook.group and (groups := answers[codebook.group].nunique()) < 2:
        notes = (f"{codebook.group} holds {groups or 'no'} group; a comparison of groups needs two.",)
    return Responses(codebook, answers, mapping, frame, seconds, table.file, table.encoding, basis, notes)


def _check_answers(file: str, answers: pd.DataFrame) -> None:
    N, p = answers.shape
    values = list(set().union(*(answers[code].dropna().unique() for code in answers)))
    if not len(values):
        raise DataError(f"{file}: no item has a valid answer; allowed: codes or texts of the codebook's scales.")
    if len(values) == 1:
        raise DataError(f"{file}: every answer to every item is {values[0]:g}; answers that differ are needed.")
    if p > N:
        raise DataError(f"{file}: {N} respondents for {p} items; at least as many respondents as items are needed.")


def _codes(table: RawTable, m: Match, codebook: Codebook) -> tuple[np.ndarray, dict[str, int], list[tuple]]:
    """Return the codes of one column, how its cells were read, and the cells that are none."""
    labels, missing = table.labels.get(m.heading, {}), table.missing.get(m.heading, ())
    item, cells = codebook.by_code[m.question], table.columns[m.column - 1]
    scale, skipped = item.scale, SKIPPED.union(codebook.missing)
    texts = {plain(text): code for names in (scale.en, scale.zh) for code, text in enumerate(names, scale.low)}
    number = Counter(cells)
    read = {cell: _code(cell, item, texts, labels, missing, skipped) for cell in number}
    kinds: Counter[str] = Counter()
    for cell, times in number.items():
        kinds[read[cell][1]] += times
    counts = {kind: kinds[kind] for kind in ("by_text", "blank", "skipped", "user_missing")}
    counts["answered"] = kinds["code"] + kinds["by_text"]
    wrong = [
        (row, m.column, item.code, str(cell)[:60], scale.allowed)
        for row, cell in zip(table.rows, cells, strict=True)
        if read[cell][1] == "wrong"
    ] if kinds["wrong"] else []  # fmt: skip
    code = {cell: value for cell, (value, _) in read.items()}
    return np.fromiter(map(code.__getitem__, cells), float, len(cells)), counts, wrong


def _code(
    cell: Value | None,
    item: Item,
    texts: dict[str, int],
    labels: Mapping[Value, str],
    missing: Sequence[tuple[Value, Value]],
    skipped: set[str],
) -> tuple[float, str]:
    """Return a cell's code, or nan, and how it was read."""
    if cell is None or cell != cell or (isinstance(cell, str) and not cell.strip()):
        return np.nan, "blank"
    alike = [ends for ends in missing if {isinstance(end, str) for end in ends} == {isinstance(cell, str)}]
    if any(low <= cell <= high for low, high in alike):  # type: ignore[operator]
        return np.nan, "user_missing"
    label = labels.get(cell)
    text = unicodedata.normalize("NFKC", str(cell if label is None else label)).strip()
    for part in (text, OPTION.sub("", text)):
        if plain(part) in texts:
            return float(texts[plain(part)]), "by_text"
    if label is not None:
        text = str(cell)  # a label of the file's own wording: its code counts
    value = float(text) if WHOLE.fullmatch(text) else np.nan
    known = plain(text.removesuffix(".0")) in skipped
    if item.scale.low <= value <= item.scale.high and not (known and item.scale.is_open):
        return value, "code"
    return np.nan, "skipped" if known else "wrong"


def _seconds(table: RawTable, m: Match) -> tuple[np.ndarray, list[tuple]]:
    """Return durations in seconds: a number, "125s", "2min5s" or "0:02:05", its units in Chinese too."""
    found, wrong = np.full(len(table.rows), np.nan), []
    for k, cell in enumerate(table.columns[m.column - 1]):
        text = "" if cell is None or cell != cell else re.sub(r"\s", "", str(cell))
        time = TIME.fullmatch(unicodedata.normalize("NFKC", text))
        if time:
            hours, minutes, seconds = (float(part or 0) for part in time.groups())
            found[k] = 3600 * hours + 60 * minutes + seconds
        elif text and plain(text) not in SKIPPED:
            wrong.append((table.rows[k], m.column, "duration", text[:60], TIMES))
    return found, wrong


def settled(codebook: Codebook, answers: Mapping[str, np.ndarray]) -> Codebook:
    """Return the codebook with a range for every open scale: the usual one that holds a construct's answers."""
    together: dict[str, list[Item]] = {}
    for code in answers:
        item = codebook.by_code[code]
        home = codebook.wave_of.get(item.construct, item.construct)
        together.setdefault(home or code, []).append(item)
    closed: dict[str, Item] = {}
    for items in together.values():
        low, high = usual_range(np.concatenate([answers[item.code] for item in items]), items[0].role != "control")
        closed |= {item.code: replace(item, scale=Scale(f"{low} to {high}", low, high)) for item in items}
    return codebook.with_items(closed)


def sentinels(values: np.ndarray) -> list[int]:
    """Return the numbers that mark a missing answer to one question: of the customary ones, those that stand apart.

    Examples
    --------
    >>> sentinels(np.array([1, 2, 3, 4, 5, 99, -9.0]))
    [-9, 99]
    >>> sentinels(np.array([1, 2, 3, 4, 5, 6, 7, 8, 9.0]))
    []
    """
    seen, times = np.unique(values[np.isfinite(values)], return_counts=True)
    single = {*seen[times < 2]}
    found = []
    while len(seen) > 2:
        first, rest, head, last = seen[0], seen[1:], seen[:-1], seen[-1]
        apart = rest[0] >= 0 and rest[0] - first > max(1.0, 1.5 * float(np.median(np.diff(rest))))
        far = first <= -7 and rest[0] > first / 2 and rest[-1] - rest[0] < POINTS
        low = max(head[~np.isin(head, list(ABOVE))], default=np.inf)
        above = last in ABOVE and last > 2 * low and (low <= 20 or (last >= 997 and low < 130))
        beside = last in SMALL and last - head[-1] >= 2 and head[-1] - head[0] <= 6 and len(head) > 2
        if first in BELOW and (apart or far):
            found.append(int(first))
            seen = rest
        elif above or (beside and last not in single):  # once, it is a slip of the hand
            found.append(int(last))
            seen = head
        else:
            break
    return sorted(found)


def usual_range(values: np.ndarray, rated: bool = True) -> tuple[int, int]:
    """Return the ends of the scale on which answers lie: the smallest usual one that holds them.

    Slips of the hand, and numbers that mean no answer, do not widen it; what is counted, not rated, keeps its own ends.

    Examples
    --------
    >>> usual_range(np.array([2, 3, 5, 4])), usual_range(np.array([18, 70, 33]), rated=False)
    ((1, 5), (18, 70))
    """
    given = np.isfinite(values) & ~np.isin(values, sentinels(values))
    seen, times = np.unique(values[given], return_counts=True)
    if not len(seen):
        return USUAL[0]
    whole = int(np.floor(seen[0])), int(np.ceil(seen[-1]))
    if not rated:
        return whole if whole[0] < whole[1] else (whole[0], whole[0] + 1)
    common = seen[times >= max(2, RARE * times.sum())]
    if times.sum() >= MANY and len(common):
        inner = int(common[0]), int(common[-1])
        whole = min(whole, inner, key=lambda ends: USUAL.index(_held(ends)) if _held(ends) in USUAL else len(USUAL))
    low, high = whole if whole in USUAL and times.sum() >= MANY else _held(whole)
    return (low, high) if low < high else (low, low + 1)


def _held(ends: tuple[int, int]) -> tuple[int, int]:
    """Return the first usual scale that holds these ends and begins not far below them; two answers are a scale."""
    if ends in ((0, 1), (1, 2)):
        return ends
    return next(((a, b) for a, b in USUAL if a <= ends[0] <= a + 3 and ends[1] <= b), ends)
