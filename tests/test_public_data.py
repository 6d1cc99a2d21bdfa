"""The advice tested: against figures known beforehand, against regressions on the single rows, against closed forms."""

from __future__ import annotations

import runpy

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_ind

from socialcommerce import data
from socialcommerce.errors import DataError, UnknownNameError
from socialcommerce.project import root
from socialcommerce.public_data import records
from socialcommerce.public_data.records import contrast, linear_probability
from surveysem import Effect
from tests.test_data import raw_files

MAILS, SHOPPERS = data.load("hillstrom_cells"), data.load("uci_cells")


def shown(effect: Effect, digits: int) -> tuple[float, ...]:
    return tuple(round(value, digits) for value in (effect.estimate, *effect.interval()))


# --- effects ----------------------------------------------------------------------------------------------------------


def test_a_contrast_of_two_cells_is_welch_s():
    rng = np.random.default_rng(1)
    first, second = rng.normal(1, 2, 40), rng.normal(0, 1, 25)
    cells = pd.DataFrame([[len(x), x.sum(), (x**2).sum()] for x in (first, second)], columns=["n", "total", "squares"])
    effect, welch = contrast(cells, {0: 1, 1: -1}), ttest_ind(first, second, equal_var=False)
    assert effect.estimate / effect.standard_error == pytest.approx(welch.statistic, rel=1e-12)
    assert Effect(effect.estimate, effect.standard_error, 65, welch.df).p_value == pytest.approx(welch.pvalue, rel=1e-9)


def test_a_cell_without_spread_cannot_be_compared():
    cells = pd.DataFrame({"n": [1, 5], "total": [1, 2], "squares": [1, 2]}, index=["a", "b"])
    with pytest.raises(DataError, match="cells a, c cannot be compared; got fewer than 2 observations"):
        contrast(cells, {"a": 1, "b": -1, "c": 0.5})


@pytest.fixture
def visits() -> pd.DataFrame:
    rng = np.random.default_rng(2)
    rows = pd.DataFrame({"kind": rng.choice(["old", "new"], 600), "month": rng.choice(list("abc"), 600)})
    return rows.assign(sold=rng.random(600) < np.where(rows["kind"] == "old", 0.2, 0.4))


@pytest.mark.parametrize("controls", [(), ("month",)])
def test_a_regression_on_counts_is_that_on_rows(visits, controls):
    import statsmodels.formula.api as smf

    sold = visits.groupby(["kind", "month"])["sold"]
    cells = pd.DataFrame({"n": sold.size(), "total": sold.sum()}).reset_index()
    effect = linear_probability(cells, "kind", "old", controls)
    rows = visits.assign(sold=100.0 * visits["sold"], old=(visits["kind"] == "old").astype(float))
    fit = smf.ols(" + ".join(["sold ~ old", *controls]), rows).fit(cov_type="HC1")
    assert (effect.estimate, effect.standard_error) == pytest.approx((fit.params["old"], fit.bse["old"]), rel=1e-10)
    assert effect.n == 600


def test_one_level_is_nothing_to_compare(visits):
    cells = pd.DataFrame({"kind": ["old", "old"], "month": ["a", "b"], "n": [5, 6], "total": [1, 2]})
    with pytest.raises(DataError, match="kind has nothing to compare; got 'old' in 2 of 2 cells"):
        linear_probability(cells, "kind", "old")


# --- messages ---------------------------------------------------------------------------------------------------------


def test_arms_convert_as_known():
    sums = MAILS.groupby("arm")[["conversion", "customers"]].sum()
    rates = (100 * sums["conversion"] / sums["customers"]).round(3)
    assert rates.to_dict() == {"men's mail": 1.253, "women's mail": 0.884, "no mail": 0.573}
    assert sums["customers"].sum() == 64_000


@pytest.mark.parametrize(
    ("outcome", "digits", "known"),
    [("visit", 2, (3.07, 2.35, 3.79)), ("conversion", 2, (0.24, 0.04, 0.43)), ("spend", 2, (0.21, -0.10, 0.52))],
)
def test_matching_as_first_seen(outcome, digits, known):
    assert shown(records.matching_effect(MAILS, outcome), digits) == known


def test_the_matched_policy_as_first_seen():
    assert shown(records.matched_policy(MAILS), 2) == (-0.03, -0.17, 0.11)


