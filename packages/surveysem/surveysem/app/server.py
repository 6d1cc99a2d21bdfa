"""The server behind the page: one file, one model, one run, on 127.0.0.1 alone, for who has the address it prints."""

import asyncio
import hmac
import json
import mimetypes
import os
import secrets
import shutil
import signal
import sys
import tempfile
import threading
import time
import tomllib
import traceback
import webbrowser
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from socket import socket
from typing import Any, NoReturn

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, HTTPError, RequestHandler, StaticFileHandler

import nbproof
from surveysem.app import Refused
from surveysem.errors import ParameterError, require

HERE, LOCAL = Path(__file__).parent, "127.0.0.1"
LIMIT = 64 * 2**20  # bytes of an upload
PATIENCE = 5.0  # seconds a run has to clear up once it is cancelled
LANGUAGES, CODEBOOKS = ("en", "zh"), (".toml", ".lav", ".lavaan")
SET = tomllib.loads((HERE / "server.toml").read_text(encoding="utf-8"))
CHOICES, DRAWS, ALL = SET["choices"], SET["draws"], SET["all"]


def serve(file: Path | None, codebook: Path | None, port: int, browser: bool) -> NoReturn:
    """Serve the page until interrupted; a file of answers may be open from the start, with its codebook.

    Raises
    ------
    ParameterError
        When the port is none, or taken; what `draft_codebook` and `load_codebook` raise of the files.
    """
    if codebook and not file:
        raise ParameterError("--codebook is given without a file of answers; allowed: both, or the file alone.")
    require(0 <= port < 2**16, "--port", port, "a number from 1 to 65535, or 0 for any that is free")
    try:
        sockets = bind_sockets(port, LOCAL)
    except OSError as wrong:
        said = f"--port {port} cannot be had ({wrong.strerror})"
        raise ParameterError(f"{said}; allowed: another one, or 0 for any that is free.") from None
    with nbproof.held_folder(Path(tempfile.gettempdir()), "surveysem-app-") as folder:
        work = Work(folder, sockets[0].getsockname()[1])
        if file:
            work.open(file.absolute(), codebook)
        raise KeyboardInterrupt(asyncio.run(work.serve(sockets, browser)))


