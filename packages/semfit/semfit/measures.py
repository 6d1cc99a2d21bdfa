"""Fit measures under lavaan's names, from the test statistics of the model and of the baseline.

Those of incomplete data depend on how much is missing, and are corrected for it (FIML-C). Of ordered items SRMR and GFI
are those of correlations.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from math import log, pi, sqrt

import numpy as np
from scipy import linalg, special, stats

from semfit import robust
from semfit.estimate import Likelihood, discrepancy, weights
from semfit.inference import Covariance, TestStatistic
from semfit.least_squares import LeastSquares, pairs
from semfit.missing import Expectation, Patterns
from semfit.model import Array, Block, attempt
from semfit.moments import GroupSample, Sample
from semfit.solved import Solved


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
    rfi = _ratio(xb / dfb - x / df, xb / dfb) if df > 0 and dfb > 0 else 1.0
    return _cfi_and_tli(x - df, df, xb - dfb, dfb) | {
        "nfi": _ratio(xb - x, xb),
        "rfi": rfi,
        "ifi": _ratio(xb - x, xb - df),
        "rni": 1.0 - _ratio(x - df, xb - dfb),
    }


def robust_indices(test: TestStatistic, base: TestStatistic, nobs: int, groups: int) -> dict[str, float]:
    """Return cfi.robust, tli.robust and rmsea.robust, its interval and its p-value of close fit.

    They estimate the population values of CFI, TLI and RMSEA, which the scaled forms do not. The statistics are
    mean-scaled ones of complete data, or those of ``corrected``.

    References
    ----------
    Brosseau-Liard, Savalei & Li (2012), doi:10.1080/00273171.2012.715252; Brosseau-Liard & Savalei (2014),
    doi:10.1080/00273171.2014.933697; incomplete data: Zhang & Savalei (2023), doi:10.1037/met0000445.
    """
    over, base_over = test.chisq - test.factor * test.df, base.chisq - base.factor * base.df
    found = _cfi_and_tli(over, test.df, base_over, base.df)
    found |= rmsea(test.scaled, test.df, nobs, groups, inflation=test.factor)
    return {f"{name}.robust": value for name, value in found.items()}


def _cfi_and_tli(over: float, df: float, over_base: float, df_base: float) -> dict[str, float]:
    """Return both from what chi2 of model and baseline exceeds its degrees of freedom by; nan where that is unknown."""
    worst = max(over, over_base, 0.0)
    tli = 1.0 - _ratio(over * df_base, over_base * df) if df > 0 else 1.0
    return {"cfi": 1.0 - (0.0 if worst == 0 else max(over, 0.0) / worst), "tli": tli}


def _ratio(top: float, bottom: float) -> float:
    return top / bottom if bottom else np.nan


def rmsea(chisq: float, df: float, nobs: float, groups: int, *, inflation: float = 1.0) -> dict[str, float]:
    """Return the root mean square error of approximation, its interval and the p-value of close fit.

    The interval covers 90 %. Null hypothesis of ``rmsea.pvalue``: RMSEA <= 0.05. ``inflation`` is what a scaled
    ``chisq`` was divided by, where the index of the unscaled one is wanted.

    References
    ----------
    Browne & Cudeck (1992), doi:10.1177/0049124192021002005; groups: Steiger (1998), doi:10.1080/10705519809540115.

    Examples
    --------
    >>> round(rmsea(85.30552, 24, 301, 1)["rmsea"], 6)
    0.092121
    """
    rmsea, lower, upper, pvalue = 0.0, 0.0, 0.0, np.nan
    if not np.isfinite([chisq, df, inflation]).all():
        rmsea = lower = upper = np.nan
    elif df > 0:
        scale = sqrt(groups * inflation / (nobs * df))
        rmsea = sqrt(max(chisq - df, 0.0)) * scale
        lower, upper = (sqrt(noncentrality(chisq, df, p)) * scale for p in (0.95, 0.05))
        pvalue = 1 - special.chndtr(chisq, df, (0.05 / scale) ** 2)
        if not pvalue > 1e-6:  # where the difference loses digits; slower
            pvalue = stats.ncx2.sf(chisq, df, (0.05 / scale) ** 2)
    return {"rmsea": rmsea, "rmsea.ci.lower": lower, "rmsea.ci.upper": upper, "rmsea.pvalue": float(pvalue)}


def noncentrality(chisq: float, df: float, probability: float) -> float:
    """Return the noncentrality at which ``chisq`` is the quantile of that probability; zero where there is none."""
    if chisq > 1e9:  # where the distribution function gives out: Venables (1975), JRSS B 37, 406-412, to rounding
        z = float(stats.norm.isf(probability))
        return chisq - df + 1 + z * sqrt(2 * (2 * chisq - df + 2)) + z**2
    return float(special.chndtrinc(chisq, df, probability)) if special.chdtr(df, chisq) > probability else 0.0


def likelihood_measures(fit: Solved) -> dict[str, float]:
    """Return log likelihoods and information criteria; what fixed covariates have for themselves is not the model's."""
    N, at = fit.nobs, [fit.sample.names.index(name) for name in fit.table.fixed_covariates]
    constant = 0.0
    for group in fit.sample.groups:
        fixed = len(at) * (log(2 * pi) + 1) + np.linalg.slogdet(group.covariance[np.ix_(at, at)])[1]
        cells = float(group.patterns.nobs @ group.patterns.mask.sum(1))
        constant += (group.nobs * fixed - cells * log(2 * pi)) / 2
    logl = constant - N * float(fit.solution.value)
    return {
        "logl": logl,
        "unrestricted.logl": constant - N * fit.saturated,
        "aic": -2 * logl + 2 * fit.npar,
        "bic": -2 * logl + fit.npar * log(N),
        "bic2": -2 * logl + fit.npar * log((N + 2) / 24),
        "ntotal": float(N),
    }


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


