"""A real browser opens a page and tells what came of it: Chromium, without a window,
by its DevTools protocol.

Nothing is installed for this: Debian's package is used where it is there.
"""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from websockets.sync.client import ClientConnection, connect

CHROMIUM: Final = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
OPTIONS: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-port=0",
    # Whoever is asked for lives nowhere: no name is looked up, no page elsewhere is reached.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
)
STARTS, LOADS, QUIET = 60.0, 90.0, 1.5
"""Seconds: until it must listen; until a page must show what is looked for; after a page's last request."""


@dataclass
class Seen:
    """What came of a page: every address that was asked for, its text, and messages of its console."""

    asked: list[str] = field(default_factory=list)
    text: str = ""
    said: list[str] = field(default_factory=list)
    alerts: list[str] = field(default_factory=list)
    ran: Any = None
    """What a script of a delivered text left in `window.RAN`."""


@contextmanager
def browser(folder: Path) -> Iterator[Browser]:
    """A browser whose profile lies in a folder."""
    assert CHROMIUM
    command = [CHROMIUM, *OPTIONS, f"--user-data-dir={folder}", "about:blank"]
    process, told = subprocess.Popen(command, stderr=subprocess.DEVNULL), folder / "DevToolsActivePort"
    try:
        end = time.monotonic() + STARTS
        while not told.exists() or told.read_text().count("\n") < 1:
            assert process.poll() is None
            assert time.monotonic() < end
            time.sleep(0.1)
        port, path = told.read_text().split()
        with connect(f"ws://127.0.0.1:{port}{path}", max_size=None, proxy=None) as connection:
            yield Browser(connection)
    finally:
        process.kill()
        process.wait()


class Browser:
    """One that runs."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection, self._numbers = connection, itertools.count(1)

    def open(self, address: str, *, shows: str) -> Seen:
        """Open a page, and look at it once it shows a text and asks for nothing more."""
        seen = Seen()
        target = self._ask(seen, "Target.createTarget", url="about:blank")["targetId"]
        page = self._ask(seen, "Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self._ask(seen, f"{domain}.enable", page)
        self._ask(seen, "Page.navigate", page, url=address)
        end, last = time.monotonic() + LOADS, (0, time.monotonic())
        while shows not in seen.text or time.monotonic() < last[1] + QUIET:
            assert time.monotonic() < end, f"{shows!r} isn't shown: {seen}"
            time.sleep(0.3)
            seen.text = self._evaluated(
                seen, page, "document.body ? document.title + '\\n' + document.body.innerText : ''"
            )
            if len(seen.asked) != last[0]:
                last = len(seen.asked), time.monotonic()
        seen.ran = self._evaluated(seen, page, "window.RAN || null")
        self._ask(seen, "Target.closeTarget", targetId=target)
        return seen

    def _evaluated(self, seen: Seen, page: str, script: str) -> Any:
        return self._ask(seen, "Runtime.evaluate", page, expression=script, returnByValue=True)["result"].get(
            "value"
        )

    def _ask(self, seen: Seen, method: str, page: str | None = None, **params: Any) -> dict[str, Any]:
        number = self._send(method, page, params)
        while True:
            told = json.loads(self._connection.recv(LOADS))
            if told.get("id") == number:
                assert "error" not in told, told
                result: dict[str, Any] = told["result"]
                return result
            match told.get("method"):
                case "Network.requestWillBeSent" | "Network.webSocketCreated":
                    seen.asked.append(told["params"].get("url") or told["params"]["request"]["url"])
                case "Page.javascriptDialogOpening":
                    seen.alerts.append(told["params"]["message"])
                    self._send(
                        "Page.handleJavaScriptDialog", told["sessionId"], {"accept": True}
                    )  # the page waits for it
                case "Log.entryAdded":
                    seen.said.append(told["params"]["entry"]["text"])

    def _send(self, method: str, page: str | None, params: dict[str, Any]) -> int:
        number = next(self._numbers)
        self._connection.send(
            json.dumps(
                {"id": number, "method": method, "params": params} | ({"sessionId": page} if page else {})
            )
        )
        return number
