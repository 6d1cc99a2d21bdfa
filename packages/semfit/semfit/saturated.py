"""The information of means and covariances as parameters, and the outer product of their scores, by matrix products."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from semfit.estimate import Likelihood, discrepancy, weights
from semfit.missing import Expectation, MissingPatterns, Patterns, missing_patterns
from semfit.model import Array, Block
from semfit.moments import GroupSample, Sample

SLICE, BLOCK = 256, 6  # rows whose products of two variables are held at once, and variables multiplied together


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
    for at in range(0, len(lacking), SLICE):
        rows = lacking[at : at + SLICE]
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
    for at in range(0, len(rows), SLICE):
        y = point.completed(rows[at : at + SLICE], of[at : at + SLICE])
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