def corrected(
    problem: Likelihood, sample: Sample, theta: Array, basis: Array, df: int, nonnormal: bool
) -> TestStatistic:
    """Return the statistic the model would have on complete data, with the scaling that makes CFI and RMSEA honest.

    With W the observed information of the saturated moments, C theirs on complete data, J the outer product of their
    scores and U = W - W D (D' W D)^-1 D' W the part of W that the model's derivatives D leave, the statistic is the
    complete-data discrepancy of the saturated estimates at the incomplete-data solution, its expectation
    tr(W^-1 C W^-1 U), and for non-normal data tr(U W^-1 C W^-1 U W^-1 J W^-1).

    Parameters
    ----------
    theta : array, shape (q,)
        The estimates from incomplete data.
    basis : array, shape (q, d)
        Directions that constraints leave free.
    df : int
        Degrees of freedom.
    nonnormal : bool
        Allow for non-normality too (MLR).

    Returns
    -------
    TestStatistic
        ``scaling`` is the expectation over ``df``.

    References
    ----------
    Zhang & Savalei (2023), doi:10.1037/met0000445.
    """
    if df <= 0:
        return TestStatistic(0.0, df, 1.0)
    shares = [group.patterns.nobs.sum() / sample.nobs for group in sample.groups]
    D = [one @ basis for one in robust.moments_jacobian(problem, theta)]

    def among(matrices: Sequence[Array], before: Sequence[Array] | None = None) -> Array:
        total = np.zeros((basis.shape[1], basis.shape[1]))
        for k, (share, one, d) in enumerate(zip(shares, matrices, D, strict=True)):
            moved = np.flatnonzero(d.any(0))  # by the parameters of this group
            d = d[:, moved]
            total[np.ix_(moved, moved)] += share * (d if before is None else before[k] @ d).T @ (one @ d)
        return total

    # D (D' W D)^-1 D' is all the parameters take away, so that no product but W^-1 C is of moments by moments
    parts = [_information(*one, nonnormal) for one in zip(problem.blocks, sample.groups, strict=True)]
    W, C, WC, J, traces = zip(*parts, strict=True)
    M = np.linalg.inv(among(W))
    expected = sum(traces)
    if nonnormal:
        expected += np.trace(M @ among(C) @ M @ among(J)) - 2 * np.trace(M @ among(J, before=WC))
    else:
        expected -= np.trace(M @ among(C))
    chisq = 0.0
    for block, group, base in zip(problem.blocks, sample.groups, problem.bases, strict=True):
        whole, implied = _whole(group), block.implied(theta, base)
        least = np.linalg.slogdet(group.covariance)[1] + len(group.mean)
        chisq += float(discrepancy(whole, *weights(whole, *implied.observed(block.observed))) - whole.nobs[0] * least)
    return TestStatistic(chisq, df, float(expected) / df if expected > 0 else np.nan)


def _whole(group: GroupSample) -> Patterns:
    return Patterns.whole(group.patterns.nobs.sum(), group.covariance, group.mean)


def _information(block: Block, group: GroupSample, nonnormal: bool) -> tuple[Array, Array, Array, Array | None, float]:
    """Return, of the saturated moments, W, C, W^-1 C, J (non-normal data only) and tr(W^-1 C W^-1 J) or tr(W^-1 C)."""
    full = robust.saturated_block(block)
    key = ("corrected", full.means, full.exogenous, nonnormal)
    if key not in group.known:
        W = robust.saturated_information(full, group)
        C = robust.information(full, _whole(group), group.covariance, group.mean, observed=True)
        WC = np.linalg.solve(W, C)
        J = robust.saturated_products(full, group) if nonnormal else None
        trace = float(np.sum(WC.T * robust.saturated_solution(full, group)) if nonnormal else np.trace(WC))
        group.known[key] = W, C, WC, J, trace
    return group.known[key]


