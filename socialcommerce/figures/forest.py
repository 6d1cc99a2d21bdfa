"""Draw estimates with their intervals one under the other: paths, indirect effects, verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from socialcommerce.figures.colours import GRID, INK, MARKERS, SERIES
from socialcommerce.figures.style import new_axes

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["plot_forest"]

WORDS = {
    "synthetic": {"en": "synthetic sample", "zh": "合成样本"},
    "truth": {"en": "truth it was drawn with", "zh": "生成样本的真值"},
    "none": {"en": "nothing to draw", "zh": "没有可画的结果"},
    "smallest": {"en": "smaller than the smallest effect of interest", "zh": "小于最小关注效应"},
}
ROW = 0.2  # inches a line


def plot_forest(rows: pd.DataFrame, *, axis: str | Mapping[str, str], tones: Mapping[str, Mapping[str, str]],
                smallest: float | None = None, synthetic: bool = False, language: str = "en",
                ax: Axes | None = None) -> Axes:
    """Draw one line an estimate, under the head of its group, marked by its tone.

    Parameters
    ----------
    rows : pandas.DataFrame
        Columns ``label`` and ``group`` ({"en", "zh"} or text), ``estimate``, ``low``, ``high``, ``tone`` (a key of
        ``tones``) and perhaps ``truth``; lines of a group stand together.
    axis : str or {"en", "zh"}
        What is measured, with its unit.
    tones : mapping of tone to words
        Marker and colour, in this order, and what they mean.
    smallest : float, optional
        Half the width of the band around zero that does not matter.
    synthetic : bool
        Say on the figure's face that the rows were drawn by a program.
    """
    heads, places = _places(rows, language)
    bottom = max((*places, *(at for at, _ in heads)), default=0)
    ax = new_axes(1.3 + ROW * (bottom + 1)) if ax is None else ax
    if smallest is not None:
        ax.axvspan(-smallest, smallest, color=GRID, linewidth=0, label=WORDS["smallest"][language])
    ax.axvline(0, color=INK, linewidth=0.8)
    for k, (tone, words) in enumerate(tones.items()):
        mine = (rows["tone"] == tone).to_numpy()
        if mine.any():
            _draw(ax, rows[mine], places[mine], k, words[language])
    if "truth" in rows:
        known = rows["truth"].notna().to_numpy()
        ax.plot(rows["truth"][known], places[known], linestyle="none", marker="x", color=INK, markersize=5,
                markeredgewidth=1.1, label=WORDS["truth"][language], zorder=3)
    _dress(ax, heads, places, [_say(label, language) for label in rows["label"]], bottom)
    ax.set_xlabel(named(axis, synthetic, language))
    if len(rows):
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1))
    else:
        ax.text(0.5, 0.5, WORDS["none"][language], transform=ax.transAxes, ha="center")
    return ax


def named(axis: str | Mapping[str, str], synthetic: bool, language: str) -> str:
    """Return an axis's name; on a figure of a synthetic sample it says so."""
    return _say(axis, language) + (f" · {WORDS['synthetic'][language]}" if synthetic else "")


def _places(rows: pd.DataFrame, language: str) -> tuple[list[tuple[float, str]], np.ndarray]:
    """Return where the heads of groups and the lines stand, counted downward."""
    heads, places, at, last = [], [], -1.0, None
    for group in rows["group"]:
        name = _say(group, language)
        if name != last and name:
            at += 1.0 if last is None else 1.4
            heads.append((at, name))
        last, at = name, at + 1.0
        places.append(at)
    return heads, np.array(places)


def _draw(ax: Axes, rows: pd.DataFrame, places: np.ndarray, k: int, words: str) -> None:
    error = np.nan_to_num([rows["estimate"] - rows["low"], rows["high"] - rows["estimate"]])
    ax.errorbar(rows["estimate"], places, xerr=np.abs(error), fmt=MARKERS[k % len(MARKERS)],
                color=SERIES[k % len(SERIES)], markersize=4, linewidth=1.2, label=words)


def _dress(ax: Axes, heads: list[tuple[float, str]], places: np.ndarray, labels: list[str], bottom: float) -> None:
    ax.set_yticks([*places, *(at for at, _ in heads)], [*labels, *(name for _, name in heads)])
    for tick in ax.get_yticklabels()[len(labels):]:
        tick.set_weight("bold")
    ax.set_ylim(bottom + 0.7, -0.7)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x")


def _say(words: str | Mapping[str, str], language: str) -> str:
    return words if isinstance(words, str) else words[language]
