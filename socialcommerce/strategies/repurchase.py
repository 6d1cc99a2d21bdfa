"""CDNOW's customers: how repurchase goes with recency, frequency and spending, described and never explained.

A music shop of 1997 without private pools: remote from what the paper claims, so that no test rests on it. Who ordered
more was already another customer, hence the shares that rise with orders say nothing of what looking after them does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from socialcommerce.errors import UnknownNameError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ORDER_LABELS", "SEGMENT_LABELS", "TRAITS", "TRAIT_LABELS", "WEEK_LABELS", "by_orders", "by_trait",
           "by_week", "segments"]

TRAITS = {
    "recency": {"en": "last order", "zh": "最近一次购买"},
    "frequency": {"en": "orders placed", "zh": "购买次数"},
    "monetary": {"en": "spending an order", "zh": "单次消费"},
}
BANDS = {
    "recency": {1: {"en": "longest ago", "zh": "最久"}, 2: {"en": "in between", "zh": "居中"},
                3: {"en": "latest", "zh": "最近"}},
    "frequency": {1: {"en": "one", "zh": "一次"}, 2: {"en": "two", "zh": "两次"},
                  3: {"en": "three or more", "zh": "三次及以上"}},
    "monetary": {1: {"en": "lowest third", "zh": "最低三分之一"}, 2: {"en": "middle third", "zh": "中间三分之一"},
                 3: {"en": "highest third", "zh": "最高三分之一"}},
}
"""What the traits of ``cdnow_cells`` and their bands are called."""

_SHARES = {
    "customers": {"en": "customers", "zh": "顾客数"},
    "days": {"en": "days since last order", "zh": "距最近购买天数"},
    "orders": {"en": "orders a customer", "zh": "人均购买次数"},
    "dollars": {"en": "dollars an order", "zh": "单次消费（美元）"},
    "returned": {"en": "ordered again, %", "zh": "再次购买（%）"},
    "later_orders": {"en": "later orders a customer", "zh": "其后人均购买次数"},
    "later_dollars": {"en": "later dollars a customer", "zh": "其后人均消费（美元）"},
    "share": {"en": "share of later dollars, %", "zh": "占其后销售额（%）"},
}
SEGMENT_LABELS = {**TRAITS, **_SHARES}
"""Columns of :func:`segments` with their heads; those of :func:`by_trait` are trait and band, then the same."""

TRAIT_LABELS = {"trait": {"en": "by", "zh": "依据"}, "band": {"en": "band", "zh": "分段"}, **_SHARES}
ORDER_LABELS = {
    "order": {"en": "orders placed", "zh": "已购次数"},
    "customers": {"en": "customers followed", "zh": "可追踪顾客数"},
    "again": {"en": "ordered again within half a year, %", "zh": "半年内再次购买（%）"},
}
WEEK_LABELS = {
    "week": {"en": "week since first order", "zh": "首购后第几周"},
    "ordered": {"en": "ordered in that week, %", "zh": "当周购买（%）"},
    "repeated": {"en": "had ordered again by then, %", "zh": "截至当周已复购（%）"},
}


def segments(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the 27 segments by recency, frequency and spending (RFM), those who came back most often first.

    The traits are those of the first 39 weeks of 1997, what came later that of the 39 weeks after, the split of Fader,
    Hardie & Lee (2005), doi:10.1509/jmkr.2005.42.4.415.

    Parameters
    ----------
    cells : pandas.DataFrame
        The registered table ``cdnow_cells``.

    Returns
    -------
    pandas.DataFrame
        The columns of ``SEGMENT_LABELS``: bands in words, means a customer, shares in per cent.

    Examples
    --------
    >>> from socialcommerce import data
    >>> best = segments(data.load("cdnow_cells")).iloc[0]
    >>> best["frequency"]["en"], round(best["returned"])
    ('three or more', 71)
    """
    table = _shares(cells.set_index(list(TRAITS))).sort_values("returned", ascending=False).reset_index()
    return table.assign(**{trait: table[trait].map(BANDS[trait]) for trait in TRAITS})[list(SEGMENT_LABELS)]


def by_trait(cells: pd.DataFrame, trait: str) -> pd.DataFrame:
    """Return customers and what they bought later by one trait, in the columns of ``TRAIT_LABELS``.

    Parameters
    ----------
    cells : pandas.DataFrame
        The registered table ``cdnow_cells``.
    trait : {"recency", "frequency", "monetary"}
        What to sort customers by.

    Raises
    ------
    UnknownNameError
        For any other trait.
    """
    if trait not in TRAITS:
        raise UnknownNameError("trait", trait, TRAITS)
    table = _shares(cells.groupby(trait).sum()).reset_index()
    return table.assign(trait=[TRAITS[trait]] * len(table), band=table[trait].map(BANDS[trait]))[list(TRAIT_LABELS)]


def by_orders(orders: pd.DataFrame) -> pd.DataFrame:
    """Return the share who order again within half a year by how many orders they have placed, in per cent.

    Parameters
    ----------
    orders : pandas.DataFrame
        The registered table ``cdnow_orders``; its last row holds the tenth and all later orders.
    """
    last = orders["order"].max()
    shown = orders["order"].astype(str).where(orders["order"] < last, f"{last}+")
    return orders.assign(order=shown, again=100 * orders["again"] / orders["customers"])


def by_week(weeks: pd.DataFrame) -> pd.DataFrame:
    """Return by week since the first order who orders, and who has ordered again by then, in per cent.

    Parameters
    ----------
    weeks : pandas.DataFrame
        The registered table ``cdnow_weeks``.
    """
    return weeks.assign(ordered=100 * weeks["ordered"] / weeks["customers"],
                        repeated=100 * weeks["second"].cumsum() / weeks["customers"])[list(WEEK_LABELS)]


def _shares(sums: pd.DataFrame) -> pd.DataFrame:
    """Return means a customer, shares in per cent and dollars from sums over customers in days and cents."""
    each = sums.div(sums["customers"], axis=0)
    return each.assign(customers=sums["customers"], dollars=each["cents"] / 100, returned=100 * each["returned"],
                       later_dollars=each["later_cents"] / 100,
                       share=100 * sums["later_cents"] / sums["later_cents"].sum())[list(_SHARES)]
