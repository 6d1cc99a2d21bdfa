"""The examples in docstrings run, all of every module that has one."""

from __future__ import annotations

import doctest
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import PACKAGES

ROOT = Path(__file__).parents[1]
SLOW = {"persons", "cascades", "sensitivity", "evidence.verdict_table"}  # they compile, or fit hundreds of models
EXAMPLES = {
    ".".join(path.relative_to((ROOT / package).parent).with_suffix("").parts).removesuffix(".__init__"): count
    for package in ("socialcommerce", *PACKAGES)
    for path in sorted((ROOT / package).rglob("*.py"))
    if (count := len(re.findall(r"^ *>>> ", path.read_text(encoding="utf-8"), re.MULTILINE)))
}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (name.partition(".")[2] in SLOW)) for name in EXAMPLES]
)
def test_every_example_of_a_module_runs_and_shows_what_it_says(name):
    found = doctest.testmod(importlib.import_module(name))  # prints what differs
    assert (found.failed, found.attempted) == (0, EXAMPLES[name])


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
