"""What a model leaves of the sample moments, with the standard errors that tell noise from misfit."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import linalg

from semfit import robust
from semfit.columns import correlation
from semfit.least_squares import ResponseBlock
from semfit.model import Array
from semfit.solved import Solved


def residuals(fit: Solved) -> pd.DataFrame:
    """Return observed less implied moments and their standard errors.

    With V the information of the moments at what the model implies, D the model's derivatives and G the covariance
    matrix of the (saturated) sample moments, the residuals have covariance Q G Q' / N, Q = I - D (D' V D)^-1 D' V. V is
    the expected information, the observed one for MLR and incomplete data; G the normal-theory one, the sandwich for
    MLM and MLR: lavaan's ``lavResiduals(type = "raw")``.

    Returns
    -------
    pandas.DataFrame
        group, lhs, op, rhs, raw (the residual), cor (the difference of correlations), se and z of ``raw``; nan where
        the model fits a moment by construction, for ordered items and without a solution.

    References
    ----------
    Maydeu-Olivares (2017), doi:10.1007/s11336-016-9552-7.
    """
    errors = _errors(fit) if fit.converged and fit.identified and not fit.ordinal else None
    lines = []
    groups = zip(fit.problem.blocks, fit.problem.bases, fit.sample.groups, strict=True)
    for k, (block, base, group) in enumerate(groups):
        implied, names, p = block.implied(fit.theta, base), block.names, block.observed
        Sigma = block.correlations(fit.theta, base) if isinstance(block, ResponseBlock) else implied.covariance[:p, :p]
        S = group.covariance
        cor = correlation(S) - correlation(Sigma)
        se = np.full((p, p + 1), np.nan) if errors is None else errors[k]
        gaps = zip(*np.tril_indices(p), strict=True)
        cells = [(names[i], "~~", names[j], S[i, j] - Sigma[i, j], cor[i, j], se[i, j]) for i, j in gaps]
        if block.means and not fit.ordinal:
            cells += [(names[i], "~1", "", group.mean[i] - implied.mean[i], np.nan, se[i, p]) for i in range(p)]
        lines += [(group.label, *cell) for cell in cells]
    out = pd.DataFrame(lines, columns=["group", "lhs", "op", "rhs", "raw", "cor", "se"])
    return out.assign(z=out["raw"] / out["se"])


def _errors(fit: Solved) -> list[Array]:
    """Return by group the standard errors of residuals, (p, p + 1): below the diagonal, then means; else nan."""
    parts = []
    for block, group, base in zip(fit.problem.blocks, fit.sample.groups, fit.problem.bases, strict=True):
        full, implied, p = robust.saturated_block(block), block.implied(fit.theta, base), block.observed
        C, mean = implied.covariance[:p, :p], implied.mean[:p]
        V = robust.information(full, group.patterns, C, mean, fit.information == "observed")
        G = np.linalg.inv(robust.saturated_information(full, group))
        if fit.estimator in ("MLM", "MLR"):
            G = G @ robust.saturated_products(full, group) @ G
        share = group.patterns.nobs.sum() / fit.nobs
        parts.append((full, share * V, G / share))
    V, G = (linalg.block_diag(*(part[k] for part in parts)) for k in (1, 2))
    D = np.vstack(robust.moments_jacobian(fit.problem, fit.theta)) @ fit.curvature.basis
    Q = np.eye(len(V)) - D @ np.linalg.lstsq(D.T @ V @ D, D.T @ V, rcond=None)[0]
    variance = np.einsum("ij,jk,ik->i", Q, G, Q)
    se = np.sqrt(np.where(variance > 1e-12 * np.diag(G), variance, np.nan) / fit.nobs)
    out, at = [], 0
    for full, _, _ in parts:
        out.append(np.full((full.observed, full.observed + 1), np.nan))
        out[-1][full.row, full.column] = se[at : at + len(full.row)]
        at += len(full.row)
    return out
