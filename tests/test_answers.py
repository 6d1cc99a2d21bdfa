"""The answers to the notebooks' exercises run, and print something to compare with."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from socialcommerce import evidence
from tests.conftest import assessment

ANSWERS = sorted((Path(__file__).parents[1] / "notebooks" / "answers").glob("*.py"))


@pytest.mark.slow
@pytest.mark.parametrize("path", ANSWERS, ids=[path.stem for path in ANSWERS])
def test_the_answers_run_and_print(path, capsys, monkeypatch):
    monkeypatch.setattr(evidence, "assess_all", assessment)
    runpy.run_path(str(path))
    assert len(capsys.readouterr().out.splitlines()) >= 2
    assert (path.parents[1] / f"{path.stem}.ipynb").is_file()
