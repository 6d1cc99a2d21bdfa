"""Correct the fit indices of incomplete data, which otherwise depend on how much is missing (FIML-C)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from semfit import robust
from semfit.estimate import Likelihood, Problem, discrepancy, weights
from semfit.inference import TestStatistic
from semfit.missing import Patterns
from semfit.model import Block
from semfit.moments import GroupSample, Sample
from semfit.saturated import information
from semfit.solved import Solved

Array = np.ndarray


def statistics(fit: Solved, problem: Likelihood) -> tuple[TestStatistic, TestStatistic]:
    """Return the corrected statistics of a fit, whose problem this is, and of its baseline."""
    nonnormal, (base, theta) = fit.test.scaling is not None, robust.baseline(problem, fit.sample)
    parts = _parts(problem, fit.sample, nonnormal)
    return (
        corrected(problem, fit.sample, fit.theta, fit.curvature.basis, fit.test.df, nonnormal, parts),
        corrected(base, fit.sample, theta, np.eye(len(theta)), fit.baseline.df, nonnormal, parts),
    )


def corrected(
    problem: Likelihood,
    sample: Sample,
    theta: Array,
    basis: Array,
    df: int,
    nonnormal: bool,
    parts: Sequence[tuple] | None = None,
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
    parts : sequence of tuples, optional
        W, C, W^-1 C, J and what of the expectation is free of the model by group, where they are known already.

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
    parts = _parts(problem, sample, nonnormal) if parts is None else parts
    shares = [group.patterns.nobs.sum() / sample.nobs for group in sample.groups]
    D = [one @ basis for one in moments_jacobian(problem, theta)]

    def among(matrices: Sequence[Array], before: Sequence[Array] | None = None) -> Array:
        total = np.zeros((basis.shape[1], basis.shape[1]))
        for k, (share, one, d) in enumerate(zip(shares, matrices, D, strict=True)):
            moved = np.flatnonzero(d.any(0))  # by the parameters of this group
            d = d[:, moved]
            total[np.ix_(moved, moved)] += share * (d if before is None else before[k] @ d).T @ (one @ d)
        return total

    # D (D' W D)^-1 D' is all the parameters take away, so that no product but W^-1 C is of moments by moments
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


def _parts(problem: Likelihood, sample: Sample, nonnormal: bool) -> list[tuple]:
    return [_information(*one, nonnormal) for one in zip(problem.blocks, sample.groups, strict=True)]


def _whole(group: GroupSample) -> Patterns:
    return Patterns.whole(group.patterns.nobs.sum(), group.covariance, group.mean)


def _information(block: Block, group: GroupSample, nonnormal: bool) -> tuple[Array, Array, Array, Array | None, float]:
    """Return, of the saturated moments, W, C, W^-1 C, J (non-normal data only) and tr(W^-1 C W^-1 J) or tr(W^-1 C)."""
    full = robust.saturated_block(block)
    key = ("corrected", full.means, full.exogenous, nonnormal)
    if key not in group.known:
        W = robust.saturated_information(full, group)
        C = information(full, _whole(group), group.covariance, group.mean, observed=True)
        WC = np.linalg.solve(W, C)
        J = robust.saturated_products(full, group) if nonnormal else None
        trace = float(np.sum(WC.T * robust.saturated_solution(full, group)) if nonnormal else np.trace(WC))
        group.known[key] = W, C, WC, J, trace
    return group.known[key]


def moments_jacobian(problem: Problem, theta: Array) -> list[Array]:
    """Return the derivatives of each group's implied moments, in the order of its saturated model, shape (m, q)."""
    out = []
    for block, base in zip(problem.blocks, problem.bases, strict=True):
        full, R = robust.saturated_block(block), block.columns(block.implied(theta, base))
        one, other = R[full.row], R[full.column]  # a mean is the moment of its variable and the constant
        cells = one[:, block.row] * other[:, block.v] + one[:, block.v] * other[:, block.row]
        out.append(block.collect(cells * block.c, problem.q))
    return out
