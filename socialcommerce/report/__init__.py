"""The reports of this study: what `nbproof`, which builds them, has to know of it.

front    the front page and the page of all claims
look     fonts, colours and what runs in a page
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import nbproof
import surveysem
from socialcommerce import __version__
from socialcommerce.project import own_folder, root

__all__ = ["settings"]

HERE = Path(__file__).parent
WARM = (
    "IPython.core.pylabtools",
    "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_svg",
    "matplotlib.pyplot",
    "pandas.io.formats.html",
    "pandas.io.formats.string",
    "pandas.io.formats.style",
    "PIL.PngImagePlugin",
    "scipy.optimize",
    "scipy.stats",
    "seaborn",
    "statsmodels.api",
    "statsmodels.formula.api",
    "socialcommerce.report.look",
)
"""What the notebooks load, once for all of them."""


class Study(nbproof.Project):
    """The project, which may be installed: then its reports go to the working directory."""

    @property
    def out(self) -> Path:
        """The folder the reports go to."""
        return own_folder(self.reports)


@cache
def settings() -> nbproof.Project:
    """Return the project as its reports are built."""
    top = HERE.parents[1]
    beside = {
        path.parent.name: path.parent / path.parent.name for path in sorted(top.glob("packages/*/pyproject.toml"))
    }
    files = sorted(path for path in HERE.iterdir() if path.suffix in (".css", ".html", ".js", ".toml"))
    return Study(
        root,
        "socialcommerce",
        __version__,
        title="Reports on private-domain traffic and social commerce",
        description="Reports in English and Chinese that put the claims of Xiao (2024) on social commerce to the test: "
        "pages, PDFs, figures, results and executed notebooks, each with what it was made from. "
        "manifest.json holds parameters and versions.",
        languages=("en", "zh"),
        parameterised=True,
        locales=("notebooks/locale", str(surveysem.LOCALE), str(HERE.parent / "locale")),
        bibliography="paper/references.bib",
        lock="requirements.lock",
        words=str(HERE / "words.toml"),
        readmes=("README.md", "README.zh-CN.md"),
        sources=(
            ".ci",
            ".git",
            ".github",
            ".venv",
            "benchmarks",
            "data",
            "docs",
            "notebooks",
            "packages",
            "paper",
            "socialcommerce",
            "tests",
        ),
        packages={"socialcommerce": HERE.parent, **beside},
        preload=WARM,
        look="socialcommerce.report.look:Look",
        assets=(*map(str, files), str(HERE.parent / "figures" / "house.toml")),
        licence={
            "@id": "https://creativecommons.org/licenses/by/4.0/",
            "name": "CC BY 4.0",
            "description": "Creative Commons Attribution 4.0 International: share and adapt, with credit.",
        },
    )


nbproof.use(settings)
