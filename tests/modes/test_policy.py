"""Strategies, optima and the two closing questions, each against a second way to the answer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize, minimize_scalar

from socialcommerce import paper
from socialcommerce.errors import ParameterError, UnknownNameError
from socialcommerce.modes import content, policy, sharing
from socialcommerce.modes.content import CONTENT
from socialcommerce.modes.optima import (
    Quality,
    best_contact,
    best_personalisation,
    best_promotion,
    breaches,
    group_offers,
    promotion,
    purchase_chance,
    segment_gains,
)
from socialcommerce.modes.policy import NAMES, STRATEGIES, apply, rank, rank_elasticities, strategy_table
from socialcommerce.modes.sharing import SHARING, declare
from stockflow import integrate


def strategy(mode, name):
    return next(s for s in STRATEGIES[mode] if s.name == name)


@pytest.mark.parametrize(("mode", "name"), [(m, s.name) for m in STRATEGIES for s in STRATEGIES[m]])
def test_a_strategy_names_its_sentences_and_changes_known_parameters(mode, name):
    one = strategy(mode, name)
    claimed = {(claim.section, claim.paragraph, claim.sentence) for claim in paper.load_claims()}
    assert set(one.places) & claimed, "at least one of the sentences is a claim of the paper"
    known = (CONTENT if mode == "content" else SHARING).parameter
    assert set(one.effects) <= set(known)
    assert one.effects or one.best_contact
    after = apply(one, (CONTENT if mode == "content" else SHARING).values(), 1.5)
    (CONTENT if mode == "content" else SHARING).values(after)  # still allowed


def test_a_table_of_strategies_says_what_each_changes_where_and_at_what_cost():
    table = strategy_table().set_index("strategy")
    assert list(table.index) == list(NAMES.values())
    for mode in STRATEGIES:
        assert set(table.index[table[mode].notna()]) == {one.words for one in STRATEGIES[mode]}
    assert table["place"].str.startswith("§").all()
    assert table.loc["faster delivery that satisfies", "content"] == "κ +30%, s +3% per day saved"
    assert table.loc[["non-intrusive contact", "livelier group buying"], "cost"].tolist() == ["none", "1 per order"]


def test_a_mode_of_sharing_s_name_with_other_flows_is_not_given_its_closed_forms():
    other = replace(SHARING, flows=SHARING.flows[:-1])
    with pytest.raises(UnknownNameError, match="mode"):
        policy.outcomes(other, SHARING.values(), {"margin": np.ones(1), "message": np.ones(1)})


def test_delivery_alone_moves_time_but_not_r0():
    p = CONTENT.values()
    fast = apply(strategy("content", "delivery"), p)
    assert content.reproduction(fast) == pytest.approx(content.reproduction(p), rel=1e-15)
    assert content.parts(fast)["T"] < content.parts(p)["T"]
    assert content.reproduction(apply(strategy("content", "logistics"), p)) > content.reproduction(p)


def test_disclosure_raises_r0_by_its_elasticities():
    p = CONTENT.values()
    small = apply(strategy("content", "disclosure"), p, 1e-4)
    change = np.log(content.reproduction(small) / content.reproduction(p)) / 1e-5
    assert change == pytest.approx((1 - content.parts(p)["pM"]) + (1 - p["s"]), rel=1e-3)


@pytest.mark.parametrize("mode", [CONTENT, SHARING, declare("open")], ids=lambda m: m.name)
def test_the_ranking_covers_every_outcome_and_repeats(mode):
    first, again = rank(mode, 100, seed=3), rank(mode, 100, seed=3)
    pd.testing.assert_frame_equal(first, again)
    table = policy.rank_table(first)
    strategies = STRATEGIES["content" if mode is CONTENT else "sharing"]
    assert len(table) == 3 * len(strategies)
    assert np.isfinite(table[["low", "median", "high"]]).all(axis=None)
    assert table.groupby("outcome")["first"].sum().to_numpy() == pytest.approx(1)
    assert (table["low"] <= table["high"]).all()


@pytest.mark.slow
def test_the_effect_in_the_ranking_is_the_change_of_the_run():
    """One strategy once more, through the trajectory instead of the closed forms."""
    one = strategy("content", "service")
    before, after = CONTENT.values(), apply(one, CONTENT.values())
    closed = [policy.outcomes(CONTENT, p, {"margin": 10.0, "message": 0.0})["purchases"] for p in (before, after)]
    runs = [integrate(CONTENT, p, 20000, dt=20000, initial={"L": 0.01}).flow("M", "O")[-1] for p in (before, after)]
    np.testing.assert_allclose(closed, runs, rtol=1e-7)


def test_of_the_content_modes_parameters_satisfaction_and_draw_move_r0_most():
    table = rank_elasticities(CONTENT, 400).set_index("parameter")
    assert table.loc["s", ["low", "median", "high"]].to_numpy(float) == pytest.approx(1)
    assert table.loc["kappa", "high"] == pytest.approx(0, abs=1e-9)
    assert table.loc["s", "first"] > 0.9
    assert "lambda0" not in table.index


def test_in_sharing_invitations_move_r0_most():
    table = rank_elasticities(SHARING, 400)
    assert set(table["parameter"][:2]) == {"mA", "qA"}


CONTACT = (0.003, 0.02, 0.005, 0.02)


@pytest.mark.parametrize("given", [CONTACT, (0.0, 0.01, 0.002, 0.03), (0.02, 0.05, 0.01, 0.01)])
def test_the_best_frequency_of_contact_is_the_maximum(given):
    found = minimize_scalar(
        lambda n: -purchase_chance(n, *given), bounds=(0, 20), method="bounded", options={"xatol": 1e-9}
    ).x
    assert best_contact(*given) == pytest.approx(found, abs=1e-5)


def test_without_unprompted_purchase_the_optimum_has_its_rule():
    n = best_contact(0.0, 0.02, 0.005, 0.02)
    slope = 2 * 0.02 * n
    assert n * slope == pytest.approx(0.005 + 0.02 * n**2)  # n delta'(n) = delta(n)
    assert purchase_chance(n, 0.0, 0.02, 0.005, 0.02) == pytest.approx(0.02 / (0.02 + 2 * np.sqrt(0.005 * 0.02)))


def test_the_loss_of_being_four_times_off_follows_from_one_number():
    x = 0.1  # sqrt(delta0 delta1) / b1; the loss depends on it alone, and only where nobody buys unprompted
    given = (0.0, 0.02, 0.001, 0.004)
    best = best_contact(*given)
    often, rarely, on = (purchase_chance(n, *given) for n in (4 * best, best / 4, best))
    assert 1 - often / on == pytest.approx(1 - (1 + 2 * x) / (1 + 4.25 * x))
    assert rarely == pytest.approx(often)


@pytest.mark.parametrize(
    "given", [(0.3, 0.5, 4.0, 0.005, 0.005), (0.0, 0.4, 3.0, 0.004, 0.002), (0.5, 0.5, 0.1, 0.005, 0.1)]
)
def test_the_best_personalisation_is_the_maximum(given):
    a, b, c, delta0, annoyance = given

    def chance(z):
        buy, leave = 0.02 * (1 + a * z), delta0 * (1 + c * z**2) + annoyance * (1 - b * z)
        return buy / (buy + leave)

    found = minimize_scalar(lambda z: -chance(z), bounds=(0, 1), method="bounded", options={"xatol": 1e-10}).x
    assert best_personalisation(*given) == pytest.approx(found, abs=1e-5)


def test_personalisation_that_nobody_minds_has_no_limit_and_useless_one_no_place():
    assert best_personalisation(0.3, 0.5, 0.0, 0.005, 0.005) == 1
    assert best_personalisation(0.0, 0.0, 0.0, 0.005, 0.005) == 0


def people(spread, count=200):
    annoyance = 0.02 * np.exp(np.random.default_rng(1).normal(0, spread, count))
    return pd.DataFrame({"b0": 0.0, "b1": 0.02, "delta0": 0.005, "delta1": annoyance})


@pytest.mark.slow
def test_segments_gain_up_to_the_mean_of_the_optima():
    crowd = people(1.0)
    table = segment_gains(crowd, len(crowd), value=10.0, cost=0.01)
    own = purchase_chance(best_contact(*crowd.to_numpy().T), *crowd.to_numpy().T)
    assert table["chance"].iloc[-1] == pytest.approx(own.mean(), rel=1e-9)
    assert (table["chance"].diff()[1:10] > 0).all()
    best = table.loc[table["profit"].idxmax(), "classes"]
    assert 1 < best < 20  # the cost of a class ends the division
    alike = segment_gains(people(0.0), 3)
    assert alike["gain"].abs().max() < 1e-12


def test_classes_cost_what_they_cost():
    free, paid = (segment_gains(people(0.4, 50), 3, 10.0, cost)["profit"].to_numpy() for cost in (0.0, 0.02))
    assert free - paid == pytest.approx([0, 0.02, 0.04])


def test_discounts_and_sizes_pull_against_each_other():
    table = group_offers()
    r0 = table.pivot(index="g", columns="discount", values="r0")
    assert (r0.diff(axis=1).iloc[:, 1:] > 0).all(axis=None)  # a deeper discount always raises R0
    assert r0[0.0].idxmax() == 2
    assert 2 < r0[0.2].idxmax() < 8  # but where many accept, the best size lies inside
    profit = table[table["g"] == 2].set_index("discount")["profit"]
    assert profit.idxmax() not in (profit.index[0], profit.index[-1])  # and the discount has an inner optimum
    at_none = table.query("discount == 0 and g == 2")
    assert at_none["purchases"].item() == pytest.approx(sharing.steady_flow())


@pytest.mark.slow
@pytest.mark.parametrize("mode", [CONTENT, SHARING], ids=lambda m: m.name)
def test_breaches_lower_the_pool_and_shake_it(mode):
    found = breaches(mode, rate=1 / 200, share=0.3, days=3000, replicates=60, seed=2).set_index("case")
    assert list(found.index) == ["none", "even", "shocks"]
    calm, even, mean = found["members"]
    error = (found.at["shocks", "high"] - found.at["shocks", "low"]) / (2 * 1.645) / np.sqrt(60)
    assert mean < calm
    assert abs(mean - even) < 0.05 * even + 3 * error  # the mean is that of an even loss
    assert found.at["shocks", "spread"] > 0.05 * even  # the variance is not
    none = breaches(mode, rate=0.0, days=400, replicates=2).set_index("case")
    assert none.at["shocks", "spread"] == pytest.approx(0, abs=2e-3)


def slope(of, at, step=1e-5):
    """The elasticity of a function, by central differences."""
    low, high = of(at * np.exp(-step)), of(at * np.exp(step))
    return float(np.log(high / low) / (2 * step))


def cheapest(of):
    """Where a cost by quality has its least value, by a search of scipy's own."""
    return float(np.exp(minimize_scalar(lambda x: float(np.log(of(np.exp(x)))), bracket=(-2, 0, 2), tol=1e-10).x))


