"""Numbers: what the paper states against what official or other publishers print."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from socialcommerce import data
from socialcommerce.paper import Hypothesis
from socialcommerce.verdicts import HypothesisTest

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["TESTS"]


def _test(hypothesis: Hypothesis) -> HypothesisTest:
    """Put a number beside its null; n counts the figures compared."""
    (estimate, n), evidence = NUMBERS[hypothesis.id](), hypothesis.data[0]
    return HypothesisTest(estimate=float(estimate), n=n, unit=hypothesis.unit, method=hypothesis.design,
                          null=hypothesis.null, evidence=evidence.kind, grade=evidence.grade)


def _rival() -> float:
    rows = _market().query("measure == 'level' and unit == '1e8 CNY' and year == 2023 and publisher == 'eMarketer'")
    return _stated("market-2023") - rows["value"].item()


def _least_growth() -> tuple[float, int]:
    printed = _market().query("measure == 'growth' and 2018 <= year <= 2023")
    rates = [*printed["value"], *_rates_within_reports(2018, 2023)]
    return min(rates), len(rates)


NUMBERS: dict[str, Callable[[], tuple[float, int]]] = {
    # users in December 2023, the paper's minus CNNIC's; its penetration minus users over the population, points
    "H01": lambda: (_stated("users-2023") - _official("internet users", 2023), 2),
    "H02": lambda: (_stated("penetration-2023")
                    - 100 * _persons("internet users", 2023) / _persons("population", 2023), 3),
    # yearly growth of users after 2020 over that of the two years before; growth of shoppers in 2023, per cent
    "H03": lambda: (_yearly_growth("internet users", 2020, 2023) / _yearly_growth("internet users", 2018, 2020), 3),
    "H04": lambda: (_yearly_growth("online shoppers", 2022, 2023), 2),
    # the market of 2023 minus eMarketer's forecast; the lowest growth rate, printed or inside one report, per cent
    "H06": lambda: (_rival(), 2),
    "H07": _least_growth,
}
"""The estimate of each hypothesis, and how many figures it compares."""

TESTS: dict[str, Callable[[Hypothesis], HypothesisTest]] = dict.fromkeys(NUMBERS, _test)


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


def _market() -> pd.DataFrame:
    return data.load("market_figures")


def _rates_within_reports(first: int, last: int) -> Iterator[float]:
    """Growth in per cent between levels of consecutive years in one report and one unit."""
    rows = _market().query("measure == 'level'").sort_values("year")
    for _, levels in rows.groupby(["publisher", "document", "unit"]):
        by_year = dict(zip(levels["year"], levels["value"], strict=True))
        yield from (100 * (by_year[year] / by_year[year - 1] - 1)
                    for year in range(first, last + 1) if {year, year - 1} <= set(by_year))
