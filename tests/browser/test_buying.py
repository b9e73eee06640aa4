"""Stories of people who buy: to the gateway's page and back, and the course opens by itself."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select, update

from luma.models.course import Course
from luma.models.order import CheckoutAttempt, Order
from luma.models.payment import Payment
from luma.services import clock
from luma.values import Money
from tests.browser.school import School
from tests.factories import PASSWORD, make_published, make_user


@pytest.fixture
def course(school: School) -> Course:
    with school.session() as session:
        return make_published(session, "Bread for beginners")


@pytest.fixture
def buyer(school: School, browser: Browser) -> Page:
    """Somebody who has just signed up."""
    return newcomer(school, browser)


_newcomers = iter(range(1000))


def newcomer(school: School, browser: Browser, **wishes: object) -> Page:
    page = school.visitor(browser, **wishes)
    school.sign_up(page, "Bea Buyer", f"bea{next(_newcomers)}@example.org")
    return page


def to_the_till(page: Page, course: Course) -> None:
    page.goto(f"/courses/{course.slug}")
    page.get_by_role("button", name="Buy for $49").first.click()
    expect(page).to_have_url(re.compile("/sandbox/checkout/cs_sbx_"))


def press(page: Page, name: str) -> None:
    page.get_by_role("main").get_by_role("button", name=name, exact=True).click()


def expect_access(page: Page, course: Course) -> None:
    expect(page.get_by_role("heading", name="Payment received")).to_be_visible(timeout=15_000)
    start = page.get_by_role("link", name="Start lesson 1")
    expect(start).to_have_attribute("href", re.compile(f"^/learn/{course.slug}/les_"))


def test_a_course_opens_on_the_open_page_once_the_money_is_there(
    school: School, buyer: Page, course: Course
) -> None:
    to_the_till(buyer, course)
    expect(buyer.get_by_text("no money moves")).to_be_visible()
    loads: list[str] = []

    press(buyer, "Pay $49")
    buyer.wait_for_url(re.compile("/checkout/ord_"))
    buyer.on("framenavigated", lambda frame: loads.append(frame.url))

    expect_access(buyer, course)
    assert loads == []
    buyer.goto(f"/courses/{course.slug}")
    expect(buyer.get_by_role("button", name="Buy for")).to_have_count(0)
    buyer.goto("/orders")
    expect(buyer.get_by_role("row").filter(has_text="Bread for beginners")).to_contain_text("Paid")


def test_without_scripts_the_page_looks_again_by_itself(
    school: School, browser: Browser, course: Course
) -> None:
    page = newcomer(school, browser, java_script_enabled=False)
    to_the_till(page, course)

    press(page, "Pay $49")

    expect_access(page, course)


def test_a_declined_card_may_be_followed_by_another(
    school: School, buyer: Page, course: Course
) -> None:
    to_the_till(buyer, course)

    press(buyer, "Decline")

    expect(buyer.get_by_role("alert")).to_contain_text("The card was declined.")
    press(buyer, "Pay $49")
    expect_access(buyer, course)


def test_turning_back_costs_nothing_and_the_same_page_waits(
    school: School, buyer: Page, course: Course
) -> None:
    to_the_till(buyer, course)
    till = buyer.url

    buyer.get_by_role("link", name="Cancel").click()

    expect(buyer).to_have_url(f"{school.url}/courses/{course.slug}")
    expect(buyer.get_by_text("No charge was made.")).to_be_visible()
    to_the_till(buyer, course)
    assert buyer.url == till


@pytest.mark.parametrize(
    ("verdict", "ends", "ways_in"),
    [
        ("The payment succeeds", "Payment received", 1),
        ("The payment fails", "The payment did not go through", 0),
    ],
)
def test_a_bank_may_take_its_time(
    buyer: Page,
    course: Course,
    verdict: str,
    ends: str,
    ways_in: int,
) -> None:
    to_the_till(buyer, course)
    press(buyer, "Pay later")
    bank = buyer.context.new_page()
    bank.goto(buyer.url)
    buyer.get_by_role("link", name="Back to LUMA").click()
    expect(buyer.get_by_role("heading", name="Payment pending")).to_be_visible(timeout=15_000)
    expect(buyer.get_by_role("link", name="Start lesson 1")).to_have_count(0)

    press(bank, verdict)

    expect(buyer.get_by_role("heading", name=ends)).to_be_visible(timeout=15_000)
    expect(buyer.get_by_role("link", name="Start lesson 1")).to_have_count(ways_in)


def test_while_the_bank_thinks_nothing_can_be_bought_again(
    school: School, buyer: Page, course: Course
) -> None:
    to_the_till(buyer, course)
    press(buyer, "Pay later")
    buyer.get_by_role("link", name="Back to LUMA").click()
    expect(buyer.get_by_role("heading", name="Payment pending")).to_be_visible(timeout=15_000)

    buyer.goto(f"/courses/{course.slug}")

    expect(buyer.get_by_text("Payment pending").first).to_be_visible()
    expect(buyer.get_by_role("button", name="Buy for")).to_have_count(0)


def test_two_tabs_are_one_purchase(school: School, buyer: Page, course: Course) -> None:
    other = buyer.context.new_page()
    to_the_till(buyer, course)
    to_the_till(other, course)
    assert other.url == buyer.url

    press(buyer, "Pay $49")
    press(other, "Pay $49")

    expect(other.get_by_text("finished already")).to_be_visible()
    expect_access(buyer, course)


def test_back_at_the_till_after_paying_nothing_is_paid_again(
    school: School, buyer: Page, course: Course
) -> None:
    to_the_till(buyer, course)
    till = buyer.url
    press(buyer, "Pay $49")
    expect_access(buyer, course)

    buyer.go_back()

    expect(buyer).to_have_url(till)
    expect(buyer.get_by_role("main").get_by_role("button", name="Pay")).to_have_count(0)
    with school.session() as session:
        paid = select(Payment.id).join(Order, Order.id == Payment.order_id)
        assert len(session.scalars(paid.where(Order.course_id == course.id)).all()) == 1
    buyer.goto(f"/courses/{course.slug}")
    expect(buyer.get_by_role("button", name="Buy for")).to_have_count(0)


def test_what_was_paid_at_two_tills_goes_back_once_and_the_course_stays(
    school: School, buyer: Page, course: Course
) -> None:
    """The first page is almost over when a second tab asks: it gets another."""
    to_the_till(buyer, course)
    with school.session() as session:
        visits = update(CheckoutAttempt).where(CheckoutAttempt.url.contains(buyer.url[-30:]))
        session.execute(visits.values(expires_at=clock.now() + timedelta(seconds=30)))
    other = buyer.context.new_page()
    to_the_till(other, course)
    assert other.url != buyer.url

    press(buyer, "Pay $49")
    press(other, "Pay $49")

    summary = other.locator("[data-checkout]")
    expect(summary).to_contain_text("Refunded$49", timeout=15_000)
    expect_access(other, course)
    expect_access(buyer, course)


def test_somebody_new_goes_from_the_button_over_signing_up_to_the_till(
    school: School, browser: Browser, course: Course
) -> None:
    page = school.visitor(browser)
    page.goto(f"/courses/{course.slug}")
    page.get_by_role("button", name="Buy for $49").first.click()
    expect(page.get_by_text("straight on to “Bread for beginners”")).to_be_visible()
    page.get_by_label("Name").fill("Nora New")
    page.get_by_label("E-mail address").fill(f"nora{next(_newcomers)}@example.org")
    page.get_by_label("Password").fill(PASSWORD)

    press(page, "Sign up")

    expect(page).to_have_url(re.compile("/sandbox/checkout/cs_sbx_"))


def test_somebody_known_goes_from_the_button_over_signing_in_to_the_till(
    school: School, browser: Browser, course: Course
) -> None:
    with school.session() as session:
        email = make_user(session, "Karl Known").email
    page = school.visitor(browser)
    page.goto(f"/courses/{course.slug}")
    page.get_by_role("button", name="Buy for $49").first.click()
    page.get_by_role("main").get_by_role("link", name="Sign in").click()
    expect(page.get_by_text("straight on to “Bread for beginners”")).to_be_visible()
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill("not this one")
    press(page, "Sign in")
    expect(page.get_by_text("straight on to “Bread for beginners”")).to_be_visible()
    page.get_by_label("Password").fill(PASSWORD)

    press(page, "Sign in")

    expect(page).to_have_url(re.compile("/sandbox/checkout/cs_sbx_"))


def test_a_link_on_another_site_buys_nothing(school: School, buyer: Page, course: Course) -> None:
    there = f"{school.url}/courses/{course.slug}/buy"
    buyer.goto(f"data:text/html,<a href={there}>A gift for you</a>")

    buyer.get_by_text("A gift for you").click()

    expect(buyer).to_have_url(f"{school.url}/courses/{course.slug}")


def test_a_free_course_begins_at_once(school: School, buyer: Page) -> None:
    with school.session() as session:
        free = make_published(session, "Free bread")
        free.price = Money(0, "usd")
    buyer.goto(f"/courses/{free.slug}")

    buyer.get_by_role("button", name="Enrol free").first.click()

    expect(buyer).to_have_url(re.compile(f"/learn/{free.slug}/les_"))


def test_a_free_course_begins_right_after_signing_up(school: School, browser: Browser) -> None:
    with school.session() as session:
        free = make_published(session, "Free bread")
        free.price = Money(0, "usd")
    page = school.visitor(browser)
    page.goto(f"/courses/{free.slug}")
    page.get_by_role("button", name="Enrol free").first.click()
    page.get_by_label("Name").fill("Fred Free")
    page.get_by_label("E-mail address").fill(f"fred{next(_newcomers)}@example.org")
    page.get_by_label("Password").fill(PASSWORD)

    press(page, "Sign up")

    expect(page).to_have_url(re.compile(f"/learn/{free.slug}/les_"))


def test_somebody_elses_order_is_not_shown(
    school: School, browser: Browser, buyer: Page, course: Course
) -> None:
    to_the_till(buyer, course)
    press(buyer, "Pay $49")
    buyer.wait_for_url(re.compile("/checkout/ord_"))
    stranger = newcomer(school, browser)

    for path in ("", "/state", "/events", "/cancelled"):
        answer = stranger.goto(buyer.url + path)
        assert answer is not None
        assert answer.status == 404


def test_inside_the_promise_a_buyer_gets_the_money_back_by_themselves(
    buyer: Page, course: Course
) -> None:
    to_the_till(buyer, course)
    expect(buyer.get_by_role("main")).to_contain_text("$49")
    press(buyer, "Pay $49")
    expect_access(buyer, course)
    buyer.reload()

    buyer.get_by_text("Ask for a refund").click()
    buyer.get_by_label("What was wrong?").fill("Too much flour.")
    press(buyer, "Refund $49")

    expect(buyer.get_by_role("heading", name="Refunded", exact=True)).to_be_visible(timeout=15_000)
    buyer.goto("/orders")
    expect(buyer.get_by_role("row").filter(has_text=course.title)).to_contain_text("Refunded")
    buyer.goto(f"/courses/{course.slug}")
    expect(buyer.get_by_role("button", name="Buy for $49").first).to_be_visible()


def test_after_the_promise_nothing_is_offered(school: School, buyer: Page, course: Course) -> None:
    to_the_till(buyer, course)
    press(buyer, "Pay $49")
    expect_access(buyer, course)
    with school.session() as session:
        bought = update(Order).where(Order.course_id == course.id)
        session.execute(bought.values(refund_days=0, paid_at=clock.now() - timedelta(days=1)))

    buyer.reload()

    expect(buyer.get_by_text("Ask for a refund")).to_have_count(0)
