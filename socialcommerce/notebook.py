"""What a notebook of this study tells its reader, in English and Chinese: see `nbproof.Page`."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from IPython import get_ipython

import nbproof
import socialcommerce.report  # noqa: F401 - says which project this is
from nbproof import Catalogue, Evidence, fonts
from socialcommerce.figures import style
from socialcommerce.paper import BASES, vocabulary

__all__ = ["Evidence", "Page"]


@dataclass
class Page(nbproof.Page):
    """A page in the house style, on which every number says what kind of evidence it is.

    Making one sets matplotlib and seaborn to the house style for the rest of the notebook, and shows the texts of
    bare data frames in the page's language.
    """

    bases: ClassVar = BASES
    kinds: ClassVar = {
        "stated": "published figure",
        "published": "published figure",
        "forecast": "published figure",
        "derived": "derived from published figures",
        "observed": "public data set",
        "synthetic": "synthetic sample",
    }

    def __post_init__(self) -> None:
        super().__post_init__()
        style.use()
        # seaborn's grids lay themselves out; a summary by statsmodels tests residuals that nobody asked about
        warnings.filterwarnings("ignore", "The figure layout has changed to tight|omni_normtest is not valid")
        if shell := get_ipython():  # a bare data frame speaks the page's language too, but for its columns' names
            html = shell.display_formatter.formatters["text/html"]
            html.for_type_by_name("pandas", "DataFrame", lambda frame: self._told(frame)._repr_html_())

    def _told(self, frame: Any) -> Any:
        told = self._translate(self.shown)
        return frame.map(lambda cell: told.get(cell, cell) if isinstance(cell, str) else cell).rename(index=told)

    def fonts(self, language: str) -> list[str]:
        """Return the house font of a language, and what stands in for letters it lacks."""
        return [fonts.family(language), style.FALLBACK]

    def _translate(self, language: str) -> Catalogue:
        return vocabulary(self.name, language)

    @staticmethod
    def draw(plot: Callable[..., Any], *results: Any, language: str, **options: Any) -> str:
        """Draw a figure in the house style."""
        return style.draw(plot, *results, language=language, **options)
