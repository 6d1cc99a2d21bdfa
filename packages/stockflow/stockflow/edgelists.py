"""Read a list of ties from a csv or parquet file as a network, and say what is wrong with one that cannot."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from stockflow.errors import DataError, check_file, extra, named, quoted
from stockflow.networks import Network, from_pairs

if TYPE_CHECKING:
    import pandas as pd

KINDS = ("acquaintance", "stranger")
FIRST_ROW = {".csv": 2, ".parquet": 1}  # the number of the first tie: a csv file has a line of names above it


def read_edges(
    path: str | Path, *, source: str = "source", target: str = "target", kind: str | None = None, repair: bool = False
) -> Network:
    """Read a list of mutual ties, one a row, or each twice (once in either direction).

    Names of persons may be whole numbers or texts; they are numbered in sorted order and kept in `Network.ids`.

    Parameters
    ----------
    path : path
        A csv file with a line of column names, or a parquet file.
    source, target : str
        Columns of the two persons.
    kind : str, optional
        Column that says ``acquaintance`` or ``stranger``; without it all are acquaintances.
    repair : bool
        Drop self-loops and repeated rows and take one-way ties as mutual, and say so in `Network.repairs`; otherwise
        each of them is an error that names file, row and value.

    Raises
    ------
    DataError
        When the file is no list of ties, a name or kind is missing or unknown, or a fault is not to be repaired.
    """
    path = Path(path)
    table = _read(path, [source, target, *([kind] if kind else [])])
    names = _names(path, table, source, target)
    ids, numbers = np.unique(names, return_inverse=True)
    pairs = numbers.reshape(-1, 2)
    strange = _strange(path, table[kind]) if kind else np.zeros(len(pairs), dtype=np.int8)
    keep, repairs = _simple(path, names, pairs, strange, repair)
    if ids.dtype.kind in "iu" and not np.array_equal(ids, np.arange(len(ids))):
        repairs.insert(0, f"numbered {len(ids)} persons, {ids[0]} to {ids[-1]} in the file, from 0 to {len(ids) - 1}")
    if len(ids) < 2:
        raise DataError(f"{path.name}: a network has at least 2 persons; the file names {len(ids)}.")
    return from_pairs(len(ids), pairs[keep], strange[keep] if kind else None, ids, tuple(repairs))


def _read(path: Path, columns: list[str]) -> pd.DataFrame:
    """Return the named columns, or say why they cannot be had."""
    with extra("tables"):
        import pandas as pd
        from pandas.api.types import is_numeric_dtype

        if path.suffix == ".parquet":
            import pyarrow  # noqa: F401 - pandas reads it with that

    if path.suffix not in FIRST_ROW:
        end = f"its name ends in {quoted(path.suffix)}; allowed: {', '.join(FIRST_ROW)}"
        raise DataError(f"{named(path.name)} is not an edge list: {end}.")
    check_file(path)
    try:
        table = pd.read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path)
        for name in set(columns) & set(table):
            if not is_numeric_dtype(table[name]):
                table[name].to_numpy(object)  # texts of a parquet file are decoded when asked for
    except Exception as error:  # pandas and pyarrow raise whatever their parts do
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise DataError(f"{path.name} cannot be read as {path.suffix[1:]}: {reason}.") from error
    missing = [name for name in columns if name not in table.columns]
    if missing:
        found = ", ".join(map(quoted, table.columns[:6]))
        raise DataError(f"{path.name} is not an edge list: no column {quoted(missing[0])}; its columns are {found}.")
    if table.empty:
        raise DataError(f"{path.name} is not an edge list: it has no rows; at least one tie is needed.")
    return table


def _names(path: Path, table: pd.DataFrame, source: str, target: str) -> np.ndarray:
    """Return the persons' names, shape (rows, 2): all whole numbers, or all texts."""
    for column in (source, target):
        values = table[column]
        if values.isna().any():
            place = f"row {_row(path, int(values.isna().argmax()))}, column {column!r}"
            raise DataError(f"{path.name}, {place}: no person is named; each row names two.")
        if values.dtype.kind == "f":
            broken = values.to_numpy() != np.floor(values.to_numpy())
            at = int(broken.argmax())
            what = f"a person is a whole number or a text; got {quoted(values.iloc[at])}"
            raise DataError(f"{path.name}, row {_row(path, at)}, column {column!r}: {what}.")
    both = table[[source, target]]
    if all(values.dtype.kind in "iu" for _, values in both.items()):
        return both.to_numpy(np.int64)
    return both.astype(str).to_numpy(str)


def _strange(path: Path, values: pd.Series) -> np.ndarray:
    """Return 1 where a tie is one between strangers."""
    unknown = ~values.isin(KINDS).to_numpy()
    if unknown.any():
        at = int(unknown.argmax())
        what = f"the kind of a tie is one of {', '.join(KINDS)}; got {quoted(values.iloc[at])}"
        raise DataError(f"{path.name}, row {_row(path, at)}, column {values.name!r}: {what}.")
    return (values == KINDS[1]).to_numpy(np.int8)


def _simple(
    path: Path, names: np.ndarray, pairs: np.ndarray, strange: np.ndarray, repair: bool
) -> tuple[np.ndarray, list[str]]:
    """Return the rows that make the network simple, and the repairs that took."""
    with extra("tables"):
        import pandas as pd

    n = int(pairs.max()) + 1
    loops = pairs[:, 0] == pairs[:, 1]
    forward = pairs[:, 0].astype(np.int64) * n + pairs[:, 1]
    mutual = np.minimum(forward, pairs[:, 1].astype(np.int64) * n + pairs[:, 0])
    repeated, again = (pd.Series(keys).duplicated().to_numpy() & ~loops for keys in (forward, mutual))
    _same_kind(path, names, mutual, strange)
    alone = np.zeros(len(pairs), dtype=bool)
    if (again & ~repeated).any():  # some ties stand in both directions: then all of them should
        _, tie, rows = np.unique(mutual[~loops & ~repeated], return_inverse=True, return_counts=True)
        alone[np.flatnonzero(~loops & ~repeated)] = rows[tie] == 1
    one_way = "ties are mutual, and other ties of the file stand in both directions"
    faults = {
        "dropped {} self-loops": (loops, "a tie joins two persons"),
        "dropped {} repeated rows": (repeated, "a tie stands once in either direction"),
        "took {} one-way ties as mutual": (alone, one_way),
    }
    repairs = []
    for sentence, (marked, rule) in faults.items():
        if not marked.any():
            continue
        at = int(marked.argmax())
        given = " and ".join(named(str(name)) for name in names[at])
        if not repair:
            given += f" ({int(marked.sum())} such rows). Mend the file, or pass repair=True"
            raise DataError(f"{path.name}, row {_row(path, at)}: {rule}; got {given}.")
        repairs.append(f"{sentence.format(int(marked.sum()))} (the first in row {_row(path, at)}: {given})")
    return ~(loops | again), repairs


def _same_kind(path: Path, names: np.ndarray, mutual: np.ndarray, strange: np.ndarray) -> None:
    """Insist that a tie that stands more than once is of one kind."""
    order = np.lexsort((strange, mutual))
    differ = (mutual[order[1:]] == mutual[order[:-1]]) & (strange[order[1:]] != strange[order[:-1]])
    if differ.any():
        at = int(np.maximum(order[1:], order[:-1])[differ][0])
        given = " and ".join(named(str(name)) for name in names[at])
        raise DataError(f"{path.name}, row {_row(path, at)}: a tie is of one kind; got both kinds for {given}.")


def _row(path: Path, position: int) -> int:
    return position + FIRST_ROW[path.suffix]
