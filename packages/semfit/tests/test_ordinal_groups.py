"""The ordinal ladder: lavaan's chi2 and difference tests at every level, steps that restrict nothing, misuse."""

import pandas as pd
import parity
import pytest

import semfit
from semfit.errors import DataError, ParameterError, UnknownNameError
from semfit.groups import invariance
from semfit.scores import score_tests

FOUR, THREE, TWO = (f"f{x} =~ {x}1 + {x}2 + {x}3 + {x}4" for x in "uvw")
NAMES = {
    "configural": "ordinal_groups",
    "thresholds": "ladder_thresholds_delta",
    "loadings": "ladder_loadings_delta",
    "intercepts": "ordinal_scalar",
    "residuals": "ordinal_strict_theta",
}


@pytest.fixture(scope="module")
def items():
    return pd.read_csv(parity.HERE / "data" / "sim_ordinal_groups.csv")


@pytest.mark.slow
@pytest.mark.parametrize("std_lv", [False, True])
@pytest.mark.parametrize("parameterization", ["delta", "theta"])
def test_every_level_has_lavaans_chisq(items, parameterization, std_lv):
    model = "\n".join([FOUR, THREE, TWO])
    ladder = invariance(
        model, items, "group", estimator="WLSMV", parameterization=parameterization, std_lv=std_lv
    ).table
    for level, name in NAMES.items():
        theirs = parity.LAVAAN["models"][name]["fit"]
        assert ladder.loc[level, "chisq"] == pytest.approx(theirs["chisq.scaled"], rel=1e-6)
        assert ladder.loc[level, "df"] == theirs["df"]
    for level in ("thresholds", "loadings", "intercepts"):
        theirs = parity.LAVAAN["comparisons"][f"ladder_{level}_delta"]
        assert ladder.loc[level, "d_chisq"] == pytest.approx(theirs["chisq"], rel=1e-6)
        assert ladder.loc[level, "d_df"] == theirs["df"]


@pytest.mark.slow
def test_level_texts_are_those_lavaan_was_given(items):
    model = "\n".join([FOUR, THREE, TWO])
    for parameterization in ("delta", "theta"):
        ladder = invariance(model, items, "group", estimator="WLSMV", parameterization=parameterization)
        for level in ("thresholds", "loadings"):
            assert ladder.fits[level].model == parity.MODELS[f"ladder_{level}_{parameterization}"]["model"]


@pytest.mark.parametrize(
    ("model", "same", "steps"),
    [
        (FOUR, 0, [4, 3, 3, 4]),  # one threshold too many for intercept and scale, in each of four items
        (THREE, 1, [0, 3, 3, 4]),  # two thresholds give intercept and scale: nothing is left to test
        (TWO, 2, [0, 0, 2, 4]),  # four thresholds for a latent mean and a latent variance
    ],
)
def test_steps_that_restrict_nothing_are_named(items, model, same, steps):
    ladder = invariance(model, items, "group", estimator="WLSMV")
    assert ladder.table["d_df"].iloc[1:].tolist() == steps
    assert len(ladder.notes) == same
    equal = ladder.table["chisq"].iloc[: same + 1]
    assert equal.max() == pytest.approx(equal.min(), rel=1e-9)
    assert all("restricts nothing beyond" in note for note in ladder.notes)
    if same:
        with pytest.raises(ParameterError, match="no equality of level 'thresholds' can be let go alone"):
            ladder.partial("thresholds")


def test_partial_invariance_begins_with_the_item_whose_thresholds_were_moved(items):
    # group b answers u4 with all thresholds 0.4 lower: its intercept differs
    first = invariance(FOUR, items, "group", estimator="WLSMV").partial("intercepts").iloc[0]
    assert (first["lhs"], first["op"], first["group"]) == ("u4", "~1", 2)


@pytest.mark.parametrize(
    ("tied", "freed", "name"),
    [
        (FOUR, FOUR + "\nu2 | c(a, b)*t1", "u2|t1"),
        (FOUR, "fu =~ u1 + u2 + u3 + c(a, b)*u4", "fu=~u4"),
        (FOUR + "\nu4 ~*~ c(1, 1)*u4", FOUR + "\nu4 ~*~ c(1, NA)*u4", "u4~*~u4"),
    ],
)
def test_score_test_foretells_the_drop_of_chisq(items, tied, freed, name):
    options = {"group": "group", "group_equal": ("thresholds", "loadings"), "estimator": "WLSMV", "ordered": True}
    small, large = (semfit.fit(text, items, **options) for text in (tied, freed))
    rows = [row for row in small.rows if row.group == 2 and row.relation == name]
    score = score_tests(small, rows).loc[0]
    assert score["mi"] == pytest.approx(small.test.chisq - large.test.chisq, rel=0.15)
    assert score["mi_robust"] == pytest.approx(semfit.difference(small, large).chisq, rel=0.15)


