"""What the tests need beside Python packages: `python -m tests.needs` finds it or says how."""

import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

CHROMIUM = (
    "The browser tests need a Chromium: apt-get install chromium on Debian, elsewhere "
    "python -m playwright install chromium in LUMA's .venv."
)
SCREEN = "The window's test needs a screen to draw on: apt-get install xvfb on Debian."


def main() -> None:
    if not (_system_chromium() or _own_chromium() or _fetched_chromium()):
        sys.exit(CHROMIUM)
    if sys.platform.startswith("linux") and not shutil.which("Xvfb"):
        sys.exit(SCREEN)


def _system_chromium() -> bool:
    return any(map(shutil.which, ("chromium", "google-chrome")))


def _own_chromium() -> bool:
    with sync_playwright() as playwright:
        return Path(playwright.chromium.executable_path).exists()


def _fetched_chromium() -> bool:
    sys.stdout.write("Fetching a Chromium for the tests.\n")
    fetch = [sys.executable, "-m", "playwright", "install", "chromium"]
    return subprocess.run(fetch, capture_output=True, check=False).returncode == 0


if __name__ == "__main__":
    main()
