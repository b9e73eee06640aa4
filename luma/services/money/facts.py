"""Write down what is known to have happened to money, and whether it fits its order."""

import logging

from sqlalchemy import exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from luma.models.order import CheckoutAttempt, Order
from luma.models.payment import Payment
from luma.services import clock
from luma.services.gateways.account_events import AccountFact, PayoutFact
from luma.services.gateways.charge_events import ChargeFact
from luma.services.gateways.checkout_events import CheckoutFact, Outcome
from luma.services.gateways.events import Fact
from luma.services.gateways.fraud_events import WarningFact
from luma.services.gateways.invoice_events import InvoiceFact
from luma.services.gateways.product_events import ProductFact
from luma.services.gateways.transfer_events import TransferFact
from luma.services.money import (
    access,
    charges,
    drift,
    fraud_warnings,
    letters_of_money,
    outside_transfers,
    payees,
    receipts,
    reversals,
)
from luma.services.money.reversals import NotOurs, UnknownPayment
from luma.values import AttemptStatus, Money

log = logging.getLogger(__name__)

_NOTED = {
    Outcome.AWAITING: AttemptStatus.AWAITING,
    Outcome.EXPIRED: AttemptStatus.EXPIRED,
    Outcome.FAILED: AttemptStatus.FAILED,
}


class UnknownOrder(UnknownPayment):
    """The order it names is not here, or not here yet."""


def record(session: Session, fact: Fact, source: str) -> None:
    """Add one fact and derive what follows. Raises UnknownOrder, UnknownPayment or NotOurs.

    A fact is written once by its id and never taken back, so the order of arrival is all one.
    """
    if isinstance(fact, CheckoutFact):
        _record_checkout(session, fact, source)
    elif isinstance(fact, ChargeFact):
        charges.record(session, fact)
    elif isinstance(fact, AccountFact | PayoutFact):
        payees.record(session, fact)
    elif isinstance(fact, TransferFact):
        outside_transfers.record(session, fact, "sandbox" if source == "sandbox" else "stripe")
    elif isinstance(fact, WarningFact):
        fraud_warnings.record(session, fact)
    elif isinstance(fact, ProductFact):
        drift.heard(session, fact, "sandbox" if source == "sandbox" else "stripe")
    elif isinstance(fact, InvoiceFact):
        receipts.record(session, fact)
    else:
        reversals.record(session, fact)


def record_free(session: Session, order: Order) -> None:
    """A coupon has taken off all of the price: paid, with no gateway and no money."""
    price = order.price
    fact = CheckoutFact(
        session_id=f"free:{order.public_id}",
        order=order.public_id,
        outcome=Outcome.PAID,
        payment_intent_id=None,
        subtotal=price,
        total=Money(0, price.currency),
        discount=price.minor,
        tax=0,
        happened_at=clock.now(),
    )
    _record_payment(session, order, fact, _misfit(order, fact))
    access.derive(session, access.locked(session, order.id))


def _record_checkout(session: Session, fact: CheckoutFact, source: str) -> None:
    order, attempt, misfit = _order_of(session, fact)
    if (order.gateway == "sandbox") is not (source == "sandbox"):
        misfit = "The money came by another gateway than the order's."
    new_payment = None
    if fact.outcome is Outcome.PAID:
        new_payment = _record_payment(session, order, fact, misfit or _misfit(order, fact))
    elif attempt and not misfit:
        attempt.note(_NOTED[fact.outcome])
    access.derive(session, order)
    if new_payment is not None:
        letters_of_money.payment_arrived(session, new_payment)
    elif attempt and not misfit:
        letters_of_money.checkout_changed(session, attempt)


def _order_of(
    session: Session, fact: CheckoutFact
) -> tuple[Order, CheckoutAttempt | None, str | None]:
    """The order by its session, else by the id that the session carries; and what is odd."""
    by_session = select(CheckoutAttempt.order_id).where(
        CheckoutAttempt.session_id == fact.session_id
    )
    order_id = session.scalar(by_session) or _named(session, fact)
    order = access.locked(session, order_id)
    attempt = session.scalar(
        select(CheckoutAttempt).where(CheckoutAttempt.session_id == fact.session_id)
    ) or _adopted(session, order, fact)
    if attempt is None:
        return order, None, "The checkout was not opened for this order."
    if fact.order not in (None, order.public_id):
        return order, attempt, "The checkout names another order."
    return order, attempt, None


def _named(session: Session, fact: CheckoutFact) -> int:
    if fact.order is None:
        raise NotOurs("It names no order.")
    name = fact.order.replace("\x00", "")
    order_id = session.scalar(select(Order.id).where(Order.public_id == name))
    if order_id is None:
        raise UnknownOrder("There is no order with the id it names.")
    return order_id


def _adopted(session: Session, order: Order, fact: CheckoutFact) -> CheckoutAttempt | None:
    """The visit whose answer was lost, or is still on its way: the event came first."""
    unanswered = session.scalar(
        select(CheckoutAttempt)
        .where(CheckoutAttempt.order_id == order.id, CheckoutAttempt.session_id.is_(None))
        .order_by(CheckoutAttempt.id.desc())
        .limit(1)
        .with_for_update()
    )
    if unanswered:
        unanswered.session_id = fact.session_id
    return unanswered


def _misfit(order: Order, fact: CheckoutFact) -> str | None:
    """Why this is not the price that was asked, or None."""
    if fact.subtotal is None or fact.total is None:
        return "The amounts do not add up."
    if fact.subtotal.currency != order.price.currency:
        return f"Paid in {fact.subtotal.currency}, asked in {order.price.currency}."
    if fact.subtotal != order.price:
        return f"Paid {fact.subtotal.words()}, asked {order.price.words()}."
    if fact.discount != order.discount_minor:
        off = Money(fact.discount, order.price.currency)
        return f"{off.words()} was taken off, and the order does not say so."
    if fact.tax and order.tax_behavior == ("inclusive" if fact.tax_is_added else "exclusive"):
        return "The tax was counted another way than the order says."
    return None


def _record_payment(
    session: Session, order: Order, fact: CheckoutFact, misfit: str | None
) -> int | None:
    """The payment's id if it is new."""
    intent = fact.payment_intent_id
    if intent and _is_used(session, intent, fact.session_id):
        intent, misfit = None, "The same payment was shown for another checkout."
    amount = fact.total or Money(0, order.price.currency)
    new = insert(Payment).values(
        order_id=order.id,
        session_id=fact.session_id,
        payment_intent_id=intent,
        amount_minor=amount.minor,
        amount_currency=amount.currency,
        discount_minor=fact.discount,
        tax_minor=fact.tax,
        invoice_id=fact.invoice_id,
        mismatch=misfit,
        paid_at=fact.happened_at,
    )
    once = new.on_conflict_do_nothing(index_elements=[Payment.session_id])
    new_id: int | None = session.scalar(once.returning(Payment.id))
    if new_id is not None and misfit:
        log.error("a payment needs a look", extra={"order": order.public_id, "why": misfit})
    return new_id


def _is_used(session: Session, intent: str, session_id: str) -> bool:
    elsewhere = exists().where(
        Payment.payment_intent_id == intent, Payment.session_id != session_id
    )
    return bool(session.scalar(select(elsewhere)))
