"""A course's public page: what is inside, and the one thing this visitor can do next."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from sqlalchemy import Row, and_, bindparam, func, select
from sqlalchemy.orm import Session, aliased

from luma.errors import NotFound
from luma.models.course import Chapter, Course, Image, Lesson
from luma.models.order import Order
from luma.models.profile import Profile
from luma.models.progress import Enrolment, LessonProgress
from luma.models.user import User, rehearsal_buyers
from luma.services import gateways, learning_outline, markdown, ratings, texts
from luma.services.landing_doors import Buy, Continue, Door, Pending, Teach
from luma.services.money import drift
from luma.services.ratings import Rating
from luma.settings import settings
from luma.values import CourseStatus, LessonStatus, Money, OrderStatus, Subject


@dataclass(frozen=True, slots=True)
class LessonRow:
    """`video_id` is there for free previews alone: that of a locked lesson never leaves here."""

    public_id: str
    title: str
    seconds: int
    video_id: str | None
    video_start: int


@dataclass(frozen=True, slots=True)
class ChapterRow:
    title: str
    lessons: tuple[LessonRow, ...]

    @property
    def seconds(self) -> int:
        return sum(lesson.seconds for lesson in self.lessons)

    def holds(self, lesson_id: str | None) -> bool:
        return any(lesson.public_id == lesson_id for lesson in self.lessons)


@dataclass(frozen=True, slots=True)
class CoursePage:
    id: int
    public_id: str
    slug: str
    title: str
    summary: str
    description: str
    """Markdown."""
    subject: Subject
    status: CourseStatus
    price: Money
    updated_at: datetime
    instructor_id: int
    instructor: str
    instructor_slug: str | None
    """Of the page about them."""
    instructor_picture: str | None
    image_id: str | None
    students: int
    rating: Rating
    refund_days: int
    """How long the promise of a refund holds that is given today."""
    chapters: tuple[ChapterRow, ...]
    is_paused: bool
    """Nobody can buy it: somebody has changed it at the payment gateway."""

    @property
    def all_lessons(self) -> list[LessonRow]:
        return [lesson for chapter in self.chapters for lesson in chapter.lessons]

    @property
    def lessons(self) -> int:
        return sum(len(chapter.lessons) for chapter in self.chapters)

    @property
    def seconds(self) -> int:
        return sum(chapter.seconds for chapter in self.chapters)

    @property
    def previews(self) -> list[LessonRow]:
        return [lesson for lesson in self.all_lessons if lesson.video_id]

    @property
    def promise(self) -> str:
        """One or two sentences for lists of links; 160 characters at most."""
        return markdown.plain(self.summary or self.description, 160) or self.title


def course_page(
    session: Session, slug: str, viewer_id: int | None = None
) -> tuple[CoursePage, Door]:
    """Raises NotFound for a draft, unless the viewer teaches it or has bought it before."""
    course = _course(session, slug)
    door = _door(session, course, viewer_id) if viewer_id else Buy()
    if course.status is not CourseStatus.PUBLISHED and not isinstance(door, Continue | Teach):
        raise NotFound("There is no such course. It may have moved or closed.")
    return course, door


def title_on_sale(session: Session, slug: str) -> str | None:
    """What a course that anybody may buy is called; None for every other address."""
    return session.scalar(
        select(Course.title).where(
            Course.slug == texts.key(slug),
            Course.status == CourseStatus.PUBLISHED,
            Course.deleted_at.is_(None),
        )
    )


# Statements are built once: building costs more CPU than running does.
_COUNTED = Enrolment.student_id.not_in(rehearsal_buyers())
_STUDENTS = (
    select(func.count())
    .select_from(Enrolment)
    .where(Enrolment.course_id == Course.id, Enrolment.active, _COUNTED)
)
_PORTRAIT = aliased(Image)
_COURSE = (
    select(
        Course.id,
        Course.public_id,
        Course.slug,
        Course.title,
        Course.summary,
        Course.description,
        Course.subject,
        Course.status,
        Course.price_minor,
        Course.price_currency,
        Course.updated_at,
        Course.instructor_id,
        Course.rating_sum,
        Course.rating_count,
        Course.rating_bars,
        User.name,
        Profile.slug.label("instructor_slug"),
        _PORTRAIT.public_id.label("instructor_picture"),
        Image.public_id.label("image_id"),
        _STUDENTS.scalar_subquery().label("students"),
        drift.PAUSED.label("is_paused"),
    )
    .join(User, User.id == Course.instructor_id)
    .outerjoin(Image, Image.id == Course.cover_id)
    .outerjoin(Profile, Profile.user_id == Course.instructor_id)
    .outerjoin(_PORTRAIT, _PORTRAIT.id == Profile.picture_id)
    .where(Course.slug == bindparam("slug"), Course.deleted_at.is_(None))
)
_LESSONS = (
    select(
        Chapter.id,
        Chapter.title,
        Lesson.public_id,
        Lesson.title,
        Lesson.duration,
        Lesson.is_preview,
        Lesson.video_id,
        Lesson.video_start,
    )
    .join(Lesson, Lesson.chapter_id == Chapter.id)
    .where(
        Chapter.course_id == bindparam("course"),
        Chapter.deleted_at.is_(None),
        Lesson.status == LessonStatus.LIVE,
        Lesson.deleted_at.is_(None),
    )
    .order_by(Chapter.position, Lesson.position)
)


def _course(session: Session, slug: str) -> CoursePage:
    row = session.execute(
        _COURSE, {"slug": texts.key(slug), "gateway": gateways.current().name}
    ).one_or_none()
    if row is None:
        raise NotFound("There is no such course. It may have moved or closed.")
    return CoursePage(
        id=row.id,
        public_id=row.public_id,
        slug=row.slug,
        title=row.title,
        summary=row.summary,
        description=row.description,
        subject=row.subject,
        status=row.status,
        price=Money(row.price_minor, row.price_currency),
        updated_at=row.updated_at,
        instructor_id=row.instructor_id,
        instructor=row.name,
        instructor_slug=row.instructor_slug,
        instructor_picture=row.instructor_picture,
        image_id=row.image_id,
        students=row.students,
        rating=ratings.of(row.rating_sum, row.rating_count, row.rating_bars),
        refund_days=settings().refund_days,
        chapters=_outline(session, row.id),
        is_paused=row.is_paused,
    )


def _outline(session: Session, course_id: int) -> tuple[ChapterRow, ...]:
    """Live lessons in one query of plain columns; a chapter without one is not shown."""
    rows = session.execute(_LESSONS, {"course": course_id})
    return tuple(
        ChapterRow(title, tuple(_lesson_rows(lessons)))
        for (_, title), lessons in groupby(rows, key=lambda row: (row[0], row[1]))
    )


def _lesson_rows(
    rows: Iterable[Row[int, str, str, str, int, bool, str | None, int]],
) -> Iterable[LessonRow]:
    for _, _, public_id, title, seconds, is_preview, video_id, start in rows:
        yield LessonRow(public_id, title, seconds, video_id if is_preview else None, start)


def _door(session: Session, course: CoursePage, viewer_id: int) -> Door:
    if course.instructor_id == viewer_id:
        return Teach()
    place = session.execute(
        select(Lesson.public_id, Lesson.title, Lesson.video_start, Lesson.duration)
        .add_columns(LessonProgress.position)
        .select_from(Enrolment)
        .outerjoin(
            Lesson,
            and_(
                Lesson.id == Enrolment.last_lesson_id,
                Lesson.deleted_at.is_(None),
                Lesson.status == LessonStatus.LIVE,
            ),
        )
        .outerjoin(
            LessonProgress,
            and_(LessonProgress.lesson_id == Lesson.id, LessonProgress.student_id == viewer_id),
        )
        .where(
            Enrolment.student_id == viewer_id, Enrolment.course_id == course.id, Enrolment.active
        )
    ).one_or_none()
    if place is not None:
        return _where_left(course, *place)
    pending = session.scalar(
        select(Order.public_id).where(
            Order.buyer_id == viewer_id,
            Order.course_id == course.id,
            Order.status == OrderStatus.PENDING,
            Order.gateway == gateways.current().name,
        )
    )
    return Pending(pending) if pending else Buy()


def _where_left(
    course: CoursePage,
    lesson_id: str | None,
    title: str | None,
    start: int | None,
    seconds: int | None,
    position: int | None,
) -> Continue:
    if lesson_id and title:
        second = learning_outline.resumes_at(position or 0, start or 0, seconds or 0)
        return Continue(lesson_id, title, second - (start or 0) if second else 0, started=True)
    for first in course.all_lessons[:1]:
        return Continue(first.public_id, first.title, 0, started=False)
    return Continue(None, "", 0, started=False)
