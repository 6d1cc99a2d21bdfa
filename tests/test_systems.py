"""One behaviour on Linux, macOS and Windows, as far as one system can show it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import nbproof
from nbproof import machine
from socialcommerce import project

ROOT = Path(__file__).parents[1]
HIDDEN = str(ROOT / "packages" / "nbproof" / "tests" / "without_posix")
IMPORT_ALL = """
import importlib, multiprocessing, os, pkgutil, papermill, socialcommerce
assert not hasattr(os, "fork") and multiprocessing.get_all_start_methods() == ["spawn"]
for module in pkgutil.walk_packages(socialcommerce.__path__, "socialcommerce."):
    importlib.import_module(module.name)
"""

THREADS = """
import numpy, threadpoolctl
def threads():
    return [library["num_threads"] for library in threadpoolctl.threadpool_info()]
from socialcommerce import notebook
before = threads()
notebook.Page("any")
import scipy.linalg  # a second library, loaded afterwards
print(before, threads())
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "darwin", reason="Apple's Accelerate tells nobody of its threads")
def test_a_notebook_keeps_to_one_thread_and_a_program_that_imports_us_does_not():
    two = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "2")
    done = subprocess.run(
        [sys.executable, "-c", THREADS],
        env={**os.environ, **two, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert re.fullmatch(r"\[2\] \[1, 1\]\n", done.stdout), done.stdout


@pytest.mark.slow
def test_every_module_is_imported_where_there_is_no_posix():
    path = os.pathsep.join([HIDDEN, str(ROOT)])
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_processors_are_counted_where_no_affinity_is_known(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    assert nbproof.processors() == 3


def test_the_cache_lies_where_the_reader_or_the_system_says(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert project.cache_folder() == tmp_path / "socialcommerce"
    for given in ("", "relative"):  # the standard has a relative one ignored
        monkeypatch.setenv("XDG_CACHE_HOME", given)
        assert project.cache_folder().is_absolute()
        assert tmp_path not in project.cache_folder().parents


@pytest.mark.parametrize("homeless", [True, False])
def test_a_cache_that_cannot_be_written_has_a_stand_in_that_children_find(monkeypatch, tmp_path, capsys, homeless):
    (tmp_path / "blocked").write_text("a file where the folder should be")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "blocked"))
    if homeless:  # a user without an entry in the system's list: "~" stays as it is
        monkeypatch.setenv("XDG_CACHE_HOME", "")
        monkeypatch.setattr("platformdirs.user_cache_path", lambda *_: Path("~/.cache/socialcommerce"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    machine._writable.cache_clear()
    found = project.cache_folder()
    (found / "font").touch()
    assert found.relative_to(tmp_path).parts[0].startswith("socialcommerce-cache-")
    assert Path(os.environ["XDG_CACHE_HOME"]) == found.parent
    assert project.cache_folder() == found
    said = capsys.readouterr().err
    assert said.endswith(f"cannot be written; {found} stands in for it\n")
    assert said.count("\n") == 1
    assert not Path("~").exists()


@pytest.mark.parametrize(("system", "folder"), [("Windows_NT", "Scripts"), ("", "bin")])
def test_make_finds_what_an_environment_holds(system, folder):
    command = ["make", "--dry-run", "--always-make", "test", f"OS={system}"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert set(re.findall(r"\.venv/(\w+)", said)) == {folder}
