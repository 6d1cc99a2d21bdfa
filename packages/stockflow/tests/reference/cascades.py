"""Make cascades.json: sizes of cascades on one network by EoN, NDlib, igraph and networkx.

    python tests/reference/cascades.py        # needs EoN, ndlib, igraph, networkx: an environment of its own

The network (a configuration model with Poisson degrees, read from cascades.csv beside it) and the chance of a try are
those of the test; every program starts each cascade from one random person. EoN runs its SIR epidemic in discrete
time, in which a person is infectious for one step (`basic_discrete_SIR`); NDlib its independent cascades; igraph keeps
each tie with probability p and takes the component of the start, which has the same law.
"""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import EoN
import igraph
import ndlib.models.epidemics as epidemics
import ndlib.models.ModelConfig as config
import networkx as nx
import numpy as np

HERE = Path(__file__).parent
P, LARGE = 0.25, 150  # chance of a try; persons from which a cascade counts as large
RUNS = {"EoN": 2000, "ndlib": 1000, "igraph": 4000}


Ties = list[tuple[int, int]]
Draw = Callable[[], int]


def eon(ties: Ties, n: int) -> Draw:
    graph = made(ties, n)
    return lambda: int(EoN.basic_discrete_SIR(graph, P, initial_infecteds=[random.randrange(n)])[3][-1])


def ndlib(ties: Ties, n: int) -> Draw:
    graph = made(ties, n)

    def size() -> int:
        model, settings = epidemics.IndependentCascadesModel(graph), config.Configuration()
        for tie in ties:
            settings.add_edge_configuration("threshold", tie, P)
        settings.add_model_initial_configuration("Infected", [random.randrange(n)])
        model.set_initial_status(settings)
        count = {1: 1}
        while count[1]:
            count = model.iteration(node_status=False)["node_count"]
        return int(count[2])

    return size


def by_components(ties: Ties, n: int) -> Draw:
    def size() -> int:
        kept = [tie for tie in ties if random.random() < P]
        return len(igraph.Graph(n=n, edges=kept).subcomponent(random.randrange(n)))

    return size


def made(ties: Ties, n: int) -> nx.Graph:
    graph = nx.Graph()
    graph.add_nodes_from(range(n))
    graph.add_edges_from(ties)
    return graph


def main() -> None:
    with (HERE / "cascades.csv").open() as file:
        ties = [(int(a), int(b)) for a, b in list(csv.reader(file))[1:]]
    n = max(map(max, ties)) + 1
    result = {"p": P, "large": LARGE, "n": n, "programs": {}}
    for name, maker in {"EoN": eon, "ndlib": ndlib, "igraph": by_components}.items():
        random.seed(11)
        np.random.seed(11)  # noqa: NPY002 — NDlib draws from it
        draw = maker(ties, n)
        sizes = np.array([draw() for _ in range(RUNS[name])])
        large = sizes >= LARGE
        result["programs"][name] = {
            "version": version(name),
            "runs": len(sizes),
            "mean": sizes.mean(),
            "sd": sizes.std(ddof=1),
            "large": float(large.mean()),
            "large_mean": sizes[large].mean(),
            "large_sd": sizes[large].std(ddof=1),
        }
        print(name, result["programs"][name], flush=True)
    (HERE / "cascades.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
