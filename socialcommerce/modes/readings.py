"""Say what a mode's results show, in English and Chinese, and lay them out as tables; each sentence follows them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
import pandas as pd

from nbproof import snap
from socialcommerce.modes import content, sharing
from socialcommerce.modes.diagram import Diagram
from stockflow import PAGE_WORDS, Gap, Mode, ModeFit, elasticities

__all__ = ["EDGE_LABELS", "ELASTICITY_LABELS", "EXPLORER_WORDS", "FIT_LABELS", "GAP_LABELS", "GROUP_LABELS",
           "LOOP_LABELS", "NETWORKS", "PARAMETER_LABELS", "RECORD_LABELS", "edge_table", "elasticity_table",
           "fit_table", "gap_table", "group_sizes", "local_elasticities", "one_joiner_if_open", "parameter_table",
           "read_amplification", "read_diagram", "read_failures", "read_fit", "read_gap", "read_line", "read_loops",
           "read_proof", "read_sizes", "read_strongest", "read_threshold", "read_trust", "record_numbers",
           "recorded_groups"]

Words = dict[str, str]
NETWORKS: dict[str, Words] = {
    "hubs": {"en": "a network with hubs (Barabási and Albert)", "zh": "有枢纽的网络（Barabási–Albert）"},
    "circles": {"en": "circles of friends (Watts and Strogatz)", "zh": "朋友圈网络（Watts–Strogatz）"},
}
EXPLORER_WORDS = PAGE_WORDS | {
    "zh": {"above": "该模式能自我循环", "below": "没有外来新用户，该模式将走向消亡",
           "loops": "各回路对R0的贡献：每位新进入者在该状态时带来的新进入者数",
           "axis": "天；纵轴：占总人口的比例", "end": "期末", "reset": "恢复初值",
           "colon": "：", "units": {"1": "", "1/day": "/日", "day": "日"}},
}
"""What a page says in which the mode runs."""
MARKS = {"estimated": "估计", "cited": "引用", "illustrative": "示意"}
EDGE_LABELS = {
    "from": {"en": "from", "zh": "起点"}, "sign": {"en": "sign", "zh": "符号"}, "to": {"en": "to", "zh": "终点"},
    "place": {"en": "sentence", "zh": "出处句"}, "text": {"en": "what it says, paraphrased", "zh": "所述内容（转述）"},
    "mark": {"en": "how read", "zh": "读法"},
}
LOOP_LABELS = {"loop": {"en": "loop", "zh": "回路"}, "path": {"en": "path", "zh": "路径"}}
PARAMETER_LABELS = {
    "symbol": {"en": "symbol", "zh": "符号"}, "words": {"en": "meaning", "zh": "含义"},
    "default": {"en": "default", "zh": "默认值"}, "range": {"en": "range", "zh": "范围"},
    "unit": {"en": "unit", "zh": "单位"}, "mark": {"en": "basis", "zh": "依据"},
}
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
GROUP_LABELS = {
    "g": {"en": "group size", "zh": "成团人数"}, "filled": {"en": "groups that fill, %", "zh": "成团率（%）"},
    "capped": {"en": "K, capped", "zh": "K（封顶）"}, "open": {"en": "K, open", "zh": "K（开放）"},
}
FIT_LABELS = {
    "words": {"en": "parameter", "zh": "参数"}, "low": {"en": "lower", "zh": "下限"},
    "high": {"en": "upper", "zh": "上限"}, "mark": {"en": "by this series", "zh": "由该序列"},
}
STATUS = {"estimated": {"en": "estimated", "zh": "可估计"},
          "not identified": {"en": "not identified", "zh": "不可识别"}}
INITIAL = {"en": "share of leaders or fans at the start", "zh": "期初领袖或粉丝占比"}
RECORD_LABELS = {
    "part": {"en": "part", "zh": "部分"}, "groups": {"en": "groups", "zh": "团数"},
    "one": {"en": "with one joiner", "zh": "仅一人参团"}, "none": {"en": "with none", "zh": "无人参团"},
    "most": {"en": "most by one initiator", "zh": "同一发起人最多"},
}
PARTS = {"failed": {"en": "failed", "zh": "未成团"}, "successful, tuning part": {"en": "succeeded, tuning part",
         "zh": "成团（调参部分）"}, "successful, test part": {"en": "succeeded, test part", "zh": "成团（测试部分）"}}


def edge_table(diagram: Diagram) -> pd.DataFrame:
    """Return one row an arrow: from, sign, to, place, text, mark (stated or inferred)."""
    table = diagram.summary()
    words = {True: {"en": "inferred", "zh": "推断"}, False: {"en": "stated", "zh": "原文"}}
    return table.assign(mark=table["inferred"].map(words))


def parameter_table(mode: Mode, given: Mapping[str, float] | None = None) -> pd.DataFrame:
    """Return one row a parameter: symbol, meaning, value, range, unit, and whether the value is estimated or not."""
    values = mode.values(given)
    return pd.DataFrame([{
        "symbol": p.symbol, "words": dict(p.words), "default": f"{float(values[p.name]):g}",
        "range": f"{p.lower:g}–{p.upper:g}", "unit": p.unit, "mark": {"en": p.status, "zh": MARKS[p.status]},
    } for p in mode.parameters])


def elasticity_table(ranked: pd.DataFrame, mode: Mode) -> pd.DataFrame:
    """Return a ranking of elasticities with each parameter's meaning; those that move nothing are left out."""
    kept = ranked[ranked[["low", "high"]].abs().max(axis=1) > 1e-3]
    return kept.assign(words=[dict(mode.parameter[name].words) for name in kept["parameter"]])


