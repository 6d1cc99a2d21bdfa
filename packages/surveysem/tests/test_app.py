"""The server of the page: each guard alone, bad files, runs refused, killed and cancelled, the model it is sent."""

from __future__ import annotations

import copy
import http.client
import json
import re
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import psutil
import pytest
from books import GYM, LARGE, SECOND, ZH

import surveysem
from surveysem import DataError, Defects, Truth, draw_respondents, load_codebook
from surveysem.__main__ import main
from surveysem.app import Refused, model, server
from surveysem.draft import draft_codebook
from surveysem.report import study_of
from surveysem.study import counting

pytestmark = pytest.mark.slow
HOME = Path(server.__file__).parent
WORDS = tomllib.loads((HOME / "words.toml").read_text(encoding="utf-8"))


def interruptible() -> None:
    """Let Ctrl-C end a process even where the tests run in a shell's background."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


class App:
    """A server of the page, and a client that knows its token."""

    def __init__(self, *options: str, before: Callable[[], None] = interruptible) -> None:
        command = [sys.executable, "-m", "surveysem", "app", "--no-browser", *options]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=before
        )
        assert self.process.stdout
        address = self.process.stdout.readline().strip()
        found = re.fullmatch(r"http://127\.0\.0\.1:(\d+)/\?token=([\w-]{43})", address)
        assert found, address + self.process.communicate()[1]
        self.port, self.token = int(found[1]), found[2]
        self.right = {"Cookie": f"surveysem-{self.port}={self.token}", "X-Surveysem": "1"}

    def ask(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> tuple[int, bytes]:
        """Return status and content; a body that is no bytes goes as JSON."""
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        sent = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        line.request(method, path, sent, self.right if headers is None else headers)
        answer = line.getresponse()
        self.headers = answer.headers
        content = answer.read()
        line.close()
        return answer.status, content

    def told(self, *asked: Any) -> tuple[int, dict[str, Any]]:
        status, content = self.ask(*asked)
        return status, json.loads(content)

    def state(self) -> dict[str, Any]:
        return self.told("GET", "/api/state")[1]

    def job(self, *states: str) -> dict[str, Any]:
        """Wait until the run is in one of these states."""
        until = time.monotonic() + 300
        while (job := self.told("GET", "/api/run")[1])["state"] not in states:
            assert time.monotonic() < until, job
            time.sleep(0.1)
        return job

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def folder(self) -> Path:
        """Where its work lies: nothing else holds a lock there."""
        (place,) = {
            Path(each.path).parent for each in psutil.Process(self.process.pid).open_files() if ".lock" in each.path
        }
        return place

    def end(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        self.process.communicate(timeout=60)
        return self.process.returncode


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny survey: two constructs of three items, a background question, an attention check."""
    sample = draw_respondents(Truth(load_codebook(surveysem.TEMPLATE)), 90, defects=Defects(failed_checks=3), seed=1)
    place = tmp_path_factory.mktemp("answers") / "tiny.csv"
    sample.cells[["W1", "W2", "W3", "R1", "R2", "R3", "BRANCH", "CHECK"]].to_csv(place, index=False)
    return place


@pytest.fixture(scope="module")
def app(answers: Path) -> Iterator[App]:
    started = App(str(answers))
    yield started
    assert started.end() == 130


def with_path(app: App) -> dict[str, Any]:
    """Let the model at hand have a path, as the page sends it."""
    state = app.state()
    state["model"]["paths"] = [{"from": "W", "to": "R", "sign": 1}]
    status, told = app.told("POST", "/api/state", {"revision": state["revision"], "model": state["model"]})
    assert (status, told["told"]["rows"]) == (200, 90)
    return app.state()


RUN = {"draws": 50, "language": "en", "estimator": "MLR", "screening": "drop"}


