"""Numbers: what the paper states against what official or other publishers print."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from socialcommerce import data
from surveysem import EffectTest

__all__ = ["TESTS"]


def users() -> EffectTest:
    """H01: internet users in December 2023, the paper's figure minus CNNIC's."""
    return EffectTest(_stated("users-2023") - _official("internet users", 2023), 2)


def penetration() -> EffectTest:
    """H02: the paper's penetration rate minus users over the official population, in percentage points."""
    rate = 100 * _persons("internet users", 2023) / _persons("population", 2023)
    return EffectTest(_stated("penetration-2023") - rate, 3)


def user_growth() -> EffectTest:
    """H03: yearly growth of internet users after 2020 over that of the two years before, both from December."""
    before, after = (_yearly_growth("internet users", *years) for years in ((2018, 2020), (2020, 2023)))
    return EffectTest(after / before, 3)


def shopper_growth() -> EffectTest:
    """H04: growth of online shoppers from December 2022 to December 2023, in per cent."""
    return EffectTest(_yearly_growth("online shoppers", 2022, 2023), 2)


def market_rival() -> EffectTest:
    """H06: the paper's market size of 2023 minus eMarketer's forecast for that year."""
    rows = data.load("market_figures").query(
        "measure == 'level' and unit == '1e8 CNY' and year == 2023 and publisher == 'eMarketer'"
    )
    return EffectTest(_stated("market-2023") - rows["value"].item(), 2)


def market_growth() -> EffectTest:
    """H07: the lowest yearly growth rate of 2018 to 2023, printed or between two levels of one report, in per cent."""
    figures = data.load("market_figures").sort_values("year")
    printed, levels = (figures[figures["measure"] == measure] for measure in ("growth", "level"))
    reports = levels.groupby(["publisher", "document", "unit"])
    levels = levels.assign(value=100 * reports["value"].pct_change())[reports["year"].diff() == 1]
    rates = pd.concat([printed, levels]).query("2018 <= year <= 2023")["value"]
    return EffectTest(rates.min(), len(rates))


TESTS: dict[str, Callable[[], EffectTest]] = {
    "H01": users,
    "H02": penetration,
    "H03": user_growth,
    "H04": shopper_growth,
    "H06": market_rival,
    "H07": market_growth,
}


def _stated(name: str) -> float:
    """A number of the paper, by its id in the registered table."""
    return data.load("paper_numbers").set_index("id").at[name, "value"]


def _official(series: str, year: int) -> float:
    table = data.load("context_figures")
    return table.set_index(["series", "year"]).at[(series, year), "value"]


def _persons(series: str, year: int) -> float:
    """An official count in persons: its unit begins with the scale, as in ``1e8 persons``."""
    units = data.load("context_figures").set_index(["series", "year"])["unit"]
    return _official(series, year) * float(units[(series, year)].split()[0])


def _yearly_growth(series: str, first: int, last: int) -> float:
    """Mean growth a year in per cent between two Decembers."""
    return 100 * ((_official(series, last) / _official(series, first)) ** (1 / (last - first)) - 1)
