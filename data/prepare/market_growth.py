"""Collect the growth rates as their publishers print them: `python data/prepare/market_growth.py`.

A published rate compares two years of one publisher's own count; it is the only growth that may be quoted across a year
in which Figure 1 changes publisher.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from socialcommerce import data

TARGET = Path(__file__).parents[1] / "processed" / "market_growth.csv"
COLUMNS = ["year", "growth", "unit", "publisher", "document", "published", "status", "id", "seen_at"]


def build() -> pd.DataFrame:
    """Return the published growth rates by year and publisher."""
    figures = data.load("market_figures")
    rates = figures[figures["measure"] == "growth"].rename(columns={"value": "growth"})
    return rates.sort_values(["year", "publisher", "document"], kind="stable", ignore_index=True)[COLUMNS]


if __name__ == "__main__":
    build().to_csv(TARGET, index=False, lineterminator="\n")
