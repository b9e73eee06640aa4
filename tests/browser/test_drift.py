"""The story of a price that somebody took off sale at the gateway."""

import re

import pytest
from playwright.sync_api import Browser, expect

from luma.models.course import Course
from luma.values import Role
from tests.browser.school import School
from tests.factories import make_course, make_user

SOON = 15_000
TEACHER = "tess.drift@example.org"


@pytest.fixture
def course(school: School) -> Course:
    with school.session() as session:
        teacher = make_user(session, "Tess", email=TEACHER, roles=(Role.INSTRUCTOR,))
        return make_course(session, "Bread for beginners", instructor=teacher, published=True)


def test_a_price_that_is_archived_pauses_buying_until_the_instructor_sells_again(
    school: School, browser: Browser, course: Course
) -> None:
    buyer, teacher = school.visitor(browser), school.visitor(browser)
    school.sign_up(buyer, "Bea Buyer", "bea.drift@example.org")
    buyer.goto(f"/courses/{course.slug}")
    buyer.get_by_role("button", name="Buy for $49").first.click()
    expect(buyer).to_have_url(re.compile("/sandbox/checkout/cs_sbx_"))
    school.sign_in(teacher, TEACHER)

    teacher.goto("/sandbox")
    teacher.get_by_role("button", name="Archive price of Bread for beginners").click()
    expect(teacher.get_by_text("The price is archived.")).to_be_visible()

    teacher.goto("/studio")
    paused = teacher.get_by_text("Buying is paused")
    for _ in range(20):
        if paused.is_visible():
            break
        teacher.wait_for_timeout(500)
        teacher.reload()
    expect(paused).to_be_visible()
    buyer.goto(f"/courses/{course.slug}")
    expect(buyer.get_by_text("Buying is paused").first).to_be_visible()
    expect(buyer.get_by_role("button", name=re.compile("Buy for"))).to_have_count(0)

    teacher.get_by_role("button", name="Sell again Bread for beginners").click()
    expect(teacher.get_by_text("can be bought again")).to_be_visible(timeout=SOON)
    expect(paused).to_have_count(0)

    buyer.reload()
    buyer.get_by_role("button", name="Buy for $49").first.click()
    expect(buyer).to_have_url(re.compile("/sandbox/checkout/cs_sbx_"))
