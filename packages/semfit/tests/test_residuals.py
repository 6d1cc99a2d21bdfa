"""Residual moments and their standard errors against lavaan's lavResiduals, and against the sampling distribution."""

import numpy as np
import parity
import pytest

import semfit

LAVAAN = parity.LAVAAN["residuals"]


@pytest.mark.parametrize("name", LAVAAN)
def test_residuals_agree_with_lavaan(name):
    fit = parity.fit(name)
    frame, p = fit.residuals, len(fit.sample.names)
    for group, theirs in zip(fit.sample.groups, LAVAAN[name], strict=True):
        own = frame[frame["group"] == group.label]
        rows = np.tril_indices(p)
        for op, prefix in (("~~", "cov"), ("~1", "mean")):
            ours = own[own["op"] == op]
            if len(ours):
                pick = (lambda x: np.array(x)[rows]) if op == "~~" else np.array  # noqa: B023
                assert np.abs(ours["raw"] - pick(theirs[prefix])).max() < 1e-7
                se = ours["se"].to_numpy()
                known = ~np.isnan(se)
                gap = np.abs(se - pick(theirs[f"{prefix}.se"]))[known]
                assert gap.max(initial=0) < 1e-6
                assert np.abs(pick(theirs[f"{prefix}.se"])[~known]).max(initial=0) < 1e-5


MODEL = "f =~ 0.8*a + 0.7*b + 0.6*c + 0.5*d\nf ~~ 1*f\na ~~ 0.36*a\nb ~~ 0.51*b\nc ~~ 0.64*c\nd ~~ 0.75*d"


@pytest.mark.slow
@pytest.mark.parametrize("group", [None, "g"])
def test_z_is_standard_normal_where_the_model_holds(group):
    # with loadings equal across groups, each group's residuals also carry the other's noise, which lavaan leaves out
    z = []
    for seed in range(200):
        data = semfit.simulate(MODEL, 400, seed=seed).assign(g=np.arange(400) % 4 == 0)
        equal = ("loadings",) if group else ()
        z.append(
            semfit.fit("f =~ a + b + c + d", data, group=group, group_equal=equal).residuals.query("op == '~~'")["z"]
        )
    z = np.array(z)
    kept = ~np.isnan(z).any(0)
    assert kept.sum() >= 6  # the covariances
    assert np.abs(z[:, kept].std(0) - 1).max() < 0.17
    assert np.abs(z[:, kept].mean(0)).max() < 0.25


def test_no_error_is_claimed_where_there_is_none():
    assert parity.fit("wlsmv_12").residuals["z"].isna().all()
    assert parity.fit("not_identified").residuals["se"].isna().all()
