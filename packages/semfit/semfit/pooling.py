"""Pool fits to multiply imputed data: estimates by Rubin's rules, the test of fit by D2 and D3."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Unpack

import numpy as np
import pandas as pd
from scipy import stats

from semfit.errors import ParameterError
from semfit.fit import fit as fit_one
from semfit.result import LEVEL, SemFit
from semfit.solved import FitOptions


@dataclass(frozen=True)
class Pooled:
    """One model fitted to several completed versions of the same data.

    Parameters
    ----------
    fits : tuple of SemFit
        One per imputation, all converged and identified.
    """

    fits: tuple[SemFit, ...]

    @cached_property
    def estimates(self) -> pd.DataFrame:
        """One line per parameter: est, se, t, df, pvalue, ci_low, ci_high, riv, fmi and std_all.

        With W the mean squared standard error, B the variance of the m estimates and T = W + (1 + 1/m) B: se = sqrt(T),
        riv = (1 + 1/m) B / W the relative increase of variance, df = (m - 1) (1 + 1/riv)^2, and fmi = (riv + 2 / (df +
        3)) / (1 + riv) the fraction of missing information. Rubin (1987), doi:10.1002/9780470316696.
        """
        m = len(self.fits)
        est, within = np.array([f.values for f in self.fits]), np.array([f.errors for f in self.fits]) ** 2
        mean, W, B = est.mean(0), within.mean(0), (1 + 1 / m) * est.var(0, ddof=1)
        free = within.max(0) > 0
        with np.errstate(divide="ignore", invalid="ignore"):
            riv = np.where(free, B / W, np.nan)
            df = np.where(free, (m - 1) * (1 + 1 / riv) ** 2, np.nan)
            se = np.where(free, np.sqrt(W + B), 0.0)
            t = mean / np.where(free, se, np.nan)
            fmi = (riv + 2 / (df + 3)) / (1 + riv)
        half = np.where(free, stats.t.ppf((1 + LEVEL) / 2, df) * se, 0.0)
        return self.fits[0].estimates[["lhs", "op", "rhs", "label", "group"]].assign(
            est=mean, se=se, t=t, df=df, pvalue=2 * stats.t.sf(np.abs(t), df), ci_low=mean - half, ci_high=mean + half,
            riv=riv, fmi=fmi, std_all=np.mean([f.estimates["std_all"] for f in self.fits], axis=0),
        )  # fmt: skip

    @cached_property
    def tests(self) -> pd.DataFrame:
        """The pooled test of fit: F, df1, df2, pvalue and riv of D2 and, for ML, of D3.

        D2 needs the m statistics alone and wastes power; MLM, MLR, and WLSMV enter it by their scaled ones. With r =
        (1 + 1/m) times the variance of their square roots, D2 = (mean / df - r (m + 1) / (m - 1)) / (1 + r), an F with
        df and df^(-3/m) (m - 1) (1 + 1/r)^2 degrees of freedom. Li, Meng, Raghunathan & Rubin (1991), Statistica Sinica
        1, 65-92.

        D3 weighs the likelihoods at the pooled estimates. With r = (m + 1) / (df (m - 1)) times the difference of the
        statistics' means, D3 = mean at the pooled estimates / (df (1 + r)), an F with df and v degrees of freedom; with
        t = df (m - 1), v = 4 + (t - 4) (1 + (1 - 2/t) / r)^2 where t > 4, else t (1 + 1/df) (1 + 1/r)^2 / 2. Meng &
        Rubin (1992), doi:10.1093/biomet/79.1.103.
        """
        df = self.fits[0].test.df
        columns = ["F", "df1", "df2", "pvalue", "riv"]
        if df <= 0:
            return pd.DataFrame(columns=columns, dtype=float)
        rows = {"D2": d2([f.test.scaled for f in self.fits], df)}
        if self.fits[0].estimator == "ML" and not any(f.sample.missing for f in self.fits):
            rows["D3"] = d3([f.test.chisq for f in self.fits], self._at_pooled(), df)
        return pd.DataFrame.from_dict(rows, orient="index", columns=columns)

    def _at_pooled(self) -> list[float]:
        """Return each imputation's chi2 with model and saturated moments held at their pooled estimates."""
        theta = np.mean([f.theta for f in self.fits], axis=0)
        groups = range(len(self.fits[0].sample.groups))
        mean = [np.mean([f.sample.groups[k].mean for f in self.fits], axis=0) for k in groups]
        covariance = [np.mean([f.sample.groups[k].covariance for f in self.fits], axis=0) for k in groups]
        out = []
        for one in self.fits:
            free = 0.0
            for g, m, C in zip(one.sample.groups, mean, covariance, strict=True):
                W = np.linalg.inv(C)
                gap = g.mean - m if one.table.means else np.zeros(len(m))
                free += g.nobs * (np.linalg.slogdet(C)[1] + np.sum(W * g.covariance) + gap @ W @ gap)
            out.append(2 * one.nobs * float(one.problem.value(theta)) - free)
        return out

    def summary(self) -> str:
        """Return the pooled test and estimates as text."""
        first, frame = self.fits[0], self.estimates.drop(columns=["label"])
        head = f"{first.estimator}, {len(self.fits)} imputations of {first.nobs} observations (Rubin's rules)"
        text = partial(pd.DataFrame.to_string, float_format="{:.3f}".format)
        return f"{head}\n\n{text(self.tests)}\n\n{text(frame, index=False)}"


