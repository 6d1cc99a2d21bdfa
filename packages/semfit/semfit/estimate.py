"""Maximum likelihood: the discrepancy of model and sample, its derivatives, and the damped scoring that minimises it.

The discrepancy is f = sum over groups and patterns of n / (2 N) (log|Sigma| + tr(S Sigma^-1) + d' Sigma^-1 d): minus
the mean log likelihood without its constant. Its Hessian is the information per observation. Everything takes leading
batch axes; groups laid out alike are evaluated together, their implied moments and derivatives as one batch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import prod

import numpy as np
from scipy.linalg import lapack

from semfit.expressions import jacobian
from semfit.least_squares import LeastSquares
from semfit.missing import Expectation, MissingPatterns, Patterns
from semfit.model import Array, Block, Implied, attempt, bordered

Weighed = tuple[Patterns, Array, Array, Array]  # moments, and what ``weights`` returns


def weights(patterns: Patterns, covariance: Array, mean: Array | None) -> tuple[Array, Array, Array]:
    """Return W = Sigma^-1 by pattern (zeros where unobserved), d = m - mu, log|Sigma|; nan if not definite.

    Sigma is (..., p, p), mu (..., p) or None where means are not modelled, and d zero.
    """
    p, both = covariance.shape[-1], patterns.both
    Sigma = patterns.held(covariance[..., None, :, :])
    root = attempt(np.linalg.cholesky, Sigma)
    broken = np.isnan(root[..., 0, 0])
    W = attempt(np.linalg.inv, np.where(broken[..., None, None], np.eye(p), Sigma) if broken.any() else Sigma)
    if both is not None:
        W = np.where(both, W, 0.0)
    logdet = 2 * np.log(np.diagonal(root, axis1=-2, axis2=-1)).sum(-1)
    if mean is None:
        return W, np.zeros_like(patterns.mean), logdet
    d = patterns.mean - mean[..., None, :]
    return W, d if both is None else np.where(patterns.mask, d, 0.0), logdet


def discrepancy(patterns: Patterns, W: Array, d: Array, logdet: Array) -> Array:
    """Return the sum over patterns of n (log|Sigma| + tr(S W) + d' W d), from what ``weights`` returns."""
    fit = logdet + (W * patterns.covariance).sum((-1, -2)) + ((W @ d[..., None])[..., 0] * d).sum(-1)
    return (patterns.nobs * fit).sum(-1)


@dataclass(frozen=True)
class Layer:
    """Groups that have the same cells and differ in what stands there; all arrays have an axis of G groups.

    Parameters
    ----------
    block : Block
        The cells with a free parameter in any of the groups; each counts as a parameter of its own.
    source : array of int, shape (G, m)
        What stands in each cell: a free parameter or, from q on, one of ``numbers``.
    numbers : array
        Of cells that are free in some groups and fixed in others.
    base : (A, S)
        Fixed cells, shape (..., G, n, n).
    patterns : Patterns or MissingPatterns
        Sample moments, with the axis of groups before that of patterns; the groups share the mask. Or the rows of one
        group.
    """

    block: Block
    source: Array
    numbers: Array
    base: tuple[Array, Array]
    patterns: Patterns | MissingPatterns

    def cells(self, theta: Array) -> Array:
        """Return what stands in the cells, (..., G, m), for parameters of shape (..., q)."""
        if len(self.numbers):
            theta = np.concatenate([theta, np.broadcast_to(self.numbers, (*theta.shape[:-1], len(self.numbers)))], -1)
        return theta[..., self.source]

    @cached_property
    def _plain(self) -> bool:
        """Whether there is one group, with the parameters in the order of its cells."""
        return self.source.shape[0] == 1 and np.array_equal(self.source[0], self.block.theta)

    def collect(self, by_cell: Array, q: int, axes: int = 1) -> Array:
        """Sum what belongs to one free parameter, (..., G, m) to (..., q); with two axes of cells what to a pair."""
        *batch, _ = by_cell.shape[:-axes]
        if self._plain and by_cell.shape[-1] == q:
            return by_cell.reshape(*batch, *by_cell.shape[-axes:])
        size = q + len(self.numbers)
        places = self.source if axes == 1 else self.source[:, :, None] * size + self.source[:, None, :]
        at = places + size**axes * np.arange(prod(batch)).reshape(*batch, *(1,) * places.ndim)
        out = np.bincount(at.ravel(), by_cell.ravel(), prod(batch) * size**axes).reshape(*batch, *(size,) * axes)
        return out[..., :q] if axes == 1 else out[..., :q, :q]


def layers(
    blocks: Sequence[Block],
    patterns: Sequence[Patterns | MissingPatterns],
    bases: Sequence[tuple[Array, Array]],
    q: int,
) -> tuple[Layer, ...]:
    """Return one layer of all groups where they are laid out alike, else a layer for each.

    Parameters
    ----------
    blocks, patterns, bases : sequences
        By group, as in :class:`Likelihood`.
    q : int
        Number of free parameters.
    """
    groups = list(zip(blocks, patterns, bases, strict=True))
    apart = any(isinstance(one, MissingPatterns) for one in patterns)
    if len(groups) > 1 and not apart and all(_alike(groups[0], other) for other in groups[1:]):
        cells = [_cells(block) for block in blocks]
        if all(len(set(own)) == len(own) for own in cells):  # else two parameters in one cell, as score tests have it
            return (_layer(*_union(blocks, cells, q), groups),)
    single = []
    for block, group in zip(blocks, groups, strict=True):
        own = np.arange(len(block.theta))  # a block of such a layout has derived what another would derive again
        alike = block if np.array_equal(block.theta, own) else replace(block, theta=own)
        single.append(_layer(alike, block.theta[None], np.empty(0), [group]))
    return tuple(single)


def _cells(block: Block) -> list[tuple[bool, int, int]]:
    """Return the cells with free parameters."""
    return [_cell(*cell) for cell in zip(block.path.tolist(), block.row.tolist(), block.column.tolist(), strict=True)]


def _cell(path: bool, i: int, j: int) -> tuple[bool, int, int]:
    """Return a cell, that of a symmetric path above the diagonal."""
    return (path, i, j) if path or i <= j else (path, j, i)


def _alike(one: tuple, other: tuple) -> bool:
    """Whether two groups have the same variables, exogenous cells and patterns of missing values."""
    (b, s, base), (c, t, other_base) = one, other
    return (
        (b.names, b.observed, b.means, b.exogenous) == (c.names, c.observed, c.means, c.exogenous)
        and np.array_equal(s.mask, t.mask)
        and s.nobs.shape == t.nobs.shape
        and base[0].shape == other_base[0].shape
    )


def _union(blocks: Sequence[Block], cells: list[list[tuple]], q: int) -> tuple[Block, Array, Array]:
    """Return the cells that are free in any group, what stands there in each group, and the numbers among that."""
    every, source = list(dict.fromkeys(cell for own in cells for cell in own)), []
    numbers: list[float] = []
    for block, own in zip(blocks, cells, strict=True):
        standing = dict(zip(own, block.theta.tolist(), strict=True))
        fixed = {_cell(path, i, j): value for path, i, j, value in block.fixed}
        for cell in every:
            if cell not in standing:
                standing[cell] = q + len(numbers)
                numbers.append(fixed.get(cell, 0.0))
        source.append([standing[cell] for cell in every])
    path = np.array([cell[0] for cell in every], dtype=bool)
    row, column = (np.array([cell[k] for cell in every], dtype=int) for k in (1, 2))
    block = replace(blocks[0], path=path, row=row, column=column, theta=np.arange(len(every)))
    return block, np.array(source, dtype=int), np.array(numbers)


def _layer(block: Block, source: Array, numbers: Array, groups: list[tuple]) -> Layer:
    """Put the fixed cells and the moments of groups side by side."""
    A, S = (np.stack([base[k] for _, _, base in groups], -3) for k in (0, 1))
    if isinstance(groups[0][1], MissingPatterns):
        return Layer(block, source, numbers, (A, S), groups[0][1])
    patterns = Patterns(
        np.stack([s.nobs for _, s, _ in groups], -2),
        np.stack([s.covariance for _, s, _ in groups], -4),
        np.stack([s.mean for _, s, _ in groups], -3),
        groups[0][1].mask,
    )
    return Layer(block, source, numbers, (A, S), patterns)


@dataclass(frozen=True)
class Likelihood:
    """A model and the sample moments it is fitted to.

    Parameters
    ----------
    blocks : tuple of Block
        One per group.
    patterns : tuple of Patterns or MissingPatterns
        Sample moments, with or without a batch axis; or incomplete rows, with modelled means.
    bases : tuple of (A, S)
        Fixed cells of each group, see ``Block.base``.
    q : int
        Number of free parameters.
    constraints : callable, optional
        From parameters (..., q) to what must be zero (..., h); analytic.
    """

    blocks: tuple[Block, ...]
    patterns: tuple[Patterns | MissingPatterns, ...]
    bases: tuple[tuple[Array, Array], ...]
    q: int
    constraints: Callable[[Array], Array] | None = None
    _last: list = field(default_factory=list, init=False, repr=False, compare=False)

    @cached_property
    def nobs(self) -> Array:
        """Observations in all groups, shape (...)."""
        return sum(patterns.nobs.sum(-1) for patterns in self.patterns)

    @property
    def batched(self) -> bool:
        """Whether the sample has a batch axis, and not only the parameters."""
        return any(s.nobs.ndim > 1 for s in self.patterns)

    def take(self, rows: Array) -> Likelihood:
        """Return the problem for some rows of the batch."""

        def cut(x: Array, inner: int) -> Array:
            return x[rows] if x.ndim > inner else x

        patterns = self.patterns
        if self.batched:
            patterns = tuple(
                Patterns(cut(s.nobs, 1), cut(s.covariance, 3), cut(s.mean, 2), s.mask)
                for s in patterns
                if isinstance(s, Patterns)  # no others have a batch axis
            )
        bases = tuple((cut(A, 2), cut(S, 2)) for A, S in self.bases)
        return Likelihood(self.blocks, patterns, bases, self.q, self.constraints)

    @cached_property
    def _layers(self) -> tuple[Layer, ...]:
        """The groups that are evaluated together."""
        return layers(self.blocks, self.patterns, self.bases, self.q)

    def _at(self, theta: Array) -> list[tuple[Implied, Weighed | Array]]:
        """Return implied moments and their weights, or what they predict of missing values, by layer; the last theta's
        are kept, as both value and derivatives need them."""
        if self._last and np.array_equal(self._last[0], theta):
            return self._last[1]
        implied = [layer.block.implied(layer.cells(theta), layer.base) for layer in self._layers]
        point = [(x, _found(own.block, own.patterns, x)) for own, x in zip(self._layers, implied, strict=True)]
        self._last[:] = theta.copy(), point
        return point

    def points(self, theta: Array) -> list[tuple[Array, Array, Array | Expectation]]:
        """Return by group the implied covariance and mean at parameters (q,), and W or the ``Expectation``."""
        out = []
        for own, (implied, found) in zip(self._layers, self._at(theta[None]), strict=True):
            p = own.block.observed
            for k, covariance in enumerate(implied.covariance[0]):
                mean = implied.mean[0, k, :p] if own.block.means else np.zeros(p)
                out.append((covariance[:p, :p], mean, found[1][0, k] if isinstance(found, tuple) else found[0]))
        return out

    def value(self, theta: Array) -> Array:
        """Return f, infinite where an implied covariance matrix is not positive definite."""
        total = sum(_value(found) for _, found in self._at(theta)) / (2 * self.nobs)
        return np.where(np.isnan(total), np.inf, total)

    def derivatives(self, theta: Array, observed: bool = False) -> tuple[Array, Array]:
        """Return gradient (..., q) and Hessian (..., q, q) of f, expected or observed."""
        gradient = hessian = np.zeros(())
        for layer, (implied, found) in zip(self._layers, self._at(theta), strict=True):
            if isinstance(found, tuple):
                g, h = self._by_cell(layer.block, implied, *found[:3], observed)
            else:
                g, h = _incomplete(layer.block, implied, found, observed)
            gradient, hessian = gradient + layer.collect(g, self.q), hessian + layer.collect(h, self.q, axes=2)
        N = np.asarray(self.nobs)[..., None]
        return gradient / N, hessian / N[..., None]

    def _by_cell(
        self, block: Block, implied: Implied, patterns: Patterns, W: Array, d: Array, observed: bool
    ) -> tuple[Array, Array]:
        S = patterns.covariance
        if block.means:
            S = bordered(S + d[..., :, None] * d[..., None, :], d)
            W = bordered(W, np.zeros_like(d))
        R, n = block.columns(implied)[..., None, :, :], patterns.nobs[..., None, None]
        P = W @ R
        across = np.swapaxes(P, -1, -2)
        Q, B = across @ R, across @ S @ P
        gap = n * (Q - B)
        G = _over_patterns(gap)
        if not observed:
            return block.gradient(G), _over_patterns(block.expected(np.sqrt(n) * Q))
        H = _over_patterns(block.curvature(Q, n * Q - 2 * gap))
        return block.gradient(G), H + block.bending(G, implied)


def _over_patterns(matrices: Array) -> Array:
    """Sum (..., P, m, m) over patterns; a single one is not copied."""
    return matrices[..., 0, :, :] if matrices.shape[-3] == 1 else matrices.sum(-3)


def _value(found: Weighed | Array) -> Array:
    """Return minus twice the log likelihood of a layer, shape (...)."""
    if isinstance(found, tuple):
        return discrepancy(*found).sum(-1)
    return np.array([np.nan if one is None else one.value for one in found.flat]).reshape(found.shape)


def _found(block: Block, patterns: Patterns | MissingPatterns, implied: Implied) -> Weighed | Array:
    """Return the weights of moments; or what is predicted of missing values, one of a batch at a time, or None."""
    p, batch = block.observed, implied.covariance.shape[:-3]
    if isinstance(patterns, Patterns):
        return patterns, *weights(patterns, *implied.observed(p))
    out = np.full(batch, None)
    for k in np.ndindex(batch):
        with suppress(np.linalg.LinAlgError):
            out[k] = Expectation.at(patterns, implied.covariance[k][0, :p, :p], implied.mean[k][0, :p])
    return out


def _incomplete(block: Block, implied: Implied, points: Array, observed: bool) -> tuple[Array, Array]:
    """Return gradient (..., 1, m) and Hessian (..., 1, m, m) of a layer with missing values."""
    m = len(block.c)
    g, h = np.full((*points.shape, 1, m), np.nan), np.full((*points.shape, 1, m, m), np.nan)
    for k, point in np.ndenumerate(points):
        if point is not None:
            one = Implied(implied.effects[k][0], implied.covariance[k][0], implied.mean[k][0])
            g[k], h[k] = point.derivatives(block, one, observed)
    return g, h


Problem = Likelihood | LeastSquares


@dataclass(frozen=True)
class Solution:
    """Where the minimisation ended, by row of the batch.

    ``gradient`` is the largest absolute element of the gradient in the directions the constraints leave free.
    """

    theta: Array
    value: Array
    iterations: Array
    gradient: Array
    converged: Array


def minimise(problem: Problem, start: Array, *, limit: int = 500, tolerance: float = 1e-18) -> Solution:
    """Minimise f by damped Fisher scoring, then by Newton steps with the observed Hessian.

    Parameters
    ----------
    problem : Likelihood or LeastSquares
        What to minimise; with a batch axis if ``start`` has one.
    start : array, shape (q,) or (batch, q)
        Start values.
    limit : int
        Steps at most.
    tolerance : float
        Stop after the undamped step whose decrement, its squared length in units of the standard errors of one
        observation, is below it; a Newton step squares it.

    Notes
    -----
    Fisher scoring converges from afar but only linearly; the Newton steps make the end quadratic. Equality constraints
    enter each step as a Karush-Kuhn-Tucker system, with the sum of their absolute violations in the merit function.
    """
    single = start.ndim == 1
    theta = np.array(np.atleast_2d(start), dtype=float)
    batch = len(theta)
    f = np.atleast_1d(problem.value(theta))
    state = {name: np.full(batch, np.inf) for name in ("decrement", "gradient", "best")}
    state |= {"iterations": np.zeros(batch, int), "stuck": np.zeros(batch, int)}
    state |= {"damping": np.zeros(batch), "damped": np.ones(batch, bool)}
    active = np.flatnonzero(np.isfinite(f))
    part, taken = problem, np.arange(batch)
    while len(active):
        far = active[~(state["decrement"][active] < 0.1)]
        rows = far if len(far) else active  # those that are near wait, so that none is held up by another
        if not np.array_equal(rows, taken):
            part, taken = problem if len(rows) == batch else problem.take(rows), rows
        _advance(part, theta, f, state, rows, near=not len(far))
        done = (state["decrement"][active] < tolerance) & ~state["damped"][active] | (state["stuck"][active] > 12)
        done |= state["iterations"][active] >= limit
        active = active[~done]
    converged = np.isfinite(f) & (state["decrement"] < 1e-10)
    fields = theta, f, state["iterations"], state["gradient"], converged
    return Solution(*(x[0] for x in fields)) if single else Solution(*fields)


def _advance(part: Problem, theta: Array, f: Array, state: dict[str, Array], active: Array, near: bool) -> None:
    """Take one step in every active row, in place."""
    at = active if len(active) < len(theta) else slice(None)  # which is faster
    now = theta[at]
    g, H = part.derivatives(now, observed=near)
    if near and H.shape[-1] and part.constraints is None:
        bad = np.isnan(attempt(np.linalg.cholesky, H)[:, 0, 0])
        if bad.any():
            own = part.take(np.flatnonzero(bad)) if part.batched else part
            H[bad] = own.derivatives(now[bad])[1]
    damping = state["damping"][at]
    step, multipliers, h = _step(part, now, g, H, damping)
    slope = g
    if part.constraints is not None:
        J = jacobian(part.constraints, now)
        slope = g + (J.swapaxes(-1, -2) @ multipliers[..., None])[..., 0]
    whole = _step(part, now, g, H, np.zeros_like(damping))[0] if damping.any() else step
    decrement = np.abs(((H @ whole[..., None])[..., 0] * whole).sum(-1)) + np.abs(h).sum(-1) ** 2
    penalty = 2 * np.abs(multipliers).max(-1) if multipliers.shape[-1] else 0.0
    new = now + step
    value = np.atleast_1d(part.value(new))
    merit_old, merit_new = f[at], value
    if part.constraints is not None:
        merit_old = merit_old + penalty * np.abs(h).sum(-1)
        merit_new = merit_new + penalty * np.abs(part.constraints(new)).sum(-1)
    slack = (1e-13 if near else 1e-15) * (1 + np.abs(merit_old))
    better, best = merit_new <= merit_old + slack, state["best"][at]
    # once rounding decides, so that f falls no more, a step that does not shorten the next one is the last
    shorter = (merit_old - merit_new > slack) | (decrement < 0.5 * best if near else True)
    easier = np.where(damping > 1e-6, damping / 8, 0.0)
    found = {
        "best": np.minimum(decrement, best),
        "stuck": np.where(better & shorter, 0, state["stuck"][at] + 1),
        "damped": damping > 0,
        "damping": np.where(better, easier, np.maximum(damping * 6, 1e-3)),
        "decrement": decrement,
        "gradient": np.abs(slope).max(-1, initial=0.0),
        "iterations": state["iterations"][at] + 1,
    }
    for name, values in found.items():
        state[name][at] = values
    f[at], theta[at] = np.where(better, value, f[at]), np.where(better[:, None], new, now)


def _step(part: Problem, theta: Array, g: Array, H: Array, damping: Array) -> tuple[Array, Array, Array]:
    """Solve for the step and for the multipliers of the constraints; return what these leave as well."""
    q = g.shape[-1]
    diagonal = np.maximum(np.abs(np.diagonal(H, axis1=-2, axis2=-1)), 1e-12)
    K = H.copy()
    K.reshape(len(K), -1)[:, :: q + 1] += (damping[:, None] + 1e-14) * diagonal
    if part.constraints is None:
        return -_solve(K, g), *np.zeros((2, len(theta), 0))
    h, J = part.constraints(theta), jacobian(part.constraints, theta)
    m = h.shape[-1]
    full = np.zeros((len(theta), q + m, q + m))
    full[:, :q, :q], full[:, q:, :q], full[:, :q, q:] = K, J, J.swapaxes(-1, -2)
    full[:, q:, q:] = -1e-14 * np.eye(m)
    out = -_solve(full, np.concatenate([g, h], -1))
    return out[:, :q], out[:, q:], h


def _solve(K: Array, b: Array) -> Array:
    if len(K) == 1:  # a definite system in half the time
        _, x, failed = lapack.dposv(K[0], b[0])
        if not failed:
            return x[None]
    try:
        return np.linalg.solve(K, b[..., None])[..., 0]
    except np.linalg.LinAlgError:
        return (np.linalg.pinv(K) @ b[..., None])[..., 0]
