"""Fit indices of incomplete data, pairwise covariances, clusters: against lavaan's figures and against themselves."""

from dataclasses import replace

import numpy as np
import pandas as pd
import parity
import pytest
import stress

import semfit
from semfit.errors import DataError, ParameterError, UnknownNameError
from semfit.measures import corrected, residual_measures

MODEL = "f =~ y1 + y2 + y3\ng =~ y4 + y5 + y6\ng ~ f"


@pytest.fixture
def data():
    return pd.read_csv(parity.HERE / "data" / "sim_clusters.csv")


@pytest.fixture
def holes():
    return pd.read_csv(parity.HERE / "data" / "hs_holes.csv")


@pytest.mark.parametrize("estimator", ["ML", "MLR"])
def test_complete_rows_need_no_correction(data, estimator):
    fit = semfit.fit(MODEL, data, estimator=estimator, mean_structure=True)
    found = corrected(fit.problem, fit.sample, fit.theta, fit.curvature.basis, fit.test.df, estimator == "MLR")
    assert found.chisq == pytest.approx(fit.test.chisq, abs=1e-8)
    # its expectation is df for ML; for MLR it is the trace of the saturated model's U Gamma, near Yuan and Bentler's
    expected, error = (1.0, 1e-9) if estimator == "ML" else (fit.test.scaling, 0.03)
    assert found.scaling == pytest.approx(expected, rel=error)


def test_rmsea_of_incomplete_data_estimates_that_of_complete_data():
    # a misspecified model: the plain index shrinks with the holes, the corrected one does not (Zhang & Savalei 2023)
    truth = "f =~ 0.7*a + 0.7*b + 0.7*c + 0.7*d\nf ~~ 1*f\na ~~ 0.51*a + 0.25*b\nb ~~ 0.51*b\nc ~~ 0.51*c\nd ~~ 0.51*d"
    whole = semfit.simulate(truth, 20_000, seed=3)
    rng = np.random.default_rng(4)
    holes = whole.mask((rng.random(whole.shape) < 0.4) & (np.arange(4) > 1))
    goal = semfit.fit("f =~ a + b + c + d", whole).fit_measures["rmsea"]
    found = semfit.fit("f =~ a + b + c + d", holes, missing="fiml").fit_measures
    assert abs(found["rmsea.robust"] - goal) < 0.01 < goal - found["rmsea"]


def test_lavaans_gfi_of_incomplete_data_compares_available_case_moments(holes):
    # lavaan 0.6-14: 0.9970794981872 for fiml_hs; ours takes the moments that EM finds, as the SRMR of both does
    fit = parity.fit("fiml_hs")
    (group,) = fit.sample.groups
    frame = holes[list(fit.sample.names)]
    n = len(frame)
    available = type(group)(
        group.label, n, group.patterns, frame.cov().to_numpy() * (n - 1) / n, frame.mean().to_numpy(), None, None
    )
    sample = type(fit.sample)(fit.sample.names, (available,), 0, True)
    assert residual_measures(fit.problem, sample, fit.theta, 24)["gfi"] == pytest.approx(0.9970794981872, abs=1e-8)
    assert fit.fit_measures["gfi"] == pytest.approx(0.99713, abs=5e-6)


@pytest.mark.parametrize(
    ("name", "index"), [*((f"attrition_{n}_{k}", "agfi") for n in (40, 60) for k in (0, 1)), ("saturated_40", "gfi")]
)
def test_lavaans_agfi_of_few_incomplete_rows_compares_available_case_moments(name, index):
    """In 40 rows .638 there and .879 here, .933 and 1 where the model leaves nothing; with its moments, lavaan's."""
    case = stress.CASES[name]
    fit, data = semfit.fit(case.model, case.data(), **case.args), case.data()
    frame, n = data[list(fit.sample.names)], len(data)
    S, mean = frame.cov().to_numpy() * (n - 1) / n, frame.mean().to_numpy()
    available = replace(fit.sample.groups[0], covariance=S, mean=mean)
    found = residual_measures(fit.problem, replace(fit.sample, groups=(available,)), fit.theta, fit.test.df)
    assert found[index] == pytest.approx(stress.lavaan()[name][index], abs=1e-6)
    assert fit.fit_measures[index] > found[index] + 0.01


def test_a_model_that_leaves_nothing_of_incomplete_rows_fits_them_whole():
    """A GFI is a share of what the unrestricted model holds; that of lavaan 0.6-14 stays below 1 here."""
    case, theirs = stress.CASES["saturated_40"], stress.lavaan()["saturated_40"]
    ours = semfit.fit(case.model, case.data(), **case.args).fit_measures
    assert (ours["gfi"], ours["srmr"]) == (pytest.approx(1, abs=1e-12), pytest.approx(0, abs=1e-9))
    assert theirs["srmr"] < 1e-5 < 0.05 < 1 - theirs["gfi"]


