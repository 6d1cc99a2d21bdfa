"""The size of a market by year: its chains of publishers, growth curves, back-tests, forecasts, and the paper's audit.

Every function takes the series as its argument, so that any country's csv goes the same way. What a series is too short
for comes back as ``NotAvailable`` with the reason; errors are for misuse.
"""

from socialcommerce.market.audit import AuditRow, audit
from socialcommerce.market.fit import CURVES, Curve, Estimate, GrowthFit, aicc, fit_growth
from socialcommerce.market.forecast import (
    BENCHMARKS,
    Backtest,
    Disagreement,
    Forecast,
    disagreement,
    forecast,
    method_words,
    published_misses,
    rolling_origin,
)
from socialcommerce.market.readings import (
    AUDIT_LABELS,
    AUDITED,
    BAR_LABELS,
    FORECAST_LABELS,
    FOREIGN,
    MISS_DIGITS,
    MISS_LABELS,
    OFFICIAL,
    PARAMETER_LABELS,
    SEEN,
    SPREAD_DIGITS,
    SPREAD_LABELS,
    audit_table,
    bars_table,
    forecast_digits,
    miss_table,
    parameter_table,
    read_answer,
    read_audit,
    read_backtest,
    read_bars,
    read_context,
    read_disagreement,
    read_fits,
    read_forecast,
    read_growth,
    read_misses,
    read_scope,
    read_series,
    read_splices,
    source_words,
)
from socialcommerce.market.series import MarketSeries, NotAvailable, publisher_words, unit_words

__all__ = ["AUDITED", "AUDIT_LABELS", "BAR_LABELS", "BENCHMARKS", "CURVES", "FORECAST_LABELS", "FOREIGN", "MISS_DIGITS",
           "MISS_LABELS", "OFFICIAL", "PARAMETER_LABELS", "SEEN", "SPREAD_DIGITS", "SPREAD_LABELS", "AuditRow",
           "Backtest", "Curve", "Disagreement", "Estimate", "Forecast", "GrowthFit", "MarketSeries", "NotAvailable",
           "aicc", "audit", "audit_table", "bars_table", "disagreement", "fit_growth", "forecast", "forecast_digits",
           "method_words", "miss_table", "parameter_table", "published_misses", "publisher_words", "read_answer",
           "read_audit", "read_backtest", "read_bars", "read_context", "read_disagreement", "read_fits",
           "read_forecast", "read_growth", "read_misses", "read_scope", "read_series", "read_splices", "rolling_origin",
           "source_words", "unit_words"]
