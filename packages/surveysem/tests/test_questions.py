"""Moderation, contact frequency, platforms and joint effects: against closed forms, regressions and what was put in."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from books import ZH

import nbproof
import semfit
import surveysem
from surveysem import (
    Codebook,
    Construct,
    Contact,
    ExpectedPath,
    Item,
    Labelled,
    Moderation,
    NotTestable,
    Responses,
    Rules,
    Scale,
    Screened,
    hypotheses,
)
from surveysem.contact import InvertedU, contact_frequency
from surveysem.effects import largest, least, normal
from surveysem.errors import DataError, ParameterError
from surveysem.groups import compare_groups, compare_means, measured_alike, partially_alike, permuted
from surveysem.measurement import LADDER_HEADS, LEVELS
from surveysem.moderation import MEDIATED, moderation, moderations, submodel
from surveysem.study import Study

REFERENCE = Path(__file__).parents[2] / "semfit" / "tests" / "reference"
SEVEN, COUNT = Scale("seven", 1, 7), Scale("count", 0, 200)
KIND = Scale("kind", 1, 3, ("content", "interaction", "other"), tuple(ZH["kinds"]))


def codebook(items: dict[str, list[str]], paths: list[tuple[str, str]], **others: object) -> Codebook:
    constructs = tuple(
        Construct(name, tuple(Item(code, SEVEN, construct=name) for code in codes), name.upper(), name)
        for name, codes in items.items()
    )
    asked = [item for construct in constructs for item in construct.items]
    asked += [
        Item("mails", COUNT, role="control"),
        Item("orders", COUNT, role="control"),
        Item("kind", KIND, role="control"),
    ]
    return Codebook("small", constructs, tuple(asked), tuple(ExpectedPath(y, x, 1) for y, x in paths), **others)


def study(book: Codebook, answers: pd.DataFrame, **options: object) -> Study:
    responses = Responses(book, answers, pd.DataFrame(), pd.DataFrame())
    kept = Screened(answers, pd.DataFrame({"row": []}), Rules(), "report-only", len(answers))
    return Study(responses, kept, **options)


def measured(factors: dict[str, np.ndarray], rng: np.random.Generator, loading: float = 0.8) -> pd.DataFrame:
    """Three items a factor, all of variance 1."""
    return pd.DataFrame(
        {
            f"{name}{k}": loading * values + np.sqrt(1 - loading**2) * rng.standard_normal(len(values))
            for name, values in factors.items()
            for k in (1, 2, 3)
        }
    )


def items(*names: str) -> dict[str, list[str]]:
    return {name: [f"{name}{k}" for k in (1, 2, 3)] for name in names}


# --- joint effects ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("take", "truth"),
    [
        (least, [0.2, 0.2, 0.2]),
        (least, [0.0, 0.5, 0.5]),
        (least, [-0.1, 0.0, 0.1]),
        (largest, [0.0, 0.0, 0.0]),
        (largest, [0.3, -0.3, 0.0]),
        (largest, [0.05, 0.0, -0.6]),
    ],
)
def test_joint_intervals_hold_the_truth(take, truth):
    """Two thousand draws of three correlated estimates: never above the error rate within four Monte Carlo errors."""
    rng, alpha, draws = np.random.default_rng(5), 0.10, 2000
    se = np.array([0.1, 0.15, 0.2])
    correlation = np.full((3, 3), 0.3) + 0.7 * np.eye(3)
    estimates = rng.multivariate_normal(truth, correlation * np.outer(se, se), draws)
    ends = np.array([take(e, normal(e, se), 100, alpha=alpha).interval for e in estimates])
    value = min(truth) if take is least else np.abs(truth).max()
    missed_low, missed_high = (ends[:, 0] > value).mean(), (ends[:, 1] < value).mean()
    error = 4 * np.sqrt(alpha / 2 / draws)
    assert missed_low <= alpha / 2 + error
    assert missed_high <= alpha / 2 + error


def test_one_effect_is_its_own_least():
    found = least([0.3], normal([0.3], [0.1]), 50, alpha=0.05, p_values=[0.0027])
    low, high = normal([0.3], [0.1])(0.95)
    assert found.interval == pytest.approx((low[0], high[0]), rel=1e-12)
    assert found.equivalence_interval == pytest.approx((0.3 - 0.16449, 0.3 + 0.16449), abs=1e-5)
    assert (found.level, found.equivalence_level, found.n, found.which) == (0.95, 0.90, 50, 0)
    assert found.p_value == pytest.approx(0.0027)


@pytest.mark.parametrize("seed", range(20))
def test_the_interval_of_the_least_and_its_p_value_say_the_same(seed):
    from scipy.special import ndtr

    rng = np.random.default_rng(seed)
    e, se = rng.normal(0.1, 0.3, 4), rng.uniform(0.05, 0.15, 4)
    found = least(e, normal(e, se), 100, alpha=0.05, p_values=2 * ndtr(-np.abs(e / se)))
    low, high = found.interval
    assert (low > 0 or high < 0) == (found.p_value < 0.05)


def test_bootstrap_percentiles_serve_as_well():
    draws = np.random.default_rng(3).normal([0.2, 0.4], 0.1, (4000, 2))
    found = least([0.2, 0.4], lambda level: np.quantile(draws, [(1 - level) / 2, (1 + level) / 2], axis=0), 80)
    assert found.interval == pytest.approx((np.quantile(draws[:, 0], 0.025), np.quantile(draws[:, 0], 0.9875)))
    assert (found.estimate, found.p_value) == (0.2, None)


def test_joint_effects_refuse_what_is_no_effect():
    with pytest.raises(DataError, match=r"the effects to compare are \[nan\]; allowed"):
        least([np.nan], normal([0.0], [1.0]), 10)
    with pytest.raises(ParameterError, match=r"alpha is 0.7; allowed: a number in \(0, 0.5\)"):
        largest([0.1], normal([0.1], [1.0]), 10, alpha=0.7)


# --- moderation -------------------------------------------------------------------------------------------------------

MODERATED = codebook(
    items("x", "w", "m", "y"), [("w", "x"), ("y", "x"), ("y", "w")], moderations=(Moderation("y", "x", "m", 1),)
)


def respondents(n: int, seed: int, product: float = 0.2) -> pd.DataFrame:
    """All factors of variance 1, so that what is put in is the standardised solution."""
    rng = np.random.default_rng(seed)
    x, m = rng.multivariate_normal([0, 0], [[1, 0.3], [0.3, 1]], n).T
    w = 0.4 * x + np.sqrt(1 - 0.16) * rng.standard_normal(n)
    linear = np.array([0.3, 0.2, 0.3])  # of x, m, w
    R = np.array([[1, 0.3, 0.4], [0.3, 1, 0.12], [0.4, 0.12, 1]])
    rest = 1 - linear @ R @ linear - product**2 * (1 + 0.3**2)
    y = np.column_stack([x, m, w]) @ linear + product * x * m + np.sqrt(rest) * rng.standard_normal(n)
    return measured({"x": x, "w": w, "m": m, "y": y}, rng)


def test_a_moderation_is_recovered():
    found = moderations(study(MODERATED, respondents(3000, 1)))
    (one,) = found.tested
    assert abs(one.effect.estimate - 0.2) < 3 * one.effect.standard_error < 0.1
    for at in (-1, 0, 1):
        assert abs(one.slope(at).estimate - (0.3 + 0.2 * at)) < 3 * one.slope(at).standard_error
    row = found.summary().iloc[0]
    assert (row["std"], row["p"]) == pytest.approx((one.effect.estimate, one.effect.p_value), rel=1e-12)
    assert row["n"] == 3000
    assert row["low"] > 0
    assert found.slopes()["at"].tolist() == [-1.0, 0.0, 1.0]
    assert one.effect.p_value < 0.001


@pytest.mark.slow
def test_errors_of_the_standardised_product_are_those_of_resampling():
    answers = respondents(600, 2)
    (one,) = moderations(study(MODERATED, answers)).tested
    rng, entry = np.random.default_rng(1), MODERATED.moderations[0]
    again = [
        moderation(study(MODERATED, answers.iloc[rng.integers(600, size=600)].reset_index(drop=True)), entry)
        for _ in range(60)
    ]
    spread = np.std([[e.effect.estimate, e.slope(1).estimate] for e in again], axis=0, ddof=1)
    ours = [one.effect.standard_error, one.slope(1).standard_error]
    assert spread == pytest.approx(ours, rel=0.35)  # sixty resamples: standard error 9 per cent


def test_without_a_product_its_interval_holds_zero():
    (one,) = moderations(study(MODERATED, respondents(1500, 3, product=0.0))).tested
    low, high = one.effect.interval()
    assert low < 0 < high
    assert one.effect.p_value > 0.05


def test_the_submodel_agrees_with_the_whole_model():
    answers, entry = respondents(1500, 4), MODERATED.moderations[0]
    _, data, _ = submodel(study(MODERATED, answers), entry)
    whole = MODERATED.model().replace("y ~ x + w", "y ~ x + w + m + product")
    fit = semfit.fit(f"{whole}\nproduct =~ x1.m1 + x2.m2 + x3.m3", data, estimator="MLR")
    theirs = fit.estimates.query("op == '~' and lhs == 'y'").set_index("rhs")[["est", "se"]]
    ours = moderation(study(MODERATED, answers), entry).fit.estimates.query("op == '~'").set_index("rhs")
    np.testing.assert_allclose(ours.loc[theirs.index, "est"], theirs["est"], atol=0.1 * theirs["se"].min())
    np.testing.assert_allclose(ours.loc[theirs.index, "se"], theirs["se"], rtol=0.05)


def test_slopes_are_those_of_semtools_in_standard_deviations():
    """``interaction.R`` of semfit's tests (semTools 0.5-6) probes the same model of Holzinger's pupils."""
    known = pd.DataFrame(json.loads((REFERENCE / "interaction.json").read_text())["slopes"])
    scales = {"visual": ["x1", "x2", "x3"], "textual": ["x4", "x5", "x6"], "speed": ["x7", "x8", "x9"]}
    book = codebook(
        scales, [("speed", "visual"), ("speed", "textual")], moderations=(Moderation("speed", "visual", "textual", 1),)
    )
    pupils = pd.read_csv(REFERENCE / "data" / "holzinger_swineford.csv")
    (one,) = moderations(study(book, pupils)).tested
    sd = {name: np.sqrt(variance) for name, variance in one.fit.variances_at(one.fit.theta).items()}
    ours = [one.slope(at / sd["textual"]).estimate * sd["speed"] / sd["visual"] for at in known.iloc[:, 0]]
    np.testing.assert_allclose(ours, known.iloc[:, 1], atol=1e-5)


def test_missing_answers_leave_the_products_to_full_information():
    answers = respondents(2000, 1)
    holes = answers.mask(np.random.default_rng(9).random(answers.shape) < 0.05)
    (one,) = moderations(study(MODERATED, holes)).tested
    assert one.fit.options["missing"] == "fiml"
    assert one.fit.nobs == 2000
    assert abs(one.effect.estimate - 0.2) < 3 * one.effect.standard_error


def test_ordered_answers_are_taken_as_numbers():
    cut = respondents(400, 5).apply(lambda column: pd.Series(np.digitize(column, [-1, 0, 1]) + 1.0))
    (one,) = moderations(study(MODERATED, cut, estimator="WLSMV")).tested
    assert one.fit.estimator == "MLR"


def test_surplus_items_of_a_longer_scale_have_no_product():
    book = codebook(
        {**items("x", "w", "y"), "m": ["m1", "m2"]},
        [("y", "x"), ("y", "w")],
        moderations=(Moderation("y", "x", "m", 1),),
    )
    text, data, codes = submodel(study(book, respondents(50, 1)), book.moderations[0])
    assert "product =~ x1.m1 + x2.m2\n" in text
    assert codes[-2:] == ["x1.m1", "x2.m2"]
    assert set(codes) <= set(data.columns)


def test_moderation_needs_a_statement_and_answers_that_vary():
    answers = respondents(100, 1)
    none = moderations(study(replace(MODERATED, moderations=()), answers))
    assert isinstance(none, NotTestable)
    assert "states no moderation" in none.reason
    found = moderations(study(MODERATED, answers.assign(m2=4.0)))
    assert (found.tested, len(found.slopes())) == ([], 0)
    assert "100 values of m2 cannot carry" in found.summary().loc[0, "reason"]
    few = moderations(study(MODERATED, answers.iloc[:14])).summary().loc[0, "reason"]
    assert few.startswith("14 respondents")
    assert nbproof.Catalogue("zh", *surveysem.LOCALE.glob("*.zh.po"))(few).startswith(ZH["few"])
    fewer_than_parameters = moderations(study(MODERATED, answers.iloc[:30])).summary().loc[0, "reason"]
    assert "no proper solution" in fewer_than_parameters


# --- moderated mediation ----------------------------------------------------------------------------------------------


def through(scales: dict[str, list[str]], second: bool) -> Codebook:
    """From x by way of w to y, the first or the second path moderated by m."""
    entry = Moderation("y", "w", "m", 1) if second else Moderation("w", "x", "m", 1)
    one = Labelled("H1", "y", "x", "m", "w", second=second)
    return codebook(scales, [("w", "x"), ("y", "x"), ("y", "w")], moderations=(entry,), hypotheses=(one,))


def mediating(n: int, seed: int, second: bool, loading: float = 0.8) -> pd.DataFrame:
    """Factors of variance 1: w = .4 x + .2 m and y = .2 x + .5 w, with .3 of the product in one of them."""
    rng = np.random.default_rng(seed)
    x, m = rng.standard_normal((2, n))
    w = 0.4 * x + 0.2 * m + 0.3 * x * m * (not second)
    w += np.sqrt(1 - 0.2 - 0.09 * (not second)) * rng.standard_normal(n)
    y = 0.2 * x + 0.5 * w + 0.3 * m * w * second
    y += np.sqrt(1 - np.var(y)) * rng.standard_normal(n)
    return measured({"x": x, "w": w, "m": m, "y": y}, rng, loading)


@pytest.mark.parametrize("second", [False, True])
def test_a_moderated_mediation_is_recovered(second):
    """Index and conditional effects: (.4 + .3 z) .5, or .4 (.5 + .3 z)."""
    found = moderations(study(through(items("x", "w", "m", "y"), second), mediating(1500, 1, second), draws=200))
    ((one, effects),) = found.mediated.items()
    index = 0.4 * 0.3 if second else 0.3 * 0.5
    truth = [index, 0.2 - index, 0.2, 0.2 + index]
    low, high = effects.interval(0.999)
    assert np.all((low < truth) & (truth < high)), (low, high)
    assert np.all(high - low < 0.3)
    assert effects.estimates[1:] == pytest.approx(effects.estimates[2] + effects.estimates[0] * np.array([-1, 0, 1]))
    assert effects.p_values[0] < 0.02


@pytest.mark.parametrize("second", [False, True])
def test_of_items_without_error_the_index_is_that_of_two_regressions(second):
    """Hayes (2015): a3 b or a b3, here of standardised variables; its bootstrap error that of the same by hand."""
    answers = mediating(300, 2, second)
    scales = {name: [f"{name}1"] for name in "xwmy"}
    ((_, effects),) = moderations(study(through(scales, second), answers, draws=400)).mediated.items()
    product = "wm" if second else "xm"

    def by_hand(rows: pd.DataFrame) -> float:
        def slopes(outcome: str, names: list[str]) -> dict[str, float]:
            centred = rows - rows.mean()
            return dict(zip(names, np.linalg.lstsq(centred[names], centred[outcome], rcond=None)[0], strict=True))

        first = slopes("w", ["x"] if second else ["x", "m", "xm"])
        then = slopes("y", ["x", "w", "m", "wm"] if second else ["x", "w"])
        sd = rows.std(ddof=0)
        return (first["x"] * then["wm"] if second else first["xm"] * then["w"]) * sd["x"] * sd["m"] / sd["y"]

    rows = (answers - answers.mean())[[f"{name}1" for name in "xwmy"]].set_axis(list("xwmy"), axis=1)
    rows[product] = rows[product[0]] * rows["m"]
    assert effects.estimates[0] == pytest.approx(by_hand(rows), rel=1e-6)
    again = [by_hand(rows.sample(len(rows), replace=True, random_state=k)) for k in range(200)]
    assert effects.summary()["se"].iloc[0] == pytest.approx(np.std(again), rel=0.25)


def test_where_refits_fail_a_resample_takes_one_step():
    """Products of items that load .5 are hardly reliable: of refits, a part that is no fair sample has a solution."""
    answers = mediating(250, 3, False, loading=0.55)
    ((_, effects),) = moderations(study(through(items("x", "w", "m", "y"), False), answers, draws=100)).mediated.items()
    assert effects.method == "one-step"
    assert len(effects.draws) + effects.failed == 100
    assert effects.failed < 20


def test_a_hypothesis_of_moderated_mediation_is_decided_by_its_index():
    book = through(items("x", "w", "m", "y"), False)
    answers = mediating(800, 1, False)
    down = replace(book, paths=(*book.paths[:2], ExpectedPath("y", "w", -1)))
    for own, verdict in ((book, "supported"), (down, "contradicted")):
        tested = study(own, answers, draws=100)
        found = moderations(tested)
        (one,) = hypotheses.decide_all(tested, found)
        assert (one.path, one.verdict) == ("X → W → Y, by M (first path)", verdict)
        assert one.test.estimate == pytest.approx(found.mediated[one.hypothesis].estimates[0])
    table = hypotheses.mediation_table(tested, found)
    assert list(table) == ["label", "path", "effect", "estimate", "se", "low", "high", "p", "method"]
    assert table["method"].tolist() == ["refitted", "", "", ""]
    assert table["effect"].tolist() == list(MEDIATED)
    few = moderations(study(book, answers.iloc[:14]))
    assert hypotheses.mediation_table(tested, few)["reason"].str.startswith("14 respondents").tolist() == [True]


# --- contact frequency ------------------------------------------------------------------------------------------------

ASKED = codebook(items("x", "y"), [("y", "x")], contact=Contact("mails", "orders"))


def contacted(n: int, seed: int, rate, overdispersed: bool = False) -> pd.DataFrame:
    """Mails of mean 6, orders of a mean that depends on them; controls apart from both."""
    rng = np.random.default_rng(seed)
    mails = rng.negative_binomial(4, 0.4, n)
    mean = rate(mails) * (rng.gamma(2, 0.5, n) if overdispersed else 1)
    blank = measured({"x": rng.standard_normal(n), "y": rng.standard_normal(n)}, rng)
    return blank.assign(
        mails=mails.astype(float), orders=rng.poisson(mean).astype(float), kind=rng.integers(1, 4, n).astype(float)
    )


def inverted(mails):
    return np.exp(0.5 + 0.32 * mails - 0.02 * mails**2)  # turns at 8


def test_an_inverted_u_of_overdispersed_counts_is_recovered():
    found = contact_frequency(study(ASKED, contacted(1500, 1, inverted, overdispersed=True)))
    low, high = found.turning_interval()
    assert low < 8 < high < low + 2
    for at in found.ends:
        truth = found.sd * (0.32 - 0.04 * at)
        assert abs(found.slope(at).estimate - truth) < 3 * found.slope(at).standard_error
    assert found.interior().interval[0] > 0
    assert max(found.p_value, found.lines.p_value) < 0.001
    assert abs(found.lines.at - 8) < 3


def test_the_test_of_lind_and_mehlum_is_that_of_a_regression_by_hand():
    import statsmodels.formula.api as smf

    answers = contacted(800, 2, inverted)
    found = contact_frequency(study(ASKED, answers))
    by_hand = smf.poisson("orders ~ mails + I(mails**2)", answers).fit(disp=0, cov_type="HC0")
    b, V = by_hand.params, by_hand.cov_params() * 800 / (800 - len(by_hand.params))  # HC1
    for at, one in zip(answers["mails"].quantile([0.05, 0.95]), map(found.slope, found.ends), strict=True):
        weight = pd.Series({"mails": 1.0, "I(mails ** 2)": 2 * at})
        error = np.sqrt(weight @ V.loc[weight.index, weight.index] @ weight)
        hand = found.sd * np.array([weight @ b[weight.index], error])
        assert (one.estimate, one.standard_error) == pytest.approx(tuple(hand), rel=1e-4)
    low, high = map(found.slope, found.ends)
    joint = found.interior()
    assert joint.estimate == min(low.estimate, -high.estimate)
    assert joint.p_value == pytest.approx(2 * found.p_value)
    assert found.turning_point == pytest.approx(-b["mails"] / (2 * b["I(mails ** 2)"]), rel=1e-4)


@pytest.mark.parametrize("seed", range(8))
def test_fieller_s_interval_says_what_the_test_says(seed):
    """Lind & Mehlum (2010): inside the range at level 1 - 2 alpha exactly where the test rejects at alpha."""
    found = contact_frequency(study(ASKED, contacted(150, seed, lambda m: np.exp(0.5 + 0.2 * m - 0.01 * m**2))))
    low, high = found.turning_interval(0.90)
    inside = found.ends[0] < low and high < found.ends[1]
    assert inside == (found.p_value < 0.05)


def test_a_rise_that_levels_off_is_no_inverted_u_by_two_lines():
    """A quadratic must bend back somewhere; two lines need not (Simonsohn 2018)."""
    found = contact_frequency(study(ASKED, contacted(3000, 3, lambda m: 8 * (1 - np.exp(-0.5 * m)) + 0.2)))
    assert found.p_value < 0.001
    assert found.lines.p_value > 0.05
    rows = found.summary().set_index(["method", "side"])
    assert rows.loc[("two lines", "low"), "low"] > 0
    assert rows["p"].between(0, 1).all()


def test_a_straight_rise_turns_nowhere():
    found = contact_frequency(study(ASKED, contacted(1000, 4, lambda m: np.exp(0.2 + 0.05 * m))))
    assert found.turning_interval(0.999) == (-np.inf, np.inf)
    assert found.interior().interval[1] < 0 or found.interior().estimate < 0
    assert found.p_value > 0.05


def test_the_spline_is_linear_outside_and_cubic_inside():
    from surveysem.contact import _spline

    knots = np.array([0.0, 1.0, 2.0, 4.0])
    grid = np.concatenate([np.linspace(-3, 0, 30), np.linspace(4, 7, 30)])
    bent = np.diff(_spline(grid, knots), 2, axis=0)
    assert np.abs(np.delete(bent, [28, 29], axis=0)).max() < 1e-12  # no bend on either side of the knots
    smooth = _spline(np.array([1.0, 1 - 1e-4, 1 + 1e-4]), knots)
    assert np.abs(smooth[1] + smooth[2] - 2 * smooth[0]).max() < 1e-7


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"mails": 3.0}, "with 1 frequencies"), ({"orders": 2.0}, "1 counts"), ({"orders": np.nan}, "0 respondents")],
)
def test_contact_needs_answers_that_vary(change, reason):
    found = contact_frequency(study(ASKED, contacted(100, 1, inverted).assign(**change)))
    assert isinstance(found, NotTestable)
    assert reason in found.reason


def test_contact_needs_a_statement_and_enough_respondents():
    answers = contacted(100, 1, inverted)
    found = contact_frequency(study(MODERATED, respondents(100, 1)))
    assert "names no contact frequency" in found.reason
    assert "25 respondents" in contact_frequency(study(ASKED, answers.iloc[:25])).reason


# --- platforms --------------------------------------------------------------------------------------------------------

BY_KIND = codebook(items("x", "z", "y"), [("z", "x"), ("y", "x"), ("y", "z")], group="kind")


def of_kind(code: int, n: int, rng: np.random.Generator, path: float = 0.3, loading: float = 0.8) -> pd.DataFrame:
    """Factors of variance 1 with y ~ path x + .3 z, z ~ .4 x; ``loading`` is that of x2 alone."""
    x = rng.standard_normal(n)
    z = 0.4 * x + np.sqrt(1 - 0.16) * rng.standard_normal(n)
    rest = 1 - path**2 - 0.09 - 2 * path * 0.3 * 0.4
    y = path * x + 0.3 * z + np.sqrt(rest) * rng.standard_normal(n)
    answers = measured({"x": x, "z": z, "y": y}, rng)
    answers["x2"] = loading * x + 0.6 * rng.standard_normal(n)
    return answers.assign(kind=float(code))


def two_kinds(seed: int, n: int = 1000, **second: float) -> pd.DataFrame:
    """The interaction mode first, so that the order of the file is not that of the codebook."""
    rng = np.random.default_rng(seed)
    return pd.concat([of_kind(2, n, rng, **second), of_kind(1, n, rng)], ignore_index=True)


def test_a_path_that_differs_between_groups_is_found():
    found = compare_groups(study(BY_KIND, two_kinds(1, path=0.0)))
    table = found.summary().set_index(["outcome", "predictor"])
    row = table.loc[("y", "x")]
    assert (row["group"], row["other"], found.sizes) == ("content", "interaction", (1000, 1000))
    assert abs(row["difference"] - 0.3) < 3 * row["se"]
    assert row["difference"] == pytest.approx(row["std"] - row["std_other"])
    assert (table["p"] < 0.001).tolist() == [False, True, False]
    assert found.equality.pvalue < 0.001
    joint = found.largest()
    assert (joint.which, joint.estimate) == (1, pytest.approx(row["difference"], rel=1e-12))
    assert joint.interval[0] > 0.1
    assert found.largest(["z"]).estimate == pytest.approx(abs(table.loc[("z", "x"), "difference"]), rel=1e-12)
    table = measured_alike(study(BY_KIND, two_kinds(1, path=0.0))).table.reset_index()
    assert [LEVELS[level] for level in table["level"]] == [
        "configural invariance",
        "metric invariance",
        "scalar invariance",
    ]
    assert set(LADDER_HEADS) == set(table)


def test_differences_are_those_of_groups_fitted_alone():
    """Equal loadings aside, two groups share nothing: standardised paths and errors of single fits come close."""
    answers = two_kinds(2, path=0.1)
    found = compare_groups(study(BY_KIND, answers))
    fits = [semfit.fit(BY_KIND.model(), part, estimator="MLR") for _, part in answers.groupby("kind")]
    alone = [fit.standardized.query("op == '~'").set_index(["lhs", "rhs"]) for fit in fits]
    ours = found.summary().set_index(["outcome", "predictor"])
    np.testing.assert_allclose(
        ours["difference"], (alone[0]["std_all"] - alone[1]["std_all"]).loc[ours.index], atol=0.01
    )
    np.testing.assert_allclose(ours["se"], np.hypot(alone[0]["se"], alone[1]["se"]).loc[ours.index], rtol=0.02)


@pytest.mark.slow
def test_wald_s_test_of_equal_paths_keeps_its_size():
    p = [compare_groups(study(BY_KIND, two_kinds(seed, n=250))) for seed in range(30)]
    p = np.array([one.equality.pvalue for one in p if not isinstance(one, NotTestable)])
    assert len(p) >= 28
    assert 0.3 < p.mean() < 0.7  # uniform under the null: mean 1/2, standard error .053
    assert (p < 0.05).mean() <= 0.2


def test_paths_are_not_compared_where_items_load_differently():
    """Two items a construct stay equal, so that neither of two may be let go."""
    rng = np.random.default_rng(4)
    answers = pd.concat([of_kind(1, 600, rng), of_kind(2, 600, rng, loading=-0.2)], ignore_index=True)
    book = codebook({**items("z", "y"), "x": ["x1", "x2"]}, [("y", "x"), ("y", "z")], group="kind")
    alike = partially_alike(study(book, answers))
    assert (list(alike.ladder.fits), len(alike.freed)) == (["configural"], 0)
    found = compare_groups(study(book, answers), alike)
    assert isinstance(found, NotTestable)
    assert "with equal loadings the fit falls" in found.reason
    assert re.search(r"that of x2 differs most \(0\.[78]\d, -0\.3\d\)", found.reason)  # .8 and -.316 put in


def test_groups_whose_items_follow_other_constructs_are_not_compared():
    """Every construct's third item measures the next construct in both groups."""
    mixed = two_kinds(8, n=300)
    mixed[["x3", "z3", "y3"]] = mixed[["z3", "y3", "x3"]].to_numpy()
    found = measured_alike(study(BY_KIND, mixed))
    assert isinstance(found, NotTestable)
    assert re.search(r"nothing is held equal \(CFI 0\.[0-8]\d\d, RMSEA 0\.[1-9]\d\d, p < \.001\)", str(found.reason))
    assert compare_groups(study(BY_KIND, mixed)) == found


