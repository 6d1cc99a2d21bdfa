"""Draw the diagram of a mode as the paper tells it: boxes, signed arrows, feedback loops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from socialcommerce.figures.colours import GRID, INK, MUTED, PAPER, SERIES
from socialcommerce.modes.diagram import NODE_KINDS, Diagram, Loop, Node

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.patches import Patch
    from matplotlib.text import Text

__all__ = ["marks", "plot_chain", "plot_diagram"]

SLACK = {"actor": 1.6, "stock": 1.6, "flow": 2.2, "auxiliary": 1.6, "event": 5.0, "lever": 3.6}  # beside the words
NORMALS = {"l": (-1, 0), "r": (1, 0), "t": (0, 1), "b": (0, -1)}
HEAD, TAB, RADIUS, LINE, ROW = 2.0, 4.2, 1.15, 3.9, 11.0  # millimetres: arrowhead, symbol's tab, sign, lines of text
COLOURS = {1: SERIES[0], -1: SERIES[1]}
Key = tuple[str, str]


def plot_diagram(diagram: Diagram, *, ax: Axes | None = None) -> Axes:
    """Draw a diagram in millimetres, its legend and its feedback loops below it.

    Parameters
    ----------
    diagram : Diagram
        Nodes with their places on the page, from :func:`socialcommerce.modes.diagram.load_diagram`.
    ax : matplotlib Axes, optional
        Where to draw, about as large as the page plus legend and list; by default a new figure of that size.
    """
    width, height = diagram.page
    loops = diagram.feedback_loops()
    depth = ROW + LINE * (len(loops) + 1) - 1.0
    ax = ax or _new(width, height + depth)
    ax.set(xlim=(0, width), ylim=(-depth, height), aspect="equal")
    ax.axis("off")
    ways = routes(diagram)
    for edge in diagram.edges:
        _arrow(ax, ways[edge.source, edge.target], COLOURS[edge.sign], "--" if edge.inferred else "-")
    for node in diagram.nodes:
        _box(ax, node)
    for (key, loop), (x, y) in marks(diagram, loops).items():
        _badge(ax, x, y, loop) if loop else _sign(ax, x, y, diagram.signs[key])
    _legend(ax, diagram)
    _list(ax, diagram, loops)
    return ax


def plot_chain(diagram: Diagram, names: Sequence[str]) -> Axes:
    """Draw an even number of a diagram's nodes as a plain ring of what they are called, there above and back below."""
    width, half = diagram.page[0], len(names) // 2
    step = width / half
    ax = _new(width, 34.0)
    ax.set(xlim=(0, width), ylim=(0, 34))
    ax.axis("off")
    above = [(step * (k + 0.5), 26.0) for k in range(half)]
    places = [*above, *((x, 8.0) for x, _ in reversed(above))]
    for name, at, to in zip(names, places, [*places[1:], places[0]], strict=True):
        node = replace(diagram[name], kind="auxiliary", symbol="", at=at, size=(step - 9, 10))
        out = np.array([np.sign(to[0] - at[0]), 0] if abs(to[1] - at[1]) < 1 else [0, np.sign(to[1] - at[1])])
        start, end = (np.array(p) + s * out * np.array(node.size) / 2 for p, s in ((at, 1), (to, -1)))
        _arrow(ax, np.linspace(start, end - HEAD * out, 4), INK, "-")
        _box(ax, node)
    return ax


def routes(diagram: Diagram) -> dict[Key, np.ndarray]:
    """Return each arrow as the four points of a cubic Bezier curve up to its head, millimetres, shape (4, 2).

    It leaves and enters its boxes at right angles; the arrows on one side of a box are spread over it in the order of
    where they come from or go to.
    """
    ports = _ports(diagram)
    ways = {}
    for number, edge in enumerate(diagram.edges):
        out, into = (np.array(NORMALS[side]) for side in edge.sides)
        start, end = ports[number, 0], ports[number, 1] + HEAD * into
        ways[edge.source, edge.target] = np.array(
            [start, start + _pull(out, into, end - start) * out, end + _pull(into, out, start - end) * into, end]
        )
    return ways


