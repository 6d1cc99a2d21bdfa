"""Guess a codebook from a file of answers: what each column is, which items go together, each guess with its reason."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from surveysem.codebook import FARTHEST, NAME, RESERVED, plain, tidy
from surveysem.errors import DataError
from surveysem.matching import KNOWN, NUMBER, TAIL
from surveysem.ranges import POINTS, sentinels, usual_range
from surveysem.responses import OPTION, SKIPPED
from surveysem.tables import RawTable, read_table

__all__ = ["Column", "Draft", "draft", "draft_of"]

TOLD = tomllib.loads(Path(__file__).with_name("draft.toml").read_text(encoding="utf-8"))
PATTERN = {name: re.compile(pattern, re.IGNORECASE) for name, pattern in TOLD["patterns"].items()}
LABELS = [tuple(tuple(labels[language]) for language in ("en", "zh")) for labels in TOLD["labels"]]
CHINESE = re.compile("[\u4e00-\u9fff]")
RARE = 0.005  # share of a column's answers that may be slips of the hand
CATEGORIES = 11  # texts of a control
SEEN = 0.6  # share of the most common answer to an attention check
RIDGE, GAMMA, LONGEST = 0.05, 2.0, 12  # of the guess from answers: ridge, resolution of modularity, items a construct

Array = NDArray[np.float64]


@dataclass
class Column:
    """One column of a file and what it seems to be.

    ``role`` is "item", "control", "check" or "left out"; before that is settled also "rating", "two", "number".
    ``values`` are numbers, nan where there is no answer; ``labels`` what each code from ``low`` is called.
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
    labels: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    missing: tuple[int, ...] = ()
    why: list[str] = field(default_factory=list)
    stem: str = ""
    marked: bool = False
    overall: bool = False
    known: bool = False
    duration: bool = False
    expected: int = 0

    @property
    def outside(self) -> NDArray[np.bool_]:
        """Which answers lie outside its scale."""
        return (self.values < self.low) | (self.values > self.high)

    def settle(self, role: str, reason: str, **said: object) -> None:
        """Give it a role, and the reason."""
        self.role = role
        self.because(reason, **said)

    def because(self, reason: str, **said: object) -> None:
        """Add a reason."""
        self.why.append(say(reason, **said))


@dataclass(frozen=True)
class Draft:
    """A guess at a codebook.

    ``constructs`` holds the items of each; ``questions`` what only the researcher can decide; ``guessed`` whether the
    constructs are from the answers because the names of the columns say nothing; ``missing`` the codes of no answer.
    """

    table: RawTable
    columns: tuple[Column, ...]
    constructs: dict[str, list[Column]]
    questions: tuple[str, ...]
    missing: tuple[int, ...]
    guessed: bool

    @property
    def has_slips(self) -> bool:
        """Whether answers lie outside the scales."""
        return any(column.outside.any() for column in self.of("item"))

    def overview(self) -> list[list[str]]:
        """Return a construct, its items and its scale a line, then the columns of every other role."""
        lines = [
            [
                name,
                ", ".join("-" * column.reverse + column.code for column in items),
                f"{items[0].low} to {items[0].high}",
            ]
            for name, items in self.constructs.items()
        ]
        others = {role: list(self.of(role)) for role in ("control", "check", "left out")}
        return lines + [
            [f"({role})", ", ".join(tidy(c.heading)[:30] for c in found), ""] for role, found in others.items() if found
        ]

    def summary(self) -> pd.DataFrame:
        """Return one row a column: column, heading, code, role, construct, reverse, low, high, reason."""
        names = ["column", "heading", "code", "role", "construct", "reverse", "low", "high", "reason"]
        rows = [
            (c.place, c.heading, c.code, c.role, c.construct, c.reverse, c.low, c.high, "; ".join(c.why))
            for c in self.columns
        ]
        return pd.DataFrame(rows, columns=names)

    def of(self, role: str) -> list[Column]:
        """Return the columns of a role."""
        return [column for column in self.columns if column.role == role]

    @property
    def groups(self) -> list[Column]:
        """Controls whose two answers are common enough to compare, the likeliest first."""
        found = []
        for column in self.of("control"):
            times = np.unique(column.values[np.isfinite(column.values)], return_counts=True)[1]
            if len(times) == 2 and times.min() >= max(30, 0.1 * times.sum()):
                found.append((bool(PATTERN["group"].search(column.heading)), int(times.min()), -column.place))
        return [self.columns[-place - 1] for *_, place in sorted(found, reverse=True)]


