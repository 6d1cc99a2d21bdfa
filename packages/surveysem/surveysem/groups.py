"""Whether paths between constructs are the same for two kinds of users, once the items measure the same for both."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations

import numpy as np
import pandas as pd
from scipy import special, stats

import semfit
from nbproof import snap, words
from semfit import HypothesisStatistic, Invariance, SemFit, delta_errors
from surveysem.codebook import opening
from surveysem.effects import Joint, NotTestable, largest, normal
from surveysem.paths import standardised
from surveysem.study import Study, mean_scores

Array = np.ndarray
LEVELS = ("configural", "metric", "scalar")
ORDINAL_LEVELS = ("configural", "thresholds", "loadings", "intercepts")
HEADS = {
    "outcome": "outcome",
    "predictor": "predictor",
    "group": "group",
    "other": "other group",
    "std": "β",
    "std_other": "β (other)",
    "difference": "difference",
    "se": "SE",
    "low": "95% CI LL",
    "high": "95% CI UL",
    "p": "p",
}
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

    @property
    def differences(self) -> Array:
        """First group's path less the other's, shape (pairs * paths,)."""
        return self.contrasts @ self.estimates.ravel()

    @property
    def errors(self) -> Array:
        """Standard errors of the differences."""
        return delta_errors(self.contrasts, self.covariance)

    @cached_property
    def equality(self) -> HypothesisStatistic:
        """Wald's test that every standardised path is the same in all groups."""
        first = self.contrasts[: (len(self.groups) - 1) * len(self.paths)]  # the first group with each of the others
        d, V = first @ self.estimates.ravel(), first @ self.covariance @ first.T
        chisq = float(d @ np.linalg.solve(V, d))
        return HypothesisStatistic(
            "all standardised paths are equal in all groups", chisq, len(d), float(stats.chi2.sf(chisq, len(d))), "Wald"
        )

    def summary(self, level: float = 0.95) -> pd.DataFrame:
        """One row a path and pair of groups: outcome, predictor, group, other, std, std_other, difference, se, ..., p.

        The interval and the two-sided p value are those of the difference alone, not adjusted for the others.
        """
        (low, high), z = normal(self.differences, self.errors)(level), self.differences / self.errors
        names = [
            (outcome, predictor, self.groups[one], self.groups[other], self.estimates[one, k], self.estimates[other, k])
            for one, other in self.pairs
            for k, (outcome, predictor) in enumerate(self.paths)
        ]
        table = pd.DataFrame(names, columns=["outcome", "predictor", "group", "other", "std", "std_other"])
        return table.assign(
            difference=self.differences, se=self.errors, low=low, high=high, p=2 * special.ndtr(-np.abs(z))
        )

    def largest(self, outcomes: Collection[str] | None = None, *, alpha: float = 0.05) -> Joint:
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
    second = study.codebook.second_order
    model = study.codebook.model(study.constructs, structural=False)
    # a dimension's mean is what its construct of second order makes it
    model += "".join(f"\n{part} ~ 0*1" for name in study.constructs for part in second.get(name, ()))
    try:
        ladder = semfit.invariance(model, rows, study.codebook.group, levels=levels, **study.options)
    # an answer one group never gives, a level without a solution
    except (semfit.DataError, semfit.ParameterError) as wrong:
        return NotTestable(words("Measurement cannot be compared between the groups: {why}", why=str(wrong)))
    if not ladder.withheld:
        return ladder
    free = ladder.table.iloc[0]
    return NotTestable(
        words(
            "The items do not follow the expected constructs in the groups even where nothing is held equal (CFI "
            "{cfi:.3f}, RMSEA {rmsea:.3f}, p {p:p}); equal loadings or means of such a model would mean nothing.",
            cfi=free["cfi"],
            rmsea=free["rmsea"],
            p=free["pvalue"],
        )
    )


def compare_groups(study: Study, ladder: Invariance | NotTestable | None = None) -> Groups | NotTestable:
    """Compare every standardised path between the groups, if their loadings may be held equal.

    Each group's paths are in standard deviations of that group. They can be compared where a construct means the same
    in both, that is where its items load alike (metric invariance, by the fit indices of Chen 2007,
    doi:10.1080/10705510701301834); means need not be equal.

    Parameters
    ----------
    study : Study
        Whose codebook names a group.
    ladder : Invariance or NotTestable, optional
        What :func:`measured_alike` returned, where it is at hand.
    """
    rows = comparable(study)
    if isinstance(rows, NotTestable):
        return rows
    ladder = measured_alike(study, means=False) if ladder is None else ladder
    if isinstance(ladder, NotTestable):
        return ladder
    if broken := _broken(ladder):
        return broken
    try:
        fit = _structural(study, ladder, rows)
    except semfit.DataError as wrong:  # a covariate that does not vary in a group
        return NotTestable(words("The paths by group have no proper solution. {why}", why=str(wrong)))
    paths = tuple((path.outcome, path.predictor) for path in study.codebook.paths)
    at = {(row.group, row.lhs, row.rhs): k for k, row in enumerate(fit.rows) if row.op == "~"}
    wanted = [at[g + 1, *path] for g in range(fit.table.groups) for path in paths]
    estimates, covariance = standardised(fit, wanted, study.items, fit.vcov)
    if not (fit.converged and fit.identified and np.isfinite(covariance).all()):
        return NotTestable(words("The paths by group have no proper solution. {why}", why=" ".join(fit.problems)))
    sizes = tuple(int(group.nobs) for group in fit.sample.groups)
    kept = [float(group.label) for group in fit.sample.groups]
    answered = study.answers[study.codebook.group].dropna()
    return Groups(
        _group_words(study, fit),
        sizes,
        ladder,
        fit,
        paths,
        estimates.reshape(len(sizes), -1),
        covariance,
        int((~answered.isin(kept)).sum()),
    )


