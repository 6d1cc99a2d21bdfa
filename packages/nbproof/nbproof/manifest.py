"""Where a build comes from, and its description as an RO-Crate (https://w3id.org/ro/crate/1.1)."""

from __future__ import annotations

import json
import mimetypes
import os
import subprocess
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from nbproof.errors import OutputError
from nbproof.folder import CRATE, front_files
from nbproof.look import words
from nbproof.machine import ENVIRONMENT
from nbproof.project import project

TYPES = {
    "ipynb": "application/x-ipynb+json",
    "bib": "application/x-bibtex",
    "typ": "text/x-typst",
    "toml": "application/toml",
}
CONTEXT = ["https://w3id.org/ro/crate/1.1/context", {"sha256": "http://schema.org/sha256"}]  # younger than 1.1
DESCRIPTION = (
    "Pages, PDFs, figures, results and executed notebooks, each with what it was made from. "
    "manifest.json holds parameters and versions."
)
Entity = dict[str, Any]
_id = partial(quote, safe="/#")  # of a name as an id has to be written: it may hold spaces and Chinese characters


def origin() -> dict[str, Any]:
    """Return the commit the checkout stands at, whether it holds changes, and its date (UTC).

    ``SOURCE_DATE_EPOCH`` goes before the date of the commit. Where the project is not the
    top folder of a repository, commit and changes are null, and the date is the one that every notebook sees.
    """

    def git(*arguments: str) -> str | None:
        try:
            done = subprocess.run(["git", *arguments], cwd=project().root, capture_output=True, text=True, check=False)
        except OSError:
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    top = git("rev-parse", "--show-toplevel")
    # an installed one may lie in somebody's repository
    ours = top is not None and Path(top).resolve() == project().root
    changes = git("status", "--porcelain") if ours else None
    head, _, date = ((git("show", "-s", "--format=%H %ct", "HEAD") if ours else "") or "").partition(" ")
    given = (os.environ.get("SOURCE_DATE_EPOCH", ""), date, ENVIRONMENT["SOURCE_DATE_EPOCH"])
    seconds = next(each for each in given if each.isdecimal() and len(each) < 12)  # no calendar goes much further
    return {
        "commit": head or None,
        "dirty": None if changes is None else bool(changes),
        "date": datetime.fromtimestamp(int(seconds), UTC).date().isoformat(),
    }


def ro_crate(manifest: Mapping[str, Any]) -> bytes:
    """Describe a build as an RO-Crate: every output a File made by a CreateAction from its inputs.

    Inputs lie outside the crate. They are entities of its metadata alone (``#`` and the path in the project), with the
    hash that tells which file was meant.
    """
    reports = manifest.get("reports", {}).values()
    outputs = {output: digest for report in reports for output, digest in report["outputs"].items()}
    inputs = {label: digest for report in reports for label, digest in _inputs(report).items()}
    files = [_file(_id(label), label, digest) for label, digest in outputs.items()]
    files += [_file(label, label) for label in (*front_files(manifest), "manifest.json") if label != CRATE]
    authors, used = _authors(), project()
    program, licence = {"@id": f"#{used.name}"}, used.licence
    tongues = [
        words(each)["catalogue"]
        for each in used.languages or sorted({language for report in reports for language in report["languages"]})
    ]
    about = {"@type": "CreativeWork", "about": {"@id": "./"}, "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"}}
    whole = {
        "@type": "Dataset",
        "name": used.title or "Reports",
        "description": used.description or DESCRIPTION,
        "datePublished": manifest.get("date"),
        **({"license": {"@id": licence["@id"]}} if licence else {}),
        "inLanguage": tongues,
        **({"version": manifest["commit"]} if manifest.get("commit") else {}),
        **_named("author", (author["@id"] for author in authors)),
        **_named("publisher", (author["@id"] for author in authors if author["@type"] == "Organization")),
        **_named("hasPart", (file["@id"] for file in files)),
        **_named("mentions", (_id(f"#build-{name}") for name in manifest.get("reports", {}))),
    }
    actions = (
        {
            "@id": _id(f"#build-{name}"),
            "@type": "CreateAction",
            "name": f"Run and render {name}",
            "instrument": program,
            **_named("object", (_id(f"#{label}") for label in _inputs(report))),
            **_named("result", map(_id, report["outputs"])),
        }
        for name, report in manifest.get("reports", {}).items()
    )
    graph = [
        {"@id": CRATE, **about},
        {"@id": "./", **whole},
        *([{"@id": licence["@id"], "@type": "CreativeWork", **licence}] if licence else []),
        {**program, "@type": "SoftwareApplication", "name": used.name, "version": used.version},
        *authors,
        *files,
        *(_file(_id(f"#{label}"), label, digest) for label, digest in inputs.items()),
        *actions,
    ]
    return (json.dumps({"@context": CONTEXT, "@graph": graph}, ensure_ascii=False, indent=1) + "\n").encode()


def _inputs(report: Mapping[str, Any]) -> dict[str, str]:
    """The files a report was run and rendered from; its other inputs are parameters, languages and the environment."""
    labels = {**report["run_inputs"], **report["render_inputs"]}
    return {
        label: digest
        for label, digest in labels.items()
        if label not in ("environment", "languages") and not label.startswith("parameter ")
    }


def _file(anchor: str, label: str, digest: str = "") -> Entity:
    kind = TYPES.get(label.rpartition(".")[2]) or mimetypes.guess_type(label)[0] or "application/octet-stream"
    made = {"@id": anchor, "@type": "File", "name": label, "encodingFormat": kind}
    return made | ({"sha256": digest} if digest else {})


def _named(key: str, ids: Iterable[str]) -> Entity:
    """A property that names entities: one plainly, several as a list, none not at all."""
    named = [{"@id": each} for each in ids]
    return {key: named if len(named) > 1 else named[0]} if named else {}


def _authors() -> list[Entity]:
    """The authors as CITATION.cff names them: persons, or a group by one name."""
    import yaml

    path = project().path("CITATION.cff")
    try:
        listed = yaml.safe_load(path.read_text(encoding="utf-8"))["authors"] if path.is_file() else []
        return [
            {
                "@id": author.get("orcid") or f"#author-{number}",
                "@type": "Organization" if "name" in author else "Person",
                "name": author.get("name") or f"{author['given-names']} {author['family-names']}",
            }
            for number, author in enumerate(listed, 1)
        ]
    except (yaml.YAMLError, LookupError, TypeError, AttributeError, ValueError):
        raise OutputError(
            "CITATION.cff does not list its authors, each with a name, or with given-names and "
            "family-names; restore it with git."
        ) from None
