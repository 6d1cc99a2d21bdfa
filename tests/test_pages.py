"""The built pages as a reader meets them: in a browser without a network, light, dark, on a phone, by keyboard."""

from __future__ import annotations

import io
import json
import time
from contextlib import suppress

import numpy as np
import pytest
from PIL import Image

from socialcommerce.project import root
from tests.browser import Browser

pytestmark = [pytest.mark.browser, pytest.mark.slow]

NAMES = sorted(path.stem for path in (root() / "notebooks").glob("*.ipynb"))
FRONT = ["index.html", "index.zh.html", "claims.html", "claims.zh.html", "made.html", "made.zh.html"]
PAGES = [*FRONT, *(f"{language}/{name}.html" for language in ("en", "zh") for name in NAMES)]
each_report = pytest.mark.parametrize("page", PAGES[len(FRONT) :], indirect=True)
PHONE = {"width": 390, "height": 844}
VIEWS = {"light": {}, "dark": {"dark": True}}


def pixels(browser: Browser) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(browser.screenshot())).convert("L"), dtype=float)


@pytest.fixture(scope="module", params=PAGES)
def page(request, reports, browser) -> str:
    """A page that was opened, once for all tests that only look at it."""
    browser.open(reports / request.param)
    return request.param


def test_nothing_is_asked_for_and_nothing_fails_in_any_view(page, reports, browser):
    # colours follow the theme and lines the width, neither the other; left as opened, so laid out anew only once
    for view, screen in {"light": {}, "dark phone": {**PHONE, "dark": True}}.items():
        browser.view(**screen)
        shades = pixels(browser)
        assert shades.std() > 10, f"the page is blank: {view}"
        assert (np.median(shades) < 60) == ("dark" in view)
        assert browser.value("document.scrollingElement.scrollWidth <= window.innerWidth"), f"scrolls sideways: {view}"
    assert browser.requests() == [(reports / page).as_uri()]
    assert browser.complaints() == []


def test_every_link_leads_somewhere(page, reports, browser):
    links = browser.value("[...document.querySelectorAll('a[href]')].map(a => a.getAttribute('href'))")
    inside = [href[1:] for href in links if href.startswith("#")]
    assert browser.value(f"{json.dumps(inside)}.filter(name => !document.getElementById(name))") == []
    for href in links:
        if not href.startswith(("#", "http")):
            assert (reports / page).parent.joinpath(href.split("#")[0]).resolve().is_file(), href


@each_report
def test_the_page_text_is_set_in_the_embedded_font(page, browser):
    faces = browser.value("[...document.fonts].map(face => [face.family, face.weight, face.status])")
    assert {face[2] for face in faces if face[1] == "400" and "House" in face[0]} == {"loaded"}
    node = browser.call("DOM.getDocument")["root"]["nodeId"]
    browser.call("CSS.enable")
    main = browser.call("DOM.querySelector", nodeId=node, selector="main p")["nodeId"]
    used = browser.call("CSS.getPlatformFontsForNode", nodeId=main)["fonts"]
    assert all(font["isCustomFont"] for font in used), used


@pytest.mark.parametrize("view", ["light", "dark"])
def test_the_market_size_figure_is_drawn_with_chinese_labels(reports, browser, view):
    """Glyph outlines cannot be read back as text: the label is in the drawing's description, ink in its picture."""
    browser.open(reports / "zh/01_market_size.html", **VIEWS[view])
    box = browser.value(
        "(() => { const d = document.querySelector('figure .drawing'); d.scrollIntoView();"
        " const r = d.getBoundingClientRect();"
        " return [r.width, r.height, d.getAttribute('role'), d.getAttribute('aria-label')]; })()"
    )
    assert box[0] > 500
    assert box[1] > 250
    assert box[2] == "img"
    assert any("\u4e00" <= character <= "\u9fff" for character in box[3])
    assert pixels(browser).std() > 15
    svg = (reports / "figures" / "01_market_size" / "size.zh.svg").read_text(encoding="utf-8")
    english = (reports / "figures" / "01_market_size" / "size.en.svg").read_text(encoding="utf-8")
    assert "<text" not in svg
    assert svg != english


