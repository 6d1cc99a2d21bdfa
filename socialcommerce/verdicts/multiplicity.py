"""Correction for several tests in one family, and the level at which each interval agrees with its corrected test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from socialcommerce.errors import ParameterError
from socialcommerce.paper import Family
from socialcommerce.verdicts.records import require

__all__ = ["Adjusted", "adjust"]


@dataclass(frozen=True)
class Adjusted:
    """One test inside its family: adjusted p value, the error rate left to its interval, is the null rejected."""

    p_value: float
    alpha: float
    rejected: bool


def adjust(p_values: Mapping[str, float], family: Family) -> dict[str, Adjusted]:
    """Correct the p values of a family, and say at which level each interval agrees with its corrected test.

    Under Holm's correction the test of rank r of m is made at alpha / (m - r + 1), and all after the first that is not
    rejected at that one's rate (Holm 1979); under Benjamini and Hochberg's, with R rejected, at R alpha / m (Benjamini
    & Yekutieli 2005, doi:10.1198/016214504000001907). An interval of level 1 minus that rate excludes zero exactly when
    the corrected test rejects.

    Parameters
    ----------
    p_values : mapping of hypothesis to p value
        All tests of the family, in [0, 1].
    family : Family
        With its alpha and correction.

    Examples
    --------
    >>> family = Family("f", {}, 0.05, "holm")
    >>> {name: round(a.alpha, 4) for name, a in adjust({"H1": 0.001, "H2": 0.2, "H3": 0.02}, family).items()}
    {'H1': 0.0167, 'H2': 0.05, 'H3': 0.025}
    """
    if family.alpha is None:
        raise ParameterError(f"family {family.id} has no alpha, so no tests to correct; got {len(p_values)} p values.")
    for name, p in p_values.items():
        require(f"p value of {name}", p, 0 <= p <= 1, "a probability in [0, 1]")
    if family.correction == "none" or not p_values:
        return {name: Adjusted(p, family.alpha, p <= family.alpha) for name, p in p_values.items()}
    from statsmodels.stats.multitest import multipletests  # heavy: only where tests are made

    ranked = sorted(p_values, key=p_values.get)
    rejected, values, _, _ = multipletests([p_values[name] for name in ranked], family.alpha, family.correction)
    found = {name: Adjusted(float(p), _rate(family, rank, len(ranked), int(rejected.sum())), bool(reject))
             for rank, (name, p, reject) in enumerate(zip(ranked, values, rejected, strict=True), start=1)}
    return {name: found[name] for name in p_values}


def _rate(family: Family, rank: int, m: int, rejected: int) -> float:
    if family.correction == "holm":
        return family.alpha / (m - min(rank - 1, rejected, m - 1))
    return family.alpha / m * (max(rejected, 1) if family.correction == "fdr_bh" else 1)
