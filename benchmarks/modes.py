"""Time the modes person by person beside their peers: `python benchmarks/modes.py [--quick] [--json FILE]`.

The same content mode on the same Barabasi-Albert network of mean degree 8 is stepped by ours, Mesa, NDlib, plain
Python on networkx, and numpy with scipy.sparse; the same cascades run by ours, igraph, networkx, EoN and NDlib. The
peers live in an environment of their own under build/, made on first use (needs a package index); without it their
rows are absent, not guessed. One thread, and seconds of the processor, since others may share the machine. Each row is
a process of its own, so that its peak memory is its own. Writes docs/benchmarks/modes.md (not with --quick). With
`--only persons` our own network and year at 1e5 to 1e8 persons is all that is run, and renewed on the page; with
`--only replicas` replicates of the largest on two Dask workers, of which one is killed.

Every measurement is named when it begins, with the seconds since the start. With the peers installed and our loops
compiled all but the replicates takes some five minutes of a quiet machine, 1e8 persons a third of them (grown once and
run once, 1e7 run twice): `--largest 7` does without.
"""

from __future__ import annotations

import os

os.environ |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}  # before numpy is first imported

import argparse
import json
import platform
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
PAGE, PEERS = ROOT / "docs" / "benchmarks" / "modes.md", ROOT / "build" / "peers" / "modes"
PACKAGES = (
    "mesa",
    "ndlib",
    "six",
    "EoN",
    "igraph",
    "networkx",
    "scipy",
    "scikit-learn",
)  # NDlib needs six and scikit-learn and does not say so
sys.path[:0] = [str(ROOT)]

from socialcommerce.modes.content import CONTENT  # noqa: E402
from stockflow import experiments, networks, simulate, trajectory  # noqa: E402 — after the thread limits
from stockflow.draws import GOLDEN, key_of, mix  # noqa: E402

P_TRY, SEED = 0.1, 1
PEER_STEPS = {
    "Mesa": {4: 20, 5: 3},
    "Mesa, lean": {4: 20, 5: 3},
    "NDlib": {4: 20, 5: 3},
    "plain Python on networkx": {4: 30, 5: 5},
    "numpy and scipy.sparse": {4: 500, 5: 100, 6: 10},
}
PEER_CASCADES = {"igraph": {5: 10, 6: 3}, "networkx": {5: 2}, "EoN": {5: 3}, "NDlib": {5: 1}}
OUR_STEPS = {4: 3650, 5: 365, 6: 365, 7: 365, 8: 365}
BEGAN = time.perf_counter()
REPLICAS, KILLED = 2, 1  # how many, and the one whose worker is killed in the middle of its year
ROOM = "8GiB"  # that a worker may take
KEPT = 7  # power of the largest network that is laid down in a file; a larger one is grown where it is used


def best(repeats: int, call: Callable[[], object]) -> float:
    """Fastest of some calls, after one that does not count: the machine may be busy with others."""
    call()
    seconds = []
    for _ in range(repeats):
        begin = time.process_time()
        call()
        seconds.append(time.process_time() - begin)
    return min(seconds)


