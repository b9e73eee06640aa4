"""My courses and the reports of players, as any program gets them."""

import json
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI, Request
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.responses import Response

from luma.errors import LumaError
from luma.models.course import Course
from luma.models.progress import LessonProgress
from luma.models.user import User
from luma.pages import assets, learn
from luma.pages.session import WhoIsLooking
from luma.pages.shop.errors import error_page
from luma.services import accounts, learning
from luma.services.accounts import Visit
from tests.bad_values import BAD_TEXT
from tests.factories import actor, enrol, make_course, make_user
from tests.services.learners import learning_course, lessons_of

GOOD = {"position": 120, "watched": [[0, 120]], "length": 600, "age": 0}


@pytest.fixture
async def web(session: Session) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI(openapi_url=None)
    app.include_router(learn.router)
    app.include_router(assets.router)
    app.add_middleware(WhoIsLooking)

    @app.exception_handler(LumaError)
    def _refused(request: Request, error: LumaError) -> Response:
        return error_page(request, error.status, str(error))

    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080") as client:
        yield client


async def test_my_courses_say_where_each_goes_on(session: Session, web: httpx.AsyncClient) -> None:
    course, anna = learning_course(session)
    _, water = lessons_of(course)
    learning.open_lesson(session, actor(anna), water.public_id)
    _sign_in(session, web, anna)
    await web.post(f"/learn/{water.public_id}/position", json=GOOD)

    page = await web.get("/learn")

    assert page.status_code == 200
    assert "Bread for beginners" in page.text
    assert "0 % · 0 of 2 lessons" in page.text
    assert "2:00" in page.text
    assert f'href="/learn/{course.slug}/{water.public_id}"' in page.text


async def test_without_courses_there_is_a_way_to_find_one(
    session: Session, web: httpx.AsyncClient
) -> None:
    _sign_in(session, web, make_user(session))

    page = await web.get("/learn")

    assert "Nothing here yet" in page.text
    assert "Find a course" in page.text


async def test_a_course_in_every_state_has_its_words(
    session: Session, web: httpx.AsyncClient
) -> None:
    done, anna = learning_course(session)
    for lesson in lessons_of(done):
        learning.complete_lesson(session, actor(anna), lesson.public_id)
    enrol(session, anna, make_course(session, "Not begun", published=True))
    enrol(session, anna, make_course(session, "Bare", lessons=(), published=True))
    _sign_in(session, web, anna)

    page = await web.get("/learn")

    for words in ("Finished", "100 % · 2 of 2 lessons", "Start", "This course has no lessons yet."):
        assert words in page.text


async def test_the_address_of_a_course_leads_to_its_lesson(
    session: Session, web: httpx.AsyncClient
) -> None:
    course, anna = learning_course(session)
    _, water = lessons_of(course)
    learning.open_lesson(session, actor(anna), water.public_id)
    _sign_in(session, web, anna)

    answer = await web.get(f"/learn/{course.slug}")

    assert answer.status_code == 303
    assert answer.headers["location"] == f"/learn/{course.slug}/{water.public_id}"


@pytest.mark.parametrize("path", ["/learn/nowhere", "/learn/%00", "/learn/" + "a" * 200])
async def test_a_course_that_is_not_there_is_not_found(
    session: Session, web: httpx.AsyncClient, path: str
) -> None:
    _sign_in(session, web, make_user(session))

    answer = await web.get(path)

    assert answer.status_code == 404


async def test_nobody_reports_without_signing_in(session: Session, web: httpx.AsyncClient) -> None:
    course, _ = learning_course(session)

    answer = await web.post(f"/learn/{lessons_of(course)[0].public_id}/position", json=GOOD)

    assert answer.status_code == 401
    assert session.scalars(select(LessonProgress)).all() == []


async def test_a_report_is_acknowledged_with_what_it_changed(
    session: Session, web: httpx.AsyncClient
) -> None:
    course, anna = learning_course(session)
    path = _reports_of(course)
    _sign_in(session, web, anna)

    first = await web.post(path, json=GOOD)
    second = await web.post(path, json={**GOOD, "watched": [[120, 600]]})

    assert first.json() == {"is_done": False, "just_done": False, "seen": 20}
    assert second.json() == {"is_done": True, "just_done": True, "seen": 100}


@pytest.mark.parametrize("field", ["position", "watched", "length", "age"])
async def test_a_bad_value_in_a_report_is_answered_with_a_sentence(
    session: Session, web: httpx.AsyncClient, field: str
) -> None:
    course, anna = learning_course(session)
    path = _reports_of(course)
    _sign_in(session, web, anna)

    texts = [text for text in BAD_TEXT if text != "0"]
    bad_values: list[object] = [*texts, None, {}, [[]], 2**63, -1]
    for bad in bad_values:
        answer = await web.post(path, content=_json({**GOOD, field: bad}))
        assert answer.status_code == 409, repr(bad)[:80]
        assert answer.json()["refusal"]

    assert session.scalars(select(LessonProgress)).all() == []


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000, b"[]", b"7", b"null"])
async def test_a_report_that_is_no_report_is_answered_with_a_sentence(
    session: Session, web: httpx.AsyncClient, body: bytes
) -> None:
    course, anna = learning_course(session)
    _sign_in(session, web, anna)

    answer = await web.post(_reports_of(course), content=body)

    assert answer.status_code == 409
    assert answer.json()["refusal"]


def _sign_in(session: Session, web: httpx.AsyncClient, user: User) -> None:
    web.cookies.set("luma", accounts.open_session(session, user.id, Visit("127.0.0.1", "test")))
    session.flush()


def _reports_of(course: Course) -> str:
    return f"/learn/{lessons_of(course)[0].public_id}/position"


def _json(value: object) -> bytes:
    """With half characters escaped, as a hostile program would send them."""
    return json.dumps(value).encode()
