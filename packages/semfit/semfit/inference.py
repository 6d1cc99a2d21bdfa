"""What the estimates' covariance matrix says: standard errors, identification, functions of parameters, constraints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy import linalg, special
from scipy.linalg import lapack

from semfit.errors import ParameterError
from semfit.estimate import Likelihood, Problem, Solution, minimise
from semfit.expressions import Expression, Inequality, jacobian
from semfit.model import Array
from semfit.table import ParameterTable

SLACK = 1e-9  # below zero, from which on an inequality counts as violated


@dataclass(frozen=True)
class Constraints:
    """The ``==`` lines of a model as a function of the free parameters that must be zero."""

    expressions: tuple[Expression, ...]
    position: Mapping[str, int]
    numbers: Mapping[str, float]

    @classmethod
    def of(cls, table: ParameterTable) -> Constraints | None:
        """Return the equality constraints of a table, None where it has none."""
        equal = tuple(c for c in table.constraints if not isinstance(c, Inequality))
        return cls(equal, *labelled(table)) if equal else None

    def __call__(self, theta: Array) -> Array:
        """Return what must be zero, shape (..., h)."""
        values = {name: theta[..., k] for name, k in self.position.items()} | dict(self.numbers)
        parts = [np.broadcast_to(expression(values), theta.shape[:-1]) for expression in self.expressions]
        return np.stack(parts, -1)


def labelled(table: ParameterTable) -> tuple[dict[str, int], dict[str, float]]:
    """Return where each label stands among the free parameters, and the numbers of labels that are fixed."""
    position = {row.label: table.position[row.key] for row in table.rows if row.label and row.free}
    return position, {row.label: row.value for row in table.rows if row.label and row.value is not None}


def with_defined(table: ParameterTable, values: Array) -> Array:
    """Return values of the table's rows (..., rows), and behind them those of the parameters defined by ``:=``."""
    of_rows = [(row.label, values[..., k]) for k, row in enumerate(table.rows) if row.label]
    named = dict(reversed(of_rows))  # the first of several, whose standardised values differ
    for name, expression in table.defined.items():  # by labels and earlier definitions
        named[name] = np.broadcast_to(expression(named), values.shape[:-1])
    return np.concatenate([values, *(named[name][..., None] for name in table.defined)], -1)


def z_tests(est: Array, se: Array, level: float = 0.95, least: float = 0.0) -> dict[str, Array]:
    """Return z, its two-sided p value, null 0, and the ends of normal intervals; no test of what varies no more."""
    z = np.divide(est, se, out=np.full_like(est, np.nan), where=se > least)
    half = special.ndtri((1 + level) / 2) * se
    return {"z": z, "pvalue": 2 * special.ndtr(-np.abs(z)), "ci_low": est - half, "ci_high": est + half}


def delta_errors(J: Array, covariance: Array) -> Array:
    """Return the standard errors of functions with Jacobian J; zero where rounding is all that is left of one."""
    variance = np.einsum("ij,jk,ik->i", J, covariance, J)
    most = (np.abs(J) @ np.sqrt(np.diag(covariance))) ** 2  # were all estimates perfectly correlated
    return np.sqrt(np.where(variance < 1e-15 * most, 0.0, variance))


def free_directions(problem: Problem, theta: Array) -> Array:
    """Return an orthonormal basis of the directions in which the constraints let the parameters move.

    Parameters
    ----------
    problem : Likelihood or LeastSquares
        With q parameters and, perhaps, constraints.
    theta : array, shape (q,)
        Where the constraints are linearised.

    Returns
    -------
    array, shape (q, q - h)
        With h the constraints that do not follow from the others.
    """
    if problem.constraints is None:
        return np.eye(problem.q)
    J = jacobian(problem.constraints, theta)
    free = linalg.null_space(J, rcond=1e-9)
    return np.where(np.abs(free) < 1e-14, 0.0, free)  # so that what a constraint fixes has no standard error


@dataclass(frozen=True)
class Covariance:
    """The inverse information of one observation in the free directions, and whether it exists.

    ``rank`` counts the directions in which the information is positive; the model is locally identified where it equals
    ``directions``.
    """

    inverse: Array
    basis: Array
    rank: int
    directions: int

    @property
    def identified(self) -> bool:
        """Whether the information has full rank."""
        return self.rank == self.directions


