"""What was laid out for many respondents gives what one respondent at a time gives."""

import numpy as np
import pandas as pd
import pytest

import semfit
from semfit import resampling as sem_resampling
from semfit.psychometrics import resampling
from semfit.robust import casewise_scores


@pytest.mark.parametrize("whole", [True, False])
def test_draws_are_the_covariances_of_resampled_rows(monkeypatch, whole):
    rng = np.random.default_rng(2)
    rows = rng.integers(1, 8, (90, 4)).astype(float) + (0.0 if whole else rng.random((90, 1)))
    monkeypatch.setattr(resampling, "BATCH", 7)
    monkeypatch.setattr(sem_resampling, "SLICE", 25)
    found = resampling.draw(lambda S: S.reshape(*S.shape[:-2], -1), rows, 20, seed=5)
    again = np.random.default_rng(5)
    known = [np.cov(rows[again.integers(0, 90, 90)].T, bias=True).ravel() for _ in range(20)]
    assert np.allclose(found, known, rtol=1e-12, atol=1e-13)


def test_one_step_draws_sum_the_influences_of_resampled_rows(monkeypatch):
    rng = np.random.default_rng(3)
    data = pd.DataFrame(rng.standard_normal((150, 4)) + rng.standard_normal((150, 1)), columns=list("abcd"))
    fit = semfit.fit("f =~ a + b + c + d", data.mask(rng.random(data.shape) < 0.05), missing="fiml")
    monkeypatch.setattr(sem_resampling, "STEPS", 4)
    monkeypatch.setattr(sem_resampling, "SLICE", 64)
    found = semfit.bootstrap(fit, 10, seed=8, method="one-step").draws
    (block,), (base,), (group,) = fit.problem.blocks, fit.problem.bases, fit.sample.groups
    scores = casewise_scores(block, group, fit.theta, base, len(fit.theta))
    again = np.random.default_rng(8)
    steps = [scores[again.integers(0, 150, 150)].sum(0) @ fit.curvature.inverse / 150 for _ in range(10)]
    assert np.allclose(found, fit.theta + steps, rtol=1e-12, atol=1e-13)
