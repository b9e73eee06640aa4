"""A Chromium and a running school for each file of stories."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.chromium import launched
from tests.browser.school import School, running
from tests.database import Databases


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Closed after each file: while Playwright's loop runs, no async test can run after it."""
    with sync_playwright() as playwright, launched(playwright) as chromium:
        yield chromium


@pytest.fixture(scope="module")
def school(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    """An empty school with the sandbox for payments."""
    with (
        databases.fresh() as database,
        running(database, tmp_path_factory.mktemp("luma"), {"LUMA_DEMO": "0"}) as school,
    ):
        yield school
