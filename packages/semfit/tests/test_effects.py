"""Effects, intervals of R2, comparisons and what indices foretell: against lavaan, := and closed forms."""

import numpy as np
import pandas as pd
import parity
import pytest

import semfit

ROWS = ["est", "se", "z", "pvalue", "ci_low", "ci_high", "std_all"]
PATHS = """m1 ~ a1*x
m2 ~ a2*x + d*m1
y ~ c*x + b1*m1 + b2*m2
one := a1*b1
two := a2*b2
three := a1*d*b2
indirect := a1*b1 + a2*b2 + a1*d*b2
total := c + a1*b1 + a2*b2 + a1*d*b2"""
TRUTH = """m1 ~ 0.5*x
m2 ~ 0.3*x + 0.4*m1
y ~ 0.2*x + 0.3*m1 + 0.4*m2
x ~~ 1*x; m1 ~~ 0.75*m1; m2 ~~ 0.6*m2; y ~~ 0.5*y"""


@pytest.fixture(scope="module")
def rows():
    return semfit.simulate(TRUTH, 200, seed=1)


@pytest.mark.parametrize("options", [{}, {"estimator": "MLR"}, {"bootstrap": 200, "seed": 2}])
def test_every_indirect_and_total_effect_is_what_a_definition_of_it_gives(rows, options):
    """Defined parameters are held to lavaan's in the parity set."""
    fit = semfit.fit(PATHS, rows, **options)
    defined = fit.estimates.query("op == ':='").set_index("lhs")[ROWS]
    found = fit.effects.query("lhs == 'y' and rhs == 'x'").set_index("via")
    pairs = {"x -> m1 -> y": "one", "x -> m2 -> y": "two", "x -> m1 -> m2 -> y": "three"}
    for via, name in pairs.items():
        np.testing.assert_allclose(found.loc[via, ROWS].astype(float), defined.loc[name], rtol=1e-9, atol=1e-12)
    for name in ("indirect", "total"):
        own = found[found["kind"] == name].iloc[0]
        np.testing.assert_allclose(own[ROWS].astype(float), defined.loc[name], rtol=1e-9, atol=1e-12)
    assert found["kind"].tolist() == ["direct", "specific", "specific", "specific", "indirect", "total"]
    path = fit.estimates.set_index("label").loc["c", ROWS].astype(float)
    np.testing.assert_allclose(found.loc["x -> y", ROWS].astype(float), path, rtol=1e-9)


def test_effects_of_the_latent_mediation_are_lavaans():
    fit, theirs = parity.fit("mediation"), parity.LAVAAN["models"]["mediation"]
    est, se = (parity.keyed(theirs["estimates"], name) for name in ("est", "se"))
    own = fit.effects[fit.effects["kind"] == "specific"].iloc[0]
    assert own["est"] == pytest.approx(est["indirect", ":=", "", 0], abs=1e-8)
    assert own["se"] == pytest.approx(se["indirect", ":=", "", 0], abs=1e-8)


def test_loops_are_summed_to_their_end():
    """y1 and y2 drive each other: total effects are (I - B)^-1 - I, a chain meets no variable twice."""
    fit = parity.fit("non_recursive")
    paths = fit.estimates.query("op == '~'")
    names = sorted({*paths["lhs"], *paths["rhs"]})
    B = paths.pivot(index="lhs", columns="rhs", values="est").reindex(names, columns=names).fillna(0.0).to_numpy()
    total = pd.DataFrame(np.linalg.inv(np.eye(len(names)) - B), names, names)
    found = fit.effects[fit.effects["kind"] == "total"]
    assert len(found) >= 2
    for row in found.itertuples():
        assert row.est == pytest.approx(total.loc[row.lhs, row.rhs], abs=1e-10)
    assert all(len(set(via.split(" -> "))) == len(via.split(" -> ")) for via in fit.effects["via"] if via)


