"""Means and covariances of incomplete data by the EM algorithm, and each variable's own from the rows that hold it."""

from __future__ import annotations

import numpy as np

from semfit.columns import correlation
from semfit.errors import DataError
from semfit.estimate import Likelihood, minimise
from semfit.missing import Expectation, MissingPatterns, Patterns
from semfit.model import moments_block

__all__ = ["by_variable", "saturated"]

Array = np.ndarray
EARLY, LATE = 200, 20_000  # steps of EM before Newton's, and where there are too many variables for those
NEWTON = 60  # variables


def saturated(patterns: Patterns | MissingPatterns, tolerance: float = 1e-12) -> tuple[Array, Array, bool]:
    """Return mean and covariance (divisor N) of the unrestricted normal model, and whether they are its maximum.

    Where values are missing some steps of EM lead there and, as these grow short long before the maximum, Newton steps
    go on. In few rows the likelihood may have no maximum; then EM's last step is returned.

    References
    ----------
    Dempster, Laird & Rubin (1977), doi:10.1111/j.2517-6161.1977.tb01600.x.
    """
    mean, variance = by_variable(patterns)
    covariance, few = np.diag(variance), len(mean) <= NEWTON
    for _ in range(EARLY if few else LATE):
        try:
            step, product = _expected(patterns, covariance, mean)
        except np.linalg.LinAlgError:
            raise DataError(
                "the incomplete data have no covariance matrix: some variables determine one another in the few rows "
                "that hold them together; leave one of them out or use more rows."
            ) from None
        new = product - np.outer(step, step)
        scale = np.sqrt(np.diag(new))
        change = max(np.max(np.abs(step / scale)), np.max(np.abs(new - covariance) / np.outer(scale, scale)))
        mean, covariance = mean + step, (new + new.T) / 2
        if change < tolerance:
            return mean, covariance, True
    return _newton(patterns, mean, covariance) if few else (mean, covariance, False)


def _expected(patterns: Patterns | MissingPatterns, covariance: Array, mean: Array) -> tuple[Array, Array]:
    """Return the means of what the rows' deviations and their products are expected to be; LinAlgError as of those."""
    if isinstance(patterns, MissingPatterns):
        point = Expectation.at(patterns, covariance, mean)
        expected = (point.moments + point.uncertainty) / patterns.nobs.sum()
        return expected[:-1, -1], expected[:-1, :-1]
    np.linalg.cholesky(covariance)
    share, d = patterns.nobs / patterns.nobs.sum(), np.where(patterns.mask, patterns.mean - mean, 0.0)
    regression = covariance @ (np.linalg.inv(patterns.held(covariance)) * patterns.mask[:, None, :])
    inner = (patterns.covariance + d[:, :, None] * d[:, None, :]) @ regression.swapaxes(1, 2) - covariance
    product = covariance + np.tensordot(share, regression @ inner, 1)
    return share @ (regression @ d[..., None])[..., 0], product


def _newton(patterns: Patterns | MissingPatterns, mean: Array, covariance: Array) -> tuple[Array, Array, bool]:
    """Go from moments to the maximum of the likelihood."""
    i, j = np.tril_indices(len(mean))
    full = moments_block(len(mean), True, (), i, j)
    problem = Likelihood((full,), (patterns,), (full.base(covariance, mean),), len(full.row))
    end = minimise(problem, np.concatenate([covariance[i, j], mean]), limit=25)
    found = np.zeros_like(covariance)
    found[i, j] = found[j, i] = end.theta[: len(i)]
    if not end.converged or np.linalg.eigvalsh(correlation(found))[0] < 1e-8:
        return mean, covariance, False
    return end.theta[len(i) :], found, True


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
