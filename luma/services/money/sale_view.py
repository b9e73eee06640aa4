"""One sale as its seller and admins see it: what was bought, what was paid, what went back."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from luma.models.course import Course
from luma.models.order import Order
from luma.models.payment import Payment
from luma.models.progress import Enrolment, Grant
from luma.models.reversal import Dispute, Refund, RefundRequest
from luma.models.user import User
from luma.services.money import access, refunds
from luma.services.money.refunds import Refundable
from luma.settings import settings
from luma.values import DisputeStatus, EnrolmentSource, Money, OrderStatus, RefundStatus


@dataclass(frozen=True, slots=True)
class PaymentLine:
    paid_at: datetime
    amount: Money
    discount: Money
    tax: Money
    settled: Money | None
    fee: Money | None
    """What the gateway kept; None while it has not said so."""
    receipt_url: str | None
    reference: str
    """The gateway's id."""
    dashboard: str | None
    """Its page at the gateway, for whoever has the account there."""
    mismatch: str | None


@dataclass(frozen=True, slots=True)
class RefundLine:
    amount: Money
    status: RefundStatus | None
    """None while the gateway has not answered, or when it refused."""
    when: datetime
    reason: str | None
    """Why it was asked for; None for one made in the gateway's own dashboard."""
    asked_by: str | None
    trouble: str | None
    """Why it was refused, or why it came back."""

    @property
    def is_waiting(self) -> bool:
        return self.status is None and self.trouble is None


@dataclass(frozen=True, slots=True)
class DisputeLine:
    amount: Money
    status: DisputeStatus
    reason: str
    opened_at: datetime
    due_by: datetime | None


@dataclass(frozen=True, slots=True)
class GrantLine:
    source: EnrolmentSource
    reason: str | None
    given_by: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class SaleView:
    public_id: str
    status: OrderStatus
    review_reason: str | None
    is_sandbox: bool
    course_title: str
    course_slug: str
    buyer: str
    email: str
    price: Money
    discount: Money
    created_at: datetime
    paid_at: datetime | None
    promised_until: datetime | None
    """How long the buyer may have everything back by themselves."""
    access: EnrolmentSource | None
    """What gives it now."""
    has_other_access: bool
    """Something beside this order gives it, so that a refund does not end it."""
    access_ended_reason: str | None
    grants: tuple[GrantLine, ...]
    money: Refundable
    payments: tuple[PaymentLine, ...]
    refunds: tuple[RefundLine, ...]
    disputes: tuple[DisputeLine, ...]

    @property
    def paid(self) -> Money:
        """In the order's currency, whatever became of it."""
        currency = self.price.currency
        ours = (one.amount for one in self.payments if one.amount.currency == currency)
        return sum(ours, Money(0, currency))

    @property
    def refunded(self) -> Money:
        """With the buyer or on its way there."""
        currency = self.price.currency
        back = (one for one in self.refunds if one.status is not None and one.status.counts)
        ours = (one.amount for one in back if one.amount.currency == currency)
        return sum(ours, Money(0, currency))

    @property
    def is_disputed(self) -> bool:
        return any(one.status.is_open for one in self.disputes)

    @property
    def has_access_by_hand(self) -> bool:
        return any(one.source is not EnrolmentSource.FREE for one in self.grants)


def view(session: Session, order: Order, *, knows_gateway: bool) -> SaleView:
    """`knows_gateway` is for whoever has an account there: they get the links."""
    course = session.get_one(Course, order.course_id)
    buyer = session.get_one(User, order.buyer_id)
    return SaleView(
        public_id=order.public_id,
        status=order.status,
        review_reason=order.review_reason,
        is_sandbox=order.gateway == "sandbox",
        course_title=course.title,
        course_slug=course.slug,
        buyer=buyer.name,
        email=buyer.email,
        price=order.price,
        discount=Money(order.discount_minor, order.price.currency),
        created_at=order.created_at,
        paid_at=order.paid_at,
        promised_until=refunds.promised_until(order),
        access=_access(session, order),
        has_other_access=access.is_open_beside(session, order),
        access_ended_reason=order.access_ended_reason,
        grants=_grants(session, order),
        money=refunds.refundable(session, order),
        payments=_payments(session, order, knows_gateway=knows_gateway),
        refunds=_refunds(session, order),
        disputes=_disputes(session, order),
    )


