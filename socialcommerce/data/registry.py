"""Every registered file: publisher, locator, licence, unit, basis, columns and hash."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated, Any

from nbproof import quoted, read_toml
from nbproof.shapes import COUNT, TEXT, Field, check, fault, one_of
from socialcommerce.errors import ChecksumError, DataError, FetchError, UnknownNameError
from socialcommerce.project import INSTALLED, cache_folder, record, root

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Column", "Source", "data_path", "listing", "load", "sha256", "source", "sources", "verify"]

KINDS = ("raw", "processed", "public")
DTYPES = {"int": "Int64", "float": "float64", "str": "str", "bool": "boolean"}
TABLES = Field(lambda value: isinstance(value, list), "tables, each opened by [[source]]")
HASH = Field(lambda value: isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value), "64 hexadecimal digits")
ADDRESS = Field(lambda value: isinstance(value, str) and re.match("https?://", value), "an address to fetch it from")
FETCHED = {"url": ADDRESS, "bytes": COUNT}
"""What a public file states beside: where it is fetched from, and that no more comes than is its own."""
Text = Annotated[str, TEXT]


@dataclass(frozen=True)
class Column:
    """One column of a registered table: its name, type (``int``, ``float``, ``str``, ``bool``), unit and meaning."""

    name: Text
    type: Annotated[str, one_of(DTYPES)]
    unit: Text = ""
    meaning: Text = ""


@dataclass(frozen=True)
class Source:
    """One registered file.

    Attributes
    ----------
    name : str
        How ``load`` and ``fetch`` know it.
    kind : {"raw", "processed", "public"}
        Committed as received, computed from committed files by ``data/prepare``, or fetched and never committed.
    dataset : str
        The data set the file is a part of; ``fetch`` takes this name too.
    path : str
        Where it lies in the checkout, with forward slashes.
    url : str
        Where ``fetch`` finds it; empty for committed files.
    bytes : int
        How long a public file is: ``fetch`` takes no more.
    basis : str
        The kind of evidence, one of ``socialcommerce.paper.EVIDENCE``.
    sha256 : str
        The hash of its bytes, 64 hexadecimal digits.
    """

    name: Text
    kind: Annotated[str, one_of(KINDS)]
    title: Text
    publisher: Text
    locator: Text
    date: Text
    licence: Text
    unit: Text
    basis: Text
    format: Text
    path: Text
    sha256: Annotated[str, HASH]
    url: Annotated[str, ADDRESS] = ""
    bytes: Annotated[int, COUNT] = 0
    dataset: Text = ""
    columns: tuple[Column, ...] = ()

    @property
    def file(self) -> Path:
        """The file, whether it is there or not; what is fetched for an installed package lies in its cache."""
        return (root() if self.committed or root() != INSTALLED else cache_folder()) / self.path

    @property
    def committed(self) -> bool:
        """Whether the file is part of the repository."""
        return self.kind != "public"


def sources() -> tuple[Source, ...]:
    """Return every registered file, in the order of ``data/sources.toml``.

    Raises
    ------
    DataError
        When the file is no toml, or an entry lacks a field, has an unknown one or one that is malformed, or repeats a
        name.
    """
    path = root() / "data" / "sources.toml"
    if not path.exists():
        raise DataError(f"the registry is missing; {path} is not there. Restore data/sources.toml with `git checkout`.")
    return _parsed(path, path.stat().st_mtime_ns)


def source(name: str) -> Source:
    """Return one registered file; an unknown name is an error that offers the nearest known one."""
    known = {entry.name: entry for entry in sources()}
    if name not in known:
        raise UnknownNameError("table", name, known)
    return known[name]


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes as 64 hexadecimal digits.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile() as empty:
    ...     sha256(Path(empty.name))[:16]
    'e3b0c44298fc1c14'
    """
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def data_path(name: str) -> Path:
    """Return the path of a registered file after checking that it is there and is the registered one.

    Raises
    ------
    FetchError
        When a public file was not fetched yet.
    DataError
        When a committed file is missing.
    ChecksumError
        When the file's bytes differ from the registered ones; the message shows both hashes.
    """
    entry = source(name)
    if not entry.file.is_file() and not entry.committed:
        raise FetchError(f"{name} is not here yet; {entry.path} is missing. Run `socialcommerce data fetch {name}`.")
    if not entry.file.is_file():
        raise DataError(f"{entry.path} is missing; {name} is registered there. Restore it with `git checkout`.")
    check_hash(entry, entry.file, entry.path)
    return entry.file


