"""Take one step of a mode person by person, for each kind of contact."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from types import ModuleType

import numpy as np

from stockflow.coefficients import Coefficients, coefficients, in_order
from stockflow.draws import key_of, leaving
from stockflow.errors import ParameterError, UnknownNameError
from stockflow.groups import Groups, Invitations, joins
from stockflow.networks import Network
from stockflow.trajectory import PersonsRun, refuse_coarse

Advance = Callable[[np.ndarray, int, np.ndarray, np.ndarray], None]
ENGINES = ("auto", "numba", "numpy")
BATCH = 2e7  # person-steps between two looks at the clock


def stepper(
    run: PersonsRun, network: Network | None, groups: Groups | None, engine: str, block: int
) -> tuple[Advance, np.ndarray, int]:
    """Return a function that advances the state, the order of its flows, and how many steps it takes at once.

    It takes the state, the number of its first step, counts from those now on, and moves.
    """
    mode, p, dt, contacts, n, key = run.mode, run.parameters, run.dt, run.contacts, len(run.state), key_of(run.seed, 1)
    loop = partial(loops(engine).advance, key=key, dt=dt, block=block)
    entries = [(groups.joins, end[2]) for end in (groups.friends, groups.strangers)] if groups else []
    if groups is None and contacts != "network":
        return _mean_field(run, network, loop)
    flows = coefficients(mode, p, entries)
    refuse_coarse(mode, flows.largest(), dt)
    if contacts != "network" and flows.near.any():
        raise ParameterError(f"groups without ties take a mode whose other hazards see no contacts; got {mode.name}.")
    limits = Limits.of(flows, network if contacts == "network" else None, n)
    move = partial(limits.advance, loop, flows)
    if groups is None:
        return move, flows.order, max(1, int(BATCH // n))
    pull = np.cumsum(network.degree) if network is not None and contacts == "annealed" else None
    plan = Invitations.of(groups, mode.index, p, dt, network if contacts == "network" else None, pull)
    return _with_groups(move, limits, flows, plan, key, dt), flows.order, 1


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

    def advance(
        self, loop: partial, flows: Coefficients, state: np.ndarray, first: int, counts: np.ndarray, moves: np.ndarray
    ) -> None:
        """Take as many steps as there are rows of moves."""
        loop(state=state, first=first, steps=len(moves), flows=flows.arrays(), counts=counts, moves=moves, **vars(self))


def _mean_field(run: PersonsRun, network: Network | None, loop: partial) -> tuple[Advance, np.ndarray, int]:
    """All meet the same mix: one look at it for each step, whatever the rate laws."""
    mode, p, n, dt = run.mode, run.parameters, len(run.state), run.dt
    S, none = len(mode.states), np.zeros((len(mode.flows), len(mode.states)))
    flows = Coefficients(*in_order(mode), none[:, 0], none, none)
    degree = None if network is None else network.degree
    limits = Limits.of(flows, None, n)

    def advance(state: np.ndarray, first: int, counts: np.ndarray, moves: np.ndarray) -> None:
        everybody = counts[0] / n
        mix = everybody if degree is None else np.bincount(state, degree, S) / max(degree.sum(), 1)
        met = replace(flows, base=mode.met(mix, everybody, p)[flows.order])
        refuse_coarse(mode, met.largest(), dt)
        limits.advance(loop, met, state, first, counts, moves)

    return advance, flows.order, 1


def _with_groups(
    move: Advance, limits: Limits, flows: Coefficients, plan: Invitations, key: np.uint64, dt: float
) -> Advance:
    from stockflow.vectors import draw

    def advance(state: np.ndarray, first: int, counts: np.ndarray, moves: np.ndarray) -> None:
        """One step in which groups compete with the other flows: whichever comes first within the step holds."""
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
        limits.forget()  # contacts have moved behind the loop's back

    return advance


def loops(engine: str) -> ModuleType:
    """Return the compiled loops, or those of numpy."""
    from stockflow import kernels, vectors

    if engine not in ENGINES:
        raise UnknownNameError("engine", engine, ENGINES)
    if engine == "numba" and not kernels.COMPILED:
        raise ParameterError("engine 'numba' needs the package numba, which is not installed; allowed is 'numpy'.")
    return kernels if kernels.COMPILED and engine != "numpy" else vectors
