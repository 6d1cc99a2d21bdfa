"""Paths between a survey's constructs, and what each strategy does through others: standardised, with intervals."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
import pandas as pd
from scipy.stats import norm

from semfit import SemFit, jacobian
from semfit.psychometrics import fornell_larcker
from surveysem.effects import Effect, NotTestable
from surveysem.errors import DataError, UnknownNameError
from surveysem.study import Study

Array = np.ndarray
HELD_HEADS = {
    "outcome": "outcome",
    "covariate": "control variable",
    "label": "answer",
    "estimate": "estimate",
    "se": "SE",
    "low": "95% CI LL",
    "high": "95% CI UL",
    "p": "p",
    "std": "β",
}
CHUNK = 250  # resamples standardised at a time


def path_table(study: Study, level: float = 0.95) -> pd.DataFrame:
    """Return every path of the codebook: outcome, predictor, direction, estimate, standardised, its error, interval, p.

    The interval and the two-sided p value are those of the standardised path, by the delta method.
    """
    _see_solution(study.structural)
    found = study.structural.estimates.query("op == '~'").set_index(["lhs", "rhs"])
    rows = []
    for path in study.codebook.paths:
        effect, row = direct(study, path.outcome, path.predictor), found.loc[(path.outcome, path.predictor)]
        low, high = effect.interval(level)
        rows.append(
            {
                "outcome": path.outcome,
                "predictor": path.predictor,
                "direction": path.direction,
                "estimate": row["est"],
                "estimate_se": row["se"],
                "std": effect.estimate,
                "std_se": effect.standard_error,
                "low": low,
                "high": high,
                "p": effect.p_value,
            }
        )
    return pd.DataFrame(rows)


def covariate_table(study: Study, level: float = 0.95) -> pd.DataFrame:
    """Return what every covariate does to every outcome: outcome, covariate, label, estimate, se, interval, p, std.

    ``label`` is the answer that is compared with the first one given, empty for numbers. ``estimate``, with its
    interval, is in the units of the construct's first item; ``std`` in standard deviations of the construct, for a
    number as it rises by one standard deviation, for a label as it takes the first one's place.
    """
    _see_solution(study.structural)
    half = float(norm.ppf((1 + level) / 2))
    outcomes = dict.fromkeys(path.outcome for path in study.codebook.paths)
    found = study.structural.estimates.query("op == '~'").set_index(["lhs", "rhs"])
    rows = []
    for outcome, (name, (code, label)) in product(outcomes, study.covariates.items()):
        row, spread = found.loc[(outcome, name)], study.answers[name].std(ddof=0)
        estimate, se, scale = row["est"], row["se"], study.codebook.by_code[code].scale
        words = "" if label is None else scale.en[label - scale.low]
        ends = estimate - half * se, estimate + half * se
        std = row["std_all"] / (1 if label is None else spread)
        rows.append((outcome, code, words, estimate, se, *ends, row["pvalue"], std))
    return pd.DataFrame(rows, columns=list(HELD_HEADS))


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
        raise UnknownNameError(
            "path", f"{outcome} ~ {predictor}", [f"{path.outcome} ~ {path.predictor}" for path in study.codebook.paths]
        )
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

    names: tuple[tuple[str, str, str], ...]
    estimates: Array  # (effects,)
    draws: Array  # (resamples, effects)
    nobs: int
    failed: int

    @cached_property
    def p_values(self) -> Array:
        """Two-sided: twice the smaller share of draws on either side of zero, counting the estimate itself."""
        below = (1 + (self.draws <= 0).sum(0)) / (1 + len(self.draws))
        above = (1 + (self.draws >= 0).sum(0)) / (1 + len(self.draws))
        return np.minimum(1.0, 2 * np.minimum(below, above))

    def interval(self, level: float = 0.95) -> Array:
        """Percentile intervals, shape (2, effects) (Shrout & Bolger 2002, doi:10.1037/1082-989X.7.4.422)."""
        return np.quantile(self.draws, [(1 - level) / 2, (1 + level) / 2], axis=0)

    def totals(self, outcome: str) -> Indirect:
        """Return the sums over all ways to one outcome."""
        keep = [k for k, (_, to, via) in enumerate(self.names) if to == outcome and via == "all"]
        if not keep:
            raise UnknownNameError("outcome of indirect effects", outcome, sorted({to for _, to, _ in self.names}))
        return Indirect(
            tuple(self.names[k] for k in keep), self.estimates[keep], self.draws[:, keep], self.nobs, self.failed
        )

    def summary(self, level: float = 0.95) -> pd.DataFrame:
        """One row an effect: strategy, outcome, via, estimate, se, low, high, p."""
        low, high = self.interval(level)
        return pd.DataFrame(self.names, columns=["strategy", "outcome", "via"]).assign(
            estimate=self.estimates, se=self.draws.std(0, ddof=1), low=low, high=high, p=self.p_values
        )


def indirect(study: Study) -> Indirect | NotTestable:
    """Return what every strategy does to every final outcome through the constructs between, by bootstrap.

    With B the standardised paths, all that one construct does to another is (I - B)^-1 - I, and what it does first
    through construct m is B[m, x] ((I - B)^-1)[y, m] (Bollen 1987, doi:10.2307/271028). In each resample the whole
    chain is computed anew, so the interval need not be symmetric.
    """
    _see_solution(study.structural)
    chain, names = _chain(study)
    if not names:
        return NotTestable("No path leads from a strategy over another construct to a final outcome.")
    return _resampled(study, chain, names)


def mediated(study: Study, predictor: str, mediator: str, outcome: str) -> Indirect:
    """Return the product of two standardised paths, to a mediator and on from it, by bootstrap as :func:`indirect`."""
    _see_solution(study.structural)
    place = {(row.lhs, row.rhs): k for k, row in enumerate(study.structural.rows) if row.op == "~"}
    steps = [place[mediator, predictor], place[outcome, mediator]]

    def product_of(theta: Array) -> Array:
        return study.structural.standardized_at(theta)[..., steps].prod(-1, keepdims=True)

    return _resampled(study, product_of, ((predictor, outcome, mediator),))


def decomposition(study: Study, level: float = 0.95) -> pd.DataFrame:
    """Return direct, indirect and total effect of each construct on each that it acts on through others, standardised.

    One row a pair of constructs: predictor, outcome, and for each of the three, by the names of ``direct``,
    ``indirect`` and ``total``, the estimate and its percentile interval (``direct_low``, ``direct_high`` ...); a direct
    effect that the model does not hold is missing.
    """
    _see_solution(study.structural)
    matrix, leads = _matrix(study)
    names = study.constructs
    at = {name: k for k, name in enumerate(names)}
    pairs = [(x, y) for x, y in product(names, names) if any((x, m) in leads and _reaches(leads, m, y) for m in names)]
    if not pairs:
        return pd.DataFrame()
    from_, to = ([at[pair[k]] for pair in pairs] for k in (0, 1))

    def three(theta: Array) -> Array:
        B = matrix(theta)
        total = np.linalg.inv(np.eye(len(names)) - B)[..., to, from_]
        return np.concatenate([B[..., to, from_], total - B[..., to, from_], total], -1)

    found = _resampled(study, three, tuple((x, y, kind) for kind in ("direct", "indirect", "total") for x, y in pairs))
    low, high = found.interval(level)
    table = pd.DataFrame(pairs, columns=["predictor", "outcome"])
    for k, kind in enumerate(("direct", "indirect", "total")):
        part = slice(k * len(pairs), (k + 1) * len(pairs))
        kept = [kind != "direct" or pair in leads for pair in pairs]
        for name, values in ((kind, found.estimates), (f"{kind}_low", low), (f"{kind}_high", high)):
            table[name] = np.where(kept, values[part], np.nan)
    return table


def explained(study: Study) -> pd.DataFrame:
    """Return what predictors explain: one row a path with outcome, predictor, r2 (of the outcome), f2 and vif.

    All three are those of the latent variables, from the correlations R that the structural model implies between
    them: f2 = (R2 - R2 without the predictor) / (1 - R2) (Cohen 1988), vif is the predictor's diagonal element of the
    inverse of its outcome's predictors' R. Covariates are left aside.
    """
    _see_solution(study.structural)
    found = fornell_larcker(study.structural).matrix
    below = np.tril(found, -1)
    R = pd.DataFrame(below + below.T + np.eye(len(below)), found.index, found.columns)

    def share(outcome: str, predictors: Sequence[str]) -> float:
        r = R.loc[list(predictors), outcome].to_numpy()
        return float(r @ np.linalg.solve(R.loc[list(predictors), list(predictors)].to_numpy(), r))

    rows = []
    for path in study.codebook.paths:
        predictors = [other.predictor for other in study.codebook.paths if other.outcome == path.outcome]
        whole, without = (
            share(path.outcome, predictors),
            share(path.outcome, [x for x in predictors if x != path.predictor]),
        )
        others = share(path.predictor, [x for x in predictors if x != path.predictor])
        rows.append((path.outcome, path.predictor, whole, (whole - without) / (1 - whole), 1 / (1 - others)))
    return pd.DataFrame(rows, columns=["outcome", "predictor", "r2", "f2", "vif"])


def _resampled(study: Study, effects: Callable[[Array], Array], names: tuple[tuple[str, str, str], ...]) -> Indirect:
    fit, resampled = study.structural, study.resampled
    draws = np.concatenate([effects(resampled.draws[at : at + CHUNK]) for at in range(0, len(resampled.draws), CHUNK)])
    sound = np.isfinite(draws).all(1)  # a resample with a negative variance has no standardised solution
    return Indirect(names, effects(fit.theta), draws[sound], fit.nobs, resampled.failed + int((~sound).sum()))


def claimed_signs(study: Study) -> dict[tuple[str, str, str], int]:
    """Return the sign the codebook claims for each indirect effect, by (strategy, outcome, via) as in ``Indirect``.

    Along one way it is the product of the paths' directions: what lowers something that lowers the outcome raises it.
    It is 0 where ways of both signs are claimed, since what they come to together is then not.
    """
    steps = {(path.predictor, path.outcome): path.direction for path in study.codebook.paths}

    def signs(start: str, end: str) -> set[int]:
        """Signs of all ways from one construct to another."""
        if start == end:
            return {1}
        return {sign * s for (x, m), s in steps.items() if x == start for sign in signs(m, end)}

    found = {}
    for x, y in product(study.strategies, study.outcomes):
        by_way = {m: {s * sign for sign in signs(m, y)} for (of, m), s in steps.items() if of == x and m != y}
        for via, ways in {**by_way, "all": set().union(*by_way.values())}.items():
            found[x, y, via] = ways.pop() if len(ways) == 1 else 0
    return found


def indirect_names(study: Study) -> tuple[tuple[str, str, str], ...]:
    """Return (strategy, outcome, via) of every indirect effect the codebook's paths make, as in ``Indirect.names``."""
    leads = {(path.predictor, path.outcome) for path in study.codebook.paths}
    ways = {
        (x, y): [m for m in study.constructs if (x, m) in leads and _reaches(leads, m, y)]
        for y in study.outcomes
        for x in study.strategies
    }
    return tuple((x, y, m) for (x, y), through in ways.items() if through for m in ("all", *through))


