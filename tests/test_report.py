"""What this study tells nbproof of itself: what its reports are made from, and how they look."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import nbproof
from nbproof import plan, render
from nbproof.document import Document, provenance
from socialcommerce import report

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def settings() -> None:
    nbproof.use(report.settings)


def names(source: str) -> set[str]:
    return {path.relative_to(ROOT).as_posix() for path in plan.modules_of(source)}


def test_a_page_is_made_from_the_house_style_and_not_from_the_front_page():
    found = names("from socialcommerce.notebook import Page")
    assert {"socialcommerce/paper/terms.py", "socialcommerce/figures/style.py", "socialcommerce/__init__.py"} <= found
    of_reports = {name for name in found if name.startswith("socialcommerce/report/")}
    assert of_reports == {"socialcommerce/report/__init__.py"}  # which says whose project it is


@pytest.mark.slow
def test_the_closure_holds_everything_that_python_itself_loads():
    """Compare with what an import really brings in, in a process of its own."""
    script = (
        "import sys, socialcommerce.evidence\n"
        "print([m.__file__ for n, m in sys.modules.items() "
        "if n.startswith(('socialcommerce', 'semfit', 'surveysem'))])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    loaded = {Path(p).relative_to(ROOT).as_posix() for p in re.findall(r"'([^']+\.py)'", done.stdout)}
    assert {"packages/surveysem/surveysem/study.py", "packages/semfit/semfit/resampling.py"} <= loaded
    assert loaded <= names("import socialcommerce.evidence")


def test_pages_are_made_from_what_we_hand_in_too():
    made = {plan.file_label(path) for path in plan.rendering_files("nbproof.render")}
    assert {
        "packages/nbproof/nbproof/assets/page.css",
        "packages/nbproof/nbproof/look.py",
        "socialcommerce/report/look.py",
        "socialcommerce/report/report.css",
        "socialcommerce/report/explorer.js",
        "socialcommerce/report/words.toml",
        "packages/nbproof/nbproof/fonts/__init__.py",
    } <= made
    assert plan.file_label(Path(nbproof.__file__)) == "packages/nbproof/nbproof/__init__.py"


def test_kinds_of_evidence_are_said_in_the_readers_language():
    payload = {"language": "zh", "n": "2", "basis": ["model", "own survey"], "source": "我们。"}
    assert provenance(payload) == "n = 2。数据类型：模型、本研究问卷数据。资料来源：我们。"


def written(language: str) -> Document:
    block = {"t": "Para", "c": [{"t": "Str", "c": "“42”"}]}
    return Document("n", language, "A title", [block], [block])


@pytest.mark.slow
def test_a_page_holds_the_font_of_its_language_and_of_the_other_what_it_says_in_it():
    def faces(page):
        return re.findall(r"@font-face { font-family: ([^;]+); font-weight: (\d+)", page)

    english, chinese = (render.html(written(language), ("en", "zh")) for language in ("en", "zh"))
    assert faces(english) == [("'House Latin'", "400"), ("House", "400"), ("'House Latin'", "700")]
    assert faces(chinese) == [("House", "400"), ("House", "700")]
    mixed = render.page("en", "Flow", "", "", "<h1>Flow</h1><p>\u6d41\u91cf</p>", "")
    assert faces(mixed) == faces(english)
