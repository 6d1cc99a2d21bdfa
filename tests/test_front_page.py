"""The front page and the page of all claims say what the committed results say, and lead to where it is shown."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

import nbproof
from nbproof.look import look
from socialcommerce import report
from socialcommerce.report import front

RESULTS = Path(__file__).parents[1] / "reports" / "results"
DRAWING = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9" width="9pt"><path d="M0 0h9v9z"/></svg>'
LANGUAGES = ("en", "zh")
BUILT = {name: dict.fromkeys(LANGUAGES, {}) for name in front.THUMBS}


@pytest.fixture(autouse=True)
def settings() -> None:
    nbproof.use(report.settings)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """The committed results with figures that show nothing."""
    out = tmp_path_factory.mktemp("reports")
    shutil.copytree(RESULTS, out / "results")
    for name, (figure, _) in [*front.THUMBS.items(), ("01_market_size", ("size", ""))]:
        for language in LANGUAGES:
            (out / "figures" / name).mkdir(parents=True, exist_ok=True)
            (out / "figures" / name / f"{figure}.{language}.svg").write_text(DRAWING)
    return out


@pytest.fixture(scope="module", params=LANGUAGES)
def told(request, folder) -> front.Told:
    return front.Told(folder, request.param)


def test_every_claim_is_one_mark_and_one_row_with_its_parts(told, folder):
    nbproof.use(report.settings)
    sheets = look().sheets(folder, BUILT, told.language)
    ids = [claim["id"] for claim in told.claims]
    picture = re.findall(r'class="mark" href="claims[.\w]*\.html#(C\d+)"', sheets["index"].body)
    assert sorted(picture) == sorted(ids)
    assert re.findall(r'<tr id="(C\d+)"', sheets["claims"].body) == ids
    assert [place[0] for place in sheets["claims"].places] == ids
    linked = re.findall(r'<a href="\w+/\w+\.html#[^"]+">(H\d+)</a>', sheets["claims"].body)
    assert linked == [part["id"] for claim in told.claims for part in claim["parts"]]
    for sheet in sheets.values():
        assert not re.search(r"\{\w|\bnan\b|None[^ ]|built-in", re.sub(r"<svg.*?</svg>", "", sheet.body))


def test_the_picture_puts_a_claim_where_the_verdicts_put_it(told):
    rows = {row["id"]: row["outcome"]["en"] for row in told._rows("07_verdicts", "all_claims")}
    wanted = {"not testable": "none", "no hypothesis": "none", "no evidence about people yet": "survey"}
    for claim in told.claims:
        if rows[claim["id"]] in wanted:
            assert claim["state"] == wanted[rows[claim["id"]]]
        elif rows[claim["id"]] == "further questions only":
            assert claim["state"] not in front.GROUPS["own"]
        else:
            assert claim["state"] in front.GROUPS["own"]
    assert told.counts["own"] + told.counts["asked"] + told.counts["open"] == told.counts["all"] == len(rows)


def test_what_the_sentences_take_for_granted_is_so(told):
    """Where a result moves over one of these bounds, a sentence of front.toml and of both READMEs is untrue."""
    value = {
        f"{name}.{key}": each["value"] for name in front.THUMBS for key, each in told._results(name)["numbers"].items()
    }
    hypotheses = told._hypotheses
    assert value["02_content_mode.r0"] < 1 < value["03_sharing_mode.r0"]
    assert 0 < hypotheses["H57"]["estimate"] < 1
    assert value["01_market_size.share_low"] < 100 < value["01_market_size.share_high"]
    assert min(value["07_verdicts.email_low"], value["07_verdicts.stars_low"]) > 0
    assert {hypotheses[name]["grade"]["en"] for name in ("H18", "H22", "H25")} == {"proxy"}
    assert hypotheses["H22"]["outcome"]["en"] == "inconclusive"
    assert value["04_measurement.cfi"] > value["04_measurement.cfi_bound"]


@pytest.mark.parametrize("gone", ["report", "number", "figure"])
def test_without_all_reports_on_the_papers_data_the_page_lists_what_there_is(folder, tmp_path, gone):
    out = shutil.copytree(folder, tmp_path / "reports")
    built = dict(BUILT)
    if gone == "report":
        del built["04_measurement"]
    elif gone == "number":
        file = out / "results" / "01_market_size.json"
        file.write_text(file.read_text(encoding="utf-8").replace('"share_low"', '"other"'), encoding="utf-8")
    else:
        (out / "figures" / "01_market_size" / "size.en.svg").unlink()
    assert look().sheets(out, built, "en") == {}
