"""One declaration of a mode: its states, its parameters with units and marks, its flows, its carrier-free state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from keyword import iskeyword
from typing import TYPE_CHECKING

import numpy as np

from stockflow import expressions as ex
from stockflow.errors import ParameterError, UnknownNameError, extra, quoted

if TYPE_CHECKING:
    import pandas as pd

KINDS = {"rate": (0.0, np.inf), "weight": (0.0, np.inf), "probability": (0.0, 1.0), "group": (2, 50)}
STATUSES = ("estimated", "cited", "illustrative")
ROLES = ("susceptible", "carrying", "other")
Values = dict[str, np.ndarray]


@dataclass(frozen=True)
class State:
    """A stock of persons.

    Attributes
    ----------
    name : str
    role : {"susceptible", "carrying", "other"}
        Carrying states are the infected compartments of the next-generation matrix.
    words : str
        What the state is called.
    """

    name: str
    role: str
    words: str = ""
    unit: str = "persons"


@dataclass(frozen=True)
class Parameter:
    """A parameter with its unit, its range and the mark that says where its value comes from.

    Attributes
    ----------
    name, symbol, default, unit
        ``unit`` as ``"1/day"``, ``"day"`` or ``"1"``.
    lower, upper : float
        The range that uncertainty runs over, not what is allowed: that follows from ``kind``.
    words : str
        What the parameter is called.
    kind : {"rate", "weight", "probability", "group"}
        What is allowed: [0, inf), [0, inf), [0, 1], integers from 2.
    status : {"estimated", "cited", "illustrative"}
        Where the default comes from; ``source`` says it for the first two.
    """

    name: str
    symbol: str
    default: float
    unit: str
    lower: float
    upper: float
    words: str = ""
    kind: str = "rate"
    status: str = "illustrative"
    source: str = ""

    def check(self, given: object) -> np.ndarray:
        """Return the value, one or many, as numbers; raise ParameterError outside what is allowed."""
        low, high = KINDS[self.kind]
        value = np.asarray(given, float)
        bad = ~((value >= low) & (value <= high) & np.isfinite(value))
        if self.kind == "group":
            bad |= value != np.round(value)
        if bad.any():
            row = f" in row {int(np.argmax(bad))}" if value.ndim else ""
            allowed = {"probability": "[0, 1]", "group": f"{low}, {low + 1}, ... {high}"}.get(self.kind, "[0, inf)")
            noun = {"group": "group size"}.get(self.kind, self.kind)
            given = f"{value[bad].flat[0]:g}; allowed is {allowed} (unit {self.unit})"
            raise ParameterError(f"{self.name} is a {noun}{row}; got {given}.")
        return value


@dataclass(frozen=True)
class Auxiliary:
    """A named part of a rate law, of parameters and earlier auxiliaries."""

    name: str
    symbol: str
    text: str
    unit: str
    words: str = ""


@dataclass(frozen=True)
class Flow:
    """Persons who leave ``source`` for ``target`` at ``hazard`` (1/day) each.

    ``enters`` marks what the next-generation matrix counts as a new case.
    """

    source: str
    target: str
    hazard: str
    words: str = ""
    enters: bool = False


@dataclass(frozen=True)
class Mode:
    """An operating mechanism declared as data.

    A hazard reads states only through ``contact(w)`` and ``anyone(w)``, so that the same text holds for a person on a
    network and for the crowd; the number of persons is constant.

    Attributes
    ----------
    carrier_free : mapping
        Shares of the population by state where nobody carries, stated and never inferred.
    external : tuple of str
        Rates of arrival from outside the mode; zero where a threshold is meant.

    Raises
    ------
    ParameterError
        Where the declaration contradicts itself: units, roles, a state that no flow reaches.
    UnknownNameError
        Where a rate law names something undeclared.
    """

    name: str
    states: tuple[State, ...]
    parameters: tuple[Parameter, ...]
    flows: tuple[Flow, ...]
    carrier_free: Mapping[str, float]
    auxiliaries: tuple[Auxiliary, ...] = ()
    words: str = ""
    external: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self._check_names()
        self._check_reach()
        self._check_units()

    def _check_names(self) -> None:
        for name in [*self.index, *self.parameter, *(one.name for one in self.auxiliaries)]:
            if not name.isidentifier() or iskeyword(name):
                raise ParameterError(f"a name is of letters, digits and _, no keyword of Python; got {quoted(name)}.")
        for flow in self.flows:
            for name in (flow.source, flow.target):
                if name not in self.index:
                    raise UnknownNameError("state", name, self.index)
        for state in self.states:
            if state.role not in ROLES:
                raise UnknownNameError(f"role of {state.name}", state.role, ROLES)
        for p in self.parameters:
            if p.kind not in KINDS or p.status not in STATUSES or not p.lower <= p.default <= p.upper:
                allowed = f"the kinds {', '.join(KINDS)}, the marks {', '.join(STATUSES)}, a default within range"
                raise ParameterError(f"parameter {p.name} is not declared whole; got {p}; allowed are {allowed}.")
        share = sum(self.carrier_free.values())
        if not set(self.carrier_free) <= set(self.index) or abs(share - 1) > 1e-12:
            given = f"{dict(self.carrier_free)}; allowed are shares of {', '.join(self.index)} that sum to 1"
            raise ParameterError(f"the carrier-free state of {self.name} places everybody once; got {given}.")

    def _check_reach(self) -> None:
        reached = {name for name, share in self.carrier_free.items() if share > 0}
        while new := {flow.target for flow in self.flows if flow.source in reached} - reached:
            reached |= new
        for name in self.index:
            if name not in reached:
                among = ", ".join(n for n in self.index if n in reached)
                what = f"no flow reaches state {name!r} of {self.name} from its carrier-free state"
                raise ParameterError(f"{what}; reached are {among}; allowed is a mode that reaches every state.")

    def _check_units(self) -> None:
        units = {p.name: ex.unit(p.unit) for p in self.parameters} | {s.name: ex.unit(s.unit) for s in self.states}
        laws = [(a.name, a.text, a.unit) for a in self.auxiliaries]
        laws += [(f"{f.source} -> {f.target}", f.hazard, "1/day") for f in self.flows]
        for name, text, declared in laws:
            tree = ex.parse(text)
            found = ex.dimension(tree, units, text)
            if found != ex.unit(declared):
                given = "*".join(f"{base}^{power:g}" for base, power in found.items()) or "1"
                raise ParameterError(f"{name} = {text!r} has the wrong unit; got {given}; allowed is {declared}.")
            if bare := _bare(tree) & set(self.index):
                what = f"{name} = {text!r} reads {sorted(bare)[0]} outside contact() and anyone()"
                raise ParameterError(f"{what}; allowed is what a person sees of others, contact(w) or anyone(w).")
            units[name] = ex.unit(declared)

    @cached_property
    def index(self) -> dict[str, int]:
        """The position of every state."""
        return {state.name: i for i, state in enumerate(self.states)}

    @cached_property
    def parameter(self) -> dict[str, Parameter]:
        """The parameters by name."""
        return {p.name: p for p in self.parameters}

    @cached_property
    def incidence(self) -> np.ndarray:
        """What each flow does to each state, shape (states, flows): -1 at its source, 1 at its target."""
        matrix = np.zeros((len(self.states), len(self.flows)))
        for k, flow in enumerate(self.flows):
            matrix[self.index[flow.source], k], matrix[self.index[flow.target], k] = -1.0, 1.0
        return matrix

    @cached_property
    def leaving(self) -> np.ndarray:
        """Which flows leave which state, shape (states, flows): 1 or 0."""
        return (self.incidence < 0).astype(float)

    @cached_property
    def sources(self) -> np.ndarray:
        """The position of each flow's source, shape (flows,)."""
        return np.array([self.index[flow.source] for flow in self.flows])

    @property
    def carrying(self) -> np.ndarray:
        """The positions of the carrying states."""
        return np.array([i for i, state in enumerate(self.states) if state.role == "carrying"])

    def values(self, given: Mapping | pd.DataFrame | None = None) -> Values:
        """Return every parameter, checked: those given, one value or one a row of a table, and defaults.

        Examples
        --------
        >>> from stockflow.examples import RUMOUR
        >>> RUMOUR.values({"beta": -1})
        Traceback (most recent call last):
        ...
        stockflow.errors.ParameterError: beta is a rate; got -1; allowed is [0, inf) (unit 1/day).
        """
        given = dict(given) if given is not None else {}
        for name in given:
            if name not in self.parameter:
                raise UnknownNameError(f"parameter of {self.name}", name, self.parameter)
        checked = {name: p.check(given.get(name, p.default)) for name, p in self.parameter.items()}
        lengths = {value.shape for value in checked.values() if value.ndim}
        if len(lengths) > 1 or any(len(shape) > 1 for shape in lengths):
            given = f"shapes {sorted(lengths)}; allowed is one length for all"
            raise ParameterError(f"parameters of {self.name} come one value or one a row; got {given}.")
        return checked

    def start(self, initial: Mapping | None = None, population: float = 1.0) -> np.ndarray:
        """Return persons by state: the carrier-free state less those placed by ``initial``.

        Shape (states,), or (states, sets) where ``initial`` holds one value a set.
        """
        placed = {name: np.asarray(persons, float) for name, persons in (initial or {}).items()}
        for name, persons in placed.items():
            if name not in self.index:
                raise UnknownNameError(f"state of {self.name}", name, self.index)
            bad = ~((persons >= 0) & (persons <= population))
            if np.any(bad):
                given = f"{persons[bad].flat[0]:g}; allowed is [0, {population:g}]"
                raise ParameterError(f"{name} starts with a number of persons; got {given}.")
        left = population - sum(placed.values(), np.zeros(()))
        if not population > 0 or np.any(left < 0):
            given = f"{population - np.min(left):g}; allowed is at most {population:g}"
            raise ParameterError(f"persons placed exceed the population; got {given}.")
        stocks = [placed.get(n, 0.0) + left * self.carrier_free.get(n, 0.0) for n in self.index]
        return np.stack(np.broadcast_arrays(*stocks))

    @cached_property
    def _laws(self) -> Callable[..., np.ndarray]:
        """The rate laws as a function of others' states by tie, of what they are divided by, and of the parameters."""
        texts = [one.text for one in self.auxiliaries] + [flow.hazard for flow in self.flows]
        written = [ex.write(ex.by_tie(ex.parse(text), self.index), ex.PYTHON) for text in texts]
        lines = [f"{name} = p[{name!r}]" for name in self.parameter]
        lines += [f"{one.name} = {text}" for one, text in zip(self.auxiliaries, written, strict=False)]
        laws = ", ".join(written[len(self.auxiliaries) :])
        states = [", ".join(f"{tie}_{name}" for name in self.index) for tie in ex.TIES]
        source = f"def laws(contact, anyone, N, p):\n    {states[0]}, = contact\n    {states[1]}, = anyone\n    "
        scope = ex.helpers()
        exec(source + "\n    ".join([*lines, f"return {laws},"]) + "\n", scope)  # written from a checked tree
        return scope["laws"]

    def hazards(self, y: np.ndarray, p: Values) -> np.ndarray:
        """Return 1/day of every flow, shape (flows, ...), at persons y, (states, ...); well mixed."""
        out = np.empty((len(self.flows), *y.shape[1:]), y.dtype)
        for k, hazard in enumerate(self._laws(y, y, y.sum(axis=0), p)):
            out[k] = hazard
        return out

    def met(self, contacts: np.ndarray, everybody: np.ndarray, p: Values) -> np.ndarray:
        """Return the hazards a day, shape (flows,), of somebody by whom he meets.

        Parameters
        ----------
        contacts, everybody : array, shape (states,)
            Shares by state among those he is tied to, and in the population.
        p : mapping of str to array
            Every parameter, as of :meth:`values`.
        """
        return np.array(self._laws(contacts, everybody, 1.0, p), float)

    def flow_rates(self, y: np.ndarray, p: Values) -> np.ndarray:
        """Return persons per day along every flow, shape (flows, ...)."""
        return self.hazards(y, p) * y[self.sources]

    def derivative(self, y: np.ndarray, p: Values) -> np.ndarray:
        """Return dy/dt, persons per day, shape (states, ...)."""
        return self.incidence @ self.flow_rates(y, p)

    def table(self) -> pd.DataFrame:
        """Return one row a parameter: name, symbol, words, default, unit, lower, upper, status, source."""
        with extra("tables"):
            import pandas as pd

        keys = ("name", "symbol", "words", "default", "unit", "lower", "upper", "status", "source")
        return pd.DataFrame([{key: getattr(p, key) for key in keys} for p in self.parameters])


def _bare(tree: ex.Tree) -> set[str]:
    """Names used outside contact() and anyone()."""
    if isinstance(tree, ex.Name):
        return {tree.name}
    if isinstance(tree, ex.Call) and tree.function not in ex.TIES:
        return set().union(*map(_bare, tree.args))
    return set()
