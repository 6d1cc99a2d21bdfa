"""Where the market may stand in later years, with every doubt that can be put into numbers, and how forecasts fared."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from nbproof import words
from socialcommerce.errors import ParameterError
from socialcommerce.market.fit import CURVES, LARGEST, Curve, GrowthFit, fit_growth, fit_many
from socialcommerce.market.series import MarketSeries, NotAvailable

__all__ = ["Backtest", "Forecast", "forecast", "published_misses", "rolling_origin"]


@dataclass(frozen=True)
class Backtest:
    """Forecast errors from rolling origins.

    Attributes
    ----------
    errors : pandas.DataFrame
        One row a method, origin and target: method, origin, target, horizon, forecast, outcome, error (per cent of the
        outcome, positive where the forecast was too high), shared (whether every method forecast this pair).
    """

    errors: pd.DataFrame

    @property
    def shared(self) -> int:
        """Number of origin and target pairs that every method forecast."""
        return len(self.errors[self.errors["shared"]][["origin", "target"]].drop_duplicates())

    def summary(self) -> pd.DataFrame:
        """Return one row a method: pairs, mean absolute per cent error over all its pairs and over the shared ones."""
        size = self.errors["error"].abs()
        by = self.errors.assign(all=size, common=size.where(self.errors["shared"])).groupby("method", sort=False)
        return by.agg(pairs=("all", "size"), error_all=("all", "mean"), error_shared=("common", "mean")).reset_index()


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

    Raises
    ------
    ParameterError
        For a horizon below one year.

    References
    ----------
    Tashman (2000), doi:10.1016/S0169-2070(00)00065-0.
    """
    if horizon < 1:
        raise ParameterError(f"horizon is a number of years ahead, 1 or more; got {horizon!r}.")
    known = series.outcomes()
    count = known.n if isinstance(known, MarketSeries) else 0
    if isinstance(known, NotAvailable) or count < 4:
        few = "outcomes rather than forecasts: {count:d} of {n:d}; at least four are needed"
        return NotAvailable("back-test", words(few, count=count, n=series.n))
    parts = [_forecasts(known, method, *how, horizon) for method, how in METHODS.items()]
    columns = ["method", "origin", "target", "horizon", "forecast", "outcome"]
    errors = pd.DataFrame([row for part in parts for row in part], columns=columns)
    errors["error"] = 100 * (errors["forecast"] / errors["outcome"] - 1)
    errors = errors.dropna(ignore_index=True)  # settled curves only
    per_pair = errors.groupby(["origin", "target"])["method"].transform("size")
    errors["shared"] = per_pair == errors["method"].nunique()
    return Backtest(errors)


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
    known = series.summary().query("not on_forecast")
    known = known.assign(by=known["source"].str.split().str[0], outcome=known["value"])[["by", "year", "outcome"]]
    made = rivals[rivals["status"] == "forecast"].rename(columns={"value": "forecast"})
    found = made.assign(by=made["publisher"].str.split("/").str[0]).merge(known, on=["by", "year"])
    found["error"] = 100 * (found["forecast"] / found["outcome"] - 1)
    return found[["year", "publisher", "document", "published", "forecast", "outcome", "error"]]


def _extended(curve: Curve, values: np.ndarray, ahead: np.ndarray) -> np.ndarray:
    """Return a curve fitted to values so many years ahead; nan where it did not settle, or is beyond all numbers."""
    a, u, _, settled = fit_many(curve, np.log(values)[None])
    ahead_log = a[0] + curve.log_shape(len(values) - 1.0 + ahead, u[0])
    return np.exp(np.where(settled[0] & (ahead_log < LARGEST), ahead_log, np.nan))


Predict = Callable[[np.ndarray, np.ndarray], np.ndarray]
METHODS: dict[str, tuple[int, Predict]] = {
    "naive": (2, lambda values, ahead: np.full(len(ahead), values[-1])),
    "drift": (2, lambda values, ahead: values[-1] + ahead * (values[-1] - values[0]) / (len(values) - 1)),
    **{name: (curve.k + 1, partial(_extended, curve)) for name, curve in CURVES.items()},
}
"""Each method's least number of training years, and its forecast from them so many years ahead."""


def _forecasts(known: MarketSeries, method: str, least: int, predict: Predict, horizon: int) -> Iterator[tuple]:
    """Yield method, origin, target, horizon, forecast and outcome of every forecast that an outcome can answer."""
    values = np.array(known.values)
    for used in range(least, known.n):
        ahead = np.arange(1, min(horizon, known.n - used) + 1)
        for step, forecast in zip(ahead.tolist(), predict(values[:used], ahead.astype(float)), strict=True):
            target = used + step - 1
            yield method, known.years[used - 1], known.years[target], step, float(forecast), known.values[target]


CURVES_AHEAD = ("exponential", "logistic", "gompertz")
"""Curves that forecast. The Bass curve does not: yearly value, mostly repeat purchases, would fall to nothing."""


@dataclass(frozen=True)
class Forecast:
    """Forecasts with prediction intervals.

    Attributes
    ----------
    fits : tuple of GrowthFit
        The curves that took part.
    weights : tuple of float
        What share of the draws each was given.
    table : pandas.DataFrame
        One row a year ahead: year, median, low, high, and the standard deviations of the logarithm that parameters,
        residuals and curves each contribute. What another publisher would print is no part of it.
    """

    fits: tuple[GrowthFit, ...]
    weights: tuple[float, ...]
    table: pd.DataFrame