@each_report
def test_headings_pictures_and_tables_are_named_for_those_who_listen(page, browser):
    levels = browser.value("[...document.querySelectorAll('h1,h2,h3,h4')].map(h => +h.tagName[1])")
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(b - a <= 1 for a, b in zip(levels, levels[1:], strict=False))
    drawings = "[...document.querySelectorAll('.drawing:not(.explorer), .explorer .chart')]"
    assert browser.value(f"{drawings}.every(d => d.getAttribute('aria-label').length > 20)")
    assert browser.value("[...document.querySelectorAll('th')].every(th => th.scope === 'col')")
    assert browser.value("[...document.querySelectorAll('img')].every(i => i.alt)")
    assert browser.value("document.documentElement.lang") == {"en": "en-GB", "zh": "zh-CN"}[page[:2]]


def test_what_a_notebook_draws_in_black_takes_the_colour_of_the_text(reports, browser):
    """In SVG black is the colour of what names none; on dark paper it would not be seen."""
    browser.open(reports / "en/01_market_size.html", dark=True)
    fills = browser.value("[...document.querySelectorAll('.drawing > svg *')].map(e => getComputedStyle(e).fill)")
    assert "rgb(0, 0, 0)" not in fills
    assert browser.value("getComputedStyle(document.body).color") in fills


@pytest.mark.parametrize("view", ["light", "dark"])
def test_text_has_contrast(reports, browser, view):
    """WCAG 2.2: at least 4.5:1 for text of every colour the page uses."""
    browser.open(reports / "en/00_claims.html", **VIEWS[view])
    colours = browser.value("""(() => { const probe = document.createElement('i'); document.body.append(probe);
      const read = name => { probe.style.color = `var(${name})`;
        return getComputedStyle(probe).color.match(/\\d+/g).slice(0, 3).map(Number); };
      return Object.fromEntries(['--ink', '--muted', '--link', '--string', '--number', '--paper', '--well']
        .map(n => [n, read(n)])); })()""")

    def luminance(colour):
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in colour)]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    def contrast(a, b):
        low, high = sorted((luminance(colours[a]), luminance(colours[b])))
        return (high + 0.05) / (low + 0.05)

    for colour in ("--ink", "--muted", "--link", "--string", "--number"):
        for ground in ("--paper", "--well"):
            assert contrast(colour, ground) >= 4.5, (colour, ground, contrast(colour, ground))


def test_keyboard_alone_is_enough(reports, browser):
    browser.open(reports / "en/00_claims.html")
    browser.press("Tab")
    assert browser.value("document.activeElement.className") == "skip"
    browser.press("Enter")
    assert browser.value("location.hash") == "#main"
    browser.value("document.querySelector('details.code summary').focus()")
    browser.press("Enter")
    assert browser.value("document.querySelector('details.code').open") is True


def test_buttons_open_all_code_and_switch_the_theme(reports, browser):
    browser.open(reports / "zh/01_market_size.html")
    assert browser.value("[...document.querySelectorAll('details.code')].some(d => d.open)") is False
    browser.value("document.getElementById('code').click()")
    assert browser.value("[...document.querySelectorAll('details.code')].every(d => d.open)") is True
    before = browser.value("getComputedStyle(document.body).backgroundColor")
    browser.value("document.getElementById('theme').click()")
    assert browser.value("getComputedStyle(document.body).backgroundColor") != before
    browser.value("localStorage.clear()")


SEARCH = (
    "(() => {{ const q = document.getElementById('query'); q.value = {}; q.dispatchEvent(new Event('input'));"
    " return [...document.querySelectorAll('#found li')].map(item => [item.querySelector('a').getAttribute('href'),"
    " [...item.querySelectorAll('mark')].map(mark => (mark.textContent + (mark.nextSibling ?"
    " mark.nextSibling.textContent.match(/^\\w*/)[0] : '')).toLowerCase())]); }})()"
)


@pytest.mark.parametrize(
    ("file", "query", "said"),
    [
        ("index.html", "trust", {"trust"}),  # and not "trusted"
        ("index.html", "privat", {"private"}),  # no word: what begins with it
        ("index.html", "forecast paper", {"forecast", "paper"}),
        ("index.zh.html", "\u9884\u6d4b", {"\u9884\u6d4b"}),
        ("index.html", "zzzz", set()),
    ],
)
def test_the_front_page_finds_words_and_shows_why(reports, browser, file, query, said):
    browser.open(reports / file)
    hits = browser.value(SEARCH.format(json.dumps(query)))
    assert bool(hits) == bool(said)
    language = "zh" if "zh" in file else "en"
    for address, marks in hits:
        assert {*marks} == said
        assert address.startswith((f"{language}/", f"claims{'' if language == 'en' else '.zh'}.html#C"))


