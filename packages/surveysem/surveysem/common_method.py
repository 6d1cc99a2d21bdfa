"""Whether one questionnaire, rather than what it asks about, makes the answers alike: every check in one table."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import pandas as pd

import semfit
from semfit import HypothesisStatistic, psychometrics
from semfit.psychometrics import CommonFactor, MarkerCorrelations, MarkerModels, SingleFactor
from surveysem.effects import NotTestable
from surveysem.study import Study

Found = TypeVar("Found")
Line = tuple[str, str, float, float, float, float, float, str]

SINGLE, FACTOR, MARKER = "single factor (Harman)", "latent method factor (ULMC)", "marker variable"
MODEL_TESTS = ("no method variance (Δχ²)", "equal method effects (Δχ²)", "no bias in correlations (Δχ²)")
NO_MARKER = "The codebook names no marker variable."
MADE = "Items of a composite have no errors of their own that a common factor could share."
ORDERED = "The marker models fix residual variances and take no ordered answers."
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
    def failed(self) -> dict[str, str]:
        """Why the answers could not carry a check, or not all of it, in the engine's words."""
        names = (SINGLE, FACTOR, MARKER, f"{MARKER}, models")
        results = (self.single, self.factor, self.marker, self.marker_models)
        reasons = {check: getattr(result, "reason", "") for check, result in zip(names, results, strict=True)}
        return {check: reason for check, reason in reasons.items() if reason not in ("", NO_MARKER, ORDERED)}

    def summary(self) -> pd.DataFrame:
        """Return one line a measure: check, measure, estimate, low, high, df, p, method (of a test), nobs, dropped.

        Checks without a result have no line.
        """
        lines = [*_lines(self.single, _single), *_lines(self.factor, _factor), *_lines(self.marker, _marker)]
        lines += _lines(self.marker_models, _models)
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
    constructs = {name: codes for name, codes in study.factors.items() if name != marker}
    model = study.codebook.model([name for name in study.constructs if name != marker])
    items = [code for codes in constructs.values() for code in codes] + scales.get(marker, [])
    whole = study.answers.dropna(subset=items)
    whole = whole if len(whole) <= LARGEST else whole.sample(LARGEST, random_state=study.seed).sort_index()
    options = study.options | ({"missing": "listwise"} if "missing" in study.options else {})
    plain = options | ({"estimator": "ML"} if study.estimator == "MLR" else {})
    single = _attempt(psychometrics.single_factor, whole, constructs, bootstrap=DRAWS, seed=study.seed, **plain)
    factor: CommonFactor | NotTestable = NotTestable(MADE)
    for way in [options, plain] if not study.composed else []:
        if isinstance(factor, NotTestable):
            factor = _attempt(psychometrics.common_factor, model, whole, **way)
    adjusted: MarkerCorrelations | NotTestable = NotTestable(NO_MARKER)
    models: MarkerModels | NotTestable = NotTestable(NO_MARKER)
    if marker:
        every = constructs | {marker: scales[marker]}
        adjusted = _attempt(psychometrics.marker_correlations, whole, every, marker)
        models = NotTestable(ORDERED)
        if study.estimator != "WLSMV":
            models = _attempt(psychometrics.marker_models, whole, every, marker, **plain)
    return CommonMethod(single, factor, adjusted, models, _paths(factor), len(whole), study.nobs - len(whole))


def _attempt(check: Callable[..., Found], *given: object, **options: object) -> Found | NotTestable:
    """Return a check's result, or why the answers cannot carry it."""
    try:
        with warnings.catch_warnings(action="ignore", category=semfit.FitWarning):  # the result says it
            return check(*given, **options)
    except (semfit.DataError, semfit.ParameterError) as error:
        return NotTestable(str(error))


def _paths(factor: CommonFactor | NotTestable) -> pd.DataFrame:
    names = ["lhs", "rhs", "std_without", "std_with", "ci_low", "ci_high", "change"]
    columns = dict(zip(names, ["outcome", "predictor", "without", "with", "low", "high", "change"], strict=True))
    if isinstance(factor, NotTestable):
        return pd.DataFrame(columns=list(columns.values()))
    table = factor.estimates.query("op == '~'").rename(columns=columns)
    return table[list(columns.values())].reset_index(drop=True)


def _lines(result: Found | NotTestable, read: Callable[[Found], Iterator[Line]]) -> Iterator[Line]:
    return iter(()) if isinstance(result, NotTestable) else read(result)


def _number(check: str, measure: str, value: float, low: float = np.nan, high: float = np.nan) -> Line:
    return check, measure, value, low, high, np.nan, np.nan, ""


def _test(check: str, measure: str, test: HypothesisStatistic | None) -> Line:
    """Return the line of a chi-square test; empty where there is none."""
    if test is None:
        return _number(check, measure, np.nan)
    return check, measure, test.chisq, np.nan, np.nan, test.df, test.pvalue, test.method


def _single(result: SingleFactor) -> Iterator[Line]:
    yield _number(SINGLE, "variance explained by the first component", result.share, result.ci_low, result.ci_high)
    yield _test(SINGLE, "single-factor against multi-factor model (Δχ²)", result.difference)


def _factor(result: CommonFactor) -> Iterator[Line]:
    yield _number(FACTOR, "mean share of item variance", result.share, result.ci_low, result.ci_high)
    yield _test(FACTOR, "model without against model with the factor (Δχ²)", result.difference)
    yield _number(FACTOR, "largest change in a standardised path", _paths(result)["change"].abs().max())


def _marker(result: MarkerCorrelations) -> Iterator[Line]:
    yield _number(MARKER, "smallest correlation with the marker", result.r_marker)
    change = (result.frame["adjusted"] - result.frame["r"]).abs().max()
    yield _number(MARKER, "largest change in a correlation of scale means", change)


def _models(result: MarkerModels) -> Iterator[Line]:
    for measure, test in zip(MODEL_TESTS, result.tests.itertuples(), strict=True):
        yield MARKER, measure, test.chisq, np.nan, np.nan, test.df, test.pvalue, "standard"
