"""Square the pooled correlations that may be used: `python data/prepare/pooled_correlations.py`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from socialcommerce import data

TARGET = Path(__file__).parents[1] / "processed" / "pooled_correlation_matrix.csv"
ORDER = ("website quality", "trust", "satisfaction", "loyalty")


def build() -> pd.DataFrame:
    """Return the 4 x 4 matrix, one row a construct; it must be positive definite."""
    pairs = data.load("pooled_correlations").query("used == 'yes'")
    matrix = pd.DataFrame(np.eye(len(ORDER)), index=list(ORDER), columns=list(ORDER))
    for first, second, r in zip(pairs["row"], pairs["column"], pairs["correlation"], strict=True):
        matrix.loc[first, second] = matrix.loc[second, first] = r
    np.linalg.cholesky(matrix)  # raises where the pooled values contradict each other
    return matrix.rename_axis("construct").reset_index()


if __name__ == "__main__":
    build().to_csv(TARGET, index=False, lineterminator="\n")
