"""The front page lists what there is, in whatever languages it is."""

from __future__ import annotations

import json

from nbproof.look import Look, Sheet
from nbproof.render import front_pages


def listed(folder, names):
    (folder / "search").mkdir()
    for name, languages in names.items():
        made = {language: {"title": f"Title of {name}", "sections": []} for language in languages}
        (folder / "search" / f"{name}.json").write_text(json.dumps(made))
    return front_pages(folder, {"reports": dict.fromkeys([*names, "run-only"], {})})


def test_reports_in_different_languages_stand_in_the_list_of_their_own(tmp_path):
    pages = listed(tmp_path, {"alpha": ["en"], "beta": ["zh"]})
    assert sorted(pages) == ["index.html", "index.zh.html"]
    assert pages["index.html"].count('href="en/alpha.html"') == 2  # title and "Read"
    assert pages["index.zh.html"].count('href="zh/beta.html"') == 2
    assert "beta" not in pages["index.html"]
    assert "run-only.html" not in "".join(pages.values())
    assert 'href="index.zh.html" lang="zh-CN"' in pages["index.html"]


def test_the_reader_is_met_in_a_language_that_stands_there(tmp_path, settings):
    settings(languages=("de", "fr"), title="Kaffee")
    pages = listed(tmp_path, {"alpha": ["fr"]})
    assert pages["index.html"] == pages["index.fr.html"]
    assert "<title>Kaffee</title>" in pages["index.html"]


class Other(Look):
    """A look with an index of its own and a page beside it."""

    def sheets(self, out, reports, language):
        more = Sheet("More", '<p id="a">text of it</p>', "all of it", [("a", "heading", "text of it")])
        return {"index": Sheet("Mine", f"<p>{[*reports]}</p>", "home"), "more": more}


def test_a_look_may_have_pages_of_its_own_which_the_bar_and_the_search_lead_to(tmp_path, settings):
    settings(look=f"{__name__}:Other")
    pages = listed(tmp_path, {"alpha": ["en"]})
    assert "<p>['alpha']</p>" in pages["index.html"]
    assert '<a href="more.html" aria-current="page">all of it</a>' in pages["more.html"]
    assert '["more.html#a", "More", "heading", "text of it"]' in pages["index.html"]
