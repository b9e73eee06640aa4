"""Sales of any day and size, written as facts, for what adds them up."""

from datetime import datetime
from itertools import count

from sqlalchemy.orm import Session

from luma.models.course import Course
from luma.models.order import Order
from luma.models.payment import Payment
from luma.models.reversal import Dispute, Refund
from luma.models.user import User
from luma.values import DisputeStatus, Money, OrderStatus, RefundStatus
from tests.factories import make_user
from tests.selling import make_order

_numbers = count(1)


def sold(
    session: Session,
    course: Course,
    at: datetime,
    amount: Money | None = None,
    *,
    buyer: User | None = None,
    tax: int = 0,
    mismatch: str | None = None,
    prefix: str = "cs_sbx_",
    **order: object,
) -> Payment:
    """Paid in full at that moment, by somebody new unless they are named."""
    paid = amount or course.price
    wanted = {
        "price": paid,
        "status": OrderStatus.PAID,
        "paid_at": at,
        "created_at": at,
        "updated_at": at,
    }
    made = make_order(session, buyer or make_user(session), course, **(wanted | order))
    return pay(session, made, at, paid, tax=tax, mismatch=mismatch, prefix=prefix)


def pay(
    session: Session,
    order: Order,
    at: datetime,
    amount: Money,
    *,
    tax: int = 0,
    mismatch: str | None = None,
    prefix: str = "cs_sbx_",
) -> Payment:
    payment = Payment(
        order_id=order.id,
        session_id=f"{prefix}ledger{next(_numbers)}",
        amount=amount,
        tax_minor=tax,
        mismatch=mismatch,
        paid_at=at,
    )
    session.add(payment)
    session.flush()
    return payment


def refunded(
    session: Session,
    payment: Payment,
    minor: int,
    at: datetime,
    status: RefundStatus = RefundStatus.SUCCEEDED,
) -> None:
    session.add(
        Refund(
            refund_id=f"re_ledger{next(_numbers)}",
            payment_id=payment.id,
            amount=Money(minor, payment.amount_currency),
            status=status,
            rank=status.rank,
            refunded_at=at,
        )
    )
    session.flush()


def disputed(
    session: Session,
    payment: Payment,
    at: datetime,
    status: DisputeStatus,
    amount: Money | None = None,
    due_by: datetime | None = None,
) -> None:
    session.add(
        Dispute(
            dispute_id=f"dp_ledger{next(_numbers)}",
            payment_id=payment.id,
            amount=amount or payment.amount,
            status=status,
            rank=status.rank,
            reason="product_not_received",
            due_by=due_by,
            opened_at=at,
        )
    )
    session.flush()
