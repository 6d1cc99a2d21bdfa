"""Hold a solved model: what was fitted to what, where the minimisation ended, and what that says by itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypedDict

import numpy as np
import pandas as pd

from semfit.estimate import Problem, Solution
from semfit.inference import Covariance, TestStatistic, with_defined
from semfit.model import Array
from semfit.moments import Sample
from semfit.table import Parameter, ParameterTable

TEXT = pd.Series([""]).dtype


class ItemOptions(TypedDict, total=False):
    """Keywords of :func:`semfit.fit` that say what the rows are and how they are fitted."""

    estimator: str
    missing: str
    ordered: bool | Sequence[str] | None
    group: str | None
    group_equal: Sequence[str]
    mean_structure: bool | None
    parameterization: str
    weights: str | Sequence[float] | None
    cluster: str | None


class FitOptions(ItemOptions, total=False):
    """All keywords of :func:`semfit.fit` but data and moments."""

    std_lv: bool
    bootstrap: int
    seed: int | None
    workers: int
    progress: Callable[[int, int], None] | None


@dataclass(frozen=True)
class Solved:
    """A structural equation model, a sample, and the parameters at which they agree.

    Parameters
    ----------
    model : str
        The model as written.
    estimator, information : str
        How it was estimated, and which information matrix the standard errors rest on.
    table : ParameterTable
        Every parameter.
    sample : Sample
        What it was fitted to.
    problem : Likelihood or LeastSquares
        Discrepancy of model and sample.
    solution : Solution
        Where the minimisation ended.
    curvature : Covariance
        Inverse information per observation and its rank.
    vcov : array, shape (q, q)
        Covariance matrix of the free parameters; nan where the model is not identified or did not converge.
    test, baseline : TestStatistic
        Chi-square of the model and of the model without relations.
    saturated : float
        Discrepancy of the unrestricted model.
    options : mapping
        The options of the call that are lavaan's too.
    active : tuple of str
        Inequality constraints at whose bound the estimates lie; standard errors hold them as equalities, df does not.
    """

    model: str
    estimator: str
    information: str
    table: ParameterTable
    sample: Sample
    problem: Problem
    solution: Solution
    curvature: Covariance
    vcov: Array
    test: TestStatistic
    baseline: TestStatistic
    saturated: float
    options: FitOptions = field(default_factory=FitOptions)
    active: tuple[str, ...] = ()

    @property
    def theta(self) -> Array:
        """The free parameters, in the order of ``table.keys``; nan without a solution."""
        return self.solution.theta if self.converged else np.full_like(self.solution.theta, np.nan)

    @property
    def npar(self) -> int:
        """Number of free parameters less the equality constraints among them."""
        return self.curvature.directions + len(self.active)

    @property
    def nobs(self) -> int:
        """Observations used."""
        return self.sample.nobs

    @property
    def ordinal(self) -> bool:
        """Whether it was fitted to ordered items."""
        return self.estimator in ("DWLS", "WLSMV")

    @property
    def divisor(self) -> int:
        """What chi2 is a multiple of: N, less the number of groups for DWLS and WLSMV."""
        return self.nobs - self.table.groups if self.ordinal else self.nobs

    @property
    def converged(self) -> bool:
        """Whether the minimisation came to a point where the gradient vanishes."""
        return bool(self.solution.converged)

    @property
    def identified(self) -> bool:
        """Whether the information matrix has full rank at the solution."""
        return self.curvature.identified

    @property
    def rows(self) -> tuple[Parameter, ...]:
        """The table's rows, group by group."""
        return self.table.rows

    @cached_property
    def values(self) -> Array:
        """Value of every row, then of every defined parameter."""
        return self.values_at(self.theta)

    def values_at(self, theta: Array) -> Array:
        """Return ``values`` at other parameters, such as draws: (..., npar) to (..., parameters), complex too."""
        at = {name: k for k, name in enumerate(self.sample.names)}
        out = np.empty((*theta.shape[:-1], len(self.rows)), dtype=theta.dtype)
        for k, row in enumerate(self.rows):
            group = self.sample.groups[row.group - 1]
            if row.free:
                out[..., k] = theta[..., self.table.position[row.key]]
            elif row.implied:
                block, base = self.problem.blocks[row.group - 1], self.problem.bases[row.group - 1]
                own, scaled = block.names.index(row.lhs), row.op == "~*~"
                variances = block.implied(theta, base).covariance if scaled else block.matrices(theta, base)[1]
                out[..., k] = variances[..., own, own] ** (-0.5 if scaled else 1)
            elif row.exogenous:
                out[..., k] = group.mean[at[row.lhs]] if row.op == "~1" else group.covariance[at[row.lhs], at[row.rhs]]
            else:
                out[..., k] = row.value
        return with_defined(self.table, out)

    def standardized_at(self, theta: Array) -> Array:
        """Return the standardised solution ("std.all") at other parameters, such as draws or the steps of a derivative.

        Loadings and regressions are multiplied by the predictor's and divided by the outcome's standard deviation;
        variances are divided by the implied variance, covariances by the standard deviations of the two (residual)
        terms.

        Parameters
        ----------
        theta : array, shape (..., npar)
            In the order of ``table.keys``; complex values pass through, which is what :func:`semfit.jacobian` asks for.

        Returns
        -------
        array, shape (..., parameters)
            ``std_all`` of the lines of ``estimates``.
        """
        parts = [_standardized(self.table, self.problem, theta, k) for k in range(self.table.groups)]
        return with_defined(self.table, np.concatenate(parts, -1))

    @cached_property
    def explained(self) -> list[dict[str, float]]:
        """By group, R2 of every variable that something predicts: 1 - residual variance / implied variance.

        Below 0 where an implied variance is too small.
        """
        out = []
        for block, base in zip(self.problem.blocks, self.problem.bases, strict=True):
            A, S = block.matrices(self.theta, base)
            C = block.implied_by(A, S).covariance
            causes = A != 0
            causes[block.row[block.path], block.column[block.path]] = True
            causes[:, block.observed : block.observed + block.means] = False  # the constant explains nothing
            out.append({name: float(1 - S[i, i] / C[i, i]) for i, name in enumerate(block.names) if causes[i].any()})
        return out

    def frame(self, **columns: Array) -> pd.DataFrame:
        """Return what names each row and defined parameter, with columns beside it."""
        lines = [(row.lhs, row.op, row.rhs, row.label, row.group) for row in self.rows]
        lines += [(name, ":=", one.text, name, 0) for name, one in self.table.defined.items()]
        *texts, groups = zip(*lines, strict=True)
        every = np.array([x for own in texts for x in own], dtype=object)
        text = pd.array(every, dtype=TEXT)  # in one go: to read four columns takes longer
        parts = (text[k : k + len(lines)] for k in range(0, len(text), len(lines)))
        names = dict(zip(("lhs", "op", "rhs", "label"), parts, strict=True))
        numbers = {"group": groups} | columns
        return pd.DataFrame(names | {name: np.array(own) for name, own in numbers.items()}, copy=False)


