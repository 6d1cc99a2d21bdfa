"""An interrupt of any kind takes its drafts with it; what a kill leaves goes with the next run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

import nbproof
from nbproof import Built, folder
from socialcommerce import cli
from surveysem import report
from tests.survey_notebooks import write_both
from tests.test_survey_report import BOOK, ROWS, csv, write

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows ends a process without a word to it")

WORK = """
import sys, time
from pathlib import Path
from nbproof import held_folder, whole_folder
from socialcommerce import cli

def work(chosen):
    with whole_folder(Path(sys.argv[1]), "a test") as draft, held_folder(Path(sys.argv[2]), "socialcommerce-test-"):
        (draft / "answers.csv").write_text("secret")
        print("begun", flush=True)
        time.sleep(60)

cli._data_list = work
sys.exit(cli.main(["data", "list"]))
"""


@pytest.fixture
def begun(tmp_path: Path):
    """A command that has begun to fill a folder, ``tmp_path / "out"``, and one beside."""
    (tmp_path / "temporary").mkdir()
    process = subprocess.Popen(
        [sys.executable, "-c", WORK, str(tmp_path / "new" / "out"), str(tmp_path / "temporary")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: [signal.signal(n, signal.SIG_DFL) for n in (1, 2, 15)],
    )
    assert process.stdout.readline() == "begun\n"
    yield process
    process.kill()
    process.communicate()


def left(tmp_path: Path) -> list[str]:
    return [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("name", "code", "line"),
    [
        ("SIGINT", 130, "interrupted; what was published before is unchanged\n"),
        ("SIGTERM", 143, "ended by SIGTERM; what was published before is unchanged\n"),
        ("SIGHUP", 129, "ended by SIGHUP; what was published before is unchanged\n"),
    ],
)
def test_a_signal_is_one_line_and_nothing_is_left(tmp_path, begun, name, code, line):
    assert any(name.endswith("draft/answers.csv") for name in left(tmp_path))
    begun.send_signal(getattr(signal, name))
    assert begun.communicate(timeout=20) == ("", line)
    assert begun.returncode == code
    assert [path.name for path in tmp_path.rglob("*")] == ["temporary"]


def test_what_a_kill_left_goes_with_the_next_run(tmp_path, begun):
    begun.kill()
    begun.wait()
    assert any(name.endswith("draft/answers.csv") for name in left(tmp_path))
    with (
        folder.whole_folder(tmp_path / "new" / "out", "a test") as draft,
        folder.held_folder(tmp_path / "temporary", "socialcommerce-test-") as held,
    ):
        (draft / "a.txt").write_text("whole")
        assert list((tmp_path / "temporary").iterdir()) == [held]
    assert sorted(left(tmp_path)) == ["new/out/a.txt", "new/out/manifest.json"]


def test_what_a_living_run_holds_stays(tmp_path, begun):
    with (
        folder.whole_folder(tmp_path / "new" / "out", "a test") as draft,
        folder.held_folder(tmp_path / "temporary", "socialcommerce-test-"),
    ):
        (draft / "a.txt").write_text("whole")
    assert any(name.endswith("draft/answers.csv") for name in left(tmp_path))
    assert begun.poll() is None


def test_an_earlier_report_comes_back_when_a_run_was_killed_between_the_renames(tmp_path):
    with folder.whole_folder(tmp_path / "out", "a test") as draft:
        (draft / "a.txt").write_text("first")
    dead = tmp_path / ".out.socialcommerce-12345678"
    (dead / "draft").mkdir(parents=True)
    (dead / ".lock").touch()
    os.rename(tmp_path / "out", dead / "old")

    def fails() -> None:
        with folder.whole_folder(tmp_path / "out", "a test"):
            raise KeyError

    pytest.raises(KeyError, fails)
    assert sorted(left(tmp_path)) == ["out/a.txt", "out/manifest.json"]


@pytest.mark.parametrize("planted", ["link", "no lock", "another name"])
def test_folders_that_are_not_ours_are_left_alone(tmp_path, planted):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("mine")
    name = ".out.socialcommerce-12345678"
    if planted == "link":
        (mine / ".lock").touch()
        (tmp_path / name).symlink_to(mine)
    else:
        mine.rename(tmp_path / (name if planted == "no lock" else ".out-12345678"))
    with folder.whole_folder(tmp_path / "out", "a test") as draft:
        (draft / "a.txt").write_text("whole")
    assert any(path.name == "thesis.txt" for path in tmp_path.rglob("*"))


def test_an_ignored_signal_stays_ignored(monkeypatch):
    """As nohup asks."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    seen = []
    monkeypatch.setattr(cli, "_data_list", lambda chosen: seen.append(signal.getsignal(signal.SIGHUP)) or 0)
    try:
        assert cli.main(["data", "list"]) == 0
    finally:
        signal.signal(signal.SIGHUP, before)
    assert seen == [signal.SIG_IGN]


def test_notebooks_read_the_answers_where_they_stand(tmp_path, monkeypatch):
    answers = tmp_path / "answers.csv"
    answers.write_text("secret")
    (tmp_path / "draft").mkdir()
    seen = {}

    def build(notebooks, *, folder, given, **options):
        seen.update({path: path.is_symlink() for path in folder.rglob("*.csv")}, given=given)
        assert (folder / given["answers"]).read_text() == "secret"
        return Built(tmp_path, failed={"one": "ends here"})

    monkeypatch.setattr(nbproof, "build", build)
    with pytest.raises(Exception, match="1 of 1 reports failed"):
        report._run(tmp_path / "draft", ["one"], {"answers": answers}, {}, {"en": "Answers"})
    assert seen.pop("given") == {"answers": "answers/answers.csv"}
    assert list(seen.values()) == [True]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["answers.csv", "draft"]


SURVEY = """
import sys
from socialcommerce import cli
from surveysem import report
report.NOTEBOOKS = sys.argv[1:3]
sys.exit(cli.main(["survey", "report", *sys.argv[3:], "--draws", "20", "--language", "en"]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["draft/.staging/*", "draft/tables-en.xlsx"])
def test_a_terminated_survey_report_leaves_nothing(tmp_path, moment):
    """No draft, no copy of the answers, no process."""
    (tmp_path / "t").mkdir()
    answers, codebook = write(tmp_path / "answers.csv", csv(ROWS)), write(tmp_path / "c.toml", BOOK)
    notebooks = write_both(tmp_path / "notebooks")
    before = sorted(tmp_path.rglob("*"))
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            SURVEY,
            *notebooks,
            str(answers),
            "--codebook",
            str(codebook),
            "--out",
            str(tmp_path / "out"),
        ],
        env=os.environ | {"TMPDIR": str(tmp_path / "t")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    while process.poll() is None and not any(tmp_path.glob(f".out.socialcommerce-*/{moment}")):
        time.sleep(0.02)
    below = psutil.Process(process.pid).children(recursive=True)
    process.terminate()
    assert process.communicate(timeout=60)[1] == "ended by SIGTERM; what was published before is unchanged\n"
    assert process.returncode == 143
    assert sorted(tmp_path.rglob("*")) == before
    assert psutil.wait_procs(below, timeout=60)[1] == []
