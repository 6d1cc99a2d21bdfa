"""Resamples: lavaan's estimates on identical rows, a real leave-one-out, workers that change nothing."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pandas as pd
import parity
import pytest

import semfit
from semfit import resampling
from semfit.errors import ParameterError, UnknownNameError
from semfit.estimate import minimise

MODEL = parity.MODELS["mediation"]["model"]


@pytest.fixture(scope="module")
def data():
    return pd.read_csv(parity.HERE / "data" / "sim_mediation.csv")


@pytest.fixture(scope="module")
def fit(data):
    return semfit.fit(MODEL, data)


def counts(rows):
    """How often each row is among those drawn, shape (draws, n)."""
    return np.stack([np.bincount(drawn, minlength=rows.shape[1]) for drawn in rows]).astype(float)


def test_indirect_effects_on_identical_resamples_agree_with_lavaan(fit):
    rows = pd.read_csv(parity.HERE / "data" / "sim_resamples.csv").to_numpy() - 1
    ours = fit.values_at(resampling.weighted_refit(fit, [counts(rows)]))[:, len(fit.rows)]
    assert np.abs(ours - parity.LAVAAN["bootstrap"]["indirect"]).max() < 1e-6


def test_leave_one_out_agrees_with_lavaan_and_with_refits(fit, data):
    without = 1.0 - np.eye(20, fit.nobs)
    ours = fit.values_at(resampling.weighted_refit(fit, [without]))[:, len(fit.rows)]
    assert np.abs(ours - parity.LAVAAN["bootstrap"]["leave_one_out"]).max() < 1e-6
    real = semfit.fit(MODEL, data.drop(index=7)).estimates.set_index("label").loc["indirect", "est"]
    assert ours[7] == pytest.approx(real, abs=1e-8)


@pytest.mark.slow
def test_a_resample_without_a_minimum_is_counted_and_holds_up_no_other(monkeypatch):
    few = pd.read_csv(parity.HERE / "data" / "sim_mediation.csv").head(25)
    seen = []

    def watched(problem, start, **options):
        seen.append((problem, start, minimise(problem, start, **options)))
        return seen[-1][2]

    monkeypatch.setattr(resampling, "minimise", watched)
    drawn = resampling.bootstrap(semfit.fit(MODEL, few), 60, seed=1)
    ((problem, start, found),) = seen
    assert drawn.failed == (~found.converged).sum() > 0
    assert found.iterations.max() <= 100
    for k in np.flatnonzero(found.converged):
        alone = minimise(problem.take(np.array([k])), start[[k]], tolerance=resampling.TOLERANCE)
        assert found.iterations[k] <= alone.iterations[0] + 1
        assert np.allclose(found.theta[k], alone.theta[0], atol=1e-6)


def test_same_seed_same_draws_whatever_the_workers(fit):
    one, two, three = (resampling.bootstrap(fit, 250, seed=5, workers=w) for w in (1, 2, 3))
    assert np.array_equal(one.draws, two.draws)
    assert np.array_equal(one.draws, three.draws)
    assert not np.array_equal(one.draws, resampling.bootstrap(fit, 250, seed=6).draws)


@pytest.mark.slow
def test_batches_shrink_with_the_model_and_the_rows_so_that_memory_does_not_grow():
    large = parity.fit("sem_12_paths")
    tracemalloc.start()
    resampling.bootstrap(large, 300, seed=1)
    peak = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    assert resampling.batch_size(large) == resampling.BATCH
    assert peak < 150  # MiB; all 300 draws at once would take three times that
    holes = parity.fit("fiml_school_metric")
    patterns = max(len(group.patterns.nobs) for group in holes.sample.groups)
    assert resampling.batch_size(holes) * patterns * (2 * holes.problem.blocks[0].n) ** 2 <= resampling.ENTRIES


def test_slices_of_rows_add_up(fit, monkeypatch):
    drawn = [counts(np.random.default_rng(1).integers(0, fit.nobs, (3, fit.nobs)))]
    whole = resampling.weighted_refit(fit, drawn)
    monkeypatch.setattr(resampling, "SLICE", 13)
    assert np.allclose(whole, resampling.weighted_refit(fit, drawn), rtol=0, atol=1e-10)


def test_progress_counts_to_the_end(fit):
    seen = []
    resampling.bootstrap(fit, 250, seed=1, workers=2, progress=lambda done, wanted: seen.append((done, wanted)))
    assert seen == [(100, 250), (200, 250), (250, 250)]


def test_standard_errors_of_draws_are_near_the_sandwich(fit, data):
    draws = resampling.bootstrap(fit, 1000, seed=1)
    robust = semfit.fit(MODEL, data, estimator="MLR").estimates
    ours = draws.intervals()
    ratio = (ours["se"] / robust["se"])[robust["se"] > 0]
    assert np.abs(np.log(ratio)).max() < 0.2


def test_intervals_by_hand(fit):
    draws = resampling.bootstrap(fit, 199, seed=2)
    row = draws.intervals("percentile", 0.90).iloc[-2]
    effect = np.sort(draws.fit.values_at(draws.draws)[:, -2])
    assert (row["ci_low"], row["ci_high"]) == (effect[9], effect[189])  # (199 + 1) * .05 = 10th, 190th


def test_bca_equals_bc_without_acceleration_and_moves_with_it(fit, monkeypatch):
    draws = resampling.bootstrap(fit, 300, seed=3)
    columns = ["ci_low", "ci_high"]
    linear = [k for k, row in enumerate(fit.rows) if row.free]  # symmetric deviations have no third moment
    bc, real = draws.intervals("bc"), draws.intervals("bca")
    monkeypatch.setattr(resampling, "_jackknife", lambda fit: np.vstack([fit.theta + 1e-3, fit.theta - 1e-3]))
    bca = draws.intervals("bca")
    assert np.allclose(bc.loc[linear, columns], bca.loc[linear, columns], atol=1e-9)
    assert real.loc[len(fit.rows), "ci_low"] != bc.loc[len(fit.rows), "ci_low"]


def test_fit_with_bootstrap_uses_the_draws(data):
    fit = semfit.fit(MODEL, data, bootstrap=120, seed=4)
    row, draws = fit.estimates.iloc[-2], fit.draws.intervals().iloc[-2]
    assert fit.information == "expected"  # which score tests and residuals go on to use
    assert "bootstrap" in fit.summary()
    assert (row["se"], row["ci_low"], row["ci_high"]) == (draws["se"], draws["ci_low"], draws["ci_high"])


def test_groups_and_holes_are_resampled_too():
    holes = parity.fit("fiml_school_metric")
    draws = resampling.bootstrap(holes, 60, seed=1)
    assert len(draws.draws) + draws.failed == 60
    assert np.nanmedian(draws.draws.std(0) / np.sqrt(np.diag(holes.vcov))) == pytest.approx(1, abs=0.25)


def test_misuse_is_named(fit):
    with pytest.raises(ParameterError, match="the number of draws is a whole number, 2 or more; got 1"):
        resampling.bootstrap(fit, 1)
    with pytest.raises(UnknownNameError, match="unknown bootstrap interval 'studentised'"):
        resampling.bootstrap(fit, 10, seed=1).intervals("studentised")
    bare = replace(fit, sample=replace(fit.sample, groups=(replace(fit.sample.groups[0], rows=None),)))
    with pytest.raises(ParameterError, match="the bootstrap needs whole rows; got moments or pairwise"):
        resampling.bootstrap(bare, 10)


@pytest.fixture(scope="module")
def ordinal():
    items = pd.read_csv(parity.HERE / "data" / "sim_ordinal_groups.csv")
    options = {"estimator": "WLSMV", "ordered": True, "group": "group", "group_equal": ("thresholds", "loadings")}
    return items, options, semfit.fit("f =~ u1 + u2 + v1 + w1", items, **options)


def test_resamples_of_ordered_items_are_fits_to_those_rows(ordinal):
    items, options, fit = ordinal
    rng = np.random.default_rng(8)
    rows = [rng.integers(0, g.nobs, (2, g.nobs)) for g in fit.sample.groups]
    theta = resampling.weighted_refit(fit, [counts(r) for r in rows])
    for k in range(2):
        drawn = pd.concat([items[items["group"] == g].iloc[r[k]] for g, r in zip("ab", rows, strict=True)])
        assert np.allclose(semfit.fit("f =~ u1 + u2 + v1 + w1", drawn, **options).theta, theta[k], atol=1e-7)


def test_ordinal_draws_are_the_same_whatever_the_workers(ordinal, monkeypatch):
    monkeypatch.setattr(resampling, "BATCH", 10)
    one, two = (resampling.bootstrap(ordinal[2], 20, seed=4, workers=w) for w in (1, 2))
    assert np.array_equal(one.draws, two.draws)
    assert one.failed == 0


def test_draws_that_lose_a_category_are_counted():
    items = pd.read_csv(parity.HERE / "data" / "sim_ordinal12.csv").iloc[:200, :4]
    items.loc[items.index[:2], "o11"] = 5  # two rows of 200: a resample misses both with probability .133
    fit = semfit.fit("f =~ o11 + o12 + o13 + o14", items, estimator="WLSMV", ordered=True, bootstrap=60, seed=3)
    assert 2 <= fit.draws.failed <= 16  # binomial(60, .133) lies outside with probability below .003
    assert len(fit.draws.draws) == 60 - fit.draws.failed
    assert (fit.estimates["se"] >= 0).all()
