"""Draw a fitted model as a path diagram: latent variables in ellipses, observed ones in boxes, causes left of effects.

The layout is the layered one of Sugiyama, Tagawa and Toda (1981, https://doi.org/10.1109/TSMC.1981.4308636): layers by
the longest way from a first cause, an order in each that lets few paths cross, heights that keep paths short; a path
past a layer has a place of its own in it, so that it runs behind no variable. All lengths are inches.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.optimize import isotonic_regression

from semfit.constructs import composites_of
from semfit.errors import ParameterError, whole

try:
    from matplotlib import pyplot as plt
    from matplotlib import rcParams
    from matplotlib.patches import Ellipse, FancyArrowPatch, Rectangle
    from matplotlib.path import Path
    from matplotlib.text import Text
except ModuleNotFoundError as missing:
    raise ParameterError(f"a diagram needs {missing.name}, which is not installed; semfit[plot] brings it.") from None

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from semfit.report import Shown

Array = np.ndarray
Node = str | tuple[int, int]  # a variable, or the place of relation k in a layer
PAGE, FONT = 6.3, 7.0  # width of a page's text; size of all text, points
LETTER = 0.58 * FONT / 72  # width of a Latin letter; that of a Chinese character is FONT / 72
OVAL, BOX, ITEM, LANE = 0.56, 0.36, 0.2, 0.16  # heights of latent and observed variables, items and places of paths
APART, GAP = 0.09, 0.56  # between variables, and between layers
WIDEST, TURN, BETWEEN = 7.2, 0.7, 0.2  # of one row without items; what ways between rows take of it; between rows
NUMBER = np.array([0.32, 0.14])  # width and height that a number takes
T = np.linspace(0, 1, 31)[:, None]
BEZIER = np.hstack([(1 - T) ** 3, 3 * T * (1 - T) ** 2, 3 * T**2 * (1 - T), T**3])  # points of a cubic curve


class _Name(Text):
    """A variable's name, on two lines where it needs them, in whatever language; its label is the whole name."""

    room, below = np.inf, ""

    def set_text(self, s: Any) -> None:
        """Write a name, folded into its room, and below it what stands there."""
        super().set_text(s and (s if _width(s) <= self.room else _folds(s)[1]) + self.below)


def plot_paths(
    fit: Shown,
    ax: Axes | None = None,
    *,
    group: int = 1,
    standardized: bool = True,
    items: bool = True,
    names: Mapping[str, str] | None = None,
    without: Collection[str] = (),
) -> Axes:
    """Draw variables, paths, loadings and covariances with their estimates, in the colours of matplotlib's style.

    A path is dashed where its 95 % interval includes zero. R² stands in what is explained; variances and means are left
    out, and so is what is fixed at zero.

    Parameters
    ----------
    fit : SemFit
        A fit that converged and is identified.
    ax : matplotlib Axes, optional
        Where to draw; by default a new figure as large as the diagram, at least 6.3 inches wide.
    group : int
        Which group, from 1.
    standardized : bool
        Draw ``std_all`` and its interval, or the estimates as they are.
    items : bool
        Without them only what points at latent variables and their causes is drawn: for large models.
    names, without : mapping, collection of str, optional
        What to call a variable in the figure, and which variables not to draw, such as those only held constant.

    Raises
    ------
    ParameterError
        Where the fit has no solution, no such group, or nothing that could be drawn.
    """
    if not (fit.converged and fit.identified):
        raise ParameterError(f"the fit has no solution to draw: {' '.join(fit.problems)}")
    whole("group", group, 1, fit.table.groups)
    rows, latent = _relations(fit, group, standardized, items)
    rows = rows[~rows[["lhs", "rhs"]].isin(list(without)).any(axis=1)]
    if rows.empty:
        raise ParameterError(f"items={items} leaves nothing to draw: the model has no path between its variables.")
    called = {name: (names or {}).get(name, name) for name in pd.unique(rows[["lhs", "rhs"]].to_numpy().ravel())}
    drawn = _Layout(rows, latent, called)
    low, high = drawn.extent()
    if ax is None:
        ax = plt.subplots(figsize=tuple(high - low + (0, 0.25)), layout="constrained")[1]
    r2 = fit.r2 if isinstance(fit.r2, pd.Series) else fit.r2.iloc[:, group - 1]
    for name, at in drawn.at.items():
        if isinstance(name, str):
            explained = "" if name in drawn.items or name not in r2 else f"\nR² {_number(r2[name])}"
            _draw_node(ax, at, drawn.size[name], called[name], name in latent, drawn.room, explained)
    for row, way, spot in zip(rows.itertuples(), drawn.ways, _spots(drawn), strict=True):
        _draw_relation(ax, row, way, spot)
    ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), aspect="equal", xticks=[], yticks=[])
    what = "standardised estimates" if standardized else "estimates"
    ax.set_xlabel(f"{what}; dashed: 95% interval includes zero", fontsize=FONT)
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
    return ax


