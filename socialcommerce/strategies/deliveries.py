"""Olist's deliveries: what a broken promise of a delivery day costs in review scores."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from socialcommerce.errors import UnknownNameError
from socialcommerce.strategies.effects import Effect

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["in_time", "scores_by_delay"]


def in_time(moments: pd.DataFrame, *, adjusted: str = "order and seller", late_from: str = "day after",
            reviewed: str = "any time") -> Effect:
    """Return the mean score of deliveries in time minus late ones, in stars, with an error clustered by seller.

    A regression from its moments: with x and y what the controls leave of "in time" and of the score, b = sum xy / sum
    xx, and the error sums (x'y - b x'x) squared over sellers; with the usual correction for few clusters, and the
    sellers' own effects not counted as regressors since they are nested in the clusters (Cameron & Miller 2015,
    doi:10.3368/jhr.50.2.317). Observational: it compares like orders, not randomised ones.

    Parameters
    ----------
    moments : pandas.DataFrame
        The registered table ``olist_moments``.
    adjusted : {"order and seller", "order", "nothing"}
        What is held fixed: category, price, freight, number of items, customer's state and month; and the seller.
    late_from : {"day after", "promised midnight"}
        When a promise counts as broken.
    reviewed : {"any time", "after delivery"}
        Whether reviews written while waiting count.

    Raises
    ------
    UnknownNameError
        For a way to compare that the table does not hold.
    """
    way = {"adjusted": adjusted, "late_from": late_from, "reviewed": reviewed}
    for column, given in way.items():
        if given not in set(moments[column]):
            raise UnknownNameError(column, given, sorted(set(moments[column])))
    row = moments.set_index(list(way)).loc[tuple(way.values())]
    slope = row["xy"] / row["xx"]
    meat = row["xy_xy"] - 2 * slope * row["xx_xy"] + slope**2 * row["xx_xx"]
    n, sellers = int(row["reviews"]), int(row["sellers"])
    correction = sellers / (sellers - 1) * (n - 1) / (n - row["regressors"])
    return Effect(float(slope), sqrt(correction * meat) / float(row["xx"]), n, df=sellers - 1)


def scores_by_delay(counts: pd.DataFrame) -> pd.DataFrame:
    """Return reviews, mean score and its standard error by days late, the earliest first.

    Parameters
    ----------
    counts : pandas.DataFrame
        The registered table ``olist_scores``.
    """
    table = counts.assign(total=counts["review_score"] * counts["reviews"],
                          squares=counts["review_score"] ** 2 * counts["reviews"])
    sums = table.groupby("band", sort=False)[["reviews", "total", "squares"]].sum()
    mean = sums["total"] / sums["reviews"]
    variance = (sums["squares"] - sums["total"] * mean) / (sums["reviews"] - 1)
    return sums.assign(mean=mean, standard_error=(variance / sums["reviews"]) ** 0.5)[
        ["reviews", "mean", "standard_error"]].reset_index()
