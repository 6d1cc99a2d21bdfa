"""The numbers of a report: written alike everywhere, collected from an executed notebook, kept as JSON, compared."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nbproof.errors import NotebookError
from nbproof.look import words

SIGNIFICANT = 12  # digits on which linear algebra of different processors agrees, some three short of a double's
NUMERAL = re.compile(  # not the 15 of H15, which is a name
    r"(?<![A-Za-z\u0370-\u03ff\d_])[+−-]?\d+(?:,\d{3})*(?:\.\d+)?"
)


def snap(value: float) -> float:
    """Round to 12 significant digits, so that what processors compute differently in the last bits is one number.

    Ties then fall the same way everywhere: 0.55449999999999999 and 0.55450000000000002 are both 0.5545.

    Examples
    --------
    >>> snap(0.1 + 0.2), snap(2), snap(float("inf"))
    (0.3, 2.0, inf)
    """
    return float(f"{value:.{SIGNIFICANT}g}")


def format_number(value: float, digits: int) -> str:
    """Write a number as the reports print it: thousands separated, a true minus sign, a fixed number of decimals.

    Examples
    --------
    >>> format_number(34165.8, 1), format_number(-0.25, 2), format_number(-0.001, 1)
    ('34,165.8', '−0.25', '0.0')
    """
    text = f"{snap(value):,.{digits}f}"
    if not text.strip("-0.,"):
        text = text.lstrip("-")
    return text.replace("-", "−")


def reported(value: float, digits: int) -> float:
    """Round to one digit beyond those printed, or to as many more as it takes to print the same.

    Examples
    --------
    >>> reported(0.55449, 2), reported(0.7849, 2), reported(34165.8, 1)
    (0.554, 0.7849, 34165.8)
    """
    value = snap(value)
    rounded = (round(value, digits + more) for more in range(1, SIGNIFICANT))
    return next((near for near in rounded if format_number(near, digits) == format_number(value, digits)), value) + 0.0


def numerals(text: str) -> tuple[str, tuple[tuple[float, int], ...]]:
    """Take a text apart: its words, with ``#`` for each numeral, and the numerals as (value, decimals).

    Examples
    --------
    >>> numerals("H15 rose by −1,250.5 in 2023")
    ('H15 rose by # in #', ((-1250.5, 1), (2023.0, 0)))
    """
    found = NUMERAL.findall(text)
    values = (float(each.replace(",", "").replace("−", "-")) for each in found)
    decimals = (len(each.partition(".")[2]) for each in found)
    return NUMERAL.sub("#", text), tuple(zip(values, decimals, strict=True))


def text_table(rows: Sequence[Sequence[str]], fill: Callable[[str, int], str] = str.ljust) -> str:
    """Lay rows of cells out in columns, filled up by spaces to their widest cell.

    Examples
    --------
    >>> print(text_table([["name", "n"], ["H1", "12"]]))
    name  n
    H1    12
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(fill, row, widths)).rstrip() for row in rows)


NUMBER = ("value", "digits", "tolerance", "basis")
MIME = "application/vnd.nbproof+json"
LANGUAGES = "NBPROOF_LANGUAGES"  # the variable that tells a notebook which languages its builder wants


@dataclass(frozen=True)
class Drift:
    """One number that is not what it was."""

    notebook: str
    where: str
    committed: Any
    found: Any
    allowed: Any


