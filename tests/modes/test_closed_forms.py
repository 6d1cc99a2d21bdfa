"""Thresholds, steady states, final sizes and extinction, each against another way to the same number."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from scipy.optimize import brentq

import stockflow
from socialcommerce.errors import ParameterError, UnknownNameError
from socialcommerce.market import CURVES
from socialcommerce.modes import content, sharing
from socialcommerce.modes.content import CONTENT
from socialcommerce.modes.sharing import SHARING, VARIANTS, declare
from stockflow import elasticities, integrate, jacobian, leading_eigenvalue, next_generation, settle
from tests.modes.test_compartments import MODES, drawn, seed

CLOSED = {"content": content.reproduction} | {v: partial(sharing.reproduction, variant=v) for v in VARIANTS}
EQUILIBRIUM = {"content": content.equilibrium} | {v: partial(sharing.equilibrium, variant=v) for v in VARIANTS}


def wide(mode, count, rng):
    """Parameter sets far beyond the declared ranges: rates over three decades and more."""
    table = drawn(mode, count, rng)
    for name, column in table.items():
        if mode.parameter[name].kind in ("rate", "weight"):
            table[name] = column * 10 ** rng.uniform(-1.5, 1.5, count)
    return table | ({"pi1": np.zeros(count)} if mode is CONTENT else {})


@pytest.mark.parametrize("name", MODES)
def test_r0_is_the_spectral_radius_and_its_side_of_one_is_the_sign_of_growth(name):
    mode, table = MODES[name], wide(MODES[name], 2000, np.random.default_rng(2002))
    found, closed = next_generation(mode, table), CLOSED[name](table)
    np.testing.assert_allclose(found.r0, closed, rtol=1e-12, atol=1e-12)
    assert np.array_equal(np.sign(found.growth), np.sign(closed - 1))
    assert 200 < np.sum(closed > 1) < 1800


@pytest.mark.parametrize("name", MODES)
def test_the_closed_equilibrium_stands_still(name):
    mode, table = MODES[name], wide(MODES[name], 2000, np.random.default_rng(3))
    state = EQUILIBRIUM[name](table)
    assert np.abs(mode.derivative(state, mode.values(table))).max() <= 1e-12
    np.testing.assert_allclose(state.sum(axis=0), 1, atol=1e-12)
    assert state.min() >= -1e-15


@pytest.mark.slow
@pytest.mark.parametrize("name", MODES)
def test_runs_end_at_the_closed_equilibrium_and_it_is_stable(name):
    mode = MODES[name]
    state = EQUILIBRIUM[name](None)
    end = integrate(mode, None, 20000, dt=20000, initial=seed(mode)).values[-1]
    np.testing.assert_allclose(end, state, atol=1e-9)
    assert leading_eigenvalue(mode, None, state) < 0


@pytest.mark.slow
@pytest.mark.parametrize("name", MODES)
def test_a_run_settles_at_the_closed_equilibrium(name):
    mode = MODES[name]
    table = {p: column for p, column in drawn(mode, 20, np.random.default_rng(8)).items() if p != "pi1"}
    np.testing.assert_allclose(settle(mode, table, seed(mode), 10000), EQUILIBRIUM[name](table), atol=1e-12)


def test_social_proof_raises_purchases_and_needs_no_closed_form():
    proof = {"pi1": np.linspace(0, 0.5, 6)}
    state = settle(CONTENT, proof, {"L": 0.01})
    bought = CONTENT.flow_rates(state, CONTENT.values(proof))[1]
    assert (np.diff(bought) > 0).all()
    end = integrate(CONTENT, {"pi1": 0.5}, 20000, dt=20000, initial={"L": 0.01}).values[-1]
    np.testing.assert_allclose(state[:, -1], end, atol=1e-9)
    with pytest.raises(stockflow.ParameterError, match="content has not settled after 10 days"):
        settle(CONTENT, {"lambda0": 0.0, "beta": 0.1, "omega": 0.0}, {"L": 0.01}, 10)


@pytest.mark.slow
def test_the_steady_flow_is_what_enters():
    flow = integrate(CONTENT, None, 20000, dt=20000, initial={"L": 0.01}).flow("P", "M")[-1]
    assert content.steady_flow() == pytest.approx(flow, abs=1e-10)
    run = integrate(SHARING, None, 20000, dt=20000, initial={"F": 0.01})
    assert sharing.steady_flow() == pytest.approx(run.flow("U", "A")[-1] + run.flow("U", "B")[-1], abs=1e-10)


def test_without_arrivals_the_pool_lives_only_above_the_threshold():
    flow = content.steady_flow({"lambda0": 0.0, "beta": [0.05, 0.06 / 0.864, 0.1]})
    assert flow[0] == 0
    assert flow[1] == pytest.approx(0, abs=1e-15)
    assert flow[2] == pytest.approx((1.44 - 1) / (1.44 * content.parts()["T"]))


@pytest.mark.parametrize("mode", [CONTENT, SHARING], ids=["content", "sharing"])
def test_the_jacobian_is_the_slope_of_the_derivative(mode):
    y, p = np.random.default_rng(5).dirichlet(np.ones(len(mode.states))), mode.values()
    exact, h = jacobian(mode, None, y), 1e-6
    for j, step in enumerate(h * np.eye(len(y))):
        slope = (mode.derivative(y + step, p) - mode.derivative(y - step, p)) / (2 * h)
        np.testing.assert_allclose(exact[:, j], slope, atol=1e-9)
    assert np.abs(exact.sum(axis=0)).max() < 1e-15


@pytest.mark.slow
@pytest.mark.parametrize("beta", [0.04, 0.1, 0.2])
def test_the_final_size_is_where_the_run_ends(beta):
    given, initial = {"beta": beta, "omega": 0.0, "lambda0": 0.0}, {"L": 0.01, "M": 0.02, "C": 0.01, "O": 0.01}
    end = integrate(CONTENT, given, 30000, dt=30000, initial=initial).state("P")[-1]
    assert content.final_size(given, initial) == pytest.approx(end, abs=1e-8)


@pytest.mark.slow
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("g", [2, 3])
def test_the_final_size_of_sharing_is_where_the_run_ends(variant, g):
    given, initial = {"g": g, "omega": 0.0, "epsilon": 0.0}, {"F": 0.03, "A": 0.01, "B": 0.01}
    end = integrate(declare(variant), given, 30000, dt=30000, initial=initial).state("U")[-1]
    assert sharing.final_size(given, initial, variant) == pytest.approx(end, abs=1e-6)


def test_the_k_factor_by_group_size_is_that_of_the_prototype():
    """The default lifetime groups were chosen for the first value; the other seven follow from completion."""
    table = {"g": [2, 3, 4, 5]}
    assert sharing.parts()["lam"] == pytest.approx(0.844)
    assert np.round(sharing.reproduction(table, "capped"), 2).tolist() == [1.35, 0.98, 0.38, 0.10]
    assert np.round(sharing.reproduction(table, "open"), 2).tolist() == [2.00, 1.14, 0.41, 0.11]


def test_the_textbook_k_is_the_open_group_of_two():
    a = sharing.parts()
    assert sharing.reproduction(None, "open") == pytest.approx(a["Theta"] * a["lam"], rel=1e-15)
    assert sharing.reproduction(None, "capped") < sharing.reproduction(None, "open")


def lines_of_content(p, count, rng):
    """The share of lines, each from one entrant, that die out: generation by generation, counts only."""
    a = content.parts(p)
    alive, lost = np.ones(count, int), 0
    while len(alive):
        customers = rng.binomial(alive, a["pM"] * a["s"])
        leaders = rng.binomial(customers, a["pphi"])
        days_c, days_l = (rng.gamma(np.maximum(k, 1e-300)) * (k > 0) for k in (customers, leaders))
        alive = rng.poisson(a["beta"] * (a["eta"] * a["tC"] * days_c + a["tL"] * days_l))
        lost += np.sum(alive == 0)
        alive = alive[(alive > 0) & (alive <= 500)]  # a line of more dies with probability below 1e-9
    return lost / count


@pytest.mark.parametrize("beta", [0.08, 0.1, 0.15])
def test_extinction_of_content_is_what_simulated_lines_show(beta):
    count = 40000
    share, exact = lines_of_content({"beta": beta}, count, np.random.default_rng(1)), content.extinction({"beta": beta})
    assert 0.05 < exact < 0.99
    assert abs(share - exact) < 3 * np.sqrt(exact * (1 - exact) / count)


def lines_of_sharing(p, variant, count, rng):
    """The share of lines, each from one joiner, that die out: one event at a time in each line."""
    a = {name: float(value) for name, value in sharing.parts(p).items()}
    kind = np.where(rng.random(count) < a["aA"], 0, 1)
    n = np.zeros((3, count), int)
    n[kind, np.arange(count)] = 1
    rates = np.array(
        [[a["thetaN"], a["psiA"], a["gammaN"]], [a["thetaN"], a["psiB"], a["gammaN"]], [a["thetaF"], 0.0, a["gammaF"]]]
    )
    lost, open_lines = 0, count
    while open_lines:
        weights = (n[:, None, :] * rates[:, :, None]).reshape(9, -1)
        event = (rng.random(n.shape[1]) * weights.sum(axis=0) > np.cumsum(weights, axis=0)).sum(axis=0)
        who, what = event // 3, event % 3
        at = np.arange(n.shape[1])
        n[who, at] -= what > 0
        n[2] += what == 1
        x = rng.poisson(a["lam"], n.shape[1])
        joined = np.where((what == 0) & (x >= a["g"] - 1), x if variant == "open" else int(a["g"] - 1), 0)
        friends = rng.binomial(joined, a["aA"])
        n[0] += friends
        n[1] += joined - friends
        total = n.sum(axis=0)
        lost += np.sum(total == 0)
        n = n[:, (total > 0) & (total < 150)]
        open_lines = n.shape[1]
    return lost / count


@pytest.mark.slow
@pytest.mark.parametrize(("variant", "g"), [("capped", 2), ("open", 2), ("open", 3)])
def test_extinction_of_sharing_is_what_simulated_lines_show(variant, g):
    given, count = {"g": g, "mA": 5.0, "thetaF": 0.035}, 6000
    share = lines_of_sharing(given, variant, count, np.random.default_rng(11))
    exact = sharing.extinction(given, variant)["joiner"]
    assert 0.2 < exact < 0.95
    assert abs(share - exact) < 3 * np.sqrt(exact * (1 - exact) / count)


def test_below_the_threshold_every_line_dies():
    assert content.extinction() == 1
    assert sharing.extinction({"g": 5})["joiner"] == 1


def needed_beta(flow, given):
    """The beta that holds the content mode at a given steady flow, found without any closed form of ours."""
    p = CONTENT.values(given)
    buys, leaves = p["pi0"] + p["b1"] * p["n"], p["delta0"] + p["delta1"] * p["n"] ** 2

    def states(leaders):
        pool = flow / (buys + p["pi1"] * leaders + leaves)
        orders = (buys + p["pi1"] * leaders) * pool / p["kappa"]
        customers = p["s"] * p["kappa"] * orders / (p["phi"] + p["gammaC"])
        return pool, orders, customers, flow / p["omega"]

    lead = brentq(lambda x: p["phi"] * states(x)[2] / p["gammaL"] - x, 0, 1, xtol=1e-18)
    pool, orders, customers, lapsed = states(lead)
    return flow / (1 - pool - orders - customers - lead - lapsed) / (p["eta"] * customers + lead)


@pytest.mark.parametrize("given", [{}, {"phi": 0.01, "omega": 0.02}, {"n": 1.0, "s": 0.7}])
def test_the_branch_of_steady_states_turns_backward_at_the_limit_of_social_proof(given):
    limit = content.social_proof_limit(given)
    rise = [
        needed_beta(1e-6, given | {"pi1": f * limit}) - needed_beta(1e-9, given | {"pi1": f * limit})
        for f in (0.98, 1.02)
    ]
    assert rise[0] > 0 > rise[1]


@pytest.mark.slow
def test_with_strong_social_proof_a_big_pool_lives_below_the_threshold():
    given = {"lambda0": 0.0, "beta": 0.06 * 0.97 / 0.864, "pi1": 3 * float(content.social_proof_limit())}
    assert next_generation(CONTENT, given).r0 == pytest.approx(0.97)
    ends = [integrate(CONTENT, given, 50000, dt=50000, initial={"L": start}).state("L")[-1] for start in (0.0005, 0.3)]
    assert ends[0] < 1e-6
    assert ends[1] > 0.01


def bass(t, p, q):
    """Cumulative share of adopters by the library's own yearly curve of the other wing."""
    years = np.arange(t)
    return np.cumsum(np.exp(CURVES["bass"].log_shape(years, np.log([p, q]))))


