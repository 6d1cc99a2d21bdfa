"""Compare every reference model with lavaan; run, it writes docs/parity.md."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import stress

import semfit

HERE = Path(__file__).parent
MODELS = json.loads((HERE / "models.json").read_text())
LAVAAN = json.loads((HERE / "lavaan.json").read_text())
INDICES = (
    "cfi",
    "tli",
    "nfi",
    "rfi",
    "ifi",
    "rni",
    "rmsea",
    "rmsea.ci.lower",
    "rmsea.ci.upper",
    "srmr",
    "gfi",
    "agfi",
    "mfi",
    "cfi.scaled",
    "tli.scaled",
    "cfi.robust",
    "tli.robust",
    "rmsea.scaled",
    "rmsea.ci.lower.scaled",
    "rmsea.ci.upper.scaled",
    "rmsea.pvalue.scaled",
    "rmsea.robust",
    "rmsea.ci.lower.robust",
    "rmsea.ci.upper.robust",
    "rmsea.pvalue.robust",
    "pvalue",
    "pvalue.scaled",
    "rmsea.pvalue",
)
CHISQ = (
    "chisq",
    "chisq.scaled",
    "chisq.scaling.factor",
    "baseline.chisq",
    "logl",
    "unrestricted.logl",
    "aic",
    "bic",
    "bic2",
)
COUNTS = ("npar", "df", "df.scaled", "baseline.df")

SHOWN = ("estimate", "error", "relative", "standardized", "chisq", "indices", "modification")


@dataclass(frozen=True)
class Difference:
    """Largest absolute differences between this engine and lavaan, or the bars they must stay under.

    ``relative`` is the estimates' in units of their standard errors, ``chisq`` is relative for ordered items,
    ``baseline`` is relative (lavaan finds the baseline of a scaled test by its own optimiser, to six digits),
    ``lower`` is our chi2 less lavaan's, ``counts`` the differences of npar and degrees of freedom.
    """

    estimate: float
    error: float
    relative: float
    standardized: float
    chisq: float
    indices: float
    modification: float = 0.0
    baseline: float = 0.0
    counts: float = 0.0
    lower: float = 0.0


# lavaan 0.6-14 sums the groups' traces of the baseline without weighing them by n / N: these two differ by design
GROUP_BASELINE = ("cfi.robust", "tli.robust")


def bars(name: str) -> Difference:
    """Return what a model's differences must stay under."""
    args = MODELS[name]["args"]
    if args.get("ordered"):
        return Difference(1e-4, 1e-5, 1e-4, 1e-5, 1e-6, 1e-6, 1e-4, 1e-5)
    if args.get("missing") == "fiml":
        return Difference(1e-5, 1e-5, 1e-4, 1e-5, 1e-5, 1e-6, 1e-4, 1e-5)
    if args.get("group"):
        return Difference(3e-5, 1e-5, 1e-4, 1e-5, 1e-6, 1e-6, 1e-4, 1e-5)
    scaled = args.get("estimator") in ("MLM", "MLR")  # their indices rest on lavaan's baseline of six digits
    return Difference(1e-5, 1e-5, 1e-4, 1e-5, 1e-6, 1e-6 if scaled else 1e-7, 1e-4, 1e-5)


def fit(name: str) -> semfit.SemFit:
    """Fit one reference model with this engine."""
    spec = MODELS[name]
    args = dict(spec["args"])
    data = pd.read_csv(HERE / "data" / f"{spec['data']}.csv")
    return semfit.fit(spec["model"], data.iloc[: args.pop("rows", len(data))], **args)


def keyed(table: dict[str, list], value: str) -> dict[tuple, float]:
    """Index lavaan's column by relation; a covariance by both orders."""
    groups = table.get("group", [1] * len(table["lhs"]))
    out = {}
    for lhs, op, rhs, group, number in zip(table["lhs"], table["op"], table["rhs"], groups, table[value], strict=True):
        out[(lhs, op, rhs, group) if op != ":=" else (lhs, op, "", 0)] = number
        if op == "~~":
            out[rhs, op, lhs, group] = number
    return out


def largest(ours: pd.DataFrame, column: str, theirs: dict[tuple, float], scale: str | None = None) -> float:
    """Return the largest absolute difference over the relations both have."""
    worst = 0.0
    for row in ours.to_dict("records"):
        key = (row["lhs"], row["op"], row["rhs"] if row["op"] != ":=" else "", row["group"])
        other = theirs.get(key)
        if not isinstance(other, float | int):
            continue
        if not math.isfinite(row[column]):
            return math.inf
        gap = abs(row[column] - other)
        worst = max(worst, gap if scale is None else (gap / row[scale] if row[scale] > 0 else 0.0))
    return worst


