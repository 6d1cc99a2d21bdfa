"""The Hillstrom experiment: what a message does, and what matching it to past purchases does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from socialcommerce.errors import UnknownNameError
from socialcommerce.strategies.effects import Effect, contrast

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["OUTCOMES", "by_history", "matched_policy", "matching", "message"]

OUTCOMES = {"visit": 100.0, "conversion": 100.0, "spend": 0.01}
"""Outcomes, and what brings them from counts and cents to percentage points and dollars a person."""

MENS, WOMENS = "men's mail", "women's mail"


def message(cells: pd.DataFrame, outcome: str = "conversion") -> Effect:
    """Return either mail minus none; randomised.

    Parameters
    ----------
    cells : pandas.DataFrame
        The registered table ``hillstrom_cells``.
    outcome : str
        Of ``OUTCOMES``.
    """
    either = cells.assign(arm=cells["arm"].where(cells["arm"] == "no mail", "mail"))
    return contrast(_moments(either, outcome, ["arm"]), {"mail": 1, "no mail": -1})


def by_history(cells: pd.DataFrame, outcome: str = "conversion") -> pd.DataFrame:
    """Return either mail minus none in each bracket of past spending: estimate, standard error, customers."""
    import pandas as pd

    parts = {name: message(part, outcome) for name, part in cells.groupby("history")}
    order = sorted(parts, key=lambda name: float(name.lstrip("$").split(" ")[0].replace(",", "")))
    return pd.DataFrame([{"history": name, "estimate": parts[name].estimate, "n": parts[name].n,
                          "standard_error": parts[name].standard_error} for name in order])


def matching(cells: pd.DataFrame, outcome: str = "conversion") -> Effect:
    """Return what a mail that matches past purchases does beyond one that does not.

    Half the interaction of arm and history among customers who bought from one side only, so that neither which mail is
    the better nor which customers are the better ones counts. The mail is randomised, the history is not: effect
    modification.
    """
    means = _moments(cells, outcome, ["arm", "bought"])
    return contrast(means, {(MENS, "men's"): 0.5, (WOMENS, "men's"): -0.5, (MENS, "women's"): -0.5,
                            (WOMENS, "women's"): 0.5})


def matched_policy(cells: pd.DataFrame, outcome: str = "conversion") -> Effect:
    """Return the matching mail for each minus the men's mail, the better of the two, for all.

    Among customers who bought from one side only. The two policies part only where somebody bought women's goods, so
    the difference there counts with the share of these customers, which is taken as given.
    """
    bought = cells.groupby("bought")["customers"].sum()
    share = bought["women's"] / (bought["women's"] + bought["men's"])
    means = _moments(cells, outcome, ["arm", "bought"])
    return contrast(means, {(WOMENS, "women's"): share, (MENS, "women's"): -share})


def _moments(cells: pd.DataFrame, outcome: str, keys: list[str]) -> pd.DataFrame:
    """Return customers, sum and sum of squares of an outcome by the given keys, in the outcome's unit."""
    import pandas as pd

    if outcome not in OUTCOMES:
        raise UnknownNameError("outcome", outcome, OUTCOMES)
    unit = OUTCOMES[outcome]
    squares = cells["spend_squared"] if outcome == "spend" else cells[outcome]  # of zeros and ones: themselves
    table = pd.DataFrame({"n": cells["customers"], "total": unit * cells[outcome], "squares": unit**2 * squares})
    return table.groupby([cells[key] for key in keys]).sum()
