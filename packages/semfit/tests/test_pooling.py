"""Rubin's rules against hand computation, and against the sampling distribution with proper imputations."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import semfit
from semfit.errors import ParameterError
from semfit.pooling import d2, d3

MODEL = "y ~ b*x\nz ~ x\ny ~~ 0*z\ntwice := 2*b"


def sample(rng, n=120):
    """Three variables of which y and z share nothing but x; a third of z is missing where x is large."""
    x = rng.standard_normal(n)
    y, z = 0.5 * x + rng.standard_normal((2, n))
    return pd.DataFrame({"x": x, "y": y, "z": np.where((rng.random(n) < 0.5) & (x > -0.5), np.nan, z)})


def imputed(frame, rng, m):
    """Draw z from its posterior predictive distribution given x and y: proper imputations."""
    seen = frame["z"].notna().to_numpy()
    X = np.column_stack([np.ones(len(frame)), frame["x"], frame["y"]])
    root = np.linalg.inv(X[seen].T @ X[seen])
    beta = root @ X[seen].T @ frame["z"][seen]
    rest = frame["z"][seen] - X[seen] @ beta
    out = []
    for _ in range(m):
        variance = rest @ rest / rng.chisquare(seen.sum() - 3)
        drawn = X @ rng.multivariate_normal(beta, variance * root) + np.sqrt(variance) * rng.standard_normal(len(frame))
        out.append(frame.assign(z=np.where(seen, frame["z"], drawn)))
    return out


@pytest.fixture
def frames():
    rng = np.random.default_rng(5)
    return imputed(sample(rng), rng, 6)


def test_rubins_rules_by_hand(frames):
    fits = [semfit.fit(MODEL, frame) for frame in frames]
    row = semfit.pool(fits).estimates.query("lhs == 'z' and op == '~'").iloc[0]
    own = [one.estimates.query("lhs == 'z' and op == '~'").iloc[0] for one in fits]
    est, within = np.array([r["est"] for r in own]), np.mean([r["se"] ** 2 for r in own])
    between = est.var(ddof=1)
    total = within + 7 / 6 * between
    df = 5 * (total / (7 / 6 * between)) ** 2
    assert row["est"] == pytest.approx(est.mean())
    assert row["se"] == pytest.approx(np.sqrt(total))
    assert row["df"] == pytest.approx(df)
    assert row["pvalue"] == pytest.approx(2 * stats.t.sf(abs(est.mean() / np.sqrt(total)), df))
    assert row["fmi"] == pytest.approx((row["riv"] + 2 / (df + 3)) / (1 + row["riv"]))


def test_what_is_observed_loses_nothing_and_definitions_are_pooled(frames):
    table = semfit.fit_imputed(MODEL, frames).estimates.set_index("lhs")
    assert table.loc["twice", "est"] == pytest.approx(2 * table.query("label == 'b'")["est"].iloc[0])
    observed = table.query("label == 'b'").iloc[0]
    assert observed["riv"] == pytest.approx(0, abs=1e-12)
    assert observed["se"] == pytest.approx(semfit.fit(MODEL, frames[0]).estimates.query("label == 'b'")["se"].iloc[0])


def test_pooled_tests_by_hand():
    # d2 of 9, 16, 25 with 4 df: roots 3, 4, 5, so r = 4/3 and F = (50/3/4 - 2 * 4/3) / (7/3), v = 4^-1 * 2 * 1.75^2
    F, k, nu, p, r = d2([9.0, 16.0, 25.0], 4)
    assert (F, k, nu, r) == pytest.approx((1.5 / (7 / 3), 4, 1.53125, 4 / 3))
    assert p == pytest.approx(stats.f.sf(F, 4, nu))
    # d3: means 50/3 and 15, so r = 4/8 * 5/3; v = 4 + 4 (1 + 0.75 / r)^2
    F, k, nu, p, r = d3([9.0, 16.0, 25.0], [8.0, 14.0, 23.0], 4)
    assert (F, k, nu, r) == pytest.approx((15 / 4 / (1 + 5 / 6), 4, 4 + 4 * 1.9**2, 5 / 6))


def test_equal_imputations_are_one_fit(frames):
    pooled, single = semfit.pool([semfit.fit(MODEL, frames[0])] * 4), semfit.fit(MODEL, frames[0])
    assert pooled.tests["pvalue"].to_list() == pytest.approx([single.test.pvalue()] * 2, abs=1e-8)
    assert np.allclose(pooled.estimates["se"], single.estimates["se"])


@pytest.mark.slow
def test_intervals_cover_and_tests_reject_as_often_as_they_say():
    rng = np.random.default_rng(11)
    cover, rejected = [], []
    for _ in range(150):
        pooled = semfit.fit_imputed(MODEL, imputed(sample(rng), rng, 5))
        row = pooled.estimates.query("lhs == 'z' and op == '~'").iloc[0]
        cover.append(row["ci_low"] < 0.5 < row["ci_high"])
        rejected.append(pooled.tests["pvalue"] < 0.05)
    assert abs(np.mean(cover) - 0.95) < 3 * np.sqrt(0.95 * 0.05 / 150)
    assert np.abs(np.mean(rejected, axis=0) - 0.05).max() < 3 * np.sqrt(0.95 * 0.05 / 150)


def test_what_cannot_be_pooled_is_refused(frames):
    fits = [semfit.fit(MODEL, frame) for frame in frames[:2]]
    with pytest.raises(ParameterError, match="two or more fits, one per imputation; got 1"):
        semfit.pool(fits[:1])
    with pytest.raises(ParameterError, match="fit 2 has another model, estimator or number of rows"):
        semfit.pool([fits[0], semfit.fit("y ~ x", frames[0])])
    with pytest.raises(ParameterError, match="fit 3 has another model, estimator or number of rows"):
        semfit.pool([*fits, semfit.fit(MODEL, frames[0].iloc[:-1])])
    with pytest.raises(ParameterError, match="got one DataFrame"):
        semfit.fit_imputed(MODEL, frames[0])


def test_summary_names_rules_and_tests(frames):
    text = semfit.fit_imputed(MODEL, frames).summary()
    for part in ("6 imputations of 120 observations (Rubin's rules)", "D2", "D3", "fmi"):
        assert part in text
