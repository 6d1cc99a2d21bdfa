"""The hypotheses that are decided: each against a computation by hand, and against figures that were changed."""

from __future__ import annotations

import dataclasses

import pandas as pd
import pytest

from socialcommerce import data, evidence, market, paper
from socialcommerce.errors import UnknownNameError
from socialcommerce.evidence import public_data
from socialcommerce.paper import vocabulary
from surveysem import NotTestable
from tests.conftest import assessment as assessed

ALL = assessed()
DECIDED = {h.id: h for h in ALL.hypotheses if h.testable}

# By hand from the published figures: CNNIC's 43rd report (829 million users), 47th (989), 51st (845 shoppers), 53rd
# (1092 users, 915 shoppers); NBS (population 1409.67 million); the paper (1092 million, 77.5 %, 34165.8); reports of
# 2023 (3.42 trillion yuan); eMarketer (3.280 trillion); the lowest printed growth rate (9.17 % in 2022).
BY_HAND = {
    "H01": (10.92 - 10.92, "agrees"),
    "H02": (77.5 - 77.46494, "agrees"),
    "H03": (3.35691 / 9.22346, "agrees"),
    "H04": (8.28402, "differs"),
    "H06": (34165.8 - 32800, "inconsistent (proxy)"),
    "H07": (9.17, "agrees"),
}


# Estimate, 95 % interval where one was seen before any code was written, and the outcome by the rules
SEEN = {
    "H14": (0.27, None, "consistent (proxy)"),
    "H16": (0.19, None, "consistent (proxy)"),
    "H18": (0.50, None, "consistent (proxy)"),
    "H19": (3.07, (2.35, 3.79), "consistent (proxy)"),
    "H20": (0.24, (0.04, 0.43), "consistent (proxy)"),
    "H21": (0.21, (-0.10, 0.52), "inconclusive"),
    "H22": (-0.03, (-0.17, 0.11), "inconclusive"),
    "H25": (0.57, None, "consistent (proxy)"),
    "H28": (0.554, None, "consistent (proxy)"),
}
FAMILIES = {"hanoi": 2, "arms": 2, "matching": 3}


@pytest.mark.parametrize("name", SEEN)
def test_each_effect_on_people_and_its_outcome(name):
    verdict, (estimate, interval, outcome) = ALL.results[name], SEEN[name]
    assert (verdict.result.estimate, verdict.outcome) == (pytest.approx(estimate, abs=0.00501), outcome)
    if interval:
        assert tuple(round(end, 2) for end in public_data.EFFECTS[name]().interval()) == pytest.approx(interval)


@pytest.mark.parametrize("family", FAMILIES)
def test_intervals_are_those_of_the_family_s_correction(family):
    """Holm by hand: rank r of m is tested at alpha / (m - r + 1), all after the first failure at its rate."""
    members = sorted(
        (ALL.results[h.id] for h in DECIDED.values() if h.family.id == family),
        key=lambda verdict: verdict.result.p_value,
    )
    rate, rates = None, []
    for rank, verdict in enumerate(members):
        step = 0.05 / (len(members) - rank)
        rate = rate or (step if verdict.result.p_value > step else None)
        rates.append(rate or step)
    assert len(members) == FAMILIES[family]
    assert [1 - verdict.result.level for verdict in members] == pytest.approx(rates)


@pytest.mark.parametrize("name", BY_HAND)
def test_each_number_as_computed_by_hand(name):
    verdict, (estimate, outcome) = ALL.results[name], BY_HAND[name]
    assert verdict.result.estimate == pytest.approx(estimate, abs=1e-4)
    assert verdict.outcome == outcome
    assert verdict.exploratory


