"""The engine's door: from a model and data to a fitted model."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from semfit import robust
from semfit.errors import FitWarning, ParameterError, one_of
from semfit.estimate import Likelihood
from semfit.inference import Constraints, TestStatistic, covariance, enforce, free_directions, refuse
from semfit.model import blocks
from semfit.moments import Moments, Sample, from_moments, read
from semfit.ordinal import PARAMETERIZATIONS, fit_ordinal
from semfit.resampling import bootstrap as resample
from semfit.result import SemFit
from semfit.solved import FitOptions
from semfit.start import settle, start_values
from semfit.syntax import parse
from semfit.table import ParameterTable, build, check_terms, find_roles

ESTIMATORS = ("ML", "MLM", "MLR", "DWLS", "WLSMV")


def fit(
    model: str,
    data: pd.DataFrame | None = None,
    *,
    moments: Moments | list[Moments] | tuple[Moments, ...] | None = None,
    estimator: str = "ML",
    missing: str = "listwise",
    ordered: bool | Sequence[str] | None = None,
    group: str | None = None,
    group_equal: Sequence[str] = (),
    std_lv: bool = False,
    mean_structure: bool | None = None,
    parameterization: str = "delta",
    weights: str | Sequence[float] | None = None,
    cluster: str | None = None,
    bootstrap: int = 0,
    seed: int | None = None,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> SemFit:
    """Fit a structural equation model with the defaults of lavaan's ``sem()``.

    Parameters
    ----------
    model : str
        In lavaan's language, see :func:`semfit.syntax.parse`.
    data : pandas.DataFrame, optional
        One row per observation; or give ``moments``.
    moments : Moments, or list or tuple of Moments, optional
        Covariances (divisor N - 1), means and number of observations; one per group.
    estimator : {"ML", "MLM", "MLR", "DWLS", "WLSMV"}
        Maximum likelihood with normal-theory standard errors and test; with Satorra-Bentler's; with the sandwich and
        Yuan-Bentler's (Mplus variant). For ordered items: diagonally weighted least squares, plain or robust.
    missing : {"listwise", "fiml", "pairwise"}
        Leave out rows with holes, use all that is observed (full information maximum likelihood), or fit ML to
        covariances of the rows that hold each pair: valid only where values are missing completely at random.
    ordered : bool or sequence of str, optional
        Ordered items (True: all observed variables), for DWLS and WLSMV.
    group : str, optional
        Column that parts the rows; every group has the same model.
    group_equal : sequence of str
        What is held equal across groups, of ``semfit.table.GROUP_EQUAL``.
    std_lv : bool
        Fix latent variances to 1 instead of first loadings.
    mean_structure : bool, optional
        Model the means; by default where the model names an intercept, with several groups, with
        ``missing="fiml"``, which needs them, and with ``cluster``.
    parameterization : {"delta", "theta"}
        Of ordered items: their scales or their residual variances are parameters, see ``semfit.least_squares``.
    weights : str or sequence of float, optional
        Sampling weights, one a row or their column, for MLR: standard errors and test allow for them.
    cluster : str, optional
        Column that says which rows were drawn together, for MLR: standard errors and test allow for their likeness.
    bootstrap : int
        Resamples to draw; standard errors and percentile intervals then come from them (``fit.draws`` has BC and BCa).
    seed : int, optional
        Of the resamples; the same draws whatever ``workers``.
    workers : int
        Threads for the resamples.
    progress : callable, optional
        Called with resamples done and resamples wanted.

    Returns
    -------
    SemFit

    Raises
    ------
    ParameterError, UnknownNameError
        For a model that cannot be read, with line and column, and for options that are unknown or do not combine.
    DataError
        For data that cannot carry the model, with column and row. A fit without a solution is no error: it warns
        (``FitWarning``), holds no estimates, and ``SemFit.problems`` says why.

    Notes
    -----
    The likelihood is the normal one: moments and chi2 divide by N. Standard errors rest on the expected information,
    for MLR and with ``missing="fiml"`` on the observed one, whether or not values are missing.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> rng = np.random.default_rng(1)
    >>> f = rng.standard_normal(500)
    >>> items = pd.DataFrame({f"x{k}": 0.8 * f + 0.6 * rng.standard_normal(500) for k in range(1, 5)})
    >>> result = fit("f =~ x1 + x2 + x3 + x4", items)
    >>> result.converged, int(result.fit_measures["df"])
    (True, 2)
    """
    one_of("estimator", estimator, ESTIMATORS)
    if (data is None) == (moments is None):
        raise ParameterError("give either data or moments; got " + ("neither." if data is None else "both."))
    if moments is not None and (estimator != "ML" or missing != "listwise" or group is not None):
        raise ParameterError(
            "moments alone carry estimator 'ML' without missing values; MLM, MLR, 'fiml' and 'pairwise' need the rows."
        )
    if (weights is not None or cluster is not None) and (estimator != "MLR" or bootstrap):
        raise ParameterError(
            "weights and clusters take estimator 'MLR' and no bootstrap: other standard errors do not hold."
        )
    if missing == "pairwise" and (estimator != "ML" or bootstrap):
        raise ParameterError("missing='pairwise' takes estimator 'ML' and no bootstrap: the others need whole rows.")
    if missing == "fiml" and mean_structure is False:
        raise ParameterError("missing='fiml' models the means of incomplete rows; leave mean_structure None or True.")
    group_equal = (group_equal,) if isinstance(group_equal, str) else tuple(group_equal or ())
    ordered = ordered if ordered is None or isinstance(ordered, bool | str) else list(ordered)
    grouped = group is not None or isinstance(moments, list | tuple)
    _check_unused(bool(ordered), grouped, group_equal, parameterization)
    options: FitOptions = {
        "missing": missing,
        "group": group,
        "group_equal": group_equal,
        "std_lv": std_lv,
        "mean_structure": mean_structure,
        "cluster": cluster,
        "weights": weights if weights is None or isinstance(weights, str) else "weights",
    }
    parsed = parse(model)
    if (estimator in ("DWLS", "WLSMV")) != bool(ordered):
        raise ParameterError(
            f"estimator {estimator!r} with ordered={ordered!r}; DWLS and WLSMV fit ordered items, the others do not."
        )
    roles = find_roles(parsed.terms)
    check_terms(parsed.terms, roles, bool(ordered))
    if ordered:
        refuse(parsed.constraints, "ordered items")
        if data is None or missing != "listwise" or mean_structure is not None:
            raise ParameterError("ordered items need data and missing='listwise', and take no mean_structure.")
        result = fit_ordinal(model, parsed, data, ordered, estimator, {**options, "parameterization": parameterization})
        return _with_draws(result, bootstrap, seed, workers, progress)
    means = True if (missing == "fiml" or cluster is not None) and mean_structure is None else mean_structure
    complete: tuple[str, ...] = ()
    if moments is None:
        if missing != "listwise" and roles.covariates:  # those that are fixed must be whole
            count = data[group].nunique() if isinstance(data, pd.DataFrame) and group in data.columns else 1
            complete = build(parsed, groups=int(count), means=means).fixed_covariates
        sample = read(
            data, roles.observed, group=group, missing=missing, complete=complete, weights=weights, cluster=cluster
        )
    else:
        sample = from_moments(moments, roles.observed)
        if any(one.means is None for one in (moments if isinstance(moments, list | tuple) else [moments])):
            if means:
                raise ParameterError("mean_structure=True with moments that hold no means; give means in Moments(...).")
            means = False
    if estimator == "MLM" and sample.missing:
        raise ParameterError("estimator 'MLM' with incomplete rows; MLM needs complete data, MLR takes missing='fiml'.")
    table = build(parsed, groups=len(sample.groups), group_equal=group_equal, std_lv=std_lv, means=means)
    result = replace(estimate(model, table, sample, estimator, missing == "fiml"), options=options)
    return _with_draws(result, bootstrap, seed, workers, progress)


def _check_unused(ordered: bool, grouped: bool, group_equal: tuple[str, ...], parameterization: str) -> None:
    """Refuse what would have no effect."""
    one_of("parameterization", parameterization, PARAMETERIZATIONS)
    if not ordered and (parameterization != "delta" or "thresholds" in group_equal):
        what = "group_equal 'thresholds'" if parameterization == "delta" else f"parameterization {parameterization!r}"
        raise ParameterError(f"{what} without ordered items; name them in ordered=... with estimator 'WLSMV'.")
    if group_equal and not grouped:
        raise ParameterError(f"group_equal {', '.join(group_equal)!r} without groups; name their column in group=....")


def _with_draws(
    result: SemFit, draws: int, seed: int | None, workers: int, progress: Callable[[int, int], None] | None
) -> SemFit:
    """Return the fit, with a bootstrap where draws are asked for; warn where there is no solution, or no test of it."""
    if not (result.converged and result.identified and result.sample.settled):
        warnings.warn(result.problems[0], FitWarning, stacklevel=3)
    if not draws or not result.converged:
        return result
    drawn = resample(result, draws, seed=seed, workers=workers, progress=progress)
    return replace(result, vcov=np.atleast_2d(np.cov(drawn.draws.T)), draws=drawn)


def estimate(model: str, table: ParameterTable, sample: Sample, estimator: str, observed: bool = False) -> SemFit:
    """Fit a parameter table to a sample; standard errors rest on the expected information or the ``observed`` one."""
    parts, patterns = blocks(table), tuple(g.patterns for g in sample.groups)
    bases = tuple(b.base(g.covariance, g.mean) for b, g in zip(parts, sample.groups, strict=True))
    problem = Likelihood(parts, patterns, bases, len(table.keys), Constraints.of(table))
    first = start_values(table, sample)
    if not np.isfinite(problem.value(first[None])).all():
        raise ParameterError(
            "the start values and fixed numbers imply no covariance matrix: variables drive each other in a cycle "
            "without a solution, or a fixed covariance exceeds its variances; change the fixed numbers or give "
            "start(...)*."
        )
    tolerance = 1e-10 if problem.constraints is None else 1e-18
    solution = settle(problem, table, lambda given: start_values(table, sample, given) if given else first, tolerance)
    problem, solution, active = enforce(problem, solution, table)
    observed = observed or estimator == "MLR"
    gradient, hessian = (x[0] for x in problem.derivatives(solution.theta[None], observed=observed))
    curvature = covariance(hessian, free_directions(problem, solution.theta), bool(solution.converged))
    solution = replace(solution, gradient=np.abs(gradient @ curvature.basis).max(initial=0.0))
    saturated, baseline = robust.reference_values(problem, sample)
    usable = bool(solution.converged) and curvature.identified
    vcov = curvature.inverse
    test = _test(sample, table, float(solution.value) - saturated, curvature.directions + len(active))
    free = (len(sample.names) - len(table.fixed_covariates)) * (1 + table.means) * table.groups
    base = _test(sample, table, baseline - saturated, free)
    if estimator != "ML" and usable:
        meat = robust.meat(problem, sample, solution.theta, estimator)
        test = robust.scaled(test, problem, sample, solution.theta, vcov, meat, estimator)
        vcov = vcov @ meat @ vcov
        other, theta = robust.baseline(problem, sample)
        inner = covariance(other.derivatives(theta[None], observed=observed)[1][0], np.eye(len(theta))).inverse
        meat = robust.meat(other, sample, theta, estimator)
        base = robust.scaled(base, other, sample, theta, inner, meat, estimator)
    which, vcov = "observed" if observed else "expected", vcov / sample.nobs
    return SemFit(
        model, estimator, which, table, sample, problem, solution, curvature, vcov, test, base, saturated, active=active
    )


def _test(sample: Sample, table: ParameterTable, gap: float, npar: int) -> TestStatistic:
    p, x = len(sample.names), len(table.fixed_covariates)
    moments = (p * (p + 1) - x * (x + 1)) // 2 + (p - x if table.means else 0)
    return TestStatistic(2 * sample.nobs * gap, len(sample.groups) * moments - npar)
