"""Score tests: what freeing a fixed parameter, or letting go an equality across groups, would gain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations, permutations, product

import numpy as np
import pandas as pd
from scipy import stats

from semfit.estimate import Problem
from semfit.least_squares import LeastSquares, ResponseBlock
from semfit.model import Array, Block
from semfit.solved import Solved
from semfit.table import RESPONSE, Parameter, cell


def modification_indices(fit: Solved) -> pd.DataFrame:
    """Return the score test of every parameter the model leaves out.

    Candidates are what the model fixes, cross-loadings, covariances of residuals and of latent variables, and, where
    the model has regressions, paths among their variables. Those that could not be identified beside the others are
    left out.

    Parameters
    ----------
    fit : SemFit
        A fit by ML, MLM or MLR that converged and is identified.

    Returns
    -------
    pandas.DataFrame
        lhs, op, rhs, group, mi (chi2 with one degree of freedom), pvalue, epc (expected change of the parameter),
        epc_std (the same in standard deviations of the variables), largest first; and but for ordered items chisq, cfi
        and rmsea as they would be, about, with the parameter free.

    References
    ----------
    Sörbom (1989), doi:10.1007/BF02294623; Saris, Satorra & van der Veld (2009), doi:10.1080/10705510903203433.
    """
    candidates = [row for k in range(1, fit.table.groups + 1) for row in _candidates(fit, k)]
    found = score_tests(fit, candidates).sort_values("mi", ascending=False, ignore_index=True)
    if fit.ordinal:
        return found
    df, base = fit.test.df - 1, fit.baseline
    over = np.maximum(fit.test.chisq - found["mi"] - df, 0.0)
    worst = np.maximum(over, max(base.chisq - base.df, 0.0))
    rmsea = np.sqrt(over * fit.table.groups / (fit.divisor * df)) if df > 0 else 0.0 * over
    cfi = 1.0 - np.divide(over, worst, out=np.zeros(len(over)), where=worst > 0)
    return found.assign(chisq=fit.test.chisq - found["mi"], cfi=cfi, rmsea=rmsea)


def _candidates(fit: Solved, group: int) -> list[Parameter]:
    """All parameters a group's table does not hold."""
    table, roles = fit.table, fit.table.roles
    have = {(row.lhs, row.op, row.rhs) for row in table.rows if row.group == group}
    have |= {(rhs, op, lhs) for lhs, op, rhs in have if op == "~~"}
    items = [n for n in roles.observed if any(r.op == "=~" and r.rhs == n for r in table.rows)]
    inside = [n for n in roles.observed if n not in table.fixed_covariates]
    structural = list(dict.fromkeys(n for row in table.rows if row.op == "~" for n in (row.lhs, row.rhs)))
    wanted = [(latent, "=~", item) for latent, item in product(roles.latent, items)]
    wanted += [(a, "~~", b) for a, b in [*combinations(inside, 2), *combinations(roles.latent, 2)]]
    wanted += [(a, "~", b) for a, b in permutations(structural, 2) if a not in table.fixed_covariates]
    fixed = [
        row
        for row in table.rows
        if row.group == group
        and row.value is not None
        and row.op not in RESPONSE
        # lavaan's sem() fixes the intercepts of ordered items itself
        and (row.user or fit.ordinal and row.op == "~1" and row.lhs in roles.observed)
    ]
    return fixed + [Parameter(*relation, group, value=0.0) for relation in wanted if relation not in have]


