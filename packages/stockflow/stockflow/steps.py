"""Take one step of a mode person by person, for each kind of contact."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from stockflow.coefficients import Coefficients, coefficients, mixed
from stockflow.draws import leaving
from stockflow.errors import ParameterError
from stockflow.groups import Groups, Invitations, joins
from stockflow.networks import Network
from stockflow.trajectory import refuse_coarse

if TYPE_CHECKING:
    from stockflow.mode import Mode, Values

__all__ = ["stepper"]

Advance = Callable[[np.ndarray, int, np.ndarray, np.ndarray], None]
BATCH = 2e7  # person-steps between two looks at the clock


def stepper(
    mode: Mode, p: Values, n: int, network: Network | None, contacts: str, groups: Groups | None, dt: float,
    engine: str, block: int, key: np.uint64,
) -> tuple[Advance, np.ndarray, int]:
    """Return a function that advances the state, the order of its flows, and how many steps it takes at once.

    It takes the state, the number of its first step, counts from those now on, and moves.
    """
    loop = partial(_loop(engine), key=key, dt=dt, block=block)
    entries = [(groups.joins, end[2]) for end in (groups.friends, groups.strangers)] if groups else []
    if groups is None and contacts != "network":
        return _mean_field(mode, p, n, network, dt, loop)
    flows = coefficients(mode, p, entries)
    refuse_coarse(mode, flows.largest(), dt)
    if contacts != "network" and flows.near.any():
        raise ParameterError("groups in a population without fixed ties take a mode whose other hazards do not look "
                             f"at contacts; got {mode.name}.")
    move = partial(_plain, loop, flows, Limits.of(flows, network if contacts == "network" else None, n))
    if groups is None:
        return move, flows.order, max(1, int(BATCH // n))
    pull = np.cumsum(network.degree) if network is not None and contacts == "annealed" else None
    plan = Invitations.of(groups, mode.index, p, dt, network if contacts == "network" else None, pull)
    return partial(_with_groups, move, flows, plan, key, dt), flows.order, 1


@dataclass(frozen=True)
class Limits:
    """What the compiled loop keeps from step to step, and the ties.

    ``limit`` is the highest first 16 bits of everybody's next draw that may mean a move, ``assumed`` holds the hazards
    without contacts, by state, that the limits are good for, ``column`` says where contacts in a state are counted.
    """

    column: np.ndarray
    ties: tuple[np.ndarray, np.ndarray]
    limit: np.ndarray
    assumed: np.ndarray

    @classmethod
    def of(cls, flows: Coefficients, network: Network | None, n: int) -> Limits:
        """Give a column to each state that raises somebody's hazard, and to all others one past them."""
        seen = flows.near.any(axis=0)
        column = np.where(seen, np.cumsum(seen) - 1, seen.sum() + 1)
        ties = (np.zeros(1, np.int64), np.zeros(0, np.int32)) if network is None else (network.indptr, network.indices)
        limits = cls(column, ties, np.empty(n, dtype=np.uint16), np.empty(len(column)))
        limits.forget()
        return limits

    def forget(self) -> None:
        """Have the limits found anew: below every hazard, no assumption holds."""
        self.assumed[:] = -1


def _plain(loop: partial[None], flows: Coefficients, limits: Limits, state: np.ndarray, first: int, counts: np.ndarray,
           moves: np.ndarray) -> None:
    loop(state=state, first=first, steps=len(moves), flows=flows.arrays(), counts=counts, moves=moves, **vars(limits))


def _mean_field(mode: Mode, p: Values, n: int, network: Network | None, dt: float,
                loop: partial[None]) -> tuple[Advance, np.ndarray, int]:
    """All meet the same mix: one look at it for each step, whatever the rate laws."""
    S, flows = len(mode.states), mixed(mode)
    degree = None if network is None else network.degree
    limits = Limits.of(flows, None, n)

    def advance(state: np.ndarray, first: int, counts: np.ndarray, moves: np.ndarray) -> None:
        everybody = counts[0] / n
        mix = everybody if degree is None else np.bincount(state, degree, S) / max(degree.sum(), 1)
        met = replace(flows, base=mode.met(mix, everybody, p)[flows.order])
        refuse_coarse(mode, met.largest(), dt)
        _plain(loop, met, limits, state, first, counts, moves)

    return advance, flows.order, 1


def _with_groups(move: partial[None], flows: Coefficients, plan: Invitations, key: np.uint64, dt: float,
                 state: np.ndarray, first: int, counts: np.ndarray, moves: np.ndarray) -> None:
    """One step in which groups compete with the other flows: whichever comes first within the step holds."""
    from stockflow.vectors import draw

    who, moment, into = joins(state, key, first, plan)
    move(state, first, counts, moves)
    low, high = flows.start[plan.member], flows.start[plan.member + 1]
    running = np.cumsum(flows.base[low:high])
    left = state[who] != plan.member
    u = draw(key, first, who)
    first_left = left & (u < leaving(running[-1] * dt * moment))
    overtaken = u[left & ~first_left]
    part = overtaken / leaving(running[-1] * dt) * running[-1] if len(overtaken) else overtaken
    ways = low + (part >= running[:-1, None]).sum(axis=0)
    moves[0] -= np.bincount(ways, minlength=moves.shape[1])
    who, into = who[~first_left], into[~first_left]
    state[who] = into
    for entered in plan.into:
        way = low + np.flatnonzero(flows.target[low:high] == entered)[0]
        moves[0, way] += int((into == entered).sum())
    counts[1] = np.bincount(state, minlength=counts.shape[1])
    move.args[2].forget()  # contacts have moved behind the loop's back


def _loop(engine: str) -> Callable:
    from stockflow import kernels, vectors

    if engine == "numba" and not kernels.COMPILED:
        raise ParameterError("engine 'numba' needs the package numba, which is not installed; allowed is 'numpy'.")
    return kernels.advance if kernels.COMPILED and engine != "numpy" else vectors.advance
