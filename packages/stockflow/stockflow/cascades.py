"""Follow how far one sharing goes: each person reached tries each contact once (independent cascade, SIR)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stockflow.draws import key_of
from stockflow.errors import ParameterError
from stockflow.networks import Network
from stockflow.steps import loops


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
    >>> from stockflow.networks import watts_strogatz
    >>> ring = watts_strogatz(1000, 2, 0.0, seed=1)
    >>> int(cascade(ring, 1.0, [0], seed=1).sum()), int(cascade(ring, 0.0, [0, 5], seed=1).sum())
    (1000, 2)
    """
    first = np.unique(np.asarray(persons, dtype=np.int64))
    if len(first) and not (first[0] >= 0 and first[-1] < network.n):
        wrong = first[0] if first[0] < 0 else first[-1]
        raise ParameterError(f"those who begin are persons 0..{network.n - 1}; got {wrong}.")
    if not 0 <= p <= 1:
        raise ParameterError(f"p, the chance that one try succeeds, is a probability in [0, 1]; got {p!r}.")
    reached, queue = np.zeros(network.n, dtype=bool), np.empty(network.n, np.int32)
    loops(engine).spread(network.indptr, network.indices, first, float(p), key_of(seed), reached, queue)
    return reached
