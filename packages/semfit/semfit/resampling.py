"""Resample rows and refit: percentile, bias-corrected and BCa intervals, all resamples solved together in batches."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.stats import norm

from semfit.errors import DataError, ParameterError, UnknownNameError, probability, whole
from semfit.estimate import Likelihood, minimise
from semfit.inequality import refuse
from semfit.least_squares import LeastSquares, pairs
from semfit.missing import Patterns
from semfit.moments import GroupSample
from semfit.polychoric import ordinal_moments
from semfit.robust import casewise_scores, slices
from semfit.solved import Solved

Array = np.ndarray
BATCH, ENTRIES = 100, 1_000_000  # resamples solved together at most, and entries of any of their arrays
STEPS, SLICE = 250, 2048  # resamples of the one-step bootstrap, and their rows, that are multiplied together
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
    jackknife : array, shape (N, q), optional
        Free parameters with each row left out in turn, for BCa.
    """

    fit: Solved
    draws: Array
    failed: int
    jackknife: Array | None = None

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
        if kind not in KINDS:
            raise UnknownNameError("bootstrap interval", kind, KINDS)
        probability("level", level)
        draws, est = self.fit.values_at(self.draws), self.fit.values
        tails = np.array([(1 - level) / 2, (1 + level) / 2])[:, None]
        share = np.broadcast_to(tails, (2, len(est)))
        if kind != "percentile":
            below = (draws < est).mean(0)
            bias = norm.ppf(np.clip(below, 0.5 / len(draws), 1 - 0.5 / len(draws)))
            pull = self._acceleration() if kind == "bca" else 0.0
            moved = bias + norm.ppf(tails)
            share = norm.cdf(bias + moved / (1 - pull * moved))
        ends = np.array([[quantile(column, p) for p in own] for column, own in zip(draws.T, share.T, strict=True)])
        se = draws.std(0, ddof=1)
        se[se < 1e-12 * np.abs(est)] = 0.0  # what a constraint fixes
        frame = self.fit.frame().assign(est=est, se=se, ci_low=ends[:, 0], ci_high=ends[:, 1])
        fixed = np.append([not row.free for row in self.fit.rows], np.zeros(len(self.fit.table.defined), dtype=bool))
        frame.loc[fixed, ["ci_low", "ci_high"]] = np.column_stack([est[fixed], est[fixed]])
        frame.loc[fixed, "se"] = 0.0
        return frame

    def _acceleration(self) -> Array:
        jackknife = _jackknife(self.fit) if self.jackknife is None else self.jackknife
        influence = self.fit.values_at(jackknife)
        influence = np.nanmean(influence, 0) - influence
        spread = np.nansum(influence**2, 0) ** 1.5
        return np.divide(np.nansum(influence**3, 0), 6 * spread, out=np.zeros(len(spread)), where=spread > 0)


def quantile(values: Array, p: float) -> float:
    """Return the order statistic at (R + 1) p, interpolated on the normal scale as R's boot.ci does."""
    ordered, R = np.sort(values), len(values)
    position = (R + 1) * p
    k = int(np.clip(np.floor(position), 1, R - 1))
    if position <= 1 or position >= R:
        return float(ordered[0] if position <= 1 else ordered[-1])
    low, high, at = (norm.ppf(x) for x in (k / (R + 1), (k + 1) / (R + 1), p))
    return float(ordered[k - 1] + (at - low) / (high - low) * (ordered[k] - ordered[k - 1]))


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
    if method not in METHODS:
        raise UnknownNameError("method of the bootstrap", method, METHODS)
    if method == "one-step":
        return _stepped(fit, draws, seed)
    if method == "normal":
        return Bootstrap(fit, np.random.default_rng(seed).multivariate_normal(fit.theta, fit.vcov, draws), 0)
    size = batch_size(fit)
    sizes = [min(size, draws - k) for k in range(0, draws, size)]
    streams = [np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(len(sizes))]

    def one(size: int, rng: np.random.Generator) -> Array:
        return refit(fit, [rng.integers(0, g.nobs, (size, g.nobs)) for g in fit.sample.groups])

    parts, done = [], 0
    with ThreadPoolExecutor(workers) as pool:
        for part in pool.map(one, sizes, streams):
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
    rng = np.random.default_rng(seed)
    influences = _influences(fit)
    theta = np.repeat(fit.theta[None], draws, 0)
    for influence in influences:
        n = len(influence)
        room = np.empty((min(STEPS, draws), n), np.uint16)
        for at in range(0, draws, STEPS):
            counts = room[: draws - at]
            for one in counts:
                one[:] = np.bincount(rng.integers(0, n, n), minlength=n)
            for k in range(0, n, SLICE):  # whole counts take less room, and products of floats less time
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


