"""Once a day everything of the last days is held against the gateway; what differs is kept."""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from luma import db
from luma.models.order import CheckoutAttempt, Order
from luma.models.payment import Payment
from luma.models.reversal import Dispute, Refund
from luma.services import accounts, clock, gateways, policies
from luma.services.gateways import INSIDE, NAMES, charge_events, reversal_events
from luma.services.gateways.protocol import Thing
from luma.services.money import balances, differences
from luma.services.money.differences import Differs, Lists
from luma.services.policies import Actor
from luma.values import Money

log = logging.getLogger(__name__)

CHECKOUTS_OF = timedelta(hours=48)
REVERSALS_OF = timedelta(days=30)
MOST_LOOKED_UP = 200
ON_ITS_WAY = timedelta(minutes=10)
"""What is younger may be told by an event that has not arrived yet."""

PAID = ("paid", "no_payment_required")


def compare() -> int:
    """Note what differs and forget what does so no more. Waits for the network.

    Nothing is changed by it but the list of differences, so it may be done again at any time.
    Returns how many there are. Raises ServiceDown when the gateway does not answer.
    """
    lists = _with_what_is_older(_listed())
    with db.unit_of_work() as session:
        both = balances.sides(session, lists)
        told = [one for part in PARTS for one in part(session, lists)]
        found = _once([*told, *balances.differing(both, lists)])
        differences.keep(session, lists.name, found, balances.sums(both))
    if found:
        log.error("money differs from the gateway's", extra={"differences": len(found)})
    return len(found)


def compare_now(key: str | None) -> str:
    """The same because an admin has pressed the button. Returns what it found, in a sentence."""
    with db.unit_of_work() as session:
        accounts.as_user(session, key, _ensure_admin)
    found = compare()
    if not found:
        return "Everything of the last days is the same on both sides."
    return "1 thing differs." if found == 1 else f"{found:,} things differ."


def _ensure_admin(_session: Session, actor: Actor) -> None:
    policies.ensure_admin(actor)


def _listed() -> Lists:
    """As far back as the oldest difference: it stays one until it is seen to be none."""
    gateway, now = gateways.current(), clock.now()
    with db.unit_of_work() as session:
        oldest = differences.open_since(session) or now
    young, old = oldest - CHECKOUTS_OF, oldest - REVERSALS_OF
    return Lists(
        gateway.name,
        young,
        now - ON_ITS_WAY,
        list(gateway.listed(Thing.CHECKOUT, since=young)),
        list(gateway.listed(Thing.CHARGE, since=young)),
        list(gateway.listed(Thing.REFUND, since=old)),
        list(gateway.listed(Thing.DISPUTE, since=old)),
        list(gateway.listed(Thing.BALANCE, since=young)),
    )


def _with_what_is_older(lists: Lists) -> Lists:
    """A bank debit moves money days before it is paid: what only the ledger has is asked for."""
    with db.unit_of_work() as session:
        lonely = balances.lonely(session, lists)
    gateway = gateways.current()
    older = [
        line
        for thing in lonely[:MOST_LOOKED_UP]
        for line in gateway.listed(Thing.BALANCE, of=thing)
    ]
    together = {str(line["id"]): line for line in [*older, *lists.balances]}
    return replace(lists, balances=list(together.values()))


def _checkouts(session: Session, lists: Lists) -> Iterator[Differs]:
    listed = {str(one["id"]): one for one in lists.checkouts}
    orders = _orders_of_visits(session, listed)
    payments = session.scalars(select(Payment).where(Payment.session_id.in_(list(listed))))
    known = {payment.session_id: payment for payment in payments}
    who = NAMES[lists.name]
    for name, order in orders.items():
        checkout, payment = listed[name], known.get(name)
        is_paid = checkout.get("payment_status") in PAID
        if is_paid and payment is None and int(checkout["created"]) < lists.before.timestamp():
            yield Differs(name, order, f"{who} has it paid, and LUMA has not heard of it.")
        if not is_paid and payment is not None:
            yield Differs(
                name, order, f"LUMA counts a payment that {INSIDE[lists.name]} does not have."
            )
        if is_paid and payment is not None and payment.amount_minor != checkout["amount_total"]:
            theirs = Money(checkout["amount_total"], checkout["currency"]).words()
            yield Differs(name, order, f"{who} was paid {theirs}, LUMA {payment.amount.words()}.")


