"""What the tests of nbproof share: a small project, built once, and the settings of one in this process."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from small_project import REFERENCES, Checkout, made_once, write_notebook

import nbproof
from nbproof import project

# as in nbproof/warm.py: jsonschema loads this optional grammar, which costs over a second and checks nothing here
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def settings(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Let every test have a project of its own, in English and Chinese; call it to set more, or another folder."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "references.bib").write_text(REFERENCES, encoding="utf-8")

    def choose(root: Path = folder, **more: object) -> Path:
        made = nbproof.Project(
            partial(Path, root),
            "small",
            languages=("en", "zh"),
            parameterised=True,
            bibliography="references.bib",
            readmes=("README.md", "README.zh-CN.md"),
        )
        made = replace(made, **more)
        monkeypatch.setattr(project, "_source", lambda: made)
        return root

    choose()
    return choose


@pytest.fixture
def notebook(tmp_path: Path) -> Callable[..., Path]:
    """Write a notebook of the given (tag, source) cells."""
    return lambda *cells, name="small": write_notebook(tmp_path / f"{name}.ipynb", cells)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path / "checkout")


@pytest.fixture(scope="session")
def built_checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A project whose reports are built."""
    return Checkout.at(made_once(tmp_path_factory, "small-project", lambda root: Checkout(root).build()))


@pytest.fixture
def copy_of_built(built_checkout: Checkout, tmp_path: Path) -> Checkout:
    """A copy of the built project, to change at will."""
    shutil.copytree(built_checkout.root, tmp_path / "checkout")
    return Checkout.at(tmp_path / "checkout")
