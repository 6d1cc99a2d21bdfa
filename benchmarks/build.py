"""Time the report builder beside papermill and nbconvert, on the same six notebooks, in one run.

    python benchmarks/build.py [--quick] [--json FILE]

Every figure is the wall time of whole processes, start included; medians over the rounds, in which the engines take
turns, so that a machine whose speed drifts treats all alike. The turn that fills caches and does not count is one of
ours and the shortest of papermill's, and nbconvert goes on from the notebooks of the API's run before it, whose time
and memory it is given: on a quiet machine of two processors all ends within six minutes. Writes
docs/benchmarks/build.md (not with --quick).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import nbformat
from nbformat import v4

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "benchmarks" / "build.md"
PEAKS: list[float] = []  # MiB, of the processes of the engine being timed
THREADS = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
IMPORTS = """import numpy as np
import pandas as pd
import matplotlib.pyplot as plt
import seaborn as sns
import statsmodels.formula.api as smf"""
CELLS = [
    IMPORTS,
    "rng = np.random.default_rng(seed)\nx = rng.normal(size=500)\n"
    "frame = pd.DataFrame({'x': x, 'y': 1 + 2 * x + rng.normal(size=500), 'g': rng.integers(0, 4, 500)})",
    "frame.groupby('g').agg(['mean', 'std']).round(3)",
    "fit = smf.ols('y ~ x + C(g)', frame).fit(cov_type='HC3')\nprint(fit.params.round(4))",
    "figure, axes = plt.subplots(figsize=(6, 4))\nsns.regplot(data=frame, x='x', y='y', ax=axes, n_boot=100, seed=1);",
]
API = """import sys, papermill
for i in map(int, sys.argv[2:]):
    papermill.execute_notebook(f'{sys.argv[1]}/n{i}.ipynb', f'{sys.argv[1]}/out{i}.ipynb', progress_bar=False)"""
FLOOR = "import matplotlib; matplotlib.use('Agg')\n" + "\n".join(
    f"seed = {i}\n" + "\n".join(CELLS) + "\nplt.savefig('f.png'); plt.close('all')" for i in range(6)
)
ONE_BY_ONE, GOES_ON = "papermill API, one after another", "papermill API + nbconvert to HTML"
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}


def write_notebooks(folder: Path) -> list[Path]:
    """Six notebooks of the kind a report is made of: pandas, statsmodels, seaborn."""
    paths = []
    for number in range(6):
        seed = v4.new_code_cell(f"seed: int = {number}  # random seed", metadata={"tags": ["parameters"]})
        cells = [v4.new_markdown_cell("# A small analysis"), seed, *(v4.new_code_cell(source) for source in CELLS)]
        book = v4.new_notebook(cells=cells, metadata={"kernelspec": KERNEL})
        paths.append(folder / f"n{number}.ipynb")
        nbformat.write(book, paths[-1])
    return paths


def together(*commands: list[str], folder: Path) -> None:
    """Run commands at once, insist that each goes well, and note the peak memory of the largest process."""
    environment = {**os.environ, **THREADS}
    with tempfile.TemporaryFile() as errors:
        quiet = {"stdout": subprocess.DEVNULL, "stderr": errors}
        running = [subprocess.Popen(command, cwd=folder, env=environment, **quiet) for command in commands]
        for process in running:
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            PEAKS.append(used.ru_maxrss / 1024)
        if any(process.returncode for process in running):
            errors.seek(0)
            raise RuntimeError(errors.read().decode()[-2000:])


def engines(folder: Path, paths: list[Path]) -> dict[str, Callable[[], None]]:
    """Every way to run the six notebooks, by name."""
    python, bin_folder = sys.executable, Path(sys.executable).parent
    papermill = [
        [str(bin_folder / "papermill"), "--no-progress-bar", str(p), str(folder / f"cli-{p.name}")] for p in paths
    ]
    ours = [python, "-m", "socialcommerce", "build", *map(str, paths), "--jobs", "2"]
    run, full = ("--no-render", "--out", str(folder / "run")), ("--language", "en", "--out", str(folder / "full"))
    api = [python, "-c", API, str(folder)]
    html = [str(bin_folder / "jupyter-nbconvert"), "--to", "html", *(str(folder / f"out{i}.ipynb") for i in range(6))]

    def one_by_one() -> None:
        for command in papermill:
            together(command, folder=folder)

    def two_by_two() -> None:
        for first, second in zip(papermill[::2], papermill[1::2], strict=True):
            together(first, second, folder=folder)

    return {
        "floor: one Python runs all the code": lambda: together([python, "-c", FLOOR], folder=folder),
        "ours, notebooks only": lambda: together([*ours, "--force", *run], folder=folder),
        "ours, notebooks + HTML + PDF, one language": lambda: together([*ours, "--force", *full], folder=folder),
        "ours, nothing changed": lambda: together([*ours, *full], folder=folder),
        "papermill API, two processes": lambda: together([*api, *"024"], [*api, *"135"], folder=folder),
        ONE_BY_ONE: lambda: together([*api, *map(str, range(6))], folder=folder),
        GOES_ON: lambda: together(html, folder=folder),
        "papermill command line, two at once": two_by_two,
        "papermill command line, one after another": one_by_one,
    }


def measured(quick: bool) -> tuple[dict[str, list[float]], dict[str, float]]:
    """Let the engines take turns; return seconds, and peak MiB of the largest process, by engine."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ways = engines(folder, write_notebooks(folder))
        if quick:
            ways = {key: ways[key] for key in ways if "command line, two" not in key and "nbconvert" not in key}
        seconds: dict[str, list[float]] = {key: [] for key in ways}
        peaks: dict[str, float] = {}
        warm = [key for key in ways if not key.startswith("papermill") or "API, two" in key]
        for turn in range(2 if quick else 4):  # the first turn fills caches and does not count
            for key, way in ways.items() if turn else ((key, ways[key]) for key in warm):
                PEAKS.clear()
                began = time.perf_counter()
                way()
                took = time.perf_counter() - began
                peaks[key] = max(PEAKS)
                if key == GOES_ON:
                    took, peaks[key] = took + seconds[ONE_BY_ONE][-1], max(peaks[key], peaks[ONE_BY_ONE])
                if turn:
                    seconds[key].append(took)
                print(f"turn {turn}  {key}: {took:.2f} s", flush=True)
    return seconds, peaks


