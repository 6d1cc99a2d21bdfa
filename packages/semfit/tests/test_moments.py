"""Bad data are named by column and row; incomplete data give the moments that maximise the likelihood."""

import tracemalloc

import numpy as np
import pandas as pd
import parity
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import semfit
import semfit.psychometrics
from semfit.errors import DataError, ParameterError, SemfitError, UnknownNameError
from semfit.moments import read

MODEL = "f =~ x1 + x2 + x3"


@pytest.fixture
def data():
    return pd.read_csv(parity.HERE / "data" / "holzinger_swineford.csv")


def test_fit_from_moments_equals_fit_from_rows(data):
    model = parity.MODELS["hs_means"]["model"]
    items = data[[f"x{k}" for k in range(1, 10)]]
    rows = semfit.fit(model, data, mean_structure=True)
    moments = semfit.fit(model, moments=semfit.Moments(items.cov(), items.mean(), len(items)), mean_structure=True)
    assert np.allclose(rows.theta, moments.theta, atol=1e-10)
    assert np.allclose(rows.fit_measures, moments.fit_measures, atol=1e-8)


def test_ordinary_bad_data(data):
    cases = [
        (data.assign(x2=1.0), DataError, "column x2 is constant or empty"),
        (
            data.assign(x2=data["x1"] + data["x3"]),
            DataError,
            "not positive definite: x1, x2, x3 are linearly dependent",
        ),
        (
            data.assign(x2=["three", *data["x2"].astype(str)[1:]]),
            DataError,
            "column x2, row 1: 'three' is not a finite number",
        ),
        (data.assign(x2=[*data["x2"][:-1], np.inf]), DataError, "column x2, row 301: inf is not a finite number"),
        (data.iloc[:3], DataError, "3 rows for 3 variables; a model needs more rows than variables"),
        (data.iloc[:0], DataError, "0 rows|no rows"),
        (
            data.drop(columns="x2").rename(columns={"x1": "x_1"}),
            UnknownNameError,
            "unknown variable in the model 'x1'; did you mean",
        ),
        (pd.concat([data, data["x2"]], axis=1), DataError, "column x2 occurs 2 times"),
        ({"x1": [1]}, ParameterError, "data is a pandas DataFrame"),
    ]
    for frame, kind, message in cases:
        with pytest.raises(kind, match=message):
            semfit.fit(MODEL, frame)


def test_bad_groups(data):
    with pytest.raises(UnknownNameError, match="unknown group column 'schol'; did you mean 'school'"):
        semfit.fit(MODEL, data, group="schol")
    hollow = data.assign(x1=data["x1"].where(data["school"] != "Pasteur"))
    with pytest.raises(DataError, match="0 rows in group Pasteur for 3 variables"):
        semfit.fit(MODEL, hollow, group="school")


def test_bad_moments(data):
    C = data[["x1", "x2", "x3"]].cov()
    skew, negative, tied = C.copy(), C.copy(), C.copy()
    skew.loc["x1", "x2"] += 1
    negative.loc["x1", "x1"] = -1
    tied.loc[:, :] = np.ones((3, 3))
    for given_, nobs, message in (
        (skew, 301, "not symmetric: x1, x2 is"),
        (negative, 301, "the variance of x1 is -1"),
        (tied, 301, "not positive definite"),
        (C, 3, "above the number of variables, 3; got 3"),
    ):
        with pytest.raises((DataError, ParameterError), match=message):
            semfit.fit(MODEL, moments=semfit.Moments(given_, None, nobs))
    with pytest.raises(ParameterError, match="moments that hold no means"):
        semfit.fit(MODEL, moments=semfit.Moments(C, None, 301), mean_structure=True)
    with pytest.raises(
        ParameterError, match=r"moments are Moments\(covariance, means, nobs\), the covariance a DataFrame; got str"
    ):
        semfit.fit(MODEL, moments="moments.csv")
    with pytest.raises(ParameterError, match="give either data or moments; got both"):
        semfit.fit(MODEL, data, moments=semfit.Moments(C, None, 301))
    with pytest.raises(ParameterError, match="moments alone carry estimator 'ML'"):
        semfit.fit(MODEL, moments=semfit.Moments(C, None, 301), estimator="MLR")


