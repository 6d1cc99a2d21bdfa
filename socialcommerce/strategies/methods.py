"""A study as an article tells it: methods in English and Chinese, and an R script that refits its models."""

from __future__ import annotations

import platform
from collections.abc import Mapping

import pandas as pd

from nbproof import snap
from socialcommerce import __version__
from socialcommerce.strategies.study import Study

__all__ = ["DATA", "lavaan_script", "methods_text", "respondents_text", "script_data", "told_by"]

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
    "MLR": {"en": "maximum likelihood with robust (sandwich) standard errors, test and indices corrected for answers "
                  "that are not normal (MLR)",
            "zh": "稳健极大似然法（MLR，三明治（sandwich）标准误，检验统计量与拟合指数经非正态校正）"},
    "ML": {"en": "maximum likelihood (ML)", "zh": "极大似然法（ML）"},
    "WLSMV": {"en": "diagonally weighted least squares on polychoric correlations with a mean- and variance-adjusted "
                    "test (WLSMV), answers taken as ordered",
              "zh": "对角加权最小二乘法（WLSMV，基于多分格相关，均值与方差校正检验，答案视为有序类别）"},
}
MISSING = {
    "none": {"en": "No answer to these items was missing.", "zh": "这些题项没有缺失值。"},
    "fiml": {"en": "{:.1%} of these answers were missing and handled by full information maximum likelihood.",
             "zh": "这些题项的缺失率为{:.1%}，采用全信息极大似然法（FIML）处理。"},
    "listwise": {"en": "{:.1%} of these answers were missing; respondents with a missing answer were left out of the "
                       "models, which used n = {}.",
                 "zh": "这些题项的缺失率为{:.1%}；有缺失值的受访者不进入模型，模型样本量 n = {}。"},
}
RESAMPLING = {
    "refit": {"en": "the model refitted in each", "zh": "每次重新拟合模型"},
    "normal": {"en": "draws from the normal distribution of the estimates",
               "zh": "由估计量的正态分布抽取（蒙特卡洛法）"},
    "one-step": {"en": "one scoring step from the estimate in each",
                 "zh": "每次由估计值出发作一步Fisher得分（scoring）迭代"},
}
WORDS = {
    "received": {"en": "{received} responses were received. ", "zh": "共回收问卷{received}份。"},
    "flagged": {"en": "Screening rules were set before any model was fitted and flagged {flagged} respondents "
                      "({share:.1%}): {rules}; one respondent may break several rules. ",
                "zh": "筛查规则在拟合模型之前确定，共标记{flagged}份（{share:.1%}）：{rules}；"
                      "同一份问卷可能触发多条规则。"},
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
                 "zh": "间接效应采用{draws:,}次自助抽样的百分位数置信区间（{how}；随机种子{seed}）。"},
    "groups": {"en": "Multi-group analysis ({}): judged by ΔCFI and ΔRMSEA, {} holds.",
               "zh": "按{}分组的多群组分析：依ΔCFI和ΔRMSEA判断，{}成立。"},
    "again": {"en": "The file model.R refits both models with lavaan from data.csv.",
              "zh": "文件model.R可用lavaan根据data.csv重新拟合这两个模型。"},
    "synthetic": {"en": "These respondents are synthetic: they show what the method does and nothing about people.",
                  "zh": "这些受访者为模拟生成：只说明方法，不说明任何真实人群。"},
    "measurement": {"en": "The measurement model: {}.", "zh": "测量模型：{}。"},
    "structural": {"en": "The structural model: {}.", "zh": "结构模型：{}。"},
    "corrected": {"en": "robust ", "zh": "稳健"},
    "plain": {"en": " (uncorrected: {})", "zh": "（未校正：{}）"},
}


def methods_text(study: Study, language: str, fits: pd.DataFrame, invariance: str = "") -> str:
    """Return the methods paragraphs of a study; nothing is fitted here.

    Parameters
    ----------
    study : Study
        Who answered, and how it is analysed.
    language : {"en", "zh"}
        Of the text.
    fits : pandas.DataFrame
        As `measurement.fit_table` returns it, the measurement model first.
    invariance : str
        The level of measurement invariance that the report found, in the same language.
    """
    paragraphs = [respondents_text(study, language), _models(study, language), _fits(study, fits, language)]
    if invariance and study.codebook.group:
        paragraphs.append(WORDS["groups"][language].format(study.codebook.group, invariance))
    if study.basis == "synthetic sample":
        paragraphs.insert(0, WORDS["synthetic"][language])
    return "\n\n".join(paragraphs) + "\n"


def told_by(results: Mapping[str, Mapping]) -> tuple[pd.DataFrame, Mapping[str, str]]:
    """Return the fit table and the level of invariance that the report of a survey holds, by language."""
    fits = results["tables"]["fit_table"]
    frame = pd.DataFrame(fits["rows"], columns=fits["columns"])
    return frame, results["texts"].get("invariance", {})


