"""The hypotheses about strategies and the closing questions: each against another formula, a search, or a known set."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from socialcommerce import paper
from socialcommerce.evidence import modes
from socialcommerce.evidence.modes import SETS, parameter_sets
from socialcommerce.modes import content, forms, optima, sharing
from stockflow import Flow, Parameter, UnknownNameError, evaluate, integrate, next_generation
from tests.conftest import assessment

HYPOTHESES = {h.id: h for h in paper.load_hypotheses()}
OUTCOMES = {
    "H60": "depends",
    "H62": "robust",
    "H63": "depends",
    "H64": "depends",
    "H65": "depends",
    "H66": "depends",
    "H67": "depends",
    "H68": "depends",
    "H69": "robust",
}
P, GROUPS = parameter_sets(content.CONTENT), parameter_sets(sharing.SHARING)


def estimate(name):
    return modes.TESTS[name]().estimate


def ranges(monkeypatch, name, **fixed):
    """Hold what a statement needs beside the modes at one value each."""
    given = forms.ranges(name)
    held = tuple(
        one
        if one.name not in fixed
        else Parameter(
            one.name, one.symbol, fixed[one.name], one.unit, fixed[one.name], fixed[one.name], one.words, one.kind
        )
        for one in given
    )
    monkeypatch.setattr(forms, "ranges", lambda _: held)


def declared(monkeypatch, **other):
    """Draw every part in the form that the mode declares, or in another by its place."""

    def drawn(parts, count, seed):
        return {part: np.full(count, other.get(part, 0)) for part in parts} | {"c": np.full(count, 0.01)}

    monkeypatch.setattr(forms, "draw", drawn)


@pytest.mark.slow
@pytest.mark.parametrize("name", OUTCOMES)
def test_each_verdict_is_a_model_s(name):
    verdict = assessment().results[name]
    assert (verdict.outcome, verdict.evidence, verdict.grade) == (OUTCOMES[name], ("model",), "direct")
    assert verdict.result.n == {
        "H60": 3 * SETS,
        "H62": 2 * modes.RUNS,
        "H63": 3 * SETS,
        "H65": SETS,
        "H66": SETS,
        "H69": 3 * SETS,
    }.get(name, modes.RUNS)


@pytest.mark.slow
def test_inspection_is_first_only_where_it_raises_the_number_more_than_every_other_strategy(monkeypatch):
    table = modes.policy.rank_table(modes.policy.rank(content.CONTENT, SETS, modes.SEED)).set_index(
        ["outcome", "strategy"]
    )
    assert 0.1 < table.at[("r0", "inspection"), "first"] < 0.3
    twins = {
        name: [replace(one, effects={}, best_contact=False, haste=0.0) for one in listed]
        for name, listed in modes.policy.STRATEGIES.items()
    }
    monkeypatch.setattr(modes.policy, "STRATEGIES", twins)
    assert estimate("H60") == 0  # where all do nothing they tie, and a tie is no first place


@pytest.mark.slow
@pytest.mark.parametrize("mode", modes.MODES, ids=lambda mode: mode.name)
def test_breaches_strike_every_set_and_spread_the_members_in_time(mode):
    calm, mean, variance = modes._breached(mode, parameter_sets(mode, modes.RUNS))
    assert (mean < calm).all()
    assert (variance > 0).all()


def test_members_stay_as_they_are_without_breaches(monkeypatch):
    ranges(monkeypatch, "breach", yearly=0.0)
    monkeypatch.setattr(modes, "DAYS", 800)
    monkeypatch.setattr(modes, "SETTLE", 700)
    for mode in modes.MODES:
        calm, mean, _ = modes._breached(mode, parameter_sets(mode, modes.RUNS))
        assert mean == pytest.approx(calm, rel=1e-9)
    assert estimate("H62") < 1


def test_personalisation_always_pays_where_nobody_minds(monkeypatch):
    ranges(monkeypatch, "personalisation", privacy=0.0)
    assert estimate("H63") == 1


def test_personalisation_has_an_inner_optimum_where_people_mind_a_lot(monkeypatch):
    """Left are sets of the interaction mode that hardly feed themselves: who lapses sooner may buy as new again."""
    ranges(monkeypatch, "personalisation", privacy=1e4)
    monkeypatch.setattr(modes.sharing, "steady_flow", lambda p, *kind: -p["gammaN"])
    assert estimate("H63") == 0


@pytest.mark.slow
def test_classes_pay_where_they_cost_nothing_and_not_where_all_are_alike(monkeypatch):
    declared(monkeypatch)
    ranges(monkeypatch, "classes", upkeep=0.0)
    assert estimate("H64") == 1
    ranges(monkeypatch, "classes", upkeep=0.001, spread=1e-6)
    assert estimate("H64") == 0


@pytest.mark.slow
def test_traffic_makes_a_pool_smaller_only_where_it_brings_customers_who_stay_shorter(monkeypatch):
    """Content: purchases are pi M. Interaction: with fans made alike from all newcomers, members follow the flow."""
    assert 0.99 < estimate("H69") < 1
    alike = GROUPS | {"psiB": GROUPS["psiA"]}
    monkeypatch.setattr(modes, "parameter_sets", lambda mode, *count: P if mode is content.CONTENT else alike)
    assert estimate("H69") == 1


def test_the_inner_frequency_is_the_closed_form():
    best = optima.best_contact(P["pi0"], P["b1"], P["delta0"], P["delta1"])[:20]
    for i, n in enumerate(best):
        found = minimize_scalar(
            lambda n, i=i: -optima.purchase_chance(n, *(P[k][i] for k in ("pi0", "b1", "delta0", "delta1"))),
            bounds=(0, 50),
            method="bounded",
            options={"xatol": 1e-9},
        )
        assert n == pytest.approx(found.x, rel=1e-4)
    assert (best > 0).all()


def test_larger_groups_bring_more_exactly_where_many_accept():
    """Two seats beat one, 2 (1 - (1 + x) exp(-x)) > 1 - exp(-x), where exp(x) > 1 + 2 x."""
    lam = sharing.parts(GROUPS)["lam"]
    small, large = (sharing.joiners(1.0, {"lam": lam, "g": np.full(SETS, g)}) for g in (2, 3))
    assert ((large > small) == (np.exp(lam) > 1 + 2 * lam)).all()
    assert modes.offers().forms["groups"]["open to all who accept"] == 1  # they lose by a seat more


def test_the_discount_multiplies_the_odds():
    after, before = modes._discounted(GROUPS | {"acceptance": np.zeros(SETS, int)}, np.full(SETS, np.log(2))), GROUPS
    assert after["qA"] / (1 - after["qA"]) == pytest.approx(2 * before["qA"] / (1 - before["qA"]))


def test_one_quality_is_cheapest_by_the_search_too():
    more = modes._drawn("quality", modes.RUNS)
    for i in range(10):
        asked = optima.Quality(
            **modes._row(more, i), parameters=modes._row(parameter_sets(content.CONTENT, modes.RUNS), i)
        )
        turns = np.flatnonzero(np.diff(np.diff(asked.finite(modes.QUALITIES)) > 0))
        assert len(turns) == 1


def test_promotion_is_needed_where_nobody_buys_unprompted(monkeypatch):
    """The optimum moves inside wherever unprompted purchases are taken away."""
    declared(monkeypatch)
    sets = {k: np.zeros_like(v) if k == "pi0" else v for k, v in parameter_sets(content.CONTENT, modes.RUNS).items()}
    before = estimate("H68")
    monkeypatch.setattr(modes, "parameter_sets", lambda mode, count: sets)
    assert estimate("H68") > before


def test_a_run_with_breaches_is_as_long_as_its_argument_asks():
    """Five of the longest mean stays are left out, and the rarest breach misses fewer than one of all runs."""
    slowest = min(p.lower for mode in modes.MODES for p in mode.parameters if p.kind == "rate" and p.lower > 0)
    rarest = forms.ranges("breach")[0].lower / 365
    assert pytest.approx(5 / slowest) == modes.SETTLE
    assert np.exp(-rarest * (modes.DAYS - modes.SETTLE)) < 1 / (2 * modes.RUNS)


@pytest.mark.slow
def test_long_run_members_agree_with_a_run():
    p = modes._row(parameter_sets(content.CONTENT, modes.RUNS), 0)
    run = integrate(content.CONTENT, p, 20_000, dt=20_000, initial={"L": 0.01})
    members = run.values[-1, [1, 3, 4]].sum()
    calm, _, _ = modes._breached(content.CONTENT, parameter_sets(content.CONTENT, modes.RUNS))
    assert calm[0] == pytest.approx(members, rel=1e-6)


# --- forms beside the declared ones -----------------------------------------------------------------------------------


def test_declared_forms_give_the_declared_model():
    drawn = forms.draw(modes.CORE, SETS, 1)
    plain = forms.put(P | drawn | {part: np.zeros(SETS, int) for part in modes.CORE})
    assert content.reproduction(plain) == pytest.approx(content.reproduction(P), rel=1e-12)
    assert content.equilibrium(plain) == pytest.approx(content.equilibrium(P), rel=1e-12)
    assert forms.put(P) == P


def test_each_form_is_drawn_equally_often():
    for part, listed in forms.load_forms().items():
        counts = np.bincount(forms.draw([part], 120, 3)[part], minlength=len(listed))
        assert set(counts) == {120 // len(listed)}


@pytest.mark.slow
def test_cancelled_orders_are_those_of_a_declared_way_out():
    """The memoryless form is the mode with a way from orders to the lapsed: R0 by the matrix, and where it settles."""
    declared = content.CONTENT
    c = Parameter("c", "c", 0.01, "1/day", 0.0, 0.1, "cancelled")
    whole = replace(declared, parameters=(*declared.parameters, c), flows=(*declared.flows, Flow("O", "D", "c")))
    row = {name: float(column[0]) for name, column in P.items()}
    put = forms.put(row | {"survival": 1, "c": 0.02})
    assert next_generation(whole, row | {"c": 0.02}).r0 == pytest.approx(float(content.reproduction(put)), rel=1e-9)
    run = integrate(whole, row | {"c": 0.02}, 20_000, dt=20_000, initial={"L": 0.01})
    assert run.values[-1] == pytest.approx(content.equilibrium(put), rel=1e-6)


def test_a_fixed_term_loses_and_keeps_what_an_integral_says():
    """Of orders cancelled at c a day over 1/kappa days, exp(-c/kappa) arrive after a mean stay of (1 - that) / c."""
    put = forms.put({"s": 0.9, "kappa": 0.25, "c": 0.02, "survival": 2})
    days = np.linspace(0, 4, 100_001)
    assert float(put["s"]) == pytest.approx(0.9 * np.exp(-0.08))
    assert 1 / float(put["kappa"]) == pytest.approx(np.trapezoid(np.exp(-0.02 * days), days), rel=1e-8)


@pytest.mark.parametrize(
    ("annoyance", "purchase", "inner"),
    [
        (0, 0, lambda p: np.ones(SETS, bool)),  # the declared forms: n* > 0 in closed form
        (1, 0, lambda p: np.zeros(SETS, bool)),  # two straight lines: their ratio only rises or only falls
        (2, 0, lambda p: np.zeros(SETS, bool)),  # annoyance levels off, purchases do not
        (1, 1, lambda p: p["b1"] / p["pi0"] > p["delta1"] / p["delta0"]),  # purchases level off
        (3, 0, lambda p: p["b1"] / p["pi0"] > p["delta1"] / p["delta0"]),
    ],
)
def test_an_inner_frequency_exists_where_the_slopes_at_zero_say_so(annoyance, purchase, inner):
    """The logarithm of pi / delta rises at zero exactly where b1/pi0 exceeds delta1/delta0, for these forms."""
    p = P | {"annoyance": np.full(SETS, annoyance), "purchase": np.full(SETS, purchase)}
    best, expected = forms.best_frequency(p), inner(p)
    near = np.abs(p["b1"] / p["pi0"] - p["delta1"] / p["delta0"]) < 0.02  # too flat for the search
    assert (((best > 0) & (best < forms.OFTEN[-1])) == expected)[~near | (annoyance == 0)].all()


def test_by_the_declared_forms_the_search_finds_the_closed_form():
    p = P | {"annoyance": np.zeros(SETS, int), "purchase": np.zeros(SETS, int)}
    closed = optima.best_contact(P["pi0"], P["b1"], P["delta0"], P["delta1"])
    assert forms.best_frequency(p) == pytest.approx(closed, rel=0.02)


@pytest.mark.parametrize(
    ("name", "part", "shares"),
    [("H65", {"annoyance": 1}, 0.0), ("H67", {"cost": 0}, 1.0), ("H67", {"cost": 1}, 0.0), ("H59", {"trust": 0}, 1.0)],
)
def test_a_form_by_itself_turns_a_verdict(name, part, shares, monkeypatch):
    declared(monkeypatch, **part)
    assert estimate(name) == shares


def test_an_unknown_name_in_a_form_is_named():
    with pytest.raises(UnknownNameError, match="unknown name in 'gamma'"):
        evaluate("gamma", {"n": 1.0})


def test_what_is_proved_holds_at_random(monkeypatch):
    """Proved statements, at other draws than those of the study."""
    monkeypatch.setattr(modes, "SEED", 99)
    monkeypatch.setattr(modes, "SETS", 300)
    monkeypatch.setattr(modes.parameter_sets, "__defaults__", (300,))
    monkeypatch.setattr(modes._sets, "__kwdefaults__", {"count": 300})
    proved = [h.id for h in HYPOTHESES.values() if h.proof]
    assert proved == ["H53", "H56", "H61"]
    assert [estimate(name) for name in proved] == [1, 1, 1]
