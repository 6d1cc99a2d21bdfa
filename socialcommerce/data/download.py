"""Bring a public data set here: from a reader's folder, or over the network with resume, retries and checksum."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import Any

from socialcommerce.data.registry import Source, check_hash, sha256, sources
from socialcommerce.errors import ChecksumError, DataError, FetchError, OutputError, UnknownNameError

__all__ = ["MIRROR", "Transfer", "fetch"]

MIRROR = "SOCIALCOMMERCE_DATA"
FETCHED = "data/fetched"


def fetch(name: str, *, transfer: Transfer | None = None) -> tuple[Path, ...]:
    """Bring a public file, or every file of a public data set, into ``data/fetched`` and return the paths.

    A file that is there and whole is left alone. Else it is copied from the folder named in the environment variable
    SOCIALCOMMERCE_DATA where it stands there, or downloaded. It gets its name only once its checksum agrees.

    Parameters
    ----------
    name : str
        A file (``"beibei_tune"``) or a data set (``"beibei"``) of kind public.
    transfer : Transfer, optional
        Time-out, retries and progress display.

    Raises
    ------
    UnknownNameError
        For a name that is not registered.
    DataError
        For a committed table, which needs no fetching.
    FetchError
        When the network or the server fails for good. What came so far is kept, and the next call resumes; but nothing
        where the server sends us elsewhere, or more than the registered bytes.
    ChecksumError
        When what came is not the registered file: both hashes are shown and nothing is kept.
    OutputError
        When the folder cannot be written.
    """
    return tuple(bring(entry, entry.file, transfer or Transfer()) for entry in _public(name))


def bring(entry: Source, target: Path, transfer: Transfer) -> Path:
    """Make ``target`` the registered file, by whichever way is shortest."""
    try:
        if target.is_file():
            _check_kept(entry, target)
            return target
        target.parent.mkdir(parents=True, exist_ok=True)
        mirror = _in_mirror(entry)
        if mirror is not None:
            _copy(entry, mirror, target)
        else:
            _download(entry, target, transfer)
    except OSError as error:
        raise OutputError(f"{entry.name} cannot be written: {error}; a writable {FETCHED} is needed.") from error
    return target


def _check_kept(entry: Source, target: Path) -> None:
    try:
        check_hash(entry, target, entry.path)
    except ChecksumError as error:
        raise ChecksumError(f"{str(error).rstrip('.')}; to fetch it anew, remove it first.") from None


def _public(name: str) -> list[Source]:
    entries = sources()
    found = [entry for entry in entries if not entry.committed and name in (entry.name, entry.dataset)]
    if not found and any(entry.name == name for entry in entries):
        raise DataError(f"{name} needs no fetching; it is committed. Allowed: "
                        + ", ".join(sorted({e.dataset for e in entries if not e.committed})) + ".")
    if not found:
        public = [entry for entry in entries if not entry.committed]
        raise UnknownNameError("data set", name, {e.dataset for e in public} | {e.name for e in public})
    return found


def _in_mirror(entry: Source) -> Path | None:
    folder = os.environ.get(MIRROR)
    if not folder:
        return None
    path = Path(folder) / Path(entry.path).relative_to(FETCHED)
    return path if path.is_file() else None


def _copy(entry: Source, mirror: Path, target: Path) -> None:
    check_hash(entry, mirror, str(mirror))
    part = _part(entry, target)
    shutil.copyfile(mirror, part)
    part.replace(target)


def _part(entry: Source, target: Path) -> Path:
    """Name the unfinished file after the wanted hash, so that no other version is ever resumed into it."""
    return target.with_name(f".{target.name}.{entry.sha256[:12]}.part")


def _download(entry: Source, target: Path, transfer: Transfer) -> None:
    import pooch

    pooch.get_logger().setLevel("WARNING")
    part = _part(entry, target)

    def downloader(url: str, output_file: Any, _: Any) -> None:
        transfer.download(url, part, entry.bytes)
        found = sha256(part)
        if found != entry.sha256:
            part.unlink()
            raise ChecksumError(
                f"{url} did not send the registered file {entry.name}: the sha256 of what came is {found}; "
                f"data/sources.toml allows only {entry.sha256}; nothing was kept."
            )
        part.replace(output_file)

    pooch.retrieve(entry.url, f"sha256:{entry.sha256}", fname=target.name, path=target.parent, downloader=downloader)


@dataclass(frozen=True)
class Transfer:
    """How a download goes about it.

    Parameters
    ----------
    timeout : float
        Seconds to wait for a connection and for each further piece; > 0.
    tries : int
        Attempts before giving up, >= 1. Each resumes where the last one broke off.
    pause : float
        Seconds before the second attempt; doubled before each further one.
    total : float
        Seconds for a whole file, all attempts together; > 0.
    progress : bool or None
        Show a progress bar; None for only where there is a terminal.
    """

    timeout: float = 30.0
    tries: int = 5
    pause: float = 1.0
    total: float = 1800.0
    progress: bool | None = None

    def download(self, url: str, part: Path, size: int) -> None:
        """Bring a file of at most ``size`` bytes to ``part``, resuming what is there; raise FetchError at last."""
        import requests
        import urllib3

        end, attempts, reason = time.monotonic() + self.total, 0, "no attempt was made"
        while attempts < self.tries:
            time.sleep(self.pause * 2 ** (attempts - 1) if attempts else 0)
            attempts += 1
            try:
                _in_time(end, lambda over: self._attempt(url, part, size, over))
                return
            except _GivenUp as error:
                if isinstance(error, _TooLong):
                    part.unlink(missing_ok=True)
                raise FetchError(f"{url} cannot be had: {error}; a published file at that address is needed.") from None
            except TimeoutError:
                reason = f"it took more than {self.total:g} s"
                break
            except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
                reason = _in_words(error, self.timeout)
        kept = part.stat().st_size if part.is_file() else 0
        raise FetchError(
            f"{url} did not come whole in {attempts} attempts: {reason}; {kept:,} bytes are kept and the next fetch "
            f"resumes there, or set {MIRROR} to a folder that holds the file."
        )

    def _attempt(self, url: str, part: Path, size: int, over: Event) -> None:
        import requests
        from tqdm import tqdm

        have = part.stat().st_size if part.is_file() else 0
        # identity: a range of a compressed stream could not be appended to plain bytes
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
        with requests.get(url, headers=headers, stream=True, timeout=self.timeout, allow_redirects=False) as response:
            have = _resumed_at(response, part, have)
            length = response.raw.length_remaining or 0  # 0 too where the header makes no sense
            _check_size(have + length, size)
            hidden = None if self.progress is None else not self.progress
            bar = tqdm(desc=url.rsplit("/", 1)[-1], total=have + length or None, initial=have, unit="B",
                       unit_scale=True, disable=hidden)
            with part.open("ab" if have else "wb") as out, bar:
                # read1: what has come, be it one byte, so that a server that drips is noticed
                while not over.is_set() and (piece := response.raw.read1(1 << 16, decode_content=True)):
                    have += len(piece)
                    _check_size(have, size)
                    out.write(piece)
                    bar.update(len(piece))


def _in_time(end: float, attempt: Callable[[Event], None]) -> None:
    """Make an attempt in a thread that is left behind at the end: headers that drip would hold this one for hours."""
    over, raised = Event(), []

    def work() -> None:
        try:
            attempt(over)
        except BaseException as error:  # brought over to the caller's thread
            raised.append(error)

    thread = Thread(target=work, daemon=True)
    thread.start()
    try:
        while thread.is_alive() and time.monotonic() < end:
            thread.join(min(0.5, max(0.0, end - time.monotonic())))  # short, so that Windows hears Ctrl-C
        if thread.is_alive():
            raise TimeoutError
    finally:
        over.set()
    if raised:
        raise raised[0]


class _GivenUp(Exception):
    """The server's answer is final: asking again would not change it."""


