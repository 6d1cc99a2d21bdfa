"""The project's own survey: its codebook, the truth of its synthetic sample, and studies that take them by default."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import surveysem
from socialcommerce import project
from surveysem import Codebook, Sample, Study, Truth

__all__ = ["load_codebook", "own_sample", "own_truth", "read_study"]


def load_codebook() -> Codebook:
    """Return the project's own codebook."""
    return surveysem.load_codebook(project.codebook_file())


def own_truth() -> Truth:
    """Return what is true of the project's own sample."""
    return surveysem.read_truth(project.truth_file(), load_codebook())


def own_sample(*, nobs: int | None = None, seed: int | None = None) -> Sample:
    """Draw the project's own sample, defects planted.

    Parameters
    ----------
    nobs, seed : int, optional
        In place of those stated.

    Examples
    --------
    >>> sample = own_sample()
    >>> len(sample.cells), sample.responses.basis
    (1200, 'synthetic sample')
    """
    return surveysem.draw_stated(project.truth_file(), load_codebook(), nobs=nobs, seed=seed)


def read_study(answers: str | Path = "", *, screening: str = "drop", **options: Any) -> Study:
    """Return the study of a file of answers to the project's questions, or of its own labelled synthetic sample.

    Parameters
    ----------
    answers : path
        csv, xlsx or sav; empty for the synthetic sample.
    screening, **options
        As of `surveysem.read_study`; for the sample estimator, draws and seed.
    """
    if answers:
        return surveysem.read_study(answers, project.codebook_file(), screening=screening, **options)
    responses = own_sample().responses
    source = "simulated by socialcommerce.survey from data/survey/truth.toml, not answered by people"
    return Study(responses, surveysem.screen(responses, mode=screening), drawn=source, **options)
