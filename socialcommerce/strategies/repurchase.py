"""CDNOW's customers: how repurchase goes with recency, frequency and spending, described and never explained.

A music shop of 1997 without private pools: remote from what the paper claims, so that no test rests on it. Who ordered
more was already another customer, hence the shares that rise with orders say nothing of what looking after them does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ORDER_LABELS", "by_orders"]

ORDER_LABELS = {
    "order": {"en": "orders placed", "zh": "已购次数"},
    "customers": {"en": "customers followed", "zh": "可追踪顾客数"},
    "again": {"en": "ordered again within half a year, %", "zh": "半年内再次购买（%）"},
}


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
