"""Codebooks for several test files, and a study of respondents drawn by one of them."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from pathlib import Path

import surveysem
from surveysem import Codebook, Construct, Item, Scale, Study
from surveysem import ExpectedPath as Expected

FOLDER = Path(__file__).parents[4] / "data" / "survey"
LARGE, TRUTH_OF_LARGE = FOLDER / "codebook.toml", FOLDER / "truth.toml"
"""Files of the study beside this package: 17 constructs with moderations, groups and a contact curve."""
HANOI = FOLDER / "hanoi.toml"
"""A published questionnaire, its wordings unknown: 52 items."""
HERE = Path(__file__).parent
GYM, SECOND, COMPOSITE, PANEL = (HERE / f"{name}.toml" for name in ("gym", "second", "composite", "panel"))
SMALL = (HERE / "small.toml").read_text(encoding="utf-8")
THREE = SMALL.replace(
    "[paths]",
    """[[constructs]]
name = "sharing"
scale = "five"
items = [{ code = "S1" }, { code = "S2", reverse = true }, { code = "S3" }]

[paths]
sharing = ["trust", "buying"]""",
)
ZH = tomllib.loads((HERE / "chinese.toml").read_text(encoding="utf-8"))

WORDS = r"socialcommerce|xiao|private.domain|§|\btrust\b|satisf(?!ied)|stickiness|repurchase"
"""Words of the study that the package came from."""
FOREIGN = re.compile(rf"{WORDS}|\b[CH]\d\d\b", re.IGNORECASE)
"""These, and what that study calls claims and hypotheses; colours of a drawing go by such names too."""

SEVEN = Scale("seven", 1, 7)


def construct(name: str, role: str = "construct") -> Construct:
    items = tuple(Item(f"{name.upper()}{k}", SEVEN, construct=name) for k in (1, 2, 3))
    return Construct(name, items, en=name.title(), zh=ZH["construct"].format(name=name), role=role)


CONSTRUCTS = tuple(construct(name) for name in ("care", "noise", "trust", "stay"))
BOOK = Codebook(
    "small",
    CONSTRUCTS,
    tuple(item for one in CONSTRUCTS for item in one.items),
    (
        Expected("trust", "care", 1),
        Expected("trust", "noise", -1),
        Expected("stay", "trust", 1),
        Expected("stay", "care", 1),
    ),
)
TRUTH = surveysem.Truth(BOOK, {"trust": {"care": 0.5, "noise": -0.3}, "stay": {"trust": 0.4, "care": 0.2}})


def studied(
    nobs: int, seed: int = 1, book: Codebook = BOOK, draws: int = 500, estimator: str = "MLR", **planted: int
) -> Study:
    """Draw, screen and return respondents."""
    defects = surveysem.Defects(**planted)
    sample = surveysem.draw_respondents(replace(TRUTH, codebook=book), nobs, seed=seed, defects=defects)
    return Study(sample.responses, surveysem.screen(sample.responses), estimator, draws)
