"""Guess a codebook from a file of answers: what each column is, which items go together, each guess with its reason."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import nbproof
from surveysem.codebook import FARTHEST, LANGUAGES, NAME, RESERVED, SCHEMA, plain, tidy
from surveysem.errors import DataError
from surveysem.responses import KNOWN, NUMBER, OPTION, POINTS, SKIPPED, TAIL, sentinels, usual_range
from surveysem.said import filled, quoted
from surveysem.tables import RawTable, matrix_rows, read_table

TOLD = tomllib.loads(Path(__file__).with_name("draft.toml").read_text(encoding="utf-8"))
PATTERN = {name: re.compile(pattern, re.IGNORECASE) for name, pattern in TOLD["patterns"].items()}
LABELS = [[[text.split("|") for text in labels[language]] for language in LANGUAGES] for labels in TOLD["labels"]]
CODES = [{plain(w): k for points in labels for k, words in enumerate(points, 1) for w in words} for labels in LABELS]
ROWS = (" [", " | ", "\N{EM DASH}", " - ", ": ", "\N{FULLWIDTH COLON}")  # before the row of a matrix
CHINESE = "[\u4e00-\u9fff]"
CLEAR, FEW = 0.9, 5  # share of items that are themselves from wave to wave, and how many tell nothing
RARE = 0.005  # share of a column's answers that may be slips of the hand
CATEGORIES = 11  # texts of a control
MOST = 0.6  # of the answers to an attention check are right; of all ratings do not share one stem by chance
RIDGE, GAMMA, LONGEST = 0.05, 2.0, 12  # of the guess from answers: ridge, resolution of modularity, items a construct
OPEN = ("rating", "two", "number")  # roles that are not settled yet

Array = NDArray[np.float64]
Labels = tuple[tuple[str, ...], ...]  # what each code is called, in each language


class Reason(str):
    """A reason in English, on one line, that can be said in another language too."""

    key: str
    values: dict[str, object]

    def __new__(cls, key: str, **values: object) -> Reason:
        """Say a reason of ``draft.toml`` with these values."""
        made = super().__new__(cls, tidy(TOLD["reasons"][key]["en"].format(**values)))
        made.key, made.values = key, values
        return made

    def within(self, language: str) -> str:
        """Say it as the page does, in a language."""
        told = TOLD["reasons"][self.key]
        return tidy((told.get("page", told["en"]) if language == "en" else told[language]).format(**self.values))


@dataclass
class Column:
    """One column of a file and what it seems to be.

    ``role`` is "item", "control", "check" or "left out"; before that is settled, one of ``OPEN``. ``values`` are
    numbers, nan where there is no answer; ``labels`` what each code from ``low`` is called, in English and Chinese.
    """

    heading: str
    place: int
    values: Array = field(repr=False)
    code: str = ""
    wording: str = ""
    role: str = ""
    construct: str = ""
    reverse: bool = False
    low: int = 0
    high: int = 0
    labels: Labels = ()
    labelled: str = ""
    missing: tuple[int, ...] = ()
    expected: int = 0
    duration: bool = False
    asked: tuple[str, str] = ("", "")  # its code without the wave, and the wave
    question: str = ""  # of which it is one row
    why: list[Reason] = field(default_factory=list)

    def because(self, reason: str, role: str = "", **said: object) -> None:
        """Add a reason, and what the column is for it."""
        self.why.append(Reason(reason, **said))
        self.role = role or self.role

    @property
    def shown(self) -> str:
        """What it is called in a question: its heading, or the beginning of what was asked."""
        return self.heading if len(self.heading) <= 40 else tidy(self.wording or self.heading)[:60]

    @property
    def given(self) -> Array:
        """Its answers."""
        return self.values[np.isfinite(self.values)]

    @property
    def outside(self) -> Array:
        """Answers outside its scale."""
        return self.values[(self.values < self.low) | (self.values > self.high)]

    @cached_property
    def stem(self) -> tuple[str, str]:
        """What its code begins with and what follows: "item", "reversed", "overall", or nothing."""
        if self.question:
            return plain(self.question), "item"
        base, wave = self.asked
        text, ending = PATTERN["question"].sub("", base or self.code), "item"
        if back := PATTERN["reversed"].match(text):
            text, ending = back[1], "reversed"
        if (overall := PATTERN["overall"].match(text)) and overall[1]:
            return plain(overall[1]).strip("_.-"), "overall"
        numbered = PATTERN["code"].match(text) or PATTERN["letter"].match(text)
        return (plain(numbered[1]).strip("_.-") + f"_t{wave}" * bool(wave), ending) if numbered else ("", "")

    @property
    def scale(self) -> str:
        """Its scale as a codebook writes it."""
        return quoted(self.labelled) if self.labels else f"[{self.low}, {self.high}]"

    @property
    def stated(self) -> dict[str, str]:
        """What a codebook says of it: its code, the column it stands in where that has another name, its wording."""
        told = {"code": self.code, "column": tidy(self.heading) * (tidy(self.heading) != self.code)}
        told[_language(self.wording)] = tidy(self.wording[:1000])
        return {key: text for key, text in told.items() if text}

    @property
    def worded(self) -> list[tuple[str, tuple[str, ...]]]:
        """Its labels by language."""
        one, other = self.labels
        return [(_language("".join(one)), one)] if one == other else list(zip(LANGUAGES, self.labels, strict=True))


@dataclass(frozen=True)
class Draft:
    """A guess at a codebook.

    ``constructs`` holds the items of each; ``questions`` what only the researcher can decide; ``guessed`` whether the
    constructs are from the answers because the names of the columns say nothing; ``missing`` the codes of no answer.
    """

    table: RawTable
    columns: tuple[Column, ...]
    constructs: dict[str, list[Column]]
    questions: tuple[Reason, ...]
    missing: tuple[int, ...]
    guessed: bool

    def of(self, *roles: str) -> list[Column]:
        """Return the columns of these roles."""
        return [column for column in self.columns if column.role in roles]

    @property
    def groups(self) -> list[Column]:
        """Controls whose two answers are common enough to compare, the likeliest first."""
        times = {column.place: np.unique(column.given, return_counts=True)[1] for column in self.of("control")}
        common = [place for place, n in times.items() if len(n) == 2 and n.min() >= max(30, n.sum() / 10)]
        two = [column for column in self.columns if column.place in common]
        return sorted(two, key=lambda one: (not PATTERN["group"].search(one.heading), -times[one.place].min()))

    @property
    def waves(self) -> dict[str, list[str]]:
        """Constructs whose items have the same names and scale but for the wave, in order of time."""
        found: dict[tuple[str, ...], list[str]] = {}
        for name, items in self.constructs.items():
            if items[0].asked[1] and len(items) > 1:
                found.setdefault((items[0].scale, *(item.asked[0] for item in items)), []).append(name)
        again = [sorted(names, key=lambda name: self.constructs[name][0].asked[1]) for names in found.values()]
        return {names[0].rpartition("_t")[0] or names[0]: names for names in again if len(names) > 1}

    def summary(self) -> pd.DataFrame:
        """Return one line a construct, then one a kind of other columns: name, columns (a minus: reverse-keyed)."""
        lines = [(name, ["-" * item.reverse + item.code for item in items]) for name, items in self.constructs.items()]
        for role in ("control", "check", "left out"):
            lines.append((f"({role})", [tidy(column.heading)[:30] for column in self.of(role)]))
        return pd.DataFrame([(name, ", ".join(found)) for name, found in lines if found], columns=["name", "columns"])

    def text(self, name: str = "codebook.toml") -> str:
        """Return the codebook, each guess with its reason as a comment; it loads as it stands."""
        times = [c.place for c in self.of("left out") if KNOWN.get(plain(c.heading)) == "duration"]
        out = [c for c in self.of("left out") if plain(c.heading) not in KNOWN or c.place in times[1:]]
        scales = {c.labelled: c for c in self.of("item", "control", "check") if c.labels}
        common = Counter(item.scale for item in self.of("item")).most_common(1)[0][0]
        first, *others = self.constructs
        example = f"{others[-1] if others else '...'} ~ {' + '.join([first, *others[:-1]][:2])}"
        return filled(
            "drafted.txt", draft=self, name=name, file=tidy(self.table.file), out=out, scales=scales, common=common,
            example=example, schema=SCHEMA.name, listed=_listed, titles=_titles, tidy=tidy,
        )  # fmt: skip

    def write(self, out: str | Path) -> Path:
        """Write the codebook to a new file, and beside it the schema by which editors complete and check it."""
        path = check_new(out)
        text, schema = self.text(path.name), path.with_name(SCHEMA.name)
        if not schema.exists():
            nbproof.write_whole(schema, SCHEMA.read_bytes())
        return nbproof.write_whole(path, text.encode())


def check_new(out: str | Path) -> Path:
    """Return where a codebook is to be written, or refuse a place that is taken or another kind of file."""
    path = Path(out)
    if path.suffix.lower() != ".toml":
        raise DataError(f"{nbproof.named(path.name)}: the ending is {nbproof.quoted(path.suffix)}; allowed: .toml.")
    if path.exists():
        raise DataError(f"{nbproof.named(path.name)} is there already and may hold your corrections; give a new name.")
    return path


def draft_codebook(path: str | Path, **reading: Any) -> Draft:
    """Guess a codebook from a file of answers; sheet, encoding and delimiter as of `read_responses`.

    Raises
    ------
    DataError
        Where the file cannot be read or holds no two columns that could be items of one construct.
    """
    return draft_of(read_table(path, **reading))


def draft_of(table: RawTable) -> Draft:
    """Guess a codebook from a table of answers."""
    columns = _columns(table)
    missing = sorted({code for column in columns for code in column.missing})
    if not any(column.role == "rating" for column in columns):  # right and wrong, yes and no
        for column in columns:
            column.role = "rating" if column.role == "two" else column.role
    R = _correlations(columns)
    _read_waves(columns, R)
    families = _families(columns)
    rated = [column for column in columns if column.role == "rating"]
    guessed = sum(map(len, families)) < 0.5 * len(rated)
    if guessed:
        families = [run for run in _runs(rated) if len(run) > 1]
    if not families:
        out = [re.sub(r"\d+", "some", column.why[-1]) for column in columns if column.role == "left out"]
        often = "".join(f"; {times} hold {why}" for why, times in Counter(out).most_common(1) if times > 1)
        raise DataError(
            f"{table.file}: no two columns look like items of one construct (whole numbers on a scale of at most "
            f"{POINTS} points, or texts of a usual scale; other texts: put numbers in their place){often}; answers "
            "to two or more items are needed."
        )
    constructs = _named(families, columns, guessed)
    _set_aside(columns, constructs)
    constructs = {name: items for name, items in constructs.items() if items}
    questions = _settle_scales(columns, constructs)
    given = dict.fromkeys(text for column in columns for labels in column.labels for text in labels)
    questions += [Reason("middle", text=text) for text in given if text in TOLD["doubtful"]]
    for name, items in constructs.items():
        questions += _turn(name, items, R, len(table.rows))
    questions += _misfits(constructs, R, len(table.rows))
    _set_codes(columns, constructs)
    draft = Draft(table, tuple(columns), constructs, tuple(questions), tuple(missing), guessed)
    later = {item.place for names in draft.waves.values() for name in names[1:] for item in constructs[name]}
    told: set[str] = set()
    for column in columns:
        if column.role != "left out" and column.place not in later:  # labels that a program cut short are alike
            column.wording = "" if plain(column.wording) in told else column.wording
            told.add(plain(column.wording))
    return draft


def _language(text: str) -> str:
    return "zh" if len(re.findall(CHINESE, text)) > len(re.findall("[A-Za-z]+", text)) else "en"


def _titles(items: list[Column]) -> dict[str, str]:
    """Return by language what a construct is called, where its name does not say it."""
    told = [str(reason.values["stem"]) for reason in items[0].why if reason.key in ("prefix", "matrix")]
    return {language: text for language, text in _called("".join(told)).items() if text not in items[0].construct}


def _called(question: str) -> dict[str, str]:
    """Return the few words with which a question begins, by language."""
    numbered = NUMBER.match(question)
    head = re.split(r"[:(\[|]", numbered[2] if numbered else question)[0]
    words, signs = re.findall(r"[A-Za-z][A-Za-z0-9'-]*", head), re.findall(CHINESE, head)
    told = {"en": " ".join(words[:5]), "zh": "".join(signs[:11])}
    return {language: text for language, text in told.items() if text and len(words) < 5 and len(signs) < 11}


def _listed(items: list[Column]) -> str:
    """Return the list of a construct's items, on one line where there is no more to say than their codes."""
    times = Counter(reason for item in items for reason in item.why)
    shared = [reason for reason in times if times[reason] == len(items)]
    lines = []
    for item in items:
        told = [(key, quoted(text)) for key, text in item.stated.items()]
        told += [("scale", item.scale)] if item.scale != items[0].scale else []
        told += [("reverse", "true")] if item.reverse and len(told) > 1 else []
        line = f"{{ {', '.join(f'{key} = {value}' for key, value in told)} }}"
        line = line if len(told) > 1 else quoted("-" * item.reverse + item.code)
        own = [reason for reason in item.why if reason not in shared]
        lines.append(f"  {line},{'  # ' * bool(own)}{'; '.join(own)}".rstrip())
    short = " ".join(line.strip() for line in lines).rstrip(",")
    if "#" in short or "{" in short or len(short) > 90:
        return "\n".join([f"[  # {'; '.join(shared)}", *lines, "]"])
    return f"[{short}]  # {'; '.join(shared)}"


