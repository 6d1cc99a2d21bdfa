"""The rules of ``paper/hypotheses.toml``: from what a hypothesis's function found to a verdict."""

from __future__ import annotations

from collections.abc import Sequence

from socialcommerce.errors import ParameterError
from socialcommerce.paper import CLASSES, GRADES, Hypothesis, NumberRule
from socialcommerce.verdicts.records import OUTCOMES, HypothesisTest, NotTestable, Verdict, Words, require

__all__ = ["combine", "decide"]

AS_PROXY = {"supported": "consistent (proxy)", "agrees": "consistent (proxy)", "contradicted": "inconsistent (proxy)",
            "not supported": "inconsistent (proxy)", "differs": "inconsistent (proxy)"}

Interval = tuple[float, float]

SLACK = 1e-9  # differences of decimal figures carry binary dust; far below any printed digit


def decide(hypothesis: Hypothesis, result: HypothesisTest | NotTestable, *, alpha: float | None = None) -> Verdict:
    """Apply the rules of ``paper/hypotheses.toml`` to what a hypothesis's function found.

    Parameters
    ----------
    hypothesis : Hypothesis
        What was claimed: direction, smallest effect or rule, family.
    result : HypothesisTest or NotTestable
        What was found.
    alpha : float, optional
        The error rate the family's correction leaves to this test, from :func:`adjust`; by default the whole of the
        family's. The interval must have level 1 - alpha or more.

    Raises
    ------
    ParameterError
        When the test rests on evidence the hypothesis does not name, or its interval is too narrow for the correction.
    """
    exploratory = hypothesis.known is not None
    if isinstance(result, HypothesisTest) and result.grade == "remote":
        _see_named(hypothesis, result)
        result = NotTestable(hypothesis.reason or {"en": "The data are too remote from the claim.",
                                                   "zh": "数据与论断的关系过于疏远。"})
    if isinstance(result, NotTestable):
        grade = _weakest([data.grade for data in hypothesis.data])
        return Verdict(hypothesis.id, "not testable", hypothesis.kinds, grade, hypothesis.statement, result,
                       exploratory)
    _see_named(hypothesis, result)
    rule = {"people": _on_people, "number": _on_number, "model": _on_model, "synthetic": _on_synthetic}
    outcome = rule[CLASSES[result.evidence]](hypothesis, result, alpha)
    if result.grade == "proxy":
        outcome = AS_PROXY.get(outcome, outcome)
    return Verdict(hypothesis.id, outcome, (result.evidence,), result.grade, hypothesis.statement, result, exploratory)


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
        raise ParameterError(f"the parts of {name} must be one or more on one class of evidence; "
                             f"got {', '.join(sorted(classes)) or 'none'}.")
    worst = min((part.outcome for part in parts), key=list(OUTCOMES).index)
    grade = _weakest([part.grade for part in parts if part.grade and (part.outcome != "not testable" or not classes)])
    tested = [part for part in parts if part.outcome != "not testable"] or parts
    kinds = tuple(dict.fromkeys(kind for part in tested for kind in part.evidence))
    if grade == "proxy":
        worst = AS_PROXY.get(worst, worst)
    return Verdict(name, worst, kinds, grade, statement, tuple(parts), any(part.exploratory for part in parts))


def _on_people(hypothesis: Hypothesis, test: HypothesisTest, alpha: float | None) -> str:
    """Supported, contradicted, not supported (equivalence) or inconclusive."""
    outer, inner = _intervals(hypothesis, test, hypothesis.family.alpha if alpha is None else alpha)
    smallest, sign = hypothesis.smallest_effect.value, -1 if hypothesis.direction == "negative" else 1
    (low, high), estimate = sorted(sign * end for end in outer), sign * test.estimate
    above, below = low > 0 and estimate >= smallest, high < 0 and estimate <= -smallest
    equivalent = -smallest < min(inner) and max(inner) < smallest
    if hypothesis.direction == "equal":
        return "contradicted" if above or below else "supported" if equivalent else "inconclusive"
    return "supported" if above else "contradicted" if below else "not supported" if equivalent else "inconclusive"


def _intervals(hypothesis: Hypothesis, test: HypothesisTest, alpha: float) -> tuple[Interval, Interval]:
    """Return the interval and that of the equivalence test, each wide enough for the family's correction."""
    require(f"level of the interval of {hypothesis.id}", test.level, test.interval is not None
         and test.level >= 1 - alpha - SLACK, f"at least {1 - alpha:.6g}, as the family's correction asks")
    if test.equivalence_interval is None:
        return test.interval, test.interval
    require(f"level of the equivalence interval of {hypothesis.id}", test.equivalence_level,
         test.equivalence_level >= 1 - 2 * alpha - SLACK, f"at least {1 - 2 * alpha:.6g}")
    return test.interval, test.equivalence_interval


def _on_number(hypothesis: Hypothesis, test: HypothesisTest, alpha: float | None) -> str:
    """Agrees or differs; inconclusive where only a part of the interval satisfies the rule."""
    rule, (low, high) = hypothesis.rule, test.interval or (test.estimate, test.estimate)
    held = [_satisfies(rule, value) for value in (low, test.estimate, high)]
    around = rule.compare == "within" and low < -rule.value and high > rule.value
    return "agrees" if all(held) else "inconclusive" if any(held) or around else "differs"


def _satisfies(rule: NumberRule, value: float) -> bool:
    value, bound = (abs(value) if rule.compare == "within" else value), rule.value
    return {"within": value <= bound + SLACK, "at_most": value <= bound + SLACK, "at_least": value >= bound - SLACK,
            "above": value > bound + SLACK, "below": value < bound - SLACK}[rule.compare]


def _on_model(hypothesis: Hypothesis, test: HypothesisTest, alpha: float | None) -> str:
    """Follows from the model if the statement held for every parameter set tried, not if for none, else it depends."""
    return {1.0: "follows", 0.0: "does not follow"}.get(float(test.estimate), "depends")


def _on_synthetic(hypothesis: Hypothesis, test: HypothesisTest, alpha: float | None) -> str:
    """Say whether the interval holds the truth the sample was drawn with."""
    if test.interval is None or test.truth is None:
        raise ParameterError(f"a test of {hypothesis.id} on a synthetic sample needs its interval and the truth it was "
                             f"drawn with; got {test.interval} and {test.truth}.")
    return "recovered" if test.interval[0] <= test.truth <= test.interval[1] else "not recovered"


def _weakest(grades: Sequence[str]) -> str | None:
    return max(grades, key=list(GRADES).index, default=None)


def _see_named(hypothesis: Hypothesis, test: HypothesisTest) -> None:
    named = [(data.kind, data.grade) for data in hypothesis.data]
    if (test.evidence, test.grade) not in named:
        raise ParameterError(f"a test of {hypothesis.id} must rest on evidence that hypotheses.toml names for it; got "
                             f"{test.evidence} ({test.grade}); named: {named or 'none'}.")
