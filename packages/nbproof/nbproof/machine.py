"""What this machine gives a build: a folder for what can be made again, processors, one thread a process, and an end.

What a notebook started is ended, whatever session it moved to and however the notebook or the builder ended.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
import threading
import tomllib
from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import gettempdir
from typing import TYPE_CHECKING, Any

from nbproof.errors import OutputError

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

ENVIRONMENT: dict[str, str] = tomllib.loads(Path(__file__).with_name("environment.toml").read_text(encoding="utf-8"))
"""The environment every notebook sees."""


def cache_folder(name: str) -> Path:
    """Return a program's folder for what it keeps between runs and can make again.

    It lies in ``XDG_CACHE_HOME`` where that is set, else where the system keeps caches (``~/.cache``,
    ``~/Library/Caches``, ``%LOCALAPPDATA%``). Where that cannot be written, as in a container whose user has no home, a
    folder of the user's own among the temporary files stands in; that is said once, and ``XDG_CACHE_HOME`` set for the
    processes started from here on.

    Raises
    ------
    OutputError
        When there is no such place either.
    """
    from platformdirs import user_cache_path

    given = os.environ.get("XDG_CACHE_HOME", "")  # platformdirs does not look at it on Windows
    wanted = Path(given, name) if os.path.isabs(given) else user_cache_path(name, False)
    folder = _writable(wanted)
    if folder != wanted:
        os.environ["XDG_CACHE_HOME"] = str(folder.parent)
    return folder


@cache
def _writable(folder: Path) -> Path:
    """Return the folder, or its stand-in where it cannot be written."""
    with suppress(OSError):
        if folder.is_absolute():  # "~" stays where a user has no home
            folder.mkdir(parents=True, exist_ok=True)
            if os.access(folder, os.W_OK | os.X_OK):
                return folder
    try:
        home = Path(gettempdir(), f"{folder.name}-cache-{os.getuid() if hasattr(os, 'getuid') else 'user'}")
        home.mkdir(mode=0o700, exist_ok=True)
        if home.is_symlink() or (hasattr(os, "getuid") and home.stat().st_uid != os.getuid()):
            raise OSError(errno.EPERM, f"{home} is somebody else's")
        stand_in = home / folder.name
        stand_in.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"the cache folder {folder} cannot be written, nor one in its stead: {error.strerror}; set "
            "XDG_CACHE_HOME or TMPDIR to a folder that can be written (50 MB)."
        ) from None
    print(f"the cache folder {folder} cannot be written; {stand_in} stands in for it", file=sys.stderr, flush=True)
    return stand_in


def processors() -> int:
    """Return the number of processors this process may use; macOS tells only how many there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def hold_to_one_thread() -> None:
    """Keep the linear algebra of this whole process, and of those it starts, to one thread from now on.

    That is for the process of a notebook, as the builder runs it. Its matrices are small: a second thread costs more in
    waiting than it does, and adds numbers up in another order.
    """
    from threadpoolctl import threadpool_limits

    # for libraries not loaded yet
    os.environ.update({name: number for name, number in ENVIRONMENT.items() if name.endswith("_THREADS")})
    threadpool_limits(1)


KEPT = sys.platform == "linux" and hasattr(os, "fork")
"""Whether a keeper stays behind each report."""

ADOPT_ORPHANS = 36  # PR_SET_CHILD_SUBREAPER of prctl(2), in Linux since 3.4


def end_below(process: int | None = None) -> None:
    """End every process below one (by default this one); first politely, so that what tidies up for them can."""
    import psutil

    for how in ("terminate", "kill", "kill"):  # twice: a process may start another before it ends
        with suppress(psutil.NoSuchProcess):
            if not (below := psutil.Process(process).children(recursive=True)):
                return
            for each in below:
                with suppress(psutil.Error):
                    getattr(each, how)()
            psutil.wait_procs(below, timeout=1)


def keep(channel: Connection, alive: Connection | None) -> bool:
    """Go on in a child process; this one stays behind to end all that the child leaves, then ends as the child did.

    It ends the child when the builder is gone or asks for it. What has lost its own parent is handed to it; only Linux
    does that, so elsewhere nothing is done.

    Returns
    -------
    bool
        Whether this is such a child.
    """
    if not KEPT:
        return False
    import ctypes

    ctypes.CDLL(None).prctl(ADOPT_ORPHANS, 1, 0, 0, 0)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})  # until there is an answer to it
    child = os.fork()
    if child == 0:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return True

    def end(*_: Any) -> None:
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)

    channel.close()  # the builder hears of the child's end
    signal.signal(signal.SIGTERM, end)
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
    if alive is not None:
        threading.Thread(target=wait_for_end, args=(alive, end), daemon=True).start()
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    end_below()
    os._exit(code if code >= 0 else 128 - code)


def wait_for_end(alive: Connection, end: Any) -> None:
    """Call ``end`` when the builder is gone."""
    with suppress(EOFError, OSError):
        alive.recv()
    end()