def gap_table(gaps: Mapping[str, Gap]) -> pd.DataFrame:
    """Return one row a network: its name, largest gap and standard error in points, day, active persons' ratio."""
    return pd.DataFrame([{"network": NETWORKS[name], "share": 100 * gap.share, "error": 100 * gap.error,
                          "day": int(gap.day), "overstated": gap.overstated} for name, gap in gaps.items()])


def fit_table(fit: ModeFit) -> pd.DataFrame:
    """Return one row a free parameter: meaning, ends of its profile interval or open, identified or not."""
    rows = []
    for one in fit.estimates:
        known = fit.mode.parameter.get(one.name)
        name = {key: f"{words} {known.symbol}" for key, words in known.words.items()} if known else INITIAL
        ends = [f"{snap(end):.2g}" if 0 < end < np.inf else {"en": "open", "zh": "不封闭"}
                for end in (one.low, one.high)]
        rows.append({"words": name, "low": ends[0], "high": ends[1], "mark": STATUS[one.status]})
    return pd.DataFrame(rows)


def group_sizes(parameters: Mapping[str, float] | None = None, sizes: tuple[int, ...] = (2, 3, 4, 5)) -> pd.DataFrame:
    """Return K by group size, capped and open, and the share of groups that fill while all are untapped, in per cent.

    Examples
    --------
    >>> group_sizes()["capped"].round(2).tolist()
    [1.35, 0.98, 0.38, 0.1]
    """
    given = {name: np.full(len(sizes), value, float) for name, value in dict(parameters or {}).items()}
    given["g"] = np.array(sizes, float)
    filled = sharing.tail(given["g"] - 1, sharing.parts(given)["lam"])
    return pd.DataFrame({"g": sizes, "filled": 100 * filled, "capped": sharing.reproduction(given),
                         "open": sharing.reproduction(given, "open")})


def local_elasticities(parameters: Mapping[str, float], variant: str = "capped") -> pd.DataFrame:
    """Return the elasticities of K at one set of parameters: parameter, symbol, elasticity."""
    return elasticities(partial(sharing.reproduction, variant=variant), sharing.declare(variant), parameters)


def one_joiner_if_open(lam: float) -> float:
    """Return the per cent of filled open groups of two with exactly one joiner, X Poisson of mean ``lam``."""
    return 100 * lam * np.exp(-lam) / -np.expm1(-lam)


def recorded_groups(counts: pd.DataFrame) -> pd.DataFrame:
    """Return one row a part of the BeiBei record: groups, those with one joiner and with none, most by one person."""
    rows = []
    for part, some in counts.groupby("part", sort=False):
        by = some.set_index("joiners")["groups"]
        rows.append({"part": PARTS[part], "groups": int(by.sum()), "one": int(by.get(1, 0)), "none": int(by.get(0, 0)),
                     "most": int(some["most_by_one"].max())})
    return pd.DataFrame(rows)


