"""Shares that do not move: what the gateway refused, or somebody took back there; and once more."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, and_, or_, select
from sqlalchemy.orm import Session

from luma import db
from luma.errors import RuleBroken
from luma.models.order import Order
from luma.models.payee import Payee, RefusalCause, Transfer, TransferStatus
from luma.models.payment import Payment
from luma.models.user import User
from luma.services import audit, clock, policies, queue, texts
from luma.services.gateways.protocol import GatewayMissing, GatewayRefused
from luma.services.money import owed, sale_letters
from luma.services.money.sale_letters import Words
from luma.services.policies import Actor
from luma.values import Money

log = logging.getLogger(__name__)

MOST_LISTED = 100

CAUSES: Mapping[str, RefusalCause] = {
    "account_closed": RefusalCause.ACCOUNT,
    "account_invalid": RefusalCause.ACCOUNT,
    "balance_insufficient": RefusalCause.BALANCE,
    "insufficient_capabilities_for_transfer": RefusalCause.ACCOUNT,
    "insufficient_funds": RefusalCause.BALANCE,
    "no_account": RefusalCause.ACCOUNT,
    "transfers_not_allowed": RefusalCause.ACCOUNT,
}
"""By Stripe's codes. What is in none of them is told in its own words."""

SENT = {
    RefusalCause.ACCOUNT: "The instructor’s account may not receive money.",
    RefusalCause.BALANCE: "The school’s balance at the payment service is too low.",
    RefusalCause.GATEWAY: "It was paid at a gateway that is not in use any more.",
    RefusalCause.OTHER: "The payment service will not send it.",
}
TAKEN_BACK = SENT | {
    RefusalCause.ACCOUNT: "Nothing can be taken from the instructor’s account any more.",
    RefusalCause.BALANCE: "There is not as much left in the instructor’s account.",
    RefusalCause.OTHER: "The payment service will not take it back.",
}
OUTSIDE = "Somebody took it back in the payment service’s dashboard."


@dataclass(frozen=True, slots=True)
class Stopped:
    """`amount` is what still has to move for the sale: to the instructor, or back (`is_back`)."""

    number: int
    order: str
    instructor: str
    gateway: str
    amount: Money
    is_back: bool
    is_outside: bool
    cause: RefusalCause | None
    why: str
    since: datetime


def stop(transfer_id: int, refusal: GatewayRefused | None) -> None:
    """Keep why it was refused, and tell those who can do something. None: it is another gateway's.

    A refusal because of the account is a reason to ask how the account stands.
    """
    cause = cause_of(refusal)
    log.error("a transfer was refused", extra={"transfer": transfer_id, "why": cause.value})
    with db.unit_of_work() as session:
        transfer = session.get_one(Transfer, transfer_id, with_for_update=True)
        if not transfer.is_waiting:
            return
        why = in_words(cause, refusal, is_back=transfer.of_id is not None)
        transfer.refuse(cause, why, clock.now())
        if cause is RefusalCause.ACCOUNT:
            number = transfer.instructor_id
            queue.defer(session, "payees.refresh", once=f"payee:{number}", instructor_id=number)
        _tell(session, transfer)


def stopped(session: Session, actor: Actor) -> list[Stopped]:
    """What does not move, of all instructors, the latest first."""
    policies.ensure_admin(actor)
    return _found(session, _standing(None))


def mine(session: Session, instructor_id: int) -> list[Stopped]:
    """What was refused on its way to one instructor."""
    theirs = _standing(instructor_id)
    return [one for one in _found(session, theirs) if not one.is_back and not one.is_outside]


def try_again(session: Session, actor: Actor, number: object) -> str:
    """Nothing stands in the way of that sale any more, and what is due is planned at once.

    Returns what will happen. Raises RuleBroken when it is being tried already.
    """
    policies.ensure_admin(actor)
    transfer = session.get(
        Transfer, texts.whole_number(number, "Transfer", 1, 2**62), with_for_update=True
    )
    if transfer is None:
        raise RuleBroken("There is no such transfer. Load the page again.")
    transfer.retry(clock.now())
    for other in session.scalars(_beside(transfer)):
        other.retry(clock.now())
    order = _order_of(session, transfer)
    audit.note(session, actor, "transfer.retry", f"order {order.public_id}")
    payee = session.scalar(
        select(Payee).where(
            Payee.instructor_id == transfer.instructor_id, Payee.gateway == order.gateway
        )
    )
    if payee is None or (not payee.is_payable and transfer.of_id is None):
        return "It goes out as soon as the instructor’s account may receive money."
    queue.defer(session, "transfers.plan_for", once=f"transfers:{payee.id}", payee_id=payee.id)
    return "It is being tried again. Load the page in a minute to see what became of it."


