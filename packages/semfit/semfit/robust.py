"""Casewise scores of a fitted model, and what rests on them: sandwich standard errors and scaled test statistics."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from semfit.estimate import Likelihood, Problem, weights
from semfit.inference import TestStatistic
from semfit.missing import Expectation, MissingPatterns
from semfit.model import Array, Block, Implied, bordered, moments_block
from semfit.moments import GroupSample, Sample
from semfit.saturated import information, products

SLICE = 16_384  # rows


def casewise_scores(block: Block, group: GroupSample, theta: Array, base: tuple[Array, Array], q: int) -> Array:
    """Return the derivatives of each row's log likelihood with respect to the free parameters, shape (rows, q)."""
    implied, (rows, of) = block.implied(theta, base), group.raw
    if isinstance(group.patterns, MissingPatterns):
        p = block.observed
        point = Expectation.at(group.patterns, implied.covariance[:p, :p], implied.mean[:p])
        return block.collect(point.scores(block, implied, rows, of), q)
    W, _, _ = weights(group.patterns, *implied.observed(block.observed))
    R = block.columns(implied)
    centre = implied.mean[: block.observed] if block.means else group.mean
    out = np.zeros((len(rows), q))
    for k in range(len(group.patterns.nobs)):
        mine = of == k
        y = np.where(group.patterns.mask[k], rows[mine] - centre, 0.0)
        P, V = _projected(block, y, W[k], R)
        Q = R.T @ V @ R
        out[mine] = block.collect(block.c * (P[:, block.row] * P[:, block.v] - Q[block.row, block.v]), q)
    return out


def _projected(block: Block, y: Array, W: Array, R: Array) -> tuple[Array, Array]:
    """Return (y, 1) V R and V, with V the weight bordered for the constant."""
    if block.means:
        y, W = np.column_stack([y, np.ones(len(y))]), bordered(W, np.zeros(block.observed))
    return y @ W @ R, W


def influence(block: Block, group: GroupSample, theta: Array, base: tuple[Array, Array], q: int) -> Array:
    """Return what each complete row's deviation from the sample moments adds to the gradient, shape (rows, q); mean
    zero.

    Where covariates are fixed, what they predict of a row is not random and is taken out.
    """
    implied = block.implied(theta, base)
    W = np.linalg.inv(implied.covariance[: block.observed, : block.observed])
    R, out = block.columns(implied), np.zeros(())
    for y, sign in zip(_random_and_fixed(block, group), (1, -1), strict=False):
        P, _ = _projected(block, y, W, R)
        out = out + sign * P[:, block.row] * P[:, block.v]
    return block.collect(block.c * (out - out.mean(0)), q)


def _random_and_fixed(block: Block, group: GroupSample) -> tuple[Array, ...]:
    """Return the rows about their mean and, with fixed covariates, what these predict of them."""
    y = group.raw[0] - group.mean
    fixed = sorted({i for path, i, _ in block.exogenous if not path})
    if not fixed:
        return (y,)
    return y, y[:, fixed] @ np.linalg.lstsq(y[:, fixed], y, rcond=None)[0]


def outer(group: GroupSample, scores: Callable[[GroupSample], Array]) -> Array:
    """Return the sum of the outer products of the rows' scores, or of what the rows of a cluster sum to.

    Sampling weights multiply the scores. With G clusters the sum is multiplied by G / (G - 1). Of many rows the scores
    are there a slice at a time.
    """
    total, clusters = np.zeros(()), 0
    for part in slices(group):
        own = scores(part)
        if part.weights is not None:
            own = own * part.weights[:, None]
        if part.clusters is not None:
            order = np.argsort(part.clusters, kind="stable")
            first = np.flatnonzero(np.diff(part.clusters[order], prepend=-1))
            own = np.add.reduceat(own[order], first, axis=0)
            clusters += len(own)
        total = total + own.T @ own
    return total * (clusters / (clusters - 1)) if clusters else total


