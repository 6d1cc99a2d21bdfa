"""The command line: fast help, one-sentence errors, exit codes."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from socialcommerce import __version__, cli


def test_help_imports_nothing_heavy():
    command = [sys.executable, "-X", "importtime", "-m", "socialcommerce", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    imported = set(re.findall(r"\| +([\w.]+)$", done.stderr, re.MULTILINE))
    assert "socialcommerce.errors" in imported
    assert not imported & {
        "numpy",
        "pandas",
        "matplotlib",
        "papermill",
        "rich",
        "pooch",
        "socialcommerce.report",
        "socialcommerce.data",
    }
    for command in ("build", "verify", "data"):
        assert command in done.stdout


def test_version(capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.strip() == __version__


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["biuld"], "unknown command 'biuld'; did you mean 'build'?"),
        ([], "the following arguments are required: command"),
        (["build", "--jbos", "2"], "unrecognized arguments: --jbos"),
        (["build", "--jobs", "two"], "invalid int value: 'two'"),
        (["build", "--engine", "wram"], "unknown engine 'wram'; did you mean 'warm'?"),
        (["data", "fetch", "hillstrm"], "unknown data set 'hillstrm'; did you mean 'hillstrom'?"),
        (["data", "lst"], "unknown command 'lst'; did you mean 'list'?"),
        (["survey", "check", "x.csv", "--screening", "dorp"], "unknown screening 'dorp'; did you mean 'drop'?"),
        (["data"], "the following arguments are required: list|fetch|verify"),
    ],
)
def test_misuse_is_one_sentence_and_exit_code_2(capsys, arguments, message):
    assert cli.main(arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert message in said.err
    assert said.err.startswith("error: ")
    assert said.err.count("\n") == 1


def test_data_list_names_every_registered_file(capsys):
    from socialcommerce import data

    assert cli.main(["data", "list"]) == 0
    said = capsys.readouterr().out
    assert all(source.name in said for source in data.sources())


def test_data_verify_passes_on_what_is_committed(capsys):
    assert cli.main(["data", "verify"]) == 0
    assert "each the one registered" in capsys.readouterr().out


def test_data_verify_shows_both_hashes_of_an_edited_file(capsys, monkeypatch, tmp_path):
    from socialcommerce import data
    from socialcommerce.data import registry

    committed = [entry for entry in data.sources() if entry.committed]
    edited, gone = tmp_path / "edited.csv", committed[1]
    edited.write_bytes(committed[0].file.read_bytes() + b" ")
    places = {entry.name: entry.file for entry in committed} | {committed[0].name: edited, gone.name: tmp_path / "gone"}
    monkeypatch.setattr(registry.Source, "file", property(lambda entry: places[entry.name]))
    assert cli.main(["data", "verify"]) == 2
    said = capsys.readouterr().err
    assert f"{committed[0].path} is not the registered file: sha256 found {registry.sha256(edited)}" in said
    assert f"registered {committed[0].sha256}" in said
    assert f"{gone.path} is missing: sha256 found none, registered {gone.sha256}" in said
    assert said.count("sha256 found") == 2


@pytest.mark.parametrize("jobs", ["0", "-1"])
def test_verify_needs_a_process_too(capsys, monkeypatch, jobs):
    from nbproof import verifier

    monkeypatch.setattr(verifier, "verify", lambda *names, **options: pytest.fail("not reached"))
    assert cli.main(["verify", "--jobs", jobs]) == 2
    assert f"--jobs must be above 0; got {jobs}." in capsys.readouterr().err
