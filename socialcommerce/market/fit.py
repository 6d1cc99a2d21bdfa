"""Fit growth curves to a series, many at once, and say how well each parameter is known."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from nbproof import read_toml, snap, words
from socialcommerce.errors import ParameterError, UnknownNameError
from socialcommerce.market.series import MarketSeries, NotAvailable

__all__ = ["CURVES", "Curve", "Estimate", "GrowthFit", "Parameter", "aicc", "fit_growth", "fit_many", "parameter_table"]

Shapes = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Parameter:
    """A parameter of a growth curve, as ``curves.toml`` states it.

    Attributes
    ----------
    name, meaning, unit
        Its name in code, what it is, and its unit: ``value`` (the series' own), ``per year`` or ``year``.
    position : int or None
        Which searched parameter it is; None for the scale, -1 for one that mixes two (the Bass peak).
    log : bool
        Whether it is searched on the logarithmic scale.
    limits, starts : sequence of float
        Limits of the search (or of the interval, where none starts) and where it begins, in units of the series' span
        where a year is meant; a fit that ends on a limit did not converge to a finite parameter.
    """

    name: str
    meaning: str
    unit: str
    position: int | None = None
    log: bool = False
    limits: Sequence[float] = ()
    starts: Sequence[float] = ()

    def searched(self, values: Sequence[float], years: float) -> np.ndarray:
        """Return limits or starts on the scale of the search, for a series that spans so many years."""
        return np.log(values) if self.log else np.multiply(values, years if self.unit == "year" else 1.0)


@dataclass(frozen=True)
class Curve:
    """A growth curve.

    Attributes
    ----------
    log_shape : callable
        ``log_shape(t, u)`` with t of shape (n,) and u of shape (..., s) returns shape (..., n).
    """

    name: str
    parameters: tuple[Parameter, ...]
    log_shape: Shapes

    @property
    def k(self) -> int:
        """Number of parameters, the scale included and the error's spread not."""
        return 1 + sum(bool(p.starts) for p in self.parameters)

    def limits(self, n: int) -> np.ndarray:
        """Return the limits of the search in a series of n years, shape (2, s)."""
        return np.transpose([p.searched(p.limits, n) for p in self.parameters if p.starts])

    def starts(self, n: int) -> np.ndarray:
        """Return where the search begins in a series of n years, shape (starts, s)."""
        return np.array([*product(*(p.searched(p.starts, n - 1.0) for p in self.parameters if p.starts))])


def _exponential(t: np.ndarray, u: np.ndarray) -> np.ndarray:
    return u[..., :1] * t


def _logistic(t: np.ndarray, u: np.ndarray) -> np.ndarray:
    return -np.logaddexp(0.0, -np.exp(u[..., :1]) * (t - u[..., 1:]))


def _gompertz(t: np.ndarray, u: np.ndarray) -> np.ndarray:
    # beyond exp(12) the curve is nothing at all, and larger numbers would swallow the data they are compared with
    return -np.exp(np.minimum(-np.exp(u[..., :1]) * (t - u[..., 1:]), 12.0))


def _bass(t: np.ndarray, u: np.ndarray) -> np.ndarray:
    """Log of F(t + 1) - F(t), the share of all adoptions that falls into the year, in a form that cannot cancel."""
    p, q, log_ratio = np.exp(u[..., :1]), np.exp(u[..., 1:]), u[..., 1:] - u[..., :1]
    pace = p + q
    tails = np.logaddexp(0.0, log_ratio - pace * t) + np.logaddexp(0.0, log_ratio - pace * (t + 1))
    return np.logaddexp(0.0, log_ratio) - pace * t + np.log(-np.expm1(-pace)) - tails


_STATED = read_toml(Path(__file__).with_name("curves.toml"))
_SHAPES = {"exponential": _exponential, "logistic": _logistic, "gompertz": _gompertz, "bass": _bass}
CURVES: dict[str, Curve] = {
    name: Curve(name, tuple(Parameter(**one) for one in _STATED[name]), shape) for name, shape in _SHAPES.items()
}
"""The curves by name.

Exponential: ``start * exp(rate * t)``. Logistic: ``ceiling / (1 + exp(-rate * (t - midpoint)))``. Gompertz:
``ceiling * exp(-exp(-rate * (t - midpoint)))`` (Gompertz 1825, doi:10.1098/rstl.1825.0026). Bass: ``potential *
(F(t + 1) - F(t))`` with ``F(t) = (1 - exp(-(p + q) t)) / (1 + q / p * exp(-(p + q) t))`` and its peak at ``ln(q / p) /
(p + q)`` after the start of the first year (Bass 1969, doi:10.1287/mnsc.15.5.215). Bass wrote for first purchases;
on a market's yearly value, which is mostly repeat purchases and began before the series does, the curve only describes.
"""


LARGEST = 700  # logarithm of a market that can still be written as a number
TOO_SHORT = "{n:d} years cannot fit {k:d} parameters; at least {needed:d} are needed"
NO_TERM = "with {n:d} years and {k:d} parameters the correction divides by {spare:d}, so it does not exist"
LARGE_TERM = (
    "with {n:d} years and {k:d} parameters, the error variance among them, the small-sample term of AICc ({more:.0f}) "
    "is no smaller than the penalty it corrects ({penalty:d})"
)
STEP = 1e-6  # of a central difference: the cube root of the machine's precision, rounded


def least_squares(
    residuals: Callable[[np.ndarray, np.ndarray], np.ndarray],
    start: np.ndarray,
    lower: np.ndarray,
    upper: np.ndarray,
    iterations: int = 200,
    tolerance: float = 1e-15,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Minimise the sum of squares of each of B problems by Levenberg and Marquardt's method within limits.

    Parameters
    ----------
    residuals : callable
        Takes m parameter sets for each of the problems still open, shape (b, m, s), and the places of these problems
        among all, shape (b,); returns residuals of shape (b, m, n).
    start : ndarray, shape (B, s)
    lower, upper : ndarray, shape (s,)
        Limits; steps are clipped to them.
    iterations : int
        Steps at most.
    tolerance : float
        A step that lowers the sum of squares by no more than this share of it is the last.

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
    >>> u, ssr, settled = least_squares(lambda u, _: np.exp(-0.3 * t) - np.exp(-u * t), np.ones((1, 1)), [0], [2])
    >>> round(float(u[0, 0]), 6), bool(settled[0])
    (0.3, True)
    """
    found = np.clip(np.asarray(start, float), lower, upper)
    count, s = found.shape
    rows, settled, damping = np.arange(count), np.zeros(count, bool), np.full(count, 1e-3)
    best = squares(residuals(found[:, None], rows)[:, 0])
    around = STEP * np.concatenate([np.zeros((1, s)), np.eye(s), -np.eye(s)])
    for _ in range(iterations if s else 0):
        u = found[rows]
        r = residuals(u[:, None] + around, rows)
        jacobian = (r[:, 1 : s + 1] - r[:, s + 1 :]) / (2 * STEP)
        step = np.clip(u + _step(jacobian, r[:, 0], damping[rows], u <= lower, u >= upper), lower, upper) - u
        tried = squares(residuals((u + step)[:, None], rows)[:, 0])
        before, better = best[rows], tried < best[rows]
        tiny = np.abs(step).max(axis=1) <= 1e-10 * (1 + np.abs(u).max(axis=1))
        done = tiny | (better & (tried >= (1 - tolerance) * before)) | (damping[rows] > 1e12)
        found[rows[better]], best[rows[better]] = (u + step)[better], tried[better]
        damping[rows] = np.where(better, damping[rows] / 5, damping[rows] * 4).clip(1e-14, 1e13)
        settled[rows[done]] = True
        if not len(rows := rows[~done]):
            break
    return found, best, settled | (s == 0)


def _step(jacobian: np.ndarray, r: np.ndarray, damping: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return each problem's damped step; what would leave its limits is held, or the others would wait for it."""
    gradient = np.einsum("bin,bn->bi", jacobian, r)
    free = ~((low & (gradient > 0)) | (high & (gradient < 0)))
    jacobian = jacobian * free[..., None]
    normal = np.einsum("bin,bjn->bij", jacobian, jacobian)
    diagonal = damping[:, None] * (np.einsum("bii->bi", normal) + 1e-12) + 1e-300
    return -np.linalg.solve(normal + diagonal[..., None] * np.eye(free.shape[1]), (gradient * free)[..., None])[..., 0]


def squares(r: np.ndarray) -> np.ndarray:
    """Return the sum of squares along the last axis, infinite where it is not a number or too large for one."""
    with np.errstate(over="ignore", invalid="ignore"):
        total = np.einsum("...n,...n->...", r, r)
    return np.where(np.isfinite(total), total, np.inf)


@dataclass(frozen=True)
class Estimate:
    """A parameter's estimate and profile interval; an end that the data leave open is infinite."""

    name: str
    meaning: str
    unit: str
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class GrowthFit:
    """A growth curve fitted to a series by least squares on the logarithms.

    Attributes
    ----------
    estimates : tuple of Estimate
        The parameters with their intervals.
    sigma : float
        Standard deviation of the residuals of the logarithms, with n - k degrees of freedom; 0.05 is about 5 per cent.
    log_scale, u
        The curve's own parameters: logarithm of the scale, and the searched ones, shape (s,).
    converged : bool
        Whether the search settled away from its limits.
    """

    series: MarketSeries
    curve: Curve
    estimates: tuple[Estimate, ...]
    sigma: float
    log_scale: float
    u: tuple[float, ...]
    converged: bool

    @property
    def n(self) -> int:
        """Number of years."""
        return self.series.n

    @property
    def df(self) -> int:
        """Degrees of freedom: n - k."""
        return self.n - self.curve.k

    def log_predict(self, years: np.ndarray) -> np.ndarray:
        """Return the logarithm of the curve in given years, shape of ``years``."""
        t = np.asarray(years, float) - self.series.years[0]
        return self.log_scale + self.curve.log_shape(t, np.asarray(self.u))

    def predict(self, years: np.ndarray) -> np.ndarray:
        """Return the curve in given years, in the series' unit."""
        return np.exp(self.log_predict(years))


def fit_growth(series: MarketSeries, curve: str, level: float = 0.95) -> GrowthFit | NotAvailable:
    """Fit a growth curve to the logarithms of a series.

    The errors are taken as relative, of equal spread and independent: ``log value = log curve(t; theta) + e``. An
    interval holds the values of a parameter at which the sum of squares, minimised over the others, stays below
    ``SSR (1 + F / (n - k))`` with F the level's quantile of F(1, n - k). For the exponential curve this is the t
    interval of log-linear regression; for the others it follows the curve's bend and may be open.

    Parameters
    ----------
    series : MarketSeries
    curve : {"exponential", "logistic", "gompertz", "bass"}
    level : float
        Of the intervals, in (0, 1).

    Returns
    -------
    GrowthFit or NotAvailable
        The latter for fewer than k + 1 years.

    Raises
    ------
    UnknownNameError, ParameterError
        For another curve, or a level outside (0, 1).

    References
    ----------
    Bates & Watts (1988), Nonlinear Regression Analysis and Its Applications, ch. 6, doi:10.1002/9780470316757;
    Srinivasan & Mason (1986) for the Bass curve, doi:10.1287/mksc.5.2.169; Van den Bulte & Lilien (1997) on why its
    ceiling cannot be trusted in short series, doi:10.1287/mksc.16.4.338.

    Examples
    --------
    >>> years = tuple(range(2015, 2023))
    >>> sizes = tuple(100 / (1 + math.exp(-0.8 * (year - 2018))) for year in years)
    >>> series = MarketSeries(years, sizes, "billion USD", ("A",) * 8, ("observed",) * 8, (False,) * 8)
    >>> [round(e.value, 3) for e in fit_growth(series, "logistic").estimates]
    [100.0, 0.8, 2018.0]
    """
    if curve not in CURVES:
        raise UnknownNameError("growth curve", curve, CURVES)
    if not 0 < level < 1:
        raise ParameterError(f"level is a probability in (0, 1); got {level!r}.")
    form = CURVES[curve]
    if series.n < form.k + 1:
        return NotAvailable(curve, words(TOO_SHORT, n=series.n, k=form.k, needed=form.k + 1))
    a, u, ssr, settled = fit_many(form, series.log_values[None])
    sigma = math.sqrt(ssr[0] / (series.n - form.k))
    estimates = tuple(_estimate(p, form, series, a[0], u[0], ssr[0], level) for p in form.parameters)
    return GrowthFit(series, form, estimates, sigma, float(a[0]), tuple(map(float, u[0])), bool(settled[0]))


def parameter_table(fits: Iterable[GrowthFit]) -> pd.DataFrame:
    """Return one row a parameter, to be read: three significant digits, years to tenths, ends without a limit.

    Returns
    -------
    pandas.DataFrame
        Columns curve, parameter, estimate, low, high (all text), residuals (per cent of the value).
    """
    rows = []
    for fit in fits:
        for e in fit.estimates:
            value = _short(e.value, e) if fit.converged else "not settled"
            rows.append((fit.curve.name, e.meaning, value, _short(e.low, e), _short(e.high, e), 100 * fit.sigma))
    return pd.DataFrame(rows, columns=["curve", "parameter", "estimate", "low", "high", "residuals"])


def _short(value: float, e: Estimate) -> str:
    if not math.isfinite(value):
        return "no limit"
    return f"{snap(value):.1f}" if e.unit == "year" else f"{float(f'{snap(value):.3g}'):,.10g}"


def fit_many(curve: Curve, y: np.ndarray, start: np.ndarray | None = None) -> tuple[np.ndarray, ...]:
    """Fit one curve to many series of equal length.

    Parameters
    ----------
    y : ndarray, shape (B, n)
        Logarithms of the values.
    start : ndarray, shape (s,), optional
        A place known to be good: the search begins once, there or where the sum of squares is lower still.

    Returns
    -------
    log_scale (B,), u (B, s), ssr (B,)
    settled (B,)
        Whether the search came to rest, and away from its limits: else the parameters are not finite or not known.
    """
    n = y.shape[1]
    t, (lower, upper), starts = np.arange(n, dtype=float), curve.limits(n), curve.starts(n)
    starts = starts if start is None else np.vstack([starts, start])
    tries = min(3, len(starts)) if start is None else 1
    best = np.argsort(squares(_centred(y[:, None] - curve.log_shape(t, starts))), axis=1)[:, :tries]
    first = starts[best].reshape(-1, len(lower))
    u, ssr, settled = least_squares(
        lambda v, rows: _centred(y[rows // tries, None] - curve.log_shape(t, v)), first, lower, upper
    )
    pick = ssr.reshape(-1, tries).argmin(axis=1) + tries * np.arange(len(y))
    u, ssr, edge = u[pick], ssr[pick], 1e-3 * (upper - lower)
    settled = settled[pick] & ((u > lower + edge) & (u < upper - edge)).all(axis=1)
    scale = (y - curve.log_shape(t, u)).mean(axis=1)
    return scale, u, ssr, settled & (np.abs(scale) < LARGEST)


def aicc(fit: GrowthFit) -> float | NotAvailable:
    """Return Akaike's criterion corrected for small samples, or why the series is too short for it.

    With K parameters (the error's spread included) the correction is ``2 K (K + 1) / (n - K - 1)``. It does not exist
    for n <= K + 1, and where n <= 2 K + 2 it is larger than the penalty ``2 K`` that it corrects: then the number
    reflects the correction, not the data, and none is given.

    References
    ----------
    Hurvich & Tsai (1989), doi:10.1093/biomet/76.2.297.
    """
    n, k = fit.n, fit.curve.k + 1
    spare, penalty, term = n - k - 1, 2 * k, 2 * k * (k + 1)
    if spare <= 0:
        return NotAvailable("AICc", words(NO_TERM, n=n, k=k, spare=spare))
    if term / spare >= penalty:
        return NotAvailable("AICc", words(LARGE_TERM, n=n, k=k, more=term / spare, penalty=penalty))
    spread = fit.sigma**2 * fit.df / n
    if spread == 0:
        return NotAvailable("AICc", "the curve passes through every point")
    return n * (math.log(2 * math.pi * spread) + 1) + penalty + term / spare


# --- profile intervals ------------------------------------------------------------------------------------------------


def _estimate(
    p: Parameter, curve: Curve, series: MarketSeries, a: float, u: np.ndarray, ssr: float, level: float
) -> Estimate:
    df = series.n - curve.k
    at = a if p.position is None else u[p.position] if p.position >= 0 else (u[1] - u[0]) / np.exp(u).sum()
    ends = [at, *_ends(p, curve, series, u, at, ssr, 1 + stats.f.ppf(level, 1, df) / df)]
    with np.errstate(over="ignore"):
        value, low, high = np.exp(ends) if p.log else np.add(ends, series.years[0] if p.unit == "year" else 0)
    return Estimate(p.name, p.meaning, p.unit, float(value), float(low), float(high))


def _ends(
    p: Parameter, curve: Curve, series: MarketSeries, u: np.ndarray, at: float, ssr: float, times: float
) -> np.ndarray:
    """Return where the profile first crosses ``times`` its least value below and above the estimate, or infinities."""
    if ssr <= 1e-16 * (float(np.square(series.log_values).sum()) + 1):
        return np.array([at, at])  # the curve meets every value to eight digits: the interval is the point
    y, inner, sides = series.log_values, np.array([at, at]), np.arange(2)
    # how far an interval is followed before its end is called open; a scale, ten thousand times beyond the values
    outer = p.searched(p.limits, series.n) if p.limits else np.log([1e-4, 1e4]) + (y.min(), y.max())
    unbounded = np.array([at <= outer[0], at >= outer[1]])  # an estimate out of reach has an open end
    for _ in range(3):
        # denser near the estimate: the crossing is there unless the parameter is barely known
        grid = inner + (outer - inner) * np.linspace(0, 1, 33)[:, None] ** 2
        over = _profile(p, curve, series, u, grid.ravel()).reshape(grid.shape) - times * ssr
        unbounded |= ~(over > 0).any(axis=0)
        first = (over > 0).argmax(axis=0).clip(1)
        (inner, below), (outer, above) = ((grid[row, sides], over[row, sides]) for row in (first - 1, first))
    share = np.divide(below, below - above, out=np.zeros(2), where=~unbounded)
    return np.where(unbounded, [-np.inf, np.inf], inner + (outer - inner) * share)


def _profile(p: Parameter, curve: Curve, series: MarketSeries, u: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the least sum of squares at each fixed value of a parameter, shape of ``values``."""
    t, y = np.arange(series.n, dtype=float), series.log_values
    free = [i for i in range(len(u)) if i != p.position] if p.position != -1 else [0]
    starts = np.vstack([u, curve.starts(series.n)])[:, free]

    def residuals(held: np.ndarray, v: np.ndarray) -> np.ndarray:
        r = y - curve.log_shape(t, _completed(p, held, v))
        return r - held[:, None, None] if p.position is None else _centred(r)

    coarse = squares(residuals(values, np.broadcast_to(starts, (len(values), *starts.shape))))
    coarse[:, 0] = -1.0  # the estimate itself always begins one search
    begin = np.argsort(coarse, axis=1)[:, :3]
    held = np.repeat(values, begin.shape[1])
    first, (lower, upper) = starts[begin].reshape(begin.size, len(free)), curve.limits(series.n)[:, free]
    _, ssr, _ = least_squares(lambda v, rows: residuals(held[rows], v), first, lower, upper, 60, 1e-12)
    return ssr.reshape(begin.shape).min(axis=1)


def _completed(p: Parameter, held: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Put a held parameter, shape (b,), and the free ones, shape (b, m, s or one less), together into u."""
    if p.position is None:
        return v
    if p.position >= 0:
        return np.insert(v, p.position, held[:, None], axis=-1)
    # Bass: log p is free and the peak is held, so that q solves ln(q / p) = peak (p + q)
    log_ratio = np.clip(held[:, None] * np.exp(v[..., 0]), -300, 300)
    return v - np.stack([np.logaddexp(0, log_ratio), np.logaddexp(0, -log_ratio)], axis=-1)


def _centred(r: np.ndarray) -> np.ndarray:
    return r - r.mean(axis=-1, keepdims=True)
