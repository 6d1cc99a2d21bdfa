"""Saturated moments of incomplete rows are those of a closed form; their information the general one, cell by cell."""

import numpy as np
import parity
import pytest

from semfit import missing
from semfit.estimate import Likelihood
from semfit.missing import missing_patterns
from semfit.moments import pattern_moments
from semfit.robust import information, moments_theta, saturated_block


@pytest.mark.parametrize("observed", [True, False])
@pytest.mark.parametrize("name", ["fiml_hs", "mimic_fiml", "hs_cfa", "hs_means"])
def test_information_equals_the_general_hessian(name, observed):
    fit = parity.fit(name)
    (block,), (group,) = fit.problem.blocks, fit.sample.groups
    full = saturated_block(block)
    theta = moments_theta(full, group)
    problem = Likelihood((full,), (group.patterns,), (full.base(group.covariance, group.mean),), len(theta))
    general = problem.derivatives(theta[None], observed=observed)[1][0]
    mean = group.mean if block.means else None
    assert np.allclose(information(full, group.patterns, group.covariance, mean, observed), general, atol=1e-12)


@pytest.mark.parametrize("layout", [pattern_moments, missing_patterns])
@pytest.mark.parametrize(("kept", "steps"), [([60, 40, 25], 60), ([80, 50, 31, 19, 12], 200)])
def test_em_comes_to_the_closed_form_of_attrition(monkeypatch, layout, kept, steps):
    """Where who leaves stays away, each variable is regressed on those before it in the rows that hold it.

    Anderson (1957), doi:10.1080/01621459.1957.10501379. EM alone takes 71 and 634 steps.
    """
    monkeypatch.setattr(missing, "ALONE", 1)
    monkeypatch.setattr(missing, "COMBINED", steps)
    rng, p = np.random.default_rng(0), len(kept)
    rows = rng.standard_normal((kept[0], p)) @ rng.standard_normal((p, p)) + np.arange(p)
    mean, covariance = np.zeros(0), np.zeros((0, 0))
    for k, n in enumerate(kept):
        (start, *slopes), left, *_ = np.linalg.lstsq(np.column_stack([np.ones(n), rows[:n, :k]]), rows[:n, k])
        across = covariance @ slopes
        mean = np.append(mean, start + mean @ slopes)
        covariance = np.block([[covariance, across[:, None]], [across, left / n + across @ slopes]])
        rows[n:, k] = np.nan
    mask, of = np.unique(~np.isnan(rows), axis=0, return_inverse=True)
    *found, settled = missing.saturated(layout(rows, mask, of, None))
    assert settled
    assert np.allclose(found[0], mean, rtol=1e-8, atol=1e-9)
    assert np.allclose(found[1], covariance, rtol=1e-8, atol=1e-9)