# ---- guards ----


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"Cookie": None}, "token"),
        ({"Cookie": "surveysem-{port}=" + 43 * "x"}, "token"),
        ({"Host": "evil.example"}, "host"),
        ({"Host": "127.0.0.1"}, "host"),
        ({"Origin": "http://evil.example"}, "origin"),
        ({"Origin": "null"}, "origin"),
        ({"Origin": "http://127.0.0.1:1"}, "origin"),
        ({"X-Surveysem": None}, "header"),
        ({"X-Surveysem": "2"}, "header"),
    ],
    ids=str,
)
def test_each_guard_refuses_alone(app, change, key):
    """All else is right; without the change the same is done."""
    state = app.state()
    body = {"revision": state["revision"], "model": state["model"]}
    origin = {"Origin": f"http://127.0.0.1:{app.port}"}
    assert app.told("POST", "/api/state", body, app.right | origin)[0] == 200
    changed = {name: text for name, text in (app.right | change).items() if text is not None}
    changed = {name: text.replace("{port}", str(app.port)) for name, text in changed.items()}
    assert app.told("POST", "/api/state", body | {"revision": state["revision"] + 1}, changed) == (403, {"key": key})
    assert app.state()["revision"] == state["revision"] + 1
    if key != "origin" and key != "header":  # of what changes nothing too
        for path in ("/", "/page.js", "/api/state", "/api/run", "/codebook.toml", "/report.zip", "/elsewhere"):
            status, content = app.ask("GET", path, None, changed)
            assert status == 403, path
            assert b"W1" not in content
        for language in ("en", "zh"):
            shown = app.ask("GET", "/", None, changed | {"Accept-Language": language})[1]
            assert WORDS[key][language].encode() in shown


def test_the_token_of_the_address_becomes_a_cookie_and_leaves_it(app):
    assert app.ask("GET", "/?token=" + 43 * "x", None, {})[0] == 403
    assert app.ask("GET", f"/?token={app.token}", None, {"Host": "evil.example"})[0] == 403
    assert app.ask("GET", f"/?token={app.token}", None, {})[0] == 302
    assert app.headers["Location"] == "/"
    cookie = app.headers["Set-Cookie"]
    assert cookie.startswith(f"surveysem-{app.port}={app.token};")
    assert {"HttpOnly", "SameSite=Strict"} <= {part.strip() for part in cookie.split(";")}
    assert app.ask("GET", "/", None, {"Cookie": cookie.split(";")[0]})[0] == 200


def test_a_page_may_load_what_the_server_gives_and_nothing_else(app):
    for path in ("/", "/page.js", "/api/state"):
        assert app.ask("GET", path)[0] == 200
        policy = dict(part.strip().split(" ", 1) for part in app.headers["Content-Security-Policy"].split(";"))
        assert policy.pop("img-src") == "data:"
        assert {policy.pop(name) for name in ("default-src", "form-action", "base-uri", "frame-ancestors")} == {
            "'none'"
        }
        assert {*policy.values()} == {"'self'"}
        assert app.headers["X-Content-Type-Options"] == "nosniff"
        assert app.headers["Cache-Control"] == "no-store"


def test_it_listens_on_this_machine_alone(app):
    listening = [each.laddr for each in psutil.Process(app.process.pid).net_connections() if each.status == "LISTEN"]
    assert [(at.ip, at.port) for at in listening] == [("127.0.0.1", app.port)]


def test_an_upload_over_the_limit_is_refused_before_it_is_sent(app):
    before = app.state()
    line = http.client.HTTPConnection("127.0.0.1", app.port, timeout=60)
    line.request("PUT", "/api/file?name=a.csv", None, app.right | {"Content-Length": str(server.LIMIT + 1)})
    assert line.getresponse().status == 400
    line.close()
    assert app.state() == before


def test_a_second_tab_does_not_overwrite_the_first(app):
    one, other = app.state(), app.state()
    one["model"]["decided"] = [0]
    sent = [{"revision": tab["revision"], "model": tab["model"]} for tab in (one, other)]
    assert app.told("POST", "/api/state", sent[0])[0] == 200
    assert app.told("POST", "/api/state", sent[1]) == (409, {"key": "other_tab"})
    assert app.state()["model"] == one["model"]


# ---- files ----


def test_bad_files_get_the_sentence_of_the_command_and_change_nothing(app, tmp_path, capsys):
    before = app.state()
    for name, content in (("empty.csv", b""), ("heads.csv", b"a,b\n"), ("a.pdf", b"%PDF"), ("x.xlsx", b"PK none"),
                          ("texts.csv", b"a,b\n" + b"x,y\n" * 40)):  # fmt: skip
        (tmp_path / name).write_bytes(content)
        assert main(["draft", str(tmp_path / name), "--out", str(tmp_path / "c.toml")]) == 2
        said = capsys.readouterr().err.removeprefix("error: ").strip()
        assert app.told("PUT", f"/api/file?name={name}", content) == (400, {"said": said})
        chinese = app.told("PUT", f"/api/file?name={name}", content, app.right | {"Accept-Language": "zh-CN"})[1][
            "said"
        ]
        assert (chinese != said, name in chinese, "needed" in chinese) == (True, True, False)
    assert app.state() == before
    assert main(["app", str(tmp_path / "empty.csv"), "--no-browser"]) == 2
    said = capsys.readouterr()
    assert (said.out, "empty.csv is empty" in said.err) == ("", True)