def test_a_message_as_in_a_regression_on_the_rows():
    import statsmodels.formula.api as smf

    (path,) = raw_files("hillstrom")
    rows = pd.read_csv(path).assign(mail=lambda d: (d["segment"] != "No E-Mail").astype(int))
    for outcome, unit in {"visit": 100, "conversion": 100, "spend": 1}.items():
        fit, effect = smf.ols(f"{outcome} ~ mail", rows).fit(cov_type="HC2"), records.message_effect(MAILS, outcome)
        by_rows = unit * fit.params["mail"], unit * fit.bse["mail"]
        assert (effect.estimate, effect.standard_error) == pytest.approx(by_rows, rel=1e-9)


def test_matching_is_half_the_interaction_of_a_regression_on_the_rows():
    import statsmodels.formula.api as smf

    (path,) = raw_files("hillstrom")
    rows = pd.read_csv(path).query("mens + womens == 1 and segment != 'No E-Mail'")
    rows = rows.assign(arm=(rows["segment"] == "Mens E-Mail").astype(int))
    fit, effect = smf.ols("spend ~ arm * mens", rows).fit(cov_type="HC2"), records.matching_effect(MAILS, "spend")
    by_rows = fit.params["arm:mens"] / 2, fit.bse["arm:mens"] / 2
    assert (effect.estimate, effect.standard_error) == pytest.approx(by_rows, rel=1e-9)


def test_brackets_of_history_add_up_to_everybody():
    table = records.message_by_history(MAILS)
    assert table["history"].tolist()[::6] == ["$0 - $100", "$1,000 +"]
    assert table["n"].sum() == records.message_effect(MAILS).n == 64_000


def test_an_unknown_outcome_is_named():
    with pytest.raises(UnknownNameError, match="unknown outcome 'convertion'; did you mean 'conversion'"):
        records.message_effect(MAILS, "convertion")


# --- sessions and groups ----------------------------------------------------------------------------------------------


def test_returning_sessions_convert_less_as_first_seen():
    assert shown(records.returning_effect(SHOPPERS, ()), 1) == (-11.0, -13.1, -8.8)


def test_sessions_as_in_a_regression_on_the_rows():
    import statsmodels.formula.api as smf

    (path,) = raw_files("uci_shoppers")
    rows = pd.read_csv(path).query("VisitorType != 'Other'")
    rows = rows.assign(sold=100.0 * rows["Revenue"], back=(rows["VisitorType"] == "Returning_Visitor").astype(float))
    fit = smf.ols("sold ~ back + C(Month) + C(TrafficType) + C(Region) + C(Browser)", rows).fit(cov_type="HC1")
    effect = records.returning_effect(SHOPPERS)
    assert (effect.estimate, effect.standard_error) == pytest.approx((fit.params["back"], fit.bse["back"]), rel=1e-8)


# --- deliveries -------------------------------------------------------------------------------------------------------

MOMENTS = data.load("olist_moments")


def test_scores_fall_with_days_late_as_first_seen():
    """4.30 when early by more than ten days, 3.74 on the day and up to two days late, 2.19 at 3 to 6, 1.53 at 14."""
    table = records.scores_by_delay(data.load("olist_scores")).set_index("band")
    assert table.loc[["11 or more early", "3 to 6 late", "14 or more late"], "mean"].round(2).tolist() == [
        4.30,
        2.19,
        1.53,
    ]
    near = table.loc[["on the day", "1 to 2 late"]]
    assert round(np.average(near["mean"], weights=near["reviews"]), 2) == 3.74
    assert table["mean"].is_monotonic_decreasing
    assert table["reviews"].sum() == 5238


def test_in_time_minus_late_is_the_difference_of_the_scores():
    counts = data.load("olist_scores")
    late = counts["band"].str.endswith("late")
    means = [np.average(part["review_score"], weights=part["reviews"]) for part in (counts[~late], counts[late])]
    effect = records.delivery_effect(MOMENTS, adjusted="nothing", reviewed="any time")
    assert effect.estimate == pytest.approx(means[0] - means[1], abs=1e-5)
    assert set(MOMENTS.loc[MOMENTS["late_from"] == "day after", "late_reviews"]) >= {counts.loc[late, "reviews"].sum()}


