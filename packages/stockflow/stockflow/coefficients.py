"""Turn a declared mode into the arrays of hazards that the loops over persons take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stockflow.errors import ParameterError

if TYPE_CHECKING:
    from stockflow.mode import Mode, Values

STATES = 8  # as many counters fit into one word of the kernel


@dataclass(frozen=True)
class Coefficients:
    """Hazards of the flows, sorted by the state they leave.

    Attributes
    ----------
    order : ndarray, shape (flows,)
        Position of each flow in the declaration.
    start : ndarray, shape (states + 1,)
        The first flow that leaves each state.
    target : ndarray of uint8, shape (flows,)
    base : ndarray, shape (flows,)
        Hazard (1/day) of a person who sees nobody.
    near, far : ndarray, shape (flows, states)
        What is added for each share of one's contacts, and of everybody, that is in a state.
    """

    order: np.ndarray
    start: np.ndarray
    target: np.ndarray
    base: np.ndarray
    near: np.ndarray
    far: np.ndarray

    def largest(self) -> np.ndarray:
        """Return the highest hazard of leaving each state, whatever others do, shape (states,)."""
        whole = [slice(a, b) for a, b in zip(self.start[:-1], self.start[1:], strict=True)]
        return np.array([self.base[k].sum() + self.near[k].sum(0).max() + self.far[k].sum(0).max() for k in whole])

    def arrays(self) -> tuple[np.ndarray, ...]:
        """Return what the loops take; of near, the columns of states that somebody looks at."""
        near = np.ascontiguousarray(self.near[:, self.near.any(axis=0)])
        return self.start, self.target, self.base, near, self.far


def coefficients(mode: Mode, p: Values, alone: Sequence[tuple[str, str]] = ()) -> Coefficients:
    """Read base, near and far off a mode's rate laws.

    Parameters
    ----------
    alone : sequence of (source, target)
        Flows of which only the base is kept, since somebody else sees to the rest (groups).

    Raises
    ------
    ParameterError
        Where a hazard is not linear in what a person sees of others, or looks at what those see in turn.
    """
    S = len(mode.states)
    if S > STATES:
        raise ParameterError(f"the person-by-person loops take up to {STATES} states; got {S} of {mode.name}.")

    def hazards(seen: np.ndarray) -> np.ndarray:
        return mode.met(seen[:S], seen[S:], p)

    base = hazards(np.zeros(2 * S))
    slope = np.column_stack([hazards(row) - base for row in np.eye(2 * S)])
    probes = np.random.default_rng(0).random((4, 2 * S))
    bent = np.max([abs(hazards(seen) - base - slope @ seen) for seen in probes], axis=0) > 1e-12
    kept = np.array([(flow.source, flow.target) not in alone for flow in mode.flows])
    for k in np.flatnonzero(kept & bent):
        flow = mode.flows[k]
        given = f"{flow.hazard!r} for {flow.source} -> {flow.target} of {mode.name}"
        allowed = "Where persons open groups, pass groups=; well mixed, any rate law is allowed"
        raise ParameterError(f"on a network a hazard is linear in contact(w) and anyone(w); got {given}. {allowed}.")
    slope[~kept] = 0.0
    if (slope < 0).any():
        raise ParameterError(f"what others do may raise a hazard, not lower it; got a negative weight in {mode.name}.")
    order, start, target = in_order(mode)
    near, far = (np.ascontiguousarray(part) for part in np.hsplit(slope[order], 2))
    return Coefficients(order, start, target, base[order], near, far)


def in_order(mode: Mode) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return order, start and target of the flows."""
    order = np.argsort(mode.sources, kind="stable")
    start = np.searchsorted(mode.sources[order], np.arange(len(mode.states) + 1)).astype(np.int64)
    return order, start, np.array([mode.index[mode.flows[k].target] for k in order], dtype=np.uint8)
