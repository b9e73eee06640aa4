"""A summary on its way from the AI through its instructor to a student."""

from playwright.sync_api import Browser, Page, expect
from sqlalchemy.orm import Session

from luma.models.course import Course
from luma.services import markdown
from tests.browser.school import School
from tests.factories import enrol, make_course, make_user
from tests.services.assistant.lessons import TEXT
from tests.standins.openrouter import OpenRouter
from tests.standins.openrouter_server import SUMMARY


def make_taught(session: Session, *lessons: str) -> Course:
    course = make_course(session, lessons=lessons or ("Flour", "Water"), published=True)
    for lesson in course.chapters[0].lessons:
        lesson.text, lesson.text_html = TEXT, markdown.render(TEXT)
    return course


def opened(school: School, browser: Browser, course: Course, path: str = "") -> Page:
    page = school.visitor(browser)
    school.sign_in(page, course.instructor.email, f"/studio/{course.public_id}{path}")
    return page


def test_a_summary_is_streamed_edited_approved_and_read_by_a_student(
    school: School, browser: Browser, router: OpenRouter
) -> None:
    with school.session() as session:
        course = make_taught(session)
        student = make_user(session)
        enrol(session, student, course)
        lesson = course.chapters[0].lessons[0].public_id
    router.does({"kind": "stream", "text": SUMMARY, "pause": 0.08})
    page = opened(school, browser, course, f"?lesson={lesson}")
    text = page.get_by_label("What students read above the lesson")
    expect(page.get_by_text("Writing costs at most")).to_be_visible()

    page.get_by_role("button", name="Write with AI").click()
    expect(page.get_by_text("Writing…")).to_be_visible()
    expect(text).to_have_value(SUMMARY)
    expect(page.get_by_text("Draft, only you see it")).to_be_visible()
    expect(page.get_by_text("It cost 0.04 cents.")).to_be_visible()

    reader = school.visitor(browser)
    school.sign_in(reader, student.email, f"/learn/{course.slug}/{lesson}")
    expect(reader.get_by_role("heading", name="Flour", level=1)).to_be_visible()
    expect(reader.get_by_role("region", name="Summary")).to_have_count(0)

    text.fill("Flour holds the loaf together. <b>Choose</b> it well.")
    page.get_by_role("button", name="Approve summary").click()
    expect(page.get_by_text("Students see this")).to_be_visible()

    reader.reload()
    summary = reader.get_by_role("region", name="Summary")
    expect(summary).to_contain_text("Flour holds the loaf together. <b>Choose</b> it well.")
    expect(summary).to_be_visible()

    page.get_by_label("Title").fill("Strong flour")
    expect(page.get_by_text("The lesson has changed since")).to_be_visible()
    assert school.faults() == []


def test_an_answer_that_breaks_off_is_said_and_what_stood_there_stays(
    school: School, browser: Browser, router: OpenRouter
) -> None:
    with school.session() as session:
        course = make_taught(session)
        lesson = course.chapters[0].lessons[0].public_id
    page = opened(school, browser, course, f"?lesson={lesson}")
    text = page.get_by_label("What students read above the lesson")
    text.fill("My own words.")
    expect(page.get_by_text("Draft, only you see it")).to_be_visible()

    router.does("cut")
    page.get_by_role("button", name="Write again with AI").click()

    expect(page.get_by_role("alert")).to_contain_text("broke off")
    expect(text).to_have_value("My own words.")
    router.does({"kind": "stream", "text": "word " * 200, "pause": 0.05})
    page.get_by_role("button", name="Write again with AI").click()
    page.get_by_role("button", name="Stop").click()
    expect(text).to_have_value("My own words.")
    page.reload()
    expect(text).to_have_value("My own words.")


def test_all_lessons_are_summarised_while_one_watches_and_approved_in_the_list(
    school: School, browser: Browser, router: OpenRouter
) -> None:
    with school.session() as session:
        course = make_taught(session, "Flour", "Water", "Salt")
    page = opened(school, browser, course)
    page.get_by_role("link", name="Summaries").click()
    expect(page.get_by_text("3 lessons can be summarised. This costs at most")).to_be_visible()
    slow: dict[str, object] = {"kind": "stream", "pause": 0.06}
    router.does(slow, slow, slow)

    page.get_by_role("button", name="Summarise all lessons of this course").click()

    expect(page.get_by_role("progressbar", name="Lessons summarised")).to_be_visible()
    expect(page.get_by_text("Done: 3 drafts for 0.12 cents.")).to_be_visible(timeout=20_000)
    page.get_by_role("button", name="Approve summary of Flour").click()
    expect(page.get_by_text("Students see it", exact=True)).to_have_count(1)
    expect(page.get_by_role("button", name="Approve summary of Water")).to_be_visible()
    assert school.faults() == []