def test_effects_come_by_group_and_need_a_solution_and_paths(rows):
    both = pd.concat([rows.assign(g="a"), rows.assign(g="b", y=lambda d: d["y"] + 0.3 * d["x"])])
    found = semfit.fit(PATHS.split("one")[0].replace("a1*", "").replace("a2*", "").replace("d*", "").replace("c*", "")
                       .replace("b1*", "").replace("b2*", ""), both, group="g").effects  # fmt: skip
    total = found.query("lhs == 'y' and rhs == 'x' and kind == 'total'").set_index("group")["est"]
    assert total[2] - total[1] == pytest.approx(0.3, abs=1e-8)
    assert parity.fit("hs_cfa").effects.empty
    with pytest.warns(semfit.FitWarning), pytest.raises(semfit.ParameterError, match="no effects without a solution"):
        _ = parity.fit("not_identified").effects


@pytest.mark.parametrize("name", ["mediation", "democracy", "school_scalar", "mlr_mediation"])
def test_errors_of_r2_are_lavaans_of_the_standardised_residual_variances(name):
    fit, theirs = parity.fit(name), parity.LAVAAN["models"][name]["standardized"]
    std, se = (parity.keyed(theirs, column) for column in ("est.std", "se"))
    found = fit.r2_intervals
    assert len(found) == np.size(fit.r2)
    for row in found.itertuples():
        assert row.r2 == pytest.approx(1 - std[row.lhs, "~~", row.lhs, row.group], abs=1e-6)
        assert row.se == pytest.approx(se[row.lhs, "~~", row.lhs, row.group], abs=1e-6)
        assert row.ci_high - row.ci_low == pytest.approx(2 * 1.959963984540054 * row.se, abs=1e-9)


def test_the_error_of_r2_of_one_normal_cause_is_the_closed_form():
    """R2 = r^2 with r of asymptotic standard error (1 - r^2) / sqrt(N), so 2 r (1 - r^2) / sqrt(N)."""
    data = semfit.simulate("y ~ 0.6*x; x ~~ 1*x; y ~~ 0.64*y", 500, seed=3)
    (row,) = semfit.fit("y ~ x\nx ~~ x", data).r2_intervals.itertuples()
    r = data.corr().loc["x", "y"]
    assert (row.lhs, row.r2) == ("y", pytest.approx(r**2, abs=1e-10))
    assert row.se == pytest.approx(2 * r * (1 - r**2) / np.sqrt(500), abs=1e-10)


def test_a_comparison_holds_measures_and_the_test_or_why_there_is_none():
    small, full = parity.fit("school_metric"), parity.fit("school_configural")
    theirs = parity.LAVAAN["comparisons"]["ml_school_metric"]
    for one, other in ((small, full), (full, small)):
        measures, test = one.compare(other)
        assert (test.chisq, test.df) == (pytest.approx(theirs["chisq"], rel=1e-6), theirs["df"])
        assert measures.loc["aic", "change"] == pytest.approx(other.fit_measures["aic"] - one.fit_measures["aic"])
        assert measures["first"].tolist() == pytest.approx(one.fit_measures.tolist(), nan_ok=True)
    _, test = full.compare(parity.fit("mlm_school_metric"))
    assert isinstance(test, semfit.NotTestable)
    assert "both must use the same estimator and rows" in test.reason
    assert "must have more degrees of freedom" in full.compare(full)[1].reason


def test_modification_indices_foretell_the_fit_of_the_freed_model():
    data = pd.read_csv(parity.HERE / "data" / "holzinger_swineford.csv")
    fit = parity.fit("hs_cfa")
    for row in fit.modification_indices.head(3).itertuples():
        freed = semfit.fit(f"{fit.model}\n{row.lhs} {row.op} {row.rhs}", data).fit_measures
        assert row.chisq == pytest.approx(fit.test.chisq - row.mi, abs=1e-10)
        assert row.cfi == pytest.approx(freed["cfi"], abs=0.008)
        assert row.rmsea == pytest.approx(freed["rmsea"], abs=0.008)
    exact = semfit.fit(fit.model, data).fit_measures  # a parameter that gains nothing leaves chi2 where it is
    none = fit.modification_indices.iloc[-1]
    assert none["mi"] < 0.01
    assert none["cfi"] == pytest.approx(exact["cfi"], abs=0.002)
    assert "cfi" not in parity.fit("wlsmv_12").modification_indices
