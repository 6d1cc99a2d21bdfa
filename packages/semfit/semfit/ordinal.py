"""Fit models of ordered items to thresholds and polychoric correlations, with robust errors and tests.

References: Muthén, du Toit & Spisic (1997), Robust inference using weighted least squares; the scaled and shifted
statistic: Asparouhov & Muthén (2010), Simple second order chi-square correction.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd

from semfit.errors import DataError, ParameterError, one_of
from semfit.estimate import Solution
from semfit.inference import Constraints, TestStatistic, covariance, free_directions
from semfit.least_squares import LeastSquares, pairs, response_blocks
from semfit.missing import Patterns
from semfit.moments import GroupSample, Sample, read
from semfit.polychoric import Array, OrdinalMoments, ordinal_moments
from semfit.result import SemFit
from semfit.solved import FitOptions
from semfit.start import settle, start_values
from semfit.syntax import ModelText
from semfit.table import ParameterTable, build, find_roles

PARAMETERIZATIONS = ("delta", "theta")


def fit_ordinal(
    text: str, parsed: ModelText, data: pd.DataFrame, ordered: Sequence[str] | bool, estimator: str, options: FitOptions
) -> SemFit:
    """Fit a model of ordered items.

    Parameters
    ----------
    text, parsed : str, ModelText
        The model as written and as read.
    options : FitOptions
        Of :func:`semfit.fit`. With equal thresholds the scales ("delta") or residual variances ("theta") and the latent
        means of later groups are free, as in lavaan.

    Raises
    ------
    ParameterError
        Where the model holds observed variables that are not ordered items of latent variables.
    DataError
        Where an item has more than 30 values, a group never uses a category, or two items are perfectly associated.
    """
    roles = find_roles(parsed.terms)
    _check_items(parsed, roles.observed, ordered)
    sample, group_equal = read(data, roles.observed, group=options["group"]), options["group_equal"]
    sample = replace(sample, groups=_coded(sample))
    counts = [int(c) for c in np.max([g.raw[0].max(0) for g in sample.groups], axis=0) + 1]
    table = build(
        parsed,
        groups=len(sample.groups),
        group_equal=tuple({*group_equal, "intercepts"}) if "thresholds" in group_equal else group_equal,  # as lavaan
        std_lv=options["std_lv"],
        ordered={name: c - 1 for name, c in zip(sample.names, counts, strict=True)},
        parameterization=options["parameterization"],
    )
    moments = [ordinal_moments(g.raw[0].astype(int), tuple(counts), sample.names) for g in sample.groups]
    groups = []
    for g, m in zip(sample.groups, moments, strict=True):
        patterns = Patterns.whole(m.nobs, m.correlations, np.zeros(len(m.correlations)))
        groups.append(replace(g, patterns=patterns, covariance=m.correlations, mean=patterns.mean[0]))
    sample = replace(sample, groups=tuple(groups))
    problem = _problem(table, sample, moments)
    solution = settle(problem, table, partial(_start, table, sample, problem), 1e-18)
    return replace(_result(text, table, sample, problem, solution, estimator), options=options)


def _check_items(parsed: ModelText, observed: Sequence[str], ordered: Sequence[str] | bool) -> None:
    names = list(observed) if isinstance(ordered, bool) else [ordered] if isinstance(ordered, str) else list(ordered)
    for name in names:
        one_of("ordered item", name, observed)
    other = [n for n in observed if n not in names]
    causes = {t.rhs for t in parsed.terms if t.op in ("~", "<~")} | {t.lhs for t in parsed.terms if t.op == "=~"}
    causal = [n for n in names if n in causes]
    if other or causal:
        raise ParameterError(
            f"{(other or causal)[0]} is {'not ordered' if other else 'ordered and predicts something'}; DWLS and "
            "WLSMV fit models whose observed variables are all ordered and predict nothing."
        )


def _coded(sample: Sample) -> tuple[GroupSample, ...]:
    """Return the groups with answers as categories from 0, the same ones in every group."""
    every = np.vstack([g.raw[0] for g in sample.groups])
    codes = np.empty_like(every)
    edges = np.cumsum([g.nobs for g in sample.groups])[:-1]
    for k, name in enumerate(sample.names):
        values, own = np.unique(every[:, k], return_inverse=True)
        if len(values) > 30:
            raise DataError(f"item {name} has {len(values)} values; an ordered item has at most 30.")
        codes[:, k] = own.reshape(-1)
        for group, part in zip(sample.groups, np.split(codes[:, k], edges), strict=True):
            unused = np.setdiff1d(np.arange(len(values)), part)
            if len(unused):
                raise DataError(
                    f"item {name} is never {values[unused[0]]:g} in group {group.label}; every group must use every "
                    "category of an ordered item: merge categories."
                )
    return tuple(replace(g, rows=part) for g, part in zip(sample.groups, np.split(codes, edges), strict=True))


def _problem(table: ParameterTable, sample: Sample, moments: Sequence[OrdinalMoments]) -> LeastSquares:
    parts = response_blocks(table)
    low, high = pairs(len(sample.names))
    notes = tuple(
        f"{what}{f' in group {g.label}' if g.label else ''}: {len(pairs)} ({', '.join(pairs)}); {so}."
        for g, m in zip(sample.groups, moments, strict=True)
        for what, pairs, so in (
            ("Two-by-two tables with an empty cell", m.filled, "0.5 was put there, margins kept"),
            ("Tables without a row of both rare answers", m.flat, "they say of a correlation that it is large, not how "
             "large, and hardly count"),
        )
        if pairs
    )  # fmt: skip
    return LeastSquares(
        blocks=parts,
        bases=tuple(b.base(g.covariance, g.mean) for b, g in zip(parts, sample.groups, strict=True)),
        statistics=tuple(np.concatenate([*m.thresholds, m.correlations[low, high]]) for m in moments),
        weights=tuple(1 / np.diag(m.gamma) for m in moments),
        gammas=tuple(m.gamma for m in moments),
        counts=tuple(m.nobs for m in moments),
        q=len(table.keys),
        constraints=Constraints.of(table),
        notes=notes,
    )


def _start(
    table: ParameterTable, sample: Sample, problem: LeastSquares, loadings: Callable[..., Array] | None = None
) -> Array:
    """Return start values: scales and free residual variances 1, thresholds those of the first group that has them."""
    unit = {row.key for row in table.rows if row.op == "~*~"}
    unit |= {row.key for row in table.rows if row.op == "~~" and row.lhs == row.rhs in sample.names}
    start = np.where([key in unit for key in table.keys], 1.0, start_values(table, sample, loadings))
    given = {row.key: row.start for row in table.rows if row.start is not None}
    start = np.array([given.get(key, s) for key, s in zip(table.keys, start, strict=True)])
    for block, base, s in reversed(list(zip(problem.blocks, problem.bases, problem.statistics, strict=True))):
        _, d, _ = block.parts(start, base)
        row, k = np.nonzero(block.cuts)
        start[k] = s[row] / d[block.item[row]]
    return start


def _result(
    text: str, table: ParameterTable, sample: Sample, problem: LeastSquares, solution: Solution, estimator: str
) -> SemFit:
    theta, rows = solution.theta, sample.nobs - len(sample.groups)
    curvature = covariance(problem.derivatives(theta)[1], free_directions(problem, theta), bool(solution.converged))
    vcov, moments = curvature.inverse, sum(map(len, problem.statistics))
    test = TestStatistic(2 * rows * float(solution.value), moments - curvature.directions)
    base, *base_traces = _baseline(problem)
    base_test = TestStatistic(2 * rows * base, moments - sum(len(block.item) for block in problem.blocks))
    if estimator == "WLSMV" and solution.converged and curvature.identified:
        meat, *traces = _robust(problem, theta, vcov)
        vcov = vcov @ meat @ vcov
        test, base_test = _shifted(test, *traces), _shifted(base_test, *base_traces)
    return SemFit(
        text, estimator, "expected", table, sample, problem, solution, curvature, vcov / rows, test, base_test, 0.0
    )


def _baseline(problem: LeastSquares) -> tuple[float, float, float]:
    """Return f, tr(U Gamma) and tr(U Gamma U Gamma) of the model of uncorrelated responses: only thresholds are free.

    What that leaves of W is U, the weights of the correlations.
    """
    value = trace = square = 0.0
    each = zip(problem.shares, problem.blocks, problem.statistics, problem.weights, problem.gammas, strict=True)
    for share, block, s, w, gamma in each:
        of = slice(len(block.item), None)
        value += share / 2 * float((w[of] * s[of] ** 2).sum())
        trace, square = trace + float(w[of] @ np.diag(gamma)[of]), square + float(w[of] @ gamma[of, of] ** 2 @ w[of])
    return value, trace, square


def _robust(problem: LeastSquares, theta: Array, inverse: Array) -> tuple[Array, float, float]:
    """Return ``problem.meat``, tr(U Gamma) and tr(U Gamma U Gamma) with U = W - W J inverse J' W."""
    N, trace, square = sum(problem.counts), 0.0, 0.0
    meat = twice = np.zeros(())
    for k, (n, w, gamma) in enumerate(zip(problem.counts, problem.weights, problem.gammas, strict=True)):
        WJ = problem.jacobian(theta, k) * w[:, None]
        moved = gamma @ WJ
        meat, twice = meat + n / N * WJ.T @ moved, twice + n / N * moved.T @ (w[:, None] * moved)
        trace, square = trace + float(w @ np.diag(gamma)), square + float(w @ gamma**2 @ w)
    taken = inverse @ meat
    return meat, trace - float(np.trace(taken)), square - float(2 * np.sum(inverse * twice) - np.sum(taken * taken.T))


def _shifted(test: TestStatistic, trace: float, square: float) -> TestStatistic:
    """Scale and shift a statistic so that its mean is its degrees of freedom and its variance twice that.

    ``trace`` and ``square`` are tr(U Gamma) and tr(U Gamma U Gamma).
    """
    if test.df <= 0:
        return test
    scale = np.sqrt(test.df / square)
    return TestStatistic(test.chisq, test.df, float(1 / scale), float(test.df - scale * trace))
