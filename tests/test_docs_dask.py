"""docs/dask.md: its own commands open the ports it names, on the addresses it names, to those who hold certificates."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from socialcommerce.project import root
from stockflow import ExperimentError, experiments

ADDRESS = "127.0.0.2" if sys.platform == "linux" else "127.0.0.1"  # the first has every socket told apart from HTTP's
PAGE = (root() / "docs" / "dask.md").read_text(encoding="utf-8")
PORTS = {
    "scheduler": {(ADDRESS, 28786), ("127.0.0.1", 28787)},
    "worker": {
        (ADDRESS, 29010),
        (ADDRESS, 29011),
        (ADDRESS, 29110),
        (ADDRESS, 29111),
        ("127.0.0.1", 29210),
        ("127.0.0.1", 29211),
    },
}


def blocks(language: str) -> list[str]:
    """The page's code, with two processors and with ports that no other cluster of this machine takes."""
    found = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return [re.sub(r"\b(878[67]|9[012]\$k)", r"2\1", code).replace("$(nproc)", "2") for code in found]


def listening(process: subprocess.Popen) -> set[tuple[str, int]]:
    found = set()
    for one in psutil.Process(process.pid).children(recursive=True):
        if one.is_running() and one.status() != psutil.STATUS_ZOMBIE:
            found |= {tuple(c.laddr) for c in one.net_connections("inet") if c.status == psutil.CONN_LISTEN}
    return found


def test_the_page_names_its_ports():
    named = re.findall(r"^\| ([\d, …]+) \|", PAGE, re.MULTILINE)
    assert named == ["8786", "8787", "9010, 9011, …", "9110, 9111, …", "9210, 9211, …"]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="the page's commands are bash's")
def test_the_commands_open_the_named_ports_and_no_other(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    for name in ("ADDRESS", "SCHEDULER"):
        monkeypatch.setenv(name, ADDRESS)
    certificates, *started = blocks("bash")
    subprocess.run(["bash", "-ec", certificates], check=True, capture_output=True, timeout=60)
    quiet = {"start_new_session": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    running = [subprocess.Popen(["bash", "-c", f"{code}\n:"], **quiet) for code in started]
    try:
        until = time.monotonic() + 90
        while [listening(one) for one in running] != list(PORTS.values()) and time.monotonic() < until:
            time.sleep(0.3)
        given: dict = {}
        exec(blocks("python")[0].replace("security=security", "security=security, timeout=30"), given)
        assert given["table"]["value"].tolist() == [1024]
        with pytest.raises(ExperimentError, match=r"no Dask scheduler answers .*, and for tls:// the certificates"):
            experiments.run(pow, [{"base": 2, "exp": 10}], executor=f"tls://{ADDRESS}:28786", timeout=2)
        assert dict(zip(PORTS, map(listening, running), strict=True)) == PORTS
    finally:
        for one in running:
            os.killpg(one.pid, signal.SIGKILL)
            one.wait()
