"""The hypotheses about the two modes: each against a run, another formula, or a set where it is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from socialcommerce.evidence import modes
from socialcommerce.modes import content, diagram, forms, sharing
from socialcommerce.modes.content import CONTENT
from stockflow import integrate, next_generation
from tests.conftest import assessment

OUTCOMES = {
    "H53": "theorem",
    "H54": "depends",
    "H55": "robust",
    "H56": "theorem",
    "H57": "depends",
    "H58": "robust",
    "H59": "depends",
    "H61": "theorem",
}
SETS = modes.parameter_sets(CONTENT)
GROUPS = modes.parameter_sets(sharing.SHARING)


def one(table, row, **changed):
    return {name: float(column[row]) for name, column in table.items()} | changed


def estimate(name):
    return modes.TESTS[name]().estimate


@pytest.mark.parametrize("name", OUTCOMES)
def test_each_verdict_is_a_model_s(name):
    verdict = assessment().results[name]
    assert (verdict.outcome, verdict.evidence, verdict.grade) == (OUTCOMES[name], ("model",), "direct")
    assert verdict.result.n == {"H53": 1, "H55": verdict.result.n}.get(name, modes.SETS)


@pytest.mark.parametrize("mode", [CONTENT, sharing.SHARING], ids=lambda m: m.name)
def test_the_sets_fill_the_declared_ranges(mode):
    for p in mode.parameters:
        column = modes.parameter_sets(mode)[p.name]
        assert column.min() >= p.lower
        assert column.max() <= p.upper
        if p.kind != "group" and p.name != "pi1":  # one in each of as many equal parts
            parts = np.floor((column - p.lower) / (p.upper - p.lower) * modes.SETS)
            assert len(np.unique(parts)) == modes.SETS
    strengths = modes._social()
    assert len(np.unique(np.floor(strengths / 0.05 * modes.SETS))) == modes.SETS


@pytest.mark.parametrize("cut", [("customers", "leaders"), ("delivery", "customers"), ("purchase", "delivery")])
def test_the_marketing_loop_breaks_where_an_edge_of_it_is_cut(cut, monkeypatch):
    whole = diagram.load_diagram("content")
    kept = tuple(edge for edge in whole.edges if (edge.source, edge.target) != cut)
    monkeypatch.setattr(modes, "load_diagram", lambda _: replace(whole, edges=kept))
    assert estimate("H53") == 0


def test_the_loop_reaches_the_pool_by_one_inferred_arrow_and_never_through_reports():
    whole = diagram.load_diagram("content")
    inferred = {(edge.source, edge.target) for edge in whole.edges if edge.inferred}
    through = [loop for loop in whole.feedback_loops() if loop.polarity == "R" and "pool" in loop.nodes]
    assert through
    assert not any("feedback" in loop.nodes for loop in through)
    assert all(("leaders", "sharing") in loop.edges for loop in through)
    assert min(len(inferred & set(loop.edges)) for loop in through) == 1


def test_satisfaction_decides_where_the_matrix_says_so():
    """The share over draws, by the leading eigenvalue with no satisfied buyer and with all of them."""
    p = modes._sets(CONTENT, *modes.CORE)
    grown = [next_generation(CONTENT, forms.put(p | {"s": np.full(modes.SETS, end)})).growth for end in (0.0, 1.0)]
    assert estimate("H54") == pytest.approx(np.mean((grown[0] < 0) & (grown[1] > 0)), rel=1e-12)


def test_a_pool_without_content_empties_by_the_equations_too():
    below = np.flatnonzero(content.reproduction(SETS) < 0.8)[:40]
    assert estimate("H55") == 1
    table = {name: column[below] for name, column in SETS.items()} | {
        "lambda0": np.zeros(40),
        "pi1": modes._social()[below],
    }
    run = integrate(CONTENT, table, 20_000, "map", 10, {"M": 0.3, "C": 0.3, "L": 0.3}, every=2000)
    assert run.values[-1, 1:5].max() < 1e-3


@pytest.mark.slow
def test_social_proof_beyond_its_limit_keeps_a_big_pool_alive():
    """A backward bifurcation: below R0 = 1 a pool that starts big stays, one that starts small does not."""
    p = {"lambda0": 0.0, "beta": 0.0685}
    p["pi1"] = 3 * float(content.social_proof_limit(p))
    low, high, none = content.steady_leaders(p)
    assert content.reproduction(p) < 1
    assert np.isnan(none)
    ends = [integrate(CONTENT, p, 60_000, dt=60_000, initial={"L": start}).state("L")[-1] for start in (low / 9, 0.05)]
    assert ends == pytest.approx([0, high], abs=1e-6)


def test_no_steady_state_with_customers_below_the_limit():
    near = {"lambda0": 0.0, "beta": 0.0694}  # R0 just below one: the branch turns backward exactly at the limit
    limit = float(content.social_proof_limit(near))
    assert 0.999 < content.reproduction(near) < 1
    assert np.isnan(content.steady_leaders(near | {"pi1": 0.9 * limit})).all()
    assert not np.isnan(content.steady_leaders(near | {"pi1": 1.1 * limit})[:2]).any()


@pytest.mark.slow
@pytest.mark.parametrize("row", range(5))
def test_purchases_rise_with_social_proof_in_runs(row):
    ends = [
        integrate(CONTENT, one(SETS, row, pi1=pi1), 6000, dt=6000, initial={"L": 0.01}).flow("M", "O")[-1]
        for pi1 in (0.0, 0.05)
    ]
    assert ends[1] > ends[0]


def test_self_growth_where_the_matrix_says_so():
    grown = [next_generation(sharing.declare(variant), GROUPS).r0 > 1 for variant in sharing.VARIANTS]
    drawn = modes._sets(sharing.SHARING, "groups")["groups"]
    assert estimate("H57") == pytest.approx(np.mean(np.choose(drawn, grown)), rel=1e-12)


@pytest.mark.parametrize("row", range(3))
def test_sharing_adds_buyers_in_runs_too_and_nothing_where_nobody_accepts(row, monkeypatch):
    """New buyers a day at the end of long runs, with invitations and without, are those of the closed form."""
    given = ({}, {"mA": 0.0, "mB": 0.0})
    sets = [one(GROUPS, row, **less) for less in given]
    runs = [integrate(sharing.SHARING, p, 20_000, dt=20_000, initial={"F": 0.01}) for p in sets]
    ends = [run.flow("U", "A")[-1] + run.flow("U", "B")[-1] for run in runs]
    closed = [float(sharing.steady_flow(p)) for p in sets]
    assert ends == pytest.approx(closed, rel=1e-6)
    assert ends[0] > ends[1]
    nobody = dict.fromkeys(("qA", "qB"), np.zeros(modes.SETS))
    monkeypatch.setattr(modes, "parameter_sets", lambda *given: GROUPS | nobody)
    assert estimate("H58") == 0


def test_trust_transfer_pays_where_fans_open_more_groups_than_newcomers_would():
    """And always where it makes more friends accept: the joiners of a group rise with the accepted invitations."""
    fans, newcomers = (GROUPS[f"theta{k}"] / GROUPS[f"gamma{k}"] for k in "FN")
    drawn = modes._sets(sharing.SHARING, "groups", "trust")["trust"]
    assert estimate("H59") == pytest.approx(np.mean(np.where(drawn, fans > newcomers, True)), rel=1e-12)


def test_delivery_moves_the_number_only_through_satisfaction(monkeypatch):
    assert estimate("H61") == 1
    still = [replace(one, haste=0.0) for one in modes.policy.STRATEGIES["content"]]
    monkeypatch.setitem(modes.policy.STRATEGIES, "content", still)
    by = modes.delivery().forms["survival"]  # who no longer waits no longer cancels
    assert sorted(by.values()) == [0, 1, 1]
    assert by["no order cancelled"] == 0
    faster = one(SETS, 0) | {"kappa": 1.2}
    assert content.reproduction(faster) == pytest.approx(content.reproduction(one(SETS, 0)), rel=1e-12)
    assert content.reproduction(faster | {"s": 0.98}) > content.reproduction(one(SETS, 0))


@pytest.mark.parametrize("row", range(6))
def test_steady_leaders_stand_still(row):
    """Every other share follows from theirs, flow by flow, and the declared equations then do not move."""
    p = one(SETS, row, pi1=0.02 * row)
    lead = content.steady_leaders(p)[0]
    customers = p["gammaL"] * lead / p["phi"]
    orders = (p["phi"] + p["gammaC"]) * customers / (p["s"] * p["kappa"])
    pool = p["kappa"] * orders / (p["pi0"] + p["b1"] * p["n"] + p["pi1"] * lead)
    gone = (
        (p["delta0"] + p["delta1"] * p["n"] ** 2) * pool
        + (1 - p["s"]) * p["kappa"] * orders
        + p["gammaC"] * customers
        + p["gammaL"] * lead
    ) / p["omega"]
    state = np.array([1 - pool - orders - customers - lead - gone, pool, orders, customers, lead, gone])
    assert state.min() > 0
    assert np.abs(CONTENT.derivative(state, CONTENT.values(p))).max() < 1e-14
