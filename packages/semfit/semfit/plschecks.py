"""Two checks of a PLS path model, by rows dealt out at random: how well it predicts, and whether groups share it.

Items of rows that it has not seen are predicted (PLSpredict), and that compared with benchmarks (CVPAT); composites are
compared between two groups (MICOM), and paths (MGA).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import stdtr

from semfit.columns import Array, one_column
from semfit.errors import DataError, ParameterError, one_of, whole
from semfit.moments import read
from semfit.plsfit import BATCH, PlsFit, PlsModel, solutions

TECHNIQUES = ("earliest", "direct")
ALPHA = 0.05


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


@dataclass(frozen=True)
class PlsGroups:
    """Two groups compared with as many that differ by chance alone.

    Parameters
    ----------
    labels : tuple
        Of the groups, in their order.
    sizes : tuple of int
    composites : DataFrame
        Steps 2 and 3 of MICOM, a row a construct. correlation: of the scores that the weights of either group give all
        rows, with the lower 5 % quantile of chance (bound) and p value. mean and variance: difference of the pooled
        scores' means (first less second) and of the logarithms of their variances, each with the middle 95 % of chance
        (``mean_low`` ...) and p value. ``partial`` says that step 2 holds, ``full`` that step 3 does too.
    paths : DataFrame
        lhs, rhs, first and second (estimates), and as above their difference (``difference_low`` ...).
    permutations, failed : int
        Drawn, and of these without a solution and left out.

    Step 1, the same items, treatment and settings in both groups, holds by construction.
    """

    labels: tuple[object, object]
    sizes: tuple[int, int]
    composites: pd.DataFrame
    paths: pd.DataFrame
    permutations: int
    failed: int


def pls_groups(
    fit: PlsFit, data: pd.DataFrame, group: str, *, permutations: int = 1000, seed: int | None = None
) -> PlsGroups:
    """Compare two groups by dealing their rows out anew at random.

    Parameters
    ----------
    fit : PlsFit
        To the rows of both groups; its model, scheme and correction are those of each.
    data : pandas.DataFrame
        Rows with a group; those with holes are left out.
    group : str
        Column that holds two labels.
    permutations : int
        How often rows are dealt out; two or more.
    seed : int, optional
        Of the permutations.

    Raises
    ------
    ParameterError
        For fewer than two permutations.
    DataError
        For other than two labels, or a group without a solution.

    References
    ----------
    MICOM: Henseler, Ringle & Sarstedt (2016), doi:10.1108/IMR-09-2014-0304; paths: Chin & Dibbern (2010),
    doi:10.1007/978-3-540-32827-8_8.
    """
    whole("permutations", permutations, 2)
    labels = one_column(data, group)
    held = labels.notna() & data[list(fit.model.items)].notna().all(axis=1)
    labels, X = labels[held].to_numpy(), read(data[held], fit.model.items).groups[0].raw[0]
    known = sorted(set(labels))
    if len(known) != 2:
        raise DataError(f"column {group} holds {len(known)} groups; two are needed: {', '.join(map(str, known))}.")
    X, rng, in_first = X - X.mean(0), np.random.default_rng(seed), labels == known[0]
    seen, sizes = _statistics(fit, X, in_first[None])[0], (int(in_first.sum()), int((~in_first).sum()))
    if not np.isfinite(seen).all():
        raise DataError(f"PLS has no solution in one of the groups of {group}, of {sizes[0]} and {sizes[1]} rows.")
    parts = []
    for k in range(0, permutations, BATCH):
        dealt = np.stack([rng.permutation(in_first) for _ in range(min(BATCH, permutations - k))])
        parts.append(_statistics(fit, X, dealt))
    drawn = np.concatenate(parts)
    drawn = drawn[np.isfinite(drawn).all(1)]
    if len(drawn) < 2:
        raise DataError(f"none of {permutations} permutations of {group} has a solution; more rows are needed.")
    J, (low, high) = len(fit.model.constructs), np.quantile(drawn, [ALPHA / 2, 1 - ALPHA / 2], axis=0)
    p = (1 + (np.abs(drawn) >= np.abs(seen)).sum(0)) / (1 + len(drawn))

    def tested(k: int, name: str) -> dict[str, Array]:
        at = slice(k * J, (k + 1) * J if k < 3 else None)
        return {name: seen[at], f"{name}_low": low[at], f"{name}_high": high[at], f"{name}_p": p[at]}

    composites = pd.DataFrame({"construct": fit.model.constructs, "correlation": seen[:J]}).assign(
        bound=np.quantile(drawn[:, :J], ALPHA, axis=0),
        p=(1 + (drawn[:, :J] <= seen[:J]).sum(0)) / (1 + len(drawn)),
        **tested(1, "mean"),
        **tested(2, "variance"),
    )
    composites["partial"] = composites["correlation"] >= composites["bound"]
    by_chance = ((low <= seen) & (seen <= high))[: 3 * J].reshape(3, J)
    composites["full"] = composites["partial"] & by_chance[1] & by_chance[2]
    own = solutions(fit, X, np.stack([in_first / sizes[0], ~in_first / sizes[1]]))[1][:, fit.at_paths]
    paths = pd.DataFrame([(b, a) for a, b in fit.model.paths], columns=["lhs", "rhs"]).assign(
        first=own[0], second=own[1], **tested(3, "difference")
    )
    return PlsGroups((known[0], known[1]), sizes, composites, paths, permutations, permutations - len(drawn))


def _statistics(fit: PlsFit, X: Array, first: Array) -> Array:
    """Return, of each way to deal rows out (batch, N), what is compared: correlations of the composites, differences of
    their means and logarithmic variances (divisors less one), (batch, J) each, and of the paths."""
    shares = [part / part.sum(1, keepdims=True) for part in (first, ~first)]
    (W, own), (V, other) = (solutions(fit, X, share) for share in shares)
    R, scores = np.corrcoef(X.T), X / X.std(0, ddof=1) @ fit.weights
    norm = np.sqrt((W * (R @ W)).sum(1) * (V * (R @ V)).sum(1))
    means = [share @ scores for share in shares]
    spreads = [(s @ scores**2 - mean**2) / (1 - s.max(1, keepdims=True)) for s, mean in zip(shares, means, strict=True)]
    paths = (own - other)[:, fit.at_paths]
    return np.hstack([np.abs((W * (R @ V)).sum(1)) / norm, means[0] - means[1], np.log(spreads[0] / spreads[1]), paths])
