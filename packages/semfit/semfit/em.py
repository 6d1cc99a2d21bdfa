"""Means and covariances of incomplete data by the EM algorithm, and each variable's own from the rows that hold it."""

from __future__ import annotations

import numpy as np

from semfit.errors import DataError
from semfit.missing import Expectation, MissingPatterns, Patterns

__all__ = ["by_variable", "saturated"]

Array = np.ndarray


def saturated(
    patterns: Patterns | MissingPatterns, tolerance: float = 1e-12, limit: int = 20_000
) -> tuple[Array, Array]:
    """Return mean and covariance (divisor N) of the unrestricted normal model, by EM where values are missing.

    References
    ----------
    Dempster, Laird & Rubin (1977), doi:10.1111/j.2517-6161.1977.tb01600.x.
    """
    if isinstance(patterns, Patterns) and patterns.mask.all():
        return patterns.mean[0], patterns.covariance[0]
    mean, variance = by_variable(patterns)
    covariance = np.diag(variance)
    for _ in range(limit):
        try:
            step, moment = _expect(patterns, mean, covariance)
        except np.linalg.LinAlgError:
            raise DataError(
                "the incomplete data have no covariance matrix: some variables determine one another in the few rows "
                "that hold them together; leave one of them out or use more rows."
            ) from None
        new = moment - np.outer(step, step)
        scale = np.sqrt(np.diag(new))
        change = max(np.max(np.abs(step / scale)), np.max(np.abs(new - covariance) / np.outer(scale, scale)))
        mean, covariance = mean + step, (new + new.T) / 2
        if change < tolerance:
            return mean, covariance
    raise DataError(
        f"the EM algorithm for the means and covariances of incomplete data did not settle in {limit} steps; "
        "too few rows hold some pair of variables together."
    )


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


def _expect(patterns: Patterns | MissingPatterns, mean: Array, covariance: Array) -> tuple[Array, Array]:
    """Return the means of what the rows' deviations and their products are expected to be."""
    if isinstance(patterns, MissingPatterns):
        point = Expectation.at(patterns, covariance, mean)
        total = (point.moments + point.uncertainty) / patterns.nobs.sum()
        return total[:-1, -1], total[:-1, :-1]
    n, mask = patterns.nobs, patterns.mask
    both = mask[:, :, None] & mask[:, None, :]
    W = np.where(both, np.linalg.inv(np.where(both, covariance, 0.0) + np.eye(len(mean)) * ~mask[:, :, None]), 0.0)
    regression = covariance @ W  # of all variables on the observed ones; the identity where observed
    d = np.where(mask, patterns.mean - mean, 0.0)
    shift = (regression @ d[..., None])[..., 0]
    inner = patterns.covariance + d[:, :, None] * d[:, None, :]
    moment = regression @ inner @ regression.swapaxes(1, 2) + covariance - regression @ covariance
    return np.einsum("k,ki->i", n, shift) / n.sum(), np.einsum("k,kij->ij", n, moment) / n.sum()
