"""A market's yearly values with unit, source and basis of each."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from nbproof import words
from socialcommerce.errors import ParameterError

__all__ = ["MarketSeries", "NotAvailable", "unit_name"]

SCALES = {"1e4": "10 thousand", "1e8": "100 million"}


@dataclass(frozen=True)
class NotAvailable:
    """A number that cannot honestly be given, and why; it counts as false."""

    what: str
    reason: str

    def __bool__(self) -> bool:
        return False


@dataclass(frozen=True)
class MarketSeries:
    """Yearly values of one market.

    Attributes
    ----------
    years : tuple of int
        Consecutive.
    values : tuple of float
        Above zero, in ``unit``.
    unit : str
        A scale and a currency code or ``persons``, such as ``"1e8 CNY"``.
    sources : tuple of str
        Who published each value; equal neighbours form a chain, within which growth may be read.
    bases : tuple of str
        How each value is known: stated, published, derived, observed, forecast or synthetic.
    on_forecast : tuple of bool
        Whether each value is a forecast or derives from one; such values are no outcomes for a back-test.
    """

    years: tuple[int, ...]
    values: tuple[float, ...]
    unit: str
    sources: tuple[str, ...]
    bases: tuple[str, ...]
    on_forecast: tuple[bool, ...]

    def __post_init__(self) -> None:
        if not self.years:
            raise ParameterError("a series needs years; got none; allowed: one value a year or more.")
        lengths = {len(part) for part in (self.years, self.values, self.sources, self.bases, self.on_forecast)}
        if len(lengths) > 1:
            raise ParameterError(f"the columns of a series must be of one length; got lengths {sorted(lengths)}.")
        if any(after - before != 1 for before, after in zip(self.years, self.years[1:], strict=False)):
            raise ParameterError(f"years of a series must be consecutive; got {self.years}.")
        if not all(math.isfinite(value) and value > 0 for value in self.values):
            raise ParameterError(f"values of a market must be finite and above zero; got {self.values}.")

    @classmethod
    def from_frame(cls, frame: pd.DataFrame) -> MarketSeries:
        """Build a series from the columns year, value, unit, source, basis (and rests_on_forecast, where there is one).

        Parameters
        ----------
        frame : pandas.DataFrame
            As ``data.load_series`` or ``data.load("market_size")`` returns it: one unit, consecutive years.

        Raises
        ------
        ParameterError
            For several units, and what no series can be: no years, gaps, values not above zero.
        """
        marked = frame["rests_on_forecast"] if "rests_on_forecast" in frame else frame["basis"] == "forecast"
        units = frame["unit"].unique()
        if len(units) != 1:
            raise ParameterError(f"a series has one unit; got {', '.join(units)}.")
        return cls(
            tuple(map(int, frame["year"])),
            tuple(map(float, frame["value"])),
            units[0],
            tuple(frame["source"]),
            tuple(frame["basis"]),
            tuple(map(bool, marked)),
        )

    @property
    def n(self) -> int:
        """Number of years."""
        return len(self.years)

    @property
    def log_values(self) -> np.ndarray:
        """Natural logarithms of the values, shape (n,)."""
        return np.log(self.values)

    def decimals(self, significant: int) -> int:
        """Return the decimals that the values need, and no more than give the largest so many significant digits."""
        enough = max(0, significant - 1 - math.floor(math.log10(max(self.values))))
        return next((d for d in range(enough) if all(round(v, d) == v for v in self.values)), enough)

    def outcomes(self) -> MarketSeries | NotAvailable:
        """Return the leading stretch of values that do not rest on a forecast."""
        count = self.on_forecast.index(True) if True in self.on_forecast else self.n
        if not count:
            return NotAvailable("outcomes", "every value rests on a forecast")
        return MarketSeries(*(part if name == "unit" else part[:count] for name, part in vars(self).items()))

    def summary(self) -> pd.DataFrame:
        """Return the series as a tidy table, one row a year."""
        names = ("year", "value", "unit", "source", "basis", "on_forecast")
        return pd.DataFrame(dict(zip(names, vars(self).values(), strict=True)))


def unit_name(unit: str) -> str:
    """Return a unit in words.

    Examples
    --------
    >>> unit_name("1e8 CNY"), unit_name("billion VND")
    ('100 million CNY', 'billion VND')
    """
    scale, _, what = unit.partition(" ")
    return words("{scale} {what}", scale=SCALES.get(scale, scale), what=what)
