"""Resample rows and refit: percentile, bias-corrected and BCa intervals, all resamples solved together in batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from semfit.errors import DataError, ParameterError, one_of, probability, whole
from semfit.estimate import Likelihood, minimise
from semfit.inference import refuse
from semfit.least_squares import LeastSquares, pairs
from semfit.missing import Patterns
from semfit.moments import GroupSample
from semfit.polychoric import Array, ordinal_moments
from semfit.robust import casewise_scores, slices
from semfit.solved import Solved

Rule = Literal["boot", "weibull", "linear"]
BATCH, ENTRIES = 100, 1_000_000  # resamples solved together at most, and entries of any of their arrays
STEPS, SLICE = 250, 2048  # resamples of the one-step bootstrap, and rows, that are multiplied together
LIMIT = 100  # steps of a refit; one without a minimum goes on for ever
TOLERANCE = 1e-10  # of the decrement; the Newton step that meets it is taken, which squares it
LINEAR = 1e-13  # the same for ordered items, where scoring converges linearly
KINDS, METHODS = ("percentile", "bc", "bca"), ("refit", "one-step", "normal")


@dataclass(frozen=True)
class Bootstrap:
    """Estimates from resampled rows.

    Parameters
    ----------
    fit : SemFit
        The fit that was resampled.
    draws : array, shape (usable draws, q)
        Free parameters of every resample that converged.
    failed : int
        Resamples that did not converge or lost a category of an ordered item; they are left out and counted.
    """

    fit: Solved
    draws: Array
    failed: int

    def intervals(self, kind: str = "percentile", level: float = 0.95) -> pd.DataFrame:
        """Return lhs, op, rhs, label, group, est, se, ci_low, ci_high from the draws.

        Parameters
        ----------
        kind : {"percentile", "bc", "bca"}
            Quantiles of the draws; moved for their median bias; moved for bias and acceleration (Efron 1987,
            doi:10.1080/01621459.1987.10478410; the acceleration is from a real leave-one-out).
        level : float
            Coverage, in (0, 1).
        """
        one_of("bootstrap interval", kind, KINDS)
        probability("level", level)
        draws, est = self.fit.values_at(self.draws), self.fit.values
        pull: Array | float = 0.0
        if kind == "bca":
            pull = acceleration(self.fit.values_at(_jackknife(self.fit)))
        low, high = interval_ends(est, draws, level, kind, pull, "boot")
        se, defined = draws.std(0, ddof=1), len(self.fit.table.defined)
        fixed = [not row.free for row in self.fit.rows] + [False] * defined
        se[(se < 1e-12 * np.abs(est)) | fixed] = 0.0  # what a constraint fixes, too
        low, high = np.where(fixed, est, (low, high))
        return self.fit.frame(est=est, se=se, ci_low=low, ci_high=high)


def streams(draws: int, size: int, seed: int | None) -> Iterator[tuple[int, np.random.Generator]]:
    """Yield how many resamples each batch has, ``size`` or what is left, and its random stream."""
    sizes = [min(size, draws - k) for k in range(0, draws, size)]
    for each, stream in zip(sizes, np.random.SeedSequence(seed).spawn(len(sizes)), strict=True):
        yield each, np.random.default_rng(stream)


def counted(rng: np.random.Generator, draws: int, rows: int, kind: Any = np.int32) -> Array:
    """Return how often each row is in each resample, shape (draws, rows)."""
    counts = np.empty((draws, rows), kind)
    for one in counts:
        one[:] = np.bincount(rng.integers(0, rows, rows), minlength=rows)
    return counts


def left_out(rows: int, size: int) -> Iterator[Array]:
    """Yield counts, shape (size or what is left, rows), that leave each row out in turn."""
    for at in range(0, rows, size):
        yield 1.0 - np.eye(min(size, rows - at), rows, at)


def weighted_moments(X: Array, counts: Array) -> tuple[Array, Array]:
    """Return mean and covariance, shapes (batch, p) and (batch, p, p), of rows (N, p) that count so much (batch, N).

    The covariance is the mean product less the product of means, so that columns must be centred, or nearly. Whole
    numbers are multiplied in single precision as long as that is exact.
    """
    (low, high), p = np.tril_indices(X.shape[1]), X.shape[1]
    whole, largest = counts.dtype.kind == "i" and (np.rint(X) == X).all(), np.abs(X).max() ** 2
    mean, products = np.zeros((len(counts), p)), np.zeros((len(counts), len(low)))
    for at in range(0, len(X), SLICE):
        c, x = counts[:, at : at + SLICE], X[at : at + SLICE]
        kind = np.float32 if whole and c.sum(1).max() * largest < 2**24 else np.float64
        c, x = c.astype(kind, copy=False), x.astype(kind, copy=False)
        mean += c @ x
        products += c @ (x[:, low] * x[:, high])
    total, S = counts.sum(1, keepdims=True), np.empty((len(counts), p, p))
    total = np.where(total > 0, total, 1)
    mean /= total
    S[:, low, high] = S[:, high, low] = products / total
    return mean, S - mean[:, :, None] * mean[:, None, :]


def acceleration(without: Array) -> Array:
    """Return the acceleration of BCa intervals from estimates without each row, shape (N, m); 0 of what never varies.

    Efron (1987), doi:10.1080/01621459.1987.10478410, equation 6.6.
    """
    influence = np.nanmean(without, 0) - without
    spread = np.nansum(influence**2, 0) ** 1.5
    return np.divide(np.nansum(influence**3, 0), 6 * spread, out=np.zeros(len(spread)), where=spread > 0)


def interval_ends(
    estimate: Array, draws: Array, level: float, kind: str, pull: Array | float = 0.0, rule: Rule = "weibull"
) -> tuple[Array, Array]:
    """Return the lower and upper ends of bootstrap intervals, shape (m,) each.

    Parameters
    ----------
    estimate, draws : arrays, shapes (m,) and (R, m)
        Draws that are not finite are left out; with fewer than two, or no estimate, the ends are nan.
    level : float
        Coverage.
    kind : {"percentile", "bc", "bca"}
        Quantiles of the draws, or quantiles moved for their median bias and acceleration (Efron 1987, equation 6.8).
    pull : array, shape (m,), or float
        The acceleration.
    rule : {"boot", "weibull", "linear"}
        How quantiles lie between draws: as R's boot.ci has it, on the normal scale, or a method of ``numpy.quantile``.
    """
    tails, out = np.array([(1 - level) / 2, (1 + level) / 2]), np.full((2, len(estimate)), np.nan)
    for k, (value, column, a) in enumerate(zip(estimate, draws.T, np.broadcast_to(pull, estimate.shape), strict=True)):
        own, share = column[np.isfinite(column)], tails
        if len(own) < 2 or not np.isfinite(value):
            continue
        if kind != "percentile":
            bias = ndtri(np.clip((own < value).mean(), 0.5 / len(own), 1 - 0.5 / len(own)))
            share = ndtr(bias + (bias + ndtri(tails)) / (1 - a * (bias + ndtri(tails))))
        if rule == "boot":
            at = np.arange(1, len(own) + 1) / (len(own) + 1)
            out[:, k] = np.interp(ndtri(share), ndtri(at), np.sort(own))
        else:
            out[:, k] = np.quantile(own, share, method=rule)
    return out[0], out[1]


def bootstrap(
    fit: Solved,
    draws: int,
    *,
    seed: int | None = None,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
    method: str = "refit",
) -> Bootstrap:
    """Refit to resampled rows (within groups), or go one step from the estimates towards each refit.

    Parameters
    ----------
    fit : SemFit
        A fit to raw data that converged; of ordered items, polychorics are estimated anew in every resample.
    draws : int
        Number of resamples, at least 2.
    seed : int, optional
        The same seed gives the same draws whatever the number of workers.
    workers : int
        Threads.
    progress : callable, optional
        Called with resamples done and resamples wanted.
    method : {"refit", "one-step", "normal"}
        "one-step" stops after one scoring step with the whole sample's information: theta + I^-1 S'w / N for scores S
        and counts w. It takes a thousandth of the time where values are missing and agrees with refits in first order
        (the k-step bootstrap with k = 1: Andrews 2002, Econometrica 70, 119-162). Not for ordered items.
        "normal" draws from the normal distribution of the estimates, with their covariance matrix: the Monte Carlo
        method for functions of them (MacKinnon, Lockwood & Williams 2004, doi:10.1207/s15327906mbr3901_4).

    Returns
    -------
    Bootstrap

    Raises
    ------
    ParameterError
        For fewer than 2 draws, moments without rows, weights, clusters, inequality constraints, or where fewer than two
        resamples converged.

    References
    ----------
    Efron & Tibshirani (1993), An introduction to the bootstrap, doi:10.1007/978-1-4899-4541-9.
    """
    whole("the number of draws", draws, 2)
    whole("the number of workers", workers, 1)
    if seed is not None:
        whole("the seed", seed, 0)
    if any(group.rows is None for group in fit.sample.groups):
        raise ParameterError("the bootstrap needs whole rows; got moments or pairwise covariances.")
    if any(group.weights is not None or group.clusters is not None for group in fit.sample.groups):
        raise ParameterError("the bootstrap draws single rows; it takes no fit with weights or clusters.")
    refuse(fit.table.constraints, "the bootstrap")
    one_of("method of the bootstrap", method, METHODS)
    if method == "one-step":
        return _stepped(fit, draws, seed)
    if method == "normal":
        return Bootstrap(fit, np.random.default_rng(seed).multivariate_normal(fit.theta, fit.vcov, draws), 0)

    def one(batch: tuple[int, np.random.Generator]) -> Array:
        size, rng = batch
        return weighted_refit(fit, [counted(rng, size, g.nobs, float) for g in fit.sample.groups])

    parts, done = [], 0
    with ThreadPoolExecutor(workers) as pool:
        for part in pool.map(one, streams(draws, batch_size(fit), seed)):
            parts.append(part)
            done += len(part)
            if progress is not None:
                progress(done, draws)
    theta = np.concatenate(parts)
    usable = np.isfinite(theta).all(1)
    if usable.sum() < 2:
        raise ParameterError(
            f"{usable.sum()} of {draws} resamples converged, two are needed; the model is too large for the data."
        )
    return Bootstrap(fit, theta[usable], int((~usable).sum()))


def _stepped(fit: Solved, draws: int, seed: int | None) -> Bootstrap:
    """Draw by one scoring step a resample; the rows' influences are computed once."""
    if fit.ordinal:
        raise ParameterError("the one-step bootstrap takes no ordered items; allowed: method 'refit'.")
    theta, rng = np.repeat(fit.theta[None], draws, 0), np.random.default_rng(seed)
    for influence in _influences(fit):
        for at in range(0, draws, STEPS):
            counts = counted(rng, min(STEPS, draws - at), len(influence), np.uint16)
            for k in range(0, len(influence), SLICE):  # whole counts take less room, and products of floats less time
                theta[at : at + STEPS] += counts[:, k : k + SLICE].astype(float) @ influence[k : k + SLICE]
    return Bootstrap(fit, theta, 0)


