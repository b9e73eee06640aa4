"""What was sent to instructors and taken back from them in the gateway's own dashboard."""

import logging
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from luma.models.course import Course
from luma.models.ledger import LedgerAccount, LedgerKind
from luma.models.order import Order
from luma.models.payee import ForeignTransfer, Payee, Transfer
from luma.models.payment import Payment
from luma.models.user import User
from luma.services import policies
from luma.services.gateways.transfer_events import TakenBack, TransferFact
from luma.services.money import access, ledger, owed, transfers
from luma.services.policies import Actor
from luma.values import Money

MOST_LISTED = 50

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Foreign:
    """No instructor: the account is of nobody here. No order: for no sale in particular."""

    transfer_id: str
    gateway: str
    account_id: str
    instructor: str | None
    order: str | None
    amount: Money
    back: Money
    happened_at: datetime


def foreign(session: Session, actor: Actor) -> list[Foreign]:
    """What was sent past LUMA, the latest first."""
    policies.ensure_admin(actor)
    rows = session.execute(
        select(ForeignTransfer, User.name, Order.public_id)
        .outerjoin(User, User.id == ForeignTransfer.instructor_id)
        .outerjoin(Payment, Payment.id == ForeignTransfer.payment_id)
        .outerjoin(Order, Order.id == Payment.order_id)
        .order_by(ForeignTransfer.happened_at.desc(), ForeignTransfer.id.desc())
        .limit(MOST_LISTED)
    )
    return [
        Foreign(
            one.transfer_id,
            one.gateway,
            one.account_id,
            name,
            order,
            one.amount,
            Money(one.back_minor, one.amount_currency),
            one.happened_at,
        )
        for one, name, order in rows
    ]


def record(session: Session, fact: TransferFact, gateway: str) -> None:
    """Add what LUMA did not do itself; of what it did, an event is only the echo.

    An echo may come before the answer that it repeats, or instead of it.
    """
    ours = _ours(session, fact)
    if ours is None:
        _record_foreign(session, fact, gateway)
        return
    owed.hold(session, ours.instructor_id)
    transfers.note_sent(session, ours.id, fact.transfer_id)
    for back in fact.back:
        _record_back(session, ours, back)


def _ours(session: Session, fact: TransferFact) -> Transfer | None:
    """By its id; by the key that went along only while no answer is known, for it was one call."""
    known = select(Transfer).where(Transfer.gateway_id == fact.transfer_id)
    if found := session.scalar(known):
        return found
    return session.scalar(
        select(Transfer).where(
            Transfer.operation_key == fact.reference,
            Transfer.of_id.is_(None),
            Transfer.gateway_id.is_(None),
            Transfer.account_id == fact.account_id,
            Transfer.amount == fact.amount,
        )
    )


def _record_back(session: Session, ours: Transfer, back: TakenBack) -> None:
    """A part of a transfer of ours that is gone again, asked for by us or by somebody there."""
    known = select(Transfer.id).where(Transfer.gateway_id == back.reversal_id)
    if session.scalar(known) is not None:
        return
    asked = select(Transfer.id).where(
        Transfer.operation_key == back.reference,
        Transfer.of_id == ours.id,
        Transfer.gateway_id.is_(None),
        Transfer.amount == back.amount,
    )
    number = session.scalar(asked) or _outside(session, ours, back)
    transfers.note_sent(session, number, back.reversal_id)


def _outside(session: Session, ours: Transfer, back: TakenBack) -> int:
    log.warning("a share was taken back past LUMA", extra={"transfer": ours.id})
    row = Transfer(
        payment_id=ours.payment_id,
        instructor_id=ours.instructor_id,
        account_id=ours.account_id,
        number=transfers.next_number(session, ours.payment_id),
        of_id=ours.id,
        amount=back.amount,
        operation_key=f"outside:{back.reversal_id}"[:120],
        is_outside=True,
        created_at=back.happened_at,
    )
    session.add(row)
    session.flush()
    return row.id


def _record_foreign(session: Session, fact: TransferFact, gateway: str) -> None:
    """To one of ours it counts as paid; to anybody else it is kept, and an admin sees it."""
    instructor_id = _whose(session, fact.account_id)
    if instructor_id is not None:
        owed.hold(session, instructor_id)
    payment_id = _payment(session, fact, instructor_id)
    new = insert(ForeignTransfer).values(
        transfer_id=fact.transfer_id,
        gateway=gateway,
        account_id=fact.account_id,
        instructor_id=instructor_id,
        payment_id=payment_id,
        amount_minor=fact.amount.minor,
        amount_currency=fact.amount.currency,
        back_minor=sum(one.amount.minor for one in fact.back),
        happened_at=fact.happened_at,
    )
    more = func.greatest(ForeignTransfer.back_minor, new.excluded.back_minor)
    once = new.on_conflict_do_update(
        index_elements=[ForeignTransfer.transfer_id], set_={"back_minor": more}
    )
    row = session.scalars(
        once.returning(ForeignTransfer), execution_options={"populate_existing": True}
    ).one()
    if row.instructor_id is None:
        log.warning("a transfer to nobody here", extra={"transfer": fact.transfer_id})
        return
    _post(session, row, row.instructor_id, fact)


def _post(session: Session, row: ForeignTransfer, instructor_id: int, fact: TransferFact) -> None:
    if row.payment_id is not None:
        access.locked(session, session.get_one(Payment, row.payment_id).order_id)
    whose = ledger.Whose(row.payment_id, instructor_id, row.amount_currency)
    moves = [
        ledger.Posting(LedgerKind.TRANSFER, fact.transfer_id, fact.happened_at, _lines(fact.amount))
    ]
    for back in fact.back:
        lines = _lines(Money(-back.amount.minor, back.amount.currency))
        moves.append(
            ledger.Posting(LedgerKind.TRANSFER_BACK, back.reversal_id, back.happened_at, lines)
        )
    for move in moves:
        ledger.write_for(session, move, row.gateway, whose)


def _lines(amount: Money) -> ledger.Lines:
    return {LedgerAccount.INSTRUCTOR: amount.minor, LedgerAccount.GATEWAY: -amount.minor}


def _whose(session: Session, account_id: str) -> int | None:
    """Also by an account that somebody had before the one they have now."""
    now = session.scalar(select(Payee.instructor_id).where(Payee.account_id == account_id))
    if now is not None:
        return now
    earlier = select(Transfer.instructor_id).where(Transfer.account_id == account_id).limit(1)
    return session.scalar(earlier)


def _payment(session: Session, fact: TransferFact, instructor_id: int | None) -> int | None:
    """The sale of theirs that it was made from, if it names one and is in its currency."""
    if fact.charge_id is None or instructor_id is None:
        return None
    return session.scalar(
        select(Payment.id)
        .join(Order, Order.id == Payment.order_id)
        .join(Course, Course.id == Order.course_id)
        .where(
            Payment.charge_id == fact.charge_id,
            Payment.settled_currency == fact.amount.currency,
            Course.instructor_id == instructor_id,
        )
    )
