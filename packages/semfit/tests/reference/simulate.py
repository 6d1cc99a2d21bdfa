"""Write the simulated data that lavaan and this engine are fitted to, into data/ beside this file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

DATA = Path(__file__).parent / "data"
SEED = 20240


def factors(rng: np.random.Generator, latent: np.ndarray, items: int, prefix: str) -> pd.DataFrame:
    """Return `items` standardised indicators of every latent variable, loadings between .6 and .85."""
    columns = {}
    for j, score in enumerate(latent.T, start=1):
        for i, loading in enumerate(np.linspace(0.6, 0.85, items), start=1):
            columns[f"{prefix}{j}{i}"] = loading * score + np.sqrt(1 - loading**2) * rng.standard_normal(len(score))
    return pd.DataFrame(columns)


def twelve_paths(rng: np.random.Generator, n: int) -> pd.DataFrame:
    """Nine latent variables with four items each and twelve paths among them."""
    x = rng.multivariate_normal(np.zeros(4), 0.7 * np.eye(4) + 0.3, n)
    noise = rng.standard_normal((n, 5))
    f5 = 0.4 * x[:, 0] + 0.3 * x[:, 1] + 0.7 * noise[:, 0]
    f6 = 0.3 * x[:, 1] + 0.3 * x[:, 2] + 0.8 * noise[:, 1]
    f7 = 0.4 * f5 + 0.2 * x[:, 3] + 0.7 * noise[:, 2]
    f8 = 0.3 * f5 + 0.4 * f6 + 0.7 * noise[:, 3]
    f9 = 0.4 * f7 + 0.3 * f8 + 0.1 * x[:, 0] + 0.2 * f6 + 0.6 * noise[:, 4]
    return factors(rng, np.column_stack([x, f5, f6, f7, f8, f9]), 4, "v")


def mediation(rng: np.random.Generator, n: int) -> pd.DataFrame:
    """Three latent variables with four items each: X -> M -> Y and X -> Y; skewed residuals."""
    x = rng.standard_normal(n)
    m = 0.5 * x + 0.8 * rng.standard_normal(n)
    y = 0.4 * m + 0.2 * x + 0.8 * (rng.chisquare(4, n) - 4) / np.sqrt(8)
    return factors(rng, np.column_stack([x, m, y]), 4, "i")


def ordinal(rng: np.random.Generator, n: int, latents: int, items: int, cuts: list[float], prefix: str) -> pd.DataFrame:
    """Ordered items (1, 2, ...) of correlated factors; every second item is skewed."""
    f = rng.multivariate_normal(np.zeros(latents), 0.6 * np.eye(latents) + 0.4, n)
    table = factors(rng, f, items, prefix)
    for k, name in enumerate(table):
        table[name] = 1 + np.digitize(table[name], np.array(cuts) + 0.5 * (k % 2))
    return table


def growth(rng: np.random.Generator, n: int) -> pd.DataFrame:
    """Four yearly measures that grow linearly, with a covariate of level and slope."""
    x = rng.standard_normal(n)
    level = 1 + 0.5 * x + rng.standard_normal(n)
    slope = 0.6 + 0.2 * x + 0.5 * rng.standard_normal(n)
    return pd.DataFrame({f"t{t + 1}": level + t * slope + 0.7 * rng.standard_normal(n) for t in range(4)} | {"x": x})


def paths(rng: np.random.Generator, n: int) -> pd.DataFrame:
    """Observed variables: two covariates, two that drive each other, a mediator chain, one nearly collinear."""
    z1, z2 = rng.multivariate_normal([0, 0], [[1, 0.3], [0.3, 1]], n).T
    e = rng.standard_normal((n, 4))
    a, b = np.linalg.solve([[1, -0.3], [-0.4, 1]], np.vstack([0.6 * z1 + e[:, 0], 0.5 * z2 + e[:, 1]]))
    m = 0.5 * z1 - 0.4 * z2 + e[:, 2]
    y = 0.6 * m + 0.2 * z1 + e[:, 3]
    return pd.DataFrame({"z1": z1, "z2": z2, "z3": z1 + 0.05 * rng.standard_normal(n), "a": a, "b": b, "m": m, "y": y})


def bifactor(rng: np.random.Generator, n: int) -> pd.DataFrame:
    """A general factor over nine items and three group factors; items 2, 5 and 8 are worded the other way round."""
    general, groups = rng.standard_normal(n), rng.standard_normal((n, 3))
    columns = {}
    for k in range(9):
        columns[f"b{k + 1}"] = (0.6 * general + 0.5 * groups[:, k // 3] + 0.6 * rng.standard_normal(n)) * (-1) ** (
            k % 3 == 1
        )
    return pd.DataFrame(columns)


def heywood(rng: np.random.Generator, n: int) -> pd.DataFrame:
    """Three items whose sample correlations ask for a negative residual variance: .9, .8 and .6."""
    root = np.linalg.cholesky(np.array([[1, 0.9, 0.8], [0.9, 1, 0.6], [0.8, 0.6, 1]]))
    raw = rng.standard_normal((n, 3))
    raw -= raw.mean(0)
    white = np.linalg.solve(np.linalg.cholesky(np.cov(raw.T, bias=True)), raw.T)
    return pd.DataFrame((root @ white).T, columns=["h1", "h2", "h3"])


def holes(rng: np.random.Generator) -> pd.DataFrame:
    """Holzinger and Swineford's nine tests: x5 and x9 go missing when x1 is low, x2 and x7 at random."""
    table = pd.read_csv(DATA / "holzinger_swineford.csv")[["school", *[f"x{i}" for i in range(1, 10)]]]
    low = table["x1"] < table["x1"].quantile(0.4)
    for name, chance in (("x5", 0.4 * low), ("x9", 0.5 * low), ("x2", 0.1), ("x7", 0.15)):
        table.loc[rng.random(len(table)) < chance, name] = np.nan
    return table


