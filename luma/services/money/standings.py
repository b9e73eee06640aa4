"""What is left of each payment, after refunds and disputes."""

from dataclasses import dataclass
from enum import Enum

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from luma.models.order import Order
from luma.models.payment import Payment
from luma.models.reversal import Dispute, Refund, RefundRequest
from luma.values import DisputeStatus, RefundStatus

COUNTED = [status for status in RefundStatus if status.counts]


class Standing(Enum):
    LIVE = "live"
    DISPUTED = "disputed"
    LOST = "lost"
    REFUNDED = "refunded"


@dataclass(frozen=True, slots=True)
class PaymentStanding:
    """One payment. `refunded` is in its currency's minor units."""

    payment_id: int
    mismatch: str | None
    paid: int
    refunded: int
    disputes: frozenset[DisputeStatus]

    @property
    def standing(self) -> Standing:
        """A full refund and a lost dispute are final for it; an open dispute suspends."""
        if DisputeStatus.LOST in self.disputes:
            return Standing.LOST
        if 0 < self.paid <= self.refunded:
            return Standing.REFUNDED
        if any(status.suspends for status in self.disputes):
            return Standing.DISPUTED
        return Standing.LIVE

    @property
    def is_good(self) -> bool:
        """Whether it pays for its order now."""
        return self.mismatch is None and self.standing is Standing.LIVE


@dataclass(frozen=True, slots=True)
class Returnable:
    """A payment that may be given back, and what is asked back of it: in minor units."""

    payment: PaymentStanding
    waiting: int

    @property
    def left(self) -> int:
        return self.payment.paid - self.payment.refunded - self.waiting


def of_order(session: Session, order_id: int) -> list[PaymentStanding]:
    """Every payment of an order, oldest first, in one statement."""
    refunded = (
        select(func.coalesce(func.sum(Refund.amount_minor), 0))
        .where(Refund.payment_id == Payment.id, Refund.status.in_(COUNTED))
        .scalar_subquery()
    )
    disputes = select(func.array_agg(Dispute.status)).where(Dispute.payment_id == Payment.id)
    rows = session.execute(
        select(Payment.id, Payment.mismatch, Payment.amount_minor, refunded)
        .add_columns(disputes.scalar_subquery())
        .where(Payment.order_id == order_id)
        .order_by(Payment.id)
    )
    return [
        PaymentStanding(number, mismatch, paid, int(back), _statuses(words))
        for number, mismatch, paid, back, words in rows
    ]


def returnable(session: Session, order: Order) -> list[Returnable]:
    """Payments in the order's currency that nothing disputes, and what is asked back of each."""
    waiting = dict(
        session.execute(
            select(RefundRequest.payment_id, func.sum(RefundRequest.amount_minor))
            .join(Payment, Payment.id == RefundRequest.payment_id)
            .where(
                Payment.order_id == order.id,
                RefundRequest.refund_id.is_(None),
                RefundRequest.refusal.is_(None),
            )
            .group_by(RefundRequest.payment_id)
        ).all()
    )
    own = select(Payment.id).where(
        Payment.order_id == order.id, Payment.amount_currency == order.price.currency
    )
    ours = set(session.scalars(own))
    return [
        Returnable(payment, int(waiting.get(payment.payment_id, 0)))
        for payment in of_order(session, order.id)
        if payment.payment_id in ours and payment.standing in (Standing.LIVE, Standing.REFUNDED)
    ]


def _statuses(words: list[str] | None) -> frozenset[DisputeStatus]:
    return frozenset(map(DisputeStatus, words or ()))