@cache  # a third of a second, and every figure of a diagram is drawn once a language
def marks(diagram: Diagram, loops: tuple[Loop, ...]) -> dict[tuple[Key, str], tuple[float, float]]:
    """Return where each edge's sign stands, and the badge that names all its loops: on its arrow, or beside it.

    A badge stands where it covers no box, sign, badge or other arrow, as near to its arrow's middle as can be.
    """
    ways = {key: _points(way) for key, way in routes(diagram).items()}
    lengths = {key: float(np.linalg.norm(np.diff(way, axis=0), axis=1).sum()) for key, way in ways.items()}
    places = {(key, ""): _along(ways[key], max(length - RADIUS - 0.5, length / 2)) for key, length in lengths.items()}
    taken = [(*node.at, *node.size) for node in diagram.nodes]
    taken += [(*at, 2 * RADIUS, 2 * RADIUS) for at in places.values()]
    named = {key: _listed([loop.id for loop in loops if key in loop.edges]) for key in ways}
    for key in sorted(filter(named.get, named), key=lambda key: lengths[key] / len(named[key])):
        size = badge_size(named[key])
        others = np.vstack([way for other, way in ways.items() if other != key])
        boxes, spots = np.array(taken), []
        for share in np.linspace(0.1, 0.9, 33):
            on, ahead = (np.array(_along(ways[key], lengths[key] * each)) for each in (share, share + 0.01))
            normal = (ahead - on)[::-1] * (-1, 1) / np.linalg.norm(ahead - on)
            for aside in (0.0, 0.6, -0.6, 1.6, -1.6):
                at = on + (aside + np.sign(aside) * (size @ np.abs(normal)) / 2) * normal
                hits = (np.abs(boxes[:, :2] - at) < (boxes[:, 2:] + size) / 2 + 0.15).all(1).sum()
                hits += (np.abs(others - at) < size / 2 + 0.3).all(1).any() + (at + size / 2 > diagram.page).any()
                spots.append((100.0 * hits + abs(share - 0.45) + 0.3 * abs(aside), *at))
        _, x, y = min(spots)
        places[key, named[key]] = (float(x), float(y))
        taken.append((x, y, *size))
    return places


def badge_size(name: str) -> np.ndarray:
    """Return about how wide and high a loop's badge is, millimetres."""
    return np.array([1.2 * len(name) + 1.2, 3.0])


