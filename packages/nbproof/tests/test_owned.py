"""What may be written where, and which names a manifest from elsewhere may give."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from small_project import write_notebook

from nbproof import builder, folder
from nbproof.__main__ import main
from nbproof.errors import OutputError

ENTRY = {
    "notebook": "alpha.ipynb",
    "languages": ["en"],
    "outputs": {},
    "read": [],
    "run_inputs": {},
    "render_inputs": {},
}
OUTSIDE = [
    "../victim.txt",
    "en/../../victim.txt",
    "/etc/victim",
    "C:\\victim",
    "C:victim",
    "..\\victim",
    "\\victim",
    "",
    ".",
    "a\0b",
    "link/victim.txt",
    3,
    None,
]


@pytest.fixture(autouse=True)
def coffee(settings) -> None:
    """The project has one notebook."""
    write_notebook(settings() / "notebooks" / "coffee.ipynb", [("parameters", "x: int = 1")])


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A folder that a build has taken, beside a file that no build may touch, with a link to where that stands."""
    (tmp_path / "victim.txt").write_text("mine")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "link").symlink_to(tmp_path)
    claim(tmp_path / "out")
    return tmp_path / "out"


def claim(out: Path, **entry: object) -> None:
    (out / "manifest.json").write_text(json.dumps(folder.TAKEN | {"reports": {"alpha": ENTRY | entry}}))


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_name_that_leads_outside_is_refused(out, name):
    with pytest.raises(OutputError, match="outside the folder; nothing there was touched"):
        folder.inside(out, name)


@pytest.mark.parametrize("name", ["index.html", "en/01_market.html", "figures/a b/x.en.svg", "..x"])
def test_a_name_inside_is_a_path(out, name):
    assert folder.inside(out, name) == out / name


@pytest.mark.parametrize(
    "entry",
    [{"outputs": {"../victim.txt": ""}}, {"read": ["/dev/zero"]}, {"notebook": "../x.ipynb"}, {"languages": ["../en"]}],
)
def test_a_received_manifest_removes_nothing_outside(out, entry):
    claim(out, **{"notebook": "notebooks/gone.ipynb"} | entry)
    with pytest.raises(OutputError, match="outside the folder"):
        builder._without_orphans(folder.read_manifest(out), out)
    assert (out.parent / "victim.txt").read_text() == "mine"


def test_links_in_a_received_folder_are_not_followed(out):
    """A staging folder or a part of a report that stands elsewhere; a lock and a log that are somebody's files."""
    (out / "en").symlink_to(out.parent)
    with pytest.raises(OutputError, match="outside the folder"):
        folder.check_free(out, ["en/victim.txt"])
    for name in (".staging", ".lock", "build.log", "failed"):
        (out / name).symlink_to(out.parent / "victim.txt")
        with pytest.raises(OutputError, match="outside the folder"):
            builder.build(["coffee"], out=out)
        (out / name).unlink()
    assert (out.parent / "victim.txt").read_text() == "mine"


def test_what_an_interrupted_build_left_is_thrown_away(out, monkeypatch):
    (out / "manifest.json").write_text(json.dumps(folder.TAKEN))
    (out / ".staging" / "coffee.0" / "files").mkdir(parents=True)
    (out / ".staging" / "coffee.0" / "files" / "victim").symlink_to(out.parent)
    monkeypatch.setattr(
        builder,
        "_Crew",
        lambda *given: (
            pytest.fail("not reached")
            if (out / ".staging").exists()
            else SimpleNamespace(work=lambda jobs: None, close=lambda: None)
        ),
    )
    builder.build(["coffee"], out=out)
    assert (out.parent / "victim.txt").read_text() == "mine"


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "null",
        "{",
        '"x"',
        '{"reports": 3}',
        '{"reports": {"a": {}}}',
        '{"files": 3}',
        '{"reports": {"a": {"outputs": []}}}',
        "[" * 100_000,
    ],
)
def test_a_damaged_manifest_is_one_sentence(tmp_path, content, capsys):
    (tmp_path / "manifest.json").write_text(content)
    for more in ([], ["--plan"], ["--no-render"]):
        assert main(["build", "coffee", "--out", str(tmp_path), *more]) == 2
        said = capsys.readouterr()
        assert (said.out, said.err.count("\n")) == ("", 1)
        assert "manifest.json is damaged (" in said.err
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.json"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such files")
def test_a_manifest_that_is_no_file_is_not_read(tmp_path):
    os.mkfifo(tmp_path / "manifest.json")
    with pytest.raises(OutputError, match="it is no file"):
        folder.read_manifest(tmp_path)


def test_a_current_folder_in_the_source_tree_is_refused_too(monkeypatch, settings):
    monkeypatch.chdir(settings() / "notebooks")
    with pytest.raises(OutputError, match="source tree"):
        builder.planned(["coffee"], out=Path("."))


def test_reports_and_folders_below_it_are_allowed(tmp_path, settings):
    settings(tmp_path)
    folder.check_place(tmp_path / "reports" / "quick")
    folder.check_place(tmp_path / "my-market")
    (tmp_path / "reports" / "results").mkdir(parents=True)
    (tmp_path / "reports" / "results" / "alpha.json").write_text("{}")
    (tmp_path / "reports" / "notes.txt").write_text("mine")
    folder.check_free(tmp_path / "reports", ["results/alpha.json"])  # a fresh clone: results, and no manifest
    with pytest.raises(OutputError, match=r"reports holds notes\.txt"):
        folder.check_free(tmp_path / "reports", ["notes.txt"])


@pytest.mark.parametrize(
    "manifest", [None, {}, {"name": "my site"}, {"made_by": "small survey", "files": ["index.html"], "reports": {}}]
)
def test_a_folder_of_somebody_else_is_refused_and_left_alone(tmp_path, capsys, manifest):
    (tmp_path / "index.html").write_text("mine")
    if manifest is not None:
        (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    before = sorted(tmp_path.iterdir())
    for more in ([], ["--plan"], ["--no-render"]):
        assert main(["build", "coffee", "--out", str(tmp_path), *more]) == 2
        assert "holds index.html" in capsys.readouterr().err
    with pytest.raises(OutputError, match=r"holds index\.html"):
        builder.build(["coffee"], out=tmp_path)
    assert sorted(tmp_path.iterdir()) == before
    assert (tmp_path / "index.html").read_text() == "mine"


@pytest.mark.parametrize("name", ["en/coffee.html", "results/coffee.json", "notebooks/coffee.ipynb"])
def test_a_file_added_to_a_folder_of_ours_is_never_overwritten(out, name):
    (out / name).parent.mkdir()
    (out / name).write_text("mine")
    with pytest.raises(OutputError, match=f"holds {name}, which small build did not put there"):
        builder.build(["coffee"], out=out)
    with pytest.raises(OutputError, match=f"holds {name}"):
        folder.check_free(out, [name])
    assert (out / name).read_text() == "mine"


def test_what_somebody_edited_stays_when_its_notebook_goes(out):
    for name in ("en/kept.html", "en/edited.html"):
        (out / name).parent.mkdir(exist_ok=True)
        (out / name).write_text("built")
    digests = {name: builder.file_hash(out / name) for name in ("en/kept.html", "en/edited.html")}
    claim(out, notebook="notebooks/gone.ipynb", outputs=digests)
    (out / "en" / "edited.html").write_text("mine")
    assert builder._without_orphans(folder.read_manifest(out), out)["reports"] == {}
    assert [path.name for path in (out / "en").iterdir()] == ["edited.html"]
