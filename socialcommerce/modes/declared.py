"""The two modes as ``modes.toml`` declares them: what the engine, the closed forms and a page's sliders start from."""

from __future__ import annotations

from pathlib import Path

from nbproof import read_toml
from stockflow import Auxiliary, Flow, Mode, Parameter, State

__all__ = ["DECLARED", "declared"]

DECLARED = read_toml(Path(__file__).with_name("modes.toml"))


def declared(kind: str, name: str, **laws: str) -> Mode:
    """Return a mode under a name; ``laws`` stand where its auxiliaries name them in braces.

    Examples
    --------
    >>> [flow.hazard for flow in declared("content", "content").flows[:2]]
    ['lambda0 + Lambda', 'pi']
    """
    table = DECLARED[kind]
    return Mode(
        name,
        tuple(State(*row) for row in table["states"]),
        tuple(Parameter(*row) for row in table["parameters"]),
        tuple(Flow(*row) for row in table["flows"]),
        table["carrier_free"],
        tuple(Auxiliary(*(text.format(**laws) for text in row)) for row in table["auxiliaries"]),
        table["words"],
        tuple(table["external"]),
    )