def test_items_that_load_or_stand_otherwise_are_let_go():
    """The first item of x, which sets the scale, loads otherwise in one kind; the second of y stands higher there."""
    answers = two_kinds(1, path=0.0)
    other = answers["kind"] == 2
    answers.loc[other, "x1"] *= 0.4
    answers.loc[other, "y2"] += 0.8
    whole = measured_alike(study(BY_KIND, answers))
    assert whole.highest == "configural"
    alike = partially_alike(study(BY_KIND, answers))
    assert alike.freed[["level", "construct", "item"]].values.tolist() == [["metric", "x", "x1"], ["scalar", "y", "y2"]]
    assert alike.ladder.highest == "scalar"
    table = compare_groups(study(BY_KIND, answers), alike).summary().set_index(["outcome", "predictor"])
    untouched = compare_groups(study(BY_KIND, two_kinds(1, path=0.0))).summary().set_index(["outcome", "predictor"])
    np.testing.assert_allclose(table["difference"], untouched["difference"], atol=0.03)
    means = compare_means(study(BY_KIND, answers), alike).set_index("construct")
    assert means.loc["Y", "size"] == pytest.approx(0, abs=0.1)  # with y2 it would be .3
    assert means.loc["Y", "mean_2"] == pytest.approx(answers.loc[other, ["y1", "y3"]].to_numpy().mean())


