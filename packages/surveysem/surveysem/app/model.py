"""The model that the page edits, and the codebook it becomes: what the page does not show stays as it was written."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.items import AoT

import nbproof
from surveysem.app import Refused
from surveysem.codebook import KEYS, LANGUAGES, MODELS, RESERVED, Codebook, load_codebook, plain, tables_of, tidy
from surveysem.draft import Column, Draft, Reason
from surveysem.responses import match, responses_of
from surveysem.said import quoted

OTHERS = {"controls": "control", "checks": "check", "left": "left out"}
KEPT = ("hypotheses", "moderation", "covariances", "waves", "covariates", "strategies", "outcomes", "marker", "contact")
LONGEST = 100  # characters of a construct's title


@dataclass(frozen=True)
class Opened:
    """A file of answers with a codebook, the draft's or somebody's own (``own``), and each question's column."""

    draft: Draft
    text: str
    book: Codebook
    at: dict[str, Column]
    own: bool

    @classmethod
    def of(cls, draft: Draft, path: Path, *, own: bool) -> Opened:
        """Open a draft with a codebook.

        Raises
        ------
        DataError
            Where the codebook breaks the schema, or names a question that no column answers.
        """
        book, table = load_codebook(path), draft.table
        if path.suffix.lower() in MODELS:
            tables = tomlkit.item(tables_of(path))
        else:
            tables = tomlkit.parse(path.read_text(encoding="utf-8-sig"))
        tables.setdefault("name", book.name)  # else it would be that of the file
        found = match(table, book, unknown="leave")
        at = {one.question: draft.columns[one.column - 1] for one in found if one.question}
        return cls(draft, tomlkit.dumps(tables), book, at, own)

    def why(self, column: Column) -> list[Reason]:
        """Return why a column stands where it does."""
        return [Reason("stated")] if self.own and column in self.at.values() else column.why

    def places(self, role: str) -> list[int]:
        """Return where the questions of a role stand."""
        return [self.at[item.code].place for item in self.book.questions if item.role == role]


def facts_of(opened: Opened, language: str) -> dict[str, Any]:
    """Return what the page shows of a file and does not change, its reasons in the reader's language."""
    draft, asked, checks = opened.draft, {c.place for c in opened.at.values()}, opened.places("check")
    return {
        "file": draft.table.file,
        "rows": len(draft.table.rows),
        "guessed": draft.guessed and not opened.own,
        "questions": [question.within(language) for question in draft.questions if not opened.own],
        "columns": {
            column.place: {
                "heading": column.heading,
                "wording": column.wording,
                "why": [reason.within(language) for reason in opened.why(column)],
                "item": column.place in asked or _codes(column),
                "check": column.role == "check" or column.place in checks,
                "two": len({*column.given}) == 2,
            }
            for column in draft.columns
        },
        "reserved": sorted(RESERVED),
    }


def model_of(opened: Opened) -> dict[str, Any]:
    """Return where each column stands, by its place in the file: the codebook as the page edits it."""
    book, place = opened.book, {code: column.place for code, column in opened.at.items()}
    return {
        "constructs": [
            {"name": one.name, "was": one.name, "items": [place[code] for code in one.codes],
             "parts": [*one.dimensions], "titles": {key: title for key in LANGUAGES if (title := getattr(one, key))}}
            for one in book.constructs
        ],
        "controls": opened.places("control"),
        "checks": opened.places("check"),
        "left": [column.place for column in opened.draft.columns if column.place not in place.values()],
        "reversed": [place[item.code] for item in book.questions if item.reverse],
        "decided": [],
        "paths": [{"from": path.predictor, "to": path.outcome, "sign": path.direction} for path in book.paths],
        "group": place.get(book.group, 0),
        "kept": [*_kept(tomlkit.parse(opened.text).unwrap())],
    }  # fmt: skip


