"""What several test files share: the built reports, a notebook maker, headless Chromium."""

from __future__ import annotations

import gc
import os
import pickle
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from small_project import made_once, write_notebook

import nbproof
from socialcommerce import report

if TYPE_CHECKING:
    from socialcommerce import evidence
    from socialcommerce.verdicts import Verdict
    from tests.browser import Browser

# several test processes share the processors: one BLAS thread each, as every notebook has; set before numpy is imported
os.environ |= dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
# as in nbproof/warm.py: jsonschema loads this optional grammar, which costs over a second and checks nothing here
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]

ROOT = Path(__file__).parents[1]
PACKAGES = sorted(f"packages/{path.parent.name}/{path.parent.name}" for path in ROOT.glob("packages/*/pyproject.toml"))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let each process begin with its share of the modules that hold slow tests.

    Every process is given one run of neighbours, of as many tests as another's, and whoever is done takes over the end
    of another's: so those ends should be short tests.
    """
    shares: list[list[pytest.Item]] = [[] for _ in range(getattr(config, "workerinput", {}).get("workercount", 1))]
    modules: dict[Path, list[pytest.Item]] = {}
    for item in items:
        modules.setdefault(item.path, []).append(item)
    slow = {path: sum("slow" in item.keywords for item in found) for path, found in modules.items()}
    for path in sorted(modules, key=slow.__getitem__, reverse=True) if len(shares) > 1 else modules:
        min(shares, key=len).extend(modules[path])
    items[:] = [item for share in shares for item in share]


def pytest_collection_finish() -> None:
    """Leave all that was imported out of every later search for garbage; there is much of it, and it stays."""
    gc.freeze()


@pytest.fixture(scope="module", autouse=True)
def of_the_study() -> None:
    """Say that the project is the study's: tests of `surveysem` in the same process say that it is theirs."""
    nbproof.use(report.settings)


@pytest.fixture(scope="session")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every report of the project: as `make reports` left it if nothing changed since; else built, few draws."""
    nbproof.use(report.settings)
    standing = nbproof.planned()
    if not standing.stale:
        return standing.out

    def make(out: Path) -> None:
        built = nbproof.build(out=out, profile="quick")
        assert not built.failed, built.failed

    return made_once(tmp_path_factory, "reports", make)


class Shared(Mapping[str, "Verdict"]):
    """Verdicts that the first test process to look at one of them finds, all at once, and the others read."""

    factory: pytest.TempPathFactory

    def __init__(self, verdicts: Mapping[str, Verdict]) -> None:
        self._verdicts = verdicts

    @cached_property
    def _found(self) -> dict[str, Verdict]:
        def make(folder: Path) -> None:
            folder.mkdir()
            (folder / "all").write_bytes(pickle.dumps(dict(self._verdicts)))

        return pickle.loads((made_once(self.factory, "verdicts", make) / "all").read_bytes())

    def __getitem__(self, name: str) -> Verdict:
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._verdicts)

    def __len__(self) -> int:
        return len(self._verdicts)


@pytest.fixture(scope="session", autouse=True)
def _verdicts_have_a_place(tmp_path_factory: pytest.TempPathFactory) -> None:
    Shared.factory = tmp_path_factory


@cache
def assessment() -> evidence.Assessment:
    """Every hypothesis, tested once for all processes, when first asked for; not where a test changes what it reads."""
    from socialcommerce.evidence.assessment import assess_all  # itself, where a test puts this one in its place

    found = assess_all()
    return replace(found, results=Shared(found.results))


@pytest.fixture
def notebook(tmp_path: Path) -> Callable[..., Path]:
    """Write a notebook of the given (tag, source) cells."""
    return lambda *cells, name="small": write_notebook(tmp_path / f"{name}.ipynb", cells)


@pytest.fixture(scope="session")
def chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not found:
        pytest.skip("needs Chromium: apt-get install chromium (.ci/run does)")
    return found


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    from tests.browser import Browser

    opened = Browser(chromium)
    yield opened
    opened.close()
