"""Draw what strategies bring: intervals and first ranks, cheapest quality, the balance of promotion, inner optima."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from nbproof import snap
from socialcommerce.figures.colours import DASHES, INK, MARKERS, MUTED, SERIES
from socialcommerce.figures.style import new_axes
from socialcommerce.modes.advice import OUTCOME_WORDS, strategies
from socialcommerce.modes.policy import OUTCOMES, Ranking
from socialcommerce.modes.readings import both
from stockflow import ModeFit

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["plot_inner_optima", "plot_offers", "plot_off_contact", "plot_profiles", "plot_promotion", "plot_quality",
           "plot_ranking"]

WORDS = {
    "r0": {"en": "change, %", "zh": "变化（%）"}, "purchases": {"en": "change, %", "zh": "变化（%）"},
    "profit": {"en": "yuan per 1000 a day", "zh": "每千人每日（元）"},
    "first": {"en": "bars: middle nine tenths of the draws; mark: median; right: how often first;\n"
                    "axes are logarithmic beyond the first ticks",
              "zh": "线段：抽样中间九成；标记：中位数；右侧：居首比例；坐标轴在首个刻度之外取对数"},
    "quality": {"en": "quality of content (log scale)", "zh": "内容质量（对数轴）"},
    "cost": {"en": "yuan a buyer (log scale)", "zh": "每位买家的成本（元，对数轴）"},
    "finite": {"en": "finite audience", "zh": "受众有限"},
    "infinite": {"en": "endless audience, passed on", "zh": "受众无限，内容会被转发"},
    "infinite_plain": {"en": "endless audience, not passed on", "zh": "受众无限，内容不被转发"},
    "share": {"en": "share of messages that promote, %", "zh": "推广消息占比（%）"},
    "n": {"en": "messages a day (log scale)", "zh": "每日消息数（对数轴）"},
    "best": {"en": "best", "zh": "最优"},
    "factor": {"en": "contact, times the best frequency (log scale)", "zh": "接触频率为最优值的倍数（对数轴）"},
    "lost": {"en": "purchases lost, %", "zh": "损失的购买（%）"},
    "median": {"en": "median", "zh": "中位数"}, "band": {"en": "middle nine tenths", "zh": "中间九成"},
    "personal": {"en": "Personalisation", "zh": "个性化"}, "depth": {"en": "depth", "zh": "个性化程度"},
    "chance": {"en": "pool that buys, %", "zh": "池内成员购买比例（%）"},
    "privacy": {"en": "concern c =", "zh": "隐私顾虑c ="},
    "division": {"en": "Division into classes", "zh": "客户细分"}, "classes": {"en": "classes", "zh": "类别数"},
    "gain": {"en": "gain, yuan per 1000", "zh": "净收益（每千人，元）"},
    "class": {"en": "yuan a class:", "zh": "每类人均（元）："},
    "size": {"en": "group size", "zh": "成团人数"}, "K": {"en": "K", "zh": "K"},
    "earned": {"en": "profit, % of the best", "zh": "利润（占最优的%）"}, "off": {"en": "off", "zh": "折扣"},
    "ratio": {"en": "sum of squares over its least (log scale)", "zh": "平方和与其最小值之比（对数轴）"},
    "initial": {"en": "active at the start", "zh": "起始活跃者比例"},
}


def plot_ranking(ranking: Ranking, *, language: str = "en", ax: np.ndarray | None = None) -> np.ndarray:
    """Draw each strategy's effect on R0, purchases and profit, and beside it how often it is first."""
    table = ranking.summary()
    names = table[table["outcome"] == "r0"].sort_values("median")["strategy"].tolist()
    words = {one.name: one.words[language] for one in strategies(ranking.mode)}
    axes = np.ravel(ax if ax is not None else new_axes(1.3 + 0.27 * len(names), 1, 3, sharey=True))
    for i, (panel, outcome) in enumerate(zip(axes, OUTCOMES, strict=True)):
        rows = table[table["outcome"] == outcome].set_index("strategy").loc[names]
        at = np.arange(len(names))
        panel.hlines(at, rows["low"], rows["high"], color=SERIES[i], linewidth=2.4)
        panel.plot(rows["median"], at, MARKERS[i], color=INK, markersize=4.5)
        for place, share in zip(at, rows["first"], strict=True):
            panel.annotate(f"{snap(100 * share):.0f} "
                           "%", (1.0, place), xycoords=("axes fraction", "data"), xytext=(1, 0),
                           textcoords="offset points", fontsize=7, color=MUTED, va="center")
        panel.axvline(0, color=INK, linewidth=0.8)
        _signed_log(panel, 1 if outcome == "profit" else 10)
        panel.set_title(OUTCOME_WORDS[outcome][language])
        panel.set_xlabel(WORDS[outcome][language])
        panel.grid(axis="x")
    axes[0].set_yticks(range(len(names)), [words[name] for name in names])
    axes[0].figure.supxlabel(WORDS["first"][language], fontsize=8, color=MUTED)
    return axes


