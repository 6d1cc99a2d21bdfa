"""How far the paths depend on choices the analyst could have made otherwise: a specification curve over a stated set.

The set is fixed here, before any result: nothing is added, left out or weighted by what comes out. References:
Simonsohn, Simmons & Nelson (2020), doi:10.1038/s41562-020-0912-z; Steegen, Tuerlinckx, Gelman & Vanpaemel (2016),
doi:10.1177/1745691616658637. The specifications share respondents, so their spread is no sampling error and their
shares are no test; the authors' joint test by resampling is not made.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from math import ceil
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm

import semfit
from surveysem.errors import DataError
from surveysem.paths import standardised
from surveysem.screening import MODES, screen
from surveysem.study import Study, mean_scores

Array = np.ndarray
Paths = dict[tuple[str, str], tuple[float, float]]  # (outcome, predictor) -> estimate, standard error
WAYS = {"drop": "flagged left out", "report-only": "all kept", "drop reported": "reported ones left out too"}
"""What ways to screen are called; the others are named after the rule that is off."""
FITTED: dict[str, dict[str, Any]] = {
    "ordered": {"estimator": "WLSMV", "ordered": True},
    "complete rows": {"estimator": "ML", "missing": "listwise"},
}
OUTLYING = 0.01  # share left out
LARGEST = 10_000  # respondents: of more, all but the declared analysis take a random part


@dataclass(frozen=True)
class Specification:
    """One way to analyse the answers; ``screening`` is "drop", "report-only", "drop reported" or "without" a rule."""

    analysis: str
    screening: str
    outliers: bool = False  # whether they are left out
    controls: bool = False


@dataclass(frozen=True)
class SpecificationCurve:
    """Every path in every specification.

    ``frame`` has one row a specification and path: specification (a number), the four choices, declared (is it the
    study's own?), outcome, predictor, direction, estimate (standardised), se, low, high, nobs, and reason, which says
    why there is no estimate.
    """

    frame: pd.DataFrame

    def summary(self) -> pd.DataFrame:
        """Return one line a path over the specifications with a solution.

        outcome, predictor, direction, specifications, failed, declared (the study's own estimate), median, lowest,
        highest, same_sign (share with the claimed sign) and beyond_zero (share with the whole interval on that side).
        """
        estimate, direction = self.frame["estimate"], self.frame["direction"]
        near = np.where(direction > 0, self.frame["low"], -self.frame["high"])
        table = self.frame.assign(
            failed=estimate.isna(),
            own=estimate.where(self.frame["declared"]),
            same=(estimate * direction > 0).astype(float).where(estimate.notna()),
            beyond=pd.Series(near > 0, estimate.index, float).where(estimate.notna()),
        )
        return table.groupby(["outcome", "predictor"], sort=False, as_index=False).agg(
            direction=("direction", "first"), specifications=("estimate", "count"), failed=("failed", "sum"),
            declared=("own", "first"), median=("estimate", "median"), lowest=("estimate", "min"),
            highest=("estimate", "max"), same_sign=("same", "mean"), beyond_zero=("beyond", "mean"),
        )  # fmt: skip


def specifications(study: Study, kept: Sequence[str], controls: Sequence[str]) -> list[Specification]:
    """Return the set for a study, the declared specification first; ``kept`` are the ways to screen.

    Crossed: analysis x flagged respondents left out or kept x outliers left out or kept x with or without controls.
    Ordered answers with controls or composites are left out: WLSMV here takes ordered items of factors only. Beside
    these, by complete rows: each screening rule switched off in turn. A screening that keeps the same rows as one
    before it is not counted twice, nor is the declared analysis where it is one of the others.
    """
    modes, off = ([name for name in kept if name.startswith("without") == rule] for rule in (False, True))
    found = [Specification("declared", study.screened.mode)]
    for analysis in ("complete rows", *(() if study.covariates or study.composed else ("ordered",)), "mean scores"):
        for held in (False, True) if controls and analysis != "ordered" else (False,):
            found += [Specification(analysis, mode, out, held) for mode in modes for out in (False, True)]
    found += [Specification("complete rows", rule) for rule in off]
    whole = study.estimator == "MLR" and study.options["missing"] == "listwise"
    same = "ordered" if study.estimator == "WLSMV" else "complete rows" if whole else ""  # as the declared one
    return [one for one in found if one != Specification(same, found[0].screening)]


def specification_curve(study: Study) -> SpecificationCurve:
    """Estimate every path of the codebook in every specification.

    Controls are those with labelled answers, taken as equally spaced, but for the one that tells groups apart and those
    the study holds constant anyway; every construct is regressed on them.

    Notes
    -----
    Standardised paths with delta-method errors; on mean scores, those of the regression of standardised scores. Where
    answers are missing, the declared analysis uses incomplete rows, mean scores the items answered, the others complete
    rows only.
    """
    book = study.codebook
    known = [item.code for item in book.questions if item.role == "control" and item.scale.en]
    chosen = tuple(code for code in known if code not in (book.group, *book.covariates))
    kept, rows, half = _screenings(study), [], norm.ppf(0.975)
    for number, one in enumerate(specifications(study, list(kept), chosen), 1):
        paths, nobs, reason = _estimate(study, kept[one.screening], one, chosen)
        for path in book.paths:
            value, se = paths.get((path.outcome, path.predictor), (np.nan, np.nan))
            ends = {"estimate": value, "se": se, "low": value - half * se, "high": value + half * se}
            own = {"specification": number, "declared": number == 1, **vars(one), **vars(path), **ends}
            rows.append(own | {"nobs": nobs, "reason": reason})
    return SpecificationCurve(pd.DataFrame(rows))


def _screenings(study: Study) -> dict[str, pd.DataFrame]:
    """Return the answers kept by each way to screen, scored, without those that keep the same rows as another."""
    rules, answers = study.screened.rules, study.responses.answers
    ways = {mode: (rules, mode) for mode in MODES}
    if rules.report:
        ways["drop reported"] = replace(rules, report=()), "drop"
    for name, value in vars(rules).items():
        if name != "report" and value is not None and value is not False:  # 0 is a threshold
            off: dict[str, Any] = {name: False if value is True else None}
            ways[f"without {name}"] = replace(rules, **off), "drop"
    whole = answers.index[answers[study.items].notna().all(axis=1)]
    found = {study.screened.mode: study.screened.answers.index}
    for name, (own, mode) in ways.items():
        if name in found:
            continue
        with suppress(DataError):  # nobody is left
            rows = screen(study.responses, own, mode=mode, likely=study.screened.chance).answers.index
            used = whole if name.startswith("without") else answers.index  # a rule off is tried on rows without a hole
            if not any(rows[rows.isin(used)].equals(each[each.isin(used)]) for each in found.values()):
                found[name] = rows
    part = answers.index.to_series()
    part = part if len(part) <= LARGEST else part.sample(LARGEST, random_state=study.seed)
    return {name: study.scored(answers.loc[rows[rows.isin(part)]]) for name, rows in found.items()}


def _estimate(
    study: Study, answers: pd.DataFrame, one: Specification, controls: Sequence[str]
) -> tuple[Paths, int, str]:
    """Return the paths, the rows behind them, and why there are none."""
    if one.outliers:
        answers = answers[~_outlying(mean_scores(study.codebook, answers, study.constructs))]
    held = controls if one.controls else ()
    if one.analysis == "mean scores":
        return _regressions(study, answers, held)
    try:
        if how := FITTED.get(one.analysis):
            fit = semfit.fit(study.model(held, ordered=one.analysis == "ordered"), answers, **how)
        else:
            fit = study.structural
    except (semfit.DataError, semfit.ParameterError) as error:  # the last for a single item among ordered answers
        return {}, len(answers), str(error)
    if not (fit.converged and fit.identified):
        return {}, fit.nobs, " ".join(fit.problems)
    V = fit.sandwich() if one.analysis == "complete rows" else fit.vcov
    rows = [k for k, row in enumerate(fit.rows) if row.op == "~" and row.rhs in study.constructs]
    values, covariance = standardised(fit, rows, study.items, V)
    found = zip(values.tolist(), np.sqrt(np.diagonal(covariance)).tolist(), strict=True)
    return {(fit.rows[k].lhs, fit.rows[k].rhs): each for k, each in zip(rows, found, strict=True)}, fit.nobs, ""


def _outlying(scores: pd.DataFrame) -> Array:
    """Return whether a row is among the most distant, by Mahalanobis's distance of the mean scores."""
    Z = (scores - scores.mean()).fillna(0.0).to_numpy()  # what was not answered is not far off
    distance = np.einsum("ni,ij,nj->n", Z, np.linalg.pinv(scores.cov().to_numpy()), Z)
    return np.argsort(np.argsort(-distance, kind="stable")) < ceil(OUTLYING * len(Z))


def _regressions(study: Study, answers: pd.DataFrame, controls: Sequence[str]) -> tuple[Paths, int, str]:
    """Return regressions of each outcome's standardised mean score on its predictors'."""
    from statsmodels.regression.linear_model import OLS

    scores = mean_scores(study.codebook, answers, study.constructs)
    controls = [*study.covariates, *controls]
    scores = pd.concat([scores, answers[controls].astype(float)], axis=1).dropna()
    if len(scores) <= len(scores.columns) or (scores.std() == 0).any():
        return {}, len(scores), "too few respondents with all scores, or a score that does not vary"
    Z = ((scores - scores.mean()) / scores.std()).assign(constant=1.0)
    found: Paths = {}
    for outcome, names in study.codebook.causes.items():
        fit = OLS(Z[outcome], Z[[*names, *controls, "constant"]]).fit(cov_type="HC3")
        found |= {(outcome, name): (float(fit.params[name]), float(fit.bse[name])) for name in names}
    return found, len(Z), ""
