"""Whether one common source, the method, stands behind all answers: Harman's single factor and a common latent factor.

Both ask about the fit of a factor that nobody measured; neither can tell method from substance. Read them beside a
marker (``survey.marker``), never alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Unpack

import numpy as np
import pandas as pd

import semfit
from semfit.columns import correlation
from semfit.comparison import HypothesisStatistic
from semfit.errors import ParameterError
from semfit.psychometrics.composites import delta
from semfit.psychometrics.resampling import all_items, check, draw, intervals, item_rows
from semfit.solved import ItemOptions

Array = np.ndarray
MEASURES = ("chisq", "df", "pvalue", "cfi", "tli", "rmsea", "srmr")
SCALED = {"chisq", "df", "pvalue", "cfi", "tli", "rmsea"}  # have a scaled or robust-corrected twin
METHOD = "common_method"
NOT_SOUND = "the {} did not converge or is not identified"


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
        chosen = {k: m[f"{k}.scaled"] if k in SCALED and f"{k}.scaled" in m else m[k] for k in MEASURES}
        lines.append({"model": name} | chosen | {"converged": fit.converged, "problems": " ".join(fit.problems)})
    return pd.DataFrame(lines).set_index("model")


def sound(fit: semfit.SemFit) -> bool:
    """Whether a fit may be compared with another."""
    return fit.converged and fit.identified


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
        test = self.difference
        lines = [
            ("share of the first component", self.share, self.ci_low, self.ci_high, np.nan, np.nan, ""),
            ("eigenvalues above 1", float((self.eigenvalues > 1).sum()), *[np.nan] * 4, ""),
            ("one factor against constructs", *_test_line(test), self.reason),
        ]
        columns = ["measure", "estimate", "ci_low", "ci_high", "df", "pvalue", "reason"]
        return pd.DataFrame(lines, columns=columns).assign(nobs=self.nobs, dropped=self.dropped, note=self.note)


def _test_line(test: HypothesisStatistic | None) -> tuple[float, ...]:
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
    share, low, high = eigenvalues[0] / len(items), np.nan, np.nan
    if bootstrap:
        draws = draw(lambda S: np.linalg.eigvalsh(correlation(S))[..., -1:] / len(items), rows, bootstrap, seed)
        (low,), (high,) = intervals(np.array([share]), draws, kind, level)
    one = semfit.fit(f"{METHOD} =~ {' + '.join(items)}", data, **options)
    fits, test, reason = {"one factor": one}, None, "one construct: nothing to compare one factor with"
    if len(constructs) > 1:
        fits["constructs"] = full = semfit.fit(measurement_model(constructs), data, **options)
        bad = [name for name, fit in fits.items() if not sound(fit)]
        reason = NOT_SOUND.format(f"model of {bad[0]}") if bad else ""
        test = None if bad else semfit.difference(one, full)
    return SingleFactor(
        float(share), float(low), float(high), eigenvalues, fit_table(fits), test, len(rows), dropped, reason
    )


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
            ("without against with it", *_test_line(self.difference)),
        ]
        for name, op in (("loading", "=~"), ("path", "~"), ("correlation", "~~")):
            mine = self.estimates.loc[self.estimates["op"] == op, "change"]
            if len(mine):
                lines.append((f"largest change of a {name}", mine.abs().max(), *[np.nan] * 4))
        columns = ["measure", "estimate", "ci_low", "ci_high", "df", "pvalue"]
        return pd.DataFrame(lines, columns=columns).assign(
            nobs=self.nobs, problems=" ".join(self.problems), reason=self.reason
        )


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
    comparison = fit_table({"without": without, "with": fit})
    bad = [name for name, one in (("without", without), ("with", fit)) if not sound(one)]
    estimates = _changes(without, fit)
    if bad:
        estimates = estimates.assign(std_with=np.nan, ci_low=np.nan, ci_high=np.nan, change=np.nan)
        reason = NOT_SOUND.format(f"model {bad[0]} the common factor")
        return CommonFactor(comparison, None, estimates, np.nan, np.nan, np.nan, np.nan, fit.nobs, fit.problems, reason)

    def share(theta: Array) -> Array:
        block = fit.problem.blocks[0]
        C = block.implied(theta, fit.problem.bases[0]).covariance
        f, at = block.names.index(METHOD), [block.names.index(item) for item in items]
        return (C[..., f, f, None] / C[..., at, at]).mean(-1, keepdims=True)

    (se,), (low,), (high,) = delta(fit, share, level)
    numbers = (float(share(fit.theta)[0]), float(se), float(low), float(high))
    return CommonFactor(comparison, semfit.difference(without, fit), estimates, *numbers, fit.nobs, fit.problems)


def _changes(without: semfit.SemFit, fit: semfit.SemFit) -> pd.DataFrame:
    """Return standardised loadings, paths and correlations of latent variables in both models."""
    latent, keys = without.table.roles.latent, ["lhs", "op", "rhs"]
    table = without.estimates[[*keys, "std_all"]].rename(columns={"std_all": "std_without"})
    between = (table["op"] == "~~") & table["lhs"].isin(latent) & (table["lhs"] != table["rhs"])
    table = table[table["op"].isin(["=~", "~"]) | between]
    with np.errstate(invalid="ignore"):  # the common factor's own loadings are nan where its variance is negative
        other = fit.standardized[[*keys, "std_all", "ci_low", "ci_high"]].rename(columns={"std_all": "std_with"})
    table = table.merge(other, on=keys, how="left")
    return table.assign(change=table["std_with"] - table["std_without"])
