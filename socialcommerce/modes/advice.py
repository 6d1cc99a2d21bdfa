"""Say what strategies, closing questions and fits came to, in English and Chinese, and lay them out as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from nbproof import snap
from socialcommerce.errors import ParameterError
from socialcommerce.modes import content, optima
from socialcommerce.modes.optima import Promotion, Quality
from socialcommerce.modes.policy import OUTCOMES, STRATEGIES, Ranking, Strategy, draw
from socialcommerce.modes.readings import MARKS, both
from stockflow import Mode, ModeFit, Parameter

__all__ = ["BREACH_LABELS", "FIT_LABELS", "MARK_LABELS", "OUTCOME_WORDS", "RANK_LABELS", "STRATEGY_LABELS",
           "breach_table", "classes_by_cost", "contact_losses", "fit_table", "mark_table", "personal_gains",
           "promotion_map", "quality_curves", "rank_table", "read_answer", "read_breaches", "read_classes", "read_fits",
           "read_losers", "read_nothing", "read_offers", "read_promotion", "read_quality", "read_ranking", "read_side",
           "sample_people", "strategies", "strategy_table", "unsustainable"]

Words = dict[str, str]
OUTCOME_WORDS: dict[str, Words] = {
    "r0": {"en": "R0", "zh": "R0"}, "purchases": {"en": "purchases", "zh": "购买量"},
    "profit": {"en": "profit", "zh": "利润"},
}
PER = {"person": {"en": "person of the population", "zh": "每名总人口"}, "order": {"en": "order", "zh": "每单"},
       "member": {"en": "member", "zh": "每名成员"}}
STRATEGY_LABELS = {
    "words": {"en": "strategy", "zh": "策略"}, "places": {"en": "sentence", "zh": "出处句"},
    "effects": {"en": "change of parameters", "zh": "参数变化"},
    "cost": {"en": "yuan a day per", "zh": "成本（元/日）"},
}
RANK_LABELS = {
    "words": {"en": "strategy", "zh": "策略"},
    "r0": {"en": "R0, %", "zh": "R0（%）"}, "r0_first": {"en": "first", "zh": "居首"},
    "purchases": {"en": "purchases, %", "zh": "购买量（%）"}, "purchases_first": {"en": "first", "zh": "居首"},
    "profit": {"en": "profit, yuan", "zh": "利润（元）"}, "profit_first": {"en": "first", "zh": "居首"},
}
BREACH_LABELS = {
    "mode": {"en": "mode", "zh": "模式"}, "case": {"en": "breaches", "zh": "泄露"},
    "members": {"en": "members, %", "zh": "成员（%）"}, "low": {"en": "lower", "zh": "下限"},
    "high": {"en": "upper", "zh": "上限"}, "spread": {"en": "spread in time, points", "zh": "随时间的标准差（百分点）"},
}
CASES = {"none": {"en": "none", "zh": "无"}, "even": {"en": "same loss spread evenly", "zh": "同等损失均匀分布"},
         "shocks": {"en": "random shocks", "zh": "随机冲击"}}


def strategies(mode: Mode) -> tuple[Strategy, ...]:
    """Return the strategies of a mode."""
    return STRATEGIES["content" if mode.name == "content" else "sharing"]


def _words(mode: Mode, name: str) -> Words:
    return dict(next(one.words for one in strategies(mode) if one.name == name))


def strategy_table(mode: Mode) -> pd.DataFrame:
    """Return one row a strategy: words, places, effects and cost, as text."""
    return pd.DataFrame([{
        "words": dict(one.words),
        "places": {"en": "; ".join(f"§{s} par. {p} s. {k}" for s, p, k in one.places),
                   "zh": "；".join(f"§{s}第{p}段第{k}句" for s, p, k in one.places)},
        "effects": _effects(mode, one),
        "cost": {"en": f"{one.cost:g} / {PER[one.per]['en']}", "zh": f"{PER[one.per]['zh']}{one.cost:g}"}
        if one.cost else {"en": "none", "zh": "无"},
    } for one in strategies(mode)])


def _effects(mode: Mode, one: Strategy) -> Words:
    parts = [f"{mode.parameter[name].symbol} {100 * effect:+g} %".replace("-", "−")
             for name, effect in one.effects.items()]
    en, zh = list(parts), list(parts)
    if one.haste:
        en.append(f"s {100 * one.haste:+g} % a day saved")
        zh.append(f"每省一天s {100 * one.haste:+g} %")
    for name in one.sets:
        en.append(f"{mode.parameter[name].symbol} set to its best")
        zh.append(f"{mode.parameter[name].symbol}取最优值")
    return {"en": ", ".join(en), "zh": "，".join(zh)}


def rank_table(ranking: Ranking) -> pd.DataFrame:
    """Return one row a strategy: words, and for each outcome its median effect and how often it is first, per cent."""
    table = ranking.summary().pivot(index="strategy", columns="outcome", values=["median", "first"])
    order = table[("median", "r0")].sort_values(ascending=False).index
    rows = []
    for name in order:
        row = {"words": _words(ranking.mode, name)}
        for outcome in OUTCOMES:
            row[outcome] = float(table.loc[name, ("median", outcome)])
            row[f"{outcome}_first"] = round(100 * float(table.loc[name, ("first", outcome)]))
        rows.append(row)
    return pd.DataFrame(rows)


def read_ranking(ranking: Ranking) -> Words:
    """Say which strategy is first most often by each outcome, and in which share of the draws."""
    table, said = ranking.summary(), {"en": [], "zh": []}
    for outcome in OUTCOMES:
        top = table[table["outcome"] == outcome].sort_values("first").iloc[-1]
        name, share = _words(ranking.mode, top["strategy"]), f"{snap(100 * top['first']):.0f}"
        said["en"].append(f"by {OUTCOME_WORDS[outcome]['en']} {name['en']} ({share} % of the draws)")
        said["zh"].append(f"按{OUTCOME_WORDS[outcome]['zh']}是{name['zh']}（占{share}%的抽样）")
    mode = both(ranking.mode.words)
    return {"en": f"In {mode['en']} the strategy that comes first most often is {', '.join(said['en'])}.",
            "zh": f"在“{mode['zh']}”中，最常居首的策略{'，'.join(said['zh'])}。"}


def read_nothing(rankings: Sequence[Ranking]) -> Words:
    """Name the strategies that leave R0 as it is in every draw."""
    still = []
    for ranking in rankings:
        table = ranking.summary().query("outcome == 'r0'")
        rows = table[table[["low", "high"]].abs().max(axis=1) < 1e-6]
        still += [(_words(ranking.mode, name), both(ranking.mode.words)) for name in rows["strategy"]]
    if not still:
        return {"en": "Every strategy moves R0.", "zh": "每项策略都会改变R0。"}
    return {"en": "; ".join(f"In {mode['en']} {one['en']} leaves R0 exactly as it is" for one, mode in still) + ".",
            "zh": "；".join(f"在“{mode['zh']}”中，“{one['zh']}”完全不改变R0" for one, mode in still) + "。"}


def read_losers(rankings: Sequence[Ranking]) -> Words:
    """Count the strategies that lose money in most draws, and those that never do."""
    count = total = 0
    for ranking in rankings:
        table = ranking.summary().query("outcome == 'profit'")
        count, total = count + int((table["median"] < 0).sum()), total + len(table)
    return {"en": f"At the costs assumed, {count} of {total} lose money in at least half of the draws: "
                  "a strategy can raise R0 and still not pay.",
            "zh": f"在所设成本下，{total}项中有{count}项在至少一半的抽样中亏损：提高R0的策略未必划算。"}


def quality_curves(asked: Quality, qualities: np.ndarray) -> pd.DataFrame:
    """Return the cost of a buyer by quality: finite and infinite market, with virality and without."""
    pM = float(content.parts(asked.parameters)["pM"])
    plain = replace(asked, r=0.0)
    return pd.DataFrame({"q": qualities, "finite": asked.finite(qualities) / pM,
                         "infinite": asked.infinite(qualities) / pM,
                         "infinite_plain": plain.infinite(qualities) / pM})


def read_quality(asked: Quality) -> Words:
    """Say where traffic is cheapest in the finite market, and whether the infinite one has an answer."""
    best, plain = asked.best("finite"), asked.without_virality
    single = best["minima"] == 1
    en = (f"In the finite market the cheapest quality is {snap(best['q']):.2f} (in units of the quality that draws "
          "the base "
          f"reach), at {snap(best['cost_per_buyer']):.2f} yuan a buyer; there the last per cent of quality costs "
          "what it "
          "brings. " + ("It is the only minimum found." if single else "Other minima exist beside it."))
    zh = (f"有限市场中最省钱的质量为{snap(best['q']):.2f}（以达到基准触达率的质量为1），"
          f"每位买家{snap(best['cost_per_buyer']):.2f}元；该处质量再升百分之一，成本与收获恰好相等。"
          + ("这是找到的唯一极小值。" if single else "此外还有其他极小值。"))
    try:
        other = asked.best("infinite")
        en += f" In the infinite market it is {snap(other['q']):.2f}."
        zh += f"无限市场中为{snap(other['q']):.2f}。"
    except ParameterError:
        en += (" In the infinite market there is no answer: better content is passed on more, R0 reaches one, and the "
               "cost of a buyer falls towards nothing; only that the audience runs out gives the question an answer.")
        zh += "无限市场中没有答案：质量越高传播越多，R0达到1，每位买家的成本趋于零；只有受众有限，这个问题才有解。"
    return {"en": en + f" Where nothing is passed on, the rule in closed form gives {snap(plain):.2f}.",
            "zh": zh + f"若内容不被转发，闭式规则给出{snap(plain):.2f}。"}


def promotion_map(asked: Promotion) -> pd.DataFrame:
    """Return purchases, per cent of the best, by share of promotion and contact frequency."""
    share, often = np.meshgrid(np.linspace(0.0, 0.6, 61), np.geomspace(0.03, 8, 81), indexing="ij")
    sold = asked.purchases(share.ravel(), often.ravel())
    return pd.DataFrame({"share": share.ravel(), "n": often.ravel(), "purchases": 100 * sold / sold.max()})


def read_promotion(asked: Promotion, best: pd.Series) -> Words:
    """Say where the balance lies, or that it lies at an edge, and how much is lost without promotion."""
    if not best["interior"]:
        return {"en": "The best share or frequency lies at the edge: there is no balance at these values.",
                "zh": "最优占比或频率位于边界：在这些取值下不存在平衡点。"}
    none = 100 * (1 - float(asked.purchases(0.0, np.geomspace(0.01, 20, 400)).max()) / best["purchases"])
    return {"en": f"Most is sold when {snap(100 * best['share']):.0f} % of the messages promote and a person gets "
                  f"{snap(best['frequency']):.2f} messages a day. What more of either would add it also takes; "
                  f"{snap(100 * best['leave']):.0f} % of the pool still leaves unsold. The top is flat: with no "
                  "promotion at "
                  f"all, at the frequency then best, {snap(none):.1f} % less is sold.",
            "zh": f"当{snap(100 * best['share']):.0f}%的消息用于推广、"
                  f"每人每日收到{snap(best['frequency']):.2f}条时售出最多。"
                  f"此处再提高任何一项，所得都被所失抵消；仍有{snap(100 * best['leave']):.0f}%的池内成员未购买而离开。"
                  f"顶部很平坦：完全不推广、并取相应最优频率时，只少售出{snap(none):.1f}%。"}


def contact_losses(draws: int, seed: int, factors: np.ndarray) -> pd.DataFrame:
    """Return the per cent of purchases lost by contacting so many times as often as is best: median, low and high.

    Over the declared ranges; low and high are 5 and 95 per cent of the draws.
    """
    p = draw(content.CONTENT.parameters, draws, seed)
    who = [p[name] for name in ("pi0", "b1", "delta0", "delta1")]
    best = optima.best_contact(*who)
    off = optima.purchase_chance(np.asarray(factors)[:, None] * best, *who) / optima.purchase_chance(best, *who)
    low, median, high = np.quantile(100 * (1 - off), [0.05, 0.5, 0.95], axis=1)
    return pd.DataFrame({"factor": factors, "median": median, "low": low, "high": high})


def read_side(losses: pd.DataFrame) -> Words:
    """Say on which side of the best frequency more is lost, by the medians as far off on either side."""
    rare, often = losses["median"].iloc[0], losses["median"].iloc[-1]
    if often > rare:
        return {"en": "Writing too often costs more than writing too rarely.", "zh": "过于频繁的代价高于过少。"}
    return {"en": "Writing too rarely costs at least as much as writing too often.", "zh": "过少的代价不低于过于频繁。"}


def unsustainable(draws: int, seed: int) -> float:
    """Return the per cent of draws in which no frequency of contact lets the pool sustain itself without content."""
    p = draw(content.CONTENT.parameters, draws, seed)
    a = content.parts(p | {"n": optima.best_contact(p["pi0"], p["b1"], p["delta0"], p["delta1"])})
    return float(100 * np.mean(a["pM"] * a["s"] * a["reach"] < 1))


def personal_gains(a: float, b: float, privacy: Sequence[float]) -> pd.DataFrame:
    """Return the chance of a purchase, per cent, by depth of personalisation and strength of privacy concern c."""
    p, z = content.parts(), np.linspace(0, 1, 101)
    rows = []
    for c in privacy:
        buy = p["pi"] * (1 + a * z)
        leave = p["delta0"] * (1 + c * z**2) + p["delta1"] * p["n"] ** 2 * (1 - b * z)
        best = optima.best_personalisation(a, b, c, float(p["delta0"]), float(p["delta1"] * p["n"] ** 2))
        rows.append(pd.DataFrame({"c": c, "z": z, "chance": 100 * buy / (buy + leave), "best": best}))
    return pd.concat(rows, ignore_index=True)


def sample_people(count: int, spread: float, seed: int) -> pd.DataFrame:
    """Return people around the content mode's defaults, each rate lognormal with this standard deviation."""
    rng, p = np.random.default_rng(seed), content.CONTENT.values()
    return pd.DataFrame({column: float(p[name]) * rng.lognormal(0, spread, count) for column, name in
                         (("b0", "pi0"), ("b1", "b1"), ("delta0", "delta0"), ("delta1", "delta1"))})


