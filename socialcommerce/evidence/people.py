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


EFFECTS: dict[str, Callable[[], Effect]] = {
    "H14": lambda: studies.urge_effect(data.load("hanoi_paths"), "PAR"),
    "H15": lambda: studies.urge_effect(data.load("hanoi_paths"), "TRU"),
    "H16": lambda: studies.urge_effect(data.load("hanoi_paths"), "HED"),
    "H17": lambda: studies.urge_effect(data.load("hanoi_paths"), "ENJ"),
    "H18": lambda: records.message_effect(data.load("hillstrom_cells"), "conversion"),
    "H19": lambda: records.matching_effect(data.load("hillstrom_cells"), "visit"),
    "H20": lambda: records.matching_effect(data.load("hillstrom_cells"), "conversion"),
    "H21": lambda: records.matching_effect(data.load("hillstrom_cells"), "spend"),
    "H22": lambda: records.matched_policy(data.load("hillstrom_cells"), "conversion"),
    "H24": lambda: _above_half(records.group_success(data.load("beibei_initiators"))),
    "H25": lambda: records.delivery_effect(data.load("olist_moments")),
    "H26": lambda: village.peers(data.load("social_insure_moments")),
    "H27": lambda: _pooled("trust", "quality"),
    "H28": lambda: _pooled("loyalty", "satisfaction"),
    "H29": lambda: _pooled("loyalty", "trust"),
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


def _above_half(share: Effect) -> Effect:
    return replace(share, estimate=share.estimate - 0.5)


def _pooled(outcome: str, cause: str) -> Effect:
    """Take the fewest persons the pools can hold, since their number is unknown: the widest interval counts."""
    matrix, pairs = data.load("pooled_correlation_matrix"), data.load("pooled_correlations")
    return studies.pooled_path(matrix, outcome, cause, studies.least_pooled_size(pairs))


TESTS: dict[str, Callable[[Hypothesis], HypothesisTest]] = dict.fromkeys(EFFECTS, _test)
