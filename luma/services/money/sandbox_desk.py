"""What a tester does with a checkout of the sandbox: money back, disputes, events gone astray."""

from collections.abc import Callable

from sqlalchemy import select
from sqlalchemy.orm import Session

from luma.errors import NotAllowed, NotFound, RuleBroken
from luma.models.course import Course
from luma.models.order import CheckoutAttempt, Order
from luma.models.payment import SandboxReversal, SandboxSession
from luma.models.sandbox import SandboxEvent
from luma.services import texts
from luma.services.gateways import (
    reversal_events,
    sandbox,
    sandbox_post,
    sandbox_prices,
    sandbox_reversals,
)
from luma.services.gateways.protocol import AlreadyReturned, GatewayMissing
from luma.services.money.sandbox_record import Faults
from luma.services.policies import Actor
from luma.values import Money

LONGEST_DELAY = 600

WITHDRAWN, REINSTATED = "charge.dispute.funds_withdrawn", "charge.dispute.funds_reinstated"
UPDATED = "charge.dispute.updated"


def refund(session: Session, session_id: str, amount: str) -> None:
    """As from the gateway's own dashboard: LUMA hears of it by event. "" is all that is left."""
    row = _paid(session, session_id)
    left = sandbox_reversals.left(session, row)
    wanted = Money.parse(amount, left.currency) if amount.strip() else left
    if not 0 < wanted.minor <= left.minor:
        raise RuleBroken(f"Refund an amount between 0 and {left.words()}.")
    key = f"desk:{session_id}:{len(sandbox_reversals.of(session, row))}"
    made = _or_sentence(lambda: sandbox_reversals.refund(session, row, wanted, key))
    _tell(session, reversal_events.REFUND_CREATED, made)


def fail_refund(session: Session, session_id: str, object_id: str) -> None:
    """Days later the bank says that it could not pay the money out."""
    made = _of_kind(session, session_id, object_id, "refund")
    made.close("failed")
    _tell(session, reversal_events.REFUND_FAILED, made)


def dispute(session: Session, session_id: str) -> None:
    row = _paid(session, session_id)
    made = _or_sentence(lambda: sandbox_reversals.dispute(session, row))
    _tell(session, reversal_events.DISPUTED, made)
    _tell(session, WITHDRAWN, made)


def inquire(session: Session, session_id: str) -> None:
    """The bank asks first: no money moves, and access stays."""
    row = _paid(session, session_id)
    made = _or_sentence(lambda: sandbox_reversals.dispute(session, row, is_inquiry=True))
    _tell(session, reversal_events.DISPUTED, made)


def win(session: Session, session_id: str, object_id: str) -> None:
    made = _of_kind(session, session_id, object_id, "dispute")
    made.close("won")
    _tell(session, reversal_events.DECIDED, made)
    _tell(session, REINSTATED, made)


def lose(session: Session, session_id: str, object_id: str) -> None:
    made = _of_kind(session, session_id, object_id, "dispute")
    made.close("lost")
    _tell(session, reversal_events.DECIDED, made)


def drop_inquiry(session: Session, session_id: str, object_id: str) -> None:
    made = _of_kind(session, session_id, object_id, "dispute")
    made.close("warning_closed")
    _tell(session, reversal_events.DECIDED, made)


def escalate(session: Session, session_id: str, object_id: str) -> None:
    """The inquiry becomes a dispute, and the money is taken."""
    made = _of_kind(session, session_id, object_id, "dispute")
    made.close("needs_response")
    _tell(session, UPDATED, made)
    _tell(session, WITHDRAWN, made)


def set_faults(session: Session, session_id: str, faults: Faults) -> None:
    """For the events of this checkout that are made from now on."""
    if not 0 <= faults.delay <= LONGEST_DELAY:
        raise RuleBroken(f"Delay by 0 to {LONGEST_DELAY} seconds.")
    sandbox.ensure_on()
    row = sandbox.locked(session, session_id)
    row.delivers_twice, row.swaps, row.drops = faults.twice, faults.swap, faults.drop
    row.delay_seconds = faults.delay


def send(session: Session, session_id: str, event_id: str) -> None:
    """Deliver an event now: one that was held or dropped, or one once more."""
    sandbox.ensure_on()
    row = sandbox.locked(session, session_id)
    found = session.scalar(
        select(SandboxEvent).where(
            SandboxEvent.event_id == texts.line(event_id, "Event", 255),
            SandboxEvent.session_id == row.session_id,
        )
    )
    if found is None:
        raise NotFound("There is no such event.")
    sandbox_post.send(session, found)


def archive(session: Session, actor: Actor, session_id: str) -> None:
    """Take the price of a checkout off sale, as somebody might in the gateway's dashboard.

    It is the instructor's of the course or an admin's to do. Raises NotFound.
    """
    sandbox.ensure_on()
    row = sandbox.locked(session, session_id)
    asked = (
        select(Course.instructor_id)
        .join(Order, Order.course_id == Course.id)
        .join(CheckoutAttempt, CheckoutAttempt.order_id == Order.id)
        .where(CheckoutAttempt.session_id == session_id)
    )
    if not actor.is_admin and session.scalar(asked) != actor.id:
        raise NotAllowed("Only who teaches the course, or an admin, can take its price off sale.")
    try:
        price = sandbox_prices.archive(session, str(row.request["price_id"]))
    except GatewayMissing:
        raise RuleBroken("The course is sold at another price by now.") from None
    sandbox.emit(session, "price.updated", price)


def _paid(session: Session, session_id: str) -> SandboxSession:
    sandbox.ensure_on()
    row = sandbox.locked(session, session_id)
    if row.payment_status != "paid":
        raise RuleBroken("Nothing has been paid here.")
    return row


def _or_sentence(make: Callable[[], SandboxReversal]) -> SandboxReversal:
    try:
        return make()
    except AlreadyReturned:
        raise RuleBroken("All of it is refunded or disputed already.") from None


def _of_kind(session: Session, session_id: str, object_id: str, kind: str) -> SandboxReversal:
    """One of this checkout, which is held: two presses of two buttons wait for each other."""
    row = _paid(session, session_id)
    for one in sandbox_reversals.of(session, row):
        if (one.object_id, one.kind) == (object_id, kind):
            return one
    raise NotFound("There is no such refund or dispute.")


def _tell(session: Session, kind: str, made: SandboxReversal) -> None:
    sandbox.emit(session, kind, sandbox_reversals.shown(made))