def classes_by_cost(people: pd.DataFrame, most: int, value: float, costs: Sequence[float]) -> pd.DataFrame:
    """Return the profit of dividing people into classes, yuan per 1000 persons, for each cost of a class."""
    gains = optima.segment_gains(people, most)
    return pd.concat([gains.assign(cost=cost, profit=1000 * (value * gains["gain"] - cost * (gains["classes"] - 1)))
                      for cost in costs], ignore_index=True)


def read_classes(table: pd.DataFrame) -> Words:
    """Say how many classes pay at each cost."""
    best = table.loc[table.groupby("cost")["profit"].idxmax()]
    rows = list(zip(best["classes"], best["cost"], strict=True))
    return {"en": "The number of classes that pays most is " + ", ".join(
                f"{k} at {cost:g} yuan a class and person" for k, cost in rows) + ".",
            "zh": "最划算的类别数：" + "，".join(f"每类人均{cost:g}元时为{k}类" for k, cost in rows) + "。"}


def read_offers(table: pd.DataFrame) -> Words:
    """Say which size of a group is best by K at the smallest and the deepest discount, and which offer earns most."""
    first, last = (table[table["discount"] == d] for d in (table["discount"].min(), table["discount"].max()))
    small, large = (part.loc[part["r0"].idxmax()] for part in (first, last))
    best = table.loc[table["profit"].idxmax()]
    off, most = 100 * large["discount"], 100 * best["discount"]
    return {"en": f"By K the best size of a group is {snap(small['g']):.0f} at the smallest discount and "
                  f"{snap(large['g']):.0f} at "
                  f"{snap(off):.0f} % off: where many accept, a small group turns people away. By profit the best "
                  "offer is "
                  f"{snap(most):.0f} % off in groups of {snap(best['g']):.0f}.",
            "zh": f"以K衡量，折扣最小时最优成团人数为{snap(small['g']):.0f}，"
                  f"折扣{snap(off):.0f}%时为{snap(large['g']):.0f}："
                  f"接受者多时，小团会把人拒之门外。以利润衡量，最优的是折扣{snap(most):.0f}%的{snap(best['g']):.0f}人团。"}