def _columns(table: RawTable) -> list[Column]:
    """Return every column with its answers as numbers, and what kind they are."""
    columns, worded = [], {}
    questions = matrix_rows(table.headings, ROWS)
    for k, (heading, cells) in enumerate(zip(table.headings, table.columns, strict=True)):
        values = _cells(cells, _number)
        for low, high in table.missing.get(heading, ()):
            if not isinstance(low, str) and not isinstance(high, str):
                values[(values >= low) & (values <= high)] = np.nan
        column = Column(heading, k + 1, values)
        if table.wordings or not questions[k][0]:
            column.code, column.wording = _split(heading, table.wordings[k] if table.wordings else "")
        else:
            column.question, column.wording = map(tidy, questions[k])
        texts = Counter[str]()
        for cell, times in Counter(cells).items():
            text = _text(cell)
            if plain(text) and plain(text) not in SKIPPED and np.isnan(_number(text)):
                texts[text] += times
        columns.append(column)
        if use := KNOWN.get(plain(heading)):
            column.duration = use == "duration"
            column.because("known", "left out")
        elif not texts and not len(column.given):
            column.because("empty", "left out")
        elif texts.total() > len(column.given):
            worded[k] = texts
        else:
            if texts:
                column.because("mixed", count=texts.total(), text=repr(max(texts, key=texts.__getitem__)[:30]))
            column.missing = tuple(sentinels(values))
            values[np.isin(values, column.missing)] = np.nan
            _kind(column)
            _read_labels(column, table.labels.get(heading, {}))
    said = Counter(word for texts in worded.values() for word in map(_option, texts))
    fits = [sum(set(map(_option, texts)) <= codes.keys() for texts in worded.values()) for codes in CODES]
    usual = sorted(range(len(CODES)), key=lambda k: (-fits[k], len(LABELS[k][0])))  # of most columns, then the shortest
    for k, texts in worded.items():
        _read_texts(columns[k], table.columns[k], texts, usual, said)
    return columns


