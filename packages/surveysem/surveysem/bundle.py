"""A report on somebody's own data, to be taken away: pages, tables for an article, figures, and what came along."""

from __future__ import annotations

import json
import shutil
import tomllib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from html import escape
from pathlib import Path
from typing import Any

from nbproof import as_json, build, collect, failure, front_pages, held_folder, read_manifest
from surveysem.said import filled
from surveysem.study import SHELF

LIMIT = 86_400.0  # seconds a notebook may take: large files take long, and nobody waits for nothing
WORDS = tomllib.loads(Path(__file__).with_name("bundle.toml").read_text(encoding="utf-8"))


def run(
    draft: Path,
    notebooks: Sequence[str],
    inputs: Mapping[str, Path],
    given: Mapping[str, str],
    languages: Sequence[str],
    jobs: int | None = None,
    titles: Mapping[str, str] | None = None,
) -> dict[str, dict[str, Any]]:
    """Fill a folder with pages, tables and figures.

    Parameters
    ----------
    draft : Path
        The folder.
    notebooks : sequence of str
        By name or path, in the order of the report.
    inputs : mapping of parameter to Path
        Files that the notebooks read. They see links, by a name that says nothing of where the originals stand.
    given : mapping of parameter to text
        The other parameters.
    languages : sequence of {"en", "zh"}
        Of pages and tables.
    jobs : int, optional
        Notebooks at a time; by default one a processor. One after the other they need the memory of one.
    titles : mapping of language to str, optional
        Of the Word and Excel files, where it is not empty.

    Returns
    -------
    dict
        The results of all notebooks, by name: numbers, texts and tables.

    Raises
    ------
    NotebookError
        When a notebook failed, which it said itself.
    """
    with held_folder(draft.parent, ".inputs-") as folder:
        links = {name: _linked(path, folder / name) for name, path in inputs.items()}
        if (draft / SHELF).is_dir():
            with suppress(OSError):  # as below: each finds everything by itself
                (folder / SHELF).symlink_to((draft / SHELF).resolve())
        built = build(
            notebooks, out=draft, languages=languages, given={**links, **given}, folder=folder, limit=LIMIT, jobs=jobs
        )
    if wrong := failure(built):  # each was said when it failed
        raise wrong
    executed = {
        name: json.loads((draft / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8"))
        for name in (Path(each).stem for each in notebooks)
    }
    for language in languages:
        _write_tables(draft, executed, language, _title(language, titles))
    found = [collect(notebook, name) for name, notebook in executed.items()]
    return {
        kind: {name: each for results in found for name, each in results[kind].items()}
        for kind in ("numbers", "texts", "tables")
    }


def finish(
    draft: Path, languages: Sequence[str], lead: Mapping[str, str], titles: Mapping[str, str] | None = None
) -> None:
    """Write the front page of each language, which lists what stands in the folder, and take away the rest.

    ``lead`` is what it opens with, paragraphs parted by blank lines, and ``titles`` what it is called, by language.
    """
    words = {
        key: {k: WORDS[key][k] for k in ("placeholder", "hits")}
        | {"title": escape(_title(key, titles)), "lead": "</p><p>".join(map(escape, lead[key].split("\n\n")))}
        for key in languages
    }
    more = {key: _files(draft, key) for key in languages}
    for name, page in front_pages(draft, read_manifest(draft), words, more).items():
        (draft / name).write_text(page, encoding="utf-8")
    _tidy(draft)


def _title(language: str, titles: Mapping[str, str] | None) -> str:
    return (titles or {}).get(language, "") or WORDS[language]["title"]


def _tidy(draft: Path) -> None:
    """Take away what only a build needs; the manifest names what is left."""
    for name in ("build.log", ".lock", "ro-crate-metadata.json"):
        (draft / name).unlink(missing_ok=True)
    for name in ("search", ".staging", "failed", SHELF):
        shutil.rmtree(draft / name, ignore_errors=True)
    manifest = read_manifest(draft)
    del manifest["index"]
    for report in manifest["reports"].values():
        report["outputs"] = {name: digest for name, digest in report["outputs"].items() if (draft / name).is_file()}
    (draft / "manifest.json").write_bytes(as_json(manifest))


def _linked(path: Path, folder: Path) -> str:
    """Let a file appear below the run's folder, without a second copy of the answers; return its name there."""
    folder.mkdir()
    try:
        (folder / path.name).symlink_to(path.resolve())
    except OSError:  # Windows lets administrators link; the copy stands beside the draft and goes with it
        shutil.copy(path, folder / path.name)
    return f"{folder.name}/{path.name}"


def _write_tables(draft: Path, executed: Mapping[str, Mapping[str, Any]], language: str, title: str) -> None:
    from surveysem.article import excel, tables_of, word

    tables, words = tables_of(executed, language), WORDS[language]
    (draft / f"tables-{language}.docx").write_bytes(word(tables, title))
    (draft / f"tables-{language}.xlsx").write_bytes(excel(tables, title, words["sheets"]))


def _files(draft: Path, language: str) -> str:
    files = [path.name for path in draft.iterdir()]
    figures = [path.relative_to(draft).as_posix() for path in sorted((draft / "figures").rglob(f"*.{language}.*"))]
    return filled("files.html", language=language, words=WORDS[language], files=files, figures=figures)
