"""What a notebook started ends with it, however either ends."""

from __future__ import annotations

import subprocess
import sys
import time
from multiprocessing import Pipe

import psutil
import pytest

from nbproof.machine import end_below

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux hands orphans to a keeper")

KEPT = """
import multiprocessing, os, subprocess, sys, time
from multiprocessing.connection import Connection
from nbproof.machine import keep
os.setsid()
keep(Connection(int(sys.argv[1])), Connection(int(sys.argv[2]), writable=False))
"""  # what a process of the builder does: stay behind as the keeper of a child, which goes on below
SLOW = """
import os, time
fork = os.fork
os.fork = lambda: (child := fork()) and time.sleep(1) or child
"""  # a busy machine: the child is at work before its keeper goes on
STARTED = {  # prints the process id of what it started
    "a child": "print(subprocess.Popen(['sleep', '600']).pid, flush=True)",
    "a session": "print(subprocess.Popen(['sleep', '600'], start_new_session=True).pid, flush=True)",
    "a daemon": "subprocess.run(['sh', '-c', 'setsid sleep 600 & echo $!'])",
    "a deaf one": "print(subprocess.Popen(['sh', '-c', 'trap \"\" TERM; sleep 600'], start_new_session=True).pid, "
    "flush=True)",
    "multiprocessing": "p = multiprocessing.get_context('fork').Process(target=time.sleep, args=(600,), daemon=True)\n"
    "p.start()\nprint(p.pid, flush=True)",
}
ENDS = {
    "done": ("", 0),
    "dies": ("os._exit(3)", 3),
    "killed": ("os.kill(os.getpid(), 9)", 137),
    "late": ("time.sleep(600)", 137),
    "builder gone": ("time.sleep(600)", 137),
}


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.mark.slow
@pytest.mark.parametrize(
    ("start", "end"), [*((start, "dies") for start in STARTED), *(("a session", end) for end in ENDS if end != "dies")]
)
def test_it_is_gone_when_its_notebook_ends(start, end):
    source, code = ENDS[end]
    source = "\n".join([SLOW * (end == "late"), KEPT, STARTED[start], "print('started', flush=True)", source])
    (alive, kept_open), (ours, theirs) = Pipe(duplex=False), Pipe(duplex=False)
    with alive, kept_open, ours, theirs:
        keeper = subprocess.Popen(
            [sys.executable, "-c", source, str(theirs.fileno()), str(alive.fileno())],
            pass_fds=(theirs.fileno(), alive.fileno()),
            stdout=subprocess.PIPE,
            text=True,
        )
        pid = int(keeper.stdout.readline())
        assert keeper.stdout.readline() == "started\n"
        if end in ("late", "builder gone"):
            assert not gone(pid)
            keeper.terminate() if end == "late" else kept_open.close()
        assert keeper.wait(30) == code
        assert gone(pid)


def test_where_no_keeper_stays_the_tree_is_ended():
    shell = subprocess.Popen(["sh", "-c", "sleep 600 & sleep 600 & wait"], start_new_session=True)
    deadline = time.monotonic() + 10
    while len(below := psutil.Process(shell.pid).children()) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(below) == 2
    end_below(shell.pid)
    shell.wait(5)
    assert all(gone(each.pid) for each in below)
    end_below(shell.pid)  # nothing there any more