def test_a_permuted_difference_is_that_of_a_fit_to_the_same_division():
    answers = two_kinds(3, n=300, path=0.0)
    one = study(BY_KIND, answers, draws=99)
    found = compare_groups(one)
    p = dict(zip(found.summary()[["outcome", "predictor"]].agg("~".join, axis=1), permuted(one, found), strict=True))
    drawn, rng = [], np.random.default_rng(8)
    for _ in range(40):
        mixed = answers.assign(kind=rng.permutation(answers["kind"]))
        fit = semfit.fit(BY_KIND.model(), mixed.sort_values("kind"), group="kind", group_equal=("loadings",))
        paths = fit.standardized.query("op == '~'").pivot(index=["lhs", "rhs"], columns="group", values="std_all")
        drawn.append((paths[1] - paths[2]).abs())
    observed = found.summary().set_index(["outcome", "predictor"])["difference"].abs()
    for key, larger in (pd.concat(drawn, axis=1).ge(observed.rename_axis(["lhs", "rhs"]), axis=0)).mean(axis=1).items():
        assert p["~".join(key)] == pytest.approx(larger, abs=0.25)  # 99 and 40 divisions: three standard errors
    assert p["y~x"] <= 0.03


def test_three_groups_are_permuted_in_pairs():
    rng = np.random.default_rng(5)
    answers = pd.concat([of_kind(code, 150, rng, path=path) for code, path in ((1, 0.4), (2, 0.4), (3, -0.3))])
    one = study(BY_KIND, answers.reset_index(drop=True), draws=99)
    found = compare_groups(one)
    table = found.summary().assign(permuted=permuted(one, found)).query("outcome == 'y' and predictor == 'x'")
    assert (table["permuted"] < 0.05).tolist() == [False, True, True]
    holes = answers.reset_index(drop=True).mask(np.random.default_rng(9).random(answers.shape) < 0.01)
    few = study(BY_KIND, holes.assign(kind=answers["kind"].to_numpy()), draws=99)
    assert "takes whole answers" in permuted(few, compare_groups(few)).reason


