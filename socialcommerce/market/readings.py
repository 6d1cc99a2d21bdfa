"""Say what a result shows, in English and Chinese, as sentences that follow it and as tables with their heads."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from nbproof import snap
from socialcommerce.market.audit import AuditRow
from socialcommerce.market.fit import Estimate, GrowthFit, aicc
from socialcommerce.market.forecast import Backtest, Disagreement, Forecast
from socialcommerce.market.series import BASIS_WORDS, MarketSeries, NotAvailable, publisher_words, unit_words

__all__ = ["AUDITED", "AUDIT_LABELS", "BAR_LABELS", "FORECAST_LABELS", "FOREIGN", "MISS_DIGITS", "MISS_LABELS",
           "OFFICIAL", "PARAMETER_LABELS", "SEEN", "SPREAD_DIGITS", "SPREAD_LABELS", "audit_table", "bars_table",
           "forecast_digits", "miss_table", "parameter_table", "read_answer", "read_audit", "read_backtest",
           "read_bars", "read_context", "read_disagreement", "read_fits", "read_forecast", "read_growth", "read_misses",
           "read_scope", "read_series", "read_splices", "source_words"]

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


Words = dict[str, str]
FOREIGN: Words = {"en": "This section is about China's figures and does not apply to the series given.",
                  "zh": "本节只涉及中国的数据，不适用于所给序列。"}


def read_scope(series: MarketSeries, path: str = "") -> Words:
    """Say whose series the report is about."""
    if path:
        file, span = Path(path).name, f"{series.years[0]}–{series.years[-1]}"
        return {"en": f"This report is about the series in {file} ({span}). The same questions are put to it; sections "
                      "on China's figures say that they do not apply.",
                "zh": f"本报告针对{file}中的序列（{span}年），提出同样的问题；只涉及中国数据的各节会注明不适用。"}
    return {"en": "The paper gives no data of its own. Its figure shows seven bars whose numbers are lost, and its "
                  "text states one of them.",
            "zh": "论文没有自己的数据。其图中的七根柱没有留下数值，正文只写明其中一个。"}


def read_bars(series: MarketSeries, path: str = "") -> Words:
    """Say how the values came to be: the paper's bars rebuilt, or a reader's own as their file marks them."""
    if path:
        return {"en": "The values are the reader's own, each with the basis its file gives.",
                "zh": "数值由读者提供，来源类别以文件所列为准。"}
    stated = [str(year) for year, basis in zip(series.years, series.bases, strict=True) if basis == "stated"]
    return {"en": f"The paper's text states only the value of {_list_en(stated)}. The others are rebuilt: taken from "
                  "other publishers as printed, or computed from a printed level and a printed growth rate.",
            "zh": f"论文正文只写明{'、'.join(stated)}年的数值。其余为重建：直接取自其他机构公布的数值，"
                  "或由公布的数值与公布的增速算出。"}


def read_series(series: MarketSeries) -> Words:
    """Say where the series begins and ends, how its values are known, and how often the publisher changes."""
    first, last = (_size(v, series) for v in (series.values[0], series.values[-1]))
    unit, times = unit_words(series.unit), series.values[-1] / series.values[0]
    if series.n == 1:
        return {"en": f"There is one value: {last} ({unit['en']}) in {series.years[0]}.",
                "zh": f"只有一个数值：{series.years[0]}年为{last}（{unit['zh']}）。"}
    kinds = [(series.bases.count(basis), words) for basis, words in BASIS_WORDS.items() if basis in series.bases]
    changes = int(series.growth()["splice"].sum()) if series.n > 1 else 0
    splices = {0: "one publisher counted all of them", 1: "the publisher changes once"}.get(
        changes, f"the publisher changes {changes} times")
    return {
        "en": f"From {series.years[0]} to {series.years[-1]} the market went from {first} to {last} ({unit['en']}), "
              f"{snap(times):.1f} times as much. Of the {series.n} values, "
              + _list_en(f"{count} {'is' if count == 1 else 'are'} {words['en']}" for count, words in kinds)
              + f"; {splices}.",
        "zh": f"{series.years[0]}年至{series.years[-1]}年，市场规模由{first}变为{last}（{unit['zh']}），"
              f"为原来的{snap(times):.1f}倍。{series.n}个数值中，"
              + "，".join(f"{words['zh']}{count}个" for count, words in kinds)
              + (f"；数据机构更换{changes}次。" if changes else "；均出自同一机构。"),
    }


def read_growth(series: MarketSeries) -> Words:
    """Say in how many years growth can be read within one publisher's count, and between what limits it lay."""
    table = series.growth().dropna(subset=["growth"])
    if table.empty:
        return {"en": "No two neighbouring years come from one publisher, so no growth rate can be read.",
                "zh": "没有相邻两年出自同一机构，因此无法读取增速。"}
    low, high = table.loc[table["growth"].idxmin()], table.loc[table["growth"].idxmax()]
    ends = f"{_signed(low['growth'])} % ({low['year']})", f"{_signed(high['growth'])} % ({high['year']})"
    return {"en": f"Growth can be read for {len(table)} of {series.n - 1} steps; it lay between {ends[0]} and "
                  f"{ends[1]}.",
            "zh": f"{series.n - 1}个年度间隔中有{len(table)}个可读取增速，"
                  f"介于{_signed(low['growth'])}%（{low['year']}年）与{_signed(high['growth'])}%（{high['year']}年）之间。"}


