"""Who may import whom, read from the source."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "socialcommerce"
OPEN = {"errors", "numbers", "project"}  # anyone may import them
MAY_IMPORT: dict[str, set[str]] = {  # beside itself and the open ones
    "paper": set(), "data": set(), "experiments": set(), "market": set(), "modes": set(), "sem": set(),
    "errors": set(), "interrupt": set(), "numbers": set(), "project": set(),
    "verdicts": {"paper"},
    "survey": {"sem"},
    "strategies": {"survey", "sem", "verdicts"},
    "evidence": {"paper", "data", "experiments", "market", "modes", "sem", "survey", "strategies", "verdicts"},
    # figures: the result types they draw
    "figures": {"paper", "market", "modes", "sem", "survey", "strategies", "verdicts", "evidence"},
    "page": {"paper", "figures"},
    "report": {"paper", "page", "figures"},
    "console": set(),
    "cli": {"console", "data", "interrupt", "report", "strategies", "survey"},
    "__main__": {"cli", "console", "interrupt"},
    "__init__": set(),
}
ONLY = {"matplotlib": "figures", "seaborn": "figures", "papermill": "report", "pypandoc": "report", "typst": "report",
        "pooch": "data"}
MODULES = sorted(PACKAGE.rglob("*.py"))


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


@pytest.mark.parametrize("path", MODULES, ids=[str(path.relative_to(PACKAGE)) for path in MODULES])
def test_imports_point_downward(path):
    part = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    for name in imported(path):
        top, *rest = name.split(".")
        if top == "socialcommerce" and rest and rest[0] != "__version__":
            assert rest[0] in MAY_IMPORT[part] | OPEN | {part}, f"{path.relative_to(PACKAGE)} may not import {name}"
        # the fork server's warm-up loads what notebooks load; it uses none of it
        allowed = ONLY.get(top, part) == part or path.name == "warm.py"
        assert allowed, f"{path.relative_to(PACKAGE)}: only {ONLY.get(top)} imports {top}"


@pytest.mark.parametrize("path", MODULES, ids=[str(path.relative_to(PACKAGE)) for path in MODULES])
def test_modules_open_with_a_sentence_and_stay_readable(path):
    text = path.read_text(encoding="utf-8")
    assert ast.get_docstring(ast.parse(text)), "a module opens with one sentence that says what it knows"
    assert text.count("\n") <= 350


def test_the_engine_of_structural_equation_models_stands_alone():
    allowed = {"numpy", "scipy", "pandas", "socialcommerce"}
    import sys

    for path in (PACKAGE / "sem").rglob("*.py"):
        assert {name.split(".")[0] for name in imported(path)} <= allowed | sys.stdlib_module_names, path
