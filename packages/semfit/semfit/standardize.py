"""Express a solution in standard deviations of its variables, with delta-method standard errors."""

from __future__ import annotations

import numpy as np

from semfit.estimate import Problem
from semfit.model import Array
from semfit.table import ParameterTable


def standardized(table: ParameterTable, problem: Problem, theta: Array, k: int) -> Array:
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


def delta_errors(J: Array, covariance: Array) -> Array:
    """Return the standard errors of functions with Jacobian J; zero where rounding is all that is left of one."""
    variance = np.einsum("ij,jk,ik->i", J, covariance, J)
    most = (np.abs(J) @ np.sqrt(np.diag(covariance))) ** 2  # were all estimates perfectly correlated
    return np.sqrt(np.where(variance < 1e-15 * most, 0.0, variance))


def explained(problem: Problem, theta: Array) -> list[dict[str, float]]:
    """Return R2 of every variable that something predicts: 1 - residual variance / implied variance.

    Parameters
    ----------
    problem : Likelihood or LeastSquares
        With a block and base for each group.
    theta : array, shape (q,)
        Free parameters.

    Returns
    -------
    list of dict
        By group, the share of variance explained by variable; below 0 where an implied variance is too small.
    """
    out = []
    for block, base in zip(problem.blocks, problem.bases, strict=True):
        A, S = block.matrices(theta, base)
        C = block.implied(theta, base).covariance
        causes = A != 0
        causes[block.row[block.path], block.column[block.path]] = True
        causes[:, block.observed : block.observed + block.means] = False  # the constant explains nothing
        out.append({name: float(1 - S[i, i] / C[i, i]) for i, name in enumerate(block.names) if causes[i].any()})
    return out
