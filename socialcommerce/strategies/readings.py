"""What a study's tables say in words, in English and Chinese, and what their columns are called."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from nbproof import snap
from socialcommerce.strategies import contact, segments, sensitivity
from socialcommerce.strategies.measurement import words_of
from socialcommerce.strategies.multiverse import Multiverse
from socialcommerce.strategies.paths import Indirect, claimed_signs
from socialcommerce.strategies.sensitivity import Power, Sensitivity
from socialcommerce.strategies.study import Study
from socialcommerce.verdicts import NotTestable

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["AXES", "INDIRECT_DIGITS", "INDIRECT_LABELS", "INTERVAL", "PATH_DIGITS", "PATH_LABELS", "TONES",
           "decimals", "indirect_lines", "numbered", "path_lines", "read_basis", "read_curve", "read_indirect",
           "read_limit", "read_origin", "read_parts", "read_paths", "read_power", "read_sensitivity", "rows_of",
           "source_of"]

INTERVAL = {"low": {"en": "95 % from", "zh": "95%下限"}, "high": {"en": "to", "zh": "95%上限"}}
PATH_LABELS = {
    "outcome_words": {"en": "outcome", "zh": "结果"}, "predictor_words": {"en": "predictor", "zh": "前因"},
    "estimate": {"en": "estimate", "zh": "估计值"}, "estimate_se": {"en": "SE", "zh": "标准误"},
    "std": {"en": "standardised", "zh": "标准化"}, "std_se": {"en": "its SE", "zh": "其标准误"}, **INTERVAL,
    "p": {"en": "p", "zh": "p"},
}
INDIRECT_LABELS = {
    "strategy_words": {"en": "strategy", "zh": "策略"}, "outcome_words": {"en": "outcome", "zh": "结果"},
    "via_words": {"en": "first through", "zh": "首先经由"}, "estimate": {"en": "indirect effect", "zh": "间接效应"},
    "se": {"en": "SE", "zh": "标准误"}, **INTERVAL, "p": {"en": "p", "zh": "p"},
}
PATH_DIGITS = dict.fromkeys(("estimate", "estimate_se", "std", "std_se", "low", "high"), 2) | {"p": 3}
INDIRECT_DIGITS = dict.fromkeys(("estimate", "se", "low", "high", "p"), 3)
AXES = {
    "path": {"en": "standardised path, 95 % interval", "zh": "标准化路径，95%区间"},
    "indirect": {"en": "standardised indirect effect, 95 % bootstrap interval",
                 "zh": "标准化间接效应，95%自助法区间"},
}


Words = dict[str, str]
KEYS = {"reading": sensitivity.READINGS, "within": segments.WITHIN, "role": segments.ROLES, "method": contact.METHODS,
        "side": contact.SIDES}
"""Columns of results that hold keys, and what these are called."""
NOTHING = {"en": "nothing to list", "zh": "无可列之项"}
YES_NO = {True: {"en": "yes", "zh": "是"}, False: {"en": "no", "zh": "否"}}
WHOLE = ("n", "k", "items", "classes", "df", "d_df", "direction", "nobs", "specifications", "failed")  # counts
TONES = {
    "as claimed": {"en": "interval on the claimed side of zero", "zh": "区间在论断一侧"},
    "open": {"en": "interval holds zero", "zh": "区间含零"},
    "against": {"en": "interval on the other side", "zh": "区间在相反一侧"},
    "both ways": {"en": "ways of both signs are claimed", "zh": "论断的途径正负皆有"},
}


def source_of(study: Study) -> Words:
    """Name the file, or say that a program drew the answers."""
    if study.basis == "synthetic sample":
        return {"en": "drawn by socialcommerce.survey from data/survey/truth.toml, not from people",
                "zh": "由socialcommerce.survey按data/survey/truth.toml生成，并非真实人群"}
    return dict.fromkeys(("en", "zh"), study.responses.file)


def read_origin(study: Study) -> Words:
    """Say whose answers these are."""
    if study.basis == "synthetic sample":
        return {"en": "What stands here are answers drawn by a program from a stated truth, so that the method can be "
                      "checked against it. They say nothing about people; bring a survey of your own, and the same "
                      "pages are made from it.",
                "zh": "此处的答卷由程序按所述真值生成，用以检验方法能否还原真值，与真实人群无关；"
                      "换上自己的问卷数据，即得同样的报告。"}
    n, file = study.screened.nobs, study.responses.file
    return {"en": f"These are {n} answers from {file}.", "zh": f"此处为{file}中的{n}份答卷。"}


def read_basis(study: Study) -> Words:
    """Begin a sentence on verdicts with what they rest on."""
    if study.basis == "synthetic sample":
        return {"en": "On the synthetic sample, which shows only whether the method finds what was put in",
                "zh": "合成样本只能说明方法能否找回设定的真值；在该样本上"}
    return {"en": f"On the {study.nobs} answers kept", "zh": f"就保留的{study.nobs}份答卷而言"}


def read_limit(study: Study) -> Words:
    """Say what the origin of the answers keeps them from showing."""
    if study.basis == "synthetic sample":
        return {"en": "And these respondents were drawn by a program: that the items measure well was put in, not "
                      "found.", "zh": "此处的受访者由程序生成：题项测量良好是设定的，而不是发现的。"}
    return {"en": "One survey at one time shows what goes together, not what causes what; whom it reached decides for "
                  "whom it speaks.", "zh": "一次横断面调查只显示何者相伴出现，不显示因果；调查触及谁，就只能代表谁。"}


def numbered(frame: pd.DataFrame, labels: Mapping[str, Words]) -> dict[str, Words]:
    """Return labels with the numbered columns of a triangle added."""
    return {**labels, **{name: name for name in frame.columns if name.isdigit()}}


def path_lines(table: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Return a table of paths with words, and the columns a forest plot takes."""
    words = words_of(study)
    lines = table.assign(outcome_words=table["outcome"].map(words), predictor_words=table["predictor"].map(words))
    tone = [_tone(row.direction * row.low, row.direction * row.high) for row in table.itertuples()]
    return lines.assign(label=lines["predictor_words"], group=lines["outcome_words"], tone=tone,
                        forest=lines["std"])