def check_hash(entry: Source, path: Path, shown: str) -> None:
    """Raise ChecksumError unless a file is the registered one."""
    found = sha256(path)
    if found != entry.sha256:
        raise ChecksumError(
            f"{shown} is not the registered file {entry.name}: its sha256 is {found}; "
            f"data/sources.toml allows only {entry.sha256}."
        )


def load(name: str) -> pd.DataFrame:
    """Return a registered csv table with the registered column types.

    Parameters
    ----------
    name : str
        A name of ``sources()`` whose format is csv, for example ``"market_size"``.

    Returns
    -------
    pandas.DataFrame
        One row a record. Whole numbers are ``int64`` (``Int64`` where some are missing), missing texts are empty.
        Its ``attrs`` hold the kind of evidence (``basis``) and the ``source``.

    Raises
    ------
    UnknownNameError, FetchError, DataError, ChecksumError
        As ``data_path``; DataError too where the file is no csv or its columns are not the registered ones.
    """
    import pandas as pd

    entry = source(name)
    if entry.format != "csv":
        raise DataError(f"{name} cannot be loaded as a table; it is {entry.format}. Allowed: csv; else use data_path.")
    path = data_path(name)
    types = {column.name: DTYPES[column.type] for column in entry.columns}
    try:
        frame = pd.read_csv(path, dtype=types, encoding="utf-8-sig", keep_default_na=False, na_values=[""])
    except ValueError as error:
        raise DataError(f"{entry.path} breaks its registered types: {error}; allowed: {types}.") from error
    if list(frame.columns) != list(types):
        raise DataError(f"{entry.path} has columns {list(frame.columns)}; data/sources.toml allows {list(types)}.")
    texts = [name for name, dtype in types.items() if dtype == "str"]
    whole = [name for name, dtype in types.items() if dtype == "Int64" and frame[name].notna().all()]
    frame = frame.fillna(dict.fromkeys(texts, "")).astype(dict.fromkeys(whole, "int64"))
    frame.attrs = {"basis": entry.basis, "source": entry.publisher}
    return frame


def verify() -> int:
    """Hash every committed registered file and return how many there are.

    Raises
    ------
    ChecksumError
        Where some are missing or differ: each with both hashes.
    """
    committed = [entry for entry in sources() if entry.committed]
    wrong = []
    for entry in committed:
        there = entry.file.is_file()
        if (found := sha256(entry.file) if there else "none") != entry.sha256:
            state = "not the registered file" if there else "missing"
            wrong.append(f"{entry.path} is {state}: sha256 found {found}, registered {entry.sha256}")
    if wrong:
        advice = "Restore it with git, or register a deliberate change in data/sources.toml."
        raise ChecksumError(f"{'; '.join(wrong)}. {advice}")
    return len(committed)


def listing() -> list[dict[str, str]]:
    """Return one row a registered file: name, kind, whether it is here, licence, basis, title."""
    shown = ("name", "kind", "here", "licence", "basis", "title")
    return [{name: vars(one).get(name, "yes" if one.file.is_file() else "no") for name in shown} for one in sources()]


@cache
def _parsed(path: Path, stamp: int) -> tuple[Source, ...]:
    tables = check(DataError, path.name, read_toml(path, DataError), {"source": TABLES})["source"]
    found = tuple(_entry(path.name, number, table) for number, table in enumerate(tables, start=1))
    names = [entry.name for entry in found]
    if twice := {name for name in names if names.count(name) > 1}:
        raise DataError(f"{path.name} names two files alike: {', '.join(sorted(twice))}; a name is allowed once.")
    return found


def _entry(file: str, number: int, table: Any) -> Source:
    named = isinstance(table, dict) and isinstance(table.get("name"), str)
    where = f"{file}, source {quoted(table['name']) if named else number}"
    public = isinstance(table, dict) and table.get("kind") == "public"
    if public:  # its size and address have to be there
        check(DataError, where, {name: table[name] for name in FETCHED if name in table}, FETCHED)
    entry = record(Source, DataError, where, table)
    path, below = PurePosixPath(entry.path), "data/fetched" if public else "data"
    if not path.is_relative_to(below) or ".." in path.parts or re.search(r"[\\:]", entry.path):
        raise fault(DataError, f"{where}, field path", entry.path, f"a place below {below}, with forward slashes")
    return entry
