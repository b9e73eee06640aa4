"""Write down refunds and disputes, wherever they were made, and derive what follows."""

import logging
from dataclasses import asdict

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.sql.dml import ReturningInsert

from luma.models.payment import Payment
from luma.models.reversal import BalanceMove, Dispute, Refund
from luma.services import signals
from luma.services.gateways.reversal_events import DisputeFact, RefundFact
from luma.services.money import access, ledger, letters_of_money
from luma.values import RefundStatus

log = logging.getLogger(__name__)


class UnknownPayment(Exception):
    """The payment it is about is not here, or not here yet."""


class NotOurs(Exception):
    """It is about nothing of ours: another shop on the same account sold something."""


def record(session: Session, fact: RefundFact | DisputeFact) -> None:
    """Add one fact by its id; a lower rank never replaces a higher one. Raises UnknownPayment.

    The order is held before the fact is written: two events of one purchase follow one another.
    """
    payment = _payment(session, fact.payment_intent_id)
    order = access.locked(session, payment.order_id)
    row = _refund(payment, fact) if isinstance(fact, RefundFact) else _dispute(payment, fact)
    fact_id = session.scalar(row)
    has_moved = _note_moves(session, payment, fact)
    if fact_id is None:
        if has_moved:
            ledger.post(session, payment.id)
        return
    if isinstance(fact, RefundFact) and fact.status is RefundStatus.FAILED:
        log.error("a refund failed", extra={"order": order.public_id, "why": fact.failure})
    access.derive(session, order)
    ledger.post(session, payment.id)
    signals.tell(session, order.public_id)
    if isinstance(fact, RefundFact):
        letters_of_money.refund_changed(session, fact_id)
    else:
        letters_of_money.dispute_changed(session, fact_id)


def _payment(session: Session, intent: str | None) -> Payment:
    found = session.scalar(select(Payment).where(Payment.payment_intent_id == intent))
    if intent is None or found is None:
        raise UnknownPayment("There is no payment with the id it names.")
    return found


def _note_moves(session: Session, payment: Payment, fact: RefundFact | DisputeFact) -> bool:
    """Write down what moved at the gateway, which is heard later than the fact, too."""
    thing = fact.refund_id if isinstance(fact, RefundFact) else fact.dispute_id
    rows = [{"payment_id": payment.id, "thing": thing} | asdict(one) for one in fact.moves]
    if not rows:
        return False
    new = insert(BalanceMove).values(rows).on_conflict_do_nothing()
    return bool(session.scalars(new.returning(BalanceMove.id)).all())


def _refund(payment: Payment, fact: RefundFact) -> ReturningInsert[int]:
    return _newer(
        Refund,
        Refund.refund_id,
        fact,
        "failure",
        refund_id=fact.refund_id,
        payment_id=payment.id,
        failure=fact.failure,
        refunded_at=fact.happened_at,
    )


def _dispute(payment: Payment, fact: DisputeFact) -> ReturningInsert[int]:
    return _newer(
        Dispute,
        Dispute.dispute_id,
        fact,
        "due_by",
        dispute_id=fact.dispute_id,
        payment_id=payment.id,
        reason=fact.reason,
        due_by=fact.due_by,
        opened_at=fact.happened_at,
    )


def _newer(
    table: type[Refund | Dispute],
    key: InstrumentedAttribute[str],
    fact: RefundFact | DisputeFact,
    also: str,
    **columns: object,
) -> ReturningInsert[int]:
    """Write the fact, or its status and what `also` comes with it if its rank has risen."""
    new = insert(table).values(
        amount_minor=fact.amount.minor,
        amount_currency=fact.amount.currency,
        status=fact.status,
        rank=fact.status.rank,
        **columns,
    )
    changes = {name: new.excluded[name] for name in ("status", "rank", also)}
    return new.on_conflict_do_update(
        index_elements=[key], set_=changes, where=table.rank < new.excluded.rank
    ).returning(table.id)
