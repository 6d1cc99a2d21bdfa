"""Every notebook keeps the conventions: parameters typed, no functions, outputs or typed numbers, both languages."""

from __future__ import annotations

import ast
import dis
import inspect
import json
import re
import shutil
import tomllib
from collections import Counter
from collections.abc import Callable
from functools import cache
from io import StringIO
from pathlib import Path
from types import CodeType
from typing import Any

import nbformat
import pandas as pd
import pytest

from nbproof import parameters_of, planned
from nbproof.errors import NotebookError
from nbproof.results import collect
from nbproof.translation import FIELD, Catalogue, literals, localised, messages
from socialcommerce import data
from tests.told import run, untranslated

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
each = pytest.mark.parametrize("path", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])
LIBRARY = sorted(
    [
        *(ROOT / "socialcommerce" / "locale").glob("*.zh.po"),
        *(ROOT / "packages" / "surveysem" / "surveysem" / "locale").glob("*.zh.po"),
    ]
)
GUARDS: dict[str, Callable[[Path], None]] = {}
"""What every notebook keeps to, by the name of its test: a function of the notebook's path, which reads files alone."""


def guard(check: Callable[[Path], None]) -> Callable[[Path], None]:
    """Make a test of each notebook of a convention, and keep it for mutated copies."""
    GUARDS[check.__name__.removeprefix("test_")] = check
    return each(check)


# Digits that name a thing rather than measure one: sections, claims and hypotheses, years, citations, code, links.
NAMING = re.compile(
    r"`[^`]*`|\{\{.*?\}\}|\[@[^\]]*\]|@\w+|\[[^\]]*\]\([^)]*\)|\$\$.*?\$\$|\$[^$]*\$|"
    r"§+\s?\d+(?:\.\d+)*(?:[–-]\d+(?:\.\d+)*)?|第\d+(?:\.\d+)*[节段句]|"
    r"(?<![A-Za-z0-9])(?:[CH]\d{2,3}|R0)(?!\d)|"
    r"(?<![\d.,])(?:18|19|20)\d{2}(?![\d.,]*\d)(?:[–-](?:18|19|20)?\d{2})?|"
    r"^\s*\d+\.\s",
    re.MULTILINE | re.DOTALL,
)


def typed_numbers(markdown: str) -> list[str]:
    """Find the numbers somebody typed into a prose cell instead of referring to a result."""
    return re.findall(r"\d[\d.,]*\d|\d", NAMING.sub(" ", markdown))


@pytest.mark.parametrize(
    ("text", "found"),
    [
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
    ],
)
def test_typed_numbers_are_found_and_names_are_not(text, found):
    assert typed_numbers(text) == found


def cells(path: Path, kind: str) -> list[tuple[set[str], str]]:
    found = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [(set(c["metadata"].get("tags", ())), "".join(c["source"])) for c in found if c["cell_type"] == kind]


def code(path: Path) -> list[tuple[set[str], ast.Module]]:
    return [(tags, parsed(source)) for tags, source in cells(path, "code")]


@cache
def parsed(source: str) -> ast.Module:
    """A cell, read once: most of a mutated notebook is as it was."""
    return ast.parse(source)


@cache
def used_in(tree: ast.Module) -> tuple[set[str], set[str]]:
    return names(compile(tree, "cell", "exec"))


def chinese_of(path: Path) -> Path:
    """The notebook that is made from this one."""
    return path.parent / "zh" / path.name


def translations(path: Path) -> Catalogue:
    """The notebook's own catalogue alone."""
    return Catalogue("zh", path.parent / "locale" / f"{path.stem}.zh.po")


@cache
def shared() -> Catalogue:
    """What several notebooks and the library say; to be left as it is."""
    return Catalogue("zh", *LIBRARY, ROOT / "notebooks" / "locale" / "common.zh.po")


def spoken(path: Path) -> Catalogue:
    """All that a notebook is translated by, its own catalogue before what it shares."""
    found = Catalogue("zh")
    found |= shared() | translations(path)
    return found