class _TooLong(_GivenUp):
    """It cannot be the registered file."""


def _check_size(found: int, size: int) -> None:
    if found > size:
        raise _TooLong(f"it sends {found:,} bytes or more, {size:,} are registered")


def _resumed_at(response: Any, part: Path, have: int) -> int:
    """Return how many of the bytes at hand the server continues from; raise what its status means."""
    if response.is_redirect:  # as a network's sign-in page does: what is registered stands at its own address
        raise _GivenUp(f"the server sends us on to {response.headers['Location'][:200]!r}")
    if response.status_code == 416:  # we hold as much as there is, or more: start again
        part.unlink(missing_ok=True)
        response.raise_for_status()
    if 400 <= response.status_code < 500 and response.status_code not in (408, 429):
        raise _GivenUp(f"the server answered {response.status_code} {response.reason}")
    response.raise_for_status()
    start = response.headers.get("Content-Range", "").removeprefix("bytes ").partition("-")[0]
    return have if response.status_code == 206 and start == str(have) else 0


def _in_words(error: Exception, timeout: float) -> str:
    import requests

    if isinstance(error, requests.Timeout) or "timed out" in str(error):
        return f"nothing came for {timeout:g} s"
    if isinstance(error, requests.HTTPError):
        return f"the server answered {error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.exceptions.InvalidHeader):
        return "the server states several lengths"
    if isinstance(error, requests.exceptions.ConnectionError | requests.exceptions.InvalidSchema):
        return "no connection" if "certificate" not in str(error) else "the server's certificate is not valid"
    return "the connection broke off"
