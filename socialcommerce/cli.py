"""The ``socialcommerce`` command: reads its arguments, then imports only the work it was asked for."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from socialcommerce import __version__, console
from socialcommerce.errors import ChecksumError, ParameterError, UnknownNameError

if TYPE_CHECKING:
    from socialcommerce.strategies.study import Study
    from socialcommerce.survey import Responses, Screened

__all__ = ["main"]

SURVEY_NOTEBOOKS = ("04_measurement", "05_strategies")
LARGE = 50_000  # respondents


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Returns
    -------
    int
        0 when all is well, 1 when a check found drift, 2 when the input is wrong, 130 when interrupted, 143 when
        terminated.
    """
    try:
        console.prepare()
        try:
            chosen = _parser().parse_args(arguments)
            with console.interruptible():
                return chosen.work(chosen)
        finally:
            sys.stdout.flush()  # here, where what it raises can be said
    except Exception as wrong:
        if reason := console.reason(wrong):
            return console.say(f"error: {reason}", 2)
        raise  # a fault of ours shows its traceback
    except KeyboardInterrupt as wrong:
        return console.say(*console.said(wrong))


class _Parser(argparse.ArgumentParser):
    """An argument parser that says what is wrong in one sentence."""

    def error(self, message: str) -> NoReturn:
        raise ParameterError(f"{message}; see {self.prog} --help.")

    def _print_message(self, message: str, file: object = None) -> None:
        print(message, end="", file=file)  # argparse would pass over what the stream refuses

    def _check_value(self, action: argparse.Action, value: object) -> None:
        if action.choices is not None and value not in action.choices:
            kind = action.dest if action.option_strings else "command"
            raise UnknownNameError(kind, str(value), action.choices)


def _parser() -> _Parser:
    parser = _Parser(prog="socialcommerce",
                     description="One argument about social commerce, as evidence anyone can rerun.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="command", parser_class=_Parser)
    _add_build(commands)
    _add_verify(commands)
    _add_data(commands)
    _add_survey(commands)
    return parser


def _add_command(commands: argparse._SubParsersAction, name: str, work: Callable[[argparse.Namespace], int],
                 help: str) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=help, description=help[0].upper() + help[1:] + ".")
    command.set_defaults(work=work)
    return command


def _add_build(commands: argparse._SubParsersAction) -> None:
    build = _add_command(commands, "build", _build, "make the reports that are not up to date, and say why")
    build.add_argument("notebooks", nargs="*", metavar="NOTEBOOK", help="by name or path; all when none is given")
    build.add_argument("--profile", default="full",
                       help="parameters from notebooks/profiles.toml: full (default) or quick")
    build.add_argument("--language", default="en,zh", metavar="en,zh", help="languages of the reports")
    build.add_argument("-p", "--parameter", nargs=2, action="append", default=[], metavar=("NAME", "VALUE"),
                       help="set a parameter of the notebooks named; needs --out")
    build.add_argument("--jobs", type=int, metavar="N", help="reports made at a time (default: one a processor)")
    build.add_argument("--force", action="store_true", help="make everything again")
    build.add_argument("--out", type=_folder, metavar="DIR",
                       help="output folder (default: reports, reports/quick for the quick profile)")
    build.add_argument("--engine", choices=("warm", "kernel"), default="warm",
                       help="forks of a warm process (default), or real Jupyter kernels")
    build.add_argument("--limit", type=float, default=900, metavar="SECONDS",
                       help="time limit a notebook (default: 900)")
    build.add_argument("--no-render", action="store_true",
                       help="run the notebooks and write their results, but no pages; needs --out")
    build.add_argument("--plan", action="store_true", help="only say what would be made and why")


def _folder(given: str) -> Path:
    if not given.strip():  # Path takes it for the current folder
        raise argparse.ArgumentTypeError("no folder is named; allowed: a new or an empty one")
    return Path(given)


def _build(chosen: argparse.Namespace) -> int:
    from socialcommerce.report import build

    given = dict(chosen.parameter)
    if given and not (chosen.out and chosen.notebooks):
        raise ParameterError("-p changes what a report says; name the notebook and give a folder of its own with "
                             "--out DIR, so that the project's reports stay as they are.")
    if chosen.no_render and not chosen.out:
        raise ParameterError("--no-render makes no pages; give a folder of its own with --out DIR, so that the reports "
                             "stay as they are.")
    for name in given:
        if (times := sum(name == other for other, _ in chosen.parameter)) > 1:
            raise ParameterError(f"parameter {name} is given {times} times; give it once.")
    console.check_positive(jobs=chosen.jobs, limit=chosen.limit)
    languages = [] if chosen.no_render else chosen.language.split(",")
    options = {"out": chosen.out, "profile": chosen.profile, "languages": languages, "given": given,
               "force": chosen.force}
    if chosen.plan:
        build.explain(build.planned(chosen.notebooks, **options))
        return 0
    built = build.build(chosen.notebooks, **options, jobs=chosen.jobs, engine=chosen.engine, limit=chosen.limit)
    if built.failed:  # each was said when it failed
        if len(built.failed) + len(built.made) + len(built.kept) > 1:
            raise build.failure(built)
        return 2
    opened = built.out / ("notebooks" if chosen.no_render else "index.html")
    print(f"{len(built.made)} made, {len(built.kept)} up to date; open {_shown(opened)}")
    return 0


