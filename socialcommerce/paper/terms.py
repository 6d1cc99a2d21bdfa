"""The words in which claims, hypotheses and rules are written: closed lists, and one small record for each noun."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from nbproof import words
from nbproof.shapes import COUNT, NUMBER, TEXT, Field, one_of
from socialcommerce.project import Cited

__all__ = [
    "BASES",
    "CHANGES",
    "CLASSES",
    "DIRECTIONS",
    "EVIDENCE",
    "GRADES",
    "KINDS",
    "PARTS",
    "QUESTIONS",
    "SECTIONS",
    "STEPS",
    "Claim",
    "Evidence",
    "Family",
    "Hypothesis",
    "NumberRule",
    "Rules",
    "SmallestEffect",
]

CLASSES = {
    "official statistic": "number",
    "published figure": "number",
    "derived from published figures": "number",
    "public data set": "people",
    "own survey": "people",
    "model": "model",
    "synthetic sample": "synthetic",
}
"""What each kind of evidence can speak about, and so which outcomes a verdict on it may have."""

EVIDENCE = tuple(CLASSES)
"""Kinds of evidence. Only data about people can support a claim; reports always show the kind."""

BASES = (*EVIDENCE, "reading of the paper")
"""What a figure or table can rest on: a kind of evidence, or our reading of the paper, which is evidence of nothing."""

GRADES = ("direct", "proxy", "remote", "echo")
"""How closely a data set bears on a claim. A proxy is at most consistent with it; a remote one tests nothing, nor does
an echo, which repeats the same figure."""

SECTIONS = ("1", "2.1", "2.2", "3", "3.1", "3.2", "4.1", "4.2", "4.3", "5")
"""The paper's sections, as numbered there."""

KINDS = ("number", "trend", "characterisation", "comparison", "mechanism", "effect", "strategy", "question")
"""Kinds of claim."""

STEPS = ("stated", "entailed", "extension")
"""How a hypothesis follows from its sentence: it says so, it must be so if the sentence is true, or we add to it."""

QUESTIONS = ("testable", "step", "grade")
"""What was coded twice: whether a claim can fail, how a hypothesis follows from it, how closely its data bear on it."""

CHANGES = ("rule", "range", "length", "grade", "step", "wording", "estimand", "design", "method", "added", "removed")
"""What was changed of a hypothesis."""

DIRECTIONS = ("positive", "negative", "equal", "holds")
"""What a hypothesis says of its estimate; ``holds`` is a property of a model."""

PARTS = ("numbers", "modes", "sem", "strategies")
"""The part of the project that decides a hypothesis: published numbers, the two modes as models, structural equation
models, strategies on survey and public data."""

COMPARISONS = ("within", "at_least", "at_most", "above", "below")
"""How a number is compared with the value of its rule; ``within`` is |estimate| <= value."""

SHARE = {"en": "share of the draws of form and parameters"}
LANGUAGES = ("en", "zh")
BOTH = dict.fromkeys(LANGUAGES, TEXT)


def _in_both(value: object) -> bool:
    return isinstance(value, dict) and {*value} == {*LANGUAGES} and all(map(TEXT.holds, value.values()))


def _ids(value: object) -> bool:
    return isinstance(value, list) and all(map(TEXT.holds, value)) and len({*value}) == len(value)


Text = Annotated[str, TEXT]
WORDS = Field(_in_both, "a text in en and one in zh")
Words = Annotated[Mapping[str, str], WORDS]
Ids = Annotated[tuple[str, ...], Field(_ids, "a list of ids, each id once")]
Probability = Annotated[float, Field(lambda x: NUMBER.holds(x) and 0 < x < 1, "a number between 0 and 1")]
Positive = Annotated[float, Field(lambda x: NUMBER.holds(x) and x > 0, "a number above 0")]


@dataclass(frozen=True)
class Claim(Cited):
    """One sentence of the paper that can fail.

    Attributes
    ----------
    id : str
        C01, C02, …
    section, paragraph, sentence : str, int, int
        Where it stands; ``paper/claims.toml`` says how they are counted.
    kind : str
        One of ``KINDS``.
    text : {"en", "zh"}
        Paraphrase.
    hypotheses : tuple of str
        Hypotheses that test it, all of them parts of it.
    untested : {"en", "zh"} or None
        Why no hypothesis does; None where there is one.
    """

    id: Text
    section: Annotated[str, one_of(SECTIONS)]
    paragraph: Annotated[int, COUNT]
    sentence: Annotated[int, COUNT]
    kind: Annotated[str, one_of(KINDS)]
    text: Mapping[str, str]
    hypotheses: Ids = ()
    untested: Words | None = None