def indirect_lines(found: Indirect | NotTestable, study: Study, *, totals: bool = False) -> pd.DataFrame:
    """Return indirect effects with words, and the columns a forest plot takes; ``totals``: over all ways only.

    Of what cannot be tested: one line with the reason, or none where ``totals`` are asked for, to be drawn.

    The claimed sign is that of ``paths.claimed_signs``.
    """
    if isinstance(found, NotTestable):
        lines = rows_of(found, INDIRECT_LABELS, study)
        return lines.iloc[:0].assign(label=None, group=None, tone=None) if totals else lines
    words = words_of(study) | {"all": {"en": "all ways", "zh": "全部途径"}}
    table = found.summary()
    single = table.groupby(["strategy", "outcome"])["via"].transform("size") == 2  # its only way is all of it
    table = table[(table["via"] == "all") | ~(single | totals)]
    signs = claimed_signs(study)
    claimed = [(signs[row.strategy, row.outcome, row.via], row.low, row.high) for row in table.itertuples()]
    return table.assign(
        strategy_words=table["strategy"].map(words), outcome_words=table["outcome"].map(words),
        via_words=table["via"].map(words), label=table["strategy"].map(words),
        group=table["outcome"].map(words),
        tone=[_tone(sign * low, sign * high) for sign, low, high in claimed],
    ).sort_values("outcome", key=lambda names: names.map(study.outcomes.index), kind="stable", ignore_index=True)


def read_paths(lines: pd.DataFrame) -> Words:
    """Say how many paths lie on the claimed side, which do not, and which is the strongest."""
    clear, rest = lines[lines["tone"] == "as claimed"], lines[lines["tone"] != "as claimed"]
    top = lines.loc[lines["std"].abs().idxmax()]
    strongest = f"{top['predictor_words']['en']} to {top['outcome_words']['en']} ({snap(top['std']):.2f})"
    zh_top = f"{top['predictor_words']['zh']}→{top['outcome_words']['zh']}（{snap(top['std']):.2f}）"
    left = [f"{p['en']} to {o['en']}" for p, o in zip(rest["predictor_words"], rest["outcome_words"], strict=True)]
    zh_left = [f"{p['zh']}→{o['zh']}" for p, o in zip(rest["predictor_words"], rest["outcome_words"], strict=True)]
    return {"en": f"{len(clear)} of {len(lines)} paths have their interval on the claimed side of zero"
                  + (f"; not so {', '.join(left)}" if left else "") + f". The strongest is {strongest}.",
            "zh": f"{len(lines)}条路径中有{len(clear)}条的区间落在论断一侧"
                  + (f"；{'、'.join(zh_left)}除外" if left else "") + f"。最强的是{zh_top}。"}


def read_indirect(found: Indirect | NotTestable, study: Study) -> Words:
    """Say which strategies reach which outcome through others."""
    if isinstance(found, NotTestable):
        return dict(found.reason)
    lines = indirect_lines(found, study, totals=True)
    said = {"en": [], "zh": []}
    for outcome, part in lines.groupby(lines["outcome"], sort=False):
        clear, name = part[part["tone"] == "as claimed"], words_of(study)[outcome]
        top = part.loc[part["estimate"].abs().idxmax()]
        said["en"].append(f"{len(clear)} of {len(part)} strategies reach {name['en']} with an interval on the claimed "
                          f"side, the strongest by {top['label']['en']} ({snap(top['estimate']):.2f})")
        said["zh"].append(f"对“{name['zh']}”，{len(part)}项策略中有{len(clear)}项的区间在论断一侧，"
                          f"最强者为{top['label']['zh']}（{snap(top['estimate']):.2f}）")
    return {"en": "; ".join(said["en"]) + ".", "zh": "；".join(said["zh"]) + "。"}


def _tone(a: float, b: float) -> str:
    """Which side of zero an interval lies on, seen in the claimed direction; both ends are zero where none is."""
    low, high = sorted((a, b))
    if low == high == 0:
        return "both ways"
    return "as claimed" if low > 0 else "against" if high < 0 else "open"


