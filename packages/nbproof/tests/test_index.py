"""The front page lists what there is, in whatever languages it is."""

from __future__ import annotations

import json

from nbproof.render import front_page


def test_reports_in_different_languages_stand_in_the_list_of_their_own(tmp_path):
    (tmp_path / "search").mkdir()
    for name, language in (("alpha", "en"), ("beta", "zh")):
        made = {language: {"title": f"Title of {name}", "sections": []}}
        (tmp_path / "search" / f"{name}.json").write_text(json.dumps(made))
    page = front_page(tmp_path, {"reports": {"alpha": {}, "beta": {}, "run-only": {}}})
    assert page.count('href="en/alpha.html"') == page.count('href="zh/beta.html"') == 2  # title and "Read"
    assert 'href="zh/alpha.html"' not in page
    assert "run-only.html" not in page


def test_the_reader_is_met_in_a_language_that_stands_there(tmp_path, settings):
    settings(languages=("de", "fr"), title="Kaffee")
    (tmp_path / "search").mkdir()
    made = {language: {"title": "T", "sections": []} for language in ("de", "fr")}
    (tmp_path / "search" / "alpha.json").write_text(json.dumps(made))
    page = front_page(tmp_path, {"reports": {"alpha": {}}})
    assert 'show(navigator.language.startsWith("fr") ? "fr" : language);' in page
    assert "<title>Kaffee</title>" in page
