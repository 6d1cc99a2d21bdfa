"""Reduce Olist's reviewed deliveries to score counts and moments: `python data/prepare/olist_deliveries.py`.

The rows are fetched, or taken from the folder in SOCIALCOMMERCE_DATA, after their hash is checked, and stay outside the
repository; their licence lets only aggregates out. A review counts when its order has a delivery date. The promise is a
day, so an order is late from the day after; counting from the promised midnight stands beside it.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from socialcommerce import data

SCORES, MOMENTS = (Path(__file__).parents[1] / "processed" / f"olist_{name}.csv" for name in ("scores", "moments"))
BANDS = {
    "11 or more early": -10,
    "1 to 10 early": 0,
    "on the day": 1,
    "1 to 2 late": 3,
    "3 to 6 late": 7,
    "7 to 13 late": 14,
    "14 or more late": 10_000,
}  # the day at which the next band begins
DAYS = ["order_purchase_timestamp", "order_delivered_customer_date", "order_estimated_delivery_date"]
LATE_FROM = {"day after": 1, "promised midnight": 0}
REVIEWED = ("any time", "after delivery")  # most buyers of late orders answered while still waiting
ADJUSTED = ("nothing", "order", "order and seller")


def build(paths: Iterable[Path]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the counts of scores by days late, and the moments of each way to compare."""
    rows = reviews(paths)
    band = pd.cut(rows["days"], [-10_000, *BANDS.values()], right=False, labels=list(BANDS)).rename("band")
    counts = rows.groupby([band, "review_score"], observed=True).size().rename("reviews").reset_index()
    ways = product(LATE_FROM, REVIEWED, ADJUSTED)
    return counts, pd.DataFrame([moments(rows, *way) for way in ways])


def reviews(paths: Iterable[Path]) -> pd.DataFrame:
    """Return one row a review: days from the promised to the delivery day, score, and what is held fixed."""
    here = {path.name.removeprefix("olist_").removesuffix("_dataset.csv"): path for path in paths}
    orders = pd.read_csv(here["orders"], parse_dates=DAYS).dropna(subset=DAYS[1])
    scores = pd.read_csv(here["order_reviews"], parse_dates=["review_answer_timestamp"])
    rows = scores.merge(orders, on="order_id", validate="many_to_one")
    rows = rows.merge(items(here), on="order_id", how="left", validate="many_to_one")
    rows = rows.merge(pd.read_csv(here["customers"]), on="customer_id", how="left", validate="many_to_one")
    days = (rows[DAYS[1]].dt.normalize() - rows[DAYS[2]]).dt.days
    return rows.assign(
        days=days, month=rows[DAYS[0]].dt.strftime("%Y-%m"), after=rows["review_answer_timestamp"] >= rows[DAYS[1]]
    )


def items(here: dict[str, Path]) -> pd.DataFrame:
    """Return each order's price, freight and number of items, and the category and seller of its first item."""
    lines = pd.read_csv(here["order_items"]).sort_values(["order_id", "order_item_id"])
    category = pd.read_csv(here["products"]).set_index("product_id")["product_category_name"].fillna("unknown")
    orders = lines.groupby("order_id")
    return pd.DataFrame(
        {
            "price": np.log(orders["price"].sum()),
            "freight": np.log1p(orders["freight_value"].sum()),
            "items": orders.size(),
            "category": orders["product_id"].first().map(category),
            "seller": orders["seller_id"].first(),
        }
    ).reset_index()


def moments(rows: pd.DataFrame, late: str, reviewed: str, adjusted: str) -> dict:
    """Return what is left of "in time" and score after the controls, as sums over reviews and over sellers.

    By Frisch, Waugh and Lovell the ratio of xy to xx is the regression's coefficient; the sums of squares and products
    of each seller's part give its error clustered by seller.
    """
    rows = rows[rows["after"]] if reviewed == "after delivery" else rows
    both = pd.DataFrame({"x": (rows["days"] < LATE_FROM[late]).astype(float), "y": rows["review_score"].astype(float)})
    late_reviews = int((both["x"] == 0).sum())
    controls = pd.DataFrame({"one": 1.0}, index=rows.index) if adjusted == "nothing" else fixed(rows)
    if adjusted == "order and seller":  # first the sellers' means, then the rest
        both, controls = (frame - frame.groupby(rows["seller"]).transform("mean") for frame in (both, controls))
    rank = int(np.linalg.matrix_rank(controls))
    left = both - controls.to_numpy() @ np.linalg.lstsq(controls.to_numpy(), both.to_numpy(), rcond=None)[0]
    part = pd.DataFrame({"xx": left["x"] ** 2, "xy": left["x"] * left["y"]}).groupby(rows["seller"]).sum()
    return {
        "late_from": late,
        "reviewed": reviewed,
        "adjusted": adjusted,
        "reviews": len(rows),
        "late_reviews": late_reviews,
        "sellers": len(part),
        "regressors": rank + 1,
        "xx": part["xx"].sum(),
        "xy": part["xy"].sum(),
        "xx_xx": part["xx"] @ part["xx"],
        "xx_xy": part["xx"] @ part["xy"],
        "xy_xy": part["xy"] @ part["xy"],
    }


def fixed(rows: pd.DataFrame) -> pd.DataFrame:
    """Return price, freight and number of items, and a fixed effect of category, customer's state and month.

    Nothing at hand says where the sellers are: state, and the seller's effect where it is in, stand for distance.
    """
    effects = pd.get_dummies(rows[["category", "customer_state", "month"]], dtype=float)
    return pd.concat([rows[["price", "freight", "items"]].astype(float), effects], axis=1)


if __name__ == "__main__":
    for table, target in zip(build(data.fetch("olist")), (SCORES, MOMENTS), strict=True):
        table.round(6).to_csv(target, index=False, lineterminator="\n")
