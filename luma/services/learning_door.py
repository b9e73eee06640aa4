"""How somebody stands to a lesson: what is there, what they may see and what they may do."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import bindparam, exists, select
from sqlalchemy.orm import Session

from luma.errors import NotAllowed, NotFound
from luma.models.course import Chapter, Course, Lesson
from luma.models.order import Order
from luma.models.progress import Enrolment, LessonProgress
from luma.models.review import Review
from luma.services import learning_reports
from luma.services.learning_outline import ACTOR, THEIR_ENROLMENT, THEIR_PROGRESS, THERE
from luma.services.policies import Actor
from luma.values import CourseStatus, LessonStatus, Money, OrderStatus

NO_LESSON = "There is no such lesson."


class Standing(StrEnum):
    """How somebody stands to a course."""

    ENROLLED = "enrolled"
    TEACHES = "teaches"
    VISITOR = "visitor"


@dataclass(frozen=True, slots=True)
class Door:
    """A lesson with its course, and who stands in front of it. One row."""

    lesson_id: int
    id: str
    title: str
    text_html: str
    summary_html: str
    video_id: str | None
    start: int
    seconds: int
    status: LessonStatus
    is_preview: bool
    chapter: str
    course_id: int
    course_public_id: str
    slug: str
    course_title: str
    course_status: CourseStatus
    price: Money
    is_mine: bool
    is_enrolled: bool
    last_lesson_id: int | None
    last_seen_at: datetime | None
    position: int | None
    completed_at: datetime | None
    seen: int
    is_paid_for: bool
    """A payment is on its way."""
    review_refused: int | None
    has_reviewed: bool

    @property
    def standing(self) -> Standing:
        if self.is_mine:
            return Standing.TEACHES
        return Standing.ENROLLED if self.is_enrolled else Standing.VISITOR

    @property
    def is_visible(self) -> bool:
        """Drafts are for who teaches them; an unpublished course stays open to the enrolled."""
        if self.is_mine:
            return True
        on_sale = self.course_status is CourseStatus.PUBLISHED
        return self.status is LessonStatus.LIVE and (self.is_enrolled or on_sale)

    @property
    def is_open(self) -> bool:
        return self.standing is not Standing.VISITOR or self.is_preview


_PAYS_FOR_IT = exists().where(
    Order.buyer_id == ACTOR,
    Order.course_id == Course.id,
    Order.status == OrderStatus.PENDING,
)
_HAS_REVIEWED = exists().where(Review.course_id == Course.id, Review.student_id == ACTOR)
_DOOR = (
    select(Lesson.id, Lesson.public_id, Lesson.title, Lesson.text_html)
    .add_columns(Lesson.summary_html, Lesson.video_id)
    .add_columns(Lesson.video_start, Lesson.duration, Lesson.status, Lesson.is_preview)
    .add_columns(Chapter.title, Course.id, Course.public_id, Course.slug, Course.title)
    .add_columns(Course.status, Course.price, Course.instructor_id == ACTOR)
    .add_columns(Enrolment.id.is_not(None), Enrolment.last_lesson_id, Enrolment.last_seen_at)
    .add_columns(LessonProgress.position, LessonProgress.completed_at)
    .add_columns(learning_reports.SEEN_OF_LESSON, _PAYS_FOR_IT)
    .add_columns(Enrolment.review_refused, _HAS_REVIEWED)
    .join(Chapter, Chapter.id == Lesson.chapter_id)
    .join(Course, Course.id == Chapter.course_id)
    .outerjoin(Enrolment, THEIR_ENROLMENT)
    .outerjoin(LessonProgress, THEIR_PROGRESS)
    .where(Lesson.public_id == bindparam("lesson"), THERE, Course.deleted_at.is_(None))
)


def door(session: Session, actor: Actor, lesson_id: object) -> Door:
    """Raises NotFound for what is not there and for what this person may not know of."""
    asked = {"actor": actor.id, "lesson": _known_form(lesson_id)}
    row = session.execute(_DOOR, asked).one_or_none()
    if row is None or not (found := Door(*row)).is_visible:
        raise NotFound(NO_LESSON)
    return found


def enrolled(session: Session, actor: Actor, lesson_id: object) -> Door:
    """For what only students do. Raises NotFound or NotAllowed."""
    found = door(session, actor, lesson_id)
    if found.standing is Standing.TEACHES:
        raise NotAllowed("You teach this course: the preview keeps no progress.")
    if found.standing is Standing.VISITOR:
        raise NotAllowed("Only students of this course have progress in it.")
    return found


def _known_form(lesson_id: object) -> str:
    if not isinstance(lesson_id, str) or not re.fullmatch(r"les_[0-9a-z]{1,20}", lesson_id):
        raise NotFound(NO_LESSON)
    return lesson_id
