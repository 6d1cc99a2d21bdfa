"""The records of testing: a test, the reason why there is none, a verdict that says no more than its evidence may."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf, isfinite
from typing import Any

from socialcommerce.errors import ParameterError, UnknownNameError
from socialcommerce.paper import CLASSES, EVIDENCE, GRADES

__all__ = ["ALLOWED", "OUTCOMES", "HypothesisTest", "NotTestable", "Verdict", "require"]

Words = Mapping[str, str]
Interval = tuple[float, float]

OUTCOMES: dict[str, dict[str, str]] = {
    "contradicted": {"en": "contradicted", "zh": "相悖"},
    "differs": {"en": "differs", "zh": "不符"},
    "inconsistent (proxy)": {"en": "inconsistent with (proxy)", "zh": "不一致（代理）"},
    "not supported": {"en": "not supported", "zh": "不支持"},
    "does not follow": {"en": "does not follow from the model", "zh": "不能由模型推出"},
    "not recovered": {"en": "method does not recover it", "zh": "方法未能还原"},
    "depends": {"en": "depends on parameters", "zh": "取决于参数"},
    "inconclusive": {"en": "inconclusive", "zh": "尚无定论"},
    "not testable": {"en": "not testable", "zh": "无法检验"},
    "consistent (proxy)": {"en": "consistent with (proxy)", "zh": "一致（代理）"},
    "recovered": {"en": "method recovers it", "zh": "方法能够还原"},
    "follows": {"en": "follows from the model", "zh": "可由模型推出"},
    "agrees": {"en": "agrees", "zh": "相符"},
    "supported": {"en": "supported", "zh": "支持"},
}
"""Every outcome in words, the one that speaks most against a claim first: a claim of several parts takes its worst."""

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
    reason : {"en", "zh"}
        Why not.
    """

    reason: Words


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
    """

    id: str
    outcome: str
    evidence: tuple[str, ...]
    grade: str | None
    statement: Words
    result: HypothesisTest | NotTestable | tuple[Verdict, ...]
    exploratory: bool = False

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
    def words(self) -> dict[str, str]:
        """The outcome in words."""
        return OUTCOMES[self.outcome]

    @property
    def sentence(self) -> dict[str, str]:
        """The verdict in one sentence, with its kind of evidence."""
        kinds = {"en": " and ".join(self.evidence), "zh": "、".join(EVIDENCE[kind] for kind in self.evidence)}
        en, zh = self.statement["en"].rstrip("."), self.statement["zh"].rstrip("。")
        shown = {"en": f" ({kinds['en']})", "zh": f"（{kinds['zh']}）"}
        basis = shown if self.evidence else {"en": "", "zh": ""}
        why = self.result.reason if isinstance(self.result, NotTestable) else {"en": "", "zh": ""}
        return {"en": " ".join(filter(None, [f"{en}: {self.words['en']}{basis['en']}.", why["en"]])),
                "zh": f"{zh}：{self.words['zh']}{basis['zh']}。{why['zh']}"}


def _see_interval(name: str, interval: Interval | None, level: float | None) -> None:
    ordered = interval is not None and interval[0] <= interval[1]
    whole = (interval is None and level is None) or (ordered and level is not None and 0 < level < 1)
    require(f"{name}interval and its level", (interval, level), whole,
            "both or neither; lower end first, level in (0, 1)")


def require(name: str, given: Any, holds: bool, allowed: str) -> None:
    """Raise a ParameterError that names what is wrong, given and allowed, unless it holds."""
    if not holds:
        raise ParameterError(f"{name} must be {allowed}; got {given!r}.")
