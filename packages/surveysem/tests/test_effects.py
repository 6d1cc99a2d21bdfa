"""Tests of effects, what they say at every boundary, and the correction for several tests."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from surveysem import Effect, EffectTest, ParameterError, adjust, decide


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
    assert decide(test, smallest=1.0, direction=direction) == outcome


@pytest.mark.parametrize(
    ("estimate", "interval", "inner", "outcome"),
    [
        (0.0, (-1.1, 1.1), (-0.9, 0.9), "supported"),
        (2.0, (0.5, 3.5), (0.8, 3.2), "contradicted"),
        (-2.0, (-3.5, -0.5), (-3.2, -0.8), "contradicted"),
        (0.5, (-1.0, 2.0), (-0.8, 1.8), "inconclusive"),
    ],
)
def test_equality_is_supported_by_equivalence(estimate, interval, inner, outcome):
    test = made(estimate=estimate, interval=interval, inner=inner)
    assert decide(test, smallest=1.0, direction="equal") == outcome


def test_an_interval_narrower_than_the_correction_asks_is_refused():
    test = made(estimate=2.0, interval=(0.5, 3.5))
    with pytest.raises(ParameterError, match=r"level of the interval of care is 0.95; allowed: at least 0.983333"):
        decide(test, smallest=1.0, alpha=0.05 / 3, name="care")
    with pytest.raises(ParameterError, match=r"level of the interval of care is None; allowed"):
        decide(replace(test, interval=None, level=None), smallest=1.0, name="care")
    with pytest.raises(
        ParameterError, match=r"level of the equivalence interval of care is 0.8; allowed: at least 0.9"
    ):
        decide(replace(test, equivalence_interval=(0.8, 3.2), equivalence_level=0.8), smallest=1.0, name="care")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"estimate": np.nan}, "estimate is nan; allowed: a finite number"),
        ({"n": 0}, "n is 0; allowed: at least 1"),
        ({"interval": (2.0, 1.0)}, "interval with its level is .*; allowed: both or neither"),
        ({"level": None}, "interval with its level is .*None.; allowed: both or neither"),
        ({"level": 1.0}, "interval with its level is .*1.0.; allowed: both or neither"),
        ({"p_value": 1.2}, r"p_value is 1.2; allowed: a probability in \[0, 1\]"),
    ],
)
def test_a_test_out_of_range_is_refused(change, message):
    with pytest.raises(ParameterError, match=message):
        replace(made(estimate=0.5, interval=(0.0, 1.0)), **change)


def test_an_effect_with_its_error_gives_the_textbook_interval_and_p_value():
    test = Effect(1.0, 0.5, 10).test(0.05)
    assert test.interval == pytest.approx((1 - 1.959964 * 0.5, 1 + 1.959964 * 0.5), rel=1e-5)
    assert test.equivalence_interval == pytest.approx((1 - 1.644854 * 0.5, 1 + 1.644854 * 0.5), rel=1e-5)
    assert test.p_value == pytest.approx(0.0455003)  # two-sided normal at z = 2
    small = Effect(1.0, 0.5, 12, df=10).test(0.05)
    assert small.interval == pytest.approx((1 - 2.228139 * 0.5, 1 + 2.228139 * 0.5))  # t(10) at .975, any table


@given(st.floats(-5, 5), st.floats(0.01, 3), st.floats(1, 4))
def test_a_wider_interval_never_turns_inconclusive_into_supported(estimate, reach, factor):
    outcome = [
        decide(made(estimate=estimate, interval=(estimate - r, estimate + r)), smallest=1.0)
        for r in (reach, reach * factor)
    ]
    assert outcome[0] == outcome[1] or outcome[1] == "inconclusive"


@given(st.floats(-5, 5), st.floats(0.01, 3))
def test_turning_the_direction_swaps_supported_and_contradicted(estimate, reach):
    test = made(estimate=estimate, interval=(estimate - reach, estimate + reach))
    there, back = (decide(test, smallest=1.0, direction=d) for d in ("positive", "negative"))
    assert back == {"supported": "contradicted", "contradicted": "supported"}.get(there, there)


P_VALUES = st.lists(st.floats(0.0001, 1), min_size=1, max_size=8)


@pytest.mark.slow
@settings(max_examples=50, deadline=None)
@given(P_VALUES)
def test_interval_and_corrected_test_never_disagree(p_values):
    adjusted = adjust({f"H{i}": p for i, p in enumerate(p_values)}, 0.05)
    for p, result in zip(p_values, adjusted.values(), strict=True):
        if abs(p - result.alpha) > 1e-9:
            z, reach = norm.isf(p / 2), norm.isf(result.alpha / 2)
            assert (z - reach > 0) == result.rejected
        assert result.p_value >= p - 1e-12


def test_holm_by_hand():
    # in steps: .01 against .05/4 rejected, .02 against .05/3 not, so neither are the rest
    result = adjust({"a": 0.01, "b": 0.02, "c": 0.03, "d": 0.04}, 0.05)
    assert [r.rejected for r in result.values()] == [True, False, False, False]
    assert [r.alpha for r in result.values()] == pytest.approx([0.0125] + [0.05 / 3] * 3)
    assert [r.p_value for r in result.values()] == pytest.approx([0.04, 0.06, 0.06, 0.06])


def test_a_correction_needs_an_error_rate_and_p_values_that_are_some():
    with pytest.raises(ParameterError, match="alpha is 1; allowed: the error rate of the family, a number"):
        adjust({"a": 0.01}, 1)
    with pytest.raises(ParameterError, match=r"p value of a is 2; allowed: a probability in \[0, 1\]"):
        adjust({"a": 2}, 0.05)
