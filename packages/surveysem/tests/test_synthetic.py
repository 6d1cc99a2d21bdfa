"""Synthetic respondents: the truth is recovered, every planted defect is found, the table says what it is."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from books import LARGE, THREE

import semfit
import surveysem
from semfit import population_moments
from surveysem import Defects, Truth, draw_respondents
from surveysem.errors import ParameterError, UnknownNameError


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
    assert stated["contact"] is None


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


def test_sem_recovers_every_path_of_the_whole_survey():
    book = surveysem.load_codebook(LARGE)
    sample = draw_respondents(Truth(book), 4000, seed=8)
    fit = semfit.fit(book.model(), book.score(sample.responses.answers)[book.items])
    found = fit.estimates.set_index(["lhs", "op", "rhs"])["std_all"]
    for outcome, predictors in sample.truth.paths.items():
        for name, value in predictors.items():
            assert found[(outcome, "~", name)] == pytest.approx(value, abs=0.08)