class Work:
    """What one run of the command holds: the file as it was drafted, the model the page edits, and the run."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.hosts = folder, {f"{name}:{port}" for name in (LOCAL, "localhost")}
        self.cookie, self.token = f"surveysem-{port}", secrets.token_urlsafe(32)
        self.address = f"http://{LOCAL}:{port}/?token={self.token}"
        self.lock = asyncio.Lock()
        self.file = Path()
        self.opened: Any = None  # file and codebook, and their module is loaded with the first file
        self.model: dict[str, Any] = {}
        self.told: dict[str, Any] = {}
        self.revision = 0
        self.job: dict[str, Any] = {"state": "idle", "lines": []}
        self.running: asyncio.Task[None] | None = None
        self.report: dict[str, Any] = {"key": "", "revision": 0}  # its address, and of which model it is

    async def serve(self, sockets: list[socket], browser: bool) -> int:
        """Answer until a signal asks to end; leave no run behind, and return the signal."""
        server = HTTPServer(application(self), max_body_size=LIMIT, max_buffer_size=LIMIT)
        server.add_sockets(sockets)
        loop = asyncio.get_running_loop()
        ended: asyncio.Queue[int] = asyncio.Queue()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup leaves it
                loop.add_signal_handler(number, ended.put_nowait, number)
        print(self.address, flush=True)
        if browser:
            threading.Thread(target=webbrowser.open, args=[self.address], daemon=True).start()
        last = await ended.get()
        server.stop()
        await self.cancel()
        return last

    def open(self, file: Path, codebook: Path | None = None) -> None:
        """Open a file of answers with a codebook, or with the draft of one; what is open is not drafted again."""
        from surveysem.app.model import Opened, model_of
        from surveysem.draft import draft_codebook

        draft = self.opened.draft if file == self.file else draft_codebook(file)
        place = codebook or nbproof.write_whole(self.folder / "codebook.toml", draft.text().encode())
        self.opened = Opened.of(draft, place, own=codebook is not None)
        self.file, self.model = file, model_of(self.opened)
        self.job, self.report = {"state": "idle", "lines": []}, {"key": "", "revision": 0}
        self.revision += 1
        self.told = self.check(self.model)

    def keep(self, name: str, content: bytes) -> Path:
        """Write an upload under its own name, in a folder of its own."""
        place = self.folder / f"given-{self.revision}"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        (place / name).write_bytes(content)
        return place / name

    def example(self) -> Path:
        """Draw the answers of the example."""
        from surveysem.codebook import TEMPLATE, load_codebook
        from surveysem.synthetic import draw_stated

        return draw_stated(TEMPLATE.with_name("example.toml"), load_codebook(TEMPLATE)).write(self.folder)[0]

    def check(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Write the codebook of a model, and return what the package says of it."""
        from surveysem.app import model

        try:
            return model.check(self.opened, asked, self.folder / "codebook.toml")
        except Refused as wrong:
            if wrong.key == "model":
                raise
            return {"key": wrong.key}
        except Exception as wrong:
            if not getattr(wrong, "input_is_wrong", False):
                raise
            return {"said": str(wrong)}

    async def run(self, draws: int, language: str, estimator: str, screening: str) -> None:
        """Make the report in a process group of its own, and keep what it says."""
        job, revision = self.job, self.revision
        command = [sys.executable, "-P", "-m", "surveysem", "report", str(self.file), "--out", "report",
                   "--codebook", "codebook.toml", "--draws", str(draws), "--language", language,
                   "--estimator", estimator, "--screening", screening,
                   "--unknown", "leave", "--invalid", "record"]  # fmt: skip
        child = await asyncio.create_subprocess_exec(
            *command, cwd=self.folder, env=os.environ | {"NBPROOF_PROGRESS": "json"}, start_new_session=True,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            limit=LIMIT,
        )  # fmt: skip
        sweeper = asyncio.create_task(_sweep(child))
        try:
            async for raw in child.stdout:  # type: ignore[union-attr]
                line = raw.decode("utf-8", "replace").rstrip()
                job["lines"].append(json.loads(line) if line.startswith('["') else line)
        except asyncio.CancelledError:
            job["state"] = "cancelled"
            os.killpg(child.pid, signal.SIGINT)
            await asyncio.wait([sweeper], timeout=PATIENCE)
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
        await sweeper
        job["seconds"] = round(time.monotonic() - job["began"], 1)
        if job["state"] != "cancelled":
            job["state"] = "done" if child.returncode == 0 else "failed" if child.returncode == 2 else "killed"
        if job["state"] == "done":
            self.report = {"key": secrets.token_urlsafe(32), "revision": revision}

    def front(self, language: str) -> dict[str, Any]:
        """Return where the last report is, in this language if it can be, and whether it is of the model at hand."""
        own, key = f"index.{language}.html", self.report["key"]
        page = own if (self.folder / "report" / own).is_file() else "index.html"
        return {"report": key and f"/report/{key}/{page}", "fresh": self.report["revision"] == self.revision}

    async def cancel(self) -> None:
        """End the run, if there is one, and wait until nothing of it is left."""
        if self.running and not self.running.done():
            if self.job["state"] == "running":
                self.running.cancel()
            await asyncio.wait([self.running])


async def _sweep(child: asyncio.subprocess.Process) -> None:
    """Wait for a process, and end what it left behind in its group, which would keep its output open."""
    while child.returncode is None:
        await asyncio.sleep(0.1)
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)


@cache
def words(language: str) -> dict[str, str]:
    """Return the sentences of the page in a language."""
    found = tomllib.loads((HERE / "words.toml").read_text(encoding="utf-8"))
    return {key: text[language] for key, text in found.items()}


