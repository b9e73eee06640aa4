"""The tree of a course: add, rename, move, remove and bring back chapters and lessons.

Every change locks the course first, so that changes of one course happen one after the other and
positions count from 0 without gaps.
"""

from dataclasses import dataclass
from itertools import groupby

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from luma.errors import NotFound, RuleBroken
from luma.models.course import Chapter, Course, Lesson
from luma.services import clock, places, texts
from luma.services.authors import (
    GONE_CHAPTER,
    GONE_LESSON,
    chapter_of,
    lesson_of,
    own_course,
)
from luma.services.policies import Actor
from luma.values import CourseStatus, LessonStatus

LONGEST_TITLE = 120
MOST_CHAPTERS = 200
MOST_LESSONS = 1_000

NEEDS_LIVE = "A published course needs a live lesson. Unpublish it first."


@dataclass(frozen=True, slots=True)
class LessonLine:
    id: str
    title: str
    status: LessonStatus
    duration: int
    is_preview: bool


@dataclass(frozen=True, slots=True)
class ChapterLine:
    id: int
    title: str
    lessons: tuple[LessonLine, ...]


@dataclass(frozen=True, slots=True)
class RemovedChapter:
    """What it takes to bring it back where it was."""

    id: int
    title: str
    index: int


@dataclass(frozen=True, slots=True)
class RemovedLesson:
    id: str
    title: str
    chapter: int
    index: int


def tree(session: Session, actor: Actor, course: str) -> tuple[ChapterLine, ...]:
    """The outline as its instructor sees it: one query, whatever its size."""
    own = own_course(session, actor, course)
    rows = session.execute(
        select(
            Chapter.id,
            Chapter.title,
            Lesson.public_id,
            Lesson.title,
            Lesson.status,
            Lesson.duration,
            Lesson.is_preview,
        )
        .outerjoin(Lesson, and_(Lesson.chapter_id == Chapter.id, Lesson.deleted_at.is_(None)))
        .where(Chapter.course_id == own.id, Chapter.deleted_at.is_(None))
        .order_by(Chapter.position, Lesson.position)
    )
    return tuple(
        ChapterLine(chapter, title, tuple(LessonLine(*row[2:]) for row in lines if row[2]))
        for (chapter, title), lines in groupby(rows, key=lambda row: (row[0], row[1]))
    )


def add_chapter(session: Session, actor: Actor, course: str, title: str, after: int | None) -> int:
    """Below the chapter `after`, or as the first one. Returns its id."""
    own = _locked(session, actor, course)
    name = texts.line(title, "Chapter name", LONGEST_TITLE)
    if _count(session, _chapters_of(own)) >= MOST_CHAPTERS:
        raise RuleBroken(f"A course holds at most {MOST_CHAPTERS} chapters.")
    above = _placed_chapter(session, own, after) if after else None
    chapter = Chapter(course_id=own.id, title=name)
    session.add(chapter)
    places.insert(session, chapter, _below(above))
    return chapter.id


def add_lesson(
    session: Session, actor: Actor, course: str, title: str, chapter: int, after: str | None
) -> str:
    """A draft below the lesson `after`, or as the first of the chapter. Returns its lasting id."""
    own = _locked(session, actor, course)
    home = _placed_chapter(session, own, chapter)
    above = _placed_lesson(session, own, after) if after else None
    if above and above.chapter_id != home.id:
        raise NotFound(GONE_LESSON)
    if _count(session, _lessons_of(own)) >= MOST_LESSONS:
        raise RuleBroken(f"A course holds at most {MOST_LESSONS:,} lessons.")
    name = texts.line(title, "Lesson name", LONGEST_TITLE)
    lesson = Lesson(chapter_id=home.id, title=name, updated_at=clock.now())
    session.add(lesson)
    places.insert(session, lesson, _below(above))
    return lesson.public_id


def rename_chapter(session: Session, actor: Actor, course: str, chapter: int, title: str) -> None:
    own = _locked(session, actor, course)
    named = _placed_chapter(session, own, chapter)
    named.title = texts.line(title, "Chapter name", LONGEST_TITLE)


def rename_lesson(session: Session, actor: Actor, course: str, lesson: str, title: str) -> int:
    """Returns the lesson's new revision, for a form that shows it."""
    own = _locked(session, actor, course)
    named = _placed_lesson(session, own, lesson)
    named.title = texts.line(title, "Lesson name", LONGEST_TITLE)
    named.revision += 1
    named.updated_at = own.updated_at
    return named.revision


