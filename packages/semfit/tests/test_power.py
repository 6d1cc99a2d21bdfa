"""Simulated data: known moments, and rates that theory gives."""

import numpy as np
import pytest
from scipy import stats

import semfit
from semfit.errors import ParameterError
from semfit.power import population_moments, power, simulate

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


def test_power_curve_over_effects_follows_the_closed_form():
    def population(b):
        return f"y ~ {b}*x; x ~~ 1*x; y ~~ {1 - b**2}*y"

    curve = power(population, "y ~ x", [50, 100], effects=[0.1, 0.3], draws=1000, seed=3)
    paths = curve[curve["op"] == "~"]
    for row in paths.to_dict("records"):
        left = semfit.population_fit(population(row["effect"]), "y ~ 0*x").test  # Satorra & Saris (1985)
        closed = stats.ncx2.sf(stats.chi2.ppf(0.95, 1), 1, row["nobs"] * left.chisq)
        assert row["power"] == pytest.approx(closed, abs=3 * row["power_se"] + 0.02)  # z and likelihood ratio differ
    assert paths["power"].is_monotonic_increasing
    assert paths["power_se"].to_numpy() == pytest.approx(np.sqrt(paths["power"] * (1 - paths["power"]) / 1000))


# semTools 0.5-6: findRMSEApower, findRMSEAsamplesize (noncentrality of MacCallum, Browne & Sugawara 1996)
@pytest.mark.parametrize(
    ("df", "nobs", "close", "exact", "not_close", "two_groups"),
    [
        (5, 100, 0.1270051056, 0.1116800245, 0.0806237386, 0.0895641592),
        (50, 200, 0.7691046597, 0.6839499874, 0.6082393948, 0.4262867537),
        (100, 200, 0.9549499968, 0.9038754085, 0.8701364582, 0.6526827430),
    ],
)
def test_rmsea_power_is_that_of_semtools(df, nobs, close, exact, not_close, two_groups):
    ours = [
        semfit.rmsea_power(df, nobs),
        semfit.rmsea_power(df, nobs, null=0, true=0.05),
        semfit.rmsea_power(df, nobs, true=0.01),
        semfit.rmsea_power(df, nobs, groups=2),
    ]
    assert np.array(ours) == pytest.approx([close, exact, not_close, two_groups], abs=1e-9)


@pytest.mark.parametrize(
    ("df", "close", "not_close"), [(2, 3494, 2382), (10, 782, 750), (20, 434, 474), (50, 214, 268), (100, 132, 178)]
)
def test_rmsea_sample_size_is_that_of_semtools(df, close, not_close):
    assert semfit.rmsea_sample_size(df) == close
    assert semfit.rmsea_sample_size(df, true=0.01) == not_close


def test_misuse_is_named():
    with pytest.raises(ParameterError, match="both RMSEA are not negative and differ"):
        semfit.rmsea_power(10, 100, null=0.05, true=0.05)
    with pytest.raises(ParameterError, match="power is a probability between alpha = 0.05 and 1; got 1.2"):
        semfit.rmsea_sample_size(10, power=1.2)
    with pytest.raises(ParameterError, match="a function of an effect with effects="):
        power(PATHS, "y ~ x", [50], effects=[0.1])
    with pytest.raises(ParameterError, match="constraints .* which power leaves out"):
        power(PATHS, "y ~ a*x; a == 0.3", [50], draws=2)
    with pytest.raises(ParameterError, match="the population gives no number for y~x; write it as y ~ 0.5"):
        population_moments("y ~ x; x ~~ 1*x; y ~~ 1*y")
    with pytest.raises(ParameterError, match="not positive definite"):
        population_moments("x ~~ 1*x; y ~~ 1*y; x ~~ 2*y")
    with pytest.raises(ParameterError, match="w is in the model but not in the population"):
        power(PATHS, "y ~ w", [50], draws=2)