def _kept(tables: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a codebook says of constructs beside the model that is drawn, each a line of toml."""
    for key in KEPT:
        given = tables.get(key, {})
        named = (
            [(f".{quoted(name)}", each) for name, each in given.items()] if isinstance(given, dict) else [("", given)]
        )
        yield from (f"{key}{name} = {quoted(each)}" for name, each in named)


def corrected(opened: Opened, model: Mapping[str, Any]) -> str:
    """Return the codebook as a model from the page has it; where that changes nothing, as it was written.

    Raises
    ------
    Refused
        When the model is no such one, or no construct has an item.
    """
    try:
        return _Corrected(opened, model).text()
    except (AttributeError, LookupError, TypeError, ValueError):
        raise Refused("model") from None


class _Corrected:
    """A codebook, changed where the page differs from it; what is changed gives its reasons as comments."""

    def __init__(self, opened: Opened, model: Mapping[str, Any]) -> None:
        self.opened, self.model, self.before = opened, model, model_of(opened)
        self.tables = tomlkit.parse(opened.text)
        self.scale = self.tables.get("scale")
        given = self.tables["constructs"]
        named = given.items() if isinstance(given, dict) else ((each["name"], each) for each in given)
        self.constructs = {name: each if isinstance(each, dict) else {"items": each} for name, each in named}
        self.entries = dict(self.stated())
        self.columns = {column.place: column for column in opened.draft.columns}
        self.stood = {place: home for home, places in _homes(self.before) for place in places}
        self.stands = {place: home for home, places in _homes(model) for place in places}

    def stated(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield what the codebook says of each column it asks for, and on which scale."""
        given = [(entry, each.get("scale", self.scale)) for each in self.constructs.values() for entry in each["items"]]
        given += [(entry, None) for entry in self.tables.get("controls", [])]
        given += [(entry, self.scale) for entry in self.tables.get("checks", [])]
        for entry, scale in given:
            entry = {"code": entry.removeprefix("-")} if isinstance(entry, str) else entry
            if column := self.opened.at.get(entry["code"]):  # else it is a dimension
                if "after" in entry and self.opened.at[entry["after"]].place in self.model["left"]:
                    del entry["after"]
                yield column.place, {"scale": scale, **entry}

    def text(self) -> str:
        """Return the codebook."""
        model, tables, before = self.model, self.tables, self.before
        if sorted(place for _, places in _homes(model) for place in places) != sorted(self.columns):
            raise ValueError(model)
        filled = [each for each in model["constructs"] if each["items"] or each["parts"]]
        if not any(each["items"] for each in filled):
            raise Refused("empty")
        turned = [place for each in filled for place in each["items"] if place in model["reversed"]]
        if filled != before["constructs"] or turned != before["reversed"]:
            self.put("constructs", AoT([*map(self.construct, filled)]))
        for key in ("controls", "checks"):
            if model[key] != before[key]:
                self.put(key, AoT([self.question(place, OTHERS[key]) for place in model[key]]))
        paths = [path for path in model["paths"] if {path["from"], path["to"]} <= {each["name"] for each in filled}]
        if paths != before["paths"]:
            expected: dict[str, list[str]] = {}
            for path in paths:
                expected.setdefault(path["to"], []).append("-" * (int(path["sign"]) < 0) + path["from"])
            self.put("paths", expected)
        if model["group"] != before["group"]:
            self.put("group", model["group"] and self.entries[model["group"]]["code"])
        if model["kept"] != before["kept"]:
            kept = tomllib.loads("\n".join(model["kept"]))
            for key in KEPT:
                self.put(key, kept.pop(key, None))
            if kept:
                raise ValueError(kept)
        asked = {tidy(column.heading) for place, column in self.columns.items() if place not in model["left"]}
        for heading in [each for each in tables.get("leave_out", []) if tidy(str(each)) in asked]:
            tables["leave_out"].remove(heading)
        left = [self.columns[place].heading for place in model["left"] if place not in before["left"]]
        if left and "*" not in tables.setdefault("leave_out", []):
            tables["leave_out"] += left
        return tomlkit.dumps(tables)

    def put(self, key: str, value: Any) -> None:
        """Let a key of the whole codebook have another value, or none."""
        self.tables.pop(key, None)
        if value:
            self.tables[key] = value

    def construct(self, each: Mapping[str, Any]) -> Any:
        """Return the table of a construct."""
        old = self.constructs.get(each["was"], {})
        titles = {key: tidy(each["titles"][key])[:LONGEST] for key in LANGUAGES if key in each["titles"]}
        table = {"name": each["name"], **titles}
        table |= {key: old[key] for key in old if key not in ("name", "items", *LANGUAGES)}
        default, now = table.get("scale", self.scale), {one["was"]: one["name"] for one in self.model["constructs"]}
        items = [(self.entry(place, "item", default), self.why(place)) for place in each["items"]]
        return tomlkit.item(table | {"items": _listed(items or [(now.get(part, part), "") for part in each["parts"]])})

    def question(self, place: int, kind: str) -> Any:
        """Return the table of a question beside the constructs."""
        entry = self.entry(place, kind, self.scale if kind == "check" else None)
        made, why = tomlkit.item({"code": entry} if isinstance(entry, str) else entry), self.why(place)
        return made.comment(why) if why else made

    def entry(self, place: int, kind: str, default: Any) -> Any:
        """Return what a codebook says of a column where its scale would be the ``default``, as short as it may be."""
        column = self.columns[place]
        checks = column.role == "check" or self.stood[place] == "checks"
        if not (checks if kind == "check" else place in self.entries or _codes(column)):
            raise ValueError(column.heading)
        if place not in self.entries:
            self.entries[place] = self.drafted(column)
        entry = self.entries[place]
        scale = [column.low, column.high] if entry["scale"] is None and default is not None else entry["scale"]
        keys = {*KEYS[kind][0], *KEYS[kind][1]} - {"scale", "reverse"}
        made = {key: entry[key] for key in entry if key in keys} | ({"scale": scale} if scale != default else {})
        turned = kind == "item" and place in self.model["reversed"]
        return "-" * turned + made["code"] if {*made} == {"code"} else made | ({"reverse": True} if turned else {})

    def drafted(self, column: Column) -> dict[str, Any]:
        """Return what the draft says of a column that the codebook does not ask for."""
        made: dict[str, Any] = column.stated | {
            "column": tidy(column.heading),
            "scale": column.labelled or [column.low, column.high],
        }
        taken = {plain(text) for text in (*self.opened.book.scales, *(one["code"] for one in self.entries.values()))}
        while plain(made["code"]) in taken:
            made["code"] += "_"
        if column.labels:
            scales = self.tables.setdefault("scales", {})
            scale = {"low": column.low} | {language: [*labels] for language, labels in column.worded}
            while scales.setdefault(made["scale"], scale) != scale:
                made["scale"] += "_"
        return made | ({"expected": column.expected} if column.role == "check" else {})

    def why(self, place: int) -> str:
        """Return why a column stands where it does, a move on the page included."""
        if self.stands[place] != self.stood[place]:
            return Reason("placed")
        return "; ".join(self.opened.why(self.columns[place]) * (not self.opened.own))


def _homes(model: Mapping[str, Any]) -> list[tuple[Any, list[int]]]:
    """Return what stands in each box of the page: under a construct's first name, apart from the others' keys."""
    return [
        *((("", each["was"]), each["items"]) for each in model["constructs"]),
        *((key, model[key]) for key in OTHERS),
    ]


def _listed(lines: Iterable[tuple[Any, str]]) -> Any:
    """Return an array with a line for each value, what is said of it behind it."""
    made = tomlkit.array()
    for value, why in lines:
        made.add_line(value, indent="  ", comment=why or None)
    made.add_line(indent="")
    return made


def _codes(column: Column) -> bool:
    """Whether its answers have codes, as those of an item or a control."""
    return bool(column.labels) or column.high > column.low


def check(opened: Opened, model: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """Write the codebook of a model, and return what the package says of it and of the answers."""
    nbproof.write_whole(path, corrected(opened, model).encode())
    book, table = load_codebook(path), opened.draft.table
    read = responses_of(table, book, unknown="leave", invalid="record")
    told = {"notes": [*read.notes], "missing": [*book.missing]}
    return {"rows": len(read.answers), "invalid": len(read.invalid)} | told
