"""Know who is in contact with whom: networks as compressed rows, random ones from a seed, others from an edge list."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from socialcommerce.errors import ParameterError

__all__ = [
    "ACQUAINTANCE",
    "STRANGER",
    "Network",
    "barabasi_albert",
    "configuration_model",
    "from_pairs",
    "homophilous_blocks",
    "watts_strogatz",
]

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
    """

    indptr: np.ndarray
    indices: np.ndarray
    strangers: np.ndarray | None = None
    ids: np.ndarray | None = None
    repairs: tuple[str, ...] = ()

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
    from socialcommerce.modes import kernels

    _check_persons(n)
    if not 1 <= m < n:
        raise ParameterError(f"m, the ties of a newcomer, is between 1 and n - 1 = {n - 1}; got {m!r}.")
    ends = np.empty(2 * m * (n - m), dtype=np.int32)
    with np.errstate(over="ignore"):
        kernels.attach(n, m, kernels.key_of(seed), ends)
    return _rows(n, ends.reshape(-1, 2))


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
    rng = np.random.default_rng(seed)
    near = np.repeat(np.arange(n, dtype=np.int64), k // 2)
    pairs = np.column_stack([near, (near + np.tile(np.arange(1, k // 2 + 1), n)) % n])
    moved = rng.random(len(pairs)) < rewired
    again = np.flatnonzero(moved)
    while len(again):
        pairs[again, 1] = rng.integers(0, n, len(again))
        again = np.flatnonzero(moved & _repeated(n, pairs, moved))
    return _rows(n, pairs.astype(np.int32))


def configuration_model(degrees: np.ndarray, *, seed: int) -> Network:
    """Pair the ends of ties at random so that person i gets ``degrees[i]`` of them; loops and repeats are erased.

    Parameters
    ----------
    degrees : array_like of int, shape (n,)
        Not negative, of even sum. What is erased is told in `repairs`; it vanishes as n grows where the second
        moment of the degrees is finite.

    References
    ----------
    Britton, Deijfen & Martin-Löf (2006), doi:10.1007/s10955-006-9168-x (the erased model).

    Examples
    --------
    >>> configuration_model([3, 3], seed=1).edges
    1
    """
    degrees = np.asarray(degrees)
    if degrees.ndim != 1 or degrees.dtype.kind not in "iu" or (degrees < 0).any() or degrees.sum() % 2:
        raise ParameterError(f"degrees are whole numbers from 0 with an even sum; got {degrees!r}.")
    n = len(degrees)
    _check_persons(n)
    pairs = np.random.default_rng(seed).permutation(np.repeat(np.arange(n, dtype=np.int32), degrees)).reshape(-1, 2)
    loops = pairs[:, 0] == pairs[:, 1]
    repeats = _repeated(n, pairs, np.ones(len(pairs), bool)) & ~loops
    told = ()
    if loops.any() or repeats.any():
        told = (f"erased {loops.sum()} self-loops and {repeats.sum()} repeated ties of {len(pairs)}",)
    return _rows(n, pairs[~(loops | repeats)], repairs=told)


def homophilous_blocks(
    n: int, group: int = 100, degree: float = 8.0, alike: float = 0.8, *, seed: int
) -> Network:
    """Tie persons mostly within groups of alike people: acquaintances inside a group, strangers across groups.

    A stochastic block model with equal groups; the numbers of ties inside and across are binomial.

    Parameters
    ----------
    n, group : int
        Persons, and persons in each group (the last group takes the remainder).
    degree : float
        Mean number of contacts.
    alike : float
        Share of contacts that lie within the group, in [0, 1].

    References
    ----------
    Holland, Laskey & Leinhardt (1983), doi:10.1016/0378-8733(83)90021-7.

    Examples
    --------
    >>> network = homophilous_blocks(10_000, seed=1)
    >>> inside = (network.split - network.indptr[:-1]).sum() / len(network.indices)
    >>> round(float(inside), 2), round(float(network.degree.mean()), 1)
    (0.8, 8.0)
    """
    _check_persons(n)
    if not 2 <= group <= n // 2:
        raise ParameterError(f"group, the persons in a group, is between 2 and n / 2 = {n // 2}; got {group!r}.")
    if not 0 <= alike <= 1:
        raise ParameterError(f"alike is a share in [0, 1]; got {alike!r}.")
    rng = np.random.default_rng(seed)
    sizes = np.full(n // group, group)
    sizes[-1] += n % group
    inside_pairs = float((sizes * (sizes - 1.0) / 2).sum())
    across_pairs = n * (n - 1.0) / 2 - inside_pairs
    wanted = {"alike": (alike, inside_pairs), "across": (1 - alike, across_pairs)}
    for name, (share, possible) in wanted.items():
        if not 0 <= degree * share * n / 2 <= possible / 2:
            raise ParameterError(f"degree {degree!r} asks for more than half of the ties possible ({name}); "
                                 f"it is at most {possible / (n * share):.4g}.")
    counts = [rng.binomial(int(possible), degree * share * n / 2 / possible) for share, possible in wanted.values()]
    inside = _distinct(n, counts[0], lambda m: _inside(rng, sizes, group, m))
    across = _distinct(n, counts[1], lambda m: _across(rng, n, len(sizes), group, m))
    kind = np.repeat(np.array([ACQUAINTANCE, STRANGER], dtype=np.int8), [len(inside), len(across)])
    return _rows(n, np.concatenate([inside, across]), kind)


def _inside(rng: np.random.Generator, sizes: np.ndarray, group: int, m: int) -> np.ndarray:
    """Draw m pairs, uniform over the pairs that share a group; loops are left in for the caller to drop."""
    weight = sizes * (sizes - 1.0)
    mine = np.searchsorted(np.cumsum(weight / weight.sum()), rng.random(m), side="right").clip(max=len(sizes) - 1)
    return mine[:, None] * group + rng.integers(0, sizes[mine][:, None], (m, 2))


def _across(rng: np.random.Generator, n: int, groups: int, group: int, m: int) -> np.ndarray:
    """Draw up to m pairs, uniform over the pairs that share no group."""
    pairs = rng.integers(0, n, (m, 2))
    mine = np.minimum(pairs // group, groups - 1)
    return pairs[mine[:, 0] != mine[:, 1]]


def _distinct(n: int, m: int, draw) -> np.ndarray:
    """Draw until m different pairs are there."""
    keys = np.empty(0, dtype=np.int64)
    while len(keys) < m:
        pairs = draw(m - len(keys))
        keys = np.union1d(keys, _keys(n, pairs[pairs[:, 0] != pairs[:, 1]]))
    return np.column_stack([keys // n, keys % n]).astype(np.int32)


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


def _rows(n: int, pairs: np.ndarray, kind=None, ids=None, repairs: tuple[str, ...] = ()) -> Network:
    """Compress distinct pairs into rows; scipy's counting sort keeps the order within a row."""
    ends = np.ascontiguousarray(pairs, dtype=np.int32)
    stranger = None
    if kind is not None:
        stranger = np.asarray(kind) == STRANGER
        order = np.argsort(stranger, kind="stable")
        ends, stranger = ends[order], stranger[order]
    rows, columns = ends.reshape(-1), np.ascontiguousarray(ends[:, ::-1]).reshape(-1)
    table = sparse.coo_array((np.ones(len(rows), dtype=np.int8), (rows, columns)), shape=(n, n))
    table.has_canonical_format = True  # the pairs are distinct: no sort is needed
    table = table.tocsr()
    indptr = table.indptr.astype(np.int64)
    begin = None
    if stranger is not None:
        begin = indptr[1:] - np.bincount(ends[stranger].reshape(-1), minlength=n)
    return Network(indptr, table.indices, begin, ids, repairs)


def _check_persons(n: int) -> None:
    if not 2 <= n <= LARGEST:
        raise ParameterError(f"a network has from 2 to {LARGEST} persons; got {n!r}.")