def _text(cell: object) -> str:
    return "" if cell is None else unicodedata.normalize("NFKC", str(cell)).strip()


def _number(text: str) -> float:
    try:
        number = float(re.sub(r"^([+-]?\d+),(\d+)$", r"\1.\2", text))
    except ValueError:
        return np.nan
    return number if abs(number) < np.inf else np.nan


def _cells(cells: Iterable[object], read: Callable[[str], float]) -> Array:
    """Return cells as numbers, each different one read once."""
    found = {cell: read(_text(cell)) for cell in {*cells}}
    return np.array([found[cell] for cell in cells], float)


def _split(heading: str, label: str) -> tuple[str, str]:
    """Return a code and a wording from a heading such as "W1: I am welcome", "7. I am welcome [required]", "W1"."""
    text, code = TAIL.sub("", unicodedata.normalize("NFKC", heading).strip()), ""
    text = PATTERN["subquestion"].sub(r"\1_\2", text)
    if NAME.fullmatch(text) or label:
        return text, tidy(label)
    if (numbered := NUMBER.match(text)) and numbered[2]:
        code, text = f"Q{numbered[1]}", numbered[2]
    if lead := PATTERN["lead"].match(text):
        return re.sub(r"\s", "_", lead[1]), lead[2]
    sentence = re.search(f"{CHINESE}{{4,}}", text) or len(text.split()) > 2
    return (code, text) if sentence else (text, "")


