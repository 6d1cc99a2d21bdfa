"""What a user has who installed the wheels and stands in an empty folder: no clone, the same commands."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.empty import build_wheels

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheels of all packages, unpacked as an installer would; what they depend on comes from this environment."""
    made = tmp_path_factory.mktemp("wheels")
    for wheel in build_wheels(made):
        zipfile.ZipFile(wheel).extractall(made / "site")
    return made / "site"


@pytest.fixture
def run(site, tmp_path):
    """Run a command in an empty folder."""
    (tmp_path / "empty").mkdir()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SOCIALCOMMERCE")}

    def command(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path / "empty",
            check=False,
            capture_output=True,
            env=environment | {"PYTHONPATH": str(site)},
            text=True,
        )

    return command


def test_the_packages_are_those_of_the_wheels(run, site):
    names = ("semfit", "surveysem", "socialcommerce")
    done = run("-c", f"import {', '.join(names)}; print({', '.join(f'{name}.__file__' for name in names)})")
    assert done.stdout.split() == [str(site / name / "__init__.py") for name in names]


def test_registered_data_are_listed_and_the_committed_ones_are_here(run):
    rows = run("-m", "socialcommerce", "data", "list").stdout.splitlines()
    assert [row for row in rows if row.startswith("market_size ") and " yes " in row]
    assert run("-m", "socialcommerce", "data", "verify").returncode == 0


def test_a_survey_is_asked_and_checked(run, tmp_path):
    done = run("-m", "socialcommerce", "survey", "template", "--out", "survey")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "empty" / "survey" / "codebook.toml").is_file()
    made = "from socialcommerce import survey; survey.own_sample().write(__import__('pathlib').Path('sample'))"
    assert run("-c", made).returncode == 0
    done = run("-m", "socialcommerce", "survey", "check", "sample/sample.csv", "--invalid", "record")
    assert done.returncode == 0, done.stderr


def test_a_report_is_built_here_and_says_no_commit_of_another_repository(run, tmp_path):
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    done = run("-m", "socialcommerce", "build", "00_claims", "--language", "en")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "empty" / "reports" / "en" / "00_claims.html").is_file()
    assert '"commit": null' in (tmp_path / "empty" / "reports" / "manifest.json").read_text()
