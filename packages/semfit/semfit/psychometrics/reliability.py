"""How much of a scale's variance its construct accounts for: alpha from the items; omega, CR and AVE from a fit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np
import pandas as pd
from scipy.special import ndtr
from scipy.stats import f as f_distribution

import semfit
from semfit.columns import Array, correlation
from semfit.constructs import MADE, composites_of, indicators
from semfit.errors import ParameterError
from semfit.expressions import jacobian
from semfit.inference import delta_errors, z_tests
from semfit.least_squares import LeastSquares
from semfit.polychoric import bivariate_normal
from semfit.psychometrics.resampling import Listed, casewise_errors, check, draw, item_rows
from semfit.resampling import interval_ends

REVERSE = "reverse it first if it is worded the other way."
MEASURES = ("omega", "cr", "ave")
COLUMNS = ("construct", "group", "measure", "estimate", "se", "ci_low", "ci_high", "method", "reason")


@dataclass(frozen=True)
class Alpha(Listed):
    """Cronbach's alpha of a scale.

    Parameters
    ----------
    intervals : DataFrame
        measure ("alpha", "alpha_standardized"), method ("feldt", "adf", "bootstrap percentile" or "bootstrap bc"),
        estimate, se, ci_low, ci_high.
    by_item : DataFrame
        item, alpha_if_deleted and item_rest (correlation with the sum of the others), each with a distribution-free
        interval ``*_low``, ``*_high``.
    nobs, dropped : int
        Complete rows, and incomplete ones that were left out.
    warnings : tuple of str
        Items that seem keyed the other way.
    reason : str
        Why alpha is not defined; empty where it is.
    """

    intervals: pd.DataFrame
    by_item: pd.DataFrame
    nobs: int
    dropped: int
    warnings: tuple[str, ...] = field(default=())
    reason: str = ""

    @property
    def estimate(self) -> float:
        """Alpha of the raw items."""
        return float(self.intervals["estimate"].iloc[0])


def alpha(
    data: pd.DataFrame,
    items: Sequence[str],
    *,
    level: float = 0.95,
    bootstrap: int = 0,
    kind: str = "bc",
    seed: int | None = None,
) -> Alpha:
    """Return Cronbach's alpha, raw and standardised, with intervals, and what each item does to it.

    alpha = k / (k - 1) (1 - sum of variances / variance of the sum); the standardised one is that of the correlations.
    It is reliability where all items measure one thing equally well (tau-equivalence) with unrelated errors.

    Parameters
    ----------
    data : DataFrame
        One row per respondent; rows with a missing item are left out and counted.
    items : sequence of str
        All worded in the same direction.
    level : float
        Of the intervals, in (0, 1).
    bootstrap : int
        Resamples; 0 leaves the bootstrap interval out.
    kind : {"bc", "percentile"}
        Of the bootstrap interval.
    seed : int, optional
        Of the resamples.

    Notes
    -----
    Feldt's interval is exact for normal items that are parallel; the distribution-free one needs neither, but larger
    samples. With one item alpha is not defined: the result says so in ``reason``.

    References
    ----------
    Cronbach (1951), doi:10.1007/BF02310555; Feldt (1965), doi:10.1007/BF02289499; Maydeu-Olivares, Coffman & Hartmann
    (2007), doi:10.1037/1082-989X.12.2.157.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> trait = rng.standard_normal(400)
    >>> answers = pd.DataFrame({f"q{k}": trait + rng.standard_normal(400) for k in (1, 2, 3)})
    >>> found = alpha(answers, ["q1", "q2", "q3"])
    >>> round(found.estimate, 2), found.intervals["method"].tolist()
    (0.69, ['feldt', 'adf', 'adf'])
    """
    check(level, bootstrap, kind)
    rows, dropped = item_rows(data, items)
    names, (N, k) = ("alpha", "alpha_standardized"), rows.shape
    lines: list[tuple] = [(name, "", *[np.nan] * 4) for name in names]
    estimate, low, high = np.full((3, 2 + 2 * k), np.nan)
    if k > 1:
        estimate = _parts(np.cov(rows.T))
        with np.errstate(invalid="ignore", divide="ignore"):
            se = casewise_errors(_parts, rows)
        low, high = wald(estimate, se, level)
        lines = [("alpha", "feldt", estimate[0], np.nan, *feldt(estimate[0], N, k, level))]
        lines += zip(names, ["adf"] * 2, estimate, se, low, high, strict=False)
    if k > 1 and bootstrap:
        draws = draw(lambda S: _parts(S)[..., :2], rows, bootstrap, seed)
        spread, ends = np.nanstd(draws, axis=0, ddof=1), interval_ends(estimate[:2], draws, level, kind)
        lines += zip(names, [f"bootstrap {kind}"] * 2, estimate[:2], spread, *ends, strict=True)
    frame = pd.DataFrame(lines, columns=["measure", "method", "estimate", "se", "ci_low", "ci_high"])
    by_item = pd.DataFrame({"item": list(items)})
    for name, at in (("alpha_if_deleted", slice(2, 2 + k)), ("item_rest", slice(2 + k, None))):
        by_item = by_item.assign(**{name: estimate[at], f"{name}_low": low[at], f"{name}_high": high[at]})
    negative = by_item.loc[by_item["item_rest"] < 0, "item"]
    warnings = tuple(f"{name} goes against the other items: {REVERSE}" for name in negative)
    return Alpha(frame, by_item, N, dropped, warnings, "" if k > 1 else "one item: alpha needs at least two")


def alpha_of(S: Array) -> Array:
    """Return alpha of covariance matrices, shape (...)."""
    k = S.shape[-1]
    return k / (k - 1) * (1 - np.trace(S, axis1=-2, axis2=-1) / S.sum((-2, -1)))


def _parts(S: Array) -> Array:
    """Return alpha, standardised alpha, alpha without each item, correlation of each item with the others' sum."""
    variance, k = np.diagonal(S, axis1=-2, axis2=-1), S.shape[-1]
    with_rest = S.sum(-1) - variance
    rest = S.sum((-2, -1))[..., None] - 2 * with_rest - variance  # variance of the sum of the others
    others = variance.sum(-1)[..., None] - variance
    without = (k - 1) / (k - 2) * (1 - others / rest) if k > 2 else np.full_like(rest, np.nan)
    whole = np.stack([alpha_of(S), alpha_of(correlation(S))], -1)
    return np.concatenate([whole, without, with_rest / np.sqrt(variance * rest)], -1)


