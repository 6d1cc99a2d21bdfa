"""Coverage and rejection rates over simulated data: `python benchmarks/sem_calibration.py [--write]`.

Known models: normal data (ML), skewed ordered items (WLSMV, and robust ML on the codes) and data missing at random
(FIML). Seed, number of data sets and the rule were fixed before the run whose table is kept
(docs/decisions/0010-calibration-fixed-beforehand.md).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

import semfit
from semfit.polychoric import bivariate_normal

SEED, DRAWS = 7919, 2000
TRIAL_SEED, AFTERWARDS = 1, 99  # a trial must not look at the data sets of the run
MODEL = "F =~ a1 + a2 + a3 + a4\nG =~ b1 + b2 + b3 + b4\nG ~ p*F"
LOADINGS = np.array([0.8, 0.7, 0.6, 0.7])
ALIKE = np.full(4, 0.7)
PATH = 0.4
CUTS = np.array([0.0, 0.7, 1.4])  # the lowest of four categories holds half of the rows


def rows(rng: np.random.Generator, n: int, loadings: np.ndarray = LOADINGS) -> pd.DataFrame:
    """Normal rows of two standardised factors, G = 0.4 F + rest."""
    F = rng.standard_normal(n)
    G = PATH * F + np.sqrt(1 - PATH**2) * rng.standard_normal(n)
    items = [f[:, None] * loadings + rng.standard_normal((n, 4)) * np.sqrt(1 - loadings**2) for f in (F, G)]
    return pd.DataFrame(np.hstack(items), columns=[f"{k}{i}" for k in "ab" for i in range(1, 5)])


def with_holes(rng: np.random.Generator, n: int) -> pd.DataFrame:
    """The same, with b1 and b3 missing more often where a1 is low: at random given what is observed."""
    data = rows(rng, n)
    chance = np.where(data["a1"] < 0, 0.45, 0.15)
    return data.assign(**{name: data[name].mask(rng.random(n) < chance) for name in ("b1", "b3")})


def skewed_categories(rng: np.random.Generator, n: int, loadings: np.ndarray = LOADINGS) -> pd.DataFrame:
    """The same, cut into four categories."""
    return rows(rng, n, loadings).apply(lambda column: np.digitize(column, CUTS))


def skewed_codes(rng: np.random.Generator, n: int) -> pd.DataFrame:
    """Items all alike, cut into categories: their codes follow the model exactly, with another path."""
    return skewed_categories(rng, n, ALIKE)


def code_covariance(rho: float) -> float:
    """Return the covariance of two items' codes: a code counts the cuts its response exceeds."""
    both = bivariate_normal(CUTS[:, None], CUTS[None, :], np.array(rho))
    return float(np.sum(both - np.outer(stats.norm.cdf(CUTS), stats.norm.cdf(CUTS))))


# the path between the codes' factors: their covariance over the first one's variance, both from items all alike
PATH_OF_CODES = code_covariance(PATH * ALIKE[0] ** 2) / code_covariance(ALIKE[0] ** 2)
Case = tuple[Callable[[np.random.Generator, int], pd.DataFrame], int, dict[str, object], float, str]
CASES: dict[str, Case] = {
    "normal, ML, N = 300": (rows, 300, {}, PATH, "pvalue"),
    "missing at random, FIML, N = 300": (with_holes, 300, {"missing": "fiml"}, PATH, "pvalue"),
    "skewed ordered, WLSMV, N = 500": (
        skewed_categories, 500, {"estimator": "WLSMV", "ordered": True}, PATH, "pvalue.scaled"),
    "skewed ordered, codes by MLR, N = 500": (skewed_codes, 500, {"estimator": "MLR"}, PATH_OF_CODES, "pvalue.scaled"),
}  # fmt: skip


