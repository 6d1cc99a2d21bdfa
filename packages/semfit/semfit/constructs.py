"""Write the model lines of composites and of latent interactions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations, product

import pandas as pd

from semfit.errors import DataError, ParameterError, one_of
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


def indicators(rows: Iterable[Parameter], group: int = 1) -> dict[str, list[str]]:
    """Return the items of every latent variable of a group."""
    items: dict[str, list[str]] = {}
    for row in rows:
        if row.op == "=~" and row.group == group:
            items.setdefault(row.lhs, []).append(row.rhs)
    return items


def composites_of(rows: Iterable[Parameter]) -> dict[str, list[str]]:
    """Return the items of every composite, as `composite` writes it: the first is regressed on all others."""
    rows = list(rows)
    paths = {(row.lhs, row.rhs) for row in rows if row.op == "~"}
    found = indicators(rows)
    return {name: own for name, own in found.items() if own[1:] and {(own[0], x) for x in own[1:]} <= paths}


@dataclass(frozen=True)
class Products:
    """Data with the products of items as new columns, and the model text of the factor they indicate."""

    data: pd.DataFrame
    model: str


def products(
    data: pd.DataFrame,
    first_items: Sequence[str],
    second_items: Sequence[str],
    *,
    match: bool = True,
    double_centre: bool = True,
    name: str = "product",
) -> Products:
    """Multiply the items of two latent variables to indicate their product.

    Items are centred before they are multiplied and, by default, the products again after it, so that the product
    factor needs no mean structure. Products of normal items are not normal: fit them with estimator "MLR".

    Parameters
    ----------
    data : pandas.DataFrame
        One row per observation; a product is missing where one of its items is.
    first_items, second_items : sequence of str
        Columns that indicate the first and the second latent variable.
    match : bool
        Multiply the first item with the first, the second with the second and so on; each item serves once. Otherwise
        all pairs, whose residuals are correlated where they share an item.
    double_centre : bool
        Centre the products too.
    name : str
        The product factor.

    Returns
    -------
    Products
        The data with columns ``first.second``, and lines to add to a model.

    Raises
    ------
    UnknownNameError, DataError, ParameterError
        Where a column is missing or not numeric, would be overwritten, or items cannot be matched.

    References
    ----------
    Matched pairs: Marsh, Wen & Hau (2004), doi:10.1037/1082-989X.9.3.275; double-mean-centring: Lin, Wen, Marsh & Lin
    (2010), doi:10.1080/10705511.2010.488999.

    Examples
    --------
    >>> rows = pd.DataFrame({"x1": [1.0, 3.0], "x2": [0.0, 2.0], "z1": [2.0, 4.0], "z2": [1.0, 5.0]})
    >>> made = products(rows, ["x1", "x2"], ["z1", "z2"])
    >>> made.model
    'product =~ x1.z1 + x2.z2'
    >>> made.data["x2.z2"].tolist()
    [0.0, 0.0]
    """
    first, second = list(first_items), list(second_items)
    for item in (*first, *second):
        one_of("item", item, data.columns)
        if not pd.api.types.is_numeric_dtype(data[item]):
            raise DataError(f"item {item} is of type {data[item].dtype}; products take numbers.")
    if match and len(first) != len(second):
        raise ParameterError(
            f"{len(first)} items cannot be matched with {len(second)}; choose or parcel as many, or give match=False."
        )
    pairs = list(zip(first, second, strict=True)) if match else list(product(first, second))
    taken = [f"{a}.{b}" for a, b in pairs if f"{a}.{b}" in data.columns]
    if taken:
        raise ParameterError(f"column {taken[0]} is in the data already; rename it, the product needs its name.")
    items = data[[*dict.fromkeys((*first, *second))]].astype(float)
    items -= items.mean()
    made = pd.DataFrame({f"{a}.{b}": items[a] * items[b] for a, b in pairs})
    made -= made.mean() if double_centre else 0.0
    lines = [f"{name} =~ " + " + ".join(made)]
    lines += [f"{a}.{b} ~~ {c}.{d}" for (a, b), (c, d) in combinations(pairs, 2) if a == c or b == d]
    return Products(pd.concat([data, made], axis=1), "\n".join(lines))
