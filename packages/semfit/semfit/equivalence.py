"""Equivalence testing of fit: the largest misfit the data do not rule out, beside cut-offs on the same scale."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
import pandas as pd

from semfit.errors import ParameterError
from semfit.inference import TestStatistic
from semfit.measures import noncentrality
from semfit.result import SemFit

CONVENTIONAL = {"excellent": (0.01, 0.99), "close": (0.05, 0.95), "fair": (0.08, 0.92), "mediocre": (0.10, 0.90)}


@dataclass(frozen=True)
class Equivalence:
    """What is left of RMSEA and CFI when the test has to show that the misfit is small.

    Parameters
    ----------
    rmsea, cfi : float
        T-size: with confidence 1 - ``alpha`` the population's RMSEA is at most, its CFI at least this.
    cutoffs : pandas.DataFrame
        By verdict: the conventional cut-offs of RMSEA and CFI, and what they become for T-size values (``rmsea_t``,
        ``cfi_t``) with this many degrees of freedom and observations and this baseline.
    alpha : float
        Level of the test.
    """

    rmsea: float
    cfi: float
    cutoffs: pd.DataFrame
    alpha: float

    @property
    def rmsea_verdict(self) -> str:
        """The best verdict whose cut-off the T-size RMSEA stays under; "poor" if none."""
        return next((name for name, cut in self.cutoffs["rmsea_t"].items() if self.rmsea <= cut), "poor")

    @property
    def cfi_verdict(self) -> str:
        """The best verdict whose cut-off the T-size CFI reaches; "poor" if none."""
        return next((name for name, cut in self.cutoffs["cfi_t"].items() if self.cfi >= cut), "poor")


def equivalence(fit: SemFit, *, alpha: float = 0.05) -> Equivalence:
    """Test that the misfit is small, where the usual test rests on not rejecting that it is none.

    The null hypothesis is that the misfit exceeds some size; the T-size is the smallest size at which it is rejected.
    With d(p) the noncentrality under which the model's chi2 has cumulative probability p, and d0(p) the baseline's,
    T-size RMSEA = sqrt(d(alpha) G / (df N)) and T-size CFI = 1 - d(alpha / 2) / d0(1 - alpha / 2). An adjusted
    cut-off is the T-size value of a fit whose conventional index stands exactly at the conventional cut-off.

    Parameters
    ----------
    fit : SemFit
        Converged and identified, with degrees of freedom; by ML, MLM or MLR. The latter two, and incomplete data, enter
        by the statistics of their robust indices.
    alpha : float
        Level of the test, in (0, 0.5).

    Returns
    -------
    Equivalence

    Raises
    ------
    ParameterError
        Where the fit has no such statistic.

    Notes
    -----
    The noncentralities are exact. The authors approximate the cut-offs by regressions on N, df and the number of
    variables; those of RMSEA agree with the exact ones within about 0.003, those of CFI average over baselines.

    References
    ----------
    Yuan, Chan, Marcoulides & Bentler (2016), doi:10.1080/10705511.2015.1065414; verdicts: Marcoulides & Yuan (2017),
    doi:10.1080/10705511.2016.1225260.

    Examples
    --------
    >>> import semfit
    >>> data = semfit.simulate("f =~ 0.7*a + 0.7*b + 0.7*c + 0.7*d; f ~~ 1*f; "
    ...                     "a ~~ 0.5*a; b ~~ 0.5*b; c ~~ 0.5*c; d ~~ 0.5*d", 400, seed=1)
    >>> found = equivalence(semfit.fit("f =~ a + b + c + d", data))
    >>> bool(found.rmsea >= 0), list(found.cutoffs)
    (True, ['rmsea', 'rmsea_t', 'cfi', 'cfi_t'])
    """
    if not 0 < alpha < 0.5:
        raise ParameterError(f"alpha is {alpha!r}; the level of the test lies between 0 and 0.5.")
    if fit.ordinal or not (fit.converged and fit.identified) or fit.test.df <= 0:
        raise ParameterError(
            f"equivalence of a fit by {fit.estimator} with {fit.test.df} degrees of freedom; it takes a solution by "
            "ML, MLM or MLR with at least one."
        )
    test, base = fit.index_statistics
    if not all(np.isfinite(one.factor) for one in (test, base)):
        raise ParameterError("the scaled test of this fit does not exist, so its T-size does not; use estimator 'ML'.")
    unit = fit.table.groups / (test.df * fit.nobs)
    least = _noncentrality(base, 1 - alpha / 2)

    def rmsea(one: TestStatistic) -> float:
        return sqrt(_noncentrality(one, alpha) * unit)

    def cfi(one: TestStatistic) -> float:
        most = _noncentrality(one, alpha / 2)
        return 1 - most / max(most, least) if most > 0 else 1.0

    rows = {}
    for name, (r, c) in CONVENTIONAL.items():
        over = max(base.chisq - base.factor * base.df, 0.0)
        rows[name] = (r, rmsea(_at(test, r**2 / unit)), c, cfi(_at(test, (1 - c) * over)))
    cutoffs = pd.DataFrame.from_dict(rows, orient="index", columns=["rmsea", "rmsea_t", "cfi", "cfi_t"])
    return Equivalence(rmsea(test), cfi(test), cutoffs, alpha)


def _noncentrality(test: TestStatistic, probability: float) -> float:
    """Return the noncentrality of the unscaled statistic."""
    return test.factor * noncentrality(test.scaled, test.df, probability)


def _at(test: TestStatistic, misfit: float) -> TestStatistic:
    """Return the statistic whose estimated noncentrality is ``misfit``."""
    return TestStatistic(misfit + test.factor * test.df, test.df, test.scaling)