def feldt(estimate: float, nobs: int, items: int, level: float = 0.95) -> tuple[float, float]:
    """Return Feldt's interval: (1 - alpha) / (1 - estimate) has an F distribution with N - 1 and (N - 1)(k - 1) df.

    Examples
    --------
    >>> [round(end, 3) for end in feldt(0.85, 89, 7)]
    [0.797, 0.893]
    """
    tails = np.array([(1 + level) / 2, (1 - level) / 2])
    quantiles = f_distribution.ppf(tails, nobs - 1, (nobs - 1) * (items - 1))
    low, high = 1 - (1 - estimate) * quantiles
    return float(low), float(high)


@dataclass(frozen=True)
class MeasurementQuality(Listed):
    """Reliability of the constructs of a model.

    Parameters
    ----------
    frame : DataFrame
        construct, group, measure ("alpha", "omega", "cr", "ave"), estimate, se, ci_low, ci_high, method (of the
        interval), reason (why something is not defined, else empty).
    nobs, dropped : int
        Rows behind the fit, and rows it left out.
    warnings : tuple of str
        Negative loadings and problems of the fit.
    """

    frame: pd.DataFrame
    nobs: int
    dropped: int
    warnings: tuple[str, ...]

    def table(self) -> pd.DataFrame:
        """Return one line per construct (and group) with a column per measure, as journals print it."""
        index = ["construct"] if self.frame["group"].nunique() == 1 else ["construct", "group"]
        wide = self.frame.pivot(index=index, columns="measure", values="estimate")
        order = self.frame.drop_duplicates(index).set_index(index).index
        return wide.loc[order, ["alpha", *MEASURES]].rename_axis(columns=None)


