"""A market's yearly values with unit, source and basis of each, and the growth that may be read from them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from socialcommerce.errors import ParameterError

__all__ = ["MarketSeries", "NotAvailable", "publisher_words", "unit_words"]

SCALES = {"thousand": "千", "1e4": "万", "million": "百万", "1e8": "亿", "billion": "十亿", "trillion": "万亿"}
SCALES_EN = {"1e4": "10 thousand", "1e8": "100 million"}
MONEY = {"CNY": "元", "USD": "美元", "EUR": "欧元", "JPY": "日元", "GBP": "英镑", "KRW": "韩元", "VND": "越南盾",
         "IDR": "印尼盾", "INR": "印度卢比", "persons": "人"}
PUBLISHERS = {
    "100EC": "网经社", "ISC/Chuangqi": "中国互联网协会/创奇", "Zhiyan Consulting": "智研咨询", "iResearch": "艾瑞咨询",
    "iiMedia": "艾媒咨询", "Zhongyan Puhua": "中研普华", "ISC 2018 report": "中国互联网协会2018年报告",
    "ISC 2019 report": "中国互联网协会2019年报告", "100EC 2021 report": "网经社2021年度报告",
    "iiMedia and Statista 1129864": "艾媒咨询与Statista 1129864",
}


EVIDENCE = {"stated": "published figure", "published": "published figure", "forecast": "published figure",
            "derived": "derived from published figures", "observed": "public data set", "synthetic": "synthetic sample"}
BASIS_WORDS = {"stated": {"en": "stated", "zh": "原文"}, "published": {"en": "published", "zh": "公开发表"},
               "derived": {"en": "derived", "zh": "推算"}, "observed": {"en": "observed", "zh": "观测"},
               "forecast": {"en": "forecast", "zh": "预测"}, "synthetic": {"en": "synthetic", "zh": "合成"}}


@dataclass(frozen=True)
class NotAvailable:
    """A number that cannot honestly be given, and why, in English and Chinese."""

    what: str
    reason: Mapping[str, str]

    def __str__(self) -> str:
        return f"{self.what}: {self.reason['en']}"


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
        """
        marked = frame["rests_on_forecast"] if "rests_on_forecast" in frame else frame["basis"] == "forecast"
        units = frame["unit"].unique()
        if len(units) != 1:
            raise ParameterError(f"a series has one unit; got {', '.join(units)}.")
        return cls(tuple(map(int, frame["year"])), tuple(map(float, frame["value"])), units[0],
                   tuple(frame["source"]), tuple(frame["basis"]), tuple(map(bool, marked)))

    @property
    def n(self) -> int:
        """Number of years."""
        return len(self.years)

    @property
    def log_values(self) -> np.ndarray:
        """Natural logarithms of the values, shape (n,)."""
        return np.log(self.values)

    @property
    def digits(self) -> int:
        """Decimals of a value: what the values need, and no more than give the largest six significant digits."""
        return self._decimals(6)

    @property
    def coarse(self) -> int:
        """Decimals of what is computed from the values: four significant digits of the largest are enough."""
        return self._decimals(4)

    def _decimals(self, significant: int) -> int:
        enough = max(0, significant - 1 - math.floor(math.log10(max(self.values))))
        return next((d for d in range(enough) if all(round(v, d) == v for v in self.values)), enough)

    @property
    def evidence(self) -> list[str]:
        """The kinds of evidence the values rest on, for captions."""
        return list(dict.fromkeys(EVIDENCE[basis] for basis in self.bases))

    def evidence_of(self, position: int) -> str:
        """Return the kind of evidence of one value, by its position."""
        return EVIDENCE[self.bases[position]]

    @property
    def publishers(self) -> dict[str, str]:
        """The sources of the values, each once, in order, in English and Chinese."""
        names = [publisher_words(source) for source in dict.fromkeys(self.sources)]
        return {"en": ", ".join(name["en"] for name in names), "zh": "、".join(name["zh"] for name in names)}

    def outcomes(self) -> MarketSeries | NotAvailable:
        """Return the leading stretch of values that do not rest on a forecast."""
        count = self.on_forecast.index(True) if True in self.on_forecast else self.n
        if not count:
            return NotAvailable("outcomes", {"en": "every value rests on a forecast", "zh": "所有数值都依赖预测"})
        return self._first(count)

    def growth(self) -> pd.DataFrame:
        """Return growth over the year before, in per cent, and only within one publisher's chain.

        Returns
        -------
        pandas.DataFrame
            One row a year from the second on: year, growth (missing across a splice), source, splice (bool).
        """
        rows = []
        for i in range(1, self.n):
            splice = self.sources[i] != self.sources[i - 1]
            growth = np.nan if splice else 100 * (self.values[i] / self.values[i - 1] - 1)
            rows.append((self.years[i], growth, self.sources[i], splice))
        return pd.DataFrame(rows, columns=["year", "growth", "source", "splice"])

    def summary(self) -> pd.DataFrame:
        """Return the series as a tidy table, one row a year."""
        return pd.DataFrame({"year": self.years, "value": self.values, "unit": self.unit, "source": self.sources,
                             "basis": self.bases, "on_forecast": self.on_forecast})

    def _first(self, count: int) -> MarketSeries:
        return MarketSeries(self.years[:count], self.values[:count], self.unit, self.sources[:count],
                            self.bases[:count], self.on_forecast[:count])


def unit_words(unit: str) -> dict[str, str]:
    """Return a unit in words, in English and Chinese.

    Examples
    --------
    >>> unit_words("1e8 CNY"), unit_words("billion VND")["zh"]
    ({'en': '100 million CNY', 'zh': '亿元'}, '十亿越南盾')
    """
    scale, _, what = unit.partition(" ")
    return {"en": f"{SCALES_EN.get(scale, scale)} {what}".strip(),
            "zh": f"{SCALES.get(scale, scale)}{MONEY.get(what, what)}"}


def publisher_words(publisher: str) -> dict[str, str]:
    """Return a publisher's name in English and Chinese; one that goes by a single name keeps it.

    Examples
    --------
    >>> publisher_words("iResearch")["zh"], publisher_words("eMarketer")["zh"]
    ('艾瑞咨询', 'eMarketer')
    """
    return {"en": publisher, "zh": PUBLISHERS.get(publisher, publisher)}
