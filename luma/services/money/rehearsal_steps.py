"""How far the last rehearsal of a course came: each step with its time, from the facts."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from luma.models.course import Course
from luma.models.letter import Letter
from luma.models.order import CheckoutAttempt, Order
from luma.models.payment import Payment, StripeEvent
from luma.models.rehearsal import Rehearsal
from luma.models.reversal import Refund
from luma.models.sandbox import SandboxEvent
from luma.services import authors, clock
from luma.services.gateways import checkout_events
from luma.services.money import rehearsal
from luma.services.policies import Actor
from luma.values import OrderStatus

LATE = timedelta(seconds=15)
NO_WORKER = "The worker does not run. Start it, or look at the jobs as an admin."
NO_MAIL = "The letters have not gone out. Look at the mail settings as an admin."


@dataclass(frozen=True, slots=True)
class Step:
    words: str
    at: datetime | None
    """When it was done; None while it is not."""
    mend: str = ""
    """What to repair when it does not get done."""


@dataclass(frozen=True, slots=True)
class View:
    course_id: str
    title: str
    price: str
    why_not: str | None
    steps: tuple[Step, ...]
    """Empty before the first rehearsal."""
    is_running: bool
    is_late: bool
    started_at: datetime | None
    ended_at: datetime | None
    trouble: str | None


def look(session: Session, actor: Actor, public_id: str) -> View:
    """How it stands; looking makes it go on."""
    course = authors.own_course(session, actor, public_id)
    newest = select(Rehearsal.id).where(Rehearsal.course_id == course.id)
    row_id = session.scalar(newest.order_by(Rehearsal.id.desc()).limit(1))
    if row_id is None:
        return _view(course, None, ())
    rehearsal.go_on(session, row_id)
    row = session.get_one(Rehearsal, row_id)
    return _view(course, row, _steps(session, row))


def _view(course: Course, row: Rehearsal | None, steps: tuple[Step, ...]) -> View:
    is_running = row is not None and row.ended_at is None
    return View(
        course_id=course.public_id,
        title=course.title,
        price=course.price.words(),
        why_not=rehearsal.why_not(course),
        steps=steps,
        is_running=is_running,
        is_late=bool(row and is_running and row.started_at < clock.now() - LATE),
        started_at=row.started_at if row else None,
        ended_at=row.ended_at if row else None,
        trouble=row.trouble if row else None,
    )


def _steps(session: Session, row: Rehearsal) -> tuple[Step, ...]:
    order = session.get(Order, row.order_id) if row.order_id else None
    visit = session.scalar(select(CheckoutAttempt).where(CheckoutAttempt.order_id == row.order_id))
    sent = _paid_event(session, visit.session_id if visit else None)
    applied = sent and session.scalar(
        select(StripeEvent.done_at).where(StripeEvent.event_id == sent.event_id)
    )
    is_back = order is not None and order.status is OrderStatus.REFUNDED
    refunded_at = _refunded_at(session, row)
    return (
        Step("A checkout opens", visit.created_at if visit else None, NO_WORKER),
        Step("The test buyer pays", sent.created_at if sent else None, NO_WORKER),
        Step(
            "The signed event reaches LUMA over HTTP",
            sent.delivered_at if sent else None,
            (sent and sent.trouble) or NO_WORKER,
        ),
        Step("LUMA applies it", applied or None, NO_WORKER),
        Step("The course opens", row.opened_at, NO_WORKER),
        Step("The letters go out", _letters_at(session, row), NO_MAIL),
        Step("The money goes back", refunded_at, NO_WORKER),
        Step("The course closes again", refunded_at if is_back else None, NO_WORKER),
    )


def _paid_event(session: Session, session_id: str | None) -> SandboxEvent | None:
    return session.scalar(
        select(SandboxEvent).where(
            SandboxEvent.session_id == session_id, SandboxEvent.type == checkout_events.COMPLETED
        )
    )


def _refunded_at(session: Session, row: Rehearsal) -> datetime | None:
    return session.scalar(
        select(func.max(Refund.refunded_at))
        .join(Payment, Payment.id == Refund.payment_id)
        .where(Payment.order_id == row.order_id)
    )


def _letters_at(session: Session, row: Rehearsal) -> datetime | None:
    """When the last of them had gone; None while one waits or was refused."""
    letters = select(Letter.settled_at, Letter.trouble).where(
        Letter.user_id == row.buyer_id,
        Letter.created_at >= row.started_at,
        Letter.created_at <= (row.ended_at or clock.now()),
        Letter.kind.in_(("course-open", "receipt")),
    )
    found = session.execute(letters).all()
    times = [at for at, trouble in found if at is not None and not trouble]
    return max(times) if times and len(times) == len(found) else None