def prose_of(translation: str) -> str:
    """A translation without code, mathematics, fields and where its links lead."""
    return re.sub(r"`[^`]*`|\$\$.*?\$\$|\$[^$]*\$|\]\([^)]*\)|\{[^}]*\}", "", translation, flags=re.DOTALL)


def imports(tree: ast.Module) -> list[ast.stmt]:
    return [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]


@cache
def calls(tree: ast.Module) -> list[ast.Call]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call)]


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


@guard
def test_committed_without_outputs(path):
    for file in (path, chinese_of(path)):
        for cell in json.loads(file.read_text(encoding="utf-8"))["cells"]:
            assert not cell.get("outputs"), file
            assert cell.get("execution_count") is None, file


@guard
def test_parameters_are_typed_and_explained(path):
    found = parameters_of(path)
    assert found["language"].default == "en"
    assert all(parameter.meaning for parameter in found.values())


@guard
def test_logic_lives_in_the_library(path):
    for _, tree in code(path):
        assert not any(isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Lambda) for node in ast.walk(tree))


@guard
def test_a_cell_is_short(path):
    for tags, source in cells(path, "code"):
        lines = [line for line in source.splitlines() if line.strip()]
        code_lines = [line for line in lines if not line.lstrip().startswith('"')]  # a sentence may run on
        assert "parameters" in tags or imports(ast.parse(source)) or len(code_lines) <= 10, source
        assert "parameters" in tags or max(map(len, lines)) <= 100, max(lines, key=len)


@guard
def test_a_cell_shows_something(path):
    for tags, tree in code(path):
        shows = {ast.unparse(call.func) for call in calls(tree)} & {"page.say", "page.figure", "page.table", "display"}
        assert "parameters" in tags or imports(tree) or shows or isinstance(tree.body[-1], ast.Expr), ast.unparse(tree)


@guard
def test_a_notebook_opens_with_a_title(path):
    for file in (path, chinese_of(path)):
        assert cells(file, "markdown")[0][1].startswith("# ")


@guard
def test_no_placeholder_meets_a_student(path):
    for file in (path, chinese_of(path)):
        assert "{{" not in file.read_text(encoding="utf-8"), file.name


@guard
def test_what_is_cited_is_in_the_bibliography(path):
    bibliography = (ROOT / "paper" / "references.bib").read_text(encoding="utf-8")
    for key in re.findall(r"#ref-(\w+)", path.read_text(encoding="utf-8")):
        assert f"{{{key}," in bibliography, key


# --- numbers ----------------------------------------------------------------------------------------------------------


@guard
def test_no_number_is_typed(path):
    """A number stands in prose, in a sentence and in a caption as a field, so that it is computed."""
    for message in messages(nbformat.read(path, 4)):
        assert typed_numbers(FIELD.sub("", message)) == [], message


@guard
def test_nothing_is_drawn_at_random_without_a_seed(path):
    """Whatever takes a seed is given one; seaborn's intervals are bootstrapped and its strips jittered otherwise."""
    known: dict[str, Any] = {}
    for _, tree in code(path):
        exec(compile(ast.Module(imports(tree), []), path.name, "exec"), known)
        assert [said for call in calls(tree) if (said := unseeded(call, known))] == []


def unseeded(call: ast.Call, known: dict[str, Any]) -> str:
    """Return the call if it draws at random without a seed."""
    called, given = ast.unparse(call.func), {k.arg for k in call.keywords}
    first, *rest = called.split(".")
    found = known.get(first)
    for name in rest:
        found = getattr(found, name, None)
    if called.startswith("sns."):
        seeded = given & {"errorbar", "seed", "ci"} or called not in BOOTSTRAPPED
        return "" if seeded and (called != "sns.stripplot" or "jitter" in given) else called
    if re.fullmatch(r"np\.random\.(?!default_rng)\w+", called):
        return called
    if found is None:
        return called if called.endswith((".sample", ".rvs")) and "random_state" not in given else ""
    parameters = parameters_in_order(found)
    open_seed = any(
        p.name in ("seed", "rng", "random_state") and p.default is None and p.name not in given
        for p in parameters[len(call.args) :]
    )
    draws = all(p.name in given or p.default != 0 for p in parameters if p.name == "bootstrap")
    return called if open_seed and draws else ""


