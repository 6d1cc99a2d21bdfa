"""Know how far one sharing goes: each person reached tries each contact once (independent cascade, SIR final size)."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from socialcommerce.errors import ParameterError, UnknownNameError
from socialcommerce.modes.draws import key_of
from socialcommerce.modes.networks import Network

__all__ = ["Outbreak", "cascade", "final_sizes", "outbreak"]

ENGINES = ("auto", "numba", "numpy")


@dataclass(frozen=True)
class Outbreak:
    """What percolation theory expects of a cascade on a configuration model.

    Attributes
    ----------
    share : float
        Part of all persons a large cascade reaches; also the chance that one random person starts a large one.
    ratio : float
        Further persons reached by one who was reached, p E[k (k - 1)] / E[k]; large cascades need more than 1.
    small : float
        Mean number of persons in a cascade that stays small, the first one counted; nan where none does.
    """

    share: float
    ratio: float
    small: float


def cascade(network: Network, p: float, persons: Sequence[int], *, seed: int, engine: str = "auto") -> np.ndarray:
    """Return who is reached, shape (n,), when these persons share and each person reached tries each contact once.

    Parameters
    ----------
    p : float
        Chance that one try succeeds, in [0, 1].
    persons : sequence of int
        Who begins.

    Notes
    -----
    With p the chance that a contact is passed on during the whole time a person is active, those reached are those
    whom an SIR epidemic infects (Kermack-McKendrick final size as bond percolation, Newman 2002,
    doi:10.1103/PhysRevE.66.016128; exact for a fixed p, Kenah & Robins 2007, doi:10.1103/PhysRevE.76.036113); as a
    model of word of mouth it is the independent cascade of Kempe, Kleinberg & Tardos (2003), doi:10.1145/956750.956769.

    Examples
    --------
    >>> from socialcommerce.modes.networks import watts_strogatz
    >>> ring = watts_strogatz(1000, 2, 0.0, seed=1)
    >>> int(cascade(ring, 1.0, [0], seed=1).sum()), int(cascade(ring, 0.0, [0, 5], seed=1).sum())
    (1000, 2)
    """
    persons = np.unique(np.asarray(persons, dtype=np.int64))
    if len(persons) and not (persons[0] >= 0 and persons[-1] < network.n):
        wrong = persons[0] if persons[0] < 0 else persons[-1]
        raise ParameterError(f"those who begin are persons 0..{network.n - 1}; got {wrong}.")
    return _reached(network, p, persons, key_of(seed), engine, np.empty(network.n, np.int32))[0]


def final_sizes(
    network: Network, p: float, runs: int, *, seed: int, threads: int = 1, engine: str = "auto"
) -> np.ndarray:
    """Return how many persons each of `runs` cascades reaches, one random person at its start; shape (runs,)."""
    starts = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(0,))).integers(0, network.n, runs)

    def size(run: int) -> int:
        queue = np.empty(network.n, np.int32)
        return _reached(network, p, starts[run : run + 1], key_of(seed, 1, run), engine, queue)[1]

    with ThreadPoolExecutor(threads) as pool:
        return np.array(list(pool.map(size, range(runs))), dtype=np.int64)


def _reached(network: Network, p: float, persons: np.ndarray, key: np.uint64, engine: str, queue: np.ndarray):
    from socialcommerce.modes import kernels, vectors

    if not 0 <= p <= 1:
        raise ParameterError(f"p, the chance that one try succeeds, is a probability in [0, 1]; got {p!r}.")
    if engine not in ENGINES:
        raise UnknownNameError("engine", engine, ENGINES)
    reached = np.zeros(network.n, dtype=bool)
    loop = kernels.spread if kernels.COMPILED and engine != "numpy" else vectors.spread
    return reached, int(loop(network.indptr, network.indices, persons, float(p), key, reached, queue))


def outbreak(degrees: np.ndarray, p: float) -> Outbreak:
    """Return the closed form for random networks with these degrees: generating functions, Newman (2002).

    With G0 the generating function of the degrees, G1 = G0'/G0'(1): u = G1(1 - p + p u) is the chance that a tie
    leads nowhere, and a large cascade reaches 1 - G0(1 - p + p u).

    Parameters
    ----------
    degrees : array_like of int, shape (n,)
    p : float
        In [0, 1].

    Examples
    --------
    >>> result = outbreak([3] * 10, 1.0)  # everybody, where all have three contacts
    >>> result.share, result.ratio
    (1.0, 2.0)
    """
    if not 0 <= p <= 1:
        raise ParameterError(f"p, the chance that one try succeeds, is a probability in [0, 1]; got {p!r}.")
    weight = np.bincount(np.asarray(degrees)) / len(degrees)
    k = np.arange(len(weight))
    mean = float(weight @ k)
    if mean == 0:
        return Outbreak(0.0, 0.0, 1.0)
    excess = weight[1:] * k[1:] / mean

    def g0(x: float) -> float:
        return float(np.polynomial.polynomial.polyval(x, weight))

    def g1(x: float) -> float:
        return float(np.polynomial.polynomial.polyval(x, excess))

    ratio = p * float(excess @ k[:-1])
    u = 1.0
    if ratio > 1:
        u = 0.0 if g1(1 - p) == 0 else brentq(lambda v: g1(1 - p + p * v) - v, 0.0, 1 - 1e-9, xtol=1e-14)
    x = 1 - p + p * u
    share = 1 - g0(x)
    slope = p * float(np.polynomial.polynomial.polyval(x, np.polynomial.polynomial.polyder(excess)))
    small = np.inf if slope >= 1 else 1 + p * mean * u**2 / (g0(x) * (1 - slope)) if share < 1 else np.nan
    return Outbreak(share, ratio, small)
