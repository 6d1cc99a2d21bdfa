"""Raise the version of all packages in one step, and write what repeats it or the repository's address.

python .ci/release.py               writes again all that repeats version, address and description
python .ci/release.py 0.2.0         raises the version, and heads with it what the changelogs list as unreleased
python .ci/release.py --ready TAG   refuses to publish what is not whole: see `faults`
python .ci/release.py --notes       prints what changed in the newest release

The version is that of ``socialcommerce/__init__.py``, the address ``project.urls`` in ``pyproject.toml``.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

ROOT = Path(__file__).parents[1]
PLACEHOLDER = "https://github.com/OWNER/socialcommerce"
SOURCE = "socialcommerce/__init__.py"
OWN = "semfit|stockflow|nbproof|surveysem"
VERSION = re.compile(r"\d+\.\d+\.\d+(rc\d+)?")
LICENCE = "https://spdx.org/licenses/MIT"


def read(root: Path, name: str) -> str:
    """Return a file of the repository."""
    return (root / name).read_text(encoding="utf-8")


def version_of(root: Path) -> str:
    """Return the version of all packages."""
    return re.findall(r'^__version__ = "(.+)"$', read(root, SOURCE), re.MULTILINE)[0]


def address_of(root: Path) -> str:
    """Return the repository's address, or nothing where it still is the placeholder."""
    address = tomllib.loads(read(root, "pyproject.toml"))["project"]["urls"]["Repository"]
    return "" if address == PLACEHOLDER else address


def names(root: Path, pattern: str) -> list[str]:
    """Return the files of a pattern, relative to the repository."""
    return sorted(path.relative_to(root).as_posix() for path in root.glob(pattern))


def repeated(root: Path) -> Iterator[tuple[str, str]]:
    """Yield every file that repeats version, address or description, and what it has to say."""
    version, address = version_of(root), address_of(root)
    for name in names(root, "packages/*/*/__init__.py"):
        if name.split("/")[1] == name.split("/")[2]:
            yield name, re.sub(r'^__version__ = ".*"$', f'__version__ = "{version}"', read(root, name), flags=re.M)
    for name in ["pyproject.toml", *names(root, "packages/*/pyproject.toml")]:
        text = re.sub(
            rf'^( +"(?:{OWN})(?:\[[\w,]+\])?)(?:~=[^"]*)?",', rf'\1~={version}",', read(root, name), flags=re.M
        )
        if address and name != "pyproject.toml":
            text = re.sub(r"\[project\.urls\]\n.*\n\n", "", text)
            text = text.replace("\n[tool.", f'\n[project.urls]\nRepository = "{address}"\n\n[tool.', 1)
        yield name, text
    citation = re.sub(r"^version: .*$", f"version: {version}", read(root, "CITATION.cff"), flags=re.M)
    citation = re.sub(r"^repository-code: .*\n", "", citation, flags=re.M)
    code = f'repository-code: "{address}"\n' if address else ""
    yield "CITATION.cff", re.sub(r"^(version: .*\n)", rf"\1{code}", citation, flags=re.M)
    about = tomllib.loads(read(root, "pyproject.toml"))["project"]
    for name, made in (("codemeta.json", codemeta(about, version, address)), (".zenodo.json", zenodo(about))):
        yield name, json.dumps(made, ensure_ascii=False, indent=2) + "\n"


def codemeta(about: dict[str, Any], version: str, address: str) -> dict[str, Any]:
    """Describe the software in the words of CodeMeta (https://w3id.org/codemeta/3.0)."""
    return {
        "@context": "https://w3id.org/codemeta/3.0",
        "@type": "SoftwareSourceCode",
        "name": about["name"],
        "description": about["description"],
        "version": version,
        **({"codeRepository": address} if address else {}),
        "license": LICENCE,
        "programmingLanguage": "Python",
        "runtimePlatform": f"Python {about['requires-python']}",
        "keywords": about["keywords"],
        "author": [{"@type": "Organization", "name": each["name"]} for each in about["authors"]],
    }