BOOTSTRAPPED = {f"sns.{name}" for name in ("barplot", "lineplot", "pointplot", "relplot", "catplot", "regplot")}


def parameters_in_order(function: Any) -> list[inspect.Parameter]:
    try:
        return list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # what is no function, or hides what it takes
        return []


# --- what is said, and its translation --------------------------------------------------------------------------------


@guard
def test_a_cell_can_be_run_again_at_any_time(path):
    """After a run in order every cell finds what it found: it rebinds nothing that it reads, nor does another cell.

    Nor does a column depend on its own values before, and nothing is taken out of what another cell made.
    """
    used = [used_in(tree) for _, tree in code(path)]
    binders = Counter(name for _, bound in used for name in bound)
    for (read, bound), (_, tree) in zip(used, code(path), strict=True):
        assert not read & bound, f"{read & bound}: {ast.unparse(tree)}"
        assert not {name for name in read if binders[name] > 1}, ast.unparse(tree)
        changed = {ast.unparse(node.func) for node in calls(tree) if isinstance(node.func, ast.Attribute)}
        assert not {f"{name}.{how}" for name in read for how in ("append", "extend", "pop", "update")} & changed
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
                column, values = ast.unparse(node.targets[0]), ast.unparse(node.value)
                assert ast.unparse(node.targets[0].value) not in read or column not in values, column


def names(cell: CodeType) -> tuple[set[str], set[str]]:
    """Names that a cell reads before it binds them, in its sentences too, and names that it binds."""
    read: set[str] = set()
    bound: set[str] = set()
    for step in dis.get_instructions(cell):
        if step.opname in ("LOAD_NAME", "LOAD_GLOBAL"):
            read |= {step.argval} - bound
        elif step.opname in ("STORE_NAME", "STORE_GLOBAL"):
            bound.add(step.argval)
        elif isinstance(step.argval, CodeType):
            read |= names(step.argval)[0] - bound
        elif isinstance(step.argval, str) and step.opname == "LOAD_CONST":
            read |= {*re.findall(r"\{(\w+)[:}]", step.argval)} - bound
    return read, bound


@guard
def test_what_is_said_is_written_out(path):
    """Texts that are put together while the notebook runs stand in no catalogue; one that a table brings does."""
    for _, source in cells(path, "code"):
        written = {(text.lineno, text.col_offset) for text in literals(source)}
        for call in calls(parsed(source)):
            said = [*call.args[:1]] if ast.unparse(call.func) in ("page.say", "page.words") else []
            if ast.unparse(call.func) in ("page.figure", "page.table"):
                said += call.args[2:3]
                said += [word.value for word in call.keywords if word.arg in ("caption", "alt", "note")]
            for text in (text for text in said if ".attrs[" not in ast.unparse(text)):
                assert (text.lineno, text.col_offset) in written, ast.unparse(text)


@guard
def test_every_message_is_translated_and_none_is_left_over(path):
    wanted, known = set(messages(nbformat.read(path, 4))), set(translations(path))
    assert wanted - known - set(shared()) == set()
    assert known - wanted == set()


def test_what_is_said_alike_in_several_places_is_translated_once():
    """What notebooks share stands in common.zh.po, what the library says in its own catalogues."""
    told = [dict(translations(path)) for path in NOTEBOOKS]
    alike = shared()
    repeated = [text for own in told for text in own if own[text] == alike.get(text)]
    assert repeated == [], "run `socialcommerce translate`"
    often = Counter(item for own in told for item in own.items())
    assert [text for (text, _), count in often.items() if count > 1] == [], "these belong in common.zh.po"
    files = [*(ROOT / "notebooks" / "locale").glob("common.*"), *LIBRARY]
    once = Counter(text for file in files for text in Catalogue("zh", file))
    assert [text for text, count in once.items() if count > 1] == []