def slices(group: GroupSample) -> Iterator[GroupSample]:
    """Yield a group by slices of rows; those of a cluster stay together."""
    rows, of = group.raw
    if len(rows) <= SLICE:
        yield group
        return
    order, edges = np.arange(len(rows)), np.arange(0, len(rows), SLICE)
    if group.clusters is not None:
        order = np.argsort(group.clusters, kind="stable")
        first = np.flatnonzero(np.diff(group.clusters[order], prepend=-1))
        edges = np.unique(first[np.searchsorted(first, edges, side="right") - 1])
    for mine in np.split(order, edges[1:]):
        weight, cluster = (None if x is None else x[mine] for x in (group.weights, group.clusters))
        yield replace(group, rows=rows[mine], pattern_of=of[mine], weights=weight, clusters=cluster)


def meat(problem: Problem, sample: Sample, theta: Array, estimator: str = "MLR") -> Array:
    """Return the mean outer product of ``casewise_scores`` (Huber-White), for MLM ``influence`` (Satorra-Bentler)."""
    scores = influence if estimator == "MLM" else casewise_scores
    total = np.zeros((problem.q, problem.q))
    for block, group, base in zip(problem.blocks, sample.groups, problem.bases, strict=True):
        own, place = np.unique(block.theta, return_inverse=True)  # a group's rows tell nothing of other groups' own
        alone = partial(scores, replace(block, theta=place), theta=theta[own], base=base, q=len(own))
        if scores is influence:  # its mean is taken out, so all rows at once
            rows = alone(group)
            found = rows.T @ rows
        else:
            found = outer(group, alone)
        total[np.ix_(own, own)] += found
    return total / sample.nobs


def scaled(
    test: TestStatistic, problem: Problem, sample: Sample, theta: Array, inverse: Array, middle: Array, estimator: str
) -> TestStatistic:
    """Return the test with its scaling factor tr(U Gamma) / df at given parameters; nan where a small sample makes it
    negative or where there is no unrestricted model.

    ``inverse`` is that of the information per observation, in the directions that constraints leave free, and
    ``middle`` the ``meat``.
    """
    if test.df <= 0:
        return test
    if not sample.settled:
        return replace(test, scaling=np.nan)
    trace = saturated_trace(problem, sample, theta, estimator) - float(np.trace(inverse @ middle))
    return replace(test, scaling=trace / test.df if trace > 0 else np.nan)


def saturated_trace(problem: Problem, sample: Sample, theta: Array, estimator: str) -> float:
    """Return the trace of the saturated model, from which ``scaled`` takes what the parameters account for.

    For MLM tr(W Gamma), with W the normal-theory weight at the model's parameters (Satorra & Bentler 1994, in von Eye &
    Clogg, eds, Latent variables analysis, 399-419). For MLR tr(B A^-1), with A the observed information and B the outer
    product of the scores (Yuan & Bentler 2000, doi:10.1111/0081-1750.00078; Asparouhov & Muthén 2005, Multivariate
    statistical modeling with survey data).
    """
    total = 0.0
    for block, group, base in zip(problem.blocks, sample.groups, problem.bases, strict=True):
        full = saturated_block(block)
        if estimator == "MLM":
            total += _normal_trace(block, group, block.implied(theta, base))
        elif group.clusters is None and not full.exogenous and len(group.patterns.nobs) == 1:
            total += _complete_trace(full, group)
        else:
            total += float(np.trace(saturated_solution(full, group)))
    return total


def _normal_trace(block: Block, group: GroupSample, implied: Implied) -> float:
    """Return tr(W Gamma); the fourth moments never appear as a matrix.

    With d_i = y_i' Sigma^-1 y_i about the sample mean it is mean(d) + (mean(d^2) - tr(Sigma^-1 S Sigma^-1 S)) / 2, the
    first term only where means are modelled.
    """
    W = np.linalg.inv(implied.covariance[: block.observed, : block.observed])
    y, *predicted = _random_and_fixed(block, group)
    fixed = predicted[0] if predicted else np.zeros_like(y)
    own, given, both = ((a @ W * b).sum(1) for a, b in ((y, y), (fixed, fixed), (y, fixed)))
    T = W @ (y.T @ y - fixed.T @ fixed) / len(y)
    first = float((own - given).mean()) if block.means else 0.0
    return first + float(np.mean(own**2 + given**2 - 2 * both**2) - np.sum(T * T.T)) / 2