def measurement_quality(
    fit: semfit.SemFit, *, level: float = 0.95, bootstrap: int = 0, kind: str = "percentile", seed: int | None = None
) -> MeasurementQuality:
    """Return alpha, omega, composite reliability and average variance extracted of every construct.

    With loadings l of a construct of variance v, and standardised loadings s:

    - omega = (sum l)^2 v / variance of the sum that the model implies, correlated residuals and cross-loadings included
      (semTools' omega2; its "omega3" and ``compRelSEM`` put the observed variance there). For ordered items it is that
      of the sum of the answers, not of the responses behind them (Green & Yang).
    - cr = (sum s)^2 / ((sum s)^2 + sum (1 - s^2)), as journals compute it: correlated residuals do not enter.
    - ave = mean s^2. For ordered items cr and ave describe the responses behind the answers.

    Parameters
    ----------
    fit : SemFit
        A model with latent variables.
    level : float
        Of the intervals, in (0, 1).
    bootstrap : int
        Resamples for percentile or BC intervals in place of those by the delta method; draws the fit already holds are
        used without it. Either way the moments of fixed covariates are held at the sample's.
    kind : {"percentile", "bc"}
        Of the bootstrap intervals.
    seed : int, optional
        Of the resamples.

    Notes
    -----
    The delta method passes on the standard errors of the fit: for skewed items fit by MLR, since those of ML are then
    too small.

    Raises
    ------
    ParameterError
        Where the model has no latent variable, or resamples are asked of a fit that cannot be resampled.

    References
    ----------
    McDonald (1999), Test theory; Raykov (2001), doi:10.1348/000711001159582; Fornell & Larcker (1981),
    doi:10.1177/002224378101800104; ordered items: Green & Yang (2009), doi:10.1007/s11336-008-9099-3; intervals:
    Kelley & Pornprasertmanit (2016), doi:10.1037/a0040086.

    Examples
    --------
    >>> truth = "f =~ 0.8*x1 + 0.8*x2 + 0.8*x3; f ~~ 1*f; x1 ~~ 0.36*x1; x2 ~~ 0.36*x2; x3 ~~ 0.36*x3"
    >>> fit = semfit.fit("f =~ x1 + x2 + x3", semfit.simulate(truth, 1000, seed=1))
    >>> bool((abs(measurement_quality(fit).table().loc["f"] - [0.842, 0.842, 0.842, 0.64]) < 0.02).all())
    True
    """
    check(level, bootstrap, kind)
    if not indicators(fit.table.rows):
        raise ParameterError("the model has no latent variable with items; reliability is that of its items (=~).")
    drawn = semfit.bootstrap(fit, bootstrap, seed=seed) if bootstrap else fit.draws
    draws = None if drawn is None else drawn.draws
    lines: list[dict] = []
    for k, group in enumerate(fit.sample.groups):
        usable, refused = split(fit, k)
        found = _estimated(fit, k, usable, draws, kind, level) if usable else {}
        for name, items in indicators(fit.table.rows, k + 1).items():
            found[name, "alpha"] = _alpha(fit, k, name, items, level)
            for measure in ("alpha", *MEASURES):
                line = {"construct": name, "group": group.label, "measure": measure, "method": ""}
                lines.append(line | {"reason": refused.get(name, "")} | found.get((name, measure), {}))
    frame = pd.DataFrame(lines, columns=COLUMNS)
    below = fit.estimates.query("op == '=~' and std_all < 0")
    negative = [f"{row.rhs} loads negatively on {row.lhs}: {REVERSE}" for row in below.itertuples()]
    return MeasurementQuality(frame, fit.nobs, fit.sample.dropped, (*fit.problems, *negative))


def loadings(
    fit: semfit.SemFit, theta: Array, k: int, constructs: Mapping[str, Sequence[str]]
) -> Iterator[tuple[Array, Array, Array]]:
    """Yield each construct's raw loadings, variance and items' implied covariance, for parameters (..., q)."""
    block, base = fit.problem.blocks[k], fit.problem.bases[k]
    A, S = block.matrices(theta, base)
    C = block.implied_by(A, S).covariance
    for name, items in constructs.items():
        at, f = [block.names.index(item) for item in items], block.names.index(name)
        yield A[..., at, f], C[..., f, f], C[..., np.array(at)[:, None], at]


def delta(fit: semfit.SemFit, function: Callable[[Array], Array], level: float) -> tuple[Array, Array, Array]:
    """Return standard errors of an analytic function of the parameters, and the ends of its normal intervals."""
    se = delta_errors(jacobian(function, fit.theta), fit.vcov)
    return se, *wald(function(fit.theta), se, level)


def wald(estimate: Array, se: Array, level: float) -> tuple[Array, Array]:
    """Return the ends of normal intervals."""
    tests = z_tests(estimate, se, level)
    return tests["ci_low"], tests["ci_high"]


def split(fit: semfit.SemFit, k: int) -> tuple[dict[str, list[str]], dict[str, str]]:
    """Return the constructs whose reliability is defined, and why that of the others is not."""
    usable, refused, made = {}, {}, composites_of(fit.table.rows)
    for name, items in indicators(fit.table.rows, k + 1).items():
        hidden = [item for item in items if item not in fit.sample.names]
        if not (fit.converged and fit.identified):
            refused[name] = "the fit did not converge or is not identified"
        elif hidden:
            refused[name] = f"its indicator {hidden[0]} is latent: the sum of its items is not observed"
        elif name in made:
            refused[name] = MADE
        elif len(items) < 2:
            refused[name] = f"one item, {items[0]}: error and construct cannot be told apart"
        else:
            usable[name] = items
    return usable, refused


