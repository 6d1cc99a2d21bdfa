"""What a project says of itself, in a file or as an object, and what of it is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from nbformat import v4

import nbproof
from nbproof import project, render, results
from nbproof.document import document_of
from nbproof.look import Look, look, words


@pytest.fixture
def read(tmp_path: Path):
    """Read settings of a folder in which they were written."""

    def read(text: str, name: str = "nbproof.toml") -> nbproof.Project:
        (tmp_path / name).write_text(text, encoding="utf-8")
        project._read.cache_clear()
        return project._read(tmp_path)

    return read


def test_settings_are_found_above_in_either_file(read, tmp_path):
    found = read('[tool.nbproof]\nlanguages = ["de"]\npackages = ["src/coffee"]\n', "pyproject.toml")
    assert (found.root, found.languages) == (tmp_path, ("de",))
    assert found.packages == {"coffee": tmp_path / "src" / "coffee"}
    (tmp_path / "deeper").mkdir()
    project._read.cache_clear()
    assert project._read(tmp_path / "deeper").languages == ("de",)
    assert read('name = "mine"').name == "mine"  # nbproof.toml goes before


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('langauges = ["de"]', "nbproof.toml, field langauges: an unknown field; allowed: languages \\(nearest\\)"),
        ('languages = "de"', "nbproof.toml, field languages: got 'de'; allowed: a list of texts"),
        ("languages = [1]", "nbproof.toml, field languages: got \\[1\\]; allowed: a list of texts"),
        ("parameterised = 1", "field parameterised: got 1; allowed: true or false"),
        ("packages = 3", "field packages: got 3; allowed: a list of texts"),
        ("name = 3", "field name: got 3; allowed: a text"),
        ("locate = 'x'", "field locate: an unknown field"),
        ("name = ", "nbproof.toml cannot be read"),
    ],
)
def test_a_wrong_setting_is_one_sentence(read, text, message):
    with pytest.raises(nbproof.NbproofError, match=message):
        read(text)


def test_a_project_brings_words_for_its_languages(settings, tmp_path):
    (tmp_path / "words.toml").write_text('[nl]\nnative = "Nederlands"\nreferences = "Literatuur"\n', encoding="utf-8")
    settings(tmp_path, words="words.toml", languages=("nl",), title="Koffie")
    said = words("nl")
    shown = [said[key] for key in ("native", "references", "tag", "title")]
    assert shown == ["Nederlands", "Literatuur", "nl", "Koffie"]
    assert said["contents"] == "Contents"  # what neither says is English


class Loud(Look):
    """A look with a basis of its own and a page that runs something."""

    def css(self) -> str:
        return super().css() + "\nh1 { color: red; }"

    def basis(self, kind: str, language: str) -> str:
        return kind.upper()

    def script(self, anchor: str, explorer: dict) -> str:
        return f"run({json.dumps(anchor)}, {json.dumps(explorer)});"

    def library(self) -> str:
        return "const run = (...given) => given;"


def figure() -> dict:
    payload = {
        "kind": "figure",
        "name": "shape",
        "language": "en",
        "alt": "a",
        "caption": "Shape.",
        "n": "",
        "basis": ["model"],
        "source": "",
        "note": "",
        "explorer": {"x": 1},
    }
    svg = '<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><path id="p"/><use href="#p"/></svg>'
    return v4.new_notebook(
        cells=[
            v4.new_markdown_cell("# T"),
            v4.new_code_cell(
                "1", outputs=[v4.new_output("display_data", data={nbproof.MIME: payload, "image/svg+xml": svg})]
            ),
        ]
    )


def test_a_look_says_what_is_to_be_otherwise(settings, monkeypatch):
    settings(look=f"{__name__}:Loud")
    monkeypatch.setattr("nbproof.look.import_module", lambda name: __import__("types").SimpleNamespace(Loud=Loud))
    assert isinstance(look(), Loud)
    whole = figure()
    page = render.html(document_of(whole, results.collect(whole, "n"), "en"), ("en",))
    for part in (
        "h1 { color: red; }",
        "Basis: MODEL.",
        'run("figure-shape", {"x": 1});',
        "const run =",
        '<path id="shape-p"/><use href="#shape-p"/>',
    ):
        assert part in page
    assert "n = ." not in page
    assert "Source" not in page


def test_what_a_look_cannot_run_or_find_is_one_sentence(settings):
    whole = figure()
    with pytest.raises(nbproof.ParameterError, match="the project's look says nothing of how to run one"):
        document_of(whole, results.collect(whole, "n"), "en")
    settings(look="no.such:Look")
    with pytest.raises(nbproof.ParameterError, match="the look 'no.such:Look' cannot be made: No module named 'no'"):
        look()
