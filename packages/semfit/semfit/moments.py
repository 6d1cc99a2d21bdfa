"""Read data into sample moments: checks, groups, patterns of missing values, and the saturated model of each group."""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from semfit.columns import check_definite, clusters_of, correlation, matrix, one_column, weights_of
from semfit.errors import DataError, ParameterError, UnknownNameError, one_of
from semfit.missing import MissingPatterns, Patterns, missing_patterns, saturated
from semfit.model import Array

MISSING = ("listwise", "fiml", "pairwise")
SLICE = 65_536  # rows
RECENT: deque = deque(maxlen=4)  # samples some fit still holds: what was derived from one serves the next model
MANY = 16  # patterns of missing values from which on rows are laid out by what they lack


@dataclass(frozen=True)
class Moments:
    """Covariances, means and number of observations of one group, to fit without raw data.

    Parameters
    ----------
    covariance : pandas.DataFrame
        Square, symmetric, positive definite, variables as labels on both sides. Divided by N - 1 (as published tables
        and ``DataFrame.cov()`` are); it is rescaled to N, as lavaan does.
    means : pandas.Series, optional
        By variable.
    nobs : int
        Number of observations.
    """

    covariance: pd.DataFrame
    means: pd.Series | None
    nobs: int


@dataclass(frozen=True)
class GroupSample:
    """One group: label, moments by pattern, saturated moments (divisor N), and the rows where there are any.

    ``settled`` says whether the saturated moments are a maximum of the likelihood. ``known`` keeps what was derived
    from them, for the other models fitted to the same sample.
    """

    label: str
    nobs: int
    patterns: Patterns | MissingPatterns
    covariance: Array
    mean: Array
    rows: Array | None
    pattern_of: Array | None
    weights: Array | None = None
    clusters: Array | None = None  # whole numbers from 0
    settled: bool = True
    known: dict = field(default_factory=dict, repr=False, compare=False)

    @property
    def raw(self) -> tuple[Array, Array]:
        """Its rows, and which pattern each has; raise where only moments were given."""
        if self.rows is None or self.pattern_of is None:
            raise ParameterError("the fit is to moments, which hold no rows; give data to fit(...).")
        return self.rows, self.pattern_of


@dataclass(frozen=True)
class Sample:
    """All groups, the variables' names, and how many rows were left out for missing values."""

    names: tuple[str, ...]
    groups: tuple[GroupSample, ...]
    dropped: int
    missing: bool

    @property
    def settled(self) -> bool:
        """Whether there is an unrestricted model to compare with."""
        return all(group.settled for group in self.groups)

    @property
    def nobs(self) -> int:
        """Observations in all groups."""
        return sum(group.nobs for group in self.groups)


def read(
    data: pd.DataFrame,
    names: Sequence[str],
    *,
    group: str | None = None,
    missing: str = "listwise",
    complete: Sequence[str] = (),
    weights: str | Sequence[float] | None = None,
    cluster: str | None = None,
) -> Sample:
    """Read raw data.

    Parameters
    ----------
    data, group, missing, weights, cluster
        As in :func:`semfit.fit`. Groups come in order of appearance, as in lavaan; weights are scaled to sum to the
        rows kept, in all groups together; every cluster lies in one group.
    names : sequence of str
        The variables of the model.
    complete : sequence of str
        Variables that must be observed even under "fiml" (fixed covariates).

    Raises
    ------
    UnknownNameError, DataError, ParameterError
        With column and row where the data cannot carry the model.
    """
    if not isinstance(data, pd.DataFrame):
        raise ParameterError(f"data is a pandas DataFrame, one row per observation; got {type(data).__name__}.")
    one_of("treatment of missing values", missing, MISSING)
    columns = {group: "group column", cluster: "column of clusters"} | dict.fromkeys(names, "variable in the model")
    for name, kind in columns.items():
        if name is not None and name not in data.columns:
            latent = f" A latent variable has items: {name} =~ item + item." if name in names else ""
            raise UnknownNameError(kind, name, map(str, data.columns), latent)
    values = matrix(data, list(names))
    seen = ~np.isnan(values)
    must = [names.index(n) for n in complete]
    keep = seen.all(1) if missing == "listwise" else seen.any(1) & seen[:, must].all(1)
    of_group = None if group is None else pd.factorize(one_column(data, group).convert_dtypes())  # 1.0 is 1
    if of_group is not None:
        keep &= of_group[0] >= 0
    if cluster is not None:
        keep &= one_column(data, cluster).notna().to_numpy()
    if not keep.any():
        raise DataError(f"none of the {len(data)} rows can be used: whole rows are needed, more than variables.")
    given = None if weights is None else weights_of(data, weights)
    given = None if given is None else given * (keep.sum() / given[keep].sum())
    of = None if cluster is None else clusters_of(data, cluster, group, keep)
    parts = [
        (label, values[mine], None if given is None else given[mine], None if of is None else of[mine])
        for label, mine in _parts(of_group, keep)
    ]
    key = (tuple(names), missing, int((~keep).sum()))
    for known, sample in ((k, r()) for k, r in RECENT):
        if known == key and sample is not None and _same(sample, parts):
            return sample
    found = tuple(
        _pairwise_group(label, rows, names) if missing == "pairwise" else _group(label, rows, names, w, c)
        for label, rows, w, c in parts
    )
    sample = Sample(key[0], found, key[-1], missing == "fiml" and not seen[keep].all())
    RECENT.append((key, weakref.ref(sample)))
    return sample