def summary(seconds: dict[str, list[float]], peaks: dict[str, float]) -> dict[str, object]:
    """Rows and ratios, as every benchmark of the project gives them."""
    median = {key: statistics.median(values) for key, values in seconds.items()}
    run, floor = median["ours, notebooks only"], median["floor: one Python runs all the code"]
    ratios = {
        "papermill command line / ours": median["papermill command line, one after another"] / run,
        "papermill API / ours": median[ONE_BY_ONE] / run,
        "ours / floor": run / floor,
    }
    rows = [
        {
            "task": "six notebooks",
            "engine": key,
            "median_seconds": round(value, 3),
            "fastest": round(min(seconds[key]), 3),
            "slowest": round(max(seconds[key]), 3),
            "peak_mib": round(peaks[key]),
        }
        for key, value in median.items()
    ]
    return {"rows": rows, "ratios": {key: round(value, 2) for key, value in ratios.items()}}


def page(result: dict[str, object]) -> str:
    """The benchmark's page under docs."""
    lines = [
        f"| {r['engine']} | {r['median_seconds']:.2f} | {r['fastest']:.2f}–{r['slowest']:.2f} | {r['peak_mib']} |"
        for r in result["rows"]
    ]
    ratios = [f"| {key} | {value:.2f} |" for key, value in result["ratios"].items()]
    named = ("papermill", "nbclient", "nbconvert", "pandas", "statsmodels", "seaborn")
    packages = ", ".join(f"{name} {version(name)}" for name in named)
    return "\n".join(
        [
            "# The report builder beside papermill",
            "",
            "Six notebooks (pandas, statsmodels, seaborn; five cells each), run as whole processes in one go, engines "
            "taking turns; medians of three turns after a",
            "shorter one that does not count. nbconvert goes on from the API's run before it and has its time as well.",
            "`make bench` makes this page again; the ratios are what carries over to another machine.",
            "",
            f"Python {platform.python_version()}, {os.cpu_count()} processors, {packages}.",
            "",
            "| engine | median seconds | range | peak MiB of the largest process waited for |",
            "|---|---|---|---|",
            *lines,
            "",
            "For ours, that process is the builder: its forks belong to the fork server and are not in this column.",
            "",
            "| ratio | |",
            "|---|---|",
            *ratios,
            "",
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer engines and turns; writes no page")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write rows and ratios here")
    chosen = parser.parse_args()
    result = summary(*measured(chosen.quick))
    if chosen.json:
        chosen.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    if not chosen.quick:
        PAGE.parent.mkdir(parents=True, exist_ok=True)
        PAGE.write_text(page(result), encoding="utf-8")
    for name, value in result["ratios"].items():
        print(f"{name}: {value:.2f}")


if __name__ == "__main__":
    main()