def refit(fit: Solved, rows: list[Array]) -> Array:
    """Return the estimates for given resamples, shape (batch, q); nan where one did not converge.

    Parameters
    ----------
    fit : SemFit
        A fit to raw data by ML, MLM or MLR.
    rows : list of arrays of int, shape (batch, n)
        By group, which rows make up each resample.
    """
    counts = [
        np.stack([np.bincount(r, minlength=g.nobs) for r in chosen])
        for chosen, g in zip(rows, fit.sample.groups, strict=True)
    ]
    return weighted_refit(fit, [c.astype(float) for c in counts])


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
        return ordinal_refit(fit, fit.problem, counts)
    patterns = tuple(_weighted(g, c) for g, c in zip(fit.sample.groups, counts, strict=True))
    bases = []
    for block, s, group in zip(fit.problem.blocks, patterns, fit.sample.groups, strict=True):
        covariance, mean = _covariates(s, group)
        bases.append(block.base(covariance, mean))
    problem = Likelihood(fit.problem.blocks, patterns, tuple(bases), fit.problem.q, fit.problem.constraints)
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
    (rows, of), (P, p) = group.raw, group.patterns.mask.shape
    nobs, mean, covariance = np.zeros((len(counts), P)), np.zeros((len(counts), P, p)), np.zeros((len(counts), P, p, p))
    for k in range(P):
        mine = of == k
        X = np.where(group.patterns.mask[k], rows[mine] - group.mean, 0.0)
        c = counts[:, mine]
        n = c.sum(1)
        size = np.maximum(n, 1.0)
        low, high = np.tril_indices(p)
        m = c @ X / size[:, None]
        step = max(ENTRIES // len(low), 1)
        slices = [slice(at, at + step) for at in range(0, len(X), step)]
        products = sum(c[:, at] @ (X[at, low] * X[at, high]) for at in slices)
        second = np.zeros((len(counts), p, p))
        second[:, low, high] = second[:, high, low] = products / size[:, None]
        nobs[:, k], covariance[:, k] = n, second - m[:, :, None] * m[:, None, :]
        mean[:, k] = np.where(group.patterns.mask[k], m + group.mean, 0.0)
    return Patterns(nobs, covariance, mean, group.patterns.mask)


def _covariates(patterns: Patterns, group: GroupSample) -> tuple[Array, Array]:
    """Return pooled mean and covariance over patterns; right for the variables that every row holds."""
    share = patterns.nobs / patterns.nobs.sum(-1, keepdims=True)
    mean = np.einsum("bk,bki->bi", share, patterns.mean)
    d = patterns.mean - mean[:, None, :]
    covariance = np.einsum("bk,bkij->bij", share, patterns.covariance + d[..., :, None] * d[..., None, :])
    return covariance, mean


def _jackknife(fit: Solved) -> Array:
    """Return the estimates with each row left out in turn, shape (N, q)."""
    parts, size = [], batch_size(fit)
    for k, group in enumerate(fit.sample.groups):
        for at in range(0, group.nobs, size):
            out = np.arange(at, min(at + size, group.nobs))
            counts = [np.ones((len(out), g.nobs)) for g in fit.sample.groups]
            counts[k][np.arange(len(out)), out] = 0.0
            parts.append(weighted_refit(fit, counts))
    return np.concatenate(parts)


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