def test_quality_without_virality_has_its_closed_form():
    one = Quality(c0=0.001, c1=0.0004, theta=2.5, r=0.0)
    assert cheapest(one.infinite) == pytest.approx(one.without_virality, rel=1e-6)
    assert slope(one.cost, one.without_virality) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("r", [0.05, 0.1, 0.15])
def test_the_cheapest_quality_keeps_its_rule_in_both_markets(r):
    one = Quality(r=r, parameters={"beta": 0.03})
    found, unlimited = cheapest(one.finite), cheapest(one.infinite)
    r0 = one.successors(unlimited)
    passed_on = 1 + r0 / (1 - r0) * slope(one.successors, unlimited)
    for q, brings, of in ((found, slope(one.flow, found), one.finite), (unlimited, passed_on, one.infinite)):
        assert slope(one.cost, q) == pytest.approx(brings, abs=1e-6)
        assert of(q) < min(of(1.1 * q), of(q / 1.1))
    assert unlimited > one.without_virality  # what is passed on deserves more quality


def test_a_thin_audience_costs_what_the_infinite_market_says():
    """With little reach nobody runs out: the finite market tends to the infinite one."""
    one = Quality(rho=1e-9, r=0.1, parameters={"beta": 0.03})
    assert cheapest(one.finite) == pytest.approx(cheapest(one.infinite), rel=1e-3)