def say(reason: str, **said: object) -> str:
    """Return a reason in words that fit on one line of a comment."""
    return tidy(TOLD["reasons"][reason].format(**said))


def draft(path: str | Path, **reading: Any) -> Draft:
    """Guess a codebook from a file of answers; see `read_table` for how it is read.

    Raises
    ------
    DataError
        Where the file cannot be read or holds no two columns that could be items of one construct.
    """
    return draft_of(read_table(path, **reading))


def draft_of(table: RawTable) -> Draft:
    """Guess a codebook from a table of answers."""
    columns = [_column(table, k) for k in range(len(table.headings))]
    missing = sorted({code for column in columns for code in column.missing})
    families = _families(columns)
    rated = [column for column in columns if column.role == "rating"]
    R = _correlations(np.column_stack([column.values for column in columns]))
    guessed = sum(map(len, families.values())) < 0.5 * len(rated)
    if guessed:
        families = {f"F{k}": run for k, run in enumerate(filter(lambda run: len(run) > 1, _runs(rated)), 1)}
    if not families:
        raise DataError(
            f"{table.file}: no two columns look like items of one construct (whole numbers on a scale of at most "
            f"{POINTS} points, or texts of a usual scale); answers to two or more are needed."
        )
    constructs = _named(families, columns)
    for name, items in constructs.items():
        for column in items:
            column.role, column.construct = "item", name
            column.because("neighbours" if guessed else "prefix", stem=name.rstrip("_"))
    _set_aside(columns, constructs)
    questions = _settle_scales(columns, constructs)
    for name, items in constructs.items():
        questions += _turn(name, items, R, len(table.rows))
    questions += _misfits(constructs, R, len(table.rows))
    _set_codes(columns, {*constructs})
    return Draft(table, tuple(columns), constructs, tuple(questions), tuple(missing), guessed)


def _column(table: RawTable, k: int) -> Column:
    """Return a column with its answers as numbers, and what kind they are."""
    heading = table.headings[k]
    values, texts = _numbers(table, k)
    column = Column(heading, k + 1, values)
    column.code, column.wording = _split(heading, table.wordings[k] if table.wordings else "")
    _read_stem(column)
    if known := KNOWN.get(plain(heading)):
        column.known, column.duration = True, known == "duration"
        column.settle("left out", "known")
        return column
    if not texts and not np.isfinite(values).any():
        column.settle("left out", "empty")
        return column
    if sum(texts.values()) > 0.5 * (sum(texts.values()) + np.isfinite(values).sum()):
        _read_texts(column, table, texts)
        return column
    if texts:
        column.because("mixed", count=sum(texts.values()), text=repr(max(texts, key=texts.__getitem__)[:30]))
    labels = {
        float(code): str(text) for code, text in table.labels.get(heading, {}).items() if not isinstance(code, str)
    }
    column.missing = tuple(sentinels(values))
    values[np.isin(values, column.missing)] = np.nan
    _kind(column)
    if labels and column.role in ("rating", "two"):
        _read_labels(column, {code: text for code, text in labels.items() if code not in column.missing})
    return column


