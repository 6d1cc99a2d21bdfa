"""Draw how far the claims are, and all decided estimates on one page, effects in units of the smallest that matters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from socialcommerce.figures.forest import plot_forest
from socialcommerce.figures.style import GRID, INK, PAPER, SERIES, WIDTH
from socialcommerce.verdicts import OUTCOMES

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from socialcommerce.evidence import Tally

__all__ = ["plot_bands", "plot_claims_by_section", "plot_estimates", "plot_hypotheses_by_evidence"]

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
    fills = FILLS[:1] + FILLS[1 - len(tally.columns):]
    for (column, words), (fill, ink, hatch) in zip(tally.columns.items(), fills, strict=True):
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


ROW, HEAD, TALLEST = 0.155, 0.68, 6.9  # inches a line, of a panel's legend and axis, of all lines on one page
# Marks in their order: holds, holds by proxy, undecided, against by proxy, against, too small to matter.
TONES = {
    "effects": ("supported", "consistent (proxy)", "inconclusive", "inconsistent (proxy)", "contradicted",
                "not supported"),
    "synthetic": ("recovered", "consistent (proxy)", "inconclusive", "inconsistent (proxy)", "not recovered"),
    "models": ("follows", "consistent (proxy)", "depends", "inconsistent (proxy)", "does not follow"),
}
AXES = {
    "effects": {"en": "estimate / smallest effect of interest; above zero as the paper claims",
                "zh": "估计值÷最小关注效应；正值与论断方向一致"},
    "synthetic": {"en": "estimate / smallest effect of interest; drawn by a program, not people",
                  "zh": "估计值÷最小关注效应；程序生成，并非真实人群"},
    "models": {"en": "share of the parameter sets for which the statement holds", "zh": "陈述成立的参数组比例"},
}


def plot_estimates(rows: pd.DataFrame, *, language: str = "en") -> np.ndarray:
    """Draw one panel of estimates a kind of scale, one under the other.

    Parameters
    ----------
    rows : pandas.DataFrame
        ``evidence.told.estimates(assessment)``.
    language : {"en", "zh"}
        Of the labels.
    """
    import matplotlib.pyplot as plt

    parts = {name: rows[rows["panel"] == name] for name in TONES}
    parts = {name: part for name, part in parts.items() if len(part)}
    lines = [len(part) + 1.4 * part["group"].map(str).nunique() for part in parts.values()]
    heights = [min(ROW, TALLEST / sum(lines)) * count + HEAD for count in lines]
    figure, axes = plt.subplots(len(parts), figsize=(WIDTH, sum(heights)), height_ratios=heights, squeeze=False)
    for ax, (name, part) in zip(axes.flat, parts.items(), strict=True):
        model = name == "models"
        shown = part if part["truth"].notna().any() else part.drop(columns="truth")
        plot_forest(shown, axis=AXES[name], tones={tone: OUTCOMES[tone] for tone in TONES[name]},
                    smallest=None if model else 1, synthetic=name == "synthetic", language=language, ax=ax)
        ax.tick_params(axis="y", labelsize=7)
        ax.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=3, fontsize=7.5)
        ax.set_xlabel(AXES[name][language], loc="right", fontsize=8)
        if model:
            ax.set_xlim(-0.03, 1.03)
    return axes


def plot_bands(rows: pd.DataFrame, *, axis: dict[str, str], language: str = "en") -> Axes:
    """Draw a mean with its interval for each band, one beside the other in order.

    Parameters
    ----------
    rows : pandas.DataFrame
        Columns ``band`` ({"en", "zh"} or text), ``estimate``, ``low``, ``high`` and ``n``.
    axis : {"en", "zh"}
        What is measured, with its unit.
    """
    import matplotlib.pyplot as plt

    ax = plt.subplots()[1]
    at = np.arange(len(rows))
    error = [rows["estimate"] - rows["low"], rows["high"] - rows["estimate"]]
    ax.errorbar(at, rows["estimate"], yerr=error, fmt="o", linewidth=1.4)
    names = [(band if isinstance(band, str) else band[language]).replace("$", r"\$") for band in rows["band"]]
    ax.set_xticks(at, [f"{name}\nn = {n:,}" for name, n in zip(names, rows["n"], strict=True)], fontsize=7)
    ax.set_xlim(-0.5, len(rows) - 0.5)
    if rows["low"].min() < 0:
        ax.axhline(0, color=INK, linewidth=0.8)
    ax.set_ylabel(axis[language])
    return ax
