"""The report on a survey: notebooks run on a file of answers, and all that is to be taken away beside them."""

from __future__ import annotations

import json
import os
import shutil
import tomllib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache, partial
from html import escape
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import nbproof
from nbproof import fonts
from surveysem import LOCALE, __version__

if TYPE_CHECKING:
    from typing import Any

    from surveysem.responses import Reading
    from surveysem.study import Study

HERE = Path(__file__).parent
NOTEBOOKS, COMPOSED = ("measurement", "structure"), ("pls",)  # the latter where the estimator is PLS
LANGUAGES = ("en", "zh")
WORDS = tomllib.loads((HERE / "report.toml").read_text(encoding="utf-8"))
LIMIT = 86_400.0  # seconds a notebook may take: large files take long, and nobody waits for nothing
DPI = 300
ASKED = "NBPROOF_LANGUAGES"  # set where a notebook is run by the builder of a report
LARGE, DRAWN = 50_000, 400  # respondents: of a large file, and drawn where there is none


class Look(nbproof.Look):
    """nbproof's own look, with a font for Chinese PDFs and the kinds of evidence in the reader's language."""

    def pdf_font(self, language: str) -> tuple[str, Path | None]:
        """Return the font family of a PDF and the folder of its files."""
        if language != "zh":
            return super().pdf_font(language)
        return fonts.family(), fonts.folder()

    def pictures(self, name: str, image: bytes) -> Mapping[str, bytes]:
        """Return a drawing, and it in its own size at 300 dots an inch."""
        import typst
        from PIL import Image

        if not name.endswith(".svg"):
            return super().pictures(name, image)
        drawing = json.dumps(image.decode(), ensure_ascii=False)
        page = (
            f'#set page(width: auto, height: auto, margin: 0pt, fill: white)\n#image(bytes({drawing}), format: "svg")'
        )
        none = typst.Fonts(include_system_fonts=False)  # texts are drawn as paths
        drawn = typst.compile(page.encode(), format="png", ppi=DPI, font_paths=none)
        made = BytesIO()
        with Image.open(BytesIO(drawn)) as picture:
            picture.convert("RGB").save(made, "PNG", dpi=(DPI, DPI))
        return {name: image, f"{Path(name).stem}.png": made.getvalue()}

    def basis(self, kind: str, language: str) -> str:
        """Say a kind of evidence in a language."""
        return nbproof.catalogue("common", language)(kind)


@cache
def settings() -> nbproof.Project:
    """Return the project that the notebooks of this package are, for `nbproof.use`."""
    return nbproof.Project(
        partial(Path, HERE),  # a process that makes a report is sent it
        "surveysem",
        __version__,
        languages=LANGUAGES,
        parameterised=True,
        locales=("notebooks/locale", str(LOCALE)),
        bibliography="notebooks/references.bib",
        sources=("notebooks",),
        packages={"surveysem": HERE},
        preload=tuple(WORDS["loaded"]),
        look="surveysem.report:Look",
    )


def study_of(answers: str | Path = "", codebook: str | Path = "", *, screening: str = "drop", **options: Any) -> Study:
    """Return the study that a notebook is about: as `surveysem.read_study`, or of drawn respondents without a file.

    >>> study_of().basis
    'synthetic sample'
    """
    from surveysem import TEMPLATE, Study, Truth, draw_respondents, load_codebook, read_study, screen
    from surveysem.study import SHELF

    book = codebook or TEMPLATE
    if answers:
        shelf = Path(SHELF) if ASKED in os.environ and Path(SHELF).is_dir() else None
        return read_study(answers, book, shelf=shelf, screening=screening, **options)
    drawn = draw_respondents(Truth(load_codebook(book)), DRAWN, seed=1).responses
    settled = {name: options[name] for name in ("estimator", "draws", "seed") if name in options}
    return Study(drawn, screen(drawn, mode=screening), **settled)


def write(
    study: Study, draft: Path, inputs: Mapping[str, Path], languages: Sequence[str], reading: Reading | None = None
) -> None:
    """Fill a folder with the report on a study: pages, tables, figures, methods; but of PLS, R script and data.

    Parameters
    ----------
    study : Study
        The answers at hand, which `surveysem.check_study` let pass.
    draft : Path
        The folder.
    inputs : mapping of parameter to Path
        The files that the notebooks read: ``answers``, ``codebook``, and ``registration`` where there is one.
    languages : sequence of {"en", "zh"}
        Of the report; notebooks as they were run show the first.
    reading
        As the answers were read, see `surveysem.read_study`.

    Raises
    ------
    NotebookError
        When a notebook failed, which it said itself.
    """
    from surveysem import methods

    nbproof.use(settings)
    given = {
        "screening": study.screened.mode,
        "estimator": study.estimator,
        "draws": str(study.draws),
        "language": languages[0],
        "reading": json.dumps(reading or {}),
    }
    jobs = 1 if len(study.responses.answers) > LARGE else None  # two large files at a time would not fit in memory
    named = dict(zip(LANGUAGES, study.codebook.title, strict=True))
    titles = {language: named[language] or WORDS[language]["title"] for language in languages}
    notebooks = COMPOSED if study.estimator == "PLS" else NOTEBOOKS
    results = _run(draft, notebooks, inputs, given, titles, jobs)
    _write_answers(study, draft)
    leads = {}
    for language in languages:
        text = methods.methods_text(study, results, language)
        (draft / f"methods-{language}.txt").write_text(text, encoding="utf-8")
        leads[language] = methods.summary_text(study, results, language) or methods.respondents_text(study, language)
        (draft / f"summary-{language}.txt").write_text(leads[language] + "\n", encoding="utf-8")
    _finish(draft, leads, titles)


