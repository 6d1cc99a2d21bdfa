"""The README's example runs as it stands, and the package stands on numpy and scipy alone."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
EXTRAS = {"SALib", "cloudpickle", "distributed", "numba", "pandas", "tqdm"}  # imported where they are used


def test_the_example_of_the_readme_runs():
    (example,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    done = subprocess.run([sys.executable, "-c", example], capture_output=True, text=True, check=True)
    r0, crowd, network = map(float, re.search(r"R0 ([\d.]+); .* (\d+)% .* (\d+)%", done.stdout).groups())
    assert r0 == 3.0
    assert abs(crowd - 94) <= 1  # of u = exp(-R0 (1 - u)), u = 0.06
    assert 50 < network < crowd


def test_nothing_but_numpy_and_scipy_is_imported_at_once():
    watched = sorted(EXTRAS)
    program = f"import sys, stockflow, stockflow.experiments; print([n for n in {watched} if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_no_other_package_is_imported_anywhere():
    found = set()
    for path in (ROOT / "stockflow").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) else []
            found |= {name.split(".")[0] for name in names}
    assert found - set(sys.stdlib_module_names) <= {"stockflow", "numpy", "scipy"} | EXTRAS
