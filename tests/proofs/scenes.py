"""Sales, refunds, transfers and coupons at the moment before a process begins to work on them."""

from dataclasses import dataclass, field, replace
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from luma import db
from luma.models.coupon import CouponUse, GatewayCoupon
from luma.models.course import Course
from luma.models.ledger import LedgerEntry, LedgerTransaction
from luma.models.letter import Letter
from luma.models.order import Order
from luma.models.payee import Payee, PayeeStatus, Transfer
from luma.models.payment import GatewayOperation, Payment, SandboxSession, StripeEvent
from luma.models.progress import Enrolment
from luma.models.reversal import Dispute, Refund, RefundRequest
from luma.models.user import User
from luma.services import clock, queue
from luma.services.money import access, ledger, refunds, transfers
from luma.services.policies import Actor
from luma.settings import settings
from luma.values import RefundStatus, Role
from tests.coupons import make_coupon
from tests.factories import make_published
from tests.ledgers import sold
from tests.selling import (
    COMPLETED,
    SUCCEEDED_LATE,
    Sale,
    dispute_event,
    make_attempt,
    open_sale,
    refund_event,
)
from tests.standins.running import StripeStandIn

ALWAYS_TOLD = ("receipt", "sale", "course-open")
"""Of what was overtaken before it was heard of, no letter tells; these are never overtaken."""

RECEIVES = "acct_1Receives"


@dataclass(frozen=True)
class Scene:
    """Whose sale it is, and what is delivered of it; the rest waits in the queue."""

    buyer_id: int
    course: Course
    bodies: list[str] = field(default_factory=list)


# What arrives of the sandbox's tills.


def paid() -> Scene:
    with db.unit_of_work() as session:
        sale = open_sale(session)
        return _of(sale, sale.event())


def refunded_before_it_was_paid() -> Scene:
    with db.unit_of_work() as session:
        sale = open_sale(session)
        return _of(sale, refund_event(sale), sale.event())


def disputed_and_won() -> Scene:
    with db.unit_of_work() as session:
        sale = open_sale(session)
        return _of(sale, sale.event(), dispute_event(sale), dispute_event(sale, "won"))


def paid_late() -> Scene:
    """As a bank does that takes days: promised, then there."""
    with db.unit_of_work() as session:
        sale = open_sale(session)
        return _of(sale, sale.event(COMPLETED, "unpaid"), sale.event(SUCCEEDED_LATE, "paid"))


def paid_twice() -> Scene:
    """In two tabs: the second payment goes back by itself."""
    with db.unit_of_work() as session:
        sale = open_sale(session)
        second = replace(sale, attempt=make_attempt(session, sale.order))
        for one in (sale, second):
            session.add(
                SandboxSession(
                    session_id=one.attempt.session_id,
                    operation_key=one.attempt.operation_key,
                    request=one.attempt.request,
                    status="complete",
                    payment_status="paid",
                    created_at=clock.now(),
                    expires_at=clock.now() + timedelta(hours=2),
                )
            )
        return _of(sale, sale.event(), second.event())


def _of(sale: Sale, *bodies: str) -> Scene:
    return Scene(sale.buyer.id, sale.course, list(bodies))


# What is asked of Stripe's stand-in.


def a_part_that_the_seller_gives_back(account: StripeStandIn) -> Scene:
    with db.unit_of_work() as session:
        payment, course = _sold(session, account)
        order = session.get_one(Order, payment.order_id)
        seller = _actor(session, course.instructor_id, Role.INSTRUCTOR)
        refunds.ask(session, seller, order.public_id, "12.50", "A part.")
        return Scene(order.buyer_id, course)


def all_back_inside_the_promise(account: StripeStandIn) -> Scene:
    with db.unit_of_work() as session:
        payment, course = _sold(session, account)
        order = session.get_one(Order, payment.order_id)
        refunds.claim(session, _actor(session, order.buyer_id), order.public_id, "Not for me.")
        return Scene(order.buyer_id, course)


def a_share_that_is_due(account: StripeStandIn) -> Scene:
    with db.unit_of_work() as session:
        payment, course = _sold(session, account, days=20)
        payee = _payee(session, account, course)
        queue.defer(session, "transfers.plan_for", payee_id=payee.id)
        return Scene(session.get_one(Order, payment.order_id).buyer_id, course)


def a_share_that_comes_back(account: StripeStandIn) -> Scene:
    """Sent, and then a part of its sale was refunded."""
    with db.unit_of_work() as session:
        payment, course = _sold(session, account, days=20)
        payee = _payee(session, account, course)
        transfers.plan_for(session, payee.id)
        transfer = session.scalars(select(Transfer).where(Transfer.payment_id == payment.id)).one()
        there = {"amount": transfer.amount_minor, "amount_reversed": 0, "currency": "usd"}
        sent = f"tr_{transfer.id}"
        _put(account, sent, "transfer", **there)
        transfers.note_sent(session, transfer.id, sent)
        _refunded(session, payment)
        queue.defer(session, "transfers.plan_for", payee_id=payee.id)
        return Scene(session.get_one(Order, payment.order_id).buyer_id, course)


