"""Reviews that somebody reported, for the admin who decides what becomes of them."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, or_, select, update
from sqlalchemy.orm import Session

from luma.errors import NotFound, RuleBroken
from luma.models.course import Course
from luma.models.review import Review, ReviewReport
from luma.models.user import User
from luma.services import audit, clock, policies, ratings, texts
from luma.services.policies import Actor
from luma.services.review_reactions import GONE
from luma.services.review_wall import FORMER

LONGEST_REASON = 300
MOST_LISTED = 100


@dataclass(frozen=True, slots=True)
class Report:
    reason: str
    note: str
    reported_at: datetime


@dataclass(frozen=True, slots=True)
class ReportedReview:
    """`changed_since`: its writer has changed it after it was hidden."""

    id: str
    course_title: str
    course_slug: str
    writer: str
    stars: int
    text: str
    written_at: datetime
    hidden_reason: str | None
    changed_since: bool
    reports: tuple[Report, ...]


OPEN = exists().where(ReviewReport.review_id == Review.id, ReviewReport.settled_at.is_(None))


def reported(session: Session, actor: Actor) -> list[ReportedReview]:
    """Those with an open report and those that are hidden, the newest first."""
    policies.ensure_admin(actor)
    rows = session.execute(
        select(Review, Course.title, Course.slug, User.name)
        .join(Course, Course.id == Review.course_id)
        .outerjoin(User, User.id == Review.student_id)
        .where(or_(OPEN, Review.hidden_at.is_not(None)))
        .order_by(Review.id.desc())
        .limit(MOST_LISTED)
    ).all()
    reports = _reports(session, [row[0].id for row in rows])
    return [
        ReportedReview(
            id=review.public_id,
            course_title=title,
            course_slug=slug,
            writer=name or FORMER,
            stars=review.stars,
            text=review.text,
            written_at=review.created_at,
            hidden_reason=review.hidden_reason,
            changed_since=review.hidden_at is not None and review.updated_at > review.hidden_at,
            reports=tuple(reports[review.id]),
        )
        for review, title, slug, name in rows
    ]


def hide(session: Session, actor: Actor, review: object, reason: object) -> None:
    """Nobody but its writer sees it any more, and the writer sees the reason."""
    policies.ensure_admin(actor)
    said = texts.line(reason, "Reason", LONGEST_REASON)
    found = _locked(session, review)
    if found.hidden_at is not None:
        raise RuleBroken("This review is hidden already.")
    found.hide(said, clock.now())
    _settle(session, found)
    ratings.recount(session, found.course_id)
    audit.note(session, actor, "review.hide", _thing(found), after={"reason": said})


def show_again(session: Session, actor: Actor, review: object) -> None:
    policies.ensure_admin(actor)
    found = _locked(session, review)
    if found.hidden_at is None:
        raise RuleBroken("This review is not hidden.")
    before = {"reason": found.hidden_reason}
    found.show()
    _settle(session, found)
    ratings.recount(session, found.course_id)
    audit.note(session, actor, "review.show_again", _thing(found), before=before)


def dismiss(session: Session, actor: Actor, review: object) -> None:
    """The review stays; its reports are settled."""
    policies.ensure_admin(actor)
    found = _locked(session, review)
    _settle(session, found)
    audit.note(session, actor, "review.dismiss_reports", _thing(found))


def _locked(session: Session, review_id: object) -> Review:
    """With its course, in the order in which writers lock them."""
    key = texts.key(review_id)
    course_id = session.scalar(select(Review.course_id).where(Review.public_id == key))
    if course_id is not None:
        ratings.lock(session, course_id)
    found = session.scalar(
        select(Review).where(Review.public_id == key).execution_options(populate_existing=True)
    )
    if found is None:
        raise NotFound(GONE)
    return found


def _settle(session: Session, review: Review) -> None:
    session.execute(
        update(ReviewReport)
        .where(ReviewReport.review_id == review.id, ReviewReport.settled_at.is_(None))
        .values(settled_at=clock.now())
    )


def _reports(session: Session, reviews: list[int]) -> dict[int, list[Report]]:
    found: dict[int, list[Report]] = defaultdict(list)
    rows = session.scalars(
        select(ReviewReport)
        .where(ReviewReport.review_id.in_(reviews), ReviewReport.settled_at.is_(None))
        .order_by(ReviewReport.id)
    )
    for report in rows:
        found[report.review_id].append(Report(report.reason.words, report.note, report.created_at))
    return found


def _thing(review: Review) -> str:
    return f"review {review.public_id}"