def _listed(ids: list[str]) -> str:
    """Name loops in few letters, as R1–3,7 B2."""
    parts = []
    for letter, own in groupby(ids, key=lambda name: name[0]):
        runs = [
            [number for _, number in run]
            for _, run in groupby(enumerate(int(name[1:]) for name in own), key=lambda pair: pair[1] - pair[0])
        ]
        parts.append(letter + ",".join(f"{run[0]}–{run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs))
    return " ".join(parts)


def _ports(diagram: Diagram) -> dict[tuple[int, int], np.ndarray]:
    """Return the point of each end of each edge, by the edge's number and 0 for its start, 1 for its end."""
    sides: dict[tuple[str, str], list[tuple[float, int, int]]] = {}
    for number, edge in enumerate(diagram.edges):
        for end, (near, far) in enumerate(((edge.source, edge.target), (edge.target, edge.source))):
            side = edge.sides[end]
            across = diagram[far].at[1 if side in "lr" else 0]
            sides.setdefault((near, side), []).append((across, number, end))
    ports = {}
    for (name, side), ends in sides.items():
        node, normal = diagram[name], np.array(NORMALS[side])
        along, half = np.abs(normal[::-1]), np.array(node.size) / 2
        for place, (_, number, end) in enumerate(sorted(ends), start=1):
            ports[number, end] = node.at + half * normal + half * along * (2 * place / (len(ends) + 1) - 1)
    return ports


def _pull(own: np.ndarray, other: np.ndarray, onward: np.ndarray) -> float:
    """Return how far an arrow keeps to its box's normal: half across a gap, round a corner as an ellipse."""
    if own @ other > 0:
        return 14.0
    return max(3.0, (0.5 if own @ other < 0 else 0.55) * float(own @ onward))


def _points(way: np.ndarray) -> np.ndarray:
    """Return 60 points along a cubic Bezier curve, shape (60, 2)."""
    from matplotlib.bezier import BezierSegment

    return BezierSegment(way)(np.linspace(0, 1, 60))


def _along(points: np.ndarray, distance: float) -> tuple[float, float]:
    run = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    return float(np.interp(distance, run, points[:, 0])), float(np.interp(distance, run, points[:, 1]))


def _new(width: float, height: float) -> Axes:
    from matplotlib import pyplot as plt

    figure = plt.figure(figsize=(width / 25.4, height / 25.4))
    figure.set_layout_engine("none")  # and not layout="none": saving would set the house's layout again
    return figure.add_axes((0, 0, 1, 1))


def _arrow(ax: Axes, way: np.ndarray, colour: str, style: str) -> None:
    from matplotlib.patches import PathPatch, Polygon
    from matplotlib.path import Path

    into = (way[2] - way[3]) / np.linalg.norm(way[2] - way[3])
    aside = 0.75 * np.array([-into[1], into[0]])
    path = Path(way, [Path.MOVETO, *[Path.CURVE4] * 3])
    # the line above its own broad shadow of paper, where arrows cross
    for ink, width, more in ((PAPER, 2.6, {"zorder": 1}), (colour, 0.9, {"linestyle": style, "zorder": 1.1})):
        ax.add_patch(PathPatch(path, facecolor="none", edgecolor=ink, linewidth=width, **more))
    head = [way[3] - HEAD * into, way[3] + aside, way[3] - aside]
    ax.add_patch(Polygon(head, facecolor=colour, linewidth=0, zorder=1.2))


def _box(ax: Axes, node: Node) -> None:
    """Draw a node in the shape of its kind, with its symbol on a tab at the left."""
    from matplotlib.patches import Rectangle

    (x, y), (w, h) = node.at, node.size
    shape = ax.add_patch(_shape(node.kind, x, y, w, h))
    tab = TAB if node.symbol else 0.0
    if node.symbol:
        fill = ax.add_patch(Rectangle((x - w / 2, y - h / 2), tab, h, facecolor=INK, linewidth=0, zorder=2.1))
        fill.set_clip_path(shape)
        _write(ax, x - w / 2 + tab / 2, y, node.symbol, color=PAPER, weight="bold", zorder=3)
    ink = PAPER if node.kind == "actor" else INK
    label = _write(ax, x + tab / 2, y, node.words, va="center", linespacing=1.05, zorder=3, color=ink, gid=node.id)
    room = w - tab - SLACK[node.kind]
    vars(label)["_get_wrapped_text"] = lambda: _wrapped(label.get_text(), room)  # anew for each language


def _shape(kind: str, x: float, y: float, w: float, h: float) -> Patch:
    from matplotlib.patches import FancyBboxPatch, Polygon, Rectangle

    left, bottom = x - w / 2, y - h / 2
    line: dict[str, Any] = {"edgecolor": INK, "zorder": 2}
    if kind in ("actor", "stock"):
        return Rectangle((left, bottom), w, h, facecolor=INK if kind == "actor" else GRID, linewidth=1.2, **line)
    if kind in ("lever", "event"):  # a hexagon; a box with a notch
        tip = 2.0
        points = {
            "lever": [(0, h / 2), (tip, h), (w - tip, h), (w, h / 2), (w - tip, 0), (tip, 0)],
            "event": [(0, 0), (tip, h / 2), (0, h), (w - tip, h), (w, h / 2), (w - tip, 0)],
        }[kind]
        return Polygon([(left + a, bottom + b) for a, b in points], facecolor=PAPER, linewidth=0.9, **line)
    line |= {} if kind == "flow" else {"edgecolor": MUTED}
    r = min(4.4 if kind == "flow" else 1.2, h / 2)
    corner, style = (left + r, bottom + r), f"round,pad={r},rounding_size={r}"
    thick = 1.2 if kind == "flow" else 0.7
    return FancyBboxPatch(corner, w - 2 * r, h - 2 * r, style, facecolor=PAPER, linewidth=thick, **line)


def _wrapped(words: str, width: float) -> str:
    """Break a label into lines of nearly equal length that fit a width in millimetres."""
    from textwrap import wrap

    chinese = any("\u4e00" <= sign <= "\u9fff" for sign in words)
    room = width / (2.35 if chinese else 1.25)
    lines = max(1, int(np.ceil(len(words) / room)))
    if chinese:
        size = int(np.ceil(len(words) / lines))
        return "\n".join(words[i : i + size] for i in range(0, len(words), size))
    for size in range(int(np.ceil(len(words) / lines)), len(words) + 1):
        if len(wrap(words, size, break_long_words=False)) <= lines:
            return "\n".join(wrap(words, size, break_long_words=False))
    return words


def _sign(ax: Axes, x: float, y: float, sign: int, zorder: float = 4) -> None:
    from matplotlib.patches import Circle

    colour = COLOURS[sign]
    fill = PAPER if sign > 0 else colour
    ax.add_patch(Circle((x, y), RADIUS, facecolor=fill, edgecolor=colour, linewidth=0.7, zorder=zorder))
    ink, arm = colour if sign > 0 else PAPER, 0.55 * RADIUS
    ax.plot([x - arm, x + arm], [y, y], color=ink, linewidth=0.8, zorder=zorder)
    if sign > 0:
        ax.plot([x, x], [y - arm, y + arm], color=ink, linewidth=0.8, zorder=zorder)


def _badge(ax: Axes, x: float, y: float, name: str) -> None:
    """Write the names of loops: on dark where all reinforce, on paper where one balances."""
    dark = "B" not in name
    frame = {"boxstyle": "round,pad=0.22", "facecolor": MUTED if dark else PAPER, "edgecolor": MUTED, "linewidth": 0.8}
    _write(ax, x, y, name, fontsize=5.8, weight="bold", color=PAPER if dark else INK, zorder=5, bbox=frame)


def _write(ax: Axes, x: float, y: float, words: str, **style: Any) -> Text:
    """Write words in the size and ink of a diagram, centred where nothing else is said."""
    usual = {"fontsize": 6.5, "color": INK, "ha": "center", "va": "center_baseline"}
    return ax.text(x, y, words, **{**usual, **style})


def _legend(ax: Axes, diagram: Diagram) -> None:
    """Show the kinds of node and edge that occur, in one row under the diagram."""
    kinds = [kind for kind in NODE_KINDS if any(node.kind == kind for node in diagram.nodes)]
    y, x = -4.5, 1.0
    for kind in kinds:
        ax.add_patch(_shape(kind, x + 3.2, y, 6.4, 3.6))
        x = _say(ax, x + 7.4, y, kind)
    for sign, line, said in ((1, "-", "raises"), (-1, "-", "lowers"), (1, "--", "inferred")):
        _arrow(ax, np.array([(x, y), (x + 2, y), (x + 4, y), (x + 7, y)]), COLOURS[sign], line)
        if line == "-":
            _sign(ax, x + 4, y, sign)
        x = _say(ax, x + 10, y, said)


def _say(ax: Axes, x: float, y: float, words: str) -> float:
    """Write a word of the legend; return where the next entry may begin."""
    _write(ax, x, y, words, ha="left")
    return x + 1.28 * len(words) + 2.6


def _list(ax: Axes, diagram: Diagram, loops: tuple[Loop, ...]) -> None:
    for row, loop in enumerate(loops):
        y = -ROW - LINE * row + 0.4
        _badge(ax, 3.6, y, loop.id)
        _write(ax, 8, y, diagram.path_words(loop), ha="left")
    below = -ROW - LINE * len(loops) + 0.4
    _write(ax, 8, below, "R: reinforcing loop; B: balancing loop", ha="left", color=MUTED)
