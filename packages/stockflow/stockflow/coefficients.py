"""Turn a declared mode into what one person meets, and that into the arrays that the loops over persons take."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import CodeType
from typing import TYPE_CHECKING

import numpy as np

from stockflow import expressions as ex
from stockflow.errors import ParameterError

if TYPE_CHECKING:
    from stockflow.mode import Mode

__all__ = ["STATES", "Coefficients", "Field", "Person", "coefficients", "fields", "person_source"]

STATES = 8  # as many counters fit into one word of the kernel
SCALARS = '''def poisson_tail(m, x):
    term, total = 1.0, 0.0
    for k in range(int(m)):
        total += term
        term *= x / (k + 1)
    return 1.0 - exp(-x) * total


def safediv(a, b):
    return a / b if b != 0.0 else 0.0
'''


@dataclass(frozen=True)
class Field:
    """The mean over a person's ``contact`` or over ``anyone`` of a weight that earlier fields may enter as ``f[i]``."""

    tie: str
    weight: ex.Tree


def fields(mode: Mode) -> tuple[Field, ...]:
    """Return what a person sees of others, in the order in which it is to be computed.

    Examples
    --------
    >>> from stockflow.examples import RUMOUR
    >>> [(f.tie, ex.write(f.weight, ex.PYTHON)) for f in fields(RUMOUR)]
    [('contact', 'S')]
    """
    nodes = _nodes(mode)
    return tuple(Field(node.function, _seen(node.args[0], nodes)) for node in nodes)


def person_source(mode: Mode) -> str:
    """Write the mode as Python that needs only ``exp`` (math.exp or a compiled one) in its scope.

    Returns
    -------
    str
        Source of ``poisson_tail``, ``safediv``, ``weight_0`` .. ``weight_n`` and ``hazard_0`` .. ``hazard_m``.
        ``weight_i(s, p, f)`` is what a person in state s (its position) adds to field i, given the parameters p in the
        order of ``mode.parameters`` and that person's own earlier fields f; ``hazard_k(p, f)`` is the hazard of flow k
        (1/day) for a person who sees the fields f.
    """
    nodes = _nodes(mode)
    parts = [SCALARS]
    for i, node in enumerate(nodes):
        parts.append(f"def weight_{i}(s, p, f):\n    return {_write(mode, _seen(node.args[0], nodes))}\n")
    for k, law in enumerate(mode.laws):
        parts.append(f"def hazard_{k}(p, f):\n    return {_write(mode, _seen(law, nodes))}\n")
    return "\n\n".join(parts)


def _nodes(mode: Mode) -> tuple[ex.Call, ...]:
    """Every distinct look at others, inner ones first."""
    found = (node for law in mode.laws for node in ex.walk(law))
    return tuple(dict.fromkeys(n for n in found if isinstance(n, ex.Call) and n.function in ex.TIES))


def _seen(tree: ex.Tree, nodes: tuple[ex.Call, ...]) -> ex.Tree:
    """Return the tree with every look at others replaced by the name of its field."""
    if tree in nodes:
        return ex.Name(f"f[{nodes.index(tree)}]")
    if isinstance(tree, ex.Call):
        return ex.Call(tree.function, tuple(_seen(arg, nodes) for arg in tree.args))
    return tree


def _write(mode: Mode, tree: ex.Tree) -> str:
    """Write a tree for one person: parameters by position, a state as whether the person is in it."""
    names = {name: f"p[{i}]" for i, name in enumerate(mode.parameter)}
    names |= {name: f"(1.0 if s == {i} else 0.0)" for name, i in mode.index.items()}
    return ex.write(tree, ex.PYTHON, names)


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
        """Return what the loops take."""
        return self.start, self.target, self.base, self.near, self.far


class Person:
    """The rate laws of a mode as one person meets them, with the parameters put in."""

    def __init__(self, mode: Mode, parameters: Sequence[float]) -> None:
        scope: dict[str, Callable] = {"exp": math.exp}
        exec(_code(person_source(mode)), scope)  # written by ourselves from a checked tree
        self.mode, self.p, self._scope = mode, tuple(parameters), scope
        self.fields: tuple[Field, ...] = fields(mode)

    def weight(self, i: int, state: int, seen: Sequence[float] | np.ndarray) -> float:
        """What somebody in a state adds to field i."""
        return self._scope[f"weight_{i}"](state, self.p, seen)

    def hazards(self, seen: Sequence[float] | np.ndarray) -> np.ndarray:
        """The hazard of every flow for a person who sees these fields, shape (flows,)."""
        return np.array([self._scope[f"hazard_{k}"](self.p, seen) for k in range(len(self.mode.flows))], float)

    def met(self, contacts: np.ndarray, everybody: np.ndarray) -> np.ndarray:
        """The hazards where all meet the same mix of contacts: shares by state among contacts and among everybody."""
        seen: list[float] = []
        for i, field in enumerate(self.fields):
            share = contacts if field.tie == "contact" else everybody
            seen.append(math.fsum(share[r] * self.weight(i, r, seen) for r in range(len(share))))
        return self.hazards(seen)


@lru_cache(16)
def _code(source: str) -> CodeType:
    return compile(source, "<rate laws>", "exec")


def coefficients(mode: Mode, person: Person, alone: Sequence[tuple[str, str]] = ()) -> Coefficients:
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
    S, F = len(mode.states), len(mode.flows)
    if S > STATES:
        raise ParameterError(f"the person-by-person loops take up to {STATES} states; got {S} of {mode.name}.")
    nothing = np.zeros(len(person.fields))
    base = person.hazards(nothing)
    slope = np.stack([person.hazards(row) - base for row in np.eye(len(nothing))] or [np.zeros(F)])
    deep = np.array([any(isinstance(n, ex.Name) and n.name.startswith("f[") for n in ex.walk(field.weight))
                     for field in person.fields] or [False])
    probes = np.random.default_rng(0).random((4, len(nothing)))
    bent = np.max([abs(person.hazards(f) - base - f @ slope[: len(f)]) for f in probes], axis=0) > 1e-12
    kept = np.array([(flow.source, flow.target) not in alone for flow in mode.flows])
    for k in np.flatnonzero(kept & (bent | (deep @ (slope != 0)))):
        flow = mode.flows[k]
        raise ParameterError("on a network a hazard is linear in contact(w) and anyone(w), with weights of states "
                             f"only; got {flow.hazard!r} for {flow.source} -> {flow.target} of {mode.name}. Where "
                             "persons open groups, pass groups=; well mixed, any rate law is allowed.")
    near, far = np.zeros((F, S)), np.zeros((F, S))
    for i, field in enumerate(person.fields):
        if not deep[i]:
            weights = np.array([person.weight(i, r, nothing) for r in range(S)], float)
            (near if field.tie == "contact" else far)[kept] += np.outer(slope[i, kept], weights)
    if (near < 0).any() or (far < 0).any():
        raise ParameterError(f"what others do may raise a hazard, not lower it; got a negative weight in {mode.name}.")
    return _sorted(mode, base, near, far)


def _sorted(mode: Mode, base: np.ndarray, near: np.ndarray, far: np.ndarray) -> Coefficients:
    order = np.argsort(mode.sources, kind="stable")
    start = np.searchsorted(mode.sources[order], np.arange(len(mode.states) + 1)).astype(np.int64)
    target = np.array([mode.index[mode.flows[k].target] for k in order], dtype=np.uint8)
    return Coefficients(order, start, target, base[order], near[order], far[order])
