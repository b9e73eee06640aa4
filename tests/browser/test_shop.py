"""Stories of people who look around in the shop window, with scripts and without."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from luma.models.course import Course
from luma.services import search
from luma.values import Money, Subject
from tests.browser.school import School
from tests.factories import make_course

TITLES = ("Crème brûlée", "Vectors", "Git in a calm afternoon")
PHONE = {"width": 390, "height": 844}
NARROW = {"width": 320, "height": 640}
CHOSEN = "document.documentElement.dataset.theme"


@pytest.fixture(scope="module")
def courses(school: School) -> list[Course]:
    """The newest first: 30 of them, the three named ones on top; the second one is free."""
    made = []
    with school.session() as session:
        for title in (*(f"Course {number}" for number in range(27)), *reversed(TITLES)):
            price = Money(0 if title == "Vectors" else 4900, "usd")
            course = make_course(session, title, price=price, published=True)
            course.subject = Subject.MATHEMATICS if title == "Vectors" else Subject.CRAFT
            course.chapters[0].lessons[0].is_preview = True
            search.refresh(session, course)
            made.append(course)
    return made[::-1]


@pytest.fixture
def page(school: School, browser: Browser, courses: list[Course]) -> Iterator[Page]:
    page = school.visitor(browser)
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.route(re.compile("youtube"), lambda route: route.fulfill(body="<p>A film</p>"))
    yield page
    assert complaints == []


@pytest.fixture
def plain(school: School, browser: Browser, courses: list[Course]) -> Page:
    """A browser with scripts off, on a phone."""
    page = school.visitor(browser, java_script_enabled=False, viewport=PHONE)
    page.route(re.compile("youtube"), lambda route: route.fulfill(body="<p>A film</p>"))
    return page


def cards(page: Page) -> list[str]:
    return page.locator("[data-cards] h2").all_inner_texts()


def count(page: Page) -> Locator:
    return page.locator("[data-count]")


def test_search_answers_while_typing_and_the_address_follows(page: Page) -> None:
    page.goto("/")
    loads: list[str] = []
    page.on("load", lambda loaded: loads.append(loaded.url))

    page.get_by_role("searchbox", name="Search courses").press_sequentially("creme br")

    expect(count(page)).to_have_text("1 of 1 course for “creme br”")
    assert cards(page) == ["Crème brûlée"]
    expect(page).to_have_url(re.compile(r"/\?q=creme\+br$"))
    expect(page.get_by_role("searchbox")).to_be_focused()
    assert loads == []


def test_filters_add_up_and_the_back_button_takes_them_off(page: Page) -> None:
    page.goto("/")
    page.get_by_role("link", name="Mathematics").click()
    expect(page).to_have_url(re.compile(r"/\?subject=mathematics$"))
    page.get_by_role("link", name="Free", exact=True).click()
    expect(page).to_have_url(re.compile(r"subject=mathematics&price=free$"))
    expect(count(page)).to_have_text("1 of 1 course")
    assert cards(page) == ["Vectors"]
    expect(page.get_by_role("link", name="Free", exact=True)).to_be_focused()
    expect(page.get_by_role("status").filter(has_text="1 of 1 course")).to_have_count(1)

    page.go_back()
    page.go_back()

    expect(count(page)).to_have_text("24 of 30 courses")
    expect(page.get_by_role("link", name="All", exact=True)).to_have_attribute(
        "aria-current", "true"
    )


def test_filters_pressed_before_the_answer_is_there_add_up_too(page: Page) -> None:
    page.goto("/")
    held: list[Route] = []
    page.route(re.compile("subject="), lambda route: held.append(route), times=1)  # noqa: PLW0108

    page.get_by_role("link", name="Mathematics").click()
    page.get_by_role("link", name="Free", exact=True).click()

    expect(page).to_have_url(re.compile(r"/\?subject=mathematics&price=free$"))
    expect(count(page)).to_have_text("1 of 1 course")
    assert cards(page) == ["Vectors"]


def test_more_courses_join_those_on_the_page(page: Page) -> None:
    page.goto("/")
    expect(count(page)).to_have_text("24 of 30 courses")

    page.get_by_role("link", name="Load more").click()

    expect(count(page)).to_have_text("30 of 30 courses")
    assert len(cards(page)) == 30
    expect(page.get_by_role("link", name="Load more")).to_have_count(0)
    expect(page.locator("[data-cards] a").nth(24)).to_be_focused()
    page.reload()
    assert len(cards(page)) == 30


def test_a_search_that_fails_can_be_tried_again(page: Page) -> None:
    page.goto("/")
    page.evaluate("() => { window.kept = fetch; window.fetch = () => Promise.reject(Error()) }")
    page.get_by_role("searchbox").fill("git")
    expect(page.get_by_role("heading", name="The courses did not load")).to_be_visible()

    page.evaluate("() => { window.fetch = window.kept }")
    page.get_by_role("button", name="Try again").click()

    expect(count(page)).to_have_text("1 of 1 course for “git”")


def test_the_slash_key_goes_to_the_search(page: Page) -> None:
    page.goto("/")

    page.keyboard.press("/")

    expect(page.get_by_role("searchbox")).to_be_focused()
    expect(page.get_by_role("searchbox")).to_have_value("")


def test_a_free_lesson_plays_in_place(page: Page, courses: list[Course]) -> None:
    page.goto(f"/courses/{courses[0].slug}")
    assert page.locator("iframe").count() == 0

    page.get_by_role("link", name="Flour").click()

    expect(page.frame_locator(".outline iframe").get_by_text("A film")).to_be_visible()
    expect(page).to_have_url(re.compile(f"/courses/{courses[0].slug}$"))
    page.get_by_role("link", name="Preview this course").click()
    expect(page.locator("iframe")).to_have_count(1)
    expect(page.locator(".outline iframe")).to_have_count(0)


def test_chapters_open_together(page: Page, courses: list[Course]) -> None:
    page.goto(f"/courses/{courses[0].slug}")
    first = page.locator(".outline details").first
    expect(first).to_have_attribute("open", "")

    first.locator("summary").click()

    expect(page.get_by_role("link", name="Flour")).to_be_hidden()


def test_light_or_dark_is_remembered(page: Page) -> None:
    page.goto("/")
    assert page.evaluate(CHOSEN) is None

    page.get_by_role("button", name="Light or dark").click()
    page.reload()

    assert page.evaluate(CHOSEN) == "dark"
    body = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert body == "rgb(19, 19, 22)"


def test_the_menu_of_a_signed_in_student(school: School, page: Page) -> None:
    school.sign_up(page, "Mona Menu", "mona@example.org")
    page.goto("/")

    page.locator("summary", has_text="Mona Menu").click()

    expect(page.get_by_role("link", name="Orders")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Orders")).to_be_hidden()
    page.locator("summary", has_text="Mona Menu").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("You are signed out.")).to_be_visible()


def test_without_scripts_people_search_filter_and_turn_pages(plain: Page) -> None:
    plain.goto("/")
    plain.get_by_role("searchbox").fill("CREME")
    plain.get_by_role("button", name="Search").click()
    assert cards(plain) == ["Crème brûlée"]
    plain.get_by_role("link", name="Paid").click()
    expect(plain).to_have_url(re.compile(r"/\?q=CREME&price=paid$"))

    plain.goto("/")
    plain.get_by_role("link", name="Load more").click()

    assert len(cards(plain)) == 30
    expect(plain.get_by_role("button", name="Light or dark")).to_be_hidden()


def test_without_scripts_a_free_lesson_plays_too(plain: Page, courses: list[Course]) -> None:
    plain.goto(f"/courses/{courses[0].slug}")

    plain.get_by_role("link", name="Preview this course").click()

    expect(plain.frame_locator("iframe").get_by_text("A film")).to_be_visible()


def test_without_scripts_a_stranger_who_buys_is_asked_who_they_are(
    plain: Page, courses: list[Course]
) -> None:
    plain.goto(f"/courses/{courses[0].slug}")

    plain.get_by_role("button", name="Buy for $49").last.click()

    expect(plain).to_have_url(re.compile("/sign-up"))
    expect(plain.get_by_label("I want to learn")).to_be_checked()


WHERE = ("/", "/?q=nothing+like+it", "COURSE", "/sign-in", "/sign-up", "/not-there")

UNNAMED = """() => {
  const seen = (e) => e.checkVisibility({visibilityProperty: true}) && e.getClientRects().length;
  const label = (e) => e.labels?.[0]?.innerText || e.getAttribute('aria-label') || '';
  const wrong = [];
  for (const e of document.querySelectorAll('a, button, summary')) {
    if (!seen(e)) continue;
    const words = e.innerText.trim();
    const name = e.getAttribute('aria-label');
    if (!words && !name) wrong.push('no name: ' + e.outerHTML.slice(0, 80));
    if (words && name && !name.includes(words)) wrong.push('other name: ' + name);
  }
  for (const e of document.querySelectorAll('input:not([type=hidden]), select, textarea'))
    if (seen(e) && !label(e)) wrong.push('no label: ' + e.name);
  for (const e of document.querySelectorAll('img:not([alt]), iframe:not([title])'))
    wrong.push('no text: ' + e.tagName);
  const ids = [...document.querySelectorAll('[id]')].map((e) => e.id);
  if (new Set(ids).size < ids.length) wrong.push('an id twice');
  if (document.querySelectorAll('h1').length !== 1) wrong.push('not one h1');
  if (document.querySelectorAll('main').length !== 1) wrong.push('not one main');
  if (!document.documentElement.lang || !document.title) wrong.push('no language or title');
  let last = 0;
  for (const e of document.querySelectorAll('h1, h2, h3, h4')) {
    const level = Number(e.tagName[1]);
    if (level > last + 1) wrong.push('a level of headings is left out: ' + e.innerText);
    last = level;
  }
  return wrong;
}"""


@pytest.mark.parametrize("where", WHERE)
def test_everything_has_a_name(
    school: School, browser: Browser, courses: list[Course], where: str
) -> None:
    page = school.visitor(browser)

    page.goto(where.replace("COURSE", f"/courses/{courses[0].slug}"))

    assert page.evaluate(UNNAMED) == []


@pytest.mark.parametrize("where", WHERE)
def test_nothing_scrolls_sideways_and_fingers_can_press(
    school: School, browser: Browser, courses: list[Course], where: str
) -> None:
    page = school.visitor(browser, viewport=NARROW, has_touch=True)

    page.goto(where.replace("COURSE", f"/courses/{courses[0].slug}"))

    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    small = page.evaluate(
        "[...document.querySelectorAll('.button, .chip, .choice, .lesson-row, summary, input')]"
        ".filter((e) => e.type !== 'radio' && e.type !== 'hidden' && e.checkVisibility()"
        " && !e.matches('.skip') && e.getBoundingClientRect().height < 44)"
        ".map((e) => e.outerHTML.slice(0, 80))"
    )
    assert small == []


@pytest.mark.parametrize("where", WHERE)
def test_nothing_moves_while_a_page_loads(
    school: School, browser: Browser, courses: list[Course], where: str
) -> None:
    page = school.visitor(browser)
    page.add_init_script(
        "window.moved = 0; new PerformanceObserver((list) => {"
        " for (const shift of list.getEntries()) window.moved += shift.value;"
        "}).observe({type: 'layout-shift', buffered: true})"
    )

    page.goto(where.replace("COURSE", f"/courses/{courses[0].slug}"), wait_until="networkidle")

    assert page.evaluate("window.moved") == 0