def test_pairwise_says_what_it_rests_on(holes):
    model = parity.MODELS["pairwise_hs"]["model"]
    assert "missing completely at random (MCAR)" in semfit.fit(model, holes, missing="pairwise").summary()
    assert "MCAR" not in semfit.fit(model, holes, missing="fiml").summary()
    complete = semfit.fit(model, holes.dropna())
    assert np.allclose(semfit.fit(model, holes.dropna(), missing="pairwise").theta, complete.theta, atol=1e-10)


def test_pairwise_covariances_that_are_none_are_refused(holes):
    rng = np.random.default_rng(0)
    f = rng.standard_normal(60)
    table = pd.DataFrame({"a": f, "b": f + 0.01 * rng.standard_normal(60), "c": f + 0.01 * rng.standard_normal(60)})
    table.loc[:19, "a"], table.loc[20:39, "b"], table.loc[40:, "c"] = np.nan, np.nan, np.nan
    table.loc[40:, "b"] *= -1
    with pytest.raises(DataError, match=r"no covariance matrix: the smallest eigenvalue .* is -1.01, it must be pos"):
        semfit.fit("f =~ a + b + c", table, missing="pairwise")
    apart = table.assign(b=table["b"].where(table["a"].isna()))
    with pytest.raises(DataError, match="no two rows hold both a and b"):
        semfit.fit("f =~ a + b + c", apart, missing="pairwise")
    with pytest.raises(ParameterError, match="missing='pairwise' takes estimator 'ML'"):
        semfit.fit("f =~ x1 + x2 + x3", holes, missing="pairwise", estimator="MLR")


def test_clusters_of_one_row_are_no_clusters(data):
    single = semfit.fit(MODEL, data.assign(row=np.arange(len(data))), estimator="MLR", cluster="row")
    plain = semfit.fit(MODEL, data, estimator="MLR", mean_structure=True)
    n = len(data)
    assert np.allclose(single.errors, plain.errors * np.sqrt(n / (n - 1)), rtol=1e-10)


def test_clusters_of_copies_do_not_inform(data):
    # every row three times, the copies one cluster: the sandwich must say what the single rows say
    thrice = data.loc[data.index.repeat(3)].assign(row=np.repeat(np.arange(len(data)), 3))
    copied = semfit.fit(MODEL, thrice, estimator="MLR", cluster="row")
    single = semfit.fit(MODEL, data.assign(row=np.arange(len(data))), estimator="MLR", cluster="row")
    assert np.allclose(copied.errors, single.errors, rtol=1e-8)
    assert copied.test.scaled == pytest.approx(single.test.scaled, rel=1e-8)


def test_summary_counts_clusters(data):
    fit = semfit.fit(
        MODEL, data.assign(cluster=data["cluster"].where(data.index > 4)), estimator="MLR", cluster="cluster"
    )
    line = next(line for line in fit.summary().splitlines() if "Number of clusters [cluster]" in line)
    assert int(line.split()[-1]) == data["cluster"][5:].nunique()
    assert fit.sample.dropped == 5
    assert 'cluster = "cluster"' in fit.to_lavaan()


def test_bootstrap_of_clusters_is_refused(data):
    with pytest.raises(ParameterError, match="draws single rows; it takes no fit with weights or clusters"):
        semfit.bootstrap(semfit.fit(MODEL, data, estimator="MLR", cluster="cluster"), 10)


def test_scaled_test_that_does_not_exist_is_said_first():
    rng = np.random.default_rng(2)
    few = pd.DataFrame(rng.standard_normal((15, 4)) + rng.standard_normal((15, 1)), columns=list("abcd"))
    fit = semfit.fit("f =~ a + b + c + d", few.assign(k=np.arange(15) % 3), estimator="MLR", cluster="k")
    assert fit.summary().startswith("*** The scaling factor of the test is not positive: there is no scaled test")
    assert fit.fit_measures[["chisq.scaled", "cfi.robust", "rmsea.robust", "rmsea.scaled"]].isna().all()
    with pytest.raises(ParameterError, match="scaled test of this fit does not exist"):
        semfit.equivalence(fit)


def test_bad_clusters(data):
    with pytest.raises(UnknownNameError, match="unknown column of clusters 'clustr'; did you mean 'cluster'"):
        semfit.fit(MODEL, data, estimator="MLR", cluster="clustr")
    with pytest.raises(ParameterError, match="weights and clusters take estimator 'MLR'"):
        semfit.fit(MODEL, data, cluster="cluster")
    with pytest.raises(DataError, match="column one holds one cluster; give two or more"):
        semfit.fit(MODEL, data.assign(one=1), estimator="MLR", cluster="one")
    half = data.assign(half=np.where(data.index % 2, "a", "b"))
    with pytest.raises(DataError, match="cluster 1 has rows in several groups"):
        semfit.fit(MODEL, half, estimator="MLR", cluster="cluster", group="half")


def test_saturated_model_has_nothing_to_correct(holes):
    found = semfit.fit("x2 ~ x1 + x3", holes, missing="fiml").fit_measures
    assert found[["cfi.robust", "rmsea.robust"]].to_list() == [1.0, 0.0]
