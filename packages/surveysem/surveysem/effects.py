"""Effects with their errors, the least or largest of several, tests of them, and what a test says.

A test of an effect has an interval and, for equivalence, a narrower one; it is read against the smallest effect of
interest. Tests of a family share its error rate.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf, isfinite
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from nbproof import words
from surveysem.errors import DataError, require

Interval = tuple[float, float]
REASONS = tomllib.loads(Path(__file__).with_name("reasons.toml").read_text(encoding="utf-8"))
SLACK = 1e-9  # differences of decimal figures carry binary dust; far below any printed digit


@dataclass(frozen=True)
class NotTestable:
    """Stands where the data cannot carry a test, and says why not, so that tables stay whole."""

    reason: Any


def untestable(key: str, /, **values: Any) -> NotTestable:
    """Return one of the ``REASONS`` with its values, in words that can be translated."""
    return NotTestable(words(REASONS[key], **values))


@dataclass(frozen=True)
class Effect:
    """An estimate, its standard error (both in one unit), observations behind it, and degrees of freedom."""

    estimate: float
    standard_error: float
    n: int
    df: float = inf

    @property
    def p_value(self) -> float:
        """Two-sided, of no effect, by Student's t."""
        from scipy.stats import t

        return float(2 * t.sf(abs(self.estimate) / self.standard_error, self.df))

    def interval(self, level: float = 0.95) -> Interval:
        """Interval of a level in (0, 1).

        >>> [round(end, 2) for end in Effect(1.0, 0.5, 100).interval()]
        [0.02, 1.98]
        """
        from scipy.stats import t

        reach = float(t.ppf((1 + level) / 2, self.df)) * self.standard_error
        return self.estimate - reach, self.estimate + reach

    def test(self, alpha: float) -> EffectTest:
        """Return a test of it: both intervals and the p value, by Student's t.

        Parameters
        ----------
        alpha : float
            The error rate left to this test by its family, from :func:`adjust`: the interval has level 1 - alpha, that
            of the equivalence test, two one-sided tests, 1 - 2 alpha (Schuirmann 1987, doi:10.1007/BF01068419).

        Examples
        --------
        >>> [round(end, 2) for end in Effect(0.3, 0.1, 200).test(0.05).interval]
        [0.1, 0.5]
        """
        require(0 < self.standard_error < inf, "standard_error", self.standard_error, "a finite number above 0")
        return least([self.estimate], self.interval, self.n, alpha=alpha, p_values=[self.p_value])

    def cells(self, names: tuple[str, str]) -> dict[str, float]:
        """Return what a table shows of it: estimate and standard error under two names, low, high and p."""
        low, high = self.interval()
        own = dict(zip(names, (self.estimate, self.standard_error), strict=True))
        return own | {"low": low, "high": high, "p": self.p_value}


Array = np.ndarray
Intervals = Callable[[float], tuple[ArrayLike, ArrayLike] | np.ndarray]
"""From a level in (0, 1) to the lower and the upper ends of equal-tailed intervals, one of each an effect."""


def least(
    estimates: ArrayLike, intervals: Intervals, n: int, *, alpha: float = 0.05, p_values: ArrayLike | None = None
) -> EffectTest:
    """Return the least of K effects, of which a claim needs each (intersection-union: Berger & Hsu 1996).

    The interval is [min L_k, min U_k], L_k from intervals of level 1 - alpha and U_k from level 1 - alpha / K. It holds
    the least true effect with probability 1 - alpha or more, however the estimates depend on one another:

    - Let m be the effect that is truly least. min L_k exceeds it only if L_m does: probability alpha / 2 at most.
    - If min U_k = U_j is below the least effect, it is below effect j: U_j missed. Over K effects, alpha / (2 K) each,
      this has probability alpha / 2 at most.

    Parameters
    ----------
    estimates : array, shape (K,)
        In one unit.
    intervals : callable
        From a level to lower and upper ends, shape (K,) each: bootstrap percentiles, normal intervals.
    n : int
        Observations.
    alpha : float
        Of the two-sided interval, in (0, 0.5).
    p_values : array, shape (K,), optional
        Two-sided, of each effect. With p the one-sided p values of "not above zero", q those of "not below zero", the
        least has p value min(1, 2 max p, 2 K min q): the interval excludes zero exactly when it is below alpha.

    Raises
    ------
    ParameterError, DataError
        For another alpha, or an estimate that is no finite number.

    References
    ----------
    Berger & Hsu (1996), doi:10.1214/ss/1032280304.

    Examples
    --------
    >>> found = least([0.3, 0.2], normal([0.3, 0.2], [0.1, 0.05]), 100, p_values=[0.0027, 0.0001])
    >>> found.estimate, [round(end, 3) for end in found.interval], round(found.p_value, 4)
    (0.2, [0.102, 0.312], 0.0027)
    """
    e = _estimates(estimates, alpha)

    def interval(alpha: float) -> Interval:
        return float(np.min(intervals(1 - alpha)[0])), float(np.min(intervals(1 - alpha / len(e))[1]))

    p_value = None
    if p_values is not None:
        p = np.asarray(p_values, dtype=float)
        above, below = np.where(e > 0, [p / 2, 1 - p / 2], [1 - p / 2, p / 2])
        p_value = float(min(1.0, 2 * above.max(), 2 * len(e) * below.min()))
    return _tested(float(e.min()), n, interval, alpha, p_value, int(e.argmin()))


