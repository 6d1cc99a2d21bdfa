"""Measurement invariance: fit the ladder of equality constraints across groups and say at which step it breaks.

Partial: single items go where a level does not hold, until the others do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from semfit.comparison import HypothesisStatistic, difference
from semfit.errors import NotTestable, ParameterError, one_of
from semfit.fit import fit
from semfit.ladders import ORDINAL_LADDER, check_ladder, level_model, level_rows
from semfit.result import SemFit
from semfit.scores import score_tests
from semfit.solved import FitOptions
from semfit.syntax import parse

LADDER: Mapping[str, tuple[str, ...]] = {
    "configural": (),
    "metric": ("loadings",),
    "scalar": ("loadings", "intercepts"),
    "strict": ("loadings", "intercepts", "residuals"),
}
CFI_DROP, RMSEA_RISE, ALPHA = 0.010, 0.015, 0.05
POOR_CFI, POOR_RMSEA = 0.90, 0.10  # Marcoulides & Yuan (2017): beyond them fit is poor
FREED = ["level", "construct", "item", "chisq"]
HELD = {"metric": ("=~", "rhs"), "scalar": ("~1", "lhs")}  # what a level adds, and the side of it that the item is on
LEAST_ALIKE = 2  # items of a construct that stay equal
Refit = Callable[[str, pd.DataFrame], SemFit | None]


@dataclass(frozen=True)
class Invariance:
    """The fits of a ladder, from the loosest to the strictest, by level."""

    fits: Mapping[str, SemFit]

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row a level: chi2, df, p, CFI, RMSEA, SRMR, what the step from the level above changes, and whether it
        holds.

        ``holds_indices``: CFI falls by at most 0.010 and RMSEA rises by at most 0.015 (Chen 2007,
        doi:10.1080/10705510701301834). ``holds_chisq``: the difference test does not reject at 5 %; it is the scaled
        one for MLM and MLR, Satorra's (2000) for DWLS and WLSMV. A step without degrees of freedom (see ``notes``)
        holds by construction. CFI and RMSEA are the robust ones, for ordered items the scaled ones, which exist at
        every level; that 0.010 and 0.015 suit those is not shown: read them beside the test. Neither is said where
        ``withheld`` has a reason.
        """
        rows, above = [], None
        for level, one in self.fits.items():
            row: dict[str, Any] = {"level": level, **self._measures(one)}
            if above is not None:
                row |= self._step(one, above, row, rows[-1])
                row |= dict.fromkeys(("holds_chisq", "holds_indices")) if self.withheld else {}
            rows.append(row)
            above = one
        columns = max(map(list, rows), key=len)
        return pd.DataFrame(rows, columns=columns).set_index("level")

    @staticmethod
    def _measures(one: SemFit) -> dict[str, float]:
        m = one.fit_measures
        index = ".scaled" if one.ordinal else ".robust"
        last = {"chisq": ".scaled", "df": ".scaled", "pvalue": ".scaled", "cfi": index, "rmsea": index}
        return {k: m.get(k + kind, m[k]) for k, kind in last.items()} | {"srmr": m["srmr"]}

    @cached_property
    def withheld(self) -> NotTestable | None:
        """Why no level can be said to hold, or None: equal parameters of a model that does not fit mean nothing.

        It does not where the test of the configural model rejects at 5 % and CFI is below .90 or RMSEA above .10
        (Marcoulides & Yuan 2017, doi:10.1080/10705511.2016.1225260, call it poor), or where it has no test.
        """
        m = self._measures(self.fits["configural"])
        if m["df"] > 0 and not np.isfinite(m["cfi"] + m["rmsea"]):
            return NotTestable("The configural model has no test, so that no level can be compared with it.")
        if m["pvalue"] < ALPHA and not (m["cfi"] >= POOR_CFI and m["rmsea"] <= POOR_RMSEA):
            return NotTestable(
                f"The model does not fit the groups even where nothing is held equal (CFI {m['cfi']:.3f}, RMSEA "
                f"{m['rmsea']:.3f}; below .90 or above .10 is poor): equal parameters would mean nothing."
            )
        return None

    @staticmethod
    def _step(
        one: SemFit, above: SemFit, row: Mapping[str, float], last: Mapping[str, float]
    ) -> dict[str, float | bool]:
        if one.test.df == above.test.df:  # the same model, written with other parameters
            return {"d_df": 0, "holds_chisq": True, "holds_indices": True}
        try:
            test = difference(one, above)
        except ParameterError:  # strong misfit leaves a scaled test without a value
            test = HypothesisStatistic("", np.nan, one.test.df - above.test.df, np.nan, "")
        d_cfi, d_rmsea = row["cfi"] - last["cfi"], row["rmsea"] - last["rmsea"]
        return {
            "d_chisq": test.chisq,
            "d_df": test.df,
            "d_pvalue": test.pvalue,
            "d_cfi": d_cfi,
            "d_rmsea": d_rmsea,
            "holds_chisq": test.pvalue > ALPHA,
            "holds_indices": bool(d_cfi >= -CFI_DROP and d_rmsea <= RMSEA_RISE),
        }

    @property
    def notes(self) -> tuple[str, ...]:
        """Which levels restrict nothing that the level above does not, in sentences."""
        levels = list(self.fits)
        return tuple(
            f"The level {low} restricts nothing beyond {high}: the two are one model (Wu & Estabrook 2016: thresholds "
            "of items with three categories or fewer, and binary items before the intercepts, cannot be tested)."
            for high, low in zip(levels, levels[1:], strict=False)
            if self.fits[low].test.df == self.fits[high].test.df
        )

    @property
    def highest(self) -> str | NotTestable:
        """The strictest level up to which every step holds by the fit indices; why not, where that is withheld."""
        if self.withheld:
            return self.withheld
        held = self.table["holds_indices"].iloc[1:].astype(bool).cumprod().sum()  # steps in a row
        return list(self.fits)[held]

    def partial(self, level: str) -> pd.DataFrame:
        """Return score tests of letting each equality of a level go, largest first: where to begin.

        For ordered items the equalities are those the level adds (see ``semfit.scores.score_tests`` for the columns).

        Raises
        ------
        ParameterError
            Where no equality of the level can be let go alone.
        """
        one_of("level with equalities", level, [k for k in self.fits if k != "configural"])
        fit = self.fits[level]
        if fit.ordinal:
            rows = level_rows(fit.rows, fit.sample.names, level)
        else:  # what would get its own parameter: never the first of those that are equal
            tied = [row for row in fit.rows if row.free]
            first = {row.key: row for row in reversed(tied)}
            rows = [row for row in tied if row is not first[row.key]]
        found = score_tests(fit, rows)
        if fit.ordinal and found.empty:
            raise ParameterError(
                f"no equality of level {level!r} can be let go alone: the model would not be identified."
            )
        return found.sort_values("mi_robust" if "mi_robust" in found else "mi", ascending=False, ignore_index=True)


