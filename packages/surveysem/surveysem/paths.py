"""Paths between a survey's constructs, and what each strategy does through others: standardised, with intervals."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise, product

import numpy as np
import pandas as pd
from scipy.stats import norm

from semfit import Bootstrap, SemFit, jacobian
from semfit.psychometrics import fornell_larcker
from surveysem.codebook import Codebook
from surveysem.effects import Effect, EffectTest, NotTestable, effect_test
from surveysem.errors import DataError, UnknownNameError
from surveysem.measurement import HEADS
from surveysem.study import Study

Array = np.ndarray
CHUNK = 250  # resamples standardised at a time
KINDS = {f"{kind} effect": kind for kind in ("direct", "indirect", "total")}  # no construct has a space in its name


def path_table(study: Study, level: float = 0.95) -> pd.DataFrame:
    """Return every path of the codebook: outcome, predictor, direction, estimate, standardised, its error, interval, p.

    The interval and the two-sided p value are those of the standardised path, by the delta method.
    """
    _see_solution(study.structural)
    found = study.structural.estimates.query("op == '~'").set_index(["lhs", "rhs"])
    rows = []
    for path in study.codebook.paths:
        row = found.loc[(path.outcome, path.predictor)]
        std = direct(study, path.outcome, path.predictor).cells(("std", "std_se"), level)
        rows.append({**vars(path), "estimate": row["est"], "estimate_se": row["se"], **std})
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

        def ends(rate: float) -> tuple[float, float]:
            low, high = self.interval(1 - rate)[:, 0].tolist()
            return low, high

        return effect_test(float(self.estimates[0]), self.nobs, ends, alpha, self.p_value)

    @property
    def p_value(self) -> float:
        """That of the first effect."""
        return float(self.p_values[0])

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
    if names := indirect_names(study):
        return _effects(study, names)
    return NotTestable("No path leads from a strategy over another construct to a final outcome.")


def ways(book: Codebook) -> list[tuple[str, ...]]:
    """Return every way from one construct to another over others, of those pairs that several such ways join.

    Each is the names of its constructs, from the first to the last. A codebook's paths make no circle.
    """
    names = dict.fromkeys(name for path in book.paths for name in (path.predictor, path.outcome))

    def on(start: str, end: str) -> list[tuple[str, ...]]:
        steps = [path.outcome for path in book.paths if path.predictor == start]
        return [(start, *rest) for m in steps for rest in ([(m,)] if m == end else on(m, end))]

    every = [[way for way in on(*pair) if len(way) > 2] for pair in product(names, names)]
    return [way for found in every if len(found) > 1 for way in found]


def along(study: Study, found: Sequence[tuple[str, ...]]) -> Indirect:
    """Return the products of the standardised paths along ways, by bootstrap as :func:`indirect`.

    Parameters
    ----------
    study : Study
        Its structural model, estimated by any estimator but PLS.
    found : sequence of tuple of str
        Ways, as :func:`ways` returns them.

    Raises
    ------
    DataError
        When the structural model has no solution.
    """
    _see_solution(study.structural)
    place = {(row.rhs, row.lhs): k for k, row in enumerate(study.structural.rows) if row.op == "~"}
    steps = [[place[step] for step in pairwise(way)] for way in found]

    def products(theta: Array) -> Array:
        std = study.structural.standardized_at(theta)
        return np.stack([std[..., at].prod(-1) for at in steps], -1)

    return resampled(study.resampled, products, tuple((way[0], way[-1], " ".join(way[1:-1])) for way in found))


def decomposition(study: Study, level: float = 0.95) -> pd.DataFrame:
    """Return direct, indirect and total effect of each construct on each that it acts on through others, standardised.

    One row a pair of constructs: predictor, outcome, and for each of the three, by the names of ``direct``,
    ``indirect`` and ``total``, the estimate and its percentile interval (``direct_low``, ``direct_high`` ...); a direct
    effect that the model does not hold is missing. ``failed`` counts the resamples without a solution.
    """
    leads, names = _leads(study), study.constructs
    pairs = [(x, y) for x, y in product(names, names) if any((x, m) in leads and _reaches(leads, m, y) for m in names)]
    if not pairs:
        return pd.DataFrame()
    found = _effects(study, tuple((*pair, kind) for kind in KINDS for pair in pairs))
    table = pd.DataFrame(pairs, columns=["predictor", "outcome"])
    for k, kind in enumerate(KINDS.values()):
        kept = [kind != "direct" or pair in leads for pair in pairs]
        values = (found.estimates, *found.interval(level))
        for name, value in zip((kind, f"{kind}_low", f"{kind}_high"), values, strict=True):
            table[name] = np.where(kept, value[k * len(pairs) : (k + 1) * len(pairs)], np.nan)
    return table.assign(failed=found.failed)


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

    rows = []
    for path in study.codebook.paths:
        names = [other.predictor for other in study.codebook.paths if other.outcome == path.outcome]
        at, every = names.index(path.predictor), [*names, path.outcome]
        K = np.linalg.inv(R.loc[every, every])  # of its last row are R2 and the partial correlations
        partial = K[at, -1] ** 2 / (K[at, at] * K[-1, -1])
        vif = np.linalg.inv(R.loc[names, names])[at, at]
        rows.append((path.outcome, path.predictor, 1 - 1 / K[-1, -1], partial / (1 - partial), vif))
    return pd.DataFrame(rows, columns=["outcome", "predictor", "r2", "f2", "vif"])


def resampled(drawn: Bootstrap, effects: Callable[[Array], Array], names: tuple[tuple[str, str, str], ...]) -> Indirect:
    """Return effects, a function from parameters (..., q) to (..., effects), of a fit and of its resamples."""
    draws = np.concatenate([effects(drawn.draws[at : at + CHUNK]) for at in range(0, len(drawn.draws), CHUNK)])
    sound = np.isfinite(draws).all(1)  # a resample with a negative variance has no standardised solution
    failed = drawn.failed + int((~sound).sum())
    return Indirect(names, effects(drawn.fit.theta), draws[sound], drawn.fit.nobs, failed)


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
    leads = _leads(study)
    ways = {
        (x, y): [m for m in study.constructs if (x, m) in leads and _reaches(leads, m, y)]
        for y in study.outcomes
        for x in study.strategies
    }
    return tuple((x, y, m) for (x, y), through in ways.items() if through for m in ("all", *through))


def _effects(study: Study, names: tuple[tuple[str, str, str], ...]) -> Indirect:
    """Resample effects by cause, outcome and which: of ``KINDS``, "all" that are indirect, or by way of a construct."""
    _see_solution(study.structural)
    fit, at = study.structural, {name: k for k, name in enumerate(study.constructs)}
    cells = [(k, at[row.lhs], at[row.rhs]) for k, row in enumerate(fit.rows) if row.op == "~" and row.rhs in at]
    rows, targets, sources = map(np.array, zip(*cells, strict=True))

    def effects(theta: Array) -> Array:
        B = np.zeros((*theta.shape[:-1], len(at), len(at)))
        B[..., targets, sources] = fit.standardized_at(theta)[..., rows]
        every, found = np.linalg.inv(np.eye(len(at)) - B), []
        for cause, outcome, way in names:
            x, y, m = at[cause], at[outcome], at.get(way) if way != "all" else None
            own, whole = B[..., y, x], every[..., y, x]
            some = {"direct": own, "total": whole}.get(KINDS.get(way, ""), whole - own)
            found.append(some if m is None else B[..., m, x] * every[..., y, m])
        return np.stack(found, -1)

    return resampled(study.resampled, effects, names)


def _leads(study: Study) -> set[tuple[str, str]]:
    """Return who leads to whom."""
    return {(path.predictor, path.outcome) for path in study.codebook.paths}


def _reaches(leads: set[tuple[str, str]], start: str, end: str) -> bool:
    """Whether paths lead from one construct to another, itself not counted."""
    return any(x == start and (y == end or _reaches(leads, y, end)) for x, y in leads)


def _see_solution(fit: SemFit) -> None:
    if not (fit.converged and fit.identified):
        raise DataError(f"the structural model has no solution on these answers: {' '.join(fit.problems)}")
