"""Draw how often intervals hold what they should and tests reject, by hypothesis, against the Monte-Carlo band."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from socialcommerce.figures.colours import GRID, INK, SERIES

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["plot_rates"]

MARKERS = ("o", "s", "^", "D", "v", "P")
WORDS = {
    "coverage": {"en": "coverage of the 95 % interval", "zh": "95%区间的覆盖率"},
    "rejection": {"en": "share that rejects zero (corrected)", "zh": "拒绝零假设的比例（校正后）"},
    "band": {"en": "Monte-Carlo error of .95: simultaneous", "zh": "0.95的蒙特卡罗误差：同时"},
    "alone": {"en": "of a single rate", "zh": "单个比例"},
    "synthetic": {"en": "drawn respondents", "zh": "模拟受访者"},
}


def plot_rates(rates: pd.DataFrame, *, cells: Mapping[str, Mapping[str, str]], band: tuple[float, float],
               alone: tuple[float, float], language: str = "en") -> np.ndarray:
    """Draw coverage on the left and rejection on the right, one line a hypothesis, one mark a cell.

    Parameters
    ----------
    rates : pandas.DataFrame
        Columns ``cell``, ``id``, ``joint``, ``sets``, ``covered95``, ``rejected`` (counts); hypotheses whose interval
        is that of a least or a largest effect, and so covers more than .95, have open marks.
    cells : mapping of cell to {"en", "zh"}
        Those drawn, in this order, in words.
    band, alone : (float, float)
        Rates that chance allows where .95 is true, among all rates of the page and by itself.
    """
    from matplotlib import pyplot as plt

    names = sorted(rates["id"].unique())
    figure, axes = plt.subplots(1, 2, sharey=True, figsize=(6.3, 1.3 + 0.24 * len(names)))
    axes[0].axvspan(*band, color=GRID, linewidth=0, label=WORDS["band"][language])
    axes[0].axvspan(*alone, color=GRID, edgecolor=INK, linewidth=0, hatch="////", alpha=0.6,
                    label=WORDS["alone"][language])
    axes[1].axvline(0.05, color=INK, linewidth=0.8)
    for k, (cell, words) in enumerate(cells.items()):
        mine = rates[rates["cell"] == cell]
        for ax, count in zip(axes, ("covered95", "rejected"), strict=True):
            _marks(ax, mine, count, names, (k - (len(cells) - 1) / 2) * 0.8 / len(cells), k,
                   words[language] if ax is axes[1] else None)
    axes[0].set(xlabel=WORDS["coverage"][language], yticks=range(len(names)), yticklabels=names)
    axes[1].set(xlabel=WORDS["rejection"][language], xlim=(-0.03, 1.03))
    axes[0].invert_yaxis()
    for ax in axes:
        ax.grid(axis="x")
        ax.tick_params(axis="y", length=0)
    figure.legend(loc="outside upper center", ncols=3, title=WORDS["synthetic"][language])
    return axes


def _marks(ax: Axes, mine: pd.DataFrame, count: str, names: list[str], shift: float, k: int, label: str | None) -> None:
    for open_marks, part in mine.groupby("joint"):
        at = np.array([names.index(name) for name in part["id"]]) + shift
        face = "none" if open_marks else SERIES[k]
        ax.plot(part[count] / part["sets"], at, MARKERS[k], color=SERIES[k], markerfacecolor=face, markersize=3.5,
                label=None if open_marks else label)
