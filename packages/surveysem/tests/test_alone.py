"""The package knows no project, brings what it names, and its README's examples run as they stand."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from books import FOREIGN

import surveysem

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
FILES = [
    path
    for path in sorted((ROOT / "surveysem").rglob("*"))
    if path.suffix in (".py", ".toml", ".html", ".po", ".ipynb", ".bib")
]
MODULES = [path for path in FILES if path.suffix == ".py"]


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


@pytest.mark.slow
def test_modules_import_what_the_package_names_and_no_more():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = {re.match(r"[\w-]+", text)[0] for text in project["dependencies"]}
    owners = packages_distributions()
    met = set()
    for top in set().union(*map(imported, MODULES)) - {*sys.stdlib_module_names, "surveysem"}:
        owner = {re.sub("[-_.]+", "-", name).lower() for name in owners.get(top, [top])} & named
        assert owner, top
        met |= owner
    assert met == named - {"justmytype-intl-cjk"}  # it brings a font


def test_no_word_is_of_the_project_it_came_from():
    files = [*FILES, README]
    text = {path.name: path.read_text(encoding="utf-8").replace("socialcommerce survey report", "") for path in files}
    assert {f"{name}: {word[0]}" for name, said in text.items() for word in FOREIGN.finditer(said)} == set()


def test_importing_it_loads_nothing_and_every_public_name_is_there():
    code = "import sys, surveysem; print(sorted(name for name in sys.modules if name.startswith('surveysem')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "['surveysem']\n"
    stub = (ROOT / "surveysem" / "__init__.pyi").read_text(encoding="utf-8")
    assert {*re.findall(r"\w+ as (\w+)", stub), "LOCALE", "__version__"} == {*surveysem.__all__}
    assert all(getattr(surveysem, name) for name in surveysem.__all__)


@pytest.mark.slow
def test_the_readme_runs_as_it_stands_and_loads_no_project(tmp_path):
    text = README.read_text(encoding="utf-8")
    environment = os.environ | {"PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])}

    def run(*command: str) -> str:
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    look = "\nimport sys\nprint(sorted({name.split('.')[0] for name in sys.modules}))"
    *shown, loaded = run(sys.executable, "-c", code + look).splitlines()
    assert any("semfit ended normally" in line for line in shown)
    foreign = {"matplotlib", "seaborn", "papermill", "typst", "stockflow", "socialcommerce"}
    assert not foreign & {*ast.literal_eval(loaded)}
    (commands,) = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    assert "300 respondents, " in run("sh", "-e", "-c", commands)
    made = {path.name for path in (tmp_path / "survey").iterdir()}
    assert {"codebook.toml", "items.csv", "questionnaire-zh.docx"} <= made
