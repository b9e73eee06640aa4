"""What became of a checkout of the sandbox: at the gateway, on the way, and at LUMA."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from luma.errors import NotAllowed
from luma.models.course import Course
from luma.models.order import CheckoutAttempt, Order
from luma.models.payment import SandboxReversal, SandboxSession, StripeEvent
from luma.models.progress import Enrolment
from luma.models.sandbox import SandboxEvent
from luma.services import clock
from luma.services.gateways import sandbox, sandbox_reversals
from luma.services.gateways.protocol import CheckoutRequest
from luma.services.money.sandbox import SandboxCheckout, checkout
from luma.services.policies import Actor
from luma.values import EventStatus, Money, OrderStatus

MOST_LISTED = 50
MOST_EVENTS = 40
WATCHED_FOR = timedelta(minutes=2)
"""How long a page keeps asking for what is on its way."""


@dataclass(frozen=True, slots=True)
class Faults:
    """What goes wrong with the events of one checkout."""

    twice: bool
    swap: bool
    drop: bool
    delay: int

    @property
    def any(self) -> bool:
        return self.twice or self.swap or self.drop or self.delay > 0


@dataclass(frozen=True, slots=True)
class Reversal:
    object_id: str
    kind: str
    amount: Money
    status: str


@dataclass(frozen=True, slots=True)
class Sent:
    """An event of this checkout, and what LUMA made of it."""

    event_id: str
    type: str
    made_at: datetime
    fate: str
    trouble: str | None
    source: str | None
    status: EventStatus | None

    @property
    def is_on_its_way(self) -> bool:
        is_applied = self.status in (EventStatus.DONE, EventStatus.DEAD)
        is_young = self.made_at > clock.now() - WATCHED_FOR
        return self.fate == "sent" and not is_applied and is_young


@dataclass(frozen=True, slots=True)
class Desk:
    checkout: SandboxCheckout
    order: OrderStatus | None
    """How LUMA has it, which follows the gateway's events."""
    has_access: bool
    left: Money
    is_disputed: bool
    reversals: tuple[Reversal, ...]
    events: tuple[Sent, ...]
    """The newest first."""
    faults: Faults

    @property
    def is_waiting(self) -> bool:
        return any(event.is_on_its_way for event in self.events)


@dataclass(frozen=True, slots=True)
class Listed:
    session_id: str
    title: str
    price: Money
    buyer: str
    created_at: datetime
    order: OrderStatus


def desk(session: Session, session_id: str) -> Desk:
    """Raises NotFound, also where there is no sandbox."""
    shown, row = checkout(session, session_id), sandbox.locked(session, session_id)
    order, has_access = _in_luma(session, CheckoutRequest.thawed(row.request).order)
    gone = sandbox_reversals.of(session, row)
    return Desk(
        checkout=shown,
        order=order,
        has_access=has_access,
        left=sandbox_reversals.left(session, row),
        is_disputed=any(one.is_open for one in gone),
        reversals=tuple(map(_reversal, gone)),
        events=_events(session, session_id),
        faults=Faults(row.delivers_twice, row.swaps, row.drops, row.delay_seconds),
    )


def recent(session: Session, actor: Actor) -> list[Listed]:
    """The last checkouts, the newest first: an admin sees all, an instructor those of their own."""
    sandbox.ensure_on()
    if not (actor.is_admin or actor.teaches):
        raise NotAllowed("The sandbox's checkouts are for instructors and admins.")
    asked = (
        select(
            SandboxSession.session_id,
            Course.title,
            Order.price_minor,
            Order.price_currency,
            SandboxSession.request["email"].astext,
            SandboxSession.created_at,
            Order.status,
        )
        .join(CheckoutAttempt, CheckoutAttempt.session_id == SandboxSession.session_id)
        .join(Order, Order.id == CheckoutAttempt.order_id)
        .join(Course, Course.id == Order.course_id)
        .order_by(SandboxSession.id.desc())
        .limit(MOST_LISTED)
    )
    if not actor.is_admin:
        asked = asked.where(Course.instructor_id == actor.id)
    return [
        Listed(name, title, Money(minor, currency), buyer, at, status)
        for name, title, minor, currency, buyer, at, status in session.execute(asked)
    ]


def _reversal(row: SandboxReversal) -> Reversal:
    amount = Money(row.amount_minor, row.amount_currency)
    return Reversal(row.object_id, row.kind, amount, row.status)


def _in_luma(session: Session, public_id: str) -> tuple[OrderStatus | None, bool]:
    found = session.execute(
        select(Order.status, Enrolment.active)
        .outerjoin(
            Enrolment,
            (Enrolment.student_id == Order.buyer_id) & (Enrolment.course_id == Order.course_id),
        )
        .where(Order.public_id == public_id)
    ).one_or_none()
    return (found[0], bool(found[1])) if found else (None, False)


def _events(session: Session, session_id: str) -> tuple[Sent, ...]:
    asked = (
        select(
            SandboxEvent.event_id,
            SandboxEvent.type,
            SandboxEvent.created_at,
            SandboxEvent.fate,
            SandboxEvent.trouble,
            StripeEvent.source,
            StripeEvent.status,
        )
        .outerjoin(StripeEvent, StripeEvent.event_id == SandboxEvent.event_id)
        .where(SandboxEvent.session_id == session_id)
        .order_by(SandboxEvent.id.desc())
        .limit(MOST_EVENTS)
    )
    return tuple(Sent(*row) for row in session.execute(asked))
