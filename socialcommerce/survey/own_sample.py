"""The project's own synthetic sample, drawn anew from the truth that ``data/survey/truth.toml`` states."""

from __future__ import annotations

import tomllib

from socialcommerce.project import root
from socialcommerce.survey.codebook_file import load_codebook
from socialcommerce.survey.defects import Defects
from socialcommerce.survey.synthetic import Sample, draw_respondents
from socialcommerce.survey.truth import ContactCurve, Truth

__all__ = ["own_sample", "own_truth"]


def own_truth() -> Truth:
    """Return what is true of the project's own sample."""
    raw = _stated()
    contact = ContactCurve(**raw["contact"])
    return Truth(
        load_codebook(), raw["paths"], **raw["measurement"], moderations=raw["moderation"], contact=contact,
        differences=raw.get("differences", {}),
    )  # fmt: skip


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
    raw = _stated()
    seed, nobs = raw["seed"] if seed is None else seed, raw["nobs"] if nobs is None else nobs
    return draw_respondents(own_truth(), nobs, defects=Defects(**raw["defects"]), seed=seed)


def _stated() -> dict:
    file = root() / "data" / "survey" / "truth.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))
