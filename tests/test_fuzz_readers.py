"""Every reader, given mutated files: a result or one of our errors, in seconds, and nothing written elsewhere.

Run as a script, ``python -m tests.test_fuzz_readers 20000``, it prints a line a reader.
"""

from __future__ import annotations

import faulthandler
import functools
import io
import json
import os
import shutil
import signal
import sys
import threading
import time
import traceback
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from books import SMALL

import nbproof
import semfit
import surveysem
from nbproof import parameters
from socialcommerce import data
from socialcommerce.data import registry
from socialcommerce.errors import SocialCommerceError
from socialcommerce.modes import diagram
from socialcommerce.paper import read as paper
from socialcommerce.project import root
from stockflow import StockflowError, checkpoints, edgelists, expressions, read_model
from surveysem import child, tables

OURS = (SocialCommerceError, semfit.SemfitError, StockflowError, nbproof.NbproofError, surveysem.SurveysemError)
SECONDS = 10
LONGEST = 2000  # characters of a message: what may be allowed has a list of names in it
HEAD = ["T1", "T2", "T3", "C1", "B1", "B2", "B3", "MODE", "N"]
ROWS = [[1 + (r * (k + 3) + k) % 5 for k in range(7)] + [1 + r % 2, r] for r in range(8)]
ZH = [
    "我信任它。",
    "它骗我。",
    "它很诚实。",
    "请选比较。",
    "我会再买。",
    "我会回来。",
    "我会留下。",
    "您在哪里购物？",
    "多少订单？",
]
SERIES = "year,value,unit,source,basis\n2019,2.4,billion USD,A,observed\n2020,3.1,billion USD,A,derived\n"
NASTY = [text.encode() for text in (
    "\0", "\ufeff", "\u202e", "😀", "é", "\u2028", "9" * 400, "9" * 5000, "1e999", "1e-999", "-1", "0", "nan", "inf",
    "NA", "TRUE", "=1+1", '"', "'", "\r", "\n" * 50, ",", ";" * 30, "\t", "A" * 10_000, "[" * 300, "{" * 300, "&x;",
    "(" * 3000, "a+" * 3000, "-" * 3000, "2024-02-30", "<!DOCTYPE a>", "<" * 20, "../../x", "/etc/passwd", "null", "=~",
    "~~", ":=", "**", "^-1", "__import__('os')", "a.b." * 60, "\\u0000", "1_0", "０", "1999999999", "XFD1048577",
    "ZZZ9999999999",
)] + [b"\xff\xfe", b"\xff", b"\x80\x81", b"PK\x03\x04", b"$FL2"]  # fmt: skip


def bent(rng: np.random.Generator, raw: bytes, others: list[bytes]) -> bytes:
    """Return bytes with one to four things done to them."""
    made = bytearray(raw)
    for _ in range(rng.integers(1, 5)):
        a, b = sorted(rng.integers(0, len(made) + 1, 2).tolist())
        short = min(b, a + int(rng.integers(1, 40)))
        match rng.integers(0, 9):
            case 0 if made:
                made[a - 1] ^= 1 << int(rng.integers(0, 8))
            case 1 if made:
                made[a - 1] = int(rng.integers(0, 256))
            case 2:
                del made[a:]
            case 3:
                del made[a:short]
            case 4:
                made[b:b] = made[a:short]
            case 5 | 6:
                made[a:a] = NASTY[rng.integers(len(NASTY))]
            case 7:
                made[a:short] = NASTY[rng.integers(len(NASTY))]
            case 8:
                other = others[rng.integers(len(others))]
                made[a:] = other[min(a, len(other)) :]
    return bytes(made)


def bent_archive(rng: np.random.Generator, raw: bytes, others: list[bytes]) -> bytes:
    """Return an archive with one of its parts bent, and packed again so that the damage is read."""
    if rng.random() < 0.3:
        return bent(rng, raw, others)
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as before, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as after:
        names = before.namelist()
        at = rng.integers(len(names))
        for k, name in enumerate(names):
            part = before.read(name)
            after.writestr(name, bent(rng, part, [part]) if k == at else part)
    return made.getvalue()


class Reader(NamedTuple):
    """Valid files, how they are bent, the name a file gets, what reads it, and its share of the inputs."""

    seeds: list[bytes]
    name: str
    read: Callable[[Path], object]
    share: int = 1
    bend: Callable = bent


