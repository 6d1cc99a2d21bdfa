"""A study of a survey: models, paths and indirect effects against closed forms and lavaan's definitions, its words."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from itertools import combinations
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from books import BOOK, CONSTRUCTS, TRUTH, construct, studied

import semfit
import surveysem
from semfit import psychometrics
from surveysem import Codebook, Item, NotTestable, Scale, measurement, paths, report
from surveysem import ExpectedPath as Expected
from surveysem import study as of_study
from surveysem.errors import DataError, ParameterError, UnknownNameError
from surveysem.specification_curve import SpecificationCurve, specification_curve
from surveysem.study import Study, check_solution, options_of, shared


@pytest.fixture(scope="module")
def study() -> Study:
    return studied(600)


@pytest.fixture(scope="module")
def holes() -> Study:
    return studied(600, missing_cells=150)


# --- the study --------------------------------------------------------------------------------------------------------


def test_constructs_strategies_and_outcomes_follow_from_the_paths(study):
    assert study.constructs == ["care", "noise", "trust", "stay"]
    assert (study.strategies, study.outcomes) == (["care", "noise"], ["stay"])
    named = replace(BOOK, strategies=("care",), outcomes=("trust", "stay"), constructs=(*CONSTRUCTS, construct("idle")))
    other = studied(100, book=replace(named, questions=(*BOOK.questions, *construct("idle").items)))
    assert (other.strategies, other.outcomes, len(other.items)) == (["care"], ["trust", "stay"], 12)  # idle has no path


def test_what_one_process_put_on_the_shelf_no_other_finds_again(study, tmp_path):
    found = []

    def make() -> pd.DataFrame:
        found.append(1)
        return study.answers

    for shelf in (tmp_path, tmp_path, None):
        pd.testing.assert_frame_equal(shared(shelf, "answers", make), study.answers)
    assert len(found) == 2


def test_a_notebook_finds_on_the_shelf_what_another_read_of_the_same_study_alone(tmp_path, monkeypatch):
    book, answers, read = surveysem.TEMPLATE, tmp_path / "answers.csv", []
    drawn = surveysem.draw_respondents(surveysem.Truth(surveysem.load_codebook(book)), 90, seed=1).cells
    drawn.to_csv(answers, index=False)
    monkeypatch.setattr(
        of_study, "read_responses", lambda *given, **how: read.append(given) or responses(*given, **how)
    )
    responses = surveysem.read_responses
    (tmp_path / of_study.SHELF).mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(report.ASKED, "en")
    first, again = report.study_of(answers, book), report.study_of(answers, book)
    assert (first.answers.equals(again.answers), len(read)) == (True, 1)
    report.study_of(answers, book, screening="report-only")
    drawn[:80].to_csv(answers, index=False)
    assert (len(report.study_of(answers, book).responses.answers), len(read)) == (80, 3)


def test_missing_answers_are_met_by_full_information(study, holes):
    assert study.options["missing"] == "listwise"
    assert holes.options["missing"] == "fiml"
    assert holes.structural.nobs == holes.nobs
    assert studied(200, estimator="WLSMV").options == {"estimator": "WLSMV", "ordered": True}


def aged(planted: float = 0.8, nobs: int = 800) -> Study:
    """Respondents of three towns whose age raises both trust and staying, with age and town held constant."""
    drawn = studied(nobs, seed=5)
    rng = np.random.default_rng(2)
    answers = drawn.responses.answers
    trait = answers[["TRUST1", "TRUST2", "TRUST3", "STAY1", "STAY2", "STAY3"]].mean(axis=1)
    age = 30 + 10 * (planted * (trait - trait.mean()) / trait.std() + rng.standard_normal(nobs)).round()
    extra = (
        Item("AGE", Scale("years", -100, 200), role="control"),
        Item("TOWN", Scale("town", 1, 3, ("a", "b", "c"), ("a", "b", "c")), role="control"),
    )
    book = replace(BOOK, questions=(*BOOK.questions, *extra), covariates=("AGE", "TOWN"))
    more = answers.assign(AGE=age, TOWN=rng.integers(1, 4, nobs))
    responses = replace(drawn.responses, codebook=book, answers=more)
    return Study(responses, surveysem.screen(responses), draws=100)


@pytest.mark.slow
def test_covariates_are_held_constant_in_every_path():
    """Scale means and OLS say how far holding age constant moves a path; the latent path moves as far."""
    held = aged()
    free = Study(replace(held.responses, codebook=replace(held.codebook, covariates=())), held.screened, draws=100)
    assert list(held.covariates.items()) == [("AGE", ("AGE", None)), ("TOWN_2", ("TOWN", 2)), ("TOWN_3", ("TOWN", 3))]
    scores = surveysem.mean_scores(held.codebook, held.answers, held.constructs).join(held.answers[[*held.covariates]])
    Z = (scores - scores.mean()) / scores.std()

    def by_ols(*names: str) -> float:
        return float(np.linalg.lstsq(Z[["trust", "care", *names]], Z["stay"], rcond=None)[0][0])

    moved = paths.direct(free, "stay", "trust").estimate - paths.direct(held, "stay", "trust").estimate
    by_means = by_ols() - by_ols(*held.covariates)
    assert moved > 0.05
    assert moved == pytest.approx(by_means, abs=0.06)
    table = paths.covariate_table(held).groupby("covariate")["p"]
    assert table.max()["AGE"] < 1e-4  # it was put in
    assert table.min()["TOWN"] > 1e-3  # it was not
    curve = specification_curve(held)
    declared = curve.frame.query("declared").set_index(["outcome", "predictor"])["estimate"]
    assert declared["stay", "trust"] == pytest.approx(paths.direct(held, "stay", "trust").estimate, rel=1e-6)


def test_models_of_ordered_answers_take_no_covariates():
    held = aged(nobs=200)
    with pytest.raises(DataError, match=r"names covariates \(AGE, TOWN\), .*allowed with covariates: MLR, ML"):
        Study(held.responses, held.screened, estimator="WLSMV")


def test_whose_answers_they_are(study):
    assert study.basis == "synthetic sample"
    assert replace(study, responses=replace(study.responses, basis="survey")).basis == "own survey"


def test_a_study_needs_paths_and_more_respondents_than_items():
    with pytest.raises(DataError, match=r"states no paths between its constructs; a table \[paths\]"):
        studied(100, book=replace(BOOK, paths=()))
    with pytest.raises(DataError, match="12 respondents are left after screening for 12 items"):
        studied(12)
    with pytest.raises(UnknownNameError, match="unknown estimator 'GLS'"):
        studied(100, estimator="GLS")


def test_paths_in_a_circle_are_refused(study):
    round_about = replace(BOOK, paths=(*BOOK.paths, Expected("trust", "stay", 1)))
    with pytest.raises(DataError, match="the paths run in a circle, (stay - trust - stay|trust - stay - trust); paths"):
        replace(study, responses=replace(study.responses, codebook=round_about))


# --- paths and indirect effects ---------------------------------------------------------------------------------------


def test_paths_recover_the_truth():
    """In 20,000 answers cut into seven; a path's error there is about .01."""
    table = paths.path_table(studied(20_000, seed=3)).set_index(["outcome", "predictor"])["std"]
    for (outcome, predictor), value in table.items():
        assert value == pytest.approx(TRUTH.paths[outcome][predictor], abs=0.03)


