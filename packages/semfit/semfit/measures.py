"""Fit measures under lavaan's names, from the test statistics of the model and of the baseline."""

from __future__ import annotations

from functools import partial
from math import log, pi, sqrt

import numpy as np
from scipy import special, stats

from semfit.estimate import Likelihood
from semfit.inference import TestStatistic
from semfit.missing import Expectation
from semfit.moments import Sample

Array = np.ndarray


def comparative(test: TestStatistic, base: TestStatistic) -> dict[str, float]:
    """Return the measures that compare the model with the baseline; scaled and robust forms where the test is scaled.

    References
    ----------
    Bentler (1990), doi:10.1037/0033-2909.107.2.238; Tucker & Lewis (1973), doi:10.1007/BF02291170; robust forms:
    Brosseau-Liard & Savalei (2014), doi:10.1080/00273171.2014.933697.
    """
    out = _comparative(test.chisq, test.df, base.chisq, base.df)
    if test.scaling is not None:
        scaled = _comparative(test.scaled, test.df, base.scaled, base.df)
        out |= {f"{name}.scaled": value for name, value in scaled.items()}
    return out


def _comparative(x: float, df: float, xb: float, dfb: float) -> dict[str, float]:
    over, over_base = max(x - df, 0.0), max(x - df, xb - dfb, 0.0)
    nnfi = _ratio((x - df) * dfb, (xb - dfb) * df)
    rfi = _ratio(xb / dfb - x / df, xb / dfb) if df > 0 and dfb > 0 else 1.0
    return {
        "cfi": 1.0 - _misfit(over, over_base),
        "tli": 1.0 - nnfi if df > 0 else 1.0,
        "nfi": _ratio(xb - x, xb),
        "rfi": rfi,
        "ifi": _ratio(xb - x, xb - df),
        "rni": 1.0 - _ratio(x - df, xb - dfb),
    }


def robust_indices(test: TestStatistic, base: TestStatistic, nobs: int, groups: int) -> dict[str, float]:
    """Return cfi.robust, tli.robust and rmsea.robust, its interval and its p-value of close fit.

    They estimate the population values of CFI, TLI and RMSEA, which the scaled forms do not. The statistics are
    mean-scaled ones of complete data, or those of ``incomplete.corrected``.

    References
    ----------
    Brosseau-Liard, Savalei & Li (2012), doi:10.1080/00273171.2012.715252; Brosseau-Liard & Savalei (2014),
    doi:10.1080/00273171.2014.933697; incomplete data: Zhang & Savalei (2023), doi:10.1037/met0000445.
    """
    over, base_over = test.chisq - test.factor * test.df, base.chisq - base.factor * base.df
    top, bottom = max(over, 0.0), max(over, base_over, 0.0)
    tli = 1.0 - _ratio(over * base.df, base_over * test.df) if test.df > 0 else 1.0
    return {
        "cfi.robust": 1.0 - _misfit(top, bottom),
        "tli.robust": tli,
        **{f"{k}.robust": v for k, v in rmsea(test.scaled, test.df, nobs, groups, inflation=test.factor).items()},
    }


def _misfit(over: float, over_base: float) -> float:
    """Return the ratio of what both exceed their degrees of freedom by; zero where neither does, nan where unknown."""
    return 0.0 if over_base == 0 else over / over_base


def _ratio(top: float, bottom: float) -> float:
    return top / bottom if bottom else np.nan


def rmsea(
    chisq: float,
    df: float,
    nobs: float,
    groups: int,
    *,
    inflation: float = 1.0,
    close: float = 0.05,
    level: float = 0.90,
) -> dict[str, float]:
    """Return the root mean square error of approximation, its interval and the p-value of close fit.

    Null hypothesis of ``rmsea.pvalue``: RMSEA <= ``close``. ``inflation`` is what a scaled ``chisq`` was divided by,
    where the index of the unscaled one is wanted.

    References
    ----------
    Browne & Cudeck (1992), doi:10.1177/0049124192021002005; groups: Steiger (1998), doi:10.1080/10705519809540115.

    Examples
    --------
    >>> round(rmsea(85.30552, 24, 301, 1)["rmsea"], 6)
    0.092121
    """
    if not np.isfinite([chisq, df, inflation]).all():
        return dict.fromkeys(("rmsea", "rmsea.ci.lower", "rmsea.ci.upper", "rmsea.pvalue"), np.nan)
    if df <= 0:
        return {"rmsea": 0.0, "rmsea.ci.lower": 0.0, "rmsea.ci.upper": 0.0, "rmsea.pvalue": np.nan}
    scale = sqrt(groups * inflation / (nobs * df))
    tail = (1 - level) / 2
    lower, upper = (sqrt(noncentrality(chisq, df, p)) * scale for p in (1 - tail, tail))
    pvalue = 1 - special.chndtr(chisq, df, (close / scale) ** 2)
    if not pvalue > 1e-6:  # where the difference loses digits; slower
        pvalue = stats.ncx2.sf(chisq, df, (close / scale) ** 2)
    return {
        "rmsea": sqrt(max(chisq - df, 0.0)) * scale,
        "rmsea.ci.lower": lower,
        "rmsea.ci.upper": upper,
        "rmsea.pvalue": float(pvalue),
    }


