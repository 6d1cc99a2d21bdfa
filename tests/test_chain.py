"""The chain from claim to hypothesis, function, result file, row and link, in both languages, without a gap."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from nbproof import compare
from socialcommerce import evidence, paper
from surveysem import EffectTest
from tests.conftest import assessment

pytestmark = pytest.mark.slow

LANGUAGES = ("en", "zh")
CLAIMS, HYPOTHESES = paper.load_claims(), {h.id: h for h in paper.load_hypotheses()}


@dataclass(frozen=True)
class Chain:
    """What was built: results of the verdicts by table and id, links of the claims page by row, anchors by page."""

    tables: dict[str, dict[str, dict[str, Any]]]
    rows: dict[tuple[str, str], dict[str, str]]  # (language, claim) -> {text of the link: address}
    anchors: dict[str, set[str]]
    tests: dict[str, Callable[..., Any]]
    results: dict[str, Any]


class _Claims(HTMLParser):
    """Read the links of each claim's row on the page of all claims."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows: dict[str, dict[str, str]] = {}
        self.row, self.link = None, None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag == "tr" and "data-state" in given:
            self.row = self.rows[given["id"]] = {}
        self.link = given["href"] if tag == "a" and self.row is not None else None

    def handle_data(self, text):
        if self.link is not None:
            self.row[text] = self.link
            self.link = None

    def handle_endtag(self, tag):
        self.row = None if tag == "tr" else self.row


@pytest.fixture(scope="module")
def chain(reports: Path) -> Chain:
    return read(reports)


def read(out: Path) -> Chain:
    results = json.loads((out / "results" / "07_verdicts.json").read_text(encoding="utf-8"))
    tables = {
        name: {row[0]: dict(zip(table["columns"], row, strict=True)) for row in table["rows"]}
        for name, table in results["tables"].items()
        if table["columns"][0] == "id"
    }
    pages = {"en": "claims.html", "zh": "claims.zh.html"}
    rows = {
        (language, claim): links
        for language, page in pages.items()
        for claim, links in _Claims((out / page).read_text(encoding="utf-8")).rows.items()
    }
    anchors = {
        page.relative_to(out).as_posix(): set(re.findall(r'\bid="([^"]+)"', page.read_text(encoding="utf-8")))
        for page in out.glob("*/*.html")
    }
    return Chain(tables, rows, anchors, dict(evidence.TESTS), results)


def gaps(chain: Chain) -> Iterator[str]:
    """Walk every claim down to its links and name what is missing."""
    for claim in CLAIMS:
        row = chain.tables["all_claims"].get(claim.id)
        if row is None:
            yield f"{claim.id}: no row"
            continue
        told = row["hypotheses"]["en"] if isinstance(row["hypotheses"], dict) else row["hypotheses"]
        if told != ", ".join(claim.hypotheses):
            yield f"{claim.id}: other hypotheses"
        for language in LANGUAGES:
            if not row["outcome"].get(language) or not (claim.hypotheses or row["reason"].get(language)):
                yield f"{claim.id}: no verdict or reason in {language}"
            yield from _links(chain, claim, language)
        for name in claim.hypotheses:
            yield from _hypothesis(chain, name)


def _links(chain: Chain, claim: paper.Claim, language: str) -> Iterator[str]:
    links = chain.rows.get((language, claim.id), {})
    for needed in (claim.id, *claim.hypotheses):
        if needed not in links:
            yield f"{claim.id}: no link of {needed} in {language}"
    if len(links) < 2 + len(claim.hypotheses):
        yield f"{claim.id}: no link to where it is shown in {language}"
    for text, address in links.items():
        page, _, anchor = address.partition("#")
        if text == anchor == claim.id and not page:  # its own row
            continue
        if not page.startswith(f"{language}/") or anchor not in chain.anchors.get(page, ()):
            yield f"{claim.id}: {address} leads nowhere"


def _hypothesis(chain: Chain, name: str) -> Iterator[str]:
    row, verdict = chain.tables["all_hypotheses"].get(name), VERDICTS.results[name]
    if row is None:
        yield f"{name}: no row"
    elif row["outcome"]["en"] != verdict.words:
        yield f"{name}: another outcome"
    elif not isinstance(verdict.result, EffectTest):
        if chain.tables["not_testable"].get(name, {}).get("reason") != HYPOTHESES[name].reason:
            yield f"{name}: no reason"
    elif name not in chain.tests:
        yield f"{name}: no function"
    else:
        ends = verdict.result.interval or (None, None)
        for column, value in zip(("estimate", "low", "high"), (verdict.result.estimate, *ends), strict=True):
            if row[column] != (value if value is None else pytest.approx(value, abs=6e-4)):
                yield f"{name}: another {column}"


VERDICTS = assessment()


def test_no_gap_from_claim_to_link(chain):
    assert list(gaps(chain)) == []


def test_every_hypothesis_belongs_to_a_claim_and_every_row_to_a_hypothesis(chain):
    assert {name for claim in CLAIMS for name in claim.hypotheses} == set(HYPOTHESES)
    assert list(chain.tables["all_hypotheses"]) == list(HYPOTHESES)
    assert list(chain.tables["all_claims"]) == [claim.id for claim in CLAIMS]
    assert set(chain.rows) == {(language, claim.id) for language in LANGUAGES for claim in CLAIMS}


def test_verification_covers_every_number_of_the_verdict_table(chain):
    table = chain.results["tables"]["all_hypotheses"]
    alone = {**chain.results, "tables": {"all_hypotheses": table}}
    other = copy.deepcopy(alone)
    for line, row in enumerate(other["tables"]["all_hypotheses"]["rows"]):
        for place, value in enumerate(table["rows"][line]):
            if isinstance(value, int | float):
                row[place] = value + (1 if isinstance(value, int) else 0.002)
                (drift,) = compare(alone, other)
                assert drift.where == f"table all_hypotheses, row {line + 1}, {table['columns'][place]}"
                row[place] = value


BREAKS = {
    "C41: no row": lambda c: c.tables["all_claims"].pop("C41"),
    "C41: other hypotheses": lambda c: c.tables["all_claims"]["C41"].update(hypotheses="H14"),
    "C04: no verdict or reason in zh": lambda c: c.tables["all_claims"]["C04"]["reason"].update(zh=""),
    "H25: no row": lambda c: c.tables["all_hypotheses"].pop("H25"),
    "H25: another outcome": lambda c: c.tables["all_hypotheses"]["H25"].update(outcome={"en": "agrees", "zh": "相符"}),
    "H25: another low": lambda c: c.tables["all_hypotheses"]["H25"].update(low=0.0),
    "H25: no function": lambda c: c.tests.pop("H25"),
    "H08: no reason": lambda c: c.tables["not_testable"].pop("H08"),
    "C57: no link of H25 in zh": lambda c: c.rows["zh", "C57"].pop("H25"),
    "C57: en/07_verdicts.html#figure-deliveries leads nowhere": lambda c: c.anchors["en/07_verdicts.html"].remove(
        "figure-deliveries"
    ),
    "C42: en/02_content_mode.html#table-verdicts_table-H53 leads nowhere": lambda c: c.anchors.pop(
        "en/02_content_mode.html"
    ),
}


@pytest.mark.parametrize("gap", BREAKS)
def test_a_broken_link_of_the_chain_is_named(chain, gap):
    broken = replace(copy.deepcopy(replace(chain, tests={})), tests=dict(chain.tests))
    BREAKS[gap](broken)
    assert gap in list(gaps(broken))
