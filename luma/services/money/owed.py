"""What is owed to instructors, sale by sale: held for refunds, disputed, due, or to come back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Subquery, and_, case, cast, exists, func, select, true
from sqlalchemy.dialects.postgresql import INTERVAL
from sqlalchemy.orm import Session

from luma.models.ledger import LedgerAccount, LedgerEntry, LedgerKind, LedgerTransaction
from luma.models.order import Order
from luma.models.payee import Transfer, TransferStatus
from luma.models.payment import Payment
from luma.models.reversal import Dispute, RefundRequest
from luma.models.user import User
from luma.services import clock
from luma.services.money import ledger
from luma.settings import settings
from luma.values import DisputeStatus, Money

Account = tuple[int, str, str]
"""An instructor's, at a gateway, in a currency."""

SUSPENDING = [status for status in DisputeStatus if status.suspends]


@dataclass(frozen=True, slots=True)
class OpenSale:
    """One payment of which something is still to be paid out, or to come back if below zero."""

    payment_id: int
    currency: str
    left: int
    is_due: bool


def hold(session: Session, instructor_id: int) -> None:
    """Until the transaction ends nobody else pays this instructor: neither a job nor by hand."""
    held = select(User.id).where(User.id == instructor_id)
    session.execute(held.with_for_update(key_share=True))


def sales() -> Subquery:
    """Every payment with its balance: what is owed, what of it is on its way, whether it is due.

    Due is what the promise of a refund does not cover any more, and no bank or refund holds.
    """
    balance = (
        select(
            LedgerEntry.payment_id,
            LedgerEntry.instructor_id,
            LedgerEntry.currency,
            (-func.sum(LedgerEntry.minor)).label("owed"),
        )
        .where(LedgerEntry.account == LedgerAccount.INSTRUCTOR)
        .group_by(LedgerEntry.payment_id, LedgerEntry.instructor_id, LedgerEntry.currency)
        .subquery()
    )
    return (
        select(
            balance,
            Order.gateway,
            Order.public_id,
            Order.course_id,
            _held_until().label("held_until"),
            _on_its_way().label("on_its_way"),
            _is_disputed().label("is_disputed"),
            (~_is_disputed() & ~_refund_waits() & (_held_until() < clock.now())).label("is_due"),
        )
        .join(Payment, Payment.id == balance.c.payment_id)
        .join(Order, Order.id == Payment.order_id)
        .where(is_owed())
        .subquery()
    )


def is_owed() -> ColumnElement[bool]:
    """Once money is real, nobody is owed what was paid in play: at the sandbox, with test keys."""
    if not settings().livemode:
        return true()
    tested = Payment.session_id.startswith("cs_test_", autoescape=True)
    return and_(Order.gateway == "stripe", ~tested)


def open_sales(session: Session, instructor_id: int, gateway: str) -> list[OpenSale]:
    """What no transfer is on its way for, oldest first. Needs `hold`."""
    found = sales()
    left = (found.c.owed - found.c.on_its_way).label("left")
    rows = session.execute(
        select(found.c.payment_id, found.c.currency, left, found.c.is_due)
        .where(found.c.instructor_id == instructor_id, found.c.gateway == gateway, left != 0)
        .order_by(found.c.payment_id)
    )
    return [OpenSale(number, currency, int(left), due) for number, currency, left, due in rows]


def carry(session: Session, instructor_id: int, gateway: str) -> list[OpenSale]:
    """Keep back from due sales what was paid out too much for others; what is left to pay out.

    What nothing is due for stays as it is, and is kept back from the next sale that is.
    """
    for (who, where, currency), minor in ahead(session).items():
        if (who, where) == (instructor_id, gateway) and minor:
            _settle_ahead(session, instructor_id, gateway, Money(minor, currency))
    found = open_sales(session, instructor_id, gateway)
    for debt in (sale for sale in found if sale.left < 0):
        missing = Money(-debt.left, debt.currency)
        _spread(session, instructor_id, gateway, missing, found, debt.payment_id)
        found = open_sales(session, instructor_id, gateway)
    return [sale for sale in found if sale.is_due and sale.left > 0]


