"""Reviews and feedback as any program sends them: the wrong person, the wrong words."""

import json
import re
from collections.abc import AsyncIterator
from urllib.parse import quote

import httpx
import pytest
from fastapi import FastAPI, Request
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from starlette.responses import Response

from luma.errors import LumaError
from luma.models.course import Course
from luma.models.feedback import FeedbackSheet
from luma.models.review import Review, ReviewReport, ReviewVote
from luma.models.user import User
from luma.pages import assets
from luma.pages.session import WhoIsLooking
from luma.pages.shop import course as course_pages
from luma.pages.shop import feedback_sheet
from luma.pages.shop import reviews as review_pages
from luma.pages.shop.errors import error_page
from luma.pages.studio import feedback as studio_feedback
from luma.services import accounts, reviews
from luma.services.accounts import Visit
from luma.services.feedback import sheets
from tests.bad_values import BAD_TEXT
from tests.factories import actor, enrol, make_instructor, make_user
from tests.services.learners import learning_course, lessons_of

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
HOSTILE = '</script><script>alert(1)</script> & "quotes" {{ 7*7 }} \' <b>'


@pytest.fixture
async def web(session: Session) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI(openapi_url=None)
    for router in (
        course_pages.router,
        review_pages.router,
        feedback_sheet.router,
        studio_feedback.downloads,
        assets.router,
    ):
        app.include_router(router)
    app.add_middleware(WhoIsLooking)

    @app.exception_handler(LumaError)
    def _refused(request: Request, error: LumaError) -> Response:
        return error_page(request, error.status, str(error))

    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080") as client:
        yield client


@pytest.fixture
def course(session: Session) -> Course:
    """With one review, by somebody who is not signed in."""
    course, bea = learning_course(session)
    reviews.write(session, actor(bea), course.slug, 4, "Good bread.")
    return course


def review_id(session: Session) -> str:
    return session.scalars(select(Review.public_id)).first() or pytest.fail("no review")


def signed_in(session: Session, web: httpx.AsyncClient, user: User) -> None:
    web.cookies.set("luma", accounts.open_session(session, user.id, Visit("127.0.0.1", "test")))
    session.flush()


def student(session: Session, web: httpx.AsyncClient, course: Course) -> User:
    user = make_user(session, "Sam Rivera")
    enrol(session, user, course)
    signed_in(session, web, user)
    return user


def encoded(form: dict[str, str]) -> bytes:
    parts = (f"{k}={quote(v.encode('utf-8', 'surrogatepass'), safe='')}" for k, v in form.items())
    return "&".join(parts).encode()


async def test_nobody_does_anything_without_signing_in(
    session: Session, web: httpx.AsyncClient, course: Course
) -> None:
    review, slug = review_id(session), course.slug
    lesson = lessons_of(course)[0].public_id

    for path in (
        f"/courses/{slug}/review",
        f"/courses/{slug}/review/remove",
        f"/courses/{slug}/review/later",
        f"/reviews/{review}/report",
        f"/reviews/{review}/helpful",
        f"/reviews/{review}/reply",
        f"/learn/{slug}/feedback",
        f"/learn/{lesson}/feedback",
    ):
        answer = await web.post(path, data={"stars": "5", "reason": "spam", "helpful": "yes"})
        assert answer.status_code == 401, path
    assert (await web.get(f"/studio/{course.public_id}/feedback.csv")).status_code == 401

    for table in (ReviewReport, ReviewVote, FeedbackSheet):
        assert session.scalar(select(func.count()).select_from(table)) == 0


async def test_the_wrong_person_is_refused(
    session: Session, web: httpx.AsyncClient, course: Course
) -> None:
    review, slug = review_id(session), course.slug
    signed_in(session, web, make_instructor(session, "Somebody Else"))

    for path, status in (
        (f"/courses/{slug}/review", 403),
        (f"/learn/{slug}/feedback", 403),
        (f"/learn/{lessons_of(course)[0].public_id}/feedback", 403),
        (f"/reviews/{review}/reply", 404),
        ("/reviews/rev_nothing/reply", 404),
    ):
        answer = await web.post(path, data={"stars": "5", "text": "Mine now."})
        assert answer.status_code == status, path
    foreign = await web.get(f"/studio/{course.public_id}/feedback.csv")
    assert foreign.status_code == 404
    assert "Mine now." not in (await web.get(f"/courses/{slug}")).text