def read_splices(series: MarketSeries, printed: pd.DataFrame | None) -> Words:
    """Say what the quotient across a change of publisher would be, and what a publisher prints for that year."""
    table = series.growth()
    changes = [int(year) for year in table.loc[table["splice"], "year"]]
    if not changes:
        return {"en": "No rate is left out.", "zh": "没有略去的增速。"}
    if printed is None:
        years = ", ".join(map(str, changes))
        return {"en": f"No rate is given for {years}, where the publisher changes.",
                "zh": f"{years.replace(', ', '、')}年更换数据机构，不给出增速。"}
    value = dict(zip(series.years, series.values, strict=True))
    en, zh = [], []
    for year in changes:
        quotient = _signed(100 * (value[year] / value[year - 1] - 1))
        rates = [(publisher_words(p), _signed(g)) for p, g in
                 printed.loc[printed["year"] == year, ["publisher", "growth"]].itertuples(index=False)]
        en.append(f"{year}: quotient {quotient} %, printed " + ", ".join(f"{g} % ({p['en']})" for p, g in rates))
        zh.append(f"{year}年商为{quotient}%，公布值为" + "、".join(f"{g}%（{p['zh']}）" for p, g in rates))
    return {"en": "Why no rate is read across a change of publisher. " + "; ".join(en) + ".",
            "zh": "为何不跨机构读取增速：" + "；".join(zh) + "。"}


def read_disagreement(apart: Disagreement | NotAvailable) -> Words:
    """Say between what shares of the bars the rivals lie, and by what factor their latest figures stand apart."""
    if isinstance(apart, NotAvailable):
        return _because(apart)
    shown = apart.ratios[~apart.ratios["echo"]]["ratio"]
    factor, echoes = apart.factor, int(apart.ratios["echo"].sum())
    return {"en": f"For one and the same year the rivals print between {snap(100 * shown.min()):.0f} % and "
                  f"{snap(100 * shown.max()):.0f} % of the bar. The latest figures of {apart.publishers} publishers "
                  "stand "
                  f"apart from it by a typical factor of {snap(factor):.2f}; {echoes} further figures repeat the "
                  "bar to "
                  "their last printed digit and do not count as independent.",
            "zh": f"同一年份，其他机构的数字相当于图中柱值的{snap(100 * shown.min()):.0f}%至"
                  f"{snap(100 * shown.max()):.0f}%。"
                  f"{apart.publishers}家机构的最新数字与柱值的典型差距为{snap(factor):.2f}倍；"
                  f"另有{echoes}个数字与柱值在末位上一致，不计为独立来源。"}


def read_audit(rows: Sequence[AuditRow]) -> Words:
    """Say how many of the paper's numbers agree, and name those that differ."""
    if not rows:
        return FOREIGN
    apart = [row for row in rows if not row.agrees]
    en = "; ".join(f"{row.what['en']} against {row.against['en']}" for row in apart)
    zh = "；".join(f"{row.what['zh']}，对照{row.against['zh']}" for row in apart)
    return {"en": f"{len(rows) - len(apart)} of {len(rows)} checks agree." + (f" What differs: {en}." if apart else ""),
            "zh": f"{len(rows)}项核对中{len(rows) - len(apart)}项相符。" + (f"不符的是：{zh}。" if apart else "")}