def peak() -> float:
    """Largest memory of this process since it began, in MiB; getrusage would give a child its parent's."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def network_of(folder: Path) -> networks.Network:
    return networks.Network(np.load(folder / "indptr.npy"), np.load(folder / "indices.npy"))


def grown(power: int) -> tuple[networks.Network, dict]:
    """Grow the network of a size."""
    networks.barabasi_albert(100, 4, seed=1)
    wall, begin = time.perf_counter(), time.process_time()
    network = networks.barabasi_albert(10**power, 4, seed=SEED)
    return network, {
        "seconds": time.process_time() - begin,
        "wall": time.perf_counter() - wall,
        "network_mib": network.nbytes / 2**20,
        "peak_mib": peak(),
    }


def prepare(folder: Path, power: int) -> dict:
    """Grow the network of a size and lay it down for all engines."""
    network, found = grown(power)
    np.save(folder / "indptr.npy", network.indptr)
    np.save(folder / "indices.npy", network.indices)
    if power <= 6:
        rows = np.repeat(np.arange(network.n, dtype=np.int32), network.degree)
        once = rows < network.indices
        np.save(folder / "ties.npy", np.column_stack([rows[once], network.indices[once]]))
        p = {name: float(value) for name, value in CONTENT.values().items()}
        p |= {"pi": p["pi0"] + p["b1"] * p["n"], "delta": p["delta0"] + p["delta1"] * p["n"] ** 2, "p": P_TRY}
        (folder / "rates.json").write_text(json.dumps(p))
        np.save(
            folder / "first.npy",
            simulate(CONTENT, None, 1, seed=1, population=network.n, initial={"L": network.n // 100}).state,
        )
    return found


def ours(folder: Path, power: int) -> dict:
    """Run our engine: the whole call, fastest of some."""
    kept = power <= KEPT and (folder / "indptr.npy").exists()
    network, made = (network_of(folder), None) if kept else grown(power)
    steps = OUR_STEPS[power]
    simulate(CONTENT, None, 1, seed=1, network=networks.barabasi_albert(100, 4, seed=1))  # imports and compiled loops
    before = peak()

    def run(days: int) -> object:
        return simulate(CONTENT, None, days, seed=1, network=network, initial={"L": network.n // 100})

    last, whole, wall = None, np.inf, np.inf
    for _ in range({4: 25, 5: 25, 6: 5, 7: 2, 8: 1}[power]):
        passed, begin = time.perf_counter(), time.process_time()
        last = run(steps)
        whole, wall = min(whole, time.process_time() - begin), min(wall, time.perf_counter() - passed)
    moves = last.moves.sum(axis=1).max() / network.n
    return {
        "seconds": whole,
        "wall": wall,
        "steps": steps,
        "beyond_mib": peak() - before,
        "network": made,
        "moves": moves,
        "customers": int(last.counts[-1, 3]),
        "peak_mib": peak(),
        "load": os.getloadavg()[1],
    }


def limits(power: int) -> dict:
    """Nanoseconds of one 64-bit draw for each person, compared and counted: registers only, and kept in memory."""
    from numba import njit

    finish = njit(mix)

    @njit
    def compared(n, steps):
        count = 0
        for t in range(steps):
            key = finish(np.uint64(t))
            for i in range(n):
                count += finish(key + np.uint64(i) * GOLDEN) < np.uint64(1 << 60)
        return count

    @njit
    def looked_up(state, limit, steps):
        count = 0
        for t in range(steps):
            key = finish(np.uint64(t))
            for i in range(len(state)):
                count += finish(key + np.uint64(i) * GOLDEN) < limit[state[i]]
        return count

    n = 10**power
    steps = max(1, 10**8 // n)
    state, limit = np.random.default_rng(1).integers(0, 6, n).astype(np.uint8), np.full(6, 1 << 60, np.uint64)
    generator, buffer = np.random.SFC64(1), 10**6
    numpy = best(5, lambda: generator.random_raw(buffer)) / buffer
    return {
        "compared": best(15, lambda: compared(n, steps)) / (n * steps) * 1e9,
        "looked_up": best(15, lambda: looked_up(state, limit, steps)) / (n * steps) * 1e9,
        "numpy": numpy * 1e9,
    }


def cascades(folder: Path, power: int) -> dict:
    """Our cascade from person 0, and its limit: to look at every tie of those reached, in that order."""
    from numba import njit

    from stockflow import kernels

    network = network_of(folder)
    reached, queue = np.zeros(network.n, bool), np.empty(network.n, np.int32)
    sizes, keys = [], iter(range(1000))

    def run() -> None:
        reached[:] = False
        sizes.append(
            int(
                kernels.spread(
                    network.indptr, network.indices, np.array([0]), P_TRY, key_of(1, next(keys)), reached, queue
                )
            )
        )

    @njit
    def gather(indptr, indices, queue, reached):
        count = 0
        for i in queue:
            for at in range(indptr[i], indptr[i + 1]):
                count += reached[indices[at]]
        return count

    took = best(7, run)
    limit = best(7, lambda: gather(network.indptr, network.indices, queue[: sizes[-1]], reached))
    return {"seconds": took, "steps": 1, "sizes": sizes, "limit": limit, "peak_mib": peak()}


def parameter_sets(sets: int = 1000, alone: int = 20) -> dict:
    """A year of the content mode for many parameter sets: side by side by RK4, and one by one by scipy."""
    import pandas as pd
    from scipy.integrate import solve_ivp

    rng = np.random.default_rng(1)
    table = pd.DataFrame({p.name: rng.uniform(p.lower, p.upper, sets) for p in CONTENT.parameters})
    start = CONTENT.start({"L": 0.01})
    run = trajectory.integrate(CONTENT, table, 365, "rk4", 1.0, {"L": 0.01})
    together = best(3, lambda: trajectory.integrate(CONTENT, table, 365, "rk4", 1.0, {"L": 0.01}))
    ends = []

    def one_by_one() -> None:
        ends.clear()
        for k in range(alone):
            p = CONTENT.values(table.iloc[k])
            ends.append(
                solve_ivp(
                    lambda _, y, p=p: CONTENT.derivative(y, p),
                    (0, 365),
                    start,
                    rtol=1e-6,
                    atol=1e-9,
                    t_eval=np.arange(366.0),
                ).y[:, -1]
            )

    separate = best(1, one_by_one) / alone * sets
    return {
        "together": together,
        "separate": separate,
        "difference": float(abs(np.array(ends).T - run.values[-1][:, :alone]).max()),
    }


def first_call(folder: Path, power: int) -> dict:
    """A new process with the compiled loops on the disk."""
    network = network_of(folder)
    begin = time.process_time()
    simulate(CONTENT, None, 1, seed=1, network=network, initial={"L": 10})
    return {"seconds": time.process_time() - begin}


@cache
def grown_here(power: int) -> networks.Network:
    """The network of a size, grown once in a process."""
    return networks.barabasi_albert(10**power, 4, seed=SEED)


def replica(power: int, log: str, seed: np.random.SeedSequence) -> dict:
    """A year from a seed. With a folder to log in, each call leaves a file there, and one dies, the first time."""
    network, k, number = grown_here(power), seed.spawn_key[-1], int(seed.generate_state(1)[0])
    begun = Path(log) / f"{k}-{os.getpid()}"

    def run(days: int) -> object:
        return simulate(CONTENT, None, days, seed=number, network=network, initial={"L": network.n // 100})

    if log:
        first = not any(Path(log).glob(f"{k}-*"))
        begun.touch()
        if k == KILLED and first:
            run(OUR_STEPS[power] // 2)
            os.kill(os.getpid(), signal.SIGKILL)
    made = run(OUR_STEPS[power])
    if log:
        begun.write_text(str(peak()))
    return {"customers": int(made.counts[-1, 3]), "moves": int(made.moves.sum()), "digest": made.digest}


def replicates(power: int, log: str, executor: object) -> dict:
    import modes  # this file by its name, which the workers import it by

    wall = time.perf_counter()
    frame = experiments.run(modes.replica, [{"power": power, "log": log}], SEED, executor, replicates=REPLICAS)
    return {"wall": time.perf_counter() - wall, "table": frame.drop(columns="log").to_dict("list")}


def replicas_here(folder: Path, power: int) -> dict:
    """Years from seeds, one after the other in one process, without Dask."""
    return replicates(power, "", "serial") | {"peak_mib": peak()}


def replicas_sent(folder: Path, power: int) -> dict:
    """The same on two Dask workers of one process and one thread each, of which one is killed."""
    from distributed import Client, LocalCluster

    os.environ["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).parent), str(ROOT)])
    log = folder / "log"
    log.mkdir()
    room = {"threads_per_worker": 1, "memory_limit": ROOM, "dashboard_address": "127.0.0.1:0"}
    with LocalCluster(n_workers=2, **room) as cluster, Client(cluster) as client:
        found = replicates(power, str(log), client)
    begun = {path.name: path.read_text() for path in log.iterdir()}
    return found | {
        "begun": len(begun),
        "lost": sorted(name.split("-")[0] for name, text in begun.items() if not text),
        "processes": len({name.split("-")[1] for name in begun}),
        "peak_mib": max(float(text) for text in begun.values() if text),
        "load": os.getloadavg()[1],
    }


CHILDREN = {f.__name__: f for f in (prepare, ours, cascades, first_call, replicas_here, replicas_sent)}


def child(name: str, folder: Path, power: int) -> dict:
    """One of our measurements in a process of its own."""
    return told(f"{name} at 1e{power}", [sys.executable, __file__, "--child", name, str(folder), str(power)])


def say(what: str) -> None:
    """Print what begins, and when."""
    print(f"{time.perf_counter() - BEGAN:5.0f} s  {what}", flush=True)


def told(what: str, command: list[str]) -> dict:
    """Run a measurement in a process of its own; print what begins and what it found."""
    say(what)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{what}: {done.stderr[-2000:]}")
    print(f"         {done.stdout.strip()[:200]}", flush=True)
    return json.loads(done.stdout)


def peers_python() -> Path | None:
    """The interpreter of the peers' environment; None where it cannot be made."""
    python = PEERS / "bin" / "python"
    if not (PEERS / ".installed").exists():
        say("installing the peers into build/peers/modes")
        subprocess.run([sys.executable, "-m", "venv", str(PEERS)], check=True)
        if subprocess.run([str(python), "-m", "pip", "install", "--quiet", *PACKAGES]).returncode:
            print("the peers could not be installed; their rows are left out")
            return None
        (PEERS / ".installed").touch()
    return python


