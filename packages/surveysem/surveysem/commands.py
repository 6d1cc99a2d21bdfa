"""The commands on a survey: template, draft, app, check, sample, report; a project may have its own codebook."""

from __future__ import annotations

import argparse
import tomllib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbproof
from surveysem.errors import require_known

if TYPE_CHECKING:
    from surveysem.responses import Reading, Responses
    from surveysem.screening import Screened

Place = Callable[[], Path]
HERE = Path(__file__).parent
TOLD = tomllib.loads((HERE / "commands.toml").read_text(encoding="utf-8"))
TYPES = {"path": Path, "folder": nbproof.folder_option, "whole": int, "number": float}
EXAMPLE, TRUTH = partial(HERE.joinpath, "template.toml"), partial(HERE.joinpath, "example.toml")
RESPONDENTS, SEED = 500, 1  # of a sample whose truth is not stated
ANALYSIS = ("screening", "estimator", "draws")


def add_commands(
    verbs: argparse._SubParsersAction, maker: str, codebook: Place | None = None, truth: Place | None = None
) -> None:
    """Add the commands that ``commands.toml`` tells of to a parser.

    Parameters
    ----------
    maker : str
        What the commands are called before their own name, ``"surveysem"``; the folders they make say so.
    codebook, truth : callable, optional
        Return the files taken where none is given. Without them a codebook must be given, but for a template.
    """
    for work in (_template, _draft, _app, _check, _sample, _preregister, _report):
        told = TOLD["commands"][name := work.__name__.removeprefix("_")]
        own = codebook or (EXAMPLE if name in ("sample", "template") else None)
        command = nbproof.add_command(verbs, name, work, told["help"])
        command.set_defaults(maker=f"{maker} {name}", own=own, truth_of_own=truth or TRUTH)
        for group in told["takes"]:
            if group == "codebook":
                _add_codebook(command, own)
            for option, about in TOLD["options"].get(group, {}).items():
                kind = {"type": TYPES[about["type"]]} if "type" in about else {}
                help = about["help"].format(respondents=RESPONDENTS, seed=SEED)
                command.add_argument(option, **about | kind | {"help": help})


def _make(chosen: argparse.Namespace, write: Callable[[Path], list[Path]], codebook: Path | None = None) -> None:
    """Make the folder of files that a command is asked for, a copy of the codebook among them, and print where."""
    with nbproof.whole_folder(chosen.out, chosen.maker) as draft:
        made = write(draft)
        if codebook:
            made.append(nbproof.write_whole(draft / f"codebook{codebook.suffix}", codebook.read_bytes()))
    print("\n".join(nbproof.shown(chosen.out / path.name) for path in made))


def _preregister(chosen: argparse.Namespace) -> int:
    from surveysem.codebook import load_codebook
    from surveysem.preregistration import register

    nbproof.check_positive(draws=chosen.draws, respondents=1 if chosen.respondents is None else chosen.respondents)
    place = chosen.codebook or chosen.own()
    book = load_codebook(place)
    settled = {name: getattr(chosen, name) for name in ("effect", "loading", "correlation", *ANALYSIS)}
    planned = register(book, chosen.respondents, wanted=chosen.power, **settled)
    _make(chosen, lambda draft: planned.write(draft, book), place)
    needed, respondents = planned.sample["needed"], planned.sample["respondents"]
    print(f"{needed:,} respondents are needed, {respondents:,} planned; SHA-256 {planned.digest}")
    return 0


def _report(chosen: argparse.Namespace) -> int:
    from surveysem import report

    nbproof.check_positive(draws=chosen.draws)
    languages = list(dict.fromkeys(chosen.language.split(",")))
    require_known("language", report.LANGUAGES, *languages)
    settled = {name: getattr(chosen, name) for name in ANALYSIS}
    inputs = {"answers": chosen.file, "codebook": chosen.codebook or chosen.own()}
    with nbproof.whole_folder(chosen.out, chosen.maker) as draft:
        nbproof.use(report.settings)
        with nbproof.surroundings():  # a server begins to load what the notebooks need
            pass
        from surveysem import check_study, preregistration, read_study
        from surveysem.study import SHELF

        (draft / SHELF).mkdir()
        study = read_study(*inputs.values(), shelf=draft / SHELF, **settled, **reading(chosen))
        check_study(study)
        say_who_is_left(study.responses, study.screened)
        if chosen.registration:
            followed = preregistration.compare(chosen.registration, inputs["codebook"], study)
            differ = f"{(~followed['same']).sum()} of {len(followed)} items differ"
            print(f"registration {followed.attrs['digest']}: {differ}")
            inputs["registration"] = chosen.registration
        report.write(study, draft, inputs, languages, reading(chosen))
    print(f"open {nbproof.shown(chosen.out / 'index.html')}")
    return 0


