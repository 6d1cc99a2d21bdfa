"""Compare nested models and test hypotheses about parameters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import linalg, stats

from semfit.errors import NotTestable, ParameterError, one_of
from semfit.expressions import jacobian
from semfit.inference import Constraints, covariance, labelled
from semfit.least_squares import LeastSquares
from semfit.model import Array
from semfit.report import Shown
from semfit.robust import meat, scaled
from semfit.syntax import parse_constraints, unordered

METHODS = ("standard", "satorra.bentler.2001", "satorra.bentler.2010", "satorra.2000")


@dataclass(frozen=True)
class HypothesisStatistic:
    """A chi-square statistic of a null hypothesis stated in words."""

    null: str
    chisq: float
    df: int
    pvalue: float
    method: str


def difference(restricted: Shown, full: Shown, method: str | None = None) -> HypothesisStatistic:
    """Test whether the restrictions of the smaller of two nested models hold.

    Parameters
    ----------
    restricted, full : SemFit
        Fits to the same data by the same estimator; every distribution the first allows, the second allows too. That is
        the caller's to know; only the degrees of freedom can be checked.
    method : str, optional
        One of ``METHODS``. By default "standard" for ML, "satorra.bentler.2001" for MLM and MLR, and "satorra.2000" for
        WLSMV, where the difference of scaled statistics is no chi-square.

    Raises
    ------
    ParameterError
        Where the two cannot be compared.

    References
    ----------
    Satorra & Bentler (2001), doi:10.1007/BF02296192; (2010), doi:10.1007/s11336-009-9135-y; Satorra (2000), in
    Heijmans, Pollock & Satorra (eds), Innovations in multivariate statistical analysis, 233-247.
    """
    default = {"ML": METHODS[0], "MLM": METHODS[1], "MLR": METHODS[1]}.get(full.estimator, "satorra.2000")
    method = default if method is None else method
    one_of("difference test", method, METHODS)
    _check_pair(restricted, full, method)
    df = restricted.test.df - full.test.df
    gap = 2 * full.divisor * float(restricted.solution.value - full.solution.value)
    if isinstance(restricted.problem, LeastSquares) and isinstance(full.problem, LeastSquares):  # "satorra.2000"
        inside = _stacked(restricted.problem, restricted.theta)[0] @ restricted.curvature.basis
        chisq = _satorra_2000(inside, full.curvature.inverse, _stacked(full.problem, full.theta), gap, df)
    else:
        chisq = gap / _scaling(restricted, full, df, method)
    null = f"the {df} restriction{'s' if df > 1 else ''} of the smaller model hold{'' if df > 1 else 's'}"
    return HypothesisStatistic(null, float(chisq), df, float(stats.chi2.sf(chisq, df)), method)


def compare(one: Shown, other: Shown) -> tuple[pd.DataFrame, HypothesisStatistic | NotTestable]:
    """Return the fit measures of two models, a column each and what the second changes; and the test between them.

    The one with more degrees of freedom is taken for the smaller; whether it is nested is the caller's to know.
    """
    measures = pd.DataFrame({"first": one.fit_measures, "second": other.fit_measures}).reindex(one.fit_measures.index)
    measures = measures.assign(change=measures["second"] - measures["first"])
    full, small = sorted((one, other), key=lambda fit: fit.test.df)
    try:
        return measures, difference(small, full)
    except ParameterError as why:
        return measures, NotTestable(str(why))


def _check_pair(restricted: Shown, full: Shown, method: str) -> None:
    if restricted.estimator != full.estimator or restricted.nobs != full.nobs:
        raise ParameterError(
            f"cannot compare a fit by {restricted.estimator} to {restricted.nobs} rows with one by {full.estimator} "
            f"to {full.nobs}; both must use the same estimator and rows."
        )
    other = set(restricted.sample.names) ^ set(full.sample.names)
    if other or not np.isclose(restricted.saturated, full.saturated, rtol=1e-6, atol=1e-6, equal_nan=True):
        raise ParameterError(
            "cannot compare fits to different data: "
            + (f"{min(other)} is in one of them only." if other else "their sample moments differ.")
        )
    if not (restricted.converged and full.converged and restricted.identified and full.identified):
        raise ParameterError("cannot compare fits of which one did not converge or is not identified.")
    if restricted.test.df <= full.test.df:
        raise ParameterError(
            f"the first model must have more degrees of freedom than the second; got {restricted.test.df} "
            f"and {full.test.df}."
        )
    if (method == "satorra.2000") != full.ordinal:
        raise ParameterError(
            f"method {method!r} with estimator {full.estimator!r}; 'satorra.2000' is for DWLS and WLSMV, "
            "the others are not for them."
        )
    if method.startswith("satorra.bentler") and full.estimator == "ML":
        raise ParameterError(f"method {method!r} needs fits by MLM or MLR; got ML.")
    if method == "standard" and full.estimator != "ML":
        raise ParameterError(f"the plain difference of chi2 is for ML; {full.estimator} needs a scaled one.")


def _scaling(restricted: Shown, full: Shown, df: int, method: str) -> float:
    """Return what the difference of the unscaled statistics is divided by."""
    if method == "standard":
        return 1.0
    inner = _scaling_at(full, restricted) if method == "satorra.bentler.2010" else full.test.factor
    factor = (restricted.test.df * restricted.test.factor - full.test.df * inner) / df
    if not factor > 0:  # nan: at the smaller model's estimates the larger one's information has no inverse
        other = METHODS[1] if method == METHODS[2] else METHODS[2]
        raise ParameterError(
            f"the scaling factor of the difference is {factor:.4f}, not positive, as strong misfit makes it; use "
            f"method {other!r}."
        )
    return factor


def _scaling_at(full: Shown, restricted: Shown) -> float:
    """Return the scaling factor of the larger model at the estimates of the smaller."""
    if full.test.df == 0:
        return 1.0
    found = zip(restricted.rows, restricted.values, strict=False)
    values = {(unordered(row.lhs, row.op, row.rhs), row.group): value for row, value in found}
    theta = dict.fromkeys(full.table.keys, 0.0)
    for row in full.rows:
        if row.free:
            theta[row.key] = values.get((unordered(row.lhs, row.op, row.rhs), row.group), 0.0)
    at = np.array(list(theta.values()))
    hessian = full.problem.derivatives(at[None], observed=full.information == "observed")[1][0]
    inverse = covariance(hessian, full.curvature.basis).inverse
    middle = meat(full.problem, full.sample, at, full.estimator)
    return scaled(full.test, full.problem, full.sample, at, inverse, middle, full.estimator).factor


def _satorra_2000(inside: Array, P: Array, full: tuple[Array, Array, Array], gap: float, df: int) -> float:
    """Return the scaled and shifted difference of two least-squares fits.

    ``inside`` is the smaller model's Jacobian in its free directions, ``P`` the larger one's inverse information.
    """
    J1, W, gamma = full
    A = linalg.null_space(np.linalg.lstsq(J1, inside, rcond=None)[0].T).T  # what the smaller model closes
    middle = P @ A.T @ np.linalg.solve(A @ P @ A.T, A @ P)
    UG = (W[:, None] * J1) @ middle @ (J1.T * W) @ gamma
    scale = np.sqrt(df / np.sum(UG * UG.T))
    return scale * gap + df - scale * np.trace(UG)


def _stacked(problem: LeastSquares, theta: Array) -> tuple[Array, Array, Array]:
    """Return Jacobian, weights and Gamma of all groups, each weighted by its share of the rows."""
    N = sum(problem.counts)
    shares = [n / N for n in problem.counts]
    J = np.vstack([problem.jacobian(theta, k) for k in range(len(shares))])
    W = np.concatenate([share * w for share, w in zip(shares, problem.weights, strict=True)])
    return J, W, linalg.block_diag(*(g / share for share, g in zip(shares, problem.gammas, strict=True)))


def wald(fit: Shown, constraints: str) -> HypothesisStatistic:
    """Test constraints among labelled parameters without refitting.

    Parameters
    ----------
    fit : SemFit
        A fit with labels; its covariance matrix of the estimates, robust or from resamples, is what the test uses.
    constraints : str
        Lines such as ``"a == b"`` or ``"a*b == 0"`` over the model's labels.

    Returns
    -------
    HypothesisStatistic
        With the constraints as null hypothesis and their number as degrees of freedom.

    Raises
    ------
    UnknownNameError, ParameterError
        For an unknown label, a fit without a solution, or constraints that repeat one another or the model's.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> import semfit
    >>> rng = np.random.default_rng(3)
    >>> x, z, e = rng.standard_normal((3, 200))
    >>> data = pd.DataFrame({"x": x, "z": z, "y": 0.5 * x + 0.5 * z + e})
    >>> test = wald(semfit.fit("y ~ a*x + b*z", data), "a == b")
    >>> test.null, test.df
    ('a == b', 1)
    """
    if not (fit.converged and fit.identified):
        raise ParameterError(f"no Wald test without a solution: {' '.join(fit.problems)}")
    expressions = parse_constraints(constraints)
    position, numbers = labelled(fit.table)
    for expression in expressions:
        for name in expression.names:
            one_of("label", name, [*position, *numbers])
    of = Constraints(expressions, position, numbers)
    h, J = of(fit.theta), jacobian(of, fit.theta)
    V, inside = J @ fit.vcov @ J.T, J @ fit.curvature.basis
    scale = np.linalg.norm(J, axis=1, keepdims=True)
    if np.linalg.matrix_rank(inside / np.where(scale > 0, scale, 1.0), tol=1e-9) < len(h):
        raise ParameterError(
            f"the constraints {constraints.strip()!r} repeat one another or hold in the model already."
        )
    chisq = float(h @ np.linalg.solve(V, h))
    null = "; ".join(line.strip() for line in constraints.replace(";", "\n").splitlines() if line.strip())
    return HypothesisStatistic(null, chisq, len(h), float(stats.chi2.sf(chisq, len(h))), "Wald")
