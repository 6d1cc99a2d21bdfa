"""The market's size: against closed forms, statsmodels, scipy and hand calculation, and on series of every length."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from socialcommerce import data, market
from socialcommerce.errors import DataError, ParameterError, UnknownNameError
from socialcommerce.market import fit as fitting
from socialcommerce.market.forecast import _extended
from socialcommerce.project import root


def made(values, *, first=2010, sources=None, bases=None, soft=None, unit="billion USD") -> market.MarketSeries:
    n = len(values)
    years, sizes = tuple(range(first, first + n)), tuple(map(float, values))
    marks = tuple(bases or ("observed",) * n), tuple(soft or (False,) * n)
    return market.MarketSeries(years, sizes, unit, tuple(sources or "A" * n), *marks)


@pytest.fixture(scope="module")
def bars() -> market.MarketSeries:
    return market.MarketSeries.from_frame(data.load("market_size"))


@pytest.fixture(scope="module")
def rivals() -> pd.DataFrame:
    return data.load("market_rivals")


def noisy(n=12, sigma=0.06, seed=1) -> market.MarketSeries:
    rng = np.random.default_rng(seed)
    t = np.arange(n)
    return made(80 / (1 + np.exp(-0.6 * (t - 5))) * np.exp(sigma * rng.standard_normal(n)))


# --- curves and fits --------------------------------------------------------------------------------------------------

TRUTHS = {
    "exponential": (lambda t: 5 * np.exp(0.3 * t), {"start": 5, "rate": 0.3}),
    "logistic": (lambda t: 80 / (1 + np.exp(-0.7 * (t - 4))), {"ceiling": 80, "rate": 0.7, "midpoint": 2014}),
    "gompertz": (lambda t: 80 * np.exp(-np.exp(-0.4 * (t - 3))), {"ceiling": 80, "rate": 0.4, "midpoint": 2013}),
    "bass": (
        lambda t: 900 * (bass_share(t + 1) - bass_share(t)),
        {"potential": 900, "innovation": 0.02, "imitation": 0.5, "peak": 2010 + math.log(25) / 0.52},
    ),
}


def bass_share(t, p=0.02, q=0.5):
    """The closed form of Bass (1969): the share that has adopted by t."""
    decay = np.exp(-(p + q) * t)
    return (1 - decay) / (1 + q / p * decay)


@pytest.mark.parametrize("curve", TRUTHS)
@pytest.mark.parametrize("n", [8, 20])
def test_noise_free_curves_come_back_exactly(curve, n):
    value, truth = TRUTHS[curve]
    fit = market.fit_growth(made(value(np.arange(n))), curve)
    assert fit.converged
    assert {e.name: e.value for e in fit.estimates} == pytest.approx(truth, rel=1e-6)
    assert fit.predict([2035]) == pytest.approx(value(np.array([25])), rel=1e-4)


def test_bass_years_add_up_to_the_closed_form_and_peak_where_it_says():
    curve = market.CURVES["bass"]
    yearly = np.exp(curve.log_shape(np.arange(200.0), np.log([0.02, 0.5])))
    assert yearly.cumsum() == pytest.approx(bass_share(np.arange(1.0, 201)), rel=1e-12)
    fine = np.arange(0, 20, 1e-3)
    peak = fine[np.diff(bass_share(fine)).argmax()]
    assert peak == pytest.approx(math.log(0.5 / 0.02) / 0.52, abs=2e-3)


def test_exponential_curve_is_log_linear_regression():
    import statsmodels.api as sm

    series = noisy()
    fit = market.fit_growth(series, "exponential", level=0.9)
    ols = sm.OLS(series.log_values, sm.add_constant(np.arange(series.n))).fit()
    start, rate = fit.estimates
    low, high = ols.conf_int(0.1)[1]
    assert (rate.value, rate.low, rate.high) == pytest.approx((ols.params[1], low, high), rel=1e-5)
    by_ols = np.exp([ols.params[0], *ols.conf_int(0.1)[0]])
    assert [start.value, start.low, start.high] == pytest.approx(by_ols, rel=1e-5)
    assert fit.sigma == pytest.approx(math.sqrt(ols.mse_resid), rel=1e-9)


@pytest.mark.parametrize("curve", ["logistic", "gompertz", "bass"])
def test_fits_agree_with_scipy(curve):
    series, form = noisy(), market.CURVES[curve]
    fit, t = market.fit_growth(series, curve), np.arange(12.0)
    start = [fit.log_scale + 0.2, *(np.array(fit.u) + 0.1)]
    best = optimize.least_squares(
        lambda v: series.log_values - v[0] - form.log_shape(t, v[1:]), start, xtol=1e-14, ftol=1e-14, gtol=1e-14
    )
    assert [fit.log_scale, *fit.u] == pytest.approx(best.x, rel=1e-5)
    assert fit.sigma**2 * fit.df == pytest.approx(2 * best.cost, rel=1e-9)


def test_interval_ends_lie_where_scipy_finds_the_limit_of_the_sum_of_squares():
    series = noisy()
    fit, t = market.fit_growth(series, "logistic"), np.arange(12.0)
    shape = market.CURVES["logistic"].log_shape
    limit = fit.sigma**2 * fit.df * (1 + stats.f.ppf(0.95, 1, fit.df) / fit.df)
    ceiling, rate, _ = fit.estimates
    for a in np.log([ceiling.low, ceiling.high]):
        at = optimize.least_squares(lambda v, a=a: series.log_values - a - shape(t, v), fit.u)
        assert 2 * at.cost == pytest.approx(limit, rel=1e-4)
    for r in np.log([rate.low, rate.high]):
        at = optimize.least_squares(
            lambda v, r=r: series.log_values - v[0] - shape(t, np.array([r, v[1]])), [fit.log_scale, fit.u[1]]
        )
        assert 2 * at.cost == pytest.approx(limit, rel=1e-4)


def test_a_ceiling_is_open_where_growth_never_slows():
    rng = np.random.default_rng(3)
    fit = market.fit_growth(made(np.exp(0.3 * np.arange(8) + 0.1 * rng.standard_normal(8))), "logistic")
    ceiling = fit.estimates[0]
    assert math.isinf(ceiling.high)


def test_an_estimate_out_of_reach_has_an_open_end():
    """An interval is followed to ten thousand times the largest value, and never back across its own estimate."""
    fit = market.fit_growth(made(np.exp(0.3 * np.arange(8.0))), "logistic")
    far = math.log(1e9)
    low, high = fitting._ends(fit.curve.parameters[0], fit.curve, fit.series, np.array([1.0, 1.0]), far, 1.0, 2.0)
    assert (low <= far, high) == (True, math.inf)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("curve", "name"),
    [("logistic", "ceiling"), ("logistic", "rate"), ("gompertz", "ceiling"), ("bass", "peak"), ("exponential", "rate")],
)
def test_profile_intervals_cover_as_often_as_they_say(curve, name):
    """An interval covers when the profile at the truth is below the limit; the band is four standard errors wide."""
    form, (value, truth) = market.CURVES[curve], TRUTHS[curve]
    parameter = next(p for p in form.parameters if p.name == name)
    rng, n, runs = np.random.default_rng(20), 10, 300
    y = np.log(value(np.arange(n))) + 0.05 * rng.standard_normal((runs, n))
    _, u, ssr, _ = fitting.fit_many(form, y)
    at = truth[name] - (2010 if parameter.unit == "year" else 0)
    at = np.array([math.log(at) if parameter.log else at])
    limits = ssr * (1 + stats.f.ppf(0.95, 1, n - form.k) / (n - form.k))
    hits = sum(fitting._profile(parameter, form, made(np.exp(y[i])), u[i], at)[0] <= limits[i] for i in range(runs))
    assert hits / runs == pytest.approx(0.95, abs=4 * math.sqrt(0.95 * 0.05 / runs))


@pytest.mark.slow
@settings(max_examples=4, deadline=None)
@given(scale=st.floats(1e-3, 1e6), shift=st.integers(-60, 60))
def test_units_and_calendar_do_not_change_a_fit(scale, shift):
    series = noisy()
    other = made(np.array(series.values) * scale, first=2010 + shift)
    one, two = (market.fit_growth(s, "gompertz").estimates for s in (series, other))
    assert two[0].value == pytest.approx(scale * one[0].value, rel=1e-6)
    assert (two[1].value, two[1].low) == pytest.approx((one[1].value, one[1].low), rel=1e-4)
    assert two[2].value - shift == pytest.approx(one[2].value, rel=1e-7)


@pytest.mark.slow
def test_aicc_is_refused_for_seven_points_and_given_for_many(bars):
    import statsmodels.api as sm

    for curve in market.CURVES:
        refused = market.aicc(market.fit_growth(bars, curve))
        assert isinstance(refused, market.NotAvailable)
        assert not refused
        assert refused.reason.startswith("with 7 years and ")
    series = noisy(n=20)
    ols = sm.OLS(series.log_values, sm.add_constant(np.arange(20))).fit()
    by_hand = -2 * ols.llf + 2 * 3 + 2 * 3 * 4 / (20 - 3 - 1)
    assert market.aicc(market.fit_growth(series, "exponential")) == pytest.approx(by_hand, rel=1e-9)
    five = made(np.exp(0.3 * np.arange(5)) * [1, 1.1, 0.9, 1, 1.05])
    assert "does not exist" in market.aicc(market.fit_growth(five, "logistic")).reason


def test_fit_refuses_what_it_cannot_do(bars):
    with pytest.raises(UnknownNameError, match="unknown growth curve 'logistik'; did you mean 'logistic'"):
        market.fit_growth(bars, "logistik")
    with pytest.raises(ParameterError, match=r"level is a probability in \(0, 1\); got 95"):
        market.fit_growth(bars, "logistic", level=95)
    short = market.fit_growth(made([1, 2, 3]), "logistic")
    assert short.reason == "3 years cannot fit 3 parameters; at least 4 are needed"


# --- the series -------------------------------------------------------------------------------------------------------


def test_growth_within_a_chain_of_one_source_is_as_printed():
    bars = data.load("market_size")
    chain = (bars["source"] != bars["source"].shift()).cumsum()
    growth = (100 * bars.groupby(chain)["value"].pct_change()).set_axis(bars["year"])
    assert growth.dropna().round(2).to_dict() == {2019: 63.2, 2021: 10.09, 2023: 19.7}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"years": (2010, 2012)}, "years of a series must be consecutive"),
        ({"values": (1.0, -2.0)}, "finite and above zero"),
        ({"values": (1.0, math.inf)}, "finite and above zero"),
        ({"values": (1.0,)}, "of one length"),
        ({"years": ()}, "a series needs years"),
    ],
)
def test_series_refuses_what_is_no_series(change, message):
    with pytest.raises(ParameterError, match=message):
        replace(made([1, 2]), **change)


def test_series_of_two_units_is_refused():
    frame = made([1, 2]).summary().assign(unit=["billion USD", "billion CNY"])
    with pytest.raises(ParameterError, match="a series has one unit"):
        market.MarketSeries.from_frame(frame)


def test_digits_are_those_the_values_need(bars):
    several = bars, made([2.45, 5.9]), made([1 / 3]), made([12, 30])
    assert [one.decimals(6) for one in several] == [1, 2, 6, 0]
    assert [one.decimals(4) for one in several] == [0, 2, 4, 0]


# --- back-tests -------------------------------------------------------------------------------------------------------


def test_benchmarks_meet_hand_calculation_and_forecast_years_are_left_out(bars):
    result = market.rolling_origin(bars)
    errors = result.errors.set_index(["method", "origin", "target"])["error"]
    assert errors["naive", 2020, 2021] == pytest.approx(100 * (23002.5 / 25323.5 - 1))
    assert errors["drift", 2019, 2021] == pytest.approx(100 * ((20605.8 + 2 * (20605.8 - 6835.6) / 2) / 25323.5 - 1))
    assert result.errors["target"].max() == 2021
    assert result.shared == 1


def test_exponential_back_test_is_the_regression_on_earlier_years(bars):
    error = market.rolling_origin(bars).errors.set_index(["method", "origin", "target"])["error"]
    slope, intercept = np.polyfit(np.arange(3), bars.log_values[:3], 1)
    by_hand = 100 * (math.exp(intercept + 4 * slope) / 25323.5 - 1)
    assert error["exponential", 2019, 2021] == pytest.approx(by_hand, rel=1e-6)


def test_back_test_never_looks_ahead():
    series = noisy()
    later = replace(series, values=(*series.values[:-1], 10 * series.values[-1]))
    one, two = (market.rolling_origin(s).errors for s in (series, later))
    assert one["forecast"].to_numpy() == pytest.approx(two["forecast"].to_numpy(), rel=1e-12)


def test_back_test_needs_outcomes():
    assert "outcomes rather than forecasts: 3 of 3; at" in market.rolling_origin(made([1, 2, 3])).reason
    foreseen = made([1, 2, 3, 4, 5], soft=(True,) * 5)
    assert "outcomes rather than forecasts: 0 of 5; at" in market.rolling_origin(foreseen).reason
    with pytest.raises(ParameterError, match="horizon is a number of years ahead"):
        market.rolling_origin(noisy(), horizon=0)


def test_the_forecast_for_2021_missed_by_thirteen_per_cent(bars, rivals):
    misses = market.published_misses(bars, rivals).set_index("year")
    assert misses.loc[2021, ["forecast", "outcome"]].tolist() == [28650.5, 25323.5]
    assert misses.loc[2021, "error"] == pytest.approx(13.14, abs=0.005)
    assert set(misses.index) == {2018, 2021}


# --- forecasts --------------------------------------------------------------------------------------------------------


def test_forecast_of_one_exponential_is_the_regressions_prediction_interval():
    import statsmodels.api as sm

    series = noisy(n=9)
    result = market.forecast(series, 2021, curves=("exponential",), draws=40_000, seed=5)
    ols = sm.OLS(series.log_values, sm.add_constant(np.arange(9))).fit()
    ahead = ols.get_prediction(sm.add_constant(np.arange(9, 12))).summary_frame(alpha=0.05)
    found = np.log(result.table[["median", "low", "high"]].to_numpy())
    assert found == pytest.approx(ahead[["mean", "obs_ci_lower", "obs_ci_upper"]].to_numpy(), abs=0.02)


@pytest.mark.slow
def test_weights_are_the_inverse_of_errors_all_could_make(bars):
    ahead = market.forecast(bars, 2026, draws=600, seed=7)
    errors = market.rolling_origin(bars).errors.query("shared").groupby("method")["error"].agg(lambda e: e.abs().mean())
    inverse = 1 / errors[[fit.curve.name for fit in ahead.fits]].clip(lower=1)
    assert market.rolling_origin(bars).shared == 1  # against three curves: a quarter of the way from equal weights
    assert ahead.weights == pytest.approx((inverse / inverse.sum() / 4 + 1 / 4).tolist())
    pd.testing.assert_frame_equal(ahead.table, market.forecast(bars, 2026, draws=600, seed=7).table)
    short = market.forecast(made([1, 2.2, 3.9]), 2018, draws=100)
    assert short.weights == (1.0,)  # no back-test, one curve


def test_forecast_refuses_what_it_cannot_do(bars):
    with pytest.raises(ParameterError, match="horizon is a year from 2024 to 2053; got 2023"):
        market.forecast(bars, 2023)
    with pytest.raises(ParameterError, match="draws must be at least 100; got 10"):
        market.forecast(bars, 2026, draws=10)
    with pytest.raises(ParameterError, match=r"level is a probability in \(0, 1\); got 1"):
        market.forecast(bars, 2026, level=1)


@pytest.mark.slow
def test_prediction_intervals_cover_as_often_as_they_say():
    rng, hits, runs = np.random.default_rng(8), 0, 300
    for _ in range(runs):
        y = np.exp(0.2 * np.arange(9) + 0.1 * rng.standard_normal(9))
        seed = int(rng.integers(2**31))
        row = market.forecast(made(y[:8]), 2018, curves=("exponential",), draws=800, seed=seed).table.iloc[0]
        hits += row["low"] <= y[8] <= row["high"]
    assert hits / runs == pytest.approx(0.95, abs=4 * math.sqrt(0.95 * 0.05 / runs))


SHAPES = {
    "growing": lambda t: np.exp(0.2 * t) * (1 + 0.1 * np.sin(3 * t)),
    "falling": lambda t: np.exp(-0.4 * t) * (1 + 0.1 * np.sin(3 * t)),
    "flat": lambda t: np.full(len(t), 5.0),
    "jumping": lambda t: np.where(t % 2, 1e-3, 1e6),
    "exploding": lambda t: np.exp(np.minimum(1.2 * t**2, 600.0)),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("n", [1, 2, 3, *(pytest.param(n, marks=pytest.mark.slow) for n in (4, 9))])
def test_any_series_gives_results_or_reasons(shape, n):
    series = made(SHAPES[shape](np.arange(n, dtype=float)), first=1960)
    fits = [market.fit_growth(series, name) for name in market.CURVES]
    for fit in fits:
        if isinstance(fit, market.GrowthFit):
            assert np.isfinite(fit.predict(series.years)).all()
            assert all(e.low * (1 - 1e-9) <= e.value <= e.high * (1 + 1e-9) for e in fit.estimates)
        else:
            assert n <= market.CURVES[fit.what].k
    result, ahead = market.rolling_origin(series), market.forecast(series, series.years[-1] + 2, draws=100)
    assert isinstance(result, market.NotAvailable) == (n < 4)
    assert isinstance(ahead, market.NotAvailable | market.Forecast)


# --- the audit and its words ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def checks(bars, rivals):
    official, growth = data.load("context_figures"), data.load("market_growth")
    return market.audit(data.load("paper_numbers"), official, bars, rivals, growth)


def test_audit_meets_hand_calculation(checks):
    stated, found = checks["stated"], checks["value"]
    assert (stated[0], found[0]) == pytest.approx((10.92, 10.92), rel=1e-12)
    assert found[1] == pytest.approx(100 * 10.92 / 14.0967)
    assert stated[2] == pytest.approx(10.92 / 0.775)
    assert found[2] == pytest.approx(14.0967, rel=1e-12)
    assert dict(zip(checks["against"][3:6], checks["outcome"][3:6], strict=True)) == {
        "Statista (reported)": "agrees",
        "Zhiyan Consulting (reported)": "agrees",
        "eMarketer (forecast)": "differs",
    }
    assert checks["outcome"].tolist() == ["agrees"] * 5 + ["differs", "agrees"]
    assert checks.loc[6, ["paper", "found"]].tolist() == ["in words", "9.17"]
    assert checks["place"][3] == "section 2.2, paragraph 1, sentence 1"


def test_audit_sees_a_wrong_number(bars, rivals):
    paper = data.load("paper_numbers")
    paper.loc[paper["id"] == "penetration-2023", "value"] = 79.5
    rows = market.audit(paper, data.load("context_figures"), bars, rivals, data.load("market_growth"))
    assert rows["outcome"][:3].tolist() == ["agrees", "differs", "differs"]
    with pytest.raises(DataError, match="needs one official row for internet users in 2023; got 0"):
        market.audit(paper, data.load("context_figures").query("year < 2023"), bars, rivals, data.load("market_growth"))


@pytest.mark.slow
def test_a_second_country_goes_the_same_way():
    series = market.MarketSeries.from_frame(data.load_series(root() / "tests" / "fixtures" / "vietnam_like.csv"))
    result = market.forecast(series, 2026, draws=300)
    assert len(result.fits) == 3
    assert market.rolling_origin(series).shared == 9
    table = market.parameter_table(result.fits)
    assert list(table) == ["curve", "parameter", "estimate", "low", "high", "residuals"]
    assert table["parameter"].tolist()[:2] == ["value in the first year", "growth rate"]


def test_a_falling_series_is_forecast_by_the_curve_that_can_fall():
    """A curve that only rises lies flat at best, on parameters beyond all numbers: it does not take part."""
    series = made([100, 91, 80, 74, 66, 60, 52, 47, 44])
    assert not market.fit_growth(series, "gompertz").converged
    ahead = market.forecast(series, 2024, draws=200, seed=1)
    assert [fit.curve.name for fit in ahead.fits] == ["exponential"]
    assert 21 < ahead.table["low"].iloc[-1] < ahead.table["high"].iloc[-1] < 26


def test_a_series_that_a_curve_meets_exactly_has_no_interval():
    ahead = market.forecast(made([10, 20, 40, 80]), 2020)
    assert not ahead
    assert ahead.reason.startswith("a curve meets every value")


@pytest.mark.filterwarnings("error")
def test_values_that_leap_end_in_a_reason_and_not_in_infinity():
    leaps = market.MarketSeries(
        (2019, 2020, 2021), (1.0, 100.0, 1.0), "billion USD", ("A",) * 3, ("observed",) * 3, (False,) * 3
    )
    ahead = market.forecast(leaps, 2051, draws=200, level=0.999)
    assert ahead.reason == ("values change so much from year to year that the interval has no upper end")


@pytest.mark.filterwarnings("error")
def test_a_back_test_makes_no_forecast_beyond_all_numbers():
    found = _extended(market.CURVES["exponential"], 1e307 * 2.0 ** np.arange(4), np.arange(1.0, 4))
    assert np.isnan(found[1:]).all()
