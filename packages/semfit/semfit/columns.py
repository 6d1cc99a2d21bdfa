"""Check the columns of a data frame and their covariances, and say where something else than a number stands."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from semfit.errors import DataError, ParameterError, one_of

Array = np.ndarray


def weights_of(data: pd.DataFrame, weights: str | Sequence[float]) -> Array:
    """Return one positive weight a row."""
    if isinstance(weights, str):
        one_of("column of weights", weights, data.columns)
    elif np.ndim(weights) != 1:
        raise ParameterError(f"weights are the name of a column or one number a row; got {type(weights).__name__}.")
    given = one_column(data, weights) if isinstance(weights, str) else pd.Series(list(weights), dtype=object)
    if len(given) != len(data):
        raise ParameterError(f"weights have length {len(given)}; give one number for each of the {len(data)} rows.")
    given = numbers(pd.DataFrame({"weights": given.to_numpy()}), "weights")
    if not (given > 0).all():
        k = int(np.argmin(given > 0))
        raise ParameterError(f"weight of row {k + 1} is {given[k]:g}; weights are positive numbers.")
    return given


def clusters_of(data: pd.DataFrame, cluster: str, group: str | None, keep: Array) -> Array:
    """Return each row's cluster as a whole number from 0; clusters must be several and lie within groups."""
    labels = one_column(data, cluster)
    codes = np.full(len(data), -1)
    codes[keep] = pd.factorize(labels[keep])[0]
    groups = np.zeros(len(data), dtype=int) if group is None else pd.factorize(data[group])[0]
    table = pd.DataFrame({"cluster": codes, "group": groups})[keep].drop_duplicates()
    twice = table["cluster"][table["cluster"].duplicated()]
    if len(twice):
        shown = labels[codes == twice.iloc[0]].tolist()[0]
        raise DataError(f"cluster {shown!r} has rows in several groups; every cluster lies within one group.")
    if table["group"].value_counts().min() < 2:
        raise DataError(f"column {cluster} holds one cluster{' in a group' if group else ''}; give two or more.")
    return codes


def one_column(data: pd.DataFrame, name: str) -> pd.Series:
    """Return a column, refusing a name that occurs several times."""
    column = data[name]
    if isinstance(column, pd.DataFrame):
        raise DataError(f"column {name} occurs {column.shape[1]} times; give every column its own name.")
    return column


def matrix(data: pd.DataFrame, names: list[str]) -> Array:
    """Return columns as an array of floats; plain numeric columns in one go, others by ``numbers``."""
    parts = [data[names]] if len(data) > 10_000 or len(names) > 20 else [data[name] for name in names]  # what is faster
    if names and {kind.kind for part in parts for kind in np.ravel(part.dtypes)} <= {*"iuf"}:
        each = [part.to_numpy(dtype=float, na_value=np.nan) for part in parts]
        values = each[0] if len(each) == 1 else np.column_stack(each)
        if values.ndim == 2 and values.shape[1] == len(names) and not np.isinf(values).any():
            return values
    return np.column_stack([numbers(data, name) for name in names]) if len(data) else np.empty((0, len(names)))


def numbers(data: pd.DataFrame, name: str) -> Array:
    """Return a column as floats, missing as nan, ordered categories from 1; name the first cell that is no number."""
    column = one_column(data, name)
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


def correlation(covariance: Array) -> Array:
    """Return correlations; complex values pass through."""
    scale = np.sqrt(np.diagonal(covariance, axis1=-2, axis2=-1))
    return covariance / (scale[..., :, None] * scale[..., None, :])


def check_definite(covariance: Array, names: Sequence[str], where: str) -> None:
    """Name the variable that the others determine, or whose variance is no number."""
    variance = np.diag(covariance)
    odd = ~(np.isfinite(variance) & (variance > np.finfo(float).tiny))
    if odd.any():
        k = int(np.argmax(odd))
        raise DataError(
            f"the variance of {names[k]}{where} is {variance[k]:g} in floating point; express it in another unit."
        )
    R = correlation(covariance)
    values = np.linalg.eigvalsh(R)
    if values[0] < -1e-8:
        raise DataError(
            f"the covariance matrix{where} is not positive definite: the smallest eigenvalue of its correlations is "
            f"{values[0]:.3g}; no rows have such covariances, check the numbers."
        )
    if values[0] < 1e-12:
        tied = [names[k] for k in np.flatnonzero(np.abs(np.linalg.eigh(R)[1][:, 0]) > 0.05).tolist()]
        raise DataError(
            f"the covariance matrix{where} is not positive definite: {', '.join(tied)} are linearly dependent; "
            "leave one of them out."
        )
