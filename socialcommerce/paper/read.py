"""Read claims.toml and hypotheses.toml and check them: every error names file, entry, field, given and allowed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from nbproof import Catalogue, catalogue, listed, named, read_toml
from nbproof.shapes import TABLE, TEXT, Field, check, fault, one_of
from socialcommerce.errors import PaperError
from socialcommerce.paper import terms
from socialcommerce.paper.terms import BOTH, LANGUAGES, WORDS, Claim, Family, Hypothesis, Rules, SmallestEffect
from socialcommerce.project import record, root

if TYPE_CHECKING:
    import pandas as pd

SOURCE = "Xiao (2024), read sentence by sentence"

__all__ = [
    "load_changes",
    "load_claims",
    "load_coding",
    "load_hypotheses",
    "load_rules",
    "load_steps",
    "summary",
    "translations",
    "vocabulary",
]


SOME = Field(lambda value: isinstance(value, list) and value, "one or more")
ENTRY = {"id": TEXT, **BOTH}
SETTLED = {"item": TEXT, "question": one_of(terms.QUESTIONS), "code": TEXT, "reason": WORDS}
CHANGE = {"hypothesis": TEXT, "what": one_of(terms.CHANGES), "reason": WORDS}
CHANGE |= dict.fromkeys(("date", "before", "after"), TEXT)
# what a summary shows
CLAIM = ("id", "section", "place", "kind", "text", "hypotheses", "untested")
HYPOTHESIS = (
    "id",
    "step",
    "direction",
    "testable",
    "part",
    "short",
    "statement",
    "added",
    "design",
    "reason",
    "claims",
)


@lru_cache(maxsize=16)
def _parsed(path: Path, stamp: int) -> dict[str, Any]:
    """Return what a toml file holds; read anew only where it changed, as a calibration asks thousands of times."""
    return read_toml(path, PaperError)


def _read(folder: str | Path | None, name: str) -> tuple[str, dict[str, Any]]:
    """Return what messages call a file, and its tables."""
    path = Path(folder or root() / "paper") / name
    return f"paper/{name}", _parsed(path, path.stat().st_mtime_ns if path.exists() else 0)


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
    >>> load_claims()[0].place
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
    return _rules(*_read(folder, "hypotheses.toml"))


def load_coding(folder: str | Path | None = None) -> pd.DataFrame:
    """Read how claims and hypotheses were coded twice: item, question, first, second, code (as settled) and reason.

    Parameters and errors are those of :func:`load_claims`.

    Examples
    --------
    >>> load_coding().query("item == 'H33' and question == 'step'")[["first", "second", "code"]].iloc[0].to_list()
    ['extension', 'stated', 'stated']
    """
    import pandas as pd  # heavy: only where a table is wanted

    codes = pd.read_csv(Path(folder or root() / "paper") / "coding.csv", keep_default_na=False)
    settled = _log(folder, "coding.toml", "settled", SETTLED)
    codes = codes.merge(settled, "left", ["item", "question"], validate="one_to_one")
    codes["code"] = codes["code"].fillna(codes["first"])
    return _read_here(codes, "paper/coding.csv")


def load_changes(folder: str | Path | None = None) -> pd.DataFrame:
    """Read what was changed of hypotheses: hypothesis, what, date, verdict before and after, and the reason.

    Examples
    --------
    >>> load_changes().query("hypothesis == 'H23'")["after"].to_list()
    ['not testable']
    """
    return _read_here(_log(folder, "changes.toml", "change", CHANGE), "paper/changes.toml")


def load_steps(folder: str | Path | None = None) -> pd.DataFrame:
    """Read how each hypothesis follows from each claim it is named for: hypothesis, claim, why.

    Raises
    ------
    PaperError
        Also where a pair of a hypothesis and a claim is missing, or one too many.

    Examples
    --------
    >>> load_steps().query("hypothesis == 'H01'")["why"].item()
    'The sentence gives the number and its source; we look the number up there.'
    """
    import pandas as pd

    file, table = _read(folder, "steps.toml")
    pairs = {(one.id, claim) for one in load_hypotheses(folder) for claim in one.claims}
    given = {
        (name, claim): check(PaperError, f"{file}, {name}, {claim}", said, BOTH)
        for name, by in table.items()
        for claim, said in by.items()
    }
    if wrong := sorted(pairs ^ {*given}):
        _fail(f"{file}, {wrong[0][0]}", wrong[0][1], "one sentence for every claim of a hypothesis, and no other")
    rows = [{"hypothesis": name, "claim": claim, "why": said["en"]} for (name, claim), said in given.items()]
    return _read_here(pd.DataFrame(rows), file)


def _read_here(frame: pd.DataFrame, source: str) -> pd.DataFrame:
    frame.attrs = {"basis": "reading of the paper", "source": source}
    return frame


def _log(folder: str | Path | None, name: str, key: str, fields: Mapping[str, Field]) -> pd.DataFrame:
    """Return the entries of a file as rows, their reason in English."""
    import pandas as pd

    file, table = _read(folder, name)
    entries = enumerate(check(PaperError, f"{file}, file", table, {key: SOME})[key], 1)
    rows = [check(PaperError, f"{file}, entry {number}", one, fields) for number, one in entries]
    return pd.DataFrame([row | {"reason": row["reason"]["en"]} for row in rows])


def summary(items: Iterable[Claim] | Iterable[Hypothesis]) -> pd.DataFrame:
    """Return a tidy frame in English, a row each of the claims or hypotheses; :func:`translations` has the Chinese.

    Examples
    --------
    >>> claims = summary(load_claims())
    >>> claims.loc[claims["kind"] == "number", "id"].to_list()
    ['C01', 'C02', 'C22']
    """
    import pandas as pd  # heavy: only where a table is wanted

    return _read_here(pd.DataFrame([_row(item) for item in items]), SOURCE)


def translations(folder: str | Path | None = None) -> dict[str, str]:
    """Return the Chinese of every English text of ``paper/``; parameters as of `load_claims`.

    Examples
    --------
    >>> len(translations()["penetration rate"])
    6
    """
    names = ("claims", "hypotheses", "coding", "changes", "forms", "strategies", "steps")
    files = (_read(folder, f"{name}.toml")[1] for name in names)
    return dict(pair for file in files for pair in _pairs(file))


@cache
def vocabulary(name: str, language: str) -> Catalogue:
    """Return a notebook's catalogue, with the Chinese that claims and hypotheses bring along.

    Parameters
    ----------
    name : str
        The notebook's name, or ``"common"`` for what all notebooks share.
    language : {"en", "zh"}
        To translate into.
    """
    found = catalogue(name, language)
    if language == "zh":
        found |= {english: chinese for english, chinese in translations().items() if english not in found}
    return found


def _pairs(table: Any) -> Iterator[tuple[str, str]]:
    if isinstance(table, Mapping) and {*LANGUAGES} <= table.keys():
        yield table["en"], table["zh"]
    inner = table.values() if isinstance(table, Mapping) else table if isinstance(table, list) else ()
    for each in inner:
        yield from _pairs(each)


def _row(item: Claim | Hypothesis) -> dict[str, Any]:
    """Return fields of a claim or hypothesis: texts in English, names in one text, of data what they are."""
    row = {name: getattr(item, name) for name in (CLAIM if isinstance(item, Claim) else HYPOTHESIS)}
    row |= {name: text["en"] for name, text in row.items() if isinstance(text, Mapping)}
    row |= {name: listed(row[name]) for name in ("claims", "hypotheses") if name in row}
    if isinstance(item, Claim):
        return row
    grades = [data.grade for data in item.data if terms.CLASSES[data.kind] in ("number", "people")]
    return row | {
        "data": ", ".join(data.name for data in item.data),
        "evidence": next(iter(item.kinds), "none"),
        "grade": max(grades, key=terms.GRADES.index, default="none"),
        "family": item.family.name["en"],
        "exploratory": item.known is not None,
    }


def _claims_and_hypotheses(folder: str | Path | None) -> tuple[tuple[Claim, ...], tuple[Hypothesis, ...]]:
    """Return claims and hypotheses, checked one by one and against each other."""
    (claim_file, stated), (hypothesis_file, asked) = _read(folder, "claims.toml"), _read(folder, "hypotheses.toml")
    check(PaperError, f"{claim_file}, file", stated, {"claim": SOME})
    rules = _rules(hypothesis_file, asked)
    claims = tuple(_claim(claim_file, *entry) for entry in _entries(claim_file, stated["claim"], "claim", "C"))
    hypotheses = tuple(
        _hypothesis(hypothesis_file, *entry, rules)
        for entry in _entries(hypothesis_file, asked["hypothesis"], "hypothesis", "H")
    )
    _check_links(claim_file, claims, "hypotheses", hypotheses, "claims")
    _check_links(hypothesis_file, hypotheses, "claims", claims, "hypotheses")
    return claims, hypotheses


def _entries(file: str, tables: list[Any], key: str, letter: str) -> Iterator[tuple[str, Any]]:
    """Yield the entries of one file after their ids: a letter and two digits, each once."""
    seen = set()
    for number, table in enumerate(tables, start=1):
        where = f"{file}, {key} {number}"
        name = table.get("id") if isinstance(table, dict) else _fail(where, table, TABLE.allowed)
        if not isinstance(name, str) or not re.fullmatch(rf"{letter}[0-9]{{2}}", name) or name in seen:
            _fail(f"{where}, field id", name, f"{letter} and two digits, each id once")
        seen.add(name)
        yield name, table


def _fail(where: str, given: object, allowed: str) -> NoReturn:
    raise fault(PaperError, where, given, allowed)


def _claim(file: str, name: str, table: Any) -> Claim:
    claim = record(Claim, PaperError, f"{file}, {name}", table, BOTH, text=_both)
    if bool(claim.hypotheses) == bool(claim.untested):
        where, given = f"{file}, {name}, field hypotheses", list(claim.hypotheses)
        _fail(where, given, "either hypotheses, or untested with its reason")
    return claim


def _both(table: Mapping[str, Any]) -> dict[str, str]:
    return {language: table[language] for language in LANGUAGES}


def _hypothesis(file: str, name: str, table: Any, rules: Rules) -> Hypothesis:
    where, families, effects = f"{file}, {name}", rules.families, rules.smallest_effects
    hypothesis = record(
        Hypothesis,
        PaperError,
        where,
        table,
        {"family": one_of(families), "smallest_effect": one_of(effects)},
        family=lambda given: families[given["family"]],
        smallest_effect=lambda given: effects.get(given.get("smallest_effect")),
    )
    _check_test(where, table, hypothesis)
    return hypothesis


def _check_test(where: str, table: Mapping[str, Any], one: Hypothesis) -> None:
    """See that a hypothesis names what its kind of evidence needs to be decided."""
    classes = {terms.CLASSES[kind] for kind in one.kinds if one.testable}
    people, number, model = bool(classes & {"people", "synthetic"}), "number" in classes, "model" in classes
    sized = one.smallest_effect is not None and one.family.alpha is not None
    for wrong, field, allowed in (
        ((one.step == "extension") != bool(one.added), "added", "what an extension adds to its sentence, else nothing"),
        (one.testable == bool(one.reason), "reason", "a reason if and only if no data set is direct or a proxy"),
        (people + number + model > 1, "data", "numbers, data about people or a model, not a mixture"),
        (people and not sized, "smallest_effect", "one of the list, in a family with an alpha"),
        (one.testable and number != bool(one.rule), "rule", "a rule for a number, none for anything else"),
        (one.testable and model != (one.direction == "holds"), "direction", "holds for a model, another otherwise"),
    ):
        if wrong:
            _fail(f"{where}, field {field}", table.get(field), allowed)


def _rules(file: str, table: dict[str, Any]) -> Rules:
    whole = {"rules": TABLE, "smallest_effects": TABLE, "families": TABLE, "hypothesis": SOME}
    check(PaperError, f"{file}, file", table, whole)
    rules = record(
        Rules,
        PaperError,
        f"{file}, rules",
        table["rules"],
        {"text": SOME},
        text=lambda given: tuple(
            (check(PaperError, f"{file}, rules, text {number}", one, ENTRY)["id"], _both(one))
            for number, one in enumerate(given["text"], 1)
        ),
        families=lambda _: {
            name: record(Family, PaperError, f"{file}, family {named(name)}", one, BOTH, id=name, name=_both)
            for name, one in table["families"].items()
        },
        smallest_effects=lambda _: {
            name: record(SmallestEffect, PaperError, f"{file}, smallest effect {named(name)}", one)
            for name, one in table["smallest_effects"].items()
        },
    )
    level, due = rules.equivalence_level, 1 - 2 * rules.alpha
    if abs(level - due) > 1e-12:
        _fail(f"{file}, rules, field equivalence_level", level, f"{due:g}: two one-sided tests at alpha each")
    return rules


def _check_links(file: str, items: Iterable[Any], field: str, others: Iterable[Any], back: str) -> None:
    """See that what an item names exists and names it back."""
    known = {other.id: getattr(other, back) for other in others}
    for item in items:
        where = f"{file}, {item.id}, field {field}"
        for name in getattr(item, field):
            if name not in known:
                _fail(where, name, f"an id of the other file, {min(known)} to {max(known)}")
            if item.id not in known[name]:
                _fail(where, name, f"an entry whose {back} name {item.id}; {name} names {list(known[name])}")
