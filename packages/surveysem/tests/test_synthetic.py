"""Synthetic respondents: the truth is recovered, every planted defect is found, the table says what it is."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from books import LARGE, SMALL
from scipy import stats

import semfit
import surveysem
from semfit import population_moments
from surveysem import Defects, Departures, Truth, draw_respondents
from surveysem.errors import ParameterError, UnknownNameError

THREE = SMALL.replace(
    "[paths]",
    """[[constructs]]
name = "sharing"
scale = "five"
items = [{ code = "S1" }, { code = "S2", reverse = true }, { code = "S3" }]

[paths]
sharing = ["trust", "buying"]""",
)


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    path = tmp_path_factory.mktemp("book") / "three.toml"
    path.write_text(THREE, encoding="utf-8")
    return surveysem.load_codebook(path)


@pytest.fixture(scope="module")
def truth(book):
    return Truth(book, {"buying": {"trust": 0.5}, "sharing": {"trust": 0.2, "buying": -0.4}})


def test_latent_answers_are_standardised(truth):
    names, mean, covariance = population_moments(truth.population())
    assert np.diag(covariance) == pytest.approx(1)
    assert mean == pytest.approx(0)
    between = covariance[names.index("T1"), names.index("B1")]
    assert between == pytest.approx(0.75**2 * 0.5)  # tracing rule: loading x path x loading
    sharing = covariance[names.index("T1"), names.index("S1")]
    assert sharing == pytest.approx(0.75**2 * (0.2 + 0.5 * -0.4))


def test_the_whole_codebook_has_a_truth():
    assert all(0 < left < 1 for left in Truth(surveysem.load_codebook(LARGE)).structures[0].disturbances.values())


@pytest.mark.parametrize("estimator", ["ML", "WLSMV"])
def test_sem_recovers_the_paths_from_clean_answers(truth, estimator):
    sample = draw_respondents(truth, 12000, seed=11)
    answers = truth.codebook.score(surveysem.screen(sample.responses).answers)
    kept = len(answers)
    assert kept > 11700  # a few draw one answer throughout, or one like another's
    ordered = {"ordered": True} if estimator == "WLSMV" else {}
    fit = semfit.fit(truth.codebook.model(), answers[truth.codebook.items], estimator=estimator, **ordered)
    found = fit.estimates.set_index(["lhs", "op", "rhs"])["std_all"]
    for outcome, predictors in truth.paths.items():
        for name, value in predictors.items():
            assert found[(outcome, "~", name)] == pytest.approx(value, abs=0.06)
    if estimator == "WLSMV":  # five points as intervals attenuate the loadings
        assert found.xs("=~", level="op").to_numpy() == pytest.approx(0.75, abs=0.03)


def test_every_planted_defect_is_found_and_recorded(truth):
    defects = Defects(missing_cells=40, straight_liners=5, speeders=6, failed_checks=7, duplicates=4, out_of_range=3)
    sample = draw_respondents(truth, 400, defects=defects, seed=5)
    clean = surveysem.screen(draw_respondents(truth, 400, seed=5).responses)
    screened = surveysem.screen(sample.responses, surveysem.Rules(missing=0))
    rules = {
        "straight-liner": "one answer only",
        "speeder": "speeder",
        "failed check": "failed check",
        "duplicate": "duplicate",
        "out of range": "out of range",
        "missing cell": "missing",
    }
    natural = set(clean.record["row"])
    for defect, rule in rules.items():
        planted = set(sample.planted.query("defect == @defect")["row"])
        flagged = set(screened.record.query("rule == @rule")["row"])
        assert planted <= flagged, defect
        if rule == "missing":
            flagged -= set(sample.planted.query("defect == 'out of range'")["row"])  # missing once recorded
        assert flagged - planted <= natural, defect
    counts = sample.planted["defect"].value_counts()
    assert counts.to_dict() == {
        "missing cell": 40,
        "failed check": 7,
        "speeder": 6,
        "straight-liner": 5,
        "duplicate": 4,
        "out of range": 3,
    }
    for _, row, first in sample.planted.query("defect == 'duplicate'")[["row", "value"]].itertuples():
        assert first < row
        pd.testing.assert_series_equal(
            sample.cells.loc[row].drop("duration"), sample.cells.loc[first].drop("duration"), check_names=False
        )


def test_the_sample_says_that_it_is_synthetic_also_after_a_round_trip(truth, tmp_path):
    sample = draw_respondents(truth, 60, defects=Defects(missing_cells=3, out_of_range=2), seed=2)
    written = sample.write(tmp_path)
    assert [path.name for path in written] == ["sample.csv", "planted.csv", "truth.json"]
    found = surveysem.read_responses(tmp_path / "sample.csv", truth.codebook, invalid="record")
    assert found.basis == found.answers.attrs["basis"] == sample.cells.attrs["basis"] == "synthetic sample"
    pd.testing.assert_frame_equal(found.answers, sample.responses.answers)
    pd.testing.assert_series_equal(found.duration, sample.responses.duration)
    assert found.invalid["row"].tolist() == sample.planted.query("defect == 'out of range'")["row"].tolist()
    stated = json.loads((tmp_path / "truth.json").read_text(encoding="utf-8"))
    assert stated["paths"] == truth.paths
    assert "\n".join(stated["population"]) == truth.population()
    assert stated["basis"] == "synthetic sample"


def test_the_same_seed_gives_the_same_sample(truth):
    first, again, other = (draw_respondents(truth, 50, defects=Defects(duplicates=3), seed=s).cells for s in (1, 1, 2))
    pd.testing.assert_frame_equal(first, again)
    assert not first.equals(other)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"effects": {"buying": {"trsut": 0.5}}}, "unknown construct 'trsut'; did you mean 'trust'"),
        ({"effects": {"buying": {"trust": 1.2}}}, "the effects on buying explain all its variance"),
        ({"effects": {"buying": {"trust": 0.2}, "trust": {"buying": 0.2}}}, "run in a circle through buying, trust"),
        ({"loading": 1}, "loading is 1; allowed: a number between 0 and 1"),
        ({"correlation": -0.1}, "correlation is -0.1"),
        ({"seconds": 0}, "seconds is 0; allowed: a finite number above 0"),
    ],
)
def test_an_impossible_truth(book, options, message):
    with pytest.raises((ParameterError, UnknownNameError), match=message):
        Truth(book, **options)


def test_impossible_defects(truth, tmp_path):
    with pytest.raises(ParameterError, match="the defects need 12 respondents; got 10"):
        draw_respondents(truth, 10, defects=Defects(duplicates=6), seed=1)
    with pytest.raises(ParameterError, match="200 missing cells; allowed: up to 90"):
        draw_respondents(truth, 10, defects=Defects(missing_cells=200), seed=1)
    with pytest.raises(ParameterError, match="defect speeders is -1; allowed: a whole number from 0"):
        Defects(speeders=-1)
    with pytest.raises(ParameterError, match="nobs is 0"):
        draw_respondents(truth, 0)


LOTS = 40_000
CUTS = np.linspace(-1.5, 1.5, 4)  # of five points


def departing(truth, seed=3, **options):
    return draw_respondents(truth, LOTS, departures=Departures(**options), seed=seed)


def numbers(sample):
    return sample.cells[sample.truth.codebook.items].astype(float)


def test_skewed_answers_pile_up_at_the_top(truth):
    means = numbers(departing(truth, skew=0.8)).mean()
    expected = 1 + stats.norm.sf(CUTS - 0.8).sum()
    assert means.drop(["T2", "S2"]).to_numpy() == pytest.approx(expected, abs=0.03)
    assert means[["T2", "S2"]].to_numpy() == pytest.approx(6 - expected, abs=0.03)  # reverse-keyed


@pytest.mark.parametrize("options", [{"cross_loading": 0.3}, {"method": 0.4}, {}])
def test_latent_answers_correlate_as_their_loadings_say(truth, options):
    """Polychoric correlations of the answers as given undo the cutting."""
    sample = departing(truth, **options)
    answers = numbers(sample)[["T1", "T2", "B1", "B3"]]
    found = semfit.fit("f =~ T1 + T2 + B1 + B3", answers, estimator="WLSMV", ordered=True)
    R = pd.DataFrame(found.sample.groups[0].covariance, found.sample.names, found.sample.names)
    cross, method, trust = options.get("cross_loading", 0.0), options.get("method", 0.0), 0.5
    assert R.at["T1", "B3"] == pytest.approx(0.75**2 * trust + cross * 0.75 + method**2, abs=0.03)
    assert R.at["T2", "B3"] == pytest.approx(-(0.75**2) * trust + method**2, abs=0.03)  # as given: not turned round
    sharing = 0.2 * trust - 0.4  # of sharing, on which B1 loads too, with buying
    assert R.at["B1", "B3"] == pytest.approx(0.75**2 + cross * 0.75 * sharing + method**2, abs=0.03)


def test_high_answers_go_missing_where_the_slope_says_so(truth):
    by_chance, not_at_random = (departing(truth, missing=0.1, missing_slope=slope) for slope in (0.0, 1.0))
    whole = numbers(departing(truth))
    for sample in (by_chance, not_at_random):
        assert numbers(sample).isna().mean().to_numpy() == pytest.approx(0.1, abs=0.008)
        assert sample.planted.empty
    forward = [code for code in whole if code not in ("T2", "S2")]
    assert numbers(by_chance)[forward].mean().to_numpy() == pytest.approx(whole[forward].mean().to_numpy(), abs=0.03)
    assert (numbers(not_at_random)[forward].mean() < whole[forward].mean() - 0.1).all()
    assert (numbers(not_at_random)[["T2", "S2"]].mean() > whole[["T2", "S2"]].mean() + 0.1).all()


@pytest.mark.slow
def test_the_careless_answer_at_random_and_pass_the_screening(truth):
    sample = departing(truth, careless=1.0)
    found = numbers(sample)
    assert found.mean().to_numpy() == pytest.approx(3, abs=0.04)
    assert np.corrcoef(found.T)[np.triu_indices(9, 1)] == pytest.approx(0, abs=0.025)
    assert len(surveysem.screen(sample.responses, surveysem.Rules(duplicates=False)).flagged) < 10
    half, none = (numbers(departing(truth, careless=share)).cov().at["B1", "B2"] for share in (0.5, 0.0))
    assert half == pytest.approx(none / 2, abs=0.05)  # the mean is 3 either way


def test_departures_are_stated_beside_the_sample(truth, tmp_path):
    draw_respondents(truth, 60, departures=Departures(method=0.2), seed=2).write(tmp_path)
    stated = json.loads((tmp_path / "truth.json").read_text(encoding="utf-8"))
    assert stated["departures"] == {
        "skew": 0,
        "cross_loading": 0,
        "method": 0.2,
        "missing": 0,
        "missing_slope": 0,
        "careless": 0,
    }
    assert stated["contact"] is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"missing": 1.0}, "departure missing is 1.0; allowed: a share from 0 to 1"),
        ({"careless": -0.1}, "departure careless is -0.1; allowed: a share from 0 to 1"),
        ({"skew": float("nan")}, "departure skew is nan; allowed: a finite number"),
        ({"method": 0.7}, "the departures explain all the variance of T1; allowed: loadings that leave some"),
        ({"cross_loading": 0.6}, "the departures explain all the variance of T1"),
    ],
)
def test_impossible_departures(truth, options, message):
    with pytest.raises(ParameterError, match=message):
        draw_respondents(truth, 100, departures=Departures(**options), seed=1)


def test_sem_recovers_every_path_of_the_whole_survey():
    book = surveysem.load_codebook(LARGE)
    sample = draw_respondents(Truth(book), 4000, seed=8)
    fit = semfit.fit(book.model(), book.score(sample.responses.answers)[book.items])
    found = fit.estimates.set_index(["lhs", "op", "rhs"])["std_all"]
    for outcome, predictors in sample.truth.paths.items():
        for name, value in predictors.items():
            assert found[(outcome, "~", name)] == pytest.approx(value, abs=0.08)
