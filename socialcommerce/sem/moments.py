"""Read data into sample moments: checks, groups, patterns of missing values, and the saturated model of each group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from socialcommerce.errors import DataError, ParameterError, UnknownNameError

__all__ = ["GroupSample", "Moments", "Patterns", "Sample", "from_moments", "pattern_moments", "read", "saturated"]

Array = np.ndarray


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
class Patterns:
    """Moments of the rows that share a pattern of missing values, zeros where nothing is observed.

    ``nobs`` (..., P), ``covariance`` (..., P, p, p) divided by the pattern's nobs, ``mean`` (..., P, p), ``mask`` (P,
    p).
    """

    nobs: Array
    covariance: Array
    mean: Array
    mask: Array


@dataclass(frozen=True)
class GroupSample:
    """One group: label, moments by pattern, saturated moments (divisor N), and the rows where there are any."""

    label: str
    nobs: int
    patterns: Patterns
    covariance: Array
    mean: Array
    rows: Array | None
    pattern_of: Array | None
    weights: Array | None = None


@dataclass(frozen=True)
class Sample:
    """All groups, the variables' names, and how many rows were left out for missing values."""

    names: tuple[str, ...]
    groups: tuple[GroupSample, ...]
    dropped: int
    missing: bool

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
) -> Sample:
    """Read raw data.

    Parameters
    ----------
    data : pandas.DataFrame
        One row per observation.
    names : sequence of str
        The variables of the model.
    group : str, optional
        A column; groups come in order of appearance, as in lavaan.
    missing : {"listwise", "fiml"}
        Leave out rows with a missing value, or keep what each row has.
    complete : sequence of str
        Variables that must be observed even under "fiml" (fixed covariates).
    weights : str or sequence of float, optional
        Sampling weights, one a row, or their column; they are scaled to sum to the rows kept.

    Raises
    ------
    UnknownNameError, DataError, ParameterError
        With column and row where the data cannot carry the model.
    """
    if not isinstance(data, pd.DataFrame):
        raise ParameterError(f"data is a pandas DataFrame, one row per observation; got {type(data).__name__}.")
    if missing not in ("listwise", "fiml"):
        raise UnknownNameError("treatment of missing values", missing, ("listwise", "fiml"))
    for name in [*names, *([group] if group else [])]:
        if name not in data.columns:
            raise UnknownNameError(
                "variable in the model" if name != group else "group column", name, map(str, data.columns)
            )
    values = _matrix(data, list(names))
    labels = data[group] if group else pd.Series("", index=data.index)
    seen = ~np.isnan(values)
    must = [names.index(n) for n in complete]
    keep = (seen.all(1) if missing == "listwise" else seen.any(1) & seen[:, must].all(1)) & labels.notna().to_numpy()
    given = None if weights is None else _weights(data, weights)
    found = []
    for label in labels.dropna().unique():
        mine = keep & (labels == label).to_numpy()
        found.append(_group(str(label), values[mine], names, None if given is None else given[mine]))
    if not found:
        raise DataError("the data hold no rows; a model needs more rows than variables.")
    return Sample(tuple(names), tuple(found), int((~keep).sum()), missing == "fiml" and not seen[keep].all())


def _weights(data: pd.DataFrame, weights: str | Sequence[float]) -> Array:
    """Return one positive weight a row."""
    if isinstance(weights, str) and weights not in data.columns:
        raise UnknownNameError("column of weights", weights, map(str, data.columns))
    given = _numbers(data, weights) if isinstance(weights, str) else np.asarray(weights, dtype=float)
    if given.shape != (len(data),):
        raise ParameterError(f"weights have shape {given.shape}; give one number for each of the {len(data)} rows.")
    if not (np.isfinite(given) & (given > 0)).all():
        k = int(np.argmin(np.isfinite(given) & (given > 0)))
        raise ParameterError(f"weight of row {k + 1} is {given[k]:g}; weights are positive numbers.")
    return given


def _matrix(data: pd.DataFrame, names: list[str]) -> Array:
    """Return columns as an array of floats; plain numeric columns in one go, others by ``_numbers``."""
    if data.columns.is_unique and all(data.dtypes[name].kind in "iuf" for name in names):
        values = data[names].to_numpy(dtype=float, na_value=np.nan)
        if not np.isinf(values).any():
            return values
    return np.column_stack([_numbers(data, name) for name in names]) if len(data) else np.empty((0, len(names)))


