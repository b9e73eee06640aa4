"""What a code takes off a price, for whom, and who holds a use of it: it alone counts the uses."""

import logging
import re
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import exists, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from luma import currencies
from luma.errors import RuleBroken
from luma.models.coupon import Coupon, CouponUse
from luma.models.course import Course
from luma.models.order import Order
from luma.services import clock
from luma.values import Money, OrderStatus

log = logging.getLogger(__name__)

CODE = re.compile(r"[A-Z0-9-]{3,40}")
OVER_UNPAID = (OrderStatus.EXPIRED, OrderStatus.FAILED)

UNKNOWN = "There is no such code. Look at it letter by letter."
ENDED = "This code has expired."
USED_UP = "This code is used up."
USED = "You have used this code already. It is good for one course."


class CodeRefused(RuleBroken):
    """Why a code takes nothing off, to be said beside the field."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A price with a coupon's discount."""

    coupon_id: int
    code: str
    price: Money
    discount: Money
    words: str
    """ "20 % off"."""
    ends_at: datetime | None
    is_held: bool = False
    """Whether an open order has it already."""

    @property
    def total(self) -> Money:
        return self.price - self.discount

    @property
    def is_free(self) -> bool:
        return self.total.is_zero


@dataclass(frozen=True, slots=True)
class Answer:
    """What a course page says of a code: what it takes off, or why it does not."""

    code: str
    offer: Offer | None = None
    refusal: str = ""


def answer(session: Session, course_id: int, buyer_id: int | None, code: str) -> Answer:
    """For a page that only shows; buying asks again. Back from the till one has the use still."""
    course = session.get_one(Course, course_id)
    try:
        kept = _held(session, _open_order(session, course_id, buyer_id), course, code)
        return Answer(plain(code), kept or offer(session, buyer_id, course, code))
    except CodeRefused as refusal:
        return Answer(code.strip()[:40], refusal=str(refusal))


def offer(session: Session, buyer_id: int | None, course: Course, code: str) -> Offer:
    """What the code takes off today's price of the course. Raises CodeRefused."""
    coupon = _coupon(session, code)
    _ensure_for(coupon, course)
    _ensure_now(coupon, clock.now())
    if buyer_id is not None and _has_used(session, coupon.id, buyer_id):
        raise CodeRefused(USED)
    if coupon.most_uses is not None and coupon.uses >= coupon.most_uses:
        raise CodeRefused(USED_UP)
    return _offer(coupon, course.price)


def wanted(
    session: Session, order: Order | None, buyer_id: int, course: Course, code: str
) -> Offer | None:
    """What a buyer is given who pays now: None without a code. Raises CodeRefused.

    An open order keeps what it was promised by this very code, whatever became of the code since.
    """
    if not code.strip():
        return None
    return _held(session, order, course, code) or offer(session, buyer_id, course, code)


def fits(order: Order, given: Offer | None) -> bool:
    """Whether an open order is at this discount, so that the buyer goes on with it."""
    return given.is_held if given else order.discount_minor == 0


def claim(session: Session, order: Order, given: Offer) -> None:
    """Take one use for an order that is being opened. Raises CodeRefused when there is none left.

    One statement counts and checks: of many buyers at once the last use goes to one.
    """
    if not _count(session, given.coupon_id):
        raise CodeRefused(USED_UP)
    new = insert(CouponUse).values(
        coupon_id=given.coupon_id,
        order_id=order.id,
        buyer_id=order.buyer_id,
        claimed_at=clock.now(),
    )
    if session.scalar(new.on_conflict_do_nothing().returning(CouponUse.id)) is None:
        raise CodeRefused(USED)


def settle(session: Session, order: Order) -> None:
    """Give the order's use back when it ended without money, and take it again if money came.

    Money that comes after the end is honoured in any case; only the count may stay behind then,
    when somebody else has the last use meanwhile.
    """
    use = session.scalar(select(CouponUse).where(CouponUse.order_id == order.id))
    if use is None or (order.status in OVER_UNPAID) is (use.released_at is not None):
        return
    if use.released_at is None:
        one_less = update(Coupon).where(Coupon.id == use.coupon_id)
        session.execute(one_less.values(uses=Coupon.uses - 1))
        use.released_at = clock.now()
    elif _is_free_for(session, use):
        use.released_at = None
    else:
        log.warning("paid with a use that was given back", extra={"order": order.public_id})
    session.flush()


