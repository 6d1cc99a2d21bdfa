"""Every notebook keeps the conventions: parameters typed, no functions, outputs or typed numbers, both languages."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from pathlib import Path

import nbformat
import pytest

from nbproof import parameters_of, planned
from nbproof.translation import FIELD, catalogue, localised, messages
from socialcommerce.report import settings

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
CHINESE = ROOT / "notebooks" / "zh"
each = pytest.mark.parametrize("path", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])


# Digits that name a thing rather than measure one: sections, claims and hypotheses, years, citations, code, links.
NAMING = re.compile(r"`[^`]*`|\{\{.*?\}\}|\[@[^\]]*\]|@\w+|\[[^\]]*\]\([^)]*\)|\$\$.*?\$\$|\$[^$]*\$|"
                    r"§+\s?\d+(?:\.\d+)*(?:[–-]\d+(?:\.\d+)*)?|第\d+(?:\.\d+)*[节段句]|"
                    r"(?<![A-Za-z0-9])(?:[CH]\d{2,3}|R0)(?!\d)|"
                    r"(?<![\d.,])(?:18|19|20)\d{2}(?![\d.,]*\d)(?:[–-](?:18|19|20)?\d{2})?|"
                    r"^\s*\d+\.\s", re.MULTILINE | re.DOTALL)


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
    ("R0 is a threshold; {{size}} [12](x.html)", []),
    ("1. first\n2. second", []),
    ("$x^2 + 1$ and $$\ny = 2\n$$", []),
    ("seven points", []),
    ("第2.2节的第3句", []),
])
def test_typed_numbers_are_found_and_names_are_not(text, found):
    assert typed_numbers(text) == found


def cells(path: Path, kind: str) -> list[tuple[set[str], str]]:
    found = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [(set(c["metadata"].get("tags", ())), "".join(c["source"])) for c in found if c["cell_type"] == kind]


def code(path: Path) -> list[tuple[set[str], ast.Module]]:
    return [(tags, ast.parse(source)) for tags, source in cells(path, "code")]


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
    assert found["language"].default == "en"
    assert all(parameter.meaning for parameter in found.values())


@each
def test_logic_lives_in_the_library(path):
    for _, source in cells(path, "code"):
        tree = ast.parse(source)
        assert not any(isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Lambda) for node in ast.walk(tree)), source
        statements = [line for line in source.splitlines() if line.strip() and not line.strip().startswith("#")]
        done = [node for node in tree.body if not isinstance(node, ast.Import | ast.ImportFrom | ast.AnnAssign)]
        assert len(done) <= 10, f"a cell does one thing:\n{source}"
        assert len(statements) <= 30, source


@each
def test_no_number_is_typed_into_the_prose(path):
    for _, source in cells(path, "markdown"):
        assert typed_numbers(source) == [], source


@each
def test_no_number_is_typed_into_captions_and_labels(path):
    """The words given to tables and figures are prose too."""
    words = {"caption", "alt", "note"}
    for _, tree in code(path):
        for node in ast.walk(tree):
            if isinstance(node, ast.keyword) and node.arg in words:
                for part in ast.walk(node.value):
                    if isinstance(part, ast.Constant) and isinstance(part.value, str):
                        assert typed_numbers(part.value) == [], part.value


@each
def test_a_notebook_opens_with_a_title(path):
    for file in (path, CHINESE / path.name):
        assert cells(file, "markdown")[0][1].startswith("# ")


@each
def test_no_placeholder_meets_a_student(path):
    for file in (path, CHINESE / path.name):
        assert "{{" not in file.read_text(encoding="utf-8"), file.name


# --- what is said, and its translation --------------------------------------------------------------------------------


@pytest.fixture(scope="module", autouse=True)
def project():
    """Let catalogues be found where the reports of this study look for them."""
    from nbproof import use

    use(settings)


def translations(path: Path) -> dict[str, str]:
    """The notebook's own catalogue alone."""
    from nbproof.translation import Catalogue

    return Catalogue("zh", ROOT / "notebooks" / "locale" / f"{path.stem}.zh.po")


@each
def test_every_message_is_translated_and_none_is_left_over(path):
    wanted, known = set(messages(nbformat.read(path, 4))), set(translations(path))
    assert wanted - known == set()
    assert known - wanted == set()


