"""Who may import whom, read from the source."""

from __future__ import annotations

import ast
import importlib
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from types import FrameType

import pytest

from tests.conftest import PACKAGES

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "socialcommerce"
BESIDE = {Path(name).name: sorted((ROOT / name).rglob("*.py")) for name in PACKAGES}
OPEN = {"errors", "project"}  # anyone may import them
MAY_IMPORT: dict[str, set[str]] = {  # beside itself and the open ones
    "paper": set(),
    "data": set(),
    "market": set(),
    "modes": set(),
    "errors": set(),
    "project": set(),
    "survey": set(),
    "public_data": set(),
    "verdicts": {"paper"},
    "evidence": {"paper", "data", "market", "modes", "public_data", "survey", "verdicts"},
    "figures": {"paper", "market", "modes", "verdicts", "evidence"},  # the result types they draw
    "notebook": {"paper", "figures", "report"},
    "report": {"paper", "figures", "verdicts"},
    "cli": {"data", "report"},
    "__main__": {"cli"},
    "__init__": set(),
}
STANDS_ON = {"surveysem": {"semfit", "nbproof"}}  # what a package beside this one may import of the others
ONLY = {"matplotlib": "figures", "seaborn": "figures", "typst": "report", "pooch": "data"}
MODULES = sorted(PACKAGE.rglob("*.py"))


@cache
def imported(path: Path) -> set[str]:
    """Every dotted name a module imports, lazy imports too."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: imports are written out from the top"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def misplaced(path: Path) -> Iterator[str]:
    """What a module imports and may not."""
    part = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    for name in sorted(imported(path)):
        top, *rest = name.split(".")
        if top == "socialcommerce" and rest and rest[0] not in MAY_IMPORT[part] | OPEN | {part, "__version__"}:
            yield f"{path.relative_to(PACKAGE)} may not import {name}"
        # the fork server's warm-up loads what notebooks load; it uses none of it
        if ONLY.get(top, part) != part and path.name != "warm.py":
            yield f"{path.relative_to(PACKAGE)}: only {ONLY[top]} imports {top}"


def test_imports_point_downward():
    assert len(MODULES) > 40
    assert [fault for path in MODULES for fault in misplaced(path)] == []


def test_a_package_beside_this_one_knows_neither_it_nor_others_than_it_stands_on():
    own = {"socialcommerce", "tests", *BESIDE}
    found = {
        f"{name}: {other}"
        for name, paths in BESIDE.items()
        for path in paths
        for other in imported(path)
        if other.split(".")[0] in own - {name} - STANDS_ON.get(name, set())
    }
    assert found == set()


def test_files_import_one_another_in_no_circle():
    for paths in (MODULES, *BESIDE.values()):
        top = paths[0].parents[1]
        named = {
            ".".join(path.relative_to(top).with_suffix("").parts).removesuffix(".__init__"): path for path in paths
        }
        graph = {
            name: {other if other in named else other.rpartition(".")[0] for other in imported(path)}
            for name, path in named.items()
        }
        TopologicalSorter({name: others & {*named} - {name} for name, others in graph.items()}).prepare()  # or raises


def test_what_is_used_of_a_package_elsewhere_is_public_there():
    """A name in ``__all__`` of the package or of a package inside it, never one out of a module."""
    users = {"socialcommerce": MODULES, **{name: BESIDE[name] for name in STANDS_ON}}
    names = {
        name
        for user, paths in users.items()
        for path in paths
        for name in imported(path)
        if name.split(".")[0] in {*BESIDE} - {user}
    }
    hidden = []
    for module, _, member in (name.rpartition(".") for name in names if "." in name):
        found = importlib.import_module(module)
        inside = (Path(found.__file__).parent / member / "__init__.py").is_file()
        if not hasattr(found, "__path__") or not (inside or member in found.__all__):
            hidden.append(f"{module}.{member}")
    assert hidden == []


def test_modules_open_with_a_sentence():
    modules = [*MODULES, *(path for paths in BESIDE.values() for path in paths)]
    texts = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in modules}
    assert [name for name, text in texts.items() if not ast.get_docstring(ast.parse(text))] == []


def defined(source: str) -> list[str]:
    """The functions and classes of a module that it does not use itself: they stand there for another."""
    kinds, said = (ast.FunctionDef, ast.ClassDef), Counter(re.findall(r"\w+", source))
    return [each.name for each in ast.parse(source).body if isinstance(each, kinds) and said[each.name] < 2]


def test_what_is_public_is_used_or_promised():
    """By another file of code, a notebook or a page of documentation, or by what a function of its module returns."""
    places = [
        ROOT / "socialcommerce",
        ROOT / "benchmarks",
        ROOT / "data",
        ROOT / "docs",
        ROOT / "notebooks",
        *(ROOT / name for name in PACKAGES),
        *ROOT.glob("*.md"),
        *ROOT.glob("packages/*/*.*"),
    ]
    files = [
        path
        for place in places
        for path in (place.rglob("*.*") if place.is_dir() else [place])
        if path.suffix in (".py", ".pyi", ".md", ".ipynb", ".toml")
    ]
    told = Counter(word for path in files for word in {*re.findall(r"\w+", path.read_text(encoding="utf-8"))})
    unused = []
    for path in [*MODULES, *BESIDE["nbproof"]]:
        source = path.read_text(encoding="utf-8")
        if path in BESIDE["nbproof"]:  # its stub alone lists what is public
            listed = defined(source)
        else:
            found = re.search(r"^__all__ = \[(.*?)\]", source, re.MULTILINE | re.DOTALL)
            listed = re.findall(r"\w+", found[1] if found else "")
        returned = {*re.findall(r"\w+", " ".join(re.findall(r"->(.*):$", source, re.MULTILINE)))}
        unused += [f"{path.relative_to(ROOT)}: {name}" for name in listed if told[name] < 2 and name not in returned]
    assert "\n".join(unused) == ""


# may only fall; the path diagram took 470 lines from the study and 380 to semfit (decision 27); sections on parameters,
BUDGET = {"socialcommerce": 6_970, "semfit": 10_500, "stockflow": 4_500, "nbproof": 5_890, "surveysem": 9_500}


def test_every_package_keeps_to_its_budget():
    """Lines of Python, all included; what house and study are to come down to is in docs/architecture.md."""
    files = {"socialcommerce": MODULES, **BESIDE}
    lines = {
        name: sum(len(path.read_text(encoding="utf-8").splitlines()) for path in paths) for name, paths in files.items()
    }
    assert {name: count for name, count in lines.items() if count > BUDGET[name]} == {}
    assert len(MODULES) <= 90


def test_words_live_in_catalogues_and_toml():
    """No Chinese character stands in Python, packages' tests included, and so no text in two languages."""
    modules = [*MODULES, *(ROOT / "packages").rglob("*.py"), *(ROOT / "benchmarks").rglob("*.py")]
    texts = {path.relative_to(ROOT): path.read_text(encoding="utf-8") for path in modules}
    assert [str(path) for path, text in texts.items() if re.search("[\u4e00-\u9fff]", text)] == []


