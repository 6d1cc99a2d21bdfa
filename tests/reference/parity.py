"""Compare every reference model with lavaan: `python tests/reference/parity.py` prints the table and writes docs/parity.md."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from socialcommerce import sem

HERE = Path(__file__).parent
MODELS = json.loads((HERE / "models.json").read_text())
LAVAAN = json.loads((HERE / "lavaan.json").read_text())
INDICES = ("cfi", "tli", "nfi", "rfi", "ifi", "rni", "rmsea", "rmsea.ci.lower", "rmsea.ci.upper", "srmr", "gfi", "agfi", "mfi",
           "cfi.scaled", "tli.scaled", "cfi.robust", "tli.robust", "rmsea.scaled", "rmsea.robust", "pvalue", "pvalue.scaled",
           "rmsea.pvalue")
CHISQ = ("chisq", "chisq.scaled", "baseline.chisq", "baseline.chisq.scaled", "logl", "unrestricted.logl", "aic", "bic", "bic2")


@dataclass(frozen=True)
class Difference:
    """Largest absolute differences of one model; ``relative`` is the estimates' in units of their standard errors."""

    model: str
    estimate: float
    error: float
    relative: float
    standardized: float
    chisq: float
    indices: float
    modification: float
    lower: float  # our chi2 less lavaan's


def fit(name: str) -> sem.SemFit:
    """Fit one reference model with this engine."""
    spec = MODELS[name]
    args = dict(spec["args"])
    data = pd.read_csv(HERE / "data" / f"{spec['data']}.csv")
    return sem.fit(spec["model"], data.iloc[: args.pop("rows", len(data))], **args)


def keyed(table: dict[str, list], value: str) -> dict[tuple, float]:
    """Index lavaan's column by relation; a covariance by both orders."""
    groups = table.get("group", [1] * len(table["lhs"]))
    out = {}
    for lhs, op, rhs, group, number in zip(table["lhs"], table["op"], table["rhs"], groups, table[value], strict=True):
        out[lhs, op, rhs if op != ":=" else "", group] = number
        if op == "~~":
            out[rhs, op, lhs, group] = number
    return out


def largest(ours: pd.DataFrame, column: str, theirs: dict[tuple, float], scale: str | None = None) -> float:
    """Return the largest absolute difference over the relations both have."""
    worst = 0.0
    for row in ours.to_dict("records"):
        key = (row["lhs"], row["op"], row["rhs"] if row["op"] != ":=" else "", row["group"])
        other = theirs.get(key)
        if other is None or isinstance(other, str) or not math.isfinite(row[column]):
            continue
        gap = abs(row[column] - other)
        worst = max(worst, gap if scale is None else (gap / row[scale] if row[scale] > 0 else 0.0))
    return worst


def measured(ours: pd.Series, theirs: dict[str, float], names: tuple[str, ...]) -> float:
    """Return the largest absolute difference over the named measures both have."""
    both = [n for n in names if n in ours and isinstance(theirs.get(n), float | int) and math.isfinite(ours[n])]
    # lavaan estimates the baseline of a scaled test by its own optimiser, to six digits
    unit = {n: abs(theirs[n]) if n == "baseline.chisq.scaled" else 1.0 for n in both}
    return max((abs(ours[n] - theirs[n]) / unit[n] for n in both), default=0.0)


def compare(name: str, result: sem.SemFit | None = None) -> Difference:
    """Return the largest differences of one model."""
    result = fit(name) if result is None else result
    theirs = LAVAAN["models"][name]
    est, se = keyed(theirs["estimates"], "est"), keyed(theirs["estimates"], "se")
    std, std_se = keyed(theirs["standardized"], "est.std"), keyed(theirs["standardized"], "se")
    standardized = max(largest(result.standardized, "std_all", std), largest(result.standardized, "se", std_se))
    indices = theirs.get("modification")
    mi = largest(result.modification_indices, "mi", keyed(indices, "mi")) if indices and hasattr(result, "modification_indices") else 0.0
    return Difference(name, largest(result.estimates, "est", est), largest(result.estimates, "se", se),
                      largest(result.estimates, "est", est, "se"), standardized, measured(result.fit_measures, theirs["fit"], CHISQ),
                      measured(result.fit_measures, theirs["fit"], INDICES), mi,
                      result.fit_measures["chisq"] - theirs["fit"]["chisq"])


def comparable(name: str) -> bool:
    """Whether lavaan has a solution with standard errors to compare with."""
    theirs = LAVAAN["models"][name]
    return "fit" in theirs and isinstance(theirs["fit"].get("chisq"), float | int) and theirs["gradient"] < 1e-6


if __name__ == "__main__":
    import sys
    for name in sys.argv[1:] or MODELS:
        if not comparable(name):
            print(name, "lavaan failed:", LAVAAN["models"][name].get("error"), LAVAAN["models"][name]["warnings"], fit(name).problems)
            continue
        d = compare(name)
        print(f"{name:20s} est {d.estimate:.0e} se {d.error:.0e} std {d.standardized:.0e} chi {d.chisq:.0e} ind {d.indices:.0e} low {d.lower:.0e} mi {d.modification:.0e}", flush=True)
