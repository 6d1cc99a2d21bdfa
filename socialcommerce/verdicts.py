"""Tests and verdicts: what came out of a hypothesis, on what kind of evidence, and the rules in between.

The rules are those of ``paper/hypotheses.toml``. A verdict always carries its kind of evidence, and a closed list says
which outcomes that kind may have: a model can never say "supported". The tests of a family share its error rate.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf, isfinite
from typing import Any

from socialcommerce.errors import ParameterError, UnknownNameError
from socialcommerce.paper import CLASSES, EVIDENCE, GRADES, Family, Hypothesis, NumberRule

__all__ = ["ALLOWED", "Adjusted", "HypothesisTest", "NotTestable", "OUTCOMES", "SIDES", "Verdict", "adjust", "combine",
           "decide", "require"]

Words = Mapping[str, str]
Interval = tuple[float, float]

OUTCOMES = {
    "contradicted": "contradicted",
    "differs": "differs",
    "inconsistent (proxy)": "inconsistent (proxy evidence)",
    "not supported": "negligible",
    "does not follow": "does not follow from the model",
    "not recovered": "no evidence about people yet",
    "depends": "depends on parameters",
    "inconclusive": "inconclusive",
    "not testable": "not testable",
    "consistent (proxy)": "consistent (proxy evidence)",
    "recovered": "no evidence about people yet",
    "follows": "follows from the model",
    "agrees": "agrees",
    "supported": "supported",
}
"""Every outcome in words, the one that speaks most against a claim first: a claim of several parts takes its worst."""

SIDES = {
    "against the paper": {"contradicted", "differs", "inconsistent (proxy)", "not supported", "does not follow"},
    "with the paper": {"consistent (proxy)", "follows", "agrees", "supported"},
    "undecided": {"depends", "inconclusive"},
    "further questions": set(),
    "no evidence about people yet": {"recovered", "not recovered"},
    "not testable": {"not testable"},
}
"""Which way each outcome points; the first three of an extension are answers to further questions."""

ALLOWED = {
    "people": {"supported", "contradicted", "not supported", "inconclusive", "consistent (proxy)",
               "inconsistent (proxy)"},
    "number": {"agrees", "differs", "inconclusive", "consistent (proxy)", "inconsistent (proxy)"},
    "model": {"follows", "does not follow", "depends"},
    "synthetic": {"recovered", "not recovered"},
}
"""The outcomes each class of evidence may have, beside "not testable"."""


@dataclass(frozen=True)
class NotTestable:
    """Stands where the data cannot carry a test, so that tables stay whole.

    Parameters
    ----------
    reason : str, or {"en", "zh"}
        Why not.
    """

    reason: Words | str


@dataclass(frozen=True)
class HypothesisTest:
    """What the data say about one hypothesis.

    Parameters
    ----------
    estimate : float
        In ``unit``. For a model: the share of the parameter sets tried, in [0, 1], for which the statement holds.
    n : int
        Observations behind it (parameter sets, for a model).
    unit, method, null : {"en", "zh"}
        Unit of the estimate, how it was got, and the null hypothesis in words.
    evidence, grade : str
        Of ``paper.EVIDENCE`` and ``paper.GRADES``.
    interval, level : (float, float), float, optional
        Interval and its level in (0, 1), both or neither.
    equivalence_interval, equivalence_level : optional
        The narrower interval of the equivalence test; without it the wider one serves.
    p_value : float, optional
        In [0, 1], two-sided, not adjusted.
    truth : float, optional
        The value a synthetic sample was drawn with.

    Raises
    ------
    ParameterError, UnknownNameError
        When a value is out of its range.
    """

    estimate: float
    n: int
    unit: Words
    method: Words
    null: Words
    evidence: str
    grade: str
    interval: Interval | None = None
    level: float | None = None
    equivalence_interval: Interval | None = None
    equivalence_level: float | None = None
    p_value: float | None = None
    truth: float | None = None

    def __post_init__(self) -> None:
        if self.evidence not in EVIDENCE:
            raise UnknownNameError("kind of evidence", self.evidence, EVIDENCE)
        if self.grade not in GRADES:
            raise UnknownNameError("grade", self.grade, GRADES)
        require("estimate", self.estimate, isfinite(self.estimate), "a finite number")
        require("n", self.n, self.n >= 1, "at least 1")
        for name in ("", "equivalence_"):
            _see_interval(name, getattr(self, f"{name}interval"), getattr(self, f"{name}level"))
        require("p_value", self.p_value, self.p_value is None or 0 <= self.p_value <= 1, "a probability in [0, 1]")
        if CLASSES[self.evidence] == "model":
            require("estimate", self.estimate, 0 <= self.estimate <= 1, "for a model, a share in [0, 1]")

    @classmethod
    def from_error(cls, estimate: float, standard_error: float, *, alpha: float, df: float = inf,
                   **others: Any) -> HypothesisTest:
        """Build a test from an estimate and its standard error: both intervals and the p value, by Student's t.

        Parameters
        ----------
        standard_error : float
            Above 0, in the unit of the estimate.
        alpha : float
            The error rate left to this test by its family, from :func:`adjust`: the interval has level 1 - alpha, that
            of the equivalence test, two one-sided tests, 1 - 2 alpha (Schuirmann 1987, doi:10.1007/BF01068419).
        df : float
            Degrees of freedom; infinite for a normal.
        **others
            The other fields.
        """
        from scipy.stats import t  # heavy: only where a test is made

        require("standard_error", standard_error, 0 < standard_error < inf, "a finite number above 0")
        require("alpha", alpha, 0 < alpha < 0.5, "a number in (0, 0.5)")
        reach, inner = (float(t.ppf(1 - tail, df)) * standard_error for tail in (alpha / 2, alpha))
        return cls(estimate=estimate, interval=(estimate - reach, estimate + reach), level=1 - alpha,
                   equivalence_interval=(estimate - inner, estimate + inner), equivalence_level=1 - 2 * alpha,
                   p_value=float(2 * t.sf(abs(estimate) / standard_error, df)), **others)


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
    result : HypothesisTest, NotTestable, or tuple of Verdict
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
    result: HypothesisTest | NotTestable | tuple[Verdict, ...]
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
            raise ParameterError(f"a verdict on {', '.join(self.evidence) or 'no evidence'} ({self.grade}) cannot be "
                                 f"{self.outcome!r}; allowed: {', '.join(sorted(allowed)) or 'not testable'}.")

    @property
    def words(self) -> str:
        """The outcome in words."""
        return OUTCOMES[self.outcome]

    @property
    def side(self) -> str:
        """Which way it points, a key of ``SIDES``."""
        side = next(side for side, outcomes in SIDES.items() if self.outcome in outcomes)
        asked = self.step == "extension" and side in ("against the paper", "with the paper", "undecided")
        return "further questions" if asked else side


def _see_interval(name: str, interval: Interval | None, level: float | None) -> None:
    ordered = interval is not None and interval[0] <= interval[1]
    whole = (interval is None and level is None) or (ordered and level is not None and 0 < level < 1)
    require(f"{name}interval and its level", (interval, level), whole,
            "both or neither; lower end first, level in (0, 1)")


def require(name: str, given: Any, holds: bool, allowed: str) -> None:
    """Raise a ParameterError that names what is wrong, given and allowed, unless it holds."""
    if not holds:
        raise ParameterError(f"{name} must be {allowed}; got {given!r}.")


AS_PROXY = {"supported": "consistent (proxy)", "agrees": "consistent (proxy)", "contradicted": "inconsistent (proxy)",
            "not supported": "inconsistent (proxy)", "differs": "inconsistent (proxy)"}


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
    named = [(data.kind, data.grade) for data in hypothesis.data]
    if isinstance(result, HypothesisTest) and (result.evidence, result.grade) not in named:
        raise ParameterError(f"a test of {hypothesis.id} must rest on evidence that hypotheses.toml names for it; got "
                             f"{result.evidence} ({result.grade}); named: {named or 'none'}.")
    if isinstance(result, HypothesisTest) and result.grade == "remote":
        require(f"reason of {hypothesis.id}", hypothesis.reason, hypothesis.reason is not None,
                "given, since remote data test nothing")
        result = NotTestable(hypothesis.reason or "")
    if isinstance(result, NotTestable):
        grade = _weakest([data.grade for data in hypothesis.data])
        return Verdict(hypothesis.id, "not testable", hypothesis.kinds, grade, hypothesis.statement, result,
                       exploratory, hypothesis.step)
    rule = {"people": _on_people, "number": _on_number, "model": _on_model, "synthetic": _on_synthetic}
    outcome = rule[CLASSES[result.evidence]](hypothesis, result, alpha)
    if result.grade == "proxy":
        outcome = AS_PROXY.get(outcome, outcome)
    return Verdict(hypothesis.id, outcome, (result.evidence,), result.grade, hypothesis.statement, result, exploratory,
                   hypothesis.step)


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
    alpha = hypothesis.family.alpha if alpha is None else alpha
    if alpha is None or hypothesis.smallest_effect is None:
        raise ParameterError(f"{hypothesis.id} cannot be decided on data about people; got no "
                             "error rate or smallest effect of interest; allowed: one of each in hypotheses.toml.")
    outer, inner = _intervals(hypothesis, test, alpha)
    smallest, sign = hypothesis.smallest_effect.value, -1 if hypothesis.direction == "negative" else 1
    (low, high), estimate = sorted(sign * end for end in outer), sign * test.estimate
    above, below = low > 0 and estimate >= smallest, high < 0 and estimate <= -smallest
    equivalent = -smallest < min(inner) and max(inner) < smallest
    if hypothesis.direction == "equal":
        return "contradicted" if above or below else "supported" if equivalent else "inconclusive"
    return "supported" if above else "contradicted" if below else "not supported" if equivalent else "inconclusive"


def _intervals(hypothesis: Hypothesis, test: HypothesisTest, alpha: float) -> tuple[Interval, Interval]:
    """Return the interval and that of the equivalence test, each wide enough for the family's correction."""
    outer = _wide(f"interval of {hypothesis.id}", test.interval, test.level, 1 - alpha)
    if test.equivalence_interval is None:
        return outer, outer
    return outer, _wide(f"equivalence interval of {hypothesis.id}", test.equivalence_interval, test.equivalence_level,
                        1 - 2 * alpha)


