"""What is said of the modes follows the results: changed parameters change the words."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from socialcommerce.modes import content, readings, sharing
from socialcommerce.modes.content import CONTENT
from stockflow import network_gap, watts_strogatz


def test_what_moves_nothing_is_left_out_of_a_ranking():
    ranked = pd.DataFrame({"parameter": ["s", "kappa"], "symbol": ["s", "κ"], "median": [1.0, 0.0], "low": [1.0, 0.0],
                           "high": [1.0, 0.0]})
    assert readings.elasticity_table(ranked, CONTENT)["parameter"].tolist() == ["s"]
    assert readings.read_strongest(ranked, CONTENT, 1)["en"] == "satisfied share of buyers s (+1.00)"


def test_the_gap_is_told_with_the_threshold_beside_it():
    gap = network_gap(CONTENT, watts_strogatz(300, 8, 0.1, seed=1), {}, 60, initial={"L": 0.05}, seeds=(1, 2))
    table = readings.gap_table({"circles": gap, "hubs": replace(gap, overstated=0.9)})
    assert table["overstated"].tolist() == [gap.overstated, 0.9]
    words = readings.read_gap({"circles": replace(gap, overstated=1.5)}, float(content.reproduction()))
    assert "overstate those active at the end: 1.50 times" in words["en"]
    assert "R0 = 0.86 is a threshold of the equations" in words["en"]
    both = readings.read_gap({"circles": gap, "hubs": replace(gap, overstated=0.9)}, float(sharing.reproduction()))
    assert "understate at times" in both["en"]
