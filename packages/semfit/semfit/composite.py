"""Write the lines of a model that make a variable a weighted sum of its items, weights to be estimated."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from semfit.errors import ParameterError
from semfit.table import Parameter

MADE = "it is made of its items, which have no error of measurement"


def composite(name: str, items: Sequence[str], first: str = "") -> str:
    """Return a composite, or emergent variable, in lavaan's language: the Henseler-Ogasawara specification.

    A composite c = w'x is made of its items: all that these share with the rest of a model goes through c, and what
    they share with one another is free. The specification has them, without error, as a mixture of c and of as many
    excrescent variables, less one, that relate to nothing outside; in its refined form one of these loads by 1 on
    item k and by a_k on the first. An excrescent variable then is what c leaves of item k, and the first item is
    b c + sum a_k x_k, so that its weight is 1/b and that of item k is -a_k/b. The lines say this without naming the
    excrescent variables. c, or what its predictors leave of it, has variance 1.

    Parameters
    ----------
    name : str
        Of the composite. It is identified if something outside, that its items do not make up, is related to it.
    items : sequence of str
        Two or more.
    first : str, optional
        The item whose equation the lines hold: one whose weight is not zero; by default the first one.

    Returns
    -------
    str
        Lines with the defined parameters ``weight_ITEM`` and ``loading_ITEM``: in ``fit.standardized`` the weight in
        standard deviations, and the correlation of item and composite, with delta-method errors.

    Raises
    ------
    ParameterError
        For fewer than two items.

    References
    ----------
    Schuberth (2023), doi:10.1037/met0000432; refined: Yu, Schuberth & Henseler (2023), doi:10.1002/sam.11608.

    Examples
    --------
    >>> print(composite("index", ["x1", "x2", "x3"]))
    index =~ NA*x1 + b_index*x1 + l_x2*x2 + l_x3*x3
    index ~~ 1*index
    x1 ~ a_x2*x2 + a_x3*x3
    x1 ~~ 0*x1
    x2 ~~ x3
    weight_x1 := 1/b_index
    weight_x2 := -a_x2/b_index
    weight_x3 := -a_x3/b_index
    loading_x1 := b_index + a_x2*l_x2 + a_x3*l_x3
    loading_x2 := l_x2
    loading_x3 := l_x3
    """
    if len(items) < 2:
        raise ParameterError(f"composite {name} is made of {len(items)} item; two or more are needed.")
    first = first or items[0]
    others = [x for x in items if x != first]
    weights = {first: f"1/b_{name}"} | {x: f"-a_{x}/b_{name}" for x in others}
    loadings = {first: f"b_{name} + {' + '.join(f'a_{x}*l_{x}' for x in others)}"} | {x: f"l_{x}" for x in others}
    lines = [
        f"{name} =~ NA*{first} + b_{name}*{first} + {' + '.join(f'l_{x}*{x}' for x in others)}",
        f"{name} ~~ 1*{name}",
        f"{first} ~ {' + '.join(f'a_{x}*{x}' for x in others)}",
        f"{first} ~~ 0*{first}",
        *(f"{x} ~~ {' + '.join(others[k:])}" for k, x in enumerate(others[:-1], 1)),
        *(f"weight_{x} := {weights[x]}" for x in items),
        *(f"loading_{x} := {loadings[x]}" for x in items),
    ]
    return "\n".join(lines)


def composites_of(rows: Iterable[Parameter]) -> dict[str, list[str]]:
    """Return the items of every composite, as `composite` writes it: the first is regressed on all others."""
    items: dict[str, list[str]] = {}
    paths = set()
    for row in rows:
        if row.op == "~":
            paths.add((row.lhs, row.rhs))
        elif row.op == "=~" and row.group == 1:
            items.setdefault(row.lhs, []).append(row.rhs)
    return {name: own for name, own in items.items() if own[1:] and {(own[0], x) for x in own[1:]} <= paths}