def decimals(labels: Mapping[str, Words]) -> dict[str, int]:
    """Return how many decimals each column of a table prints: three for p, none for counts, two otherwise."""
    return {column: 3 if column == "p" else 0 if column in WHOLE else 2 for column in labels}


def rows_of(result: Any, labels: Mapping[str, Words], study: Study, table: str = "summary") -> pd.DataFrame:
    """Return a result's table with constructs in words; of what cannot be tested, one line with the reason.

    Parameters
    ----------
    result : DataFrame, object with a table of the name ``table``, or NotTestable
    labels : mapping of column to words
        The columns to hold; the reason stands in the first.
    """
    if isinstance(result, NotTestable):
        return pd.DataFrame([{column: result.reason if k == 0 else None for k, column in enumerate(labels)}])
    found, words = result if isinstance(result, pd.DataFrame) else getattr(result, table), words_of(study)
    frame = (found() if callable(found) else found).reindex(columns=list(labels))
    if frame.empty:
        return pd.DataFrame([{column: NOTHING if k == 0 else None for k, column in enumerate(labels)}])
    return frame.astype(object).apply(lambda cells: cells.map(partial(_said, KEYS.get(cells.name, words))))


def _said(words: Mapping[str, Words], cell: Any) -> Any:
    if isinstance(cell, str):
        return words.get(cell, cell)
    return YES_NO[cell] if isinstance(cell, bool) else cell


def read_parts(result: Any) -> Words:
    """Return what a result says in a sentence, its parts one after the other, or why there is none."""
    if isinstance(result, NotTestable):
        return dict.fromkeys(("en", "zh"), result.reason) if isinstance(result.reason, str) else dict(result.reason)
    for name in ("reading", "sentence"):
        if hasattr(result, name):
            return dict(getattr(result, name))
    said = [read_parts(part) for part in result.parts.values()]
    return {"en": " ".join(one["en"] for one in said), "zh": "".join(one["zh"] for one in said)}


def read_curve(curve: Multiverse, study: Study) -> Words:
    """Say which paths keep their interval on the claimed side whatever is chosen, and which hang on the choice."""
    table, words = curve.summary(), words_of(study)
    names = [(words[row.predictor], words[row.outcome]) for row in table.itertuples()]
    solved, failed = int(table["specifications"].min()), int(table["failed"].max())
    without = {"en": f"; {failed} more have no solution", "zh": f"；另有{failed}种设定无解"} if failed else {}
    firm = (table["beyond_zero"] == 1).to_numpy()
    split = ((table["beyond_zero"] > 0) & (table["beyond_zero"] < 1)).to_numpy()
    en = [f"{a['en']} to {b['en']}" for (a, b), one in zip(names, split, strict=True) if one]
    zh = [f"{a['zh']}→{b['zh']}" for (a, b), one in zip(names, split, strict=True) if one]
    return {"en": f"In all {solved} specifications{' with a solution' if failed else ''} {firm.sum()} of {len(table)} "
                  "paths keep their interval on the claimed side of zero"
                  + (f"; with {', '.join(en)} it hangs on the choice" if en else "") + f"{without.get('en', '')}.",
            "zh": f"在全部{solved}种{'有解的' if failed else ''}设定中，{len(table)}条路径里有{firm.sum()}条的区间始终"
                  "落在论断一侧"
                  + (f"；{'、'.join(zh)}则取决于如何选择" if zh else "") + f"{without.get('zh', '')}。"}


def read_power(power: Power, nobs: int) -> Words:
    """Say how many respondents the hardest path needs, and whether there are as many."""
    needed, wanted = int(power.needed["needed"].max()), f"{snap(100 * power.wanted):.0f}"
    enough = nobs >= needed
    return {"en": f"The path hardest to find needs {needed} respondents for a chance of {wanted} % in a single test, "
                  "before any correction for its family; "
                  f"the {nobs} at hand are {'enough' if enough else 'too few for it'}.",
            "zh": f"最难发现的路径需要{needed}名受访者才有{wanted}%的把握（单个检验，未作族校正）；"
                  f"现有{nobs}名，{'足够' if enough else '对它而言不够'}。"}


def read_sensitivity(found: Sensitivity, study: Study) -> Words:
    """Say what the least detectable paths are, and which paths are as good as zero."""
    table, words = found.frame, words_of(study)
    low, high = table["detectable"].min(), table["detectable"].max()
    none = table[table["equivalent"]]
    en = [f"{words[row.predictor]['en']} to {words[row.outcome]['en']}" for row in none.itertuples()]
    zh = [f"{words[row.predictor]['zh']}→{words[row.outcome]['zh']}" for row in none.itertuples()]
    return {"en": f"The least detectable paths lie between {snap(low):.2f} and {snap(high):.2f}; "
                  + (f"equivalent to zero: {', '.join(en)}." if en else "no path is shown to be equivalent to zero."),
            "zh": f"可检测的最小路径介于{snap(low):.2f}与{snap(high):.2f}之间；"
                  + (f"与零等效者：{'、'.join(zh)}。" if zh else "没有路径被证明与零等效。")}
