"""The information of means and covariances as parameters, summed over patterns of missing values by matrix products."""

from __future__ import annotations

import numpy as np

from socialcommerce.sem.estimate import weights
from socialcommerce.sem.model import Block, Implied
from socialcommerce.sem.moments import Patterns

__all__ = ["information"]

Array = np.ndarray


def information(full: Block, patterns: Patterns, covariance: Array, mean: Array | None, observed: bool) -> Array:
    """Return the Hessian of f with respect to the moments that are free in a saturated model.

    With W = Sigma^-1 of a pattern, d = m - mu, e = W d and V = W (S + d d') W, the second derivatives are W for two
    means, W_ai e_j + W_aj e_i for a mean and a covariance, and W_ik V_jl + W_jl V_ik - W_ik W_jl and the same with k
    and l exchanged for two covariances (half for a variance); V = W and e = 0 in expectation. Summed over patterns they
    are entries of one matrix product, so that many patterns cost little.

    Parameters
    ----------
    full : Block
        A model whose free cells are covariances and means.
    patterns : Patterns
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
    p, n = full.observed, patterns.nobs / patterns.nobs.sum()
    W, d, _ = weights(full, Implied(np.eye(p), covariance, mean), patterns)
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