def cause_of(refusal: GatewayRefused | None) -> RefusalCause:
    if refusal is None:
        return RefusalCause.GATEWAY
    if isinstance(refusal, GatewayMissing):
        return RefusalCause.ACCOUNT
    return CAUSES.get(refusal.code, RefusalCause.OTHER)


def in_words(cause: RefusalCause, refusal: GatewayRefused | None, *, is_back: bool) -> str:
    """The gateway's own sentence goes along; it is for admins."""
    words = (TAKEN_BACK if is_back else SENT)[cause]
    said = refusal.said if refusal else ""
    return f"{words} It says: {said}" if said else words


def _tell(session: Session, transfer: Transfer) -> None:
    """Admins, once for each sale and direction: tomorrow's try may be refused just the same."""
    sale = sale_letters.sale_of(session, _order_of(session, transfer).id)
    amount, back = transfer.amount.words(), transfer.of_id is not None
    what = f"{amount} could not be {'taken back from' if back else 'sent to'} the instructor"
    said = Words(
        f"transfer-refused-{transfer.payment_id}{'-back' if back else ''}",
        "transfer-refused",
        "A payout was refused",
        f"{what} of “{sale.title}”. {transfer.refusal}\n\nUnder Payouts you can try it again.",
    )
    sale_letters.to_admins(session, sale, said)


def _order_of(session: Session, transfer: Transfer) -> Order:
    payment = session.get_one(Payment, transfer.payment_id)
    return session.get_one(Order, payment.order_id)


def _beside(transfer: Transfer) -> Select[Transfer]:
    """Earlier refusals of the same sale in the same direction."""
    direction = Transfer.of_id.is_(None) if transfer.of_id is None else Transfer.of_id.is_not(None)
    return select(Transfer).where(
        Transfer.payment_id == transfer.payment_id,
        Transfer.id != transfer.id,
        direction,
        _in_the_way(),
    )


def _in_the_way() -> Any:
    is_over = or_(Transfer.is_outside, Transfer.status == TransferStatus.REFUSED)
    return and_(is_over, Transfer.retried_at.is_(None))


def _standing(instructor_id: int | None) -> Select[*tuple[Any, ...]]:
    """With what its sale still has to move, as long as there is something."""
    sale = owed.sales()
    left = (sale.c.owed - sale.c.on_its_way).label("left")
    goes_out = or_(Transfer.of_id.is_(None), Transfer.is_outside)
    asked = (
        select(Transfer, sale.c.public_id, sale.c.gateway, left, sale.c.currency, User.name)
        .join(sale, sale.c.payment_id == Transfer.payment_id)
        .join(User, User.id == Transfer.instructor_id)
        .where(_in_the_way(), or_(and_(goes_out, left > 0), and_(~goes_out, left < 0)))
        .order_by(Transfer.id.desc())
        .limit(MOST_LISTED)
    )
    return asked.where(sale.c.instructor_id == instructor_id) if instructor_id else asked


def _found(session: Session, asked: Select[*tuple[Any, ...]]) -> list[Stopped]:
    """The latest of each sale: what was refused before it does not matter any more."""
    latest: dict[tuple[str, bool], Stopped] = {}
    for row in session.execute(asked):
        one = _stopped(row)
        latest.setdefault((one.order, one.is_back), one)
    return list(latest.values())


def _stopped(row: Row[*tuple[Any, ...]]) -> Stopped:
    transfer, order, gateway, left, currency, instructor = row
    return Stopped(
        number=transfer.id,
        order=order,
        instructor=instructor,
        gateway=gateway,
        amount=Money(abs(int(left)), currency),
        is_back=left < 0,
        is_outside=transfer.is_outside,
        cause=transfer.refused_for,
        why=OUTSIDE if transfer.is_outside else transfer.refusal or "",
        since=transfer.done_at or transfer.created_at,
    )
