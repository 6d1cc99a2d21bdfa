"""Versions, metadata and distributions: one source for what many files repeat, and what may be published."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
import yaml

from tests.empty import FOLDERS

ROOT = Path(__file__).parents[1]
spec = importlib.util.spec_from_file_location("release", ROOT / ".ci" / "release.py")
release = importlib.util.module_from_spec(spec)
spec.loader.exec_module(release)


@pytest.fixture
def copy(tmp_path):
    """The files that a release touches, elsewhere."""
    for name in [
        *dict(release.repeated(ROOT)),
        release.SOURCE,
        "CHANGELOG.md",
        *release.names(ROOT, "packages/*/CHANGELOG.md"),
    ]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def test_all_that_repeats_the_version_or_the_address_is_up_to_date():
    assert release.stale(ROOT) == {}, "run `make release`"


def test_the_version_is_raised_everywhere_at_once(copy, capsys):
    release.main(["9.8.7"], copy)
    assert release.stale(copy) == {}
    found = {name: (copy / name).read_text() for name in release.names(copy, "**/__init__.py")}
    assert len(found) == len(FOLDERS)
    assert all('__version__ = "9.8.7"' in text for text in found.values())
    assert yaml.safe_load((copy / "CITATION.cff").read_text())["version"] == "9.8.7"
    assert json.loads((copy / "codemeta.json").read_text())["version"] == "9.8.7"
    assert '"semfit[plot]~=9.8.7",' in (copy / "pyproject.toml").read_text()
    for name in ["CHANGELOG.md", *release.names(copy, "packages/*/CHANGELOG.md")]:
        assert re.match(r"# Changelog\n\n## Unreleased\n\n## 9\.8\.7 \(20\d\d-\d\d-\d\d\)\n", (copy / name).read_text())
    assert release.notes(copy) in (ROOT / "CHANGELOG.md").read_text()
    release.main(["9.8.8"], copy)
    assert "## 9.8.8" in (copy / "CHANGELOG.md").read_text()
    assert release.notes(copy) == "- Released with the others; nothing changed."


@pytest.mark.parametrize("wrong", ["1", "v1.2.3", "1.2.3.4", "--no"])
def test_what_is_no_version_is_refused_and_nothing_is_written(copy, capsys, wrong):
    before = {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}
    with pytest.raises(SystemExit) as ended:
        release.main([wrong], copy)
    assert (ended.value.code, capsys.readouterr().err.count("\n")) == (2, 1)
    assert {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()} == before


def test_nothing_is_published_before_the_repository_has_its_address(copy):
    """Until it is set this test says where: see CONTRIBUTING, "A release"."""
    release.main(["9.8.7"], copy)
    text = (copy / "pyproject.toml").read_text()
    (copy / "pyproject.toml").write_text(re.sub(r'(Repository = )".*"', rf'\1"{release.PLACEHOLDER}"', text))
    release.synchronise(copy)
    assert [said.partition(";")[0] for said in release.faults(copy, "v9.8.7")] == [
        f"pyproject.toml says that the repository is {release.PLACEHOLDER}"
    ]
    (copy / "pyproject.toml").write_text(re.sub(r'(Repository = )".*"', r'\1"https://example.org/us/it"', text))
    assert any("not up to date" in said for said in release.faults(copy, "v9.8.7"))
    release.synchronise(copy)
    assert list(release.faults(copy, "v9.8.7")) == []
    assert [said.partition(",")[0] for said in release.faults(copy, "v9.8.6")] == ["the tag is 'v9.8.6'"]
    for name in ("CITATION.cff", "codemeta.json", *release.names(copy, "packages/*/pyproject.toml")):
        assert "https://example.org/us/it" in (copy / name).read_text(), name
    if not release.address_of(ROOT):
        pytest.skip(f"the repository's address is {release.PLACEHOLDER} still: CONTRIBUTING says where to put yours")


def test_changelogs_have_what_is_unreleased_first_and_then_releases():
    for name in ["CHANGELOG.md", *release.names(ROOT, "packages/*/CHANGELOG.md")]:
        first, *others = re.findall(r"^## (.*)$", release.read(ROOT, name), re.MULTILINE)
        assert first == "Unreleased"
        assert [each for each in others if not re.fullmatch(r"\d+\.\d+\.\d+(rc\d+)? \(\d{4}-\d\d-\d\d\)", each)] == []


@pytest.mark.slow  # five sdists, and a wheel from each: some seconds
def test_a_wheel_made_from_an_sdist_holds_what_one_from_the_clone_holds(tmp_path):
    made = "import sys; from importlib import import_module as i; b = i(sys.argv[1]); b.build_{}(sys.argv[2])"
    for name, folder in FOLDERS.items():
        backend = "hatchling.build" if name == "socialcommerce" else "flit_core.buildapi"
        (out := tmp_path / name).mkdir()

        def build(kind: str, where: Path, to: Path, backend: str = backend) -> None:
            subprocess.run(
                [sys.executable, "-c", made.format(kind), backend, str(to)], cwd=where, check=True, stdout=-3
            )

        build("sdist", folder, out)
        build("wheel", folder, out)
        (sdist,), (wheel,) = out.glob("*.tar.gz"), out.glob("*.whl")
        with tarfile.open(sdist) as packed:
            packed.extractall(out, filter="data")
        (out / "again").mkdir()
        build("wheel", next(path for path in out.iterdir() if path.is_dir() and path.name != "again"), out / "again")
        (again,) = (out / "again").glob("*.whl")
        held = [{each.filename: each.CRC for each in zipfile.ZipFile(one).infolist()} for one in (wheel, again)]
        records = {each for each in held[0] if each.endswith("/RECORD")}
        assert {key: crc for key, crc in held[0].items() if key not in records} == {
            key: crc for key, crc in held[1].items() if key not in records
        }
        assert any(each.endswith("licenses/LICENSE") for each in held[0])
