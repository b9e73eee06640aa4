"""Watching a lesson, in Chromium, with a stand-in for YouTube's frame."""

import re

import httpx
from playwright.sync_api import Browser, expect

from tests.browser.classroom.rooms import DEAD, TEN_MINUTES, a_room
from tests.browser.school import School


def test_watch_resume_complete_and_go_on(browser: Browser, school: School, youtube: str) -> None:
    room = a_room(browser, school)
    page = room.page
    room.enter()
    expect(page.get_by_text("Flour remembers")).to_be_visible()
    assert page.locator("iframe").count() == 0

    page.get_by_role("button", name="Play").click()
    room.wait_until(3)
    page.keyboard.press("k")
    expect(page.frame_locator("iframe").locator("#shown")).to_have_text(re.compile("^2 "))
    page.get_by_role("link", name="My courses").click()

    expect(page.get_by_text(re.compile("0:0[345]"))).to_be_visible()
    page.get_by_role("link", name="Continue").click()
    expect(page.get_by_role("button", name=re.compile("Resume at 0:0[345]"))).to_be_visible()
    expect(page.get_by_text(re.compile("Resumes at 0:0[345]"))).to_be_visible()
    page.get_by_role("button", name="Resume").click()

    expect(page.get_by_text("Lesson complete")).to_be_visible(timeout=15_000)
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    assert "done" in room.row("Flour")
    expect(page.get_by_text("33 % · 1 of 3")).to_be_visible()
    expect(page.get_by_text(re.compile("Next lesson in"))).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Play next lesson").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Water")
    expect(page).to_have_url(re.compile(room.lessons[1]))
    expect(page.locator("iframe")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("Flour")
    assert page.get_by_role("button", name="Completed").is_visible()
    asked = httpx.get(f"{youtube}/asked").json()
    assert {ask["origin"] for ask in asked} == {school.url}
    assert {ask["referrer"] for ask in asked} == {f"{school.url}/"}


def test_leaving_in_the_middle_keeps_the_second(browser: Browser, school: School) -> None:
    room = a_room(browser, school, video=TEN_MINUTES)
    page = room.page
    room.enter()
    page.get_by_role("button", name="Play").click()
    room.wait_until(2)

    page.goto("/learn")

    page.get_by_role("link", name="Continue").click()
    expect(page.get_by_text(re.compile("Resumes at 0:0[2-5]"))).to_be_visible()


def test_a_part_of_a_long_video_is_shown_in_the_lessons_own_time(
    browser: Browser, school: School
) -> None:
    room = a_room(browser, school, video=TEN_MINUTES, part=(300, 100))
    page = room.page
    room.enter()

    page.get_by_role("button", name="Play").click()
    room.wait_until(301)
    page.keyboard.press("5")
    room.wait_until(350)
    with page.expect_response(re.compile("/position")):
        page.keyboard.press("k")
    page.goto("/learn")

    expect(page.get_by_text(re.compile(r"· 0:5\d"))).to_be_visible()
    page.get_by_role("link", name="Continue").click()
    expect(page.get_by_role("button", name=re.compile("Resume at 0:5"))).to_be_visible()
    expect(page.get_by_text(re.compile("Resumes at 0:5"))).to_be_visible()
    page.get_by_role("button", name="Resume").click()
    room.wait_until(350)


def test_keys_drive_the_video(browser: Browser, school: School) -> None:
    room = a_room(browser, school, video=TEN_MINUTES)
    page = room.page
    room.enter()

    page.keyboard.press("Space")
    room.wait_until(1)
    page.keyboard.press("5")
    room.wait_until(300)
    page.keyboard.press("l")
    room.wait_until(310)
    page.keyboard.press("j")
    page.keyboard.press("ArrowLeft")
    room.wait_until(295)
    page.keyboard.press(">")
    expect(page.get_by_label("Speed")).to_have_value("1.25")
    page.keyboard.press("Shift+N")

    expect(page.get_by_role("heading", level=1)).to_have_text("Water")
    expect(page.get_by_label("Speed")).to_have_value("1.25")
    page.keyboard.press("k")
    room.wait_until(1)
    assert room.rate() == 1.25
    page.keyboard.press("d")
    expect(page.get_by_role("button", name="Completed")).to_be_visible()
    page.keyboard.press("?")
    page.get_by_label("Use these keys").uncheck()
    page.get_by_role("button", name="Close").click()
    page.keyboard.press("d")
    expect(page.get_by_role("button", name="Completed")).to_be_visible()


def test_a_jump_to_the_end_completes_nothing(browser: Browser, school: School) -> None:
    room = a_room(browser, school, video=TEN_MINUTES)
    page = room.page
    room.enter()
    page.get_by_role("button", name="Play").click()
    room.wait_until(1)

    page.frames[1].evaluate("commands.seekTo(300)")
    room.wait_until(301)
    page.keyboard.press("9")
    room.wait_until(540)
    with page.expect_response(re.compile("/position")) as answer:
        page.keyboard.press("k")

    assert answer.value.json() == {"is_done": False, "just_done": False, "seen": 0}


def test_a_dead_video_says_so_and_the_rest_goes_on(browser: Browser, school: School) -> None:
    room = a_room(browser, school, video=DEAD)
    page = room.page
    room.enter()

    page.get_by_role("button", name="Play").click()

    expect(page.get_by_text("This video does not play here.")).to_be_visible()
    link = page.get_by_role("link", name="Watch on YouTube")
    assert link.get_attribute("href") == f"https://www.youtube.com/watch?v={DEAD}"
    expect(page.get_by_text("Flour remembers")).to_be_visible()
    page.get_by_role("button", name="Mark complete").click()
    expect(page.get_by_text("33 % · 1 of 3")).to_be_visible()


def test_progress_waits_in_the_browser_while_offline(browser: Browser, school: School) -> None:
    room = a_room(browser, school, video=TEN_MINUTES)
    page = room.page
    room.enter()
    page.get_by_role("button", name="Play").click()
    room.wait_until(1)

    page.context.set_offline(True)
    expect(page.get_by_text("Reconnecting, your work is kept")).to_be_visible()
    room.wait_until(4)
    page.keyboard.press("k")
    expect(page.frame_locator("iframe").locator("#shown")).to_have_text(re.compile("^2 "))
    with page.expect_response(lambda a: "/position" in a.url and a.ok):
        page.context.set_offline(False)

    expect(page.get_by_text("Reconnecting, your work is kept")).to_have_count(0)
    page.goto("/learn")
    expect(page.get_by_text(re.compile("0:0[4-7]"))).to_be_visible()


def test_a_new_server_waits_for_the_video(browser: Browser, school: School) -> None:
    room = a_room(browser, school, video=TEN_MINUTES)
    page = room.page
    room.enter()
    page.get_by_role("button", name="Play").click()
    room.wait_until(1)
    page.evaluate("window.isSamePage = true")

    page.evaluate(
        """() => window.socket.listeners("connect_error")
            .forEach((hear) => hear(new Error("Implicit handshake failed")))"""
    )
    room.wait_until(3)
    assert page.evaluate("window.isSamePage")
    page.keyboard.press("k")

    expect(page.get_by_text(re.compile("Resumes at 0:0[3-6]"))).to_be_visible()
    assert page.evaluate("window.isSamePage") is None


def test_only_the_frame_itself_is_believed(browser: Browser, school: School) -> None:
    room = a_room(browser, school, video=TEN_MINUTES)
    page = room.page
    room.enter()
    page.get_by_role("button", name="Play").click()
    room.wait_until(1)

    page.evaluate("""() => postMessage('{"event": "onError", "info": 150}', "*")""")
    page.keyboard.press("k")

    expect(page.frame_locator("iframe").locator("#shown")).to_have_text(re.compile("^2 "))


def test_a_server_that_cannot_answer_is_asked_again(browser: Browser, school: School) -> None:
    room = a_room(browser, school)
    page = room.page
    room.enter()
    page.route("**/position", lambda route: route.fulfill(status=503))
    page.get_by_role("button", name="Play").click()
    room.wait_until(2)
    with page.expect_response("**/position"):
        page.keyboard.press("k")
    page.unroute("**/position")

    with page.expect_response(
        lambda answer: "/position" in answer.url and answer.request.resource_type == "fetch"
    ) as answer:
        page.reload()

    assert answer.value.json()["seen"] >= 25
