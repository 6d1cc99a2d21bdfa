"""Run a mode through time: the differential equations, fixed steps over a table of parameters, or the discrete map."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stockflow import __version__
from stockflow.errors import ParameterError, UnknownNameError, extra, quoted, replacing
from stockflow.mode import Mode, Values

if TYPE_CHECKING:
    import pandas as pd

METHODS = ("ode", "rk4", "euler", "map")


@dataclass(frozen=True, eq=False)
class Run:
    """Persons by state through time, and what was asked for.

    Attributes
    ----------
    times : ndarray, shape (times,)
        In days.
    values : ndarray, shape (times, states) or (times, states, sets)
        Persons; one set of parameters, or as many as the table has rows.
    parameters : dict
        Every parameter, one value or one a set.
    call : dict
        Further arguments of the call; of a network, what it was grown from.
    """

    mode: Mode
    times: np.ndarray
    values: np.ndarray
    parameters: Values
    dt: float
    call: dict[str, Any]

    def persons(self, name: str) -> np.ndarray:
        """Return persons in one state, shape (times,) or (times, sets)."""
        if name not in self.mode.index:
            raise UnknownNameError(f"state of {self.mode.name}", name, self.mode.index)
        return self.values[:, self.mode.index[name]]

    def summary(self) -> pd.DataFrame:
        """Return one row a day and state (and set): set, day, state, persons, share."""
        with extra("tables"):
            import pandas as pd

        values = self.values if self.values.ndim == 3 else self.values[:, :, None]
        times, states, sets = values.shape
        index = pd.MultiIndex.from_product([range(sets), self.times, self.mode.index], names=["set", "day", "state"])
        frame = pd.DataFrame({"persons": np.moveaxis(values, 2, 0).reshape(-1)}, index=index).reset_index()
        frame["share"] = frame["persons"] / np.repeat(values[0].sum(axis=0), times * states)
        return frame if self.values.ndim == 3 else frame.drop(columns="set")

    @property
    def digest(self) -> str:
        """A hash of the numbers: whole ones as they are, else shares to six decimals: last bits are a processor's."""
        numbers = self.values
        if numbers.dtype.kind == "f":
            numbers = (np.array([numbers[-1], numbers.mean(axis=0)]) / numbers[0].sum(axis=0)).round(6) + 0.0
        return hashlib.sha256(numbers.astype("<f8").tobytes()).hexdigest()

    def save(self, path: str | Path) -> None:
        """Write all that was asked for, the mode's declaration and the digest to a small file for ``load_run``."""
        call = {"parameters": self.parameters, "dt": self.dt, **self.call}
        kept = {"stockflow": __version__, "digest": self.digest, "mode": asdict(self.mode), "call": call}
        text = json.dumps(kept, indent=1, ensure_ascii=False, default=_plain)
        with replacing(Path(path), "a run") as file:
            file.write(f"{text}\n".encode())


def _plain(one: object) -> object:
    if isinstance(one, np.ndarray | np.generic):
        return one.tolist()
    raise ParameterError(f"a run is saved with numbers and texts; got {quoted(one)} among what was asked for.")


@dataclass(frozen=True, eq=False)
class Trajectory(Run):
    """Persons by state as the equations, or the discrete map, have them."""

    method: str

    state = Run.persons

    def flow(self, source: str, target: str) -> np.ndarray:
        """Return persons per day from one state to another, shape (times,) or (times, sets)."""
        names = [(f.source, f.target) for f in self.mode.flows]
        if (source, target) not in names:
            raise UnknownNameError("flow", f"{source}->{target}", [f"{a}->{b}" for a, b in names])
        k, y = names.index((source, target)), np.moveaxis(self.values, 1, 0)
        return self.mode.hazards(y, self.parameters)[k] * y[self.mode.index[source]]


@dataclass(frozen=True, eq=False)
class PersonsRun(Run):
    """Persons by state after each step, and how many went along each flow.

    Attributes
    ----------
    moves : ndarray of int, shape (steps, flows)
        In the order of ``mode.flows``.
    state : ndarray of uint8, shape (n,)
        Everybody's state at the end.
    contacts : {"mixed", "annealed", "network"}
    """

    moves: np.ndarray
    state: np.ndarray
    contacts: str
    seed: int

    @property
    def counts(self) -> np.ndarray:
        """Persons by state, whole numbers, shape (steps + 1, states)."""
        return self.values

    @property
    def shares(self) -> np.ndarray:
        """Share of persons by state, shape (steps + 1, states)."""
        return self.counts / len(self.state)


