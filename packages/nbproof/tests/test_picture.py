"""The picture of what is built from what: all that a plan names has a place, and what is stale is seen."""

from __future__ import annotations

import tomllib
from pathlib import Path
from xml.etree import ElementTree

import pytest
from small_project import write_notebook

import nbproof
from nbproof.__main__ import main
from nbproof.picture import made_from, made_sheet

SVG = "{http://www.w3.org/2000/svg}"
INPUTS = {
    "alpha": [
        "notebooks/alpha.ipynb",
        "parameter factor",
        "data/a.csv",
        "book/series.py",
        "book/deep/x.py",
        "environment",
    ],
    "beta": ["notebooks/beta.ipynb", "book/series.py", "environment"],
}
WORDS = tomllib.loads((Path(nbproof.__file__).parent / "assets" / "words.toml").read_text(encoding="utf-8"))


def shown(language: str = "en", **reasons: list[str]) -> tuple[list[str], list[tuple[str, str]]]:
    """The texts of the drawing, and of its marks the kind and what they say."""
    tree = ElementTree.fromstring(made_from(INPUTS, reasons, WORDS[language]))
    marks = [(each.get("class", ""), each.findtext(f"{SVG}title") or "") for each in tree.iter() if each.get("class")]
    return [each.text or "" for each in tree.iter(f"{SVG}text")], [each for each in marks if each[1]]


@pytest.mark.parametrize("language", ["en", "zh", "de"])
def test_every_kind_of_input_has_a_row_and_every_report_a_column(settings, language):
    settings(packages={"book": Path("book")})
    texts, marks = shown(language)
    said = WORDS[language]
    assert {"alpha", "beta", "data/a.csv", "book", "book/deep"} <= {*texts}
    assert {said[f"made_{each}"] for each in ("notebook", "parameters", "data", "modules", "versions", "report")} <= {
        *texts
    }
    assert [kind for kind, _ in marks].count("used") == 6 + 3
    assert [told for kind, told in marks if kind == "fresh"] == [f"{name}: {said['made_fresh']}" for name in INPUTS]


def test_what_changed_is_marked_where_it_stands_and_the_report_says_why(settings):
    settings(packages={"book": Path("book")})
    reasons = ["book/deep/x.py changed", "data/a.csv is missing", "numpy 1 -> 2"]
    _, marks = shown(alpha=reasons)
    assert [told for kind, told in marks if kind == "changed"] == [
        "alpha: data/a.csv",
        "alpha: book/deep",
        "alpha: versions of packages",
    ]
    assert [told for kind, told in marks if kind == "stale"] == ["alpha: to be made again; " + "; ".join(reasons)]
    assert [told for kind, told in marks if kind == "fresh"] == ["beta: up to date"]


def test_the_page_of_a_manifest_holds_the_drawing_and_leads_to_it():
    manifest = {"reports": {name: {"run_inputs": dict.fromkeys(labels, "")} for name, labels in INPUTS.items()}}
    sheet = made_sheet(manifest, INPUTS, WORDS["zh"])
    assert sheet.title == WORDS["zh"]["made_title"]
    assert made_from(INPUTS, {}, WORDS["zh"]).replace("\n", "") in sheet.body
    assert "<svg" in made_sheet({}, INPUTS, WORDS["zh"]).body  # before the first build
    assert '<a href="manifest.json">' in sheet.body


def test_the_command_draws_the_plan_and_refuses_to_draw_without_one(tmp_path, monkeypatch, capsys, settings):
    monkeypatch.chdir(tmp_path)
    write_notebook(tmp_path / "notebooks" / "coffee.ipynb", [("", "1")])
    for wrong in (["--picture", "x.svg"], ["--plan", "--picture", "x.png"]):
        assert main(["build", *wrong]) == 2
        assert "--picture draws the plan as SVG" in capsys.readouterr().err
    assert main(["build", "--plan", "--picture", "x.svg"]) == 0
    assert "coffee: to be made again; never built" in (tmp_path / "x.svg").read_text()
