"""An instructor rehearses a sale and sees every step work, also after going away."""

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from luma.models.course import Course
from luma.models.user import User
from tests.browser.school import School
from tests.factories import make_published

SOON = 45_000


@pytest.fixture
def course(school: School) -> Course:
    with school.session() as session:
        return make_published(session, "Bread for beginners")


@pytest.fixture
def email(school: School, course: Course) -> str:
    with school.session() as session:
        return session.scalars(select(User.email).where(User.id == course.instructor_id)).one()


@pytest.fixture
def studio(school: School, browser: Browser, email: str) -> Page:
    page = school.visitor(browser)
    school.sign_in(page, email)
    return page


def test_a_sale_is_rehearsed_with_one_press_and_counts_for_nothing(
    school: School, studio: Page, course: Course, email: str
) -> None:
    studio.goto("/studio")
    studio.get_by_role("link", name="Rehearse a sale of Bread for beginners").click()
    studio.get_by_role("main").get_by_role("button", name="Rehearse a sale").click()
    expect(studio.locator(".rehearse-steps .is-done").first).to_be_visible(timeout=SOON)
    studio.goto("/studio")
    studio.goto(f"/studio/rehearse/{course.public_id}")

    expect(studio.get_by_text("Everything works.")).to_be_visible(timeout=SOON)

    expect(studio.locator(".rehearse-steps .is-done")).to_have_count(8)
    assert "Thank you" in school.letter(email, "[Rehearsal] Your receipt")
    assert "bought" in school.letter(email, f"[Rehearsal] You sold {course.title}")
    studio.goto("/studio/sales")
    expect(studio.get_by_text("Nothing sold yet")).to_be_visible()
    assert school.faults() == []


def test_a_draft_is_not_rehearsed_and_says_what_to_do(
    school: School, studio: Page, course: Course
) -> None:
    with school.session() as session:
        session.get_one(Course, course.id).unpublish(course.created_at)

    studio.goto(f"/studio/rehearse/{course.public_id}")

    expect(studio.get_by_text("Publish the course first")).to_be_visible()
    expect(studio.get_by_role("button", name="Rehearse a sale")).to_have_count(0)