def peer(python: Path, task: str, engine: str, folder: Path, steps: int) -> dict:
    command = [str(python), str(ROOT / "benchmarks" / "modes_peers.py"), task, engine, str(folder), str(steps)]
    return told(f"{engine}, {task}", command)


def measured(powers: list[int], folder: Path) -> dict:
    """Every measurement: rows of steps and of cascades, limits, and the rest."""
    python, rows, waves, result = peers_python(), [], [], {"networks": {}, "limits": {}}
    for power in powers:
        made = child("prepare", folder, power) if power <= KEPT else None
        if power <= 6:
            say(f"limits at 1e{power}")
            result["limits"][power] = limits(power)
        rows.append({"engine": "ours", "power": power, **child("ours", folder, power)})
        result["networks"][power] = made or rows[-1]["network"]
        if power == 5:
            result["first_call"] = child("first_call", folder, power)["seconds"]
        if power in (5, 6):
            waves.append({"engine": "ours", "power": power, **child("cascades", folder, power)})
        for task, table, out in (("mode", PEER_STEPS, rows), ("cascade", PEER_CASCADES, waves)):
            for engine, steps in table.items():
                if python and power in steps:
                    found = peer(python, task, engine, folder, steps[power])
                    out.append(
                        {
                            "engine": f"{engine} {found['version']}" if "," not in engine else engine,
                            "power": power,
                            **found,
                        }
                    )
    say("a thousand parameter sets")
    sets = parameter_sets()
    say("replicates on two workers")
    return result | {"rows": rows, "cascades": waves, "sets": sets, "replicas": replicas(powers[-1], folder)}


