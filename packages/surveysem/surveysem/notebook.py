"""What the notebooks of a report tell their reader: `nbproof.Page` with figures that hold Chinese letters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import nbproof
from nbproof import Evidence, fonts, words
from surveysem import report

if TYPE_CHECKING:
    from surveysem.study import Study

__all__ = ["Evidence", "Page"]

SHORT = 24  # characters of a question that has room in a list


class Page(nbproof.Page):
    """A page of a report on a survey; making one sets the style of the figures for the rest of the notebook."""

    def __post_init__(self) -> None:
        import matplotlib
        import seaborn

        nbproof.use(report.settings)
        super().__post_init__()
        seaborn.set_theme(context="paper", style="whitegrid", palette="deep", rc=report.WORDS["style"])
        matplotlib.interactive(False)

    def fonts(self, language: str) -> list[str]:
        """Return the fonts of a figure's texts: a Chinese one where they are Chinese, and what stands in for it."""
        if language != "zh":
            return []
        fonts.register()
        return [fonts.family(), "DejaVu Sans"]

    @staticmethod
    def held(study: Study) -> list[str]:
        """Say what each column of the covariates holds: a question, or its code if that is long, and which answer."""
        found = []
        for code, label in study.covariates.values():
            item = study.codebook.by_code[code]
            question = item.en if 0 < len(item.en) <= SHORT else code
            answer = label is not None and item.scale.en[label - item.scale.low]
            found.append(words("{question}: {answer}", question=question, answer=answer) if answer else question)
        return found
