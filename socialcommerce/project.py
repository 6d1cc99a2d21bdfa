"""Where the project's own files stand, how tables in them become records, and where it keeps what it can make again."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import nbproof
from nbproof import words
from nbproof.shapes import LIST, TABLE, Field, check
from socialcommerce.errors import OutputError

__all__ = ["Cited", "cache_folder", "codebook_file", "record", "root", "truth_file"]

Kind = TypeVar("Kind")


class Cited:
    """What stands at a section, paragraph and sentence of the paper, counted as ``paper/claims.toml`` says."""

    section: str
    paragraph: int
    sentence: int

    @property
    def place(self) -> str:
        """Section, paragraph and sentence as a reader would cite them."""
        at = {"section": self.section, "paragraph": self.paragraph, "sentence": self.sentence}
        return words("§{section}, par. {paragraph:d}, s. {sentence:d}", **at)


INSTALLED = Path(__file__).resolve().parent / "files"
"""Where an installed package holds notebooks, paper and data."""


def root() -> Path:
    """Return the folder that holds notebooks, paper and data.

    It is the folder above the package (a checkout, where ``make`` installs it), else the nearest checkout at or above
    the working directory, else what travels inside an installed package; ``SOCIALCOMMERCE_ROOT`` goes before all three.

    Raises
    ------
    OutputError
        When ``SOCIALCOMMERCE_ROOT`` names another folder.
    """
    given = os.environ.get("SOCIALCOMMERCE_ROOT")
    for folder in [Path(given)] if given else [Path(__file__).parents[1], Path.cwd(), *Path.cwd().parents, INSTALLED]:
        if (folder / "paper" / "claims.toml").is_file():
            return folder.resolve()
    raise OutputError(
        f"SOCIALCOMMERCE_ROOT holds no paper/claims.toml; got {given}; allowed is the top folder of "
        "a clone, or to leave it unset."
    )


def codebook_file() -> Path:
    """Return where the codebook of the project's own survey stands."""
    return root() / "data" / "survey" / "codebook.toml"


def truth_file() -> Path:
    """Return where it stands what is true of the project's own sample."""
    return root() / "data" / "survey" / "truth.toml"


def cache_folder() -> Path:
    """Return the folder for what is kept between runs and can be made again; see `nbproof.cache_folder`."""
    return nbproof.cache_folder("socialcommerce")


def record(
    kind: type[Kind],
    error: type[Exception],
    where: str,
    table: Any,
    more: Mapping[str, Field] = MappingProxyType({}),
    **made: Any,
) -> Kind:
    """Return a record from a table of toml, or say what is wrong with the table; see `nbproof.shapes.check`.

    Parameters
    ----------
    kind : type
        A dataclass. A field may hold what its annotation says, ``Annotated[type, Field]``, or one or more tables of
        another such class. One with a default may be left out; one annotated otherwise is of no concern to the table.
    error, where
        What a fault is raised as; file and entry, as a reader finds them.
    more : mapping
        What the table holds beside, or in place of what the annotation says.
    **made
        By field, its value, or what makes it from the checked table.

    Examples
    --------
    >>> from socialcommerce.errors import PaperError
    >>> from socialcommerce.paper import Evidence
    >>> record(Evidence, PaperError, "a.toml", {"name": "x", "kind": "model", "grade": "direct"})
    Evidence(name='x', kind='model', grade='direct')
    """
    shapes, inner, optional = _shapes(kind)  # type: ignore[arg-type]  # a class is hashable
    shapes = {name: shape for name, shape in shapes.items() if name not in made} | dict(more)
    needed = {name: shape for name, shape in shapes.items() if name not in optional}
    check(error, where, table, needed, {name: shape for name, shape in shapes.items() if name in optional})

    def value(name: str, given: Any, entry: str) -> Any:
        if isinstance(given, list):
            return tuple(value(name, one, f"{entry.removesuffix('s')} {k}") for k, one in enumerate(given, 1))
        return record(inner[name], error, f"{where}, {entry}", given) if name in inner else given

    own = {
        name: value(name, given, name) for name, given in table.items() if name in shapes and name not in {*more, *made}
    }
    return kind(**own, **{name: of(table) if callable(of) else of for name, of in made.items()})


@cache
def _shapes(kind: type) -> tuple[dict[str, Field], dict[str, type], frozenset[str]]:
    """Return what the fields of a dataclass may hold, the classes of tables inside it, and fields with a default."""
    shapes: dict[str, Field] = {}
    inner: dict[str, type] = {}
    for name, hint in get_type_hints(kind, include_extras=True).items():
        for each in (hint, *get_args(hint)):
            if isinstance(each, type) and is_dataclass(each):
                inner[name], shapes[name] = each, LIST if get_origin(hint) is tuple else TABLE
            for mark in getattr(each, "__metadata__", ()):
                shapes[name] = mark
    default = [one.name for one in fields(kind) if one.default is not MISSING or one.default_factory is not MISSING]
    return shapes, inner, frozenset(default)
