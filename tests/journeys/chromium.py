"""Debian's Chromium, driven over a pipe in its own protocol: no driver, no port, no network."""

import fcntl
import json
import os
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser")
_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-default-apps", "--no-first-run", "--no-proxy-server", "--mute-audio",
    "--remote-debugging-pipe",
)  # fmt: skip
_KEYS = {"Tab": 9, "Enter": 13}
_WAIT_S = 30.0

Message = dict[str, Any]


@dataclass(slots=True)
class Page:
    """One tab: keys go in, what it said and asked for comes out."""

    _to: int
    _from: int
    _session: str = ""
    _number: int = 0
    _rest: bytes = b""
    said: list[Message] = field(default_factory=list)

    def command(self, method: str, **params: object) -> Message:
        """Return what the browser answers; events are kept in `said`."""
        self._number += 1
        sent: Message = {"id": self._number, "method": method, "params": params}
        if self._session:
            sent["sessionId"] = self._session
        os.write(self._to, json.dumps(sent).encode() + b"\0")
        while True:
            heard = self._heard()
            if heard.get("id") == self._number:
                assert "error" not in heard, (method, heard["error"])
                return dict(heard["result"])
            self.said.append(heard)

    def attach(self) -> None:
        """Open a tab and listen to all it says."""
        target = self.command("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.command("Target.attachToTarget", targetId=target, flatten=True)[
            "sessionId"
        ]
        for domain in ("Page", "Runtime", "Log", "Network", "Audits"):
            self.command(f"{domain}.enable")

    def go(self, address: str) -> None:
        """Open an address."""
        self.command("Page.navigate", url=address)

    def press(self, key: str) -> None:
        """Press and let go of a key."""
        code = _KEYS[key]
        text = {"text": "\r"} if key == "Enter" else {}
        for kind in ("keyDown", "keyUp"):
            self.command(
                "Input.dispatchKeyEvent",
                type=kind,
                key=key,
                code=key,
                windowsVirtualKeyCode=code,
                **(text if kind == "keyDown" else {}),
            )

    def type(self, text: str) -> None:
        """Type a text where the focus is."""
        self.command("Input.insertText", text=text)

    def sees(self, expression: str) -> Any:  # noqa: ANN401 - whatever the page has
        """Return what a JavaScript expression is worth on this page."""
        answer = self.command("Runtime.evaluate", expression=expression, returnByValue=True)
        return answer["result"].get("value")

    def wait(self, expression: str) -> None:
        """Return once the expression is true; pages may load meanwhile."""
        until = time.monotonic() + _WAIT_S
        while not self.sees(f"!!({expression})"):
            assert time.monotonic() < until, (expression, self.sees("document.body.innerText"))
            time.sleep(0.1)

    def tab_to(self, wanted: str) -> None:
        """Press Tab until what `wanted` selects has the focus, as somebody without a mouse does."""
        for _ in range(30):
            if self.sees(f"document.activeElement.matches({json.dumps(wanted)})"):
                return
            self.press("Tab")
        raise AssertionError(f"no way to {wanted} with Tab")

    def narrow(self, width: int) -> None:
        """Make the window `width` CSS pixels wide."""
        self.command(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=700,
            deviceScaleFactor=1,
            mobile=False,
        )

    def events(self, method: str, keep: Callable[[Message], bool] = bool) -> list[Message]:
        """Return the events of this name, their parameters only."""
        found = [one["params"] for one in self.said if one.get("method") == method]
        return [one for one in found if keep(one)]

    def _heard(self) -> Message:
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._from], [], [], _WAIT_S)
            chunk = os.read(self._from, 1 << 16) if ready else b""
            assert chunk, "Chromium says nothing"
            self._rest += chunk
        first, _, self._rest = self._rest.partition(b"\0")
        return dict(json.loads(first))


@contextmanager
def opened(profile: Path) -> Iterator[Page]:
    """Yield a tab of a browser that has never been anywhere."""
    assert PROGRAM
    to_read, to_write = os.pipe()
    from_read, from_write = os.pipe()

    def at_3_and_4() -> None:
        # Out of the way first: either may itself be 3 or 4.
        reads, writes = (fcntl.fcntl(one, fcntl.F_DUPFD, 100) for one in (to_read, from_write))
        os.dup2(reads, 3)
        os.dup2(writes, 4)

    process = subprocess.Popen(
        [PROGRAM, *_FLAGS, f"--user-data-dir={profile}"],
        preexec_fn=at_3_and_4,
        close_fds=False,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(to_read)
    os.close(from_write)
    try:
        page = Page(to_write, from_read)
        page.attach()
        yield page
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        os.close(to_write)
        os.close(from_read)
