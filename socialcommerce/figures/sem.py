"""Draw what a structural equation model found: paths, loadings, residual correlations, bootstrap distributions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.text import Text

from nbproof import snap, words
from semfit import Bootstrap, SemFit
from socialcommerce.errors import ParameterError, UnknownNameError
from socialcommerce.figures.colours import GRID, INK, MARKERS, MUTED, PAPER, SERIES
from socialcommerce.figures.sem_layout import Node, arrange
from socialcommerce.figures.style import new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_bootstrap", "plot_loadings", "plot_paths", "plot_residuals"]

DASHES = {"percentile": "-", "bc": (0, (5, 2)), "bca": (0, (1, 1))}
_T = np.linspace(0, 1, 11)
SAMPLE = np.stack([(1 - _T) ** 3, 3 * _T * (1 - _T) ** 2, 3 * _T**2 * (1 - _T), _T**3], -1)  # of a cubic Bezier curve
MIDDLE = SAMPLE[5]
KINDS = {"percentile": "percentile", "bc": "bias-corrected", "bca": "BCa"}


def plot_loadings(fit: SemFit, *, group: int = 1, ax: Axes | None = None) -> Axes:
    """Draw each standardised loading with its interval, latent variable by latent variable."""
    rows = fit.standardized.query("op == '=~' and group == @group")
    ax = ax or new_axes(0.9 + 0.22 * len(rows))
    for k, (name, part) in enumerate(rows.groupby("lhs", sort=False)):
        at = [rows.index.get_loc(i) + 0.6 * k for i in part.index]
        colour, error = SERIES[k % len(SERIES)], [part["std_all"] - part["ci_low"], part["ci_high"] - part["std_all"]]
        ax.errorbar(part["std_all"], at, xerr=np.nan_to_num(error), fmt=MARKERS[k % len(MARKERS)], color=colour,
                    markersize=4.5, linewidth=1.4, capsize=2)
        ax.text(1.01, np.mean(at), name, transform=ax.get_yaxis_transform(), va="center", color=colour, weight="bold")
    places = [i + 0.6 * k for k, part in enumerate(_parts(rows)) for i in part]
    ax.set_yticks(places, rows["rhs"])
    ax.set_ylim(max(places) + 0.7, -0.7)
    ax.set_xlim(min(0.0, rows["ci_low"].min() - 0.05), max(1.0, rows["ci_high"].max() + 0.02))
    ax.axvline(0, color=INK, linewidth=0.8)
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x")
    ax.set_xlabel("standardised loading, 95% interval")
    return ax


def plot_residuals(fit: SemFit, *, group: int = 1, ax: Axes | None = None) -> Axes:
    """Draw the lower triangle of residual correlations; the shade grows with the size, 0.2 and more is full."""
    from matplotlib.patches import Rectangle

    names = fit.sample.names
    table = fit.residuals
    own = table["group"] == fit.sample.groups[group - 1].label
    rows = table[own & (table["op"] == "~~") & (table["lhs"] != table["rhs"])]
    ax = ax or new_axes(0.9 + 0.28 * len(names))
    for row in rows.itertuples():
        i, j = sorted((names.index(row.lhs), names.index(row.rhs)), reverse=True)
        depth, colour = min(abs(row.cor) / 0.2, 1.0), SERIES[0 if row.cor > 0 else 1]
        ax.add_patch(Rectangle((j - 0.5, i - 0.5), 1, 1, facecolor=colour, alpha=depth, linewidth=0))
        if row.cor < 0 and depth > 0.25:
            ax.add_patch(Rectangle((j - 0.5, i - 0.5), 1, 1, fill=False, hatch="////", linewidth=0, edgecolor=PAPER))
        text = f"{row.cor:z.2f}".replace("-", "\N{MINUS SIGN}").replace("0.", ".")
        ax.text(j, i, text, ha="center", va="center", fontsize=6, color=PAPER if depth > 0.6 else INK,
                bbox={"facecolor": colour, "edgecolor": "none", "pad": 0.3} if row.cor < 0 and depth > 0.6 else None)
    ax.set_xticks(range(len(names) - 1), names[:-1], rotation=90)
    ax.set_yticks(range(1, len(names)), names[1:])
    ax.set(xlim=(-0.5, len(names) - 1.5), ylim=(len(names) - 0.5, 0.5),
           xlabel="residual correlation (observed less implied); hatched: negative")
    ax.grid(visible=False)
    ax.tick_params(length=0)
    for side in ("left", "bottom"):
        ax.spines[side].set_color(GRID)
    return ax


def plot_bootstrap(draws: Bootstrap, parameter: str, *, kinds: tuple[str, ...] = ("percentile", "bc"),
                   level: float = 0.95, ax: Axes | None = None) -> Axes:
    """Draw the distribution of one parameter over the resamples, its estimate, and the ends of its intervals.

    Parameters
    ----------
    parameter : str
        A defined parameter or a label, ``"indirect"``, or a relation, ``"URG~PAR"``.
    kinds : tuple of str
        Of "percentile", "bc" and "bca" (the last refits with each row left out).
    """
    table = draws.intervals("percentile", level)
    known = {name: k for k, row in table.iterrows() for name in (row["lhs"] + row["op"] + row["rhs"], row["label"])}
    if parameter not in known or not parameter:
        raise UnknownNameError("parameter", parameter, [name for name in known if name])
    at = known[parameter]
    values = draws.values(draws.draws)[:, at]
    ax = ax or new_axes(3.0)
    counts, _, _ = ax.hist(values, bins="fd", color=SERIES[0], alpha=0.35, linewidth=0)
    top = counts.max()
    ax.axvline(table.loc[at, "est"], color=INK, linewidth=1.4, label="estimate")
    ax.axvline(0, color=MUTED, linewidth=0.8)
    for k, kind in enumerate(kinds):
        ends = draws.intervals(kind, level).loc[at, ["ci_low", "ci_high"]]
        ax.plot(ends, 2 * [top * (1.06 + 0.09 * k)], linestyle=DASHES[kind], color=SERIES[1 + k], marker="|",
                markersize=9, label=KINDS[kind])
    ax.set_ylim(0, top * (1.12 + 0.09 * len(kinds)))
    ax.set(xlabel=words("{parameter}, {level:.0f}% intervals", parameter=parameter, level=100 * level),
           ylabel="resamples")
    ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return ax


def _parts(rows) -> list[list[int]]:
    """Positions of the rows of each latent variable."""
    return [[rows.index.get_loc(i) for i in part.index] for _, part in rows.groupby("lhs", sort=False)]


def plot_paths(
    fit: SemFit,
    *,
    group: int = 1,
    standardized: bool = True,
    items: bool = True,
    synthetic: bool = False,
    names: Mapping[str, str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw latent variables as ovals, observed ones as boxes, paths as arrows and covariances as curves.

    Causes stand left, effects right and items outward. R2 stands in what is explained; variances and means are left
    out.

    Parameters
    ----------
    fit : SemFit
        A fit that converged and is identified.
    group : int
        Which group, from 1.
    standardized : bool
        Draw ``std_all`` and its interval, or the estimates as they are.
    items : bool
        Without them only the paths between the others are drawn: for large models.
    synthetic : bool
        Say on the figure's face that the answers were drawn by a program.
    names : mapping, optional
        What to call a variable in the figure.

    Raises
    ------
    ParameterError
        Where the fit has no solution, or no such group.
    """
    if not (fit.converged and fit.identified):
        raise ParameterError(f"the fit has no solution to draw: {' '.join(fit.problems)}")
    if not 1 <= group <= fit.table.groups:
        raise ParameterError(f"group is a number from 1 to {fit.table.groups}; got {group!r}.")
    rows = _rows(fit, group, standardized)
    latent = list(dict.fromkeys(rows.loc[rows["op"] == "=~", "lhs"]))
    rows = rows if items else rows[rows["op"] == "~"]
    layout = arrange(rows, latent)
    curves = {row.Index: _curve(layout.nodes[row.lhs], layout.nodes[row.rhs]) for row in rows.itertuples()
              if row.op == "~~"}
    left, right, low, high = layout.extent(
        np.vstack([np.empty((0, 2)), *(SAMPLE @ points for points in curves.values())]))
    ax = ax or new_axes(high - low, width=right - left)
    r2 = fit.r2 if isinstance(fit.r2, pd.Series) else fit.r2.iloc[:, group - 1]
    patches = {name: _node(ax, node, (names or {}).get(name, name), r2, folds=not items)
               for name, node in layout.nodes.items()}
    for row in rows.itertuples():
        if row.op == "~~":
            _draw_curve(ax, curves[row.Index], row)
        else:
            ends = (row.rhs, row.lhs) if row.op == "~" else (row.lhs, row.rhs)
            at = 0.62 if items else 0.36  # of its way: large models cross less near the causes
            _arrow(ax, *(layout.nodes[n] for n in ends), *(patches[n] for n in ends), row, rows, at)
    note = words("{what}; dashed: {level:d}% interval includes zero", level=95,
                 what="standardised estimates" if standardized else "estimates")
    note = words("{note}; synthetic sample", note=note) if synthetic else note
    ax.text(left + 0.05, low + 0.05, note, fontsize=7, color=MUTED)
    ax.set(xlim=(left, right), ylim=(low, high), aspect="equal")
    ax.axis("off")
    return ax