def test_rows_left_out_are_counted(data):
    holes = data.assign(x1=data["x1"].where(data.index > 9))
    assert semfit.fit(MODEL, holes).sample.dropped == 10
    assert "10 left out for missing values" in semfit.fit(MODEL, holes).summary()
    assert semfit.fit(MODEL, holes, missing="fiml").nobs == 301


def test_rows_without_a_group_or_with_part_of_one_are_counted(data):
    unlabelled = data.assign(school=data["school"].where(data.index > 2), x2=data["x2"].where(data.index != 7))
    fit = semfit.fit(MODEL, unlabelled, group="school")
    assert (fit.nobs, fit.sample.dropped) == (297, 4)
    assert "4 left out for missing values" in fit.summary()
    with pytest.raises(DataError, match="none of the 301 rows can be used"):
        semfit.fit(MODEL, data.assign(school=None), group="school")


def test_many_rows_are_read_once_and_not_copied():
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((200_000, 4)) + rng.standard_normal((200_000, 1))
    frame = pd.DataFrame(rows, columns=list("abcd"))
    tracemalloc.start()
    fit = semfit.fit("f =~ a + b + c + d", frame)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1.5 * rows.nbytes  # a slice of deviations, the patterns, and no copy that stays
    assert np.allclose(fit.sample.groups[0].covariance, np.cov(rows.T, bias=True), atol=1e-12)


@pytest.mark.slow
def test_rows_are_added_up_by_pattern():
    rng = np.random.default_rng(1)
    rows = rng.standard_normal((20_000, 21)) + np.repeat(rng.standard_normal((20_000, 3)), 7, axis=1)
    holes = rng.random((200, 21)) < 0.25
    frame = pd.DataFrame(rows, columns=[f"v{k}" for k in range(21)]).mask(holes[rng.integers(0, 200, 20_000)])
    model = "\n".join(f"f{j} =~ " + " + ".join(f"v{7 * j + k}" for k in range(7)) for j in range(3))
    fit = semfit.fit(model, frame, missing="fiml")
    assert fit.fit_measures["rmsea.robust"] < 0.02
    assert 190 < len(fit.sample.groups[0].patterns.nobs) <= 200  # what is added up at each step: patterns, not rows


def test_saturated_moments_of_incomplete_data_have_zero_gradient():
    holes = pd.read_csv(parity.HERE / "data" / "hs_holes.csv")
    names = [f"x{k}" for k in range(1, 10)]
    (group,) = read(holes, names, missing="fiml").groups
    # scores of the mean: sum over rows of the observed part of Sigma^-1 (x - mu)
    total = np.zeros(9)
    for row in group.rows:
        o = ~np.isnan(row)
        total[o] += np.linalg.solve(group.covariance[np.ix_(o, o)], row[o] - group.mean[o])
    assert np.abs(total).max() < 1e-7


def test_far_means_cost_no_digits(data):
    near = semfit.fit(MODEL + "\nx4 ~ f", data, mean_structure=True)
    far = semfit.fit(MODEL + "\nx4 ~ f", data[["x1", "x2", "x3", "x4"]] + 1e5, mean_structure=True)
    assert far.fit_measures["chisq"] == pytest.approx(near.fit_measures["chisq"], abs=1e-6)
    assert np.allclose(far.errors, near.errors, atol=1e-7)


def test_weights_that_repeat_rows_equal_repeated_rows(data):
    times = np.where(data.index % 3 == 0, 2, 1)
    weighted = semfit.fit(MODEL, data, estimator="MLR", weights=times)
    repeated = semfit.fit(MODEL, data.loc[data.index.repeat(times)])
    assert np.allclose(weighted.theta, repeated.theta, atol=1e-9)


def test_mlm_of_incomplete_rows_is_refused():
    holes = pd.read_csv(parity.HERE / "data" / "hs_holes.csv")
    with pytest.raises(ParameterError, match="MLM needs complete data, MLR takes missing='fiml'"):
        semfit.fit("f =~ x1 + x2 + x5", holes, estimator="MLM", missing="fiml")


