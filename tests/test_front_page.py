"""The front page: every claim with its verdict, above the list of reports."""

from __future__ import annotations

import json
from functools import cache

import pytest

import nbproof
from socialcommerce import report
from socialcommerce.figures import style


@pytest.fixture(autouse=True)
def settings() -> None:
    nbproof.use(report.settings)


SHOWN = {"en": "market", "zh": "市场", "page": "01_market_size", "anchor": "figure-x"}
AGREES, UNTESTED = {"en": "agrees", "zh": "相符"}, {"en": "no hypothesis", "zh": "未提出假设"}
CLAIM = {
    "columns": ["id", "place", "text", "hypotheses", "outcome", "reason", "shown"],
    "rows": [
        ["C01", {"en": "§1", "zh": "第1节"}, {"en": "a <b>", "zh": "甲"}, "H01", AGREES, None, SHOWN],
        [
            "C02",
            {"en": "§1", "zh": "第1节"},
            {"en": "b", "zh": "乙"},
            "",
            UNTESTED,
            {"en": "why", "zh": "缘由"},
            {"en": "claims", "zh": "论断", "page": "00_claims", "anchor": "t"},
        ],
    ],
}
HYPOTHESIS = {
    "columns": ["id", "short", "evidence", "grade", "estimate", "low", "high", "unit", "outcome", "side", "shown"],
    "rows": [
        [
            "H01",
            {"en": "a size", "zh": "规模"},
            {"en": "official statistic", "zh": "官方统计"},
            {"en": "direct", "zh": "直接证据"},
            -34.2,
            -40.0,
            12.0,
            {"en": "100 yuan", "zh": "百元"},
            AGREES,
            {"en": "with the paper", "zh": "与论文一致"},
            SHOWN,
        ],
        [
            "H30",
            {"en": "a path", "zh": "路径"},
            {"en": "synthetic sample", "zh": "模拟样本"},
            {"en": "none", "zh": "无"},
            0.5,
            0.1,
            0.9,
            "SD",
            {"en": "no evidence about people yet", "zh": "尚无关于人的证据"},
            {"en": "no evidence about people yet", "zh": "尚无关于人的证据"},
            SHOWN,
        ],
    ],
}
RESULTS = {
    "tables": {
        "all_claims": CLAIM,
        "all_hypotheses": HYPOTHESIS,
        "balance": {"columns": ["verdict"], "rows": [[AGREES]]},
        "not_testable": {"columns": ["id", "reason"], "rows": []},
    }
}


def folder(tmp_path, *, names, drawn=True):
    """A folder of built reports with the results of the verdicts among them."""
    for name in names:
        file = tmp_path / "search" / f"{name}.json"
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps({"en": {"title": name, "sections": []}}))
    for path, text in {
        "results/07_verdicts.json": json.dumps(RESULTS, ensure_ascii=False),
        "figures/07_verdicts/estimates.en.svg": drawing() if drawn else None,
    }.items():
        if text:
            (tmp_path / path).parent.mkdir(parents=True)
            (tmp_path / path).write_text(text, encoding="utf-8")
    return nbproof.front_page(tmp_path, {"reports": dict.fromkeys(names, {})})


@cache
def drawing() -> str:
    import matplotlib.pyplot as plt

    return style.draw(lambda language: plt.subplots()[1], language="en")


def test_claims_stand_above_the_reports_with_links_to_where_each_is_shown(tmp_path):
    page = folder(tmp_path, names=("00_claims", "01_market_size", "07_verdicts"))
    assert page.index('<table class="claims">') < page.index("<svg") < page.index('<ul class="reports"')
    assert '<a href="en/01_market_size.html#figure-x">H01</a> −34.20 [−40.00, 12.00] (100 yuan)' in page
    assert "a &lt;b&gt;" in page
    assert "<strong>With the paper (1)</strong>: agrees: a size (H01).</li>" in page
    assert "<strong>No evidence about people yet (1)</strong>: these need a survey" in page
    assert page.index("<strong>Against the paper (0)</strong>: no hypothesis that") < page.index("With the paper (1)")
    assert '<option value="no hypothesis">no hypothesis (1)</option>' in page
    assert 'aria-label="Estimates of all hypotheses' in page


def test_what_was_not_built_is_not_linked(tmp_path):
    page = folder(tmp_path, names=("07_verdicts",))
    assert "01_market_size" not in page
    assert '<a href="en/07_verdicts.html#table-all_hypotheses-H01">H01</a>' in page


@pytest.mark.parametrize(("names", "drawn"), [(("01_market_size",), True), (("01_market_size", "07_verdicts"), False)])
def test_without_the_verdicts_the_page_lists_the_reports(tmp_path, names, drawn):
    page = folder(tmp_path, names=names, drawn=drawn)
    assert "<table" not in page
    assert 'href="en/01_market_size.html"' in page
