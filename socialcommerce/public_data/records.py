"""What records of shops, one experiment and published studies say: messages, sessions, deliveries, orders, paths.

The orders are CDNOW's of 1997, a music shop without private pools: remote from what the paper claims, so that no test
rests on them. Who ordered more was already another customer; the shares that rise with orders describe and do not
explain.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np

from socialcommerce.errors import DataError, UnknownNameError
from surveysem import Effect

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "adaptive_effect",
    "delivery_effect",
    "impulse_buying_effect",
    "matched_policy",
    "matching_effect",
    "message_by_history",
    "message_effect",
    "pooled_correlation",
    "randomised",
    "repeat_by_orders",
    "returning_effect",
    "scores_by_delay",
]

MESSAGE_OUTCOMES = {"visit": 100.0, "conversion": 100.0, "spend": 0.01}
"""Outcomes, and what brings them from counts and cents to percentage points and dollars a person."""

MENS, WOMENS = "men's mail", "women's mail"


def message_effect(cells: pd.DataFrame, outcome: str = "conversion") -> Effect:
    """Return either mail minus none; randomised.

    Parameters
    ----------
    cells : pandas.DataFrame
        The registered table ``hillstrom_cells``.
    outcome : str
        Of ``MESSAGE_OUTCOMES``: in percentage points, spending in dollars a person.

    Raises
    ------
    UnknownNameError
        For another outcome.
    """
    either = cells.assign(arm=cells["arm"].where(cells["arm"] == "no mail", "mail"))
    return contrast(_message_moments(either, outcome, ["arm"]), {"mail": 1, "no mail": -1})


def message_by_history(cells: pd.DataFrame, outcome: str = "conversion") -> pd.DataFrame:
    """Return either mail minus none in each bracket of past spending: estimate, standard error, customers."""
    import pandas as pd

    parts = {name: message_effect(part, outcome) for name, part in cells.groupby("history")}
    order = sorted(parts, key=lambda name: float(name.lstrip("$").split(" ")[0].replace(",", "")))
    rows = [(name, (of := parts[name]).estimate, of.n, of.standard_error) for name in order]
    return pd.DataFrame(rows, columns=["history", "estimate", "n", "standard_error"])


def matching_effect(cells: pd.DataFrame, outcome: str = "conversion") -> Effect:
    """Return what a mail that matches past purchases does beyond one that does not; as :func:`message_effect`.

    Half the interaction of arm and history among customers who bought from one side only, so that neither which mail is
    the better nor which customers are the better ones counts. The mail is randomised, the history is not: effect
    modification.
    """
    means = _message_moments(cells, outcome, ["arm", "bought"])
    return contrast(
        means, {(MENS, "men's"): 0.5, (WOMENS, "men's"): -0.5, (MENS, "women's"): -0.5, (WOMENS, "women's"): 0.5}
    )


def matched_policy(cells: pd.DataFrame, outcome: str = "conversion") -> Effect:
    """Return the matching mail for each minus the men's, the better of the two, for all; as :func:`message_effect`.

    Among customers who bought from one side only. The two policies part only where somebody bought women's goods, so
    the difference there counts with the share of these customers, which is taken as given.
    """
    bought = cells.groupby("bought")["customers"].sum()
    share = bought["women's"] / (bought["women's"] + bought["men's"])
    means = _message_moments(cells, outcome, ["arm", "bought"])
    return contrast(means, {(WOMENS, "women's"): share, (MENS, "women's"): -share})


def _message_moments(cells: pd.DataFrame, outcome: str, keys: list[str]) -> pd.DataFrame:
    """Return customers, sum and sum of squares of an outcome by the given keys, in the outcome's unit."""
    import pandas as pd

    if outcome not in MESSAGE_OUTCOMES:
        raise UnknownNameError("outcome", outcome, MESSAGE_OUTCOMES)
    unit = MESSAGE_OUTCOMES[outcome]
    squares = cells["spend_squared"] if outcome == "spend" else cells[outcome]  # of zeros and ones: themselves
    table = pd.DataFrame({"n": cells["customers"], "total": unit * cells[outcome], "squares": unit**2 * squares})
    return table.groupby([cells[key] for key in keys]).sum()


SESSION_CONTROLS = ("month", "traffic", "region", "browser")
"""What is fixed before a session begins; page values, bounce and depth come after the kind of visit."""


def returning_effect(cells: pd.DataFrame, controls: Sequence[str] = SESSION_CONTROLS) -> Effect:
    """Return returning minus new sessions' conversion in percentage points; sessions of unknown kind are left out.

    Parameters
    ----------
    cells : pandas.DataFrame
        The registered table ``uci_cells``.
    controls : sequence of str
        Columns that are held fixed; none for the crude difference.
    """
    known = cells[cells["visitor"] != "other"].rename(columns={"sessions": "n", "purchases": "total"})
    return linear_probability(known, "visitor", "returning", controls)


