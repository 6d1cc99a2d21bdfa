"""A study told as the methods section of an article tells it, every number filled in, in English and Chinese."""

from __future__ import annotations

import platform
from collections.abc import Mapping

import numpy as np

from socialcommerce import __version__
from socialcommerce.sem import SemFit
from socialcommerce.strategies.study import Study

__all__ = ["methods_text"]

RULES = {
    "missing": {"en": "more than {:.0%} of the items unanswered", "zh": "超过{:.0%}的题项未作答"},
    "straight-lining (run)": {"en": "a run of {:.0f} or more equal answers", "zh": "连续{:.0f}题及以上答案相同"},
    "straight-lining (sd)": {"en": "answers that do not vary (standard deviation at most {:g})",
                             "zh": "答案无变化（标准差不超过{:g}）"},
    "one answer only": {"en": "one answer to every item", "zh": "所有题项答案相同"},
    "speeder": {"en": "less than {:g} seconds a question", "zh": "平均每题用时不足{:g}秒"},
    "failed check": {"en": "an attention check failed", "zh": "未通过注意力检测题"},
    "out of range": {"en": "an answer that is no code of its scale", "zh": "答案不在量表取值之内"},
    "duplicate": {"en": "the same answers as an earlier row", "zh": "与前面某行答案完全相同"},
}
ESTIMATORS = {
    "MLR": {"en": "maximum likelihood with robust (sandwich) standard errors and a scaled test statistic (MLR)",
            "zh": "稳健极大似然法（MLR，夹心标准误与校正检验统计量）"},
    "ML": {"en": "maximum likelihood (ML)", "zh": "极大似然法（ML）"},
    "WLSMV": {"en": "diagonally weighted least squares on polychoric correlations with a mean- and variance-adjusted "
                    "test (WLSMV), answers taken as ordered",
              "zh": "对角加权最小二乘法（WLSMV，基于多分格相关，均值与方差校正检验，答案视为有序类别）"},
}
MISSING = {
    "none": {"en": "No answer to these items was missing.", "zh": "这些题项没有缺失值。"},
    "fiml": {"en": "{:.1%} of these answers were missing and handled by full information maximum likelihood.",
             "zh": "这些题项的缺失率为{:.1%}，采用全息极大似然法处理。"},
    "listwise": {"en": "{:.1%} of these answers were missing; respondents with a missing answer were left out of the "
                       "models, which used n = {}.",
                 "zh": "这些题项的缺失率为{:.1%}；有缺失值的受访者不进入模型，模型样本量 n = {}。"},
}
RESAMPLING = {
    "refit": {"en": "the model refitted in each", "zh": "每次重新拟合模型"},
    "one-step": {"en": "one scoring step from the estimate in each", "zh": "每次由估计值出发作一步得分迭代"},
}
WORDS = {
    "received": {"en": "{received} responses were received. ", "zh": "共回收问卷{received}份。"},
    "flagged": {"en": "Screening rules were set before any model was fitted and flagged {flagged} respondents "
                      "({share:.1%}): {rules}; one respondent may break several rules. ",
                "zh": "筛查规则在拟合模型之前确定，共标记{flagged}份（{share:.1%}）：{rules}；"
                      "同一份问卷可触犯多条规则。"},
    "none": {"en": "Screening rules were set before any model was fitted and flagged nobody. ",
             "zh": "筛查规则在拟合模型之前确定，没有问卷被标记。"},
    "drop": {"en": "Those flagged were left out; n = {kept} were analysed.",
             "zh": "剔除被标记的问卷后，有效样本 n = {kept}。"},
    "report-only": {"en": "Those flagged were kept; n = {kept} were analysed.",
                    "zh": "被标记的问卷予以保留，分析样本 n = {kept}。"},
    "measures": {"en": "The {items} items measure {constructs} constructs{reverse}. ",
                 "zh": "{constructs}个构念由{items}个题项测量{reverse}。"},
    "reverse": {"en": "; {} reverse-keyed items were turned round", "zh": "，其中{}个反向计分题项已作转换"},
    "models": {"en": "A confirmatory factor analysis and a structural equation model with {paths} paths were fitted by "
                     "{estimator}, with socialcommerce {version} (Python {python}). ",
               "zh": "使用socialcommerce {version}（Python {python}），以{estimator}拟合验证性因子分析"
                     "以及含{paths}条路径的结构方程模型。"},
    "indirect": {"en": " Indirect effects have percentile intervals from {draws:,} bootstrap resamples ({how}; seed "
                       "{seed}).",
                 "zh": "间接效应采用{draws:,}次自助抽样的百分位置信区间（{how}；随机种子{seed}）。"},
    "groups": {"en": " Before groups by {group} were compared, measurement invariance was tested in steps: equal form, "
                     "loadings, then intercepts (thresholds for ordered answers).",
               "zh": "在按{group}比较各组之前，逐步检验了测量不变性：形态、载荷、截距（有序答案为阈值）。"},
    "again": {"en": "The file model.R refits both models with lavaan from data.csv.",
              "zh": "文件model.R可用lavaan根据data.csv重新拟合这两个模型。"},
    "synthetic": {"en": "These respondents are synthetic: they show what the method does and nothing about people.",
                  "zh": "这些受访者为模拟生成：只说明方法，不说明任何真实人群。"},
    "measurement": {"en": "The measurement model: {}.", "zh": "测量模型：{}。"},
    "structural": {"en": "The structural model: {}.", "zh": "结构模型：{}。"},
    "scaled": {"en": " (scaled {})", "zh": "（校正后{}）"},
    "robust": {"en": " (robust {})", "zh": "（稳健{}）"},
    "unsolved": {"en": "no admissible solution ({})", "zh": "没有可接受的解（{}）"},
}