def _lost_payments(session: Session, lists: Lists) -> Iterator[Differs]:
    """The other way round: what LUMA counts and the gateway does not list."""
    listed = {str(one["id"]) for one in lists.checkouts}
    since = lists.since + balances.EDGE
    ours = session.execute(
        select(Payment.session_id, Order.public_id)
        .join(Order, Order.id == Payment.order_id)
        .join(CheckoutAttempt, CheckoutAttempt.session_id == Payment.session_id)
        .where(Order.gateway == lists.name, CheckoutAttempt.created_at > since)
    )
    for name, order in ours:
        if gateways.current().is_ours(name) and name not in listed:
            yield Differs(name, order, _unknown_there(lists))


def _charges(session: Session, lists: Lists) -> Iterator[Differs]:
    """Each balance transaction, against what its payment is said to have settled to."""
    who = NAMES[lists.name]
    for thing in lists.charges:
        fact = charge_events.charge(thing)
        payment, order = _of_payment(session, fact.payment_intent_id)
        if payment is None or fact.settled is None or int(thing["created"]) > _seconds(lists):
            continue
        theirs = (fact.settled.amount.minor, fact.settled.amount.currency, fact.settled.fee.minor)
        ours = (payment.settled_minor, payment.settled_currency, payment.fee_minor)
        if theirs != ours:
            words = f"{who} settled {fact.settled.amount.words()} less {fact.settled.fee.words()}"
            yield Differs(fact.charge_id, order, f"{words}; LUMA has not noted the same.")


def _refunds(session: Session, lists: Lists) -> Iterator[Differs]:
    who = NAMES[lists.name]
    for thing in lists.refunds:
        fact = reversal_events.refund(thing)
        payment, order = _of_payment(session, fact.payment_intent_id)
        if payment is None or fact.happened_at > lists.before:
            continue
        ours = session.scalar(select(Refund).where(Refund.refund_id == fact.refund_id))
        if ours is None:
            words = f"{who} gave back {fact.amount.words()}, and LUMA has not heard of it."
            yield Differs(fact.refund_id, order, words)
        elif (ours.amount, ours.status) != (fact.amount, fact.status):
            there = f"{_plain(fact.status)} at {INSIDE[lists.name]}"
            words = f"A refund is {there}, and {_plain(ours.status)} here."
            yield Differs(fact.refund_id, order, words)


def _disputes(session: Session, lists: Lists) -> Iterator[Differs]:
    who = INSIDE[lists.name]
    for thing in lists.disputes:
        fact = reversal_events.dispute(thing)
        payment, order = _of_payment(session, fact.payment_intent_id)
        if payment is None or fact.happened_at > lists.before:
            continue
        ours = session.scalar(select(Dispute).where(Dispute.dispute_id == fact.dispute_id))
        if ours is None or ours.status is not fact.status:
            here = f"{_plain(ours.status)} here" if ours else "unknown here"
            words = f"A dispute is {_plain(fact.status)} at {who}, and {here}."
            yield Differs(fact.dispute_id, order, words)


def _once(found: list[Differs]) -> list[Differs]:
    """What is wrong with a thing is said in the first words found for it."""
    return list({one.name: one for one in reversed(found)}.values())


PARTS = (_checkouts, _lost_payments, _charges, _refunds, _disputes)


def _orders_of_visits(session: Session, names: Iterable[str]) -> dict[str, str]:
    """Sessions that are ours, and the public ids of their orders."""
    rows = session.execute(
        select(CheckoutAttempt.session_id, Order.public_id)
        .join(Order, Order.id == CheckoutAttempt.order_id)
        .where(CheckoutAttempt.session_id.in_(list(names)))
    )
    return {name: order for name, order in rows if name}


def _of_payment(session: Session, intent: str | None) -> tuple[Payment | None, str | None]:
    if intent is None:
        return None, None
    found = session.execute(
        select(Payment, Order.public_id)
        .join(Order, Order.id == Payment.order_id)
        .where(Payment.payment_intent_id == intent)
    ).one_or_none()
    return (found[0], found[1]) if found else (None, None)


def _unknown_there(lists: Lists) -> str:
    return f"LUMA counts a payment that {INSIDE[lists.name]} does not have."


def _seconds(lists: Lists) -> int:
    return int(lists.before.timestamp())


def _plain(status: str) -> str:
    return str(status).replace("_", " ")
