"""A survey's paths by partial least squares: outer and inner model, effects, prediction, groups, and beside MLR."""

from typing import Any

import numpy as np
import pandas as pd

import semfit
from surveysem import paths
from surveysem.effects import NotTestable, untestable
from surveysem.measurement import HEADS
from surveysem.study import Study, attempt

PERMUTATIONS = 1000
STILL = 1e-12  # standard error of what does not vary: the loading of a single item
LOADING = 0.708  # whose square is a half
GROUP_HEADS, PATH_HEADS = HEADS["micom"], HEADS["mga"]


def outer(study: Study, fit: semfit.PlsFit, consistent: semfit.PlsFit) -> pd.DataFrame:
    """Return one row an item: construct, item, loading, its interval and t, weight, corrected loading, VIF in block."""
    table, vif = fit.estimates, fit.item_vif
    found = table[(table["op"] == "=~") & table["lhs"].isin(study.scales)].rename(
        columns={"lhs": "construct", "rhs": "item", "est": "loading", "ci_low": "low", "ci_high": "high"}
    )
    at = found.index
    found.loc[found["se"] < STILL, ["low", "high"]] = np.nan
    return found.assign(
        t=_t(found["loading"], found["se"]),
        weight=table["est"].to_numpy()[at + len(vif)],
        consistent=consistent.estimates["est"][at],
        vif=vif.to_numpy()[at],
    )


def reliability(study: Study, fit: semfit.PlsFit) -> pd.DataFrame:
    """Return alpha, rho_A, CR and AVE of every construct of several items; of one item they are not defined."""
    found = fit.reliability.loc[list(study.factors), ["alpha", "rho_A", "rho_C", "ave"]]
    return found.rename_axis("construct").dropna().reset_index()


def larcker(study: Study, fit: semfit.PlsFit) -> pd.DataFrame:
    """Return correlations of the composites, below a diagonal of the square roots of their AVE (1 for one item).

    Composites that the codebook names have none.
    """
    R = fit.correlations.loc[list(study.scales), list(study.scales)]
    below = np.where(np.tri(len(R), k=-1, dtype=bool), R, np.nan)
    ave = fit.reliability["ave"].fillna(1.0).mask(lambda each: each.index.isin([*study.composed]))
    np.fill_diagonal(below, np.sqrt(ave[R.index]))
    return pd.DataFrame(below, R.index, R.columns)


def inner(study: Study, fit: semfit.PlsFit, consistent: semfit.PlsFit) -> pd.DataFrame:
    """Return one row a path: outcome, predictor, std, se, t, low, high, p, corrected path, r2, r2_adjusted, f2, vif.

    p is that of `paths.along`; r2 and r2_adjusted are those of the outcome.
    """
    drawn = fit.estimates.query("op == '~'").set_index(["lhs", "rhs"])
    beside = fit.paths.set_index(["lhs", "rhs"]).drop(columns="est")
    corrected = consistent.paths.set_index(["lhs", "rhs"])["est"].rename("consistent")
    found = drawn.join([beside, corrected]).join(fit.r2, on="lhs")
    found = found.loc[[(path.outcome, path.predictor) for path in study.codebook.paths]]
    found = found.rename_axis(["outcome", "predictor"]).reset_index()
    p = paths.along(study, found[["predictor", "outcome"]].to_numpy().tolist()).p_values
    names = {"est": "std", "ci_low": "low", "ci_high": "high"}
    return found.rename(columns=names).assign(t=_t(found["est"], found["se"]), p=p)


def importance(study: Study, fit: semfit.PlsFit) -> pd.DataFrame:
    """Return importance and performance (`semfit.PlsFit.importance`) of the constructs for every final outcome."""
    scales = {code: study.codebook.by_code[code].scale for code in study.items}
    ranges = dict.fromkeys(fit.model.items, (0.0, 1.0)) | {code: (s.low, s.high) for code, s in scales.items()}
    found = [fit.importance(study.answers, name, ranges).assign(outcome=name) for name in study.outcomes]
    table = pd.concat(found)
    return table[table["construct"].isin(study.constructs)].reset_index(drop=True)


def predicted(study: Study, fit: semfit.PlsFit) -> semfit.PlsPrediction | NotTestable:
    """Return how well items are predicted for respondents left out (`semfit.pls_predict`)."""
    said = "PLS has no solution without a tenth of the respondents. {why}"  # a rare label may not vary without a fold
    return attempt(said, semfit.pls_predict, fit, study.answers, seed=study.seed)


def beside(study: Study, table: pd.DataFrame) -> pd.DataFrame | NotTestable:
    """Return every path by PLS, PLSc and MLR, and whether PLS and MLR come to different verdicts on it.

    outcome, predictor, std, consistent, latent (by MLR) with low and high; ``differs`` where one interval excludes zero
    and the other does not, or both do on different sides.

    Parameters
    ----------
    study : Study
    table : pandas.DataFrame
        As :func:`inner` returned it.
    """
    latent = attempt("The model of latent variables has no solution. {why}", paths.path_table, study)
    if isinstance(latent, NotTestable):
        return latent
    side = [np.sign(each["low"]) * (each["low"] * each["high"] > 0) for each in (table, latent)]
    return table[["outcome", "predictor", "std", "consistent"]].assign(
        latent=latent["std"], low=latent["low"], high=latent["high"], differs=side[0] != side[1]
    )


def grouped(study: Study, permutations: int = PERMUTATIONS) -> semfit.PlsGroups | NotTestable:
    """Return MICOM and the comparison of paths between the two groups that the codebook tells apart."""
    group = study.codebook.group
    if not group:
        return untestable("no_groups")
    told = {"group": group, "permutations": permutations, "seed": study.seed}
    fit = study.compose(without=group)
    return attempt("The groups are not compared by PLS. {why}", semfit.pls_groups, fit, study.answers, **told)


def _t(estimate: Any, se: Any) -> Any:
    return (estimate / se).where(se > STILL)
