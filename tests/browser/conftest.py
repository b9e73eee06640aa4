"""One Chromium for all stories, and a running school for each file of them."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.school import School, running
from tests.database import Databases

CHROMIUM = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium, or the one that `playwright install chromium` brought."""
    system = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=system, args=CHROMIUM)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def school(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    """An empty school with the sandbox for payments."""
    with (
        databases.fresh() as database,
        running(database, tmp_path_factory.mktemp("luma"), {"LUMA_DEMO": "0"}) as school,
    ):
        yield school
