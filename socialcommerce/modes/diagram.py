"""A mode as a typed signed digraph: nodes, edges tied to their sentence, feedback loops with polarity, paths.

The two diagrams stand in ``paper/content_mode.toml`` and ``paper/sharing_mode.toml``, which say how they were read.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from math import prod
from pathlib import Path
from typing import Annotated, Any

import pandas as pd

from nbproof import read_toml, words
from nbproof.shapes import FLAG, LIST, NUMBER, TEXT, Field, check, one_of
from socialcommerce.errors import PaperError, UnknownNameError
from socialcommerce.project import Cited, record, root

__all__ = ["NODE_KINDS", "Diagram", "Edge", "Loop", "Node", "load_diagram"]

DIAGRAMS = ("content", "sharing")
NODE_KINDS = ("actor", "stock", "flow", "auxiliary", "event", "lever")
SIGNS = {1: "+", -1: "−"}
ID = Field(lambda value: isinstance(value, str) and re.fullmatch("[a-z][a-z_]*", value), "lower-case letters and _")
PAIR = Field(
    lambda value: isinstance(value, list) and len(value) == 2 and all(map(NUMBER.holds, value)),
    "two numbers of millimetres",
)
PLACE = Field(
    lambda value: isinstance(value, list) and [type(v) for v in value] == [str, int, int] and min(value[1:]) > 0,
    "[section, paragraph, sentence], the last two from 1",
)
SIDES = Field(lambda value: isinstance(value, str) and re.fullmatch("[lrtb]{2}", value), "two of l, r, t, b")
Pair = Annotated[tuple[float, float], PAIR]
NODES = Field(lambda value: isinstance(value, dict) and all(map(ID.holds, value)), f"tables named in {ID.allowed}")
EDGE = {"text": TEXT, "from": ID, "to": ID, "sign": one_of("+-"), "place": PLACE}


@dataclass(frozen=True)
class Node:
    """What the text names.

    Attributes
    ----------
    id : str
        Lower-case letters and underscores.
    kind : str
        One of ``NODE_KINDS``.
    words : str
        What is written in the box.
    symbol : str
        The quantity of the model it stands for; empty where there is none.
    at, size : tuple of float
        Centre (x to the right, y upwards) and width and height on the page, millimetres.
    """

    id: str
    kind: Annotated[str, one_of(NODE_KINDS)]
    words: Annotated[str, TEXT]
    at: Pair
    symbol: Annotated[str, TEXT] = ""
    size: Pair = (19.0, 9.0)


@dataclass(frozen=True)
class Edge(Cited):
    """More of the source brings more (+1) or less (-1) of the target, all else equal.

    Attributes
    ----------
    source, target : str
        Ids of nodes.
    sign : {1, -1}
    section, paragraph, sentence : str, int, int
        Where the text says so, counted as ``paper/claims.toml`` says.
    text : str
        Paraphrase of the sentence and, for an inferred edge, what was added to it.
    inferred : bool
        Whether the sentence needs interpretation to yield the edge.
    sides : str
        Where its arrow leaves and enters: two of l, r, t, b.
    """

    source: str
    target: str
    sign: int
    section: str
    paragraph: int
    sentence: int
    text: str
    inferred: bool = False
    sides: str = "rl"


@dataclass(frozen=True)
class Loop:
    """A feedback loop: its nodes in order, each once, and R (reinforcing) or B (balancing) with a number."""

    id: str
    nodes: tuple[str, ...]
    polarity: str

    @property
    def edges(self) -> tuple[tuple[str, str], ...]:
        """Its edges as (source, target), the last one closing the loop."""
        return tuple(pairwise((*self.nodes, self.nodes[0])))


@dataclass(frozen=True)
class Diagram:
    """A signed digraph whose nodes and edges stand in the text's order of events.

    Raises
    ------
    PaperError
        When a node's or an edge's name occurs twice, or an edge names no node.
    """

    id: Annotated[str, ID]
    title: Annotated[str, TEXT]
    page: Pair  # width and height, millimetres
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]

    def __post_init__(self) -> None:
        names = [node.id for node in self.nodes]
        for thing, count in Counter([*names, *((e.source, e.target) for e in self.edges)]).items():
            if count > 1:
                raise PaperError(f"diagram {self.id}: {thing!r} occurs {count} times; each node and edge stands once.")
        for edge in self.edges:
            for end in (edge.source, edge.target):
                if end not in names:
                    raise PaperError(
                        f"diagram {self.id}, edge {edge.source} to {edge.target}: "
                        f"{UnknownNameError('node', end, names)}"
                    )

    @cached_property
    def signs(self) -> dict[tuple[str, str], int]:
        """The sign of each edge, by (source, target)."""
        return {(edge.source, edge.target): edge.sign for edge in self.edges}

    def __getitem__(self, name: str) -> Node:
        """Return the node of that id."""
        for node in self.nodes:
            if node.id == name:
                return node
        raise UnknownNameError("node", name, [node.id for node in self.nodes])

    def feedback_loops(self) -> tuple[Loop, ...]:
        """Return every elementary cycle with its polarity: reinforcing ones first, each in the diagram's order.

        The sign of a loop is the product of its edges' signs: R above zero, B below.

        Examples
        --------
        >>> [loop.id for loop in load_diagram("sharing").feedback_loops()]
        ['R1', 'R2', 'R3', 'R4', 'B1', 'B2', 'B3']
        """
        cycles = [(prod(self.signs[edge] for edge in pairwise((*nodes, nodes[0]))), nodes) for nodes in self._cycles()]
        loops = []
        for sign, polarity in ((1, "R"), (-1, "B")):
            of_sign = [nodes for s, nodes in cycles if s == sign]
            loops += [Loop(f"{polarity}{number}", nodes, polarity) for number, nodes in enumerate(of_sign, start=1)]
        return tuple(loops)

    def summary(self) -> pd.DataFrame:
        """Return a tidy frame, one row an edge: from, to, sign, place, text, inferred."""
        rows = [
            (self[e.source].words, self[e.target].words, SIGNS[e.sign], e.place, e.text, e.inferred) for e in self.edges
        ]
        return pd.DataFrame(rows, columns=["from", "to", "sign", "place", "text", "inferred"])

    def loop_summary(self) -> pd.DataFrame:
        """Return a tidy frame, one row a feedback loop: loop, polarity, number of edges, path."""
        rows = [(loop.id, loop.polarity, len(loop.nodes), self.path_words(loop)) for loop in self.feedback_loops()]
        return pd.DataFrame(rows, columns=["loop", "polarity", "edges", "path"])

    def path_words(self, loop: Loop) -> str:
        """Return what a loop runs through, its nodes in their order."""
        names = {f"n{place}": self[name].words for place, name in enumerate(loop.nodes)}
        return words(" → ".join(f"{{{key}}}" for key in names), **names)

    def _cycles(self) -> Iterator[tuple[str, ...]]:
        """Yield each elementary cycle once, from its first node: a diagram is small enough to walk every way round."""
        names = [node.id for node in self.nodes]
        ahead = {name: [other for other in names if (name, other) in self.signs] for name in names}

        def onward(path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
            for after in ahead[path[-1]]:
                if after == path[0]:
                    yield path
                elif after not in path and names.index(after) > names.index(path[0]):
                    yield from onward((*path, after))

        for first in names:
            yield from onward((first,))


def load_diagram(name: str, folder: str | Path | None = None) -> Diagram:
    """Read and check one of the two diagrams.

    Parameters
    ----------
    name : {"content", "sharing"}
    folder : path, optional
        Where ``content_mode.toml`` and ``sharing_mode.toml`` lie; by default ``paper/`` of this checkout.

    Raises
    ------
    UnknownNameError
        For any other name.
    PaperError
        When the file breaks its schema; the message names file, entry and field.

    Examples
    --------
    >>> diagram = load_diagram("content")
    >>> diagram["pool"].symbol, diagram.edges[0].place
    ('M', '§3.1, par. 2, s. 3')
    """
    if name not in DIAGRAMS:
        raise UnknownNameError("diagram", name, DIAGRAMS)
    path = (Path(folder) if folder is not None else root() / "paper") / f"{name}_mode.toml"
    table, at = read_toml(path, PaperError), f"paper/{path.name}"
    return record(
        Diagram,
        PaperError,
        at,
        table,
        {"node": NODES, "edge": LIST},
        nodes=lambda given: tuple(
            record(Node, PaperError, f"{at}, node {name}", one, id=name) for name, one in given["node"].items()
        ),
        edges=lambda given: tuple(_edge(f"{at}, edge {number}", one) for number, one in enumerate(given["edge"], 1)),
    )


def _edge(at: str, table: Any) -> Edge:
    check(PaperError, at, table, EDGE, {"inferred": FLAG, "sides": SIDES})
    given = dict(table)
    ends, sign = (given.pop("from"), given.pop("to")), 1 if given.pop("sign") == "+" else -1
    return Edge(*ends, sign, *given.pop("place"), **given)