def respondents_text(study: Study, language: str) -> str:
    """Return how many answered, whom the rules flagged and who is left."""
    screened = study.screened
    numbers = {"received": screened.nobs, "flagged": len(screened.flagged), "kept": study.nobs,
               "share": snap(len(screened.flagged) / screened.nobs), "rules": _broken(study, language)}
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
        MISSING[how][language].format(snap(answers.isna().mean(axis=None)), _whole(study)),
    ]
    if any(path.outcome in leading for path in study.codebook.paths):
        resampling = RESAMPLING[study.resampling][language]
        parts.append(words["indirect"].format(draws=study.draws, how=resampling, seed=study.seed))
    return "".join(parts)


def _whole(study: Study) -> int:
    """Respondents who answered every item."""
    return int(study.answers[study.items].notna().all(axis=1).sum())


def _fits(study: Study, fits: pd.DataFrame, language: str) -> str:
    rows = fits.to_dict("records")
    parts = [WORDS[name][language].format(_fit(row, study.estimator, language))
             for name, row in zip(("measurement", "structural"), rows, strict=True)]
    return (" " if language == "en" else "").join([*parts, WORDS["again"][language]])


def _fit(row: Mapping[str, float], estimator: str, language: str) -> str:
    """Test and indices; corrected for non-normal answers where the estimator is, the plain ones of MLR beside them."""
    scaled = "" if estimator == "ML" else ".scaled"
    robust = WORDS["corrected"][language] if scaled else ""
    test, plain = _test(row, scaled), [_test(row, "")]
    for name in ("cfi", "rmsea"):
        plain.append(f"{name.upper()} = {_apa(row['plain_' + name])}")
    interval = f"[{_apa(row['rmsea.ci.lower'])}, {_apa(row['rmsea.ci.upper'])}]"
    parts = [test, *(f"{robust}{name.upper()} = {_apa(row[name])}" for name in ("cfi", "tli")),
             f"{robust}RMSEA = {_apa(row['rmsea'])} {interval}", f"SRMR = {_apa(row['srmr'])}"]
    comma = ", " if language == "en" else "，"
    beside = WORDS["plain"][language].format(comma.join(plain)) if estimator == "MLR" else ""
    return comma.join(parts) + beside


def _test(row: Mapping[str, float], kind: str) -> str:
    p = row["pvalue" + kind]
    return f"χ²({row['df']:.0f}) = {snap(row['chisq' + kind]):.2f}, p {'< .001' if p < 0.0005 else '= ' + _apa(p)}"


def _apa(value: float) -> str:
    """A number that cannot exceed 1, three decimals and no zero before the point.

    >>> _apa(0.9325), _apa(-0.05), _apa(1.0)
    ('.932', '-.050', '1.000')
    """
    return f"{snap(value):.3f}".replace("0.", ".", 1) if abs(value) < 1 else f"{snap(value):.3f}"


DATA = "data.csv"
HEAD = """# {title}: measurement and structural model, as socialcommerce {version} fitted them.
# {nobs} respondents; {data} holds their answers, reverse-keyed items turned round, an empty cell where there is none.
# Run in this folder, with R and lavaan (checked against 0.6-14): Rscript model.R
# Large models with missing answers (missing = "fiml") take lavaan minutes each.
library(lavaan)
data <- read.csv("{data}", fileEncoding = "UTF-8-BOM", check.names = FALSE)
"""
FIT = """
# {title} model
model <- '
{model}
'
{name} <- sem(model, data = data, {options})
summary({name}, fit.measures = TRUE, standardized = TRUE)
cat("\\n{title}: fit\\n")
print(fitMeasures({name}))
cat("\\n{title}: standardised\\n")
print(standardizedSolution({name}))
"""


def lavaan_script(study: Study) -> str:
    """Return R code that fits both models of a study and prints their fit, estimates and standardised estimates.

    After it has run, R holds the fits as ``measurement`` and ``structural``.
    """
    options = ", ".join(f"{name} = {_r(value)}" for name, value in study.options.items() if value != "listwise")
    title = "".join(character for character in study.codebook.name if character.isprintable())
    parts = [HEAD.format(title=title, version=__version__, nobs=study.nobs, data=DATA)]
    for name in ("measurement", "structural"):
        model = study.codebook.model(study.constructs, structural=name == "structural")
        parts.append(FIT.format(title=name.capitalize(), name=name, model=model, options=options))
    return "".join(parts)


def _r(value: object) -> str:
    """A value as R writes it."""
    return str(value).upper() if isinstance(value, bool) else f'"{value}"'


def script_data(study: Study) -> pd.DataFrame:
    """Return the answers that the script reads: the codebook's items, scored, of those kept; whole numbers or missing.

    Nothing else of the file is in it: no check, no control, no column outside the codebook.
    """
    return study.answers[study.codebook.items].astype("Int64")
