"""What a visitor's browser may have to fetch. docs/performance.md."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from luma.models.course import Course
from tests.bench import seed, sockets, visits
from tests.bench.processes import Served
from tests.bench.visits import Visit, Wanted
from tests.browser.school import School

FRAME = {"q-layout", "q-page-container", "q-page"}
STUDENT = seed.student(0)

FETCHED = """() => {
  const files = performance.getEntriesByType("resource");
  const of = (kind) => files.filter((file) => new URL(file.name).pathname.endsWith(kind));
  return [of(".css").map((file) => file.responseEnd), of(".js").map((file) => file.startTime)];
}"""
"""When stylesheets had come, and when scripts were asked for."""


@pytest.fixture(scope="module")
def full(school: School) -> School:
    """A school of thirty courses, two of them long."""
    with school.session() as session:
        seed.school(session, 30)
    return school


@pytest.fixture
def lesson(full: School) -> str:
    with full.session() as session:
        return seed.first_lesson(session, seed.SHORT)[0]


@pytest.fixture
def studio(full: School) -> str:
    with full.session() as session:
        course = session.scalar(select(Course.public_id).where(Course.slug == seed.LONG))
    return f"/studio/{course}"


@pytest.fixture
def student(full: School, browser: Browser) -> Iterator[Page]:
    page = full.visitor(browser)
    page.context.add_cookies([{"name": "luma", "value": seed.token(STUDENT), "url": full.url}])
    yield page
    page.context.close()


def visited(school: School, browser: Browser, path: str, email: str | None = None) -> list[Visit]:
    """A first visit and a repeated one. No CPU is measured here, so no process is named."""
    served = Served(school.url, 0, 0)
    with visits.tab(browser, served, Wanted("h1"), email) as tab:
        return [tab.visit(path), tab.visit(path)]


def tags(source: str) -> list[str]:
    return [str(element["tag"]) for element in sockets.read(source).elements.values()]


@pytest.mark.parametrize("path", ["/", "/courses/course-6"])
def test_a_shop_page_is_small_and_nothing_in_it_jumps(
    full: School, browser: Browser, path: str
) -> None:
    first, _ = visited(full, browser, path)

    assert first.kilobytes <= 60
    assert first.requests <= 8
    assert first.script_kilobytes <= 15
    assert first.shift == 0


def test_a_classroom_fetches_little_at_first_and_next_to_nothing_again(
    full: School, browser: Browser, lesson: str
) -> None:
    first, again = visited(full, browser, lesson, STUDENT)

    assert first.kilobytes <= 160
    assert first.requests <= 12
    assert first.shift == 0
    assert again.kilobytes <= 12
    assert again.requests <= 3


def test_a_classroom_is_few_elements_and_no_widget_of_quasar(student: Page, lesson: str) -> None:
    answer = student.request.get(lesson)

    found = tags(answer.text())

    assert len(found) <= 20
    assert {tag for tag in found if tag.startswith("q-")} <= FRAME


def test_an_editor_of_six_hundred_lessons_is_few_elements(
    full: School, browser: Browser, studio: str
) -> None:
    page = full.visitor(browser)
    page.context.add_cookies([{"name": "luma", "value": seed.token(seed.TEACHER), "url": full.url}])

    found = tags(page.request.get(studio).text())

    assert len(found) <= 120
    page.context.close()


def test_a_classroom_fetches_no_script_before_its_text_can_be_painted(
    full: School, student: Page, lesson: str
) -> None:
    student.goto(full.url + lesson)
    expect(student.locator("#paper")).to_have_count(0)

    styled, scripted = student.evaluate(FETCHED)

    assert scripted
    assert min(scripted) >= max(styled)


def test_a_classroom_without_quasar_has_its_toasts(student: Page, lesson: str) -> None:
    student.goto(lesson)
    student.wait_for_function("window.did_handshake")
    options = "{ message: 'The lesson has moved.', type: 'warning', closeBtn: 'Close', timeout: 0 }"

    student.evaluate(f"void Quasar.Notify.create({options})")

    toast = student.get_by_text("The lesson has moved.")
    expect(toast).to_be_visible()
    student.locator(".toasts").get_by_role("button", name="Close").click()
    expect(toast).to_have_count(0)


@pytest.mark.parametrize(
    ("chosen", "paper"), [("light", "rgb(250, 249, 246)"), ("dark", "rgb(19, 19, 22)")]
)
def test_a_page_has_the_chosen_colours_before_any_script(
    full: School, browser: Browser, lesson: str, chosen: str, paper: str
) -> None:
    page = full.visitor(
        browser, java_script_enabled=False, color_scheme="light" if chosen == "dark" else "dark"
    )
    for name, value in (("luma", seed.token(STUDENT)), ("theme", chosen)):
        page.context.add_cookies([{"name": name, "value": value, "url": full.url}])

    page.goto(lesson)

    expect(page.locator("body")).to_have_css("background-color", paper)
    page.context.close()