def d2(statistics: Sequence[float], df: int) -> tuple[float, int, float, float, float]:
    """Pool statistics of m imputations: F, its two degrees of freedom, p value and r of ``Pooled.tests``."""
    m = len(statistics)
    r = (1 + 1 / m) * float(np.var(np.sqrt(np.maximum(statistics, 0.0)), ddof=1))
    F = (float(np.mean(statistics)) / df - (m + 1) / (m - 1) * r) / (1 + r)
    nu = df ** (-3 / m) * (m - 1) * (1 + 1 / r) ** 2 if r > 0 else np.inf
    return max(F, 0.0), df, nu, _tail(max(F, 0.0), df, nu), r


def d3(statistics: Sequence[float], at_pooled: Sequence[float], df: int) -> tuple[float, int, float, float, float]:
    """Pool likelihood-ratio statistics with those at the pooled estimates; as ``d2``."""
    m = len(statistics)
    low = float(np.mean(at_pooled))
    r = max((m + 1) / (df * (m - 1)) * (float(np.mean(statistics)) - low), 0.0)
    t = df * (m - 1)
    if r == 0:
        nu = np.inf
    else:
        nu = 4 + (t - 4) * (1 + (1 - 2 / t) / r) ** 2 if t > 4 else t * (1 + 1 / df) * (1 + 1 / r) ** 2 / 2
    F = max(low, 0.0) / (df * (1 + r))
    return F, df, nu, _tail(F, df, nu), r


def _tail(F: float, df: int, nu: float) -> float:
    return float(stats.f.sf(F, df, nu) if np.isfinite(nu) else stats.chi2.sf(F * df, df))


def pool(fits: Sequence[SemFit]) -> Pooled:
    """Pool fits of one model to multiply imputed data.

    Parameters
    ----------
    fits : sequence of SemFit
        One per imputation, two or more, by the same call.

    Raises
    ------
    ParameterError
        Where there are fewer than two, they differ in model or rows, or one has no solution.

    References
    ----------
    Rubin (1987), doi:10.1002/9780470316696; Li, Meng, Raghunathan & Rubin (1991), Statistica Sinica 1, 65-92; Meng &
    Rubin (1992), doi:10.1093/biomet/79.1.103.
    """
    fits = tuple(fits)
    if len(fits) < 2 or not all(isinstance(one, SemFit) for one in fits):
        raise ParameterError(f"pool takes two or more fits, one per imputation; got {len(fits)}.")

    def call(one: SemFit) -> tuple:
        return one.table.rows, [*one.table.defined], one.estimator, one.nobs

    for k, one in enumerate(fits, start=1):
        if call(one) != call(fits[0]):
            raise ParameterError(
                f"fit {k} has another model, estimator or number of rows than the first; all must agree."
            )
        if not (one.converged and one.identified):
            raise ParameterError(f"fit {k} has no solution to pool: {' '.join(one.problems)}")
    return Pooled(fits)


def fit_imputed(model: str, frames: Sequence[pd.DataFrame], **options: Unpack[FitOptions]) -> Pooled:
    """Fit a model to every completed data set and pool the fits.

    Parameters
    ----------
    model : str
        In lavaan's language.
    frames : sequence of pandas.DataFrame
        The imputations, two or more, with the same rows and columns.
    **options
        Of :func:`semfit.fit`.

    Returns
    -------
    Pooled

    Raises
    ------
    ParameterError
        Where the frames are no sequence of two or more, or a fit has no solution; and what ``semfit.fit`` raises.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> rng = np.random.default_rng(1)
    >>> x = rng.standard_normal(200)
    >>> frames = [pd.DataFrame({"x": x, "y": x + rng.standard_normal(200)}) for _ in range(5)]
    >>> bool(fit_imputed("y ~ x", frames).estimates["fmi"].iloc[0] > 0)
    True
    """
    if isinstance(frames, pd.DataFrame):
        raise ParameterError("frames is a sequence of DataFrames, one per imputation; got one DataFrame.")
    return pool([fit_one(model, frame, **options) for frame in frames])
