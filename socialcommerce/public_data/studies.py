"""What published studies of others say: paths to impulse buying, and correlations pooled over meta-analyses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from socialcommerce.errors import UnknownNameError
from surveysem import Effect

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["least_pooled_size", "pooled_path", "impulse_buying_effect"]


def impulse_buying_effect(paths: pd.DataFrame, name: str, *, estimator: str = "WLSMV", sample: str = "all") -> Effect:
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


POOLED_MODEL = """
quality ~~ quality
trust ~ quality
satisfaction ~ quality
trust ~~ satisfaction
loyalty ~ quality + trust + satisfaction
"""
"""Saturated: it claims no order between trust and satisfaction and leaves out no path, so fit is not in question.

Quality was sampled like the others, so its variance is free: the errors are larger than with fixed covariates.
"""

LEAST_PER_STUDY = 4  # respondents; with fewer, Fisher's z of a correlation has no variance, 1 / (n - 3)


def pooled_path(matrix: pd.DataFrame, outcome: str, cause: str, nobs: int) -> Effect:
    """Return one standardised path, as if all correlations came from ``nobs`` persons.

    Normal-theory errors by the delta method. They leave out how much the pooled studies differ among each other, for
    which nothing was published: read them as the least there can be at that size.

    Parameters
    ----------
    matrix : pandas.DataFrame
        The registered table ``pooled_correlation_matrix``.
    outcome, cause : str
        Of ``quality``, ``trust``, ``satisfaction``, ``loyalty``.
    nobs : int
        Persons.

    Raises
    ------
    UnknownNameError
        For a path that the model has not.
    """
    import semfit

    square = matrix.set_index("construct").rename(index={"website quality": "quality"},
                                                  columns={"website quality": "quality"})
    table = semfit.fit(POOLED_MODEL, moments=semfit.Moments(square, None, nobs)).standardized
    found = table[(table["op"] == "~") & (table["lhs"] == outcome) & (table["rhs"] == cause)]
    if found.empty:
        known = [f"{row.rhs} -> {row.lhs}" for row in table[table["op"] == "~"].itertuples()]
        raise UnknownNameError("path", f"{cause} -> {outcome}", known)
    return Effect(float(found["std_all"].iloc[0]), float(found["se"].iloc[0]), nobs)


def least_pooled_size(pairs: pd.DataFrame) -> int:
    """Return the fewest persons the pooled correlations can rest on: those of the smallest pool, four a study.

    Parameters
    ----------
    pairs : pandas.DataFrame
        The registered table ``pooled_correlations``; only rows in use count.
    """
    return LEAST_PER_STUDY * int(pairs.loc[pairs["used"] == "yes", "studies"].min())
