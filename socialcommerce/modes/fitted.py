"""Say what fits of the modes to a series came to, and what each parameter rests on, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from socialcommerce.numbers import snap
from stockflow import Mode, ModeFit, Parameter

__all__ = ["FIT_LABELS", "MARK_LABELS", "fit_table", "mark_table", "read_fits"]

Words = dict[str, str]
FIT_LABELS = {
    "mode": {"en": "mode", "zh": "模式"}, "words": {"en": "parameter", "zh": "参数"},
    "estimate": {"en": "best fit", "zh": "最优拟合"}, "low": {"en": "lower", "zh": "下限"},
    "high": {"en": "upper", "zh": "上限"}, "status": {"en": "verdict", "zh": "结论"},
}
MARK_LABELS = {
    "mode": {"en": "mode", "zh": "模式"}, "symbol": {"en": "symbol", "zh": "符号"},
    "words": {"en": "meaning", "zh": "含义"}, "default": {"en": "value", "zh": "取值"},
    "range": {"en": "range", "zh": "范围"}, "unit": {"en": "unit", "zh": "单位"}, "mark": {"en": "basis", "zh": "依据"},
}
MARKS = {"estimated": "估计", "cited": "引用", "illustrative": "示意"}
STATUS = {"estimated": {"en": "bounded", "zh": "有界"}, "not identified": {"en": "not identified", "zh": "无法识别"}}
INITIAL = {"en": "share active at the start", "zh": "起始活跃者比例"}


def fit_table(fits: Mapping[str, ModeFit]) -> pd.DataFrame:
    """Return one row a free parameter of each fit; an open end is missing."""
    rows = [{"mode": dict(fit.mode.words), "words": _meaning(fit.mode, one.name), "estimate": one.value,
             "low": one.low if one.low > 0 else None, "high": one.high if np.isfinite(one.high) else None,
             "status": STATUS[one.status]} for fit in fits.values() for one in fit.estimates]
    return pd.DataFrame(rows)


def _meaning(mode: Mode, name: str) -> Words:
    if name == "initial":
        return INITIAL
    one = mode.parameter[name]
    return {language: f"{one.symbol} {words}" for language, words in one.words.items()}


def read_fits(fits: Mapping[str, ModeFit]) -> Words:
    """Say how well the modes fit, how many parameters the series bounds, and whether it tells the modes apart."""
    first = next(iter(fits.values()))
    n, estimates = len(first.years), [one for fit in fits.values() for one in fit.estimates]
    known = sum(one.status == "estimated" for one in estimates)
    off = [f"{snap(100 * fit.sigma):.0f}" for fit in fits.values()]
    apart = max(fit.sigma for fit in fits.values()) / min(fit.sigma for fit in fits.values()) > 2
    tell = ({"en": "one fits clearly better", "zh": "其中一种拟合明显更好"} if apart else
            {"en": "neither fits clearly better, so the series cannot tell the modes apart",
             "zh": "两者拟合相近，序列分不清两种模式"})
    return {"en": f"With {n} points the modes miss the values by about {' and '.join(off)} %: {tell['en']}. Of "
                  f"{len(estimates)} parameters searched for, the series bounds {known} on both sides. For the others "
                  "values at the end of the search fit as well; their best fits are not findings.",
            "zh": f"{n}个点下，两种模式与数值的偏差约为{'%与'.join(off)}%：{tell['zh']}。"
                  f"所搜索的{len(estimates)}个参数中，序列从两侧界定了{known}个。其余参数取搜索范围端点也拟合得同样好，其最优拟合值不是发现。"}


def mark_table(modes: Sequence[Mode], more: Sequence[Parameter] = ()) -> pd.DataFrame:
    """Return one row a parameter of the modes, and of what profit needs, with its mark."""
    rows = [(dict(mode.words), p) for mode in modes for p in mode.parameters]
    rows += [({"en": "profit", "zh": "利润"}, p) for p in more]
    return pd.DataFrame([{"mode": words, "symbol": p.symbol, "words": dict(p.words), "default": f"{p.default:g}",
                          "range": f"{p.lower:g}–{p.upper:g}", "unit": p.unit,
                          "mark": {"en": p.status, "zh": MARKS[p.status]}} for words, p in rows])
