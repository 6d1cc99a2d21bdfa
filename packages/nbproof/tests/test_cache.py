"""Runs shared between checkouts: taken when made from the same, refused when they are not what was stored."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from small_project import Checkout, write_notebook

import nbproof
from nbproof import cache
from nbproof.cache import open_cache
from nbproof.errors import OutputError, ParameterError
from nbproof.plan import BuildPlan

BUILDS = pytest.mark.slow  # two or three small projects, each by the command: some seconds


@pytest.fixture
def two(tmp_path) -> list[Checkout]:
    """The same project in two places, as two machines have it."""
    made = []
    for name in ("here", "elsewhere"):
        (tmp_path / name).mkdir()
        made.append(Checkout(tmp_path / name))
    return made


@pytest.fixture
def server(tmp_path) -> Iterator[tuple[str, Path, list[str]]]:
    """A plain store on this machine: its address, its folder, and what it was asked."""
    folder, asked = tmp_path / "served", []

    class Store(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(f"GET {self.path}")
            path = folder / self.path.lstrip("/")
            if not path.is_file():
                return self.send_error(404)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(path.read_bytes())
            return None

        def do_PUT(self) -> None:
            asked.append(f"PUT {self.path}")
            path = folder / self.path.lstrip("/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(201)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    served = ThreadingHTTPServer(("127.0.0.1", 0), Store)
    Thread(target=served.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield f"http://127.0.0.1:{served.server_port}", folder, asked
    served.shutdown()
    served.server_close()


def taken(checkout: Checkout, *arguments: str) -> set[str]:
    """Build, insist that it went well, and return what was taken from a cache."""
    done = checkout.here("build", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return set(re.findall(r"^(\w+): its run is taken from", done.stdout, re.MULTILINE))


def files(checkout: Checkout) -> dict[str, bytes]:
    return {
        path.relative_to(checkout.reports).as_posix(): path.read_bytes()
        for path in checkout.reports.rglob("*")
        if path.is_file() and path.name not in ("build.log", ".lock")
    }


@BUILDS
def test_two_machines_share_runs_over_a_server(two, server):
    here, elsewhere = two
    address, folder, asked = server
    assert taken(here, "--cache", address) == set()
    assert sum(each.startswith("PUT /runs/") for each in asked) == 2
    assert taken(elsewhere, "--cache", address) == {"alpha", "beta"}
    assert files(elsewhere) == files(here)
    assert str(here.root) not in "".join(path.read_text() for path in folder.rglob("*") if path.is_file())
    # what differs is run: one of the files that a notebook reads, and nothing else
    elsewhere.edit("data/alpha.csv", "21", "22")
    assert taken(elsewhere, "--cache", address) == set()
    assert taken(here, "--cache", address, "--force") == set()


@BUILDS
def test_a_poisoned_entry_is_refused_and_one_that_is_whole_does_not_pass_verify(two, tmp_path):
    here, elsewhere = two
    cache = tmp_path / "cache"
    assert taken(here, "--cache", str(cache), "--language", "en") == set()
    entries = {json.loads(path.read_text())["report"]: path for path in cache.glob("runs/*.json")}
    stored = cache / "notebooks" / json.loads(entries["alpha"].read_text())["notebook"]
    wrong = stored.read_bytes().replace(b"42.0", b"43.0")
    assert wrong != stored.read_bytes()
    stored.write_bytes(wrong)
    other = json.loads(entries["beta"].read_text())  # beta gets alpha's, under its own hash
    (cache / "notebooks" / hashlib.sha256(wrong).hexdigest()).write_bytes(wrong)
    entries["beta"].write_text(json.dumps({**other, "notebook": hashlib.sha256(wrong).hexdigest()}))
    done = elsewhere.run("build", "--cache", str(cache), "--language", "en")  # what its processes say is heard
    assert (done.returncode, "its run is taken from" in done.stdout) == (0, False)
    assert sorted(line.partition(str(cache))[2] for line in done.stderr.splitlines()) == [
        " holds an entry that is refused: its notebook is another one; the notebook is run",
        " holds an entry that is refused: its notebook is not the one that was stored; the notebook is run",
    ]
    results = [json.loads((each.reports / "results" / "alpha.json").read_text()) for each in two]
    assert results[0] == results[1]
    # whoever may write may lie with hashes that agree: verify runs everything itself
    entry = json.loads(entries["alpha"].read_text())
    entries["alpha"].write_text(json.dumps({**entry, "notebook": hashlib.sha256(wrong).hexdigest()}))
    (tmp_path / "third").mkdir()
    third = Checkout(tmp_path / "third")
    assert taken(third, "alpha", "--cache", str(cache), "--language", "en") == {"alpha"}
    found = third.here("verify", "alpha")
    assert found.returncode == 1
    assert {"43.00", "42.00"} <= {*re.findall(r"The answer is (\d\d\.\d\d)", found.stdout)}


@pytest.fixture
def small(tmp_path, settings) -> BuildPlan:
    """The plan of one small report."""
    write_notebook(settings() / "notebooks" / "coffee.ipynb", [("parameters", "cups: int = 1"), ("", "cups")])
    return nbproof.planned(out=tmp_path / "out")


@pytest.mark.parametrize(
    ("entry", "wrong"),
    [
        ("", "Expecting value"),
        ("[]", "list indices"),
        ('{"read": {"../x": "y"}, "notebook": ""}', "outside the folder"),
        ('{"read": {}, "notebook": 7}', "expected string"),
        ('{"read": {}, "notebook": "../x"}', "its notebook is not the one that was stored"),
    ],
)
def test_a_damaged_entry_is_said_and_nothing_taken(small, tmp_path, capsys, entry, wrong):
    (report,), versions = small.reports, small.environment
    cache = open_cache(str(tmp_path / "cache"))
    cache._put(cache._entry(report, versions), entry.encode())
    assert cache.take(report, versions, tmp_path / "taken.ipynb") is None
    said = capsys.readouterr().err
    assert (said.count("\n"), said.endswith("; the notebook is run\n")) == (1, True)
    assert "coffee: the cache " in said
    assert wrong in said
    assert not (tmp_path / "taken.ipynb").exists()


def test_what_is_kept_is_taken_where_the_files_that_were_read_are_the_same(small, tmp_path):
    (report,), versions = small.reports, small.environment
    cache, run = open_cache(str(tmp_path / "cache")), report.notebook
    cache.keep(report, versions, run, ["references.bib"])
    assert cache.take(report, versions, tmp_path / "taken.ipynb") == ["references.bib"]
    assert (tmp_path / "taken.ipynb").read_bytes() == run.read_bytes()
    assert cache.take(report, {"numpy": "1"}, tmp_path / "taken.ipynb") is None
    (run.parents[1] / "references.bib").write_text("")
    assert cache.take(report, versions, tmp_path / "taken.ipynb") is None


def test_what_changed_while_it_ran_is_not_kept(small, tmp_path):
    (report,), versions = small.reports, small.environment
    report.notebook.write_text(report.notebook.read_text().replace("int = 1", "int = 2"))
    open_cache(str(tmp_path / "cache")).keep(report, versions, report.notebook, [])
    assert not (tmp_path / "cache").exists()


def test_a_cache_that_does_not_answer_keeps_nothing_and_says_so(small, tmp_path, capsys):
    (report,), versions = small.reports, small.environment
    cache = open_cache("http://127.0.0.1:9")
    assert cache.take(report, versions, tmp_path / "taken.ipynb") is None
    cache.keep(report, versions, report.notebook, [])
    said = [line.partition(": the cache http://127.0.0.1:9 ")[2] for line in capsys.readouterr().err.splitlines()]
    assert [line.partition(":")[0] for line in said] == ["cannot be read", "keeps nothing"]
    open_cache("http://").keep(report, versions, report.notebook, [])
    assert "keeps nothing: no host given" in capsys.readouterr().err


def test_a_place_that_cannot_be_a_cache_is_refused_before_anything_is_written(tmp_path, settings):
    inside = settings(sources=["notebooks"]) / "notebooks" / "cache"
    inside.parent.mkdir()
    with pytest.raises(OutputError, match="lies in the project's source tree"):
        open_cache(str(inside))
    (tmp_path / "file").write_text("")
    with pytest.raises(ParameterError, match="is a file; allowed: a folder, or an address"):
        open_cache(str(tmp_path / "file"))
    with pytest.raises(ParameterError, match="allowed: a folder, http"):
        open_cache("nowhere://x")


def test_fsspec_reaches_other_stores():
    pytest.importorskip("fsspec")
    cache = open_cache("memory://runs-of-a-test")
    assert cache._get("runs/a.json") is None
    cache._put("runs/a.json", b"{}")
    assert cache._get("runs/a.json") == b"{}"


@pytest.mark.parametrize(
    ("stated", "sent", "said"),
    [(None, 5000, "goes on after .* bytes; allowed are 1000 bytes in 600 s"), (700, 300, "ends 400 bytes early")],
)
def test_an_answer_without_an_end_or_cut_short_is_refused(monkeypatch, stated, sent, said):
    class Liar(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            if stated:
                self.send_header("Content-Length", str(stated))
            self.end_headers()
            self.wfile.write(b"x" * sent)

        def log_message(self, *_: object) -> None:
            pass

    monkeypatch.setattr(cache, "MOST", 1000)
    served = ThreadingHTTPServer(("127.0.0.1", 0), Liar)
    Thread(target=served.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    with pytest.raises(OSError, match=said):
        open_cache(f"http://127.0.0.1:{served.server_port}")._get("runs/a.json")
    served.shutdown()
    served.server_close()