def _relations(fit: Shown, group: int, standardized: bool, items: bool) -> tuple[pd.DataFrame, set[str]]:
    """Return what is drawn between two variables, its value and whether its interval holds zero; and the latent."""
    frame = fit.standardized if standardized else fit.estimates
    value = frame["std_all" if standardized else "est"]
    rows = frame.assign(value=value, dashed=(frame["ci_low"] < 0) & (frame["ci_high"] > 0))
    latent = set(rows.loc[rows["op"] == "=~", "lhs"])
    made = {f"weight_{item}": (name, item) for name, own in composites_of(frame.itertuples()).items() for item in own}
    weights = rows[(rows["op"] == ":=") & rows["lhs"].isin(made)]
    ends = pd.DataFrame([made[name] for name in weights["lhs"]], weights.index, ["lhs", "rhs"])
    within = rows["rhs"].isin([item for _, item in made.values()]) & (rows["op"] != ":=")
    rows = pd.concat([rows[~within], weights.assign(**ends, op="<~", group=group)])
    kept = rows["op"].isin(("=~", "<~", "~", "~~")) & (rows["lhs"] != rows["rhs"]) & (rows["group"] == group)
    kept &= rows["value"] != 0
    if not items:
        kept &= (rows["op"] == "~") | (rows["op"] == "=~") & rows["rhs"].isin(latent)
    return rows[kept], latent


