"""Say of a model that is not identified which parameters the data leave open, why, and what to add."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from semfit.constructs import composites_of
from semfit.solved import Solved
from semfit.table import Parameter


def open_parameters(fit: Solved) -> list[Parameter]:
    """Return the parameters that move in a direction in which the information is zero, one row for each.

    Bollen & Bauldry (2010), doi:10.1037/a0020143, on the null space of the derivatives as a test of identification.
    """
    H, basis = fit.problem.derivatives(fit.solution.theta[None])[1][0], fit.curvature.basis
    inner = basis.T @ H @ basis
    scale, own = (np.sqrt(np.maximum(np.diag(matrix), 1e-300)) for matrix in (inner, H))
    values, vectors = np.linalg.eigh(inner / np.outer(scale, scale))
    moved = np.linalg.norm(own[:, None] * (basis @ (vectors[:, values <= 1e-9] / scale[:, None])), axis=1)
    rows = {row.key: row for row in reversed(fit.rows) if row.free}
    return [rows[key] for key, length in zip(fit.table.keys, moved, strict=True) if length > 1e-3]


def why_open(fit: Solved) -> str:
    """Return the parameters and reasons in sentences."""
    found = open_parameters(fit)
    names = ", ".join(row.name for row in found[:8]) + (f" and {len(found) - 8} more" if len(found) > 8 else "")
    every = {(row.lhs, row.op, row.rhs): row for row in fit.rows if row.group == 1}
    reasons = dict.fromkeys([*_latent(every, {row.relation for row in found}), *_pairs(every, found)])
    if not reasons and fit.test.df < 0:
        reasons = dict.fromkeys([f"the parameters outnumber the moments by {-fit.test.df}: fix or equate as many"])
    return f"Open are {names}: {'; '.join(reasons) or 'fix one of them, or hold two equal'}."


def _latent(every: dict[tuple, Parameter], found: set[str]) -> Iterator[str]:
    """Yield what is wrong with latent variables and composites."""
    items: dict[str, list[Parameter]] = {}
    made = composites_of(every.values())
    for (lhs, op, _), row in every.items():
        if op in ("=~", "<~"):
            items.setdefault(lhs, []).append(row)
    for f, own in items.items():
        names, op, variance = [row.rhs for row in own], own[0].op, every[f, "~~", f]
        touched = found & {row.relation for row in (*own, variance)}
        errors = [x for x in names if f"{x}~~{x}" in found]
        between = [f"{a}~~{b}" for a, b in (*combinations(names, 2), *combinations(reversed(names), 2))]
        if f in made and touched:
            yield f"{f} is made of its items and related to nothing else: let it predict or covary, or be predicted"
        elif all(row.value == 0 for row in own) and touched:
            yield f"{f} moves none of its items: free a loading, as {f} =~ {names[0]}"
        elif touched and not any(row.value for row in own) and (op == "<~" or variance.value is None):
            end = "" if op == "<~" else f" or its variance, {f} ~~ 1*{f}"
            yield f"{f} has no scale: fix a {'weight' if end == '' else 'loading'}, {f} {op} 1*{names[0]}{end}"
        elif f"{f}~1" in found:
            yield f"the mean of {f} and its items' intercepts say the same: fix one, {f} ~ 0*1 or {names[0]} ~ 0*1"
        elif len(own) == 1 and touched and errors:
            yield f"one item does not tell {f} from its error: fix that, {names[0]} ~~ 0*{names[0]}"
        elif len(own) == 2 and touched and (errors or variance.lhs not in names):
            yield (
                f"{f} has two items and nothing else to tell their loadings by: add an item or a relation to another "
                f"variable, or equate them, {f} =~ 1*{names[0]} + 1*{names[1]}"
            )
        elif touched and (extra := found.intersection(between)):
            yield f"{len(names)} items of {f} leave nothing for {min(extra)}: leave it out, or add an item"
    for f, g in combinations(items, 2):
        shared = [r.rhs for r in items[f] if {f"{f}=~{r.rhs}", f"{g}=~{r.rhs}"} <= found and (g, "=~", r.rhs) in every]
        if shared:
            yield f"{f} and {g} share {', '.join(shared)}: each needs items of its own, leave out or fix some loadings"


def _pairs(every: dict[tuple, Parameter], found: list[Parameter]) -> Iterator[str]:
    """Yield pairs of variables that two open parameters relate."""
    free = {(row.lhs, row.op, row.rhs) for row in found}
    for y, op, x in sorted(free):
        if op == "~" and {(y, "~~", x), (x, "~~", y)} & free:
            yield f"{y} ~ {x} and {y} ~~ {x} say the same of the data: leave one out"
        if op == "~" and y < x and (x, "~", y) in free:
            yield f"{y} and {x} drive each other: give each a cause that does not drive the other, or fix a path"
