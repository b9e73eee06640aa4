"""Give money back: asked for by a seller, by a buyer inside the promise, or by LUMA itself."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from luma import db
from luma.errors import NotFound, RuleBroken
from luma.models.course import Course
from luma.models.order import Order
from luma.models.payment import Payment
from luma.models.reversal import RefundRequest
from luma.services import audit, clock, gateways, policies, queue, signals, texts
from luma.services.gateways import reversal_events
from luma.services.gateways.protocol import AlreadyReturned, GatewayRefused
from luma.services.money import access, grants, letters_of_money, refund_calls, reversals, standings
from luma.services.policies import Actor
from luma.values import EnrolmentSource, Money

ALREADY_BACK = "The payment is refunded or disputed already."
REFUSED = "The payment service will not refund it."
OTHER_GATEWAY = "It was paid at a gateway that is not in use any more."
TWICE = "Paid twice."


class Access(StrEnum):
    """What becomes of the buyer's access. By rule a full refund ends it, a partial one keeps it."""

    BY_RULE = "by_rule"
    KEEP = "keep"
    END = "end"

    @classmethod
    def read(cls, word: object) -> "Access":
        """Raises RuleBroken for what no form offers."""
        chosen = next((one for one in cls if one == word), None)
        if chosen is None:
            raise RuleBroken("Choose from the list what becomes of access.")
        return chosen


@dataclass(frozen=True, slots=True)
class Refundable:
    """What an order has brought, and what may still be given back."""

    paid: Money
    refunded: Money
    waiting: Money
    """Asked of the gateway, not answered yet."""

    @property
    def left(self) -> Money:
        return self.paid - self.refunded - self.waiting


@dataclass(frozen=True, slots=True)
class Promise:
    """What a buyer may have back of one order, and what is on its way."""

    until: datetime | None
    """The last moment at which a refund runs by itself; None when there is nothing to ask for."""
    paid: Refundable
    refusal: str | None
    """Why the last refund that was asked for was not made."""

    @property
    def mark(self) -> str:
        """Another one whenever there is something new to show."""
        if self.paid.waiting.minor > 0:
            return "refunding"
        refused = "-refused" if self.refusal else ""
        return f"paid-{self.paid.refunded.minor}{refused}"


def refundable(session: Session, order: Order) -> Refundable:
    """In the order's currency; what was paid in another is for an admin at the gateway."""
    currency, payments = order.price.currency, standings.returnable(session, order)
    return Refundable(
        Money(sum(one.payment.paid for one in payments), currency),
        Money(sum(one.payment.refunded for one in payments), currency),
        Money(sum(one.waiting for one in payments), currency),
    )


def ask(
    session: Session,
    actor: Actor,
    order_id: str,
    amount: str,
    reason: str,
    then: Access = Access.BY_RULE,
) -> None:
    """Refund `amount` ("12.50"; "" for all that is left) of an order. Raises RuleBroken.

    The seller of the course and admins may. The gateway is asked after the commit; what it
    answers, and what access follows, arrives as a fact.
    """
    order = sold_by(session, actor, order_id)
    why = texts.line(reason, "Reason", 200)
    left = refundable(session, order).left
    wanted = Money.parse(amount, left.currency) if amount.strip() else left
    _request(session, order, wanted, left, why, actor.id)
    _settle_access(session, actor, order, why, then, is_full=wanted == left)
    after = {"amount": wanted.decimal(), "currency": wanted.currency, "access": then.value}
    audit.note(session, actor, "order.refund", f"order {order.public_id}", after=after)


def claim(session: Session, actor: Actor, order_id: str, reason: str) -> None:
    """A buyer takes the promise at its word: inside it everything goes back by itself."""
    order = access.locked(session, _own(session, actor, order_id).id)
    until = promised_until(order)
    if until is None or until < clock.now():
        raise RuleBroken("The time for a refund is over. Write to the instructor.")
    why = texts.line(reason, "Reason", 200)
    left = refundable(session, order).left
    _request(session, order, left, left, why, actor.id)
    signals.tell(session, order.public_id)


def give_back(session: Session, order: Order, why: str, by: int) -> None:
    """All that is left of an order, without asking who may: for a rehearsal."""
    order = access.locked(session, order.id)
    left = refundable(session, order).left
    _request(session, order, left, left, why, by)


def promise(session: Session, actor: Actor, order_id: str) -> Promise:
    """Raises NotFound for anybody else's order."""
    order = _own(session, actor, order_id)
    paid, until = refundable(session, order), promised_until(order)
    is_open = until is not None and until >= clock.now() and paid.left.minor > 0
    return Promise(until if is_open else None, paid, _last_refusal(session, order))


