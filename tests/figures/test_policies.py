"""Figures of strategies and closing questions: what they draw is what the results say, in both languages."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from socialcommerce.figures import policies as draw
from socialcommerce.figures import style
from socialcommerce.modes import advice, content, optima, policy
from socialcommerce.modes.sharing import SHARING
from stockflow import estimate
from tests.palette import check_palette


@pytest.fixture(scope="module")
def results():
    asked, balance = optima.Quality(), optima.Promotion()
    fit = estimate.fit_mode(content.CONTENT, range(2017, 2022), [1.0, 2.0, 3.1, 3.6, 4.0], ("beta",), dt=5.0,
                            **content.COUNTED)
    return {
        "ranking": (draw.plot_ranking, policy.rank(content.CONTENT, 100)),
        "sharing": (draw.plot_ranking, policy.rank(SHARING, 100)),
        "quality": (draw.plot_quality, advice.quality_curves(asked, np.geomspace(0.05, 20, 60)), asked.best()),
        "promotion": (draw.plot_promotion, advice.promotion_map(balance), balance.best()),
        "contact": (draw.plot_off_contact, advice.contact_losses(100, 1, np.geomspace(1 / 8, 8, 25))),
        "inner": (draw.plot_inner_optima, advice.personal_gains(0.3, 0.5, (0.0, 1.0, 4.0)),
                  advice.classes_by_cost(advice.sample_people(60, 0.5, 1), 4, 10.0, (0.002, 0.05))),
        "offers": (draw.plot_offers, optima.group_offers()),
        "profiles": (draw.plot_profiles, {"content": fit}),
    }


NAMES = ["ranking", "sharing", "quality", "promotion", "contact", "inner", "offers", "profiles"]


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", NAMES)
def test_figures_keep_the_palette_and_have_every_glyph(results, name, language):
    plot, *given = results[name]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        svg = style.draw(plot, *given, language=language)
    assert check_palette(svg) == []
    assert len(svg) < 100_000


@pytest.fixture
def axes(results):
    from matplotlib import pyplot as plt

    def drawn(name, language="en"):
        plot, *given = results[name]
        return np.ravel(plot(*given, language=language)), given

    with style.house("en"):
        yield drawn
        plt.close("all")


@pytest.mark.slow
def test_medians_and_first_ranks_are_the_summary_s(axes):
    panels, (ranking,) = axes("ranking")
    for panel, outcome in zip(panels, policy.OUTCOMES, strict=True):
        rows = ranking.summary()
        rows = rows[rows["outcome"] == outcome]
        assert sorted(panel.lines[0].get_xdata()) == pytest.approx(sorted(rows["median"]))
        shares = [text.get_text() for text in panel.texts]
        assert sorted(shares) == sorted(f"{100 * share:.0f} %" for share in rows["first"])


def test_the_cheapest_quality_is_marked_on_its_curve(axes):
    (ax,), (curves, best) = axes("quality")
    mark = ax.lines[-1]
    assert mark.get_ydata()[0] == best["cost_per_buyer"]
    assert best["cost_per_buyer"] <= curves["finite"].min() * (1 + 1e-12)


def test_the_balance_lies_inside_the_innermost_contour(axes):
    (ax,), (grid, best) = axes("promotion")
    near = grid.loc[((grid["share"] - best["share"]).abs() + (np.log(grid["n"] / best["frequency"])).abs()).idxmin()]
    assert near["purchases"] > 99
    assert ax.lines[-1].get_xdata()[0] == pytest.approx(100 * best["share"])


def test_nothing_is_lost_at_the_best_frequency(axes):
    (ax,), (losses,) = axes("contact")
    line = ax.lines[0]
    assert np.interp(1.0, line.get_xdata(), line.get_ydata()) == pytest.approx(0, abs=1e-9)
    assert losses["median"].min() >= -1e-9


def test_chinese_labels_are_chinese(axes):
    (first, second), _ = axes("inner", "zh")
    assert (first.get_title("left") or first.get_title()) == "个性化"
    assert second.get_xlabel() == "类别数"


def test_profiles_touch_one_at_the_best_fit(axes):
    panels, (fits,) = axes("profiles")
    (one,) = fits["content"].estimates
    assert panels[0].lines[1].get_xdata()[0] == one.value
    assert one.profile["ratio"].min() == pytest.approx(1, abs=1e-6)
