"""Reduce the crop-insurance experiment to moments: `python data/prepare/social_insure.py`.

The rows (Cai, de Janvry & Sadoulet 2015, doi:10.1257/app.20130442) lie in a package's archive, which is fetched, or
taken from the folder in SOCIALCOMMERCE_DATA, after its hash is checked, and stays outside the repository: the package's
licence does not say whether it covers the authors' data.
"""

from __future__ import annotations

import tarfile
from itertools import combinations_with_replacement
from pathlib import Path

import numpy as np
import pandas as pd

from socialcommerce import data

TARGET = Path(__file__).parents[1] / "processed" / "social_insure_moments.csv"
MEMBER = "causaldata-0.1.5/causaldata/social_insure/Cai_2015.csv"
NAMES = {"default": "z", "pre_takeup_rate": "x", "takeup_survey": "y"}  # the instrument, the peers' share, the outcome
HOUSEHOLD = ["male", "age", "agpop", "ricearea_2010", "literacy", "intensive", "risk_averse", "disaster_prob"]
ADJUSTED = ("nothing", "administrative village", "administrative village and household")


def build(path: Path) -> pd.DataFrame:
    """Return the moments, one row a set of controls."""
    table = rows(path)
    return pd.DataFrame([moments(table, adjusted) for adjusted in ADJUSTED])


def rows(path: Path) -> pd.DataFrame:
    """Return one row a household that was offered the insurance in the second round."""
    with tarfile.open(path) as archive:
        return pd.read_csv(archive.extractfile(MEMBER)).rename(columns=NAMES)


def moments(rows: pd.DataFrame, adjusted: str) -> dict:
    """Return what the controls leave of z, x and y, as sums of z's products over households and over villages.

    By Frisch, Waugh and Lovell sum zy / sum zx is the instrumental-variable estimate, sum zy / sum zz the reduced form
    and sum zx / sum zz the first stage; sums of squares and products of each natural village's part (``zz_zy``: of its
    zz and its zy) give their errors clustered by village. Households with a gap in a control are left out there.
    """
    rows = rows.dropna(subset=HOUSEHOLD) if adjusted.endswith("household") else rows
    controls = [pd.DataFrame({"one": 1.0}, index=rows.index)]
    if adjusted != "nothing":
        controls += [pd.get_dummies(rows["village"], drop_first=True, dtype=float)]
    if adjusted.endswith("household"):
        controls += [rows[HOUSEHOLD].astype(float)]
    fixed, three = np.column_stack(controls), rows[[*"zxy"]].to_numpy(float)
    z, x, y = (three - fixed @ np.linalg.lstsq(fixed, three, rcond=None)[0]).T
    part = pd.DataFrame({"zz": z * z, "zx": z * x, "zy": z * y}).groupby(rows["address"].to_numpy()).sum()
    return {
        "adjusted": adjusted,
        "households": len(rows),
        "villages": len(part),
        "regressors": np.linalg.matrix_rank(fixed) + 1,
        **part.sum(),
        **{f"{a}_{b}": part[a] @ part[b] for a, b in combinations_with_replacement(part, 2)},
    }


if __name__ == "__main__":
    build(*data.fetch("social_insure")).round(9).to_csv(TARGET, index=False, lineterminator="\n")
