"""Time this engine, lavaan and semopy on the same tasks: `python benchmarks/sem.py [--quick] [--json FILE]`.

Every task is a fit from raw data with estimates, standard errors and fit measures; or a bootstrap; one BLAS thread.
The engines take turns over several rounds, so that a machine whose speed drifts treats all alike.
lavaan runs when Rscript and the package are there (Debian: r-cran-lavaan), semopy in an environment of its own under
build/ made on first use; a peer that is not there has no rows, none is guessed. Peak memory is that of a process that
does this task alone.
"""

from __future__ import annotations

import os

os.environ |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}  # before numpy is first imported

import argparse
import json
import multiprocessing
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

HERE = Path(__file__).resolve().parent
PAGE = HERE.parent / "docs" / "benchmarks" / "sem.md"
REFERENCE = HERE.parent / "packages" / "semfit" / "tests" / "reference"
sys.path[:0] = [str(REFERENCE)]

import simulate  # noqa: E402

import semfit  # noqa: E402 — after the thread limits

MODELS = json.loads((REFERENCE / "models.json").read_text())
SEED = 7
SEMOPY = HERE.parent / "build" / "peers" / "semopy"
SEMOPY_TASKS = ("cfa_9x4", "sem_12_paths", "fiml_hs", "mediation")

# task: (reference model, rows, bootstrap draws, rounds, repeats of ours and of a peer in a round)
TASKS = {
    "CFA 9 x 4, N = 1000": ("cfa_9x4", 1000, 0, 5, 10, 2),
    "SEM, 9 latents, 12 paths, N = 1000": ("sem_12_paths", 1000, 0, 5, 10, 2),
    "scalar invariance, two schools": ("school_scalar", None, 0, 5, 10, 2),
    "FIML, 9 items, 301 rows": ("fiml_hs", None, 0, 5, 10, 2),
    "WLSMV, 25 items, N = 2436": ("wlsmv_25", 2436, 0, 3, 3, 1),
    "bootstrap of a latent indirect effect, 1000 draws": ("mediation", 300, 1000, 3, 1, 1),
    "bootstrap of the 12-path model, 100 draws": ("sem_12_paths", 500, 100, 3, 1, 1),
}


class Alike(np.random.Generator):
    """Draws correlated normal values by Cholesky's root: singular vectors of equal values are the processor's own."""

    def multivariate_normal(self, *args: object) -> np.ndarray:
        return super().multivariate_normal(*args, method="cholesky")


def table(name: str, rows: int | None) -> pd.DataFrame:
    """Return the rows of a task: the reference data, or the same population with more rows."""
    makers: dict[str, Callable[[np.random.Generator, int], pd.DataFrame]] = {
        "sim_twelve_paths": simulate.twelve_paths,
        "sim_mediation": simulate.mediation,
        "sim_ordinal25": lambda rng, n: simulate.ordinal(rng, n, 5, 5, [-1.5, -0.9, -0.2, 0.4, 1.2], "q"),
    }
    source = MODELS[name]["data"]
    if rows is None:
        return pd.read_csv(REFERENCE / "data" / f"{source}.csv")
    return makers[source](Alike(np.random.PCG64(SEED)), rows)


def ours(name: str, data: pd.DataFrame, draws: int) -> float:
    """Return the chi2 of the fit; with draws, resample too."""
    fit = semfit.fit(MODELS[name]["model"], data, **MODELS[name]["args"])
    if draws:
        semfit.bootstrap(fit, draws, seed=SEED)
    else:
        _ = fit.estimates
    return float(fit.fit_measures["chisq"])


def timed(repeats: int, call: Callable[[], float]) -> tuple[float, float]:
    """Return the median of the seconds, and the last value."""
    seconds, value = [], np.nan
    for _ in range(repeats):
        begin = time.perf_counter()
        value = call()
        seconds.append(time.perf_counter() - begin)
    return statistics.median(seconds), value


def commands() -> dict[str, list[str]]:
    """Return the peers that are here, by name, with the command that runs a task in a folder."""
    found = {}
    asked = ["Rscript", "-e", "library(lavaan); library(jsonlite)"]
    if shutil.which("Rscript") and not subprocess.run(asked, capture_output=True).returncode:
        found["lavaan"] = ["Rscript", str(HERE / "sem_lavaan.R")]
    python = SEMOPY / "bin" / "python"
    if not python.exists():
        venv.create(SEMOPY, with_pip=True)
    install = [str(python), "-m", "pip", "install", "--quiet", "semopy==2.3.11"]
    if not subprocess.run(install, capture_output=True).returncode:
        found["semopy"] = [str(python), str(HERE / "sem_semopy.py")]
    return found