def move_chapter(session: Session, actor: Actor, course: str, chapter: int, index: int) -> None:
    """`index` counts among the other chapters; past the end is the end."""
    own = _locked(session, actor, course)
    moved = _placed_chapter(session, own, chapter)
    places.take_out(session, moved)
    places.insert(session, moved, index)


def move_lesson(
    session: Session, actor: Actor, course: str, lesson: str, chapter: int, index: int
) -> None:
    """`index` counts among the other lessons of `chapter`; past the end is the end."""
    own = _locked(session, actor, course)
    moved = _placed_lesson(session, own, lesson)
    home = _placed_chapter(session, own, chapter)
    places.take_out(session, moved)
    moved.chapter_id = home.id
    places.insert(session, moved, index)


def remove_chapter(session: Session, actor: Actor, course: str, chapter: int) -> RemovedChapter:
    """Take it off the outline with its lessons. What students did there is kept."""
    own = _locked(session, actor, course)
    removed = _placed_chapter(session, own, chapter)
    index = places.take_out(session, removed)
    removed.deleted_at = own.updated_at
    _ensure_teaches_something(session, own)
    return RemovedChapter(removed.id, removed.title, index)


def remove_lesson(session: Session, actor: Actor, course: str, lesson: str) -> RemovedLesson:
    """Take it off the outline. What students did there is kept."""
    own = _locked(session, actor, course)
    removed = _placed_lesson(session, own, lesson)
    index = places.take_out(session, removed)
    removed.deleted_at = own.updated_at
    _ensure_teaches_something(session, own)
    return RemovedLesson(removed.public_id, removed.title, removed.chapter_id, index)


def restore_chapter(session: Session, actor: Actor, course: str, removed: RemovedChapter) -> None:
    """Where it was, or as near as the outline still allows. Twice changes nothing."""
    own = _locked(session, actor, course)
    chapter = chapter_of(session, own, removed.id)
    if chapter.deleted_at is not None:
        chapter.deleted_at = None
        places.insert(session, chapter, removed.index)


def restore_lesson(session: Session, actor: Actor, course: str, removed: RemovedLesson) -> None:
    """Where it was, or as near as the outline still allows. Twice changes nothing."""
    own = _locked(session, actor, course)
    lesson = lesson_of(session, own, removed.id)
    _placed_chapter(session, own, lesson.chapter_id)
    if lesson.deleted_at is not None:
        lesson.deleted_at = None
        places.insert(session, lesson, removed.index)


def live_lessons(session: Session, course: Course) -> int:
    return _count(session, _lessons_of(course), Lesson.status == LessonStatus.LIVE)


def _locked(session: Session, actor: Actor, course: str) -> Course:
    own = own_course(session, actor, course, lock=True)
    own.updated_at = clock.now()
    return own


def _ensure_teaches_something(session: Session, course: Course) -> None:
    session.flush()
    if course.status is CourseStatus.PUBLISHED and not live_lessons(session, course):
        raise RuleBroken(NEEDS_LIVE)


def _placed_chapter(session: Session, course: Course, chapter_id: int) -> Chapter:
    chapter = chapter_of(session, course, chapter_id)
    if chapter.deleted_at is not None:
        raise NotFound(GONE_CHAPTER)
    return chapter


def _placed_lesson(session: Session, course: Course, public_id: str) -> Lesson:
    """On the outline: neither it nor its chapter has been removed."""
    lesson = lesson_of(session, course, public_id)
    if lesson.deleted_at is not None:
        raise NotFound(GONE_LESSON)
    _placed_chapter(session, course, lesson.chapter_id)
    return lesson


def _below(neighbour: Chapter | Lesson | None) -> int:
    return neighbour.position + 1 if neighbour and neighbour.position is not None else 0


def _chapters_of(course: Course) -> ColumnElement[bool]:
    return and_(Chapter.course_id == course.id, Chapter.deleted_at.is_(None))


def _lessons_of(course: Course) -> ColumnElement[bool]:
    chapters = select(Chapter.id).where(_chapters_of(course))
    return and_(Lesson.chapter_id.in_(chapters), Lesson.deleted_at.is_(None))


def _count(session: Session, *those: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).where(*those)) or 0
