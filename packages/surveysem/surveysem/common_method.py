"""Whether one questionnaire, rather than what it asks about, makes the answers alike: every check in one table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from semfit import psychometrics
from semfit.psychometrics import CommonFactor, MarkerCorrelations, MarkerModels, SingleFactor
from surveysem.effects import NotTestable
from surveysem.study import Study, attempt

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
        found: dict[str, list[dict[str, Any]]] = {SINGLE: [], FACTOR: [], MARKER: []}
        if isinstance(single := self.single, SingleFactor):
            found[SINGLE] += [
                _share("variance explained by the first component", single),
                _test("single-factor against multi-factor model (Δχ²)", single.difference),
            ]
        if isinstance(factor := self.factor, CommonFactor):
            found[FACTOR] += [
                _share("mean share of item variance", factor),
                _test("model without against model with the factor (Δχ²)", factor.difference),
                {"measure": "largest change in a standardised path", "estimate": self.paths["change"].abs().max()},
            ]
        if isinstance(marker := self.marker, MarkerCorrelations):
            change = (marker.frame["adjusted"] - marker.frame["r"]).abs().max()
            found[MARKER] += [
                {"measure": "smallest correlation with the marker", "estimate": marker.r_marker},
                {"measure": "largest change in a correlation of scale means", "estimate": change},
            ]
        if isinstance(models := self.marker_models, MarkerModels):
            tests = models.tests.assign(method="standard").itertuples()
            found[MARKER] += [_test(measure, test) for measure, test in zip(MODEL_TESTS, tests, strict=True)]
        columns = ["check", "measure", "estimate", "low", "high", "df", "p", "method"]
        lines = [{"check": check, **line} for check, own in found.items() for line in own]
        table = pd.DataFrame(lines, columns=columns).fillna({"method": ""})
        return table.assign(nobs=self.nobs, dropped=self.dropped)


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
    single = attempt("", psychometrics.single_factor, whole, constructs, bootstrap=DRAWS, seed=study.seed, **plain)
    factor: CommonFactor | NotTestable = NotTestable(MADE)
    for way in [options, plain] if not study.composed else []:
        if isinstance(factor, NotTestable):
            factor = attempt("", psychometrics.common_factor, model, whole, **way)
    adjusted: MarkerCorrelations | NotTestable = NotTestable(NO_MARKER)
    models: MarkerModels | NotTestable = NotTestable(NO_MARKER)
    if marker:
        every = constructs | {marker: scales[marker]}
        adjusted = attempt("", psychometrics.marker_correlations, whole, every, marker)
        models = NotTestable(ORDERED)
        if study.estimator != "WLSMV":
            models = attempt("", psychometrics.marker_models, whole, every, marker, **plain)
    columns = ["outcome", "predictor", "without", "with", "low", "high", "change"]
    paths = pd.DataFrame(columns=columns)
    if isinstance(factor, CommonFactor):
        own = ["lhs", "rhs", "std_without", "std_with", "ci_low", "ci_high", "change"]
        paths = factor.estimates.query("op == '~'")[own].set_axis(columns, axis=1).reset_index(drop=True)
    return CommonMethod(single, factor, adjusted, models, paths, len(whole), study.nobs - len(whole))


def _share(measure: str, result: SingleFactor | CommonFactor) -> dict[str, Any]:
    return {"measure": measure, "estimate": result.share, "low": result.ci_low, "high": result.ci_high}


def _test(measure: str, test: Any) -> dict[str, Any]:
    """Return the line of a chi-square test; empty where there is none."""
    names = {"estimate": "chisq", "df": "df", "p": "pvalue", "method": "method"}
    return {"measure": measure, **{name: getattr(test, of, None) for name, of in names.items()}}
