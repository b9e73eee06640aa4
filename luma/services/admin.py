"""What whoever runs the school must see: what is stuck, and how much there is."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from luma.models.course import Course
from luma.models.order import Order
from luma.models.payment import StripeEvent
from luma.models.progress import Enrolment
from luma.models.user import User
from luma.services import policies
from luma.services.policies import Actor
from luma.values import CourseStatus, EventStatus, Money, OrderStatus

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
class StuckEvent:
    event_id: str
    type: str
    status: EventStatus
    attempts: int
    last_error: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class FailedJob:
    id: int
    task: str
    attempts: int


@dataclass(frozen=True, slots=True)
class Overview:
    people: int
    courses: int
    enrolments: int
    odd_orders: list[OddOrder]
    stuck_events: list[StuckEvent]
    failed_jobs: list[FailedJob]


def overview(session: Session, actor: Actor) -> Overview:
    """Raises NotAllowed unless the actor is an admin."""
    policies.ensure_admin(actor)
    return Overview(
        people=_count(session, select(func.count(User.id))),
        courses=_count(
            session,
            select(func.count(Course.id)).where(Course.status == CourseStatus.PUBLISHED),
        ),
        enrolments=_count(session, select(func.count(Enrolment.id)).where(Enrolment.active)),
        odd_orders=_odd_orders(session),
        stuck_events=_stuck_events(session),
        failed_jobs=_failed_jobs(session),
    )


def _count(session: Session, question: object) -> int:
    return int(session.scalar(question) or 0)  # type: ignore[call-overload]  # a count


def _odd_orders(session: Session) -> list[OddOrder]:
    """Paid in a way that does not fit: `review_reason` says how, whatever the status."""
    rows = session.execute(
        select(Order, Course.title, User.email)
        .join(Order.course)
        .join(Order.buyer)
        .where(Order.review_reason.is_not(None))
        .order_by(Order.updated_at.desc())
        .limit(MOST_LISTED)
    )
    return [
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
    ]


def _stuck_events(session: Session) -> list[StuckEvent]:
    rows = session.scalars(
        select(StripeEvent)
        .where(StripeEvent.status.in_([EventStatus.PARKED, EventStatus.DEAD]))
        .order_by(StripeEvent.received_at.desc())
        .limit(MOST_LISTED)
    )
    return [
        StuckEvent(e.event_id, e.type, e.status, e.attempts, e.last_error or "", e.received_at)
        for e in rows
    ]


def _failed_jobs(session: Session) -> list[FailedJob]:
    rows = session.execute(
        text(
            "SELECT id, task_name, attempts FROM procrastinate_jobs"
            " WHERE status = 'failed' ORDER BY id DESC LIMIT :most"
        ),
        {"most": MOST_LISTED},
    )
    return [FailedJob(row.id, row.task_name, row.attempts) for row in rows]
