"""Figures of the modes at work: what they draw is what the results say, in both languages, in the house's colours."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from socialcommerce.figures import modes as draw
from socialcommerce.figures import style
from socialcommerce.modes import content, sharing
from socialcommerce.modes.content import CONTENT
from stockflow import ModeEstimate, ModeFit, elasticities, integrate, loop_gains, network_gap, watts_strogatz
from tests.palette import check_palette

SIZES = pd.DataFrame({"g": [2, 3, 4], "capped": sharing.reproduction({"g": [2, 3, 4]}),
                      "open": sharing.reproduction({"g": [2, 3, 4]}, "open")})
PROFILE = pd.DataFrame({"value": [0.01, 0.1, 1.0], "ratio": [50.0, 1.0, 2.0]})
FIT = ModeFit(CONTENT, np.arange(2017, 2024), np.ones(7), np.ones(7), tuple(
    ModeEstimate(name, 0.1, 0.05, np.inf, "1", "not identified", ("high",), PROFILE) for name in ("beta", "initial")),
    1.0, 0.1, 3.0, 0.95)
LABELS = {"ring": {"en": "ring", "zh": "环状网络"}}


@pytest.fixture(scope="module")
def drawings():
    gap = network_gap(CONTENT, watts_strogatz(200, 8, 0.1, seed=1), {}, 30, initial={"L": 0.1}, seeds=(1, 2))
    return {
        "trajectory": (draw.plot_trajectory, integrate(CONTENT, {}, 60, initial={"L": 0.01}, population=1000),
                       [s.name for s in CONTENT.states]),
        "gap": (draw.plot_gap, {"ring": gap}, LABELS, CONTENT),
        "elasticities": (draw.plot_elasticities, elasticities(content.reproduction, CONTENT), CONTENT),
        "loops": (draw.plot_loops, loop_gains(CONTENT), CONTENT),
        "sizes": (draw.plot_group_sizes, SIZES), "profiles": (draw.plot_profiles, FIT),
    }


NAMES = ("trajectory", "gap", "elasticities", "loops", "sizes", "profiles")


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", NAMES)
def test_figures_keep_the_palette_and_have_every_glyph(drawings, name, language):
    plot, *results = drawings[name]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        svg = style.draw(plot, *results, language=language)
    assert check_palette(svg) == []
    assert len(svg) < 80_000


@pytest.fixture
def axes(drawings):
    from matplotlib import pyplot as plt

    with style.house("en"):
        yield lambda name, **options: drawings[name][0](*drawings[name][1:], ax=plt.subplots()[1], **options)
        plt.close("all")


def test_shares_through_time_are_per_cent_of_all_and_told_apart_by_dashes(axes, drawings):
    ax, run = axes("trajectory"), drawings["trajectory"][1]
    np.testing.assert_allclose(sum(line.get_ydata() for line in ax.lines), 100)
    np.testing.assert_allclose(ax.lines[1].get_ydata(), 100 * run.state("M") / 1000)
    assert len({str(line._dash_pattern) for line in ax.lines}) == 6


def test_the_gap_shows_equations_and_network_side_by_side(axes, drawings):
    ax, gap = axes("gap"), drawings["gap"][1]["ring"]
    equations, network = (line.get_ydata() for line in ax.lines)
    np.testing.assert_allclose(equations, 100 * gap.equations[:, 1:5].sum(axis=1))
    np.testing.assert_allclose(network, 100 * gap.network[:, 1:5].sum(axis=1))
    assert [text.get_text() for text in ax.figure.legends[0].get_texts()] == ["equations: all in contact with all",
                                                                              "ring"]


def test_the_longest_bar_stands_on_top_and_those_that_lower_are_hatched(axes, drawings):
    ax, table = axes("elasticities"), drawings["elasticities"][1]
    bars = sorted(ax.patches, key=lambda bar: bar.get_y())
    sizes = [abs(bar.get_width()) for bar in bars]
    assert sizes == sorted(sizes)
    assert {bar.get_width() > 0 for bar in bars if not bar.get_hatch()} == {True}
    assert {bar.get_width() < 0 for bar in bars if bar.get_hatch()} == {True}
    assert len(bars) == (table["elasticity"].abs() > 1e-3).sum()
    assert any("delivery" in label.get_text() for label in ax.get_yticklabels()) is False  # it moves nothing


def test_loops_add_up_to_the_number_written_beside_them(axes):
    ax = axes("loops")
    assert sum(bar.get_width() for bar in ax.patches) == pytest.approx(float(content.reproduction()))
    assert [text.get_text() for text in ax.texts] == ["R0 = 0.86"]
    assert ax.lines[0].get_xdata()[0] == 1


def test_group_sizes_show_both_rules_and_the_threshold(axes):
    ax = axes("sizes", language="zh")
    assert [list(line.get_ydata()) for line in ax.lines[:2]] == [list(SIZES["capped"]), list(SIZES["open"])]
    assert list(ax.lines[2].get_ydata()) == [1, 1]
    assert ax.get_xlabel() == "成团人数"


def test_profiles_stand_in_a_panel_each_with_the_limit():
    from matplotlib import pyplot as plt

    with style.house("zh"):
        panels = draw.plot_profiles(FIT, language="zh")
        assert [panel.get_xlabel() for panel in panels] == ["β", "期初占比"]
        for panel in panels:
            assert list(panel.lines[0].get_ydata()) == list(PROFILE["ratio"])
            assert set(panel.lines[1].get_ydata()) == {FIT.limit}
        plt.close("all")