# One changed figure each: table, row, new value, and the outcome it must bring about
CHANGES = {
    "H01": ("paper_numbers", {"id": "users-2023"}, 10.93, "differs"),
    "H02": ("context_figures", {"series": "population", "year": 2023}, 141100, "differs"),
    "H03": ("context_figures", {"series": "internet users", "year": 2020}, 9.00, "differs"),
    "H04": ("context_figures", {"series": "online shoppers", "year": 2023}, 8.50, "agrees"),
    "H06": ("market_figures", {"id": "emarketer20-level-2023"}, 34170, "consistent (proxy)"),
    "H07": ("market_figures", {"id": "zhiyan-growth-2022"}, -0.5, "differs"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_every_number_comes_from_a_registered_table(name, monkeypatch):
    table, row, value, outcome = CHANGES[name]
    frame = data.load(table).astype({"value": float})
    place = pd.concat([frame[column] == wanted for column, wanted in row.items()], axis=1).all(axis=1)
    assert place.sum() == 1
    changed = frame.assign(value=frame["value"].where(~place, value))
    monkeypatch.setattr(data, "load", lambda asked, load=data.load: changed if asked == table else load(asked))
    assert evidence.assess(name).outcome == outcome


@pytest.mark.parametrize(
    ("name", "table", "row"),
    [
        ("H01", "paper_numbers", "users-2023"),
        ("H02", "paper_numbers", "penetration-2023"),
        ("H06", "market_figures", "emarketer20-level-2023"),
    ],
)
def test_tolerance_is_the_rounding_of_the_published_figure(name, table, row):
    assert DECIDED[name].rule.value == data.load(table).set_index("id").at[row, "precision"]


def test_growth_is_taken_between_decembers():
    rows = data.load("context_figures").query("series in ['internet users', 'online shoppers']").set_index("year")
    assert all(day.endswith("-12-31") for day in rows.loc[[2018, 2020, 2022, 2023], "as_of"])


def test_the_audit_of_the_market_finds_the_same():
    tables = [
        data.load(name)
        for name in ("paper_numbers", "context_figures", "market_size", "market_rivals", "market_growth")
    ]
    rows = market.audit(*tables[:2], market.MarketSeries.from_frame(tables[2]), *tables[3:])
    apart = (rows["stated"] - rows["value"]).dropna().round(6).tolist()
    for name in ("H01", "H02", "H06"):
        assert round(evidence.assess(name).result.estimate, 6) in apart
    found = rows.loc[rows["stated"].isna(), "value"].item()
    assert evidence.assess("H07").result.estimate == pytest.approx(found, rel=1e-12)


def test_a_falling_level_inside_one_report_is_growth_below_zero(monkeypatch):
    frame = data.load("market_figures")
    fallen = frame.assign(value=frame["value"].where(frame["id"] != "emarketer20-level-2020", 12000.0))
    monkeypatch.setattr(data, "load", lambda _: fallen)
    assert evidence.assess("H07").result.estimate == pytest.approx(100 * (12000 / 12850 - 1))


def test_the_market_grew_only_within_reports():
    frame = data.load("market_figures").set_index("id")
    assert frame.at["zhiyan-level-2022", "value"] < frame.at["zhiyan-level-2020", "value"]  # across reports it "fell"


def test_every_decided_hypothesis_has_a_function_or_a_reason():
    assert set(evidence.TESTS) == {name for name, h in DECIDED.items() if h.testable}
    assert {name for name, h in DECIDED.items() if h.reason} == set(DECIDED) - set(evidence.TESTS)


def test_the_tests_name_registered_sources():
    registered = {name for source in data.sources() for name in (source.name, source.dataset)}
    named = {d.name for name in evidence.TESTS for d in DECIDED[name].data if d.kind != "model"}
    assert named <= registered | {"survey"}  # drawn anew by survey.own_sample; what it says is survey_estimates


def test_the_paper_s_places_agree_with_the_registered_numbers():
    claims = {(c.section, c.paragraph, c.sentence) for c in ALL.claims if c.kind == "number"}
    rows = data.load("paper_numbers")
    assert set(zip(rows["section"], rows["paragraph"], rows["sentence"], strict=True)) == claims


def test_what_nothing_bears_on_is_not_testable_and_says_why():
    verdict = evidence.assess("H08")
    assert (verdict.outcome, verdict.evidence) == ("not testable", ())
    assert isinstance(verdict.result, NotTestable)
    assert verdict.result.reason["en"].startswith("No sourced pair")
    assert evidence.assess("H09").evidence == ("public data set",)  # remote: named, but it tests nothing
    echo = evidence.assess("H05")
    assert (echo.grade, echo.outcome, echo.result.reason["en"][:7]) == ("echo", "not testable", "An echo")


def test_an_unknown_hypothesis_is_named_with_those_allowed():
    with pytest.raises(UnknownNameError, match="unknown hypothesis 'H99'; .*H01, H02"):
        evidence.assess("H99")


SPEAKING = dataclasses.replace(
    ALL,
    hypotheses=tuple(
        dataclasses.replace(h, step="entailed", added=None) if h.id in ("H10", "H57", "H58") else h
        for h in ALL.hypotheses
    ),
)  # C52 has three parts where its extensions speak


def test_a_claim_is_as_far_as_its_least_decided_part():
    claims = {claim.id: claim for claim in ALL.claims}
    states = {name: SPEAKING.state(claims[name]) for name in ("C01", "C04", "C17", "C46", "C52", "C55")}
    assert states == {
        "C01": "decided",
        "C04": "no hypothesis",
        "C17": "not testable",
        "C46": "further questions only",
        "C52": "decided",
        "C55": "no evidence about people yet",
    }  # of C52's parts one cannot be tested


def test_a_part_that_cannot_be_tested_lends_a_claim_no_evidence():
    claim = next(claim for claim in ALL.claims if claim.id == "C52")
    assert SPEAKING.outcome(claim) == "depends on form or values"


@pytest.mark.slow
def test_parts_on_different_classes_of_evidence_each_say_their_own():
    claims = {claim.id: claim for claim in ALL.claims}
    parts = {"H57": evidence.assess("H01"), "H58": evidence.assess("H58")}
    both = dataclasses.replace(SPEAKING, results={**ALL.results, **parts})
    outcome = both.outcome(claims["C52"])
    assert outcome == "official statistic: agrees; model: robust in the model"
    assert vocabulary("07_verdicts", "zh")(outcome) == "官方统计：相符；模型：在模型中稳健"
    parts = {"H57": ALL.results["H25"], "H58": ALL.results["H34"]}
    mixed = dataclasses.replace(SPEAKING, results={**ALL.results, **parts}).outcome(claims["C52"])
    assert mixed == "public data set: consistent (proxy evidence); in part no evidence about people yet"
    assert vocabulary("07_verdicts", "zh")(mixed) == "公开数据集：一致（代理证据）；部分内容尚无关于人的证据"


def test_a_claim_of_several_parts_takes_the_worst():
    claims = {claim.id: claim for claim in ALL.claims}
    outcomes = [ALL.results[name].outcome for name in SPEAKING.parts(claims["C52"])]
    assert outcomes == ["not testable", "depends", "robust"]
    assert SPEAKING.outcome(claims["C52"]) == "depends on form or values"
    assert ALL.outcome(claims["C52"]) == "further questions only"
    assert ALL.outcome(claims["C04"]) == "no hypothesis"


def test_a_state_is_known_without_a_test(monkeypatch):
    said = {"not testable": "not testable", "no evidence about people yet": "no evidence about people yet"}
    assert ALL.states == {name: said.get(verdict.side, "decided") for name, verdict in ALL.results.items()}
    before = [ALL.state(claim) for claim in ALL.claims]
    monkeypatch.setattr("socialcommerce.evidence.assessment._assess", lambda _: pytest.fail("nothing is tested here"))
    fresh = evidence.assess_all()
    assert [fresh.state(claim) for claim in fresh.claims] == before


def test_models_and_synthetic_samples_have_no_grade():
    frame = paper.summary(ALL.hypotheses).set_index("evidence")
    assert set(frame.loc[["model", "synthetic sample", "none"], "grade"]) == {"none"}
    assert "none" not in set(frame.drop(["model", "synthetic sample", "none"])["grade"])


def test_only_what_is_asked_for_is_tested(monkeypatch):
    tested = []
    first = evidence.TESTS["H01"]
    monkeypatch.setitem(evidence.TESTS, "H01", lambda: tested.append("H01") or first())
    monkeypatch.setitem(evidence.TESTS, "H62", lambda: pytest.fail("nobody asked for H62"))
    fresh = evidence.assess_all()
    assert not tested
    assert list(fresh.subset("H02", "H01")["id"]) == ["H02", "H01"]
    assert fresh.results["H01"] is fresh.results["H01"]
    assert tested == ["H01"]


def test_summaries_hold_one_row_each():
    frame, claims = ALL.summary().set_index("id"), ALL.claim_table()
    assert list(frame.index) == [h.id for h in ALL.hypotheses]
    assert list(claims["id"]) == [c.id for c in ALL.claims]
    assert frame.at["H01", "rule"] == "within ±0.005"
    assert vocabulary("07_verdicts", "zh")(frame.at["H01", "rule"]) == "±0.005以内"
    assert frame.loc[frame["state"] == "not testable", "estimate"].isna().all()
    assert claims.loc[claims["state"].isin(["no hypothesis", "not testable"]), "reason"].notna().all()
