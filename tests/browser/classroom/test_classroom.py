"""Going about in the classroom, in Chromium."""

import re

from playwright.sync_api import Browser, expect

from tests.browser.classroom.rooms import TEN_MINUTES, a_room
from tests.browser.school import School


def test_a_lesson_is_marked_and_taken_back(browser: Browser, school: School) -> None:
    room = a_room(browser, school)
    page = room.page
    room.enter()

    page.get_by_role("button", name="Mark complete").click()
    expect(page.get_by_text("Lesson complete")).to_be_visible()
    page.reload()
    expect(page.get_by_text("33 % · 1 of 3").first).to_be_visible()
    page.get_by_role("button", name="Completed").click()
    expect(page.get_by_text("0 % · 0 of 3")).to_be_visible()
    expect(page.get_by_text("Not complete any more")).to_be_visible()

    page.reload()
    expect(page.get_by_role("button", name="Mark complete")).to_be_visible()


def test_the_last_lesson_ends_with_a_quiet_word(browser: Browser, school: School) -> None:
    room = a_room(browser, school)
    page = room.page
    room.enter()

    for _ in range(2):
        page.get_by_role("button", name="Mark complete").click()
        page.get_by_role("link", name="Next lesson").click()
    page.get_by_role("button", name="Mark complete").click()

    expect(page.get_by_text("You finished Bread for beginners.")).to_be_visible()
    expect(page.get_by_role("link", name="Next lesson")).to_have_count(0)


def test_a_locked_lesson_offers_the_way_in(browser: Browser, school: School) -> None:
    room = a_room(browser, school, is_student=False)
    page = room.page

    answer = page.goto(room.address(1))

    assert answer is not None
    assert answer.status == 403
    assert TEN_MINUTES not in answer.text()
    expect(page.get_by_text("for students of the course")).to_be_visible()
    page.get_by_role("link", name="Buy for $49").click()
    expect(page).to_have_url(re.compile(f"/courses/{room.slug}$"))


def test_a_free_preview_plays_for_anyone_and_keeps_nothing(
    browser: Browser, school: School
) -> None:
    room = a_room(browser, school, is_student=False)
    page = room.page
    reports: list[str] = []
    page.on("request", lambda request: reports.append(request.url))
    room.enter()

    page.get_by_role("button", name="Play").click()
    room.wait_until(2)
    page.keyboard.press("k")
    page.get_by_role("link", name="Next lesson").click()

    expect(page.get_by_text("for students of the course")).to_be_visible()
    assert not [url for url in reports if "/position" in url]
    assert TEN_MINUTES not in page.content()


def test_the_instructor_sees_drafts_as_a_preview(browser: Browser, school: School) -> None:
    room = a_room(browser, school, is_draft=True)
    page = school.visitor(browser)
    school.sign_in(page, room.teacher, room.address(0))

    page.goto(room.address(2))

    expect(page.get_by_text("Preview", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="Salt Draft")).to_be_visible()
    expect(page.get_by_role("button", name="Mark complete")).to_have_count(0)
    room.enter()
    expect(room.page.get_by_role("link", name="Salt")).to_have_count(0)
    expect(room.page.get_by_text("0 % · 0 of 2")).to_be_visible()


def test_on_a_phone_the_lessons_are_a_drawer(browser: Browser, school: School) -> None:
    room = a_room(browser, school, viewport={"width": 320, "height": 640})
    page = room.page
    room.enter()
    outline = page.get_by_role("navigation", name="Lessons")
    expect(outline).to_have_count(0)

    page.get_by_role("button", name="Lessons").click()
    expect(outline.get_by_role("link", name="Flour")).to_be_focused()
    page.keyboard.press("Escape")
    expect(outline).to_have_count(0)
    page.get_by_role("button", name="Lessons").click()
    page.get_by_role("link", name="Water").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Water")
    expect(outline).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_text_is_there_before_any_script_and_stays_where_it_is(
    browser: Browser, school: School
) -> None:
    room = a_room(browser, school)
    plain = browser.new_context(
        base_url=school.url,
        java_script_enabled=False,
        storage_state=room.page.context.storage_state(),
    ).new_page()

    plain.goto(room.address(0))
    expect(plain.get_by_text("Flour remembers")).to_be_visible()
    before = plain.get_by_text("Flour remembers").bounding_box()
    room.page.set_viewport_size({"width": 1280, "height": 720})
    room.enter()

    assert room.page.get_by_text("Flour remembers").bounding_box() == before


def test_nothing_breaks_the_policy_and_no_script_of_others_runs(
    browser: Browser, school: School
) -> None:
    room = a_room(browser, school)
    page = room.page
    said: list[str] = []
    scripts: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("request", lambda r: scripts.append(r.url) if r.resource_type == "script" else None)

    room.enter()
    page.get_by_role("button", name="Play").click()
    room.wait_until(1)

    assert not [text for text in said if "Content Security Policy" in text or "Vue" in text]
    assert scripts
    assert all(url.startswith(school.url) for url in scripts)
