"""Check every number the paper states about the world against an official or a published one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from socialcommerce.errors import DataError
from socialcommerce.market.series import MarketSeries, publisher_words

__all__ = ["AuditRow", "audit"]


@dataclass(frozen=True)
class AuditRow:
    """One number of the paper beside the one it is checked against.

    Attributes
    ----------
    what, against : {"en", "zh"}
        The number as the paper has it, and what it is compared with.
    stated : float or None
        In ``unit``; None where the paper says it in words.
    found : float
        In ``unit``.
    agrees : bool
        Whether what the printed digits leave open can explain the difference.
    basis : str
        Kind of evidence of the number found.
    place : str
        Section, paragraph and sentence of the paper.
    """

    what: Mapping[str, str]
    against: Mapping[str, str]
    stated: float | None
    found: float
    agrees: bool
    unit: Mapping[str, str]
    digits: int
    basis: str
    place: str

    @property
    def outcome(self) -> dict[str, str]:
        """``agrees`` or ``differs``, in both languages."""
        return {"en": "agrees", "zh": "相符"} if self.agrees else {"en": "differs", "zh": "不符"}


PERSONS = {"en": "100 million persons", "zh": "亿人"}
MONEY = {"en": "100 million CNY", "zh": "亿元"}
PERCENT = {"en": "per cent", "zh": "%"}


def audit(paper: pd.DataFrame, official: pd.DataFrame, series: MarketSeries, rivals: pd.DataFrame,
          growth: pd.DataFrame) -> tuple[AuditRow, ...]:
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
    tuple of AuditRow
    """
    said = paper.set_index("id")
    users, rate, size = (said.loc[name] for name in ("users-2023", "penetration-2023", "market-2023"))
    counted = {name: _official(official, name) for name in ("internet users", "population")}
    count = counted["internet users"]["value"]
    people = counted["population"]["value"] / 1e4  # 10 thousand persons to 100 million
    again, slack = 100 * users["value"] / people, rate["precision"] + 100 * users["precision"] / people
    return (
        AuditRow({"en": "Internet users, December 2023", "zh": "网民规模（2023年12月）"},
                 {"en": "CNNIC, 53rd report", "zh": "CNNIC第53次报告"},
                 users["value"], count, abs(users["value"] - count) <= users["precision"], PERSONS, 2,
                 "official statistic", _place(users)),
        AuditRow({"en": "Internet penetration, December 2023", "zh": "互联网普及率（2023年12月）"},
                 {"en": "users over the official population at the year's end", "zh": "网民规模除以年末官方人口"},
                 rate["value"], again, abs(rate["value"] - again) <= slack, PERCENT, 2, "official statistic",
                 _place(rate)),
        _population(users, rate, people),
        *_later(size, rivals),
        _growth(series, growth, size),
    )


def _official(official: pd.DataFrame, series: str) -> pd.Series:
    rows = official[(official["series"] == series) & (official["year"] == 2023) & (official["status"] == "official")]
    if len(rows) != 1:
        raise DataError(f"context_figures needs one official row for {series} in 2023; got {len(rows)}; allowed: 1.")
    return rows.iloc[0]


def _population(users: pd.Series, rate: pd.Series, people: float) -> AuditRow:
    """Compare the population that users and penetration imply with the official one."""
    implied = 100 * users["value"] / rate["value"]
    slack = implied * (users["precision"] / users["value"] + rate["precision"] / rate["value"])
    return AuditRow({"en": "Population implied by the two", "zh": "由两者推算的人口"},
                    {"en": "National Bureau of Statistics, end of 2023", "zh": "国家统计局（2023年末）"},
                    implied, people, abs(implied - people) <= slack, PERSONS, 3, "official statistic",
                    _place(rate))


def _later(size: pd.Series, rivals: pd.DataFrame) -> list[AuditRow]:
    """Compare the forecast for 2023 with what other publishers print for that year."""
    rows = []
    for one in rivals[rivals["year"] == size["year"]].to_dict("records"):
        kind = {"en": "forecast", "zh": "预测"} if one["status"] == "forecast" else {"en": "reported", "zh": "公布"}
        agrees = abs(size["value"] - one["value"]) <= size["precision"] + one["precision"]
        whose = publisher_words(one["publisher"])
        rows.append(AuditRow({"en": "Market size, 2023 (forecast)", "zh": "2023年市场规模（预测）"},
                             {"en": f"{whose['en']} ({kind['en']})", "zh": f"{whose['zh']}（{kind['zh']}）"},
                             size["value"], one["value"], agrees, MONEY, 1,
                             "published figure", _place(size)))
    return rows


def _growth(series: MarketSeries, growth: pd.DataFrame, size: pd.Series) -> AuditRow:
    """Check that the market kept growing: the lowest rate any publisher printed for the years of the figure."""
    inside = growth[growth["year"].isin(series.years[1:]) & (growth["status"] != "forecast")]
    lowest = inside.loc[inside["growth"].idxmin()]
    return AuditRow({"en": "Market kept expanding (in words)", "zh": "市场规模不断扩张（文字表述）"},
                    {"en": f"lowest growth printed: {lowest['publisher']}, {lowest['year']}",
                     "zh": f"公布的最低增速：{publisher_words(lowest['publisher'])['zh']}，{lowest['year']}年"},
                    None, float(lowest["growth"]), bool(lowest["growth"] > 0), PERCENT, 2, "published figure",
                    _place(size))


def _place(row: pd.Series) -> str:
    return f"§{row['section']} ¶{row['paragraph']} s{row['sentence']}"
