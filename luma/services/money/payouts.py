"""What an instructor earned, sale by sale and month by month, and how it is paid out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, Subquery, func, select
from sqlalchemy.orm import Session

from luma.models.course import Course
from luma.models.ledger import LedgerAccount, LedgerEntry, LedgerKind, LedgerTransaction
from luma.models.order import Order
from luma.models.payee import BankPayout, Payee
from luma.models.payment import Payment
from luma.services import policies
from luma.services.money import owed, stopped_transfers
from luma.services.money.stopped_transfers import Stopped
from luma.services.policies import Actor
from luma.values import Money

PAYING = [kind for kind in LedgerKind if kind.pays_out]
TAKING = [LedgerKind.REFUND, LedgerKind.REFUND_BACK, LedgerKind.DISPUTE_LOST]
MONTHS = 12


@dataclass(frozen=True, slots=True)
class Figures:
    """Gross is what buyers paid without tax; fees are the platform's; net is the instructor's."""

    gateway: str
    gross: Money
    refunds: Money
    fees: Money
    net: Money
    paid: Money

    @property
    def is_test(self) -> bool:
        return self.gateway == "sandbox"


@dataclass(frozen=True, slots=True)
class Total:
    """Of one gateway and one currency, which are never added to others."""

    figures: Figures
    held: Money
    due: Money
    back: Money
    """Paid out too much, or sent ahead of any sale: it is kept back from the next one."""


@dataclass(frozen=True, slots=True)
class Month:
    begins: datetime
    figures: Figures


@dataclass(frozen=True, slots=True)
class Sale:
    order: str
    course: str
    sold_at: datetime
    figures: Figures
    state: str
    """held, disputed, due, on_its_way, back or paid."""
    held_until: datetime


@dataclass(frozen=True, slots=True)
class Bank:
    amount: Money
    status: str
    arrives_at: datetime
    failure: str | None


@dataclass(frozen=True, slots=True)
class Payouts:
    """`stopped` is what the gateway would not send."""

    stopped: list[Stopped]
    totals: list[Total]
    months: list[Month]
    found: list[Sale]
    has_more: bool
    bank: list[Bank]


def mine(session: Session, actor: Actor, most: int) -> Payouts:
    """What the actor sold, newest first, and how it is paid out."""
    policies.ensure_teaches(actor)
    whose = Course.instructor_id == actor.id
    found = _sales(session, whose, most + 1)
    return Payouts(
        stopped=stopped_transfers.mine(session, actor.id),
        totals=_totals(session, actor.id),
        months=_months(session, whose),
        found=found[:most],
        has_more=len(found) > most,
        bank=_bank(session, actor.id),
    )


def sums(sale: Subquery, left: ColumnElement[int]) -> tuple[ColumnElement[int], ...]:
    """Held, to come back, and on its way."""
    return (
        func.coalesce(func.sum(left).filter(~sale.c.is_due, left > 0), 0),
        func.coalesce(func.sum(-left).filter(left < 0), 0),
        func.coalesce(func.sum(sale.c.on_its_way).filter(sale.c.on_its_way > 0), 0),
    )


def _parts() -> tuple[ColumnElement[int], ...]:
    """Gross, refunds, fees, net and paid, as sums over lines of the ledger."""
    kind, minor = LedgerTransaction.kind, LedgerEntry.minor
    is_mine = LedgerEntry.account == LedgerAccount.INSTRUCTOR
    is_fee = LedgerEntry.account == LedgerAccount.PLATFORM_FEE
    moved = kind.not_in([*PAYING, LedgerKind.CARRY])
    sums = (
        func.sum(-minor).filter(is_mine | is_fee, kind == LedgerKind.PAYMENT),
        func.sum(minor).filter(is_mine | is_fee, kind.in_(TAKING)),
        func.sum(-minor).filter(is_fee),
        func.sum(-minor).filter(is_mine, moved),
        func.sum(minor).filter(is_mine, kind.in_(PAYING)),
    )
    return tuple(func.coalesce(one, 0) for one in sums)


def _figures(gateway: str, currency: str, parts: Sequence[int]) -> Figures:
    return Figures(gateway, *(Money(int(minor), currency) for minor in parts))


def _totals(session: Session, instructor_id: int) -> list[Total]:
    sale = owed.sales()
    left = sale.c.owed - sale.c.on_its_way
    due = func.coalesce(func.sum(left).filter(sale.c.is_due, left > 0), 0)
    states = {
        (gateway, currency): rest
        for gateway, currency, *rest in session.execute(
            select(sale.c.gateway, sale.c.currency, due, *sums(sale, left))
            .where(sale.c.instructor_id == instructor_id)
            .group_by(sale.c.gateway, sale.c.currency)
        )
    }
    rows = session.execute(
        _lines(select(Order.gateway, LedgerEntry.currency, *_parts()))
        .where(Course.instructor_id == instructor_id)
        .group_by(Order.gateway, LedgerEntry.currency)
        .order_by(Order.gateway.desc(), LedgerEntry.currency)
    )
    known = {(gateway, currency): parts for gateway, currency, *parts in rows}
    outside = _for_no_sale(session, instructor_id)
    found = []
    for gateway, currency in [*known, *(key for key in outside if key not in known)]:
        parts = known.get((gateway, currency), [0, 0, 0, 0, 0])
        due_minor, held, back, _ = states.get((gateway, currency), (0, 0, 0, 0))
        paid, ahead = outside.get((gateway, currency), (0, 0))
        money = [Money(int(minor), currency) for minor in (held, due_minor, back + max(0, ahead))]
        figures = _figures(gateway, currency, [*parts[:4], int(parts[4]) + paid])
        found.append(Total(figures, *money))
    return found


def _for_no_sale(session: Session, instructor_id: int) -> dict[tuple[str, str], tuple[int, int]]:
    """What was sent past LUMA for no sale in particular, and what of it no sale has covered."""
    paid = func.coalesce(func.sum(LedgerEntry.minor).filter(LedgerTransaction.kind.in_(PAYING)), 0)
    rows = session.execute(
        select(LedgerTransaction.gateway, LedgerEntry.currency, paid, func.sum(LedgerEntry.minor))
        .join(LedgerTransaction, LedgerTransaction.id == LedgerEntry.transaction_id)
        .where(LedgerEntry.instructor_id == instructor_id, LedgerEntry.payment_id.is_(None))
        .group_by(LedgerTransaction.gateway, LedgerEntry.currency)
    )
    return {(gateway, currency): (int(sent), int(left)) for gateway, currency, sent, left in rows}


def _months(session: Session, whose: ColumnElement[bool]) -> list[Month]:
    month = func.date_trunc("month", func.timezone("UTC", LedgerTransaction.happened_at))
    rows = session.execute(
        _lines(select(month, Order.gateway, LedgerEntry.currency, *_parts()))
        .where(whose)
        .group_by(month, Order.gateway, LedgerEntry.currency)
        .order_by(month.desc(), Order.gateway.desc(), LedgerEntry.currency)
        .limit(MONTHS)
    )
    return [Month(begins, _figures(gateway, currency, p)) for begins, gateway, currency, *p in rows]


def _sales(session: Session, whose: ColumnElement[bool], most: int) -> list[Sale]:
    parts = (
        _lines(select(LedgerEntry.payment_id, LedgerEntry.currency, *_parts()))
        .where(whose)
        .group_by(LedgerEntry.payment_id, LedgerEntry.currency)
        .order_by(LedgerEntry.payment_id.desc())
        .limit(most)
        .subquery()
    )
    sale = owed.sales()
    rows = session.execute(
        select(parts, sale, Course.title, Payment.paid_at)
        .join(sale, sale.c.payment_id == parts.c.payment_id)
        .join(Payment, Payment.id == parts.c.payment_id)
        .join(Course, Course.id == sale.c.course_id)
        .order_by(Payment.paid_at.desc(), Payment.id.desc())
    )
    return [_sale(row) for row in rows]


def _sale(row: Row[*tuple[Any, ...]]) -> Sale:
    said = row._mapping
    return Sale(
        order=said["public_id"],
        course=said["title"],
        sold_at=said["paid_at"],
        figures=_figures(said["gateway"], said["currency"], row[2:7]),
        state=_state(said["owed"], said["on_its_way"], said["is_due"], said["is_disputed"]),
        held_until=said["held_until"],
    )


def _state(still: int, moving: int, is_due: bool, is_disputed: bool) -> str:
    if moving > 0:
        return "on_its_way"
    if still < 0:
        return "back"
    if still == 0:
        return "paid"
    if is_disputed:
        return "disputed"
    return "due" if is_due else "held"


def _lines(columns: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    return (
        columns.select_from(LedgerEntry)
        .join(LedgerTransaction, LedgerTransaction.id == LedgerEntry.transaction_id)
        .join(Payment, Payment.id == LedgerEntry.payment_id)
        .join(Order, Order.id == Payment.order_id)
        .join(Course, Course.id == Order.course_id)
        .where(
            LedgerEntry.account.in_([LedgerAccount.INSTRUCTOR, LedgerAccount.PLATFORM_FEE]),
            owed.is_owed(),
        )
    )


def _bank(session: Session, instructor_id: int) -> list[Bank]:
    rows = session.scalars(
        select(BankPayout)
        .join(Payee, Payee.account_id == BankPayout.account_id)
        .where(Payee.instructor_id == instructor_id)
        .order_by(BankPayout.arrives_at.desc())
        .limit(12)
    )
    return [Bank(one.amount, one.status.value, one.arrives_at, one.failure) for one in rows]
