"""Reliability, validity and item statistics against psych, semTools and lavaan, closed forms, and bad input."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import multivariate_normal, norm

import semfit
from semfit import psychometrics
from semfit.columns import correlation
from semfit.errors import DataError, ParameterError, UnknownNameError
from semfit.psychometrics.reliability import feldt, measurement_quality
from semfit.psychometrics.resampling import casewise_errors, draw

HERE = Path(__file__).parent / "reference"
OUTSIDE = json.loads((HERE / "reliability.json").read_text())
CONSTRUCTS = {"visual": ["x1", "x2", "x3"], "textual": ["x4", "x5", "x6"], "speed": ["x7", "x8", "x9"]}
SCALES = CONSTRUCTS | {"all": [f"x{k}" for k in range(1, 10)]}
THREE = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
FOUR = "a =~ o11 + o12 + o13 + o14\nb =~ o21 + o22 + o23 + o24\nc =~ o31 + o32 + o33 + o34"


def table(name):
    return pd.read_csv(HERE / "data" / f"{name}.csv")


@pytest.fixture(scope="module")
def tests_of_1939():
    return table("holzinger_swineford")


@pytest.fixture(scope="module")
def three(tests_of_1939):
    return semfit.fit(THREE, tests_of_1939)


@pytest.fixture(scope="module")
def ordinal():
    return semfit.fit(FOUR, table("sim_ordinal12"), estimator="WLSMV", ordered=True)


@pytest.mark.parametrize("name", SCALES)
def test_alpha_agrees_with_psych_and_its_standard_error_with_lavaan(tests_of_1939, name):
    found, outside = psychometrics.alpha(tests_of_1939, SCALES[name]), OUTSIDE["alpha"][name]
    frame = found.intervals.set_index(["measure", "method"])
    assert found.estimate == pytest.approx(outside["alpha"], abs=1e-12)
    assert frame.loc[("alpha_standardized", "adf"), "estimate"] == pytest.approx(outside["standardized"], abs=1e-12)
    assert frame.loc[("alpha", "feldt"), ["ci_low", "ci_high"]].tolist() == pytest.approx(outside["feldt"], abs=1e-12)
    assert found.by_item["alpha_if_deleted"].tolist() == pytest.approx(outside["drop"], abs=1e-12)
    assert found.by_item["item_rest"].tolist() == pytest.approx(outside["rest"], abs=1e-12)
    divisor = np.sqrt(found.nobs / (found.nobs - 1))  # lavaan's meat divides by N
    se = np.array(outside["se"]) * divisor
    assert frame.xs("adf", level="method")["se"].tolist() == pytest.approx(se[:2], abs=1e-8)
    half = (found.by_item["alpha_if_deleted_high"] - found.by_item["alpha_if_deleted"]) / 1.959963984540054
    assert half.tolist() == pytest.approx(se[2:], abs=1e-8)


def test_feldt_covers_parallel_normal_items_exactly():
    rng, k, N, truth = np.random.default_rng(3), 4, 20, 4 / 5  # item variances 2, covariances 1
    X = rng.standard_normal((4000, N, 1)) + rng.standard_normal((4000, N, k))
    d = X - X.mean(1, keepdims=True)
    S = np.swapaxes(d, 1, 2) @ d
    estimates = k / (k - 1) * (1 - np.trace(S, axis1=1, axis2=2) / S.sum((1, 2)))
    ends = np.array([feldt(a, N, k) for a in estimates])
    coverage = ((ends[:, 0] <= truth) & (truth <= ends[:, 1])).mean()
    assert abs(coverage - 0.95) < 4 * np.sqrt(0.95 * 0.05 / 4000)


@pytest.mark.slow
def test_the_distribution_free_interval_holds_for_skewed_items_where_feldts_does_not():
    rng, load, N, draws, k = np.random.default_rng(9), np.array([0.8, 0.7, 0.6, 0.7]), 300, 400, 4
    S = np.outer(load, load) + np.diag(1 - load**2)
    truth, inside = k / (k - 1) * (1 - k / S.sum()), np.zeros(2)
    for _ in range(draws):
        trait, errors = ((rng.chisquare(3, size) - 3) / np.sqrt(6) for size in ((N, 1), (N, k)))
        answers = pd.DataFrame(trait * load + errors * np.sqrt(1 - load**2), columns=list("abcd"))
        ends = psychometrics.alpha(answers, list("abcd")).intervals.iloc[:2]
        inside += (ends["ci_low"] <= truth) & (truth <= ends["ci_high"])
    feldts, free = inside / draws  # the Monte-Carlo standard error of .95 is .011
    assert feldts < 0.88
    assert free > 0.91


def test_casewise_standard_error_of_a_correlation_is_the_known_one():
    rows = np.random.default_rng(4).standard_normal((400, 2)) @ np.array([[1.0, 0.6], [0.0, 0.8]])
    x, y = ((rows - rows.mean(0)) / rows.std(0)).T
    r = (x * y).mean()
    influence = x * y - r * (x**2 + y**2) / 2  # of Pearson's r
    found = casewise_errors(lambda S: correlation(S)[..., 0, 1:], rows)
    assert found == pytest.approx(influence.std(ddof=1) / 20, rel=1e-10)


def test_resampled_covariances_are_those_of_the_resampled_rows():
    rows = np.random.default_rng(5).standard_normal((30, 3)) + 1e3
    found = draw(lambda S: S.reshape(len(S), -1), rows, 4, seed=6)
    chosen = np.random.default_rng(6).integers(0, 30, (4, 30))
    assert found == pytest.approx(np.array([np.cov(rows[c].T, ddof=0).ravel() for c in chosen]), rel=1e-8)


def test_bootstrap_of_alpha_is_near_the_distribution_free_interval(tests_of_1939):
    frame = psychometrics.alpha(tests_of_1939, SCALES["all"], bootstrap=2000, seed=1).intervals
    frame = frame[frame["measure"] == "alpha"].set_index("method")
    assert frame.loc["bootstrap bc", "se"] == pytest.approx(frame.loc["adf", "se"], rel=0.1)
    assert frame.loc["bootstrap bc", "ci_high"] == pytest.approx(frame.loc["adf", "ci_high"], abs=0.01)


def test_alpha_says_why_it_is_not_defined_and_which_item_goes_against_the_rest(tests_of_1939):
    alone = psychometrics.alpha(tests_of_1939, ["x1"])
    assert np.isnan(alone.estimate)
    assert alone.summary()["reason"].eq("one item: alpha needs at least two").all()
    turned = psychometrics.alpha(tests_of_1939.assign(x5=-tests_of_1939["x5"]), ["x1", "x3", "x4", "x5", "x6"])
    assert turned.warnings == ("x5 goes against the other items: reverse it first if it is worded the other way.",)


def test_alpha_counts_incomplete_rows():
    data = table("hs_holes")
    found = psychometrics.alpha(data, CONSTRUCTS["textual"])
    assert found.nobs + found.dropped == len(data)
    assert found.nobs == len(data[CONSTRUCTS["textual"]].dropna())


@pytest.mark.parametrize(
    ("items", "options", "error", "message"),
    [
        (["x1", "x99"], {}, UnknownNameError, "unknown variable in the model 'x99'"),
        (["x1", "same"], {}, DataError, "column same is constant or empty"),
        (["x1", "x1"], {}, ParameterError, "item x1 is named more than once"),
        ([], {}, ParameterError, r"items are \[\]; give a list of at least one column"),
        ("x1", {}, ParameterError, "items are 'x1'; give a list of at least one column"),
        (["x1", "x2"], {"level": 95}, ParameterError, "level is a probability between 0 and 1; got 95"),
        (["x1", "x2"], {"bootstrap": 1}, ParameterError, "bootstrap takes 0 or at least 2 draws; got 1"),
        (["x1", "x2"], {"kind": "bca"}, UnknownNameError, "unknown bootstrap interval 'bca'"),
    ],
)
def test_alpha_names_what_is_wrong(tests_of_1939, items, options, error, message):
    with pytest.raises(error, match=message):
        psychometrics.alpha(tests_of_1939.assign(same=1.0), items, **options)


@pytest.mark.parametrize("name", ["plain", "correlated", "standardized"])
def test_omega_agrees_with_semtools(tests_of_1939, name):
    data, model = tests_of_1939, THREE + ("\nx7 ~~ x8\nx2 ~~ x7" if name == "correlated" else "")
    if name == "standardized":
        items = SCALES["all"]
        data = data.assign(**((data[items] - data[items].mean()) / data[items].std()))
    found, outside = psychometrics.measurement_quality(semfit.fit(model, data)).table(), OUTSIDE["omega"][name]
    assert found["alpha"].tolist() == pytest.approx(outside["alpha"], abs=1e-10)
    assert found["omega"].tolist() == pytest.approx(outside["omega"], abs=1e-9)
    if name == "standardized":  # semTools extracts variance in raw units; of standardised items it is journals' AVE
        assert found["ave"].tolist() == pytest.approx(outside["ave"], abs=1e-9)
        assert found["cr"].tolist() == pytest.approx(outside["omega"], abs=1e-9)


def test_delta_standard_errors_agree_with_lavaans_defined_parameters(three):
    found = psychometrics.measurement_quality(three).frame.query("construct == 'visual'").set_index("measure")
    for measure in ("omega", "ave", "cr"):
        assert found.loc[measure, "estimate"] == pytest.approx(OUTSIDE["delta"]["est"][measure], abs=1e-9)
        assert found.loc[measure, "se"] == pytest.approx(OUTSIDE["delta"]["se"][measure], abs=1e-9)


def test_bootstrap_intervals_of_omega_are_near_those_by_the_delta_method(three):
    delta = psychometrics.measurement_quality(three).frame
    drawn = psychometrics.measurement_quality(three, bootstrap=300, seed=1).frame
    assert drawn.query("measure == 'omega'")["method"].eq("bootstrap percentile").all()
    assert drawn["estimate"].tolist() == pytest.approx(delta["estimate"].tolist(), rel=1e-12)
    assert drawn["se"].tolist() == pytest.approx(delta["se"].tolist(), rel=0.35)


def test_omega_of_ordered_items_agrees_with_semtools(ordinal):
    found, outside = psychometrics.measurement_quality(ordinal).table(), OUTSIDE["ordinal"]
    assert found["omega"].tolist() == pytest.approx(outside["omega"], abs=1e-6)
    assert found["ave"].tolist() == pytest.approx(outside["ave"], abs=1e-6)
    fit = semfit.fit(FOUR + "\no11 ~~ o12", table("sim_ordinal12"), estimator="WLSMV", ordered=True)
    found = psychometrics.measurement_quality(fit).table()["omega"]
    assert found.tolist() == pytest.approx(OUTSIDE["ordinal_correlated"]["omega"], abs=1e-6)


def test_omega_of_ordered_items_is_the_covariance_of_parallel_forms_over_the_variance():
    """Two items with the same loading, by direct summation over their answers."""
    from semfit.psychometrics.reliability import _ordinal_omega

    cuts, l2 = [np.array([-0.5, 0.7]), np.array([0.2])], 0.6
    normal = multivariate_normal([0, 0], [[1, l2], [l2, 1]])

    def covariance(one, two):
        edges = [np.array([-9, *cuts[k], 9.0]) for k in (one, two)]
        box = np.array([[normal.cdf([a, b]) for b in edges[1]] for a in edges[0]])
        p = np.diff(np.diff(box, axis=0), axis=1)
        x, y = np.arange(p.shape[0]), np.arange(p.shape[1])
        return x @ p @ y - (x @ p.sum(1)) * (y @ p.sum(0))

    def variance(k):
        p = np.diff(norm.cdf([-np.inf, *cuts[k], np.inf]))
        x = np.arange(len(p))
        return x**2 @ p - (x @ p) ** 2

    true = sum(covariance(i, j) for i in (0, 1) for j in (0, 1))
    implied = np.array([[1.0, l2], [l2, 1.0]])
    expected = true / (variance(0) + variance(1) + 2 * covariance(0, 1))
    assert _ordinal_omega(np.full((2, 2), l2), implied, cuts) == pytest.approx(expected, abs=1e-9)


def test_ordered_omega_is_missing_where_an_item_shares_more_than_all_of_its_variance():
    """Of three responses that correlate .5, .5 and .2, the first would share 1.25 of its variance with a factor."""
    rows = multivariate_normal([0, 0, 0], [[1, 0.5, 0.5], [0.5, 1, 0.2], [0.5, 0.2, 1]], seed=1).rvs(2000)
    items = pd.DataFrame(np.digitize(rows, [-1, 0, 1]), columns=["a", "b", "c"])
    fit = semfit.fit("f =~ a + b + c", items, estimator="WLSMV", ordered=True)
    assert fit.problems == ("The variance of a is negative (a Heywood case).",)
    found = psychometrics.measurement_quality(fit).frame.set_index("measure")["estimate"]
    assert np.isnan(found["omega"])
    assert 0 < found["alpha"] < 1


def test_delta_of_ordered_omega_agrees_with_finite_differences(ordinal):
    from semfit.expressions import jacobian
    from semfit.psychometrics.reliability import _measures

    values, theta, step = _measures(ordinal, 0, {"a": ["o11", "o12", "o13", "o14"]}), ordinal.theta, 1e-5
    slopes = [(values(theta + step * e) - values(theta - step * e)) / (2 * step) for e in np.eye(len(theta))]
    assert jacobian(values, theta) == pytest.approx(np.array(slopes).T, abs=1e-8)


def test_constructs_without_reliability_say_why(tests_of_1939):
    model = "visual =~ x1 + x2 + x3\nsingle =~ 1*x4\nx4 ~~ 0.3*x4"
    frame = psychometrics.measurement_quality(semfit.fit(model, tests_of_1939)).frame.query("construct == 'single'")
    assert frame["estimate"].isna().all()
    assert frame["reason"].str.startswith("one item").all()
    fit = semfit.fit(THREE + "\ngeneral =~ visual + textual + speed", tests_of_1939)
    frame = psychometrics.measurement_quality(fit).frame.query("construct == 'general'")
    assert frame["reason"].str.contains("latent").all()
    open_fit = semfit.fit("f =~ NA*x1 + x2 + x3", tests_of_1939)
    frame = psychometrics.measurement_quality(open_fit).frame.query("measure != 'alpha'")
    assert frame["reason"].eq("the fit did not converge or is not identified").all()
    with pytest.raises(ParameterError, match="the model has no latent variable"):
        psychometrics.measurement_quality(semfit.fit("x1 ~ x2", tests_of_1939))
    turned = semfit.fit("f =~ x4 + x5 + x6", tests_of_1939.assign(x5=-tests_of_1939["x5"]))
    assert "x5 loads negatively on f" in psychometrics.measurement_quality(turned).warnings[0]


def test_moments_incomplete_rows_and_groups_are_handled(tests_of_1939):
    items = SCALES["all"]
    moments = semfit.Moments(tests_of_1939[items].cov(), None, len(tests_of_1939))
    from_moments = psychometrics.measurement_quality(semfit.fit(THREE, moments=moments)).frame
    assert from_moments.query("measure == 'alpha'")["method"].eq("feldt").all()
    holes = psychometrics.measurement_quality(semfit.fit(THREE, table("hs_holes"), missing="fiml")).frame
    assert holes.query("measure == 'omega'")["se"].notna().all()
    assert holes.query("measure == 'alpha'")["reason"].str.startswith("no interval").all()
    grouped = psychometrics.measurement_quality(semfit.fit(THREE, tests_of_1939, group="school"))
    schools = [
        psychometrics.measurement_quality(semfit.fit(THREE, rows, mean_structure=True)).table()["omega"].to_numpy()
        for _, rows in tests_of_1939.groupby("school", sort=False)
    ]
    found = grouped.table()["omega"].unstack()[list(tests_of_1939["school"].unique())].loc[list(CONSTRUCTS)]
    assert found.to_numpy() == pytest.approx(np.array(schools).T, abs=1e-5)


def test_fornell_larcker_sets_ave_against_squared_correlations(three):
    found, ave = psychometrics.fornell_larcker(three), psychometrics.measurement_quality(three).table()["ave"]
    assert np.diag(found.matrix) == pytest.approx(np.sqrt(ave), abs=1e-12)
    std = three.estimates.query("op == '~~' and lhs == 'visual' and rhs == 'textual'")["std_all"].item()
    line = found.pairs.query("construct == 'visual' and other == 'textual'").iloc[0]
    assert line["correlation"] == pytest.approx(std, abs=1e-12)
    assert line["margin"] == pytest.approx(ave["visual"] - std**2, abs=1e-12)
    assert line["holds"]
    with pytest.raises(ParameterError, match="group is a whole number from 1 to 1; got 2"):
        psychometrics.fornell_larcker(three, group=2)


def test_fornell_larcker_says_where_ave_is_not_defined(tests_of_1939):
    single = psychometrics.fornell_larcker(
        semfit.fit("a =~ x1 + x2 + x3\nb =~ 1*x4\nx4 ~~ 0.2*x4", tests_of_1939)
    ).pairs
    assert single["reason"].tolist() == ["", "one item, x4: error and construct cannot be told apart"]
    assert single[["margin", "se", "holds"]].isna().sum(axis=1).tolist() == [0, 3]
    loose = psychometrics.fornell_larcker(semfit.fit("a =~ NA*x1 + x2 + x3\nb =~ x4 + x5 + x6", tests_of_1939)).pairs
    assert loose[["ave", "correlation", "margin", "se", "holds"]].isna().all(axis=None)
    assert loose["reason"].eq("the fit did not converge or is not identified").all()


def test_htmt_and_htmt2_agree_with_semtools(tests_of_1939):
    data = table("sim_mediation")
    groups = {name: [f"i{k}{j}" for j in range(1, 5)] for k, name in enumerate("abc", 1)}
    frame = psychometrics.htmt(data, groups, bootstrap=0).frame
    for measure in ("htmt", "htmt2"):
        found = frame.query("measure == @measure")["estimate"].tolist()
        assert found == pytest.approx(OUTSIDE["htmt"]["mediation"][measure], abs=1e-12)
    frame = psychometrics.htmt(tests_of_1939, CONSTRUCTS, bootstrap=0).frame.set_index("measure")
    assert frame.loc["htmt", "estimate"].tolist() == pytest.approx(OUTSIDE["htmt"]["hs"]["htmt"], abs=1e-12)
    found, reasons = frame.loc["htmt2", "estimate"].tolist(), frame.loc["htmt2", "reason"].tolist()
    assert [found[0], found[2]] == pytest.approx(np.array(OUTSIDE["htmt"]["hs"]["htmt2"])[[0, 2]], abs=1e-12)
    assert np.isnan(found[1])  # semTools takes absolute values; a geometric mean of mixed signs has no meaning
    assert reasons == ["", "x2 and x7 correlate against the sign of the rest: no geometric mean", ""]


def test_htmt2_recovers_the_correlation_of_congeneric_constructs_and_tests_it():
    truth = (
        "f =~ 0.9*a1 + 0.7*a2 + 0.5*a3; g =~ 0.8*b1 + 0.6*b2 + 0.9*b3; f ~~ 1*f; g ~~ 1*g; f ~~ 0.7*g;"
        + "; ".join(f"{i} ~~ {1 - s**2}*{i}" for i, s in zip(("a1", "a2", "a3"), (0.9, 0.7, 0.5), strict=True))
        + ";"
        + "; ".join(f"{i} ~~ {1 - s**2}*{i}" for i, s in zip(("b1", "b2", "b3"), (0.8, 0.6, 0.9), strict=True))
    )
    groups = {"f": ["a1", "a2", "a3"], "g": ["b1", "b2", "b3"]}
    data = semfit.simulate(truth.replace(";", "\n"), 20_000, seed=2)
    frame = psychometrics.htmt(data, groups, bootstrap=200, seed=1).frame.set_index("measure")
    assert frame.loc["htmt2", "estimate"] == pytest.approx(0.7, abs=0.015)
    assert bool(frame.loc["htmt2", "below_0.85"])
    mirrored = data.assign(**{item: -data[item] for item in groups["g"]})
    again = psychometrics.htmt(mirrored, groups, bootstrap=0).frame.set_index("measure")
    assert again["estimate"].tolist() == pytest.approx(frame["estimate"].tolist(), abs=1e-12)
    reversed_item = psychometrics.htmt(data.assign(a3=-data["a3"]), groups, bootstrap=0).frame
    assert reversed_item["reason"].tolist() == [
        "",
        "a1 and a3 of f correlate negatively: no geometric mean; reverse an item first",
    ]
    alone = psychometrics.htmt(data, {"f": groups["f"], "one": ["b1"]}, bootstrap=50, seed=1).frame
    assert alone["reason"].eq("one has one item: no correlation within it").all()
    assert alone["below_1"].isna().all()
    with pytest.raises(ParameterError, match=r"construct b has the items \[\]; give a list of at least one column"):
        psychometrics.htmt(data, {"a": groups["f"], "b": []})
    with pytest.raises(ParameterError, match="at least two constructs; got 1"):
        psychometrics.htmt(data, {"f": groups["f"]})


def test_constructs_that_are_one_are_not_told_apart(tests_of_1939):
    rng = np.random.default_rng(8)
    trait = rng.standard_normal((500, 1))
    data = pd.DataFrame(trait + 0.5 * rng.standard_normal((500, 6)), columns=list("abcdef"))
    frame = psychometrics.htmt(data, {"one": list("abc"), "two": list("def")}, bootstrap=500, seed=1).frame
    assert not frame[["below_0.85", "below_0.90"]].any(axis=None)


def test_an_interval_that_rests_on_few_draws_is_withheld(tests_of_1939):
    frame = psychometrics.htmt(tests_of_1939, CONSTRUCTS, bootstrap=200, seed=1).frame.set_index(
        ["construct", "measure"]
    )
    line = frame.loc[("visual", "htmt2")].iloc[0]
    assert line["undefined_draws"] > 10
    assert np.isnan(line["ci_high"])
    assert "whose signs are mixed" in line["reason"]


def test_kmo_and_bartlett_agree_with_psych(tests_of_1939):
    items, outside = SCALES["all"], OUTSIDE["items"]
    found = psychometrics.factorability(tests_of_1939, items, bootstrap=100, seed=1)
    assert found.kmo["estimate"].tolist() == pytest.approx(outside["kmo"], abs=1e-12)
    assert (found.kmo["ci_low"] < found.kmo["ci_high"]).all()
    assert (found.chisq, found.df) == (pytest.approx(outside["chisq"], rel=1e-12), outside["df"])
    assert found.pvalue == pytest.approx(outside["pvalue"], rel=1e-9)
    assert len(found.summary()) == 11
    with pytest.raises(ParameterError, match="need at least two items; got 1"):
        psychometrics.factorability(tests_of_1939, items[:1])


@pytest.mark.parametrize("equal", [(), ("thresholds", "loadings")])
def test_quality_of_ordered_items_does_not_depend_on_the_parameterisation(equal):
    items = pd.read_csv(HERE / "data" / "sim_ordinal_groups.csv")
    options = {"estimator": "WLSMV", "ordered": True, "group": "group", "group_equal": equal}
    model = "f =~ u1 + u2 + u3 + u4\ng =~ w1 + w2 + w3 + w4"
    delta, theta = (
        measurement_quality(semfit.fit(model, items, parameterization=p, **options)).frame for p in ("delta", "theta")
    )
    for column in ("estimate", "ci_low", "ci_high"):
        assert np.allclose(delta[column], theta[column], atol=1e-7)


def test_htmt_needs_more_rows_than_items_of_a_construct_and_no_more(tests_of_1939):
    scales = {name: [f"x{3 * k + j}" for j in (1, 2, 3)] for k, name in enumerate(("visual", "textual", "speed"))}
    few = tests_of_1939[[*sum(scales.values(), [])]].head(8)  # rows, of nine items
    found = psychometrics.htmt(few, scales, bootstrap=0).frame.query("measure == 'htmt'")
    r = few.corr().abs()

    def mean(one, other):
        block = r.loc[scales[one], scales[other]].to_numpy()
        return block.mean() if one != other else block[np.triu_indices(3, 1)].mean()

    for pair in found.itertuples():
        within = np.sqrt(mean(pair.construct, pair.construct) * mean(pair.other, pair.other))
        assert pair.estimate == pytest.approx(mean(pair.construct, pair.other) / within)
    with pytest.raises(DataError, match="3 of 3 rows|3 rows"):
        psychometrics.htmt(few.head(3), scales, bootstrap=0)