def largest(
    estimates: ArrayLike, intervals: Intervals, n: int, *, alpha: float = 0.05, p_values: ArrayLike | None = None
) -> EffectTest:
    """Return the largest absolute value of K effects: that each is small is claimed by its upper end.

    An interval [L, U] of an effect bounds its absolute value between max(L, -U, 0) and max(-L, U). The interval of the
    largest is [max of the lower bounds at level 1 - alpha / (2 K), max of the upper bounds at level 1 - alpha]. It
    holds the largest true one with probability 1 - alpha or more, however the estimates depend on one another:

    - If a lower bound exceeds the largest absolute effect it exceeds that of its own effect: this interval missed.
      Over K effects, alpha / (2 K) each, both tails counted, this has probability alpha / 2 at most.
    - Let m be the effect that is truly largest. If all upper bounds are below it, so is that of m: its interval ended
      before it on one side, probability alpha / 2 at most.

    The estimate is biased away from zero where the effects are small against their errors; the interval allows for it.

    Parameters
    ----------
    estimates, intervals, n, alpha
        As of :func:`least`.
    p_values : array, shape (K,), optional
        Two-sided, of each effect; that all are zero then has p value min(1, K min p) (Bonferroni).

    Examples
    --------
    >>> found = largest([0.3, -0.4], normal([0.3, -0.4], [0.1, 0.1]), 100)
    >>> round(found.estimate, 3), [round(end, 3) for end in found.interval]
    (0.4, [0.15, 0.596])
    """
    e = _estimates(estimates, alpha)

    def interval(alpha: float) -> Interval:
        low, high = map(np.asarray, intervals(1 - alpha / (2 * len(e))))
        bound = max(0.0, float(np.max([low, -high])))
        low, high = map(np.asarray, intervals(1 - alpha))
        return bound, float(np.max([-low, high]))

    p_value = None if p_values is None else float(min(1.0, len(e) * np.min(p_values)))
    return _tested(float(np.abs(e).max()), n, interval, alpha, p_value, int(np.abs(e).argmax()))


def normal(estimates: ArrayLike, standard_errors: ArrayLike) -> Intervals:
    """Return normal intervals as a function of their level.

    >>> low, high = normal([1.0], [0.5])(0.95)
    >>> [round(float(end), 2) for end in (low[0], high[0])]
    [0.02, 1.98]
    """
    from scipy.special import ndtri

    e, se = np.asarray(estimates, dtype=float), np.asarray(standard_errors, dtype=float)
    return lambda level: (e - ndtri((1 + level) / 2) * se, e + ndtri((1 + level) / 2) * se)


def _estimates(estimates: ArrayLike, alpha: float) -> Array:
    require(0 < alpha < 0.5, "alpha", alpha, "a number in (0, 0.5)")
    e = np.asarray(estimates, dtype=float)
    if e.ndim != 1 or not len(e) or not np.isfinite(e).all():
        raise DataError(f"the effects to compare are {e.tolist()}; allowed: one finite number or more, in a row.")
    return e


def _tested(
    estimate: float, n: int, interval: Callable[[float], Interval], alpha: float, p_value: float | None, which: int
) -> EffectTest:
    """Return a test; ``interval`` goes from an error rate to the ends, that of the equivalence test has twice its."""
    return EffectTest(estimate, n, interval(alpha), 1 - alpha, interval(2 * alpha), 1 - 2 * alpha, p_value, which=which)


