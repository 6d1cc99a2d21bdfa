"""The invariance ladder of Holzinger and Swineford's schools: lavaan's chi2, the rules for a step, where it breaks."""

import pandas as pd
import parity
import pytest

import semfit
from semfit.errors import DataError, NotTestable, ParameterError, UnknownNameError
from semfit.groups import invariance

MODEL = parity.MODELS["hs_cfa"]["model"]


@pytest.fixture(scope="module")
def schools():
    return pd.read_csv(parity.HERE / "data" / "holzinger_swineford.csv")


def test_ladder_of_the_schools(schools):
    ladder = invariance(MODEL, schools, "school")
    for level in ladder.table.index:
        assert ladder.table.loc[level, "chisq"] == pytest.approx(
            parity.LAVAAN["models"][f"school_{level}"]["fit"]["chisq"], abs=1e-6
        )
    step = ladder.table.loc["metric"]
    assert step["d_chisq"] == pytest.approx(parity.LAVAAN["comparisons"]["ml_school_metric"]["chisq"], abs=1e-6)
    assert step["holds_chisq"]
    assert step["holds_indices"]
    assert not ladder.table.loc["scalar", "holds_indices"]
    assert ladder.highest == "metric"


def test_partial_invariance_begins_with_the_intercepts_of_x3_and_x7(schools):
    ladder = invariance(MODEL, schools, "school", levels=("configural", "metric", "scalar"))
    first = ladder.partial("scalar").iloc[:2]
    assert set(first["lhs"]) == {"x3", "x7"}
    assert (first["op"] == "~1").all()


def test_release_test_foretells_the_drop_of_chisq(schools):
    tied = semfit.fit(MODEL, schools, group="school", group_equal=("loadings", "intercepts"))
    freed = semfit.fit(MODEL + "\nx3 ~ c(i1, i2)*1", schools, group="school", group_equal=("loadings", "intercepts"))
    score = semfit.Invariance({"scalar": tied}).partial("scalar").set_index(["lhs", "op"]).loc[("x3", "~1"), "mi"]
    drop = tied.fit_measures["chisq"] - freed.fit_measures["chisq"]
    assert score == pytest.approx(drop, rel=0.1)


def test_scaled_ladder_uses_scaled_differences(schools):
    ladder = invariance(MODEL, schools, "school", levels=("configural", "metric", "scalar"), estimator="MLR")
    assert ladder.table.loc["scalar", "d_chisq"] == pytest.approx(
        parity.LAVAAN["comparisons"]["mlr_school_2001"]["chisq"], rel=1e-6
    )


def test_a_misfitting_configural_model_withholds_the_ladder(schools):
    """x1 to x9 as one factor: chi2 says no and CFI is far below .90."""
    one = "g =~ " + " + ".join(f"x{k}" for k in range(1, 10))
    ladder = invariance(one, schools, "school", levels=("configural", "metric"))
    table, cfi = ladder.table, ladder.fits["configural"].fit_measures["cfi"]
    assert cfi < 0.9
    assert isinstance(ladder.highest, NotTestable)
    assert ladder.highest == ladder.withheld
    assert f"even where nothing is held equal (CFI {cfi:.3f}, RMSEA 0." in ladder.highest.reason
    assert table[["holds_chisq", "holds_indices"]].isna().all(axis=None)
    assert table.loc["metric", "d_df"] == 8  # the numbers stay


def test_poor_indices_of_a_small_sample_alone_withhold_nothing():
    """The population holds the model; 80 rows leave the indices poor, and no test shows misfit."""
    population = "f =~ 0.4*a + 0.4*b + 0.4*c + 0.4*d\n" + "\n".join(f"{item} ~~ 0.84*{item}" for item in "abcd")
    rows = pd.concat([semfit.simulate(population, 40, seed=30 + k).assign(g=k) for k in (0, 1)])
    ladder = invariance("f =~ a + b + c + d", rows, "g", levels=("configural", "metric"))
    measures = ladder.fits["configural"].fit_measures
    assert (measures["cfi"] < 0.9, measures["rmsea"] > 0.1, measures["pvalue"] > 0.05) == (True, True, True)
    assert ladder.withheld is None


def test_a_group_of_fewer_respondents_than_items_is_named(schools):
    few = pd.concat([schools[schools["school"] == "Pasteur"], schools[schools["school"] == "Grant-White"].head(8)])
    for missing in ("listwise", "fiml"):
        with pytest.raises(DataError, match="8 rows in group Grant-White for 9 variables.*or leave the group out"):
            invariance(MODEL, few, "school", missing=missing)


def test_misuse_is_named(schools):
    with pytest.raises(UnknownNameError, match="unknown level of invariance 'strong'"):
        invariance(MODEL, schools, "school", levels=("configural", "strong"))
    with pytest.raises(ParameterError, match="levels go from 'configural' to stricter ones"):
        invariance(MODEL, schools, "school", levels=("scalar", "metric"))
    with pytest.raises(ParameterError, match="has one group"):
        invariance(MODEL, schools.assign(one="all"), "one", levels=("configural",))
    with pytest.raises(UnknownNameError, match="unknown class of parameters in group_equal 'loading'"):
        semfit.fit(MODEL, schools, group="school", group_equal=("loading",))
