"""Does a mode sustain itself: its Jacobian, next-generation matrix, R0, and how each parameter moves a result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stockflow.errors import ParameterError, extra
from stockflow.mode import Mode, Values
from stockflow.trajectory import integrate

if TYPE_CHECKING:
    import pandas as pd

STEP = 1e-30  # of the complex step: nothing is subtracted, so that no digit is lost


@dataclass(frozen=True, eq=False)
class NextGeneration:
    """The next-generation matrix at the carrier-free state.

    Attributes
    ----------
    states : tuple of str
        The carrying states, in the order of the matrices.
    entry, transfer, matrix : ndarray, shape (c, c) or (sets, c, c)
        F (new carriers per day), V (moves between and out of carrying states, per day) and K = F V^-1.
    r0 : ndarray, shape () or (sets,)
        Spectral radius of K: new carriers that one carrier brings in a population without any.
    growth : ndarray, shape () or (sets,)
        Leading eigenvalue of F - V, per day: its sign is that of R0 - 1.
    """

    states: tuple[str, ...]
    entry: np.ndarray
    transfer: np.ndarray
    matrix: np.ndarray
    r0: np.ndarray
    growth: np.ndarray


def jacobian(mode: Mode, parameters: Mapping | None = None, state: np.ndarray | None = None) -> np.ndarray:
    """Differentiate dy/dt by the persons in each state, exact to rounding (complex step).

    Parameters
    ----------
    state : ndarray, shape (states,) or (states, sets), optional
        Persons; the carrier-free state where left out.

    Returns
    -------
    ndarray, shape (states, states) or (sets, states, states)
        Per day. One eigenvalue is 0: the number of persons is constant.

    References
    ----------
    Squire & Trapp (1998), doi:10.1137/S003614459631241X.
    """
    slopes = _flow_slopes(mode, mode.values(parameters), state)
    return np.moveaxis(np.tensordot(mode.incidence, slopes, axes=1), (0, 1), (-2, -1))


def _flow_slopes(mode: Mode, p: Values, state: np.ndarray | None = None) -> np.ndarray:
    """d flow / d state, shape (flows, states) or (flows, states, sets)."""
    y = mode.start() if state is None else np.asarray(state, float)
    if sets := {value.shape for value in p.values() if value.ndim}:
        y = np.broadcast_to(y if y.ndim == 2 else y[:, None], (len(y), *sets.pop()))
    k = len(mode.states)
    moved = y[:, None] + 1j * STEP * np.eye(k).reshape(k, k, *[1] * (y.ndim - 1))
    return mode.flow_rates(moved, p).imag / STEP


def next_generation(mode: Mode, parameters: Mapping | pd.DataFrame | None = None) -> NextGeneration:
    """Return the next-generation matrix at the declared carrier-free state, external arrivals switched off.

    References
    ----------
    van den Driessche & Watmough (2002), doi:10.1016/S0025-5564(02)00108-6.

    Examples
    --------
    >>> from stockflow.examples import RUMOUR
    >>> round(float(next_generation(RUMOUR, {"beta": 0.25}).r0), 6)  # beta / gamma
    2.5
    """
    p = mode.values(parameters) | {name: np.zeros(()) for name in mode.external}
    slopes, among = _flow_slopes(mode, p), mode.carrying
    enters = np.array([flow.enters for flow in mode.flows])
    entering = np.where(enters, np.maximum(mode.incidence, 0), 0.0)
    moved = [np.tensordot(matrix[among], slopes[:, among], axes=1) for matrix in (entering, mode.incidence)]
    entry, change = (np.moveaxis(one, (0, 1), (-2, -1)) for one in moved)
    transfer = entry - change
    matrix = entry @ np.linalg.inv(transfer)
    r0, growth = np.abs(np.linalg.eigvals(matrix)).max(axis=-1), np.linalg.eigvals(change).real.max(axis=-1)
    return NextGeneration(tuple(mode.states[i].name for i in among), entry, transfer, matrix, r0, growth)


def leading_eigenvalue(mode: Mode, parameters: Mapping | None, state: np.ndarray) -> np.ndarray:
    """Return the leading eigenvalue (real part, per day) at a state, the constant number of persons left out.

    Negative means that a small disturbance dies out.

    Parameters
    ----------
    mode, parameters
        As in :func:`next_generation`.
    state : array, shape (states,) or (states, sets)
        Shares by state.
    """
    full = jacobian(mode, parameters, state)
    reduced = full[..., :-1, :-1] - full[..., :-1, -1:]  # the last state is what the others leave
    return np.linalg.eigvals(reduced).real.max(axis=-1)


def settle(
    mode: Mode, parameters: Mapping | pd.DataFrame | None = None, initial: Mapping | None = None, days: int = 3650
) -> np.ndarray:
    """Return the shares by state at which a run from ``initial`` settles, shape (states,) or (states, sets).

    The run goes on for ``days`` and Newton's method takes it to rest: for what has no closed form, as social proof.
    Where several states of rest exist, it depends on the start which is reached.

    Parameters
    ----------
    mode, parameters, initial
        As in :func:`integrate`.
    days : int
        How long the run goes on before Newton's method.

    Raises
    ------
    ParameterError
        Where the run does not come to a stable state of rest.

    Examples
    --------
    >>> from stockflow.examples import RUMOUR
    >>> settle(RUMOUR, {"beta": [0.2, 0.4], "omega": 0.01}, {"S": 0.01})[0].round(9).tolist()  # gamma / beta
    [0.5, 0.25]
    """
    p = mode.values(parameters)
    y = integrate(mode, parameters, days, "map", initial=initial, every=days).values[-1]
    for _ in range(12):
        slopes = jacobian(mode, parameters, y)
        slopes[..., -1, :] = 1.0  # the last equation follows from the others; in its place, the sum stays
        gap = np.moveaxis(mode.derivative(y, p), 0, -1)
        gap[..., -1] = 0.0
        try:
            y = y - np.moveaxis(np.linalg.solve(slopes, gap[..., None])[..., 0], -1, 0)
        except np.linalg.LinAlgError:  # a whole line of states at rest, as where nobody returns
            break
    rest = np.abs(mode.derivative(y, p)).max()
    if not (rest < 1e-14 and y.min() > -1e-12 and np.all(leading_eigenvalue(mode, parameters, y) < 0)):
        what = f"{mode.name} has not settled after {days} days; got a change of {rest:.3g} a day"
        raise ParameterError(f"{what}; allowed is a longer run, or parameters that let it come to rest.")
    return y


def elasticity(of: Callable[[Values], np.ndarray], p: Values, name: str) -> np.ndarray:
    """Return the per cent by which a positive result moves per per cent of one parameter, one or many at a time.

    Fourth-order differences that look down only, so that a probability of 1 can be asked too.

    Parameters
    ----------
    of : callable
        From all parameter values to a positive number, or one for each set of them.
    p : mapping of str to array
        The values.
    name : str
        The parameter that moves, itself positive.
    """
    h, weights = 1e-3, (25 / 12, -4, 3, -4 / 3, 1 / 4)
    return sum(w * np.log(of(p | {name: p[name] * np.exp(-k * h)})) for k, w in enumerate(weights)) / h


def elasticities(of: Callable[[Values], np.ndarray], mode: Mode, parameters: Mapping | None = None) -> pd.DataFrame:
    """Return the elasticity of a result for one set of parameters.

    Parameters
    ----------
    of : callable
        From all parameter values to a positive number.

    Returns
    -------
    DataFrame
        parameter, symbol, elasticity; parameters that are zero or whole numbers are left out.
    """
    with extra("tables"):
        import pandas as pd

    p = mode.values(parameters)
    moved = [one for one in mode.parameters if one.kind != "group" and p[one.name] > 0]
    rows = [(one.name, one.symbol, float(elasticity(of, p, one.name))) for one in moved]
    return pd.DataFrame(rows, columns=["parameter", "symbol", "elasticity"])


def minimal_root(f: Callable[[np.ndarray], np.ndarray], r0: np.ndarray) -> np.ndarray:
    """Return the smallest z in [0, 1] with z = f(z), for a probability generating function f with mean r0.

    Newton's method from 0 climbs to it without passing, as f is convex.
    """
    z = np.zeros(np.shape(r0))
    for _ in range(100):
        moved = f(z + 1j * STEP)
        slope = moved.imag / STEP
        step = (moved.real - z) / np.where(slope < 1, 1 - slope, np.inf)
        z = np.minimum(z + step, 1.0)
        if np.all(step <= 1e-16):
            break
    return np.where(np.asarray(r0) <= 1, 1.0, z)


def bisect(f: Callable[[np.ndarray], np.ndarray], low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return where a function changes sign, element by element.

    Parameters
    ----------
    f : callable
        From an array to one of its shape.
    low, high : array
        Where f is positive, and where it is not.
    """
    low, high = np.array(low, float), np.array(high, float)
    for _ in range(80):
        middle = (low + high) / 2
        above = f(middle) > 0
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return (low + high) / 2