def test_virality_that_reaches_one_makes_unlimited_traffic_free_and_the_finite_audience_not():
    costs = Quality().infinite(np.geomspace(1, 100, 400))
    known = costs[np.isfinite(costs)]
    assert known[-1] < 0.01 * known[0]
    assert (np.diff(known) < 0).all()
    finite = Quality().finite(np.geomspace(1, 100, 400))
    assert (np.diff(finite) > 0).all()


def most_sold(**given):
    """The share and frequency at which most is sold, on logistic and logarithmic scales without an edge."""

    def scaled(x):
        return 1 / (1 + np.exp(-x[0])), np.exp(x[1])

    fine = {"xatol": 1e-9, "fatol": 1e-15}
    return scaled(
        minimize(lambda x: -1e3 * promotion(*scaled(x), **given)[0], (-2, -1), method="Nelder-Mead", options=fine).x
    )


@pytest.mark.parametrize("given", [{}, {"pi0": 0.0}, {"pi0": 0.0, "delta1": 0.05}])
def test_share_and_frequency_of_promotion_have_an_inner_optimum(given):
    f, n = most_sold(parameters=given)
    assert given or best_promotion() == pytest.approx([f, n], rel=1e-5)
    (best, leave), b1 = promotion(f, n, parameters=given), CONTENT.parameter["b1"].default
    assert slope(lambda share: promotion(share, n, parameters=given)[0], f) == pytest.approx(0, abs=1e-5)
    assert slope(lambda often: promotion(f, often, parameters=given)[0], n) == pytest.approx(0, abs=1e-5)
    for a, b in ((0.97, 1), (1.03, 1), (1, 0.97), (1, 1.03), (1.02, 0.98)):
        assert promotion(f * a, n * b, parameters=given)[0] < best
    changed = given | {"b1": b1 * f, "n": n, "lambda0": 0.001 * (1 - f) * n}
    run = integrate(CONTENT, changed, 20000, dt=20000, initial={"L": 0.01})
    assert run.flow("M", "O")[-1] == pytest.approx(best, rel=1e-6)
    assert leave == pytest.approx(run.flow("M", "D")[-1] / run.flow("P", "M")[-1], rel=1e-6)


