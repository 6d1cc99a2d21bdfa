"""Bring a public data set here: from a reader's folder, or over the network with retries and checksum."""

from __future__ import annotations

import os
import shutil
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

from socialcommerce.data.registry import Source, check_hash, sources
from socialcommerce.errors import DataError, FetchError, OutputError, UnknownNameError

__all__ = ["fetch"]

MIRROR = "SOCIALCOMMERCE_DATA"
FETCHED = "data/fetched"
TIMEOUT = 30.0  # seconds to wait for a connection and for each further piece
TOTAL = 600.0  # seconds for one attempt
RETRIES = 4


def fetch(name: str) -> tuple[Path, ...]:
    """Bring a public file, or every file of a public data set, into ``data/fetched`` and return the paths.

    A file that is there and whole is left alone. Else it is copied from the folder named in the environment variable
    SOCIALCOMMERCE_DATA where it stands there, or downloaded. It gets its name only once its checksum agrees.

    Parameters
    ----------
    name : str
        A file (``"beibei_tune"``) or a data set (``"beibei"``) of kind public.

    Raises
    ------
    UnknownNameError
        For a name that is not registered.
    DataError
        For a committed table, which needs no fetching.
    FetchError
        When the network or the server fails for good, sends us elsewhere, or sends more than the registered bytes.
    ChecksumError
        When what came is not the registered file: both hashes are shown and nothing is kept.
    OutputError
        When the folder cannot be written.
    """
    return tuple(bring(entry, entry.file) for entry in _public(name))


def bring(entry: Source, target: Path) -> Path:
    """Make ``target`` the registered file, by whichever way is shortest."""
    try:
        if target.is_file():
            check_hash(entry, target, f"{entry.path}, to be removed before it is fetched anew,")
            return target
        target.parent.mkdir(parents=True, exist_ok=True)
        mirror = Path(os.environ.get(MIRROR, ""), Path(entry.path).relative_to(FETCHED))
        if os.environ.get(MIRROR) and mirror.is_file():
            _copy(entry, mirror, target)
        else:
            _download(entry, target)
    except OSError as error:
        raise OutputError(f"{entry.name} cannot be written: {error}; a writable {FETCHED} is needed.") from error
    return target


def _public(name: str) -> list[Source]:
    public = [entry for entry in sources() if not entry.committed]
    sets = {entry.dataset for entry in public}
    if found := [entry for entry in public if name in (entry.name, entry.dataset)]:
        return found
    if any(entry.name == name for entry in sources()):
        raise DataError(f"{name} needs no fetching; it is committed. Allowed: {', '.join(sorted(sets))}.")
    raise UnknownNameError("data set", name, sets | {entry.name for entry in public})


def _copy(entry: Source, mirror: Path, target: Path) -> None:
    check_hash(entry, mirror, str(mirror))
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    shutil.copyfile(mirror, part)
    part.replace(target)


def _download(entry: Source, target: Path) -> None:
    """Let pooch bring the file under a temporary name, again where the connection fails."""
    import pooch
    import requests
    import urllib3

    pooch.get_logger().setLevel("WARNING")
    fetched = pooch.create(
        target.parent,
        "",
        registry={target.name: f"sha256:{entry.sha256}"},
        urls={target.name: entry.url},
        retry_if_failed=RETRIES,
    )

    def downloader(url: str, output_file: str, _: Any) -> None:
        try:
            _stream(entry, url, Path(output_file))
        except urllib3.exceptions.HTTPError as error:
            raise requests.ConnectionError(error) from error  # what pooch asks again for
        check_hash(entry, Path(output_file), url)

    try:
        fetched.fetch(target.name, downloader=downloader)
    except requests.RequestException as error:
        raise FetchError(
            f"{entry.url} did not come whole in {1 + RETRIES} attempts: {_in_words(error)}; fetch it "
            f"again later, or set {MIRROR} to a folder that holds the file."
        ) from error


def _stream(entry: Source, url: str, file: Path) -> None:
    """Write what a server sends, and no more than is registered."""
    import requests
    from tqdm import tqdm

    # no redirect is followed, as a network's sign-in page is one: what is registered stands at its own address
    until = monotonic() + TOTAL
    with requests.get(url, stream=True, timeout=TIMEOUT, allow_redirects=False) as response:
        code, have = response.status_code, 0
        if 300 <= code < 500 and code not in (408, 429):  # asking again would not change it
            raise FetchError(
                f"{url} cannot be had: the server answered {code} {response.reason}; a published file at "
                "that address is needed."
            )
        response.raise_for_status()
        bar = tqdm(desc=url.rsplit("/", 1)[-1], total=entry.bytes, unit="B", unit_scale=True, disable=None)
        with file.open("wb") as out, bar:
            for piece in iter(partial(response.raw.read1, 1 << 16), b""):  # what is there, however little
                have += len(piece)
                if monotonic() > until:
                    raise FetchError(f"{url} cannot be had: it did not come whole within {TOTAL:g} s.")
                if have > entry.bytes:
                    raise FetchError(f"{url} cannot be had: it sends more than the {entry.bytes:,} bytes registered.")
                out.write(piece)
                bar.update(len(piece))


def _in_words(error: Exception) -> str:
    import requests

    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"the server answered {error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.Timeout) or "timed out" in str(error):
        return f"nothing came for {TIMEOUT:g} s"
    if isinstance(error, requests.exceptions.InvalidHeader):
        return "the server states several lengths"
    return "the connection broke off" if "broken" in str(error) else "no connection"
