"""The site: its commands are commands, every package has its page, and its check finds what it is there to find."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

import surveysem.__main__
from docs import links
from socialcommerce import cli

ROOT = Path(__file__).parents[1]
PARSERS = {"socialcommerce": cli._parser, "surveysem": surveysem.__main__._parser}
PAGES = sorted((ROOT / "docs").glob("**/get-started.md")) + sorted((ROOT / "docs").glob("**/own-survey.md"))


@pytest.mark.parametrize("page", PAGES, ids=[str(path.relative_to(ROOT / "docs")) for path in PAGES])
def test_every_command_of_a_first_page_is_one(page):
    text = page.read_text(encoding="utf-8")
    shown = re.findall(r"^    \.venv/bin/(.*)$", text, re.MULTILINE)
    assert shown
    for line in shown:
        program, *arguments = shlex.split(line)
        PARSERS[program]().parse_args(arguments)
    targets = {*re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)}
    assert {*re.findall(r"\bmake ([\w-]+)", text)} <= targets


def test_both_languages_show_the_same_commands():
    for name in ("get-started.md", "own-survey.md"):
        texts = [(ROOT / "docs" / folder / name).read_text(encoding="utf-8") for folder in ("", "zh")]
        commands = [re.findall(r"^    (\S.*)$", text, re.MULTILINE) for text in texts]
        assert commands[0] == commands[1]


def test_every_package_that_lists_what_is_public_is_documented():
    shown = {
        name
        for page in (ROOT / "docs" / "api").glob("*.md")
        for name in re.findall(r"automodule:: ([\w.]+)", page.read_text(encoding="utf-8"))
    }
    homes = [*(path.parent for path in ROOT.glob("packages/*/pyproject.toml")), ROOT]
    public = {
        ".".join(path.parent.relative_to(home).parts)
        for home in homes
        for path in home.glob(f"{'socialcommerce' if home == ROOT else home.name}/**/__init__.py")
        if re.search("^__all__ = ", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert public - shown == {"socialcommerce.report", "surveysem.app"}  # for the builder, for the command


@pytest.mark.parametrize(
    ("markup", "said"),
    [
        ('<a href="none.html">x</a>', "leads to none.html, which is not there"),
        ('<a href="page.html#none">x</a>', "leads to page.html#none, where no such anchor is"),
        ('<a href="folder/">x</a>', "leads to folder/, which is not there"),
        ('<script src="https://example.org/x.js"></script>', "asks another host for https://example.org/x.js"),
        ('<link rel="stylesheet" href="//example.org/x.css">', "asks another host for //example.org/x.css"),
        ("<style>@import 'https://example.org/y.css'</style>", "asks another host for https://example.org/y.css"),
    ],
)
def test_a_dead_link_and_a_request_are_found(tmp_path, markup, said):
    (tmp_path / "folder").mkdir()
    (tmp_path / "page.html").write_text('<p id="here"><a href="#here">y</a><a href="https://example.org">z</a>')
    assert list(links.faults(tmp_path)) == []
    (tmp_path / "wrong.html").write_text(markup)
    assert list(links.faults(tmp_path)) == [f"wrong.html {said}"]
