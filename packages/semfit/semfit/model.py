"""The reticular action model (RAM) of one group: implied moments and their first and second derivatives.

Directed paths are A, symmetric paths S; with E = (I - A)^-1 the variables have covariance C = E S E' and, where means
are modelled, mean E m, with m the paths from the constant 1. Every derivative of the augmented second moments
M = [[Sigma + mu mu', mu], [mu', 1]] has the form c (u v' + v u') with u and v columns of [E, C]; so the gradient and
both information matrices are indexed entries of a few matrix products, with no loop over parameters. All arrays may
carry leading batch axes.

References: McArdle & McDonald (1984), doi:10.1111/j.2044-8317.1984.tb00802.x; von Oertzen & Brick (2014),
doi:10.3758/s13428-013-0384-4; means by a constant: Calvo & Oller (1990), doi:10.1016/0047-259X(90)90026-E.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from semfit.table import RESPONSE, ParameterTable

Array = np.ndarray


@dataclass(frozen=True)
class Implied:
    """What a model implies for all its variables: total effects E, covariances C, means mu (none: an empty array)."""

    effects: Array
    covariance: Array
    mean: Array

    def observed(self, p: int) -> tuple[Array, Array | None]:
        """Return covariance and mean of the first p variables; None where means are not modelled."""
        return self.covariance[..., :p, :p], self.mean[..., :p] if self.mean.size else None


@dataclass(frozen=True)
class Block:
    """The RAM of one group.

    Parameters
    ----------
    names : tuple of str
        Observed variables, then "1" where means are modelled, then latent variables; length n.
    observed : int
        Number of observed variables, p.
    means : bool
        Whether means are modelled.
    path : array of bool, shape (m,)
        For each cell with a free parameter: True in A, False in S.
    row, column : arrays of int, shape (m,)
        The cell.
    theta : array of int, shape (m,)
        Which free parameter stands there.
    fixed : tuple of (path, row, column, value)
        Cells with numbers.
    exogenous : tuple of (path, row, column)
        Cells that take the sample's moments.
    """

    names: tuple[str, ...]
    observed: int
    means: bool
    path: Array
    row: Array
    column: Array
    theta: Array
    fixed: tuple[tuple[bool, int, int, float], ...]
    exogenous: tuple[tuple[bool, int, int], ...]

    @property
    def n(self) -> int:
        """Number of variables, the constant included."""
        return len(self.names)

    @cached_property
    def v(self) -> Array:
        """Column of [E, C] that is v of each cell: C for a directed path, E for a symmetric one; u is E of the row."""
        return np.where(self.path, self.n + self.column, self.column)

    @cached_property
    def c(self) -> Array:
        """The factor of u v' + v u': a half for variances."""
        return np.where(~self.path & (self.row == self.column), 0.5, 1.0)

    @cached_property
    def cc(self) -> Array:
        """The product of the factors of two cells, (m, m)."""
        return np.outer(self.c, self.c)

    def base(self, covariance: Array, mean: Array) -> tuple[Array, Array]:
        """Return A and S without the free parameters; the sample's moments fill the exogenous cells."""
        batch = covariance.shape[:-2]
        A, S = np.zeros((*batch, self.n, self.n)), np.zeros((*batch, self.n, self.n))
        for path, i, j, value in self.fixed:
            (A if path else S)[..., i, j] = value
            if not path:
                S[..., j, i] = value
        for path, i, j in self.exogenous:
            if path:
                A[..., i, j] = mean[..., i]
            else:
                S[..., i, j] = S[..., j, i] = covariance[..., i, j]
        return A, S

    def matrices(self, theta: Array, base: tuple[Array, Array]) -> tuple[Array, Array]:
        """Return A and S, shape (..., n, n), for parameters of shape (..., q)."""
        out, blank = [], np.zeros((*theta.shape[:-1], 1, 1), dtype=theta.dtype)
        for matrix, (cells, source) in zip(base, self._places, strict=True):
            full = np.add(matrix, blank, order="C")
            full.reshape(*full.shape[:-2], -1)[..., cells] = theta[..., source]
            out.append(full)
        return out[0], out[1]

    @cached_property
    def _places(self) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
        """For A and for S: the cells with free parameters, counted row by row, and which parameter each takes."""
        p, i, j = self.path, self.row, self.column
        both = np.concatenate([(i * self.n + j)[~p], (j * self.n + i)[~p]])
        return ((i * self.n + j)[p], self.theta[p]), (both, np.tile(self.theta[~p], 2))

    def implied(self, theta: Array, base: tuple[Array, Array]) -> Implied:
        """Return E, C and mu for parameters of shape (..., q)."""
        return self.implied_by(*self.matrices(theta, base))

    def implied_by(self, A: Array, S: Array) -> Implied:
        """Return E, C and mu for paths A and S."""
        E = self.effects(A)
        C = E @ S @ np.swapaxes(E, -1, -2)
        return Implied(E, C, E[..., self.observed] if self.means else np.empty(0))

    def effects(self, A: Array) -> Array:
        """Return E = (I - A)^-1: with no cycle I + A + A A + ..., formed among the variables with outgoing paths."""
        k, inside, below, unit, longest = self._sources
        E = np.add(A, unit, order="C")  # so that what follows writes into it
        if longest <= 1:
            return E
        flat, own, one = E.reshape(*A.shape[:-2], -1), A.reshape(*A.shape[:-2], -1), np.eye(k)
        paths = own[..., inside].reshape(*A.shape[:-2], k, k)
        inner = attempt(np.linalg.inv, one - paths) if longest > k else one + paths
        for _ in range(2, longest if longest <= k else 0):
            inner = one + paths @ inner
        flat[..., inside] = inner.reshape(*A.shape[:-2], -1)
        flat[..., below] = (own[..., below].reshape(*A.shape[:-2], -1, k) @ inner).reshape(*A.shape[:-2], -1)
        return E

    @cached_property
    def _sources(self) -> tuple[int, Array, Array, Array, int]:
        """Of the variables with outgoing paths: their number, the cells among them and from them to the others; the
        identity matrix; and how many paths follow one another at most, more than variables where in a cycle."""
        A = np.zeros((self.n, self.n), dtype=int)
        A[self.row[self.path], self.column[self.path]] = 1
        for path, i, j in (*(cell[:3] for cell in self.fixed), *self.exogenous):
            A[i, j] |= path
        leaves = A.any(0)
        source, sink = np.flatnonzero(leaves), np.flatnonzero(~leaves)
        inner = reached = A[source[:, None], source]
        longest = min(len(source), 1)
        while reached.any() and longest <= len(source):
            reached, longest = (inner @ reached > 0).astype(int), longest + 1
        inside, below = ((rows[:, None] * self.n + source).ravel() for rows in (source, sink))
        return len(source), inside, below, np.eye(self.n), longest

    def columns(self, implied: Implied) -> Array:
        """Return [E, C] in the rows of the observed variables (and the constant), centred at the implied mean.

        With L = [[I, mu], [0, 1]] this is L^-1 [E, C], in which nothing cancels however far the means lie from zero;
        it goes with the block-diagonal weight (Sigma^-1, 1). Shape (..., p [+ 1], 2 n).
        """
        E, C = implied.effects, implied.covariance
        k = self.observed
        R = np.concatenate([E[..., : k + self.means, :], C[..., : k + self.means, :]], -1)
        if self.means:
            R[..., :k, k] = 0.0
            R[..., k, self.n :] = implied.mean
        return R

    def gradient(self, G: Array) -> Array:
        """Return the gradient of f = (log|M| + tr(S M^-1)) / 2 by cell, from G = R' Omega R, Omega = W - W S W."""
        return self.c * G[..., self.row, self.v]

    def expected(self, Q: Array) -> Array:
        """Return the expected Hessian of f by cells, shape (..., m, m), from Q = R' W R."""
        uu, vv, uv = self._gathered(Q)
        return (uu * vv + uv * np.swapaxes(uv, -1, -2)) * self.cc

    def _gathered(self, Q: Array) -> tuple[Array, Array, Array]:
        """Return the entries of a symmetric Q at (u, u), (v, v) and (u, v)."""
        by_u = Q.take(self.row, -2)
        return by_u.take(self.row, -1), Q.take(self.v, -2).take(self.v, -1), by_u.take(self.v, -1)

    def curvature(self, Q: Array, X: Array) -> Array:
        """Return the observed Hessian's products of first derivatives, from Q = R' W R and X = R' (2 W S W - W) R."""
        uu, vv, uv = self._gathered(Q)
        xuu, xvv, xuv = self._gathered(X)
        half = np.swapaxes(uv, -1, -2) * xuv
        return (uu * xvv + vv * xuu + half + np.swapaxes(half, -1, -2)) * (0.5 * self.cc)

    def bending(self, G: Array, implied: Implied) -> Array:
        """Return the part of the observed Hessian made of second derivatives of M, from G = R' Omega R."""
        E, C = implied.effects, implied.covariance
        if self.means:
            C = C + implied.mean[..., :, None] * implied.mean[..., None, :]
        d, u, v = np.flatnonzero(self.path), self.row, self.v
        from_d, at_d = np.concatenate([E, C], -1).take(self.column[d], -2), G.take(self.row[d], -2)
        half = np.zeros((*G.shape[:-2], len(u), len(u)))
        # any path moves C[:, a], the v of a directed one, by c (u C[a, .] + v E[a, .]); a directed path (i, j) moves
        # E[:, a], the u of all and the v of a symmetric one, by E[:, i] E[j, a]
        half[..., d, :] = from_d.take(v, -1) * at_d.take(u, -1) * np.where(self.path, 0.5 * self.c, self.c)
        half[..., d, :] += from_d.take(u, -1) * at_d.take(v, -1) * self.c
        return half + np.swapaxes(half, -1, -2)

    def collect(self, by_cell: Array, q: int) -> Array:
        """Sum what belongs to one free parameter: (..., m) to (..., q)."""
        return by_cell if np.array_equal(self.theta, np.arange(q)) else by_cell @ np.eye(q)[self.theta]