class _Layout:
    """Where variables stand (``at``), how large they are (``size``), and each relation's way, Bezier curve by curve."""

    def __init__(self, rows: pd.DataFrame, latent: set[str], called: Mapping[str, str]) -> None:
        ends = [(r.rhs, r.lhs) if r.op in ("~", "<~") else (r.lhs, r.rhs) for r in rows.itertuples()]
        arrows = [pair for pair, op in zip(ends, rows["op"], strict=True) if op != "~~"]
        self.latent, self.items = latent, _items(rows, latent)
        self.depth = depth = _depths([*called], arrows, self.items)
        self.chains = [_chain(k, a, b, depth) for k, (a, b) in enumerate(ends)]
        depth |= {node: node[1] for chain in self.chains for node in chain[1:-1] if not isinstance(node, str)}
        self.room = max((_folds(called[name])[0] for name in called if name not in self.items), default=0.0)
        wide = max(self.room, 0.55) / (0.76 if latent else 0.92)
        box = max((_width(called[name]) for name in self.items if isinstance(name, str)), default=0) + 0.12
        self.size = {n: (box, ITEM) if n in self.items else (wide, OVAL if n in latent else BOX) for n in called}
        pairs = [pair for chain in self.chains for pair in pairwise(chain) if depth[pair[0]] != depth[pair[1]]]
        links = [pair if depth[pair[0]] < depth[pair[1]] else pair[::-1] for pair in pairs]
        layers = _ordered([[n for n in depth if depth[n] == k] for k in range(max(depth.values()) + 1)], links)
        heights = _heights(layers, links, {n: self.size[n][1] if isinstance(n, str) else LANE for n in depth})
        self.bows = {
            k: self._bow(a, b, layers[depth[a]], rows["op"].iloc[k] == "~")
            for k, (a, b) in enumerate(ends)
            if depth[a] == depth[b]
        }
        self.sides = self._across(layers)
        self.at = {n: (self._middle(n), heights[n]) for n in depth}
        ports = self._ports()
        self.ways = [self._way(k, chain, ports) for k, chain in enumerate(self.chains)]
        if self.row[-1]:
            self._fold()

    def _bow(self, a: str, b: str, layer: Sequence[Node], path: bool) -> float:
        """How far a relation within a layer bows to the right; to the left where there is more room, or up a loop."""
        far = layer.index(b) - layer.index(a)
        alone = all(node in self.items for node in layer)
        inward = a in self.items and (self.depth[self.items[a]] > self.depth[a]) == alone
        return (0.3 if path else 0.36 + 0.14 * abs(far)) * (-1 if inward or path and far < 0 else 1)

    def _across(self, layers: Sequence[Sequence[Node]]) -> list[tuple[float, float]]:
        """Left and right end of each layer: over the page's width, further where curves need it."""
        wide = [max(self.size[n][0] if isinstance(n, str) else 0.0 for n in layer) for layer in layers]
        needed = [GAP] * (len(layers) - 1)
        for k, bow in self.bows.items():
            gap = self.depth[self.chains[k][0]] - (bow < 0)
            if 0 <= gap < len(needed):
                needed[gap] = max(needed[gap] + 0.06, abs(bow) + 0.1)
        gaps, most, size = np.array([*needed, 0.0]), np.inf if self.items else WIDEST, len(wide)
        while True:
            parts = np.split(np.arange(len(wide)), range(size, len(wide), size))
            spans = [sum(wide[k] for k in part) + gaps[part[:-1]].sum() for part in parts]
            if max(spans) <= most or size == 1:
                break
            most, size = PAGE - TURN, size - 1
        room = (PAGE - (TURN if len(parts) > 1 else 0.2) - max(spans)) / max(size - 1, 1)
        gaps += np.clip(room, 0, 1)
        self.row = [k for k, part in enumerate(parts) for _ in part]
        starts = np.cumsum([0.0, *(wide + gaps)])
        return [(float(x), float(x + w)) for x, w in zip(starts, wide, strict=False)]

    def _middle(self, node: Node) -> float:
        """Where a variable stands across: items at the side of their latent variable, others in the middle."""
        left, right = self.sides[self.depth[node]]
        if node not in self.items:
            return (left + right) / 2
        half = self.size[str(node)][0] / 2
        return right - half if self.depth[self.items[node]] > self.depth[node] else left + half

    def _ports(self) -> dict[tuple[int, int], Array]:
        """Where relation k starts (0) and ends (1), spread over sides in the order of where it goes."""
        sides: dict[tuple[str, int], list[tuple[float, int, int]]] = {}
        for k, chain in enumerate(self.chains):
            for end, (node, other) in enumerate((chain[:2], chain[:-3:-1])):
                turn = int(np.sign(self.depth[other] - self.depth[node] or self.bows[k]))
                rise = self.at[other][1] - self.at[node][1]  # the innermost of several bows is the outermost here
                key = rise if k not in self.bows else np.sign(rise) * (99 - abs(self.bows[k]))
                sides.setdefault((str(node), turn), []).append((key, k, end))
        ports = {}
        for (name, turn), ends in sides.items():
            for place, (_, k, end) in enumerate(sorted(ends), start=1):
                share = 2 * place / (len(ends) + 1) - 1
                angle = 0.9 * share
                away = (np.cos(angle), np.sin(angle)) if name in self.latent else (1.0, 0.8 * share)
                ports[k, end] = self.at[name] + np.array(self.size[name]) / 2 * away * np.array([turn, 1])
        return ports

    def _way(self, k: int, chain: Sequence[Node], ports: Mapping[tuple[int, int], Array]) -> Array:
        """The corners of a relation's curves: one straight or bowed, or level past each layer in between."""
        start, end = ports[k, 0], ports[k, 1]
        if k in self.bows:
            aside = np.array([self.bows[k], 0.0])
            return np.array([start, start + aside, end + aside, end])
        turn = 1 if end[0] > start[0] else -1
        stops = [np.array([x, self.at[n][1]]) for n in chain[1:-1] for x in self.sides[self.depth[n]][::turn]]
        for port, node, side in ((start, chain[0], turn), (end, chain[-1], -turn)):  # an item beside wider variables
            edge = self.sides[self.depth[node]][side > 0]
            if node in self.items and abs(port[0] - edge) > 0.01:
                stops.insert(0 if port is start else len(stops), np.array([edge, port[1]]))
        if not stops:
            return np.linspace(start, end, 4)
        way = [start]
        for stop in (*stops, end):
            half = np.array([(stop - way[-1])[0] / 2, 0.0])
            way += [way[-1] + half, stop - half, stop]
        return np.array(way)

    def _fold(self) -> None:
        """Lay layers in rows, one below the other, every second one turned about; ways bow from one to the next."""
        row, sides = np.array(self.row), np.array(self.sides)
        ends = np.array([[sides[row == k].min(), sides[row == k].max()] for k in range(row[-1] + 1)])
        bounds, wide = (ends[:-1, 1] + ends[1:, 0]) / 2, np.ptp(ends, axis=1).max()
        half = {n: self.size.get(str(n), (0.0, LANE))[1] / 2 for n in self.at}
        tops, below = [], 0.0
        for k in range(len(ends)):
            edges = [
                (y + side * half[n]) for n, (_, y) in self.at.items() if row[self.depth[n]] == k for side in (-1, 1)
            ]
            high, low = (max(edges), min(edges)) if k % 2 == 0 else (-min(edges), -max(edges))
            tops.append(below - high)
            below += low - high - BETWEEN

        def placed(point: Sequence[float], k: int) -> Array:
            inside = np.array(point) - (ends[k, 0], 0.0)
            return (inside if k % 2 == 0 else (wide, 0.0) - inside) + (0.0, tops[k])

        def turned(way: Array) -> Array:
            found = [placed(way[0], np.searchsorted(bounds, way[0, 0]))]
            for curve in (way[k : k + 4] for k in range(0, len(way) - 1, 3)):
                first, last = np.searchsorted(bounds, curve[[0, 3], 0])
                end = placed(curve[3], last)
                aside = (0.15 + 0.3 * abs(found[-1][1] - end[1])) * (-1) ** min(first, last), 0.0
                bowed = [found[-1] + aside, end + aside]
                found += [*(bowed if first != last else (placed(point, first) for point in curve[1:3])), end]
            return np.array(found)

        self.ways = [turned(way) for way in self.ways]
        self.at = {n: tuple(placed(at, row[self.depth[n]])) for n, at in self.at.items()}

    def extent(self) -> tuple[Array, Array]:
        """Return the lower left and the upper right corner, as far apart as the page is wide."""
        corners = [np.array(self.at[n]) + np.array(s) * sign / 2 for n, s in self.size.items() for sign in (-1, 1)]
        points = np.vstack([corners, *map(_points, self.ways)])
        low, high = points.min(axis=0) - 0.08, points.max(axis=0) + 0.08
        spare = max(PAGE - high[0] + low[0], 0.0) / 2
        return low - (spare, 0), high + (spare, 0)