def _same(sample: Sample, parts: Sequence[tuple]) -> bool:
    """Whether a sample holds the very rows, weights and clusters of these groups."""
    own = [(group.label, group.rows, group.weights, group.clusters) for group in sample.groups]
    return len(own) == len(parts) and all(
        a is b if a is None or b is None else np.array_equal(a, b, equal_nan=k == 1)
        for one, other in zip(own, parts, strict=True) for k, (a, b) in enumerate(zip(one, other, strict=True))
    )  # fmt: skip


def _parts(of_group: tuple[Array, pd.Index] | None, keep: Array) -> list[tuple[str, Array | slice]]:
    """Return each group's label and which rows are its own, from the rows' group (-1: none) and the labels."""
    found = [("", keep)]
    if of_group is not None:
        found = [(str(label), keep & (of_group[0] == k)) for k, label in enumerate(of_group[1])]
    return [(label, slice(None) if mine.all() else mine) for label, mine in found]  # a slice copies nothing


def _check_columns(rows: Array, names: Sequence[str], where: str) -> None:
    """Ask for more rows than variables, and for columns that vary."""
    if len(rows) <= len(names):
        raise DataError(
            f"{len(rows)} rows{where} for {len(names)} variables; a model needs more rows than variables: fit "
            f"parts of it, or means of items in place of items{', or leave the group out' if where else ''}."
        )
    varies = np.fmax.reduce(rows) > np.fmin.reduce(rows)
    if not varies.all():
        raise DataError(f"column {names[int(varies.argmin())]}{where} is constant or empty; a variable must vary.")
    seen = ~np.isnan(rows)
    together = np.full((1, 1), 2.0) if seen.all() else seen.T.astype(float) @ seen
    if together.min() < 2:
        i, j = np.argwhere(together < 2)[0]
        raise DataError(f"no two rows{where} hold both {names[i]} and {names[j]}; every pair needs rows with both.")


def _group(label: str, rows: Array, names: Sequence[str], weights: Array | None, clusters: Array | None) -> GroupSample:
    where = f" in group {label}" if label else ""
    _check_columns(rows, names, where)
    mask, pattern_of = _patterns(~np.isnan(rows))
    patterns = (missing_patterns if len(mask) >= MANY else pattern_moments)(rows, mask, pattern_of, weights)
    if isinstance(patterns, Patterns) and mask.all():
        mean, covariance, settled = patterns.mean[0], patterns.covariance[0], True
    else:
        try:
            mean, covariance, settled = saturated(patterns)
        except np.linalg.LinAlgError:
            held = (~np.isnan(rows)).sum(0)
            raise DataError(
                f"the incomplete data{where} have no covariance matrix: some variables determine one another in the "
                f"few rows that hold them together; leave one out, such as {names[int(held.argmin())]}, which "
                f"{held.min()} of {len(rows)} rows hold, or use more rows."
            ) from None
    check_definite(covariance, names, where)
    return GroupSample(label, len(rows), patterns, covariance, mean, rows, pattern_of, weights, clusters, settled)


def _pairwise_group(label: str, rows: Array, names: Sequence[str]) -> GroupSample:
    """Take every mean from the rows that hold the variable, every covariance from those that hold both."""
    where = f" in group {label}" if label else ""
    _check_columns(rows, names, where)
    frame = pd.DataFrame(rows, columns=list(names))
    covariance, mean = frame.cov().to_numpy() * (len(rows) - 1) / len(rows), frame.mean().to_numpy()
    check_definite(np.diag(np.diag(covariance)), names, where)
    smallest = np.linalg.eigvalsh(correlation(covariance))[0]
    if smallest < -1e-8:
        raise DataError(
            f"the pairwise covariances{where} are no covariance matrix: the smallest eigenvalue of their correlations "
            f"is {smallest:.3g}, it must be positive; use missing='fiml' or 'listwise'."
        )
    check_definite(covariance, names, where)
    return GroupSample(label, len(rows), Patterns.whole(len(rows), covariance, mean), covariance, mean, None, None)


