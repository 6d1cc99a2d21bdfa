"""The figure of all estimates: a panel a kind of evidence, one mark a verdict, nothing left out, on one page."""

from __future__ import annotations

import pandas as pd
import pytest

from socialcommerce.figures import style, verdicts
from socialcommerce.verdicts import OUTCOMES, SIDES

SIDE = {outcome: side for side, outcomes in SIDES.items() for outcome in outcomes}
ROWS = pd.DataFrame(
    [
        {
            "id": f"H{k}",
            "short": "an effect",
            "evidence": kind,
            "estimate": value,
            "low": value - 0.1,
            "high": value + 0.1,
            "outcome": OUTCOMES[outcome],
            "side": SIDE[outcome],
        }
        for k, (kind, value, outcome) in enumerate(
            [
                ("public data set", 2.0, "supported"),
                ("public data set", -2.0, "contradicted"),
                ("model", 0.4, "depends"),
                ("model", 0.0, "fails"),
            ]
        )
    ]
)


@pytest.fixture(autouse=True)
def closed():
    import matplotlib.pyplot as plt

    yield
    plt.close("all")


def test_a_panel_for_each_kind_and_none_for_what_is_missing():
    assert verdicts.plot_estimates(ROWS).shape == (2, 1)
    assert verdicts.plot_estimates(ROWS[ROWS["evidence"] == "model"]).shape == (1, 1)


def test_the_legend_says_each_verdict_and_a_side_keeps_its_mark():
    people, models = verdicts.plot_estimates(ROWS).flat
    legends = [[text.get_text() for text in ax.get_legend().get_texts()] for ax in (people, models)]
    assert legends == [["contradicted", "supported"], ["fails in the model", "depends on form or values"]]
    drawn = [bars.lines[0].get_marker() for ax in (people, models) for bars in ax.containers]
    against, supported, fails, depends = drawn
    assert against == fails
    assert len({against, supported, depends}) == 3


def test_an_extension_is_marked_apart_from_what_speaks_of_the_paper():
    asked = ROWS.assign(side="further questions", outcome=OUTCOMES["supported"])
    both = pd.concat([ROWS, asked[asked["evidence"] == "public data set"]], ignore_index=True)
    people, _ = verdicts.plot_estimates(both).flat
    assert [text.get_text() for text in people.get_legend().get_texts()] == [
        "contradicted",
        "supported",
        "further question: supported",
    ]
    assert [len(bars.lines[0].get_xdata()) for bars in people.containers] == [1, 1, 2]


def test_every_side_a_panel_can_have_has_a_mark():
    assert set(SIDES) - {"not testable", "no evidence about people yet"} == set(verdicts.MARKS)


def test_any_number_of_estimates_fits_on_a_page():
    many = pd.concat([ROWS] * 30, ignore_index=True)
    width, height = verdicts.plot_estimates(many)[0, 0].figure.get_size_inches()
    assert (width, height < 9.8) == (style.WIDTH, True)  # A4 without margins and caption