def _access(session: Session, order: Order) -> EnrolmentSource | None:
    return session.scalar(
        select(Enrolment.source).where(
            Enrolment.student_id == order.buyer_id,
            Enrolment.course_id == order.course_id,
            Enrolment.active,
        )
    )


def _grants(session: Session, order: Order) -> tuple[GrantLine, ...]:
    rows = session.execute(
        select(Grant.source, Grant.reason, User.name, Grant.created_at)
        .outerjoin(User, User.id == Grant.given_by_id)
        .where(
            Grant.student_id == order.buyer_id,
            Grant.course_id == order.course_id,
            Grant.ended_at.is_(None),
        )
        .order_by(Grant.id)
    )
    return tuple(GrantLine(*row) for row in rows)


def _payments(session: Session, order: Order, *, knows_gateway: bool) -> tuple[PaymentLine, ...]:
    rows = session.scalars(select(Payment).where(Payment.order_id == order.id).order_by(Payment.id))
    return tuple(_payment(row, knows_gateway=knows_gateway) for row in rows)


def _payment(row: Payment, *, knows_gateway: bool) -> PaymentLine:
    currency = row.amount.currency
    return PaymentLine(
        paid_at=row.paid_at,
        amount=row.amount,
        discount=Money(row.discount_minor, currency),
        tax=Money(row.tax_minor, currency),
        settled=_settled(row.settled_minor, row.settled_currency),
        fee=_settled(row.fee_minor, row.settled_currency),
        receipt_url=row.receipt_url,
        reference=row.payment_intent_id or row.session_id,
        dashboard=_dashboard(row) if knows_gateway else None,
        mismatch=row.mismatch,
    )


def _settled(minor: int | None, currency: str | None) -> Money | None:
    return Money(minor, currency) if minor is not None and currency else None


def _dashboard(row: Payment) -> str | None:
    """None at the sandbox, which has none, and for what cost nothing."""
    if row.payment_intent_id is None or row.payment_intent_id.startswith("pi_sbx_"):
        return None
    mode = "" if settings().livemode else "test/"
    return f"https://dashboard.stripe.com/{mode}payments/{row.payment_intent_id}"


def _refunds(session: Session, order: Order) -> tuple[RefundLine, ...]:
    """Those that LUMA asked for, answered or not, and those made elsewhere; in order of time."""
    of_order = select(Payment.id).where(Payment.order_id == order.id)
    asker = aliased(User)
    asked = session.execute(
        select(RefundRequest, Refund, asker.name)
        .outerjoin(Refund, Refund.refund_id == RefundRequest.refund_id)
        .outerjoin(asker, asker.id == RefundRequest.asked_by_id)
        .where(RefundRequest.payment_id.in_(of_order))
    ).all()
    known = {made.refund_id for _, made, _ in asked if made}
    others = session.scalars(select(Refund).where(Refund.payment_id.in_(of_order)))
    lines = [_asked(request, made, name) for request, made, name in asked]
    lines += [_made_elsewhere(made) for made in others if made.refund_id not in known]
    return tuple(sorted(lines, key=lambda line: line.when))


def _asked(request: RefundRequest, made: Refund | None, name: str | None) -> RefundLine:
    return RefundLine(
        amount=request.amount,
        status=made.status if made else None,
        when=request.created_at,
        reason=request.reason,
        asked_by=name,
        trouble=request.refusal or (made.failure if made else None),
    )


def _made_elsewhere(made: Refund) -> RefundLine:
    return RefundLine(made.amount, made.status, made.refunded_at, None, None, made.failure)


def _disputes(session: Session, order: Order) -> tuple[DisputeLine, ...]:
    rows = session.scalars(
        select(Dispute)
        .join(Payment, Payment.id == Dispute.payment_id)
        .where(Payment.order_id == order.id)
        .order_by(Dispute.id)
    )
    return tuple(
        DisputeLine(row.amount, row.status, row.reason, row.opened_at, row.due_by) for row in rows
    )
