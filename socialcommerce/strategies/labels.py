"""Heads and decimals of the tables a study prints, in English and Chinese."""

from __future__ import annotations

__all__ = ["AXES", "CORRELATION_LABELS", "FIT_DIGITS", "FIT_LABELS", "INDIRECT_DIGITS", "INDIRECT_LABELS",
           "INTERVAL", "ITEM_LABELS", "PATH_DIGITS", "PATH_LABELS", "RELIABILITY_LABELS", "SCREENING_LABELS"]

INTERVAL = {"low": {"en": "95 % from", "zh": "95%下限"}, "high": {"en": "to", "zh": "95%上限"}}
SCREENING_LABELS = {"rule": {"en": "rule", "zh": "规则"}, "threshold": {"en": "threshold", "zh": "阈值"},
                    "flagged": {"en": "flagged", "zh": "触发人数"}, "share": {"en": "% of all", "zh": "占比（%）"}}
ITEM_LABELS = {
    "construct": {"en": "construct", "zh": "构念"}, "item": {"en": "item", "zh": "题项"},
    "loading": {"en": "loading", "zh": "载荷"}, **INTERVAL, "alpha": {"en": "alpha", "zh": "α"},
    "omega": {"en": "omega", "zh": "ω"}, "cr": {"en": "CR", "zh": "CR"}, "ave": {"en": "AVE", "zh": "AVE"},
}
RELIABILITY_LABELS = {
    "construct": ITEM_LABELS["construct"], "alpha": ITEM_LABELS["alpha"], "omega": ITEM_LABELS["omega"],
    "omega_low": INTERVAL["low"], "omega_high": INTERVAL["high"], "ave": ITEM_LABELS["ave"],
    "ave_low": INTERVAL["low"], "ave_high": INTERVAL["high"],
}
CORRELATION_LABELS = {
    "k": {"en": "no.", "zh": "序号"}, "construct": ITEM_LABELS["construct"], "items": {"en": "items", "zh": "题项数"},
    "mean": {"en": "M", "zh": "均值"}, "sd": {"en": "SD", "zh": "标准差"},
}
FIT_LABELS = {
    "model": {"en": "model", "zh": "模型"}, "n": {"en": "N", "zh": "N"}, "chisq": {"en": "chi²", "zh": "χ²"},
    "df": {"en": "df", "zh": "自由度"}, "pvalue": {"en": "p", "zh": "p"},
    "chisq.scaled": {"en": "scaled chi²", "zh": "校正χ²"}, "pvalue.scaled": {"en": "its p", "zh": "校正p"},
    "plain_cfi": {"en": "CFI", "zh": "CFI"}, "cfi": {"en": "robust CFI", "zh": "稳健CFI"},
    "tli": {"en": "robust TLI", "zh": "稳健TLI"}, "plain_rmsea": {"en": "RMSEA", "zh": "RMSEA"},
    "rmsea": {"en": "robust RMSEA", "zh": "稳健RMSEA"}, "rmsea.ci.lower": {"en": "90 % from", "zh": "90%下限"},
    "rmsea.ci.upper": {"en": "to", "zh": "90%上限"}, "srmr": {"en": "SRMR", "zh": "SRMR"},
}
FIT_DIGITS = {"chisq": 1, "df": 0, "pvalue": 3, "chisq.scaled": 1, "pvalue.scaled": 3, "plain_cfi": 3, "cfi": 3,
              "tli": 3, "plain_rmsea": 3, "rmsea": 3, "rmsea.ci.lower": 3, "rmsea.ci.upper": 3, "srmr": 3}
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
