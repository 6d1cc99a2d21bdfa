"""Inequality constraints and composites: the bound is found, let go, or reported as out of reach."""

import numpy as np
import pandas as pd
import parity
import pytest

import semfit
from semfit.errors import ParameterError

MODEL = parity.MODELS["mediation"]["model"] + "\n"


@pytest.fixture(scope="module")
def data():
    return pd.read_csv(parity.HERE / "data" / "sim_mediation.csv")


def test_regression_on_a_bound_is_least_squares_with_the_coefficient_held():
    rng = np.random.default_rng(1)
    x, z, e = rng.standard_normal((3, 200))
    rows = pd.DataFrame({"x": x, "z": z, "y": 0.5 * x - 0.3 * z + e})
    rows -= rows.mean()
    fit = semfit.fit("y ~ a*x + b*z; b > 0", rows)
    est = fit.estimates.set_index("label")
    assert fit.active == ("b > 0",)
    assert est.loc["a", "est"] == pytest.approx(rows.x @ rows.y / (rows.x @ rows.x), abs=1e-10)
    assert est.loc["b", "est"] == pytest.approx(0, abs=1e-10)
    assert est.loc["b", "se"] == pytest.approx(0, abs=1e-8)
    assert "At its bound, held as equality              b > 0" in fit.summary()


def test_constraint_that_holds_anyway_changes_nothing(data):
    free, bound = semfit.fit(MODEL, data), semfit.fit(MODEL + "c > a*b", data)
    assert bound.active == ()
    np.testing.assert_allclose(bound.theta, free.theta, rtol=1e-12)


def test_only_the_binding_one_of_two_bounds_stays(data):
    fit = semfit.fit(MODEL + "b < 0.2; b < 0.25", data)
    assert fit.active == ("b < 0.2",)
    assert fit.test.df == semfit.fit(MODEL, data).test.df


def test_minimum_beats_every_feasible_neighbour(data):
    fit = semfit.fit(MODEL + "a*b > 0.2", data)
    assert fit.active == ("a*b > 0.2",)
    a, b = (fit.table.keys.index(k) for k in "ab")
    theta = fit.theta + np.random.default_rng(2).normal(0, 0.01, (500, len(fit.theta)))
    feasible = theta[:, a] * theta[:, b] >= 0.2
    assert feasible.sum() > 100
    assert (fit.problem.value(theta[feasible]) > float(fit.solution.value)).all()


def test_bounds_that_exclude_each_other_do_not_converge(data):
    fit = semfit.fit(MODEL + "a > 1; a < 0", data)
    assert not fit.converged
    assert fit.summary().startswith("*** The estimation did NOT converge")


def test_what_takes_no_inequality_says_so(data):
    with pytest.raises(ParameterError, match="the bootstrap with the constraint 'b < 0.2'"):
        semfit.bootstrap(semfit.fit(MODEL + "b < 0.2", data), 10)
    spec = parity.MODELS["wlsmv_12"]
    items = pd.read_csv(parity.HERE / "data" / f"{spec['data']}.csv")
    with pytest.raises(ParameterError, match="ordered items with the constraint 'l > 0'"):
        semfit.fit(f"f =~ {' + '.join(items.columns[:3])} + l*{items.columns[3]}; l > 0", items, **spec["args"])


def test_composite_of_observed_variables_is_the_regression_they_share():
    rng = np.random.default_rng(3)
    X = rng.standard_normal((300, 3))
    rows = pd.DataFrame(X, columns=["x1", "x2", "x3"]).assign(y=X @ [0.5, 0.25, -0.1] + rng.standard_normal(300))
    direct = semfit.fit("y ~ x1 + x2 + x3", rows).estimates.set_index(["op", "rhs"])["est"]["~"]
    own = semfit.fit("f <~ 1*x1 + x2 + x3; y ~ f", rows)
    est = own.estimates.set_index(["op", "rhs"])["est"]
    assert own.fit_measures["chisq"] == pytest.approx(0, abs=1e-9)
    assert est["~", "f"] == pytest.approx(direct["x1"], abs=1e-9)
    assert est["<~", "x2"] * est["~", "f"] == pytest.approx(direct["x2"], abs=1e-9)
    assert own.r2["f"] == pytest.approx(1)
