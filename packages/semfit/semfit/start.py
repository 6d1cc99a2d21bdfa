"""Choose start values: loadings from the first principal component, means from the sample, paths at zero."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace

import numpy as np

from semfit.columns import correlation
from semfit.estimate import Problem, Solution, minimise
from semfit.expressions import jacobian
from semfit.model import Array
from semfit.moments import GroupSample, Sample
from semfit.table import Parameter, ParameterTable


def settle(
    problem: Problem, table: ParameterTable, start: Callable[[Callable[..., Array] | None], Array], tolerance: float
) -> Solution:
    """Minimise from the start values; where that ends at no minimum, from three others, and keep the lowest found.

    Weak indicators and few rows leave several minima, and slopes on which f falls on while a variance runs to infinity.
    The others are instrumental loadings (Hägglund 1982, doi:10.1007/BF02296276) with latent variances as they follow
    and a tenth of them, and weak loadings. ``start`` is ``start_values`` as a function of what gives the loadings.
    """
    first = minimise(problem, _off_saddle(problem, start(None)), limit=150, tolerance=tolerance)
    if first.converged:
        return first
    latent = {row.key for row in table.rows if row.op == "~~" and row.lhs == row.rhs in table.roles.latent}
    instrumental = start(_instrumental)
    small = np.where([key in latent for key in table.keys], 0.1, 1.0) * instrumental
    weak = start(lambda *given: 0.3 * _component(*given))
    tried = minimise(problem, np.stack([instrumental, small, weak]), limit=300, tolerance=tolerance)
    best = np.where(tried.converged, tried.value, np.inf).argmin()
    other = Solution(*(getattr(tried, field.name)[best] for field in fields(Solution)))
    if other.converged and other.value < first.value:
        return other
    further = minimise(problem, first.theta, limit=600, tolerance=tolerance)
    return other if other.converged and not further.converged else further


def start_values(table: ParameterTable, sample: Sample, loadings: Callable[..., Array] | None = None) -> Array:
    """Return start values of the free parameters.

    Parameters
    ----------
    table : ParameterTable
        Its ``start`` entries come first.
    sample : Sample
        Covariances give loadings and variances, means give intercepts.
    loadings : callable, optional
        What gives the standardised loadings of a latent variable; by default its items' first component.

    Returns
    -------
    array, shape (q,)
        In the order of ``table.keys``, in the units of the variables.

    Notes
    -----
    The implied covariance matrix they give is positive definite: residual variances are half the sample variances and
    latent variables start uncorrelated.
    """
    found: dict[str, float] = {}
    for k, group in enumerate(sample.groups, start=1):
        rows = [row for row in table.rows if row.group == k]
        guess = _group(rows, table, group, sample.names, loadings or _component)
        for row in rows:
            if row.free:
                value = row.start if row.start is not None else guess.get((row.lhs, row.op, row.rhs), 0.0)
                if row.key not in found or row.start is not None:
                    found[row.key] = value
    return np.array([found[key] for key in table.keys])


def _off_saddle(problem: Problem, start: Array) -> Array:
    """Return the minimum without constraints where one has no slope at the start, as a*b == 0.1 at a = b = 0."""
    if problem.constraints is None or jacobian(problem.constraints, start).any(1).all():
        return start
    free = minimise(replace(problem, constraints=None), start)
    return free.theta if free.converged else start


def _group(
    rows: list[Parameter],
    table: ParameterTable,
    group: GroupSample,
    names: tuple[str, ...],
    standardised: Callable[..., Array],
) -> dict[tuple, float]:
    """Return a start value by (lhs, op, rhs)."""
    at = {name: k for k, name in enumerate(names)}
    size = dict(zip(names, np.sqrt(np.diag(group.covariance)).tolist(), strict=True))  # of everything, in the end
    items = set(table.roles.observed) & {row.rhs for row in rows if row.op == "=~"}
    guess: dict[tuple, float] = {(row.lhs, "<~", row.rhs): 1 / size.get(row.rhs, 1.0) for row in rows if row.op == "<~"}
    under: dict[str, list[Parameter]] = {latent: [] for latent in table.roles.latent}
    for row in rows:
        if row.op == "=~":
            under[row.lhs].append(row)
    R = correlation(group.covariance)
    for latent in _from_below(under):
        if latent in table.roles.composites:
            weight = np.zeros(len(at))
            for row in rows:
                if row.op == "<~" and row.lhs == latent and row.rhs in at:
                    weight[at[row.rhs]] = guess[row.lhs, "<~", row.rhs] if row.value is None else row.value
            size[latent] = float(np.sqrt(max(weight @ group.covariance @ weight, 1e-6)))
            continue
        loadings = under[latent]
        share = standardised(loadings, at, R)
        raw = {row.rhs: s * size.get(row.rhs, 1.0) for row, s in zip(loadings, share, strict=True)}
        unit = _unit(loadings, raw, rows, latent)
        size[latent] = abs(unit)
        for row in loadings:
            guess[row.lhs, "=~", row.rhs] = raw[row.rhs] / unit
    for name, s in size.items():
        inside = name in items or name in table.roles.latent and name not in table.roles.exogenous_latent
        guess[name, "~~", name] = (0.5 if inside else 1.0) * s**2
    return guess | {(name, "~1", ""): mean for name, mean in zip(names, group.mean.tolist(), strict=True)}


def _from_below(under: Mapping[str, list[Parameter]]) -> list[str]:
    """Order latent variables so that factors come before the factors they indicate."""
    ordered: list[str] = []
    while len(ordered) < len(under):
        left = [name for name in under if name not in ordered]
        ready = (name for name in left if not any(row.rhs in left and row.rhs != name for row in under[name]))
        ordered.append(next(ready, left[0]))
    return ordered


def _component(loadings: list[Parameter], at: dict[str, int], R: Array) -> Array:
    """Return standardised loadings, .3 to .9 in size, signed as in the first principal component."""
    if any(row.rhs not in at for row in loadings):
        return np.full(len(loadings), 0.7)
    chosen = np.array([at[row.rhs] for row in loadings])
    values, vectors = np.linalg.eigh(R[chosen[:, None], chosen])
    first = vectors[:, -1] * np.sqrt(values[-1])
    signs = np.where(first < 0, -1, 1)
    return signs * signs[0] * np.clip(np.abs(first), 0.3, 0.9)


def _instrumental(loadings: list[Parameter], at: dict[str, int], R: Array) -> Array:
    """Return loadings that the other items as instruments give in units of the first, the largest at .7."""
    if len(loadings) < 3 or any(row.rhs not in at for row in loadings):
        return _component(loadings, at, R)
    chosen = np.array([at[row.rhs] for row in loadings])
    R, found = R[chosen[:, None], chosen], np.ones(len(chosen))
    for j in range(1, len(chosen)):
        z = np.delete(np.arange(len(chosen)), [0, j])
        weight = np.linalg.solve(R[np.ix_(z, z)], R[z, 0])
        found[j] = R[j, z] @ weight / (R[0, z] @ weight)
    return 0.7 * found / np.abs(found).max()


def _unit(loadings: list[Parameter], raw: dict[str, float], rows: list[Parameter], latent: str) -> float:
    """Return the signed standard deviation that a fixed loading, or a fixed variance, gives."""
    for row in loadings:
        if row.value:
            return raw[row.rhs] / row.value
    variance = next((row.value for row in rows if row.op == "~~" and row.lhs == row.rhs == latent), None)
    return max(abs(next(iter(raw.values()))), 1e-3) if variance is None else 1 / np.sqrt(max(variance, 1e-6))
