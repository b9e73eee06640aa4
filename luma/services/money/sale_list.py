"""The orders behind the figures, the newest first: some for a page, all for a spreadsheet."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Row,
    Select,
    cast,
    exists,
    func,
    or_,
    select,
    tuple_,
)
from sqlalchemy.orm import Session

from luma.models.coupon import Coupon, CouponUse
from luma.models.course import Course
from luma.models.order import Order
from luma.models.payment import Payment
from luma.models.progress import Enrolment
from luma.models.user import User
from luma.services.money import sale_parts
from luma.services.money.spans import Span
from luma.values import Money, OrderStatus

ALL = "all"
STATES: dict[str, tuple[OrderStatus, ...]] = {
    ALL: (
        OrderStatus.PAID,
        OrderStatus.PENDING,
        OrderStatus.NEEDS_REVIEW,
        OrderStatus.REFUNDED,
        OrderStatus.DISPUTED,
        OrderStatus.CHARGED_BACK,
    ),
    "paid": (OrderStatus.PAID,),
    "pending": (OrderStatus.PENDING,),
    "refunded": (OrderStatus.REFUNDED,),
    "disputed": (OrderStatus.DISPUTED, OrderStatus.CHARGED_BACK),
    "review": (OrderStatus.NEEDS_REVIEW,),
    "unpaid": (OrderStatus.OPEN, OrderStatus.FAILED, OrderStatus.EXPIRED),
}
AT_ONCE = 1000

SOLD_AT = func.coalesce(Order.paid_at, Order.created_at)
"""When it was paid; what is not paid yet, when it was opened. The index has the same words."""

Place = tuple[datetime, int]
"""Where a page of rows ended."""


@dataclass(frozen=True, slots=True)
class Wish:
    words: str
    state: str


@dataclass(frozen=True, slots=True)
class SaleRow:
    """One order. `discount` and what follows are in the currency of `price`."""

    order: str
    at: datetime
    buyer: str
    email: str
    course: str
    price: Money
    discount: Money
    code: str | None
    paid: Money
    tax: Money
    refunded: Money
    net: Money
    """The instructor's, as of now."""
    status: OrderStatus
    has_access: bool


@dataclass(frozen=True, slots=True)
class Found:
    rows: tuple[SaleRow, ...]
    has_more: bool


@dataclass(frozen=True, slots=True)
class Page:
    """`onward` is where the next page begins, None after the last."""

    rows: tuple[SaleRow, ...]
    onward: Place | None


def state(word: str) -> str:
    """What an address asks for; nothing known is everything."""
    return word if word in STATES else ALL


def found(
    session: Session, span: Span, wish: Wish, about: Sequence[ColumnElement[bool]], most: int
) -> Found:
    rows = session.execute(statement(span, wish, about).limit(most + 1)).all()
    return Found(tuple(_row(row) for row in rows[:most]), len(rows) > most)


def page(
    session: Session,
    span: Span,
    wish: Wish,
    about: Sequence[ColumnElement[bool]],
    after: Place | None,
) -> Page:
    asked = statement(span, wish, about)
    if after is not None:
        asked = asked.where(tuple_(SOLD_AT, Order.id) < after)
    rows = session.execute(asked.limit(AT_ONCE)).all()
    onward = (rows[-1].sold_at, rows[-1].Order.id) if len(rows) == AT_ONCE else None
    return Page(tuple(_row(row) for row in rows), onward)


def statement(
    span: Span, wish: Wish, about: Sequence[ColumnElement[bool]]
) -> Select[*tuple[Any, ...]]:
    """Orders of these days by `SOLD_AT`, with what was paid for each and what is left of it."""
    return (
        select(
            Order,
            SOLD_AT.label("sold_at"),
            User.name.label("buyer"),
            User.email,
            Course.title.label("course"),
            Coupon.code,
            *_sums(),
            _access().label("has_access"),
        )
        .join(Course, Course.id == Order.course_id)
        .join(User, User.id == Order.buyer_id)
        .outerjoin(CouponUse, CouponUse.order_id == Order.id)
        .outerjoin(Coupon, Coupon.id == CouponUse.coupon_id)
        .where(
            span.start <= SOLD_AT,
            span.end > SOLD_AT,
            Order.status.in_(STATES[wish.state]),
            *_matching(wish.words),
            *about,
        )
        .order_by(SOLD_AT.desc(), Order.id.desc())
    )


def _sums() -> list[ColumnElement[int]]:
    """Over the good payments of an order. `net` is what is left for the instructor."""
    back = sale_parts.taken_back_of(Payment)
    share = sale_parts.share()
    return [
        _sum(Payment.amount_minor).label("paid"),
        _sum(Payment.tax_minor).label("tax"),
        _sum(back).label("refunded"),
        _sum(share - sale_parts.part(share, back)).label("net"),
    ]


def _sum(part: sale_parts.Int) -> ColumnElement[int]:
    added = func.coalesce(func.sum(part), 0)
    return (
        select(cast(added, BigInteger))
        .where(Payment.order_id == Order.id, Payment.mismatch.is_(None))
        .correlate(Order)
        .scalar_subquery()
    )


def _access() -> ColumnElement[bool]:
    return exists().where(
        Enrolment.student_id == Order.buyer_id,
        Enrolment.course_id == Order.course_id,
        Enrolment.active,
    )


def _matching(words: str) -> list[ColumnElement[bool]]:
    if not words:
        return []
    asked = words.lower()
    columns = (User.email, func.lower(User.name), func.lower(Course.title), Order.public_id)
    return [or_(*(column.contains(asked, autoescape=True) for column in columns))]


def _row(found: Row[*tuple[Any, ...]]) -> SaleRow:
    order: Order = found.Order

    def money(minor: int) -> Money:
        return Money(minor, order.price.currency)

    return SaleRow(
        order=order.public_id,
        at=found.sold_at,
        buyer=found.buyer,
        email=found.email,
        course=found.course,
        price=order.price,
        discount=money(order.discount_minor),
        code=found.code,
        paid=money(found.paid),
        tax=money(found.tax),
        refunded=money(found.refunded),
        net=money(found.net),
        status=order.status,
        has_access=found.has_access,
    )
