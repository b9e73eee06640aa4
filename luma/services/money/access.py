"""Derive: from the facts of money to who may learn what. The only writer of enrolments."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import ColumnElement, and_, delete, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from luma.models.course import Course
from luma.models.order import CheckoutAttempt, Order
from luma.models.payment import Payment
from luma.models.progress import Enrolment
from luma.models.reversal import Refund, RefundRequest
from luma.services import clock, letters, queue, signals
from luma.services.money import grants, promotions, standings
from luma.services.money.standings import PaymentStanding, Standing
from luma.values import AttemptStatus, EnrolmentSource, OrderStatus

Verdict = tuple[OrderStatus, str | None]

PAID_TWICE = "Paid more than once."

WELCOMED_FOR = timedelta(days=1)
"""Access that comes back later than this after the purchase is told with what brought it back."""

STATUS_OF = {
    Standing.LIVE: OrderStatus.PAID,
    Standing.DISPUTED: OrderStatus.DISPUTED,
    Standing.LOST: OrderStatus.CHARGED_BACK,
    Standing.REFUNDED: OrderStatus.REFUNDED,
}
"""The best payment speaks for its order."""


def locked(session: Session, order_id: int) -> Order:
    """The order, held with every order of its buyer for its course until the transaction ends.

    Take it before facts are written: two events of one purchase then follow one another.
    """
    pair = select(Order.buyer_id, Order.course_id).where(Order.id == order_id).subquery()
    orders = session.scalars(
        select(Order)
        .join(pair, (Order.buyer_id == pair.c.buyer_id) & (Order.course_id == pair.c.course_id))
        .order_by(Order.id)
        .with_for_update(of=Order, key_share=True)
        .execution_options(populate_existing=True)
    )
    return next(order for order in orders.all() if order.id == order_id)


def derive(session: Session, order: Order) -> None:
    """Bring an order and its enrolment to what the facts say. Needs `locked`.

    It looks at all facts and at nothing else, so their order of arrival does not matter.
    """
    session.flush()
    status, reason = _verdict(session, order.id)
    if (order.status, order.review_reason) != (status, reason):
        order.settle(status, clock.now(), reason)
        session.flush()
        if order.discount_minor:
            promotions.settle(session, order)
        if reason == PAID_TWICE:
            queue.defer(session, "refunds.return_double", order_id=order.id)
        signals.tell(session, order.public_id)
    derive_enrolment(session, order.buyer_id, order.course_id)


def grant_free(session: Session, student_id: int, course_id: int) -> None:
    """Enrol without an order. Doing it twice changes nothing."""
    grants.give(session, student_id, course_id, EnrolmentSource.FREE)
    derive_enrolment(session, student_id, course_id)


def derive_enrolment(session: Session, student_id: int, course_id: int) -> None:
    """Open as long as one paid order or one grant gives access: each ends only by itself."""
    source = _source(session, student_id, course_id)
    if source is None:
        _end(session, student_id, course_id)
        return
    opened = _enrol(session, student_id, course_id, source)
    if opened is not None:
        _bring_back(session, course_id)
    if opened is not None and source is EnrolmentSource.PURCHASE:
        _tell_opened(session, opened, student_id, course_id)


def is_open_beside(session: Session, order: Order) -> bool:
    """Whether another order or a grant gives its buyer access to the course too."""
    student_id, course_id = order.buyer_id, order.course_id
    other = exists().where(_pays(student_id, course_id), Order.id != order.id)
    by_grant = grants.live(session, student_id, course_id) is not None
    return by_grant or bool(session.scalar(select(other)))


def forget_student(session: Session, student_id: int) -> None:
    """For an account that is being deleted: it learns nothing any more."""
    session.execute(delete(Enrolment).where(Enrolment.student_id == student_id))


def _verdict(session: Session, order_id: int) -> Verdict:
    payments = standings.of_order(session, order_id)
    if payments:
        return _paid_verdict(payments)
    tried = select(CheckoutAttempt.status).where(CheckoutAttempt.order_id == order_id)
    attempts = set(session.scalars(tried).all())
    if AttemptStatus.AWAITING in attempts:
        return OrderStatus.PENDING, None
    if AttemptStatus.OPEN in attempts or not attempts:
        return OrderStatus.OPEN, None
    failed = AttemptStatus.FAILED in attempts
    return (OrderStatus.FAILED if failed else OrderStatus.EXPIRED), None


def _paid_verdict(payments: Sequence[PaymentStanding]) -> Verdict:
    """One good payment opens the course, whatever else arrived; the rest is for an admin."""
    good = [payment.standing for payment in payments if payment.mismatch is None]
    odd = sorted(
        payment.mismatch
        for payment in payments
        if payment.mismatch and payment.standing is Standing.LIVE
    )
    if good.count(Standing.LIVE) > 1:
        return OrderStatus.PAID, PAID_TWICE
    reason = odd[0] if odd else None
    for standing, status in STATUS_OF.items():
        if standing in good:
            return status, reason
    return (OrderStatus.NEEDS_REVIEW if odd else OrderStatus.REFUNDED), reason


def _source(session: Session, student_id: int, course_id: int) -> EnrolmentSource | None:
    """What gives access now: a purchase before anything else."""
    if session.scalar(select(exists().where(_pays(student_id, course_id)))):
        return EnrolmentSource.PURCHASE
    return grants.live(session, student_id, course_id)


def _pays(student_id: int, course_id: int) -> ColumnElement[bool]:
    """Orders whose payment gives access: unless its seller ended it with a part that went back."""
    return and_(
        Order.buyer_id == student_id,
        Order.course_id == course_id,
        Order.status == OrderStatus.PAID,
        or_(Order.access_ended_reason.is_(None), ~_something_went_back()),
    )


def _something_went_back() -> ColumnElement[bool]:
    """Refunded, or asked for and not refused. A refund that fails gives back what hung on it."""
    back = exists().where(
        Payment.order_id == Order.id,
        Refund.payment_id == Payment.id,
        Refund.status.in_(standings.COUNTED),
    )
    asked = exists().where(
        Payment.order_id == Order.id,
        RefundRequest.payment_id == Payment.id,
        RefundRequest.refund_id.is_(None),
        RefundRequest.refusal.is_(None),
    )
    return or_(back, asked)


def _tell_opened(session: Session, enrolment_id: int, student_id: int, course_id: int) -> None:
    """Once for each purchase, and not again when a dispute is won or a refund comes back."""
    purchase = session.scalar(
        select(func.max(Order.public_id)).where(
            _pays(student_id, course_id), Order.paid_at > clock.now() - WELCOMED_FOR
        )
    )
    if purchase is not None:
        letters.course_open(session, enrolment_id, once=f"course-open-{purchase}")


def _bring_back(session: Session, course_id: int) -> None:
    """A course that somebody has is not deleted: paid after all, or a dispute that was won."""
    gone = update(Course).where(Course.id == course_id, Course.deleted_at.is_not(None))
    session.execute(gone.values(deleted_at=None))


def _end(session: Session, student_id: int, course_id: int) -> None:
    session.execute(
        update(Enrolment)
        .where(
            Enrolment.student_id == student_id,
            Enrolment.course_id == course_id,
            Enrolment.active,
        )
        .values(active=False)
    )


def _enrol(
    session: Session, student_id: int, course_id: int, source: EnrolmentSource
) -> int | None:
    """The enrolment's id if this opened it, None if it was open already."""
    still_open = (
        Enrolment.student_id == student_id,
        Enrolment.course_id == course_id,
        Enrolment.active,
        Enrolment.source != source,
    )
    session.execute(update(Enrolment).where(*still_open).values(source=source))
    new = insert(Enrolment).values(
        student_id=student_id, course_id=course_id, source=source, created_at=clock.now()
    )
    opened = new.on_conflict_do_update(
        index_elements=[Enrolment.student_id, Enrolment.course_id],
        set_={"active": True, "source": source},
        where=~Enrolment.active,
    )
    found: int | None = session.scalar(opened.returning(Enrolment.id))
    return found