HEADS = ["=cmd|' /C calc'!A0", "<img src=x onerror=alert(1)>", '"quoted"', "@SUM(1+9)"]


def test_headings_like_formulas_and_html_are_texts(answers, tmp_path):
    """One server, whose file is sent under a name that leads elsewhere; what it holds loads as a codebook."""
    lines = answers.read_text(encoding="utf-8").splitlines()
    quoted = [f'"{head.replace(chr(34), 2 * chr(34))}"' for head in HEADS]
    content = "\n".join([",".join([*lines[0].split(",")[:6], *quoted[:2]]), *lines[1:]]).encode()
    opened = App()
    try:
        status, _ = opened.told("PUT", "/api/file?name=..%2F..%2F%3Cb%3E.csv", content)
        state, folder = opened.state(), opened.folder()
        assert (status, state["facts"]["file"]) == (200, "<b>.csv")
        assert [path.name for path in folder.glob("given-*/*")] == ["<b>.csv"]
        headings = [column["heading"] for column in state["facts"]["columns"].values()]
        assert headings[-2:] == HEADS[:2]
        (tmp_path / "c.toml").write_bytes(opened.ask("GET", "/codebook.toml")[1])
        assert {item.code for item in load_codebook(tmp_path / "c.toml").questions} >= {"W1", "R3"}
        assert b"<b>" not in opened.ask("GET", "/")[1]
    finally:
        opened.end()
    assert not folder.exists()


def test_a_codebook_is_opened_by_the_command_and_by_a_request(answers, tmp_path, capsys):
    """One that is bad, or asks for a column that the file lacks, gets the command's sentence and changes nothing."""
    book = "name = 'own'\npaths = ['R ~ W']\nhypotheses = {H9 = 'R ~ W'}\n"
    book += "[constructs]\nW = ['W1', 'W2']\nR = ['R1', 'R2']\n"
    (tmp_path / "own.toml").write_text(book)
    lacks, bad = (tmp_path / name for name in ("lacks.toml", "bad.toml"))
    lacks.write_text(book.replace("R2", "R9"))
    bad.write_text("[constructs")
    for path in (lacks, bad):
        assert main(["app", str(answers), "--codebook", str(path), "--no-browser"]) == 2
        assert capsys.readouterr().err.count("\n") == 1
    opened = App(str(answers), "--codebook", str(tmp_path / "own.toml"))
    try:
        state = opened.state()
        assert [each["name"] for each in state["model"]["constructs"]] == ["W", "R"]
        assert state["model"]["kept"] == ['hypotheses."H9" = "R ~ W"']
        assert opened.ask("GET", "/codebook.toml")[1].decode() == book
        for path, said in ((lacks, "tiny.csv, row 1: no column for R9"), (bad, "codebook bad.toml")):
            status, told = opened.told("PUT", f"/api/file?name={path.name}", path.read_bytes())
            assert (status, told["said"].startswith(said)) == (400, True)
            headers = opened.right | {"Accept-Language": "zh"}
            chinese = opened.told("PUT", f"/api/file?name={path.name}", path.read_bytes(), headers)[1]["said"]
            assert re.search("[\u4e00-\u9fff]", chinese), chinese
        assert opened.state() == state
        assert opened.told("PUT", "/api/file?name=b.csv", answers.read_bytes())[0] == 200
        assert opened.state()["model"]["paths"] == []
        assert opened.told("PUT", "/api/file?name=OWN.TOML", book.encode())[0] == 200
        assert opened.state()["model"]["paths"] == [{"from": "W", "to": "R", "sign": 1}]
    finally:
        opened.end()


def test_a_full_disk_is_said(answers):
    """A file over 40 kB cannot be written, as on a full disk."""

    def limited() -> None:
        import resource

        interruptible()
        resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))

    opened = App(before=limited)
    try:
        assert opened.told("PUT", "/api/file?name=a.csv", b"x" * 50_000) == (500, {"key": "disk"})
        assert opened.told("PUT", "/api/file?name=a.csv", answers.read_bytes())[0] == 200
    finally:
        opened.end()


