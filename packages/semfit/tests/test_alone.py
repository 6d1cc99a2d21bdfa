"""The package stands on numpy, scipy and pandas alone, and the README's examples run as they stand."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

import semfit

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
MODULES = sorted((ROOT / "semfit").rglob("*.py"))


def imported(path: Path) -> set[str]:
    """The packages a module imports, lazily too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: imports are written out from the top"
            found.add(node.module.split(".")[0])
    return found


def test_modules_import_what_the_package_names_and_no_more():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    allowed = {re.match(r"\w+", text)[0] for text in project["dependencies"]}
    assert allowed == {"numpy", "pandas", "scipy"}
    drawing = {re.match(r"\w+", text)[0] for text in project["optional-dependencies"]["plot"]}
    for path in MODULES:
        besides = (
            drawing if path.name in ("diagram.py", "plsfit.py", "result.py") else set()
        )  # the last two in an annotation
        assert imported(path) - set(sys.stdlib_module_names) <= allowed | {"semfit"} | besides, path.name


def test_every_name_of_the_stub_is_there_and_none_is_the_module_called_like_it():
    import_module("semfit.diagram")  # and what it loads in turn

    stub = (ROOT / "semfit" / "__init__.pyi").read_text(encoding="utf-8")
    named = dict(re.findall(r"^from ([\w.]+) import (\w+) as \2$", stub, re.MULTILINE))
    assert {*named} <= {f"semfit.{path.stem}" for path in MODULES}
    assert len(semfit.__all__) == stub.count(" import ") + 1
    assert [name for name in semfit.__all__ if inspect.ismodule(getattr(semfit, name))] == []


@pytest.mark.slow
def test_the_readme_runs_as_it_stands_and_loads_nothing_else():
    """In a process of its own; pandas loads matplotlib or an engine for Excel only when asked to."""
    code = "\n".join(re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL))
    look = "\nimport sys\nprint(sorted({name.split('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code + look], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    *shown, loaded = done.stdout.splitlines()
    assert shown[0].startswith("semfit ended normally")
    assert "trust" in done.stdout
    foreign = {"matplotlib", "statsmodels", "seaborn", "numba", "typst", "papermill", "socialcommerce"}
    assert not foreign & set(ast.literal_eval(loaded))
