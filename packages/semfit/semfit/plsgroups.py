"""Whether composites are the same in two groups (MICOM) and paths differ between them (MGA), by permutation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from semfit.columns import one_column
from semfit.errors import DataError, ParameterError
from semfit.moments import read
from semfit.plsfit import BATCH, PlsFit, solutions

Array = np.ndarray
ALPHA = 0.05


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
    if permutations < 2:
        raise ParameterError(f"permutations are at least 2; got {permutations!r}.")
    labels = one_column(data, group)
    whole = labels.notna() & data[list(fit.model.items)].notna().all(axis=1)
    labels, X = labels[whole].to_numpy(), read(data[whole], fit.model.items).groups[0].raw[0]
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
