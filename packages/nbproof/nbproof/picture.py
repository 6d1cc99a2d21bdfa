"""Draw what is built from what: a column a notebook, a row for all it is made from, and what is stale marked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import PurePosixPath
from typing import Any

from nbproof.look import Sheet
from nbproof.project import project

__all__ = ["made_from", "made_sheet"]

ROW, COLUMN, LEFT, TOP = 22, 40, 16, 132  # of the grid, in units of the drawing
LETTER = 7.2  # the width of one, at most on average
STYLE = (  # the colours of a page that it stands in, if it stands in one
    ".made text{font:13px var(--house,sans-serif);fill:var(--ink,#1b1f27)}.made .head{font-weight:600}"
    ".made .line{stroke:var(--grid,#d8d4c8)}.made .used{fill:var(--muted,#4a5a55)}.made .changed{fill:#c8553d}"
    ".made .fresh{fill:none;stroke:var(--muted,#4a5a55)}"
    ".made .stale{fill:none;stroke:#c8553d;stroke-width:2;stroke-dasharray:4 3}"
)


def made_from(
    inputs: Mapping[str, Iterable[str]], reasons: Mapping[str, Sequence[str]], said: Mapping[str, str]
) -> str:
    """Return the drawing, as SVG.

    Parameters
    ----------
    inputs : mapping of str to iterable of str
        What each report's run was made from, as manifest and plan label it, its notebook first.
    reasons : mapping of str to sequence of str
        Why a report has to be made again; those without a reason are up to date.
    said : mapping of str to str
        The words, as `nbproof.words` gives them.
    """
    columns = {name: dict(_grouped(labels)) for name, labels in inputs.items()}
    kinds = ("notebook", "parameters", "data", "modules", "versions")
    rows = sorted({key for column in columns.values() for key in column}, key=lambda key: (kinds.index(key[0]), key[1]))
    first = {kind: next((row for row in rows if row[0] == kind), None) for kind in kinds}
    shown = [name or said[f"made_{kind}"] for kind, name in rows]
    indent = LEFT + max(map(len, [said["made_report"], *shown]), default=0) * LETTER
    at = {name: indent + COLUMN * (number + 0.5) for number, name in enumerate(columns)}
    drawn, y = [], TOP
    for name, x in at.items():
        drawn.append(f'<text transform="translate({x:.0f} {TOP - 16})rotate(-45)">{escape(name)}</text>')
    right = indent + COLUMN * len(columns)
    for row, text in zip(rows, shown, strict=True):
        if row == first[row[0]] and row[1]:  # a heading before those of a kind
            drawn.append(f'<text class="head" x="{LEFT}" y="{y + 5}">{escape(said[f"made_{row[0]}"])}</text>')
            y += ROW
        drawn.append(f'<text x="{LEFT}" y="{y + 5}">{escape(text)}</text>')
        drawn.append(f'<path class="line" d="M{indent:.0f} {y}H{right:.0f}"/>')
        for name, x in at.items():
            if row in columns[name]:
                drawn.append(_mark(x, y, _changed(columns[name][row], reasons.get(name, ())), f"{name}: {text}"))
        y += ROW
    y += ROW // 2
    drawn.append(f'<text class="head" x="{LEFT}" y="{y + 5}">{escape(said["made_report"])}</text>')
    for name, x in at.items():
        state = "stale" if reasons.get(name) else "fresh"
        why = "; ".join([said[f"made_{state}"], *reasons.get(name, ())])
        drawn.append(
            f'<rect class="{state}" x="{x - 9:.0f}" y="{y - 9}" width="18" height="18" rx="3">'
            f"<title>{escape(f'{name}: {why}')}</title></rect>"
        )
    y += 2 * ROW
    x = float(LEFT)
    for key, mark in (("used", _mark), ("changed", _mark), ("fresh", None), ("stale", None)):
        text = said[f"made_{key}"]
        box = f'<rect class="{key}" x="{x:.0f}" y="{y - 9}" width="18" height="18" rx="3"/>'
        drawn.append(mark(x + 9, y, key == "changed", "") if mark else box)
        drawn.append(f'<text x="{x + 24:.0f}" y="{y + 5}">{escape(text)}</text>')
        x += 48 + len(text) * LETTER * (2 if text > "\u2e80" else 1)
    wide, high = max(right + 90, x), y + ROW
    size, label, body = f'width="{wide:.0f}" height="{high}"', escape(said["made_title"]), "\n".join(drawn)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="made" viewBox="0 0 {wide:.0f} {high}" {size} role="img" '
        f'aria-label="{label}"><style>{STYLE}</style>\n<rect {size} fill="var(--paper,#fff)"/>\n{body}\n</svg>\n'
    )


def made_sheet(manifest: Mapping[str, Any], names: Iterable[str], said: Mapping[str, str]) -> Sheet:
    """Return the page that shows what those reports were built from that a manifest names."""
    entries = manifest.get("reports", {})
    drawn = made_from({name: entries[name]["run_inputs"] for name in names if name in entries}, {}, said)
    lead = said["made_lead"].format('<a href="manifest.json">manifest.json</a>')
    title, drawn = said["made_title"], drawn.replace("\n", "")
    return Sheet(title, f'<h1>{title}</h1>\n<p>{lead}</p>\n<div class="wide">{drawn}</div>', said["made_label"])


def _mark(x: float, y: float, changed: bool, text: str) -> str:
    """A dot; what changed is a lozenge, larger and of another colour."""
    shape = f"M{x:.0f} {y - 8}l8 8l-8 8l-8 -8z" if changed else f"M{x - 4:.0f} {y}a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z"
    told = f"<title>{escape(text)}</title>" if text else ""
    return f'<path class="{"changed" if changed else "used"}" d="{shape}">{told}</path>'


def _changed(labels: Iterable[str], reasons: Sequence[str]) -> bool:
    """Whether a reason names one of the labels; a version is named as ``NAME OLD -> NEW``."""
    found = {
        reason.removesuffix(end) for reason in reasons for end in (" changed", " is missing", " is new", " is gone")
    }
    return bool(found & {*labels}) or ("environment" in labels and any(" -> " in reason for reason in reasons))


def _grouped(labels: Iterable[str]) -> Iterable[tuple[tuple[str, str], list[str]]]:
    """What a run was made from by (kind, row): packages and translations by folder, other files each by itself."""
    found: dict[tuple[str, str], list[str]] = {}
    homes = project().folders
    for number, label in enumerate(labels):
        parts, file = PurePosixPath(label).parts, PurePosixPath(label)
        start = next((at for at in reversed(range(len(parts) - 1)) if parts[at] in homes), None)
        if number == 0:
            key = ("notebook", "")
        elif label.startswith("parameter "):
            key = ("parameters", "")
        elif label == "environment":
            key = ("versions", "")
        elif start is not None:
            key = ("modules", "/".join(parts[start:-1]))
        else:
            key = ("data", str(file.parent) if file.suffix == ".po" else label)
        found.setdefault(key, []).append(label)
    return found.items()