@each
def test_a_translation_holds_the_same_numbers_links_and_code(path):
    for english, chinese in translations(path).items():
        for what in (FIELD, re.compile(r"\(#ref-\w+\)"), re.compile(r"`[^`]+`"), re.compile(r"^#+ ", re.MULTILINE)):
            assert sorted(what.findall(english)) == sorted(what.findall(chinese)), f"{english}\n---\n{chinese}"


@each
def test_chinese_is_written_as_chinese_is(path):
    """Full-width brackets and marks between Chinese characters, no space before a per cent sign (GB/T 15834, 15835)."""
    for chinese in translations(path).values():
        prose = re.sub(r"`[^`]*`|\$\$.*?\$\$|\$[^$]*\$|\]\([^)]*\)|\{[^}]*\}", "", chinese, flags=re.DOTALL)
        assert not re.search(r"[\u4e00-\u9fff] ?[(),;:?!]|[(),;:?!] ?[\u4e00-\u9fff]", prose), chinese
        assert " %" not in prose, chinese
        assert not re.search(r"(?<!\d)\.\d", prose), chinese


@each
def test_the_chinese_notebook_is_made_from_the_english_one(path):
    made = localised(nbformat.read(path, 4), catalogue(path.stem, "zh"))
    kept = nbformat.read(CHINESE / path.name, 4)
    assert [cell["source"] for cell in made["cells"]] == [cell.source for cell in kept.cells], (
        "run `socialcommerce translate`")


@each
def test_both_notebooks_compute_the_same(path):
    """The code is one but for what it says and the language of the page."""
    def computed(file: Path) -> list[str]:
        found = []
        for tags, tree in code(file):
            for node in ast.walk(tree):
                if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("page."):
                    node.args = [arg for arg in node.args if not isinstance(arg, ast.Constant)]
                    node.keywords = [k for k in node.keywords if k.arg not in ("alt", "note", "heads")]
            found += [] if "parameters" in tags else [ast.unparse(tree)]
        return found
    assert computed(path) == computed(CHINESE / path.name)


@each
def test_no_result_is_typed_into_what_is_said(path):
    """A number stands in a sentence as a field."""
    for message in messages(nbformat.read(path, 4)):
        assert typed_numbers(FIELD.sub("", message)) == [], message


@each
def test_nothing_is_drawn_at_random_without_a_seed(path):
    """Seaborn's intervals are bootstrapped and its strips jittered unless told otherwise."""
    for _, tree in code(path):
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            given, name = {k.arg for k in call.keywords}, ast.unparse(call.func)
            if name in ("sns.barplot", "sns.lineplot", "sns.pointplot", "sns.relplot", "sns.catplot", "sns.regplot"):
                assert given & {"errorbar", "seed", "ci"}, name
            if name in ("sns.stripplot", "sns.catplot"):
                assert given & {"jitter", "kind"}, name


@each
def test_a_cell_shows_something_and_is_short(path):
    for tags, tree in code(path):
        last = tree.body[-1]
        imports = any(isinstance(node, ast.Import | ast.ImportFrom) for node in tree.body)
        shows = any(ast.unparse(node.func) in ("page.say", "page.figure", "page.table", "display")
                    for node in ast.walk(tree) if isinstance(node, ast.Call))
        assert "parameters" in tags or imports or shows or isinstance(last, ast.Expr), ast.unparse(tree)
    for tags, source in cells(path, "code"):
        lines = [line for line in source.splitlines() if line.strip()]
        code_lines = [line for line in lines if not line.lstrip().startswith('"')]  # a sentence may run on
        assert "parameters" in tags or "import" in source or len(code_lines) <= 10, source
        assert "parameters" in tags or max(map(len, lines)) <= 100, max(lines, key=len)


@each
def test_what_is_cited_is_in_the_bibliography(path):
    bibliography = (ROOT / "paper" / "references.bib").read_text(encoding="utf-8")
    for key in re.findall(r"#ref-(\w+)", path.read_text(encoding="utf-8")):
        assert f"{{{key}," in bibliography, key


def test_a_text_of_the_library_has_one_translation_with_the_same_fields():
    """All areas are read together, so a text that means two things needs two wordings."""
    from nbproof import Catalogue

    found: dict[str, str] = {}
    for file in sorted((ROOT / "socialcommerce" / "locale").glob("*.zh.po")):
        for english, chinese in Catalogue("zh", file).items():
            assert found.setdefault(english, chinese) == chinese, f"{file.name}: {english}"
            assert {*FIELD.findall(chinese)} <= {*FIELD.findall(english)} or "{why}" in english, english
