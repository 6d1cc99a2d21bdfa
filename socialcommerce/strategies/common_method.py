"""Whether one questionnaire, rather than what it asks about, makes the answers alike: every check in one table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

import semfit
from semfit import HypothesisStatistic, psychometrics
from semfit.psychometrics import CommonFactor, MarkerCorrelations, MarkerModels, SingleFactor
from socialcommerce.strategies.study import Study
from socialcommerce.verdicts import NotTestable

__all__ = ["CHECKS", "LABELS", "MEASURES", "NOTE", "CommonMethod", "common_method"]

Words = dict[str, str]
Line = tuple[str, str, float, float, float, float, float, str]

CHECKS: dict[str, Words] = {
    "single factor": {"en": "single factor (Harman; descriptive only)", "zh": "单因子（Harman；仅作描述）"},
    "common factor": {"en": "unmeasured common factor", "zh": "未测量的共同方法因子"},
    "marker": {"en": "marker variable", "zh": "标记变量"},
}
MEASURES: dict[str, Words] = {
    "share of the first component": {"en": "variance carried by the first component", "zh": "第一主成分解释的方差比例"},
    "one factor against constructs": {"en": "one factor against the constructs (chi²)",
                                      "zh": "单因子与多构念之比（χ²）"},
    "share of the common factor": {"en": "mean share of an item's variance", "zh": "题项方差的平均占比"},
    "without against with it": {"en": "model without it against with it (chi²)", "zh": "不含与含共同因子之比（χ²）"},
    "largest change of a path": {"en": "largest change of a standardised path", "zh": "标准化路径的最大变化"},
    "marker's smallest correlation": {"en": "correlation taken out as method", "zh": "作为方法剔除的相关"},
    "largest change of a correlation": {"en": "largest change of a correlation of scores", "zh": "得分相关的最大变化"},
    "method variance": {"en": "there is no method variance (chi²)", "zh": "不存在方法方差（χ²）"},
    "equal loadings": {"en": "it is equal for all items (chi²)", "zh": "各题项相等（χ²）"},
    "bias": {"en": "it does not bias the constructs' correlations (chi²)", "zh": "不使构念间相关产生偏差（χ²）"},
}
LABELS: dict[str, Words] = {
    "check": {"en": "check", "zh": "检验"}, "measure": {"en": "measure", "zh": "指标"},
    "estimate": {"en": "estimate", "zh": "估计值"}, "low": {"en": "95 % from", "zh": "95%下限"},
    "high": {"en": "to", "zh": "95%上限"}, "df": {"en": "df", "zh": "自由度"}, "p": {"en": "p", "zh": "p"},
    "method": {"en": "test", "zh": "检验方法"}, "nobs": {"en": "N", "zh": "N"},
    "outcome": {"en": "outcome", "zh": "结果"}, "predictor": {"en": "predictor", "zh": "前因"},
    "without": {"en": "without the factor", "zh": "不含共同因子"}, "with": {"en": "with it", "zh": "含共同因子"},
    "change": {"en": "change", "zh": "变化"},
}
NOTE: Words = {
    "en": "No check can tell method from substance by itself. A first component below one half does not show that "
          "method bias is absent; a common factor also takes up what the constructs truly share. Read what changes in "
          "the paths, and the marker where there is one. All checks use complete rows.",
    "zh": "任何单项检验都不能区分方法与实质。第一主成分解释的方差低于50%，并不表明不存在方法偏差；"
          "共同因子也会吸收构念间真实的共性。应看路径的变化，并在有标记变量时参看标记变量。各项检验均使用完整样本。",
}
NO_MARKER: Words = {"en": "The codebook names no marker: a construct that theory relates to no other was not asked.",
                    "zh": "编码簿未指定标记变量：问卷中没有理论上与其他构念无关的构念。"}
ORDERED: Words = {"en": "The marker models fix residual variances, so they take no ordered answers; the correlations "
                        "of scores are adjusted all the same.",
                  "zh": "标记变量模型需固定残差方差，不适用于有序作答；得分相关仍作了调整。"}


NEGATIVE: Words = {
    "en": "The common factor's variance is negative: the answers have less in common than the constructs imply.",
    "zh": "共同因子的方差为负：作答的共性少于各构念所隐含者。",
}
DRAWS = 200  # for the interval of the first component's share
LARGEST = 10_000  # respondents: of more, a random part


@dataclass(frozen=True)
class CommonMethod:
    """The checks of a study, each a result or the reason why there is none.

    Parameters
    ----------
    single : SingleFactor or NotTestable
    factor : CommonFactor or NotTestable
    marker : MarkerCorrelations or NotTestable
        Correlations of scores with what they share with the marker taken out.
    marker_models : MarkerModels or NotTestable
    paths : DataFrame
        outcome, predictor, without, with, low, high (of with), change: standardised paths without and with the common
        factor.
    nobs, dropped : int
        Complete rows used, and rows left out: those with a hole, and those beyond ``LARGEST``.
    """

    single: SingleFactor | NotTestable
    factor: CommonFactor | NotTestable
    marker: MarkerCorrelations | NotTestable
    marker_models: MarkerModels | NotTestable
    paths: pd.DataFrame
    nobs: int
    dropped: int

    @property
    def reasons(self) -> dict[str, Words]:
        """Why a check says nothing or not all, by its field."""
        found = {}
        for name in ("single", "factor", "marker", "marker_models"):
            reason = getattr(getattr(self, name), "reason", "")  # in words of both languages, or the engine's own
            if reason:
                found[name] = reason if isinstance(reason, dict) else _both(reason)
        if isinstance(self.factor, CommonFactor) and self.factor.share < 0:
            found["factor"] = NEGATIVE
        return found

    def summary(self) -> pd.DataFrame:
        """Return one line a measure: check, measure, estimate, low, high, df, p, method (of a test), nobs, dropped.

        ``check`` and ``measure`` are keys of ``CHECKS`` and ``MEASURES``; checks without a result have no line.
        """
        lines = [line for result, read in ((self.single, _single), (self.factor, _factor), (self.marker, _marker),
                                           (self.marker_models, _models))
                 if not isinstance(result, NotTestable) for line in read(result)]
        columns = ["check", "measure", "estimate", "low", "high", "df", "p", "method"]
        return pd.DataFrame(lines, columns=columns).assign(nobs=self.nobs, dropped=self.dropped)


def common_method(study: Study) -> CommonMethod:
    """Check the answers for a common source, and what holding it constant changes in the paths.

    Rows with a hole are left out of all checks, and counted: with them the time of every fit grows with the patterns of
    missing answers. The common factor is estimated as the study is, or by ML where MLR gives no difference test; for a
    study by MLR the single factor and the marker's models, whose misfit is often too large for a scaled difference, are
    tested by ML.

    References
    ----------
    Podsakoff, MacKenzie, Lee & Podsakoff (2003), doi:10.1037/0021-9010.88.5.879; Lindell & Whitney (2001),
    doi:10.1037/0021-9010.86.1.114; Williams, Hartman & Cavazotte (2010), doi:10.1177/1094428110366036.
    """
    marker, scales = study.codebook.marker, study.codebook.scales
    constructs = {name: scales[name] for name in study.constructs if name != marker}
    items = [code for codes in constructs.values() for code in codes] + scales.get(marker, [])
    whole = study.answers.dropna(subset=items)
    whole = whole if len(whole) <= LARGEST else whole.sample(LARGEST, random_state=study.seed).sort_index()
    options = study.options | ({"missing": "listwise"} if "missing" in study.options else {})
    plain = options | ({"estimator": "ML"} if study.estimator == "MLR" else {})
    single = _attempt(psychometrics.single_factor, whole, constructs, bootstrap=DRAWS, seed=study.seed, **plain)
    factor = _attempt(psychometrics.common_factor, study.codebook.model(constructs), whole, **options)
    if isinstance(factor, NotTestable) and plain != options:
        factor = _attempt(psychometrics.common_factor, study.codebook.model(constructs), whole, **plain)
    adjusted = models = NotTestable(NO_MARKER)
    if marker:
        every = constructs | {marker: scales[marker]}
        adjusted = _attempt(psychometrics.marker_correlations, whole, every, marker)
        models = NotTestable(ORDERED)
        if study.estimator != "WLSMV":
            models = _attempt(psychometrics.marker_models, whole, every, marker, **plain)
    return CommonMethod(single, factor, adjusted, models, _paths(factor), len(whole), study.nobs - len(whole))


def _attempt(check: Callable, *given: object, **options: object) -> object:
    """Return a check's result, or why the answers cannot carry it."""
    try:
        return check(*given, **options)
    except (semfit.DataError, semfit.ParameterError) as error:
        return NotTestable(_both(str(error)))


