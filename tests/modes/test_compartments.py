"""The declarations, what they refuse, and the trajectories that follow from them."""

from __future__ import annotations

import numpy as np
import pytest

from socialcommerce.modes import sharing
from socialcommerce.modes.content import CONTENT
from socialcommerce.modes.sharing import SHARING, declare
from stockflow import ParameterError, UnknownNameError
from stockflow.trajectory import METHODS, integrate

MODES = {"content": CONTENT} | {variant: declare(variant) for variant in sharing.VARIANTS}
SEED = {"content": {"L": 0.01}}


def seed(mode):
    return SEED.get(mode.name, {"F": 0.01})


def drawn(mode, count, rng):
    """A table of parameter sets from the declared ranges."""
    return {
        p.name: rng.integers(p.lower, p.upper + 1, count) if p.kind == "group" else rng.uniform(p.lower, p.upper, count)
        for p in mode.parameters
    }


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES.values(), ids=MODES)
@pytest.mark.parametrize("method", METHODS)
def test_the_number_of_persons_does_not_drift(mode, method):
    assert integrate(mode, None, 1000, method, 0.5, seed(mode)).values.sum(axis=1) == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize("mode", MODES.values(), ids=MODES)
def test_persons_and_shares_give_the_same_run(mode):
    share = integrate(mode, None, 200, "rk4", initial=seed(mode))
    many = integrate(mode, None, 200, "rk4", initial={k: v * 1e6 for k, v in seed(mode).items()}, population=1e6)
    np.testing.assert_allclose(many.values / 1e6, share.values, rtol=1e-11, atol=1e-15)


@pytest.mark.parametrize("mode", [CONTENT, SHARING], ids=["content", "sharing"])
@pytest.mark.parametrize(("method", "order"), [("map", 1), ("euler", 1), ("rk4", 4)])
def test_fixed_steps_approach_the_differential_equations_at_their_order(mode, method, order):
    exact = integrate(mode, None, 64, dt=64, initial=seed(mode)).values[-1]
    steps = [1.0, 0.5, 0.25] if order == 1 else [2.0, 1.0, 0.5]
    error = [np.abs(integrate(mode, None, 64, method, dt, seed(mode)).values[-1] - exact).max() for dt in steps]
    slope = np.polyfit(np.log(steps), np.log(error), 1)[0]
    assert abs(slope - order) < 0.15


@pytest.mark.parametrize("mode", [CONTENT, SHARING], ids=["content", "sharing"])
def test_a_table_gives_what_its_rows_give_alone(mode):
    table = drawn(mode, 5, np.random.default_rng(4))
    together = integrate(mode, table, 100, "rk4", 1.0, seed(mode))
    for row in range(5):
        alone = integrate(mode, {name: column[row] for name, column in table.items()}, 100, "ode", 1.0, seed(mode))
        np.testing.assert_allclose(together.values[..., row], alone.values, atol=2e-6)


@pytest.mark.parametrize("mode", MODES.values(), ids=MODES)
def test_a_person_who_meets_the_crowd_has_the_hazards_of_the_crowd(mode):
    rng = np.random.default_rng(1)
    y, p = rng.dirichlet(np.ones(len(mode.states))), mode.values({"g": 4} if mode is not CONTENT else {"pi1": 0.02})
    np.testing.assert_allclose(mode.met(y, y, p), mode.hazards(1e6 * y, p), rtol=1e-13)


def test_friends_and_strangers_are_seen_apart():
    """Whom friends could invite, contacts say; whom strangers could, everybody: each moves its own flow alone."""
    p, none, fans = SHARING.values(), np.zeros(len(SHARING.states)), SHARING.start({"F": 0.5})
    flows = [(flow.source, flow.target) for flow in SHARING.flows]
    by_friends, by_strangers = SHARING.met(fans, none, p), SHARING.met(none, fans, p)
    friend, stranger = flows.index(("U", "A")), flows.index(("U", "B"))
    assert (by_friends[friend] > 0, by_strangers[friend]) == (True, 0)
    assert by_strangers[stranger] > by_friends[stranger]


def test_the_tables_of_parameters_carry_mark_unit_and_words():
    for mode in (CONTENT, SHARING):
        table = mode.table()
        assert set(table["status"]) == {"illustrative"}
        assert table[["words", "unit", "symbol"]].map(bool).all(axis=None)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"delta0": -0.1}, r"delta0 is a rate; got -0\.1; allowed is \[0, inf\) \(unit 1/day\)"),
        ({"s": [0.5, 1.5]}, r"s is a probability in row 1; got 1\.5; allowed is \[0, 1\]"),
        ({"beta": np.nan}, "beta is a rate; got nan"),
        ({"beta": [0.1, 0.2], "s": [0.1, 0.2, 0.3]}, r"one length for all"),
    ],
)
def test_values_outside_their_range_are_refused(given, message):
    with pytest.raises(ParameterError, match=message):
        integrate(CONTENT, given, method="rk4")


@pytest.mark.parametrize("g", [1, 2.5])
def test_a_group_has_at_least_two(g):
    with pytest.raises(ParameterError, match=rf"g is a group size; got {g}; allowed is 2, 3"):
        SHARING.values({"g": g})


def test_results_are_tidy_and_flows_can_be_read():
    run = integrate(CONTENT, {"beta": [0.05, 0.1]}, 30, "rk4", every=10)
    frame = run.summary()
    assert list(frame.columns) == ["set", "day", "state", "persons", "share"]
    assert len(frame) == 2 * 4 * 6
    assert frame.groupby(["set", "day"])["share"].sum().to_numpy() == pytest.approx(1)
    last = frame.query("set == 1 and day == 30 and state == 'M'")["persons"].item()
    assert last == pytest.approx(run.state("M")[-1, 1], rel=1e-12)
    assert run.flow("M", "O")[-1, 1] == pytest.approx(0.02 * last)
    with pytest.raises(UnknownNameError, match="unknown flow"):
        run.flow("M", "P")
