"""Reduce the Hanoi survey to moments and answer counts of fifteen items: `python data/prepare/hanoi_moments.py`.

The rows are fetched, or taken from the folder in SOCIALCOMMERCE_DATA, after their hash is checked, and stay outside the
repository. Sums of whole numbers are exact, so the table is the same to the last digit on every machine.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from socialcommerce import data

TARGET = Path(__file__).parents[1] / "processed" / "hanoi_moments.csv"
CONSTRUCTS = ("PAR", "INT", "HED", "CON", "URG")
ITEMS = [f"{construct}{k}" for construct in CONSTRUCTS for k in (1, 2, 3)]
POINTS = range(1, 6)


def build(path: Path) -> pd.DataFrame:
    """Return one row an item, for all answers and for those that repeat no earlier answer on all 52 items."""
    answers = pd.read_excel(path)
    parts = {"all": answers, "distinct": answers.drop_duplicates()}
    return pd.concat([moments(part[ITEMS], name) for name, part in parts.items()], ignore_index=True)


def moments(answers: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return nobs, mean, how often each point was chosen, and covariances with divisor N - 1."""
    n, total = len(answers), answers.sum()
    products = n * (answers.T @ answers)
    for item in ITEMS:
        products[item] -= total * total[item]
    counts = pd.DataFrame({f"answers_{point}": (answers == point).sum() for point in POINTS})
    head = pd.DataFrame({"sample": name, "item": ITEMS, "nobs": n, "mean": total / n}, index=ITEMS)
    return pd.concat([head, counts, products / (n * (n - 1))], axis=1)


if __name__ == "__main__":
    build(*data.fetch("hanoi")).to_csv(TARGET, index=False, lineterminator="\n")
