"""Draw what a mode does: shares through time, the gap to fixed networks, elasticities, loops of R0, group sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from socialcommerce.figures.colours import INK, MUTED, PAPER, SERIES
from socialcommerce.numbers import snap
from stockflow import Gap, Mode, ModeFit, Trajectory

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["plot_elasticities", "plot_gap", "plot_group_sizes", "plot_loops", "plot_profiles",
           "plot_trajectory"]

DASHES = ("-", (0, (5, 2)), (0, (1, 1)), (0, (5, 1, 1, 1)), (0, (8, 2)), (0, (3, 1, 1, 1, 1, 1)))
MARKERS = ("o", "s", "^", "D")
WORDS = {
    "day": {"en": "day", "zh": "天"},
    "share": {"en": "share of the population, %", "zh": "占总人口的比例（%）"},
    "active": {"en": "active share, %", "zh": "活跃人群占比（%）"},
    "equations": {"en": "equations: all in contact with all", "zh": "方程：人人互相接触"},
    "elasticity": {"en": "R0 moves by so many per cent per per cent", "zh": "参数变动1%时R0变动的百分比"},
    "loops": {"en": "newcomers brought in this state, per newcomer", "zh": "每位新进入者在该状态带来的新进入者"},
    "ratio": {"en": "sum of squares over the least", "zh": "残差平方和与最小值之比"},
    "initial": {"en": "share at the start", "zh": "期初占比"},
    "size": {"en": "group size", "zh": "成团人数"},
    "K": {"en": "K: new buyers per new buyer", "zh": "K：每位新买家带来的新买家"},
    "capped": {"en": "capped: closes when full", "zh": "封顶：满员即止"},
    "open": {"en": "open: anyone may still join", "zh": "开放：满员后仍可加入"},
}


def plot_trajectory(run: Trajectory, states: Sequence[str], *, language: str = "en", ax: Axes | None = None) -> Axes:
    """Draw the share of persons in some states through time.

    Parameters
    ----------
    run : Trajectory
        Of one set of parameters.
    states : sequence of str
        Up to six, in the order of the legend.
    """
    ax = ax or _new()
    total = run.values[0].sum()
    for i, name in enumerate(states):
        words = run.mode.states[run.mode.index[name]].words[language]
        ax.plot(run.times, 100 * run.state(name) / total, color=SERIES[i], linestyle=DASHES[i],
                label=f"{name}  {words}")
    ax.set(xlabel=WORDS["day"][language], ylabel=WORDS["share"][language], xlim=(0, run.times[-1]))
    ax.set_ylim(0)
    ax.figure.legend(loc="outside lower center", ncols=2)
    return ax


def plot_gap(gaps: Mapping[str, Gap], labels: Mapping[str, Mapping[str, str]], mode: Mode, *, language: str = "en",
             ax: Axes | None = None) -> Axes:
    """Draw the active share by the equations and on each fixed network, the mean over runs.

    Parameters
    ----------
    gaps : mapping of name to Gap
        For one set of parameters, so that the equations are the same.
    labels : mapping of name to {"en", "zh"}
    """
    ax = ax or _new()
    active = mode.carrying
    first = next(iter(gaps.values()))
    ax.plot(first.times, 100 * first.equations[:, active].sum(axis=1), color=INK, label=WORDS["equations"][language])
    for i, (name, gap) in enumerate(gaps.items()):
        ax.plot(gap.times, 100 * gap.network[:, active].sum(axis=1), color=SERIES[i + 1], linestyle=DASHES[i + 1],
                label=labels[name][language])
    ax.set(xlabel=WORDS["day"][language], ylabel=WORDS["active"][language], xlim=(0, first.times[-1]))
    ax.set_ylim(0)
    ax.figure.legend(loc="outside lower center", ncols=1)
    return ax


def plot_elasticities(table: pd.DataFrame, mode: Mode, *, language: str = "en", ax: Axes | None = None) -> Axes:
    """Draw the elasticity of R0 by parameter as bars, those that lower it hatched.

    Parameters
    ----------
    table : pandas.DataFrame
        Columns parameter, symbol, elasticity; those below a thousandth in size are left out.
    """
    shown = table[table["elasticity"].abs() > 1e-3].sort_values("elasticity", key=abs)
    ax = ax or _new(height=0.9 + 0.27 * len(shown))
    names = [f"{mode.parameter[row.parameter].words[language]}  {row.symbol}" for row in shown.itertuples()]
    raises = shown["elasticity"].to_numpy() > 0
    for kind, colour, hatch in ((raises, SERIES[0], ""), (~raises, SERIES[1], "///")):
        ax.barh(np.flatnonzero(kind), shown["elasticity"][kind], height=0.62, color=colour, hatch=hatch,
                edgecolor=INK, linewidth=0.6)
    for place, value in enumerate(shown["elasticity"]):
        ax.annotate(f"{snap(value):+.2f}".replace("-", "−"), (value, place), xytext=(4 if value > 0 else -4, 0),
                    textcoords="offset points", va="center", ha="left" if value > 0 else "right", fontsize=8)
    ax.axvline(0, color=INK, linewidth=0.8)
    ax.set_yticks(range(len(shown)), names)
    ax.margins(x=0.16)
    ax.grid(axis="y", visible=False)
    ax.set_xlabel(WORDS["elasticity"][language])
    return ax


def plot_loops(gains: pd.Series, mode: Mode, *, language: str = "en", ax: Axes | None = None) -> Axes:
    """Draw what each state adds to R0 as one bar from its first loop to the last, and the threshold at one.

    Parameters
    ----------
    gains : Series
        By name of the carrying state, from :func:`stockflow.page.loop_gains`.
    """
    ax = ax or _new(height=2.0)
    left = 0.0
    for i, (name, gain) in enumerate(gains[gains > 1e-12].items()):
        ax.barh(0, gain, left=left, height=0.5, color=SERIES[i], hatch=("", "///", "..", "xx")[i], edgecolor=PAPER,
                label=f"{mode.states[mode.index[name]].words[language]}: {snap(gain):.2f}")
        left += gain
    ax.axvline(1, color=INK, linewidth=1.2, linestyle=(0, (4, 2)))
    ax.text(left, 0.32, f"R0 = {snap(left):.2f}", ha="right", va="bottom", fontsize=9, weight="bold")
    ax.set(yticks=[], xlim=(0, 1.1 * max(left, 1)), ylim=(-0.4, 0.75), xlabel=WORDS["loops"][language])
    ax.figure.legend(loc="outside lower center", ncols=2)
    return ax


def plot_group_sizes(table: pd.DataFrame, *, language: str = "en", ax: Axes | None = None) -> Axes:
    """Draw K by group size for capped and open groups, and the threshold at one.

    Parameters
    ----------
    table : pandas.DataFrame
        Columns g, capped, open.
    """
    ax = ax or _new()
    for i, variant in enumerate(("capped", "open")):
        ax.plot(table["g"], table[variant], color=SERIES[i], linestyle=DASHES[i], marker=MARKERS[i],
                markerfacecolor=SERIES[i] if i == 0 else PAPER, label=WORDS[variant][language])
    ax.axhline(1, color=MUTED, linewidth=1.2, linestyle=(0, (4, 2)))
    ax.set(xlabel=WORDS["size"][language], ylabel=WORDS["K"][language], xticks=list(table["g"]))
    ax.set_ylim(0)
    ax.legend(loc="upper right")
    return ax


def plot_profiles(fit: ModeFit, *, language: str = "en", ax: Sequence[Axes] | None = None) -> np.ndarray:
    """Draw each free parameter's profile, a panel each: below the dashed line, the series fits as well."""
    axes = np.ravel(ax) if ax is not None else _panels(len(fit.estimates))
    for i, (panel, one) in enumerate(zip(axes, fit.estimates, strict=True)):
        known = fit.mode.parameter.get(one.name)
        panel.plot(one.profile["value"], one.profile["ratio"], color=SERIES[0], marker=".")
        panel.axhline(fit.limit, color=MUTED, linestyle=(0, (4, 2)), linewidth=1.2)
        panel.set(xscale="log", yscale="log", ylim=(0.8, 100), xlabel=known.symbol if known else
                  WORDS["initial"][language], ylabel=WORDS["ratio"][language] if i == 0 else "")
        panel.set_yticks([1, 10, 100], ["1", "10", "100"])
    return axes


def _panels(count: int) -> np.ndarray:
    from matplotlib import pyplot as plt

    return np.ravel(plt.subplots(1, count, figsize=(6.3, 2.6), sharey=True)[1])


def _new(height: float = 3.5) -> Axes:
    from matplotlib import pyplot as plt

    return plt.subplots(figsize=(6.3, height))[1]
