"""A school at a glance, for whoever runs it: how much there is, and what needs them."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, select, text
from sqlalchemy.orm import Session

from luma.models.course import Course
from luma.models.order import Order
from luma.models.progress import Enrolment
from luma.models.review import ReviewReport
from luma.models.user import User, rehearsal_buyers
from luma.services import health, policies
from luma.services.admin import jobs
from luma.services.admin.jobs import StuckEvent
from luma.services.health import Health
from luma.services.policies import Actor
from luma.values import CourseStatus, Money, OrderStatus

MOST_LISTED = 50


@dataclass(frozen=True, slots=True)
class OddOrder:
    public_id: str
    course_title: str
    email: str
    price: Money
    status: OrderStatus
    reason: str
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Overview:
    people: int
    courses: int
    hidden_courses: int
    enrolments: int
    reported_reviews: int
    failed_jobs: int
    odd_orders: tuple[OddOrder, ...]
    stuck_events: tuple[StuckEvent, ...]
    health: Health


def overview(session: Session, actor: Actor) -> Overview:
    """Raises NotAllowed unless the actor is an admin."""
    policies.ensure_admin(actor)
    published = select(func.count(Course.id)).where(Course.status == CourseStatus.PUBLISHED)
    hidden = select(func.count(Course.id)).where(
        Course.hidden_at.is_not(None), Course.deleted_at.is_(None)
    )
    reported = select(func.count(ReviewReport.review_id.distinct())).where(
        ReviewReport.settled_at.is_(None)
    )
    people = select(func.count(User.id)).where(User.rehearses_for_id.is_(None))
    enrolments = select(func.count(Enrolment.id)).where(
        Enrolment.active, Enrolment.student_id.not_in(rehearsal_buyers())
    )
    failed = text("SELECT count(*) FROM procrastinate_jobs WHERE status = 'failed'")
    return Overview(
        people=_count(session, people),
        courses=_count(session, published),
        hidden_courses=_count(session, hidden),
        enrolments=_count(session, enrolments),
        reported_reviews=_count(session, reported),
        failed_jobs=int(session.execute(failed).scalar_one()),
        odd_orders=_odd_orders(session),
        stuck_events=jobs.stuck_events(session),
        health=health.health(session),
    )


def _count(session: Session, question: Select[int]) -> int:
    return session.scalar(question) or 0


def _odd_orders(session: Session) -> tuple[OddOrder, ...]:
    """Paid in a way that does not fit: `review_reason` says how, whatever the status."""
    rows = session.execute(
        select(Order, Course.title, User.email)
        .join(Order.course)
        .join(Order.buyer)
        .where(Order.review_reason.is_not(None))
        .order_by(Order.updated_at.desc())
        .limit(MOST_LISTED)
    )
    return tuple(
        OddOrder(
            order.public_id,
            title,
            email,
            order.price,
            order.status,
            order.review_reason or "",
            order.updated_at,
        )
        for order, title, email in rows
    )
