"""How often something came out, such as an interval's coverage or a test's size, with its Monte-Carlo error."""

from __future__ import annotations

from dataclasses import dataclass

from stockflow.errors import ParameterError

__all__ = ["Rate", "rate"]

METHODS = ("wilson", "exact")


@dataclass(frozen=True)
class Rate:
    """A share p of n trials, its interval ``[low, high]`` and its Monte-Carlo standard error sqrt(p (1 - p) / n)."""

    successes: int
    trials: int
    estimate: float
    error: float
    low: float
    high: float
    level: float
    method: str


def rate(successes: int, n: int, *, level: float = 0.95, method: str = "wilson") -> Rate:
    """Return a share and its confidence interval.

    Parameters
    ----------
    successes, n : int
        How often it came out, of how many trials; 0 <= successes <= n, n >= 1.
    level : float
        Of confidence, between 0 and 1.
    method : {"wilson", "exact"}
        The score interval (Wilson 1927, doi:10.1080/01621459.1927.10502953), close to its level on average, or the
        exact one (Clopper & Pearson 1934, doi:10.1093/biomet/26.4.404), never below it.

    Raises
    ------
    ParameterError
        When a number or the method is out of range.

    Examples
    --------
    >>> found = rate(948, 1000)
    >>> round(found.low, 3), round(found.high, 3), round(found.error, 4)
    (0.932, 0.96, 0.007)
    """
    from scipy.stats import binomtest

    if n < 1 or not 0 <= successes <= n:
        raise ParameterError(f"successes are a count out of n; got {successes} of {n}; allowed: 0 to n, n at least 1.")
    if not 0 < level < 1 or method not in METHODS:
        raise ParameterError(f"level and method are out of range; got {level} and {method!r}; "
                             f"allowed: between 0 and 1, and {' or '.join(METHODS)}.")
    share = successes / n
    interval = binomtest(int(successes), int(n)).proportion_ci(level, method=method)
    return Rate(int(successes), int(n), share, (share * (1 - share) / n) ** 0.5, float(interval.low),
                float(interval.high), level, method)
