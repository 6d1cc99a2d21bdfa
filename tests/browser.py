"""Drive headless Chromium over its DevTools protocol: open a file, look, click, type, see every request it makes."""

from __future__ import annotations

import base64
import itertools
import json
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import websocket

FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--disable-dev-shm-usage",
    "--remote-allow-origins=*",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--remote-debugging-port=0",
    "--window-size=1280,900",
]


class Browser:
    """One tab of a browser whose network ends at this machine."""

    def __init__(self, program: str) -> None:
        self.folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self.process = subprocess.Popen(
            [program, *FLAGS, f"--user-data-dir={self.folder.name}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.socket = websocket.create_connection(self._address(), timeout=30)
        self.numbers = itertools.count(1)
        self.events: list[dict[str, Any]] = []
        self.agrees = True  # to what a dialog asks
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def _address(self) -> str:
        import urllib.request

        port_file = Path(self.folder.name, "DevToolsActivePort")
        deadline = time.monotonic() + 60
        while not port_file.is_file() or not port_file.read_text().strip():
            assert time.monotonic() < deadline, "the browser did not start"
            time.sleep(0.05)
        port = port_file.read_text().split("\n")[0]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list", timeout=30) as answer:
            return next(page["webSocketDebuggerUrl"] for page in json.load(answer) if page["type"] == "page")

    def call(self, method: str, session: str = "", **parameters: Any) -> dict[str, Any]:
        number = next(self.numbers)
        message = {"id": number, "method": method, "params": parameters} | ({"sessionId": session} if session else {})
        self.socket.send(json.dumps(message))
        while True:
            message = json.loads(self.socket.recv())
            if message.get("id") == number:
                assert "error" not in message, message
                return message["result"]
            if "method" not in message:  # the answer to the one below
                continue
            self.events.append(message)
            if message["method"] == "Page.javascriptDialogOpening":  # all waits for it
                answer = {"id": next(self.numbers), "method": "Page.handleJavaScriptDialog"}
                self.socket.send(json.dumps(answer | {"params": {"accept": self.agrees}}))

    def open(self, path: Path, *, dark: bool = False, width: int = 1280, height: int = 900) -> None:
        """Open a file and wait until it is loaded, its fonts too."""
        self.view(dark=dark, width=width, height=height)
        self.events.clear()
        self.call("Page.navigate", url=path.as_uri())
        while not any(event["method"] == "Page.loadEventFired" for event in self.events):
            self.events.append(json.loads(self.socket.recv()))  # raises when nothing comes for 30 s
        assert self.value("location.href") == path.as_uri()
        self.value("document.fonts.ready.then(() => true)")

    def view(self, *, dark: bool = False, width: int = 1280, height: int = 900) -> None:
        """Choose the reader's colour scheme and screen; the open page follows."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )

    def frame(self, part: str) -> str:
        """Return the session of a sandboxed frame whose address has this part; nothing before there is one."""
        frames = [each for each in self.call("Target.getTargets")["targetInfos"] if each["type"] == "iframe"]
        found = [each["targetId"] for each in frames if part in each["url"]]
        return self.call("Target.attachToTarget", targetId=found[0], flatten=True)["sessionId"] if found else ""

    def value(self, expression: str, session: str = "") -> Any:
        """Evaluate JavaScript in the page, or in a frame of it."""
        how = {"expression": expression, "awaitPromise": True, "returnByValue": True}
        result = self.call("Runtime.evaluate", session, **how)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def press(self, key: str) -> None:
        """Press a key as a reader would."""
        text = {"Enter": "\r"}.get(key, "")
        code = {"Enter": 13, "Tab": 9, "Escape": 27, "ArrowDown": 40, "ArrowUp": 38, "ArrowRight": 39}[key]
        for kind in ("keyDown", "keyUp"):
            typed = {"text": text} if text and kind == "keyDown" else {}
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **typed)

    def drag(self, start: str, end: str) -> None:
        """Drag what one selector finds to the middle of what another finds, by mouse."""
        middle = "(r => [r.x + r.width / 2, r.y + r.height / 2])(document.querySelector(%s).getBoundingClientRect())"
        self.value(f"document.querySelector({json.dumps(start)}).scrollIntoView({{block: 'center'}})")
        (x, y), (u, v) = (self.value(middle % json.dumps(each)) for each in (start, end))
        moves = [("mousePressed", 0.0), *(("mouseMoved", k / 4) for k in range(1, 5)), ("mouseReleased", 1.0)]
        for kind, share in moves:
            at = {"x": x + (u - x) * share, "y": y + (v - y) * share}
            held = {"button": "left", "buttons": int(kind != "mouseReleased"), "clickCount": 1}
            self.call("Input.dispatchMouseEvent", type=kind, **at, **held)

    def screenshot(self) -> bytes:
        """Return the visible part as PNG."""
        return base64.b64decode(self.call("Page.captureScreenshot", format="png", optimizeForSpeed=True)["data"])

    def requests(self) -> list[str]:
        """Addresses asked for since the page was opened, those inside the page left out."""
        asked = [e["params"]["request"]["url"] for e in self.events if e["method"] == "Network.requestWillBeSent"]
        return [address for address in asked if not address.startswith("data:")]

    def complaints(self) -> list[str]:
        """Failed requests, refused content, errors and warnings since the page was opened."""
        ended = [e["params"] for e in self.events if e["method"] == "Network.loadingFailed"]
        failed = [params.get("errorText", "") for params in ended if not params["canceled"]]  # by leaving a page
        logged = [e["params"]["entry"]["text"] for e in self.events if e["method"] == "Log.entryAdded"]
        thrown = [
            json.dumps(e["params"])
            for e in self.events
            if e["method"] in ("Runtime.exceptionThrown", "Runtime.consoleAPICalled")
        ]
        return failed + logged + thrown

    def close(self) -> None:
        self.socket.close()
        self.process.kill()
        self.process.wait()
        self.folder.cleanup()
