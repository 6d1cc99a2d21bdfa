"""Groups laid out alike, evaluated together: their implied moments and derivatives are one batch of arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod

import numpy as np

from semfit.missing import MissingPatterns, Patterns
from semfit.model import Array, Block


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
        By group, as in ``estimate.Likelihood``.
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
