"""The rules that turn a test into a verdict, boundaries included, and the correction for several tests."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

import surveysem
from socialcommerce.errors import ParameterError, UnknownNameError
from socialcommerce.paper import CLASSES, EVIDENCE, Evidence, Family, Hypothesis, NumberRule, SmallestEffect
from socialcommerce.verdicts import ALLOWED, OUTCOMES, ModelTest, Verdict, combine, decide
from surveysem import EffectTest, NotTestable

WORDS = {"en": "something", "zh": "某事"}
PEOPLE, MODEL, SYNTHETIC, OFFICIAL = "public data set", "model", "synthetic sample", "official statistic"


def family(correction="none", alpha=0.05) -> Family:
    return Family("f", WORDS, correction, alpha)


def hypothesis(kind=PEOPLE, grade="direct", direction="positive", rule=None, **others) -> Hypothesis:
    return Hypothesis(
        id="H99",
        claims=("C01",),
        statement=WORDS,
        null=WORDS,
        direction=direction,
        data=(Evidence("d", kind, grade),),
        family=family(),
        design=WORDS,
        part="sem",
        step="stated",
        short=WORDS,
        smallest_effect=SmallestEffect(1.0, WORDS, WORDS),
        rule=rule,
        **others,
    )


def made(estimate=0.0, interval=None, inner=None, level=0.95, **others) -> EffectTest:
    return EffectTest(
        estimate=estimate,
        n=10,
        interval=interval,
        level=level if interval else None,
        equivalence_interval=inner,
        equivalence_level=0.90 if inner else None,
        **others,
    )


# estimate, 95 % interval, 90 % interval -> outcome; the smallest effect of interest is 1; more in surveysem's own tests
TABLE = [
    (2.0, (0.5, 3.5), (0.8, 3.2), "supported"),
    (0.5, (0.1, 0.9), (0.2, 0.8), "not supported"),
    (-2.0, (-3.5, -0.5), (-3.2, -0.8), "contradicted"),
    (0.0, (-1.2, 1.2), (-1.0, 1.0), "inconclusive"),
]


@pytest.mark.parametrize(("estimate", "interval", "inner", "outcome"), TABLE)
@pytest.mark.parametrize("direction", ["positive", "negative"])
def test_people_are_read_by_the_hypothesis_s_direction_and_smallest_effect(
    estimate, interval, inner, outcome, direction
):
    sign = 1 if direction == "positive" else -1
    turned = [tuple(sorted(sign * end for end in i)) for i in (interval, inner)]
    test = made(estimate=sign * estimate, interval=turned[0], inner=turned[1])
    assert decide(hypothesis(direction=direction), test).outcome == outcome
    with pytest.raises(surveysem.ParameterError, match=r"of the interval of H99 is 0.95; allowed: at least 0.983333"):
        decide(replace(hypothesis(direction=direction), family=family(alpha=0.05 / 3)), test)


@pytest.mark.parametrize(("estimate", "interval", "inner", "outcome"), TABLE)
def test_a_proxy_is_at_most_consistent(estimate, interval, inner, outcome):
    test = made(estimate=estimate, interval=interval, inner=inner)
    as_proxy = {
        "supported": "consistent (proxy)",
        "contradicted": "inconsistent (proxy)",
        "not supported": "inconsistent (proxy)",
        "inconclusive": "inconclusive",
    }
    assert decide(hypothesis(grade="proxy"), test).outcome == as_proxy[outcome]


def test_remote_data_test_nothing_whatever_they_say():
    remote = hypothesis(grade="remote", reason={"en": "too far", "zh": "太远"})
    verdict = decide(remote, made(estimate=9.0, interval=(8.0, 10.0)))
    assert (verdict.outcome, verdict.result) == ("not testable", NotTestable(remote.reason))
    assert verdict.evidence == (PEOPLE,)


def test_not_testable_carries_its_reason():
    reason = {"en": "No data.", "zh": "没有数据。"}
    verdict = decide(hypothesis(), NotTestable(reason))
    assert (verdict.words, verdict.side, verdict.evidence) == ("not testable", "not testable", (PEOPLE,))
    assert verdict.result.reason == reason


@pytest.mark.parametrize(
    ("compare", "value", "outcome"),
    [
        ("within", 0.05, "agrees"),
        ("within", -0.05, "agrees"),
        ("within", 0.0501, "differs"),
        ("within", -0.0501, "differs"),
        ("at_most", 0.05, "agrees"),
        ("at_most", 0.0501, "differs"),
        ("at_least", 0.05, "agrees"),
        ("at_least", 0.0499, "differs"),
        ("above", 0.0501, "agrees"),
        ("above", 0.05, "differs"),
        ("below", 0.0499, "agrees"),
        ("below", 0.05, "differs"),
    ],
)
def test_numbers_agree_or_differ_by_their_rule(compare, value, outcome):
    number = hypothesis(OFFICIAL, rule=NumberRule(compare, 0.05, WORDS, WORDS))
    assert decide(number, made(estimate=value)).outcome == outcome


def test_rounding_dust_does_not_decide():
    rule = NumberRule("within", 0.1, WORDS, WORDS)
    assert 0.3 - 0.2 < 0.1 < 0.4 - 0.3  # binary dust
    assert decide(hypothesis(OFFICIAL, rule=rule), made(estimate=0.4 - 0.3)).outcome == "agrees"


@pytest.mark.parametrize(
    ("compare", "interval", "outcome"),
    [
        ("at_least", (0.2, 0.4), "agrees"),
        ("at_least", (0.05, 0.4), "inconclusive"),
        ("at_least", (0.0, 0.09), "differs"),
        ("within", (-0.05, 0.05), "agrees"),
        ("within", (0.05, 0.3), "inconclusive"),
        ("within", (0.2, 0.4), "differs"),
        ("within", (-5.0, 5.5), "inconclusive"),
    ],
)
def test_an_interval_beside_a_number_must_satisfy_the_rule_as_a_whole(compare, interval, outcome):
    number = hypothesis("published figure", rule=NumberRule(compare, 0.1, WORDS, WORDS))
    test = made(estimate=sum(interval) / 2, interval=interval)
    assert decide(number, test).outcome == outcome


@pytest.mark.parametrize(
    ("share", "outcome"),
    [(1.0, "robust"), (0.0, "fails"), (0.95, "robust"), (0.949, "depends"), (0.05, "fails"), (0.051, "depends")],
)
def test_a_model_holds_or_fails_in_nearly_all_draws(share, outcome):
    assert decide(hypothesis(MODEL, direction="holds"), ModelTest(share, 10)).outcome == outcome


@pytest.mark.parametrize(
    ("shares", "outcome"),
    [((1.0, 0.96), "robust"), ((1.0, 0.9), "depends"), ((0.0, 0.04), "fails"), ((0.0, 0.06), "depends")],
)
def test_one_form_alone_can_turn_a_model_s_verdict(shares, outcome):
    test = ModelTest(sum(shares) / 2, 10, forms={"a part": dict(zip("ab", shares, strict=True))})
    assert decide(hypothesis(MODEL, direction="holds"), test).outcome == outcome


def test_a_theorem_is_proved_and_never_seen_to_fail():
    proved = replace(hypothesis(MODEL, direction="holds"), proof=WORDS)
    assert decide(proved, ModelTest(1.0, 10)).outcome == "theorem"
    assert decide(proved, ModelTest(0.999, 10)).outcome == "robust"


@pytest.mark.parametrize(("truth", "outcome"), [(0.5, "recovered"), (1.0, "recovered"), (1.01, "not recovered")])
def test_a_synthetic_sample_says_whether_the_method_recovers_the_truth(truth, outcome):
    test = made(estimate=0.6, interval=(0.2, 1.0), truth=truth)
    assert decide(hypothesis(SYNTHETIC), test).outcome == outcome
    with pytest.raises(surveysem.ParameterError, match="H99 needs interval and truth; got .0.2, 1.0., None"):
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


def test_a_share_out_of_range_is_refused():
    with pytest.raises(ParameterError, match=r"estimate must be, for a model, a share in \[0, 1\]; got 1.5"):
        ModelTest(1.5, 10)


def test_what_is_decided_is_the_first_direct_data_or_proxy():
    several = Evidence("far", PEOPLE, "remote"), Evidence("near", PEOPLE, "proxy")
    found = decide(replace(hypothesis(), data=several), made(estimate=3.0, interval=(2.0, 4.0)))
    assert (found.outcome, found.grade) == ("consistent (proxy)", "proxy")


def verdict(outcome: str, kind=PEOPLE, grade="direct") -> Verdict:
    return Verdict("H99", outcome, (kind,), grade, WORDS, NotTestable(WORDS))


@pytest.mark.parametrize(
    ("outcomes", "whole"),
    [
        (["supported", "supported"], "supported"),
        (["supported", "inconclusive"], "inconclusive"),
        (["not supported", "inconclusive"], "not supported"),
        (["supported", "not supported", "contradicted"], "contradicted"),
        (["supported", "not testable"], "not testable"),
        (["contradicted", "not testable"], "contradicted"),
    ],
)
def test_a_claim_of_several_parts_needs_all_of_them(outcomes, whole):
    merged = combine("C01", WORDS, [verdict(outcome) for outcome in outcomes])
    assert (merged.outcome, merged.evidence, len(merged.result)) == (whole, (PEOPLE,), len(outcomes))


def test_one_proxy_makes_the_whole_claim_a_proxy():
    merged = combine("C01", WORDS, [verdict("supported"), verdict("consistent (proxy)", grade="proxy")])
    assert (merged.outcome, merged.grade) == ("consistent (proxy)", "proxy")
    merged = combine("C01", WORDS, [verdict("contradicted"), verdict("consistent (proxy)", grade="proxy")])
    assert merged.outcome == "inconsistent (proxy)"


def test_a_part_nothing_bears_on_leaves_the_claim_open():
    merged = combine(
        "C01", WORDS, [verdict("agrees", OFFICIAL), Verdict("H1", "not testable", (), None, WORDS, NotTestable(WORDS))]
    )
    assert (merged.outcome, merged.evidence) == ("not testable", (OFFICIAL,))


def test_parts_on_different_classes_of_evidence_are_never_merged():
    with pytest.raises(ParameterError, match="the parts of C01 must be one or more on one class.*model, people"):
        combine("C01", WORDS, [verdict("supported"), verdict("robust", MODEL)])
    with pytest.raises(ParameterError, match="got none"):
        combine("C01", WORDS, [])
