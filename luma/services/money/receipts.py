"""Receipts: the page that every sale has, and the gateway's own document when there is one."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ScalarSelect, func, select, update
from sqlalchemy.orm import Session

from luma.errors import NotFound
from luma.models.course import Course
from luma.models.order import Order
from luma.models.payment import Payment
from luma.models.reversal import Refund
from luma.models.user import User
from luma.services.gateways.invoice_events import InvoiceFact
from luma.services.money import orders
from luma.services.money.reversals import NotOurs, UnknownPayment
from luma.services.money.standings import COUNTED
from luma.services.policies import Actor
from luma.values import Money


@dataclass(frozen=True, slots=True)
class Receipt:
    order: str
    buyer: str
    email: str
    course: str
    instructor: str
    paid_at: datetime
    price: Money
    discount: Money
    tax: Money
    tax_is_inside: bool
    """Whether the price has the tax in it already."""
    total: Money
    refunded: Money
    is_test: bool
    document: str | None
    """The gateway's own receipt or invoice."""
    is_invoice: bool


def receipt(session: Session, actor: Actor, public_id: str) -> Receipt:
    """Of one's own order. Raises NotFound for anybody else's, and while nothing is paid."""
    orders.status(session, actor, public_id)
    instructor = select(User.name).where(User.id == Course.instructor_id).scalar_subquery()
    found = session.execute(
        select(Order, Payment, Course.title, instructor.label("instructor"), _refunded())
        .join(Payment, Payment.order_id == Order.id)
        .join(Course, Course.id == Order.course_id)
        .where(Order.public_id == public_id, Payment.mismatch.is_(None))
        .order_by(Payment.id)
        .limit(1)
    ).first()
    if found is None:
        raise NotFound("There is no receipt yet: nothing is paid for this order.")
    order, payment, title, name, refunded = found
    return _receipt(actor, order, payment, (title, name, int(refunded)))


def record(session: Session, fact: InvoiceFact) -> None:
    """Keep where the invoice of a payment is. Raises UnknownPayment or NotOurs."""
    if fact.order is None:
        raise NotOurs("It names no order.")
    of_it = update(Payment).where(Payment.invoice_id == fact.invoice_id)
    known = session.scalar(of_it.values(invoice_url=fact.url).returning(Payment.id))
    if known is None:
        raise UnknownPayment("There is no payment with the invoice that it is.")


def _receipt(actor: Actor, order: Order, payment: Payment, more: tuple[str, str, int]) -> Receipt:
    title, instructor, refunded = more
    currency = payment.amount_currency
    before_tax = order.price_minor - payment.discount_minor
    return Receipt(
        order=order.public_id,
        buyer=actor.name,
        email=actor.email,
        course=title,
        instructor=instructor,
        paid_at=payment.paid_at,
        price=order.price,
        discount=Money(payment.discount_minor, currency),
        tax=Money(payment.tax_minor, currency),
        tax_is_inside=payment.amount_minor == before_tax,
        total=payment.amount,
        refunded=Money(refunded, currency),
        is_test=order.gateway == "sandbox" or payment.session_id.startswith("cs_test_"),
        document=payment.invoice_url or payment.receipt_url,
        is_invoice=payment.invoice_url is not None,
    )


def _refunded() -> ScalarSelect[int]:
    """What went back of the payment."""
    return (
        select(func.coalesce(func.sum(Refund.amount_minor), 0))
        .where(Refund.payment_id == Payment.id, Refund.status.in_(COUNTED))
        .correlate(Payment)
        .scalar_subquery()
    )
