"""The modes that run in the page: what the reader's browser computes is what Python computes, with no network."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from PIL import Image

from socialcommerce.modes.content import CONTENT
from socialcommerce.modes.sharing import SHARING
from stockflow import integrate, loop_gains, next_generation
from tests.modes import CHINESE

pytestmark = [pytest.mark.browser, pytest.mark.slow]

FIGURE = "document.getElementById('figure-explorer_figure')"
MODES = {"02_content_mode": (CONTENT, {"L": 0.01}, 730), "03_sharing_mode": (SHARING, {"F": 0.01}, 365)}
SETS = {
    "02_content_mode": [
        {},
        {"beta": 0.11, "lambda0": 0.0},
        {"s": 0.7, "n": 2.0, "kappa": 0.6},
        {"pi1": 0.05},
        {"beta": 0.0, "eta": 0.0},
    ],
    "03_sharing_mode": [
        {},
        {"g": 3, "mA": 8.0, "qA": 0.3},
        {"g": 5},
        {"epsilon": 0.0, "thetaF": 0.06},
        {"mA": 0.0, "mB": 0.0},
    ],
}
SLIDERS = {"02_content_mode": ("beta", 0.1), "03_sharing_mode": ("g", 3)}
PAGES = [(name, language) for name in MODES for language in ("en", "zh")]
PHONE = {"width": 390, "height": 844}
VIEWS = {"light": {}, "dark": {"dark": True}, "phone": PHONE}


@pytest.fixture(scope="module", params=PAGES, ids="-".join)
def opened(request, reports, browser) -> tuple[str, str]:
    """A page that was opened, once for all tests, by name and language; each test leaves the run as it was."""
    name, language = request.param
    browser.open(reports / language / f"{name}.html")
    return name, language


def compare(name: str, parameters: dict, found: dict) -> None:
    mode, start, days = MODES[name]
    rows = integrate(mode, parameters, days, "rk4", 1.0, start).values
    np.testing.assert_allclose(found["rows"], rows, rtol=0, atol=1e-9)
    assert found["R0"] == pytest.approx(float(next_generation(mode, parameters).r0), abs=1e-6)
    np.testing.assert_allclose(found["parts"], loop_gains(mode, parameters), atol=1e-6)


def test_the_browser_computes_what_python_computes(opened, browser):
    name, language = opened
    mode = MODES[name][0]
    defaults = {p.name: p.default for p in mode.parameters}
    for parameters in SETS[name]:
        found = browser.value(f"{FIGURE}.explorer.set({json.dumps(defaults | parameters)})")
        compare(name, parameters, found)
        assert browser.value(f"{FIGURE}.querySelector('.verdict').textContent").startswith(f"R0 = {found['R0']:.3f}")
    browser.value(f"{FIGURE}.querySelector('.explorer button').click()")


def test_a_slider_moves_the_run_and_the_button_brings_it_back(opened, browser):
    name, language = opened
    parameter, value = SLIDERS[name]
    look = f"{FIGURE}.querySelector('.verdict').textContent + {FIGURE}.querySelector('.series').getAttribute('d')"
    before = browser.value(look)
    browser.value(
        f"(() => {{ const one = {FIGURE}.querySelector('[data-parameter={parameter}]'); one.value = {value};"
        " one.dispatchEvent(new Event('input')); })()"
    )
    assert browser.value(look) != before
    compare(name, {parameter: value}, browser.value(f"{FIGURE}.explorer.set({{}})"))
    browser.value(f"{FIGURE}.querySelector('.explorer button').click()")
    assert browser.value(look) == before
    compare(name, {}, browser.value(f"{FIGURE}.explorer.set({{}})"))


def test_the_address_shows_the_same_run_to_whoever_opens_it(opened, browser):
    name, language = opened
    parameter, value = SLIDERS[name]
    moved = (
        f"(() => {{ const one = {FIGURE}.querySelector('[data-parameter={parameter}]'); one.value = {value};"
        " one.dispatchEvent(new Event('input')); return location.hash; })()"
    )
    address = browser.value(moved)
    assert address == f"#figure-explorer_figure?{parameter}={value}"
    browser.value(f"{FIGURE}.querySelector('.explorer button').click()")
    assert browser.value("location.hash") == "#figure-explorer_figure"
    # a value out of range and a parameter without a slider are left where they are
    go = "new Promise(ok => {{ onhashchange = ok; location.hash = '{}'; }}).then(() => 1)"
    browser.value(go.format(f"{address.replace(str(value), '1e9')}&x=1"))
    compare(name, {}, browser.value(f"{FIGURE}.explorer.set({{}})"))
    browser.value(go.format(address))
    compare(name, {parameter: value}, browser.value(f"{FIGURE}.explorer.set({{}})"))
    browser.value("URL.createObjectURL = (blob) => { window.saved = blob; return '#'; }")
    browser.value(f"{FIGURE}.querySelector('.save').click()")
    head, *rows = browser.value("saved.text()").splitlines()
    mode, start, days = MODES[name]
    assert head.split(",") == ["day", *(state.name for state in mode.states)]
    wanted = integrate(mode, {parameter: value}, days, "rk4", 1.0, start).values
    np.testing.assert_allclose([[*map(float, row.split(","))][1:] for row in rows], wanted, rtol=0, atol=1e-9)
    browser.value(f"{FIGURE}.querySelector('.explorer button').click()")


def test_every_slider_has_its_declared_range_and_its_words(opened, browser):
    name, language = opened
    found = browser.value(
        f"[...{FIGURE}.querySelectorAll('input')].map(e => [e.dataset.parameter, +e.min, +e.max,"
        " +e.value, document.querySelector(`label[for='${e.id}']`).textContent])"
    )
    assert len(found) >= 5
    for key, low, high, value, words in found:
        declared = MODES[name][0].parameter[key]
        assert (low, high, value) == (declared.lower, declared.upper, declared.default)
        assert words == (CHINESE(declared.words) if language == "zh" else declared.words) + declared.symbol


def test_it_asks_for_nothing_fits_the_screen_and_is_drawn(opened, reports, browser):
    name, language = opened
    for screen in VIEWS.values():
        browser.view(**screen)
        assert browser.value("document.scrollingElement.scrollWidth") <= screen.get("width", 1280)
        inside = f"(e => e.scrollWidth - e.clientWidth)({FIGURE}.querySelector('.explorer'))"
        assert browser.value(inside) <= 1  # its parts stand one below the other
        browser.value(f"{FIGURE}.querySelector('.chart').scrollIntoView({{behavior: 'instant'}})")
        box = browser.value(
            f"(() => {{ const r = {FIGURE}.querySelector('.chart svg').getBoundingClientRect();"
            " return [r.width, r.height]; })()"
        )
        assert box[0] > 300
        assert box[1] > 120
        assert np.asarray(Image.open(io.BytesIO(browser.screenshot())).convert("L"), dtype=float).std() > 10
    browser.view()
    assert browser.requests() == [(reports / language / f"{name}.html").as_uri()]
    assert browser.complaints() == []


def test_its_words_are_set_in_the_embedded_font(opened, browser):
    name, language = opened
    root = browser.call("DOM.getDocument")["root"]["nodeId"]
    browser.call("CSS.enable")
    for part in (".verdict", ".loops p", ".axis", ".legend span", ".controls label", "button"):
        node = browser.call("DOM.querySelector", nodeId=root, selector=f"#figure-explorer_figure {part}")["nodeId"]
        used = browser.call("CSS.getPlatformFontsForNode", nodeId=node)["fonts"]
        assert used, part
        assert all(font["isCustomFont"] for font in used), (part, used)