def _chain(k: int, a: str, b: str, depth: Mapping[Node, int]) -> list[Node]:
    """A relation's two variables and, between them, its place in each layer that it passes."""
    step = 1 if depth[b] > depth[a] else -1
    return [a, *((k, layer) for layer in range(depth[a] + step, depth[b], step)), b]


def _points(way: Array) -> Array:
    """Points along a way of several Bezier curves, shape (n, 2); without the digits that depend on the processor."""
    return np.vstack([BEZIER @ way[i : i + 4] for i in range(0, len(way) - 1, 3)]).round(9)


def _even(points: Array, step: float = 0.04) -> Array:
    """Points at equal distances on a line."""
    run = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    at = np.linspace(0, run[-1], max(int(run[-1] / step), 10))
    return np.column_stack([np.interp(at, run, x) for x in points.T])


def _items(rows: pd.DataFrame, latent: set[str]) -> dict[Node, str]:
    """Give each observed variable that only measures to the smallest of its latent variables."""
    loads = rows[rows["op"].isin(("=~", "<~")) & ~rows["rhs"].isin(latent)]
    others = set(rows.loc[rows["op"] == "~", ["lhs", "rhs"]].to_numpy().ravel())
    count = loads["lhs"].value_counts()
    return {
        item: min(part["lhs"], key=lambda name: count[name])
        for item, part in loads.groupby("rhs", sort=False)
        if item not in others
    }