def _option(text: str) -> str:
    """Return an answer as it is compared, without its letter."""
    return plain(OPTION.sub("", text))


def _read_texts(
    column: Column, cells: Iterable[object], texts: Counter[str], usual: list[int], said: Counter[str]
) -> None:
    """Take texts for answers on a usual scale, for categories, or for what a codebook has no use for."""
    count, rows, words = len(texts), texts.total(), {*map(_option, texts)}
    if sum(times for text, times in texts.items() if PATTERN["time"].match(text)) > 0.8 * rows:
        column.because("dates", "left out")
    elif count > 2 and (labels := _labelled(words, usual, said)):
        column.labels = labels
        column.because("labelled", "rating")
    elif 2 <= count == len({*map(plain, texts)}) <= min(CATEGORIES, rows / 5) and max(map(len, texts)) <= 200:
        column.labels = (tuple(sorted(map(tidy, texts))),) * 2
        column.because("categories", "two" if count == 2 else "control", count=count)
    elif count == 1:
        column.because("constant", "left out", value=[*texts])
    else:
        column.because("texts", "left out", count=count, rows=rows)
    if column.labels:
        code = {plain(text): float(k) for labels in column.labels for k, text in enumerate(labels, 1)}
        column.low, column.high = 1, len(column.labels[0])
        column.values = _cells(cells, lambda text: code.get(plain(text), code.get(_option(text), np.nan)))


