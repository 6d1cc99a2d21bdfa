"""Casewise scores of a fitted model, and what rests on them: sandwich standard errors and scaled test statistics.

Beside the scores stands the information of the saturated model, whose parameters are means and covariances.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np
from scipy import sparse

from semfit.estimate import Likelihood, Problem, discrepancy, weights
from semfit.inference import TestStatistic
from semfit.missing import Expectation, MissingPatterns, Patterns, missing_patterns
from semfit.model import Array, Block, Implied, bordered, moments_block
from semfit.moments import GroupSample, Sample

SLICE = 16_384  # rows
TOGETHER, BLOCK = 256, 6  # rows whose products of two variables are held at once, and variables multiplied together


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


def reference_values(problem: Likelihood, sample: Sample) -> tuple[float, float]:
    """Return the discrepancies of the unrestricted model, nan where incomplete rows have none, and of the baseline.

    The baseline's variables are uncorrelated, but fixed covariates keep their correlations.
    """
    total = np.zeros(2)
    for block, group in zip(problem.blocks, sample.groups, strict=True):
        mean, variance = group.patterns.by_variable
        covariance = np.diag(variance)
        for _, i, j in (cell for cell in block.exogenous if not cell[0]):
            covariance[i, j] = covariance[j, i] = group.covariance[i, j]
        means, covariances = np.stack([group.mean, mean]), np.stack([group.covariance, covariance])
        if isinstance(group.patterns, MissingPatterns):
            both = zip(covariances, means, strict=True)
            total += [Expectation.at(group.patterns, *moments).value for moments in both]
        else:
            total += discrepancy(group.patterns, *weights(group.patterns, covariances, means if block.means else None))
    saturated, baseline = (total / (2 * float(problem.nobs))).tolist()
    return saturated if sample.settled else np.nan, baseline


def information(
    full: Block, patterns: Patterns | MissingPatterns, covariance: Array, mean: Array, observed: bool
) -> Array:
    """Return the Hessian of f with respect to the moments that are free in a saturated model.

    With W = Sigma^-1 of a pattern, d = m - mu, e = W d and V = W (S + d d') W, the second derivatives are W for two
    means, W_ai e_j + W_aj e_i for a mean and a covariance, and W_ik V_jl + W_jl V_ik - W_ik W_jl and the same with k
    and l exchanged for two covariances (half for a variance); V = W and e = 0 in expectation. Summed over patterns they
    are entries of one matrix product, so that many patterns cost little.

    Parameters
    ----------
    full : Block
        A model whose free cells are covariances and means.
    patterns : Patterns or MissingPatterns
        Sample moments.
    covariance, mean : array, shape (p, p) and (p,)
        Where to evaluate it; ``mean`` is not used where ``full`` models none.
    observed : bool
        Observed or expected.

    Returns
    -------
    array, shape (m, m)
        Of one observation, in the order of the cells of ``full``.
    """
    if isinstance(patterns, MissingPatterns):
        point = Expectation.at(patterns, covariance, mean)
        out, means = _to_moments(full, point, _curvature(point, observed)), full.row[full.path]
        if observed:  # the mean enters twice; nothing at the saturated moments, where the gap vanishes
            out[np.ix_(full.path, full.path)] += (point.precision @ point.gap @ point.precision)[np.ix_(means, means)]
        return out / patterns.nobs.sum()
    p, n = full.observed, patterns.nobs / patterns.nobs.sum()
    W, d, _ = weights(patterns, covariance, mean if full.means else None)
    e = (W @ d[..., None])[..., 0] if observed else np.zeros_like(d)
    V = W @ (patterns.covariance + d[:, :, None] * d[:, None, :]) @ W if observed else W
    flat, weighted = W.reshape(len(n), -1), W.reshape(len(n), -1) * n[:, None]
    Y = weighted.T @ (V.reshape(len(n), -1) - flat / 2)
    Y = (Y + Y.T).reshape(p, p, p, p)
    means, i, j = full.path, full.row[~full.path], full.column[~full.path]
    a, c = full.row[means], np.where(i == j, 0.5, 1.0)
    out = np.empty((len(means), len(means)))
    k, m = i[:, None], j[:, None]
    out[np.ix_(~means, ~means)] = (Y[k, i, m, j] + Y[k, j, m, i]) * np.outer(c, c)
    out[np.ix_(means, means)] = weighted.sum(0).reshape(p, p)[np.ix_(a, a)]
    Z = (weighted.T @ e).reshape(p, p, p)[a]
    out[np.ix_(means, ~means)] = (Z[:, i, j] + Z[:, j, i]) * c
    out[np.ix_(~means, means)] = out[np.ix_(means, ~means)].T
    return out


def products(full: Block, group: GroupSample) -> Array:
    """Return the sum of the outer products of the rows' scores at the saturated moments, without weights or clusters.

    A row's score of a covariance is a product of two (completed) deviations less its expectation, so the sum is one of
    fourth moments and of what the patterns of missing values expect; no matrix of rows by moments is formed.

    Parameters
    ----------
    full : Block
        A model whose free cells are covariances and means.
    group : GroupSample
        With rows, complete or laid out by ``MissingPatterns``.

    Returns
    -------
    array, shape (m, m)
        In the order of the cells of ``full``.
    """
    patterns = group.patterns
    if not isinstance(patterns, MissingPatterns):
        patterns = missing_patterns(group.raw[0], patterns.mask, group.raw[1], None)
    point = Expectation.at(patterns, group.covariance, group.mean)
    i, j, _ = _pairs(point)
    both = np.outer(point.covariance[i, j], point.moments[i, j]) - _crossed(point)
    inner = _fourth(point, group) - both - both.T + _squared(point)
    c = np.where(i == j, 0.5, 1.0)
    return _to_moments(full, point, inner * np.outer(c, c))


def _pairs(point: Expectation) -> tuple[Array, Array, Array]:
    """Return the pairs of variables (constant included), lower triangle row by row, and the place of each pair."""
    size = len(point.covariance)
    i, j = np.tril_indices(size)
    place = np.empty((size, size), dtype=int)
    place[i, j] = place[j, i] = np.arange(len(i))
    return i, j, place


def _unsure(point: Expectation, of: Array) -> sparse.csr_array:
    """Return G of rows of given patterns, one line of pairs each."""
    place, parts = _pairs(point)[2], []
    for k, mine, at in point.patterns.holes(of, 1):
        i, j = np.tril_indices(point.unsure[k].shape[1])
        columns = point.patterns.sizes[k][1][at]
        rows = np.repeat(mine[:, None], len(i), 1)
        parts.append((point.unsure[k][at][:, i, j], rows, place[columns[:, i], columns[:, j]]))
    value, row, column = (np.concatenate([np.empty(0, int), *(part[n].ravel() for part in parts)]) for n in range(3))
    return sparse.csr_array((value, (row, column)), (len(of), len(_pairs(point)[0])))


def _crossed(point: Expectation) -> Array:
    """Return the sum over rows of G by the products of the completed row, pairs by pairs."""
    i, j, _ = _pairs(point)
    out, lacking = np.zeros((len(i), len(i))), np.flatnonzero(point.patterns.place[0][point.patterns.of] >= 0)
    for at in range(0, len(lacking), TOGETHER):
        rows = lacking[at : at + TOGETHER]
        y = point.rows[rows]
        out += _unsure(point, point.patterns.of[rows]).T @ (y[:, i] * y[:, j])
    return out


def _squared(point: Expectation) -> Array:
    """Return the sum over rows of (Sigma - G) by itself, pairs by pairs."""
    i, j, _ = _pairs(point)
    sigma, G, n = point.covariance[i, j], _unsure(point, np.arange(len(point.patterns.mask))), point.patterns.nobs
    total = np.outer(point.uncertainty[i, j], sigma)
    return n.sum() * np.outer(sigma, sigma) - total - total.T + (G.T @ (G * n[:, None])).toarray()


def _curvature(point: Expectation, observed: bool) -> Array:
    """Return the Hessian by the entries of D~, pairs by pairs: see ``Expectation.derivatives``."""
    i, j, place = _pairs(point)
    inner = _squared(point)
    if observed:
        both = np.outer(point.covariance[i, j], point.moments[i, j]) - _crossed(point)
        inner = both + both.T - inner
    i, j, c = i[:, None], j[:, None], np.where(i == j, 0.5, 1.0)
    return (inner[place[i, i.T], place[j, j.T]] + inner[place[i, j.T], place[j, i.T]]) * np.outer(c, c)


def _fourth(point: Expectation, group: GroupSample) -> Array:
    """Return the sum over rows of products of four completed deviations, pairs by pairs; every set of four once."""
    i, j, place = _pairs(point)
    size = len(point.covariance)
    blocks = np.array_split(np.arange(size), -(-size // BLOCK))
    width = [(own[-1] + 1) * (own[-1] + 2) // 2 for own in blocks]  # pairs of variables up to the last of a block
    sums = [np.zeros((sum(size - own), w)) for own, w in zip(blocks, width, strict=True)]
    rows, of = group.raw
    for at in range(0, len(rows), TOGETHER):
        y = point.completed(rows[at : at + TOGETHER], of[at : at + TOGETHER])
        pairs = y[:, i] * y[:, j]
        for own, w, total in zip(blocks, width, sums, strict=True):
            total += np.concatenate([y[:, k:] * y[:, [k]] for k in own], 1).T @ pairs[:, :w]
    each = np.concatenate([np.full(len(own), w) for own, w in zip(blocks, width, strict=True)])
    start = np.cumsum([0, *(each * (size - np.arange(size)))[:-1]])
    four = np.empty((len(i), len(i), 4), dtype=np.int16)
    four[..., 0], four[..., 1], four[..., 2], four[..., 3] = i[:, None], j[:, None], i, j
    four.sort(-1)
    a, b, c, d = (four[..., k] for k in range(4))
    return np.concatenate([total.ravel() for total in sums])[start[c] + (d - c).astype(int) * each[c] + place[a, b]]


def _to_moments(full: Block, point: Expectation, inner: Array) -> Array:
    """Return a bilinear form in D~ = K D K, pairs by pairs, as one in the free moments."""
    i, j, place = _pairs(point)
    for _ in range(2):
        whole = (inner * np.where(i == j, 1.0, 0.5))[:, place]
        inner = ((point.precision @ whole @ point.precision)[:, i, j] * np.where(i == j, 1.0, 2.0)).T
    chosen = place[full.row, full.column]
    return inner[np.ix_(chosen, chosen)]