@guard
def test_a_translation_holds_the_same_numbers_links_and_code(path):
    for english, chinese in translations(path).items():
        for what in (FIELD, re.compile(r"\(#ref-\w+\)"), re.compile(r"`[^`]+`"), re.compile(r"^#+ ", re.MULTILINE)):
            assert sorted(what.findall(english)) == sorted(what.findall(chinese)), f"{english}\n---\n{chinese}"
        for low, high in re.findall(r"\{(\w+)[^}]*\}[^{}]{0,6}(?:～|, )\{(\w+)", chinese):
            assert re.search(rf"\{{{low}\W.*\{{{high}\W", english, re.DOTALL), f"{chinese}\n---\nthe ends are exchanged"


@guard
def test_chinese_is_written_as_chinese_is(path):
    """Full-width brackets and marks between Chinese characters, no space before a per cent sign (GB/T 15834, 15835).

    An interval is written as in English, [0.33, 0.66].
    """
    for chinese in translations(path).values():
        prose = prose_of(chinese)
        assert not re.search(r"[\u4e00-\u9fff] ?[(),;:?!]|[(),;:?!] ?[\u4e00-\u9fff]", prose), chinese
        assert " %" not in prose, chinese
        assert not re.search(r"(?<!\d)\.\d", prose), chinese
        assert not re.search(r"［|\[\{[^\]]*，", chinese), chinese
        assert not re.search(r"\*\*[^*]+[）”》。]\*\*\w", chinese), (
            chinese
        )  # no end of bold to Markdown: a mark, then a word


KEPT = {"van", "den", "de", "cab", "kappa", "logistic", "df", "lavaan", "surveysem", "Statista", "eMarketer"}
KEPT |= {"error", "error: {said}"}  # what commands print before a sentence
"""Words that stay as they are in Chinese: parts of names, programs, terms given once in brackets."""


def english_in(file: Path) -> list[str]:
    """Translations with an English word left: one without a capital, but in a path, or all of them."""
    return [
        chinese
        for english, chinese in Catalogue("zh", file).items()
        for prose in [re.sub(r"(?a:[\w-]+(?:[/.][\w-]+)+)", "", prose_of(chinese))]
        if {*re.findall(r"(?<![A-Za-zÀ-ÿ])[a-z]{2,}(?![A-Za-zÀ-ÿ])", prose)} - KEPT
        or (chinese == english and chinese not in KEPT and re.search(r"[a-z]{4}", prose))
    ]


@guard
def test_a_translation_is_in_chinese(path):
    assert english_in(path.parent / "locale" / f"{path.stem}.zh.po") == []


@pytest.mark.parametrize("file", [*LIBRARY, ROOT / "notebooks" / "locale" / "common.zh.po"], ids=lambda file: file.name)
def test_what_is_shared_is_in_chinese(file):
    assert english_in(file) == []


@guard
def test_the_chinese_notebook_is_made_from_the_english_one(path):
    made, kept = localised(nbformat.read(path, 4), spoken(path)), nbformat.read(chinese_of(path), 4)
    assert [(cell["cell_type"], cell["source"]) for cell in made["cells"]] == [
        (cell.cell_type, cell.source) for cell in kept.cells
    ], "run `socialcommerce translate`"


@each
def test_both_notebooks_compute_the_same(path):
    """The code is one but for what it says and the language of the page."""

    def computed(file: Path) -> list[str]:
        found = []
        for tags, source in cells(file, "code"):
            tree = ast.parse(source)  # its own: what is kept for others must stay whole
            for call in calls(tree):
                if ast.unparse(call.func).startswith("page."):
                    call.args = [arg for arg in call.args if not isinstance(arg, ast.Constant)]
                    call.keywords = [k for k in call.keywords if k.arg not in ("alt", "caption", "heads", "note")]
            found += [] if "parameters" in tags else [ast.unparse(tree)]
        return found

    assert computed(path) == computed(chinese_of(path))


def test_a_text_of_the_library_keeps_its_fields():
    for file in sorted((ROOT / "socialcommerce" / "locale").glob("*.zh.po")):
        for english, chinese in Catalogue("zh", file).items():
            assert {*FIELD.findall(chinese)} <= {*FIELD.findall(english)} or "{why}" in english, english


