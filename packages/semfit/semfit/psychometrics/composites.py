"""Reliability and convergence of every construct of a fitted measurement model: alpha, omega, CR, AVE."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtr

import semfit
from semfit.composite import MADE, composites_of
from semfit.errors import ParameterError
from semfit.expressions import jacobian
from semfit.inference import delta_errors
from semfit.least_squares import LeastSquares
from semfit.polychoric import bivariate_normal
from semfit.psychometrics.reliability import alpha_of, feldt
from semfit.psychometrics.resampling import casewise_errors, check, intervals, wald

Array = np.ndarray
MEASURES = ("omega", "cr", "ave")
COLUMNS = ("construct", "group", "measure", "estimate", "se", "ci_low", "ci_high", "method", "reason")


@dataclass(frozen=True)
class MeasurementQuality:
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

    def summary(self) -> pd.DataFrame:
        """Return one line per construct, group and measure."""
        return self.frame.assign(nobs=self.nobs, dropped=self.dropped)

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
    if not constructs_of(fit):
        raise ParameterError("the model has no latent variable with items; reliability is that of its items (=~).")
    drawn = semfit.bootstrap(fit, bootstrap, seed=seed) if bootstrap else fit.draws
    draws = None if drawn is None else drawn.draws
    lines: list[dict] = []
    for k, group in enumerate(fit.sample.groups):
        usable, refused = split(fit, k)
        for name, items in constructs_of(fit, k).items():
            lines.append({"construct": name, "group": group.label} | _alpha(fit, k, name, items, level))
            for measure in MEASURES:
                lines.append({"construct": name, "group": group.label, "measure": measure, "method": ""})
                lines[-1]["reason"] = refused.get(name, "")
        if usable:
            found = _estimated(fit, _measures(fit, k, usable), draws, kind, level)
            at = [(name, measure) for name in usable for measure in MEASURES]
            by_name = dict(zip(at, found, strict=True))
            for line in lines[-4 * len(constructs_of(fit, k)) :]:
                line.update(by_name.get((line["construct"], line["measure"]), {}))
    frame = pd.DataFrame(lines, columns=COLUMNS)
    negative = [
        f"{row.rhs} loads negatively on {row.lhs}: reverse it first if it is worded the other way."
        for row in fit.estimates.query("op == '=~' and std_all < 0").itertuples()
    ]
    return MeasurementQuality(frame, fit.nobs, fit.sample.dropped, (*fit.problems, *negative))


def constructs_of(fit: semfit.SemFit, k: int = 0) -> dict[str, list[str]]:
    """Return the indicators of every latent variable of a group."""
    found: dict[str, list[str]] = {}
    for row in fit.table.rows:
        if row.op == "=~" and row.group == k + 1:
            found.setdefault(row.lhs, []).append(row.rhs)
    return found


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
    J, estimate = jacobian(function, fit.theta), function(fit.theta)
    se = delta_errors(J, fit.vcov)
    return se, *wald(estimate, se, level)


def split(fit: semfit.SemFit, k: int) -> tuple[dict[str, list[str]], dict[str, str]]:
    """Return the constructs whose reliability is defined, and why that of the others is not."""
    usable, refused, made = {}, {}, composites_of(fit.table.rows)
    for name, items in constructs_of(fit, k).items():
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
                unit = np.diagonal(C, axis1=-2, axis2=-1) ** -0.5
                R, cuts = C * unit[..., :, None] * unit[..., None, :], _thresholds(fit.problem, theta, k, items)
                omega = _ordinal_omega(s[..., :, None] * s[..., None, :], R, cuts)
            else:
                omega = raw.sum(-1) ** 2 * variance / C.sum((-2, -1))
            shared = s.sum(-1) ** 2
            out += [omega, shared / (shared + (1 - s**2).sum(-1)), (s**2).mean(-1)]
        return np.stack(out, -1)

    return values


def _estimated(
    fit: semfit.SemFit, values: Callable[[Array], Array], draws: Array | None, kind: str, level: float
) -> list[dict]:
    estimate = values(fit.theta)
    if draws is None:
        method, (se, low, high) = "delta", delta(fit, values, level)
    else:
        drawn = values(draws)
        method, se, (low, high) = f"bootstrap {kind}", drawn.std(0, ddof=1), intervals(estimate, drawn, kind, level)
    return [
        {"estimate": e, "se": s, "ci_low": a, "ci_high": b, "method": method}
        for e, s, a, b in zip(estimate, se, low, high, strict=True)
    ]


def _alpha(fit: semfit.SemFit, k: int, name: str, items: list[str], level: float) -> dict:
    """Return alpha of the answers, distribution-free where there are complete rows, by Feldt where there are none."""
    group, line = fit.sample.groups[k], {"measure": "alpha", "method": "", "reason": ""}
    if name in composites_of(fit.table.rows):
        return line | {"reason": MADE}
    if len(items) < 2 or not set(items) <= set(fit.sample.names):
        reason = "one item: alpha needs at least two" if len(items) < 2 else "its indicators are latent"
        return line | {"reason": reason}
    at = [fit.sample.names.index(item) for item in items]
    if group.rows is None:
        estimate = float(alpha_of(group.covariance[np.ix_(at, at)]))
        low, high = feldt(estimate, group.nobs, len(items), level)
        return line | {"estimate": estimate, "ci_low": low, "ci_high": high, "method": "feldt"}
    if fit.sample.missing:
        estimate = float(alpha_of(group.covariance[np.ix_(at, at)]))
        return line | {"estimate": estimate, "reason": "no interval: rows are incomplete, alpha is that of EM moments"}
    rows = group.rows[:, at]
    estimate = float(alpha_of(np.cov(rows.T)))
    se = float(casewise_errors(lambda S: alpha_of(S)[..., None], rows)[0])
    ends = wald(estimate, se, level)
    return line | {"estimate": estimate, "se": se, "ci_low": ends[0], "ci_high": ends[1], "method": "adf"}


def _thresholds(problem: LeastSquares, theta: Array, k: int, items: list[str]) -> list[Array]:
    """Return the thresholds of each item in standard deviations from its mean, shape (..., categories - 1)."""
    block = problem.blocks[k]
    _, scale, above = block.parts(theta, problem.bases[k])
    cuts = scale[..., block.item] * above
    return [cuts[..., block.item == block.names.index(item)] for item in items]


def _ordinal_omega(common: Array, implied: Array, thresholds: list[Array]) -> Array:
    """Return the share of the variance of summed answers that the construct accounts for.

    The covariance of two answers is the sum over their thresholds of Phi2(s, t, r) - Phi(s) Phi(t); the numerator takes
    r from the construct alone, the denominator from all that the model implies.
    """
    item = np.repeat(np.arange(len(thresholds)), [t.shape[-1] for t in thresholds])
    cuts = np.concatenate(thresholds, -1)
    same = item[:, None] == item
    h, k = cuts[..., :, None], cuts[..., None, :]
    apart = ndtr(h) * ndtr(k)
    true = bivariate_normal(h, k, common[..., item[:, None], item]) - apart
    cross = bivariate_normal(h, k, np.where(same, 0.0, implied[..., item[:, None], item])) - apart
    own = ndtr(np.where(h.real < k.real, h, k)) - apart  # of one answer with itself
    return true.sum((-2, -1)) / np.where(same, own, cross).sum((-2, -1))