def zenodo(about: dict[str, Any]) -> dict[str, Any]:
    """Describe a release for Zenodo, which takes version and date from the release itself."""
    return {
        "title": f"{about['name']}: {about['description']}",
        "upload_type": "software",
        "description": about["description"],
        "creators": [{"name": each["name"]} for each in about["authors"]],
        "license": "MIT",
        "keywords": about["keywords"],
        "language": "eng",
    }


def synchronise(root: Path) -> list[str]:
    """Write what repeats the version or the address; return the files that changed."""
    changed = stale(root)
    for name, text in changed.items():
        (root / name).write_text(text, encoding="utf-8")
    return [*changed]


def stale(root: Path) -> dict[str, str]:
    """Return the files that repeat something else, and what they have to say."""
    return {name: text for name, text in repeated(root) if not (root / name).is_file() or read(root, name) != text}


def raise_to(root: Path, version: str) -> None:
    """Raise the version everywhere, and head with it and today's date what is listed as unreleased."""
    old = version_of(root)
    if not VERSION.fullmatch(version):
        stop(f"{version!r} is no version; allowed: three numbers as in 0.2.0, or 0.2.0rc1.")
    if f"## {version} " in read(root, "CHANGELOG.md"):
        stop(f"CHANGELOG.md lists {version} as released; allowed: a later version (here it is {old}).")
    (root / SOURCE).write_text(read(root, SOURCE).replace(f'"{old}"', f'"{version}"', 1), encoding="utf-8")
    today = datetime.now(UTC).date().isoformat()
    for name in ["CHANGELOG.md", *names(root, "packages/*/CHANGELOG.md")]:
        head, _, rest = read(root, name).partition("## Unreleased\n")
        entries = rest if rest.lstrip().startswith("-") else f"\n- Released with the others; nothing changed.\n{rest}"
        (root / name).write_text(f"{head}## Unreleased\n\n## {version} ({today})\n{entries}", encoding="utf-8")
    citation = re.sub(r"^date-released: .*\n", "", read(root, "CITATION.cff"), flags=re.M)
    citation = re.sub(r"^(version: .*\n)", rf"\1date-released: {today}\n", citation, flags=re.M)
    (root / "CITATION.cff").write_text(citation, encoding="utf-8")
    synchronise(root)


def faults(root: Path, tag: str) -> Iterator[str]:
    """Say what keeps this from being published under a tag."""
    version = version_of(root)
    if tag != f"v{version}":
        yield f"the tag is {tag!r}, the version {version}; allowed: the tag v{version}."
    if f"## {version} " not in read(root, "CHANGELOG.md"):
        yield f"CHANGELOG.md has no entries for {version}; run `make release VERSION={version}`."
    if not address_of(root):
        yield f"pyproject.toml says that the repository is {PLACEHOLDER}; put its address there (see CONTRIBUTING)."
    if others := stale(root):
        yield f"not up to date: {', '.join(others)}; run `make release`."


def notes(root: Path) -> str:
    """Return the entries of the newest release."""
    return re.split(r"^## .*\n", read(root, "CHANGELOG.md"), flags=re.MULTILINE)[2].strip()


def stop(said: str) -> NoReturn:
    """End with one sentence."""
    print(f"error: {said}", file=sys.stderr)
    sys.exit(2)


def main(arguments: list[str], root: Path = ROOT) -> None:
    """Do what was asked."""
    match arguments:
        case ["--ready", tag]:
            if wrong := list(faults(root, tag)):
                stop(" ".join(wrong))
            print(f"{version_of(root)} is ready")
        case ["--notes"]:
            print(notes(root))
        case []:
            print("\n".join(synchronise(root)) or f"all say {version_of(root)}")
        case [version] if not version.startswith("-"):
            raise_to(root, version)
            print(f"all say {version}")
        case _:
            stop(f"got {' '.join(arguments)!r}; allowed: nothing, a version, --ready TAG or --notes.")


if __name__ == "__main__":
    main(sys.argv[1:])
