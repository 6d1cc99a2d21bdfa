"""A mode as one person meets it: what is seen of others, and the hazards that follow, as Python source to compile."""

from __future__ import annotations

from dataclasses import dataclass

from socialcommerce.modes import expressions as ex
from socialcommerce.modes.compartments import Mode

__all__ = ["Field", "fields", "person_source"]

SCALARS = '''def poisson_tail(m, x):
    term, total = 1.0, 0.0
    for k in range(int(m)):
        total += term
        term *= x / (k + 1)
    return 1.0 - exp(-x) * total


def safediv(a, b):
    return a / b if b != 0.0 else 0.0
'''


@dataclass(frozen=True)
class Field:
    """The mean over a person's ``contact`` or over ``anyone`` of a weight that earlier fields may enter as ``f[i]``."""

    tie: str
    weight: ex.Tree


def fields(mode: Mode) -> tuple[Field, ...]:
    """Return what a person sees of others, in the order in which it is to be computed.

    Examples
    --------
    >>> from socialcommerce.modes.content import CONTENT
    >>> [(f.tie, ex.write(f.weight, ex.PYTHON)) for f in fields(CONTENT)]
    [('contact', '((eta * C) + L)'), ('contact', 'L')]
    """
    nodes = _nodes(mode)
    return tuple(Field(node.function, _seen(node.args[0], nodes)) for node in nodes)


def person_source(mode: Mode) -> str:
    """Write the mode as Python that needs only ``exp`` (math.exp or a compiled one) in its scope.

    Returns
    -------
    str
        Source of ``poisson_tail``, ``safediv``, ``weight_0`` .. ``weight_n`` and ``hazard_0`` .. ``hazard_m``.
        ``weight_i(s, p, f)`` is what a person in state s (its position) adds to field i, given the parameters p in the
        order of ``mode.parameters`` and that person's own earlier fields f; ``hazard_k(p, f)`` is the hazard of flow k
        (1/day) for a person who sees the fields f.
    """
    nodes = _nodes(mode)
    parts = [SCALARS]
    for i, node in enumerate(nodes):
        parts.append(f"def weight_{i}(s, p, f):\n    return {_write(mode, _seen(node.args[0], nodes))}\n")
    for k, law in enumerate(mode.laws):
        parts.append(f"def hazard_{k}(p, f):\n    return {_write(mode, _seen(law, nodes))}\n")
    return "\n\n".join(parts)


def _nodes(mode: Mode) -> tuple[ex.Call, ...]:
    """Every distinct look at others, inner ones first."""
    found = (node for law in mode.laws for node in ex.walk(law))
    return tuple(dict.fromkeys(n for n in found if isinstance(n, ex.Call) and n.function in ex.TIES))


def _seen(tree: ex.Tree, nodes: tuple[ex.Call, ...]) -> ex.Tree:
    """Return the tree with every look at others replaced by the name of its field."""
    if tree in nodes:
        return ex.Name(f"f[{nodes.index(tree)}]")
    if isinstance(tree, ex.Call):
        return ex.Call(tree.function, tuple(_seen(arg, nodes) for arg in tree.args))
    return tree


def _write(mode: Mode, tree: ex.Tree) -> str:
    """Write a tree for one person: parameters by position, a state as whether the person is in it."""
    names = {name: f"p[{i}]" for i, name in enumerate(mode.parameter)}
    names |= {name: f"(1.0 if s == {i} else 0.0)" for name, i in mode.index.items()}
    return ex.write(tree, ex.PYTHON, names)
