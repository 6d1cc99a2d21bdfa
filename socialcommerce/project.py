"""Where the project's own files stand, where it keeps what it can make again, and what this machine gives it."""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import gettempdir

from socialcommerce.errors import OutputError

__all__ = ["ONE_THREAD", "cache_folder", "hold_to_one_thread", "own_folder", "processors", "root"]

ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS",
                            "VECLIB_MAXIMUM_THREADS"), "1")
"""The environment in which every library for linear algebra keeps to one thread."""


INSTALLED = Path(__file__).resolve().parent / "files"
"""Where an installed package holds notebooks, paper and data."""


def root() -> Path:
    """Return the folder that holds notebooks, paper and data.

    It is the folder above the package (a checkout, where ``make`` installs it), else the nearest checkout at or above
    the working directory, else what travels inside an installed package; ``SOCIALCOMMERCE_ROOT`` goes before all three.

    Raises
    ------
    OutputError
        When ``SOCIALCOMMERCE_ROOT`` names another folder.
    """
    given = os.environ.get("SOCIALCOMMERCE_ROOT")
    for folder in [Path(given)] if given else [Path(__file__).parents[1], Path.cwd(), *Path.cwd().parents, INSTALLED]:
        if (folder / "paper" / "claims.toml").is_file():
            return folder.resolve()
    raise OutputError(f"SOCIALCOMMERCE_ROOT holds no paper/claims.toml; got {given}; allowed is the top folder of "
                      "a clone, or to leave it unset.")


def own_folder(name: str) -> Path:
    """Return the folder for what the project writes by default: in its checkout, else in the working directory."""
    top = root()
    return (Path.cwd() if top == INSTALLED else top) / name


def cache_folder() -> Path:
    """Return the folder for what is kept between runs and can be made again.

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
    wanted = Path(given, "socialcommerce") if os.path.isabs(given) else user_cache_path("socialcommerce", False)
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
        home = Path(gettempdir(), f"socialcommerce-cache-{os.getuid() if hasattr(os, 'getuid') else 'user'}")
        home.mkdir(mode=0o700, exist_ok=True)
        if home.is_symlink() or (hasattr(os, "getuid") and home.stat().st_uid != os.getuid()):
            raise OSError(errno.EPERM, f"{home} is somebody else's")
        stand_in = home / "socialcommerce"
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