def _labelled(words: set[str], usual: list[int], said: Counter[str]) -> Labels:
    """Return the labels of the first usual scale that these words are on, called as they or the file call it."""
    for scale in (LABELS[k] for k in usual if words <= CODES[k].keys()):
        labels = tuple(
            tuple(max(alike, key=lambda word: (plain(word) in words, said[plain(word)])) for alike in points)
            for points in scale
        )
        if words <= {plain(text) for language in labels for text in language}:
            return labels
    return ()


def _kind(column: Column) -> None:
    """Tell ratings, two answers and counted numbers from what identifies a respondent."""
    given, n = column.given, len(column.values)
    seen, times = np.unique(given, return_counts=True)
    near = seen
    while len(near) > 3 and near[-1] > POINTS and times[len(near) - 1] <= max(1, RARE * n) and near[-1] - near[-2] > 1:
        near = near[:-1]  # slips of the hand
    if len(seen) < 2:
        column.because("constant", "left out", value=seen.tolist())
    elif n > 30 and len(seen) == n and (np.diff(given) > 0).all():
        column.because("rising", "left out")
    elif n > 30 and len(seen) > 0.95 * n:
        column.because("unlike", "left out")
    elif (seen != np.round(seen)).any():
        column.because("fractions", "left out")
    elif abs(seen).max() > FARTHEST:
        column.because("huge", "left out")
    elif len(near) > POINTS or near[-1] - near[0] > POINTS:
        column.because("counted", "number", count=len(seen), low=int(seen[0]), high=int(seen[-1]))
    else:
        column.role = "two" if len(near) == 2 else "rating"
        column.low, column.high = int(near[0]), int(near[-1])
    column.duration = column.role in ("number", "left out") and bool(PATTERN["duration"].search(column.heading))
    if column.duration and column.role == "number":
        column.because("duration", "left out")


