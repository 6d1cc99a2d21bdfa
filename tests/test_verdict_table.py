"""The verdict table: sides, reasons, sizes and places, computed for whatever is decided."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy.stats import norm

from socialcommerce import evidence, verdicts
from surveysem import EffectTest, NotTestable
from tests.conftest import assessment

pytestmark = pytest.mark.slow  # all of them look at every hypothesis
EVERY = assessment()
HYPOTHESES = {h.id: h for h in EVERY.hypotheses}


def synthetic(hypothesis, estimate, truth):
    """A verdict on a synthetic sample, its interval a tenth to each side."""
    ends = (estimate - 0.1, estimate + 0.1)
    found = EffectTest(estimate, 1000, interval=ends, level=0.999, truth=truth)
    return verdicts.decide(hypothesis, found)


def decided(**others):
    """An assessment in which the synthetic sample decides nothing but what is given."""
    none = NotTestable({"en": "Left out of this test.", "zh": "本测试不检验。"})
    tried = {h.id: verdicts.decide(h, none) for h in EVERY.hypotheses if "synthetic sample" in h.kinds}
    return evidence.Assessment(EVERY.claims, EVERY.hypotheses, {**EVERY.results, **tried, **others})


@pytest.fixture(scope="module")
def table():
    """The hypotheses where the method recovers the truth of one and not that of another."""
    some = decided(H39=synthetic(HYPOTHESES["H39"], -0.3, -0.25), H30=synthetic(HYPOTHESES["H30"], 0.3, 0.55))
    return some.summary().set_index("id")


def test_every_outcome_is_on_one_side():
    assert sorted(outcome for side in verdicts.SIDES.values() for outcome in side) == sorted(verdicts.OUTCOMES)


def test_there_is_one_row_a_hypothesis_with_a_name_of_its_own(table):
    assert list(table.index) == list(HYPOTHESES)
    assert table["short"].is_unique
    assert set(table["side"]) <= set(verdicts.SIDES)


def test_only_what_is_stated_or_entailed_speaks_for_or_against_the_paper(table):
    speaking = table[table["side"].isin(["against the paper", "with the paper", "undecided"])]
    assert set(speaking["step"]) == {"stated", "entailed"}
    assert set(table.loc[table["side"] == "further questions", "step"]) == {"extension"}
    assert (table["added"].notna() == (table["step"] == "extension")).all()


def test_a_claim_takes_its_verdict_from_what_speaks_for_it():
    """C46 has extensions alone; H26 is one of C45 and adds no verdict to that of H56; C18 has none that speaks."""
    claims = EVERY.claim_table().set_index("id")
    assert claims.at["C46", "outcome"] == "further questions only"
    assert claims.at["C45", "outcome"] == EVERY.results["H56"].words
    assert EVERY.parts(next(claim for claim in EVERY.claims if claim.id == "C79")) == ["H35"]
    assert EVERY.parts(next(claim for claim in EVERY.claims if claim.id == "C18")) == []


def test_the_undecided_say_why(table):
    spoken = dataclasses.replace(HYPOTHESES["H21"], step="entailed", added=None)
    alone = evidence.Assessment((), (spoken,), {"H21": verdicts.decide(spoken, EVERY.results["H21"].result)})
    assert alone.summary().at[0, "why"] == "interval includes zero"
    assert table.at["H54", "why"].startswith("new entrants per leader and day: lower half 0.1")
    assert table.at["H67", "why"].startswith("cost of content: a power of quality, nothing fixed 0.00")
    assert (table["why"].notna() == ((table["side"] == "undecided") | table["outcome"].str.startswith("depends"))).all()


def test_effects_are_measured_by_the_smallest_of_interest_toward_the_claim(table):
    assert table.at["H25", "smallest"] == 0.25
    assert table.at["H39", "estimate"] / table.at["H39", "smallest"] == pytest.approx(3.0)  # claimed and found negative
    assert table.at["H39", "truth"] == -0.25
    models = table[table["direction"] == "holds"]
    assert (models["smallest"] == 1).all()
    assert models["estimate"].between(0, 1).all()


def test_a_synthetic_sample_is_no_evidence_about_people(table):
    method = table[table["side"] == "no evidence about people yet"]
    assert method["outcome"].to_dict() == dict.fromkeys(["H30", "H39"], "no evidence about people yet")


def test_the_power_of_a_survey_is_that_of_drawn_estimates():
    """Share of drawn estimates beyond the critical value, their spread that of the sample at another size."""
    table = EVERY.power().set_index("id")
    assert set(table.index) == {name for name, state in EVERY.states.items() if state == "no evidence about people yet"}
    test, among = EVERY.results["H30"].result, 5  # tests of the family of trust
    error = (test.interval[1] - test.interval[0]) / 2 / norm.ppf((1 + test.level) / 2) * (test.n / 300) ** 0.5
    drawn = np.random.default_rng(1).normal(0.1, error, 200_000)
    assert table.at["H30", "power_300"] == pytest.approx(np.mean(drawn > norm.isf(0.05 / among / 2) * error), abs=0.005)
    assert (table["power_1000"].dropna() > table["power_300"].dropna()).all()
    assert set(table.index[table["power_300"].isna()]) == {"H49", "H50", "H52"}


def test_a_claim_is_shown_where_data_speak_of_the_world():
    both = decided(H34=synthetic(HYPOTHESES["H34"], 0.3, 0.25)).claim_table().set_index("id")
    assert both.at["C57", "address"] == "07_verdicts.html#figure-deliveries"  # of H25 and H34
    assert both.at["C22", "address"] == HYPOTHESES["H06"].shown
    assert both.at["C04", "address"] == "00_claims.html#table-all_claims-C04"
    assert both.at["C04", "reason"] == next(c.untested["en"] for c in EVERY.claims if c.id == "C04")


def test_what_the_table_says_is_known_in_chinese(table):
    from socialcommerce.paper import vocabulary

    chinese = vocabulary("07_verdicts", "zh")
    chinese.missing.clear()
    claims = EVERY.claim_table()
    said = [
        table[name]
        for name in (
            "short",
            "statement",
            "evidence",
            "grade",
            "unit",
            "family",
            "outcome",
            "side",
            "why",
            "shown",
            "reason",
            "design",
        )
    ]
    said += [claims[name] for name in ("place", "kind", "text", "outcome", "reason", "shown")]
    for column in said:
        column.dropna().map(chinese)
    assert list(chinese.missing) == []
