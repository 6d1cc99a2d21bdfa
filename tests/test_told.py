"""What is told of the verdicts: sides, lists, reasons and scales, computed for whatever is decided."""

from __future__ import annotations

import pytest

from socialcommerce import data, evidence, verdicts
from socialcommerce.evidence import labels, told
from socialcommerce.paper import DIRECTIONS
from socialcommerce.public_data import records
from tests.conftest import assessment

EVERY = assessment()
HYPOTHESES = {h.id: h for h in EVERY.hypotheses}


def synthetic(hypothesis, estimate, truth):
    """A verdict on a synthetic sample, its interval a tenth to each side."""
    source = next(d for d in hypothesis.data if d.kind == "synthetic sample")
    found = verdicts.HypothesisTest(estimate, 1000, hypothesis.smallest_effect.unit, hypothesis.design, hypothesis.null,
                                    source.kind, source.grade, interval=(estimate - 0.1, estimate + 0.1), level=0.999,
                                    truth=truth)
    return verdicts.decide(hypothesis, found)


def decided(**others):
    """An assessment in which the synthetic sample decides nothing but what is given."""
    none = verdicts.NotTestable({"en": "Left out of this test.", "zh": "本测试不检验。"})
    tried = {h.id: verdicts.decide(h, none) for h in EVERY.hypotheses if "synthetic sample" in h.kinds}
    results = {**EVERY.results, **tried, **others}
    return evidence.Assessment(EVERY.claims, EVERY.hypotheses, results)


@pytest.fixture(scope="module")
def everything():
    return decided()


@pytest.fixture(scope="module")
def method():
    """An assessment in which the method recovers the truth of one hypothesis and not that of another."""
    return decided(H39=synthetic(HYPOTHESES["H39"], -0.3, -0.25), H30=synthetic(HYPOTHESES["H30"], 0.3, 0.55))


def test_every_outcome_is_on_one_side_and_every_hypothesis_has_a_name():
    assert set(labels.SIDE_OF) == set(verdicts.OUTCOMES) - {"not testable"}
    assert set(labels.SIDE_OF.values()) == set(labels.SIDES)
    assert list(labels.SHORT) == list(HYPOTHESES)
    assert set(labels.PLACES) <= set(HYPOTHESES)
    assert all(set(words) == {"en", "zh"} for words in labels.SHORT.values())


def test_what_goes_against_the_paper_is_counted_first(everything):
    rows = told.balance(everything)
    order = [words["en"] for words in verdicts.OUTCOMES.values()]
    named = [words["en"] for words in rows["outcome"] if words["en"] in order]
    assert named == sorted(named, key=order.index)
    assert rows["total"].sum() == len(HYPOTHESES)
    assert rows[list(told.CLASS_NAMES)].to_numpy().sum() == len(HYPOTHESES)


def test_the_undecided_say_why(everything):
    rows = told.hypotheses(everything).set_index("id")
    assert rows.at["H15", "why"]["en"].startswith("the interval holds zero")
    assert rows.at["H28", "why"]["en"] == "only a part of the interval satisfies the rule (≥ 0.1)"
    assert rows.at["H54", "why"]["en"] == "holds for a share of 0.126 of the parameter sets tried"
    assert (rows["why"].notna() == (rows["side"] == "open")).all()


def test_effects_are_measured_by_the_smallest_of_interest_toward_the_claim(everything, method):
    rows = told.estimates(method).set_index("id")
    assert rows.at["H25", "estimate"] == pytest.approx(everything.results["H25"].result.estimate / 0.25)
    assert rows.at["H39", "estimate"] == pytest.approx(3.0)  # claimed and found negative
    assert (rows.at["H39", "low"], rows.at["H39", "high"], rows.at["H39", "truth"]) == pytest.approx((2.0, 4.0, 2.5))
    assert not set(rows.index) & {"H01", "H02", "H07"}  # a rounding error is no size of effect
    models = [h.id for h in everything.hypotheses if DIRECTIONS[h.direction] == DIRECTIONS["holds"]]
    assert list(rows.index[rows["panel"] == "models"]) == models
    assert rows.loc[models, "estimate"].between(0, 1).all()


def test_a_synthetic_sample_speaks_of_the_method_only(method):
    rows = told.hypotheses(method)
    assert list(rows.loc[rows["side"] == "method", "id"]) == ["H30", "H39"]
    words = told.read_method(rows[rows["side"] == "method"])
    assert words["en"] == "The method recovers the truth in 1 of 2 hypotheses put to it, not in H30."
    assert words["zh"] == "提交检验的2条假设中，方法还原真值的有1条，未能还原的为H30。"
    assert told.read_method(rows[:0])["en"] == "No hypothesis has been tried on the synthetic sample yet."
    assert {labels.SIDE_OF[outcome] for outcome in ("recovered", "not recovered")} == {"method"}


def test_a_claim_says_what_was_found_on_each_part_or_why_nothing(everything):
    rows = told.claims(everything).set_index("id")
    assert rows.at["C22", "found"]["en"] == "H05: −34.20 (100 million yuan); H06: 1,365.80 (100 million yuan)"
    assert rows.at["C17", "found"]["en"].startswith("H08: No sourced pair")
    assert rows.at["C04", "found"] == next(c.untested for c in everything.claims if c.id == "C04")
    assert rows.at["C22", "shown"]["anchor"] == "table-audit_table"
    assert all(words["en"] and words["zh"] for words in rows["found"])


def test_a_claim_is_shown_where_data_speak_of_the_world():
    both = decided(H34=synthetic(HYPOTHESES["H34"], 0.3, 0.25))
    rows = told.claims(both).set_index("id")
    assert rows.at["C57", "shown"]["anchor"] == "figure-deliveries"  # of H25 and H34


def test_bands_hold_95_per_cent():
    table = records.message_by_history(data.load("hillstrom_cells"))
    rows = told.bands(table, "history", "estimate", "n")
    assert (rows["high"] - rows["low"]).to_numpy() == pytest.approx(2 * 1.959964 * table["standard_error"], rel=1e-6)