def text_of(rows: list[list[object]]) -> str:
    return "".join(",".join(map(str, row)) + "\n" for row in rows)


def readers(folder: Path) -> dict[str, Reader]:
    """Return every reader with its seeds; some of these are written into the folder first."""
    import openpyxl
    import psutil  # noqa: F401 - imported before any process is forked
    import pyreadstat

    (folder / "small.toml").write_text(SMALL, encoding="utf-8")
    book = surveysem.load_codebook(folder / "small.toml")

    def answers(path: Path) -> object:
        return surveysem.read_responses(path, book, unknown="leave", invalid="record")

    def text(read: Callable[[str], object]) -> Callable[[Path], object]:
        return lambda path: read(path.read_bytes().decode("utf-8", "replace"))

    def checkpoint(path: Path) -> int:
        return checkpoints.Checkpoint(path, "f").load(np.zeros(9), np.zeros((6, 3)), np.zeros((5, 2)))

    def in_folder(name: str, read: Callable[[Path], object]) -> Callable[[Path], object]:
        def moved(path: Path) -> object:
            path.rename(path.with_name(name))
            return read(path.parent)

        return moved

    english, chinese = text_of([HEAD, *ROWS]), text_of([ZH, *ROWS])
    frame, held = pd.DataFrame(ROWS, columns=HEAD, dtype=float), folder / "seed"
    sheet = openpyxl.Workbook()
    for row in [HEAD, *ROWS, ["x", True, None, pd.Timestamp("2024-01-05 10:00").to_pydatetime(), 1.5]]:
        sheet.active.append(row)
    sheet.active.merge_cells("A11:B12")
    sheet.save(held)
    xlsx = held.read_bytes()
    savs = []
    for options in (
        {"column_labels": ZH},
        {"compress": True, "missing_ranges": {"T1": [{"lo": 8, "hi": 9}]}},
        {"variable_value_labels": {"B1": {1.0: "no", 2.0: "yes"}}},
    ):
        pyreadstat.write_sav(frame.assign(text="wort" * 80) if "compress" in options else frame, str(held), **options)
        savs.append(held.read_bytes())
    ties = pd.DataFrame({"source": [0, 1, 2, 3], "target": [1, 2, 3, 4], "kind": ["stranger", "acquaintance"] * 2})
    ties.to_parquet(held)
    parquet = held.read_bytes()
    with held.open("wb") as file:
        np.savez(file, fingerprint="f", done=5, state=np.ones(9), counts=np.ones((6, 3)), moves=np.ones((5, 2)))
    npz = held.read_bytes()
    held.unlink()
    here = root()
    large = surveysem.load_codebook(here / "data" / "survey" / "codebook.toml")
    systems = here / "packages" / "stockflow" / "tests" / "reference" / "models"
    vensim = [(systems / name).read_bytes() for name in ("cooling.mdl", "news.mdl")]
    own = {
        name: (here / name).read_bytes()
        for name in (
            "data/sources.toml",
            "data/survey/codebook.toml",
            "data/survey/truth.toml",
            "paper/claims.toml",
            "paper/sharing_mode.toml",
            "notebooks/profiles.toml",
            "notebooks/01_market_size.ipynb",
        )
    }
    models = [
        "f =~ a + b*x + c(1,2)*y\nf ~~ 1*f\ny ~ start(.3)*f + NA*x\nz := a*b^2\na == b\n",
        'g =~ "q w"*x + equal("f=~x1")*y; x | t1 + t2\nx ~*~ x\nx ~ 1\nb > 0 # note\n',
    ]
    laws = ["lambda0 + beta*contact(eta*C + L)", "delta0 + delta1*n**2", "1 - poisson_tail(m, safediv(x, 3))"]
    entry = {
        "notebook": "a",
        "languages": ["en"],
        "outputs": {"en/a.html": "00"},
        "read": [],
        "run_inputs": {},
        "render_inputs": {},
    }
    manifest = json.dumps({"reports": {"a": entry}, "files": ["index.html"]}).encode()
    return {
        "csv": Reader([english.encode(), english.encode("utf-8-sig"), chinese.encode(), chinese.encode("gb18030")],
                      "a.csv", answers, 4),
        "xlsx": Reader([xlsx], "a.xlsx", answers, 3, bent_archive),
        "sav": Reader(savs, "a.sav", answers, 4),
        "codebook": Reader([SMALL.encode(), own["data/survey/codebook.toml"]], "c.toml", surveysem.load_codebook, 2),
        "truth": Reader([own["data/survey/truth.toml"]], "t.toml", lambda path: surveysem.read_truth(path, large), 2),
        "series": Reader([SERIES.encode(), SERIES.encode("utf-8-sig")], "s.csv", data.load_series, 3),
        "edges csv": Reader([ties.to_csv(index=False).encode()], "e.csv", functools.partial(
            edgelists.read_edges, kind="kind", repair=True), 2),
        "edges parquet": Reader([parquet], "e.parquet", functools.partial(edgelists.read_edges, kind="kind")),
        "checkpoint": Reader([npz], "c.npz", checkpoint, 1, bent_archive),
        "vensim": Reader(vensim, "m.mdl", read_model, 2),
        "xmile": Reader([(systems / "shop.xmile").read_bytes()], "m.xmile", read_model, 2),
        "model text": Reader([model.encode() for model in models], "m.txt", text(semfit.syntax.parse), 3),
        "rate law": Reader([law.encode() for law in laws], "l.txt", text(lambda law: expressions.write(
            expressions.parse(law), expressions.JAVASCRIPT)), 2),
        "notebook": Reader([own["notebooks/01_market_size.ipynb"][:4000] + b"", own["notebooks/01_market_size.ipynb"]],
                           "n.ipynb", parameters.parameters_of),
        "profiles": Reader([own["notebooks/profiles.toml"]], "p.toml", in_folder(
            "profiles.toml", lambda folder: parameters.profile_of(folder, "quick", "01_market_size"))),
        "sources": Reader([own["data/sources.toml"][:6000]], "s.toml",
                          lambda path: registry._parsed.__wrapped__(path, 0)),
        "claims": Reader([own["paper/claims.toml"]], "c.toml", in_folder(
            "claims.toml", lambda folder: paper._read(folder, "claims.toml"))),
        "diagram": Reader([own["paper/sharing_mode.toml"]], "d.toml", in_folder(
            "sharing_mode.toml", lambda folder: diagram.load_diagram("sharing", folder))),
        "manifest": Reader([manifest], "m.json", in_folder("manifest.json", nbproof.read_manifest)),
    }  # fmt: skip


