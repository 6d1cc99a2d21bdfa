"""The ladder of measurement invariance for ordered items: which parameters each level holds equal, and which it frees.

Ordered items have no means and variances of their own, so that equalities must come in the order thresholds, loadings,
intercepts, residual variances, and what identifies the model changes from level to level. In the first group
intercepts are 0 and scales (theta: residual variances) 1 throughout.

=============  =================================================================================================
configural     nothing equal; in every group intercepts and latent means 0, scales 1
thresholds     thresholds equal; later groups' intercepts free, and scales of items with three or more categories
loadings       loadings equal too; scales of binary items free, latent variance equal where all items are binary
intercepts     intercepts 0 in every group; later groups' latent means and variances free
residuals      residual variances 1 in every group (always in the theta parameterisation: scales do not show them)
=============  =================================================================================================

Equal thresholds restrict an item of c categories by c - 3 in each later group: nothing for three categories or fewer.
Binary items are restricted by no level before the intercepts.

Reference: Wu & Estabrook (2016), doi:10.1007/s11336-016-9506-0.
"""

from __future__ import annotations

from collections.abc import Mapping

from semfit.errors import ParameterError
from semfit.syntax import ModelText, parse
from semfit.table import RESPONSE, Parameter

ORDINAL_LADDER: Mapping[str, tuple[str, ...]] = {
    "configural": (),
    "thresholds": ("thresholds",),
    "loadings": ("thresholds", "loadings"),
    "intercepts": ("thresholds", "loadings"),
    "residuals": ("thresholds", "loadings", "residuals"),
}


def check_ladder(parsed: ModelText) -> None:
    """Raise where a model itself speaks of thresholds, scales, intercepts or residual variances of items."""
    latents = {t.lhs for t in parsed.terms if t.op == "=~"}
    for t in parsed.terms:
        if t.op in (*RESPONSE, "~1") or t.op == "~~" and t.lhs == t.rhs not in latents:
            raise ParameterError(
                f"line {t.line}, column {t.column}: {t.lhs} {t.op} {t.rhs or 1}; the ladder itself sets thresholds, "
                "scales, intercepts and residual variances: leave them out of the model."
            )


def level_model(
    model: str,
    categories: Mapping[str, int],
    level: str,
    *,
    groups: int = 2,
    parameterization: str = "delta",
    std_lv: bool = False,
) -> str:
    """Return the model text of a level: the model, with what the level fixes and frees in later groups.

    Parameters
    ----------
    model : str
        A measurement model.
    categories : mapping of str to int
        Number of categories of each item.
    level : str
        Of ``ORDINAL_LADDER``.
    groups : int
        Number of groups.
    parameterization : {"delta", "theta"}
        Whether scales or residual variances are parameters.
    std_lv : bool
        Whether latent variances are 1 in the first group.

    Examples
    --------
    >>> print(level_model("f =~ a + b + c", {"a": 4, "b": 4, "c": 2}, "thresholds"))
    f =~ a + b + c
    a ~ c(0, NA)*1 + c(int_a1, int_a2)*1
    b ~ c(0, NA)*1 + c(int_b1, int_b2)*1
    c ~ c(0, NA)*1 + c(int_c1, int_c2)*1
    f ~ c(0, 0)*1
    c ~*~ c(1, 1)*c
    """
    if level not in ("thresholds", "loadings"):
        return model
    loadings = [t for t in parse(model).terms if t.op == "=~"]
    latents = list(dict.fromkeys(t.lhs for t in loadings))
    labels = {item: ", ".join(f"int_{item}{g + 1}" for g in range(groups)) for item in categories}  # else they are tied
    lines = [f"{item} ~ {_each(0, 'NA', groups)}*1 + c({own})*1" for item, own in labels.items()]
    lines += [f"{latent} ~ {_each(0, 0, groups)}*1" for latent in latents]
    if level == "thresholds":
        op = "~*~" if parameterization == "delta" else "~~"
        lines += [f"{item} {op} {_each(1, 1, groups)}*{item}" for item, c in categories.items() if c == 2]
    else:
        binary = [x for x in latents if all(categories.get(t.rhs) == 2 for t in loadings if t.lhs == x)]
        variances = [1 if std_lv else f"var_{x}" for x in binary]
        lines += [f"{x} ~~ {_each(v, v, groups)}*{x}" for x, v in zip(binary, variances, strict=True)]
    return "\n".join([model.rstrip(), *lines])


def _each(first: object, later: object, groups: int) -> str:
    return f"c({', '.join(map(str, [first] + [later] * (groups - 1)))})"


def level_rows(rows: tuple[Parameter, ...], items: tuple[str, ...], level: str) -> list[Parameter]:
    """Return what a level holds equal in later groups, one row for each: the candidates of partial invariance."""
    shared = {row.key for row in rows if row.group == 1 and row.free}

    def held(row: Parameter) -> bool:
        match level, row.op:
            case ("thresholds", "|") | ("loadings", "=~"):
                return row.free and row.key in shared
            case "intercepts", "~1":
                return row.lhs in items and row.value is not None
            case "residuals", "~~":
                return row.lhs == row.rhs in items and row.value is not None
        return False

    return [row for row in rows if row.group > 1 and held(row)]
