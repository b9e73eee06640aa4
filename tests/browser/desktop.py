"""A screen nobody looks at, LUMA's window on it, and a hand inside the window."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil  # type: ignore[import-untyped]  # its types are not installed
from PIL import Image, ImageGrab
from websockets.sync.client import connect

from tests.browser.ports import free_port

ROOT = Path(__file__).parents[2]
PATIENCE = 120.0


@contextmanager
def a_screen() -> Iterator[str]:
    """The name of a new X display."""
    reading, writing = os.pipe()
    size = ("-screen", "0", "1400x900x24", "-nolisten", "tcp")
    command = ["Xvfb", "-displayfd", str(writing), *size]
    with subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL) as server:
        os.close(writing)
        with os.fdopen(reading) as answer:
            number = answer.readline().strip()
        try:
            yield f":{number}"
        finally:
            server.terminate()


@dataclass
class Desktop:
    """LUMA with a window, as `python main.py --native` starts it."""

    process: subprocess.Popen[bytes]
    screen: str
    folder: Path
    url: str
    debugging: int
    page: str = ""

    def is_there(self) -> bool:
        """Whether the window shows a page of a server, whole."""
        with httpx.Client(trust_env=False) as http:
            pages = http.get(f"http://127.0.0.1:{self.debugging}/json").json()
        self.page = next(
            page["webSocketDebuggerUrl"] for page in pages if page["url"].startswith("http")
        )
        loaded = "document.readyState === 'complete' && location.origin.startsWith('http')"
        return bool(self.evaluate(loaded))

    def picture(self) -> Image.Image:
        return ImageGrab.grab(xdisplay=self.screen)

    def place(self) -> tuple[int, int, int, int] | None:
        """Where the window is: nothing else is on the screen, and the screen is black."""
        return self.picture().getbbox()

    def close(self) -> None:
        """As the window's own button does it."""
        for child in psutil.Process(self.process.pid).children(recursive=True):
            with suppress(psutil.Error):
                if "luma.desktop.window" in child.cmdline():
                    child.terminate()

    def evaluate(self, script: str) -> Any:
        wishes = {"returnByValue": True, "awaitPromise": True}
        answer = self._order("Runtime.evaluate", expression=script, **wishes)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def click(self, what: str) -> None:
        """With the mouse, in the middle of the element that the script finds."""
        x, y = self.evaluate(
            f"(() => {{ const at = ({what}).getBoundingClientRect();"
            " return [at.x + at.width / 2, at.y + at.height / 2] })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            where = {"x": x, "y": y, "button": "left", "clickCount": 1}
            self._order("Input.dispatchMouseEvent", type=kind, **where)

    def type(self, what: str, text: str) -> None:
        self.click(what)
        self._order("Input.insertText", text=text)

    def eventually(self, claim: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not _holds(claim):
            assert self.process.poll() is None, "LUMA ended; its reason stands above"
            assert time.monotonic() < deadline, "it never came true"
            time.sleep(0.1)

    def _order(self, method: str, **parameters: Any) -> Any:
        with connect(self.page, proxy=None) as socket:
            socket.send(json.dumps({"id": 1, "method": method, "params": parameters}))
            while (answer := json.loads(socket.recv(timeout=10))).get("id") != 1:
                pass
        assert "error" not in answer, answer
        return answer["result"]


@contextmanager
def a_desktop(
    screen: str, folder: Path, settings: Mapping[str, str], *words: str
) -> Iterator[Desktop]:
    port = settings.get("LUMA_PORT") or str(free_port())
    debugging = free_port()
    own = {name: value for name, value in os.environ.items() if not name.startswith("LUMA_")}
    env = {
        **own,
        "DISPLAY": screen,
        "LUMA_DATA_DIR": str(folder),
        "LUMA_PORT": port,
        "QTWEBENGINE_REMOTE_DEBUGGING": str(debugging),
        **settings,
    }
    command = [sys.executable, "main.py", "--native", *words]
    with subprocess.Popen(command, cwd=ROOT, env=env) as process:
        desktop = Desktop(process, screen, folder, f"http://127.0.0.1:{port}", debugging)
        try:
            desktop.eventually(desktop.is_there)
            yield desktop
        finally:
            process.terminate()


def _holds(claim: Callable[[], bool]) -> bool:
    try:
        return claim()
    except (httpx.HTTPError, StopIteration, OSError, AssertionError, ValueError):
        return False
