"""Nonlinear least squares for many small problems at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

__all__ = ["least_squares", "squares"]

STEP = 1e-6  # of a central difference: the cube root of the machine's precision, rounded


def least_squares(
    residuals: Callable[[np.ndarray], np.ndarray],
    start: np.ndarray,
    lower: np.ndarray,
    upper: np.ndarray,
    iterations: int = 200,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Minimise the sum of squares of each of B problems by Levenberg and Marquardt's method within limits.

    Parameters
    ----------
    residuals : callable
        Takes parameters of shape (B, s), returns residuals of shape (B, n).
    start : ndarray, shape (B, s)
    lower, upper : ndarray, shape (s,)
        Limits; steps are clipped to them.

    Returns
    -------
    parameters : ndarray, shape (B, s)
    ssr : ndarray, shape (B,)
        Sums of squared residuals.
    settled : ndarray of bool, shape (B,)
        Whether the last step was too small to matter.

    References
    ----------
    Marquardt (1963), doi:10.1137/0111030.

    Examples
    --------
    >>> t = np.arange(5.0)
    >>> u, ssr, settled = least_squares(lambda u: np.exp(-0.3 * t) - np.exp(-u * t), np.ones((1, 1)), [0], [2])
    >>> round(float(u[0, 0]), 6), bool(settled[0])
    (0.3, True)
    """
    u = np.clip(np.asarray(start, float), lower, upper)
    r = residuals(u)
    ssr = squares(r)
    damping, settled = np.full(len(u), 1e-3), np.zeros(len(u), bool)
    for _ in range(iterations):
        step = np.clip(u + _step(residuals, u, r, damping), lower, upper) - u
        tried = residuals(u + step)
        tried_ssr = squares(tried)
        better = tried_ssr < ssr
        tiny = np.abs(step).max(axis=1, initial=0.0) <= 1e-10 * (1 + np.abs(u).max(axis=1, initial=0.0))
        settled |= tiny | (better & (tried_ssr >= (1 - 1e-15) * ssr)) | (damping > 1e12)
        u, r = np.where(better[:, None], u + step, u), np.where(better[:, None], tried, r)
        ssr = np.where(better, tried_ssr, ssr)
        damping = np.where(better, damping / 5, damping * 4).clip(1e-14, 1e13)
        if settled.all():
            break
    return u, ssr, settled


def _step(residuals: Callable, u: np.ndarray, r: np.ndarray, damping: np.ndarray) -> np.ndarray:
    s = u.shape[1]
    if not s:
        return np.zeros_like(u)
    h = STEP * np.eye(s)
    jacobian = np.stack([(residuals(u + h[i]) - residuals(u - h[i])) / (2 * STEP) for i in range(s)], axis=-1)
    normal = np.einsum("bni,bnj->bij", jacobian, jacobian)
    gradient = np.einsum("bni,bn->bi", jacobian, r)
    diagonal = np.einsum("bii->bi", normal) + 1e-12
    damped = normal + (damping[:, None] * diagonal)[:, :, None] * np.eye(s) + 1e-300 * np.eye(s)
    return -np.linalg.solve(damped, gradient[..., None])[..., 0]


def squares(r: np.ndarray) -> np.ndarray:
    """Return the sum of squares of each row, infinite where it is not a number or too large for one."""
    with np.errstate(over="ignore", invalid="ignore"):
        total = np.einsum("bn,bn->b", r, r)
    return np.where(np.isfinite(total), total, np.inf)
