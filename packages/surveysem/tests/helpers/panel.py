"""A panel drawn from a stated truth: two constructs asked twice, with errors that persons keep."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from books import PANEL

import surveysem
from surveysem.study import Study

LOADINGS = {"TR": (0.8, 0.75, 0.85, 0.7), "CO": (0.8, 0.7, 0.75)}
CHANGE = {"TR": 0.4, "CO": -0.1}  # of the latent mean, in standard deviations of the first wave
CUTS = [-1.5, -0.9, -0.3, 0.3, 0.9, 1.5]


def answers(nobs: int = 500, seed: int = 5, shift: float = 0.6, load: float = 0.0, holes: int = 0) -> pd.DataFrame:
    """Draw answers, ``holes`` missing; at the second wave TR4 is easier to agree to by ``shift``, CO3 loads more."""
    rng = np.random.default_rng(seed)
    first = rng.multivariate_normal([0, 0], [[1, 0.4], [0.4, 1]], nobs)
    rest = rng.multivariate_normal([0, 0], [[0.5, 0.1], [0.1, 0.5]], nobs)
    second = first @ np.array([[0.6, 0.05], [0.25, 0.65]]) + rest + [*CHANGE.values()]
    columns: dict[str, np.ndarray] = {}
    for k, (name, loadings) in enumerate(LOADINGS.items()):
        for j, loading in enumerate(loadings, 1):
            kept = 0.45 * rng.standard_normal(nobs)
            for wave, latent in ((1, first), (2, second)):
                more = load if (name, j, wave) == ("CO", 3, 2) else 0.0
                item = (loading + more) * latent[:, k] + kept + 0.45 * rng.standard_normal(nobs)
                item += shift if (name, j, wave) == ("TR", 4, 2) else 0.0
                columns[f"{name}{j}_t{wave}"] = np.digitize(item, CUTS) + 1
    frame = pd.DataFrame(columns).astype("Int64")
    for place in rng.choice(frame.size, holes, replace=False):
        frame.iloc[place // frame.shape[1], place % frame.shape[1]] = pd.NA
    frame = frame.assign(gender=rng.integers(1, 3, nobs))
    return frame[sorted(frame, key=lambda name: name[-3:])]  # one wave after the other


def study(folder: Path, estimator: str = "MLR", text: str | None = None, **drawn: Any) -> Study:
    """Write answers and codebook, and return their study."""
    answers(**drawn).to_csv(folder / "answers.csv", index=False)
    (folder / "book.toml").write_text(text or PANEL.read_text(encoding="utf-8"), encoding="utf-8")
    return surveysem.read_study(folder / "answers.csv", folder / "book.toml", estimator=estimator, draws=40)
