"""No command writes into the project's source tree, or to what is no folder."""

from __future__ import annotations

import pytest

from socialcommerce import cli
from socialcommerce.project import root

SOURCES = [
    "",
    "notebooks",
    "notebooks/new/deeper",
    "socialcommerce/report",
    "data/raw",
    "paper",
    "docs/x",
    "tests",
    ".git/x",
    "reports/../notebooks",
]


@pytest.mark.parametrize(
    "command",
    [
        ["build", "00_claims"],
        ["build", "00_claims", "--plan"],
        ["build", "00_claims", "--no-render"],
        ["survey", "template"],
        ["survey", "check", "FILE"],
        ["survey", "report", "FILE"],
    ],
)
def test_the_source_tree_is_never_written_to(tmp_path, capsys, monkeypatch, command):
    """Also over a link."""
    monkeypatch.setattr("surveysem.report.write", lambda *arguments, **more: pytest.fail("begun"))
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


@pytest.mark.parametrize(
    "command", [["build"], ["survey", "template"], ["survey", "check", "a.csv"], ["survey", "report", "a.csv"]]
)
@pytest.mark.parametrize("given", ["", " "])
def test_an_empty_name_is_no_folder(capsys, tmp_path, monkeypatch, command, given):
    monkeypatch.chdir(tmp_path)
    assert cli.main([*command, "--out", given]) == 2
    assert "--out: no folder is named" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
