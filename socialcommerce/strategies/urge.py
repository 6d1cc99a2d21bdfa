"""The Hanoi survey: what goes with a stronger urge to buy on impulse, estimated outside from the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from socialcommerce.errors import UnknownNameError
from socialcommerce.strategies.effects import Effect

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["driver"]


def driver(paths: pd.DataFrame, name: str, *, estimator: str = "WLSMV", sample: str = "all") -> Effect:
    """Return the standardised path from one driver to the urge, the other three held fixed.

    Parameters
    ----------
    paths : pandas.DataFrame
        The registered table ``hanoi_paths``: ordinal items, WLSMV, need the rows, so ``data/prepare`` fits the model.
    name : {"PAR", "TRU", "HED", "ENJ"}
        Parasocial interaction, trust, hedonic benefit, enjoyment.
    estimator : {"WLSMV", "ML"}
        WLSMV treats the answers as ordered, ML as continuous.
    sample : {"all", "distinct", "varied", "distinct and varied"}
        All answers, without repeated ones, without straight-liners, without either.

    Raises
    ------
    UnknownNameError
        For a driver, estimator or sample that the table does not hold.
    """
    for column, given in (("driver", name), ("estimator", estimator), ("sample", sample)):
        if given not in set(paths[column]):
            raise UnknownNameError(column, given, sorted(set(paths[column])))
    row = paths.set_index(["driver", "estimator", "sample"]).loc[(name, estimator, sample)]
    return Effect(float(row["estimate"]), float(row["standard_error"]), int(row["nobs"]))
