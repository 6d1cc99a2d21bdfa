"""Draw how many claims and hypotheses there are, and how far each is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from socialcommerce.figures.style import GRID, INK, PAPER, SERIES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from socialcommerce.evidence import Tally

__all__ = ["plot_claims_by_section", "plot_hypotheses_by_evidence"]

LABELS = {
    "claims": {"en": "number of claims", "zh": "论断数"},
    "section": {"en": "section of the paper", "zh": "论文章节"},
    "hypotheses": {"en": "number of hypotheses", "zh": "假设数"},
}
FILLS = ((SERIES[0], PAPER, None), (SERIES[1], INK, None), (SERIES[3], INK, "//"), (GRID, INK, None))
"""Fill, colour of the count on it, and hatch of each column, from the firmest to the emptiest."""


def plot_claims_by_section(tally: Tally, *, language: str = "en", ax: Axes | None = None) -> Axes:
    """Draw the claims of each section as a bar, divided by state.

    Parameters
    ----------
    tally : Tally
        ``evidence.assess_all().by_section()``.
    language : {"en", "zh"}
        Of the labels.
    ax : matplotlib Axes, optional
        Where to draw; by default a new figure.
    """
    ax = _stacked(tally, language, ax)
    ax.set(xlabel=LABELS["claims"][language], ylabel=LABELS["section"][language])
    return ax


def plot_hypotheses_by_evidence(tally: Tally, *, language: str = "en", ax: Axes | None = None) -> Axes:
    """Draw the hypotheses on each kind of evidence as a bar, divided by grade.

    Parameters
    ----------
    tally : Tally
        ``evidence.assess_all().by_evidence()``.
    language, ax
        As in :func:`plot_claims_by_section`.
    """
    ax = _stacked(tally, language, ax)
    ax.set_xlabel(LABELS["hypotheses"][language])
    return ax


def _stacked(tally: Tally, language: str, ax: Axes | None) -> Axes:
    """Draw one horizontal bar a row, first row on top, with its counts written on it."""
    import matplotlib.pyplot as plt

    ax = plt.subplots()[1] if ax is None else ax
    names, left = [words[language] for words in tally.rows.values()], 0 * tally.counts.iloc[:, 0]
    for (column, words), (fill, ink, hatch) in zip(tally.columns.items(), FILLS, strict=True):
        widths = tally.counts[column]
        bars = ax.barh(names, widths, left=left, color=fill, hatch=hatch, label=words[language], linewidth=0)
        texts = ax.bar_label(bars, [str(width) if width else "" for width in widths], label_type="center", color=ink)
        plt.setp(texts, fontsize=8, bbox={"facecolor": fill, "edgecolor": "none", "pad": 1.5} if hatch else None)
        left = left + widths
    ax.invert_yaxis()
    ax.margins(x=0.03)
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x")
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=len(tally.columns))
    return ax
