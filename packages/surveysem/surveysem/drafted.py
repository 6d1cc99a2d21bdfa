"""Write the draft of a codebook as a toml file that loads as it stands, each guess with its reason as a comment."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import nbproof
from surveysem.codebook import tidy
from surveysem.draft import CHINESE, TOLD, Column, Draft
from surveysem.errors import DataError

__all__ = ["SCHEMA", "check_new", "codebook_text", "write_draft"]

SCHEMA = Path(__file__).with_name("codebook.schema.json")
"""What editors check a codebook by."""


def write_draft(draft: Draft, out: str | Path) -> Path:
    """Write a draft, and beside it the schema by which editors complete and check it; return the draft's path.

    Raises
    ------
    DataError
        Where something of that name is there already, or the name does not end in .toml.
    """
    path = check_new(out)
    schema = path.with_name(SCHEMA.name)
    text = codebook_text(draft, path.name)
    if not schema.exists():
        nbproof.write_whole(schema, SCHEMA.read_bytes())
    return nbproof.write_whole(path, text.encode())


def check_new(out: str | Path) -> Path:
    """Return where a codebook is to be written, or refuse a place that is taken or another kind of file."""
    path = Path(out)
    if path.suffix.lower() != ".toml":
        raise DataError(f"a codebook's name ends in .toml; got {nbproof.quoted(path.name)}.")
    if path.exists():
        raise DataError(
            f"{nbproof.named(path.name)} is there already and may hold your corrections; a new name is needed."
        )
    return path


def codebook_text(draft: Draft, name: str = "codebook.toml") -> str:
    """Return the draft as the text of a codebook."""
    said, table = TOLD["text"], draft.table
    common, held = _common_scale(draft), len([c for c in draft.columns if c.role == "item"])
    of = {"file": tidy(table.file), "rows": len(table.rows), "columns": len(draft.columns), "out": name}
    lines = [f"#:schema ./{SCHEMA.name}", *_comment(said["opening"].format(**of))]
    lines += _comment(said["loud"]) if draft.guessed else []
    lines += [f"# {said['decide']} {question}" for question in draft.questions]
    lines += ["", f"name = {_quoted(Path(tidy(table.file)).stem)}"]
    sharing = sum(_scale(c) == common for c in draft.of("item"))
    lines.append(f"scale = {_text_of(common)}  # {said['scale'].format(count=sharing, all=held)}")
    if draft.missing:
        count = sum(bool(column.missing) for column in draft.columns)
        lines.append(f"missing = {list(draft.missing)}  # {said['missing'].format(count=count)}")
    lines += _left_out(draft)
    lines += ["", f"# {said['paths']}", f"# paths = [{_quoted(_example(draft))}]"]
    if draft.groups:
        lines += ["", f"# {said['group']} {', '.join(column.code for column in draft.groups)}"]
        lines.append(f"# group = {_quoted(draft.groups[0].code)}")
    lines += _scales(draft)
    plain_ones = {name: items for name, items in draft.constructs.items() if _scale(items[0]) == common}
    lines += ["", "[constructs]"]
    for name, items in plain_ones.items():
        lines += _items(name, items)
    for name, items in draft.constructs.items():
        if name not in plain_ones:
            lines += ["", f"[constructs.{name}]", f"scale = {_text_of(_scale(items[0]))}", *_items("items", items)]
    for kind, key in (("control", "controls"), ("check", "checks")):
        for column in draft.of(kind):
            lines += ["", f"[[{key}]]  # {'; '.join(column.why)}", f"code = {_quoted(column.code)}"]
            lines += [f"expected = {column.expected}"] * (kind == "check")
            lines += [f"{key} = {value}" for key, value in _told(column)]
            lines.append(f"scale = {_text_of(_scale(column))}")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return json.dumps(tidy(text), ensure_ascii=False)


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in text.strip().splitlines()]


def _scale(column: Column) -> str | tuple[int, int]:
    """Return the name of a labelled scale, or the ends of a plain one."""
    return _name_of(column) if column.labels[0] else (column.low, column.high)


def _name_of(column: Column) -> str:
    return f"{column.construct or column.code}_labels"


def _text_of(scale: str | tuple[int, int]) -> str:
    return _quoted(scale) if isinstance(scale, str) else str(list(scale))


def _common_scale(draft: Draft) -> str | tuple[int, int]:
    return Counter(map(_scale, draft.of("item"))).most_common(1)[0][0]


def _scales(draft: Draft) -> list[str]:
    lines: list[str] = []
    for column in {_name_of(column): column for column in draft.columns if column.labels[0]}.values():
        if column.role in ("item", "control", "check"):
            lines += ["", f"[scales.{_name_of(column)}]", f"low = {column.low}"]
            english, chinese = column.labels
            told = {"en": english, "zh": chinese} if english != chinese else {_language(" ".join(english)): english}
            lines += [f"{key} = {json.dumps(list(labels), ensure_ascii=False)}" for key, labels in told.items()]
    return lines


def _language(text: str) -> str:
    return "zh" if CHINESE.search(text) else "en"


def _told(column: Column) -> list[tuple[str, str]]:
    """Return what a question says beside its code: the column it stands in, its wording."""
    told = [] if tidy(column.heading) == column.code else [("column", _quoted(column.heading))]
    return told + ([(_language(column.wording), _quoted(column.wording[:1000]))] if column.wording else [])


def _items(key: str, items: list[Column]) -> list[str]:
    """Return the list of a construct's items, on one line where there is no more to say than their codes."""
    shared = Counter(reason for column in items for reason in column.why)
    of_all = [reason for reason, times in shared.items() if times == len(items)]
    lines = []
    for column in items:
        told = _told(column) + ([("scale", _text_of(_scale(column)))] if _scale(column) != _scale(items[0]) else [])
        if told:
            told = [("code", _quoted(column.code)), *told, *([("reverse", "true")] if column.reverse else [])]
            line = "{ " + ", ".join(f"{key} = {value}" for key, value in told) + " }"
        else:
            line = _quoted("-" * column.reverse + column.code)
        own = "; ".join(reason for reason in column.why if reason not in of_all)
        lines.append(f"  {line},{f'  # {own}' if own else ''}")
    short = f"{key} = [{' '.join(line.strip() for line in lines).rstrip(',')}]"
    if "#" in short or "{" in short or len(short) > 100:
        return [f"{key} = [  # {'; '.join(of_all)}", *lines, "]"]
    return [f"{short}  # {'; '.join(of_all)}"]


def _left_out(draft: Draft) -> list[str]:
    out = [column for column in draft.of("left out") if not column.known]
    lines = ["leave_out = ["] if out else []
    lines += [f"  {_quoted(column.heading)},  # {'; '.join(column.why)}" for column in out]
    lines += ["]"] if out else []
    if times := [column for column in out if column.duration]:
        lines += ["", f"# {TOLD['text']['time']} {', '.join(tidy(column.heading) for column in times)}"]
        lines.append(f"# duration = {_quoted(times[0].heading)}")
    return lines


def _example(draft: Draft) -> str:
    first, *others = draft.constructs
    return f"{others[-1] if others else first} ~ {' + '.join([first, *others[:-1]][:2]) if others else '...'}"
