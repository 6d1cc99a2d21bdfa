"""The verdicts as tables and sentences: what goes against the paper, what with it, what is undecided and why."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

from nbproof import format_number
from socialcommerce import paper, verdicts
from socialcommerce.evidence.assessment import Assessment
from socialcommerce.evidence.labels import DELAYS, SHORT, SIDE_OF, TITLES, place
from socialcommerce.paper import CLASSES, EVIDENCE, GRADES, Hypothesis
from socialcommerce.verdicts import HypothesisTest, Verdict

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["BALANCE_LABELS", "CLAIM_LABELS", "CLASS_NAMES", "HYPOTHESIS_LABELS", "LIST_LABELS", "balance", "bands",
           "claims", "estimates", "hypotheses", "named", "read_list", "read_method"]

Words = dict[str, str]

CLASS_NAMES = {
    "number": {"en": "published numbers", "zh": "已发表数字"},
    "people": {"en": "public data on people", "zh": "关于人的公开数据"},
    "model": {"en": "models", "zh": "模型"},
    "synthetic": {"en": "synthetic sample", "zh": "合成样本"},
    "none": {"en": "nothing at hand", "zh": "手头没有"},
}
"""What a verdict can rest on."""

BALANCE_LABELS = {"outcome": {"en": "verdict", "zh": "结论"}, **CLASS_NAMES,
                  "total": {"en": "hypotheses", "zh": "合计"}}
LIST_LABELS = {
    "id": {"en": "id", "zh": "编号"}, "claims": {"en": "claims", "zh": "论断"},
    "statement": {"en": "hypothesis", "zh": "假设"}, "found": {"en": "found", "zh": "所得"},
    "evidence": {"en": "evidence", "zh": "证据"}, "outcome": {"en": "verdict", "zh": "结论"},
}
HYPOTHESIS_LABELS = {
    "id": {"en": "id", "zh": "编号"}, "evidence": {"en": "evidence", "zh": "证据"},
    "estimate": {"en": "estimate", "zh": "估计值"}, "low": {"en": "from", "zh": "下限"},
    "high": {"en": "to", "zh": "上限"}, "unit": {"en": "unit", "zh": "单位"}, "n": "n",
    "family": {"en": "family", "zh": "假设族"}, "outcome": {"en": "verdict", "zh": "结论"},
    "shown": {"en": "shown in", "zh": "见"},
}
CLAIM_LABELS = {
    "id": {"en": "id", "zh": "编号"}, "place": {"en": "place", "zh": "位置"},
    "text": {"en": "claim, paraphrased", "zh": "论断（转述）"}, "hypotheses": {"en": "tested by", "zh": "假设"},
    "evidence": {"en": "evidence", "zh": "证据"},
    "found": {"en": "found, or why nothing", "zh": "所得，或未检验的原因"},
    "outcome": {"en": "verdict", "zh": "结论"}, "shown": {"en": "shown in", "zh": "见"},
}
"""Heads of the tables of outcomes, of some hypotheses, of all of them, and of the claims."""

PANELS = {"public data set": "effects", "published figure": "effects", "synthetic sample": "synthetic",
          "model": "models"}
GROUPS = {
    "public data set": {"en": "Public data on people", "zh": "关于人的公开数据"},
    "published figure": {"en": "Correlations pooled over published studies", "zh": "已发表研究的合并相关系数"},
    "synthetic sample": {"en": "Synthetic sample: is the truth recovered?", "zh": "合成样本：能否还原真值？"},
    "model": {"en": "Models of the two modes", "zh": "两类模式的模型"},
}
WHY = {
    "zero": {"en": "the interval holds zero and reaches beyond the smallest effect of interest",
             "zh": "区间包含零，又超出最小关注效应"},
    "small": {"en": "the interval excludes zero, but the estimate is below the smallest effect of interest",
              "zh": "区间不含零，但估计值小于最小关注效应"},
    "split": {"en": "only a part of the interval satisfies the rule ({})", "zh": "区间只有一部分满足规则（{}）"},
    "depends": {"en": "holds for a share of {} of the parameter sets tried", "zh": "所试参数组中成立的比例为{}"},
}


def hypotheses(assessment: Assessment) -> pd.DataFrame:
    """Return one row a hypothesis with numbers as numbers: what was found, on what, which way it points and why.

    Returns
    -------
    pandas.DataFrame
        Beside the columns of the assessment's summary: evidence (kind and grade), low, high, found (in words), side (a
        key of ``SIDES``, or the state where nothing was decided), why (of the undecided) and shown (where).
    """
    frame = assessment.summary()
    results = [assessment.results[name] for name in frame["id"]]
    ends = [_ends(result) for result in results]
    frame["low"], frame["high"] = [[pair[k] for pair in ends] for k in (0, 1)]
    frame["evidence"] = [_kinds(h, result) for h, result in zip(assessment.hypotheses, results, strict=True)]
    frame["side"] = [side(result) for result in results]
    frame["found"] = [_estimate(result) for result in results]
    frame["why"] = [_why(h, result) for h, result in zip(assessment.hypotheses, results, strict=True)]
    frame["shown"] = [place(name) for name in frame["id"]]
    return frame


def claims(assessment: Assessment) -> pd.DataFrame:
    """Return one row a claim: place, text, hypotheses, evidence, found or why nothing was, outcome, where shown."""
    rows = hypotheses(assessment).set_index("id")
    frame = assessment.claim_table()
    frame["evidence"] = [_joined([rows.at[name, "evidence"] for name in claim.hypotheses])
                         for claim in assessment.claims]
    frame["found"] = [_found(assessment, claim) for claim in assessment.claims]
    frame["shown"] = [_claim_place(assessment, claim) for claim in assessment.claims]
    return frame


def balance(assessment: Assessment) -> pd.DataFrame:
    """Return how many hypotheses had each outcome, by class of evidence, what speaks most against the paper first."""
    import pandas as pd

    counts = pd.DataFrame(0, index=list(verdicts.OUTCOMES), columns=list(CLASS_NAMES))
    for result in assessment.results.values():
        counts.at[result.outcome, CLASSES[result.evidence[0]] if side(result) != "not testable" else "none"] += 1
    counts = counts[counts.any(axis=1)]
    counts.insert(0, "outcome", [verdicts.OUTCOMES[key] for key in counts.index])
    counts["total"] = counts[list(CLASS_NAMES)].sum(axis=1)
    return counts.reset_index(drop=True)


def estimates(assessment: Assessment) -> pd.DataFrame:
    """Return every decided estimate on a common scale, for the figure of all of them.

    Effects are divided by the smallest effect of interest and turned so that above zero is as claimed; a model's is
    the share of parameter sets. Numbers checked against a publisher's rounding have no such size and are left out.

    Returns
    -------
    pandas.DataFrame
        id, panel (effects, synthetic, models), group, label, estimate, low, high, truth, tone (the outcome).
    """
    import pandas as pd

    order = list(GROUPS)
    rows = [_scaled(h, result) for h in assessment.hypotheses
            if _on_scale(h, result := assessment.results[h.id])]
    return pd.DataFrame(sorted(rows, key=lambda row: order.index(row["kind"])))


def bands(frame: pd.DataFrame, names: str, estimate: str, n: str) -> pd.DataFrame:
    """Return bands with an interval of 95 per cent each, in the columns that ``figures.verdicts.plot_bands`` draws."""
    reach = NormalDist().inv_cdf(0.975) * frame["standard_error"]
    named = [DELAYS.get(name, name) for name in frame[names]]
    return frame.assign(band=named, estimate=frame[estimate], low=frame[estimate] - reach,
                        high=frame[estimate] + reach, n=frame[n])


def side(result: Verdict) -> str:
    """Return which way a verdict points, a key of ``SIDES``, or ``"not testable"``."""
    return SIDE_OF.get(result.outcome, result.outcome)


def read_list(rows: pd.DataFrame) -> Words:
    """Name hypotheses in a few words each, with their ids, by verdict; ``none`` where there is none.

    Examples
    --------
    >>> from socialcommerce import evidence
    >>> rows = evidence.assess_all().subset("H04", "H25")
    >>> read_list(rows)["en"]
    'differs: online shoppers hardly grow (H04); supported: late delivery lowers ratings (H25)'
    """
    if rows.empty:
        return {"en": "none", "zh": "无"}
    by: dict[str, list[str]] = {}
    for name, words in zip(rows["id"], rows["outcome"], strict=True):
        by.setdefault(words["en"], [words["zh"]]).append(name)
    return {"en": "; ".join(f"{en}: {named(names)['en']}" for en, (_, *names) in by.items()),
            "zh": "；".join(f"{zh}：{named(names)['zh']}" for zh, *names in by.values())}


def named(names: Iterable[str]) -> Words:
    """Name hypotheses in a few words each, with their ids."""
    names = list(names)
    return {"en": ", ".join(f"{SHORT[name]['en']} ({name})" for name in names) or "none",
            "zh": "、".join(f"{SHORT[name]['zh']}（{name}）" for name in names) or "无"}


def read_method(rows: pd.DataFrame) -> Words:
    """Say what the synthetic sample showed of the methods; it says nothing about people."""
    n = len(rows)
    if not n:
        return {"en": "No hypothesis has been tried on the synthetic sample yet.",
                "zh": "尚未在合成样本上检验任何假设。"}
    missed = [name for name, words in zip(rows["id"], rows["outcome"], strict=True)
              if words != verdicts.OUTCOMES["recovered"]]
    en = f"The method recovers the truth in {n - len(missed)} of {n} hypotheses put to it"
    zh = f"提交检验的{n}条假设中，方法还原真值的有{n - len(missed)}条"
    if missed:
        en, zh = f"{en}, not in {', '.join(missed)}", f"{zh}，未能还原的为{'、'.join(missed)}"
    return {"en": en + ".", "zh": zh + "。"}


def _test(result: Verdict) -> HypothesisTest | None:
    return result.result if isinstance(result.result, HypothesisTest) else None


def _ends(result: Verdict) -> tuple[float | None, float | None]:
    test = _test(result)
    return test.interval if test and test.interval else (None, None)


def _kinds(hypothesis: Hypothesis, result: Verdict) -> Words:
    """Return the kind of evidence of a hypothesis with the grade of data on the world."""
    test = _test(result)
    kinds = (test.evidence,) if test else hypothesis.kinds
    if not kinds:
        return CLASS_NAMES["none"]
    grades = {data.grade for data in hypothesis.data if CLASSES[data.kind] in ("number", "people")}
    grade = max(grades, key=list(GRADES).index, default=None)
    en, zh = ", ".join(kinds), "、".join(EVIDENCE[kind] for kind in kinds)
    return {"en": f"{en} ({grade})", "zh": f"{zh}（{GRADES[grade]}）"} if grade else {"en": en, "zh": zh}


def _why(hypothesis: Hypothesis, result: Verdict) -> Words | None:
    """Say why a verdict is undecided."""
    if side(result) != "open":
        return None
    test = result.result
    if result.outcome == "depends":
        share = format_number(test.estimate, 3)
        return {language: words.format(share) for language, words in WHY["depends"].items()}
    if hypothesis.smallest_effect is None:
        return {language: words.format(hypothesis.rule.words[language]) for language, words in WHY["split"].items()}
    return WHY["zero" if test.interval[0] <= 0 <= test.interval[1] else "small"]


def _joined(parts: list[Words]) -> Words:
    unique = {part["en"]: part for part in parts}.values()
    return {"en": "; ".join(p["en"] for p in unique), "zh": "；".join(p["zh"] for p in unique)}


def _found(assessment: Assessment, claim: paper.Claim) -> Words:
    """Say what was found on each part of a claim, or why nothing was."""
    if claim.untested:
        return dict(claim.untested)
    said = [{language: f"{name}{colon}{text[language]}" for language, colon in (("en", ": "), ("zh", "："))}
            for name in claim.hypotheses for text in (_estimate(assessment.results[name]),)]
    return _joined(said)


def _estimate(result: Verdict) -> Words:
    """Write an estimate with its interval and unit, or why there is none."""
    test = _test(result)
    if test is None:
        return dict(result.result.reason)
    ends = test.interval
    digits = 3 if CLASSES[test.evidence] == "model" or (ends and ends[1] - ends[0] < 0.05) else 2
    shown = format_number(test.estimate, digits)
    if ends:
        shown += f" [{format_number(ends[0], digits)}, {format_number(ends[1], digits)}]"
    return {language: f"{shown} ({unit})" if unit[0].isdigit() else f"{shown} {unit}"
            for language, unit in test.unit.items()}


def _claim_place(assessment: Assessment, claim: paper.Claim) -> Words:
    """Return where the part that speaks most against a claim is shown, a synthetic one last; else the claims' list."""
    if not claim.hypotheses:
        return {**TITLES["00_claims"], "page": "00_claims", "anchor": f"table-all_claims-{claim.id}"}
    order = list(verdicts.OUTCOMES)
    outcomes = {name: assessment.results[name].outcome for name in claim.hypotheses}
    ranks = {name: (SIDE_OF.get(outcome) == "method", order.index(outcome)) for name, outcome in outcomes.items()}
    return place(min(ranks, key=ranks.get))


def _on_scale(hypothesis: Hypothesis, result: Verdict) -> bool:
    test = _test(result)
    return test is not None and (CLASSES[test.evidence] == "model" or test.interval is not None)


def _scaled(hypothesis: Hypothesis, result: Verdict) -> dict[str, Any]:
    test = result.result
    model = CLASSES[test.evidence] == "model"
    size = 1.0 if model else (hypothesis.smallest_effect or hypothesis.rule).value
    scale = (-1 if hypothesis.direction == "negative" else 1) / size
    low, high = sorted(scale * end for end in test.interval) if test.interval else (test.estimate, test.estimate)
    return {"id": hypothesis.id, "kind": test.evidence, "panel": PANELS[test.evidence], "group": GROUPS[test.evidence],
            "label": {language: f"{hypothesis.id} {words}" for language, words in SHORT[hypothesis.id].items()},
            "estimate": scale * test.estimate, "low": low, "high": high,
            "truth": None if test.truth is None else scale * test.truth, "tone": result.outcome}