def batch_size(fit: Solved) -> int:
    """Return how many resamples are solved together, so that their Hessians and counts of rows fit in little memory.

    It sets the random streams too; as it depends on model and data alone, the draws are the same whatever the workers.
    """
    entries = [
        max(len(group.patterns.nobs) * max(len(block.theta), 2 * block.n) ** 2, group.nobs)
        for block, group in zip(fit.problem.blocks, fit.sample.groups, strict=True)
    ]
    return int(np.clip(ENTRIES // max(entries), 1, BATCH))


def weighted_refit(fit: Solved, counts: list[Array]) -> Array:
    """Return the estimates when every row counts as often as given.

    Parameters
    ----------
    fit : SemFit
        A fit to raw data.
    counts : list of arrays, shape (batch, n)
        By group, how often each of its n rows counts; not negative, fractions allowed but for
        ordered items.

    Returns
    -------
    array, shape (batch, q)
        nan where one did not converge or lost a category of an ordered item.
    """
    if isinstance(fit.problem, LeastSquares):
        return _ordinal_refit(fit, fit.problem, counts)
    patterns = tuple(_weighted(g, c) for g, c in zip(fit.sample.groups, counts, strict=True))
    bases = tuple(block.base(*_covariates(s)) for block, s in zip(fit.problem.blocks, patterns, strict=True))
    problem = Likelihood(fit.problem.blocks, patterns, bases, fit.problem.q, fit.problem.constraints)
    start = fit.theta + sum(c @ one for c, one in zip(counts, _influences(fit), strict=True))  # one scoring step
    start[~np.isfinite(problem.value(start))] = fit.theta
    solution = minimise(problem, start, limit=LIMIT, tolerance=TOLERANCE)
    return np.where(solution.converged[:, None], solution.theta, np.nan)


def _influences(fit: Solved) -> list[Array]:
    """Return by group how far each row moves the estimates to first order, (n, q); with counts of one they add to 0."""
    found = []
    for block, group, base in zip(fit.problem.blocks, fit.sample.groups, fit.problem.bases, strict=True):
        out, at = np.empty((group.nobs, fit.problem.q)), 0
        for part in slices(group):
            own = casewise_scores(block, part, fit.theta, base, fit.problem.q)
            out[at : at + len(own)] = own @ fit.curvature.inverse / fit.nobs
            at += len(own)
        found.append(out)
    return found


def _weighted(group: GroupSample, counts: Array) -> Patterns:
    """Return the moments of every resample, by pattern."""
    (rows, of), mask = group.raw, group.patterns.mask
    nobs = np.stack([counts[:, of == k].sum(1) for k in range(len(mask))], 1)
    parts = [
        weighted_moments(np.where(seen, rows[of == k] - group.mean, 0.0), counts[:, of == k])
        for k, seen in enumerate(mask)
    ]
    mean, covariance = (np.stack(each, 1) for each in zip(*parts, strict=True))
    return Patterns(nobs, covariance, np.where(mask, mean + group.mean, 0.0), mask)


def _covariates(patterns: Patterns) -> tuple[Array, Array]:
    """Return pooled covariance and mean over patterns; right for the variables that every row holds."""
    share = patterns.nobs / patterns.nobs.sum(-1, keepdims=True)
    mean = np.einsum("bk,bki->bi", share, patterns.mean)
    d = patterns.mean - mean[:, None, :]
    covariance = np.einsum("bk,bkij->bij", share, patterns.covariance + d[..., :, None] * d[..., None, :])
    return covariance, mean


def _jackknife(fit: Solved) -> Array:
    """Return the estimates with each row left out in turn, shape (N, q)."""
    edges = np.cumsum([group.nobs for group in fit.sample.groups])[:-1]
    each = (np.split(counts, edges, axis=1) for counts in left_out(fit.nobs, batch_size(fit)))
    return np.concatenate([weighted_refit(fit, counts) for counts in each])


def _ordinal_refit(fit: Solved, problem: LeastSquares, counts: list[Array]) -> Array:
    """Do the same for ordered items; nan also where two of them are perfectly associated in a draw."""
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
        solution = minimise(drawn_problem, np.broadcast_to(fit.theta, (len(usable), problem.q)), tolerance=LINEAR)
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