def record_numbers(counts: pd.DataFrame) -> dict[str, float]:
    """Return what the BeiBei record shows: success and one_joiner in per cent, most by one initiator of either kind.

    ``success`` is a lower bound for the whole record: a part of its successful groups is not at hand.
    """
    failed = counts["part"] == "failed"
    good = counts[~failed]
    return {"success": 100 * good["groups"].sum() / counts["groups"].sum(),
            "one_joiner": 100 * good.loc[good["joiners"] == 1, "groups"].sum() / good["groups"].sum(),
            "most_failed": counts.loc[failed, "most_by_one"].max(), "most_success": good["most_by_one"].max()}


def read_failures(counts: pd.DataFrame) -> Words:
    """Say whether any failed group had joiners."""
    failed = counts[counts["part"] == "failed"]
    some = int(failed.loc[failed["joiners"] > 0, "groups"].sum())
    if some:
        return {"en": f"Of the failed groups {some:,} had joiners.", "zh": f"失败的团中有{some:,}个有人参团。"}
    return {"en": "No failed group has a joiner on record.", "zh": "失败的团均无参团者记录。"}


def read_diagram(diagram: Diagram) -> Words:
    """Count nodes, arrows, inferred ones and loops."""
    loops = diagram.feedback_loops()
    n, m, k = len(diagram.nodes), len(diagram.edges), sum(edge.inferred for edge in diagram.edges)
    r = sum(loop.polarity == "R" for loop in loops)
    b = len(loops) - r
    return {"en": f"{n} things, {m} arrows between them ({k} inferred), {r} reinforcing and {b} balancing loops",
            "zh": f"{n}个要素、{m}条箭头（其中{k}条为推断）、{r}个增强回路和{b}个调节回路"}


def read_threshold(r0: float) -> Words:
    """Say on which side of one a reproduction number lies and what that means."""
    if r0 > 1:
        return {"en": "above one: the mode feeds itself, as long as people are left to reach",
                "zh": "大于一：只要还有人可触达，该模式就能自我循环"}
    return {"en": "below one: without newcomers from outside it dies out",
            "zh": "小于一：没有外来新用户，它将走向消亡"}


def read_amplification(parameters: Mapping[str, float], margin: float) -> Words:
    """Say what one bought entrant brings in all, and the cost per entrant that pays."""
    a = content.parts(parameters)
    times = float(content.amplification(parameters))
    cost = float(content.break_even_cost(margin * a["pM"], parameters))
    if not np.isfinite(times):
        return {"en": "Above the threshold a bought entrant brings in others without end in the formula; what ends it "
                      "is the number of people, so no finite break-even cost follows.",
                "zh": "超过阈值时，公式中一位付费引入者会不断带来后继者；真正使其终止的是人口数量，"
                      "因此得不出有限的盈亏平衡成本。"}
    return {"en": f"One bought entrant brings {snap(times):.2f} in all, itself counted. With {margin:g} yuan earned "
                  "by an "
                  f"order, buying an entrant pays up to {snap(cost):.2f} yuan, {snap(times):.2f} times what the "
                  "entrant's own "
                  "order would justify.",
            "zh": f"每付费引入一位用户，连同其本人共带来{snap(times):.2f}人。若每单毛利{margin:g}元，"
                  f"则引流成本在{snap(cost):.2f}元以内仍可回本，是仅计其本人订单时的{snap(times):.2f}倍。"}


def read_line(dies: float) -> Words:
    """Say how likely the line that one entrant starts is to die out."""
    if dies > 1 - 1e-9:
        return {"en": "The line that one entrant starts dies out for certain.",
                "zh": "由一位进入者引发的传播链必然断绝。"}
    return {"en": f"The line that one entrant starts dies out all the same with probability {snap(dies):.2f}: "
                  "early luck decides.",
            "zh": f"由一位进入者引发的传播链仍以{snap(dies):.2f}的概率断绝："
                  "早期的运气起决定作用。"}


