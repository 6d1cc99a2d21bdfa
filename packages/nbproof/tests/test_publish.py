"""Publishing: whole or not at all."""

from __future__ import annotations

import json
import multiprocessing
import os
import time

import pytest

from nbproof.errors import OutputError
from nbproof.publish import locked, publish, recover, staging, write_whole
from nbproof.run import make

ENTRY = {"notebook": "notebooks/alpha.ipynb", "languages": [], "outputs": {}, "read": [], "run_inputs": {},
         "render_inputs": {}}


def staged(out, name="alpha", text="new"):
    folder = staging(out, name)
    (folder / "files" / "en").mkdir()
    (folder / "files" / "en" / f"{name}.html").write_text(text)
    (folder / "files" / f"{name}.pdf").write_text(text)
    return folder


def test_publishing_moves_files_removes_old_ones_and_writes_the_manifest(tmp_path):
    (tmp_path / "old.svg").write_text("old")
    publish(staged(tmp_path), tmp_path, "alpha", ENTRY | {"key": "k"}, ["old.svg"])
    assert (tmp_path / "en" / "alpha.html").read_text() == "new"
    assert not (tmp_path / "old.svg").exists()
    assert json.loads((tmp_path / "manifest.json").read_text())["reports"]["alpha"] == ENTRY | {"key": "k"}
    assert list((tmp_path / ".staging").iterdir()) == []


def test_an_unfinished_report_is_thrown_away(tmp_path):
    publish(staged(tmp_path, text="first"), tmp_path, "alpha", ENTRY, [])
    staged(tmp_path, text="half")
    assert recover(tmp_path) == []
    assert (tmp_path / "en" / "alpha.html").read_text() == "first"
    assert not (tmp_path / ".staging").exists()


@pytest.mark.parametrize("renamed", [0, 1, 2])
def test_a_finished_one_is_published_however_far_the_renames_had_come(tmp_path, renamed):
    files = ["en/alpha.html", "alpha.pdf"]
    first = ENTRY | {"key": 1, "outputs": dict.fromkeys(files, "")}
    publish(staged(tmp_path, text="first"), tmp_path, "alpha", first, [])
    folder = staged(tmp_path, text="second")
    journal = {"name": "alpha", "files": files, "gone": [], "entry": ENTRY | {"key": 2}}
    (folder / "journal.json").write_text(json.dumps(journal))
    for name in files[:renamed]:
        os.replace(folder / "files" / name, tmp_path / name)
    assert recover(tmp_path) == ["alpha"]
    assert [(tmp_path / name).read_text() for name in files] == ["second", "second"]
    assert json.loads((tmp_path / "manifest.json").read_text())["reports"]["alpha"] == ENTRY | {"key": 2}


def hold(out, ready, seconds):
    with locked(out, lambda text: None):
        ready.set()
        time.sleep(seconds)


def test_a_second_build_waits_and_is_told_for_whom(tmp_path):
    context = multiprocessing.get_context()
    ready = context.Event()
    first = context.Process(target=hold, args=(tmp_path, ready, 0.5))
    first.start()
    assert ready.wait(10)
    told, began = [], time.monotonic()
    with locked(tmp_path, told.append):
        assert time.monotonic() - began > 0.2
    first.join()
    assert told == [f"another build (process {first.pid}) holds {tmp_path}; waiting for it to end"]


def test_a_lock_dies_with_its_holder(tmp_path):
    context = multiprocessing.get_context()
    ready = context.Event()
    first = context.Process(target=hold, args=(tmp_path, ready, 60))
    first.start()
    assert ready.wait(10)
    first.kill()
    first.join()
    told = []
    with locked(tmp_path, told.append):
        assert told == []


def test_an_output_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("in the way")
    refused = r"cannot write to the output folder .*: Not a directory\. Choose another with --out\."
    with (
        pytest.raises(OutputError, match=refused),
        locked(tmp_path / "file" / "reports", lambda text: None),
    ):
        pytest.fail("not reached")


def test_a_failed_write_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "index.html"
    path.write_text("old")

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    refused = r"cannot write index\.html: No space left on device; what was there before is unchanged"
    with pytest.raises(OutputError, match=refused):
        write_whole(path, b"new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_cannot_be_written_after_the_lock(tmp_path):
    (tmp_path / ".staging").write_text("in the way")
    with pytest.raises(OutputError, match="cannot write to the output folder .*"):
        staging(tmp_path, "alpha")
    (tmp_path / ".staging").unlink()
    (tmp_path / "en").write_text("in the way")
    with pytest.raises(OutputError, match="cannot write to the output folder .*"):
        publish(staged(tmp_path), tmp_path, "alpha", ENTRY, [])


def test_each_builder_has_a_staging_folder_of_its_own(tmp_path):
    context = multiprocessing.get_context()
    (staging(tmp_path, "alpha") / "files" / "half").write_text("ours")
    other = context.Process(target=staging, args=(tmp_path, "alpha"))
    other.start()
    other.join()
    assert (staging_half := list((tmp_path / ".staging").glob("*/files/half")))
    assert staging_half[0].read_text() == "ours"


def test_a_report_whose_builder_is_gone_is_not_begun(tmp_path):
    context = multiprocessing.get_context()
    alive, kept_open = context.Pipe(duplex=False)
    ours, theirs = context.Pipe(duplex=False)
    kept_open.close()
    child = context.Process(target=make, args=(None, theirs, alive))
    child.start()
    theirs.close()
    child.join()
    assert child.exitcode == 0
    with pytest.raises(EOFError):
        ours.recv()
