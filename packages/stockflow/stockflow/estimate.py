"""Fit a mode to a yearly series of adoption and say, by profile likelihood, which parameters the series identifies."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stockflow.errors import ParameterError, UnknownNameError, extra
from stockflow.mode import Mode
from stockflow.trajectory import Trajectory, integrate

if TYPE_CHECKING:
    import pandas as pd

Residuals = Callable[[np.ndarray], np.ndarray]
YEAR = 365
EVERY = 5  # days between the points from which a year's flow is integrated
WIDER = 10.0  # the search goes this many times beyond the declared range
STARTS, POINTS, TURNS = 24, 21, 30
GAIN, LEAP = 1e-3, 3.0  # of a sum of squares: a fall, and a rise at the end of a profile, that look like a stuck search


@dataclass(frozen=True)
class ModeEstimate:
    """A parameter's estimate with the interval of its profile; an end that the series leaves open is infinite or zero.

    Attributes
    ----------
    status : {"estimated", "not identified"}
    open : tuple of {"low", "high"}
        At which end of the search a value fits as well, within the level; empty where the parameter is identified.
    profile : DataFrame
        value, ratio: the sum of squares with the parameter held there, over the least one; inf where no fit was found.
    """

    name: str
    value: float
    low: float
    high: float
    unit: str
    status: str
    open: tuple[str, ...]
    profile: pd.DataFrame


@dataclass(frozen=True, eq=False)
class ModeFit:
    """A mode fitted to a series by least squares on the logarithms.

    Attributes
    ----------
    fitted : ndarray
        The series as the mode gives it.
    sigma : float
        Standard deviation of the residuals of the logarithms, with n - k degrees of freedom.
    limit : float
        What a profile's ratio must stay below at the level asked for.
    """

    mode: Mode
    years: np.ndarray
    values: np.ndarray
    fitted: np.ndarray
    estimates: tuple[ModeEstimate, ...]
    scale: float
    sigma: float
    limit: float
    level: float

    def summary(self) -> pd.DataFrame:
        """Return one row a free parameter: parameter, estimate, low, high, unit, status, n, open."""
        with extra("tables"):
            import pandas as pd

        n, columns = len(self.years), ["parameter", "estimate", "low", "high", "unit", "status", "n", "open"]
        rows = [(e.name, e.value, e.low, e.high, e.unit, e.status, n, ", ".join(e.open)) for e in self.estimates]
        return pd.DataFrame(rows, columns=columns)


def fit_mode(
    mode: Mode,
    years: Sequence[int],
    values: Sequence[float],
    free: Sequence[str],
    fixed: Mapping[str, float] | None = None,
    *,
    flows: Sequence[tuple[str, str]],
    starters: str,
    level: float = 0.95,
    seed: int = 1,
    dt: float = 1.0,
) -> ModeFit:
    """Fit persons along some flows a year to a series, up to a factor that stands for the population's size.

    The errors are taken as relative, of equal spread and independent: ``log value = log(scale * persons) + e``.
    The mode runs as its discrete map in steps of ``dt`` days from the start of the first year. The scale drops out of
    the search in closed form. A parameter's interval holds the values at which the sum of squares, minimised over all
    others, stays below ``SSR (1 + F / (n - k))``; an interval that reaches the edge of the search, ten times beyond the
    declared range, is open, and the parameter is not identified.

    Parameters
    ----------
    years, values : sequences
        Consecutive years; positive values in any unit.
    free : sequence of str
        Parameters to search for, and ``"initial"``: the share of starters at the start.
    fixed : mapping, optional
        Other parameters; defaults for the rest.
    flows : sequence of (source, target)
        The flows that the series counts, added up.
    starters : str
        The state of those who are active at the start.
    dt : float
        Step in days, 1 or 5; the longer one is five times as quick and moves estimates by per cents.

    Raises
    ------
    ParameterError
        With fewer than k + 1 years, gaps, or values that are not positive.

    References
    ----------
    Raue et al. (2009), doi:10.1093/bioinformatics/btp358, for profiles and what they fail to bound; Bates & Watts
    (1988), doi:10.1002/9780470316757, for the limit.
    """
    from scipy import stats  # heavy: only where a mode is fitted

    year, value = np.asarray(years, int), np.asarray(values, float)
    _check(mode, year, value, free, fixed or {}, level)
    bounds = np.log([_range(mode, name) for name in free])
    target = np.log(value)

    def persons(u: np.ndarray) -> np.ndarray:
        """As shares, along the flows a year, for rows u of logarithms; shape (rows, years)."""
        table = {name: np.exp(column) for name, column in zip(free, u.T, strict=True)}
        start = {starters: table.pop("initial", np.full(len(u), 0.001))}
        every = round(EVERY / dt)
        run = integrate(mode, dict(fixed or {}) | table, len(years) * YEAR, "map", dt, start, every=every)
        return yearly(run, flows)

    def residuals(u: np.ndarray) -> np.ndarray:
        gap = target - np.log(persons(u))
        return gap - gap.mean(axis=1, keepdims=True)

    cells = stats.qmc.LatinHypercube(len(free), rng=np.random.default_rng(seed)).random(STARTS)
    held = np.zeros((STARTS, len(free)), bool)
    u, ssr = _least_squares(residuals, bounds[:, 0] + cells * (bounds[:, 1] - bounds[:, 0]), bounds, held)
    best = u[np.argmin(ssr)]
    df = len(years) - len(free) - 1
    limit = 1 + stats.f.ppf(level, 1, df) / df
    best, grids, ratios = _profiles(residuals, best, bounds, float(ssr.min()))
    least = float((residuals(best[None]) ** 2).sum())
    estimates = tuple(_estimate(mode, name, best[i], grids[i], ratios[i] / least, limit) for i, name in enumerate(free))
    along = persons(best[None])[0]
    scale = math.exp(float(np.mean(target - np.log(along))))
    return ModeFit(mode, year, value, scale * along, estimates, scale, math.sqrt(least / df), limit, level)


def yearly(run: Trajectory, flows: Sequence[tuple[str, str]]) -> np.ndarray:
    """Return persons along the flows in each year, shape (sets, years), of a run that keeps every fifth day."""
    flow, points = sum((run.flow(*ends) for ends in flows), np.zeros(())), YEAR // EVERY
    parts = [flow[at : at + points + 1] for at in range(0, len(flow) - 1, points)]
    return np.stack([np.trapezoid(part, dx=EVERY, axis=0) for part in parts], axis=1)


def _check(
    mode: Mode, years: np.ndarray, values: np.ndarray, free: Sequence[str], fixed: Mapping, level: float
) -> None:
    for name in free:
        if name != "initial" and name not in mode.parameter:
            raise UnknownNameError(f"free parameter of {mode.name}", name, ["initial", *mode.parameter])
        if name in fixed or (name in mode.parameter and mode.parameter[name].kind == "group"):
            allowed = "parameters that are not fixed and no whole numbers"
            raise ParameterError(f"{name} cannot be searched for; got it among the free ones; allowed are {allowed}.")
    if years.shape != values.shape or years.ndim != 1 or np.any(np.diff(years) != 1) or not np.all(values > 0):
        given = f"years {years.tolist()}, values {values.tolist()}"
        raise ParameterError(f"a series has one positive value for each of consecutive years; got {given}.")
    if len(years) < len(free) + 2:
        given = f"{len(years)}; allowed is at least {len(free) + 2}"
        raise ParameterError(f"{len(free)} parameters and a scale need more years than there are; got {given}.")
    if not 0 < level < 1:
        raise ParameterError(f"level is a probability; got {level!r}; allowed is (0, 1).")


def _range(mode: Mode, name: str) -> tuple[float, float]:
    """The limits of the search."""
    if name == "initial":
        return 1e-6, 0.3
    one = mode.parameter[name]
    low = (one.lower or one.upper / 100) / WIDER
    return low, 1.0 if one.kind == "probability" else one.upper * WIDER


def _least_squares(
    residuals: Residuals, u: np.ndarray, bounds: np.ndarray, held: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Minimise many sums of squares at once (Marquardt 1963, doi:10.1137/0111030); held entries stay where they are."""
    rows, s = u.shape
    h = 1e-4

    def around(u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Residuals and their slopes, from one run of the mode."""
        near = u[:, None] - h * np.vstack([np.zeros(s), np.eye(s)])  # downward: a probability may be 1
        r = residuals(near.reshape(-1, s)).reshape(rows, s + 1, -1)
        return r[:, 0], np.where(held[:, :, None], 0.0, (r[:, :1] - r[:, 1:]) / h)

    r, slopes = around(u)
    ssr, damping = (r**2).sum(axis=1), np.full(rows, 1e-2)
    for _ in range(TURNS):
        normal, gradient = slopes @ slopes.transpose(0, 2, 1), np.einsum("bsn,bn->bs", slopes, r)
        size = damping[:, None] * np.einsum("bii->bi", normal) + 1e-12
        step = -np.linalg.solve(normal + size[:, :, None] * np.eye(s), gradient[:, :, None])[:, :, 0]
        tried = np.where(held, u, np.clip(u + np.clip(step, -1, 1), *bounds.T))
        r_tried, slopes_tried = around(tried)
        ssr_tried = (r_tried**2).sum(axis=1)
        better = ssr_tried < ssr
        gain = np.where(better, ssr - ssr_tried, 0.0)
        u, r = np.where(better[:, None], tried, u), np.where(better[:, None], r_tried, r)
        slopes = np.where(better[:, None, None], slopes_tried, slopes)
        ssr, damping = np.where(better, ssr_tried, ssr), np.where(better, damping / 4, damping * 6)
        if np.all((gain <= 1e-9 * ssr) & (better | (damping > 1e6)) | (damping > 1e10)):
            break
    return u, ssr


def _profiles(
    residuals: Residuals, best: np.ndarray, bounds: np.ndarray, least: float
) -> tuple[np.ndarray, list[np.ndarray], list[np.ndarray]]:
    """Every parameter on a grid through its estimate, the others refitted; the estimate moves to what is better."""
    s = len(best)
    grids = [np.unique(np.append(np.linspace(bounds[i, 0], bounds[i, 1], POINTS), best[i])) for i in range(s)]
    rows = [np.where(np.arange(s) == i, value, best) for i in range(s) for value in grids[i]]
    held = [np.arange(s) == i for i in range(s) for _ in grids[i]]
    u, ssr = _least_squares(residuals, np.array(rows), bounds, np.array(held))
    while _from_neighbours(residuals, bounds, grids, best, u, ssr):
        pass
    if ssr.min() < least:
        best = u[np.argmin(ssr)]
    return best, grids, np.split(ssr, np.cumsum([len(grid) for grid in grids])[:-1])


def _from_neighbours(
    residuals: Residuals, bounds: np.ndarray, grids: list[np.ndarray], best: np.ndarray, u: np.ndarray, ssr: np.ndarray
) -> bool:
    """Search again, in place, where a profile falls away from the estimate or leaps at its end: it may have stuck."""
    starts: list[np.ndarray] = []
    held: list[np.ndarray] = []
    rows: list[int] = []
    first = 0
    for i, grid in enumerate(grids):
        for k in range(len(grid)):
            out = k + (1 if grid[k] > best[i] else -1)
            inside = 0 <= out < len(grid)
            if ssr[first + k] > ((1 + GAIN) * ssr[first + out] if inside else LEAP * ssr[first + 2 * k - out]):
                here = np.arange(len(grids)) == i
                near = [n for n in (k - 1, k + 1) if 0 <= n < len(grid)]
                starts += [np.where(here, u[first + k], u[first + n]) for n in near]
                held, rows = held + [here] * len(near), rows + [first + k] * len(near)
        first += len(grid)
    gained = False
    if rows:
        again = _least_squares(residuals, np.array(starts), bounds, np.array(held))
        for k, found, value in zip(rows, *again, strict=True):
            if value < ssr[k]:
                gained |= bool(value < ssr[k] / (1 + GAIN))
                u[k], ssr[k] = found, value
    return gained


def _estimate(mode: Mode, name: str, at: float, grid: np.ndarray, ratio: np.ndarray, limit: float) -> ModeEstimate:
    """Read the interval off the profile by interpolation of its logarithm."""
    with extra("tables"):
        import pandas as pd

    inside = np.flatnonzero(ratio <= limit)
    low = _crossing(grid, ratio, inside[0], inside[0] - 1, limit)
    high = _crossing(grid, ratio, inside[-1], inside[-1] + 1, limit)
    ends = tuple(name for name, end in (("low", low), ("high", high)) if end is None)
    low, high = 0.0 if low is None else math.exp(low), math.inf if high is None else math.exp(high)
    unit = "share" if name == "initial" else mode.parameter[name].unit
    status, profile = "not identified" if ends else "estimated", pd.DataFrame({"value": np.exp(grid), "ratio": ratio})
    return ModeEstimate(name, math.exp(at), low, high, unit, status, ends, profile)


def _crossing(grid: np.ndarray, ratio: np.ndarray, inner: int, outer: int, limit: float) -> float | None:
    if not 0 <= outer < len(grid):
        return None
    share = (math.log(limit) - math.log(ratio[inner])) / (math.log(ratio[outer]) - math.log(ratio[inner]))
    return float(grid[inner] + share * (grid[outer] - grid[inner]))
