"""Whether paths between constructs are the same for two kinds of users, once the items measure the same for both."""

import warnings
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from scipy import special, stats

import semfit
from nbproof import listed, snap, words
from semfit import HypothesisStatistic, Invariance, PartialInvariance, SemFit, delta_errors
from surveysem.effects import REASONS, EffectTest, NotTestable, largest, normal, untestable
from surveysem.paths import standardised
from surveysem.study import MANY, Study, attempt, counting, shared

Array = np.ndarray
LEVELS = ("configural", "metric", "scalar")
ORDINAL_LEVELS = ("configural", "thresholds", "loadings", "intercepts")
PERMUTATIONS, BATCH = 1000, 100  # in all, and fitted together
HELD = {"metric": "loadings", "thresholds": "thresholds", "loadings": "thresholds and loadings"}


@dataclass(frozen=True)
class Groups:
    """Standardised paths by group, from one fit with the loadings held equal.

    Parameters
    ----------
    groups : tuple of str
        As the codebook words their answers, up to a colon.
    sizes : tuple of int
        Respondents in each.
    ladder : Invariance
        The measurement models.
    fit : SemFit
        Measurement and paths in all groups.
    paths : tuple of (outcome, predictor)
    estimates : array, shape (groups, paths)
    covariance : array, shape (groups * paths, groups * paths)
        Of the estimates, group by group, by the delta method: what is held equal makes groups depend on one another.
    left_out : int
        Respondents of groups too small to be compared.
    """

    groups: tuple[str, ...]
    sizes: tuple[int, ...]
    ladder: Invariance = field(repr=False)
    fit: SemFit = field(repr=False)
    paths: tuple[tuple[str, str], ...]
    estimates: Array
    covariance: Array
    left_out: int = 0

    @cached_property
    def pairs(self) -> list[tuple[int, int]]:
        """Groups compared: each with each later one."""
        return list(combinations(range(len(self.groups)), 2))

    @cached_property
    def contrasts(self) -> Array:
        """Weights of the estimates in every difference, shape (pairs * paths, groups * paths)."""
        eye = np.eye(len(self.groups))
        return np.vstack([np.kron(eye[one] - eye[other], np.eye(len(self.paths))) for one, other in self.pairs])

    @cached_property
    def equality(self) -> HypothesisStatistic:
        """Wald's test that every standardised path is the same in all groups."""
        first = self.contrasts[: (len(self.groups) - 1) * len(self.paths)]  # the first group with each of the others
        d, V = first @ self.estimates.ravel(), first @ self.covariance @ first.T
        chisq = float(d @ np.linalg.solve(V, d))
        p = float(stats.chi2.sf(chisq, len(d)))
        return HypothesisStatistic("all standardised paths are equal in all groups", chisq, len(d), p, "Wald")

    def summary(self) -> pd.DataFrame:
        """One row a path and pair of groups: outcome, predictor, group, other, std, std_other, difference, se, ..., p.

        The interval and the two-sided p value are those of the difference alone, not adjusted for the others.
        """
        d, se = self.contrasts @ self.estimates.ravel(), delta_errors(self.contrasts, self.covariance)
        (low, high), p = normal(d, se)(0.95), 2 * special.ndtr(-np.abs(d / se))
        names = [
            (outcome, predictor, self.groups[one], self.groups[other], self.estimates[one, k], self.estimates[other, k])
            for one, other in self.pairs
            for k, (outcome, predictor) in enumerate(self.paths)
        ]
        table = pd.DataFrame(names, columns=["outcome", "predictor", "group", "other", "std", "std_other"])
        return table.assign(difference=d, se=se, low=low, high=high, p=p)

    def largest(self, outcomes: Collection[str] | None = None, *, alpha: float = 0.05) -> EffectTest:
        """Return the largest absolute difference of a path, all paths or those to some outcomes.

        ``which`` counts the rows of ``summary`` that are left.
        """
        table = self.summary()
        table = table if outcomes is None else table[table["outcome"].isin(list(outcomes))]
        intervals = normal(table["difference"], table["se"])
        return largest(table["difference"], intervals, self.fit.nobs, alpha=alpha, p_values=table["p"])