def _write_answers(study: Study, draft: Path) -> None:
    """Write what R needs to refit the models, and how the answers became what they are."""
    from surveysem import script, write_csv

    tables = {
        "screening": study.screened.record,
        "mapping": study.responses.mapping,
        "invalid": study.responses.invalid,
    }
    if study.estimator != "PLS":
        (draft / "model.R").write_text(script.lavaan_script(study), encoding="utf-8")
        tables["data"] = script.script_data(study)
    for name, table in tables.items():
        if len(table) or name == "screening":  # nobody flagged is a result too
            write_csv(table, draft / f"{name}.csv")


def _run(
    draft: Path,
    notebooks: Sequence[str],
    inputs: Mapping[str, Path],
    given: Mapping[str, str],
    titles: Mapping[str, str],
    jobs: int | None = None,
) -> dict[str, dict[str, Any]]:
    """Fill a folder with pages, tables and figures in the languages of the titles; return the notebooks' results.

    Notebooks see the files of ``inputs`` as links, by a name that says nothing of where the originals stand. One after
    the other (``jobs``) they need the memory of one.
    """
    from surveysem.study import SHELF

    with nbproof.held_folder(draft.parent, ".inputs-") as folder:
        links = {name: _linked(path, folder / name) for name, path in inputs.items()}
        if (draft / SHELF).is_dir():
            with suppress(OSError):  # as below: each finds everything by itself
                (folder / SHELF).symlink_to((draft / SHELF).resolve())
        built = nbproof.build(
            notebooks, out=draft, languages=[*titles], given={**links, **given}, folder=folder, limit=LIMIT, jobs=jobs
        )
    if wrong := nbproof.failure(built):  # each was said when it failed
        raise wrong
    from surveysem.article import excel, tables_of, word  # after the notebooks, which need not wait for it

    names = [Path(each).stem for each in notebooks]
    executed = {name: json.loads((draft / "notebooks" / f"{name}.ipynb").read_text("utf-8")) for name in names}
    for language, title in titles.items():
        tables = tables_of(executed, language)
        (draft / f"tables-{language}.docx").write_bytes(word(tables, title))
        (draft / f"tables-{language}.xlsx").write_bytes(excel(tables, title, WORDS[language]["sheets"]))
    found = [nbproof.collect(notebook, name) for name, notebook in executed.items()]
    return {
        kind: {name: each for results in found for name, each in results[kind].items()}
        for kind in ("numbers", "texts", "tables")
    }


def _finish(draft: Path, lead: Mapping[str, str], titles: Mapping[str, str]) -> None:
    """Write the front page of each language, which lists what stands in the folder; take away what only a build needs.

    ``lead`` is what it opens with, paragraphs parted by blank lines, and ``titles`` what it is called, by language.
    """
    from surveysem.said import filled
    from surveysem.study import SHELF

    words = {
        key: {k: WORDS[key][k] for k in ("placeholder", "hits")}
        | {"title": escape(title), "lead": "</p><p>".join(map(escape, lead[key].split("\n\n")))}
        for key, title in titles.items()
    }
    files, more = [path.name for path in draft.iterdir()], {}
    for key in titles:
        figures = [path.relative_to(draft).as_posix() for path in sorted((draft / "figures").rglob(f"*.{key}.*"))]
        more[key] = filled("files.html", language=key, words=WORDS[key], files=files, figures=figures)
    for name, page in nbproof.front_pages(draft, nbproof.read_manifest(draft), words, more).items():
        (draft / name).write_text(page, encoding="utf-8")
    for name in ("build.log", ".lock", "ro-crate-metadata.json"):
        (draft / name).unlink(missing_ok=True)
    for name in ("search", ".staging", "failed", SHELF):
        shutil.rmtree(draft / name, ignore_errors=True)
    manifest = nbproof.read_manifest(draft)
    del manifest["index"]
    for report in manifest["reports"].values():
        report["outputs"] = {name: digest for name, digest in report["outputs"].items() if (draft / name).is_file()}
    (draft / "manifest.json").write_bytes(nbproof.as_json(manifest))


def _linked(path: Path, folder: Path) -> str:
    """Let a file appear below the run's folder, without a second copy of the answers; return its name there."""
    folder.mkdir()
    try:
        (folder / path.name).symlink_to(path.resolve())
    except OSError:  # Windows lets administrators link; the copy stands beside the draft and goes with it
        shutil.copy(path, folder / path.name)
    return f"{folder.name}/{path.name}"
