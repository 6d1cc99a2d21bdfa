"""Declare a mode of stocks and flows once; run it as equations, as persons on a network, or in a web page.

>>> from stockflow import next_generation, simulate, watts_strogatz
>>> from stockflow.examples import RUMOUR
>>> round(float(next_generation(RUMOUR).r0), 6)
3.0
>>> run = simulate(RUMOUR, days=50, seed=1, network=watts_strogatz(1000, seed=1), initial={"S": 10})
>>> bool(run.persons("R")[-1] > 0)
True
"""

import re
from importlib import import_module
from pathlib import Path
from typing import Any

__version__ = "0.1.0"

_stub = Path(__file__).with_suffix(".pyi").read_text(encoding="utf-8")
_homes = {name: home for home, name in re.findall(r"from ([\w.]+) import (\w+) as", _stub)}

__all__ = ["__version__", *_homes]  # noqa: PLE0604 - the names of the stub, each loaded when it is asked for


def __getattr__(name: str) -> Any:
    if name not in _homes:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_homes[name]), name)
