"""What a page needs to run a mode under the reader's hands: the script, the sliders, the words, the loops of R0."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from socialcommerce.errors import ParameterError, UnknownNameError
from socialcommerce.modes.compartments import Mode
from socialcommerce.modes.javascript import to_javascript
from socialcommerce.modes.threshold import next_generation

__all__ = ["explorer", "loop_gains"]

WORDS = {
    "en": {"above": "the mode feeds itself", "below": "without newcomers from outside the mode dies out",
           "loops": "What each loop adds to R0: those in this state bring so many newcomers per newcomer",
           "axis": "day; vertical: share of the population", "end": "At the end", "reset": "Back to the start",
           "colon": ": ", "units": {"1": "", "1/day": " a day", "day": " days"}},
    "zh": {"above": "该模式能自我循环", "below": "没有外来新用户，该模式将走向消亡",
           "loops": "各回路对R0的贡献：每位新进入者在该状态时带来的新进入者数",
           "axis": "天；纵轴：占总人口的比例", "end": "期末", "reset": "恢复初值",
           "colon": "：", "units": {"1": "", "1/day": "/日", "day": "日"}},
}


def loop_gains(mode: Mode, parameters: Mapping[str, float] | None = None) -> pd.Series:
    """Return what each carrying state adds to R0.

    Newcomers enter in the same proportions whoever brought them (F has rank one), so R0 is a sum over states: the days
    one newcomer spends there times the newcomers brought from there a day. Each summand closes one reinforcing loop.

    Returns
    -------
    Series
        By name of the carrying state; its sum is R0.

    Raises
    ------
    ParameterError
        Where newcomers enter differently according to who brought them.

    Examples
    --------
    >>> from socialcommerce.modes.content import CONTENT, reproduction
    >>> bool(abs(loop_gains(CONTENT).sum() - reproduction()) < 1e-12)
    True
    """
    found = next_generation(mode, parameters)
    entry, brought = found.entry.sum(axis=1), found.entry.sum(axis=0)
    if not brought.any():
        return pd.Series(0.0, index=list(found.states))
    shares = entry / entry.sum()
    if not np.allclose(found.entry, np.outer(shares, brought), rtol=1e-9, atol=1e-15):
        raise ParameterError(f"newcomers of {mode.name} enter differently according to who brought them; "
                             "got F of rank two or more; allowed is rank one.")
    return pd.Series(brought * np.linalg.solve(found.transfer, shares), index=list(found.states))


def explorer(
    mode: Mode,
    sliders: Mapping[str, float],
    drawn: Sequence[str],
    *,
    parameters: Mapping[str, float] | None = None,
    initial: Mapping[str, float] | None = None,
    days: float = 730.0,
    dt: float = 1.0,
) -> dict[str, dict[str, Any]]:
    """Describe a mode that runs in the page, by language.

    Parameters
    ----------
    sliders : mapping of parameter to step
        What the reader may move, over the declared range.
    drawn : sequence of state
        Up to six states whose share is drawn.
    parameters : mapping, optional
        Values that differ from the defaults at the start.
    initial : mapping, optional
        Shares by state at day 0; everybody else is customer-free.
    days, dt : float
        Length and step of the run.

    Raises
    ------
    UnknownNameError, ParameterError
        For a parameter or state the mode does not have, or a value out of its range.
    """
    given = {name: float(value) for name, value in dict(parameters or {}).items()}
    mode.values(given)
    for name in sliders:
        if name not in mode.parameter:
            raise UnknownNameError(f"parameter of {mode.name}", name, mode.parameter)
    for name in drawn:
        if name not in mode.index:
            raise UnknownNameError(f"state of {mode.name}", name, mode.index)
    spec = {"model": to_javascript(mode), "mode": mode.name, "sliders": list(sliders.items()), "drawn": list(drawn),
            "given": given, "start": mode.start(initial).tolist(), "days": days, "dt": dt}
    return {language: {**spec, "language": language, "words": words} for language, words in WORDS.items()}
