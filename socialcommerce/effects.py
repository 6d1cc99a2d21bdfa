"""Effects with their errors: contrasts, regressions on counts, and the least or largest of several effects."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf, sqrt
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from socialcommerce.errors import DataError, ParameterError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Effect", "Joint", "contrast", "largest", "least", "linear_probability", "normal"]


@dataclass(frozen=True)
class Effect:
    """An estimate, its standard error (both in one unit), observations behind it, and degrees of freedom."""

    estimate: float
    standard_error: float
    n: int
    df: float = inf

    @property
    def p_value(self) -> float:
        """Two-sided, of no effect, by Student's t."""
        from scipy.stats import t

        return float(2 * t.sf(abs(self.estimate) / self.standard_error, self.df))

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Interval of a level in (0, 1).

        >>> [round(end, 2) for end in Effect(1.0, 0.5, 100).interval()]
        [0.02, 1.98]
        """
        from scipy.stats import t

        reach = float(t.ppf((1 + level) / 2, self.df)) * self.standard_error
        return self.estimate - reach, self.estimate + reach


def contrast(cells: pd.DataFrame, weights: Mapping[object, float]) -> Effect:
    """Return a weighted sum of the means of independent cells.

    The error is that of a regression on all cells with heteroskedasticity-robust errors (HC2; MacKinnon & White 1985,
    doi:10.1016/0304-4076(85)90158-7), for which counts, sums and sums of squares suffice.

    Parameters
    ----------
    cells : pandas.DataFrame
        One row a cell, with columns ``n``, ``total`` and ``squares`` (of the outcome); n >= 2 where weighted.
    weights : mapping of cell to float
        By the index of ``cells``.

    Raises
    ------
    DataError
        When a weighted cell is missing or holds fewer than two observations.

    Examples
    --------
    >>> import pandas as pd
    >>> arms = pd.DataFrame({"n": [4, 4], "total": [1, 3], "squares": [1, 3]}, index=["control", "mail"])
    >>> effect = contrast(arms, {"mail": 1, "control": -1})
    >>> effect.estimate, round(effect.standard_error, 4)
    (0.5, 0.3536)
    """
    few = [cell for cell in weights if cell not in cells.index or cells.at[cell, "n"] < 2]
    if few:
        raise DataError(f"cells {', '.join(map(str, few))} cannot be compared; got fewer than 2 observations; "
                        "allowed: 2 or more.")
    used = cells.loc[list(weights)].assign(weight=list(weights.values())).astype(float)
    mean = used["total"] / used["n"]
    variance = (used["squares"] - used["total"] * mean) / (used["n"] - 1)
    return Effect(float(used["weight"] @ mean), sqrt(used["weight"] ** 2 @ (variance / used["n"])),
                  int(used["n"].sum()))


def linear_probability(cells: pd.DataFrame, factor: str, level: str, controls: Sequence[str] = ()) -> Effect:
    """Return how many percentage points one level of a factor adds to a rate, by least squares on cell counts.

    A linear probability model with fixed effects of the controls and heteroskedasticity-robust errors (HC1; MacKinnon &
    White 1985, doi:10.1016/0304-4076(85)90158-7), fitted by statsmodels to one row a cell and outcome with its count as
    frequency weight: the same numbers as on the single observations.

    Parameters
    ----------
    cells : pandas.DataFrame
        One row a cell, with ``n`` observations of which ``total`` had the outcome, the factor and the controls.
    factor, level : str
        A column, and the level that is compared with all others.
    controls : sequence of str
        Columns whose levels get a fixed effect each.

    Raises
    ------
    DataError
        When no cell, or every cell, is at that level.
    """
    import numpy as np
    import pandas as pd
    from statsmodels.regression.linear_model import WLS

    treated = cells[factor] == level
    if treated.all() or not treated.any():
        raise DataError(f"{factor} has nothing to compare; got {level!r} in {int(treated.sum())} of {len(cells)} "
                        "cells; allowed: two levels or more.")
    dummies = [pd.get_dummies(cells[name], drop_first=True, dtype=float) for name in controls]
    design = np.column_stack([treated, np.ones(len(cells)), *dummies]).astype(float)
    twice, count = np.vstack([design, design]), np.concatenate([cells["total"], cells["n"] - cells["total"]])
    outcome, n = np.repeat([100.0, 0.0], len(cells)), int(cells["n"].sum())
    fit = WLS(outcome, twice, weights=count).fit()
    bread = fit.normalized_cov_params[0]
    score = (twice @ bread) * fit.resid  # of the one coefficient; each observation counts once, so count is not squared
    return Effect(float(fit.params[0]), sqrt(count @ score**2 * n / (n - fit.df_model - 1)), n)


Array = np.ndarray
Intervals = Callable[[float], tuple[ArrayLike, ArrayLike]]
"""From a level in (0, 1) to the lower and the upper ends of equal-tailed intervals, one of each an effect."""


@dataclass(frozen=True)
class Joint:
    """One number about several effects, as a hypothesis test takes it.

    Attributes
    ----------
    estimate : float
        Of the least effect or of the largest absolute one.
    which : int
        The effect that gave the estimate, counted from 0.
    interval, level : (float, float), float
        Level 1 - alpha.
    equivalence_interval, equivalence_level : (float, float), float
        Level 1 - 2 alpha, for two one-sided tests.
    n : int
        Observations.
    p_value : float or None
        Two-sided, that the number is zero; None without p values of the effects.
    """

    estimate: float
    which: int
    interval: tuple[float, float]
    level: float
    equivalence_interval: tuple[float, float]
    equivalence_level: float
    n: int
    p_value: float | None = None


def least(estimates: ArrayLike, intervals: Intervals, n: int, *, alpha: float = 0.05,
          p_values: ArrayLike | None = None) -> Joint:
    """Return the least of K effects, of which a claim needs each (intersection-union: Berger & Hsu 1996).

    The interval is [min L_k, min U_k], L_k from intervals of level 1 - alpha and U_k from level 1 - alpha / K. It holds
    the least true effect with probability 1 - alpha or more, however the estimates depend on one another:

    - Let m be the effect that is truly least. min L_k exceeds it only if L_m does: probability alpha / 2 at most.
    - If min U_k = U_j is below the least effect, it is below effect j: U_j missed. Over K effects, alpha / (2 K) each,
      this has probability alpha / 2 at most.

    Parameters
    ----------
    estimates : array, shape (K,)
        In one unit.
    intervals : callable
        From a level to lower and upper ends, shape (K,) each: bootstrap percentiles, normal intervals.
    n : int
        Observations.
    alpha : float
        Of the two-sided interval, in (0, 0.5).
    p_values : array, shape (K,), optional
        Two-sided, of each effect. With p the one-sided p values of "not above zero", q those of "not below zero", the
        least has p value min(1, 2 max p, 2 K min q): the interval excludes zero exactly when it is below alpha.

    Raises
    ------
    ParameterError, DataError
        For another alpha, or an estimate that is no finite number.

    References
    ----------
    Berger & Hsu (1996), doi:10.1214/ss/1032280304.

    Examples
    --------
    >>> found = least([0.3, 0.2], normal([0.3, 0.2], [0.1, 0.05]), 100, p_values=[0.0027, 0.0001])
    >>> found.estimate, [round(end, 3) for end in found.interval], round(found.p_value, 4)
    (0.2, [0.102, 0.312], 0.0027)
    """
    e = _estimates(estimates, alpha)

    def interval(alpha: float) -> tuple[float, float]:
        return float(np.min(intervals(1 - alpha)[0])), float(np.min(intervals(1 - alpha / len(e))[1]))

    p_value = None
    if p_values is not None:
        p = np.asarray(p_values, dtype=float)
        above = np.where(e > 0, p / 2, 1 - p / 2)
        p_value = float(min(1.0, 2 * above.max(), 2 * len(e) * (1 - above).min()))
    return _joint(e, int(e.argmin()), interval, n, alpha, p_value)


def largest(estimates: ArrayLike, intervals: Intervals, n: int, *, alpha: float = 0.05,
            p_values: ArrayLike | None = None) -> Joint:
    """Return the largest absolute value of K effects: that each is small is claimed by its upper end.

    An interval [L, U] of an effect bounds its absolute value between max(L, -U, 0) and max(-L, U). The interval of the
    largest is [max of the lower bounds at level 1 - alpha / (2 K), max of the upper bounds at level 1 - alpha]. It
    holds the largest true one with probability 1 - alpha or more, however the estimates depend on one another:

    - If a lower bound exceeds the largest absolute effect it exceeds that of its own effect: this interval missed.
      Over K effects, alpha / (2 K) each, both tails counted, this has probability alpha / 2 at most.
    - Let m be the effect that is truly largest. If all upper bounds are below it, so is that of m: its interval ended
      before it on one side, probability alpha / 2 at most.

    The estimate is biased away from zero where the effects are small against their errors; the interval allows for it.

    Parameters
    ----------
    estimates, intervals, n, alpha
        As of :func:`least`.
    p_values : array, shape (K,), optional
        Two-sided, of each effect; that all are zero then has p value min(1, K min p) (Bonferroni).

    Examples
    --------
    >>> found = largest([0.3, -0.4], normal([0.3, -0.4], [0.1, 0.1]), 100)
    >>> round(found.estimate, 3), [round(end, 3) for end in found.interval]
    (0.4, [0.15, 0.596])
    """
    e = _estimates(estimates, alpha)

    def interval(alpha: float) -> tuple[float, float]:
        low, high = map(np.asarray, intervals(1 - alpha / (2 * len(e))))
        bound = max(0.0, float(np.max([low, -high])))
        low, high = map(np.asarray, intervals(1 - alpha))
        return bound, float(np.max([-low, high]))

    p_value = None if p_values is None else float(min(1.0, len(e) * np.min(p_values)))
    return _joint(np.abs(e), int(np.abs(e).argmax()), interval, n, alpha, p_value)


def normal(estimates: ArrayLike, standard_errors: ArrayLike) -> Intervals:
    """Return normal intervals as a function of their level.

    >>> low, high = normal([1.0], [0.5])(0.95)
    >>> [round(float(end), 2) for end in (low[0], high[0])]
    [0.02, 1.98]
    """
    from scipy.special import ndtri

    e, se = np.asarray(estimates, dtype=float), np.asarray(standard_errors, dtype=float)
    return lambda level: (e - ndtri((1 + level) / 2) * se, e + ndtri((1 + level) / 2) * se)


def _estimates(estimates: ArrayLike, alpha: float) -> Array:
    if not 0 < alpha < 0.5:
        raise ParameterError(f"alpha is {alpha!r}; allowed: a number between 0 and 0.5.")
    e = np.asarray(estimates, dtype=float)
    if e.ndim != 1 or not len(e) or not np.isfinite(e).all():
        raise DataError(f"the effects to compare are {e.tolist()}; allowed: one finite number or more, in a row.")
    return e


def _joint(e: Array, which: int, interval: Callable[[float], tuple[float, float]], n: int, alpha: float,
           p_value: float | None) -> Joint:
    return Joint(float(e[which]), which, interval(alpha), 1 - alpha, interval(2 * alpha), 1 - 2 * alpha, n, p_value)
