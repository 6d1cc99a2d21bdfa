"""What the notebooks of a report tell their reader: `nbproof.Page` with figures that hold Chinese letters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import nbproof
from nbproof import Evidence, fonts, words
from surveysem import report

if TYPE_CHECKING:
    from surveysem.study import Study

__all__ = ["Evidence", "Page"]


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
        """Say which questions the covariates are, by code as tables have it and by wording."""
        asked = [study.codebook.by_code[code] for code in study.codebook.covariates]
        return [
            words("{code} ({question})", code=each.code, question=each.en) if each.en else each.code for each in asked
        ]
