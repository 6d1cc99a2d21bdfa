"""Whether items have something in common (KMO, Bartlett) and constructs differ (Fornell-Larcker, HTMT, HTMT2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from scipy import stats

import semfit
from semfit.columns import Array, correlation
from semfit.constructs import indicators
from semfit.errors import ParameterError, whole
from semfit.psychometrics.reliability import delta, loadings, split
from semfit.psychometrics.resampling import Listed, all_items, check, draw, item_rows
from semfit.resampling import interval_ends

# for constructs that differ in meaning, for close ones, and the logical limit
BOUNDS = {"below_0.85": 0.85, "below_0.90": 0.90, "below_1": 1.0}
UNDEFINED_SHARE = 0.05  # of the draws; beyond it an interval would describe the draws that happened to be defined


@dataclass(frozen=True)
class Factorability:
    """Whether a correlation matrix has something in common to factor.

    ``kmo`` has a line for all items together (item "overall") and one each: item, estimate, ci_low, ci_high. Bartlett's
    statistic tests the null hypothesis that the items are uncorrelated.
    """

    kmo: pd.DataFrame
    chisq: float
    df: int
    pvalue: float
    nobs: int
    dropped: int

    def summary(self) -> pd.DataFrame:
        """Return KMO overall and by item, then Bartlett's test, as one tidy table."""
        test = {"measure": "bartlett", "item": "overall", "estimate": self.chisq, "df": self.df, "pvalue": self.pvalue}
        table = pd.concat([self.kmo.assign(measure="kmo"), pd.DataFrame([test])], ignore_index=True)
        order = ["measure", "item", "estimate", "ci_low", "ci_high", "df", "pvalue"]
        return table[order].assign(nobs=self.nobs, dropped=self.dropped)


def factorability(
    data: pd.DataFrame,
    items: Sequence[str],
    *,
    level: float = 0.95,
    bootstrap: int = 0,
    kind: str = "percentile",
    seed: int | None = None,
) -> Factorability:
    """Return the Kaiser-Meyer-Olkin measure, overall and by item, and Bartlett's test of sphericity.

    KMO compares squared correlations r with squared partial correlations q (each pair given all other items): sum r^2 /
    (sum r^2 + sum q^2). It lies in [0, 1]; .5 means that nothing is in common.

    Parameters
    ----------
    data : pandas.DataFrame
        One row per respondent.
    items : sequence of str
        Columns, two or more; rows that miss one are left out.
    level, bootstrap, kind, seed
        As in :func:`semfit.psychometrics.alpha`; without resamples the ends of KMO are nan.

    Raises
    ------
    ParameterError
        With fewer than two items.

    References
    ----------
    Kaiser (1974), doi:10.1007/BF02291575; Bartlett (1951), Biometrika 38, 337-344.
    """
    check(level, bootstrap, kind)
    if len(items) < 2:
        raise ParameterError(f"KMO and Bartlett's test need at least two items; got {len(items)}.")
    rows, dropped = item_rows(data, items)
    N, p = rows.shape
    S = np.cov(rows.T)
    estimate = _kmo(S)
    low, high = np.full((2, p + 1), np.nan)
    if bootstrap:
        low, high = interval_ends(estimate, draw(_kmo, rows, bootstrap, seed), level, kind)
    frame = pd.DataFrame({"item": ["overall", *items], "estimate": estimate, "ci_low": low, "ci_high": high})
    log = np.linalg.slogdet(correlation(S))[1]
    chisq, df = -(N - 1 - (2 * p + 5) / 6) * log, p * (p - 1) // 2
    return Factorability(frame, float(chisq), df, float(stats.chi2.sf(chisq, df)), N, dropped)


def _kmo(S: Array) -> Array:
    """Return KMO overall and by item, shape (..., p + 1)."""
    R, off = correlation(S), ~np.eye(S.shape[-1], dtype=bool)
    Q = correlation(np.linalg.inv(R)) ** 2 * off
    r, q = (R**2 * off).sum(-1), Q.sum(-1)
    overall = r.sum(-1) / (r.sum(-1) + q.sum(-1))
    return np.concatenate([overall[..., None], r / (r + q)], -1)


@dataclass(frozen=True)
class FornellLarcker(Listed):
    """AVE of every construct against the variance it shares with every other.

    ``matrix`` holds sqrt(AVE) on the diagonal and correlations below. ``pairs`` has one line per ordered pair:
    construct, other, group, ave, correlation, margin (ave - correlation^2), se, ci_low, ci_high, holds (margin > 0),
    reason.
    """

    pairs: pd.DataFrame
    matrix: pd.DataFrame
    nobs: int


