"""Lay the official context series side by side, one row a year: `python data/prepare/context.py`.

Growth stays as published: the statistical office revises earlier levels, so a quotient of published levels misleads.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from socialcommerce import data

TARGET = Path(__file__).parents[1] / "processed" / "context.csv"
SERIES = {
    "internet users": "internet_users",
    "online shoppers": "online_shoppers",
    "online retail": "online_retail",
    "online retail growth": "online_retail_growth",
    "online retail of goods": "goods_online",
    "online retail of goods growth": "goods_online_growth",
    "share of goods sold online": "goods_online_share",
}


def build() -> pd.DataFrame:
    """Return the context series; a year without an official figure (or with only a lower bound) stays empty."""
    figures = data.load("context_figures")
    official = figures[(figures["status"] == "official") & figures["series"].isin(SERIES)]
    wide = official.pivot(index="year", columns="series", values="value").rename(columns=SERIES)
    late = official[(official["series"] == "internet users") & ~official["as_of"].str.endswith("12-31")]
    wide["count_as_of"] = pd.Series(late["as_of"].to_numpy(), index=late["year"])
    return wide[[*SERIES.values(), "count_as_of"]].reset_index()


if __name__ == "__main__":
    build().to_csv(TARGET, index=False, lineterminator="\n")
