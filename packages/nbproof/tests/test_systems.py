"""One behaviour on Linux, macOS and Windows, as far as one system can show it."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from small_project import PARAMETERS, TITLE, Checkout, write_notebook

from nbproof import whole_folder
from nbproof.engine import CELL_FILE

HIDDEN = str(Path(__file__).parent / "without_posix")
IMPORT_ALL = """
import importlib, multiprocessing, os, pkgutil, papermill, nbproof
assert not hasattr(os, "fork") and multiprocessing.get_all_start_methods() == ["spawn"]
for module in pkgutil.walk_packages(nbproof.__path__, "nbproof."):
    importlib.import_module(module.name)
"""


@pytest.mark.slow
def test_every_module_is_imported_where_there_is_no_posix():
    path = os.pathsep.join([HIDDEN, str(Path(__file__).parents[1])])
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def hashes(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*alpha*")
        if path.is_file()
    }


@pytest.mark.slow
def test_a_build_without_fork_leaves_the_same_bytes_and_survives_a_kernel_that_ends_itself(built_checkout, tmp_path):
    """Nor has a path so deep room for a kernel's sockets."""
    checkout = Checkout(tmp_path / ("deep" * 30) / "checkout")
    assert len(str(checkout.root)) > 107  # bytes of a socket's path on Linux; 103 on macOS
    write_notebook(checkout.root / "notebooks" / "beta.ipynb", [TITLE, PARAMETERS, ("", "import os\nos._exit(3)")])
    done = checkout.run("build", PYTHONPATH=os.pathsep.join([HIDDEN, checkout.path]))
    assert (done.returncode, "alpha: built in" in done.stdout) == (2, True), done.stderr
    assert "beta: its process died before the report was whole; a report may not end its own process" in done.stderr
    assert "Traceback" not in done.stderr
    assert hashes(checkout.reports) == hashes(built_checkout.reports)
    assert not (checkout.reports / ".lock.pid").exists()


def test_a_folder_is_replaced_where_a_rename_refuses_an_empty_one(tmp_path, monkeypatch):
    rename = os.rename

    def like_windows(old, new):
        if os.path.lexists(new):
            raise FileExistsError(17, "Cannot create a file when that file already exists")
        rename(old, new)

    monkeypatch.setattr(os, "rename", like_windows)
    for text in ("first", "second"):
        with whole_folder(tmp_path / "out", "a test") as draft:
            (draft / "a.txt").write_text(text)
    assert (tmp_path / "out" / "a.txt").read_text() == "second"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("path", ["/tmp/ipykernel_7/42.py", r"C:\Users\me\AppData\Local\Temp\ipykernel_7\42.py"])
def test_a_cell_has_one_name_wherever_it_ran(path):
    assert CELL_FILE.sub("<cell>", f"{path}:1: UserWarning") == "<cell>:1: UserWarning"
