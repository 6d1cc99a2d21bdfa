"""What the notebook on open questions says of the modes in two languages, until it is written once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pandas as pd
from babel.messages.pofile import read_po

from nbproof import snap
from stockflow import Gap, Mode

__all__ = ["ELASTICITY_LABELS", "GAP_LABELS", "MARKS", "both", "elasticity_table", "gap_table", "read_gap",
           "read_strongest"]

Words = dict[str, str]
NETWORKS: dict[str, Words] = {
    "hubs": {"en": "a network with hubs (Barabási and Albert)", "zh": "有枢纽的网络（Barabási–Albert）"},
    "circles": {"en": "circles of friends (Watts and Strogatz)", "zh": "朋友圈网络（Watts–Strogatz）"},
}
MARKS = {"estimated": "估计", "cited": "引用", "illustrative": "示意"}
ELASTICITY_LABELS = {
    "symbol": {"en": "symbol", "zh": "符号"}, "words": {"en": "meaning", "zh": "含义"},
    "median": {"en": "median", "zh": "中位数"}, "low": {"en": "lower", "zh": "下限"},
    "high": {"en": "upper", "zh": "上限"},
}
GAP_LABELS = {
    "network": {"en": "network", "zh": "网络"}, "share": {"en": "largest gap, points", "zh": "最大差距（百分点）"},
    "error": {"en": "standard error", "zh": "标准误"}, "day": {"en": "on day", "zh": "出现日"},
    "overstated": {"en": "equations over network", "zh": "方程与网络之比"},
}


def both(words: str | Words) -> Words:
    """Return what something is called in English and, from the catalogue, in Chinese."""
    return {"en": words, "zh": _chinese()[words]} if isinstance(words, str) else words


@cache
def _chinese() -> dict[str, str]:
    with (Path(__file__).parents[1] / "locale" / "modes.zh.po").open("rb") as stream:
        return {message.id: message.string for message in read_po(stream, locale="zh")}


def elasticity_table(ranked: pd.DataFrame, mode: Mode) -> pd.DataFrame:
    """Return a ranking of elasticities with each parameter's meaning; those that move nothing are left out."""
    kept = ranked[ranked[["low", "high"]].abs().max(axis=1) > 1e-3]
    return kept.assign(words=[both(mode.parameter[name].words) for name in kept["parameter"]])


def gap_table(gaps: Mapping[str, Gap]) -> pd.DataFrame:
    """Return one row a network: its name, largest gap and standard error in points, day, active persons' ratio."""
    return pd.DataFrame([{"network": NETWORKS[name], "share": 100 * gap.share, "error": 100 * gap.error,
                          "day": int(gap.day), "overstated": gap.overstated} for name, gap in gaps.items()])


def read_strongest(table: pd.DataFrame, mode: Mode, first: int = 3) -> Words:
    """Name the parameters that move a result most, with their elasticities at the median."""
    rows = list(table.head(first).itertuples())
    return {language: joint.join(f"{both(mode.parameter[row.parameter].words)[language]} {row.symbol} "
                                 f"({snap(row.median):+.2f})".replace("-", "−") for row in rows)
            for language, joint in (("en", "; "), ("zh", "；"))}


def read_gap(gaps: Mapping[str, Gap], r0: float) -> Words:
    """Say how far the equations are from fixed networks, to be printed wherever a threshold is."""
    ratios = sorted(gap.overstated for gap in gaps.values())
    largest = 100 * max(gap.share for gap in gaps.values())
    runs = next(iter(gaps.values())).runs
    span = f"{snap(ratios[0]):.2f}" if len(ratios) == 1 else f"{snap(ratios[0]):.2f}–{snap(ratios[-1]):.2f}"
    most = {"en": "overstate", "zh": "高估"} if ratios[0] > 1 else {"en": "understate at times", "zh": "有时低估"}
    return {"en": f"On fixed networks the equations {most['en']} those active at the end: {span} times as many as "
                  f"among persons who meet only their own contacts (mean of {runs} runs); a state's share is off by up "
                  f"to {snap(largest):.1f} points. R0 = {snap(r0):.2f} is a threshold of the equations, not of such "
                  "a network.",
            "zh": f"在固定网络上，方程{most['zh']}期末的活跃人数：为只与固定联系人接触时的{span}倍"
                  f"（{runs}次运行的均值），某一状态的占比最多相差{snap(largest):.1f}个百分点。"
                  f"R0 = {snap(r0):.2f}是方程的阈值，不是这种网络的阈值。"}