def test_indirect_effects_are_products_of_paths_and_what_the_engine_defines(study):
    found, std = paths.indirect(study), study.structural.standardized.set_index(["lhs", "op", "rhs"])["std_all"]
    by_name = dict(zip(found.names, found.estimates, strict=True))
    product = std["trust", "~", "care"] * std["stay", "~", "trust"]
    assert by_name["care", "stay", "all"] == pytest.approx(product, rel=1e-12)
    assert by_name["care", "stay", "trust"] == pytest.approx(product, rel=1e-12)  # its only way
    text = study.codebook.model().replace("trust ~ care", "trust ~ a*care").replace("stay ~ trust", "stay ~ b*trust")
    defined = study.fit(text + "\nab := a*b").standardized.query("op == ':='")
    assert by_name["care", "stay", "all"] == pytest.approx(float(defined["std_all"].iloc[0]), rel=1e-8)
    spread = found.draws[:, found.names.index(("care", "stay", "all"))].std(ddof=1)
    assert spread == pytest.approx(float(defined["se"].iloc[0]), rel=0.15)  # 500 draws: 3 % of error


def test_one_step_draws_have_the_sandwich_s_covariance(study):
    """theta + I^-1 S'w / N with counts w has covariance I^-1 S'S I^-1 / N^2, which is MLR's."""
    draws = semfit.bootstrap(study.structural, 20_000, seed=1, method="one-step").draws
    ratio = draws.std(0) / np.sqrt(np.diag(study.structural.vcov))
    assert np.abs(ratio - 1).max() < 0.03  # 20,000 draws: a standard deviation's error is half a per cent


def test_one_step_and_refits_agree(study):
    refits, steps = (
        semfit.bootstrap(study.structural, 1000, seed=2, method=method).draws.std(0) for method in ("refit", "one-step")
    )
    assert np.median(refits / steps) == pytest.approx(1, abs=0.03)
    assert np.abs(refits / steps - 1).max() < 0.2