def _numbers(data: pd.DataFrame, name: str) -> Array:
    """Return a column as floats, missing as nan, ordered categories from 1; name the first cell that is no number."""
    column = data[name]
    if isinstance(column, pd.DataFrame):
        raise DataError(f"column {name} occurs {column.shape[1]} times; give every column its own name.")
    if isinstance(column.dtype, pd.CategoricalDtype):
        if column.cat.ordered:
            return np.where(column.isna(), np.nan, column.cat.codes.to_numpy(dtype=float) + 1)
        column = column.astype(object)
    numbers = pd.to_numeric(column, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    odd = np.isnan(numbers) & column.notna().to_numpy()
    wrong = odd | np.isinf(numbers)
    if wrong.any():
        k = int(np.argmax(wrong))
        shown = column.iloc[k]
        shown = shown.item() if hasattr(shown, "item") else shown
        raise DataError(
            f"column {name}, row {k + 1}: {shown!r} is not a finite number; allowed are numbers and missing values."
        )
    return numbers


def _group(label: str, rows: Array, names: Sequence[str], weights: Array | None) -> GroupSample:
    where = f" in group {label}" if label else ""
    if len(rows) <= len(names):
        raise DataError(f"{len(rows)} rows{where} for {len(names)} variables; a model needs more rows than variables.")
    for k, name in enumerate(names):
        column = rows[~np.isnan(rows[:, k]), k]
        if len(column) == 0 or np.ptp(column) == 0:
            raise DataError(f"column {name}{where} is constant or empty; a variable must vary.")
    mask, pattern_of = _patterns(~np.isnan(rows))
    weights = None if weights is None else weights * len(rows) / weights.sum()
    patterns = pattern_moments(rows, mask, pattern_of, weights)
    mean, covariance = saturated(patterns)
    _check_definite(covariance, names, where)
    return GroupSample(label, len(rows), patterns, covariance, mean, rows, pattern_of, weights)


def _patterns(seen: Array) -> tuple[Array, Array]:
    """Return the distinct patterns of observed values, and which one each row has."""
    if seen.all():
        return seen[:1], np.zeros(len(seen), dtype=int)
    packed = np.packbits(seen, axis=1)
    keys = packed.view(np.dtype((np.void, packed.shape[1]))).reshape(-1)
    _, first, pattern_of = np.unique(keys, return_index=True, return_inverse=True)
    return seen[first], pattern_of.reshape(-1)


def pattern_moments(rows: Array, mask: Array, pattern_of: Array, weights: Array | None = None) -> Patterns:
    """Return the (weighted) moments of the rows of every pattern."""
    filled = np.where(np.isnan(rows), 0.0, rows)
    nobs = np.bincount(pattern_of, weights, minlength=len(mask)).astype(float)
    covariance, mean = np.zeros((len(mask), *2 * mask.shape[1:])), np.zeros(mask.shape)
    for k in np.flatnonzero(nobs):
        block = filled[pattern_of == k] if len(mask) > 1 else filled
        share = np.ones(len(block)) if weights is None else weights[pattern_of == k]
        mean[k] = share @ block / nobs[k]
        block = block - mean[k]
        covariance[k] = block.T @ (block if weights is None else block * share[:, None]) / nobs[k]
    return Patterns(nobs, covariance, mean, mask)


def saturated(patterns: Patterns, tolerance: float = 1e-12, limit: int = 20_000) -> tuple[Array, Array]:
    """Return mean and covariance (divisor N) of the unrestricted normal model, by EM where values are missing.

    References
    ----------
    Dempster, Laird & Rubin (1977), doi:10.1111/j.2517-6161.1977.tb01600.x.
    """
    if patterns.mask.all():
        return patterns.mean[0], patterns.covariance[0]
    n, m, mask = patterns.nobs, patterns.mean, patterns.mask
    count = (n[:, None] * mask).sum(0)
    mean = (n[:, None] * m).sum(0) / count
    spread = np.einsum("k,kii->i", n, patterns.covariance) + (n[:, None] * mask * (m - mean) ** 2).sum(0)
    covariance = np.diag(spread / count)
    both = mask[:, :, None] & mask[:, None, :]
    for _ in range(limit):
        inside = np.where(both, covariance, 0.0) + np.eye(len(mean)) * ~mask[:, :, None]
        try:
            W = np.where(both, np.linalg.inv(inside), 0.0)
        except np.linalg.LinAlgError:
            raise DataError(
                "the incomplete data have no covariance matrix: some variables determine one another in the few rows "
                "that hold them together; leave one of them out or use more rows."
            ) from None
        regression = covariance @ W  # of all variables on the observed ones; the identity where observed
        d = np.where(mask, m - mean, 0.0)
        shift = (regression @ d[..., None])[..., 0]
        residual = covariance - regression @ covariance
        moment = (
            regression @ (patterns.covariance + d[:, :, None] * d[:, None, :]) @ regression.swapaxes(1, 2) + residual
        )
        step = np.einsum("k,ki->i", n, shift) / n.sum()
        new = np.einsum("k,kij->ij", n, moment) / n.sum() - np.outer(step, step)
        scale = np.sqrt(np.diag(new))
        change = max(np.max(np.abs(step / scale)), np.max(np.abs(new - covariance) / np.outer(scale, scale)))
        mean, covariance = mean + step, (new + new.T) / 2
        if change < tolerance:
            return mean, covariance
    raise DataError(
        f"the EM algorithm for the means and covariances of incomplete data did not settle in {limit} steps; "
        "too few rows hold some pair of variables together."
    )


def _check_definite(covariance: Array, names: Sequence[str], where: str) -> None:
    """Name the variable that the others determine."""
    scale = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(scale, scale)
    values, vectors = np.linalg.eigh(correlation)
    if values[0] < 1e-12:
        tied = [names[k] for k in np.flatnonzero(np.abs(vectors[:, 0]) > 0.05)]
        raise DataError(
            f"the covariance matrix{where} is not positive definite: {', '.join(tied)} are linearly dependent; "
            "leave one of them out."
        )


def from_moments(moments: Moments | Sequence[Moments], names: Sequence[str]) -> Sample:
    """Check given moments and take the model's variables from them, one entry per group."""
    given = list(moments) if isinstance(moments, list | tuple) else [moments]
    return Sample(
        tuple(names),
        tuple(_given(m, names, f"{k + 1}" if len(given) > 1 else "") for k, m in enumerate(given)),
        0,
        False,
    )


def _given(moments: Moments, names: Sequence[str], label: str) -> GroupSample:
    if not isinstance(moments, Moments) or not isinstance(moments.covariance, pd.DataFrame):
        raise ParameterError(
            f"moments are Moments(covariance, means, nobs) with a DataFrame; got {type(moments).__name__}."
        )
    table = moments.covariance
    for name in names:
        if name not in table.index or name not in table.columns:
            raise UnknownNameError("variable in the model", name, map(str, table.columns))
    if isinstance(moments.nobs, bool) or not isinstance(moments.nobs, int | np.integer) or moments.nobs <= len(names):
        raise ParameterError(
            f"nobs must be a whole number above the number of variables, {len(names)}; got {moments.nobs!r}."
        )
    C = table.loc[list(names), list(names)].to_numpy(dtype=float)
    if not np.isfinite(C).all():
        raise DataError("the covariance matrix holds missing or infinite values; allowed are finite numbers.")
    gap = np.abs(C - C.T)
    if gap.max() > 1e-8 * np.abs(C).max():
        i, j = np.unravel_index(int(np.argmax(gap)), gap.shape)
        raise DataError(
            f"the covariance matrix is not symmetric: {names[i]}, {names[j]} is {C[i, j]:g} on one side and "
            f"{C[j, i]:g} on the other; both must be equal."
        )
    if (np.diag(C) <= 0).any():
        raise DataError(
            f"the variance of {names[int(np.argmin(np.diag(C)))]} is {np.diag(C).min():g}; it must be positive."
        )
    C = (C + C.T) / 2 * (moments.nobs - 1) / moments.nobs
    _check_definite(C, names, "")
    mean = np.zeros(len(names)) if moments.means is None else moments.means.reindex(list(names)).to_numpy(dtype=float)
    if not np.isfinite(mean).all():
        raise DataError(
            f"means lack {names[int(np.argmax(~np.isfinite(mean)))]}; give one for every variable, or None."
        )
    patterns = Patterns(np.array([float(moments.nobs)]), C[None], mean[None], np.ones((1, len(names)), dtype=bool))
    return GroupSample(label, int(moments.nobs), patterns, C, mean, None, None)
