"""The package knows no project, its README's example runs as it stands, and importing it is free."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

import nbproof

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
MODULES = sorted((ROOT / "nbproof").rglob("*.py"))
COME_WITH = {
    "IPython": "ipykernel",
    "fontTools": "fonttools",
    "pypandoc": "pypandoc-binary",
    "zmq": "ipykernel",
    "traitlets": "papermill",
    "nbclient": "papermill",
}
HIDE = """import sys

class Hidden:
    def find_spec(self, name, *rest):
        if name.partition(".")[0] in ("pandas", "numpy", "matplotlib", "scipy", "socialcommerce"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Hidden())
"""
"""What is here and would not be where this package alone was installed."""
FOREIGN = re.compile(r"socialcommerce|\bclaims?\b|hypothes|verdict|private.domain|xiao", re.IGNORECASE)


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
    more = [text for texts in project["optional-dependencies"].values() for text in texts]
    named = {re.match(r"[\w-]+", text)[0] for text in (*project["dependencies"], *more)}
    owners = packages_distributions()
    for top in set().union(*map(imported, MODULES)) - {*sys.stdlib_module_names, "nbproof"}:
        normal = {re.sub("[-_.]+", "-", owner).lower() for owner in owners[top]}
        assert normal & named or COME_WITH.get(top) in named, top


def test_no_word_is_of_the_project_it_came_from():
    files = [*MODULES, README, *(path for path in (ROOT / "nbproof" / "assets").iterdir())]
    found = {f"{path.name}: {word[0]}" for path in files for word in FOREIGN.finditer(path.read_text(encoding="utf-8"))}
    assert found == set()


def test_importing_it_loads_nothing_and_every_public_name_is_there():
    code = "import sys, nbproof; print(sorted(name for name in sys.modules if name.startswith('nbproof')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "['nbproof']\n"
    stub = (ROOT / "nbproof" / "__init__.pyi").read_text(encoding="utf-8")
    assert {*re.findall(r"\w+ as (\w+)", stub), "__version__"} == {*nbproof.__all__}
    assert all(getattr(nbproof, name) for name in nbproof.__all__)


@pytest.mark.slow
def test_the_readme_runs_as_it_stands_with_this_package_alone(tmp_path):
    text = README.read_text(encoding="utf-8")
    (tmp_path / "alone").mkdir()
    (tmp_path / "alone" / "sitecustomize.py").write_text(HIDE)
    environment = {
        **os.environ,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "PYTHONPATH": os.pathsep.join([str(tmp_path / "alone"), str(ROOT)]),
    }

    def run(*command: str) -> str:
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run(sys.executable, "-c", re.search(r"```python\n(.*?)```", text, re.DOTALL)[1])
    commands = re.search(r"```sh\n(.*?)```", text, re.DOTALL)[1]
    assert "recomputed, none drifted" in run("sh", "-e", "-c", commands)
    for name in ("index.html", "en/coffee.html", "de/coffee.pdf", "results/coffee.json"):
        assert (tmp_path / "reports" / name).is_file()
    page = (tmp_path / "reports" / "de" / "coffee.html").read_text(encoding="utf-8")
    assert "Eine Tasse kostet" in page
    assert "Tabelle 1" in page
    assert ">2.25</span>" in page
    assert "A cup costs" not in page
    assert '<a href="../en/coffee.html" lang="en-GB"' in page


def test_what_is_not_installed_is_named_with_the_extra_that_brings_it():
    code = f"{HIDE}\nimport nbproof\nnbproof.Page.draw(print, language='en')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.splitlines()[-1] == (
        "nbproof.errors.MissingExtraError: this needs matplotlib, which is not installed; nbproof[figures] brings it."
    )


@pytest.mark.slow
def test_a_folder_of_plain_notebooks_gives_one_page_each(tmp_path):
    """Without languages, parameters or a word about this package in it, and in a folder of any name."""
    from nbformat import v4, write

    cells = [v4.new_markdown_cell("# Plain\n\nText."), v4.new_code_cell("print(6 * 7)")]
    (tmp_path / "mine").mkdir()
    write(v4.new_notebook(cells=cells), tmp_path / "mine" / "plain.ipynb")
    done = subprocess.run(
        [sys.executable, "-m", "nbproof", "build", "mine"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    made = json.loads((tmp_path / "reports" / "manifest.json").read_text(encoding="utf-8"))
    assert made["reports"]["plain"]["languages"] == ["en"]
    assert ">42</code>" in (tmp_path / "reports" / "en" / "plain.html").read_text(encoding="utf-8").replace("\n", "")
    assert sorted(path.name for path in (tmp_path / "reports").glob("*/*.html")) == ["plain.html"]
    (tmp_path / "mine" / "plain.ipynb").rename(tmp_path / "mine" / "other.ipynb")
    done = subprocess.run(
        [sys.executable, "-m", "nbproof", "build", "mine"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(path.name for path in (tmp_path / "reports").glob("*/*.html")) == ["other.html"]
