"""Draw what is built from what: a column a notebook, a row for all it is made from, and what is stale marked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from nbproof.look import Sheet, template
from nbproof.project import project

LEFT, LETTER = 16, 7.2  # units of the drawing: its margin, and the width of a letter, at most on average
KINDS = ("notebook", "parameters", "data", "modules", "versions")


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
    columns = {name: _grouped(labels) for name, labels in inputs.items()}
    rows = sorted({key for column in columns.values() for key in column}, key=lambda key: (KINDS.index(key[0]), key[1]))
    lines: list[tuple[str, list[tuple[str, bool]] | None]] = []  # a text, and the reports it counts for; or a heading
    for at, (kind, name) in enumerate(rows):
        if name and (not at or rows[at - 1][0] != kind):
            lines.append((said[f"made_{kind}"], None))
        used = [(report, column[kind, name]) for report, column in columns.items() if (kind, name) in column]
        marks = [(report, _changed(labels, reasons.get(report, ()))) for report, labels in used]
        lines.append((name or said[f"made_{kind}"], marks))
    texts = [said["made_report"], *(text for text, marks in lines if marks is not None)]
    wide = LEFT + max(map(len, texts)) * LETTER
    key, x = [], float(LEFT)
    for each in ("used", "changed", "fresh", "stale"):
        text = said[f"made_{each}"]
        key.append((each, text, x))
        x += 48 + len(text) * LETTER * (2 if text > "\u2e80" else 1)
    return template("picture.svg").made(list(columns), lines, reasons, said, LEFT, wide, key, x) + "\n"


def made_sheet(manifest: Mapping[str, Any], names: Iterable[str], said: Mapping[str, str]) -> Sheet:
    """Return the page that shows what those reports were built from that a manifest names."""
    entries = manifest.get("reports", {})
    drawn = made_from({name: entries[name]["run_inputs"] for name in names if name in entries}, {}, said)
    lead = said["made_lead"].format('<a href="manifest.json">manifest.json</a>')
    title, drawn = said["made_title"], drawn.replace("\n", "")
    return Sheet(title, f'<h1>{title}</h1>\n<p>{lead}</p>\n<div class="wide">{drawn}</div>', said["made_label"])


def _changed(labels: Iterable[str], reasons: Sequence[str]) -> bool:
    """Whether a reason names one of the labels; a version is named as ``NAME OLD -> NEW``."""
    found = {
        reason.removesuffix(end) for reason in reasons for end in (" changed", " is missing", " is new", " is gone")
    }
    return bool(found & {*labels}) or ("environment" in labels and any(" -> " in reason for reason in reasons))


def _grouped(labels: Iterable[str]) -> dict[tuple[str, str], list[str]]:
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
    return found
