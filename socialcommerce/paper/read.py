"""Read claims.toml and hypotheses.toml and check them: every error names file, entry, field, given and allowed."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from nbproof import Catalogue, catalogue, listed, read_bytes
from nbproof.shapes import TABLE, TEXT, Field, check, fault, one_of
from socialcommerce.errors import PaperError, named
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


@lru_cache(maxsize=8)
def _parsed(text: str) -> dict[str, Any]:
    """Return what a toml file holds; the same text is parsed once, as a calibration reads it thousands of times."""
    return tomllib.loads(text)


def _read(folder: str | Path | None, name: str) -> tuple[str, dict[str, Any]]:
    """Return what messages call a file, and its tables."""
    path = (Path(folder) if folder is not None else root() / "paper") / name
    if not path.exists():
        raise PaperError(f"paper/{name} is missing; looked for it in {path.parent}.")
    raw = read_bytes(path, PaperError)
    try:
        return f"paper/{name}", _parsed(raw.decode())
    except (ValueError, RecursionError) as error:
        raise PaperError(f"paper/{name} is not a TOML file in UTF-8: {error}.") from None


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

    file, table = _read(folder, "coding.toml")
    check(PaperError, f"{file}, file", table, {"settled": SOME})
    codes = pd.read_csv(Path(folder or root() / "paper") / "coding.csv", keep_default_na=False)
    codes = codes.merge(_log(file, table["settled"], SETTLED), "left", ["item", "question"], validate="one_to_one")
    codes["code"] = codes["code"].fillna(codes["first"])
    return _read_here(codes, "paper/coding.csv")


def load_changes(folder: str | Path | None = None) -> pd.DataFrame:
    """Read what was changed of hypotheses: hypothesis, what, date, verdict before and after, and the reason.

    Examples
    --------
    >>> load_changes().query("hypothesis == 'H23'")["after"].to_list()
    ['not testable']
    """
    file, table = _read(folder, "changes.toml")
    check(PaperError, f"{file}, file", table, {"change": SOME})
    return _read_here(_log(file, table["change"], CHANGE), file)


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


def _log(file: str, entries: list[Any], fields: Mapping[str, Field]) -> pd.DataFrame:
    import pandas as pd

    rows = [check(PaperError, f"{file}, entry {number}", one, fields) for number, one in enumerate(entries, 1)]
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

    rows = [_claim_row(item) if isinstance(item, Claim) else _hypothesis_row(item) for item in items]
    return _read_here(pd.DataFrame(rows), SOURCE)


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


def _claim_row(claim: Claim) -> dict[str, Any]:
    own = {name: getattr(claim, name) for name in ("id", "section", "place", "kind")}
    more = {"hypotheses": listed(claim.hypotheses), "untested": _english(claim.untested)}
    return own | {"text": claim.text["en"]} | more


def _hypothesis_row(hypothesis: Hypothesis) -> dict[str, Any]:
    grades = [data.grade for data in hypothesis.data if terms.CLASSES[data.kind] in ("number", "people")]
    row = {name: getattr(hypothesis, name) for name in ("id", "step", "direction", "testable", "part")}
    row |= {name: _english(getattr(hypothesis, name)) for name in ("short", "statement", "added", "design", "reason")}
    return row | {
        "claims": listed(hypothesis.claims),
        "data": ", ".join(data.name for data in hypothesis.data),
        "evidence": next(iter(hypothesis.kinds), "none"),
        "grade": max(grades, key=terms.GRADES.index, default="none"),
        "family": hypothesis.family.name["en"],
        "exploratory": hypothesis.known is not None,
    }


def _english(words: Mapping[str, str] | None) -> str | None:
    return words["en"] if words else None


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
    if (hypothesis.step == "extension") != (hypothesis.added is not None):
        _fail(f"{where}, field added", hypothesis.added, "what an extension adds to its sentence, and nothing else")
    _check_test(where, table, hypothesis)
    return hypothesis


def _check_test(where: str, table: Mapping[str, Any], hypothesis: Hypothesis) -> None:
    """See that a hypothesis names what its kind of evidence needs to be decided."""
    if hypothesis.testable == (hypothesis.reason is not None):
        _fail(f"{where}, field reason", hypothesis.reason, "a reason if and only if no data set is direct or a proxy")
    if not hypothesis.testable:
        return
    classes = {terms.CLASSES[kind] for kind in hypothesis.kinds}
    people, number, model = classes & {"people", "synthetic"}, "number" in classes, "model" in classes
    if bool(people) + number + model > 1:
        _fail(f"{where}, field data", list(hypothesis.kinds), "numbers, data about people or a model, not a mixture")
    if people and (hypothesis.smallest_effect is None or hypothesis.family.alpha is None):
        given = table.get("smallest_effect")
        _fail(f"{where}, field smallest_effect", given, "one of the list, in a family with an alpha")
    if number != (hypothesis.rule is not None):
        _fail(f"{where}, field rule", table.get("rule"), "a rule for a number, none for anything else")
    if model != (hypothesis.direction == "holds"):
        _fail(f"{where}, field direction", hypothesis.direction, "holds for a model, another for anything else")


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