def _rows(fit: SemFit, group: int, standardized: bool) -> pd.DataFrame:
    """Return relations between two variables with value and whether the interval holds zero; none fixed at zero."""
    frame = fit.standardized if standardized else fit.estimates
    value = frame["std_all" if standardized else "est"]
    rows = frame.assign(value=value, open=(frame["ci_low"] < 0) & (frame["ci_high"] > 0))
    between = rows["op"].isin(("=~", "~")) | (rows["op"] == "~~") & (rows["lhs"] != rows["rhs"])
    return rows[between & (rows["group"] == group) & (value != 0)]


class _Name(Text):
    """A node's name, broken and shrunk to fit into it in whatever language it is written; its label is the whole."""

    latent = folds = False

    def set_text(self, s: str) -> None:
        """Write a name; an empty one stands until it is known how it has to fit."""
        lines = _folded(s) if self.folds else s
        super().set_text(lines)
        if s:
            longest = max(map(_length, lines.split("\n")))
            fits = (12 if "\n" in lines or longest > 10 else 8) if self.latent else 7  # letters at full size
            self.set_fontsize((9 if self.latent else 7.5) * min(1.0, fits / longest))


def _node(ax: Axes, node: Node, name: str, r2: pd.Series, *, folds: bool):
    from matplotlib.patches import Ellipse, Rectangle

    w, h = node.size
    look = {"facecolor": PAPER, "edgecolor": INK, "linewidth": 1.1 if node.latent else 0.8, "zorder": 4}
    shape = Ellipse((node.x, node.y), w, h, **look) if node.latent else Rectangle(
        (node.x - w / 2, node.y - h / 2), w, h, **look)
    ax.add_patch(shape)
    explained = not node.item and node.name in r2.index
    put = {"ha": "center", "va": "center", "zorder": 5}
    text = _Name(node.x, node.y, linespacing=1.0, label=name, **put)
    text.latent, text.folds = node.latent, folds
    text.set_text(name)
    ax.add_artist(text)
    if explained:
        two = "\n" in text.get_text()
        text.set_y(node.y + 0.07 + 0.03 * two)
        down = 0.15 if two else 0.1
        ax.text(node.x, node.y - down, f"$R^2$ {_number(r2[node.name])}", fontsize=6.5, color=MUTED, **put)
    return shape


