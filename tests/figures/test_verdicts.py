"""The figure of all estimates: a panel a scale, one mark a verdict, nothing left out, on one page."""

from __future__ import annotations

import pandas as pd
import pytest

from socialcommerce.figures import forest, style, verdicts
from socialcommerce.verdicts import OUTCOMES

ROWS = pd.DataFrame([
    {"panel": panel, "group": {"en": panel, "zh": "组"}, "label": f"H{k}", "estimate": value, "low": value - 0.1,
     "high": value + 0.1, "truth": truth, "tone": tone}
    for k, (panel, value, truth, tone) in enumerate([
        ("effects", 2.0, None, "supported"), ("effects", -2.0, None, "contradicted"),
        ("synthetic", 1.0, 1.05, "recovered"), ("models", 0.4, None, "depends"),
        ("models", 0.0, None, "does not follow")])
])


@pytest.fixture(autouse=True)
def closed():
    import matplotlib.pyplot as plt

    yield
    plt.close("all")


def test_a_panel_for_each_scale_and_none_for_what_is_missing():
    assert verdicts.plot_estimates(ROWS).shape == (3, 1)
    assert verdicts.plot_estimates(ROWS[ROWS["panel"] != "synthetic"]).shape == (2, 1)


def test_the_legend_says_each_verdict_in_both_languages_and_a_mark_keeps_its_meaning():
    for language in ("en", "zh"):
        effects, _, models = verdicts.plot_estimates(ROWS, language=language).flat
        legends = [[text.get_text() for text in ax.get_legend().get_texts()] for ax in (effects, models)]
        assert {OUTCOMES["supported"][language], OUTCOMES["contradicted"][language]} < set(legends[0])
        assert legends[1] == [OUTCOMES["depends"][language], OUTCOMES["does not follow"][language]]
    places = [{tone: forest.MARKERS[k] for k, tone in enumerate(tones)} for tones in verdicts.TONES.values()]
    assert places[0]["contradicted"] == places[1]["not recovered"] == places[2]["does not follow"]
    assert places[0]["supported"] == places[1]["recovered"] == places[2]["follows"]
    assert all(len(tones) <= len(forest.MARKERS) for tones in verdicts.TONES.values())


def test_every_outcome_a_panel_can_have_is_drawn():
    shown = {tone for tones in verdicts.TONES.values() for tone in tones}
    assert shown == set(OUTCOMES) - {"agrees", "differs", "not testable"}  # numbers are left to the table


def test_any_number_of_estimates_fits_on_a_page():
    many = pd.concat([ROWS] * 30, ignore_index=True).sort_values("panel", kind="stable")
    width, height = verdicts.plot_estimates(many)[0, 0].figure.get_size_inches()
    assert (width, height < 9.3) == (style.WIDTH, True)  # A4 without margins and caption


def test_bands_stand_in_order_with_their_numbers_and_signs():
    rows = pd.DataFrame({"band": ["$0 - $100", {"en": "late", "zh": "迟"}], "estimate": [1.0, 2.0], "low": [-0.5, 1.5],
                         "high": [2.5, 2.5], "n": [1000, 7]})
    ax = verdicts.plot_bands(rows, axis={"en": "points", "zh": "百分点"}, language="zh")
    assert [text.get_text() for text in ax.get_xticklabels()] == ["\\$0 - \\$100\nn = 1,000", "迟\nn = 7"]
    assert ax.get_ylabel() == "百分点"
    assert any(set(line.get_ydata()) == {0} for line in ax.lines)
    style.draw(verdicts.plot_bands, rows, axis={"en": "points", "zh": "百分点"}, language="zh")
