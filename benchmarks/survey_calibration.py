"""Calibration of the survey's analysis, from screening to verdict: `python benchmarks/survey_calibration.py [--write]`.

`--targets` computes what intervals are held against where the answers depart from the model; `--run TIME` then runs
the data sets until that time, each round kept in a file, so that a run that was stopped goes on where it was; `--write`
makes the page from them. Seed, sizes and rule were fixed before the run
(docs/decisions/0019-survey-calibration-fixed-beforehand.md).
"""

from __future__ import annotations

import argparse
import json
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time

import calibration
import numpy as np
import pandas as pd
import survey_calibration_page  # beside this file
from calibration import Cell, DepartingTruth, null_truth

import semfit
from socialcommerce import survey
from stockflow import experiments
from surveysem import Defects, Truth

SEED, ROUNDS = 20241122, 20
TRIAL_SEED, TARGET_SEED = 1, 2  # a trial and the pseudo-true values must not look at the data sets of the run
EACH = {"truth": 50, "null": 50, "null a": 5, "null b": 5, "departures": 5, "missing": 3, "refit": 1}
MORE = {"null a": 10, "null b": 10, "departures": 10, "missing": 6, "refit": 2}
"""Data sets a round: 1000 under the truth and under the null in ROUNDS rounds, then MORE while the clock allows."""
MOST = 20  # rounds of MORE
NOBS = 600
DEFECTS = Defects(straight_liners=5, speeders=6, failed_checks=6, duplicates=3, out_of_range=2)
DEPARTURES = {
    "skew": 0.5, "cross_loading": 0.1, "method": 0.1, "missing": 0.01, "missing_slope": 1.0, "careless": 0.05
}  # fmt: skip
HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
ROWS, TARGETS = ROOT / "build" / "survey_calibration", HERE / "survey_calibration_targets.json"
TIMES = ROWS / "lavaan.json"
EQUAL = ("H50",)  # costs as much as the other tests together, and claims what holds in most cells
TARGET_ROWS = {"truth": (50_000, 2), "departures": (10_000, 10)}  # respondents and samples: 100,000 in all


def no_effect(truth: Truth) -> Truth:
    """Return the truth in which every path, moderation and slope is zero."""
    zero = {outcome: dict.fromkeys(predictors, 0.0) for outcome, predictors in truth.paths.items()}
    moderations = {outcome: dict.fromkeys(terms, 0.0) for outcome, terms in truth.moderations.items()}
    return replace(truth, effects=zero, moderations=moderations, contact=replace(truth.contact, drop=0.0))


@cache
def cells() -> dict[str, Cell]:
    """Return where data sets are drawn from, by name."""
    own = survey.own_truth()
    apart = replace(null_truth(own, "a"), differences={"stickiness": {"emotion": 0.10}})
    departing = DepartingTruth.of(own, **DEPARTURES)
    targets = json.loads(TARGETS.read_text(encoding="utf-8")) if TARGETS.exists() else {}
    made = {
        "truth": Cell(own),
        "null": Cell(no_effect(own), left_out=EQUAL),
        "null a": Cell(apart),
        "null b": Cell(null_truth(own, "b"), left_out=EQUAL),
        "departures": Cell(departing, left_out=EQUAL, targets=targets.get("departures", {})),
        "missing": Cell(DepartingTruth.of(own, missing=0.006), left_out=EQUAL),
        "refit": Cell(own, method="refit", left_out=EQUAL),
    }
    return {name: replace(cell, nobs=NOBS, defects=DEFECTS) for name, cell in made.items()}


def now() -> str:
    """Return the time as `--run` takes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M")


def rounds() -> list[tuple[str, dict[str, int]]]:
    """Return every round's name and data sets by cell, in order."""
    return [(f"round-{k:02}", EACH) for k in range(ROUNDS)] + [(f"more-{k:02}", MORE) for k in range(MOST)]


def run(until: str, executor: str, workers: int | None, *, seed: int = SEED, only: int | None = None) -> None:
    """Run the rounds that are not yet kept until a time (YYYY-MM-DDTHH:MM, UTC); a round under way is finished."""
    ROWS.mkdir(parents=True, exist_ok=True)
    for number, (name, each) in enumerate(rounds()[:only]):
        file = ROWS / f"{name}.csv"
        if file.exists():
            continue
        if now() >= until:
            break
        table = [{"cell": cell} for cell, count in each.items() for _ in range(count)]
        found = experiments.run(
            partial(calibration.data_set, cells()),
            table,
            np.random.SeedSequence(seed, spawn_key=(number,)),
            executor,
            workers=workers,
        )
        found.assign(set=[f"{name}-{row}" for row in found["row"]]).to_csv(file.with_suffix(".part"), index=False)
        file.with_suffix(".part").rename(file)  # whole or not at all
        print(name, now(), flush=True)


