"""The shop window: what is on the shelf, found by words, subject and price."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Row, bindparam, func, select
from sqlalchemy.orm import Session

from luma.models.course import Chapter, Course, Lesson
from luma.models.progress import Enrolment, LessonProgress
from luma.services import search, wishes
from luma.services.ratings import Rating
from luma.services.wishes import LIVE, ON_SALE, Columns, Shown, Wish
from luma.values import Money

PAGE = 24
WINDOW = 10
"""Pages shown at once at most; beyond that the first ones give way."""
NEAR = 3
MOST_OF_ONE = 200
"""Courses of one instructor that their page shows."""
MOST_COUNTED = 1_000
"""Nobody counts further, so that the largest school's shelf costs what a small one's does."""


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
        last = replace(wish, page=-(-_total(session, wish, None) // PAGE))
        return _found(session, last, viewer_id, alone=alone)
    return _instead(session, found, wish, viewer_id)


def taught_by(session: Session, teacher_id: int, viewer_id: int | None = None) -> tuple[Card, ...]:
    """What one instructor has on sale, the newest first."""
    asked = {"query": None, "size": MOST_OF_ONE, "skipped": 0, "most": 0, "teacher": teacher_id}
    cards, _ = _cards(session, wishes.shown(Wish(by_teacher=True)), asked, viewer_id)
    return cards


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
    size, skipped = (wish.page - first_page + 1) * PAGE, (first_page - 1) * PAGE
    query = search.asked(wish.words)
    if wish.words and query is None:
        return Shelf((), 0, skipped + 1)
    asked = {"query": query, "size": size + 1, "skipped": skipped, "most": MOST_COUNTED}
    cards, total = _cards(session, wishes.shown(wish), asked, viewer_id)
    if not cards:
        total = _total(session, wish, MOST_COUNTED)
    return Shelf(cards[:size], total, skipped + 1, len(cards) > size)


def _total(session: Session, wish: Wish, most: int | None) -> int:
    asked = {"query": search.asked(wish.words), "most": most}
    return session.scalar(wishes.counted(wish), asked) or 0


def _instead(session: Session, found: Shelf, wish: Wish, viewer_id: int | None) -> Shelf:
    """Nothing found: courses with any of the words, else the newest ones."""
    query = search.asked(wish.words, every=False)
    asked = {"query": query, "size": NEAR, "skipped": 0, "most": 0}
    near: tuple[Card, ...] = ()
    if query is not None:
        near, _ = _cards(session, wishes.near(Wish(wish.words)), asked, viewer_id)
    if not near:
        near, _ = _cards(session, wishes.shown(Wish()), asked, viewer_id)
    return replace(found, near=near, is_bare=not near)


def _cards(
    session: Session, shown: Shown, asked: Mapping[str, object], viewer_id: int | None
) -> tuple[tuple[Card, ...], int]:
    rows = session.execute(shown, asked).all()
    done = _done(session, viewer_id, [row[0] for row in rows]) if viewer_id and rows else {}
    return tuple(_card(row, done) for row in rows), rows[0][-1] if rows else 0


def _card(row: Row[*Columns], done: dict[int, int]) -> Card:
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


_FINISHED = (
    select(Chapter.course_id, func.count().label("lessons"))
    .select_from(LessonProgress)
    .join(Lesson, Lesson.id == LessonProgress.lesson_id)
    .join(Chapter, Chapter.id == Lesson.chapter_id)
    .where(
        LessonProgress.student_id == bindparam("viewer"),
        LessonProgress.completed_at.is_not(None),
        Chapter.course_id.in_(bindparam("courses", expanding=True)),
        LIVE,
    )
    .group_by(Chapter.course_id)
    .subquery()
)
_DONE = (
    select(Enrolment.course_id, func.coalesce(_FINISHED.c.lessons, 0))
    .outerjoin(_FINISHED, _FINISHED.c.course_id == Enrolment.course_id)
    .where(
        Enrolment.student_id == bindparam("viewer"),
        Enrolment.active,
        Enrolment.course_id.in_(bindparam("courses", expanding=True)),
    )
)


def _done(session: Session, viewer_id: int, course_ids: Sequence[int]) -> dict[int, int]:
    """Course -> lessons finished, for those among these that the viewer may learn."""
    rows = session.execute(_DONE, {"viewer": viewer_id, "courses": course_ids})
    return {course_id: lessons for course_id, lessons in rows}  # noqa: C416  (typed pairs)
