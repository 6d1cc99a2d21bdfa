"""Do one task with one peer, in the peers' own environment, and print seconds, agent-steps and peak memory as JSON.

    python benchmarks/modes_peers.py TASK ENGINE FOLDER STEPS

The task's network (ties.npy) and the rates of the content mode (rates.json) are in FOLDER; reading them and
building the peer's own objects is not timed. Flows and states are those of the mode; everybody decides on the states at
the start of the step. `benchmarks/modes.py` calls this file; nothing here imports the project.
"""

from __future__ import annotations

import json
import math
import random
import sys
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np

P, M, O, C, L, D = range(6)  # noqa: E741 — the symbols of the equations


def leave(r: dict, state: int, near: float) -> list[tuple[int, float]]:
    """Where a person in a state may go, with hazards; `near` is the mean of eta C + L over his contacts."""
    return {
        P: [(M, r["lambda0"] + r["beta"] * near)],
        M: [(O, r["pi"]), (D, r["delta"])],
        O: [(C, r["s"] * r["kappa"]), (D, (1 - r["s"]) * r["kappa"])],
        C: [(L, r["phi"]), (D, r["gammaC"])],
        L: [(D, r["gammaL"])],
        D: [(P, r["omega"])],
    }[state]


def tables(r: dict) -> tuple[list, list, list]:
    """Per state: chance to leave, the part of it that goes to the first target, and the targets (P's is not fixed)."""
    flows = [leave(r, state, 0.0) for state in range(6)]
    whole = [1 - math.exp(-sum(h for _, h in out)) for out in flows]
    first = [p * out[0][1] / sum(h for _, h in out) for p, out in zip(whole, flows, strict=True)]
    return whole, first, [(out[0][0], out[-1][0]) for out in flows]


def peak() -> float:
    """Largest memory of this process since it began, in MiB."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def networkx_graph(ties: np.ndarray, n: int):
    import networkx as nx

    graph = nx.Graph()
    graph.add_nodes_from(range(n))
    graph.add_edges_from(ties.tolist())
    return graph


def python(ties, n, r, first, steps):
    """Plain Python on a networkx graph."""
    adjacency, state = networkx_graph(ties, n).adj, first.tolist()
    whole, part, to = tables(r)
    weight, lambda0, beta, uniform = [0.0, 0.0, 0.0, r["eta"], 1.0, 0.0], r["lambda0"], r["beta"], random.random

    def step():
        new = []
        for i in range(n):
            s, u = state[i], uniform()
            if s == P:
                contacts = adjacency[i]
                near = sum([weight[state[j]] for j in contacts]) / len(contacts)
                if u < 1 - math.exp(-lambda0 - beta * near):
                    new.append((i, M))
            elif u < whole[s]:
                new.append((i, to[s][u >= part[s]]))
        for i, target in new:
            state[i] = target

    return step


def mesa_person(base, r, contacts_of):
    """A Mesa agent of the mode; how it finds its contacts is what the two rows differ in."""
    whole, part, to = tables(r)
    weight, lambda0, beta = [0.0, 0.0, 0.0, r["eta"], 1.0, 0.0], r["lambda0"], r["beta"]

    class Person(base):
        def decide(self):
            s, u = self.state, self.random.random()
            self.target = s
            if s == P:
                contacts = contacts_of(self)
                near = sum([weight[other.state] for other in contacts]) / len(contacts)
                if u < 1 - math.exp(-lambda0 - beta * near):
                    self.target = M
            elif u < whole[s]:
                self.target = to[s][u >= part[s]]

        def act(self):
            self.state = self.target

    return Person


def mesa_lean(ties, n, r, first, steps):
    """Mesa's agents and scheduler, contacts kept as a list of agents."""
    import mesa

    model, Person = mesa.Model(seed=1), mesa_person(mesa.Agent, r, lambda person: person.contacts)
    people = [Person(model) for _ in range(n)]
    for person, state in zip(people, first.tolist(), strict=True):
        person.state, person.contacts = state, []
    for a, b in ties.tolist():
        people[a].contacts.append(people[b])
        people[b].contacts.append(people[a])
    return lambda: model.agents.do("decide").do("act")


def mesa_idiomatic(ties, n, r, first, steps):
    """As in Mesa's own example of a virus on a network: agents in the cells of a network."""
    import mesa
    from mesa.discrete_space import CellAgent, Network

    model, Person = mesa.Model(seed=1), mesa_person(CellAgent, r, lambda person: list(person.cell.neighborhood.agents))
    grid = Network(networkx_graph(ties, n), capacity=1, random=model.random)
    for cell, state in zip(grid.all_cells, first.tolist(), strict=True):
        person = Person(model)
        person.cell, person.state = cell, state
    return lambda: model.agents.do("decide").do("act")


