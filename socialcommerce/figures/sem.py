"""Draw what a structural equation model found: paths, loadings, residual correlations, bootstrap distributions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from semfit import Bootstrap, SemFit
from socialcommerce.errors import UnknownNameError
from socialcommerce.figures.colours import GRID, INK, MARKERS, MUTED, PAPER, SERIES
from socialcommerce.figures.sem_paths import plot_paths
from socialcommerce.figures.style import new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_bootstrap", "plot_loadings", "plot_paths", "plot_residuals"]

DASHES = {"percentile": "-", "bc": (0, (5, 2)), "bca": (0, (1, 1))}
WORDS = {
    "loading": {"en": "standardised loading, 95 % interval", "zh": "标准化载荷，95%区间"},
    "residual": {"en": "residual correlation (observed less implied); hatched: negative",
                 "zh": "残差相关（观测减模型隐含）；斜线：负值"},
    "draws": {"en": "resamples", "zh": "重抽样次数"},
    "value": {"en": "{}, {:.0f} % intervals", "zh": "{}，{:.0f}%区间"},
    "estimate": {"en": "estimate", "zh": "估计值"},
    "percentile": {"en": "percentile", "zh": "百分位"},
    "bc": {"en": "bias-corrected", "zh": "偏差校正"},
    "bca": {"en": "BCa", "zh": "BCa"},
}


def plot_loadings(fit: SemFit, *, group: int = 1, language: str = "en", ax: Axes | None = None) -> Axes:
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
    ax.set_xlabel(WORDS["loading"][language])
    return ax


def plot_residuals(fit: SemFit, *, group: int = 1, language: str = "en", ax: Axes | None = None) -> Axes:
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
    ax.set(xlim=(-0.5, len(names) - 1.5), ylim=(len(names) - 0.5, 0.5), xlabel=WORDS["residual"][language])
    ax.grid(visible=False)
    ax.tick_params(length=0)
    for side in ("left", "bottom"):
        ax.spines[side].set_color(GRID)
    return ax


def plot_bootstrap(draws: Bootstrap, parameter: str, *, kinds: tuple[str, ...] = ("percentile", "bc"),
                   level: float = 0.95, language: str = "en", ax: Axes | None = None) -> Axes:
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
    ax.axvline(table.loc[at, "est"], color=INK, linewidth=1.4, label=WORDS["estimate"][language])
    ax.axvline(0, color=MUTED, linewidth=0.8)
    for k, kind in enumerate(kinds):
        ends = draws.intervals(kind, level).loc[at, ["ci_low", "ci_high"]]
        ax.plot(ends, 2 * [top * (1.06 + 0.09 * k)], linestyle=DASHES[kind], color=SERIES[1 + k], marker="|",
                markersize=9, label=WORDS[kind][language])
    ax.set_ylim(0, top * (1.12 + 0.09 * len(kinds)))
    ax.set(xlabel=WORDS["value"][language].format(parameter, 100 * level), ylabel=WORDS["draws"][language])
    ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return ax


def _parts(rows) -> list[list[int]]:
    """Positions of the rows of each latent variable."""
    return [[rows.index.get_loc(i) for i in part.index] for _, part in rows.groupby("lhs", sort=False)]
