"""Ask the gateway how one order really stands, and take over what it says."""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from luma import db
from luma.errors import RuleBroken
from luma.models.course import Course
from luma.models.order import CheckoutAttempt, Order
from luma.models.payment import Payment, StripeEvent
from luma.services import accounts, audit, clock, gateways, policies, queue
from luma.services.gateways import NAMES, events, things
from luma.services.gateways.protocol import Gateway, GatewayMissing, Thing
from luma.services.money import facts, inbox, tracks
from luma.services.money.reversals import NotOurs, UnknownPayment
from luma.services.policies import Actor
from luma.values import EventStatus, OrderStatus

log = logging.getLogger(__name__)

Found = tuple[Thing, dict[str, Any]]

STANDS = {
    OrderStatus.OPEN: "nobody has paid yet",
    OrderStatus.PENDING: "the buyer's bank is still confirming",
    OrderStatus.PAID: "it is paid, and the course is open",
    OrderStatus.FAILED: "the payment did not go through",
    OrderStatus.EXPIRED: "the checkout has expired, and nobody paid",
    OrderStatus.NEEDS_REVIEW: "money arrived that does not match the order",
    OrderStatus.REFUNDED: "it is refunded",
    OrderStatus.DISPUTED: "the payment is disputed",
    OrderStatus.CHARGED_BACK: "the bank took the money back",
}


@dataclass(frozen=True, slots=True)
class Question:
    """What to ask the gateway about an order."""

    order_id: int
    gateway: str
    status: OrderStatus
    sessions: tuple[str, ...]
    payments: tuple[str, ...]


def reconcile(key: str | None, public_id: str) -> str:
    """Bring an order to what its gateway says, and say what that was.

    For the seller of the course and for admins, by session key. Call it through `offload`: it
    waits for the network, between transactions of its own. Nothing is made up: what is found
    goes the way that events go, and doing it twice changes nothing. Raises NotFound, ServiceDown.
    """
    with db.unit_of_work() as session:
        asked = accounts.as_user(session, key, question, public_id)
    found = list(_found(gateways.current(), asked))
    with db.unit_of_work() as session:
        return accounts.as_user(session, key, _take_over, asked, found)


def question(session: Session, actor: Actor, public_id: object) -> Question:
    """Raises NotFound for a stranger's order, RuleBroken where nobody can be asked."""
    order = tracks.order(session, public_id)
    policies.ensure_sells(actor, session.get_one(Course, order.course_id))
    if order.gateway != gateways.current().name:
        raise RuleBroken(f"{NAMES[order.gateway]} took this order, and it is not in use any more.")
    return _question(session, order)


def take(session: Session, gateway: str, found: Iterable[Found]) -> int:
    """Record what a gateway was asked for, as events are recorded. Returns how many were ours."""
    taken = 0
    for kind, thing in found:
        fact = events.fact_now(kind, thing, clock.now())
        if fact is None:
            continue
        try:
            with session.begin_nested():
                facts.record(session, fact, "sandbox" if gateway == "sandbox" else "pull")
        except (NotOurs, UnknownPayment):
            continue
        taken += 1
    return taken


def _question(session: Session, order: Order) -> Question:
    sessions = select(CheckoutAttempt.session_id).where(
        CheckoutAttempt.order_id == order.id, CheckoutAttempt.session_id.is_not(None)
    )
    intents = select(Payment.payment_intent_id).where(
        Payment.order_id == order.id, Payment.payment_intent_id.is_not(None)
    )
    return Question(
        order.id,
        order.gateway,
        order.status,
        tuple(filter(None, session.scalars(sessions.order_by(CheckoutAttempt.id)))),
        tuple(filter(None, session.scalars(intents))),
    )


def _found(gateway: Gateway, asked: Question) -> Iterator[Found]:
    """Checkouts first: what went back needs its payment. What is of the other mode is missing."""
    payments = set(asked.payments)
    for session_id in filter(gateway.is_ours, asked.sessions):
        try:
            checkout = gateway.found(Thing.CHECKOUT, session_id)
        except GatewayMissing:
            continue
        yield Thing.CHECKOUT, checkout
        if intent := things.text(checkout, "payment_intent"):
            payments.add(intent)
    for payment in sorted(payments):
        for kind in (Thing.CHARGE, Thing.REFUND, Thing.DISPUTE):
            for thing in gateway.listed(kind, of=payment):
                yield kind, thing


def _take_over(session: Session, actor: Actor, asked: Question, found: list[Found]) -> str:
    order = session.get_one(Order, asked.order_id)
    policies.ensure_sells(actor, session.get_one(Course, order.course_id))
    take(session, asked.gateway, found)
    session.refresh(order)
    _look_done(session, order)
    woken = _wake(session, order)
    before, after = {"status": asked.status.value}, {"status": order.status.value}
    audit.note(session, actor, "order.reconcile", f"order {order.public_id}", before, after)
    if order.status is not asked.status:
        log.error("an order was behind its gateway", extra={"order": order.public_id})
    return _sentence(asked, order, found, woken)


def _look_done(session: Session, order: Order) -> None:
    """The buyer came back, and now it is known what for: nothing is stuck any more."""
    session.execute(
        update(CheckoutAttempt).where(CheckoutAttempt.order_id == order.id).values(returned_at=None)
    )


def _wake(session: Session, order: Order) -> int:
    """Events of the order that wait or were given up are tried again."""
    waiting = tracks.events_of(tracks.names(session, order)).where(
        StripeEvent.status.in_([EventStatus.PARKED, EventStatus.DEAD])
    )
    rows = session.scalars(waiting.with_for_update()).all()
    for row in rows:
        row.wake(clock.now())
        queue.defer(session, inbox.TASK, once=f"{inbox.TASK}:{row.id}", row_ids=[row.id])
    return len(rows)


def _sentence(asked: Question, order: Order, found: list[Found], woken: int) -> str:
    who = NAMES[asked.gateway]
    if not found:
        return f"{who} knows no checkout of this order: the buyer never got as far as paying."
    says = f"{who} says that {STANDS[order.status]}."
    changed = "" if order.status is asked.status else " LUMA had not heard of it; now it has."
    tried = " Its events that waited are tried again." if woken else ""
    return says + (changed or " LUMA knew that already.") + tried