def read_loops(gains: pd.Series, mode: Mode) -> Words:
    """Say what each carrying state adds to R0."""
    shown = gains[gains > 1e-12]
    parts = {language: [f"{mode.states[mode.index[name]].words[language]} "
                        f"{snap(gain):.2f}" for name, gain in shown.items()]
             for language in ("en", "zh")}
    return {"en": f"Bar of R0 = {snap(gains.sum()):.2f}, the threshold at one beside it: {', '.join(parts['en'])}.",
            "zh": f"R0 = {snap(gains.sum()):.2f}的条形图，旁有阈值一：{'，'.join(parts['zh'])}。"}


def read_proof(held: float) -> Words:
    """Say whether pools below the threshold empty within the declared range of social proof; share of sets that do."""
    if held == 1:
        return {"en": "In no parameter set of the declared ranges does this happen.",
                "zh": "在所声明范围内的任何一组参数下，这种情形都没有出现。"}
    return {"en": f"It happens in {snap(100 * (1 - held)):.1f} per cent of the parameter sets of the declared ranges.",
            "zh": f"在所声明范围内，{snap(100 * (1 - held)):.1f}%的参数组出现这种情形。"}


def read_strongest(table: pd.DataFrame, mode: Mode, first: int = 3) -> Words:
    """Name the parameters that move a result most, with their elasticities at the median."""
    rows = list(table.head(first).itertuples())
    return {language: joint.join(f"{mode.parameter[row.parameter].words[language]} {row.symbol} "
                                 f"({snap(row.median):+.2f})".replace("-", "−") for row in rows)
            for language, joint in (("en", "; "), ("zh", "；"))}


def read_fit(fit: ModeFit) -> Words:
    """Say which parameters a series identifies and which it leaves open."""
    table, n, first, last = fit_table(fit), len(fit.years), fit.years[0], fit.years[-1]
    loose = [one.status == "not identified" for one in fit.estimates]
    said = {}
    for key, comma in (("en", ", "), ("zh", "、")):
        names = [words[key] for words in table["words"]]
        said[key] = [comma.join(name for name, is_loose in zip(names, loose, strict=True) if is_loose == side)
                     for side in (True, False)]
    none = {"en": "none", "zh": "无"}
    said = {key: [words or none[key] for words in pair] for key, pair in said.items()}
    return {"en": f"Fitted to {n} yearly values, {first} to {last}. Not identified: {said['en'][0]}. With an interval "
                  f"that closes while all that was not fitted is held: {said['en'][1]}.",
            "zh": f"对{first}至{last}年的{n}个年度值作拟合。不可识别：{said['zh'][0]}。"
                  f"未拟合的参数固定时，区间封闭者：{said['zh'][1]}。"}


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


def read_sizes(table: pd.DataFrame) -> Words:
    """Say for which group sizes a mode feeds itself, capped and open."""
    en, zh = [], []
    for variant, words in (("capped", {"en": "capped", "zh": "封顶"}), ("open", {"en": "open", "zh": "开放"})):
        sizes = [str(g) for g in table.loc[table[variant] > 1, "g"]]
        en.append(f"{words['en']} groups feed themselves at sizes {', '.join(sizes)}" if sizes else
                  f"{words['en']} groups never do")
        zh.append(f"{words['zh']}拼团在{'、'.join(sizes)}人团时能自我循环" if sizes else
                  f"{words['zh']}拼团均不能自我循环")
    return {"en": "; ".join(en), "zh": "；".join(zh)}


def read_trust(parameters: Mapping[str, float]) -> Words:
    """Say whether trust carried over raises K, and why."""
    a = sharing.parts(parameters)
    fan, newcomer = float(a["fan"]), float(a["thetaN"] / a["gammaN"])
    if fan > newcomer:
        return {"en": f"It raises K here, because a fan opens {snap(fan):.2f} groups before lapsing and somebody "
                      "who stayed "
                      f"a new customer would open {snap(newcomer):.2f}.",
                "zh": f"此处它提高K，因为粉丝在流失前开{snap(fan):.2f}个团，"
                      f"而一直停留在新客状态者只开{snap(newcomer):.2f}个。"}
    return {"en": f"It does not raise K here: a fan opens {snap(fan):.2f} groups before lapsing, no more than the "
                  f"{snap(newcomer):.2f} of somebody who stayed a new customer.",
            "zh": f"此处它不提高K：粉丝在流失前开{snap(fan):.2f}个团，"
                  f"不多于一直停留在新客状态者的{snap(newcomer):.2f}个。"}
