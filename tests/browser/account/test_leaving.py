"""Stories of taking one's data along, and of leaving."""

import io
import json
import re
from pathlib import Path
from zipfile import ZipFile

from playwright.sync_api import Browser, expect
from sqlalchemy import select

from luma.models.user import User
from tests.browser.account.test_second_factor import make_stale
from tests.browser.school import School
from tests.factories import PASSWORD, enrol, make_course, make_user


def test_the_data_of_an_account_are_taken_along_and_read(school: School, browser: Browser) -> None:
    with school.session() as session:
        anna = make_user(session, "Anna Berg", email="anna@example.org")
        enrol(session, anna, make_course(session, "Bread", published=True))
    page = school.visitor(browser)
    school.sign_in(page, "anna@example.org", "/account")

    page.get_by_role("link", name="Download my data").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download my data").click()

    assert re.fullmatch(r"luma-data-\d{4}-\d\d-\d\d\.zip", download.value.suggested_filename)
    file = ZipFile(io.BytesIO(Path(download.value.path()).read_bytes()))
    assert json.loads(file.read("data.json"))["courses"][0]["Course"] == "Bread"
    reader = school.visitor(browser)
    reader.set_content(file.read("index.html").decode())
    expect(reader.get_by_role("heading", name="Courses you learn")).to_be_visible()
    expect(reader.get_by_role("cell", name="anna@example.org")).to_be_visible()


def test_the_data_are_given_only_to_somebody_who_has_just_shown_who_they_are(
    school: School, browser: Browser
) -> None:
    with school.session() as session:
        make_user(session, email="berta@example.org")
    page = school.visitor(browser)
    school.sign_in(page, "berta@example.org", "/orders")
    make_stale(school)

    answer = page.request.post("/account/data", headers={"Origin": school.url}, max_redirects=0)
    page.goto("/account/data")

    assert answer.headers["location"].startswith("/sign-in/again")
    expect(page).to_have_url(f"{school.url}/sign-in/again?next=/account/data")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("button", name="Download my data")).to_be_visible()


def test_an_instructor_leaves_and_the_students_keep_the_course(
    school: School, browser: Browser
) -> None:
    with school.session() as session:
        course = make_course(session, "Cheese", published=True)
        sam = make_user(session, "Sam", email="sam-keeps@example.org")
        enrol(session, sam, course)
        teacher, slug = course.instructor.email, course.slug
        teacher_id = course.instructor_id
    page = school.visitor(browser)
    school.sign_in(page, teacher, "/account")
    tab = page.context.new_page()
    tab.goto("/studio")
    tab.wait_for_function("window.did_handshake")

    page.get_by_role("link", name="Delete my account").click()
    expect(page.get_by_text("they keep what they have")).to_be_visible()
    page.get_by_label("I understand").check()
    page.get_by_role("button", name="Delete my account").click()

    expect(page.get_by_text("Your account is deleted.")).to_be_visible()
    tab.wait_for_url(re.compile("/sign-in"))
    with school.session() as session:
        assert session.get_one(User, teacher_id).email.endswith("@deleted.invalid")
        assert session.scalar(select(User.id).where(User.email == teacher)) is None
    visitor = school.visitor(browser)
    visitor.goto(f"/courses/{slug}")
    expect(visitor.get_by_text("There is no such course.")).to_be_visible()
    student = school.visitor(browser)
    school.sign_in(student, "sam-keeps@example.org", "/learn")
    student.goto(f"/learn/{slug}")
    expect(student.get_by_role("heading", name="Flour").first).to_be_visible()
    again = school.visitor(browser)
    again.goto("/sign-in")
    again.get_by_label("E-mail address").fill(teacher)
    again.get_by_label("Password").fill(PASSWORD)
    again.get_by_role("main").get_by_role("button", name="Sign in").click()
    expect(again.get_by_role("alert")).to_be_visible()
