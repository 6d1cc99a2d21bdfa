"""Draw random numbers by key and counter (splitmix64): the same wherever and in whatever order they are drawn.

Every function takes numpy arrays of uint64 as well as scalars, and numba compiles the same lines, so that a compiled
and an interpreted run agree to the bit. Multiplication wraps round at 64 bits on purpose.
"""

from __future__ import annotations

import numpy as np

GOLDEN = np.uint64(0x9E3779B97F4A7C15)  # 2**64 / golden ratio, odd: the step of splitmix64
_A, _B = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_30, _27, _31, _11, _37 = (np.uint64(k) for k in (30, 27, 31, 11, 37))
UNIT = 2.0**-53
COARSE, FINE, GROUPS = np.uint64(1), np.uint64(2), np.uint64(3)  # streams within a step
TERMS = tuple(1.0 / k for k in range(18, 1, -1))  # of the series of 1 - exp(-x); the next is below 1e-17 at x = 1


def mix(x):
    """Return splitmix64's finaliser of x (Steele, Lea & Flood 2014, doi:10.1145/2660193.2660195).

    Examples
    --------
    >>> with np.errstate(over="ignore"):  # the first output of the published generator seeded with 0
    ...     hex(mix(np.uint64(0) + GOLDEN))
    '0xe220a8397b1dcdaf'
    """
    x = (x ^ (x >> _30)) * _A
    x = (x ^ (x >> _27)) * _B
    return x ^ (x >> _31)


def unit(x):
    """Return the upper 53 bits of x as a number in [0, 1)."""
    return (x >> _11) * UNIT


def refined(coarse, fine):
    """Return a number in [0, 1) whose first 16 bits are `coarse` and whose other 37 come from `fine`."""
    return ((coarse << _37) | (fine >> _27)) * UNIT


def leaving(x):
    """Return 1 - exp(-x) for x in [0, 1] to 2e-16 by its series.

    A library's exponential may differ in the last bit between numpy and a compiler; sums and products do not.

    Examples
    --------
    >>> x = np.linspace(0, 1, 1001)
    >>> bool(np.abs(leaving(x) + np.expm1(-x)).max() < 2.3e-16)
    True
    """
    r = 1.0
    for inverse in TERMS:
        r = 1.0 - x * inverse * r
    return x * r


def key_of(seed, *path: int) -> np.uint64:
    """Return the key of a run from its seed (and of a part of it, from the part's number)."""
    return np.random.SeedSequence(seed, spawn_key=path).generate_state(1, np.uint64)[0]


def poisson_table(mean: float) -> np.ndarray:
    """Return P(X <= k) for k = 0, 1, ... until 1 is reached: a draw is the number of entries not above u.

    Examples
    --------
    >>> poisson_table(0.0).tolist(), poisson_table(0.5)[:2].round(4).tolist()
    ([1.0], [0.6065, 0.9098])
    """
    from scipy.stats import poisson

    top = int(mean + 12 * np.sqrt(mean) + 20)  # the tail beyond is below 2**-53
    table = poisson.cdf(np.arange(top + 1), mean) if mean > 0 else np.ones(1)
    table[-1] = 1.0
    return table[: int(np.argmax(table == 1.0)) + 1]
