"""Sobol indices: how much of an output's variance each parameter accounts for, alone and with all others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from stockflow.errors import ParameterError, extra
from stockflow.experiments.running import run

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["sobol"]


def sobol(fn: Callable[..., Any], bounds: Mapping[str, tuple[float, float]], n: int = 1024, *, seed: int = 0,
          level: float = 0.95, resamples: int = 200, **options: Any) -> pd.DataFrame:
    """Return first-order and total Sobol indices of every numeric output of a callable.

    Parameters are independent and uniform; the sample is Saltelli's over a scrambled Sobol sequence, the estimators
    are SALib's (Saltelli et al. 2010, doi:10.1016/j.cpc.2009.09.018), the intervals from its bootstrap.

    Parameters
    ----------
    fn : callable
        As for :func:`~stockflow.experiments.run`. If it uses chance, its noise counts as variance that no
        parameter alone accounts for.
    bounds : mapping of str to (low, high)
        The range of each parameter.
    n : int
        Base sample, a power of 2; ``fn`` is called n (d + 2) times for d parameters.
    seed : int
        Of the sample, of the calls and of the bootstrap.
    level : float
        Of confidence.
    resamples : int
        Of the bootstrap.
    **options
        ``executor``, ``workers``, ``progress``, ``timeout`` of :func:`~stockflow.experiments.run`.

    Returns
    -------
    pandas.DataFrame
        One row an output and parameter: output, parameter, first, first_low, first_high, total, total_low, total_high.

    Raises
    ------
    ParameterError
        When a range is empty, n is no power of 2, or an output does not vary or is not finite.
    """
    with extra("experiments"):
        import pandas as pd
        from SALib.analyze import sobol as analysis
        from SALib.sample import sobol as sampling

    for name, (low, high) in bounds.items():
        if not (np.isfinite([low, high]).all() and low < high):
            raise ParameterError(f"bounds of {name} are a range; got {low} to {high}; allowed: finite, low below high.")
    if n < 2 or n & (n - 1):
        raise ParameterError(f"n is a power of 2, so that the sample is balanced; got {n}.")
    names = list(bounds)
    problem = {"num_vars": len(names), "names": names, "bounds": [list(map(float, bounds[name])) for name in names]}
    sample = sampling.sample(problem, n, calc_second_order=False, seed=seed)
    result = run(fn, pd.DataFrame(sample, columns=names), seed, **options)
    rows = []
    for output in result.columns.drop(["row", "replicate", *names]):
        found = analysis.analyze(problem, _varying(result[output]), calc_second_order=False, seed=seed,
                                 conf_level=level, num_resamples=resamples)
        for k, name in enumerate(names):
            row = {"output": output, "parameter": name}
            for word, key in (("first", "S1"), ("total", "ST")):
                value, half = float(found[key][k]), float(found[f"{key}_conf"][k])
                row |= {word: value, f"{word}_low": value - half, f"{word}_high": value + half}
            rows.append(row)
    return pd.DataFrame(rows)


def _varying(column: pd.Series) -> np.ndarray:
    values = column.to_numpy(dtype=float)
    if not np.isfinite(values).all() or np.ptp(values) == 0:
        given = "a value that is not finite" if not np.isfinite(values).all() else f"{values[0]:g} everywhere"
        raise ParameterError(f"output {column.name!r} has no variance to divide; got {given}.")
    return values