def targets() -> dict[str, dict[str, float]]:
    """Return pseudo-true values by cell and hypothesis."""
    found = {name: calibration.pseudo_true(cells()[name], TARGET_SEED, *size) for name, size in TARGET_ROWS.items()}
    return {name: {key: round(value, 5) for key, value in values.items()} for name, values in found.items()}


def lavaan(sets: int = 3) -> dict[str, float]:
    """Return processor seconds of the structural model by robust ML, here and in lavaan: medians over data sets."""
    ours, theirs, gaps = [], [], []
    for k in range(sets):
        study = calibration._drawn(cells()["truth"], 100 + k, 0)
        model, data = study.codebook.model(study.constructs), study.answers[study.items]
        chisq = _ours(model, data)[1]  # once before the clock counts: loads what is loaded late
        ours += [_ours(model, data)[0] for _ in range(5)]  # short, so that what else the machine does would show
        with TemporaryDirectory() as folder:
            data.to_csv(Path(folder, "data.csv"), index=False)
            Path(folder, "task.json").write_text(json.dumps({"model": model}), encoding="utf-8")
            subprocess.run(["Rscript", str(HERE / "survey_lavaan.R"), folder], check=True)
            out = json.loads(Path(folder, "out.json").read_text(encoding="utf-8"))
        theirs.append(out["seconds"])
        gaps.append(abs(out["chisq"] / chisq - 1))
    return {
        "ours": float(np.median(ours)),
        "lavaan": float(np.median(theirs)),
        "gap": float(max(gaps)),
        "version": out["version"],
    }


def _ours(model: str, data: pd.DataFrame) -> tuple[float, float]:
    """Return processor seconds and chi2 of one fit with its tables."""
    start = process_time()
    fit = semfit.fit(model, data, estimator="MLR")
    tables = fit.estimates, fit.standardized, fit.fit_measures
    return process_time() - start, float(tables[-1]["chisq"])


def kept_rows() -> pd.DataFrame:
    """Return the rows of all rounds kept; what a cell leaves out is no failure."""
    rows = pd.concat([pd.read_csv(file, keep_default_na=False, na_values=[""]) for file in sorted(ROWS.glob("*.csv"))])
    rows["failure"] = rows["failure"].fillna("")
    rows = rows.sort_values("cell", key=lambda names: names.map(list(EACH).index), kind="stable", ignore_index=True)
    left_out = [row.id in cells()[row.cell].left_out for row in rows[["cell", "id"]].itertuples()]
    rows.loc[left_out, "failure"] = calibration.LEFT_OUT
    return rows


def main() -> None:
    """Compute pseudo-true values, run data sets, or make the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--targets", action="store_true", help="compute the pseudo-true values")
    parser.add_argument("--run", metavar="TIME", help="run data sets until then, as 2026-01-31T23:59 (UTC)")
    parser.add_argument("--lavaan", action="store_true", help="time one model here and in lavaan")
    parser.add_argument("--write", action="store_true", help="make the page and its figure from what was run")
    parser.add_argument("--executor", default="processes", help="as of experiments.run: serial, processes, an address")
    parser.add_argument("--workers", type=int, help="processes")
    args = parser.parse_args()
    if args.targets:
        TARGETS.write_text(json.dumps(targets(), indent=1) + "\n", encoding="utf-8")
    if args.run:
        run(args.run, args.executor, args.workers)
    if args.lavaan:
        TIMES.write_text(json.dumps(lavaan()), encoding="utf-8")
    if args.write:
        text, figure = survey_calibration_page.page(
            kept_rows(),
            cells(),
            json.loads(TIMES.read_text(encoding="utf-8")),
            json.loads(TARGETS.read_text(encoding="utf-8")),
        )
        (ROOT / "docs" / "survey_calibration.md").write_text(text, encoding="utf-8")
        (ROOT / "docs" / "survey_calibration.svg").write_text(figure, encoding="utf-8")


if __name__ == "__main__":
    main()
