"""How well a PLS path model predicts items of rows that it has not seen (PLSpredict), and against what (CVPAT)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import stdtr

from semfit.errors import DataError, ParameterError, one_of
from semfit.moments import read
from semfit.plsfit import PlsFit, PlsModel, solutions

Array = np.ndarray
TECHNIQUES = ("earliest", "direct")


@dataclass(frozen=True)
class PlsPrediction:
    """Errors of predicted items of the explained constructs, each row predicted from folds without it.

    Parameters
    ----------
    items : DataFrame
        construct, item, q2 (Q2 predict: 1 less the squared errors over those of the training mean), rmse and mae, and
        lm_rmse and lm_mae of a linear regression of the item on items of the causes, in the items' unit.
    cvpat : DataFrame
        construct ("" for all together), benchmark ("mean" of the training rows or "lm"), loss (mean squared error over
        rows and items), loss_benchmark, difference, t, pvalue (two-sided): below zero PLS predicts better.
    nobs, folds, repeats : int
    """

    items: pd.DataFrame
    cvpat: pd.DataFrame
    nobs: int
    folds: int
    repeats: int


def pls_predict(
    fit: PlsFit,
    data: pd.DataFrame,
    *,
    folds: int | Array = 10,
    repeats: int = 10,
    technique: str = "earliest",
    seed: int | None = None,
) -> PlsPrediction:
    """Predict the items of every explained construct from rows of the other folds.

    Parameters
    ----------
    fit : PlsFit
        What is fitted anew to the rows of the other folds.
    data : pandas.DataFrame
        The rows that the fit is to.
    folds : int or array, shape (repeats, N)
        Number of folds that rows are shared out to at random; or which fold each row is in, whole numbers from 0.
    repeats : int
        How often folds are drawn; squared and absolute errors are averaged over them.
    technique : {"earliest", "direct"}
        Whether constructs are predicted from those without causes, through the model, or from their direct causes as
        measured. The linear model has the items of the same constructs.
    seed : int, optional
        Of the folds.

    Raises
    ------
    UnknownNameError, ParameterError
        For another technique; folds or repeats out of range, or folds of another shape.
    DataError
        Where the rows outside of a fold have no solution.

    References
    ----------
    Shmueli, Ray, Velasquez Estrada & Chatla (2016), doi:10.1016/j.jbusres.2016.03.049; CVPAT: Liengaard et al. (2021),
    doi:10.1111/deci.12445; Sharma, Liengaard, Hair, Sarstedt & Ringle (2023), doi:10.1108/EJM-08-2020-0636.
    """
    one_of("technique", technique, TECHNIQUES)
    m, X = fit.model, read(data, fit.model.items).groups[0].raw[0]
    N, at = len(X), [k for k, (name, _) in enumerate(fit.model.owned) if name in fit.model.explained]
    if np.ndim(folds):
        drawn = np.asarray(folds)
        if drawn.ndim != 2 or drawn.shape[1] != N or any(len(np.unique(each)) < 2 for each in drawn):
            raise ParameterError(f"folds has shape {drawn.shape}; allowed: (repeats, {N}), 2 folds or more in each.")
    elif 2 <= folds <= N and repeats >= 1:
        rng = np.random.default_rng(seed)
        drawn = np.stack([rng.permutation(N) * folds // N for _ in range(repeats)])
    else:
        raise ParameterError(f"{folds} folds and {repeats} repeats; allowed: 2 to {N} folds, 1 repeat or more.")
    held = [(r, drawn[r] == k) for r in range(len(drawn)) for k in np.unique(drawn[r])]
    W, values = solutions(fit, X, np.array([~test / (~test).sum() for _, test in held]))
    if not np.isfinite(values).all():
        raise DataError(f"the rows outside of a fold have no solution; more than {N} rows, or more folds, are needed.")
    errors = np.empty((3, *drawn.shape, len(at)))  # by PLS, the linear model and the mean
    for (r, test), w, own in zip(held, W, values, strict=True):
        errors[:, r, test] = (X[test] - _predicted(m, X[~test], X[test], w, own, technique))[..., at]
    squares = (errors**2).mean(1)  # (3, N, items)
    rmse, mae = np.sqrt(squares.mean(1)), np.abs(errors).mean((1, 2))
    items = pd.DataFrame([m.owned[k] for k in at], columns=["construct", "item"]).assign(
        q2=1 - squares[0].sum(0) / squares[2].sum(0), rmse=rmse[0], mae=mae[0], lm_rmse=rmse[1], lm_mae=mae[1]
    )
    return PlsPrediction(items, _cvpat(squares, items["construct"]), N, int(drawn.max()) + 1, len(drawn))


def _predicted(m: PlsModel, train: Array, test: Array, w: Array, values: Array, technique: str) -> Array:
    """Return all items of some rows as PLS, the linear model and the mean predict them, shape (3, rows, p)."""
    mean, spread, p = train.mean(0), train.std(0), len(m.items)
    first = [k for k, name in enumerate(m.constructs) if name not in m.explained]
    B, out = np.zeros((len(m.constructs),) * 2), np.broadcast_to(mean, (3, *test.shape)).copy()
    B[m.path_cells[::-1]] = values[2 * p :][: len(m.paths)]
    scores, total = (test - mean) / spread @ w, np.linalg.inv(np.eye(len(B)) - B)
    eta = scores[:, first] @ total[:, first].T if technique == "earliest" else scores @ B.T
    out[0] += spread * values[:p] * eta[:, m.mask.argmax(1)]
    for name in m.explained:
        causes = first if technique == "earliest" else m.at(*m.causes(name))
        xs = np.flatnonzero(m.mask[:, causes].any(1))
        slopes = np.linalg.lstsq(train[:, xs] - mean[xs], train[:, m.block(name)] - mean[m.block(name)])[0]
        out[1][:, m.block(name)] += (test[:, xs] - mean[xs]) @ slopes
    return out


def _cvpat(squares: Array, of: pd.Series) -> pd.DataFrame:
    """Test that the losses of rows, mean squared errors of their items, are those of a benchmark on average."""
    lines = []
    for name in (*of.unique(), ""):
        loss = squares[..., (of == name) | (not name)].mean(-1)  # (3, N)
        for benchmark, other in (("mean", loss[2]), ("lm", loss[1])):
            gap, N = loss[0] - other, len(other)
            t = gap.mean() / (gap.std(ddof=1) / np.sqrt(N))
            lines.append((name, benchmark, loss[0].mean(), other.mean(), gap.mean(), t, 2 * stdtr(N - 1, -abs(t))))
    columns = ["construct", "benchmark", "loss", "loss_benchmark", "difference", "t", "pvalue"]
    return pd.DataFrame(lines, columns=columns)
