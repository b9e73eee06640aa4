"""Write down that a card's issuer takes a payment for fraud, and tell those who can refund it."""

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from luma.models.payment import Payment
from luma.models.reversal import FraudWarning
from luma.services import signals
from luma.services.gateways.fraud_events import WarningFact
from luma.services.money import access, sale_letters
from luma.services.money.reversals import UnknownPayment
from luma.services.money.sale_letters import Words


def record(session: Session, fact: WarningFact) -> None:
    """Once by its id. Nothing follows by itself: most such payments are disputed later, not all.

    Raises UnknownPayment.
    """
    payment = _payment(session, fact)
    order = access.locked(session, payment.order_id)
    new = insert(FraudWarning).values(
        warning_id=fact.warning_id,
        payment_id=payment.id,
        reason=fact.reason,
        warned_at=fact.happened_at,
    )
    is_new = session.scalar(new.on_conflict_do_nothing().returning(FraudWarning.id))
    if is_new is not None:
        signals.tell(session, order.public_id)
        if fact.is_actionable:
            _tell(session, payment, fact)


def _payment(session: Session, fact: WarningFact) -> Payment:
    """Older charges have no payment intent."""
    named = {Payment.payment_intent_id: fact.payment_intent_id, Payment.charge_id: fact.charge_id}
    for column, name in named.items():
        found = name and session.scalar(select(Payment).where(column == name))
        if found:
            return found
    raise UnknownPayment("There is no payment with the id it names.")


def _tell(session: Session, payment: Payment, fact: WarningFact) -> None:
    sale = sale_letters.sale_of(session, payment.order_id)
    said = Words(
        f"fraud-warning-{fact.warning_id}",
        "fraud-warning",
        "A payment may be fraud",
        f"The issuer of the card takes the payment of {payment.amount.words()} by {sale.buyer} for "
        f"“{sale.title}” for fraud ({fact.reason.replace('_', ' ')}). No money has moved yet. Such "
        "a payment is mostly disputed later, which costs a fee as well: if you do not know the "
        "buyer, refund it now on the page of the order.",
    )
    sale_letters.to_admins(session, sale, said)
