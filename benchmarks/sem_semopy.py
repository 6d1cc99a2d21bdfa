"""semopy's side of benchmarks/sem.py, run by a Python of its own: fit the task in a folder and write out.json there.

semopy knows no ordered items as lavaan does, no equality across groups and no `:=`; those tasks have no row of its own.
Its bootstrap is the obvious loop: resample the rows, refit, multiply the paths.
"""

import json
import resource
import statistics
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import semopy

FOLDER = Path(sys.argv[1])
task = json.loads((FOLDER / "task.json").read_text())
data = pd.read_csv(FOLDER / "data.csv")
objective = "FIML" if task["args"].get("missing") == "fiml" else "MLW"
text = "\n".join(line for line in task["model"].splitlines() if ":=" not in line)


def once() -> float:
    """Fit, with standard errors and fit measures; or refit to every resample."""
    model = semopy.Model(text)  # a model that was fitted before would start at its solution
    if not task["draws"]:
        model.fit(data, obj=objective)
        model.inspect(std_est=True)
        return float(semopy.calc_stats(model)["chi2"].iloc[0])
    rng = np.random.default_rng(7)
    for _ in range(task["draws"]):
        model.fit(data.iloc[rng.integers(len(data), size=len(data))], obj=objective)
        model.inspect()
    return float("nan")


semopy.Model(text).fit(data, obj=objective)  # first calls are not the task
seconds = []
for _ in range(task["repeats"]):
    begin = time.perf_counter()
    chisq = once()
    seconds.append(time.perf_counter() - begin)
out = {
    "seconds": statistics.median(seconds),
    "chisq": chisq,
    "version": semopy.__version__,
    "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
}
(FOLDER / "out.json").write_text(json.dumps(out))
