"""Count who takes a place in BeiBei's groups: `python data/prepare/beibei_joiners.py`.

The records are fetched, or taken from the folder in SOCIALCOMMERCE_DATA, after their hash is checked, and stay outside
the repository.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from socialcommerce import data

TARGET = Path(__file__).parents[1] / "processed" / "beibei_joiners.csv"
PARTS = ("invalid.txt", "tune.txt", "test.txt")


def build(paths: Iterable[Path]) -> pd.DataFrame:
    """Return places taken and persons who took them, by whether they open groups too, in any part on record."""
    here = {path.name: path for path in paths}
    records = [line.split("\t") for name in PARTS for line in here[name].read_text(encoding="ascii").splitlines()]
    opened = {record[0] for record in records}
    places = pd.Series([joiner for record in records for joiner in record[2:]])
    opens = places.isin(opened).map({True: "yes", False: "no"}).rename("opens")
    return places.groupby(opens).agg(places="size", persons="nunique").reset_index()


if __name__ == "__main__":
    build(data.fetch("beibei")).to_csv(TARGET, index=False, lineterminator="\n")
