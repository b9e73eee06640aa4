"""A buyer's orders, as they look back at them."""

import re
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, ScalarSelect, Select, cast, exists, func, select
from sqlalchemy.orm import Session

from luma.errors import NotFound
from luma.models.coupon import Coupon, CouponUse
from luma.models.course import Chapter, Course, Lesson
from luma.models.order import Order
from luma.models.payment import Payment
from luma.models.reversal import Refund
from luma.services.money import standings, tracks
from luma.services.policies import Actor
from luma.values import LessonStatus, Money, OrderStatus

ID = re.compile(r"ord_[a-z0-9]{1,20}")
UNLISTED = (OrderStatus.OPEN, OrderStatus.FAILED, OrderStatus.EXPIRED)
UNPAID = (*UNLISTED, OrderStatus.PENDING, OrderStatus.NEEDS_REVIEW)
MOST_LISTED = 200


@dataclass(frozen=True, slots=True)
class OrderView:
    public_id: str
    status: OrderStatus
    course_title: str
    course_slug: str
    price: Money
    created_at: datetime
    email: str
    """Where mail about it goes."""
    start_address: str
    """The lesson that opens first."""
    discount: Money
    """What the code took off the price; zero without one."""
    code: str | None
    refunded: Money
    """What went back, or is on its way back."""
    receipt_address: str | None = None

    @property
    def support_code(self) -> str:
        """What a buyer reads out to whoever helps."""
        return tracks.support_code(self.public_id)

    @property
    def total(self) -> Money:
        """What was to be paid."""
        return self.price - self.discount


def address(public_id: str) -> str:
    return f"/checkout/{public_id}"


def receipt_address(public_id: str) -> str:
    return f"/orders/{public_id}/receipt"


def order(session: Session, actor: Actor, public_id: str) -> OrderView:
    """How one order of the actor's stands. Raises NotFound for anybody else's."""
    _ensure_id(public_id)
    found = session.execute(_of(actor).where(Order.public_id == public_id)).one_or_none()
    if found is None:
        raise _not_yours()
    return _view(actor, *found, start=start_address(session, found[1]))


def status(session: Session, actor: Actor, public_id: str) -> OrderStatus:
    """The same in one word, for a page that asks again and again."""
    _ensure_id(public_id)
    found = session.scalar(
        select(Order.status).where(Order.public_id == public_id, Order.buyer_id == actor.id)
    )
    if found is None:
        raise _not_yours()
    return found


def mine(session: Session, actor: Actor) -> list[OrderView]:
    """Newest first. What ended without money is left out."""
    listed = _of(actor).where(Order.status.not_in(UNLISTED)).order_by(Order.id.desc())
    rows = session.execute(listed.limit(MOST_LISTED))
    return [_view(actor, *row, start=f"/courses/{row[1].slug}") for row in rows]


def is_bought_now(session: Session, course_id: int) -> bool:
    """Whether somebody is on the way to pay for it, or a bank is still confirming."""
    on_the_way = Order.status.in_([OrderStatus.OPEN, OrderStatus.PENDING])
    return bool(session.scalar(select(exists().where(Order.course_id == course_id, on_the_way))))


def start_address(session: Session, course: Course) -> str:
    """The first live lesson, or the course page while there is none."""
    first = session.scalar(
        select(Lesson.public_id)
        .join(Chapter, Chapter.id == Lesson.chapter_id)
        .where(
            Chapter.course_id == course.id,
            Chapter.deleted_at.is_(None),
            Lesson.deleted_at.is_(None),
            Lesson.status == LessonStatus.LIVE,
        )
        .order_by(Chapter.position, Lesson.position)
        .limit(1)
    )
    return f"/learn/{course.slug}/{first}" if first else f"/courses/{course.slug}"


def _of(actor: Actor) -> Select[Order, Course, str, int]:
    return (
        select(Order, Course, Coupon.code, _refunded())
        .join(Course, Course.id == Order.course_id)
        .outerjoin(CouponUse, CouponUse.order_id == Order.id)
        .outerjoin(Coupon, Coupon.id == CouponUse.coupon_id)
        .where(Order.buyer_id == actor.id)
    )


def _refunded() -> ScalarSelect[int]:
    back = cast(func.coalesce(func.sum(Refund.amount_minor), 0), BigInteger)
    return (
        select(back)
        .join(Payment, Payment.id == Refund.payment_id)
        .where(Payment.order_id == Order.id, Refund.status.in_(standings.COUNTED))
        .correlate(Order)
        .scalar_subquery()
    )


def _view(
    actor: Actor, order: Order, course: Course, code: str | None, refunded: int, *, start: str
) -> OrderView:
    return OrderView(
        public_id=order.public_id,
        status=order.status,
        course_title=course.title,
        course_slug=course.slug,
        price=order.price,
        created_at=order.created_at,
        email=actor.email,
        start_address=start,
        discount=Money(order.discount_minor, order.price.currency),
        code=code,
        refunded=Money(refunded, order.price.currency),
        receipt_address=None if order.status in UNPAID else receipt_address(order.public_id),
    )


def _ensure_id(public_id: str) -> None:
    if not ID.fullmatch(public_id):
        raise _not_yours()


def _not_yours() -> NotFound:
    return NotFound("There is no such order of yours. Perhaps you bought with another account.")