def delivery_effect(
    moments: pd.DataFrame,
    *,
    adjusted: str = "order and seller",
    late_from: str = "day after",
    reviewed: str = "after delivery",
) -> Effect:
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
    reviewed : {"after delivery", "any time"}
        Whether reviews written while waiting count: these rate an order that is not there yet.

    Raises
    ------
    UnknownNameError
        For a way to compare that the table does not hold.
    """
    row = only(moments, adjusted=adjusted, late_from=late_from, reviewed=reviewed)
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
    score, n = counts["review_score"], counts["reviews"]
    cells = counts.assign(n=n, total=score * n, squares=score**2 * n)
    sums = cells.groupby("band", sort=False)[["n", "total", "squares"]].sum()
    mean, variance = _mean(sums)
    return sums.assign(reviews=sums["n"], mean=mean, standard_error=variance**0.5)[
        ["reviews", "mean", "standard_error"]
    ].reset_index()


def repeat_by_orders(orders: pd.DataFrame) -> pd.DataFrame:
    """Return the share who order again within half a year by how many orders they have placed, in per cent.

    Parameters
    ----------
    orders : pandas.DataFrame
        The registered table ``cdnow_orders``; its last row holds the tenth and all later orders.
    """
    last = orders["order"].max()
    shown = orders["order"].astype(str).where(orders["order"] < last, f"{last}+")
    return orders.assign(order=shown, again=100 * orders["again"] / orders["customers"])


def adaptive_effect(cells: pd.DataFrame) -> Effect:
    """Return how many more of a hundred displays are clicked where they follow clicks than where drawn at random.

    Parameters
    ----------
    cells : pandas.DataFrame
        The registered table ``bandit_cells``; every campaign counts alike.
    """
    table = cells.set_index(["campaign", "policy"])
    clicks = table.rename(columns={"displays": "n"}).assign(total=100 * table["clicks"], squares=1e4 * table["clicks"])
    signs = {"adaptive": 1, "random": -1}
    return contrast(clicks, {cell: signs[cell[1]] / cells["campaign"].nunique() for cell in table.index})


def randomised(cells: pd.DataFrame) -> float:
    """Return the exact p value of no effect on anybody, two-sided, by all ways to draw the policies anew.

    Within a campaign the clicks of one policy are then hypergeometric; over campaigns the distributions convolve.
    """
    from scipy.stats import hypergeom

    chance, expected, found = np.ones(1), 0.0, 0
    for _, part in cells.groupby("campaign"):
        clicks, both = part["clicks"].sum(), part["displays"].sum()
        one = part[part["policy"] == "adaptive"].iloc[0]
        draws = hypergeom(both, clicks, one["displays"])
        chance, expected = np.convolve(chance, draws.pmf(np.arange(clicks + 1))), expected + draws.mean()
        found += one["clicks"]
    return float(chance[np.abs(np.arange(len(chance)) - expected) >= abs(found - expected) - 1e-9].sum())


def contrast(cells: pd.DataFrame, weights: Mapping[object, float]) -> Effect:
    """Return a weighted sum of the means of independent cells.

    The error is that of a regression on all cells with heteroskedasticity-robust errors (HC2; MacKinnon & White 1985,
    doi:10.1016/0304-4076(85)90158-7), for which counts, sums and sums of squares suffice.

    Parameters
    ----------
    cells : pandas.DataFrame
        One row a cell, with columns ``n``, ``total`` and ``squares`` (of the outcome); n >= 2 where weighted.
    weights : mapping of cell to float
        By the index of ``cells``.

    Raises
    ------
    DataError
        When a weighted cell is missing or holds fewer than two observations.

    Examples
    --------
    >>> import pandas as pd
    >>> arms = pd.DataFrame({"n": [4, 4], "total": [1, 3], "squares": [1, 3]}, index=["control", "mail"])
    >>> effect = contrast(arms, {"mail": 1, "control": -1})
    >>> effect.estimate, round(effect.standard_error, 4)
    (0.5, 0.3536)
    """
    few = [cell for cell in weights if cell not in cells.index or cells.at[cell, "n"] < 2]
    if few:
        raise DataError(
            f"cells {', '.join(map(str, few))} cannot be compared; got fewer than 2 observations; allowed: 2 or more."
        )
    used = cells.loc[list(weights)].assign(weight=list(weights.values())).astype(float)
    mean, variance = _mean(used)
    return Effect(float(used["weight"] @ mean), sqrt(used["weight"] ** 2 @ variance), int(used["n"].sum()))


def _mean(cells: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Return the mean of each cell, and its variance, from n, total and sum of squares."""
    mean = cells["total"] / cells["n"]
    return mean, (cells["squares"] - cells["total"] * mean) / (cells["n"] - 1) / cells["n"]


