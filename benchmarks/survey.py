"""Time a survey's report whole, beside R, and its analysis stage by stage: `python benchmarks/survey.py [--quick]`.

Respondents are drawn from the project's codebook with one item in a hundred left empty, or from a short codebook of
seven constructs by four items, written to csv and read again like anybody's. R runs the script that a report brings,
which computes the report's tables with lavaan: twice with few refits, and the line through both gives those asked for.
One process does all stages of one size, as a report does; the peak is that of its resident memory within the stage.
One BLAS thread. Wall time depends on who else uses the machine, processor time much less.
"""

from __future__ import annotations

import os

os.environ |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}  # before numpy is first imported

import argparse
import gc
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "benchmarks" / "survey.md"
sys.path[:0] = [str(ROOT)]

SIZES = (1000, 200_000)
EMPTY = 0.01  # share of items left out
SEED = 7
SHORT = 361  # respondents of the survey that R is timed on
DRAWS, FEW = 5000, (20, 120)  # refits of a report, and of R's two runs
NAMES = [f"F{k}" for k in range(1, 8)]
CODEBOOK = "\n".join(
    [
        'paths = ["F4 ~ F1 + F2 + F3", "F5 ~ F1 + F4", "F6 ~ F4 + F5", "F7 ~ F5 + F6"]',
        "scale = [1, 7]",
        "[constructs]",
        *(f'{name} = ["{name}_1", "{name}_2", "{name}_3", "{name}_4"]' for name in NAMES),
        "",
    ]
)


def write_answers(nobs: int, file: Path, codebook: Path | None = None) -> None:
    """Write drawn answers as csv."""
    import surveysem
    from socialcommerce import survey

    book = surveysem.load_codebook(codebook) if codebook else survey.load_codebook()
    holes = surveysem.Defects(missing_cells=0 if codebook else round(EMPTY * nobs * len(book.items)))
    sample = surveysem.draw_respondents(surveysem.Truth(book), nobs, defects=holes, seed=SEED)
    sample.cells.to_csv(file, index=False)


def stages(file: Path) -> dict[str, Callable[[], object]]:
    """Return what a report does, in its order; every stage keeps what the next ones need."""
    import semfit
    import surveysem
    from semfit import Invariance, psychometrics
    from socialcommerce import survey
    from surveysem import Study, groups, moderation, paths
    from surveysem.responses import responses_of
    from surveysem.tables import read_table

    book, kept = survey.load_codebook(), {}

    def screen() -> None:
        table = kept.pop("table")
        responses = responses_of(table, book)
        kept["study"] = Study(responses, surveysem.screen(responses))

    def fit(which: str) -> semfit.SemFit:
        found = getattr(kept["study"], which)
        assert not found.problems, found.problems
        return found.fit_measures

    def ladder() -> object:
        found = groups.measured_alike(kept["study"])
        assert isinstance(found, Invariance), found
        return found.table

    def reliability() -> tuple:
        fit = kept["study"].measurement
        return psychometrics.measurement_quality(fit), psychometrics.fornell_larcker(fit)

    def ratios() -> object:
        study = kept["study"]
        scales = {name: study.codebook.scales[name] for name in study.constructs}
        return psychometrics.htmt(study.answers, scales, bootstrap=1000, seed=study.seed)

    return {
        "read the csv": lambda: kept.update(table=read_table(file)),
        "match, score, screen": screen,
        "measurement model, fit indices": lambda: fit("measurement"),
        "structural model, fit indices": lambda: fit("structural"),
        "standardised paths": lambda: paths.path_table(kept["study"]),
        "indirect effects, 5000 draws": lambda: paths.indirect(kept["study"]).summary(),
        "reliability, convergence": reliability,
        "HTMT, 1000 draws": ratios,
        "invariance: configural, metric, scalar": ladder,
        "moderations": lambda: moderation.moderations(kept["study"]).summary(),
    }


def peak(reset: bool = False) -> float:
    """Return the most MiB this process held since the last reset."""
    if reset:
        gc.collect()
        Path("/proc/self/clear_refs").write_text("5")
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def alone(file: Path) -> list[dict]:
    """Run all stages in this process, one row each."""
    rows = []
    for stage, run in stages(file).items():
        peak(reset=True)
        wall, processor = time.perf_counter(), time.process_time()
        run()
        rows.append(
            {
                "stage": stage,
                "seconds": time.perf_counter() - wall,
                "processor": time.process_time() - processor,
                "peak_mib": peak(),
            }
        )
        print(f"{stage}: {rows[-1]['seconds']:.1f} s, {rows[-1]['peak_mib']:.0f} MiB", file=sys.stderr, flush=True)
    return rows


def command(file: Path, *asked: str) -> dict:
    """Run the whole command on a csv: seconds, most MiB of its largest process, and of all (shared parts once)."""
    import psutil

    out = file.with_suffix(".report")
    begun, largest, together = time.perf_counter(), 0.0, 0.0
    running = psutil.Popen(
        [sys.executable, "-m", "socialcommerce", "survey", "report", str(file), "--out", str(out), *asked],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
    )
    while running.poll() is None:
        sizes = []
        for one in (running, *running.children(recursive=True)):
            try:
                sizes.append((one.memory_info().rss, one.memory_full_info().pss))
            except psutil.Error:  # it has just ended
                continue
        if sizes:
            largest, together = max(largest, *(r for r, _ in sizes)), max(together, sum(p for _, p in sizes))
        with suppress(psutil.TimeoutExpired):  # heard of at once when it ends
            running.wait(0.5)
    assert running.returncode == 0, f"survey report ended with {running.returncode}"
    return {"seconds": time.perf_counter() - begun, "largest_mib": largest / 2**20, "together_mib": together / 2**20}


