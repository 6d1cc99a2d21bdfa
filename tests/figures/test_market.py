"""Figures of the market: what they draw is what the results say, in both languages, in the house's colours."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from socialcommerce import data, market
from socialcommerce.figures import market as draw
from socialcommerce.figures import style
from socialcommerce.project import root
from tests.palette import check_palette


@pytest.fixture(scope="module")
def bars():
    return market.MarketSeries.from_frame(data.load("market_size"))


@pytest.fixture(scope="module")
def drawings(bars):
    rivals = data.load("market_rivals")
    ahead = market.forecast(bars, 2026, rivals=rivals, draws=300)
    fits = [market.fit_growth(bars, name) for name in market.CURVES]
    later = rivals[(rivals["status"] == "forecast") & (rivals["year"] > 2023)]
    return {
        "size": (draw.plot_market_size, bars, rivals), "alone": (draw.plot_market_size, bars),
        "rivals": (draw.plot_disagreement, ahead.disagreement), "context": (draw.plot_context, data.load("context")),
        "fits": (draw.plot_fits, fits), "forecast": (draw.plot_forecast, ahead, later),
        "backtest": (draw.plot_backtest, market.rolling_origin(bars)),
    }


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", ["size", "alone", "rivals", "context", "fits", "forecast", "backtest"])
def test_figures_keep_the_palette_and_have_every_glyph(drawings, name, language):
    plot, *results = drawings[name]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        svg = style.draw(plot, *results, language=language)
    assert check_palette(svg) == []
    assert len(svg) < 80_000


@pytest.fixture
def axes():
    from matplotlib import pyplot as plt

    with style.house("en"):
        yield lambda plot, *results, **options: plot(*results, ax=plt.subplots()[1], **options)
        plt.close("all")


def texts(ax) -> list[str]:
    return [text.get_text() for text in ax.texts]


def test_bars_show_values_basis_splices_and_growth_within_chains(axes, bars):
    ax = axes(draw.plot_market_size, bars)
    assert [bar.get_height() for bar in ax.patches] == list(bars.values)
    assert len({(bar.get_facecolor(), bar.get_hatch()) for bar in ax.patches}) == 3  # stated, published, derived
    assert [bar.get_linestyle() for bar in ax.patches] == ["-"] * 5 + ["--"] * 2
    assert texts(ax) == ["+63.2 %", "+10.1 %", "+19.7 %"]
    assert len(ax.lines) == 3  # a dotted line where the publisher changes


def test_rivals_stand_beside_the_bars_at_their_values(axes, bars):
    rivals = data.load("market_rivals")
    shown = rivals[rivals["year"].isin(bars.years)]
    ax = axes(draw.plot_market_size, bars, rivals)
    marks = sorted(float(line.get_ydata()[0]) for line in ax.lines if line.get_linestyle() == "None")
    assert marks == sorted(shown["value"])


def test_chinese_labels_are_chinese(axes, bars):
    ax = axes(draw.plot_market_size, bars, language="zh")
    assert ax.get_ylabel() == "市场规模（亿元）"
    assert "虚线框：依赖预测" in [text.get_text() for text in ax.figure.legends[0].get_texts()]


@pytest.mark.slow
def test_forecast_bands_are_the_table(axes, bars):
    result = market.forecast(bars, 2024, draws=200)
    ax = axes(draw.plot_forecast, result)
    (band,) = ax.patches  # without rivals only the publisher's own interval; one year shows too
    row = result.at(2024)
    assert (band.get_y(), band.get_y() + band.get_height()) == pytest.approx((row["own_low"], row["own_high"]))
    assert ax.get_yscale() == "log"


def test_back_test_draws_every_error(axes, bars):
    result = market.rolling_origin(bars)
    ax = axes(draw.plot_backtest, result)
    drawn = np.concatenate([line.get_xdata() for line in ax.lines if line.get_linestyle() == "None"])
    assert sorted(drawn) == pytest.approx(sorted(result.errors["error"]))


@pytest.mark.slow
def test_context_leaves_gaps_where_nothing_was_counted(drawings):
    from matplotlib import pyplot as plt

    plot, context = drawings["context"]
    with style.house("en"):
        users = plot(context)[0].lines[0]
        plt.close("all")
    assert users.get_xdata().tolist() == [2018, 2019, 2020, 2023]


@pytest.mark.parametrize("n", [1, 2, 60])
def test_series_of_any_length_can_be_drawn(n):
    whole = data.load_series(root() / "tests" / "fixtures" / "vietnam_like.csv")
    values = tuple(np.exp(0.1 * np.arange(n)))
    series = market.MarketSeries(tuple(range(1960, 1960 + n)), values, whole["unit"][0], ("A",) * n, ("observed",) * n,
                                 (False,) * n)
    assert style.draw(draw.plot_market_size, series, language="zh").startswith("<svg")
