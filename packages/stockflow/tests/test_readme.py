"""The README's example runs as it stands, and the package stands on numpy and scipy alone."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import stockflow

ROOT = Path(__file__).parents[1]
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]


def brought(extra: str | None) -> set[str]:
    """The packages that an extra names, and those of the extras it names."""
    names: set[str] = set()
    for text in EXTRAS.get(extra, []):
        other = re.match(r"stockflow\[(\w+)\]", text)
        names |= brought(other[1]) if other else {re.match(r"[\w-]+", text)[0]}
    return names


@pytest.mark.slow
def test_the_example_of_the_readme_runs(tmp_path):
    (example,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    program = f"{example}\nassert (again.state == persons.state).all()"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert 1400 < (tmp_path / "rumour.json").stat().st_size < 1650
    r0, crowd, network = map(float, re.search(r"R0 ([\d.]+); .* (\d+)% .* (\d+)%", done.stdout).groups())
    assert r0 == 3.0
    assert abs(crowd - 94) <= 1  # of u = exp(-R0 (1 - u)), u = 0.06
    assert 50 < network < crowd


def test_every_name_of_the_stub_is_there():
    stub = (ROOT / "stockflow" / "__init__.pyi").read_text(encoding="utf-8")
    assert {*re.findall(r"\w+ as (\w+)", stub), "__version__"} == {*stockflow.__all__}
    assert all(getattr(stockflow, name) is not None for name in stockflow.__all__)
    with pytest.raises(AttributeError, match="'stockflow' has no attribute 'simulated'"):
        stockflow.simulated  # noqa: B018


@pytest.mark.slow
def test_nothing_but_numpy_and_scipy_is_imported_at_once():
    watched = sorted(set().union(*map(brought, EXTRAS)))
    program = f"""import sys, stockflow, stockflow.experiments
[getattr(stockflow, name) for name in stockflow.__all__]
print([name for name in sys.modules if name.lower() in {watched}])"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def imports(node: ast.AST, extra: str | None = None) -> Iterator[tuple[str, str | None]]:
    """Every package imported below a node, and the extra under which it is."""
    match node:
        case ast.If(test=ast.Name("TYPE_CHECKING")):
            return
        case ast.With(items=[ast.withitem(ast.Call(ast.Name("extra"), [ast.Constant(str(name))]))]):
            extra = name
        case ast.Import():
            yield from ((alias.name.split(".")[0], extra) for alias in node.names)
        case ast.ImportFrom():
            yield node.module.split(".")[0], extra
    for child in ast.iter_child_nodes(node):
        yield from imports(child, extra)


def test_no_other_package_is_imported_but_under_an_extra_that_brings_it():
    here = set(sys.stdlib_module_names) | {"stockflow", "numpy", "scipy", "numba"}  # without numba: the same, slowly
    found = {
        (path.name, top, extra)
        for path in (ROOT / "stockflow").rglob("*.py")
        for top, extra in imports(ast.parse(path.read_text(encoding="utf-8")))
        if top not in here
    }
    assert len(found) > 10
    assert [row for row in found if row[1].lower() not in brought(row[2])] == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("hidden", "extra", "call"),
    [
        ("pandas", "tables", "examples.RUMOUR.table()"),
        ("pyarrow", "tables", "stockflow.read_edges('ties.parquet')"),
        ("pandas", "experiments", "experiments.sweep({'x': [1]})"),
        ("cloudpickle", "experiments", "experiments.run(pow, [{'base': 2, 'exp': 3}], 0, 'processes', workers=1)"),
        ("distributed", "dask", "experiments.run(pow, [{'base': 2, 'exp': 3}], 0, 'tcp://127.0.0.1:1', timeout=1)"),
    ],
)
def test_what_is_not_installed_is_named_with_the_extra_that_brings_it(hidden, extra, call):
    program = f"""import sys
sys.modules[{hidden!r}] = None
import stockflow
from stockflow import examples, experiments
if __name__ == "__main__":
    {call}"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert re.fullmatch(
        rf"stockflow.errors.MissingExtraError: this needs {hidden}(\.\w+)?, which is not installed; "
        rf"stockflow\[{extra}\] brings it.",
        done.stderr.splitlines()[-1],
    )
