"""Count the repeat purchases of CDNOW's customers: `python data/prepare/cdnow.py`.

The rows (Fader & Hardie 2001, Interfaces 31, S94-S107: everybody who first bought in the first quarter of 1997, until
the end of June 1998) lie in a package's archive, which is fetched, or taken from the folder in SOCIALCOMMERCE_DATA,
after its hash is checked, and stays outside the repository: the package's licence does not say whether it covers them.
An order is a customer's day: what was bought on one day counts as one.
"""

from __future__ import annotations

import tarfile
from pathlib import Path

import numpy as np
import pandas as pd

from socialcommerce import data

TARGETS = {name: Path(__file__).parents[1] / "processed" / f"cdnow_{name}.csv" for name in ("cells", "orders", "weeks")}
MEMBER = "Lifetimes-0.11.3/lifetimes/datasets/CDNOW_master.txt"
SPLIT, END = pd.Timestamp("1997-10-01"), pd.Timestamp("1998-07-01")  # 39 weeks on either side of the split
NEAR = 182  # days within which another order is looked for; who cannot be followed so long is left out
MOST = 10  # orders counted one by one


def build(path: Path) -> dict[str, pd.DataFrame]:
    """Return customers by recency, frequency and spending; by number of orders; and by week since the first order."""
    table = orders(rows(path))
    return {"cells": cells(table), "orders": repeats(table), "weeks": weeks(table)}


def rows(path: Path) -> pd.DataFrame:
    """Return one row a purchase: customer, date, number of CDs, dollars."""
    with tarfile.open(path) as archive:
        return pd.read_csv(archive.extractfile(MEMBER), sep=r"\s+", dtype={"customer_id": str, "date": str})


def orders(rows: pd.DataFrame) -> pd.DataFrame:
    """Return one row an order: customer, day, cents, its rank among the customer's, days to the next one."""
    table = rows.assign(day=pd.to_datetime(rows["date"]), cents=(100 * rows["dollar_value"]).round().astype(int))
    table = table.groupby(["customer_id", "day"], as_index=False)["cents"].sum()
    by = table.groupby("customer_id")
    return table.assign(
        rank=by.cumcount() + 1,
        wait=(by["day"].shift(-1) - table["day"]).dt.days,
        since=(table["day"] - by["day"].transform("min")).dt.days,
    )


def cells(orders: pd.DataFrame) -> pd.DataFrame:
    """Return customers by recency, orders and dollars an order before the split, and what they bought after it.

    Recency and dollars by thirds, in which ties stay together. Most customers had ordered once, so that orders
    have no thirds: one, two, three or more.
    """
    before, after = (part.groupby("customer_id") for _, part in orders.groupby(orders["day"] >= SPLIT))
    table = pd.DataFrame(
        {"orders": before.size(), "days": (SPLIT - before["day"].max()).dt.days, "cents": before["cents"].mean()}
    )
    later = pd.DataFrame({"later_orders": after.size(), "later_cents": after["cents"].sum()})
    table = table.join(later).fillna(0)
    kind = {
        "recency": third(-table["days"]),
        "frequency": table["orders"].clip(upper=3).astype(int),
        "monetary": third(table["cents"]),
    }
    table = table.assign(**kind, returned=table["later_orders"] > 0, cents=table["cents"].round())
    sums = table.groupby(list(kind))[["orders", "days", "cents", "returned", "later_orders", "later_cents"]].sum()
    return sums.astype(int).assign(customers=table.groupby(list(kind)).size()).reset_index()


def third(values: pd.Series) -> np.ndarray:
    """Return 1, 2 or 3: the lowest, middle or highest third."""
    return 1 + np.searchsorted(values.quantile([1 / 3, 2 / 3]), values)


def repeats(orders: pd.DataFrame) -> pd.DataFrame:
    """Return, by how many orders a customer has placed, how many placed another within half a year."""
    followed = orders[orders["day"] + pd.Timedelta(days=NEAR) < END]
    rank = followed["rank"].clip(upper=MOST).rename("order")
    return pd.DataFrame(
        {"customers": followed.groupby(rank).size(), "again": (followed["wait"] <= NEAR).groupby(rank).sum()}
    ).reset_index()


def weeks(orders: pd.DataFrame) -> pd.DataFrame:
    """Return, by full weeks since the first order, customers who ordered and who ordered for the second time.

    Only weeks in which every customer can be followed; the first order itself is not counted.
    """
    last = (END - orders.loc[orders["rank"] == 1, "day"].max()).days // 7
    later = orders[orders["rank"] > 1].assign(week=lambda d: (d["since"] - 1) // 7 + 1)
    by = later[later["week"] <= last].groupby("week")
    table = pd.DataFrame({"ordered": by["customer_id"].nunique(), "second": by["rank"].agg(lambda r: (r == 2).sum())})
    everybody = orders["customer_id"].nunique()
    return table.reindex(range(1, last + 1), fill_value=0).assign(customers=everybody).reset_index()


if __name__ == "__main__":
    for name, table in build(*data.fetch("cdnow")).items():
        table.to_csv(TARGETS[name], index=False, lineterminator="\n")
