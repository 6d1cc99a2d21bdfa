"""Lay results out as tables for a reader: one row a bar, a check, a parameter or a forecast."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from socialcommerce.market.audit import AuditRow
from socialcommerce.market.fit import Estimate, GrowthFit, NotAvailable
from socialcommerce.market.series import BASIS_WORDS, MarketSeries, publisher_words, unit_words
from socialcommerce.numbers import snap

__all__ = ["AUDITED", "AUDIT_LABELS", "BAR_LABELS", "FORECAST_LABELS", "MISS_DIGITS", "MISS_LABELS", "OFFICIAL",
           "PARAMETER_LABELS", "SEEN", "SPREAD_DIGITS", "SPREAD_LABELS",
           "audit_table", "bars_table", "forecast_digits", "miss_table", "parameter_table",
           "source_words"]

Labels = dict[str, dict[str, str]]
SEEN = {"en": "published figures, each with its locator in data/raw/market_figures.csv",
        "zh": "公开发表的数字，出处见data/raw/market_figures.csv"}
AUDITED = {"en": "the paper; data/raw/context_figures.csv and market_figures.csv name each figure's locator",
           "zh": "论文；各数字的出处见data/raw/context_figures.csv与market_figures.csv"}
OFFICIAL = {"en": "National Bureau of Statistics of China and CNNIC, see data/raw/context_figures.csv",
            "zh": "国家统计局与中国互联网络信息中心，见data/raw/context_figures.csv"}
YEAR, SOURCE, VALUE = ({"en": "year", "zh": "年份"}, {"en": "source", "zh": "机构"}, {"en": "value", "zh": "数值"})
LOW, HIGH, UNIT = ({"en": "lower", "zh": "下限"}, {"en": "upper", "zh": "上限"}, {"en": "unit", "zh": "单位"})
BAR_LABELS: Labels = {
    "year": YEAR, "value": VALUE, "growth": {"en": "growth, %", "zh": "增速（%）"},
    "basis": {"en": "basis", "zh": "来源类别"}, "source": SOURCE, "formula": {"en": "computed as", "zh": "算式"},
}
AUDIT_LABELS: Labels = {
    "what": {"en": "number", "zh": "数字"}, "place": {"en": "place", "zh": "位置"},
    "stated": {"en": "paper", "zh": "论文"}, "found": {"en": "found", "zh": "对照值"},
    "against": {"en": "checked against", "zh": "对照来源"}, "outcome": {"en": "outcome", "zh": "结果"},
}
PARAMETER_LABELS: Labels = {
    "curve": {"en": "curve", "zh": "曲线"}, "parameter": {"en": "parameter", "zh": "参数"},
    "estimate": {"en": "estimate", "zh": "估计值"}, "low": LOW, "high": HIGH, "unit": UNIT,
    "spread": {"en": "residuals, %", "zh": "残差（%）"},
}
MISS_LABELS: Labels = {
    "publisher": SOURCE, "published": {"en": "published", "zh": "发布时间"},
    "year": {"en": "for year", "zh": "预测年份"},
    "forecast": {"en": "forecast", "zh": "预测值"}, "outcome": {"en": "outcome", "zh": "实际值"},
    "error": {"en": "error, %", "zh": "误差（%）"},
}
MISS_DIGITS = {"forecast": 1, "outcome": 1, "error": 1}
FORECAST_LABELS: Labels = {
    "year": YEAR, "median": {"en": "median", "zh": "中位数"},
    "own_low": {"en": "lower, same publisher", "zh": "下限（同一机构）"},
    "own_high": {"en": "upper, same publisher", "zh": "上限（同一机构）"},
    "low": {"en": "lower, any", "zh": "下限（任一机构）"}, "high": {"en": "upper, any", "zh": "上限（任一机构）"},
}
SPREAD_LABELS: Labels = {
    "year": YEAR, "sd_curves": {"en": "curves", "zh": "曲线"}, "sd_parameters": {"en": "parameters", "zh": "参数"},
    "sd_residuals": {"en": "residuals", "zh": "残差"}, "sd_sources": {"en": "publishers", "zh": "机构"},
}
SPREAD_DIGITS = dict.fromkeys((name for name in SPREAD_LABELS if name != "year"), 2)
OPEN = {"en": "open", "zh": "不封闭"}
IN_WORDS = {"en": "in words", "zh": "文字表述"}
UNSETTLED = {"en": "not settled", "zh": "未收敛"}


def source_words(series: MarketSeries, path: str = "") -> dict[str, str]:
    """Return the line that says where a series is from: the paper's figure rebuilt, or a reader's own file."""
    names = series.publishers
    if path:
        file = Path(path).name
        return {"en": f"the reader's file {file}: {names['en']}", "zh": f"读者文件{file}：{names['zh']}"}
    return {"en": f"Figure 1 of Xiao (2024), rebuilt from {names['en']}",
            "zh": f"肖秋香（2024）图1，据{names['zh']}重建"}


def bars_table(series: MarketSeries, frame: pd.DataFrame) -> pd.DataFrame:
    """Return one row a value: year, value, basis and source in words, growth within the chain, and formula if known.

    Parameters
    ----------
    frame : pandas.DataFrame
        What the series was built from; a column ``formula`` is taken over where there is one.
    """
    growth = dict(zip(series.years[1:], series.growth()["growth"], strict=True))
    table = pd.DataFrame({
        "year": series.years, "value": series.values, "growth": [growth.get(year, math.nan) for year in series.years],
        "basis": [BASIS_WORDS[basis] for basis in series.bases],
        "source": [publisher_words(source) for source in series.sources],
    })
    return table.assign(formula=list(frame["formula"])) if "formula" in frame else table


def audit_table(rows: Sequence[AuditRow]) -> pd.DataFrame:
    """Return one row a check: what with its unit, place, stated, found, against, outcome; numbers as printed."""
    return pd.DataFrame([
        {"what": {"en": f"{row.what['en']} ({row.unit['en']})", "zh": f"{row.what['zh']}（{row.unit['zh']}）"},
         "stated": IN_WORDS if row.stated is None else f"{row.stated:,.{row.digits}f}",
         "found": f"{snap(row.found):,.{row.digits}f}", "place": row.place,
         "against": row.against, "outcome": row.outcome}
        for row in rows
    ])


def parameter_table(fits: Iterable[GrowthFit | NotAvailable]) -> pd.DataFrame:
    """Return one row a parameter, as text with three significant digits (years to tenths); an open end says so."""
    return pd.DataFrame([
        {"curve": fit.curve.words, "parameter": e.words, "low": _short(e.low, e), "high": _short(e.high, e),
         "estimate": _short(e.value, e) if fit.converged else UNSETTLED, "unit": _unit(e, fit),
         "spread": 100 * fit.sigma}
        for fit in fits if isinstance(fit, GrowthFit) for e in fit.estimates
    ])


def miss_table(misses: pd.DataFrame) -> pd.DataFrame:
    """Return published forecasts beside outcomes, with publishers in words."""
    return misses.assign(publisher=[publisher_words(name) for name in misses["publisher"]])


def forecast_digits(series: MarketSeries) -> dict[str, int]:
    """Return the decimals of a forecast's columns: those of the series."""
    return {name: series.coarse for name in FORECAST_LABELS if name != "year"}


def _short(value: float, e: Estimate) -> str | dict[str, str]:
    if not math.isfinite(value):
        return OPEN
    return f"{snap(value):.1f}" if e.unit == "year" else f"{float(f'{snap(value):.3g}'):,.10g}"


def _unit(e: Estimate, fit: GrowthFit) -> dict[str, str]:
    words = {"per year": {"en": "per year", "zh": "每年"}, "year": {"en": "year", "zh": "年份"}}
    return words.get(e.unit) or unit_words(fit.series.unit)