def invariance(
    model: str,
    data: pd.DataFrame,
    group: str,
    *,
    levels: Sequence[str] | None = None,
    estimator: str = "ML",
    missing: str = "listwise",
    std_lv: bool = False,
    ordered: bool | Sequence[str] = True,
    parameterization: str = "delta",
    weights: str | Sequence[float] | None = None,
    cluster: str | None = None,
) -> Invariance:
    """Fit a measurement model at every level of the ladder.

    Parameters
    ----------
    model : str
        A measurement model in lavaan's language.
    data : pandas.DataFrame
        One row per observation.
    group : str
        Column with the groups.
    levels : sequence of str, optional
        From loose to strict, beginning with "configural": of ``LADDER``, or for ordered items of
        ``semfit.ladders.ORDINAL_LADDER``; by default all.
    estimator : {"ML", "MLM", "MLR", "DWLS", "WLSMV"}
        DWLS and WLSMV take ordered items, whose ladder begins with the thresholds.
    missing, std_lv, weights, cluster
        As in ``semfit.fit``.
    ordered : bool or sequence of str
        Ordered items, for DWLS and WLSMV.
    parameterization : {"delta", "theta"}
        For DWLS and WLSMV; chi2 is the same.

    Raises
    ------
    ParameterError
        Where a level does not converge or is not identified, by name.

    References
    ----------
    Meredith (1993), doi:10.1007/BF02294825; Wu & Estabrook (2016), doi:10.1007/s11336-016-9506-0.
    """
    ordinal = estimator in ("DWLS", "WLSMV")
    ladder = ORDINAL_LADDER if ordinal else LADDER
    levels = tuple(ladder) if levels is None else tuple(levels)
    for level in levels:
        one_of("level of invariance", level, ladder)
    if not levels or list(levels) != [level for level in ladder if level in levels] or levels[0] != "configural":
        raise ParameterError(
            f"levels go from 'configural' to stricter ones, {', '.join(ladder)}; got {', '.join(levels)}."
        )
    if ordinal:
        check_ladder(parse(model))
    text, fits = model, dict[str, SemFit]()
    options: FitOptions = {"group": group, "estimator": estimator, "missing": missing, "std_lv": std_lv}
    options |= {"weights": weights, "cluster": cluster}
    for level in levels:
        if ordinal:
            options |= {"ordered": ordered, "parameterization": "theta" if level == "residuals" else parameterization}
        if ordinal and fits:  # categories are those the configural fit saw
            sample = fits["configural"].sample
            counts = (sample.groups[0].raw[0].max(0) + 1).astype(int).tolist()
            categories, groups = dict(zip(sample.names, counts, strict=True)), len(sample.groups)
            text = level_model(
                model, categories, level, groups=groups, parameterization=parameterization, std_lv=std_lv
            )
        fits[level] = fit(text, data, **(options | {"group_equal": ladder[level]}))
        if len(fits[level].sample.groups) < 2:
            raise ParameterError(f"column {group} has one group; invariance compares two or more.")
        if not (fits[level].converged and fits[level].identified):
            raise ParameterError(f"the {level} model has no solution: {' '.join(fits[level].problems)}")
    return Invariance(fits)


