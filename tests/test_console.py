"""The command under streams, clocks and signals that are not as they should be: one line and an exit code."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys

import pytest

from nbproof import commands as console
from socialcommerce import cli
from socialcommerce.project import root

full = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")


def shell(command: str, redirected: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """Run ``socialcommerce`` in a shell that redirects its streams."""
    line = f"{shlex.quote(sys.executable)} -m socialcommerce {command} {redirected}"
    return subprocess.run(
        ["sh", "-c", line],
        cwd=root(),
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


@full
@pytest.mark.parametrize(
    ("command", "redirected", "said"),
    [
        ("data list", ">/dev/full", "standard output cannot be written to: No space left on device; allowed:"),
        ("--version", ">/dev/full", "standard output cannot be written to: No space left on device; allowed:"),
        ("data list", ">&-", "standard output is closed; allowed:"),
        ("--version", "<&- >&-", "standard output is closed; allowed:"),
    ],
)
def test_a_refusing_standard_output_is_one_sentence(command, redirected, said):
    done = shell(command, redirected)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.startswith(f"error: {said}")


@full
@pytest.mark.parametrize("redirected", ["2>/dev/full", "2>&-", "<&- >&- 2>&-", ">/dev/full 2>/dev/full"])
def test_a_refusing_standard_error_changes_no_exit_code(redirected):
    done = shell("data fetch nothing", redirected)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "")


def test_a_reader_who_is_gone_is_one_sentence():
    end, stdout = os.pipe()
    os.close(end)
    done = subprocess.run(
        [sys.executable, "-m", "socialcommerce", "data", "list"],
        stdout=stdout,
        text=True,
        stderr=subprocess.PIPE,
        cwd=root(),
        timeout=60,
        check=False,
    )
    os.close(stdout)
    assert done.returncode == 2
    assert done.stderr.startswith("error: standard output cannot be written to: Broken pipe; allowed:")
    assert done.stderr.count("\n") == 1


def test_text_that_an_encoding_lacks_is_escaped():
    locale = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    code = "from socialcommerce import cli, data; data.listing = lambda: [{'name': '\\u79c1 \\u2212'}]; "
    done = subprocess.run(
        [sys.executable, "-c", f"{code} raise SystemExit(cli.main(['data', 'list']))"],
        text=True,
        cwd=root(),
        env={**os.environ, **locale},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == r"\u79c1 \u2212"


def test_a_name_that_is_no_text_is_said_with_what_would_help(capsys, monkeypatch):
    monkeypatch.setattr(cli, "_data_list", lambda chosen: "\udce7\udca7".encode())
    assert cli.main(["data", "list"]) == 2
    assert r"error: '\udce7\udca7' cannot be written as utf-8 text; allowed:" in capsys.readouterr().err


@pytest.mark.parametrize("seconds", [-1.0, 0.0, 157766400.0])
def test_a_clock_before_1980_is_said_before_an_archive_needs_it(capsys, monkeypatch, tmp_path, seconds):
    monkeypatch.setattr(console.time, "time", lambda: seconds)
    assert cli.main(["survey", "template", "--out", str(tmp_path / "new")]) == 2
    assert "docx or xlsx file can state no time before 1980-01-01: set the clock" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def failing(wrong: BaseException):
    def work(chosen):
        raise wrong

    return work


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (PermissionError(13, "Permission denied", "/srv/x"), "/srv/x cannot be read or written: Permission denied"),
        (OSError(28, "No space left on device"), "a file cannot be read or written: No space left on device"),
        (FileNotFoundError(2, "No usable temporary directory found in ['/x']"), "temporary directory found in ['/x']"),
    ],
)
def test_what_the_system_refuses_is_one_sentence(capsys, monkeypatch, wrong, said):
    monkeypatch.setattr(cli, "_data_list", failing(wrong))
    assert cli.main(["data", "list"]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert (err[:7], err.count("\n")) == ("error: ", 1)


@pytest.mark.parametrize(
    "fault",
    [
        OSError("no number"),
        OSError(9, "Bad file descriptor"),
        ChildProcessError(10, "x"),
        ConnectionResetError(104, "x"),
        ValueError("x"),
        KeyError("x"),
        UnicodeDecodeError("utf-8", b"x", 0, 1, "x"),
    ],
)
def test_a_fault_of_the_program_keeps_its_traceback(monkeypatch, fault):
    monkeypatch.setattr(cli, "_data_list", failing(fault))
    with pytest.raises(type(fault)):
        cli.main(["data", "list"])


@pytest.mark.parametrize("loaded", ["argparse", "socialcommerce.cli", "socialcommerce.report"])
def test_an_interrupt_while_libraries_load_is_one_line(loaded):
    code = (
        "import sys\n"
        "class Interrupt:\n"
        "    def find_spec(self, name, *rest):\n"
        f"        if name == {loaded!r}: raise KeyboardInterrupt\n"
        "from socialcommerce import __main__\n"
        "sys.meta_path.insert(0, Interrupt())\n"
        "sys.argv[1:] = ['build', '--plan']\n"
        "sys.exit(__main__.main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=root(), timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr == "interrupted; what was published before is unchanged\n"


@pytest.mark.skipif(sys.platform == "win32", reason="no fork server there")
def test_the_fork_server_leaves_an_interrupt_to_the_builder():
    code = (
        "import multiprocessing, os, signal\n"
        "from multiprocessing import forkserver\n"
        "from nbproof import builder\n"
        "with builder.surroundings():\n    pass\n"
        "os.kill(forkserver._forkserver._forkserver_pid, signal.SIGINT)\n"
        "alive = multiprocessing.get_context('forkserver').Process(target=print, args=('alive',))\n"
        "alive.start()\nalive.join()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=root(), timeout=60, check=False
    )
    assert (done.stdout, done.stderr) == ("alive\n", "")


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--limit=inf", "--limit must be below 1,000,000,000; got inf."),
        ("--limit=1e400", "--limit must be below 1,000,000,000; got inf."),
        (f"--jobs={'9' * 400}", "--jobs must be below 1,000,000,000; got 999999999999."),
        (f"--jobs=-{'9' * 400}", "--jobs must be above 0; got -99999999999."),
    ],
)
def test_numbers_no_machine_can_use_are_refused(capsys, option, message):
    assert cli.main(["build", "--plan", option]) == 2
    assert capsys.readouterr().err == f"error: {message}\n"