def _complete_trace(full: Block, group: GroupSample) -> float:
    """Return it for complete rows, by their squared distances d from the mean: w^2 (d + (d^2 - 2 d + p) / 2)."""
    y, weight = group.raw[0] - group.mean, 1.0 if group.weights is None else group.weights
    d = (y @ np.linalg.inv(group.covariance) * y).sum(1)
    each = weight**2 * (d * full.means + (d**2 - 2 * d + full.observed) / 2)
    return float(each.sum() / group.patterns.nobs.sum())


def saturated_information(full: Block, group: GroupSample) -> Array:
    """Return the observed information of the saturated moments; kept with the group."""
    key = ("information", full.means, full.exogenous)
    if key not in group.known:
        group.known[key] = information(full, group.patterns, group.covariance, group.mean, observed=True)
    return group.known[key]


def saturated_products(full: Block, group: GroupSample) -> Array:
    """Return the mean outer product of the scores of the saturated moments; kept with the group."""
    key, single = ("products", full.means, full.exogenous), group.weights is None and group.clusters is None
    if key not in group.known:
        if single and (isinstance(group.patterns, MissingPatterns) or len(group.patterns.nobs) == 1):
            total = products(full, group)
        else:
            theta, base = moments_theta(full, group), full.base(group.covariance, group.mean)
            total = outer(group, lambda part: casewise_scores(full, part, theta, base, len(theta)))
        group.known[key] = total / group.patterns.nobs.sum()
    return group.known[key]


def saturated_solution(full: Block, group: GroupSample) -> Array:
    """Return A^-1 B of the two; kept with the group."""
    key = ("solution", full.means, full.exogenous)
    if key not in group.known:
        group.known[key] = np.linalg.solve(saturated_information(full, group), saturated_products(full, group))
    return group.known[key]


def saturated_block(block: Block) -> Block:
    """Return the model in which every mean and covariance is a parameter, save those of fixed covariates."""
    return moments_block(block, *np.tril_indices(block.observed))


def moments_jacobian(problem: Problem, theta: Array) -> list[Array]:
    """Return the derivatives of each group's implied moments, in the order of its saturated model, shape (m, q)."""
    out = []
    for block, base in zip(problem.blocks, problem.bases, strict=True):
        full, R = saturated_block(block), block.columns(block.implied(theta, base))
        one, other = R[full.row], R[full.column]  # a mean is the moment of its variable and the constant
        cells = one[:, block.row] * other[:, block.v] + one[:, block.v] * other[:, block.row]
        out.append(block.collect(cells * block.c, problem.q))
    return out


def baseline(problem: Likelihood, sample: Sample) -> tuple[Likelihood, Array]:
    """Return the model of uncorrelated variables, every group with parameters of its own, and its estimates.

    Fixed covariates keep their correlations.
    """
    parts, thetas, at = [], [], 0
    for block, group in zip(problem.blocks, sample.groups, strict=True):
        i = np.arange(block.observed)
        one = moments_block(block, i, i)
        thetas.append(moments_theta(one, group))
        parts.append(replace(one, theta=one.theta + at))
        at += len(one.theta)
    bases = tuple(b.base(g.covariance, g.mean) for b, g in zip(parts, sample.groups, strict=True))
    return Likelihood(tuple(parts), problem.patterns, bases, at), np.concatenate(thetas)


def moments_theta(full: Block, group: GroupSample) -> Array:
    """Return the saturated moments that stand in the free cells of a saturated or baseline model: its estimates.

    For the baseline of incomplete data too: the likelihood parts by variable, and each variable's mean and variance
    come from the rows that hold it.
    """
    diagonal = (~full.path & (full.row != full.column)).sum() == 0
    mean, covariance = group.mean, group.covariance
    if diagonal:
        mean, variance = group.patterns.by_variable
        covariance = np.diag(variance)
    return np.where(full.path, mean[full.row], covariance[full.row, np.where(full.path, 0, full.column)])
