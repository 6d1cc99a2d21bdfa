"""Fit models of ordered items to thresholds and polychoric correlations by diagonally weighted least squares.

The discrepancy is f = sum over groups of n / (2 N) (s - sigma)' W (s - sigma), with s the thresholds and correlations
of the sample, sigma the model's, and W the inverse of the diagonal of s's asymptotic covariance matrix Gamma.

References: Muthén, du Toit & Spisic (1997), Robust inference using weighted least squares; the scaled and shifted
statistic: Asparouhov & Muthén (2010), Simple second order chi-square correction.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from socialcommerce.errors import DataError, ParameterError, UnknownNameError
from socialcommerce.sem.estimate import Solution, minimise
from socialcommerce.sem.inference import Constraints, Covariance, TestStatistic, covariance, free_directions
from socialcommerce.sem.model import Block, blocks
from socialcommerce.sem.moments import GroupSample, Patterns, Sample, read
from socialcommerce.sem.polychoric import OrdinalMoments, ordinal_moments
from socialcommerce.sem.result import SemFit
from socialcommerce.sem.start import start_values
from socialcommerce.sem.syntax import ModelText
from socialcommerce.sem.table import ParameterTable, build, find_roles

__all__ = ["LeastSquares", "fit_ordinal"]

Array = np.ndarray


@dataclass(frozen=True)
class ResponseBlock(Block):
    """A block whose observed variables are responses of variance 1: their residual variances follow from the rest."""

    def matrices(self, theta: Array, base: tuple[Array, Array]) -> tuple[Array, Array]:
        """Return A and S with residual variances that make every response's variance 1."""
        A, S = super().matrices(theta, base)
        E = np.linalg.inv(np.eye(self.n) - A)
        shared = np.diagonal(E @ S @ np.swapaxes(E, -1, -2), axis1=-2, axis2=-1)
        at = np.arange(self.observed)
        S[..., at, at] = 1.0 - shared[..., at]
        return A, S


@dataclass(frozen=True)
class LeastSquares:
    """A model and the statistics of ordered items it is fitted to; minimised like a ``Likelihood``.

    ``statistics`` holds by group s (m,), ``gammas`` its asymptotic covariance matrix Gamma (m, m), ``counts`` the rows,
    ``thresholds`` which free parameter each threshold is.
    """

    blocks: tuple[Block, ...]
    bases: tuple[tuple[Array, Array], ...]
    statistics: tuple[Array, ...]
    gammas: tuple[Array, ...]
    counts: tuple[int, ...]
    thresholds: tuple[Array, ...]
    q: int
    constraints: Callable[[Array], Array] | None = None

    @cached_property
    def weights(self) -> tuple[Array, ...]:
        """The diagonal of W by group, (m,)."""
        return tuple(1 / np.diag(gamma) for gamma in self.gammas)

    def take(self, rows: Array) -> LeastSquares:
        """Return the problem for some rows of the batch; statistics are shared by all."""
        return self

    def value(self, theta: Array) -> Array:
        """Return f."""
        total = sum(
            n * (w * self.residual(theta, k) ** 2).sum(-1)
            for k, (n, w) in enumerate(zip(self.counts, self.weights, strict=True))
        )
        total = total / (2 * sum(self.counts))
        return np.where(np.isnan(total), np.inf, total)

    def residual(self, theta: Array, k: int) -> Array:
        """Return s - sigma of a group."""
        block = self.blocks[k]
        R = block.implied(theta, self.bases[k]).covariance
        low, high = pairs(block.observed)
        return self.statistics[k] - np.concatenate([theta[..., self.thresholds[k]], R[..., low, high]], -1)

    def jacobian(self, theta: Array, k: int) -> Array:
        """Return d sigma / d theta of a group, shape (..., m, q)."""
        block = self.blocks[k]
        R = block.columns(block.implied(theta, self.bases[k]))
        low, high = pairs(block.observed)
        u, v = R[..., block.u], R[..., block.v]
        by_cell = block.c * (u[..., low, :] * v[..., high, :] + v[..., low, :] * u[..., high, :])
        top = np.broadcast_to(np.eye(self.q)[self.thresholds[k]], (*theta.shape[:-1], len(self.thresholds[k]), self.q))
        return np.concatenate([top, block.collect(by_cell, self.q)], -2)

    def derivatives(self, theta: Array, observed: bool = False) -> tuple[Array, Array]:
        """Return the gradient of f and its Gauss-Newton Hessian."""
        gradient, hessian = 0.0, 0.0
        for k, (n, w) in enumerate(zip(self.counts, self.weights, strict=True)):
            J = self.jacobian(theta, k)
            JW = np.swapaxes(J * w[:, None], -1, -2) * (n / sum(self.counts))
            gradient = gradient - (JW @ self.residual(theta, k)[..., None])[..., 0]
            hessian = hessian + JW @ J
        return gradient, hessian


