"""A student fills a form below a lesson, the instructor reads it and edits the questions."""

import csv
import re
from io import StringIO

import pytest
from playwright.sync_api import Browser, Page, expect

from luma.models.course import Course
from luma.models.user import User
from luma.services import learning
from luma.services.feedback import sheets
from tests.browser.school import School
from tests.factories import actor, enrol, make_course, make_user


@pytest.fixture
def course(school: School) -> Course:
    with school.session() as session:
        return make_course(session, "Bread at home", lessons=("Flour", "Water"), published=True)


@pytest.fixture
def sam(school: School, course: Course) -> User:
    with school.session() as session:
        student = make_user(session, "Sam Rivera")
        enrol(session, student, course)
    return student


def signed_in(school: School, browser: Browser, user: User, path: str) -> Page:
    page = school.visitor(browser)
    school.sign_in(page, user.email, path)
    return page


def test_a_form_is_filled_below_a_lesson_and_read_in_the_studio(
    school: School, browser: Browser, course: Course, sam: User
) -> None:
    flour = course.chapters[0].lessons[0].public_id
    page = signed_in(school, browser, sam, f"/learn/{course.slug}/{flour}")
    expect(page.locator("#paper")).to_have_count(0)
    expect(page.get_by_role("link", name="How was this lesson?")).to_have_count(0)

    page.get_by_role("button", name="Mark complete").click()
    page.get_by_role("link", name="How was this lesson?").click()
    form = page.get_by_role("region", name="How was this lesson?")
    form.get_by_role("group", name="How clear was it?").get_by_label("4").check(force=True)
    form.get_by_role("group", name="How useful was it?").get_by_label("Very: 5").check(force=True)
    form.get_by_label("What was unclear?").fill("=WHICH(flour)")
    form.get_by_label("Do not tell the instructor my name").check()
    form.get_by_role("button", name="Send answers").click()
    expect(form.get_by_text("Thank you. Your answers are saved.")).to_be_visible()

    teacher = signed_in(school, browser, course.instructor, f"/studio/{course.public_id}")
    teacher.get_by_role("link", name="Feedback").click()
    expect(teacher.get_by_role("heading", name="Feedback", level=1)).to_be_visible()
    expect(teacher.get_by_text("=WHICH(flour)")).to_be_visible()
    expect(teacher.get_by_text("Anonymous · Flour · Week of")).to_be_visible()
    expect(teacher.get_by_text("4.0 of 5 on average")).to_be_visible()
    assert "Sam" not in teacher.content()
    teacher.get_by_text("As a table: How clear was it?").click()
    expect(teacher.get_by_role("row", name="4 1 100 %")).to_be_visible()

    teacher.get_by_label("Lesson", exact=True).select_option("The course as a whole")
    expect(teacher.get_by_text("Nothing with these filters.")).to_be_visible()
    assert teacher.url.endswith("/feedback?lesson=course")
    teacher.reload()
    expect(teacher.get_by_text("Nothing with these filters.")).to_be_visible()
    teacher.get_by_label("Lesson", exact=True).select_option("Flour")
    teacher.get_by_label("Question", exact=True).select_option("What was unclear?")
    expect(teacher.get_by_text("=WHICH(flour)")).to_be_visible()
    expect(teacher.locator(".chart")).to_have_count(0)

    table = teacher.get_by_role("link", name="Download CSV")
    expect(table).to_have_attribute("href", re.compile(r"lesson=.+&question="))
    with teacher.expect_download() as download:
        table.click()
    rows = list(csv.reader(StringIO(download.value.path().read_text("utf-8-sig"))))
    assert [row[1:] for row in rows[1:]] == [
        ["Flour", "What was unclear?", "'=WHICH(flour)", "Anonymous"]
    ]
    assert school.faults() == []