def _patterns(seen: Array) -> tuple[Array, Array]:
    """Return the distinct patterns of observed values, and which one each row has."""
    if seen.all():
        return seen[:1], np.zeros(len(seen), dtype=int)
    packed = np.ascontiguousarray(np.packbits(seen, axis=1))
    keys = packed.view(np.dtype((np.void, packed.shape[1]))).reshape(-1)
    _, first, pattern_of = np.unique(keys, return_index=True, return_inverse=True)
    return seen[first], pattern_of.reshape(-1)


def pattern_moments(rows: Array, mask: Array, pattern_of: Array, weights: Array | None = None) -> Patterns:
    """Return the (weighted) moments of the rows of every pattern."""
    nobs = np.bincount(pattern_of, weights, minlength=len(mask)).astype(float)
    covariance, mean = np.zeros((len(mask), *2 * mask.shape[1:])), np.zeros(mask.shape)
    held = rows if mask.all() else np.nan_to_num(rows)
    for k in np.flatnonzero(nobs):
        mine = pattern_of == k if len(mask) > 1 else slice(None)
        block, share = held[mine], None if weights is None else weights[mine]
        mean[k] = block.mean(0) if share is None else share @ block / nobs[k]
        covariance[k] = _products(block, mean[k], share) / nobs[k]
    return Patterns(nobs, covariance, mean, mask)


def _products(block: Array, mean: Array, share: Array | None) -> Array:
    """Sum the (weighted) outer products of deviations from the mean, a slice of rows at a time to spare memory."""
    total = np.zeros((len(mean), len(mean)))
    for k in range(0, len(block), SLICE):
        d = block[k : k + SLICE] - mean
        total += d.T @ (d if share is None else d * share[k : k + SLICE, None])
    return total


def from_moments(moments: Moments | list[Moments] | tuple[Moments, ...], names: Sequence[str]) -> Sample:
    """Check given moments and take the model's variables from them, one entry per group."""
    given = list(moments) if isinstance(moments, list | tuple) else [moments]
    groups = tuple(_given(one, names, str(k) if len(given) > 1 else "") for k, one in enumerate(given, start=1))
    return Sample(tuple(names), groups, 0, False)


def _given(moments: Moments, names: Sequence[str], label: str) -> GroupSample:
    if not isinstance(moments, Moments) or not isinstance(moments.covariance, pd.DataFrame):
        got = moments.covariance if isinstance(moments, Moments) else moments
        raise ParameterError(
            f"moments are Moments(covariance, means, nobs), the covariance a DataFrame; got {type(got).__name__}."
        )
    table = moments.covariance
    for name in names:
        one_of("variable in the model", name, [each for each in table.columns if each in table.index])
    if isinstance(moments.nobs, bool) or not isinstance(moments.nobs, int | np.integer) or moments.nobs <= len(names):
        raise ParameterError(
            f"nobs must be a whole number above the number of variables, {len(names)}; got {moments.nobs!r}."
        )
    C = table.loc[list(names), list(names)].to_numpy(dtype=float)
    if not np.isfinite(C).all():
        raise DataError("the covariance matrix holds missing or infinite values; allowed are finite numbers.")
    gap = np.abs(C - C.T)
    if gap.max() > 1e-8 * np.abs(C).max():
        i, j = divmod(int(np.argmax(gap)), len(gap))
        raise DataError(
            f"the covariance matrix is not symmetric: {names[i]}, {names[j]} is {C[i, j]:g} on one side and "
            f"{C[j, i]:g} on the other; both must be equal."
        )
    if (np.diag(C) <= 0).any():
        raise DataError(
            f"the variance of {names[int(np.argmin(np.diag(C)))]} is {np.diag(C).min():g}; it must be positive."
        )
    C = (C + C.T) / 2 * (moments.nobs - 1) / moments.nobs
    check_definite(C, names, "")
    mean = np.zeros(len(names)) if moments.means is None else moments.means.reindex(list(names)).to_numpy(dtype=float)
    if not np.isfinite(mean).all():
        raise DataError(
            f"means lack {names[int(np.argmax(~np.isfinite(mean)))]}; give one for every variable, or None."
        )
    return GroupSample(label, int(moments.nobs), Patterns.whole(moments.nobs, C, mean), C, mean, None, None)