def _last_refusal(session: Session, order: Order) -> str | None:
    return session.scalar(
        select(RefundRequest.refusal)
        .join(Payment, Payment.id == RefundRequest.payment_id)
        .where(Payment.order_id == order.id)
        .order_by(RefundRequest.id.desc())
        .limit(1)
    )


def promised_until(order: Order) -> datetime | None:
    """The last moment of the promise that the buyer was given, or None without a payment."""
    return order.paid_at + timedelta(days=order.refund_days) if order.paid_at else None


def return_double(session: Session, order_id: int) -> None:
    """All good payments but the first go back. Twice changes nothing.

    What does not fit its order opened nothing, so it is neither kept for that nor sent back here.
    """
    order = access.locked(session, order_id)
    good = [one for one in standings.returnable(session, order) if one.payment.is_good]
    for one in good[1:]:
        if one.left:
            _write(session, order, one, one.left, TWICE, None)


def send(request_id: int) -> None:
    """Ask the gateway for one refund and keep its answer as a fact. Waits for the network.

    No answer: the job asks again with the same key. A refusal is kept and not asked again.
    """
    with db.unit_of_work() as session:
        request = session.get_one(RefundRequest, request_id)
        payment = session.get_one(Payment, request.payment_id)
        gateway_name = session.get_one(Order, payment.order_id).gateway
        if not request.is_waiting:
            return
    gateway = gateways.current()
    if gateway.name != gateway_name or payment.payment_intent_id is None:
        _refuse(request_id, OTHER_GATEWAY)
        return
    try:
        made = refund_calls.made(gateway, payment.payment_intent_id, request)
    except AlreadyReturned:
        _refuse(request_id, ALREADY_BACK)
    except GatewayRefused:
        _refuse(request_id, REFUSED)
    else:
        fact = reversal_events.refund(made)
        with db.unit_of_work() as session:
            session.get_one(RefundRequest, request_id).sent(fact.refund_id)
            reversals.record(session, fact)


def _refuse(request_id: int, why: str) -> None:
    """Nothing goes back: what access hung on it comes back, and whoever asked is told."""
    with db.unit_of_work() as session:
        request = session.get_one(RefundRequest, request_id)
        payment = session.get_one(Payment, request.payment_id)
        order = access.locked(session, payment.order_id)
        request.refuse(why)
        access.derive(session, order)
        signals.tell(session, order.public_id)
        letters_of_money.refund_refused(session, request)


def _request(session: Session, order: Order, wanted: Money, left: Money, why: str, by: int) -> None:
    """Share it out over the payments. The order is held, so two presses cannot give it twice."""
    if not 0 < wanted.minor <= left.minor:
        raise RuleBroken(
            "There is nothing left to refund."
            if left.minor <= 0
            else f"Refund an amount between 0 and {left.words()}."
        )
    rest = wanted.minor
    for one in standings.returnable(session, order):
        part = min(rest, one.left)
        if part > 0:
            _write(session, order, one, part, why, by)
            rest -= part


def _write(
    session: Session, order: Order, one: standings.Returnable, minor: int, why: str, by: int | None
) -> None:
    request = RefundRequest(
        payment_id=one.payment.payment_id,
        amount=Money(minor, order.price.currency),
        reason=why,
        asked_by_id=by,
        operation_key=f"luma:refund:{order.public_id}:{secrets.token_hex(8)}",
        created_at=clock.now(),
    )
    session.add(request)
    session.flush()
    queue.defer(session, "refunds.send", request_id=request.id)


def _settle_access(
    session: Session, actor: Actor, order: Order, why: str, then: Access, *, is_full: bool
) -> None:
    if then is Access.KEEP and is_full:
        kind, by = EnrolmentSource.MANUAL, actor.id
        grants.give(session, order.buyer_id, order.course_id, kind, reason=why, given_by_id=by)
    if then is Access.END and not is_full:
        order.access_ended_reason = why
    access.derive(session, order)
    signals.tell(session, order.public_id)


def sold_by(session: Session, actor: Actor, order_id: str) -> Order:
    """The order, held. Another instructor's is not found."""
    found = session.execute(
        select(Order.id, Course)
        .join(Course, Course.id == Order.course_id)
        .where(Order.public_id == texts.line(order_id, "Order", 40))
    ).one_or_none()
    if found is None:
        raise NotFound("There is no such order among your sales.")
    number, course = found
    policies.ensure_sells(actor, course)
    return access.locked(session, number)


def _own(session: Session, actor: Actor, order_id: str) -> Order:
    found = session.scalar(
        select(Order).where(
            Order.public_id == texts.line(order_id, "Order", 40), Order.buyer_id == actor.id
        )
    )
    if found is None:
        raise NotFound("There is no such order of yours.")
    return found