def test_nothing_heavy_is_loaded_before_a_file_is_opened():
    opened = App()

    def loaded() -> set[str]:
        maps = {Path(each.path).as_posix() for each in psutil.Process(opened.process.pid).memory_maps()}
        return {name for name in ("numpy", "pandas") if any(f"/{name}/" in path for path in maps)}

    try:
        assert opened.state() == {"facts": None, "model": {}, "revision": 0, "told": {}}
        assert loaded() == set()
        assert opened.told("POST", "/api/run", RUN) == (400, {"key": "model"})
        assert opened.told("PUT", "/api/file?name=c.toml", b"") == (400, {"key": "first"})
        assert opened.told("POST", "/api/file")[0] == 200  # the example
        assert loaded() == {"numpy", "pandas"}
        assert opened.state()["facts"]["rows"] == 300
    finally:
        opened.end()


def test_a_port_that_is_taken_or_none_is_said(app, capsys):
    assert main(["app", "--no-browser", "--codebook", "c.toml"]) == 2
    assert "--codebook is given without a file of answers" in capsys.readouterr().err
    for port, said in (
        (app.port, f"--port {app.port} cannot be had (Address already in use)"),
        (70000, "--port is 70000"),
    ):
        assert main(["app", "--no-browser", "--port", str(port)]) == 2
        found = capsys.readouterr()
        assert said in found.err
        assert (found.out, found.err.count("\n")) == ("", 1)


# ---- runs ----


def test_a_run_is_asked_for_with_what_there_is(app):
    with_path(app)
    for change in (
        {"draws": 1},
        {"draws": "50"},
        {"draws": True},
        {"language": "fr"},
        {"estimator": "--out"},
        {"more": 1},
    ):
        assert app.told("POST", "/api/run", RUN | change) == (400, {"key": "model"})
    assert app.told("POST", "/api/run", [])[0] == 400
    assert app.ask("POST", "/api/run", b"{")[0] == 400
    assert app.told("GET", "/api/run")[1]["state"] == "idle"


def test_a_run_that_fails_says_why_in_the_reader_s_language(answers, tmp_path):
    """Six respondents for six items; the report's process says it in English."""
    (tmp_path / "few.csv").write_text("\n".join(answers.read_text("utf-8-sig").split("\n")[:7]), encoding="utf-8")
    opened = App(str(tmp_path / "few.csv"))
    try:
        state = opened.state()
        names = [each["name"] for each in state["model"]["constructs"]]
        state["model"]["paths"] = [{"from": names[0], "to": names[1], "sign": 1}]
        body = {"revision": state["revision"], "model": state["model"]}
        assert opened.told("POST", "/api/state", body)[1]["told"]["rows"] == 6
        assert opened.told("POST", "/api/run", RUN)[0] == 200
        assert opened.job("failed", "done")["state"] == "failed"
        for language, said in (("en", "respondents are left after screening for"), ("zh", ZH["left"])):
            headers = opened.right | {"Accept-Language": language}
            lines = opened.told("GET", "/api/run", None, headers)[1]["lines"]
            assert any(line.startswith("error: few.csv") and said in line for line in lines), lines
    finally:
        opened.end()


def test_a_run_is_alone_and_leaves_nothing_when_killed_or_cancelled(app):
    with_path(app)
    folder = app.folder()
    assert app.told("POST", "/api/run", RUN)[0] == 200
    assert app.told("POST", "/api/run", RUN) == (409, {"key": "busy"})
    assert app.told("PUT", "/api/file?name=a.csv", b"x") == (409, {"key": "busy"})
    while not (started := [each for each in app.children() if "report" in each.cmdline()]):
        time.sleep(0.05)
    assert app.told("GET", "/api/run")[1]["seconds"] > 0
    started[0].kill()
    assert app.job("killed", "done")["state"] == "killed"
    assert app.children() == []
    assert app.told("POST", "/api/run", RUN | {"estimator": "PLS"})[0] == 200
    until = time.monotonic() + 120
    while not any(line[0] == "cell" for line in app.told("GET", "/api/run")[1]["lines"]):
        assert time.monotonic() < until
        time.sleep(0.1)
    assert app.told("DELETE", "/api/run") == (200, {})
    job = app.told("GET", "/api/run")[1]
    assert (job["state"], job["report"], app.children()) == ("cancelled", "", [])
    assert {line[1] for line in job["lines"] if line[0] == "cell"} == {"pls"}
    assert app.ask("GET", "/report.zip")[0] == 404
    assert {path.name.partition("-")[0] for path in folder.iterdir()} == {".lock", "codebook.toml", "given"}