class Guarded(RequestHandler):
    """Answers its own page alone: host and cookie are right, and where something changes, origin and header."""

    def initialize(self, work: Work) -> None:
        self.work = work

    def set_default_headers(self) -> None:
        for name, value in (ALL | SET["page"]).items():
            self.set_header(name, value)

    def prepare(self) -> None:
        if self.request.host not in self.work.hosts:
            raise Refused("host", 403)
        if not self.known(self.get_cookie(self.work.cookie, "") or ""):
            raise Refused("token", 403)
        if self.request.method not in ("GET", "HEAD"):
            if self.request.headers.get("Origin") not in {None, *(f"http://{host}" for host in self.work.hosts)}:
                raise Refused("origin", 403)
            if self.request.headers.get("X-Surveysem") != "1":
                raise Refused("header", 403)

    def known(self, given: str) -> bool:
        """Whether this is the token."""
        return hmac.compare_digest(given.encode(), self.work.token.encode())

    @property
    def language(self) -> str:
        """The language that the reader chose, else the browser's."""
        asked = self.get_cookie("surveysem-language") or self.request.headers.get("Accept-Language", "")[:2].lower()
        return asked if asked in LANGUAGES else LANGUAGES[0]

    def page(self, template: str, **told: Any) -> None:
        """Answer with a page in the reader's language."""
        from surveysem.said import filled

        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.finish(filled(f"app/{template}", language=self.language, words=words(self.language), **told))

    def spoken(self, told: dict[str, Any]) -> dict[str, Any]:
        """Return what is told with the package's sentences in the reader's language."""
        from surveysem.said import translated

        keys = {*told} & {"said", "notes", "lines"}
        return told | {key: translated(told[key], self.language) for key in keys}

    def body(self) -> Any:
        """Return what the page sent."""
        try:
            return json.loads(self.request.body)
        except (ValueError, RecursionError):
            raise Refused("model") from None

    def log_exception(self, kind: Any, wrong: Any, trace: Any) -> None:
        """Say on the terminal what is a fault of ours, without the address, which holds the token."""
        if not (isinstance(wrong, Refused | HTTPError | OSError) or getattr(wrong, "input_is_wrong", False)):
            traceback.print_exception(kind, wrong, trace)

    def write_error(self, status_code: int, **more: Any) -> None:
        """Say what is wrong: the key of a sentence, or the package's own sentence."""
        wrong = more.get("exc_info", (None, None))[1]
        key = "disk" if isinstance(wrong, OSError) else getattr(wrong, "key", "fault")
        said = {"said": str(wrong)} if getattr(wrong, "input_is_wrong", False) else {"key": key}
        known = isinstance(wrong, Refused) or "said" in said
        self.set_status(getattr(wrong, "status", 400) if known else status_code)
        if self.request.path == "/":
            self.page("refused.html", key=key)
        else:
            self.finish(self.spoken(said))


class Page(Guarded):
    def prepare(self) -> None:
        if self.request.host in self.work.hosts and self.known(self.get_query_argument("token", "")):
            self.set_cookie(self.work.cookie, self.work.token, httponly=True, samesite="Strict")
            self.redirect("/")  # without the token
            return
        super().prepare()

    def get(self) -> None:
        if (asked := self.get_query_argument("language", "")) in LANGUAGES:
            self.set_cookie("surveysem-language", asked, samesite="Strict")
            self.redirect("/")
            return
        self.page("page.html", draws=DRAWS, limit=LIMIT, choices=CHOICES, codebooks=CODEBOOKS)


class Asset(Guarded):
    def get(self, name: str) -> None:
        self.set_header("Content-Type", f"{mimetypes.guess_type(name)[0]}; charset=utf-8")
        self.finish((HERE / name).read_bytes())


class State(Guarded):
    async def get(self) -> None:
        work, facts = self.work, None
        if work.opened:
            from surveysem.app.model import facts_of

            facts = facts_of(work.opened, self.language)
        self.finish({"facts": facts, "model": work.model, "revision": work.revision, "told": self.spoken(work.told)})

    async def post(self) -> None:
        asked = self.body()
        async with self.work.lock:
            if not isinstance(asked, dict) or asked.get("revision") != self.work.revision:
                raise Refused("other_tab", 409)
            if not self.work.opened or "model" not in asked:
                raise Refused("model")
            self.work.told = await asyncio.to_thread(self.work.check, asked["model"])
            self.work.model, self.work.revision = asked["model"], self.work.revision + 1
            self.finish({"revision": self.work.revision, "told": self.spoken(self.work.told)})


