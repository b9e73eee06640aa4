"""The story of an instructor who connects an account, sells, and sees what is due."""

import re
from datetime import timedelta

from playwright.sync_api import Browser, Locator, Page, expect
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from luma.models.course import Course
from luma.models.order import Order
from luma.models.payee import RefusalCause, Transfer
from luma.models.payment import Payment
from luma.services import clock
from luma.values import Money, Role
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

    with school.session() as session:
        make_user(session, "Root", email="root@example.org", roles=(Role.ADMIN,))
        refuse(session, course)
    page.goto("/studio/payouts")
    expect(page.get_by_text("1 payout could not be sent")).to_be_visible()
    admin = school.visitor(browser)
    school.sign_in(admin, "root@example.org")
    admin.goto("/admin/payouts")
    admin.get_by_role("button", name="Try again").click()
    expect(admin.get_by_text("It is being tried again.")).to_be_visible()
    expect(admin.get_by_role("heading", name="Stopped")).to_have_count(0)


def refuse(session: Session, course: Course) -> None:
    """Stripe would not send the share of the only sale."""
    payment = select(Payment.id).join(Order, Order.id == Payment.order_id)
    now = clock.now()
    transfer = Transfer(
        payment_id=session.scalars(payment.where(Order.course_id == course.id)).one(),
        instructor_id=course.instructor_id,
        account_id="acct_1",
        number=1,
        amount=Money(4410, "usd"),
        operation_key="luma:transfer:refused",
        created_at=now,
    )
    transfer.refuse(RefusalCause.BALANCE, "The balance is too low.", now)
    session.add(transfer)


def until_shown(page: Page, row: Locator) -> None:
    """The sale settles some moments after it is paid."""
    for _ in range(10):
        page.goto("/studio/payouts")
        page.get_by_role("heading", name="Where your money goes").wait_for()
        if row.count():
            return
        page.wait_for_timeout(500)
