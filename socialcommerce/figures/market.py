"""Draw the market's size: bars with their basis, rivals, official context, growth curves, forecasts and misses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nbproof import snap
from socialcommerce.figures.colours import GRID, INK, MUTED, PAPER, SERIES
from socialcommerce.figures.style import new_axes
from socialcommerce.market import (
    Backtest,
    Disagreement,
    Forecast,
    GrowthFit,
    MarketSeries,
    publisher_words,
    unit_words,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["BASES", "plot_backtest", "plot_context", "plot_disagreement", "plot_fits", "plot_forecast",
           "plot_market_size"]

BASES = {  # basis: words, fill, pattern
    "stated": ({"en": "stated in the paper", "zh": "论文原文"}, SERIES[0], ""),
    "published": ({"en": "published", "zh": "公开发表"}, SERIES[0], "///"),
    "observed": ({"en": "observed", "zh": "观测"}, SERIES[0], ""),
    "derived": ({"en": "derived", "zh": "推算"}, PAPER, ""),
    "forecast": ({"en": "forecast", "zh": "预测"}, PAPER, "---"),
    "synthetic": ({"en": "synthetic", "zh": "合成"}, PAPER, "xx"),
}
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*", "<", ">")
DASHES = {"exponential": (0, (1, 1)), "logistic": "-", "gompertz": (0, (5, 2)), "bass": (0, (5, 1, 1, 1))}
COLOURS = dict(zip(DASHES, SERIES[1:], strict=False))
WORDS = {
    "rests": {"en": "dashed outline: rests on a forecast", "zh": "虚线框：依赖预测"},
    "splice": {"en": "dotted line: the publisher changes", "zh": "点线：数据机构更换"},
    "rival": {"en": "filled: reported; hollow: forecast", "zh": "实心：公布值；空心：预测值"},
}


def plot_market_size(series: MarketSeries, rivals: pd.DataFrame | None = None, *, language: str = "en",
                     ax: Axes | None = None) -> Axes:
    """Draw one bar a year, its basis by pattern, growth only within a publisher's chain, and rival figures as marks.

    Parameters
    ----------
    series : MarketSeries
    rivals : pandas.DataFrame, optional
        Columns year, value, publisher, status; figures outside the series' years are left out.
    """
    ax = ax or new_axes(height=4.6 if rivals is not None else 3.7)
    handles = _bars(ax, series, language)
    _growth(ax, series)
    _splices(ax, series)
    if rivals is not None:
        handles += _rivals(ax, rivals[rivals["year"].isin(series.years)], language)
    handles += _remarks(series, rivals, language)
    labels = [f"{y}\n{_number(v, series)}" for y, v in zip(series.years, series.values, strict=True)]
    if series.n <= 12:
        ax.set_xticks(series.years, labels)
    ax.set_ylabel(_market(series, language))
    ax.set_ylim(0, ax.get_ylim()[1] * 1.04)
    _thousands(ax)
    ax.figure.legend(handles=handles, loc="outside lower center", ncols=3, columnspacing=1.4, handlelength=1.8)
    return ax


def plot_disagreement(apart: Disagreement, *, language: str = "en", ax: Axes | None = None) -> Axes:
    """Draw each rival figure as a share of the bar of its year, one line a publisher."""
    ax = ax or new_axes()
    shown = apart.ratios[~apart.ratios["echo"]]
    for i, (publisher, part) in enumerate(shown.groupby("publisher")):
        mean = part.groupby("year")["ratio"].mean()
        ax.plot(mean.index, 100 * mean, color=_colour(i), linewidth=1.0)
        ax.plot(part["year"], 100 * part["ratio"], MARKERS[i % len(MARKERS)], color=_colour(i),
                label=_say(language, **publisher_words(publisher)))
    ax.axhline(100, color=INK, linewidth=1.0)
    ax.set_yscale("log")
    ticks = [25, 50, 75, 100, 150, 200]
    ax.set_yticks(ticks, [f"{tick} %" for tick in ticks], minor=False)
    ax.set_yticks([], minor=True)
    ax.set_ylim(min(20, 90 * shown["ratio"].min()), max(220, 110 * shown["ratio"].max()))
    ax.set_xticks(range(int(shown["year"].min()), int(shown["year"].max()) + 1))
    ax.set_ylabel(_say(language, "share of the bar (log scale)", "与图中柱值之比（对数轴）"))
    ax.legend(ncols=2, loc="lower right")
    return ax


def plot_context(context: pd.DataFrame, *, language: str = "en", ax: Sequence[Axes] | None = None) -> np.ndarray:
    """Draw internet users, online shoppers, online retail and its official growth; hollow: counted after December."""
    axes = np.ravel(ax if ax is not None else new_axes(4.2, 2, 2))
    persons, money = {"en": "100 million persons", "zh": "亿人"}, {"en": "trillion CNY", "zh": "万亿元"}
    panels = (
        ("internet_users", {"en": "Internet users", "zh": "网民规模"}, persons, 1.0),
        ("online_shoppers", {"en": "Online shoppers", "zh": "网购用户规模"}, persons, 1.0),
        ("online_retail", {"en": "Online retail", "zh": "网上零售额"}, money, 1e-4),
        ("online_retail_growth", {"en": "Growth of online retail, official", "zh": "网上零售额官方增速"},
         {"en": "per cent", "zh": "%"}, 1.0),
    )
    for i, (panel, (column, title, unit, scale)) in enumerate(zip(axes, panels, strict=True)):
        known = context[context[column].notna()]
        panel.plot(known["year"], scale * known[column], color=SERIES[i], marker=MARKERS[i])
        late = known[(known["count_as_of"] != "") & (i < 2)]
        panel.plot(late["year"], scale * late[column], MARKERS[i], markerfacecolor=PAPER, markeredgecolor=SERIES[i])
        panel.set_title(_say(language, **title))
        panel.set_ylabel(_say(language, **unit))
        panel.set_ylim(0, 1.12 * scale * known[column].max())
        panel.set_xlim(context["year"].min() - 0.5, context["year"].max() + 0.5)
    return axes


def plot_fits(fits: Sequence[GrowthFit], *, language: str = "en", ax: Axes | None = None) -> Axes:
    """Draw fitted curves through the series, within its years."""
    ax = ax or new_axes()
    series = fits[0].series
    years = np.linspace(series.years[0], series.years[-1], 121)
    for fit in fits:
        name = fit.curve.name
        ax.plot(years, fit.predict(years), color=COLOURS[name], linestyle=DASHES[name],
                label=_say(language, **fit.curve.words))
    _points(ax, series, language)
    _finish(ax, series, language)
    ax.set_ylim(0)
    return ax


def plot_forecast(result: Forecast, published: pd.DataFrame | None = None, *, language: str = "en",
                  ax: Axes | None = None) -> Axes:
    """Draw each curve on to the horizon, the fan of prediction intervals, and what others forecast.

    Parameters
    ----------
    result : Forecast
    published : pandas.DataFrame, optional
        Columns year, value, publisher: forecasts for years after the series' last.
    """
    ax = ax or new_axes()
    table, series = result.table, result.series
    share = f"{100 * result.level:g} %"
    if isinstance(result.disagreement, Disagreement):
        _span(ax, table["year"], table["low"], table["high"], 0.15,
              _say(language, f"{share}, any publisher", f"{share}区间，任一机构"))
    _span(ax, table["year"], table["own_low"], table["own_high"], 0.3,
          _say(language, f"{share}, same publisher", f"{share}区间，同一机构"))
    years = np.linspace(series.years[0], table["year"].iloc[-1], 161)
    for fit in result.fits:
        name = fit.curve.name
        ax.plot(years, fit.predict(years), color=COLOURS[name], linestyle=DASHES[name], linewidth=1.3,
                label=_say(language, **fit.curve.words))
    ax.plot(table["year"], table["median"], "_", color=INK, markersize=14, markeredgewidth=1.6,
            label=_say(language, "median", "中位数"))
    if published is not None and len(published):
        for i, one in enumerate(published.to_dict("records")):
            ax.plot(one["year"], one["value"], MARKERS[3 + i], markerfacecolor=PAPER, markeredgecolor=INK,
                    label=_say(language, **_forecast_of(one["publisher"])))
    _points(ax, series, language)
    _finish(ax, series, language)
    ax.set_yscale("log")
    _plain_log(ax)
    return ax


def plot_backtest(result: Backtest, *, language: str = "en", ax: Axes | None = None) -> Axes:
    """Draw the error of every forecast made from an earlier year, one row a method."""
    ax = ax or new_axes(height=2.9)
    names = result.summary()
    for row, method in enumerate(names["method"]):
        part = result.errors[result.errors["method"] == method]
        for step, marker in zip(range(1, 4), MARKERS, strict=False):
            at = part[part["horizon"] == step]
            ax.plot(at["error"], np.full(len(at), row), marker, color=SERIES[step - 1], markersize=6,
                    markerfacecolor=SERIES[step - 1] if step == 1 else PAPER, zorder=3)
    for step, marker in zip(range(1, 4), MARKERS, strict=False):
        ax.plot([], [], marker, color=SERIES[step - 1], markerfacecolor=SERIES[step - 1] if step == 1 else PAPER,
                label=_say(language, f"{step} year{'s' if step > 1 else ''} ahead", f"提前{step}年"))
    ax.axvline(0, color=INK, linewidth=1.0)
    ax.set_yticks(range(len(names)), [_say(language, **words) for words in names["name"]])
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.grid(axis="x")
    ax.set_xlabel(_say(language, "error, per cent of the outcome (right: forecast too high)",
                       "误差占实际值的百分比（右侧：预测偏高）"))
    ax.legend(loc="best")
    return ax


# --- parts ------------------------------------------------------------------------------------------------------------


def _say(language: str, en: str, zh: str) -> str:
    return zh if language == "zh" else en


def _span(ax: Axes, years: pd.Series, low: pd.Series, high: pd.Series, alpha: float, label: str) -> None:
    """Draw one interval a year as an upright band: it shows for a single year too."""
    ax.bar(years, high - low, bottom=low, width=0.8, color=SERIES[0], alpha=alpha, linewidth=0, label=label)


def _forecast_of(publisher: str) -> dict[str, str]:
    words = publisher_words(publisher)
    return {"en": f"{words['en']} (forecast)", "zh": f"{words['zh']}（预测）"}


def _thousands(ax: Axes) -> None:
    from matplotlib.ticker import FuncFormatter

    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))


def _colour(i: int) -> str:
    return (*SERIES, INK, MUTED)[i % (len(SERIES) + 2)]


def _number(value: float, series: MarketSeries) -> str:
    return f"{snap(value):,.{min(2, series.digits)}f}"


def _market(series: MarketSeries, language: str) -> str:
    unit = unit_words(series.unit)
    return _say(language, f"market size, {unit['en']}", f"市场规模（{unit['zh']}）")


def _bars(ax: Axes, series: MarketSeries, language: str) -> list[Any]:
    from matplotlib.patches import Patch

    for year, value, basis, soft in zip(series.years, series.values, series.bases, series.on_forecast, strict=True):
        _, fill, pattern = BASES[basis]
        ax.bar(year, value, width=0.56, facecolor=fill, edgecolor=SERIES[0], hatch=pattern, linewidth=1.2,
               hatchcolor=PAPER if fill != PAPER else SERIES[0], linestyle="--" if soft else "-")
    present = [basis for basis in BASES if basis in series.bases]
    return [Patch(facecolor=fill, edgecolor=SERIES[0], hatch=pattern, hatchcolor=PAPER if fill != PAPER else SERIES[0],
                  label=_say(language, **words)) for words, fill, pattern in (BASES[basis] for basis in present)]


def _growth(ax: Axes, series: MarketSeries) -> None:
    """Write growth over an arrow from bar to bar, where both belong to one chain."""
    level = dict(zip(series.years, series.values, strict=True))
    if series.n > 12:
        return
    for year, growth, splice in series.growth()[["year", "growth", "splice"]].itertuples(index=False):
        if not splice:
            top = max(level[year], level[year - 1])
            ax.annotate(f"{snap(growth):+.1f} "
                        "%", (year - 0.5, top), xytext=(0, 9), textcoords="offset points", ha="center",
                        fontsize=8, color=INK, bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 0.8}, zorder=4)


def _splices(ax: Axes, series: MarketSeries) -> None:
    changes = series.growth()
    for year in changes.loc[changes["splice"], "year"]:
        ax.axvline(year - 0.38, color=MUTED, linestyle=":", linewidth=1.0)


def _rivals(ax: Axes, rivals: pd.DataFrame, language: str) -> list[Any]:
    from matplotlib.lines import Line2D

    handles = []
    aside = _aside(rivals, 0.03 * ax.get_ylim()[1])
    for i, (publisher, part) in enumerate(rivals.groupby("publisher")):
        mark, colour = MARKERS[i % len(MARKERS)], _colour(i + 1)
        for at, year, value, status in part[["year", "value", "status"]].itertuples():
            ax.plot(year + aside[at], value, mark, markersize=5, markeredgecolor=colour,
                    markerfacecolor=PAPER if status == "forecast" else colour, zorder=5)
        handles.append(Line2D([], [], linestyle="none", marker=mark, color=colour,
                              label=_say(language, **publisher_words(publisher))))
    return handles


def _aside(rivals: pd.DataFrame, near: float) -> dict[int, float]:
    """Return where beside its bar each rival stands, so that close values do not cover each other."""
    places: dict[int, float] = {}
    for _, part in rivals.sort_values("value").groupby("year"):
        before, place = -np.inf, 0.36
        for at, value in part["value"].items():
            place = place + 0.1 if value - before < near else 0.36
            places[at], before = place, value
    return places


def _remarks(series: MarketSeries, rivals: pd.DataFrame | None, language: str) -> list[Any]:
    """Say in the legend what outlines, lines and fillings mean, where they occur."""
    from matplotlib.lines import Line2D

    keys = ["rests"] * any(series.on_forecast) + ["splice"] * bool(series.growth()["splice"].any())
    keys += ["rival"] * (rivals is not None)
    looks = {"rests": {"linestyle": "--", "color": SERIES[0], "linewidth": 1.2}, "rival": {"linestyle": "none"},
             "splice": {"linestyle": ":", "color": MUTED, "linewidth": 1.0}}
    return [Line2D([], [], label=_say(language, **WORDS[key]), **looks[key]) for key in keys]


def _points(ax: Axes, series: MarketSeries, language: str) -> None:
    """Draw the series as dots, hollow where a value rests on a forecast."""
    soft, values = np.array(series.on_forecast), np.array(series.values)
    years = np.array(series.years)
    ax.plot(years[~soft], values[~soft], "o", color=INK, markersize=5, label=_say(language, "value", "数值"), zorder=4)
    if soft.any():
        ax.plot(years[soft], values[soft], "o", markeredgecolor=INK, markerfacecolor=PAPER, markersize=5, zorder=4,
                label=_say(language, "rests on a forecast", "依赖预测的数值"))


def _finish(ax: Axes, series: MarketSeries, language: str) -> None:
    from matplotlib.ticker import MaxNLocator

    ax.set_ylabel(_market(series, language))
    _thousands(ax)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=12))
    ax.legend(fontsize=8, ncols=1, loc="center left", bbox_to_anchor=(1.0, 0.5))


def _plain_log(ax: Axes) -> None:
    """Label a logarithmic axis with plain numbers at 1, 2, 5."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}" if value >= 1e6 else f"{value:,.10g}"))
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.grid(axis="y", which="major", color=GRID)
