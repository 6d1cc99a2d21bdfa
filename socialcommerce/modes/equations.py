"""A mode as the equations a paper prints, written from the same declaration."""

from __future__ import annotations

import re

from socialcommerce.modes.compartments import Mode
from socialcommerce.modes.expressions import LATEX, Call, Name, parse, write

__all__ = ["to_latex"]

GREEK = {"β": "beta", "γ": "gamma", "δ": "delta", "ε": "varepsilon", "η": "eta", "θ": "theta", "κ": "kappa",
         "λ": "lambda", "Λ": "Lambda", "π": "pi", "σ": "sigma", "φ": "varphi", "ψ": "psi", "ω": "omega"}


def to_latex(mode: Mode) -> str:
    """Write the differential equations as a LaTeX ``aligned`` block: auxiliaries first, then one line a state.

    Angle brackets are the mean over a person's contacts, a bar the mean over everybody.

    Examples
    --------
    >>> from socialcommerce.modes.content import CONTENT
    >>> print(to_latex(CONTENT).splitlines()[1])
    \\Lambda &= \\beta \\, \\left\\langle \\eta \\, C + L \\right\\rangle \\\\
    """
    symbols = {one.name: _symbol(one.symbol) for one in (*mode.parameters, *mode.auxiliaries)}
    lines = [f"{symbols[a.name]} &= {write(parse(a.text), LATEX, symbols)}" for a in mode.auxiliaries]
    for state in mode.index:
        terms = ""
        for flow in mode.flows:
            if state in (flow.source, flow.target):
                amount = write(Call("*", (parse(flow.hazard), Name(flow.source))), LATEX, symbols)
                terms += (" - " if flow.source == state else " + ") + amount
        lines.append(rf"\dot{{{state}}} &= {terms.removeprefix(' + ').strip()}")
    return "\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}"


def _symbol(text: str) -> str:
    """``λ0`` becomes ``\\lambda_{0}``, ``mA`` ``m_{A}``."""
    head, tail = re.fullmatch(r"(.)(.*)", text).groups()
    return (rf"\{GREEK[head]}" if head in GREEK else head) + (f"_{{{tail}}}" if tail else "")
