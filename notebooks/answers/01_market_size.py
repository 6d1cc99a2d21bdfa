"""Answers to the exercises of 01_market_size: run as it stands, or paste a part into the notebook."""

import numpy as np

from socialcommerce import data, market

paper, rivals = data.load("market_size"), data.load("market_rivals")
sizes = market.MarketSeries.from_frame(paper)

# 1. The ceiling of the logistic curve, with and without the values that rest on a forecast.
for series in (sizes, sizes.outcomes()):
    ceiling = market.fit_growth(series, "logistic").estimates[0]
    print(f"{series.n} years: ceiling {ceiling.value:,.0f}, interval {ceiling.low:,.0f} to {ceiling.high:,.0f}")

# 2. Publishers disagree by as much in every year; the curves part the further ahead one looks, and overtake in 2027.
ahead = market.forecast(sizes, sizes.years[-1] + 7, rivals=rivals, draws=4000, seed=20240531).table.set_index("year")
print(ahead.filter(like="sd_").round(2))
overtaken = ahead.index[ahead["sd_curves"] > ahead["sd_sources"]]
print(f"the choice of the curve is the largest source from {overtaken[0]} on")

# 3. Without the publisher that differs most the factor shrinks, and the interval with the publisher open with it.
apart = market.disagreement(sizes, rivals)
latest = apart.ratios[apart.ratios["latest"]]
most = latest.loc[np.log(latest["ratio"]).abs().idxmax(), "publisher"]
fewer = market.disagreement(sizes, rivals[rivals["publisher"] != most])
print(f"factor {np.exp(apart.spread):.2f}, without {most} {np.exp(fewer.spread):.2f}")
narrower = market.forecast(sizes, 2026, rivals=rivals[rivals["publisher"] != most], draws=400, seed=1).table.iloc[-1]
print(narrower[["own_low", "own_high", "low", "high"]].round(0))