def _add_codebook(command: argparse.ArgumentParser, default: Place | None) -> None:
    """Add the option that names a codebook, or a model in its place."""
    either = command.add_mutually_exclusive_group(required=default is None)
    own = "a small example" if default is EXAMPLE else "the project's own"
    what = "toml" if default is None else f"default: {own}"
    either.add_argument("--codebook", type=Path, metavar="C", help=what)
    what = "a model in lavaan's language (.txt) in its place"
    either.add_argument("--model", type=_model, dest="codebook", metavar="M", help=what)


def reading(chosen: argparse.Namespace) -> Reading:
    """Return how the file is to be read, as `surveysem.read_responses` takes it; for a draft, how it is opened."""
    given = vars(chosen) | {"delimiter": chosen.delimiter and chosen.delimiter.replace("\\t", "\t")}
    names = ("sheet", "encoding", "delimiter", "unknown", "invalid")
    found: Any = {name: given[name] for name in names if name in given}
    return found


def say_who_is_left(read: Responses, screened: Screened) -> None:
    """Print what was noticed, and how many respondents were read, flagged and kept."""
    for note in (*read.notes, *screened.notes):
        print(note)
    print(
        f"{read.file} ({read.encoding}, {read.basis}): {len(read.answers)} respondents, "
        f"{len(screened.flagged)} flagged, {len(screened.answers)} kept"
    )


def _template(chosen: argparse.Namespace) -> int:
    from surveysem.codebook import LANGUAGES, load_codebook
    from surveysem.questionnaire import item_table, write_docx, write_html
    from surveysem.tables import write_csv

    place = chosen.codebook or chosen.own()
    book = load_codebook(place)

    def write(draft: Path) -> list[Path]:
        made = [nbproof.write_whole(draft / "codebook.toml", place.read_bytes())]
        made.append(write_csv(item_table(book), draft / "items.csv"))
        for language in LANGUAGES:
            made.append(write_docx(book, draft / f"questionnaire-{language}.docx", language))
            made.append(write_html(book, draft / f"questionnaire-{language}.html", language))
        return made

    _make(chosen, write)
    return 0


def _check(chosen: argparse.Namespace) -> int:
    from surveysem.codebook import load_codebook
    from surveysem.responses import read_responses
    from surveysem.screening import screen
    from surveysem.tables import write_csv

    if chosen.out:
        nbproof.check_replaceable(chosen.out, chosen.maker)
    read = read_responses(chosen.file, load_codebook(chosen.codebook or chosen.own()), **reading(chosen))
    screened = screen(read, mode=chosen.screening)
    if chosen.out:
        tables = {"mapping": read.mapping, "screening": screened.record, "invalid": read.invalid}
        _make(chosen, lambda draft: [write_csv(table, draft / f"{name}.csv") for name, table in tables.items()])
    else:
        print(read.mapping.to_string(index=False, max_colwidth=40))
        print(screened.record.to_string(index=False) if len(screened.record) else "no row is flagged")
    print(screened.summary().to_string(index=False))
    say_who_is_left(read, screened)
    return 0


def _sample(chosen: argparse.Namespace) -> int:
    from surveysem.codebook import load_codebook
    from surveysem.synthetic import Truth, draw_respondents, draw_stated

    place = chosen.codebook or chosen.own()
    book, truth = load_codebook(place), chosen.truth
    if truth is None and chosen.codebook is None:  # what is stated is true of the default codebook
        truth = chosen.truth_of_own()
    nobs, seed = chosen.respondents, chosen.seed
    if truth:
        sample = draw_stated(truth, book, nobs=nobs, seed=seed)
    else:
        nobs, seed = RESPONDENTS if nobs is None else nobs, SEED if seed is None else seed
        sample = draw_respondents(Truth(book), nobs, seed=seed)
    _make(chosen, sample.write, place)
    return 0


def _model(given: str) -> Path:
    from surveysem.codebook import MODELS

    if (path := Path(given)).suffix.lower() not in MODELS:
        raise argparse.ArgumentTypeError(f"the ending is {path.suffix!r}; allowed: {', '.join(MODELS)}")
    return path


def _draft(chosen: argparse.Namespace) -> int:
    from surveysem.draft import check_new, draft_codebook

    check_new(chosen.out)
    found = draft_codebook(chosen.file, **reading(chosen))
    path = found.write(chosen.out)
    table = found.summary()
    print(nbproof.text_table([[*table.columns], *table.to_numpy().tolist()]))
    print("".join(f"to decide: {question}\n" for question in found.questions), end="")
    if found.guessed:
        print("CONSTRUCTS GUESSED FROM ANSWERS: no names of columns say what belongs together; check every one")
    check = f"{chosen.maker.removesuffix('draft')}check"
    slips = " --invalid record" * any(len(column.outside) for column in found.of("item"))
    print(f"correct {nbproof.shown(path)}, then: {check} {chosen.file} --codebook {chosen.out}{slips}")
    return 0


def _app(chosen: argparse.Namespace) -> int:
    from surveysem.app import server

    server.serve(chosen.file, chosen.codebook, chosen.port, not chosen.no_browser)