def test_marks_of_the_picture_are_reached_by_keys_and_lead_to_their_claim(reports, browser):
    browser.open(reports / "index.zh.html")
    name = "document.activeElement.getAttribute('aria-label').slice(0, 3)"
    browser.value("document.querySelector('.mark[tabindex=\\'0\\']').focus()")
    first = browser.value(name)
    browser.press("ArrowRight")
    second = browser.value(name)
    assert first != second
    assert browser.value("document.getElementById('tip').textContent").startswith(second)
    assert browser.value("document.querySelectorAll('.mark[tabindex=\\'0\\']').length") == 1
    browser.press("ArrowDown")
    page, _, claim = browser.value("document.activeElement.getAttribute('href')").partition("#")
    browser.open(reports / page)
    browser.value(f"new Promise(done => {{ onhashchange = done; location.hash = '{claim}'; }}).then(() => true)")
    assert browser.value("document.activeElement.id") == claim


def test_a_reader_is_met_in_the_language_of_the_browser_once_and_never_sent_from_a_page_asked_for(reports, browser):
    agent = browser.value("navigator.userAgent")
    browser.open(reports / "index.zh.html")
    browser.value("localStorage.clear()")
    browser.open(reports / "index.zh.html")  # in an English browser
    browser.call("Network.setUserAgentOverride", userAgent=agent, acceptLanguage="zh-CN")
    for shown in ("index.zh.html", "index.html"):  # the second time the page is the one that is asked for
        browser.call("Page.navigate", url=(reports / "index.html").as_uri())
        until, there = time.monotonic() + 10, False
        while not there:
            assert time.monotonic() < until, shown
            with suppress(AssertionError):  # of a page that was just left
                there = browser.value(f"document.readyState === 'complete' && location.pathname.endsWith('/{shown}')")
    browser.call("Network.setUserAgentOverride", userAgent=agent, acceptLanguage="en-US")
    browser.value("localStorage.clear()")


def test_four_filters_leave_the_claims_that_fit_and_stand_in_the_address(reports, browser):
    browser.open(reports / "claims.html")
    shown = "[...document.querySelectorAll('.claims tbody tr')].filter(row => row.offsetParent).length"
    everything = browser.value(shown)
    choose = (
        "(() => {{ const s = document.querySelector('select[name={}]'); s.selectedIndex = 1;"
        " s.dispatchEvent(new Event('change', {{bubbles: true}})); return s.selectedOptions[0].textContent; }})()"
    )
    for key in ("section", "state", "kind", "field"):
        said = browser.value(choose.format(key))
        left = browser.value(shown)
        assert 0 < left < everything
        assert said.endswith(f"({left})")
        assert browser.value("location.hash").startswith(f"#{key}=")
        browser.value("document.getElementById('clear').click()")
        assert browser.value(shown) == everything


def test_data_that_tries_to_run_is_only_shown(browser, tmp_path):
    from small_project import PARAMETERS, TITLE, Checkout, write_notebook

    checkout = Checkout(tmp_path / "checkout")
    attack = "</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
    source = (
        "import pandas as pd\nfrom nbproof import Evidence, Page\npage = Page('alpha', language)\n"
        f"attack = {attack!r}\nframe = pd.DataFrame({{'who': [attack]}})\n"
        "page.table('t', frame, attack, of=Evidence(1, ('model',), attack), heads={'who': attack}, note=attack)\n"
        "page.say('{attack}', of=Evidence(1, ('model',), attack))\nprint(attack)"
    )
    write_notebook(checkout.root / "notebooks" / "alpha.ipynb", [TITLE, PARAMETERS, ("", source)])
    checkout.build("alpha")
    for page in ("en/alpha.html", "index.html"):
        browser.open(checkout.reports / page)
        assert browser.value("document.title") != "owned"
        assert browser.complaints() == []
        assert browser.requests() == [(checkout.reports / page).as_uri()]