def _folded(name: str) -> str:
    """Break a long name in two lines of like length: between words, or between Chinese characters."""
    if _length(name) <= 9 or name.isascii() and " " not in name:
        return name
    parts = name.split(" ") if " " in name else list(name)
    glue = " " if " " in name else ""
    halves = [(glue.join(parts[:k]), glue.join(parts[k:])) for k in range(1, len(parts))]
    return "\n".join(min(halves, key=lambda pair: max(map(_length, pair)), default=(name,)))


def _length(name: str) -> float:
    """Width of a name in letters; a Chinese character is two wide."""
    return sum(2 if ord(sign) > 0x2E7F else 1 for sign in name)


def _number(value: float) -> str:
    return f"{snap(value):.2f}".replace("-", "\N{MINUS SIGN}")


def _label(ax: Axes, spot: np.ndarray, value: float, *, strong: bool = False) -> None:
    box = {"facecolor": PAPER, "edgecolor": "none", "pad": 0.6}
    ax.text(*spot, _number(value), fontsize=8 if strong else 6.5, color=INK if strong else MUTED, ha="center",
            va="center", bbox=box, zorder=6)


def _arrow(ax: Axes, start: Node, end: Node, tail, head, row, rows: pd.DataFrame, t: float) -> None:
    """Draw a path, or a loading, straight, its number at share t; two paths that run both ways bend apart."""
    from matplotlib.patches import FancyArrowPatch

    path = not end.item
    back = bool(((rows["op"] == row.op) & (rows["lhs"] == row.rhs) & (rows["rhs"] == row.lhs)).any())
    rad = 0.25 if back else 0.0
    a, b = np.array([start.x, start.y]), np.array([end.x, end.y])
    ax.add_patch(FancyArrowPatch(
        tuple(a), tuple(b), patchA=tail, patchB=head, shrinkA=0, shrinkB=0, connectionstyle=f"arc3,rad={rad}",
        arrowstyle="-|>", mutation_scale=9 if path else 6, linewidth=1.3 if path else 0.8, zorder=2,
        color=SERIES[0] if path else MUTED, linestyle=(0, (4, 2)) if row.open else "-"))
    bend = rad * np.array([b[1] - a[1], a[0] - b[0]])
    _label(ax, a + t * (b - a) + 2 * t * (1 - t) * bend, row.value, strong=path)