def pairs(p: int) -> tuple[Array, Array]:
    """Return rows and columns below the diagonal, column by column."""
    high, low = np.triu_indices(p, 1)
    return low, high


def fit_ordinal(
    text: str,
    parsed: ModelText,
    data: pd.DataFrame,
    ordered: Sequence[str] | bool,
    estimator: str,
    *,
    group: str | None,
    std_lv: bool,
) -> SemFit:
    """Fit a model of ordered items.

    Parameters
    ----------
    ordered : True or sequence of str
        The ordered items; all observed variables must be among them.
    estimator : {"DWLS", "WLSMV"}
        The same estimates; WLSMV with robust standard errors and the scaled and shifted test.

    Raises
    ------
    ParameterError
        Where the model holds observed variables that are not ordered items of latent variables.
    """
    roles = find_roles(parsed.terms)
    _check_items(parsed, roles.observed, ordered)
    sample = read(data, roles.observed, group=group)
    moments, groups = zip(*(_group(g, sample.names) for g in sample.groups), strict=True)
    cuts = [tuple(len(t) for t in m.thresholds) for m in moments]
    if len(set(cuts)) > 1:
        raise DataError(
            "an ordered item has a category that one group never uses; merge categories so that all groups use all."
        )
    table = build(
        parsed, groups=len(groups), std_lv=std_lv, means=False, ordered=dict(zip(sample.names, cuts[0], strict=True))
    )
    sample = replace(sample, groups=groups)
    problem = _problem(table, sample, moments)
    start = _with_thresholds(start_values(table, sample), problem)
    solution = minimise(problem, start)
    return _result(text, table, sample, problem, solution, estimator)


def _check_items(parsed: ModelText, observed: Sequence[str], ordered: Sequence[str] | bool) -> None:
    names = list(observed) if ordered is True else [ordered] if isinstance(ordered, str) else list(ordered)
    for name in names:
        if name not in observed:
            raise UnknownNameError("ordered item", name, observed)
    other = [n for n in observed if n not in names]
    causes = {t.rhs for t in parsed.terms if t.op == "~"} | {t.lhs for t in parsed.terms if t.op == "=~"}
    causal = [n for n in names if n in causes]
    if other or causal:
        raise ParameterError(
            f"{(other or causal)[0]} is {'not ordered' if other else 'ordered and predicts something'}; DWLS and "
            "WLSMV fit models whose observed variables are all ordered and predict nothing."
        )


def _group(group: GroupSample, names: tuple[str, ...]) -> tuple[OrdinalMoments, GroupSample]:
    """Return a group's ordinal moments, and the group with its correlations in place of covariances."""
    columns, counts = [], []
    for k, name in enumerate(names):
        values, codes = np.unique(group.rows[:, k], return_inverse=True)
        if len(values) > 30:
            raise DataError(f"item {name} has {len(values)} values; an ordered item has at most 30.")
        columns.append(codes.reshape(-1))
        counts.append(len(values))
    moments = ordinal_moments(np.column_stack(columns), tuple(counts), names)
    p = len(names)
    patterns = Patterns(
        np.array([float(group.nobs)]), moments.correlations[None], np.zeros((1, p)), np.ones((1, p), dtype=bool)
    )
    return moments, replace(group, patterns=patterns, covariance=moments.correlations, mean=np.zeros(p))


def _problem(table: ParameterTable, sample: Sample, moments: Sequence[OrdinalMoments]) -> LeastSquares:
    parts = tuple(ResponseBlock(**{f: getattr(b, f) for f in Block.__dataclass_fields__}) for b in blocks(table))
    bases = tuple(b.base(g.covariance, g.mean) for b, g in zip(parts, sample.groups, strict=True))
    keys = {key: k for k, key in enumerate(table.keys)}
    which = []
    for g in range(1, table.groups + 1):
        rows = {(row.lhs, row.rhs): row for row in table.rows if row.group == g and row.op == "|"}
        fixed = next((row for row in rows.values() if not row.free), None)
        if fixed is not None:
            raise ParameterError(f"threshold {fixed.relation} is fixed; thresholds are estimated.")
        which.append(
            np.array(
                [
                    keys[rows[name, f"t{c + 1}"].key]
                    for name, t in zip(sample.names, moments[g - 1].thresholds, strict=True)
                    for c in range(len(t))
                ]
            )
        )
    low, high = pairs(len(sample.names))
    statistics = tuple(np.concatenate([*m.thresholds, m.correlations[low, high]]) for m in moments)
    return LeastSquares(
        parts,
        bases,
        statistics,
        tuple(m.gamma for m in moments),
        tuple(m.nobs for m in moments),
        tuple(which),
        len(table.keys),
        Constraints.of(table),
    )