def plot_quality(curves: pd.DataFrame, best: pd.Series, *, language: str = "en", ax: Axes | None = None) -> Axes:
    """Draw the cost of a buyer over the quality of content, in a finite and an endless audience."""
    ax = ax or new_axes()
    for i, name in enumerate(("finite", "infinite", "infinite_plain")):
        ax.plot(curves["q"], curves[name], color=SERIES[i], linestyle=DASHES[i], label=WORDS[name][language])
    ax.plot(best["q"], best["cost_per_buyer"], "o", color=INK, zorder=4)
    ax.annotate(f"{snap(best['q']):.2f}", (best["q"], best["cost_per_buyer"]), xytext=(0, 7),
                textcoords="offset points",
                ha="center", fontsize=8)
    ax.set(xscale="log", yscale="log", xlabel=WORDS["quality"][language], ylabel=WORDS["cost"][language])
    ax.set_ylim(max(curves["finite"].min() / 20, 1e-3))
    _plain(ax, "xy")
    ax.legend(loc="best")
    return ax


def plot_promotion(grid: pd.DataFrame, best: pd.Series, *, language: str = "en", ax: Axes | None = None) -> Axes:
    """Draw purchases, in per cent of the best, over the share of promotion and the frequency of contact."""
    ax = ax or new_axes(4.0)
    table = grid.pivot(index="n", columns="share", values="purchases")
    levels = [20, 40, 60, 80, 90, 95, 99]
    lines = ax.contour(100 * table.columns, table.index, table, levels=levels, colors=[SERIES[0]],
                       linewidths=np.linspace(0.7, 1.9, len(levels)))
    ax.clabel(lines, fmt=lambda value: f"{snap(value):.0f} %", fontsize=8, colors=INK)
    ax.plot(100 * best["share"], best["frequency"], "o", color=SERIES[1], markeredgecolor=INK, markersize=7,
            label=WORDS["best"][language])
    ax.set(yscale="log", xlabel=WORDS["share"][language], ylabel=WORDS["n"][language])
    _plain(ax, "y")
    ax.legend(loc="upper right")
    return ax


def plot_off_contact(losses: pd.DataFrame, *, language: str = "en", ax: Axes | None = None) -> Axes:
    """Draw the purchases lost by contacting more or less often than is best."""
    ax = ax or new_axes(3.0)
    ax.fill_between(losses["factor"], losses["low"], losses["high"], color=SERIES[0], alpha=0.25, linewidth=0,
                    label=WORDS["band"][language])
    ax.plot(losses["factor"], losses["median"], color=SERIES[0], label=WORDS["median"][language])
    ax.set(xscale="log", xlabel=WORDS["factor"][language], ylabel=WORDS["lost"][language])
    ticks = [factor for factor in (0.125, 0.25, 0.5, 1, 2, 4, 8) if losses["factor"].between(factor, factor).any() or
             losses["factor"].min() <= factor <= losses["factor"].max()]
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.set_xticks([], minor=True)
    ax.set_ylim(0)
    ax.legend(loc="upper center")
    return ax


