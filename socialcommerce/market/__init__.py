"""The size of a market by year: its chains of publishers, growth curves, back-tests, forecasts, and the paper's audit.

Every function takes the series as its argument, so that any country's csv goes the same way. What a series is too short
for comes back as ``NotAvailable`` with the reason, which counts as false; errors are for misuse.
"""

from socialcommerce.market.audit import audit
from socialcommerce.market.fit import CURVES, Curve, Estimate, GrowthFit, aicc, fit_growth, parameter_table
from socialcommerce.market.forecast import Backtest, Forecast, forecast, published_misses, rolling_origin
from socialcommerce.market.series import MarketSeries, NotAvailable, unit_name

__all__ = [
    "CURVES",
    "Backtest",
    "Curve",
    "Estimate",
    "Forecast",
    "GrowthFit",
    "MarketSeries",
    "NotAvailable",
    "aicc",
    "audit",
    "fit_growth",
    "forecast",
    "parameter_table",
    "published_misses",
    "rolling_origin",
    "unit_name",
]
