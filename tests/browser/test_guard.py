"""The guard around the real school: every page keeps its policy, and old pages end."""

from collections import Counter
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from luma.services import demo
from tests.browser.school import School

WATCH = """
    window.stopped = [];
    addEventListener('securitypolicyviolation', event =>
        stopped.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`));
"""
LINKS = """[...document.querySelectorAll('a[href]')]
    .filter(a => a.origin === location.origin && !a.pathname.startsWith('/images'))
    .map(a => a.pathname)
"""
ALIKE = 2
"""How many pages of one shape are looked at: one course is much like the next."""

STARTS = {
    None: ("/", "/sign-in", "/sign-up", "/nothing-here"),
    "jun": ("/studio", "/", "/account", "/learn"),
    "sam": ("/learn", "/", "/orders", "/account", "/studio"),
    "ada": ("/admin", "/", "/account"),
}


@pytest.fixture(scope="module", autouse=True)
def _demo(school: School) -> None:
    with school.session() as session:
        demo.load(session)


@pytest.mark.parametrize("person", STARTS)
def test_no_page_breaks_its_content_policy(
    browser: Browser, school: School, person: str | None
) -> None:
    page = school.visitor(browser)
    page.add_init_script(WATCH)
    if person:
        _sign_in(page, demo.PEOPLE[person].email)

    broken = {path: found for path, found in _walk(page, [*STARTS[person]]) if found}

    assert broken == {}


def test_signing_out_in_one_tab_ends_the_other(browser: Browser, school: School) -> None:
    studio = school.visitor(browser)
    _sign_in(studio, demo.PEOPLE["jun"].email)
    studio.goto("/studio", wait_until="networkidle")
    other = studio.context.new_page()
    other.goto("/account", wait_until="networkidle")

    _sign_out(other)

    studio.wait_for_url("**/sign-in?next=/studio")
    assert "sign-in?next" not in other.url


def _walk(page: Page, waiting: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Each page that can be reached by links, with what its policy stopped."""
    shapes: Counter[str] = Counter()
    known = set(waiting)
    while waiting:
        path = waiting.pop(0)
        page.goto(path, wait_until="networkidle")
        yield path, page.evaluate("stopped")
        for link in page.evaluate(LINKS):
            shape = _shape(link)
            if link not in known and shapes[shape] < ALIKE:
                shapes[shape] += 1
                known.add(link)
                waiting.append(link)


def _shape(path: str) -> str:
    first, *rest = path.strip("/").split("/")
    return f"{first}/{len(rest)}"


def _sign_in(page: Page, email: str) -> None:
    page.goto("/sign-in")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(demo.PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: "/sign-in" not in url)


def _sign_out(page: Page) -> None:
    page.get_by_role("button", name="Sign out").first.click()
    page.wait_for_url(lambda url: "/account" not in url)
