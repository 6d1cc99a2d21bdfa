"""The ``surveysem`` command."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import nbproof
from surveysem import __version__
from surveysem.commands import add_commands


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; see `nbproof.run_command`."""
    nbproof.use(_project)
    return nbproof.run_command(_parser, arguments)


def _parser() -> nbproof.CommandParser:
    parser = nbproof.CommandParser(prog="surveysem", description="A survey from its codebook to a report.")
    parser.add_argument("--version", action="version", version=__version__)
    verbs = parser.add_subparsers(required=True, metavar="command", parser_class=nbproof.CommandParser)
    add_commands(verbs, "surveysem")
    return parser


def _project() -> nbproof.Project:
    from surveysem.report import settings

    return settings()


if __name__ == "__main__":
    sys.exit(main())
