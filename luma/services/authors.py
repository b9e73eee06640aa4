"""An instructor's own courses, chapters and lessons, by the ids that addresses carry."""

import re

from sqlalchemy import select
from sqlalchemy.orm import Session

from luma.errors import NotFound
from luma.models.course import Chapter, Course, Lesson
from luma.services import policies
from luma.services.policies import Actor

GONE_COURSE = "There is no such course among yours."
GONE_CHAPTER = "This chapter is not there any more."
GONE_LESSON = "This lesson is not there any more."


def own_course(session: Session, actor: Actor, public_id: str, *, lock: bool = False) -> Course:
    """Raises NotFound for another instructor's course. `lock` makes changes queue up.

    The lock leaves enrolments and orders alone, which only point at the course.
    """
    wanted = select(Course).where(Course.public_id == plain_id(public_id, GONE_COURSE))
    if lock:
        wanted = wanted.with_for_update(key_share=True)
    course = session.scalar(wanted)
    if course is None:
        raise NotFound(GONE_COURSE)
    policies.ensure_can_edit(actor, course)
    return course


def chapter_of(session: Session, course: Course, chapter_id: int) -> Chapter:
    """A chapter of this very course, removed or not. Raises NotFound."""
    chapter = session.get(Chapter, chapter_id) if 0 < chapter_id < 2**63 else None
    if chapter is None or chapter.course_id != course.id:
        raise NotFound(GONE_CHAPTER)
    return chapter


def lesson_of(session: Session, course: Course, public_id: str) -> Lesson:
    """A lesson of this very course, removed or not. Raises NotFound."""
    lesson = session.scalar(
        select(Lesson)
        .join(Chapter, Chapter.id == Lesson.chapter_id)
        .where(Chapter.course_id == course.id, Lesson.public_id == plain_id(public_id, GONE_LESSON))
    )
    if lesson is None:
        raise NotFound(GONE_LESSON)
    return lesson


def placed_lesson(session: Session, course: Course, public_id: str) -> Lesson:
    """On the outline of this very course: neither it nor its chapter is removed."""
    lesson = lesson_of(session, course, public_id)
    chapter = chapter_of(session, course, lesson.chapter_id)
    if lesson.deleted_at is not None or chapter.deleted_at is not None:
        raise NotFound(GONE_LESSON)
    return lesson


def plain_id(public_id: str, gone: str) -> str:
    """What comes from an address or a browser may be anything; ids are short and plain."""
    if not re.fullmatch(r"[a-z]{3}_[a-z0-9]{1,20}", public_id):
        raise NotFound(gone)
    return public_id
