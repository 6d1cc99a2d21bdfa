"""The survey page as a researcher meets it: from a file to its report by mouse, by keyboard alone, on a phone."""

from __future__ import annotations

import http.client
import json
import re
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

import surveysem
from surveysem import Truth, draw_respondents, load_codebook
from tests.browser import Browser

pytestmark = [pytest.mark.browser, pytest.mark.slow]
WORDS = Path(surveysem.__file__).parent / "app" / "words.toml"


class Page:
    """The page in a browser, and the server behind it."""

    def __init__(self, browser: Browser, address: str, server: int) -> None:
        self.browser, self.address, self.server = browser, address, psutil.Process(server)
        self.home = address.partition("?")[0]

    def wait(self, expression: str, seconds: float = 120) -> None:
        begun = time.monotonic()
        while not self.browser.value(f"document.readyState === 'complete' && !!({expression})"):
            waited = time.monotonic() - begun
            assert waited < seconds, (expression, self.text("body")[-800:], self.browser.complaints())
            time.sleep(min(max(0.05, waited / 4), 1))

    def open(self, language: str, file: Path | None = None) -> None:
        """Show the page in a language with nothing chosen, and with a file, sent by a request, where one is named.

        It is loaded only where the test before left another place or another language behind.
        """
        self.browser.view()
        here = f"location.href === '{self.home}' && document.documentElement.lang.startsWith('{language}')"
        if not self.browser.value(here):
            for address in (self.address, f"{self.home}?language={language}"):
                self.browser.call("Page.navigate", url=address)
                self.wait(f"location.href === '{self.home}' && !!document.getElementById('begin')")
            self.wait(f"{here} && (facts || !$('begin').hidden)")
        self.browser.events.clear()
        if file:
            body, name = json.dumps(file.read_text(encoding="utf-8-sig")), json.dumps(file.name)
            self.browser.value(f"given(() => api('PUT', '/api/file?name=' + {name}, {body}))")
            self.wait("document.querySelector('.chip')")

    def words(self, language: str, key: str) -> str:
        """Return a sentence of the page."""
        return tomllib.loads(WORDS.read_text(encoding="utf-8"))[key][language]

    def text(self, selector: str) -> str:
        return self.browser.value(f"document.querySelector({json.dumps(selector)}).innerText")

    def saved(self) -> None:
        """Wait until the server has the model as it is shown."""
        self.wait("!timer && sending")
        self.browser.value("sending")

    def choose(self, *paths: Path) -> None:
        """Choose files in the dialog that the browser has just opened."""
        until = time.monotonic() + 30
        while not (asked := [e for e in self.browser.events if e["method"] == "Page.fileChooserOpened"]):
            assert time.monotonic() < until, "no dialog"
            self.browser.value("1")
        self.browser.events.remove(asked[0])
        node = asked[0]["params"]["backendNodeId"]
        self.browser.value("facts && (facts.before = true)")  # a file of the same name may be open already
        taken = "!$('notice').hidden || (facts && !facts.before && document.querySelector('.chip'))"
        # two of thirty times, on a busy machine, the browser told the page of no file, or answered no to its question
        for patience in (30, 30, 120):
            self.browser.call("DOM.setFileInputFiles", files=[*map(str, paths)], backendNodeId=node)
            try:
                self.wait(f"{taken} || $('work').inert", patience)
                break  # it was told, and reads
            except AssertionError:
                if patience == 120:
                    raise
        self.wait(taken)

    def tab_to(self, selector: str) -> None:
        """Press Tab until what the selector finds has the focus."""
        for _ in range(120):
            if self.browser.value(f"!!document.activeElement?.matches({json.dumps(selector)})"):
                return
            self.browser.press("Tab")
        raise AssertionError(f"{selector} is not reached by Tab")

    def option(self, label: str) -> None:
        """Choose an option of the list that has the focus, by the arrows."""
        chosen = "document.activeElement.selectedOptions[0].textContent"
        for key in 12 * ["ArrowUp"] + 12 * ["ArrowDown"]:
            if self.browser.value(chosen).startswith(label):
                return
            self.browser.press(key)
        raise AssertionError(f"no option {label}")

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
    yield Page(browser, server.stdout.readline().strip(), server.pid)
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
    assert [said for said in page.browser.complaints() if "409 (Conflict)" not in said] == []  # a second run is refused


def click(page: Page, selector: str) -> None:
    """Click as a mouse does."""
    page.browser.drag(selector, selector)


def with_path(page: Page) -> None:
    page.browser.value("model.paths.length || connect(model.constructs[0].name, model.constructs[1].name)")
    page.saved()