@pytest.mark.slow
@pytest.mark.parametrize("given", [{"eta": 1.0, "phi": 0.01}, {"eta": 0.5, "phi": 0.0}])
def test_bass_is_the_limit_of_instant_purchase_and_no_loss(given):
    p, q, days = 0.003, 0.04, 200
    ideal = given | {
        "lambda0": p,
        "delta0": 0.0,
        "delta1": 0.0,
        "gammaC": 0.0,
        "gammaL": 0.0,
        "omega": 0.0,
        "s": 1.0,
        "b1": 0.0,
        "beta": q / given["eta"],
    }
    gap = []
    for speed in (1.0, 10.0):
        run = integrate(CONTENT, ideal | {"pi0": speed, "kappa": speed}, days)
        gap.append(np.abs(1 - run.state("P")[1:] - bass(days, p, q)).max())
    assert gap[0] / gap[1] == pytest.approx(10, rel=0.15)  # first order in the time that a purchase takes
    assert gap[1] < 5e-3


def test_away_from_its_limit_bass_is_far_off():
    run = integrate(CONTENT, {"lambda0": 0.003, "beta": 0.04, "eta": 1.0}, 400)
    adopted = np.cumsum(run.flow("M", "O"))
    assert np.abs(adopted[1:] - bass(400, 0.003, 0.04)).max() > 0.05


