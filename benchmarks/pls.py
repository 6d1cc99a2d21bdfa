"""Time resamples of a PLS path model beside R's seminr: `python benchmarks/pls.py [--draws N] [--library FOLDER]`.

Nine constructs, 36 items, twelve paths, 500 rows, one core each. seminr draws HTMT along with the rest, so ours is
timed with and without. Processor seconds of a process and all that it starts, loading included: they hardly depend on
who else is at work.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "packages" / "semfit" / "tests" / "reference" / "data" / "sim_twelve_paths.csv"
PATHS = {"f5": "f1 f2", "f6": "f2 f3", "f7": "f5 f4", "f8": "f5 f6", "f9": "f7 f8 f1 f6"}

OURS = """
import sys; import pandas as pd; import semfit; from semfit import psychometrics
draws, file, text, htmt = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
data = pd.read_csv(file)
fit = semfit.pls(text, data, bootstrap=draws, seed=1)
if htmt == "True":
    blocks = {f"f{k}": [f"v{k}{i}" for i in range(1, 5)] for k in range(1, 10)}
    psychometrics.htmt(data, blocks, bootstrap=draws, seed=1)
print(fit.estimates.query("op == '~'")[["se"]].to_csv(index=False, header=False))
"""
THEIRS = """
args <- commandArgs(TRUE); if (nchar(args[3])) { .libPaths(c(args[3], .libPaths())); Sys.setenv(R_LIBS = args[3]) }
space <- asNamespace("parallel"); stopped <- parallel::stopCluster; unlockBinding("stopCluster", space)
assign("stopCluster", function(cl) {  # a worker's time is nobody else's to ask for
  cat(sum(parallel::clusterEvalQ(cl, sum(proc.time()[1:2]))[[1]]), "\\n"); stopped(cl) }, space)
library(seminr); data <- read.csv(args[2])
measured <- do.call(constructs, lapply(1:9, function(k) composite(paste0("f", k), multi_items(paste0("v", k), 1:4))))
inner <- relationships(INNER)
fit <- estimate_pls(data, measured, inner)
drawn <- bootstrap_model(fit, nboot = as.integer(args[1]), cores = 1, seed = 1)
cat(summary(drawn)$bootstrapped_paths[, "Bootstrap SD"], sep = "\\n")
"""


def measured(line: list[str]) -> tuple[float, list[float]]:
    """Run a command; return the processor seconds it took and the numbers that it printed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    out = subprocess.run(line, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return spent, [float(word) for word in out.split()]


def main() -> None:
    """Print seconds and their ratio, and how far the errors by chance of both lie apart."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=5000)
    parser.add_argument("--library", default="", help="folder of R packages that holds seminr")
    asked = parser.parse_args()
    text = "\n".join(f"f{k} =~ " + " + ".join(f"v{k}{i}" for i in range(1, 5)) for k in range(1, 10))
    text += "\n" + "\n".join(f"{to} ~ {causes.replace(' ', ' + ')}" for to, causes in PATHS.items())
    inner = ", ".join(f'paths(from = strsplit("{causes}", " ")[[1]], to = "{to}")' for to, causes in PATHS.items())
    python = [sys.executable, "-c", OURS, str(asked.draws), str(DATA), text]
    ours, errors = measured([*python, "False"])
    both, _ = measured([*python, "True"])
    r = ["Rscript", "-e", THEIRS.replace("INNER", inner), str(asked.draws), str(DATA), asked.library]
    alone, (worker, *peers) = measured(r)
    theirs = alone + worker
    apart = max(abs(a / b - 1) for a, b in zip(sorted(errors), sorted(peers), strict=True))
    print(f"{asked.draws:,} resamples, one core, processor seconds: seminr {theirs:.1f}; semfit {ours:.1f},")
    print(
        f"with HTMT {both:.1f}: {theirs / both:.0f} times. Errors of the paths differ by {100 * apart:.1f} % at most."
    )


if __name__ == "__main__":
    main()
