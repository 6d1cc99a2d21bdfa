"""Which respondents answered carelessly or not at all, by rules declared beforehand, each case on record.

References: Curran (2016), doi:10.1016/j.jesp.2015.07.006; Meade & Craig (2012), doi:10.1037/a0028085; two seconds an
item: Huang et al. (2012), doi:10.1007/s10869-011-9231-8.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtri  # scipy.stats takes half a second to load

from surveysem.codebook import Codebook, Rules
from surveysem.errors import DataError, require
from surveysem.responses import Responses

MODES = ("drop", "report-only")
CHANCE = 0.02  # share of careful respondents that a rule on equal answers may flag
DRAWN = 50_000  # respondents drawn to see what is given by chance, or ten surveys
SLICE = 10_000  # rows whose spread is computed at once
MATCHED = 5_000  # of them to find the correlations
RARE = 0.05  # other respondents with the same answers, expected by chance: below it a repeated row is flagged
RECORD = ["row", "rule", "value", "threshold", "detail", "dropped"]

Array = np.ndarray
Flag = tuple[str, str, Array, Array, float, list[str] | None]


@dataclass(frozen=True)
class Chance:
    """What careful respondents would give by chance, with the margins and correlations of these answers.

    Parameters
    ----------
    alike : float
        Share of them that would give one answer to all items.
    others : array, one a row of the answers
        How many others would give exactly the answers of that row.
    repeated : float
        How many rows would repeat an earlier one.
    first : array of int, one a row of the answers
        The row that each does repeat, 0 where it is the first of its kind or empty.
    """

    alike: float
    others: Array
    repeated: float
    first: Array


@dataclass(frozen=True)
class Screened:
    """Answers that passed (all of them where the mode is "report-only") and the record of those that did not.

    ``record`` has one line a flagged row and rule: row, rule, value, threshold, detail, dropped. ``notes`` name the
    rules that could not be applied. ``chance`` is what careful respondents would give.
    """

    answers: pd.DataFrame
    record: pd.DataFrame
    rules: Rules
    mode: str
    nobs: int
    notes: tuple[str, ...] = ()
    chance: Chance = Chance(0.0, np.zeros(0), 0.0, np.zeros(0, int))

    @property
    def repeated(self) -> int:
        """How many rows have the answers of an earlier one."""
        return int((self.chance.first > 0).sum())

    @property
    def by_chance(self) -> float:
        """How many rows would repeat an earlier one by chance."""
        return self.chance.repeated

    @property
    def dropped(self) -> int:
        """How many rows left the answers."""
        return self.nobs - len(self.answers)

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


def screen(
    responses: Responses, rules: Rules | None = None, *, mode: str = "drop", likely: Chance | None = None
) -> Screened:
    """Flag respondents by declared rules, and drop them or only report them.

    Parameters
    ----------
    rules : Rules, optional
        By default those of the codebook, none of which looks at the hypotheses.
    mode : {"drop", "report-only"}
        Whether flagged rows leave the answers, but for those of rules that only report.
    likely : Chance, optional
        What these answers would be by chance, where it is known already; else it is estimated.

    Raises
    ------
    DataError
        When no row is left.
    """
    require(mode in MODES, "mode", mode, ", ".join(MODES))
    rules = responses.codebook.screening if rules is None else rules
    rows = responses.answers.index.to_numpy()
    likely = likely or chance(responses)
    lines = []
    for name, rule, flagged, values, threshold, details in _flags(responses, rules, likely):
        goes = mode == "drop" and name not in rules.report
        lines += [
            (rows[k], rule, float(values[k]), float(threshold), details[k] if details else "", goes)
            for k in np.flatnonzero(flagged)
        ]
    record = pd.DataFrame(lines, columns=RECORD).sort_values("row", kind="stable", ignore_index=True)
    answers = responses.answers.loc[~responses.answers.index.isin(record["row"][record["dropped"].astype(bool)])]
    if answers.empty:
        raise DataError(f"{responses.file}: all {len(rows)} rows are flagged; allowed: rules that leave some.")
    return Screened(answers, record, rules, mode, len(rows), _unused(responses, rules, likely), likely)


def _flags(responses: Responses, rules: Rules, likely: Chance) -> Iterator[Flag]:
    """Yield each rule that applies with who is flagged, by what value, against what threshold."""
    answers, book = responses.answers, responses.codebook
    items = answers[book.items].to_numpy()
    given, missed = np.isfinite(items), _missed(answers, book)
    if rules.missing is not None:
        share = (~given & ~missed).sum(1) / (~missed).sum(1)
        yield "missing", "missing", share > rules.missing, share, rules.missing, None
    if rules.run is not None:
        runs = _longest_run(items)
        yield "run", "straight-lining (run)", runs >= rules.run, runs, rules.run, None
    enough = given.sum(1) >= 2
    alike = likely.alike <= CHANCE
    if rules.sd is not None and alike:
        sd = np.full(len(items), np.nan)
        for at in np.array_split(np.flatnonzero(enough), 1 + len(items) // SLICE):
            sd[at] = np.nanstd(items[at], axis=1, ddof=1)
        yield "sd", "straight-lining (sd)", sd <= rules.sd + 1e-12, sd, rules.sd, None
    if rules.one_answer and alike:
        yield "one_answer", "one answer only", _alike(items), np.fmin.reduce(items, axis=1), 1, None
    if rules.seconds is not None and responses.duration is not None:
        pace = responses.duration[answers.index].to_numpy() / (len(book.questions) - missed.sum(1))
        yield "seconds", "speeder", pace < rules.seconds, pace, rules.seconds, None
    checks = [item for item in book.questions if item.role == "check"]
    if rules.failed_checks is not None and checks:
        passed, right = answers[[item.code for item in checks]].to_numpy(), np.array([item.expected for item in checks])
        misses = (passed != right) & ~(np.isnan(passed) & missed.any(1, keepdims=True))
        details = [", ".join(item.code for item, miss in zip(checks, row, strict=True) if miss) for row in misses]
        failed = misses.sum(1)
        yield "failed_checks", "failed check", failed > rules.failed_checks, failed, rules.failed_checks, details
    if rules.invalid is not None and len(responses.invalid):
        said = responses.invalid["item"] + " = " + responses.invalid["given"]
        by_row = said.groupby(responses.invalid["row"]).agg(list)
        lists = [by_row.get(row, []) for row in answers.index]
        counts = np.array([len(each) for each in lists])
        details = ["; ".join(each) for each in lists]
        yield "invalid", "out of range", counts > rules.invalid, counts, rules.invalid, details
    if rules.duplicates:
        details = [f"{others:.2f} others expected by chance" for others in likely.others]
        yield "duplicates", "duplicate", (likely.first > 0) & (likely.others < RARE), likely.first, RARE, details


def _missed(answers: pd.DataFrame, book: Codebook) -> Array:
    """Tell, respondents by items, what was asked at waves that they missed: no answer there, but some at another."""
    found = pd.DataFrame(False, answers.index, book.items)
    for wave in book.waves:
        seen = pd.DataFrame({name: answers[book.scales[name]].notna().any(axis=1) for name in wave.constructs})
        for name in wave.constructs:
            found.loc[~seen[name] & seen.any(axis=1), book.scales[name]] = True
    return found.to_numpy()


def chance(responses: Responses, *, seed: int = 20240531) -> Chance:
    """Estimate what careful respondents would give by chance, from these answers.

    Behind each question stands a normal variable cut where the shares of its answers say; the correlations are those
    with which drawn answers, as normal scores, correlate as the observed ones do. Whole surveys are drawn from this
    model, with the holes of the observed one: most to count how often each row's answers come up, a fifth to count the
    rows that repeat another.

    Parameters
    ----------
    seed : int
        Of the surveys drawn.

    References
    ----------
    Cario & Nelson (1997), Modeling and generating random vectors with arbitrary marginal distributions and correlation
    matrix, Northwestern University: the correlations by search.
    """
    answers, items = responses.answers, responses.codebook.items
    n, rng = len(answers), np.random.default_rng(seed)
    values = answers.to_numpy(float)
    surveys = int(np.clip(DRAWN // n, 4, 50))
    margins = [np.unique(column[np.isfinite(column)], return_counts=True) for column in values.T]
    cuts = [ndtri(np.cumsum(counts)[:-1] / counts.sum()) for _, counts in margins]
    root = _root_of_correlations(values, margins, cuts, rng)
    weights = rng.integers(1, 2**63, len(cuts), dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    holes, scored = np.isnan(values), [answers.columns.get_loc(code) for code in items]
    keys, alike = [], 0
    for _ in range(surveys):
        drawn = _draw(rng.standard_normal((n, len(cuts))) @ root.T, margins, cuts)
        drawn[holes] = np.nan
        alike += int(_alike(drawn[:, scored]).sum())
        keys.append(_key(drawn, weights))
    held = max(surveys // 5, 1)
    known, times = np.unique(np.concatenate(keys[held:]), return_counts=True)
    key = _key(values, weights)
    at = np.minimum(np.searchsorted(known, key), len(known) - 1)
    others = np.where(known[at] == key, times[at], 0) / (surveys - held)
    repeated = float(np.mean([pd.Series(each).duplicated().sum() for each in keys[:held]]))
    first = answers.index.to_series().groupby(key).transform("first").to_numpy()
    repeats = (first != answers.index) & np.isfinite(values).any(1)
    return Chance(alike / (surveys * n), others, repeated, np.where(repeats, first, 0))


def _root_of_correlations(values: Array, margins: list, cuts: list[Array], rng: np.random.Generator) -> Array:
    """Return a square root of the correlations behind the answers, by which drawn answers correlate as these do."""
    normal = rng.standard_normal((MATCHED, len(cuts)))
    wanted, correlations = _scored(values, margins, cuts), np.eye(len(cuts))
    spread = np.sqrt(np.diag(wanted))
    spread = np.outer(spread, spread)
    for _ in range(6):
        root = np.linalg.cholesky(correlations)
        got = _scored(_draw(normal @ root.T, margins, cuts), margins, cuts)
        step = np.divide(wanted - got, spread, out=np.zeros_like(wanted), where=spread > 0)
        sought = np.clip(correlations + step, -0.98, 0.98)
        np.fill_diagonal(sought, 1)
        level, axes = np.linalg.eigh(sought)
        correlations = (axes * np.maximum(level, 1e-3)) @ axes.T
        scale = np.sqrt(np.diag(correlations))
        correlations /= np.outer(scale, scale)
    return np.linalg.cholesky(correlations)


def _scored(values: Array, margins: list, cuts: list[Array]) -> Array:
    """Return the covariances of the normal scores of answers, each pair by the rows that answered both."""
    scores = np.zeros(values.shape)
    for at, ((codes, counts), own) in enumerate(zip(margins, cuts, strict=True)):
        heights = np.exp(-(np.concatenate([[-np.inf], own, [np.inf]]) ** 2) / 2) / np.sqrt(2 * np.pi)
        if len(codes):
            mean = (heights[:-1] - heights[1:]) * counts.sum() / counts
            answered = np.isfinite(values[:, at])
            scores[answered, at] = mean[np.searchsorted(codes, values[answered, at])]
    both = np.isfinite(values).astype(float)
    return scores.T @ scores / np.maximum(both.T @ both, 1)


def _draw(latent: Array, margins: list, cuts: list[Array]) -> Array:
    drawn = np.full(latent.shape, np.nan)
    for at, ((codes, _), own) in enumerate(zip(margins, cuts, strict=True)):
        if len(codes):
            drawn[:, at] = codes[np.searchsorted(own, latent[:, at])]
    return drawn


def _key(values: Array, weights: Array) -> Array:
    """Return one whole number a row, the same for the same answers and by all odds another for others."""
    bits = np.where(np.isnan(values), np.float64(1e300), values + 0.0).view(np.uint64)  # no negative zero
    mixed = (bits ^ (bits >> np.uint64(29))) * weights
    return (mixed ^ (mixed >> np.uint64(32))).sum(axis=1, dtype=np.uint64)


def _alike(items: Array) -> Array:
    """Return who gave one answer to every item answered, two or more."""
    return (np.isfinite(items).sum(1) >= 2) & (np.fmin.reduce(items, axis=1) == np.fmax.reduce(items, axis=1))


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


def _unused(responses: Responses, rules: Rules, likely: Chance) -> tuple[str, ...]:
    notes = []
    if rules.seconds is not None and responses.duration is None:
        notes.append("speeder: the file has no duration.")
    if rules.failed_checks is not None and not any(item.role == "check" for item in responses.codebook.questions):
        notes.append("failed check: the codebook has no attention check.")
    if (rules.one_answer or rules.sd is not None) and likely.alike > CHANCE:
        notes.append(f"one answer only: {likely.alike:.0%} of careful respondents would give one answer to all items.")
    return tuple(notes)
