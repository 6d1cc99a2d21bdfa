"""Draw the picture of the READMEs: ``make picture`` renews it from the built figures."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from socialcommerce.figures import colours, style

ROOT = Path(__file__).parents[1]
PARTS = (
    ("01_market_size/size", 0, 0),
    ("02_content_mode/chain_figure", 480, 24),
    ("03_sharing_mode/chain_figure", 480, 132),
)
"""Each figure with where its corner stands; all keep the width of 453 points that they were drawn in."""
WIDE, HIGH = 940, 252


def file(language: str) -> Path:
    """Where the picture of a language stands."""
    return ROOT / "docs" / f"overview.{language}.svg"


def picture(reports: Path, language: str) -> str:
    """Return both figures side by side, in the reader's theme."""
    inside = []
    for i, (name, x, y) in enumerate(PARTS):
        drawn = style.inline((reports / "figures" / f"{name}.{language}.svg").read_text(encoding="utf-8"), f"p{i}")
        wide, high = re.search(r'viewBox="0 0 (\S+) (\S+)"', drawn).groups()
        place = f'<svg x="{x}" y="{y}" width="{wide}" height="{high}"'
        inside.append(re.sub(r' style="display:block[^"]*" role="img"', "", drawn).replace("<svg", place, 1))
    rules = f"svg {{ {colours.css()} }} @media (prefers-color-scheme: dark) {{ svg {{ {colours.css(dark=True)} }} }}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="{WIDE}" '
        f'height="{HIGH}" viewBox="0 0 {WIDE} {HIGH}"><style>{rules}</style>'
        f'<path d="M0 0h{WIDE}v{HIGH}H0z" style="fill:var(--paper)"/>{"".join(inside)}</svg>\n'
    )


if __name__ == "__main__":
    for language in ("en", "zh"):
        reports = Path(sys.argv[1]) if sys.argv[1:] else ROOT / "reports"
        file(language).write_text(picture(reports, language), encoding="utf-8")