def fornell_larcker(fit: semfit.SemFit, *, group: int = 1, level: float = 0.95) -> FornellLarcker:
    """Compare the average variance extracted with squared correlations of constructs, with delta-method intervals.

    Parameters
    ----------
    fit : SemFit
        A model with at least two latent variables.
    group : int
        Which group, from 1.
    level : float
        Of the intervals, in (0, 1).

    Raises
    ------
    ParameterError
        With fewer than two constructs, or a group that does not exist.

    References
    ----------
    Fornell & Larcker (1981), doi:10.1177/002224378101800104.
    """
    check(level)
    whole("group", group, 1, fit.table.groups)
    k, names = group - 1, np.array(list(indicators(fit.table.rows, group)), dtype=object)
    if len(names) < 2:
        raise ParameterError(f"discriminant validity needs at least two constructs; got {len(names)}.")
    block, (known, refused) = fit.problem.blocks[k], split(fit, k)
    at = np.array([block.names.index(name) for name in names])
    first, second = np.nonzero(~np.eye(len(names), dtype=bool))

    def parts(theta: Array) -> tuple[Array, Array]:
        C = block.implied(theta, fit.problem.bases[k]).covariance
        ave = np.full((*theta.shape[:-1], len(names)), np.nan, dtype=theta.dtype)
        for name, (raw, variance, S) in zip(known, loadings(fit, theta, k, known), strict=True):
            share = raw**2 * variance[..., None] / np.diagonal(S, axis1=-2, axis2=-1)
            ave[..., names == name] = share.mean(-1, keepdims=True)
        return ave, correlation(C[..., at[:, None], at])

    def margins(theta: Array) -> Array:
        ave, R = parts(theta)
        return ave[..., first] - R[..., first, second] ** 2

    ave, R = parts(fit.theta if fit.identified else np.full_like(fit.theta, np.nan))
    margin, (se, low, high) = margins(fit.theta), delta(fit, margins, level)
    pairs = pd.DataFrame({"construct": names[first], "other": names[second], "group": fit.sample.groups[k].label})
    pairs = pairs.assign(ave=ave[first], correlation=R[first, second], margin=margin)
    pairs = pairs.assign(se=np.where(np.isnan(margin), np.nan, se), ci_low=low, ci_high=high)
    pairs = pairs.assign(holds=_decided(margin > 0, margin), reason=[refused.get(name, "") for name in names[first]])
    below = np.where(np.tri(len(names), k=-1, dtype=bool), R, np.nan)
    np.fill_diagonal(below, np.sqrt(ave))
    return FornellLarcker(pairs, pd.DataFrame(below, index=names, columns=names), fit.nobs)


def _decided(holds: Array, by: Array) -> pd.Series:
    """Return whether something holds, neither true nor false where the number that decides it is undefined."""
    return pd.Series(holds, dtype="boolean").mask(np.isnan(by))


@dataclass(frozen=True)
class HeterotraitMonotrait(Listed):
    """HTMT and HTMT2 of every pair of constructs.

    ``frame`` has the columns construct, other, measure ("htmt", "htmt2"), estimate, ci_low, ci_high, undefined_draws,
    below_0.85, below_0.90, below_1 (whether the interval's upper end lies below the bound), reason.
    """

    frame: pd.DataFrame
    method: str
    level: float
    nobs: int
    dropped: int

    def table(self, measure: str = "htmt") -> pd.DataFrame:
        """Return the lower triangle of one measure."""
        mine = self.frame[self.frame["measure"] == measure]
        names = list(dict.fromkeys([*mine["construct"], *mine["other"]]))
        return mine.pivot(index="other", columns="construct", values="estimate").reindex(index=names, columns=names)


