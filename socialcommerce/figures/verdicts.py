"""Draw all decided estimates on one page, effects in units of the smallest that matters."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from nbproof import words
from socialcommerce.figures.colours import GRID, INK, MUTED, SERIES
from socialcommerce.figures.style import WIDTH
from socialcommerce.verdicts import OUTCOMES, SIDES

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["plot_estimates"]

ROW, HEAD, TALLEST = 0.15, 0.92, 6.9  # inches a line, of a panel's title and axis, of all lines on one page
MARKS = {
    "with the paper": ("o", SERIES[0]),
    "undecided": ("^", SERIES[2]),
    "against the paper": ("v", SERIES[4]),
    "further questions": ("s", MUTED),
}
HOLLOW = ("consistent (proxy evidence)", "inconsistent (proxy evidence)")
AXES = {
    "public data set": "estimate / smallest effect of interest (positive: as the paper claims)",
    "published figure": "estimate / smallest effect of interest",
    "model": "share of the draws of form and parameters in which the statement holds",
}
"""Panels from top to bottom, by kind of evidence, and what each measures."""


def plot_estimates(rows: pd.DataFrame) -> np.ndarray:
    """Draw a panel for each kind of evidence, and in it a line with an interval for each estimate.

    The mark says which way the verdict points; it is hollow where the evidence is a proxy.

    Parameters
    ----------
    rows : pandas.DataFrame
        Columns of ``Assessment.summary``, with ``estimate``, ``low`` and ``high`` divided by ``smallest``.

    Returns
    -------
    ndarray of Axes
        One a panel; kinds of evidence without a row have none.
    """
    import matplotlib.pyplot as plt

    parts = [rows[rows["evidence"] == kind] for kind in AXES]
    parts = [part for part in parts if len(part)]
    row = min(ROW, TALLEST / len(rows))
    heights = [row * len(part) + HEAD for part in parts]
    _, axes = plt.subplots(len(parts), figsize=(WIDTH, sum(heights)), height_ratios=heights, squeeze=False)
    for ax, part in zip(axes.flat, parts, strict=True):
        _draw(ax, part)
        _dress(ax, part)
    return axes


def _draw(ax: Axes, part: pd.DataFrame) -> None:
    """Draw the lines of one panel, first row on top, verdicts in their order."""
    at = np.arange(len(part))
    for side, outcome in product(SIDES, OUTCOMES.values()):
        mine = ((part["outcome"] == outcome) & (part["side"] == side)).to_numpy()
        if not mine.any():
            continue
        one, (marker, colour) = part[mine], MARKS[side]
        error = np.nan_to_num([one["estimate"] - one["low"], one["high"] - one["estimate"]])
        label = words("further question: {outcome}", outcome=outcome) if side == "further questions" else outcome
        inside = "none" if outcome in HOLLOW else colour
        ax.errorbar(
            one["estimate"], at[mine], xerr=error, fmt=marker, color=colour, mfc=inside, label=label, ms=4, lw=1.1
        )


def _dress(ax: Axes, part: pd.DataFrame) -> None:
    kind = part["evidence"].iloc[0]
    ax.axvline(0, color=INK, linewidth=0.8)
    if kind == "model":
        ax.set_xlim(-0.03, 1.03)
    else:
        ax.axvspan(-1, 1, color=GRID, linewidth=0)
    named = [words("{id} {short}", id=row.id, short=row.short) for row in part.itertuples()]
    ax.set_yticks(range(len(part)), named, fontsize=7)
    ax.set_ylim(len(part) - 0.3, -0.7)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x")
    above = ("figure fraction", "axes fraction")
    ax.annotate(kind, (0, 1), (0, 5), above, "offset points", fontweight="bold", fontsize=8.5)
    ax.set_xlabel(AXES[kind], loc="right", fontsize=8)
    ax.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, fontsize=7, columnspacing=1, handletextpad=0.2)
