"""Stories of testers: at the sandbox they are the bank and the network, and LUMA follows."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from luma.models.course import Course
from luma.values import Role
from tests.browser.school import School
from tests.factories import make_published, make_user

SOON = 15_000


@pytest.fixture
def course(school: School) -> Course:
    with school.session() as session:
        return make_published(session, "Bread for beginners")


_buyers = iter(range(1000))


@pytest.fixture
def till(school: School, browser: Browser, course: Course) -> Page:
    """A new buyer at the sandbox's page."""
    page = school.visitor(browser)
    school.sign_up(page, "Bea Buyer", f"desk{next(_buyers)}@example.org")
    page.goto(f"/courses/{course.slug}")
    page.get_by_role("button", name="Buy for $49").first.click()
    expect(page).to_have_url(re.compile("/sandbox/checkout/cs_sbx_"))
    return page


def press(page: Page, name: str) -> None:
    page.get_by_role("main").get_by_role("button", name=name, exact=True).click()


def luma_says(page: Page, *marks: str) -> None:
    """In the part that follows the events by itself."""
    for mark in marks:
        expect(page.locator("[data-sandbox] .mark", has_text=mark)).to_be_visible(timeout=SOON)


def paid(page: Page) -> None:
    """Pay, and come back to the sandbox's page."""
    desk = page.url
    press(page, "Pay $49")
    expect(page.get_by_role("heading", name="Payment received")).to_be_visible(timeout=SOON)
    page.goto(desk)
    luma_says(page, "Paid", "The course is open")


def test_a_card_is_declined_with_a_reason_and_the_next_one_pays(till: Page) -> None:
    till.get_by_label("Why it is declined").select_option("Not enough money")
    press(till, "Decline")
    expect(till.get_by_role("alert")).to_have_text(re.compile("not enough money on this card"))

    press(till, "Pay $49")

    expect(till.get_by_role("heading", name="Payment received")).to_be_visible(timeout=SOON)


def test_a_payment_that_comes_later_is_confirmed(till: Page) -> None:
    press(till, "Pay later")
    luma_says(till, "Payment pending", "No access")

    press(till, "The payment succeeds")

    expect(till.get_by_role("heading", name="Payment received")).to_be_visible(timeout=SOON)


def test_a_refund_fails_and_a_dispute_is_lost_and_luma_follows(till: Page) -> None:
    paid(till)

    press(till, "Refund $49")
    luma_says(till, "Refunded", "No access")
    press(till, "The refund fails")
    luma_says(till, "Paid", "The course is open")
    till.get_by_label(re.compile("Amount to refund")).fill("9.50")
    press(till, "Refund this amount")
    expect(till.get_by_text("$9.50")).to_be_visible()
    press(till, "Open a dispute")
    luma_says(till, "Disputed", "No access")
    press(till, "Lose")
    luma_says(till, "Charged back", "No access")


def test_two_tabs_decide_a_dispute_and_the_first_one_counts(till: Page) -> None:
    paid(till)
    press(till, "Open a dispute")
    other = till.context.new_page()
    other.goto(till.url)
    expect(other.get_by_role("button", name="Lose")).to_be_visible()

    press(till, "Win")
    press(other, "Lose")

    expect(other.get_by_text("This is decided already.")).to_be_visible()
    luma_says(other, "Paid", "The course is open")


def test_everything_twice_and_out_of_order_opens_the_course_once(till: Page) -> None:
    till.get_by_text("What goes wrong on the way").click()
    till.get_by_label("Deliver every event twice").check()
    till.get_by_label("Swap: hold an event until the next one went").check()
    press(till, "Keep")
    expect(till.get_by_text("(something does)")).to_be_visible()

    paid(till)

    expect(till.locator(".events li")).to_have_count(2)


def test_a_dropped_payment_is_found_among_the_checkouts_and_sent_after_all(
    school: School, browser: Browser, till: Page
) -> None:
    till.get_by_text("What goes wrong on the way").click()
    till.get_by_label("Drop: deliver nothing").check()
    press(till, "Keep")
    press(till, "Pay $49")
    expect(till.get_by_role("heading", name="Checking your payment")).to_be_visible()
    with school.session() as session:
        admin = make_user(session, roles=(Role.ADMIN,)).email
    page = school.visitor(browser)
    school.sign_in(page, admin)

    page.goto("/sandbox")
    page.get_by_role("link", name="Bread for beginners").first.click()
    expect(page.get_by_text("dropped on the way")).to_have_count(2)
    luma_says(page, "Not paid", "No access")
    page.get_by_role("button", name="Send it now").last.click()

    luma_says(page, "Paid", "The course is open")
    expect(till.get_by_role("heading", name="Payment received")).to_be_visible(timeout=SOON)