# --- mutations: each is caught by the guard against it, and by no other -----------------------------------------------

SHOWN = 'size[["year", "value", "unit", "basis", "source"]]'
SENTENCE = "The size of a market says nothing about the paper's mechanisms"
MUTATIONS = {  # what is done: the guard that must fail, then where, what and by what; a file without changes is remade
    "an English sentence is changed": (
        "every_message_is_translated_and_none_is_left_over",
        ("nb", SENTENCE, f"{SENTENCE} at all"),
    ),
    "a translation is dropped": (
        "every_message_is_translated_and_none_is_left_over",
        ("po", r'(msgid "## Forecast"\nmsgstr) ".*"', r'\1 ""'),
    ),
    "a translation is marked as doubtful": (
        "every_message_is_translated_and_none_is_left_over",
        ("po", 'msgid "## Growth curves"', "#, fuzzy\n\\g<0>"),
    ),
    "a translation is left over": (
        "every_message_is_translated_and_none_is_left_over",
        ("po", r"\Z", '\nmsgid "gone"\nmsgstr "已删"\n'),
    ),
    "a number is typed into prose": (
        "no_number_is_typed",
        ("nb", "rebuild one bar", "rebuild 7 bars"),
        ("po", "rebuild one bar", "rebuild 7 bars"),
    ),
    "a number is typed into a sentence": (
        "no_number_is_typed",
        ("nb", "{echoes:d} further", "3 further"),
        ("po", "{echoes:d}", "3"),
    ),
    "a number is typed into a caption": (
        "no_number_is_typed",
        ("nb", "One bar a year;", "7 bars;"),
        ("po", "One bar a year;", "7 bars;"),
    ),
    "an interval is bootstrapped": (
        "nothing_is_drawn_at_random_without_a_seed",
        ("nb", r'hue="basis", errorbar=None', 'hue="basis"'),
    ),
    "a forecast chooses its own seed": (
        "nothing_is_drawn_at_random_without_a_seed",
        ("nb", SHOWN, "np.random.default_rng().normal()"),
    ),
    "a sample is drawn unseeded": ("nothing_is_drawn_at_random_without_a_seed", ("nb", SHOWN, "size.sample()")),
    "a field is taken for another": (
        "a_translation_holds_the_same_numbers_links_and_code",
        ("po", r"(msgstr .*)\{share_low", r"\1{share_high"),
    ),
    "the ends of a range are exchanged": (
        "a_translation_holds_the_same_numbers_links_and_code",
        ("po", r"(msgstr .*)\{share_low(.*)～\{share_high", r"\1{share_high\2～{share_low"),
    ),
    "a format is changed": (
        "a_translation_holds_the_same_numbers_links_and_code",
        ("po", r"(msgstr .*)\{spread:.2f\}", r"\1{spread:.1f}"),
    ),
    "a citation is lost in translation": (
        "a_translation_holds_the_same_numbers_links_and_code",
        ("po", r"(msgstr .*)\(#ref-bass1969\)", r"\1"),
    ),
    "a citation has no entry": (
        "what_is_cited_is_in_the_bibliography",
        ("nb", "#ref-bass1969", "#ref-bass1996"),
        ("po", "#ref-bass1969", "#ref-bass1996"),
    ),
    "a cell has eleven lines": ("a_cell_is_short", ("nb", SHOWN, "size\n" * 10 + SHOWN)),
    "a line runs out of sight": ("a_cell_is_short", ("nb", SHOWN, f"{SHOWN}  # {'-' * 60}")),
    "a function is defined": ("logic_lives_in_the_library", ("nb", SHOWN, "def look():\n    return size\nlook()")),
    "a function has no name": ("logic_lives_in_the_library", ("nb", SHOWN, "size.pipe(lambda frame: frame)")),
    "a cell changes what it reads": (
        "a_cell_can_be_run_again_at_any_time",
        ("nb", SHOWN, f"draws = draws + 1\n{SHOWN}"),
    ),
    "two cells bind what a third one reads": (
        "a_cell_can_be_run_again_at_any_time",
        ("nb", SHOWN, f"spread = 1\n{SHOWN}"),
    ),
    "a column is made from itself": (
        "a_cell_can_be_run_again_at_any_time",
        ("nb", SHOWN, f'size["value"] = size["value"] / 2\n{SHOWN}'),
    ),
    "a cell shows nothing": ("a_cell_shows_something", ("nb", SHOWN, f"shown = {SHOWN}")),
    "a sentence is put together": ("what_is_said_is_written_out", ("nb", SHOWN, 'page.say("The " + unit, of=size)')),
    "the Chinese notebook is edited by hand": (
        "the_chinese_notebook_is_made_from_the_english_one",
        ("zh", "论文", "文章"),
    ),
    "the Chinese notebook computes otherwise": (
        "the_chinese_notebook_is_made_from_the_english_one",
        ("zh", "pct_change()", "diff()"),
    ),
    "a half-width bracket": (
        "chinese_is_written_as_chinese_is",
        ("po", "（同一来源的连续年份）", "(同一来源的连续年份)"),
    ),
    "a full-width comma in an interval": (
        "chinese_is_written_as_chinese_is",
        ("po", r"(msgstr .*\[\{rate_low:.3f\}), ", r"\1，"),
    ),
    "bold that ends in a bracket": (
        "chinese_is_written_as_chinese_is",
        ("po", r"（Bass）([\u4e00-\u9fff]{2})\*\*", r"（Bass）**\1"),
    ),
    "a space before the per cent sign": (
        "chinese_is_written_as_chinese_is",
        ("po", r"(msgstr .*\{miss:\+.1f\})%", r"\1 %"),
    ),
    "English in the Chinese notebook": (
        "a_translation_is_in_chinese",
        ("po", r'(msgid "(One row of points a method, around zero.)"\nmsgstr) ".*"', r'\1 "\2"'),
    ),
    "an English word in a Chinese caption": (
        "a_translation_is_in_chinese",
        ("po", r'(msgid "Forecast to \{horizon:d\}"\nmsgstr) ".*"', r'\1 "{horizon:d}年的forecast"'),
    ),
    "a placeholder stays raw": (
        "no_placeholder_meets_a_student",
        ("nb", "## Growth curves", "## {{growth}} curves"),
        ("po", r'msgid "## Growth curves"\nmsgstr ".*"', 'msgid "## {{growth}} curves"\nmsgstr "## {{growth}}曲线"'),
    ),
    "a parameter is not explained": ("parameters_are_typed_and_explained", ("nb", r"  # of all intervals.*", "")),
    "outputs are committed": ("committed_without_outputs", ("zh", None, None)),
    "the title is gone": (
        "a_notebook_opens_with_a_title",
        ("nb", "# How large", "How large"),
        ("po", r'msgid "# (How large.*)\nmsgstr "# ', r'msgid "\1\nmsgstr "'),
    ),
}


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_a_mutation_is_caught_by_the_guard_against_it_and_by_no_other(tmp_path, mutation):
    caught_by, *changes = MUTATIONS[mutation]
    path = tmp_path / "01_market_size.ipynb"
    files = {"nb": path, "po": tmp_path / "locale" / f"{path.stem}.zh.po", "zh": chinese_of(path)}
    for file in files.values():
        file.parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / "notebooks" / file.relative_to(tmp_path), file)
    for where, old, new in changes:
        change(files[where], old, new)
    if "zh" not in {where for where, *_ in changes}:
        nbformat.write(nbformat.from_dict(localised(nbformat.read(path, 4), spoken(path))), files["zh"])
    assert failing(path) == {caught_by}