@pytest.mark.parametrize("reviewed", ["any time", "after delivery"])
@pytest.mark.parametrize(
    ("adjusted", "formula"),
    [
        ("nothing", "review_score ~ kept"),
        ("order", "review_score ~ kept + price + freight + items + C(category) + C(customer_state) + C(month)"),
    ],
)
def test_deliveries_as_in_a_regression_on_the_rows(adjusted, formula, reviewed):
    import statsmodels.formula.api as smf

    paths = raw_files(*[entry.name for entry in data.sources() if entry.dataset == "olist"])
    rows = runpy.run_path(str(root() / "data" / "prepare" / "olist_deliveries.py"))["reviews"](paths)
    rows = rows.assign(kept=(rows["days"] <= 0).astype(float))
    rows = rows[(reviewed == "any time") | rows["after"]]
    fit = smf.ols(formula, rows).fit(cov_type="cluster", cov_kwds={"groups": pd.factorize(rows["seller"])[0]})
    effect = records.delivery_effect(MOMENTS, adjusted=adjusted, reviewed=reviewed)
    assert (effect.estimate, effect.standard_error) == pytest.approx((fit.params["kept"], fit.bse["kept"]), rel=1e-5)


def test_sellers_own_effects_as_by_dummies():
    """Of the hundred sellers with most reviews: demeaning by seller is the same as a dummy each."""

    import statsmodels.formula.api as smf

    paths = raw_files(*[entry.name for entry in data.sources() if entry.dataset == "olist"])
    script = runpy.run_path(str(root() / "data" / "prepare" / "olist_deliveries.py"))
    rows = script["reviews"](paths)
    rows = rows[rows["seller"].isin(rows["seller"].value_counts().index[:100])]
    some = pd.DataFrame([script["moments"](rows, "day after", "any time", "order and seller")])
    formula = "review_score ~ kept + price + freight + items + C(category) + C(customer_state) + C(month) + C(seller)"
    fit = smf.ols(formula, rows.assign(kept=(rows["days"] <= 0).astype(float))).fit()
    assert records.delivery_effect(some, reviewed="any time").estimate == pytest.approx(fit.params["kept"], rel=1e-6)


def test_less_falls_on_lateness_once_the_parcel_is_there():
    """Most buyers of late orders answered while waiting; those who answered afterwards were milder."""
    anytime, after = (records.delivery_effect(MOMENTS, reviewed=when) for when in ("any time", "after delivery"))
    assert 0 < after.interval()[0] < after.interval()[1] < anytime.interval()[0]


def test_an_unknown_way_to_compare_is_named():
    with pytest.raises(UnknownNameError, match="unknown adjusted 'sellers'; .*order and seller"):
        records.delivery_effect(MOMENTS, adjusted="sellers")


# --- identification and loyalty ---------------------------------------------------------------------------------------


def test_paths_to_the_urge_are_those_of_lavaan():
    """Estimates and errors from ``tests/reference/hanoi.R`` (lavaan 0.6-14), in the same order of estimators."""
    keys = ["estimator", "sample", "driver"]
    known = pd.read_csv(root() / "tests" / "reference" / "hanoi.csv", skipinitialspace=True).set_index(keys)
    ours = data.load("hanoi_paths").query("model == 'with trust'").set_index(keys)[known.columns]
    assert len(ours) == len(known) == 32
    np.testing.assert_allclose(ours.loc[known.index], known, rtol=0, atol=1e-5)


def test_screening_decides_about_identification():
    """The 95 % interval holds zero as soon as repeated answers or straight-liners are left out."""
    paths = data.load("hanoi_paths")
    low = {
        sample: records.impulse_buying_effect(paths, "PAR", sample=sample).interval()[0] > 0
        for sample in paths["sample"].unique()
    }
    assert low == {"all": True, "distinct": False, "varied": False, "distinct and varied": False}


def test_an_unknown_driver_is_named():
    with pytest.raises(UnknownNameError, match="unknown driver 'INT'; .*ENJ, HED"):
        records.impulse_buying_effect(data.load("hanoi_paths"), "INT")


def test_a_pooled_correlation_is_a_random_effects_mean_of_drawn_studies():
    """Means of k studies whose Fisher's z spread by tau scatter as the error says, however many persons each asked."""
    pairs = data.load("pooled_correlations")
    effect = records.pooled_correlation(pairs, "satisfaction", "loyalty")
    assert (effect.estimate, effect.n, effect.df) == (0.554, 57 // 4, 57 // 4 - 1)
    drawn = np.random.default_rng(1).normal(np.arctanh(0.554), records.SPREAD, (20_000, effect.n)).mean(axis=1)
    assert np.tanh(drawn).std() == pytest.approx(effect.standard_error, rel=0.03)