def test_a_long_step_tells_a_program_that_watches_how_far_it_is_and_nobody_else(capfd, monkeypatch):
    study = study_of(draws=50)
    monkeypatch.setenv("NBPROOF_PROGRESS", "json")
    assert len(study.resampled.draws) > 40
    say = counting("permutations", 9)
    say(3, 9)  # too soon to be said
    say(9, 9)
    told = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert (told[0], told[-3]) == (["draws", "resamples", 0, 50], ["draws", "resamples", 50, 50])
    assert told[-2:] == [["draws", "permutations", 0, 9], ["draws", "permutations", 9, 9]]
    monkeypatch.delenv("NBPROOF_PROGRESS")
    counting("permutations", 9)(9, 9)
    assert capfd.readouterr().out == ""


def test_ctrl_c_ends_a_run_too(answers):
    opened = App(str(answers))
    with_path(opened)
    folder = opened.folder()
    assert opened.told("POST", "/api/run", RUN)[0] == 200
    while not (children := opened.children()):
        time.sleep(0.05)
    assert opened.end() == 130
    assert not folder.exists()
    assert psutil.wait_procs(children, 5)[1] == []


def test_a_report_in_both_languages_opens_in_the_reader_s(tmp_path):
    work = server.Work(tmp_path, 1)
    assert work.front("zh") == {"report": "", "fresh": True}
    work.report["key"] = "key"
    assert work.front("zh")["report"] == "/report/key/index.html"  # in one language alone
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "index.zh.html").touch()
    shown = [work.front(language)["report"] for language in ("en", "zh")]
    assert shown == ["/report/key/index.html", "/report/key/index.zh.html"]


# ---- the model ----


@pytest.fixture(scope="module")
def opened(answers: Path, tmp_path_factory: pytest.TempPathFactory) -> model.Opened:
    """The answers with the draft of a codebook."""
    draft = draft_codebook(answers)
    return model.Opened.of(draft, draft.write(tmp_path_factory.mktemp("drafted") / "c.toml"), own=False)


def test_what_the_page_changes_is_in_the_codebook(opened, tmp_path):
    """An item moved, another turned, a title of one's own, paths of both signs, a group."""
    wanted = model.model_of(opened)
    at = {column.heading: column.place for column in opened.draft.columns}
    one, other = wanted["constructs"]
    one |= {"name": "welcome", "titles": {"en": "Warm welcome"}}
    one["items"].remove(at["W2"])
    other["items"].append(at["W2"])
    wanted["constructs"].append({"name": "F1", "was": "", "titles": {}, "items": [], "parts": []})
    wanted["reversed"] = [at["R1"]]
    wanted["paths"] = [{"from": "welcome", "to": "R", "sign": -1}, {"from": "F1", "to": "R", "sign": 1}]
    wanted["group"] = at["BRANCH"]
    told = model.check(opened, wanted, tmp_path / "c.toml")
    assert told == {"rows": 90, "invalid": 0, "notes": [], "missing": []}
    book = load_codebook(tmp_path / "c.toml")
    assert book.scales == {"welcome": ["W1", "W3"], "R": ["R1", "R2", "R3", "W2"]}
    assert book.called["welcome"] == "Warm welcome"
    assert {code for code in book.items if book.by_code[code].reverse} == {"R1"}
    assert [(path.outcome, path.predictor, path.direction) for path in book.paths] == [("R", "welcome", -1)]
    assert book.group == "BRANCH"
    text = (tmp_path / "c.toml").read_text(encoding="utf-8")
    assert re.search('"W2", +# placed here by hand', text)
    assert re.search('"W1", +# names begin with W', text)
    assert model.corrected(opened, model.model_of(opened)) == opened.text  # what it was made of stays