def per_second(row: dict) -> float:
    return 10 ** row["power"] * row["steps"] / row["seconds"]


def on_paper(persons: float, row: dict, degree: int = 8) -> dict[str, float]:
    """What a population costs, in GiB and minutes: bytes by the arrays that hold it, time as of the persons of a row.

    A network is 8 bytes a person and 4 for either end of a tie, and 4 a tie more while it grows; a run 3 a person
    (state and limit), and 5 for each who moves within a step.
    """
    ties, gib = persons * degree / 2, 2**30
    grown, year = row["network"]["seconds"] / 10 ** row["power"], 365 / per_second(row)  # seconds a person
    return {
        "held": (8 * persons + 8 * ties) / gib,
        "growing": (8 * persons + 12 * ties) / gib,
        "run": (3 + 5 * row["moves"]) * persons / gib,
        "grow": grown * persons / 60,
        "year": year * persons / 60,
    }


def growth(rows: list[dict], networks: dict) -> list[str]:
    """The page's section on how memory and time grow with the number of persons."""
    years = {row["power"]: row | {"network": networks[row["power"]]} for row in rows if row["engine"] == "ours"}
    curve = [
        f"| 1e{power} | {row['network']['seconds']:.3g} | {row['network']['wall']:.3g} | "
        f"{row['network']['network_mib']:.0f} | {row['network']['peak_mib']:.0f} | "
        f"{row['seconds'] * 365 / row['steps']:.3g} | {row['wall'] * 365 / row['steps']:.3g} | "
        f"{1e9 / per_second(row):.3g} | {row['peak_mib']:.0f} |"
        for power, row in years.items()
    ]
    last = years[max(years)]
    paper = []
    for persons in sorted({10.0 ** last["power"], 1e8, 1e9, 2e9}):
        costs = " | ".join(f"{value:.3g}" for value in on_paper(persons, last).values())
        paper.append(f"| {persons:.0e} | {costs} |".replace("+0", ""))
    return [
        "## As the network grows",
        "",
        "Seconds of the processor, and those on the clock; a year of 365 steps. The machine may be shared: its",
        f"load over five minutes was {last['load']:.1f} at the end of the largest run.",
        "",
        *table(
            "| persons | grown in s | (clock) | MiB held | peak MiB | a year in s | (clock) | ns an agent-step "
            "| peak MiB |",
            curve,
        ),
        "## Beyond one machine",
        "",
        "On paper, computed by `on_paper` in benchmarks/modes.py: bytes as the arrays have them, mean degree 8,",
        f"and minutes of the processor by what 1e{last['power']} persons took for each. As caches hold less of",
        "more persons, it is a little more. What memory cannot hold is refused before it is begun.",
        "",
        *table(
            "| persons | GiB of the network | GiB while it grows | GiB of a run beside it | minutes to grow | "
            "minutes a year |",
            paper,
        ),
        "One run stays on one machine. Replicates and sweeps go to others as seeds, and each worker grows the",
        "network anew ([how](../dask.md)): the memory above on each, and the minutes to grow once a worker.",
        "",
    ]


