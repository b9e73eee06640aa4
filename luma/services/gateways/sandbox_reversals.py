"""What has gone back at the sandbox: refunds, and disputes that somebody plays."""

import secrets

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from luma.models.payment import SandboxReversal, SandboxSession
from luma.services import clock
from luma.services.gateways import sandbox_events
from luma.services.gateways.protocol import AlreadyReturned, CheckoutRequest, GatewayMissing
from luma.values import Money


def is_of(payment_intent_id: str) -> ColumnElement[bool]:
    """The checkout whose payment this is, as sandbox_events.intent_id makes it."""
    digest = func.encode(func.sha256(func.convert_to(SandboxSession.session_id, "UTF8")), "hex")
    return func.concat("pi_sbx_", func.left(digest, 24)) == payment_intent_id


def paid_by(session: Session, payment_intent_id: str) -> SandboxSession:
    """The paid checkout of a payment, held. Raises GatewayMissing."""
    found = session.scalar(
        select(SandboxSession)
        .where(is_of(payment_intent_id), SandboxSession.payment_status == "paid")
        .with_for_update()
    )
    if found is None:
        raise GatewayMissing
    return found


def refund(session: Session, row: SandboxSession, amount: Money, key: str) -> SandboxReversal:
    """Give back, once for each key. Raises AlreadyReturned for more than is there."""
    asked = select(SandboxReversal).where(SandboxReversal.operation_key == key)
    if earlier := session.scalar(asked):
        return earlier
    if amount.minor > left(session, row).minor or _is_disputed(session, row):
        raise AlreadyReturned
    return _made(session, row, "succeeded", amount, key)


def dispute(session: Session, row: SandboxSession, *, is_inquiry: bool = False) -> SandboxReversal:
    """Raises AlreadyReturned when nothing is left to dispute. An inquiry moves no money."""
    amount = left(session, row)
    if amount.is_zero or any(one.is_open for one in of(session, row)):
        raise AlreadyReturned
    status = "warning_needs_response" if is_inquiry else "needs_response"
    return _made(session, row, status, amount, f"dispute:{secrets.token_hex(12)}")


def of(session: Session, row: SandboxSession) -> list[SandboxReversal]:
    """All of a checkout, oldest first."""
    asked = select(SandboxReversal).where(SandboxReversal.session_id == row.session_id)
    return list(session.scalars(asked.order_by(SandboxReversal.id)))


def left(session: Session, row: SandboxSession) -> Money:
    """What is not refunded or lost yet."""
    paid = CheckoutRequest.thawed(row.request).total
    gone = sum(one.amount_minor for one in of(session, row) if one.status in ("succeeded", "lost"))
    return Money(paid.minor - gone, paid.currency)


def shown(row: SandboxReversal) -> sandbox_events.JSON:
    return sandbox_events.refund(row) if row.kind == "refund" else sandbox_events.dispute(row)


def _is_disputed(session: Session, row: SandboxSession) -> bool:
    return any(one.status == "needs_response" for one in of(session, row))


def _made(
    session: Session, row: SandboxSession, status: str, amount: Money, key: str
) -> SandboxReversal:
    kind, prefix = ("refund", "re") if status == "succeeded" else ("dispute", "du")
    made = SandboxReversal(
        object_id=f"{prefix}_sbx_{secrets.token_hex(12)}",
        kind=kind,
        session_id=row.session_id,
        operation_key=key,
        amount_minor=amount.minor,
        amount_currency=amount.currency,
        status=status,
        created_at=clock.now(),
    )
    session.add(made)
    session.flush()
    return made
