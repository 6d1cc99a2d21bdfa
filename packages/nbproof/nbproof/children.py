"""End what a notebook started, whatever session it moved to and however the notebook or the builder ended."""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

__all__ = ["KEPT", "end_below", "keep", "wait_for_end"]

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
    child = os.fork()
    if child == 0:
        return True

    def end(*_: Any) -> None:
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)

    channel.close()  # the builder hears of the child's end
    signal.signal(signal.SIGTERM, end)
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
