"""The pages people read first say what the results say."""

from __future__ import annotations

import json
import re
from pathlib import Path
from pkgutil import resolve_name

import pytest

from docs import exhibits, overview
from nbproof import MARKED, readme_drifts
from socialcommerce import data
from socialcommerce.report import settings

ROOT = Path(__file__).parents[1]
READMES = settings().readmes


def test_every_result_in_a_readme_is_the_committed_one():
    assert all(len(MARKED.findall((ROOT / name).read_text(encoding="utf-8"))) >= 5 for name in READMES)
    results = {
        path.stem: json.loads(path.read_text(encoding="utf-8"))
        for path in (ROOT / "reports" / "results").glob("*.json")
    }
    assert readme_drifts(results) == []


def test_both_readmes_carry_the_same_results_and_commands():
    english, chinese = ((ROOT / name).read_text(encoding="utf-8") for name in READMES)
    assert sorted(MARKED.findall(english)) == sorted(MARKED.findall(chinese))
    commands = re.compile(
        r"`(socialcommerce [^`]+|make \w+|papermill [^`]+)`|"
        r"^    (?:\.venv/bin/)?(\w[^#\n]*?)\s*(?:#|$)",
        re.MULTILINE,
    )
    plain = [re.sub(r"```.*?```", "", text, flags=re.DOTALL) for text in (english, chinese)]  # the example has words
    said = [{a or b for a, b in commands.findall(text)} for text in plain]
    assert said[0] == said[1]


LIBRARY = ["docs/library.md", "docs/zh/library.md"]
PRINTED = [*READMES, *LIBRARY, *(path.relative_to(ROOT).as_posix() for path in ROOT.glob("packages/*/README.md"))]


@pytest.mark.parametrize("name", PRINTED)
def test_every_import_and_dotted_name_of_a_readme_is_there(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    imports = re.findall(r"(?:^ *|`)((?:from [\w.]+ )?import [\w., ]+)(?=`|$)", text, re.MULTILINE)
    names = re.findall(r"(?<![\w/.-])((?:socialcommerce|semfit|stockflow|nbproof|surveysem)(?:\.(?!toml\b)\w+)+)", text)
    assert imports
    assert names
    for line in imports:
        exec(line, {})
    for dotted in names:
        resolve_name(dotted)


@pytest.mark.parametrize("name", READMES)
def test_the_first_screen_holds_what_a_reader_needs(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    for needed in ("git clone", "make reports", "make test", "reports/index.html", "docs/overview"):
        assert needed in "\n".join(text.splitlines()[:40])
    assert len(MARKED.sub("", text).split()) < 500
    # Markdown takes such a line for the beginning of HTML, which ends the paragraph before it
    assert [line for line in text.splitlines() if line.startswith("<!--")] == []


@pytest.mark.parametrize("name", READMES)
def test_the_example_of_a_readme_prints_what_stands_below_it(name, capsys):
    text = (ROOT / name).read_text(encoding="utf-8")
    exec(re.search(r"```python\n(.*?)```", text, re.DOTALL)[1], {})
    assert capsys.readouterr().out == re.search(r"```text\n(.*?)```", text, re.DOTALL)[1]


@pytest.mark.slow
def test_the_picture_of_the_readmes_is_drawn_from_the_built_figures(reports):
    """But for numbers, whose last decimals depend on the processor."""
    for language in ("en", "zh"):
        drawn, stands = (overview.picture(reports, language), overview.file(language).read_text(encoding="utf-8"))
        assert re.sub(r"[-\d. ]+", "", drawn) == re.sub(r"[-\d. ]+", "", stands), "run `make picture`"


PAGES = [*READMES, "CONTRIBUTING.md", *sorted(p.relative_to(ROOT).as_posix() for p in (ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("page", PAGES)
def test_links_between_pages_lead_somewhere(page):
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", (ROOT / page).read_text(encoding="utf-8")):
        assert ((ROOT / page).parent / target).exists(), target


def test_the_table_of_figures_and_tables_is_up_to_date():
    text = exhibits.PAGE.read_text(encoding="utf-8")
    assert exhibits.filled(text) == text, "run `python docs/exhibits.py`"


@pytest.mark.slow
def test_the_picture_of_what_is_built_from_what_is_that_of_the_reports(reports):
    from docs import picture

    assert picture.plan(reports) == picture.PLAN.read_text(encoding="utf-8"), "build, then run `make picture`"


def test_every_data_set_has_its_citation():
    bibliography = (ROOT / "paper" / "references.bib").read_text(encoding="utf-8")
    keys = set(re.findall(r"`(data_\w+)`", exhibits.data_table()))
    assert {f"data_{one.dataset}" for one in data.sources() if one.dataset} <= keys
    assert [key for key in keys if f"{{{key}," not in bibliography] == []


@pytest.mark.slow
def test_every_exhibit_of_the_notebooks_is_found():
    for notebook in {row[2] for row in exhibits.exhibits()}:
        results = json.loads((ROOT / "reports" / "results" / f"{notebook}.json").read_text(encoding="utf-8"))
        tables = {name for kind, name, book, *_ in exhibits.exhibits() if book == notebook and kind == "table"}
        assert set(results["tables"]) <= tables
