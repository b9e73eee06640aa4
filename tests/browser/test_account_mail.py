"""Stories of people and the links they find in their mail."""

from itertools import count

import pytest
from playwright.sync_api import Browser, Page, expect

from luma.models.course import Course
from luma.models.user import User
from luma.values import CourseStatus, Role
from tests.browser.school import School
from tests.factories import PASSWORD, make_course, make_user

NEW = "another lamp in the window"
VERIFY, RESET = "Confirm your e-mail address", "Choose a new password"
_numbers = count(1)


@pytest.fixture
def email() -> str:
    return f"person{next(_numbers)}@mail.example"


def press(page: Page, name: str) -> None:
    page.get_by_role("main").get_by_role("button", name=name).click()


def says(page: Page, heading: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(heading)


def test_an_address_is_confirmed_by_a_press_and_not_by_opening_the_link(
    school: School, browser: Browser, email: str
) -> None:
    page = school.visitor(browser)
    school.sign_up(page, "Anna Berg", email)
    link = school.link(email, VERIFY)
    elsewhere = school.visitor(browser)
    for _ in range(2):
        answer = elsewhere.goto(link)
    assert answer is not None
    assert answer.headers["referrer-policy"] == "same-origin"
    page.goto("/account")
    expect(page.get_by_text("Not confirmed")).to_be_visible()

    press(elsewhere, "Confirm this address")

    says(elsewhere, "Your e-mail address is confirmed")
    page.reload()
    expect(page.get_by_text("Confirmed", exact=True)).to_be_visible()
    elsewhere.goto(link)
    says(elsewhere, "This link does not work any more")


def test_selling_waits_for_a_confirmed_address_and_sends_the_link_again(
    school: School, browser: Browser, email: str
) -> None:
    with school.session() as session:
        ines = make_user(session, "Ines Weber", email=email, roles=(Role.INSTRUCTOR,))
        ines.email_verified_at = None
        course = make_course(session, instructor=ines)
    page = school.visitor(browser)
    school.sign_in(page, email, f"/studio/{course.public_id}")
    page.get_by_role("button", name="Publish course").click()

    page.get_by_role("button", name="Confirm your e-mail address").click()

    expect(page.get_by_text("A link is on its way to your e-mail address.")).to_be_visible()
    mail = school.visitor(browser)
    mail.goto(school.link(email, VERIFY))
    press(mail, "Confirm this address")
    says(mail, "Your e-mail address is confirmed")
    page.get_by_role("button", name="Publish course").click()
    expect(page.get_by_text("Your course is on sale.")).to_be_visible()
    with school.session() as session:
        assert session.get_one(Course, course.id).status is CourseStatus.PUBLISHED


def test_a_forgotten_password_is_set_anew_once_and_ends_every_session(
    school: School, browser: Browser, email: str
) -> None:
    with school.session() as session:
        make_user(session, email=email)
    signed_in, page = school.visitor(browser), school.visitor(browser)
    school.sign_in(signed_in, email)
    page.goto("/sign-in")
    page.get_by_role("link", name="Forgot your password?").click()
    page.get_by_label("E-mail address").fill(email.upper())
    press(page, "Send the link")
    says(page, "Look in your mail")
    link = school.link(email, RESET)
    answer = page.goto(link)
    assert answer is not None
    assert answer.headers["referrer-policy"] == "same-origin"
    page.get_by_label("New password").fill("password12")
    press(page, "Set this password")
    expect(page.get_by_text("Many people use this password.")).to_be_visible()

    page.get_by_label("New password").fill(NEW)
    press(page, "Set this password")

    expect(page.get_by_text("Your password is changed. Sign in with it.")).to_be_visible()
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(NEW)
    press(page, "Sign in")
    page.wait_for_url("**/learn")
    signed_in.goto("/account")
    expect(signed_in).to_have_url(f"{school.url}/sign-in?next=/account")
    page.goto(link)
    says(page, "This link does not work any more")
    assert "was changed" in school.letter(email, "Your password is changed")


def test_a_stranger_gets_the_same_answer_and_no_letter(
    school: School, browser: Browser, email: str
) -> None:
    with school.session() as session:
        make_user(session, email=email)
    answers = []
    for address in ("nobody@mail.example", email):
        page = school.visitor(browser)
        page.goto("/forgot")
        page.get_by_label("E-mail address").fill(address)
        press(page, "Send the link")
        says(page, "Look in your mail")
        answers.append(page.content())

    assert school.link(email, RESET)
    assert answers[0] == answers[1]
    written = (school.log.parent / "mail").glob("*.eml")
    assert not any("nobody@mail.example" in mail.read_text() for mail in written)


def test_an_address_changes_once_the_old_and_the_new_have_agreed(
    school: School, browser: Browser, email: str
) -> None:
    with school.session() as session:
        user = make_user(session, email=email)
    page, mail = school.visitor(browser), school.visitor(browser)
    school.sign_in(page, email, "/account")
    page.get_by_text("Change e-mail address").click()
    page.get_by_label("New e-mail address").fill(f"new.{email}")
    page.get_by_role("button", name="Change address").click()
    expect(page.get_by_text("Look in your mail")).to_be_visible()
    expect(page.get_by_text(f"new.{email}")).to_be_visible()

    mail.goto(school.link(f"new.{email}", "Confirm your new e-mail address"))
    press(mail, "Agree to the change")
    says(mail, "One of two has agreed")
    mail.goto(school.link(email, "Do you want to change your e-mail address?"))
    press(mail, "Agree to the change")

    says(mail, "Your e-mail address is changed")
    with school.session() as session:
        assert session.get_one(User, user.id).email == f"new.{email}"
    school.letter(email, "Your e-mail address is changed")
    school.sign_in(school.visitor(browser), f"new.{email}")


def test_a_sign_in_from_a_new_browser_is_told(school: School, browser: Browser, email: str) -> None:
    phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) Version/19.1 Safari/604.1"
    school.sign_up(school.visitor(browser), "Anna Berg", email)

    school.sign_in(school.visitor(browser, user_agent=phone), email)

    assert "Safari on an iPhone" in school.letter(email, "A new sign-in to your account")


@pytest.mark.parametrize("path", ["/verify/x", "/confirm-address/x", "/reset/x"])
def test_a_link_that_never_was_is_answered_in_words(
    school: School, browser: Browser, path: str
) -> None:
    page = school.visitor(browser)

    answer = page.goto(path)

    assert answer is not None
    assert answer.status == 404
    says(page, "This link does not work any more")
    posted = page.request.post(path, form={"password": PASSWORD}, headers={"Origin": school.url})
    assert posted.status == 404
    assert school.faults() == []