def _measures(fit: semfit.SemFit, k: int, usable: dict[str, list[str]]) -> Callable[[Array], Array]:
    """Return the function from parameters to omega, cr and ave of every construct."""

    def values(theta: Array) -> Array:
        out = []
        for items, (raw, variance, C) in zip(usable.values(), loadings(fit, theta, k, usable), strict=True):
            s = raw * np.sqrt(variance[..., None] / np.diagonal(C, axis1=-2, axis2=-1))
            if isinstance(fit.problem, LeastSquares):
                block = fit.problem.blocks[k]
                cuts = block.statistics(theta, fit.problem.bases[k])[..., : len(block.item)]
                by_item = [cuts[..., block.item == block.names.index(item)] for item in items]
                omega = _ordinal_omega(s[..., :, None] * s[..., None, :], correlation(C), by_item)
            else:
                omega = raw.sum(-1) ** 2 * variance / C.sum((-2, -1))
            shared = s.sum(-1) ** 2
            out += [omega, shared / (shared + (1 - s**2).sum(-1)), (s**2).mean(-1)]
        return np.stack(out, -1)

    return values


def _estimated(
    fit: semfit.SemFit, k: int, usable: dict[str, list[str]], draws: Array | None, kind: str, level: float
) -> dict[tuple[str, str], dict]:
    """Return omega, cr and ave, with their intervals, by construct and measure."""
    values = _measures(fit, k, usable)
    estimate = values(fit.theta)
    if draws is None:
        method, (se, low, high) = "delta", delta(fit, values, level)
    else:
        drawn = values(draws)
        method, se = f"bootstrap {kind}", drawn.std(0, ddof=1)
        low, high = interval_ends(estimate, drawn, level, kind)
    frame = pd.DataFrame({"estimate": estimate, "se": se, "ci_low": low, "ci_high": high}).assign(method=method)
    return dict(zip(product(usable, MEASURES), frame.to_dict("records"), strict=True))


def _alpha(fit: semfit.SemFit, k: int, name: str, items: list[str], level: float) -> dict:
    """Return alpha of the answers, distribution-free where there are complete rows, by Feldt where there are none."""
    group = fit.sample.groups[k]
    if name in composites_of(fit.table.rows):
        return {"reason": MADE}
    if len(items) < 2 or not set(items) <= set(fit.sample.names):
        return {"reason": "one item: alpha needs at least two" if len(items) < 2 else "its indicators are latent"}
    at = [fit.sample.names.index(item) for item in items]
    if group.rows is None or fit.sample.missing:
        estimate = float(alpha_of(group.covariance[np.ix_(at, at)]))
        if fit.sample.missing:
            return {"estimate": estimate, "reason": "no interval: rows are incomplete, alpha is that of EM moments"}
        low, high = feldt(estimate, group.nobs, len(items), level)
        return {"estimate": estimate, "ci_low": low, "ci_high": high, "method": "feldt", "reason": ""}
    rows = group.rows[:, at]
    found, se = alpha_of(np.cov(rows.T)[None]), casewise_errors(lambda S: alpha_of(S)[..., None], rows)
    (low,), (high,) = wald(found, se, level)
    return {"estimate": found[0], "se": se[0], "ci_low": low, "ci_high": high, "method": "adf", "reason": ""}


def _ordinal_omega(common: Array, implied: Array, thresholds: list[Array]) -> Array:
    """Return the share of the variance of summed answers that the construct accounts for.

    The covariance of two answers is the sum over their thresholds of Phi2(s, t, r) - Phi(s) Phi(t); the numerator takes
    r from the construct alone, the denominator from all that the model implies. With an r beyond 1 it is nan.
    """
    common, implied = (np.where(np.abs(r) > 1, np.nan, r) for r in (common, implied))  # of a negative error
    item = np.repeat(np.arange(len(thresholds)), [t.shape[-1] for t in thresholds])
    cuts = np.concatenate(thresholds, -1)
    same = item[:, None] == item
    h, k = cuts[..., :, None], cuts[..., None, :]
    apart = ndtr(h) * ndtr(k)
    with np.errstate(invalid="ignore"):
        true = bivariate_normal(h, k, common[..., item[:, None], item]) - apart
        cross = bivariate_normal(h, k, np.where(same, 0.0, implied[..., item[:, None], item])) - apart
    own = ndtr(np.where(h.real < k.real, h, k)) - apart  # of one answer with itself
    return true.sum((-2, -1)) / np.where(same, own, cross).sum((-2, -1))