def replicas(power: int, folder: Path) -> list[str]:
    """The page's section on replicates that Dask sends to workers, one of which is killed."""
    here, sent = child("replicas_here", folder, power), child("replicas_sent", folder, power)
    assert sent["table"] == here["table"], "the tables differ"
    assert sent["lost"] == [str(KILLED)], sent
    told = [
        f"| without Dask, one process | {REPLICAS} | 1 | {here['wall']:.0f} | {here['peak_mib']:.0f} |",
        f"| two workers of one thread each | {sent['begun']} | {sent['processes']} | {sent['wall']:.0f} | "
        f"{sent['peak_mib']:.0f} |",
    ]
    spread = [f"{persons:,}" for persons in here["table"]["customers"]]
    return [
        "## Replicates on two Dask workers",
        "",
        f"{REPLICAS} years of the content mode among 1e{power} persons, each from its seed, run by `experiments.run`",
        "first in one process without Dask, then on two local workers of one process and one thread each, which get",
        f"parameters and seeds, grow the network themselves and may take {ROOM.replace('GiB', ' GiB')}. The process",
        f"that has run {KILLED + 1} is killed (SIGKILL) after half of its year; the run is begun again, from its first",
        "day, on the worker that is left or on one started in place of the other, which grows its network first. The",
        "two tables are the same to the person in every state on every day (a digest of all counts is one of their",
        f"columns); customers at the end: {', '.join(spread)}. Seconds on the clock, growing included, on a machine",
        f"that may be shared: its load over five minutes was {sent['load']:.1f} at the end.",
        "",
        *table("| where | runs begun | processes | seconds | peak MiB of a process |", told),
    ]


