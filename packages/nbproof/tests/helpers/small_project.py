"""What tests of a builder share: a notebook maker, and a small project of two notebooks with the command run in it."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
from filelock import FileLock

import nbproof
from nbproof import project
from nbproof.__main__ import main

KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}


def write_notebook(path: Path, cells: Sequence[tuple[str, str]]) -> Path:
    """Write a notebook from (tag, source) pairs; the tag md makes a markdown cell, all others code."""
    import nbformat
    from nbformat import v4

    made = []
    for position, (tag, source) in enumerate(cells):
        if tag == "md":
            cell = v4.new_markdown_cell(source)
        else:
            cell = v4.new_code_cell(source, metadata={"tags": [tag] if tag else []})
        cell.id = f"cell-{position}"
        made.append(cell)
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(v4.new_notebook(cells=made, metadata=KERNEL), path)
    return path


TITLE = ("md", "# A small report")
PARAMETERS = (
    "parameters",
    'language: str = "en"  # language of the outputs\nfactor: float = 2.0  # what to multiply by',
)

ALPHA = [
    TITLE,
    PARAMETERS,
    (
        "",
        "from book import series\nfrom nbproof import Evidence, Page\npage = Page('alpha', language)\n"
        "made = Evidence(2, ('model',), 'made up')\nanswer = factor * series.read('data/alpha.csv')\n"
        "page.say('The answer is {answer:.2f}.', of=made)",
    ),
    ("md", "## A table"),
    (
        "",
        "import pandas as pd\nframe = pd.DataFrame({'Year': [2017, 2018], 'Value': [1.25, 2.5]})\n"
        "page.table('rows', frame, 'Values.', of=made, digits=1)",
    ),
]
BETA = [
    TITLE,
    PARAMETERS,
    (
        "",
        "from book import plain\nfrom nbproof import Evidence, Page\npage = Page('beta', language)\n"
        "other = factor + float(open('data/beta.csv').read())\n"
        "page.say('The other is {other:.1f}.', of=Evidence(1, ('model',), 'made up'))",
    ),
]
ZH = tomllib.loads((Path(__file__).parent / "chinese.toml").read_text(encoding="utf-8"))
CATALOGUE = "\n".join(
    (
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n',
        *(f'msgid "{key}"\nmsgstr "{text}"\n' for key, text in ZH["catalogue"].items()),
    )
)
SETTINGS = """name = "small"
title = "Two small reports"
languages = ["en", "zh"]
parameterised = true
bibliography = "paper/references.bib"
lock = "requirements.lock"
packages = ["book", "packages/accounts/accounts"]
sources = [".git", "notebooks", "book", "data"]
readmes = ["README.md", "README.zh-CN.md"]

[licence]
"@id" = "https://creativecommons.org/licenses/by/4.0/"
name = "CC BY 4.0"
description = "Creative Commons Attribution 4.0 International: share and adapt, with credit."
"""
BOOK = {
    "__init__.py": '"""A package of the project."""\n',
    "plain.py": '"""Something."""\n\nfrom book import errors\n\n__all__ = ["errors"]\n',
    "errors.py": '"""What goes wrong."""\n\n\nclass BookError(Exception):\n    """Wrong input."""\n\n'
    "    input_is_wrong = True\n",
    "series.py": '"""Reads a file."""\n\nfrom book.errors import BookError\n\n\ndef read(name):\n'
    "    text = open(name).read()\n    if not text.strip().replace('.', '').isdigit():\n"
    "        raise BookError(f'{name}, row 1: got {text.strip()!r}; allowed: a number.')\n"
    "    return float(text)\n",
}
REFERENCES = """@article{bass1969, author = {Bass, Frank M.}, title = {A new product growth model}, year = {1969},
  journaltitle = {Management Science}, volume = {15}, pages = {215--227}, doi = {10.1287/mnsc.15.5.215}}
"""


class Checkout:
    """A project of two small notebooks with a copy of the builder in it, and the command run there."""

    def __init__(self, root: Path) -> None:
        self.root = root
        shutil.copytree(Path(nbproof.__file__).parent, root / "nbproof")  # its bytecode too: times of files stay
        for name, text in {
            "nbproof.toml": SETTINGS,
            "data/alpha.csv": "21.0\n",
            "data/beta.csv": "3.5\n",
            "requirements.lock": "numpy==1\npandas==1\npypandoc-binary==1\n",
            "CITATION.cff": "authors:\n- name: The authors\n",
            "paper/references.bib": REFERENCES,
            "notebooks/locale/common.zh.po": CATALOGUE,
            "notebooks/profiles.toml": "[full]\n[quick]\nalpha = { factor = 1.0 }\n",
            **{f"book/{name}": text for name, text in BOOK.items()},
        }.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text, encoding="utf-8")
        write_notebook(root / "notebooks" / "alpha.ipynb", ALPHA)
        write_notebook(root / "notebooks" / "beta.ipynb", BETA)

    @classmethod
    def at(cls, root: Path) -> Checkout:
        """The one that stands there already."""
        found = cls.__new__(cls)
        found.root = root
        return found

    @property
    def path(self) -> str:
        """What PYTHONPATH holds for this project's own modules."""
        return os.pathsep.join(map(str, [self.root, self.root / "packages" / "accounts"]))

    @property
    def reports(self) -> Path:
        return self.root / "reports"

    def command(self, *arguments: str, **environment: str) -> tuple[list[str], dict[str, str]]:
        """The command line and environment of ``nbproof`` in this project."""
        return [sys.executable, "-m", "nbproof", *arguments], {**os.environ, "PYTHONPATH": self.path, **environment}

    def run(self, *arguments: str, timeout: float = 120, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run ``nbproof`` in this project."""
        command, given = self.command(*arguments, **environment)
        return subprocess.run(
            command, env=given, cwd=self.root, capture_output=True, text=True, timeout=timeout, check=False
        )

    def here(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run ``nbproof`` in this process, whose fork server has loaded the libraries: where no process is looked at.

        The builder is that of this environment, not the copy in the project.
        """
        said = [io.TextIOWrapper(io.BytesIO(), "utf-8") for _ in range(2)]
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(said[0]), redirect_stderr(said[1]):
            patch.chdir(self.root)
            patch.setenv("PYTHONPATH", self.path)
            patch.setattr(sys, "path", [*self.path.split(os.pathsep), *sys.path])
            patch.setattr(project, "_source", project.here)
            code = main(arguments)
        texts = [each.seek(0) or each.read() for each in said]
        return subprocess.CompletedProcess(arguments, code, *texts)

    def build(self, *arguments: str, **environment: str) -> str:
        """Build, insist that it went well, and return what was said."""
        done = self.run("build", *arguments, **environment)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace a text in one file."""
        path = self.root / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """A folder that the first of all test processes makes and the others find; tests must leave it as it is."""
    base = factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    whole = folder.with_suffix(".whole")
    with FileLock(folder.with_suffix(".lock")):
        if not whole.exists():
            shutil.rmtree(folder, ignore_errors=True)  # of a process that failed at it
            make(folder)
            whole.touch()
    return folder