def read_context(context: pd.DataFrame | None) -> Words:
    """Say how users, shoppers and online retail grew, and why levels of retail must not be divided."""
    if context is None:
        return FOREIGN
    retail = context.dropna(subset=["online_retail", "online_retail_growth"])
    last, before = retail.iloc[-1], retail.iloc[-2]
    quotient = 100 * (last["online_retail"] / before["online_retail"] - 1)
    official, year = last["online_retail_growth"], int(last["year"])
    people = context.dropna(subset=["online_shoppers"])
    shoppers = people["online_shoppers"].iloc[-1] / people["online_shoppers"].iloc[0]
    years = int(people["year"].iloc[0]), int(people["year"].iloc[-1])
    return {"en": f"Online shoppers grew {snap(shoppers):.2f}-fold from {years[0]} to {years[1]}. For {year} the "
                  "statistical "
                  f"office gives {_signed(official)} % for online retail, while dividing its published levels gives "
                  f"{_signed(quotient)} %: it revises earlier years, so only its own rates are used.",
            "zh": f"{years[0]}年至{years[1]}年，网购用户增至{snap(shoppers):.2f}倍。{year}年网上零售额官方增速为"
                  f"{_signed(official)}%，而用已公布的绝对数相除得{_signed(quotient)}%：以往年份会被修订，因此只采用官方增速。"}


def read_fits(fits: Iterable[GrowthFit | NotAvailable]) -> Words:
    """Say which curve is nearest, which parameters stay open, which curves failed, and why no AICc ranks them."""
    fits = list(fits)
    done = sorted((fit for fit in fits if isinstance(fit, GrowthFit)), key=lambda fit: fit.sigma)
    failed = [fit for fit in fits if isinstance(fit, NotAvailable)]
    en, zh = [], []
    if done:
        near, far = done[0], done[-1]
        en.append(f"Residuals spread least around the {_mid(near.curve.words)} curve ({snap(100 * near.sigma):.0f} "
                  "% of the "
                  f"value) and most around the {_mid(far.curve.words)} one ({snap(100 * far.sigma):.0f} %).")
        zh.append(f"残差最小的是{near.curve.words['zh']}曲线（约为数值的{snap(100 * near.sigma):.0f}%），"
                  f"最大的是{far.curve.words['zh']}曲线（{snap(100 * far.sigma):.0f}%）。")
        reason = aicc(near)
        if isinstance(reason, NotAvailable):
            en.append(f"No AICc ranks the curves: {reason.reason['en']}.")
            zh.append(f"不用AICc给曲线排序：{reason.reason['zh']}。")
    for fit in done:
        if fit.remark["en"]:
            en.append(f"{fit.curve.words['en']}: {fit.remark['en']}.")
            zh.append(f"{fit.curve.words['zh']}：{fit.remark['zh']}。")
    for one in failed:
        en.append(f"No {one.what} curve: {one.reason['en']}.")
        zh.append(f"未拟合{one.what}曲线：{one.reason['zh']}。")
    return {"en": " ".join(en), "zh": "".join(zh)}


def read_backtest(result: Backtest | NotAvailable) -> Words:
    """Say which method erred least and most where all can be compared, and how little that is."""
    if isinstance(result, NotAvailable):
        return _because(result)
    table = result.summary().sort_values("error_shared")
    left = _left_out(result.left_out, result.unsettled)
    if not result.shared:
        return {"en": f"No year was forecast by every method, so they cannot be compared.{left['en']}",
                "zh": f"没有任何年份被所有方法预测过，因此无法比较。{left['zh']}"}
    best, worst = table.iloc[0], table.iloc[-1]
    thin = result.shared < 5
    pairs = f"{result.shared} pair{'s' if result.shared > 1 else ''} of origin and target"
    return {"en": f"On the {pairs} that every method forecast, \"{_mid(best['name'])}\" erred least "
                  f"({snap(best['error_shared']):.1f} %) and "
                  f"\"{_mid(worst['name'])}\" most ({snap(worst['error_shared']):.1f} %)."
                  + (" So few comparisons rank nothing." if thin else "") + left["en"],
            "zh": f"在所有方法都作出预测的{result.shared}组起点与目标年份上，误差最小的是{best['name']['zh']}"
                  f"（{snap(best['error_shared']):.1f}%），最大的是{worst['name']['zh']}（{snap(worst['error_shared']):.1f}%）。"
                  + ("比较次数太少，不足以排序。" if thin else "") + left["zh"]}


def read_misses(misses: pd.DataFrame | None) -> Words:
    """Say by how much published forecasts missed what the same publisher reported later."""
    if misses is None:
        return FOREIGN
    en = [f"{m['publisher']} ({m['published']}) forecast {snap(m['forecast']):,.1f} for {m['year']} and reported "
          f"{snap(m['outcome']):,.1f}: {_signed(m['error'])} %" for m in misses.to_dict("records")]
    zh = [f"{publisher_words(m['publisher'])['zh']}（{m['published']}）预测{m['year']}年为{snap(m['forecast']):,.1f}，"
          f"后来公布{snap(m['outcome']):,.1f}：{_signed(m['error'])}%" for m in misses.to_dict("records")]
    return {"en": "; ".join(en) + ".", "zh": "；".join(zh) + "。"}


