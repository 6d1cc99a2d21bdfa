"""What may be written where, and which names a manifest or a journal from elsewhere may give."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from socialcommerce import cli
from socialcommerce.errors import OutputError
from socialcommerce.project import root
from socialcommerce.report import build, owned
from socialcommerce.report.publish import recover, staging

ENTRY = {"notebook": "alpha.ipynb", "languages": ["en"], "outputs": {}, "read": [], "run_inputs": {},
         "render_inputs": {}}
OUTSIDE = ["../victim.txt", "en/../../victim.txt", "/etc/victim", "C:\\victim", "C:victim", "..\\victim", "\\victim",
           "", ".", "a\0b", "link/victim.txt", 3, None]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A folder that a build has taken, beside a file that no build may touch, with a link to where that stands."""
    (tmp_path / "victim.txt").write_text("mine")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "link").symlink_to(tmp_path)
    claim(tmp_path / "out")
    return tmp_path / "out"


def claim(out: Path, **entry: object) -> None:
    (out / "manifest.json").write_text(json.dumps(owned.CLAIM | {"reports": {"alpha": ENTRY | entry}}))


def journal(out: Path, **parts: object) -> Path:
    folder = staging(out, "alpha")
    content = {"name": "alpha", "files": [], "gone": [], "entry": ENTRY, **parts}
    (folder / "journal.json").write_text(json.dumps(content))
    return folder


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_name_that_leads_outside_is_refused(out, name):
    with pytest.raises(OutputError, match="outside the folder; nothing there was touched"):
        owned.inside(out, name)


@pytest.mark.parametrize("name", ["index.html", "en/01_market.html", "figures/a b/x.en.svg", "..x"])
def test_a_name_inside_is_a_path(out, name):
    assert owned.inside(out, name) == out / name


@pytest.mark.parametrize("entry", [{"outputs": {"../victim.txt": ""}}, {"read": ["/dev/zero"]},
                                   {"notebook": "../x.ipynb"}, {"languages": ["../en"]}])
def test_a_received_manifest_removes_nothing_outside(out, entry):
    claim(out, **{"notebook": "notebooks/gone.ipynb"} | entry)
    with pytest.raises(OutputError, match="outside the folder"):
        build._without_orphans(owned.read_manifest(out), out)
    assert (out.parent / "victim.txt").read_text() == "mine"


@pytest.mark.parametrize("parts", [{"gone": ["../victim.txt"]}, {"files": ["../victim.txt"]}, {"name": "../x"},
                                   {"gone": ["link/victim.txt"]}, {"entry": ENTRY | {"outputs": {"../v": ""}}}])
def test_a_received_journal_moves_and_removes_nothing_outside(out, parts):
    (journal(out, **parts).parent / "alpha.0" / "files").mkdir(parents=True)
    before = (out / "manifest.json").read_bytes()
    with pytest.raises(OutputError, match="outside the folder"):
        recover(out)
    assert (out.parent / "victim.txt").read_text() == "mine"
    assert (out / "manifest.json").read_bytes() == before


def test_links_in_a_received_folder_are_not_followed(out):
    """A staging folder or a part of a report that stands elsewhere; a lock and a log that are somebody's files."""
    elsewhere = out.parent / "elsewhere"
    journal(elsewhere, files=["en/victim.txt"])
    (out / ".staging").symlink_to(elsewhere / ".staging")
    with pytest.raises(OutputError, match="outside the folder"):
        recover(out)
    (out / ".staging").unlink()
    folder = journal(out, files=["en/victim.txt"])
    (folder / "files" / "en").symlink_to(out.parent)
    with pytest.raises(OutputError, match="outside the folder"):
        recover(out)
    assert (out.parent / "victim.txt").read_text() == "mine"
    assert (elsewhere / ".staging").is_dir()
    for name in (".lock", "build.log", "failed"):
        (out / name).symlink_to(out.parent / "victim.txt")
        with pytest.raises(OutputError, match="outside the folder"):
            owned.check_buildable(out)
        (out / name).unlink()


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"files": []}', '{"name": "alpha"', "[" * 100_000,
                                     json.dumps({"name": "alpha", "files": 3, "gone": [], "entry": ENTRY}),
                                     json.dumps({"name": "alpha", "files": [], "gone": [], "entry": {}})])
def test_a_cut_or_broken_journal_is_thrown_away_with_its_report(out, content):
    (out / "en").mkdir()
    (out / "en" / "alpha.html").write_text("published")
    folder = journal(out)
    (folder / "files" / "en").mkdir()
    (folder / "files" / "en" / "alpha.html").write_text("half")
    (folder / "journal.json").write_text(content)
    assert recover(out) == []
    assert (out / "en" / "alpha.html").read_text() == "published"
    assert not (out / ".staging").exists()


@pytest.mark.parametrize("content", ["", "[]", "null", "{", '"x"', '{"reports": 3}', '{"reports": {"a": {}}}',
                                     '{"files": 3}', '{"reports": {"a": {"outputs": []}}}', "[" * 100_000])
def test_a_damaged_manifest_is_one_sentence(tmp_path, content, capsys):
    (tmp_path / "manifest.json").write_text(content)
    for more in ([], ["--plan"], ["--no-render"]):
        assert cli.main(["build", "00_claims", "--out", str(tmp_path), *more]) == 2
        said = capsys.readouterr()
        assert (said.out, said.err.count("\n")) == ("", 1)
        assert "manifest.json is damaged (" in said.err
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.json"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such files")
def test_a_manifest_that_is_no_file_is_not_read(tmp_path):
    os.mkfifo(tmp_path / "manifest.json")
    with pytest.raises(OutputError, match="it is no file"):
        owned.read_manifest(tmp_path)


