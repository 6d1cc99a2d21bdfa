"""What a study says of each hypothesis of its codebook, by the label its author gave it and by one rule for all."""

from dataclasses import dataclass
from math import prod
from typing import Any

import pandas as pd

from nbproof import words
from surveysem import moderation, paths
from surveysem.codebook import Codebook, Labelled
from surveysem.effects import Effect, EffectTest, NotTestable, adjust, decide
from surveysem.measurement import HEADS
from surveysem.sensitivity import SMALLEST
from surveysem.study import Study

ALPHA = 0.05  # of a family, shared by Holm's correction: hypotheses of one kind on one outcome
SIGNS = {1: "+", -1: "\N{MINUS SIGN}", 0: "0"}
DIRECTIONS = {1: "positive", -1: "negative", 0: "equal"}
VERDICTS = {"not supported": "negligible"}
"""What a verdict is called where its key could be misread: within the bounds of the equivalence test."""
Found = Effect | paths.Indirect | NotTestable


@dataclass(frozen=True)
class Tested:
    """One hypothesis with its test, or the reason why there is none; ``direction`` is 1, -1, or 0 for no effect."""

    hypothesis: Labelled
    path: str
    direction: int
    test: EffectTest | NotTestable
    verdict: str


def hypotheses_of(book: Codebook) -> tuple[Labelled, ...]:
    """Return the codebook's labelled hypotheses; without any, each path and then each moderation, H1 and onwards.

    >>> from surveysem import TEMPLATE, load_codebook
    >>> [one.label for one in hypotheses_of(load_codebook(TEMPLATE))]
    ['H1a', 'H1b', 'H2', 'H3', 'H4']
    """
    stated = [(path.outcome, path.predictor, "") for path in book.paths]
    stated += [(entry.outcome, entry.predictor, entry.moderator) for entry in book.moderations]
    return book.hypotheses or tuple(Labelled(f"H{k}", *each) for k, each in enumerate(stated, 1))


def decide_all(study: Study, moderated: moderation.Moderations | NotTestable | None = None) -> list[Tested]:
    """Test every hypothesis of a study, intervals as wide as the correction of its family asks (Holm 1979).

    A family are the hypotheses of one kind (path, moderation, indirect effect) on one outcome; what cannot be tested
    counts as p = 1. An effect is read against ``sensitivity.SMALLEST`` by `surveysem.decide`.

    Parameters
    ----------
    moderated : Moderations, optional
        What `surveysem.moderation.moderations` returned, where it is at hand.
    """
    book = study.codebook
    if moderated is None and study.estimator != "PLS":
        moderated = moderation.moderations(study)
    found = {one: _found(study, one, moderated) for one in hypotheses_of(book)}
    families: dict[tuple[str, bool, bool], dict[str, float]] = {}
    for one, effect in found.items():
        family = families.setdefault((one.outcome, bool(one.moderator), bool(one.mediator)), {})
        family[one.label] = 1.0 if isinstance(effect, NotTestable) else effect.p_value
    rates = {label: each.alpha for family in families.values() for label, each in adjust(family, ALPHA).items()}
    tested = []
    for one, effect in found.items():
        sign, alpha, verdict = sign_of(book, one), rates[one.label], "not tested"
        test = effect if isinstance(effect, NotTestable) else effect.test(alpha)
        if isinstance(test, EffectTest):
            verdict = decide(test, smallest=SMALLEST, direction=DIRECTIONS[sign], alpha=alpha, name=one.label)
        tested.append(Tested(one, path_of(study, one), sign, test, verdict))
    return tested


def hypothesis_table(tested: list[Tested]) -> pd.DataFrame:
    """One row a hypothesis: label, path, expected, estimate, low, high, level in per cent, p, verdict, reason."""
    rows = []
    for one in tested:
        row: dict[str, object] = {"label": one.hypothesis.label, "path": one.path, "expected": SIGNS[one.direction]}
        if isinstance(one.test, EffectTest):
            low, high = one.test.interval or (None, None)
            row |= {"estimate": one.test.estimate, "low": low, "high": high, "level": 100 * (one.test.level or 0)}
        row |= {"p": getattr(one.test, "p_value", None), "verdict": VERDICTS.get(one.verdict, one.verdict)}
        rows.append(row | {"reason": getattr(one.test, "reason", None)})
    columns = ["label", "path", "expected", "estimate", "low", "high", "level", "p", "verdict", "reason"]
    return pd.DataFrame(rows, columns=columns)


def mediation_table(study: Study, moderated: moderation.Moderations) -> pd.DataFrame:
    """Return the moderated mediations, four rows each: the columns of ``HEADS["mediation"]``, effects of ``MEDIATED``.

    Label, path, method and ``failed`` stand in the first of them; one without a result has one row with its ``reason``.
    """
    tables = []
    for one, found in moderated.mediated.items():
        own: dict[str, object] = {"label": one.label, "path": path_of(study, one)}
        table = pd.DataFrame([{}])
        if isinstance(found, NotTestable):
            own["reason"] = found.reason
        else:
            own |= {"method": HEADS["resampled"][found.method], "failed": found.failed or ""}
            table = found.summary().rename(columns={"via": "effect"})
        tables.append(table.assign(**{name: [value, *[""] * (len(table) - 1)] for name, value in own.items()}))
    whole = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()
    return whole[[name for name in HEADS["mediation"] if name in whole and (whole[name].fillna("") != "").any()]]


def path_of(study: Study, one: Labelled) -> str:
    """Return what a hypothesis is about, in words that can be translated."""
    called = {"": ""} | study.codebook.called
    ends = {"x": called[one.predictor], "y": called[one.outcome], "w": called[one.moderator]}
    shape = "{x} → {m} → {y}" if one.mediator else "{x} → {y}"
    if one.moderator:
        shape += (", by {w} (second path)" if one.second else ", by {w} (first path)") if one.mediator else ", by {m}"
    return words(shape, m=called[one.mediator or one.moderator], **ends)


def _found(study: Study, one: Labelled, moderated: Any) -> Found:
    """Return what the study finds of a hypothesis."""
    if one.moderator and study.estimator == "PLS":
        return NotTestable("Moderation is not tested by PLS; a report by MLR tests it.")
    if one.moderator and one.mediator:
        return moderated.mediated[one]
    if one.moderator:
        part = moderated.parts[moderation.entry_of(study.codebook, one)]
        return part if isinstance(part, NotTestable) else part.effect
    if one.mediator or study.estimator == "PLS":
        return paths.along(study, [one.way])
    return paths.direct(study, one.outcome, one.predictor)


def sign_of(book: Codebook, one: Labelled) -> int:
    """Return the sign that a codebook expects of a hypothesis: 1, -1, or 0 for no effect."""
    every = {(path.outcome, path.predictor): path.direction for path in book.paths}
    signs = {step: every[step] for step in one.steps}
    if one.moderator:
        entry = moderation.entry_of(book, one)
        signs[entry.outcome, entry.predictor] = entry.direction
    return prod(signs.values()) * (not one.nil)


def path_in(book: Codebook, one: Labelled, language: str) -> str:
    """Return a hypothesis's path by what a codebook calls its constructs in a language."""
    known = book.names(language)
    steps = [known[name] for name in one.way]
    if one.moderator:
        steps[one.second] += f" \N{MULTIPLICATION SIGN} {known[one.moderator]}"
    return " \N{RIGHTWARDS ARROW} ".join(steps)
