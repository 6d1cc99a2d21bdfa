"""The reports of this study: what `nbproof`, which builds them, has to know of it.

front    the front page and the page of all claims
look     fonts, colours and what runs in a page
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import nbproof
import surveysem
from socialcommerce import __version__
from socialcommerce.project import INSTALLED, root

__all__ = ["settings"]

HERE = Path(__file__).parent


class Study(nbproof.Project):
    """The project, which may be installed: then its reports go to the working directory."""

    @property
    def out(self) -> Path:
        """The folder the reports go to."""
        return (Path.cwd() if self.root == INSTALLED else self.root) / self.reports


@cache
def settings() -> nbproof.Project:
    """Return the project as its reports are built."""
    top = HERE.parents[1]
    beside = {
        path.parent.name: path.parent / path.parent.name for path in sorted(top.glob("packages/*/pyproject.toml"))
    }
    files = sorted(path for path in HERE.iterdir() if path.suffix in (".css", ".html", ".js", ".toml"))
    stated = nbproof.read_toml(HERE / "study.toml").items()
    told: dict[str, Any] = {name: tuple(given) if isinstance(given, list) else given for name, given in stated}
    return Study(
        root,
        "socialcommerce",
        __version__,
        locales=("notebooks/locale", str(surveysem.LOCALE), str(HERE.parent / "locale")),
        words=str(HERE / "words.toml"),
        packages={"socialcommerce": HERE.parent, **beside},
        assets=(*map(str, files), str(HERE.parent / "figures" / "house.toml")),
        **told,
    )


nbproof.use(settings)