def test_three_groups_are_compared_in_pairs():
    rng = np.random.default_rng(5)
    answers = pd.concat([of_kind(code, 400, rng, path=path) for code, path in ((1, 0.3), (2, 0.3), (3, -0.2))])
    found = compare_groups(study(BY_KIND, answers.reset_index(drop=True)))
    assert (len(found.summary()), found.equality.df) == (9, 6)
    assert {found.summary().iloc[found.largest().which][key] for key in ("group", "other")} >= {"other"}


def test_the_size_of_three_groups_difference_is_omega_squared():
    """(SSB - df MSW) / (SST + MSW), Hays (1963); of equal means it is 0."""
    rng = np.random.default_rng(4)
    answers = pd.concat([of_kind(code, 300, rng) for code in (1, 2, 3)], ignore_index=True)
    answers.loc[answers["kind"] == 3, ["x1", "x2", "x3"]] += 0.6
    one = study(BY_KIND, answers)
    means = compare_means(one, partially_alike(one)).set_index("construct")
    for construct, codes in (("X", ["x1", "x2", "x3"]), ("Y", ["y1", "y2", "y3"])):
        scores = answers[codes].mean(axis=1)
        within = ((scores - scores.groupby(answers["kind"]).transform("mean")) ** 2).sum()
        total, spread = ((scores - scores.mean()) ** 2).sum(), within / 897
        omega = max(0.0, (total - within - 2 * spread) / (total + spread))
        assert means.loc[construct, "size"] == pytest.approx(omega, rel=1e-9, abs=1e-12)
    assert means.loc["X", "size"] > 0.05 > means.loc["Y", "size"]


