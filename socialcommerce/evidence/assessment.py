"""The state of every claim and hypothesis: a verdict, or why there is none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any

from nbproof import words
from socialcommerce import paper, verdicts
from socialcommerce.errors import UnknownNameError
from socialcommerce.evidence import modes, numbers, public_data, survey
from socialcommerce.paper import CLASSES, Claim, Hypothesis
from socialcommerce.verdicts import Verdict
from surveysem import EffectTest, NotTestable

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["STATES", "TESTS", "Assessment", "assess", "assess_all"]

TESTS = {**numbers.TESTS, **public_data.TESTS, **survey.TESTS, **modes.TESTS}
"""The function that tests each decided hypothesis."""

STATES = ("decided", "no evidence about people yet", "not testable", "further questions only", "no hypothesis")
"""How far a claim is; a synthetic sample is no evidence about people."""


@dataclass(frozen=True)
class Assessment:
    """Every claim, every hypothesis, and a verdict on each hypothesis, by id."""

    claims: tuple[Claim, ...]
    hypotheses: tuple[Hypothesis, ...]
    results: Mapping[str, Verdict]

    @property
    def states(self) -> dict[str, str]:
        """How far each hypothesis is, one of ``STATES``, by its entry: known without testing it."""
        decided = {True: "no evidence about people yet", False: "decided"}
        return {h.id: decided["synthetic sample" in h.kinds] if h.testable else "not testable" for h in self.hypotheses}

    def parts(self, claim: Claim) -> list[str]:
        """Return the hypotheses that speak for or against a claim: all but its extensions."""
        return [h.id for h in self.hypotheses if h.id in claim.hypotheses and h.step != "extension"]

    def state(self, claim: Claim) -> str:
        """Return how far a claim is, one of ``STATES``."""
        states = {self.states[name] for name in self.parts(claim)}
        none = "further questions only" if claim.hypotheses else "no hypothesis"
        return next((state for state in STATES if state in states), none)

    def outcome(self, claim: Claim) -> str:
        """Return a claim's verdict in words where a part has one, else its state.

        Parts on different classes of evidence are never merged: each class then has its own verdict, with its kind.
        """
        state = self.state(claim)
        if state != "decided":
            return state
        parts = [self.results[name] for name in self.parts(claim)]
        classes = {CLASSES[kind]: None for part in parts if _state(part) == "decided" for kind in part.evidence}
        if not classes:
            return "not testable"
        if len(classes) == 1:
            return verdicts.combine(claim.id, claim.text, parts).words
        groups = [
            [part for part in parts if _state(part) == "decided" and CLASSES[part.evidence[0]] == name]
            for name in sorted(classes, key="synthetic".__eq__)
        ]
        merged = [verdicts.combine(claim.id, claim.text, group) for group in groups]
        said = {True: "in part {outcome}", False: "{evidence}: {outcome}"}
        return listed(
            words(said[v.evidence == ("synthetic sample",)], evidence=listed(v.evidence, ", "), outcome=v.words)
            for v in merged
        )

    def summary(self) -> pd.DataFrame:
        """One row a hypothesis: the columns of ``paper.summary``, what was found, its outcome and side."""
        return self.subset(*(hypothesis.id for hypothesis in self.hypotheses))

    def subset(self, *names: str) -> pd.DataFrame:
        """Return the rows of the summary for some hypotheses, in the order given; only these are tested."""
        import pandas as pd

        by_id = {hypothesis.id: hypothesis for hypothesis in self.hypotheses}
        asked = [by_id[name] for name in names]
        found = pd.DataFrame([_row(hypothesis, self.results[hypothesis.id]) for hypothesis in asked])
        found["state"] = [self.states[name] for name in names]
        numbers = {"n": "Int64", **dict.fromkeys(("estimate", "low", "high"), float)}
        return paper.summary(asked).assign(**found).astype(numbers)

    def claim_table(self) -> pd.DataFrame:
        """One row a claim: what it says, how far it is, its outcome in words, and the reason why no data decide it."""
        frame = paper.summary(self.claims).assign(state=[self.state(claim) for claim in self.claims])
        frame["outcome"] = [self.outcome(claim) for claim in self.claims]
        frame["reason"] = [self._reason(claim) for claim in self.claims]
        return frame

    def _reason(self, claim: Claim) -> str | None:
        """Why no data decide a claim: its own reason, or that of its first hypothesis that cannot be tested."""
        tests = (self.results[name].result for name in claim.hypotheses)
        reason = claim.untested or next((test.reason for test in tests if isinstance(test, NotTestable)), None)
        return reason["en"] if isinstance(reason, Mapping) else reason


def assess(name: str) -> Verdict:
    """Return the verdict on one hypothesis.

    Parameters
    ----------
    name : str
        The hypothesis, for example ``"H01"``.

    Raises
    ------
    UnknownNameError
        For a hypothesis that is not in ``paper/hypotheses.toml``.

    Examples
    --------
    >>> assess("H02").words
    'agrees'
    """
    hypotheses = {hypothesis.id: hypothesis for hypothesis in paper.load_hypotheses()}
    if name not in hypotheses:
        raise UnknownNameError("hypothesis", name, hypotheses)
    return _assess(hypotheses[name])


def assess_all() -> Assessment:
    """Return every claim and hypothesis with what is known about it; each is tested when it is first asked for."""
    claims, hypotheses = paper.load_claims(), paper.load_hypotheses()
    return Assessment(claims, hypotheses, _Results({hypothesis.id: hypothesis for hypothesis in hypotheses}))


def listed(texts: Iterable[str], separator: str = "; ") -> str:
    """Join texts so that each, and the mark between them, can still be translated."""
    return reduce(lambda first, rest: words(f"{{first}}{separator}{{rest}}", first=first, rest=rest), texts)


class _Results(Mapping[str, Verdict]):
    """Results by hypothesis, each computed once, when it is asked for."""

    def __init__(self, hypotheses: Mapping[str, Hypothesis]) -> None:
        self._hypotheses = hypotheses
        self._known: dict[str, Verdict] = {}

    def __getitem__(self, name: str) -> Verdict:
        if name not in self._known:
            self._known[name] = _assess(self._hypotheses[name])
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._hypotheses)

    def __len__(self) -> int:
        return len(self._hypotheses)


def _assess(hypothesis: Hypothesis) -> Verdict:
    found = TESTS[hypothesis.id]() if hypothesis.testable else NotTestable(hypothesis.reason)
    return verdicts.decide(hypothesis, found)


def _state(result: Verdict) -> str:
    return "not testable" if result.outcome == "not testable" else "decided"


def _row(hypothesis: Hypothesis, result: Verdict) -> dict[str, Any]:
    row = {"outcome": result.words, "side": result.side, "rule": hypothesis.rule and hypothesis.rule.condition}
    if not isinstance(test := result.result, EffectTest):
        return row | dict.fromkeys(("estimate", "low", "high", "unit", "n"))
    low, high = test.interval or (None, None)
    return row | {"estimate": test.estimate, "low": low, "high": high, "unit": hypothesis.unit["en"], "n": test.n}
