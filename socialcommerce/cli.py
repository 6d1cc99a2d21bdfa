"""The ``socialcommerce`` command: reads its arguments, then imports only the work it was asked for."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import nbproof
from socialcommerce import __version__
from socialcommerce.errors import ChecksumError, UnknownNameError
from surveysem import commands

if TYPE_CHECKING:
    from surveysem import Study

__all__ = ["main"]

SURVEY_NOTEBOOKS = ("04_measurement", "05_strategies")
LANGUAGES = ("en", "zh")
LARGE = 50_000  # respondents


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Returns
    -------
    int
        0 when all is well, 1 when a check found drift, 2 when the input is wrong, 130 when interrupted, 143 when
        terminated.
    """
    nbproof.use(_project)
    return nbproof.run_command(_parser, arguments)


def _parser() -> nbproof.CommandParser:
    parser = nbproof.CommandParser(
        prog="socialcommerce", description="One argument about social commerce, as evidence anyone can rerun."
    )
    parser.add_argument("--version", action="version", version=__version__)
    parsers = parser.add_subparsers(required=True, metavar="command", parser_class=nbproof.CommandParser)
    nbproof.add_commands(parsers, _project, LANGUAGES)
    _add_data(parsers)
    _add_survey(parsers)
    return parser


def _project() -> nbproof.Project:
    from socialcommerce.report import settings

    return settings()


def _add_data(parsers: argparse._SubParsersAction) -> None:
    data = parsers.add_parser(
        "data",
        help="list, fetch and check the registered data",
        description="List, fetch and check the registered data.",
    )
    verbs = data.add_subparsers(required=True, metavar="list|fetch|verify", parser_class=nbproof.CommandParser)
    nbproof.add_command(verbs, "list", _data_list, "list the registered tables and data sets")
    fetch = nbproof.add_command(verbs, "fetch", _data_fetch, "bring a registered public data set here and check it")
    fetch.add_argument("name", metavar="NAME", help="as `data list` shows it")
    nbproof.add_command(verbs, "verify", _data_verify, "check every file at hand against its registered checksum")


def _data_list(chosen: argparse.Namespace) -> int:
    from socialcommerce import data

    files = data.listing()
    print(nbproof.text_table([[*files[0]], *([*file.values()] for file in files)]))
    return 0


def _data_fetch(chosen: argparse.Namespace) -> int:
    from socialcommerce import data

    for path in data.fetch(chosen.name):
        print(nbproof.shown(path))
    return 0


def _data_verify(chosen: argparse.Namespace) -> int:
    from socialcommerce import data

    checks = data.verify()
    wrong = [
        f"{c.path} is {'missing' if not c.found else 'not the registered file'}: "
        f"sha256 found {c.found or 'none'}, registered {c.registered}"
        for c in checks
        if not c.whole
    ]
    if wrong:
        advice = "Restore it with git, or register a deliberate change in data/sources.toml."
        raise ChecksumError(f"{'; '.join(wrong)}. {advice}")
    print(f"{len(checks)} committed files, each the one registered")
    return 0


def _add_survey(parsers: argparse._SubParsersAction) -> None:
    survey = parsers.add_parser(
        "survey",
        help="write the questionnaire, check a file of answers, report on it",
        description="Write the questionnaire, check a file of answers, report on it.",
    )
    verbs = survey.add_subparsers(
        required=True, metavar="template|check|sample|report", parser_class=nbproof.CommandParser
    )
    commands.add_commands(verbs, "socialcommerce survey", _codebook, _truth)
    report = nbproof.add_command(
        verbs,
        "report",
        _survey_report,
        "test the codebook's paths on a file of answers: pages, tables, figures, an R script",
    )
    commands.add_codebook(report, _codebook)
    commands.add_reading(report)
    report.add_argument(
        "--out", type=nbproof.folder_option, required=True, metavar="DIR", help="a new folder, or one it made before"
    )
    report.add_argument("--language", default="en,zh", metavar="en,zh", help="languages of the report")
    report.add_argument("--estimator", default="MLR", metavar="MLR|ML|WLSMV", help="default: MLR")
    report.add_argument("--draws", type=int, default=5000, metavar="N", help="bootstrap resamples (default: 5000)")


def _codebook() -> Path:
    from socialcommerce import survey

    return survey.own_codebook()


def _truth() -> Path:
    from socialcommerce import survey

    return survey.stated_truth()


def _survey_report(chosen: argparse.Namespace) -> int:
    nbproof.check_positive(draws=chosen.draws)
    languages = list(dict.fromkeys(chosen.language.split(",")))
    for language in languages:
        if language not in LANGUAGES:
            raise UnknownNameError("language", language, LANGUAGES)
    with nbproof.whole_folder(chosen.out, "socialcommerce survey report") as draft:
        _write_survey(chosen, draft, languages)
    print(f"open {nbproof.shown(chosen.out / 'index.html')}")
    return 0


def _write_survey(chosen: argparse.Namespace, draft: Path, languages: Sequence[str]) -> None:
    from socialcommerce import survey
    from surveysem import bundle, check_study, methods

    found = survey.read_study(
        chosen.file,
        chosen.codebook or "",
        screening=chosen.screening,
        estimator=chosen.estimator,
        draws=chosen.draws,
        **commands.reading(chosen),
    )
    check_study(found)
    _write_answers(found, draft)
    commands.say_who_is_left(found.responses, found.screened)
    inputs = {"answers": chosen.file} | ({"codebook": chosen.codebook} if chosen.codebook else {})
    given = {
        "screening": chosen.screening,
        "estimator": chosen.estimator,
        "draws": str(chosen.draws),
        "language": languages[0],
        "reading": json.dumps(commands.reading(chosen)),
    }
    jobs = 1 if len(found.responses.answers) > LARGE else None  # two large files at a time would not fit in memory
    results = bundle.run(draft, SURVEY_NOTEBOOKS, inputs, given, languages, jobs)
    fits, invariance = methods.told_by(results)
    for language in languages:
        text = methods.methods_text(found, language, fits, invariance.get(language, ""))
        (draft / f"methods-{language}.txt").write_text(text, encoding="utf-8")
    bundle.finish(draft, languages, {language: methods.respondents_text(found, language) for language in languages})


def _write_answers(found: Study, draft: Path) -> None:
    """Write what R needs to refit the models, and how the answers became what they are."""
    from surveysem import script, write_csv

    (draft / "model.R").write_text(script.lavaan_script(found), encoding="utf-8")
    tables = {
        "data": script.script_data(found),
        "screening": found.screened.record,
        "mapping": found.responses.mapping,
        "invalid": found.responses.invalid,
    }
    for name, table in tables.items():
        if len(table) or name == "screening":  # nobody flagged is a result too
            write_csv(table, draft / f"{name}.csv")


if __name__ == "__main__":
    sys.exit(main())
