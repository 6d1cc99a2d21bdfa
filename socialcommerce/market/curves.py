"""Four growth curves, each as the logarithm of its shape, and what its parameters mean.

A curve is ``value(t) = scale * shape(t; u)`` with t in years since the series began. The logarithm makes the scale an
additive constant, which least squares removes in closed form, so that at most two parameters are searched for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np

__all__ = ["CURVES", "Curve", "Parameter"]

Shapes = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Parameter:
    """A parameter with a meaning.

    Attributes
    ----------
    name, words, unit
        Its name in code, in English and Chinese, and its unit: ``value`` (the series' own), ``per year`` or ``year``.
    position : int or None
        Which searched parameter it is; None for the scale, -1 for one that mixes two (the Bass peak).
    log : bool
        Whether it is searched on the logarithmic scale.
    """

    name: str
    words: Mapping[str, str]
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
    words: Mapping[str, str]
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


RATE = {"en": "growth rate", "zh": "增长率"}
CEILING = {"en": "ceiling", "zh": "上限"}
INFLECTION = {"en": "year of the inflection", "zh": "拐点年份"}
_S_CURVE = (
    Parameter("ceiling", CEILING, "value", None, True),
    Parameter("rate", RATE, "per year", 0, True),
    Parameter("midpoint", INFLECTION, "year", 1, False),
)
_S_STARTS = tuple(product(np.log([0.1, 0.3, 0.7, 1.5]), [-0.5, 0.2, 0.6, 1.0, 2.0]))

CURVES: dict[str, Curve] = {
    curve.name: curve
    for curve in (
        Curve("exponential", {"en": "Exponential", "zh": "指数"},
              (Parameter("start", {"en": "value in the first year", "zh": "首年数值"}, "value", None, True),
               Parameter("rate", RATE, "per year", 0, False)),
              _exponential, (-5.0,), (5.0,), ((0.0,),)),
        Curve("logistic", {"en": "Logistic", "zh": "逻辑斯蒂"}, _S_CURVE, _logistic,
              (np.log(1e-3), -20.0), (np.log(20.0), 20.0), _S_STARTS),
        Curve("gompertz", {"en": "Gompertz", "zh": "龚珀兹"}, _S_CURVE, _gompertz,
              (np.log(1e-3), -20.0), (np.log(20.0), 20.0), _S_STARTS),
        Curve("bass", {"en": "Bass (yearly)", "zh": "巴斯（年度）"},
              (Parameter("potential", {"en": "sum over all years", "zh": "历年总和"}, "value", None, True),
               Parameter("innovation", {"en": "innovation p", "zh": "创新系数 p"}, "per year", 0, True),
               Parameter("imitation", {"en": "imitation q", "zh": "模仿系数 q"}, "per year", 1, True),
               Parameter("peak", {"en": "year of the peak", "zh": "峰值年份"}, "year", -1, False)),
              _bass, (np.log(1e-7), np.log(1e-5)), (np.log(3.0), np.log(10.0)),
              tuple(product(np.log([1e-3, 1e-2, 0.05, 0.2]), np.log([0.05, 0.2, 0.6, 1.2])))),
    )
}
"""The curves by name.

Exponential: ``start * exp(rate * t)``. Logistic: ``ceiling / (1 + exp(-rate * (t - midpoint)))``. Gompertz:
``ceiling * exp(-exp(-rate * (t - midpoint)))`` (Gompertz 1825, doi:10.1098/rstl.1825.0026). Bass: ``potential *
(F(t + 1) - F(t))`` with ``F(t) = (1 - exp(-(p + q) t)) / (1 + q / p * exp(-(p + q) t))`` and its peak at ``ln(q / p) /
(p + q)`` after the start of the first year (Bass 1969, doi:10.1287/mnsc.15.5.215). Bass wrote for first purchases;
on a market's yearly value, which is mostly repeat purchases and began before the series does, the curve only describes.
"""
