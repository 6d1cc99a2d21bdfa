"""Means and covariances of incomplete data by the EM algorithm, and each variable's own from the rows that hold it."""

from __future__ import annotations

import numpy as np

from semfit.columns import correlation
from semfit.errors import DataError
from semfit.missing import Expectation, MissingPatterns, Patterns

Array = np.ndarray
COMBINED, ALONE = 300, 200  # steps of EM at most
MEMORY = 30  # how many a step is combined with


def saturated(patterns: Patterns | MissingPatterns) -> tuple[Array, Array, bool]:
    """Return mean and covariance (divisor N) of the unrestricted normal model, and whether they are its maximum.

    In few rows the likelihood may have none but grow towards singular covariances; then what EM alone comes to.

    References
    ----------
    Dempster, Laird & Rubin (1977), doi:10.1111/j.2517-6161.1977.tb01600.x; its steps combined: Anderson (1965),
    doi:10.1145/321296.321305; Walker & Ni (2011), doi:10.1137/10078356X.
    """
    try:
        found, settled = _climb(patterns, COMBINED, MEMORY)
    except np.linalg.LinAlgError:
        settled = False
    if settled and np.linalg.eigvalsh(correlation(found[1:]))[0] > 1e-8:
        return found[0], found[1:], True
    try:
        found, settled = _climb(patterns, ALONE, 0)
    except np.linalg.LinAlgError:
        raise DataError(
            "the incomplete data have no covariance matrix: some variables determine one another in the few rows "
            "that hold them together; leave one of them out or use more rows."
        ) from None
    return found[0], found[1:], settled


def _climb(patterns: Patterns | MissingPatterns, limit: int, memory: int) -> tuple[Array, bool]:
    """Return the mean above the covariance, (p + 1, p), and whether EM leaves them as they are.

    Near the end EM is linear: what earlier changes of its step foretell of the next one is taken at once.
    """
    mean, variance = by_variable(patterns)
    size = np.sqrt(variance)
    scale = np.vstack([size, np.outer(size, size)]).ravel()
    now = before = previous = np.vstack([mean, np.diag(variance)]).ravel()
    last = np.inf
    turns, gains = np.empty((2, 0, len(now)))  # changes of the step, made orthonormal, and of EM's answer with them
    for _ in range(limit):
        try:
            answer = _expected(patterns, now.reshape(-1, len(mean))).ravel()
        except np.linalg.LinAlgError:
            if not len(turns):
                raise
            now, turns, gains, last = before, turns[:0], gains[:0], np.inf
            continue
        step = (answer - now) / scale
        change = np.abs(step).max()
        if change < 1e-12:
            break
        if change > 2 * last:
            turns, gains = turns[:0], gains[:0]
        elif memory and last < np.inf:
            turn, gain = step - previous, answer - before
            turn, gain = turn - (known := turns @ turn) @ turns, gain - known @ gains
            length = np.sqrt(turn @ turn)
            turns = np.vstack([turns[1 - memory :], turn / length])
            gains = np.vstack([gains[1 - memory :], gain / length])
        before, previous, last = answer, step, change
        now = answer - (turns @ step) @ gains
    return answer.reshape(-1, len(mean)), bool(change < 1e-12)


def _expected(patterns: Patterns | MissingPatterns, now: Array) -> Array:
    """Return what EM makes of the mean above the covariance; LinAlgError where that is not definite."""
    mean, covariance = now[0], now[1:]
    if isinstance(patterns, MissingPatterns):
        point = Expectation.at(patterns, covariance, mean)
        expected = (point.moments + point.uncertainty) / patterns.nobs.sum()
        step, product = expected[:-1, -1], expected[:-1, :-1]
    else:
        np.linalg.cholesky(covariance)
        share = patterns.nobs / patterns.nobs.sum()
        W = np.linalg.inv(patterns.held(covariance)) * patterns.mask[:, None, :]
        e = (W @ (patterns.mean - mean)[..., None])[..., 0]
        gap = W @ patterns.covariance @ W - W
        gap = (share @ gap.reshape(len(share), -1)).reshape(covariance.shape) + (e.T * share) @ e
        step, product = covariance @ (share @ e), covariance + covariance @ gap @ covariance
    new = product - np.outer(step, step)
    return np.vstack([mean + step, (new + new.T) / 2])


def by_variable(patterns: Patterns | MissingPatterns) -> tuple[Array, Array]:
    """Return each variable's mean and variance (divisor n) from the rows that hold it."""
    n, mask = patterns.nobs, patterns.mask
    count = n @ mask
    if isinstance(patterns, MissingPatterns):
        d, constant = patterns.rows[:, :-1], patterns.rows[:, -1:]
        shift = (d * constant).sum(0) / count
        held = (constant * shift) * mask[patterns.of]
        return patterns.centre + shift, ((d - held) ** 2).sum(0) / count
    mean = (n[:, None] * patterns.mean).sum(0) / count
    spread = np.einsum("k,kii->i", n, patterns.covariance) + (n[:, None] * mask * (patterns.mean - mean) ** 2).sum(0)
    return mean, spread / count
