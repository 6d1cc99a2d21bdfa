"""Predict what nobody observed: each row's latent variables, from its observed ones (factor scores)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from semfit.columns import matrix, one_column
from semfit.errors import ParameterError, one_of
from semfit.model import Array, attempt
from semfit.solved import Solved

METHODS = ("regression", "bartlett")


def factor_scores(fit: Solved, data: pd.DataFrame | None = None, method: str = "regression") -> pd.DataFrame:
    """Return the expected value of every latent variable given a row's observed ones, or Bartlett's scores.

    With Sigma and mu what the model implies for the observed variables, C its covariances of latent with observed ones
    and a its latent means, eta = a + C Sigma^-1 (y - mu): the regression method of Thurstone and Thomson, lavaan's
    ``lavPredict``. Without a mean structure mu is the sample's mean and a is 0. Bartlett's, by least squares from the
    items alone, are unbiased given the latent variables: a + (L' S^-1 L)^-1 L' S^-1 (y - mu), with L the loadings of
    the items and S their implied covariances.

    Parameters
    ----------
    fit : SemFit
        A fit by ML, MLM or MLR.
    data : pandas.DataFrame, optional
        Rows to score, with the model's variables and the column of groups; by default those of the fit, group by group.
    method : {"regression", "bartlett"}
        Which.

    Returns
    -------
    pandas.DataFrame
        A column for each latent variable, the rows of ``data``. A row with missing values is scored from what it holds
        where the fit was by full information (``missing="fiml"``), else it is nan; so is all without a solution.

    Raises
    ------
    ParameterError
        For ordered items, for a fit to moments without means or rows, and for Bartlett's where an
        item has observed causes or a latent variable no items.
    UnknownNameError
        For another method, a variable that ``data`` lacks, or a group the fit does not know.

    References
    ----------
    Thomson (1938), Methods of estimating mental factors, doi:10.1038/141246a0; Bartlett (1937), British Journal of
    Psychology 28, 97-104.
    """
    one_of("method of factor scores", method, METHODS)
    groups, names = fit.sample.groups, list(fit.sample.names)
    if fit.ordinal:
        raise ParameterError("factor scores of ordered items are not linear in the answers; allowed: ML, MLM, MLR.")
    if any(group.rows is None and not group.mean.any() for group in groups):
        raise ParameterError("the fit is to moments without means; give them in Moments(...) to score rows.")
    if data is None:
        if any(group.rows is None for group in groups):
            raise ParameterError("the fit holds no rows; give those to score.")
        found = [_scores(fit, k, group.raw[0], method) for k, group in enumerate(groups)]
        return pd.concat(found, ignore_index=True)
    column = fit.options.get("group")
    for name in [*names, *([column] if column else [])]:
        one_of("variable in the data", name, data.columns)
    values, of = matrix(data, names), np.zeros(len(data), dtype=int)
    if column:
        place = {group.label: k for k, group in enumerate(groups)}
        labels = one_column(data, column).map(str)
        for label in sorted(set(labels)):
            one_of("group", label, place)
        of = labels.map(place).to_numpy()
    parts = [_scores(fit, k, values[of == k], method).set_axis(np.flatnonzero(of == k)) for k in range(len(groups))]
    return pd.concat(parts).sort_index().set_axis(data.index)


def _scores(fit: Solved, k: int, rows: Array, method: str) -> pd.DataFrame:
    """Score rows of one group, those that hold the same variables together."""
    block, group = fit.problem.blocks[k], fit.sample.groups[k]
    implied, p, first = block.implied(fit.theta, fit.problem.bases[k]), block.observed, block.observed + block.means
    mean = implied.mean if block.means else np.append(group.mean, np.zeros(block.n - first))
    out, paths = np.full((len(rows), block.n - first), np.nan), block.matrices(fit.theta, fit.problem.bases[k])[0]
    items = np.asarray(paths[:p, first:].any(1))
    if method == "bartlett" and (paths[:p, :p][items].any() or not paths[:p, first:].any(0).all()):
        raise ParameterError("Bartlett's scores take latent variables with items, and items without observed causes.")
    held, of = np.unique(~np.isnan(rows), axis=0, return_inverse=True)
    for j, mask in enumerate(held):
        seen = np.flatnonzero(mask)
        if fit.converged and fit.identified and (len(seen) == p or len(seen) and fit.options.get("missing") == "fiml"):
            mine, C = of.reshape(-1) == j, implied.covariance[np.ix_(seen, np.append(seen, range(first, block.n)))]
            S, weight = C[:, : len(seen)], np.linalg.solve(C[:, : len(seen)], C[:, len(seen) :])
            if method == "bartlett":
                own = items[seen]
                inner = np.linalg.solve(S[np.ix_(own, own)], paths[seen[own], first:])
                weight[own], weight[~own] = inner @ attempt(np.linalg.inv, paths[seen[own], first:].T @ inner), 0.0
            out[mine] = mean[first:] + (rows[mine][:, seen] - mean[seen]) @ weight
    return pd.DataFrame(out, columns=list(block.names[first:]))
