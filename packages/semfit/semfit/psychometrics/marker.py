"""How far method, as a marker variable measures it, accounts for the correlations of constructs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Unpack

import numpy as np
import pandas as pd
from scipy import stats

import semfit
from semfit.columns import correlation
from semfit.errors import ParameterError, UnknownNameError
from semfit.psychometrics.bias import NOT_SOUND, fit_table, measurement_model, sound
from semfit.psychometrics.resampling import all_items, check, draw, intervals, item_rows
from semfit.solved import ItemOptions

Array = np.ndarray


@dataclass(frozen=True)
class MarkerCorrelations:
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

    def summary(self) -> pd.DataFrame:
        """Return one line per pair of constructs."""
        return self.frame.assign(
            r_marker=self.r_marker, method=self.method, nobs=self.nobs, dropped=self.dropped, reason=self.reason
        )


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
    substantive = _substantive(constructs, marker)
    items = all_items(constructs)
    rows, dropped = item_rows(data, items)
    at = {item: k for k, item in enumerate(items)}
    means = [rows[:, [at[item] for item in constructs[name]]].mean(1) for name in (*substantive, marker)]
    scores = np.column_stack(means)
    N, pairs = len(scores), list(combinations(range(len(substantive)), 2))
    i, j = np.array(pairs).T

    def adjusted(S: Array) -> Array:
        R = correlation(S)
        taken = np.maximum(R[..., -1, :-1].min(-1, keepdims=True), 0.0)
        return (R[..., i, j] - taken) / (1 - taken)

    R = np.corrcoef(scores.T)
    smallest = float(R[-1, :-1].min())
    r_marker, estimate = max(smallest, 0.0), adjusted(R)
    if bootstrap:
        method = f"bootstrap {kind}"
        low, high = intervals(estimate, draw(adjusted, scores, bootstrap, seed), kind, level)
    else:
        method, half = "fisher", stats.norm.ppf((1 + level) / 2) / np.sqrt(N - 4)
        low, high = np.tanh(np.arctanh(estimate) - half), np.tanh(np.arctanh(estimate) + half)
    t = estimate / np.sqrt((1 - estimate**2) / (N - 3))
    named = {"construct": [substantive[a] for a in i], "other": [substantive[b] for b in j]}
    frame = pd.DataFrame(
        named | {"r": R[i, j], "adjusted": estimate, "ci_low": low, "ci_high": high, "t": t, "df": N - 3}
    )
    frame["pvalue"] = 2 * stats.t.sf(np.abs(t), N - 3)
    reason = "" if smallest > 0 else f"the marker's smallest correlation is {smallest:.3f}: nothing is taken out"
    return MarkerCorrelations(frame, r_marker, method, N, dropped, reason)


def _substantive(constructs: Mapping[str, Sequence[str]], marker: str) -> list[str]:
    if marker not in constructs:
        raise UnknownNameError("marker", marker, constructs)
    if len(constructs) < 3:
        raise ParameterError(f"a marker needs at least two other constructs; got {len(constructs) - 1}.")
    return [name for name in constructs if name != marker]


@dataclass(frozen=True)
class MarkerModels:
    """The models of the confirmatory marker technique and what they say.

    Parameters
    ----------
    comparison : DataFrame
        Fit of "cfa", "baseline", "constrained", "unconstrained" and "restricted".
    tests : DataFrame
        restricted, full, null, chisq, df, pvalue, reason: is there method variance, is it unequal across items, does it
        bias the correlations of constructs?
    chosen : str
        "constrained" or "unconstrained": which one the second test keeps.
    correlations : DataFrame
        construct, other, baseline, adjusted (in the chosen model), se, ci_low, ci_high.
    nobs, dropped : int
    """

    comparison: pd.DataFrame
    tests: pd.DataFrame
    chosen: str
    correlations: pd.DataFrame
    nobs: int
    dropped: int

    def summary(self) -> pd.DataFrame:
        """Return the three tests."""
        return self.tests.assign(chosen=self.chosen, nobs=self.nobs, dropped=self.dropped)


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
    substantive = _substantive(constructs, marker)
    if options.get("ordered") or options.get("group"):
        raise ParameterError("the marker technique takes one group of items that are not ordered: it fixes residuals.")
    cfa = semfit.fit(measurement_model(constructs), data, std_lv=True, **options)
    fits = {"cfa": cfa}
    base = _baseline_text(cfa, constructs, marker, substantive)
    items = all_items({name: constructs[name] for name in substantive})
    constrained = base + f"\n{marker} =~ " + " + ".join(f"method_loading*{item}" for item in items)
    unconstrained = base + f"\n{marker} =~ " + " + ".join(items)
    texts = {"baseline": base, "constrained": constrained, "unconstrained": unconstrained}
    fits |= {name: semfit.fit(text, data, std_lv=True, **options) for name, text in texts.items()}
    tests = [
        _test(fits, "baseline", "constrained", "the marker loads on no other item: there is no method variance"),
        _test(fits, "constrained", "unconstrained", "the marker loads equally on all other items"),
    ]
    chosen = "unconstrained" if tests[1]["pvalue"] < alpha else "constrained"
    correlations = _correlations(fits["baseline"], fits[chosen], substantive)
    fixed = [f"{a} ~~ {value:.16f}*{b}" for a, b, value in correlations[["construct", "other", "baseline"]].values]
    fits["restricted"] = semfit.fit("\n".join([texts[chosen], *fixed]), data, std_lv=True, **options)
    null = "the correlations of the constructs are those without method: it does not bias them"
    tests.append(_test(fits, "restricted", chosen, null))
    return MarkerModels(fit_table(fits), pd.DataFrame(tests), chosen, correlations, cfa.nobs, cfa.sample.dropped)


def _baseline_text(
    cfa: semfit.SemFit, constructs: Mapping[str, Sequence[str]], marker: str, substantive: list[str]
) -> str:
    """Return the model with the marker's loadings and residuals as numbers, unrelated to the constructs."""
    est = cfa.estimates.set_index(["lhs", "op", "rhs"])["est"]
    own = constructs[marker]
    lines = [measurement_model({name: constructs[name] for name in substantive})]
    lines.append(f"{marker} =~ " + " + ".join(f"{est[marker, '=~', item]:.16f}*{item}" for item in own))
    lines += [f"{item} ~~ {est[item, '~~', item]:.16f}*{item}" for item in own]
    return "\n".join([*lines, *(f"{marker} ~~ 0*{name}" for name in substantive)])