def change(file: Path, old: str | None, new: str | None) -> None:
    """Change a catalogue by an expression, a notebook's cells too (an expression, or a text as it stands)."""
    if file.suffix == ".po":
        text, count = re.subn(old, new, file.read_text(encoding="utf-8"))
        file.write_text(text, encoding="utf-8")
    else:
        notebook, count = nbformat.read(file, 4), 0
        literally = any(str(old) in cell.source for cell in notebook.cells)
        for cell in notebook.cells:
            if old is None and cell.cell_type == "code":
                cell.execution_count, count = 1, 1
            elif old and new is not None:
                changed = cell.source.replace(old, new) if literally else re.sub(old, new, cell.source)
                cell.source, count = changed, count + (changed != cell.source)
        nbformat.write(notebook, file)
    assert count, f"nothing to change: {old}"


def failing(path: Path) -> set[str]:
    """Names of the guards that a notebook does not pass."""
    found = set()
    for name, check in GUARDS.items():
        try:
            check(path)
        except AssertionError:
            found.add(name)
    return found


# --- what only a run can show -----------------------------------------------------------------------------------------


def silent(notebook: nbformat.NotebookNode) -> list[str]:
    """Cells that show nothing, but for parameters, imports and what stands behind an `if`."""
    found = []
    for cell in notebook.cells:
        if cell.cell_type == "code" and not cell.outputs and "parameters" not in str(cell.metadata.get("tags")):
            tree = ast.parse(cell.source)
            found += [] if imports(tree) or isinstance(tree.body[-1], ast.If) else [cell.source]
    return found


