"""How far each curve, a simple benchmark and the publishers themselves missed what came afterwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from socialcommerce.errors import ParameterError
from socialcommerce.market.curves import CURVES
from socialcommerce.market.fit import fit_many
from socialcommerce.market.series import MarketSeries, NotAvailable

__all__ = ["BENCHMARKS", "Backtest", "published_misses", "rolling_origin"]

LARGEST = 700  # logarithm of a market that can still be written as a number

BENCHMARKS: Mapping[str, Mapping[str, str]] = {
    "naive": {"en": "No change", "zh": "维持上年"},
    "drift": {"en": "Same increase", "zh": "延续平均增量"},
}


@dataclass(frozen=True)
class Backtest:
    """Forecast errors from rolling origins.

    Attributes
    ----------
    errors : pandas.DataFrame
        One row a method, origin and target: method, origin, target, horizon, forecast, outcome, error (per cent of the
        outcome, positive where the forecast was too high), shared (whether every method forecast this pair).
    left_out : tuple of int
        Years that rest on a forecast and were no outcomes.
    unsettled : int
        Forecasts not made, because the curve did not settle on finite parameters at their origin.
    """

    series: MarketSeries
    errors: pd.DataFrame
    left_out: tuple[int, ...]
    unsettled: int

    @property
    def shared(self) -> int:
        """Number of origin and target pairs that every method forecast."""
        return len(self.errors[self.errors["shared"]][["origin", "target"]].drop_duplicates())

    def summary(self) -> pd.DataFrame:
        """Return one row a method: pairs, mean absolute per cent error over all its pairs and over the shared ones."""
        rows = []
        for method, part in self.errors.groupby("method", sort=False):
            common = part[part["shared"]]["error"].abs()
            rows.append({"method": method, "name": method_words(method), "pairs": len(part),
                         "error_all": part["error"].abs().mean(),
                         "error_shared": common.mean() if len(common) else np.nan})
        return pd.DataFrame(rows)


def rolling_origin(series: MarketSeries, horizon: int = 3) -> Backtest | NotAvailable:
    """Forecast every year that has an outcome from every earlier origin, with what was known at the origin.

    A method starts as soon as it has one year more than parameters (benchmarks: two years). Years that rest on a
    forecast, and all after them, are neither outcomes nor training.

    Parameters
    ----------
    series : MarketSeries
    horizon : int
        Longest step ahead, in years, >= 1.

    Returns
    -------
    Backtest or NotAvailable
        The latter where fewer than four years are outcomes: then no curve has both training and a target.

    References
    ----------
    Tashman (2000), doi:10.1016/S0169-2070(00)00065-0.
    """
    if horizon < 1:
        raise ParameterError(f"horizon is a number of years ahead, 1 or more; got {horizon!r}.")
    known = series.outcomes()
    count = 0 if isinstance(known, NotAvailable) else known.n
    if count < 4:
        return NotAvailable("back-test", {
            "en": f"outcomes rather than forecasts: {count} of {series.n} values; at least four are needed",
            "zh": f"{series.n} 个数值中有 {count} 个是实际值而非预测，至少需要四个"})
    parts = [_errors(known, method, *how, horizon) for method, how in _methods().items()]
    rows = pd.DataFrame([row for part in parts for row in part])
    errors = rows.dropna(ignore_index=True)
    per_pair = errors.groupby(["origin", "target"])["method"].transform("size")
    errors["shared"] = per_pair == errors["method"].nunique()
    later = tuple(year for year in series.years if year > known.years[-1])
    return Backtest(series, errors, later, len(rows) - len(errors))


def published_misses(series: MarketSeries, rivals: pd.DataFrame) -> pd.DataFrame:
    """Compare each published forecast with the level the same publisher reported afterwards in the series.

    Parameters
    ----------
    rivals : pandas.DataFrame
        Columns year, value, publisher, document, published, status; ``status`` is ``"forecast"`` for a forecast.

    Returns
    -------
    pandas.DataFrame
        One row a forecast: year, publisher, document, published, forecast, outcome, error (per cent of the outcome).
    """
    outcome = {(source.split()[0], year): value
               for year, value, source, soft in zip(series.years, series.values, series.sources, series.on_forecast,
                                                    strict=True) if not soft}
    rows = []
    for one in rivals[rivals["status"] == "forecast"].to_dict("records"):
        came = outcome.get((one["publisher"].split("/")[0], one["year"]))
        if came is not None:
            rows.append({"year": one["year"], "publisher": one["publisher"], "document": one["document"],
                         "published": one["published"], "forecast": one["value"], "outcome": came,
                         "error": 100 * (one["value"] / came - 1)})
    columns = ["year", "publisher", "document", "published", "forecast", "outcome", "error"]
    return pd.DataFrame(rows, columns=columns)


def method_words(method: str) -> Mapping[str, str]:
    """Return a method's name in both languages."""
    return BENCHMARKS[method] if method in BENCHMARKS else CURVES[method].words


Predict = Callable[[np.ndarray, np.ndarray], np.ndarray]


def _methods() -> dict[str, tuple[int, Predict]]:
    """Return each method's least number of training years and its forecast from them."""
    methods: dict[str, tuple[int, Predict]] = {"naive": (2, _naive), "drift": (2, _drift)}
    return methods | {name: (curve.k + 1, _curve(name)) for name, curve in CURVES.items()}


def _naive(values: np.ndarray, ahead: np.ndarray) -> np.ndarray:
    return np.full(len(ahead), values[-1])


def _drift(values: np.ndarray, ahead: np.ndarray) -> np.ndarray:
    return values[-1] + ahead * (values[-1] - values[0]) / (len(values) - 1)


def _curve(name: str) -> Predict:
    curve = CURVES[name]

    def predict(values: np.ndarray, ahead: np.ndarray) -> np.ndarray:
        a, u, _, settled = fit_many(curve, np.log(values)[None])
        ahead_log = a[0] + curve.log_shape(len(values) - 1.0 + ahead, u[0])
        return np.exp(np.where(settled[0] & (ahead_log < LARGEST), ahead_log, np.nan))

    return predict


def _errors(known: MarketSeries, method: str, least: int, predict: Predict, horizon: int) -> list[dict]:
    values, rows = np.array(known.values), []
    for used in range(least, known.n):
        ahead = np.arange(1.0, min(horizon, known.n - used) + 1)
        for step, forecast in zip(ahead.astype(int), predict(values[:used], ahead), strict=True):
            outcome = values[used + step - 1]
            rows.append({"method": method, "origin": known.years[used - 1], "target": known.years[used + step - 1],
                         "horizon": int(step), "forecast": float(forecast), "outcome": float(outcome),
                         "error": 100 * float(forecast / outcome - 1)})
    return rows
