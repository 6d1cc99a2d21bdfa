"""What the notebook on open questions reports, each number reached by a second way."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from socialcommerce.modes import content, optima, policy
from socialcommerce.modes.sharing import SHARING

RESULTS = json.loads((Path(__file__).parents[1] / "reports/results/06_open_questions.json").read_text(encoding="utf-8"))
NUMBERS = {name: one["value"] for name, one in RESULTS["numbers"].items()}
DRAWS, SEED = 1000, 20240531  # the notebook's own
RATES = ("pi0", "b1", "delta0", "delta1")


@pytest.fixture(scope="module")
def sets():
    return policy.draw(content.CONTENT.parameters, DRAWS, SEED)


@pytest.mark.parametrize(("name", "times"), [("lost_often", 4), ("lost_rarely", 1 / 4)])
def test_losses_off_the_best_frequency_agree_with_one_set_at_a_time(sets, name, times):
    lost = []
    for given in zip(*(sets[rate] for rate in RATES), strict=True):
        best = optima.best_contact(*given)
        off, on = (optima.purchase_chance(n, *given) for n in (times * best, best))
        lost.append(100 * (1 - off / on))
    for end, share in (("_low", 0.05), ("", 0.5), ("_high", 0.95)):
        assert NUMBERS[name + end] == pytest.approx(np.quantile(lost, share), abs=0.005)


def test_no_frequency_works_where_the_maximum_over_frequencies_is_below_one(sets):
    a, often = content.parts(sets), np.geomspace(1e-3, 20, 4000)[:, None]
    chance = optima.purchase_chance(often, *(sets[rate] for rate in RATES)).max(axis=0)
    assert NUMBERS["none_works"] == pytest.approx(100 * np.mean(a["s"] * a["reach"] * chance < 1), abs=0.1)


def test_strategies_that_lose_and_lead_are_counted_by_hand():
    lose, leaders = 0, []
    for mode in (content.CONTENT, SHARING):
        effects = policy.rank(mode, DRAWS, SEED)
        lose += (effects.query("outcome == 'profit'").groupby("strategy")["effect"].median() < 0).sum()
        wide = effects.query("outcome == 'purchases'").pivot(index="draw", columns="strategy", values="effect")
        leaders.append(policy.NAMES[wide.idxmax(axis=1).mode().item()])
    assert NUMBERS["losing"] == lose
    assert [RESULTS["texts"][name]["en"] for name in ("top_content", "top_sharing")] == leaders


def test_the_cheapest_quality_and_the_best_messages_are_those_of_a_grid():
    q, (share, often) = np.linspace(0.5, 1.2, 701), np.mgrid[0.0:0.3:121j, 0.3:0.7:161j].reshape(2, -1)
    costs, (sold, leave) = optima.Quality().finite(q) / content.parts()["pM"], optima.promotion(share, often)
    assert NUMBERS["best_q"] == pytest.approx(q[costs.argmin()], abs=0.001)
    assert NUMBERS["buyer_cost"] == pytest.approx(costs.min(), abs=0.001)
    at = sold.argmax()
    found = [NUMBERS[name] for name in ("promoted", "messages", "leave")]
    assert found == pytest.approx([100 * share[at], often[at], 100 * leave[at]], rel=0.02)


def test_the_share_of_classes_and_offers_that_pay_is_the_one_searched_for():
    offers = optima.group_offers()
    best = max(offers.itertuples(), key=lambda one: one.profit)
    assert (NUMBERS["size_paid"], NUMBERS["off_paid"]) == (best.g, pytest.approx(100 * best.discount))
    assert NUMBERS["size_none"] == max(offers.query("discount == 0").itertuples(), key=lambda one: one.r0).g