def _test(fits: Mapping[str, semfit.SemFit], restricted: str, full: str, null: str) -> dict:
    line = {"restricted": restricted, "full": full, "null": null, "chisq": np.nan, "df": 0, "pvalue": np.nan}
    bad = [name for name in (restricted, full) if not sound(fits[name])]
    if bad:
        return line | {"reason": NOT_SOUND.format(f"{bad[0]} model")}
    found = semfit.difference(fits[restricted], fits[full])
    return line | {"chisq": found.chisq, "df": found.df, "pvalue": found.pvalue, "reason": ""}


def _correlations(baseline: semfit.SemFit, chosen: semfit.SemFit, substantive: list[str]) -> pd.DataFrame:
    """Return the constructs' correlations in both models; variances are 1."""
    keys = ["lhs", "op", "rhs"]
    one = baseline.estimates[[*keys, "est"]].rename(columns={"est": "baseline"})
    two = chosen.estimates[[*keys, "est", "se", "ci_low", "ci_high"]].rename(columns={"est": "adjusted"})
    both = one.merge(two, on=keys).query("op == '~~' and lhs != rhs")
    both = both[both["lhs"].isin(substantive) & both["rhs"].isin(substantive)]
    return both.drop(columns="op").rename(columns={"lhs": "construct", "rhs": "other"}).reset_index(drop=True)
