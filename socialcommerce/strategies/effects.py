"""An effect with its standard error: contrasts of cell means, and regressions on cell counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf, sqrt
from typing import TYPE_CHECKING

from socialcommerce.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Effect", "contrast", "linear_probability"]


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