def test_two_copies_of_the_data_fit_as_well_as_one(items):
    # lavaan 0.6-14 doubles the baseline's correction here; the population value of CFI cannot depend on copying
    one = items[items["group"] == "a"]
    twice = pd.concat([one, one.assign(group="copy")])
    model = "f =~ u1 + u2 + v1 + v2 + w1 + w2"
    alone = semfit.fit(model, one, estimator="WLSMV", ordered=True).fit_measures
    both = semfit.fit(model, twice, estimator="WLSMV", ordered=True, group="group").fit_measures
    assert both["cfi.robust"] == pytest.approx(alone["cfi.robust"], rel=1e-6)
    assert both["chisq"] == pytest.approx(2 * alone["chisq"], rel=1e-6)


def test_parameterisations_give_one_chisq(items):
    for equal in ((), ("thresholds",), ("thresholds", "loadings")):  # loadings alone are in unlike units
        values = [
            semfit.fit(
                FOUR, items, estimator="WLSMV", ordered=True, group="group", group_equal=equal, parameterization=p
            ).fit_measures["chisq.scaled"]
            for p in ("delta", "theta")
        ]
        assert values[0] == pytest.approx(values[1], rel=1e-8)


def test_misuse_is_named(items):
    options = {"estimator": "WLSMV", "ordered": True, "group": "group"}
    cases = [
        ("u1 ~~ 1*u1", {}, ParameterError, "from the other parameters in parameterization 'delta'; use 'theta'"),
        ("u1 ~*~ 1*u1", {"parameterization": "theta"}, ParameterError, "in parameterization 'theta'; use 'delta'"),
        ("u1 ~*~ u2", {}, ParameterError, "a scale has its item on both sides"),
        ("u1 | t4", {}, UnknownNameError, "unknown threshold of u1 't4'"),
        ("", {"parameterization": "beta"}, UnknownNameError, "unknown parameterization 'beta'"),
    ]
    for line, more, kind, message in cases:
        with pytest.raises(kind, match=message):
            semfit.fit(FOUR + "\n" + line, items, **options | more)
    with pytest.raises(ParameterError, match="u1 is not an ordered item; name it in ordered"):
        semfit.fit(FOUR + "\nu1 | t1", items)
    merged = items.assign(u1=items["u1"].where(items["group"] == "a", items["u1"].clip(upper=3)))
    with pytest.raises(DataError, match="item u1 is never 4 in group b; every group must use every category"):
        semfit.fit(FOUR, merged, **options)
    with pytest.raises(DataError, match="column u1 in group b is constant"):
        semfit.fit(FOUR, items.assign(u1=items["u1"].where(items["group"] == "a", 1)), **options)
    with pytest.raises(ParameterError, match="the ladder itself sets thresholds"):
        invariance(FOUR + "\nu1 ~ 1", items, "group", estimator="WLSMV")
    with pytest.raises(UnknownNameError, match="unknown level of invariance 'scalar'"):
        invariance(FOUR, items, "group", estimator="WLSMV", levels=("configural", "scalar"))


@pytest.mark.parametrize(
    ("line", "options"), [("u1 ~*~ u1", {}), ("u1 ~~ NA*u1", {"parameterization": "theta"}), ("fu ~ NA*1", {})]
)
def test_a_model_that_is_not_identified_says_so(items, line, options):
    fit = semfit.fit(f"{FOUR}\n{line}", items, estimator="WLSMV", ordered=True, **options)
    assert "NOT identified" in fit.problems[0]
    assert fit.estimates["se"].isna().any()


def test_thresholds_out_of_order_are_named(items):
    fit = semfit.fit(FOUR + "\nu2 | 1*t1 + 0.5*t2", items, estimator="WLSMV", ordered=True)
    assert fit.problems == ("The thresholds of u2 do not increase.",)


def test_an_empty_cell_is_counted_and_shown(items):
    whole = items[["w1", "w2", "w3", "w4"]].copy()
    whole.loc[(whole["w1"] == 1) & (whole["w2"] == 2), "w1"] = 2
    fit = semfit.fit(TWO, whole, estimator="WLSMV", ordered=True)
    assert fit.problem.notes == (
        "Two-by-two tables with an empty cell: 1 (w1 and w2); 0.5 was put there, margins kept.",
    )
    assert "w1 and w2" in fit.summary()
