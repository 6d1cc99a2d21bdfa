"""Whether one common source, the method, stands behind all answers: a single factor, a common factor, a marker.

Harman's single factor and the common latent factor ask about the fit of a factor that nobody measured; neither can tell
method from substance. Read them beside a marker, a scale that theory does not relate to the others, never alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Unpack

import numpy as np
import pandas as pd
from scipy import stats

import semfit
from semfit.columns import Array, correlation
from semfit.comparison import HypothesisStatistic
from semfit.errors import ParameterError, one_of
from semfit.psychometrics.reliability import delta
from semfit.psychometrics.resampling import Listed, all_items, check, draw, item_rows
from semfit.resampling import interval_ends
from semfit.solved import ItemOptions

MEASURES = ("chisq", "df", "pvalue", "cfi", "tli", "rmsea", "srmr")
METHOD = "common_method"


def measurement_model(constructs: Mapping[str, Sequence[str]]) -> str:
    """Return the model text of freely correlated constructs.

    >>> print(measurement_model({"trust": ["t1", "t2"], "benefit": ["b1", "b2"]}))
    trust =~ t1 + t2
    benefit =~ b1 + b2
    """
    return "\n".join(f"{name} =~ {' + '.join(items)}" for name, items in constructs.items())


def fit_table(fits: Mapping[str, semfit.SemFit]) -> pd.DataFrame:
    """Return fit measures by model, scaled ones where the estimator has them."""
    lines = []
    for name, fit in fits.items():
        m = fit.fit_measures
        chosen = {k: m.get(f"{k}.scaled", m[k]) for k in MEASURES}
        lines.append({"model": name} | chosen | {"converged": fit.converged, "problems": " ".join(fit.problems)})
    return pd.DataFrame(lines).set_index("model")


def _tested(
    fits: Mapping[str, semfit.SemFit], restricted: str, full: str, called: str
) -> tuple[HypothesisStatistic | None, str]:
    """Test one model against another, or say which of them has no solution."""
    for name in (restricted, full):
        if not (fits[name].converged and fits[name].identified):
            return None, f"the {called.format(name)} did not converge or is not identified"
    return semfit.difference(fits[restricted], fits[full]), ""


@dataclass(frozen=True)
class SingleFactor:
    """Harman's single-factor description.

    Parameters
    ----------
    share, ci_low, ci_high : float
        Of the items' standardised variance that the first unrotated principal component carries, in [0, 1], with the
        bootstrap interval (nan without draws).
    eigenvalues : array, shape (p,)
        Of the correlation matrix, falling.
    comparison : DataFrame
        Fit of one factor behind all items and of the constructs.
    difference : HypothesisStatistic or None
        Test of one factor against the constructs, with its null in words.
    nobs, dropped : int
        Complete rows, and those left out.
    reason : str
        Why there is no difference test; empty where there is one.
    """

    share: float
    ci_low: float
    ci_high: float
    eigenvalues: Array
    comparison: pd.DataFrame
    difference: HypothesisStatistic | None
    nobs: int
    dropped: int
    reason: str = ""
    note: str = (
        "descriptive only: a share below one half does not show that method bias is absent, nor one above it that it "
        "is present"
    )

    def summary(self) -> pd.DataFrame:
        """Return share, number of eigenvalues above 1 and difference test as one tidy table."""
        lines = [
            ("share of the first component", self.share, self.ci_low, self.ci_high, np.nan, np.nan, ""),
            ("eigenvalues above 1", float((self.eigenvalues > 1).sum()), *[np.nan] * 4, ""),
            ("one factor against constructs", *_numbers(self.difference), self.reason),
        ]
        columns = ["measure", "estimate", "ci_low", "ci_high", "df", "pvalue", "reason"]
        return pd.DataFrame(lines, columns=columns).assign(nobs=self.nobs, dropped=self.dropped, note=self.note)


def _numbers(test: HypothesisStatistic | None) -> tuple[float, ...]:
    return (np.nan,) * 5 if test is None else (test.chisq, np.nan, np.nan, test.df, test.pvalue)


def single_factor(
    data: pd.DataFrame,
    constructs: Mapping[str, Sequence[str]],
    *,
    level: float = 0.95,
    bootstrap: int = 0,
    kind: str = "percentile",
    seed: int | None = None,
    **options: Unpack[ItemOptions],
) -> SingleFactor:
    """Describe how far one factor carries all items (Harman), by eigenvalues and by confirmatory factor analysis.

    Parameters
    ----------
    data : pandas.DataFrame
        One row per respondent.
    constructs : mapping of str to sequence of str
        Items of each construct.
    level, bootstrap, kind, seed
        As in :func:`semfit.psychometrics.alpha`, for the interval of the share.
    **options
        To ``semfit.fit``: estimator, ordered, missing.

    References
    ----------
    Podsakoff, MacKenzie, Lee & Podsakoff (2003), doi:10.1037/0021-9010.88.5.879, who advise against relying on it.
    """
    check(level, bootstrap, kind)
    items = all_items(constructs)
    rows, dropped = item_rows(data, items)
    eigenvalues = np.linalg.eigvalsh(np.corrcoef(rows.T))[::-1]
    share, low, high = float(eigenvalues[0]) / len(items), np.nan, np.nan
    if bootstrap:
        draws = draw(lambda S: np.linalg.eigvalsh(correlation(S))[..., -1:] / len(items), rows, bootstrap, seed)
        (low,), (high,) = interval_ends(np.array([share]), draws, level, kind)
    fits = {"one factor": semfit.fit(f"{METHOD} =~ {' + '.join(items)}", data, **options)}
    test, reason = None, "one construct: nothing to compare one factor with"
    if len(constructs) > 1:
        fits["constructs"] = semfit.fit(measurement_model(constructs), data, **options)
        test, reason = _tested(fits, "one factor", "constructs", "model of {}")
    return SingleFactor(share, float(low), float(high), eigenvalues, fit_table(fits), test, len(rows), dropped, reason)


@dataclass(frozen=True)
class CommonFactor:
    """What an unmeasured factor behind all items changes.

    Parameters
    ----------
    comparison : DataFrame
        Fit "without" and "with" the common factor.
    difference : HypothesisStatistic or None
        Test of the model without against the model with it.
    estimates : DataFrame
        lhs, op, rhs, std_without, std_with, ci_low, ci_high (of std_with), change: standardised loadings, paths and
        correlations of the constructs.
    share, se, ci_low, ci_high : float
        Mean share of an item's variance that the common factor takes, by the delta method.
    nobs : int
    problems : tuple of str
        What is off about the model with the common factor; a latent covariance matrix that is not positive definite
        tells that it took the place of the constructs.
    reason : str
        Why nothing could be compared; empty where it could.
    """

    comparison: pd.DataFrame
    difference: HypothesisStatistic | None
    estimates: pd.DataFrame
    share: float
    se: float
    ci_low: float
    ci_high: float
    nobs: int
    problems: tuple[str, ...] = ()
    reason: str = ""

    def summary(self) -> pd.DataFrame:
        """Return the share, the test and the largest changes as one tidy table."""
        lines = [
            ("mean share of the common factor", self.share, self.ci_low, self.ci_high, np.nan, np.nan),
            ("without against with it", *_numbers(self.difference)),
        ]
        for name, op in (("loading", "=~"), ("path", "~"), ("correlation", "~~")):
            mine = self.estimates.loc[self.estimates["op"] == op, "change"]
            if len(mine):
                lines.append((f"largest change of a {name}", mine.abs().max(), *[np.nan] * 4))
        table = pd.DataFrame(lines, columns=["measure", "estimate", "ci_low", "ci_high", "df", "pvalue"])
        return table.assign(nobs=self.nobs, problems=" ".join(self.problems), reason=self.reason)


def common_factor(
    model: str, data: pd.DataFrame, *, level: float = 0.95, **options: Unpack[ItemOptions]
) -> CommonFactor:
    """Add an unmeasured factor that loads equally on all items and is unrelated to the constructs.

    The factor's loadings are 1 and its variance is free, which may turn out negative: then the answers have less in
    common than the constructs imply, and the fit says so. Items are taken to share a unit.

    Parameters
    ----------
    model : str
        Measurement or structural model in the language of ``semfit.fit``.
    data : pandas.DataFrame
        One row per respondent.
    level : float
        Of the intervals, in (0, 1).
    **options
        To ``semfit.fit``; one group.

    Raises
    ------
    ParameterError
        Where the model has no latent variable, names the common factor itself, or there are several groups.

    References
    ----------
    Podsakoff, MacKenzie, Lee & Podsakoff (2003), doi:10.1037/0021-9010.88.5.879; why it removes substance along with
    method: Richardson, Simmering & Sturman (2009), doi:10.1177/1094428109332834.
    """
    check(level)
    without = semfit.fit(model, data, **options)
    roles = without.table.roles
    if without.table.groups > 1:
        raise ParameterError(f"a common factor is tested in one group; got {without.table.groups}.")
    if not roles.latent or METHOD in (*roles.latent, *roles.observed):
        raise ParameterError(f"the model needs latent variables, none of them called {METHOD}; got {model!r}.")
    items = list(dict.fromkeys(r.rhs for r in without.table.rows if r.op == "=~" and r.rhs in roles.observed))
    text = "\n".join(
        [model, f"{METHOD} =~ " + " + ".join(f"1*{item}" for item in items), f"{METHOD} ~~ NA*{METHOD}"]
        + [f"{METHOD} ~~ 0*{name}" for name in roles.exogenous_latent]
    )
    fit = semfit.fit(text, data, **options)
    fits, numbers = {"without": without, "with": fit}, np.full(4, np.nan)
    test, reason = _tested(fits, "without", "with", "model {} the common factor")
    estimates = _changes(without, fit).drop(columns="se")

    def mean_share(theta: Array) -> Array:
        variance = fit.variances_at(theta)
        return np.mean([variance[METHOD] / variance[item] for item in items], axis=0)[..., None]

    if test is None:
        estimates[["std_with", "ci_low", "ci_high", "change"]] = np.nan
    else:
        numbers = np.concatenate([mean_share(fit.theta), *delta(fit, mean_share, level)])
    share, se, low, high = numbers.tolist()
    return CommonFactor(fit_table(fits), test, estimates, share, se, low, high, fit.nobs, fit.problems, reason)


def _changes(without: semfit.SemFit, fit: semfit.SemFit) -> pd.DataFrame:
    """Return standardised loadings, paths and correlations of latent variables in both models."""
    latent, keys = without.table.roles.latent, ["lhs", "op", "rhs"]
    table = without.estimates[[*keys, "std_all"]].rename(columns={"std_all": "std_without"})
    between = (table["op"] == "~~") & table["lhs"].isin(latent) & (table["lhs"] != table["rhs"])
    table = table[table["op"].isin(["=~", "~"]) | between]
    with np.errstate(invalid="ignore"):  # the common factor's own loadings are nan where its variance is negative
        other = fit.standardized[[*keys, "std_all", "se", "ci_low", "ci_high"]].rename(columns={"std_all": "std_with"})
    table = table.merge(other, on=keys, how="left")
    return table.assign(change=table["std_with"] - table["std_without"])


@dataclass(frozen=True)
class MarkerCorrelations(Listed):
    """Correlations of scale means, before and after what they share with the marker is taken out.

    Parameters
    ----------
    frame : DataFrame
        construct, other, r, adjusted, ci_low, ci_high, t, df, pvalue (of the adjusted correlation, null: it is zero).
    r_marker : float
        What was taken out.
    method : str
        Of the interval.
    nobs, dropped : int
    reason : str
        Why nothing was taken out; empty where something was.
    """

    frame: pd.DataFrame
    r_marker: float
    method: str
    nobs: int
    dropped: int
    reason: str = ""


def marker_correlations(
    data: pd.DataFrame,
    constructs: Mapping[str, Sequence[str]],
    marker: str,
    *,
    level: float = 0.95,
    bootstrap: int = 0,
    kind: str = "percentile",
    seed: int | None = None,
) -> MarkerCorrelations:
    """Adjust the correlations of constructs for a marker that theory does not relate to them.

    With r_M the smallest correlation of the marker with a construct, adjusted = (r - r_M) / (1 - r_M): the partial
    correlation given a method that makes up the share r_M of every scale's variance, the marker's too. Its test is
    t = adjusted / sqrt((1 - adjusted^2) / (N - 3)). A smallest correlation that is not positive is no sign of common
    method: then nothing is taken out.

    Parameters
    ----------
    data : pandas.DataFrame
        One row per respondent.
    constructs : mapping of str to sequence of str
        Items of each scale, the marker's included; a scale is the mean of its items.
    marker : str
        Which of the constructs is the marker. It must have been chosen before looking at the correlations.
    bootstrap : int
        Resamples; r_M is found anew in each. Without them the interval is Fisher's for a partial correlation, which
        takes r_M as known.
    level, kind, seed
        As in :func:`semfit.psychometrics.alpha`.

    References
    ----------
    Lindell & Whitney (2001), doi:10.1037/0021-9010.86.1.114.
    """
    check(level, bootstrap, kind)
    others, items = _others(constructs, marker), all_items(constructs)
    rows, dropped = item_rows(data, items)
    answers = pd.DataFrame(rows, columns=items)
    scores = np.column_stack([answers[list(constructs[name])].mean(axis=1) for name in (*others, marker)])
    N, (i, j) = len(scores), np.array(list(combinations(range(len(others)), 2))).T

    def adjusted(S: Array) -> Array:
        R = correlation(S)
        taken = np.maximum(R[..., -1, :-1].min(-1, keepdims=True), 0.0)
        return (R[..., i, j] - taken) / (1 - taken)

    R = np.corrcoef(scores.T)
    estimate, smallest = adjusted(R), float(R[-1, :-1].min())
    if bootstrap:
        method = f"bootstrap {kind}"
        low, high = interval_ends(estimate, draw(adjusted, scores, bootstrap, seed), level, kind)
    else:
        method, half = "fisher", stats.norm.ppf((1 + level) / 2) / np.sqrt(N - 4)
        low, high = np.tanh(np.arctanh(estimate) - half), np.tanh(np.arctanh(estimate) + half)
    t, names = estimate / np.sqrt((1 - estimate**2) / (N - 3)), np.array(list(others), dtype=object)
    frame = pd.DataFrame({"construct": names[i], "other": names[j], "r": R[i, j], "adjusted": estimate}).assign(
        ci_low=low, ci_high=high, t=t, df=N - 3, pvalue=2 * stats.t.sf(np.abs(t), N - 3)
    )
    reason = "" if smallest > 0 else f"the marker's smallest correlation is {smallest:.3f}: nothing is taken out"
    return MarkerCorrelations(frame, max(smallest, 0.0), method, N, dropped, reason)


def _others(constructs: Mapping[str, Sequence[str]], marker: str) -> dict[str, Sequence[str]]:
    one_of("marker", marker, constructs)
    if len(constructs) < 3:
        raise ParameterError(f"a marker needs at least two other constructs; got {len(constructs) - 1}.")
    return {name: items for name, items in constructs.items() if name != marker}


@dataclass(frozen=True)
class MarkerModels(Listed):
    """The models of the confirmatory marker technique and what they say.

    Parameters
    ----------
    tests : DataFrame
        restricted, full, null, chisq, df, pvalue, reason: is there method variance, is it unequal across items, does it
        bias the correlations of constructs?
    comparison : DataFrame
        Fit of "cfa", "baseline", "constrained", "unconstrained" and "restricted".
    chosen : str
        "constrained" or "unconstrained": which one the second test keeps.
    correlations : DataFrame
        construct, other, baseline, adjusted (in the chosen model), se, ci_low, ci_high.
    nobs, dropped : int
    """

    tests: pd.DataFrame
    comparison: pd.DataFrame
    chosen: str
    correlations: pd.DataFrame
    nobs: int
    dropped: int


def marker_models(
    data: pd.DataFrame,
    constructs: Mapping[str, Sequence[str]],
    marker: str,
    *,
    alpha: float = 0.05,
    **options: Unpack[ItemOptions],
) -> MarkerModels:
    """Fit the five models of the confirmatory factor analysis marker technique, all constructs of variance 1.

    The baseline keeps the marker uncorrelated with the other constructs, its loadings and residual variances fixed at
    those of the plain CFA. The constrained model lets the marker load equally on all other items, the unconstrained one
    freely; the restricted one holds the other constructs' correlations at the baseline's.

    Parameters
    ----------
    data : pandas.DataFrame
        One row per respondent.
    constructs : mapping of str to sequence of str
        Items of each construct, the marker's included; the marker needs at least two, better three.
    alpha : float
        Level at which unequal method loadings are preferred to equal ones.
    **options
        To ``semfit.fit``: estimator (ML, MLM, MLR) and missing.

    Notes
    -----
    The reliability decomposition and the sensitivity analysis of the source's second and third phase are not included.

    References
    ----------
    Williams, Hartman & Cavazotte (2010), doi:10.1177/1094428110366036.
    """
    check(alpha)
    others = _others(constructs, marker)
    if options.get("ordered") or options.get("group"):
        raise ParameterError("the marker technique takes one group of items that are not ordered: it fixes residuals.")
    cfa = semfit.fit(measurement_model(constructs), data, std_lv=True, **options)
    est = cfa.estimates.set_index(["lhs", "op", "rhs"])["est"]
    base = [measurement_model(others), *(f"{marker} ~~ 0*{name}" for name in others)]
    for item in constructs[marker]:
        base.append(f"{marker} =~ {est[marker, '=~', item]:.16f}*{item}")
        base.append(f"{item} ~~ {est[item, '~~', item]:.16f}*{item}")
    texts = {"baseline": base}
    for name, label in (("constrained", "method_loading*"), ("unconstrained", "")):
        texts[name] = [*base, f"{marker} =~ " + " + ".join(label + item for item in all_items(others))]
    fits = {"cfa": cfa} | {n: semfit.fit("\n".join(t), data, std_lv=True, **options) for n, t in texts.items()}
    tests = [
        _test_line(fits, "baseline", "constrained", "the marker loads on no other item: there is no method variance"),
        _test_line(fits, "constrained", "unconstrained", "the marker loads equally on all other items"),
    ]
    chosen = "unconstrained" if tests[1]["pvalue"] < alpha else "constrained"
    both = _changes(fits["baseline"], fits[chosen]).query("op == '~~' and lhs in @others and rhs in @others")
    fixed = [f"{row.lhs} ~~ {row.std_without:.16f}*{row.rhs}" for row in both.itertuples()]
    fits["restricted"] = semfit.fit("\n".join([*texts[chosen], *fixed]), data, std_lv=True, **options)
    null = "the correlations of the constructs are those without method: it does not bias them"
    tests.append(_test_line(fits, "restricted", chosen, null))
    names = {"lhs": "construct", "rhs": "other", "std_without": "baseline", "std_with": "adjusted"}
    correlations = both.drop(columns=["op", "change"]).rename(columns=names).reset_index(drop=True)
    return MarkerModels(pd.DataFrame(tests), fit_table(fits), chosen, correlations, cfa.nobs, cfa.sample.dropped)


def _test_line(fits: Mapping[str, semfit.SemFit], restricted: str, full: str, null: str) -> dict:
    test, reason = _tested(fits, restricted, full, "{} model")
    chisq, _, _, df, pvalue = _numbers(test)
    line = {"restricted": restricted, "full": full, "null": null, "chisq": chisq}
    return line | {"df": 0 if test is None else df, "pvalue": pvalue, "reason": reason}