def forecast(
    series: MarketSeries,
    until: int,
    *,
    curves: Sequence[str] = CURVES_AHEAD,
    level: float = 0.95,
    draws: int = 4000,
    seed: int = 0,
) -> Forecast | NotAvailable:
    """Forecast a market by simulation.

    Each draw (1) takes one of the curves that converged, the more often the smaller its mean absolute error over the
    back-tests that all methods could make; few back-tests move the weights little from equal ones; (2) draws an
    error variance ``s2 (n - k) / chi2(n - k)``, simulates the series from the fitted curve, fits it anew: the
    parameters' doubt; (3) adds a future year's own residual. Quantiles of the draws are the median and the interval.

    Parameters
    ----------
    series : MarketSeries
    until : int
        Last year to forecast, after the series' last and at most 30 years on.
    curves : sequence of str
    level : float
        Of the intervals, in (0, 1).
    draws : int
        Number of simulations, at least 100; they are shared out among the curves by their weights.
    seed : int
        Of ``numpy.random.default_rng``.

    Returns
    -------
    Forecast or NotAvailable
        The latter where no curve could be fitted, one fits without error, or the interval of a year has no end.

    Raises
    ------
    ParameterError
        For a year, level or number of draws out of its range.

    References
    ----------
    Bootstrap of a fitted curve: Efron & Tibshirani (1993), doi:10.1007/978-1-4899-4541-9. Combining curves: Bates &
    Granger (1969), doi:10.1057/jors.1969.103; Diebold & Pauly (1990), International Journal of Forecasting 6, 503-508,
    on drawing weights to equal ones.
    """
    last = series.years[-1]
    if not last < until <= last + 30:
        raise ParameterError(f"the horizon is a year from {last + 1} to {last + 30}; got {until!r}.")
    if draws < 100:
        raise ParameterError(f"draws must be at least 100; got {draws!r}.")
    tried = [fit_growth(series, name, level) for name in curves]
    fits = tuple(fit for fit in tried if isinstance(fit, GrowthFit) and fit.converged)
    if not fits:
        return NotAvailable("forecast", "no growth curve could be fitted")
    if min(fit.sigma for fit in fits) < 1e-8:
        return NotAvailable("forecast", "a curve meets every value, so nothing says how far the next may lie from it")
    weights = _weights(series, fits)
    table = _simulate(fits, weights, np.arange(last + 1, until + 1), level, draws, seed)
    if not np.isfinite(table["high"]).all():
        return NotAvailable("forecast", "values change so much from year to year that the interval has no upper end")
    return Forecast(fits, weights, table)


def _weights(series: MarketSeries, fits: tuple[GrowthFit, ...]) -> tuple[float, ...]:
    """Weigh m curves by the inverse of their error in n back-tests, drawn to equal weights as m to n."""
    weights = np.full(len(fits), 1 / len(fits))
    tested = rolling_origin(series) if len(fits) > 1 else None
    if isinstance(tested, Backtest):
        errors = tested.summary().set_index("method")["error_shared"].reindex([fit.curve.name for fit in fits])
        inverse = 1 / errors.clip(lower=1.0).to_numpy()  # no luck is perfect
        trust = tested.shared / (tested.shared + len(fits)) if np.isfinite(inverse).all() else 0.0
        weights = trust * np.nan_to_num(inverse / inverse.sum()) + (1 - trust) * weights
    return tuple(map(float, weights))


def _simulate(
    fits: tuple[GrowthFit, ...], weights: tuple[float, ...], years: np.ndarray, level: float, draws: int, seed: int
) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    drawn = [_draw(fit, years, math.ceil(weight * draws), rng) for fit, weight in zip(fits, weights, strict=True)]
    curve, parameter, residual = (np.concatenate([part[i] for part in drawn]) for i in range(3))
    tail = (1 - level) / 2
    with np.errstate(over="ignore"):  # a market beyond all numbers is infinite
        low, median, high = np.exp(np.quantile(curve + parameter + residual, [tail, 0.5, 1 - tail], axis=0))
    # a quarter of the range from 2.3 to 97.7 per cent: one standard deviation, whatever strays in the tails
    parts = {"parameters": parameter, "residuals": residual}
    wide = {
        f"sd_{name}": np.diff(np.quantile(x, [0.02275, 0.97725], axis=0), axis=0)[0] / 4 for name, x in parts.items()
    }
    ends = {"year": years, "median": median, "low": low, "high": high}
    return pd.DataFrame({**ends, **wide, "sd_curves": curve.std(axis=0)})


def _draw(fit: GrowthFit, years: np.ndarray, draws: int, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Return the curve, the parameters' deviations and the residuals of the logarithms, each (draws, years)."""
    spread = fit.sigma * np.sqrt(fit.df / rng.chisquare(fit.df, draws))[:, None]
    simulated = fit.log_predict(np.array(fit.series.years)) + spread * rng.standard_normal((draws, fit.n))
    a, u, _, _ = fit_many(fit.curve, simulated, np.array(fit.u))
    t = years - fit.series.years[0]
    centre = np.broadcast_to(fit.log_predict(years), (draws, len(years)))
    refitted = a[:, None] + fit.curve.log_shape(t.astype(float), u)
    return centre, refitted - centre, spread * rng.standard_normal((draws, len(years)))
