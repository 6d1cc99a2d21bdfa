"""Fit four models to the TikTok Shop survey, WLSMV and ML: `python data/prepare/tiktok_paths.py`.

The rows are fetched, or taken from the folder in SOCIALCOMMERCE_DATA, after their hash is checked, and stay outside the
repository. Numbers keep six decimals: further ones depend on the machine.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

import semfit
from socialcommerce import data

TARGET = Path(__file__).parents[1] / "processed" / "tiktok_paths.csv"
ITEMS = {"SC": 4, "SI": 5, "TR": 5, "HM": 3, "SL": 4, "PP": 4, "OIB": 3}
MODELS = {
    "trust and pleasure": ("OIB", ("TR", "HM")),
    "all drivers": ("OIB", ("TR", "HM", "SC", "SI", "SL", "PP")),
    "presentation": ("TR", ("PP",)),
    "presentation and others": ("TR", ("PP", "SI", "SL")),
}
CFI = {"WLSMV": "cfi.scaled", "ML": "cfi"}


def build(path: Path) -> pd.DataFrame:
    """Return the standardised paths, one row a model, estimator and driver."""
    answers = pd.read_excel(path)
    return pd.concat(
        [paths(answers, model, estimator) for model in MODELS for estimator in CFI], ignore_index=True
    ).round(6)


def paths(rows: pd.DataFrame, model: str, estimator: str) -> pd.DataFrame:
    """Fit a model once; only a converged, admissible solution counts."""
    outcome, drivers = MODELS[model]
    text = "\n".join(
        [
            *(
                f"{name} =~ " + " + ".join(f"{name}{k}" for k in range(1, ITEMS[name] + 1))
                for name in (*drivers, outcome)
            ),
            f"{outcome} ~ " + " + ".join(drivers),
        ]
    )
    fit = semfit.fit(text, rows, estimator=estimator, ordered=True if estimator == "WLSMV" else None)
    if not fit.converged or fit.problems:
        raise ValueError(f"{model}, {estimator}: {fit.problems or 'no convergence'}")
    table = fit.standardized
    table = table[table["op"] == "~"].rename(columns={"rhs": "driver", "std_all": "estimate", "se": "standard_error"})
    return table.assign(model=model, estimator=estimator, nobs=len(rows), cfi=fit.fit_measures[CFI[estimator]])[
        ["model", "estimator", "nobs", "driver", "estimate", "standard_error", "cfi"]
    ]


if __name__ == "__main__":
    build(*data.fetch("tiktok_shop")).to_csv(TARGET, index=False, lineterminator="\n")