def _with_thresholds(start: Array, problem: LeastSquares) -> Array:
    start = start.copy()
    for which, s in zip(problem.thresholds, problem.statistics, strict=True):
        start[which] = s[: len(which)]
    return start


def _result(
    text: str, table: ParameterTable, sample: Sample, problem: LeastSquares, solution: Solution, estimator: str
) -> SemFit:
    theta, N = solution.theta, sample.nobs
    curvature = covariance(problem.derivatives(theta)[1], free_directions(problem, theta))
    if not solution.converged:
        curvature = Covariance(
            np.full_like(curvature.inverse, np.nan), curvature.basis, curvature.rank, curvature.directions
        )
    usable = bool(solution.converged) and curvature.identified
    jacobians = [problem.jacobian(theta, k) for k in range(table.groups)]
    vcov = curvature.inverse
    if estimator == "WLSMV" and usable:
        vcov = vcov @ _meat(problem, jacobians) @ vcov
    statistics = sum(len(s) for s in problem.statistics)
    test = TestStatistic(2 * (N - len(sample.groups)) * float(solution.value), statistics - curvature.directions)
    base = _baseline(problem)
    base_test = TestStatistic(2 * (N - len(sample.groups)) * base[0], statistics - sum(map(len, problem.thresholds)))
    if estimator == "WLSMV" and usable:
        test = _shifted(test, problem, jacobians, curvature.inverse)
        base_test = _shifted(base_test, problem, base[1], base[2])
    return SemFit(
        text,
        estimator,
        "expected",
        table,
        sample,
        problem,
        solution,
        curvature,
        vcov / (N - len(sample.groups)),
        test,
        base_test,
        0.0,
    )


def _meat(problem: LeastSquares, jacobians: Sequence[Array]) -> Array:
    """Return J' W Gamma W J over the groups."""
    N, total = sum(problem.counts), 0.0
    for n, J, w, gamma in zip(problem.counts, jacobians, problem.weights, problem.gammas, strict=True):
        WJ = J * w[:, None]
        total = total + n / N * WJ.T @ gamma @ WJ
    return total


def _baseline(problem: LeastSquares) -> tuple[float, list[Array], Array]:
    """Return f, Jacobians and inverse Hessian of the model of uncorrelated responses: only thresholds are free."""
    N, value, jacobians, at = sum(problem.counts), 0.0, [], 0
    size = sum(map(len, problem.thresholds))
    hessian = np.zeros(size)
    for n, w, s, t in zip(problem.counts, problem.weights, problem.statistics, problem.thresholds, strict=True):
        value += n / (2 * N) * float((w[len(t) :] * s[len(t) :] ** 2).sum())
        J = np.zeros((len(s), size))
        J[np.arange(len(t)), at + np.arange(len(t))] = 1.0
        hessian[at : at + len(t)] = n / N * w[: len(t)]
        jacobians.append(J)
        at += len(t)
    return value, jacobians, np.diag(1 / hessian)


def _shifted(test: TestStatistic, problem: LeastSquares, jacobians: Sequence[Array], inverse: Array) -> TestStatistic:
    """Scale and shift a statistic so that its mean is its degrees of freedom and its variance twice that."""
    if test.df <= 0:
        return test
    N = sum(problem.counts)
    WJ = np.vstack(
        [np.sqrt(n / N) * J * w[:, None] for n, J, w in zip(problem.counts, jacobians, problem.weights, strict=True)]
    )
    size = len(WJ)
    U, G, at = -WJ @ inverse @ WJ.T, np.zeros((size, size)), 0
    for w, gamma in zip(problem.weights, problem.gammas, strict=True):
        inner = slice(at, at + len(w))
        U[inner, inner] += np.diag(w)
        G[inner, inner] = gamma
        at += len(w)
    UG = U @ G
    scale = np.sqrt(test.df / np.sum(UG * UG.T))
    return TestStatistic(test.chisq, test.df, float(1 / scale), float(test.df - scale * np.trace(UG)))