@pytest.mark.slow
@each
def test_a_report_says_one_thing_of_one_name_translates_all_and_leaves_no_cell_silent(path, reports):
    ran = nbformat.read(reports / "notebooks" / path.name, 4)
    collect(ran, path.stem)
    assert untranslated(ran) == set()
    assert silent(ran) == []


@pytest.mark.slow
def test_mutations_that_only_a_run_can_show_are_each_found(tmp_path):
    """A second value for a name, a text without a translation (with a dash: not ASCII), a cell that shows nothing."""
    path = tmp_path / "00_claims.ipynb"
    shutil.copy(ROOT / "notebooks" / path.name, path)
    change(path, "of=claims, claims=len(claims), hypotheses", "of=claims, claims=len(claims) + 1, hypotheses")
    change(path, 'xlabel="number of claims"', 'xlabel="claims – counted"')
    change(path, 'claims[["id", "place", "kind", "text", "hypotheses"]].head()', "None if len(claims) else claims")
    ran = run(path, tmp_path / "out.ipynb")
    with pytest.raises(NotebookError, match="claims is .* in one sentence and .* in another"):
        collect(ran, path.stem)
    assert untranslated(ran) == {"claims – counted"}
    assert silent(ran) == ["None if len(claims) else claims"]


@pytest.mark.slow
def test_a_bare_data_frame_shows_its_texts_in_the_language_of_the_page(tmp_path):
    first = nbformat.read(chinese_of(ROOT / "notebooks" / "00_claims.ipynb"), 4)
    first.cells = first.cells[:5]
    nbformat.write(first, tmp_path / "00_claims.ipynb")
    cell = run(tmp_path / "00_claims.ipynb", tmp_path / "out.ipynb", languages="zh").cells[-1]
    shown = pd.read_html(StringIO(cell.outputs[0].data["text/html"]), index_col=0)[0]
    assert [*shown] == ["id", "place", "kind", "text", "hypotheses"]
    assert shown[["kind", "text"]].map(lambda text: bool(re.search("[\u4e00-\u9fff]", text))).all(axis=None)


@pytest.mark.slow
def test_the_bars_of_the_market_size_figure_are_the_series(tmp_path):
    path = tmp_path / "01_market_size.ipynb"
    shutil.copy(ROOT / "notebooks" / path.name, path)
    change(
        path,
        'page.figure("size", ax',
        "print({round(b.get_center()[0]): float(b.get_height()) for b in ax.patches if b.get_height() > 0})\n"
        'page.figure("size", ax',
    )
    notebook = nbformat.read(path, 4)
    (last,) = [k for k, cell in enumerate(notebook.cells) if 'page.figure("size"' in cell.source]
    notebook.cells = notebook.cells[: last + 1]
    nbformat.write(notebook, path)
    ran = run(path, tmp_path / "out.ipynb", languages="en")
    printed = next(each.text for cell in ran.cells for each in cell.get("outputs", ()) if each.get("name") == "stdout")
    assert ast.literal_eval(printed) == pytest.approx(data.load("market_size").set_index("year")["value"].to_dict())
