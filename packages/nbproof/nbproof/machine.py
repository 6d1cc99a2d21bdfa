"""What this machine gives a build: a folder for what can be made again, processors, and one thread a process."""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import gettempdir

from nbproof.errors import OutputError

__all__ = ["ONE_THREAD", "cache_folder", "hold_to_one_thread", "processors"]

ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS",
                            "VECLIB_MAXIMUM_THREADS"), "1")
"""The environment in which every library for linear algebra keeps to one thread."""


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
        raise OutputError(f"the cache folder {folder} cannot be written, nor one in its stead: {error.strerror}; set "
                          "XDG_CACHE_HOME or TMPDIR to a folder that can be written (50 MB).") from None
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

    os.environ.update(ONE_THREAD)  # for libraries not loaded yet
    threadpool_limits(1)
