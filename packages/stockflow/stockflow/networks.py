"""Say who is in contact with whom: networks as compressed rows, random ones from a seed, others from an edge list."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from stockflow.draws import key_of
from stockflow.errors import ParameterError

ACQUAINTANCE, STRANGER = 0, 1  # kinds of tie
LARGEST = 2**31 - 2  # persons; their numbers are held in four bytes


@dataclass(frozen=True, eq=False)
class Network:
    """Mutual ties between n persons, each tie held once in either person's row.

    Parameters
    ----------
    indptr : ndarray of int64, shape (n + 1,)
        Row i of `indices` runs from ``indptr[i]`` to ``indptr[i + 1]``.
    indices : ndarray of int32, shape (2 * edges,)
        Contacts of every person; in each row acquaintances come first, strangers after them.
    strangers : ndarray of int64, shape (n,), optional
        Where the strangers of each row begin; without it every tie is one of acquaintance.
    ids : ndarray, shape (n,), optional
        The persons' names in the file they came from, by number.
    repairs : tuple of str
        What had to be changed to make the network simple, one sentence each.
    grown : dict, optional
        The function that grew the network from a seed, under ``by``, and its arguments.
    """

    indptr: np.ndarray
    indices: np.ndarray
    strangers: np.ndarray | None = None
    ids: np.ndarray | None = None
    repairs: tuple[str, ...] = ()
    grown: dict[str, Any] | None = None

    @property
    def n(self) -> int:
        """Number of persons."""
        return len(self.indptr) - 1

    @property
    def edges(self) -> int:
        """Number of mutual ties."""
        return len(self.indices) // 2

    @property
    def degree(self) -> np.ndarray:
        """Number of contacts of each person, shape (n,)."""
        return np.diff(self.indptr)

    @cached_property
    def split(self) -> np.ndarray:
        """Where the acquaintances of each row end, shape (n,)."""
        return self.indptr[1:] if self.strangers is None else self.strangers

    @property
    def nbytes(self) -> int:
        """Memory of the ties, in bytes."""
        return self.indptr.nbytes + self.indices.nbytes + (0 if self.strangers is None else self.strangers.nbytes)

    def contacts(self, person: int) -> np.ndarray:
        """Return the numbers of one person's contacts, acquaintances first."""
        return self.indices[self.indptr[person] : self.indptr[person + 1]]


def from_pairs(
    n: int,
    pairs: np.ndarray,
    kind: np.ndarray | None = None,
    ids: np.ndarray | None = None,
    repairs: tuple[str, ...] = (),
) -> Network:
    """Build a network from distinct pairs of different persons.

    Parameters
    ----------
    n : int
        Number of persons, numbered from 0.
    pairs : ndarray of int, shape (edges, 2)
    kind : ndarray of int, shape (edges,), optional
        0 for acquaintance, 1 for stranger.

    Raises
    ------
    ParameterError
        On a number outside 0..n-1, a tie of a person with himself, or a pair that stands twice.

    Examples
    --------
    >>> triangle = from_pairs(3, [[0, 1], [1, 2], [2, 0]], kind=[0, 0, 1])
    >>> triangle.contacts(0).tolist(), (triangle.split - triangle.indptr[:-1]).tolist()
    ([1, 2], [1, 2, 1])
    """
    pairs = np.asarray(pairs).reshape(-1, 2)
    _check_persons(n)
    outside = (pairs < 0) | (pairs >= n)
    if outside.any():
        raise ParameterError(f"persons are numbered 0..{n - 1}; got {int(pairs[outside][0])}.")
    loops = pairs[:, 0] == pairs[:, 1]
    if loops.any():
        raise ParameterError(f"a tie joins two persons; got {int(pairs[loops][0, 0])} with himself.")
    ordered = np.sort(_keys(n, pairs))
    twice = np.flatnonzero(ordered[1:] == ordered[:-1])
    if len(twice):
        low, high = divmod(int(ordered[twice[0]]), n)
        raise ParameterError(f"a tie stands once in a list of pairs; got {low} and {high} more than once.")
    return _rows(n, pairs, kind, ids, repairs)


def barabasi_albert(n: int, m: int = 4, *, seed: int) -> Network:
    """Grow a network in which every newcomer links to m different persons, each with chance proportional to degree.

    It begins as a star of m + 1 persons; the mean degree tends to 2 m.

    Parameters
    ----------
    n : int
        Persons, more than m.
    m : int
        Ties of each newcomer, at least 1.

    Raises
    ------
    ParameterError
        Also where memory does not suffice: 12 bytes a tie and 8 a person while it grows.

    References
    ----------
    Barabási & Albert (1999), doi:10.1126/science.286.5439.509; the urn of tie ends is that of Batagelj & Brandes
    (2005), doi:10.1103/PhysRevE.71.036113.

    Examples
    --------
    >>> network = barabasi_albert(1000, 4, seed=1)
    >>> network.n, network.edges
    (1000, 3984)
    """
    from stockflow import kernels

    _check_persons(n)
    if not 1 <= m < n:
        raise ParameterError(f"m, the ties of a newcomer, is between 1 and n - 1 = {n - 1}; got {m!r}.")
    ties = m * (n - m)
    _check_memory(n, ties, 4 * ties)
    targets, indptr = np.empty(ties, dtype=np.int32), np.zeros(n + 1, dtype=np.int64)
    with np.errstate(over="ignore"):
        kernels.attach(n, m, key_of(seed), targets, indptr)
    indices = np.empty(2 * ties, dtype=np.int32)
    kernels.lay(n, m, targets, indptr, indices)
    return Network(indptr, indices, grown={"by": "barabasi_albert", "n": n, "m": m, "seed": seed})


