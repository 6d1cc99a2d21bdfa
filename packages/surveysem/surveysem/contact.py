"""How often to address people: whether a count rises with contact frequency and then falls, and where it turns."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special

from surveysem.effects import Effect, EffectTest, NotTestable, least, normal, untestable
from surveysem.study import Study

Array = np.ndarray
ENDS = (0.05, 0.95)  # quantiles of the frequency at which the slopes are taken
KNOTS = (0.05, 0.275, 0.5, 0.725, 0.95)  # quantiles: Harrell (2001, Regression Modeling Strategies), five knots
ROWS_EACH = 10  # respondents a coefficient
SIDES = ("low", "high")  # ends of the range at which the slopes are tested


@dataclass(frozen=True)
class TwoLines:
    """Slopes of the log rate per standard deviation below and above a break, each with the respondents on its side."""

    at: float
    below: Effect
    above: Effect

    @property
    def p_value(self) -> float:
        """One-sided, that the first line does not rise or the second does not fall."""
        return _p_inverted(self.below, self.above)


@dataclass(frozen=True)
class InvertedU:
    """The log rate of a count as a quadratic of contact frequency, b1 z + b2 z^2, z = (frequency - mean) / sd.

    ``coefficients`` are b1 and b2, ``covariance`` is robust; ``ends`` are in the frequency's own unit, taken as given.
    ``lines`` is None where the frequencies are too few for a break.

    Examples
    --------
    >>> b, V = np.array([0.1, -0.2]), np.eye(2) / 900
    >>> found = InvertedU("mails", "orders", 6.0, 4.0, (1.0, 13.0), b, V, 500, None)
    >>> found.turning_point, [round(end, 1) for end in found.turning_interval()]
    (7.0, [6.3, 7.9])
    >>> round(found.interior().estimate, 2), found.p_value < 0.001
    (0.6, True)
    """

    frequency: str
    outcome: str
    mean: float
    sd: float
    ends: tuple[float, float]
    coefficients: Array
    covariance: Array
    n: int
    lines: TwoLines | None

    def slope(self, at: float) -> Effect:
        """Return the slope of the log rate per standard deviation at a frequency: b1 + 2 b2 z."""
        weight = np.array([1.0, 2 * (at - self.mean) / self.sd])
        return Effect(float(weight @ self.coefficients), float(np.sqrt(weight @ self.covariance @ weight)), self.n)

    def interior(self, alpha: float = 0.05) -> EffectTest:
        """Return the smaller of the slope at the low end and minus that at the high end: above zero for an inverted U.

        Its one-sided test is Lind and Mehlum's (2010, doi:10.1111/j.1468-0084.2009.00569.x), an intersection-union of
        the two slopes' tests (Sasabuchi 1980, doi:10.1093/biomet/67.2.429).
        """
        low, high = map(self.slope, self.ends)
        e = np.array([low.estimate, -high.estimate])
        intervals = normal(e, [low.standard_error, high.standard_error])
        return least(e, intervals, self.n, alpha=alpha, p_values=[low.p_value, high.p_value])

    @property
    def p_value(self) -> float:
        """One-sided, of Lind and Mehlum: that the rate does not rise at the low end or does not fall at the high."""
        return _p_inverted(*map(self.slope, self.ends))

    @property
    def turning_point(self) -> float:
        """Frequency at which the slope is zero, a maximum if b2 < 0."""
        b1, b2 = self.coefficients
        return float(self.mean - self.sd * b1 / (2 * b2))

    def turning_interval(self, level: float = 0.95) -> tuple[float, float]:
        """Return Fieller's interval of the turning point, infinite where b2 may be zero.

        All z at which the slope is not told apart from zero, (b1 + 2 b2 z)^2 <= c^2 (v11 + 4 z v12 + 4 z^2 v22). At
        level 1 - 2 alpha it lies between the ends exactly when the test of an (inverted) U rejects at alpha.
        """
        (b1, b2), V = self.coefficients, self.covariance
        c2 = special.ndtri((1 + level) / 2) ** 2
        a, b, c = 4 * (b2**2 - c2 * V[1, 1]), 4 * (b1 * b2 - c2 * V[0, 1]), b1**2 - c2 * V[0, 0]
        if a <= 0:
            return -np.inf, np.inf
        reach = np.sqrt(b**2 - 4 * a * c)
        return float(self.mean + self.sd * (-b - reach) / (2 * a)), float(self.mean + self.sd * (-b + reach) / (2 * a))

    def summary(self) -> pd.DataFrame:
        """One row a slope: method, side, at (the frequency, or the break), slope, se, low, high, p (one-sided), n."""
        slopes = [("quadratic", side, at, self.slope(at)) for side, at in zip(SIDES, self.ends, strict=True)]
        if two := self.lines:
            slopes += [("two lines", "low", two.at, two.below), ("two lines", "high", two.at, two.above)]
        rows = [
            {"method": method, "side": side, "at": at, **one.cells(("slope", "se"))}
            | {"p": _one_sided(one, 1 if side == "low" else -1), "n": one.n}
            for method, side, at, one in slopes
        ]
        return pd.DataFrame(rows)


def contact_frequency(study: Study) -> InvertedU | NotTestable:
    """Test whether the codebook's contact outcome first rises and then falls with contact frequency.

    Poisson quasi-likelihood with robust errors, n / (n - k) times the sandwich (HC1): consistent for any count whose
    mean is exp of the quadratic, however dispersed (Gourieroux, Monfort & Trognon 1984, doi:10.2307/1913472).
    Respondents without one of the answers are left out; the slopes are tested at the quantiles ``ENDS``.
    """
    contact = study.codebook.contact
    if contact is None:
        return NotTestable("The codebook names no contact frequency and count that it may change.")
    rows = study.answers[[contact.frequency, contact.outcome]].dropna().astype(float)
    x, y = rows[contact.frequency].to_numpy(), rows[contact.outcome].to_numpy()
    ends, needed, counts = np.quantile(x, ENDS) if len(x) else np.zeros(2), ROWS_EACH * 3, np.unique(y)
    if len(x) < needed or len(np.unique(x[y > 0])) < 3 or ends[0] == ends[1] or len(counts) < 2 or y.min() < 0:
        given = {"nobs": len(x), "frequencies": len(np.unique(x)), "counts": len(counts), "needed": needed}
        return untestable("contact", **given, frequency=contact.frequency, outcome=contact.outcome)
    mean, sd = float(x.mean()), float(x.std(ddof=1))
    z = (x - mean) / sd
    b, V = _poisson(y, np.column_stack([z, z**2, np.ones_like(z)]))
    if not np.isfinite(V).all():
        return NotTestable("The count model of contact frequency has no solution.")
    low, high = ends.tolist()
    own = contact.frequency, contact.outcome, mean, sd, (low, high)
    return InvertedU(*own, b[:2], V[:2, :2], len(x), two_lines(x, y))


def two_lines(x: Array, y: Array) -> TwoLines | None:
    """Return lines below and above a break, in the log rate per standard deviation of x: no curve is assumed.

    The break is set by "Robin Hood" (Simonsohn 2018, doi:10.1177/2515245918805755): a smooth curve's highest point
    among the middle 80 per cent; the x whose fitted value is within a standard error of it; of these first the median,
    then the quantile ``|z2| / (|z1| + |z2|)``, which gives the weaker line more respondents. Here all fits are Poisson,
    and the curve is a restricted cubic spline of five knots where Simonsohn smooths with a penalty.

    Parameters
    ----------
    x, y : array, shape (n,)
        Frequency and count.
    """
    scaled = (x - x.mean()) / x.std(ddof=1)
    knots = np.unique(np.quantile(scaled, KNOTS))
    middle = (x > np.quantile(x, 0.1)) & (x < np.quantile(x, 0.9))
    if len(knots) < 3 or not middle.any():
        return None
    curve = np.column_stack([np.ones_like(x), _spline(scaled, knots)])
    b, V = _poisson(y, curve)
    curve = curve[middle]
    fitted, se = curve @ b, np.sqrt(np.einsum("ij,jk,ik->i", curve, V, curve))
    flat = x[middle][fitted + se >= fitted.max()]
    first = _lines(x, y, float(np.median(flat)))
    if first is None:
        return None
    strength = [abs(one.estimate / one.standard_error) for one in (first.below, first.above)]
    return _lines(x, y, float(np.quantile(flat, strength[1] / sum(strength)))) or first


def _lines(x: Array, y: Array, at: float) -> TwoLines | None:
    """Fit lines with a jump at the break, which belongs to the line whose slope is read."""
    found, z = [], (x - at) / x.std(ddof=1)
    for own in (x <= at, x >= at):
        if min(len(np.unique(x[part & (y > 0)])) for part in (own, ~own)) < 2:  # else a line falls without end
            return None
        b, V = _poisson(y, np.column_stack([z * own, z * ~own, own, ~own]))
        if not np.isfinite(V).all():
            return None
        found.append(Effect(float(b[0]), float(np.sqrt(V[0, 0])), int(own.sum())))
    return TwoLines(at, *found)


def _poisson(y: Array, design: Array) -> tuple[Array, Array]:
    """Return coefficients and robust covariances, nan without a solution."""
    import statsmodels.api as sm

    fit = sm.GLM(y, design, family=sm.families.Poisson()).fit(cov_type="HC0")  # its HC1 lacks the correction
    V = fit.cov_params() * len(y) / fit.df_resid if fit.converged else np.full((design.shape[1],) * 2, np.nan)
    return fit.params, V


def _spline(x: Array, knots: Array) -> Array:
    """Return a restricted cubic spline's columns without the constant (Harrell 2001): linear beyond the last knots."""
    cube = np.maximum(x[:, None] - knots, 0) ** 3
    share = (knots[-1] - knots[:-2]) / (knots[-1] - knots[-2])
    bent = cube[:, :-2] - cube[:, [-2]] * share + cube[:, [-1]] * (share - 1)
    return np.column_stack([x, bent / (knots[-1] - knots[0]) ** 2])


def _one_sided(effect: Effect, sign: int) -> float:
    """P value of the null hypothesis that the effect, times its expected sign, is not above zero."""
    return float(special.ndtr(-sign * effect.estimate / effect.standard_error))


def _p_inverted(low: Effect, high: Effect) -> float:
    return max(_one_sided(low, 1), _one_sided(high, -1))
