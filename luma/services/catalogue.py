"""The shop window: what is on the shelf, found by words, subject and price."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    and_,
    false,
    func,
    lateral,
    literal,
    select,
    true,
)
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import SQLCoreOperations
from sqlalchemy.sql.selectable import LateralFromClause

from luma.models.course import Chapter, Course, Image, Lesson
from luma.models.progress import Enrolment, LessonProgress
from luma.models.user import User
from luma.services import search
from luma.services.ratings import Rating
from luma.values import CourseStatus, LessonStatus, Money, Subject

PAGE = 24
WINDOW = 10
"""Pages shown at once at most; beyond that the first ones give way."""
NEAR = 3
MOST_COUNTED = 1_000
"""Nobody counts further, so that the largest school's shelf costs what a small one's does."""

ON_SALE = Course.status == CourseStatus.PUBLISHED
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


@dataclass(frozen=True, slots=True)
class Card:
    id: int
    public_id: str
    slug: str
    title: str
    instructor: str
    image_id: str | None
    price: Money
    lessons: int
    seconds: int
    rating: Rating
    owned: bool = False
    done: int = 0
    """Lessons finished by the viewer, when the course is theirs."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """`first` and `last` count from 1 the cards shown, out of `total` or more."""

    cards: tuple[Card, ...]
    total: int
    first: int
    has_more: bool = False
    near: tuple[Card, ...] = ()
    """When nothing was found: a few that come close."""
    is_bare: bool = False
    """Nothing at all is on sale."""

    @property
    def last(self) -> int:
        return self.first + len(self.cards) - 1

    @property
    def is_counted(self) -> bool:
        """Whether `total` is exact; else there are more than that."""
        return self.total < MOST_COUNTED


@dataclass(frozen=True, slots=True)
class Entry:
    slug: str
    updated_at: datetime


def shelf(
    session: Session, wish: Wish, viewer_id: int | None = None, *, alone: bool = False
) -> Shelf:
    """The pages up to the wished one, or with `alone` only that one. Of drafts nothing is seen."""
    found = _found(session, wish, viewer_id, alone=alone)
    if found.cards:
        return found
    if wish.page > 1 and found.total:
        total = session.scalar(_counted(wish, None)) or 0
        last = replace(wish, page=-(-total // PAGE))
        return _found(session, last, viewer_id, alone=alone)
    return _instead(session, found, wish, viewer_id)


def on_sale(session: Session) -> list[Entry]:
    """Every course that search engines may know, the newest first."""
    rows = session.execute(
        select(Course.slug, Course.updated_at)
        .where(ON_SALE)
        .order_by(Course.published_at.desc(), Course.id.desc())
        .limit(50_000)
    )
    return [Entry(slug, updated_at) for slug, updated_at in rows]


def _found(session: Session, wish: Wish, viewer_id: int | None, *, alone: bool) -> Shelf:
    first_page = wish.page if alone else max(1, wish.page - WINDOW + 1)
    size = (wish.page - first_page + 1) * PAGE
    chosen = _numbered(wish).offset((first_page - 1) * PAGE).limit(size + 1)
    total = _counted(wish, MOST_COUNTED)
    cards, counted = _cards(session, chosen, viewer_id, total)
    if counted is None:
        counted = session.scalar(total) or 0
    return Shelf(cards[:size], counted, (first_page - 1) * PAGE + 1, len(cards) > size)


def _counted(wish: Wish, most: int | None) -> Select[int]:
    some = select(Course.id).where(*_filters(wish)).limit(most).subquery()
    return select(func.count()).select_from(some)


def _instead(session: Session, found: Shelf, wish: Wish, viewer_id: int | None) -> Shelf:
    """Nothing found: courses with any of the words, else the newest ones."""
    newest = _numbered(Wish()).limit(NEAR)
    query = search.asked(wish.words, every=False)
    near: tuple[Card, ...] = ()
    if query is not None:
        near, _ = _cards(session, newest.where(Course.search.op("@@")(query)), viewer_id)
    if not near:
        near, _ = _cards(session, newest, viewer_id)
    return replace(found, near=near, is_bare=not near)


def _filters(wish: Wish) -> list[ColumnElement[bool]]:
    filters: list[ColumnElement[bool]] = [ON_SALE]
    if wish.subject:
        filters.append(Course.subject == wish.subject)
    if wish.price:
        filters.append(Course.price_minor == 0 if wish.price == "free" else Course.price_minor > 0)
    if wish.words:
        query = search.asked(wish.words)
        filters.append(false() if query is None else Course.search.op("@@")(query))
    return filters


def _numbered(wish: Wish) -> Select[int, int]:
    """Ids of the courses wished for, each with its place.

    Sorted by what the places go by, and not by the place, so that an index hands them out.
    """
    order = _order(wish)
    place = func.row_number().over(order_by=order).label("place")
    return select(Course.id, place).where(*_filters(wish)).order_by(*order)


def _order(wish: Wish) -> list[SQLCoreOperations[Any]]:
    if wish.sort == "title":
        return [func.lower(Course.title), Course.id]
    newest: list[SQLCoreOperations[Any]] = [Course.published_at.desc(), Course.id.desc()]
    query = search.asked(wish.words) if wish.words else None
    return newest if query is None else [func.ts_rank(Course.search, query).desc(), *newest]


def _cards(
    session: Session,
    chosen: Select[int, int],
    viewer_id: int | None,
    total: Select[int] | None = None,
) -> tuple[tuple[Card, ...], int | None]:
    """Cards in the order of `chosen`, and `total` counted in the same breath if there is a card.

    Lessons are counted for these courses alone.
    """
    ranked = chosen.subquery()
    extent = _extent(ranked.c.id)
    rows = session.execute(
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
            literal(0) if total is None else total.scalar_subquery(),
        )
        .select_from(ranked)
        .join(Course, Course.id == ranked.c.id)
        .join(User, User.id == Course.instructor_id)
        .outerjoin(Image, Image.id == Course.cover_id)
        .join(extent, true())
        .order_by(ranked.c.place)
    ).all()
    done = _done(session, viewer_id, [row[0] for row in rows]) if viewer_id and rows else {}
    return tuple(_card(row, done) for row in rows), rows[0][-1] if rows else None


def _card(
    row: Row[int, str, str, str, str, str, int, str, int, int, int, int, int], done: dict[int, int]
) -> Card:
    number, public_id, slug, title, name, image_id, minor, currency, lessons, seconds, *rest = row
    return Card(
        id=number,
        public_id=public_id,
        slug=slug,
        title=title,
        instructor=name,
        image_id=image_id,
        price=Money(minor, currency),
        lessons=lessons,
        seconds=seconds,
        rating=Rating(rest[0], rest[1]),
        owned=number in done,
        done=done.get(number, 0),
    )


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


def _done(session: Session, viewer_id: int, course_ids: Sequence[int]) -> dict[int, int]:
    """Course -> lessons finished, for those among these that the viewer may learn."""
    finished = (
        select(Chapter.course_id, func.count().label("lessons"))
        .select_from(LessonProgress)
        .join(Lesson, Lesson.id == LessonProgress.lesson_id)
        .join(Chapter, Chapter.id == Lesson.chapter_id)
        .where(
            LessonProgress.student_id == viewer_id,
            LessonProgress.completed_at.is_not(None),
            Chapter.course_id.in_(course_ids),
            LIVE,
        )
        .group_by(Chapter.course_id)
        .subquery()
    )
    rows = session.execute(
        select(Enrolment.course_id, func.coalesce(finished.c.lessons, 0))
        .outerjoin(finished, finished.c.course_id == Enrolment.course_id)
        .where(
            Enrolment.student_id == viewer_id,
            Enrolment.active,
            Enrolment.course_id.in_(course_ids),
        )
    )
    return {course_id: lessons for course_id, lessons in rows}  # noqa: C416  (typed pairs)
