"""What sales come to: one statement for all figures of a look, of now and of the time before."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    Integer,
    Select,
    SQLColumnExpression,
    cast,
    exists,
    func,
    literal,
    select,
    union_all,
)
from sqlalchemy.orm import Session, aliased

from luma.models.course import Course
from luma.models.order import Order
from luma.models.payment import Payment
from luma.services.money import sale_parts
from luma.services.money.spans import Span
from luma.values import Money

Condition = ColumnElement[bool]
Part = Select[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Figures:
    """In minor units of one currency. Money counts on the day on which it moved; an order is
    counted as refunded on the day of its sale, whenever its money went back."""

    gross: int = 0
    """What buyers paid, with tax."""
    tax: int = 0
    fees: int = 0
    """The platform's, less what of them went back with refunds."""
    refunds: int = 0
    """Back to buyers, lost disputes too."""
    orders: int = 0
    refunded_orders: int = 0

    @property
    def net(self) -> int:
        """The instructor's."""
        return self.gross - self.tax - self.fees - self.refunds

    @property
    def refund_rate(self) -> int:
        """In tenths of a percent, rounded down."""
        return self.refunded_orders * 1000 // self.orders if self.orders else 0

    def __add__(self, other: "Figures") -> "Figures":
        return Figures(
            *(getattr(self, one.name) + getattr(other, one.name) for one in fields(self))
        )


@dataclass(frozen=True, slots=True)
class Bar:
    """One part of the chart."""

    first: date
    last: date
    figures: Figures


@dataclass(frozen=True, slots=True)
class Block:
    """Everything of one currency."""

    currency: str
    now: Figures
    before: Figures
    bars: tuple[Bar, ...]

    def money(self, minor: int) -> Money:
        return Money(minor, self.currency)


def blocks(session: Session, span: Span, *which: Condition) -> tuple[Block, ...]:
    """One for each currency in which something was sold or went back, the largest first."""
    by_day: dict[str, dict[date, Figures]] = defaultdict(lambda: defaultdict(Figures))
    for currency, day, *parts in session.execute(statement(span, *which)):
        by_day[currency][day] += Figures(*map(int, parts))
    found = [_block(currency, span, days) for currency, days in by_day.items()]
    return tuple(sorted(found, key=lambda block: (-block.now.orders, block.currency)))


def statement(span: Span, *which: Condition) -> Part:
    """A row for each currency and day. `which` are conditions on Course, Order and Payment."""
    days = union_all(_sold(span, which), _went_back(span, which)).subquery("days")
    refunded = days.c.orders * days.c.reversed
    parts = (*(days.c[name] for name in ("gross", "tax", "fees", "refunds", "orders")), refunded)
    sums = [cast(func.sum(part), BigInteger) for part in parts]
    return select(days.c.currency, days.c.day, *sums).group_by(days.c.currency, days.c.day)


def _sold(span: Span, which: Sequence[Condition]) -> Part:
    earlier = aliased(Payment)
    is_first = ~exists().where(
        earlier.order_id == Payment.order_id,
        earlier.id < Payment.id,
        earlier.mismatch.is_(None),
    )
    gone = select(sale_parts.taken_back().subquery("gone").c.payment_id)
    return (
        select(
            Payment.amount_currency.label("currency"),
            _day(Payment.paid_at).label("day"),
            Payment.amount_minor.label("gross"),
            Payment.tax_minor.label("tax"),
            (Payment.amount_minor - Payment.tax_minor - sale_parts.share()).label("fees"),
            literal(0, BigInteger).label("refunds"),
            cast(is_first, Integer).label("orders"),
            cast(Payment.id.in_(gone), Integer).label("reversed"),
        )
        .join(Order, Order.id == Payment.order_id)
        .join(Course, Course.id == Order.course_id)
        .where(*_within(Payment.paid_at, span), Payment.mismatch.is_(None), *which)
    )


def _went_back(span: Span, which: Sequence[Condition]) -> Part:
    steps = sale_parts.steps()

    def moved(part: sale_parts.Int) -> ColumnElement[int]:
        return sale_parts.part(part, steps.c.upto) - sale_parts.part(part, steps.c.until)

    amount = steps.c.upto - steps.c.until
    tax = moved(Payment.tax_minor)
    nothing = literal(0, BigInteger)
    return (
        select(
            Payment.amount_currency,
            _day(steps.c.at),
            nothing,
            -tax,
            moved(sale_parts.share()) + tax - amount,
            amount,
            literal(0, Integer),
            literal(0, Integer),
        )
        .join(Payment, Payment.id == steps.c.payment_id)
        .join(Order, Order.id == Payment.order_id)
        .join(Course, Course.id == Order.course_id)
        .where(*_within(steps.c.at, span), Payment.mismatch.is_(None), *which)
    )


def _within(moment: SQLColumnExpression[datetime], span: Span) -> tuple[Condition, Condition]:
    """Of the span and of the one before it, which follow one another."""
    return moment >= span.before.start, moment < span.end


def _day(moment: SQLColumnExpression[datetime]) -> ColumnElement[date]:
    return cast(func.timezone("UTC", moment), Date)


def _block(currency: str, span: Span, days: Mapping[date, Figures]) -> Block:
    bars = tuple(Bar(first, last, _sum(days, first, last)) for first, last in span.parts())
    earlier = span.before
    return Block(
        currency,
        _sum(days, span.first, span.last),
        _sum(days, earlier.first, earlier.last),
        bars,
    )


def _sum(days: Mapping[date, Figures], first: date, last: date) -> Figures:
    inside = (figures for day, figures in days.items() if first <= day <= last)
    return sum(inside, start=Figures())