def plot_inner_optima(personal: pd.DataFrame, classes: pd.DataFrame, *, language: str = "en",
                      ax: np.ndarray | None = None) -> np.ndarray:
    """Draw the chance of a purchase over the depth of personalisation, and the gain of classes at several costs."""
    axes = np.ravel(ax if ax is not None else new_axes(3.4, 1, 2))
    for i, (c, part) in enumerate(personal.groupby("c")):
        axes[0].plot(part["z"], part["chance"], color=SERIES[i], linestyle=DASHES[i],
                     label=f"{WORDS['privacy'][language]} {c:g}")
        best = part.loc[(part["z"] - part["best"]).abs().idxmin()]
        axes[0].plot(best["z"], best["chance"], MARKERS[i], color=SERIES[i], markeredgecolor=INK)
    axes[0].set(xlabel=WORDS["depth"][language], ylabel=WORDS["chance"][language])
    axes[0].set_title(WORDS["personal"][language])
    for i, (cost, part) in enumerate(classes.groupby("cost")):
        axes[1].plot(part["classes"], part["profit"], color=SERIES[i], linestyle=DASHES[i], marker=MARKERS[i],
                     label=f"{WORDS['class'][language]} {cost:g}")
    axes[1].axhline(0, color=INK, linewidth=0.8)
    axes[1].set(xlabel=WORDS["classes"][language], ylabel=WORDS["gain"][language],
                xticks=sorted(classes["classes"].unique()))
    axes[1].set_title(WORDS["division"][language])
    for panel in axes:
        panel.legend(loc="upper center", bbox_to_anchor=(0.5, -0.22), ncols=1)
    return axes


def plot_offers(table: pd.DataFrame, *, language: str = "en", ax: np.ndarray | None = None) -> np.ndarray:
    """Draw K and profit by group size at every discount; the threshold at one."""
    axes = np.ravel(ax if ax is not None else new_axes(3.3, 1, 2))
    most = table["profit"].max()
    for i, (off, part) in enumerate(table.groupby("discount")):
        look = {"color": SERIES[i], "linestyle": DASHES[i], "marker": MARKERS[i]}
        axes[0].plot(part["g"], part["r0"], label=f"{snap(100 * off):.0f} % {WORDS['off'][language]}", **look)
        axes[1].plot(part["g"], 100 * part["profit"] / most, **look)
    axes[0].axhline(1, color=INK, linewidth=1, linestyle=(0, (4, 2)))
    for panel, name in zip(axes, ("K", "earned"), strict=True):
        panel.set(xlabel=WORDS["size"][language], ylabel=WORDS[name][language], xticks=sorted(table["g"].unique()))
        panel.set_ylim(0)
    axes[0].figure.legend(loc="outside lower center", ncols=4)
    return axes


def plot_profiles(fits: Mapping[str, ModeFit], *, language: str = "en", ax: np.ndarray | None = None) -> np.ndarray:
    """Draw, one row a mode, how the sum of squares rises as each parameter is held off its best fit."""
    columns = max(len(fit.estimates) for fit in fits.values())
    axes = np.reshape(ax if ax is not None else new_axes(2.0 * len(fits) + 0.5, len(fits), columns, sharey=True),
                      (len(fits), columns))
    for i, fit in enumerate(fits.values()):
        for panel, one in zip(axes[i], fit.estimates, strict=False):
            panel.plot(one.profile["value"], one.profile["ratio"], color=SERIES[i], linestyle=DASHES[i])
            panel.plot(one.value, 1, MARKERS[i], color=INK, markersize=4.5, zorder=4)
            panel.axhline(fit.limit, color=SERIES[1], linewidth=1.2, linestyle=(0, (1, 1)))
            panel.set(xscale="log", yscale="log", xlabel=_name(fit, one.name, language))
            panel.set_yticks([1, 2, 5, 10, 20], ["1", "2", "5", "10", "20"])
            panel.set_yticks([], minor=True)
            panel.set_xticks([], minor=True)
        axes[i, 0].set_title(both(fit.mode.words)[language])
    axes[0, 0].figure.supylabel(WORDS["ratio"][language], fontsize=9)
    return axes.ravel()


# --- parts ------------------------------------------------------------------------------------------------------------


def _name(fit: ModeFit, name: str, language: str) -> str:
    return WORDS["initial"][language] if name == "initial" else f"{fit.mode.parameter[name].symbol}"


def _signed_log(ax: Axes, near: float) -> None:
    """Draw an axis evenly within plus and minus ``near`` and on a logarithmic scale beyond."""
    low, high = ax.get_xlim()
    ax.set_xscale("symlog", linthresh=near)
    ticks = [tick for tick in (-near, 0, near, (10 if high >= 10 * near else 3) * near) if low <= tick <= high]
    ax.set_xticks(ticks, [f"{tick:g}".replace("-", "−") for tick in ticks])
    ax.set_xticks([], minor=True)
    ax.set_xlim(low, high)


def _plain(ax: Axes, axes: str) -> None:
    """Write the numbers of a logarithmic axis plainly."""
    from matplotlib.ticker import FuncFormatter, NullFormatter

    for axis in (getattr(ax, f"{name}axis") for name in axes):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.set_minor_formatter(NullFormatter())