def ahead(session: Session) -> dict[Account, int]:
    """What was sent past LUMA for no sale in particular and is not counted to any.

    Below zero when it was counted and then taken back there: that much is owed again.
    """
    account = (LedgerEntry.instructor_id, LedgerTransaction.gateway, LedgerEntry.currency)
    rows = session.execute(
        select(*account, func.sum(LedgerEntry.minor))
        .join(LedgerTransaction, LedgerTransaction.id == LedgerEntry.transaction_id)
        .where(LedgerEntry.account == LedgerAccount.INSTRUCTOR, LedgerEntry.payment_id.is_(None))
        .group_by(*account)
    )
    return {(who, gateway, currency): int(minor) for who, gateway, currency, minor in rows if who}


def _settle_ahead(session: Session, instructor_id: int, gateway: str, sent: Money) -> None:
    if sent.minor > 0:
        found = open_sales(session, instructor_id, gateway)
        _spread(session, instructor_id, gateway, sent, found, None)
        return
    missing = -sent.minor
    for payment_id, counted in _counted_ahead(session, instructor_id, gateway, sent.currency):
        part = min(missing, counted)
        if part > 0:
            sale = OpenSale(payment_id, sent.currency, 0, is_due=True)
            _keep_back(session, instructor_id, gateway, sale, None, -part)
            missing -= part


def _counted_ahead(
    session: Session, instructor_id: int, gateway: str, currency: str
) -> list[tuple[int, int]]:
    """Sales that what was sent ahead is counted to, and how much of it, the latest first."""
    counted = -func.sum(LedgerEntry.minor)
    rows = session.execute(
        select(LedgerTransaction.payment_id, counted)
        .join(LedgerEntry, LedgerEntry.transaction_id == LedgerTransaction.id)
        .where(
            LedgerTransaction.kind == LedgerKind.CARRY,
            LedgerTransaction.gateway == gateway,
            LedgerTransaction.payment_id.is_not(None),
            LedgerEntry.payment_id.is_(None),
            LedgerEntry.instructor_id == instructor_id,
            LedgerEntry.currency == currency,
        )
        .group_by(LedgerTransaction.payment_id)
        .order_by(LedgerTransaction.payment_id.desc())
    )
    return [(number, int(minor)) for number, minor in rows if number and minor > 0]


def _spread(
    session: Session,
    instructor_id: int,
    gateway: str,
    missing: Money,
    found: Sequence[OpenSale],
    debt_of: int | None,
) -> None:
    left = missing.minor
    for sale in _due_in(found, missing.currency):
        part = min(left, sale.left)
        if part > 0:
            _keep_back(session, instructor_id, gateway, sale, debt_of, part)
            left -= part


def _due_in(found: Sequence[OpenSale], currency: str) -> list[OpenSale]:
    return [sale for sale in found if sale.is_due and sale.left > 0 and sale.currency == currency]


def _keep_back(
    session: Session,
    instructor_id: int,
    gateway: str,
    sale: OpenSale,
    debt_of: int | None,
    minor: int,
) -> None:
    before = select(func.count()).where(
        LedgerTransaction.payment_id == sale.payment_id,
        LedgerTransaction.kind == LedgerKind.CARRY,
    )
    number = session.scalar(before) or 0
    ledger.carry(
        session,
        f"{sale.payment_id}:{number + 1}",
        gateway,
        ledger.Share(ledger.Whose(sale.payment_id, instructor_id, sale.currency), minor),
        ledger.Share(ledger.Whose(debt_of, instructor_id, sale.currency), -minor),
    )


def _held_until() -> ColumnElement[datetime]:
    days = cast(func.concat(Order.refund_days, " days"), INTERVAL)
    return func.coalesce(Order.paid_at, Payment.paid_at) + days


def _on_its_way() -> ColumnElement[int]:
    """Asked of the gateway and not answered, less what is asked back."""
    signed = case((Transfer.of_id.is_(None), Transfer.amount_minor), else_=-Transfer.amount_minor)
    waiting = select(func.coalesce(func.sum(signed), 0)).where(
        Transfer.payment_id == Payment.id, Transfer.status == TransferStatus.WAITING
    )
    return waiting.correlate(Payment).scalar_subquery()


def _is_disputed() -> ColumnElement[bool]:
    return (
        exists()
        .where(Dispute.payment_id == Payment.id, Dispute.status.in_(SUSPENDING))
        .correlate(Payment)
    )


def _refund_waits() -> ColumnElement[bool]:
    return (
        exists()
        .where(
            RefundRequest.payment_id == Payment.id,
            RefundRequest.refund_id.is_(None),
            RefundRequest.refusal.is_(None),
        )
        .correlate(Payment)
    )
