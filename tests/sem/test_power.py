"""Simulated data: known moments, and rates that theory gives."""

import numpy as np
import pytest
from scipy import stats

from socialcommerce.errors import ParameterError
from socialcommerce.sem.power import population_moments, power, simulate

PATHS = "y ~ 0.3*x; x ~~ 1*x; y ~~ 0.91*y"


def test_population_moments_of_a_factor():
    names, _, covariance = population_moments("f =~ .8*a + .6*b; a ~~ .36*a; b ~~ .64*b")
    assert names == ("a", "b")
    assert np.allclose(covariance, [[1, 0.48], [0.48, 1]])


def test_simulated_moments_are_the_populations():
    data = simulate("f =~ .8*a + .6*b; a ~~ .36*a; b ~~ .64*b", 200_000, seed=1)
    assert np.allclose(data.cov(), [[1, 0.48], [0.48, 1]], atol=0.01)


def test_power_of_a_regression_is_the_normal_theory_one():
    table = power(PATHS, "y ~ x", [60], draws=2000, seed=1)
    row = table[table["op"] == "~"].iloc[0]
    # z = b / se with se = sqrt(.91 / 60): power of the two-sided test
    z = 0.3 / np.sqrt(0.91 / 60)
    expected = stats.norm.sf(1.96 - z) + stats.norm.cdf(-1.96 - z)
    assert row["true"] == pytest.approx(0.3, abs=1e-8)
    assert row["power"] == pytest.approx(expected, abs=0.03)
    assert row["coverage"] == pytest.approx(0.95, abs=0.025)


def test_power_grows_with_rows_and_repeats_with_its_seed():
    one, two = (power(PATHS, "y ~ x", [30, 120], draws=300, seed=9) for _ in range(2))
    assert one.equals(two)
    first, second = one[one["op"] == "~"]["power"]
    assert second > first


def test_misuse_is_named():
    with pytest.raises(ParameterError, match="the population gives no number for y~x; write it as y ~ 0.5"):
        population_moments("y ~ x; x ~~ 1*x; y ~~ 1*y")
    with pytest.raises(ParameterError, match="not positive definite"):
        population_moments("x ~~ 1*x; y ~~ 1*y; x ~~ 2*y")
    with pytest.raises(ParameterError, match="w is in the model but not in the population"):
        power(PATHS, "y ~ w", [50], draws=2)