OWN = """# Asked in spring.
name = "mine"
scale = [1, 5]
paths = ["back ~ welcome"]  # as we think
strategies = ["welcome"]

[constructs]
welcome = { items = ["W1", "-W2"], en = "Welcome", zh = "\u63a5\u5f85" }
R = ["R1", "R2"]
S = ["R3"]
E = { items = ["W3"], reliability = 0.8 }
back = ["R", "S", "E"]

[[controls]]
code = "place"
column = "BRANCH"

[hypotheses]
H1a = "back ~ welcome"

[screening]
seconds = 3
"""


def test_a_codebook_of_one_s_own_is_opened_and_what_the_page_does_not_show_survives(opened, tmp_path):
    """Unchanged it is the same to the letter; renamed and moved about, it says what it said of the rest."""
    (tmp_path / "own.toml").write_text(OWN, encoding="utf-8")
    own = model.Opened.of(opened.draft, tmp_path / "own.toml", own=True)
    before = model.model_of(own)
    assert model.corrected(own, before) == OWN
    at = {column.heading: column.place for column in opened.draft.columns}
    assert before["reversed"] == [at["W2"]]
    assert before["constructs"][-1]["parts"] == ["R", "S", "E"]
    assert before["kept"] == ['hypotheses."H1a" = "back ~ welcome"', 'strategies = ["welcome"]']
    assert (at["CHECK"] in before["left"], before["paths"]) == (True, [{"from": "welcome", "to": "back", "sign": 1}])
    facts = model.facts_of(own, "en")
    assert (facts["questions"], facts["guessed"], facts["columns"][at["W1"]]["why"]) == (
        [], False, ["as the codebook has it"],
    )  # fmt: skip
    wanted = copy.deepcopy(before)
    wanted["constructs"][0] |= {"name": "W"}
    wanted["constructs"][1]["items"].remove(at["R2"])
    wanted["left"].append(at["R2"])
    wanted["left"].remove(at["CHECK"])
    wanted |= {"checks": [at["CHECK"]], "paths": [{"from": "W", "to": "back", "sign": -1}], "group": at["BRANCH"]}
    wanted["kept"] = ['hypotheses."H1a" = "back ~ W"']
    assert model.check(own, wanted, tmp_path / "c.toml")["rows"] == 90
    text, book = (tmp_path / "c.toml").read_text(encoding="utf-8"), load_codebook(tmp_path / "c.toml")
    assert text.startswith("# Asked in spring.\n")
    assert book.scales["W"] == ["W1", "W2"]
    assert book.by_code["W2"].reverse
    assert (book.constructs[0].en, len(book.constructs[0].zh), book.constructs[3].reliability) == ("Welcome", 2, 0.8)
    assert (book.second_order, book.group, book.strategies) == ({"back": ("R", "S", "E")}, "place", ())
    assert [(one.label, one.predictor) for one in book.hypotheses] == [("H1a", "W")]
    assert (book.screening.seconds, book.leave_out, book.by_code["CHECK"].expected) == (3, ("R2",), 4)
    wanted["kept"] = ['hypotheses."H1a" = "back ~ welcome"']  # which has another name now
    with pytest.raises(DataError, match="no path 'back ~ welcome'"):
        model.check(own, wanted, tmp_path / "c.toml")


@pytest.mark.parametrize("path", [surveysem.TEMPLATE, LARGE, GYM, SECOND], ids=lambda path: path.stem)
def test_every_codebook_survives_the_page_when_all_it_shows_is_written_anew(path, tmp_path):
    book = load_codebook(path)
    draw_respondents(Truth(book), 90, seed=1).cells.to_csv(tmp_path / "a.csv", index=False)
    own = model.Opened.of(draft_codebook(tmp_path / "a.csv"), path, own=True)
    wanted = model.model_of(own)
    wanted["constructs"][0]["items"].reverse()
    for key in ("controls", "checks", "paths"):
        wanted[key].reverse()
    model.check(own, wanted, tmp_path / "c.toml")
    kept = load_codebook(tmp_path / "c.toml")
    assert {item.code: item for item in kept.questions} == {item.code: item for item in book.questions}
    assert {*kept.paths} == {*book.paths}
    for name in {each.name for each in fields(book)} - {"questions", "paths", "constructs"}:
        assert getattr(kept, name) == getattr(book, name), name


