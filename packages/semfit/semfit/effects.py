"""Direct, total and specific indirect effects along the paths of a fitted model, and an interaction's simple slopes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

import numpy as np
import pandas as pd

from semfit.errors import ParameterError, one_of, probability, whole
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


def simple_slopes(
    fit: Shown,
    outcome: str,
    focal: str,
    moderator: str,
    product: str = "product",
    *,
    at: Sequence[float] | None = None,
    group: int = 1,
    level: float = 0.95,
) -> pd.DataFrame:
    """Return the slope of an outcome on the focal variable at values of the moderator: b1 + b3 z.

    Parameters
    ----------
    fit : SemFit
        A fit with the paths outcome ~ b1 focal + b3 product; mean-centred items, so that 0 is the moderator's mean.
    outcome, focal, moderator, product : str
        Variables of the model.
    at : sequence of float, optional
        Values z of the moderator in its own units; by default its mean and one implied standard deviation either side.
    group : int
        Counted from 1.
    level : float
        Of the intervals, in (0, 1).

    Returns
    -------
    pandas.DataFrame
        moderator (z), slope, se, z, pvalue (null hypothesis: the slope at this z is zero), ci_low, ci_high. The
        standard error is the delta method's, var(b1) + 2 z cov(b1, b3) + z^2 var(b3), with z a given number.

    Raises
    ------
    UnknownNameError, ParameterError
        Where a variable or path is not in the model, the path is fixed, the fit has no solution, or ``level`` or
        ``group`` is out of range.

    References
    ----------
    Aiken & West (1991), Multiple regression: testing and interpreting interactions.
    """
    if not (fit.converged and fit.identified):
        raise ParameterError(f"no simple slopes without a solution: {' '.join(fit.problems)}")
    probability("level", level)
    whole("group", group, 1, fit.table.groups)
    keys = [_slope(fit, outcome, predictor, group) for predictor in (focal, product)]
    block, base = fit.problem.blocks[group - 1], fit.problem.bases[group - 1]
    one_of("moderator", moderator, block.names)
    k = block.names.index(moderator)
    deviation = np.sqrt(block.implied(fit.theta, base).covariance[k, k])
    values = np.array([-deviation, 0.0, deviation] if at is None else at, dtype=float)
    weight = np.column_stack([np.ones_like(values), values])
    b, V = fit.theta[keys], fit.vcov[np.ix_(keys, keys)]
    slope, se = weight @ b, np.sqrt(np.einsum("ij,jk,ik->i", weight, V, weight))
    return pd.DataFrame({"moderator": values, "slope": slope, "se": se} | z_tests(slope, se, level))


def _slope(fit: Shown, outcome: str, predictor: str, group: int) -> int:
    """Return where a free path stands among the parameters."""
    paths = {row.rhs: row for row in fit.rows if (row.lhs, row.op, row.group) == (outcome, "~", group)}
    one_of(f"predictor of {outcome}", predictor, paths)
    if not paths[predictor].free:
        raise ParameterError(f"the path {outcome} ~ {predictor} is fixed; simple slopes need it free.")
    return fit.table.position[paths[predictor].key]
