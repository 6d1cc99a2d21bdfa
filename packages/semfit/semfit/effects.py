"""Direct, total and every specific indirect effect along the paths of a fitted model, with their standard errors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

import numpy as np
import pandas as pd

from semfit.errors import ParameterError
from semfit.expressions import jacobian
from semfit.inference import delta_errors, z_tests
from semfit.model import Array
from semfit.report import Shown
from semfit.resampling import interval_ends


def path_effects(fit: Shown) -> pd.DataFrame:
    """Return what every variable does to every other that its paths (``~``) lead to.

    A specific indirect effect is the product of the paths along a chain that meets no variable twice; the total is the
    sum over all chains, in loops too: (I - B)^-1 - I with B the paths; the indirect one is the total less the direct.

    Parameters
    ----------
    fit : SemFit
        Converged and identified.

    Returns
    -------
    pandas.DataFrame
        lhs (the outcome), rhs (the cause), group, kind ("direct", "specific", "indirect", "total"), via (the chain),
        est, se, z, pvalue, ci_low, ci_high (delta method; with resamples their spread and percentiles) and std_all.

    References
    ----------
    Bollen (1987), Sociological Methodology 17, 37-69, doi:10.2307/271028.
    """
    if not (fit.converged and fit.identified):
        raise ParameterError(f"no effects without a solution: {' '.join(fit.problems)}")
    path = {(row.group, row.rhs, row.lhs): k for k, row in enumerate(fit.rows) if row.op == "~"}
    names = list(dict.fromkeys(name for _, *pair in path for name in pair))
    at, lines = {name: k for k, name in enumerate(names)}, []
    for group, cause, outcome in ((g + 1, a, b) for g in range(fit.table.groups) for a in names for b in names):
        found = sorted(_chains([pair for g, *pair in path if g == group], [cause], outcome), key=len)
        lines += [(outcome, cause, group, ("direct", "specific")[len(one) > 2], " -> ".join(one)) for one in found]
        lines += [(outcome, cause, group, kind, "") for kind in ("indirect", "total") if found and len(found[-1]) > 2]

    def effects(values: Array) -> Array:
        B, out = np.zeros((*values.shape[:-1], fit.table.groups + 1, len(at), len(at)), dtype=values.dtype), []
        for (group, cause, outcome), k in path.items():
            B[..., group, at[outcome], at[cause]] = values[..., k]
        total = np.linalg.inv(np.eye(len(at)) - B) - np.eye(len(at))
        for outcome, cause, group, kind, via in lines:
            chain = via.split(" -> ") if via else [cause, outcome]
            steps = [path.get((group, *pair), 0) for pair in pairwise(chain)]
            each = {"total": total, "indirect": total - B}.get(kind)
            out.append(values[..., steps].prod(-1) if each is None else each[..., group, at[outcome], at[cause]])
        return np.stack(out, -1)

    frame = pd.DataFrame(lines, columns=["lhs", "rhs", "group", "kind", "via"])
    if not lines:
        return frame
    est, std = effects(fit.values_at(fit.theta)), effects(fit.standardized_at(fit.theta))
    se = delta_errors(jacobian(lambda theta: effects(fit.values_at(theta)), fit.theta), fit.vcov)
    drawn = {}
    if fit.draws is not None:
        draws = effects(fit.values_at(fit.draws.draws))
        low, high = interval_ends(est, draws, 0.95, "percentile", rule="boot")
        se, drawn = draws.std(0, ddof=1), {"ci_low": low, "ci_high": high}
    return frame.assign(est=est, se=se, **z_tests(est, se) | drawn, std_all=std)


def _chains(arrows: Iterable[list[str]], chain: list[str], outcome: str) -> Iterator[list[str]]:
    """Yield every chain of paths that goes on to the outcome and meets no variable twice."""
    for cause, effect in arrows:
        if cause == chain[-1] and effect == outcome != chain[0]:
            yield [*chain, effect]
        elif cause == chain[-1] and effect not in chain:
            yield from _chains(arrows, [*chain, effect], outcome)
