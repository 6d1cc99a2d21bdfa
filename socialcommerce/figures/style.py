"""The house style: how a figure is drawn so that it is the same everywhere, light and dark, in both languages."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nbproof import Page, fonts, read_toml
from socialcommerce.figures import colours
from socialcommerce.figures.colours import SERIES
from socialcommerce.figures.svg import inline, tidy

__all__ = ["WIDTH", "draw", "house", "inline", "use"]

WIDTH, HEIGHT = 6.3, 3.5  # inches: a column of A4 with 2.5 cm margins
FALLBACK = "DejaVu Sans"  # comes with matplotlib; draws the few Latin and other letters the house font lacks


def use(language: str = "en") -> None:
    """Draw in the house style from now on, as a notebook does; seaborn and matplotlib alike."""
    import matplotlib.style

    if matplotlib.get_backend(auto_select=False) is None:
        matplotlib.use("agg")  # nothing chosen yet: do not look for a screen
    fonts.register()
    matplotlib.rcdefaults()
    matplotlib.interactive(False)
    matplotlib.style.use(_settings(fonts.family(language)))


@contextmanager
def house(language: str) -> Iterator[None]:
    """Draw in the house style inside this context; everything of matplotlib's own settings returns afterwards.

    Parameters
    ----------
    language : {"en", "zh"}
        Whose labels are drawn; English ones with narrow quotation marks and signs.

    Raises
    ------
    UnknownNameError
        For any other language.
    """
    import matplotlib

    with matplotlib.rc_context():
        use(language)
        yield


def draw(plot: Callable[..., Any], *results: Any, language: str, **options: Any) -> str:
    """Draw a figure as SVG text: small, and the same bytes in every process, place and locale.

    Parameters
    ----------
    plot : callable
        ``plot(*results, language=..., **options)`` returns axes, an array of axes, or a figure.
    language : {"en", "zh"}
        Whose labels are drawn.

    Returns
    -------
    str
        One ``<svg>`` element on paper-coloured ground, letters as outlines; :func:`inline` sets it into a page.

    Warns
    -----
    UncoveredWarning
        Naming the characters that no font at hand can draw.
    """
    import numpy as np
    from matplotlib import pyplot as plt

    with house(language):
        before = set(plt.get_fignums())
        try:
            figure = np.ravel(plot(*results, language=language, **options))[0].get_figure(root=True)
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from font", UserWarning)  # named below
                drawn = Page.draw(lambda **_: figure, language="")
            _warn_undrawn(figure)
            return tidy(drawn)
        finally:  # whatever happened
            for number in set(plt.get_fignums()) - before:
                plt.close(number)


def _warn_undrawn(figure: Any) -> None:
    from matplotlib.font_manager import findfont
    from matplotlib.ft2font import FT2Font
    from matplotlib.text import Text

    missing: set[str] = set()
    for text in figure.findobj(Text):
        words = text.get_text()
        if lacking := fonts.uncovered(words):  # mathematics knows the house font only, other text the fallback too
            known = set() if "$" in words else FT2Font(findfont(FALLBACK)).get_charmap()
            missing |= {sign for sign in lacking if ord(sign) not in known}
    fonts.warn_uncovered("".join(sorted(missing)), "a figure")


def _settings(family: str) -> dict[str, Any]:
    """Return what differs from matplotlib's defaults, for text in one of the house fonts."""
    from cycler import cycler

    known = {name: value for name, value in vars(colours).items() if isinstance(value, str)}
    known |= {"FAMILY": family, "BOLD": f"{family}:bold"}
    stated = read_toml(Path(__file__).with_name("house.toml"))["settings"]
    return {
        **{name: known.get(value, value) if isinstance(value, str) else value for name, value in stated.items()},
        "font.family": [family, FALLBACK],
        "figure.figsize": (WIDTH, HEIGHT),
        "axes.prop_cycle": cycler(color=SERIES),
        "lines.color": SERIES[0],
        "patch.facecolor": SERIES[0],
        "savefig.bbox": None,
    }
