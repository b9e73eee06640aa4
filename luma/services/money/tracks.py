"""Where an order has left its traces: the ids that lead from events and letters to it."""

import re
from collections.abc import Collection

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from luma.errors import NotFound
from luma.models.order import CheckoutAttempt, Order
from luma.models.payment import Payment, StripeEvent
from luma.models.reversal import Dispute, Refund

CODE = re.compile(r"[2-9a-hj-km-np-z]{12}")


def order(session: Session, public_id: object) -> Order:
    """By its id or its support code, however somebody has typed it. Raises NotFound."""
    found = session.scalar(select(Order).where(Order.public_id == _public_id(public_id)))
    if found is None:
        raise NotFound("There is no order with this code. Type it as the buyer's page shows it.")
    return found


def support_code(public_id: str) -> str:
    """What a buyer reads out: 7KQ2-M9X4-C6T8."""
    plain = public_id.removeprefix("ord_").upper()
    return "-".join(plain[start : start + 4] for start in range(0, len(plain), 4))


def names(session: Session, of: Order) -> set[str]:
    """Every id by which events may speak of the order."""
    visits = select(CheckoutAttempt.session_id).where(CheckoutAttempt.order_id == of.id)
    paid = select(Payment.payment_intent_id, Payment.charge_id).where(Payment.order_id == of.id)
    payments = select(Payment.id).where(Payment.order_id == of.id)
    found: set[str | None] = {of.public_id, *session.scalars(visits)}
    for row in session.execute(paid):
        found |= set(row)
    found |= set(session.scalars(select(Refund.refund_id).where(Refund.payment_id.in_(payments))))
    disputes = select(Dispute.dispute_id).where(Dispute.payment_id.in_(payments))
    found |= set(session.scalars(disputes))
    return {name for name in found if name}


def events_of(named: Collection[str]) -> Select[StripeEvent]:
    """Oldest first."""
    return (
        select(StripeEvent)
        .where(StripeEvent.subjects.overlap(sorted(named)))
        .order_by(StripeEvent.received_at, StripeEvent.id)
    )


def _public_id(typed: object) -> str:
    if not isinstance(typed, str):
        return ""
    plain = re.sub(r"[\s_-]", "", typed[:60]).lower().removeprefix("ord")
    return f"ord_{plain}" if CODE.fullmatch(plain) else ""
