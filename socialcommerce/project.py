"""Where the project's own files stand, and where it keeps what it can make again."""

from __future__ import annotations

import os
from pathlib import Path

import nbproof
from socialcommerce.errors import OutputError

__all__ = ["cache_folder", "own_folder", "root"]

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


def own_folder(name: str) -> Path:
    """Return the folder for what the project writes by default: in its checkout, else in the working directory."""
    top = root()
    return (Path.cwd() if top == INSTALLED else top) / name


def cache_folder() -> Path:
    """Return the folder for what is kept between runs and can be made again; see `nbproof.cache_folder`."""
    return nbproof.cache_folder("socialcommerce")
