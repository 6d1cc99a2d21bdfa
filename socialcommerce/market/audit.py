"""Check every number the paper states about the world against an official or a published one."""

from __future__ import annotations

from typing import Any

import pandas as pd

from nbproof import format_number, words
from socialcommerce.errors import DataError
from socialcommerce.market.series import MarketSeries

__all__ = ["audit"]

PERSONS, MONEY, PERCENT = "100 million persons", "100 million CNY", "%"


def audit(
    paper: pd.DataFrame, official: pd.DataFrame, series: MarketSeries, rivals: pd.DataFrame, growth: pd.DataFrame
) -> pd.DataFrame:
    """Check the paper's numbers: users, penetration, implied population, the forecast for 2023, and growth.

    Parameters
    ----------
    paper : pandas.DataFrame
        ``data.load("paper_numbers")``.
    official : pandas.DataFrame
        ``data.load("context_figures")``.
    series : MarketSeries
        The bars of Figure 1.
    rivals, growth : pandas.DataFrame
        ``data.load("market_rivals")`` and ``data.load("market_growth")``.

    Returns
    -------
    pandas.DataFrame
        One row a check: number (what was stated), place (section, paragraph, sentence), paper and found (as printed),
        against (what it is compared with), outcome (agrees or differs: whether what the printed digits leave open can
        explain the difference), and the values themselves, stated (missing where the paper says it in words) and
        value.
    """
    said = paper.set_index("id")
    users, rate, size = (said.loc[name] for name in ("users-2023", "penetration-2023", "market-2023"))
    count = _official(official, "internet users")
    people = _official(official, "population") / 1e4  # 10 thousand persons to 100 million
    (u, du), (r, dr), (m, dm) = ((one["value"], one["precision"]) for one in (users, rate, size))
    implied, office = 100 * u / r, "National Bureau of Statistics, end of 2023"
    shared = "users over the official population at the year's end"
    inside = growth[growth["year"].isin(series.years[1:]) & (growth["status"] != "forecast")]
    lowest = inside.loc[inside["growth"].idxmin()]
    against = words("lowest growth printed: {publisher}, {year:d}", publisher=lowest["publisher"], year=lowest["year"])
    printed = rivals[rivals["year"] == size["year"]].to_dict("records")
    checks = [
        ("Internet users, December 2023", PERSONS, "CNNIC, 53rd report", u, count, du, 2, users),
        ("Internet penetration, December 2023", PERCENT, shared, r, 100 * u / people, dr + 100 * du / people, 2, rate),
        ("Population implied by the two", PERSONS, office, implied, people, implied * (du / u + dr / r), 3, rate),
        *(
            ("Market size, 2023, a forecast", MONEY, _by(one), m, one["value"], dm + one["precision"], 1, size)
            for one in printed
        ),
        # that the market kept growing: the lowest rate any publisher printed for the years of the figure
        ("Growth of the market, every year", PERCENT, against, None, float(lowest["growth"]), 0, 2, size),
    ]
    return pd.DataFrame([_row(*one) for one in checks])


def _by(rival: dict[str, Any]) -> str:
    status = "forecast" if rival["status"] == "forecast" else "reported"
    return words("{publisher} ({status})", publisher=rival["publisher"], status=status)


def _row(
    what: str, unit: str, against: str, stated: float | None, found: float, slack: float, digits: int, said: pd.Series
) -> dict[str, Any]:
    at = {name: said[name] for name in ("section", "paragraph", "sentence")}
    agrees = found > 0 if stated is None else abs(stated - found) <= slack
    return {
        "number": words("{what} ({unit})", what=what, unit=unit),
        "place": words("section {section}, paragraph {paragraph:d}, sentence {sentence:d}", **at),
        "paper": "in words" if stated is None else format_number(stated, digits),
        "found": format_number(found, digits),
        "against": against,
        "outcome": "agrees" if agrees else "differs",
        "stated": stated,
        "value": found,
    }


def _official(official: pd.DataFrame, series: str) -> float:
    rows = official[(official["series"] == series) & (official["year"] == 2023) & (official["status"] == "official")]
    if len(rows) != 1:
        raise DataError(f"context_figures needs one official row for {series} in 2023; got {len(rows)}; allowed: 1.")
    return rows["value"].iloc[0]