def breach_table(runs: Mapping[str, optima.Breaches], words: Mapping[str, Words]) -> pd.DataFrame:
    """Return one row a mode and case: members and interval in per cent, spread in time in points."""
    table = pd.concat([run.summary().assign(mode=[dict(words[name])] * 3) for name, run in runs.items()],
                      ignore_index=True)
    table[["members", "low", "high", "spread"]] *= 100
    return table.assign(case=table["case"].map(CASES))


def read_breaches(runs: Mapping[str, optima.Breaches]) -> Words:
    """Say how much breaches cost on average, and how far their timing alone matters to the mean."""
    lost = [100 * (1 - run.shocks.mean() / run.calm) for run in runs.values()]
    timing = max(100 * abs(run.shocks.mean() / run.even - 1) for run in runs.values())
    return {"en": f"Breaches cost {snap(min(lost)):.0f}–{snap(max(lost)):.0f} % of the members on average. That "
                  "they come as "
                  f"shocks rather than evenly changes the mean by at most {snap(timing):.1f} %; what it adds is the "
                  "spread.",
            "zh": f"泄露平均使成员减少{snap(min(lost)):.0f}%–{snap(max(lost)):.0f}%。以冲击而非均匀方式发生，"
                  f"均值最多只变{snap(timing):.1f}%，增加的是波动。"}