def test_the_one_step_bootstrap_refuses_what_it_cannot(study):
    with pytest.raises(semfit.UnknownNameError, match="unknown method of the bootstrap 'two-step'"):
        semfit.bootstrap(study.structural, 10, method="two-step")
    with pytest.raises(semfit.ParameterError, match="takes no ordered items; allowed: method 'refit'"):
        semfit.bootstrap(studied(300, estimator="WLSMV").structural, 10, method="one-step")


def test_incomplete_rows_are_resampled_by_steps_to_the_same_draws_for_a_seed(holes):
    again = studied(600, missing_cells=150)
    assert np.array_equal(holes.resampled.draws, again.resampled.draws)
    found = paths.indirect(holes)
    low, high = found.interval()
    assert ((low < found.estimates) & (found.estimates < high)).all()


def test_p_values_agree_with_intervals(study):
    found = paths.indirect(study)
    low, high = found.interval(0.95)
    assert ((found.p_values < 0.045) <= ((low > 0) | (high < 0))).all()


def test_without_a_way_through_another_construct_there_is_no_indirect_effect():
    straight = studied(200, book=replace(BOOK, paths=(Expected("stay", "care", 1), Expected("stay", "noise", -1))))
    found = paths.indirect(straight)
    assert isinstance(found, NotTestable)
    assert found.reason == "No path leads from a strategy over another construct to a final outcome."


RISK = replace(
    BOOK,
    paths=(
        Expected("noise", "care", -1),
        Expected("stay", "noise", -1),
        Expected("stay", "trust", 1),
        Expected("noise", "trust", 1),
    ),
)


def test_the_claimed_sign_of_an_indirect_effect_is_the_product_along_its_way():
    """Care lowers noise, which lowers stay: through noise it is claimed to raise it; trust has ways of one sign."""
    truth = surveysem.Truth(RISK, {"noise": {"care": -0.5, "trust": 0.3}, "stay": {"noise": -0.5, "trust": 0.3}})
    sample = surveysem.draw_respondents(truth, 600, seed=3, defects=surveysem.Defects())
    risky = Study(sample.responses, surveysem.screen(sample.responses), draws=200)
    assert paths.claimed_signs(risky) == {
        ("care", "stay", "noise"): 1,
        ("care", "stay", "all"): 1,
        ("trust", "stay", "noise"): -1,
        ("trust", "stay", "all"): -1,
    }
    found = paths.indirect(risky)
    lines = found.totals("stay").summary().set_index("strategy")
    assert lines["estimate"].to_dict() == pytest.approx({"care": 0.25, "trust": -0.15}, abs=0.08)
    assert lines.loc["care", "low"] > 0 > lines.loc["trust", "high"]


def test_where_ways_of_both_signs_are_claimed_their_sum_has_none():
    mixed = replace(
        RISK,
        paths=(
            Expected("noise", "care", 1),
            Expected("trust", "care", 1),
            Expected("stay", "noise", -1),
            Expected("stay", "trust", 1),
        ),
    )
    both = studied(300, book=mixed, draws=100)
    assert paths.claimed_signs(both) == {
        ("care", "stay", "noise"): -1,
        ("care", "stay", "trust"): 1,
        ("care", "stay", "all"): 0,
    }


def dense(constructs: int) -> Codebook:
    """Each construct is led to by all before it."""
    every = tuple(construct(f"c{k}") for k in range(constructs))
    steps = tuple(Expected(later.name, one.name, 1) for one, later in combinations(every, 2))
    return Codebook("dense", every, tuple(item for one in every for item in one.items), steps)


def test_total_effects_of_a_dense_model_are_those_of_the_inverse():
    book = dense(9)
    slopes: dict[str, dict[str, float]] = {}
    for path in book.paths:
        slopes.setdefault(path.outcome, {})[path.predictor] = 0.08
    drawn = surveysem.draw_respondents(surveysem.Truth(book, slopes), 500, seed=1).responses
    own = Study(drawn, surveysem.screen(drawn), draws=50)
    std = paths.path_table(own).pivot(index="outcome", columns="predictor", values="std")
    B = std.reindex(index=own.constructs, columns=own.constructs).fillna(0)
    inverse = pd.DataFrame(np.linalg.inv(np.eye(len(B)) - B), B.index, B.columns)
    found = paths.decomposition(own).query("effect == 'total'")
    assert len(found) == 28  # of the 36 pairs, 8 are neighbours
    for row in found.itertuples():
        assert row.estimate == pytest.approx(inverse.loc[row.outcome, row.predictor], rel=1e-9)


