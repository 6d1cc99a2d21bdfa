"""What single items and their correlation matrix say before any model: descriptives, KMO, Bartlett's sphericity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from semfit.columns import correlation, numbers
from semfit.errors import DataError, ParameterError, UnknownNameError
from semfit.psychometrics.resampling import check, draw, intervals, item_rows

__all__ = ["Factorability", "describe", "factorability"]

Array = np.ndarray


def describe(
    data: pd.DataFrame,
    items: Sequence[str],
    *,
    scale: tuple[float, float] | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Return one line per item, each from all rows that hold it.

    Parameters
    ----------
    data : pandas.DataFrame
        One row per respondent.
    items : sequence of str
        Columns.
    scale : (lowest, highest), optional
        The ends of the answer scale, for floor and ceiling; by default each item's observed extremes.
    level : float
        Of the mean's interval, in (0, 1).

    Returns
    -------
    DataFrame
        item, n, missing, mean, ci_low, ci_high (of the mean, Student's t), sd, skew and kurtosis (bias-corrected, the
        latter in excess of the normal's), floor and ceiling (shares of answers at the ends of the scale), reason (why
        something is not defined).

    Examples
    --------
    >>> describe(pd.DataFrame({"q1": [1, 1, 2, 5]}), ["q1"], scale=(1, 5))[["mean", "floor", "ceiling"]].values.tolist()
    [[2.25, 0.5, 0.25]]
    """
    check(level)
    for name in items:
        if name not in data.columns:
            raise UnknownNameError("item", name, map(str, data.columns))
    columns = {name: pd.Series(numbers(data, name)) for name in items}
    lines = []
    for name, values in columns.items():
        x = values.dropna()
        low, high = (x.min(), x.max()) if scale is None else scale
        if len(x) and (x.min() < low or x.max() > high):
            k = int(np.argmax(((values < low) | (values > high)).to_numpy()))
            raise DataError(f"item {name}, row {k + 1} is {values.iloc[k]:g}; the scale runs from {low:g} to {high:g}.")
        half = stats.t.ppf((1 + level) / 2, len(x) - 1) * x.sem() if len(x) > 1 else np.nan
        varies = x.nunique() > 1
        lines.append(
            {
                "item": name,
                "n": len(x),
                "missing": len(values) - len(x),
                "mean": x.mean(),
                "ci_low": x.mean() - half,
                "ci_high": x.mean() + half,
                "sd": x.std(),
                "skew": x.skew() if varies else np.nan,
                "kurtosis": x.kurt() if varies else np.nan,
                "floor": (x == low).mean(),
                "ceiling": (x == high).mean(),
                "reason": "" if varies else f"{name} is constant or empty: it has no shape",
            }
        )
    return pd.DataFrame(lines)


@dataclass(frozen=True)
class Factorability:
    """Whether a correlation matrix has something in common to factor.

    ``kmo`` has a line for all items together (item "overall") and one each: item, estimate, ci_low, ci_high. Bartlett's
    statistic tests the null hypothesis that the items are uncorrelated; ``determinant`` is the correlation matrix's.
    """

    kmo: pd.DataFrame
    chisq: float
    df: int
    pvalue: float
    determinant: float
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
    level : float
        Of the intervals, in (0, 1).
    bootstrap : int
        Resamples for the intervals of KMO; without them the ends are nan.
    kind : {"percentile", "bc"}
        Of the bootstrap intervals.
    seed : int, optional
        Of the resamples.

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
    ends = (np.full(p + 1, np.nan),) * 2
    if bootstrap:
        ends = intervals(estimate, draw(_kmo, rows, bootstrap, seed), kind, level)
    frame = pd.DataFrame({"item": ["overall", *items], "estimate": estimate, "ci_low": ends[0], "ci_high": ends[1]})
    sign, log = np.linalg.slogdet(correlation(S))
    chisq, df = -(N - 1 - (2 * p + 5) / 6) * log, p * (p - 1) // 2
    return Factorability(
        frame, float(chisq), df, float(stats.chi2.sf(chisq, df)), float(sign * np.exp(log)), N, dropped
    )


def _kmo(S: Array) -> Array:
    """Return KMO overall and by item, shape (..., p + 1)."""
    R, off = correlation(S), ~np.eye(S.shape[-1], dtype=bool)
    Q = correlation(np.linalg.inv(R)) ** 2 * off
    r, q = (R**2 * off).sum(-1), Q.sum(-1)
    overall = r.sum(-1) / (r.sum(-1) + q.sum(-1))
    return np.concatenate([overall[..., None], r / (r + q)], -1)