def test_ordered_answers_take_the_ordinal_ladder():
    answers = two_kinds(6, n=500, path=-0.1)
    cut = answers.drop(columns="kind").apply(lambda column: pd.Series(np.digitize(column, [-1, 0, 1]) + 1.0))
    found = compare_groups(study(BY_KIND, cut.assign(kind=answers["kind"]), estimator="WLSMV"))
    assert list(found.ladder.fits) == ["configural", "thresholds", "loadings"]  # means are not compared
    row = found.summary().iloc[1]
    assert abs(row["difference"] - 0.4) < 3 * row["se"]
    assert found.fit.test.df > found.ladder.fits["loadings"].test.df - 1


def test_a_group_too_small_to_be_compared_is_said_to_be_left_out():
    answers = two_kinds(1, n=250)
    few = answers.assign(kind=np.where(answers.index < 5, 3.0, answers["kind"]))
    found = compare_groups(study(BY_KIND, few))
    assert (len(found.groups), found.left_out) == (2, 5)


def test_platforms_need_groups():
    answers = two_kinds(7, n=60)
    assert "names no question" in compare_groups(study(replace(BY_KIND, group=""), answers)).reason
    one = compare_groups(study(BY_KIND, answers.assign(kind=2.0)))
    assert "The groups of kind are too small." in one.reason
    assert "interaction 120 of 120; in two groups more than 9 are needed" in one.reason
    few = compare_groups(study(BY_KIND, answers.assign(kind=np.where(answers.index < 5, 1.0, 2.0))))
    assert "content 5 of 5, interaction 115 of 115" in few.reason
    assert "Incomplete" not in few.reason


