"""Save a long run so that it goes on from there as if it had never stopped."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from stockflow.errors import ParameterError, check_file, named, replacing

if TYPE_CHECKING:
    from stockflow.groups import Groups
    from stockflow.networks import Network
    from stockflow.trajectory import PersonsRun


def fingerprint(run: PersonsRun, groups: Groups | None, network: Network | None) -> str:
    """Return a hash of all that a trajectory follows from, of a run that has not begun."""
    laws = [(f.source, f.target, f.hazard) for f in run.mode.flows] + [(a.name, a.text) for a in run.mode.auxiliaries]
    values = sorted((name, float(value)) for name, value in run.parameters.items())
    said = [run.mode.name, laws, values, run.dt, len(run.moves), run.seed, run.contacts, repr(groups)]
    made = hashlib.sha256(repr(said).encode())
    for part in [run.state] + ([network.indptr, network.indices, network.split] if network else []):
        made.update(part.data)
    return made.hexdigest()


@dataclass(frozen=True)
class Checkpoint:
    """One file that holds a run up to some step; it is replaced whole or not at all."""

    path: Path
    fingerprint: str

    def load(self, state: np.ndarray, counts: np.ndarray, moves: np.ndarray) -> int:
        """Fill in what was saved, and return the number of steps done; 0 where there is no file.

        Raises
        ------
        ParameterError
            When the file is of another run, or is no checkpoint.
        """
        if not os.path.exists(self.path):
            return 0
        check_file(self.path, ParameterError)
        name = named(self.path.name)
        try:
            with np.load(self.path, allow_pickle=False) as saved:
                given, done = str(saved["fingerprint"]), int(saved["done"])
                parts = [np.asarray(saved[name]) for name in ("state", "counts", "moves")]
        except Exception as error:  # a damaged archive raises whatever its parts do
            raise ParameterError(f"{name} is not a checkpoint; got {type(error).__name__}; delete it.") from error
        if given != self.fingerprint:
            raise ParameterError(f"{name} is the checkpoint of another run; allowed is the one of the same run.")
        places = (state[:], counts[: done + 1], moves[:done])
        if any((one.shape, one.dtype) != (other.shape, other.dtype) for one, other in zip(places, parts, strict=True)):
            raise ParameterError(f"{name} is not a checkpoint; got arrays of other shapes than its run has; delete it.")
        for place, part in zip(places, parts, strict=True):
            place[:] = part
        return done

    def save(self, done: int, state: np.ndarray, counts: np.ndarray, moves: np.ndarray) -> None:
        """Put a file in place that holds the run up to here."""
        counts, moves = counts[: done + 1], moves[:done]
        with replacing(self.path, "a checkpoint") as file:
            np.savez(file, fingerprint=self.fingerprint, done=done, state=state, counts=counts, moves=moves)