def read_answer(rankings: Sequence[Ranking], quality: float, balance: float) -> Words:
    """Answer in a sentence: what moves purchases most, and how often the closing questions have an inner answer.

    Parameters
    ----------
    quality, balance : float
        Share of the parameter sets in which one quality is cheapest, and in which an inner balance of promotion exists.
    """
    tops = []
    for ranking in rankings:
        table = ranking.summary().query("outcome == 'purchases'").sort_values("first")
        tops.append(_words(ranking.mode, table["strategy"].iloc[-1]))
    often = [{1.0: {"en": "in every parameter set", "zh": "在每组参数下"}}.get(
        share, {"en": f"in {snap(100 * share):.0f} % of the parameter "
                      "sets", "zh": f"在{snap(100 * share):.0f}%的参数组中"})
        for share in (quality, balance)]
    return {"en": f"Over the ranges assumed, {tops[0]['en']} is most often what raises purchases most in Social + "
                  f"Commerce, {tops[1]['en']} in Commerce + Social. In a finite audience one quality of content is "
                  f"cheapest {often[0]['en']}; an inner balance of promotion and content exists {often[1]['en']}. "
                  "Each value rests on numbers the paper does not give.",
            "zh": f"在所设范围内，最常使购买量增加最多的策略，在“社交 + 电商”中是{tops[0]['zh']}，"
                  f"在“电商 + 社交”中是{tops[1]['zh']}。受众有限时，{often[0]['zh']}存在唯一最省钱的内容质量；"
                  f"推广与创作的内部平衡点{often[1]['zh']}存在。这些数值都依赖论文未给出的参数。"}


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
STATUS = {"estimated": {"en": "bounded", "zh": "有界"}, "not identified": {"en": "not identified", "zh": "无法识别"}}
INITIAL = {"en": "share active at the start", "zh": "起始活跃者比例"}


def fit_table(fits: Mapping[str, ModeFit]) -> pd.DataFrame:
    """Return one row a free parameter of each fit; an open end is missing."""
    rows = [{"mode": both(fit.mode.words), "words": _meaning(fit.mode, one.name), "estimate": one.value,
             "low": one.low if one.low > 0 else None, "high": one.high if np.isfinite(one.high) else None,
             "status": STATUS[one.status]} for fit in fits.values() for one in fit.estimates]
    return pd.DataFrame(rows)


def _meaning(mode: Mode, name: str) -> Words:
    if name == "initial":
        return INITIAL
    one = mode.parameter[name]
    return {language: f"{one.symbol} {words}" for language, words in both(one.words).items()}


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
    rows = [(both(mode.words), p) for mode in modes for p in mode.parameters]
    rows += [({"en": "profit", "zh": "利润"}, p) for p in more]
    return pd.DataFrame([{"mode": words, "symbol": p.symbol, "words": both(p.words), "default": f"{p.default:g}",
                          "range": f"{p.lower:g}–{p.upper:g}", "unit": p.unit,
                          "mark": {"en": p.status, "zh": MARKS[p.status]}} for words, p in rows])
