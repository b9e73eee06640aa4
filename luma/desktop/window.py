"""The window's own process: `python -m luma.desktop.window ADDRESS FOLDER`."""

import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypedDict

from PIL import Image, ImageDraw

TITLE = "LUMA"
PAPER = "#FAF9F6"
SMALLEST = (640, 480)
HOLD = 100
NAMES = ("width", "height", "x", "y")

OUTWARD = """
document.addEventListener("click", (event) => {
  const link = event.target.closest ? event.target.closest("a[href]") : null;
  if (link && /^https?:$/.test(link.protocol) && link.origin !== location.origin) {
    link.target = "_blank";
    link.rel = "noopener";
  }
}, true);
"""
"""What opens a new window goes to the system's browser; so must every link to another site."""


class Place(TypedDict, total=False):
    width: int
    height: int
    x: int
    y: int


def show(url: str, folder: Path) -> None:
    """Returns when the window is closed."""
    _tune_qt()
    import webview  # noqa: PLC0415  (reads what was tuned)

    webview.settings["ALLOW_FILE_URLS"] = False
    place = Memory(folder / "place.json")
    window = webview.create_window(
        TITLE,
        url,
        min_size=SMALLEST,
        background_color=PAPER,
        text_select=True,
        **place.last,
    )
    assert window is not None  # noqa: S101  (None only for windows made after the start)

    def appeared() -> None:
        if not place.is_on_one_of(webview.screens):
            window.move(0, 0)

    window.events.shown += appeared
    window.events.resized += place.resized
    window.events.moved += place.moved
    window.events.loaded += lambda: window.run_js(OUTWARD)
    window.events.closed += place.keep
    signal.signal(signal.SIGTERM, lambda *_: window.destroy())
    webview.start(
        private_mode=False,
        storage_path=str(folder / "browser"),
        icon=str(_icon(folder / "icon.png")),
    )


class Memory:
    """Where the window was when it was closed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.last: Place = {"width": 1280, "height": 800} | _read(path)

    def resized(self, width: int, height: int) -> None:
        self.last |= {"width": width, "height": height}

    def moved(self, x: int, y: int) -> None:
        self.last |= {"x": x, "y": y}

    def keep(self) -> None:
        self._path.write_text(json.dumps(self.last))

    def is_on_one_of(self, screens: Sequence[Any]) -> bool:
        """Whether enough of it can be seen to take hold of it. The second screen may be gone."""
        x, y = self.last.get("x", 0), self.last.get("y", 0)
        return any(
            screen.x - HOLD < x < screen.x + screen.width - HOLD
            and screen.y - HOLD < y < screen.y + screen.height - HOLD
            for screen in screens
        )


def _read(path: Path) -> Place:
    """What was kept, as far as it makes sense."""
    try:
        kept = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    if not (isinstance(kept, dict) and all(type(kept.get(name)) is int for name in NAMES)):
        return {}
    return {
        "width": max(kept["width"], SMALLEST[0]),
        "height": max(kept["height"], SMALLEST[1]),
        "x": kept["x"],
        "y": kept["y"],
    }


def _tune_qt() -> None:
    """PySide6 even where another Qt is installed; as root Chromium cannot have its sandbox."""
    if sys.platform.startswith("linux"):
        os.environ["PYWEBVIEW_GUI"] = "qt"
    os.environ["QT_API"] = "pyside6"
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        os.environ["QTWEBENGINE_DISABLE_SANDBOX"] = "1"
        os.environ["QTWEBENGINE_CHROMIUM_FLAGS"] = "--no-sandbox"


def _icon(path: Path) -> Path:
    """The light of static/icon.svg, drawn large and made small so that its edge is smooth."""
    drawn = Image.new("RGBA", (1024, 1024))
    pen = ImageDraw.Draw(drawn)
    pen.rounded_rectangle((0, 0, 1023, 1023), 256, fill="#1B1A18")
    pen.ellipse((288, 288, 736, 736), fill="#F2A516")
    drawn.resize((256, 256), Image.Resampling.LANCZOS).save(path)
    return path


if __name__ == "__main__":
    show(sys.argv[1], Path(sys.argv[2]))