def integrate(
    mode: Mode,
    parameters: Mapping | pd.DataFrame | None = None,
    days: float = 365.0,
    method: str = "ode",
    dt: float = 1.0,
    initial: Mapping | None = None,
    population: float = 1.0,
    every: int = 1,
) -> Trajectory:
    """Run a mode.

    Parameters
    ----------
    mode : Mode
    parameters : mapping or DataFrame, optional
        Those that differ from the defaults; columns of a table are run side by side (not by ``"ode"``).
    days : float
    method : {"ode", "rk4", "euler", "map"}
        ``ode`` integrates to a relative 1e-10 (Dormand and Prince, order 8); ``rk4`` and ``euler`` take fixed steps;
        ``map`` moves the share p = 1 - exp(-h dt) out of each state, h its summed hazard, split in proportion: the
        limit of the person-by-person model for many persons.
    dt : float
        Step in days, of the last three; of ``ode``, the spacing of its output.
    initial : mapping, optional
        Persons by state, one value or one a set; everybody else starts carrier-free.
    population : float
        Number of persons; 1 for shares.
    every : int
        Keep every so-many-th step.

    Raises
    ------
    ParameterError
        Also where ``rk4`` or ``euler`` would move more persons than there are: a hazard times dt above 1.

    References
    ----------
    Kurtz (1970), doi:10.2307/3212147, for the limit.

    Examples
    --------
    >>> from stockflow.examples import RUMOUR
    >>> run = integrate(RUMOUR, days=1000, initial={"S": 1e-6})
    >>> round(float(run.state("U")[-1]), 3)  # u = exp(-R0 (1 - u)), Kermack & McKendrick
    0.06
    """
    if method not in METHODS:
        raise UnknownNameError("method", method, METHODS)
    if every < 1:
        raise ParameterError(f"every is a number of steps; got {every}; allowed is 1 or more.")
    steps, p = whole_steps(days, dt), mode.values(parameters)
    y = mode.start(initial, population)
    sets = next((v.shape[-1] for v in (*p.values(), y[0]) if v.ndim), None)
    times = dt * np.arange(0, steps + 1, every)
    call = {"days": days, "method": method, "initial": dict(initial or {}), "population": population, "every": every}
    if method == "ode":
        if sets is not None:
            raise ParameterError(f"ode runs one set of parameters; got {sets}; allowed for tables are rk4, euler, map.")
        return Trajectory(mode, times, _ode(mode, p, y, times, population), p, dt, call, method)
    y = y if sets is None or y.ndim == 2 else np.repeat(y[:, None], sets, axis=1)
    advance = {"rk4": _rk4, "euler": _euler, "map": _map}[method]
    values = np.empty((len(times), *y.shape))
    for step in range(steps + 1):
        y = advance(mode, p, y, dt) if step else y
        if step % every == 0:
            values[step // every] = y
        if step in (0, steps) and method != "map":
            _refuse_coarse(mode, p, values[: step // every + 1], dt)
    return Trajectory(mode, times, values, p, dt, call, method)


def whole_steps(days: float, dt: float) -> int:
    """Return how many steps of dt make up the days."""
    steps = round(days / dt) if dt > 0 else 0
    if steps < 1 or abs(steps * dt - days) > 1e-9 * days:
        raise ParameterError(f"days is a whole number of steps dt > 0; got days={days:g} and dt={dt:g}.")
    return steps


def _ode(mode: Mode, p: Values, y: np.ndarray, times: np.ndarray, population: float) -> np.ndarray:
    tolerance = {"rtol": 1e-10, "atol": 1e-13 * population}
    from scipy.integrate import solve_ivp  # heavy, as scipy.sparse is: each process of an experiment would load it

    run = solve_ivp(lambda _, y: mode.derivative(y, p), (0.0, times[-1]), y, "DOP853", times, **tolerance)
    if not run.success:
        allowed = "rates that differ by less than some thousand times"
        raise ParameterError(f"{mode.name} cannot be integrated; got {run.message!r}; allowed are {allowed}.")
    return run.y.T


def _euler(mode: Mode, p: Values, y: np.ndarray, dt: float) -> np.ndarray:
    return y + dt * mode.derivative(y, p)


def _rk4(mode: Mode, p: Values, y: np.ndarray, dt: float) -> np.ndarray:
    k1 = mode.derivative(y, p)
    k2 = mode.derivative(y + dt / 2 * k1, p)
    k3 = mode.derivative(y + dt / 2 * k2, p)
    return y + dt / 6 * (k1 + 2 * k2 + 2 * k3 + mode.derivative(y + dt * k3, p))


def _map(mode: Mode, p: Values, y: np.ndarray, dt: float) -> np.ndarray:
    hazards = mode.hazards(y, p)
    leave = mode.leaving @ hazards  # summed hazard by state
    share = np.divide(-np.expm1(-leave * dt), leave, out=np.full_like(leave, dt), where=leave > 0)
    return y + mode.incidence @ (hazards * (share * y)[mode.sources])


def _refuse_coarse(mode: Mode, p: Values, values: np.ndarray, dt: float) -> None:
    leave = np.tensordot(mode.leaving, mode.hazards(np.moveaxis(values, 1, 0), p), axes=1)
    refuse_coarse(mode, np.nanmax(leave.reshape(len(mode.states), -1), axis=1), dt)


def refuse_coarse(mode: Mode, largest: np.ndarray, dt: float) -> None:
    """Refuse a step in which more would leave a state than are there, given the highest hazard of leaving each."""
    state = int(np.argmax(largest))
    if not largest[state] * dt <= 1:
        what = f"the hazard of leaving {mode.states[state].name} times dt is at most 1"
        given = f"{largest[state] * dt:.3g} at dt={dt:g}; allowed is dt <= {1 / largest[state]:.3g} days"
        raise ParameterError(f"dt is too long: {what}; got {given}.")
