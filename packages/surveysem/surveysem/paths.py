"""Paths between a survey's constructs, and what each strategy does through others: standardised, with intervals."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from itertools import pairwise, product
from math import prod
from typing import Any

import numpy as np
import pandas as pd

from semfit import Bootstrap, SemFit, jacobian
from semfit.psychometrics import fornell_larcker
from surveysem.codebook import Codebook
from surveysem.effects import Effect, EffectTest, NotTestable, least
from surveysem.errors import UnknownNameError
from surveysem.measurement import HEADS
from surveysem.study import Study, check_solution

Array = np.ndarray
Way = tuple[str, ...]  # names of constructs, each of which has a path to the next
Name = tuple[str, str, str]
Paths = Mapping[tuple[str, str], Any]  # numbers or arrays, by predictor and outcome
Total = Callable[[str, str], Any]  # from predictor and outcome to the total effect
CHUNK = 250  # resamples standardised at a time
MOST = 10  # ways between two constructs that are told one by one


def path_table(study: Study) -> pd.DataFrame:
    """Return every path of the codebook: outcome, predictor, direction, estimate, standardised, its error, interval, p.

    The interval and the two-sided p value are those of the standardised path, by the delta method.
    """
    check_solution(study.structural, study.responses.file, "structural")
    found = study.structural.estimates.query("op == '~'").set_index(["lhs", "rhs"])
    rows = []
    for path in study.codebook.paths:
        row = found.loc[(path.outcome, path.predictor)]
        std = direct(study, path.outcome, path.predictor).cells(("std", "std_se"))
        rows.append({**vars(path), "estimate": row["est"], "estimate_se": row["se"], **std})
    return pd.DataFrame(rows)


def covariate_table(study: Study) -> pd.DataFrame:
    """Return what every covariate does to every outcome: outcome, covariate, label, estimate, se, interval, p, std.

    ``label`` is the answer that is compared with the first one given, empty for numbers. ``estimate``, with its
    interval, is in the units of the construct's first item; ``std`` in standard deviations of the construct, for a
    number as it rises by one standard deviation, for a label as it takes the first one's place.
    """
    check_solution(study.structural, study.responses.file, "structural")
    found = study.structural.estimates.query("op == '~'").set_index(["lhs", "rhs"])
    rows = []
    for outcome, (name, (code, label)) in product(study.codebook.causes, study.covariates.items()):
        row, scale = found.loc[(outcome, name)], study.codebook.by_code[code].scale
        words = "" if label is None else scale.en[label - scale.low]
        std = row["std_all"] / (1 if label is None else study.answers[name].std(ddof=0))
        rows.append((outcome, code, words, *row[["est", "se", "ci_low", "ci_high", "pvalue"]], std))
    return pd.DataFrame(rows, columns=list(HEADS["covariates"]))


def direct(study: Study, outcome: str, predictor: str) -> Effect:
    """Return one standardised path with its standard error (delta method), both in standard deviations.

    Parameters
    ----------
    study : Study
        Whose structural model holds the path.
    outcome, predictor : str
        Names of constructs.

    Raises
    ------
    UnknownNameError
        For a path that the model does not hold.
    """
    table = study.structural.standardized
    row = table[(table["op"] == "~") & (table["lhs"] == outcome) & (table["rhs"] == predictor)]
    if row.empty:
        known = [f"{path.outcome} ~ {path.predictor}" for path in study.codebook.paths]
        raise UnknownNameError("path", f"{outcome} ~ {predictor}", known)
    return Effect(float(row["std_all"].iloc[0]), float(row["se"].iloc[0]), study.structural.nobs)


def standardised(fit: SemFit, rows: Sequence[int], items: Collection[str], V: Array) -> tuple[Array, Array]:
    """Return standardised paths between constructs, (paths,), and their covariances, (paths, paths).

    They are not differentiated by loadings, thresholds and what is left of an item, which do not enter.

    Parameters
    ----------
    rows : sequence of int
        The paths' places in ``fit.rows``.
    items : collection of str
        Names of the indicators.
    V : array, shape (npar, npar)
        Covariances of the estimates.
    """
    entering = {row.key for row in fit.rows if row.free and (row.op == "~" or row.op == "~~" and row.lhs not in items)}
    at = [k for k, key in enumerate(fit.table.keys) if key in entering]

    def chosen(part: Array) -> Array:
        theta = np.broadcast_to(fit.theta, (*part.shape[:-1], len(fit.theta))).astype(part.dtype)
        theta[..., at] = part
        return fit.standardized_at(theta)[..., rows]

    J = jacobian(chosen, fit.theta[at])
    return chosen(fit.theta[at]), J @ V[np.ix_(at, at)] @ J.T


@dataclass(frozen=True)
class Indirect:
    """Standardised indirect effects and their bootstrap draws.

    ``names`` are (strategy, outcome, via): ``via`` is the construct the strategy acts on first, or "all".
    """

    names: tuple[Name, ...]
    estimates: Array  # (effects,)
    draws: Array  # (resamples, effects)
    nobs: int
    failed: int
    method: str = ""  # of the draws, as in ``semfit.bootstrap``

    @cached_property
    def p_values(self) -> Array:
        """Two-sided: twice the smaller share of draws on either side of zero, counting the estimate itself."""
        below = (1 + (self.draws <= 0).sum(0)) / (1 + len(self.draws))
        above = (1 + (self.draws >= 0).sum(0)) / (1 + len(self.draws))
        return np.minimum(1.0, 2 * np.minimum(below, above))

    def interval(self, level: float = 0.95) -> Array:
        """Percentile intervals, shape (2, effects) (Shrout & Bolger 2002, doi:10.1037/1082-989X.7.4.422)."""
        return np.quantile(self.draws, [(1 - level) / 2, (1 + level) / 2], axis=0)

    def test(self, alpha: float) -> EffectTest:
        """Return a test of the first effect, as of `surveysem.Effect`."""
        first, p = self.estimates[:1], self.p_values[:1]
        return least(first, lambda level: self.interval(level)[:, :1], self.nobs, alpha=alpha, p_values=p)

    @property
    def p_value(self) -> float:
        """That of the first effect."""
        return float(self.p_values[0])

    def totals(self, outcome: str) -> Indirect:
        """Return the sums over all ways to one outcome."""
        keep = [k for k, (_, to, via) in enumerate(self.names) if to == outcome and via == "all"]
        if not keep:
            raise UnknownNameError("outcome of indirect effects", outcome, sorted({to for _, to, _ in self.names}))
        names = tuple(self.names[k] for k in keep)
        return replace(self, names=names, estimates=self.estimates[keep], draws=self.draws[:, keep])

    def summary(self, level: float = 0.95) -> pd.DataFrame:
        """One row an effect: strategy, outcome, via, estimate, se, low, high, p."""
        low, high = self.interval(level)
        return pd.DataFrame(self.names, columns=["strategy", "outcome", "via"]).assign(
            estimate=self.estimates, se=self.draws.std(0, ddof=1), low=low, high=high, p=self.p_values
        )


def indirect(study: Study) -> Indirect | NotTestable:
    """Return what every strategy does to every final outcome through the constructs between, by bootstrap.

    It is the sum, over all ways from the one to the other, of the products of the standardised paths along each; what a
    strategy does first through construct m is the sum over the ways that go there first (Bollen 1987,
    doi:10.2307/271028). In each resample the whole chain is computed anew, so the interval need not be symmetric.
    """
    if names := tuple(claimed_signs(study)):
        return _effects(study, names, _through)
    return NotTestable("No path leads from a strategy over another construct to a final outcome.")


def claimed_signs(study: Study) -> dict[Name, int]:
    """Return the sign the codebook claims for each indirect effect, by (strategy, outcome, via) as in ``Indirect``.

    Along one way it is the product of the paths' directions: what lowers something that lowers the outcome raises it.
    It is 0 where ways of both signs are claimed, since what they come to together is then not.
    """
    signs = {(path.predictor, path.outcome): path.direction for path in study.codebook.paths}
    sign, ways, found = totals(signs), totals(ones := dict.fromkeys(signs, 1)), {}
    for y, x, via in product(study.outcomes, study.strategies, ("all", *study.constructs)):
        if number := _through(ones, ways, x, y, via):
            claimed = _through(signs, sign, x, y, via)
            found[x, y, via] = claimed // number if abs(claimed) == number else 0
    return found


def totals(paths: Paths) -> Total:
    """Return a function that gives the total effect of one construct on another; 0 where no way leads.

    It is the sum over all ways of the products of the paths along each. The work grows with the number of paths, not of
    ways: each path is multiplied by the total effect from where it leads. As a matrix, it is (I - B)^-1 - I.

    Parameters
    ----------
    paths : mapping of (predictor, outcome) to number or array
        Without a circle.

    Examples
    --------
    >>> totals({("a", "b"): 0.5, ("b", "c"): 0.4, ("a", "c"): 0.3})("a", "c")
    0.5
    """

    @cache
    def total(x: str, y: str) -> Any:
        return sum(value * (1 if m == y else total(m, y)) for (start, m), value in paths.items() if start == x)

    return total


def _through(paths: Paths, total: Total, x: str, y: str, via: str) -> Any:
    """Return what one construct does to another by way of a third, or of all others."""
    return total(x, y) - paths.get((x, y), 0) if via == "all" else paths.get((x, via), 0) * total(via, y)


def ways(book: Codebook) -> list[Way]:
    """Return every way from one construct to another over others, of those pairs that 2 to ``MOST`` such ways join.

    Each is the names of its constructs, from the first to the last. A codebook's paths make no circle.
    """
    steps = dict.fromkeys([(path.predictor, path.outcome) for path in book.paths], 1)
    number, names = totals(steps), dict.fromkeys(name for step in steps for name in step)

    def on(way: Way, end: str) -> list[Way]:
        if way[-1] == end:
            return [way]
        further = [m for start, m in steps if start == way[-1] and (m == end or number(m, end))]
        return [found for m in further for found in on((*way, m), end)]

    pairs = [pair for pair in product(names, names) if 1 < number(*pair) - steps.get(pair, 0) <= MOST]
    return [way for x, y in pairs for way in on((x,), y) if len(way) > 2]


def along(study: Study, found: Sequence[Way]) -> Indirect:
    """Return the products of the standardised paths along ways, with their draws.

    Parameters
    ----------
    study : Study
        Its structural model, by PLS that of the composites.
    found : sequence of tuple of str
        Ways, as :func:`ways` returns them.

    Raises
    ------
    DataError
        When the structural model has no solution.
    """
    names = tuple((way[0], way[-1], " ".join(way[1:-1])) for way in found)
    return _effects(study, names, lambda std, _, x, y, via: prod(std[step] for step in pairwise((x, *via.split(), y))))


def _effects(study: Study, names: tuple[Name, ...], effect: Callable[..., Array]) -> Indirect:
    """Return effects with their draws, each of the standardised paths, what gives their totals, and a name's parts."""
    by_pls = study.estimator == "PLS"
    if by_pls:
        fit = study.composites
        steps = dict(enumerate(fit.model.paths, fit.at_paths.start))
    else:
        check_solution(study.structural, study.responses.file, "structural")
        steps = {k: (row.rhs, row.lhs) for k, row in enumerate(study.structural.rows) if row.op == "~"}

    def found(std: Array) -> Array:
        paths = {step: std[..., k] for k, step in steps.items()}
        total = totals(paths)
        return np.stack([effect(paths, total, *name) for name in names], -1)

    if by_pls:
        return Indirect(names, found(fit.values), found(np.asarray(fit.draws)), fit.nobs, fit.failed)
    return resampled(study.resampled, lambda theta: found(study.structural.standardized_at(theta)), names)


