"""The colours of the house, on white and on dark paper, and the names under which a page can change them.

The six series colours keep apart for readers with protan, deutan and tritan vision and, by lightness, in grey print.
"""

from __future__ import annotations

__all__ = ["GRID", "INK", "MARKERS", "MUTED", "PAPER", "SERIES", "VARIABLES", "css"]

INK = "#1b1f27"  # text
MUTED = "#5a6270"  # axes, second-rank text
PAPER = "#ffffff"
GRID = "#d9dde3"
SERIES = ("#192f5b", "#d87a23", "#116446", "#ac699c", "#52460a", "#725caf")
MARKERS = ("o", "s", "^", "D", "v", "P")  # by which series differ in grey too, as by their lines

DARK = {
    INK: "#e8eaee",
    MUTED: "#a3abb8",
    PAPER: "#12161d",
    GRID: "#323945",
    **dict(zip(SERIES, ("#7ca0f4", "#c3571d", "#21d487", "#b77694", "#f7e671", "#c6cbfa"), strict=True)),
}
VARIABLES = {
    INK: "--ink",
    MUTED: "--muted",
    PAPER: "--paper",
    GRID: "--grid",
    **{colour: f"--series-{number}" for number, colour in enumerate(SERIES, 1)},
}


def css(dark: bool = False) -> str:
    """Return the colours as CSS custom properties, for a rule of the page that shows the figures.

    Examples
    --------
    >>> css().split(";")[0], css(dark=True).split(";")[0]
    ('--ink:#1b1f27', '--ink:#e8eaee')
    """
    return ";".join(f"{name}:{DARK[colour] if dark else colour}" for colour, name in VARIABLES.items())