def _read_labels(column: Column, labels: dict) -> None:
    """Take an SPSS file's value labels where each code has one of its own."""
    codes = [code for code in labels if code not in column.missing and not isinstance(code, str)]
    texts = {code: tidy(labels[code]) for code in codes}
    low, high = min(texts, default=0), max(texts, default=0)
    if column.role in ("rating", "two") and low < high <= low + POINTS and low <= column.low and column.high <= high:
        column.low, column.high = int(low), int(high)
        if len(texts) == len({*map(plain, texts.values())} - {""}) == high - low + 1:
            column.labels = (tuple(text for _, text in sorted(texts.items())),) * 2


def _read_waves(columns: list[Column], R: Array) -> None:
    """Tell the wave from the code where two codes or more stand at several; from one like depr101 if answers agree."""
    for form in ("wave", "hundred", "letter_wave"):
        found: dict[
            str, dict[str, dict[str, Column]]
        ] = {}  # by how unsure codes begin, code without the wave, and wave
        for column in columns:
            if not column.asked[1] and (told := PATTERN[form].match(column.code)):
                said = told.groupdict("")
                base, wave = said.pop("before", "") + said.pop("behind", ""), "".join(said.values())
                stem = "" if form == "wave" else base.rstrip("0123456789")
                found.setdefault(stem, {}).setdefault(base, {})[wave] = column
        again = [{base: of for base, of in bases.items() if len(of) > 1} for bases in found.values()]
        alike = [[form == "wave" or _self_alike(base, bases, R) for base in bases] for bases in again]
        every = [one for own in alike for one in own]
        for bases, own in zip(again, alike, strict=True):
            clear = form == "wave" or (len(every) > FEW and min(np.mean(own or 0), np.mean(every)) >= CLEAR)
            for base, of in bases.items() if clear and len(bases) > 1 else ():
                for wave, column in of.items():
                    column.asked = base, wave
                    if form != "wave":
                        column.because("again", wave=wave, alike=sum(own), items=len(own))


def _self_alike(base: str, bases: dict[str, dict[str, Column]], R: Array) -> bool:
    """Say whether an item correlates more with itself at another wave than with the others there."""
    place = {(name, wave): column.place - 1 for name, of in bases.items() for wave, column in of.items()}
    pairs = [(R[place[base, a], at], name) for a in bases[base] for (name, b), at in place.items() if a != b]
    own, others = (np.mean([abs(r) for r, name in pairs if (name == base) == same] or 0) for same in (True, False))
    return bool(own > others)


def _families(columns: list[Column]) -> list[list[Column]]:
    """Return ratings that share a stem; set aside two-answer families, background questions and overall ones."""
    stems: dict[str, list[Column]] = {}
    waiting = [column for column in columns if column.role in OPEN]
    for column in waiting:
        if column.stem[1] in ("item", "reversed"):
            stems.setdefault(column.stem[0], []).append(column)
    for column in waiting:
        said = column.heading if len(column.wording) > 40 else f"{column.heading} {column.wording}"
        if len(stems.get(column.stem[0], ())) < 2 and PATTERN["background"].search(said):
            column.because("background", "control")
    rated, found = sum(column.role == "rating" for column in columns), []
    for stem, members in stems.items():
        if len(members) > 1 and all(column.role == "two" for column in members):
            for column in members:
                column.because("multiple", "left out", count=len(members), stem=stem)
        rows = [column for column in members if column.role in ("rating", "two")]
        vague = PATTERN["generic"].match(stem) or len(rows) > max(1 if len(stem) == 1 else 10, MOST * rated)
        if len(rows) > 1 and not vague:
            found.append(rows)
    return found