def htmt(
    data: pd.DataFrame,
    constructs: Mapping[str, Sequence[str]],
    *,
    level: float = 0.90,
    bootstrap: int = 5000,
    kind: str = "percentile",
    seed: int | None = None,
) -> HeterotraitMonotrait:
    """Compare the correlations between the items of two constructs with those within each: HTMT and HTMT2.

    HTMT divides the mean correlation across two constructs by the geometric mean of their mean correlations within;
    HTMT2 takes geometric means throughout. Both estimate the correlation of the constructs: HTMT where all items of a
    construct load equally, HTMT2 where they need not.

    Parameters
    ----------
    data : pandas.DataFrame
        One row per respondent.
    constructs : mapping of str to sequence of str
        Items of each construct; rows that miss any of them are left out and counted. More rows than items of any one
        construct must be left, not than items in all.
    level : float
        Of the two-sided interval; at .90 each comparison with a bound is a one-sided test at the 5 % level.
    bootstrap : int
        Resamples; with 0 there is no interval and nothing is tested.
    kind : {"percentile", "bc"}
        Of the interval.
    seed : int, optional
        Of the resamples.

    Notes
    -----
    Trap: semTools' ``htmt()`` gives HTMT2 unless told otherwise, and both programs call either of them "HTMT".
    Correlations enter HTMT by their absolute values, since opposite signs would cancel. A geometric mean has no meaning
    for mixed signs: HTMT2 is defined where the correlations within each construct are positive and those across share
    one sign (all negative is a construct worded the other way, and its absolute value is taken); else the reason says
    which pair breaks it. An interval needs at least 95 % of the draws to be defined.

    Raises
    ------
    ParameterError, DataError
        With fewer than two constructs, a level or number of resamples out of range, or items that are missing.

    References
    ----------
    Henseler, Ringle & Sarstedt (2015), doi:10.1007/s11747-014-0403-8; Roemer, Schuberth & Henseler (2021),
    doi:10.1108/IMDS-02-2021-0082; upper ends against the bounds: Franke & Sarstedt (2019),
    doi:10.1108/IntR-12-2017-0515.
    """
    check(level, bootstrap, kind)
    if len(constructs) < 2:
        raise ParameterError(f"discriminant validity needs at least two constructs; got {len(constructs)}.")
    items, groups = all_items(constructs), {name: list(group) for name, group in constructs.items()}
    rows, dropped = item_rows(data, items, [*groups.values()])
    member = np.array([[item in group for item in items] for group in groups.values()], dtype=float)
    R = np.corrcoef(rows.T)
    estimate = _ratios(R, member)
    low, high = np.full((2, len(estimate)), np.nan)
    undefined = np.zeros(len(estimate), dtype=int)
    if bootstrap:
        draws = draw(lambda S: _ratios(correlation(S), member), rows, bootstrap, seed)
        undefined = (~np.isfinite(draws)).sum(0)
        low, high = interval_ends(estimate, draws, level, kind)
        rare = undefined > UNDEFINED_SHARE * bootstrap
        low[rare], high[rare] = np.nan, np.nan
    pairs = [(*pair, measure) for measure in ("htmt", "htmt2") for pair in combinations(groups, 2)]
    frame = pd.DataFrame(pairs, columns=["construct", "other", "measure"])
    frame = frame.assign(estimate=estimate, ci_low=low, ci_high=high, undefined_draws=undefined)
    for flag, bound in BOUNDS.items():
        frame[flag] = _decided(high < bound, high)
    at = {item: k for k, item in enumerate(items)}
    reasons = [_why_not(R, at, {name: groups[name] for name in pair}, measure) for *pair, measure in pairs]
    for n in np.flatnonzero(np.isnan(high)) if bootstrap else ():
        lost = f"no interval: undefined in {undefined[n]} of {bootstrap} draws, whose signs are mixed"
        reasons[n] = reasons[n] or lost
    method = f"bootstrap {kind}" if bootstrap else ""
    return HeterotraitMonotrait(frame.assign(reason=reasons), method, level, len(rows), dropped)


def _ratios(R: Array, member: Array) -> Array:
    """Return HTMT of all pairs of constructs, then HTMT2, shape (..., 2 pairs), from correlations (..., p, p)."""
    size, (i, j) = member.sum(1), np.triu_indices(len(member), 1)
    off, count = R * ~np.eye(R.shape[-1], dtype=bool), np.outer(size, size) - np.diag(size)

    def means(x: Array) -> tuple[Array, Array, Array]:  # across two constructs, within the one and the other
        every = member @ x @ member.T / count
        within = np.diagonal(every, axis1=-2, axis2=-1)
        return every[..., i, j], within[..., i], within[..., j]

    with np.errstate(divide="ignore", invalid="ignore"):
        across, one, other = means(np.abs(off))
        arithmetic = across / np.sqrt(one * other)
        across, one, other = means(np.log(np.abs(R)))  # the diagonal adds log 1
        geometric = np.exp(across - (one + other) / 2)
        across, one, other = means(np.sign(off))
    alike = (one == 1) & (other == 1) & (np.abs(across) == 1)
    return np.concatenate([arithmetic, np.where(alike, geometric, np.nan)], -1)


def _why_not(R: Array, at: Mapping[str, int], pair: Mapping[str, list[str]], measure: str) -> str:
    """Return why a ratio is not defined, or nothing."""
    if alone := [name for name, group in pair.items() if len(group) < 2]:
        return f"{alone[0]} has one item: no correlation within it"
    if measure == "htmt":
        return ""
    for construct, group in pair.items():
        for a, b in combinations(group, 2):
            if R[at[a], at[b]] <= 0:
                return f"{a} and {b} of {construct} correlate negatively: no geometric mean; reverse an item first"
    one, two = pair.values()
    positive = R[np.ix_([at[a] for a in one], [at[b] for b in two])] > 0
    if positive.any() and not positive.all():
        a, b = np.argwhere(positive != (positive.mean() >= 0.5))[0]
        return f"{one[a]} and {two[b]} correlate against the sign of the rest: no geometric mean"
    return ""
