"""The page for those who come from Mesa and PySD shows what its code shows, and their code is what was run."""

from __future__ import annotations

import json
import re
from textwrap import dedent, indent

import numpy as np
import pytest

from docs import blocks
from socialcommerce.project import root
from stockflow import read_edges, replicate
from stockflow.examples import RUMOUR

PAGE = root() / "docs" / "coming-from-mesa-and-pysd.md"
REFERENCE = root() / "packages" / "stockflow" / "tests" / "reference"


@pytest.mark.slow
def test_every_block_and_number_of_the_page_is_what_its_code_shows(monkeypatch):
    monkeypatch.chdir(root())
    text = PAGE.read_text(encoding="utf-8")
    assert text.count("```python") == 3
    assert blocks.filled(text) == text, f"run `python docs/blocks.py {PAGE.relative_to(root())}`"


def test_the_code_of_the_others_is_from_the_script_that_ran_it():
    script = (REFERENCE / "word_of_mouth.py").read_text(encoding="utf-8")
    parts = re.findall(r"```py\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(parts) == 2
    for part in parts:
        depth = next(line for line in script.splitlines() if line.strip() == part.splitlines()[0])
        lines = indent(dedent(part), depth[: len(depth) - len(depth.lstrip())])
        assert re.sub(r"\n\s*\n", "\n\n", lines).rstrip() in re.sub(r"\n\s*\n", "\n\n", script)


def test_mesa_reaches_as_many_by_word_of_mouth():
    """Two hundred runs of either; within three standard errors of the difference."""
    mesa = json.loads((REFERENCE / "word_of_mouth.json").read_text(encoding="utf-8"))["mesa"]
    ties = read_edges(REFERENCE / "cascades.csv")
    runs = replicate(RUMOUR, {"beta": 0.25}, 60, seeds=range(mesa["runs"]), network=ties, initial={"S": 20})
    reached = np.array([1 - run.shares[-1, 0] for run in runs])
    error = np.hypot(reached.std(ddof=1) / np.sqrt(len(reached)), mesa["error"])
    assert abs(reached.mean() - mesa["reached"]) < 3 * error