def _curve(one: Node, other: Node) -> np.ndarray:
    """Return the four points of a curve between the outer sides of items, or between the inner sides of causes."""
    outer = one.item and other.item
    (a, out), (b, away) = _leave(one, other, outer), _leave(other, one, outer)
    distance = float(np.hypot(*(b - a)))
    if not outer:
        reach = np.full(2, min(0.13 + 0.32 * distance, 1.15))
    elif out @ away:
        reach = np.full(2, 0.16 + 0.17 * distance)
    else:  # around the corner where one leaves upward and the other sideways
        reach = 0.35 + 0.33 * distance * (1.0 + 0.5 * np.abs([out[0], away[0]]))
    return np.array([a, a + reach[0] * out, b + reach[1] * away, b])


def _draw_curve(ax: Axes, points: np.ndarray, row) -> None:
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path

    ax.add_patch(FancyArrowPatch(
        path=Path(points, [Path.MOVETO, *[Path.CURVE4] * 3]), arrowstyle="<|-|>", mutation_scale=5, linewidth=0.7,
        color=MUTED, zorder=1, linestyle=(0, (4, 2)) if row.open else "-"))
    _label(ax, MIDDLE @ points, row.value)


def _leave(node: Node, other: Node, outer: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return where a curve leaves a node, and the direction it leaves in."""
    away = np.array(node.outward) * (1.0 if outer else -1.0)
    here, way = np.array([node.x, node.y]), np.array([other.x - node.x, other.y - node.y])
    along = way - away * (way @ away)
    along = along / max(float(np.hypot(*along)), 1e-9)
    angle = float(np.clip(1.2 - 0.25 * np.hypot(*way), 0.3, 1.0)) if node.latent else 0.3
    shift = away * np.cos(angle) + along * np.sin(angle) if node.latent else away + angle * along
    return here + shift * np.array(node.size) / 2, away
