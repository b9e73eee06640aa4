"""Stories of a code: from the studio over a link, past signing up, to the till and the course."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from luma.models.course import Course
from tests.browser.school import School
from tests.coupons import make_coupon
from tests.factories import PASSWORD, make_published, make_user


@pytest.fixture
def course(school: School) -> Course:
    with school.session() as session:
        course = make_published(session, "Bread for beginners")
        assert course.instructor.email
        return course


_numbers = iter(range(1000))


def coupon(school: School, course: Course, percent: int) -> str:
    code = f"CODE-{next(_numbers)}"
    with school.session() as session:
        make_coupon(session, course, code, percent=percent)
    return code


def press(page: Page, name: str) -> None:
    page.get_by_role("main").get_by_role("button", name=name, exact=True).first.click()


def sign_up(page: Page) -> None:
    page.get_by_label("Name").fill("Nora New")
    page.get_by_label("E-mail address").fill(f"coupon{next(_numbers)}@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    press(page, "Sign up")


def test_a_link_with_a_code_leads_past_signing_up_to_the_till_at_its_price(
    school: School, browser: Browser, course: Course
) -> None:
    code = coupon(school, course, 20)
    page = school.visitor(browser)
    page.goto(f"/courses/{course.slug}?code={code.lower()}")
    expect(page.locator(".buy-card s")).to_have_text("$49")
    expect(page.get_by_text("20 % off")).to_be_visible()

    press(page, "Buy for $39.20")
    expect(page.get_by_text("straight on to “Bread for beginners”")).to_be_visible()
    sign_up(page)

    expect(page).to_have_url(re.compile("/sandbox/checkout/cs_sbx_"))
    expect(page.get_by_role("main")).to_contain_text("Discount")
    press(page, "Pay $39.20")
    expect(page.get_by_role("heading", name="Payment received")).to_be_visible(timeout=15_000)
    expect(page.get_by_role("main")).to_contain_text(code)
    page.goto("/orders")
    expect(page.get_by_role("row").filter(has_text="Bread")).to_contain_text("$39.20")


def test_who_signs_in_from_the_head_of_the_page_keeps_the_code(
    school: School, browser: Browser, course: Course
) -> None:
    code = coupon(school, course, 20)
    with school.session() as session:
        email = make_user(session, "Karl Known").email
    page = school.visitor(browser)
    page.goto(f"/courses/{course.slug}?code={code}")
    page.get_by_role("banner").get_by_role("link", name="Sign in").click()
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    press(page, "Sign in")

    expect(page.get_by_text("20 % off")).to_be_visible()
    press(page, "Buy for $39.20")
    page.get_by_role("link", name="Cancel").click()

    expect(page.get_by_text("No charge was made.")).to_be_visible()
    expect(page.get_by_text("20 % off")).to_be_visible()


def test_without_scripts_a_code_is_typed_refused_and_typed_again(
    school: School, browser: Browser, course: Course
) -> None:
    code = coupon(school, course, 100)
    page = school.visitor(browser, java_script_enabled=False)
    school.sign_up(page, "Bea Buyer", f"coupon{next(_numbers)}@example.org")
    page.goto(f"/courses/{course.slug}")
    page.get_by_text("Have a code?").click()
    page.get_by_label("Code").fill("nothing")
    press(page, "Use code")
    expect(page.get_by_text("There is no such code.")).to_be_visible()
    expect(page.get_by_role("button", name="Buy for $49").first).to_be_visible()

    page.get_by_label("Code").fill(code)
    press(page, "Use code")
    press(page, "Enrol free")

    expect(page).to_have_url(re.compile(f"/learn/{course.slug}/les_"))
    page.goto("/orders")
    expect(page.get_by_role("row").filter(has_text="Bread")).to_contain_text("$0")


def test_an_instructor_makes_a_code_and_ends_it(
    school: School, browser: Browser, course: Course
) -> None:
    code = f"LAUNCH-{next(_numbers)}"
    page = school.visitor(browser)
    page.goto("/sign-in?next=/studio/coupons")
    page.get_by_label("E-mail address").fill(course.instructor.email)
    page.get_by_label("Password").fill(PASSWORD)
    press(page, "Sign in")
    expect(page.get_by_role("heading", name="No coupons yet")).to_be_visible()
    page.get_by_label("Code", exact=True).fill(code.lower())
    page.get_by_label("Takes off").fill("120")
    press(page, "Make coupon")
    expect(page.get_by_text("must be a whole number from 1 to 100")).to_be_visible()

    page.get_by_label("Takes off").fill("25")
    press(page, "Make coupon")

    row = page.get_by_role("listitem").filter(has_text=code)
    expect(row).to_contain_text("25 % off")
    visitor = school.visitor(browser)
    visitor.goto(f"/courses/{course.slug}?code={code}")
    expect(visitor.get_by_text("25 % off")).to_be_visible()
    row.get_by_role("button", name="End now").click()
    expect(row).to_contain_text("Ended")
    visitor.reload()
    expect(visitor.get_by_text("This code has expired.")).to_be_visible()