def test_bad_weights(data):
    with pytest.raises(ParameterError, match=r"weights have length 3; give one number for each of the 301 rows"):
        semfit.fit(MODEL, data, estimator="MLR", weights=[1, 2, 3])
    with pytest.raises(ParameterError, match="weight of row 1 is -1; weights are positive"):
        semfit.fit(MODEL, data, estimator="MLR", weights=[-1.0] * 301)
    with pytest.raises(ParameterError, match="weight of row 3 is nan; weights are positive"):
        semfit.fit(MODEL, data.assign(w=np.where(data.index == 2, np.nan, 1.0)), estimator="MLR", weights="w")
    with pytest.raises(DataError, match="column weights, row 1: 'heavy' is not a finite number"):
        semfit.fit(MODEL, data, estimator="MLR", weights=["heavy"] * 301)
    with pytest.raises(UnknownNameError, match="unknown column of weights 'agee'"):
        semfit.fit(MODEL, data, estimator="MLR", weights="agee")
    with pytest.raises(ParameterError, match="weights and clusters take estimator 'MLR'"):
        semfit.fit(MODEL, data, weights="ageyr")


def test_cycle_without_a_solution_is_named():
    rng = np.random.default_rng(1)
    data = pd.DataFrame(rng.standard_normal((50, 2)), columns=["a", "b"])
    with pytest.raises(ParameterError, match="drive each other in a cycle without a solution"):
        semfit.fit("a ~ 1*b; b ~ 1*a", data)


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 12), st.integers(1, 4), st.floats(0, 1), st.sampled_from(["listwise", "fiml"]), st.integers(0, 10**6)
)
@example(8, 4, 0.5, "fiml", 39196)  # the EM algorithm ends at a singular covariance matrix
def test_no_shape_of_data_makes_it_fall_over(rows, columns, share, missing, seed):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        rng.integers(0, 3, (rows, columns)).astype(float), columns=[f"x{k + 1}" for k in range(columns)]
    )
    frame = frame.mask(rng.random(frame.shape) < share)
    try:
        assert isinstance(semfit.fit(MODEL, frame, missing=missing).summary(), str)
    except SemfitError as error:
        assert str(error)  # noqa: PT017 — any of our own errors is a pass


@pytest.mark.filterwarnings("ignore:overflow")
def test_variances_beyond_floating_point_are_named(data):
    for factor in (1e200, 1e-200):
        with pytest.raises(DataError, match="the variance of x2 is .* in floating point; express it in another unit"):
            semfit.fit(MODEL, data.assign(x2=factor * data["x2"]))


def test_models_that_ask_nothing_are_refused(data):
    for model, message in (
        ("f =~ f", "the model names no observed variable"),
        ("x1 ~ x1 + x2", r"line 1, column \d+: x1 ~ x1; a variable cannot explain itself"),
        ("x1 | t1\nx1 ~ x2", r"line 1, column \d+: x1 \| t1, but x1 is not an ordered item"),
    ):
        with pytest.raises(ParameterError, match=message):
            semfit.fit(model, data)
    with pytest.raises(ParameterError, match="one observed variable; ordered items need two or more"):
        semfit.fit("f =~ sex", data, estimator="WLSMV", ordered=True)


COLUMNS = {
    "constant": ({"x4": 1.0}, "column x4 is constant or empty; a variable must vary"),
    "collinear": ({"x4": lambda d: d["x1"] + 2 * d["x7"]}, "x1, x4, x7 are linearly dependent; leave one of them out"),
    "a copy": ({"x4": lambda d: d["x1"]}, "x1, x4 are linearly dependent; leave one of them out"),
    "a copy in another unit": ({"x4": lambda d: 7 - 3 * d["x1"]}, "x1, x4 are linearly dependent; leave one of them"),
}
HS = parity.MODELS["hs_cfa"]["model"]


@pytest.mark.parametrize(("changed", "message"), COLUMNS.values(), ids=COLUMNS)
@pytest.mark.parametrize("options", [{}, {"missing": "fiml"}, {"missing": "pairwise"}, {"estimator": "MLR"}])
def test_columns_that_say_nothing_of_their_own_are_named(data, changed, message, options):
    with pytest.raises(DataError, match=message):
        semfit.fit(HS, data.assign(**changed), **options)


