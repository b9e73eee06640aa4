"""Orders on the way to be paid, and the events that say they were."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from luma.models.course import Course
from luma.models.order import CheckoutAttempt, Order
from luma.models.payment import SandboxSession
from luma.models.user import User
from luma.services import clock
from luma.services.gateways import sandbox_charges, sandbox_events
from luma.services.gateways.charge_events import CHARGE_UPDATED
from luma.services.gateways.checkout_events import COMPLETED
from luma.services.gateways.protocol import CheckoutRequest
from luma.values import Money
from tests.bench import seed

SLUG = "course-6"


@dataclass(frozen=True, slots=True)
class Sold:
    """`order` is its public id, `buyer` an e-mail address."""

    order: str
    buyer: str
    session_id: str
    request: CheckoutRequest

    def event(self) -> str:
        """The body of the event that says it was paid, new at each call."""
        return sandbox_events.event(COMPLETED, sandbox_events.session(self._visit()), clock.now())

    def charge(self) -> str:
        """The same of the event that says what the payment settled to."""
        shown = sandbox_charges.charge(self._visit(), is_whole=True)
        return sandbox_events.event(CHARGE_UPDATED, shown, clock.now())

    def _visit(self) -> SandboxSession:
        now = clock.now()
        return SandboxSession(
            session_id=self.session_id,
            operation_key="",
            request=self.request.frozen(),
            status="complete",
            payment_status="paid",
            created_at=now,
            expires_at=now + timedelta(hours=2),
        )


@cache
def secret() -> str:
    """What the measured server's sandbox signs with."""
    from tests.bench.world import SECRET

    made = hmac.new(SECRET.encode(), b"sandbox webhook", hashlib.sha256)
    return f"whsec_sbx_{made.hexdigest()}"


def sold(session: Session, number: int, *, first_buyer: int) -> list[Sold]:
    """So many open orders of one course, each of another student."""
    now = clock.now()
    course_id, price = session.execute(
        select(Course.id, Course.price).where(Course.slug == SLUG)
    ).one()
    emails = [seed.student(first_buyer + n) for n in range(number)]
    people = select(User.email, User.id).where(User.email.in_(emails))
    buyers = {email: buyer_id for email, buyer_id in session.execute(people)}  # noqa: C416  (typed)
    return [_order(session, email, buyers[email], course_id, price, now) for email in emails]


def _order(
    session: Session, email: str, buyer_id: int, course_id: int, price: Money, now: datetime
) -> Sold:
    order = Order(
        buyer_id=buyer_id,
        course_id=course_id,
        price=price,
        fee_bps=1000,
        refund_days=14,
        gateway="sandbox",
        created_at=now,
        updated_at=now,
    )
    session.add(order)
    session.flush()
    request = CheckoutRequest(
        order=order.public_id,
        title="A course",
        price_id="price_sbx_1",
        amount=price,
        email=email,
        success_url=f"http://127.0.0.1/checkout/{order.public_id}",
        cancel_url=f"http://127.0.0.1/checkout/{order.public_id}/cancelled",
        expires_at=int((now + timedelta(hours=2)).timestamp()),
    )
    session_id = f"cs_sbx_{order.id:032x}"
    visit = insert(CheckoutAttempt).values(
        order_id=order.id,
        operation_key=f"luma:checkout:{order.public_id}:1",
        request=request.frozen(),
        session_id=session_id,
        url="http://127.0.0.1/pay",
        created_at=now,
        expires_at=now + timedelta(hours=2),
    )
    session.execute(visit)
    return Sold(order.public_id, email, session_id, request)