def case(index: int, draws: int) -> dict[str, object]:
    """Return how often the 95 % interval of the path covers it, and how often the test of fit rejects at 5 %."""
    name = list(CASES)[index]
    make, n, options, truth, pvalue = CASES[name]
    covered, rejected, failed = 0, 0, 0
    seed = SEED if draws == DRAWS else TRIAL_SEED
    for stream in np.random.SeedSequence([seed, index]).spawn(draws):
        fit = semfit.fit(MODEL, make(np.random.default_rng(stream), n), **options)
        if not (fit.converged and fit.identified):
            failed += 1
            continue
        row = fit.estimates.set_index("label").loc["p"]
        covered += bool(row["ci_low"] <= truth <= row["ci_high"])
        rejected += bool(fit.fit_measures[pvalue] < 0.05)
    return {"case": name, "data sets": draws - failed, "failed": failed, "covered": covered, "rejected": rejected}


def judged(count: int, total: int, expected: float, tests: int) -> str:
    """Return a rate with what a binomial test says: alone at 5 %, and among all rates (Bonferroni)."""
    p = stats.binomtest(count, total, expected).pvalue
    word = "within" if p >= 0.05 else "outside alone" if p >= 0.05 / tests else "outside"
    return f"{count / total:.4f} (p = {p:.3f}, {word})"


def why(draws: int) -> str:
    """Return, for WLSMV at two sizes, mean standard error over standard deviation of estimates, and coverage."""
    lines = []
    for n in (500, 2000):
        rows = []
        for stream in np.random.SeedSequence([AFTERWARDS, n]).spawn(draws):
            data = skewed_categories(np.random.default_rng(stream), n)
            row = semfit.fit(MODEL, data, estimator="WLSMV", ordered=True).estimates.set_index("label").loc["p"]
            rows.append((row["est"], row["se"], row["ci_low"] <= PATH <= row["ci_high"]))
        est, se, covered = np.array(rows, dtype=float).T
        lines.append(f"| {n} | {draws} | {se.mean() / est.std():.3f} | {covered.mean():.4f} |")
    return "\n".join(lines)


def page(draws: int) -> str:
    """Return the table as a page of documentation."""
    lines = []
    for index in range(len(CASES)):
        row = case(index, draws)
        total, tests = row["data sets"], 2 * len(CASES)
        rates = judged(row["covered"], total, 0.95, tests), judged(row["rejected"], total, 0.05, tests)
        lines.append(f"| {row['case']} | {total} | {row['failed']} | {rates[0]} | {rates[1]} |")
    return f"""# Calibration of `semfit`

Coverage of the 95 % interval of a latent path, and how often the test of fit rejects a true model at 5 %, over data
sets simulated from known models (`python benchmarks/sem_calibration.py --write`: seed {SEED}, {draws} sets a case, both
fixed before the run, see `docs/decisions/0010-calibration-fixed-beforehand.md`). p is that of an exact binomial test of
the rate; "outside alone" lies beyond Monte-Carlo error taken by itself, "outside" also among all {2 * len(CASES)} rates
of this page (Bonferroni).

| case | data sets | failed | coverage (.95) | rejection (.05) |
|---|---|---|---|---|
{chr(10).join(lines)}

## Why WLSMV covers a little too rarely

Asked after the table was seen, on other data sets: is it the engine, or the sample size? The sandwich standard error of
WLSMV (which equals lavaan's, `docs/parity.md`) against the standard deviation of the estimates:

| N | data sets | mean SE / SD of estimates | coverage (.95) |
|---|---|---|---|
{why(3 * draws // 4)}
"""


def main() -> None:
    """Print the table; with --write, keep it in docs/."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=DRAWS, help="fewer for a trial; the page takes the full number")
    parser.add_argument("--write", action="store_true", help="write docs/sem_calibration.md")
    args = parser.parse_args()
    if args.write and args.draws != DRAWS:
        parser.error(f"--write takes the number fixed beforehand, {DRAWS}; got {args.draws}.")
    text = page(args.draws)
    print(text)
    if args.write:
        (Path(__file__).resolve().parents[1] / "docs" / "sem_calibration.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
