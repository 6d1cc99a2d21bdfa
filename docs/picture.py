"""Draw who imports whom, and what is built from what: ``python docs/picture.py`` renews both pictures of ``docs/``.

The first is read from the source, the second from the manifest of the built reports.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from html import escape
from pathlib import Path

ROOT = Path(__file__).parents[1]
STUDY = ROOT / "socialcommerce"
PICTURE = ROOT / "docs" / "architecture.svg"
PLAN = ROOT / "docs" / "plan.svg"
ROWS = (  # of the study, top down: a part imports from the rows below its own
    ("cli", "notebook"),
    ("report",),
    ("figures",),
    ("evidence",),
    ("survey", "public_data", "market", "modes"),
    ("verdicts",),
    ("paper", "data"),
)
BELOW = (("surveysem",), ("nbproof", "semfit", "stockflow"))  # the packages, likewise
# anyone imports them: not drawn
PLUMBING = {"errors", "project", "console", "__main__", "__init__", "__version__"}
WIDE, HIGH, GAP, LEFT = 132, 34, 26, 24


def imports(path: Path) -> Iterator[str]:
    """Every dotted name a module imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def edges() -> set[tuple[str, str]]:
    """(part, what it imports): parts of the study and whole packages."""
    packages = {name for row in BELOW for name in row}
    found = set()
    files = [(path.relative_to(STUDY).parts[0].removesuffix(".py"), path) for path in STUDY.rglob("*.py")]
    files += [(name, path) for name in packages for path in (ROOT / "packages" / name / name).rglob("*.py")]
    for part, path in files:
        for name in imports(path):
            top, _, rest = name.partition(".")
            other = rest.split(".")[0] if top == "socialcommerce" else top if top in packages else ""
            if other and not {part, other} & PLUMBING and part != other:
                found.add((part, other))
    return found


def drawn_edges() -> list[tuple[str, str]]:
    """The imports that no way over others stands for already."""
    found = edges()
    below: dict[str, set[str]] = {}

    def reach(part: str) -> set[str]:
        if part not in below:
            below[part] = set().union(*({other} | reach(other) for start, other in found if start == part))
        return below[part]

    return sorted(
        (part, other)
        for part, other in found
        if not any(other in reach(between) for start, between in found if start == part)
    )


def places() -> dict[str, tuple[int, int]]:
    """The middle of each box."""
    rows = [[name for name in row if (STUDY / name).is_dir() or (STUDY / f"{name}.py").is_file()] for row in ROWS]
    rows = [row for row in rows if row] + [*BELOW]
    width = max(map(len, rows)) * (WIDE + GAP)
    # rows stand a little apart sideways, so that a line behind a box is not taken for one of its own
    return {
        name: (
            round(LEFT + 24 + width * (k + 0.5) / len(row)) + 22 * (n % 3 - 1),
            48 + n * (HIGH + GAP) + (44 if row in BELOW else 0),
        )
        for n, row in enumerate(rows)
        for k, name in enumerate(row)
    }


def picture() -> str:
    """The drawing, as SVG."""
    at, lines = places(), drawn_edges()
    missing = {name for edge in lines for name in edge} - set(at)
    if missing:
        raise SystemExit(f"docs/picture.py has no row for {', '.join(sorted(missing))}.")
    beside = {name for row in BELOW for name in row}
    right, bottom = max(x for x, _ in at.values()) + WIDE // 2 + LEFT + 16, max(y for _, y in at.values()) + HIGH
    frame = max(y for name, (_, y) in at.items() if name not in beside) + HIGH // 2 + 12
    drawn = [
        f'<rect x="8" y="8" width="{right - 16}" height="{frame - 8}" rx="8" fill="#f6f4ee" stroke="#c9c4b6"/>',
        '<text x="20" y="28" class="name">socialcommerce</text>',
    ]
    for part, other in lines:
        (x1, y1), (x2, y2) = at[part], at[other]
        drawn.append(f'<path d="M{x1} {y1 + HIGH // 2}C{x1} {y1 + HIGH},{x2} {y2 - HIGH},{x2} {y2 - HIGH // 2}"/>')
    for name, (x, y) in at.items():
        fill = "#dfe9e4" if name in beside else "#ffffff"
        drawn.append(
            f'<rect x="{x - WIDE // 2}" y="{y - HIGH // 2}" width="{WIDE}" height="{HIGH}" rx="5" '
            f'fill="{fill}" stroke="#4a5a55"/>'
            f'<text x="{x}" y="{y + 5}" text-anchor="middle">{escape(name)}</text>'
        )
    style = (
        "text{font:14px sans-serif;fill:#1b1f27}.name{font-weight:600}"
        "path{fill:none;stroke:#8a938f;stroke-width:1;opacity:.7}"
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {right} {bottom}" width="{right}" height="{bottom}">'
        f"<style>{style}</style>\n" + "\n".join(drawn) + "\n</svg>\n"
    )


def plan(reports: Path) -> str:
    """What the reports of a folder are built from, as SVG."""
    import nbproof
    from nbproof.look import words
    from nbproof.picture import made_from
    from socialcommerce.report import settings

    nbproof.use(settings)  # its packages are folders of the picture
    entries = nbproof.read_manifest(reports)["reports"]
    return made_from({name: entry["run_inputs"] for name, entry in entries.items()}, {}, words("en"))


if __name__ == "__main__":
    PICTURE.write_text(picture(), encoding="utf-8")
    if (ROOT / "reports" / "manifest.json").is_file():
        PLAN.write_text(plan(ROOT / "reports"), encoding="utf-8")
