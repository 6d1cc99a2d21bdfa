"""What a fit tells: tables, text, HTML, R code; a fit that is none never prints like one that is."""

from html import unescape

import numpy as np
import pandas as pd
import parity
import pytest

import semfit
from semfit.estimate import minimise
from semfit.expressions import jacobian
from semfit.measures import noncentrality


def test_columns_of_estimates():
    assert list(parity.fit("mediation").estimates) == [
        "lhs",
        "op",
        "rhs",
        "label",
        "group",
        "est",
        "se",
        "z",
        "pvalue",
        "ci_low",
        "ci_high",
        "std_all",
    ]


def test_summary_reads_like_lavaans():
    text = parity.fit("mediation").summary()
    for part in (
        "ended normally",
        "Latent Variables:",
        "Regressions:",
        "Defined Parameters:",
        "Chi-square",
        "RMSEA",
        "indirect",
        "  Y ~",
    ):
        assert part in text
    assert text.index("Chi-square") < text.index("Latent Variables")


def test_summary_shows_scaled_statistics_beside_plain_ones():
    fit = parity.fit("mlr_hs")
    line = next(line for line in fit.summary().splitlines() if "Chi-square" in line)
    assert line.split()[1:] == [f"{fit.test.chisq:.3f}", f"{fit.test.scaled:.3f}"]


def test_unidentified_model_never_looks_like_a_fit():
    with pytest.warns(semfit.FitWarning, match="NOT identified"):
        fit = parity.fit("not_identified")
    first = fit.summary().splitlines()[0]
    assert first.startswith("*** The model is NOT identified: the information matrix has rank 6, 7 are needed")
    assert "Chi-square" not in fit.summary()
    assert fit.estimates["se"][fit.estimates["se"] != 0].isna().all()
    assert np.isnan(fit.fit_measures["cfi"])
    assert "NOT identified" in fit._repr_html_()


def test_non_convergence_is_said_first(monkeypatch):
    monkeypatch.setattr("semfit.start.minimise", lambda problem, start, **_: minimise(problem, start, limit=1))
    with pytest.warns(semfit.FitWarning, match="did NOT converge in 1 iterations"):
        fit = parity.fit("democracy")
    assert fit.summary().startswith("*** The estimation did NOT converge in 1 iterations")
    for numbers in (fit.params, fit.standardized["std_all"], fit.r2, fit.residuals["raw"], fit.conf_int()["lower"]):
        assert numbers.isna().all()
    assert fit.predict().isna().all(axis=None)
    assert "Latent Variables" not in fit.summary()
    assert np.isnan(fit.fit_measures["chisq"])


def test_r2_and_residuals_of_a_regression():
    data = pd.read_csv(parity.HERE / "data" / "sim_paths.csv")
    fit = semfit.fit("y ~ m + z1", data)
    X = np.column_stack([np.ones(len(data)), data["m"], data["z1"]])
    rest = data["y"] - X @ np.linalg.lstsq(X, data["y"], rcond=None)[0]
    assert fit.r2["y"] == pytest.approx(1 - rest.var() / data["y"].var(), abs=1e-10)
    assert fit.residuals["raw"].abs().max() < 1e-10


@pytest.mark.parametrize("name", ["democracy", "school_scalar", "growth", "second_order", "single_item"])
def test_r2_agrees_with_lavaan(name):
    theirs, ours = parity.LAVAAN["models"][name]["r2"], parity.fit(name).r2
    ours = {None: ours} if isinstance(ours, pd.Series) else ours
    if isinstance(ours, dict):
        theirs = {None: theirs}
    for group, column in theirs.items():
        values = column.values() if isinstance(column, dict) else column
        assert sorted(values) == pytest.approx(sorted(ours[group]), abs=1e-5)


def test_standardised_loadings_do_not_depend_on_the_scale_of_an_item():
    data = pd.read_csv(parity.HERE / "data" / "holzinger_swineford.csv")
    model = parity.MODELS["hs_cfa"]["model"]
    plain, stretched = semfit.fit(model, data), semfit.fit(model, data.assign(x1=100 * data["x1"]))
    assert np.allclose(plain.standardized[["std_all", "se"]], stretched.standardized[["std_all", "se"]], atol=1e-8)


def test_complex_step_equals_a_finite_difference():
    fit = parity.fit("democracy")
    J, step = jacobian(fit.standardized_at, fit.theta), 1e-6 * np.eye(len(fit.theta))
    finite = (fit.standardized_at(fit.theta + step) - fit.standardized_at(fit.theta - step)).T / 2e-6
    assert np.nanmax(np.abs(J - finite)) < 1e-6


def test_modification_index_foretells_the_drop_of_chisq():
    data = pd.read_csv(parity.HERE / "data" / "holzinger_swineford.csv")
    fit = parity.fit("hs_cfa")
    top = fit.modification_indices.iloc[0]
    freed = semfit.fit(f"{fit.model}\n{top['lhs']} {top['op']} {top['rhs']}", data)
    assert top["mi"] == pytest.approx(fit.fit_measures["chisq"] - freed.fit_measures["chisq"], rel=0.15)


def test_expected_changes_agree_with_lavaan():
    theirs = parity.keyed(parity.LAVAAN["models"]["hs_cfa"]["modification"], "epc")
    assert parity.largest(parity.fit("hs_cfa").modification_indices, "epc", theirs) < 1e-6


def test_r_code_names_every_option():
    code = parity.fit("mlr_school_scalar").to_lavaan()
    assert 'estimator = "MLR", group = "school", group.equal = c("loadings", "intercepts")' in code
    assert "ordered = TRUE" in parity.fit("wlsmv_12").to_lavaan()


def test_a_notebook_shows_the_summary():
    fit = parity.fit("hs_cfa")
    html = fit._repr_html_()
    assert "P(&gt;|z|)" in html
    assert unescape(html) == f"<pre>{fit.summary()}</pre>"


@pytest.mark.parametrize("probability", [0.05, 0.95])
def test_noncentrality_goes_on_smoothly_where_the_distribution_function_gives_out(probability):
    below, above = (noncentrality(x, 24, probability) for x in (1e9 - 1, 1e9 + 1))
    assert above - below == pytest.approx(2, abs=1e-3)
    assert np.isfinite(noncentrality(1e18, 24, probability))
