"""Fit two models to the Hanoi survey, WLSMV and ML, screened four ways: `python data/prepare/hanoi_paths.py`.

The rows are fetched, or taken from the folder in SOCIALCOMMERCE_DATA, after their hash is checked, and stay outside the
repository. Numbers keep six decimals: further ones depend on the machine.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

import semfit
from socialcommerce import data

TARGET = Path(__file__).parents[1] / "processed" / "hanoi_paths.csv"
DRIVERS = {"with trust": ("PAR", "TRU", "HED", "ENJ"), "published": ("PAR", "INT", "HED", "CON")}
ML = {name: name for name in ("chisq", "df", "cfi", "rmsea", "srmr")}
MEASURES = {"WLSMV": ML | {name: f"{name}.scaled" for name in ("chisq", "cfi", "rmsea")}, "ML": ML}


def build(path: Path) -> pd.DataFrame:
    """Return the standardised paths to the urge to buy, one row a path, sample and estimator."""
    answers = pd.read_excel(path)
    distinct, varied = ~answers.duplicated(), answers.nunique(axis=1) > 1
    parts = {
        "all": answers,
        "distinct": answers[distinct],
        "varied": answers[varied],
        "distinct and varied": answers[distinct & varied],
    }
    return pd.concat(
        [
            paths(rows, model, name, estimator)
            for model in DRIVERS
            for estimator in MEASURES
            for name, rows in parts.items()
        ],
        ignore_index=True,
    ).round(6)


def paths(rows: pd.DataFrame, model: str, name: str, estimator: str) -> pd.DataFrame:
    """Fit a model once; only a converged, admissible solution counts."""
    drivers = DRIVERS[model]
    text = "\n".join([*(f"{c} =~ {c}1 + {c}2 + {c}3" for c in (*drivers, "URG")), "URG ~ " + " + ".join(drivers)])
    fit = semfit.fit(text, rows, estimator=estimator, ordered=True if estimator == "WLSMV" else None)
    if not fit.converged or fit.problems:
        raise ValueError(f"{model}, {estimator} on {name}: {fit.problems or 'no convergence'}")
    table = fit.standardized
    table = table[table["op"] == "~"].rename(columns={"rhs": "driver", "std_all": "estimate", "se": "standard_error"})
    measures = {short: fit.fit_measures[long] for short, long in MEASURES[estimator].items()}
    return table.assign(model=model, estimator=estimator, sample=name, nobs=len(rows), **measures).astype({"df": int})[
        ["model", "estimator", "sample", "nobs", "driver", "estimate", "standard_error", *measures]
    ]


if __name__ == "__main__":
    build(*data.fetch("hanoi")).to_csv(TARGET, index=False, lineterminator="\n")
