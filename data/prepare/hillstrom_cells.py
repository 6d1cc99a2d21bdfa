"""Reduce the Hillstrom experiment to counts and sums by arm and history: `python data/prepare/hillstrom_cells.py`.

The rows are fetched, or taken from the folder in SOCIALCOMMERCE_DATA, after their hash is checked, and stay outside the
repository. Like rows are different customers (the file has no identifier): none is dropped. Money is counted in cents,
so the sums are whole and exact.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from socialcommerce import data

TARGET = Path(__file__).parents[1] / "processed" / "hillstrom_cells.csv"
ARMS = {"Mens E-Mail": "men's mail", "Womens E-Mail": "women's mail", "No E-Mail": "no mail"}
BOUGHT = {(1, 0): "men's", (0, 1): "women's", (1, 1): "both"}
KEYS = ["arm", "bought", "history"]


def build(path: Path) -> pd.DataFrame:
    """Return customers, visits, conversions, spend and squared spend, one row a cell."""
    rows = pd.read_csv(path)
    cents = (100 * rows["spend"]).round().astype(int)
    cells = pd.DataFrame(
        {
            "arm": rows["segment"].map(ARMS),
            "history": rows["history_segment"].str.split(") ", regex=False).str[1],
            "bought": [BOUGHT[pair] for pair in zip(rows["mens"], rows["womens"], strict=True)],
            "customers": 1,
            "visit": rows["visit"],
            "conversion": rows["conversion"],
            "spend": cents,
            "spend_squared": cents**2,
        }
    )
    return cells.groupby(KEYS).sum().reset_index()


if __name__ == "__main__":
    build(*data.fetch("hillstrom")).to_csv(TARGET, index=False, lineterminator="\n")
