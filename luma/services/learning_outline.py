"""The outline of a course as its students see it, and where each of their courses goes on."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy import BigInteger, BindParameter, and_, bindparam, func, select
from sqlalchemy.orm import Session

from luma.errors import NotFound
from luma.models.course import Chapter, Course, Image, Lesson
from luma.models.progress import Enrolment, LessonProgress
from luma.models.user import User
from luma.services.policies import Actor
from luma.values import CourseStatus, LessonStatus

NO_COURSE = "There is no such course."
NEARLY_OVER = 10

# Statements are built once, with the one who acts as a parameter: building costs more CPU than
# running does.
ACTOR: BindParameter[int] = bindparam("actor", type_=BigInteger)
THEIR_ENROLMENT = and_(
    Enrolment.course_id == Course.id, Enrolment.student_id == ACTOR, Enrolment.active
)
THEIR_PROGRESS = and_(LessonProgress.lesson_id == Lesson.id, LessonProgress.student_id == ACTOR)
THERE = and_(Lesson.deleted_at.is_(None), Chapter.deleted_at.is_(None))
LIVE = and_(THERE, Lesson.status == LessonStatus.LIVE)


@dataclass(frozen=True, slots=True)
class Progress:
    done: int
    total: int

    @property
    def share(self) -> float:
        """From 0.0 to 1.0, as a progress bar wants it."""
        return self.done / self.total if self.total else 0.0

    @property
    def percent(self) -> int:
        """Rounded down: 100 means that nothing is missing."""
        return 100 * self.done // self.total if self.total else 0


@dataclass(frozen=True, slots=True)
class LessonLine:
    """A lesson in the outline. It holds nothing that a visitor may not know."""

    id: str
    title: str
    seconds: int
    is_done: bool
    is_draft: bool
    is_open: bool


@dataclass(frozen=True, slots=True)
class ChapterLines:
    id: int
    title: str
    lessons: list[LessonLine]


@dataclass(frozen=True, slots=True)
class Continuation:
    """Where a course goes on: the lesson, and the second in it, however late its video begins."""

    lesson_id: str
    title: str
    position: int


@dataclass(frozen=True, slots=True)
class MyCourse:
    slug: str
    title: str
    course_id: str
    cover_id: str | None
    instructor: str
    progress: Progress
    seconds_left: int
    has_started: bool
    goes_on: Continuation | None
    """None while the course has no live lesson."""


_LINES = (
    select(Chapter.id, Chapter.title, Lesson.public_id, Lesson.title, Lesson.duration)
    .add_columns(LessonProgress.completed_at.is_not(None), Lesson.status != LessonStatus.LIVE)
    .add_columns(Lesson.is_preview)
    .join(Lesson, Lesson.chapter_id == Chapter.id)
    .outerjoin(LessonProgress, THEIR_PROGRESS)
    .where(Chapter.course_id == bindparam("course"))
    .order_by(Chapter.position, Lesson.position)
)
_LIVE_LINES, _ALL_LINES = _LINES.where(LIVE), _LINES.where(THERE)

_PROGRESS = (
    select(func.count(LessonProgress.completed_at), func.count())
    .select_from(Lesson)
    .join(Chapter, Chapter.id == Lesson.chapter_id)
    .outerjoin(LessonProgress, THEIR_PROGRESS)
    .where(Chapter.course_id == bindparam("course"), LIVE)
)

_COURSE = (
    select(Course.id, Course.status, Course.instructor_id)
    .add_columns(Enrolment.id.label("enrolment_id"), Enrolment.last_lesson_id)
    .outerjoin(Enrolment, THEIR_ENROLMENT)
    .where(Course.slug == bindparam("slug"), Course.deleted_at.is_(None))
)

_MINE = (
    select(Course.id, Course.public_id, Course.slug, Course.title, User.name)
    .add_columns(Image.public_id.label("cover_id"), Enrolment.last_lesson_id)
    .add_columns(Enrolment.last_seen_at)
    .join(Enrolment, THEIR_ENROLMENT)
    .join(User, User.id == Course.instructor_id)
    .outerjoin(Image, Image.id == Course.cover_id)
    .where(Course.deleted_at.is_(None))
    .order_by(func.coalesce(Enrolment.last_seen_at, Enrolment.created_at).desc(), Course.id)
)

_STATIONS = (
    select(Chapter.course_id, Lesson.id, Lesson.public_id, Lesson.title)
    .add_columns(Lesson.video_start, Lesson.duration)
    .add_columns(func.coalesce(LessonProgress.position, 0))
    .add_columns(LessonProgress.completed_at.is_not(None))
    .join(Chapter, Chapter.id == Lesson.chapter_id)
    .outerjoin(LessonProgress, THEIR_PROGRESS)
    .where(Chapter.course_id.in_(bindparam("courses", expanding=True)))
    .order_by(Chapter.course_id, Chapter.position, Lesson.position)
)
_LIVE_STATIONS, _ALL_STATIONS = _STATIONS.where(LIVE), _STATIONS.where(THERE)


def chapters(
    session: Session, actor: Actor, course_id: int, *, sees_drafts: bool, sees_all: bool
) -> list[ChapterLines]:
    """Chapters without a lesson to see are left out. One statement, whatever the size."""
    lines = _ALL_LINES if sees_drafts else _LIVE_LINES
    rows = session.execute(lines, {"actor": actor.id, "course": course_id})
    return [
        ChapterLines(
            id=chapter_id,
            title=title,
            lessons=[
                LessonLine(lesson_id, name, seconds, done, draft, sees_all or preview)
                for _, _, lesson_id, name, seconds, done, draft, preview in lines
            ],
        )
        for (chapter_id, title), lines in groupby(rows, lambda row: (row[0], row[1]))
    ]


def counted(outline: Iterable[ChapterLines]) -> Progress:
    lines = [line for chapter in outline for line in chapter.lessons if not line.is_draft]
    return Progress(sum(line.is_done for line in lines), len(lines))


def progress(session: Session, actor: Actor, course_id: int) -> Progress:
    """Live lessons only: what is hidden again counts neither as done nor as missing."""
    counts = session.execute(_PROGRESS, {"actor": actor.id, "course": course_id})
    done, total = counts.one()
    return Progress(done, total)


def continuation(session: Session, actor: Actor, slug: object) -> Continuation:
    """The lesson to go on with; for a visitor the first. Raises NotFound when there is none."""
    asked = {"actor": actor.id, "slug": _known_form(slug)}
    course = session.execute(_COURSE, asked).one_or_none()
    is_mine = course is not None and course.instructor_id == actor.id
    if course is None or not (
        is_mine or course.enrolment_id or course.status is CourseStatus.PUBLISHED
    ):
        raise NotFound(NO_COURSE)
    stations = _stations(session, actor, [course.id], sees_drafts=is_mine)
    found = _goes_on(stations, course.last_lesson_id)
    if found is None:
        raise NotFound("This course has no lessons yet. Come back soon.")
    return found


def my_courses(session: Session, actor: Actor) -> list[MyCourse]:
    """Every course this person is enrolled in, the one visited last first. Two statements."""
    courses = session.execute(_MINE, {"actor": actor.id}).all()
    by_course: dict[int, list[_Station]] = {}
    for station in _stations(session, actor, [course.id for course in courses], sees_drafts=False):
        by_course.setdefault(station.course_id, []).append(station)
    return [
        MyCourse(
            slug=course.slug,
            title=course.title,
            course_id=course.public_id,
            cover_id=course.cover_id,
            instructor=course.name,
            progress=Progress(sum(one.is_done for one in stations), len(stations)),
            seconds_left=sum(one.seconds for one in stations if not one.is_done),
            has_started=course.last_seen_at is not None,
            goes_on=_goes_on(stations, course.last_lesson_id),
        )
        for course in courses
        for stations in [by_course.get(course.id, [])]
    ]


def resumes_at(position: int, start: int, seconds: int) -> int:
    """0 for who has not begun, and for who left in the last seconds: then it starts again."""
    is_over = seconds > 0 and position > start + seconds - NEARLY_OVER
    return 0 if is_over or position <= start else position


@dataclass(frozen=True, slots=True)
class _Station:
    course_id: int
    lesson_id: int
    id: str
    title: str
    start: int
    seconds: int
    position: int
    is_done: bool


def _stations(
    session: Session, actor: Actor, courses: Sequence[int], *, sees_drafts: bool
) -> list[_Station]:
    stations = _ALL_STATIONS if sees_drafts else _LIVE_STATIONS
    rows = session.execute(stations, {"actor": actor.id, "courses": courses})
    return [_Station(*row) for row in rows]


def _goes_on(stations: Sequence[_Station], last: int | None) -> Continuation | None:
    """At the last lesson while it is unfinished, then at the next unfinished one, wrapping round.

    Where all is done it is the last one again.
    """
    if not stations:
        return None
    here = next((i for i, one in enumerate(stations) if one.lesson_id == last), 0)
    ahead = [*stations[here:], *stations[:here]]
    found = next((one for one in ahead if not one.is_done), ahead[0])
    second = resumes_at(found.position, found.start, found.seconds)
    is_on_the_way = second and not found.is_done
    return Continuation(found.id, found.title, second - found.start if is_on_the_way else 0)


def _known_form(slug: object) -> str:
    if not isinstance(slug, str) or not re.fullmatch(r"[a-z0-9-]{1,80}", slug):
        raise NotFound(NO_COURSE)
    return slug
