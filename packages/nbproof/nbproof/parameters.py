"""What a notebook lets its reader choose: the literals of its parameters cell, with type and meaning."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbproof.errors import NotebookError, ParameterError, UnknownNameError, named, quoted
from nbproof.project import project
from nbproof.shapes import read_bytes, read_toml

TYPES = {"int": int, "float": float, "str": str, "bool": bool}
Literal = int | float | str | bool


@dataclass(frozen=True)
class Parameter:
    """One line of a parameters cell: ``name: type = default  # meaning``."""

    name: str
    type: str
    default: Literal
    meaning: str

    def read(self, given: Literal | str) -> Literal:
        """Turn what was given, perhaps as text, into a value of this parameter's type.

        Raises
        ------
        ParameterError
            When it is not one.
        """
        kind = TYPES[self.type]
        try:
            typed = isinstance(given, str) or type(given) is kind or (kind is float and type(given) is int)
            read = {"true": True, "false": False}[str(given).lower()] if kind is bool else kind(given)
            if typed and not (kind is int and "seed" in self.name and read < 0):
                return read
            raise ValueError
        except (ValueError, KeyError, TypeError):
            least = " from 0" * ("seed" in self.name)
            allowed = f"a value of type {self.type}{least}, such as {self.default!r}"
            allowed = "true or false" if kind is bool else allowed
            raise ParameterError(f"parameter {self.name} takes {allowed}; got {quoted(given)}.") from None


def parameters_of(notebook: Path) -> dict[str, Parameter]:
    """Read the parameters cell of a notebook.

    Parameters
    ----------
    notebook : Path
        An ``.ipynb`` file.

    Returns
    -------
    dict of str to Parameter
        In the order of the cell.

    Raises
    ------
    NotebookError
        When the file is no notebook, has several cells tagged ``parameters`` (or none, where the project wants one),
        or a line of it is not a typed literal.
    """
    cells = cells_of(notebook)
    tagged = [c for c in cells if "parameters" in c.get("metadata", {}).get("tags", [])]
    if not tagged and not project().parameterised:
        return {}
    if len(tagged) != 1:
        raise NotebookError(
            f"{notebook.name} has {len(tagged)} cells tagged 'parameters'; a report needs exactly one "
            "(in JupyterLab: select the cell, Property Inspector, add the tag)."
        )
    source = "".join(tagged[0]["source"])
    return {p.name: p for p in _parse(source, notebook.name)}


def cells_of(notebook: Path) -> list[dict[str, Any]]:
    """Return the cells of a notebook file as plain dictionaries."""
    try:
        match json.loads(read_bytes(notebook).decode()):
            case {"nbformat": 4, "nbformat_minor": int(), "metadata": dict(about), "cells": list(cells)}:
                if not isinstance(about.get("kernelspec", {}), dict):
                    raise ValueError("its kernel is no table")
            case {"nbformat": int(other), "nbformat_minor": int()} if other != 4:
                raise ValueError(f"it is in notebook format {other}")
            case _:
                raise ValueError("it has no format, no table of metadata or no list of cells")
        if malformed := next((number for number, cell in enumerate(cells, 1) if not _whole(cell)), 0):
            raise ValueError(f"cell {malformed} is not of type code, markdown or raw with a source and metadata")
        return cells
    except (ValueError, RecursionError) as wrong:
        raise NotebookError(
            f"{notebook.name} is not a notebook that can be read: {wrong}; "
            "allowed: a file in notebook format 4, as JupyterLab saves it."
        ) from None


def _whole(cell: Any) -> bool:
    """Whether a cell has the form that a build relies on."""
    match cell:
        case {"cell_type": "code" | "markdown" | "raw", "source": str() | list() as source, "metadata": dict(about)}:
            tags, lines = about.get("tags", []), source if isinstance(source, list) else []
            lists = isinstance(tags, list) and isinstance(cell.get("outputs", []), list)
            return lists and all(isinstance(text, str) for text in (*lines, *tags))
    return False


def _parse(source: str, name: str) -> Iterator[Parameter]:
    try:
        statements: list[Any] = list(ast.parse(source).body)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as wrong:  # MemoryError: too many brackets
        raise NotebookError(f"the parameters cell of {name} is not Python: {wrong}.") from None
    for statement in statements:
        line = source.splitlines()[statement.lineno - 1]
        try:
            typed = type(statement) is ast.AnnAssign
            target = statement.target if typed else statement.targets[0]
            default = ast.literal_eval(statement.value)
            annotated = statement.annotation.id if typed else type(default).__name__
            TYPES[annotated](default)
            yield Parameter(target.id, annotated, default, line.partition("#")[2].strip())
        except (AttributeError, KeyError, ValueError, TypeError, RecursionError, MemoryError):
            raise NotebookError(
                f"the parameters cell of {name} holds {quoted(line.strip())}; allowed is one literal a "
                "line, such as `draws: int = 1000  # Monte-Carlo draws`, "
                "of type int, float, str or bool."
            ) from None


def chosen(notebook: Path, profile: Mapping[str, Literal], given: Mapping[str, str]) -> dict[str, Literal]:
    """Settle every parameter of a notebook: its default, then the profile's value, then the reader's own.

    Refused are a name that is not in the notebook's parameters cell, with the nearest one, and a value of another type.
    """
    known = parameters_of(notebook)
    for name in (*profile, *given):
        if name not in known:
            raise UnknownNameError(f"parameter of {notebook.stem}", name, known)
    return {name: p.read(given.get(name, profile.get(name, p.default))) for name, p in known.items()}


def profile_of(folder: Path, profile: str, notebook: str) -> dict[str, Literal]:
    """Read a profile's parameters for one notebook from ``profiles.toml`` beside the notebooks, if it is there."""
    file = folder / "profiles.toml"
    profiles = read_toml(file) if file.exists() else {"full": {}, "quick": {}}
    if profile not in profiles:
        raise UnknownNameError("profile", profile, profiles)
    chosen = profiles[profile].get(notebook, {}) if isinstance(profiles[profile], dict) else None
    if not isinstance(chosen, dict):
        raise NotebookError(f"profiles.toml: profile {named(profile)} holds no table of parameters for {notebook}.")
    return chosen