def methods_text(study: Study, language: str) -> str:
    """Return the methods paragraphs of a study.

    Parameters
    ----------
    study : Study
        Both its models are fitted; nothing is resampled.
    language : {"en", "zh"}
        Of the text.
    """
    paragraphs = [_respondents(study, language), _models(study, language), _fits(study, language)]
    if study.basis == "synthetic sample":
        paragraphs.insert(0, WORDS["synthetic"][language])
    return "\n\n".join(paragraphs) + "\n"


def _respondents(study: Study, language: str) -> str:
    screened = study.screened
    numbers = {"received": screened.nobs, "flagged": len(screened.flagged), "kept": study.nobs,
               "share": len(screened.flagged) / screened.nobs, "rules": _broken(study, language)}
    said = ("received", "flagged", screened.mode) if screened.flagged else ("received", "none", screened.mode)
    return "".join(WORDS[word][language].format(**numbers) for word in said)


def _broken(study: Study, language: str) -> str:
    """The rules that flagged somebody, and how many each flagged."""
    table = study.screened.summary().query("rule != 'any'")
    parts = [f"{RULES[row.rule][language].format(row.threshold)} ({row.flagged})" for row in table.itertuples()]
    return "; ".join(parts) if language == "en" else "；".join(parts).replace(" (", "（").replace(")", "份）")


def _models(study: Study, language: str) -> str:
    turned = sum(study.codebook.by_code[code].reverse for code in study.items)
    answers = study.answers[study.items]
    how = study.options.get("missing", "listwise") if answers.isna().any(axis=None) else "none"
    leading = {path.predictor for path in study.codebook.paths}
    words = {name: texts[language] for name, texts in WORDS.items()}
    parts = [
        words["measures"].format(constructs=len(study.constructs), items=len(study.items),
                                 reverse=words["reverse"].format(turned) if turned else ""),
        words["models"].format(paths=len(study.codebook.paths), estimator=ESTIMATORS[study.estimator][language],
                               version=__version__, python=platform.python_version()),
        MISSING[how][language].format(answers.isna().mean(axis=None), study.measurement.nobs),
    ]
    if any(path.outcome in leading for path in study.codebook.paths):
        resampling = RESAMPLING["one-step" if how == "fiml" else "refit"][language]
        parts.append(words["indirect"].format(draws=study.draws, how=resampling, seed=study.seed))
    group = study.codebook.group
    if group and study.answers[group].nunique() > 1:
        parts.append(words["groups"].format(group=group))
    return "".join(parts)


def _fits(study: Study, language: str) -> str:
    parts = [WORDS[name][language].format(_fit(getattr(study, name), language)) for name in
             ("measurement", "structural")]
    return (" " if language == "en" else "").join([*parts, WORDS["again"][language]])


def _fit(fit: SemFit, language: str) -> str:
    """Test and indices; beside the plain ones those corrected for non-normal answers, where both mean something."""
    if not (fit.converged and fit.identified):
        return WORDS["unsolved"][language].format(" ".join(fit.problems))
    measures, plain = fit.fit_measures, "" if "chisq.scaled" not in fit.fit_measures or not fit.ordinal else ".scaled"
    test = _test(measures, plain)
    if not plain and "chisq.scaled" in measures:
        test += WORDS["scaled"][language].format(_test(measures, ".scaled"))
    parts = [test, *(_index(measures, name, plain, language) for name in ("cfi", "tli", "rmsea")),
             f"SRMR = {_apa(measures['srmr'])}"]
    return (", " if language == "en" else "，").join(parts)


def _test(measures: Mapping[str, float], kind: str) -> str:
    p = measures["pvalue" + kind]
    return f"χ²({measures['df']:.0f}) = {measures['chisq' + kind]:.3f}, p {'< .001' if p < 0.001 else '= ' + _apa(p)}"


def _index(measures: Mapping[str, float], name: str, kind: str, language: str) -> str:
    """One index and, in brackets, its robust form; RMSEA with its 90 % interval."""
    def said(form: str) -> str:
        if name != "rmsea":
            return _apa(measures[name + form])
        low, high = (_apa(measures[f"rmsea.ci.{end}{form}"]) for end in ("lower", "upper"))
        return f"{_apa(measures[name + form])} [{low}, {high}]"

    robust = np.isfinite(measures.get(name + ".robust", np.nan))
    return f"{name.upper()} = {said(kind)}" + (WORDS["robust"][language].format(said(".robust")) if robust else "")


def _apa(value: float) -> str:
    """A number that cannot exceed 1, three decimals and no zero before the point.

    >>> _apa(0.9325), _apa(-0.05), _apa(1.0)
    ('.932', '-.050', '1.000')
    """
    return f"{value:.3f}".replace("0.", ".", 1) if abs(value) < 1 else f"{value:.3f}"
