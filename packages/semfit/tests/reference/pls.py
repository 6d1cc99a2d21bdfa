"""Write pls.json: PLS path models as the Python port of seminr estimates them.

    python -m venv env && env/bin/pip install seminr==0.2.1       (GPL-3: never a dependency; its numbers are no code)
    env/bin/python packages/semfit/tests/reference/pls.py

Nine constructs of four items and twelve paths (data/sim_twelve_paths.csv); iterated until a weight changes by less than
1e-14. The values are rounded to twelve digits.
"""

from __future__ import annotations

import csv
import json
from importlib.metadata import version
from pathlib import Path

import numpy as np
import seminr

HERE = Path(__file__).parent
CAUSES = {"f5": "f1 f2", "f6": "f2 f3", "f7": "f5 f4", "f8": "f5 f6", "f9": "f7 f8 f1 f6"}
CASES = {
    "mode A, path": ("AAAAAAAAA", seminr.path_weighting),
    "mode A, factorial": ("AAAAAAAAA", seminr.path_factorial),
    "mode B causes, path": ("BBBBAAAAA", seminr.path_weighting),
    "mode B, factorial": ("BBBBBBBBB", seminr.path_factorial),
    "consistent, path": ("CCCCCCCCC", seminr.path_weighting),
}


def block(k: int, mode: str):
    """Return construct number k of four items."""
    name, items = f"f{k}", [f"v{k}{i}" for i in range(1, 5)]
    if mode == "C":
        return seminr.reflective(name, items)
    return seminr.composite(name, items, seminr.mode_A if mode == "A" else seminr.mode_B)


def square(matrix) -> dict[str, dict[str, float]]:
    """Return the cells of a named matrix that are not zero."""
    values = np.asarray(matrix.values)
    return {
        row: {column: float(f"{values[i, j]:.12g}") for j, column in enumerate(matrix.cols) if values[i, j] != 0}
        for i, row in enumerate(matrix.rows)
    }


def main() -> None:
    """Estimate every case."""
    rows = list(csv.reader((HERE / "data" / "sim_twelve_paths.csv").open()))
    values = np.array(rows[1:], float)
    data = {name: values[:, k] for k, name in enumerate(rows[0])}
    paths = seminr.relationships(*(seminr.paths(of.split(), to) for to, of in CAUSES.items()))
    out = {"seminr": version("seminr"), "cases": {}}
    for name, (modes, inner) in CASES.items():
        blocks = seminr.constructs(*(block(k, mode) for k, mode in enumerate(modes, 1)))
        fit = seminr.estimate_pls(data, blocks, paths, inner_weights=inner, max_it=3000, stop_criterion=14)
        out["cases"][name] = {
            "modes": modes,
            "scheme": "path" if inner is seminr.path_weighting else "factorial",
            "weights": square(fit.outer_weights),
            "loadings": square(fit.outer_loadings),
            "paths": square(fit.path_coef),
            "r2": square(fit.r_squared),
            "rho_A": square(seminr.rho_A(fit)),
        }
    (HERE / "pls.json").write_text(json.dumps(out, indent=0) + "\n")


if __name__ == "__main__":
    main()