def replaced(section: list[str], head: str) -> None:
    """Put a section in the place of the page's own, which begins with one of these heads."""
    text, found = re.subn(
        rf"^## (?:{head})\n.*?(?=^## (?!Beyond))",
        lambda _: "\n".join(section) + "\n",
        PAGE.read_text("utf-8"),
        flags=re.M | re.S,
    )
    assert found == 1, f"{PAGE} has no section {head}"
    PAGE.write_text(text, encoding="utf-8")


def ratios(result: dict) -> dict[str, float]:
    """What carries over to another machine."""
    found = {}
    for row in result["rows"]:
        own = next(r for r in result["rows"] if r["engine"] == "ours" and r["power"] == row["power"])
        if row["engine"] != "ours":
            found[f"ours / {row['engine']}, 1e{row['power']} persons"] = per_second(own) / per_second(row)
        elif row["power"] in result["limits"]:
            ns, limit = 1e9 / per_second(row), result["limits"][row["power"]]
            found[f"ours, times the limit (draws alone), 1e{row['power']}"] = ns / limit["compared"]
            found[f"ours, times the limit (draw, state, threshold), 1e{row['power']}"] = ns / limit["looked_up"]
    for row in result["cascades"]:
        own = next(r for r in result["cascades"] if r["engine"] == "ours" and r["power"] == row["power"])
        if row["engine"] != "ours":
            found[f"cascade, ours / {row['engine']}, 1e{row['power']}"] = row["seconds"] / row["steps"] / own["seconds"]
        else:
            found[f"cascade, times its gather limit, 1e{row['power']}"] = own["seconds"] / own["limit"]
    found["1000 parameter sets, ours / scipy one by one"] = result["sets"]["separate"] / result["sets"]["together"]
    return found


def table(head: str, lines: list[str]) -> list[str]:
    """A table, by size of the population."""
    return [head, "|---" * (head.count("|") - 1) + "|", *sorted(lines, key=lambda line: line.split("|")[1]), ""]


