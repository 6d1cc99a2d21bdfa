"""Know where the variables of a path diagram stand: causes left, effects right, items outward; all in inches."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

__all__ = ["BOX", "OVAL", "Layout", "Node", "arrange"]

BOX, SQUARE, OVAL = (0.56, 0.24), (0.72, 0.38), (0.88, 0.46)  # width and height of items, other observed, latent
PITCH, GAP, REACH = 0.31, 0.24, 1.25  # between items; between blocks; from a latent variable to its items
ABOVE = 0.85  # from a latent variable to a row of items
WIDTH = 6.3
Edge = tuple[str, str]


@dataclass(frozen=True)
class Node:
    """A variable: centre, whether latent, and the direction its items or, for an item, its outer side look to."""

    name: str
    x: float
    y: float
    latent: bool
    item: bool
    outward: tuple[float, float]

    @property
    def size(self) -> tuple[float, float]:
        """Width and height."""
        return OVAL if self.latent else BOX if self.item else SQUARE


@dataclass(frozen=True)
class Layout:
    """All nodes by name."""

    nodes: dict[str, Node]

    def extent(self, curves: np.ndarray) -> tuple[float, float, float, float]:
        """Return left, right, bottom and top of a drawing of nodes and points (n, 2), with a line for a note."""
        corners = [(n.x + i * n.size[0] / 2, n.y + j * n.size[1] / 2)
                   for n in self.nodes.values() for i in (-1, 1) for j in (-1, 1)]
        low, high = (f(np.vstack([corners, curves]), axis=0) for f in (np.min, np.max))
        return low[0] - 0.2, max(high[0] + 0.2, low[0] + 3.2), low[1] - 0.4, high[1] + 0.15


def arrange(rows: pd.DataFrame, latent: Sequence[str] = ()) -> Layout:
    """Place every variable of a model.

    Parameters
    ----------
    rows : pandas.DataFrame
        Columns lhs, op, rhs of one group's relations between two variables.
    latent : sequence of str
        Latent variables whose loadings are not among the rows.
    """
    latent = list(dict.fromkeys([*latent, *rows.loc[rows["op"] == "=~", "lhs"]]))
    measured = rows[(rows["op"] == "=~") & ~rows["rhs"].isin(latent)]
    owner = _owners(measured, latent)
    core = [name for name in dict.fromkeys([*latent, *rows["lhs"], *rows["rhs"]]) if name not in owner]
    arrows = [(r.rhs, r.lhs) if r.op == "~" else (r.lhs, r.rhs) for r in rows.itertuples() if r.op in ("=~", "~")]
    columns = _columns(core, [edge for edge in arrows if set(edge) <= set(core)])
    items = {name: [item for item, of in owner.items() if of == name] for name in core}
    if len(columns) == 1 and any(items.values()):  # no paths: those without items of their own stand beyond the items
        far = [name for name in columns[0] if not items[name] and name in latent]
        columns[0] = [name for name in columns[0] if name not in far]
        return _place([columns[0]], items, latent, far, False)
    looped = any({a, b} <= set(names) and a != b for a, b in arrows for names in columns)
    return _place(columns, items, latent, [], looped)


def _owners(measured: pd.DataFrame, latent: Sequence[str]) -> dict[str, str]:
    """Give each item to the smallest of the latent variables that it measures."""
    sizes = measured["lhs"].value_counts()
    return {
        item: min(part["lhs"], key=lambda name: (sizes[name], latent.index(name)))
        for item, part in measured.groupby("rhs", sort=False)
    }


def _columns(core: Sequence[str], arrows: Iterable[Edge]) -> list[list[str]]:
    """Part the variables by the longest way from a first cause; arrows within a loop do not count."""
    arrows = [(a, b) for a, b in dict.fromkeys(arrows) if a != b]
    at = {name: k for k, name in enumerate(core)}
    reach = np.eye(len(core), dtype=bool)
    for _ in core:
        for a, b in arrows:
            reach[at[a]] |= reach[at[b]]
    forward = [(a, b) for a, b in arrows if not reach[at[b], at[a]]]
    depth = dict.fromkeys(core, 0)
    for _ in core:
        for a, b in forward:
            depth[b] = max(depth[b], depth[a] + 1)
    for _ in core:  # a cause of late effects only stands right before them
        for a in core:
            later = [depth[b] for x, b in forward if x == a]
            if later and any(b == a for _, b in forward):
                depth[a] = max(depth[a], min(later) - 1)
    return [[name for name in core if depth[name] == k] for k in range(max(depth.values(), default=0) + 1)]


def _place(columns: list[list[str]], items: dict[str, list[str]], latent: Sequence[str], far: list[str],
           looped: bool) -> Layout:
    """Stand columns beside one another, each variable with room for its items."""
    last = len(columns) - 1
    room = 0.6 if looped else 0.0  # for arrows up and down a column
    heights = [[room + _tall(items[name], 0 < k < last) for name in names] for k, names in enumerate(columns)]
    height = max(map(sum, heights))
    if any(len(names) == 1 for names in columns[1:-1]):
        height = max(height, 3.5)
    nodes: dict[str, Node] = {}
    for k, (names, x) in enumerate(zip(columns, _across(columns, items), strict=True)):
        middle = 0 < k < last
        alone = middle and len(names) == 1  # stands on top, so that paths can pass below
        top = height if alone else (height + sum(heights[k])) / 2
        for name, tall in zip(names, heights[k], strict=True):
            y, up = top - tall / 2, 1.0 if top - tall / 2 >= height / 2 - 0.01 else -1.0
            outward = (0.0, up) if middle else (-1.0 if k == 0 else 1.0, 0.0)
            shift = up * (ABOVE + BOX[1] / 2 - OVAL[1] / 2) / 2 if middle and items[name] else 0.0
            nodes[name] = Node(name, x, y - shift, name in latent, False, outward)
            nodes |= _items(nodes[name], items[name])
            top -= tall
    for k, name in enumerate(far):
        nodes[name] = Node(name, -2 * REACH - 0.2, height * (2 * k + 1) / (2 * len(far)), True, False, (1.0, 0.0))
    return Layout(nodes)


def _across(columns: list[list[str]], items: dict[str, list[str]]) -> list[float]:
    """Return where each column stands: over the page's width, further where rows of items need it."""
    sides = [REACH + BOX[0] / 2 if any(items[name] for name in columns[k]) else OVAL[0] / 2 for k in (0, -1)]
    step = (WIDTH - 0.4 - sum(sides)) / max(len(columns) - 1, 1)
    rows = [max([OVAL[0], *((BOX[0] + 0.08) * len(items[name]) for name in names)]) for names in columns]
    xs = [0.0]
    for k in range(1, len(columns)):
        curves = 0.9 if k == 1 and len(columns[0]) > 2 else 0.0
        between = (rows[k - 1] + rows[k]) / 2 + 0.1 if 1 < k < len(columns) - 1 else OVAL[0] + 0.7 + curves
        xs.append(xs[-1] + max(step, between))
    return xs


def _tall(items: Sequence[str], middle: bool) -> float:
    """Height of a variable with its items."""
    if middle:
        return GAP + OVAL[1] + (ABOVE + BOX[1] / 2 - OVAL[1] / 2 if items else 0.1)
    return GAP + max(PITCH * len(items), OVAL[1])


def _items(node: Node, items: Sequence[str]) -> dict[str, Node]:
    """Stand the items of a latent variable in a column beside it, or in a row above or below."""
    offsets = np.arange(len(items)) - (len(items) - 1) / 2
    if node.outward[0]:
        spots = [(node.x + node.outward[0] * REACH, node.y - PITCH * step) for step in offsets]
    else:
        spots = [(node.x + (BOX[0] + 0.08) * step, node.y + node.outward[1] * ABOVE) for step in offsets]
    return {
        item: Node(item, float(x), float(y), False, True, node.outward)
        for item, (x, y) in zip(items, spots, strict=True)
    }
