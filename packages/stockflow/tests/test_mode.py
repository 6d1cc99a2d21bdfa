"""Declarations, what they refuse, and the runs that follow from them, against what is known of the classical model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import brentq

from stockflow import (
    Flow,
    ParameterError,
    State,
    UnknownNameError,
    elasticities,
    expressions,
    fit_mode,
    integrate,
    jacobian,
    leading_eigenvalue,
    loop_gains,
    next_generation,
    settle,
    to_xmile,
)
from stockflow.examples import RUMOUR
from stockflow.trajectory import METHODS

START = {"S": 0.01}


def test_who_is_reached_solves_the_final_size_equation():
    """u = u0 exp(-R0 (1 - u)), Kermack & McKendrick (1927), doi:10.1098/rspa.1927.0118."""
    run = integrate(RUMOUR, {"beta": 0.2}, 2000, initial=START)
    u = brentq(lambda u: 0.99 * np.exp(-2 * (1 - u)) - u, 0, 0.9)
    assert run.state("U")[-1] == pytest.approx(u, abs=1e-9)


def test_the_threshold_and_the_state_of_rest_have_their_closed_forms():
    found = next_generation(RUMOUR, {"beta": [0.05, 0.2]})
    assert found.r0 == pytest.approx([0.5, 2.0])
    assert found.growth == pytest.approx([-0.05, 0.1])
    given = {"beta": 0.2, "omega": 0.01}
    y = settle(RUMOUR, given, START)
    assert y == pytest.approx([0.5, 0.5 / 11, 5 / 11])  # U = 1 / R0, S / R = omega / gamma
    assert leading_eigenvalue(RUMOUR, given, y) < 0
    assert loop_gains(RUMOUR, given).to_dict() == pytest.approx({"S": 2.0})
    moved = elasticities(lambda p: p["beta"] / p["gamma"], RUMOUR).set_index("parameter")["elasticity"]
    assert moved.to_dict() == pytest.approx({"beta": 1.0, "gamma": -1.0})


def test_the_jacobian_is_the_slope_of_the_derivative():
    y, p, h = np.array([0.5, 0.2, 0.3]), RUMOUR.values({"omega": 0.01}), 1e-6
    for j, step in enumerate(h * np.eye(3)):
        slope = (RUMOUR.derivative(y + step, p) - RUMOUR.derivative(y - step, p)) / (2 * h)
        np.testing.assert_allclose(jacobian(RUMOUR, {"omega": 0.01}, y)[:, j], slope, atol=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_the_number_of_persons_does_not_drift(method):
    assert integrate(RUMOUR, {"omega": 0.01}, 500, method, 0.5, START).values.sum(axis=1) == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize(("method", "order"), [("map", 1), ("euler", 1), ("rk4", 4)])
def test_fixed_steps_approach_the_differential_equations_at_their_order(method, order):
    exact = integrate(RUMOUR, None, 32, dt=32, initial=START).values[-1]
    steps = [0.5, 0.25, 0.125] if order == 1 else [2.0, 1.0, 0.5]
    error = [np.abs(integrate(RUMOUR, None, 32, method, dt, START).values[-1] - exact).max() for dt in steps]
    assert abs(np.polyfit(np.log(steps), np.log(error), 1)[0] - order) < 0.15


def test_a_table_gives_what_its_rows_give_alone():
    table = {"beta": np.array([0.1, 0.3]), "gamma": np.array([0.2, 0.05])}
    together = integrate(RUMOUR, table, 60, "rk4", initial=START)
    for row in range(2):
        alone = integrate(RUMOUR, {name: column[row] for name, column in table.items()}, 60, "rk4", initial=START)
        np.testing.assert_allclose(together.values[..., row], alone.values, atol=1e-15)
    frame = together.summary()
    assert list(frame.columns) == ["set", "day", "state", "persons", "share"]
    assert frame.groupby(["set", "day"])["share"].sum().to_numpy() == pytest.approx(1)


@pytest.mark.slow
def test_a_series_gives_its_parameter_back():
    run = integrate(RUMOUR, {"beta": 0.12, "omega": 0.002}, 365 * 8, "map", initial={"S": 0.001})
    flow = run.flow("U", "S")
    noise = np.random.default_rng(1).normal(0, 1e-4, 8)
    years = [1e6 * np.trapezoid(flow[365 * k : 365 * (k + 1) + 1]) * np.exp(e) for k, e in enumerate(noise)]
    fit = fit_mode(RUMOUR, range(2010, 2018), years, ("beta",), {"omega": 0.002}, flows=(("U", "S"),), starters="S")
    (found,) = fit.estimates
    assert (found.status, found.open) == ("estimated", ())
    assert found.low < 0.12 < found.high
    assert found.value == pytest.approx(0.12, rel=1e-3)
    assert set(fit.summary().columns) == {"parameter", "estimate", "low", "high", "unit", "status", "n", "open"}


@pytest.mark.parametrize("m", [0, 1, 2, 4])
def test_the_poisson_tail_is_the_one_of_scipy(m):
    x = np.linspace(0, 6, 13)
    np.testing.assert_allclose(expressions.helpers()["poisson_tail"](m, x), stats.poisson.sf(m - 1, x), atol=1e-15)


def test_a_mode_without_words_can_be_exported():
    assert "<name>rumour</name>" in to_xmile(RUMOUR)


@pytest.mark.parametrize(
    ("more", "error", "message"),
    [
        ({"dt": 25.0, "method": "euler"}, ParameterError, r"S times dt .* got 2\.5 at dt=25; allowed is dt <= 10"),
        ({"dt": 0.7, "method": "map"}, ParameterError, "whole number of steps"),
        ({"dt": 0.0}, ParameterError, "whole number of steps dt > 0; got days=50 and dt=0"),
        ({"every": 0}, ParameterError, "every is a number of steps; got 0"),
        ({"method": "leap"}, UnknownNameError, "unknown method 'leap'"),
        ({"initial": {"X": 1}}, UnknownNameError, "unknown state of rumour 'X'"),
        ({"initial": {"S": 2}}, ParameterError, r"S starts with a number of persons; got 2; allowed is \[0, 1\]"),
        ({"initial": {"S": 0.6, "R": 0.6}}, ParameterError, "persons placed exceed the population"),
        ({"parameters": {"betta": 1}}, UnknownNameError, "did you mean 'beta'"),
        ({"parameters": {"beta": [0.1, 0.2]}}, ParameterError, "ode runs one set of parameters; got 2"),
        ({"parameters": {"beta": np.nan}}, ParameterError, "beta is a rate; got nan"),
    ],
)
def test_misuse_of_a_run_is_named(more, error, message):
    with pytest.raises(error, match=message):
        integrate(RUMOUR, days=50, **more)


@pytest.mark.parametrize(
    ("law", "error", "message"),
    [
        ("beta*contact(S) + 1", ParameterError, r"only like units can be added.*got day\^-1 and 1"),
        ("beta*S", ParameterError, "wrong unit; got day\\^-1\\*persons"),
        ("beta*contact(1)", ParameterError, r"contact\(w\) averages persons"),
        ("beta*exp(gamma)", ParameterError, r"exp\(\) takes numbers without a unit"),
        ("beta**gamma", ParameterError, "an exponent is a number"),
        ("beta*delta", UnknownNameError, "delta"),
        ("beta if gamma else 0", ParameterError, "cannot be read"),
        ("__import__('os')", ParameterError, "cannot be read"),
        ("beta*S/R", ParameterError, r"reads [RS] outside contact\(\)"),
    ],
)
def test_a_rate_law_that_makes_no_sense_is_refused(law, error, message):
    with pytest.raises(error, match=message):
        replace(RUMOUR, flows=(replace(RUMOUR.flows[0], hazard=law), *RUMOUR.flows[1:]))


def test_a_declaration_that_contradicts_itself_is_refused():
    with pytest.raises(ParameterError, match="no flow reaches state 'R' of rumour"):
        replace(RUMOUR, flows=RUMOUR.flows[:1])
    with pytest.raises(UnknownNameError, match="unknown state 'X'"):
        replace(RUMOUR, flows=(*RUMOUR.flows, Flow("S", "X", "gamma")))
    with pytest.raises(ParameterError, match="places everybody once"):
        replace(RUMOUR, carrier_free={"U": 0.5})
    with pytest.raises(UnknownNameError, match="role of U"):
        replace(RUMOUR, states=(State("U", "healthy"), *RUMOUR.states[1:]))
