"""The study's front page and its page of all claims, from what the reports left: their results and their figures."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from nbproof import Sheet, format_number, read_toml
from socialcommerce.figures import style
from socialcommerce.paper import load_hypotheses
from socialcommerce.verdicts import OUTCOMES, SIDES

__all__ = ["Told", "sheets"]

VERDICTS = "07_verdicts"
GROUPS = {
    "own": ("with", "undecided", "against"),
    "asked": ("asked_with", "asked_undecided", "asked_against"),
    "open": ("survey", "none"),
}
"""The rows of the picture of the evidence: what a claim comes to by what it says itself, by our further questions."""
WORST = ("against", "undecided", "with", "asked_against", "asked_undecided", "asked_with", "survey", "none")
KINDS = ("number", "direct", "proxy", "model", "survey", "none")
POINTS = {OUTCOMES[outcome]: side.split()[0] for side, outcomes in SIDES.items() for outcome in outcomes}
WORDS = read_toml(Path(__file__).with_name("front.toml"))
THUMBS: dict[str, list[str]] = WORDS["thumbs"]
FIELD = re.compile(r"\{\w+[.\[][^{}]*\}")  # of a report, a hypothesis or the counts; others are filled later
LETTERS = re.compile(
    r'<g style="[^"]*" transform="translate\([^)]*\)(?: rotate\([^)]*\))? scale\(0\.\d+ -0\.\d+\)">.*?</g>', re.DOTALL
)


@dataclass(frozen=True)
class Told:
    """What the reports in a folder left, in one language."""

    out: Path
    language: str

    @cached_property
    def said(self) -> dict[str, Any]:
        """The words of ``front.toml`` with the numbers in their places."""
        numbers = {name: self._named(name) for name in THUMBS} | self._hypotheses | {"claims": self.counts}
        return _filled(WORDS[self.language], numbers)

    @cached_property
    def claims(self) -> list[dict[str, Any]]:
        """Every claim with what it comes to, the kind of evidence that decides this, and its parts."""
        kinds = {row["id"]: row["kind"] for row in self._rows("00_claims", "all_claims")}
        return [self._claim(row, kinds[row["id"]]) for row in self._rows(VERDICTS, "all_claims")]

    @cached_property
    def counts(self) -> Counter[str]:
        """How many claims there are of each state, group and kind, and by each filter's choices."""
        counts = Counter({"all": len(self.claims)})
        for claim in self.claims:
            state, group = claim["state"], next(name for name, states in GROUPS.items() if claim["state"] in states)
            counts.update((state, group, f"{state} {claim['kind']}"))
            counts.update(f"{claim[key]} {key}" for key in ("section", "state", "kind", "field"))
        return counts

    def figure(self, report: str, name: str, prefix: str) -> str:
        """Return a built figure as it stands in a page."""
        drawn = (self.out / "figures" / report / f"{name}.{self.language}.svg").read_text(encoding="utf-8")
        return style.inline(drawn, prefix=prefix).replace('role="img"', 'aria-hidden="true"', 1)

    def thumb(self, report: str) -> str:
        """Return a part of a built figure without its letters."""
        name, box = THUMBS[report]
        drawn = LETTERS.sub("", self.figure(report, name, f"t{report[:2]}"))
        return re.sub(r'viewBox="[^"]*"', f'viewBox="{box}"', drawn, count=1) if box else drawn

    def _claim(self, row: Mapping[str, Any], kind: Mapping[str, str]) -> dict[str, Any]:
        names = [name for name in _say(row["hypotheses"] or "", "en").split(", ") if name]
        parts = [self._hypotheses[name] for name in names]
        telling = [part for part in parts if part["own"]] or parts
        state = min((part["state"] for part in telling), key=WORST.index, default="none")
        kinds = [part["kind"] for part in telling if part["state"] == state]
        return {
            "id": row["id"],
            **{name: self._say(row[name] or "") for name in ("text", "place", "reason", "shown")},
            "section": re.findall(r"[\d.]+", _say(row["place"], "en"))[0],
            "state": state,
            "kind": min(kinds, key=KINDS.index, default="none"),
            "field": kind["en"],
            "field_said": self._say(kind),
            "parts": sorted((self._part(part) for part in parts), key=lambda part: part["further"]),
            "address": self._address(row["shown"]),
        }

    def _part(self, row: Mapping[str, Any]) -> dict[str, Any]:
        words, state = WORDS[self.language], row["state"]
        if state == "survey":
            said, about = "", [words["waits"]]
        elif state == "none":
            said, about = self._say(self._stated[row["id"]].reason), []
        else:
            said, about = self._estimate(row, words), [self._say(row["outcome"]), self._say(row["evidence"])]
        return {
            "id": row["id"],
            "address": self._address(row["shown"]),
            "said": words["colon"].join(filter(None, (self._say(row["short"]), said))),
            "about": " · ".join([words["further"]] * (not row["own"]) + about),
            "further": not row["own"],
        }

    def _estimate(self, row: Mapping[str, Any], words: Mapping[str, str]) -> str:
        """An estimate with interval and unit, to three or so significant digits; of a model, the share of its draws."""
        if row["evidence"]["en"] == "model":
            return words["read"] if row["n"] == 1 else words["share"].format(share=row["estimate"], n=row["n"])
        size = abs(row["estimate"])
        digits = 3 if size < 1 else 2 if size < 100 else 0
        ends = [format_number(row[end], digits) for end in ("low", "high") if row[end] is not None]
        said = format_number(row["estimate"], digits) + (words["interval"].format(*ends) if ends else "")
        unit = self._say(row["unit"])
        said = words["unit"].format(said, f"({unit})" if unit[0].isdigit() else unit)
        rule = self._stated[row["id"]].rule
        return words["within"].format(said) if rule and rule.compare == "within" else said

    def _address(self, shown: Mapping[str, str]) -> str:
        return f"{self.language}/{shown['page']}.html#{shown['anchor']}"

    def _say(self, text: str | Mapping[str, str]) -> str:
        return _say(text, self.language)

    def _results(self, report: str) -> Any:
        return json.loads((self.out / "results" / f"{report}.json").read_text(encoding="utf-8"))

    def _rows(self, report: str, table: str) -> list[dict[str, Any]]:
        found = self._results(report)["tables"][table]
        return [dict(zip(found["columns"], row, strict=True)) for row in found["rows"]]

    def _named(self, report: str) -> SimpleNamespace:
        found = self._results(report)
        numbers = {name: format_number(each["value"], each["digits"]) for name, each in found["numbers"].items()}
        return SimpleNamespace(**{name: self._say(text) for name, text in found["texts"].items()} | numbers)

    @cached_property
    def _hypotheses(self) -> dict[str, dict[str, Any]]:
        return {row["id"]: _placed(row) for row in self._rows(VERDICTS, "all_hypotheses")}

    @cached_property
    def _stated(self) -> dict[str, Any]:
        return {each.id: each for each in load_hypotheses()}


