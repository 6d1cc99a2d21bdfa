"""Refit a model of ordered items to resampled rows: polychorics anew in every draw, all draws solved together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from semfit.errors import DataError
from semfit.estimate import minimise
from semfit.least_squares import LeastSquares, pairs
from semfit.moments import GroupSample
from semfit.polychoric import ordinal_moments
from semfit.solved import Solved

Array = np.ndarray
TOLERANCE = 1e-13  # of the decrement; scoring converges linearly, so that it is to be smaller than for likelihoods


def ordinal_refit(fit: Solved, problem: LeastSquares, counts: list[Array]) -> Array:
    """Return the estimates when every row counts as often as given.

    Parameters
    ----------
    fit : SemFit
        A fit by DWLS or WLSMV.
    problem : LeastSquares
        Its.
    counts : list of arrays, shape (batch, n)
        By group, how often each row occurs in each draw, whole numbers.

    Returns
    -------
    array, shape (batch, q)
        nan where a draw did not converge, has perfectly associated items or lost a category of an item.
    """
    drawn = [
        [_statistics(group, c, fit.sample.names) for c in chosen]
        for group, chosen in zip(fit.sample.groups, counts, strict=True)
    ]
    usable = [k for k in range(len(counts[0])) if all(len(g[k]) for g in drawn)]
    theta = np.full((len(counts[0]), problem.q), np.nan)
    if len(usable):
        stacked = [np.stack([g[k] for k in usable]) for g in drawn]
        drawn_problem = replace(
            problem,
            statistics=tuple(x[:, 0] for x in stacked),
            weights=tuple(x[:, 1] for x in stacked),
            gammas=(),
            counts=tuple(int(c[0].sum()) for c in counts),
        )
        solution = minimise(drawn_problem, np.broadcast_to(fit.theta, (len(usable), problem.q)), tolerance=TOLERANCE)
        theta[usable] = np.where(solution.converged[:, None], solution.theta, np.nan)
    return theta


def _statistics(group: GroupSample, count: Array, names: tuple[str, ...]) -> Array:
    """Return statistics and weights of one draw, shape (2, m), or nothing where there are none."""
    whole = group.raw[0].astype(int)
    codes = np.repeat(whole, count.astype(int), axis=0)
    categories = whole.max(0) + 1
    if any(len(np.unique(column)) < c for column, c in zip(codes.T, categories, strict=True)):
        return np.empty(0)
    try:
        moments = ordinal_moments(codes, tuple(categories.tolist()), names, diagonal=True)
    except DataError:
        return np.empty(0)
    low, high = pairs(len(names))
    s = np.concatenate([*moments.thresholds, moments.correlations[low, high]])
    return np.stack([s, 1 / moments.gamma])
