"""Count the sessions of the UCI online shoppers by what was fixed when they began: `python data/prepare/uci_cells.py`.

The rows are fetched, or taken from the folder in SOCIALCOMMERCE_DATA, after their hash is checked, and stay outside the
repository. What comes after the kind of visit (page values, bounce, depth) is left out: it must not be conditioned on.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from socialcommerce import data

TARGET = Path(__file__).parents[1] / "processed" / "uci_cells.csv"
KEYS = {"VisitorType": "visitor", "Month": "month", "TrafficType": "traffic", "Region": "region", "Browser": "browser"}
VISITORS = {"Returning_Visitor": "returning", "New_Visitor": "new", "Other": "other"}


def build(path: Path) -> pd.DataFrame:
    """Return sessions and purchases, one row a cell."""
    rows = pd.read_csv(path).rename(columns=KEYS).replace({"visitor": VISITORS})
    sold = rows.groupby(list(KEYS.values()))["Revenue"]
    return pd.DataFrame({"sessions": sold.size(), "purchases": sold.sum()}).reset_index()


if __name__ == "__main__":
    build(*data.fetch("uci_shoppers")).to_csv(TARGET, index=False, lineterminator="\n")
