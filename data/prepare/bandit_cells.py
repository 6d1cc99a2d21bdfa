"""Count displays and clicks of the Open Bandit samples: `python data/prepare/bandit_cells.py`.

The samples lie in a wheel of the package obp, which is fetched, or taken from the folder in SOCIALCOMMERCE_DATA, after
its hash is checked, and stays outside the repository. Of displays by the adaptive policy each is weighted by the
probability of its article under the uniform policy over that under its own: the clicks it would have had at random.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import pandas as pd

from socialcommerce import data

TARGET = Path(__file__).parents[1] / "processed" / "bandit_cells.csv"
CAMPAIGNS, POLICIES = ("all", "men", "women"), {"random": "random", "bts": "adaptive"}


def build(path: Path) -> pd.DataFrame:
    """Return one row a campaign and policy."""
    with zipfile.ZipFile(path) as wheel:
        rows = pd.concat(
            [
                pd.read_csv(wheel.open(f"obp/dataset/obd/{policy}/{campaign}/{campaign}.csv")).assign(
                    campaign=campaign, policy=called
                )
                for campaign in CAMPAIGNS
                for policy, called in POLICIES.items()
            ]
        )
    uniform = rows[rows["policy"] == "random"].groupby("campaign")["propensity_score"].first()
    weight = rows["campaign"].map(uniform) / rows["propensity_score"]
    rows = rows.assign(displays=1, weight=weight, weighted=weight * rows["click"], square=(weight * rows["click"]) ** 2)
    named = {
        "displays": "displays",
        "click": "clicks",
        "weight": "weights",
        "weighted": "weighted_clicks",
        "square": "weighted_squares",
    }
    return rows.groupby(["campaign", "policy"])[[*named]].sum().rename(columns=named).reset_index().round(6)


if __name__ == "__main__":
    build(*data.fetch("open_bandit")).to_csv(TARGET, index=False, lineterminator="\n")