def clusters(rng: np.random.Generator) -> pd.DataFrame:
    """Six items of two factors in 60 clusters of 3 to 9 rows, two regions, with weights; y2h and y5h have holes."""
    place = np.repeat(np.arange(60), rng.integers(3, 10, 60))
    shared = rng.standard_normal((60, 2))[place]
    f = shared @ np.array([[0.5, 0.2], [0.0, 0.5]]) + 0.8 * rng.multivariate_normal(
        [0, 0], [[1, 0.4], [0.4, 1]], len(place)
    )
    table = factors(rng, f, 3, "c")
    table.columns = [f"y{k}" for k in range(1, 7)]
    weight = np.exp(0.4 * shared[:, 0] + 0.3 * rng.standard_normal(len(place)))
    low = table["y1"] < 0
    for name, chance in (("y2", 0.3), ("y5", 0.2)):
        table[f"{name}h"] = table[name].mask(low & (rng.random(len(place)) < chance))
    return table.assign(cluster=place + 1, region=np.where(place < 30, "north", "south"), weight=weight)


def resamples(rng: np.random.Generator) -> pd.DataFrame:
    """Thirty resamples of the 300 rows of the mediation data, as row numbers from 1."""
    return pd.DataFrame(1 + rng.integers(0, 300, (30, 300)), columns=[f"r{k}" for k in range(1, 301)])


def ordinal_groups(rng: np.random.Generator) -> pd.DataFrame:
    """Two groups, three factors: four items of four categories, four of three, four binary; group b differs.

    In group b the latent means and variances differ, the unique variances are larger, u4 has other thresholds and v4
    another loading.
    """
    loadings = np.tile([0.8, 0.7, 0.6, 0.75], 3)
    cuts = [[-0.9, 0.1, 1.0]] * 4 + [[-0.6, 0.7]] * 4 + [[-0.1]] * 4
    parts = []
    for name, n, mean, spread, unique in (("a", 450, 0.0, 1.0, 1.0), ("b", 550, 0.3, 1.2, 1.3)):
        f = mean + spread * rng.multivariate_normal(np.zeros(3), 0.6 * np.eye(3) + 0.4, n)
        own = loadings + (np.arange(12) == 7) * (0.3 if name == "b" else 0.0)
        y = np.repeat(f, 4, axis=1) * own + unique * np.sqrt(1 - loadings**2) * rng.standard_normal((n, 12))
        codes = {
            f"{'uvw'[k // 4]}{k % 4 + 1}": 1
            + np.digitize(y[:, k], np.array(cuts[k]) + 0.15 * (k % 4) - (0.4 if name == "b" and k == 3 else 0.0))
            for k in range(12)
        }
        parts.append(pd.DataFrame({"group": name, **codes}))
    return pd.concat(parts, ignore_index=True)


def main() -> None:
    """Write every file; each has its own stream, so that adding one changes no other."""
    makers = {
        "sim_twelve_paths": lambda rng: twelve_paths(rng, 500),
        "sim_mediation": lambda rng: mediation(rng, 300),
        "sim_ordinal12": lambda rng: ordinal(rng, 600, 3, 4, [-0.8, 0.1, 0.9], "o"),
        "sim_ordinal25": lambda rng: ordinal(rng, 1000, 5, 5, [-1.5, -0.9, -0.2, 0.4, 1.2], "q"),
        "sim_growth": lambda rng: growth(rng, 250),
        "sim_paths": lambda rng: paths(rng, 400),
        "sim_bifactor": lambda rng: bifactor(rng, 500),
        "sim_heywood": lambda rng: heywood(rng, 120),
        "hs_holes": holes,
        "sim_resamples": resamples,
        "sim_clusters": clusters,
        "sim_ordinal_groups": ordinal_groups,
    }
    for stream, (name, make) in enumerate(makers.items()):
        make(np.random.default_rng([SEED, stream])).to_csv(DATA / f"{name}.csv", index=False, float_format="%.6g")


if __name__ == "__main__":
    main()
