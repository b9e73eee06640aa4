"""Who may do what."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from luma.errors import NotAllowed, NotFound, ProveAgain
from luma.models.course import Course
from luma.models.progress import Enrolment
from luma.services import clock
from luma.values import Role

FRESH = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Actor:
    """Whoever acts, as the database knew them at the start of this transaction."""

    id: int
    name: str
    email: str
    roles: frozenset[Role]
    session_key: str = ""
    """Of the session in which they act."""
    authenticated_at: datetime | None = None
    """When they last showed in it who they are."""

    @property
    def teaches(self) -> bool:
        return Role.INSTRUCTOR in self.roles

    @property
    def is_admin(self) -> bool:
        return Role.ADMIN in self.roles


def ensure_fresh(actor: Actor) -> None:
    """Before what matters. Raises ProveAgain ten minutes after the last password or code."""
    proved = actor.authenticated_at
    if proved is None or clock.now() - proved > FRESH:
        raise ProveAgain


def ensure_teaches(actor: Actor) -> None:
    if not actor.teaches:
        raise NotAllowed("Only instructors work in the studio. You can become one in your account.")


def ensure_admin(actor: Actor) -> None:
    if not actor.is_admin:
        raise NotAllowed("This page is for admins.")


def ensure_sells(actor: Actor, course: Course) -> None:
    """The instructor of the course, also after it is deleted, and admins."""
    if course.instructor_id != actor.id and not actor.is_admin:
        raise NotFound("There is no such order among your sales.")


def ensure_can_edit(actor: Actor, course: Course) -> None:
    """Another instructor's course is not found rather than forbidden: it is not theirs to know."""
    ensure_teaches(actor)
    if course.instructor_id != actor.id or course.deleted_at is not None:
        raise NotFound("There is no such course among yours.")


def may_learn(session: Session, actor: Actor, course: Course) -> bool:
    """Enrolled, or the one who teaches it."""
    if course.deleted_at is not None:
        return False
    return course.instructor_id == actor.id or is_enrolled(session, actor.id, course.id)


def is_enrolled(session: Session, student_id: int, course_id: int) -> bool:
    enrolled = exists().where(
        Enrolment.student_id == student_id,
        Enrolment.course_id == course_id,
        Enrolment.active,
    )
    return bool(session.scalar(select(enrolled)))