def _numbers(table: RawTable, k: int) -> tuple[Array, Counter[str]]:
    """Return a column as numbers, nan where there is none, and how often each text stands in it."""
    heading, cells = table.headings[k], table.columns[k]
    ranges = table.missing.get(heading, ())
    times = Counter(cells)
    found: dict[object, float] = {}
    texts: Counter[str] = Counter()
    for cell, count in times.items():
        text = "" if cell is None else unicodedata.normalize("NFKC", str(cell)).strip()
        try:
            number = float(text)
        except ValueError:
            number = np.nan
            if plain(text) and plain(text) not in SKIPPED:
                texts[text] += count
        if any(
            not isinstance(low, str) and not isinstance(high, str) and low <= number <= high for low, high in ranges
        ):
            number = np.nan
        found[cell] = number if abs(number) < np.inf else np.nan
    return np.fromiter(map(found.__getitem__, cells), float, len(cells)), texts


def _split(heading: str, label: str) -> tuple[str, str]:
    """Return a code and a wording from a heading such as "TR1: I trust it", "7. I trust it [required]", "TR1"."""
    text = unicodedata.normalize("NFKC", heading).strip()
    while (shorter := TAIL.sub("", text).strip()) != text:
        text = shorter
    if NAME.fullmatch(text) or label:
        return text, tidy(label)
    if lead := PATTERN["lead"].match(text):
        return re.sub(r"\s", "_", lead[1]), lead[2]
    if (numbered := NUMBER.match(text)) and numbered[2]:
        inner = PATTERN["lead"].match(numbered[2])
        return (inner[1], inner[2]) if inner else _bare(numbered[2], f"Q{numbered[1]}")
    return _bare(text, "")


def _bare(text: str, code: str) -> tuple[str, str]:
    """Tell a wording from a name."""
    if re.search("[\u4e00-\u9fff]{4,}", text) or len(text.split()) > 2:
        return code, text
    return text, ""


def _read_stem(column: Column) -> None:
    """Note what a column's code begins with, where a number follows, and what its ending says."""
    text = PATTERN["question"].sub("", column.code)
    if back := PATTERN["reversed"].match(text):
        column.marked, text = True, back[1]
    if (overall := PATTERN["overall"].match(text)) and overall[1]:
        column.overall, column.stem = True, plain(overall[1]).strip("_.-")
    elif numbered := PATTERN["code"].match(text) or PATTERN["letter"].match(text):
        column.stem = plain(numbered[1]).strip("_.-")


def _read_texts(column: Column, table: RawTable, texts: Counter[str]) -> None:
    """Take texts for answers on a usual scale, for categories, or for what a codebook has no use for."""
    count, rows = len(texts), sum(texts.values())
    if sum(times for text, times in texts.items() if PATTERN["time"].match(text)) > 0.8 * rows:
        return column.settle("left out", "dates")
    bare = {text: plain(OPTION.sub("", text)) for text in texts}
    usual = [
        labels for labels in LABELS if {*bare.values()} <= {plain(text) for language in labels for text in language}
    ]
    plains = {*bare.values()}
    if usual and count > 2:
        column.labels, column.role = usual[0], "rating"
    elif 2 <= count <= CATEGORIES and len(plains) == count and rows >= 5 * count and max(map(len, texts)) <= 200:
        names = tuple(sorted(map(tidy, texts)))
        column.labels, column.role = (names, names), "two" if count == 2 else "control"
    else:
        return column.settle("left out", "texts", count=count, rows=rows)
    column.because("labelled" if column.role == "rating" else "categories", count=count, low=1)
    code = {plain(text): k for labels in column.labels for k, text in enumerate(labels, 1)}
    cells = table.columns[column.place - 1]
    numbers = {cell: _code_of(cell, code) for cell in set(cells)}
    column.values = np.fromiter(map(numbers.__getitem__, cells), float, len(cells))
    column.low, column.high = 1, len(column.labels[0])
    return None


def _code_of(cell: object, code: dict[str, int]) -> float:
    text = "" if cell is None else unicodedata.normalize("NFKC", str(cell)).strip()
    return float(code.get(plain(text), code.get(plain(OPTION.sub("", text)), np.nan)))