def test_where_the_audience_hardly_runs_out_half_the_messages_promote():
    """With nothing passed on and nobody buying unprompted, ever more messages sell towards rho b1 / (4 delta1)."""
    given = {"rho": 1e-9, "parameters": {"pi0": 0.0, "beta": 1e-9}}
    shares = np.linspace(0, 1, 101)
    sold, _ = promotion(shares, np.full(101, 100.0), **given)
    assert shares[sold.argmax()] == pytest.approx(0.5, abs=0.01)
    assert sold.max() == pytest.approx(1e-9 * 0.02 / (4 * 0.02), rel=1e-2)
    assert sold.max() > promotion(shares, np.full(101, 10.0), **given)[0].max()


def test_a_pool_that_buys_unprompted_and_is_easily_annoyed_is_best_left_alone():
    often = np.geomspace(0.01, 20, 400)
    best = [promotion(share, often, parameters={"delta1": 0.05})[0].max() for share in np.linspace(0, 1, 41)]
    assert np.argmax(best) == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Quality(theta=1.0), "theta=1, r=0.2; allowed is theta > 1"),
        (lambda: Quality(c0=0.0), "c0 is positive; got 0"),
        (lambda: rank(CONTENT, 1), "uncertainty needs several draws; got 1"),
        (lambda: breaches(CONTENT, share=1.5), "0 <= share <= 1"),
        (lambda: group_offers(discounts=[1.5]), r"a discount is a share of price; got 1\.5"),
        (lambda: segment_gains(people(1.0, 5), 9), "got up to 9 classes of 5; allowed is 1 to 5"),
    ],
)
def test_misuse_is_named(call, message):
    with pytest.raises(ParameterError, match=message):
        call()
