"""Things to test selling with: orders, and signed events as Stripe or the sandbox sends them."""

import json
import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from luma.models.course import Course
from luma.models.order import CheckoutAttempt, Order
from luma.models.payment import SandboxReversal, SandboxSession, StripeEvent
from luma.models.progress import Enrolment
from luma.models.user import User
from luma.services import clock
from luma.services.gateways import sandbox, sandbox_charges, sandbox_events, signatures
from luma.services.gateways.charge_events import CHARGE_UPDATED
from luma.services.gateways.checkout_events import COMPLETED, EXPIRED, FAILED_LATE, SUCCEEDED_LATE
from luma.services.gateways.protocol import CheckoutRequest, GatewayEvent
from luma.services.money import inbox
from luma.values import EventStatus, Money
from tests.factories import make_published, make_user
from tests.standins import contract

__all__ = ["COMPLETED", "EXPIRED", "FAILED_LATE", "SUCCEEDED_LATE"]


@dataclass(frozen=True)
class Sale:
    """An order that was opened and not paid yet."""

    buyer: User
    course: Course
    order: Order
    attempt: CheckoutAttempt

    def event(self, kind: str = COMPLETED, status: str = "paid", **changes: object) -> str:
        """The body of an event about this sale's checkout; `changes` are of the session."""
        return event_body(self.attempt, kind, status, **changes)


def open_sale(
    session: Session,
    *,
    price: Money | None = None,
    course: Course | None = None,
    discount: int = 0,
) -> Sale:
    """A buyer on the way to pay $49, as services/money/checkout.py leaves it."""
    buyer, course = make_user(session), course or make_published(session)
    course.price = price or course.price
    order = make_order(session, buyer, course, discount_minor=discount)
    return Sale(buyer, course, order, make_attempt(session, order))


def make_order(session: Session, buyer: User, course: Course, **changes: object) -> Order:
    now = clock.now()
    columns: dict[str, Any] = {
        "buyer_id": buyer.id,
        "course_id": course.id,
        "price": course.price,
        "fee_bps": 1000,
        "refund_days": 14,
        "gateway": "sandbox",
        "created_at": now,
        "updated_at": now,
    }
    order = Order(**(columns | changes))
    session.add(order)
    session.flush()
    return order


def make_attempt(session: Session, order: Order, session_id: str | None = "") -> CheckoutAttempt:
    """A visit with a session of its own; None for one whose answer has not come."""
    now = clock.now()
    earlier = len(
        session.scalars(
            select(CheckoutAttempt.id).where(CheckoutAttempt.order_id == order.id)
        ).all()
    )
    name = f"cs_sbx_{order.id:030d}{earlier:02d}" if session_id == "" else session_id
    attempt = CheckoutAttempt(
        order_id=order.id,
        operation_key=f"luma:checkout:{order.public_id}:{earlier + 1}",
        request=request_for(order).frozen(),
        session_id=name,
        url=f"https://pay.example/{name}" if name else None,
        created_at=now,
        expires_at=now + timedelta(hours=2) if name else None,
    )
    session.add(attempt)
    session.flush()
    return attempt


def request_for(order: Order) -> CheckoutRequest:
    return CheckoutRequest(
        order=order.public_id,
        title="Bread for beginners",
        price_id="price_sbx_1",
        amount=order.price,
        email="anna@example.org",
        success_url=f"http://127.0.0.1:8080/checkout/{order.public_id}",
        cancel_url=f"http://127.0.0.1:8080/checkout/{order.public_id}/cancelled",
        expires_at=int((clock.now() + timedelta(hours=2)).timestamp()),
        discount=order.discount_minor,
    )


def event_body(attempt: CheckoutAttempt, kind: str, status: str, **changes: object) -> str:
    row = SandboxSession(
        session_id=attempt.session_id or "cs_sbx_unanswered",
        operation_key="",
        request=attempt.request,
        status="expired" if kind == EXPIRED else "complete",
        payment_status="unpaid" if kind in (EXPIRED, FAILED_LATE) else status,
        created_at=clock.now(),
        expires_at=clock.now() + timedelta(hours=2),
    )
    event = json.loads(sandbox_events.event(kind, sandbox_events.session(row), clock.now()))
    event["data"]["object"] |= changes
    if not changes:
        assert contract.event_faults(event) == []
    return json.dumps(event)


def refund_event(
    sale: Sale,
    minor: int | None = None,
    status: str = "succeeded",
    *,
    name: str = "1",
    refund_id: str | None = None,
) -> str:
    """About a refund of this sale; `name` tells one from another."""
    thing = sandbox_events.refund(_reversal(sale, "refund", minor, status, name))
    return _checked("refund.updated", thing | ({"id": refund_id} if refund_id else {}))


