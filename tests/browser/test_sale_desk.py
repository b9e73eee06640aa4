"""Stories of a refund: the seller gives back, both sides see it, and nobody loads a page anew."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import delete, select, update

from luma.models.course import Course
from luma.models.order import CheckoutAttempt, Order
from luma.models.sandbox import SandboxEvent
from luma.models.user import User
from luma.services import signals
from luma.values import Role
from tests.browser.school import School
from tests.factories import make_published, make_user


@pytest.fixture
def course(school: School) -> Course:
    with school.session() as session:
        return make_published(session, "Bread for beginners")


_buyers = iter(range(1000))


@pytest.fixture
def buyer(school: School, browser: Browser, course: Course) -> Page:
    """Somebody who has just bought, on the page of their order."""
    page = school.visitor(browser)
    school.sign_up(page, "Bea Buyer", f"desk-bea{next(_buyers)}@example.org")
    page.goto(f"/courses/{course.slug}")
    page.get_by_role("button", name="Buy for $49").first.click()
    page.get_by_role("button", name="Pay $49", exact=True).click()
    expect(page.get_by_role("heading", name="Payment received")).to_be_visible(timeout=15_000)
    return page


@pytest.fixture
def seller(school: School, browser: Browser, course: Course) -> Page:
    with school.session() as session:
        email = session.scalars(select(User.email).where(User.id == course.instructor_id)).one()
    page = school.visitor(browser)
    school.sign_in(page, email)
    return page


def order_of(school: School, course: Course) -> str:
    with school.session() as session:
        return session.scalars(select(Order.public_id).where(Order.course_id == course.id)).one()


def loads_of(*pages: Page) -> list[str]:
    loads: list[str] = []
    for page in pages:
        page.on("framenavigated", lambda frame: loads.append(frame.url))
    return loads


def to_the_desk(page: Page, school: School, course: Course, area: str = "studio/sales") -> None:
    page.goto(f"/{area}/{order_of(school, course)}")
    page.get_by_text("Refund this sale").click()


def confirm(page: Page, words: str) -> None:
    page.get_by_role("main").get_by_role("button", name=words, exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name=words, exact=True).click()


def test_a_refund_is_seen_on_both_sides_without_loading_anew(
    school: School, buyer: Page, seller: Page, course: Course
) -> None:
    to_the_desk(seller, school, course)
    loads = loads_of(buyer, seller)
    seller.get_by_label("Amount in USD").fill("12.50")
    expect(seller.locator(".sale-effect")).to_contain_text("Bea Buyer keeps “Bread")
    seller.get_by_label("Reason", exact=True).fill("A lesson was missing.")
    confirm(seller, "Refund 12.50 USD")

    expect(seller.get_by_label("Refunds")).to_contain_text("Refunded", timeout=15_000)
    expect(seller.locator("#sale-left")).to_have_text("$36.50")
    expect(buyer.locator("[data-checkout]")).to_contain_text("$12.50", timeout=15_000)

    seller.get_by_label("Amount in USD").fill("")
    expect(seller.locator(".sale-effect")).to_contain_text("loses “Bread for beginners”")
    seller.get_by_label("Reason", exact=True).fill("All of it after all.")
    confirm(seller, "Refund $36.50")

    expect(seller.locator("#sale-state")).to_have_text("Refunded", timeout=15_000)
    expect(buyer.get_by_role("heading", name="Refunded", exact=True)).to_be_visible(timeout=15_000)
    assert loads == []


def test_what_is_asked_for_is_said_before_it_happens(
    school: School, buyer: Page, seller: Page, course: Course
) -> None:
    to_the_desk(seller, school, course)
    effect = seller.locator(".sale-effect")
    expect(effect).to_contain_text("loses “Bread for beginners”")

    for amount, says in {
        "49": "loses",
        "48.99": "keeps",
        "49.01": "at most 49.00",
        "0": "above 0",
        "12,50": "in digits",
        "49.000": "in digits",
    }.items():
        seller.get_by_label("Amount in USD").fill(amount)
        expect(effect).to_contain_text(says)
    seller.get_by_label("Amount in USD").fill("10")
    seller.get_by_label("Access afterwards").select_option("end")
    expect(effect).to_contain_text("loses")
    seller.get_by_label("Amount in USD").fill("")
    seller.get_by_label("Access afterwards").select_option("keep")
    expect(effect).to_contain_text("for good, by hand")


def test_what_is_being_typed_outlives_news_and_escape_refunds_nothing(
    school: School, buyer: Page, seller: Page, course: Course
) -> None:
    to_the_desk(seller, school, course)
    seller.get_by_label("Amount in USD").fill("10")
    seller.get_by_label("Reason", exact=True).fill("Half-way through a")

    buyer.reload()
    buyer.get_by_text("Ask for a refund").click()
    buyer.get_by_label("What was wrong?").fill("Too much flour.")
    with school.session() as session:
        order = session.scalars(select(Order).where(Order.course_id == course.id)).one()
        order.review_reason = "Somebody looks at it."
        signals.tell(session, order.public_id)

    expect(seller.get_by_text("Somebody looks at it.")).to_be_visible(timeout=15_000)
    expect(seller.get_by_label("Amount in USD")).to_have_value("10")
    expect(seller.get_by_label("Reason", exact=True)).to_have_value("Half-way through a")
    seller.get_by_label("Reason", exact=True).press("Enter")
    expect(seller.get_by_role("dialog")).to_be_visible()
    with school.session() as session:
        session.get_one(Order, order.id).review_reason = "They have looked."
        signals.tell(session, order.public_id)
    seller.wait_for_timeout(700)
    expect(seller.get_by_role("dialog")).to_be_visible()
    seller.keyboard.press("Escape")
    expect(seller.get_by_text("They have looked.")).to_be_visible(timeout=15_000)
    expect(seller.get_by_label("Refunds")).to_have_count(0)


def test_an_admin_finds_an_order_by_its_code_and_gives_access_by_hand(
    school: School, browser: Browser, buyer: Page, course: Course
) -> None:
    with school.session() as session:
        email = make_user(session, "Ada Admin", roles=(Role.ADMIN,)).email
    admin, order = school.visitor(browser), order_of(school, course)
    school.sign_in(admin, email)
    admin.goto("/admin/orders")
    admin.get_by_role("searchbox").fill(order.removeprefix("ord_").upper())
    admin.get_by_role("searchbox").press("Enter")
    admin.get_by_role("link", name="Bread for beginners").click()
    admin.wait_for_url(re.compile(f"/admin/orders/{order}$"))

    admin.get_by_text("Refund this sale").click()
    admin.get_by_label("Reason", exact=True).fill("The wrong course.")
    confirm(admin, "Refund $49")
    expect(admin.get_by_text("Bea Buyer has no access.")).to_be_visible(timeout=15_000)
    admin.get_by_text("Give access").first.click()
    admin.get_by_label("Reason, for your own records").fill("A second chance.")
    admin.get_by_role("button", name="Give access").click()

    expect(admin.get_by_text("has access, given by hand")).to_be_visible()
    admin.get_by_role("button", name="Resend access mail").click()
    expect(admin.get_by_text("The letter is on its way.")).to_be_visible()


def test_a_payment_that_nobody_told_of_is_red_until_the_seller_asks_the_gateway(
    school: School, browser: Browser, seller: Page, course: Course
) -> None:
    buyer = to_the_till(school, browser, course)
    buyer.get_by_text("What goes wrong on the way").click()
    buyer.get_by_label("Drop: deliver nothing").check()
    buyer.get_by_role("main").get_by_role("button", name="Keep", exact=True).click()
    expect(buyer.get_by_text("(something does)")).to_be_visible()
    buyer.get_by_role("button", name="Pay $49", exact=True).click()
    expect(buyer.get_by_role("heading", name="Checking your payment")).to_be_visible()
    three_minutes_pass(school)

    seller.goto(f"/studio/sales/{order_of(school, course)}")
    timeline = seller.locator("#timeline")
    expect(timeline.get_by_role("status")).to_contain_text("The buyer is back from paying")
    expect(timeline.locator(".stuck")).not_to_have_count(0)
    expect(timeline.get_by_text("Nothing came yet")).to_be_visible()
    timeline.get_by_role("button", name="Reconcile with the sandbox").click()

    expect(seller.get_by_text("LUMA had not heard of it; now it has.")).to_be_visible()
    expect(timeline.locator(".stuck")).to_have_count(0)
    expect(timeline).to_contain_text("The sandbox was asked, because no event came")
    expect(timeline).to_contain_text("Access granted")
    expect(buyer.get_by_role("heading", name="Payment received")).to_be_visible(timeout=15_000)
    buyer.goto(f"/learn/{course.slug}")
    expect(buyer.get_by_role("button", name="Mark complete")).to_be_visible()


def to_the_till(school: School, browser: Browser, course: Course) -> Page:
    page = school.visitor(browser)
    school.sign_up(page, "Bea Buyer", f"desk-bea{next(_buyers)}@example.org")
    page.goto(f"/courses/{course.slug}")
    page.get_by_role("button", name="Buy for $49").first.click()
    expect(page.get_by_text("What goes wrong on the way")).to_be_visible()
    return page


def three_minutes_pass(school: School) -> None:
    """And the sandbox forgets its events, so that no job fetches them before anybody looks."""
    with school.session() as session:
        came_back = CheckoutAttempt.returned_at - timedelta(minutes=3)
        session.execute(update(CheckoutAttempt).values(returned_at=came_back))
        session.execute(delete(SandboxEvent).where(SandboxEvent.fate == "dropped"))
