"""What a notebook of this study tells its reader, in English and Chinese: see `nbproof.Page`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import nbproof
from socialcommerce.paper import BASES, vocabulary

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

    def text(self, name: str, words: Any) -> None:
        """Keep words, in both languages where the catalogue knows them."""
        super().text(name, _both(words))

    def table(self, name: str, frame: Any, *, labels: Any, **options: Any) -> None:
        """Show a table, its cells and heads in both languages where the catalogue knows them."""
        lines = frame.to_dict("records") if hasattr(frame, "to_dict") else frame
        super().table(name, [{key: _both(row[key]) for key in labels} for row in lines],
                      labels={key: _both(head) for key, head in labels.items()}, **options)

    @staticmethod
    def draw(plot: Callable[..., Any], *results: Any, language: str, **options: Any) -> str:
        """Draw a figure in the house style."""
        from socialcommerce.figures import style  # matplotlib: only where a figure is drawn

        return style.draw(plot, *results, language=language, **options)


def _both(text: Any) -> Any:
    if not isinstance(text, str):
        return text
    chinese = vocabulary("common", "zh")(text)
    return text if chinese == text else {"en": text, "zh": chinese}
