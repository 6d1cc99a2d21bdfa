"""From screening to verdict on drawn data sets: rows are whole, failures are told, rates agree with a hand count."""

from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest
from books import THREE
from scipy import stats

import semfit
import surveysem
from benchmarks import calibration
from benchmarks import calibration_figure as drawing
from benchmarks.calibration import Cell, DepartingTruth
from socialcommerce import survey
from socialcommerce.errors import UnknownNameError
from socialcommerce.evidence import survey as respondents
from socialcommerce.figures import style
from stockflow import experiments
from surveysem import Defects, ParameterError, Truth, draw_respondents, true_values
from tests.palette import check_palette

IDS = [f"H{k}" for k in range(30, 53)]


def cell(**others):
    defects = Defects(straight_liners=3, speeders=3, failed_checks=3, duplicates=2, out_of_range=2)
    return Cell(
        **{"truth": survey.own_truth(), "nobs": 300, "defects": defects, "draws": 50, "left_out": ("H50",), **others}
    )


def drawn(of, number=0):
    return calibration.data_set({"one": of}, "one", np.random.SeedSequence(1, spawn_key=(number,)))


@pytest.mark.slow
def test_a_data_set_has_a_row_for_every_hypothesis():
    rows = drawn(cell()).set_index("id")
    assert sorted(rows.index) == IDS
    assert rows["failure"].drop("H50").eq("").all()
    assert rows.loc["H50", "failure"] == calibration.LEFT_OUT
    tested = rows.drop("H50")
    assert (tested["low"] <= tested["low95"]).all()
    assert (tested["high95"] <= tested["high"]).all()
    assert (tested["low"] <= tested["estimate"]).all()
    assert (tested["estimate"] <= tested["high"]).all()
    assert set(tested["outcome"]) <= {"supported", "contradicted", "not supported", "inconclusive"}
    assert rows["nobs"].eq(300 - 13).all()  # who has a planted defect is screened out
    assert rows.loc["H39", "truth"] == -0.15
    assert rows.loc["H52", "truth"] == 0.0


@pytest.mark.slow
def test_intervals_are_held_against_targets_where_there_are_any():
    rows = drawn(cell(targets={"H30": 0.3})).set_index("id")
    assert rows.loc["H30", "target"] == 0.3
    assert rows.loc["H30", "truth"] == 0.25
    assert (rows["target"] == rows["truth"]).drop("H30").all()


@pytest.mark.slow
def test_what_cannot_be_analysed_is_told_in_every_row():
    noise = replace(survey.own_truth(), loading=0.05)  # items that hardly measure anything, few respondents
    rows = drawn(cell(truth=noise, nobs=75, defects=Defects()))
    assert sorted(rows["id"]) == IDS
    assert (rows["outcome"] == "not testable").all()
    tried = rows[rows["id"] != "H50"]
    assert tried["failure"].str.contains("DataError: synthetic.csv: the structural model has no solution").all()
    rates = calibration.hypothesis_rates(rows.assign(cell="one", set=0))
    assert len(rates) == 22
    assert (rates["sets"] == 0).all()
    assert (rates["failed"] == 1).all()


@pytest.mark.slow
def test_serial_and_processes_agree():
    fn = partial(calibration.data_set, {"one": cell(truth=DepartingTruth.of(survey.own_truth(), skew=0.5))})
    tables = [
        experiments.run(fn, [{"cell": "one"}], 3, executor, workers=2).drop(columns="seconds")
        for executor in ("serial", "processes")
    ]
    pd.testing.assert_frame_equal(*tables)


@pytest.mark.slow
def test_the_least_of_many_respondents_comes_near_the_truth():
    found = calibration.pseudo_true(cell(), seed=5, nobs=4000)
    truth = respondents.true_effects(survey.own_truth())
    assert all(abs(found[name] - truth[name]) < 0.1 for name in found)  # 4 standard errors


def hand():
    """Three data sets of one cell: H1 positive and true, H2 positive and absent, H3 negative and true, H4 equal."""

    def row(number, name, truth, low, high, outcome, direction="positive"):
        return {
            "cell": "c",
            "set": number,
            "id": name,
            "family": "f",
            "direction": direction,
            "smallest": 0.1,
            "truth": truth,
            "target": truth,
            "estimate": (low + high) / 2,
            "low": low,
            "high": high,
            "low95": low + 0.01,
            "high95": high - 0.01,
            "outcome": outcome,
            "failure": "",
        }

    return pd.DataFrame(
        [
            row(0, "H1", 0.2, 0.1, 0.3, "supported"),
            row(0, "H2", 0.0, 0.05, 0.2, "supported"),
            row(0, "H3", -0.2, -0.3, -0.1, "supported", "negative"),
            row(0, "H4", 0.0, 0.0, 0.05, "supported", "equal"),
            row(1, "H1", 0.2, 0.205, 0.4, "supported"),
            row(1, "H2", 0.0, -0.1, 0.1, "inconclusive"),
            row(1, "H3", -0.2, 0.05, 0.2, "contradicted", "negative"),
            row(1, "H4", 0.1, 0.0, 0.05, "supported", "equal"),
            row(2, "H1", 0.2, -0.05, 0.05, "not supported"),
            row(2, "H2", 0.0, -0.05, 0.05, "not supported"),
            row(2, "H3", -0.2, -0.3, 0.1, "inconclusive", "negative"),
            row(2, "H4", 0.0, 0.0, 0.3, "inconclusive", "equal"),
        ]
    )


