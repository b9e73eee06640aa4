"""What has gone back at the sandbox: refunds, and disputes that somebody plays."""

import secrets

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from luma.models.payment import SandboxReversal, SandboxSession
from luma.services import clock
from luma.services.gateways import sandbox_events
from luma.services.gateways.protocol import AlreadyReturned, CheckoutRequest, GatewayMissing
from luma.values import Money


def paid_by(session: Session, payment_intent_id: str) -> SandboxSession:
    """The paid checkout of a payment, held. Raises GatewayMissing."""
    digest = func.encode(func.sha256(func.convert_to(SandboxSession.session_id, "UTF8")), "hex")
    found = session.scalar(
        select(SandboxSession)
        .where(
            func.concat("pi_sbx_", func.left(digest, 24)) == payment_intent_id,
            SandboxSession.payment_status == "paid",
        )
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
    return _made(session, row, "refund", amount, key)


def dispute(session: Session, row: SandboxSession) -> SandboxReversal:
    """Raises AlreadyReturned when nothing is left to dispute."""
    amount = left(session, row)
    if amount.is_zero or _is_disputed(session, row):
        raise AlreadyReturned
    return _made(session, row, "dispute", amount, f"dispute:{secrets.token_hex(12)}")


def of(session: Session, row: SandboxSession) -> list[SandboxReversal]:
    """All of a checkout, oldest first."""
    asked = select(SandboxReversal).where(SandboxReversal.session_id == row.session_id)
    return list(session.scalars(asked.order_by(SandboxReversal.id)))


def left(session: Session, row: SandboxSession) -> Money:
    """What is not refunded or lost yet."""
    paid = CheckoutRequest.thawed(row.request).amount
    gone = sum(one.amount_minor for one in of(session, row) if one.status in ("succeeded", "lost"))
    return Money(paid.minor - gone, paid.currency)


def shown(row: SandboxReversal) -> sandbox_events.JSON:
    return sandbox_events.refund(row) if row.kind == "refund" else sandbox_events.dispute(row)


def _is_disputed(session: Session, row: SandboxSession) -> bool:
    return any(one.status == "needs_response" for one in of(session, row))


def _made(
    session: Session, row: SandboxSession, kind: str, amount: Money, key: str
) -> SandboxReversal:
    prefix, status = ("re", "succeeded") if kind == "refund" else ("du", "needs_response")
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
