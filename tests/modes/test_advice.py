"""What the notebook on open questions says follows the results: changed results change the words."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from socialcommerce.modes import advice, content, optima, policy
from socialcommerce.modes.sharing import SHARING

RANKINGS = [policy.rank(mode, 200) for mode in (content.CONTENT, SHARING)]


def flipped(ranking):
    """The same draws with every effect turned round."""
    return replace(ranking, effects=ranking.effects.assign(effect=-ranking.effects["effect"]))


@pytest.mark.parametrize("mode", [content.CONTENT, SHARING], ids=["content", "sharing"])
def test_every_strategy_has_its_sentence_its_change_and_its_cost(mode):
    table = advice.strategy_table(mode)
    assert len(table) == len(advice.strategies(mode))
    assert table["places"].map(lambda words: words["en"].startswith("§")).all()
    assert table["effects"].map(lambda words: bool(words["en"] and words["zh"])).all()


def test_a_table_of_ranks_holds_the_summary():
    table, summary = advice.rank_table(RANKINGS[0]), RANKINGS[0].summary()
    for outcome in policy.OUTCOMES:
        rows = summary[summary["outcome"] == outcome]
        assert sorted(table[outcome]) == pytest.approx(sorted(rows["median"]))
        assert table[f"{outcome}_first"].sum() == pytest.approx(100, abs=len(table) / 2)


def test_the_first_is_named_and_another_is_when_effects_turn_round():
    assert "non-intrusive contact" in advice.read_ranking(RANKINGS[0])["en"]
    assert "R0 non-intrusive contact" not in advice.read_ranking(flipped(RANKINGS[0]))["en"]


def test_delivery_alone_moves_nothing_and_with_others_alone_all_move():
    assert "faster delivery, satisfaction unchanged leaves R0" in advice.read_nothing(RANKINGS)["en"]
    assert advice.read_nothing(RANKINGS[1:])["en"] == "Every strategy moves R0."


def test_losers_are_counted_by_hand():
    count = sum((r.effects.query("outcome == 'profit'").groupby("strategy")["effect"].median() < 0).sum()
                for r in RANKINGS)
    assert f"{count} of 18 lose" in advice.read_losers(RANKINGS)["en"]


def test_quality_says_whether_the_infinite_market_has_an_answer():
    assert "no answer" in advice.read_quality(optima.Quality())["en"]
    plain = advice.read_quality(optima.Quality(r=0.0))["en"]
    assert "In the infinite market it is 1.00." in plain  # the closed form of the rule
    assert plain.endswith("gives 1.00.")


def test_curves_of_cost_lie_at_or_above_the_optimum():
    asked = optima.Quality()
    curves = advice.quality_curves(asked, np.geomspace(0.01, 100, 300))
    assert curves["finite"].min() == pytest.approx(asked.best()["cost_per_buyer"], rel=1e-3)
    assert curves["infinite_plain"].idxmin() == np.argmin(np.abs(np.log(curves["q"] / asked.without_virality)))


def test_an_edge_is_called_one():
    balance = optima.Promotion()
    best = balance.best()
    assert "Most is sold" in advice.read_promotion(balance, best)["en"]
    edge = best.copy()
    edge["interior"] = False
    assert "at the edge" in advice.read_promotion(balance, edge)["en"]


def test_the_answer_says_how_often_the_questions_have_one():
    answer = advice.read_answer(RANKINGS, 1.0, 0.435)["en"]
    assert "cheapest in every parameter set; an inner balance of promotion and content exists in 44 % of" in answer
    assert "non-intrusive contact is most often" in answer


def test_losses_off_the_best_frequency_agree_with_one_set_at_a_time():
    p = policy.draw(content.CONTENT.parameters, 50, 3)
    one = []
    for given in zip(*(p[k] for k in ("pi0", "b1", "delta0", "delta1")), strict=True):
        best = optima.best_contact(*given)
        off, on = (optima.purchase_chance(n, *given) for n in (4 * best, best))
        one.append(100 * (1 - off / on))
    row = advice.contact_losses(50, 3, np.array([4.0])).iloc[0]
    assert row["median"] == pytest.approx(np.median(one))


def test_the_loss_of_being_four_times_off_follows_from_one_number():
    x = 0.1  # sqrt(delta0 delta1) / b1; the loss depends on it alone, and only where nobody buys unprompted
    given = (0.0, 0.02, 0.001, 0.004)
    best = optima.best_contact(*given)
    often, rarely, on = (optima.purchase_chance(n, *given) for n in (4 * best, best / 4, best))
    assert 1 - often / on == pytest.approx(1 - (1 + 2 * x) / (1 + 4.25 * x))
    assert rarely == pytest.approx(often)


def test_the_costlier_side_is_told_from_the_medians():
    rare, often = (pd.DataFrame({"factor": [0.125, 1, 8], "median": m}) for m in ([9, 0, 1], [1, 0, 9]))
    assert advice.read_side(rare)["en"].startswith("Writing too rarely")
    assert advice.read_side(often)["en"].startswith("Writing too often")


def test_no_frequency_works_where_the_maximum_over_frequencies_is_below_one():
    p = policy.draw(content.CONTENT.parameters, 60, 2)
    a = content.parts(p)
    often = np.linspace(0, 20, 20_001)[:, None]
    chance = optima.purchase_chance(often, *(p[k] for k in ("pi0", "b1", "delta0", "delta1"))).max(axis=0)
    none = a["s"] * a["reach"] * chance < 1
    assert advice.unsustainable(60, 2) == pytest.approx(100 * np.mean(none))


def test_personalisation_peaks_where_the_closed_form_says():
    table = advice.personal_gains(0.3, 0.5, (1.0, 4.0))
    for _, part in table.groupby("c"):
        assert part.loc[part["chance"].idxmax(), "z"] == pytest.approx(part["best"].iloc[0], abs=0.006)


def test_classes_cost_what_they_cost():
    table = advice.classes_by_cost(advice.sample_people(50, 0.4, 1), 3, 10.0, (0.0, 0.02))
    free, paid = (part["profit"].to_numpy() for _, part in table.groupby("cost"))
    assert free - paid == pytest.approx([0, 20, 40])


def test_a_breach_table_is_in_per_cent():
    run = optima.Breaches(0.1, 0.09, np.array([0.08, 0.1]), 0.01)
    table = advice.breach_table({"content": run}, {"content": {"en": "content", "zh": "内容型"}})
    assert table["members"].tolist() == pytest.approx([10, 9, 9])
    assert "10–10 %" in advice.read_breaches({"content": run})["en"]


def test_an_open_end_is_missing_and_the_bounded_are_counted():
    def one(name, low, high, status):
        return SimpleNamespace(name=name, value=0.01, low=low, high=high, status=status)

    fit = SimpleNamespace(mode=content.CONTENT, years=range(7), sigma=0.2, estimates=(
        one("beta", 0.005, 0.02, "estimated"), one("initial", 0.0, np.inf, "not identified")))
    table = advice.fit_table({"content": fit})
    assert table[["low", "high"]].isna().to_numpy().tolist() == [[False, False], [True, True]]
    assert "bounds 1 on both sides" in advice.read_fits({"content": fit})["en"]
    worse = SimpleNamespace(**{**vars(fit), "sigma": 0.6})
    assert "clearly better" in advice.read_fits({"a": fit, "b": worse})["en"]
    assert "cannot tell the modes apart" in advice.read_fits({"a": fit, "b": fit})["en"]


def test_every_parameter_has_its_mark():
    table = advice.mark_table([content.CONTENT, SHARING], policy.ECONOMICS)
    assert len(table) == len(content.CONTENT.parameters) + len(SHARING.parameters) + 2
    assert {words["en"] for words in table["mark"]} <= {"estimated", "cited", "illustrative"}
