"""What public data about buyers say of messages, matching, deliveries, opinion leaders and loyalty."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import surveysem
from socialcommerce import data, paper
from socialcommerce.public_data import records, village
from surveysem import Effect, EffectTest

__all__ = ["EFFECTS", "TESTS"]


def _of(effect: Callable[..., Effect], table: str, *given: Any, **named: Any) -> Callable[[], Effect]:
    """Return an effect on a registered table, which is loaded when the effect is asked for."""
    return lambda: effect(data.load(table), *given, **named)


EFFECTS: dict[str, Callable[[], Effect]] = {
    # standardised paths to the urge to buy: from interest in opinion leaders, pleasure in shopping
    "H14": _of(records.impulse_buying_effect, "hanoi_paths", "PAR"),
    "H16": _of(records.impulse_buying_effect, "hanoi_paths", "HED"),
    # either mail minus none; half the interaction of mail and history; matching mail for each minus the men's for all
    "H18": _of(records.message_effect, "hillstrom_cells", "conversion"),
    "H19": _of(records.matching_effect, "hillstrom_cells", "visit"),
    "H20": _of(records.matching_effect, "hillstrom_cells", "conversion"),
    "H21": _of(records.matching_effect, "hillstrom_cells", "spend"),
    "H22": _of(records.matched_policy, "hillstrom_cells", "conversion"),
    # deliveries in time minus late ones; take-up on the neighbours' share of it
    "H25": _of(records.delivery_effect, "olist_moments"),
    "H26": _of(village.peers, "social_insure_moments"),
    # clicks where displays follow earlier ones minus at random; paths from trust to impulse, from presentation to trust
    "H70": _of(records.adaptive_effect, "bandit_cells"),
    "H71": _of(records.impulse_buying_effect, "tiktok_paths", "TR", model="all drivers"),
    "H72": _of(records.impulse_buying_effect, "tiktok_paths", "PP", model="presentation and others"),
    # a correlation pooled over studies
    "H28": _of(records.pooled_correlation, "pooled_correlations", "satisfaction", "loyalty"),
}
"""What is estimated for each hypothesis, in the unit of its rule."""


def _test(name: str) -> EffectTest:
    """Put an effect beside its null, with intervals as wide as the correction of its family asks."""
    hypotheses = {one.id: one for one in paper.load_hypotheses()}
    family: Any = hypotheses[name].family  # has an error rate, as all that people were asked or seen for
    members = [one.id for one in hypotheses.values() if one.family == family] if family.correction != "none" else [name]
    p_values = {member: EFFECTS[member]().p_value for member in members}  # every member must have an effect
    return EFFECTS[name]().test(surveysem.adjust(p_values, family.alpha)[name].alpha)


TESTS: dict[str, Callable[[], EffectTest]] = {name: partial(_test, name) for name in EFFECTS}
