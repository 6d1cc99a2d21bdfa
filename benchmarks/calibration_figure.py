"""Draw how often intervals hold what they should and tests reject, by hypothesis, against the Monte-Carlo band."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from socialcommerce.figures.colours import GRID, INK, PAPER, SERIES

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["plot_rates"]

MARKERS = ("o", "s", "^", "D", "v", "P")
WORDS = {
    "covered95": "coverage of the 95 % interval",
    "rejected": "share that rejects zero (corrected)",
    "band": "where .95 is true: among all rates",
    "alone": "a single rate",
    "synthetic": "respondents drawn by a program",
}
ROW = 0.31  # inches a hypothesis


def plot_rates(
    rates: pd.DataFrame,
    *,
    cells: Mapping[str, str],
    band: tuple[float, float],
    alone: tuple[float, float],
    language: str = "en",  # noqa: ARG001 - the page is English, and who draws says so
) -> np.ndarray:
    """Draw coverage on the left and rejection on the right, one line a hypothesis, one mark a cell.

    Parameters
    ----------
    rates : pandas.DataFrame
        Columns ``cell``, ``id``, ``joint``, and ``covered95`` and ``rejected``, each with its Monte-Carlo interval in
        ``.._low`` and ``.._high``. Hypotheses about the least or the largest of several effects (``joint``), whose
        interval is built to cover at least .95, have open marks.
    cells : mapping of cell to str
        Those drawn, in this order, in words.
    band, alone : (float, float)
        Rates that chance allows in the largest cells where .95 is true, among all rates of the page and by itself.
    """
    from matplotlib import pyplot as plt

    names = sorted(rates["id"].unique())
    figure, axes = plt.subplots(1, 2, sharey=True, figsize=(6.3, 1.3 + ROW * len(names)))
    axes[0].axvspan(*band, color=GRID, linewidth=0, label=WORDS["band"])
    for end, words in zip(alone, (WORDS["alone"], None), strict=True):
        axes[0].axvline(end, color=INK, linewidth=0.8, linestyle=":", label=words)
    axes[1].axvline(0.05, color=INK, linewidth=0.8)
    for ax, count in zip(axes, ("covered95", "rejected"), strict=True):
        for k, (cell, words) in enumerate(cells.items()):
            mine = rates[rates["cell"] == cell]
            at = np.array([names.index(name) for name in mine["id"]]) + (k - (len(cells) - 1) / 2) * 0.75 / len(cells)
            _marks(ax, mine, count, at, k, words if ax is axes[1] else None)
        ax.set_xlabel(WORDS[count])
        ax.grid(axis="x")
        ax.tick_params(axis="y", length=0)
    axes[0].set_yticks(range(len(names)), names)
    axes[0].set_ylim(len(names) - 0.5, -0.5)
    axes[0].grid(visible=False, axis="y")
    axes[1].grid(visible=False, axis="y")
    figure.legend(loc="outside upper center", ncols=4, title=WORDS["synthetic"])
    return axes


def _marks(ax: Axes, mine: pd.DataFrame, count: str, at: np.ndarray, k: int, label: str | None) -> None:
    ax.hlines(at, mine[f"{count}_low"], mine[f"{count}_high"], color=SERIES[k], linewidth=0.7)
    for open_marks in (False, True):
        chosen = (mine["joint"] == open_marks).to_numpy()
        ax.plot(
            mine[count][chosen],
            at[chosen],
            MARKERS[k],
            color=SERIES[k],
            markersize=3.5,
            markerfacecolor=PAPER if open_marks else SERIES[k],
            label=None if open_marks else label,
        )
