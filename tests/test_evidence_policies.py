"""The hypotheses about strategies and the closing questions: each against another formula, a search, or a known set."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from socialcommerce import evidence, paper
from socialcommerce.evidence import modes
from socialcommerce.evidence.modes import SETS, parameter_sets
from socialcommerce.modes import content, optima, sharing
from stockflow import Parameter, integrate

HYPOTHESES = {h.id: h for h in paper.load_hypotheses()}
OUTCOMES = {"H60": "depends", "H62": "follows", "H63": "depends", "H64": "depends", "H65": "follows",
            "H66": "depends", "H67": "follows", "H68": "depends", "H69": "depends"}
P, GROUPS = parameter_sets(content.CONTENT), parameter_sets(sharing.SHARING)


def estimate(name):
    return modes.TESTS[name](HYPOTHESES[name]).estimate


def ranges(monkeypatch, name, **fixed):
    """Hold what a statement needs beside the modes at one value each."""
    held = tuple(one if one.name not in fixed else
                 Parameter(one.name, one.symbol, fixed[one.name], one.unit, fixed[one.name], fixed[one.name], one.words,
                           one.kind) for one in modes.RANGES[name])
    monkeypatch.setitem(modes.RANGES, name, held)


@pytest.mark.slow
@pytest.mark.parametrize("name", OUTCOMES)
def test_each_verdict_is_a_model_s(name):
    verdict = evidence.assess(name)
    assert (verdict.outcome, verdict.evidence, verdict.grade) == (OUTCOMES[name], ("model",), "direct")
    assert verdict.result.n == {"H60": 2 * SETS, "H62": 2 * modes.RUNS, "H63": 2 * SETS, "H65": SETS,
                                "H66": 2 * SETS, "H69": 2 * SETS}.get(name, modes.RUNS)


def test_inspection_is_first_only_where_it_raises_the_number_more_than_every_other_strategy(monkeypatch):
    table = modes.policy.rank(content.CONTENT, SETS, modes.SEED).summary().set_index(["outcome", "strategy"])
    assert 0.1 < table.at[("r0", "inspection"), "first"] < 0.3
    twins = {name: [replace(one, effects={}, sets={}, haste=0.0) for one in listed]
             for name, listed in modes.policy.STRATEGIES.items()}
    monkeypatch.setattr(modes.policy, "STRATEGIES", twins)
    assert estimate("H60") == 0  # where all do nothing they tie, and a tie is no first place


@pytest.mark.slow
@pytest.mark.parametrize("mode", modes.MODES.values(), ids=modes.MODES)
def test_breaches_strike_every_set_and_spread_the_members_in_time(mode):
    calm, mean, variance = modes._breached(mode)
    assert (mean < calm).all()
    assert (variance > 0).all()


def test_members_stay_as_they_are_without_breaches(monkeypatch):
    ranges(monkeypatch, "breach", rate=0.0)
    monkeypatch.setattr(modes, "DAYS", 800)
    monkeypatch.setattr(modes, "SETTLE", 700)
    for mode in modes.MODES.values():
        calm, mean, _ = modes._breached(mode)
        assert mean == pytest.approx(calm, rel=1e-9)
    assert estimate("H62") < 1


def test_personalisation_always_pays_where_nobody_minds(monkeypatch):
    ranges(monkeypatch, "personalisation", c=0.0)
    assert estimate("H63") == 1


def test_personalisation_has_an_inner_optimum_where_people_mind_a_lot(monkeypatch):
    """Left are sets of the interaction mode that hardly feed themselves: who lapses sooner may buy as new again."""
    ranges(monkeypatch, "personalisation", c=1e4)
    monkeypatch.setattr(modes.sharing, "steady_flow", lambda p: -p["gammaN"])
    assert estimate("H63") == 0


@pytest.mark.slow
def test_classes_pay_where_they_cost_nothing_and_not_where_all_are_alike(monkeypatch):
    ranges(monkeypatch, "classes", cost=0.0)
    assert estimate("H64") == 1
    ranges(monkeypatch, "classes", cost=0.001, spread=1e-6)
    assert estimate("H64") == 0


def test_traffic_makes_a_pool_smaller_only_where_it_brings_customers_who_stay_shorter(monkeypatch):
    """Content: purchases are pi M. Interaction: with fans made alike from all newcomers, members follow the flow."""
    assert 0.99 < estimate("H69") < 1
    alike = GROUPS | {"psiB": GROUPS["psiA"]}
    monkeypatch.setattr(modes, "parameter_sets", lambda mode: P if mode is content.CONTENT else alike)
    assert estimate("H69") == 1


def test_the_inner_frequency_is_the_closed_form():
    best = optima.best_contact(P["pi0"], P["b1"], P["delta0"], P["delta1"])[:20]
    for i, n in enumerate(best):
        found = minimize_scalar(lambda n, i=i: -optima.purchase_chance(n, *(P[k][i] for k in ("pi0", "b1", "delta0",
                                "delta1"))), bounds=(0, 50), method="bounded", options={"xatol": 1e-9})
        assert n == pytest.approx(found.x, rel=1e-4)
    assert (best > 0).all()


def test_larger_groups_bring_more_exactly_where_many_accept():
    """Two seats beat one, 2 (1 - (1 + x) exp(-x)) > 1 - exp(-x), where exp(x) > 1 + 2 x."""
    lam = sharing.parts(GROUPS)["lam"]
    small, large = (sharing.joiners(1.0, {"lam": lam, "g": np.full(SETS, g)}) for g in (2, 3))
    assert ((large > small) == (np.exp(lam) > 1 + 2 * lam)).all()
    assert 0.5 < estimate("H66") < 1  # open groups always lose by a seat more


def test_the_discount_multiplies_the_odds():
    after, before = modes._discounted(GROUPS, np.log(2)), GROUPS
    assert after["qA"] / (1 - after["qA"]) == pytest.approx(2 * before["qA"] / (1 - before["qA"]))


def test_one_quality_is_cheapest_by_the_search_too():
    more = modes._drawn("quality", modes.RUNS)
    for i in range(10):
        asked = optima.Quality(**modes._row(more, i),
                                  parameters=modes._row(parameter_sets(content.CONTENT, modes.RUNS), i))
        assert asked.best()["minima"] == 1


def test_promotion_is_needed_where_nobody_buys_unprompted(monkeypatch):
    """The optimum moves inside wherever unprompted purchases are taken away."""
    sets = {k: np.zeros_like(v) if k == "pi0" else v for k, v in parameter_sets(content.CONTENT, modes.RUNS).items()}
    before = estimate("H68")
    monkeypatch.setattr(modes, "parameter_sets", lambda mode, count: sets)
    assert estimate("H68") > before


def test_a_run_with_breaches_is_as_long_as_its_argument_asks():
    """Five of the longest mean stays are left out, and the rarest breach misses fewer than one of all runs."""
    slowest = min(p.lower for mode in modes.MODES.values() for p in mode.parameters if p.kind == "rate" and p.lower > 0)
    rarest = modes.RANGES["breach"][0].lower
    assert pytest.approx(5 / slowest) == modes.SETTLE
    assert np.exp(-rarest * (modes.DAYS - modes.SETTLE)) < 1 / (2 * modes.RUNS)


@pytest.mark.slow
def test_long_run_members_agree_with_a_run():
    p = modes._row(parameter_sets(content.CONTENT, modes.RUNS), 0)
    run = integrate(content.CONTENT, p, 20_000, dt=20_000, initial={"L": 0.01})
    members = run.values[-1, [1, 3, 4]].sum()
    assert modes._breached(content.CONTENT)[0][0] == pytest.approx(members, rel=1e-6)