def noncentrality(chisq: float, df: float, probability: float) -> float:
    """Return the noncentrality at which ``chisq`` is the quantile of that probability; zero where there is none."""
    if chisq > 1e9:  # where the distribution function gives out: Venables (1975), JRSS B 37, 406-412, to rounding
        z = float(stats.norm.isf(probability))
        return chisq - df + 1 + z * sqrt(2 * (2 * chisq - df + 2)) + z**2
    return float(special.chndtrinc(chisq, df, probability)) if special.chdtr(df, chisq) > probability else 0.0


def likelihood_measures(value: float, saturated: float, sample: Sample, npar: int, fixed: float) -> dict[str, float]:
    """Return log likelihoods and information criteria.

    Parameters
    ----------
    value, saturated : float
        The discrepancies f of the model and of the saturated model.
    fixed : float
        Log likelihood of fixed covariates alone, which is not the model's.
    """
    N = sample.nobs
    cells = sum(float(g.patterns.nobs @ g.patterns.mask.sum(1)) for g in sample.groups)
    constant = -cells / 2 * log(2 * pi) - fixed
    logl = constant - N * value
    return {
        "logl": logl,
        "unrestricted.logl": constant - N * saturated,
        "aic": -2 * logl + 2 * npar,
        "bic": -2 * logl + npar * log(N),
        "bic2": -2 * logl + npar * log((N + 2) / 24),
        "ntotal": float(N),
    }


def covariates_logl(sample: Sample, fixed: tuple[str, ...]) -> float:
    """Return the normal log likelihood of the fixed covariates at their own moments."""
    at = [sample.names.index(name) for name in fixed]
    total = 0.0
    for group in sample.groups if at else ():
        logdet = np.linalg.slogdet(group.covariance[np.ix_(at, at)])[1]
        total -= group.nobs / 2 * (len(at) * (log(2 * pi) + 1) + logdet)
    return total


def residual_measures(problem: Likelihood, sample: Sample, theta: Array, df: int) -> dict[str, float]:
    """Return SRMR, GFI and AGFI: means over groups weighted by their size.

    The GFI of a group is 1 - e' W e / s' W s, with s the (saturated) moments, e what the model leaves of them and W the
    normal-theory weight at the implied covariances, averaged over the patterns of missing values; moments of fixed
    covariates among themselves do not count.
    """
    srmr = gfi = 0.0 if sample.settled else np.nan
    moments = 0
    for block, group, (Sigma, mean, found) in zip(problem.blocks, sample.groups, problem.points(theta), strict=True):
        p, share, S = block.observed, group.patterns.nobs.sum() / sample.nobs, group.covariance
        scale = np.sqrt(np.diag(S))
        parts = ((S - Sigma) / np.outer(scale, scale))[np.tril_indices(p)] ** 2
        counted = np.ones((p, p))
        for path, i, j in block.exogenous:
            if not path:
                counted[i, j] = counted[j, i] = 0.0
        gap = own = np.zeros(p)
        if block.means:
            gap, own = group.mean - mean, np.diag(counted) * group.mean
            parts = np.concatenate([parts, (gap / scale) ** 2])
        length = found.length if isinstance(found, Expectation) else partial(_length, found, group.patterns.nobs)
        e, s = length((S - Sigma) * counted, gap), length(S * counted, own)
        moments += len(parts)
        srmr, gfi = srmr + share * sqrt(parts.mean()), gfi + share * (1 - e / s)
    return {"srmr": srmr, "gfi": gfi, "agfi": 1 - moments / df * (1 - gfi) if df > 0 else 1.0}


def _length(W: Array, nobs: Array, D: Array, d: Array) -> float:
    """Return sum over patterns of n (tr(W D W D) / 2 + d' W d)."""
    product = W @ D
    return float(nobs @ ((product * product.swapaxes(1, 2)).sum((1, 2)) / 2 + (W @ d) @ d))