def _kind(column: Column) -> None:
    """Tell ratings, two answers and counted numbers from what identifies a respondent."""
    given = column.values[np.isfinite(column.values)]
    seen, times = np.unique(given, return_counts=True)
    whole = bool((seen == np.round(seen)).all())
    n = len(column.values)
    near = _bulk(seen, times)
    if len(seen) < 2:
        column.settle("left out", "constant", value=f"{seen[0]:g}" if len(seen) else "none")
    elif whole and n > 30 and len(given) == n == len(seen) and (np.diff(column.values) > 0).all():
        column.settle("left out", "rising")
    elif n > 30 and len(seen) > 0.95 * n:
        column.settle("left out", "unlike")
    elif not whole:
        column.settle("left out", "fractions")
    elif max(abs(seen)) > FARTHEST:
        column.settle("left out", "huge")
    elif len(near) > POINTS or near[-1] - near[0] > POINTS:
        column.settle("number", "counted", count=len(seen), low=int(seen[0]), high=int(seen[-1]))
    else:
        if len(near) < len(seen):
            column.because("slips", count=int(times[~np.isin(seen, near)].sum()), value=max(seen, key=abs))
        column.role = "two" if len(near) == 2 else "rating"
        column.low, column.high = int(near[0]), int(near[-1])
        return
    if column.role == "left out" and PATTERN["duration"].search(column.heading):
        column.duration = True
    if column.role == "number" and PATTERN["duration"].search(column.heading):
        column.duration = True
        column.settle("left out", "duration")
    column.low, column.high = usual_range(given, rated=False) if column.role == "number" else (0, 0)


def _bulk(seen: Array, times: NDArray[np.int_]) -> Array:
    """Return answers without the few that lie far from all others: slips of the hand."""
    few = max(1, RARE * times.sum())
    while len(seen) > 3 and times[-1] <= few and seen[-1] - seen[-2] > 1 and seen[-1] > POINTS:
        seen, times = seen[:-1], times[:-1]
    return seen


def _read_labels(column: Column, labels: dict[float, str]) -> None:
    """Take an SPSS file's value labels where each code has one of its own."""
    codes = [code for code in labels if code == round(code)]
    low, high = (int(min(codes)), int(max(codes))) if codes else (0, 0)
    texts = tuple(tidy(labels.get(float(code), "")) for code in range(low, high + 1)) if high - low <= POINTS else ()
    if low < high and low <= column.low and column.high <= high:
        column.low, column.high = low, high
        if all(texts) and len({*map(plain, texts)}) == len(texts):
            column.labels = (texts, texts)


def _families(columns: list[Column]) -> dict[str, list[Column]]:
    """Return ratings that share a stem; set aside two-answer families, background questions and overall ones."""
    stems: dict[str, list[Column]] = {}
    for column in columns:
        if column.stem and not column.overall and column.role in ("rating", "two", "number"):
            stems.setdefault(column.stem, []).append(column)
    for column in columns:
        alone = len(stems.get(column.stem, ())) < 2
        said = column.heading if len(column.wording) > 40 else f"{column.heading} {column.wording}"
        if alone and column.role in ("rating", "two", "number") and PATTERN["background"].search(said):
            column.settle("control", "background")
    rated = sum(column.role == "rating" for column in columns)
    found = {}
    for stem, members in stems.items():
        kinds = Counter(column.role for column in members)
        if len(members) > 1 and kinds["two"] == len(members):
            for column in members:
                column.settle("left out", "multiple", count=len(members), stem=stem)
            continue
        sliders = [column for column in members if column.role == "number" and column.low >= 0 and column.high <= 100]
        rows = [column for column in members if column.role in ("rating", "two")]
        rows = rows if rows else sliders * (len(sliders) > 2)
        vague = PATTERN["generic"].match(stem) or (len(rows) > 10 and len(rows) > SEEN * rated)
        if len(rows) > 1 and not vague:
            found[stem] = rows
    return found