def payloads(notebook: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield what ``nbproof.Page`` left in the outputs of an executed notebook, in order."""
    for cell in notebook["cells"]:
        for output in cell.get("outputs", ()):
            if MIME in output.get("data", {}):
                yield output["data"][MIME]


def collect(notebook: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Gather a notebook's results.

    Returns
    -------
    dict
        ``numbers`` (value, digits, tolerance, basis), ``texts`` (words by language) and ``tables``
        (columns, digits, tolerances, rows), each by name in order of appearance.

    Raises
    ------
    NotebookError
        When a name has two values, or a figure or table has a number's.
    """
    found: dict[str, Any] = {"notebook": name, "numbers": {}, "texts": {}, "tables": {}}
    for payload in map(dict, payloads(notebook)):
        kind, key = payload["kind"], payload.get("name", "")
        if kind == "say":
            for group in ("numbers", "texts"):
                for key, told in payload[group].items():
                    value = {part: told[part] for part in NUMBER} if group == "numbers" else told
                    before = found[group].setdefault(key, value)
                    if any(before[part] != value[part] for part in before if part != "basis"):
                        raise NotebookError(
                            f"{name}: {key} is {before} in one sentence and {value} in another; one "
                            "name has one value, so give one of them another name."
                        )
        elif kind == "table":
            digits = payload["digits"]
            tolerance = {column: 10.0**-decimals / 10 for column, decimals in digits.items()}
            kept = {"columns": payload["columns"], "digits": digits, "tolerance": tolerance, "rows": payload["values"]}
            found["tables"][key] = kept
    floats = {payload["name"] for payload in payloads(notebook) if payload["kind"] in ("figure", "table")}
    if both := floats & {*found["numbers"], *found["texts"]}:
        raise NotebookError(
            f"{name}: {min(both)} names a figure or table and a number too; give one of them another name."
        )
    return found


def as_text(results: Mapping[str, Any]) -> str:
    """Write results as JSON that reads well in a diff: one number, one text, one table row a line."""

    def one(value: Any) -> str:
        return json.dumps(value, ensure_ascii=False)

    def block(entries: Mapping[str, Any], write: Callable[[Any], str]) -> str:
        lines = ",\n".join(f"    {one(key)}: {write(value)}" for key, value in entries.items())
        return f"{{\n{lines}\n  }}" if entries else "{}"

    def table(entry: Mapping[str, Any]) -> str:
        rows = ",\n".join(f"        {one(row)}" for row in entry["rows"])
        head = ", ".join(f"{one(key)}: {one(value)}" for key, value in entry.items() if key != "rows")
        return f'{{{head},\n      "rows": [\n{rows}\n      ]}}'

    parts = {key: block(results[key], table if key == "tables" else one) for key in ("numbers", "texts", "tables")}
    told = ",\n".join(f'  "{key}": {part}' for key, part in {"notebook": one(results["notebook"]), **parts}.items())
    return f"{{\n{told}\n}}\n"


def compare(committed: Mapping[str, Any], found: Mapping[str, Any]) -> list[Drift]:
    """List everything in which two results differ by more than the tolerance kept beside the committed number."""
    name = found["notebook"]
    drifts = [
        Drift(name, f"file, {key}", committed.get(key), found.get(key), "the same")
        for key in dict.fromkeys([*committed, *found])
        if key not in ("numbers", "texts", "tables") and committed.get(key) != found.get(key)
    ]
    for kind, entries in (("numbers", _number), ("texts", _text), ("tables", _table)):
        old, new = committed.get(kind, {}), found.get(kind, {})
        if not isinstance(old, Mapping):
            drifts.append(Drift(name, f"file, {kind}", old, "entries by name", "entries by name"))
            continue
        for key in dict.fromkeys([*old, *new]):
            if key not in new or key not in old:
                was, now_is = ("present" if key in each else "absent" for each in (old, new))
                drifts.append(Drift(name, f"{kind[:-1]} {key}", was, now_is, "in both"))
            else:
                try:
                    drifts += list(entries(name, key, old[key], new[key]))
                except (KeyError, TypeError, ValueError, AttributeError, OverflowError):  # somebody broke its form
                    drifts.append(Drift(name, f"{kind[:-1]} {key}", old[key], new[key], "an entry of this form"))
    return drifts


def _number(name: str, key: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Drift]:
    for what in dict.fromkeys([*old, *new]):
        if what != "value" and old.get(what) != new.get(what):
            yield Drift(name, f"number {key}, {what}", old.get(what), new.get(what), "the same")
    digits, tolerance = old.get("digits", 0), old.get("tolerance", 0)
    tolerance = min(tolerance, 0.49 * 10.0**-digits)
    if not _close(old["value"], new["value"], tolerance, digits):
        yield Drift(name, f"number {key}, value", old["value"], new["value"], f"± {tolerance:g}")


def _text(name: str, key: str, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Drift]:
    for language in dict.fromkeys([*old, *new]):
        if not _same(old[language], new[language]):
            yield Drift(name, f"text {key} ({language})", old[language], new[language], "the same words and numbers")


def _table(name: str, key: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Drift]:
    was, now_is = ((table["columns"], len(table["rows"]), table["digits"], table["tolerance"]) for table in (old, new))
    if was != now_is:
        yield Drift(name, f"table {key}", was, now_is, "the same columns, digits, tolerances and number of rows")
        return
    for line, (before, now) in enumerate(zip(old["rows"], new["rows"], strict=True), 1):
        for column, a, b in zip(old["columns"], before, now, strict=True):
            tolerance = old["tolerance"].get(column)
            if not _same(a, b, old["digits"].get(column), tolerance):
                allowed = f"± {tolerance:g}" if isinstance(a, float) and tolerance else "the same"
                yield Drift(name, f"table {key}, row {line}, {column}", a, b, allowed)


def _same(a: Any, b: Any, digits: int | None = None, tolerance: float | None = None) -> bool:
    """Compare numbers as numbers; of a text the words word for word, and the numerals in it as numbers."""
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return a.keys() == b.keys() and all(_same(a[key], b[key]) for key in a)
    if isinstance(a, str) and isinstance(b, str):
        (words, ours), (others, theirs) = numerals(a), numerals(b)
        return words == others and all(
            d == e and _close(v, w, 10.0**-d / 10, d) for (v, d), (w, e) in zip(ours, theirs, strict=True)
        )
    numbers = isinstance(a, int | float) and isinstance(b, int | float) and not isinstance(a, bool)
    if numbers and digits is not None and tolerance is not None and isinstance(a, float):
        return _close(a, b, tolerance, digits)
    return a == b


def _close(a: float, b: float, tolerance: float, digits: int) -> bool:
    """Compare kept decimals: binary fractions may put them a hair beyond the tolerance, but never half a digit."""
    hair = 1e-6 * tolerance + 1e-15 * abs(a) if tolerance else 0.0
    return a == b or abs(a - b) <= min(tolerance + hair, 0.49 * 10.0**-digits)


REFERENCE = re.compile(r"\{\{([^\W\d]\w*)\}\}")  # a name in what ``Page.say`` leaves, for what `printed` gives it


def printed(results: Mapping[str, Any], language: str) -> dict[str, str]:
    """Return what each number and text of some results prints in a language, by name."""
    numbers = {name: format_number(kept["value"], kept["digits"]) for name, kept in results["numbers"].items()}
    return {**numbers, **{name: said[language] for name, said in results["texts"].items()}}


def fill(text: str, known: Mapping[str, str]) -> str:
    """Replace every ``{{name}}`` in a plain text by what it prints."""
    return REFERENCE.sub(lambda match: known[match[1]], text)


def labels(notebook: Mapping[str, Any], language: str) -> dict[str, str]:
    """Number figures and tables in order of appearance, each kind for itself; return what they are called, by name."""
    found: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for payload in payloads(notebook):
        if payload.get("language") == language and payload["name"] not in found:
            counts[payload["kind"]] += 1
            found[payload["name"]] = words(language)[payload["kind"]].format(counts[payload["kind"]])
    return found
