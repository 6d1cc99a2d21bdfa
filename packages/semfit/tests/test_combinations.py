"""Options of a fit that meet: what is asked of it afterwards must not depend on the order in which they were built."""

import re

import numpy as np
import pandas as pd
import parity
import pytest

import semfit
from semfit import psychometrics
from semfit.errors import DataError, ParameterError, UnknownNameError

HS = parity.MODELS["hs_cfa"]["model"]


@pytest.fixture(scope="module")
def school():
    return pd.read_csv(parity.HERE / "data" / "holzinger_swineford.csv")


@pytest.fixture(scope="module")
def holes():
    return pd.read_csv(parity.HERE / "data" / "hs_holes.csv")


def test_score_tests_and_residuals_do_not_change_with_the_bootstrap(holes):
    plain, drawn = (semfit.fit(HS, holes, missing="fiml", bootstrap=b, seed=1) for b in (0, 3))
    pd.testing.assert_frame_equal(plain.modification_indices, drawn.modification_indices)
    pd.testing.assert_frame_equal(plain.residuals, drawn.residuals)


def test_what_a_constraint_fixes_has_no_standard_error(school):
    fixed = HS + "\nvisual ~~ a*textual\na == 0.3\ndouble := 2*a"
    for options in ({}, {"estimator": "MLR"}, {"bootstrap": 4, "seed": 1}):
        fit = semfit.fit(fixed, school, **options)
        own = fit.estimates.query("label in ('a', 'double')")
        assert own["se"].tolist() == [0.0, 0.0]
        assert own["z"].isna().all()
        with pytest.raises(ParameterError, match="repeat one another or hold in the model already"):
            semfit.wald(fit, "a == 0.5")


def test_a_product_constraint_without_slope_at_the_start_is_met(school):
    text = HS + "\nspeed ~ a*visual + b*textual\nproduct := a*b\na*b == 0.02"
    fit, free = semfit.fit(text, school), semfit.fit(text.rsplit("\n", 1)[0], school)
    a, b = fit.estimates.query("op == '~'")["est"]
    assert fit.converged
    assert a * b == pytest.approx(0.02, abs=1e-9)
    assert fit.estimates["se"].iloc[-1] == 0
    assert fit.test.df == free.test.df + 1
    assert fit.test.chisq > free.test.chisq


def test_options_without_effect_are_refused(school):
    for options, kind, message in (
        ({"parameterization": "tehta"}, UnknownNameError, "unknown parameterization 'tehta'; did you mean 'theta'"),
        ({"parameterization": "theta"}, ParameterError, "parameterization 'theta' without ordered items"),
        ({"group_equal": "loadings"}, ParameterError, "group_equal 'loadings' without groups"),
        ({"missing": "fiml", "mean_structure": False}, ParameterError, "'fiml' models the means of incomplete rows"),
        ({"group": "school", "group_equal": "thresholds"}, ParameterError, "'thresholds' without ordered items"),
    ):
        with pytest.raises(kind, match=message):
            semfit.fit(HS, school, **options)
    coded = school[[f"x{k}" for k in range(1, 6)]].gt(4).astype(int)
    with pytest.raises(ParameterError, match="x1 is ordered and predicts something"):
        semfit.fit("C <~ 1*x1 + x2 + x3\nx4 ~ C\nx5 ~ C", coded, estimator="WLSMV", ordered=True)


def test_fits_to_other_data_are_not_compared(school, holes):
    full, small = semfit.fit(HS, school), semfit.fit(HS + "\nvisual ~~ 0*textual", school)
    assert semfit.difference(small, full).df == 1
    for other in (semfit.fit(HS + "\nvisual ~~ 0*textual", school.assign(x1=school["x1"] ** 2)),
                  semfit.fit(HS.replace("x9", "ageyr") + "\nvisual ~~ 0*textual", school)):  # fmt: skip
        with pytest.raises(ParameterError, match="cannot compare fits to different data"):
            semfit.difference(other, full)
    with pytest.raises(ParameterError, match="no Wald test without a solution: The model is NOT identified"):
        semfit.wald(semfit.fit("f =~ a*x1 + b*x2", school), "b == 1")