class Forked:
    """Stands in for the process that reads Excel and SPSS files: a fork, as to start Python so often takes hours."""

    def __init__(self, command: list[str], **_: object) -> None:
        kind, file, sheet = command[-3:]
        there, here = os.pipe()
        self.returncode: int | None = None
        self.lock = threading.Lock()
        self.pid = os.fork()
        if not self.pid:
            faulthandler.disable()  # it would write each crash down
            signal.alarm(0)
            with open(here, "w", encoding="ascii") as out:
                child.answer(kind, file, json.loads(sheet), out)
            os._exit(0)
        os.close(here)
        self.stdout = open(there, "rb")  # noqa: SIM115 - closed by who reads it

    def poll(self, options: int = os.WNOHANG) -> int | None:
        with self.lock:
            if self.returncode is None:
                pid, status = os.waitpid(self.pid, options)
                self.returncode = os.waitstatus_to_exitcode(status) if pid else None
        return self.returncode

    def wait(self) -> int | None:
        return self.poll(0)

    def kill(self) -> None:
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)


WRITES = {"os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.link", "os.symlink", "shutil.rmtree", "os.truncate"}
watched: list[Path] = []
written: list[str] = []


def _note(event: str, arguments: tuple) -> None:
    """Write down what is written outside the folder that is watched; an audit hook, which stays for good."""
    if not watched or event not in WRITES | {"open"}:
        return
    if event == "open" and not (arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        return
    within = event != "open" and isinstance(arguments[-1], int) and arguments[-1] >= 0  # an open folder: rmtree's names
    for path in arguments[: 2 if event == "os.rename" else 1]:
        if isinstance(path, str | bytes | Path) and not (within and not os.path.isabs(path)):
            whole = Path(os.fsdecode(path)).absolute()
            if not whole.is_relative_to(watched[0]) and whole != Path(os.devnull):
                written.append(f"{event} {whole}")


@functools.cache
def _hook() -> None:
    sys.addaudithook(_note)


@contextmanager
def only_in(folder: Path) -> Iterator[None]:
    _hook()
    watched.append(folder.absolute())
    try:
        yield
    finally:
        watched.clear()


class Hang(BaseException):
    """An input took too long."""


def _late(*_: object) -> None:
    raise Hang


class Tally(NamedTuple):
    """What one reader did with its inputs."""

    inputs: int
    read: int
    seconds: float
    slowest: float
    wrong: Counter[str]


def try_reader(reader: Reader, folder: Path, count: int, seed: int) -> Tally:
    """Give one reader its inputs, each in an empty folder."""
    rng, began, slowest, read, wrong = np.random.default_rng(seed), time.monotonic(), 0.0, 0, Counter()
    box = folder / "box"
    for _ in range(count):
        raw = reader.bend(rng, reader.seeds[rng.integers(len(reader.seeds))], reader.seeds)
        box.mkdir()
        (box / reader.name).write_bytes(raw)
        start = time.monotonic()
        signal.alarm(3 * SECONDS)
        try:
            with only_in(box):
                reader.read(box / reader.name)
            read += 1
        except OURS as error:
            said = str(error)
            if len(said) > LONGEST or "\n" in said or not said.strip():
                wrong[f"a message of {len(said)} characters: {said[:100]!r}"] += 1
        except (Exception, Hang) as error:
            at = traceback.extract_tb(error.__traceback__)[-1]
            wrong[f"{type(error).__name__} {str(error)[:80]!r} at {Path(at.filename).name}:{at.lineno}"] += 1
        finally:
            signal.alarm(0)
        took = time.monotonic() - start
        slowest = max(slowest, took)
        if took > SECONDS:
            wrong[f"{took:.0f} seconds"] += 1
        shutil.rmtree(box)
    wrong.update(f"wrote outside: {each}" for each in written)
    written.clear()
    return Tally(count, read, time.monotonic() - began, slowest, wrong)


def run(folder: Path, total: int, seed: int, only: str = "") -> Iterator[tuple[str, Tally]]:
    """Yield what each reader did with its share of the inputs."""
    found = readers(folder)
    shares = sum(reader.share for reader in found.values())
    old, tables.subprocess = tables.subprocess, SimpleNamespace(Popen=Forked, PIPE=-1, DEVNULL=-3)
    signal.signal(signal.SIGALRM, _late)
    try:
        for k, (name, reader) in enumerate(found.items()):
            if only in name:
                yield name, try_reader(reader, folder, -(-total * reader.share // shares), seed + k)
    finally:
        tables.subprocess = old


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the fuzzer forks")
def test_mutated_files_end_in_a_result_or_in_one_of_our_errors(tmp_path):
    wrong = {name: dict(tally.wrong) for name, tally in run(tmp_path, 150, seed=20240531)}
    assert not {name: each for name, each in wrong.items() if each}
    assert len(wrong) == 19


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes in folders")
def test_what_is_no_regular_file_is_refused_at_once(tmp_path):
    found = readers(tmp_path)
    for name, reader in found.items():
        if name in ("model text", "rate law"):  # read from no file
            continue
        for kind, make in (
            ("pipe", os.mkfifo),
            ("device", lambda path: path.symlink_to("/dev/zero")),
            ("directory", Path.mkdir),
        ):
            box = tmp_path / name / kind
            box.mkdir(parents=True)
            make(box / reader.name)
            said = f" is a {kind}; a regular file is needed|registry is missing|it is no file"
            with pytest.raises(OURS, match=said):
                reader.read(box / reader.name)  # one that read on would never end


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as made:
        total, seed, only = [*sys.argv[1:], *["20000", "1", ""][len(sys.argv) - 1 :]]
        for name, tally in run(Path(made), int(total), int(seed), only):
            print(
                f"{name:14} {tally.inputs:6} inputs, {tally.read:6} read, {tally.seconds:7.1f} s, "
                f"slowest {tally.slowest:5.2f} s, {sum(tally.wrong.values())} wrong",
                flush=True,
            )
            for what, times in tally.wrong.most_common(12):
                print(f"    {times:5} {what}", flush=True)
