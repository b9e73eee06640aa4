"""Access that no order gave: free, a gift, or by hand with a reason."""

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from luma.models.progress import Grant
from luma.services import clock
from luma.values import EnrolmentSource


def give(
    session: Session,
    student_id: int,
    course_id: int,
    source: EnrolmentSource,
    *,
    reason: str | None = None,
    given_by_id: int | None = None,
) -> int | None:
    """Write a grant; the caller derives the enrolment. A second one of its kind changes nothing.

    Returns the id of a new one.
    """
    new = insert(Grant).values(
        student_id=student_id,
        course_id=course_id,
        source=source,
        reason=reason,
        given_by_id=given_by_id,
        created_at=clock.now(),
    )
    found: int | None = session.scalar(new.on_conflict_do_nothing().returning(Grant.id))
    return found


def end(session: Session, student_id: int, course_id: int, source: EnrolmentSource) -> bool:
    """End the grant of this kind; the caller derives the enrolment. False when there is none."""
    ended = session.scalars(
        update(Grant)
        .where(
            Grant.student_id == student_id,
            Grant.course_id == course_id,
            Grant.source == source,
            Grant.ended_at.is_(None),
        )
        .values(ended_at=clock.now())
        .returning(Grant.id)
    )
    return ended.first() is not None


def live(session: Session, student_id: int, course_id: int) -> EnrolmentSource | None:
    """The kind of the oldest grant that gives access now."""
    return session.scalar(
        select(Grant.source)
        .where(
            Grant.student_id == student_id,
            Grant.course_id == course_id,
            Grant.ended_at.is_(None),
        )
        .order_by(Grant.id)
        .limit(1)
    )