def measured_alike(study: Study, *, means: bool = True) -> Invariance | NotTestable:
    """Fit the ladder of measurement invariance between the kinds of respondents that the codebook tells apart.

    By the study's estimator, up to equal intercepts; for ordered answers the ladder of Wu & Estabrook (2016,
    doi:10.1007/s11336-016-9506-0).

    Parameters
    ----------
    means : bool
        Whether to go on to what comparing means needs; comparing paths needs no equal intercepts.
    """
    rows = comparable(study)
    if isinstance(rows, NotTestable):
        return rows
    every = ORDINAL_LEVELS if study.estimator == "WLSMV" else LEVELS
    levels = every if means else every[:-1]
    told = {"group": study.codebook.group, "levels": levels, **study.options}
    why = "Measurement cannot be compared between the groups: {why}"  # an answer one group never gives, no solution
    return unless_withheld(attempt(why, semfit.invariance, _measured(study), rows, **told), "groups")


def unless_withheld(ladder: Invariance | NotTestable, between: str) -> Invariance | NotTestable:
    """Return a ladder, or a message with CFI, RMSEA and p of its configural model where that withholds every level."""
    if isinstance(ladder, NotTestable) or not ladder.withheld:
        return ladder
    free = ladder.table.iloc[0]
    key = "untested" if pd.isna(free["cfi"]) else f"misfit_{between}"
    return untestable(key, cfi=free["cfi"], rmsea=free["rmsea"], p=free["pvalue"])


def partially_alike(study: Study) -> PartialInvariance | NotTestable:
    """Let single items go where equal loadings, and then equal intercepts, do not hold, until the others' do.

    As `semfit.partial_invariance` does; what goes is each group's own, and where a loading went, its intercept goes
    too. A score test alone may miss an item that stands far off. The search follows chance as well: what it lets go
    wants another sample. Of ordered answers, nothing goes. The notebooks of a report let the items go once for all.
    """
    return shared(study.shelf, "alike", partial(_partially_alike, study))


def _partially_alike(study: Study, means: bool = True) -> PartialInvariance | NotTestable:
    ladder = measured_alike(study, means=means)
    if isinstance(ladder, NotTestable):
        return ladder
    if study.estimator == "WLSMV":
        return PartialInvariance(ladder, ladder)
    return semfit.partial_invariance(ladder, study.scales, partial(_eased, study))


def _eased(study: Study, level: str, gone: pd.DataFrame) -> SemFit | None:
    """Fit a level without the equality of what was let go; None if it has no solution."""
    text, held = eased(study, _measured(study), gone), ("loadings", "intercepts")[: LEVELS.index(level)]
    rows: Any = comparable(study)  # no reason: there is a ladder
    with warnings.catch_warnings(action="ignore", category=semfit.FitWarning):
        fit = study.fit(text, rows, group=study.codebook.group, group_equal=held)
    return fit if fit.converged and fit.identified else None


def _measured(study: Study) -> str:
    """Return the measurement model; a dimension's mean is what its construct of second order makes it."""
    parts = [part for name in study.constructs for part in study.codebook.second_order.get(name, ())]
    return "\n".join([study.codebook.model(study.constructs, structural=False), *(f"{part} ~ 0*1" for part in parts)])


def eased(study: Study, model: str, freed: pd.DataFrame) -> str:
    """Return a model of the groups in which what was let go is each group's own; such loadings stand last.

    Parameters
    ----------
    model : str
        With lines ``construct =~ item + item``, of which the first sets the scale.
    freed : DataFrame
        Of :class:`semfit.PartialInvariance`.
    """
    rows: Any = comparable(study)  # no reason: there is a ladder
    groups = range(rows[study.codebook.group].nunique() if len(freed) else 0)
    loads, lines = {*freed.loc[freed["level"] == "metric", "item"]}, []
    for line in model.splitlines():
        name, measures, items = line.partition(" =~ ")
        terms = [(f"c({', '.join(f'l{g}_{x}' for g in groups)})*" * (x in loads) + x) for x in items.split(" + ")]
        lines.append(name + measures + " + ".join(sorted(terms, key=lambda term: "*" in term)))
    return "\n".join([*lines, *(f"{x} ~ c({', '.join(f'i{g}_{x}' for g in groups)})*1" for x in freed["item"])])


