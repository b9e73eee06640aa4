"""The studio in a window of its own, in a process of its own: its toolkit wants the main thread."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from luma.errors import LumaError
from luma.settings import settings

PATIENCE = 5.0
"""Seconds that a window gets to close by itself."""

PACKAGES_MISSING = (
    "The window needs more packages: python -m pip install -r requirements-desktop.txt"
)
NO_SCREEN = "There is no screen to show a window on."
DID_NOT_OPEN = (
    "The window did not open. On Debian its libraries come with: "
    "apt-get install libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1 libxkbcommon-x11-0 libegl1"
)


class Window:
    """A window on a LUMA, here or elsewhere."""

    def __init__(self, address: str) -> None:
        """Raises LumaError, in one sentence, where no window can be shown."""
        _ensure_possible()
        self._url = f"{_origin(address)}/studio"
        self._process: subprocess.Popen[bytes] | None = None
        self._is_told_to_close = False

    def open(self, when_closed: Callable[[], None] = lambda: None) -> None:
        command = [sys.executable, "-m", "luma.desktop.window", self._url, str(_folder())]
        process = subprocess.Popen(command, cwd=Path(__file__).parents[2])  # noqa: S603
        self._process = process

        def wait() -> None:
            process.wait()
            when_closed()

        threading.Thread(target=wait, daemon=True).start()

    def close(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._is_told_to_close = True
            self._process.terminate()

    def wait(self) -> None:
        """Until it is closed. Raises LumaError when it never opened."""
        if self._process is None:
            return
        try:
            code = self._process.wait(PATIENCE if self._is_told_to_close else None)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        if code and not self._is_told_to_close:
            raise LumaError(DID_NOT_OPEN)


def _ensure_possible() -> None:
    if find_spec("webview") is None:
        raise LumaError(PACKAGES_MISSING)
    if sys.platform.startswith("linux"):
        if find_spec("PySide6") is None:
            raise LumaError(PACKAGES_MISSING)
        if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            raise LumaError(NO_SCREEN)


def _origin(address: str) -> str:
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise LumaError("The server's address looks like https://school.example.")
    return f"{parts.scheme}://{parts.netloc}"


def _folder() -> Path:
    folder = settings().data_path() / "window"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder
