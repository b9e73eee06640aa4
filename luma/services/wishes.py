"""What visitors look for, as statements: built once for each shape that a wish can have."""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Integer,
    Select,
    and_,
    bindparam,
    func,
    lateral,
    literal_column,
    select,
    true,
)
from sqlalchemy.sql.elements import SQLCoreOperations
from sqlalchemy.sql.selectable import LateralFromClause

from luma.models.course import Chapter, Course, Image, Lesson
from luma.models.user import User
from luma.services import search
from luma.values import CourseStatus, LessonStatus, Subject

Columns = tuple[int, str, str, str, str, str, int, str, int, int, int, int, int]
Shown = Select[*Columns]

ANY = "any"
"""Stands for whatever words a person typed."""

ON_SALE = Course.status == literal_column(f"'{CourseStatus.PUBLISHED}'")
"""Written out, so that PostgreSQL knows in every plan that it may use the indexes of the shelf."""

LIVE = and_(
    Lesson.status == LessonStatus.LIVE, Lesson.deleted_at.is_(None), Chapter.deleted_at.is_(None)
)


@dataclass(frozen=True, slots=True)
class Wish:
    """What a visitor looks for. Without `sort` the best match comes first, or the newest."""

    words: str = ""
    subject: Subject | None = None
    price: Literal["free", "paid"] | None = None
    sort: Literal["title"] | None = None
    page: int = 1
    by_teacher: bool = False
    """Of one instructor alone; to be run with `teacher`, their id."""


def shown(wish: Wish) -> Shown:
    """Cards in the order wished for, and how many there are in all, counted in the same breath.

    To be run with `query` (what search.asked says), `size`, `skipped` and `most` (to count).
    """
    return _shown(_shape(wish), by_match=True)


def near(wish: Wish) -> Shown:
    """The same, always the newest first."""
    return _shown(_shape(wish), by_match=False)


def counted(wish: Wish) -> Select[int]:
    """To be run with `query` and `most`; None counts to the end."""
    some = select(Course.id).where(*_filters(wish)).limit(_number("most"))
    return select(func.count()).select_from(some.subquery())


def _shape(wish: Wish) -> Wish:
    """What wishes with one statement have in common; the words themselves are a parameter."""
    return replace(wish, words=ANY if wish.words else "", page=1)


@lru_cache(maxsize=256)
def _shown(shape: Wish, *, by_match: bool) -> Shown:
    """Kept: building costs more CPU than running. Lessons are counted for these courses alone."""
    ranked = _numbered(shape, by_match=by_match).subquery()
    extent = _extent(ranked.c.id)
    return (
        select(
            Course.id,
            Course.public_id,
            Course.slug,
            Course.title,
            User.name,
            Image.public_id,
            Course.price_minor,
            Course.price_currency,
            extent.c.lessons,
            extent.c.seconds,
            Course.rating_sum,
            Course.rating_count,
            counted(shape).scalar_subquery(),
        )
        .select_from(ranked)
        .join(Course, Course.id == ranked.c.id)
        .join(User, User.id == Course.instructor_id)
        .outerjoin(Image, Image.id == Course.cover_id)
        .join(extent, true())
        .order_by(ranked.c.place)
    )


def _numbered(shape: Wish, *, by_match: bool) -> Select[int, int]:
    """Ids of the courses wished for, each with its place.

    Sorted by what the places go by, and not by the place, so that an index hands them out.
    """
    order = _order(shape, by_match=by_match)
    place = func.row_number().over(order_by=order).label("place")
    numbered = select(Course.id, place).where(*_filters(shape)).order_by(*order)
    return numbered.limit(_number("size")).offset(_number("skipped"))


def _number(name: str) -> BindParameter[int]:
    """Written out when it is sent, so that PostgreSQL plans for that many, and plans once."""
    return bindparam(name, type_=Integer, literal_execute=True)


def _order(shape: Wish, *, by_match: bool) -> list[SQLCoreOperations[Any]]:
    if shape.sort == "title":
        return [func.lower(Course.title), Course.id]
    newest: list[SQLCoreOperations[Any]] = [Course.published_at.desc(), Course.id.desc()]
    if not (shape.words and by_match):
        return newest
    return [func.ts_rank(Course.search, search.ASKED).desc(), *newest]


def _filters(shape: Wish) -> list[ColumnElement[bool]]:
    filters: list[ColumnElement[bool]] = [ON_SALE]
    if shape.subject:
        filters.append(Course.subject == shape.subject)
    if shape.price:
        filters.append(Course.price_minor == 0 if shape.price == "free" else Course.price_minor > 0)
    if shape.by_teacher:
        filters.append(Course.instructor_id == bindparam("teacher"))
    if shape.words:
        filters.append(Course.search.op("@@")(search.ASKED))
    return filters


def _extent(course_id: ColumnElement[int]) -> LateralFromClause:
    """How many live lessons a course has, and how long they are."""
    return lateral(
        select(
            func.count().label("lessons"),
            func.coalesce(func.sum(Lesson.duration), 0).label("seconds"),
        )
        .select_from(Chapter)
        .join(Lesson, Lesson.chapter_id == Chapter.id)
        .where(Chapter.course_id == course_id, LIVE)
    )