def test_false_discoveries_by_hand():
    (found,) = calibration.discoveries(hand()).to_dict("records")
    # supported: 4 in the first set, H2 falsely; H1 and H4 in the second, H4 falsely (differs by the smallest effect)
    assert (found["supported"], found["false_supported"]) == (6, 2)
    assert found["share"] == pytest.approx(2 / 6)
    assert found["fdr"] == pytest.approx((1 / 4 + 1 / 2 + 0) / 3)
    assert (found["contradicted"], found["false_contradicted"]) == (1, 1)  # H3 holds
    assert (found["not_supported"], found["false_not_supported"]) == (2, 1)  # H1 is .2, above .1


def test_coverage_size_and_family_errors_by_hand():
    rates = calibration.hypothesis_rates(hand()).set_index("id")
    assert rates.loc["H1", ["covered", "covered95", "rejected"]].tolist() == [1, 1, 2]
    assert rates.loc["H2", ["covered", "rejected", "rejected95"]].tolist() == [2, 1, 1]
    failed = hand().assign(failure=lambda rows: np.where(rows["set"] == 2, "no solution", ""))
    assert calibration.hypothesis_rates(failed).set_index("id").loc["H2", ["sets", "failed"]].tolist() == [2, 1]
    (family,) = calibration.family_errors(hand()).to_dict("records")
    assert (family["nulls"], family["sets"], family["errors"]) == (2, 3, 1)  # H2 and at times H4 are zero


def test_rates_are_drawn_in_the_house_style():
    rates = pd.DataFrame(
        [
            {
                "cell": cell,
                "id": name,
                "joint": name == "H2",
                "covered95": 0.9,
                "covered95_low": 0.8,
                "covered95_high": 1.0,
                "rejected": 0.5,
                "rejected_low": 0.4,
                "rejected_high": 0.6,
            }
            for cell in ("one", "other")
            for name in ("H1", "H2")
        ]
    )
    cells = {"one": "first cell", "other": "second cell"}
    svg = style.draw(drawing.plot_rates, rates, language="en", cells=cells, band=(0.9, 0.97), alone=(0.93, 0.96))
    assert check_palette(svg) == []
    with style.house("en"):
        left, right = drawing.plot_rates(rates, cells=cells, band=(0.9, 0.97), alone=(0.93, 0.96))
    points = [line for line in left.get_lines() if line.get_marker() in drawing.MARKERS]
    assert sorted(x for line in points for x in line.get_xdata()) == [0.9] * 4
    legend = [text.get_text() for text in left.figure.legends[0].get_texts()]
    assert [*cells.values()] == legend[-2:]


def test_a_rate_is_judged_alone_and_among_all():
    assert calibration.judge(950, 1000, 0.95, 150)[1] == "within"
    p = 0.03496986  # R 4.2: binom.test(935, 1000, .95)$p.value
    assert calibration.judge(935, 1000, 0.95, 150) == (pytest.approx(p, abs=1e-8), "outside alone")
    assert calibration.judge(1000, 1000, 0.95, 150, "less")[1] == "within"  # caution is no fault there
    assert calibration.judge(1000, 1000, 0.95, 150)[1] == "outside"


def test_a_cell_can_do_without_anything_true():
    truth = survey.own_truth()
    none = replace(
        truth,
        effects={o: dict.fromkeys(p, 0.0) for o, p in truth.paths.items()},
        moderations={},
        contact=replace(truth.contact, drop=0.0),
    )
    assert set(respondents.true_effects(none).values()) == {0.0}


@pytest.mark.parametrize(
    ("where", "kept", "dropped"),
    [
        ("a", [("stickiness", "trust"), ("sharing", "satisfaction")], [("trust", "quality")]),
        (
            "b",
            [("trust", "quality"), ("stickiness", "emotion")],
            [("stickiness", "trust"), ("sharing", "satisfaction")],
        ),
        (
            "both",
            [("stickiness", "emotion"), ("repurchase", "stickiness")],
            [("trust", "brand"), ("repurchase", "trust")],
        ),
    ],
)
def test_null_truths_leave_no_indirect_effect(where, kept, dropped):
    truth = survey.own_truth()
    none = calibration.null_truth(truth, where)
    assert values(none, "indirect").abs().max() == 0
    paths, before = values(none, "path"), values(truth, "path")
    assert all(paths[pair] == before[pair] != 0 for pair in kept)
    assert all(paths[pair] == 0 != before[pair] for pair in dropped)
    one = calibration.null_truth(truth, "a", ["quality"])
    found = values(one, "indirect")["repurchase"]
    assert found["quality"] == 0 != found["brand"]
    with pytest.raises(UnknownNameError, match="unknown place of the zero 'c'"):
        calibration.null_truth(truth, "c")


def values(truth, kind):
    found = true_values(truth)
    return found[found["kind"] == kind].set_index(["outcome", "predictor"])["value"]


@pytest.fixture(scope="module")
def truth(tmp_path_factory):
    path = tmp_path_factory.mktemp("book") / "three.toml"
    path.write_text(THREE, encoding="utf-8")
    book = surveysem.load_codebook(path)
    return Truth(book, {"buying": {"trust": 0.5}, "sharing": {"trust": 0.2, "buying": -0.4}})


LOTS = 40_000
CUTS = np.linspace(-1.5, 1.5, 4)  # of five points


def departing(truth, seed=3, **options):
    return draw_respondents(DepartingTruth.of(truth, **options), LOTS, seed=seed)


def numbers(sample):
    return sample.cells[sample.truth.codebook.items].astype(float)


def test_without_departures_the_same_respondents_are_drawn(truth):
    plain = draw_respondents(truth, 500, seed=3)
    pd.testing.assert_frame_equal(plain.cells, draw_respondents(DepartingTruth.of(truth), 500, seed=3).cells)
    assert not plain.cells.equals(draw_respondents(DepartingTruth.of(truth, method=0.2), 500, seed=3).cells)


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
        draw_respondents(DepartingTruth.of(truth, **options), 100, seed=1)
