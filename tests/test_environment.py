"""The three descriptions of the environment agree, and none names an index."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from tests.conftest import PACKAGES

ROOT = Path(__file__).parents[1]
PROJECT, *BESIDE = (
    tomllib.loads((ROOT / name / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for name in (".", *(Path(name).parent for name in PACKAGES))
)
OWN = {project["name"] for project in (PROJECT, *BESIDE)}  # in no index, installed from their folders
NAME = re.compile(r"[A-Za-z0-9._-]+")
EXTRAS = {
    text
    for project in (PROJECT, *BESIDE)
    for texts in project.get("optional-dependencies", {}).values()
    for text in texts
}
DEPENDENCIES = sorted(
    text
    for text in EXTRAS.union(*(project["dependencies"] for project in (PROJECT, *BESIDE)))
    if NAME.match(text)[0] not in OWN
)
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def locked() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, version in re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", LOCK, re.MULTILINE):
        found.setdefault(normal(name), []).append(version)
    return found


def test_what_the_readers_work_in_is_named_directly():
    named = {normal(NAME.match(text)[0]) for text in DEPENDENCIES}
    assert {"jupyterlab", "pandas", "statsmodels", "seaborn", "papermill", "pytest"} <= named


def test_every_dependency_is_locked_within_its_range():
    from packaging.requirements import Requirement

    assert not OWN & {*locked()}
    for text in DEPENDENCIES:
        requirement = Requirement(text)
        versions = locked()[normal(requirement.name)]
        assert all(requirement.specifier.contains(version) for version in versions), f"{text}: locked {versions}"


@pytest.mark.parametrize("name", ["requirements.lock", "docs/requirements.txt", ".ci/requirements.txt"])
def test_every_locked_package_has_hashes(name):
    entries = re.split(r"\n(?=[A-Za-z0-9])", (ROOT / name).read_text(encoding="utf-8"))
    assert len(entries) > 10
    assert [entry.split("\n")[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_no_address_of_an_index_anywhere():
    names = (
        "requirements.lock",
        "environment.yml",
        "pyproject.toml",
        "Makefile",
        "postBuild",
        ".ci/run",
        "reproduce.sh",
    )
    files = [*(ROOT / name for name in names), *ROOT.glob("packages/*/pyproject.toml")]
    files += [*(ROOT / ".devcontainer").iterdir(), *ROOT.glob("*/requirements.*"), *ROOT.glob(".ci/requirements.*")]
    for path in [*files, *(ROOT / ".github").rglob("*.yml")]:
        assert not re.search(r"--(extra-)?index-url|--find-links|/simple\b", path.read_text(encoding="utf-8")), path


def test_conda_and_binder_install_the_lock_and_nothing_else():
    text = (ROOT / "environment.yml").read_text(encoding="utf-8")
    entries = [entry.strip() for entry in re.findall(r"^ *- (.+)$", text.partition("dependencies:")[2], re.MULTILINE)]
    assert entries == ["python=3.11", "pip", "pip:", "-r requirements.lock"]
    assert "3.11" in PROJECT["requires-python"]
    assert os.access(ROOT / "postBuild", os.X_OK)
    assert "--no-deps" in (ROOT / "postBuild").read_text(encoding="utf-8")


def test_container_and_script_run_the_commands_of_a_clone():
    """So no engine for containers is needed to try it: `.ci/run` runs the script that the container runs."""
    lines = (ROOT / ".devcontainer" / "Dockerfile").read_text(encoding="utf-8").splitlines()
    steps = [line for line in lines if line.split()[0] in ("RUN", "CMD") and "apt-get" not in line]
    assert steps == ["RUN make .venv/.installed", 'CMD ["./reproduce.sh"]']
    inside = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8"))
    assert f"RUN {inside['postCreateCommand']}" in steps
    assert "./reproduce.sh" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert not (ROOT / "Dockerfile").exists()  # Binder would take it before environment.yml


def test_the_script_says_what_is_missing_and_else_calls_make_once(tmp_path):
    def run(**environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["/bin/bash", str(ROOT / "reproduce.sh")], env=environment, capture_output=True, text=True, check=False
        )

    for name in ("dirname", "git", "python3"):
        (tmp_path / name).symlink_to(shutil.which(name))
    missing = run(PATH=str(tmp_path))
    assert (missing.returncode, missing.stderr.partition(";")[0]) == (2, "error: make is not here")
    (tmp_path / "make").write_text('#!/bin/sh\necho "make $@"\n')
    (tmp_path / "make").chmod(0o755)
    assert run(PATH=str(tmp_path)).stdout == "make reproduce\nopen reports/index.html\n"


def test_the_makefile_installs_the_same_way():
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "--require-hashes -r requirements.lock" in text
    assert "./postBuild" in text


WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
MAY_WRITE = {  # jobs that hand over what another one built
    ("pages.yml", "publish"): {"pages": "write", "id-token": "write"},
    ("release.yml", "publish"): {"id-token": "write"},
    ("release.yml", "page"): {"contents": "write"},
}


@pytest.mark.parametrize("path", WORKFLOWS, ids=[path.name for path in WORKFLOWS])
def test_a_workflow_runs_what_was_read_and_may_only_read(path):
    """But for the jobs that publish, which run nothing of this repository and nothing on somebody's proposal."""
    text = path.read_text(encoding="utf-8")
    used = re.findall(r"uses: (.*)", text)
    assert used
    assert [name for name in used if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", name)] == []
    found = yaml.safe_load(text)
    assert found["permissions"] == {"contents": "read"}
    for name, job in found["jobs"].items():
        assert job.get("permissions", {}) == MAY_WRITE.get((path.name, name), {})
        if "permissions" in job:
            assert "checkout" not in str(job["steps"])
            assert job["if"] in ("github.ref == 'refs/heads/main'", "github.ref_type == 'tag'")
    assert text.count("actions/checkout@") == text.count("persist-credentials: false")
    assert re.search(r"^concurrency:\n  group: ", text, re.MULTILINE)


def test_three_systems_are_tested_with_every_python_the_package_names():
    text = (ROOT / ".github" / "workflows" / "test.yml").read_text(encoding="utf-8")
    assert re.search(r"system: \[ubuntu-\S+, macos-\S+, windows-\S+\]", text)
    named = {name.split(" :: ")[-1] for name in PROJECT["classifiers"] if ":: Python :: 3." in name}
    assert set(re.findall(r'"(3\.\d+)"', text)) == named >= {"3.11"}


def test_what_is_installed_here_is_what_the_lock_says():
    from importlib.metadata import version

    for text in DEPENDENCIES:
        name = NAME.match(text)[0]
        assert version(name) in locked()[normal(name)]


IMPORTED_BY_OTHERS = {"ipykernel": "papermill", "papermill": "a reader", "seaborn": "the builder, ahead of notebooks"}


@pytest.mark.slow
def test_the_library_imports_every_dependency_and_nothing_else():
    """Names on the index differ from names in Python for some; what only tests need is in an extra."""
    from importlib.metadata import packages_distributions

    from tests.test_architecture import MODULES, imported

    named = {normal(NAME.match(text)[0]) for text in PROJECT["dependencies"]} - OWN
    owners = packages_distributions()
    tops = {name.split(".")[0] for path in MODULES for name in imported(path)}
    tops -= set(sys.stdlib_module_names) | {"socialcommerce", *OWN}
    come_with = {"IPython": "ipykernel", "urllib3": "requests", "cycler": "matplotlib", "PIL": "matplotlib"}
    met = {top: {normal(owner) for owner in owners[top]} & named for top in tops}
    assert {top for top, owner in met.items() if not owner and come_with.get(top) not in named} == set()
    assert named - set().union(*met.values()) == {*IMPORTED_BY_OTHERS}


@pytest.mark.slow
def test_the_conda_sequence_works_with_pip_in_a_clean_environment(tmp_path):
    """What environment.yml and Binder do: install the lock, then run postBuild; then the command answers."""
    if os.environ.get("CI") is None and not os.environ.get("SOCIALCOMMERCE_TEST_INSTALL"):
        pytest.skip("installs a whole environment (a minute): runs in CI, or with SOCIALCOMMERCE_TEST_INSTALL=1")

    def run(*command: str, **options: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, check=True, capture_output=True, text=True, **options)

    copy = tmp_path / "clone"
    run("git", "clone", "--quiet", str(ROOT), str(copy))
    run(sys.executable, "-m", "venv", str(tmp_path / "env"))
    binaries = tmp_path / "env" / "bin"
    run(str(binaries / "python"), "-m", "pip", "install", "--quiet", "-r", "requirements.lock", cwd=copy)
    run("./postBuild", cwd=copy, env={**os.environ, "PATH": f"{binaries}:{os.environ['PATH']}"})
    assert "build" in run(str(binaries / "socialcommerce"), "--help").stdout
    script = "import socialcommerce; print(socialcommerce.__name__)"
    assert "socialcommerce" in run(str(binaries / "python"), "-c", script).stdout
