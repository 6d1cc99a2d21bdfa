"""Power without simulation: noncentral chi-square distributions of RMSEA and of a model known to be wrong."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import optimize, stats

from semfit.checks import probability
from semfit.errors import ParameterError
from semfit.power import population_fit


def rmsea_power(
    df: int,
    nobs: float | Sequence[float],
    *,
    null: float = 0.05,
    true: float = 0.08,
    alpha: float = 0.05,
    groups: int = 1,
) -> np.ndarray:
    """Return the power to reject a model, or to accept it, by its RMSEA.

    Null hypothesis: RMSEA <= ``null`` where ``true`` is larger (a test of close fit; of exact fit with 0), and
    RMSEA >= ``null`` where ``true`` is smaller (a test of not-close fit, whose rejection speaks for the model).

    Parameters
    ----------
    df : int
        Degrees of freedom of the model, at least 1.
    nobs : float or sequence of float
        Observations in all groups, N; the noncentrality is (N - 1) df RMSEA^2 / groups, as in the source.
    null, true : float
        RMSEA, not negative, different.
    alpha : float
        Level of the test, in (0, 1).
    groups : int
        Number of groups.

    Returns
    -------
    array, of the shape of ``nobs``

    Raises
    ------
    ParameterError
        Where a number lies outside its range.

    References
    ----------
    MacCallum, Browne & Sugawara (1996), doi:10.1037/1082-989X.1.2.130.

    Examples
    --------
    >>> rmsea_power(100, [100, 200]).round(3).tolist()
    [0.65, 0.955]
    """
    if df < 1 or min(null, true) < 0 or null == true or not 0 < alpha < 1:
        raise ParameterError(
            f"df={df!r}, null={null!r}, true={true!r}, alpha={alpha!r}; df is at least 1, both RMSEA are not negative "
            "and differ, alpha is a probability between 0 and 1."
        )
    scale = (np.asarray(nobs, dtype=float) - 1) * df / groups
    upper = true > null
    critical = stats.ncx2.ppf(1 - alpha if upper else alpha, df, scale * null**2)
    below = stats.ncx2.cdf(critical, df, scale * true**2)
    return 1 - below if upper else below


def rmsea_sample_size(
    df: int, *, power: float = 0.80, null: float = 0.05, true: float = 0.08, alpha: float = 0.05, groups: int = 1
) -> int:
    """Return the smallest number of observations with which ``rmsea_power`` reaches a power.

    Parameters
    ----------
    power : float
        Wanted, between ``alpha`` and 1.

    Other parameters are those of :func:`rmsea_power`.

    Raises
    ------
    ParameterError
        Where a number lies outside its range.

    Examples
    --------
    >>> rmsea_sample_size(100)
    132
    """
    if not alpha < power < 1:
        raise ParameterError(f"power is a probability between alpha = {alpha!r} and 1; got {power!r}.")

    def gap(nobs: float) -> float:
        return float(rmsea_power(df, nobs, null=null, true=true, alpha=alpha, groups=groups)) - power

    high = 10.0
    while gap(high) < 0:
        high *= 2
    return int(np.ceil(optimize.brentq(gap, 2.0, high, xtol=1e-6)))


def chisq_power(population: str, model: str, nobs: Sequence[int], *, alpha: float = 0.05) -> pd.DataFrame:
    """Return the power of the chi-square test to reject a wrong model, by sample size.

    The model is fitted to the population's own moments; N times twice the discrepancy left is the noncentrality. With a
    model that is right but for one parameter held at zero, this is the power of the test of that parameter.

    Parameters
    ----------
    population : str
        The model that holds, with a number before every variable.
    model : str
        The model that is tested, by ML.
    nobs : sequence of int
        Sample sizes.
    alpha : float
        Level of the test, in (0, 1).

    Returns
    -------
    pandas.DataFrame
        nobs, df, noncentrality, rmsea (of the population) and power.

    Raises
    ------
    ParameterError
        Where the population lacks a number or a variable, or the model has no solution or no degrees of freedom.

    References
    ----------
    Satorra & Saris (1985), doi:10.1007/BF02294150.

    Examples
    --------
    >>> table = chisq_power("y ~ 0.3*x; x ~~ 1*x; y ~~ 0.91*y", "y ~ 0*x", [50, 100])
    >>> table["power"].round(2).tolist()
    [0.58, 0.87]
    """
    test = population_fit(population, model).test
    probability("alpha", alpha)
    if test.df < 1:
        raise ParameterError("the model has no degrees of freedom; nothing can reject it.")
    noncentrality = np.asarray(nobs, dtype=float) * max(test.chisq, 0.0)
    below = stats.ncx2.cdf(stats.chi2.ppf(1 - alpha, test.df), test.df, noncentrality)
    rmsea = np.sqrt(max(test.chisq, 0.0) / test.df)
    return pd.DataFrame(
        {"nobs": list(nobs), "df": test.df, "noncentrality": noncentrality, "rmsea": rmsea, "power": 1 - below}
    )
