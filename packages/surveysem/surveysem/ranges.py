"""Which numbers among answers mean no answer, and on which scale the others lie."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

POINTS = 11  # of the longest usual scale
USUAL = ((1, 5), (1, 7), (1, 10), (0, 10), (1, 4), (1, 6), (1, 9), (1, 11), (0, 4), (0, 6), (1, 3), (0, 1), (1, 2),
         (-2, 2), (-3, 3))  # fmt: skip
RARE, MANY = 0.002, 300  # share of the answers, and how many answers there are, for a number to pass as a slip
BELOW = {*range(-9, 0), -66, -77, -88, -98, -99, -666, -777, -888, -998, -999, -9999}
ABOVE = {66, 77, 88, 98, 99, 666, 777, 888, 997, 998, 999, 8888, 9998, 9999, 99999}
SMALL = {8, 9, 97}  # codes of no answer beside a scale that ends two points or more below

Array = NDArray[np.float64]


def sentinels(values: Array) -> list[int]:
    """Return the numbers that mark a missing answer to one question: of the customary ones, those that stand apart.

    Examples
    --------
    >>> sentinels(np.array([1, 2, 3, 4, 5, 99, -9.0]))
    [-9, 99]
    >>> sentinels(np.array([1, 2, 3, 4, 5, 6, 7, 8, 9.0]))
    []
    """
    seen, times = np.unique(values[np.isfinite(values)], return_counts=True)
    single = {*seen[times < 2]}
    found = []
    while len(seen) > 2:
        first, rest, head, last = seen[0], seen[1:], seen[:-1], seen[-1]
        apart = rest[0] >= 0 and rest[0] - first > max(1.0, 1.5 * float(np.median(np.diff(rest))))
        far = first <= -7 and rest[0] > first / 2 and rest[-1] - rest[0] < POINTS
        low = max(head[~np.isin(head, list(ABOVE))], default=np.inf)
        above = last in ABOVE and last > 2 * low and (low <= 20 or (last >= 997 and low < 130))
        beside = last in SMALL and last - head[-1] >= 2 and head[-1] - head[0] <= 6 and len(head) > 2
        if first in BELOW and (apart or far):
            found.append(int(first))
            seen = rest
        elif above or (beside and last not in single):  # once, it is a slip of the hand
            found.append(int(last))
            seen = head
        else:
            break
    return sorted(found)


def usual_range(values: Array, rated: bool = True) -> tuple[int, int]:
    """Return the ends of the scale on which answers lie: the smallest usual one that holds them.

    Slips of the hand, and numbers that mean no answer, do not widen it; what is counted, not rated, keeps its own ends.

    Examples
    --------
    >>> usual_range(np.array([2, 3, 5, 4])), usual_range(np.array([18, 70, 33]), rated=False)
    ((1, 5), (18, 70))
    """
    seen, times = np.unique(values[np.isfinite(values)], return_counts=True)
    left = ~np.isin(seen, sentinels(values))
    seen, times = seen[left], times[left]
    if not len(seen):
        return USUAL[0]
    whole = int(np.floor(seen[0])), int(np.ceil(seen[-1]))
    if not rated:
        return whole if whole[0] < whole[1] else (whole[0], whole[0] + 1)
    common = seen[times >= max(2, RARE * times.sum())]
    if times.sum() >= MANY and len(common):
        inner = int(common[0]), int(common[-1])
        whole = min(whole, inner, key=lambda ends: USUAL.index(_held(ends)) if _held(ends) in USUAL else len(USUAL))
    low, high = whole if whole in USUAL and times.sum() >= MANY else _held(whole)
    return (low, high) if low < high else (low, low + 1)


def _held(ends: tuple[int, int]) -> tuple[int, int]:
    """Return the first usual scale that holds these ends and begins not far below them; two answers are a scale."""
    if ends in ((0, 1), (1, 2)):
        return ends
    return next(((a, b) for a, b in USUAL if a <= ends[0] <= a + 3 and ends[1] <= b), ends)
