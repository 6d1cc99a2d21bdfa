"""Read claims.toml and hypotheses.toml and check them: every error names file, entry, field, given and allowed."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from nbproof import read_bytes
from socialcommerce.errors import PaperError, named, nearest, quoted
from socialcommerce.paper.terms import (
    CLASSES,
    COMPARISONS,
    CORRECTIONS,
    DIRECTIONS,
    EVIDENCE,
    GRADES,
    KINDS,
    PARTS,
    SECTIONS,
    Claim,
    Evidence,
    Family,
    Hypothesis,
    NumberRule,
    Rules,
    SmallestEffect,
)
from socialcommerce.project import root

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["load_claims", "load_hypotheses", "load_rules", "summary"]


@lru_cache(maxsize=8)
def _parsed(text: str) -> Mapping[str, Any]:
    """Return what a toml file holds; the same text is parsed once, as a calibration reads it thousands of times."""
    return tomllib.loads(text)


@dataclass(frozen=True)
class Entry:
    """A table of one toml file that knows where it stands, so that an error can name file, entry and field."""

    file: str
    label: str
    table: Mapping[str, Any]

    @classmethod
    def read(cls, folder: str | Path | None, name: str) -> Entry:
        path = (Path(folder) if folder is not None else root() / "paper") / name
        if not path.exists():
            raise PaperError(f"paper/{name} is missing; looked for it in {path.parent}.")
        raw = read_bytes(path, PaperError)
        try:
            return cls(f"paper/{name}", "file", _parsed(raw.decode()))
        except (ValueError, RecursionError) as error:
            raise PaperError(f"paper/{name} is not a TOML file in UTF-8: {error}.") from None

    def fail(self, field: str, given: Any, allowed: str) -> NoReturn:
        got = quoted(given, 200)
        raise PaperError(f"{self.file}, {self.label}, field {named(field)}: got {got}; allowed: {allowed}.")

    def only(self, *fields: str) -> None:
        """Refuse a field nobody reads: it is a typing error."""
        for field in self.table:
            if field not in fields:
                guess = nearest(field, fields)
                self.fail(field, "an unknown field", (f"{guess} (nearest) of " if guess else "") + ", ".join(fields))

    def get(self, field: str, kind: type, allowed: str) -> Any:
        value = self.table.get(field)
        right = isinstance(value, (int, float) if kind is float else kind) and not isinstance(value, bool)
        if not right or value in ("", []) or (kind is float and not isfinite(value)):
            self.fail(field, value, allowed)
        return value

    def one_of(self, field: str, allowed: Iterable[str]) -> str:
        value = self.table.get(field)
        if not isinstance(value, str) or value not in allowed:
            self.fail(field, value, ", ".join(sorted(allowed)))
        return value

    def words(self, field: str, *, optional: bool = False) -> dict[str, str] | None:
        if optional and field not in self.table:
            return None
        return _bilingual(self, field, self.table.get(field))

    def names(self, field: str) -> tuple[str, ...]:
        value = self.table.get(field, [])
        if not isinstance(value, list) or not all(isinstance(name, str) and name for name in value):
            self.fail(field, value, "a list of ids")
        if len(set(value)) < len(value):
            self.fail(field, value, "each id once")
        return tuple(value)

    def inner(self, label: str, table: Any) -> Entry:
        if not isinstance(table, Mapping):
            self.fail(label, table, "a table")
        return Entry(self.file, label, table)


def _bilingual(entry: Entry, field: str, value: Any) -> dict[str, str]:
    languages = ("en", "zh")
    if not isinstance(value, Mapping) or set(value) != set(languages) or not all(
            isinstance(value[language], str) and value[language].strip() for language in languages):
        entry.fail(field, value, "a text in en and one in zh")
    return {language: value[language] for language in languages}


def load_claims(folder: str | Path | None = None) -> tuple[Claim, ...]:
    """Read and check the claims, in the order of the file.

    Parameters
    ----------
    folder : path, optional
        The folder that holds claims.toml and hypotheses.toml; by default ``paper/`` of this checkout.

    Raises
    ------
    PaperError
        When either file breaks its schema, or claims and hypotheses do not name each other.

    Examples
    --------
    >>> load_claims()[0].place["en"]
    '§1, par. 1, s. 1'
    """
    return _claims_and_hypotheses(folder)[0]


def load_hypotheses(folder: str | Path | None = None) -> tuple[Hypothesis, ...]:
    """Read and check the hypotheses, in the order of the file; parameters and errors as in :func:`load_claims`.

    Examples
    --------
    >>> load_hypotheses()[0].kinds
    ('official statistic',)
    """
    return _claims_and_hypotheses(folder)[1]


def load_rules(folder: str | Path | None = None) -> Rules:
    """Read and check the decision rules; parameters and errors as in :func:`load_claims`.

    Examples
    --------
    >>> load_rules().families["matching"].correction
    'holm'
    """
    return _rules(Entry.read(folder, "hypotheses.toml"))


def summary(items: Iterable[Claim] | Iterable[Hypothesis]) -> pd.DataFrame:
    """Return a tidy frame, one row a claim or a hypothesis, bilingual texts as {"en", "zh"}."""
    import pandas as pd  # heavy: only where a table is wanted

    return pd.DataFrame([_claim_row(item) if isinstance(item, Claim) else _hypothesis_row(item) for item in items])


def _claim_row(claim: Claim) -> dict[str, Any]:
    return {"id": claim.id, "section": claim.section, "place": claim.place,
            "kind": {"en": claim.kind, "zh": KINDS[claim.kind]}, "text": claim.text,
            "hypotheses": ", ".join(claim.hypotheses), "untested": claim.untested}


def _hypothesis_row(hypothesis: Hypothesis) -> dict[str, Any]:
    return {"id": hypothesis.id, "claims": ", ".join(hypothesis.claims), "statement": hypothesis.statement,
            "null": hypothesis.null, "design": hypothesis.design, "data": ", ".join(d.name for d in hypothesis.data),
            "kinds": _joined(hypothesis.kinds, EVIDENCE),
            "grades": _joined(dict.fromkeys(d.grade for d in hypothesis.data), GRADES),
            "family": hypothesis.family.name, "part": PARTS[hypothesis.part],
            "exploratory": hypothesis.known is not None, "reason": hypothesis.reason}


def _joined(keys: Iterable[str], chinese: Mapping[str, str]) -> dict[str, str]:
    keys = list(keys)
    return {"en": ", ".join(keys) or "none", "zh": "、".join(chinese[key] for key in keys) or "无"}


def _claims_and_hypotheses(folder: str | Path | None) -> tuple[tuple[Claim, ...], tuple[Hypothesis, ...]]:
    """Return claims and hypotheses, checked one by one and against each other."""
    claim_file, hypothesis_file = Entry.read(folder, "claims.toml"), Entry.read(folder, "hypotheses.toml")
    claim_file.only("claim")
    rules = _rules(hypothesis_file)
    claims = tuple(_claim(entry) for entry in _entries(claim_file, "claim", "C"))
    hypotheses = tuple(_hypothesis(entry, rules) for entry in _entries(hypothesis_file, "hypothesis", "H"))
    _check_links(claim_file.file, claims, "hypotheses", hypotheses, "claims")
    _check_links(hypothesis_file.file, hypotheses, "claims", claims, "hypotheses")
    return claims, hypotheses


def _entries(file: Entry, key: str, letter: str) -> list[Entry]:
    """Return the entries of one file under their ids: a letter and two digits, each once."""
    tables = file.table.get(key)
    if not isinstance(tables, list) or not tables:
        file.fail(key, tables, f"at least one [[{key}]]")
    entries, seen = [], set()
    for number, table in enumerate(tables, start=1):
        entry = file.inner(f"{key} {number}", table)
        name = entry.table.get("id")
        well_formed = isinstance(name, str) and len(name) == 3 and name[0] == letter and name[1:].isdecimal()
        if not well_formed or name in seen:
            entry.fail("id", name, f"{letter} and two digits, each id once")
        seen.add(name)
        entries.append(file.inner(name, table))
    return entries


def _claim(entry: Entry) -> Claim:
    entry.only("id", "section", "paragraph", "sentence", "kind", "en", "zh", "hypotheses", "untested")
    hypotheses, untested = entry.names("hypotheses"), entry.words("untested", optional=True)
    if bool(hypotheses) == bool(untested):
        entry.fail("hypotheses", list(hypotheses), "either hypotheses, or untested with its reason")
    return Claim(entry.label, entry.one_of("section", SECTIONS), _count(entry, "paragraph"), _count(entry, "sentence"),
                 entry.one_of("kind", KINDS), _text(entry), hypotheses, untested)


def _count(entry: Entry, field: str) -> int:
    value = entry.get(field, int, "a whole number from 1")
    if value < 1:
        entry.fail(field, value, "a whole number from 1")
    return value


def _hypothesis(entry: Entry, rules: Rules) -> Hypothesis:
    entry.only("id", "claims", "statement", "null", "direction", "smallest_effect", "rule", "data", "family", "design",
               "part", "known", "reason")
    hypothesis = Hypothesis(
        id=entry.label, claims=entry.names("claims"), statement=entry.words("statement"), null=entry.words("null"),
        direction=entry.one_of("direction", DIRECTIONS), data=_evidence(entry),
        family=rules.families[entry.one_of("family", rules.families)], design=entry.words("design"),
        part=entry.one_of("part", PARTS), smallest_effect=_smallest_effect(entry, rules), rule=_number_rule(entry),
        known=entry.words("known", optional=True), reason=entry.words("reason", optional=True))
    _check_test(entry, hypothesis)
    return hypothesis


def _check_test(entry: Entry, hypothesis: Hypothesis) -> None:
    """See that a hypothesis names what its kind of evidence needs to be decided."""
    if hypothesis.testable == (hypothesis.reason is not None):
        entry.fail("reason", hypothesis.reason, "a reason if and only if no data set is direct or a proxy")
    if not hypothesis.testable:
        return
    classes = {CLASSES[kind] for kind in hypothesis.kinds}
    people, number, model = classes & {"people", "synthetic"}, "number" in classes, "model" in classes
    if bool(people) + number + model > 1:
        entry.fail("data", list(hypothesis.kinds), "numbers, data about people or a model, not a mixture")
    if people and (hypothesis.smallest_effect is None or hypothesis.family.alpha is None):
        entry.fail("smallest_effect", entry.table.get("smallest_effect"), "one of the list, in a family with an alpha")
    if number != (hypothesis.rule is not None):
        entry.fail("rule", entry.table.get("rule"), "a rule for a number, none for anything else")
    if model != (hypothesis.direction == "holds"):
        entry.fail("direction", hypothesis.direction, "holds for a model, another for anything else")


def _evidence(entry: Entry) -> tuple[Evidence, ...]:
    tables = entry.table.get("data")
    if not isinstance(tables, list):
        entry.fail("data", tables, "a list of {name, evidence, grade}, empty where no data were found")
    sets = [entry.inner(f"{entry.label}, data {number}", table) for number, table in enumerate(tables, start=1)]
    for data in sets:
        data.only("name", "evidence", "grade")
    return tuple(Evidence(data.get("name", str, "a name"), data.one_of("evidence", EVIDENCE),
                          data.one_of("grade", GRADES)) for data in sets)


def _smallest_effect(entry: Entry, rules: Rules) -> SmallestEffect | None:
    if "smallest_effect" not in entry.table:
        return None
    return rules.smallest_effects[entry.one_of("smallest_effect", rules.smallest_effects)]


def _number_rule(entry: Entry) -> NumberRule | None:
    if "rule" not in entry.table:
        return None
    rule = entry.inner(f"{entry.label}, rule", entry.table["rule"])
    rule.only("compare", "value", "unit", "source")
    return NumberRule(rule.one_of("compare", COMPARISONS), float(rule.get("value", float, "a number")),
                      rule.words("unit"), rule.words("source"))


def _rules(file: Entry) -> Rules:
    file.only("rules", "smallest_effects", "families", "hypothesis")
    rules = file.inner("rules", file.table.get("rules"))
    rules.only("alpha", "equivalence_level", "text")
    texts = rules.get("text", list, "at least one [[rules.text]]")
    alpha, level = _probability(rules, "alpha"), _probability(rules, "equivalence_level")
    if abs(level - (1 - 2 * alpha)) > 1e-12:
        rules.fail("equivalence_level", level, f"{1 - 2 * alpha:g}: two one-sided tests at alpha each")
    effects = file.inner("smallest_effects", file.table.get("smallest_effects"))
    families = file.inner("families", file.table.get("families"))
    return Rules(
        alpha=alpha, equivalence_level=level,
        text=tuple(_rule_text(rules.inner(f"rules, text {number}", text)) for number, text in enumerate(texts, 1)),
        families={name: _family(families.inner(f"family {name}", table), name)
                  for name, table in families.table.items()},
        smallest_effects={name: _effect(effects.inner(f"smallest effect {name}", table))
                          for name, table in effects.table.items()})


def _rule_text(entry: Entry) -> tuple[str, dict[str, str]]:
    entry.only("id", "en", "zh")
    return entry.get("id", str, "a name"), _text(entry)


def _text(entry: Entry) -> dict[str, str]:
    """Return the languages that stand as fields of the entry itself."""
    return _bilingual(entry, "en and zh", {language: entry.table.get(language) for language in ("en", "zh")})


def _probability(entry: Entry, field: str) -> float:
    value = float(entry.get(field, float, "a number between 0 and 1"))
    if not 0 < value < 1:
        entry.fail(field, value, "a number between 0 and 1")
    return value


def _family(entry: Entry, name: str) -> Family:
    entry.only("en", "zh", "alpha", "correction")
    alpha = _probability(entry, "alpha") if "alpha" in entry.table else None
    return Family(name, _text(entry), alpha, entry.one_of("correction", CORRECTIONS))


def _effect(entry: Entry) -> SmallestEffect:
    entry.only("value", "unit", "source")
    value = float(entry.get("value", float, "a number above 0"))
    if not value > 0:
        entry.fail("value", value, "a number above 0")
    return SmallestEffect(value, entry.words("unit"), entry.words("source"))


def _check_links(file: str, items: Iterable[Any], field: str, others: Iterable[Any], back: str) -> None:
    """See that what an item names exists and names it back."""
    known = {other.id: getattr(other, back) for other in others}
    for item in items:
        entry = Entry(file, item.id, {})
        for name in getattr(item, field):
            if name not in known:
                entry.fail(field, name, f"an id of the other file, {min(known)} to {max(known)}")
            if item.id not in known[name]:
                entry.fail(field, name, f"an entry whose {back} name {item.id}; {name} names {list(known[name])}")