def dispute_event(sale: Sale, status: str = "needs_response", *, name: str = "1") -> str:
    kind = "charge.dispute.created" if status == "needs_response" else "charge.dispute.closed"
    return _checked(kind, sandbox_events.dispute(_reversal(sale, "dispute", None, status, name)))


def charge_event(sale: Sale, kind: str = CHARGE_UPDATED, **changes: object) -> str:
    """About what this sale's payment settled to; `changes` are of the charge."""
    row = SandboxSession(
        session_id=sale.attempt.session_id or "",
        request=sale.attempt.request,
        status="complete",
        payment_status="paid",
        created_at=clock.now(),
        expires_at=clock.now(),
    )
    return _checked(kind, sandbox_charges.charge(row, is_whole=True) | changes)


def settled_as(minor: int, currency: str, fee: int) -> dict[str, object]:
    """The balance transaction of a charge."""
    known = contract.example("balance_transaction")
    return known | {"amount": minor, "currency": currency, "fee": fee, "net": minor - fee}


def _reversal(sale: Sale, kind: str, minor: int | None, status: str, name: str) -> SandboxReversal:
    return SandboxReversal(
        object_id=f"{kind}_sbx_{sale.order.id}_{name}",
        kind=kind,
        session_id=sale.attempt.session_id or "",
        operation_key="",
        amount_minor=sale.order.price.minor if minor is None else minor,
        amount_currency=sale.order.price.currency,
        status=status,
        created_at=clock.now(),
    )


def _checked(kind: str, thing: dict[str, object]) -> str:
    body = sandbox_events.event(kind, thing, clock.now())
    assert contract.event_faults(json.loads(body)) == []
    return body


def deliver(session: Session, *bodies: str) -> None:
    """Receive and apply, one after the other; at the end what was parked gets its turn."""
    last = session.scalar(select(func.max(StripeEvent.id))) or 0
    arrived = select(StripeEvent.id).where(StripeEvent.id > last)
    for body in bodies:
        inbox.receive(session, [received(body)])
        inbox.apply(list(session.scalars(arrived.where(StripeEvent.status == EventStatus.NEW))))
    parked = select(StripeEvent.id).where(StripeEvent.status == EventStatus.PARKED)
    inbox.apply(list(session.scalars(parked.order_by(StripeEvent.id))))
    session.expire_all()


def event_of_no_consequence(padding: str = "x" * 1500) -> str:
    """One that LUMA keeps, and does nothing about."""
    event = {
        "id": f"evt_sbx_{secrets.token_hex(12)}",
        "object": "event",
        "api_version": None,
        "created": int(datetime.now(UTC).timestamp()),
        "data": {"object": {"id": "in_1", "object": "invoice", "lines": padding}},
        "livemode": False,
        "type": "invoice.updated",
    }
    return json.dumps(event)


def received(body: str) -> GatewayEvent:
    """The event as the webhook hands it on."""
    return signatures.read(body.encode(), "sandbox")


def from_stripe(event: GatewayEvent) -> GatewayEvent:
    return replace(event, source="push")


def signed(body: str | bytes, secret: str | None = None, at: datetime | None = None) -> str:
    """The Stripe-Signature header, by the sandbox's secret unless another is given."""
    payload = body if isinstance(body, bytes) else body.encode()
    when = int((at or datetime.now(UTC)).timestamp())
    return signature_at(payload, secret or sandbox.secret(), when)


def signature_at(payload: bytes, secret: str, when: int | str) -> str:
    import hmac
    from hashlib import sha256

    mac = hmac.new(secret.encode(), f"{when}.".encode() + payload, sha256).hexdigest()
    return f"t={when},v1={mac}"


def rows_waiting(session: Session) -> list[int]:
    return list(session.scalars(select(StripeEvent.id).order_by(StripeEvent.id)))


def is_learning(session: Session, sale: Sale) -> bool:
    """Whether the buyer has access, asked of the table."""
    session.expire_all()
    active = session.scalar(
        select(Enrolment.active).where(
            Enrolment.student_id == sale.buyer.id, Enrolment.course_id == sale.course.id
        )
    )
    return bool(active)


def settled_sale(session: Session, *, course: Course | None = None, days: int = 20) -> Sale:
    """Sold, paid and settled so many days ago: with 20, the promise of a refund is over."""
    sale = open_sale(session, course=course)
    deliver(session, sale.event(), charge_event(sale))
    sale.order.paid_at = clock.now() - timedelta(days=days)
    session.flush()
    return sale
