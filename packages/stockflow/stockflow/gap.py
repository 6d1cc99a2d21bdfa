"""Measure how far a mode on a fixed network stays from its equations, which let everybody meet everybody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from stockflow.errors import ParameterError
from stockflow.groups import Groups
from stockflow.mode import Mode
from stockflow.networks import Network
from stockflow.persons import replicate
from stockflow.trajectory import integrate


@dataclass(frozen=True, eq=False)
class Gap:
    """The difference between a mode on a fixed network and its well-mixed limit.

    Attributes
    ----------
    share : float
        Largest difference in the share of persons in any state on any day, of the mean over runs.
    state, day : str, float
        Where it is.
    error : float
        Standard error of that share over runs.
    overstated : float
        Active persons at the end by the equations, over those on the network (1: no gap).
    times, equations, network : ndarray
        Days (times,); shares by state (times, states), the second the mean over runs.
    runs : int
    """

    share: float
    state: str
    day: float
    error: float
    overstated: float
    times: np.ndarray
    equations: np.ndarray
    network: np.ndarray
    runs: int


def network_gap(
    mode: Mode,
    network: Network,
    parameters: Mapping[str, float] | None = None,
    days: float = 365.0,
    *,
    initial: Mapping[str, float],
    seeds: Sequence[int],
    active: Sequence[str] | None = None,
    groups: Groups | None = None,
    dt: float = 1.0,
    threads: int = 1,
) -> Gap:
    """Run a mode on a fixed network and by its discrete map, the limit of many well-mixed persons, and compare.

    Parameters
    ----------
    initial : mapping
        Shares of persons by state at the start; everybody else is carrier-free.
    seeds : sequence of int
        One run for each, at least two.
    active : sequence of str, optional
        States that count as active; by default the carrying ones.
    """
    if len(seeds) < 2:
        raise ParameterError(f"a gap and its error take at least two seeds; got {len(seeds)}.")
    shares = integrate(mode, parameters, days, "map", dt, initial).values
    persons = {name: round(share * network.n) for name, share in initial.items()}
    options = {"network": network, "initial": persons, "groups": groups, "dt": dt}
    made = replicate(mode, parameters, days, seeds=seeds, threads=threads, **options)
    runs = np.stack([run.shares for run in made])
    mean = runs.mean(axis=0)
    at = np.unravel_index(np.argmax(abs(shares - mean)), mean.shape)
    of = mode.carrying if active is None else [mode.index[name] for name in active]
    largest, state, day = float(abs(shares - mean)[at]), mode.states[at[1]].name, float(at[0] * dt)
    error = float(runs[:, at[0], at[1]].std(ddof=1) / np.sqrt(len(runs)))
    overstated = float(shares[-1, of].sum() / mean[-1, of].sum())
    return Gap(largest, state, day, error, overstated, dt * np.arange(len(mean)), shares, mean, len(runs))
