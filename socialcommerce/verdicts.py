"""Tests and verdicts: what came out of a hypothesis, on what kind of evidence, and the rules in between.

The rules are those of ``paper/hypotheses.toml``. A verdict always carries its kind of evidence, and a closed list says
which outcomes that kind may have: a model can never say "supported". The tests of a family share its error rate.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import surveysem
from nbproof import read_toml
from socialcommerce.errors import ParameterError, UnknownNameError
from socialcommerce.paper import CLASSES, GRADES, Hypothesis, NumberRule
from surveysem import EffectTest, NotTestable

__all__ = ["ALLOWED", "OUTCOMES", "SIDES", "ModelTest", "Verdict", "combine", "decide"]

Words = Mapping[str, str]

_KNOWN = read_toml(Path(__file__).with_name("verdicts.toml"))
OUTCOMES = {outcome: said for outcome, (said, *_) in _KNOWN.items()}
"""Every outcome in words, the one that speaks most against a claim first: a claim of several parts takes its worst."""

PAPER = ("against the paper", "with the paper", "undecided")
SIDES = {
    side: {outcome for outcome, (_, points, *_) in _KNOWN.items() if points == side}
    for side in (*PAPER, "further questions", "no evidence about people yet", "not testable")
}
"""Which way each outcome points; the first three of an extension are answers to further questions."""

ALLOWED = {
    kind: {outcome for outcome, (_, _, kinds, _) in _KNOWN.items() if kind in kinds}
    for kind in dict.fromkeys(CLASSES.values())
}
"""The outcomes each class of evidence may have, beside "not testable"."""

AS_PROXY = {outcome: called for outcome, (*_, called) in _KNOWN.items()}


@dataclass(frozen=True)
class ModelTest(EffectTest):
    """In what share of the draws of form and parameters a statement about a model holds.

    Parameters
    ----------
    estimate, n
        The share, in [0, 1], and how many were drawn; the other fields of `surveysem.EffectTest` stay empty.
    forms, halves : mapping
        The share by form of each part that was varied, and by half of each parameter's range.
    """

    forms: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    halves: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.estimate <= 1:
            raise ParameterError(f"estimate must be, for a model, a share in [0, 1]; got {self.estimate!r}.")


@dataclass(frozen=True)
class Verdict:
    """What came out of a hypothesis, or of a claim of several parts.

    Attributes
    ----------
    id : str
        The hypothesis, or the claim.
    outcome : str
        A key of ``OUTCOMES``.
    evidence : tuple of str
        Kinds of evidence, of ``paper.EVIDENCE``; empty only where nothing at hand bears on it.
    grade : str or None
        The weakest grade among its data.
    statement : {"en", "zh"}
        What was claimed.
    result : EffectTest, NotTestable, or tuple of Verdict
        What it rests on; the parts, for a claim of several.
    exploratory : bool
        Whether something of the outcome was known when the rule was written.
    step : str
        How the hypothesis follows from its sentence, of ``paper.STEPS``.
    """

    id: str
    outcome: str
    evidence: tuple[str, ...]
    grade: str | None
    statement: Words
    result: EffectTest | NotTestable | tuple[Verdict, ...]
    exploratory: bool = False
    step: str = "stated"

    def __post_init__(self) -> None:
        if self.outcome not in OUTCOMES:
            raise UnknownNameError("outcome", self.outcome, OUTCOMES)
        if self.outcome == "not testable":
            return
        classes = {CLASSES[kind] for kind in self.evidence}
        allowed = set.intersection(*(ALLOWED[name] for name in classes)) if classes else set()
        proxy = self.outcome.endswith("(proxy)")
        if self.outcome not in allowed or proxy != (self.grade == "proxy" and self.outcome != "inconclusive"):
            raise ParameterError(
                f"a verdict on {', '.join(self.evidence) or 'no evidence'} ({self.grade}) cannot be "
                f"{self.outcome!r}; allowed: {', '.join(sorted(allowed)) or 'not testable'}."
            )

    @property
    def words(self) -> str:
        """The outcome in words."""
        return OUTCOMES[self.outcome]

    @property
    def side(self) -> str:
        """Which way it points, a key of ``SIDES``."""
        side = next(side for side, outcomes in SIDES.items() if self.outcome in outcomes)
        return "further questions" if self.step == "extension" and side in PAPER else side


SLACK = 1e-9  # differences of decimal figures carry binary dust; far below any printed digit


def decide(hypothesis: Hypothesis, result: EffectTest | NotTestable) -> Verdict:
    """Apply the rules of ``paper/hypotheses.toml`` to what was found on a hypothesis's first direct data or proxy.

    Parameters
    ----------
    hypothesis : Hypothesis
        What was claimed: direction, smallest effect or rule, family.
    result : EffectTest or NotTestable
        What was found; an interval has level 1 - alpha or more, alpha being the family's. Where no data are direct or a
        proxy it tests nothing.

    Raises
    ------
    surveysem.ParameterError
        When an interval is missing, or too narrow for the family.
    """
    if not hypothesis.testable:
        result = NotTestable(hypothesis.reason)
    if isinstance(result, NotTestable):
        kinds, grade = hypothesis.kinds, _weakest([data.grade for data in hypothesis.data])
        outcome = "not testable"
    else:
        data = next(each for each in hypothesis.data if each.grade in GRADES[:2])  # others test nothing
        kinds, grade = (data.kind,), data.grade
        outcome = RULES[CLASSES[data.kind]](hypothesis, result)
        outcome = AS_PROXY[outcome] if grade == "proxy" else outcome
    known = hypothesis.known is not None
    return Verdict(hypothesis.id, outcome, kinds, grade, hypothesis.statement, result, known, hypothesis.step)


def combine(name: str, statement: Words, parts: Sequence[Verdict]) -> Verdict:
    """Merge the parts of a claim: it holds only if each of them does, so it takes the worst outcome among them.

    Each part is tested at its own level; their conjunction then has at most that error rate without a correction
    (intersection-union: Berger & Hsu 1996, doi:10.1214/ss/1032280304).

    Raises
    ------
    ParameterError
        For no part, or parts on different classes of evidence: these are never merged.
    """
    classes = {CLASSES[kind] for part in parts if part.outcome != "not testable" for kind in part.evidence}
    if not parts or len(classes) > 1:
        raise ParameterError(
            f"the parts of {name} must be one or more on one class of evidence; "
            f"got {', '.join(sorted(classes)) or 'none'}."
        )
    worst = min((part.outcome for part in parts), key=list(OUTCOMES).index)
    grade = _weakest([part.grade for part in parts if part.grade and (part.outcome != "not testable" or not classes)])
    tested = [part for part in parts if part.outcome != "not testable"] or parts
    kinds = tuple(dict.fromkeys(kind for part in tested for kind in part.evidence))
    if grade == "proxy":
        worst = AS_PROXY[worst]
    return Verdict(name, worst, kinds, grade, statement, tuple(parts), any(part.exploratory for part in parts))


def _on_people(hypothesis: Any, test: EffectTest) -> str:
    """Supported, contradicted, not supported (equivalence) or inconclusive."""
    smallest, alpha = hypothesis.smallest_effect.value, hypothesis.family.alpha
    return surveysem.decide(test, smallest=smallest, direction=hypothesis.direction, alpha=alpha, name=hypothesis.id)


def _on_number(hypothesis: Any, test: EffectTest) -> str:
    """Agrees or differs; inconclusive where only a part of the interval satisfies the rule."""
    rule, (low, high) = hypothesis.rule, test.interval or (test.estimate, test.estimate)
    held = [_satisfies(rule, value) for value in (low, test.estimate, high)]
    around = rule.compare == "within" and low < -rule.value and high > rule.value
    return "agrees" if all(held) else "inconclusive" if any(held) or around else "differs"


def _satisfies(rule: NumberRule, value: float) -> bool:
    value, bound = (abs(value) if rule.compare == "within" else value), rule.value
    return {
        "within": value <= bound + SLACK,
        "at_most": value <= bound + SLACK,
        "at_least": value >= bound - SLACK,
        "above": value > bound + SLACK,
        "below": value < bound - SLACK,
    }[rule.compare]


ROBUST = 0.95  # of the draws under every single form, and so whatever forms a reader adds beside them


def _on_model(hypothesis: Hypothesis, test: Any) -> str:
    """Theorem where proved and never seen to fail; robust or fails where nearly all draws say so under every form."""
    shares = [test.estimate, *(share for by in test.forms.values() for share in by.values())]
    if hypothesis.proof and min(shares) == 1:
        return "theorem"
    return "robust" if min(shares) >= ROBUST else "fails" if max(shares) <= 1 - ROBUST else "depends"


def _on_synthetic(hypothesis: Hypothesis, test: EffectTest) -> str:
    """Say whether the interval holds the truth the sample was drawn with."""
    if test.interval is None or test.truth is None:
        raise surveysem.ParameterError(f"{hypothesis.id} needs interval and truth; got {test.interval}, {test.truth}.")
    return "recovered" if test.interval[0] <= test.truth <= test.interval[1] else "not recovered"


RULES: dict[str, Callable[[Any, Any], str]] = {
    "people": _on_people,
    "number": _on_number,
    "model": _on_model,
    "synthetic": _on_synthetic,
}
"""What a test comes to, by the class of its evidence; `paper.load_hypotheses` has seen to what each rule reads."""


def _weakest(grades: Sequence[str]) -> str | None:
    return max(grades, key=GRADES.index, default=None)
