"""The examples in docstrings run, all of every module that has one."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

from socialcommerce import evidence
from tests.conftest import PACKAGES, assessment

ROOT = Path(__file__).parents[1]
SLOW = {"persons", "cascades", "sensitivity", "evidence.assessment"}  # they compile, or look at every hypothesis
EXAMPLES = {
    ".".join(path.relative_to((ROOT / package).parent).with_suffix("").parts).removesuffix(".__init__"): count
    for package in ("socialcommerce", *PACKAGES)
    for path in sorted((ROOT / package).rglob("*.py"))
    if (count := len(re.findall(r"^ *>>> ", path.read_text(encoding="utf-8"), re.MULTILINE)))
}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (name.partition(".")[2] in SLOW)) for name in EXAMPLES]
)
def test_every_example_of_a_module_runs_and_shows_what_it_says(name, monkeypatch):
    monkeypatch.setattr(evidence, "assess_all", assessment)
    found = doctest.testmod(importlib.import_module(name))  # prints what differs
    assert (found.failed, found.attempted) == (0, EXAMPLES[name])


def public(package):
    """Functions and methods that a package, or a package inside it, lists as its own, by name."""
    inside = [name for _, name, whole in pkgutil.walk_packages(package.__path__, f"{package.__name__}.") if whole]
    for module in (package, *map(importlib.import_module, inside)):
        for name in getattr(module, "__all__", ()):
            thing = getattr(module, name)
            members = vars(thing).items() if inspect.isclass(thing) else ()
            own = [(f"{name}.{k}", getattr(v, "__func__", v)) for k, v in members if not k.startswith("_")]
            for where, call in [(name, thing), *own]:
                if inspect.isfunction(inspect.unwrap(call)):
                    yield f"{module.__name__}.{where}", call


@pytest.mark.parametrize("package", ["semfit", "stockflow", "surveysem"])
def test_what_takes_three_parameters_or_more_says_what_they_are(package):
    """In a section of its docstring; a name among others' says where it is told."""
    many = {
        name: call
        for name, call in public(importlib.import_module(package))
        if len({*inspect.signature(call).parameters} - {"self", "cls"}) >= 3
    }
    assert len(many) >= 10
    assert [name for name, call in many.items() if "Parameters\n---" not in (inspect.getdoc(call) or "")] == []


@pytest.mark.slow
def test_the_engines_may_be_imported_first():
    """Papermill asks for one, by its entry point, while it is imported itself."""
    script = (
        "from nbproof import engine\nfrom papermill.engines import Engine, papermill_engines\n"
        "assert papermill_engines.get_engine('warm') is engine.WarmEngine\n"
        "assert issubclass(engine.KernelEngine, Engine)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