def _add_verify(commands: argparse._SubParsersAction) -> None:
    verify = _add_command(commands, "verify", _verify,
                          "recompute every report and compare it with the committed results and the built files")
    verify.add_argument("notebooks", nargs="*", metavar="NOTEBOOK", help="by name; all when none is given")
    verify.add_argument("--jobs", type=int, metavar="N", help="reports made at a time (default: one a processor)")


def _verify(chosen: argparse.Namespace) -> int:
    from socialcommerce.report import verify

    console.check_positive(jobs=chosen.jobs)
    found = verify.verify(chosen.notebooks, jobs=chosen.jobs)
    if found.drifts:
        print(verify.as_table(found.drifts))
    print("\n".join(found.notes), end="\n" if found.notes else "")
    what = f"{found.checked} results" + (f" and {found.files} built files" if found.files else "")
    print(f"{what} recomputed, {len(found.drifts) or 'none'} drifted")
    return 1 if found.drifts else 0


def _add_data(commands: argparse._SubParsersAction) -> None:
    data = commands.add_parser("data", help="list, fetch and check the registered data",
                               description="List, fetch and check the registered data.")
    verbs = data.add_subparsers(required=True, metavar="list|fetch|verify", parser_class=_Parser)
    _add_command(verbs, "list", _data_list, "list the registered tables and data sets")
    fetch = _add_command(verbs, "fetch", _data_fetch, "bring a registered public data set here and check it")
    fetch.add_argument("name", metavar="NAME", help="as `data list` shows it")
    _add_command(verbs, "verify", _data_verify, "check every file at hand against its registered checksum")


def _data_list(chosen: argparse.Namespace) -> int:
    from socialcommerce import data

    rows = [tuple(row.values()) for row in data.listing()]
    rows.insert(0, tuple(data.listing()[0]))
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    return 0


def _data_fetch(chosen: argparse.Namespace) -> int:
    from socialcommerce import data

    for path in data.fetch(chosen.name):
        print(_shown(path))
    return 0


def _data_verify(chosen: argparse.Namespace) -> int:
    from socialcommerce import data

    checks = data.verify()
    wrong = [f"{c.path} is {'missing' if not c.found else 'not the registered file'}: "
             f"sha256 found {c.found or 'none'}, registered {c.registered}"
             for c in checks if not c.whole]
    if wrong:
        advice = "Restore it with git, or register a deliberate change in data/sources.toml."
        raise ChecksumError(f"{'; '.join(wrong)}. {advice}")
    print(f"{len(checks)} committed files, each the one registered")
    return 0


def _add_survey(commands: argparse._SubParsersAction) -> None:
    survey = commands.add_parser("survey", help="write the questionnaire, check a file of answers, report on it",
                                 description="Write the questionnaire, check a file of answers, report on it.")
    verbs = survey.add_subparsers(required=True, metavar="template|check|report", parser_class=_Parser)
    template = _add_command(verbs, "template", _survey_template,
                            "write codebook and questionnaire (docx, html, csv of items) to start from")
    check = _add_command(verbs, "check", _survey_check, "read a file of answers, list its mapping and screen it")
    report = _add_command(verbs, "report", _survey_report,
                          "test the codebook's paths on a file of answers: pages, tables, figures and an R script")
    for command in (template, check, report):
        command.add_argument("--codebook", type=Path, metavar="C", help="default: the project's own")
    template.add_argument("--out", type=_folder, default=Path("survey"), metavar="DIR", help="default: survey")
    check.add_argument("--out", type=_folder, metavar="DIR",
                       help="write mapping.csv, screening.csv and invalid.csv there")
    report.add_argument("--out", type=_folder, required=True, metavar="DIR", help="a new folder, or one it made before")
    for command in (check, report):
        _add_reading(command)
    report.add_argument("--language", default="en,zh", metavar="en,zh", help="languages of the report")
    report.add_argument("--estimator", default="MLR", metavar="MLR|ML|WLSMV", help="default: MLR")
    report.add_argument("--draws", type=int, default=5000, metavar="N", help="bootstrap resamples (default: 5000)")


def _add_reading(command: argparse.ArgumentParser) -> None:
    command.add_argument("file", type=Path, metavar="FILE", help="csv, xlsx or sav")
    command.add_argument("--screening", default="drop", choices=("drop", "report-only"), help="default: drop")
    command.add_argument("--sheet", metavar="NAME", help="of an Excel file with several")
    command.add_argument("--encoding", metavar="utf-8|gb18030", help="of a csv file (default: found)")
    command.add_argument("--delimiter", default=",", metavar="CHARACTER", help="of a csv file (default: comma)")
    command.add_argument("--unknown", default="error", metavar="error|leave", help="columns outside the codebook")
    command.add_argument("--invalid", default="error", metavar="error|record", help="answers that are no code")