def page(result: dict) -> str:
    """The benchmark's page under docs."""
    steps = [
        f"| 1e{r['power']} | {r['engine']} | {per_second(r) / 1e6:.3g} | {1e9 / per_second(r):.3g} | {r['steps']} "
        f"| {r['peak_mib']:.0f} |"
        for r in result["rows"]
    ]
    for power, limit in result["limits"].items():
        for key, words in (("compared", "limit: draws alone"), ("looked_up", "limit: draw, state and threshold")):
            steps.append(f"| 1e{power} | {words} | {1e3 / limit[key]:.0f} | {limit[key]:.3g} | – | – |")
    waves = [
        f"| 1e{r['power']} | {r['engine']} | {r['seconds'] / r['steps'] * 1e3:.4g} | {np.mean(r['sizes']):.0f} | "
        f"{r['peak_mib']:.0f} |"
        for r in result["cascades"]
    ]
    waves += [
        f"| 1e{r['power']} | limit: a look at every tie of those reached | {r['limit'] * 1e3:.4g} | – | – |"
        for r in result["cascades"]
        if "limit" in r
    ]
    beyond = "; ".join(f"1e{r['power']}: {r['beyond_mib']:.0f} MiB" for r in result["rows"] if "beyond_mib" in r)
    sets, numpy = result["sets"], next(iter(result["limits"].values()))["numpy"]
    packages = ", ".join(f"{name} {version(name)}" for name in ("numpy", "scipy", "numba"))
    return "\n".join(
        [
            "# The modes person by person beside their peers",
            "",
            "The content mode with its default parameters, one in a hundred persons a leader at the start, on one",
            "Barabási–Albert network of mean degree 8; one thread; every row a process of its own. Ours: the whole",
            "call for a year (ten years at 1e4), the first look at all contacts included, fastest of several; the",
            "peers: the fastest of their steps, each written the way its documentation does, with no bound that spares",
            "most persons a look. All in seconds of the processor. NDlib has no mean over contacts: its rule on ties",
            "has the mean degree in it. `make bench` makes this page again; the ratios are what carries over to",
            "another machine.",
            "",
            f"Python {platform.python_version()}, {os.cpu_count()} processors, {packages}.",
            "",
            *table("| persons | engine | million agent-steps a second | ns each | steps | peak MiB |", steps),
            "The limit is one 64-bit splitmix64 draw for each agent-step, compared and counted, compiled for all the",
            f"lanes of the processor; numpy's fastest generator (SFC64) takes {numpy:.2g} ns to store one. Ours draws",
            "16 bits for each person and compares them with a limit kept from step to step; it draws the other 37, and",
            "looks the person up, only where these leave a move open.",
            "",
            f"Memory of a run beyond the network it is given: {beyond}.",
            f"First call in a new process, compiled loops on the disk: {result.get('first_call', np.nan):.2f} s.",
            "",
            *growth(result["rows"], result["networks"]),
            *result["replicas"],
            "## Cascades",
            "",
            f"From person 0, each tie tried once with probability {P_TRY}; building the network is not timed.",
            "",
            *table("| persons | engine | ms a cascade | mean persons reached | peak MiB |", waves),
            "## A thousand parameter sets of the equations",
            "",
            f"A year of the content mode: {sets['together']:.2f} s side by side (RK4, steps of a day), "
            f"{sets['separate']:.1f} s",
            "one by one with scipy's `solve_ivp` (relative tolerance 1e-6, 20 timed); "
            f"largest difference {sets['difference']:.1g} of",
            "the population.",
            "",
            "## Ratios",
            "",
            "| ratio | |",
            "|---|---|",
            *(f"| {k} | {v:.3g} |" for k, v in ratios(result).items()),
            "",
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="1e4 persons only; writes no page")
    parser.add_argument(
        "--only",
        choices=("persons", "replicas"),
        help="one section: our network and year from 1e5 persons; or replicates by Dask",
    )
    parser.add_argument("--largest", type=int, default=8, choices=(5, 6, 7, 8), help="power of the largest population")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write rows and ratios here")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.child:
        name, folder, power = chosen.child
        print(json.dumps(CHILDREN[name](Path(folder), int(power))))
        return
    if chosen.only == "replicas":
        with tempfile.TemporaryDirectory() as folder:
            replaced(replicas(chosen.largest, Path(folder)), "Replicates on two Dask workers")
        return
    if chosen.only:
        with tempfile.TemporaryDirectory() as folder:
            rows = [
                {"engine": "ours", "power": power, **child("ours", Path(folder), power)}
                for power in range(5, chosen.largest + 1)
            ]
        section = growth(rows, {row["power"]: row["network"] for row in rows})
        print("\n".join(section))
        replaced(section, "Growing the network|As the network grows")
        return
    powers = [4] if chosen.quick else list(range(4, chosen.largest + 1))
    with tempfile.TemporaryDirectory() as folder:
        result = measured(powers, Path(folder))
    text = page(result)
    print(text)
    if not chosen.quick:
        PAGE.parent.mkdir(parents=True, exist_ok=True)
        PAGE.write_text(text, encoding="utf-8")
    if chosen.json:
        kept = [
            {
                "task": f"{kind}, 1e{r['power']} persons",
                "engine": r["engine"],
                "median_seconds": r["seconds"] / r["steps"],
                "peak_mib": r["peak_mib"],
            }
            for kind, key in (("step", "rows"), ("cascade", "cascades"))
            for r in result[key]
        ]
        chosen.json.write_text(json.dumps({"rows": kept, "ratios": ratios(result)}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
