"""Draw the picture of the READMEs: ``python docs/overview.py`` renews it from the figures that `make reports` built."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from socialcommerce.figures import style

ROOT = Path(__file__).parents[1]
PARTS = ("01_market_size/size", "03_sharing_mode/chain_figure")
HIGH, GAP = 330, 30


def file(language: str) -> Path:
    """Where the picture of a language stands."""
    return ROOT / "docs" / f"overview.{language}.svg"


def picture(reports: Path, language: str) -> str:
    """Return both figures side by side, in the reader's theme."""
    inside, at = [], GAP / 2
    for i, name in enumerate(PARTS):
        drawn = style.inline((reports / "figures" / f"{name}.{language}.svg").read_text(encoding="utf-8"), f"p{i}")
        wide, high = map(float, re.search(r'viewBox="\S+ \S+ (\S+) (\S+)"', drawn).groups())
        width = HIGH * wide / high
        place = f'<svg x="{at:.0f}" y="0" width="{width:.0f}" height="{HIGH}"'
        inside.append(re.sub(r'<svg\b|(?<=") (?:style|role)="[^"]*"', lambda hit: place if "svg" in hit[0] else "", drawn, count=3))
        at += width + GAP
    size = f"{at - GAP / 2:.0f}"
    rules = f"svg {{ {style.css()} }} @media (prefers-color-scheme: dark) {{ svg {{ {style.css(dark=True)} }} }}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="{size}" '
        f'height="{HIGH}" viewBox="0 0 {size} {HIGH}"><style>{rules}</style>'
        f'<path d="M0 0h{size}v{HIGH}H0z" style="fill:var(--paper)"/>{"".join(inside)}</svg>\n'
    )


if __name__ == "__main__":
    for language in ("en", "zh"):
        reports = Path(sys.argv[1]) if sys.argv[1:] else ROOT / "reports"
        file(language).write_text(picture(reports, language), encoding="utf-8")