def watts_strogatz(n: int, k: int = 8, rewired: float = 0.1, *, seed: int) -> Network:
    """Place n persons on a ring, tie each to the k nearest, and move the far end of some ties anywhere.

    Parameters
    ----------
    k : int
        Ties of each person on the ring: even, at least 2, below n - 1.
    rewired : float
        Probability that a tie is moved, in [0, 1].

    References
    ----------
    Watts & Strogatz (1998), doi:10.1038/30918.

    Examples
    --------
    >>> watts_strogatz(10, 2, 0.0, seed=1).contacts(0).tolist()
    [1, 9]
    """
    _check_persons(n)
    if k < 2 or k % 2 or k >= n - 1:
        raise ParameterError(f"k, the ties of a person on the ring, is even and between 2 and n - 2; got {k!r}.")
    if not 0 <= rewired <= 1:
        raise ParameterError(f"rewired is a probability in [0, 1]; got {rewired!r}.")
    _check_memory(n, n * k // 2, 60 * (n * k // 2))
    rng = np.random.default_rng(seed)
    near = np.repeat(np.arange(n, dtype=np.int64), k // 2)
    pairs = np.column_stack([near, (near + np.tile(np.arange(1, k // 2 + 1), n)) % n])
    moved = rng.random(len(pairs)) < rewired
    again = np.flatnonzero(moved)
    while len(again):
        pairs[again, 1] = rng.integers(0, n, len(again))
        again = np.flatnonzero(moved & _repeated(n, pairs, moved))
    grown = {"by": "watts_strogatz", "n": n, "k": k, "rewired": rewired, "seed": seed}
    return replace(_rows(n, pairs.astype(np.int32)), grown=grown)


def _keys(n: int, pairs: np.ndarray) -> np.ndarray:
    """Number each unordered pair."""
    return pairs.min(axis=1).astype(np.int64) * n + pairs.max(axis=1)


def _repeated(n: int, pairs: np.ndarray, movable: np.ndarray) -> np.ndarray:
    """Mark loops, and every pair that stands elsewhere already, looking at pairs that may not move first."""
    keys = _keys(n, pairs)
    order = np.lexsort((movable, keys))
    marked = np.zeros(len(pairs), dtype=bool)
    marked[order[1:]] = keys[order[1:]] == keys[order[:-1]]
    return marked | (pairs[:, 0] == pairs[:, 1])


def _rows(
    n: int,
    pairs: np.ndarray,
    kind: np.ndarray | None = None,
    ids: np.ndarray | None = None,
    repairs: tuple[str, ...] = (),
) -> Network:
    """Compress distinct pairs into rows; scipy's counting sort keeps the order within a row."""
    ends = np.ascontiguousarray(pairs, dtype=np.int32)
    stranger = None
    if kind is not None:
        stranger = np.asarray(kind) == STRANGER
        order = np.argsort(stranger, kind="stable")
        ends, stranger = ends[order], stranger[order]
    rows, columns = ends.reshape(-1), np.ascontiguousarray(ends[:, ::-1]).reshape(-1)
    from scipy import sparse  # heavy

    table = sparse.coo_array((np.ones(len(rows), dtype=np.int8), (rows, columns)), shape=(n, n))
    table.has_canonical_format = True  # the pairs are distinct: no sort is needed
    table = table.tocsr()
    indptr = table.indptr.astype(np.int64)
    begin = None
    if stranger is not None:
        begin = indptr[1:] - np.bincount(ends[stranger].reshape(-1), minlength=n)
    return Network(indptr, table.indices, begin, ids, repairs)


def _check_memory(n: int, ties: int, beside: float) -> None:
    """Refuse, before it is begun, a network that memory cannot hold, `beside` the bytes needed only to make it."""
    held, limit = 8 * ties + 8 * (n + 1), _memory()
    if held + beside > limit:
        given = [f"{size / 2**30:.3g} GiB" for size in (held, held + beside, 8 * n, limit)]
        takes = f"takes {given[0]} of memory, {given[1]} while it is made, and a run on it up to {given[2]} more"
        allowed = f"this process may take {given[3]}; allowed is a network that fits"
        raise ParameterError(f"a network of {n:,} persons and {ties:,} ties {takes}; {allowed}.")


def _memory() -> float:
    """Return the bytes that this process may take: those of the machine, of its container, of its own limit."""
    found = [np.inf]
    with suppress(AttributeError, OSError, ValueError):  # not known everywhere
        found.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    with suppress(OSError, ValueError):  # "max" stands there where nothing is set
        found.append(int(Path("/sys/fs/cgroup/memory.max").read_text()))
    with suppress(ImportError):
        import resource

        own = resource.getrlimit(resource.RLIMIT_AS)[0]
        found.append(np.inf if own == resource.RLIM_INFINITY else own)
    return min(found)


def _check_persons(n: int) -> None:
    if not 2 <= n <= LARGEST:
        raise ParameterError(f"a network has from 2 to {LARGEST} persons; got {n!r}.")