def _both(reason: str) -> Words:
    return {"en": reason, "zh": f"无法得出：{reason}"}


def _paths(factor: CommonFactor | NotTestable) -> pd.DataFrame:
    columns = {"lhs": "outcome", "rhs": "predictor", "std_without": "without", "std_with": "with", "ci_low": "low",
               "ci_high": "high", "change": "change"}
    if isinstance(factor, NotTestable):
        return pd.DataFrame(columns=list(columns.values()))
    table = factor.estimates.query("op == '~'").rename(columns=columns)
    return table[list(columns.values())].reset_index(drop=True)


def _number(check: str, measure: str, value: float, low: float = np.nan, high: float = np.nan) -> Line:
    return check, measure, value, low, high, np.nan, np.nan, ""


def _test(check: str, measure: str, test: HypothesisStatistic | None) -> Line:
    """Return the line of a chi-square test; empty where there is none."""
    if test is None:
        return _number(check, measure, np.nan)
    return check, measure, test.chisq, np.nan, np.nan, test.df, test.pvalue, test.method


def _single(result: SingleFactor) -> Iterator[Line]:
    yield _number("single factor", "share of the first component", result.share, result.ci_low, result.ci_high)
    yield _test("single factor", "one factor against constructs", result.difference)


def _factor(result: CommonFactor) -> Iterator[Line]:
    yield _number("common factor", "share of the common factor", result.share, result.ci_low, result.ci_high)
    yield _test("common factor", "without against with it", result.difference)
    yield _number("common factor", "largest change of a path", _paths(result)["change"].abs().max())


def _marker(result: MarkerCorrelations) -> Iterator[Line]:
    yield _number("marker", "marker's smallest correlation", result.r_marker)
    change = (result.frame["adjusted"] - result.frame["r"]).abs().max()
    yield _number("marker", "largest change of a correlation", change)


def _models(result: MarkerModels) -> Iterator[Line]:
    for measure, test in zip(("method variance", "equal loadings", "bias"), result.tests.itertuples(), strict=True):
        yield "marker", measure, test.chisq, np.nan, np.nan, test.df, test.pvalue, "standard"
