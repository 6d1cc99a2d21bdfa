"""Make a saved run again, and see that it gives the numbers that it was saved with."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

from stockflow import __version__
from stockflow.errors import DataError, ParameterError, StockflowError, check_file, named, quoted
from stockflow.groups import Groups
from stockflow.mode import Auxiliary, Flow, Mode, Parameter, State
from stockflow.networks import Network, barabasi_albert, watts_strogatz
from stockflow.persons import simulate
from stockflow.trajectory import Run, integrate

GROWN: dict[str, Callable[..., Network]] = {"barabasi_albert": barabasi_albert, "watts_strogatz": watts_strogatz}
PARTS: dict[str, type] = {"states": State, "parameters": Parameter, "flows": Flow, "auxiliaries": Auxiliary}
UNREADABLE = (ArithmeticError, AttributeError, LookupError, MemoryError, RecursionError, TypeError, ValueError)


def load_run(path: str | Path, mode: Mode | None = None, network: Network | None = None) -> Run:
    """Make the run of a file that ``save`` wrote again.

    Parameters
    ----------
    path : path
    mode : Mode, optional
        What the file's mode must be, as it is declared in one's own program.
    network : Network, optional
        The ties of a run on ties that were not grown from a seed.

    Returns
    -------
    PersonsRun or Trajectory
        With the numbers that were saved; a warning says where another version of this package saved them.

    Raises
    ------
    DataError
        When the file holds no run, one of another mode, one that needs a network, or one that gives other numbers here.
    """
    check_file(path)
    name = named(Path(path).name)
    try:
        kept = json.loads(Path(path).read_text(encoding="utf-8"))
        version, digest, call, made = kept["stockflow"], kept["digest"], kept["call"], _declared(kept["mode"])
        if mode is not None and mode != made:
            differ = [part.name for part in fields(mode) if getattr(mode, part.name) != getattr(made, part.name)]
            raise ParameterError(
                f"its mode {made.name} differs in its {differ[0]} from the one given; allowed is that one."
            )
        run = simulate(made, **call | _parts(call, network)) if "seed" in call else integrate(made, **call)
    except StockflowError as error:
        raise DataError(f"{name}: {error}") from error
    except UNREADABLE as error:
        got = f"{type(error).__name__}: {quoted(str(error))}"
        raise DataError(f"{name} holds no run that stockflow {__version__} can make; got {got}.") from error
    if run.digest != digest:
        versions = f"saved by stockflow {quoted(version)}, made again by {__version__}"
        raise DataError(f"{name} gives other numbers than it was saved with; {versions}; allowed is a file unchanged.")
    if version != __version__:
        said = f"{name} was saved by stockflow {quoted(version)}; {__version__} gives the same numbers."
        warnings.warn(said, stacklevel=2)
    return run


def _declared(data: dict[str, Any]) -> Mode:
    parts = {name: tuple(kind(**one) for one in data[name]) for name, kind in PARTS.items()}
    return Mode(**data | parts | {"external": tuple(data["external"])})


def _parts(call: dict[str, Any], network: Network | None) -> dict[str, Any]:
    """Return network and groups of a call as what was written down of them says, and no file for it to write."""
    grown, groups = call["network"], call["groups"]
    if groups is not None:
        groups = Groups(**groups | {name: tuple(groups[name]) for name in ("friends", "strangers")})
    if grown is not None and network is None:
        if grown["by"] is None:
            raise ParameterError("its network was not grown from a seed; allowed is the same one as network=.")
        network = GROWN[grown.pop("by")](**grown)
    return {"groups": groups, "network": network, "checkpoint": None}
