"""The house style: how a figure is drawn so that it is the same everywhere, light and dark, in both languages."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from nbproof import Page, fonts, read_toml
from socialcommerce.errors import ParameterError
from socialcommerce.figures import colours
from socialcommerce.figures.colours import INK, SERIES
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
    from matplotlib import pyplot as plt

    with house(language):
        before = set(plt.get_fignums())
        try:
            return tidy(_saved(_figure_of(plot(*results, language=language, **options), plot)))
        finally:  # whatever happened
            for number in set(plt.get_fignums()) - before:
                plt.close(number)


def _figure_of(drawn: Any, plot: Callable[..., Any]) -> Any:
    import numpy as np
    from matplotlib.artist import Artist

    first = next(iter(np.ravel(drawn)), None)
    if not isinstance(first, Artist):
        raise ParameterError(f"{getattr(plot, '__name__', plot)} must return axes; got {type(drawn).__name__}.")
    return first.get_figure(root=True)


def _saved(figure: Any) -> str:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from font", UserWarning)  # named below, by character
        drawn = Page.draw(lambda **_: figure, language="")
    _warn_undrawn(figure)
    return drawn


def _warn_undrawn(figure: Any) -> None:
    from matplotlib.text import Text

    missing: set[str] = set()
    for text in figure.findobj(Text):
        words = text.get_text()
        drawn = frozenset() if "$" in words else _fallback()  # mathematics knows the house font only
        missing |= {sign for sign in fonts.uncovered(words) if ord(sign) not in drawn}
    fonts.warn_uncovered("".join(sorted(missing)), "a figure")


@cache
def _fallback() -> frozenset[int]:
    from matplotlib.font_manager import findfont
    from matplotlib.ft2font import FT2Font

    return frozenset(FT2Font(findfont(FALLBACK)).get_charmap())


def _settings(family: str) -> dict[str, Any]:
    """Return what differs from matplotlib's defaults, for text in one of the house fonts."""
    from cycler import cycler

    known = {name: value for name, value in vars(colours).items() if isinstance(value, str)}
    stated = read_toml(Path(__file__).with_name("house.toml"))["settings"]
    boxes = {f"boxplot.{part}props.color" for part in ("box", "whisker", "cap", "flier", "median", "mean")}
    marks = {f"boxplot.{part}props.marker{side}color" for part in ("flier", "mean") for side in ("edge", "face")}
    return {
        **{name: known.get(value, value) if isinstance(value, str) else value for name, value in stated.items()},
        **dict.fromkeys(boxes | marks, INK),
        **{f"mathtext.{face}": family for face in ("rm", "it", "sf", "cal", "tt")},
        **{f"mathtext.{face}": f"{family}:bold" for face in ("bf", "bfit")},
        "font.family": [family, FALLBACK],
        "figure.figsize": (WIDTH, HEIGHT),
        "axes.prop_cycle": cycler(color=SERIES),
        "lines.color": SERIES[0],
        "patch.facecolor": SERIES[0],
        "savefig.bbox": None,
    }
