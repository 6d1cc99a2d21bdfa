"""Run a mode person by person: well mixed, in contact in proportion to degree, or on a fixed network."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

import numpy as np

from stockflow import checkpoints
from stockflow.draws import key_of
from stockflow.errors import ParameterError, UnknownNameError, extra
from stockflow.groups import Groups
from stockflow.networks import Network
from stockflow.steps import stepper

if TYPE_CHECKING:
    import pandas as pd

    from stockflow.mode import Mode

__all__ = ["ENGINES", "PersonsRun", "RunOptions", "bar", "replicate", "simulate"]

ENGINES = ("auto", "numba", "numpy")
BLOCK = 4096  # persons whose draws are in the first cache at a time


@dataclass(frozen=True, eq=False)
class PersonsRun:
    """Persons by state after each step, and how many went along each flow.

    Attributes
    ----------
    times : ndarray, shape (steps + 1,)
        Days.
    counts : ndarray of int, shape (steps + 1, states)
    moves : ndarray of int, shape (steps, flows)
        In the order of ``mode.flows``.
    state : ndarray of uint8, shape (n,)
        Everybody's state at the end.
    contacts : {"mixed", "annealed", "network"}
    """

    mode: Mode
    times: np.ndarray
    counts: np.ndarray
    moves: np.ndarray
    state: np.ndarray
    contacts: str
    parameters: dict[str, np.ndarray]
    seed: int
    dt: float

    @property
    def shares(self) -> np.ndarray:
        """Share of persons by state, shape (steps + 1, states)."""
        return self.counts / len(self.state)

    def persons(self, name: str) -> np.ndarray:
        """Return persons in one state, shape (steps + 1,)."""
        if name not in self.mode.index:
            raise UnknownNameError(f"state of {self.mode.name}", name, self.mode.index)
        return self.counts[:, self.mode.index[name]]

    def summary(self) -> pd.DataFrame:
        """Return one row a day and state: day, state, persons, share."""
        with extra("tables"):
            import pandas as pd

        index = pd.MultiIndex.from_product([self.times, self.mode.index], names=["day", "state"])
        frame = pd.DataFrame({"persons": self.counts.reshape(-1)}, index=index).reset_index()
        return frame.assign(share=frame["persons"] / len(self.state))


class RunOptions(TypedDict, total=False):
    """Keywords of :func:`simulate` beside the seed."""

    population: int | None
    network: Network | None
    annealed: bool
    initial: Mapping[str, int] | None
    groups: Groups | None
    dt: float
    engine: str
    block: int
    checkpoint: str | Path | None
    save_every: int
    progress: bool


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
    block: int = BLOCK,
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
        Fixes every count, whatever the engine, the block and the number of threads.
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
    block : int
        Persons worked on at a time, a multiple of 4.
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
    steps = _steps(days, dt)
    if engine not in ENGINES:
        raise UnknownNameError("engine", engine, ENGINES)
    if block < 4 or block % 4:
        raise ParameterError(f"block, the persons worked on at a time, is a multiple of 4 from 4; got {block!r}.")
    p = mode.values(parameters)
    (state, sizes), key = _placed(mode, initial, n, seed), key_of(seed, 1)
    counts = np.zeros((steps + 1, len(mode.states)), dtype=np.int64)
    moves = np.zeros((steps, len(mode.flows)), dtype=np.int64)
    counts[0] = sizes
    advance, order, batch = stepper(mode, p, n, network, contacts, groups, dt, engine, block, key)
    done, saved = 0, None
    if checkpoint is not None:
        saved = checkpoints.Checkpoint(Path(checkpoint), checkpoints.fingerprint(
            mode, p, dt, steps, seed, contacts, groups, state, network))
        done = saved.load(state, counts, moves)
    with bar(steps, progress, "step", done) as tick:
        while done < steps:
            size = min(batch, steps - done, save_every - done % save_every if saved else steps)
            advance(state, done, counts[done : done + 1 + size], moves[done : done + size])
            done += size
            tick(size)
            if saved and (done % save_every == 0 or done == steps):
                saved.save(done, state, counts, moves)
    there = np.empty_like(moves)
    there[:, order] = moves
    return PersonsRun(mode, dt * np.arange(steps + 1), counts, there, state, contacts, p, seed, dt)


def replicate(
    mode: Mode,
    parameters: Mapping[str, float] | None = None,
    days: float = 365.0,
    *,
    seeds: Sequence[int],
    threads: int = 1,
    **options: Unpack[RunOptions],
) -> list[PersonsRun]:
    """Run a mode once for each seed, several at a time; the compiled loop lets threads run side by side."""
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(lambda seed: simulate(mode, parameters, days, seed=seed, **options), seeds))


def _population(population: int | None, network: Network | None, annealed: bool) -> tuple[int, str]:
    if network is not None and population is None:
        return network.n, "annealed" if annealed else "network"
    if population is None or network is not None or annealed:
        raise ParameterError(f"a run takes either population= or network= (annealed=True needs a network); got "
                             f"population={population!r} and {'a' if network else 'no'} network.")
    if not 1 <= population < 2**31:
        raise ParameterError(f"population is a number of persons from 1 to {2**31 - 1}; got {population!r}.")
    return int(population), "mixed"


def _steps(days: float, dt: float) -> int:
    steps = round(days / dt) if dt > 0 else 0
    if steps < 1 or abs(steps * dt - days) > 1e-9 * days:
        raise ParameterError(f"days is a whole number of steps dt > 0; got days={days:g} and dt={dt:g}.")
    return steps


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
