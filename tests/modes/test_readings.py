"""What is said of the modes follows the results: changed parameters change the words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from socialcommerce import data
from socialcommerce.modes import content, readings, sharing
from socialcommerce.modes.content import CONTENT
from socialcommerce.modes.diagram import load_diagram
from stockflow import ModeEstimate, ModeFit, loop_gains, network_gap, watts_strogatz

COUNTS = data.load("beibei_counts")


@pytest.mark.parametrize("words", [
    readings.read_threshold(0.9), readings.read_threshold(1.1), readings.read_line(1.0), readings.read_line(0.4),
    readings.read_amplification({"beta": 0.06}, 10.0), readings.read_amplification({"beta": 0.1}, 10.0),
    readings.read_trust({}), readings.read_trust({"thetaF": 0.001}), readings.read_failures(COUNTS),
    readings.read_proof(1.0), readings.read_proof(0.5), readings.read_diagram(load_diagram("content")),
    readings.read_sizes(readings.group_sizes()), readings.read_sizes(readings.group_sizes({"qA": 0.0, "qB": 0.005})),
])
def test_both_languages_say_something(words):
    assert set(words) == {"en", "zh"}
    assert any("\u4e00" <= sign <= "\u9fff" for sign in words["zh"])
    assert not any("\u4e00" <= sign <= "\u9fff" for sign in words["en"])


def test_words_change_side_with_the_number():
    assert readings.read_threshold(0.99)["en"].startswith("below one")
    assert readings.read_threshold(1.01)["en"].startswith("above one")
    assert "does not raise K" in readings.read_trust({"thetaF": 0.001})["en"]
    assert "It raises K" in readings.read_trust({})["en"]
    assert "dies out for certain" in readings.read_line(1.0)["en"]
    assert "probability 0.40" in readings.read_line(0.4)["en"]


def test_the_loops_are_told_with_their_sum():
    words = readings.read_loops(loop_gains(CONTENT), CONTENT)
    assert words["en"] == "Bar of R0 = 0.86, the threshold at one beside it: customers 0.14, opinion leaders 0.72."
    assert "意见领袖 0.72" in words["zh"]


def test_the_break_even_cost_is_the_margin_of_the_line_that_follows():
    """By hand: pM = 0.02 / 0.03, R0 = 0.864, so that 10 pM / (1 - R0) = 49.02 yuan."""
    words = readings.read_amplification({}, 10.0)["en"]
    assert "7.35 in all" in words
    assert "up to 49.02 yuan" in words
    assert "no finite break-even" in readings.read_amplification({"beta": 0.1}, 10.0)["en"]


def test_group_sizes_are_the_figures_of_the_closed_form():
    table = readings.group_sizes()
    assert table["capped"].round(2).tolist() == [1.35, 0.98, 0.38, 0.10]
    assert table["open"].round(2).tolist() == [2.00, 1.14, 0.41, 0.11]
    assert table["filled"].iloc[0] == pytest.approx(100 * (1 - np.exp(-0.844)))
    assert readings.read_sizes(table)["en"] == ("capped groups feed themselves at sizes 2; "
                                                "open groups feed themselves at sizes 2, 3")
    none = readings.read_sizes(readings.group_sizes({"qA": 0.0, "qB": 0.005}))
    assert none["zh"] == "封顶拼团均不能自我循环；开放拼团均不能自我循环"


def test_the_record_of_groups_by_hand():
    """From the counts: 332,826 recorded successes beside 211,291 failures; 330,692 of the former with one joiner."""
    found = readings.record_numbers(COUNTS)
    assert found["success"] == pytest.approx(100 * 332_826 / 544_117)
    assert found["one_joiner"] == pytest.approx(100 * 330_692 / 332_826)
    assert (found["most_failed"], found["most_success"]) == (42, 1)
    table = readings.recorded_groups(COUNTS)
    assert table["groups"].sum() == COUNTS["groups"].sum()
    assert table["none"].tolist() == [211_291, 0, 0]
    some = pd.concat([COUNTS, COUNTS.iloc[[0]].assign(joiners=1, groups=5)])
    assert readings.read_failures(some)["en"] == "Of the failed groups 5 had joiners."
    assert "No failed group" in readings.read_failures(COUNTS)["en"]


def test_one_joiner_of_an_open_group_by_simulation():
    rng = np.random.default_rng(5)
    x = rng.poisson(0.844, 200_000)
    share = 100 * np.mean(x[x >= 1] == 1)
    assert readings.one_joiner_if_open(0.844) == pytest.approx(share, abs=0.5)


def test_tables_carry_the_given_values_and_the_marks():
    table = readings.parameter_table(CONTENT, {"beta": 0.07})
    assert table.set_index("symbol").at["β", "default"] == "0.07"
    assert {words["en"] for words in table["mark"]} == {"illustrative"}
    edges = readings.edge_table(load_diagram("sharing"))
    assert [words["en"] == "inferred" for words in edges["mark"]] == edges["inferred"].tolist()
    local = readings.local_elasticities({}, "open").set_index("parameter")["elasticity"]
    assert local["mA"] == pytest.approx(local["qA"])
    ranked = pd.DataFrame({"parameter": ["s", "kappa"], "symbol": ["s", "κ"], "median": [1.0, 0.0], "low": [1.0, 0.0],
                           "high": [1.0, 0.0]})
    assert readings.elasticity_table(ranked, CONTENT)["parameter"].tolist() == ["s"]
    assert readings.read_strongest(ranked, CONTENT, 1)["en"] == "satisfied share of buyers s (+1.00)"


def test_a_fit_names_what_it_leaves_open():
    profile = pd.DataFrame({"value": [0.1], "ratio": [1.0]})
    open_, closed = (ModeEstimate(name, 0.1, low, np.inf if name == "beta" else 0.2, "1", status, (), profile)
                     for name, low, status in (("beta", 0.0, "not identified"), ("initial", 0.05, "estimated")))
    fit = ModeFit(CONTENT, np.arange(2017, 2024), np.ones(7), np.ones(7), (open_, closed), 1.0, 0.1, 3.0, 0.95)
    table = readings.fit_table(fit)
    assert table["low"].tolist() == [{"en": "open", "zh": "不封闭"}, "0.05"]
    assert table["high"].tolist() == [{"en": "open", "zh": "不封闭"}, "0.2"]
    words = readings.read_fit(fit)
    assert "7 yearly values, 2017 to 2023. Not identified: new entrants per leader and day β." in words["en"]
    assert words["zh"].endswith("区间封闭者：期初领袖或粉丝占比。")
    assert readings.read_fit(replace(fit, estimates=(closed,)))["en"].count("none") == 1


def test_the_gap_is_told_with_the_threshold_beside_it():
    gap = network_gap(CONTENT, watts_strogatz(300, 8, 0.1, seed=1), {}, 60, initial={"L": 0.05}, seeds=(1, 2))
    table = readings.gap_table({"circles": gap, "hubs": replace(gap, overstated=0.9)})
    assert table["overstated"].tolist() == [gap.overstated, 0.9]
    words = readings.read_gap({"circles": replace(gap, overstated=1.5)}, float(content.reproduction()))
    assert "overstate those active at the end: 1.50 times" in words["en"]
    assert "R0 = 0.86 is a threshold of the equations" in words["en"]
    both = readings.read_gap({"circles": gap, "hubs": replace(gap, overstated=0.9)}, float(sharing.reproduction()))
    assert "understate at times" in both["en"]
