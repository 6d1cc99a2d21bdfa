"""The ``nbproof`` command."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from nbproof import __version__
from nbproof.commands import CommandParser, add_commands, run_command


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; see `nbproof.run_command`."""
    return run_command(_parser, arguments)


def _parser() -> CommandParser:
    parser = CommandParser(prog="nbproof", description="Notebooks to offline reports that verify their own numbers.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="command", parser_class=CommandParser)
    add_commands(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
