"""People: what public data about buyers say of messages, matching, groups, deliveries, identification and loyalty."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from socialcommerce import data, paper, verdicts
from socialcommerce.effects import Effect
from socialcommerce.paper import Hypothesis
from socialcommerce.public_data import records, studies, village
from socialcommerce.verdicts import HypothesisTest

__all__ = ["EFFECTS", "TESTS"]


def identification() -> Effect:
    """H14: standardised path from parasocial interaction to the urge to buy."""
    return studies.urge_effect(data.load("hanoi_paths"), "PAR")


def trust() -> Effect:
    """H15: standardised path from trust to the urge to buy."""
    return studies.urge_effect(data.load("hanoi_paths"), "TRU")


def hedonic_benefit() -> Effect:
    """H16: standardised path from hedonic benefit to the urge to buy."""
    return studies.urge_effect(data.load("hanoi_paths"), "HED")


def enjoyment() -> Effect:
    """H17: standardised path from enjoyment to the urge to buy."""
    return studies.urge_effect(data.load("hanoi_paths"), "ENJ")


def message() -> Effect:
    """H18: conversion with either mail minus without, in percentage points."""
    return records.message_effect(data.load("hillstrom_cells"), "conversion")


def matching_visits() -> Effect:
    """H19: half the interaction of mail and history, visits in percentage points."""
    return records.matching_effect(data.load("hillstrom_cells"), "visit")


def matching_conversion() -> Effect:
    """H20: half the interaction of mail and history, conversion in percentage points."""
    return records.matching_effect(data.load("hillstrom_cells"), "conversion")


def matching_spend() -> Effect:
    """H21: half the interaction of mail and history, dollars a person."""
    return records.matching_effect(data.load("hillstrom_cells"), "spend")


def matched_policy() -> Effect:
    """H22: conversion under the matching policy minus under the men's mail for all, in percentage points."""
    return records.matched_policy(data.load("hillstrom_cells"), "conversion")


def returning_sessions() -> Effect:
    """H23: conversion of returning minus new sessions, adjusted, in percentage points."""
    return records.returning_effect(data.load("uci_cells"))


def group_success() -> Effect:
    """H24: share of successful groups on record minus one half."""
    share = records.group_success(data.load("beibei_initiators"))
    return replace(share, estimate=share.estimate - 0.5)


def delivery_in_time() -> Effect:
    """H25: mean score of deliveries in time minus late ones, adjusted, in stars."""
    return records.delivery_effect(data.load("olist_moments"))


def neighbours() -> Effect:
    """H26: take-up on the neighbours' share of it, by instrument."""
    return village.peers(data.load("social_insure_moments"))


def quality_trust() -> Effect:
    """H27: standardised path from website quality to trust."""
    return _pooled("trust", "quality")


def satisfaction_loyalty() -> Effect:
    """H28: standardised path from satisfaction to loyalty."""
    return _pooled("loyalty", "satisfaction")


def trust_loyalty() -> Effect:
    """H29: standardised path from trust to loyalty."""
    return _pooled("loyalty", "trust")


EFFECTS: dict[str, Callable[[], Effect]] = {
    "H14": identification,
    "H15": trust,
    "H16": hedonic_benefit,
    "H17": enjoyment,
    "H18": message,
    "H19": matching_visits,
    "H20": matching_conversion,
    "H21": matching_spend,
    "H22": matched_policy,
    "H23": returning_sessions,
    "H24": group_success,
    "H25": delivery_in_time,
    "H26": neighbours,
    "H27": quality_trust,
    "H28": satisfaction_loyalty,
    "H29": trust_loyalty,
}
"""What is estimated for each hypothesis."""


def _test(hypothesis: Hypothesis) -> HypothesisTest:
    """Put an effect beside its null, with intervals as wide as the correction of its family asks."""
    effect, evidence = EFFECTS[hypothesis.id](), hypothesis.data[0]
    unit = (hypothesis.smallest_effect or hypothesis.rule).unit
    return HypothesisTest.from_error(effect.estimate, effect.standard_error, alpha=_rate(hypothesis), df=effect.df,
                                     n=effect.n, unit=unit, method=hypothesis.design, null=hypothesis.null,
                                     evidence=evidence.kind, grade=evidence.grade)


def _rate(hypothesis: Hypothesis) -> float:
    """Return the error rate its family's correction leaves to a hypothesis; every member must have an effect."""
    family = hypothesis.family
    if family.correction == "none":
        return family.alpha
    members = [other.id for other in paper.load_hypotheses() if other.family.id == family.id]
    return verdicts.adjust({name: EFFECTS[name]().p_value for name in members}, family)[hypothesis.id].alpha


def _pooled(outcome: str, cause: str) -> Effect:
    """Take the fewest persons the pools can hold, since their number is unknown: the widest interval counts."""
    matrix, pairs = data.load("pooled_correlation_matrix"), data.load("pooled_correlations")
    return studies.pooled_path(matrix, outcome, cause, studies.least_pooled_size(pairs))


TESTS: dict[str, Callable[[Hypothesis], HypothesisTest]] = dict.fromkeys(EFFECTS, _test)