def test_codes_of_no_answer_that_were_guessed_are_told(answers, tmp_path):
    lines = answers.read_text("utf-8-sig").split("\n")
    lines[1:9] = ["-99," + line.partition(",")[2] for line in lines[1:9]]
    (tmp_path / "coded.csv").write_text("\n".join(lines), encoding="utf-8")
    draft = draft_codebook(tmp_path / "coded.csv")
    coded = model.Opened.of(draft, draft.write(tmp_path / "c.toml"), own=False)
    assert model.check(coded, model.model_of(coded), tmp_path / "d.toml")["missing"] == ["-99"]


def test_a_model_of_another_file_is_refused(opened, tmp_path):
    whole = model.model_of(opened)
    model.corrected(opened, whole)

    def changed(change: Callable[[dict[str, Any]], Any]) -> Any:
        wanted = copy.deepcopy(whole)
        return change(wanted) or wanted

    for key, wanted in (
        ("model", []),
        ("model", {}),
        ("model", changed(lambda m: m["left"].append(99))),
        ("model", changed(lambda m: m["constructs"][0]["items"].pop())),
        ("model", changed(lambda m: m["controls"].append(m["constructs"][0]["items"][0]))),
        ("model", changed(lambda m: m["constructs"][0].update(titles={"en": 1}))),
        ("model", changed(lambda m: (m["checks"].append(m["controls"].pop()), None)[1])),
        ("model", changed(lambda m: m["paths"].append({"from": "W", "to": "R", "sign": "x"}))),
        ("model", changed(lambda m: m["kept"].append("scale = 1"))),
        ("model", changed(lambda m: m["kept"].append("no toml"))),
        (
            "empty",
            changed(lambda m: [m["left"].extend(c["items"]) or c.update(items=[]) for c in m["constructs"]] and None),
        ),
    ):
        with pytest.raises(Refused) as wrong:
            model.corrected(opened, wanted)
        assert wrong.value.key == key, wanted
    for name, said in (("not a name", "a letter, then"), ("R", "it is there twice"), ("TRUE", "reserves")):
        with pytest.raises(DataError, match=said):
            model.check(opened, changed(lambda m, name=name: m["constructs"][0].update(name=name)), tmp_path / "c.toml")


def test_reasons_are_in_the_reader_s_language(opened):
    found = {language: model.facts_of(opened, language)["columns"] for language in ("en", "zh")}
    for place, column in found["en"].items():
        assert len(column["why"]) == len(found["zh"][place]["why"]) > 0
        assert all(re.search("[\u4e00-\u9fff]", reason) for reason in found["zh"][place]["why"])
        assert not any(re.search("[\u4e00-\u9fff]", reason) for reason in column["why"])


def test_every_sentence_is_there_in_both_languages_and_used():
    sources = {
        name: (HOME / name).read_text(encoding="utf-8") for name in ("page.js", "page.html", "server.py", "model.py")
    }
    fields = {key: [re.findall(r"\{\w+\}", text[language]) for language in ("en", "zh")] for key, text in WORDS.items()}
    assert {key for key, (one, other) in fields.items() if sorted(one) != sorted(other)} == set()
    spoken = {*re.findall(r'\bw\("([\w-]+)"', sources["page.js"]), *re.findall(r"words\.(\w+)", sources["page.html"])}
    by_value = {"controls", "checks", "left", "done", "failed", "killed", "cancelled", "measurement", "structure",
                "pls", "resamples", "permutations", "finishing", "running", *(f"kept_{key}" for key in model.KEPT),
                *re.findall(r'Refused\("(\w+)"', sources["server.py"] + sources["model.py"]), "disk", "fault",
                *(f"{one}_{name}" for one in ("screening", "estimator") for name in server.CHOICES[one])}  # fmt: skip
    assert spoken | by_value == {*WORDS}


def test_reasons_have_the_same_fields_on_the_page_in_both_languages():
    reasons = tomllib.loads((HOME.parent / "draft.toml").read_text(encoding="utf-8"))["reasons"]
    fields = {
        key: {tuple(sorted(re.findall(r"\{.*?\}", said))) for said in (text.get("page", text["en"]), text["zh"])}
        for key, text in reasons.items()
    }
    assert {key for key, several in fields.items() if len(several) > 1} == set()
    asked = [text for key, text in reasons.items() if key in ("tie", "weak", "misfit")]
    assert all(": m" in text["page"] for text in asked)  # mark, move: what is to be done there
    assert not any("--" in text.get("page", text["en"]) + text["zh"] for text in reasons.values())  # no option