def measured(ours: pd.Series, theirs: dict[str, float], names: tuple[str, ...], relative: bool = False) -> float:
    """Return the largest difference over the named measures both have."""
    both = [n for n in names if n in ours and isinstance(theirs.get(n), float | int) and math.isfinite(ours[n])]
    return max(
        (abs(ours[n] - theirs[n]) / (max(abs(theirs[n]), 1e-300) if relative else 1.0) for n in both), default=0.0
    )


def compare(name: str) -> Difference:
    """Return the largest differences of one model."""
    result, theirs = fit(name), LAVAAN["models"][name]
    est, se = keyed(theirs["estimates"], "est"), keyed(theirs["estimates"], "se")
    std, std_se = keyed(theirs["standardized"], "est.std"), keyed(theirs["standardized"], "se")
    indices, ordered = theirs.get("modification"), bool(MODELS[name]["args"].get("ordered"))
    ours, given = result.fit_measures, dict(theirs["fit"])
    if result.sample.missing and "weights" not in MODELS[name]["args"]:
        # lavaan 0.6-14 takes the GFI of incomplete rows from available-case moments, everything else from EM's
        del given["gfi"], given["agfi"]
    if result.test.scaling is not None and result.test.scaling * result.test.df < 1:
        given.pop("rmsea.ci.upper.scaled", None)  # lavaan says 0 where the degrees of freedom it scales fall below 1
    if ordered and MODELS[name]["args"].get("group"):
        ours = ours.drop(list(GROUP_BASELINE), errors="ignore")
    return Difference(
        estimate=largest(result.estimates, "est", est),
        error=largest(result.estimates, "se", se),
        relative=largest(result.estimates, "est", est, "se"),
        standardized=max(largest(result.standardized, "std_all", std), largest(result.standardized, "se", std_se)),
        chisq=measured(ours, given, CHISQ, relative=ordered),
        indices=measured(ours, given, INDICES),
        modification=largest(result.modification_indices, "mi", keyed(indices, "mi")) if indices else 0.0,
        baseline=measured(ours, given, ("baseline.chisq.scaled",), relative=True),
        counts=measured(ours, given, COUNTS),
        lower=ours["chisq"] - given["chisq"],
    )


def comparable(name: str) -> bool:
    """Whether lavaan has a solution with standard errors to compare with."""
    theirs = LAVAAN["models"][name]
    return "fit" in theirs and isinstance(theirs["fit"].get("chisq"), float | int) and theirs["gradient"] < 1e-8


