"""What a survey asks: constructs, items, answer scales, attention checks and controls."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from socialcommerce.errors import UnknownNameError

__all__ = ["Codebook", "Construct", "Contact", "Effect", "Item", "Moderation", "Scale", "plain"]


@dataclass(frozen=True)
class Scale:
    """Whole numbers from low to high; ``en`` and ``zh`` label each of them, or are empty for a counted number."""

    name: str
    low: int
    high: int
    en: tuple[str, ...] = ()
    zh: tuple[str, ...] = ()

    @property
    def allowed(self) -> str:
        """The codes in words.

        >>> Scale("five", 1, 5).allowed
        'whole numbers from 1 to 5'
        """
        labels = f", or one of {', '.join(self.en)}; {', '.join(self.zh)}" if self.en else ""
        return f"whole numbers from {self.low} to {self.high}{labels}"


@dataclass(frozen=True)
class Item:
    """One question: its code, scale and wording.

    ``role`` is "item", "check" or "control"; ``expected`` is the code that passes a check; ``reverse`` marks an item
    worded against its construct.
    """

    code: str
    scale: Scale
    en: str = ""
    zh: str = ""
    construct: str = ""
    role: str = "item"
    reverse: bool = False
    expected: int | None = None


@dataclass(frozen=True)
class Construct:
    """What several items measure in common; ``role`` is "construct", or "control" for one outside the hypotheses."""

    name: str
    items: tuple[Item, ...]
    en: str = ""
    zh: str = ""
    role: str = "construct"

    @property
    def codes(self) -> list[str]:
        """The items' codes."""
        return [item.code for item in self.items]


@dataclass(frozen=True)
class Effect:
    """An expected dependence of ``outcome`` on ``predictor`` with its direction, 1 or -1."""

    outcome: str
    predictor: str
    direction: int


@dataclass(frozen=True)
class Moderation:
    """An expected dependence of the path from ``predictor`` to ``outcome`` on ``moderator``, direction 1 or -1."""

    outcome: str
    predictor: str
    moderator: str
    direction: int


@dataclass(frozen=True)
class Contact:
    """The counted controls that hold how often a respondent is addressed and what it may bring."""

    frequency: str
    outcome: str


@dataclass(frozen=True)
class Codebook:
    """A survey's constructs and everything asked beside them, in the order of the questionnaire (``questions``).

    ``paths``, ``moderations`` and ``contact`` are what is expected; ``strategies`` and ``outcomes`` name the constructs
    whose indirect effects are asked for; ``group`` is the control that tells two kinds of respondents apart and
    ``marker`` a construct that theory relates to no other.
    """

    name: str
    constructs: tuple[Construct, ...]
    questions: tuple[Item, ...]
    paths: tuple[Effect, ...] = ()
    group: str = ""
    title: tuple[str, str] = ("", "")  # English, Chinese
    introduction: tuple[str, str] = ("", "")
    moderations: tuple[Moderation, ...] = ()
    contact: Contact | None = None
    strategies: tuple[str, ...] = ()
    outcomes: tuple[str, ...] = ()
    marker: str = ""

    @cached_property
    def by_code(self) -> dict[str, Item]:
        """Every question under its code."""
        return {item.code: item for item in self.questions}

    @property
    def items(self) -> list[str]:
        """Codes of the constructs' items, in the order asked."""
        return [item.code for item in self.questions if item.role == "item"]

    @property
    def scales(self) -> dict[str, list[str]]:
        """The item codes of every construct."""
        return {construct.name: construct.codes for construct in self.constructs}

    def score(self, answers: pd.DataFrame) -> pd.DataFrame:
        """Return the answers with reverse-keyed items turned round (low + high - answer).

        >>> five = Scale("five", 1, 5)
        >>> pair = Item("a", five), Item("b", five, reverse=True)
        >>> Codebook("x", (Construct("f", pair),), pair).score(pd.DataFrame({"a": [1], "b": [1]})).values.tolist()
        [[1, 5]]
        """
        turned = {
            item.code: item.scale.low + item.scale.high - answers[item.code]
            for item in self.questions
            if item.reverse and item.code in answers
        }
        return answers.assign(**turned)

    def model(self, constructs: Iterable[str] | None = None, *, structural: bool = True) -> str:
        """Return the model as `sem.fit` reads it: measurement, then the paths between the constructs named.

        Parameters
        ----------
        constructs : iterable of str, optional
            By default those whose role is not "control".
        structural : bool
            Whether to add the paths.
        """
        known = {construct.name: construct for construct in self.constructs}
        default = [name for name, construct in known.items() if construct.role == "construct"]
        chosen = default if constructs is None else list(constructs)
        for name in chosen:
            if name not in known:
                raise UnknownNameError("construct", name, known)
        lines = [f"{name} =~ {' + '.join(known[name].codes)}" for name in chosen]
        if structural:
            predictors: dict[str, list[str]] = {}
            for path in self.paths:
                if path.outcome in chosen and path.predictor in chosen:
                    predictors.setdefault(path.outcome, []).append(path.predictor)
            lines += [f"{outcome} ~ {' + '.join(names)}" for outcome, names in predictors.items()]
        return "\n".join(lines)


def plain(text: str) -> str:
    """Return a text as it is compared: full-width forms narrowed, case and spaces dropped, no closing mark.

    >>> plain(" 非常 同意。") == plain("非常同意"), plain("Ｑ１ Agree.")
    (True, 'q1agree')
    """
    narrow = unicodedata.normalize("NFKC", text).casefold()
    return re.sub(r"\s+", "", narrow).rstrip(".。:?!；;,，")
