"""Chromium over a pipe: one browser for many tests, with clicks, files, downloads and what it writes to the console.

The protocol is Chromium's own (CDP), a JSON message and a zero byte each way; nothing needs to be installed for it.
"""

from __future__ import annotations

import base64
import json
import os
import select
import subprocess
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--hide-scrollbars", "--remote-debugging-pipe",
)  # fmt: skip
PATIENCE = 20.0


class Browser:
    """A running Chromium with one page."""

    def __init__(self, chromium: str, profile: Path) -> None:
        there, here = os.pipe()
        back, from_there = os.pipe()

        def pipes() -> None:
            os.dup2(there, 3)
            os.dup2(from_there, 4)

        os.set_inheritable(there, True)
        os.set_inheritable(from_there, True)
        self._process = subprocess.Popen(
            [chromium, *QUIET, f"--user-data-dir={profile}"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=pipes, close_fds=False,  # noqa: PLW1509
        )  # fmt: skip
        os.close(there)
        os.close(from_there)
        self._out, self._in, self._buffer, self._last = here, back, b"", 0
        self._events: list[dict[str, Any]] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "DOM", "Network"):
            self.ask(f"{domain}.enable")

    def close(self) -> None:
        """End the browser."""
        os.close(self._out)
        os.close(self._in)
        self._process.terminate()
        self._process.wait(timeout=PATIENCE)

    def call(self, method: str, session: str | None = None, **given: Any) -> dict[str, Any]:
        """Send a message and return its answer; what happens meanwhile is kept."""
        mine = self._send(method, session, given)
        until = time.monotonic() + PATIENCE
        while True:
            answer = self._next(until, method)
            if answer.get("id") == mine:
                assert "error" not in answer, (method, answer)
                return dict(answer["result"])
            self._events.append(answer)
            if answer.get("method") == "Page.javascriptDialogOpening":  # the page waits for the answer, as all of us do
                self._send("Page.handleJavaScriptDialog", session, {"accept": True})

    def _send(self, method: str, session: str | None, given: dict[str, Any]) -> int:
        self._last += 1
        message = {"id": self._last, "method": method, "params": given} | ({"sessionId": session} if session else {})
        os.write(self._out, json.dumps(message).encode() + b"\0")
        return self._last

    def ask(self, method: str, **given: Any) -> dict[str, Any]:
        """As `call`, of the page."""
        return self.call(method, self._session, **given)

    def _next(self, until: float, waiting: str) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._in], [], [], max(0.0, until - time.monotonic()))
            assert ready, f"no answer to {waiting}"
            part = os.read(self._in, 1 << 20)
            assert part, "Chromium has gone"
            self._buffer += part
        line, _, self._buffer = self._buffer.partition(b"\0")
        return dict(json.loads(line))

    def open(self, page: Path | str, ready: str = "document.readyState === 'complete'") -> None:
        """Open a file or an address and wait until an expression is true."""
        self._events.clear()
        address = page if isinstance(page, str) else page.as_uri()
        self.ask("Page.navigate", url=address)
        self.wait(f"location.href.startsWith({json.dumps(address)}) && ({ready})")

    def reload(self, ready: str) -> None:
        """Load the page anew and wait until an expression is true in it."""
        self.run("window.before = true")
        self.ask("Page.reload")
        self.wait(f"!window.before && ({ready})")

    def run(self, script: str) -> Any:
        """Return the value of an expression in the page; a promise is waited for."""
        done = self.ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in done, done["exceptionDetails"]
        return done["result"].get("value")

    def wait(self, condition: str) -> None:
        """Wait until an expression is true."""
        until = time.monotonic() + PATIENCE
        while not self._true(condition):
            assert time.monotonic() < until, f"never true: {condition}"
            time.sleep(0.02)

    def _true(self, condition: str) -> bool:
        try:
            return bool(self.run(f"Boolean({condition})"))
        except AssertionError as gone:  # the page was left while it was asked
            if "navigated" in str(gone) or "context" in str(gone):
                return False
            raise

    def text(self, selector: str) -> str:
        """Return the visible text of an element."""
        return str(self.run(f"document.querySelector({json.dumps(selector)}).innerText"))

    def click(self, selector: str) -> None:
        """Click the middle of an element, as a mouse does."""
        place = self.run(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)});"
            " e.scrollIntoView({block: 'center'}); const b = e.getBoundingClientRect();"
            " return [b.x + b.width / 2, b.y + b.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.ask(
                "Input.dispatchMouseEvent",
                type=kind,
                x=place[0],
                y=place[1],
                button="left",
                clickCount=1,
            )

    def type(self, selector: str, text: str) -> None:
        """Put a text into a field as a person does."""
        self.run(f"document.querySelector({json.dumps(selector)}).focus()")
        self.ask("Input.insertText", text=text)

    def choose_file(self, selector: str, path: Path) -> None:
        """Answer a file picker."""
        self.wait(f"document.querySelector({json.dumps(selector)})")
        root = self.ask("DOM.getDocument")["root"]["nodeId"]
        node = self.ask("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.ask("DOM.setFileInputFiles", nodeId=node, files=[str(path)])

    def downloads_to(self, folder: Path) -> None:
        """Let downloads fall into a folder."""
        self.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(folder))

    def device(self, width: int, height: int, *, dark: bool = False, phone: bool = False) -> None:
        """Look through a window of this size."""
        self.ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=phone,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.ask("Emulation.setEmulatedMedia", features=[scheme])

    def picture(self, path: Path) -> None:
        """Write what the window shows as a PNG."""
        path.write_bytes(base64.b64decode(self.ask("Page.captureScreenshot", format="png")["data"]))

    def events(self, method: str) -> list[dict[str, Any]]:
        """Return what happened since the page was opened."""
        self.ask("Runtime.evaluate", expression="0")  # so that everything before it has arrived
        return [event["params"] for event in self._events if event.get("method") == method]

    def asked_to_stay(self) -> int:
        """Return how often the browser asked whether to leave a page."""
        dialogs = self.events("Page.javascriptDialogOpening")
        return sum(each["type"] == "beforeunload" for each in dialogs)

    def complaints(self) -> list[str]:
        """Return what the page wrote to the console, errors, and what its policy refused."""
        said = [str(each["args"]) for each in self.events("Runtime.consoleAPICalled")]
        thrown = [str(each["exceptionDetails"]) for each in self.events("Runtime.exceptionThrown")]
        return said + thrown + [each["entry"]["text"] for each in self.events("Log.entryAdded")]

    def requests(self) -> list[str]:
        """Return the addresses that were asked for, but for files."""
        urls = [each["request"]["url"] for each in self.events("Network.requestWillBeSent")]
        return [url for url in urls if not url.startswith(("file:", "blob:", "data:"))]