def covariance(information: Array, basis: Array, converged: bool = True) -> Covariance:
    """Invert an information matrix in the free directions.

    Parameters
    ----------
    information : array, shape (q, q)
        Of one observation.
    basis : array, shape (q, q - h)
        Orthonormal, of the free directions.
    converged : bool
        Whether the information is that of a solution.

    Returns
    -------
    Covariance
        Its inverse is nan without a solution and where an eigenvalue, scaled to a unit diagonal, is not above 1e-9.

    Examples
    --------
    >>> covariance(np.diag([4.0, 16.0]), np.eye(2)).inverse.tolist()
    [[0.25, 0.0], [0.0, 0.0625]]
    """
    whole = np.array_equal(basis, np.eye(len(basis)))  # nothing is constrained
    inner = information if whole else basis.T @ information @ basis
    scale = np.sqrt(np.maximum(np.diag(inner), 1e-300))
    correlation, size = inner / np.outer(scale, scale), len(inner)
    try:
        inverse = np.tril(lapack.dpotri(np.linalg.cholesky(correlation), lower=True)[0])
        inverse = inverse + np.tril(inverse, -1).T
    except np.linalg.LinAlgError:
        inverse = np.full_like(correlation, np.inf)
    rank = size
    if not np.linalg.norm(inverse) < 1e8:  # else no eigenvalue is below 1e-8, as it is at least one over this norm
        rank = int((np.linalg.eigvalsh(correlation) > 1e-9).sum()) if np.isfinite(correlation).all() else 0
    if rank < size or not converged:
        return Covariance(np.full(information.shape, np.nan), basis, rank, size)
    inner = inverse / np.outer(scale, scale)
    return Covariance(inner if whole else basis @ inner @ basis.T, basis, rank, size)


@dataclass(frozen=True)
class TestStatistic:
    """A chi-square statistic, its degrees of freedom and, where there is one, the scaling that robustness asks for."""

    __test__ = False  # not for pytest

    chisq: float
    df: int
    scaling: float | None = None
    shift: float = 0.0

    @property
    def factor(self) -> float:
        """What ``chisq`` is divided by: ``scaling``, or 1 where there is none."""
        return 1.0 if self.scaling is None else self.scaling

    @property
    def scaled(self) -> float:
        """The scaled statistic, chisq / factor + shift."""
        return self.chisq / self.factor + self.shift

    def pvalue(self, scaled: bool = False) -> float:
        """Probability of a larger value if the model holds; nan without degrees of freedom."""
        chisq = max(self.scaled if scaled else self.chisq, 0.0)
        return float(special.chdtrc(self.df, chisq)) if self.df > 0 else np.nan


def refuse(constraints: tuple, what: str) -> None:
    """Raise where there are inequality constraints, naming the first and what does not take them."""
    for c in constraints:
        if isinstance(c, Inequality):
            raise ParameterError(f"{what} with the constraint {c.said!r}; inequalities take one fit by ML, MLM or MLR.")


def enforce(
    problem: Likelihood, solution: Solution, table: ParameterTable
) -> tuple[Likelihood, Solution, tuple[str, ...]]:
    """Move a minimum to where the model's inequality constraints hold.

    An active-set search: the most violated constraint becomes an equality, one whose multiplier says that f falls on
    its inner side is let go, until neither happens (Nocedal & Wright 2006, Numerical Optimization, section 16.5,
    doi:10.1007/978-0-387-40065-5).

    Parameters
    ----------
    problem : Likelihood
        With the model's equality constraints.
    solution : Solution
        Its minimum.
    table : ParameterTable
        With the inequalities, if there are any.

    Returns
    -------
    problem, solution, active
        With the active constraints among the equalities, and these as they were written. Without a minimum that meets
        all constraints the solution is marked as not converged.
    """
    bounds, (position, numbers) = [c for c in table.constraints if isinstance(c, Inequality)], labelled(table)
    equal = tuple(c for c in table.constraints if c not in bounds)
    held = problem
    active: list[Inequality] = []
    tried: list[set[Inequality]] = [set()]
    while bounds and solution.converged:
        slack = Constraints(tuple(bounds), position, numbers)(solution.theta)
        pull = np.zeros(0)  # by how much f would rise for each unit that a constraint's left side rises above zero
        if held.constraints is not None:
            gradient = held.derivatives(solution.theta[None])[0][0]
            pull = np.linalg.lstsq(jacobian(held.constraints, solution.theta).T, gradient, rcond=None)[0][len(equal) :]
        if len(pull) and pull.min() < 0:
            active.pop(int(pull.argmin()))
        elif slack.min() < -SLACK:
            active.append(bounds[int(slack.argmin())])
        else:
            break
        if set(active) in tried:
            solution = replace(solution, converged=np.array(False))
            break
        tried.append(set(active))
        constraints = Constraints((*equal, *active), position, numbers) if equal or active else None
        held = replace(problem, constraints=constraints)
        solution = minimise(held, solution.theta)
    return held, solution, tuple(c.said for c in active)
