"""The reports as an RO-Crate: valid by its validator, every reference resolved, every date a fixed one."""

from __future__ import annotations

import hashlib
import json
import subprocess
from types import SimpleNamespace

import pytest
from small_project import ZH

from nbproof.errors import OutputError
from nbproof.manifest import origin, ro_crate

CONTEXT = "https://w3id.org/ro/crate/1.1/context"
# What version 1.1 of that context says of the terms we use: the validator refuses any other, and there is no network.
SCHEMA = (
    "CreateAction",
    "CreativeWork",
    "Dataset",
    "Organization",
    "Person",
    "SoftwareApplication",
    "about",
    "author",
    "datePublished",
    "description",
    "encodingFormat",
    "hasPart",
    "inLanguage",
    "instrument",
    "license",
    "mentions",
    "name",
    "object",
    "publisher",
    "result",
    "version",
)
TERMS = {
    **{term: f"http://schema.org/{term}" for term in SCHEMA},
    "File": "http://schema.org/MediaObject",
    "conformsTo": "http://purl.org/dc/terms/conformsTo",
}


@pytest.mark.slow  # rdflib and pyshacl: a second to import, some more to reason
def test_the_crate_of_the_reports_is_valid(built_checkout, tmp_path, monkeypatch):
    from rocrate_validator import services
    from rocrate_validator.utils.http import HttpRequester

    def get(requester, url, **_):
        assert url == CONTEXT
        return SimpleNamespace(
            status_code=200, headers={"Content-Type": "application/ld+json"}, json=lambda: {"@context": TERMS}
        )

    monkeypatch.setattr(HttpRequester, "get", get, raising=False)
    found = services.validate(
        services.ValidationSettings(
            rocrate_uri=str(built_checkout.reports),
            profile_identifier="ro-crate-1.1",
            requirement_severity="RECOMMENDED",
            offline=True,
            cache_path=tmp_path / "cache",
        )
    )
    # the authors have no address of their own to give
    assert [issue.message for issue in found.get_issues()] == ["The organization SHOULD have a URL."]


@pytest.mark.slow  # shares the built checkout
def test_every_reference_in_the_crate_resolves(built_checkout):
    reports = built_checkout.reports
    crate = json.loads((reports / "ro-crate-metadata.json").read_text(encoding="utf-8"))
    entities = {entity["@id"]: entity for entity in crate["@graph"]}
    assert len(entities) == len(crate["@graph"])
    named = [
        each["@id"]
        for entity in entities.values()
        for value in entity.values()
        for each in (value if isinstance(value, list) else [value])
        if isinstance(each, dict)
    ]
    assert {*named} <= {*entities, "https://w3id.org/ro/crate/1.1"}
    whole = {path.relative_to(reports).as_posix() for path in reports.rglob("*") if path.is_file()}
    left_out = {"ro-crate-metadata.json", "build.log", *(name for name in whole if name.startswith(".lock"))}
    assert {part["@id"] for part in entities["./"]["hasPart"]} == whole - left_out
    hashed = {name: entity["sha256"] for name, entity in entities.items() if "sha256" in entity}
    assert {
        "#notebooks/alpha.ipynb",
        "#data/alpha.csv",
        "#book/series.py",
        "#paper/references.bib",
        "en/alpha.html",
    } <= {*hashed}
    for name, digest in hashed.items():
        path = built_checkout.root / name[1:] if name.startswith("#") else reports / name
        assert hashlib.sha256(path.read_bytes()).hexdigest() == digest, name


def test_ids_are_written_as_addresses_and_given_files_are_inputs():
    name = ZH["report"]
    report = {
        "outputs": {f"en/{name}.html": "1"},
        "render_inputs": {"languages": "2"},
        "run_inputs": {f"{name}.ipynb": "3", "parameter n": "4", "environment": "5", "file given as series": "6"},
    }
    graph = json.loads(ro_crate({"reports": {name: report}, "date": "2024-05-01"}))["@graph"]
    ids = {entity["@id"]: entity for entity in graph}
    assert all(name.isascii() and " " not in name for name in ids)
    action = ids["#build-%E6%88%91%E7%9A%84%20%E6%8A%A5%E5%91%8A"]
    assert [ids[each["@id"]]["name"] for each in action["object"]] == [f"{name}.ipynb", "file given as series"]
    assert ids[action["result"]["@id"]]["name"] == f"en/{name}.html"
    assert ids["./"]["datePublished"] == "2024-05-01"


def test_the_date_is_that_of_the_commit_or_the_one_asked_for(tmp_path, monkeypatch, settings):
    def git(*arguments: str) -> None:
        subprocess.run(
            ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b.c", *arguments],
            check=True,
            capture_output=True,
        )

    settings(tmp_path)
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert origin() == {"commit": None, "dirty": None, "date": "1980-01-01"}
    git("init", "--quiet")
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2024-02-29T23:30:00-0500")
    git("commit", "--quiet", "--allow-empty", "--message", "first")
    assert (origin()["date"], origin()["dirty"], len(origin()["commit"])) == ("2024-03-01", False, 40)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    assert origin()["date"] == "2023-11-14"


def test_authors_are_those_who_are_to_be_cited(tmp_path, settings):
    settings(tmp_path)
    (tmp_path / "CITATION.cff").write_text(
        "authors:\n- {given-names: Ada, family-names: L, orcid: 'https://o.org/1'}\n- name: A group\n"
    )
    graph = {entity["@id"]: entity for entity in json.loads(ro_crate({}))["@graph"]}
    assert graph["./"]["author"] == [{"@id": "https://o.org/1"}, {"@id": "#author-2"}]
    assert graph["./"]["publisher"] == {"@id": "#author-2"}
    assert graph["https://o.org/1"] == {"@id": "https://o.org/1", "@type": "Person", "name": "Ada L"}
    (tmp_path / "CITATION.cff").write_text("authors:\n- {family-names: L}\n")
    with pytest.raises(OutputError, match="CITATION.cff does not list its authors"):
        ro_crate({})
