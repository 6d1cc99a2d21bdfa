"""A folder that appears whole or not at all."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from nbproof.errors import OutputError
from nbproof.folder import listed, whole_folder
from nbproof.plan import file_hash

MAKER = "a test"


def fill(out: Path, text: str) -> None:
    with whole_folder(out, MAKER) as draft:
        (draft / "part").mkdir()
        (draft / "part" / "a.txt").write_text(text)


def test_it_lists_its_files_and_replaces_its_own_kind(tmp_path):
    out = tmp_path / "deeper" / "out"
    fill(out, "first")
    (out / "part" / "a.txt").unlink()  # what the reader took away is no reason to refuse
    fill(out, "second")
    files = {"part/a.txt": file_hash(out / "part" / "a.txt")}
    assert json.loads((out / "manifest.json").read_text()) == {"made_by": MAKER, "files": files}
    assert (out / "part" / "a.txt").read_text() == "second"
    assert listed(out.parent) == ["out/manifest.json", "out/part/a.txt"]
    assert out.stat().st_mode & 0o777 == 0o755


def test_an_empty_folder_is_taken(tmp_path):
    (tmp_path / "out").mkdir()
    fill(tmp_path / "out", "text")
    assert (tmp_path / "out" / "part" / "a.txt").is_file()


@pytest.mark.parametrize("name", ["notes.docx", "part/b.txt", ".hidden"])
def test_what_somebody_added_is_not_lost(tmp_path, name):
    fill(tmp_path / "out", "first")
    (tmp_path / "out" / name).write_text("mine")
    with pytest.raises(OutputError, match=f"holds {name}, which a test did not put there"):
        fill(tmp_path / "out", "second")
    assert (tmp_path / "out" / "part" / "a.txt").read_text() == "first"


def test_what_somebody_changed_is_not_lost(tmp_path):
    fill(tmp_path / "out", "first")
    (tmp_path / "out" / "part" / "a.txt").write_text("mine")
    with pytest.raises(OutputError, match=r"a\.txt was changed since a test wrote it, and would be lost"):
        fill(tmp_path / "out", "second")
    assert (tmp_path / "out" / "part" / "a.txt").read_text() == "mine"


def test_what_is_added_while_the_work_goes_on_is_not_lost(tmp_path):
    fill(tmp_path / "out", "first")

    def slow() -> None:
        with whole_folder(tmp_path / "out", MAKER):
            (tmp_path / "out" / "notes.txt").write_text("mine")

    with pytest.raises(OutputError, match=r"holds notes\.txt"):
        slow()
    assert listed(tmp_path) == ["out/manifest.json", "out/notes.txt", "out/part/a.txt"]


def test_a_folder_of_an_earlier_version_lists_names_only(tmp_path):
    fill(tmp_path / "out", "first")
    (tmp_path / "out" / "manifest.json").write_text(json.dumps({"made_by": MAKER, "files": ["part/a.txt"]}))
    fill(tmp_path / "out", "second")
    assert (tmp_path / "out" / "part" / "a.txt").read_text() == "second"


def test_a_file_or_the_folder_of_another_maker_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="is a file; allowed: a new or an empty folder"):
        fill(tmp_path / "file", "text")
    with whole_folder(tmp_path / "out", "another") as draft:
        (draft / "a.txt").write_text("")
    with pytest.raises(OutputError, match="holds a.txt and 1 more"):
        fill(tmp_path / "out", "text")


@pytest.mark.parametrize("wrong", [KeyboardInterrupt, ValueError, OSError("disk")])
def test_a_failure_leaves_what_was_there(tmp_path, wrong):
    fill(tmp_path / "out", "first")

    def broken() -> None:
        with whole_folder(tmp_path / "out", MAKER) as draft:
            (draft / "a.txt").write_text("half")
            raise wrong

    with pytest.raises((KeyboardInterrupt, ValueError, OutputError)):
        broken()
    assert listed(tmp_path) == ["out/manifest.json", "out/part/a.txt"]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_rename_that_fails_puts_the_old_folder_back(tmp_path, monkeypatch):
    fill(tmp_path / "out", "first")
    rename, calls = os.rename, []

    def once(old, new):
        calls.append(new)
        if len(calls) == 2:
            raise PermissionError(13, "Permission denied")
        rename(old, new)

    monkeypatch.setattr(os, "rename", once)
    with pytest.raises(OutputError, match="Permission denied; what was there before is unchanged"):
        fill(tmp_path / "out", "second")
    assert (tmp_path / "out" / "part" / "a.txt").read_text() == "first"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
