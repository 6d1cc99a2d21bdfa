"""Read items, and find standard errors and draws of anything computed from their covariance matrix.

A statistic is a function that takes covariance matrices of shape (..., p, p) and returns values of shape (..., m).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from semfit.columns import Array, matrix
from semfit.errors import DataError, ParameterError, one_of, probability
from semfit.expressions import jacobian
from semfit.moments import read
from semfit.resampling import KINDS, counted, weighted_moments

Statistic = Callable[[Array], Array]
CELLS, BATCH = 40_000_000, 1000  # counts and resamples held at once; they change no draw


class Listed:
    """A result that one table holds: its first field."""

    def summary(self) -> pd.DataFrame:
        """Return the table, with a column for each number and word that holds for all of it."""
        (_, table), *rest = vars(self).items()
        return table.assign(**{name: value for name, value in rest if np.isscalar(value)})


def check(level: float, bootstrap: int = 0, kind: str = "percentile") -> None:
    """Raise where a level, a number of draws or a kind of interval is none."""
    probability("level", level)
    if bootstrap != 0 and bootstrap < 2:
        raise ParameterError(f"bootstrap takes 0 or at least 2 draws; got {bootstrap!r}.")
    one_of("bootstrap interval", kind, KINDS[:2])


def all_items(constructs: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the items of all constructs in order; raise where one has none.

    >>> all_items({"trust": ["t1", "t2"], "benefit": ["b1"]})
    ['t1', 't2', 'b1']
    """
    for name, items in constructs.items():
        if isinstance(items, str) or not len(items):
            raise ParameterError(f"construct {name} has the items {items!r}; give a list of at least one column.")
    return [item for items in constructs.values() for item in items]


def item_rows(data: pd.DataFrame, items: Sequence[str], parts: Sequence[Sequence[str]] = ()) -> tuple[Array, int]:
    """Return the complete rows of some items, shape (N, p), and how many incomplete ones were left out.

    There must be more of them than items; where ``parts`` of the items are given, as for correlations, than of a part.
    """
    if isinstance(items, str) or not len(items):
        raise ParameterError(f"items are {items!r}; give a list of at least one column.")
    repeated = [name for k, name in enumerate(items) if name in items[:k]]
    if repeated:
        raise ParameterError(f"item {repeated[0]} is named more than once; name every item once.")
    if not parts:
        sample = read(data, list(items))
        return sample.groups[0].raw[0], sample.dropped
    for part in parts:
        read(data, list(part))  # or says what is wrong
    values = matrix(data, list(items))
    rows = values[~np.isnan(values).any(axis=1)]
    if len(rows) <= max(map(len, parts)):
        raise DataError(f"{len(rows)} of {len(values)} rows hold every item; more than a construct's items are needed.")
    for part in parts:
        read(pd.DataFrame(rows, columns=list(items)), list(part))
    return rows, len(values) - len(rows)


def casewise_errors(statistic: Statistic, rows: Array) -> Array:
    """Return distribution-free standard errors of analytic functions of the covariance matrix, shape (m,).

    The derivative by each covariance times that row's product of deviations is the row's share in the estimate; the
    standard error is their standard deviation divided by sqrt(N).

    Parameters
    ----------
    statistic : callable
        Analytic, and free of the covariance's divisor.
    rows : array, shape (N, p)
        Complete.

    References
    ----------
    Browne (1984), doi:10.1111/j.2044-8317.1984.tb00789.x.
    """
    d, p = rows - rows.mean(0), rows.shape[1]
    S = d.T @ d / len(d)
    J = jacobian(lambda s: statistic(s.reshape(*s.shape[:-1], p, p)), S.ravel()).reshape(-1, p, p)
    return np.einsum("mni,ni->nm", d @ J, d).std(0, ddof=1) / np.sqrt(len(d))


def draw(statistic: Statistic, rows: Array, draws: int, seed: int | None) -> Array:
    """Return a statistic of resampled rows, shape (draws, m).

    Examples
    --------
    >>> from semfit.columns import correlation
    >>> rows = np.random.default_rng(1).standard_normal((200, 2))
    >>> draw(lambda S: correlation(S)[..., 0, 1:], rows, 500, seed=1).shape
    (500, 1)
    """
    d, rng = rows - np.rint(rows.mean(0)), np.random.default_rng(seed)  # whole numbers stay whole
    size, parts = max(1, min(BATCH, CELLS // len(d), draws)), []
    for at in range(0, draws, size):
        _, S = weighted_moments(d, counted(rng, min(size, draws - at), len(d)))
        with np.errstate(divide="ignore", invalid="ignore"):
            parts.append(statistic(S))
    return np.concatenate(parts)
