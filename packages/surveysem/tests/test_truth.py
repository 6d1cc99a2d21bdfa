"""The stated truth: what is drawn follows it, and what should be found in it has a closed form."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from books import HANOI, LARGE, TRUTH_OF_LARGE
from scipy import stats

import surveysem
from semfit import population_moments
from surveysem import ContactCurve, Truth, contact_truth, draw_respondents, true_values
from surveysem.errors import ParameterError, UnknownNameError
from surveysem.synthetic import draw_constructs

N = 100_000
CHANCE = 5 / np.sqrt(N)  # five standard errors of a correlation


@pytest.fixture(scope="module")
def book():
    return surveysem.load_codebook(LARGE)


@pytest.fixture(scope="module")
def truth():
    return surveysem.read_truth(TRUTH_OF_LARGE, surveysem.load_codebook(LARGE))


def drawn(truth: Truth, seed: int = 1, group: np.ndarray | None = None) -> pd.DataFrame:
    groups = np.zeros(N) if group is None else group
    return pd.DataFrame(draw_constructs(truth, groups, np.random.default_rng(seed)))


def slopes(frame: pd.DataFrame, outcome: str, terms: dict[str, np.ndarray]) -> dict[str, float]:
    names = list(terms)
    found = np.linalg.lstsq(np.column_stack([*terms.values(), np.ones(len(frame))]), frame[outcome], rcond=None)[0]
    return dict(zip(names, found, strict=False))


def values(truth: Truth, kind: str, answers: pd.DataFrame | None = None) -> pd.Series:
    found = true_values(truth, answers)
    return found[found["kind"] == kind].set_index(["outcome", "predictor"])["value"]


def test_constructs_have_the_covariances_that_the_structure_states(book):
    """Two moderated outcomes, one of which another depends on: their covariances come from Isserlis' theorem."""
    truth = Truth(book, moderations={"stickiness": {"emotion * tie": 0.3, "satisfaction * price": -0.2},
                                     "sharing": {"trust * tie": 0.3}})  # fmt: skip
    S = truth.structures[0].covariance
    frame = drawn(truth)
    for term in [name for name in S if "*" in name]:
        a, b = term.split(" * ")
        frame[term] = frame[a] * frame[b] - S.at[a, b]
    rows = frame[list(S)].to_numpy()
    assert rows.mean(0) == pytest.approx(0, abs=2 * CHANCE)
    assert np.cov(rows.T) == pytest.approx(S.to_numpy(), abs=3 * CHANCE)
    assert np.diag(S.loc[list(book.scales), list(book.scales)]) == pytest.approx(1)
    assert S.at["emotion * tie", "trust * tie"] != 0


def test_latent_answers_have_the_moments_of_the_population_text(book):
    names, _, covariance = population_moments(Truth(book).population())
    S = Truth(book).pooled.covariance
    at = [names.index(codes[0]) for codes in book.scales.values()]
    within = covariance[np.ix_(at, at)] / 0.75**2
    np.fill_diagonal(within, 1.0)
    assert within == pytest.approx(S.loc[list(book.scales), list(book.scales)].to_numpy(), abs=1e-12)


def test_least_squares_finds_paths_and_moderation_among_the_constructs(truth):
    frame = drawn(truth)
    for outcome, terms in truth.structures[0].terms.items():
        columns = {term: frame[term] if "*" not in term else frame[term.split(" * ")].prod(axis=1) for term in terms}
        assert slopes(frame, outcome, columns) == pytest.approx(terms, abs=CHANCE)
    found = values(truth, "moderation")
    assert found.to_list() == pytest.approx([0.2, 0.0], rel=1e-12, abs=0)
    assert values(truth, "path").to_dict() == {
        (outcome, name): b for outcome, predictors in truth.paths.items() for name, b in predictors.items()
    }


