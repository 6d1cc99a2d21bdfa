"""The size of a market by year: its chains of publishers, growth curves, back-tests, forecasts, and the paper's audit.

Every function takes the series as its argument, so that any country's csv goes the same way. What a series is too short
for comes back as ``NotAvailable`` with the reason; errors are for misuse.
"""

from socialcommerce.market.audit import AuditRow, audit
from socialcommerce.market.backtest import BENCHMARKS, Backtest, method_words, published_misses, rolling_origin
from socialcommerce.market.curves import CURVES, Curve
from socialcommerce.market.fit import Estimate, GrowthFit, aicc, fit_growth
from socialcommerce.market.forecast import Disagreement, Forecast, disagreement, forecast
from socialcommerce.market.series import MarketSeries, NotAvailable, publisher_words, unit_words

__all__ = [
    "BENCHMARKS",
    "CURVES",
    "AuditRow",
    "Backtest",
    "Curve",
    "Disagreement",
    "Estimate",
    "Forecast",
    "GrowthFit",
    "MarketSeries",
    "NotAvailable",
    "aicc",
    "audit",
    "disagreement",
    "fit_growth",
    "forecast",
    "method_words",
    "publisher_words",
    "published_misses",
    "rolling_origin",
    "unit_words",
]
