"""Write down what a payment settled to and cost: heard after the payment, and in any order."""

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from luma.models.payment import Payment
from luma.services.gateways.charge_events import ChargeFact
from luma.services.money import access, ledger
from luma.services.money.reversals import NotOurs, UnknownPayment


def record(session: Session, fact: ChargeFact) -> None:
    """Add what is not known yet; what is known stays. Raises UnknownPayment or NotOurs.

    The order is held before anything is written: two events of one purchase follow one another.
    """
    if not fact.has_succeeded:
        raise NotOurs("The charge has not succeeded: no money moved.")
    payment_id, order_id = _payment(session, fact)
    access.locked(session, order_id)
    known = {
        "charge_id": func.coalesce(Payment.charge_id, fact.charge_id),
        "receipt_url": func.coalesce(Payment.receipt_url, fact.receipt_url),
    }
    of_it = update(Payment).where(Payment.id == payment_id)
    session.execute(of_it.values(known))
    if fact.settled:
        settled = {
            "settled_minor": fact.settled.amount.minor,
            "settled_currency": fact.settled.amount.currency,
            "fee_minor": fact.settled.fee.minor,
        }
        session.execute(of_it.where(Payment.settled_minor.is_(None)).values(settled))
        ledger.post(session, payment_id)


def _payment(session: Session, fact: ChargeFact) -> tuple[int, int]:
    """The payment and its order. What names no order of ours is of another shop on the account."""
    found = session.execute(
        select(Payment.id, Payment.order_id).where(
            Payment.payment_intent_id == fact.payment_intent_id
        )
    ).one_or_none()
    if fact.payment_intent_id is not None and found is not None:
        return found[0], found[1]
    if fact.order is None:
        raise NotOurs("It names no order.")
    raise UnknownPayment("There is no payment with the id it names.")