def _matrix(study: Study) -> tuple[Callable[[Array], Array], set[tuple[str, str]]]:
    """Return a function from parameters (..., q) to paths (..., outcome, predictor), and who leads to whom."""
    fit, names = study.structural, study.constructs
    at = {name: k for k, name in enumerate(names)}
    cells = [(k, at[row.lhs], at[row.rhs]) for k, row in enumerate(fit.rows) if row.op == "~" and row.rhs in at]
    rows, targets, sources = map(np.array, zip(*cells, strict=True))

    def matrix(theta: Array) -> Array:
        B = np.zeros((*theta.shape[:-1], len(names), len(names)))
        B[..., targets, sources] = fit.standardized_at(theta)[..., rows]
        return B

    return matrix, {(names[x], names[y]) for y, x in zip(targets, sources, strict=True)}


def _chain(study: Study) -> tuple[Callable[[Array], Array], tuple[tuple[str, str, str], ...]]:
    """Return a function from parameters (..., q) to indirect effects (..., effects), and their names."""
    (matrix, _), names, labels = _matrix(study), study.constructs, indirect_names(study)
    at = {name: k for k, name in enumerate(names)}

    def chain(theta: Array) -> Array:
        B = matrix(theta)
        every = np.linalg.inv(np.eye(len(names)) - B)
        parts = [
            every[..., at[y], at[x]] - B[..., at[y], at[x]]
            if m == "all"
            else B[..., at[m], at[x]] * every[..., at[y], at[m]]
            for x, y, m in labels
        ]
        return np.stack(parts, -1)

    return chain, labels


def _reaches(leads: set[tuple[str, str]], start: str, end: str) -> bool:
    """Whether paths lead from one construct to another, itself not counted."""
    return any(x == start and (y == end or _reaches(leads, y, end)) for x, y in leads)


def _see_solution(fit: SemFit) -> None:
    if not (fit.converged and fit.identified):
        raise DataError(f"the structural model has no solution on these answers: {' '.join(fit.problems)}")
