"""The policy in a real Chromium: nothing of ours is stopped, and everything injected is."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, FilePayload, Page, sync_playwright

from tests.browser.chromium import launched
from tests.pages.test_guard.attacker import Server


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright, launched(playwright) as browser:
        yield browser


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context()
    page = context.new_page()
    page.add_init_script(
        "window.stopped = [];"
        "addEventListener('securitypolicyviolation',"
        " event => stopped.push(event.violatedDirective + ' ' + event.blockedURI))"
    )
    yield page
    context.close()


def _open(page: Page, server: Server, path: str, name: str | None = "ann") -> None:
    if name:
        page.context.add_cookies([{"name": "luma", "value": name, "url": server.origin}])
    page.goto(f"{server.origin}{path}")


def test_the_usual_widgets_work_without_one_violation(page: Page, guarded: Server) -> None:
    _open(page, guarded, "/studio/widgets")

    page.get_by_role("button", name="Say").click()
    page.get_by_text("said", exact=True).wait_for()
    page.get_by_role("button", name="Toast").click()
    page.get_by_text("Here is a toast").wait_for()
    page.locator("svg.flowchart, .mermaid svg, svg[id^=mermaid]").first.wait_for()
    page.locator("canvas").first.wait_for()
    page.get_by_role("tab", name="Two").click()
    page.get_by_role("button", name="Open dialog").click()
    page.get_by_text("In the dialog").wait_for()
    page.wait_for_function("window.timerRan")

    assert page.evaluate("stopped") == []


def test_a_file_can_be_chosen_and_sent(page: Page, guarded: Server) -> None:
    _open(page, guarded, "/studio/press")

    picture = FilePayload(name="picture.png", mimeType="image/png", buffer=b"x" * 100)
    box = page.locator(".q-uploader:visible")
    box.locator("input[type=file]").set_input_files([picture])
    with page.expect_response("**/upload/*") as sent:
        box.locator(".q-uploader__header").get_by_role("button").last.click()

    assert sent.value.status == 200
    assert page.evaluate("stopped") == []


def test_an_injected_script_is_stopped(page: Page, server: Server) -> None:
    _open(page, server, "/studio/hostile")

    page.locator(".q-editor img").wait_for(state="attached")
    page.get_by_role("link", name="Link").click()
    page.wait_for_timeout(300)

    assert (page.evaluate("window.hurt") is None) is server.is_guarded


def test_a_plain_page_runs_its_own_script_only(page: Page, server: Server) -> None:
    _open(page, server, "/catalogue")
    page.wait_for_load_state("networkidle")

    assert page.evaluate("window.own") == "ran"
    assert (page.evaluate("window.hurt") is None) is server.is_guarded
    red = page.evaluate("getComputedStyle(document.querySelector('h1')).color")
    assert (red == "rgb(255, 0, 0)") is not server.is_guarded


def test_a_page_whose_session_ends_goes_to_sign_in_by_itself(page: Page, guarded: Server) -> None:
    _open(page, guarded, "/studio/press")
    page.get_by_role("button", name="Press").click()
    page.wait_for_function("window.did_handshake")

    guarded.control("end", "ann")

    page.wait_for_url("**/sign-in?next=/studio/press")


def test_a_script_on_another_site_opens_no_socket(page: Page, bare: Server, server: Server) -> None:
    """`localhost` is another site than 127.0.0.1, and the bare server's page forbids nothing."""
    page.goto(f"http://localhost:{bare.port}/catalogue")

    is_opened = page.evaluate(
        """address => new Promise(done => {
            const socket = new WebSocket(address);
            socket.onopen = () => done(true);
            socket.onerror = () => done(false);
        })""",
        f"ws://127.0.0.1:{server.port}/_nicegui_ws/socket.io/?EIO=4&transport=websocket",
    )

    assert is_opened is not server.is_guarded