def check(file: Path, *asked: str) -> float:
    """Return the seconds in which the answers are checked: the median of three runs."""
    seconds = []
    for _ in range(3):
        begun = time.perf_counter()
        line = [sys.executable, "-m", "socialcommerce", "survey", "check", str(file), *asked]
        subprocess.run(line, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        seconds.append(time.perf_counter() - begun)
    return sorted(seconds)[1]


def in_r(report: Path) -> dict:
    """Run the report's own script in R with few refits, and say what all of them would take."""
    (script,), seconds = report.rglob("model.R"), []
    for few in FEW:
        begun = time.perf_counter()
        subprocess.run(["Rscript", script.name, str(few)], cwd=script.parent, check=True, stdout=subprocess.DEVNULL)
        seconds.append(time.perf_counter() - begun)
    each = (seconds[1] - seconds[0]) / (FEW[1] - FEW[0])
    return {"seconds": seconds[0] + (DRAWS - FEW[0]) * each, "measured": seconds}


def beside_r(folder: Path) -> dict:
    """Time check, report and R on a survey of 28 items."""
    book, file = folder / "short.toml", folder / "short.csv"
    book.write_text(CODEBOOK, encoding="utf-8")
    write_answers(SHORT, file, book)
    asked = ("--codebook", str(book))
    found = {"check": check(file, *asked), **command(file, *asked)}
    peer = shutil.which("Rscript") and subprocess.run(["Rscript", "-e", "library(lavaan)"], capture_output=True)
    return {**found, "r": in_r(file.with_suffix(".report")) if peer and not peer.returncode else None}


def page(found: dict[int, list[dict]], commands: dict[int, dict], short: dict) -> str:
    """Return the page under docs."""
    first, *_ = found.values()
    head = "".join(f" N = {nobs:,}: seconds | processor | peak MiB |" for nobs in found)
    lines = [f"| stage |{head}", "|---|" + "---:|" * (3 * len(found))]
    for k, row in enumerate(first):
        cells = [
            f"{one[k]['seconds']:.2f} | {one[k]['processor']:.2f} | {one[k]['peak_mib']:.0f}" for one in found.values()
        ]
        lines.append(f"| {row['stage']} | " + " | ".join(cells) + " |")
    total = [
        f"{sum(r['seconds'] for r in one):.1f} | {sum(r['processor'] for r in one):.1f} | "
        f"{max(r['peak_mib'] for r in one):.0f}"
        for one in found.values()
    ]
    lines.append("| **all** | " + " | ".join(total) + " |")
    sizes = [(4 * len(NAMES), SHORT, short), *((59, nobs, one) for nobs, one in commands.items())]
    whole = [
        f"| {items} | {nobs:,} | {one['seconds']:.0f} | {one['largest_mib']:.0f} | {one['together_mib']:.0f} |"
        for items, nobs, one in sizes
    ]
    beside = [f"`survey check` of the shortest takes {short['check']:.1f} s."]
    if short["r"]:
        few, more = short["r"]["measured"]
        beside += [
            "Its script `model.R`, which computes the same tables with lavaan and writes no page, takes",
            f"{few:.0f} s with {FEW[0]} refits and {more:.0f} s with {FEW[1]}: {DRAWS:,} would take "
            f"{short['r']['seconds']:,.0f} s, {short['r']['seconds'] / short['seconds']:.0f} times the report.",
        ]
    beside.append("")
    return "\n".join(
        [
            "# What a survey's report takes",
            "",
            "The whole of `socialcommerce survey report`: both notebooks run and rendered in both languages, with Word",
            f"and Excel tables, figures and scripts, {DRAWS:,} resamples. Two processes work at a time; memory is that",
            "of the largest process, and of all of them with what they share counted once.",
            "",
            "| items | respondents | seconds | largest process, MiB | all processes, MiB |",
            "|---:|---:|---:|---:|---:|",
            *whole,
            "",
            *beside,
            "## Stage by stage",
            "",
            "Drawn answers with 1 % of the items empty, from csv to tables: maximum likelihood with robust errors and",
            "scaled tests (MLR), full information where answers are missing (FIML). One process, one BLAS thread; the",
            "peak is that of resident memory within a stage, all that earlier stages keep included. `python",
            "benchmarks/survey.py` makes this page again. The goals are 3 minutes and 2 GiB at 200,000.",
            "",
            *lines,
            "",
        ]
    )


def main() -> None:
    """Write the page; with --quick print the smaller size only."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="without 200,000 respondents; writes no page")
    parser.add_argument("--answers", type=Path, help="run the stages on this csv and print them as JSON")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write rows here too")
    args = parser.parse_args()
    if args.answers:
        print(json.dumps(alone(args.answers)))
        return
    found, commands = {}, {}
    with tempfile.TemporaryDirectory() as folder:
        short = beside_r(Path(folder))
        for nobs in SIZES[:1] if args.quick else SIZES:
            file = Path(folder) / f"{nobs}.csv"
            write_answers(nobs, file)
            out = subprocess.run([sys.executable, __file__, "--answers", str(file)], check=True, stdout=subprocess.PIPE)
            found[nobs] = json.loads(out.stdout)
            commands[nobs] = command(file)
    print(page(found, commands, short))
    if not args.quick:
        PAGE.write_text(page(found, commands, short), encoding="utf-8")
    if args.json:
        args.json.write_text(
            json.dumps({"rows": found, "commands": commands, "short": short}, indent=1) + "\n", encoding="utf-8"
        )


if __name__ == "__main__":
    main()