def peer(command: list[str], data: pd.DataFrame, name: str, draws: int, repeats: int) -> dict:
    """Run one task in a process of its own and return its seconds, peak MiB, chi2 and version."""
    with tempfile.TemporaryDirectory() as folder:
        data.to_csv(Path(folder) / "data.csv", index=False)
        spec = {"model": MODELS[name]["model"], "args": MODELS[name]["args"], "draws": draws, "repeats": repeats}
        (Path(folder) / "task.json").write_text(json.dumps(spec))
        subprocess.run([*command, folder], check=True, capture_output=True)
        return json.loads((Path(folder) / "out.json").read_text())


def run(tasks: dict[str, tuple]) -> list[dict]:
    """Return one row per task and engine: median seconds and peak MiB over the rounds, chi2, and the ratio to ours."""
    rows, peers = [], commands()
    for task, (name, size, draws, rounds, repeats, fewer) in tasks.items():
        data = table(name, size)
        found: dict[str, list[dict]] = {}
        for _ in range(rounds):
            with multiprocessing.get_context("spawn").Pool(1) as alone:
                mine = alone.apply(alone_in_a_process, (name, data, draws, repeats))
            found.setdefault("semfit", []).append(mine)
            for engine, command in peers.items():
                if engine != "semopy" or name in SEMOPY_TASKS:
                    out = peer(command, data, name, draws, fewer)
                    found.setdefault(f"{engine} {out.pop('version')}", []).append(out)
        medians = {e: {k: statistics.median(out[k] for out in outs) for k in outs[0]} for e, outs in found.items()}
        own = medians["semfit"]["seconds"]
        for engine, out in medians.items():
            ratio = None if engine == "semfit" else out["seconds"] / own
            rows.append({"task": task, "engine": engine, **out, "ratio": ratio})
    return rows


def alone_in_a_process(name: str, data: pd.DataFrame, draws: int, repeats: int) -> dict:
    """Time this engine in a fresh process, so that its peak memory is the task's."""
    ours(name, data, 0)  # imports and first calls are not the task
    seconds, chisq = timed(repeats, lambda: ours(name, data, draws))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": seconds, "peak_mib": peak, "chisq": chisq}


def page(rows: list[dict]) -> str:
    """The benchmark's page under docs, and what is printed."""
    lines = [
        f"| {row['task']} | {row['engine']} | {row['seconds']:.4f} | {row['peak_mib']:.0f} | "
        f"{'–' if np.isnan(row['chisq']) else format(row['chisq'], '.3f')} | "
        f"{'' if row['ratio'] is None else format(row['ratio'], '.1f')} |"
        for row in rows
    ]
    return "\n".join(
        [
            "# Structural equation models beside lavaan and semopy",
            "",
            "The same tasks from the same raw data in one run, one BLAS thread, with estimates, standard errors",
            "and fit measures; the engines take turns, medians over rounds (`TASKS` in `benchmarks/sem.py` gives their",
            "number and the repeats within). This page is made again by `python benchmarks/sem.py`; the ratios are",
            "what carries over to another machine. The bars are 10 times lavaan on single fits, 30 on the bootstrap of",
            "the indirect effect, 15 on WLSMV. semopy has no equality across groups, no `:=` and no WLSMV; where its",
            "chi2 differs it solved another problem.",
            "",
            "| task | engine | median seconds | peak MiB | chi2 | times ours |",
            "|---|---|---|---|---|---|",
            *lines,
            "",
        ]
    )


def main() -> None:
    """Print the table as Markdown, write its page and, where asked, the JSON all benchmarks share."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="single fits only, one round; writes no page")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write rows and ratios here")
    args = parser.parse_args()
    rows = run({k: (*v[:3], 1, 3, 1) for k, v in TASKS.items() if not v[2]} if args.quick else TASKS)
    print(page(rows))
    if not args.quick:
        PAGE.parent.mkdir(parents=True, exist_ok=True)
        PAGE.write_text(page(rows), encoding="utf-8")
    if args.json:
        kept = [
            {"task": r["task"], "engine": r["engine"], "median_seconds": r["seconds"], "peak_mib": r["peak_mib"]}
            for r in rows
        ]
        ratios = {f"{r['engine'].split()[0]} / ours, {r['task']}": r["ratio"] for r in rows if r["ratio"] is not None}
        args.json.write_text(json.dumps({"rows": kept, "ratios": ratios}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
