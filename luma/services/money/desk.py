"""What a seller and an admin do about one sale: look at it, help the buyer in, find it at all."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import ColumnElement, case, func, or_, select
from sqlalchemy.orm import Session

from luma.errors import NotFound, RuleBroken
from luma.models.course import Course
from luma.models.order import Order
from luma.models.progress import Enrolment
from luma.models.user import User
from luma.services import audit, clock, letters, policies, signals, texts
from luma.services.money import access, grants, refunds, sale_view
from luma.services.money.orders import UNLISTED
from luma.services.money.sale_view import SaleView
from luma.services.policies import Actor
from luma.values import EnrolmentSource, Money, OrderStatus

LONGEST_SEARCH = 100
LONGEST_REASON = 200
BY_HAND = (EnrolmentSource.MANUAL, EnrolmentSource.GIFT)

Only = Literal["all", "review", "disputed", "pending", "paid", "refunded", "unpaid"]

STATES: dict[Only, tuple[OrderStatus, ...]] = {
    "review": (OrderStatus.NEEDS_REVIEW,),
    "disputed": (OrderStatus.DISPUTED, OrderStatus.CHARGED_BACK),
    "pending": (OrderStatus.PENDING,),
    "paid": (OrderStatus.PAID,),
    "refunded": (OrderStatus.REFUNDED,),
    "unpaid": UNLISTED,
}


@dataclass(frozen=True, slots=True)
class OrderRow:
    public_id: str
    status: OrderStatus
    review_reason: str | None
    is_sandbox: bool
    course: str
    buyer: str
    email: str
    price: Money
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Orders:
    found: tuple[OrderRow, ...]
    has_more: bool


def sale(session: Session, actor: Actor, order_id: str) -> SaleView:
    """For the seller of the course and admins. Raises NotFound for anybody else."""
    return sale_view.view(session, seen(session, actor, order_id), knows_gateway=actor.is_admin)


def found(session: Session, actor: Actor, words: object, only: Only, most: int) -> Orders:
    """By order, support code, buyer or course. What needs a look first, then the newest."""
    policies.ensure_admin(actor)
    asked = texts.line(words, "Search", LONGEST_SEARCH, required=False)
    needs_look = or_(Order.status == OrderStatus.NEEDS_REVIEW, Order.review_reason.is_not(None))
    rows = session.execute(
        select(Order, Course.title, User.name, User.email)
        .join(Course, Course.id == Order.course_id)
        .join(User, User.id == Order.buyer_id)
        .where(*_matches(asked), *_kept(only, asked))
        .order_by(case((needs_look, 0), else_=1), Order.id.desc())
        .limit(most + 1)
    ).all()
    return Orders(tuple(_row(*row) for row in rows[:most]), len(rows) > most)


def ensure_runs_school(_session: Session, actor: Actor) -> None:
    """A seller has a page of the same sale in the studio."""
    policies.ensure_admin(actor)


def resend_access(session: Session, actor: Actor, order_id: str) -> None:
    """Write to the buyer once more how they get in. Two presses in a minute are one letter."""
    order = seen(session, actor, order_id)
    enrolment = session.scalar(
        select(Enrolment.id).where(
            Enrolment.student_id == order.buyer_id,
            Enrolment.course_id == order.course_id,
            Enrolment.active,
        )
    )
    if enrolment is None:
        raise RuleBroken("The course is closed for this buyer. Give access first.")
    minute = int(clock.now().timestamp()) // 60
    letters.course_open(session, enrolment, once=f"course-open-again-{enrolment}-{minute}")


def give_access(session: Session, actor: Actor, order_id: str, reason: object) -> None:
    """Open the course for the buyer of this order whatever becomes of the money."""
    order = refunds.sold_by(session, actor, order_id)
    why = texts.line(reason, "Reason", LONGEST_REASON)
    if policies.is_enrolled(session, order.buyer_id, order.course_id):
        raise RuleBroken("The buyer has access already.")
    by_hand, by = EnrolmentSource.MANUAL, actor.id
    given = grants.give(
        session, order.buyer_id, order.course_id, by_hand, reason=why, given_by_id=by
    )
    access.derive_enrolment(session, order.buyer_id, order.course_id)
    if given is not None:
        letters.access_given(session, order.buyer_id, order.course_id, once=f"access-{given}")
    _note(session, actor, order, "order.give_access", why)


def take_access(session: Session, actor: Actor, order_id: str, reason: object) -> None:
    """End what was given by hand. What an order or a free course gives stays."""
    order = refunds.sold_by(session, actor, order_id)
    why = texts.line(reason, "Reason", LONGEST_REASON)
    ended = [kind for kind in BY_HAND if grants.end(session, order.buyer_id, order.course_id, kind)]
    if not ended:
        raise RuleBroken("There is no access by hand to take back.")
    access.derive_enrolment(session, order.buyer_id, order.course_id)
    _note(session, actor, order, "order.take_access", why)


def only(word: object) -> Only:
    """Which orders an address asks for. Raises RuleBroken."""
    if word == "all":
        return "all"
    chosen = next((name for name in STATES if name == word), None)
    if chosen is None:
        raise RuleBroken("Choose which orders to show from the list.")
    return chosen


def seen(session: Session, actor: Actor, order_id: str) -> Order:
    """Another instructor's is not found."""
    row = session.execute(
        select(Order, Course)
        .join(Course, Course.id == Order.course_id)
        .where(Order.public_id == texts.key(order_id))
    ).one_or_none()
    if row is None:
        raise NotFound("There is no such order among your sales.")
    order, course = row
    policies.ensure_sells(actor, course)
    return order


def _note(session: Session, actor: Actor, order: Order, act: str, why: str) -> None:
    signals.tell(session, order.public_id)
    audit.note(session, actor, act, f"order {order.public_id}", after={"reason": why})


def _row(order: Order, course: str, buyer: str, email: str) -> OrderRow:
    return OrderRow(
        public_id=order.public_id,
        status=order.status,
        review_reason=order.review_reason,
        is_sandbox=order.gateway == "sandbox",
        course=course,
        buyer=buyer,
        email=email,
        price=order.price,
        created_at=order.created_at,
    )


def _matches(words: str) -> list[ColumnElement[bool]]:
    """A support code is read aloud and typed with dashes and capitals."""
    if not words:
        return []
    asked = words.lower()
    code = asked.removeprefix("ord_").replace("-", "").replace(" ", "")
    columns = (User.email, func.lower(User.name), func.lower(Course.title))
    matches = [column.contains(asked, autoescape=True) for column in columns]
    return [or_(*matches, Order.public_id.contains(code or asked, autoescape=True))]


def _kept(only: Only, asked: str) -> list[ColumnElement[bool]]:
    """What nobody paid for is only shown to whoever asks for it."""
    if only == "all":
        return [] if asked else [Order.status.not_in(UNLISTED)]
    if only == "review":
        return [or_(Order.status == OrderStatus.NEEDS_REVIEW, Order.review_reason.is_not(None))]
    return [Order.status.in_(STATES[only])]
