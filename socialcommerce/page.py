"""What a notebook of this study tells its reader, in English and Chinese: see `nbproof.Page`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import nbproof
from socialcommerce.paper import BASES

__all__ = ["Page"]


@dataclass
class Page(nbproof.Page):
    """A page in the house style, on which every number says what kind of evidence it is.

    Parameters
    ----------
    name : str
        The notebook's name, for example ``"01_market_size"``; it names the file of results.
    language : {"en", "zh", "both"}
        Whose figures, tables and words to make. Numbers have no language.
    """

    language: str = "both"

    bases: ClassVar = BASES
    every: ClassVar = "both"

    @staticmethod
    def known() -> tuple[str, ...]:
        """Return English and Chinese."""
        return ("en", "zh")

    @staticmethod
    def draw(plot: Callable[..., Any], *results: Any, language: str, **options: Any) -> str:
        """Draw a figure in the house style."""
        from socialcommerce.figures import style  # matplotlib: only where a figure is drawn

        return style.draw(plot, *results, language=language, **options)
