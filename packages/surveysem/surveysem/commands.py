"""The commands on a survey: template, draft, app, check, sample, report; a project may have its own codebook."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import nbproof
from surveysem.errors import UnknownNameError

if TYPE_CHECKING:
    from surveysem.responses import Reading, Responses
    from surveysem.screening import Screened

Place = Callable[[], Path]
RESPONDENTS, SEED = 500, 1  # of a sample whose truth is not stated
MODES, ANALYSIS = ("drop", "report-only"), ("screening", "estimator", "draws")


def add_commands(
    verbs: argparse._SubParsersAction, maker: str, codebook: Place | None = None, truth: Place | None = None
) -> None:
    """Add ``template``, ``draft``, ``app``, ``check``, ``sample``, ``preregister`` and ``report`` to a parser.

    Parameters
    ----------
    maker : str
        What the commands are called before their own name, ``"surveysem"``; the folders they make say so.
    codebook, truth : callable, optional
        Return the files taken where none is given. Without them a codebook must be given, but for a template.
    """
    add = partial(nbproof.add_command, verbs)
    template = add(
        "template",
        partial(_template, maker, codebook),
        "write codebook and questionnaire (docx, html, csv of items) to start from",
    )
    template.add_argument("--codebook", type=Path, metavar="C", help="default: a small one to change, or the project's")
    _add_out(template, "", "survey")
    draft = add(
        "draft",
        partial(_draft, maker),
        "guess a codebook from a file of answers, each guess with its reason, to correct",
    )
    _add_file(draft)
    draft.add_argument("--out", type=Path, required=True, metavar="C", help="a new toml file")
    app = add(
        "app", _app, "open a page in the browser on which a model is drawn on a file of answers, and its report made"
    )
    app.add_argument("file", nargs="?", type=Path, metavar="FILE", help="csv, xlsx or sav; or opened on the page")
    app.add_argument("--codebook", type=Path, metavar="C", help="toml, to go on with; or opened on the page")
    app.add_argument("--port", type=int, default=0, metavar="N", help="of 127.0.0.1 (default: one that is free)")
    app.add_argument("--no-browser", action="store_true", help="print the address of the page and open nothing")
    check = add("check", partial(_check, maker, codebook), "read a file of answers, list its mapping and screen it")
    add_codebook(check, codebook)
    add_reading(check)
    _add_out(check, "write mapping.csv, screening.csv and invalid.csv there", None)
    sample = add(
        "sample",
        partial(_sample, maker, codebook or _example, truth or _truth),
        "draw respondents from a stated truth, with their codebook: an example to try, or to plan a survey",
    )
    add_codebook(sample, codebook or _example)
    what = "toml; default: that of the default codebook, else .25 in the direction of every path"
    sample.add_argument("--truth", type=Path, metavar="T", help=what)
    sample.add_argument("--respondents", type=int, metavar="N", help=f"default: as stated, or {RESPONDENTS}")
    sample.add_argument("--seed", type=int, metavar="N", help=f"default: as stated, or {SEED}")
    _add_out(sample, "for sample.csv, codebook.toml, planted.csv (defects) and truth.json", "example")
    _add_preregister(verbs, maker, codebook)
    _add_report(verbs, maker, codebook)


def _add_out(command: argparse.ArgumentParser, what: str, default: str | None = "") -> None:
    """Add the folder that a command writes, which must be given where its default is an empty text."""
    told = {"default": Path(default), "help": f"{what} (default: {default})".strip()} if default else {"help": what}
    command.add_argument("--out", type=nbproof.folder_option, required=default == "", metavar="DIR", **told)


def _add_preregister(verbs: argparse._SubParsersAction, maker: str, default: Place | None) -> None:
    help = "write what is planned before the answers: hypotheses, rules, sample size by power, analysis, under one hash"
    command = nbproof.add_command(verbs, "preregister", partial(_preregister, maker, default), help)
    add_codebook(command, default)
    _add_out(command, "for registration.json, docx and html")
    command.add_argument("--respondents", type=int, metavar="N", help="planned (default: as many as power asks for)")
    for name, standard, what in (
        ("effect", 0.2, "standardised size every path is expected to have"),
        ("power", 0.8, "to find each path of that size supported"),
        ("loading", 0.7, "standardised, of every item"),
        ("correlation", 0.3, "between constructs that depend on no other"),
    ):
        command.add_argument(
            f"--{name}", type=float, default=standard, metavar="X", help=f"{what} (default: {standard})"
        )
    command.add_argument("--screening", default="drop", choices=MODES, help="default: drop")
    _add_analysis(command)


def _preregister(maker: str, default: Place | None, chosen: argparse.Namespace) -> int:
    from surveysem.codebook import load_codebook
    from surveysem.preregistration import register

    nbproof.check_positive(draws=chosen.draws, respondents=1 if chosen.respondents is None else chosen.respondents)
    place = _chosen(chosen.codebook, default)
    book = load_codebook(place)
    settled = {name: getattr(chosen, name) for name in ("effect", "loading", "correlation", *ANALYSIS)}
    planned = register(book, chosen.respondents, wanted=chosen.power, **settled)
    with nbproof.whole_folder(chosen.out, f"{maker} preregister") as draft:
        made = planned.write(draft, book)
        made.append(nbproof.write_whole(draft / f"codebook{place.suffix}", place.read_bytes()))
    print("\n".join(nbproof.shown(chosen.out / path.name) for path in made))
    needed, respondents = planned.sample["needed"], planned.sample["respondents"]
    print(f"{needed:,} respondents are needed, {respondents:,} planned; SHA-256 {planned.digest}")
    return 0


def _add_analysis(command: argparse.ArgumentParser) -> None:
    command.add_argument("--estimator", default="MLR", metavar="MLR|ML|WLSMV|PLS", help="default: MLR")
    command.add_argument("--draws", type=int, default=5000, metavar="N", help="bootstrap resamples (default: 5000)")


def _add_report(verbs: argparse._SubParsersAction, maker: str, default: Place | None) -> None:
    help = "test the codebook's paths on a file of answers: pages, tables, figures, an R script"
    report = nbproof.add_command(verbs, "report", partial(_report, maker, default), help)
    add_codebook(report, default)
    add_reading(report)
    _add_out(report, "a new folder, or one it made before")
    report.add_argument("--language", default="en,zh", metavar="en,zh", help="languages of the report")
    _add_analysis(report)
    report.add_argument("--registration", type=Path, metavar="R", help="registration.json: was it followed?")


def _report(maker: str, default: Place | None, chosen: argparse.Namespace) -> int:
    from surveysem import check_study, preregistration, read_study, report

    nbproof.check_positive(draws=chosen.draws)
    languages = list(dict.fromkeys(chosen.language.split(",")))
    for language in languages:
        if language not in report.LANGUAGES:
            raise UnknownNameError("language", language, report.LANGUAGES)
    settled = {name: getattr(chosen, name) for name in ANALYSIS}
    inputs = {"answers": chosen.file, "codebook": _chosen(chosen.codebook, default)}
    with nbproof.whole_folder(chosen.out, f"{maker} report") as draft:
        study = read_study(*inputs.values(), **settled, **reading(chosen))
        check_study(study)
        say_who_is_left(study.responses, study.screened)
        if chosen.registration:
            followed = preregistration.compare(chosen.registration, inputs["codebook"], study)
            print(
                f"registration {followed.attrs['digest']}: {(~followed['same']).sum()} of {len(followed)} items differ"
            )
            inputs["registration"] = chosen.registration
        report.write(study, draft, inputs, languages, screening=chosen.screening, reading=reading(chosen))
    print(f"open {nbproof.shown(chosen.out / 'index.html')}")
    return 0


def add_codebook(command: argparse.ArgumentParser, default: Place | None) -> None:
    """Add the option that names a codebook, or a model in its place."""
    either = command.add_mutually_exclusive_group(required=default is None)
    own = "a small example" if default is _example else "the project's own"
    what = "toml" if default is None else f"default: {own}"
    either.add_argument("--codebook", type=Path, metavar="C", help=what)
    either.add_argument(
        "--model", type=_model, dest="codebook", metavar="M", help="a model in lavaan's language (.txt) in its place"
    )


def add_reading(command: argparse.ArgumentParser) -> None:
    """Add a file of answers, and how it is read and screened."""
    _add_file(command)
    command.add_argument("--screening", default="drop", choices=MODES, help="default: drop")
    command.add_argument("--unknown", default="error", metavar="error|leave", help="columns outside the codebook")
    command.add_argument("--invalid", default="error", metavar="error|record", help="answers that are no code")


def reading(chosen: argparse.Namespace) -> Reading:
    """Return how the file is to be read, as `surveysem.read_responses` takes it."""
    return {**_opening(chosen), "unknown": chosen.unknown, "invalid": chosen.invalid}


def _opening(chosen: argparse.Namespace) -> Reading:
    delimiter = chosen.delimiter and chosen.delimiter.replace("\\t", "\t")
    return {"sheet": chosen.sheet, "encoding": chosen.encoding, "delimiter": delimiter}


def say_who_is_left(read: Responses, screened: Screened) -> None:
    """Print what was noticed, and how many respondents were read, flagged and kept."""
    for note in (*read.notes, *screened.notes):
        print(note)
    print(
        f"{read.file} ({read.encoding}, {read.basis}): {len(read.answers)} respondents, "
        f"{len(screened.flagged)} flagged, {len(screened.answers)} kept"
    )


def _template(maker: str, default: Place | None, chosen: argparse.Namespace) -> int:
    from surveysem.codebook import LANGUAGES, TEMPLATE, load_codebook
    from surveysem.questionnaire import write_docx, write_html, write_items

    place = chosen.codebook or (default() if default else TEMPLATE)
    book, source = load_codebook(place), place.read_bytes()
    with nbproof.whole_folder(chosen.out, f"{maker} template") as draft:
        (draft / "codebook.toml").write_bytes(source)
        made = [draft / "codebook.toml", write_items(book, draft / "items.csv")]
        for language in LANGUAGES:
            made += [
                write_docx(book, draft / f"questionnaire-{language}.docx", language),
                write_html(book, draft / f"questionnaire-{language}.html", language),
            ]
    print("\n".join(nbproof.shown(chosen.out / path.name) for path in made))
    return 0


def _check(maker: str, default: Place | None, chosen: argparse.Namespace) -> int:
    from surveysem.codebook import load_codebook
    from surveysem.export import write_csv
    from surveysem.responses import read_responses
    from surveysem.screening import screen

    maker = f"{maker} check"
    if chosen.out:
        nbproof.check_replaceable(chosen.out, maker)
    read = read_responses(chosen.file, load_codebook(_chosen(chosen.codebook, default)), **reading(chosen))
    screened = screen(read, mode=chosen.screening)
    if chosen.out:
        tables = {"mapping": read.mapping, "screening": screened.record, "invalid": read.invalid}
        with nbproof.whole_folder(chosen.out, maker) as draft:
            for name, table in tables.items():
                write_csv(table, draft / f"{name}.csv")
        print("\n".join(nbproof.shown(chosen.out / f"{name}.csv") for name in tables))
    else:
        print(read.mapping.to_string(index=False))
        print(screened.record.to_string(index=False) if len(screened.record) else "no row is flagged")
    print(screened.summary().to_string(index=False))
    say_who_is_left(read, screened)
    return 0


def _sample(maker: str, default: Place, stated: Place, chosen: argparse.Namespace) -> int:
    from surveysem.codebook import load_codebook
    from surveysem.synthetic import draw_respondents, draw_stated
    from surveysem.truth import Truth

    place = _chosen(chosen.codebook, default)
    book, source, truth = load_codebook(place), place.read_bytes(), chosen.truth
    if truth is None and chosen.codebook is None:  # what is stated is true of the default codebook
        truth = stated()
    if truth:
        sample = draw_stated(truth, book, nobs=chosen.respondents, seed=chosen.seed)
    else:
        sample = draw_respondents(
            Truth(book),
            RESPONDENTS if chosen.respondents is None else chosen.respondents,
            seed=SEED if chosen.seed is None else chosen.seed,
        )
    with nbproof.whole_folder(chosen.out, f"{maker} sample") as draft:
        made = sample.write(draft)
        made.append(nbproof.write_whole(draft / f"codebook{place.suffix}", source))
    print("\n".join(nbproof.shown(chosen.out / path.name) for path in made))
    return 0


def _example() -> Path:
    from surveysem.codebook import TEMPLATE

    return TEMPLATE


def _truth() -> Path:
    return _example().with_name("example.toml")


def _chosen(given: Path | None, default: Place | None) -> Path:
    """Return the codebook given, else the default; the parser asked for one where there is none."""
    return given or (default() if default else Path())


def _model(given: str) -> Path:
    from surveysem.codebook import MODELS

    path = Path(given)
    if path.suffix.lower() not in MODELS:
        raise argparse.ArgumentTypeError(f"the ending is {path.suffix!r}; allowed: {', '.join(MODELS)}")
    return path


def _draft(maker: str, chosen: argparse.Namespace) -> int:
    from surveysem.draft import check_new, draft_codebook

    check_new(chosen.out)
    found = draft_codebook(chosen.file, **_opening(chosen))
    path = found.write(chosen.out)
    table = found.summary()
    print(nbproof.text_table([[*table.columns], *table.to_numpy().tolist()]))
    print("".join(f"to decide: {question}\n" for question in found.questions), end="")
    if found.guessed:
        print("CONSTRUCTS GUESSED FROM ANSWERS: no names of columns say what belongs together; check every one")
    slips = " --invalid record" * any(len(column.outside) for column in found.of("item"))
    print(f"correct {nbproof.shown(path)}, then: {maker} check {chosen.file} --codebook {chosen.out}{slips}")
    return 0


def _app(chosen: argparse.Namespace) -> int:
    from surveysem.app import server

    server.serve(chosen.file, chosen.codebook, chosen.port, not chosen.no_browser)


def _add_file(command: argparse.ArgumentParser) -> None:
    command.add_argument("file", type=Path, metavar="FILE", help="csv, xlsx or sav")
    command.add_argument("--sheet", metavar="NAME", help="of an Excel file with several")
    command.add_argument("--encoding", metavar="utf-8|gb18030", help="of a csv file (default: found)")
    command.add_argument("--delimiter", metavar="CHARACTER", help="of a csv file (default: found)")
