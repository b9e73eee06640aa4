"""A student is asked for a review, writes and changes it; the instructor replies; all read it."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from luma.models.course import Course
from luma.models.user import User
from luma.services import learning, review_desk, reviews
from luma.values import Role
from tests.browser.school import School
from tests.factories import actor, enrol, make_course, make_user


@pytest.fixture
def course(school: School) -> Course:
    with school.session() as session:
        return make_course(session, lessons=("Flour", "Water", "Salt"), published=True)


def student_of(school: School, course: Course, name: str = "Sam Rivera", done: int = 0) -> User:
    with school.session() as session:
        student = make_user(session, name)
        enrol(session, student, course)
        for lesson in course.chapters[0].lessons[:done]:
            learning.complete_lesson(session, actor(student), lesson.public_id)
    return student


def signed_in(school: School, browser: Browser, user: User, path: str) -> Page:
    page = school.visitor(browser)
    school.sign_in(page, user.email, path)
    return page


def first_lesson(course: Course) -> str:
    return f"/learn/{course.slug}/{course.chapters[0].lessons[0].public_id}"


def test_a_review_is_asked_for_written_answered_and_changed(
    school: School, browser: Browser, course: Course
) -> None:
    sam = student_of(school, course)
    page = signed_in(school, browser, sam, first_lesson(course))
    expect(page.locator("#paper")).to_have_count(0)
    asked = page.get_by_role("region", name="How do you like the course so far?")
    expect(asked).to_have_count(0)

    page.get_by_role("button", name="Mark complete").click()
    asked.get_by_role("link", name="Write a review").click()
    asked.get_by_text("4 stars").click(force=True)
    asked.get_by_label("What would you tell somebody").fill("I can bake now.")
    asked.get_by_role("button", name="Publish review").click()

    expect(asked.get_by_text("Thank you. Your review is saved.")).to_be_visible()
    page.get_by_role("link", name="Next lesson").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Water")
    expect(asked).to_have_count(0)

    teacher = signed_in(school, browser, course.instructor, f"/courses/{course.slug}")
    review = teacher.get_by_role("listitem").filter(has_text="I can bake now.")
    expect(review.get_by_text("Sam R.", exact=True)).to_be_visible()
    expect(review.get_by_text("Bought this course")).to_be_visible()
    review.get_by_text("Reply", exact=False).first.click()
    review.get_by_label("Your reply to Sam R.").fill("I am glad.")
    review.get_by_role("button", name="Save reply").click()
    expect(teacher.get_by_text("Ines Weber replied")).to_be_visible()

    page.goto(f"/courses/{course.slug}")
    expect(page.get_by_text("I am glad.")).to_be_visible()
    page.get_by_role("link", name="Edit your review").click()
    expect(page.get_by_label("4 stars")).to_be_checked()
    page.get_by_label("What would you tell somebody").fill("I can bake bread now.")
    page.get_by_role("button", name="Save review").click()
    expect(page.get_by_text("I can bake bread now.").first).to_be_visible()
    assert school.faults() == []


def test_who_says_not_now_is_asked_again_at_the_end_alone(
    school: School, browser: Browser, course: Course
) -> None:
    sam = student_of(school, course, done=1)
    page = signed_in(school, browser, sam, first_lesson(course))
    asked = page.get_by_role("heading", name=re.compile("How do you like|How was the course"))

    with page.expect_response(re.compile("/review/later")):
        page.get_by_role("button", name="Not now").click()
    expect(asked).to_have_count(0)
    page.reload()
    expect(page.locator("#paper")).to_have_count(0)
    expect(asked).to_have_count(0)

    with school.session() as session:
        for lesson in course.chapters[0].lessons:
            learning.complete_lesson(session, actor(sam), lesson.public_id)
    page.reload()
    expect(asked).to_have_text("How was the course?")


def test_the_average_is_shown_from_three_reviews_on_and_read_without_a_script(
    school: School, browser: Browser, course: Course
) -> None:
    for number in range(12):
        student = student_of(school, course, f"Person {number}")
        with school.session() as session:
            reviews.write(session, actor(student), course.slug, 4 + number % 2, f"Said {number}.")
    page = school.visitor(browser, java_script_enabled=False)

    page.goto("/")
    card = page.get_by_role("link", name=re.compile(course.title)).first
    expect(card).to_contain_text("4.5 of 5 stars, (12 reviews)")

    page.goto(f"/courses/{course.slug}")
    section = page.get_by_role("region", name="Reviews")
    expect(section.get_by_role("progressbar", name="5 stars")).to_have_attribute("value", "6")
    expect(section.get_by_text(re.compile(r"^Said \d+\.$"))).to_have_count(8)
    section.get_by_role("link", name="More reviews").click()
    expect(section.get_by_text(re.compile(r"^Said \d+\.$"))).to_have_count(12)
    page.context.close()


def test_a_review_is_reported_and_what_is_hidden_tells_its_writer_why(
    school: School, browser: Browser, course: Course
) -> None:
    sam = student_of(school, course)
    with school.session() as session:
        reviews.write(session, actor(sam), course.slug, 1, "He is an idiot.")
        reader = make_user(session, "Rita")
        ada = make_user(session, roles=(Role.ADMIN,))
    page = signed_in(school, browser, reader, f"/courses/{course.slug}")

    page.get_by_role("button", name="Helpful").click()
    expect(page.get_by_role("button", name="Helpful")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("link", name="Report the review of Sam R.").click()
    page.get_by_label("It insults somebody").check()
    page.get_by_role("button", name="Report review").click()
    expect(page.get_by_text("Thank you. An admin looks at this review.")).to_be_visible()

    with school.session() as session:
        [listed] = [
            one for one in review_desk.reported(session, actor(ada)) if one.writer == "Sam Rivera"
        ]
        review_desk.hide(session, actor(ada), listed.id, "It insults the instructor.")
    page.reload()
    expect(page.get_by_text("He is an idiot.")).to_have_count(0)
    writer = signed_in(school, browser, sam, f"/courses/{course.slug}")
    expect(writer.get_by_text("An admin has hidden your review")).to_contain_text(
        "It insults the instructor."
    )
    assert school.faults() == []