def test_groups_differ_as_stated_and_pool_to_the_path_between(book):
    truth = Truth(book, differences={"stickiness": {"trust": 0.2}, "repurchase": {"benefit": -0.1}})
    group = np.arange(N) % 2
    frame = drawn(truth, group=group)
    halves = [slopes(part, "stickiness", {name: part[name] for name in truth.paths["stickiness"]})
              for _, part in frame.groupby(group)]  # fmt: skip
    assert halves[1]["trust"] - halves[0]["trust"] == pytest.approx(0.2, abs=3 * CHANCE)
    assert [frame[group == k].var().to_numpy() for k in (0, 1)] == [pytest.approx(1, abs=3 * CHANCE)] * 2
    pooled = slopes(frame, "stickiness", {name: frame[name] for name in truth.paths["stickiness"]})
    assert pooled == pytest.approx(values(truth, "path")["stickiness"].to_dict(), abs=2 * CHANCE)
    assert pooled["trust"] == pytest.approx(0.35, abs=0.02)
    differences = values(truth, "difference")
    assert differences[differences != 0].to_dict() == pytest.approx(
        {("stickiness", "trust"): 0.2, ("repurchase", "benefit"): -0.1}, rel=1e-12
    )
    answers = draw_respondents(truth, 200, seed=1).responses.answers
    assert set(answers["PLATFORM"]) == {1, 2}


def test_indirect_effects_are_sums_over_ways(truth):
    found, p = values(truth, "indirect"), truth.paths
    through = p["repurchase"]["trust"] + p["stickiness"]["trust"] * p["repurchase"]["stickiness"]
    for name in ("quality", "security", "brand", "interaction"):
        assert found["repurchase", name] == pytest.approx(p["trust"][name] * through)
        assert found["sharing", name] == 0
    for name in ("logistics", "service", "personalisation", "segmentation", "intrusiveness"):
        way = p["satisfaction"][name] * p["stickiness"]["satisfaction"] * p["repurchase"]["stickiness"]
        assert found["repurchase", name] == pytest.approx(way)
        assert found["sharing", name] == pytest.approx(p["satisfaction"][name] * p["sharing"]["satisfaction"])
    assert found["repurchase", "segmentation"] == 0
    straight = replace(truth, effects={**p, "sharing": {**p["sharing"], "logistics": 0.4}})
    assert values(straight, "indirect")["sharing", "logistics"] == pytest.approx(found["sharing", "logistics"])


def test_indirect_effects_agree_with_regressions_of_the_constructs(truth):
    """The total effect of a strategy, given all that no construct explains, is its indirect effect here."""
    frame, found = drawn(truth, seed=3), values(truth, "indirect")
    outside = [name for name in truth.codebook.scales if name not in truth.paths]
    for outcome in truth.codebook.outcomes:
        total = slopes(frame, outcome, {name: frame[name] for name in outside})
        by_regression = [total[name] for name in truth.codebook.strategies]
        assert by_regression == pytest.approx(found[outcome].to_list(), abs=CHANCE)


@pytest.mark.parametrize(
    "curve",
    [
        ContactCurve(driver="repurchase", slope=0.3),
        ContactCurve(peak=4.0, dispersion=0.0),
        ContactCurve(peak=30.0, drop=0.02, orders=20.0),
        ContactCurve(drop=0.0, overdispersion=0.0),
    ],
)
def test_count_regressions_find_the_contact_curve(book, curve):
    import statsmodels.api as sm

    answers = draw_respondents(Truth(book, contact=curve), 20_000, seed=4).cells
    contacts, orders = (answers[code].to_numpy(float) for code in ("PROMOTIONS", "ORDERS"))
    family = sm.families.NegativeBinomial(alpha=curve.dispersion) if curve.dispersion else sm.families.Poisson()
    fit = sm.GLM(orders, np.vander(contacts, 3, increasing=True), family=family).fit()
    low, high = np.quantile(contacts, (0.05, 0.95))
    ends = [np.array([0, 1, 2 * end]) * contacts.std(ddof=1) for end in (low, high)]
    found = min(ends[0] @ fit.params, -ends[1] @ fit.params)
    error = max(np.sqrt(end @ fit.cov_params() @ end) for end in ends)
    assert contact_truth(curve, contacts) == pytest.approx(found, abs=4 * error)
    assert contact_truth(curve) == pytest.approx(contact_truth(curve, contacts), abs=0.02)
    assert np.sign(contact_truth(curve)) == (0 if curve.drop == 0 else 1 if curve.peak < 20 else -1)
    assert contacts.mean() == pytest.approx(curve.contacts, abs=0.1)
    assert contacts.std() == pytest.approx(curve.sd, abs=0.1)


