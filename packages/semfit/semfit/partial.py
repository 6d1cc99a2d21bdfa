"""Partial measurement invariance: let single items go where a level does not hold, until the others do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from semfit.groups import Invariance
from semfit.result import SemFit

FREED = ["level", "construct", "item", "chisq"]
HELD = {"metric": ("=~", "rhs"), "scalar": ("~1", "lhs")}  # what a level adds, and the side of it that the item is on
LEAST_ALIKE = 2  # items of a construct that stay equal
Refit = Callable[[str, pd.DataFrame], SemFit | None]


@dataclass(frozen=True)
class PartialInvariance:
    """A ladder of which what does not hold was let go, item by item.

    ``whole`` is the ladder before, ``ladder`` ends with the last level that holds so. ``freed`` has one row an item:
    level (at which it was let go), construct, item and chisq (by how much letting it go lowers that of the model).
    """

    whole: Invariance
    ladder: Invariance
    freed: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=FREED))


def partial_invariance(
    ladder: Invariance,
    scales: Mapping[str, Sequence[str]],
    refit: Refit,
    waves: Mapping[str, Sequence[str]] | None = None,
) -> PartialInvariance:
    """Let single items go where equal loadings, and then equal intercepts, do not hold.

    Of the construct with the largest score test, the item goes first that lowers chi-square most by it, and so on until
    CFI and RMSEA allow. Two items of every construct at least stay equal; where that does not do, the level is not
    reached. At other levels nothing goes.

    Parameters
    ----------
    ladder : Invariance
        With nothing let go; of numbers, not of ordered items.
    scales : mapping of str to sequence of str
        The items of every construct.
    refit : callable
        Fits a level without the equality of what was let go (``freed`` of :class:`PartialInvariance`), or returns None
        where that has no solution.
    waves : mapping of str to sequence of str, optional
        By item, the variables in which it was asked at several waves.

    References
    ----------
    Byrne, Shavelson & Muthén (1989), doi:10.1037/0033-2909.105.3.456.
    """
    freed, fits = pd.DataFrame(columns=FREED), {"configural": ladder.fits["configural"]}
    for level in list(ladder.fits)[1:]:
        gone, fit = freed, refit(level, freed) if len(freed) else ladder.fits[level]
        while fit is None or not Invariance(fits | {level: fit}).table["holds_indices"].iloc[-1]:
            if fit is None or (found := _let_go(scales, refit, waves or {}, level, fit, gone)) is None:
                return PartialInvariance(ladder, Invariance(fits), freed)
            fit, gone = found
        fits, freed = fits | {level: fit}, gone
    return PartialInvariance(ladder, Invariance(fits), freed)


def _let_go(
    scales: Mapping[str, Sequence[str]],
    refit: Refit,
    waves: Mapping[str, Sequence[str]],
    level: str,
    fit: SemFit,
    gone: pd.DataFrame,
) -> tuple[SemFit, pd.DataFrame] | None:
    """Fit a level without one equality more; None where no construct has more than two items that are equal."""
    if level not in HELD:
        return None
    op, side = HELD[level]
    kept = {name: [item for item in items if item not in [*gone["item"]]] for name, items in scales.items()}
    several = {item: name for name, items in kept.items() for item in items if len(items) > LEAST_ALIKE}
    construct = {each: name for item, name in several.items() for each in waves.get(item, [item])}
    tests = Invariance({level: fit}).partial(level)
    worst = tests[tests["op"] == op][side].map(construct).dropna()
    solved = []
    for item in kept[worst.iloc[0]] if len(worst) else ():
        rows = [*gone.itertuples(index=False), (level, worst.iloc[0], item, np.nan)]
        more = pd.DataFrame(rows, columns=FREED)
        solved += [(one, more)] if (one := refit(level, more)) else []
    if not solved:
        return None
    best, more = min(solved, key=lambda each: each[0].test.chisq)
    more.iloc[-1, -1] = fit.test.chisq - best.test.chisq
    return best, more
