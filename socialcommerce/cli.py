"""The ``socialcommerce`` command: reads its arguments, then imports only the work it was asked for."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import nbproof
from socialcommerce import __version__
from socialcommerce.project import codebook_file, truth_file
from surveysem import commands

__all__ = ["main"]

LANGUAGES = ("en", "zh")


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
    about = "list, fetch and check the registered data"
    data = parsers.add_parser("data", help=about, description=f"{about.capitalize()}.")
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

    print(f"{data.verify()} committed files, each the one registered")
    return 0


def _add_survey(parsers: argparse._SubParsersAction) -> None:
    about = "what surveysem does, with the paper's codebook and hypotheses where no codebook is given"
    survey = parsers.add_parser("survey", help=about, description=f"{about.capitalize()}.")
    verbs = survey.add_subparsers(required=True, metavar="command", parser_class=nbproof.CommandParser)
    commands.add_commands(verbs, "socialcommerce survey", codebook_file, truth_file)
