"""Every event that a NiceGUI page listens to gets arguments it was not made for.

A page that lives on after all of them, and a log without a fault, is what is asked for.
"""

import html
import json
import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Response, Route, expect

from luma.pages.feedback import APOLOGY
from tests.bad_values import BAD_JSON
from tests.browser.school import School
from tests.factories import enrol, make_course, make_user

AT_ONCE = 40
"""Under what the guard lets through without slowing down."""


class Wire:
    """What a page was told by the server: which elements listen to what."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.listeners: dict[str, int] = {}
        self._documents: list[Response] = []
        page.on("response", self._keep)
        page.on("websocket", lambda socket: socket.on("framereceived", self._frame))

    def read(self) -> None:
        """Take in the page's own HTML; what came by the socket is there already."""
        found = re.search(
            r"parseElements\(String\.raw`(.*?)`\)", self._documents[-1].text(), re.DOTALL
        )
        assert found
        self._note(json.loads(html.unescape(found.group(1))))

    def _keep(self, response: Response) -> None:
        if response.request.resource_type == "document":
            self._documents.append(response)

    def _frame(self, frame: str | bytes) -> None:
        if isinstance(frame, str) and frame.startswith('42["update"'):
            self._note(json.loads(frame[2:])[1])

    def _note(self, elements: dict[str, Any]) -> None:
        for number, element in elements.items():
            for event in (element or {}).get("events", []) if number.isdigit() else []:
                self.listeners[event["listener_id"]] = int(number)

    def send(self, events: list[tuple[int, str, object]]) -> None:
        """As the page's own script would; at the pace that the guard lets through."""
        for start in range(0, len(events), AT_ONCE):
            self.page.evaluate(
                """(events) => events.forEach(([id, listener_id, value]) =>
                    window.socket.emit("event", {
                        id, client_id: window.clientId, listener_id, args: [JSON.stringify(value)],
                    }))""",
                events[start : start + AT_ONCE],
            )
            self.page.wait_for_timeout(1100)


@pytest.fixture(scope="module")
def people(school: School) -> dict[str, str]:
    """A student and a teacher, and where each works."""
    with school.session() as session:
        course = make_course(session, published=True)
        student = make_user(session, "Sam")
        enrol(session, student, course)
        lesson = course.chapters[0].lessons[0].public_id
        return {
            "/account": student.email,
            "/studio": course.instructor.email,
            f"/studio/{course.public_id}": course.instructor.email,
            f"/learn/{course.slug}/{lesson}": student.email,
            f"/studio/{course.public_id}/feedback": course.instructor.email,
            f"/studio/{course.public_id}/feedback/form": course.instructor.email,
            f"/studio/{course.public_id}/summaries": course.instructor.email,
            f"/studio/{course.public_id}/insights": course.instructor.email,
        }


@pytest.mark.parametrize(
    "place",
    range(8),
    ids=[
        *("account", "my courses", "editor", "classroom", "feedback", "feedback form"),
        *("summaries", "insights"),
    ],
)
def test_no_event_breaks_a_page(
    school: School, browser: Browser, people: dict[str, str], place: int
) -> None:
    path, email = list(people.items())[place]
    page = school.visitor(browser)
    wire = Wire(page)
    school.sign_in(page, email, path)
    expect(page.get_by_role("heading", level=1).first).to_be_visible()
    page.wait_for_function("window.did_handshake")
    if page.get_by_role("treeitem", name="Flour").count():
        page.get_by_role("treeitem", name="Flour").click()
        expect(page.get_by_role("form", name="Lesson")).to_be_visible()
    wire.read()
    listeners = dict(wire.listeners)
    assert listeners
    page.route("**/*", stay)

    values = [*worse(), *(wishes() if path == "/account" else ())]
    wire.send([(element, name, value) for name, element in listeners.items() for value in values])
    page.wait_for_timeout(2000)

    expect(page.get_by_text(APOLOGY)).to_have_count(0)
    assert school.faults() == []
    page.unroute("**/*", stay)
    page.goto(path)
    expect(page.get_by_role("heading", level=1).first).to_be_visible()


def stay(route: Route) -> None:
    """Some events lead on to another page: an answer without content keeps this one."""
    if route.request.is_navigation_request():
        route.fulfill(status=204)
    else:
        route.continue_()


def worse() -> list[object]:
    """Bad values, bare and in the place of each key that our events have."""
    keys = ("id", "lesson", "chapter", "kind", "title", "index", "course", "name", "revision")
    more = ("question", "prompt", "options", "required", "place", "page")
    short = [value for value in BAD_JSON if len(str(value)) < 20_000]
    acts = [
        {**dict.fromkeys((*keys, *more), value), "act": act}
        for act in ("write", "move", "remove")
        for value in short[::12]
    ]
    return [*short[::9], *(dict.fromkeys((*keys, *more), value) for value in short[::4]), *acts]


def wishes() -> list[object]:
    """What a board says, with bad values in it."""
    short = [value for value in BAD_JSON if len(str(value)) < 20_000][::4]
    saved = [{"act": "save", "thing": "", "fields": {"name": v, "about": v}} for v in short]
    ended = [{"act": "end", "thing": value, "fields": {}} for value in short]
    return [*saved, *ended, {"act": "save", "thing": "", "fields": None}]
