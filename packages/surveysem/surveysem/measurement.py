"""What journals ask of a survey's measurement: cut-offs, heads of their tables, triangles, and fits side by side."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from semfit import SemFit
from surveysem.errors import DataError

__all__ = [
    "CLOSE_FIT",
    "DISTINCT",
    "FIT_DIGITS",
    "FIT_HEADS",
    "INTERVAL",
    "LADDER_DIGITS",
    "LADDER_HEADS",
    "LEVELS",
    "LOW_LOADING",
    "RELIABILITY_HEADS",
    "RELIABLE",
    "SHARED",
    "check_solution",
    "fit_table",
    "triangle",
]

LOW_LOADING, RELIABLE, SHARED = 0.5, 0.7, 0.5  # loading, reliability, average variance extracted
DISTINCT = 0.85  # HTMT of constructs that differ in meaning
CLOSE_FIT = {"cfi": 0.95, "rmsea": 0.06, "srmr": 0.08}  # Hu & Bentler 1999, doi:10.1080/10705519909540118
INTERVAL = {"low": "95% CI LL", "high": "95% CI UL"}
RELIABILITY_HEADS = {
    "construct": "construct",
    "alpha": "Cronbach's α",
    "omega": "McDonald's ω",
    "omega_low": "ω, 95% CI LL",
    "omega_high": "ω, 95% CI UL",
    "cr": "CR",
    "ave": "AVE",
    "ave_low": "AVE, 95% CI LL",
    "ave_high": "AVE, 95% CI UL",
}
INDICES = ("chisq", "df", "pvalue", "chisq.scaled", "pvalue.scaled", "cfi", "tli", "rmsea", "srmr")
FIT_HEADS = {
    "model": "model",
    "n": "N",
    "chisq": "χ²",
    "df": "df",
    "pvalue": "p",
    "chisq.scaled": "scaled χ²",
    "pvalue.scaled": "p (scaled)",
    "plain_cfi": "CFI",
    "cfi": "robust CFI",
    "tli": "robust TLI",
    "plain_rmsea": "RMSEA",
    "rmsea": "robust RMSEA",
    "rmsea.ci.lower": "90% CI LL",
    "rmsea.ci.upper": "90% CI UL",
    "srmr": "SRMR",
}
FIT_DIGITS = {
    "chisq": 1,
    "df": 0,
    "pvalue": 3,
    "chisq.scaled": 1,
    "pvalue.scaled": 3,
    "plain_cfi": 3,
    "cfi": 3,
    "tli": 3,
    "plain_rmsea": 3,
    "rmsea": 3,
    "rmsea.ci.lower": 3,
    "rmsea.ci.upper": 3,
    "srmr": 3,
}
LEVELS = {
    "configural": "configural invariance",
    "metric": "metric invariance",
    "scalar": "scalar invariance",
    "thresholds": "threshold invariance",
    "loadings": "threshold and loading invariance",
    "intercepts": "threshold, loading and intercept invariance",
}
"""What the steps of a ladder are called, of ordered answers the last three."""
LADDER_HEADS = {
    "level": "level",
    "chisq": "χ²",
    "df": "df",
    "pvalue": "p",
    "cfi": "CFI",
    "rmsea": "RMSEA",
    "srmr": "SRMR",
    "d_chisq": "Δχ²",
    "d_df": "Δdf",
    "d_pvalue": "p (Δχ²)",
    "d_cfi": "ΔCFI",
    "d_rmsea": "ΔRMSEA",
    "holds_chisq": "holds by Δχ²",
    "holds_indices": "holds by fit indices",
}
LADDER_DIGITS = {
    "chisq": 2,
    "df": 0,
    "pvalue": 3,
    "cfi": 3,
    "rmsea": 3,
    "srmr": 3,
    "d_chisq": 2,
    "d_df": 0,
    "d_pvalue": 3,
    "d_cfi": 3,
    "d_rmsea": 3,
}


def check_solution(fit: SemFit, file: str) -> None:
    """Refuse a measurement model without a solution: loadings and reliability would mean nothing.

    Raises
    ------
    DataError
        Naming the file of the answers, what is wrong and what is needed.
    """
    if not (fit.converged and fit.identified):
        raise DataError(
            f"{file}: the measurement model has no solution on these {fit.nobs} answers "
            f"({' '.join(fit.problems)}); more answers, or fewer constructs, are needed."
        )


def triangle(matrix: pd.DataFrame, called: Mapping[str, str]) -> pd.DataFrame:
    """Return the lower triangle of a square table as journals print it: numbered rows, columns "1", "2", ...

    Columns ``k`` and ``construct`` come first; above the diagonal, and where a value is missing, a cell is empty.

    Examples
    --------
    >>> found = triangle(pd.DataFrame([[0.8, None], [0.3, 0.7]], ["a", "b"]), {"a": "Care", "b": "Ease"})
    >>> found["construct"].tolist(), found["1"].tolist(), found["2"].tolist()
    (['Care', 'Ease'], [0.8, 0.3], ['', 0.7])
    """
    numbers = [str(k + 1) for k in range(len(matrix))]
    cells = matrix.set_axis(numbers, axis=1).reset_index(drop=True).astype(object)
    cells.insert(0, "construct", [called[name] for name in matrix.index])
    cells.insert(0, "k", range(1, len(matrix) + 1))
    return cells.where(cells.notna(), "")


def fit_table(fits: Mapping[str, SemFit]) -> pd.DataFrame:
    """One row a model: chi-square, df, p, scaled ones where there are, CFI, TLI, RMSEA with its interval, SRMR.

    CFI, TLI and RMSEA are the robust ones where the estimator has them (Brosseau-Liard & Savalei 2014,
    doi:10.1080/00273171.2014.933697), for ordered items the scaled ones. What a model lacks is missing.

    Parameters
    ----------
    fits : mapping of what a model is called to SemFit
    """
    rows = []
    for name, fit in fits.items():
        m = fit.fit_measures
        row = {"model": name, "n": fit.nobs, **{key: m.get(key) for key in INDICES}}
        for key in ("cfi", "tli", "rmsea", "rmsea.ci.lower", "rmsea.ci.upper"):
            row[key] = next((m[k] for k in (f"{key}.robust", f"{key}.scaled", key) if pd.notna(m.get(k))), None)
        rows.append(row | {"plain_cfi": m.get("cfi"), "plain_rmsea": m.get("rmsea")})
    return pd.DataFrame(rows)[list(FIT_HEADS)]
