"""Other forms of what the modes declare once: annoyance, purchase, survival to delivery, acceptance, cost.

They and the ranges of what statements need beside the modes stand in ``paper/forms.toml``, which says how to add one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Annotated

import numpy as np

from nbproof import read_toml
from nbproof.shapes import LIST, TABLE, TEXT, check, one_of
from socialcommerce.errors import PaperError
from socialcommerce.modes.optima import purchase_chance
from socialcommerce.project import record, root
from stockflow import Parameter, Values, evaluate

__all__ = ["PARTS", "Form", "best_frequency", "chance", "chosen", "draw", "load_forms", "part_words", "put", "ranges"]

PARTS = ("annoyance", "purchase", "survival", "acceptance", "cost", "groups", "trust")
STANDS = {"pi": ("pi0", "b1"), "delta": ("delta0", "delta1")}  # a quantity is put in the first, the second switched off
OFTEN = np.append(0.0, np.geomspace(1e-3, 100, 400))  # promotions a day that a search tries


@dataclass(frozen=True)
class Form:
    """One form of a part: its name, what it is called, and by quantity the expression that ``gives`` it."""

    part: Annotated[str, one_of(PARTS)]
    id: Annotated[str, TEXT]
    en: Annotated[str, TEXT]
    zh: Annotated[str, TEXT]
    gives: Annotated[Mapping[str, str], TABLE]
    ranges: Annotated[Mapping[str, list[float]], TABLE] = field(default_factory=dict)


@cache
def load_forms() -> dict[str, tuple[Form, ...]]:
    """Read the forms of every part, the declared one first.

    Examples
    --------
    >>> [form.id for form in load_forms()["annoyance"]]
    ['quadratic', 'linear', 'saturating', 'exponential']
    """
    listed = enumerate(_file()["form"], 1)
    found = [record(Form, PaperError, f"paper/forms.toml, form {k}", one) for k, one in listed]
    return {part: tuple(form for form in found if form.part == part) for part in PARTS}


def _file() -> dict:
    shapes = {"form": LIST} | dict.fromkeys(("parts", "called", "ranges"), TABLE)
    return check(PaperError, "paper/forms.toml, file", read_toml(root() / "paper" / "forms.toml", PaperError), shapes)


@cache
def part_words() -> dict[str, str]:
    """Return what each part, and each quantity drawn beside the modes, is called, by its name."""
    return {name: said["en"] for name, said in (_file()["called"] | _file()["parts"]).items()}


@cache
def ranges(name: str) -> tuple[Parameter, ...]:
    """Return what a statement needs beside the mode, as parameters with their ranges."""
    return tuple(
        Parameter(key, key, low, "1", low, high, kind="group" if isinstance(low, int) else "weight")
        for key, (low, high) in _file()["ranges"][name].items()
    )


def draw(parts: Iterable[str], count: int, seed: int) -> Values:
    """Draw a form of each part for every set, each form equally often, and each form's own parameters.

    Returns
    -------
    dict
        By part the place of the form among ``load_forms()[part]``; by name each parameter. Shape (count,).
    """
    rng, drawn = np.random.default_rng(seed), Values()
    for part in parts:
        drawn[part] = rng.permutation(np.arange(count) % len(load_forms()[part]))
        own = {name: ends for form in load_forms()[part] for name, ends in form.ranges.items()}
        drawn |= {name: rng.uniform(low, high, count) for name, (low, high) in own.items()}
    return drawn


def chosen(p: Mapping, part: str) -> Values:
    """Return the quantities of a part, by name, each set by the form drawn for it.

    Examples
    --------
    >>> p = {"annoyance": np.array([0, 1]), "delta0": 0.01, "delta1": 0.02, "n": 3.0}
    >>> chosen(p, "annoyance")["delta"].round(2).tolist()
    [0.19, 0.07]
    """
    forms, given = load_forms()[part], {name: value for name, value in p.items() if name not in PARTS}
    if not np.ndim(p[part]):  # one form for all
        return {name: evaluate(text, given) for name, text in forms[int(p[part])].gives.items()}
    return {
        name: np.choose(p[part], np.broadcast_arrays(*(evaluate(form.gives[name], given) for form in forms)))
        for name in forms[0].gives
    }


def put(p: Mapping) -> Values:
    """Return the parameters of the content mode with the drawn forms in force, or all as they are where none is drawn.

    The closed forms know annoyance and purchases at one frequency as two numbers, so that any form can stand there;
    cancelled orders leave as the dissatisfied do. A fixed term keeps its mean time and its share that arrives.
    """
    new: Values = {}
    for part in (part for part in PARTS[:3] if part in p):
        for name, value in chosen(p, part).items():
            first, *off = STANDS.get(name, (name,))
            new |= {first: value} | dict.fromkeys(off, np.zeros_like(value))
    aside = {*PARTS, *(name for forms in load_forms().values() for form in forms for name in form.ranges)}
    return {name: value for name, value in p.items() if name not in aside} | new


def chance(n: np.ndarray | float, p: Mapping) -> np.ndarray:
    """Return the probability that a member buys before leaving at n promotions a day, by the drawn forms."""
    q = put(dict(p) | {"n": n})
    return purchase_chance(n, *(q[name] for name in ("pi0", "b1", "delta0", "delta1")))


def best_frequency(p: Mapping) -> np.ndarray:
    """Return the promotions a day, among those that a search tries, at which most of the pool buys."""
    return OFTEN[np.argmax(chance(OFTEN[:, None], p), axis=0)]
