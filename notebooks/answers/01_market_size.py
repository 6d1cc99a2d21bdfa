"""Answers to the exercises of 01_market_size: run as it stands, or paste a part into the notebook."""

import numpy as np

from socialcommerce import data, market

paper, rivals = data.load("market_size"), data.load("market_rivals")
sizes = market.MarketSeries.from_frame(paper)

# 1. The ceiling of the logistic curve, with and without the values that rest on a forecast.
for series in (sizes, sizes.outcomes()):
    ceiling = market.fit_growth(series, "logistic").estimates[0]
    print(f"{series.n} years: ceiling {ceiling.value:,.0f}, interval {ceiling.low:,.0f} to {ceiling.high:,.0f}")

# 2. Each curve alone, and all by their weights: the back-test pulls towards the curves that level off.
whole = market.forecast(sizes, 2026, draws=1000, seed=1)
for fit, weight in zip(whole.fits, whole.weights, strict=True):
    alone = market.forecast(sizes, 2026, curves=(fit.curve.name,), draws=1000, seed=1).table["median"].iloc[-1]
    print(f"{fit.curve.name}: median {alone:,.0f}, weight {weight:.2f}")
print(f"all by weight: {whole.table['median'].iloc[-1]:,.0f}")

# 3. Without the publisher that differs most the factor shrinks.
beside = rivals[rivals["status"] != "forecast"].merge(paper[["year", "value"]], on="year", suffixes=("", "_bar"))
beside = beside[(beside["value"] - beside["value_bar"]).abs() > beside["precision"]]
beside = beside[beside["year"] == beside.groupby("publisher")["year"].transform("max")]
apart = np.log(beside["value"] / beside["value_bar"]).groupby(beside["publisher"]).mean()
most = apart.abs().idxmax()
for counted in (apart, apart.drop(most)):
    print(f"factor {np.exp(np.sqrt((counted**2).mean())):.2f}, {len(counted)} publishers")
