"""Fit structural equation models in lavaan's language and with its numbers.

>>> import semfit
>>> data = semfit.simulate("y ~ 0.5*x; x ~~ 1*x; y ~~ 0.75*y", 400, seed=1)
>>> fit = semfit.fit("y ~ b*x", data)
>>> fit.converged, fit.identified, round(float(fit.r2["y"]), 1)
(True, True, 0.2)
"""

import re
from importlib import import_module
from pathlib import Path

__version__ = "0.1.0"

_stub = Path(__file__).with_suffix(".pyi").read_text(encoding="utf-8")
_homes = {name: home for home, name in re.findall(r"from ([\w.]+) import (\w+) as", _stub)}
globals().update({name: getattr(import_module(home), name) for name, home in _homes.items()})  # all at once: fit
# and power are also modules, which would stand in place of the functions once something loaded them

__all__ = ["__version__", *_homes]  # noqa: PLE0604 - the names of the stub