def test_orders_depend_on_the_driver_too(book):
    curve = ContactCurve(driver="repurchase", slope=0.5)
    answers = draw_respondents(Truth(book, contact=curve), 20_000, seed=7).cells
    rate = np.exp(curve.log_rate(answers["PROMOTIONS"].to_numpy(float))) * np.exp(0.5**2 / 2)  # lognormal mean
    assert answers["ORDERS"].mean() == pytest.approx(rate.mean(), rel=0.03)
    between = answers[["ORDERS", "REP1", "SHA1"]].astype(float).corr()["ORDERS"]
    assert between["REP1"] > 0.2 > between["SHA1"]


def test_the_contact_curve_is_read_at_the_percentiles_of_those_analysed(truth):
    answers = draw_respondents(truth, 300, seed=5).responses.answers
    curve, contacts = truth.contact, answers["PROMOTIONS"]
    low, high = contacts.quantile(0.05), contacts.quantile(0.95)
    by_hand = 2 * curve.drop / curve.sd**2 * contacts.std() * min(curve.peak - low, high - curve.peak)
    assert values(truth, "contact", answers)["ORDERS", "PROMOTIONS"] == pytest.approx(by_hand)
    low, high = stats.nbinom.ppf([0.05, 0.95], 5, 5 / 13)  # mean 8, size 5
    by_hand = 2 * curve.drop / curve.sd * min(curve.peak - low, high - curve.peak)
    assert values(truth, "contact")["ORDERS", "PROMOTIONS"] == pytest.approx(by_hand)
    with_missing = np.append(contacts.to_numpy(), np.nan)
    assert contact_truth(curve, with_missing) == pytest.approx(contact_truth(curve, contacts), rel=1e-12)


def test_without_a_curve_contacts_and_orders_are_apart_from_everything(book):
    answers = draw_respondents(Truth(book), 20_000, seed=6).responses.answers
    between = answers[["PROMOTIONS", "ORDERS", "REP1"]].corr().to_numpy()[np.triu_indices(3, 1)]
    assert between == pytest.approx(0, abs=5 / np.sqrt(20_000))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"moderations": {"repurchase": {"benefit * prize": 0.1}}}, "unknown construct 'prize'; did you mean 'price'"),
        (
            {"moderations": {"repurchase": {"benefit": 0.1}}},
            "moderation of repurchase is 'benefit'; allowed: 'predictor",
        ),
        ({"moderations": {"repurchase": {"price * price": 0.1}}}, "moderation of repurchase is 'price \\* price'"),
        (
            {"moderations": {"stickiness": {"emotion * tie": 0.1}, "repurchase": {"stickiness * price": 0.1}}},
            "moderation of repurchase: stickiness is moderated itself; allowed: factors that are not",
        ),
        (
            {"moderations": {"repurchase": {"benefit * price": 0.9}}},
            "the effects on repurchase explain all its variance",
        ),
        ({"effects": {"repurchase": {"benefit * price": 0.1}}}, "unknown construct 'benefit \\* price'"),
        ({"differences": {"sharing": {"benefit": 0.1}}}, "unknown path to sharing 'benefit'"),
        ({"differences": {"sharing": {"trust": 0.9}}}, "the effects on sharing explain all its variance"),
        ({"contact": ContactCurve(driver="repurchas")}, "unknown construct 'repurchas'; did you mean 'repurchase'"),
    ],
)
def test_an_impossible_truth(book, options, message):
    with pytest.raises((ParameterError, UnknownNameError), match=message):
        Truth(book, **options)


def test_a_truth_needs_what_its_codebook_names():
    hanoi = surveysem.load_codebook(HANOI)
    assert set(true_values(Truth(hanoi))["kind"]) == {"path"}
    with pytest.raises(ParameterError, match="the codebook names no contact; allowed: none"):
        Truth(hanoi, contact=ContactCurve())
    with pytest.raises(ParameterError, match="the codebook names no group; allowed: no difference"):
        Truth(hanoi, differences={"URG": {"HED": 0.1}})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"contacts": 0.0}, "contact contacts is 0.0; allowed: a number above 0"),
        ({"dispersion": -0.1}, "contact dispersion is -0.1; allowed: a number from 0"),
        ({"peak": np.inf}, "contact peak is inf; allowed: a finite number"),
    ],
)
def test_an_impossible_contact_curve(options, message):
    with pytest.raises(ParameterError, match=message):
        ContactCurve(**options)
