"""Count BeiBei's initiators by their failed and successful groups: `python data/prepare/beibei_initiators.py`.

The records are fetched, or taken from the folder in SOCIALCOMMERCE_DATA, after their hash is checked, and stay outside
the repository. Groups of one initiator are not independent; this table says how they cluster.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from socialcommerce import data

TARGET = Path(__file__).parents[1] / "processed" / "beibei_initiators.csv"
OUTCOMES = {"failed": ("invalid.txt",), "successful": ("tune.txt", "test.txt")}


def build(paths: Iterable[Path]) -> pd.DataFrame:
    """Return how many initiators have that many failed and that many successful groups on record."""
    here = {path.name: path for path in paths}
    by = {outcome: sum((initiators(here[name]) for name in names), Counter()) for outcome, names in OUTCOMES.items()}
    each = pd.DataFrame(by).fillna(0).astype(int)
    return each.groupby(list(OUTCOMES)).size().rename("initiators").reset_index()


def initiators(path: Path) -> Counter:
    """Count records by their first field, the initiator."""
    return Counter(line.partition("\t")[0] for line in path.read_text(encoding="ascii").splitlines())


if __name__ == "__main__":
    build(data.fetch("beibei")).to_csv(TARGET, index=False, lineterminator="\n")