def test_columns_of_ordered_items_that_say_nothing_of_their_own_are_named(data):
    coded = data[[f"x{k}" for k in range(1, 10)]].apply(lambda item: pd.cut(item, 3, labels=False))
    for changed, message in ({"x4": 1}, "column x4 is constant"), ({"x4": coded["x1"]}, "x1, x4 are linearly depend"):
        with pytest.raises(DataError, match=message):
            semfit.fit(HS, coded.assign(**changed), estimator="WLSMV", ordered=True)
    low = coded.assign(x4=coded["x4"].clip(upper=1).where(data["school"] == "Pasteur", coded["x4"]))
    with pytest.raises(DataError, match="item x4 is never 2 in group Pasteur; every group must use every category"):
        semfit.fit(HS, low.assign(school=data["school"]), estimator="WLSMV", ordered=True, group="school")


def test_a_group_of_few_incomplete_rows_names_itself_and_the_column_most_rows_lack(data):
    holes = data[[f"x{k}" for k in range(1, 10)]].mask(np.random.default_rng(0).random((len(data), 9)) < 0.3)
    kind = (data["school"] == "Pasteur").astype(float)
    few = holes.assign(kind=kind).drop(index=data.index[kind == 1][11:])
    with pytest.raises(DataError, match=r"incomplete data in group 1 have no .* such as x\d, which \d of 11 rows hold"):
        semfit.fit(HS, few, missing="fiml", group="kind")


def test_columns_that_share_a_name_are_refused(data):
    for column, options in (("x4", {}), ("school", {"group": "school"}),
                            ("ageyr", {"weights": "ageyr", "estimator": "MLR"}),
                            ("ageyr", {"cluster": "ageyr", "estimator": "MLR"})):  # fmt: skip
        with pytest.raises(DataError, match=f"column {column} occurs 2 times; give every column its own name"):
            semfit.fit(HS, pd.concat([data, data[[column]]], axis=1), **options)


def test_no_more_rows_than_variables_is_refused_and_says_what_can_be_done(data):
    """lavaan 0.6-14 fits nine rows of nine variables and prints a chi2 that is the logarithm of rounding."""
    message = "9 rows for 9 variables; a model needs more rows than variables: fit parts of it, or means of items"
    for options in ({}, {"missing": "fiml"}, {"missing": "pairwise"}, {"estimator": "MLM"}):
        with pytest.raises(DataError, match=message):
            semfit.fit(HS, data.head(9), **options)
    covariance = data[[f"x{k}" for k in range(1, 10)]].cov()
    with pytest.raises(ParameterError, match="nobs must be a whole number above the number of variables, 9; got 9"):
        semfit.fit(HS, moments=semfit.Moments(covariance, None, 9))


def test_a_category_of_groups_that_no_row_has_is_no_group(data):
    groups = pd.Categorical(data["school"], categories=["nowhere", "Pasteur", "Grant-White"])
    fit = semfit.fit(HS, data.assign(school=groups), group="school")
    assert [group.label for group in fit.sample.groups] == ["Pasteur", "Grant-White"]
    assert fit.test.chisq == pytest.approx(115.851, abs=5e-4)


@pytest.mark.parametrize("wrong", [95, 0, 1.0, -0.1, float("nan"), True, "a half"])
def test_probabilities_out_of_range_are_named(data, wrong):
    population, fit = "y ~ 0.3*x; x ~~ 1*x; y ~~ 0.91*y", semfit.fit(HS, data)
    for call, name in ((lambda: fit.conf_int(wrong), "alpha"),
                       (lambda: semfit.power(population, "y ~ x", [50], draws=2, alpha=wrong), "alpha"),
                       (lambda: semfit.psychometrics.alpha(data, ["x1", "x2"], level=wrong), "level")):  # fmt: skip
        with pytest.raises(ParameterError, match=f"{name} is a probability between 0 and 1; got {wrong!r}"):
            call()
