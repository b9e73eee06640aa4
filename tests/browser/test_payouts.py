"""The story of an instructor who connects an account, sells, and sees what is due."""

import re
from datetime import timedelta

from playwright.sync_api import Browser, Locator, Page, expect
from sqlalchemy import update

from luma.models.course import Course
from luma.models.order import Order
from luma.services import clock
from luma.values import Role
from tests.browser.school import School
from tests.browser.test_buying import expect_access, newcomer, press, to_the_till
from tests.factories import make_course, make_user


def test_an_instructor_connects_an_account_and_a_sale_becomes_due(
    school: School, browser: Browser
) -> None:
    with school.session() as session:
        teacher = make_user(session, "Tia", email="tia@example.org", roles=(Role.INSTRUCTOR,))
        course: Course = make_course(session, instructor=teacher, published=True)
    page = school.visitor(browser)
    school.sign_in(page, "tia@example.org")

    page.goto("/studio/payouts")
    press(page, "Connect account")
    page.wait_for_url(re.compile("/sandbox/onboarding/acct_sbx_"))
    press(page, "Finish")
    expect(page.get_by_text("Connected", exact=True)).to_be_visible()
    buyer = newcomer(school, browser)
    to_the_till(buyer, course)
    press(buyer, "Pay $49")
    expect_access(buyer, course)
    row = page.locator(".sales-table tbody tr")
    until_shown(page, row)
    expect(row.get_by_text("Held", exact=True)).to_be_visible()
    with school.session() as session:
        long_ago = clock.now() - timedelta(days=20)
        session.execute(update(Order).where(Order.course_id == course.id).values(paid_at=long_ago))

    page.goto("/studio/payouts")
    expect(row.get_by_text("Due", exact=True)).to_be_visible()
    expect(row.get_by_text("$44.10")).to_be_visible()


def until_shown(page: Page, row: Locator) -> None:
    """The sale settles some moments after it is paid."""
    for _ in range(10):
        page.goto("/studio/payouts")
        page.get_by_role("heading", name="Where your money goes").wait_for()
        if row.count():
            return
        page.wait_for_timeout(500)
