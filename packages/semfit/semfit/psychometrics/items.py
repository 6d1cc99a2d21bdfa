"""What a correlation matrix of items says before any model: KMO, Bartlett's sphericity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from semfit.columns import correlation
from semfit.errors import ParameterError
from semfit.psychometrics.resampling import check, draw, intervals, item_rows

Array = np.ndarray


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
    ends = (np.full(p + 1, np.nan),) * 2
    if bootstrap:
        ends = intervals(estimate, draw(_kmo, rows, bootstrap, seed), kind, level)
    frame = pd.DataFrame({"item": ["overall", *items], "estimate": estimate, "ci_low": ends[0], "ci_high": ends[1]})
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
