"""Collect every other published level of the same market in one unit: `python data/prepare/market_rivals.py`.

A dollar figure is turned into yuan only at a rate its own publisher implies by printing one figure in both currencies;
figures of unknown publishers stay in data/raw and are not used. Two levels follow from the rival's own growth rate.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from socialcommerce import data

TARGET = Path(__file__).parents[1] / "processed" / "market_rivals.csv"
LEVELS = (
    "isc2018-level-2018",
    "zhiyan-level-2018",
    "zhiyan-level-2019",
    "zhiyan-level-2020",
    "iresearch-level-2017",
    "iresearch-level-2018",
    "iresearch-level-2019",
    "iresearch-level-2021",
    "statista-level-2020",
    "ec100h1-level-2021",
    "zhiyan-level-2023",
    "statista-level-2023",
    "zhongyan-level-2025",
    "emarketer20-level-2019",
    "emarketer20-level-2020",
    "emarketer20-level-2023",
)
DERIVED = (  # year, level, sign of the step (-1: divide by the growth of the level's year), growth
    (2018, "isc2019-level-2019", -1, "ec100-growth-2019"),
    (2022, "ec100-level-2021", +1, "zhiyan-growth-2022"),
)
RATE = ("emarketer20-level-2020", "emarketer20-usd-2020")  # one figure, printed in both currencies


def build() -> pd.DataFrame:
    """Return the rivals, one row a figure, by publisher and year."""
    figures = data.load("market_figures").set_index("id")
    rows = [as_published(name, figures) for name in LEVELS]
    rows += [by_growth(figures, *parts) for parts in DERIVED]
    rows += from_dollars(figures)
    order = ["publisher", "document", "year"]
    return pd.DataFrame(rows).sort_values(order, kind="stable", ignore_index=True)


def as_published(name: str, figures: pd.DataFrame) -> dict:
    """Return a level as printed."""
    one = figures.loc[name]
    return row(one, one["year"], one["value"], "published", f"{one['value']:g}", name, one["precision"])


def by_growth(figures: pd.DataFrame, year: int, level: str, sign: int, growth: str) -> dict:
    """Return the level one growth rate away from another publisher's level that the rival builds on."""
    base, percent = figures.loc[level, "value"], figures.loc[growth, "value"]
    value = base * (1 + percent / 100) ** sign
    formula = f"{base:.1f} {'*' if sign > 0 else '/'} (1 + {percent:g} / 100)"
    slack = value * (figures.loc[level, "precision"] / base + figures.loc[growth, "precision"] / (100 + percent))
    return row(figures.loc[growth], year, value, "derived", formula, f"{level} {growth}", slack)


def from_dollars(figures: pd.DataFrame) -> list[dict]:
    """Return eMarketer's two dollar figures of February 2021 at the yuan rate of its own figure for 2020."""
    yuan, dollars = (figures.loc[name, "value"] for name in RATE)
    forecast, growth = figures.loc["emarketer21-usd-2021"], figures.loc["emarketer21-growth-2021", "value"]
    rate = f"{yuan:g} / {dollars:g}"
    used = "emarketer21-usd-2021 " + " ".join(RATE)
    level = forecast["value"] * yuan / dollars
    slack = level * figures.loc[RATE[0], "precision"] / yuan  # the yuan figure is the coarsest of the three
    last = row(forecast, 2021, level, "derived", f"{forecast['value']:g} * {rate}", used, slack)
    before = row(
        forecast,
        2020,
        level / (1 + growth / 100),
        "derived",
        f"{forecast['value']:g} / (1 + {growth:g} / 100) * {rate}",
        f"{used} emarketer21-growth-2021",
        slack + level * figures.loc["emarketer21-growth-2021", "precision"] / (100 + growth),
    )
    return [before | {"status": figures.loc["emarketer21-growth-2020", "status"]}, last]


def row(one: pd.Series, year: int, value: float, basis: str, formula: str, inputs: str, slack: float) -> dict:
    """Return one line of the table; `precision` is what the printed digits leave open on either side."""
    return {
        "year": int(year),
        "value": round(float(value), 1),
        "precision": round(float(slack), 2),
        "unit": "1e8 CNY",
        "publisher": one["publisher"],
        "document": one["document"],
        "published": one["published"],
        "basis": basis,
        "status": one["status"],
        "formula": formula,
        "inputs": inputs,
        "seen_at": one["seen_at"],
    }


if __name__ == "__main__":
    build().to_csv(TARGET, index=False, lineterminator="\n")