def ordinal_residual_measures(problem: LeastSquares, sample: Sample, theta: Array, df: int) -> dict[str, float]:
    """Return SRMR of the correlations, and GFI and AGFI with the weights of the fit: means over groups by size."""
    N, srmr, gfi = sum(problem.counts), 0.0, 0.0
    for k, (block, base, n) in enumerate(zip(problem.blocks, problem.bases, problem.counts, strict=True)):
        gap = sample.groups[k].covariance - block.correlations(theta, base)
        srmr += n / N * sqrt((gap[np.tril_indices(len(gap))] ** 2).mean())
        w, s = problem.weights[k], problem.statistics[k]
        gfi += n / N * (1 - (w * problem.residual(theta, k) ** 2).sum() / (w * s**2).sum())
    moments = sum(map(len, problem.statistics))
    return {"srmr": srmr, "gfi": gfi, "agfi": 1 - moments / df * (1 - gfi) if df > 0 else 1.0}


def ordinal_robust_measures(
    problem: LeastSquares, sample: Sample, theta: Array, curvature: Covariance, df: int
) -> dict[str, float]:
    """Return cfi.robust, tli.robust and rmsea.robust with its interval and p-value.

    They estimate what CFI, TLI and RMSEA would be had the responses themselves been fitted by maximum likelihood: the
    likelihood discrepancy of the correlations at the least-squares estimates, corrected by its expectation under the
    model. Defined where thresholds are unrestricted and every group's correlation matrix is positive definite; empty
    otherwise.

    Returns
    -------
    dict

    References
    ----------
    Savalei (2021), doi:10.1080/00273171.2020.1717922.
    """
    cuts = np.vstack([block.cuts for block in problem.blocks]) @ curvature.basis
    definite = all(np.linalg.eigvalsh(g.covariance).min() > 1e-8 for g in sample.groups)
    if df <= 0 or not definite or np.linalg.matrix_rank(cuts) < len(cuts):
        return {}
    chisq, base, scaling, base_scaling = _discrepancies(problem, sample, theta, curvature.inverse, df)
    test = TestStatistic(chisq, df, scaling)
    null = TestStatistic(base, sum(len(pairs(len(g.covariance))[0]) for g in sample.groups), base_scaling)
    groups, divisor = len(sample.groups), sample.nobs - len(sample.groups)
    return robust_indices(test, null, divisor, groups)


def _discrepancies(
    problem: LeastSquares, sample: Sample, theta: Array, inverse_hessian: Array, df: int
) -> tuple[float, float, float, float]:
    """Return the likelihood's chi2 of model and baseline, and what each is expected to be per degree of freedom."""
    chisq, base, J, W, V, gamma = 0.0, 0.0, [], [], [], []
    for k, (block, own, n) in enumerate(zip(problem.blocks, problem.bases, problem.counts, strict=True)):
        t, share, S = len(block.item), n / sample.nobs, sample.groups[k].covariance
        R = block.correlations(theta, own)
        inner, logdet = attempt(np.linalg.inv, R), np.linalg.slogdet(S)[1]
        chisq += n * (np.sum(inner * S) - len(S) + np.linalg.slogdet(R)[1] - logdet)
        base -= n * logdet
        J.append(problem.jacobian(theta, k)[t:])
        W.append(share * problem.weights[k][t:])
        i, j = pairs(len(inner))  # V is the normal-theory weight
        V.append(share * (inner[np.ix_(i, i)] * inner[np.ix_(j, j)] + inner[np.ix_(i, j)] * inner[np.ix_(j, i)]))
        gamma.append(problem.gammas[k][t:, t:] / share)
    D, V, G = np.vstack(J), linalg.block_diag(*V), linalg.block_diag(*gamma)
    moving = D.any(0)  # thresholds do not move correlations
    D, inverse_hessian = D[:, moving], inverse_hessian[np.ix_(moving, moving)]
    B = inverse_hessian @ (D.T * np.concatenate(W))  # the fit leaves I - D B of the correlations' errors
    BG, VD = B @ G, V @ D
    expected = np.sum(V * G) - 2 * np.sum(BG * VD.T) + np.sum((BG @ B.T) * (D.T @ VD))
    own = sum(n / sample.nobs * np.trace(g) for n, g in zip(problem.counts, gamma, strict=True))
    return float(chisq), float(base), float(expected) / df, float(own) / len(D)
