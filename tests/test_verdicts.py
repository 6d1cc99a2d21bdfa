"""The rules that turn a test into a verdict, boundaries included, and the correction for several tests."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from socialcommerce.errors import ParameterError, UnknownNameError
from socialcommerce.paper import CLASSES, EVIDENCE, Evidence, Family, Hypothesis, NumberRule, SmallestEffect
from socialcommerce.verdicts import (
    ALLOWED,
    OUTCOMES,
    HypothesisTest,
    NotTestable,
    Verdict,
    adjust,
    combine,
    decide,
)

WORDS = {"en": "something", "zh": "某事"}
PEOPLE, MODEL, SYNTHETIC, OFFICIAL = "public data set", "model", "synthetic sample", "official statistic"


def family(correction="none", alpha=0.05) -> Family:
    return Family("f", WORDS, alpha, correction)


def hypothesis(kind=PEOPLE, grade="direct", direction="positive", rule=None, **others) -> Hypothesis:
    return Hypothesis(id="H99", claims=("C01",), statement=WORDS, null=WORDS, direction=direction,
                      data=(Evidence("d", kind, grade),), family=family(), design=WORDS, part="sem",
                      smallest_effect=SmallestEffect(1.0, WORDS, WORDS), rule=rule, **others)


def made(kind=PEOPLE, grade="direct", estimate=0.0, interval=None, inner=None, level=0.95, **others) -> HypothesisTest:
    return HypothesisTest(estimate=estimate, n=10, unit=WORDS, method=WORDS, null=WORDS, evidence=kind, grade=grade,
                          interval=interval, level=level if interval else None, equivalence_interval=inner,
                          equivalence_level=0.90 if inner else None, **others)


# estimate, 95 % interval, 90 % interval -> outcome; the smallest effect of interest is 1
TABLE = [
    (2.0, (0.5, 3.5), (0.8, 3.2), "supported"),
    (1.0, (0.5, 1.5), (0.6, 1.4), "supported"),  # an estimate equal to the smallest effect counts
    (0.99, (0.5, 1.5), (0.6, 1.4), "inconclusive"),  # above zero, but smaller than what matters
    (0.5, (0.1, 0.9), (0.2, 0.8), "not supported"),  # above zero, and surely smaller than what matters
    (2.0, (0.0, 4.0), (0.4, 3.6), "inconclusive"),  # touching zero is not above it
    (-2.0, (-3.5, -0.5), (-3.2, -0.8), "contradicted"),
    (-1.0, (-1.5, -0.5), (-1.4, -0.6), "contradicted"),
    (-0.99, (-1.5, -0.5), (-1.4, -0.6), "inconclusive"),
    (-2.0, (-4.0, 0.0), (-3.6, -0.4), "inconclusive"),
    (0.0, (-1.1, 1.1), (-0.9, 0.9), "not supported"),  # the equivalence interval decides, not the wider one
    (0.0, (-1.2, 1.2), (-1.0, 1.0), "inconclusive"),  # and must lie inside, not on the edge
    (0.0, (-0.9, 0.9), None, "not supported"),  # without one, the wider interval serves
    (0.0, (-9.0, 9.0), (-8.0, 8.0), "inconclusive"),
]


@pytest.mark.parametrize(("estimate", "interval", "inner", "outcome"), TABLE)
@pytest.mark.parametrize("direction", ["positive", "negative"])
def test_people_decision_table_in_both_directions(estimate, interval, inner, outcome, direction):
    sign = 1 if direction == "positive" else -1
    turned = [tuple(sorted(sign * end for end in i)) if i else None for i in (interval, inner)]
    test = made(estimate=sign * estimate, interval=turned[0], inner=turned[1])
    assert decide(hypothesis(direction=direction), test).outcome == outcome


@pytest.mark.parametrize(("estimate", "interval", "inner", "outcome"), [
    (0.0, (-1.1, 1.1), (-0.9, 0.9), "supported"),
    (2.0, (0.5, 3.5), (0.8, 3.2), "contradicted"),
    (-2.0, (-3.5, -0.5), (-3.2, -0.8), "contradicted"),
    (0.5, (-1.0, 2.0), (-0.8, 1.8), "inconclusive"),
])
def test_equality_is_supported_by_equivalence(estimate, interval, inner, outcome):
    test = made(estimate=estimate, interval=interval, inner=inner)
    assert decide(hypothesis(direction="equal"), test).outcome == outcome


@pytest.mark.parametrize(("estimate", "interval", "inner", "outcome"), TABLE)
def test_a_proxy_is_at_most_consistent(estimate, interval, inner, outcome):
    test = made(grade="proxy", estimate=estimate, interval=interval, inner=inner)
    as_proxy = {"supported": "consistent (proxy)", "contradicted": "inconsistent (proxy)",
                "not supported": "inconsistent (proxy)", "inconclusive": "inconclusive"}
    assert decide(hypothesis(grade="proxy"), test).outcome == as_proxy[outcome]


def test_remote_data_test_nothing_whatever_they_say():
    remote = hypothesis(grade="remote", reason={"en": "too far", "zh": "太远"})
    verdict = decide(remote, made(grade="remote", estimate=9.0, interval=(8.0, 10.0)))
    assert (verdict.outcome, verdict.result) == ("not testable", NotTestable(remote.reason))
    assert verdict.evidence == (PEOPLE,)


def test_not_testable_carries_its_reason():
    reason = {"en": "No data.", "zh": "没有数据。"}
    verdict = decide(hypothesis(), NotTestable(reason))
    assert (verdict.words, verdict.side, verdict.evidence) == ("not testable", "not testable", (PEOPLE,))
    assert verdict.result.reason == reason


@pytest.mark.parametrize(("compare", "value", "outcome"), [
    ("within", 0.05, "agrees"), ("within", -0.05, "agrees"), ("within", 0.0501, "differs"),
    ("within", -0.0501, "differs"),
    ("at_most", 0.05, "agrees"), ("at_most", 0.0501, "differs"), ("at_least", 0.05, "agrees"),
    ("at_least", 0.0499, "differs"), ("above", 0.0501, "agrees"), ("above", 0.05, "differs"),
    ("below", 0.0499, "agrees"), ("below", 0.05, "differs"),
])
def test_numbers_agree_or_differ_by_their_rule(compare, value, outcome):
    number = hypothesis(OFFICIAL, rule=NumberRule(compare, 0.05, WORDS, WORDS))
    assert decide(number, made(OFFICIAL, estimate=value)).outcome == outcome


def test_rounding_dust_does_not_decide():
    rule = NumberRule("within", 0.1, WORDS, WORDS)
    assert 0.3 - 0.2 < 0.1 < 0.4 - 0.3  # binary dust
    assert decide(hypothesis(OFFICIAL, rule=rule), made(OFFICIAL, estimate=0.4 - 0.3)).outcome == "agrees"


@pytest.mark.parametrize(("compare", "interval", "outcome"), [
    ("at_least", (0.2, 0.4), "agrees"), ("at_least", (0.05, 0.4), "inconclusive"), ("at_least", (0.0, 0.09), "differs"),
    ("within", (-0.05, 0.05), "agrees"), ("within", (0.05, 0.3), "inconclusive"), ("within", (0.2, 0.4), "differs"),
    ("within", (-5.0, 5.5), "inconclusive"),
])
def test_an_interval_beside_a_number_must_satisfy_the_rule_as_a_whole(compare, interval, outcome):
    number = hypothesis("published figure", rule=NumberRule(compare, 0.1, WORDS, WORDS))
    test = made("published figure", estimate=sum(interval) / 2, interval=interval)
    assert decide(number, test).outcome == outcome


@pytest.mark.parametrize(("share", "outcome"), [
    (1.0, "follows"), (0.0, "does not follow"), (0.999, "depends"), (0.001, "depends"),
])
def test_a_model_says_what_follows(share, outcome):
    assert decide(hypothesis(MODEL, direction="holds"), made(MODEL, estimate=share)).outcome == outcome


@pytest.mark.parametrize(("truth", "outcome"), [(0.5, "recovered"), (1.0, "recovered"), (1.01, "not recovered")])
def test_a_synthetic_sample_says_whether_the_method_recovers_the_truth(truth, outcome):
    test = made(SYNTHETIC, estimate=0.6, interval=(0.2, 1.0), truth=truth)
    assert decide(hypothesis(SYNTHETIC), test).outcome == outcome
    with pytest.raises(ParameterError, match="H99 on a synthetic sample needs its interval and the truth"):
        decide(hypothesis(SYNTHETIC), replace(test, truth=None))


@pytest.mark.parametrize(("kind", "outcome", "grade"), list(product(EVIDENCE, OUTCOMES, ("direct", "proxy"))))
def test_a_verdict_can_only_say_what_its_evidence_allows(kind, outcome, grade):
    proxy = outcome.endswith("(proxy)")
    fits = outcome == "not testable" or outcome == "inconclusive" or proxy == (grade == "proxy")
    allowed = outcome == "not testable" or (outcome in ALLOWED[CLASSES[kind]] and fits)
    if allowed:
        assert Verdict("H99", outcome, (kind,), grade, WORDS, NotTestable(WORDS)).evidence == (kind,)
    else:
        with pytest.raises(ParameterError, match="a verdict on"):
            Verdict("H99", outcome, (kind,), grade, WORDS, NotTestable(WORDS))


def test_a_verdict_without_evidence_can_only_be_not_testable():
    with pytest.raises(ParameterError, match=r"a verdict on no evidence \(None\) cannot be 'supported'; allowed: no"):
        Verdict("H99", "supported", (), None, WORDS, NotTestable(WORDS))
    with pytest.raises(UnknownNameError, match="unknown outcome 'suported'; did you mean 'supported'"):
        Verdict("H99", "suported", (PEOPLE,), "direct", WORDS, NotTestable(WORDS))


def test_evidence_the_hypothesis_does_not_name_is_refused():
    with pytest.raises(ParameterError, match=r"H99 must rest on evidence that hypotheses.toml names.*\(proxy"):
        decide(hypothesis(), made(grade="proxy", estimate=0.0, interval=(-1.0, 1.0)))


def test_an_interval_narrower_than_the_correction_asks_is_refused():
    test = made(estimate=2.0, interval=(0.5, 3.5))
    with pytest.raises(ParameterError, match=r"level of the interval of H99 must be at least 0.983333.*; got 0.95"):
        decide(hypothesis(), test, alpha=0.05 / 3)
    with pytest.raises(ParameterError, match=r"level of the interval of H99 must be"):
        decide(hypothesis(), replace(test, interval=None, level=None))
    with pytest.raises(ParameterError, match=r"level of the equivalence interval of H99 must be at least 0.9"):
        decide(hypothesis(), replace(test, equivalence_interval=(0.8, 3.2), equivalence_level=0.8))


@pytest.mark.parametrize(("change", "message"), [
    ({"estimate": np.nan}, "estimate must be a finite number; got nan"),
    ({"n": 0}, "n must be at least 1; got 0"),
    ({"interval": (2.0, 1.0)}, "interval and its level must be both or neither"),
    ({"level": None}, "interval and its level must be both or neither"),
    ({"level": 1.0}, "interval and its level must be both or neither"),
    ({"p_value": 1.2}, r"p_value must be a probability in \[0, 1\]; got 1.2"),
    ({"grade": "good"}, "unknown grade 'good'"),
    ({"evidence": "models"}, "unknown kind of evidence 'models'; did you mean 'model'"),
    ({"evidence": "model", "estimate": 1.5}, r"estimate must be for a model, a share in \[0, 1\]; got 1.5"),
])
def test_a_test_out_of_range_is_refused(change, message):
    with pytest.raises((ParameterError, UnknownNameError), match=message):
        replace(made(estimate=0.5, interval=(0.0, 1.0)), **change)


def test_from_error_gives_the_textbook_interval_and_p_value():
    test = HypothesisTest.from_error(1.0, 0.5, alpha=0.05, n=10, unit=WORDS, method=WORDS, null=WORDS, evidence=PEOPLE,
                                     grade="direct")
    assert test.interval == pytest.approx((1 - 1.959964 * 0.5, 1 + 1.959964 * 0.5), rel=1e-5)
    assert test.equivalence_interval == pytest.approx((1 - 1.644854 * 0.5, 1 + 1.644854 * 0.5), rel=1e-5)
    assert test.p_value == pytest.approx(0.0455003)  # two-sided normal at z = 2
    small = HypothesisTest.from_error(1.0, 0.5, alpha=0.05, df=10, n=12, unit=WORDS, method=WORDS, null=WORDS,
                                      evidence=PEOPLE, grade="direct")
    assert small.interval == pytest.approx((1 - 2.228139 * 0.5, 1 + 2.228139 * 0.5))  # t(10) at .975, any table


@given(st.floats(-5, 5), st.floats(0.01, 3), st.floats(1, 4))
def test_a_wider_interval_never_turns_inconclusive_into_supported(estimate, reach, factor):
    outcome = [decide(hypothesis(), made(estimate=estimate, interval=(estimate - r, estimate + r))).outcome
               for r in (reach, reach * factor)]
    assert outcome[0] == outcome[1] or outcome[1] == "inconclusive"


@given(st.floats(-5, 5), st.floats(0.01, 3))
def test_turning_the_direction_swaps_supported_and_contradicted(estimate, reach):
    test = made(estimate=estimate, interval=(estimate - reach, estimate + reach))
    there, back = (decide(hypothesis(direction=d), test).outcome for d in ("positive", "negative"))
    assert back == {"supported": "contradicted", "contradicted": "supported"}.get(there, there)


P_VALUES = st.lists(st.floats(0.0001, 1), min_size=1, max_size=8)


@settings(max_examples=50, deadline=None)
@given(P_VALUES, st.sampled_from(["none", "bonferroni", "holm", "fdr_bh"]))
def test_interval_and_corrected_test_never_disagree(p_values, correction):
    adjusted = adjust({f"H{i}": p for i, p in enumerate(p_values)}, family(correction))
    for p, result in zip(p_values, adjusted.values(), strict=True):
        if abs(p - result.alpha) > 1e-9:
            z, reach = norm.isf(p / 2), norm.isf(result.alpha / 2)
            assert (z - reach > 0) == result.rejected
        assert result.p_value >= p - 1e-12


@pytest.mark.parametrize("correction", ["bonferroni", "holm", "fdr_bh"])
def test_corrections_are_those_of_statsmodels(correction):
    from statsmodels.stats.multitest import multipletests

    p_values = [0.03, 0.001, 0.2, 0.012, 0.9, 0.013, 0.02]
    rejected, adjusted, *_ = multipletests(p_values, 0.05, correction)
    found = adjust(dict(zip("abcdefg", p_values, strict=True)), family(correction)).values()
    assert [one.p_value for one in found] == pytest.approx(adjusted.tolist(), rel=1e-12)
    assert [one.rejected for one in found] == rejected.tolist()


def test_holm_by_hand():
    # in steps: .01 against .05/4 rejected, .02 against .05/3 not, so neither are the rest
    result = adjust({"a": 0.01, "b": 0.02, "c": 0.03, "d": 0.04}, family("holm"))
    assert [r.rejected for r in result.values()] == [True, False, False, False]
    assert [r.alpha for r in result.values()] == pytest.approx([0.0125] + [0.05 / 3] * 3)
    assert [r.p_value for r in result.values()] == pytest.approx([0.04, 0.06, 0.06, 0.06])


def test_benjamini_hochberg_shares_the_rate_among_the_rejected():
    result = adjust({"a": 0.01, "b": 0.02, "c": 0.03, "d": 0.9}, family("fdr_bh"))
    assert [r.rejected for r in result.values()] == [True, True, True, False]
    assert [r.alpha for r in result.values()] == pytest.approx([0.05 * 3 / 4] * 4, rel=1e-12)


def test_correction_needs_a_family_with_an_error_rate_and_p_values_that_are_some():
    with pytest.raises(ParameterError, match="family f has no alpha, so no tests to correct; got 1"):
        adjust({"a": 0.01}, family(alpha=None))
    with pytest.raises(ParameterError, match=r"p value of a must be a probability in \[0, 1\]; got 2"):
        adjust({"a": 2}, family("holm"))


def verdict(outcome: str, kind=PEOPLE, grade="direct") -> Verdict:
    return Verdict("H99", outcome, (kind,), grade, WORDS, NotTestable(WORDS))


@pytest.mark.parametrize(("outcomes", "whole"), [
    (["supported", "supported"], "supported"),
    (["supported", "inconclusive"], "inconclusive"),
    (["not supported", "inconclusive"], "not supported"),
    (["supported", "not supported", "contradicted"], "contradicted"),
    (["supported", "not testable"], "not testable"),
    (["contradicted", "not testable"], "contradicted"),
])
def test_a_claim_of_several_parts_needs_all_of_them(outcomes, whole):
    merged = combine("C01", WORDS, [verdict(outcome) for outcome in outcomes])
    assert (merged.outcome, merged.evidence, len(merged.result)) == (whole, (PEOPLE,), len(outcomes))


def test_one_proxy_makes_the_whole_claim_a_proxy():
    merged = combine("C01", WORDS, [verdict("supported"), verdict("consistent (proxy)", grade="proxy")])
    assert (merged.outcome, merged.grade) == ("consistent (proxy)", "proxy")
    merged = combine("C01", WORDS, [verdict("contradicted"), verdict("consistent (proxy)", grade="proxy")])
    assert merged.outcome == "inconsistent (proxy)"


def test_a_part_nothing_bears_on_leaves_the_claim_open():
    merged = combine("C01", WORDS, [verdict("agrees", OFFICIAL), Verdict("H1", "not testable", (), None, WORDS,
                                                                        NotTestable(WORDS))])
    assert (merged.outcome, merged.evidence) == ("not testable", (OFFICIAL,))


def test_parts_on_different_classes_of_evidence_are_never_merged():
    with pytest.raises(ParameterError, match="the parts of C01 must be one or more on one class.*model, people"):
        combine("C01", WORDS, [verdict("supported"), verdict("follows", MODEL)])
    with pytest.raises(ParameterError, match="got none"):
        combine("C01", WORDS, [])
