"""Which respondents answered carelessly or not at all, by rules declared beforehand, each case on record.

References: Curran (2016), doi:10.1016/j.jesp.2015.07.006; Meade & Craig (2012), doi:10.1037/a0028085; two seconds an
item: Huang et al. (2012), doi:10.1007/s10869-011-9231-8.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd

from surveysem.errors import DataError, ParameterError
from surveysem.responses import Responses

__all__ = ["MODES", "Rules", "Screened", "expected_by_chance", "screen"]

MODES = ("drop", "report-only")
CHANCE = 0.02  # share of careful respondents that a rule on equal answers may flag
RECORD = ["row", "rule", "value", "threshold", "detail", "dropped"]

Array = np.ndarray
Flag = tuple[str, Array, Array, float, list[str] | None]


@dataclass(frozen=True)
class Rules:
    """What flags a respondent; None leaves a rule out.

    Rules on equal answers (``sd``, ``one_answer``, ``duplicates``) are not applied to questionnaires so short that they
    would flag careful respondents too; see :func:`expected_by_chance`.

    Parameters
    ----------
    missing : float
        Share of items unanswered, in [0, 1]: above it.
    run : int
        Length of the longest run of one answer over items in the order asked: at or above it.
    sd : float
        Standard deviation of the answers to the items, as answered, divisor k - 1: at or below it.
    one_answer : bool
        The same answer to every item answered, two or more.
    seconds : float
        Seconds a question: below it.
    failed_checks : int
        Attention checks failed or unanswered: above it.
    invalid : int
        Answers that are no code of their scale: above it.
    duplicates : bool
        The same answers to all questions as an earlier row, whose number is the value.
    """

    missing: float | None = 0.2
    run: int | None = None
    sd: float | None = 0.0
    one_answer: bool = True
    seconds: float | None = 2.0
    failed_checks: int | None = 0
    invalid: int | None = 0
    duplicates: bool = True

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            number = isinstance(value, (int, float)) and (isinstance(value, bool) or value >= 0)
            if isinstance(value, bool) != (each.type == "bool") or not (value is None or number):
                allowed = "True, False" if each.type == "bool" else "a number from 0, or None"
                raise ParameterError(f"rule {each.name} is {value!r}; allowed: {allowed}.")
        if self.missing is not None and self.missing > 1:
            raise ParameterError(f"rule missing is {self.missing!r}; allowed: a share from 0 to 1.")


@dataclass(frozen=True)
class Screened:
    """Answers that passed (all of them where the mode is "report-only") and the record of those that did not.

    ``record`` has one line a flagged row and rule: row, rule, value, threshold, detail, dropped. ``notes`` name the
    rules that could not be applied.
    """

    answers: pd.DataFrame
    record: pd.DataFrame
    rules: Rules
    mode: str
    nobs: int
    notes: tuple[str, ...] = ()

    @property
    def flagged(self) -> list[int]:
        """Rows with at least one flag."""
        return sorted(set(self.record["row"]))

    def summary(self) -> pd.DataFrame:
        """Return one line a rule: rule, threshold, flagged, share of all rows; the last line is "any"."""
        groups = self.record.groupby("rule", sort=False)
        lines = groups.agg(threshold=("threshold", "first"), flagged=("row", "size")).reset_index()
        every = pd.DataFrame([{"rule": "any", "threshold": np.nan, "flagged": len(self.flagged)}])
        table = pd.concat([lines, every], ignore_index=True) if len(lines) else every
        return table.assign(share=table["flagged"] / self.nobs, nobs=self.nobs, kept=len(self.answers), mode=self.mode)


def screen(responses: Responses, rules: Rules | None = None, *, mode: str = "drop") -> Screened:
    """Flag respondents by declared rules, and drop them or only report them.

    Parameters
    ----------
    rules : Rules, optional
        By default those of `Rules`, none of which looks at the hypotheses.
    mode : {"drop", "report-only"}
        Whether flagged rows leave the answers.

    Raises
    ------
    DataError
        When no row is left.
    """
    if mode not in MODES:
        raise ParameterError(f"mode is {mode!r}; allowed: {', '.join(MODES)}.")
    rules = Rules() if rules is None else rules
    rows = responses.answers.index.to_numpy()
    lines = []
    for rule, flagged, values, threshold, details in _flags(responses, rules):
        lines += [
            (rows[k], rule, float(values[k]), float(threshold), details[k] if details else "", mode == "drop")
            for k in np.flatnonzero(flagged)
        ]
    record = pd.DataFrame(lines, columns=RECORD).sort_values("row", kind="stable", ignore_index=True)
    answers = responses.answers
    if mode == "drop":
        answers = answers.loc[~answers.index.isin(record["row"])]
    if answers.empty:
        raise DataError(f"{responses.file}: all {len(rows)} rows are flagged; allowed: rules that leave some.")
    return Screened(answers, record, rules, mode, len(rows), _unused(responses, rules))


def _flags(responses: Responses, rules: Rules) -> Iterator[Flag]:
    """Yield each rule that applies with who is flagged, by what value, against what threshold."""
    answers, book = responses.answers, responses.codebook
    items = answers[book.items].to_numpy()
    given = np.isfinite(items)
    if rules.missing is not None:
        share = (~given).mean(1)
        yield "missing", share > rules.missing, share, rules.missing, None
    if rules.run is not None:
        runs = _longest_run(items)
        yield "straight-lining (run)", runs >= rules.run, runs, rules.run, None
    enough = given.sum(1) >= 2
    alike, repeated = (share <= CHANCE for share in expected_by_chance(responses))
    if rules.sd is not None and alike:
        sd = np.full(len(items), np.nan)
        sd[enough] = answers.loc[enough, book.items].std(axis=1)
        yield "straight-lining (sd)", sd <= rules.sd + 1e-12, sd, rules.sd, None
    if rules.one_answer and alike:
        low, high = np.fmin.reduce(items, axis=1), np.fmax.reduce(items, axis=1)
        yield "one answer only", enough & (low == high), low, 1, None
    if rules.seconds is not None and responses.duration is not None:
        pace = responses.duration.to_numpy() / len(book.questions)
        yield "speeder", pace < rules.seconds, pace, rules.seconds, None
    checks = [item for item in book.questions if item.role == "check"]
    if rules.failed_checks is not None and checks:
        misses = np.stack([answers[item.code].to_numpy() != item.expected for item in checks], 1)
        details = [", ".join(item.code for item, miss in zip(checks, row, strict=True) if miss) for row in misses]
        failed = misses.sum(1)
        yield "failed check", failed > rules.failed_checks, failed, rules.failed_checks, details
    if rules.invalid is not None and len(responses.invalid):
        yield "out of range", *_invalid(responses, rules.invalid)
    if rules.duplicates and repeated:
        first = _first_same(answers)
        yield "duplicate", first > 0, first, 0, None


def expected_by_chance(responses: Responses) -> tuple[float, float]:
    """Return about which share of careful respondents gives one answer to all items, and which another row's answers.

    Few questions of few options leave few patterns, P in all, of which people use some far more than others. Drawn
    items (2, 5 and 7 points, 4 to 15 of them, loadings of .75 on constructs that correlate) gave P^-0.42 of the former
    and N / 2 P^-0.6 of the latter, each within a factor of three of what was drawn where it is near ``CHANCE``.
    """
    book = responses.codebook
    points = {item.code: item.scale.high - item.scale.low + 1 for item in book.questions if item.role != "check"}
    items, every = (sum(np.log(points[code]) for code in codes) for codes in (book.items, points))
    return float(np.exp(-0.42 * items)), min(1.0, len(responses.answers) / 2 * float(np.exp(-0.6 * every)))


def _invalid(responses: Responses, threshold: int) -> tuple[Array, Array, float, list[str]]:
    said = responses.invalid["item"] + " = " + responses.invalid["given"]
    by_row = said.groupby(responses.invalid["row"]).agg(list)
    lists = [by_row.get(row, []) for row in responses.answers.index]
    counts = np.array([len(each) for each in lists])
    return counts > threshold, counts, threshold, ["; ".join(each) for each in lists]


def _longest_run(items: Array) -> Array:
    """Return the longest run of equal answers in each row; a missing answer ends a run.

    >>> _longest_run(np.array([[1, 1, 2, 2, 2], [1, np.nan, 1, 1, 3]])).tolist()
    [3, 2]
    """
    longest = current = np.isfinite(items[:, 0]).astype(int)
    for before, now in zip(items.T[:-1], items.T[1:], strict=True):
        current = np.where(before == now, current + 1, np.isfinite(now).astype(int))
        longest = np.maximum(longest, current)
    return longest


def _first_same(answers: pd.DataFrame) -> Array:
    """Return the row that each repeats, 0 where it is the first of its kind or empty."""
    seen: dict[bytes, int] = {}
    values = answers.to_numpy(float) + 0.0  # no negative zero
    values[np.isnan(values)] = np.nan  # one bit pattern
    first = np.array([seen.setdefault(row.tobytes(), at) for row, at in zip(values, answers.index, strict=True)])
    return np.where((first != answers.index) & np.isfinite(values).any(1), first, 0)


def _unused(responses: Responses, rules: Rules) -> tuple[str, ...]:
    notes = []
    if rules.seconds is not None and responses.duration is None:
        notes.append("speeder: the file has no duration.")
    if rules.failed_checks is not None and not any(item.role == "check" for item in responses.codebook.questions):
        notes.append("failed check: the codebook has no attention check.")
    alike, repeated = expected_by_chance(responses)
    if (rules.one_answer or rules.sd is not None) and alike > CHANCE:
        notes.append(f"one answer only: with so few items {alike:.0%} of careful respondents would give one answer.")
    if rules.duplicates and repeated > CHANCE:
        notes.append(f"duplicate: with so few questions {repeated:.0%} of careful respondents would repeat another.")
    return tuple(notes)