def read_forecast(result: Forecast | NotAvailable) -> Words:
    """Say the median and the intervals for the last year, and which doubt is the largest."""
    if isinstance(result, NotAvailable):
        return _because(result)
    row, series = result.table.iloc[-1], result.series
    names = ("median", "low", "high", "own_low", "own_high")
    middle, low, high, own_low, own_high = (_coarse(row[name], series) for name in names)
    unit, share, year = unit_words(series.unit), f"{100 * result.level:g}", int(row["year"])
    parts = {"sd_curves": ("the choice of the curve", "曲线的选择"),
             "sd_sources": ("the publishers' disagreement", "机构间的分歧"),
             "sd_parameters": ("the parameters", "参数"), "sd_residuals": ("a year's own residual", "当年残差")}
    largest = parts[max(parts, key=lambda name: row[name])]
    wide = isinstance(result.disagreement, Disagreement)
    return {"en": f"For {year} the median is {middle} ({unit['en']}), the {share} % interval {own_low} to {own_high} "
                  "if the same publisher goes on counting"
                  + (f", and {low} to {high} for any publisher" if wide else
                     "; disagreement between publishers is not in it, since no others are at hand")
                  + f". The largest doubt comes from {largest[0]}.",
            "zh": f"{year}年的中位数为{middle}（{unit['zh']}）；若由同一机构继续统计，"
                  f"{share}%区间为{own_low}至{own_high}"
                  + (f"，若考虑任一机构则为{low}至{high}" if wide else "；因无其他机构数字，未计入机构间的分歧")
                  + f"。最大的不确定性来自{largest[1]}。"}


def read_answer(series: MarketSeries, apart: Disagreement | NotAvailable, result: Forecast | NotAvailable) -> Words:
    """Answer in one sentence how large the market is and how far the number can be trusted."""
    last, unit = _size(series.values[-1], series), unit_words(series.unit)
    soft = series.on_forecast[-1]
    en = [f"{last} ({unit['en']}) in {series.years[-1]}" + (", itself a forecast" if soft else "")]
    zh = [f"{series.years[-1]}年为{last}（{unit['zh']}）" + ("，而这本身是预测值" if soft else "")]
    if isinstance(apart, Disagreement):
        en.append(f"though publishers disagree by a factor of about {snap(apart.factor):.1f}")
        zh.append(f"由于各机构口径不一，只在约{snap(apart.factor):.1f}倍之内可信")
    if isinstance(result, Forecast):
        row = result.table.iloc[-1]
        low, high = (_coarse(row[c], series) for c in ("low", "high"))
        en.append(f"and by {int(row['year'])} it may lie anywhere from {low} to {high}")
        zh.append(f"到{int(row['year'])}年可能在{low}至{high}之间")
    return {"en": ", ".join(en) + ".", "zh": "；".join(zh) + "。"}


def _because(missing: NotAvailable) -> Words:
    return {"en": f"Not available: {missing.reason['en']}.", "zh": f"无法给出：{missing.reason['zh']}。"}


def _left_out(years: Sequence[int], unsettled: int) -> Words:
    en, zh = "", ""
    if years:
        en += f" Left out, since they rest on a forecast: {', '.join(map(str, years))}."
        zh += f"因依赖预测而未纳入：{'、'.join(map(str, years))}年。"
    if unsettled:
        en += f" Forecasts not made, since the curve did not settle: {unsettled}."
        zh += f"因曲线未收敛而未作出的预测：{unsettled}个。"
    return {"en": en, "zh": zh}


def _size(value: float, series: MarketSeries) -> str:
    return f"{snap(value):,.{series.digits}f}"


def _coarse(value: float, series: MarketSeries) -> str:
    return f"{snap(value):,.{series.coarse}f}"


def _mid(words: Mapping[str, str]) -> str:
    """Return an English name as it stands within a sentence."""
    return words["en"] if words["en"].startswith(("Bass", "Gompertz")) else words["en"].lower()


def _signed(value: float) -> str:
    return f"{snap(value):+.1f}".replace("-", "−")


def _list_en(parts: Iterable[str]) -> str:
    *most, last = parts
    return f"{', '.join(most)} and {last}" if most else last