def _depths(names: Sequence[str], arrows: Sequence[tuple[str, str]], items: Mapping[Node, str]) -> dict[Node, int]:
    """Layer of each variable; arrows in a loop do not count, causes stand right before what they cause."""
    core = [name for name in names if name not in items]
    caused = {b for a, b in arrows if a not in items}
    at = {name: k for k, name in enumerate(core)}
    within = [(a, b) for a, b in dict.fromkeys(arrows) if a in at and b in at]
    reach = np.eye(len(core), dtype=bool)
    for _ in core:
        for a, b in within:
            reach[at[a]] |= reach[at[b]]
    forward = [(a, b) for a, b in within if not reach[at[b], at[a]]]
    depth: dict[Node, int] = dict.fromkeys(core, 0)
    for _ in core:
        for a, b in forward:
            depth[b] = max(depth[b], depth[a] + 1)
    for a in {a for a, _ in forward} - caused:
        depth[a] = min(depth[b] for x, b in forward if x == a) - 1
    depth |= {item: depth[owner] + (1 if owner in caused else -1) for item, owner in items.items()}
    first = min(depth.values())
    return {name: depth[name] - first for name in names}


def _ordered(layers: list[list[Node]], links: Sequence[tuple[Node, ...]]) -> list[list[Node]]:
    """Order each layer by the mean place of its neighbours, to and fro; keep the order in which fewest links cross."""
    best, least = layers, np.inf
    for sweep in range(16):
        near = 1 if sweep % 2 else -1
        for k in range(len(layers))[::-near]:
            if 0 <= k + near < len(layers):
                at = {node: i for i, node in enumerate(layers[k + near])}
                own = {node: i for i, node in enumerate(layers[k])}
                ways = {n: [at[m] for link in links if n in link for m in link if m in at] or [own[n]] for n in own}
                layers = [*layers[:k], sorted(own, key=lambda n: sum(ways[n]) / len(ways[n])), *layers[k + 1 :]]
        place = {node: (k, i) for k, layer in enumerate(layers) for i, node in enumerate(layer)}
        spans = [(*place[a], place[b][1]) for a, b in links]
        crossed = sum(k == m and (a - c) * (b - d) < 0 for k, a, b in spans for m, c, d in spans)
        if crossed < least:
            best, least = layers, crossed
    return best


def _heights(
    layers: Sequence[Sequence[Node]], links: Sequence[tuple[Node, ...]], tall: Mapping[Node, float]
) -> dict[Node, float]:
    """Height of each variable: near the mean of its neighbours, in the order of its layer and apart from the next."""
    steps = [np.cumsum([0.0, *((tall[a] + tall[b]) / 2 + APART for a, b in pairwise(layer))]) for layer in layers]
    y = {
        node: -float(at - step[-1] / 2)
        for layer, step in zip(layers, steps, strict=True)
        for node, at in zip(layer, step, strict=True)
    }
    near = {node: [m for link in links if node in link for m in link if m != node] for node in y}
    for _ in range(12):
        for layer, step in [*zip(layers, steps, strict=True)][::-1] + [*zip(layers, steps, strict=True)]:
            want = np.array([np.mean([y[m] for m in near[node]] or [y[node]]) for node in layer])
            found = isotonic_regression(want + step, increasing=False).x - step
            y |= dict(zip(layer, found.round(9).tolist(), strict=True))
    return y


