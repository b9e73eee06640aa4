"""The Chromium that stories are played in: the system's, or the one Playwright brought."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Playwright

QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def launched(playwright: Playwright) -> Iterator[Browser]:
    system = shutil.which("chromium") or shutil.which("google-chrome")
    chromium = playwright.chromium.launch(executable_path=system, args=QUIET)
    yield chromium
    chromium.close()
