"""Publishing: whole or not at all."""

from __future__ import annotations

import json
import multiprocessing
import os
import time
from contextlib import suppress

import pytest

from nbproof.errors import OutputError
from nbproof.folder import check_free, file_hash, locked, publish, staging, write_whole
from nbproof.run import make

ENTRY = {
    "notebook": "notebooks/alpha.ipynb",
    "languages": [],
    "outputs": {},
    "read": [],
    "run_inputs": {},
    "render_inputs": {},
}


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


class KilledError(Exception):
    """Stands in for the end of the process."""


@pytest.mark.parametrize("renamed", [0, 1, 2])
def test_however_far_the_renames_had_come_the_manifest_tells_what_is_not_of_the_run(tmp_path, monkeypatch, renamed):
    """So that the next build makes the report again, and takes none of its files for somebody else's."""
    files = ("alpha.pdf", "en/alpha.html")
    publish(staged(tmp_path, text="first"), tmp_path, "alpha", ENTRY, [])
    folder = staged(tmp_path, text="second")
    digests = {name: file_hash(folder / "files" / name) for name in files}
    done, rename = [], os.replace

    def one(source, target):
        if "files" in source.parts:
            if len(done) == renamed:
                raise KilledError
            done.append(target)
        rename(source, target)

    monkeypatch.setattr(os, "replace", one)
    with suppress(KilledError):
        publish(folder, tmp_path, "alpha", ENTRY | {"outputs": digests}, [])
    entered = json.loads((tmp_path / "manifest.json").read_text())["reports"]["alpha"]["outputs"]
    assert entered == digests
    assert [name for name in files if file_hash(tmp_path / name) == digests[name]] == list(files)[:renamed]
    check_free(tmp_path, files)


def hold(out, ready, seconds):
    with locked(out, lambda text: None):
        ready.set()
        time.sleep(seconds)


@pytest.mark.slow
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
    with pytest.raises(OutputError, match=refused), locked(tmp_path / "file" / "reports", lambda text: None):
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
