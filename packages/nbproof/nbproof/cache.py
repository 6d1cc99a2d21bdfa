"""Share what costs time: executed notebooks in a folder or on a server, found by all that a run is made from.

A run is found by the hash of what is known before it: notebook, parameters, modules, versions, languages. Its entry
(``runs/HASH.json``) names the files that the run read, each with its hash, and the executed notebook by its own hash
(``notebooks/HASH``). Taken is what was made from the very files that stand here, and what has the hash it is named by;
anything else is said, and the notebook run. Pages and results are made here in any case.

Whoever may write to a cache may put another result in it: `nbproof.verify` never looks there.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from nbproof import plan
from nbproof.errors import MissingExtraError, OutputError, ParameterError
from nbproof.folder import check_place, file_hash, inside, write_whole
from nbproof.parameters import cells_of
from nbproof.project import project

WAIT, LONGEST, MOST = 20.0, 600.0, 2**28  # seconds for a part of a server's answer and for all of it; bytes
HASH = re.compile("[0-9a-f]{64}")


class Cache:
    """A store of runs.

    Parameters
    ----------
    get, put : callable
        Return the bytes of a name, or None where there are none; keep bytes under a name. Both may raise OSError.
    place : str
        What messages call it.
    """

    def __init__(self, get: Callable[[str], bytes | None], put: Callable[[str, bytes], object], place: str) -> None:
        self._get, self._put, self.place = get, put, place

    def take(self, report: plan.ReportPlan, environment: Mapping[str, str], to: Path) -> list[str] | None:
        """Write the executed notebook of a run from the same to ``to``; return what it read, or None without one."""
        try:
            found = self._get(self._entry(report, environment))
            if found is None:
                return None
            entry = json.loads(found)
            read, digest = dict(entry["read"]), entry["notebook"]
            if any(file_hash(inside(project().root, name)) != known for name, known in read.items()):
                return None
            content = self._get(f"notebooks/{digest}") if HASH.fullmatch(digest) else None
            if content is None or hashlib.sha256(content).hexdigest() != digest:
                raise ValueError("its notebook is not the one that was stored")
            if _sources(json.loads(content)["cells"]) != _sources(cells_of(report.notebook)):
                raise ValueError("its notebook is another one")
        except OSError as wrong:
            self._say(report, f"cannot be read: {wrong}")
            return None
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError, OutputError) as wrong:
            self._say(report, f"holds an entry that is refused: {wrong}")
            return None
        to.write_bytes(content)
        return [*read]

    def keep(
        self, report: plan.ReportPlan, environment: Mapping[str, str], executed: Path, read: Sequence[str]
    ) -> None:
        """Store a run, unless a file that it read, or a module, changed while it ran."""
        plan._forget()
        now = plan.run_inputs(report.notebook, report.parameters, environment, read)
        if any(now.get(label, digest) != digest for label, digest in report.run_inputs.items()):
            return
        content = executed.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        entry = {"report": report.name, "read": {name: now[name] for name in read}, "notebook": digest}
        try:
            self._put(f"notebooks/{digest}", content)  # first: an entry never names what is not there
            self._put(self._entry(report, environment), (json.dumps(entry, indent=1) + "\n").encode())
        except (OSError, OutputError) as wrong:
            self._say(report, f"keeps nothing: {wrong}", "the report is made all the same")

    def _entry(self, report: plan.ReportPlan, environment: Mapping[str, str]) -> str:
        known = plan.run_inputs(report.notebook, report.parameters, environment, ())
        return f"runs/{plan.json_hash([known, report.languages])}.json"

    def _say(self, report: plan.ReportPlan, what: str, then: str = "the notebook is run") -> None:
        # in one piece, as another notebook's process may speak at the same time
        sys.stderr.write(f"{report.name}: the cache {self.place} {what}; {then}\n")
        sys.stderr.flush()


def open_cache(place: str) -> Cache:
    """Return the cache at a folder, or at an address: http and https by GET and PUT, others through fsspec.

    Raises
    ------
    ParameterError
        When the place is a file, or of an address nothing is known.
    MissingExtraError
        When the address needs fsspec, which the extra ``store`` brings.
    """
    kind, there, _ = place.partition("://")
    if not there:
        folder = Path(place).absolute()
        check_place(folder)
        if folder.exists() and not folder.is_dir():
            raise ParameterError(
                f"--cache {place} is a file; allowed: a folder, or an address such as https://HOST/DIR."
            )
        return Cache(
            lambda name: (folder / name).read_bytes() if (folder / name).is_file() else None,
            lambda name, content: write_whole(folder / name, content),
            str(folder),
        )
    if kind in ("http", "https"):
        return Cache(lambda name: _ask(place, name), lambda name, content: _ask(place, name, content), place)
    try:
        from fsspec.core import url_to_fs
    except ImportError:
        raise MissingExtraError(f"--cache {place} needs fsspec; install nbproof[store], or give a folder.") from None
    try:
        system, top = url_to_fs(place)
    except (ValueError, ImportError) as wrong:
        raise ParameterError(f"--cache {place}: {wrong}; allowed: a folder, http(s), or what fsspec knows.") from None

    def put(name: str, content: bytes) -> None:
        system.makedirs(f"{top}/{name.partition('/')[0]}", exist_ok=True)
        system.pipe_file(f"{top}/{name}", content)

    return Cache(lambda name: system.cat_file(f"{top}/{name}") if system.exists(f"{top}/{name}") else None, put, place)


def _sources(cells: Sequence[Mapping[str, Any]]) -> list[str]:
    """The cells of a notebook, but the one that papermill puts in."""
    own = (each for each in cells if "injected-parameters" not in each.get("metadata", {}).get("tags", ()))
    return ["".join(each["source"]) for each in own]


def _parts(answer: Any) -> Iterator[bytes]:
    """Read an answer that is neither too long nor without an end."""
    until, size = time.monotonic() + LONGEST, 0
    while part := answer.read1(2**20):
        yield part
        size += len(part)
        if size > MOST or time.monotonic() > until:
            raise OSError(f"its answer goes on after {size} bytes; allowed are {MOST} bytes in {LONGEST:.0f} s")
    if answer.length:
        raise OSError(f"its answer ends {answer.length} bytes early")


def _ask(place: str, name: str, content: bytes | None = None) -> bytes | None:
    """Get a name from a server, or put it there."""
    request = Request(f"{place.rstrip('/')}/{name}", data=content, method="GET" if content is None else "PUT")
    request.add_header("Content-Type", "application/octet-stream")
    try:
        with urlopen(request, timeout=WAIT) as answer:
            return b"".join(_parts(answer))
    except HTTPError as wrong:
        if content is None and wrong.code == 404:
            return None
        raise OSError(f"it answers {wrong.code} {wrong.reason}") from None
    except (URLError, HTTPException, ValueError) as wrong:  # the last for what is no address
        raise OSError(getattr(wrong, "reason", None) or str(wrong) or type(wrong).__name__) from None
