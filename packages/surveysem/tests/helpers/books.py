"""Codebooks for several test files, and a study of respondents drawn by one of them."""

from __future__ import annotations

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
SMALL = """
name = "small"
group = "MODE"

[scales.five]
low = 1
en = ["No", "Rather no", "Neither", "Rather yes", "Yes"]
zh = ["否", "不太", "一般", "比较", "是"]

[scales.two]
low = 1
en = ["Content", "Interaction"]
zh = ["内容", "互动"]

[scales.count]
low = 0
high = 99

[[constructs]]
name = "trust"
en = "Trust"
zh = "信任"
scale = "five"
items = [
  { code = "T1", en = "I trust it.", zh = "我信任它。" },
  { code = "T2", en = "It lies to me.", zh = "它骗我。", reverse = true },
  { code = "T3", en = "It is honest.", zh = "它很诚实。" },
]

[[constructs]]
name = "buying"
scale = "five"
items = [
  { code = "B1", en = "I buy again.", zh = "我会再买。" },
  { code = "B2", en = "I come back.", zh = "我会回来。" },
  { code = "B3", en = "I stay.", zh = "我会留下。" },
]

[[checks]]
code = "C1"
after = "T3"
scale = "five"
expected = 4
en = "Choose rather yes."
zh = "请选比较。"

[[controls]]
code = "MODE"
scale = "two"
en = "Where do you shop?"
zh = "您在哪里购物？"

[[controls]]
code = "N"
scale = "count"
en = "How many orders?"
zh = "多少订单？"

[paths]
buying = ["trust"]
"""

SEVEN = Scale("seven", 1, 7)


def construct(name: str, role: str = "construct") -> Construct:
    items = tuple(Item(f"{name.upper()}{k}", SEVEN, construct=name) for k in (1, 2, 3))
    return Construct(name, items, en=name.title(), zh=f"构念{name}", role=role)


CONSTRUCTS = tuple(construct(name) for name in ("care", "noise", "trust", "stay"))
BOOK = Codebook(
    "small", CONSTRUCTS, tuple(item for one in CONSTRUCTS for item in one.items),
    (Expected("trust", "care", 1), Expected("trust", "noise", -1), Expected("stay", "trust", 1),
     Expected("stay", "care", 1)),
)
TRUTH = surveysem.Truth(BOOK, {"trust": {"care": 0.5, "noise": -0.3}, "stay": {"trust": 0.4, "care": 0.2}})


def studied(nobs: int, seed: int = 1, book: Codebook = BOOK, draws: int = 500, estimator: str = "MLR",
            **planted: int) -> Study:
    """Draw, screen and return respondents."""
    defects = surveysem.Defects(**planted)
    sample = surveysem.draw_respondents(replace(TRUTH, codebook=book), nobs, seed=seed, defects=defects)
    return Study(sample.responses, surveysem.screen(sample.responses), estimator, draws)
