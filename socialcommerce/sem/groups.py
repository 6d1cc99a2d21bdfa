"""Measurement invariance: fit the ladder of equality constraints across groups and say at which step it breaks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from socialcommerce.errors import ParameterError, UnknownNameError
from socialcommerce.sem.comparison import difference
from socialcommerce.sem.fit import fit
from socialcommerce.sem.result import SemFit
from socialcommerce.sem.scores import release_tests

__all__ = ["LADDER", "Invariance", "invariance"]

LADDER = {
    "configural": (),
    "metric": ("loadings",),
    "scalar": ("loadings", "intercepts"),
    "strict": ("loadings", "intercepts", "residuals"),
}
CFI_DROP, RMSEA_RISE, ALPHA = 0.010, 0.015, 0.05


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
        one for MLM and MLR.
        """
        rows, above = [], None
        for level, one in self.fits.items():
            m = one.fit_measures
            pick = {
                k: m.get(f"{k}.robust", m.get(f"{k}.scaled", m[k]))
                if k in ("cfi", "rmsea")
                else m.get(f"{k}.scaled", m[k])
                for k in ("chisq", "df", "pvalue", "cfi", "rmsea")
            }
            row = {"level": level, **pick, "srmr": m["srmr"]}
            if above is not None:
                row |= self._step(one, above, row, rows[-1])
            rows.append(row)
            above = one
        return pd.DataFrame(rows).set_index("level")

    @staticmethod
    def _step(
        one: SemFit, above: SemFit, row: Mapping[str, float], last: Mapping[str, float]
    ) -> dict[str, float | bool]:
        test = difference(one, above)
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
    def highest(self) -> str:
        """The strictest level up to which every step holds by the fit indices."""
        reached = "configural"
        for level, holds in self.table["holds_indices"].iloc[1:].items():
            if not holds:
                break
            reached = str(level)
        return reached

    def partial(self, level: str) -> pd.DataFrame:
        """Return score tests of letting each equality of a level go, largest first: where to begin."""
        if level not in self.fits or level == "configural":
            raise UnknownNameError("level with equalities", level, [k for k in self.fits if k != "configural"])
        return release_tests(self.fits[level])


def invariance(
    model: str,
    data: pd.DataFrame,
    group: str,
    *,
    levels: Sequence[str] = tuple(LADDER),
    estimator: str = "ML",
    missing: str = "listwise",
    std_lv: bool = False,
) -> Invariance:
    """Fit a measurement model at every level of the ladder.

    Parameters
    ----------
    group : str
        Column with the groups.
    levels : sequence of str
        Of ``LADDER``, from loose to strict, beginning with "configural".
    estimator : {"ML", "MLM", "MLR"}
        For ordered items the ladder is another one (thresholds come first) and is not offered here.

    Raises
    ------
    ParameterError
        Where a level does not converge, by name.

    References
    ----------
    Meredith (1993), doi:10.1007/BF02294825.
    """
    for level in levels:
        if level not in LADDER:
            raise UnknownNameError("level of invariance", level, LADDER)
    if list(levels) != [level for level in LADDER if level in levels] or levels[0] != "configural":
        raise ParameterError(
            f"levels go from 'configural' to stricter ones, {', '.join(LADDER)}; got {', '.join(levels)}."
        )
    if estimator in ("DWLS", "WLSMV"):
        raise ParameterError(f"estimator {estimator!r}; the ladder takes ML, MLM and MLR.")
    fits = {}
    for level in levels:
        fits[level] = fit(
            model, data, group=group, group_equal=LADDER[level], estimator=estimator, missing=missing, std_lv=std_lv
        )
        if not (fits[level].converged and fits[level].identified):
            raise ParameterError(f"the {level} model has no solution: {' '.join(fits[level].problems)}")
    if len(next(iter(fits.values())).sample.groups) < 2:
        raise ParameterError(f"column {group} has one group; invariance compares two or more.")
    return Invariance(fits)