class File(Guarded):
    """A file of answers: one that is sent, or its codebook (PUT), or the example (POST)."""

    async def put(self) -> None:
        work, body = self.work, self.request.body
        name = Path(self.get_query_argument("name").replace("\\", "/")).name
        name = "".join(sign for sign in name if sign.isprintable()).lstrip(".")[-80:] or "answers"
        if not name.lower().endswith(CODEBOOKS):
            await self.open(lambda: work.open(work.keep(name, body)))
        elif work.opened:
            await self.open(lambda: work.open(work.file, work.keep(name, body)))
        else:
            raise Refused("first")

    async def post(self) -> None:
        await self.open(lambda: self.work.open(self.work.example()))

    async def open(self, opening: Callable[[], None]) -> None:
        async with self.work.lock:
            if self.work.job["state"] == "running":
                raise Refused("busy", 409)
            await asyncio.to_thread(opening)
        self.finish({})


class Run(Guarded):
    """The report on the model at hand: its state and what it said since (GET), another one (POST), its end (DELETE)."""

    def get(self) -> None:
        job, since = self.work.job, self.get_query_argument("since", "0")
        lines = job["lines"][int(since) if since.isdecimal() else 0 :]
        told = {"seconds": time.monotonic() - job.get("began", 0.0), **job, "lines": lines}  # so far, while it runs
        self.finish(self.spoken(told) | self.work.front(self.language))

    async def post(self) -> None:
        asked, work = self.body(), self.work
        async with work.lock:
            if work.job["state"] == "running":
                raise Refused("busy", 409)
            known = isinstance(asked, dict) and {*asked} == {*CHOICES, "draws"} and "rows" in work.told
            drawn = known and type(asked["draws"]) is int and DRAWS[0] <= asked["draws"] <= DRAWS[1]
            if not drawn or any(asked[name] not in allowed for name, allowed in CHOICES.items()):
                raise Refused("model")
            work.job = {"state": "running", "lines": [], "began": time.monotonic()}
            work.running = asyncio.create_task(work.run(**asked))
        self.finish({})

    async def delete(self) -> None:
        await self.work.cancel()
        self.finish({})


class Save(Guarded):
    async def get(self, name: str) -> None:
        packed = name == "report.zip"
        if packed and not self.work.report["key"]:
            raise HTTPError(404)
        content = await asyncio.to_thread(self.packed) if packed else (self.work.folder / name).read_bytes()
        self.set_header("Content-Type", mimetypes.guess_type(name)[0] or "application/octet-stream")
        self.set_header("Content-Disposition", f'attachment; filename="{name}"')
        self.finish(content)

    def packed(self) -> bytes:
        with tempfile.TemporaryDirectory() as place:
            return Path(shutil.make_archive(f"{place}/packed", "zip", self.work.folder, "report")).read_bytes()


class Report(StaticFileHandler):
    """The finished pages, under an address that nobody guesses: a sandboxed frame sends no cookie."""

    def initialize(self, work: Work) -> None:  # type: ignore[override]
        self.work = work
        super().initialize(str(work.folder / "report"))

    def prepare(self) -> None:
        key = self.path_kwargs.pop("key")
        if self.request.host not in self.work.hosts:
            raise HTTPError(403)
        if not key or not hmac.compare_digest(key.encode(), self.work.report["key"].encode()):
            raise HTTPError(404)

    def set_extra_headers(self, path: str) -> None:
        for name, value in (ALL | SET["report"]).items():
            self.set_header(name, value)


def application(work: Work) -> Application:
    """Return what answers each address; nothing is logged, since addresses hold the token."""
    routes = [
        (r"/", Page),
        (r"/(page\.css|page\.js)", Asset),
        (r"/api/state", State),
        (r"/api/file", File),
        (r"/api/run", Run),
        (r"/(codebook\.toml|report\.zip)", Save),
        (r"/report/(?P<key>[\w-]*)/(?P<path>.*)", Report),
    ]
    given = {"work": work}
    return Application(
        [(path, handler, given) for path, handler in routes],
        default_handler_class=Guarded,
        default_handler_args=given,
        log_function=lambda handler: None,
    )
