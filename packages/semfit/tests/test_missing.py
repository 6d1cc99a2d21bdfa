"""Rows laid out by what they lack give what patterns of missing values give one by one."""

import numpy as np
import pandas as pd
import parity
import pytest

import semfit
from semfit import moments, robust
from semfit.estimate import Likelihood
from semfit.robust import information, products

NAMES = [name for name, spec in parity.MODELS.items() if spec["args"].get("missing") == "fiml"]


def fitted(monkeypatch, name, many):
    """Fit a reference model anew, by holes where it has at least so many patterns."""
    monkeypatch.setattr(moments, "MANY", many)
    moments.RECENT.clear()
    return parity.fit(name)


@pytest.fixture(params=NAMES)
def both(request, monkeypatch):
    one, other = (fitted(monkeypatch, request.param, many) for many in (10**6, 1))
    assert type(other.sample.groups[0].patterns) is not type(one.sample.groups[0].patterns)
    yield one, other
    moments.RECENT.clear()


def test_fits_are_the_same(both):
    one, other = both
    assert np.allclose(one.theta, other.theta, rtol=1e-9, atol=1e-9)
    assert np.allclose(one.vcov, other.vcov, rtol=1e-8, atol=1e-10)
    assert np.allclose(one.fit_measures, other.fit_measures, rtol=1e-8, atol=1e-10, equal_nan=True)
    assert np.allclose(one.residuals["se"], other.residuals["se"], rtol=1e-7, equal_nan=True)


@pytest.mark.parametrize("observed", [True, False])
def test_derivatives_are_the_same_away_from_the_solution(both, observed):
    one, other = both
    theta = 1.05 * one.theta
    assert np.allclose(one.problem.value(theta), other.problem.value(theta), rtol=1e-13)
    for a, b in zip(*(fit.problem.derivatives(theta[None], observed) for fit in both), strict=True):
        assert np.allclose(a, b, rtol=1e-10, atol=1e-11)


def test_scores_and_saturated_information_are_the_same(both):
    one, other = both
    for block, base, a, b in zip(
        one.problem.blocks, one.problem.bases, one.sample.groups, other.sample.groups, strict=True
    ):
        assert np.allclose(a.mean, b.mean, atol=1e-10)
        assert np.allclose(a.covariance, b.covariance, atol=1e-10)
        known = robust.casewise_scores(block, a, 1.05 * one.theta, base, one.problem.q)
        assert np.allclose(robust.casewise_scores(block, b, 1.05 * one.theta, base, one.problem.q), known, atol=1e-10)
        full = robust.saturated_block(block)
        for observed in (True, False):
            known = information(full, a.patterns, 1.1 * a.covariance, a.mean, observed)
            found = information(full, b.patterns, 1.1 * a.covariance, a.mean, observed)
            assert np.allclose(found, known, atol=1e-11)
        known, found = (robust.saturated_products(full, group) for group in (a, b))
        assert np.allclose(found, known, rtol=1e-9, atol=1e-10)


def test_observed_information_of_moments_with_a_mean_elsewhere(monkeypatch):
    group = fitted(monkeypatch, "fiml_hs", 1).sample.groups[0]
    full = robust.saturated_block(fitted(monkeypatch, "fiml_hs", 10**6).problem.blocks[0])
    mean = group.mean + 0.1
    problem = Likelihood((full,), (group.patterns,), (full.base(group.covariance, mean),), len(full.row))
    theta = np.where(full.path, mean[full.row], group.covariance[full.row, np.where(full.path, 0, full.column)])
    general = problem.derivatives(theta[None], observed=True)[1][0]
    assert np.allclose(information(full, group.patterns, group.covariance, mean, True), general, atol=1e-11)


@pytest.mark.parametrize("name", ["hs_means", "hs_cfa"])
def test_products_of_complete_rows(name):
    fit = parity.fit(name)
    (block,), (group,) = fit.problem.blocks, fit.sample.groups
    full = robust.saturated_block(block)
    theta = robust.moments_theta(full, group)
    scores = robust.casewise_scores(full, group, theta, full.base(group.covariance, group.mean), len(theta))
    A = information(full, group.patterns, group.covariance, group.mean if block.means else None, True)
    assert np.allclose(products(full, group), scores.T @ scores, rtol=1e-10, atol=1e-9)
    known = np.trace(np.linalg.solve(A, scores.T @ scores / len(group.rows)))
    assert robust.saturated_trace(fit.problem, fit.sample, fit.theta, "MLR") == pytest.approx(known, rel=1e-11)


@pytest.mark.parametrize("cluster", [None, "k"])
def test_slices_of_rows_change_nothing(monkeypatch, cluster):
    rng = np.random.default_rng(5)
    data = pd.DataFrame(rng.standard_normal((300, 4)) + rng.standard_normal((300, 1)), columns=list("abcd"))
    data = data.mask(rng.random(data.shape) < 0.1).assign(k=rng.permutation(300) % 40)
    found = []
    for size in (10**6, 64):
        monkeypatch.setattr(robust, "SLICE", size)
        moments.RECENT.clear()
        found.append(semfit.fit("f =~ a + b + c + d", data, estimator="MLR", missing="fiml", cluster=cluster))
    assert np.allclose(found[0].vcov, found[1].vcov, rtol=1e-10)
    assert found[0].test.scaling == pytest.approx(found[1].test.scaling, rel=1e-10)


def test_models_of_the_same_rows_share_their_sample():
    data = pd.DataFrame(np.random.default_rng(1).standard_normal((50, 3)), columns=list("abc"))
    one = semfit.fit("a ~ b + c", data)
    assert semfit.fit("a ~ b\na ~ c", data.copy()).sample is one.sample
    changed = data.copy()
    changed.iloc[3, 1] += 1e-9
    assert semfit.fit("a ~ b + c", changed).sample is not one.sample
