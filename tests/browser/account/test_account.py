"""Stories of the account page."""

import io
import re

import pytest
from PIL import Image
from playwright.sync_api import Browser, FilePayload, Page, expect

from tests.browser.school import School
from tests.factories import make_course, make_user

HEAVY = "A lamp & <b>more</b>"


@pytest.fixture
def picture() -> FilePayload:
    file = io.BytesIO()
    Image.new("RGB", (600, 400), "#f2a516").save(file, "JPEG")
    return FilePayload(name="me.jpg", mimeType="image/jpeg", buffer=file.getvalue())


def person(school: School, name: str, email: str) -> None:
    with school.session() as session:
        make_user(session, name, email=email)


def opened(school: School, browser: Browser, email: str) -> Page:
    page = school.visitor(browser)
    school.sign_in(page, email, "/account")
    page.wait_for_function("window.did_handshake")
    return page


def test_name_words_and_picture_are_changed_and_seen_by_others(
    school: School, browser: Browser, picture: FilePayload
) -> None:
    with school.session() as session:
        course = make_course(session, "Bread", published=True)
        email, slug = course.instructor.email, course.slug
    page = opened(school, browser, email)

    page.get_by_label("Name").fill(HEAVY)
    page.get_by_label("About me").fill("I *bake* since 1998.")
    page.locator("input[type=file]").set_input_files(picture)
    expect(page.get_by_text("Your picture is changed.")).to_be_visible()
    expect(page.get_by_label("Name")).to_have_value(HEAVY)
    page.get_by_role("button", name="Save profile").click()
    expect(page.get_by_text("Your profile is saved.")).to_be_visible()

    visitor = school.visitor(browser)
    visitor.goto(f"/courses/{slug}")
    visitor.get_by_role("main").get_by_role("link", name=HEAVY).first.click()
    expect(visitor.get_by_role("heading", level=1)).to_have_text(HEAVY)
    expect(visitor.locator(".prose em")).to_have_text("bake")
    shown = visitor.locator(".person img")
    assert shown.evaluate("image => image.decode().then(() => image.naturalWidth)") == 400
    expect(visitor.get_by_role("link", name="Bread")).to_be_visible()
    page.get_by_role("button", name="Remove picture").click()
    expect(page.locator(".account-portrait img")).to_have_count(0)


def test_a_file_that_is_no_picture_is_refused_in_words(school: School, browser: Browser) -> None:
    person(school, "Sam", "sam@example.org")
    page = opened(school, browser, "sam@example.org")

    page.locator("input[type=file]").set_input_files(
        FilePayload(name="me.png", mimeType="image/png", buffer=b"<svg onload=alert(1)>")
    )

    expect(page.get_by_text("Choose a picture in PNG, JPEG or WebP.")).to_be_visible()


def test_signing_out_another_browser_ends_its_open_page(school: School, browser: Browser) -> None:
    person(school, "Tara", "tara@example.org")
    phone = opened(school, browser, "tara@example.org")
    tablet = opened(school, browser, "tara@example.org")
    here = opened(school, browser, "tara@example.org")
    rows = here.get_by_role("region", name="Where you are signed in").get_by_role("listitem")
    expect(rows).to_have_count(3)
    expect(rows.first).to_contain_text("This browser")

    rows.nth(1).get_by_role("button", name="Sign out").click()

    tablet.wait_for_url(re.compile("/sign-in"))
    expect(rows).to_have_count(2)
    here.get_by_role("button", name="Sign out others").click()
    phone.wait_for_url(re.compile("/sign-in"))
    expect(here.get_by_text("Every other browser is signed out.")).to_be_visible()
    expect(rows).to_have_count(1)


def test_what_a_form_has_to_say_is_said_once(school: School, browser: Browser) -> None:
    person(school, "Ute", "ute@example.org")
    page = opened(school, browser, "ute@example.org")
    page.get_by_role("link", name="Change password").click()
    page.get_by_label("Current password").fill("a lamp in the window")
    page.get_by_label("New password").fill("another lamp in the window")
    page.get_by_role("main").get_by_role("button", name="Change password").click()
    expect(page.get_by_text("Your password is changed.")).to_be_visible()

    page.reload()

    expect(page.get_by_role("heading", name="Profile")).to_be_visible()
    page.wait_for_function("window.did_handshake")
    expect(page.get_by_text("Your password is changed.")).to_have_count(0)


def test_whoever_sells_is_asked_for_a_second_factor_until_it_is_on(
    school: School, browser: Browser
) -> None:
    with school.session() as session:
        email = make_course(session, "Cake", published=True).instructor.email
    page = opened(school, browser, email)

    expect(page.get_by_role("note")).to_contain_text("Set up two-step sign-in")
    page.goto("/studio")
    expect(page.get_by_role("note")).to_contain_text("Set up two-step sign-in")