def _wide(name: str, interval: Interval | None, level: float | None, least: float) -> Interval:
    if interval is None or level is None or level < least - SLACK:
        raise ParameterError(f"level of the {name} must be at least {least:.6g}, as the family's correction asks; got "
                             f"{level!r}.")
    return interval


def _on_number(hypothesis: Hypothesis, test: HypothesisTest, alpha: float | None) -> str:
    """Agrees or differs; inconclusive where only a part of the interval satisfies the rule."""
    rule, (low, high) = hypothesis.rule, test.interval or (test.estimate, test.estimate)
    if rule is None:
        raise ParameterError(f"{hypothesis.id} cannot be decided on a number; got no rule; allowed: one in "
                             "hypotheses.toml.")
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
    return max(grades, key=GRADES.index, default=None)


@dataclass(frozen=True)
class Adjusted:
    """One test inside its family: adjusted p value, the error rate left to its interval, is the null rejected."""

    p_value: float
    alpha: float
    rejected: bool


def adjust(p_values: Mapping[str, float], family: Family) -> dict[str, Adjusted]:
    """Correct the p values of a family, and say at which level each interval agrees with its corrected test.

    Under Holm's correction the test of rank r of m is made at alpha / (m - r + 1), and all after the first that is not
    rejected at that one's rate (Holm 1979); under Benjamini and Hochberg's, with R rejected, at R alpha / m (Benjamini
    & Yekutieli 2005, doi:10.1198/016214504000001907). An interval of level 1 minus that rate excludes zero exactly when
    the corrected test rejects.

    Parameters
    ----------
    p_values : mapping of hypothesis to p value
        All tests of the family, in [0, 1].
    family : Family
        With its alpha and correction.

    Examples
    --------
    >>> family = Family("f", {}, 0.05, "holm")
    >>> {name: round(a.alpha, 4) for name, a in adjust({"H1": 0.001, "H2": 0.2, "H3": 0.02}, family).items()}
    {'H1': 0.0167, 'H2': 0.05, 'H3': 0.025}
    """
    if family.alpha is None:
        raise ParameterError(f"family {family.id} has no alpha, so no tests to correct; got {len(p_values)} p values.")
    for name, p in p_values.items():
        require(f"p value of {name}", p, 0 <= p <= 1, "a probability in [0, 1]")
    if family.correction == "none" or not p_values:
        return {name: Adjusted(p, family.alpha, p <= family.alpha) for name, p in p_values.items()}
    from statsmodels.stats.multitest import multipletests  # heavy: only where tests are made

    ranked = sorted(p_values, key=p_values.__getitem__)
    rejected, values, _, _ = multipletests([p_values[name] for name in ranked], family.alpha, family.correction)
    rates = [_rate(family.correction, family.alpha, rank, len(ranked), int(rejected.sum()))
             for rank in range(1, len(ranked) + 1)]
    found = {name: Adjusted(float(p), rate, bool(reject))
             for name, p, rate, reject in zip(ranked, values, rates, rejected, strict=True)}
    return {name: found[name] for name in p_values}


def _rate(correction: str, alpha: float, rank: int, m: int, rejected: int) -> float:
    if correction == "holm":
        return alpha / (m - min(rank - 1, rejected, m - 1))
    return alpha / m * (max(rejected, 1) if correction == "fdr_bh" else 1)
