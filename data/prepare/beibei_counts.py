"""Count the group-buying records of BeiBei by outcome and joiners: `python data/prepare/beibei_counts.py`.

The records are fetched, or taken from the folder in SOCIALCOMMERCE_DATA, after their hash is checked, and stay outside
the repository.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from socialcommerce import data

TARGET = Path(__file__).parents[1] / "processed" / "beibei_counts.csv"
PARTS = {"invalid.txt": "failed", "tune.txt": "successful, tuning part", "test.txt": "successful, test part"}


def build(paths: Iterable[Path]) -> pd.DataFrame:
    """Return groups, distinct initiators and the most groups of one initiator, by part and number of joiners."""
    here = {path.name: path for path in paths}
    return pd.concat([counts(here[name], part) for name, part in PARTS.items()], ignore_index=True)


def counts(path: Path, part: str) -> pd.DataFrame:
    """Count one part; a record is initiator, item, joiners..., parted by tabs."""
    records = [line.split("\t") for line in path.read_text(encoding="ascii").splitlines()]
    frame = pd.DataFrame({"joiners": [len(record) - 2 for record in records], "by": [record[0] for record in records]})
    most = frame["by"].value_counts()
    groups = frame.groupby("joiners")["by"]
    table = pd.DataFrame(
        {"groups": groups.size(), "initiators": groups.nunique(), "most_by_one": groups.agg(lambda by: most[by].max())}
    )
    return table.reset_index().assign(part=part)[["part", "joiners", "groups", "initiators", "most_by_one"]]


if __name__ == "__main__":
    build(data.fetch("beibei")).to_csv(TARGET, index=False, lineterminator="\n")
