"""What several test files share: a small checkout of its own, a notebook maker, headless Chromium."""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

if TYPE_CHECKING:
    from socialcommerce import evidence
    from tests.browser import Browser

# several test processes share the processors: one BLAS thread each, as every notebook has; set before numpy is imported
os.environ |= dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
# as in report/warm.py: jsonschema loads this optional grammar, which costs over a second and checks nothing here
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]

ROOT = Path(__file__).parents[1]
PACKAGES = sorted(f"packages/{path.parent.name}/{path.parent.name}" for path in ROOT.glob("packages/*/pyproject.toml"))
KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}


def write_notebook(path: Path, cells: Sequence[tuple[str, str]]) -> Path:
    """Write a notebook from (tag, source) pairs; the tags en, zh and md make markdown cells, all others code."""
    import nbformat
    from nbformat import v4

    made = []
    for position, (tag, source) in enumerate(cells):
        if tag in ("en", "zh", "md"):
            tags = [] if tag == "md" else [f"lang-{tag}"]
            cell = v4.new_markdown_cell(source, metadata={"tags": tags})
        else:
            cell = v4.new_code_cell(source, metadata={"tags": [tag] if tag else []})
        cell.id = f"cell-{position}"
        made.append(cell)
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(v4.new_notebook(cells=made, metadata=KERNEL), path)
    return path


TITLE = [("en", "# A small report"), ("zh", "# 一份小报告")]
PARAMETERS = ("parameters", 'language: str = "both"  # language of the outputs\n'
                            "factor: float = 2.0  # what to multiply by")

ALPHA = [
    *TITLE,
    ("en", "The answer is {{answer}}."),
    ("zh", "答案是{{answer}}。"),
    PARAMETERS,
    ("", "from socialcommerce import data, page, project\ntold = page.Page('alpha', language=language)\n"
         "text = (project.root() / 'data' / 'alpha.csv').read_text()\n"
         "told.number('answer', factor * float(text), 2, basis='model')"),
    ("en", "## A table\n\nSee {{rows}}."),
    ("zh", "## 一张表\n\n见{{rows}}。"),
    ("", "import pandas as pd\nframe = pd.DataFrame({'year': [2017, 2018], 'value': [1.25, 2.5]})\n"
         "told.table('rows', frame, digits={'value': 1},"
         " labels={'year': {'en': 'Year', 'zh': '年份'}, 'value': {'en': 'Value', 'zh': '数值'}},"
         " caption={'en': 'Values.', 'zh': '数值。'}, n=2, basis='model', source={'en': 'made up', 'zh': '虚构'})"),
]
BETA = [
    *TITLE,
    PARAMETERS,
    ("", "from socialcommerce import paper, page, project\ntold = page.Page('beta', language=language)\n"
         "text = (project.root() / 'data' / 'beta.csv').read_text()\n"
         "told.number('other', factor + float(text), 1, basis='model')"),
    ("en", "The other is {{other}}."),
    ("zh", "另一个是{{other}}。"),
]


class Checkout:
    """A copy of the project with two small notebooks, and the command run inside it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name in ("socialcommerce", "paper", *PACKAGES):
            shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
        warm = root / "socialcommerce" / "report" / "warm.py"  # each build loads it; these notebooks need no statistics
        lines = warm.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = [line for line in lines if not line.startswith(("import scipy", "import seaborn", "import statsmodels"))]
        warm.write_text("".join(kept), encoding="utf-8")
        for name in ("requirements.lock", "CITATION.cff"):
            shutil.copy(ROOT / name, root)
        (root / "data").mkdir()
        (root / "data" / "alpha.csv").write_text("21.0\n")
        (root / "data" / "beta.csv").write_text("3.5\n")
        write_notebook(root / "notebooks" / "alpha.ipynb", ALPHA)
        write_notebook(root / "notebooks" / "beta.ipynb", BETA)
        (root / "notebooks" / "profiles.toml").write_text("[full]\n[quick]\nalpha = { factor = 1.0 }\n")

    @property
    def path(self) -> str:
        """What PYTHONPATH holds for this checkout's own modules."""
        return os.pathsep.join(map(str, [self.root, *sorted(self.root.glob("packages/*"))]))

    @property
    def reports(self) -> Path:
        return self.root / "reports"

    def command(self, *arguments: str, **environment: str) -> tuple[list[str], dict[str, str]]:
        """The command line and environment of ``socialcommerce`` in this checkout."""
        given = {k: v for k, v in os.environ.items() if not k.startswith("SOCIALCOMMERCE")}
        program = [sys.executable, "-m", "socialcommerce.cli", *arguments]
        return program, {**given, "PYTHONPATH": self.path, **environment}

    def run(self, *arguments: str, timeout: float = 120, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run ``socialcommerce`` in this checkout."""
        command, given = self.command(*arguments, **environment)
        return subprocess.run(command, env=given, cwd=self.root, capture_output=True, text=True, timeout=timeout,
                              check=False)

    def build(self, *arguments: str, **environment: str) -> str:
        """Build, insist that it went well, and return what was said."""
        done = self.run("build", *arguments, **environment)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace a text in one file."""
        path = self.root / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")


def pytest_collection_finish() -> None:
    """Leave all that was imported out of every later search for garbage; there is much of it, and it stays."""
    gc.freeze()


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path / "checkout")


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """A folder that the first of all test processes makes and the others find; tests must leave it as it is."""
    base = factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    whole = folder.with_suffix(".whole")
    with FileLock(folder.with_suffix(".lock")):
        if not whole.exists():
            shutil.rmtree(folder, ignore_errors=True)  # of a process that failed at it
            make(folder)
            whole.touch()
    return folder


@pytest.fixture(scope="session")
def built_checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A checkout whose reports are built."""
    made = Checkout.__new__(Checkout)
    made.root = made_once(tmp_path_factory, "checkout", lambda root: Checkout(root).build())
    return made


@pytest.fixture(scope="session")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every report of the project: as `make reports` left it if nothing changed since; else built, few draws."""
    from socialcommerce.report.build import build, planned

    standing = planned()
    if not standing.stale:
        return standing.out

    def make(out: Path) -> None:
        built = build(out=out, profile="quick")
        assert not built.failed, built.failed

    return made_once(tmp_path_factory, "reports", make)


@pytest.fixture
def copy_of_built(built_checkout: Checkout, tmp_path: Path) -> Checkout:
    """A copy of the built checkout, to change at will."""
    shutil.copytree(built_checkout.root, tmp_path / "checkout")
    copied = Checkout.__new__(Checkout)
    copied.root = tmp_path / "checkout"
    return copied


@cache
def assessment() -> evidence.Assessment:
    """Every hypothesis, tested once a process, when first asked for; not where a test changes what it reads."""
    from socialcommerce import evidence

    return evidence.assess_all()


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