def score_tests(fit: Solved, rows: Sequence[Parameter]) -> pd.DataFrame:
    """Test, one at a time, that each row's parameter is what the model holds it to be.

    Null hypothesis of ``mi``: the restriction holds. The information is that of the fit's standard errors. For DWLS and
    WLSMV ``mi`` is lavaan's, which takes the weights for optimal and is no chi2; for WLSMV ``mi_robust`` is one (the
    generalised score test: Boos 1992, The American Statistician 46, 327-333), and ``pvalue`` is its.

    Parameters
    ----------
    fit : SemFit
        A fit that converged and is identified.
    rows : sequence of Parameter
        Parameters to free, or to part from others that carry the same key.

    Returns
    -------
    pandas.DataFrame
        lhs, op, rhs, group, mi (chi2 with one degree of freedom), pvalue, epc (expected change of the parameter),
        epc_std (in standard deviations of the variables) and, for WLSMV, mi_robust; without those that could not be
        identified.

    References
    ----------
    Sörbom (1989), doi:10.1007/BF02294623.
    """
    problem, theta, positions = _extended(fit, rows)
    gradient, hessian = problem.derivatives(theta[None], observed=fit.information == "observed")
    q, inverse = fit.problem.q, fit.curvature.inverse
    gradient = gradient[0] * fit.divisor / fit.nobs
    g = gradient[q:] - hessian[0, q:, :q] @ inverse @ gradient[:q]
    own = np.diag(hessian[0])[q:]
    variance = own - np.einsum("ij,jk,ik->i", hessian[0, q:, :q], inverse, hessian[0, q:, :q])
    usable = variance > 1e-8 * own
    with np.errstate(divide="ignore", invalid="ignore"):
        mi, epc = fit.nobs * g**2 / variance, -g / variance
    chisq = mi
    if isinstance(problem, LeastSquares) and fit.estimator == "WLSMV":
        toward = np.hstack([-hessian[0, q:, :q] @ inverse, np.eye(len(rows))])
        spread = np.einsum("ij,jk,ik->i", toward, problem.meat(theta), toward)
        chisq = fit.nobs * np.divide(g**2, spread, out=np.full_like(g, np.nan), where=usable)
    unit = np.array([_unit(fit, row, positions.get(k)) for k, row in enumerate(rows)])
    relations = [(row.lhs, row.op, row.rhs, row.group) for row in rows]
    frame = pd.DataFrame(relations, columns=["lhs", "op", "rhs", "group"])
    frame = frame.assign(mi=mi, pvalue=stats.chi2.sf(chisq, 1), epc=epc, epc_std=epc * unit, mi_robust=chisq)
    frame = frame[usable].reset_index(drop=True)
    return frame if fit.estimator == "WLSMV" else frame.drop(columns="mi_robust")


def _extended(fit: Solved, rows: Sequence[Parameter]) -> tuple[Problem, Array, dict[int, tuple[bool, int, int]]]:
    """Add a free parameter for every row: the value its cell has now, or what is added to a threshold or scale."""
    names = fit.problem.blocks[0].names
    at = {name: k for k, name in enumerate(names)}
    cells = {k: cell(row, at) for k, row in enumerate(rows) if row.op not in RESPONSE}
    problem, values = fit.problem, np.zeros(len(rows))
    matrices = [block.matrices(fit.theta, base) for block, base in zip(problem.blocks, problem.bases, strict=True)]
    for k, (path, i, j) in cells.items():
        values[k] = matrices[rows[k].group - 1][0 if path else 1][i, j]
    theta, q = np.concatenate([fit.theta, values]), problem.q

    def wider(block: Block, group: int) -> Block:
        added = [(*cells[k], q + k) for k in cells if rows[k].group == group]
        path, i, j, own = np.array(added, dtype=int).reshape(-1, 4).T
        if isinstance(block, ResponseBlock):
            other = {q + k: row for k, row in enumerate(rows) if row.group == group and row.op in RESPONSE}
            block = block.extended(len(theta), other)
        return replace(
            block,
            path=np.append(block.path, path.astype(bool)),
            row=np.append(block.row, i),
            column=np.append(block.column, j),
            theta=np.append(block.theta, own),
        )

    parts: tuple = tuple(wider(block, group) for group, block in enumerate(problem.blocks, start=1))
    return replace(problem, blocks=parts, q=len(theta), constraints=None), theta, cells


def _unit(fit: Solved, row: Parameter, where: tuple[bool, int, int] | None) -> float:
    """What turns a change of the parameter into standard deviations."""
    block, base = fit.problem.blocks[row.group - 1], fit.problem.bases[row.group - 1]
    sd = np.sqrt(np.maximum(np.diag(block.implied(fit.theta, base).covariance), 0.0))
    if where is None:
        return float(1 / sd[block.names.index(row.lhs)]) if row.op == "|" else np.nan
    path, i, j = where
    with np.errstate(divide="ignore", invalid="ignore"):
        if path:
            return float((1.0 if block.names[j] == "1" else sd[j]) / sd[i])
        residual = np.sqrt(np.diag(block.matrices(fit.theta, base)[1]))
        return float(1 / (residual[i] * residual[j]))