def test_lavaan_code_carries_every_option(school):
    of = np.arange(len(school)) // 5 * 2 + (school["school"] == "Pasteur")
    rows = school.assign(w=1.0 + (school["sex"] == 1), c=of)
    said = semfit.fit(
        HS, rows, estimator="MLR", weights="w", cluster="c", group="school", group_equal=["loadings"], std_lv=True
    ).to_lavaan()
    for part in (
        'estimator = "MLR"', 'sampling.weights = "w"', 'cluster = "c"', 'group = "school"',
        'group.equal = c("loadings")', "std.lv = TRUE",
    ):  # fmt: skip
        assert part in said
    names = [f"x{k}" for k in range(1, 10)]
    moments = semfit.Moments(school[names].cov(), school[names].mean(), len(school))
    said = semfit.fit(HS, moments=moments, mean_structure=True).to_lavaan()
    first = float(re.search(r"sample.cov = matrix\(c\(([\d.]+)", said).group(1))
    assert first == pytest.approx(school["x1"].var(), rel=1e-12)  # lavaan takes the divisor N - 1
    assert "sample.nobs = 301" in said
    assert "sample.mean = c(" in said
    assert "data = data" not in said


def test_arguments_that_are_no_numbers_are_named(school):
    population = "y ~ 0.5*x; x ~~ 1*x; y ~~ 1*y"
    for call, message in (
        (lambda: semfit.fit(HS, school, bootstrap=2.5), "the number of draws is a whole number, 2 or more; got 2.5"),
        (lambda: semfit.fit(HS, school, bootstrap=4, workers=0), "the number of workers is a whole number, 1 or more"),
        (lambda: semfit.fit(HS, school, bootstrap=4, seed="a"), "the seed is a whole number, 0 or more; got 'a'"),
        (
            lambda: semfit.fit(HS, school, estimator="MLR", weights=2.0),
            "weights are the name of a column or one number a",
        ),
        (lambda: semfit.simulate(population, -1), "nobs is a whole number, 1 or more; got -1"),
        (lambda: semfit.power(population, "y ~ x", [100], draws=0), "draws is a whole number, 2 or more; got 0"),
        (lambda: semfit.power(population, "y ~ x", [2], draws=9), "nobs is a whole number, 3 or more; got 2"),
    ):
        with pytest.raises(ParameterError, match=message):
            call()


def test_a_pair_that_no_row_holds_is_named(school):
    turn = np.arange(len(school)) % 2 == 0
    never = school.assign(x1=school["x1"].where(turn), x2=school["x2"].where(~turn))
    for missing in ("fiml", "pairwise"):
        with pytest.raises(DataError, match="no two rows hold both x1 and x2; every pair needs rows with both"):
            semfit.fit(HS, never, missing=missing)


def test_a_ladder_allows_for_clusters_and_weights(school):
    of = np.arange(len(school)) // 5 * 2 + (school["school"] == "Pasteur")
    rows = school.assign(w=1.0 + (school["sex"] == 1), c=of)
    options = {"estimator": "MLR", "cluster": "c", "weights": "w"}
    ladder = semfit.invariance(HS, rows, "school", levels=["configural", "metric"], **options)
    alone = semfit.fit(HS, rows, group="school", group_equal=["loadings"], **options)
    assert ladder.table.loc["metric", "chisq"] == pytest.approx(alone.test.scaled, rel=1e-12)


def test_what_needs_a_solution_says_so(school):
    good, twin = semfit.fit("x1 ~ x2 + x3", school), semfit.fit("x1 ~ a*x2 + x3\nd := 2*a", school)
    plain = semfit.fit("x1 ~ a*x2 + x3", school)
    for call, message in (
        (lambda: semfit.pool([plain, twin]), "fit 2 has another model"),
        (
            lambda: semfit.simple_slopes(good, "x1", "x2", "x3", "x3", level=95),
            "level is a probability between 0 and 1",
        ),
        (lambda: semfit.simple_slopes(good, "x1", "x2", "x3", "x3", group=2), "group is a whole number from 1 to 1"),
        (
            lambda: psychometrics.measurement_quality(semfit.fit("C <~ 1*x1 + x2\nx3 ~ C\nx4 ~ C", school)),
            "the model has no latent variable with items",
        ),
    ):
        with pytest.raises(ParameterError, match=message):
            call()
