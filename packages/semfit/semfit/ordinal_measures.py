"""Fit measures of models of ordered items: SRMR and GFI of correlations, and the robust CFI, TLI and RMSEA."""

from __future__ import annotations

from math import sqrt

import numpy as np
from scipy import linalg

from semfit import measures
from semfit.inference import Covariance, TestStatistic
from semfit.least_squares import LeastSquares, pairs
from semfit.model import attempt
from semfit.moments import Sample

Array = np.ndarray


def residual_measures(problem: LeastSquares, sample: Sample, theta: Array, df: int) -> dict[str, float]:
    """Return SRMR of the correlations, and GFI and AGFI with the weights of the fit: means over groups by size."""
    N, srmr, gfi = sum(problem.counts), 0.0, 0.0
    for k, (block, base, n) in enumerate(zip(problem.blocks, problem.bases, problem.counts, strict=True)):
        gap = sample.groups[k].covariance - block.correlations(theta, base)
        srmr += n / N * sqrt((gap[np.tril_indices(len(gap))] ** 2).mean())
        w, s = problem.weights[k], problem.statistics[k]
        gfi += n / N * (1 - (w * problem.residual(theta, k) ** 2).sum() / (w * s**2).sum())
    moments = sum(map(len, problem.statistics))
    return {"srmr": srmr, "gfi": gfi, "agfi": 1 - moments / df * (1 - gfi) if df > 0 else 1.0}


def robust_measures(
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
    interval = measures.rmsea(test.scaled, df, divisor / scaling, groups)
    return measures.robust_indices(test, null, divisor, groups) | {
        "rmsea.ci.lower.robust": interval["rmsea.ci.lower"],
        "rmsea.ci.upper.robust": interval["rmsea.ci.upper"],
        "rmsea.pvalue.robust": interval["rmsea.pvalue"],
    }


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