def compare_means(study: Study, ladder: Invariance | NotTestable) -> pd.DataFrame | NotTestable:
    """Return Welch's test of equal scale means in the groups, one row a construct, with its effect size.

    Means can be compared where the items have equal intercepts, as the ladder of :func:`measured_alike` says.

    construct, then each group's mean and standard deviation under ``mean_K`` and ``sd_K`` (K from 1, in the codebook's
    order), F, df, df_within, p and size: Hedges' g of two groups (first less second, pooled standard deviation), else
    omega squared of the groups, from 0.

    References
    ----------
    Welch (1951), doi:10.1093/biomet/38.3-4.330; Hedges (1981), doi:10.3102/10769986006002107.
    """
    from statsmodels.stats.oneway import anova_oneway  # heavy: only where groups are compared

    rows = comparable(study)
    if isinstance(rows, NotTestable):
        return rows
    if isinstance(ladder, NotTestable):
        return ladder
    if ladder.highest not in ("scalar", "intercepts"):
        return NotTestable("The items' intercepts are not equal in the groups.")
    scores = mean_scores(study.codebook, rows, study.constructs)
    lines = []
    for name in study.constructs:
        parts = [part.dropna().to_numpy() for _, part in scores[name].groupby(rows[study.codebook.group])]
        if min(part.std() for part in parts) == 0:
            return NotTestable("A scale mean does not vary in one of the groups.")
        found = anova_oneway(parts, use_var="unequal")
        line = {"construct": study.codebook.called[name]}
        for k, part in enumerate(parts, 1):
            line |= {f"mean_{k}": part.mean(), f"sd_{k}": part.std(ddof=1)}
        line |= {"F": found.statistic, "df": found.df_num, "df_within": found.df_denom, "p": found.pvalue}
        lines.append(line | {"size": _size(parts)})
    return pd.DataFrame(lines)


def mean_heads(differences: pd.DataFrame) -> dict[str, str]:
    """Return the heads of what :func:`compare_means` returned, each group by its number."""
    named = {
        "construct": "construct",
        "F": "F",
        "df": "df",
        "df_within": "df (within)",
        "p": "p",
        "size": "effect size",
    }
    for column in differences:
        if (parts := column.rpartition("_"))[2].isdigit():
            named[column] = words("M ({k:d})" if parts[0] == "mean" else "SD ({k:d})", k=int(parts[2]))
    return {column: named[column] for column in differences}


def _size(parts: list[Array]) -> float:
    n = np.array([len(part) for part in parts])
    within, total = (n - 1) @ [part.var(ddof=1) for part in parts], n.sum()
    spread, df = within / (total - len(n)), total - len(n)
    if len(n) == 2:
        return float((parts[0].mean() - parts[1].mean()) / np.sqrt(spread) * (1 - 3 / (4 * df - 1)))
    means = np.array([part.mean() for part in parts])
    between = n @ (means - n @ means / total) ** 2
    return float(max(0.0, (between - (len(n) - 1) * spread) / (between + within + spread)))


def _group_words(study: Study, fit: SemFit) -> tuple[str, ...]:
    codes = [int(float(group.label)) for group in fit.sample.groups]
    scale = study.codebook.by_code[study.codebook.group].scale
    return tuple(opening(scale.en[code - scale.low]) if scale.en else str(code) for code in codes)


def comparable(study: Study) -> pd.DataFrame | NotTestable:
    """Return the answers of groups with more respondents than items, in the codebook's order; a reason if one has."""
    group, items = study.codebook.group, study.items
    if not group:
        return NotTestable("The codebook names no question that tells two kinds of respondents apart.")
    beside = [name for name, (code, _) in study.covariates.items() if code != group]
    whole = [group, *beside] if study.options.get("missing") == "fiml" else [group, *items, *beside]
    rows = study.answers[[*items, group, *beside]].dropna(subset=whole).sort_values(group, kind="stable")
    counts = rows[group].value_counts().sort_index()
    enough = counts[counts > len(items)]
    if len(enough) < 2:
        shown = ", ".join(f"{int(code)}: {n}" for code, n in counts.items())
        return NotTestable(
            words(
                "Respondents by {group} are {sizes}; two groups of more than {items:d}, the number of "
                "items, are needed.",
                group=group,
                sizes=shown or "none",
                items=len(items),
            )
        )
    return rows[rows[group].isin(enough.index)]


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
    return NotTestable(
        words(
            "The items do not measure the same in the groups: with equal {held} the fit falls (CFI {cfi:+.3f}, RMSEA "
            "{rmsea:+.3f}, p {p:p}); of all standardised loadings that of {item} differs most ({shown}). Paths between "
            "constructs that differ in meaning are not compared.",
            held=HELD[failed.index[0]],
            cfi=step["d_cfi"],
            rmsea=step["d_rmsea"],
            p=step["d_pvalue"],
            item=item,
            shown=shown,
        )
    )


def _structural(study: Study, ladder: Invariance, rows: pd.DataFrame) -> SemFit:
    """Fit the paths in every group with equal loadings; ordered answers need equal thresholds too, for their scale."""
    group = study.codebook.group
    text = study.model(without=group)
    if study.estimator != "WLSMV":
        return study.fit(text, rows, group=group, group_equal=("loadings",))
    sample = ladder.fits["configural"].sample
    categories = {name: rows[name].nunique() for name in sample.names}
    text = semfit.level_model(text, categories, "loadings", groups=len(sample.groups))
    return study.fit(text, rows, group=group, group_equal=("thresholds", "loadings"))