def compare_groups(study: Study, alike: PartialInvariance | NotTestable | None = None) -> Groups | NotTestable:
    """Compare every standardised path between the groups, if their loadings may be held equal.

    Each group's paths are in standard deviations of that group. They can be compared where a construct means the same
    in both, that is where its items, or two of them at least, load alike (metric invariance, by the fit indices of Chen
    2007, doi:10.1080/10705510701301834); means need not be equal.

    Parameters
    ----------
    study : Study
        Whose codebook names a group.
    alike : PartialInvariance or NotTestable, optional
        What :func:`partially_alike` returned, where it is at hand.
    """
    alike = _partially_alike(study, means=False) if alike is None else alike
    if isinstance(alike, NotTestable):
        return alike
    rows: Any = comparable(study)  # no reason: there is a ladder
    if "metric" not in alike.ladder.fits and (broken := _broken(alike.whole)):
        return broken
    fit = attempt(REASONS["unsolved_groups"], _structural, study, alike, rows)  # a covariate may not vary in a group
    if isinstance(fit, NotTestable):
        return fit
    paths = tuple((path.outcome, path.predictor) for path in study.codebook.paths)
    estimates, covariance = standardised(fit, _places(fit, paths), study.items, fit.vcov)
    if not (fit.converged and fit.identified and np.isfinite(covariance).all()):
        return untestable("unsolved_groups", why=" ".join(fit.problems))
    sizes = tuple(int(group.nobs) for group in fit.sample.groups)
    kept = [float(group.label) for group in fit.sample.groups]
    left_out = int((~study.answers[study.codebook.group].dropna().isin(kept)).sum())
    called, estimates = study.kinds(kept), estimates.reshape(len(sizes), -1)
    return Groups(called, sizes, alike.ladder, fit, paths, estimates, covariance, left_out)


def _places(fit: SemFit, paths: tuple[tuple[str, str], ...]) -> list[int]:
    """Return the rows of a fit that hold the paths, group by group."""
    at = {(row.group, row.lhs, row.rhs): k for k, row in enumerate(fit.rows) if row.op == "~"}
    return [at[g + 1, *path] for g in range(fit.table.groups) for path in paths]


def permuted(study: Study, found: Groups) -> Array | NotTestable:
    """Return a p value of every difference, in the order of ``Groups.summary``, by permuting who is in which group.

    Were two groups drawn from one population, any division of their respondents into groups of these sizes would be as
    likely as that observed (Chin & Dibbern 2010, doi:10.1007/978-3-540-32827-8_8). The model of all groups is fitted to
    each division, loadings equal: p = (1 + divisions with as large a difference) / (1 + divisions). No distribution is
    supposed, but groups that differ in other respects are no one population either.

    Parameters
    ----------
    study : Study
        Its resamples, ``PERMUTATIONS`` at most, are the divisions of each pair of groups.
    found : Groups
        What :func:`compare_groups` returned.
    """
    if study.resampling != "refit":
        return untestable("permutations", most=MANY)
    rows: Any = comparable(study)
    group, rng = study.codebook.group, np.random.default_rng(study.seed)
    kinds, own = np.unique(rows[group], return_inverse=True)
    every = pd.concat([rows.assign(**{group: kind}) for kind in kinds])  # all in each group, weights say who is
    fit = semfit.fit(found.fit.model, every, group=group, group_equal=("loadings",))
    places = _places(fit, found.paths)

    def differences(members: Array) -> Array:
        theta = semfit.weighted_refit(fit, [(members == k).astype(float) for k in range(len(kinds))])
        return np.abs(fit.standardized_at(theta[np.isfinite(theta).all(1)])[:, places] @ found.contrasts.T)

    observed, more, solved = differences(own[None])[0], np.ones(len(found.contrasts)), np.ones(len(found.contrasts))
    draws = min(study.draws, PERMUTATIONS)
    say = counting("permutations", total := draws * len(found.pairs))
    for k, pair in enumerate(found.pairs):
        inside, at = np.flatnonzero(np.isin(own, pair)), slice(k * len(found.paths), (k + 1) * len(found.paths))
        for done in range(0, draws, BATCH):
            members = np.repeat(own[None], min(BATCH, draws - done), 0)
            members[:, inside] = rng.permuted(members[:, inside], axis=1)
            drawn = differences(members)[:, at]
            more[at] += (drawn >= observed[at] - 1e-9).sum(0)
            solved[at] += len(drawn)
            say(k * draws + min(done + BATCH, draws), total)
    return more / solved