def _runs(rated: list[Column]) -> list[list[Column]]:
    """Return runs of neighbours that answer alike: the split of highest modularity of their partial correlations."""
    p = len(rated)
    if p < 4:
        return [rated]
    R = _correlations(rated) + np.eye(p)
    P = np.linalg.inv((1 - RIDGE) * R + RIDGE * np.eye(p))
    S = np.abs(P / np.sqrt(np.abs(np.outer(np.diag(P), np.diag(P)))))
    S *= np.sqrt(len(rated[0].values)) * S >= 1
    np.fill_diagonal(S, 0)
    d = S.sum(1)
    B = S - GAMMA * np.outer(d, d) / max(d.sum(), 1e-9)
    best: list[tuple[float, list[list[Column]]]] = [(0.0, [])]  # modularity and runs of so many first columns
    for end in range(1, p + 1):
        gain, found = 0.0, (-np.inf, best[0][1])
        for first in range(end - 1, max(-1, end - 1 - LONGEST), -1):
            gain += B[first, first + 1 : end].sum()
            before, runs = best[first]
            if before + gain > found[0] + 1e-12:
                found = before + gain, [*runs, rated[first:end]]
        best.append(found)
    return best[p][1]


def _correlations(columns: list[Column]) -> Array:
    """Return Pearson correlations of each two columns over the rows that have both; 0 where there are few or none."""
    answers = pd.DataFrame({column.place: column.values for column in columns})
    return answers.corr(min_periods=10).fillna(0.0).to_numpy() * (1 - np.eye(len(columns)))


def _named(families: list[list[Column]], columns: list[Column], guessed: bool) -> dict[str, list[Column]]:
    """Return the families under names that a model can hold."""
    taken = {plain(text) for column in columns for text in (column.code, column.heading)}
    named: dict[str, list[Column]] = {}
    for k, items in enumerate(families, 1):
        (stem, _), (base, wave) = items[0].stem, items[0].asked
        later, text = f"_t{wave}" * bool(wave), PATTERN["question"].sub("", base or items[0].code)
        shown = re.match(re.escape(stem.removesuffix(later)), text, re.IGNORECASE)
        asked = items[0].question
        called = _called(asked).get("en", "").replace(" ", "_") if asked else shown[0] if shown else ""
        name = re.sub(r"[^A-Za-z0-9_]", "", called) + later if called and not guessed else ""
        name = name if NAME.fullmatch(name) and name not in RESERVED else f"F{k}"
        while plain(name) in taken:
            name += "_"
        taken.add(plain(name))
        named[name] = list(items)
        for column in items:
            column.construct = name
            reason = "neighbours" if guessed else "matrix" if asked else "prefix"
            column.because(reason, "item", stem=asked[:60] or (shown[0] if shown else stem))
    return named


def _set_aside(columns: list[Column], constructs: dict[str, list[Column]]) -> None:
    """Settle what is no item: attention checks, scores, background questions and single ratings."""
    sums = {name: np.column_stack([column.values for column in items]) for name, items in constructs.items()}
    for column in columns:
        seen, times = np.unique(column.given, return_counts=True)
        if column.role in ("item", "rating", "two") and PATTERN["check"].search(f"{column.heading} {column.wording}"):
            if column.construct:
                constructs[column.construct].remove(column)
            share, value = times.max() / times.sum(), seen[times.argmax()]
            column.construct, column.why, column.expected = "", [], int(value)
            known = share >= MOST
            column.because("check" if known else "unsure", "check" if known else "left out", share=share, value=value)
        elif column.role != "item" and (score := _score(column, sums)):
            column.why = []
            column.because("score", "left out", construct=score)
        elif column.stem[1] == "overall" and column.role in OPEN:
            column.because("overall", "left out", stem=column.stem[0])
        elif column.role == "rating":
            column.because("single", "control", code=column.code, name=column.code.swapcase())
        elif column.role in OPEN:
            column.because("few", "control", count=len(seen))