def _runs(rated: list[Column]) -> list[list[Column]]:
    """Return runs of neighbours that answer alike: the split of highest modularity of their partial correlations."""
    p = len(rated)
    if p < 4:
        return [rated]
    X = np.column_stack([column.values for column in rated])
    X = np.where(np.isfinite(X), X, np.nanmean(X, axis=0))
    P = np.linalg.inv((1 - RIDGE) * np.corrcoef(X.T) + RIDGE * np.eye(p))
    S = np.abs(P / np.sqrt(np.outer(np.diag(P), np.diag(P))))
    S[1 / np.sqrt(len(X)) > S] = 0
    np.fill_diagonal(S, 0)
    d = S.sum(1)
    B = S - GAMMA * np.outer(d, d) / max(d.sum(), 1e-9)
    best, start = np.full(p + 1, -np.inf), [0] * (p + 1)
    best[0] = 0
    for end in range(1, p + 1):
        gain = 0.0
        for first in range(end - 1, max(-1, end - 1 - LONGEST), -1):
            gain += B[first, first + 1 : end].sum()
            if best[first] + gain > best[end] + 1e-12:
                best[end], start[end] = best[first] + gain, first
    runs, end = [], p
    while end:
        runs.append(rated[start[end] : end])
        end = start[end]
    return runs[::-1]


def _correlations(X: Array) -> Array:
    """Return Pearson correlations of each two columns over the rows that have both; 0 where there are few or none."""
    given = np.isfinite(X)
    mean = np.where(given, X, 0).sum(0) / np.maximum(given.sum(0), 1)
    Z = np.where(given, X - mean, 0.0)
    G = given.astype(float)
    N = G.T @ G
    with np.errstate(all="ignore"):
        mean = Z.T @ G / N
        spread = np.sqrt((Z**2).T @ G / N - mean**2)
        R = (Z.T @ Z / N - mean * mean.T) / (spread * spread.T)
    R[(N < 10) | ~np.isfinite(R)] = 0
    np.fill_diagonal(R, 0)
    return R


def _named(families: dict[str, list[Column]], columns: list[Column]) -> dict[str, list[Column]]:
    """Return the families under names that a model can hold."""
    headings = {plain(column.code) for column in columns} | {plain(column.heading) for column in columns}
    named: dict[str, list[Column]] = {}
    for k, (stem, items) in enumerate(families.items(), 1):
        shown = next((found for column in items if (found := re.match(re.escape(stem), column.code, re.I))), None)
        name = re.sub(r"[^A-Za-z0-9_]", "", shown[0] if shown else stem.upper()) or f"F{k}"
        name = name if NAME.fullmatch(name) and name not in RESERVED else f"F{k}"
        while plain(name) in headings or name in named:
            name += "_"
        named[name] = items
    return named


def _set_aside(columns: list[Column], constructs: dict[str, list[Column]]) -> None:
    """Settle what is no item: attention checks, scores, background questions and single ratings."""
    sums = {name: np.column_stack([column.values for column in items]).sum(1) for name, items in constructs.items()}
    for column in columns:
        if column.role in ("item", "rating", "two") and PATTERN["check"].search(f"{column.heading} {column.wording}"):
            _as_check(column, constructs)
        elif column.role not in ("item", "left out") and (score := _score(column, sums, constructs)):
            column.settle("left out", "score", construct=score)
        elif column.overall and column.role in ("rating", "two", "number"):
            column.settle("left out", "overall", stem=column.stem)
        elif column.role == "rating":
            column.settle("control", "single", code=column.code, construct=f"{column.code or 'name'}_")
        elif column.role in ("two", "number"):
            column.settle("control", "few", count=len(np.unique(column.values[np.isfinite(column.values)])))
    for column in columns:
        if column.role == "left out" and not column.known and column.values.size and _score(column, sums, constructs):
            column.why = [say("score", construct=_score(column, sums, constructs))]


def _as_check(column: Column, constructs: dict[str, list[Column]]) -> None:
    seen, times = np.unique(column.values[np.isfinite(column.values)], return_counts=True)
    share, value = times.max() / times.sum(), seen[times.argmax()]
    if column.construct:
        constructs[column.construct].remove(column)
        column.construct, column.why = "", []
    column.expected = int(value)
    column.settle(
        "check" if share >= SEEN else "left out", "check" if share >= SEEN else "unsure", share=share, value=value
    )