def compare_means(study: Study, alike: PartialInvariance | NotTestable) -> pd.DataFrame | NotTestable:
    """Return Welch's test of equal scale means in the groups, one row a construct, with its effect size.

    Means can be compared where the items have equal intercepts, as :func:`partially_alike` says: those of the items
    that were not let go.

    construct, then each group's mean and standard deviation under ``mean_K`` and ``sd_K`` (K from 1, in the codebook's
    order), F, df, df_within, p and size: Hedges' g of two groups (first less second, pooled standard deviation), else
    omega squared of the groups, from 0.

    References
    ----------
    Welch (1951), doi:10.1093/biomet/38.3-4.330; Hedges (1981), doi:10.3102/10769986006002107.
    """
    from statsmodels.stats.meta_analysis import effectsize_smd  # heavy: only where groups are compared
    from statsmodels.stats.oneway import anova_oneway

    if isinstance(alike, NotTestable):
        return alike
    rows: Any = comparable(study)  # no reason: there is a ladder
    if alike.ladder.highest not in ("scalar", "intercepts"):
        return NotTestable("The items' intercepts are not equal in the groups.")
    lines = []
    for name in study.constructs:
        kept = [code for code in study.codebook.scales[name] if code not in [*alike.freed["item"]]]
        scores = rows[kept].astype(float).mean(axis=1)
        parts = [part.dropna().to_numpy() for _, part in scores.groupby(rows[study.codebook.group])]
        if min(part.std() for part in parts) == 0:
            return NotTestable("A scale mean does not vary in one of the groups.")
        found = anova_oneway(parts, use_var="unequal")
        moments = [(part.mean(), part.std(ddof=1), len(part)) for part in parts]
        line = {"construct": study.codebook.called[name]}
        for k, (mean, sd, _) in enumerate(moments, 1):
            line |= {f"mean_{k}": mean, f"sd_{k}": sd}
        line |= {"F": found.statistic, "df": found.df_num, "df_within": found.df_denom, "p": found.pvalue}
        if len(parts) == 2:
            line["size"] = effectsize_smd(*moments[0], *moments[1])[0]
        else:
            plain = anova_oneway(parts, use_var="equal")
            beyond = plain.df_num * (plain.statistic - 1)
            line["size"] = max(0.0, beyond / (beyond + len(scores.dropna())))
        lines.append(line)
    return pd.DataFrame(lines)


def mean_heads(differences: pd.DataFrame) -> dict[str, str]:
    """Return the heads of what :func:`compare_means` returned, each group by its number."""
    found = {"df_within": "df (within)", "size": "effect size"}
    for k in range(1, sum(column.startswith("mean_") for column in differences) + 1):
        found |= {f"mean_{k}": words("M ({k:d})", k=k), f"sd_{k}": words("SD ({k:d})", k=k)}
    return {column: found.get(column, column) for column in differences}


