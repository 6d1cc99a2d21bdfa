"""What a page needs to run a mode under the reader's hands: the script, the sliders, the words, the loops of R0."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stockflow.errors import ParameterError, UnknownNameError, extra
from stockflow.expressions import JAVASCRIPT, parse, write
from stockflow.mode import Mode
from stockflow.threshold import next_generation

if TYPE_CHECKING:
    import pandas as pd

PAGE_WORDS = {
    "above": "the mode sustains itself",
    "below": "without newcomers from outside the mode dies out",
    "loops": "What each loop adds to R0: those in this state bring so many newcomers per newcomer",
    "axis": "day; vertical: share of the population",
    "end": "At the end",
    "reset": "Back to the start",
    "save": "Save this run as csv",
    "colon": ": ",
    "units": {"1": "", "1/day": " a day", "day": " days"},
}
"""What the page says around the numbers."""


def loop_gains(mode: Mode, parameters: Mapping[str, float] | None = None) -> pd.Series:
    """Return what each carrying state adds to R0.

    Newcomers enter in the same proportions whoever brought them (F has rank one), so R0 is a sum over states: the days
    one newcomer spends there times the newcomers brought from there a day. Each summand closes one reinforcing loop.

    Returns
    -------
    Series
        By name of the carrying state; its sum is R0.

    Raises
    ------
    ParameterError
        Where newcomers enter differently according to who brought them.

    Examples
    --------
    >>> from stockflow.examples import RUMOUR
    >>> {name: round(gain, 12) for name, gain in loop_gains(RUMOUR).items()}  # beta / gamma
    {'S': 3.0}
    """
    with extra("tables"):
        import pandas as pd

    found = next_generation(mode, parameters)
    entry, brought = found.entry.sum(axis=1), found.entry.sum(axis=0)
    if not brought.any():
        return pd.Series(0.0, index=list(found.states))
    shares = entry / entry.sum()
    if not np.allclose(found.entry, np.outer(shares, brought), rtol=1e-9, atol=1e-15):
        got = "F of rank two or more; allowed is rank one"
        raise ParameterError(f"newcomers of {mode.name} enter differently according to who brought them; got {got}.")
    return pd.Series(brought * np.linalg.solve(found.transfer, shares), index=list(found.states))


def explorer(
    mode: Mode,
    sliders: Mapping[str, float],
    drawn: Sequence[str],
    *,
    parameters: Mapping[str, float] | None = None,
    initial: Mapping[str, float] | None = None,
    days: float = 730.0,
    dt: float = 1.0,
    words: Mapping[str, Any] = PAGE_WORDS,
) -> dict[str, Any]:
    """Describe a mode that runs in the page.

    All that the page says is under ``words`` of what is returned, by use: there another language can be put in.

    Parameters
    ----------
    sliders : mapping of parameter to step
        What the reader may move, over the declared range.
    drawn : sequence of state
        Up to six states whose share is drawn.
    parameters : mapping, optional
        Values that differ from the defaults at the start.
    initial : mapping, optional
        Shares by state at day 0; everybody else is carrier-free.
    days, dt : float
        Length and step of the run.
    words : mapping
        What the page says around the numbers, with the keys of ``PAGE_WORDS``.

    Raises
    ------
    UnknownNameError, ParameterError
        For a parameter or state the mode does not have, or a value out of its range.
    """
    given = {name: float(value) for name, value in dict(parameters or {}).items()}
    mode.values(given)
    for kind, names, known in (("parameter", sliders, mode.parameter), ("state", drawn, mode.index)):
        for name in names:
            if name not in known:
                raise UnknownNameError(f"{kind} of {mode.name}", name, known)
    named = {name: mode.parameter[name].words for name in sliders}
    said = {**words, "states": {state.name: state.words for state in mode.states}, "parameters": named}
    shown = {"mode": mode.name, "sliders": list(sliders.items()), "drawn": list(drawn), "words": said}
    run = {"given": given, "start": mode.start(initial).tolist(), "days": days, "dt": dt}
    return {"model": to_javascript(mode), **shown, **run}


def to_javascript(*modes: Mode, name: str = "stockflowModes") -> str:
    """Write modes as one script that defines a global object.

    Returns
    -------
    str
        ``name = {modes, simulate, r0, loops, derivative}``. ``modes[key]`` holds states and parameters (words, units,
        ranges, marks) as data and ``hazards(y, p)``; ``simulate(mode, p, y, days, dt)`` takes fixed
        steps of order 4; ``r0(mode, p)`` is the spectral radius of the next-generation matrix,
        ``loops(mode, p)`` its parts by carrying state.

    Examples
    --------
    >>> from stockflow.examples import RUMOUR
    >>> "(beta * (S / N))" in to_javascript(RUMOUR)
    True
    """
    written = ",\n".join(f"{json.dumps(mode.name)}: {_mode(mode)}" for mode in modes)
    engine = Path(__file__).with_name("engine.js").read_text(encoding="utf-8")
    given = "return {modes, simulate, r0, loops, derivative};"
    return f"const {name} = (() => {{\n{engine}\nconst modes = {{\n{written}\n}};\n{given}\n}})();\n"


def _mode(mode: Mode) -> str:
    flows = []
    for flow in mode.flows:
        ends = {"from": mode.index[flow.source], "to": mode.index[flow.target]}
        flows.append(ends | {"enters": flow.enters, "words": flow.words})
    data = {
        "words": mode.words,
        "states": [asdict(state) for state in mode.states],
        "parameters": [asdict(parameter) for parameter in mode.parameters],
        "flows": flows,
        "free": mode.start().tolist(),
        "carrying": mode.carrying.tolist(),
        "external": list(mode.external),
    }
    laws = "".join(f"    const {a.name} = {write(parse(a.text), JAVASCRIPT)};\n" for a in mode.auxiliaries)
    hazards = ",\n      ".join(write(parse(f.hazard), JAVASCRIPT) for f in mode.flows)
    fields = ",\n  ".join(f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in data.items())
    return (
        f"{{\n  {fields},\n  hazards: (y, p) => {{\n    const [{', '.join(mode.index)}] = y;\n"
        f"    const N = {' + '.join(mode.index)};\n    const {{{', '.join(mode.parameter)}}} = p;\n{laws}"
        f"    return [\n      {hazards},\n    ];\n  }}\n}}"
    )
