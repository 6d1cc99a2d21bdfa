"""The model that the page edits: what a draft says of each column, and the draft as it was corrected there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbproof
from surveysem.app import Refused
from surveysem.codebook import NAME, RESERVED, load_codebook
from surveysem.draft import Column, Draft, Reason
from surveysem.matching import match
from surveysem.responses import responses_of

OTHERS = {"controls": "control", "checks": "check", "left": "left out"}
LONGEST = 100  # characters of a construct's title


def facts_of(draft: Draft, language: str) -> dict[str, Any]:
    """Return what the page shows of a file and does not change, its reasons in the reader's language."""
    return {
        "file": draft.table.file,
        "rows": len(draft.table.rows),
        "guessed": draft.guessed,
        "questions": [question.within(language) for question in draft.questions],
        "columns": {
            column.place: {
                "heading": column.heading,
                "code": column.code,
                "wording": column.wording,
                "why": [reason.within(language) for reason in column.why],
                "item": _codes(column),
                "check": column.role == "check",
                "two": len({*column.given}) == 2,
            }
            for column in draft.columns
        },
        "reserved": sorted(RESERVED),
    }


def model_of(draft: Draft) -> dict[str, Any]:
    """Return where each column stands, by its place in the file: the draft as the page edits it."""
    return {
        "constructs": [
            {"name": name, "was": name, "title": "", "items": [item.place for item in items]}
            for name, items in draft.constructs.items()
        ],
        **{key: [column.place for column in draft.of(role)] for key, role in OTHERS.items()},
        "reversed": [column.place for column in draft.of("item") if column.reverse],
        "decided": [],
        "paths": [],
        "group": 0,
    }


def corrected(draft: Draft, model: Mapping[str, Any]) -> Draft:
    """Return the draft as a model from the page has it.

    Raises
    ------
    Refused
        When the model is no such one, or no construct has an item.
    """
    try:
        return _corrected(draft, model)
    except (AttributeError, LookupError, TypeError, ValueError):
        raise Refused("model") from None


def _corrected(draft: Draft, model: Mapping[str, Any]) -> Draft:
    at = {column.place: replace(column, why=[*column.why]) for column in draft.columns}
    constructs: dict[str, list[Column]] = {}
    titles: dict[str, str] = {}
    for each in model["constructs"]:
        name, title = each["name"], " ".join(each["title"].split())
        if not NAME.fullmatch(name) or name in RESERVED or name in constructs or len(title) > LONGEST:
            raise ValueError(name)
        constructs[name] = [_placed(at[place], "item", each["was"]) for place in each["items"]]
        titles |= {name: title} if title else {}
    others = [_placed(at[place], role) for key, role in OTHERS.items() for place in model[key]]
    standing = [column.place for column in [*sum(constructs.values(), []), *others]]
    if sorted(standing) != sorted(at):
        raise ValueError(standing)
    for name, items in constructs.items():
        for column in items:
            column.construct, column.reverse = name, column.place in model["reversed"]
    constructs = {name: items for name, items in constructs.items() if items}
    if not constructs:
        raise Refused("empty")
    questions = tuple(one for k, one in enumerate(draft.questions) if k not in model["decided"])
    paths, group = _paths(model["paths"], constructs), at[model["group"]].code if model["group"] else ""
    return replace(
        draft, columns=tuple(at.values()), constructs=constructs, questions=questions,
        titles={name: title for name, title in titles.items() if name in constructs}, paths=paths, group=group,
    )  # fmt: skip


def _codes(column: Column) -> bool:
    """Whether its answers have codes, as those of an item or a control."""
    return bool(column.labels) or column.high > column.low


def _placed(column: Column, role: str, construct: str = "") -> Column:
    """Take a column for what the page says it is; who decided that is a reason too."""
    if role != "left out" and not (column.role == role if role == "check" else _codes(column)):
        raise ValueError(column.heading)
    if (column.role, column.construct) != (role, construct):
        column.why = [Reason("placed")]
    column.role, column.construct = role, ""
    return column


def _paths(given: list[Mapping[str, Any]], constructs: Mapping[str, list[Column]]) -> tuple[str, ...]:
    """Return the lines of a codebook's paths, those of constructs without items left out."""
    lines: dict[str, dict[str, str]] = {}
    for path in given:
        if path["from"] in constructs and path["to"] in constructs:
            lines.setdefault(path["to"], {})[path["from"]] = "+" if int(path["sign"]) > 0 else "-"
    return tuple(
        f"{outcome} ~ {' '.join(f'{sign} {name}' for name, sign in terms.items()).removeprefix('+ ')}"
        for outcome, terms in lines.items()
    )


def check(draft: Draft, path: Path) -> dict[str, Any]:
    """Write a draft's codebook, and return what the package says of it and of the answers."""
    nbproof.write_whole(path, draft.text().encode())
    book, table = load_codebook(path), draft.table
    matches = match(book, table.headings, table.wordings, unknown="leave", file=table.file)
    read = responses_of(table, book, matches, invalid="record")
    told = {"notes": [*read.notes], "missing": [*draft.missing]}
    return {"rows": len(read.answers), "invalid": len(read.invalid)} | told