def decomposition(study: Study) -> pd.DataFrame:
    """Return direct, indirect and total effect of each construct on each that it acts on through others, standardised.

    One row an effect: predictor, outcome, effect ("direct", "indirect", "total"), estimate, se, its percentile interval
    low to high, p, and ``failed``, which counts the resamples without a solution; a direct effect that the model does
    not hold has no row.
    """

    def effect(paths: Paths, total: Total, x: str, y: str, kind: str) -> Any:
        own, whole = paths.get((x, y), 0), total(x, y)
        return {"direct": own, "indirect": whole - own, "total": whole}[kind]

    ones = dict.fromkeys([(path.predictor, path.outcome) for path in study.codebook.paths], 1)
    number = totals(ones)
    pairs = [pair for pair in product(study.constructs, study.constructs) if effect(ones, number, *pair, "indirect")]
    every = [(*pair, kind) for pair, kind in product(pairs, ("direct", "indirect", "total"))]
    names = tuple(name for name in every if effect(ones, number, *name))
    if not names:
        return pd.DataFrame()
    made = _effects(study, names, effect)
    table = made.summary().assign(failed=made.failed)
    return table.rename(columns={"strategy": "predictor", "via": "effect"})


def explained(study: Study) -> pd.DataFrame:
    """Return what predictors explain: one row a path with outcome, predictor, r2 (of the outcome), f2 and vif.

    All three are those of the latent variables, from the correlations R that the structural model implies between
    them: f2 = (R2 - R2 without the predictor) / (1 - R2) (Cohen 1988), vif is the predictor's diagonal element of the
    inverse of its outcome's predictors' R. Covariates are left aside.
    """
    check_solution(study.structural, study.responses.file, "structural")
    found = fornell_larcker(study.structural).matrix
    below = np.tril(found, -1)
    R = pd.DataFrame(below + below.T + np.eye(len(below)), found.index, found.columns)
    rows = []
    for path in study.codebook.paths:
        names = study.codebook.causes[path.outcome]
        at, every = names.index(path.predictor), [*names, path.outcome]
        K = np.linalg.inv(R.loc[every, every])  # of its last row are R2 and the partial correlations
        partial = K[at, -1] ** 2 / (K[at, at] * K[-1, -1])
        vif = np.linalg.inv(R.loc[names, names])[at, at]
        rows.append((path.outcome, path.predictor, 1 - 1 / K[-1, -1], partial / (1 - partial), vif))
    return pd.DataFrame(rows, columns=["outcome", "predictor", "r2", "f2", "vif"])


def resampled(drawn: Bootstrap, effects: Callable[[Array], Array], names: tuple[Name, ...]) -> Indirect:
    """Return effects, a function from parameters (..., q) to (..., effects), of a fit and of its resamples."""
    draws = np.concatenate([effects(drawn.draws[at : at + CHUNK]) for at in range(0, len(drawn.draws), CHUNK)])
    sound = np.isfinite(draws).all(1)  # a resample with a negative variance has no standardised solution
    failed = drawn.failed + int((~sound).sum())
    return Indirect(names, effects(drawn.fit.theta), draws[sound], drawn.fit.nobs, failed)
