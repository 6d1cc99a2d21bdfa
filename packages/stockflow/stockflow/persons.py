"""Run a mode person by person: well mixed, in contact in proportion to degree, or on a fixed network."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stockflow import checkpoints
from stockflow.errors import ParameterError, extra
from stockflow.groups import Groups
from stockflow.networks import Network
from stockflow.steps import stepper
from stockflow.trajectory import PersonsRun, whole_steps

if TYPE_CHECKING:
    from stockflow.mode import Mode

BLOCK = 4096  # persons whose draws are in the first cache at a time, a multiple of 4


def simulate(
    mode: Mode,
    parameters: Mapping[str, float] | None = None,
    days: float = 365.0,
    *,
    seed: int,
    population: int | None = None,
    network: Network | None = None,
    annealed: bool = False,
    initial: Mapping[str, int] | None = None,
    groups: Groups | None = None,
    dt: float = 1.0,
    engine: str = "auto",
    checkpoint: str | Path | None = None,
    save_every: int = 100,
    progress: bool = False,
) -> PersonsRun:
    """Move every person of a mode step by step: p = 1 - exp(-h dt), one draw for all flows that leave a state.

    Parameters
    ----------
    mode : Mode
    parameters : mapping, optional
        Those that differ from the defaults.
    days, dt : float
        Length of the run and of a step; no hazard times dt may exceed 1.
    seed : int
        Fixes every count, whatever the engine and the number of threads.
    population : int, optional
        Number of persons of a well-mixed population.
    network : Network, optional
        Who is in contact with whom; gives the number of persons.
    annealed : bool
        Use only the degrees of the network: contacts are met afresh at each step, with chance proportional to their
        degree (Pastor-Satorras & Vespignani 2001, doi:10.1103/PhysRevLett.86.3200).
    initial : mapping, optional
        Persons by state, placed at random; everybody else starts carrier-free.
    groups : Groups, optional
        Lets persons open groups one by one in place of the mode's expected flows into the states of those who join.
    engine : {"auto", "numba", "numpy"}
    checkpoint : path, optional
        File to go on from where it exists, and to save to every `save_every` steps.
    progress : bool
        Show a progress bar.

    Raises
    ------
    ParameterError
        For parameters out of range, too long a step, or a checkpoint of another run.

    Examples
    --------
    >>> from stockflow.examples import RUMOUR
    >>> run = simulate(RUMOUR, {"beta": 0.5}, 30, seed=1, population=1000, initial={"S": 10})
    >>> run.counts.sum(axis=1).tolist() == [1000] * 31
    True
    """
    n, contacts = _population(population, network, annealed)
    steps = whole_steps(days, dt)
    counts = np.zeros((steps + 1, len(mode.states)), dtype=np.int64)
    moves = np.zeros((steps, len(mode.flows)), dtype=np.int64)
    p, (state, counts[0]) = mode.values(parameters), _placed(mode, initial, n, seed)
    call = {"days": days, "initial": dict(initial or {}), "seed": seed, "engine": engine, "population": population}
    call["network"] = None if network is None else network.grown or {"by": None}
    call |= {"annealed": annealed, "groups": groups and asdict(groups)}
    run = PersonsRun(mode, dt * np.arange(steps + 1), counts, p, dt, call, moves, state, contacts, seed)
    advance, order, batch = stepper(run, network, groups, engine, BLOCK)
    done, saved = 0, None
    if checkpoint is not None:
        saved = checkpoints.Checkpoint(Path(checkpoint), checkpoints.fingerprint(run, groups, network))
        done = saved.load(state, counts, moves)
    with bar(steps, progress, "step", done) as tick:
        while done < steps:
            size = min(batch, steps - done, save_every - done % save_every if saved else steps)
            advance(state, done, counts[done : done + 1 + size], moves[done : done + size])
            done += size
            tick(size)
            if saved and (done % save_every == 0 or done == steps):
                saved.save(done, state, counts, moves)
    moves[:, order] = moves.copy()
    return run


def replicate(
    mode: Mode,
    parameters: Mapping[str, float] | None = None,
    days: float = 365.0,
    *,
    seeds: Sequence[int],
    threads: int = 1,
    **options: Any,
) -> list[PersonsRun]:
    """Run a mode once for each seed, several at a time; the compiled loop lets threads run side by side.

    Parameters
    ----------
    mode, parameters, days, **options
        As in :func:`simulate`.
    seeds : sequence of int
        One a run.
    threads : int
        How many run at a time.
    """
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(lambda seed: simulate(mode, parameters, days, seed=seed, **options), seeds))


def _population(population: int | None, network: Network | None, annealed: bool) -> tuple[int, str]:
    if network is not None and population is None:
        return network.n, "annealed" if annealed else "network"
    if population is None or network is not None or annealed:
        given = f"population={population!r} and {'a' if network else 'no'} network"
        raise ParameterError(f"a run takes either population= or network=, annealed=True a network; got {given}.")
    if not 1 <= population < 2**31:
        raise ParameterError(f"population is a number of persons from 1 to {2**31 - 1}; got {population!r}.")
    return int(population), "mixed"


def _placed(mode: Mode, initial: Mapping[str, int] | None, n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return everybody's first state, those of `initial` at random places, and the number of persons in each."""
    exact = mode.start(initial, n)
    sizes = np.floor(exact).astype(np.int64)
    sizes[np.argsort(sizes - exact, kind="stable")[: n - sizes.sum()]] += 1
    crowd = int(np.argmax(sizes))
    state = np.full(n, crowd, dtype=np.uint8)
    others = np.repeat(np.arange(len(sizes), dtype=np.uint8), np.where(np.arange(len(sizes)) == crowd, 0, sizes))
    state[np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(0,))).choice(n, len(others), False)] = others
    return state, sizes


@contextmanager
def bar(total: int, shown: bool, unit: str, done: int = 0) -> Iterator[Callable[[int], object]]:
    """Yield what to call with the number of steps or calls done."""
    if not shown:
        yield lambda size: None
        return
    with extra("experiments"):
        from tqdm import tqdm

    with tqdm(total=total, initial=done, unit=unit, dynamic_ncols=True) as shown_bar:
        yield shown_bar.update
