"""What a survey of a size can show: power before it, the least path it can detect after it, and which paths are nil."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import norm

from semfit import population_fit
from surveysem.codebook import Codebook
from surveysem.errors import require
from surveysem.measurement import HEADS
from surveysem.paths import path_table
from surveysem.study import Study
from surveysem.synthetic import Truth

Array = np.ndarray
ALPHA, WANTED = 0.05, 0.80  # level of each test, and power
SMALLEST = 0.10  # standardised path of interest, small among published ones: Gignac & Szodorai 2016
SIZES = (100, 200, 300, 500, 800, 1000, 1500, 2000)

READINGS = HEADS["readings"]  # what the two tests of a path say together


@dataclass(frozen=True)
class Power:
    """Power to detect every path of a codebook, were each of them the smallest of interest.

    ``frame`` has one row a path and size: outcome, predictor, path, nobs, se, power. ``needed`` has one row a path:
    outcome, predictor, path, needed (respondents with which power reaches ``wanted``) and needed_equivalence (the same
    for the equivalence test, were the path zero).
    """

    frame: pd.DataFrame
    needed: pd.DataFrame
    wanted: float

    def summary(self) -> pd.DataFrame:
        """Return one line a path: what it needs, and power by size in columns."""
        keys = ["outcome", "predictor"]
        wide = self.frame.pivot(index=keys, columns="nobs", values="power").rename_axis(columns=None)
        return self.needed.merge(wide.reset_index(), on=keys, how="left")


def power_before(
    book: Codebook, sizes: Sequence[int] = SIZES, *, smallest: float = SMALLEST, alpha: float = ALPHA,
    wanted: float = WANTED, loading: float = 0.7, correlation: float = 0.3,
) -> Power:  # fmt: skip
    """Return the power of a survey before it is made, from the codebook and a stated population alone.

    In the population every path has the smallest size of interest in its claimed direction. The model fitted to its own
    moments gives the standard error s of each standardised path for one respondent; with N, power is
    Phi(b sqrt(N) / s - z) + Phi(-b sqrt(N) / s - z), z the 1 - alpha / 2 quantile. That of the equivalence test is
    2 Phi(b sqrt(N) / s0 - z') - 1, z' the 1 - alpha quantile, s0 from a population whose paths are zero.

    Parameters
    ----------
    book : Codebook
        With paths.
    sizes : sequence of int
        Numbers of respondents.
    smallest : float
        Standardised, in (0, 1).
    alpha, wanted : float
        Level of each test and power wanted, 0 < alpha < wanted < 1.
    loading, correlation : float
        Of every item on its construct, and between constructs that depend on none.

    Raises
    ------
    ParameterError
        Where a number lies outside its range, or the paths leave no variance.

    References
    ----------
    Satorra & Saris (1985), doi:10.1007/BF02294150; Schuirmann (1987), doi:10.1007/BF01068419.

    Examples
    --------
    >>> from surveysem import TEMPLATE, load_codebook
    >>> planned = power_before(load_codebook(TEMPLATE), [1000])
    >>> round(float(planned.frame["power"].min()), 2), int(planned.needed["needed"].max())
    (0.6, 1609)
    """
    require(0 < smallest < 1, "smallest", smallest, "a path in (0, 1)")
    require(0 < alpha < wanted < 1, "alpha with wanted", (alpha, wanted), "0 < alpha < wanted < 1")
    require(len(sizes) and min(sizes) >= 1, "sizes", list(sizes), "one whole number from 1 or more")
    se, se_zero = (_unit_errors(book, effect, loading, correlation) for effect in (smallest, 0.0))
    paths = pd.DataFrame(list(book.paths))
    paths["path"] = smallest * paths.pop("direction")
    z, beta = norm.ppf(1 - alpha / 2), norm.ppf(wanted)
    both = norm.ppf(1 - alpha) + norm.ppf((1 + wanted) / 2)
    needed = paths.assign(
        needed=np.ceil(((z + beta) * se / smallest) ** 2).astype(int),
        needed_equivalence=np.ceil((both * se_zero / smallest) ** 2),  # nan where paths of zero leave no solution
    ).astype({"needed_equivalence": int}, errors="ignore")
    rows = []
    for nobs in sizes:
        ratio = smallest * np.sqrt(nobs) / se
        rows.append(paths.assign(nobs=nobs, se=se / np.sqrt(nobs), power=norm.cdf(ratio - z) + norm.cdf(-ratio - z)))
    return Power(pd.concat(rows, ignore_index=True), needed, wanted)


def _unit_errors(book: Codebook, effect: float, loading: float, correlation: float) -> Array:
    """Return the standard error of each standardised path for one respondent, all paths being of one size."""
    effects: dict[str, dict[str, float]] = {}
    for path in book.paths:
        effects.setdefault(path.outcome, {})[path.predictor] = effect * path.direction
    named = {name for path in book.paths for name in (path.outcome, path.predictor)}
    model = book.model([name for name in book.scales if name in named])
    fit = population_fit(Truth(book, effects, loading, correlation).population(), model)
    table = fit.standardized.query("op == '~'").set_index(["lhs", "rhs"])["se"]
    return np.array([table.loc[(path.outcome, path.predictor)] for path in book.paths])


def sensitivity(study: Study, *, smallest: float = SMALLEST) -> pd.DataFrame:
    """Return what the answers at hand could show of every path, and whether it is as good as zero: one row a path.

    outcome, predictor, direction, std, std_se, detectable (the least true path that the two-sided test finds with power
    ``WANTED``), low and high (of the 90 % interval), p_equivalence (of a path outside plus and minus
    ``smallest``), equivalent, reading (a key of ``READINGS``), smallest and nobs.

    Detectable is (z(1 - ALPHA / 2) + z(WANTED)) times the standard error: from the error, never from the estimate, as
    power at the estimate says no more than its p value (Hoenig & Heisey 2001, doi:10.1198/000313001300339897).
    Equivalence is shown by two one-sided tests, whose larger p value counts. Neither is corrected for the number of
    paths.

    Parameters
    ----------
    smallest : float
        Of interest, standardised, in (0, 1).

    References
    ----------
    Bloom (1995), doi:10.1177/0193841X9501900504; Schuirmann (1987), doi:10.1007/BF01068419.
    """
    require(0 < smallest < 1, "smallest", smallest, "a path in (0, 1)")
    table = path_table(study)[["outcome", "predictor", "direction", "std", "std_se"]]
    est, se = table["std"].to_numpy(), table["std_se"].to_numpy()
    inner, outer = norm.ppf(1 - ALPHA) * se, norm.ppf(1 - ALPHA / 2) * se
    p = norm.sf((smallest - np.abs(est)) / se)  # of the bound that is nearer
    equivalent, differs = p < ALPHA, np.abs(est) > outer
    reading = np.select([equivalent & differs, equivalent, differs], ["negligible", "equivalent", "differs"], "open")
    ends = {"detectable": outer + norm.ppf(WANTED) * se, "low": est - inner, "high": est + inner}
    read = {"p_equivalence": p, "equivalent": equivalent, "reading": reading}
    return table.assign(**ends, **read, smallest=smallest, nobs=study.structural.nobs)
