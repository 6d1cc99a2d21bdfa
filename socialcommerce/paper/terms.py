"""The words in which claims, hypotheses and rules are written: closed lists, and one small record for each noun."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["BASES", "CLASSES", "COMPARISONS", "CORRECTIONS", "DIRECTIONS", "EVIDENCE", "GRADES", "KINDS", "PARTS",
           "SECTIONS", "Claim", "Evidence", "Family", "Hypothesis", "NumberRule", "Rules", "SmallestEffect"]

EVIDENCE = {
    "official statistic": "官方统计",
    "published figure": "已公开发表的数字",
    "derived from published figures": "由已发表数字推算",
    "public data set": "公开数据集",
    "own survey": "自有问卷数据",
    "model": "模型",
    "synthetic sample": "合成样本",
}
"""Kinds of evidence, English and Chinese. Only data about people can support a claim; reports always show the kind."""

BASES = {**EVIDENCE, "reading of the paper": "对论文的阅读"}
"""What a figure or table can rest on: a kind of evidence, or our reading of the paper, which is evidence of nothing."""

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

GRADES = {"direct": "直接", "proxy": "代理", "remote": "疏远"}
"""How closely a data set bears on a claim. A proxy is at most consistent with it; a remote one tests nothing."""

SECTIONS = ("1", "2.1", "2.2", "3", "3.1", "3.2", "4.1", "4.2", "4.3", "5")
"""The paper's sections, as numbered there."""

KINDS = {
    "number": "数字",
    "trend": "趋势",
    "characterisation": "特征",
    "comparison": "比较",
    "mechanism": "机制",
    "effect": "效应",
    "strategy": "对策",
    "question": "问题",
}
"""Kinds of claim."""

DIRECTIONS = {"positive": "正向", "negative": "负向", "equal": "相等", "holds": "成立"}
"""What a hypothesis says of its estimate; ``holds`` is a property of a model."""

PARTS = {
    "numbers": {"en": "numbers", "zh": "数字"},
    "modes": {"en": "the two modes as models", "zh": "两类模式的模型"},
    "sem": {"en": "structural equation models", "zh": "结构方程模型"},
    "strategies": {"en": "strategies, survey and public data", "zh": "对策、问卷与公开数据"},
}
"""The part of the project that decides a hypothesis."""

CORRECTIONS = ("none", "bonferroni", "holm", "fdr_bh")
"""Corrections for multiple tests, by the names statsmodels gives them."""

COMPARISONS = ("within", "at_least", "at_most", "above", "below")
"""How a number is compared with the value of its rule; ``within`` is |estimate| <= value."""

Words = Mapping[str, str]  # {"en": ..., "zh": ...}


@dataclass(frozen=True)
class Claim:
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

    id: str
    section: str
    paragraph: int
    sentence: int
    kind: str
    text: Words
    hypotheses: tuple[str, ...] = ()
    untested: Words | None = None

    @property
    def place(self) -> dict[str, str]:
        """Section, paragraph and sentence as a reader would cite them."""
        return {"en": f"§{self.section}, par. {self.paragraph}, s. {self.sentence}",
                "zh": f"§{self.section}，第{self.paragraph}段第{self.sentence}句"}


@dataclass(frozen=True)
class Evidence:
    """A data set a hypothesis is tested on: its name, its kind (of ``EVIDENCE``) and its grade (of ``GRADES``)."""

    name: str
    kind: str
    grade: str


@dataclass(frozen=True)
class SmallestEffect:
    """The smallest effect of interest, in the unit of the outcome: anything smaller would not matter."""

    value: float
    unit: Words
    source: Words


@dataclass(frozen=True)
class NumberRule:
    """With what a number is compared: ``compare`` (of ``COMPARISONS``), the value, its unit and its source."""

    compare: str
    value: float
    unit: Words
    source: Words

    @property
    def words(self) -> dict[str, str]:
        """The rule as a condition on the estimate."""
        sign = {"within": "±", "at_least": "≥ ", "at_most": "≤ ", "above": "> ", "below": "< "}[self.compare]
        if self.compare == "within":
            return {"en": f"within {sign}{self.value:g}", "zh": f"{sign}{self.value:g} 以内"}
        return dict.fromkeys(("en", "zh"), f"{sign}{self.value:g}")


@dataclass(frozen=True)
class Family:
    """Tests that share an error rate ``alpha`` (None where nothing is sampled) under one correction."""

    id: str
    name: Words
    alpha: float | None
    correction: str


@dataclass(frozen=True)
class Rules:
    """The decision rules: error rate, level of the equivalence interval, their wording, and the families of tests."""

    alpha: float
    equivalence_level: float
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
    """

    id: str
    claims: tuple[str, ...]
    statement: Words
    null: Words
    direction: str
    data: tuple[Evidence, ...]
    family: Family
    design: Words
    part: str
    smallest_effect: SmallestEffect | None = None
    rule: NumberRule | None = None
    known: Words | None = None
    reason: Words | None = None

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kinds of evidence it rests on, each once."""
        return tuple(dict.fromkeys(data.kind for data in self.data))

    @property
    def testable(self) -> bool:
        """Whether any data set bears on it directly or as a proxy."""
        return any(data.grade != "remote" for data in self.data)