@dataclass(frozen=True)
class EffectTest:
    """What the data say about one effect.

    Parameters
    ----------
    estimate : float
        In any unit; the intervals are in the same.
    n : int
        Observations behind it.
    interval, level : (float, float), float, optional
        Interval and its level in (0, 1), both or neither.
    equivalence_interval, equivalence_level : optional
        The narrower interval of the equivalence test; without it the wider one serves.
    p_value : float, optional
        In [0, 1], two-sided, not adjusted.
    truth : float, optional
        The value a synthetic sample was drawn with.
    which : int
        The effect that gave the estimate where it is the least or the largest of several, counted from 0.

    Raises
    ------
    ParameterError
        When a value is out of its range.
    """

    estimate: float
    n: int
    interval: Interval | None = None
    level: float | None = None
    equivalence_interval: Interval | None = None
    equivalence_level: float | None = None
    p_value: float | None = None
    truth: float | None = None
    which: int = 0

    def __post_init__(self) -> None:
        require(isfinite(self.estimate), "estimate", self.estimate, "a finite number")
        require(self.n >= 1, "n", self.n, "at least 1")
        for name in ("", "equivalence_"):
            interval, level = getattr(self, f"{name}interval"), getattr(self, f"{name}level")
            whole = interval is not None and level is not None and interval[0] <= interval[1] and 0 < level < 1
            allowed = "both or neither; lower end first, level in (0, 1)"
            require(whole or interval is level is None, f"{name}interval with its level", (interval, level), allowed)
        require(self.p_value is None or 0 <= self.p_value <= 1, "p_value", self.p_value, "a probability in [0, 1]")


def decide(
    test: EffectTest, *, smallest: float, direction: str = "positive", alpha: float = 0.05, name: str = "the effect"
) -> str:
    """Say what a test comes to: supported, contradicted, not supported or inconclusive.

    An effect in the expected direction is supported where its interval excludes zero on that side and the estimate
    reaches the smallest effect of interest, contradicted where both hold on the other side, and not supported where the
    interval of the equivalence test lies within plus and minus that size. An effect expected to be nil is supported
    where the last holds.

    Parameters
    ----------
    smallest : float
        Effect of interest, above 0, in the unit of the estimate.
    direction : {"positive", "negative", "equal"}
    alpha : float
        The error rate that the family's correction leaves to this test; the interval must have level 1 - alpha or more.
    name : str
        What an error calls the effect.

    Raises
    ------
    ParameterError
        When an interval is missing, or too narrow for the correction.

    Examples
    --------
    >>> test = Effect(0.3, 0.1, 200).test(0.05)
    >>> decide(test, smallest=0.1), decide(test, smallest=0.1, direction="negative"), decide(test, smallest=0.5)
    ('supported', 'contradicted', 'not supported')
    """
    for kind, level, needed in (("", test.level, 1 - alpha), ("equivalence ", test.equivalence_level, 1 - 2 * alpha)):
        enough = bool(kind) if level is None else level >= needed - SLACK
        allowed = f"at least {needed:.6g}, as the family's correction asks"
        require(enough, f"level of the {kind}interval of {name}", level, allowed)
    outer: Any = test.interval
    inner = test.equivalence_interval or outer
    sign = -1 if direction == "negative" else 1
    (low, high), estimate = sorted(sign * end for end in outer), sign * test.estimate
    above, below = low > 0 and estimate >= smallest, high < 0 and estimate <= -smallest
    equivalent = -smallest < min(inner) and max(inner) < smallest
    if direction == "equal":
        return "contradicted" if above or below else "supported" if equivalent else "inconclusive"
    return "supported" if above else "contradicted" if below else "not supported" if equivalent else "inconclusive"


@dataclass(frozen=True)
class Adjusted:
    """One test inside its family: adjusted p value, the error rate left to its interval, is the null rejected."""

    p_value: float
    alpha: float
    rejected: bool


def adjust(p_values: Mapping[str, float], alpha: float) -> dict[str, Adjusted]:
    """Correct the p values of a family by Holm's method, and say at which level each interval agrees with its test.

    The test of rank r of m is made at alpha / (m - r + 1), and all after the first that is not rejected at that one's
    rate (Holm 1979). An interval of level 1 minus that rate excludes zero exactly when the corrected test rejects.

    Parameters
    ----------
    p_values : mapping of name to p value
        All tests of the family, in [0, 1].
    alpha : float
        The error rate that they share, in (0, 1).

    Raises
    ------
    ParameterError
        For a number out of its range.

    Examples
    --------
    >>> {name: round(one.alpha, 4) for name, one in adjust({"a": 0.001, "b": 0.2, "c": 0.02}, 0.05).items()}
    {'a': 0.0167, 'b': 0.05, 'c': 0.025}
    """
    require(0 < alpha < 1, "alpha", alpha, "the error rate of the family, a number in (0, 1)")
    for name, p in p_values.items():
        require(0 <= p <= 1, f"p value of {name}", p, "a probability in [0, 1]")
    if not p_values:
        return {}
    from statsmodels.stats.multitest import multipletests  # heavy: only where tests are made

    every, m = np.array([*p_values.values()]), len(p_values)
    rejected, values, _, _ = multipletests(every, alpha, "holm")
    rank, passed = every.argsort(kind="stable").argsort(), int(rejected.sum())
    rates = alpha / (m - np.minimum(rank, min(passed, m - 1)))  # the family's, divided by so many tests
    found = zip(p_values, values.tolist(), rates.tolist(), rejected.tolist(), strict=True)
    return {name: Adjusted(*each) for name, *each in found}
