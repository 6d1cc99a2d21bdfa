"""The survey page as a researcher meets it: from a file to its report by mouse, by keyboard alone, on a phone."""

from __future__ import annotations

import http.client
import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import surveysem
from surveysem import Truth, draw_respondents, load_codebook
from tests.browser import Browser

pytestmark = [pytest.mark.browser, pytest.mark.slow]


class Page:
    """The page in a browser, and the server behind it."""

    def __init__(self, browser: Browser, address: str) -> None:
        self.browser, self.address = browser, address
        self.home = address.partition("?")[0]

    def wait(self, expression: str, seconds: float = 120) -> None:
        until = time.monotonic() + seconds
        while not self.browser.value(f"document.readyState === 'complete' && !!({expression})"):
            assert time.monotonic() < until, (expression, self.text("body")[-800:], self.browser.complaints())
            time.sleep(0.1)

    def open(self, language: str) -> None:
        self.browser.view()
        self.browser.events.clear()
        for address in (self.address, f"{self.home}?language={language}"):
            self.browser.call("Page.navigate", url=address)
            self.wait(f"location.href === '{self.home}' && !!document.getElementById('begin')")
        self.wait(f"document.documentElement.lang.startsWith('{language}') && (facts || !$('begin').hidden)")

    def text(self, selector: str) -> str:
        return self.browser.value(f"document.querySelector({json.dumps(selector)}).innerText")

    def saved(self) -> None:
        """Wait until the server has the model as it is shown."""
        self.wait("!timer && sending")
        self.browser.value("sending")

    def choose_file(self, path: Path) -> None:
        """Choose a file in the dialog that the browser has just opened."""
        until = time.monotonic() + 30
        while not (asked := [e for e in self.browser.events if e["method"] == "Page.fileChooserOpened"]):
            assert time.monotonic() < until, "no dialog"
            self.browser.value("1")
        self.browser.events.remove(asked[0])
        node = asked[0]["params"]["backendNodeId"]
        self.browser.value("facts && (facts.before = true)")  # a file of the same name may be open already
        self.browser.call("DOM.setFileInputFiles", files=[str(path)], backendNodeId=node)
        self.wait(f"facts?.file === {json.dumps(path.name)} && !facts.before && document.querySelector('.chip')")

    def tab_to(self, selector: str) -> None:
        """Press Tab until what the selector finds has the focus."""
        for _ in range(120):
            if self.browser.value(f"!!document.activeElement?.matches({json.dumps(selector)})"):
                return
            self.browser.press("Tab")
        raise AssertionError(f"{selector} is not reached by Tab")

    def option(self, label: str) -> None:
        """Choose an option of the list that has the focus, by its first letters."""
        for sign in label:
            self.browser.call("Input.dispatchKeyEvent", type="keyDown", key=sign, text=sign)
            self.browser.call("Input.dispatchKeyEvent", type="keyUp", key=sign)
        chosen = "document.activeElement.selectedOptions[0].textContent"
        self.wait(f"{chosen}.startsWith({json.dumps(label)})")
        time.sleep(1.1)  # what is typed sooner would go on with the same word

    def report(self) -> str:
        """Wait for the report and return what its frame shows."""
        self.wait("!$('report').hidden || $('state').className", 600)
        assert self.browser.value("$('state').className") == "", self.text("#log")
        self.wait("$('frame').src.includes('/report/')")
        until = time.monotonic() + 60
        while time.monotonic() < until:
            frame = self.browser.frame("/report/")
            if frame and (shown := self.browser.value("document.querySelector('h1')?.textContent", frame)):
                return shown
            time.sleep(0.2)
        raise AssertionError("the frame shows nothing")


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny survey whose last item is named after the other construct."""
    sample = draw_respondents(Truth(load_codebook(surveysem.TEMPLATE)), 90, seed=1).cells
    place = tmp_path_factory.mktemp("answers") / "tiny.csv"
    sample = sample[["W1", "W2", "W3", "R1", "R2", "R3", "E1", "E2", "E3", "BRANCH"]].rename(columns={"R3": "W4"})
    sample.to_csv(place, index=False)
    return place


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    command = [sys.executable, "-m", "surveysem", "app", "--no-browser"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert server.stdout
    browser.call("Page.setInterceptFileChooserDialog", enabled=True)
    yield Page(browser, server.stdout.readline().strip())
    server.send_signal(signal.SIGTERM)
    said = server.communicate(timeout=60)[1]
    assert (server.returncode, "Traceback" in said) == (143, False), said
    browser.view()


def constructs(page: Page) -> dict[str, list[str]]:
    shown = "Object.fromEntries(model.constructs.map(c => [title(c), c.items.map(i => facts.columns[i].heading)]))"
    return page.browser.value(shown)


def only_this_machine(page: Page) -> None:
    asked = page.browser.requests()
    assert asked
    assert [address for address in asked if not address.startswith(page.home)] == []
    assert page.browser.complaints() == []


def click(page: Page, selector: str) -> None:
    """Click as a mouse does."""
    page.browser.drag(selector, selector)


def test_from_a_file_to_its_report_by_mouse_in_english(page, answers):
    browser = page.browser
    page.open("en")
    click(page, "#open-first")
    page.choose_file(answers)
    assert constructs(page) == {"W": ["W1", "W2", "W3", "W4"], "R": ["R1", "R2"], "E": ["E1", "E2", "E3"]}
    assert "Draw at least one path" in page.text("#told")
    browser.drag("#i6", "[data-box=c1]")
    assert constructs(page) == {"W": ["W1", "W2", "W3"], "R": ["R1", "R2", "W4"], "E": ["E1", "E2", "E3"]}
    browser.drag("#n0", "#n1")
    browser.drag("#n1", "#n0")
    assert "would close a circle" in page.text("#notice")
    assert browser.value("model.paths") == [{"from": "W", "to": "R", "sign": 1}]
    browser.value("$('name-c0').value = 'Warm <b>welcome</b>'; $('name-c0').onchange()")
    page.saved()
    assert "Warm <b>welcome</b>" in constructs(page)
    assert browser.value("document.querySelectorAll('main b').length") == 0
    assert page.text("#told") == "The file is read with this model: 90 respondents."
    assert browser.value("document.querySelectorAll('#diagram .path').length") == 1
    browser.value("$('draws').value = '200'; $('report-language').value = 'en'")
    click(page, "#start")
    page.wait("$('state').textContent.includes(': step ') && $('progress').value > 0", 600)
    assert browser.value("$('start').disabled && !$('cancel').hidden")
    assert page.report() == "Report on a survey"
    assert re.fullmatch(r"Done in [\d.]+ s", page.text("#state"))
    only_this_machine(page)
    book = browser.value("fetch('/codebook.toml').then(answer => answer.text())")
    assert 'paths = [\n  "R ~ W",\n]' in book
    assert browser.value("fetch('/report.zip').then(a => a.blob()).then(b => b.size)") > 100_000
    assert browser.value("$('stale').hidden")
    click(page, "#i1")
    click(page, "#reversed")
    page.saved()
    browser.value("watch()")
    assert not browser.value("$('stale').hidden")


def test_a_report_sees_nothing_of_the_page(page):
    """Opened by itself too: the run of the test before."""
    browser = page.browser
    address = browser.value("$('tab').href")
    browser.call("Page.navigate", url=address)
    page.wait("document.title === 'Report on a survey'")
    assert browser.value("fetch('/api/state').then(answer => answer.status, () => 'refused')") == "refused"
    assert browser.value("(() => { try { return document.cookie } catch { return 'refused' } })()") == "refused"
    line = http.client.HTTPConnection(page.home.strip("/").rpartition("/")[2], timeout=30)
    path = "/report/" + address.partition("/report/")[2]
    for wanted, asked in (
        (200, path),
        (404, re.sub("/report/[^/]+", "/report/" + 43 * "x", path)),
        (404, "/report//index.html"),
        (403, path.replace("index.html", "../codebook.toml")),
    ):
        line.request("GET", asked)
        answer = line.getresponse()
        answer.read()
        assert answer.status == wanted, asked
        if wanted == 200:
            rules = {rule.strip() for rule in answer.headers["Content-Security-Policy"].split(";")}
            assert "frame-ancestors 'self'" in rules
            assert not any("allow-same-origin" in rule for rule in rules if rule.startswith("sandbox"))
            assert any(rule.startswith("sandbox ") for rule in rules)
    line.close()


def test_from_a_file_to_its_report_by_keyboard_alone_in_chinese(page, answers):
    browser = page.browser
    page.open("zh")
    page.tab_to("#open")
    browser.press("Enter")
    page.choose_file(answers)
    assert browser.value("document.documentElement.lang") == "zh-CN"
    page.tab_to("#i6")
    browser.press("Enter")
    page.wait("document.activeElement.id === 'move-to'")
    page.option("R")
    browser.press("Enter")
    assert constructs(page) == {"W": ["W1", "W2", "W3"], "R": ["R1", "R2", "W4"], "E": ["E1", "E2", "E3"]}
    page.wait("document.activeElement.id === 'i6'")
    page.tab_to("#i1")
    browser.press("Enter")
    page.wait("document.activeElement.id === 'move-to'")
    page.option("E")
    browser.press("Enter")
    page.wait("document.activeElement.id === 'i2'")  # the next, which often goes the same way
    page.tab_to("#i1")
    browser.press("Enter")
    page.wait("document.activeElement.id === 'move-to'")
    page.option("W")
    browser.press("Enter")
    page.tab_to("#n0")
    browser.press("Enter")
    page.tab_to("#n1")
    browser.press("Enter")
    page.tab_to("#sign0")
    browser.press("ArrowDown")
    page.saved()
    assert browser.value("model.paths") == [{"from": "W", "to": "R", "sign": -1}]
    page.tab_to("#draws")
    page.option("2")
    page.tab_to("#estimator")
    for _ in range(3):
        browser.press("ArrowDown")
    page.wait("$('estimator').value === 'PLS'")
    page.tab_to("#report-language")
    browser.press("ArrowDown")
    browser.press("ArrowDown")
    page.wait("$('report-language').value === 'zh'")
    page.tab_to("#start")
    browser.press("Enter")
    assert re.search("[\u4e00-\u9fff]", page.report())
    said = page.text("main") + page.text("header")
    words = {*re.findall(r"[A-Za-z]{3,}", said)} - {"BRANCH", "tiny", "csv", "English", "MLR", "WLSMV", "PLS", "zip"}
    assert words == set(), "no English on the Chinese page"
    only_this_machine(page)


def test_it_fits_a_phone_and_an_item_is_moved_by_touch(page):
    """What the test before left; the page keeps it when it is loaded again."""
    browser = page.browser
    browser.view(width=390, height=844, dark=True)
    browser.call("Page.reload")
    page.wait("facts && document.querySelectorAll('.chip').length === 10")
    assert browser.value("document.scrollingElement.scrollWidth") <= 390
    assert browser.value("[model.paths.length, $('estimator').value, $('draws').value]") == [1, "PLS", "200"]
    middle = "(r => [r.x + r.width / 2, r.y + r.height / 2])(document.querySelector('%s').getBoundingClientRect())"
    browser.value("document.querySelector('[data-box=c0]').scrollIntoView({block: 'center', behavior: 'instant'})")
    (x, y), (u, v) = browser.value(middle % "#i6 .grip"), browser.value(middle % "[data-box=c0]")
    points: list[dict[str, Any]] = [{"x": x + (u - x) * k / 4, "y": y + (v - y) * k / 4} for k in range(5)]
    browser.call("Input.dispatchTouchEvent", type="touchStart", touchPoints=points[:1])
    for point in points[1:]:
        browser.call("Input.dispatchTouchEvent", type="touchMove", touchPoints=[point])
    browser.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
    page.wait("home(6).key === 'c0'")
    names = "[...document.querySelectorAll('button, select, input, a, [role=button]')].filter(each => !each.hidden)"
    unnamed = f"{names}.filter(e => !(e.ariaLabel || e.labels?.length || e.textContent.trim())).map(e => e.outerHTML)"
    assert browser.value(unnamed) == []
    browser.view()
    page.saved()


def something_open(page: Page) -> None:
    """Open the example where a test runs alone, without those before."""
    if not page.browser.value("location.href").startswith(page.home):
        page.open("zh")
    page.wait("facts ? document.querySelector('.chip') : !$('begin').hidden")
    if not page.browser.value("facts"):
        page.browser.value("given(() => api('POST', '/api/file'))")
        page.wait("facts && document.querySelector('.chip')")


SIX = """
  model.constructs = [0, 1, 2, 3, 4, 5].map(k => ({name: `F${k}`, was: "", title: "", items: [1]}));
  model.paths = [0, 1, 2, 3, 4].map(k => ({from: `F${k}`, to: `F${k + 1}`, sign: 1}));
  draw_diagram();
  const box = $("n4").getBoundingClientRect(), [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  const fire = (kind, x) => $("n4").dispatchEvent(new PointerEvent(kind, {clientX: x, clientY: y, bubbles: true}));
  fire("pointerdown", x);
  fire("pointermove", x + 90);
  const end = $("diagram").querySelector(".drawing").getBoundingClientRect().right;
  fire("pointercancel", x);
  return [$("diagram").getBoundingClientRect().width, document.querySelector(".scroll").clientWidth, end - x];"""


def test_six_constructs_in_a_row_are_seen_whole_and_a_path_ends_where_the_pointer_is(page):
    """The diagram shrinks to its place, and letters stay to be read."""
    something_open(page)
    wide, place, reached = page.browser.value(f"(() => {{ {SIX} }})()")
    assert wide <= place
    assert reached == pytest.approx(90, abs=2)
    page.browser.view(width=390, height=844)
    page.wait("$('diagram').getBoundingClientRect().width >= 1340")
    page.browser.view()
    page.browser.value("load()")


def test_what_runs_is_said_and_not_what_is_finished(page):
    """One notebook ends long before the other; a PLS report has one alone."""
    something_open(page)
    told = """(() => {
      [parts, doing] = [{}, {}];
      for (const name of ["measurement", "structure"]) read_event(["cell", name, 27, 51]);
      const at_first = Object.values(doing).length;
      read_line("measurement: built in 3.0 s");
      return [at_first, Object.keys(doing), read_line("structure: never built"), read_line("open report/index.html")];
    })()"""
    assert page.browser.value(told) == [2, ["structure"], "", ""]
    page.browser.value("load()")


def test_another_file_takes_the_place_of_a_model_only_if_the_reader_agrees(page):
    browser = page.browser
    something_open(page)
    browser.value("model.paths.length || connect(model.constructs[0].name, model.constructs[1].name)")
    page.saved()
    revision = browser.value("revision")
    browser.agrees = False
    assert browser.value("upload({name: 'other.csv', size: 9})") is None
    browser.agrees = True
    assert browser.value("revision") == revision
    asked = [event["params"] for event in browser.events if event["method"] == "Page.javascriptDialogOpening"]
    assert "other.csv" in asked[-1]["message"]


MANY = """
  model.constructs = Array.from({length: 17},
    (_, k) => ({name: `F${k}`, was: "", title: titles[k % titles.length], items: [1]}));
  const ways = [[0, 12], [1, 12], [2, 12], [3, 12], [4, 12], [4, 13], [5, 13], [6, 13], [7, 13], [8, 13], [9, 13],
    [10, 14], [11, 15], [12, 14], [13, 14], [12, 15], [14, 15], [0, 15]];
  model.paths = ways.map(([from, to], k) => ({from: `F${from}`, to: `F${to}`, sign: k % 5 ? 1 : -1}));
  draw_diagram();"""
TITLES = ["Perceived segmentation fit", "Trust", "感知物流服务质量与配送的及时性", "Internationalisation-readiness",
          "Data-driven personalisation of offers", "WWWWWWWWWWWWWWWWWWWWWWWW"]  # fmt: skip
INSIDE = """[...document.querySelectorAll('.node')].flatMap(node => {
  const box = node.querySelector('rect').getBoundingClientRect();
  return [...node.querySelectorAll('text')].map(each => [each.textContent, each.getBoundingClientRect(), box])
    .filter(([, text, box]) => text.left < box.left || text.right > box.right || text.top < box.top
      || text.bottom > box.bottom)
    .map(([text]) => text);
})"""
THROUGH = """[...document.querySelectorAll('#diagram > .path')].flatMap(line => {
  const [from, to] = [line.getPointAtLength(0), line.getPointAtLength(line.getTotalLength())];
  const points = Array.from({length: 200}, (_, k) => line.getPointAtLength(line.getTotalLength() * k / 199));
  return Object.values(at).filter(({x, y}) => points.some(p => p.x > x + 1 && p.x < x + WIDE - 1
    && p.y > y + 1 && p.y < y + HIGH - 1
    && Math.hypot(p.x - from.x, p.y - from.y) > 8 && Math.hypot(p.x - to.x, p.y - to.y) > 28))
    .map(() => line.textContent);
})"""
ENDS = """[...document.querySelectorAll('#diagram > .path')]
  .map(line => line.getAttribute('d').match(/[\\d.]+ [\\d.]+$/)[0])"""
APART = """Object.values(at).flatMap((a, k, all) => all.slice(k + 1)
  .filter(b => Math.abs(a.x - b.x) < WIDE && Math.abs(a.y - b.y) < HIGH))"""


@pytest.mark.parametrize("width", [1280, 390])
def test_seventeen_constructs_overlap_nowhere(page, width):
    """Long names in both scripts; six arrows to one construct; arrows that pass others by."""
    something_open(page)
    page.browser.view(width=width, height=900)
    page.browser.call("Page.reload")  # a phone is as narrow from the start
    page.wait("facts && document.querySelector('.chip')")
    page.browser.value(f"(() => {{ const titles = {json.dumps(TITLES)}; {MANY} }})()")
    assert page.browser.value("document.querySelectorAll('.node').length") == 17
    for what in (INSIDE, THROUGH, APART):
        assert page.browser.value(what) == []
    ends = page.browser.value(ENDS)
    assert len(ends) == len({*ends}) == 18
    assert page.browser.value("document.scrollingElement.scrollWidth") <= width
    page.browser.view()
    page.browser.value("load()")
    page.wait("model.constructs.length < 17")


def test_a_file_that_is_too_large_or_bad_is_said_in_the_page_s_language(page, tmp_path):
    browser = page.browser
    assert browser.value("upload({name: 'a.csv', size: 2 ** 26 + 1}), $('notice').textContent").startswith("a.csv")
    (tmp_path / "bad.csv").write_text("a,b\n", encoding="utf-8")
    click(page, "#open")
    page.wait("true")
    until = time.monotonic() + 30
    while not (asked := [e for e in browser.events if e["method"] == "Page.fileChooserOpened"]):
        assert time.monotonic() < until
        browser.value("1")
    browser.call(
        "DOM.setFileInputFiles", files=[str(tmp_path / "bad.csv")], backendNodeId=asked[0]["params"]["backendNodeId"]
    )
    page.wait("$('notice').textContent.includes('bad.csv只有标题行，没有数据')")
    assert browser.value("facts.file") == "tiny.csv"
