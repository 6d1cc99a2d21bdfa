"""How much of a summed scale's variance its construct accounts for: alpha from the items, omega from a fitted model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.stats import f as f_distribution

from semfit.columns import correlation
from semfit.psychometrics.resampling import casewise_errors, check, draw, intervals, item_rows, wald

Array = np.ndarray


@dataclass(frozen=True)
class Alpha:
    """Cronbach's alpha of a scale.

    Parameters
    ----------
    intervals : DataFrame
        measure ("alpha", "alpha_standardized"), method ("feldt", "adf", "bootstrap percentile" or "bootstrap bc"),
        estimate, se, ci_low, ci_high.
    by_item : DataFrame
        item, alpha_if_deleted and item_rest (correlation with the sum of the others), each with a distribution-free
        interval ``*_low``, ``*_high``.
    nobs, dropped : int
        Complete rows, and incomplete ones that were left out.
    warnings : tuple of str
        Items that seem keyed the other way.
    reason : str
        Why alpha is not defined; empty where it is.
    """

    intervals: pd.DataFrame
    by_item: pd.DataFrame
    nobs: int
    dropped: int
    warnings: tuple[str, ...] = field(default=())
    reason: str = ""

    @property
    def estimate(self) -> float:
        """Alpha of the raw items."""
        return float(self.intervals["estimate"].iloc[0])

    def summary(self) -> pd.DataFrame:
        """Return the intervals, with counts and reason."""
        return self.intervals.assign(nobs=self.nobs, dropped=self.dropped, reason=self.reason)


def alpha(
    data: pd.DataFrame,
    items: Sequence[str],
    *,
    level: float = 0.95,
    bootstrap: int = 0,
    kind: str = "bc",
    seed: int | None = None,
) -> Alpha:
    """Return Cronbach's alpha, raw and standardised, with intervals, and what each item does to it.

    alpha = k / (k - 1) (1 - sum of variances / variance of the sum); the standardised one is that of the correlations.
    It is reliability where all items measure one thing equally well (tau-equivalence) with unrelated errors.

    Parameters
    ----------
    data : DataFrame
        One row per respondent; rows with a missing item are left out and counted.
    items : sequence of str
        All worded in the same direction.
    level : float
        Of the intervals, in (0, 1).
    bootstrap : int
        Resamples; 0 leaves the bootstrap interval out.
    kind : {"bc", "percentile"}
        Of the bootstrap interval.
    seed : int, optional
        Of the resamples.

    Notes
    -----
    Feldt's interval is exact for normal items that are parallel; the distribution-free one needs neither, but larger
    samples. With one item alpha is not defined: the result says so in ``reason``.

    References
    ----------
    Cronbach (1951), doi:10.1007/BF02310555; Feldt (1965), doi:10.1007/BF02289499; Maydeu-Olivares, Coffman & Hartmann
    (2007), doi:10.1037/1082-989X.12.2.157.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> trait = rng.standard_normal(400)
    >>> answers = pd.DataFrame({f"q{k}": trait + rng.standard_normal(400) for k in (1, 2, 3)})
    >>> found = alpha(answers, ["q1", "q2", "q3"])
    >>> round(found.estimate, 2), found.intervals["method"].tolist()
    (0.69, ['feldt', 'adf', 'adf'])
    """
    check(level, bootstrap, kind)
    rows, dropped = item_rows(data, items)
    items = list(items)
    N, k = rows.shape
    if k < 2:
        return _undefined(items, N, dropped)
    estimate = _parts(np.cov(rows.T))
    with np.errstate(invalid="ignore", divide="ignore"):
        se = casewise_errors(_parts, rows)
    low, high = wald(estimate, se, level)
    lines = [("alpha", "feldt", estimate[0], np.nan, *feldt(estimate[0], N, k, level))]
    names = ("alpha", "alpha_standardized")
    lines += [(name, "adf", estimate[j], se[j], low[j], high[j]) for j, name in enumerate(names)]
    if bootstrap:
        draws = draw(lambda S: _parts(S)[..., :2], rows, bootstrap, seed)
        ends = intervals(estimate[:2], draws, kind, level)
        spread = np.nanstd(draws, axis=0, ddof=1)
        lines += [
            (name, f"bootstrap {kind}", estimate[j], spread[j], ends[0][j], ends[1][j]) for j, name in enumerate(names)
        ]
    frame = pd.DataFrame(lines, columns=["measure", "method", "estimate", "se", "ci_low", "ci_high"])
    by_item = pd.DataFrame({"item": items})
    for name, at in (("alpha_if_deleted", slice(2, 2 + k)), ("item_rest", slice(2 + k, None))):
        by_item = by_item.assign(**{name: estimate[at], f"{name}_low": low[at], f"{name}_high": high[at]})
    negative = by_item.loc[by_item["item_rest"] < 0, "item"]
    warnings = tuple(
        f"{name} goes against the other items: reverse it first if it is worded the other way." for name in negative
    )
    return Alpha(frame, by_item, N, dropped, warnings)


def _undefined(items: list[str], nobs: int, dropped: int) -> Alpha:
    lines = [(name, "", *[np.nan] * 4) for name in ("alpha", "alpha_standardized")]
    frame = pd.DataFrame(lines, columns=["measure", "method", "estimate", "se", "ci_low", "ci_high"])
    names = [name + end for name in ("alpha_if_deleted", "item_rest") for end in ("", "_low", "_high")]
    by_item = pd.DataFrame({"item": items} | dict.fromkeys(names, np.nan))
    return Alpha(frame, by_item, nobs, dropped, reason="one item: alpha needs at least two")


def alpha_of(S: Array) -> Array:
    """Return alpha of covariance matrices, shape (...)."""
    k = S.shape[-1]
    return k / (k - 1) * (1 - np.trace(S, axis1=-2, axis2=-1) / S.sum((-2, -1)))


def _parts(S: Array) -> Array:
    """Return alpha, standardised alpha, alpha without each item, correlation of each item with the others' sum."""
    variance, k = np.diagonal(S, axis1=-2, axis2=-1), S.shape[-1]
    with_rest = S.sum(-1) - variance
    rest = S.sum((-2, -1))[..., None] - 2 * with_rest - variance  # variance of the sum of the others
    others = variance.sum(-1)[..., None] - variance
    without = (k - 1) / (k - 2) * (1 - others / rest) if k > 2 else np.full_like(rest, np.nan)
    whole = np.stack([alpha_of(S), alpha_of(correlation(S))], -1)
    return np.concatenate([whole, without, with_rest / np.sqrt(variance * rest)], -1)


def feldt(estimate: float, nobs: int, items: int, level: float = 0.95) -> tuple[float, float]:
    """Return Feldt's interval: (1 - alpha) / (1 - estimate) has an F distribution with N - 1 and (N - 1)(k - 1) df.

    Examples
    --------
    >>> [round(end, 3) for end in feldt(0.85, 89, 7)]
    [0.797, 0.893]
    """
    tails = np.array([(1 + level) / 2, (1 - level) / 2])
    quantiles = f_distribution.ppf(tails, nobs - 1, (nobs - 1) * (items - 1))
    low, high = 1 - (1 - estimate) * quantiles
    return float(low), float(high)