def test_from_a_file_to_its_report_by_mouse_in_english(page, answers):
    """And nothing of the page is seen from the report, opened by itself too."""
    browser = page.browser
    page.open("en")
    click(page, "#open" if browser.value("$('begin').hidden") else "#open-first")
    page.choose(answers)
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
    browser.value("$('estimator').value = 'MLR'; $('draws').value = '200'; $('report-language').value = 'en'")
    click(page, "#start")
    page.wait("$('state').textContent.includes(': step ') && $('progress').value > 0", 600)
    assert browser.value("$('start').disabled && !$('cancel').hidden")
    browser.value("start()")
    assert page.text("#notice") == page.words("en", "busy")
    assert page.report() == "Report on a survey"
    assert re.fullmatch(r"Done in [\d.]+ s", page.text("#state"))
    only_this_machine(page)
    book = browser.value("fetch('/codebook.toml').then(answer => answer.text())")
    assert '[paths]\nR = ["W"]\n' in book
    assert browser.value("fetch('/report.zip').then(a => a.blob()).then(b => b.size)") > 100_000
    assert browser.value("$('stale').hidden")
    click(page, "#i1")
    click(page, "#reversed")
    page.saved()
    browser.value("watch()")
    assert not browser.value("$('stale').hidden")
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
    page.tab_to("#open" if browser.value("$('begin').hidden") else "#open-first")
    browser.press("Enter")
    page.choose(answers)
    assert browser.value("document.documentElement.lang") == "zh-CN"
    for item, box, after in (("6", "R", "i6"), ("1", "E", "i2"), ("1", "W", "")):
        page.tab_to(f"#i{item}")
        browser.press("Enter")
        page.wait("document.activeElement.id === 'move-to'")
        page.option(box)
        browser.press("Enter")
        if after:  # the next, which often goes the same way
            page.wait(f"document.activeElement.id === '{after}'")
    assert constructs(page) == {"W": ["W2", "W3", "W1"], "R": ["R1", "R2", "W4"], "E": ["E1", "E2", "E3"]}
    page.tab_to("#n0")
    browser.press("Enter")
    browser.press("ArrowRight")
    browser.press("Enter")
    page.tab_to("#sign0")
    browser.press("ArrowDown")
    page.saved()
    assert browser.value("model.paths") == [{"from": "W", "to": "R", "sign": -1}]
    for control, label in (("draws", "200"), ("estimator", "PLS"), ("report-language", "\u4e2d\u6587")):
        page.tab_to(f"#{control}")
        page.option(label)
    page.tab_to("#start")
    browser.press("Enter")
    page.wait("state === 'running'")
    browser.value("start()")
    assert page.text("#notice") == page.words("zh", "busy")
    assert re.search("[\u4e00-\u9fff]", page.report())
    said = page.text("main") + page.text("header")
    words = {*re.findall(r"[A-Za-z]{3,}", said)}
    assert words <= {"BRANCH", "tiny", "csv", "English", "MLR", "WLSMV", "PLS", "zip", "toml"}, "no English"
    only_this_machine(page)


def test_it_fits_a_phone_and_an_item_is_moved_by_touch(page, answers):
    """The page keeps model and choices when it is loaded again."""
    browser = page.browser
    page.open("zh", answers)
    with_path(page)
    browser.value(
        "$('estimator').value = 'PLS'; $('estimator').onchange(); $('draws').value = '200'; $('draws').onchange()"
    )
    browser.view(width=390, height=844, dark=True)
    browser.call("Page.reload")
    page.wait("facts && document.querySelectorAll('.chip').length === 10")
    assert browser.value("document.scrollingElement.scrollWidth") <= 390
    assert browser.value("[model.paths.length, $('estimator').value, $('draws').value]") == [1, "PLS", "200"]
    middle = "(r => [r.x + r.width / 2, r.y + r.height / 2])(document.querySelector('%s').getBoundingClientRect())"
    browser.value("document.querySelector('[data-box=c1]').scrollIntoView({block: 'center', behavior: 'instant'})")
    (x, y), (u, v) = browser.value(middle % "#i6 .grip"), browser.value(middle % "[data-box=c1]")
    points: list[dict[str, Any]] = [{"x": x + (u - x) * k / 4, "y": y + (v - y) * k / 4} for k in range(5)]
    browser.call("Input.dispatchTouchEvent", type="touchStart", touchPoints=points[:1])
    for point in points[1:]:
        browser.call("Input.dispatchTouchEvent", type="touchMove", touchPoints=[point])
    browser.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
    page.wait("home(6).key === 'c1'")
    names = "[...document.querySelectorAll('button, select, input, a, [role=button]')].filter(each => !each.hidden)"
    unnamed = f"{names}.filter(e => !(e.ariaLabel || e.labels?.length || e.textContent.trim())).map(e => e.outerHTML)"
    assert browser.value(unnamed) == []
    page.saved()


