"""What others do with a review: the instructor answers, readers find it helpful or report it."""

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from luma.errors import NotFound, RuleBroken
from luma.models.course import Course
from luma.models.review import Review, ReviewReport, ReviewVote
from luma.services import clock, policies, texts
from luma.services.policies import Actor
from luma.values import CourseStatus, ReportReason

LONGEST_REPLY = 2_000
LONGEST_NOTE = 500
GONE = "This review is not there any more."


def reply(session: Session, actor: Actor, review_id: object, text: object) -> str:
    """The instructor's one answer below a review; empty takes it back. Returns the course's slug.

    Raises NotFound for a review of somebody else's course.
    """
    review, course = _review(session, review_id, lock=True)
    policies.ensure_can_edit(actor, course)
    review.answer(texts.body(text, "Reply", LONGEST_REPLY).strip(), clock.now())
    return course.slug


def find(session: Session, actor: Actor, review_id: object) -> tuple[str, str, str]:
    """Course slug, course title and words of a review that anybody may see. Raises NotFound."""
    review, course = _public(session, review_id)
    return course.slug, course.title, review.text


def report(session: Session, actor: Actor, review_id: object, reason: object, note: object) -> str:
    """Ask an admin to look. Saying it twice changes nothing. Returns the course's slug."""
    review, course = _public(session, review_id)
    if review.student_id == actor.id:
        raise RuleBroken("This is your own review. You can change or remove it.")
    if reason not in list(ReportReason):
        raise RuleBroken("Choose what is wrong with the review.")
    session.execute(
        insert(ReviewReport)
        .values(
            review_id=review.id,
            reporter_id=actor.id,
            reason=ReportReason(str(reason)),
            note=texts.line(note, "Note", LONGEST_NOTE, required=False),
            created_at=clock.now(),
        )
        .on_conflict_do_nothing()
    )
    return course.slug


def vote(session: Session, actor: Actor, review_id: object, *, helpful: bool) -> str:
    """Find a review helpful, or not after all. Returns the course's slug."""
    review, course = _public(session, review_id)
    if review.student_id == actor.id:
        raise RuleBroken("Whether your own review is helpful, others say.")
    session.refresh(review, with_for_update=True)
    if helpful:
        session.execute(
            insert(ReviewVote)
            .values(review_id=review.id, voter_id=actor.id)
            .on_conflict_do_nothing()
        )
    else:
        session.execute(
            delete(ReviewVote).where(
                ReviewVote.review_id == review.id, ReviewVote.voter_id == actor.id
            )
        )
    votes = select(func.count()).where(ReviewVote.review_id == review.id).scalar_subquery()
    session.execute(update(Review).where(Review.id == review.id).values(helpful=votes))
    return course.slug


def _public(session: Session, review_id: object) -> tuple[Review, Course]:
    review, course = _review(session, review_id)
    if review.hidden_at is not None or course.status is not CourseStatus.PUBLISHED:
        raise NotFound(GONE)
    return review, course


def _review(session: Session, review_id: object, *, lock: bool = False) -> tuple[Review, Course]:
    wanted = (
        select(Review, Course)
        .join(Course, Course.id == Review.course_id)
        .where(Review.public_id == texts.key(review_id), Course.deleted_at.is_(None))
    )
    if lock:
        wanted = wanted.with_for_update(of=Review)
    row = session.execute(wanted).one_or_none()
    if row is None:
        raise NotFound(GONE)
    review, course = row
    return review, course
