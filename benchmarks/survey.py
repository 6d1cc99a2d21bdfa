"""Time the analysis of a survey stage by stage, and the memory of each: `python benchmarks/survey.py [--quick]`.

Respondents are drawn from the project's codebook with one item in a hundred left empty, written to csv and read again
like anybody's. One process does all stages of one size, as a report does; the peak is that of its resident memory
within the stage. One BLAS thread. Wall time depends on who else uses the machine, processor time much less.
"""

from __future__ import annotations

import os

os.environ |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}  # before numpy is first imported

import argparse
import gc
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "benchmarks" / "survey.md"
sys.path[:0] = [str(ROOT)]

SIZES = (1000, 200_000)
EMPTY = 0.01  # share of items left out
SEED = 7


def write_answers(nobs: int, file: Path) -> None:
    """Write drawn answers as csv."""
    import surveysem
    from socialcommerce import survey

    book = survey.load_codebook()
    holes = surveysem.Defects(missing_cells=round(EMPTY * nobs * len(book.items)))
    sample = surveysem.draw_respondents(surveysem.Truth(book), nobs, defects=holes, seed=SEED)
    sample.cells.to_csv(file, index=False)


def stages(file: Path) -> dict[str, Callable[[], object]]:
    """Return what a report does, in its order; every stage keeps what the next ones need."""
    import semfit
    import surveysem
    from semfit import Invariance, psychometrics
    from socialcommerce import survey
    from surveysem import Study, groups, moderation, paths
    from surveysem.matching import match
    from surveysem.responses import responses_of
    from surveysem.tables import read_table

    book, kept = survey.load_codebook(), {}

    def screen() -> None:
        table = kept.pop("table")
        responses = responses_of(table, book, match(book, table.headings, file=table.file))
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


def command(file: Path) -> dict:
    """Run the whole command on a csv: seconds, most MiB of its largest process, and of all (shared parts once)."""
    import psutil

    out = file.with_suffix(".report")
    begun, largest, together = time.perf_counter(), 0.0, 0.0
    running = psutil.Popen(
        [sys.executable, "-m", "socialcommerce.cli", "survey", "report", str(file), "--out", str(out)],
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
        time.sleep(0.5)
    assert running.returncode == 0, f"survey report ended with {running.returncode}"
    return {"seconds": time.perf_counter() - begun, "largest_mib": largest / 2**20, "together_mib": together / 2**20}


def page(found: dict[int, list[dict]], commands: dict[int, dict]) -> str:
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
    whole = [
        f"| {nobs:,} | {one['seconds']:.0f} | {one['largest_mib']:.0f} | {one['together_mib']:.0f} |"
        for nobs, one in commands.items()
    ]
    return "\n".join(
        [
            "# A survey of 59 items",
            "",
            "The whole of `socialcommerce survey report`: both notebooks run and rendered in both languages, with Word",
            "and Excel tables, figures and scripts. Two processes work at a time; memory is that of the largest",
            "process, and of all of them with what they share counted once.",
            "",
            "| respondents | seconds | largest process, MiB | all processes, MiB |",
            "|---:|---:|---:|---:|",
            *whole,
            "",
            "## Stage by stage",
            "",
            "Drawn answers with 1 % of the items empty, from csv to tables: maximum likelihood with robust errors and",
            "scaled tests (MLR), full information where answers are missing (FIML). One process, one BLAS thread; the",
            "peak is that of resident memory within a stage, all that earlier stages keep included. `python",
            "benchmarks/survey.py` makes this page again. The goals are 60 s at 1,000 and",
            "3 minutes and 2 GiB at 200,000.",
            "",
            *lines,
            "",
        ]
    )


def main() -> None:
    """Write the page; with --quick print the smaller size only."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="1000 respondents only; writes no page")
    parser.add_argument("--answers", type=Path, help="run the stages on this csv and print them as JSON")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write rows here too")
    args = parser.parse_args()
    if args.answers:
        print(json.dumps(alone(args.answers)))
        return
    found, commands = {}, {}
    with tempfile.TemporaryDirectory() as folder:
        for nobs in SIZES[:1] if args.quick else SIZES:
            file = Path(folder) / f"{nobs}.csv"
            write_answers(nobs, file)
            out = subprocess.run([sys.executable, __file__, "--answers", str(file)], check=True, stdout=subprocess.PIPE)
            found[nobs] = json.loads(out.stdout)
            commands[nobs] = command(file)
    print(page(found, commands))
    if not args.quick:
        PAGE.write_text(page(found, commands), encoding="utf-8")
    if args.json:
        args.json.write_text(json.dumps({"rows": found, "commands": commands}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
