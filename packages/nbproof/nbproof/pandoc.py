"""Pandoc, called as a program of its own (it is GPL; nothing of it is imported), in its sandbox."""

from __future__ import annotations

import json
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pypandoc

from nbproof.errors import NotebookError

__all__ = ["convert", "parse", "references"]

# Text from data and prose is shown, never run: no raw HTML, TeX or attributes that reach another format.
MARKDOWN = ("markdown-raw_html-raw_tex-raw_attribute-native_divs-native_spans-yaml_metadata_block"
            "-markdown_in_html_blocks")


def convert(text: str, source: str, target: str, *options: str) -> str:
    """Run pandoc on a text, with no access to files or network.

    Raises
    ------
    NotebookError
        With pandoc's own message.
    """
    command = [pypandoc.get_pandoc_path(), "--sandbox", "--from", source, "--to", target, "--wrap", "none", *options]
    done = subprocess.run(command, input=text.encode(), capture_output=True, check=False)
    if done.returncode:
        raise NotebookError(f"pandoc could not turn {source} into {target}: {done.stderr.decode().strip()}")
    return done.stdout.decode()


def parse(markdown: str) -> dict[str, Any]:
    """Return a markdown text as pandoc's document tree."""
    return json.loads(convert(markdown, MARKDOWN, "json"))


@cache
def references(bibliography: Path) -> list[dict[str, Any]]:
    """Return a BibLaTeX file's entries as CSL items in pandoc's metadata form."""
    items = json.loads(convert(bibliography.read_text(encoding="utf-8"), "biblatex", "csljson"))
    return [_meta(item) for item in items]


def _meta(value: Any) -> Any:
    if isinstance(value, dict):
        return {"t": "MetaMap", "c": {key: _meta(item) for key, item in value.items()}}
    if isinstance(value, list):
        return {"t": "MetaList", "c": [_meta(item) for item in value]}
    return {"t": "MetaString", "c": str(value)}
