"""Moderation, contact frequency, platforms and joint effects: against closed forms, regressions and what was put in."""

from __future__ import annotations

import numpy as np
import pytest

from socialcommerce.errors import DataError, ParameterError
from socialcommerce.strategies.joint import largest, least, normal

# --- joint effects ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("take", "truth"), [
    (least, [0.2, 0.2, 0.2]), (least, [0.0, 0.5, 0.5]), (least, [-0.1, 0.0, 0.1]),
    (largest, [0.0, 0.0, 0.0]), (largest, [0.3, -0.3, 0.0]), (largest, [0.05, 0.0, -0.6]),
])
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
    assert found.interval == (low[0], high[0])
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
    with pytest.raises(ParameterError, match="alpha is 0.7; allowed"):
        largest([0.1], normal([0.1], [1.0]), 10, alpha=0.7)
