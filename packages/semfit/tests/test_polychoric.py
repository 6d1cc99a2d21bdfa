"""Bivariate normal probabilities, tetrachoric closed forms, lavaan's polychorics; misuse of ordered items is named."""

import numpy as np
import pandas as pd
import parity
import pytest
import stress
from scipy.stats import multivariate_normal, norm

import semfit
from semfit.errors import DataError, ParameterError, UnknownNameError
from semfit.polychoric import bivariate_normal, ordinal_moments

MODEL = "f =~ o11 + o12 + o13 + o14"


@pytest.fixture(scope="module")
def items():
    return pd.read_csv(parity.HERE / "data" / "sim_ordinal12.csv")


@pytest.mark.parametrize("rho", [-0.999, -0.9, -0.5, 0.0, 0.3, 0.79, 0.95, 0.999])
def test_bivariate_normal_equals_scipys(rho):
    for h, k in ((0.3, -1.2), (-2.0, -2.5), (1.5, 1.4), (0.0, 0.0)):
        ours = bivariate_normal(np.array(h), np.array(k), np.array(rho))
        assert ours == pytest.approx(
            multivariate_normal.cdf([h, k], cov=[[1, rho], [rho, 1]], abseps=1e-13, releps=1e-13), abs=1e-12
        )


def test_tetrachoric_of_median_splits_is_the_sine_rule():
    # with both cuts at the median P(both low) = 1/4 + asin(rho) / (2 pi): Sheppard (1899), doi:10.1098/rsta.1899.0003
    codes = np.repeat([[0, 0], [0, 1], [1, 0], [1, 1]], [40, 10, 10, 40], axis=0)
    assert ordinal_moments(codes, (2, 2), ("a", "b")).correlations[0, 1] == pytest.approx(
        np.sin(2 * np.pi * (0.4 - 0.25)), abs=1e-12
    )


@pytest.mark.parametrize("name", ["wlsmv_12", "wlsmv_25"])
def test_polychorics_agree_with_lavaan(name):
    ours = parity.fit(name).sample.groups[0].covariance
    assert np.abs(ours - np.array(parity.LAVAAN["models"][name]["polychoric"])).max() < 1e-6


def test_thresholds_are_quantiles_of_the_margins(items):
    fit = semfit.fit(MODEL, items, estimator="WLSMV", ordered=True)
    first = fit.estimates.set_index(["lhs", "op", "rhs"]).loc[("o11", "|", "t1"), "est"]
    assert first == pytest.approx(norm.ppf((items["o11"] == 1).mean()), abs=1e-12)


def test_an_empty_cell_is_filled_for_the_correlation_not_for_its_precision():
    # lavaan 0.6-14, lavInspect(fit, "gamma"); with the half counted as an answer it would be .36
    codes = np.repeat([[0, 1], [1, 0], [1, 1]], [80, 78, 359], axis=0)
    found = ordinal_moments(codes, (2, 2), ("a", "b"))
    assert found.gamma[2, 2] == pytest.approx(37.4872514, rel=1e-6)
    assert found.correlations[0, 1] == pytest.approx(-0.63889, abs=5e-6)


def test_two_by_two_table_with_an_empty_cell_is_finite():
    codes = np.repeat([[0, 0], [1, 0], [1, 1]], [30, 30, 40], axis=0)
    assert 0.5 < ordinal_moments(codes, (2, 2), ("a", "b")).correlations[0, 1] < 0.99


def test_groups_have_thresholds_of_their_own(items):
    halves = items.assign(half=np.where(np.arange(len(items)) < 300, "a", "b"))
    both = semfit.fit(MODEL, halves, estimator="WLSMV", ordered=True, group="half")
    alone = [semfit.fit(MODEL, part, estimator="WLSMV", ordered=True) for _, part in halves.groupby("half")]
    assert both.test.df == 4
    for k, one in enumerate(alone):
        own = both.estimates[(both.estimates["group"] == k + 1) & (both.estimates["op"] != "~1")]["est"]
        assert np.allclose(own, one.estimates["est"], atol=1e-8)
    assert both.test.chisq == pytest.approx(sum(one.test.chisq for one in alone) * 598 / 600 * 300 / 299, rel=1e-9)


def test_misuse_is_named(items):
    cases = [
        ({"estimator": "ML", "ordered": True}, ParameterError, "DWLS and WLSMV fit ordered items, the others do not"),
        ({"estimator": "WLSMV"}, ParameterError, "DWLS and WLSMV fit ordered items"),
        ({"estimator": "WLSMV", "ordered": ["o11", "zz"]}, UnknownNameError, "unknown ordered item 'zz'"),
        ({"estimator": "WLSMV", "ordered": ["o11"]}, ParameterError, "o12 is not ordered"),
        (
            {"estimator": "WLSMV", "ordered": True, "missing": "fiml"},
            ParameterError,
            "ordered items need data and missing='listwise'",
        ),
    ]
    for args, kind, message in cases:
        with pytest.raises(kind, match=message):
            semfit.fit(MODEL, items, **args)
    with pytest.raises(DataError, match="column o11 is constant"):
        semfit.fit(MODEL, items.assign(o11=1), estimator="WLSMV", ordered=True)
    with pytest.raises(DataError, match="has 600 values; an ordered item has at most 30"):
        semfit.fit(MODEL, items.assign(o11=np.arange(600)), estimator="WLSMV", ordered=True)
    with pytest.raises(DataError, match="items o1. and o1. are .almost. perfectly associated"):
        semfit.fit(
            MODEL, items.assign(o11=[*(5 - items["o12"][:1]), *items["o12"][1:]]), estimator="WLSMV", ordered=True
        )
    with pytest.raises(ParameterError, match="o11 is ordered and predicts something"):
        semfit.fit(MODEL + "\no21 ~ o11", items, estimator="WLSMV", ordered=True)


def test_a_correlation_of_which_nothing_is_known_hardly_counts():
    # of x1 and x2 no row has both rare answers: every correlation from -.9 to -1 explains that
    case = stress.CASES["rare_60_2"]
    fit = semfit.fit(case.model, case.data(), estimator="WLSMV", ordered=True)
    assert fit.fit_measures["chisq"] == pytest.approx(stress.lavaan()["rare_60_2"]["chisq"], abs=1e-4)
    assert any("without a row of both rare answers" in note for note in fit.problem.notes)