PAGE = ROOT / "docs" / "architecture.md"


@pytest.mark.slow
def test_the_picture_of_the_architecture_is_drawn_from_the_code():
    from docs import picture

    assert picture.PICTURE.read_text(encoding="utf-8") == picture.picture(), "run `python docs/picture.py`"


def walk(call: Callable[[], object]) -> list[str]:
    """The files of study and survey that a call passes through, as it meets them, but those open to anyone."""
    met: dict[str, None] = {}

    @cache
    def named(file: str) -> list[str]:
        return [
            prefix + Path(file).relative_to(top).as_posix()
            for top, prefix in ((PACKAGE, ""), (ROOT / "packages" / "surveysem" / "surveysem", "surveysem/"))
            if Path(file).is_relative_to(top) and Path(file).relative_to(top).parts[0].removesuffix(".py") not in OPEN
        ]

    def listen(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code.co_name not in ("<module>", "__getattr__"):
            met.update(dict.fromkeys(named(frame.f_code.co_filename)))

    before = sys.getprofile()
    sys.setprofile(listen)
    try:
        call()
    finally:
        sys.setprofile(before)
    return list(met)


def listed(heading: str) -> list[str]:
    section = PAGE.read_text(encoding="utf-8").partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(r"^\d+\. `([\w/]+\.py)`", section, re.MULTILINE)


@pytest.mark.slow
def test_a_claim_is_a_row_after_the_files_that_the_page_lists():
    from socialcommerce import evidence

    row = listed("From a claim to a row")
    assert walk(lambda: evidence.assess_all().subset("H20")) == row
    assert len(row) <= 8


@pytest.mark.slow
def test_an_answer_is_a_path_after_the_files_that_the_page_lists(tmp_path):
    from socialcommerce import survey
    from surveysem import paths

    survey.own_sample().write(tmp_path)
    answers = str(tmp_path / "sample.csv")
    path = listed("From an answer to a path")
    assert walk(lambda: paths.path_table(survey.read_study(answers, draws=100, invalid="record"))) == path
    assert len(path) <= 12