async def test_every_bad_value_is_answered_with_a_page(
    session: Session, web: httpx.AsyncClient, course: Course
) -> None:
    sam = student(session, web, course)
    review = review_id(session)
    asked = sheets.sheet(session, actor(sam), course.slug).questions
    good_sheet = {asked[0].id: "5", asked[1].id: "5", asked[2].id: "Words.", "anonymous": "yes"}
    forms = {
        f"/courses/{course.slug}/review": {"stars": "4", "text": "Good."},
        f"/reviews/{review}/report": {"reason": "spam", "note": "Look."},
        f"/reviews/{review}/helpful": {"helpful": "yes"},
        f"/reviews/{review}/reply": {"text": "No."},
        f"/learn/{course.slug}/feedback": good_sheet,
    }

    for path, form in forms.items():
        for field in form:
            for bad in [value for value in BAD_TEXT if len(value) < 20_000][::2]:
                answer = await web.post(path, content=encoded({**form, field: bad}), headers=FORM)
                assert answer.status_code < 500, f"{path} {field} = {bad[:40]!r}"
                assert "<script>alert" not in answer.text


async def test_a_field_nobody_asked_for_is_told(
    session: Session, web: httpx.AsyncClient, course: Course
) -> None:
    sam = student(session, web, course)
    asked = sheets.sheet(session, actor(sam), course.slug).questions

    answer = await web.post(
        f"/learn/{course.slug}/feedback",
        data={asked[0].id: "5", asked[1].id: "4", "qst_unknown": "x"},
    )

    assert answer.status_code == 409
    assert "The questions have changed meanwhile." in answer.text
    assert re.search(rf'name="{asked[1].id}" value="4" checked', answer.text)


async def test_a_part_is_answered_to_a_part(
    session: Session, web: httpx.AsyncClient, course: Course
) -> None:
    student(session, web, course)
    path = f"/courses/{course.slug}/review"

    form = await web.get(path, headers={"X-Part": "form"})
    wrong = await web.post(path, data={"stars": "9"}, headers={"X-Part": "form"})
    right = await web.post(path, data={"stars": "5"}, headers={"X-Part": "form"})

    for answer in (form, wrong, right):
        assert "<html" not in answer.text
    assert (wrong.status_code, right.status_code) == (409, 200)
    assert "from 1 to 5" in wrong.text
    assert "Your review is saved." in right.text


async def test_hostile_words_stay_words_on_the_page_and_in_the_structured_data(
    session: Session, web: httpx.AsyncClient, course: Course
) -> None:
    for name in ("<i>Eve</i> Adams", "Zoë"):
        user = make_user(session, name)
        enrol(session, user, course)
        reviews.write(session, actor(user), course.slug, 5, HOSTILE)

    page = (await web.get(f"/courses/{course.slug}")).text

    assert "<script>alert" not in page
    assert "<i>Eve" not in page
    found = re.search(r'<script type="application/ld\+json"[^>]*>(.*?)</script>', page)
    assert found
    told = json.loads(found.group(1))
    assert told["aggregateRating"]["ratingValue"] == "4.7"
    assert told["aggregateRating"]["ratingCount"] == 3
    assert {review["reviewBody"] for review in told["review"]} == {HOSTILE, "Good bread."}
    assert {review["author"]["name"] for review in told["review"]} == {
        "Anna B.",
        "Zoë",
        "<i>Eve</i> A.",
    }


async def test_few_reviews_are_no_average_for_anybody(
    web: httpx.AsyncClient, course: Course
) -> None:
    page = (await web.get(f"/courses/{course.slug}")).text

    assert "Good bread." in page
    assert "aggregateRating" not in page
    assert "rating-average" not in page


async def test_the_table_is_a_download(
    session: Session, web: httpx.AsyncClient, course: Course
) -> None:
    signed_in(session, web, course.instructor)

    answer = await web.get(f"/studio/{course.public_id}/feedback.csv")

    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="feedback.csv"'
    assert answer.content.startswith(b"\xef\xbb\xbfWeek of,")