OWN = """hypotheses = { H1a = "R ~ W", H1b = "R ~ E ~ W" }
[paths]
R = ["W", "-E"]
E = ["W"]
[constructs.W]
en = "Welcome"
zh = "\u63a5\u5f85"
items = ["W1", "-W2", "W3"]
[constructs.R]
items = ["R1", "R2", "W4"]
[constructs.E]
items = ["E1", "E2"]
"""


@pytest.mark.parametrize(
    ("language", "title", "hypothesis", "lacks"),
    [("en", "Welcome", "Hypothesis: H1b = R ~ E ~ W", "no column for E9"),
     ("zh", "\u63a5\u5f85", "\u5047\u8bbe\uff1aH1b = R ~ E ~ W", "E9")],
)  # fmt: skip
def test_a_codebook_is_opened_with_its_answers(page, answers, tmp_path, language, title, hypothesis, lacks):
    """Both chosen at once; a path is taken away, and the hypothesis on it; another codebook asks for another column."""
    browser = page.browser
    (tmp_path / "own.toml").write_text(OWN, encoding="utf-8")
    (tmp_path / "other.toml").write_text(OWN.replace('"E2"', '"E9"'), encoding="utf-8")
    page.open(language)
    click(page, "#open" if browser.value("$('begin').hidden") else "#open-first")
    page.choose(tmp_path / "own.toml", answers)
    assert constructs(page) == {title: ["W1", "W2", "W3"], "R": ["R1", "R2", "W4"], "E": ["E1", "E2"]}
    assert browser.value("model.paths.map(({from, to, sign}) => [from, to, sign])") == [
        ["W", "R", 1], ["E", "R", -1], ["W", "E", 1],
    ]  # fmt: skip
    assert browser.value("[home(10).key, home(9).key, model.reversed]") == ["left", "left", [2]]
    assert browser.value("$('asked').hidden && $('guessed').hidden && !$('start').disabled")
    assert hypothesis in page.text("#kept")
    click(page, "#remove2")
    page.saved()
    assert "E ~ W" in page.text("#told")
    assert browser.value("$('start').disabled")
    click(page, "#drop1")
    page.saved()
    assert not browser.value("$('start').disabled")
    browser.agrees = True
    click(page, "#open-codebook")
    page.choose(tmp_path / "other.toml")
    page.wait("!$('notice').hidden")
    assert lacks in page.text("#notice")
    assert browser.value("model.kept") == ['hypotheses."H1a" = "R ~ W"']


SIX = """
  model.constructs = [0, 1, 2, 3, 4, 5].map(k => ({name: `F${k}`, was: "", titles: {}, items: [1], parts: []}));
  model.paths = [0, 1, 2, 3, 4].map(k => ({from: `F${k}`, to: `F${k + 1}`, sign: 1}));
  draw_diagram();
  const box = $("n4").getBoundingClientRect(), [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  const fire = (kind, x) => $("n4").dispatchEvent(new PointerEvent(kind, {clientX: x, clientY: y, bubbles: true}));
  fire("pointerdown", x);
  fire("pointermove", x + 90);
  const end = $("diagram").querySelector(".drawing").getBoundingClientRect().right;
  fire("pointercancel", x);
  return [$("diagram").getBoundingClientRect().width, document.querySelector(".scroll").clientWidth, end - x];"""


def test_six_constructs_in_a_row_are_seen_whole_and_a_path_ends_where_the_pointer_is(page, answers):
    """The diagram shrinks to its place, and letters stay to be read."""
    page.open("en", answers)
    wide, place, reached = page.browser.value(f"(() => {{ {SIX} }})()")
    assert wide <= place
    assert reached == pytest.approx(90, abs=2)
    page.browser.view(width=390, height=844)
    page.wait("$('diagram').getBoundingClientRect().width >= 1340")


def test_what_runs_is_said_and_not_what_is_finished(page):
    """One notebook ends long before the other, whose long steps say how far they are; a PLS report has one alone."""
    page.open("en")
    told = """(() => {
      [parts, cells, doing] = [{}, {}, {}];
      for (const name of ["measurement", "structure"]) read_event(["cell", name, 27, 51]);
      const at_first = Object.values(doing).length;
      read_line("measurement: built in 3.0 s");
      const before = parts.structure;
      read_event(["draws", "permutations", 250, 1000]);
      const within = [parts.structure > before, parts.structure < 28 / 53, Object.values(doing).at(-1)];
      read_event(["draws", "permutations", 1000, 1000]);
      read_event(["draws", "resamples", 0, 1000]);
      read_event(["cell", "structure", 28, 51]);
      const ends = ["structure: never built", "open report/index.html"].map(read_line);
      return [at_first, within, Object.keys(doing), ...ends];
    })()"""
    within = [True, True, "permutations of the groups: 250 of 1,000"]
    assert page.browser.value(told) == [2, within, ["structure"], "", ""]