def test_work_and_memory_follow_the_paths_of_a_dense_model_not_its_ways():
    """Of 17 constructs, 2^15 ways lead from the first to the last: 1.3 GB, were each multiplied out by itself."""
    book, rng = dense(17), np.random.default_rng(1)
    draws = {(path.predictor, path.outcome): rng.normal(0, 0.3, 5000) for path in book.paths}
    tracemalloc.start()
    last = paths.totals(draws)("c0", "c16")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    B = np.zeros((5000, 17, 17))
    for (x, y), values in draws.items():
        B[:, int(y[1:]), int(x[1:])] = values
    assert last == pytest.approx(np.linalg.inv(np.eye(17) - B)[:, 16, 0], rel=1e-9, abs=1e-9)
    assert peak < 5e6
    ways = paths.ways(book)  # pairs with 2 or 3 constructs between, which 2^2 - 1 or 2^3 - 1 ways join
    assert len(ways) == len({*ways}) == 14 * 3 + 13 * 7


def test_an_unknown_path_is_named_with_those_there_are(study):
    with pytest.raises(UnknownNameError, match="unknown path 'stay ~ noise'"):
        paths.direct(study, "stay", "noise")


# --- words and tables -------------------------------------------------------------------------------------------------


def fits_of(study: Study) -> pd.DataFrame:
    return measurement.fit_table({"measurement model": study.measurement, "structural model": study.structural})


def test_tables_of_measurement(study):
    matrix = psychometrics.fornell_larcker(study.measurement).matrix
    table = measurement.triangle(matrix.loc[study.constructs, study.constructs], study.codebook.called)
    assert table["construct"].tolist() == [study.codebook.called[name] for name in study.constructs]
    ave = psychometrics.measurement_quality(study.measurement).table()["ave"].to_numpy()
    assert [table.loc[k, str(k + 1)] for k in range(4)] == pytest.approx(np.sqrt(ave))
    assert table.loc[3, "1"] == matrix.loc[study.constructs[3], study.constructs[0]]
    assert table.loc[0, "2"] == ""  # above the diagonal
    fits = fits_of(study)
    assert list(fits) == list(measurement.FIT_HEADS)
    assert fits["df"].tolist() == [48, 49]  # 78 moments less 24 loadings and residuals and 6 correlations, or 5
    assert fits["cfi"].tolist() == [one.fit_measures["cfi.robust"] for one in (study.measurement, study.structural)]


def test_a_study_says_where_its_answers_are_from(study):
    own = replace(study, responses=replace(study.responses, basis="survey", file="mine.csv"))
    assert "simulated" in study.source
    assert own.source == "mine.csv"
    assert own.words["mine.csv"] == {}


def test_what_failed_is_not_counted_as_firm():
    rows = [
        {
            "specification": k,
            "declared": k == 1,
            "outcome": "stay",
            "predictor": "care",
            "direction": 1,
            "estimate": value,
            "low": value - 0.1,
            "high": value + 0.1,
        }
        for k, value in enumerate([0.4, 0.3, np.nan], 1)
    ]
    line = SpecificationCurve(pd.DataFrame(rows)).summary().iloc[0]
    assert (line["specifications"], line["failed"], line["beyond_zero"]) == (2, 1, 1)


def test_a_model_without_a_solution_is_no_measurement():
    unsolved = SimpleNamespace(converged=False, identified=True, nobs=600, problems=["No."])
    with pytest.raises(DataError, match=r"mine.csv: the measurement model has no solution on these 600 answers"):
        check_solution(unsolved, "mine.csv")
    check_solution(SimpleNamespace(converged=True, identified=True), "mine.csv")


def test_a_fit_counts_the_rows_it_used():
    ordered = studied(400, estimator="WLSMV", missing_cells=60)
    whole = int(ordered.answers[ordered.items].notna().all(axis=1).sum())
    assert whole < ordered.nobs
    assert fits_of(ordered)["n"].tolist() == [whole, whole]


def test_resamples_of_ordered_answers_are_drawn_from_the_estimates_distribution():
    ordered = studied(300, estimator="WLSMV", draws=20_000)
    assert ordered.resampling == "normal"
    assert replace(ordered, estimator="MLR").resampling == "refit"
    ratio = ordered.resampled.draws.std(0) / np.sqrt(np.diag(ordered.structural.vcov))
    assert np.abs(ratio - 1).max() < 0.03
    assert paths.indirect(ordered).p_values.min() > 0


@pytest.mark.parametrize("reading", ["", "{", "[1]", '{"shee": "answers"}'])
def test_how_a_file_is_read_is_stated_in_json(reading):
    assert options_of('{"sheet": "answers"}') == {"sheet": "answers"}
    with pytest.raises(ParameterError, match="reading is JSON of sheet, .*, invalid, such as"):
        options_of(reading)