def _score(column: Column, sums: dict[str, Array], constructs: dict[str, list[Column]]) -> str:
    """Return the construct whose sum or mean a column holds."""
    for name, total in sums.items():
        both = np.isfinite(total) & np.isfinite(column.values)
        if both.sum() > 20:
            found, mean = column.values[both], total[both] / max(len(constructs[name]), 1)
            if np.allclose(found, total[both]) or np.allclose(found, mean, atol=0.006):
                return name
    return ""


def _settle_scales(columns: list[Column], constructs: dict[str, list[Column]]) -> list[str]:
    """Give a construct's items the smallest usual scale that holds all their answers; say which answers lie outside."""
    asked = []
    for name in [name for name, items in constructs.items() if not items]:
        del constructs[name]
    for items in constructs.values():
        bare = [column for column in items if not column.labels[0]]
        if bare:
            pooled = np.concatenate([column.values for column in bare])
            low, high = usual_range(pooled)
            if any(column.role == "item" and column.high > POINTS for column in bare):  # sliders
                low, high = usual_range(pooled, rated=False)
            for column in bare:
                column.low, column.high = low, high
    for column in columns:
        if column.role in ("control", "check") and not column.labels[0]:
            column.low, column.high = usual_range(column.values, rated=column.role == "check")
        if column.role == "item" and column.outside.any():
            asked.append(say("invalid", items=column.heading, value=column.values[column.outside][0]))
    return asked


def _turn(name: str, items: list[Column], R: Array, n: int) -> list[str]:
    """Mark items that correlate negatively with the majority as reverse-keyed; ask where there is none."""
    at = [column.place - 1 for column in items]
    S, asked = R[np.ix_(at, at)], []
    clear = max(0.10, 2.5 / np.sqrt(n))
    first = np.linalg.eigh(S + np.eye(len(items)))[1][:, -1] if len(items) > 1 else np.ones(1)
    sign = np.where(np.abs(first) < 1e-9, 1, np.sign(first))
    sign = -sign if (sign < 0).sum() > len(items) / 2 else sign
    down, up = np.flatnonzero(sign < 0), np.flatnonzero(sign > 0)
    if len(down):
        means = S[np.ix_(down, up)].mean(1)
        if 2 * len(down) == len(items):
            if means.mean() < -clear:
                shown = ", ".join(items[k].heading for k in down)
                asked.append(say("tie", construct=name, items=shown, r=means.mean()))
        else:
            for k, mean in zip(down, means, strict=True):
                if mean < -clear:
                    items[k].reverse = True
                    items[k].because("reversed", r=mean)
                else:
                    asked.append(say("weak", construct=name, items=items[k].heading, r=mean))
    if len(items) > 1:
        signs = np.array([-1 if column.reverse else 1 for column in items])
        r = (S * np.outer(signs, signs)).sum() / (len(items) * (len(items) - 1))
        for column in items:
            column.because("alike", r=r)
    asked += [
        say("recoded", construct=name, items=column.heading) for column in items if column.marked and not column.reverse
    ]
    return asked


def _misfits(constructs: dict[str, list[Column]], R: Array, n: int) -> list[str]:
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
                said = {"items": column.heading, "other": best, "r": others[best], "own": own}
                asked.append(say("misfit", construct=name, **said))
    return asked


def _set_codes(columns: Sequence[Column], taken: Iterable[str]) -> None:
    """Give every question a code that a model can hold, its own name where that is one."""
    used = {plain(name) for name in taken}
    place: Counter[str] = Counter()
    for column in columns:
        place[column.construct] += 1
        code = PATTERN["question"].sub("", column.code)
        if not NAME.fullmatch(code) or code in RESERVED:
            number = place[column.construct] if column.construct else column.place
            code = f"{column.construct or 'Q'}{'_' * bool(column.construct)}{number}"
        while plain(code) in used:
            code += "_"
        used.add(plain(code))
        column.code = code
