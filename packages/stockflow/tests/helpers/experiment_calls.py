"""The functions that tests of experiments send to other processes, which import them by this name.

A test's module has no such name: in a checkout, `tests` may be the folder of another distribution.
"""

from __future__ import annotations

import os
import time
from functools import cache
from pathlib import Path

import numpy as np
import psutil

from stockflow import barabasi_albert, simulate
from stockflow.examples import RUMOUR


def draw(scale, seed):
    """One number from the call's stream, and what the call was given."""
    return {"draw": scale * np.random.default_rng(seed).random(), "n": int(scale), "name": f"s{scale}"}


def killer(x, folder, seed):
    """Kill its own process, once: the second time a file stands in the way."""
    marker = Path(folder) / f"killed-{x}"
    if x in (3, 11) and not marker.exists():
        marker.touch()
        psutil.Process().kill()
    return float(np.random.default_rng(seed).random())


@cache
def grown(n, tie_seed):
    """A network grown where it is used, once a process."""
    return barabasi_albert(n, 4, seed=tie_seed)


def replicate(n, tie_seed, folder, seed):
    """A run on the network of a seed; each leaves a file, and the fourth kills its process once, half of it done."""
    network, k, number = grown(n, tie_seed), seed.spawn_key[-1], int(seed.generate_state(1)[0])
    first = not any(Path(folder).glob(f"{k}-*"))
    begun = Path(folder) / f"{k}-{os.getpid()}"
    begun.touch()

    def run(days):
        start = {"S": n // 100}
        return simulate(RUMOUR, {"beta": 0.3, "omega": 0.01}, days, seed=number, network=network, initial=start)

    if k == 3 and first:
        run(50)
        psutil.Process().kill()
    made = run(100)
    begun.write_text("done")
    return {"peak": int(made.persons("S").max()), "moves": int(made.moves.sum()), "digest": made.digest}


def always(x):
    if x == 5:
        psutil.Process().kill()
    return x


def fail(x, seed):
    if x in (4, 6):
        raise ValueError(f"x is {x}")
    return x


class Odd(Exception):
    """An exception that does not survive pickling."""

    def __init__(self, one, two):
        super().__init__(f"{one} and {two}")


def odd(x):
    raise Odd(x, "more")


def stop(x, pid):
    """End the scheduler from inside the sixth call."""
    if x == 5:
        psutil.Process(pid).kill()
    time.sleep(0.1)
    return x


def abs_(x):
    return abs(x)


def sleeper(seconds):
    time.sleep(seconds)
    return os.getpid()
