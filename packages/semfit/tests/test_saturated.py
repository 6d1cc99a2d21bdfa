"""The information of saturated moments equals the general one, cell by cell."""

import numpy as np
import parity
import pytest

from semfit.estimate import Likelihood
from semfit.robust import moments_theta, saturated_block
from semfit.saturated import information


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
