"""Write pls.json: PLS path models as the Python port of seminr estimates them.

    python -m venv env && env/bin/pip install seminr==0.2.1       (GPL-3: never a dependency; its numbers are no code)
    env/bin/python packages/semfit/tests/reference/pls.py

Five models (nine constructs and twelve paths; three constructs of eleven items and 75 rows; one construct of a single
item; a mediation; three constructs of ordered answers) in nine ways, iterated until a weight changes by less than
1e-14. The values are rounded to twelve digits.
PLSpredict has ten folds: rows 0, 11, 22, ... (modulo the number of rows) are taken in this order, as R's cut parts it.
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
NINE = {f"f{k}": [f"v{k}{i}" for i in range(1, 5)] for k in range(1, 10)}
DEMOCRACY = {"ind60": ["x1", "x2", "x3"], "dem60": ["y1", "y2", "y3", "y4"], "dem65": ["y5", "y6", "y7", "y8"]}
SPEED = {"visual": ["x1", "x2", "x3"], "textual": ["x4", "x5", "x6"], "speed": ["x9"]}
MEDIATION = {f"c{k}": [f"i{k}{i}" for i in range(1, 5)] for k in (1, 2, 3)}
ORDERED = {f"o{k}": [f"o{k}{i}" for i in range(1, 5)] for k in (1, 2, 3)}
MODELS = {
    "nine": (
        "sim_twelve_paths",
        NINE,
        {"f5": "f1 f2", "f6": "f2 f3", "f7": "f5 f4", "f8": "f5 f6", "f9": "f7 f8 f1 f6"},
    ),
    "democracy": ("political_democracy", DEMOCRACY, {"dem60": "ind60", "dem65": "ind60 dem60"}),
    "mediation": ("sim_mediation", MEDIATION, {"c2": "c1", "c3": "c1 c2"}),
    "ordered": ("sim_ordinal12", ORDERED, {"o3": "o1 o2"}),
    "speed": ("holzinger_swineford", SPEED, {"textual": "visual", "speed": "visual textual"}),
}
CASES = {
    "mode A, path": ("nine", "AAAAAAAAA", seminr.path_weighting),
    "mode A, factorial": ("nine", "AAAAAAAAA", seminr.path_factorial),
    "mode B causes, path": ("nine", "BBBBAAAAA", seminr.path_weighting),
    "mode B, factorial": ("nine", "BBBBBBBBB", seminr.path_factorial),
    "consistent, path": ("nine", "CCCCCCCCC", seminr.path_weighting),
    "democracy, path": ("democracy", "AAA", seminr.path_weighting),
    "single item, path": ("speed", "AAA", seminr.path_weighting),
    "mediation, factorial": ("mediation", "ABA", seminr.path_factorial),
    "ordered answers, path": ("ordered", "AAA", seminr.path_weighting),
}


def block(name: str, items: list[str], mode: str):
    """Return a construct."""
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
    found = seminr.predict_pls(fit, technique=technique, no_folds=10, ordering=[11 * i % n for i in range(n)])
    errors = item_metrics(found)
    return {"pls": square(errors.pls_out_of_sample), "lm": square(errors.lm_out_of_sample)}


def main() -> None:
    """Estimate every case."""
    out = {"seminr": version("seminr"), "cases": {}}
    for name, (model, modes, inner) in CASES.items():
        file, constructs, causes = MODELS[model]
        rows = list(csv.DictReader((HERE / "data" / f"{file}.csv").open()))
        data = {item: np.array([float(row[item]) for row in rows]) for own in constructs.values() for item in own}
        blocks = seminr.constructs(*(block(*each, mode) for each, mode in zip(constructs.items(), modes, strict=True)))
        paths = seminr.relationships(*(seminr.paths(of.split(), to) for to, of in causes.items()))
        fit = seminr.estimate_pls(data, blocks, paths, inner_weights=inner, max_it=3000, stop_criterion=14)
        out["cases"][name] = {
            "data": file,
            "constructs": constructs,
            "causes": causes,
            "modes": modes,
            "scheme": "path" if inner is seminr.path_weighting else "factorial",
            "weights": square(fit.outer_weights),
            "loadings": square(fit.outer_loadings),
            "paths": square(fit.path_coef),
            "r2": square(fit.r_squared),
            "reliability": square(seminr.reliability_table(fit)),
            "htmt": square(seminr.htmt(fit)),
            "predict": {
                kind: predicted(fit, technique, len(rows))
                for kind, technique in (("direct", seminr.predict_DA), ("earliest", seminr.predict_EA))
            },
        }
    (HERE / "pls.json").write_text(json.dumps(out, indent=0) + "\n")


if __name__ == "__main__":
    main()