def test_elasticities_are_those_of_the_formula():
    found = elasticities(content.reproduction, CONTENT).set_index("parameter")["elasticity"]
    a = content.parts()
    assert found["s"] == pytest.approx(1, abs=1e-9)
    assert found["beta"] == pytest.approx(1, abs=1e-9)
    assert found["pi0"] + found["b1"] == pytest.approx(1 - a["pM"], abs=1e-9)
    assert found["kappa"] == pytest.approx(0, abs=1e-9)
    assert "pi1" not in found.index
    assert elasticities(sharing.reproduction, SHARING, {"qA": 1.0}).set_index("parameter")["elasticity"]["qA"] > 0


def test_amplification_is_what_follows_from_a_few_bought_entrants():
    bought = 1e-6  # below the threshold, the entrants that follow from a few bought ones add up to that
    run = integrate(CONTENT, {"lambda0": 0.0, "omega": 0.01}, 20000, initial={"M": bought})
    total = bought + np.trapezoid(run.flow("P", "M"), run.times)
    assert total / bought == pytest.approx(1 / (1 - content.reproduction()), rel=1e-3)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: content.steady_flow({"pi1": 0.01}),
            ParameterError,
            "does not hold for pi1; got 0.01; allowed is 0 where",
        ),
        (lambda: content.steady_flow({"omega": 0.0}), ParameterError, "does not hold for omega; got 0"),
        (lambda: content.final_size({"omega": 0.01}), ParameterError, "does not hold for omega; got 0.01"),
        (
            lambda: sharing.steady_flow({"omega": 0.0}),
            ParameterError,
            "does not hold for omega; got 0; allowed is above 0",
        ),
        (
            lambda: sharing.final_size({"epsilon": 0.1}),
            ParameterError,
            r"does not hold for epsilon; got 0\.1; allowed is 0",
        ),
        (lambda: sharing.reproduction(None, "closed"), UnknownNameError, "unknown variant of a group 'closed'"),
    ],
)
def test_closed_forms_say_where_they_end(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_table_of_a_thousand_asks_for_no_more_derivatives_than_one_run(monkeypatch):
    asked, derivative = [], stockflow.Mode.derivative
    monkeypatch.setattr(stockflow.Mode, "derivative", lambda *call: asked.append(1) or derivative(*call))
    table = drawn(CONTENT, 1000, np.random.default_rng(0))
    integrate(CONTENT, table, 30, "rk4", every=30)
    together = len(asked)
    integrate(CONTENT, {name: column[0] for name, column in table.items()}, 30, "rk4", every=30)
    assert len(asked) == 2 * together == 2 * 4 * 30