SOURCES = ["", "notebooks", "notebooks/new/deeper", "socialcommerce/report", "data/raw", "paper", "docs/x", "tests",
           ".git/x", "reports/../notebooks"]


@pytest.mark.parametrize("command", [["build", "00_claims"], ["build", "00_claims", "--plan"],
                                     ["build", "00_claims", "--no-render"], ["survey", "template"],
                                     ["survey", "check", "FILE"], ["survey", "report", "FILE"]])
def test_the_source_tree_is_never_written_to(tmp_path, capsys, monkeypatch, command):
    """Also over a link."""
    monkeypatch.setattr(cli, "_write_survey", lambda *arguments: pytest.fail("begun"))
    (tmp_path / "link").symlink_to(root())
    before = sorted(path for name in ("notebooks", "docs", "tests") for path in (root() / name).iterdir())
    for place in SOURCES:
        assert cli.main([*command, "--out", str(tmp_path / "link" / place)]) == 2
        said = capsys.readouterr()
        assert "lies in the project's source tree" in said.err
        assert (said.out, said.err.count("\n")) == ("", 1)
    assert sorted(path for name in ("notebooks", "docs", "tests") for path in (root() / name).iterdir()) == before


def test_what_is_no_path_is_refused(tmp_path, capsys):
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    for name in ("circle", "long" * 100):
        assert cli.main(["build", "00_claims", "--out", str(tmp_path / name)]) == 2
        assert cli.main(["survey", "template", "--out", str(tmp_path / name)]) == 2
        assert capsys.readouterr().err.count("cannot write to the output folder") == 2


def test_a_current_folder_in_the_source_tree_is_refused_too(monkeypatch):
    monkeypatch.chdir(root() / "notebooks")
    with pytest.raises(OutputError, match="source tree"):
        build.planned(["00_claims"], out=Path("."))


@pytest.mark.parametrize("command", [["build"], ["survey", "template"], ["survey", "check", "a.csv"],
                                     ["survey", "report", "a.csv"]])
@pytest.mark.parametrize("given", ["", " "])
def test_an_empty_name_is_no_folder(capsys, tmp_path, monkeypatch, command, given):
    monkeypatch.chdir(tmp_path)
    assert cli.main([*command, "--out", given]) == 2
    assert "--out: no folder is named" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_reports_and_folders_below_it_are_allowed(tmp_path, monkeypatch):
    owned.check_place(root() / "reports" / "quick")
    owned.check_place(root() / "my-market")
    monkeypatch.setattr(owned, "root", lambda: tmp_path)
    (tmp_path / "reports" / "results").mkdir(parents=True)
    (tmp_path / "reports" / "results" / "alpha.json").write_text("{}")
    (tmp_path / "reports" / "notes.txt").write_text("mine")
    owned.check_buildable(tmp_path / "reports", ["results/alpha.json"])  # a fresh clone: results, and no manifest
    with pytest.raises(OutputError, match=r"reports holds notes\.txt"):
        owned.check_buildable(tmp_path / "reports", ["notes.txt"])


@pytest.mark.parametrize("manifest", [None, {}, {"name": "my site"}, {"made_by": "socialcommerce survey report",
                                                                       "files": ["index.html"], "reports": {}}])
def test_a_folder_of_somebody_else_is_refused_and_left_alone(tmp_path, capsys, manifest):
    (tmp_path / "index.html").write_text("mine")
    if manifest is not None:
        (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    before = sorted(tmp_path.iterdir())
    for more in ([], ["--plan"], ["--no-render"]):
        assert cli.main(["build", "00_claims", "--out", str(tmp_path), *more]) == 2
        assert "holds index.html" in capsys.readouterr().err
    with pytest.raises(OutputError, match=r"holds index\.html"):
        build.build(["00_claims"], out=tmp_path)
    assert sorted(tmp_path.iterdir()) == before
    assert (tmp_path / "index.html").read_text() == "mine"


@pytest.mark.parametrize("name", ["en/00_claims.html", "results/00_claims.json", "notebooks/00_claims.ipynb"])
def test_a_file_added_to_a_folder_of_ours_is_never_overwritten(out, name):
    (out / name).parent.mkdir()
    (out / name).write_text("mine")
    with pytest.raises(OutputError, match=f"holds {name}, which socialcommerce build did not put there"):
        build.build(["00_claims"], out=out)
    with pytest.raises(OutputError, match=f"holds {name}"):
        owned.check_free(out, [name])
    assert (out / name).read_text() == "mine"


def test_what_somebody_edited_stays_when_its_notebook_goes(out):
    for name in ("en/kept.html", "en/edited.html"):
        (out / name).parent.mkdir(exist_ok=True)
        (out / name).write_text("built")
    digests = {name: build.file_hash(out / name) for name in ("en/kept.html", "en/edited.html")}
    claim(out, notebook="notebooks/gone.ipynb", outputs=digests)
    (out / "en" / "edited.html").write_text("mine")
    assert build._without_orphans(owned.read_manifest(out), out)["reports"] == {}
    assert [path.name for path in (out / "en").iterdir()] == ["edited.html"]