def ndlib(ties, n, r, first, steps):
    """NDlib's composite model: one rule a flow; the draw of contacts is a rule on ties, with the mean degree in it."""
    import ndlib.models.compartments as rules
    import ndlib.models.ModelConfig as config
    from ndlib.models.CompositeModel import CompositeModel

    model = CompositeModel(networkx_graph(ties, n))
    names = ["P", "M", "O", "C", "Infected", "D"]  # NDlib insists on one state of that name
    for name in names:
        model.add_status(name)
    mean = 2 * len(ties) / n
    for source in range(6):
        for target, hazard in leave(r, source, 0.0):
            model.add_rule(names[source], names[target], rules.NodeStochastic(1 - np.exp(-hazard)))
    for other, weight in (("Infected", 1.0), ("C", r["eta"])):
        model.add_rule("P", "M", rules.EdgeStochastic(r["beta"] * weight / mean, triggering_status=other))
    settings = config.Configuration()
    for k, name in enumerate(names):
        settings.add_model_initial_configuration(name, np.flatnonzero(first == k).tolist())
    model.set_initial_status(settings)
    model.iteration(node_status=False)  # the first returns the beginning
    return lambda: model.iteration(node_status=False)


def scipy_sparse(ties, n, r, first, steps):
    """Arrays of all persons; contacts by a sparse matrix."""
    from scipy import sparse

    rows, columns = np.concatenate([ties, ties[:, ::-1]]).T
    matrix = sparse.csr_array((np.ones(len(rows), np.float32), (rows, columns)), shape=(n, n))
    share = 1 / np.maximum(np.diff(matrix.indptr), 1)
    rng, state = np.random.default_rng(1), first.copy()
    weight = np.array([0, 0, 0, r["eta"], 1, 0], np.float32)
    first_of = np.array([leave(r, s, 0.0)[0][1] for s in range(6)])
    whole = np.array([sum(h for _, h in leave(r, s, 0.0)) for s in range(6)])
    to = np.array([[leave(r, s, 0.0)[k][0] for k in (0, -1)] for s in range(6)], np.uint8)

    def step():
        near = np.where(state == P, r["beta"] * share * (matrix @ weight[state]), 0)
        h, h1, u = whole[state] + near, first_of[state] + near, rng.random(n)
        p = -np.expm1(-h)
        moving = np.flatnonzero(u < p)
        second = u[moving] * h[moving] >= p[moving] * h1[moving]
        state[moving] = to[state[moving], second.astype(int)]

    return step


def cascade_igraph(ties, n, r, first, steps):
    """Keep each tie with probability p, take the component of person 0."""
    import igraph

    graph, rng = igraph.Graph(n=n, edges=ties), np.random.default_rng(1)
    r["sizes"] = []

    def step():
        kept = np.flatnonzero(rng.random(len(ties)) < r["p"])
        r["sizes"].append(len(graph.subgraph_edges(kept, delete_vertices=False).subcomponent(0)))

    return step


def cascade_networkx(ties, n, r, first, steps):
    """The same on networkx."""
    import networkx as nx

    rng, r["sizes"] = np.random.default_rng(1), []

    def step():
        kept = networkx_graph(ties[rng.random(len(ties)) < r["p"]], n)
        r["sizes"].append(len(nx.node_connected_component(kept, 0)))

    return step


def cascade_eon(ties, n, r, first, steps):
    """EoN's SIR in discrete time, infectious for one step."""
    import EoN

    graph, r["sizes"] = networkx_graph(ties, n), []
    return lambda: r["sizes"].append(int(EoN.basic_discrete_SIR(graph, r["p"], initial_infecteds=[0])[3][-1]))


def cascade_ndlib(ties, n, r, first, steps):
    """NDlib's independent cascades."""
    import ndlib.models.epidemics as epidemics
    import ndlib.models.ModelConfig as config

    graph, r["sizes"] = networkx_graph(ties, n), []

    def step():
        model, settings = epidemics.IndependentCascadesModel(graph), config.Configuration()
        settings.config["edges"]["threshold"] = dict.fromkeys(map(tuple, ties.tolist()), r["p"])
        settings.add_model_initial_configuration("Infected", [0])
        model.set_initial_status(settings)
        count = {1: 1}
        while count[1]:
            count = model.iteration(node_status=False)["node_count"]
        r["sizes"].append(int(count[2]))

    return step


ENGINES = {
    "mode": {
        "Mesa": (mesa_idiomatic, "mesa"),
        "Mesa, lean": (mesa_lean, "mesa"),
        "NDlib": (ndlib, "ndlib"),
        "plain Python on networkx": (python, "networkx"),
        "numpy and scipy.sparse": (scipy_sparse, "scipy"),
    },
    "cascade": {
        "igraph": (cascade_igraph, "igraph"),
        "networkx": (cascade_networkx, "networkx"),
        "EoN": (cascade_eon, "EoN"),
        "NDlib": (cascade_ndlib, "ndlib"),
    },
}


def main() -> None:
    task, engine, folder, steps = sys.argv[1:]
    ties, rates = np.load(Path(folder) / "ties.npy"), json.loads((Path(folder) / "rates.json").read_text())
    first, maker = np.load(Path(folder) / "first.npy"), ENGINES[task][engine]
    step = maker[0](ties, len(first), rates, first, int(steps))
    step()  # imports and first calls are not the task
    fastest = np.inf  # as for ours: the machine may be busy with others
    for _ in range(int(steps)):
        begin = time.process_time()
        step()
        fastest = min(fastest, time.process_time() - begin)
    print(
        json.dumps(
            {
                "seconds": fastest * int(steps),
                "steps": int(steps),
                "version": version(maker[1]),
                "sizes": rates.get("sizes", []),
                "peak_mib": peak(),
            }
        )
    )


if __name__ == "__main__":
    main()
