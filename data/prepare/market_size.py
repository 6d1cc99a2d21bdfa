"""Rebuild the seven bars of Figure 1 from published figures: `python data/prepare/market_size.py`.

Each bar is a published level, or a level divided by a published growth factor of the year after. `low` and `high` are
what the last printed digits leave open. A bar belongs to one publisher's chain; growth is never read across chains.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from socialcommerce import data

TARGET = Path(__file__).parents[1] / "processed" / "market_size.csv"

# year: (chain, basis, level, growth of the year after)
BARS = {
    2017: ("ISC 2018 report", "derived", "isc2018-level-2018", "isc2018-growth-2018"),
    2018: ("ISC 2019 report", "derived", "isc2019-level-2019", "isc2019-growth-2019"),
    2019: ("ISC 2019 report", "published", "isc2019-level-2019", None),
    2020: ("100EC 2021 report", "derived", "ec100-level-2021", "ec100-growth-2021"),
    2021: ("100EC 2021 report", "published", "ec100-level-2021", None),
    2022: ("iiMedia and Statista 1129864", "derived", "iimedia-level-2023", "statista-growth-2023"),
    2023: ("iiMedia and Statista 1129864", "stated", "iimedia-level-2023", None),
}
ALSO = {  # year: other ways to the same bar, as (level, sign of the step, growth)
    2020: (("isc2019-level-2019", +1, "ec100-growth-2020"), ("ec100h1-level-2021", -1, "ec100h1-growth-2021"))
}
FORECASTS = ("iimedia-level-2023",)  # the bars of 2022 and 2023 rest on it


def build() -> pd.DataFrame:
    """Return the seven bars, one row a year."""
    figures = data.load("market_figures").set_index("id")
    return pd.DataFrame([bar(year, figures, *parts) for year, parts in BARS.items()])


def bar(year: int, figures: pd.DataFrame, source: str, basis: str, level: str, growth: str | None) -> dict:
    """Return one bar with its rounding bounds and the formula that made it."""
    value, half = figures.loc[level, ["value", "precision"]]
    ends, formula = (value, value - half, value + half), f"{value:.1f}"
    if growth is not None:
        percent, slack = figures.loc[growth, ["value", "precision"]]
        factors = [1 + p / 100 for p in (percent, percent + slack, percent - slack)]
        ends = tuple(end / factor for end, factor in zip(ends, factors, strict=True))
        formula = f"{value:.1f} / (1 + {percent:g} / 100)"
    if figures.loc[level, "year"] != year + (growth is not None):
        raise ValueError(f"{level} is no level for the bar of {year}")
    return {
        "year": year,
        "value": round(ends[0], 1),
        "low": round(ends[1], 2),
        "high": round(ends[2], 2),
        "unit": figures.loc[level, "unit"],
        "source": source,
        "basis": basis,
        "rests_on_forecast": level in FORECASTS,
        "formula": formula,
        "also": also(year, figures),
        "inputs": " ".join(filter(None, [level, growth])),
        "seen_at": " | ".join(figures.loc[[i for i in (level, growth) if i], "seen_at"].drop_duplicates()),
    }


def also(year: int, figures: pd.DataFrame) -> str:
    """Write out the other derivations of a bar, so that a reader sees how far they agree."""
    lines = []
    for level, sign, growth in ALSO.get(year, ()):
        value, percent = figures.loc[level, "value"], figures.loc[growth, "value"]
        step = f"{value:.1f} {'*' if sign > 0 else '/'} (1 + {percent:g} / 100)"
        lines.append(f"{step} = {value * (1 + percent / 100) ** sign:.1f}")
    return "; ".join(lines)


if __name__ == "__main__":
    build().to_csv(TARGET, index=False, lineterminator="\n")