def _standardized(table: ParameterTable, problem: Problem, theta: Array, k: int) -> Array:
    """Return the rows of group k in standard deviations of the variables, see ``Solved.standardized_at``."""
    block, base = problem.blocks[k], problem.bases[k]
    A, S = block.matrices(theta, base)
    variance = np.diagonal(block.implied_by(A, S).covariance, axis1=-2, axis2=-1).copy()
    if block.means:
        variance[..., block.observed] = 1.0
    total, own = _root(variance), _root(np.diagonal(S, axis1=-2, axis2=-1))
    diagonal = np.arange(block.n)
    with np.errstate(invalid="ignore", divide="ignore"):  # at variables without variance, whose cells no row asks for
        directed = A * total[..., None, :] / total[..., :, None]
        symmetric = S / (own[..., :, None] * own[..., None, :])
        symmetric[..., diagonal, diagonal] = S[..., diagonal, diagonal] / variance
    placed = [(row, cell) for row, cell in zip(table.rows, table.cells, strict=True) if row.group == k + 1]
    path, i, j = np.array([cell for _, cell in placed]).T
    out = np.where(path, directed[..., i, j], symmetric[..., i, j])
    for place, (row, _) in enumerate(placed):
        if row.op == "~*~":
            out[..., place] = 1.0
        elif row.op == "|":  # a point on the response's scale
            value = theta[..., table.position[row.key]] if row.free else row.value
            out[..., place] = value / total[..., block.names.index(row.lhs)]
    return out


def _root(x: Array) -> Array:
    """Square root; nan where the real part is not positive, so that a negative variance is not dressed up."""
    with np.errstate(invalid="ignore"):
        return np.where(x.real > 0, np.sqrt(x), np.nan)