@dataclass(frozen=True)
class Evidence:
    """A data set a hypothesis is tested on: its name, its kind (of ``EVIDENCE``) and its grade (of ``GRADES``)."""

    name: Text
    kind: Annotated[str, one_of(EVIDENCE)]
    grade: Annotated[str, one_of(GRADES)]


@dataclass(frozen=True)
class SmallestEffect:
    """The smallest effect of interest, in the unit of the outcome: anything smaller would not matter."""

    value: Positive
    unit: Words
    source: Words


@dataclass(frozen=True)
class NumberRule:
    """With what a number is compared: ``compare`` (of ``COMPARISONS``), the value, its unit and its source."""

    compare: Annotated[str, one_of(COMPARISONS)]
    value: Annotated[float, NUMBER]
    unit: Words
    source: Words

    @property
    def condition(self) -> str:
        """The rule as a condition on the estimate."""
        if self.compare == "within":
            return words("within ±{value}", value=f"{self.value:g}")
        return {"at_least": "≥", "at_most": "≤", "above": ">", "below": "<"}[self.compare] + f" {self.value:g}"


@dataclass(frozen=True)
class Family:
    """Tests that share an error rate ``alpha`` (None where nothing is sampled) under one correction."""

    id: str
    name: Mapping[str, str]
    correction: Annotated[str, one_of(("none", "holm"))]
    alpha: Probability | None = None


@dataclass(frozen=True)
class Rules:
    """The decision rules: error rate, level of the equivalence interval, their wording, and the families of tests."""

    alpha: Probability
    equivalence_level: Probability
    text: tuple[tuple[str, Words], ...]
    families: Mapping[str, Family]
    smallest_effects: Mapping[str, SmallestEffect]


@dataclass(frozen=True)
class Hypothesis:
    """What one or more claims say about data.

    Attributes
    ----------
    id : str
        H01, H02, …
    claims : tuple of str
        Claims it is a part of.
    step : str
        One of ``STEPS``: only what is stated or entailed speaks for or against the paper.
    added : {"en", "zh"} or None
        What an extension adds to the sentence.
    proof : {"en", "zh"} or None
        Why a statement about a model holds for all parameters and forms.
    statement, null, design : {"en", "zh"}
        What it says, what it would be to be wrong, and the estimand.
    direction : str
        One of ``DIRECTIONS``.
    data : tuple of Evidence
        What it is tested on; empty where no data were found.
    family : Family
        Tests corrected together with this one.
    part : str
        One of ``PARTS``.
    smallest_effect : SmallestEffect or None
        For effects.
    rule : NumberRule or None
        For numbers.
    known : {"en", "zh"} or None
        What was already known of the outcome; then the test is exploratory.
    reason : {"en", "zh"} or None
        Why it cannot be tested.
    short : {"en", "zh"} or None
        A few words for figures and lists; every hypothesis of the paper has them.
    shown : str
        Where the reports show it best, ``PAGE.html#ANCHOR``; empty for the table of all hypotheses.
    """

    id: Text
    claims: Ids
    statement: Words
    null: Words
    direction: Annotated[str, one_of(DIRECTIONS)]
    data: tuple[Evidence, ...]
    family: Family
    design: Words
    part: Annotated[str, one_of(PARTS)]
    step: Annotated[str, one_of(STEPS)]
    short: Words
    smallest_effect: SmallestEffect | None = None
    rule: NumberRule | None = None
    known: Words | None = None
    reason: Words | None = None
    shown: Text = ""
    added: Words | None = None
    proof: Words | None = None

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kinds of evidence it rests on, each once."""
        return tuple(dict.fromkeys(data.kind for data in self.data))

    @property
    def testable(self) -> bool:
        """Whether any data set bears on it directly or as a proxy."""
        return any(data.grade in GRADES[:2] for data in self.data)

    @property
    def unit(self) -> Words:
        """Unit of its estimate: that of its smallest effect, or of its rule; of a model's statement, a share."""
        measure = self.smallest_effect or self.rule
        return measure.unit if measure else SHARE
