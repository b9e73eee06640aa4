"""Every state that an order and the sandbox's checkout can be in, for looking at."""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from luma.models.course import Course
from luma.models.order import Order
from luma.models.payment import Payment, SandboxSession
from luma.models.reversal import Dispute, Refund
from luma.models.user import User
from luma.services import clock, demo
from luma.values import DisputeStatus, Money, OrderStatus, RefundStatus
from tests.selling import make_attempt, make_order, request_for

WHO = "lea"
REASON = "Paid in another currency."


def addresses(session: Session) -> dict[str, str]:
    """A name for each state, and where Lea sees it. Needs the demo school."""
    buyer = session.scalars(select(User).where(User.email == demo.PEOPLE[WHO].email)).one()
    orders = {
        f"pay-{status.value.replace('_', '-')}": _order(session, buyer, status)
        for status in OrderStatus
    }
    tills = {
        "pay-till": ("open", "unpaid"),
        "pay-till-later": ("complete", "unpaid"),
        "pay-till-paid": ("complete", "paid"),
        "pay-till-failed": ("failed", "unpaid"),
        "pay-till-expired": ("expired", "unpaid"),
    }
    order = orders["pay-open"]
    return {
        **{name: f"/checkout/{made.public_id}" for name, made in orders.items()},
        **{
            name: f"/sandbox/checkout/{_till(session, order, name, *state)}"
            for name, state in tills.items()
        },
        "coupon-till": f"/sandbox/checkout/{_till(session, order, 'coupon-till', discount=2000)}",
    }


def desks(session: Session) -> dict[str, str]:
    """Sales as a seller sees them: one refunded in part, one disputed, one to be looked at."""
    course = session.scalars(
        select(Course).where(Course.slug == "the-web-developers-toolbox")
    ).one()
    shown = {
        "refunded": OrderStatus.PAID,
        "disputed": OrderStatus.DISPUTED,
        "odd": OrderStatus.NEEDS_REVIEW,
    }
    return {name: _sold(session, course, name, status) for name, status in shown.items()}


def _sold(session: Session, course: Course, name: str, status: OrderStatus) -> str:
    buyer = session.scalars(select(User).where(User.email == demo.PEOPLE["kofi"].email)).one()
    odd = REASON if status is OrderStatus.NEEDS_REVIEW else None
    now = clock.now()
    order = make_order(
        session, buyer, course, status=status, paid_at=now, review_reason=odd, gateway="stripe"
    )
    paid = Payment(
        order_id=order.id,
        session_id=f"cs_test_{name}",
        payment_intent_id=f"pi_3Q{name}",
        amount=order.price,
        mismatch=odd,
        paid_at=now,
    )
    session.add(paid)
    session.flush()
    fact = {"payment_id": paid.id, "rank": 1}
    if name == "refunded":
        part = Money(1200, order.price.currency)
        session.add(
            Refund(
                **fact,
                refund_id="re_1",
                amount=part,
                status=RefundStatus.SUCCEEDED,
                refunded_at=now,
            )
        )
    if name == "disputed":
        session.add(
            Dispute(
                **fact,
                dispute_id="du_1",
                amount=order.price,
                status=DisputeStatus.NEEDS_RESPONSE,
                reason="product_not_received",
                due_by=now + timedelta(days=9),
                opened_at=now,
            )
        )
    session.flush()
    return order.public_id


def _order(session: Session, buyer: User, status: OrderStatus) -> Order:
    """One course is on the way to be bought, another waits for a bank: never both at once."""
    is_pending = status is OrderStatus.PENDING
    slug = "linear-algebra-you-can-see" if is_pending else "the-web-developers-toolbox"
    course = session.scalars(select(Course).where(Course.slug == slug)).one()
    order = make_order(
        session,
        buyer,
        course,
        status=status,
        paid_at=clock.now() if status is OrderStatus.PAID else None,
        review_reason=REASON if status is OrderStatus.NEEDS_REVIEW else None,
    )
    make_attempt(session, order)
    return order


def _till(
    session: Session,
    order: Order,
    name: str,
    status: str = "open",
    payment_status: str = "unpaid",
    *,
    discount: int = 0,
) -> str:
    session_id = f"cs_sbx_{name.encode().hex():0>32}"
    title = session.scalars(select(Course.title).where(Course.id == order.course_id)).one()
    request = replace(request_for(order), title=title, email=demo.PEOPLE[WHO].email)
    request = replace(request, discount=discount)
    session.add(
        SandboxSession(
            session_id=session_id,
            operation_key=name,
            request=request.frozen(),
            status=status,
            payment_status=payment_status,
            created_at=clock.now(),
            expires_at=clock.now(),
        )
    )
    session.flush()
    return session_id
