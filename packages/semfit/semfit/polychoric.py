"""Thresholds and polychoric correlations of ordered items, with the asymptotic covariance matrix of both.

Two steps (Olsson 1979, doi:10.1007/BF02296207): thresholds from each item's margins, then each correlation by maximum
likelihood given the thresholds. The covariance matrix is Muthén's (1984, doi:10.1007/BF02294210) sandwich of casewise
scores.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.special import ndtr
from scipy.stats import norm

from semfit.errors import DataError

Array = np.ndarray
RULES = tuple(
    (below, *np.polynomial.legendre.leggauss(nodes)) for below, nodes in ((0.5, 12), (0.8, 20), (0.95, 40), (1.0, 100))
)
BOUND = 4.0  # of Fisher's z: a correlation of .9993
FLAT = 1e-8  # of the information a row has of Fisher's z
BEYOND = 40.0  # stands for infinity among thresholds: its density is exactly zero


@dataclass(frozen=True)
class OrdinalMoments:
    """Sample statistics of ordered items.

    Parameters
    ----------
    thresholds : tuple of arrays
        By item, increasing, in standard deviations of the response behind the item.
    correlations : array, shape (p, p)
        Polychoric correlations.
    gamma : array, shape (t + p (p - 1) / 2,) twice
        N times the covariance matrix of all thresholds, then of the correlations below the diagonal, column by column.
    nobs : int
        Rows.
    filled, flat : tuple of str
        Pairs of binary items with an empty cell, into which 0.5 was put; pairs of which no answer depends any more on
        how close to one the correlation is.
    """

    thresholds: tuple[Array, ...]
    correlations: Array
    gamma: Array
    nobs: int
    filled: tuple[str, ...] = ()
    flat: tuple[str, ...] = ()


def bivariate_normal(h: Array, k: Array, rho: Array) -> Array:
    """Return P(X < h, Y < k) of standard normal variables with correlation rho; arrays broadcast.

    References
    ----------
    Drezner & Wesolowsky (1990), doi:10.1080/00949659008811236: an integral over the arc sine of rho, here by
    Gauss-Legendre quadrature.

    Examples
    --------
    >>> round(float(bivariate_normal(np.array(0.0), np.array(0.0), np.array(0.5))), 12) == round(1 / 4 + 1 / 12, 12)
    True
    """
    h, k, rho = np.broadcast_arrays(h, k, rho)
    _, nodes, weights = next(rule for rule in RULES if np.fmax.reduce(np.abs(rho), axis=None, initial=0.0) <= rule[0])
    half = np.arcsin(rho) / 2
    squares, product, total = h**2 + k**2, 2 * h * k, 0.0
    for node, weight in zip(nodes, weights, strict=True):
        sine = np.sin(half * (1 + node))
        total = total + weight * np.exp((product * sine - squares) / (2 * (1 - sine**2)))
    return ndtr(h) * ndtr(k) + total * half / (2 * np.pi)


def density(h: Array, k: Array, rho: Array) -> Array:
    """Return the bivariate standard normal density, which is also the derivative of ``bivariate_normal`` by rho."""
    rest = 1 - rho**2
    return np.exp(-(h**2 + k**2 - 2 * rho * h * k) / (2 * rest)) / (2 * np.pi * np.sqrt(rest))


def ordinal_moments(
    codes: Array, counts: tuple[int, ...], names: tuple[str, ...], *, diagonal: bool = False
) -> OrdinalMoments:
    """Return thresholds, polychoric correlations and their asymptotic covariance matrix.

    Parameters
    ----------
    codes : array of int, shape (N, p)
        Categories from 0, every one of them observed.
    counts : tuple of int
        Number of categories of each item.
    names : tuple of str
        The items, for messages.
    diagonal : bool
        Return the diagonal of gamma only.

    Raises
    ------
    DataError
        Where two items are so closely associated that their correlation is one.
    """
    N, p = codes.shape
    width = max(counts)
    cuts = np.full((p, width + 1), BEYOND)
    cuts[:, 0] = -BEYOND
    thresholds = tuple(norm.ppf(np.cumsum(np.bincount(codes[:, i], minlength=counts[i]))[:-1] / N) for i in range(p))
    for i, own in enumerate(thresholds):
        cuts[i, 1 : len(own) + 1] = own
    pairs = [(j, i) for i, j in combinations(range(p), 2)]  # below the diagonal, column by column
    first, second = np.array(pairs).T
    chosen = (codes[:, :, None] == np.arange(width)).reshape(N, -1).astype(float)
    table = (chosen.T @ chosen).reshape(p, width, p, width)[first, :, second]
    whole, filled = _fill_empty(table, first, second, counts)
    start = np.corrcoef(codes.T)[first, second]
    named = [f"{names[b]} and {names[a]}" for a, b in pairs]
    rho, flat = _maximise(whole, cuts[first], cuts[second], start, named)
    correlations = np.eye(p)
    correlations[first, second] = correlations[second, first] = rho
    influence = _influence(codes, counts, cuts, first, second, table, rho)
    gamma = (influence**2).mean(0) if diagonal else influence.T @ influence / N
    sparse = (tuple(named[k] for k in mine) for mine in (filled, flat))
    return OrdinalMoments(thresholds, correlations, gamma, N, *sparse)


def _fill_empty(table: Array, first: Array, second: Array, counts: tuple[int, ...]) -> tuple[Array, Array]:
    """Put one half into an empty cell of a two-by-two table, keeping its margins: without it the correlation is one."""
    binary = np.array(counts) == 2
    table, small = table.copy(), binary[first] & binary[second] & (table[:, :2, :2].min((1, 2)) == 0)
    filled = np.flatnonzero(small)
    two = table[filled, :2, :2]
    sign = np.where(two[:, [0, 1], [0, 1]].min(1) == 0, 0.5, -0.5)[:, None, None]
    table[filled, :2, :2] = two + sign * np.array([[1, -1], [-1, 1]])
    return table, filled


def _cells(a: Array, b: Array, rho: Array) -> tuple[Array, Array]:
    """Return cell probabilities and their derivatives by rho, shape (pairs, c, c)."""
    h, k, r = a[:, 1:-1, None], b[:, None, 1:-1], rho[:, None, None]
    corner, slope = np.zeros((2, len(a), a.shape[1], b.shape[1]))
    corner[:, 1:-1, 1:-1], slope[:, 1:-1, 1:-1] = bivariate_normal(h, k, r), density(h, k, r)
    corner[:, 1:, -1], corner[:, -1, 1:] = ndtr(a[:, 1:]), ndtr(b[:, 1:])
    probability, change = (np.diff(np.diff(x, axis=1), axis=2) for x in (corner, slope))
    return np.maximum(probability, 1e-300), change


def _maximise(table: Array, a: Array, b: Array, start: Array, pairs: list[str]) -> tuple[Array, Array]:
    """Return the correlations that maximise the likelihood of the tables, by Fisher scoring in Fisher's z, and which of
    them stopped where the likelihood is flat: where no row has both rare answers every correlation from there to one
    explains the table as well, and as nothing is known of it, its weight in a fit is next to none.
    """
    N, flat = table.sum((1, 2)), np.zeros(len(table), dtype=bool)
    z, left = np.arctanh(np.clip(start, -0.9, 0.9)), np.arange(len(table))
    for _ in range(200):
        rho = np.tanh(z[left])
        probability, change = _cells(a[left], b[left], rho)
        change = change * (1 - rho**2)[:, None, None]
        held = probability > 1e-200
        score = np.sum(np.where(held, table[left] * change / probability, 0.0), (1, 2))
        information = N[left] * np.sum(np.where(held, change**2 / probability, 0.0), (1, 2))
        flat[left] = information < FLAT * N[left]
        move = np.where(flat[left], 0.0, np.clip(score / np.maximum(information, 1e-300), -0.5, 0.5))
        new = np.clip(z[left] + move, -BOUND, BOUND)
        step, z[left] = np.abs(new - z[left]), new
        left = left[step >= 1e-13]
        if not len(left):
            break
    worst = int(np.argmax(np.abs(z)))
    if abs(z[worst]) >= BOUND:
        raise DataError(
            f"items {pairs[worst]} are (almost) perfectly associated, polychoric correlation "
            f"{np.tanh(z[worst]):.4f}; merge categories or leave one of them out."
        )
    return np.tanh(z), np.flatnonzero(flat)


def _influence(
    codes: Array, counts: tuple[int, ...], cuts: Array, first: Array, second: Array, table: Array, rho: Array
) -> Array:
    """Return the influence of every row on thresholds and correlations, shape (N, m)."""
    N, p = codes.shape
    width, start = cuts.shape[1] - 1, np.concatenate([[0], np.cumsum(np.array(counts) - 1)])
    answers = np.zeros((p, width, start[-1]))  # influence on thresholds of an answer
    for i, c in enumerate(counts):
        share, inner = np.diff(ndtr(cuts[i, : c + 1])), np.eye(c, c - 1) - np.eye(c, c - 1, -1)
        scores = inner * norm.pdf(cuts[i, 1:c]) / share[:, None]  # d log P(answer) / d threshold
        n = np.bincount(codes[:, i], minlength=c)
        answers[i, :c, start[i] : start[i + 1]] = scores @ np.linalg.inv((scores.T * n) @ scores / N)
    probability, change = _cells(cuts[first], cuts[second], rho)
    ratio = np.where(probability > 1e-200, change / probability, 0.0)
    by_cell = ratio.copy()  # influence on a correlation of the answers to its two items
    for item, other, axis in ((first, second, 1), (second, first, 2)):
        cross = _cross(table, ratio, probability, cuts[item], cuts[other], rho, axis) / N
        for k, i in enumerate(item):
            own = answers[i, :, start[i] : start[i + 1]] @ cross[k, : counts[i] - 1]
            by_cell[k] -= own[:, None] if axis == 1 else own
    by_cell /= (table * ratio**2).sum((1, 2), keepdims=True) / N
    given, out = np.ascontiguousarray(codes.T), np.empty((start[-1] + len(rho), N))
    for i in range(p):
        out[start[i] : start[i + 1]] = answers[i, :, start[i] : start[i + 1]].T[:, given[i]]
    for k, (i, j) in enumerate(zip(first, second, strict=True)):
        out[start[-1] + k] = by_cell[k].take(given[i] * width + given[j])
    return out.T


def _cross(table: Array, ratio: Array, probability: Array, own: Array, other: Array, rho: Array, axis: int) -> Array:
    """Return, by pair, the sum over rows of the score of rho times the scores of one item's thresholds."""
    inner = own[:, 1:-1]
    root = np.sqrt(1 - rho**2)[:, None, None]
    given = ndtr((other[:, None, :] - rho[:, None, None] * inner[:, :, None]) / root)
    slab = norm.pdf(inner)[:, :, None] * np.diff(given, axis=2)
    if axis == 2:
        table, ratio, probability = (x.swapaxes(1, 2) for x in (table, ratio, probability))
    weight = table * ratio / probability
    return (slab * (weight[:, :-1] - weight[:, 1:])).sum(2)