def linear_probability(cells: pd.DataFrame, factor: str, level: str, controls: Sequence[str] = ()) -> Effect:
    """Return how many percentage points one level of a factor adds to a rate, by least squares on cell counts.

    A linear probability model with fixed effects of the controls and heteroskedasticity-robust errors (HC1; MacKinnon &
    White 1985, doi:10.1016/0304-4076(85)90158-7), fitted by statsmodels to one row a cell and outcome with its count as
    frequency weight: the same numbers as on the single observations.

    Parameters
    ----------
    cells : pandas.DataFrame
        One row a cell, with ``n`` observations of which ``total`` had the outcome, the factor and the controls.
    factor, level : str
        A column, and the level that is compared with all others.
    controls : sequence of str
        Columns whose levels get a fixed effect each.

    Raises
    ------
    DataError
        When no cell, or every cell, is at that level.
    """
    import pandas as pd
    from statsmodels.regression.linear_model import WLS

    treated = cells[factor] == level
    if treated.all() or not treated.any():
        raise DataError(
            f"{factor} has nothing to compare; got {level!r} in {int(treated.sum())} of {len(cells)} "
            "cells; allowed: two levels or more."
        )
    dummies = [pd.get_dummies(cells[name], drop_first=True, dtype=float) for name in controls]
    design = np.column_stack([treated, np.ones(len(cells)), *dummies]).astype(float)
    twice, count = np.vstack([design, design]), np.concatenate([cells["total"], cells["n"] - cells["total"]])
    outcome, n = np.repeat([100.0, 0.0], len(cells)), int(cells["n"].sum())
    fit = WLS(outcome, twice, weights=count).fit()
    bread = fit.normalized_cov_params[0]
    score = (twice @ bread) * fit.resid  # of the one coefficient; each observation counts once, so count is not squared
    return Effect(float(fit.params[0]), sqrt(count @ score**2 * n / (n - fit.df_model - 1)), n)


def impulse_buying_effect(
    paths: pd.DataFrame, name: str, *, model: str = "with trust", estimator: str = "WLSMV", sample: str = "all"
) -> Effect:
    """Return the standardised path from one driver to the urge, the other three of its model held fixed.

    Parameters
    ----------
    paths : pandas.DataFrame
        The registered table ``hanoi_paths``: ordinal items, WLSMV, need the rows, so ``data/prepare`` fits the model.
        Or ``tiktok_paths``, whose drivers and models are its own and whose sample is one.
    name : {"PAR", "HED", "TRU", "ENJ", "INT", "CON"}
        Interest in opinion leaders, pleasure in shopping, trust and enjoyment (codes without published wording),
        reliance on others' reports, self-control.
    model : {"with trust", "published"}
        PAR, TRU, HED and ENJ, or PAR, INT, HED and CON, as the publisher fitted them.
    estimator : {"WLSMV", "ML"}
        WLSMV treats the answers as ordered, ML as continuous.
    sample : {"all", "distinct", "varied", "distinct and varied"}
        All answers, without repeated ones, without straight-liners, without either.

    Raises
    ------
    UnknownNameError
        For a driver, estimator or sample that the table does not hold.
    """
    row = only(paths, model=model, driver=name, estimator=estimator, sample=sample)
    return Effect(float(row["estimate"]), float(row["standard_error"]), int(row["nobs"]))


RELATIONS = 4  # between three constructs, one of them coded both ways, of which a pool says how many studies it has
SPREAD = 0.4  # our choice: standard deviation of Fisher's z among studies, so that a sixth of them lie below r = .22


def pooled_correlation(pairs: pd.DataFrame, first: str, second: str) -> Effect:
    """Return a correlation pooled over studies, its error that of a random-effects mean.

    With k studies whose Fisher's z spread by tau, the mean of z has error tau / sqrt(k) however many persons each asked
    (Borenstein et al. 2009, doi:10.1002/9780470743386, ch. 12), and r that times 1 - r^2 by the delta method. Neither k
    of one relation nor tau is printed: k is the studies of the pool by ``RELATIONS``, tau is ``SPREAD``.

    Parameters
    ----------
    pairs : pandas.DataFrame
        The registered table ``pooled_correlations``.
    first, second : str
        Of ``trust``, ``satisfaction``, ``loyalty``.
    """
    row = pairs.set_index(["row", "column"]).loc[(first, second)]
    r, k = float(row["correlation"]), int(row["studies"]) // RELATIONS
    return Effect(r, (1 - r**2) * SPREAD / k**0.5, k, df=k - 1)


def only(table: pd.DataFrame, **way: str) -> pd.Series:
    """Return the row of a table that was worked out this way; a column that the table lacks says nothing."""
    for column, given in way.items():
        if column in table and given not in set(table[column]):
            raise UnknownNameError(column, given, sorted(set(table[column])))
        table = table[table[column] == given] if column in table else table
    return table.iloc[0]
