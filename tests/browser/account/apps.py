"""The app on somebody's phone that shows codes: a new one each time it is asked."""

import time

import pyotp
from playwright.sync_api import Page, expect

STEP = 30


class CodeApp:
    """Codes are taken once. So that no test waits half a minute, it is ahead by one when asked."""

    def __init__(self, secret: str) -> None:
        self._totp = pyotp.TOTP(secret.replace(" ", ""))
        self._last = 0

    def code(self) -> str:
        """Newer than the one before, and within the half minute that clocks may differ."""
        step = max(int(time.time()) // STEP - 1, self._last + 1)
        self._last = step
        return self._totp.generate_otp(step)


def set_up(page: Page) -> tuple[CodeApp, list[str]]:
    """From the page about two-step sign-in to the recovery codes."""
    page.get_by_role("button", name="Set up two-step sign-in").click()
    page.get_by_text("No camera at hand?").click()
    app = CodeApp(page.locator("[data-secret]").inner_text())
    page.get_by_label("Code", exact=True).fill(app.code())
    page.get_by_role("button", name="Turn on two-step sign-in").click()
    expect(page.get_by_role("heading", name="Keep your recovery codes")).to_be_visible()
    return app, page.get_by_role("list", name="Recovery codes").locator("li").all_inner_texts()