def attempt(function: Callable[[Array], Array], matrices: Array) -> Array:
    """Apply a function of matrices to a batch; nan for those it refuses, as the inverse those that are singular."""
    try:
        return function(matrices)
    except np.linalg.LinAlgError:
        out = np.full_like(matrices, np.nan)
        for k in np.ndindex(matrices.shape[:-2]):
            with suppress(np.linalg.LinAlgError):
                out[k] = function(matrices[k])
        return out


def bordered(inner: Array, d: Array) -> Array:
    """Return [[inner, d], [d', 1]]."""
    p = inner.shape[-1]
    out = np.ones((*inner.shape[:-2], p + 1, p + 1))
    out[..., :p, :p] = inner
    out[..., p, :p] = out[..., :p, p] = d
    return out


def blocks(table: ParameterTable) -> tuple[Block, ...]:
    """Lay out every group of a parameter table.

    Examples
    --------
    >>> from semfit.syntax import parse
    >>> from semfit.table import build
    >>> block, = blocks(build(parse("f =~ x1 + x2 + x3")))
    >>> block.names, block.row.tolist(), block.column.tolist()
    (('x1', 'x2', 'x3', 'f'), [1, 2, 0, 1, 2, 3], [3, 3, 0, 1, 2, 3])
    """
    found, p = [], len(table.roles.observed)
    constant = ((False, p, p, 0.0),) if table.means else ()
    placed = [(row, cell) for row, cell in zip(table.rows, table.cells, strict=True) if row.op not in RESPONSE]
    for group in range(1, table.groups + 1):
        rows = [(row, cell) for row, cell in placed if row.group == group]
        free = [(*cell, table.position[row.key]) for row, cell in rows if row.free]
        path, i, j, theta = np.array(free, dtype=int).reshape(-1, 4).T.copy()
        fixed = tuple((*cell, row.value) for row, cell in rows if row.value is not None)
        exogenous = tuple(cell for row, cell in rows if row.exogenous)
        own = path.astype(bool), i, j, theta, fixed + constant, exogenous
        found.append(Block(table.names, p, table.means, *own))
    return tuple(found)


def moments_block(like: Block, i: Array, j: Array) -> Block:
    """Return the model whose parameters are the covariances (i, j) and the means of a block's variables, but exogenous
    ones."""
    p, means, exogenous = like.observed, like.means, like.exogenous
    free, every = np.ones((p + 1, p + 1), dtype=bool), np.arange(p if means else 0)
    for _, a, b in exogenous:
        free[a, b] = free[b, a] = False
    row, column = np.append(i, every), np.append(j, np.full_like(every, p))
    row, column = row[kept := free[row, column]], column[kept]
    path = column == p
    constant = ((False, p, p, 0.0),) if means else ()
    return Block(like.names[: p + means], p, means, path, row, column, np.arange(len(row)), constant, exogenous)