def test_what_is_missing_is_said_and_what_was_typed_is_kept(
    school: School, browser: Browser, course: Course, sam: User
) -> None:
    page = school.visitor(browser, java_script_enabled=False)
    school.sign_in(page, sam.email, f"/learn/{course.slug}/feedback")
    page.get_by_role("group", name="How clear was it?").get_by_label("4").check(force=True)
    page.get_by_label("What helped you?").fill("The dog.")
    page.locator("[required]").evaluate_all("boxes => boxes.forEach((one) => one.required = false)")

    page.get_by_role("button", name="Send answers").click()

    expect(page.get_by_role("alert")).to_contain_text("How useful was it?")
    expect(page.get_by_label("What helped you?")).to_have_value("The dog.")
    page.get_by_role("group", name="How useful was it?").get_by_label("2").check(force=True)
    page.get_by_role("button", name="Send answers").click()
    page.goto(f"/learn/{course.slug}/feedback")
    expect(page.get_by_text("You have answered. You can change what you said.")).to_be_visible()
    expect(page.get_by_role("group", name="How clear was it?").get_by_label("4")).to_be_checked()
    page.context.close()


def test_at_the_end_the_course_is_asked_about(
    school: School, browser: Browser, course: Course, sam: User
) -> None:
    with school.session() as session:
        for lesson in course.chapters[0].lessons:
            learning.complete_lesson(session, actor(sam), lesson.public_id)
    water = course.chapters[0].lessons[1].public_id
    page = signed_in(school, browser, sam, f"/learn/{course.slug}/{water}")

    page.get_by_role("link", name="Tell the instructor how it was").click()
    form = page.get_by_role("region", name="How was the course?").first
    for question in ("How clear was it?", "How useful was it?"):
        form.get_by_role("group", name=question).get_by_label("5").check(force=True)
    form.get_by_role("button", name="Send answers").click()

    expect(form.get_by_text("Thank you. Your answers are saved.")).to_be_visible()


def test_the_instructor_edits_the_form_and_the_student_is_told(
    school: School, browser: Browser, course: Course, sam: User
) -> None:
    student = signed_in(school, browser, sam, f"/learn/{course.slug}/feedback")
    for question in ("How clear was it?", "How useful was it?"):
        student.get_by_role("group", name=question).get_by_label("3").check(force=True)
    page = signed_in(
        school, browser, course.instructor, f"/studio/{course.public_id}/feedback/form"
    )

    page.get_by_role("listitem").first.get_by_text("Edit", exact=True).click()
    page.get_by_label("Question", exact=True).first.fill("How loud was it?")
    page.get_by_role("button", name="Save question").first.click()
    expect(page.get_by_role("listitem").first).to_contain_text("How loud was it?")
    page.get_by_text("Add a question").click()
    new = page.locator(".question-new")
    new.get_by_label("Question", exact=True).fill("How fast was it?")
    new.get_by_label("How it is answered").select_option("One of several answers")
    new.get_by_label("Answers to choose from").fill("Too slow\nToo fast")
    new.get_by_role("button", name="Add question").click()
    expect(page.get_by_role("listitem")).to_have_count(6)
    page.get_by_role("button", name="Move up: How fast was it?").press("Enter")
    expect(page.get_by_role("listitem").nth(4)).to_contain_text("Too slow · Too fast")
    expect(page.get_by_role("button", name="Move up: How fast was it?")).to_be_focused()
    page.get_by_role("button", name="Remove: What helped you?").click()
    expect(page.get_by_role("listitem")).to_have_count(5)

    student.get_by_role("button", name="Send answers").click()
    expect(student.get_by_role("alert")).to_contain_text("The questions have changed meanwhile.")
    student.get_by_role("group", name="How loud was it?").get_by_label("2").check(force=True)
    student.get_by_role("group", name="How fast was it?").get_by_label("Too fast").check()
    student.get_by_role("button", name="Send answers").click()
    student.wait_for_url("**/learn/**/les_*")
    with school.session() as session:
        mine = sheets.sheet(session, actor(sam), course.slug)
    assert sorted(mine.answers.values()) == ["2", "3", "Too fast"]
    assert school.faults() == []
