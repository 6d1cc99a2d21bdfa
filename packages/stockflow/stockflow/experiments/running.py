"""One experiment: a callable, a table of parameters, replicates, and the same result wherever it runs."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from stockflow.errors import ParameterError, extra
from stockflow.experiments.executors import Task, results

if TYPE_CHECKING:
    import pandas as pd

OWN = ("row", "replicate", "seed")


def sweep(grid: Mapping[str, Iterable[Any]]) -> pd.DataFrame:
    """Return the table of all combinations, the last parameter changing fastest.

    Examples
    --------
    >>> sweep({"g": [2, 3], "discount": [0.1, 0.2]}).to_dict("list")
    {'g': [2, 2, 3, 3], 'discount': [0.1, 0.2, 0.1, 0.2]}
    """
    with extra("experiments"):
        import pandas as pd

    return pd.DataFrame(list(product(*grid.values())), columns=list(grid))


def run(
    fn: Callable[..., Any],
    table: pd.DataFrame | Sequence[Mapping[str, Any]],
    seed: int | np.random.SeedSequence = 0,
    executor: Any = "serial",
    *,
    replicates: int = 1,
    workers: int | None = None,
    progress: bool = False,
    timeout: float = 5.0,
    security: Any = None,
) -> pd.DataFrame:
    """Call a function with every row of a table, as often as wanted, here or on many processors.

    The result is the same on every executor: each call gets the stream ``SeedSequence(seed).spawn(rows)[row]
    .spawn(replicates)[replicate]``, whoever runs it and in whatever company.

    Parameters
    ----------
    fn : callable
        Takes the table's columns as keywords, and ``seed`` (a SeedSequence, for ``numpy.random.default_rng``) where
        it has such a parameter. Returns a number, a mapping of names to values, or a DataFrame of several rows.
    table : pandas.DataFrame or sequence of mappings
        One row a setting; see :func:`sweep`.
    seed : int or SeedSequence
        Where all chance comes from.
    executor : {"serial", "processes"}, str or distributed.Client
        In this process; in ``workers`` processes of this machine; on the Dask cluster of a scheduler's address
        (``"tcp://host:8786"``) or of a client. A worker that is lost costs its calls a retry.
    replicates : int
        Calls a row.
    workers : int, optional
        Processes of ``"processes"``; by default one a processor.
    progress : bool
        Whether to show a bar on standard error.
    timeout : float
        Seconds a scheduler has to answer.
    security : distributed.Security, optional
        The certificates for an address ``"tls://host:8786"``; by default those of Dask's settings. docs/dask.md has an
        example.

    Returns
    -------
    pandas.DataFrame
        Columns row, replicate, the table's, then what ``fn`` returned (``value`` for a number); in the table's order.

    Raises
    ------
    ParameterError
        When the table is empty or its columns are not what ``fn`` takes, or ``fn`` returns what cannot stand in a row.
    ExperimentError
        When no scheduler answers, or a call loses its worker three times.
    Exception
        What ``fn`` raised, the first in the table's order, with row, parameters and seed in its notes.

    Examples
    --------
    >>> draw = lambda scale, seed: scale * np.random.default_rng(seed).random()
    >>> run(draw, [{"scale": 1.0}, {"scale": 9.0}], replicates=2)[["row", "replicate"]].values.tolist()
    [[0, 0], [0, 1], [1, 0], [1, 1]]
    """
    with extra("experiments"):
        import pandas as pd

    rows = [dict(row) for row in (table.to_dict("records") if isinstance(table, pd.DataFrame) else table)]
    if replicates < 1:
        raise ParameterError(f"replicates is a count of calls; got {replicates}; allowed: 1 or more.")
    _check_rows(fn, rows)
    root = seed if isinstance(seed, np.random.SeedSequence) else np.random.SeedSequence(seed)
    streams = _takes_seed(fn)
    tasks = []
    for number, replicate in product(range(len(rows)), range(replicates)):
        key = (*root.spawn_key, number, replicate)
        stream = np.random.SeedSequence(root.entropy, spawn_key=key, pool_size=root.pool_size)
        tasks.append(Task(number, replicate, rows[number], stream, streams))
    found = results(fn, tasks, executor, workers=workers, progress=progress, timeout=timeout, security=security)
    return pd.DataFrame([record for task, value in zip(tasks, found, strict=True) for record in _records(task, value)])


def _takes_seed(fn: Callable[..., Any]) -> bool:
    return any(p.name == "seed" or p.kind is p.VAR_KEYWORD for p in inspect.signature(fn).parameters.values())


def _check_rows(fn: Callable[..., Any], rows: list[dict[str, Any]]) -> None:
    if not rows:
        raise ParameterError("the table of an experiment has no rows; allowed: one or more.")
    signature, seed = inspect.signature(fn), {"seed": None} if _takes_seed(fn) else {}
    for number, row in enumerate(rows):
        if number and row.keys() == rows[number - 1].keys():
            continue
        taken = [name for name in row if name in OWN]
        if taken:
            rest = f"allowed: any name but {', '.join(OWN)}"
            raise ParameterError(f"table, row {number}: column {taken[0]!r} belongs to the result; {rest}.")
        try:
            signature.bind(**row, **seed)
        except TypeError as error:
            what = f"table, row {number}: its columns are not what {getattr(fn, '__name__', fn)} takes ({error})"
            raise ParameterError(f"{what}; got {', '.join(map(str, row))}; allowed: {signature}.") from None


def _records(task: Task, value: Any) -> list[dict[str, Any]]:
    """Return the rows of the result that one call makes."""
    if hasattr(value, "to_dict") and hasattr(value, "columns"):
        parts = value.to_dict("records")
    elif isinstance(value, Mapping):
        parts = [dict(value)]
    elif np.ndim(value) == 0:
        parts = [{"value": value}]
    else:
        allowed = "a number, a mapping or a DataFrame"
        raise ParameterError(f"{task.words}: the function returned {type(value).__name__}; allowed: {allowed}.")
    own = {"row": task.row, "replicate": task.replicate, **task.parameters}
    for taken in (name for part in parts for name in part if name in own):
        what = f"the function returned {taken!r}, which is a column already"
        raise ParameterError(f"{task.words}: {what}; allowed: any other name.")
    return [{**own, **part} for part in parts]