def comparable(study: Study) -> pd.DataFrame | NotTestable:
    """Return the answers of groups that can be compared, in the codebook's order; else a reason with group and item.

    Of each group more respondents than items are needed, and of each item answers that differ, of ordered ones all its
    categories.
    """
    group, items = study.codebook.group, study.items
    if not group:
        return untestable("no_groups")
    if study.composed:
        return NotTestable("Whether a composite is the same in the groups is tested by PLS (MICOM), not here.")
    beside = [name for name, (code, _) in study.covariates.items() if code != group]
    needed = beside if study.options.get("missing") == "fiml" else [*items, *beside]
    known = study.answers[[*items, group, *beside]].dropna(subset=[group]).sort_values(group, kind="stable")
    rows = known.dropna(subset=needed)
    counts = rows[group].value_counts().reindex(known[group].unique(), fill_value=0)
    enough = counts.index[counts > len(items)]
    if len(enough) > 1:
        rows = rows[rows[group].isin(enough)]
        return _uneven(study, rows) or rows
    asked = known[group].value_counts()
    sizes = [
        words("{kind} {n:,} of {asked:,}", kind=kind, n=n, asked=asked[code])
        for kind, (code, n) in zip(study.kinds(counts.index), counts.items(), strict=True)
    ]
    small = untestable("small_groups", group=group, sizes=listed(sizes), items=len(items))
    if len(rows) == len(known):
        return small
    key, most = "incomplete" + "_ordered" * (study.estimator == "WLSMV"), known[needed].isna().sum()
    return untestable(key, said=small.reason, item=most.idxmax(), n=most.max())


def _uneven(study: Study, rows: pd.DataFrame) -> NotTestable | None:
    """Return which item a group's answers cannot carry, and why, in words; None if they carry all."""
    given = study.screened.answers.loc[rows.index, study.items]  # as they were given: reverse-keyed ones not turned
    kinds = given.groupby(rows[study.codebook.group]).nunique()
    short = kinds.lt(given.nunique().clip(lower=2) if study.estimator == "WLSMV" else 2).stack()
    if not short.any():
        return None
    code, item = short.idxmax()
    own = given.loc[rows[study.codebook.group] == code, item].dropna()
    never = min({*given[item].dropna()} - {*own}, default=0)
    key = "unused_answer" if own.nunique() > 1 else "same_answers"
    return untestable(key, item=item, kind=study.kinds([code])[0], n=len(own), never=never)


def _broken(ladder: Invariance) -> NotTestable | None:
    """Return the step up to equal loadings that does not hold, in words; None if all do."""
    table = ladder.table
    upto = table.loc[: "loadings" if "loadings" in table.index else "metric"].iloc[1:]
    failed = upto[~upto["holds_indices"].astype(bool)]
    if failed.empty:
        return None
    step, fit = failed.iloc[0], ladder.fits["configural"]
    loadings = fit.standardized.query("op == '=~'").pivot(index="rhs", columns="group", values="std_all")
    item = (loadings.max(axis=1) - loadings.min(axis=1)).idxmax()
    shown = ", ".join(f"{snap(value):.2f}" for value in loadings.loc[item])
    fell = {"cfi": step["d_cfi"], "rmsea": step["d_rmsea"], "p": step["d_pvalue"]}
    return untestable("unlike", held=HELD[failed.index[0]], item=item, shown=shown, **fell)


def _structural(study: Study, alike: PartialInvariance, rows: pd.DataFrame) -> SemFit:
    """Fit the paths in every group with equal loadings; ordered answers need equal thresholds too, for their scale."""
    group, text = study.codebook.group, eased(study, study.model(without=study.codebook.group), alike.freed)
    if study.estimator != "WLSMV":
        return study.fit(text, rows, group=group, group_equal=("loadings",))
    sample = alike.ladder.fits["configural"].sample
    categories = {name: rows[name].nunique() for name in sample.names}
    text = semfit.level_model(text, categories, "loadings", groups=len(sample.groups))
    return study.fit(text, rows, group=group, group_equal=("thresholds", "loadings"))
