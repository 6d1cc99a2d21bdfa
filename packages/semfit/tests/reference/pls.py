"""Write pls.json: PLS path models as the Python port of seminr estimates them.

    python -m venv env && env/bin/pip install seminr==0.2.1       (GPL-3: never a dependency; its numbers are no code)
    env/bin/python packages/semfit/tests/reference/pls.py

Nine constructs of four items and twelve paths (data/sim_twelve_paths.csv); iterated until a weight changes by less than
1e-14. The values are rounded to twelve digits. PLSpredict has ten folds: rows 0, 7, 14, ... (modulo the number of rows)
are taken in this order, a tenth of them a fold.
"""

from __future__ import annotations

import csv
import json
from importlib.metadata import version
from pathlib import Path

import numpy as np
import seminr
from seminr.predict.metrics import item_metrics

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
    """Return the cells of a named matrix that are neither zero nor missing."""
    values = np.asarray(matrix.values)
    return {
        row: {column: float(f"{v:.12g}") for v, column in zip(values[i], matrix.cols, strict=True) if v and v == v}
        for i, row in enumerate(matrix.rows)
    }


def predicted(fit, technique, n: int) -> dict:
    """Return errors of prediction, by PLS and by the linear model."""
    found = seminr.predict_pls(fit, technique=technique, no_folds=10, ordering=[7 * i % n for i in range(n)])
    errors = item_metrics(found)
    return {"pls": square(errors.pls_out_of_sample), "lm": square(errors.lm_out_of_sample)}


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
            "reliability": square(seminr.reliability_table(fit)),
            "htmt": square(seminr.htmt(fit)),
            "predict": {
                kind: predicted(fit, technique, len(values))
                for kind, technique in (("direct", seminr.predict_DA), ("earliest", seminr.predict_EA))
            },
        }
    (HERE / "pls.json").write_text(json.dumps(out, indent=0) + "\n")


if __name__ == "__main__":
    main()