def _score(column: Column, sums: dict[str, Array]) -> str:
    """Return the construct whose sum or mean a column holds."""
    for name, items in sums.items():
        total = items.sum(1)
        both = np.isfinite(total) & np.isfinite(column.values)
        found = column.values[both]
        mean = np.allclose(found, total[both] / items.shape[1], atol=0.006)
        if both.sum() > 20 and (mean or np.allclose(found, total[both])):
            return name
    return ""


def _settle_scales(columns: list[Column], constructs: dict[str, list[Column]]) -> list[Reason]:
    """Give a construct's items the smallest usual scale that holds all their answers; say which lie outside."""
    names: dict[tuple, str] = {}  # of scales with labels
    for items in constructs.values():
        bare = [column for column in items if not column.labels]
        ends = usual_range(np.concatenate([column.values for column in bare])) if bare else (0, 0)
        for column in bare:
            column.low, column.high = ends
    for column in columns:
        if column.labels:
            column.labelled = names.setdefault((column.low, column.labels), f"labels{len(names) + 1}")
        elif column.role in ("control", "check"):
            column.low, column.high = usual_range(column.values, rated=column.role == "check")
    beyond = [column for column in columns if column.role == "item" and len(column.outside)]
    return [Reason("invalid", items=column.shown, value=column.outside[0]) for column in beyond]


def _turn(name: str, items: list[Column], R: Array, n: int) -> list[Reason]:
    """Mark items that correlate negatively with the majority as reverse-keyed; ask where there is none."""
    at = [column.place - 1 for column in items]
    S, k, clear = R[np.ix_(at, at)], len(items), max(0.10, 2.5 / np.sqrt(n))
    asked: list[Reason] = []
    first = np.linalg.eigh(S + np.eye(k))[1][:, -1]
    down = (first < -1e-9) if (first < -1e-9).sum() <= k / 2 else (first > 1e-9)
    means = S[:, ~down].mean(1)
    if 2 * down.sum() == k:
        if means[down].mean() < -clear:
            shown = ", ".join(column.shown for column, turned in zip(items, down, strict=True) if turned)
            asked.append(Reason("tie", construct=name, items=shown, r=means[down].mean()))
    else:
        for i in np.flatnonzero(down):
            items[i].reverse = bool(means[i] < -clear)
            if items[i].reverse:
                items[i].because("reversed", r=means[i])
            else:
                asked.append(Reason("weak", construct=name, items=items[i].shown, r=means[i]))
    signs = np.array([-1 if column.reverse else 1 for column in items])
    for column in items:
        column.because("alike", r=signs @ S @ signs / max(k * (k - 1), 1))
        if column.stem[1] == "reversed" and not column.reverse:
            asked.append(Reason("recoded", construct=name, items=column.shown))
    return asked


def _misfits(constructs: dict[str, list[Column]], R: Array, n: int) -> list[Reason]:
    """Ask about items that go with another construct rather than with their own; none is moved."""
    places = {name: [column.place - 1 for column in items] for name, items in constructs.items()}
    asked = []
    for name, items in constructs.items():
        for column in items if len(items) > 1 else ():
            row = np.abs(R[column.place - 1])
            own = row[places[name]].sum() / (len(items) - 1)
            others = {other: row[at].mean() for other, at in places.items() if other != name and len(at) > 1}
            best = max(others, key=others.__getitem__, default="")
            if best and others[best] - own > max(0.10, 3 / np.sqrt(n)):
                told = {"items": column.shown, "other": best, "r": others[best], "own": own}
                asked.append(Reason("misfit", construct=name, **told))
    return asked


def _set_codes(columns: list[Column], constructs: Iterable[str]) -> None:
    """Give every question a code that a model can hold, its own name where that is one."""
    used = {plain(name) for name in constructs}
    place: Counter[str] = Counter()
    for column in columns:
        place[column.construct] += 1
        code = PATTERN["question"].sub("", column.code)
        if not NAME.fullmatch(code) or code in RESERVED:
            code = f"{column.construct}_{place[column.construct]}" if column.construct else f"Q{column.place}"
        while plain(code) in used:
            code += "_"
        used.add(plain(code))
        column.code = code
