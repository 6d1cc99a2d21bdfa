"""What a folder of notebooks says of itself: its languages, where things stand, and whose look its reports have."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import cache, partial
from pathlib import Path
from typing import Any

from nbproof.errors import ParameterError
from nbproof.shapes import FLAG, TABLE, Field, check, read_toml

TEXTS = Field(lambda value: isinstance(value, list) and all(isinstance(each, str) for each in value), "a list of texts")
# by the type of a setting's default
KINDS: dict[type, Field] = {tuple: TEXTS, bool: FLAG, str: Field(lambda value: isinstance(value, str), "a text")}


@dataclass(frozen=True)
class Project:
    """The settings of a build; every name of a file is relative to the project's folder.

    Parameters
    ----------
    locate : callable
        Returns the project's folder.
    name, version : str
        What the reports say they were built by.
    title, description : str
        Of the whole, for the front page and the RO-Crate.
    languages : tuple of str
        Those every report is made in; the first is the one that notebooks are written in.
    notebooks, reports : str
        The folder of notebooks, and the folder the reports go to.
    parameterised : bool
        Whether every notebook has to have a cell tagged ``parameters``.
    locales : tuple of str
        Folders of catalogues: the first is the notebooks' own, ``NAME.LANGUAGE.po`` for each and
        ``common.LANGUAGE.po`` for all; of the others, which belong to packages, every catalogue is read.
    bibliography, lock, words : str
        A BibLaTeX file that the prose cites; a lock file whose packages are part of what a report is made from (all
        that are installed, by default); a toml file of words, a table a language, in place of nbproof's own.
    readmes : tuple of str
        Files in which ``<!--notebook.result-->12.3<!--/-->`` marks a result to verify.
    sources : tuple of str
        Files and folders in which nothing is built.
    packages : mapping of name to Path
        Packages whose modules are part of what a notebook that imports them is made from.
    preload : tuple of str
        Modules that are imported once for all notebooks.
    look : str
        ``"module:Class"`` of a subclass of `nbproof.Look`.
    assets : tuple of str
        Files that the look makes pages from, such as a script; a changed one makes every page again.
    licence : mapping of str to str
        The RO-Crate's ``@id`` (an address), ``name`` and ``description`` of the licence.
    """

    locate: Callable[[], Path] = Path.cwd
    name: str = "nbproof"
    version: str = ""
    title: str = ""
    description: str = ""
    languages: tuple[str, ...] = ("en",)
    notebooks: str = "notebooks"
    reports: str = "reports"
    parameterised: bool = False
    locales: tuple[str, ...] = ("notebooks/locale",)
    bibliography: str = ""
    lock: str = ""
    words: str = ""
    readmes: tuple[str, ...] = ("README.md",)
    sources: tuple[str, ...] = (".git", ".venv", "notebooks")
    packages: Mapping[str, Path] = field(default_factory=dict)
    preload: tuple[str, ...] = ()
    look: str = "nbproof.look:Look"
    assets: tuple[str, ...] = ()
    licence: Mapping[str, str] = field(default_factory=dict)

    @property
    def root(self) -> Path:
        """The project's folder."""
        return self.locate()

    @property
    def out(self) -> Path:
        """The folder the reports go to."""
        return self.path(self.reports)

    def front(self, name: str, language: str) -> str:
        """The file of a page beside the reports; the first language's goes without the language in its name."""
        return f"{name}.html" if language in self.languages[:1] else f"{name}.{language}.html"

    def path(self, name: str) -> Path:
        """A file or folder of the project."""
        return self.root / name

    @property
    def folders(self) -> dict[str, Path]:
        """Every package whose modules count, this one among them."""
        return {**self.packages, "nbproof": Path(__file__).parent}


def here() -> Project:
    """Return the project of the working directory.

    It is the nearest folder at or above with an ``nbproof.toml``, or a ``pyproject.toml`` that has a table
    ``[tool.nbproof]``; without one, the working directory itself with the defaults.
    """
    return _read(Path.cwd())


@cache
def _read(start: Path) -> Project:
    found: dict[str, Any] = {}
    for folder in (start, *start.parents):
        if (own := folder / "nbproof.toml").is_file():
            found = read_toml(own)
        elif (own := folder / "pyproject.toml").is_file():
            found = read_toml(own).get("tool", {}).get("nbproof")
        else:
            continue
        if found is not None:
            break
    else:
        folder, own, found = start, start, {}
    kinds = {each.name: KINDS[type(each.default)] for each in fields(Project) if type(each.default) in KINDS}
    check(ParameterError, own.name, found, {}, kinds | {"licence": TABLE, "packages": TEXTS})
    settings: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in found.items()}
    packages = {Path(name).name: folder / name for name in settings.pop("packages", ())}
    sys.path += [str(each.parent) for each in packages.values()]  # a look may be a module of the project's own
    return Project(partial(Path, folder), packages=packages, **settings)


_source: Callable[[], Project] = here


def use(source: Callable[[], Project]) -> None:
    """Let ``source`` say what the project is, in this process from now on."""
    global _source
    _source = source


def project() -> Project:
    """Return the project in use; by default the one of the working directory."""
    return _source()
