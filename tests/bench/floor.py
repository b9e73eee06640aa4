"""The floor: the same pages of FastAPI, Jinja2 and SQLAlchemy, as plainly as they can be written.

No script, no design, no protection. Prints the port, then serves until it is ended.
"""

import hashlib
import socket
import sys
from collections.abc import Iterator
from itertools import groupby
from typing import Annotated, Any

import uvicorn
from fastapi import Depends, FastAPI, HTTPException, Request
from jinja2 import DictLoader, Environment
from markupsafe import Markup
from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import HTMLResponse, Response

from luma import db
from luma.models.course import Chapter, Course, Lesson
from luma.models.progress import Enrolment, LessonProgress
from luma.models.user import SignedIn, User
from luma.services import markdown
from luma.values import CourseStatus

STYLE = "body{font:16px/1.5 system-ui;max-width:60rem;margin:2rem auto}li{margin:.5rem 0}"
FRAME = (
    "<!doctype html><html lang=en><meta charset=utf-8><title>{{ title }}</title>"
    '<link rel=stylesheet href="/style.css"><h1>{{ title }}</h1>'
)
TEMPLATES = {
    "catalogue": FRAME
    + '<p>{{ total }} courses</p><ul>{% for one in courses %}<li><a href="/courses/{{ one.slug }}">'
    "{{ one.title }}</a> {{ one.name }} · {{ one.lessons }} lessons · {{ one.price_minor / 100 }}"
    "</li>{% endfor %}</ul>",
    "course": FRAME
    + "<p>{{ course.summary }}</p>{{ description }}{% for chapter, lessons in outline %}"
    "<h2>{{ chapter }}</h2><ol>{% for one in lessons %}<li>{{ one.title }} {{ one.duration }}</li>"
    "{% endfor %}</ol>{% endfor %}",
    "lesson": FRAME
    + '<div class=prose>{{ text }}</div><a id=next href="{{ following }}">Next lesson</a>'
    "{% for chapter, lessons in outline %}<h2>{{ chapter }}</h2><ol>{% for one in lessons %}"
    '<li><a href="/learn/{{ slug }}/{{ one.public_id }}">{{ one.title }}</a> {{ one.duration }}'
    "{% if one.completed_at %} ✓{% endif %}</li>{% endfor %}</ol>{% endfor %}",
}

app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
app.add_middleware(GZipMiddleware, minimum_size=500, compresslevel=5)
pages = Environment(loader=DictLoader(TEMPLATES), autoescape=True)


def _session() -> Iterator[Session]:
    with db.unit_of_work() as session:
        yield session


Database = Annotated[Session, Depends(_session)]


@app.get("/style.css")
def style() -> Response:
    return Response(STYLE, media_type="text/css", headers={"Cache-Control": "max-age=31536000"})


@app.get("/")
def catalogue(session: Database) -> HTMLResponse:
    on_sale = Course.status == CourseStatus.PUBLISHED
    lessons = (
        select(func.count())
        .select_from(Lesson)
        .join(Chapter, Chapter.id == Lesson.chapter_id)
        .where(Chapter.course_id == Course.id)
        .scalar_subquery()
    )
    newest = (
        select(Course.slug, Course.title, Course.price_minor, User.name, lessons.label("lessons"))
        .join(User, User.id == Course.instructor_id)
        .where(on_sale)
        .order_by(Course.published_at.desc())
        .limit(24)
    )
    total = session.scalar(select(func.count()).select_from(Course).where(on_sale))
    courses = session.execute(newest).all()
    return _page("catalogue", title="Courses", courses=courses, total=total)


@app.get("/courses/{slug}")
def course(session: Database, slug: str) -> HTMLResponse:
    found = session.scalars(select(Course).where(Course.slug == slug)).one_or_none()
    if found is None:
        raise HTTPException(404)
    outline = _outline(session, found.id, 0)
    text = Markup(markdown.render(found.description))
    return _page("course", title=found.title, course=found, description=text, outline=outline)


@app.get("/learn/{slug}/{lesson}")
def lesson(session: Database, request: Request, slug: str, lesson: str) -> HTMLResponse:
    token = request.cookies.get("luma", "")
    course = session.execute(
        select(Course.id, User.id.label("student_id"))
        .join(Enrolment, Enrolment.course_id == Course.id)
        .join(User, User.id == Enrolment.student_id)
        .join(SignedIn, SignedIn.user_id == User.id)
        .where(Course.slug == slug, SignedIn.token_hash == hashlib.sha256(token.encode()).digest())
    ).one_or_none()
    found = session.scalars(select(Lesson).where(Lesson.public_id == lesson)).one_or_none()
    if course is None or found is None:
        raise HTTPException(404)
    outline = _outline(session, course.id, course.student_id)
    ids = [one.public_id for _, lessons in outline for one in lessons]
    following = f"/learn/{slug}/{ids[(ids.index(lesson) + 1) % len(ids)]}"
    text = Markup(found.text_html)
    return _page(
        "lesson", title=found.title, text=text, outline=outline, slug=slug, following=following
    )


def _outline(session: Session, course_id: int, student_id: int) -> list[tuple[str, list[Row[Any]]]]:
    rows = session.execute(
        select(Chapter.title.label("chapter"), Lesson.public_id, Lesson.title, Lesson.duration)
        .add_columns(LessonProgress.completed_at)
        .join(Lesson, Lesson.chapter_id == Chapter.id)
        .outerjoin(
            LessonProgress,
            (LessonProgress.lesson_id == Lesson.id) & (LessonProgress.student_id == student_id),
        )
        .where(Chapter.course_id == course_id)
        .order_by(Chapter.position, Lesson.position)
    )
    return [(title, list(lessons)) for title, lessons in groupby(rows, lambda row: row[0])]


def _page(name: str, **context: object) -> HTMLResponse:
    return HTMLResponse(pages.get_template(name).render(**context))


def main() -> None:
    door = socket.create_server(("127.0.0.1", 0), backlog=2048)
    sys.stdout.write(f"{door.getsockname()[1]}\n")
    sys.stdout.flush()
    uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False)).run(sockets=[door])


if __name__ == "__main__":
    main()