def _spots(drawn: _Layout) -> Array:
    """Place each relation's number on its way, where it meets no variable, no other number and few other ways."""
    boxes = np.array([[*drawn.at[name], *size] for name, size in drawn.size.items()])
    lines = [_even(_points(way)) for way in drawn.ways]
    tries = [line[len(line) // 10 : -len(line) // 10] for line in lines]
    costs = []
    for k, spots in enumerate(tries):
        others = np.vstack([np.empty((0, 2)), *lines[:k], *lines[k + 1 :]])
        hits = 2e3 * (np.abs(spots[:, None] - boxes[:, :2]) < (boxes[:, 2:] + NUMBER) / 2).all(-1).sum(-1)
        hits += 0.5 * (np.abs(spots[:, None] - others) < NUMBER / 2 + 0.01).all(-1).sum(-1)
        costs.append(hits + np.abs(np.linspace(-0.5, 0.51, len(spots))))
    chosen = np.array([spots[np.argmin(cost)] for spots, cost in zip(tries, costs, strict=True)])
    for _ in range(8):
        for k, (spots, cost) in enumerate(zip(tries, costs, strict=True)):
            near = (np.abs(spots[:, None] - np.delete(chosen, k, axis=0)) < NUMBER).all(-1).sum(-1)
            chosen[k] = spots[np.argmin(cost + 1e3 * near)]
    return chosen


def _draw_node(
    ax: Axes, at: tuple[float, float], size: tuple[float, float], name: str, latent: bool, room: float, below: str
) -> None:
    """Draw a variable and its name."""
    (x, y), (w, h) = at, size
    shape = ax.add_patch(Ellipse(at, w, h) if latent else Rectangle((x - w / 2, y - h / 2), w, h))
    shape.set(facecolor=rcParams["figure.facecolor"], edgecolor=rcParams["text.color"], linewidth=1.0, zorder=4)
    text = _Name(x, y, fontsize=FONT, ha="center", va="center", linespacing=1.1, zorder=5, label=name)
    text.room, text.below = room + 1e-9, below
    text.set_text(name)
    ax.add_artist(text)


def _draw_relation(ax: Axes, row: Any, way: Array, spot: Array) -> None:
    """Draw a path, loading or covariance, and its number."""
    path = row.op == "~"
    colour = "C0" if path else rcParams["xtick.color"]
    line, heads = Path(way, [Path.MOVETO, *[Path.CURVE4] * (len(way) - 1)]), "<|-|>" if row.op == "~~" else "-|>"
    arrow = ax.add_patch(FancyArrowPatch(path=line, arrowstyle=heads, color=colour, shrinkA=0, shrinkB=0))
    arrow.set(mutation_scale=8 if path else 6, linewidth=1.2 if path else 0.7, zorder=2 if path else 1)
    arrow.set_linestyle((0, (4, 2)) if row.dashed else "-")
    paper = {"facecolor": rcParams["figure.facecolor"], "edgecolor": "none", "pad": 0.5}
    text = ax.text(spot[0], spot[1], _number(row.value), fontsize=FONT, ha="center", va="center_baseline", bbox=paper)
    text.set(color=rcParams["text.color" if path else "xtick.color"], zorder=6)


def _number(value: float) -> str:
    return f"{value:z.2f}".replace("-", "\N{MINUS SIGN}")


def _folds(name: str) -> tuple[float, str]:
    """Width and text of a name on two lines of like length: broken at a space, or between Chinese characters."""
    glue = "" if name and ord(name[0]) > 0x2E7F else " "
    parts = name.split(" ") if glue else list(name)
    folds = [glue.join(parts[:k]) + "\n" + glue.join(parts[k:]) for k in range(1, len(parts))]
    return min(((max(map(_width, fold.split("\n"))), fold) for fold in folds), default=(_width(name), name))


def _width(text: str) -> float:
    return sum(FONT / 72 if ord(sign) > 0x2E7F else LETTER for sign in text)
