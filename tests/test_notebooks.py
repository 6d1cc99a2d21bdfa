"""Every notebook keeps the conventions: parameters typed, no functions, outputs or typed numbers, both languages."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from pathlib import Path

import pytest

from nbproof import REFERENCE, parameters_of, planned

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
each = pytest.mark.parametrize("path", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])


# Digits that name a thing rather than measure one: sections, claims and hypotheses, years, citations, code, links.
NAMING = re.compile(r"`[^`]*`|\{\{.*?\}\}|\[@[^\]]*\]|@\w+|\]\([^)]*\)|\$[^$]*\$|"
                    r"§+\s?\d+(?:\.\d+)*(?:[–-]\d+(?:\.\d+)*)?|(?<![A-Za-z0-9])(?:[CH]\d{2,3}|R0)(?!\d)|"
                    r"(?<![\d.,])(?:18|19|20)\d{2}(?![\d.,]*\d)(?:[–-](?:18|19|20)?\d{2})?|"
                    r"^\s*\d+\.\s", re.MULTILINE)


def typed_numbers(markdown: str) -> list[str]:
    """Find the numbers somebody typed into a prose cell instead of referring to a result."""
    return re.findall(r"\d[\d.,]*\d|\d", NAMING.sub(" ", markdown))


@pytest.mark.parametrize(("text", "found"), [
    ("It grew by 63.2 % to 20605.8.", ["63.2", "20605.8"]),
    ("在2019年增长63.2%。", ["63.2"]),
    ("From 2017 to 2023 (§2.2, §§3.1–3.2, C07, H12), see [@bass1969] and `n = 7`.", []),
    ("2017-2023年、2017–23，论断C21、C22", []),
    ("a market of 2,023 units", ["2,023"]),
    ("2023.5", ["2023.5"]),
    ("R0 is a threshold; {{size}} [12](x.html)", ["12"]),
    ("1. first\n2. second", []),
    ("$x^2 + 1$", []),
    ("seven points", []),
])
def test_typed_numbers_are_found_and_names_are_not(text, found):
    assert typed_numbers(text) == found


def cells(path: Path, kind: str) -> list[tuple[set[str], str]]:
    found = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [(set(c["metadata"].get("tags", ())), "".join(c["source"])) for c in found if c["cell_type"] == kind]


def test_profiles_name_parameters_there_are_and_change_only_how_much_is_drawn():
    profiles = tomllib.loads((ROOT / "notebooks" / "profiles.toml").read_text(encoding="utf-8"))
    assert set(profiles) == {"full", "quick"}
    assert profiles["full"] == {}  # each notebook's own values
    for name, given in profiles["quick"].items():
        known = parameters_of(ROOT / "notebooks" / f"{name}.ipynb")
        assert all(0 < known[key].read(value) < known[key].default for key, value in given.items()), name


def test_a_quick_build_leaves_the_committed_results_alone():
    assert planned(profile="quick").out == ROOT / "reports" / "quick"
    assert planned().out == ROOT / "reports"


def test_there_are_notebooks():
    assert {"00_claims", "01_market_size"} <= {path.stem for path in NOTEBOOKS}


@each
def test_committed_without_outputs(path):
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


@each
def test_parameters_are_typed_and_explained(path):
    found = parameters_of(path)
    assert found["language"].default == "both"
    assert all(parameter.meaning for parameter in found.values())


@each
def test_logic_lives_in_the_library(path):
    for _, source in cells(path, "code"):
        tree = ast.parse(source)
        assert not any(isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Lambda) for node in ast.walk(tree)), source
        statements = [line for line in source.splitlines() if line.strip() and not line.strip().startswith("#")]
        assert len(tree.body) <= 10, f"a cell does one thing:\n{source}"
        assert len(statements) <= 30, source


@each
def test_no_number_is_typed_into_the_prose(path):
    for _, source in cells(path, "markdown"):
        assert typed_numbers(source) == [], source


@each
def test_no_number_is_typed_into_captions_and_labels(path):
    """The words given to tables and figures are prose too."""
    words = {"caption", "alt", "note"}
    for _, source in cells(path, "code"):
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.keyword) and node.arg in words:
                for part in ast.walk(node.value):
                    if isinstance(part, ast.Constant) and isinstance(part.value, str):
                        assert typed_numbers(part.value) == [], part.value


@each
def test_both_languages_say_the_same_things(path):
    """Each prose cell has its translation beside it, with the same references."""
    prose = [(tags, source) for tags, source in cells(path, "markdown") if tags & {"lang-en", "lang-zh"}]
    english = [source for tags, source in prose if "lang-en" in tags]
    chinese = [source for tags, source in prose if "lang-zh" in tags]
    assert len(english) == len(chinese) > 0
    for a, b in zip(english, chinese, strict=True):
        assert sorted(REFERENCE.findall(a)) == sorted(REFERENCE.findall(b)), f"{a}\n---\n{b}"
        assert a.count("\n#") == b.count("\n#")


@each
def test_a_notebook_opens_with_a_title_in_each_language(path):
    for language in ("lang-en", "lang-zh"):
        first = next(source for tags, source in cells(path, "markdown") if language in tags)
        assert first.startswith("# ")