def code_of(session: Session, order_id: int) -> str | None:
    """The code that an order was opened with, whatever became of it."""
    return session.scalar(
        select(Coupon.code)
        .join(CouponUse, CouponUse.coupon_id == Coupon.id)
        .where(CouponUse.order_id == order_id)
    )


def plain(code: str) -> str:
    """As it is kept: in capitals. What cannot be a code becomes "", which nothing has."""
    typed = code.strip().upper() if len(code) < 200 else ""
    return typed if CODE.fullmatch(typed) else ""


def ensure_leaves_enough(total: Money) -> None:
    """Raises CodeRefused for a rest that no gateway charges; nothing at all is fine."""
    least = Money(currencies.least(total.currency), total.currency)
    if 0 < total.minor < least.minor:
        raise CodeRefused(
            f"With this code {total.words()} would be left to pay, and the smallest charge is"
            f" {least.words()}."
        )


def _open_order(session: Session, course_id: int, buyer_id: int | None) -> Order | None:
    return session.scalar(
        select(Order).where(
            Order.course_id == course_id,
            Order.buyer_id == buyer_id,
            Order.status == OrderStatus.OPEN,
        )
    )


def _held(session: Session, order: Order | None, course: Course, code: str) -> Offer | None:
    if order is None or order.price != course.price:
        return None
    coupon = session.scalar(
        select(Coupon)
        .join(CouponUse, CouponUse.coupon_id == Coupon.id)
        .where(
            CouponUse.order_id == order.id,
            CouponUse.released_at.is_(None),
            Coupon.code == plain(code),
        )
    )
    return replace(_offer(coupon, order.price), is_held=True) if coupon else None


def _coupon(session: Session, code: str) -> Coupon:
    known = plain(code)
    found = session.scalar(select(Coupon).where(Coupon.code == known)) if known else None
    if found is None:
        raise CodeRefused(UNKNOWN)
    return found


def _ensure_for(coupon: Coupon, course: Course) -> None:
    if coupon.instructor_id not in (None, course.instructor_id):
        raise CodeRefused("This code is for courses of another instructor.")
    if coupon.course_id not in (None, course.id):
        raise CodeRefused("This code is for another course.")


def _ensure_now(coupon: Coupon, now: datetime) -> None:
    if coupon.ended_at or (coupon.ends_at and coupon.ends_at <= now):
        raise CodeRefused(ENDED)
    if coupon.starts_at and coupon.starts_at > now:
        starts = coupon.starts_at
        raise CodeRefused(f"This code is good from {starts.day} {starts:%B %Y} (UTC).")


def _offer(coupon: Coupon, price: Money) -> Offer:
    try:
        discount = coupon.off(price)
    except RuleBroken as refusal:
        raise CodeRefused(str(refusal)) from refusal
    if discount.is_zero:
        raise CodeRefused("This code takes nothing off so small a price.")
    ensure_leaves_enough(price - discount)
    return Offer(coupon.id, coupon.code, price, discount, coupon.words, coupon.ends_at)


def _has_used(session: Session, coupon_id: int, buyer_id: int) -> bool:
    held_by_them = exists().where(
        CouponUse.coupon_id == coupon_id,
        CouponUse.buyer_id == buyer_id,
        CouponUse.released_at.is_(None),
    )
    return bool(session.scalar(select(held_by_them)))


def _is_free_for(session: Session, use: CouponUse) -> bool:
    again = _has_used(session, use.coupon_id, use.buyer_id)
    return not again and _count(session, use.coupon_id, also_ended=True)


def _count(session: Session, coupon_id: int, *, also_ended: bool = False) -> bool:
    """Whether there was a use left; then it is taken."""
    one_more = update(Coupon).where(
        Coupon.id == coupon_id, Coupon.most_uses.is_(None) | (Coupon.uses < Coupon.most_uses)
    )
    if not also_ended:
        one_more = one_more.where(Coupon.ended_at.is_(None))
    taken = one_more.values(uses=Coupon.uses + 1).returning(Coupon.id)
    return session.scalar(taken) is not None
