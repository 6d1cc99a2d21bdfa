"""Fit growth curves to a series, many at once, and say how well each parameter is known."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd
from scipy import stats

from nbproof import snap, words
from socialcommerce.errors import ParameterError, UnknownNameError
from socialcommerce.market.series import MarketSeries, NotAvailable

__all__ = [
    "CURVES",
    "Curve",
    "Estimate",
    "GrowthFit",
    "Parameter",
    "aicc",
    "fit_growth",
    "fit_many",
    "least_squares",
    "parameter_table",
    "squares",
]

Shapes = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Parameter:
    """A parameter with a meaning.

    Attributes
    ----------
    name, meaning, unit
        Its name in code, what it is, and its unit: ``value`` (the series' own), ``per year`` or ``year``.
    position : int or None
        Which searched parameter it is; None for the scale, -1 for one that mixes two (the Bass peak).
    log : bool
        Whether it is searched on the logarithmic scale.
    """

    name: str
    meaning: str
    unit: str
    position: int | None
    log: bool


@dataclass(frozen=True)
class Curve:
    """A growth curve.

    Attributes
    ----------
    log_shape : callable
        ``log_shape(t, u)`` with t of shape (n,) and u of shape (..., s) returns shape (..., n).
    lower, upper : tuple of float
        Limits of the search for u; a fit that ends on one did not converge to a finite parameter.
    starts : tuple
        Where the search begins, each of length s, in units of the series' span where a year is meant.
    """

    name: str
    parameters: tuple[Parameter, ...]
    log_shape: Shapes
    lower: tuple[float, ...]
    upper: tuple[float, ...]
    starts: tuple[tuple[float, ...], ...]

    @property
    def k(self) -> int:
        """Number of parameters, the scale included and the error's spread not."""
        return 1 + len(self.lower)


def _exponential(t: np.ndarray, u: np.ndarray) -> np.ndarray:
    return u[..., :1] * t


def _logistic(t: np.ndarray, u: np.ndarray) -> np.ndarray:
    return -_softplus(-np.exp(u[..., :1]) * (t - u[..., 1:]))


def _gompertz(t: np.ndarray, u: np.ndarray) -> np.ndarray:
    # beyond exp(12) the curve is nothing at all, and larger numbers would swallow the data they are compared with
    return -np.exp(np.minimum(-np.exp(u[..., :1]) * (t - u[..., 1:]), 12.0))


def _bass(t: np.ndarray, u: np.ndarray) -> np.ndarray:
    """Log of F(t + 1) - F(t), the share of all adoptions that falls into the year, in a form that cannot cancel."""
    p, q, log_ratio = np.exp(u[..., :1]), np.exp(u[..., 1:]), u[..., 1:] - u[..., :1]
    pace = p + q
    start = log_ratio - pace * t
    return _softplus(log_ratio) - pace * t + np.log(-np.expm1(-pace)) - _softplus(start) - _softplus(start - pace)


def _softplus(x: np.ndarray) -> np.ndarray:
    """Return ``log(1 + exp(x))``, in half the time of ``numpy.logaddexp``."""
    return np.maximum(x, 0.0) + np.log1p(np.exp(-np.abs(x)))


_S_CURVE = (
    Parameter("ceiling", "ceiling", "value", None, True),
    Parameter("rate", "growth rate", "per year", 0, True),
    Parameter("midpoint", "year of the inflection", "year", 1, False),
)
_S_STARTS = tuple(product(np.log([0.1, 0.3, 0.7, 1.5]), [-0.5, 0.2, 0.6, 1.0, 2.0]))

CURVES: dict[str, Curve] = {
    curve.name: curve
    for curve in (
        Curve(
            "exponential",
            (
                Parameter("start", "value in the first year", "value", None, True),
                Parameter("rate", "growth rate", "per year", 0, False),
            ),
            _exponential,
            (-5.0,),
            (5.0,),
            ((0.0,),),
        ),
        Curve("logistic", _S_CURVE, _logistic, (np.log(1e-3), -20.0), (np.log(20.0), 20.0), _S_STARTS),
        Curve("gompertz", _S_CURVE, _gompertz, (np.log(1e-3), -20.0), (np.log(20.0), 20.0), _S_STARTS),
        Curve(
            "bass",
            (
                Parameter("potential", "sum over all years", "value", None, True),
                Parameter("innovation", "innovation p", "per year", 0, True),
                Parameter("imitation", "imitation q", "per year", 1, True),
                Parameter("peak", "year of the peak", "year", -1, False),
            ),
            _bass,
            (np.log(1e-7), np.log(1e-5)),
            (np.log(3.0), np.log(10.0)),
            tuple(product(np.log([1e-3, 1e-2, 0.05, 0.2]), np.log([0.05, 0.2, 0.6, 1.2]))),
        ),
    )
}
"""The curves by name.

Exponential: ``start * exp(rate * t)``. Logistic: ``ceiling / (1 + exp(-rate * (t - midpoint)))``. Gompertz:
``ceiling * exp(-exp(-rate * (t - midpoint)))`` (Gompertz 1825, doi:10.1098/rstl.1825.0026). Bass: ``potential *
(F(t + 1) - F(t))`` with ``F(t) = (1 - exp(-(p + q) t)) / (1 + q / p * exp(-(p + q) t))`` and its peak at ``ln(q / p) /
(p + q)`` after the start of the first year (Bass 1969, doi:10.1287/mnsc.15.5.215). Bass wrote for first purchases;
on a market's yearly value, which is mostly repeat purchases and began before the series does, the curve only describes.
"""


LARGEST = 700  # logarithm of a market that can still be written as a number
STEP = 1e-6  # of a central difference: the cube root of the machine's precision, rounded


def least_squares(
    residuals: Callable[[np.ndarray, np.ndarray], np.ndarray],
    start: np.ndarray,
    lower: np.ndarray,
    upper: np.ndarray,
    iterations: int = 200,
    enough: float = 0.0,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Minimise the sum of squares of each of B problems by Levenberg and Marquardt's method within limits.

    Parameters
    ----------
    residuals : callable
        Takes parameters of shape (..., b, s) and which of the problems they are for, (b,); returns (..., b, n).
    start : ndarray, shape (B, s)
    lower, upper : ndarray, shape (s,)
        Limits; steps are clipped to them.
    iterations : int
        Steps at most.
    enough : float
        A sum of squares at or below which a search is over.

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
    u = np.clip(np.asarray(start, float), lower, upper)
    r = residuals(u, np.arange(len(u)))
    ssr = squares(r)
    damping, settled = np.full(len(u), 1e-3), ssr <= enough
    for _ in range(iterations):
        at = np.flatnonzero(~settled)  # those still open
        if not len(at):
            break
        step = np.clip(u[at] + _step(residuals, at, u[at], r[at], damping[at]), lower, upper) - u[at]
        tried = residuals(u[at] + step, at)
        tried_ssr = squares(tried)
        better = tried_ssr < ssr[at]
        tiny = np.abs(step).max(axis=1, initial=0.0) <= 1e-10 * (1 + np.abs(u[at]).max(axis=1, initial=0.0))
        still = better & (tried_ssr >= (1 - 1e-15) * ssr[at])
        settled[at] = tiny | still | (damping[at] > 1e12) | (tried_ssr <= enough)
        u[at[better]] += step[better]
        r[at[better]], ssr[at[better]] = tried[better], tried_ssr[better]
        damping[at] = np.where(better, damping[at] / 5, damping[at] * 4).clip(1e-14, 1e13)
    return u, ssr, settled


def _step(residuals: Callable, at: np.ndarray, u: np.ndarray, r: np.ndarray, damping: np.ndarray) -> np.ndarray:
    s = u.shape[1]
    if not s:
        return np.zeros_like(u)
    moved = residuals(u + np.array([STEP, -STEP])[:, None, None, None] * np.eye(s)[:, None], at)
    jacobian = (moved[0] - moved[1]) / (2 * STEP)  # (s, b, n)
    normal = np.einsum("ibn,jbn->bij", jacobian, jacobian)
    gradient = np.einsum("ibn,bn->bi", jacobian, r)
    diagonal = np.einsum("bii->bi", normal) + 1e-12
    damped = normal + (damping[:, None] * diagonal)[:, :, None] * np.eye(s) + 1e-300 * np.eye(s)
    return -np.linalg.solve(damped, gradient[..., None])[..., 0]


def squares(r: np.ndarray) -> np.ndarray:
    """Return the sum of squares of each row, infinite where it is not a number or too large for one."""
    with np.errstate(over="ignore", invalid="ignore"):
        total = np.einsum("bn,bn->b", r, r)
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

    @property
    def identified(self) -> bool:
        """Whether both ends of the interval are finite."""
        return math.isfinite(self.low) and math.isfinite(self.high)


@dataclass(frozen=True)
class GrowthFit:
    """A growth curve fitted to a series by least squares on the logarithms.

    Attributes
    ----------
    estimates : tuple of Estimate
        The parameters with intervals at ``level``.
    sigma : float
        Standard deviation of the residuals of the logarithms, with n - k degrees of freedom; 0.05 is about 5 per cent.
    log_scale, u
        The curve's own parameters: logarithm of the scale, and the searched ones, shape (s,).
    converged : bool
        Whether the search settled away from its limits.
    remark : str
        What a reader must know first: not converged, or which parameter is not identified; else empty.
    """

    series: MarketSeries
    curve: Curve
    estimates: tuple[Estimate, ...]
    sigma: float
    level: float
    log_scale: float
    u: tuple[float, ...]
    converged: bool
    remark: str = ""

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

    def summary(self) -> pd.DataFrame:
        """Return one row a parameter: curve, parameter, estimate, low, high, unit, n, converged."""
        return pd.DataFrame(
            [
                {
                    "curve": self.curve.name,
                    "parameter": e.name,
                    "estimate": e.value,
                    "low": e.low,
                    "high": e.high,
                    "unit": self.series.unit if e.unit == "value" else e.unit,
                    "n": self.n,
                    "converged": self.converged,
                }
                for e in self.estimates
            ]
        )


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
        why = "{n:d} years cannot fit {k:d} parameters; at least {needed:d} are needed"
        return NotAvailable(curve, words(why, n=series.n, k=form.k, needed=form.k + 1))
    a, u, ssr, settled = fit_many(form, series.log_values[None])
    sigma = math.sqrt(ssr[0] / (series.n - form.k))
    estimates = tuple(_estimate(p, form, series, a[0], u[0], ssr[0], level) for p in form.parameters)
    converged = bool(settled[0])
    return GrowthFit(
        series,
        form,
        estimates,
        sigma,
        level,
        float(a[0]),
        tuple(map(float, u[0])),
        converged,
        _remark(converged, estimates),
    )


def parameter_table(fits: Iterable[GrowthFit]) -> pd.DataFrame:
    """Return one row a parameter, to be read: three significant digits, years to tenths, ends without a limit.

    Returns
    -------
    pandas.DataFrame
        Columns curve, parameter, estimate, low, high (all text), residuals (per cent of the value).
    """
    return pd.DataFrame(
        [
            {
                "curve": fit.curve.name,
                "parameter": e.meaning,
                "estimate": _short(e.value, e) if fit.converged else "not settled",
                "low": _short(e.low, e),
                "high": _short(e.high, e),
                "residuals": 100 * fit.sigma,
            }
            for fit in fits
            for e in fit.estimates
        ]
    )


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
    count, n = y.shape
    t, (lower, upper) = np.arange(n, dtype=float), _limits(curve, n)
    starts = _starts(curve, n) if start is None else np.vstack([_starts(curve, n), start])
    coarse = _centred(y[:, None, :] - curve.log_shape(t, starts)[None])
    tries = min(3, len(starts)) if start is None else 1
    best = np.argsort(squares(coarse.reshape(-1, n)).reshape(count, -1), axis=1)[:, :tries]
    data = np.repeat(y, tries, axis=0)
    begin = starts[best].reshape(-1, len(lower))
    u, ssr, settled = least_squares(lambda v, at: _centred(data[at] - curve.log_shape(t, v)), begin, lower, upper)
    pick = ssr.reshape(count, tries).argmin(axis=1) + tries * np.arange(count)
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
    if n <= 2 * k + 2:
        spare = n - k - 1
        if spare <= 0:
            return NotAvailable(
                "AICc",
                words(
                    "with {n:d} years and {k:d} parameters the correction divides by {spare:d}, so it does not exist",
                    n=n,
                    k=k,
                    spare=spare,
                ),
            )
        return NotAvailable(
            "AICc",
            words(
                "with {n:d} years and {k:d} parameters, the error variance among them, the small-sample term of AICc "
                "({more:.0f}) is no smaller than the penalty it corrects ({penalty:d})",
                n=n,
                k=k,
                more=2 * k * (k + 1) / spare,
                penalty=2 * k,
            ),
        )
    spread = fit.sigma**2 * fit.df / n
    if spread == 0:
        return NotAvailable("AICc", "the curve passes through every point")
    return n * (math.log(2 * math.pi * spread) + 1) + 2 * k + 2 * k * (k + 1) / (n - k - 1)


# --- profile intervals ------------------------------------------------------------------------------------------------


def _estimate(
    p: Parameter, curve: Curve, series: MarketSeries, a: float, u: np.ndarray, ssr: float, level: float
) -> Estimate:
    df = series.n - curve.k
    shift = series.years[0] if p.unit == "year" else 0
    at = _value(p, a, u)
    limit = ssr * (1 + stats.f.ppf(level, 1, df) / df)
    least, most = _reach(p, curve, series)
    low = _end(p, curve, series, u, at, least, ssr, limit) if at > least else -math.inf
    high = _end(p, curve, series, u, at, most, ssr, limit) if at < most else math.inf
    with np.errstate(over="ignore"):
        ends = [float(np.exp(x)) if p.log else float(x) for x in (at, low, high)]
    return Estimate(p.name, p.meaning, p.unit, ends[0] + shift, ends[1] + shift, ends[2] + shift)


def _value(p: Parameter, a: float, u: np.ndarray) -> float:
    """Return a parameter on its search scale."""
    if p.position is None:
        return float(a)
    return float(u[p.position]) if p.position >= 0 else float((u[1] - u[0]) / np.exp(u).sum())


def _reach(p: Parameter, curve: Curve, series: MarketSeries) -> tuple[float, float]:
    """Return how far an interval is followed on the search scale before its end is called open."""
    lower, upper = _limits(curve, series.n)
    y = series.log_values
    if p.position is None:
        return float(y.min() - math.log(1e4)), float(y.max() + math.log(1e4))
    if p.position < 0:
        return -20.0 * series.n, 20.0 * series.n
    return float(lower[p.position]), float(upper[p.position])


def _end(
    p: Parameter, curve: Curve, series: MarketSeries, u: np.ndarray, at: float, reach: float, ssr: float, limit: float
) -> float:
    """Return where the profile crosses its limit between the estimate and the reach, or an infinity."""
    if ssr <= 1e-16 * (float(np.square(series.log_values).sum()) + 1):
        return at  # the curve meets every value to eight digits: the interval is the point
    inner, outer = at, reach
    for _ in range(5):
        # denser near the estimate: the crossing is there unless the parameter is barely known
        grid = inner + (outer - inner) * np.linspace(0, 1, 33)[1:] ** 2
        above = _above(p, curve, series, u, grid, limit)
        if not above.any():
            return math.copysign(math.inf, reach - at)
        first = int(above.argmax())
        inner, outer = (grid[first - 1] if first else inner), grid[first]
    return 0.5 * (inner + outer)


def _above(
    p: Parameter, curve: Curve, series: MarketSeries, u: np.ndarray, values: np.ndarray, limit: float
) -> np.ndarray:
    """Tell at which fixed values of a parameter the least sum of squares is above a limit, shape of ``values``."""
    t, y = np.arange(series.n, dtype=float), series.log_values
    lower, upper = _limits(curve, series.n)
    free = [i for i in range(len(lower)) if i != p.position] if p.position != -1 else [0]
    starts = np.vstack([u, _starts(curve, series.n)])[:, free]

    def residuals(v: np.ndarray, held: np.ndarray) -> np.ndarray:
        r = y - curve.log_shape(t, _completed(p, held, v, len(lower)))
        return r - held[:, None] if p.position is None else _centred(r)

    coarse = squares(residuals(np.tile(starts, (len(values), 1)), np.repeat(values, len(starts))))
    coarse = coarse.reshape(len(values), -1)
    coarse[:, 0] = -1.0  # the estimate itself always begins one search
    begin = np.argsort(coarse, axis=1)[:, :3]
    first = starts[begin].reshape(begin.size, len(free))
    held = np.repeat(values, begin.shape[1])
    _, ssr, _ = least_squares(lambda v, at: residuals(v, held[at]), first, lower[free], upper[free], 60, limit)
    return ssr.reshape(len(values), -1).min(axis=1) > limit


def _completed(p: Parameter, fixed: np.ndarray, v: np.ndarray, s: int) -> np.ndarray:
    """Put a fixed parameter and the free ones together into u, shape (..., s)."""
    if p.position is None:
        return v
    if p.position < 0:  # Bass: log p is free and the peak is fixed, so that q solves ln(q / p) = peak (p + q)
        log_pace = v[..., 0]
        log_ratio = np.clip(fixed * np.exp(log_pace), -300, 300)
        return np.stack([log_pace - _softplus(log_ratio), log_pace - _softplus(-log_ratio)], axis=-1)
    full = np.empty((*v.shape[:-1], s))
    full[..., p.position] = fixed
    full[..., [i for i in range(s) if i != p.position]] = v
    return full


# --- small things -----------------------------------------------------------------------------------------------------


def _centred(r: np.ndarray) -> np.ndarray:
    return r - r.mean(axis=-1, keepdims=True)


def _years(curve: Curve) -> np.ndarray:
    """Mark the searched parameters that are years: they scale with the series' span."""
    years = {p.position for p in curve.parameters if p.unit == "year"}
    return np.array([k in years for k in range(len(curve.lower))])


def _limits(curve: Curve, n: int) -> tuple[np.ndarray, np.ndarray]:
    scale = np.where(_years(curve), n, 1.0)
    return np.array(curve.lower) * scale, np.array(curve.upper) * scale


def _starts(curve: Curve, n: int) -> np.ndarray:
    return np.array(curve.starts) * np.where(_years(curve), n - 1.0, 1.0)


def _remark(converged: bool, estimates: tuple[Estimate, ...]) -> str:
    if not converged:
        return "did not settle on finite parameters"
    open_ones = [e for e in estimates if not e.identified]
    return words("open interval: {which}", which=", ".join(e.meaning for e in open_ones)) if open_ones else ""