def a_coupon_and_its_code(account: StripeStandIn) -> Scene:
    with db.unit_of_work() as session:
        course = make_published(session)
        coupon = make_coupon(session, course, f"BREAD{course.id}")
        queue.defer(session, "coupons.sync", coupon_id=coupon.id)
        return Scene(course.instructor_id, course)


def _sold(session: Session, account: StripeStandIn, *, days: int = 3) -> tuple[Payment, Course]:
    """Paid through Stripe and settled. So long ago that no letter tells of it any more."""
    course = make_published(session)
    payment = sold(session, course, clock.now() - timedelta(days=days), gateway="stripe")
    payment.payment_intent_id, payment.charge_id = f"pi_{payment.id}", f"ch_{payment.id}"
    payment.settled_minor, payment.settled_currency, payment.fee_minor = 4900, "usd", 172
    session.flush()
    ledger.post(session, payment.id)
    access.derive(session, access.locked(session, payment.order_id))
    _put(account, f"pi_{payment.id}", "payment_intent", amount=4900, currency="usd")
    return payment, course


def _payee(session: Session, account: StripeStandIn, course: Course) -> Payee:
    account_id = f"{RECEIVES}{course.id}"
    _put(account, account_id, "v2.core.account")
    now = clock.now()
    payee = Payee(
        instructor_id=course.instructor_id,
        gateway="stripe",
        account_id=account_id,
        status=PayeeStatus.ACTIVE,
        asked_at=now,
        created_at=now,
    )
    session.add(payee)
    session.flush()
    return payee


def _refunded(session: Session, payment: Payment) -> None:
    session.add(
        Refund(
            refund_id=f"re_part_{payment.id}",
            payment_id=payment.id,
            amount=replace(payment.amount, minor=2450),
            status=RefundStatus.SUCCEEDED,
            rank=RefundStatus.SUCCEEDED.rank,
            refunded_at=clock.now(),
        )
    )
    session.flush()
    ledger.post(session, payment.id)


def _put(account: StripeStandIn, name: str, kind: str, **fields: object) -> None:
    account.changes(name, id=name, object=kind, livemode=False, **fields)


def _actor(session: Session, user_id: int, *roles: Role) -> Actor:
    user = session.get_one(User, user_id)
    return Actor(user.id, user.name, user.email, frozenset(roles))


# What is known at the end.


def known(scene: Scene) -> tuple[object, ...]:
    """Without ids. Every letter that is said to be sent is there."""
    with db.unit_of_work() as session:
        orders = select(Order.id).where(Order.buyer_id == scene.buyer_id)
        payments = select(Payment.id).where(Payment.order_id.in_(orders))
        people = (scene.buyer_id, scene.course.instructor_id)
        coupons = select(CouponUse.coupon_id).where(CouponUse.buyer_id == scene.buyer_id)
        asked = (
            select(Order.status, Order.review_reason).where(Order.id.in_(orders)),
            select(Enrolment.active, Enrolment.source).where(
                Enrolment.student_id == scene.buyer_id
            ),
            select(Payment.amount_minor, Payment.mismatch).where(Payment.id.in_(payments)),
            select(Refund.amount_minor, Refund.status).where(Refund.payment_id.in_(payments)),
            select(Dispute.status).where(Dispute.payment_id.in_(payments)),
            select(RefundRequest.amount_minor, RefundRequest.refusal).where(
                RefundRequest.payment_id.in_(payments), RefundRequest.refund_id.is_not(None)
            ),
            select(Transfer.status, Transfer.amount_minor, Transfer.of_id.is_(None)).where(
                Transfer.payment_id.in_(payments)
            ),
            select(LedgerTransaction.kind, LedgerEntry.account, func.sum(LedgerEntry.minor))
            .join(LedgerEntry, LedgerEntry.transaction_id == LedgerTransaction.id)
            .where(LedgerTransaction.payment_id.in_(payments))
            .group_by(LedgerTransaction.id, LedgerEntry.account),
            select(GatewayCoupon.terms, GatewayCoupon.promotion_id.is_not(None)).where(
                GatewayCoupon.coupon_id.in_(coupons)
            ),
            select(GatewayOperation.key).where(GatewayOperation.done_at.is_(None)),
            select(Letter.kind, Letter.status).where(
                Letter.user_id.in_(people), Letter.kind.in_(ALWAYS_TOLD)
            ),
            select(StripeEvent.last_error).where(StripeEvent.done_at.is_(None)),
        )
        found = tuple(sorted(map(str, session.execute(one).all())) for one in asked)
        keys = session.scalars(select(Letter.key).where(Letter.user_id.in_(people))).all()
    folder = settings().data_path() / "mail"
    assert all((folder / f"{key}.eml").exists() for key in keys)
    return found
