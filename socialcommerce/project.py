"""Know where the project's own files stand: the checkout this package was installed from."""

from __future__ import annotations

import os
from pathlib import Path

from socialcommerce.errors import OutputError

__all__ = ["root"]


def root() -> Path:
    """Return the checkout's top folder.

    It is the folder above the package (an editable install, which `make` does), or the nearest folder at or above the
    working directory that holds ``paper/claims.toml``; ``SOCIALCOMMERCE_ROOT`` overrides both.

    Raises
    ------
    OutputError
        When none of the three is a checkout.
    """
    given = os.environ.get("SOCIALCOMMERCE_ROOT")
    candidates = [Path(given)] if given else [Path(__file__).parents[1], Path.cwd(), *Path.cwd().parents]
    for folder in candidates:
        if (folder / "paper" / "claims.toml").is_file():
            return folder.resolve()
    raise OutputError(
        f"no checkout of socialcommerce found; looked for paper/claims.toml in {given or 'the working directory'}. "
        "Run inside a clone of the repository, or set SOCIALCOMMERCE_ROOT to one."
    )