def test_another_file_takes_the_place_of_a_model_only_if_the_reader_agrees(page, answers):
    browser = page.browser
    page.open("en", answers)
    with_path(page)
    revision = browser.value("revision")
    browser.agrees = False
    assert browser.value("upload([{name: 'other.csv', size: 9}])") is None
    browser.agrees = True
    assert browser.value("revision") == revision
    asked = [event["params"] for event in browser.events if event["method"] == "Page.javascriptDialogOpening"]
    assert "other.csv" in asked[-1]["message"]


def test_a_run_that_is_killed_from_outside_is_said_in_the_page_s_language(page, answers):
    page.open("en", answers)
    with_path(page)
    page.browser.value("start()")
    while not (started := [each for each in page.server.children() if "report" in each.cmdline()]):
        time.sleep(0.02)
    started[0].kill()
    page.wait("state === 'killed'")
    for language in ("en", "zh"):
        page.open(language)
        page.wait("state === 'killed'")
        assert page.text("#state") == page.words(language, "killed")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_another_tab_changed_is_shown_and_said(page, answers, language):
    page.open(language, answers)
    page.browser.value("api('POST', '/api/state', JSON.stringify({revision, model: {...model, decided: [7]}}))")
    with_path(page)
    page.wait("!$('notice').hidden")
    assert page.text("#notice") == page.words(language, "other_tab")
    assert page.browser.value("[model.paths.length, model.decided]") == [0, [7]]


def test_headings_like_html_and_formulas_are_shown_as_they_are(page, answers, tmp_path):
    heads = ["<img src=x onerror=document.title='!'>", "=cmd|' /C calc'!A0"]
    lines = answers.read_text(encoding="utf-8-sig").splitlines()
    (tmp_path / "heads.csv").write_text("\n".join([",".join([*lines[0].split(",")[:8], *heads]), *lines[1:]]), "utf-8")
    page.open("en", tmp_path / "heads.csv")
    shown = page.browser.value("[...document.querySelectorAll('.chip .text')].map(each => each.textContent)")
    assert {*heads} <= {*shown}
    assert page.browser.value("document.querySelectorAll('img').length") == 0
    assert page.browser.value("document.title") == page.words("en", "title")


MANY = """
  model.constructs = Array.from({length: 17},
    (_, k) => ({name: `F${k}`, was: "", titles: {en: titles[k % titles.length]}, items: [1], parts: []}));
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
def test_seventeen_constructs_overlap_nowhere(page, answers, width):
    """Long names in both scripts; six arrows to one construct; arrows that pass others by."""
    page.open("en", answers)
    page.browser.view(width=width, height=900)
    if width < 600:  # a phone is as narrow from the start
        page.browser.call("Page.reload")
        page.wait("facts && document.querySelector('.chip')")
    page.browser.value(f"(() => {{ const titles = {json.dumps(TITLES)}; {MANY} }})()")
    assert page.browser.value("document.querySelectorAll('.node').length") == 17
    for what in (INSIDE, THROUGH, APART):
        assert page.browser.value(what) == []
    ends = page.browser.value(ENDS)
    assert len(ends) == len({*ends}) == 18
    assert page.browser.value("document.scrollingElement.scrollWidth") <= width


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "bad.csv has a heading and no rows"),
        ("zh", "bad.csv\u53ea\u6709\u6807\u9898\u884c\uff0c\u6ca1\u6709\u6570\u636e"),
    ],
)
def test_a_file_that_is_too_large_or_bad_is_said_in_the_page_s_language(page, answers, tmp_path, language, said):
    browser = page.browser
    page.open(language, answers)
    large = browser.value("upload([{name: 'a.csv', size: 2 ** 26 + 1}]), $('notice').textContent")
    assert (large.startswith("a.csv"), "64 MB" in large) == (True, True)
    (tmp_path / "bad.csv").write_text("a,b\n", encoding="utf-8")
    click(page, "#open")
    page.choose(tmp_path / "bad.csv")
    page.wait(f"$('notice').textContent.includes({json.dumps(said)})")
    assert browser.value("facts.file") == "tiny.csv"