def _reading(chosen: argparse.Namespace) -> dict[str, str | None]:
    """How the file is to be read, as `survey.read_responses` takes it."""
    return {"sheet": chosen.sheet, "encoding": chosen.encoding, "delimiter": chosen.delimiter.replace("\\t", "\t"),
            "unknown": chosen.unknown, "invalid": chosen.invalid}


def _survey_template(chosen: argparse.Namespace) -> int:
    from socialcommerce import survey
    from socialcommerce.report.folder import whole_folder

    book = survey.load_codebook(chosen.codebook)
    source = (chosen.codebook or survey.own_codebook()).read_bytes()
    with whole_folder(chosen.out, "socialcommerce survey template") as draft:
        (draft / "codebook.toml").write_bytes(source)
        made = [draft / "codebook.toml", survey.write_items(book, draft / "items.csv")]
        for language in ("en", "zh"):
            made += [survey.write_docx(book, draft / f"questionnaire-{language}.docx", language),
                     survey.write_html(book, draft / f"questionnaire-{language}.html", language)]
    print("\n".join(_shown(chosen.out / path.name) for path in made))
    return 0


def _survey_check(chosen: argparse.Namespace) -> int:
    from socialcommerce import survey
    from socialcommerce.report.folder import check_replaceable, whole_folder
    from socialcommerce.survey.export import write_csv

    maker = "socialcommerce survey check"
    if chosen.out:
        check_replaceable(chosen.out, maker)
    read = survey.read_responses(chosen.file, survey.load_codebook(chosen.codebook), **_reading(chosen))
    screened = survey.screen(read, mode=chosen.screening)
    if chosen.out:
        tables = {"mapping": read.mapping, "screening": screened.record, "invalid": read.invalid}
        with whole_folder(chosen.out, maker) as draft:
            for name, table in tables.items():
                write_csv(table, draft / f"{name}.csv")
        print("\n".join(_shown(chosen.out / f"{name}.csv") for name in tables))
    else:
        print(read.mapping.to_string(index=False))
        print(screened.record.to_string(index=False) if len(screened.record) else "no row is flagged")
    print(screened.summary().to_string(index=False))
    _say_who_is_left(read, screened)
    return 0


def _say_who_is_left(read: Responses, screened: Screened) -> None:
    for note in (*read.notes, *screened.notes):
        print(note)
    print(f"{read.file} ({read.encoding}, {read.basis}): {len(read.answers)} respondents, "
          f"{len(screened.flagged)} flagged, {len(screened.answers)} kept")


def _survey_report(chosen: argparse.Namespace) -> int:
    from socialcommerce.report.folder import whole_folder

    console.check_positive(draws=chosen.draws)
    languages = list(dict.fromkeys(chosen.language.split(",")))
    for language in languages:
        if language not in ("en", "zh"):
            raise UnknownNameError("language", language, ("en", "zh"))
    with whole_folder(chosen.out, "socialcommerce survey report") as draft:
        _write_survey(chosen, draft, languages)
    print(f"open {_shown(chosen.out / 'index.html')}")
    return 0


def _write_survey(chosen: argparse.Namespace, draft: Path, languages: Sequence[str]) -> None:
    from socialcommerce.strategies import methods, study

    found = study.read_study(chosen.file, chosen.codebook or "", screening=chosen.screening,
                             estimator=chosen.estimator, draws=chosen.draws, **_reading(chosen))
    study.check_study(found)
    _write_answers(found, draft)
    _say_who_is_left(found.responses, found.screened)
    from socialcommerce.report import bundle

    inputs = {"answers": chosen.file} | ({"codebook": chosen.codebook} if chosen.codebook else {})
    given = {"screening": chosen.screening, "estimator": chosen.estimator, "draws": str(chosen.draws),
             "language": "both" if len(languages) > 1 else languages[0], "reading": json.dumps(_reading(chosen))}
    jobs = 1 if len(found.responses.answers) > LARGE else None  # two large files at a time would not fit in memory
    results = bundle.run(draft, SURVEY_NOTEBOOKS, inputs, given, languages, jobs)
    fits, invariance = methods.told_by(results)
    for language in languages:
        text = methods.methods_text(found, language, fits, invariance.get(language, ""))
        (draft / f"methods-{language}.txt").write_text(text, encoding="utf-8")
    bundle.finish(draft, languages, {language: methods.respondents_text(found, language) for language in languages})


def _write_answers(found: Study, draft: Path) -> None:
    """Write what R needs to refit the models, and how the answers became what they are."""
    from socialcommerce.strategies import methods
    from socialcommerce.survey.export import write_csv

    (draft / "model.R").write_text(methods.lavaan_script(found), encoding="utf-8")
    tables = {"data": methods.script_data(found), "screening": found.screened.record,
              "mapping": found.responses.mapping, "invalid": found.responses.invalid}
    for name, table in tables.items():
        if len(table) or name == "screening":  # nobody flagged is a result too
            write_csv(table, draft / f"{name}.csv")


def _shown(path: Path) -> str:
    """A path as short as it can be said from here."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


if __name__ == "__main__":
    sys.exit(main())
