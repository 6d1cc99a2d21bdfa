"""Diagonally weighted least squares for ordered items: what a model implies for thresholds and correlations.

A response y* behind each item has mean mu and variance 1 / d^2; its thresholds tau cut it into categories. The model's
statistics are d (tau - mu), then the correlations d_i d_j Sigma_ij, and the discrepancy is f = sum over G groups of
(n - 1) / (2 (N - G)) (s - sigma)' W (s - sigma), with s those of the sample and W the inverse of the diagonal of s's
asymptotic covariance matrix Gamma; the information weighs groups by n / N. Both are lavaan's. In the "delta"
parameterisation the scales d are parameters and residual variances follow; in "theta" it is the other way round.

References: Muthén, du Toit & Spisic (1997), Robust inference using weighted least squares; the parameterisations:
Muthén & Asparouhov (2002), Latent variable analysis with categorical outcomes, Mplus web note 4.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from semfit.model import Array, Block, Implied, blocks
from semfit.table import Parameter, ParameterTable


@dataclass(frozen=True)
class ResponseBlock(Block):
    """The RAM of the responses behind the ordered items of one group, with thresholds and scales linear in theta.

    Parameters
    ----------
    item : array of int, shape (t,)
        The item that each threshold cuts.
    cut, cuts : arrays, shapes (t,) and (t, q)
        Thresholds are cut + cuts theta.
    scale, scales : arrays, shapes (p,) and (p, q)
        In "delta" the scales d are scale + scales theta; None in "theta".
    """

    item: Array
    cut: Array
    cuts: Array
    scale: Array | None
    scales: Array

    def matrices(self, theta: Array, base: tuple[Array, Array]) -> tuple[Array, Array]:
        """Return A and S; in "delta" with the residual variances that give every response its variance."""
        A, S = super().matrices(theta, base)
        if self.scale is not None:
            E, at = self.effects(A), np.arange(self.observed)
            shared = np.diagonal(E @ S @ np.swapaxes(E, -1, -2), axis1=-2, axis2=-1)[..., at]
            S[..., at, at] = (self.scale + theta @ self.scales.T) ** -2.0 - shared
        return A, S

    def parts(self, theta: Array, base: tuple[Array, Array]) -> tuple[Implied, Array, Array]:
        """Return the implied moments, the scales d (..., p) and the distances tau - mu (..., t)."""
        implied = self.implied(theta, base)
        above = self.cut + theta @ self.cuts.T
        if self.means:
            above = above - implied.mean[..., self.item]
        if self.scale is not None:
            return implied, self.scale + theta @ self.scales.T, above
        with np.errstate(invalid="ignore", divide="ignore"):
            own = np.diagonal(implied.covariance, axis1=-2, axis2=-1)[..., : self.observed]
            return implied, own**-0.5, above

    def statistics(self, theta: Array, base: tuple[Array, Array]) -> Array:
        """Return standardised thresholds, then correlations below the diagonal, shape (..., m)."""
        implied, d, above = self.parts(theta, base)
        low, high = pairs(self.observed)
        correlations = d[..., low] * d[..., high] * implied.covariance[..., low, high]
        return np.concatenate([d[..., self.item] * above, correlations], -1)

    def correlations(self, theta: Array, base: tuple[Array, Array]) -> Array:
        """Return the implied correlation matrix of the responses, shape (..., p, p)."""
        implied, d, _ = self.parts(theta, base)
        p = self.observed
        return implied.covariance[..., :p, :p] * d[..., :, None] * d[..., None, :]

    def jacobian(self, theta: Array, base: tuple[Array, Array]) -> Array:
        """Return d statistics / d theta, shape (..., m, q)."""
        implied, d, above = self.parts(theta, base)
        p, item, (low, high), R = self.observed, self.item, pairs(self.observed), self.columns(implied)
        u, v, own = R[..., self.row], R[..., self.v], np.arange(p)

        def moved(i: Array, j: Array) -> Array:
            by_cell = self.c * (u[..., i, :] * v[..., j, :] + v[..., i, :] * u[..., j, :])
            return self.collect(by_cell, self.cuts.shape[1])

        if self.scale is not None:
            slope = np.broadcast_to(self.scales, (*theta.shape[:-1], *self.scales.shape))
        else:
            slope = -0.5 * d[..., None] ** 3 * moved(own, own)
        shift = self.cuts - moved(own, np.full(p, p))[..., item, :] if self.means else self.cuts
        top = d[..., item, None] * shift + above[..., None] * slope[..., item, :]
        first, second, C = d[..., low, None], d[..., high, None], implied.covariance[..., low, high, None]
        bottom = first * second * moved(low, high) + C * (slope[..., low, :] * second + first * slope[..., high, :])
        return np.concatenate([top, bottom], -2)

    def disordered(self, theta: Array) -> list[str]:
        """Return the items whose thresholds do not increase."""
        cuts = self.cut + self.cuts @ theta
        wrong = (np.diff(cuts) <= 0) & (np.diff(self.item) == 0)
        return [self.names[k] for k in np.unique(self.item[:-1][wrong])]

    def extended(self, q: int, added: Mapping[int, Parameter]) -> ResponseBlock:
        """Return the block for q parameters, some of which (by number) are added to a threshold or to a scale."""
        cuts, scales = (np.pad(m, ((0, 0), (0, q - m.shape[1]))) for m in (self.cuts, self.scales))
        for k, row in added.items():
            item = self.names.index(row.lhs)
            if row.op == "|":
                cuts[np.flatnonzero(self.item == item)[int(row.rhs[1:]) - 1], k] = 1.0
            else:
                scales[item, k] = 1.0
        return replace(self, cuts=cuts, scales=scales)


def pairs(p: int) -> tuple[Array, Array]:
    """Return rows and columns below the diagonal, column by column."""
    high, low = np.triu_indices(p, 1)
    return low, high


def response_blocks(table: ParameterTable) -> tuple[ResponseBlock, ...]:
    """Lay out every group of the table of a model of ordered items."""
    keys, names = table.position, table.roles.observed
    found = []
    for g, block in enumerate(blocks(table), start=1):
        own = {(row.lhs, row.op, row.rhs): row for row in table.rows if row.group == g}
        cuts = [[r for (n, op, _), r in own.items() if op == "|" and n == name] for name in names]
        cuts = [sorted(rows, key=lambda row: int(row.rhs[1:])) for rows in cuts]
        scales = [own[name, "~*~", name] for name in names]
        item = np.repeat(np.arange(len(names)), [len(rows) for rows in cuts])
        cut = _linear([row for rows in cuts for row in rows], keys)
        scale, free = _linear(scales, keys)
        given = None if any(row.implied for row in scales) else scale
        parent = {f: getattr(block, f) for f in Block.__dataclass_fields__}
        found.append(ResponseBlock(**parent, item=item, cut=cut[0], cuts=cut[1], scale=given, scales=free))
    return tuple(found)


def _linear(rows: list[Parameter], keys: dict[str, int]) -> tuple[Array, Array]:
    """Return fixed values and which parameter each row is, so that the rows are fixed + free theta."""
    fixed = np.array([row.value or 0.0 for row in rows], dtype=float)
    free = np.zeros((len(rows), len(keys)))
    for k, row in enumerate(rows):
        if row.free:
            free[k, keys[row.key]] = 1.0
    return fixed, free


@dataclass(frozen=True)
class LeastSquares:
    """A model and the statistics of ordered items it is fitted to; minimised like a ``Likelihood``.

    Parameters
    ----------
    blocks : tuple of ResponseBlock
        One per group.
    bases : tuple of (A, S)
        Fixed cells of each group, see ``Block.base``.
    statistics, weights : tuple of arrays, shape (..., m)
        By group s and the diagonal of W, with or without a batch axis.
    gammas : tuple of arrays, shape (m, m)
        By group N times the covariance matrix of s; empty where none is needed.
    counts : tuple of int
        Rows by group.
    q : int
        Number of free parameters.
    constraints : callable, optional
        From parameters (..., q) to what must be zero (..., h).
    notes : tuple of str
        What was done to the data so that they could be used.
    """

    blocks: tuple[ResponseBlock, ...]
    bases: tuple[tuple[Array, Array], ...]
    statistics: tuple[Array, ...]
    weights: tuple[Array, ...]
    gammas: tuple[Array, ...]
    counts: tuple[int, ...]
    q: int
    constraints: Callable[[Array], Array] | None = None
    notes: tuple[str, ...] = ()

    @property
    def batched(self) -> bool:
        """Whether the sample has a batch axis, and not only the parameters."""
        return any(s.ndim > 1 for s in self.statistics)

    def take(self, rows: Array) -> LeastSquares:
        """Return the problem for some rows of the batch."""
        cut = [tuple(x[rows] if x.ndim > 1 else x for x in part) for part in (self.statistics, self.weights)]
        return replace(self, statistics=cut[0], weights=cut[1])

    @property
    def shares(self) -> Array:
        """The weight of each group in f."""
        return (np.array(self.counts) - 1) / (sum(self.counts) - len(self.counts))

    def value(self, theta: Array) -> Array:
        """Return f, infinite where the model implies a negative variance."""
        total = sum(
            share / 2 * (w * self.residual(theta, k) ** 2).sum(-1)
            for k, (share, w) in enumerate(zip(self.shares, self.weights, strict=True))
        )
        return np.where(np.isnan(total), np.inf, total)

    def residual(self, theta: Array, k: int) -> Array:
        """Return s - sigma of a group."""
        return self.statistics[k] - self.blocks[k].statistics(theta, self.bases[k])

    def jacobian(self, theta: Array, k: int) -> Array:
        """Return d sigma / d theta of a group, shape (..., m, q)."""
        return self.blocks[k].jacobian(theta, self.bases[k])

    def derivatives(self, theta: Array, observed: bool = False) -> tuple[Array, Array]:
        """Return the gradient of f and the expected information of one observation."""
        gradient = hessian = np.zeros(())
        for k, (n, w) in enumerate(zip(self.counts, self.weights, strict=True)):
            root = np.sqrt(w)
            J, e = self.jacobian(theta, k) * root[..., None], self.residual(theta, k) * root
            gradient = gradient - (np.swapaxes(J, -1, -2) @ e[..., None])[..., 0] * self.shares[k]
            hessian = hessian + np.swapaxes(J, -1, -2) @ J * (n / sum(self.counts))
        return gradient, hessian

    def meat(self, theta: Array) -> Array:
        """Return the covariance matrix (q, q) of the gradient of f, times N: J' W Gamma W J over the groups."""
        total = np.zeros(())
        for k, (n, w, gamma) in enumerate(zip(self.counts, self.weights, self.gammas, strict=True)):
            WJ = self.jacobian(theta, k) * w[:, None]
            total = total + n / sum(self.counts) * WJ.T @ gamma @ WJ
        return total