def test_what_keeps_groups_from_being_compared_names_group_and_item():
    answers = two_kinds(7, n=60).round()
    first = answers["kind"] == 1
    flat = study(BY_KIND, answers.assign(z1=np.where(first, 1.0, answers["z1"])))
    assert "In the group content the answers to z1 do not differ (60 were given)." in measured_alike(flat).reason
    lone = study(BY_KIND, answers.assign(z1=answers["z1"].mask(first & (answers.index % 2 == 0))))
    assert not isinstance(measured_alike(lone), NotTestable)
    codes = answers.drop(columns="kind").clip(-1, 1).assign(kind=answers["kind"])
    never = study(BY_KIND, codes.assign(z1=codes["z1"].mask(first & (codes["z1"] == -1), 0.0)), estimator="WLSMV")
    assert (
        "In the group content nobody answered z1 by \N{MINUS SIGN}1, which others did" in compare_groups(never).reason
    )
    holes = study(BY_KIND, codes.assign(z1=codes["z1"].mask(first)), estimator="WLSMV")
    said = measured_alike(holes).reason
    assert "content 0 of 60, interaction 60 of 60; in two groups more than 9" in said
    assert "left out most often: z1 (60 times). Do without this question, or estimate by MLR" in said
    torn = study(BY_KIND, answers.assign(z1=answers["z1"].mask(first & (answers.index % 9 > 0))))
    assert "Too few answers stand together for a test of the model" in measured_alike(torn).reason


def test_an_interval_without_ends_is_said_to_have_none():
    found = InvertedU("mails", "orders", 6.0, 4.0, (1.0, 13.0), np.array([0.0, -0.19]), np.eye(2) / 100, 300, None)
    assert found.p_value < 0.05
    assert found.turning_interval() == (-np.inf, np.inf)
    assert found.turning_point == 6.0