def sheets(
    out: Path, reports: Mapping[str, Mapping[str, Any]], language: str, words: Mapping[str, str], page: str
) -> dict[str, Sheet]:
    """Return front page and page of all claims; nothing where a report is missing, or is on other data.

    Folder, reports and language are those of `nbproof.Look.sheets`; ``words`` are what reports say in the language, and
    ``page`` is the file that the page of all claims goes to.
    """
    from jinja2 import Environment, PackageLoader

    told = Told(out, language)
    if not all(language in reports.get(name, {}) for name in THUMBS):
        return {}
    try:
        said, claims = told.said, told.claims
        figure = told.figure("01_market_size", "size", "f1")
        thumbs = {name: told.thumb(name) for name in THUMBS}
    except (OSError, LookupError, AttributeError):  # a figure, a table or a number has another name
        return {}
    choices = {
        "section": said["sections"],
        "state": {state: names[2 if state in GROUPS["asked"] else 0] for state, names in said["states"].items()},
        "kind": said["kinds"],
        "field": {claim["field"]: claim["field_said"] for claim in claims},
    }
    values = [
        [
            said["value"].format(row["year"], format_number(row["value"], 1)),
            " · ".join(map(told._say, (row["basis"], row["source"]))),
        ]
        for row in told._rows("01_market_size", "bars")
    ]
    pages = Environment(loader=PackageLoader(__package__, ""), autoescape=True)
    given = {"language": language, "said": said, "words": words, "claims": claims, "claims_page": page}
    given |= {"counts": told.counts, "groups": GROUPS, "choices": choices, "figure": figure, "values": values}
    given["thumbs"] = thumbs
    made: Any = pages.get_template("front.html").make_module(given)
    found = [(each["id"], f"{each['id']} {choices['state'][each['state']]}", each["text"]) for each in claims]
    return {
        "index": Sheet(said["title"], str(made.index()), said["overview"]),
        "claims": Sheet(said["claims_title"], str(made.all_claims()), said["all_claims"], found),
    }


def _placed(row: Mapping[str, Any]) -> dict[str, Any]:
    """Add to a hypothesis what it comes to and on what kind of evidence: a row and a shape of the picture."""
    outcome, step, evidence, grade = (_say(row[key], "en") for key in ("outcome", "step", "evidence", "grade"))
    state = {"no": "survey", "not": "none"}.get(POINTS[outcome], POINTS[outcome])
    kind = "model" if evidence == "model" else "direct" if evidence == "public data set" else "number"
    kind = state if state in KINDS else "proxy" if grade == "proxy" else kind
    own = step != "extension"
    return {**row, "state": state if own or state in KINDS else f"asked_{state}", "kind": kind, "own": own}


def _say(text: str | Mapping[str, str], language: str) -> str:
    """A text of the results, which is kept by language where the languages differ."""
    return text if isinstance(text, str) else text[language]


def _filled(value: Any, numbers: Mapping[str, Any]) -> Any:
    """Put the numbers into every text of some words."""
    if isinstance(value, str):
        return FIELD.sub(lambda field: field[0].format_map(numbers), value)
    if isinstance(value, list):
        return [_filled(each, numbers) for each in value]
    return {key: _filled(each, numbers) for key, each in value.items()}