def table() -> str:
    """Return the table of all models in Markdown, with the models lavaan has no solution for named below it."""
    lines = [
        "| model | what | estimate | SE | est. / SE | std. | chi2, logL | indices | mod. indices | chi2 - lavaan's |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    failed = []
    for name, spec in MODELS.items():
        if not comparable(name):
            problems = " ".join(fit(name).problems)
            failed.append(
                f"- `{name}` ({spec['about']}): lavaan finds no solution with standard errors. This engine: {problems}"
            )
            continue
        d, bar = compare(name), bars(name)
        cells = [_cell(getattr(d, k), getattr(bar, k)) for k in SHOWN]
        if not LAVAAN["models"][name].get("modification"):
            cells[-1] = "–"
        lines.append(f"| {name} | {spec['about']} | " + " | ".join(cells) + f" | {d.lower:+.0e} |")
    return "\n".join([*lines, "", *failed])


def _cell(found: float, bar: float) -> str:
    return f"{found:.0e}" + ("" if found <= bar else " **over**")


def stress_section() -> str:
    """Return what came of the stress set: counts, and every case where the two differ, with the reason."""
    theirs, ours = stress.lavaan(), {name: stress.outcome(name) for name in stress.CASES}
    lines: list[str] = []
    said: dict[str, list[str]] = {}
    for name, case in stress.CASES.items():
        one, other = ours[name], theirs[name]
        tested = math.isfinite(one.chisq)
        if other["solved"] != tested or tested and abs(one.chisq - other["chisq"]) > 1e-3:
            here = f"{one.chisq:.3f}" if tested else "solved, no test" if one.solved else "no solution"
            there = f"{other['chisq']:.3f}" if other["solved"] else "no solution"
            lines.append(f"| `{name}` | {case.about} | {there} | {here} |")
            if other["solved"] and not tested:
                why = re.sub(r" \(gradient \S+\)", "", one.why)  # a gradient's digits are a processor's
                said.setdefault(why, []).append(f"`{name}`")
    solved, given = sum(one.solved for one in ours.values()), sum(other["solved"] for other in theirs.values())
    seconds = {name: one.seconds for name, one in ours.items()}
    longest = max(ours, key=seconds.get)
    both = sum(not other["solved"] and not ours[name].solved for name, other in theirs.items())
    return f"""{len(ours)} samples that are small, weak, sparse or incomplete, generated from seeds
(`packages/semfit/tests/reference/stress.py`) and fitted by lavaan as its users would (`stress.R`). lavaan finds
{given} solutions with standard errors, this engine {solved}; neither finds one of {both}.
There a residual variance runs to minus infinity: lavaan says that it found nothing, this engine names the variance.
`packages/semfit/tests/test_stress.py` holds it to that, to chi2 at most 1e-3 above lavaan's, to a warning for whatever
has no solution or test, and to few steps. Of one processor, in one thread, the
fits took {sum(seconds.values()):.0f} s when this page was written, the longest {seconds[longest]:.1f} s (`{longest}`).
All that differ, by chi2:

| case | what | lavaan | here |
|---|---|---|---|
{chr(10).join(lines)}

What this engine says of those that only lavaan tests:

{chr(10).join(f"- {', '.join(names)}: {why}" for why, names in said.items())}

Why that is so:

- *solved, no test*: the rows' likelihood without a model has no maximum (60 rows of nine items, 80 of 24, a quarter
  missing): its covariance matrix goes on towards a singular one. lavaan stops EM after 500 steps, mostly saying so,
  and compares with where it got; its chi2 grows with the steps allowed. Estimates and standard errors are there in
  both.
- `rare_100_0`, `rare_100_3`: the marker of a factor shares no row of both rare answers with its other items, so that
  the data say nothing of its loadings. lavaan warns that its information matrix is not positive definite and prints
  numbers.
- `weak_50_3`, `weak_75_0`: several minima; this engine's lies lower."""


def page() -> str:
    """Return docs/parity.md."""
    about, (few, free) = LAVAAN["about"], (stress.lavaan()[name] for name in ("attrition_40_0", "saturated_40"))
    own, whole = stress.outcome("attrition_40_0"), stress.outcome("saturated_40")
    return f"""# Parity with lavaan

Largest absolute differences between `semfit` and {about["program"]} {about["version"]} ({about["r"]}),
model by model. Moments and chi2 divide by {about["divisor"]}; information: {about["information"]}. lavaan was run to
a gradient below 1e-8 (`packages/semfit/tests/reference/lavaan.R`). For ordered items the column of chi2 is relative.
Left out: cfi.robust and tli.robust of ordered items in several groups, where lavaan 0.6-14 does not weigh the groups of
the baseline by their share of the rows (two copies of one data set would fit worse than one).

`python packages/semfit/tests/reference/parity.py` writes this page, `packages/semfit/tests/test_parity.py` holds the
bars.

{table()}

## Stress set

{stress_section()}

## What is known to differ

- Reference is lavaan 0.6-14, as Debian 12 has it. Later releases, 0.7-2 the newest, were not run: of what they changed
  nothing is said here but the names of two indices, below.
- GFI and AGFI of incomplete rows: lavaan 0.6-14 takes them from available-case moments, everything else from EM's; here
  all are EM's. In 301 rows AGFI is 0.9934 there and 0.9935 here (`fiml_hs`), in 40 rows {few["agfi"]:.3f}
  and {own.agfi:.3f} (`attrition_40_0`); with lavaan's moments ours are lavaan's (`test_incomplete.py`).
  By the definition ours is right: a GFI says how much of the moments of the model without restrictions a model
  reproduces, so that this one itself has 1. It has {whole.gfi:.3f} here and {free["gfi"]:.3f} in lavaan,
  beside an SRMR of {free["srmr"]:.0e} from EM's moments (`saturated_40`); a remark in lavaan's source asks whether GFI
  should not take these too. lavaan 0.7 calls the two `gfi_lisrel` and `agfi_lisrel`, by its source from the same
  moments, and gives the name `gfi` to another index (Maydeu-Olivares, Ximénez & Revuelta 2024).
- No difference any more: `fmin` is chi2 / (2 N) in both, for ordered items too, though their chi2 divides by N - 1
  (`sparse_60_0`: 0.215702); with `missing="fiml"` and no value missing standard errors rest on the observed information
  in both (first free loading of Holzinger and Swineford's data: 0.1092, by the expected one 0.0997).
- A pair of items without a row of both rare answers: every correlation from about .9 to 1 explains it as well, and each
  engine stops somewhere there; chi2 agrees, as such a correlation has next to no weight.
- At most as many rows as variables: the covariances are singular, so that there is no unrestricted model to test
  against. lavaan prints a test of nine rows of nine items and refuses 40 of 40; here both are an error which says what
  can be done (`docs/sem.md` argues why).
- A fit without a solution: lavaan keeps the numbers of its last step, here estimates are nan and a warning says why.
"""


if __name__ == "__main__":
    text = page()
    print(text)
    (HERE.parents[3] / "docs" / "parity.md").write_text(text)