@dataclass(frozen=True)
class PartialInvariance:
    """A ladder of which what does not hold was let go, item by item.

    ``whole`` is the ladder before, ``ladder`` ends with the last level that holds so. ``freed`` has one row an item:
    level (at which it was let go), construct, item and chisq (by how much letting it go lowers that of the model).
    """

    whole: Invariance
    ladder: Invariance
    freed: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=FREED))


def partial_invariance(
    ladder: Invariance,
    scales: Mapping[str, Sequence[str]],
    refit: Refit,
    waves: Mapping[str, Sequence[str]] | None = None,
) -> PartialInvariance:
    """Let single items go where equal loadings, and then equal intercepts, do not hold.

    Of the construct with the largest score test, the item goes first that lowers chi-square most by it, and so on until
    CFI and RMSEA allow. Two items of every construct at least stay equal; where that does not do, the level is not
    reached. At other levels nothing goes.

    Parameters
    ----------
    ladder : Invariance
        With nothing let go; of numbers, not of ordered items.
    scales : mapping of str to sequence of str
        The items of every construct.
    refit : callable
        Fits a level without the equality of what was let go (``freed`` of :class:`PartialInvariance`), or returns None
        where that has no solution.
    waves : mapping of str to sequence of str, optional
        By item, the variables in which it was asked at several waves.

    References
    ----------
    Byrne, Shavelson & Muthén (1989), doi:10.1037/0033-2909.105.3.456.
    """
    freed, fits = pd.DataFrame(columns=FREED), {"configural": ladder.fits["configural"]}
    for level in list(ladder.fits)[1:]:
        gone, fit = freed, refit(level, freed) if len(freed) else ladder.fits[level]
        while fit is None or not Invariance(fits | {level: fit}).table["holds_indices"].iloc[-1]:
            if fit is None or (found := _let_go(scales, refit, waves or {}, level, fit, gone)) is None:
                return PartialInvariance(ladder, Invariance(fits), freed)
            fit, gone = found
        fits, freed = fits | {level: fit}, gone
    return PartialInvariance(ladder, Invariance(fits), freed)


def _let_go(
    scales: Mapping[str, Sequence[str]],
    refit: Refit,
    waves: Mapping[str, Sequence[str]],
    level: str,
    fit: SemFit,
    gone: pd.DataFrame,
) -> tuple[SemFit, pd.DataFrame] | None:
    """Fit a level without one equality more; None where no construct has more than two items that are equal."""
    if level not in HELD:
        return None
    op, side = HELD[level]
    kept = {name: [item for item in items if item not in [*gone["item"]]] for name, items in scales.items()}
    several = {item: name for name, items in kept.items() for item in items if len(items) > LEAST_ALIKE}
    construct = {each: name for item, name in several.items() for each in waves.get(item, [item])}
    tests = Invariance({level: fit}).partial(level)
    worst = tests[tests["op"] == op][side].map(construct).dropna()
    solved = []
    for item in kept[worst.iloc[0]] if len(worst) else ():
        rows = [*gone.itertuples(index=False), (level, worst.iloc[0], item, np.nan)]
        more = pd.DataFrame(rows, columns=FREED)
        solved += [(one, more)] if (one := refit(level, more)) else []
    if not solved:
        return None
    best, more = min(solved, key=lambda each: each[0].test.chisq)
    more.iloc[-1, -1] = fit.test.chisq - best.test.chisq
    return best, more
